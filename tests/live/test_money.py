"""Rates, and amounts in the currency of the company, as the real Odoo 19 has them in its own reports."""

from datetime import date

import pytest

from . import shop as shop_data
from .conftest import differences

TABLES = ["all_sales", "fact_sales_lines", "fact_purchases", "fact_currency_rates", "dim_taxes"]


@pytest.fixture(scope="module")
def made(api):
    return shop_data.euros(api, shop_data.furnish(api))


@pytest.fixture(scope="module")
def warehouse(made, star_database, real):
    star_database.server(real.url)
    star_database.first = star_database.report("SELECT * FROM odoo_sync_all()")
    return star_database


def test_orders_in_another_currency_agree(warehouse, truth, table):
    assert differences(warehouse, truth, table) == []


def company_amounts(warehouse, channel, order):
    return warehouse.run(
        "SELECT o.currency, o.currency_rate, o.company_currency, round(o.amount_total_company, 2), "
        "round(o.amount_untaxed_company, 2), round(sum(l.total_company), 2), round(sum(l.subtotal_company), 2) "
        "FROM all_sales o JOIN fact_sales_lines l ON (l.channel, l.order_id) = (o.channel, o.id) "
        "WHERE o.channel = %s AND o.id = %s GROUP BY o.channel, o.id", channel, order)[0]


def test_the_tills_amounts_are_those_of_odoos_report(warehouse, api, made):
    """As Point of Sale > Reporting > Orders shows them."""
    rows = api("report.pos.order", "search_read", [("order_id", "=", made["euro_order"])],
               ["price_total", "price_subtotal_excl"])
    total, subtotal = (round(sum(row[name] for row in rows), 2) for name in ("price_total", "price_subtotal_excl"))
    found = company_amounts(warehouse, "pos", made["euro_order"])
    assert found[:3] == ("EUR", 1.25, "USD")
    assert [float(amount) for amount in found[3:]] == [total, subtotal, total, subtotal] == [9.6, 8, 9.6, 8]


@pytest.mark.parametrize("channel, model, order", [("sale", "sale.order", "euro_sale"), ("pos", "pos.order", "euro_order")])
def test_amounts_are_those_of_odoos_sales_report(warehouse, api, made, channel, model, order):
    """As Sales > Reporting > Sales shows them, of both channels."""
    rows = api("sale.report", "search_read", [("order_reference", "=", f"{model},{made[order]}")],
               ["price_total", "price_subtotal"])
    total, subtotal = (round(sum(row[name] for row in rows), 2) for name in ("price_total", "price_subtotal"))
    found = company_amounts(warehouse, channel, made[order])
    assert total and found[:3] == ("EUR", 1.25, "USD")
    assert [float(amount) for amount in found[3:]] == [total, subtotal, total, subtotal]


def test_a_purchases_amount_is_that_of_odoos_report(warehouse, api, made):
    rows = api("purchase.report", "search_read", [("order_id", "=", made["euro_purchase"])], ["untaxed_total"])
    expected = round(sum(row["untaxed_total"] for row in rows), 2)
    found = warehouse.run("SELECT currency, round(sum(subtotal_company), 2), min(origin) FROM fact_purchases "
                          "WHERE order_id = %s GROUP BY currency", made["euro_purchase"])
    assert [(currency, float(amount), origin) for currency, amount, origin in found] == [("EUR", expected, "By hand")]
    assert expected == 56


#: Whether anybody noted a rate until a day.
NOTED = """SELECT EXISTS (SELECT FROM fact_currency_rates
    WHERE currency = %s AND day <= %s AND coalesce(company_id, %s) = %s)"""


def test_rates_are_those_that_odoo_would_note(warehouse, api, made):
    """Odoo takes 1, or a later rate, where it has none until the day."""
    codes = {row["name"]: row["id"] for row in api(
        "res.currency", "search_read", [("name", "in", ("EUR", "USD", "GBP", "IDR", "CHF", "ZIG"))], ["name"],
        context={"active_test": False})}
    compared = 0
    for company in (1, made["company"]):
        for day in (date(2009, 6, 1), date(2010, 1, 1), date(2024, 1, 14), date(2024, 2, 10), date(2026, 1, 1)):
            context = {"allowed_company_ids": [company], "date": day.isoformat(), "active_test": False}
            for row in api("res.currency", "read", list(codes.values()), ["name", "rate"], context=context):
                found = warehouse.value("SELECT odoo_rate(%s, %s, %s)", row["name"], company, day)
                if found is not None:
                    compared += 1
                    assert float(found) == pytest.approx(row["rate"], rel=1e-12), (company, day, row)
                else:
                    assert not all(warehouse.value(NOTED, name, day, company, company) for name in (
                        row["name"], warehouse.value("SELECT currency FROM dim_companies WHERE id = %s", company)))
    assert compared > 25
