"""What users do to the objects: tables that are moved, triggers that are dropped, servers, schemas and
the extension that are made again. What is remembered follows what exists."""

import psycopg2
import pytest

from .conftest import OWN_TABLES, TABLES, url
from .fake.server import behaviour_of
from .test_in_step import SYNC, Shop, contents
from .test_mirror import with_leads

ALL = "SELECT * FROM odoo_sync_all()"
JOB = "CALL odoo_sync_job()"
OTHER = "11111111-0000-4000-8000-000000000001"

KEYS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid::regclass::text ~ '^(dim|fact|all)_' ORDER BY 1, 2"""

MOVES = [
    ("dim_customers", "CREATE SCHEMA x; ALTER TABLE dim_customers SET SCHEMA x", "x.dim_customers"),
    ("all_sales", "ALTER TABLE all_sales RENAME TO sales", "public.sales"),
    ("fact_stock", "CREATE SCHEMA x; ALTER TABLE fact_stock RENAME TO stock; ALTER TABLE stock SET SCHEMA x", "x.stock"),
]


@pytest.fixture
def filled(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run(ALL)
    return shop


def quoted(table):
    return ".".join(f'"{part}"' for part in table.split("."))


def check(db):
    """The worst of each item."""
    rows = db.run("SELECT * FROM odoo_check() ORDER BY array_position('{ok,warning,error}', status)")
    return {item: (status, detail, hint) for item, status, detail, hint, _ in rows}


def verdict(db, entity="products"):
    return db.run(f"SELECT missing, stale, deleted FROM odoo_verify('{entity}')")


# Tables that are moved.

@pytest.mark.parametrize("table, move, now, statement", [
    (*MOVES[0], JOB), (*MOVES[1], ALL), (*MOVES[2], "SELECT * FROM odoo_verify('categories')")])
def test_a_moved_table_is_named(db, filled, table, move, now, statement):
    before = len(db.run(KEYS))
    db.run(move)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="was moved") as raised:
        db.run(statement)
    assert table in str(raised.value) and quoted(now) in str(raised.value)
    assert db.value("SELECT to_regclass(%s) IS NULL", table)
    assert check(db)[table][0] == "error" and quoted(now) in check(db)[table][1]
    # What the HINT says puts it back.
    back = raised.value.diag.message_hint.partition("Put it back: ")[2].partition(" If all")[0].partition(" Or let")[0]
    db.run(back)
    for name, row in db.report(ALL).items():
        assert (row["inserted"], row["updated"], row["deleted"]) == (0, 0, 0), name
    assert len(db.run(KEYS)) == before


@pytest.mark.parametrize("table, move, now", MOVES)
def test_a_table_that_is_let_go_is_made_again(db, filled, table, move, now):
    keys, rows = db.run(KEYS), {name: contents(db, name) for name, in db.run("SELECT DISTINCT target FROM odoo_etl.state")}
    db.run(move)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState) as raised:
        db.run(ALL)
    db.run(raised.value.diag.message_hint.partition("made and loaded: ")[2])
    db.run(ALL)
    assert db.run(KEYS) == keys
    for name, before in rows.items():
        assert contents(db, name) == before, name
    assert len(contents(db, now)) == len(rows[table])
    assert table not in {item for item, (status, *_) in check(db).items() if status == "error"}
    db.run(JOB)


def test_missing_data_is_a_table_like_the_others(db, filled):
    db.run("ALTER TABLE missing_data RENAME TO gaps")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="missing_data.* was moved"):
        db.run(SYNC)
    db.run("ALTER TABLE gaps RENAME TO missing_data")
    db.run(SYNC)


def test_a_dropped_table_is_made_again_though_it_had_been_moved(db, filled):
    db.run("ALTER TABLE dim_promotions RENAME TO away")
    db.run("DROP TABLE away CASCADE")
    assert db.report(ALL)["dim_promotions"]["inserted"] > 0


def test_a_moved_mirror_is_no_other_tables_trouble(db, fake):
    with_leads(Shop(db, fake, "version=19"))
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    db.run(ALL)
    db.run("ALTER TABLE crm_leads RENAME TO away")
    report = db.report(ALL)
    assert report["crm_leads"]["status"] == "failed" and "was moved" in report["crm_leads"]["error"]
    assert {row["status"] for name, row in report.items() if name != "crm_leads"} <= {"ok", "absent"}
    db.run("ALTER TABLE away RENAME TO crm_leads")
    assert db.report(ALL)["crm_leads"]["status"] == "ok"


@pytest.mark.parametrize("move", [
    "ALTER SCHEMA shop RENAME TO store",
    "CREATE SCHEMA store; DO $$ DECLARE t name; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'shop' "
    "LOOP EXECUTE format('ALTER TABLE shop.%I SET SCHEMA store', t); END LOOP; END $$"])
def test_all_tables_may_move_with_the_option(db, fake, move):
    db.server(url(fake, f"version=19/only={db.name}"), schema="shop")
    db.run(ALL)
    db.run(move)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="was moved") as raised:
        db.run(ALL)
    statement = raised.value.diag.message_hint.partition("moved there: ")[2].partition(" Or let")[0]
    assert statement == "ALTER SERVER \"erp\" OPTIONS (SET schema 'store');"
    db.run(statement)
    for name, row in db.report(ALL).items():
        assert (row["inserted"], row["updated"], row["deleted"]) == (0, 0, 0), name


def test_in_a_copy_of_the_database_other_oids_mean_nothing(db, fake):
    """A dump leaves out what is remembered by oid."""
    Shop(db, fake, "version=19")
    db.run(ALL)
    assert db.value("SELECT count(*) FROM odoo_etl.relations") == TABLES + OWN_TABLES
    dumped = "SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'odoo_etl'"
    dumped = {table for table, in db.run(dumped)}
    assert "odoo_etl.relations" not in dumped and "odoo_etl.unwatched" in dumped
    db.run("UPDATE odoo_etl.relations SET relation = 'pg_class'::regclass, server_oid = 1")
    db.run(ALL)
    assert db.value("SELECT count(*) FROM odoo_etl.relations WHERE relation = 'pg_class'::regclass OR server_oid = 1") == 0


# Edits that nobody watched.

def drop_trigger(db):
    db.run("DROP TRIGGER odoo_row_edited ON dim_products; DROP TRIGGER odoo_row_edited ON all_sales")


def remake_extension(db):
    # Mappings and servers go with the wrapper.
    options = db.value("SELECT string_agg(format('%s %L', option_name, option_value), ', ') FROM pg_foreign_server, "
                       "pg_options_to_table(srvoptions) WHERE srvname = 'erp'")
    db.run("DROP EXTENSION odoo_etl CASCADE")
    db.run("UPDATE dim_products SET sku = 'mine' WHERE id = 2")
    db.run("CREATE EXTENSION odoo_etl")
    db.run(f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS ({options})")
    db.run("CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin')")


@pytest.mark.parametrize("lose", [drop_trigger, remake_extension])
@pytest.mark.parametrize("repair", [SYNC, "CALL odoo_sync_job('products')", "SELECT * FROM odoo_reconcile('products')"])
def test_edits_that_nobody_watched_are_not_taken_for_good(db, fake, lose, repair):
    Shop(db, fake, "rows=40")
    db.run(ALL)
    before = contents(db, "dim_products")
    lose(db)
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    db.run("DELETE FROM dim_products WHERE id = 5")
    assert check(db)["dim_products"][0] == "warning"
    # It cannot know which were edited: none is in order until it is read.
    assert verdict(db) == [(1, 39, 0)]
    assert verdict(db) == [(1, 39, 0)]
    db.run(repair)
    assert contents(db, "dim_products") == before
    assert verdict(db) == [(0, 0, 0)]
    # The trigger watches again.
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert verdict(db) == [(0, 1, 0)]


def test_the_doubt_lasts_for_each_channel_until_it_is_read(db, filled):
    db.run("DROP TRIGGER odoo_row_edited ON all_sales")
    rows = dict(db.run("SELECT channel, count(*) FROM all_sales GROUP BY 1"))
    stale = "SELECT channel, stale FROM odoo_verify('sales') WHERE target = 'all_sales'"
    assert dict(db.run(stale)) == rows
    # Another entity's run tells nothing of them.
    db.run("SELECT * FROM odoo_sync('products')")
    assert dict(db.run(stale)) == rows
    db.run("SELECT * FROM odoo_sync('sales')")
    assert set(dict(db.run(stale)).values()) == {0}
    assert db.run("TABLE odoo_etl.unwatched") == []


def test_a_table_that_gets_a_column_is_in_doubt_too(db, fake):
    """The trigger is made with the column."""
    Shop(db, fake, "rows=40")
    db.run(ALL)
    drop_trigger(db)
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    db.run("ALTER TABLE dim_products DROP COLUMN barcode")
    assert verdict(db) == [(0, 40, 0)]
    db.run(SYNC)
    assert verdict(db) == [(0, 0, 0)]
    assert db.value("SELECT name FROM dim_products WHERE id = 3") == "Product 3"


def test_mirrors_are_watched_again_too(db, fake):
    with_leads(Shop(db, fake, "version=19"))
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    db.run(ALL)
    db.run("DROP TRIGGER odoo_row_edited ON crm_leads")
    db.run("UPDATE crm_leads SET name = 'mine'")
    assert verdict(db, "crm_leads") == [(0, 3, 0)]
    db.run(ALL)
    assert verdict(db, "crm_leads") == [(0, 0, 0)]
    assert db.value("SELECT count(*) FROM crm_leads WHERE name = 'mine'") == 0


def test_a_table_that_was_there_before_is_watched(db, fake):
    """Such as one that somebody made by hand."""
    Shop(db, fake, "rows=40", schema="shop")
    db.run(SYNC)
    db.run("CREATE SCHEMA copy; CREATE TABLE copy.dim_products (LIKE shop.dim_products INCLUDING ALL)")
    db.run("ALTER SERVER erp OPTIONS (SET schema 'copy')")
    db.run(SYNC)
    db.run("UPDATE copy.dim_products SET name = 'mine' WHERE id = 3")
    assert verdict(db) == [(0, 1, 0)]


def test_who_may_only_load_brings_the_trigger_back(db, fake):
    """As the table's owner, whose it was."""
    Shop(db, fake, "version=19")
    db.run(ALL)
    clerk = f"clerk_{db.name}"
    db.run(f"CREATE ROLE {clerk}; GRANT USAGE ON FOREIGN SERVER erp TO {clerk}")
    db.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {clerk}")
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER erp OPTIONS (login 'admin', password 'admin')")
    drop_trigger(db)
    db.run(f"SET ROLE {clerk}")
    assert db.report(ALL)["dim_products"]["status"] == "ok"
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = (SELECT min(id) FROM dim_products)")
    assert verdict(db) == [(0, 1, 0)]
    db.run(f"RESET ROLE; DROP OWNED BY {clerk} CASCADE; DROP ROLE {clerk}")


def test_a_disabled_trigger_is_left_alone_and_told(db, filled):
    db.run("ALTER TABLE dim_products DISABLE TRIGGER odoo_row_edited")
    db.run(ALL)
    assert db.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'odoo_row_edited' AND tgrelid = 'dim_products'::regclass") == "D"
    status, detail, hint = [row[1:4] for row in db.run("SELECT * FROM odoo_check() WHERE item = 'dim_products'") if "disabled" in row[2]][0]
    assert status == "warning"
    db.run(hint)
    assert not [row for row in db.run("SELECT * FROM odoo_check()") if "disabled" in row[2]]


# Servers that are made again.

def remake_server(db, fake, behaviour, **options):
    db.run("DROP SERVER erp CASCADE")
    db.server(url(fake, behaviour), **options)


def test_a_server_made_again_starts_anew_where_nothing_is_left(db, fake):
    db.server(url(fake, f"rows=30/only={db.name}"), schema="shop")
    db.run(ALL)
    db.run("DROP SCHEMA shop CASCADE")
    remake_server(db, fake, f"rows=12/uuid={OTHER}", schema="shop")
    found = check(db)
    assert found["schema"][0] == "ok" and "not yet filled" in found["schema"][1], found["schema"]
    assert db.report(ALL)["dim_products"]["inserted"] == 12
    assert "not yet" not in check(db)["schema"][1]
    # By another name too.
    db.run("DROP SERVER erp CASCADE; DROP SCHEMA shop CASCADE")
    db.server(url(fake, f"rows=30/only={db.name}"), name="second", schema="shop")
    assert db.report(ALL)["dim_products"]["inserted"] == 30
    assert db.run("SELECT DISTINCT server FROM odoo_columns") == [("second",)]


def test_where_tables_are_left_another_database_is_refused_as_ever(db, fake):
    db.server(url(fake, f"rows=30/only={db.name}"), schema="shop")
    db.run(ALL)
    remake_server(db, fake, f"rows=12/uuid={OTHER}", schema="shop")
    for move in ("SELECT 1", "ALTER SCHEMA shop RENAME TO store"):
        db.run(move)
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="another Odoo database"):
            db.run(ALL)
        status, detail, hint = check(db)["schema"]
        assert status == "error" and OTHER in detail and "odoo_forget('erp')" in hint
    db.run("ALTER SCHEMA store RENAME TO shop")
    remake_server(db, fake, f"rows=30/only={db.name}", schema="shop")
    report = db.report(ALL)["dim_products"]
    assert (report["inserted"], report["updated"]) == (0, 0)


def test_a_server_that_is_pointed_elsewhere_when_nothing_is_left(db, fake):
    """What was declared for a server that is there stays."""
    with_leads(Shop(db, fake, "version=19", schema="shop"))
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    db.run(ALL)
    db.run("DROP SCHEMA shop CASCADE")
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, f'rows=12/uuid={OTHER}')}')")
    assert db.report(ALL)["dim_products"]["inserted"] == 12
    assert db.run("SELECT target FROM odoo_mirrors") == [("crm_leads",)]


def test_mirrors_go_with_their_server(db, fake):
    with_leads(Shop(db, fake, "version=19", schema="shop"))
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    db.run("SELECT odoo_add_column('dim_products', 'categ_id.name', 'category')")
    db.run(ALL)
    address = db.value("SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE option_name = 'url'")
    db.run("DROP SERVER erp CASCADE; DROP SCHEMA shop CASCADE")
    db.server(address, schema="shop")
    assert "crm_leads" not in check(db)
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    assert db.report(ALL)["crm_leads"]["inserted"] == 3
    assert db.run("SELECT target, column_name FROM odoo_etl.added_columns WHERE NOT is_automatic") == []
    # Where tables are left, what was declared for them is kept.
    db.run("DROP SERVER erp CASCADE")
    db.server(address, schema="shop")
    assert db.report(ALL)["crm_leads"]["fetched"] >= 0
    assert "crm_leads" in check(db)


def test_check_tells_what_a_sync_would_refuse(db, fake):
    db.server(url(fake, f"version=19/only={db.name}"))
    db.run(ALL)
    clerk = f"clerk_{db.name}"
    db.run(f"CREATE ROLE {clerk}; GRANT USAGE ON FOREIGN SERVER erp TO {clerk}; REVOKE ALL ON SCHEMA public FROM PUBLIC")
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER erp OPTIONS (login 'admin', password 'admin')")
    db.run(f"GRANT USAGE ON SCHEMA public TO {clerk}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {clerk}")
    db.run(f"SET ROLE {clerk}")
    errors = {row[0]: row[2:4] for row in db.run("SELECT * FROM odoo_check() WHERE status = 'error'")}
    assert errors["dim_products"][0].endswith("INSERT, UPDATE") and errors["fact_stock"][0].endswith("INSERT, UPDATE, DELETE")
    assert "missing_data" in errors
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.run(SYNC)
    db.run("RESET ROLE")
    # The statements of the hints are enough.
    for _, hint in errors.values():
        db.run(hint)
    db.run(f"SET ROLE {clerk}")
    assert "error" not in {row[1] for row in db.run("SELECT * FROM odoo_check()")}
    db.run(SYNC)
    db.run("RESET ROLE; ALTER TABLE dim_products ALTER COLUMN barcode TYPE bytea USING NULL")
    assert 'column "barcode"' in check(db)["dim_products"][1]
    db.run("DROP TABLE fact_stock")
    db.run(f"SET ROLE {clerk}")
    assert "permission denied for schema" in check(db)["schema"][1]
    db.run(f"RESET ROLE; DROP OWNED BY {clerk} CASCADE; DROP ROLE {clerk}")


# Names.

def test_the_extensions_schema_may_be_renamed(db, fake):
    db.run("DROP EXTENSION odoo_etl; CREATE SCHEMA etl; CREATE EXTENSION odoo_etl SCHEMA etl; SET search_path = etl, public")
    db.server(url(fake, f"rows=40/only={db.name}"))
    db.run("CALL odoo_sync_job('products')")
    db.run("ALTER SCHEMA etl RENAME TO \"E T'L\"; SET search_path = \"E T'L\", public")
    db.run("CALL odoo_sync_job('products')")
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert verdict(db) == [(0, 1, 0)]
    db.run("CREATE SCHEMA live; IMPORT FOREIGN SCHEMA odoo LIMIT TO (product_product) FROM SERVER erp INTO live")
    assert db.value("SELECT obj_description('live.product_product'::regclass)")
    built = "SELECT odoo_domain('a', '=', 1)::text || odoo_domain('b', 'in', ARRAY['x', 'y'])::text || odoo_domain('c', '<', timestamp '2024-01-01')::text"
    assert db.value(built) == '[["a","=",1]][["b","in",["x","y"]]][["c","<","2024-01-01 00:00:00"]]'
    assert db.value("SELECT odoo_domain('a', '=', NULL::numeric)::text") == '[["a","=",false]]'
    with pytest.raises(psycopg2.errors.NullValueNotAllowed, match="field"):
        db.run("SELECT odoo_domain(NULL, '=', 1)")
    for statement in ("TABLE odoo_sync_status", "SELECT * FROM odoo_sync_chart()", "SELECT * FROM odoo_check()",
                      "SELECT * FROM odoo_products()", "SELECT * FROM odoo_mirror('product.category', 'mine')"):
        db.run(statement)


def test_the_schema_of_its_own_may_be_renamed(db, fake):
    own = '"O w\'n"'
    db.server(url(fake, f"rows=40/only={db.name}"))
    db.run("CALL odoo_sync_job('products')")
    db.run(f"ALTER SCHEMA odoo_etl RENAME TO {own}")
    # What has that name now is somebody else's.
    db.run("CREATE SCHEMA odoo_etl")
    for statement in (ALL, "CALL odoo_sync_job()", "SELECT odoo_add_column('dim_products', 'categ_id.name', 'category')", ALL,
                      "SELECT * FROM odoo_mirror('product.category', 'mine')", "SELECT * FROM odoo_check()",
                      "SELECT * FROM odoo_sync_chart()", "SELECT odoo_resume()", "SELECT * FROM odoo_products()"):
        db.run(statement)
    for view in ("odoo_sync_status", "odoo_sync_log", "odoo_columns", "odoo_mirrors"):
        assert db.value(f"SELECT count(*) FROM {view}") > 0, view
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert verdict(db) == [(0, 1, 0)]
    db.run("CREATE SCHEMA live; IMPORT FOREIGN SCHEMA odoo LIMIT TO (product_product) FROM SERVER erp INTO live")
    assert db.value("SELECT obj_description('live.product_product'::regclass)")
    db.run("SELECT odoo_forget('erp')")
    db.run("DROP EXTENSION odoo_etl CASCADE")
    assert db.value("SELECT to_regnamespace(%s) IS NULL", own)


NAMES = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' WHERE c.relkind IN ('r', 'S')"""


def test_tables_of_its_own_are_nowhere_else(db, fake):
    db.run("DROP EXTENSION odoo_etl; CREATE SCHEMA etl; CREATE EXTENSION odoo_etl SCHEMA etl")
    assert {schema for schema, _ in db.run(NAMES)} == {"odoo_etl"}
    assert db.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relkind IN ('r', 'S', 'i')") == 0


def test_all_of_it_may_be_in_one_schema(db, fake):
    """What users call is found there too; the schema is theirs, and stays."""
    db.run("DROP EXTENSION odoo_etl")
    with pytest.raises(psycopg2.errors.InvalidSchemaName, match='"odoo_etl" does not exist'):
        db.run("CREATE EXTENSION odoo_etl SCHEMA odoo_etl")
    db.run("CREATE SCHEMA odoo_etl; CREATE EXTENSION odoo_etl SCHEMA odoo_etl; SET search_path = odoo_etl, public")
    assert {schema for schema, _ in db.run(NAMES)} == {"odoo_etl"}
    db.server(url(fake, f"rows=40/only={db.name}"))
    for statement in ("CALL odoo_sync_job()", ALL, "SELECT * FROM odoo_check()", "SELECT * FROM odoo_products()"):
        db.run(statement)
    assert db.value("SELECT count(*) FROM odoo_sync_status") == TABLES
    db.run("ALTER SCHEMA odoo_etl RENAME TO etl; SET search_path = etl, public")
    db.run("CALL odoo_sync_job()")
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    assert verdict(db) == [(0, 1, 0)]
    db.run("DROP EXTENSION odoo_etl CASCADE")
    assert db.value("SELECT to_regnamespace('etl') IS NOT NULL")


def test_no_warehouse_is_in_the_schema_of_its_own(db, fake):
    """It would go with the extension."""
    db.server(url(fake, f"rows=40/only={db.name}"), schema="odoo_etl")
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='"odoo_etl" is the extension\'s own') as raised:
        db.run(ALL)
    db.run(raised.value.diag.message_hint.partition(": ")[2].replace("…", "shop"))
    assert db.report(ALL)["dim_products"]["inserted"] == 40
    db.run("DROP EXTENSION odoo_etl CASCADE")
    assert db.value("SELECT count(*) FROM shop.dim_products") == 40


def test_a_schema_of_somebody_else_is_not_taken(db):
    stranger = f"stranger_{db.name}"
    db.run(f"DROP EXTENSION odoo_etl; CREATE ROLE {stranger}; CREATE SCHEMA odoo_etl AUTHORIZATION {stranger}")
    with pytest.raises(psycopg2.errors.DuplicateSchema, match='schema "odoo_etl" already exists') as raised:
        db.run("CREATE EXTENSION odoo_etl")
    assert "RENAME" in raised.value.diag.message_hint
    for mend in ("ALTER SCHEMA odoo_etl OWNER TO postgres", f"REVOKE CREATE ON SCHEMA odoo_etl FROM {stranger}, PUBLIC"):
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="others than superusers"):
            db.run("CREATE EXTENSION odoo_etl SCHEMA odoo_etl")
        db.run(mend)
        if "OWNER" in mend:
            db.run("GRANT CREATE ON SCHEMA odoo_etl TO PUBLIC")
    assert db.value("SELECT count(*) FROM pg_extension WHERE extname = 'odoo_etl'") == 0
    db.run("CREATE EXTENSION odoo_etl SCHEMA odoo_etl")
    db.run(f"DROP OWNED BY {stranger}; DROP ROLE {stranger}")


def test_the_extension_stays_in_its_schema(db):
    db.run("CREATE SCHEMA etl")
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="SET SCHEMA"):
        db.run("ALTER EXTENSION odoo_etl SET SCHEMA etl")


@pytest.fixture
def leads(db, fake):
    return with_leads(Shop(db, fake, "version=19", schema="w"))


def test_a_mirrors_name_may_have_the_servers_schema(db, leads):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'w.leads')")
    db.run(ALL)
    assert db.value("SELECT count(*) FROM w.leads") == 3
    assert db.run("SELECT target FROM odoo_mirrors") == [("leads",)]
    assert db.value("SELECT odoo_add_column('w.dim_products', 'categ_id.name', 'category')") == "text"
    db.run("SELECT odoo_drop_column('w.dim_products', 'category')")
    db.run("SELECT odoo_mirror_drop('w.leads')")
    assert db.value("SELECT to_regclass('w.leads') IS NULL")


@pytest.mark.parametrize("target", ["x.leads", "w.x.leads", "w.", "leads.w"])
def test_another_schema_is_refused(db, fake, leads, target):
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="table name") as raised:
        db.run("SELECT * FROM odoo_mirror('crm.lead', %s)", target)
    assert target == "w." or '"w"' in raised.value.diag.message_detail
    assert len(fake.calls) == before


# EXPLAIN.

def test_a_plan_needs_odoo_once(db, fake):
    tables = "CREATE FOREIGN TABLE {} (id bigint, name text, categ_id bigint) SERVER erp OPTIONS (model 'product.product')"
    prefix = f"rows=40/only={db.name}"
    db.server(url(fake, prefix))
    db.run(tables.format("a"))
    db.run(tables.format("b"))
    explain = "EXPLAIN SELECT * FROM a JOIN b USING (id) WHERE a.categ_id = {}"
    db.run(explain.format(1))
    behaviour_of(f"/{prefix}").turn("status=500")
    before = len(fake.calls)
    for number in range(2, 6):
        db.run(explain.format(number))
        db.run("EXPLAIN SELECT * FROM a WHERE name = 'x'")
    # It looks for a count once, and does not wait for it again.
    assert len([prefix for _, prefix in fake.calls[before:] if db.name in prefix]) <= 2
    with pytest.raises(psycopg2.Error):
        db.run("SELECT * FROM a")
