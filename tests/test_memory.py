"""The memory of a backend does not grow with the number of rows."""

import re
from functools import cache
from pathlib import Path

import pytest

from .conftest import Database, running, url

FEW, MANY = 50_000, 500_000

#: How much more memory, in MB, the many may take.
MORE = 32

SYNC, JOB = "SELECT * FROM odoo_sync('products')", "CALL odoo_sync_job('products')"


@pytest.fixture(scope="module")
def cluster(folder):
    """A cluster whose shared memory is small: see `high_water`."""
    with running(folder / "memory", shared_buffers="16MB") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def peak(cluster, fake):
    """The most memory, in MB, that a new backend had when it ran a statement in a new database."""

    @cache
    def measure(statement, rows, before=(), **options):
        db = Database(cluster)
        db.server(url(fake, f"rows={rows}"), **options)
        for other in before:
            db.run(other.format(rows=rows))
        db.connection.close()
        db.connection = db.connect()
        db.run(statement)
        found = high_water(db.connection.get_backend_pid())
        assert db.value("SELECT count(*) FROM dim_products") == rows
        db.connection.close()
        cluster.sql(f"DROP DATABASE {db.name}")
        return found

    return measure


def high_water(pid):
    """The kernel's own mark of a process's peak, so that nothing goes unseen between two looks;
    of its parts, such as RssAnon, Linux keeps none. It counts the pages of shared memory that the
    process has touched too, which with 16 MB of shared buffers soon are all of them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.parametrize("statement", [SYNC, JOB], ids=["function", "job"])
def test_memory_does_not_grow_with_the_rows(peak, statement):
    few, many = peak(statement, FEW), peak(statement, MANY)
    print(f"{statement}: {few:.0f} MB for {FEW:,} rows, {many:.0f} MB for {MANY:,}")
    assert many - few < MORE


#: As a sync would leave them.
FILLED = ("SELECT odoo_sync('categories')",
          "INSERT INTO dim_products (id, odoo_write_date) SELECT id, '2024-01-01 00:00:00+00' FROM generate_series(1, {rows}) AS id")


@pytest.mark.parametrize("statement", ["odoo_verify", "odoo_reconcile"])
def test_a_comparison_keeps_no_ids(peak, statement):
    few, many = (peak(f"SELECT * FROM {statement}('products')", rows, before=FILLED) for rows in (FEW, MANY))
    print(f"{statement}: {few:.0f} MB for {FEW:,} rows, {many:.0f} MB for {MANY:,}")
    assert many - few < MORE / 2


def test_memory_grows_with_the_page(peak):
    """The counter-case, so that the bar is one: a page has to be in memory as a whole."""
    assert peak(JOB, FEW, page_size=FEW) - peak(JOB, FEW) > MORE
