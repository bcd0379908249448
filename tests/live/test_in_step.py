"""Incremental runs against the real Odoo 19: after changes of every kind the warehouse equals
Odoo's own database, table by table."""

import pytest

from . import shop as shop_data
from .conftest import differences, tables_of


@pytest.fixture(scope="module")
def warehouse(api, star_database, real):
    star_database.made = shop_data.furnish(api, name="Boutique Lyon", code="LYO")
    star_database.server(real.url)
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
    api("res.partner", "unlink", doomed)
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
