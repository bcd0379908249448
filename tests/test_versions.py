"""Every release from 14 to 20, by the fields that it has: the whole warehouse from the fake's shop.

Where releases differ, a value is a dictionary: what holds from which release on.
"""

import pytest

from .conftest import Database, url

RELEASES = range(14, 21)

#: How many rows each table gets; `None` where Odoo has no model for it.
ROWS = {
    "dim_companies": 2,
    "fact_currency_rates": 5,
    "dim_taxes": 4,
    "dim_branches": 2,
    "dim_categories": 3,
    "dim_brands": {14: None, 16: 1, 17: None},
    "dim_pos_categories": 2,
    "dim_products": 4,
    "fact_warehouse": 2,
    "fact_stock_locations": 8,
    "fact_stock": 3,
    "dim_departments": 2,
    "dim_jobs": 1,
    "dim_work_locations": {14: None, 15: 1},
    "dim_teams": 2,
    "dim_users": 3,
    "dim_employees": 3,
    "dim_customers": 8,
    "dim_promotions": 2,
    "dim_payment_methods": 4,
    "fact_sessions": 3,
    # Neither the draft nor the cancelled order of the points of sale; the quotation of sales.
    "all_sales": 5,
    # Neither their lines nor sections and notes.
    "fact_sales_lines": 6,
    # Nor their payments.
    "fact_payments": 5,
    # Coupons, gift cards, then loyalty cards; their history came later.
    "dim_loyalty_cards": 2,
    "fact_loyalty": {14: None, 18: 3},
    "fact_purchases": 1,
    "dim_picking_types": 3,
    "fact_stock_moves": 7,
    # Neither taxes nor sections nor what is due, and no other entries.
    "fact_invoices": 4,
}

#: The releases in which a column is NULL for lack of a field. All others are filled in some row.
LACKING = {
    # Until 16 every company has rates of its own.
    "dim_companies.root_id": [14, 15, 16],
    "dim_branches.warehouse_id": [20],
    "dim_products.brand_id": [14, 15, 17, 18, 19, 20],
    "fact_stock_locations.warehouse_id": [14],
    "fact_stock.warehouse_id": [14],
    "dim_work_locations.location_type": [15, 16],
    "dim_employees.work_location_id": [14],
    "dim_customers.mobile": [19, 20],
    "dim_customers.team_id": [18, 19, 20],
    "dim_promotions.date_from": [16],
    "fact_sessions.employee_id": [14, 15, 16, 17],
    "fact_sessions.opening_notes": [14],
    "fact_sessions.closing_notes": [14, 15, 16],
    "fact_sessions.opening_cash": [20],
    "fact_sessions.counted_closing_cash": [20],
    "fact_sessions.expected_closing_cash": [20],
    "fact_sessions.cash_difference": [20],
    "fact_payments.card_brand": [14, 15, 16, 17],
    "dim_loyalty_cards.program_id": [15],
    "dim_loyalty_cards.points": [14],
    "dim_loyalty_cards.status": [16, 17, 18, 19, 20],
    "dim_loyalty_cards.currency": [14],
    "fact_purchases.discount_percent": [14, 15, 16],
    "fact_sales_lines(pos).promotion_id": [14],
    "fact_sales_lines(pos).is_reward": [14],
    "fact_sales_lines(pos).cost": [14],
    "fact_sales_lines(pos).margin": [14],
    "fact_sales_lines(pos).cost_company": [14],
    "fact_sales_lines(pos).margin_company": [14],
    "fact_sales_lines(pos).refunded_line_id": [14],
    "fact_sales_lines(pos).settles_line_id": [14],
    "fact_sales_lines(pos).settles_channel": [14],
    # Sales have no branches, no tills and, in this shop, no rewards.
    "all_sales(pos).website_id": RELEASES,
    "all_sales(pos).campaign": RELEASES,
    "all_sales(pos).medium": RELEASES,
    "all_sales(sale).branch_id": RELEASES,
    "all_sales(sale).session_id": RELEASES,
    "all_sales(sale).employee_id": RELEASES,
    "all_sales(sale).amount_paid": RELEASES,
    "all_sales(sale).amount_return": RELEASES,
    "fact_sales_lines(sale).branch_id": RELEASES,
    "fact_sales_lines(sale).promotion_id": RELEASES,
    "fact_sales_lines(sale).is_reward": RELEASES,
    "fact_sales_lines(sale).cost": RELEASES,
    "fact_sales_lines(sale).margin": RELEASES,
    "fact_sales_lines(sale).cost_company": RELEASES,
    "fact_sales_lines(sale).margin_company": RELEASES,
    "fact_sales_lines(sale).refunded_line_id": RELEASES,
    "fact_sales_lines(sale).settles_line_id": RELEASES,
    "fact_sales_lines(sale).settles_channel": RELEASES,
}

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"

#: What stands in some rows.
VALUES = {
    ("dim_companies", 3): {"name": "America", "currency": "USD", "country": "US", "parent_id": 1, "active": True,
                           "root_id": {14: None, 17: 1}, "fiscal_year_last_day": 30, "fiscal_year_last_month": 6,
                           "timezone": "America/New_York"},
    ("fact_currency_rates", 44): {"currency": "USD", "company_id": 1, "day": "2024-03-31", "rate": 1.1,
                                  "inverse": 0.90909090909090909},
    ("fact_currency_rates", 42): {"currency": "USD", "company_id": None, "rate": 1.5},
    ("dim_taxes", 3): {"name": "VAT 20%", "amount": 20, "amount_type": "percent", "type_tax_use": "sale",
                       "price_include": True, "company_id": 1, "active": True},
    ("dim_taxes", 5): {"amount": 19.6, "price_include": False, "active": False},
    ("dim_taxes", 9): {"amount": 0.0525, "amount_type": "fixed"},
    ("dim_branches", 2): {
        "name": "Paris",
        "company_id": 1,
        "company_name": "Europe",
        "warehouse_id": {14: 2, 20: None},
        "team_id": 5,
        "currency": "EUR",
        "timezone": PARIS,
        "pricelist": "Public",
        "active": True,
    },
    ("dim_branches", 5): {
        "company_id": 3,
        "warehouse_id": {14: 5, 20: None},
        "currency": "USD",
        "timezone": NEW_YORK,
        "pricelist": None,
    },
    ("dim_categories", 5): {"complete_name": "All / Drinks / Tea", "parent_id": 8, "active": True},
    ("dim_products", 31): {
        "template_id": 40,
        "name": "Green tea",
        "sku": "TEA",
        "category_id": 5,
        "brand_id": {14: None, 16: 3, 17: None},
        "product_type": {14: "product", 18: "consu"},
        "is_storable": True,
        "list_price": 19.99,
        "standard_price": 2.5,
        "currency": "EUR",
        "cost_company_id": 1,
        "company_id": None,
        "uom": "kg",
        "weight": 0.25,
        "sale_ok": True,
        "available_in_pos": True,
        "pos_category_ids": [4],
        "tracking": "lot",
    },
    ("dim_products", 32): {
        "sku": None,
        "product_type": "service",
        "is_storable": False,
        "list_price": 0,
        "standard_price": 0,
        "purchase_ok": False,
        "pos_category_ids": [],
    },
    ("dim_products", 33): {"active": False},
    # Its company's cost, not that of the user's current company.
    ("dim_products", 34): {"standard_price": 4.25, "currency": "USD", "cost_company_id": 3, "company_id": 3, "uom": "Units"},
    ("fact_warehouse", 5): {
        "code": "NYC",
        "partner_id": 4,
        "view_location_id": 17,
        "stock_location_id": 18,
    },
    ("fact_stock_locations", 8): {
        "parent_id": 7, "warehouse_id": {14: None, 15: 2}, "usage": "internal", "timezone": PARIS,
    },
    ("fact_stock_locations", 14): {"warehouse_id": None, "company_id": None, "timezone": "UTC"},
    ("fact_stock_locations", 18): {"timezone": NEW_YORK},
    ("fact_stock", 61): {
        "product_id": 31,
        "location_id": 8,
        "warehouse_id": {14: None, 15: 2},
        "lot": "L-2024",
        "quantity": 10,
        "reserved": 2.5,
        "available": 7.5,
        "unit_cost": 2.5,
        "value": 25,
        "in_date": "2024-01-02T03:04:05+00:00",
        "currency": "EUR",
    },
    ("fact_stock", 62): {"owner_id": 12, "lot": None, "unit_cost": 4.25, "currency": "USD"},
    ("fact_stock", 64): {"quantity": -1, "company_id": None, "currency": None},
    ("dim_departments", 4): {"manager_id": 21, "parent_id": None},
    ("dim_departments", 9): {"manager_id": None, "parent_id": 4},
    ("dim_jobs", 11): {"department_id": 9, "active": True},
    ("dim_work_locations", 3): {"location_type": {15: None, 17: "office"}, "address_id": 1},
    ("dim_teams", 5): {"leader_id": 6, "company_id": 1},
    ("dim_teams", 7): {"leader_id": None, "company_id": None, "active": False},
    ("dim_users", 6): {
        "name": "Cleo",
        "login": "cleo",
        "email": "cleo@shop.example",
        "partner_id": 6,
        "team_id": 5,
        "employee_id": 20,
        "is_external": False,
    },
    # The employee of its company, not of the current one.
    ("dim_users", 7): {"employee_id": 25, "is_external": True, "active": False},
    ("dim_users", 2): {"employee_id": None},
    ("dim_employees", 20): {
        "department_id": 9,
        "job_id": 11,
        "work_location_id": {14: None, 15: 3},
        "manager_id": 21,
        "coach_id": 21,
        "user_id": 6,
        "code": "041-20",
        "country": "FR",
        "gender": "female",
        "birthday": "1990-02-28",
        "hire_date": "2015-01-01",
        "departure_date": None,
    },
    ("dim_employees", 21): {"gender": None, "birthday": None, "age": None, "hire_date": None},
    ("dim_employees", 25): {"active": False, "departure_date": "2020-12-31", "tenure_years": 3},
    ("dim_customers", 10): {
        "is_company": False,
        "parent_id": 14,
        "is_customer": True,
        "is_vendor": False,
        "phone": "+1 555 0100",
        "mobile": {14: "+1 555 0199", 19: None},
        "street2": "Floor 2",
        "state": "California",
        "country_code": "US",
        "tags": ['a "quoted", one', "Gold"],
        "salesperson_id": 6,
        "team_id": {14: 5, 18: None},
        "created_at": "2024-01-01T00:00:00+00:00",
    },
    ("dim_customers", 12): {"is_vendor": True, "vat": "FR23334175221", "tags": [], "email": None},
    ("dim_promotions", 2): {
        "program_type": {14: "promotion_program", 16: "promotion"},
        "trigger": {14: "no_code_needed", 16: "auto"},
        "applies_on": {14: "on_current_order", 16: "current"},
        "date_from": {14: "2024-03-01", 16: None, 17: "2024-03-01"},
        "date_to": "2024-05-31",
        "max_usage": 100,
        "currency": "EUR",
        "rewards": {14: "discount", 16: "10% on your order; Free tea"},
    },
    ("dim_promotions", 7): {
        "active": False,
        "program_type": {14: "coupon_program", 16: "coupons"},
        "date_to": None,
        "company_id": None,
        "rewards": {14: "product", 16: None},
    },
    ("dim_picking_types", 4): {"name": "Receipts", "code": "incoming", "warehouse_id": 2, "company_id": 1, "active": True},
    ("fact_stock_moves", 101): {
        "product_id": 31, "quantity": 10, "uom": "kg", "unit_cost": 2, "value": 20, "currency": "EUR",
        "location_id": 4, "location_usage": "supplier", "location_dest_id": 8, "location_dest_usage": "internal",
        "direction": "in", "is_scrap": False, "picking_type_id": 4, "customer_id": 12, "origin": "P00015",
        "sale_line_id": None, "purchase_line_id": 35, "moved_at": "2024-01-02T03:04:05+00:00",
        "business_date": "2024-01-02", "company_id": 1,
    },
    ("fact_stock_moves", 102): {
        "direction": "out", "quantity": 2, "value": 5.5, "unit_cost": 2.75, "sale_line_id": 81,
        "customer_id": 10, "business_date": "2024-04-01",
    },
    # Two dozen, in pieces; nobody valued them.
    ("fact_stock_moves", 103): {
        "direction": "in", "quantity": 24, "uom": "Units", "value": None, "unit_cost": None, "currency": "USD",
        "business_date": "2023-12-31",
    },
    ("fact_stock_moves", 104): {"direction": "scrap", "is_scrap": True, "quantity": 0.5},
    ("fact_stock_moves", 105): {"direction": "inventory", "is_scrap": False},
    ("fact_stock_moves", 106): {"direction": "internal"},
    ("fact_stock_moves", 108): {"direction": None},
    # The day is that of the branch, not UTC's.
    ("all_sales", "pos", 71): {
        "ordered_at": "2024-03-31T22:30:00+00:00",
        "business_date": "2024-04-01",
        "hour": 0,
        "source": "store",
        "branch_id": 2,
        "session_id": 51,
        "customer_id": 10,
        "employee_id": 20,
        "user_id": 2,
        "team_id": 5,
        "is_refund": False,
        "amount_total": 11,
        "amount_untaxed": 10,
        "amount_return": 9,
        "currency": "EUR",
        "currency_rate": 1,
        "amount_total_company": 11,
    },
    ("all_sales", "pos", 74): {"state": {14: "invoiced", 19: "done"}, "is_refund": True},
    ("all_sales", "pos", 76): {
        "business_date": "2023-12-31",
        "hour": 21,
        "branch_id": 5,
        "customer_id": None,
        "employee_id": None,
        "currency": "USD",
    },
    ("all_sales", "sale", 71): {"business_date": "2024-04-01", "team_id": 5, "user_id": 6, "state": "sale",
                                "source": "sales", "campaign": "Spring", "medium": "Newsletter"},
    ("all_sales", "sale", 77): {
        "business_date": "2023-12-31",
        "customer_id": 14,
        "state": "draft",
        "source": "online",
        "currency": "EUR",
        "currency_rate": 0.8,
        "company_currency": "USD",
        "amount_total_company": 10.5,
        "amount_untaxed_company": 10,
    },
    ("fact_sales_lines", "pos", 80): {
        "order_id": 74,
        "branch_id": 2,
        "subtotal": -10,
        "total": -12,
        "refunded_line_id": {14: None, 15: 81},
        "is_reward": {14: None, 15: False},
    },
    ("fact_sales_lines", "pos", 81): {
        "order_id": 71,
        "business_date": "2024-04-01",
        "branch_id": 2,
        "product_id": 31,
        "promotion_id": None,
        "quantity": 1,
        "uom": "kg",
        "tax_amount": 2,
        "tax_ids": [3, 5],
        "hour": 0,
        "currency": "EUR",
        "total_company": 12,
        "margin_company": {14: None, 15: 7.5},
        "cost": {14: None, 15: 2.5},
        "margin": {14: None, 15: 7.5},
        "refunded_line_id": None,
        "settles_line_id": None,
    },
    ("fact_sales_lines", "pos", 82): {
        "promotion_id": {14: None, 15: 2},
        "is_reward": {14: None, 15: True},
        # Odoo has not computed it yet.
        "cost": None,
        "uom": "Units",
    },
    ("fact_sales_lines", "pos", 86): {
        "business_date": "2023-12-31",
        "branch_id": 5,
        "discount_percent": 20,
        "discount_amount": 5,
        "settles_line_id": {14: None, 15: 81},
        "settles_channel": {14: None, 15: "sale"},
    },
    ("fact_sales_lines", "sale", 81): {
        "order_id": 71,
        "business_date": "2024-04-01",
        "branch_id": None,
        "quantity": 2,
        "uom": "kg",
        "total": 24,
        "settles_channel": None,
    },
    ("fact_sales_lines", "sale", 88): {"order_id": 77, "product_id": 34, "uom": "Units"},
    ("dim_pos_categories", 4): {"name": "Tea", "parent_id": 6, "complete_name": "Drinks / Tea", "active": True},
    ("dim_pos_categories", 6): {"parent_id": None, "complete_name": "Drinks"},
    ("dim_payment_methods", 2): {"name": "Cash", "type": "cash", "is_cash_count": True, "company_id": 1, "active": True},
    ("dim_payment_methods", 4): {"type": {14: None, 15: "bank"}, "is_cash_count": False},
    ("dim_payment_methods", 11): {"type": {14: None, 15: "pay_later"}, "active": False},
    # Nobody has counted yet, and Odoo has a zero there.
    ("fact_sessions", 51): {
        "name": "POS/00051",
        "branch_id": 2,
        "user_id": 2,
        "employee_id": {14: None, 18: 20},
        "state": "opened",
        "start_at": "2024-03-31T22:30:00+00:00",
        "stop_at": None,
        "business_date": "2024-04-01",
        "opening_cash": {14: 100, 20: None},
        "counted_closing_cash": None,
        "expected_closing_cash": {14: 94, 20: None},
        "cash_difference": None,
        "opening_notes": {14: None, 15: "Two rolls of coins"},
        "currency": "EUR",
        "company_id": 1,
    },
    ("fact_sessions", 52): {
        "business_date": "2023-12-31",
        "opening_cash": {14: 50, 20: None},
        "counted_closing_cash": {14: 73.5, 20: None},
        "expected_closing_cash": {14: 74, 20: None},
        "cash_difference": {14: -0.5, 20: None},
        "closing_notes": {14: None, 17: "Half a dollar short"},
    },
    # Without cash there is nothing to count.
    ("fact_sessions", 54): {"opening_cash": None, "counted_closing_cash": None, "expected_closing_cash": None},
    ("fact_payments", 91): {
        "order_id": 71,
        "order_channel": "pos",
        "business_date": "2024-04-01",
        "branch_id": 2,
        "session_id": 51,
        "payment_method_id": 4,
        "amount": 5,
        "currency": "EUR",
        "is_change": False,
        "card_type": "DEBIT",
        "card_brand": {14: None, 18: "Visa"},
        "payment_date": "2024-03-31T22:30:00+00:00",
        "company_id": 1,
    },
    ("fact_payments", 93): {"amount": -9, "is_change": True, "payment_method_id": 2},
    ("fact_payments", 96): {"business_date": "2023-12-31", "branch_id": 5, "session_id": 52, "currency": "USD"},
    ("dim_loyalty_cards", 5): {
        "program_id": {14: 2, 15: None, 16: 2},
        "customer_id": 10,
        "code": "044-A",
        "points": {14: None, 15: 12.5},
        "status": {14: "new", 15: "valid", 16: None},
        "currency": {14: None, 15: "EUR"},
        "expiration_date": "2024-12-31",
        "company_id": 1,
        "active": True,
    },
    ("dim_loyalty_cards", 6): {"customer_id": None, "points": {14: None, 15: 0}, "active": {14: True, 18: False}},
    ("fact_loyalty", 9): {
        "card_id": 5,
        "issued": 0,
        "used": 7.5,
        "points_left": -7.5,
        "description": "Order S00071",
        "order_model": "sale.order",
        "order_id": 71,
        "created_at": "2024-01-01T00:00:00+00:00",
    },
    ("fact_loyalty", 10): {"points_left": 0, "order_model": None, "order_id": None},
    ("fact_sales_lines", "sale", 88): {
        "order_id": 77,
        "product_id": 34,
        "uom": "Units",
        "hour": 21,
        "tax_ids": [],
        "currency": "EUR",
        "currency_rate": 0.8,
        "company_currency": "USD",
        "subtotal_company": 10,
        "total_company": 10.5,
    },
    ("fact_purchases", 35): {
        "order_id": 15,
        "order_reference": "P00015",
        "vendor_id": 12,
        "buyer_id": 2,
        "product_id": 31,
        "warehouse_id": 2,
        "state": "purchase",
        "approved_at": "2024-01-01T09:00:00+00:00",
        "planned_at": "2024-01-09T10:00:00+00:00",
        "quantity_ordered": 5,
        "quantity_received": 3,
        "discount_percent": {14: None, 17: 10},
        "tax_amount": 1.8,
        "origin": "OP/00003",
        "invoice_state": "to invoice",
        "effective_date": "2024-01-08T07:30:00+00:00",
        "tax_ids": [8],
        "currency": "USD",
        "currency_rate": 1.25,
        "company_currency": "EUR",
        "subtotal_company": 7.2,
    },
    ("fact_invoices", 601): {
        "move_id": 501, "number": "INV/2024/00001", "move_type": "out_invoice", "state": "posted", "payment_state": "paid",
        "invoice_date": "2024-03-31", "due_date": "2024-04-30", "accounting_date": "2024-03-31", "reference": "PO-7",
        "origin": "S00071", "partner_id": 10, "user_id": 6, "team_id": 5, "product_id": 31,
        "description": "[TEA] Green tea", "account_id": 71, "account": "Sales", "quantity": 2, "uom": "kg", "price_unit": 12.5,
        "discount_percent": 20, "subtotal": 20, "total": 24, "tax_amount": 4, "tax_ids": [3], "currency": "EUR",
        "company_currency": "EUR", "balance": -20, "subtotal_company": 20, "sale_line_ids": [81],
        "purchase_line_id": None, "company_id": 1,
    },
    ("fact_invoices", 605): {"move_type": "out_refund", "subtotal": 10, "subtotal_company": -10, "payment_state": "not_paid"},
    ("fact_invoices", 606): {
        "move_type": "in_invoice", "currency": "USD", "company_currency": "EUR", "subtotal": 9, "subtotal_company": 7.2,
        "purchase_line_id": 35, "account": "Purchases", "partner_id": 12,
    },
    ("fact_invoices", 608): {"number": None, "state": "draft", "product_id": None, "invoice_date": None, "tax_ids": []},
}


def at(release, value):
    """A value that may depend on the release."""
    if not isinstance(value, dict):
        return value
    return value[max(begin for begin in value if begin <= release)]


#: One of them is enough to see that a sync works on a PostgreSQL.
MARKS = {19: pytest.mark.postgres}


@pytest.fixture(scope="module", params=[pytest.param(release, marks=MARKS.get(release, ())) for release in RELEASES])
def release(request):
    return request.param


@pytest.fixture(scope="module")
def db(release, cluster, fake):
    """One for all tests of a release, which read it."""
    database = Database(cluster)
    database.server(url(fake, f"version={release}"))
    database.run("SET timezone = 'UTC'; SELECT odoo_enable('invoices')")
    yield database
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture(scope="module")
def report(db):
    """The report of a whole sync."""
    return db.report("SELECT * FROM odoo_sync_all()")


def test_every_table_says_what_it_got(report, release):
    expected, found = {}, {}
    for table, rows in ROWS.items():
        rows = at(release, rows)
        expected[table] = ("absent" if rows is None else "ok", rows or 0, 0, None)
    for table, row in report.items():
        found[table] = (row["status"], row["fetched"], row["missing"], row["error"])
    assert found == expected


def test_every_table_has_its_rows(report, release, db):
    found = {table: db.value(f"SELECT count(*) FROM {table}") for table in ROWS}
    assert found == {table: at(release, rows) or 0 for table, rows in ROWS.items()}


def test_values(report, release, db):
    wrong = []
    for (table, *key), columns in VALUES.items():
        if at(release, ROWS[table]) is None:
            continue
        names = "(channel, id)" if len(key) == 2 else "(id)"
        found = db.value(f"SELECT to_jsonb(t) FROM {table} t WHERE {names} = %s", tuple(key))
        for column, value in columns.items():
            if found[column] != at(release, value):
                wrong.append((table, *key, column, found[column], "not", at(release, value)))
    assert wrong == []


def test_columns_are_empty_only_for_lack_of_a_field(report, release, db):
    empty = set()
    for table, rows in ROWS.items():
        if at(release, rows) is None:
            continue
        found = db.run(
            f"SELECT coalesce('(' || (r ->> 'channel') || ')', ''), key "
            f"FROM (SELECT to_jsonb(t) - 'deleted_at' AS r FROM {table} t) t, jsonb_each_text(r) "
            "GROUP BY 1, 2 HAVING count(value) = 0"
        )
        empty |= {f"{table}{channel}.{column}" for channel, column in found}
    assert empty == {name for name, releases in LACKING.items() if release in releases}


def test_lines_are_where_their_orders_are(report, db):
    (same,) = db.run(
        "SELECT count(*), count(*) FILTER (WHERE l.branch_id IS NOT DISTINCT FROM o.branch_id), "
        "count(*) FILTER (WHERE l.business_date = o.business_date) "
        "FROM fact_sales_lines l JOIN all_sales o ON (o.channel, o.id) = (l.channel, l.order_id)"
    )
    assert same == (ROWS["fact_sales_lines"],) * 3
    assert db.run("SELECT * FROM missing_data WHERE resolved_at IS NULL") == []


def test_payments_are_where_their_orders_are_and_add_up(report, db):
    """Change is a negative payment, which the paid amount has in it."""
    found = db.run(
        "WITH paid AS (SELECT branch_id, business_date, sum(amount) AS amount FROM fact_payments GROUP BY 1, 2) "
        "SELECT o.branch_id, o.business_date::text, sum(o.amount_paid), p.amount "
        "FROM all_sales o LEFT JOIN paid p USING (branch_id, business_date) WHERE o.channel = 'pos' "
        "GROUP BY 1, 2, 4 ORDER BY 1"
    )
    assert found == [(2, "2024-04-01", -1, -1), (5, "2023-12-31", 24, 24)]


def test_a_second_run_writes_nothing(report, db):
    for table, row in db.report("SELECT * FROM odoo_sync_all()").items():
        assert (row["inserted"], row["updated"]) == (0, 0), table
        assert row["unchanged"] == row["fetched"] == report[table]["fetched"], table


def test_check_knows_the_release(release, db):
    found = {row[0]: row[1:3] for row in db.run("SELECT item, status, detail FROM odoo_check()")}
    assert found["version"] == ("ok", "Odoo saas~18.2" if release == 18 else f"Odoo {release}.0")
    assert found["login"] == ("ok", "database demo, user id 2, companies 1, 3")
    assert "error" not in {status for status, _ in found.values()}
