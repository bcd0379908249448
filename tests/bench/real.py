"""A real Odoo 19 with 120,000 lines of 20,000 orders, two workers, and an API key."""

import hashlib
import shutil
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from passlib.hash import pbkdf2_sha512

from ..lab import odoo, places
from ..lab.places import say
from ..live.conftest import COMPARE
from .warehouse import LINES, Mismatch

FILL = Path(__file__).with_name("fill.sql")
#: Of a database that lives as long as a benchmark, on loopback.
KEY = "benchmark" * 4


def template():
    """The folder of a filled database, to be copied."""
    empty = odoo.database()
    digest = hashlib.sha256(f"{empty.name} {KEY} {FILL.read_text()}".encode()).hexdigest()[:12]
    target = places.cache() / f"database-bench-{digest}"
    with places.locked("database-bench"):
        if not target.exists():
            say("filling a copy of Odoo's database with 120,000 lines (once)")
            with places.made_whole(target) as fresh:
                server = odoo.Server(fresh)
                server.copy()
                server.cluster.start()
                try:
                    fill(server)
                finally:
                    server.cluster.stop()
    return target


def fill(server):
    with connected(server) as connection, connection, connection.cursor() as cursor:
        cursor.execute(FILL.read_text())
        cursor.execute(
            "INSERT INTO res_users_apikeys (name, user_id, key, index) VALUES ('bench', 2, %s, %s)",
            (pbkdf2_sha512.using(rounds=6000).hash(KEY), KEY[:8]),
        )
    server.cluster.sql("VACUUM ANALYZE", server.database)


@contextmanager
def connected(server):
    """A connection to Odoo's own database."""
    with closing(psycopg2.connect(server.cluster.dsn(server.database))) as connection:
        yield connection


def shop():
    return started(template())


@contextmanager
def started(*database, settings=None):
    """A copy of Odoo's demo database at work, or of another one; `settings` are of its cluster."""
    folder = Path(tempfile.mkdtemp(prefix="odoo_etl_bench."))
    folder.chmod(0o755)
    server = odoo.Server(folder / "odoo", *database)
    server.cluster.settings.update(settings or {})
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def use_key(db):
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD api_key %s)", KEY)


def use_password(db):
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP api_key, ADD password 'admin')")


def sum_of(connection, sql):
    """Of all rows in all columns, whatever their order: how many, and the sum of their hashes.
    Equal numbers have equal hashes here, whatever their type and scale."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        count = total = 0
        for row in cursor:
            hashable = tuple(tuple(value) if isinstance(value, list) else value for value in row)
            count, total = count + 1, (total + hash(hashable)) % 2**64
        return count, total


def require_same(db, server, table=LINES):
    """The warehouse holds what Odoo's database does, by the query that the tests keep."""
    sql = (COMPARE / f"{table}.sql").read_text()
    with connected(server) as connection:
        expected = sum_of(connection, sql)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({sql}) AS expected LIMIT 0")
            names = ", ".join(column.name for column in cursor.description)
    found = sum_of(db.connection, f"SELECT {names} FROM {table}")
    if found != expected:
        raise Mismatch(f"{table}: (rows, sum of hashes) are {found}, in Odoo {expected}")
    return expected[0]
