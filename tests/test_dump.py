"""pg_dump and restore: what the extension remembers comes along, and the next run is incremental."""

import subprocess
from contextlib import closing

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .lab import places

KEPT = ["odoo_sync_servers", "odoo_sync_state", "odoo_sync_watermarks", "odoo_sync_columns", "odoo_sync_runs",
        "odoo_sync_quarantine", "odoo_sync_schedules", "odoo_sync_stops"]


@pytest.fixture
def copied(db, fake):
    """A warehouse, and a copy of its database by pg_dump."""
    prefix = f"/rows=40/poison=product.product:13:barcode/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    behaviour_of(prefix).database.models["product.product"].records[1]["write_date"] = "2024-06-01 12:00:00"
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("INSERT INTO odoo_sync_schedules VALUES ('erp', 'all', false, 'postgres', '0 1 * * *', 7)")
    db.run("INSERT INTO odoo_sync_stops VALUES ('erp', 'somebody', 'a reason')")
    db.run("CREATE TABLE watched (what odoo_domain DEFAULT odoo_domain('a', '=', 1) & '[]')")
    db.run("CREATE VIEW closed AS SELECT ! (what | odoo_domain('b', '<', now() - now() + date '2024-01-01')) AS what FROM watched")
    db.run("INSERT INTO watched VALUES ($$[('state', '=', 'paid')]$$), (DEFAULT)")
    dump = places.run(
        ["pg_dump", "-h", db.cluster.folder, "-p", db.cluster.port, "-U", "postgres", db.name], "pg_dump",
        env=places.service_environment())
    copy = f"{db.name}_copy"
    db.cluster.sql(f"CREATE DATABASE {copy}")
    psql = [*db.cluster.psql(copy), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run(psql, input=dump, text=True, capture_output=True, env=places.service_environment())
    assert done.returncode == 0, done.stderr
    connection = psycopg2.connect(db.cluster.dsn(copy))
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        yield cursor
    db.cluster.sql(f"DROP DATABASE {copy} WITH (FORCE)")


def rows(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchall()


def test_what_is_remembered_comes_along(db, copied):
    for table in KEPT:
        sql = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert rows(copied, sql) == db.run(sql) != [], table


def test_domains_come_along(db, copied):
    copied.execute("INSERT INTO public.watched VALUES (DEFAULT)")
    assert rows(copied, "SELECT what::text FROM public.closed") == [
        ('["!","|",["state","=","paid"],["b","<","2024-01-01 00:00:00"]]',),
        *[('["!","|",["a","=",1],["b","<","2024-01-01 00:00:00"]]',)] * 2]


def test_the_next_run_is_incremental(copied):
    fetched = rows(copied, "SELECT fetched, inserted, updated FROM odoo_sync('products')")
    assert fetched[0][0] < 5 and fetched[0][1:] == (0, 0)
    # The log goes on with numbers of its own.
    assert rows(copied, "SELECT count(DISTINCT run), max(run) FROM odoo_sync_log") == [(2, 2)]


def test_edits_are_still_seen(copied):
    copied.execute("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert rows(copied, "SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 1, 0)]
