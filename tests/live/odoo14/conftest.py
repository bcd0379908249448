"""A real Odoo 14, in the place of 19: tests of both take the same fixtures."""

from pathlib import Path

import pytest

from ...lab import odoo
from ..conftest import Api, Truth

#: As 14 reads a translated field; without a translation it shows the English text.
TRANSLATED = """
CREATE FUNCTION pg_temp.translated(field text, record int, source text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(
        (SELECT nullif(value, '') FROM ir_translation
         WHERE type = 'model' AND name = field AND res_id = record
           AND lang = nullif(current_setting('odoo.language', true), 'en_US')),
        source)
$$
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.odoo14)


class Truth14(Truth):
    queries = Path(__file__).with_name("compare")

    @classmethod
    def of(cls, server):
        connection = super().of(server)
        with connection.cursor() as cursor:
            cursor.execute(TRANSLATED)
        return connection

    def query(self, table, language="en_US"):
        with self.cursor() as cursor:
            cursor.execute("SELECT set_config('odoo.language', %s, false)", (language,))
        return super().query(table)


@pytest.fixture(scope="session")
def real(folder):
    server = odoo.Server(folder / "odoo14", release=odoo.ODOO_14)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def api(real):
    return Api(real)


@pytest.fixture(scope="session")
def truth(real):
    connection = Truth14.of(real)
    yield connection
    connection.close()


@pytest.fixture
def shop(db, real):
    """A warehouse whose server is the real Odoo."""
    db.server(real.url)
    return db
