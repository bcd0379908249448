"""Who may do what, where secrets are, and which hosts are asked."""

import re
import shutil
from contextlib import closing

import psycopg2
import pytest

from .conftest import BY_PASSWORD, TABLES, Database, require_extension, require_failpoints, url
from .lab import places, ports
from .lab.postgres import Cluster

SECRET = "s3cr3t-canary"

DENIED = psycopg2.errors.InsufficientPrivilege

#: What a role without USAGE on any server gets from each object of the extension: PostgreSQL's
#: own refusal, no server to use, no rows, or a harmless answer.
STATEMENTS = {
    "cast from character varying to odoo_domain": ("SELECT 1 WHERE '[]'::varchar::odoo_domain::text = ''", None),
    "cast from jsonb to odoo_domain": ("SELECT 1 WHERE '[]'::jsonb::odoo_domain::text = ''", None),
    "cast from odoo_domain to jsonb": ("SELECT 1 WHERE '[]'::odoo_domain::jsonb = '{}'", None),
    "cast from text to odoo_domain": ("SELECT 1 WHERE '[]'::text::odoo_domain::text = ''", None),
    "function odoo_call(text,text,jsonb,jsonb,text)": ("SELECT odoo_call('x.y', 'z', server => 'erp')", DENIED),
    "function odoo_check(text)": ("SELECT odoo_check('erp')", DENIED),
    "function odoo_connections()": ("SELECT odoo_connections()", None),
    "function odoo_count(text,odoo_domain,text,jsonb)": ("SELECT odoo_count('x.y', server => 'erp')", DENIED),
    "function odoo_create_reports(text,text)": ("SELECT odoo_create_reports('mine', 'erp')", DENIED),
    "function odoo_create(text,jsonb,text)": ("SELECT odoo_create('x.y', '{}', server => 'erp')", DENIED),
    "function odoo_disconnect(text)": ("SELECT 1 WHERE odoo_disconnect('erp')", None),
    "function odoo_disconnect_all()": ("SELECT 1 WHERE odoo_disconnect_all()", None),
    "function odoo_drop_reports(text)": ("SELECT odoo_drop_reports('public')", psycopg2.errors.UndefinedObject),
    "function odoo_domain(text,text,anyelement)": ("SELECT 1 WHERE odoo_domain('a', '=', 1)::text = ''", None),
    "function odoo_domain(text,text,date)": ("SELECT 1 WHERE odoo_domain('a', '=', current_date)::text = ''", None),
    "function odoo_domain(text,text,jsonb)": ("SELECT 1 WHERE odoo_domain('a', '=', '1'::jsonb)::text = ''", None),
    "function odoo_domain(text,text,text)": ("SELECT 1 WHERE odoo_domain('a', '=', 'b')::text = ''", None),
    "function odoo_domain(text,text,timestamp with time zone)": ("SELECT 1 WHERE odoo_domain('a', '=', now())::text = ''", None),
    "function odoo_domain(text,text,timestamp without time zone)":
        ("SELECT 1 WHERE odoo_domain('a', '=', localtimestamp)::text = ''", None),
    "function odoo_domain_and(odoo_domain,odoo_domain)": ("SELECT 1 WHERE odoo_domain_and('[]', '[]')::text = ''", None),
    "function odoo_domain_in(cstring)": ("SELECT 1 WHERE odoo_domain_in('[]')::text = ''", None),
    "function odoo_domain_not(odoo_domain)": ("SELECT 1 WHERE odoo_domain_not('[]')::text = ''", None),
    "function odoo_domain_or(odoo_domain,odoo_domain)": ("SELECT 1 WHERE odoo_domain_or('[]', '[]')::text = ''", None),
    "function odoo_domain_out(odoo_domain)": ("SELECT 1 WHERE odoo_domain_out('[]')::text = ''", None),
    "function odoo_fields(text,text)": ("SELECT odoo_fields('x.y', 'erp')", DENIED),
    "event trigger odoo_comment_imported": ("ALTER EVENT TRIGGER odoo_comment_imported DISABLE", DENIED),
    "function odoo_etl.comment_imported()": ("SELECT odoo_etl.comment_imported()", psycopg2.errors.FeatureNotSupported),
    "function odoo_etl.fdw_handler()": ("SELECT odoo_etl.fdw_handler()", psycopg2.errors.FeatureNotSupported),
    "function odoo_etl.import_comments(text,text)": ("SELECT odoo_etl.import_comments('public', 'x')", None),
    "function odoo_etl.fdw_validator(text[],oid)": ("SELECT odoo_etl.fdw_validator('{}', 0)", None),
    "function odoo_forget(text)": ("SELECT odoo_forget('erp')", DENIED),
    "function odoo_employees(timestamp with time zone,bigint,bigint,text)": ("SELECT odoo_employees(server => 'erp')", DENIED),
    "function odoo_live(text,timestamp with time zone,odoo_domain,bigint,text)":
        ("SELECT odoo_live('dim_products', server => 'erp')", DENIED),
    "function odoo_add_column(text,text,text,text)": ("SELECT odoo_add_column('dim_products', 'x', server => 'erp')", DENIED),
    "function odoo_drop_column(text,text,text)": ("SELECT odoo_drop_column('dim_products', 'x', 'erp')", DENIED),
    "function odoo_mirror(text,text,text[],odoo_domain,boolean,text)": ("SELECT odoo_mirror('x.y', server => 'erp')", DENIED),
    "function odoo_mirror_drop(text,text)": ("SELECT odoo_mirror_drop('x', 'erp')", DENIED),
    "function odoo_create_model(text,text)": ("SELECT odoo_create_model(server => 'erp')", DENIED),
    "function odoo_union(text,text)": ("SELECT odoo_union('dim_products')", psycopg2.errors.UndefinedObject),
    "function odoo_dashboard(text,text,text)": ("SELECT odoo_dashboard(server => 'erp')", DENIED),
    "function odoo_enable(text,text)": ("SELECT odoo_enable('invoices', 'erp')", DENIED),
    "function odoo_disable(text,text)": ("SELECT odoo_disable('invoices', 'erp')", DENIED),
    "function odoo_keep_history(text,text)": ("SELECT odoo_keep_history('dim_products', 'erp')", DENIED),
    "function odoo_forget_history(text,text)": ("SELECT odoo_forget_history('dim_products', 'erp')", DENIED),
    "function odoo_etl.partition_step(text,bigint,text)": ("SELECT odoo_etl.partition_step('all_sales', 10, 'erp')", DENIED),
    "function odoo_partition(text,bigint,text)": ("CALL odoo_partition('all_sales', 10, 'erp')", DENIED),
    "function odoo_retain(text,interval,text,boolean)": ("SELECT odoo_retain('sales', '1 year', 'erp')", DENIED),
    "function odoo_models(text)": ("SELECT odoo_models('erp')", DENIED),
    "function odoo_partners(timestamp with time zone,text,boolean,boolean,bigint,text)":
        ("SELECT odoo_partners(server => 'erp')", DENIED),
    "function odoo_pos_orders(timestamp with time zone,timestamp with time zone,bigint,text,bigint,text)":
        ("SELECT odoo_pos_orders(server => 'erp')", DENIED),
    "function odoo_products(timestamp with time zone,text,bigint,text,text,bigint,text)":
        ("SELECT odoo_products(server => 'erp')", DENIED),
    "function odoo_promotions(timestamp with time zone,boolean,bigint,text)": ("SELECT odoo_promotions(server => 'erp')", DENIED),
    "function odoo_rate(text,bigint,date,text)": ("SELECT odoo_rate('EUR', 1, current_date, 'erp')", DENIED),
    "function odoo_read(text,odoo_domain,text[],bigint,bigint,text,text,jsonb)":
        ("SELECT odoo_read('x.y', server => 'erp')", DENIED),
    "function odoo_reconcile(text,text)": ("SELECT odoo_reconcile('products', 'erp')", DENIED),
    "function odoo_resume(text)": ("SELECT odoo_resume('erp')", DENIED),
    "function odoo_etl.row_edited()": ("SELECT odoo_etl.row_edited()", psycopg2.errors.FeatureNotSupported),
    "function odoo_etl.run_goes_on(bigint)": ("SELECT 1 WHERE odoo_etl.run_goes_on(1)", None),
    "function odoo_schedule(text,text,interval,text)":
        ("SELECT odoo_schedule('all', '0 1 * * *', interval '5 seconds', 'erp')", DENIED),
    "function odoo_schedule(text,text,text,boolean)": ("SELECT odoo_schedule('all', '0 1 * * *', 'erp')", DENIED),
    "function odoo_search(text,odoo_domain,text,bigint,bigint,text,jsonb)": ("SELECT odoo_search('x.y', server => 'erp')", DENIED),
    "function odoo_etl.server_visible(text)": ("SELECT 1 WHERE odoo_etl.server_visible('erp')", None),
    "function odoo_stock(timestamp with time zone,bigint,bigint,bigint,bigint,text)": ("SELECT odoo_stock(server => 'erp')", DENIED),
    "function odoo_stock_on(date,text)": ("SELECT odoo_stock_on('2024-01-01')", DENIED),
    # It tells what pg_foreign_server tells everybody.
    "function odoo_etl.schema_of(text)": ("SELECT 1 WHERE odoo_etl.schema_of('erp') <> 'public'", None),
    "function odoo_sync(text,text,boolean)": ("SELECT odoo_sync('products', 'erp')", DENIED),
    "function odoo_sync_all(text,boolean)": ("SELECT odoo_sync_all('erp')", DENIED),
    "function odoo_sync_chart(text,integer)": ("SELECT odoo_sync_chart()", None),
    "function odoo_sync_job(text,text,boolean,boolean,boolean)": ("CALL odoo_sync_job('all', 'erp')", DENIED),
    "function odoo_etl.job_begin(text,text,boolean,boolean,boolean)":
        ("SELECT odoo_etl.job_begin('all', 'erp', false, false, false)", DENIED),
    "function odoo_etl.job_end()": ("SELECT odoo_etl.job_end()", psycopg2.errors.ObjectNotInPrerequisiteState),
    "function odoo_etl.job_step()": ("SELECT odoo_etl.job_step()", psycopg2.errors.ObjectNotInPrerequisiteState),
    "function odoo_follow(text,interval,interval,text)": ("CALL odoo_follow('all', every => '1 second', until => '1 second', server => 'erp')", DENIED),
    "function odoo_etl.follow_begin(text,interval,interval,text)":
        ("SELECT odoo_etl.follow_begin('all', '5 seconds', '55 seconds', 'erp')", DENIED),
    "function odoo_etl.follow_end()": ("SELECT odoo_etl.follow_end()", psycopg2.errors.ObjectNotInPrerequisiteState),
    "function odoo_etl.follow_step()": ("SELECT odoo_etl.follow_step()", psycopg2.errors.ObjectNotInPrerequisiteState),
    "function odoo_wake(text,text)": ("SELECT odoo_wake('sales', 'erp')", DENIED),
    "function odoo_unlink(text,bigint[],text)": ("SELECT odoo_unlink('x.y', '{1}', 'erp')", DENIED),
    "function odoo_unschedule(text,text,boolean)": ("SELECT 1 WHERE odoo_unschedule('all', 'erp')", None),
    "function odoo_verify(text,text)": ("SELECT odoo_verify('products', 'erp')", DENIED),
    "function odoo_version(text)": ("SELECT odoo_version('erp')", DENIED),
    "function odoo_write(text,bigint[],jsonb,text)": ("SELECT odoo_write('x.y', '{1}', '{}', 'erp')", DENIED),
    "operator !(NONE,odoo_domain)": ("SELECT 1 WHERE (! '[]'::odoo_domain)::text = ''", None),
    "operator &(odoo_domain,odoo_domain)": ("SELECT 1 WHERE ('[]'::odoo_domain & '[]')::text = ''", None),
    "operator |(odoo_domain,odoo_domain)": ("SELECT 1 WHERE ('[]'::odoo_domain | '[]')::text = ''", None),
    "type odoo_domain": ("SELECT 1 WHERE '[]'::odoo_domain::text = ''", None),
    **{f"type {name}": (f"SELECT 1 WHERE (NULL::{name}).id IS NOT NULL", None)
       for name in ("odoo_employee", "odoo_partner", "odoo_pos_order", "odoo_product", "odoo_promotion", "odoo_quant")},
    "foreign-data wrapper odoo_fdw":
        ("CREATE SERVER mine FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'http://127.0.0.1', database 'x')", DENIED),
    "schema odoo_etl": ("CREATE TABLE odoo_etl.mine ()", DENIED),
    "sequence odoo_etl.run": ("SELECT nextval('odoo_etl.run')", DENIED),
    "sequence odoo_etl.added_columns_position_seq": ("SELECT nextval('odoo_etl.added_columns_position_seq')", DENIED),
    "table odoo_etl.added_columns": ("TABLE odoo_etl.added_columns", DENIED),
    "table odoo_etl.columns": ("TABLE odoo_etl.columns", DENIED),
    "table odoo_etl.denied": ("TABLE odoo_etl.denied", DENIED),
    "table odoo_etl.detached": ("TABLE odoo_etl.detached", DENIED),
    "table odoo_etl.enabled": ("TABLE odoo_etl.enabled", DENIED),
    "table odoo_etl.histories": ("TABLE odoo_etl.histories", DENIED),
    "table odoo_etl.partitions": ("TABLE odoo_etl.partitions", DENIED),
    "table odoo_etl.mirrors": ("TABLE odoo_etl.mirrors", DENIED),
    "table odoo_etl.cache": ("TABLE odoo_etl.cache", DENIED),
    "table odoo_etl.quarantine": ("TABLE odoo_etl.quarantine", DENIED),
    "table odoo_etl.relations": ("TABLE odoo_etl.relations", DENIED),
    "table odoo_etl.runs": ("TABLE odoo_etl.runs", DENIED),
    "table odoo_etl.schedules": ("TABLE odoo_etl.schedules", DENIED),
    "table odoo_etl.first_loads": ("TABLE odoo_etl.first_loads", DENIED),
    "table odoo_etl.servers": ("TABLE odoo_etl.servers", DENIED),
    "table odoo_etl.state": ("TABLE odoo_etl.state", DENIED),
    "table odoo_etl.stops": ("TABLE odoo_etl.stops", DENIED),
    "table odoo_etl.unwatched": ("TABLE odoo_etl.unwatched", DENIED),
    "table odoo_etl.wakes": ("TABLE odoo_etl.wakes", DENIED),
    "table odoo_etl.watermarks": ("TABLE odoo_etl.watermarks", DENIED),
    "view odoo_quarantine": ("TABLE odoo_quarantine", None),
    "view odoo_status": ("TABLE odoo_status", None),
    "view odoo_sync_log": ("TABLE odoo_sync_log", None),
    "view odoo_columns": ("TABLE odoo_columns", None),
    "view odoo_mirrors": ("TABLE odoo_mirrors", None),
    "view odoo_schedules": ("TABLE odoo_schedules", None),
    "view odoo_sync_progress": ("TABLE odoo_sync_progress", None),
    "view odoo_sync_status": ("TABLE odoo_sync_status", None),
}

#: Without the row types of tables and the types of arrays, which from 17 on are members too.
OBJECTS = """SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')
      AND NOT EXISTS (SELECT FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
          WHERE classid = 'pg_type'::regclass AND pg_type.oid = objid AND (typcategory = 'A' OR relkind <> 'c'))"""


@pytest.fixture
def stranger(db, fake):
    """A server, and a role that may nothing."""
    db.server(url(fake, "version=19/poison=res.partner:10:street"))
    db.run("CREATE ROLE nobody_special")
    yield db
    db.run("RESET ROLE")
    db.run("DROP OWNED BY nobody_special CASCADE")
    db.run("DROP ROLE nobody_special")


@pytest.fixture
def filled(stranger):
    """A warehouse with something in every table of the extension, besides."""
    stranger.run("SELECT * FROM odoo_sync_all()")
    return stranger


def test_a_role_without_usage_gets_nothing_of_anything(filled):
    assert {name for name, in filled.run(OBJECTS)} == set(STATEMENTS)
    filled.run("SET ROLE nobody_special")
    for name, (statement, expected) in STATEMENTS.items():
        if expected is None:
            assert not [row for row in filled.run(statement) if row != ("",)], name
        else:
            with pytest.raises(expected):
                filled.run(statement)


def with_usage(filled):
    filled.run("GRANT USAGE ON FOREIGN SERVER erp TO nobody_special")
    filled.run("SET ROLE nobody_special")


def test_a_role_with_usage_may_not_write_by_hand(filled):
    with_usage(filled)
    for name in STATEMENTS:
        kind, _, table = name.partition(" ")
        if kind in ("table", "view"):
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES", f"TRUNCATE {table}",
                              f"UPDATE {table} SET server = 'x'"):
                with pytest.raises((DENIED, psycopg2.errors.WrongObjectType, psycopg2.errors.ObjectNotInPrerequisiteState)):
                    filled.run(statement)
    # What it may see of them.
    assert filled.value("SELECT count(*) FROM odoo_sync_log") > 0
    assert filled.value("SELECT count(*) FROM odoo_quarantine") == 1
    assert filled.value("SELECT count(*) FROM odoo_sync_status") == TABLES
    with pytest.raises(DENIED, match="forget server"):
        filled.run("SELECT odoo_forget('erp')")


def test_a_role_with_usage_and_a_mapping_syncs_into_a_schema_of_its_own(filled, fake):
    filled.run("CREATE SCHEMA own AUTHORIZATION nobody_special")
    filled.server(url(fake, "version=19"), name="second", schema="own")
    filled.run("GRANT USAGE ON FOREIGN SERVER second TO nobody_special")
    filled.run("SET ROLE nobody_special")
    with pytest.raises(psycopg2.errors.UndefinedObject, match="no user mapping"):
        filled.run("SELECT * FROM odoo_sync('products', 'second')")
    filled.run("CREATE USER MAPPING FOR CURRENT_USER SERVER second OPTIONS (login 'admin', password 'admin')")
    for statement in ("SELECT * FROM odoo_sync_all('second')", "CALL odoo_sync_job('all', 'second')",
                      "SELECT * FROM odoo_reconcile('products', 'second')", "SELECT * FROM odoo_verify('products', 'second')",
                      "SELECT * FROM odoo_check('second')", "SELECT * FROM odoo_read('res.partner', server => 'second')"):
        filled.run(statement)
    assert filled.value("SELECT tableowner FROM pg_tables WHERE schemaname = 'own' AND tablename = 'dim_products'") == "nobody_special"
    # The other's mapping stays the other's.
    assert filled.run("SELECT umoptions FROM pg_user_mappings WHERE usename = 'postgres'") == [(None,), (None,)]
    with pytest.raises(DENIED):
        filled.run("TABLE pg_user_mapping")


def test_what_a_role_has_run_for_it_runs_as_itself(filled, fake):
    """A trigger on one's own table, and functions that shadow PostgreSQL's, gain no rights."""
    filled.run("CREATE SCHEMA own AUTHORIZATION nobody_special")
    filled.server(url(fake, "version=19"), name="second", schema="own")
    filled.run("GRANT USAGE ON FOREIGN SERVER second TO nobody_special")
    filled.run("SET ROLE nobody_special")
    filled.run("CREATE USER MAPPING FOR CURRENT_USER SERVER second OPTIONS (login 'admin', password 'admin')")
    filled.run("SELECT * FROM odoo_sync('products', 'second')")
    filled.run("""CREATE TABLE own.seen (who name, what text);
        CREATE FUNCTION own.spy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO own.seen VALUES (current_user, TG_TABLE_NAME); RETURN NEW; END $$;
        CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON own.dim_products FOR EACH ROW EXECUTE FUNCTION own.spy();
        CREATE FUNCTION own.spied(text) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO own.seen VALUES (current_user, 'shadow'); RETURN $1; END $$;
        CREATE FUNCTION own.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT own.spied('x')::timestamptz $$;
        CREATE FUNCTION own.to_regclass(text) RETURNS regclass LANGUAGE sql AS $$ SELECT own.spied('x')::regclass $$;
        CREATE FUNCTION own.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT own.spied('1')::bigint $$;
        CREATE FUNCTION own.same(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT own.spied('t')::boolean $$;
        CREATE OPERATOR own.= (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same);
        CREATE TABLE own.pg_foreign_server (x int)""")
    filled.run("SET search_path = own, pg_catalog, public")
    filled.run("DELETE FROM own.dim_products")
    filled.run("SELECT * FROM public.odoo_sync('products', 'second', full_refresh => true)")
    filled.run("CALL public.odoo_sync_job('products', 'second')")
    filled.run("TABLE public.odoo_sync_status")
    found = set(filled.run("SELECT who, what FROM own.seen"))
    assert found == {("nobody_special", "dim_products")}


SETTINGS = ["allowed_hosts", "debug_without", "deleted_retention", "log_level", "log_retention"]


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_superusers(stranger, name, loaded):
    if name == "debug_without":
        require_failpoints(stranger)
    with closing(stranger.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE nobody_special")
        if loaded:
            cursor.execute("SELECT odoo_etl.server_visible('erp'), odoo_etl.fdw_validator('{}', 0)")
        values = {"allowed_hosts": "evil", "debug_without": "bisect", "deleted_retention": "1", "log_level": "off", "log_retention": "1"}
        try:
            cursor.execute(f"SET odoo_etl.{name} = '{values[name]}'")
            assert not loaded
        except DENIED:
            assert loaded
        # A value that was set before the library came is not taken over.
        cursor.execute("SELECT odoo_etl.fdw_validator('{}', 0)")
        cursor.execute(f"SHOW odoo_etl.{name}")
        assert cursor.fetchone()[0] != values[name]


@pytest.fixture
def key(folder):
    path = folder / "key"
    path.write_text("admin\n")
    path.chmod(0o600)
    shutil.chown(path, places.SERVICE_USER)
    yield path
    path.unlink(missing_ok=True)


def mapping(db, path, statement="CREATE USER MAPPING FOR CURRENT_USER SERVER erp"):
    db.run(f"{statement} OPTIONS (login 'admin', api_key_file '{path}')")


@pytest.fixture
def unmapped(db, fake):
    db.server(url(fake))
    db.run("DROP USER MAPPING FOR CURRENT_USER SERVER erp")
    return db


def test_a_key_in_a_file(unmapped, key):
    # Over web there are no keys.
    unmapped.run("ALTER SERVER erp OPTIONS (SET protocol 'auto')")
    mapping(unmapped, key)
    assert unmapped.report("SELECT * FROM odoo_sync('products')")["dim_products"]["inserted"] == 12
    key.chmod(0o640)
    with pytest.raises(psycopg2.Error, match="may be read or written by others") as raised:
        unmapped.run("SELECT * FROM odoo_sync('products')")
    assert "0640" in raised.value.diag.message_detail
    key.unlink()
    with pytest.raises(psycopg2.Error, match="could not read api_key_file"):
        unmapped.run("SELECT * FROM odoo_sync('products')")


@pytest.mark.parametrize("mode, text, error", [
    (0o644, "admin", "may be read or written by others"), (0o620, "admin", "may be read or written by others"),
    (0o600, " \n", "is empty")])
def test_a_file_that_is_no_key(unmapped, key, mode, text, error):
    key.write_text(text)
    key.chmod(mode)
    with pytest.raises(psycopg2.Error, match=error):
        mapping(unmapped, key)


def test_a_path_that_is_none_and_a_second_secret(unmapped, key):
    with pytest.raises(psycopg2.Error, match="invalid value"):
        mapping(unmapped, "key")
    with pytest.raises(psycopg2.Error, match="exclude each other"):
        unmapped.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'x', password 'y', api_key_file '{key}')")


def test_a_file_is_for_those_who_may_read_files(unmapped, key):
    unmapped.run("CREATE ROLE clerk")
    unmapped.run("GRANT USAGE ON FOREIGN SERVER erp TO clerk")
    unmapped.run("SET ROLE clerk")
    with pytest.raises(DENIED, match="api_key_file") as raised:
        mapping(unmapped, key)
    assert "pg_read_server_files" in raised.value.diag.message_detail
    unmapped.run("CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'x')")
    with pytest.raises(DENIED, match="api_key_file"):
        unmapped.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD api_key_file '{key}')")
    unmapped.run("RESET ROLE")
    unmapped.run("GRANT pg_read_server_files TO clerk")
    unmapped.run("SET ROLE clerk")
    unmapped.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD api_key_file '{key}')")
    unmapped.run("SELECT * FROM odoo_check()")
    unmapped.run("RESET ROLE")
    unmapped.run("DROP OWNED BY clerk CASCADE")
    unmapped.run("DROP ROLE clerk")


@pytest.mark.parametrize("allowed, host, works", [
    ("", "127.0.0.1", True), ("", "localhost", True), ("localhost", "localhost", True), ("localhost", "127.0.0.1", False),
    ("127.0.0.0/8", "127.0.0.1", True), ("127.0.0.0/8, ::1", "localhost", True), ("*.example.com", "127.0.0.1", False)])
def test_allowed_hosts(db, fake, allowed, host, works):
    db.server(url(fake, host=host))
    db.run(f"SET odoo_etl.allowed_hosts = '{allowed}'")
    before = fake.connections
    if works:
        assert db.report("SELECT * FROM odoo_sync('products')")
    else:
        with pytest.raises(DENIED, match=host) as raised:
            db.run("SELECT * FROM odoo_sync('products')")
        assert "odoo_etl.allowed_hosts" in raised.value.diag.message_hint
        assert fake.connections == before


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200"])
def test_addresses_of_clouds_are_not_asked(db, host):
    db.server(f"http://{host}")
    with pytest.raises(DENIED, match="link-local or a cloud's own"):
        db.run("SELECT * FROM odoo_sync('products')")


def test_nonsense_in_allowed_hosts(db, fake):
    db.server(url(fake))
    db.run("SET odoo_etl.allowed_hosts = 'http://x/'")
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="allowed_hosts"):
        db.run("SELECT * FROM odoo_sync('products')")


def test_without_encryption_there_is_one_warning(db, fake):
    db.server("http://no-such-host.invalid")
    for _ in range(2):
        with pytest.raises(psycopg2.Error):
            db.run("SELECT * FROM odoo_sync('products')")
    assert db.notices.count("is asked without encryption") == 1
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake)}')")
    db.run("SELECT * FROM odoo_sync('products')")
    assert db.notices.count("is asked without encryption") == 1


@pytest.fixture(scope="module")
def watched(folder):
    """A cluster that logs and remembers every statement."""
    require_extension("pg_stat_statements")
    settings = {"fsync": "off", "log_min_messages": "debug2", "log_statement": "all",
                "shared_preload_libraries": "pg_stat_statements"}
    cluster = Cluster(folder / "watched", ports.free(1)[0], settings)
    cluster.init()
    cluster.start()
    yield cluster
    cluster.stop("immediate")


@pytest.mark.parametrize("kind", ["password", "api_key", "api_key_file"])
@pytest.mark.parametrize("behaviour", ["", "status=500@read", "body=html@search", "fault=1@read", "cut@read"])
def test_the_secret_is_nowhere(watched, fake, key, monkeypatch, kind, behaviour):
    monkeypatch.setattr("tests.fake.behaviour.Behaviour.users", {2: SECRET})
    db = Database(watched)
    db.run("CREATE EXTENSION pg_stat_statements")
    db.server(url(fake, behaviour), protocol=BY_PASSWORD)
    key.write_text(SECRET)
    value = key if kind == "api_key_file" else SECRET
    # The statement itself may be logged, as that of CREATE ROLE may.
    db.run("SET log_statement = none; SET log_min_messages = panic; SET pg_stat_statements.track = none")
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD {kind} '{value}')")
    db.run("RESET log_statement; RESET log_min_messages; RESET pg_stat_statements.track")
    texts = []
    with closing(db.connect()) as listener:
        listener.cursor().execute("LISTEN odoo_etl")
        for name, (statement, _) in STATEMENTS.items():
            try:
                texts.append(str(db.run(statement) if not statement.startswith("CREATE") else ""))
            except psycopg2.Error as error:
                texts += [str(error), str(error.diag.message_detail), str(error.diag.context), str(error.diag.message_hint)]
        listener.poll()
        texts += [notice.payload for notice in listener.notifies]
    texts.append(db.notices)
    texts.append(str(db.run("SELECT query FROM pg_stat_activity")))
    texts.append(str(db.run("SELECT query FROM pg_stat_statements")))
    texts.append(watched.log.read_text())
    db.run("DROP ROLE IF EXISTS dumper; CREATE ROLE dumper LOGIN; GRANT pg_read_all_data TO dumper")
    dump = watched.client("pg_dump", "-U", "dumper", db.name)
    texts.append(places.run(dump, "pg_dump", env=places.service_environment()))
    assert "odoo_etl.runs" in texts[-1]
    assert not [text for text in texts if SECRET in text]
    # It would be found where it is.
    if kind != "api_key_file":
        assert SECRET in str(db.run("SELECT umoptions FROM pg_user_mapping"))
    db.connection.close()


def test_the_statements_of_the_page_run(db):
    page = (places.CHECKOUT / "docs/security.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for statement in [s for block in blocks for s in block.split(";\n") if s.strip()]:
        db.run(statement)
    db.run("ALTER SYSTEM RESET odoo_etl.allowed_hosts")
    db.run("DROP SERVER shop CASCADE")
    db.run("DROP SCHEMA shop")
    db.run("DROP ROLE bi")


@pytest.mark.parametrize("name", ["with space", 'quo"te', "apo'strophe", "back\\slash", "Größe", "select", "%s {} $1", "x" * 63])
def test_odd_names_of_servers_schemas_and_roles(db, fake, name):
    quoted = '"' + name.replace('"', '""') + '"'
    literal = "'" + name.replace("'", "''") + "'"
    db.run(f"CREATE ROLE {quoted}")
    db.run(f"CREATE SCHEMA {quoted} AUTHORIZATION {quoted}")
    db.run(f"CREATE SERVER {quoted} FOREIGN DATA WRAPPER odoo_fdw "
           f"OPTIONS (url '{url(fake, 'version=19/poison=res.partner:10:street')}', database 'demo', retries '0', schema {literal})")
    db.run(f"GRANT USAGE ON FOREIGN SERVER {quoted} TO {quoted}")
    db.run(f"SET ROLE {quoted}")
    db.run(f"CREATE USER MAPPING FOR {quoted} SERVER {quoted} OPTIONS (login 'admin', password 'admin')")
    for statement in ("SELECT * FROM odoo_sync_all(%s)", "CALL odoo_sync_job('all', %s, full_refresh => true)",
                      "CALL odoo_sync_job('sales', %s, reconcile => true)", "SELECT * FROM odoo_check(%s)",
                      "SELECT * FROM odoo_verify('sales', %s)", "SELECT * FROM odoo_sync_chart(%s)",
                      "SELECT odoo_resume(%s)", "SELECT odoo_unschedule('all', %s)"):
        db.run(statement, name)
    assert db.value("SELECT count(*) FROM odoo_sync_status WHERE server = %s AND state IN ('idle', 'absent', 'partial')", name) == TABLES
    assert db.value("SELECT count(*) FROM odoo_quarantine WHERE server = %s", name) == 1
    db.run("SELECT odoo_forget(%s)", name)
    db.run("RESET ROLE")
    db.run(f"DROP OWNED BY {quoted} CASCADE")
    db.run(f"DROP ROLE {quoted}")
