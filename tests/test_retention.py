"""odoo_retain: partitions whose rows are all older than a while are let go, and what they held is left out from then on."""

import time

import psycopg2
import pytest

from .test_first_load import verdict
from .test_in_step import Shop, paid_order_with_lines
from .test_partition import ALL, JOB, LATER, LATEST, LINES, ORDERS, in_parts, other, parts, sync

TODAY = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "version=19")


def aged(shop, year):
    """Makes all orders that are there older, by the date of each."""
    for model in ("pos.order", "sale.order"):
        for id, order in shop.records(model).items():
            order["date_order"] = f"{year}-05-05 12:00:00"
            shop.write(model, id, LATER)


@pytest.fixture
def old(db, shop):
    """A shop whose orders are old, and one of today that refunds the first."""
    aged(shop, 2015)
    in_parts(db, 1000)
    sync(db)
    return shop


def sell_today(db, shop):
    orders, lines = shop.records("pos.order"), shop.records("pos.order.line")
    order, (line, *_) = paid_order_with_lines(shop)
    orders[3000] = {**orders[order], "id": 3000, "date_order": db.value(TODAY), "lines": [3000]}
    lines[3000] = {**lines[line], "id": 3000, "order_id": 3000, "refunded_orderline_id": line}
    shop.write("pos.order", 3000, LATEST)
    shop.write("pos.order.line", 3000, LATEST)
    sync(db)
    return line


def test_what_is_older_is_let_go(db, old):
    refunded = sell_today(db, old)
    assert db.value("SELECT refunded_line_id FROM fact_sales_lines WHERE channel = 'pos' AND id = 3000") == refunded
    links = "SELECT count(*) FROM {} WHERE refunded_line_id IS NOT NULL"
    inside = db.value(links.format("fact_sales_lines_p0"))
    in_parts(db, 1000, "fact_payments")
    db.run("SELECT odoo_retain('payments', '5 years')")
    let_go = db.run("SELECT * FROM odoo_retain('sales', '5 years')")
    assert let_go == [(LINES, "public.fact_sales_lines_p0", 0, 1000), (ORDERS, "public.all_sales_p0", 0, 1000)]
    assert db.value("SELECT count(*) FROM fact_sales_lines") == 1
    assert db.value("SELECT refunded_line_id FROM fact_sales_lines") is None
    # What went is whole, and stands alone.
    assert db.value(links.format("fact_sales_lines_p0")) == inside
    assert db.run("SELECT conname FROM pg_constraint WHERE conrelid = 'fact_sales_lines_p0'::regclass AND contype = 'f'") == []
    # Nothing of it comes back, and nothing is missed.
    for statement in (ALL, "SELECT * FROM odoo_reconcile('all')", "CALL odoo_sync_job(full_refresh => true)"):
        db.run(statement)
        assert db.value("SELECT count(*) FROM fact_sales_lines") == 1
        assert db.run("SELECT column_name FROM missing_data WHERE resolved_at IS NULL AND odoo_model LIKE 'pos.%%'") == []
    order, _ = paid_order_with_lines(old)
    old.write("pos.order", order, "2031-01-01 00:00:00")
    sync(db)
    assert db.value("SELECT count(*) FROM all_sales WHERE id < 1000") == 0
    # Attached again it counts again.
    db.run("ALTER TABLE all_sales ATTACH PARTITION all_sales_p0 FOR VALUES FROM (0) TO (1000)")
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert db.value("SELECT count(*) FROM all_sales WHERE id < 1000") > 0


def test_orders_stay_while_their_parts_do(db, old):
    sell_today(db, old)
    db.run("UPDATE fact_sales_lines SET business_date = current_date WHERE id = (SELECT min(id) FROM fact_sales_lines)")
    assert db.run("SELECT * FROM odoo_retain('sales', '5 years')") == []
    assert "partition public.all_sales_p0 stays, as rows of fact_" in db.notices


def test_retention_drops_tables_where_that_is_asked_for(db, old):
    sell_today(db, old)
    assert len(db.run("SELECT * FROM odoo_retain('sales', '5 years', drop_tables => true)")) >= 1
    assert db.value("SELECT to_regclass('fact_sales_lines_p0')") is None
    sync(db)
    assert verdict(db) == []


def test_bad_input_of_retention(db, shop):
    def error(call):
        with pytest.raises(psycopg2.Error) as told:
            db.run(call)
        return told.value.diag

    told = error("SELECT odoo_retain('products', '1 year')")
    assert told.message_primary == 'entity "products" has no table with a business_date' and "sales" in told.message_hint
    told = error("SELECT odoo_retain('sales', '1 year')")
    assert told.message_primary == 'no table of entity "sales" has partitions' and "odoo_partition('fact_sales_lines')" in told.message_hint
    assert "keep must not be NULL" in error("SELECT odoo_retain('sales', NULL)").message_primary
    assert "keep must be positive" in error("SELECT odoo_retain('sales', '-1 day')").message_primary


@pytest.mark.parametrize("run", [ALL, JOB, "SELECT * FROM odoo_reconcile('sales')"])
def test_what_is_new_comes_though_another_channel_has_passed_its_ids(db, old, run):
    """Each channel counts for itself: the partition of old tickets was where the next quotation belongs."""
    sell_today(db, old)
    in_parts(db, 1000, "fact_payments")
    db.run("SELECT odoo_retain('payments', '5 years')")
    assert (ORDERS, "public.all_sales_p0", 0, 1000) in db.run("SELECT * FROM odoo_retain('sales', '5 years')")
    sales = old.records("sale.order")
    new = max(sales) + 1
    sales[new] = {**sales[max(sales)], "id": new, "date_order": db.value(TODAY)}
    old.write("sale.order", new, LATEST)
    db.run(run)
    assert db.run("SELECT id FROM all_sales WHERE channel = 'sale'") == [(new,)]
    assert verdict(db) == []
    # What is beside it in the partition that was made for it does not come back, nor when that goes too.
    db.run("SELECT * FROM odoo_reconcile('all')")
    assert db.value("SELECT count(*) FROM all_sales WHERE id < 1000") == 1
    db.run("UPDATE all_sales SET business_date = '2015-05-05' WHERE channel = 'sale'")
    db.run("SELECT * FROM odoo_retain('sales', '5 years')")
    db.run("SELECT * FROM odoo_reconcile('all')")
    assert db.value("SELECT count(*) FROM all_sales WHERE id < 1000") == 0 and verdict(db) == []


def test_the_last_partition_stays(db, shop):
    aged(shop, 2015)
    sync(db)
    for table in ("fact_payments", LINES, ORDERS):
        in_parts(db, 1000, table)
        last = parts(db, table)[-1][0]
        db.run(f"ALTER TABLE {table} DETACH PARTITION {last}; DROP TABLE {last}")
    assert db.run("SELECT * FROM odoo_retain('payments', '5 years')") == db.run("SELECT * FROM odoo_retain('sales', '5 years')") == []
    sell_today(db, shop)
    assert db.value("SELECT count(*) FROM all_sales WHERE id = 3000") == 1


def test_what_was_never_read_is_not_let_go(db, shop):
    aged(shop, 2015)
    in_parts(db, 1000)
    db.run("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stop'; END $$")
    db.run("SELECT odoo_sync('products')")
    db.run("CREATE TRIGGER stop BEFORE INSERT ON fact_sales_lines FOR EACH ROW EXECUTE FUNCTION stop()")
    with pytest.raises(psycopg2.Error, match="stop"):
        db.run("CALL odoo_sync_job('sales')")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="the first load of table .* has not ended") as told:
        db.run("SELECT odoo_retain('sales', '5 years')")
    db.run("DROP TRIGGER stop ON fact_sales_lines")
    db.run(told.value.diag.message_hint.split(";")[0])
    db.run("SELECT odoo_retain('sales', '5 years')")


def test_a_partition_that_reaches_into_what_was_let_go_brings_nothing_back(db, old):
    sell_today(db, old)
    in_parts(db, 5000, LINES)
    assert [name for _, name, _, _ in db.run("SELECT * FROM odoo_retain('sales', '5 years')")] == ["public.fact_sales_lines_p0"]
    lines = old.records("pos.order.line")
    lines[1500] = {**lines[3000], "id": 1500, "refunded_orderline_id": False}
    old.records("pos.order")[3000]["lines"] = [1500, 3000]
    for model, id in (("pos.order.line", 1500), ("pos.order", 3000)):
        old.write(model, id, "2031-01-01 00:00:00")
    sync(db, JOB)
    assert ("fact_sales_lines_p0_1", "FOR VALUES FROM ('0') TO ('3000')") in parts(db, LINES)
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert db.run("SELECT id FROM fact_sales_lines ORDER BY 1") == [(1500,), (3000,)]


def test_a_table_that_is_made_anew_brings_nothing_back(db, old):
    sell_today(db, old)
    db.run("SELECT * FROM odoo_retain('sales', '5 years')")
    db.run("DROP TABLE fact_sales_lines CASCADE")
    sync(db, JOB)
    assert db.run("SELECT id FROM fact_sales_lines") == [(3000,)]


def test_who_writes_a_row_that_refers_to_it_is_waited_for_and_named(db, old):
    sell_today(db, old)
    with other(db, "UPDATE fact_sales_lines SET synced_at = now() WHERE id = 3000") as writer:
        begin = time.monotonic()
        with pytest.raises(psycopg2.errors.LockNotAvailable, match="fact_sales_lines is in use") as told:
            db.run("SELECT odoo_retain('sales', '5 years')")
        assert time.monotonic() - begin < 9
        assert f"PID {writer.get_backend_pid()} of role postgres holds" in told.value.diag.message_detail
    assert len(db.run("SELECT * FROM odoo_retain('sales', '5 years')")) >= 1
