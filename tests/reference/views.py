"""docs/reference/views.md."""

import re

from .functions import sentence
from .words import code, named, row

INTRODUCTION = """# Views

This page lists the views that come with the extension, which tell of the sync, and those that `odoo_create_reports` makes
over the warehouse. It is made from an installed extension and the views' own comments; a test keeps it true. In psql,
`\\d+ odoo_sync_status` shows the same. What the reports say, with examples, is on the page [Reports](../reports.md).

"""

VIEWS = """
SELECT oid::regclass::text, relname::text, obj_description(oid, 'pg_class') FROM pg_class
WHERE relkind = 'v' AND relnamespace = %s::regnamespace AND relname NOT LIKE 'pg\\_%%' ORDER BY relname
"""

COLUMNS = """
SELECT attname::text, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

#: At the end of a report's comment, by which it is known.
MARK = re.compile(r"\s*\(odoo_etl: .*\)$")


def page(warehouse):
    db = warehouse.db
    db.run(f"SELECT odoo_keep_history('dim_products', '{warehouse.shown}'); SELECT odoo_sync('products', '{warehouse.shown}')")
    db.run(f"SELECT odoo_create_reports('reports', '{warehouse.shown}')")
    return INTRODUCTION + "\n".join([
        "## Of the sync", "",
        "A role sees the servers that it may use; members of `pg_read_all_stats` see all.", "",
        *sections(db, "public"),
        "## Of the reports", "",
        "`SELECT odoo_create_reports('reports')` makes them. A report whose tables are not there yet is left out.", "",
        *sections(db, "reports"),
    ])


def sections(db, schema):
    for view, name, about in db.run(VIEWS, schema):
        rows = [row(code(column), kind, named(text or "").replace("|", "\\|")) for column, kind, text in db.run(COLUMNS, view)]
        yield "\n".join([f"### {name}", "", sentence(MARK.sub("", about or "").rstrip(".")), "", "| column | type | what it is |",
                         "|---|---|---|", *rows, ""])
