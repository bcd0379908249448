"""What the shop is made of, by Odoo's API: branches with their warehouses, tills and drawers, goods with their costs,
vendors, cashiers and customers."""

from .catalogue import BRANCHES, CATEGORIES, PRODUCTS, TAX, VENDORS, todays
from .people import CUSTOMERS

COMPANY = 1


def make(api):
    """The ids of what was made, each list in the order of what it is of."""
    made = of_odoo(api)
    # Lines of an order add up to it, and goods leave the stock when a session is closed.
    api("res.company", "write", [COMPANY], {
        "tax_calculation_rounding_method": "round_per_line", "point_of_sale_update_stock_quantities": "closing"})
    (made["tax"],) = api("account.tax", "create", [{"name": f"Sales tax {TAX} %", "amount": TAX, "type_tax_use": "sale"}])
    return made | goods(api, made["tax"]) | people(api) | branches(api)


def of_odoo(api):
    """What there is in every Odoo."""
    (company,) = api("res.company", "read", [COMPANY], ["currency_id", "resource_calendar_id"])
    (calendar,) = api("resource.calendar", "read", [company["resource_calendar_id"][0]], ["tz"])
    place = lambda usage, company: api("stock.location", "search", [("usage", "=", usage), ("company_id", "=", company)], limit=1)[0]
    methods = api("pos.payment.method", "search_read", [("company_id", "=", COMPANY)], ["type"])
    method = lambda kind: next(method["id"] for method in methods if method["type"] == kind)
    return {
        "currency": company["currency_id"][0], "zone": calendar["tz"], "card": method("bank"), "account": method("pay_later"),
        "vendors_place": place("supplier", False), "customers_place": place("customer", False),
        "counting_place": place("inventory", COMPANY),
    }


def named(rows):
    return [{"name": row.name} for row in rows]


def goods(api, tax):
    categories = api("product.category", "create", named(CATEGORIES))
    shown = api("pos.category", "create", named(CATEGORIES))
    products = api("product.product", "create", [{
        "name": product.name, "default_code": product.sku, "categ_id": categories[product.category],
        "pos_categ_ids": [(6, 0, [shown[product.category]])], "is_storable": True, "available_in_pos": True,
        "list_price": price / 100, "standard_price": cost / 100, "taxes_id": [(6, 0, [tax])],
    } for product in PRODUCTS for price, cost in [todays(product)]])
    return {"products": products, "unit": api("product.product", "read", products[:1], ["uom_id"])[0]["uom_id"][0]}


def people(api):
    return {
        "vendors": api("res.partner", "create", [{"name": vendor.name, "is_company": True} for vendor in VENDORS]),
        "customers": api("res.partner", "create", [
            {"name": known.name, "email": known.email, "city": known.city, "is_company": known.is_company} for known in CUSTOMERS]),
        "cashiers": [api("hr.employee", "create", named(branch.cashiers)) for branch in BRANCHES],
    }


def branches(api):
    warehouses = api("stock.warehouse", "create", [
        {"name": branch.name, "code": branch.code, "company_id": COMPANY} for branch in BRANCHES])
    found = api("stock.warehouse", "read", warehouses, ["lot_stock_id", "in_type_id", "pos_type_id"])
    shelves, in_types, pos_types = ([row[field][0] for row in found] for field in ("lot_stock_id", "in_type_id", "pos_type_id"))
    drawers = api("account.journal", "create", [
        {"name": f"Cash {branch.name}", "type": "cash", "code": f"C{branch.code}"} for branch in BRANCHES])
    cash = api("pos.payment.method", "create", [{"name": "Cash", "journal_id": drawer} for drawer in drawers])
    others = api("pos.payment.method", "search", [("journal_id.type", "!=", "cash"), ("company_id", "=", COMPANY)])
    tills = api("pos.config", "create", [{
        "name": branch.name, "picking_type_id": pos_types[number], "payment_method_ids": [(6, 0, [cash[number], *others])],
        "module_pos_hr": True,
    } for number, branch in enumerate(BRANCHES)])
    return {
        "shelves": shelves, "in_types": in_types, "pos_types": pos_types, "drawers": drawers, "cash": cash, "tills": tills,
        "journals": [till["journal_id"][0] for till in api("pos.config", "read", tills, ["journal_id"])],
    }
