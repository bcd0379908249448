"""A large shop: orders of ten points of sale, six lines and a payment each. What Odoo says of each record, and what
the warehouse is to hold, follow from its number; but for a few fields it comes again every PERIOD orders."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

LINES_PER_ORDER = 6
PERIOD = 7_500
#: Ids of the small records that orders and lines refer to.
PRODUCTS, CUSTOMERS = range(1001, 6001), range(10001, 12501)
CATEGORIES, TEMPLATES = range(101, 121), range(201, 221)
#: Company, currency, session, methods of payment, time zone: as in the fake's shop.
EUROPE = (1, 125, 51, (2, 4), ZoneInfo("Europe/Paris"))
AMERICA = (3, 2, 52, (8, 11), ZoneInfo("America/New_York"))
#: By the last digit of an order's number: its point of sale, and where that is. The first of each are the fake's.
BRANCHES = [(2, EUROPE), (5, AMERICA), *((100 + n, AMERICA if n % 3 == 0 else EUROPE) for n in range(2, 10))]
CURRENCIES = {125: "EUR", 2: "USD"}
UNITS = ((1, "Units"), (12, "kg"))
REWARD, PROGRAM, SALE_LINE, TAX = 11, 2, 81, 3
UTC = ZoneInfo("UTC")
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
#: 57,600 lines a day: 100,000,000 are of nearly five years.
STEP = timedelta(seconds=9)
A_DAY = timedelta(days=1) // STEP


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


@cache
def day(number):
    return str(ordered_at(number * A_DAY).date())


TIMES = [f" {ordered_at(order):%H:%M:%S}" for order in range(A_DAY)]


def written_at(order):
    """As Odoo writes it."""
    return day(order // A_DAY) + TIMES[order % A_DAY]


def refunded_by(line):
    # Every fiftieth is a refund.
    return line - 7 if line % 50 == 0 else False


def order(id):
    config, (company, currency, session, _, _) = BRANCHES[id % 10]
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
        "amount_total": paid(id),
        "amount_tax": 10 + id % 100 / 4,
        "amount_paid": paid(id),
        "amount_return": 0.0,
        "lines": list(lines_of(id)),
    }


def paid(order):
    return 100 + order % 500 / 4


def line(id):
    refunds = refunded_by(id)
    # The till of Odoo 19 sends a refund so that only its quantity is negative.
    quantity = -1.0 if refunds else float(1 + id % 5)
    price = (10 + id * 7919 % 900) / 10
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
        "is_total_cost_computed": id % 90 != 0,
        "tax_ids": [TAX],
        "refunded_orderline_id": refunds,
        "is_reward_line": is_reward,
        "reward_id": REWARD if is_reward else False,
        "sale_order_line_id": SALE_LINE if id % 100 == 1 else False,
    }


def payment(id):
    """That of the order with the same id."""
    _, (company, currency, session, methods, _) = BRANCHES[id % 10]
    return {
        "id": id,
        "write_date": written_at(id),
        "pos_order_id": id,
        "session_id": session,
        "payment_method_id": methods[id % 3 == 0],
        "amount": paid(id),
        "currency_id": currency,
        "company_id": company,
        "payment_date": written_at(id),
    }


def order_moves(ids, last_written=written_at):
    """What does not come again of some orders, as columns."""
    return {"id": ids, "write_date": [*map(last_written, ids)], "date_order": [*map(written_at, ids)],
            "name": [f"Shop/{id:06}" for id in ids], "pos_reference": [f"Order {id:06}" for id in ids],
            "lines": [*map(lines_of, ids)]}


def line_moves(ids, last_written=written_at):
    orders = [*map(order_of, ids)]
    written = {order: last_written(order) for order in {*orders}}
    return {"id": ids, "order_id": orders, "write_date": [written[order] for order in orders],
            "refunded_orderline_id": [*map(refunded_by, ids)]}


def payment_moves(ids, last_written=written_at):
    return {"id": ids, "pos_order_id": ids, "write_date": [*map(last_written, ids)], "payment_date": [*map(written_at, ids)]}


#: By model: a record, what does not come again of some, and which are of an order.
LARGE = {
    "pos.order": (order, order_moves, lambda order: range(order, order + 1)),
    "pos.order.line": (line, line_moves, lines_of),
    "pos.payment": (payment, payment_moves, lambda order: range(order, order + 1)),
}


def row(id):
    """The line as fact_sales_lines is to show it: what is not generated there, by column."""
    record, time = line(id), ordered_at(order_of(id))
    config, (_, currency, _, _, zone) = BRANCHES[record["order_id"] % 10]
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


def add_small_records(models):
    """Adds what the orders refer to, by model, to what the fake has."""
    configs = models["pos.config"].records
    for config, (company, *_) in BRANCHES:
        first = next(one for one in configs.values() if one["company_id"] == company)
        configs.setdefault(config, {**first, "id": config, "name": f"Branch {config}"})
    categories, templates = (models[name].records for name in ("product.category", "product.template"))
    tea = templates[40]
    for category, template in zip(CATEGORIES, TEMPLATES):
        name = f"Category {category}"
        categories[category] = dict(id=category, name=name, complete_name=f"All / {name}", parent_id=1)
        templates[template] = {**tea, "id": template, "name": f"Of category {category}", "categ_id": category}
    models["product.product"].records.update(
        {id: dict(id=id, active=True, product_tmpl_id=TEMPLATES[id % len(TEMPLATES)], default_code=f"P{id}") for id in PRODUCTS})
    models["res.partner"].records.update({id: dict(id=id, name=f"Customer {id}", active=True) for id in CUSTOMERS})
