"""A logical subscriber: runs fill one cluster, reports are read at another."""

import re
import shlex
import subprocess
import time

import psycopg2
import pytest

from .conftest import Database, numbers, running
from .lab import places
from .live.test_docs import blocks
from .test_dashboard import data_of, page
from .test_deleted import payments_of
from .test_in_step import Shop, paid_order_with_lines
from .test_mirror import with_leads
from .test_partition import more_lines

pytestmark = pytest.mark.postgres

ALL = "CALL odoo_sync_job()"
#: What docs/readers.md says: the statements, and what is typed in a shell for the tables.
PUBLISH, SUBSCRIBE, COLUMNS, REFRESH, SLOTS = blocks("docs/readers.md")
SHELL = re.findall(r"^    (pg_\w+ .*)$", (places.CHECKOUT / "docs/readers.md").read_text(), re.MULTILINE)

TABLES = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"


@pytest.fixture(scope="module")
def clusters(folder):
    with running(folder / "publisher", wal_level="logical", wal_sender_timeout="5s") as publisher, \
            running(folder / "subscriber", wal_receiver_timeout="5s", wal_retrieve_retry_interval="500ms") as subscriber:
        yield publisher, subscriber


class Pair:
    """A warehouse, and one that subscribes to its tables and has no extension."""

    def __init__(self, clusters, fake):
        publisher, self.subscriber = clusters
        self.db = Database(publisher, f"warehouse{next(numbers)}")
        self.shop = with_leads(Shop(self.db, fake, "version=19"))
        self.db.run("SELECT odoo_mirror('crm.lead', 'leads'); SELECT odoo_enable('invoices')")
        self.db.run(ALL)
        self.db.run("SELECT odoo_keep_history('dim_products'); SELECT odoo_create_reports()")
        self.db.run(PUBLISH)
        self.subscriber.sql(f"CREATE DATABASE {self.db.name}")
        self.reader = Database.of(self.subscriber, self.db.name)
        self.take("-n public")
        self.subscribe()

    def take(self, what):
        """Makes what the publisher has."""
        script = "\n".join(SHELL).replace("-n public", what).replace("-h reports.example.com ", "").replace("-d warehouse", f"-d {self.db.name}")
        # A PostgreSQL in a root of its own has another working directory.
        script = re.sub(r"\bwarehouse[.](dump|list)", rf"{self.subscriber.folder}/\g<0>", script)
        for program, cluster in (("pg_dump", self.db.cluster), ("pg_restore", self.subscriber)):
            command = shlex.join(map(str, cluster.client(program)))
            script = re.sub(rf"^{program}\b", lambda _: command, script, flags=re.MULTILINE)
        done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True,
                              env=places.service_environment())
        assert done.returncode == 0, done.stderr

    def subscribe(self):
        self.reader.run(re.sub("CONNECTION '.*?'", f"CONNECTION '{self.db.cluster.dsn(self.db.name)}'", SUBSCRIBE))
        self.follow()

    def follow(self, seconds=60):
        """Waits until the subscriber has what was written until now."""
        written = self.db.value("SELECT pg_current_wal_insert_lsn()::text")
        deadline = time.monotonic() + seconds
        while not (self.reader.value("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
                   and self.db.value("SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots", written)):
            assert time.monotonic() < deadline, "the subscriber does not follow"
            # What is written after it is what a walsender confirms at once.
            self.db.run("SELECT pg_logical_emit_message(false, 'test', '')")
            time.sleep(0.1)

    def require_same(self):
        tables = self.db.run(TABLES)
        assert self.reader.run(TABLES) == tables
        for table, in tables:
            rows = f"SELECT row::text FROM {table} AS row ORDER BY 1"
            assert self.reader.run(rows) == self.db.run(rows), table

    def close(self):
        self.reader.run("DROP SUBSCRIPTION warehouse")
        for database in (self.reader, self.db):
            database.connection.close()
            database.cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture
def pair(clusters, fake):
    pair = Pair(clusters, fake)
    yield pair
    pair.close()


def test_all_tables_arrive(pair):
    pair.require_same()
    counts = {table: pair.reader.value(f"SELECT count(*) FROM {table}") for table, in pair.reader.run(TABLES)}
    assert counts["all_sales"] and counts["leads"] and counts["dim_products_history"] and counts["fact_invoices"]
    # What is deleted and updated is known by a key: all tables have one.
    assert pair.db.run(f"SELECT relname FROM ({TABLES}) AS t WHERE NOT EXISTS (SELECT FROM pg_index "
                       "WHERE indrelid = relname::regclass AND indisprimary)") == []
    # Generated columns are computed there.
    assert pair.db.run("SELECT attrelid::regclass::text FROM pg_attribute WHERE attgenerated = 's' AND attrelid = 'all_sales'::regclass")
    assert pair.reader.value("SELECT count(*) FROM all_sales WHERE order_key IS NULL") == 0
    # Foreign keys and indexes as here.
    made = ("SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace UNION ALL "
            "SELECT tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2, 3")
    assert pair.reader.run(made) == pair.db.run(made)


def test_changes_and_deletes_arrive(pair):
    shop, db = pair.shop, pair.db
    order, (line, *_) = paid_order_with_lines(shop)
    paid = payments_of(shop, order)
    shop.write("product.product", 31, "2030-01-01 00:00:00", barcode="Renamed")
    shop.records("pos.order.line").pop(line)
    shop.write("pos.order", order, "2030-01-01 00:00:00")
    shop.write("sale.order", 77, "2030-01-01 00:00:00", partner_id=4711)
    shop.records("crm.lead").pop(min(shop.records("crm.lead")))
    db.run(ALL)
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 32")
    pair.follow()
    pair.require_same()
    reader = pair.reader
    assert reader.value("SELECT barcode FROM dim_products WHERE id = 31") == "Renamed"
    assert reader.run("SELECT target, id FROM odoo_deleted") == [("fact_sales_lines", line)]
    assert reader.value("SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos' AND id = %s", line) == 0
    assert reader.run("SELECT missing_id FROM missing_data WHERE target = 'all_sales' AND row_id = 77") == [(4711,)]
    assert reader.value("SELECT count(*) FROM dim_products_history WHERE id = 31") == 2
    # An order that is gone takes its rows along.
    shop.write("pos.order", order, "2030-01-02 00:00:00", state="cancel")
    db.run(ALL)
    db.run("CALL odoo_sync_job('all', reconcile => true)")
    pair.follow()
    pair.require_same()
    assert reader.value("SELECT count(*) FROM fact_payments WHERE id = ANY (%s)", paid) == 0
    assert reader.value("SELECT count(*) FROM odoo_deleted WHERE target = 'fact_payments'") == len(paid)


def test_reports_are_read_there(pair):
    """As views that are dumped; and by the extension, where it is installed there too."""
    sales = "SELECT * FROM reports.sales_by_day AS row ORDER BY row::text"
    pair.take("-n reports")
    assert pair.reader.run(sales) == pair.db.run(sales) != []
    pair.reader.run("DROP SCHEMA reports CASCADE; CREATE EXTENSION odoo_etl; "
                    "CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'shop')")
    pair.reader.run("SELECT odoo_create_reports()")
    assert pair.reader.run(sales) == pair.db.run(sales)
    pages = [data_of(page(db))["sections"]["sales"] for db in (pair.reader, pair.db)]
    assert pages[0] == pages[1] and pages[0]
    pair.reader.run("SELECT * FROM odoo_stock_on(current_date)")
    # Nobody loads there by mistake: there is no login.
    with pytest.raises(psycopg2.errors.UndefinedObject, match="no user mapping"):
        pair.reader.run(ALL)


def add_columns(pair):
    pair.reader.run("\n".join(line for line, in pair.db.run(COLUMNS)))


def wait_until(check, seconds=60):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_rows_of_partitions_arrive_in_a_plain_table(pair):
    pair.db.run("CALL odoo_partition('fact_sales_lines', rows => 1000)")
    more_lines(pair.shop, 5000)
    pair.db.run(ALL)
    pair.follow()
    rows = "SELECT row::text FROM fact_sales_lines AS row ORDER BY 1"
    assert pair.db.value("SELECT count(*) FROM fact_sales_lines_p5000") == 3
    assert pair.reader.run(rows) == pair.db.run(rows)


def test_new_columns_and_tables(pair):
    """DDL is not replicated: the subscriber waits for a column, and loses nothing."""
    db, reader = pair.db, pair.reader
    db.run("SELECT odoo_add_column('dim_customers', 'tz')")
    pair.shop.write("product.product", 31, "2030-01-01 00:00:00", barcode="Renamed")
    db.run(ALL)
    wait_until(lambda: reader.value("SELECT apply_error_count > 0 FROM pg_stat_subscription_stats"))
    assert 'missing replicated column: "tz"' in pair.subscriber.log.read_text()
    db.run(ALL)
    assert db.run("SELECT 1 FROM odoo_sync_status WHERE state NOT IN ('idle', 'absent')") == []
    add_columns(pair)
    pair.follow()
    assert reader.run("SELECT id, tz FROM dim_customers ORDER BY 1") == db.run("SELECT id, tz FROM dim_customers ORDER BY 1")
    # So it does for a table that is new, once that has a row.
    failed = reader.value("SELECT apply_error_count FROM pg_stat_subscription_stats")
    db.run("SELECT odoo_mirror('crm.lead', 'more_leads')")
    db.run(ALL)
    pair.shop.write("product.product", 32, "2030-01-02 00:00:00", barcode="Too")
    db.run(ALL)
    wait_until(lambda: reader.value("SELECT apply_error_count FROM pg_stat_subscription_stats") > failed)
    pair.take("-t public.more_leads")
    pair.follow()
    assert reader.value("SELECT barcode FROM dim_products WHERE id = 32") == "Too"
    assert reader.value("SELECT count(*) FROM more_leads") == 0
    reader.run(REFRESH)
    pair.follow()
    pair.require_same()
    # The history has the column, too; and generated ones come along.
    db.run("SELECT odoo_add_column('dim_products', 'default_code', 'default_code_too')")
    db.run(ALL)
    reader.run("ALTER TABLE dim_products DROP COLUMN margin")
    add_columns(pair)
    pair.follow()
    columns = "SELECT id, valid_from, default_code_too FROM dim_products_history ORDER BY 1, 2"
    assert reader.run(columns) == db.run(columns)
    assert reader.run("SELECT id, margin FROM dim_products ORDER BY 1") == db.run("SELECT id, margin FROM dim_products ORDER BY 1")


def test_a_subscriber_that_is_away(pair):
    """Runs do not wait for it. What it has to read stays, as far as max_slot_wal_keep_size goes."""
    db, shop = pair.db, pair.shop
    pair.reader.connection.close()
    pair.subscriber.stop()
    try:
        shop.write("product.product", 31, "2030-01-01 00:00:00", barcode="Renamed")
        db.run(ALL)
        # Its slot: name, active, wal_status, behind.
        wait_until(lambda: db.run(SLOTS)[0][:3] == ("warehouse", False, "reserved") and db.run(SLOTS)[0][3] != "0 bytes")
    finally:
        pair.subscriber.start()
    pair.reader.reconnect()
    pair.follow()
    pair.require_same()


def test_a_subscriber_that_was_away_for_too_long(pair):
    """Its slot is lost, and it takes everything anew; runs go on meanwhile."""
    db, shop = pair.db, pair.shop
    pair.reader.connection.close()
    pair.subscriber.stop()
    db.run("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    db.run("SELECT pg_reload_conf()")
    try:
        lost = "SELECT wal_status = 'lost' FROM pg_replication_slots"
        for _ in range(20):
            shop.write("product.product", 31, "2030-01-01 00:00:00", barcode="Renamed")
            db.run(ALL)
            db.run("SELECT pg_switch_wal()")
            db.run("CHECKPOINT")
            if db.value(lost):
                break
        assert db.value(lost)
        assert db.run("SELECT 1 FROM odoo_sync_status WHERE state NOT IN ('idle', 'absent')") == []
    finally:
        db.run("ALTER SYSTEM RESET max_slot_wal_keep_size")
        db.run("SELECT pg_reload_conf()")
        pair.subscriber.start()
    pair.reader.reconnect()
    tables = ", ".join(table for table, in pair.reader.run(TABLES))
    pair.reader.run("DROP SUBSCRIPTION warehouse")
    pair.reader.run(f"TRUNCATE {tables}")
    pair.subscribe()
    pair.require_same()
