"""The shop of make demo: the same for the same seed, and whole as Odoo sees it. It has an Odoo of its own."""

from collections import Counter
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ..lab import odoo, shop
from ..lab.shop import demand
from ..lab.shop.catalogue import BRANCHES, PRODUCTS
from ..lab.shop.tables import TABLES as TABLES_OF_ODOO
from ..lab.shop.year import Year
from .conftest import Truth, differences

DAYS = 45
ZONE = ZoneInfo("Europe/Brussels")

#: What the shop's records are loaded into, compared with Odoo's own tables.
TABLES = (
    "dim_branches", "dim_payment_methods", "dim_products", "dim_customers", "dim_employees", "all_sales", "fact_sales_lines",
    "fact_payments", "fact_sessions", "fact_purchases", "fact_stock", "fact_stock_moves",
)


#: Tables with ids that are filled without Odoo.
FILLED = [table for table in TABLES_OF_ODOO if table != "account_tax_pos_order_line_rel"]


class Shop:
    def __init__(self, folder):
        self.server = odoo.Server(folder, template=shop.database())
        self.server.start()
        self.api = odoo.Api(self.server)
        # All branches are open in the afternoon of a day that is over.
        day = datetime.now(ZONE).date() - timedelta(1)
        while not all(demand.is_open(branch, day) for branch in range(len(BRANCHES))):
            day -= timedelta(1)
        self.year = shop.fill(self.server, days=DAYS, now=datetime.combine(day, time(15)))

    def read(self, model, fields, domain=()):
        return {row["id"]: row for row in self.api(model, "search_read", list(domain), fields, order="id")}


@pytest.fixture(scope="module")
def made(folder):
    made = Shop(folder / "shop")
    yield made
    made.server.stop()


@pytest.fixture(scope="module")
def warehouse(made, star_database):
    star_database.server(made.server.url)
    star_database.run("SELECT * FROM odoo_sync_all()")
    star_database.run("SELECT odoo_create_reports('reports')")
    return star_database


@pytest.fixture(scope="module")
def truth(made):
    connection = Truth.of(made.server)
    yield connection
    connection.close()


def told(seed):
    """All that happened, in words."""
    year = Year(seed, datetime(2026, 3, 4, 15), DAYS)
    orders = [(order.at, order.customer, order.total, order.payments, [(line.product, line.quantity, line.cost) for line in order.lines])
              for session in year.sessions for order in session.orders]
    sessions = [(session.opened_at, session.closed_at, session.difference) for session in year.sessions]
    return repr((orders, sessions, year.store.purchases, year.store.shelves))


def test_the_same_seed_gives_the_same_shop():
    assert told(1) == told(1)
    assert told(1) != told(2)


def test_a_year_has_what_charts_show():
    now = datetime(2026, 3, 4, 15)
    year = Year(shop.SEED, now, 365)
    orders = [order for session in year.sessions for order in session.orders]
    assert 15_000 < len(orders) < 30_000
    assert max(order.at for order in orders) <= now
    sold = Counter(order.at.month for order in orders)
    assert sold[12] > 1.3 * sold[8]
    share = sum(1 for order in orders if order.refunds) / len(orders)
    assert .01 < share < .05
    cash = Counter(payment.method for order in orders for payment in order.payments)
    assert min(cash["cash"], cash["card"], cash["account"]) > 100
    shelves = [shelf.quantity for branch in year.store.shelves for shelf in branch]
    assert min(shelves) == 0 and 3 <= shelves.count(0) <= 30
    assert [session.branch for session in year.sessions if not session.closed_at] == [1, 2, 0]


def test_orders_are_the_sums_of_their_lines_and_payments(made):
    lines, payments, taxes = Counter(), Counter(), Counter()
    signs = {id: -1 if row["is_refund"] else 1 for id, row in made.read("pos.order", ["is_refund"]).items()}
    for row in made.read("pos.order.line", ["order_id", "qty", "price_unit", "discount", "price_subtotal", "price_subtotal_incl",
                                            "total_cost", "is_total_cost_computed", "margin"]).values():
        sign = signs[row["order_id"][0]]
        lines[row["order_id"][0]] += sign * cents(row["price_subtotal_incl"])
        taxes[row["order_id"][0]] += sign * (cents(row["price_subtotal_incl"]) - cents(row["price_subtotal"]))
        assert row["is_total_cost_computed"] and (row["total_cost"] > 0) == (row["qty"] > 0)
        assert row["price_subtotal"] * .1 < sign * row["margin"] < row["price_subtotal"] * .7 or row["discount"], row
        assert abs(row["price_subtotal"] - abs(row["qty"]) * row["price_unit"] * (1 - row["discount"] / 100)) < .0051
    for row in made.read("pos.payment", ["pos_order_id", "amount"]).values():
        payments[row["pos_order_id"][0]] += cents(row["amount"])
    orders = made.read("pos.order", ["amount_total", "amount_tax", "amount_paid", "is_refund", "refunded_order_id", "margin"])
    assert len(orders) == sum(len(session.orders) for session in made.year.sessions) > 1000
    for id, row in orders.items():
        total = cents(row["amount_total"])
        assert (total, cents(row["amount_tax"])) == (lines[id], taxes[id]), row
        assert total == cents(row["amount_paid"]) == payments[id], row
        assert bool(row["refunded_order_id"]) == row["is_refund"] == (total < 0), row
    assert any(row["is_refund"] for row in orders.values())


def test_no_reference_leads_nowhere(truth):
    """Foreign keys of all tables that were filled, whose checks the copy left out."""
    tables = ", ".join(f"'{table}'::regclass" for table in TABLES_OF_ODOO)
    with truth.cursor() as cursor:
        cursor.execute(
            "SELECT format('SELECT count(*) FROM %s AS one WHERE %I IS NOT NULL AND NOT EXISTS (SELECT FROM %s AS other WHERE other.id = one.%I)',"
            " conrelid::regclass, attname, confrelid::regclass, attname) FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid "
            f"AND attnum = conkey[1] WHERE contype = 'f' AND conrelid IN ({tables})")
        checks = [row[0] for row in cursor.fetchall()]
        assert len(checks) > 80
        for check in checks:
            cursor.execute(check)
            assert cursor.fetchone() == (0,), check
        for table in FILLED:
            cursor.execute(f"SELECT nextval('{table}_id_seq') > max(id) FROM {table}")
            assert cursor.fetchone() == (True,), table


def test_sessions_differ_as_planned(made):
    found = made.read("pos.session", ["name", "state", "cash_register_difference", "cash_register_balance_end", "start_at",
                                      "stop_at", "order_count", "picking_count", "failed_pickings"])
    assert len(found) == len(made.year.sessions)
    for session, row in zip(made.year.sessions, found.values()):
        assert row["name"].startswith(BRANCHES[session.branch].name)
        assert cents(row["cash_register_balance_end"]) == session.expected, row
        assert row["order_count"] == len(session.orders)
        if session.closed_at:
            assert (row["state"], cents(row["cash_register_difference"])) == ("closed", session.difference), row
            assert row["picking_count"] and not row["failed_pickings"]
        else:
            assert (row["state"], row["stop_at"]) == ("opened", False)
    assert Counter(bool(session.difference) for session in made.year.sessions)[True] > 10


def test_the_warehouse_is_what_odoo_has(warehouse, truth, table):
    assert differences(warehouse, truth, table) == []


def test_nothing_is_missing(warehouse):
    for entity in ("products", "customers", "sales", "payments", "sessions", "purchases", "stock", "stock_moves"):
        found = warehouse.run("SELECT target, missing, stale, deleted FROM odoo_verify(%s)", entity)
        assert found and [row for row in found if any(row[1:])] == []
    assert warehouse.value("SELECT count(*) FROM odoo_quarantine") == 0


def test_the_stock_of_any_day_is_odoos_own(made, warehouse):
    """Of each branch, and never below nothing."""
    branches = dict(warehouse.run("SELECT warehouse_id, name FROM dim_branches WHERE active"))
    assert sorted(branches.values()) == sorted(branch.name for branch in BRANCHES)
    goods = made.api("product.product", "search", [("default_code", "in", [product.sku for product in PRODUCTS])])
    assert len(goods) == len(PRODUCTS)
    for ago in (0, 1, 5, 20, DAYS - 1, DAYS):
        day = made.year.today - timedelta(ago)
        end = datetime.combine(day, time(23, 59, 59), ZONE).astimezone(timezone.utc)
        for place in branches:
            known = made.api("product.product", "read", goods, ["qty_available"],
                             context={"to_date": f"{end:%Y-%m-%d %H:%M:%S}", "warehouse_id": place})
            expected = {row["id"]: row["qty_available"] for row in known if row["qty_available"]}
            found = dict(warehouse.run("SELECT product_id, quantity::float FROM odoo_stock_on(%s) WHERE warehouse_id = %s", day, place))
            assert found == expected, (day, branches[place])
            assert bool(found) == (ago < DAYS) and min(found.values(), default=0) >= 0
    left = sum(shelf.quantity for branch in made.year.store.shelves for shelf in branch)
    taken = sum(line.quantity for session in made.year.sessions if not session.closed_at for order in session.orders for line in order.lines)
    assert warehouse.value("SELECT sum(quantity) FROM odoo_stock_on(%s) WHERE warehouse_id = ANY (%s)",
                           made.year.today, list(branches)) == left + taken
    assert warehouse.value("SELECT min(pieces) FROM (SELECT sum(quantity) AS pieces FROM odoo_stock_on(%s) GROUP BY warehouse_id) s",
                           made.year.today) > 0


def test_margins_are_sane(warehouse):
    found = warehouse.run("SELECT category, percent::float FROM reports.margin_by_category WHERE revenue > 500")
    assert len({category for category, _ in found}) == 7
    assert [row for row in found if not 15 < row[1] < 65] == []


def test_odoo_goes_on_from_there(made):
    """It closes the open session by itself, and opens the next one."""
    session = made.api("pos.session", "search_read", [("state", "=", "opened"), ("order_ids", "!=", False)],
                       ["config_id", "cash_register_balance_end"], limit=1)[0]
    made.api("pos.session", "write", [session["id"]], {"cash_register_balance_end_real": session["cash_register_balance_end"]})
    made.api("pos.session", "action_pos_session_closing_control", [session["id"]])
    after = made.api("pos.session", "read", [session["id"]], ["state", "picking_count", "failed_pickings", "order_ids", "name"])[0]
    assert (after["state"], after["failed_pickings"]) == ("closed", False) and after["picking_count"]
    orders = made.api("pos.order", "read", after["order_ids"], ["state"])
    assert orders and {row["state"] for row in orders} == {"done"}
    made.api("pos.session", "create", [{"config_id": session["config_id"][0], "user_id": 2}])


def cents(amount):
    return round(amount * 100)
