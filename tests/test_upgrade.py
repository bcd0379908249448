"""ALTER EXTENSION UPDATE from the first release: what it leaves is what a new installation has, and
runs go on where they were."""

import re

from .conftest import url

FIRST = "0.1.0"

WATERMARKS = "SELECT server, target, channel, watermark FROM odoo_sync_watermarks ORDER BY 1, 2, 3"

#: Everything that an extension's script makes, as text that a difference shows in.
SHAPE = {
    "objects": """SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
          AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')""",
    "functions": """SELECT pg_get_functiondef(f.oid), f.proacl::text, obj_description(f.oid, 'pg_proc')
        FROM pg_proc f WHERE f.proname LIKE 'odoo\\_%%'""",
    "relations": """SELECT c.relname, c.relacl::text, obj_description(c.oid, 'pg_class'), c.reloptions,
          CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END
        FROM pg_class c WHERE c.relname LIKE 'odoo\\_%%'""",
    "columns": """SELECT a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
          a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d
          ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE c.relname LIKE 'odoo\\_%%' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid::regclass::text LIKE 'odoo\\_%%'""",
    "dumped": """SELECT unnest(extconfig)::regclass::text, unnest(extcondition)
        FROM pg_extension WHERE extname = 'odoo_etl'""",
}


def shape(db):
    return {name: sorted(map(repr, db.run(sql))) for name, sql in SHAPE.items()}


def test_an_upgrade_leaves_what_a_new_installation_has(db, fake):
    fresh, current = shape(db), db.value("SELECT extversion FROM pg_extension WHERE extname = 'odoo_etl'")
    assert re.fullmatch(r"\d+\.\d+\.\d+", current) and current != FIRST
    db.run("DROP EXTENSION odoo_etl")
    db.run(f"CREATE EXTENSION odoo_etl VERSION '{FIRST}'")
    assert shape(db) != fresh
    db.server(url(fake, f"rows=40/only={db.name}"))
    assert db.report("SELECT * FROM odoo_sync_all()")["dim_products"]["inserted"] == 40
    # The library of the new package works with the old script until then.
    db.run("CALL odoo_sync_job(scheduled => true)")
    kept = db.run(WATERMARKS)
    db.run("ALTER EXTENSION odoo_etl UPDATE")
    assert db.value("SELECT extversion FROM pg_extension WHERE extname = 'odoo_etl'") == current
    assert shape(db) == fresh
    assert db.run(WATERMARKS) == kept != []
    again = db.report("SELECT * FROM odoo_sync_all()")["dim_products"]
    assert (again["inserted"], again["updated"], again["deleted"]) == (0, 0, 0)
    assert db.value("SELECT count(DISTINCT run) FROM odoo_sync_log") == 3
    assert db.value("SELECT odoo_version()").startswith("19")
