"""A real Odoo 19 with demo data, and ways to look into it that are not odoo_etl's."""

import xmlrpc.client
from pathlib import Path

import psycopg2
import pytest

from ..conftest import Database

COMPARE = Path(__file__).with_name("compare")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)


class Api:
    """Odoo's API by Python's own client: to make what the demo data lacks."""

    def __init__(self, server):
        self.credentials = (server.database, 2, server.password)
        self.object = xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/object", allow_none=True)

    def __call__(self, model, method, *args, **kwargs):
        try:
            return self.object.execute_kw(*self.credentials, model, method, args, kwargs)
        except xmlrpc.client.Fault as fault:
            # The method ran and was committed; only its result cannot be written.
            if "cannot marshal None" not in fault.faultString:
                raise


@pytest.fixture(scope="session")
def api(real):
    return Api(real)


@pytest.fixture(scope="session")
def truth(real):
    """A connection to Odoo's own database."""
    connection = psycopg2.connect(real.cluster.dsn(real.database))
    connection.autocommit = True
    yield connection
    connection.close()


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


def rows(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description]
        width = 2 if names[0] == "channel" else 1
        return {row[:width]: dict(zip(names, row)) for row in cursor.fetchall()}


def differences(db, truth, table):
    """What the warehouse says otherwise than Odoo's database, by the query that is kept for the
    table. The query's columns are compared; id is the key, or channel and id."""
    expected = rows(truth, (COMPARE / f"{table}.sql").read_text())
    columns = ", ".join(next(iter(expected.values())))
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


