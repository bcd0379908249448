"""Tables that an engine keeps in parts: statements that it takes, keys with more columns, and what it refuses."""

import re

import psycopg2
import pytest

from .lab import installations
from .test_in_step import Shop, paid_order_with_lines
from .test_rooms import SRC, texts

ALL, SALES = "SELECT * FROM odoo_sync_all()", "SELECT * FROM odoo_sync('sales')"
LINES = "fact_sales_lines"
LATER, LATEST = "2030-01-01 00:00:00", "2030-01-02 00:00:00"


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "version=19")


def differing(db, entity="sales"):
    return db.value(f"SELECT sum(missing + stale + deleted) FROM odoo_verify('{entity}')")


def life_of_facts(db, shop):
    """A changed order with a line fewer, an order that goes, one that goes unseen, an edit: whatever the tables are kept in."""
    assert differing(db) == 0
    order, (gone, line, *_) = paid_order_with_lines(shop)
    shop.records("pos.order.line").pop(gone)
    shop.write("pos.order.line", line, LATER, qty=17.0)
    shop.write("pos.order", order, LATER)
    report = db.report(SALES)[LINES]
    assert (report["updated"], report["deleted"]) == (1, 1)
    assert db.value(f"SELECT quantity FROM {LINES} WHERE channel = 'pos' AND id = %s", line) == 17
    assert db.value("SELECT count(*) FROM odoo_deleted WHERE target = %s AND id = %s", LINES, gone) == 1
    again = db.report("SELECT * FROM odoo_sync('sales', full_refresh => true)")
    assert [(own["inserted"], own["updated"], own["deleted"]) for own in again.values()] == [(0, 0, 0)] * len(again)
    shop.write("pos.order", order, LATEST, state="cancel")
    db.run(ALL)
    assert db.value(f"SELECT count(*) FROM {LINES} WHERE order_id = %s AND channel = 'pos'", order) == 0
    for model in ("sale.order", "sale.order.line"):
        shop.records(model).pop(min(shop.records(model)))
    db.run(f"DELETE FROM {LINES} WHERE id = (SELECT max(id) FROM {LINES} WHERE channel = 'pos') AND channel = 'pos'")
    assert differing(db) > 0
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert differing(db) == 0


def test_no_statement_has_what_engines_refuse():
    """Those that are made of declarations are read in src/sync/load/statements/tests.rs."""
    found = 0
    for file in (SRC / "sync").rglob("*.rs"):
        for text in texts(file.read_text()):
            if not re.search(r"\b(SELECT|INSERT|UPDATE|DELETE)\b", text):
                continue
            found += 1
            system = re.search(r"\b(ctid|xmin|xmax|cmin|cmax)\b", text)
            written = re.search(r"\bSET\b(?:(?!\bFROM\b|\bWHERE\b).)*\b(clock_timestamp|random)\b", text, re.S)
            assert not system and not written, f"{file}: {text}"
    assert found > 50


class Kept:
    """All notices; of those in a list psycopg2 keeps the last fifty."""

    def __init__(self):
        self.all = []
        self.append = self.all.append


@pytest.fixture
def plans(db):
    """The plans of the statements that the session runs, those within others too."""
    library = installations.chosen().ask("pkglibdir") + "/auto_explain.so"
    try:
        db.run("LOAD 'auto_explain'")
    except psycopg2.errors.UndefinedFile:
        pytest.skip(f"{installations.chosen()} comes without {library}")
    db.run("SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET auto_explain.log_level = 'notice'")

    def taken(statement):
        db.connection.notices = kept = Kept()
        db.run(statement)
        return [notice for notice in kept.all if "Query Text" in notice]

    return taken


#: What the planner may know of a table that has just filled.
UNKNOWN = {"never analyzed": "reltuples = -1, relpages = 0", "known to be empty": "reltuples = 0, relpages = 0",
           "with a page of nothing": "reltuples = 0, relpages = 1", "known to be small": "reltuples = 1, relpages = 1",
           "analyzed before this channel came": None}


@pytest.mark.postgres
@pytest.mark.parametrize("knowledge", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("plan", ["force_generic_plan", "force_custom_plan"])
def test_a_page_is_looked_up_whatever_is_known_of_its_tables(db, shop, plans, knowledge, plan):
    db.run(ALL)
    tables = [LINES, "all_sales", "dim_products"]
    for table in tables:
        db.run(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    more = "INSERT INTO {} (channel, id) SELECT '{}', n FROM generate_series(1000000, 1050000) AS n"
    fill = lambda channel: [db.run(more.format(table, channel)) for table in (LINES, "all_sales")]
    fill("sale")
    if knowledge is None:
        db.run(f"ANALYZE {', '.join(tables)}")
    fill("pos")
    if knowledge is not None:
        db.run(f"UPDATE pg_class SET {knowledge} WHERE oid = ANY (%s::regclass[])", tables)
    db.run(f"SET plan_cache_mode = {plan}")
    for id in list(shop.records("pos.order.line"))[:20]:
        shop.write("pos.order.line", id, LATER)
    taken = plans(SALES)
    pages = [text for text in taken if re.search("Query Text: (WITH input|SELECT place)", text)]
    assert any("written AS (INSERT INTO" in text and LINES in text for text in pages)
    for text in pages:
        for table in tables:
            assert f"Seq Scan on {table} " not in text, text
        # A list of ids in a filter is compared with each row of a channel.
        assert not re.search(r"Filter: .*\bid = ANY", text), text
        # Each row of a page with each other of them.
        assert not re.search(r"Nested Loop.*\n.*Join Filter", text), text


@pytest.mark.parametrize("key", ["id, channel", "channel, id, order_id", "order_id, id, channel"])
def test_rows_are_known_by_the_key_that_the_table_has(db, shop, key):
    db.run(ALL)
    db.run(f"ALTER TABLE {LINES} DROP CONSTRAINT {LINES}_pkey CASCADE; ALTER TABLE {LINES} ADD PRIMARY KEY ({key})")
    order, (line, *_) = paid_order_with_lines(shop)
    other = next(id for id, own in shop.records("pos.order").items() if own["state"] in ("paid", "done") and id != order)
    rows = db.value(f"SELECT count(*) FROM {LINES}")
    shop.write("pos.order.line", line, "2030-02-01 00:00:00", order_id=other)
    report = db.report(SALES)[LINES]
    assert (report["inserted"], report["updated"], report["deleted"]) == (0, 1, 0)
    assert db.run(f"SELECT order_id FROM {LINES} WHERE channel = 'pos' AND id = %s", line) == [(other,)]
    assert (db.value(f"SELECT count(*) FROM {LINES}"), differing(db)) == (rows, 0)
    shop.write("pos.order.line", line, "2030-02-02 00:00:00", order_id=order)
    db.run(SALES)
    life_of_facts(db, shop)


def test_what_moves_rows_takes_the_right_to_delete(db, shop):
    db.run(ALL)
    db.run(f"""ALTER TABLE {LINES} DROP CONSTRAINT {LINES}_pkey CASCADE; ALTER TABLE {LINES} ADD PRIMARY KEY (channel, id, order_id);
        CREATE ROLE mover_{db.name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO mover_{db.name};
        REVOKE DELETE ON {LINES} FROM mover_{db.name}; GRANT USAGE ON FOREIGN SERVER erp TO mover_{db.name};
        CREATE USER MAPPING FOR mover_{db.name} SERVER erp OPTIONS (login 'admin', password 'admin')""")
    try:
        shop.write("pos.order.line", paid_order_with_lines(shop)[1][0], LATER, qty=3.0)
        db.run(f"SET ROLE mover_{db.name}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match=f"permission denied for table {LINES}"):
            db.run(SALES)
    finally:
        db.run(f"RESET ROLE; DROP USER MAPPING FOR mover_{db.name} SERVER erp; DROP OWNED BY mover_{db.name}; DROP ROLE mover_{db.name}")


def test_a_table_without_its_key_is_told(db, shop):
    db.run(ALL)
    db.run(f"ALTER TABLE {LINES} DROP CONSTRAINT {LINES}_pkey CASCADE")
    with pytest.raises(psycopg2.Error, match=f'table "public"."{LINES}" has no primary key \\(channel, id\\)') as raised:
        db.run(SALES)
    mend = f'ALTER TABLE "public"."{LINES}" ADD PRIMARY KEY (channel, id);'
    assert mend in str(raised.value)
    assert db.run("SELECT hint FROM odoo_check() WHERE item = %s AND status = 'error'", LINES) == [(mend,)]
    db.run(f"CREATE UNIQUE INDEX ON {LINES} (id, channel)")
    assert db.report(SALES)[LINES]["status"] == "ok"


def refusing(db, tags, code="feature_not_supported"):
    """As an engine that has not what a command is for."""
    db.run(f"""CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE '% is not supported here', tg_tag USING ERRCODE = '{code}'; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ({tags}) EXECUTE FUNCTION refuse()""")


def lacks(db, table=LINES):
    return db.value("SELECT lacks FROM odoo_sync_status WHERE target = %s", table)


# Citus says so in words alone.
@pytest.mark.parametrize("code", ["feature_not_supported", "internal_error"])
def test_a_table_does_without_the_trigger_that_its_engine_refuses(db, shop, code):
    db.run(ALL)
    assert lacks(db) == []
    refusing(db, "'CREATE TRIGGER'", code)
    db.run(f"DROP TRIGGER odoo_row_edited ON {LINES}")
    db.run(ALL)
    assert f'table "public"."{LINES}" does without odoo_row_edited' in db.notices
    assert "Its engine refused it: CREATE TRIGGER is not supported here." in db.notices
    assert lacks(db) == ["odoo_row_edited"]
    db.connection.notices = []
    db.run(ALL)
    db.run("CALL odoo_sync_job()")
    assert "does without" not in db.notices
    hint = db.value("SELECT hint FROM odoo_check() WHERE item = %s AND status = 'warning' AND detail LIKE '%%odoo_row_edited%%'", LINES)
    assert "full_refresh => true" in hint
    life_of_facts(db, shop)
    # An edit is not seen, and put right by reading all.
    db.run(f"UPDATE {LINES} SET uom = 'mine' WHERE id = (SELECT min(id) FROM {LINES})")
    assert differing(db) == 0
    db.run("SELECT * FROM odoo_sync('sales', full_refresh => true)")
    assert db.value(f"SELECT count(*) FROM {LINES} WHERE uom = 'mine'") == 0
    # Another table in its place may take it.
    db.run(f"DROP EVENT TRIGGER refuse; DROP TABLE {LINES}")
    db.run(ALL)
    assert lacks(db) == []


def test_a_first_load_ends_without_the_keys_that_an_engine_refuses(db, shop):
    refusing(db, "'ALTER TABLE'")
    db.run(ALL)
    assert f'table "public"."{LINES}" does without foreign key "{LINES}_order_id_fkey"' in db.notices
    assert f"{LINES}_order_id_fkey" in lacks(db) and "odoo_row_edited" not in lacks(db)
    assert db.value("SELECT count(*) FROM odoo_etl.first_loads") == 0
    db.connection.notices = []
    db.run(ALL)
    assert "does without" not in db.notices
    life_of_facts(db, shop)


def test_a_first_load_ends_where_a_key_has_more_columns(db, shop):
    """No foreign key leads to it."""
    db.run("SELECT * FROM odoo_sync('products')")
    db.run(f"ALTER TABLE {LINES} DROP CONSTRAINT {LINES}_pkey, ADD PRIMARY KEY (channel, id, order_id)")
    db.run(ALL)
    assert lacks(db) == [f"{LINES}_refunded_line_id_fkey", f"{LINES}_settles_line_id_fkey"]
    assert db.value("SELECT count(*) FROM odoo_etl.first_loads") == 0
    life_of_facts(db, shop)


def test_days_are_numbered_where_the_table_does_not(db, shop):
    db.run("SELECT * FROM odoo_sync('stock')")
    db.run("ALTER TABLE fact_stock_daily ALTER COLUMN id DROP IDENTITY")
    db.run("UPDATE fact_stock_daily SET day = day - 1")
    for quant in shop.records("stock.quant").values():
        quant["quantity"] += 1
    db.run("SELECT * FROM odoo_sync('stock')")
    rows, distinct, open_ = db.run("SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE until IS NULL) FROM fact_stock_daily")[0]
    assert rows == distinct == 2 * open_ > 0
