"""First loads: a table has its primary key alone until its last page is in; then it gets the foreign keys
and indexes that it would have had from the beginning, whatever comes in between."""

import time
from contextlib import closing

import psycopg2
import pytest

from .conftest import Database, url
from .test_dump import copy_of, dump, restore
from .test_job import in_background, wait_for_rows

ALL, JOB = "SELECT * FROM odoo_sync_all()", "CALL odoo_sync_job()"

OURS = "'^(dim|fact|all)_'"

#: All that tables have beside their columns and rows.
SHAPE = f"""SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
    WHERE conrelid::regclass::text ~ {OURS} AND contype <> 'n'
    UNION ALL SELECT tablename, indexname, indexdef, true FROM pg_indexes WHERE tablename ~ {OURS} ORDER BY 1, 2, 3"""

OWED = "SELECT target FROM odoo_etl.first_loads ORDER BY 1"


@pytest.fixture(scope="module")
def usual(cluster, fake):
    """What tables have whose keys were there before their rows. So the first release's script has it."""
    db = Database(cluster)
    db.run("DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl VERSION '0.1.0'")
    db.server(url(fake, "version=19"))
    db.run(ALL)
    yield db.run(SHAPE)
    db.connection.close()
    cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


def of(table, shape):
    return [row for row in shape if row[0] == table]


def keys(table, shape):
    """Without the primary key."""
    return [row for row in of(table, shape) if not row[1].endswith("_pkey")]


def verdict(db):
    return db.run("SELECT target, missing, stale, deleted FROM odoo_verify('all') WHERE missing + stale + deleted > 0")


def at_pieces(db, action, condition="true", tags="'CREATE INDEX', 'ALTER TABLE'"):
    """Does something in the transaction that makes an index or a key, of those whose number `n` meets a condition."""
    db.run(f"""CREATE SEQUENCE pieces;
        CREATE FUNCTION at_piece() RETURNS event_trigger LANGUAGE plpgsql AS $$
        DECLARE n bigint := nextval('public.pieces');
        BEGIN IF {condition} THEN {action}; END IF; END $$;
        CREATE EVENT TRIGGER at_piece ON ddl_command_end WHEN TAG IN ({tags}) EXECUTE FUNCTION at_piece()""")


def remake_sales(db, fake):
    """All that sales refer to is there; they are to be loaded for the first time."""
    db.server(url(fake, "version=19"), page_size=2)
    db.run(ALL)
    db.run("DROP TABLE all_sales, fact_sales_lines CASCADE")
    # Makes them, and the key by which payments refer to orders.
    db.run("SELECT odoo_sync('categories')")


@pytest.mark.parametrize("statement", [ALL, JOB, "SELECT * FROM odoo_reconcile('all')", "CALL odoo_sync_job(reconcile => true)"])
def test_at_its_end_a_table_has_what_it_would_have_had(db, fake, usual, statement):
    db.server(url(fake, "version=19"), page_size=2)
    db.run(statement)
    assert len(usual) > 100 and all(row[3] for row in usual)
    assert db.run(SHAPE) == usual
    assert db.run(OWED) == [] and verdict(db) == []
    db.run(f"{ALL}; {ALL}")
    assert db.run(SHAPE) == usual


@pytest.mark.parametrize("statement", [ALL, JOB])
def test_keys_are_made_when_the_rows_are_there(db, fake, statement):
    db.server(url(fake, "version=19"), page_size=2)
    db.run("CREATE TABLE seen (name text, lines bigint)")
    rows = "(SELECT count(*) FROM public.fact_sales_lines)"
    at_pieces(db, f"INSERT INTO public.seen SELECT object_identity, {rows} FROM pg_event_trigger_ddl_commands()",
              "to_regclass('public.fact_sales_lines') IS NOT NULL")
    db.run(statement)
    lines = db.value("SELECT count(*) FROM fact_sales_lines")
    assert lines > 0
    assert db.run("SELECT DISTINCT lines FROM seen WHERE name LIKE '%%fact_sales_lines%%'") == [(lines,)]


def test_until_then_it_has_its_primary_key_alone(db, fake, usual):
    db.server(url(fake, f"rows=2000/slow=0.2@read/bare={db.name}"), page_size=100, readers=1)
    connection, thread = in_background(db, "CALL odoo_sync_job('products')")
    wait_for_rows(db, 300)
    status = "SELECT state, first_load FROM odoo_sync_status WHERE target = 'dim_products'"
    assert len(of("dim_products", db.run(SHAPE))) == 2 and keys("dim_products", db.run(SHAPE)) == []
    assert db.run(status) == [("running", True)]
    connection.cancel()
    thread.join()
    connection.close()
    assert db.run(status) == [("interrupted", True)]
    db.run("CALL odoo_sync_job('products')")
    assert of("dim_products", db.run(SHAPE)) == of("dim_products", usual)
    assert db.run(status) == [("idle", False)]


TERMINATE = "PERFORM pg_terminate_backend(pg_backend_pid())"
CANCEL = "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(9)"
ERROR = "RAISE EXCEPTION 'not now'"


@pytest.mark.parametrize("action, condition, least", [
    # Every job makes one piece, and ends in the next one: between any two of them.
    (TERMINATE, "n % 2 = 0", 20), (TERMINATE, "n = 1", 1), (CANCEL, "n % 7 = 0", 5), (ERROR, "n % 7 = 0", 5)])
def test_whatever_interrupts_it_the_next_job_goes_on(db, fake, usual, action, condition, least):
    remake_sales(db, fake)
    at_pieces(db, action, condition)
    interrupted = 0
    for _ in range(50):
        try:
            db.run("CALL odoo_sync_job('sales')")
            break
        except psycopg2.Error:
            interrupted += 1
            if db.connection.closed:
                db.reconnect()
            assert "fact_sales_lines" in [target for target, in db.run(OWED)]
    assert interrupted >= least
    assert db.run(SHAPE) == usual and db.run(OWED) == [] and verdict(db) == []


def test_a_function_that_fails_leaves_nothing_behind(db, fake, usual):
    remake_sales(db, fake)
    at_pieces(db, ERROR, "n = 20")
    with pytest.raises(psycopg2.Error, match="not now"):
        db.run("SELECT * FROM odoo_sync('sales')")
    assert db.value("SELECT count(*) FROM fact_sales_lines") == 0
    db.run("ALTER SEQUENCE pieces RESTART")
    report = db.report(ALL)
    # The rows are there, as are those of a job that fails so.
    assert report["fact_sales_lines"]["status"] == "failed" and "not now" in report["fact_sales_lines"]["error"]
    assert report["fact_purchases"]["status"] == "ok" and db.value("SELECT count(*) FROM fact_sales_lines") > 0
    db.run(ALL)
    assert db.run(SHAPE) == usual and db.run(OWED) == []


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('sales')", "CALL odoo_sync_job('sales')"])
def test_a_row_whose_parent_was_deleted_meanwhile_lacks_it(db, fake, usual, statement):
    remake_sales(db, fake)
    at_pieces(db, "DELETE FROM public.fact_payments WHERE order_id = 71; DELETE FROM public.all_sales WHERE (channel, id) = ('pos', 71)", "n = 1")
    db.run(statement)
    assert db.run(SHAPE) == usual and db.run(OWED) == []
    told = """SELECT column_name, missing_id, last_error, resolved_at IS NULL, order_id FROM missing_data AS known
        JOIN fact_sales_lines AS line ON (line.channel, line.id) = (known.channel, row_id) WHERE target = 'fact_sales_lines'"""
    assert set(db.run(told)) == {("order_id", 71, "deleted by hand", True, None)}
    db.run("SELECT * FROM odoo_reconcile('all')")
    assert {row[3:] for row in db.run(told)} == {(False, 71)}
    assert verdict(db) == []


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('sales')", "CALL odoo_sync_job('sales')"])
def test_who_keeps_a_key_from_being_made_is_named(db, fake, usual, statement):
    remake_sales(db, fake)
    with closing(db.connect()) as other, other.cursor() as cursor:
        other.autocommit = False
        cursor.execute("UPDATE dim_products SET name = name WHERE id = 31")
        begin = time.monotonic()
        db.run(statement)
        assert 5 <= time.monotonic() - begin < 20
        assert 'still lacks foreign key "fact_sales_lines_product_id_fkey"' in db.notices
        pid = other.get_backend_pid()
        assert f"process with PID {pid} of role postgres holds RowExclusiveLock on public.dim_products." in db.notices
    assert db.run(OWED) == [("fact_sales_lines",)]
    assert db.run("SELECT state, first_load, last_error FROM odoo_sync_status WHERE target = 'fact_sales_lines'") == [("idle", True, None)]
    db.run(statement)
    assert db.run(SHAPE) == usual and db.run(OWED) == []


def test_a_session_of_ones_own_can_be_in_the_way(db, fake, usual):
    remake_sales(db, fake)
    db.run("SELECT odoo_sync('categories')")
    db.run("BEGIN; DECLARE reading CURSOR FOR SELECT * FROM fact_sales_lines; FETCH reading")
    db.run("SELECT * FROM odoo_sync('sales')")
    assert "being used by active queries in this session" in db.notices
    db.run("COMMIT")
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.run(SHAPE) == usual


@pytest.mark.parametrize("own", [
    "ADD CHECK (quantity < 1e9)", "ADD CONSTRAINT mine FOREIGN KEY (product_id) REFERENCES dim_products DEFERRABLE INITIALLY DEFERRED"])
@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('sales')", "CALL odoo_sync_job('sales')"])
def test_a_table_with_constraints_of_its_users_is_loaded_as_ever(db, fake, usual, own, statement):
    remake_sales(db, fake)
    db.run("SELECT odoo_sync('categories')")
    db.run(f"ALTER TABLE fact_sales_lines {own}")
    db.run("CREATE TABLE seen (lines bigint)")
    at_pieces(db, "INSERT INTO public.seen SELECT count(*) FROM public.fact_sales_lines", "TG_TAG = 'CREATE INDEX'")
    db.run(statement)
    assert db.value("SELECT min(lines) FROM seen") == 0
    assert set(usual) < set(db.run(SHAPE)) and db.run(OWED) == []


def test_parents_that_came_along_have_their_keys_too(db, fake, usual):
    db.server(url(fake, "version=19"))
    db.run("SELECT * FROM odoo_sync('sales')")
    # Tables that no model fills are made whole.
    for table in {row[0] for row in usual if keys(row[0], usual)} - {"fact_stock_daily", "odoo_deleted"}:
        has_rows = db.value(f"SELECT EXISTS (SELECT FROM {table})")
        assert of(table, db.run(SHAPE)) == (of(table, usual) if has_rows else [row for row in of(table, usual) if row not in keys(table, usual)]), table
    assert ("fact_purchases",) in db.run(OWED) and ("dim_customers",) not in db.run(OWED)
    db.run(JOB)
    assert db.run(SHAPE) == usual and db.run(OWED) == []


def test_a_full_refresh_of_a_filled_table_keeps_its_keys(db, fake):
    db.server(url(fake, "version=19"))
    db.run(ALL)
    at_pieces(db, ERROR)
    db.run("CALL odoo_sync_job(full_refresh => true)")
    # What its users dropped stays so.
    db.run("DROP EVENT TRIGGER at_piece; ALTER TABLE fact_sales_lines DROP CONSTRAINT fact_sales_lines_product_id_fkey")
    db.run("CALL odoo_sync_job(full_refresh => true)")
    assert "fact_sales_lines_product_id_fkey" not in [row[1] for row in db.run(SHAPE)]


def test_an_owner_without_other_rights(db, fake, usual):
    db.server(url(fake, "version=19"), page_size=2)
    db.run("""CREATE ROLE keeper LOGIN; GRANT USAGE ON FOREIGN SERVER erp TO keeper; GRANT CREATE ON SCHEMA public TO keeper;
        CREATE USER MAPPING FOR keeper SERVER erp OPTIONS (login 'admin', password 'admin')""")
    try:
        with closing(db.connect(user="keeper")) as keeper, keeper.cursor() as cursor:
            keeper.autocommit = True
            cursor.execute(JOB)
        assert db.run(SHAPE) == usual and db.run(OWED) == []
        assert db.value("SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname ~ '^(dim|fact|all)_'") == "keeper"
    finally:
        db.run("DROP OWNED BY keeper CASCADE; DROP ROLE keeper")


def test_who_may_only_load_ends_what_the_owner_began(db, fake, usual):
    remake_sales(db, fake)
    at_pieces(db, ERROR, "n = 5")
    with pytest.raises(psycopg2.Error, match="could not sync sales"):
        db.run("CALL odoo_sync_job('sales')")
    db.run("""DROP EVENT TRIGGER at_piece; CREATE ROLE loader LOGIN; GRANT USAGE ON FOREIGN SERVER erp TO loader;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO loader;
        CREATE USER MAPPING FOR loader SERVER erp OPTIONS (login 'admin', password 'admin')""")
    try:
        with closing(db.connect(user="loader")) as loader, loader.cursor() as cursor:
            loader.autocommit = True
            cursor.execute("CALL odoo_sync_job('sales')")
        assert db.run(SHAPE) == usual and db.run(OWED) == []
    finally:
        db.run("DROP OWNED BY loader CASCADE; DROP ROLE loader")


def test_a_table_that_a_job_is_loading_is_left_to_it(db, fake, usual):
    """Its lock is free between two pages."""
    db.server(url(fake, "version=19"), page_size=1)
    db.run("SELECT odoo_etl.job_begin('customers', NULL, false, false, false)")
    step = "SELECT odoo_etl.job_step()"
    while not db.value("SELECT to_regclass('dim_customers') IS NOT NULL") or db.value("SELECT count(*) FROM dim_customers") < 3:
        assert db.value(step)
    with closing(db.connect()) as other:
        other.cursor().execute("SELECT odoo_sync('warehouses')")
    assert ("fact_warehouse",) not in db.run(OWED) and ("dim_customers",) in db.run(OWED)
    while db.value(step):
        pass
    db.run("SELECT odoo_etl.job_end()")
    assert ("dim_customers",) not in db.run(OWED)
    assert of("dim_customers", db.run(SHAPE)) == of("dim_customers", usual)


def test_a_dump_in_the_middle(db, fake, usual):
    remake_sales(db, fake)
    at_pieces(db, ERROR, "n = 9")
    with pytest.raises(psycopg2.Error, match="could not sync sales"):
        db.run("CALL odoo_sync_job('sales')")
    owed = db.run(OWED)
    assert owed != [] and db.run(SHAPE) != usual
    db.run("DROP EVENT TRIGGER at_piece")
    with copy_of(db) as (name, cursor):
        restore(db.cluster, name, dump(db.cluster, db.name))
        cursor.execute("SET search_path = public")
        cursor.execute(OWED)
        assert cursor.fetchall() == owed
        cursor.execute("CALL odoo_sync_job('sales')")
        cursor.execute(SHAPE)
        assert cursor.fetchall() == usual


@pytest.mark.parametrize("lose", [
    "SELECT odoo_forget('erp')",
    "DROP SERVER erp CASCADE; DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl"])
def test_notes_that_are_lost_in_the_middle(db, fake, usual, lose):
    """The tables tell that they lack all of it."""
    db.server(url(fake, "version=19"), page_size=2)
    at_pieces(db, ERROR, "to_regclass('public.fact_sales_lines') IS NOT NULL")
    with pytest.raises(psycopg2.Error, match="could not sync"):
        db.run(JOB)
    db.run(f"DROP EVENT TRIGGER at_piece; {lose}")
    if "EXTENSION" in lose:
        db.server(url(fake, "version=19"), page_size=2)
    db.run(JOB)
    assert db.run(SHAPE) == usual and db.run(OWED) == [] and verdict(db) == []


def test_a_table_of_somebodys_own_is_not_touched(db, fake):
    """It may have a name that a later release fills."""
    db.server(url(fake, "version=19"))
    db.run("CREATE TABLE fact_payments (id bigint PRIMARY KEY, amount numeric); INSERT INTO fact_payments VALUES (91, 1), (1, 2)")
    for statement in (ALL, JOB, "SELECT * FROM odoo_sync('products')"):
        with pytest.raises(psycopg2.errors.DuplicateTable, match='relation "public"."fact_payments" already exists') as raised:
            db.run(statement)
    assert "RENAME TO" in raised.value.diag.message_hint and "SCHEMA" in raised.value.diag.message_hint.upper()
    assert db.run("SELECT status FROM odoo_check() WHERE item = 'fact_payments' AND detail ~ 'already exists'") == [("error",)]
    assert db.run("TABLE fact_payments ORDER BY id") == [(1, 2), (91, 1)]
    db.run("ALTER TABLE fact_payments RENAME TO my_payments")
    assert db.report(ALL)["fact_payments"]["inserted"] == 5
    assert db.value("SELECT count(*) FROM my_payments") == 2


def test_a_table_that_was_there_before_is_left_as_it_is(db, fake):
    """But for columns that it lacks."""
    db.server(url(fake, "version=19"))
    db.run("CREATE TABLE dim_products (id bigint PRIMARY KEY, category_id bigint, synced_at timestamptz)")
    db.run(ALL)
    shape = [row[1] for row in of("dim_products", db.run(SHAPE))]
    assert "dim_products_brand_id_fkey" in shape and "dim_products_category_id_idx" not in shape
