"""The pages of docs/reference, the diagram and dbt's sources: each is what the declarations and the installed extension
give."""

import os

import pytest

from .conftest import Database
from .lab import places
from .reference import diagram, errors, functions, messages, options, sources, tables, views
from .reference.warehouse import Warehouse

#: Each file, and what writes it.
FILES = {
    "docs/reference/tables.md": tables.page,
    "docs/reference/errors.md": errors.page,
    "docs/reference/functions.md": functions.page,
    "docs/reference/options.md": options.page,
    "docs/reference/views.md": views.page,
    "docs/images/warehouse.svg": diagram.picture,
    "dbt/models/staging/sources.yml": sources.page,
}


@pytest.fixture(scope="module")
def warehouse(cluster, fake):
    db = Database(cluster)
    yield Warehouse(db, fake)
    db.connection.close()
    cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


@pytest.mark.parametrize("name", FILES)
def test_file_is_up_to_date(name, warehouse):
    file, text = places.CHECKOUT / name, FILES[name](warehouse)
    if os.environ.get("REFERENCE_ACCEPT"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert file.exists() and file.read_text() == text, \
        f"{name} is not what the code gives: REFERENCE_ACCEPT=1 python3 -m tests.lab test --odoo fake -k test_reference writes it"


def test_the_diagram_names_columns_that_there_are(warehouse):
    joined = [text.removeprefix("joined by ").split(", ") for text in diagram.JOINED.values() if text.startswith("joined by ")]
    assert joined and all(any(table.column(name) for table in warehouse.tables) for names in joined for name in names)


def test_every_message_is_read():
    """A failure that is made in another way than these has to be one that `messages` understands."""
    assert messages.unread() == {"message", "reason", "Error::Fault(fault.clone()).to_string()"}
