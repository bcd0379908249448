"""How a run finds what has changed: one search for each relation, none of them twice, nothing lost."""

import time

import pytest

from .conftest import TABLES
from .test_in_step import Shop, paid_order_with_lines

ALL = "SELECT * FROM odoo_sync_all()"
SALES = "SELECT * FROM odoo_sync('sales')"
LATER, YEAR_2030 = "2030-01-01 00:00:00", 1893456000


@pytest.fixture
def orders(db, fake):
    return Shop(db, fake, "version=19")


@pytest.fixture
def asked(orders):
    """What Odoo is asked: model, method, domain."""
    calls, execute = [], orders.behaviour.database.execute

    def listen(model, method, args, kwargs):
        domain = kwargs.get("domain", args[0] if args and "search" in method else [])
        calls.append((model, method, domain))
        return execute(model, method, args, kwargs)

    orders.behaviour.database.execute = listen
    return calls


def changes(asked, models):
    """Of some models, which times of change were asked for in which."""
    return [(model, sorted({term[0] for term in domain if isinstance(term, list) and term[0].endswith("write_date")}))
            for model, _, domain in asked if model in models]


POINT_OF_SALE = ("pos.order", "pos.order.line")


def test_no_search_looks_for_changes_in_two_tables(db, orders, asked):
    """No index of Odoo's database would help it."""
    db.run(ALL)
    order, lines = paid_order_with_lines(orders)
    orders.write("pos.order", order, LATER, amount_total=4711.0)
    orders.write("pos.order.line", lines[0], LATER, qty=17.0)
    asked.clear()
    db.run(SALES)
    dates = [dates for _, dates in changes(asked, POINT_OF_SALE) if dates]
    # Both tables need both answers, and nobody asks twice.
    assert dates == [["write_date"], ["write_date"]]
    assert db.value("SELECT amount_total FROM all_sales WHERE channel = 'pos' AND id = %s", order) == 4711
    assert db.value("SELECT quantity FROM fact_sales_lines WHERE channel = 'pos' AND id = %s", lines[0]) == 17


def test_a_run_without_a_change_asks_little(db, orders, asked):
    orders.behaviour.clock = YEAR_2030
    for _ in range(2):
        db.run(ALL)
    asked.clear()
    db.run(SALES)
    assert len(changes(asked, (*POINT_OF_SALE, "sale.order", "sale.order.line"))) == 4
    asked.clear()
    db.run(ALL)
    # In proportion to the tables as many as before each relation had a search of its own.
    assert len(asked) <= 47 < 32 / 19 * TABLES


def test_a_changed_line_is_a_change_of_its_order(db, orders):
    db.run(ALL)
    order, lines = paid_order_with_lines(orders)
    orders.records("pos.order")[order]["amount_total"] = 4711.0
    orders.write("pos.order.line", lines[0], LATER)
    assert db.report(SALES)["all_sales"]["updated"] == 1


@pytest.mark.parametrize("page_size", [1, 2000])
def test_orders_that_are_paid_bring_their_lines(db, fake, page_size):
    """However many: lines are dated when they were drafts."""
    orders = Shop(db, fake, "version=19", page_size=page_size)
    of_state = lambda *states: [id for id, order in orders.records("pos.order").items() if order["state"] in states]
    drafts = of_state("paid", "done", "invoiced")[:4]
    lines = [id for id, line in orders.records("pos.order.line").items() if line["order_id"] in drafts]
    assert len(drafts) > 2 and len(lines) > len(drafts)
    for id in drafts:
        orders.records("pos.order")[id]["state"] = "draft"
    db.run(ALL)
    there = "SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos' AND id = ANY (%s)"
    assert db.value(there, lines) == 0
    for id in drafts:
        orders.write("pos.order", id, LATER, state="paid")
    db.run(SALES)
    assert db.value(there, lines) == len(lines)
    for id in drafts:
        orders.write("pos.order", id, "2030-01-01 00:00:01", state="cancel")
    db.run(SALES)
    assert db.value(there, lines) == 0


def test_where_a_related_model_is_denied_its_changes_are_found_through_the_relation(db, orders):
    """As Odoo lets some relations be searched by that it does not let be read."""
    orders.behaviour.database.denied = "sale.order.line"
    db.run(ALL)
    line = next(iter(orders.records("sale.order.line").values()))
    orders.records("sale.order")[line["order_id"]]["amount_total"] = 4711.0
    line["write_date"] = LATER
    assert db.report(SALES)["all_sales"]["updated"] == 1


def test_what_changes_after_a_question_that_two_tables_share_is_not_lost(db, orders, asked):
    """Orders are asked for their changes before the lines, which have that answer too."""
    db.run("ALTER SERVER erp OPTIONS (ADD overlap '0')")
    order, lines = paid_order_with_lines(orders)
    for _ in range(2):
        orders.behaviour.clock = YEAR_2030
        db.run(ALL)
    orders.records("pos.order")[order]["state"] = "draft"
    orders.write("pos.order", order, "2030-01-01 00:00:00", state="draft")
    db.run(SALES)
    there = "SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos' AND id = ANY (%s)"
    assert db.value(there, lines) == 0
    listen = orders.behaviour.database.execute
    for _ in range(2):
        orders.behaviour.clock += 1800
        db.run(SALES)

    def pay_after_the_orders(model, method, args, kwargs):
        result = listen(model, method, args, kwargs)
        if model == "sale.order":
            orders.write("pos.order", order, "2030-01-01 01:00:01", state="paid")
            orders.behaviour.clock += 3600
            orders.behaviour.database.execute = listen
        return result

    orders.behaviour.database.execute = pay_after_the_orders
    db.run(SALES)
    # The lines ask for themselves.
    db.run("DELETE FROM odoo_etl.watermarks WHERE target = 'all_sales'")
    db.run(SALES)
    assert db.value(there, lines) == len(lines)


def test_relations_of_a_large_table_are_searched_apart(db, orders, asked):
    db.run(ALL)
    db.run("UPDATE pg_class SET reltuples = 1e6 WHERE oid = 'dim_products'::regclass")
    template = next(iter(orders.records("product.product").values()))["product_tmpl_id"]
    orders.records("product.template")[template].update(list_price=77.5, write_date=LATER)
    asked.clear()
    assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["updated"] >= 1
    dates = [dates for _, dates in changes(asked, ["product.product"]) if dates]
    assert sorted(dates) == [["product_tmpl_id.write_date"], ["write_date"]]
    asked.clear()
    orders.behaviour.clock = YEAR_2030 + 3600
    db.run("SELECT * FROM odoo_sync('products')")
    asked.clear()
    assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["fetched"] == 0


LINES = "SELECT status, detail, hint FROM odoo_check() WHERE detail LIKE 'pos.order.line: %'"


def test_the_doctor_knows_the_index_that_a_large_odoo_lacks(db, orders):
    """It judges by the time that the last polls took."""
    orders.models["pos.order.line"].search_count = lambda domain, context=None: 600_000
    orders.behaviour.clock = YEAR_2030
    db.run(ALL)
    assert db.run(LINES) == [("ok", "pos.order.line: 600000 records", None)]
    execute = orders.behaviour.database.execute

    def take_long(seconds, concerned):
        def slow(model, method, args, kwargs):
            time.sleep(seconds * concerned(model, method, str(kwargs.get("domain", args))))
            return execute(model, method, args, kwargs)

        orders.behaviour.database.execute = slow

    take_long(0.4, lambda model, method, domain: "write_date" in domain)
    for _ in range(2):
        db.run(SALES)
    # Seen too few times.
    assert db.run(LINES)[0][2] is None
    db.run(SALES)
    (status, detail, hint), = db.run(LINES)
    assert status == "ok" and "its changes take 0." in detail
    assert "CREATE INDEX CONCURRENTLY ON pos_order_line (write_date);" in hint
    # Where every search takes as long no index helps, nor is one worth it in a smaller table.
    take_long(0.6, lambda model, method, domain: (model, method) == ("pos.order.line", "search"))
    assert db.run(LINES)[0][2] is None
    take_long(0, lambda *_: 0)
    orders.models["pos.order.line"].search_count = lambda domain, context=None: 400_000
    assert db.run(LINES)[0][2] is None
    orders.models["pos.order.line"].search_count = lambda domain, context=None: 600_000
    # One of the last polls was fast: Odoo was busy at the others.
    db.run("UPDATE odoo_etl.cache SET value = '[0.4, 0.4, 0.01]' WHERE what = 'poll pos.order.line'")
    assert db.run(LINES)[0][2] is None
