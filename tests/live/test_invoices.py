"""Invoices on the real Odoo 19: what becomes of them after they were read."""

import pytest

from . import shop as shop_data
from .conftest import differences


@pytest.fixture(scope="module")
def warehouse(api, star_database, real):
    star_database.made = shop_data.furnish(api)
    star_database.server(real.url)
    star_database.run("SELECT odoo_enable('invoices')")
    star_database.run("SELECT * FROM odoo_sync_all()")
    return star_database


def synced(warehouse, truth):
    """What differs after a run."""
    warehouse.run("SELECT * FROM odoo_sync('invoices')")
    return differences(warehouse, truth, "fact_invoices")


def states(warehouse, move):
    return warehouse.run("SELECT DISTINCT state, payment_state FROM fact_invoices WHERE move_id = %s", move)


def test_one_that_is_paid(warehouse, api, truth):
    """Its lines are as old as before."""
    invoice = warehouse.made["invoice"]
    assert states(warehouse, invoice) == [("posted", "not_paid")]
    context = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = api("account.payment.register", "create", [{}], context=context)
    api("account.payment.register", "action_create_payments", wizard)
    assert synced(warehouse, truth) == []
    assert states(warehouse, invoice) in ([("posted", "paid")], [("posted", "in_payment")])


def test_a_draft_that_is_changed_posted_and_taken_back(warehouse, api, truth):
    made = warehouse.made
    draft = made["draft"]
    lines = api("account.move", "read", [draft], ["invoice_line_ids"])[0]["invoice_line_ids"]
    api("account.move", "write", [draft], {"invoice_line_ids": [
        (2, lines[0]), (0, 0, {"product_id": made["discounted"], "quantity": 7, "price_unit": 2})]})
    assert synced(warehouse, truth) == []
    assert warehouse.run("SELECT quantity, subtotal_company FROM fact_invoices WHERE move_id = %s", draft) == [(7, 14)]
    api("account.move", "action_post", [draft])
    assert synced(warehouse, truth) == []
    assert states(warehouse, draft) == [("posted", "not_paid")]
    api("account.move", "button_draft", [draft])
    api("account.move", "unlink", [draft], context={"force_delete": True})
    # As of all orders that are gone with their lines.
    warehouse.run("SELECT * FROM odoo_reconcile('invoices')")
    assert differences(warehouse, truth, "fact_invoices") == []
    assert states(warehouse, draft) == []


def test_a_user_without_accounting_gets_none(db, api, real, warehouse):
    shop_data.user(api, "counter", [("base", "group_user"), ("stock", "group_stock_user")])
    db.server(real.url)
    db.run("SELECT odoo_enable('invoices')")
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login 'counter', SET password 'counter')")
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert report["fact_invoices"]["status"] == "denied"
    assert report["dim_products"]["status"] == "ok"
    assert db.value("SELECT count(*) FROM fact_invoices") == 0
