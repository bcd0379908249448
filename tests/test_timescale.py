"""Facts as hypertables of TimescaleDB: `make test-scale` runs these on the PostgreSQL that has it."""

import psycopg2
import pytest

from .conftest import Database, running
from .test_engines import ALL, LINES, differing, lacks, life_of_facts
from .test_in_step import Shop, paid_order_with_lines

pytestmark = pytest.mark.timescale

#: The facts that grow.
FACTS = ("all_sales", LINES, "fact_payments", "fact_stock_moves")


@pytest.fixture(scope="module")
def cluster(folder):
    with running(folder / "timescale", shared_preload_libraries="timescaledb", **{"timescaledb.telemetry_level": "off"}) as cluster:
        yield cluster


@pytest.fixture
def shop(db, fake):
    db.run("CREATE EXTENSION timescaledb")
    return Shop(db, fake, "version=19")


def make_hypertables(db, facts=FACTS):
    """As docs/scale.md has it."""
    for table in facts:
        db.run(f"SELECT create_hypertable('{table}', by_range('id', 2), migrate_data => true)")


def drop_keys_to(db, facts=FACTS):
    keys = db.run("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' "
                  "AND confrelid = ANY (%s::regclass[])", list(facts))
    for table, key in keys:
        db.run(f"ALTER TABLE {table} DROP CONSTRAINT {key}")
    return keys


def chunks(db, table=LINES):
    return db.value("SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = %s", table)


def test_hypertables_before_the_first_load(db, shop):
    # Any run makes all tables.
    db.run("SELECT * FROM odoo_sync('products')")
    make_hypertables(db)
    db.run(ALL)
    assert chunks(db) > 1
    assert f"does without foreign key \"{LINES}_order_id_fkey\"" in db.notices
    assert f"{LINES}_order_id_fkey" in lacks(db) and f"{LINES}_product_id_fkey" not in lacks(db)
    assert "odoo_row_edited" not in lacks(db)
    db.connection.notices = []
    db.run("CALL odoo_sync_job()")
    assert "does without" not in db.notices
    life_of_facts(db, shop)
    for table in FACTS:
        assert differing(db, "all") == 0, table


def test_hypertables_of_loaded_facts(db, shop):
    db.run(ALL)
    rows = db.run(f"SELECT * FROM {LINES} ORDER BY channel, id")
    with pytest.raises(psycopg2.Error, match="referenced in a foreign key constraint"):
        make_hypertables(db)
    assert drop_keys_to(db)
    make_hypertables(db)
    assert db.run(f"SELECT * FROM {LINES} ORDER BY channel, id") == rows
    db.run(ALL)
    assert f"{LINES}_order_id_fkey" in lacks(db) and "odoo_row_edited" not in lacks(db)
    life_of_facts(db, shop)


def test_an_edited_row_of_a_chunk_is_seen(db, shop):
    db.run(ALL)
    drop_keys_to(db)
    make_hypertables(db)
    db.run(f"UPDATE {LINES} SET uom = 'mine' WHERE id = (SELECT max(id) FROM {LINES})")
    assert differing(db) >= 1
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert (differing(db), db.value(f"SELECT count(*) FROM {LINES} WHERE uom = 'mine'")) == (0, 0)


def test_what_tells_of_tables_counts_chunks(db, shop):
    db.run(ALL)
    found = "SELECT item, status, detail FROM odoo_check() ORDER BY 1, 2, 3"
    before = db.run(found)
    drop_keys_to(db)
    make_hypertables(db)
    db.run(f"ANALYZE {LINES}; ANALYZE all_sales")
    for table in (LINES, "all_sales"):
        rows = db.value(f"SELECT count(*) FROM {table}")
        assert db.run("SELECT rows_estimate, state FROM odoo_sync_status WHERE target = %s", table) == [(rows, "idle")]
    assert [row for row in db.run(found) if row[0] in FACTS] == [row for row in before if row[0] in FACTS]
    for view, in db.run("SELECT odoo_create_reports()::text"):
        db.run(f"SELECT count(*) FROM {view}")


def test_a_hypertable_made_by_hand_of_another_key(db, shop):
    """By date, as most are: the key has the date too, and a row whose date changes moves to another chunk."""
    db.run(ALL)
    drop_keys_to(db)
    db.run(f"DELETE FROM {LINES} WHERE business_date IS NULL")
    db.run(f"ALTER TABLE {LINES} DROP CONSTRAINT {LINES}_pkey, ADD PRIMARY KEY (channel, id, business_date)")
    db.run(f"SELECT create_hypertable('{LINES}', by_range('business_date', interval '7 days'), migrate_data => true)")
    order, (line, *_) = paid_order_with_lines(shop)
    rows, before = db.value(f"SELECT count(*) FROM {LINES}"), db.value(f"SELECT business_date FROM {LINES} WHERE channel = 'pos' AND id = %s", line)
    shop.write("pos.order", order, "2030-01-01 00:00:00", date_order="2023-05-05 12:00:00")
    report = db.report("SELECT * FROM odoo_sync('sales')")[LINES]
    after = db.value(f"SELECT business_date FROM {LINES} WHERE channel = 'pos' AND id = %s", line)
    assert before != after and str(after) == "2023-05-05"
    assert (report["inserted"], report["deleted"]) == (0, 0)
    assert (db.value(f"SELECT count(*) FROM {LINES}"), differing(db)) == (rows, 0)


def test_compressed_chunks(db, shop):
    """Debian's edition has none; that of Timescale's own packages has."""
    db.run(ALL)
    drop_keys_to(db)
    make_hypertables(db)
    with pytest.raises(psycopg2.Error, match="not supported under the current \"apache\" license"):
        db.run(f"ALTER TABLE {LINES} SET (timescaledb.compress)")
