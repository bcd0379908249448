"""odoo_create_reports and odoo_drop_reports, and what the views say of sales that are not all alike, by tables that are
made by hand."""

import re
import time
from datetime import date, timedelta
from decimal import Decimal

import psycopg2
import pytest

from .conftest import TERMINAL, url
from .lab import places

pytestmark = pytest.mark.postgres

VIEWS = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('reports') AND relkind = 'v' ORDER BY 1"
NAMES = sorted(path.stem for path in (places.CHECKOUT / "sql/reports").glob("*.sql"))
#: Reports that are wider than a terminal: their rows are orders and lines, or have the ids of what they name beside the
#: names, as names are not unique. The queries of the page take what is for the eye.
WIDE = {"sales", "sales_lines", "price_changes"} | {"sales_by_day", "tender_mix", "cash_differences", "margin_by_category"}
QUERIES = [query for query in re.findall(r"```sql\n(SELECT [^;]*;)\n```", (places.CHECKOUT / "docs/reports.md").read_text())
           if "FROM reports." in query]

#: Seconds that a test takes at most.
LONGEST = 60

#: The tables of a warehouse with the columns that the views read.
TABLES = {
    "all_sales": """channel text, id bigint, reference text, ordered_at timestamptz, business_date date, branch_id bigint,
        customer_id bigint, employee_id bigint, user_id bigint, state text, is_refund boolean, amount_total numeric,
        amount_untaxed numeric, currency text, company_id bigint""",
    "fact_sales_lines": """channel text, id bigint, order_id bigint, business_date date, branch_id bigint, product_id bigint,
        promotion_id bigint, quantity numeric, uom text, price_unit numeric, discount_amount numeric, subtotal numeric,
        total numeric, is_reward boolean, settles_line_id bigint, subtotal_company numeric, cost_company numeric""",
    "dim_branches": "id bigint, name text, timezone text, warehouse_id bigint",
    "dim_companies": "id bigint, name text, currency text, fiscal_year_last_day bigint, fiscal_year_last_month text",
    "dim_customers": "id bigint, name text, is_company boolean, parent_id bigint",
    "dim_employees": "id bigint, name text",
    "dim_users": "id bigint, name text",
    "dim_promotions": "id bigint, name text, program_type text, currency text",
    "dim_categories": "id bigint, name text, complete_name text, parent_id bigint",
    "dim_products": """id bigint, name text, sku text, uom text, category_id bigint, standard_price numeric, list_price numeric,
        is_storable boolean, sale_ok boolean, active boolean, deleted_at timestamptz, cost_company_id bigint""",
    "dim_products_history": """id bigint, name text, sku text, list_price numeric, standard_price numeric, valid_from timestamptz,
        uom text, cost_company_id bigint""",
    "dim_date": "day date, year integer",
    "fact_warehouse": "id bigint, name text, active boolean, deleted_at timestamptz",
    "fact_stock_locations": "id bigint, usage text",
    "fact_stock": """product_id bigint, location_id bigint, warehouse_id bigint, quantity numeric, reserved numeric,
        unit_cost numeric, value numeric, in_date timestamptz, currency text, company_id bigint""",
    "fact_purchases": """id bigint, order_id bigint, order_reference text, vendor_id bigint, product_id bigint, state text,
        ordered_at timestamptz, planned_at timestamptz, effective_date timestamptz, quantity_ordered numeric,
        quantity_received numeric, uom text, price_unit numeric, discount_percent numeric, currency text, company_id bigint""",
    "fact_payments": """order_id bigint, payment_method_id bigint, amount numeric, currency text, is_change boolean,
        branch_id bigint, business_date date""",
    "dim_payment_methods": "id bigint, name text, type text",
    "fact_sessions": """branch_id bigint, user_id bigint, employee_id bigint, state text, business_date date,
        counted_closing_cash numeric, expected_closing_cash numeric, cash_difference numeric, currency text""",
    "dim_loyalty_cards": """program_id bigint, points numeric, expiration_date date, company_id bigint, active boolean,
        deleted_at timestamptz""",
}

ROWS = """
INSERT INTO dim_branches VALUES (1, 'Paris', 'Europe/Paris', 1);
INSERT INTO dim_companies VALUES (1, 'Shop', 'EUR', 31, '12'), (2, 'British', 'GBP', 5, '4'), (3, 'Feb', 'USD', 28, '2'),
    (4, 'No books', 'USD', NULL, NULL);
INSERT INTO dim_customers VALUES (1, 'Firm', true, NULL), (2, 'Branch of it', false, 1), (3, 'Contact there', NULL, 2),
    (4, 'Alone', false, NULL), (5, 'Daughter firm', true, 1);
INSERT INTO dim_categories VALUES (1, 'All', 'All', NULL), (2, 'Tea', 'All / Tea', 1);
INSERT INTO dim_products VALUES (1, 'Oolong', 'T1', 'Units', 2, 4, 10, true, true, true, NULL, 1),
    (2, 'Cup', 'C1', 'Units', 1, 1, 3, true, true, true, NULL, 1),
    (3, 'Discount', NULL, 'Units', NULL, 0, 0, false, true, true, NULL, 1),
    (4, 'Pot', 'P1', 'Units', NULL, 5, 9, true, true, false, NULL, 3);
INSERT INTO dim_promotions VALUES (1, 'Ten off', 'promotion', 'EUR'), (2, 'Gift cards', 'gift_card', 'EUR');
-- A sale; one in another currency; one without a branch; a refund; a settled order with its quotation; a draft.
INSERT INTO all_sales (channel, id, ordered_at, business_date, branch_id, customer_id, state, is_refund, amount_total,
    amount_untaxed, currency, company_id) VALUES
    ('pos', 1, current_date + time '10:30', current_date, 1, 3, 'paid', false, 43.000, 40, 'EUR', 1),
    ('pos', 2, current_date + time '10:45', current_date, 1, 4, 'done', false, 12, 12, 'USD', 1),
    ('pos', 3, current_date + time '11:00', current_date, NULL, NULL, 'paid', false, 5, 5, 'EUR', 1),
    ('pos', 4, current_date + time '12:00', current_date, 1, 2, 'invoiced', true, -10, -10, 'EUR', 1),
    ('pos', 5, current_date + time '13:00', current_date, 1, 5, 'paid', false, 20, 20, 'EUR', 1),
    ('sale', 1, current_date + time '09:00', current_date, NULL, 5, 'sale', false, 50, 50, 'EUR', 1),
    ('sale', 2, current_date + time '09:00', current_date, NULL, 5, 'draft', false, 99, 99, 'EUR', 1),
    ('sale', 3, current_date - 400 + time '09:00', current_date - 400, NULL, 1, 'done', false, 7, 7, 'EUR', 1);
INSERT INTO fact_sales_lines (channel, id, order_id, product_id, promotion_id, quantity, uom, price_unit, discount_amount,
    subtotal, total, is_reward, settles_line_id, subtotal_company, cost_company) VALUES
    ('pos', 1, 1, 1, NULL, 4, 'Units', 10, 0, 40, 43, false, NULL, 40, 16),
    ('pos', 2, 1, 2, NULL, 1, 'Units', 3, 0, 3, 3, NULL, NULL, 3, NULL),
    ('pos', 3, 1, 3, 1, 1, 'Units', -3, 0, -3, -3, true, NULL, -3, 0),
    ('pos', 4, 2, 1, NULL, 1, 'Units', 12, 0, 12, 12, false, NULL, 10, 4),
    ('pos', 5, 3, 2, NULL, 2, 'Units', 3, 0, 6, 6, false, NULL, 6, 2),
    ('pos', 6, 3, 3, 2, 1, 'Units', -1, 0, -1, -1, true, NULL, -1, 0),
    ('pos', 7, 4, 1, NULL, -1, 'Units', 10, 0, -10, -10, false, NULL, -10, -4),
    ('pos', 8, 5, 1, NULL, 2, 'Units', 10, 0, 20, 20, false, 1, 20, 8),
    ('sale', 1, 1, 1, NULL, 5, 'Units', 10, 0, 50, 50, NULL, NULL, 50, NULL),
    ('sale', 2, 2, 1, NULL, 9, 'Units', 11, 0, 99, 99, NULL, NULL, 99, NULL),
    ('sale', 3, 3, 1, NULL, 1, 'Dozens', 7, 0, 7, 7, NULL, NULL, 7, NULL);
INSERT INTO fact_warehouse VALUES (1, 'Main', true, NULL);
INSERT INTO fact_stock_locations VALUES (1, 'internal'), (2, 'customer');
INSERT INTO fact_stock VALUES (1, 1, 1, 30, 2, 4, NULL, now() - interval '40 days', 'EUR', 1),
    (1, 2, NULL, 99, 0, 4, NULL, now(), 'EUR', 1), (2, 1, 1, -1, 0, 1, -1, NULL, 'EUR', 1),
    (4, 1, 1, -5, 0, 1, -5, NULL, 'EUR', 1);
INSERT INTO fact_purchases VALUES
    (1, 1, 'P1', 1, 1, 'purchase', '2026-01-01', '2026-01-11', '2026-01-13', 10, 10, 'Units', 4, 0, 'EUR', 1),
    (2, 2, 'P2', 1, 1, 'done', '2026-02-01', '2026-02-05', NULL, 10, 0, 'Units', 5, 0, 'EUR', 1),
    (3, 3, 'P3', 1, 1, 'purchase', '2026-03-01', '2026-03-05', NULL, 1, 0, 'Dozens', 50, 0, 'EUR', 1),
    (4, 4, 'P4', 1, 1, 'cancel', '2026-02-15', '2026-02-20', NULL, 10, 0, 'Units', 9, 0, 'EUR', 1),
    (5, 5, 'P5', 1, 1, 'purchase', '2026-03-01', '2026-03-05', NULL, 10, 0, 'Units', 10, 50, 'EUR', 1);
INSERT INTO dim_payment_methods VALUES (1, 'Cash', 'cash'), (2, 'Card', 'bank');
INSERT INTO fact_payments VALUES (1, 1, 30, 'EUR', false, 1, current_date), (1, 2, 23, 'EUR', NULL, 1, current_date),
    (1, 1, -10, 'EUR', true, 1, current_date), (2, 1, 12, 'USD', false, 1, current_date), (3, 1, 5, 'EUR', false, NULL, current_date);
INSERT INTO dim_users VALUES (1, 'Admin');
INSERT INTO dim_employees VALUES (1, 'Ann');
INSERT INTO fact_sessions VALUES (1, 1, 1, 'closed', current_date, 97, 100, -3, 'EUR'), (1, 1, 1, 'closed', current_date, 101, 100, 1, 'EUR'),
    (1, 1, NULL, 'closed', current_date, 10, 10, 0, 'EUR'), (1, 1, NULL, 'closed', current_date, NULL, NULL, NULL, 1),
    (1, 1, 1, 'opened', current_date, 0, 50, -50, 'EUR'), (1, 1, 1, 'closed', current_date, 5, 7, -2, 'USD');
INSERT INTO dim_loyalty_cards VALUES (2, 30, NULL, 1, true, NULL), (2, 20, current_date - 1, 1, true, NULL),
    (2, 0, current_date + 1, 1, true, NULL), (2, 9, NULL, 1, true, now()), (1, 500, NULL, 1, true, NULL), (NULL, 15, NULL, 1, true, NULL);
INSERT INTO dim_products_history VALUES (1, 'Oolong', 'T1', 10, 4, '2026-01-01', 'Units', 1),
    (1, 'Oolong', 'T1', 10, 4, '2026-02-01', 'Units', 1), (1, 'Oolong tea', 'T1', 12, 4.5, '2026-03-01', 'Units', 1),
    (2, 'Cup', 'C1', 3, 1, '2026-01-01', 'Units', 1);
INSERT INTO dim_date SELECT d, extract(year FROM d) FROM generate_series('2023-01-01'::date, '2025-12-31', '1 day') AS d;
"""


@pytest.fixture
def made(db, fake):
    """A warehouse by hand as of today, and all reports over it. No day ends while a test is at it."""
    left = 86400 - time.time() % 86400
    if left < LONGEST:
        time.sleep(left)
    db.server(url(fake), schema="hand")
    db.run("CREATE SCHEMA hand; SET search_path = hand, public")
    db.run(";".join(f"CREATE TABLE {table} ({columns})" for table, columns in TABLES.items()))
    db.run(ROWS)
    db.run("SELECT odoo_create_reports()")
    return db


@pytest.fixture
def filled(db, fake):
    db.server(url(fake, "version=19"))
    db.run("SELECT * FROM odoo_sync_all()")
    return db


def rows(db, view, *columns, order="1, 2"):
    return db.run(f"SELECT {', '.join(columns)} FROM reports.{view} ORDER BY {order}")


# What is made, and what is dropped.

def test_every_report_is_made_and_described(made):
    assert [name for name, in made.run(VIEWS)] == NAMES
    assert "left out" not in made.notices
    assert made.run("SELECT relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace "
                    "AND obj_description(oid) !~ E'^[A-Z].*\\\\. \\\\(odoo_etl: report of server erp\\\\)$'") == []
    assert made.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'reports'::regnamespace "
                      "AND 'security_invoker=true' = ANY (reloptions)") == len(NAMES)
    for name in NAMES:
        made.run(f"SELECT * FROM reports.{name}")
        # No number is of two currencies.
        columns = {name for name, in made.run("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", f"reports.{name}")}
        assert not columns & {"amount", "revenue", "value", "liability", "difference"} or "currency" in columns, name


def test_every_report_has_a_row_in_the_docs():
    text = (places.CHECKOUT / "docs/reports.md").read_text()
    assert [name for name in NAMES if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("shop", ["made", "filled"])
def test_reports_fit_a_terminal(db, request, shop):
    request.getfixturevalue(shop)
    if shop == "filled":
        db.run("SELECT odoo_keep_history('dim_products'); SELECT odoo_create_reports()")
    wide = {name for name in NAMES if max(map(len, db.shown(f"TABLE reports.{name}"))) > TERMINAL}
    assert wide == WIDE if shop == "made" else wide <= WIDE
    assert [query for query in QUERIES if max(map(len, db.shown(query))) > TERMINAL] == []
    # Each has one, but for rows of which the others are made.
    named = set(re.findall(r"FROM reports\.(\w+)", "".join(QUERIES)))
    assert set(NAMES) - named == {"sales", "sales_lines", "buyers", "stock_turns", "product_costs"}


def test_what_is_computed_is_rounded(made):
    """A third of a price, and amounts that were converted."""
    made.run("UPDATE fact_purchases SET discount_percent = 33.33 WHERE id = 2; "
             "UPDATE fact_sales_lines SET subtotal_company = subtotal / 1.7, cost_company = cost_company / 1.7")
    assert made.value("SELECT max(scale(subtotal_company)) FROM fact_sales_lines") > 9
    for name in NAMES:
        columns = made.run("SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND atttypid = 'numeric'::regtype", f"reports.{name}")
        for column, in columns:
            assert made.value(f"SELECT coalesce(max(scale({column})), 0) <= 4 FROM reports.{name}"), (name, column)
    assert rows(made, "price_changes", "order_reference", "price_before", "price", "percent") == [
        ("P2", 4, Decimal("3.3335"), Decimal("-16.7")), ("P5", Decimal("3.3335"), 5, 50)]


def test_what_lacks_a_table_is_left_out_with_its_name(made):
    made.run("SELECT odoo_drop_reports(); DROP TABLE fact_payments; ALTER TABLE fact_purchases DROP COLUMN effective_date; "
             "DROP TABLE dim_promotions")
    del made.connection.notices[:]
    left = {name for name, in made.run("SELECT odoo_create_reports()::text")}
    missing = {name for name in NAMES if f"reports.{name}" not in left}
    assert missing == {"tender_mix", "purchase_lead_time", "sales_lines", "basket_pairs", "promotions_effect", "abc",
                       "stock_turns", "days_of_cover", "sell_through", "stock_outs", "gift_card_liability"}
    assert 'tender_mix: left out, table "hand"."fact_payments" does not exist' in made.notices
    assert "purchase_lead_time: left out, column f.effective_date does not exist" in made.notices
    assert "abc: left out, as is report sales_lines" in made.notices


def test_columns_that_users_add_get_into_nobodys_way(made):
    """Each table has columns of every name that a query mentions."""
    names = set(re.findall(r"[a-z_]+", " ".join(path.read_text() for path in (places.CHECKOUT / "sql/reports").rglob("*.sql"))))
    look = lambda: {name: made.run(f"SELECT * FROM reports.{name} AS row ORDER BY row::text") for name in NAMES}
    before = look()
    made.run("SELECT odoo_drop_reports()")
    for table in TABLES:
        made.run(f"ALTER TABLE {table} " + ", ".join(f'ADD COLUMN IF NOT EXISTS "{name}" text' for name in names))
    made.run("SELECT odoo_create_reports()")
    assert look() == before


def test_it_can_be_repeated_and_undone(filled):
    filled.run("SELECT odoo_create_reports('reports')")
    before = filled.run("SELECT oid, relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace ORDER BY 2")
    assert before
    filled.run("CREATE VIEW public.mine AS SELECT * FROM reports.sales_by_day")
    filled.run("SELECT odoo_create_reports('reports')")
    assert filled.run("SELECT oid, relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace ORDER BY 2") == before
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        filled.run("SELECT odoo_drop_reports('reports')")
    filled.run("DROP VIEW public.mine; SELECT odoo_drop_reports('reports')")
    assert filled.value("SELECT to_regnamespace('reports') IS NULL")
    with pytest.raises(psycopg2.errors.UndefinedObject, match='schema "reports" has no reports') as raised:
        filled.run("SELECT odoo_drop_reports('reports')")
    assert raised.value.diag.message_hint


def test_every_column_is_told_of(filled):
    filled.run("SELECT odoo_create_reports(); SELECT odoo_create_model()")
    assert filled.run("SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
                      "WHERE relnamespace::regnamespace::text IN ('reports', 'model') AND attnum > 0 "
                      "AND coalesce(col_description(attrelid, attnum), '') = ''") == []


def test_a_model_is_the_tables_without_lists(filled):
    """For tools in which a column is one value, and a key one column."""
    made = {name.split(".")[1] for name, in filled.run("SELECT odoo_create_model()::text")}
    assert {"all_sales", "fact_sales_lines", "dim_customers", "dim_date", "fact_stock_daily"} <= made
    assert filled.run("SELECT attrelid::regclass, attname, format_type(atttypid, NULL) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
                      "WHERE relnamespace = 'model'::regnamespace AND attnum > 0 AND format_type(atttypid, NULL) ~ '\\[\\]|json'") == []
    assert filled.run("SELECT id, tags FROM model.dim_customers ORDER BY 1") == filled.run(
        "SELECT id, array_to_string(tags, ', ') FROM dim_customers ORDER BY 1")
    assert filled.value("SELECT count(*) FROM model.dim_customers WHERE tags LIKE '%%, %%'") > 0
    # One column tells an order, and finds its lines.
    assert filled.run("SELECT o.channel, o.id FROM model.all_sales o JOIN model.fact_sales_lines l USING (order_key) ORDER BY 1, 2") == filled.run(
        "SELECT o.channel, o.id FROM all_sales o JOIN fact_sales_lines l ON (l.channel, l.order_id) = (o.channel, o.id) ORDER BY 1, 2")
    assert filled.value("SELECT count(*) = count(DISTINCT order_key) AND count(DISTINCT channel) = 2 FROM model.all_sales")
    # It can be repeated when tables have more columns, and goes as reports do.
    filled.run("SELECT odoo_add_column('dim_customers', 'tz'); SELECT odoo_create_model()")
    assert filled.run("SELECT tz FROM model.dim_customers LIMIT 1")
    filled.run("SELECT odoo_drop_reports('model')")
    assert filled.value("SELECT to_regnamespace('model') IS NULL")


def test_nothing_else_is_dropped(filled):
    filled.run("CREATE SCHEMA shop; CREATE VIEW shop.mine AS SELECT 1 AS one; CREATE TABLE shop.t ()")
    filled.run("SELECT odoo_create_reports('shop'); COMMENT ON VIEW shop.price_changes IS 'now mine'")
    filled.run("SELECT odoo_drop_reports('shop')")
    assert filled.run("SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind <> 'i' "
                      "ORDER BY 1") == [("mine",), ("price_changes",), ("t",)]
    # A schema that was made for reports stays where others put something into it.
    filled.run("SELECT odoo_create_reports('other'); CREATE TABLE other.t (); SELECT odoo_drop_reports('other')")
    assert 'schema "other" stays' in filled.notices
    filled.run("DROP TABLE other.t; SELECT odoo_drop_reports('other')")
    assert filled.value("SELECT to_regnamespace('other') IS NULL")


@pytest.mark.parametrize("before, call, error", [
    ("CREATE SCHEMA reports; CREATE VIEW reports.sales AS SELECT 1 AS one", "odoo_create_reports()", '"reports"."sales" already exists'),
    ("SELECT", "odoo_create_reports('public')", 'schema "public" is not for reports'),
    ("SELECT", "odoo_create_reports('odoo_etl')", 'schema "odoo_etl" is not for reports'),
    ("SELECT", "odoo_create_reports('reports', 'nobody')", 'server "nobody" does not exist'),
])
def test_what_is_refused(filled, before, call, error):
    filled.run(before)
    with pytest.raises(psycopg2.Error, match=error) as raised:
        filled.run(f"SELECT {call}")
    assert raised.value.diag.message_hint


def test_reports_of_two_servers_do_not_mix(filled, fake):
    filled.run("SELECT odoo_create_reports('reports', 'erp')")
    filled.server(url(fake, "version=18"), name="other", schema="elsewhere")
    filled.run("SELECT * FROM odoo_sync_all('other')")
    with pytest.raises(psycopg2.errors.DuplicateTable, match="is another report"):
        filled.run("SELECT odoo_create_reports('reports', 'other')")
    filled.run("SELECT odoo_create_reports('more', 'other')")
    assert filled.value("SELECT pg_get_viewdef('more.buyers'::regclass) LIKE '%%elsewhere.dim_customers%%'")


def test_a_reader_needs_rights_of_its_own(filled):
    """Views lend nobody's rights; who makes them owns them."""
    filled.run("CREATE ROLE reporter; GRANT USAGE ON FOREIGN SERVER erp TO reporter; CREATE SCHEMA mine AUTHORIZATION reporter")
    try:
        filled.run("SET ROLE reporter; SELECT odoo_create_reports('mine')")
        assert filled.run("SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'mine'::regnamespace") == [("reporter",)]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for table"):
            filled.run("SELECT * FROM mine.sales_by_day")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            filled.run("SELECT odoo_create_reports('elsewhere')")
        filled.run("RESET ROLE; SELECT odoo_create_reports('admins'); GRANT USAGE ON SCHEMA admins TO reporter; "
                   "GRANT SELECT ON ALL TABLES IN SCHEMA admins TO reporter; SET ROLE reporter")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for table"):
            filled.run("SELECT * FROM admins.sales_by_day")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="must be owner"):
            filled.run("SELECT odoo_drop_reports('admins')")
        filled.run("RESET ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reporter; SET ROLE reporter")
        filled.run("SELECT * FROM mine.sales_by_day; SELECT * FROM admins.sales_by_day")
    finally:
        filled.run("RESET ROLE; DROP OWNED BY reporter CASCADE; DROP ROLE reporter")


def test_names_are_quoted(db, fake):
    db.server(url(fake, "version=19"), name='"it\'s reports."', schema='my "reports." here')
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("""SELECT odoo_create_reports('a "warehouse." too')""")
    assert db.value("""SELECT count(*) > 0 FROM "a ""warehouse."" too".sales_by_day""")
    db.run("""SELECT odoo_drop_reports('a "warehouse." too')""")


# What they say.

def test_a_sale_counts_once_and_currencies_stay_apart(made):
    assert rows(made, "sales_by_day", "channel", "branch", "currency", "orders", "refunds", "units", "amount", "settled",
                order="business_date DESC, 1, 2, 3")[:4] == [
        ("pos", "Paris", "EUR", 3, 1, 4, 53, 20), ("pos", "Paris", "USD", 1, 0, 1, 12, 0),
        ("pos", None, "EUR", 1, 0, 2, 5, 0), ("sale", None, "EUR", 1, 0, 5, 50, 0)]
    # What Odoo keeps to three places is not rounded to two.
    made.run("UPDATE all_sales SET amount_total = 12.345 WHERE channel = 'pos' AND id = 2")
    assert made.run("SELECT amount FROM reports.sales_by_day WHERE currency = 'USD'") == [(Decimal("12.345"),)]
    assert made.run("SELECT units, lines, revenue, settled, is_settlement FROM reports.sales WHERE channel = 'pos' AND id = 5") == [
        (0, 0, 0, 20, True)]


def test_hours_are_those_of_the_branch(made):
    made.run("SET TimeZone = 'UTC'; UPDATE all_sales SET ordered_at = '2026-07-01 22:30+00' WHERE branch_id = 1")
    assert made.run("SELECT hour, branch, sum(orders) FROM reports.sales_by_hour GROUP BY 1, 2 ORDER BY 1") == [
        (0, "Paris", 4), (None, None, 1)]


def test_branches_baskets_and_pairs(made):
    assert rows(made, "sales_by_branch", "branch", "currency", "sales", "refunds", "sold", "refunded", "refund_percent") == [
        ("Paris", "EUR", 2, 1, 63, 10, Decimal("15.9")), ("Paris", "USD", 1, 0, 12, 0, 0), (None, "EUR", 1, 0, 5, 0, 0)]
    assert rows(made, "basket_size", "branch", "currency", "orders", "lines", "units", "amount") == [
        ("Paris", "EUR", 2, Decimal("1.5"), Decimal("3.5"), Decimal("31.5")), ("Paris", "USD", 1, 1, 1, 12),
        (None, "EUR", 1, 1, 2, 5)]
    # Of three orders with goods one has both; each is in two.
    assert rows(made, "basket_pairs", "product", "other", "orders", "percent", "percent_of_product", "lift") == [
        ("Oolong", "Cup", 1, Decimal("33.33"), 50, Decimal("0.75"))]


def test_gift_cards_are_no_promotion(made):
    assert rows(made, "promotions_effect", "channel", "promotion", "currency", "with_reward", "orders", "given",
                order="1, 2 NULLS LAST, 3") == [
        ("pos", "Ten off", "EUR", True, 1, 3), ("pos", None, "EUR", False, 2, 0), ("pos", None, "USD", False, 1, 0),
        ("sale", None, "EUR", False, 2, 0)]


def test_contacts_count_as_their_company(made):
    assert rows(made, "buyers", "customer_id", "buyer_id") == [(1, 1), (2, 1), (3, 1), (4, 4), (5, 5)]
    assert rows(made, "customers_rfm", "buyer", "currency", "orders", "revenue", "recency_days", "recency", "frequency", "money") == [
        ("Alone", "USD", 1, 12, 0, 5, 5, 5), ("Daughter firm", "EUR", 1, 50, 0, 5, 3, 5), ("Firm", "EUR", 2, 37, 0, 5, 5, 3)]
    today = made.value("SELECT current_date")
    month, old = today.replace(day=1), (today - timedelta(400)).replace(day=1)
    months = (month.year - old.year) * 12 + month.month - old.month
    assert rows(made, "cohorts", "cohort", "months", "currency", "size", "customers", "orders", "revenue", order="1, 2, 3") == [
        (old, 0, "EUR", 1, 1, 1, 7), (old, months, "EUR", 1, 1, 1, 30),
        (month, 0, "EUR", 2, 1, 1, 50), (month, 0, "USD", 2, 1, 1, 12)]


def test_products_by_their_share(made):
    # A reward is no product's revenue, a gift card's line is the one of its product.
    assert rows(made, "abc", "currency", "place", "product", "units", "revenue", "class") == [
        ("EUR", 1, "Oolong", 8, 80, "A"), ("EUR", 2, "Cup", 3, 9, "B"), ("EUR", 3, "Discount", 0, -1, "C"),
        ("USD", 1, "Oolong", 1, 12, "A")]


def test_stock(made):
    assert rows(made, "days_of_cover", "product", "on_hand", "sold", "days", "other_units") == [
        ("Cup", -1, 3, 0, 0), ("Oolong", 30, 9, 300, 0), ("Pot", -5, 0, None, 0)]
    assert rows(made, "sell_through", "product", "percent") == [("Cup", 100), ("Oolong", Decimal("23.1")), ("Pot", None)]
    # The pot is archived.
    assert rows(made, "stock_outs", "warehouse", "product", "on_hand", "last_sale", "sold") == [
        ("Main", "Cup", -1, made.value("SELECT current_date"), 1)]
    assert rows(made, "stock_ageing", "warehouse", "age", "products", "quantity", "value") == [
        ("Main", "31-60", 1, 30, 120), ("Main", None, 2, -6, -6)]
    made.run("UPDATE fact_sales_lines SET uom = 'Dozens' WHERE channel = 'sale'")
    assert ("Oolong", 4, 1) in rows(made, "days_of_cover", "product", "sold", "other_units")


def test_purchases(made):
    """Units are not held against dozens, nor canceled orders counted."""
    assert rows(made, "price_changes", "order_reference", "price_before", "price", "percent") == [("P2", 4, 5, 25)]
    assert rows(made, "purchase_lead_time", "vendor", "orders", "planned_days", "actual_days", "late", "received", "percent") == [
        ("Firm", 4, Decimal("5.5"), 12, 1, 10, Decimal("32.3"))]


MARGIN = ("SELECT category, currency, sum(revenue), sum(cost), sum(estimated), sum(without_cost), sum(margin) "
          "FROM reports.margin_by_category GROUP BY 1, 2 ORDER BY 1 NULLS LAST")


def test_margin_in_the_companys_currency(made):
    """40 - 16 and 10 - 4, less 10 - 4 that came back; 50 at 5 x 4.50, the cost on that day; a dozen without a cost."""
    assert made.run(MARGIN) == [("All", "EUR", 9, 3, 0, 0, 6), ("All / Tea", "EUR", 97, Decimal("38.5"), 0, 7, Decimal("51.5")),
                                (None, "EUR", -4, 0, 0, 0, -4)]
    # Before the history began it is the cost of today.
    made.run("UPDATE dim_products_history SET valid_from = valid_from + interval '100 years'")
    assert made.run(MARGIN)[:2] == [("All", "EUR", 9, 3, 3, 0, 6), ("All / Tea", "EUR", 97, 36, 50, 7, 54)]
    assert made.run("SELECT DISTINCT top FROM reports.margin_by_category WHERE category = 'All / Tea'") == [("All",)]


def test_margin_without_a_history(made):
    made.run("SELECT odoo_drop_reports(); ALTER TABLE dim_products_history RENAME TO kept")
    del made.connection.notices[:]
    made.run("SELECT odoo_create_reports()")
    assert "product_costs" not in made.notices and "list_price_changes: left out" in made.notices
    assert made.run(MARGIN) == [("All", "EUR", 9, 3, 3, 0, 6), ("All / Tea", "EUR", 97, 36, 50, 7, 54), (None, "EUR", -4, 0, 0, 0, -4)]
    # Once it is kept, the same view tells more.
    made.run("ALTER TABLE kept RENAME TO dim_products_history; SELECT odoo_create_reports()")
    assert made.run(MARGIN)[1] == ("All / Tea", "EUR", 97, Decimal("38.5"), 0, 7, Decimal("51.5"))


def test_a_cost_is_no_other_companys(made):
    """That of the pot is company 3's own; that of the tea is the cost in the company of the Odoo user."""
    made.run("INSERT INTO all_sales (channel, id, business_date, state, currency, company_id) VALUES ('sale', 9, current_date, 'sale', 'USD', 3);"
             "INSERT INTO fact_sales_lines (channel, id, order_id, product_id, quantity, uom, subtotal, total, subtotal_company) VALUES "
             "('sale', 91, 9, 4, 2, 'Units', 18, 18, 18), ('sale', 92, 9, 1, 1, 'Units', 12, 12, 12)")
    found = "SELECT category, revenue, cost, without_cost FROM reports.margin_by_category WHERE company_id = 3 ORDER BY 1"
    assert made.run(found) == [("All / Tea", 12, None, 12), (None, 18, 10, 0)]


def test_tenders_with_their_change(made):
    assert rows(made, "tender_mix", "branch", "currency", "payment_method", "payments", "amount", "change", "percent",
                order="1, 2, 3") == [
        ("Paris", "EUR", "Card", 1, 23, 0, Decimal("53.5")), ("Paris", "EUR", "Cash", 1, 20, 10, Decimal("46.5")),
        ("Paris", "USD", "Cash", 1, 12, 0, 100), (None, "EUR", "Cash", 1, 5, 0, 100)]


def test_cash_differences_by_cashier(made):
    assert rows(made, "cash_differences", "cashier", "currency", "sessions", "off", "difference", "short", '"over"') == [
        ("Admin", "EUR", 1, 0, 0, 0, 0), ("Ann", "EUR", 2, 2, -2, 3, 1), ("Ann", "USD", 1, 1, -2, 2, 0)]


def test_gift_cards_that_are_not_used_up(made):
    assert rows(made, "gift_card_liability", "program", "currency", "cards", "liability", "expired") == [
        ("Gift cards", "EUR", 2, 30, 20), (None, None, 1, 15, 0)]


def test_list_prices_that_changed(made):
    assert rows(made, "list_price_changes", "product", "price_before", "price", "percent", "cost_before", "cost") == [
        ("Oolong tea", 10, 12, 20, 4, Decimal("4.5"))]


def test_fiscal_years_end_as_companies_say(made):
    """Every day of 2024, a leap year, against a calculation from the other side."""
    ends = {1: (12, 31), 2: (4, 5), 3: (2, 31), 4: (12, 31)}
    found = made.run("SELECT company_id, day, fiscal_year, first_day, last_day, fiscal_quarter, fiscal_period "
                     "FROM reports.fiscal_days ORDER BY 1, 2")
    assert len(found) == 4 * 1096

    def end(year, month, day):
        following = date(year + month // 12, month % 12 + 1, 1)
        return min(following - timedelta(1), date(year, month, 1) + timedelta(day - 1))

    for company, day, year, first, last, quarter, period in found:
        lasts = {y: end(y, *ends[company]) for y in range(2022, 2028)}
        expected = min(y for y, until in lasts.items() if until >= day)
        assert (year, first, last) == (expected, lasts[expected - 1] + timedelta(1), lasts[expected])
        months = (day.year - first.year) * 12 + day.month - first.month - (day.day < first.day)
        assert (period, quarter) == (months + 1, months // 3 + 1) and 1 <= period <= 12
