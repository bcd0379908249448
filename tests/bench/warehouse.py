"""The warehouse that is measured: a cluster, a database in it, and whether its rows are right."""

import shutil
import tempfile
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from ..conftest import Database
from ..lab import places, ports
from ..lab.postgres import Cluster
from . import shop

#: Neither checkpoints nor vacuums in the middle of a measurement.
SETTINGS = {"fsync": "off", "max_wal_size": "20GB", "checkpoint_timeout": "1h", "autovacuum": "off"}
LINES = "fact_sales_lines"


class Mismatch(Exception):
    """The rows of the warehouse are not those of the source."""


@contextmanager
def cluster(**settings):
    folder = Path(tempfile.mkdtemp(prefix="odoo_etl_bench."))
    folder.chmod(0o755)
    cluster = Cluster(folder / "pg", ports.free(1)[0], {**SETTINGS, **settings})
    try:
        cluster.init()
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(cluster, url, **options):
    """A database whose server is what answers at `url`."""
    db = Database(cluster)
    try:
        db.server(url, **{"protocol": "auto", **options})
        yield db
    finally:
        db.connection.close()
        cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


def columns(db, table, generated=True):
    """Names and types of a table's columns, without the time of the sync."""
    return db.run(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'synced_at' "
        "AND (%s OR attgenerated = '') ORDER BY attnum", table, generated,
    )


def keys_of(db, table):
    """Statements that take a table's keys and indexes away, and that make them again."""
    constraints = db.run(
        "SELECT format('%%s CONSTRAINT %%I', conrelid::regclass, conname), pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype IN ('p', 'f') ORDER BY contype DESC", table)
    indexes = db.run("SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
                     "WHERE indrelid = %s::regclass AND NOT indisprimary", table)
    on = lambda verb, constraint: f"ALTER TABLE {constraint.replace(' ', f' {verb} ', 1)}"
    (primary, key), *foreign = constraints
    return ([*(on("DROP", name) for name, _ in reversed(constraints)), *(f"DROP INDEX {name}" for name, _ in indexes)],
            [f"{on('ADD', primary)} {key}", *(statement for _, statement in indexes),
             *(f"{on('ADD', name)} {definition}" for name, definition in foreign)])


def checksum(db, table):
    """Of all rows in all columns, whatever their order: how many, and the sum of their hashes."""
    values = [f"trim_scale({name})" if kind == "numeric" else name for name, kind in columns(db, table)]
    return db.run(
        f"SELECT count(*), sum(hashtextextended(ROW({', '.join(values)})::text, 0)::numeric) FROM {table}"
    )[0]


def copied(value):
    """A value as COPY reads it."""
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    return "\\N" if value is None else str(value)


def copy_of_lines(db, count):
    """The statement that loads the lines from a file, which is made without odoo_etl. The table's
    few lines of sale orders are in it as they are in the table."""
    names = [name for name, _ in columns(db, LINES, generated=False)]
    path = db.cluster.folder / f"{db.name}.txt"
    others = db.run(f"SELECT {', '.join(names)} FROM {LINES} WHERE channel <> 'pos'")
    lines = ([row[name] for name in names] for row in map(shop.row, range(1, count + 1)))
    with open(path, "w") as file:
        for row in chain(others, lines):
            file.write("\t".join(map(copied, row)) + "\n")
    places.give_to_service(path)
    return f"COPY {LINES} ({', '.join(names)}) FROM '{path}'"


def spent_on(db):
    """Where the time of the last sync of the lines went."""
    log = db.run(
        "SELECT seconds, seconds_waiting, seconds_loading, seconds_decoding, requests, pages, bytes "
        "FROM odoo_sync_log WHERE target = %s ORDER BY run DESC LIMIT 1", LINES)[0]
    return ("of the last sync: {:.2f} s, waiting {:.2f}, loading {:.2f}, decoding on threads {:.2f}; "
            "{:,} requests, {:,} pages, {:,} bytes").format(*log)
