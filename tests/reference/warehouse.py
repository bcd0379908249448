"""The tables as the catalog of a database tells of them, and the fields that the releases have for them."""

from dataclasses import dataclass, field

from ..conftest import url
from ..test_versions import RELEASES

#: The schema, and the server, whose tables the documents show.
SHOWN = "odoo19"

#: What comes with a module of others, which the fake has for one release only.
OF_OTHERS = {"dim_brands", "dim_products.brand_id"}

TABLES = """
SELECT relname::text, obj_description(oid, 'pg_class') FROM pg_class
WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY relname
"""

COLUMNS = """
SELECT attname::text, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

NAMES = """(SELECT array_agg(attname::text ORDER BY place) FROM unnest({numbers}) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute ON attnum = number AND attrelid = {table})"""

KEYS = f"""
SELECT contype = 'p', {NAMES.format(numbers="conkey", table="conrelid")},
       (SELECT relname::text FROM pg_class WHERE oid = confrelid), {NAMES.format(numbers="confkey", table="confrelid")}
FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'f') ORDER BY conkey
"""

LINEAGE = "SELECT target, coalesce(channel, ''), column_name, model, field FROM odoo_columns WHERE server = %s"


@dataclass
class Column:
    name: str
    type: str
    is_required: bool
    about: str


@dataclass
class Reference:
    """A foreign key."""

    columns: list
    table: str
    key: list


@dataclass
class Table:
    name: str
    about: str
    #: The entity that fills it; none of those that no model fills.
    entity: str | None
    is_optional: bool
    columns: list = field(default_factory=list)
    key: list = field(default_factory=list)
    references: list = field(default_factory=list)

    def column(self, name):
        return next((column for column in self.columns if column.name == name), None)

    def reference(self, name):
        """The foreign key of a column; beside it may stand the channel."""
        return next((one for one in self.references if one.columns[-1] == name), None)

    @property
    def is_fact(self):
        """Its rows are deleted when Odoo's records are."""
        return bool(self.entity) and not self.column("deleted_at")


class Warehouse:
    """Its tables, in the order in which a sync fills them, and the paths behind their columns by release."""

    shown = SHOWN

    def __init__(self, db, fake):
        self.db = db
        order = fill(db, fake)
        always = order.pop("always")
        self.tables = [read(db, name, about, order.get(name), name not in always) for name, about in db.run(TABLES, SHOWN)]
        names = list(order)
        self.tables.sort(key=lambda table: names.index(table.name) if table.name in order else len(names))
        self.lineage = {
            (release, *row[:3]): row[3:] for release in RELEASES for row in db.run(LINEAGE, f"odoo{release}")
        }

    def table(self, name):
        return next(table for table in self.tables if table.name == name)

    def channels(self, table):
        """The channels of a table, or an empty one."""
        return ["pos", "sale"] if table.column("channel") and table.entity else [""]

    def path(self, release, table, channel, column):
        """Model and field, or a pair of None."""
        return self.lineage.get((release, table, channel, column), (None, None))

    def releases(self, table, channel):
        """Those that have a model for it."""
        return [release for release in RELEASES if self.path(release, table, channel, "id")[0]]


def fill(db, fake):
    """A schema for each release, as that release fills it; returns the entities of the tables."""
    for release in RELEASES:
        db.server(url(fake, f"version={release}"), name=f"odoo{release}", schema=f"odoo{release}")
    db.run(f"SELECT odoo_sync_all('{SHOWN}')")
    always = {name for name, _ in db.run(TABLES, SHOWN)}
    for release in RELEASES:
        db.run(f"SELECT odoo_enable('invoices', 'odoo{release}'); SELECT odoo_sync_all('odoo{release}')")
    found = db.report(f"SELECT * FROM odoo_sync_all('{SHOWN}')")
    return {"always": always, **{table: row["entity"] for table, row in found.items()}}


def read(db, name, about, entity, is_optional):
    table = Table(name, about, entity, is_optional)
    place = f"{SHOWN}.{name}"
    table.columns = [Column(*row) for row in db.run(COLUMNS, place)]
    for is_key, columns, other, theirs in db.run(KEYS, place):
        if is_key:
            table.key = columns
        else:
            table.references.append(Reference(columns, other, theirs))
    return table
