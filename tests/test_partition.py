"""Tables in partitions by ranges of ids: made so before their first load, or with what is there as the first partition;
the next one ahead of the ids that come."""

import time
from contextlib import closing, contextmanager

import psycopg2
import pytest

from .conftest import require_extension, url
from .test_first_load import OWED, at_pieces, verdict
from .live.test_docs import blocks
from .test_in_step import Shop, paid_order_with_lines
from .test_mirror import with_leads

ALL = "SELECT * FROM odoo_sync_all()"
JOB = "CALL odoo_sync_job()"
LATER, LATEST = "2030-01-01 00:00:00", "2030-01-02 00:00:00"
ORDERS, LINES = "all_sales", "fact_sales_lines"

PARTS = """SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = to_regclass(%s) ORDER BY (regexp_match(pg_get_expr(relpartbound, oid), '-?[0-9]+'))[1]::bigint"""

#: What a table has beside its columns and rows, without the names that partitions have.
SHAPE = """SELECT 'constraint', conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint AS own
    WHERE conrelid = %s::regclass AND contype <> 'n'
      AND NOT EXISTS (SELECT FROM pg_constraint AS whole WHERE whole.oid = own.conparentid AND whole.conrelid = own.conrelid)
    UNION ALL SELECT 'index', regexp_replace(relname, '[0-9]+$', ''), regexp_replace(pg_get_indexdef(indexrelid), '^.* USING', ''), indisvalid
    FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = %s::regclass
    UNION ALL SELECT 'trigger', tgname, regexp_replace(pg_get_triggerdef(oid), ' ON [^ ]+ ', ' '), tgenabled <> 'D' FROM pg_trigger
    WHERE tgrelid = %s::regclass AND NOT tgisinternal
    UNION ALL SELECT 'comment', attname, col_description(attrelid, attnum), true FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
      AND NOT attisdropped
    UNION ALL SELECT 'comment', NULL, obj_description(%s::regclass, 'pg_class'), true
    UNION ALL SELECT 'privileges', relowner::regrole::text, relacl::text, relrowsecurity FROM pg_class WHERE oid = %s::regclass
    ORDER BY 1, 2, 3"""


def shape(db, table):
    return db.run(SHAPE, *[table] * 6)


def parts(db, table):
    return db.run(PARTS, table)


def in_parts(db, rows, *tables):
    for table in tables or (ORDERS, LINES):
        db.run(f"CALL odoo_partition('{table}', rows => {rows})")


def ids(db, table):
    return db.run(f"SELECT channel, id FROM {table} ORDER BY 1, 2")


def sync(db, statement=ALL):
    """All tables are in step afterwards."""
    if statement.startswith("CALL"):
        db.run(statement)
    else:
        assert {target: row["error"] for target, row in db.report(statement).items() if row["status"] == "failed"} == {}
    assert verdict(db) == []


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "version=19")


@contextmanager
def other(db, statement):
    """A transaction of another session, which stays open."""
    with closing(db.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute(statement)
        yield connection


def more_lines(shop, first, count=3):
    """Lines of an order with ids of their own choice."""
    order, (line, *_) = paid_order_with_lines(shop)
    lines = shop.records("pos.order.line")
    for id in range(first, first + count):
        lines[id] = {**lines[line], "id": id}
        shop.write("pos.order.line", id, LATER)
    shop.write("pos.order", order, LATER)


@pytest.fixture(scope="module")
def plain(cluster, fake):
    """What tables have that are in no partitions."""
    from .conftest import Database
    db = Database(cluster)
    db.server(url(fake, "version=19"))
    sync(db)
    yield {table: (shape(db, table), ids(db, table)) for table in (ORDERS, LINES)}
    db.connection.close()
    cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


@pytest.mark.parametrize("statement", [ALL, "CALL odoo_sync_job()"])
def test_a_table_is_made_in_partitions(db, shop, plain, statement):
    in_parts(db, 10)
    assert "in partitions" in db.notices
    sync(db, statement)
    for table in (ORDERS, LINES):
        assert len(parts(db, table)) > 1
        assert (shape(db, table), ids(db, table)) == plain[table]
    assert db.run(OWED) == []
    # Made again, it is in partitions too.
    db.run("DROP TABLE fact_sales_lines CASCADE")
    db.run(statement)
    assert len(parts(db, LINES)) > 1 and (shape(db, LINES), ids(db, LINES)) == plain[LINES]


def test_what_is_there_is_the_first_partition(db, shop, plain):
    sync(db)
    files = {table: db.value("SELECT pg_relation_filenode(%s)", table) for table in (ORDERS, LINES)}
    in_parts(db, 1000)
    for table in (ORDERS, LINES):
        (first, bounds), (ahead, _) = parts(db, table)
        assert (first, bounds, ahead) == (f"{table}_p0", "FOR VALUES FROM ('0') TO ('2000')", f"{table}_p2000")
        # No row was written.
        assert db.value("SELECT pg_relation_filenode(%s)", first) == files[table]
        assert (shape(db, table), ids(db, table)) == plain[table]
    assert db.run(OWED) == []
    more_lines(shop, 5000)
    sync(db, JOB)
    assert db.value("SELECT count(*) FROM fact_sales_lines_p5000") == 3
    # Who calls again has the same, or other partitions from the next one on.
    before = parts(db, LINES)
    in_parts(db, 1000)
    assert parts(db, LINES) == before
    in_parts(db, 300)
    assert parts(db, LINES)[-1] == ("fact_sales_lines_p7000", "FOR VALUES FROM ('7000') TO ('7300')")


MINE = """
    CREATE ROLE reader; GRANT SELECT ON fact_sales_lines TO reader; GRANT UPDATE (quantity) ON fact_sales_lines TO reader;
    CREATE INDEX mine ON fact_sales_lines (quantity) WHERE quantity > 1;
    ALTER TABLE fact_sales_lines ADD CONSTRAINT sane CHECK (quantity < 1e9), ADD COLUMN note text DEFAULT 'mine';
    ALTER TABLE fact_sales_lines DROP COLUMN note, ADD COLUMN note text DEFAULT 'mine';
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'noted'; RETURN NEW; END $$;
    CREATE TRIGGER noted BEFORE INSERT ON fact_sales_lines FOR EACH ROW EXECUTE FUNCTION noted();
    CREATE TRIGGER unused BEFORE INSERT ON fact_sales_lines FOR EACH ROW EXECUTE FUNCTION noted();
    ALTER TABLE fact_sales_lines DISABLE TRIGGER unused;
    COMMENT ON TRIGGER noted ON fact_sales_lines IS 'mine';
    ALTER TABLE fact_sales_lines ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tills ON fact_sales_lines FOR SELECT TO reader USING (channel = 'pos');
    CREATE TABLE gifts (channel text, line bigint, FOREIGN KEY (channel, line) REFERENCES fact_sales_lines ON DELETE CASCADE);
    INSERT INTO gifts SELECT channel, id FROM fact_sales_lines LIMIT 2;
    CREATE VIEW sold WITH (security_barrier) AS SELECT l.id, l.channel, o.business_date FROM fact_sales_lines l
        JOIN all_sales o ON (o.channel, o.id) = (l.channel, l.order_id);
    COMMENT ON VIEW sold IS 'mine'; GRANT SELECT ON sold TO reader;
    CREATE VIEW counted AS SELECT count(*) FROM sold;
    SELECT odoo_create_reports('reports');
"""


def test_what_users_built_on_it_goes_along(db, shop):
    sync(db)
    db.run(MINE)
    try:
        before, views = shape(db, LINES), db.run("SELECT * FROM pg_views WHERE schemaname IN ('public', 'reports') ORDER BY 2")
        rules = "SELECT polname, polcmd, polroles, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'fact_sales_lines'::regclass"
        policies, columns = db.run(rules), db.run("SELECT attname, attacl::text, atttypid FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                                                  "AND NOT attisdropped ORDER BY attnum", LINES)
        in_parts(db, 1000)
        assert shape(db, LINES) == before and db.run(rules) == policies
        assert db.run("SELECT attname, attacl::text, atttypid FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                      "AND NOT attisdropped ORDER BY attnum", LINES) == columns
        assert db.run("SELECT * FROM pg_views WHERE schemaname IN ('public', 'reports') ORDER BY 2") == views
        assert db.run("SELECT reloptions, obj_description(oid), relacl::text FROM pg_class WHERE relname = 'sold'")[0][:2] == (["security_barrier=true"], "mine")
        sold = db.value("SELECT count FROM counted")
        more_lines(shop, 5000)
        sync(db)
        assert db.value("SELECT count FROM counted") == sold + 3
        assert db.value("SELECT count(*) FROM fact_sales_lines WHERE note = 'noted'") == 3
        with pytest.raises(psycopg2.errors.ForeignKeyViolation):
            db.run("INSERT INTO gifts VALUES ('pos', 99999)")
        db.run("INSERT INTO gifts VALUES ('pos', 5000)")
        # A partition shows nobody what the table does not.
        db.run("SET ROLE reader")
        assert {channel for channel, in db.run("SELECT channel FROM fact_sales_lines")} == {"pos"}
        assert db.run("SELECT * FROM fact_sales_lines_p5000") == []
        db.run("RESET ROLE")
        # Edits are seen in all partitions.
        db.run("UPDATE fact_sales_lines SET quantity = 77 WHERE id IN (5000, (SELECT min(id) FROM fact_sales_lines))")
        assert sum(row[2] for row in verdict(db)) >= 2
    finally:
        db.run("RESET ROLE; DROP OWNED BY reader; DROP ROLE reader")


@pytest.mark.parametrize("obstacle, named", [
    ("CREATE MATERIALIZED VIEW m AS SELECT id FROM fact_sales_lines", "materialized view"),
    ("CREATE FUNCTION f(fact_sales_lines) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f"),
    ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM fact_sales_lines; END", "function public.f"),
    ("CREATE TABLE t (line fact_sales_lines)", "table public.t"),
    ("CREATE UNIQUE INDEX u ON fact_sales_lines (channel, order_id, product_id, quantity, branch_id, business_date)", "index public.u"),
    ("CREATE PUBLICATION p FOR TABLE fact_sales_lines", "publication"),
    ("CREATE PUBLICATION p FOR TABLES IN SCHEMA public", "publication p, which lacks publish_via_partition_root,"),
    ("CREATE PUBLICATION p FOR ALL TABLES", "publication p, which lacks publish_via_partition_root,"),
    ("CREATE VIEW v AS SELECT * FROM fact_sales_lines; CREATE RULE r AS ON DELETE TO v DO INSTEAD DELETE FROM fact_sales_lines "
     "WHERE id = OLD.id", "rule r on view public.v"),
    ("ALTER TABLE fact_sales_lines ADD CONSTRAINT sane CHECK (quantity < 1e9) NOT VALID", "constraint sane"),
    ("CREATE TABLE t () INHERITS (fact_sales_lines)", "inherit"),
    ("CREATE RULE r AS ON DELETE TO fact_sales_lines DO ALSO NOTHING", "rule r"),
    ("CREATE TABLE t (id bigint); CREATE POLICY p ON t USING (id IN (SELECT id FROM fact_sales_lines))", "policy p"),
])
def test_what_cannot_go_along_is_named(db, shop, obstacle, named):
    db.run("SELECT odoo_sync('sales')")
    try:
        db.run(obstacle)
    except psycopg2.errors.UniqueViolation:
        pytest.skip("the fake's lines are not unique by it")
    with pytest.raises(psycopg2.Error, match="fact_sales_lines cannot become a partition") as told:
        in_parts(db, 1000, LINES)
    assert named in told.value.diag.message_detail
    assert db.value("SELECT relkind FROM pg_class WHERE oid = 'fact_sales_lines'::regclass") == "r"
    db.run("SELECT odoo_sync('sales')")


def test_long_names(db, shop):
    with_leads(shop)
    mirror = "m" * 60
    db.run(f"SELECT odoo_mirror('crm.lead', target => '{mirror}')")
    sync(db)
    for end in "ab":
        db.run(f"CREATE INDEX {'i' * 62}{end} ON fact_sales_lines (quantity)")
    in_parts(db, 1000, LINES, mirror)
    assert len(parts(db, mirror)) == 2
    assert db.run("SELECT count(*), max(length(relname)) FROM pg_index JOIN pg_class ON oid = indexrelid "
                  "WHERE indrelid = 'fact_sales_lines_p0'::regclass AND relname ~ '^i+_p0'") == [(2, 63)]


def test_the_statements_of_the_page_run(db, shop):
    """Those of docs/scale.md that are about partitions of PostgreSQL."""
    sync(db)
    own = [block for block in blocks("docs/scale.md") if "odoo_partition" in block or "odoo_retain" in block]
    statements = [statement for block in own for statement in block.split(";\n") if statement.strip()]
    assert len(statements) == 3
    for statement in statements:
        db.run(statement)
    assert len(parts(db, ORDERS)) == len(parts(db, LINES)) == 2


def test_bad_input(db, shop):
    def error(call):
        with pytest.raises(psycopg2.Error) as told:
            db.run(call)
        return told.value.diag

    for rows in ("0", "-5", "9000000000000000000"):
        assert "rows must be from 1" in error(f"CALL odoo_partition('all_sales', rows => {rows})").message_primary
    assert "rows must not be NULL" in error("CALL odoo_partition('all_sales', rows => NULL)").message_primary
    assert "target must not be NULL" in error("CALL odoo_partition(NULL)").message_primary
    told = error("CALL odoo_partition('dim_products')")
    assert told.message_primary == "table dim_products is a dimension, which is not partitioned" and "fact_sales_lines" in told.message_hint
    assert error("CALL odoo_partition('nothing')").message_primary == 'unknown table "nothing"'
    assert error("BEGIN; CALL odoo_partition('all_sales')").sqlstate == "2D000"
    db.run("ROLLBACK")
    db.run("SELECT odoo_sync('sales')")
    db.run("CREATE ROLE guest LOGIN; GRANT USAGE ON FOREIGN SERVER erp TO guest; GRANT ALL ON all_sales TO guest")
    try:
        with closing(db.connect(user="guest")) as guest, guest.cursor() as cursor:
            guest.autocommit = True
            with pytest.raises(psycopg2.Error, match="must be owner of table all_sales"):
                cursor.execute("CALL odoo_partition('all_sales')")
    finally:
        db.run("DROP OWNED BY guest; DROP ROLE guest")
    db.run("DROP TABLE fact_sales_lines; ALTER TABLE all_sales RENAME TO old; "
           "CREATE TABLE all_sales (LIKE old INCLUDING ALL) PARTITION BY LIST (channel); DROP TABLE old CASCADE")
    assert "partitioned LIST (channel)" in error("CALL odoo_partition('all_sales')").message_detail


def test_who_is_in_the_way_is_named_and_nothing_is_changed(db, shop):
    db.run("SELECT odoo_sync('sales')")
    with other(db, "SELECT count(*) FROM fact_sales_lines") as reader:
        begin = time.monotonic()
        with pytest.raises(psycopg2.errors.LockNotAvailable, match="fact_sales_lines is in use") as told:
            in_parts(db, 1000, LINES)
        assert 5 <= time.monotonic() - begin < 20
        assert f"PID {reader.get_backend_pid()} of role postgres holds AccessShareLock" in told.value.diag.message_detail
    db.run("SELECT odoo_sync('sales')")
    in_parts(db, 1000, LINES)
    assert len(parts(db, LINES)) == 2


def test_wherever_it_is_interrupted_whoever_calls_again_goes_on(db, shop, plain):
    sync(db)
    at_pieces(db, "RAISE EXCEPTION 'not now'", "n % 3 = 0", tags="'ALTER TABLE'")
    interrupted = 0
    for _ in range(200):
        try:
            in_parts(db, 1000)
            break
        except psycopg2.Error as error:
            assert "not now" in str(error)
            interrupted += 1
            # Whatever state it is in, runs go on.
            if interrupted % 5 == 0:
                db.run("ALTER EVENT TRIGGER at_piece DISABLE")
                sync(db)
                db.run("ALTER EVENT TRIGGER at_piece ENABLE")
    if interrupted == 200:
        # One transaction has more than three of them.
        db.run("DROP EVENT TRIGGER at_piece")
        in_parts(db, 1000)
    assert interrupted >= 2
    for table in (ORDERS, LINES):
        assert (shape(db, table), ids(db, table)) == plain[table]
    assert db.run(OWED) == []


def test_rows_that_outgrow_an_interrupted_call_are_loaded(db, shop):
    db.run("SELECT odoo_sync('sales')")
    at_pieces(db, "RAISE EXCEPTION 'not now'", "n = 2", tags="'ALTER TABLE'")
    with pytest.raises(psycopg2.Error, match="not now"):
        in_parts(db, 1000, LINES)
    assert db.value("SELECT convalidated FROM pg_constraint WHERE conname = 'odoo_partition'") is False
    more_lines(shop, 50_000)
    assert db.run("SELECT status FROM odoo_sync('sales') WHERE status <> 'ok'") == []
    assert db.value("SELECT count(*) FROM fact_sales_lines WHERE id >= 50000") == 3
    assert db.value("SELECT count(*) FROM pg_constraint WHERE conname = 'odoo_partition'") == 0


def test_ids_that_jump_get_partitions_of_their_own(db, shop):
    in_parts(db, 100)
    db.run("CALL odoo_sync_job()")
    more_lines(shop, 1_000_000)
    more_lines(shop, 2_000_099, 2)
    db.run("CALL odoo_sync_job('sales')")
    made = [name for name, _ in parts(db, LINES)]
    assert made[-4:] == ["fact_sales_lines_p1000000", "fact_sales_lines_p2000000", "fact_sales_lines_p2000100", "fact_sales_lines_p2000200"]
    # What lies between comes later.
    more_lines(shop, 1_500_000)
    db.run("SELECT * FROM odoo_sync('sales')")
    assert "fact_sales_lines_p1500000" in [name for name, _ in parts(db, LINES)]


def test_negative_ids(db, fake):
    from .test_mirror import with_leads
    shop = with_leads(Shop(db, fake, "version=19"))
    db.run("SELECT odoo_mirror('crm.lead')")
    sync(db)
    leads = shop.records("crm.lead")
    one = next(iter(leads.values()))
    in_parts(db, 100, "crm_lead")
    leads[-150] = {**one, "id": -150}
    shop.write("crm.lead", -150, LATER)
    sync(db)
    assert ("crm_lead_n200", "FOR VALUES FROM ('-200') TO ('-100')") in parts(db, "crm_lead")
    assert verdict(db) == []


def test_partitions_of_others(db, shop):
    in_parts(db, 1_000_000)
    sync(db)
    # Of other sizes, with a gap; and one for all that has none.
    db.run("""CREATE TABLE mine PARTITION OF fact_sales_lines FOR VALUES FROM (5000000) TO (5000010);
        CREATE TABLE last PARTITION OF fact_sales_lines FOR VALUES FROM (9000000) TO (MAXVALUE)""")
    more_lines(shop, 5_000_008, 5)
    more_lines(shop, 9_999_999, 1)
    sync(db)
    assert ("fact_sales_lines_p5000010", "FOR VALUES FROM ('5000010') TO ('5000020')") in parts(db, LINES)
    assert db.value("SELECT count(*) FROM last") == 1
    db.run("CREATE TABLE rest PARTITION OF fact_sales_lines DEFAULT")
    more_lines(shop, 8_000_000)
    sync(db)
    assert db.value("SELECT count(*) FROM rest") == 3
    (detail, hint), = db.run("SELECT detail, hint FROM odoo_check() WHERE item = 'fact_sales_lines' AND detail LIKE 'rows are in%%'")
    assert detail == "rows are in public.rest, the partition of all ids that have no other"
    for statement in hint.split("; ")[:-1]:
        db.run(statement)
    sync(db)
    assert db.value("SELECT count(*) FROM fact_sales_lines_p8000000") == 3


def test_a_reader_is_no_obstacle_and_a_writer_is_waited_for(db, shop):
    in_parts(db, 1000)
    db.run("CALL odoo_sync_job()")
    more_lines(shop, 5000)
    with other(db, "SELECT * FROM fact_sales_lines JOIN dim_products ON product_id = dim_products.id"):
        db.run("CALL odoo_sync_job('sales')")
    assert db.value("SELECT count(*) FROM fact_sales_lines_p5000") == 3
    more_lines(shop, 90_000)
    with other(db, "UPDATE dim_products SET name = name WHERE id = 31"):
        with pytest.raises(psycopg2.Error, match="lacks a partition for the ids 90000 to 90999") as told:
            db.run("SELECT * FROM odoo_sync('sales')")
        assert "holds RowExclusiveLock on public.dim_products." in told.value.diag.message_detail
    db.run("CALL odoo_sync_job('sales')")
    assert db.value("SELECT count(*) FROM fact_sales_lines_p90000") == 3


def test_a_history_in_partitions(db, shop):
    sync(db)
    db.run("SELECT odoo_keep_history('dim_products')")
    in_parts(db, 20, "dim_products_history")
    products = shop.records("product.product")
    product = max(products)
    products[700] = {**products[product], "id": 700}
    shop.write("product.product", 700, LATER)
    sync(db)
    shop.write("product.product", 700, LATEST, default_code="NEW")
    sync(db)
    assert db.value("SELECT count(*) FROM dim_products_history_p700") == 2


def test_the_planner_is_told_of_all_partitions(db, shop):
    in_parts(db, 10)
    db.run("CALL odoo_sync_job()")
    assert db.value("SELECT reltuples FROM pg_class WHERE oid = 'fact_sales_lines'::regclass") > 0
    assert db.value("SELECT rows_estimate FROM odoo_sync_status WHERE target = 'fact_sales_lines'") > 0


def test_pg_partman(db, shop):
    require_extension("pg_partman")
    in_parts(db, 1000, LINES)
    sync(db)
    db.run("CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman")
    if db.value("SELECT extversion FROM pg_extension WHERE extname = 'pg_partman'").startswith("4"):
        db.run("SELECT partman.create_parent('public.fact_sales_lines', 'id', 'native', '1000', p_premake => 2)")
    else:
        db.run("SELECT partman.create_parent('public.fact_sales_lines', 'id', '1000', p_premake => 2)")
    made = parts(db, LINES)
    assert [name for name, _ in made] == ["fact_sales_lines_p0", "fact_sales_lines_p1000", "fact_sales_lines_p2000", "fact_sales_lines_default"]
    # What it makes is left to it, and so is what it did not make in time.
    more_lines(shop, 2000)
    more_lines(shop, 7000)
    sync(db, JOB)
    assert parts(db, LINES) == made and db.value("SELECT count(*) FROM fact_sales_lines_default") == 3
    (detail, hint), = db.run("SELECT detail, hint FROM odoo_check() WHERE item = 'fact_sales_lines' AND detail LIKE 'rows are in%%'")
    assert "fact_sales_lines_default" in detail and "pg_partman's maintenance" in hint
