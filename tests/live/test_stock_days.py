"""Stock moves and the stock of any day, against what the real Odoo 19 itself says: its lines of moves, its quants, and
its inventory at a date."""

import time
import xmlrpc.client
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from .conftest import differences
from .shop import create, reference

DAYS = 12


class Store:
    """Two warehouses of one company, and goods that go in and out."""

    def __init__(self, api):
        self.api = api
        self.here = api("stock.warehouse", "search", [("company_id", "=", 1)], limit=1)[0]
        number = api("stock.warehouse", "search_count", [])
        self.there = create(api, "stock.warehouse", name=f"Depot {number}", code=f"D{number}", company_id=1)
        self.shelves = {w["id"]: w["lot_stock_id"][0] for w in api(
            "stock.warehouse", "read", [self.here, self.there], ["lot_stock_id"])}
        self.types = {
            (t["warehouse_id"][0], t["code"]): t["id"] for t in api(
                "stock.picking.type", "search_read", [("warehouse_id", "in", [self.here, self.there])], ["code", "warehouse_id"],
                order="id desc")}
        self.dozen, self.piece = (reference(api, "uom", f"product_uom_{name}") for name in ("dozen", "unit"))
        self.vendors, self.customers = (reference(api, "stock", f"stock_location_{n}") for n in ("suppliers", "customers"))
        # One is counted in pieces, the other one in dozens.
        self.eggs = create(api, "product.product", name="Eggs", is_storable=True, standard_price=0.25, uom_id=self.piece)
        self.boxes = create(api, "product.product", name="Boxes", is_storable=True, standard_price=3, uom_id=self.dozen)

    def transfer(self, code, source, to, days, *goods, warehouse=None):
        """A transfer of (product, quantity, unit), so many days ago."""
        picking = create(
            self.api, "stock.picking", picking_type_id=self.types[warehouse or self.here, code], location_id=source,
            location_dest_id=to, move_ids=[(0, 0, {
                "product_id": product, "product_uom": unit, "product_uom_qty": quantity, "location_id": source,
                "location_dest_id": to,
            }) for product, quantity, unit in goods])
        self.api("stock.picking", "action_confirm", [picking])
        moves = self.api("stock.move", "search", [("picking_id", "=", picking)])
        for move, (_, quantity, _) in zip(sorted(moves), goods):
            self.api("stock.move", "write", [move], {"quantity": quantity, "picked": True})
        self.api("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
        return self.backdate([("picking_id", "=", picking), ("state", "=", "done")], days)

    def count(self, product, quantity, days):
        quant = self.api("stock.quant", "create", [
            {"product_id": product, "location_id": self.shelves[self.here], "inventory_quantity": quantity}],
            context={"inventory_mode": True})
        self.api("stock.quant", "action_apply_inventory", quant)
        return self.backdate([("product_id", "=", product), ("is_inventory", "=", True)], days)

    def scrap(self, product, quantity, unit, days):
        scrap = create(self.api, "stock.scrap", product_id=product, scrap_qty=quantity, product_uom_id=unit,
                       location_id=self.shelves[self.here])
        self.api("stock.scrap", "action_validate", [scrap])
        return self.backdate([("scrap_id", "=", scrap)], days)

    def backdate(self, domain, days):
        moves = self.api("stock.move", "search", domain)
        when = datetime.now(timezone.utc) - timedelta(days=days)
        self.api("stock.move", "write", moves, {"date": when.strftime("%Y-%m-%d %H:%M:%S")})
        return moves


@pytest.fixture(scope="module")
def store(api):
    store = Store(api)
    stock, there = store.shelves[store.here], store.shelves[store.there]
    store.moves = {
        # Ten dozen in pieces, and 30 pieces in dozens.
        "receipt": store.transfer("incoming", store.vendors, stock, 9, (store.eggs, 10, store.dozen), (store.boxes, 30, store.piece)),
        "delivery": store.transfer("outgoing", stock, store.customers, 7, (store.eggs, 1, store.dozen), (store.boxes, 1, store.dozen)),
        "scrap": store.scrap(store.eggs, 0.5, store.dozen, 6),
        "between": store.transfer("internal", stock, there, 4, (store.eggs, 2, store.dozen), (store.boxes, 3, store.piece)),
        "count": store.count(store.eggs, 70, 3),
        "more": store.transfer("incoming", store.vendors, there, 1, (store.eggs, 7, store.piece), warehouse=store.there),
    }
    return store


@pytest.fixture(scope="module")
def warehouse(store, star_database, real):
    star_database.server(real.url)
    # Odoo dates moves and answers by whole seconds.
    time.sleep(1.1)
    star_database.run("SELECT * FROM odoo_sync_all()")
    return star_database


def days_before(warehouse):
    """Those before the stock was read first: of that one, and of those since, the warehouse tells what it saw."""
    first = warehouse.value("SELECT min(day) FROM fact_stock_daily")
    return [first - timedelta(days=days) for days in range(1, DAYS)]


def require_same_days(warehouse, store, days):
    """What Odoo's own inventory at a date says of all goods, per warehouse, at the end of some days."""
    zone = ZoneInfo(warehouse.value("SELECT timezone FROM fact_stock_locations WHERE id = %s", store.shelves[store.here]))
    goods = store.api("product.product", "search", [("is_storable", "=", True)],
                     context={"active_test": False, "allowed_company_ids": [1]})
    wrong = []
    for day in days:
        end = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1) - timedelta(seconds=1)
        at = end.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        for place in (store.here, store.there):
            known = store.api("product.product", "read", goods, ["qty_available"],
                              context={"to_date": at, "warehouse_id": place, "allowed_company_ids": [1]})
            expected = {row["id"]: round(row["qty_available"], 2) for row in known if round(row["qty_available"], 2)}
            found = dict(warehouse.run(
                "SELECT product_id, sum(quantity)::float FROM odoo_stock_on(%s) WHERE warehouse_id = %s GROUP BY 1 HAVING sum(quantity) <> 0",
                day, place))
            wrong += [(str(day), place, id, found.get(id), expected.get(id)) for id in found.keys() | expected.keys()
                      if found.get(id) != expected.get(id)]
    assert wrong == []


def test_quantities_are_in_the_products_unit(warehouse, store, truth):
    for table in ("fact_stock_moves", "dim_picking_types", "fact_stock_locations"):
        assert differences(warehouse, truth, table) == []
    found = {what: warehouse.run(
        "SELECT quantity::float, uom, direction FROM fact_stock_moves WHERE id = ANY (%s) ORDER BY id", moves)
        for what, moves in store.moves.items()}
    assert found == {
        "receipt": [(120, "Units", "in"), (2.5, "Dozens", "in")],
        "delivery": [(12, "Units", "out"), (1, "Dozens", "out")],
        "scrap": [(6, "Units", "scrap")],
        "between": [(24, "Units", "internal"), (0.25, "Dozens", "internal")],
        "count": [(8, "Units", "inventory")],
        "more": [(7, "Units", "in")],
    }
    assert warehouse.run("SELECT value::float, unit_cost::float FROM fact_stock_moves WHERE id = %s", store.moves["delivery"][0]) == [(3, 0.25)]
    assert warehouse.run("SELECT value FROM fact_stock_moves WHERE id = ANY (%s)", store.moves["between"]) == [(None,), (None,)]


def test_the_stock_of_any_day_is_odoos_own(warehouse, store):
    require_same_days(warehouse, store, days_before(warehouse))
    assert warehouse.value("SELECT abs(min(taken_at)::date - min(day)) FROM fact_stock_daily") <= 1
    # Those that were seen are known by shelf.
    to_come = warehouse.value("SELECT current_date + 1")
    assert warehouse.run("SELECT * FROM odoo_stock_on(%s) WHERE location_id IS NULL", to_come) == []
    require_same_days(warehouse, store, [to_come])


def test_a_done_move_can_change_but_not_go(warehouse, store, truth):
    """Whose quantity is put right later changes what was there since."""
    move = store.moves["receipt"][0]
    line = store.api("stock.move.line", "search", [("move_id", "=", move)])
    store.api("stock.move.line", "write", line, {"quantity": 11})
    time.sleep(1.1)
    for model, method in (("stock.move", "unlink"), ("stock.picking", "unlink"), ("stock.picking", "action_cancel")):
        picking = store.api("stock.move", "read", [move], ["picking_id"])[0]["picking_id"][0]
        with pytest.raises(xmlrpc.client.Fault):
            store.api(model, method, [move if model == "stock.move" else picking])
    warehouse.run("SELECT * FROM odoo_sync_all()")
    assert warehouse.value("SELECT quantity FROM fact_stock_moves WHERE id = %s", move) == 132
    for table in ("fact_stock_moves", "fact_stock"):
        assert differences(warehouse, truth, table) == []
    require_same_days(warehouse, store, days_before(warehouse))


def test_negative_stock_is_told_as_it_is(warehouse, store):
    """Odoo lets goods go that it does not have."""
    store.transfer("outgoing", store.shelves[store.there], store.customers, 2, (store.boxes, 2, store.dozen), warehouse=store.there)
    time.sleep(1.1)
    warehouse.run("SELECT * FROM odoo_sync_all()")
    require_same_days(warehouse, store, days_before(warehouse))
    left = "SELECT sum(quantity)::float FROM odoo_stock_on(%s) WHERE product_id = %s AND warehouse_id = %s"
    assert warehouse.value(left, warehouse.value("SELECT current_date + 1"), store.boxes, store.there) == -1.75
