"""odoo_dashboard: one page that asks nothing of anywhere, whose numbers are those of the reports, and in which text from
Odoo is never markup."""

import base64
import hashlib
import json
import re
from decimal import Decimal

import psycopg2
import pytest

from .conftest import url
from .test_reports import filled, made  # noqa: F401

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\u2028\"'"
SECTIONS = ["sales", "hours", "margin", "tenders", "stock_outs", "cash", "sync"]


def page(db, *args):
    return db.value(f"SELECT odoo_dashboard({', '.join(['%s'] * len(args))})", *args)


def data_of(html):
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert len(found) == 1
    return json.loads(found[0], parse_float=Decimal)


def test_one_page_that_asks_nothing_of_anywhere(made):
    html = page(made)
    assert html.startswith("<!DOCTYPE html>") and len(html.encode()) < 150_000
    assert re.findall(r"\b(?:src|href|url|action)\s*[=(]", html) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "{{" not in html and list(data_of(html)["sections"]) == SECTIONS


def test_its_numbers_are_those_of_the_reports(made):
    sections = data_of(page(made))["sections"]

    def total(name, key):
        return sum(row[key] or 0 for row in sections[name]["rows"])

    assert total("sales", "amount") == made.value("SELECT sum(amount - settled) FROM reports.sales_by_day "
                                                  "WHERE business_date > current_date - 370")
    assert total("sales", "orders") == made.value("SELECT sum(orders) FROM reports.sales_by_day WHERE business_date > current_date - 370")
    assert total("hours", "orders") == made.value("SELECT sum(orders) FROM reports.sales_by_hour")
    assert total("tenders", "amount") == made.value("SELECT sum(amount) FROM reports.tender_mix")
    assert total("margin", "revenue") == made.value("SELECT sum(revenue) FROM reports.margin_by_category WHERE month > current_date - 365")
    assert total("cash", "difference") == made.value("SELECT sum(difference) FROM reports.cash_differences")
    assert sections["stock_outs"]["count"] == len(sections["stock_outs"]["rows"]) == made.value("SELECT count(*) FROM reports.stock_outs") > 0


@pytest.mark.parametrize("since, period, unit", [
    ("20 days", None, "day"), ("400 days", None, "week"), ("900 days", None, "month"), ("900 days", "day", "day"), ("20 days", "month", "month")])
def test_periods_by_how_long_there_are_sales(made, since, period, unit):
    made.run("DELETE FROM all_sales WHERE business_date < current_date; INSERT INTO all_sales (channel, id, business_date, branch_id, state, "
             "amount_total, amount_untaxed, currency) VALUES ('pos', 99, current_date - %s::interval, 1, 'paid', 1, 1, 'EUR')", since)
    sales = data_of(page(made, "reports", period))["sections"]["sales"]
    assert sales["unit"] == unit
    starts = {row["start"] for row in sales["rows"]}
    assert starts and all(made.value("SELECT date_trunc(%s, %s::timestamp)::date = %s::date", unit, start, start) for start in starts)


def test_of_many_branches_the_others_are_one(made):
    made.run("INSERT INTO dim_branches SELECT i, 'Branch ' || i, 'UTC', 1 FROM generate_series(10, 40) AS i;"
             "INSERT INTO all_sales (channel, id, business_date, branch_id, state, amount_total, amount_untaxed, currency) "
             "SELECT 'pos', 100 + i, current_date, i, 'paid', 100 * i, 100 * i, 'EUR' FROM generate_series(10, 40) AS i")
    rows = [row for row in data_of(page(made))["sections"]["sales"]["rows"] if row["currency"] == "EUR"]
    assert sum(row["kind"] == "branch" for row in rows) == 8 and sum(row["kind"] == "other branches" for row in rows) == 1
    assert sum(row["amount"] for row in rows) == made.value("SELECT sum(amount - settled) FROM reports.sales_by_day WHERE currency = 'EUR' "
                                                            "AND business_date > current_date - 370")


def test_text_from_odoo_is_never_markup(made):
    made.run("UPDATE dim_products SET name = %s; UPDATE dim_branches SET name = %s; UPDATE dim_payment_methods SET name = %s", *[HOSTILE] * 3)
    html = page(made)
    assert html.count("<script") == 2 and "<img" not in html and "\u2028" not in html
    assert {row["product"] for row in data_of(html)["sections"]["stock_outs"]["rows"]} == {HOSTILE}


def test_what_is_missing_is_said(made):
    made.run("DROP VIEW reports.tender_mix")
    sections = data_of(page(made))["sections"]
    assert 'tender_mix" does not exist' in sections["tenders"]["missing"] and "rows" in sections["sales"]
    with pytest.raises(psycopg2.errors.InvalidSchemaName, match='schema "nowhere" does not exist') as raised:
        page(made, "nowhere")
    assert "odoo_create_reports('nowhere')" in raised.value.diag.message_hint
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='"year" is no period'):
        page(made, "reports", "year")


def test_an_empty_warehouse(made):
    made.run("TRUNCATE all_sales, fact_sales_lines, fact_stock, fact_payments, fact_sessions, dim_branches, dim_products")
    sections = data_of(page(made))["sections"]
    assert {name: section["rows"] for name, section in sections.items() if name != "sync"} == {name: [] for name in SECTIONS if name != "sync"}


def test_as_the_callers_rights_allow(made):
    """One who may read half of it sees half of it."""
    reader = f"reader_{made.name}"
    made.run(f"CREATE ROLE {reader}; GRANT USAGE ON SCHEMA reports, hand TO {reader}; GRANT USAGE ON FOREIGN SERVER erp TO {reader};"
             f"GRANT SELECT ON ALL TABLES IN SCHEMA reports TO {reader}; GRANT SELECT ON all_sales, fact_sales_lines, dim_branches, dim_promotions, dim_products TO {reader}; SET ROLE {reader}")
    try:
        sections = data_of(page(made))["sections"]
        assert sections["sales"]["rows"] and "permission denied for table fact_payments" in sections["tenders"]["missing"]
    finally:
        made.run(f"RESET ROLE; DROP OWNED BY {reader}; DROP ROLE {reader}")


def test_how_the_tables_are(filled):
    filled.run("SELECT odoo_create_reports()")
    rows = {row["target"]: row for row in data_of(page(filled))["sections"]["sync"]["rows"]}
    assert rows["all_sales"]["state"] == "idle" and rows["dim_brands"]["state"] == "absent"
    assert len(rows) == filled.value("SELECT count(*) FROM odoo_sync_status")


def test_names_with_quotes(db, fake):
    db.server(url(fake, "version=19"), name='"Ma""ga\'s"', schema='lo"ja\'\'s')
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("SELECT odoo_create_reports('re\"po''rts')")
    html = page(db, 're"po\'rts')
    sections = data_of(html)["sections"]
    assert not [name for name, section in sections.items() if "missing" in section]
    assert sections["sales"]["rows"] and sections["sync"]["rows"]
    assert "<title>Ma&quot;ga's — Odoo</title>" in html
