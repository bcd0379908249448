"""Incremental runs against the real Odoo 19: after changes of every kind the warehouse equals
Odoo's own database, table by table."""

import xmlrpc.client
import pytest

from . import shop as shop_data
from .conftest import differences, tables_of


@pytest.fixture(scope="module")
def warehouse(api, star_database, real):
    star_database.made = shop_data.furnish(api)
    star_database.server(real.url)
    star_database.run("SELECT odoo_enable('invoices')")
    star_database.run("SELECT * FROM odoo_sync_all()")
    return star_database


def all_differences(warehouse, truth):
    return [line for table in tables_of(truth.queries) for line in differences(warehouse, truth, table)]


def run(warehouse):
    return warehouse.report("SELECT * FROM odoo_sync_all()")


def test_a_template_written_is_its_variants_changed(warehouse, api, truth):
    product = warehouse.made["tea"]
    template = api("product.product", "read", [product], ["product_tmpl_id"])[0]["product_tmpl_id"][0]
    api("product.template", "write", [template], {"list_price": 13.75, "name": "Oolong II"})
    run(warehouse)
    assert all_differences(warehouse, truth) == []


def test_lines_and_orders_that_change(warehouse, api, truth):
    order = warehouse.made["sale"]
    lines = api("sale.order.line", "search", [("order_id", "=", order), ("display_type", "=", False)])
    api("sale.order.line", "write", lines, {"product_uom_qty": 7})
    api("sale.order", "write", [order], {"client_order_ref": "X-1"})
    api("purchase.order", "write", [warehouse.made["purchase"]], {"partner_ref": "V-9"})
    run(warehouse)
    assert all_differences(warehouse, truth) == []


def test_archived_and_returned(warehouse, api, truth):
    product, partner = warehouse.made["discounted"], warehouse.made["customer"]
    api("product.product", "write", [product], {"active": False})
    api("res.partner", "write", [partner], {"active": False})
    run(warehouse)
    assert all_differences(warehouse, truth) == []
    assert warehouse.value("SELECT active FROM dim_products WHERE id = %s", product) is False
    api("product.product", "write", [product], {"active": True})
    run(warehouse)
    assert warehouse.value("SELECT active FROM dim_products WHERE id = %s", product) is True


def test_a_contract_that_changes_is_its_employee_changed(warehouse, api, truth):
    """In 19 the contract lives in hr.version, whose write leaves hr.employee as it was."""
    employee = warehouse.made["employee"]
    version = api("hr.version", "search", [("employee_id", "=", employee)])[0]
    api("hr.version", "write", [version], {"contract_date_start": "2019-09-09", "sex": "other"})
    run(warehouse)
    assert all_differences(warehouse, truth) == []
    found = warehouse.run("SELECT hire_date::text, gender FROM dim_employees WHERE id = %s", employee)
    assert found == [("2019-09-09", "other")]


def test_a_late_commit_is_found(warehouse, truth):
    """A transaction that began before the last run commits after it."""
    partner = warehouse.made["customer"]
    with truth.cursor() as cursor:
        cursor.execute(
            "UPDATE res_partner SET street = 'late', write_date = (now() - interval '3 minutes') AT TIME ZONE 'UTC' "
            "WHERE id = %s", (partner,),
        )
    run(warehouse)
    assert warehouse.value("SELECT street FROM dim_customers WHERE id = %s", partner) == "late"


def remove_partners(api, truth, ids):
    """14 refuses while a session of a point of sale is open: then the rows go as its unlink has them go."""
    try:
        api("res.partner", "unlink", ids)
    except xmlrpc.client.Fault as fault:
        if "active PoS sessions" not in fault.faultString:
            raise
        with truth.cursor() as cursor:
            cursor.execute("DELETE FROM res_partner WHERE id = ANY (%s)", (ids,))


def test_deleted_records(warehouse, api, truth):
    doomed = [api("res.partner", "create", [{"name": f"Doomed {n}"}])[0] for n in range(3)]
    draft = api("purchase.order", "create", [{
        "partner_id": doomed[0],
        "order_line": [(0, 0, {"product_id": warehouse.made["tea"], "product_qty": 1})],
    }])[0]
    run(warehouse)
    assert all_differences(warehouse, truth) == []
    api("purchase.order", "button_cancel", [draft])
    api("purchase.order", "unlink", [draft])
    remove_partners(api, truth, doomed)
    told = warehouse.run("SELECT deleted FROM odoo_verify('customers')")
    assert told == [(3,)]
    for entity in ("customers", "purchases"):
        warehouse.run(f"SELECT * FROM odoo_reconcile('{entity}')")
        assert {row[0] for row in warehouse.run(f"SELECT missing + stale + deleted FROM odoo_verify('{entity}')")} == {0}
    assert warehouse.value("SELECT count(*) FROM dim_customers WHERE deleted_at IS NOT NULL") == 3
    assert differences(warehouse, truth, "fact_purchases") == []


def test_pos_lines_that_are_gone(warehouse, truth):
    """The till rewrites an order's lines; the order tells of it."""
    order = warehouse.made["orders"][0]
    with truth.cursor() as cursor:
        cursor.execute("DELETE FROM pos_order_line WHERE id = (SELECT max(id) FROM pos_order_line WHERE order_id = %s)", (order,))
        cursor.execute("UPDATE pos_order SET write_date = now() AT TIME ZONE 'UTC' WHERE id = %s", (order,))
    report = run(warehouse)
    assert report["fact_sales_lines"]["deleted"] == 1
    assert differences(warehouse, truth, "fact_sales_lines") == []


def partner(api, name):
    return api("res.partner", "create", [{"name": name}])[0]


def bought_at_a_till(api, customer, product):
    """In a session of its own, which is closed."""
    method = api("pos.payment.method", "search", [("journal_id.type", "=", "bank"), ("company_id", "=", 1)], limit=1)
    config = api("pos.config", "create", [{"name": f"Till {customer}", "payment_method_ids": [(6, 0, method)]}])[0]
    session = api("pos.session", "create", [{"config_id": config, "user_id": 2}])[0]
    api("pos.session", "set_opening_control", [session], 0, "")
    line = {"name": "L", "product_id": product, "qty": 1, "price_unit": 10, "price_subtotal": 10, "price_subtotal_incl": 10}
    order = api("pos.order", "create", [{
        "session_id": session, "company_id": 1, "partner_id": customer, "amount_total": 10, "amount_tax": 0, "amount_paid": 10,
        "amount_return": 0, "lines": [(0, 0, line)]}])[0]
    api("pos.payment", "create", [{"pos_order_id": order, "payment_method_id": method[0], "amount": 10}])
    api("pos.order", "action_pos_order_paid", [order])
    api("pos.session", "action_pos_session_closing_control", [session])
    assert api("pos.session", "read", [session], ["state"])[0]["state"] == "closed"


def invoiced(api, customer, product):
    invoice = api("account.move", "create", [{
        "move_type": "out_invoice", "partner_id": customer, "invoice_line_ids": [(0, 0, {"product_id": product, "price_unit": 10})]}])
    api("account.move", "action_post", invoice)


def test_who_buys_becomes_a_customer(warehouse, api, truth):
    """By an invoice, a session of a till, and as Odoo until 18 counts both: by SQL."""
    by_invoice, at_till, by_sql = (partner(api, name) for name in ("Invoiced", "At the till", "By SQL"))
    run(warehouse)
    is_customer = "SELECT array_agg(is_customer ORDER BY id) FROM dim_customers WHERE id = ANY (%s)"
    all_three = [by_invoice, at_till, by_sql]
    assert warehouse.value(is_customer, all_three) == [False] * 3
    invoiced(api, by_invoice, warehouse.made["tea"])
    bought_at_a_till(api, at_till, warehouse.made["tea"])
    with truth.cursor() as cursor:
        # Behind every window, as it is when the partner was made long before.
        cursor.execute("UPDATE res_partner SET customer_rank = 1, write_date = '2024-01-01' WHERE id = %s", (by_sql,))
    warehouse.run("UPDATE dim_customers SET odoo_write_date = '2024-01-01 00:00:00+00' WHERE id = %s", by_sql)
    assert warehouse.run("SELECT missing, stale, deleted FROM odoo_verify('customers')") == [(0, 3, 0)]
    warehouse.run("CALL odoo_sync_job()")
    assert warehouse.value(is_customer, all_three) == [True] * 3
    assert all_differences(warehouse, truth) == []
    assert warehouse.run("SELECT missing, stale, deleted FROM odoo_verify('customers')") == [(0, 0, 0)]


def test_a_tag_that_is_given_by_its_own_list(warehouse, api, truth):
    customer = partner(api, "Tagged from afar")
    run(warehouse)
    with truth.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET write_date = '2024-01-01' WHERE id = %s", (customer,))
    written = "SELECT write_date FROM res_partner WHERE id = %s"
    api("res.partner.category", "write", api("res.partner.category", "search", [], limit=1), {"partner_ids": [(4, customer)]})
    with truth.cursor() as cursor:
        cursor.execute(written, (customer,))
        assert str(cursor.fetchone()[0]).startswith("2024-01-01")
    run(warehouse)
    assert warehouse.value("SELECT cardinality(tags) FROM dim_customers WHERE id = %s", customer) == 1
    assert all_differences(warehouse, truth) == []


def test_what_a_merged_partner_had_is_the_others(warehouse, api, truth):
    one, other = partner(api, "Duplicate"), partner(api, "Original")
    order = api("sale.order", "create", [{"partner_id": one}])[0]
    run(warehouse)
    with truth.cursor() as cursor:
        cursor.execute("UPDATE sale_order SET write_date = '2024-01-01' WHERE id = %s", (order,))
    warehouse.run("SELECT * FROM odoo_reconcile('sales')")
    wizard = api("base.partner.merge.automatic.wizard", "create", [
        {"partner_ids": [(6, 0, [one, other])], "dst_partner_id": other, "state": "selection"}])
    api("base.partner.merge.automatic.wizard", "action_merge", wizard)
    warehouse.run("CALL odoo_sync_job(reconcile => true)")
    assert warehouse.value("SELECT customer_id FROM all_sales WHERE channel = 'sale' AND id = %s", order) == other
    assert {row[0] for row in warehouse.run("SELECT missing + stale + deleted FROM odoo_verify('sales')")} == {0}
    assert all_differences(warehouse, truth) == []


def test_quants_that_are_merged_by_sql(warehouse, truth):
    with truth.cursor() as cursor:
        cursor.execute("UPDATE stock_quant SET quantity = quantity + 5 WHERE id = (SELECT min(id) FROM stock_quant)")
        cursor.execute("DELETE FROM stock_quant WHERE id = (SELECT max(id) FROM stock_quant)")
    run(warehouse)
    assert differences(warehouse, truth, "fact_stock") == []


def test_a_run_without_changes_reads_little_and_writes_nothing(warehouse):
    report = run(warehouse)
    assert sum(row["inserted"] + row["updated"] + row["deleted"] for row in report.values()) == 0
    # The demo data was made days before the overlap begins, or minutes: fewer than all anyway.
    everything = warehouse.report("SELECT * FROM odoo_sync_all(full_refresh => true)")
    assert report["dim_products"]["fetched"] <= everything["dim_products"]["fetched"]
    assert sum(row["inserted"] + row["updated"] + row["deleted"] for row in everything.values()) == 0
