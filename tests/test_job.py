"""odoo_sync_job: commits page by page, goes on where it stopped, survives kills."""

import os
import signal
import threading
import time

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .lab import ports
from .lab.postgres import Cluster


@pytest.fixture(scope="module")
def cluster(folder):
    """A cluster of this module's own, which some tests crash."""
    cluster = Cluster(folder / "crashing", ports.free(1)[0], {"fsync": "off"})
    cluster.init()
    cluster.start()
    yield cluster
    cluster.stop("immediate")


JOB = "CALL odoo_sync_job('products')"

#: By Odoo's clock, than the fake's records were written.
A_DAY_LATER = 1704153600


def wait_for_rows(db, count):
    other = db.connect()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with other.cursor() as cursor:
            cursor.execute("SELECT to_regclass('dim_products') IS NOT NULL")
            if cursor.fetchone()[0]:
                cursor.execute("SELECT count(*) FROM dim_products")
                rows = cursor.fetchone()[0]
                if rows >= count:
                    other.close()
                    return rows
        time.sleep(0.05)
    raise AssertionError("no rows were committed")


def in_background(db, statement):
    connection = db.connect()

    def work():
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.Error:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    return connection, thread


def test_a_job_loads_everything(db, fake):
    db.server(url(fake, "rows=2000"), page_size=100)
    db.run("CALL odoo_sync_job()")
    assert db.value("SELECT count(*) FROM dim_products") == 2000
    states = dict(db.run("SELECT target, status FROM odoo_sync_state"))
    assert states["dim_products"] == "ok" and len(states) == 18
    assert db.value("SELECT count(*) FROM odoo_sync_watermarks WHERE resume_after IS NOT NULL") == 0


def test_in_a_transaction_block_it_refuses(db, fake):
    db.server(url(fake))
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.InvalidTransactionTermination):
        db.run(f"BEGIN; {JOB}")
    assert len(fake.calls) == before


def test_pages_are_committed_and_visible_while_it_runs(db, fake):
    db.server(url(fake, "rows=2000/slow=0.2@read"), page_size=100, readers=1)
    connection, thread = in_background(db, JOB)
    assert wait_for_rows(db, 100) < 2000
    connection.cancel()
    thread.join()


@pytest.mark.parametrize("how", ["kill -9", "terminate", "cancel", "crash of the cluster"])
def test_the_next_job_goes_on_where_this_one_stopped(db, fake, how):
    prefix = f"rows=2000/slow=0.2@read/job={db.name}"
    odoo = behaviour_of(f"/{prefix}")
    odoo.clock = A_DAY_LATER
    db.server(url(fake, prefix), page_size=100, readers=1)
    connection, thread = in_background(db, JOB)
    wait_for_rows(db, 300)
    if how == "kill -9":
        os.kill(connection.get_backend_pid(), signal.SIGKILL)
    elif how == "terminate":
        db.run("SELECT pg_terminate_backend(%s)", connection.get_backend_pid())
    elif how == "cancel":
        connection.cancel()
    else:
        db.cluster.stop("immediate")
        db.cluster.start()
    thread.join()
    # A cluster that lost a backend restarts.
    db.reconnect(after_crash=how == "kill -9")
    loaded = db.value("SELECT count(*) FROM dim_products")
    assert 300 <= loaded < 2000
    reads = [call for call in fake.calls if call[0] == "read" and db.name in call[1]]
    # It is behind the place where the next job goes on.
    odoo.database.models["product.product"].records[1].update(barcode="changed", write_date="2024-01-02 00:00:00")
    db.run(JOB)
    again = [call for call in fake.calls if call[0] == "read" and db.name in call[1]]
    assert db.run("SELECT count(*), min(id), max(id) FROM dim_products") == [(2000, 1, 2000)]
    # Twenty pages in all; what was committed is not read again.
    assert len(again) - len(reads) <= 20 - loaded // 100 + 4
    assert db.value("SELECT barcode FROM dim_products WHERE id = 1") == "changed"
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]


def test_a_cancel_between_two_steps_leaves_no_thread(db, fake):
    db.server(url(fake, "rows=2000/slow=0.1@read"), page_size=50, readers=4)
    for _ in range(5):
        db.run("SET statement_timeout = '700ms'")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            db.run("CALL odoo_sync_job('products', full_refresh => true)")
        db.run("RESET statement_timeout")
        pid = db.connection.get_backend_pid()
        deadline = time.monotonic() + 2
        while len(os.listdir(f"/proc/{pid}/task")) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(os.listdir(f"/proc/{pid}/task")) == 1


def test_one_entity_that_fails_does_not_stop_the_others(db, fake):
    db.server(url(fake, "version=19"))
    db.run("CALL odoo_sync_job()")
    db.run("ALTER TABLE all_sales ADD CONSTRAINT no CHECK (amount_total IS NULL) NOT VALID")
    db.run("DELETE FROM fact_sales_lines")
    db.run("DELETE FROM all_sales")
    with pytest.raises(psycopg2.Error, match="could not sync sales") as raised:
        db.run("CALL odoo_sync_job(full_refresh => true)")
    assert "violates check constraint" in raised.value.diag.message_detail
    states = dict(db.run("SELECT target, status FROM odoo_sync_state"))
    assert states["all_sales"] == "failed" and states["fact_purchases"] == "ok"
    assert db.value("SELECT last_error FROM odoo_sync_state WHERE target = 'all_sales'")


def test_an_entity_that_another_session_holds_is_skipped(db, fake):
    db.server(url(fake, "rows=40"))
    db.run("SELECT * FROM odoo_sync_all()")
    other = db.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SELECT * FROM odoo_sync('categories')")
        db.run("SET statement_timeout = '20s'")
        db.run("CALL odoo_sync_job()")
    other.rollback()
    states = dict(db.run("SELECT target, status FROM odoo_sync_state"))
    assert states["dim_categories"] == "ok", "the other session's to remember"
    assert states["dim_products"] == "ok"
    assert "is being synced already" in db.notices


def test_an_entity_that_there_is_not(db, fake):
    db.server(url(fake))
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "nope"') as raised:
        db.run("CALL odoo_sync_job('nope')")
    assert "products" in raised.value.diag.message_hint
    with pytest.raises(psycopg2.errors.NullValueNotAllowed):
        db.run("CALL odoo_sync_job(NULL)")
    assert len(fake.calls) == before


def test_its_parts_are_of_no_use_alone(db, fake):
    with pytest.raises(psycopg2.Error, match="there is no job"):
        db.run("SELECT odoo_sync_job_step()")


def test_readers_are_never_blocked(db, fake):
    db.server(url(fake, "rows=400/slow=0.3@read"), page_size=100, readers=1)
    db.run("SELECT * FROM odoo_sync_all()")
    connection, thread = in_background(db, "CALL odoo_sync_job('products', full_refresh => true)")
    time.sleep(0.5)
    db.run("SET lock_timeout = '100ms'")
    db.run("SELECT count(*) FROM dim_products")
    db.run("UPDATE dim_products SET sku = sku WHERE id = 400")
    thread.join()


def test_a_deadlock_with_somebody_else_is_survived(db, fake):
    """The job's page waits for row 40; its holder then wants row 1, which the page has locked."""
    db.server(url(fake, f"rows=50/only={db.name}"))
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("UPDATE dim_products SET name = 'edited'")
    other = db.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '1min'")
        cursor.execute("UPDATE dim_products SET name = 'theirs' WHERE id = 40")
        connection, thread = in_background(db, "CALL odoo_sync_job('products', full_refresh => true)")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not db.value(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CALL%%'"
        ):
            time.sleep(0.02)
        cursor.execute("UPDATE dim_products SET name = 'theirs' WHERE id = 1")
    other.commit()
    thread.join()
    connection.close()
    # A session's statistics are there when it has ended.
    deadline = time.monotonic() + 5
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    while db.value(deadlocks) == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert db.value(deadlocks) == 1
    assert db.value("SELECT status FROM odoo_sync_state WHERE target = 'dim_products'") == "ok"
    assert db.value("SELECT count(*) FROM dim_products WHERE name = 'Product ' || id") == 50


def test_to_schedule_without_pg_cron_says_what_to_add(db, fake):
    db.server(url(fake))
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as raised:
        db.run("SELECT odoo_schedule('all', '0 1 * * *')")
    assert "shared_preload_libraries = 'pg_cron'" in raised.value.diag.message_hint
