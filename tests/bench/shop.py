"""A large shop: orders of two points of sale, six lines each. What Odoo says of each record, and
what the warehouse is to hold, follow from its number."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LINES_PER_ORDER = 6
#: Ids of the small records that orders and lines refer to.
PRODUCTS, CUSTOMERS = range(1001, 1501), range(2001, 4001)
#: Company, currency, point of sale, session, time zone: as in the fake's shop.
BRANCHES = ((1, 125, 2, 51, ZoneInfo("Europe/Paris")), (3, 2, 5, 52, ZoneInfo("America/New_York")))
CURRENCIES = {125: "EUR", 2: "USD"}
UNITS = ((1, "Units"), (12, "kg"))
REWARD, PROGRAM, SALE_LINE, TAX = 11, 2, 81, 3
UTC = ZoneInfo("UTC")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=1)


def order_of(line):
    return (line - 1) // LINES_PER_ORDER + 1


def lines_of(order):
    first = (order - 1) * LINES_PER_ORDER + 1
    return range(first, first + LINES_PER_ORDER)


def ordered_at(order):
    return BEGIN + order * STEP


def first_since(time):
    """The first order that changed at a time or later; they change in the order of their ids."""
    return max(1, -((BEGIN - datetime.fromisoformat(time).replace(tzinfo=UTC)) // STEP))


def written_at(order):
    """As Odoo writes it."""
    return ordered_at(order).strftime("%Y-%m-%d %H:%M:%S")


def branch(order):
    return BRANCHES[order % 3 == 0]


def order(id):
    company, currency, config, session, _ = branch(id)
    return {
        "id": id,
        "write_date": written_at(id),
        "name": f"Shop/{id:06}",
        "pos_reference": f"Order {id:06}",
        "date_order": written_at(id),
        "state": "paid",
        "company_id": company,
        "currency_id": currency,
        "currency_rate": 1.0,
        "config_id": config,
        "session_id": session,
        "user_id": 2,
        "employee_id": 20,
        "partner_id": CUSTOMERS[id % len(CUSTOMERS)],
        "crm_team_id": 5,
        "amount_total": 100 + id % 1000 / 4,
        "amount_tax": 10 + id % 100 / 4,
        "amount_paid": 100 + id % 1000 / 4,
        "amount_return": 0.0,
        "lines": list(lines_of(id)),
    }


def line(id):
    # Every fiftieth is a refund, as the till of Odoo 19 sends it: only its quantity is negative.
    refunds = id - 7 if id % 50 == 0 else False
    quantity = -1.0 if refunds else float(1 + id % 5)
    price = (100 + id * 7919 % 9000) / 100
    discount = 10.0 if id % 4 == 0 else 0.0
    subtotal = round(abs(quantity) * price * (1 - discount / 100), 2)
    is_reward = id % 40 == 0
    return {
        "id": id,
        "write_date": written_at(order_of(id)),
        "order_id": order_of(id),
        "product_id": PRODUCTS[id * 31 % len(PRODUCTS)],
        "product_uom_id": UNITS[id % 2][0],
        "qty": quantity,
        "price_unit": price,
        "discount": discount,
        "price_subtotal": subtotal,
        "price_subtotal_incl": round(subtotal * 1.2, 2),
        "total_cost": round(quantity * price * 0.4, 2),
        "is_total_cost_computed": id % 97 != 0,
        "tax_ids": [TAX],
        "refunded_orderline_id": refunds,
        "is_reward_line": is_reward,
        "reward_id": REWARD if is_reward else False,
        "sale_order_line_id": SALE_LINE if id % 100 == 1 else False,
    }


def row(id):
    """The line as fact_sales_lines is to show it: what is not generated there, by column."""
    record, time = line(id), ordered_at(order_of(id))
    _, currency, config, _, zone = branch(record["order_id"])
    sign = -1 if record["qty"] < 0 else 1
    is_reward = record["is_reward_line"]
    return {
        "channel": "pos",
        "id": id,
        "order_id": record["order_id"],
        "business_date": time.astimezone(zone).date(),
        "hour": time.astimezone(zone).hour,
        "branch_id": config,
        "product_id": record["product_id"],
        "promotion_id": PROGRAM if is_reward else None,
        "quantity": record["qty"],
        "uom": UNITS[id % 2][1],
        "price_unit": record["price_unit"],
        "discount_percent": record["discount"],
        "subtotal": sign * record["price_subtotal"],
        "total": sign * record["price_subtotal_incl"],
        "cost": record["total_cost"] if record["is_total_cost_computed"] else None,
        "tax_ids": record["tax_ids"],
        "currency": CURRENCIES[currency],
        "currency_rate": 1.0,
        "company_currency": CURRENCIES[currency],
        "refunded_line_id": record["refunded_orderline_id"] or None,
        "is_reward": is_reward,
        "settles_line_id": record["sale_order_line_id"] or None,
        "odoo_write_date": time,
    }


def products():
    """Variants of one template, by id."""
    return {id: dict(id=id, active=True, product_tmpl_id=40, default_code=f"P{id}") for id in PRODUCTS}


def customers():
    return {id: dict(id=id, name=f"Customer {id}", active=True) for id in CUSTOMERS}
