"""The functions that read live against a real Odoo 19: what was just loaded is what they give."""

from ..live_functions import FUNCTIONS, drift
from . import shop as shop_data


def test_they_give_what_was_just_loaded(shop, api):
    # Another company, whose products have a cost of their own.
    shop_data.furnish(api)
    shop.run("SELECT * FROM odoo_sync_all()")
    for function, table, which in FUNCTIONS:
        assert drift(shop, function, table, which) == [], function
        assert shop.value(f"SELECT count(*) FROM {table} WHERE {which}") > 3, table


def test_drift_shows(shop, api):
    shop.run("SELECT * FROM odoo_sync('products')")
    id = shop.value("SELECT min(id) FROM dim_products WHERE active")
    before = shop.value("SELECT weight FROM dim_products WHERE id = %s", id)
    api("product.product", "write", [id], {"weight": 77.25})
    try:
        found = drift(shop, "odoo_products", "dim_products", "true")
        assert {row[0] for row in found} == {id} and len(found) == 2
        assert shop.value("SELECT weight FROM odoo_products(since => now() - interval '1 hour') WHERE id = %s", id) == 77.25
    finally:
        api("product.product", "write", [id], {"weight": float(before or 0)})


def test_filters_are_odoos(shop):
    shop.run("SELECT * FROM odoo_sync_all()")
    for function, arguments, table, which in [
            ("odoo_partners", "is_customer => true", "dim_customers", "is_customer"),
            ("odoo_partners", "is_customer => false, search => 'a'", "dim_customers",
             "NOT is_customer AND concat_ws(' ', name, email, phone, ref, vat) ILIKE '%a%'"),
            ("odoo_stock", "warehouse_id => 1", "fact_stock", "warehouse_id = 1"),
            ("odoo_products", "search => 'desk'", "dim_products", "concat_ws(' ', name, sku, barcode) ILIKE '%desk%'"),
            ("odoo_promotions", "active => true", "dim_promotions", "active"),
            ("odoo_employees", "department_id => (SELECT min(department_id) FROM dim_employees)", "dim_employees",
             "department_id = (SELECT min(department_id) FROM dim_employees)"),
            ("odoo_pos_orders", "branch_id => (SELECT min(branch_id) FROM all_sales), since => '2000-01-01'", "all_sales",
             "channel = 'pos' AND branch_id = (SELECT min(branch_id) FROM all_sales)")]:
        assert drift(shop, function, table, which, arguments) == [], (function, arguments)
