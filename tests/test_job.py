"""odoo_sync_job: commits page by page, goes on where it stopped, survives kills."""

import json
import os
import signal
import threading
import time
from contextlib import closing
from datetime import datetime, timezone

import psycopg2
import pytest

from .conftest import TABLES, heard, running, url
from .fake.server import behaviour_of


@pytest.fixture(scope="module")
def cluster(folder):
    """A cluster of this module's own, which some tests crash."""
    with running(folder / "crashing") as cluster:
        yield cluster


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


def in_background(db, statement, connection=None):
    connection = connection or db.connect()

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
    states = dict(db.run("SELECT target, status FROM odoo_etl.state"))
    assert states["dim_products"] == "ok" and len(states) == TABLES
    assert db.value("SELECT count(*) FROM odoo_etl.watermarks WHERE resume_after IS NOT NULL") == 0


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


def end(db, connection, how):
    """Ends a session's job, and waits for the cluster if that took it along."""
    pid = connection.get_backend_pid()
    if how == "kill -9":
        os.kill(pid, signal.SIGKILL)
    elif how == "terminate":
        db.run("SELECT pg_terminate_backend(%s)", pid)
    elif how == "cancel":
        connection.cancel()
    elif how == "crash of the cluster":
        db.cluster.stop("immediate")
        db.cluster.start()


def back(db, how):
    """Connects again where the end of a job took the cluster along."""
    if how in ("kill -9", "crash of the cluster"):
        # A cluster that lost a backend restarts.
        db.reconnect(after_crash=how == "kill -9")


ENDS = ["kill -9", "terminate", "cancel", "crash of the cluster"]


@pytest.mark.parametrize("how", ENDS)
def test_the_next_job_goes_on_where_this_one_stopped(db, fake, how):
    prefix = f"rows=2000/slow=0.2@read/job={db.name}"
    odoo = behaviour_of(f"/{prefix}")
    odoo.clock = A_DAY_LATER
    db.server(url(fake, prefix), page_size=100, readers=1)
    connection, thread = in_background(db, JOB)
    wait_for_rows(db, 300)
    end(db, connection, how)
    thread.join()
    back(db, how)
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


HOUR = 3600


def date(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("again", [False, True], ids=["a first load", "changes"])
def test_what_changes_between_the_parts_of_a_scan_is_not_lost(db, fake, again):
    """Odoo's clock jumps hours between the jobs, longer than every overlap."""
    prefix = f"rows=2000/slow=0.2@read/pause={db.name}{again}"
    odoo = behaviour_of(f"/{prefix}")
    odoo.clock = A_DAY_LATER
    db.server(url(fake, prefix), page_size=100, readers=1)
    products = odoo.database.models["product.product"].records
    if again:
        db.run(JOB)
        odoo.clock += HOUR
        for product in products.values():
            product["write_date"] = date(odoo.clock)
    resumed = "SELECT coalesce(max(resume_after), 0) FROM odoo_etl.watermarks WHERE target = 'dim_products'"
    for part in (1, 2):
        before = db.value(resumed)
        connection, thread = in_background(db, JOB)
        deadline = time.monotonic() + 20
        while db.value(resumed) < before + 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        connection.cancel()
        thread.join()
        assert before < db.value(resumed) < 2000
        odoo.clock += HOUR
        products[part].update(barcode=f"changed {part}", write_date=date(odoo.clock))
        odoo.clock += HOUR
    db.run(JOB)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]
    assert db.run("SELECT barcode FROM dim_products WHERE id <= 2 ORDER BY id") == [("changed 1",), ("changed 2",)]


def test_a_clock_that_jumps_while_a_page_is_loaded_loses_nothing(db, fake):
    """As it does where the database's machine sleeps: its own clock for durations stands still."""
    prefix = f"rows=400/sleep={db.name}"
    odoo = behaviour_of(f"/{prefix}")
    odoo.clock = A_DAY_LATER
    db.server(url(fake, prefix), page_size=100, readers=1)
    products = odoo.database.models["product.product"].records
    pages = []

    def jump():
        if fake.calls and fake.calls[-1][0] == "read" and db.name in fake.calls[-1][1]:
            pages.append(len(pages))
        if len(pages) == 3 and odoo.clock == A_DAY_LATER:
            odoo.clock += 3 * HOUR
            products[1].update(barcode="changed", write_date=date(odoo.clock - HOUR))
            products[400].update(barcode="later", write_date=date(odoo.clock))

    odoo.interrupt = jump
    db.run(JOB)
    assert odoo.clock > A_DAY_LATER
    db.run(JOB)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]


@pytest.mark.parametrize("how", ["statement_timeout", *ENDS])
def test_a_job_that_is_ended_leaves_its_trace(db, fake, how):
    prefix = f"rows=3000/slow={0.2 if how == 'statement_timeout' else 0.1}@read/trace={db.name}"
    behaviour_of(f"/{prefix}").clock = A_DAY_LATER
    db.server(url(fake, prefix), page_size=100, readers=1)
    log = "SELECT status, fetched, inserted, pages, finished IS NOT NULL FROM odoo_sync_log WHERE target = 'dim_products' ORDER BY run"
    status = "SELECT state, pid, last_error FROM odoo_sync_status WHERE target = 'dim_products'"
    limit = "SET statement_timeout = '5s'" if how == "statement_timeout" else ""
    connection = db.connect()
    pid = connection.get_backend_pid()
    if limit:
        with connection.cursor() as cursor:
            cursor.execute(limit)
    connection, thread = in_background(db, JOB, connection)
    wait_for_rows(db, 300)
    state, fetched, inserted, pages, is_finished = db.run(log)[0]
    assert state == "running" and fetched == inserted == 100 * pages >= 300 and not is_finished
    assert db.run(status) == [("running", pid, None)]
    end(db, connection, how)
    thread.join()
    back(db, how)
    loaded = db.value("SELECT count(*) FROM dim_products")
    assert 300 <= loaded < 3000
    # At once, though its session may be there still.
    ended = ("interrupted", loaded, loaded, loaded // 100, True)
    assert db.run(log) == [ended]
    [(state, at, error)] = db.run(status)
    assert state == "interrupted" and at is None and f"PID {pid}" in error
    with closing(db.connect()) as listener, listener.cursor() as cursor:
        cursor.execute("LISTEN odoo_etl")
        db.run(JOB)
        events = [json.loads(payload) for payload in heard(listener, 2)]
    assert [event["event"] for event in events] == ["interrupted", "recovered"]
    assert db.run(log) == [ended, ("ok", 3000 - loaded, 3000 - loaded, (3000 - loaded) // 100, True)]
    assert db.run("SELECT status FROM odoo_etl.runs WHERE target = 'dim_products' ORDER BY run") == [("interrupted",), ("ok",)]
    assert db.run(status) == [("idle", None, None)]
    connection.close()


def test_a_job_that_waits_for_its_first_page_is_seen(db, fake):
    db.server(url(fake, f"rows=40/slow=1.5@search_read/first={db.name}"), page_size=10, readers=1)
    connection, thread = in_background(db, "CALL odoo_sync_job('categories')")
    log = "SELECT status, fetched FROM odoo_sync_log WHERE target = 'dim_categories'"
    deadline = time.monotonic() + 5
    while not (seen := db.run(log)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == [("running", 0)]
    connection.cancel()
    thread.join()
    connection.close()
    assert db.run(log) == [("interrupted", 0)]
    assert db.run("SELECT state FROM odoo_sync_status WHERE target = 'dim_categories'") == [("interrupted",)]


def test_what_a_job_committed_before_it_failed_is_in_the_log(db, fake):
    db.server(url(fake, "rows=1000"), page_size=100)
    db.run("SELECT * FROM odoo_sync('categories')")
    db.run("SELECT * FROM odoo_sync('brands')")
    db.run("ALTER TABLE dim_products ADD CONSTRAINT few CHECK (id <= 450)")
    with pytest.raises(psycopg2.Error, match="could not sync products"):
        db.run(JOB)
    assert db.value("SELECT count(*) FROM dim_products") == 400
    assert db.run("SELECT status, fetched, inserted, pages, sqlstate FROM odoo_sync_log WHERE target = 'dim_products'") == [
        ("failed", 400, 400, 4, "23514")]


def test_a_resumed_scan_tells_what_is_left(db, fake):
    rows = 60_000
    db.server(url(fake, f"rows={rows}/slow=0.1@read/left={db.name}"), page_size=500, readers=2)
    connection, thread = in_background(db, JOB)
    wait_for_rows(db, 1000)
    connection.cancel()
    thread.join()
    loaded = db.value("SELECT count(*) FROM dim_products")
    connection, thread = in_background(db, JOB)
    seen, deadline = [], time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        seen = db.run("SELECT rows_total FROM odoo_sync_progress WHERE rows > 0 AND target = 'dim_products'::regclass")
        time.sleep(0.05)
    connection.cancel()
    thread.join()
    assert seen == [(rows - loaded,)]


def test_a_lock_of_somebody_else_is_a_failure(db, fake):
    """Not the other runner, whom a job leaves alone: a lock_timeout is nobody's plan."""
    db.server(url(fake, "rows=40"))
    db.run(JOB)
    db.run("UPDATE dim_products SET name = 'edited'")
    told = "SELECT status, last_sqlstate, failures FROM odoo_etl.state WHERE target = 'dim_products'"
    with closing(db.connect()) as other, other.cursor() as cursor, closing(db.connect()) as listener:
        other.autocommit = False
        listener.cursor().execute("LISTEN odoo_etl")
        cursor.execute("UPDATE dim_products SET name = 'theirs' WHERE id = 40")
        db.run("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable, match="could not sync products"):
            db.run("CALL odoo_sync_job('products', full_refresh => true)")
        assert db.run(told) == [("failed", "55P03", 1)]
        assert db.report("SELECT * FROM odoo_sync_all(full_refresh => true)")["dim_products"]["status"] == "failed"
        assert db.run(told) == [("failed", "55P03", 2)]
        assert db.run("SELECT state FROM odoo_sync_status WHERE target = 'dim_products'") == [("failed",)]
        assert [json.loads(payload)["event"] for payload in heard(listener, 2)] == ["failed", "failed"]


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
    db.run("DELETE FROM fact_payments; DELETE FROM all_sales")
    with pytest.raises(psycopg2.Error, match="could not sync sales") as raised:
        db.run("CALL odoo_sync_job(full_refresh => true)")
    assert "violates check constraint" in raised.value.diag.message_detail
    states = dict(db.run("SELECT target, status FROM odoo_etl.state"))
    assert states["all_sales"] == "failed" and states["fact_purchases"] == "ok"
    assert db.value("SELECT last_error FROM odoo_etl.state WHERE target = 'all_sales'")


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
    states = dict(db.run("SELECT target, status FROM odoo_etl.state"))
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
        db.run("SELECT odoo_etl.job_step()")


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
    assert db.value("SELECT status FROM odoo_etl.state WHERE target = 'dim_products'") == "ok"
    assert db.value("SELECT count(*) FROM dim_products WHERE name = 'Product ' || id") == 50


def test_to_schedule_without_pg_cron_says_what_to_add(db, fake):
    db.server(url(fake))
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as raised:
        db.run("SELECT odoo_schedule('all', '0 1 * * *')")
    hint = raised.value.diag.message_hint
    assert "shared_preload_libraries = 'pg_cron'" in hint
    assert f"postgresql-{db.connection.server_version // 10_000}-cron" in hint
