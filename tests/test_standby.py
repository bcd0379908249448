"""On a standby what writes says so at once; what only reads works. Once it is promoted, runs go on where the primary's ended."""

import threading
import time
from contextlib import contextmanager, suppress

import psycopg2
import pytest

from .conftest import Database, numbers, require_extension, running, url
from .lab import ports
from .live_functions import drift
from .test_in_step import NEW, Shop
from .test_schedule import wait_for


@contextmanager
def followed(folder, **settings):
    """A cluster, and a function that makes a standby of it."""
    with running(folder / "primary", **settings) as primary:
        copies = []

        def follow():
            copies.append(primary.copy(folder / "standby", ports.free(1)[0]))
            copies[0].start()
            return copies[0]

        try:
            yield primary, follow
        finally:
            for copy in copies:
                copy.stop("immediate")


@pytest.fixture(scope="module")
def standby(folder, fake):
    """A copy of a cluster that stays in recovery, with a warehouse that was synced before."""
    with followed(folder / "recovery") as (primary, follow):
        db = Database(primary)
        db.server(url(fake, "rows=40"), writable="true")
        db.run("SELECT * FROM odoo_sync_all(); SELECT odoo_create_reports('reports')")
        connected = Database.of(follow(), db.name)
        db.connection.close()
        assert connected.value("SELECT pg_is_in_recovery()")
        yield connected
        connected.connection.close()


@pytest.mark.parametrize("statement", [
    "SELECT * FROM odoo_sync('products')", "SELECT * FROM odoo_sync_all()", "SELECT * FROM odoo_verify('products')",
    "SELECT * FROM odoo_reconcile('products')", "CALL odoo_sync_job()", "CALL odoo_sync_job('all', reconcile => true)",
    "SELECT odoo_schedule('all', '0 1 * * *')", "SELECT odoo_unschedule('all')", "SELECT odoo_resume()",
    "SELECT odoo_forget('erp')", "SELECT odoo_create('res.partner', '{}')", "SELECT odoo_write('res.partner', '{1}', '{}')",
    "SELECT odoo_unlink('res.partner', '{1}')", "SELECT odoo_call('res.partner', 'copy')"])
def test_what_writes_says_so_at_once(standby, fake, statement):
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as raised:
        standby.run(statement)
    assert "recovery" in str(raised.value)
    assert raised.value.diag.message_hint == "Run it on the primary server."
    assert len(fake.calls) == before


def test_what_reads_works(standby):
    assert standby.value("SELECT count(*) FROM odoo_read('product.product', max_rows => 5)") == 5
    assert {status for status, in standby.run("SELECT status FROM odoo_check()")} <= {"ok", "warning"}
    assert standby.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_products'") == "idle"
    assert standby.value("SELECT count(*) FROM dim_products") == 40
    assert drift(standby, "odoo_products", "dim_products", "true") == []
    assert standby.value("SELECT odoo_count('product.product', odoo_domain('id', '<=', 3))") == 3
    assert standby.value("SELECT odoo_version()").startswith("19")
    assert standby.value("SELECT odoo_dashboard()").startswith("<!DOCTYPE html>")
    for view in ("odoo_sync_log", "odoo_sync_progress", "odoo_schedules", "odoo_quarantine", "odoo_columns"):
        standby.run(f"TABLE {view}")


HOME = "warehouse"


@pytest.fixture
def shop(folder, fake):
    """A primary with pg_cron and a synced warehouse, and its standby."""
    require_extension("pg_cron")
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": HOME, "cron.use_background_workers": "on"}
    with followed(folder / f"failover{next(numbers)}", **settings) as (primary, follow):
        db = Database(primary, HOME)
        db.run("CREATE EXTENSION pg_cron")
        shop = Shop(db, fake, f"version=19/failover={next(numbers)}", page_size=3, readers=1)
        db.run("CALL odoo_sync_job()")
        shop.fake, shop.standby = fake, follow()
        yield shop
        db.connection.close()


def in_step(primary, standby):
    """Waits until the standby has what the primary has written."""
    written = primary.sql("SELECT pg_current_wal_lsn()")
    deadline = time.monotonic() + 30
    while standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") != "t":
        assert time.monotonic() < deadline, "the standby does not follow"
        time.sleep(0.1)


def promoted(shop):
    """The standby's database, now that the primary is gone."""
    shop.standby.promote()
    db = Database.of(shop.standby, HOME)
    assert not db.value("SELECT pg_is_in_recovery()")
    return db


def fetched(db):
    return sum(table["fetched"] for table in db.report("SELECT * FROM odoo_sync_all()").values())


def requests(shop, db, statement):
    before = len(shop.fake.calls)
    db.run(statement)
    return len(shop.fake.calls) - before


BARCODES = "SELECT id, barcode FROM dim_products ORDER BY id"


def test_a_promoted_standby_goes_on_where_the_primary_ended(shop):
    db, primary = shop.db, shop.db.cluster
    db.run("SELECT odoo_schedule('products', '* * * * *'); SELECT odoo_keep_history('dim_products')")
    shop.write("product.product", 31, "2030-01-01 12:00:00", barcode="First")
    db.run("CALL odoo_sync_job()")
    db.run("SELECT cron.alter_job(jobid, active => false) FROM cron.job")
    quiet, asked = fetched(db), requests(shop, db, "CALL odoo_sync_job()")
    in_step(primary, shop.standby)
    # The last run does not reach the standby; the next change not even the primary.
    shop.standby.stop()
    shop.write("product.product", 32, "2030-01-01 12:10:00", barcode="Second")
    db.run("CALL odoo_sync_job()")
    assert (32, "Second") in db.run(BARCODES)
    primary.stop("immediate")
    shop.write("product.product", 33, "2030-01-01 12:20:00", barcode="Third")
    shop.standby.start()
    db = promoted(shop)
    assert db.run(BARCODES)[0] == (31, "First") and (32, "Second") not in db.run(BARCODES)
    # What it takes is here: the login's mapping, what was declared, the schedule.
    assert db.run("SELECT target FROM odoo_sync_status WHERE history") == [("dim_products",)]
    assert db.run("SELECT entity, schedule FROM odoo_schedules") == [("products", "* * * * *")]
    assert fetched(db) <= quiet + 2
    assert db.run(BARCODES)[1:3] == [(32, "Second"), (33, "Third")]
    assert not db.run("SELECT target FROM odoo_sync_status WHERE first_load OR state <> 'idle' AND state <> 'absent'")
    assert requests(shop, db, "CALL odoo_sync_job()") <= asked + 2
    assert db.run("SELECT id FROM dim_products_history WHERE NOT is_current ORDER BY 1") == [(31,), (32,), (33,)]
    assert {tuple(row) for row in db.run("SELECT missing, stale, deleted FROM odoo_verify('products')")} == {(0, 0, 0)}
    # pg_cron goes on by itself.
    shop.write("product.product", 34, "2030-01-01 12:30:00", barcode="Fourth")
    db.run("SELECT cron.alter_job(jobid, active => true) FROM cron.job")
    wait_for(db, "SELECT 1 FROM dim_products WHERE barcode = 'Fourth'")
    db.connection.close()


def test_a_job_that_died_with_the_primary_goes_on_at_the_standby(shop):
    db, primary = shop.db, shop.db.cluster
    reached = threading.Event()
    before = len(shop.fake.calls)

    def count():
        if len(shop.fake.calls) > before + 40:
            reached.set()

    def work():
        with suppress(psycopg2.Error):
            db.run("CALL odoo_sync_job(full_refresh => true)")

    shop.behaviour.interrupt = count
    job = threading.Thread(target=work)
    job.start()
    assert reached.wait(60)
    primary.stop("immediate")
    job.join()
    shop.behaviour.interrupt = None
    shop.write("product.product", 31, NEW, barcode="Meanwhile")
    db = promoted(shop)
    assert "interrupted" in {state for state, in db.run("SELECT state FROM odoo_sync_status")}
    assert db.run("SELECT * FROM pg_locks WHERE locktype = 'advisory'") == []
    db.run("CALL odoo_sync_job()")
    assert {state for state, in db.run("SELECT state FROM odoo_sync_status")} <= {"idle", "absent"}
    for entity in ("products", "sales", "customers"):
        assert {tuple(row) for row in db.run("SELECT missing, stale, deleted FROM odoo_verify(%s)", entity)} == {(0, 0, 0)}
    db.connection.close()
