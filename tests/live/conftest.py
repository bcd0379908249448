"""A real Odoo 19 with demo data, and ways to look into it that are not odoo_etl's."""

import re
from contextlib import contextmanager
from pathlib import Path

import psycopg2.extensions
import pytest

from ..conftest import Database
from ..lab.odoo import Api

COMPARE = Path(__file__).with_name("compare")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)


class Truth(psycopg2.extensions.connection):
    """A connection to Odoo's own database."""

    #: A query per table of the warehouse: what it should hold.
    queries = COMPARE

    @classmethod
    def of(cls, server):
        connection = psycopg2.connect(server.cluster.dsn(server.database), connection_factory=cls)
        connection.autocommit = True
        return connection

    def query(self, table, language="en_US"):
        text = (self.queries / f"{table}.sql").read_text()
        if language == "en_US":
            return text
        # Without a translation Odoo shows the English text.
        return re.sub(r"([\w.]+ ->> )'en_US'", rf"coalesce(\1'{language}', \1'en_US')", text)


@pytest.fixture(scope="session")
def api(real):
    return Api(real)


@pytest.fixture(scope="session")
def truth(real):
    connection = Truth.of(real)
    yield connection
    connection.close()


@contextmanager
def kept(truth, table, columns):
    """What a test writes into these columns of Odoo's table, which Odoo does not know of, is gone after it:
    other modules compare the same records."""
    with truth.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT id, {columns} FROM public.{table}")
    yield
    with truth.cursor() as cursor:
        cursor.execute(f"UPDATE public.{table} AS row SET ({columns}) = (SELECT {columns} FROM kept_{table} WHERE id = row.id) "
                       f"WHERE id IN (SELECT id FROM kept_{table})")
        cursor.execute(f"DROP TABLE kept_{table}")


@pytest.fixture(scope="module")
def star_database(cluster):
    """A database that the tests of one module share."""
    database = Database(cluster)
    yield database
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture
def shop(db, real):
    """A warehouse whose server is the real Odoo."""
    db.server(real.url)
    return db


def tables_of(queries):
    return sorted(path.stem for path in queries.glob("*.sql"))


def pytest_generate_tests(metafunc):
    """A test of every table names `table`; its module says which there are."""
    if "table" in metafunc.fixturenames:
        metafunc.parametrize("table", metafunc.module.TABLES)


def rows(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description]
        width = 2 if names[0] == "channel" else 1
        return {row[:width]: dict(zip(names, row)) for row in cursor.fetchall()}


def differences(db, truth, table, language="en_US", expect=lambda key, row: row):
    """What the warehouse says otherwise than Odoo's database, by the query that is kept for the
    table. The query's columns are compared; id is the key, or channel and id. `expect` makes a row
    of what the Odoo user may see of it, or None."""
    complete = rows(truth, truth.query(table, language))
    columns = ", ".join(next(iter(complete.values())))
    expected = {key: row for key, row in ((key, expect(key, row)) for key, row in complete.items()) if row}
    deleted = db.value(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'deleted_at')", table
    )
    present = "deleted_at IS NULL" if deleted else "true"
    found = rows(db.connection, f"SELECT {columns} FROM {table} WHERE {present}")
    lines = [f"{table} {id}: missing" for id in expected.keys() - found.keys()]
    lines += [f"{table} {id}: too many" for id in found.keys() - expected.keys()]
    for id in expected.keys() & found.keys():
        for column, value in expected[id].items():
            if found[id][column] != value:
                lines.append(f"{table} {id}.{column}: {found[id][column]!r}, Odoo has {value!r}")
    return lines


