"""The money of the points of sale on the real Odoo 19: a session from its opening to its end."""

import pytest

from . import shop as shop_data
from .conftest import differences

TABLES = ("all_sales", "dim_payment_methods", "fact_sessions", "fact_payments")


@pytest.fixture(scope="module")
def warehouse(api, star_database, real):
    star_database.made = shop_data.furnish(api)
    star_database.server(real.url)
    star_database.run("SELECT * FROM odoo_sync_all()")
    return star_database


class Till:
    """A point of sale of its own with a cash drawer, open."""

    def __init__(self, api, name, old_drawer=False):
        self.api = api
        make = lambda model, **values: api(model, "create", [values])[0]
        self.cash, self.card = shop_data.payment_methods(api, 1, make)
        methods = [self.cash, self.card]
        if old_drawer:
            methods.append(shop_data.payment_methods(api, 1, make)[0])
        self.config = make("pos.config", name=name, payment_method_ids=[(6, 0, methods)])
        if old_drawer:
            # The first one was replaced.
            api("pos.payment.method", "write", [self.cash], {"active": False})
            self.cash = methods[-1]
        self.session = make("pos.session", config_id=self.config, user_id=2)

    def sell(self, product, *tenders, change=0.0):
        """An order that is paid by (method, amount), with change in cash."""
        total = round(sum(amount for _, amount in tenders) - change, 2)
        line = {"name": "L", "product_id": product, "qty": 1, "price_unit": total, "price_subtotal": total,
                "price_subtotal_incl": total, "tax_ids": [(6, 0, [])]}
        order = self.api("pos.order", "create", [{
            "session_id": self.session, "company_id": 1, "amount_total": total, "amount_tax": 0, "amount_paid": 0,
            "amount_return": change, "lines": [(0, 0, line)]}])[0]
        for method, amount in tenders:
            self.api("pos.order", "add_payment", [order], {"pos_order_id": order, "payment_method_id": method, "amount": amount})
        if change:
            self.api("pos.order", "add_payment", [order], {
                "pos_order_id": order, "payment_method_id": self.cash, "amount": -change, "is_change": True})
        self.api("pos.order", "action_pos_order_paid", [order])
        return order

    def row(self, warehouse):
        warehouse.run("SELECT * FROM odoo_sync_all()")
        (row,) = warehouse.run("SELECT to_jsonb(s) FROM fact_sessions s WHERE id = %s", self.session)
        return row[0]


def all_differences(warehouse, truth):
    return [line for table in TABLES for line in differences(warehouse, truth, table)]


def test_the_cash_of_a_session_from_its_opening_to_its_end(warehouse, api, truth):
    till, tea = Till(api, "Till of cash"), warehouse.made["tea"]
    row = till.row(warehouse)
    assert (row["state"], row["start_at"], row["business_date"]) == ("opening_control", None, None)
    api("pos.session", "set_opening_control", [till.session], 100, "Two rolls of coins")
    first = till.sell(tea, (till.card, 5.5), (till.cash, 40), change=9.25)
    row = till.row(warehouse)
    assert (row["state"], row["opening_cash"], row["expected_closing_cash"]) == ("opened", 100, 130.75)
    assert row["counted_closing_cash"] is None and row["cash_difference"] is None
    paid = warehouse.run("SELECT payment_method_id, amount, is_change FROM fact_payments WHERE order_id = %s ORDER BY id", first)
    assert [(method, float(amount), change) for method, amount, change in paid] == [
        (till.card, 5.5, False), (till.cash, 40, False), (till.cash, -9.25, True)]
    assert float(warehouse.value("SELECT amount_paid FROM all_sales WHERE channel = 'pos' AND id = %s", first)) == 36.25
    api("pos.session", "try_cash_in_out", [till.session], "out", 30.75, "bread", False, {"translatedType": "out", "formattedAmount": "30.75"})
    till.sell(tea, (till.card, 12))
    assert till.row(warehouse)["expected_closing_cash"] == 100
    assert all_differences(warehouse, truth) == []
    api("pos.session", "post_closing_cash_details", [till.session], 99)
    api("pos.session", "update_closing_control_state_session", [till.session], "One short")
    assert api("pos.session", "close_session_from_ui", [till.session], [])["successful"]
    row = till.row(warehouse)
    assert (row["state"], row["counted_closing_cash"], row["expected_closing_cash"], row["cash_difference"]) == ("closed", 99, 100, -1)
    assert (row["opening_notes"], row["closing_notes"]) == ("Two rolls of coins", "One short")
    assert all_differences(warehouse, truth) == []


def test_a_cash_move_that_is_taken_back_tells_nobody(warehouse, api, truth):
    till = Till(api, "Till of moves")
    api("pos.session", "set_opening_control", [till.session], 10, "")
    api("pos.session", "try_cash_in_out", [till.session], "in", 5, "coins", False, {"translatedType": "in", "formattedAmount": "5"})
    assert till.row(warehouse)["expected_closing_cash"] == 15
    with truth.cursor() as cursor:
        cursor.execute("UPDATE pos_session SET write_date = '2024-01-01' WHERE id = %s", (till.session,))
        cursor.execute("DELETE FROM account_bank_statement_line WHERE pos_session_id = %s", (till.session,))
    assert till.row(warehouse)["expected_closing_cash"] == 10
    assert all_differences(warehouse, truth) == []


def test_an_archived_drawer_is_not_the_one_that_is_counted(warehouse, api, truth):
    """Its payment method stays with the point of sale; Odoo's own pages count the active one."""
    till = Till(api, "Till with a new drawer", old_drawer=True)
    api("pos.session", "set_opening_control", [till.session], 10, "")
    till.sell(warehouse.made["tea"], (till.cash, 7.5))
    assert till.row(warehouse)["expected_closing_cash"] == 17.5
    archived_too = api("pos.session", "read", [till.session], ["cash_register_balance_end"], context={"active_test": False})
    assert archived_too[0]["cash_register_balance_end"] == 10
    assert all_differences(warehouse, truth) == []


def test_a_payment_that_is_edited(warehouse, api, truth):
    till = Till(api, "Till of second thoughts")
    api("pos.session", "set_opening_control", [till.session], 0, "")
    order = till.sell(warehouse.made["tea"], (till.cash, 8))
    till.row(warehouse)
    api("pos.payment", "unlink", api("pos.payment", "search", [("pos_order_id", "=", order)]))
    api("pos.order", "add_payment", [order], {"pos_order_id": order, "payment_method_id": till.card, "amount": 8})
    till.row(warehouse)
    assert warehouse.run("SELECT payment_method_id FROM fact_payments WHERE order_id = %s", order) == [(till.card,)]
    assert all_differences(warehouse, truth) == []
