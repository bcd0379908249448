"""Money in one currency: rates, taxes, and amounts in the currency of the company."""

from decimal import Decimal

import psycopg2
import pytest

from .conftest import url
from .test_in_step import Shop

EUROPE, AMERICA = 1, 3
EUR, USD = 125, 2


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "version=19")


def rate(db, *arguments):
    found = db.value(f"SELECT odoo_rate({', '.join(['%s'] * len(arguments))})", *arguments)
    return None if found is None else round(float(found), 12)


#: What is noted in the fake's shop: the company's own rate, however old, before everybody's.
RATES = [
    ("USD", EUROPE, "2024-03-31", 1.1),
    ("USD", EUROPE, "2030-01-01", 1.1),
    ("USD", EUROPE, "2024-03-30", 1.25),
    ("USD", EUROPE, "2023-12-31", None),
    ("EUR", EUROPE, "1999-01-01", 1),
    ("GBP", EUROPE, "2024-03-31", None),
    ("USD", 99, "2024-03-31", None),
    ("USD", AMERICA, "1999-01-01", 1),
    (None, EUROPE, "2024-03-31", None),
    ("USD", None, "2024-03-31", None),
    ("USD", EUROPE, None, None),
]

#: Since 17 a company below another has that one's rates.
OF_THE_OTHER = {
    16: [("2024-03-31", 0.9 / 1.5), ("2024-02-01", None)],
    17: [("2024-03-31", 1 / 1.1), ("2024-02-01", 1 / 1.25), ("2023-12-31", None)],
}


@pytest.mark.parametrize("release", OF_THE_OTHER)
def test_the_rate_of_a_day(db, fake, release):
    db.server(url(fake, f"version={release}"))
    db.run("SELECT * FROM odoo_sync_all()")
    others = [("EUR", AMERICA, day, expected) for day, expected in OF_THE_OTHER[release]]
    for *arguments, expected in RATES + others:
        expected = None if expected is None else round(expected, 12)
        assert rate(db, *arguments) == expected, arguments


def test_rates_follow_odoo(db, shop):
    sync = "SELECT * FROM odoo_sync('currencies')"
    db.run(f"SELECT * FROM odoo_sync('companies'); {sync}")
    shop.write("res.currency.rate", 44, rate=1.2)
    assert db.report(sync)["fact_currency_rates"]["updated"] == 1
    assert rate(db, "USD", EUROPE, "2024-03-31") == 1.2
    del shop.records("res.currency.rate")[44]
    db.run("SELECT * FROM odoo_reconcile('currencies')")
    assert rate(db, "USD", EUROPE, "2024-03-31") == 1.25


def test_a_rate_of_zero_is_none(db, shop):
    shop.write("res.currency.rate", 44, rate=0.0)
    db.run("SELECT * FROM odoo_sync('companies'); SELECT * FROM odoo_sync('currencies')")
    assert rate(db, "USD", EUROPE, "2024-03-31") is None
    assert db.run("SELECT rate, inverse FROM fact_currency_rates WHERE id = 44") == [(0, None)]


def test_rates_are_read_with_the_rights_of_the_caller(db, shop):
    clerk = f"clerk_{db.name}"
    db.run("SELECT * FROM odoo_sync('companies'); SELECT * FROM odoo_sync('currencies')")
    db.run(f"CREATE ROLE {clerk}; GRANT USAGE ON FOREIGN SERVER erp TO {clerk}; SET ROLE {clerk}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for table"):
        rate(db, "USD", EUROPE, "2024-03-31")
    db.run(f"RESET ROLE; GRANT SELECT ON dim_companies, fact_currency_rates TO {clerk}; SET ROLE {clerk}")
    # No user mapping is needed: Odoo is not asked.
    assert rate(db, "USD", EUROPE, "2024-03-31") == 1.1
    db.run(f"RESET ROLE; DROP OWNED BY {clerk}; DROP ROLE {clerk}")


def test_rates_that_were_never_loaded_are_named(db, shop):
    db.run("SELECT * FROM odoo_sync('companies'); DROP TABLE fact_currency_rates")
    with pytest.raises(psycopg2.errors.UndefinedTable, match="fact_currency_rates") as raised:
        rate(db, "USD", EUROPE, "2024-03-31")
    assert raised.value.diag.message_hint == "SELECT * FROM odoo_sync('currencies');"


def test_rates_are_those_of_the_servers_schema(db, fake):
    db.server(url(fake, "version=19"), name="one", schema="Shop one")
    db.server(url(fake, "version=19"), name="two", schema="two")
    for server in ("one", "two"):
        db.run(f"SELECT * FROM odoo_sync('companies', '{server}'); SELECT * FROM odoo_sync('currencies', '{server}')")
    db.run("UPDATE two.fact_currency_rates SET rate = 2 WHERE id = 44")
    assert rate(db, "USD", EUROPE, "2024-03-31", "one") == 1.1
    assert rate(db, "USD", EUROPE, "2024-03-31", "two") == 2
    with pytest.raises(psycopg2.errors.AmbiguousParameter):
        rate(db, "USD", EUROPE, "2024-03-31")


def let_time_pass(shop):
    """What has not changed since lies behind the overlap, and is not read again."""
    for model, id in (("sale.order", 71), ("sale.order.line", 81), ("pos.order", 71), ("pos.order.line", 81)):
        shop.write(model, id, "2024-09-01 00:00:00")


AMOUNTS = "SELECT amount_total_company, amount_untaxed_company FROM all_sales WHERE channel = 'sale' AND id = 77"
LINE = "SELECT subtotal_company, total_company FROM fact_sales_lines WHERE channel = 'sale' AND id = 88"


def amounts(db, sql):
    return [tuple(None if value is None else float(value) for value in row) for row in db.run(sql)]


def test_amounts_are_divided_by_the_rate_that_odoo_noted(db, shop):
    sync = "SELECT * FROM odoo_sync('sales')"
    db.run(sync)
    assert amounts(db, AMOUNTS) == [(10.5, 10)] and amounts(db, LINE) == [(10, 10.5)]
    shop.write("sale.order", 77, currency_rate=0.5)
    db.run(sync)
    # The line follows its order, though it has not changed itself.
    assert amounts(db, AMOUNTS) == [(16.8, 16)] and amounts(db, LINE) == [(16, 16.8)]


@pytest.mark.parametrize("currency, noted", [
    # Odoo had no rate, and noted 1.
    (EUR, 1.0),
    # The company's currency was another one then.
    (USD, 0.8),
    (EUR, 0.0),
])
def test_a_rate_that_says_nothing_makes_no_amount(db, shop, currency, noted):
    shop.write("sale.order", 77, currency_id=currency, currency_rate=noted)
    db.run("SELECT * FROM odoo_sync('sales')")
    assert amounts(db, AMOUNTS) == [(None, None)] == amounts(db, LINE)
    assert db.value("SELECT currency_rate FROM all_sales WHERE channel = 'sale' AND id = 77") == Decimal(str(noted))


@pytest.mark.parametrize("release", [16, 19])
def test_a_company_whose_currency_changed_has_no_wrong_amounts(db, fake, release):
    shop = Shop(db, fake, f"version={release}")
    sync, everything = "SELECT * FROM odoo_sync('sales')", "SELECT * FROM odoo_sync('sales', full_refresh => true)"
    let_time_pass(shop)
    db.run(sync)
    shop.write("res.company", AMERICA, currency_id=EUR)
    db.run(sync)
    # The rows say in which currency they are.
    label = "SELECT company_currency FROM all_sales WHERE channel = 'sale' AND id = 77"
    assert amounts(db, AMOUNTS) == [(10.5, 10)] and db.value(label) == "USD"
    # Odoo still has the rate to the other currency.
    db.run(everything)
    assert amounts(db, AMOUNTS) == [(None, None)] and db.value(label) == "EUR"
    assert db.value("SELECT amount_total_company FROM all_sales WHERE channel = 'pos' AND id = 76") is None


def test_lines_get_what_their_orders_could_not_show(db, shop):
    """The order is read again when Odoo gives the currency's name; the line has not changed."""
    sync = "SELECT * FROM odoo_sync('sales')"
    shop.behaviour.database.denied = "res.currency"
    let_time_pass(shop)
    db.run(sync)
    assert amounts(db, AMOUNTS) == [(None, None)] == amounts(db, LINE)
    shop.behaviour.database.denied = None
    db.run(sync)
    assert amounts(db, AMOUNTS) == [(10.5, 10)] and amounts(db, LINE) == [(10, 10.5)]
    assert db.value("SELECT count(*) FROM fact_sales_lines WHERE currency IS NULL OR company_currency IS NULL") == 0


@pytest.mark.parametrize("heal", ["SELECT * FROM odoo_sync('sales', full_refresh => true)", "SELECT * FROM odoo_reconcile('sales')"])
def test_lines_follow_an_order_that_was_found_late(db, shop, heal):
    """Its change lies behind the overlap."""
    let_time_pass(shop)
    db.run("SELECT * FROM odoo_sync('sales')")
    shop.write("sale.order", 77, "2024-06-01 00:00:00", currency_rate=0.5, date_order="2024-01-02 02:00:00")
    db.run("SELECT * FROM odoo_sync('sales')")
    assert amounts(db, LINE) == [(10, 10.5)]
    db.run(heal)
    assert amounts(db, LINE) == [(16, 16.8)]
    assert db.value("SELECT business_date FROM fact_sales_lines WHERE channel = 'sale' AND id = 88").isoformat() == "2024-01-01"


def test_without_a_right_to_taxes_everything_else_is_loaded(db, shop):
    shop.behaviour.database.denied = "account.tax"
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert report["dim_taxes"]["status"] == "denied"
    assert report["fact_sales_lines"]["fetched"] == 6 and report["fact_purchases"]["fetched"] == 1
    assert db.value("SELECT count(tax_ids) FROM fact_sales_lines") == 0
    shop.behaviour.database.denied = None
    db.run("DELETE FROM odoo_etl.cache")
    db.run("SELECT * FROM odoo_sync_all()")
    assert db.value("SELECT tax_ids FROM fact_sales_lines WHERE channel = 'pos' AND id = 81") == [3, 5]
    assert db.value("SELECT count(*) FROM dim_taxes") == 4


@pytest.mark.parametrize("model, table", [("res.currency.rate", "fact_currency_rates"), ("account.tax", "dim_taxes")])
def test_a_model_that_is_not_there_is_an_empty_table(db, fake, model, table):
    db.server(url(fake, f"version=19/without={model}"))
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert report[table]["status"] == "absent"
    assert {row["status"] for name, row in report.items()} <= {"ok", "absent"}


def test_a_setting_of_the_company_reaches_its_taxes(db, shop):
    """Since 18 Odoo computes whether prices include a tax; the tax is not dated anew."""
    sync = "SELECT * FROM odoo_sync('taxes')"
    db.run(sync)
    shop.records("account.tax")[8]["price_include"] = True
    assert db.report(sync)["dim_taxes"]["updated"] == 1
    assert db.value("SELECT price_include FROM dim_taxes WHERE id = 8")


def test_a_user_who_becomes_an_employee_is_told_so_by_the_employee(db, shop):
    sync = "SELECT * FROM odoo_sync('employees')"
    db.run(sync)
    assert db.value("SELECT employee_id FROM dim_users WHERE id = 2") is None
    shop.records("res.users")[2].update(employee_id={EUROPE: 21}, employee_ids=[21])
    shop.write("hr.employee", 21, user_id=2)
    db.run(sync)
    assert db.value("SELECT employee_id FROM dim_users WHERE id = 2") == 21
    assert db.value("SELECT user_id FROM dim_employees WHERE id = 21") == 2
