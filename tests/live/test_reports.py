"""Every report of docs/reports.md over a warehouse loaded from the real Odoo 19: it runs, has the
columns that are shown, and says what Odoo's own database says."""

import re
from decimal import Decimal

import pytest

from ..conftest import Database
from ..lab import places

HEADING = r"^## \d+\. (?P<title>.+?)\n"
REPORT = HEADING + r".*?^```sql\n(?P<sql>.*?)^```\n\n(?P<header>    [^\n]+)\n    [-+]+\n"


def reports():
    """Title -> query and the columns of the output shown."""
    text = (places.CHECKOUT / "docs/reports.md").read_text()
    found = re.finditer(REPORT, text, re.DOTALL | re.MULTILINE)
    return {m["title"]: (m["sql"], [name.strip() for name in m["header"].split("|")]) for m in found}


REPORTS = reports()


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

    sale = create(
        "sale.order", partner_id=customer,
        order_line=[(0, 0, {"product_id": tea, "product_uom_qty": 5, "price_unit": 10})],
    )
    api("sale.order", "action_confirm", [sale])
    sale_line = api("sale.order.line", "search", [("order_id", "=", sale)])[0]

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
            amount_total=total, amount_tax=0, amount_paid=total, amount_return=0,
            lines=[(0, 0, line) for line in lines], **values,
        )

    sold = order(40, line(4, 10, total_cost=16, is_total_cost_computed=True))
    order(27, line(3, 10), line(1, -3, reward_id=reward, is_reward_line=True))
    order(20, line(2, 10, sale_order_line_id=sale_line, sale_order_origin_id=sale))
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

    department = create("hr.department", name="Report room")
    create("hr.employee", name="Here", department_id=department, contract_date_start="2020-01-15")
    create("hr.employee", name="Gone", department_id=department, active=False)
    return {"dead": dead}


@pytest.fixture(scope="module")
def warehouse(cluster, real, made):
    """One warehouse for all reports, which only read it."""
    database = Database(cluster)
    database.server(real.url)
    report = database.report("SELECT * FROM odoo_sync_all()")
    assert {row["status"] for row in report.values()} <= {"ok", "absent"}
    yield database
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


def table(connection, sql):
    """A query's columns and rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


def whole(warehouse, title):
    """All rows of a report, as dictionaries."""
    sql = re.sub(r"\nLIMIT \d+;\s*$", "", REPORTS[title][0])
    names, rows = table(warehouse.connection, sql)
    return [dict(zip(names, row)) for row in rows]


def row_of(warehouse, title, **key):
    """The one row of a report with these values."""
    (row,) = [row for row in whole(warehouse, title) if key.items() <= row.items()]
    return row


def test_there_are_ten_reports():
    assert len(REPORTS) == 10
    text = (places.CHECKOUT / "docs/reports.md").read_text()
    assert text.count("```sql") == 10


@pytest.mark.parametrize("title", REPORTS)
def test_it_runs_and_has_the_columns_shown(warehouse, title):
    sql, columns = REPORTS[title]
    names, rows = table(warehouse.connection, sql)
    assert names == columns
    assert rows


# What Odoo's database says, under names of the report's columns.
SALES = "('paid', 'done', 'invoiced', 'sale')"
POS_LINES = f"""
    SELECT 'pos' AS channel, o.id AS order_id, o.partner_id, cu.name AS currency, l.product_id,
           l.qty, sign(l.qty * l.price_unit) * abs(l.price_subtotal) AS subtotal, o.date_order
    FROM pos_order_line l
    JOIN pos_order o ON o.id = l.order_id
    JOIN res_company c ON c.id = o.company_id
    JOIN res_currency cu ON cu.id = c.currency_id
    WHERE o.state IN {SALES} AND l.sale_order_line_id IS NULL
"""
SALE_LINES = f"""
    SELECT 'sale', o.id, o.partner_id, cu.name, l.product_id,
           l.product_uom_qty, l.price_subtotal, o.date_order
    FROM sale_order_line l
    JOIN sale_order o ON o.id = l.order_id
    JOIN res_currency cu ON cu.id = o.currency_id
    WHERE o.state IN {SALES} AND l.display_type IS NULL
"""
TRUTH = {
    "Sales by branch and day": f"""
        SELECT (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE cal.tz)::date AS business_date,
               coalesce(b.name, '(sale orders)') AS branch, cu.name AS currency,
               count(*) AS orders, sum(o.amount_total) AS amount
        FROM (
            SELECT s.config_id, o.company_id, o.date_order, o.amount_total, c.currency_id
            FROM pos_order o
            JOIN pos_session s ON s.id = o.session_id
            JOIN res_company c ON c.id = o.company_id
            WHERE o.state IN {SALES}
            UNION ALL
            SELECT NULL, company_id, date_order, amount_total, currency_id
            FROM sale_order
            WHERE state IN {SALES}
        ) o
        LEFT JOIN pos_config b ON b.id = o.config_id
        JOIN res_company c ON c.id = o.company_id
        JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
        JOIN res_currency cu ON cu.id = o.currency_id
        GROUP BY 1, o.config_id, b.name, cu.name
    """,
    "Margin by product category": f"""
        SELECT coalesce(c.complete_name, '(none)') AS category, l.currency, round(sum(l.subtotal), 2) AS revenue
        FROM ({POS_LINES} UNION ALL {SALE_LINES}) l
        JOIN product_product p ON p.id = l.product_id
        JOIN product_template t ON t.id = p.product_tmpl_id
        LEFT JOIN product_category c ON c.id = t.categ_id
        GROUP BY c.id, l.currency
    """,
    "Stock value by warehouse": """
        SELECT coalesce(w.name, '(none)') AS warehouse,
               count(DISTINCT q.product_id) AS products,
               sum(q.quantity) AS quantity, sum(q.reserved_quantity)::numeric AS reserved
        FROM stock_quant q
        JOIN stock_location l ON l.id = q.location_id AND l.usage = 'internal'
        LEFT JOIN stock_warehouse w ON w.id = l.warehouse_id
        WHERE q.quantity <> 0
        GROUP BY w.id, w.name
    """,
    "Basket size": f"""
        SELECT b.name AS branch, count(*) AS orders, round(avg(o.amount_total), 2) AS amount,
               round(avg((SELECT count(*) FROM pos_order_line l
                          WHERE l.order_id = o.id AND l.is_reward_line IS NOT TRUE)), 2) AS lines
        FROM pos_order o
        JOIN pos_session s ON s.id = o.session_id
        JOIN pos_config b ON b.id = s.config_id
        WHERE o.state IN {SALES} AND o.amount_total >= 0
        GROUP BY b.id, b.name
    """,
    "Top customers": f"""
        SELECT company.name AS customer, l.currency,
               count(DISTINCT l.order_id) FILTER (WHERE l.channel = 'pos') AS pos_orders,
               count(DISTINCT l.order_id) FILTER (WHERE l.channel = 'sale') AS sale_orders,
               round(sum(l.subtotal), 2) AS amount
        FROM ({POS_LINES} UNION ALL {SALE_LINES}) l
        JOIN res_partner p ON p.id = l.partner_id
        JOIN res_partner company ON company.id = p.commercial_partner_id
        GROUP BY company.id, l.currency
    """,
    "Promotion effect": f"""
        SELECT channel, currency, with_reward, count(*) AS orders
        FROM (
            SELECT 'pos' AS channel, cu.name AS currency, bool_or(g.id IS NOT NULL) AS with_reward
            FROM pos_order o
            JOIN pos_order_line l ON l.order_id = o.id
            JOIN res_company c ON c.id = o.company_id
            JOIN res_currency cu ON cu.id = c.currency_id
            LEFT JOIN loyalty_reward r ON r.id = l.reward_id AND l.is_reward_line
            LEFT JOIN loyalty_program g
                ON g.id = r.program_id AND g.program_type NOT IN ('gift_card', 'ewallet')
            WHERE o.state IN {SALES} AND o.amount_total >= 0
            GROUP BY o.id, cu.name
            UNION ALL
            SELECT 'sale', cu.name, bool_or(g.id IS NOT NULL)
            FROM sale_order o
            JOIN sale_order_line l ON l.order_id = o.id AND l.display_type IS NULL
            JOIN res_currency cu ON cu.id = o.currency_id
            LEFT JOIN loyalty_reward r ON r.id = l.reward_id
            LEFT JOIN loyalty_program g
                ON g.id = r.program_id AND g.program_type NOT IN ('gift_card', 'ewallet')
            WHERE o.state IN {SALES} AND o.amount_total >= 0
            GROUP BY o.id, cu.name
        ) o
        GROUP BY channel, currency, with_reward
    """,
    "Purchase lead time by vendor": """
        SELECT v.name AS vendor, count(DISTINCT o.id) AS orders,
               sum(l.product_qty) AS ordered, sum(l.qty_received) AS received
        FROM purchase_order_line l
        JOIN purchase_order o ON o.id = l.order_id AND o.state IN ('purchase', 'done')
        JOIN res_partner v ON v.id = o.partner_id
        WHERE l.display_type IS NULL
        GROUP BY v.id, v.name
    """,
    "Tenure by department": """
        WITH RECURSIVE tree AS (
            SELECT id, name ->> 'en_US' AS path FROM hr_department WHERE parent_id IS NULL
            UNION ALL
            SELECT d.id, t.path || ' / ' || (d.name ->> 'en_US')
            FROM hr_department d
            JOIN tree t ON t.id = d.parent_id
        )
        SELECT coalesce(d.path, '(none)') AS department, count(*) AS employees
        FROM hr_employee e
        JOIN hr_version v ON v.id = e.current_version_id
        LEFT JOIN tree d ON d.id = v.department_id
        WHERE e.active AND (v.departure_date IS NULL OR v.departure_date > current_date)
        GROUP BY d.id, d.path
    """,
    "Refund rate by branch": f"""
        SELECT b.name AS branch,
               count(*) FILTER (WHERE o.amount_total >= 0) AS sales,
               count(*) FILTER (WHERE o.amount_total < 0) AS refunds,
               sum(greatest(o.amount_total, 0)) AS sold,
               sum(greatest(-o.amount_total, 0)) AS refunded
        FROM pos_order o
        JOIN pos_session s ON s.id = o.session_id
        JOIN pos_config b ON b.id = s.config_id
        WHERE o.state IN {SALES}
        GROUP BY b.id, b.name
    """,
    "Dead stock": f"""
        SELECT q.product_id AS id, sum(q.quantity) AS quantity
        FROM stock_quant q
        JOIN stock_location l ON l.id = q.location_id AND l.usage = 'internal'
        WHERE q.product_id NOT IN (
            SELECT product_id
            FROM ({POS_LINES} UNION ALL {SALE_LINES}) s
            WHERE qty > 0 AND date_order >= current_date - 90 AND product_id IS NOT NULL
        )
        GROUP BY q.product_id
        HAVING sum(q.quantity) > 0
    """,
}


@pytest.mark.parametrize("title", TRUTH)
def test_it_says_what_odoo_says(warehouse, truth, title):
    names, expected = table(truth, TRUTH[title])
    found = [tuple(row[name] for name in names) for row in whole(warehouse, title)]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_settled_sale_order_counts_once(warehouse):
    """50 ordered, of which 20 were paid at the counter; 40 and 27 sold there, 20 refunded."""
    row = row_of(warehouse, "Top customers", customer="Report & Sons")
    assert (row["pos_orders"], row["sale_orders"], row["amount"]) == (4, 1, 97)
    row = row_of(warehouse, "Sales by branch and day", branch="Report Counter")
    assert (row["amount"], row["settled"]) == (67, 20)


def test_margin_takes_both_kinds_of_refund_off(warehouse):
    row = row_of(warehouse, "Margin by product category", category="Report goods / Report tea")
    # Costs: 16 noted and 8 taken back; 3 oolongs, a reward line and 5 ordered at today's 4.
    assert (row["top"], row["revenue"]) == ("Report goods", 97)
    assert (row["cost"], row["margin"]) == (16 - 8 + 12 + 4 + 20, 97 - 44)


def test_values_are_sensible(warehouse, made):
    assert all(row["value"] >= 0 for row in whole(warehouse, "Stock value by warehouse"))
    row = row_of(warehouse, "Dead stock", id=made["dead"])
    assert (row["quantity"], row["value"], row["last_sale"]) == (7, 21, None)
    row = row_of(warehouse, "Basket size", branch="Report Counter")
    assert (row["orders"], row["lines"], row["units"], row["amount"]) == (3, 1, 3, 29)
    row = row_of(warehouse, "Promotion effect", channel="pos", currency="USD", with_reward=True)
    assert row["given"] >= 3
    row = row_of(warehouse, "Purchase lead time by vendor", vendor="Report Vendor")
    assert (row["received"], row["percent"]) == (4, 40)
    row = row_of(warehouse, "Tenure by department", department="Report room")
    assert row["with_tenure"] == 1 and row["average"] > 5
    row = row_of(warehouse, "Refund rate by branch", branch="Report Counter")
    assert (row["refunds"], row["percent"]) == (2, Decimal("23.0"))
