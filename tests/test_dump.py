"""pg_dump and restore: what the extension remembers comes along, and the next run is incremental."""

import subprocess
from contextlib import closing, contextmanager

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .lab import places

pytestmark = pytest.mark.postgres

KEPT = ["odoo_etl.servers", "odoo_etl.state", "odoo_etl.watermarks", "odoo_etl.columns", "odoo_etl.runs",
        "odoo_etl.quarantine", "odoo_etl.schedules", "odoo_etl.stops"]


#: How the extension came into the database, and what follows when it has loaded something.
ORIGINS = {
    "new": ("SELECT", "SELECT"),
    "upgraded": ("DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl VERSION '0.1.0'", "ALTER EXTENSION odoo_etl UPDATE"),
    "all in one schema": ("DROP EXTENSION odoo_etl; CREATE SCHEMA odoo_etl; CREATE EXTENSION odoo_etl SCHEMA odoo_etl", "SELECT"),
}

PATH = "SET search_path = public, odoo_etl"


def dump(cluster, name):
    return places.run(cluster.client("pg_dump", name), "pg_dump", env=places.service_environment())


def restore(cluster, name, dump):
    psql = [*cluster.psql(name), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run(psql, input=dump, text=True, capture_output=True, env=places.service_environment())
    assert done.returncode == 0, done.stderr


@contextmanager
def copy_of(db):
    """A database beside another one, and a connection to it."""
    name = f"{db.name}_copy"
    db.cluster.sql(f"CREATE DATABASE {name}")
    connection = psycopg2.connect(db.cluster.dsn(name))
    connection.autocommit = True
    try:
        with closing(connection), connection.cursor() as cursor:
            yield name, cursor
    finally:
        db.cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=ORIGINS)
def copied(db, fake, request):
    """A warehouse, and a copy of its database by pg_dump."""
    before, after = ORIGINS[request.param]
    db.run(f"{before}; {PATH}")
    prefix = f"/rows=40/poison=product.product:13:barcode/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    behaviour_of(prefix).database.models["product.product"].records[1]["write_date"] = "2024-06-01 12:00:00"
    db.run("SELECT * FROM odoo_sync_all()")
    db.run(after)
    db.run("INSERT INTO odoo_etl.schedules VALUES ('erp', 'all', false, 'postgres', '0 1 * * *', 7)")
    db.run("INSERT INTO odoo_etl.stops VALUES ('erp', 'somebody', 'a reason')")
    db.run("CREATE TABLE watched (what odoo_domain DEFAULT odoo_domain('a', '=', 1) & '[]')")
    db.run("CREATE VIEW closed AS SELECT ! (what | odoo_domain('b', '<', now() - now() + date '2024-01-01')) AS what FROM watched")
    db.run("INSERT INTO watched VALUES ($$[('state', '=', 'paid')]$$), (DEFAULT)")
    with copy_of(db) as (name, cursor):
        restore(db.cluster, name, dump(db.cluster, db.name))
        cursor.execute(PATH)
        yield cursor


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


def test_a_dump_of_the_first_release_is_restored_into_the_first_release(db, fake):
    db.run("DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl VERSION '0.1.0'")
    db.server(url(fake, f"rows=40/only={db.name}"))
    db.run("SELECT * FROM odoo_sync_all()")
    with copy_of(db) as (name, cursor):
        cursor.execute("CREATE EXTENSION odoo_etl VERSION '0.1.0'")
        restore(db.cluster, name, dump(db.cluster, db.name))
        cursor.execute("ALTER EXTENSION odoo_etl UPDATE")
        kept = "SELECT * FROM {} ORDER BY server, target"
        assert rows(cursor, kept.format("odoo_etl.state")) == db.run(kept.format("odoo_sync_state")) != []
        report = rows(cursor, "SELECT inserted, updated, deleted FROM odoo_sync_all()")
        assert set(report) == {(0, 0, 0)}
        cursor.execute("UPDATE dim_products SET name = 'mine' WHERE id = 3")
        assert rows(cursor, "SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 1, 0)]


def test_a_dump_wants_the_schema_under_its_own_name(db):
    db.run("ALTER SCHEMA odoo_etl RENAME TO another")
    with copy_of(db) as (name, _), pytest.raises(AssertionError, match='"another.*" does not exist'):
        restore(db.cluster, name, dump(db.cluster, db.name))
    db.run("ALTER SCHEMA another RENAME TO odoo_etl")
    with copy_of(db) as (name, _):
        restore(db.cluster, name, dump(db.cluster, db.name))
