"""The stock of each day: fact_stock_daily, and odoo_stock_on() from it and from moves."""

from datetime import datetime, timezone

import psycopg2
import pytest

from .conftest import url
from .test_in_step import Shop

SYNC = "SELECT * FROM odoo_sync('stock')"
STATEMENTS = [SYNC, "SELECT * FROM odoo_sync_all()", "CALL odoo_sync_job('stock')", "SELECT * FROM odoo_sync('stock', full_refresh => true)",
              "SELECT * FROM odoo_reconcile('stock')", "CALL odoo_sync_job('stock', reconcile => true)"]

#: A row is told by product, location, lot and owner.
TEA, ICED, SOLD = (31, 8, "L-2024", None), (34, 18, None, 12), (31, 14, None, None)


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


class Stock(Shop):
    """A shop whose clock the test sets."""

    def __init__(self, db, fake, behaviour="version=19", **options):
        super().__init__(db, fake, behaviour, **options)
        self.quants = self.records("stock.quant")
        self.at("2024-06-01 12:00")

    def at(self, time, statement=None):
        self.behaviour.clock = seconds(time)
        if statement:
            self.db.run(statement)

    def days(self, *keys, values="quantity"):
        """What the table of days says of keys: day, until, values."""
        return self.db.run(
            f"SELECT day::text, until::text, {values} FROM fact_stock_daily "
            "WHERE (%s::text IS NULL OR (product_id, location_id, lot, owner_id)::text = any (%s)) ORDER BY product_id, location_id, day",
            "x" if keys else None, [row(key) for key in keys])

    def stock_on(self, day, columns="product_id, location_id, quantity"):
        return self.db.run(f"SELECT {columns} FROM odoo_stock_on(%s) ORDER BY 1, 2", day)


def row(key):
    return "(" + ",".join("" if value is None else str(value) for value in key) + ")"


@pytest.fixture
def stock(db, fake):
    return Stock(db, fake)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_good_run_of_stock_keeps_the_day(stock, db, statement):
    stock.at("2024-06-01 12:00", "SELECT * FROM odoo_sync('stock')")
    db.run("TRUNCATE fact_stock_daily")
    stock.at("2024-06-01 13:00", statement)
    assert stock.days(values="quantity, reserved, value, currency, taken_at::text") == [
        ("2024-06-01", None, 10, 2.5, 25, "EUR", "2024-06-01 13:00:00+00"),
        ("2024-06-01", None, -1, 0, 0, None, "2024-06-01 13:00:00+00"),
        ("2024-06-01", None, 1, 0, 0, "USD", "2024-06-01 13:00:00+00"),
    ]


def test_a_day_has_a_row_where_it_ended_otherwise_than_the_one_before(stock):
    stock.at("2024-06-01 12:00", SYNC)
    stock.at("2024-06-02 12:00", SYNC)
    assert stock.days(TEA) == [("2024-06-01", None, 10)]
    stock.quants[61]["quantity"] = 8.0
    stock.at("2024-06-03 12:00", SYNC)
    stock.quants[61]["quantity"] = 7.0
    stock.at("2024-06-03 18:00", SYNC)
    stock.quants[61]["reserved_quantity"] = 0.5
    stock.at("2024-06-07 12:00", SYNC)
    assert stock.days(TEA, values="quantity, reserved") == [
        ("2024-06-01", "2024-06-03", 10, 2.5), ("2024-06-03", "2024-06-07", 7, 2.5), ("2024-06-07", None, 7, 0.5)]
    assert stock.days(ICED) == [("2024-06-01", None, 1)]


def test_what_a_day_took_back_leaves_no_row(stock):
    stock.at("2024-06-01 12:00", SYNC)
    stock.quants[61]["quantity"] = 8.0
    stock.quants[65] = {**stock.quants[62], "id": 65, "owner_id": None}
    stock.at("2024-06-02 12:00", SYNC)
    assert stock.days(TEA, (34, 18, None, None)) == [
        ("2024-06-01", "2024-06-02", 10), ("2024-06-02", None, 8), ("2024-06-02", None, 1)]
    stock.quants[61]["quantity"] = 10.0
    del stock.quants[65]
    stock.at("2024-06-02 13:00", SYNC)
    assert stock.days(TEA, (34, 18, None, None)) == [("2024-06-01", None, 10)]
    # And once more, on the same day and on the next.
    stock.quants[61]["quantity"] = 9.0
    stock.at("2024-06-02 14:00", SYNC)
    stock.quants[61]["quantity"] = 10.0
    stock.at("2024-06-03 12:00", SYNC)
    assert stock.days(TEA) == [("2024-06-01", "2024-06-02", 10), ("2024-06-02", "2024-06-03", 9), ("2024-06-03", None, 10)]


def test_a_quant_that_vanishes_is_a_day_with_nothing(stock):
    stock.at("2024-06-01 12:00", SYNC)
    gone = stock.quants.pop(61)
    stock.at("2024-06-02 12:00", SYNC)
    stock.at("2024-06-03 12:00", SYNC)
    assert stock.days(TEA, values="quantity, reserved, value, currency") == [
        ("2024-06-01", "2024-06-02", 10, 2.5, 25, "EUR"), ("2024-06-02", None, 0, 0, 0, "EUR")]
    stock.quants[66] = {**gone, "id": 66}
    stock.at("2024-06-04 12:00", SYNC)
    assert stock.days(TEA)[-1] == ("2024-06-04", None, 10) and len(stock.days(TEA)) == 3


def test_packages_of_one_key_are_added_up(stock):
    stock.quants[67] = {**stock.quants[61], "id": 67, "quantity": 5.0, "value": 1.0}
    stock.at("2024-06-01 12:00", SYNC)
    assert stock.days(TEA, values="quantity, reserved, value") == [("2024-06-01", None, 15, 5, 26)]


def test_a_value_that_cannot_be_read_is_no_number(stock):
    stock.quants[67] = {**stock.quants[61], "id": 67, "quantity": 5.0}
    stock.behaviour.database.poison = ["stock.quant", "67", "quantity"]
    stock.at("2024-06-01 12:00", SYNC)
    assert stock.days(TEA, ICED) == [("2024-06-01", None, None), ("2024-06-01", None, 1)]
    assert (31, 8, None) in stock.stock_on("2024-06-01")


def test_days_end_where_the_goods_are(stock):
    """Half past ten in the evening in UTC is the next day in Paris, and still the same in New York."""
    stock.at("2024-06-01 12:00", SYNC)
    stock.quants[61]["quantity"], stock.quants[62]["quantity"], stock.quants[64]["quantity"] = 8.0, 2.0, -3.0
    stock.at("2024-06-02 22:30", SYNC)
    assert [stock.days(key)[-1][:1] for key in (TEA, ICED, SOLD)] == [("2024-06-03",), ("2024-06-02",), ("2024-06-02",)]


def test_places_of_no_company_have_the_servers_time_zone(db, fake):
    stock = Stock(db, fake, timezone="Asia/Tokyo")
    stock.at("2024-06-01 22:30", SYNC)
    assert stock.days(SOLD) == [("2024-06-02", None, -1)]


def test_a_clock_that_is_set_back_writes_no_past(stock):
    stock.at("2024-06-03 12:00", SYNC)
    stock.quants[61]["quantity"] = 8.0
    stock.at("2024-06-01 12:00", SYNC)
    assert stock.days(TEA) == [("2024-06-03", None, 8)]


def test_a_run_that_is_undone_leaves_the_days_as_they_were(stock, db):
    stock.at("2024-06-01 12:00", SYNC)
    stock.quants[61]["quantity"] = 8.0
    db.run(f"BEGIN; {SYNC}; ROLLBACK")
    assert stock.days(TEA) == [("2024-06-01", None, 10)]
    # What reads no stock says nothing of the day.
    stock.behaviour.database.denied = "stock.quant"
    stock.at("2024-06-02 12:00", SYNC)
    assert stock.days() == [("2024-06-01", None, 10), ("2024-06-01", None, -1), ("2024-06-01", None, 1)]


def test_a_run_without_changes_writes_no_day(stock, db):
    stock.at("2024-06-01 12:00", SYNC)
    before = db.run("SELECT xmin::text, ctid::text FROM fact_stock_daily")
    stock.at("2024-06-05 12:00", SYNC)
    assert db.run("SELECT xmin::text, ctid::text FROM fact_stock_daily") == before


def test_an_old_warehouse_gets_its_days(db, fake):
    db.run("DROP EXTENSION odoo_etl; CREATE EXTENSION odoo_etl VERSION '0.1.0'")
    stock = Stock(db, fake)
    db.run("SELECT * FROM odoo_sync('stock')")
    db.run("DROP TABLE fact_stock_daily, fact_stock_moves, dim_picking_types; ALTER TABLE fact_stock_locations DROP COLUMN timezone")
    db.run("ALTER EXTENSION odoo_etl UPDATE")
    stock.at("2024-06-01 22:30", "SELECT * FROM odoo_sync_all()")
    assert stock.days(TEA) == [("2024-06-02", None, 10)]
    assert db.value("SELECT count(*) FROM fact_stock_moves") == 7
    assert db.run("SELECT timezone FROM fact_stock_locations WHERE id IN (8, 18) ORDER BY id") == [
        ("Europe/Paris",), ("America/New_York",)]


@pytest.mark.parametrize("change", ["ALTER TABLE fact_stock_daily RENAME TO mine", "CREATE SCHEMA x; ALTER TABLE fact_stock_daily SET SCHEMA x"])
def test_days_that_were_moved_are_not_begun_anew(stock, db, change):
    stock.at("2024-06-01 12:00", SYNC)
    db.run(change)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="fact_stock_daily.* was moved") as raised:
        db.run(SYNC)
    assert "DROP TABLE" in raised.value.diag.message_hint


def test_another_owner_has_to_see_the_stock(stock, db):
    owner = f"keeper_{db.name}"
    stock.at("2024-06-01 12:00", SYNC)
    db.run(f"CREATE ROLE {owner}; ALTER TABLE fact_stock_daily OWNER TO {owner}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="who may not read fact_stock") as raised:
        db.run(SYNC)
    db.run(raised.value.diag.message_hint.rstrip(";"))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="who may not read fact_stock_locations"):
        db.run(SYNC)
    db.run(f"GRANT SELECT ON fact_stock_locations TO {owner}")
    stock.quants[61]["quantity"] = 8.0
    stock.at("2024-06-02 12:00", SYNC)
    assert stock.days(TEA)[-1] == ("2024-06-02", None, 8)
    db.run(f"REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}")


def test_the_stock_of_a_day_is_what_its_last_run_saw(stock):
    stock.at("2024-06-01 12:00", SYNC)
    stock.quants[61]["quantity"] = 8.0
    stock.at("2024-06-03 12:00", SYNC)
    del stock.quants[62]
    stock.at("2024-06-04 12:00", SYNC)
    # What customers have is no stock.
    first, third, fourth = [(31, 8, 10), (34, 18, 1)], [(31, 8, 8), (34, 18, 1)], [(31, 8, 8)]
    for day, expected in {"06-01": first, "06-02": first, "06-03": third, "06-04": fourth, "07-31": fourth}.items():
        assert stock.stock_on(f"2024-{day}") == expected, day
    assert stock.stock_on("2024-06-03", "product_id, warehouse_id, lot, owner_id, reserved, value, currency") == [
        (31, 2, "L-2024", None, 2.5, 25, "EUR"), (34, 5, None, 12, 0, 0, "USD")]
    assert stock.stock_on(None) == []


@pytest.mark.parametrize("release", [14, 16, 17, 19, 20])
def test_before_the_first_day_moves_tell_it(db, fake, release):
    """Per product and warehouse, as moves know no lot, owner or shelf. The draft counts for nothing, nor does what was
    done after the stock was read."""
    stock = Stock(db, fake, f"version={release}")
    stock.records("stock.move")[109] = {**stock.records("stock.move")[105], "id": 109, "date": "2024-06-01 12:30:00"}
    stock.at("2024-06-01 12:00", "SELECT * FROM odoo_sync('warehouses')")
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    stock.at("2024-06-01 12:00", SYNC)
    on = lambda day: stock.stock_on(day, "product_id, warehouse_id, quantity, location_id, lot, reserved, value")
    nothing = (None, None, None, None)
    assert on("2024-05-31") == [(31, 2, 10, *nothing), (34, 5, 1, *nothing)]
    # 2 delivered, 1 found, half of one scrapped, 1 brought to New York on the first of April in Paris.
    assert on("2024-03-31") == [(31, 2, 12.5, *nothing), (31, 5, -1, *nothing), (34, 5, 1, *nothing)]
    assert on("2024-01-01") == [(31, 2, 2.5, *nothing), (31, 5, -1, *nothing), (34, 5, 1, *nothing)]
    # Two dozen came on New Year's Eve in New York.
    assert on("2023-12-30") == [(31, 2, 2.5, *nothing), (31, 5, -1, *nothing), (34, 5, -23, *nothing)]


def test_a_move_of_no_known_quantity_makes_the_past_unknown(stock, db):
    stock.behaviour.database.poison = ["stock.move", "102", "quantity"]
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    assert db.run("SELECT quantity, unit_cost FROM fact_stock_moves WHERE id = 102") == [(None, None)]
    stock.at("2024-06-01 12:00", SYNC)
    assert stock.stock_on("2024-03-31", "product_id, warehouse_id, quantity")[0] == (31, 2, None)
    assert stock.stock_on("2024-05-31", "product_id, warehouse_id, quantity")[0] == (31, 2, 10)


def test_goods_that_are_not_counted_have_no_past(stock, db):
    stock.records("product.template")[43]["is_storable"] = False
    del stock.quants[62]
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    stock.at("2024-06-01 12:00", SYNC)
    assert {product for product, _ in stock.stock_on("2023-12-30", "product_id, warehouse_id")} == {31}


def test_the_first_day_of_other_zones(stock, db):
    """The first run was in the evening of one day in New York, and on the next morning in Paris: of the first day the moves
    tell, as not all of it was seen."""
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    stock.at("2024-06-01 23:30", SYNC)
    assert [stock.days(key)[0][0] for key in (TEA, ICED)] == ["2024-06-02", "2024-06-01"]
    assert stock.stock_on("2024-06-01", "product_id, location_id, quantity") == [(31, None, 10), (34, None, 1)]
    assert stock.stock_on("2024-06-02") == [(31, 8, 10), (34, 18, 1)]


def test_a_past_that_nobody_knows_is_an_error(stock, db):
    stock.db.run("SELECT * FROM odoo_sync('products')")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="the stock of 2024-01-01 is not known") as raised:
        stock.stock_on("2024-01-01")
    assert raised.value.diag.message_hint == "SELECT * FROM odoo_sync('stock');"
    stock.at("2024-06-01 12:00", SYNC)
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState) as raised:
        stock.stock_on("2024-01-01")
    assert "The first day of fact_stock_daily is 2024-06-01" in raised.value.diag.message_detail
    db.run(raised.value.diag.message_hint)
    assert len(stock.stock_on("2024-01-01")) == 3


def test_readers_need_no_more_than_the_tables(stock, db, fake):
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    stock.at("2024-06-01 12:00", SYNC)
    reader = f"reader_{db.name}"
    db.run(f"CREATE ROLE {reader}; GRANT USAGE ON SCHEMA public TO {reader}; SET ROLE {reader}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="fact_stock_daily"):
        stock.stock_on("2024-06-01")
    db.run(f"RESET ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}; SET ROLE {reader}")
    assert len(stock.stock_on("2024-06-01")) == 2 and len(stock.stock_on("2024-01-01")) == 3
    db.run(f"RESET ROLE; DROP OWNED BY {reader}; DROP ROLE {reader}")
    db.server(url(fake, "version=16"), name="other", schema="other")
    with pytest.raises(psycopg2.errors.AmbiguousParameter, match="there are several Odoo servers"):
        stock.stock_on("2024-06-01")
    assert db.value("SELECT count(*) FROM odoo_stock_on('2024-06-01', 'erp')") == 2
    with pytest.raises(psycopg2.errors.UndefinedObject, match='server "none" does not exist'):
        db.run("SELECT * FROM odoo_stock_on('2024-06-01', server => 'none')")


@pytest.mark.parametrize("denied", ["", "stock.valuation.layer"])
def test_values_that_the_user_may_not_read_are_none(db, fake, denied):
    Stock(db, fake, f"version=18/denied={denied}" if denied else "version=18")
    report = db.report("SELECT * FROM odoo_sync('stock_moves')")["fact_stock_moves"]
    assert report["inserted"] == 7
    found = db.run("SELECT quantity, value FROM fact_stock_moves WHERE id IN (101, 102) ORDER BY id")
    assert found == ([(10, None), (2, None)] if denied else [(10, 20), (2, 5.5)])


def test_layers_that_come_later_are_seen(db, fake):
    """As landed costs do, which leave the move's write_date."""
    stock = Stock(db, fake, "version=18")
    db.run("SELECT * FROM odoo_sync('stock_moves')")
    stock.records("stock.valuation.layer")[304] = dict(id=304, stock_move_id=101, value=1.5, write_date="2024-06-01 12:30:00")
    stock.records("stock.move")[101]["stock_valuation_layer_ids"].append(304)
    stock.at("2024-06-01 13:00")
    report = db.report("SELECT * FROM odoo_sync('stock_moves')")["fact_stock_moves"]
    assert report["updated"] == 1
    assert db.value("SELECT value FROM fact_stock_moves WHERE id = 101") == 21.5
    stock.records("stock.move")[101]["stock_valuation_layer_ids"].remove(304)


def test_days_survive_a_dump(stock, db):
    stock.at("2024-06-01 12:00", SYNC)
    members = db.value("SELECT count(*) FROM pg_depend WHERE objid = 'fact_stock_daily'::regclass AND deptype = 'e'")
    assert members == 0
    db.run("DROP EXTENSION odoo_etl CASCADE; CREATE EXTENSION odoo_etl")
    assert stock.days(TEA) == [("2024-06-01", None, 10)]
