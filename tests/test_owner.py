"""Whose rights a statement on a table of the warehouse uses: the owner's, whoever calls, so that
nobody's triggers, constraints and index functions run as somebody else."""

from contextlib import closing

import psycopg2
import pytest

from .conftest import url

DENIED = psycopg2.errors.InsufficientPrivilege

#: A function of the role low: it notes as whom it runs, and tries to gain more.
SPY = """CREATE FUNCTION low.note(what text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO low.seen VALUES (current_user, what);
        BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'SET SESSION AUTHORIZATION DEFAULT'; EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'ALTER ROLE low SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN what;
    END $$;
    CREATE FUNCTION low.spy(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN low.note(what); END $$;
    CREATE FUNCTION low.spy_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM low.spy(TG_ARGV[0]); RETURN NEW; END $$"""

TRIGGER = "CREATE TRIGGER {0} {1} ON m {2} EXECUTE FUNCTION low.spy_trigger('{0}')"

#: What runs low's code when rows of the table m are written, and how low makes it.
CODE = {
    "before": TRIGGER.format("before", "BEFORE INSERT OR UPDATE", "FOR EACH ROW"),
    "after": TRIGGER.format("after", "AFTER INSERT OR UPDATE", "FOR EACH ROW"),
    "statement": TRIGGER.format("statement", "AFTER INSERT", "FOR EACH STATEMENT"),
    "late": TRIGGER.format("late", "AFTER INSERT OR UPDATE", "DEFERRABLE FOR EACH ROW").replace(
        "CREATE", "CREATE CONSTRAINT"),
    "index": "CREATE INDEX ON m ((low.spy('index' || left(name, 0))))",
    "partial": "CREATE INDEX ON m (id) WHERE low.spy('partial' || left(name, 0)) IS NOT NULL",
    "default": "ALTER TABLE m ADD COLUMN by_default text DEFAULT low.spy('default')",
    "check": "ALTER TABLE m ADD CHECK (low.spy('check' || left(name, 0)) IS NOT NULL)",
    "generated": "ALTER TABLE m ADD COLUMN made text GENERATED ALWAYS AS (low.spy('generated' || left(name, 0))) STORED",
    "domain": """CREATE DOMAIN low.spied AS text CHECK (low.spy('domain' || left(VALUE, 0)) IS NOT NULL);
        ALTER TABLE m ADD COLUMN spied low.spied DEFAULT 'x'""",
}

SYNCS = [
    "SELECT * FROM odoo_sync('m', full_refresh => true)",
    "SELECT * FROM odoo_sync_all(full_refresh => true)",
    "SELECT * FROM odoo_reconcile('m')",
    "CALL odoo_sync_job('m', full_refresh => true)",
    "CALL odoo_sync_job('m', reconcile => true, scheduled => true)",
]


def share(db):
    """Gives a role of few rights a mirror in the superuser's warehouse."""
    db.run("""CREATE ROLE low LOGIN; CREATE SCHEMA low AUTHORIZATION low;
        GRANT USAGE ON FOREIGN SERVER erp TO low; GRANT CREATE ON SCHEMA public TO low;
        GRANT SELECT, INSERT, UPDATE, DELETE ON missing_data, odoo_deleted TO low;
        CREATE USER MAPPING FOR low SERVER erp OPTIONS (login 'admin', password 'admin')""")
    db.run("SET ROLE low")
    db.run("SELECT * FROM odoo_mirror('product.category', 'm')")
    db.run("CREATE TABLE low.seen (who name, what text)")
    db.run(SPY)
    db.run("RESET ROLE")


def unshare(db):
    db.run("RESET ROLE")
    db.run("DROP OWNED BY low CASCADE")
    db.run("DROP ROLE low")


def edit(db):
    """Makes the table's code; then there are rows to insert, and rows to update."""
    as_low(db, ";".join(CODE.values()))
    db.run("SELECT * FROM odoo_sync('m', full_refresh => true)")
    as_low(db, "DELETE FROM m WHERE id % 2 = 0; UPDATE m SET name = 'x'; TRUNCATE low.seen")


def require_seen_as_low(db):
    assert db.value("SELECT count(*) FROM m WHERE name = 'x'") == 0
    assert set(db.run("SELECT DISTINCT who, what FROM low.seen")) == {("low", what) for what in CODE}
    assert not is_superuser(db)


@pytest.fixture
def shared(db, fake):
    db.server(url(fake, "version=19"))
    db.run("SELECT * FROM odoo_sync_all()")
    share(db)
    yield db
    unshare(db)


def is_superuser(db):
    return db.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'low'")


def as_low(db, sql):
    """In a session of its own, whose role it cannot leave."""
    with closing(db.connect(user="low")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("sync", SYNCS)
def test_a_tables_code_runs_as_its_owner(shared, sync):
    edit(shared)
    shared.run(sync)
    require_seen_as_low(shared)


def test_so_does_what_a_verify_reads(shared):
    as_low(shared, """CREATE POLICY p ON m USING (low.spy('policy') IS NOT NULL);
        ALTER TABLE m ENABLE ROW LEVEL SECURITY; TRUNCATE low.seen""")
    shared.run("SELECT * FROM odoo_sync('m')")
    # The owner sees all its rows.
    assert shared.run("SELECT missing, stale, deleted FROM odoo_verify('m')") == [(0, 0, 0)]
    as_low(shared, "ALTER TABLE m FORCE ROW LEVEL SECURITY")
    for statement in ("SELECT * FROM odoo_verify('m')", *SYNCS[:1]):
        # Hidden rows would be taken for missing ones.
        with pytest.raises(DENIED, match='row-level security policy for table "m"'):
            shared.run(statement)
    assert shared.run("SELECT * FROM low.seen") == []
    assert not is_superuser(shared)


def test_so_does_what_a_new_column_runs(shared, fake):
    """A new stored column has every row written again."""
    as_low(shared, "; ".join(CODE[what] for what in ("index", "check", "generated")))
    shared.run("""CREATE FUNCTION public.ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO low.seen VALUES (current_user, tg_tag); END $$;
        CREATE EVENT TRIGGER ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.ddl()""")
    as_low(shared, "TRUNCATE low.seen")
    shared.run("SELECT odoo_add_column('m', 'parent_id.name', 'parent_name')")
    shared.run("SELECT odoo_drop_column('m', 'parent_name')")
    shared.run("DROP EVENT TRIGGER ddl")
    assert set(shared.run("SELECT DISTINCT who, what FROM low.seen")) >= {("low", "ALTER TABLE")}
    assert {who for who, in shared.run("SELECT who FROM low.seen")} == {"low"}
    assert not is_superuser(shared)


def test_deferred_code_would_run_as_the_caller_and_is_refused(shared):
    as_low(shared, CODE["late"].replace("DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"))
    as_low(shared, "TRUNCATE low.seen; DELETE FROM m")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match='deferred constraint "late"') as raised:
        shared.run("SELECT * FROM odoo_sync('m')")
    assert 'Run the sync as "low"' in raised.value.diag.message_hint
    rows = shared.report("SELECT * FROM odoo_sync_all()")
    assert (rows["m"]["status"], rows["dim_products"]["status"]) == ("failed", "ok")
    assert shared.run("SELECT * FROM low.seen") == []
    # As itself there is nobody's right to gain.
    as_low(shared, "SELECT * FROM odoo_sync('m', full_refresh => true)")
    assert shared.run("SELECT DISTINCT who FROM low.seen") == [("low",)]
    assert not is_superuser(shared)


def test_a_deferrable_constraint_cannot_be_deferred_by_a_trigger(shared):
    """SET CONSTRAINTS within a trigger lasts until the end of the transaction."""
    as_low(shared, CODE["late"] + """;
        CREATE FUNCTION low.defer() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NEW; END $$;
        CREATE TRIGGER a_defer BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION low.defer();
        TRUNCATE low.seen; DELETE FROM m""")
    with pytest.raises(psycopg2.Error, match="cannot fire deferred trigger within security-restricted operation"):
        shared.run("SELECT * FROM odoo_sync('m', full_refresh => true)")
    assert {who for who, in shared.run("SELECT who FROM low.seen")} <= {"low"}
    assert not is_superuser(shared)


def test_the_caller_needs_the_privileges(shared):
    """A role may load another's tables as far as it may write them itself."""
    shared.run("GRANT SELECT, INSERT ON dim_products TO low")
    shared.run("SET ROLE low")
    with pytest.raises(DENIED, match="permission denied for table dim_products"):
        shared.run("SELECT * FROM odoo_sync('products', full_refresh => true)")
    with pytest.raises(DENIED, match="permission denied for table dim_categories"):
        shared.run("SELECT * FROM odoo_verify('categories')")
    with pytest.raises(DENIED, match="must be owner of table dim_products"):
        shared.run("SELECT odoo_add_column('dim_products', 'default_code', 'code')")
    shared.run("RESET ROLE")
    shared.run("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO low")
    shared.run("UPDATE dim_products SET name = 'x'")
    shared.run("SET ROLE low")
    shared.run("SELECT * FROM odoo_sync('products', full_refresh => true)")
    assert shared.value("SELECT count(*) FROM dim_products WHERE name = 'x'") == 0


def test_denied_by_postgresql_is_no_right_that_odoo_denies(shared):
    """Such a table failed; a table of a model that the Odoo user may not read is left out."""
    shared.run("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO low; REVOKE INSERT ON dim_products FROM low")
    shared.run("SET ROLE low")
    rows = shared.report("SELECT * FROM odoo_sync_all(full_refresh => true)")
    assert (rows["dim_products"]["status"], rows["dim_categories"]["status"]) == ("failed", "ok")
    with pytest.raises(DENIED, match="could not sync products"):
        shared.run("CALL odoo_sync_job('products')")
    assert shared.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_products'") == "failed"


def test_tables_of_several_owners(shared, fake):
    """Each statement writes tables of one owner: what is missing goes to another's table."""
    shared.run("ALTER TABLE fact_sales_lines OWNER TO low")
    with pytest.raises(DENIED, match='table fact_sales_lines belongs to "low", who may not read all_sales') as raised:
        shared.run("SELECT * FROM odoo_sync('sales', full_refresh => true)")
    assert raised.value.diag.message_hint == 'GRANT SELECT ON "public"."all_sales" TO "low";'
    shared.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO low")
    shared.run("REVOKE INSERT, UPDATE, DELETE ON missing_data FROM low")
    # A reference that gets lost, and comes back.
    shared.run("ALTER SERVER erp OPTIONS (SET url %s)", url(fake, "version=19/hide=product.product:34"))
    shared.run("UPDATE fact_sales_lines SET product_id = NULL WHERE product_id = 34; DELETE FROM fact_stock WHERE product_id = 34; "
               "DELETE FROM fact_stock_moves WHERE product_id = 34; DELETE FROM dim_products WHERE id = 34")
    shared.run("SELECT * FROM odoo_sync('sales', full_refresh => true)")
    open_ = "SELECT count(*) FROM missing_data WHERE target = 'fact_sales_lines' AND missing_id = 34 AND resolved_at IS NULL"
    lost = shared.value(open_)
    assert lost > 0
    shared.run("ALTER SERVER erp OPTIONS (SET url %s)", url(fake, "version=19"))
    shared.run("SELECT * FROM odoo_sync_all(full_refresh => true)")
    assert shared.value(open_) == 0
    assert shared.value("SELECT count(*) FROM fact_sales_lines WHERE product_id = 34") == lost


def test_what_a_trigger_names_without_a_schema(shared):
    as_low(shared, """CREATE TABLE public.changes (id bigint);
        CREATE FUNCTION low.log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO changes VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER log BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION low.log(); DELETE FROM m""")
    with pytest.raises(psycopg2.errors.UndefinedTable, match='relation "changes" does not exist') as raised:
        shared.run("SELECT * FROM odoo_sync('m', full_refresh => true)")
    assert "search_path = pg_catalog, pg_temp" in raised.value.diag.message_hint
    as_low(shared, "ALTER FUNCTION low.log() SET search_path = public")
    shared.run("SELECT * FROM odoo_sync('m', full_refresh => true)")
    assert shared.value("SELECT count(*) FROM changes") == shared.value("SELECT count(*) FROM m")


#: What ends a job of the role low, and what undoes it.
CHANGES = [
    ("SET ROLE other", "SELECT 1"),
    ("RESET ROLE", "SELECT 1"),
    ("RESET ROLE; REVOKE USAGE ON FOREIGN SERVER erp FROM low; SET ROLE low",
     "GRANT USAGE ON FOREIGN SERVER erp TO low"),
    ("ALTER USER MAPPING FOR low SERVER erp OPTIONS (SET login 'other')",
     "ALTER USER MAPPING FOR low SERVER erp OPTIONS (SET login 'admin')"),
    ("DROP USER MAPPING FOR low SERVER erp",
     "CREATE USER MAPPING FOR low SERVER erp OPTIONS (login 'admin', password 'admin')"),
]


@pytest.fixture
def other(shared):
    shared.run("CREATE ROLE other; GRANT USAGE ON FOREIGN SERVER erp TO other")
    yield
    shared.run("RESET ROLE; DROP OWNED BY other; DROP ROLE other")


@pytest.mark.parametrize("change, undo", CHANGES)
def test_a_job_goes_on_for_whom_it_began_alone(shared, fake, other, change, undo):
    """Its session has logged in with somebody's secret."""
    shared.run("SET ROLE low")
    shared.run("SELECT odoo_etl.job_begin('m', 'erp', true, false, false)")
    shared.run(change)
    calls = len(fake.calls)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="there is no job of the current role"):
        shared.run("SELECT odoo_etl.job_step()")
    assert len(fake.calls) == calls
    shared.run("RESET ROLE")
    shared.run(undo)
    shared.run("SET ROLE low")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="^there is no job\\n"):
        shared.run("SELECT odoo_etl.job_step()")
    shared.run("CALL odoo_sync_job('m')")
