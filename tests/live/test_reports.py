"""The reports over a warehouse loaded from the real Odoo 19: each view says what Odoo's own database says, and each query
of docs/reports.md runs and has the columns that are shown."""

import re
import xmlrpc.client
from collections import Counter
from decimal import Decimal
from math import ceil

import pytest

from ..conftest import Database
from ..lab import places
from .conftest import COMPARE
from .shop import french, reference
from .test_till import Till

QUERY = r"^```sql\n(?P<sql>(?:(?!```).*\n)*)```\n\n(?P<header>    .+)\n    [-+]+\n"


def queries():
    """The queries of the docs, each with the columns of the output shown."""
    text = (places.CHECKOUT / "docs/reports.md").read_text()
    found = re.finditer(QUERY, text, re.MULTILINE)
    return [(m["sql"], [name.strip() for name in m["header"].split("|")]) for m in found]


QUERIES = queries()


@pytest.fixture(scope="module")
def made(api):
    """What the demo data lacks: a refund, a reward, a settled sale order, goods received, a
    person with a contract, goods that nobody bought. Returns the ids."""

    def create(model, **values):
        return api(model, "create", [values])[0]

    company = create("res.partner", name="Report & Sons", is_company=True)
    customer = create("res.partner", name="Report Contact", parent_id=company)
    vendor = create("res.partner", name="Report Vendor", is_company=True)
    parent = create("product.category", name="Report goods")
    category = create("product.category", name="Report tea", parent_id=parent)
    goods = {"categ_id": category, "is_storable": True, "taxes_id": [(6, 0, [])]}
    tea = create("product.product", name="Report oolong", list_price=10, standard_price=4, **goods)
    dead = create("product.product", name="Report dust", standard_price=3, **goods)
    cup = create("product.product", name="Report cup", list_price=3, standard_price=1, **goods)

    sale = create(
        "sale.order", partner_id=customer,
        order_line=[(0, 0, {"product_id": tea, "product_uom_qty": 5, "price_unit": 10})],
    )
    api("sale.order", "action_confirm", [sale])
    sale_line = api("sale.order.line", "search", [("order_id", "=", sale)])[0]

    # Another currency, another unit.
    euro = api("res.currency", "search", [("name", "=", "EUR")], context={"active_test": False})
    api("res.currency", "write", euro, {"active": True})
    pricelist = create("product.pricelist", name="Report euros", currency_id=euro[0])
    abroad = create(
        "sale.order", partner_id=company, pricelist_id=pricelist,
        order_line=[
            (0, 0, {"product_id": tea, "product_uom_qty": 2, "price_unit": 9}),
            (0, 0, {"product_id": tea, "product_uom_qty": 1, "price_unit": 90,
                    "product_uom_id": reference(api, "uom", "product_uom_dozen")}),
        ],
    )
    api("sale.order", "action_confirm", [abroad])

    branch = create("pos.config", name="Report Counter")
    session = create("pos.session", config_id=branch, user_id=2)
    program = create(
        "loyalty.program", name="Report promotion", program_type="promotion",
        reward_ids=[(0, 0, {"reward_type": "discount", "discount": 10, "required_points": 1})],
    )
    reward = api("loyalty.reward", "search", [("program_id", "=", program)])[0]

    def line(quantity, price, subtotal=None, **values):
        subtotal = quantity * price if subtotal is None else subtotal
        return {"name": "L", "product_id": tea, "qty": quantity, "price_unit": price,
                "price_subtotal": subtotal, "price_subtotal_incl": subtotal, **values}

    def order(total, *lines, **values):
        return create(
            "pos.order", session_id=session, company_id=1, partner_id=customer, state="paid",
            amount_total=total, amount_tax=0, amount_paid=0, amount_return=0,
            lines=[(0, 0, line) for line in lines], **values,
        )

    sold = order(40, line(4, 10, total_cost=16, is_total_cost_computed=True))
    order(27, line(3, 10), line(1, -3, reward_id=reward, is_reward_line=True))
    order(20, line(2, 10, sale_order_line_id=sale_line, sale_order_origin_id=sale))
    order(13, line(1, 10), line(1, 3, product_id=cup))
    # Sold before; the cup has never been in stock.
    order(6, line(2, 3, product_id=cup), date_order="2025-01-31 23:30:00")
    # One refund as the till writes it, its lines without their minus, one as the back office did.
    refunded = api("pos.order.line", "search", [("order_id", "=", sold)])[0]
    back = {"refunded_orderline_id": refunded, "is_total_cost_computed": True}
    order(-10, line(-1, 10, subtotal=10, total_cost=-4, **back), is_refund=True)
    order(-10, line(-1, 10, subtotal=-10, total_cost=-4, **back), is_refund=True)

    purchase = create(
        "purchase.order", partner_id=vendor,
        order_line=[(0, 0, {"product_id": tea, "product_qty": 10, "price_unit": 4})],
    )
    api("purchase.order", "button_confirm", [purchase])
    picking = api("stock.picking", "search", [("purchase_id", "=", purchase)])[0]
    move = api("stock.move", "search", [("picking_id", "=", picking)])
    api("stock.move", "write", move, {"quantity": 4, "picked": True})
    api("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
    dearer = create(
        "purchase.order", partner_id=vendor,
        order_line=[(0, 0, {"product_id": tea, "product_qty": 1, "price_unit": 5})],
    )
    api("purchase.order", "button_confirm", [dearer])
    canceled = create(
        "purchase.order", partner_id=vendor,
        order_line=[(0, 0, {"product_id": tea, "product_qty": 77, "price_unit": 4})],
    )
    api("purchase.order", "button_cancel", [canceled])

    quant = api(
        "stock.quant", "create",
        [{"product_id": dead, "location_id": 5, "inventory_quantity": 7}],
        context={"inventory_mode": True},
    )
    api("stock.quant", "action_apply_inventory", quant)

    till(api, tea)
    program = create("loyalty.program", name="Report gift cards", program_type="gift_card")
    create("loyalty.card", program_id=program, points=17.25, expiration_date="2030-12-31")
    create("loyalty.card", program_id=program, points=8, expiration_date="2020-12-31")
    fiscal = create("res.company", name="Report of April", currency_id=euro[0])
    api("res.company", "write", [fiscal], {"fiscalyear_last_day": 5, "fiscalyear_last_month": "4"})
    api("res.users", "write", [2], {"company_ids": [(4, fiscal)]})
    february = create("res.company", name="Report of February", currency_id=euro[0])
    api("res.company", "write", [february], {"fiscalyear_last_day": 28, "fiscalyear_last_month": "2"})
    api("res.users", "write", [2], {"company_ids": [(4, february)]})

    department = create("hr.department", name="Report room")
    create("hr.employee", name="Here", department_id=department, contract_date_start="2020-01-15")
    create("hr.employee", name="Gone", department_id=department, active=False)
    return {"dead": dead, "cup": cup, "tea": tea, "vendor": vendor, "companies": [1, fiscal, february]}


def till(api, tea):
    """A session that ends with two less in the drawer than there should be."""
    counter = Till(api, "Report till")
    api("pos.session", "set_opening_control", [counter.session], 100, "")
    counter.sell(tea, (counter.card, 5.5), (counter.cash, 40), change=9.25)
    api("pos.session", "post_closing_cash_details", [counter.session], 128.75)
    api("pos.session", "update_closing_control_state_session", [counter.session], "Two short")
    assert api("pos.session", "close_session_from_ui", [counter.session], [])["successful"]


@pytest.fixture(scope="module")
def warehouse(cluster, real, api, made):
    """One warehouse for all reports, which only read it. The price of the cup changes while its history is kept."""
    database = Database(cluster)
    database.server(real.url)
    report = database.report("SELECT * FROM odoo_sync_all()")
    assert {row["status"] for row in report.values()} <= {"ok", "absent"}
    database.run("SELECT odoo_keep_history('dim_products')")
    api("product.product", "write", [made["cup"]], {"list_price": 3.6})
    database.run("SELECT * FROM odoo_sync_all()")
    database.run("SET TimeZone = 'UTC'; SELECT odoo_create_reports()")
    yield database
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


def table(connection, sql):
    """A query's columns and rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


def whole(warehouse, view):
    """All rows of a report, as dictionaries."""
    names, rows = table(warehouse.connection, f"SELECT * FROM reports.{view}")
    return [dict(zip(names, row)) for row in rows]


def row_of(warehouse, view, **key):
    """The one row of a report with these values."""
    (row,) = [row for row in whole(warehouse, view) if key.items() <= row.items()]
    return row


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_a_query_of_the_docs_runs_and_has_the_columns_shown(warehouse, number):
    sql, columns = QUERIES[number]
    names, rows = table(warehouse.connection, sql)
    assert names == columns
    assert rows


def test_the_docs_have_all_queries():
    text = (places.CHECKOUT / "docs/reports.md").read_text()
    assert len(QUERIES) > 15 and text.count("```sql") == len(QUERIES) + 1


# What Odoo's database says, under names of the report's columns.
SALES = "('paid', 'done', 'invoiced', 'sale')"
ODOO = f"""
    WITH RECURSIVE zones AS (
        SELECT c.id, coalesce(cal.tz, p.tz, 'UTC') AS zone, cu.name AS currency
        FROM res_company c
        JOIN res_currency cu ON cu.id = c.currency_id
        JOIN res_partner p ON p.id = c.partner_id
        LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
    ),
    heads AS (
        SELECT 'pos' AS channel, o.id, o.date_order, s.config_id AS branch_id, o.partner_id, o.company_id,
               coalesce(cu.name, z.currency) AS currency, o.amount_total AS amount, o.amount_total - o.amount_tax AS amount_untaxed, z.zone, o.currency_rate AS rate
        FROM pos_order o
        JOIN pos_session s ON s.id = o.session_id
        JOIN zones z ON z.id = o.company_id
        JOIN pos_config b ON b.id = s.config_id
        LEFT JOIN account_journal j ON j.id = b.journal_id
        LEFT JOIN res_currency cu ON cu.id = j.currency_id
        WHERE o.state IN {SALES}
        UNION ALL
        SELECT 'sale', o.id, o.date_order, NULL, o.partner_id, o.company_id, cu.name, o.amount_total, o.amount_untaxed, z.zone,
               o.currency_rate
        FROM sale_order o
        JOIN res_currency cu ON cu.id = o.currency_id
        JOIN zones z ON z.id = o.company_id
        WHERE o.state IN {SALES}
    ),
    orders AS (
        SELECT *, (date_order AT TIME ZONE 'UTC' AT TIME ZONE zone)::date AS day,
               date_trunc('month', date_order AT TIME ZONE 'UTC' AT TIME ZONE zone)::date AS month,
               extract(hour FROM date_order AT TIME ZONE 'UTC' AT TIME ZONE zone)::integer AS hour, amount < 0 AS is_refund
        FROM heads
    ),
    parts AS (
        SELECT 'pos' AS channel, l.id, l.order_id, l.product_id, r.program_id, l.qty AS quantity, true AS is_usual_unit,
               l.price_unit, l.is_reward_line IS TRUE AS is_given, l.sale_order_line_id IS NOT NULL AS settles,
               sign(l.qty * l.price_unit) * abs(l.price_subtotal) AS subtotal,
               sign(l.qty * l.price_unit) * abs(l.price_subtotal_incl) AS total,
               l.qty * l.price_unit * coalesce(l.discount, 0) / 100 AS discount_amount
        FROM pos_order_line l
        LEFT JOIN loyalty_reward r ON r.id = l.reward_id
        UNION ALL
        SELECT 'sale', l.id, l.order_id, l.product_id, r.program_id, l.product_uom_qty, l.product_uom_id = t.uom_id, l.price_unit,
               l.reward_id IS NOT NULL, false, l.price_subtotal, l.price_total,
               l.product_uom_qty * l.price_unit * coalesce(l.discount, 0) / 100
        FROM sale_order_line l
        LEFT JOIN loyalty_reward r ON r.id = l.reward_id
        LEFT JOIN product_product p ON p.id = l.product_id
        LEFT JOIN product_template t ON t.id = p.product_tmpl_id
        WHERE l.display_type IS NULL
    ),
    lines AS (
        SELECT l.*, o.day, o.branch_id, o.company_id, o.currency, o.is_refund, o.partner_id,
               CASE WHEN l.is_given AND l.price_unit < 0 THEN 0 ELSE l.quantity END AS units,
               l.is_given AND coalesce(g.program_type, '') NOT IN ('gift_card', 'ewallet') AS is_reward
        FROM parts l
        JOIN orders o ON o.channel = l.channel AND o.id = l.order_id
        LEFT JOIN loyalty_program g ON g.id = l.program_id
    ),
    goods AS (
        SELECT p.id, p.active, t.sale_ok, t.is_storable
        FROM product_product p
        JOIN product_template t ON t.id = p.product_tmpl_id
    ),
    quants AS (
        SELECT q.*, l.warehouse_id AS store_id
        FROM stock_quant q
        JOIN stock_location l ON l.id = q.location_id AND l.usage = 'internal'
    )
"""
BUYERS = """
    bought AS (
        SELECT p.commercial_partner_id AS buyer_id, o.*,
               (SELECT coalesce(sum(l.subtotal), 0) FROM lines l
                WHERE l.channel = o.channel AND l.order_id = o.id AND NOT l.settles) AS revenue
        FROM orders o
        JOIN res_partner p ON p.id = o.partner_id
        WHERE NOT (SELECT coalesce(bool_and(l.settles), false) FROM lines l WHERE l.channel = o.channel AND l.order_id = o.id)
    )
"""
TURNS = """
    stock AS (SELECT company_id, product_id, sum(quantity) AS on_hand FROM quants GROUP BY company_id, product_id),
    sold AS (
        SELECT company_id, product_id, sum(units) FILTER (WHERE is_usual_unit) AS sold,
               count(*) FILTER (WHERE NOT is_usual_unit) AS other_units
        FROM lines
        WHERE day > current_date - 90 AND NOT settles
        GROUP BY company_id, product_id
    ),
    turns AS (
        SELECT company_id, product_id, coalesce(on_hand, 0) AS on_hand, coalesce(sold, 0) AS sold,
               coalesce(other_units, 0) AS other_units
        FROM stock
        FULL JOIN sold USING (company_id, product_id)
        JOIN goods ON goods.id = product_id AND is_storable
    )
"""
TRUTH = {
    "sales_by_day": f"""{ODOO}
        SELECT o.day AS business_date, o.channel, o.branch_id, o.currency, count(*) AS orders,
               count(*) FILTER (WHERE o.is_refund) AS refunds, sum(o.amount) AS amount,
               sum(o.amount_untaxed) AS amount_untaxed, sum(l.units) AS units, sum(l.settled) AS settled
        FROM orders o
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(units) FILTER (WHERE NOT settles), 0) AS units,
                   coalesce(sum(total) FILTER (WHERE settles), 0) AS settled
            FROM lines l WHERE l.channel = o.channel AND l.order_id = o.id
        ) l ON true
        GROUP BY o.day, o.channel, o.branch_id, o.currency
    """,
    "sales_by_hour": f"""{ODOO}
        SELECT day AS business_date, hour, branch_id, currency, count(*) AS orders, sum(amount) AS amount
        FROM orders WHERE channel = 'pos' GROUP BY day, hour, branch_id, currency
    """,
    "sales_by_branch": f"""{ODOO}
        SELECT month, branch_id, currency, count(*) FILTER (WHERE amount >= 0) AS sales,
               count(*) FILTER (WHERE amount < 0) AS refunds, sum(greatest(amount, 0)) AS sold,
               sum(greatest(-amount, 0)) AS refunded
        FROM orders WHERE channel = 'pos' GROUP BY month, branch_id, currency
    """,
    "basket_size": f"""{ODOO}
        SELECT month, branch_id, currency, count(*) AS orders, round(avg(amount), 2) AS amount,
               round(avg((SELECT count(*) FROM lines l WHERE l.channel = 'pos' AND l.order_id = o.id AND NOT l.is_given)), 2) AS lines
        FROM orders o WHERE channel = 'pos' AND NOT is_refund GROUP BY month, branch_id, currency
    """,
    "basket_pairs": f"""{ODOO},
        items AS (SELECT DISTINCT order_id, product_id FROM lines
                  WHERE channel = 'pos' AND NOT is_refund AND NOT is_reward AND NOT settles AND units > 0)
        SELECT a.product_id, b.product_id AS other_id, count(*) AS orders,
               round(100.0 * count(*) / (SELECT count(DISTINCT order_id) FROM items), 2) AS percent
        FROM items a JOIN items b ON b.order_id = a.order_id AND b.product_id > a.product_id GROUP BY 1, 2
    """,
    "promotions_effect": f"""{ODOO},
        given AS (SELECT channel, order_id, program_id, sum(discount_amount - subtotal) AS given
                  FROM lines WHERE is_reward GROUP BY 1, 2, 3)
        SELECT o.channel, g.program_id AS promotion_id, o.currency, count(*) AS orders, coalesce(sum(g.given), 0) AS given
        FROM orders o LEFT JOIN given g ON g.channel = o.channel AND g.order_id = o.id
        WHERE NOT o.is_refund GROUP BY 1, 2, 3
    """,
    "customers_rfm": f"""{ODOO}, {BUYERS}
        SELECT buyer_id, currency, max(day) FILTER (WHERE NOT is_refund) AS last_order,
               count(*) FILTER (WHERE NOT is_refund) AS orders, sum(revenue) AS revenue
        FROM bought GROUP BY buyer_id, currency
    """,
    "cohorts": f"""{ODOO}, {BUYERS}
        SELECT f.cohort, b.currency, count(DISTINCT b.buyer_id) FILTER (WHERE NOT b.is_refund) AS customers,
               count(*) FILTER (WHERE NOT b.is_refund) AS orders, sum(b.revenue) AS revenue,
               (extract(year FROM age(b.month, f.cohort)) * 12 + extract(month FROM age(b.month, f.cohort)))::integer AS months
        FROM bought b
        JOIN (SELECT buyer_id, min(month) AS cohort FROM bought WHERE NOT is_refund GROUP BY 1) f USING (buyer_id)
        GROUP BY f.cohort, b.month, b.currency
    """,
    "abc": f"""{ODOO}
        SELECT product_id, currency, sum(units) AS units, sum(subtotal) AS revenue
        FROM lines WHERE NOT settles AND NOT is_reward AND day > current_date - 365 GROUP BY 1, 2
    """,
    "days_of_cover": f"""{ODOO}, {TURNS}
        SELECT company_id, product_id, on_hand, sold, other_units,
               CASE WHEN sold > 0 THEN round(greatest(on_hand, 0) * 90 / sold, 1) END AS days
        FROM turns WHERE on_hand <> 0 OR sold <> 0
    """,
    "sell_through": f"""{ODOO}, {TURNS}
        SELECT company_id, product_id, round(100 * sold / nullif(sold + greatest(on_hand, 0), 0), 1) AS percent
        FROM turns WHERE on_hand <> 0 OR sold <> 0
    """,
    "stock_outs": f"""{ODOO},
        sold AS (
            SELECT t.warehouse_id AS store_id, l.product_id, sum(l.units) FILTER (WHERE l.day > current_date - 90) AS sold
            FROM lines l
            JOIN pos_config b ON b.id = l.branch_id
            JOIN stock_picking_type t ON t.id = b.picking_type_id
            WHERE NOT l.settles
            GROUP BY 1, 2
        ),
        there AS (SELECT store_id, product_id, sum(quantity) AS on_hand FROM quants GROUP BY 1, 2)
        SELECT store_id AS warehouse_id, product_id, coalesce(on_hand, 0) AS on_hand, coalesce(sold, 0) AS sold
        FROM there
        FULL JOIN sold USING (store_id, product_id)
        JOIN stock_warehouse w ON w.id = store_id AND w.active
        JOIN goods g ON g.id = product_id AND g.active AND g.sale_ok AND g.is_storable
        WHERE coalesce(on_hand, 0) <= 0
    """,
    "stock_ageing": f"""{ODOO}
        SELECT store_id AS warehouse_id, CASE WHEN age <= 30 THEN '0-30' WHEN age <= 60 THEN '31-60' WHEN age <= 90 THEN '61-90'
                   WHEN age <= 180 THEN '91-180' WHEN age <= 365 THEN '181-365' ELSE 'over 365' END AS age,
               count(DISTINCT product_id) AS products, sum(quantity) AS quantity
        FROM (SELECT *, current_date - in_date::date AS age FROM quants WHERE quantity <> 0) q GROUP BY 1, 2
    """,
    "price_changes": """
        WITH prices AS (
            SELECT o.partner_id AS vendor_id, l.product_id, o.name AS order_reference,
                   l.price_unit * (1 - coalesce(l.discount, 0)::numeric / 100) AS price,
                   lag(l.price_unit * (1 - coalesce(l.discount, 0)::numeric / 100)) OVER (
                       PARTITION BY o.partner_id, l.product_id, l.product_uom_id, o.currency_id, o.company_id
                       ORDER BY o.date_order, l.id) AS price_before
            FROM purchase_order_line l
            JOIN purchase_order o ON o.id = l.order_id AND o.state IN ('purchase', 'done')
            WHERE l.display_type IS NULL
        )
        SELECT * FROM prices WHERE price <> price_before
    """,
    "purchase_lead_time": """
        SELECT o.partner_id AS vendor_id, count(DISTINCT o.id) AS orders, sum(l.product_qty) AS ordered,
               sum(l.qty_received) AS received,
               round(avg(extract(epoch FROM date_trunc('second', o.effective_date) - date_trunc('second', o.date_order)) / 86400), 1)
                   AS actual_days
        FROM purchase_order_line l
        JOIN purchase_order o ON o.id = l.order_id AND o.state IN ('purchase', 'done')
        WHERE l.display_type IS NULL
        GROUP BY o.partner_id
    """,
    "tender_mix": f"""{ODOO}
        SELECT o.day AS business_date, o.branch_id, p.payment_method_id, count(*) FILTER (WHERE p.is_change IS NOT TRUE) AS payments,
               sum(p.amount) AS amount
        FROM pos_payment p
        JOIN orders o ON o.channel = 'pos' AND o.id = p.pos_order_id
        GROUP BY 1, 2, 3
    """,
    "gift_card_liability": """
        SELECT c.company_id, c.program_id, count(*) FILTER (WHERE c.points <> 0) AS cards,
               coalesce(sum(c.points) FILTER (WHERE coalesce(c.expiration_date, 'infinity') >= current_date), 0)::numeric AS liability
        FROM loyalty_card c
        JOIN loyalty_program p ON p.id = c.program_id AND p.program_type IN ('gift_card', 'ewallet')
        WHERE c.active
        GROUP BY 1, 2
    """,
    "cash_differences": f"""
        SELECT date_trunc('month', business_date::timestamp)::date AS month, branch_id, employee_id, user_id, currency,
               count(*) AS sessions, count(*) FILTER (WHERE cash_difference <> 0) AS off, sum(expected_closing_cash) AS expected,
               sum(counted_closing_cash) AS counted, sum(cash_difference) AS difference
        FROM ({(COMPARE / "fact_sessions.sql").read_text()}) AS s
        WHERE state = 'closed' AND cash_difference IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    """,
    # The cost on the day is that of today: the history of the only product that changed has the same one.
    "margin_by_category": f"""{ODOO},
        costs AS (
            SELECT 'pos' AS channel, id, CASE WHEN is_total_cost_computed THEN total_cost END AS cost FROM pos_order_line
        ),
        sold AS (
            SELECT o.month, o.company_id, t.categ_id AS category_id, l.subtotal / o.rate AS revenue, k.cost IS NULL AS is_unknown,
                   coalesce(k.cost / o.rate, CASE WHEN l.is_usual_unit AND (t.company_id = o.company_id OR t.company_id IS NULL AND o.company_id = 1)
                       THEN l.quantity * coalesce(p.standard_price ->> o.company_id::text, '0')::numeric END) AS cost
            FROM parts l
            JOIN orders o ON o.channel = l.channel AND o.id = l.order_id
            LEFT JOIN costs k ON k.channel = l.channel AND k.id = l.id
            LEFT JOIN product_product p ON p.id = l.product_id
            LEFT JOIN product_template t ON t.id = p.product_tmpl_id
            WHERE NOT l.settles
        )
        SELECT month, company_id, category_id, round(sum(revenue), 4) AS revenue, round(sum(cost), 4) AS cost,
               round(coalesce(sum(revenue) FILTER (WHERE cost IS NULL), 0), 4) AS without_cost, round(sum(revenue - cost), 4) AS margin
        FROM sold
        GROUP BY 1, 2, 3
    """,
}


@pytest.mark.parametrize("view", TRUTH)
def test_it_says_what_odoo_says(warehouse, truth, view):
    truth.cursor().execute("SET TimeZone = 'UTC'")
    names, expected = table(truth, TRUTH[view])
    found = [tuple(rounded(row[name]) for name in names) for row in whole(warehouse, view)]
    assert Counter(found) - Counter(expected) == Counter(expected) - Counter(found) == Counter()
    assert found


def rounded(value):
    """Quotients have more digits here than there."""
    return round(value, 6) if isinstance(value, Decimal) else value


def test_no_report_is_left_out(warehouse):
    made = {row[0] for row in warehouse.run("SELECT relname FROM pg_class WHERE relnamespace = 'reports'::regnamespace")}
    assert made == {path.stem for path in (places.CHECKOUT / "sql/reports").glob("*.sql")}


def test_a_price_that_changed(warehouse, made):
    row = row_of(warehouse, "list_price_changes", product_id=made["cup"])
    assert (row["price_before"], row["price"], row["percent"]) == (3, Decimal("3.6"), 20)


def test_fiscal_years_are_odoos(warehouse, made, api):
    """By the function with which Odoo's own reports find them."""
    for company in made["companies"]:
        for day in ("2024-02-28", "2024-02-29", "2024-03-01", "2025-04-05", "2025-04-06", "2025-12-31"):
            # As a time: dates are no type of XML-RPC.
            dates = api("res.company", "compute_fiscalyear_dates", [company], xmlrpc.client.DateTime(f"{day.replace('-', '')}T00:00:00"))
            found = warehouse.run("SELECT first_day::text, last_day::text FROM reports.fiscal_days WHERE company_id = %s AND day = %s", company, day)
            assert found in ([(dates["date_from"][:10], dates["date_to"][:10])], []), (company, day)
    days = warehouse.value("SELECT count(DISTINCT day) FROM dim_date")
    assert warehouse.value("SELECT count(*) FROM reports.fiscal_days WHERE company_id = ANY (%s)", made["companies"]) == 3 * days


def test_three_days_to_the_cent(warehouse, truth):
    """By plain sums of Odoo's tables."""
    days = warehouse.run("SELECT business_date FROM reports.sales_by_day GROUP BY 1 ORDER BY sum(orders) DESC, 1 LIMIT 3")
    assert len(days) == 3
    for day, in days:
        found = warehouse.run("SELECT channel, sum(orders), sum(units), sum(amount) FROM reports.sales_by_day "
                              "WHERE business_date = %s GROUP BY channel ORDER BY 1", day)
        with truth.cursor() as cursor:
            cursor.execute(f"""{ODOO}
                SELECT o.channel, count(DISTINCT o.id), sum((SELECT coalesce(sum(l.units), 0) FROM lines l
                    WHERE l.channel = o.channel AND l.order_id = o.id AND NOT l.settles)), sum(o.amount)
                FROM orders o WHERE o.day = %s GROUP BY o.channel ORDER BY 1""", (day,))
            assert found == cursor.fetchall()


def test_a_settled_sale_order_counts_once(warehouse):
    """50 ordered, of which 20 were paid at the counter; 40, 27, 13 and 6 sold there, 20 refunded."""
    row = row_of(warehouse, "customers_rfm", buyer="Report & Sons", currency="USD")
    assert (row["orders"], row["revenue"]) == (5, 50 + 40 + 27 + 13 + 6 - 20)
    assert row_of(warehouse, "customers_rfm", buyer="Report & Sons", currency="EUR")["revenue"] == 108
    row = max((row for row in whole(warehouse, "sales_by_day") if row["branch"] == "Report Counter"), key=lambda row: row["business_date"])
    assert (row["orders"], row["refunds"], row["amount"], row["settled"]) == (6, 2, 80, 20)


def test_the_day_before_yet_another_hour(warehouse):
    """23:30 in UTC is the next day in Brussels, where the company works."""
    zone = warehouse.value("SELECT timezone FROM dim_branches WHERE name = 'Report Counter'")
    expected = warehouse.run("SELECT (t AT TIME ZONE %s)::date, extract(hour FROM t AT TIME ZONE %s)::integer "
                             "FROM (SELECT timestamptz '2025-01-31 23:30+00') AS times (t)", zone, zone)
    assert warehouse.run("SELECT business_date, hour FROM reports.sales_by_hour WHERE branch = 'Report Counter' "
                         "AND business_date < '2025-03-01'") == expected


def test_scores_and_classes_follow_the_numbers(warehouse):
    for currency in ("USD", "EUR"):
        rows = [row for row in whole(warehouse, "customers_rfm") if row["currency"] == currency]
        for score, value in (("money", "revenue"), ("frequency", "orders")):
            for row in rows:
                place = sum(other[value] <= row[value] for other in rows)
                assert row[score] == ceil(Decimal(5) * place / len(rows)), row
        rows = sorted((row for row in whole(warehouse, "abc") if row["currency"] == currency), key=lambda row: row["place"])
        total, before = sum(max(row["revenue"], 0) for row in rows), 0
        for row in rows:
            share = before / total
            assert row["class"] == ("C" if row["revenue"] <= 0 else "A" if share < Decimal("0.8") else "B" if share < Decimal("0.95") else "C")
            before += max(row["revenue"], 0)


def test_what_was_made_is_seen(warehouse, made):
    assert row_of(warehouse, "basket_pairs", product="Report oolong", other="Report cup")["orders"] == 1
    row = row_of(warehouse, "stock_outs", product_id=made["cup"])
    assert (row["on_hand"], row["sold"]) == (0, 1)
    row = row_of(warehouse, "price_changes", vendor="Report Vendor")
    assert (row["price_before"], row["price"], row["percent"]) == (4, 5, 25)
    row = row_of(warehouse, "days_of_cover", product_id=made["tea"])
    assert row["other_units"] == 1
    assert sum(row["given"] for row in whole(warehouse, "promotions_effect") if row["promotion"] == "Report promotion") >= 3
    assert all(row["currency"] for row in whole(warehouse, "stock_ageing"))


def test_the_days_of_the_warehouse(warehouse, truth):
    with truth.cursor() as cursor:
        cursor.execute(f"""{ODOO}, times AS (
                SELECT date_order AS time, company_id FROM sale_order UNION ALL SELECT date, company_id FROM stock_move WHERE state = 'done'
                UNION ALL SELECT s.start_at, c.company_id FROM pos_session s JOIN pos_config c ON c.id = s.config_id)
            SELECT min(day), max(day) FROM (SELECT day FROM orders UNION ALL
                SELECT (t.time AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date FROM times t JOIN zones z ON z.id = t.company_id) AS days""")
        first, last = cursor.fetchone()
    found = warehouse.run("SELECT day, iso_year, iso_week, weekday, month_name FROM dim_date ORDER BY day")
    assert (found[0][0], len(found)) == (first, (found[-1][0] - first).days + 1)
    assert found[-1][0] == last.replace(year=last.year + 1)
    assert all((year, week, weekday) == day.isocalendar()[:] for day, year, week, weekday, _ in found)
    assert {name for *_, name in found} >= {"January", "December"}


def test_names_in_the_language_of_the_server(cluster, real, api):
    """As Odoo writes them."""
    french(api)
    database = Database(cluster)
    try:
        database.server(real.url, language="fr_FR")
        database.run("SELECT * FROM odoo_sync('sales')")
        assert dict(database.run("SELECT DISTINCT month, month_name FROM dim_date"))[8] == "août"
        assert dict(database.run("SELECT DISTINCT weekday, weekday_name FROM dim_date")) == dict(enumerate(
            ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"], 1))
    finally:
        database.connection.close()
        cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")
