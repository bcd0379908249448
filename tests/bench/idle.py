"""What the extension costs a backend that does nothing with it, that has loaded it, and that has asked Odoo once."""

import re
from contextlib import contextmanager
from pathlib import Path

from ..fake.server import Server
from .measure import Result, Times
from .warehouse import cluster, database

TIMES = 5
LIBRARY = "odoo_etl.so"
#: Reads a table of the warehouse and changes a row of it: neither needs the library.
AT_WORK = ("SELECT count(*) FROM dim_products", "UPDATE dim_products SET name = name WHERE id = 1")
FIRST_CALL = "SELECT odoo_version()"


def private(connection):
    """Memory in kB that a backend shares with no other process."""
    text = Path(f"/proc/{connection.get_backend_pid()}/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)))


def has_library(connection):
    return LIBRARY in Path(f"/proc/{connection.get_backend_pid()}/maps").read_text()


def run_in(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def backend(db):
    """A new one, which has done a user's work already."""
    connection = db.connect()
    for statement in AT_WORK:
        run_in(connection, statement)
    yield connection
    connection.close()


def costs(db, load):
    """Of one backend: kB that loading the library adds, and that the first call adds then."""
    with backend(db) as connection:
        before = private(connection)
        with load.one():
            run_in(connection, "LOAD 'odoo_etl'")
        loaded = private(connection)
        run_in(connection, FIRST_CALL)
        return loaded - before, private(connection) - loaded


def measure(settings):
    """Whether a backend at work has the library, the times of loading it, and the least that is added in kB."""
    fake = Server().run()
    try:
        with cluster(**settings) as pg, database(pg, f"http://127.0.0.1:{fake.port}/rows=40") as db:
            db.run("SELECT * FROM odoo_sync_all()")
            with backend(db) as other:
                present = has_library(other)
                # What several have mapped is private to none.
                run_in(other, FIRST_CALL)
                load = Times("LOAD")
                loaded, called = zip(*(costs(db, load) for _ in range(TIMES)))
        return present, load, min(loaded), min(called)
    finally:
        fake.shutdown()


def run():
    results = []
    for name, settings in (("by itself", {}), ("preloaded", {"shared_preload_libraries": "odoo_etl"})):
        present, load, loaded, called = measure(settings)
        trouble = "a backend loads it that calls nothing of it" if present and not settings else None
        results += [
            Result("idle", f"LOAD of the library, {name}", load.least * 1000, unit=" ms", trouble=trouble),
            Result("idle", f"private memory that it adds, {name}", loaded, unit=" kB"),
            Result("idle", f"private memory that the first call adds, {name}", called, unit=" kB"),
        ]
    return results
