"""The statements of the README, as a reader would type them."""

import re

import pytest

from ..conftest import Database
from ..lab import places, ports
from ..lab.postgres import Cluster


@pytest.fixture
def db(folder):
    """A database in which pg_cron lives."""
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": "warehouse"}
    cluster = Cluster(folder / "readme", ports.free(1)[0], settings)
    cluster.init()
    cluster.start()
    database = Database(cluster, "warehouse")
    database.run("CREATE EXTENSION pg_cron")
    yield database
    database.connection.close()
    cluster.stop("immediate")


def test_the_statements_of_the_readme_run(db, real):
    db.run("DROP EXTENSION odoo_etl")
    text = (places.CHECKOUT / "README.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    statements = [s.strip() for block in blocks for s in block.split(";\n") if s.strip()]
    assert len(statements) >= 6
    for statement in statements:
        db.run(statement.replace("http://127.0.0.1:8069", real.url))
    assert db.value("SELECT count(*) FROM dim_products") > 100
