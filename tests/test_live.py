"""odoo_products and the others: the rows of the warehouse's tables, without the tables."""

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .live_functions import FUNCTIONS, drift


@pytest.mark.parametrize("release", [14, 15, 16, 18, 19, 20])
def test_what_was_just_loaded_is_what_they_give(db, fake, release):
    db.server(url(fake, f"version={release}"), timezone="America/New_York", page_size=3)
    db.run("SELECT * FROM odoo_sync_all()")
    for function, table, which in FUNCTIONS:
        assert drift(db, function, table, which) == [], function
        assert db.value(f"SELECT count(*) FROM {table} WHERE {which}") > 0 or release < 16, table


def test_they_need_no_tables_and_show_drift(db, fake):
    prefix = f"/version=19/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    live = db.value("SELECT count(*) FROM odoo_products()")
    assert live > 3 and db.value("SELECT to_regclass('dim_products')") is None
    db.run("SELECT * FROM odoo_sync('products')")
    products = behaviour_of(prefix).database.models["product.product"].records
    id = min(products)
    products[id]["barcode"] = "changed"
    found = drift(db, "odoo_products", "dim_products", "true")
    assert sorted(row[4] == "changed" for row in found) == [False, True] and {row[0] for row in found} == {id}


FILTERS = [
    ("odoo_products", "search => 'a'", "dim_products", "concat_ws(' ', name, sku, barcode) ILIKE '%%a%%'"),
    ("odoo_products", "category_id => (SELECT min(category_id) FROM dim_products)", "dim_products",
     "category_id = (SELECT min(category_id) FROM dim_products)"),
    ("odoo_products", "sku => (SELECT min(sku) FROM dim_products)", "dim_products", "sku = (SELECT min(sku) FROM dim_products)"),
    ("odoo_products", "barcode => 'none such'", "dim_products", "false"),
    ("odoo_products", "max_rows => 2", "dim_products", "id IN (SELECT id FROM dim_products ORDER BY id LIMIT 2)"),
    ("odoo_products", "max_rows => 0", "dim_products", "false"),
    ("odoo_products", "since => '2100-01-01'", "dim_products", "false"),
    ("odoo_products", "since => '2000-01-01'", "dim_products", "true"),
    ("odoo_partners", "search => 'o'", "dim_customers", "concat_ws(' ', name, email, phone, ref, vat) ILIKE '%%o%%'"),
    ("odoo_partners", "is_customer => true", "dim_customers", "is_customer"),
    ("odoo_partners", "is_customer => false", "dim_customers", "NOT is_customer"),
    ("odoo_partners", "is_vendor => true", "dim_customers", "is_vendor"),
    ("odoo_partners", "is_customer => true, is_vendor => false", "dim_customers", "is_customer AND NOT is_vendor"),
    ("odoo_employees", "department_id => (SELECT min(department_id) FROM dim_employees)", "dim_employees",
     "department_id = (SELECT min(department_id) FROM dim_employees)"),
    ("odoo_stock", "product_id => (SELECT min(product_id) FROM fact_stock)", "fact_stock",
     "product_id = (SELECT min(product_id) FROM fact_stock)"),
    ("odoo_stock", "location_id => (SELECT max(location_id) FROM fact_stock)", "fact_stock",
     "location_id = (SELECT max(location_id) FROM fact_stock)"),
    ("odoo_stock", "warehouse_id => (SELECT min(warehouse_id) FROM fact_stock)", "fact_stock",
     "warehouse_id = (SELECT min(warehouse_id) FROM fact_stock)"),
    ("odoo_pos_orders", "branch_id => (SELECT min(branch_id) FROM all_sales)", "all_sales",
     "channel = 'pos' AND branch_id = (SELECT min(branch_id) FROM all_sales)"),
    ("odoo_pos_orders", "since => (SELECT max(ordered_at) FROM all_sales WHERE channel = 'pos')", "all_sales",
     "channel = 'pos' AND ordered_at >= (SELECT max(ordered_at) FROM all_sales WHERE channel = 'pos')"),
    ("odoo_pos_orders", "until => (SELECT max(ordered_at) FROM all_sales WHERE channel = 'pos')", "all_sales",
     "channel = 'pos' AND ordered_at < (SELECT max(ordered_at) FROM all_sales WHERE channel = 'pos')"),
    ("odoo_pos_orders", "state => 'paid'", "all_sales", "channel = 'pos' AND state = 'paid'"),
    ("odoo_promotions", "active => true", "dim_promotions", "active"),
    ("odoo_promotions", "active => false", "dim_promotions", "NOT active"),
]


@pytest.fixture
def filled(db, fake):
    db.server(url(fake, "version=19"))
    db.run("SELECT * FROM odoo_sync_all()")
    return db


def test_filters_choose_the_rows_that_they_say(filled):
    for function, arguments, table, which in FILTERS:
        which = which.replace("%%", "%")
        assert drift(filled, function, table, which, arguments) == [], (function, arguments)


def test_drafts_may_be_asked_for(db, fake):
    """They are not in the warehouse: they are rewritten while the customer waits."""
    prefix = f"/version=19/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    orders = behaviour_of(prefix).database.models["pos.order"].records
    id = min(orders)
    orders[id]["state"] = "draft"
    drafts = [(id,) for id, order in orders.items() if order["state"] == "draft"]
    assert db.run("SELECT id FROM odoo_pos_orders(state => 'draft')") == drafts
    assert (id,) not in db.run("SELECT id FROM odoo_pos_orders()")


def test_they_read_where_nothing_may_be_written(filled):
    filled.run("SET default_transaction_read_only = on")
    for function, table, which in FUNCTIONS:
        assert drift(filled, function, table, which) == []


def test_a_value_that_cannot_be_read_is_null_and_named(db, fake):
    db.server(url(fake, "version=19/poison=product.product:31:barcode"))
    assert db.run("SELECT barcode FROM odoo_products() WHERE id = 31") == [(None,)]
    assert "barcode of product.product 31 is NULL" in db.notices


def test_columns_that_this_odoo_lacks_are_null_and_meet_no_filter(db, fake):
    db.server(url(fake, "version=19/without=product.product:default_code"))
    assert db.run("SELECT DISTINCT sku FROM odoo_products()") == [(None,)]
    assert db.run("SELECT * FROM odoo_products(sku => 'x')") == []
    db.server(url(fake, "version=19/without=loyalty.program"), name="bare")
    assert db.run("SELECT * FROM odoo_promotions(server => 'bare')") == []
    assert "Odoo has no model loyalty.program" in db.notices


def test_a_user_who_may_not_read_the_products_sees_stock_without_their_cost(db, fake):
    db.server(url(fake, "version=19/denied=product.product"))
    found = db.run("SELECT DISTINCT unit_cost FROM odoo_stock() WHERE quantity IS NOT NULL")
    assert found == [(None,)]


def test_bad_input_is_named(filled):
    for statement, error in [
            ("SELECT * FROM odoo_products(max_rows => -1)", "max_rows must not be negative"),
            ("SELECT odoo_live('no_such')", "is no table of the warehouse"),
            ("SELECT odoo_live(NULL)", "target must not be NULL"),
            ("SELECT odoo_live('dim_products', filters => NULL)", "domain must not be NULL"),
            ("SELECT odoo_live('dim_products', filters => '[[\"margin\", \">\", 1]]')", "cannot be chosen by margin"),
            ("SELECT * FROM odoo_products(since => 'infinity')", "Odoo has no such time")]:
        with pytest.raises(psycopg2.Error, match=error):
            filled.run(statement)


def test_a_shadowing_search_path_changes_nothing(filled):
    filled.run("""CREATE SCHEMA hostile;
        CREATE FUNCTION hostile.odoo_live(text, timestamptz, odoo_domain, bigint, text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'stolen' $$;
        CREATE FUNCTION hostile.json_populate_record(anyelement, json) RETURNS anyelement LANGUAGE sql AS $$ SELECT $1 $$;
        SET search_path = hostile, pg_catalog, public""")
    assert filled.value("SELECT count(*) FROM public.odoo_products() WHERE id IS NOT NULL") > 3
