"""ALTER EXTENSION UPDATE from the first release: what it leaves is what a new installation has, and
runs go on where they were."""

import re

import psycopg2
import pytest

from .conftest import url

pytestmark = pytest.mark.postgres

FIRST = "0.1.0"

WATERMARKS = "SELECT server, target, channel, watermark FROM {} ORDER BY 1, 2, 3"

#: Everything that an extension's script makes, as text that a difference shows in; odoo_deleted is a table of the warehouse.
SHAPE = {
    "objects": """SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
          AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')""",
    "schemas": """SELECT nspname, nspacl::text, obj_description(oid, 'pg_namespace')
        FROM pg_namespace WHERE nspname = 'odoo_etl'""",
    "functions": """SELECT pg_get_functiondef(f.oid), f.proacl::text, obj_description(f.oid, 'pg_proc')
        FROM pg_proc f WHERE f.proname LIKE 'odoo\\_%%' OR f.pronamespace = to_regnamespace('odoo_etl')""",
    "relations": """SELECT c.oid::regclass::text, c.relacl::text, obj_description(c.oid, 'pg_class'), c.reloptions,
          CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END
        FROM pg_class c WHERE c.relname ~ '^odoo_(?!deleted)' OR c.relnamespace = to_regnamespace('odoo_etl')""",
    "columns": """SELECT a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
          a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d
          ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE (c.relname ~ '^odoo_(?!deleted)' OR c.relnamespace = to_regnamespace('odoo_etl'))
          AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
        WHERE (c.relname ~ '^odoo_(?!deleted)' OR c.relnamespace = to_regnamespace('odoo_etl')) AND contype <> 'n'""",
    "dumped": """SELECT unnest(extconfig)::regclass::text, unnest(extcondition)
        FROM pg_extension WHERE extname = 'odoo_etl'""",
}


def shape(db):
    return {name: sorted(map(repr, db.run(sql))) for name, sql in SHAPE.items()}


def version(db):
    return db.value("SELECT extversion FROM pg_extension WHERE extname = 'odoo_etl'")


@pytest.fixture
def first(db):
    """A database with the first release in it."""
    db.run(f"DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl VERSION '{FIRST}'")
    return db


def make(db, schema, version=""):
    db.run(f"DROP EXTENSION odoo_etl; CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}, public")
    db.run(f"CREATE EXTENSION odoo_etl SCHEMA {schema} {version}")


@pytest.mark.parametrize("schema", ["public", "etl", "odoo_etl"])
def test_an_upgrade_leaves_what_a_new_installation_has(db, fake, schema):
    make(db, schema)
    fresh, current = shape(db), version(db)
    assert re.fullmatch(r"\d+\.\d+\.\d+", current) and current != FIRST
    make(db, schema, f"VERSION '{FIRST}'")
    assert shape(db) != fresh
    db.server(url(fake, f"rows=40/only={db.name}"))
    assert db.report("SELECT * FROM odoo_sync_all()")["dim_products"]["inserted"] == 40
    # The library of the new package works with the old script until then.
    db.run("CALL odoo_sync_job(scheduled => true)")
    db.run("SELECT odoo_resume()")
    kept = db.run(WATERMARKS.format("odoo_sync_watermarks"))
    db.run("ALTER EXTENSION odoo_etl UPDATE")
    assert version(db) == current
    assert shape(db) == fresh
    assert db.run(WATERMARKS.format("odoo_etl.watermarks")) == kept != []
    again = db.report("SELECT * FROM odoo_sync_all()")["dim_products"]
    assert (again["inserted"], again["updated"], again["deleted"]) == (0, 0, 0)
    assert db.value("SELECT count(DISTINCT run) FROM odoo_sync_log") == 3
    assert db.value("SELECT odoo_version()").startswith("19")


def test_an_upgrade_keeps_grants_and_what_is_built_on_it(first, fake):
    db, clerk = first, f"clerk_{first.name}"
    db.server(url(fake, f"rows=40/only={db.name}"))
    db.run(f"CREATE ROLE {clerk}; GRANT SELECT ON odoo_sync_runs TO {clerk}; REVOKE SELECT ON odoo_sync_log FROM PUBLIC")
    db.run("REVOKE EXECUTE ON FUNCTION odoo_sync_job_begin FROM PUBLIC")
    db.run("CREATE INDEX mine ON odoo_sync_runs (role)")
    db.run("CREATE VIEW last_runs AS SELECT max(run) FROM odoo_sync_log UNION ALL SELECT max(run) FROM odoo_sync_runs")
    db.run("SELECT * FROM odoo_sync_all()")
    watching = "SELECT array_agg(oid ORDER BY oid) FROM pg_trigger WHERE tgname = 'odoo_row_edited'"
    triggers = db.value(watching)
    db.run("ALTER EXTENSION odoo_etl UPDATE")
    assert db.value(watching) == triggers and len(triggers) > 10
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 1, 0)]
    assert db.run("TABLE last_runs") == [(1,), (1,)]
    assert db.value("SELECT 'odoo_etl.mine'::regclass IS NOT NULL")
    assert not db.value("SELECT has_function_privilege(%s, 'odoo_etl.job_begin(text,text,boolean,boolean,boolean)', 'EXECUTE')", clerk)
    db.run(f"SET ROLE {clerk}")
    assert db.value("SELECT count(*) FROM odoo_etl.runs") > 10
    for table in ("odoo_sync_log", "odoo_etl.state"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            db.run(f"TABLE {table}")
    db.run(f"RESET ROLE; DROP OWNED BY {clerk}; DROP ROLE {clerk}")


#: What tables have had since.
NEW_COLUMNS = {
    "all_sales": "hour website_id source campaign medium currency_rate company_currency amount_total_company "
                 "amount_untaxed_company",
    "fact_sales_lines": "hour tax_ids currency currency_rate company_currency subtotal_company total_company cost_company "
                        "margin_company",
    "fact_purchases": "origin invoice_state effective_date tax_ids currency_rate company_currency subtotal_company",
    "dim_companies": "root_id fiscal_year_last_day fiscal_year_last_month timezone",
    "dim_branches": "team_id",
    "dim_users": "employee_id",
    "dim_employees": "coach_id code country",
    "dim_customers": "street2",
}
NEW_TABLES = ["dim_taxes", "fact_currency_rates"]


def columns_of(db, table):
    return [name for name, in db.run(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attname <> 'synced_at' ORDER BY attname", table)]


def content(db):
    """What the tables that have changed hold, whatever the order of their columns."""
    tables = [*NEW_COLUMNS, *NEW_TABLES]
    rows = {table: db.run(f"SELECT {', '.join(columns_of(db, table))} FROM {table}") for table in tables}
    return {table: sorted(found, key=repr) for table, found in rows.items()}


def forget_what_is_new(db):
    """The warehouse as it was made before there were these columns and tables."""
    for table, names in NEW_COLUMNS.items():
        db.run(f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {name} CASCADE" for name in reversed(names.split())))
    db.run(f"DROP TABLE {', '.join(NEW_TABLES)}")


@pytest.mark.parametrize("release", [FIRST, None])
def test_a_warehouse_gets_what_is_new_by_its_next_run(db, fake, release):
    """One that 0.1.0 made, and one of an earlier 0.2.0."""
    db.server(url(fake, "version=19"), name="whole", schema="whole")
    db.run("SELECT * FROM odoo_sync_all('whole'); SET search_path = whole, public")
    expected = content(db)
    db.run("SET search_path = public")
    if release:
        db.run(f"DROP EXTENSION odoo_etl CASCADE; CREATE EXTENSION odoo_etl VERSION '{release}'")
    else:
        db.run("DROP SERVER whole CASCADE")
    db.server(url(fake, f"version=19/only={db.name}"))
    db.run("SELECT * FROM odoo_sync_all()")
    forget_what_is_new(db)
    if release:
        db.run("ALTER EXTENSION odoo_etl UPDATE")
    db.connection.notices.clear()
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert {row["status"] for row in report.values()} <= {"ok", "absent"}
    assert content(db) == expected
    # All references are there.
    for table in ("dim_branches", "dim_users", "dim_employees"):
        assert db.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = %s::regclass", table)
    # It was said before it was done, table by table; of those that are rewritten also why.
    told = [notice for notice in db.connection.notices if "gets new columns" in notice]
    assert len(told) == len(NEW_COLUMNS)
    rewritten = [notice for notice in told if "writes the table" in notice]
    assert len(rewritten) == 3 and "subtotal_company" in "".join(rewritten)
    for row in db.report("SELECT * FROM odoo_sync_all()").values():
        assert (row["inserted"], row["updated"], row["deleted"]) == (0, 0, 0)


def test_a_rewrite_is_announced_before_it_begins(db, fake):
    """Whoever sees it may still cancel: the table waits here for somebody who reads it."""
    db.server(url(fake, f"version=19/only={db.name}"))
    db.run("SELECT * FROM odoo_sync_all(); ALTER TABLE all_sales DROP COLUMN amount_total_company")
    reader = psycopg2.connect(db.cluster.dsn(db.name))
    reader.cursor().execute("SELECT FROM all_sales")
    db.connection.notices.clear()
    db.run("SET lock_timeout = '200ms'")
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        db.run("SELECT * FROM odoo_sync('sales')")
    reader.close()
    assert 'NOTICE:  table "public"."all_sales" gets new columns' in db.notices
    assert "Columns: amount_total_company." in db.notices


def test_an_upgrade_takes_no_schema_that_is_there(first):
    first.run("CREATE SCHEMA odoo_etl")
    with pytest.raises(psycopg2.errors.DuplicateSchema, match='schema "odoo_etl" already exists') as raised:
        first.run("ALTER EXTENSION odoo_etl UPDATE")
    assert "RENAME" in raised.value.diag.message_hint
    assert version(first) == FIRST and first.run("TABLE odoo_sync_runs") == []
    first.run("ALTER SCHEMA odoo_etl RENAME TO ours; ALTER EXTENSION odoo_etl UPDATE")
    assert first.value("SELECT to_regclass('odoo_sync_runs') IS NULL")
