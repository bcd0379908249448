"""The page of odoo_dashboard in a browser: what it draws is what SQL says, on screens of all sizes, in the dark, by
keyboard, in other languages' numbers, and whatever the text is."""

import re
import shutil
from decimal import Decimal

import pytest
from playwright.sync_api import sync_playwright

from .test_dashboard import HOSTILE, data_of, page
from .test_reports import made  # noqa: F401

SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
#: Right to left, emoji, quotes, and what never ends.
TEXTS = ["قهوة عربية", "☕ \U0001f469‍\U0001f469‍\U0001f467 x", "O'Neill \"Tea\" \\ & Co", "W" * 300]


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "There is no Chromium: make deps installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Opens a page from a file. Whatever it complains of, or asks the network for, fails the test."""
    wrong, contexts = [], []

    def show(html, size="desktop", **options):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        opened = context.new_page()
        file = tmp_path / "shop.html"
        file.write_text(html)
        opened.on("console", lambda message: wrong.append(message.text))
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        opened.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        opened.goto(file.as_uri())
        return opened

    yield show
    for context in contexts:
        context.close()
    assert wrong == []


def number(text):
    return Decimal(re.sub(r"[^\d.\-]", "", text.replace("−", "-")))


def numbers(opened, section):
    """The rows of the table of a section, as texts by column."""
    found = opened.locator(f"#s-{section} table")
    titles = found.locator("thead th").all_text_contents()
    return [dict(zip(titles, row.locator("td").all_text_contents())) for row in found.locator("tbody tr").all()]


def choose(opened, **choices):
    for name, label in choices.items():
        opened.locator(f"#{name}").select_option(label=label)


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_it_shows_what_sql_says(made, show, currency):
    opened = show(page(made))
    choose(opened, currency=currency)

    def sql(query):
        return made.run(query, currency)

    amount, orders = sql("SELECT sum(amount - settled), sum(orders) FROM reports.sales_by_day WHERE currency = %s AND business_date > current_date - 365")[0]
    figures = dict(zip(opened.locator("#s-sales dt").all_text_contents(), opened.locator("#s-sales dd").all_text_contents()))
    assert number(figures["Amount"]) == amount and number(figures["Orders"]) == orders
    assert number(figures["Of an order"]) == round(amount / orders, 2)
    assert sum(number(row["Amount"]) for row in numbers(opened, "sales")) == amount
    assert {row["Hour"]: number(row["Orders"]) for row in numbers(opened, "hours") if row["Orders"] != "0"} == dict(
        sql("SELECT coalesce(hour::text, 'unknown'), sum(orders) FROM reports.sales_by_hour WHERE currency = %s AND business_date > current_date - 90 GROUP BY 1"))
    assert {row["Payment method"]: (number(row["Payments"]), number(row["Amount"])) for row in numbers(opened, "tenders")} == {
        name: (payments, amount) for name, payments, amount in
        sql("SELECT payment_method, sum(payments), sum(amount) FROM reports.tender_mix WHERE currency = %s GROUP BY 1")}
    assert {row["Category"]: (number(row["Revenue"]), number(row["Margin"])) for row in numbers(opened, "margin")} == {
        top or "No category": (revenue, margin) for top, revenue, margin in
        sql("SELECT top, sum(revenue), sum(margin) FROM reports.margin_by_category WHERE currency = %s AND month > current_date - 365 GROUP BY 1")}
    assert sum(number(row["Difference"]) for row in numbers(opened, "cash")) == sql(
        "SELECT sum(difference) FROM reports.cash_differences WHERE currency = %s")[0][0]
    assert {(row["Product"], number(row["On hand"])) for row in numbers(opened, "stock_outs")} == set(
        made.run("SELECT product, on_hand FROM reports.stock_outs"))


def test_bars_are_as_long_as_their_numbers(made, show):
    made.run("INSERT INTO fact_payments VALUES (1, 1, 400, 'EUR', false, 1, current_date)")
    opened = show(page(made))
    choose(opened, currency="EUR")
    widths = [float(bar.get_attribute("width")) for bar in opened.locator("#s-tenders rect").all()]
    amounts = [number(row["Amount"]) for row in numbers(opened, "tenders")]
    assert len(widths) == len(amounts) == 2 and abs(widths[0] / widths[1] - float(amounts[0] / amounts[1])) < 0.01
    heights = [float(bar.get_attribute("height")) for bar in opened.locator("#s-hours rect").all()]
    orders = [number(row["Orders"]) for row in numbers(opened, "hours") if row["Orders"] != "0" and row["Hour"] != "unknown"]
    assert [round(height / heights[0], 2) for height in heights] == [round(float(count / orders[0]), 2) for count in orders]
    assert opened.locator("#s-tenders rect title").first.text_content().startswith("Cash: ")


def test_one_branch(made, show):
    made.run("INSERT INTO dim_branches VALUES (2, 'Lyon', 'Europe/Paris', 1); INSERT INTO all_sales (channel, id, business_date, "
             "ordered_at, branch_id, state, amount_total, amount_untaxed, currency) VALUES ('pos', 9, current_date, now(), 2, 'paid', 77, 70, 'EUR')")
    opened = show(page(made))
    choose(opened, currency="EUR", branch="Lyon")
    assert [(row["Branch"], number(row["Amount"])) for row in numbers(opened, "sales")] == [("Lyon", 77)]
    assert numbers(opened, "tenders") == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable(made, show, size, scheme):
    for number_, text in enumerate(TEXTS):
        made.run("INSERT INTO dim_products VALUES (%s, %s, %s, 'Units', 2, 4, 10, true, true, true, NULL, 1)", 100 + number_, text, text)
        made.run("INSERT INTO fact_stock VALUES (%s, 1, 1, 0, 0, 4, NULL, now(), 'EUR', 1)", 100 + number_)
        made.run("INSERT INTO fact_sales_lines (channel, id, order_id, product_id, quantity, uom, subtotal, total, subtotal_company) "
                 "VALUES ('pos', %s, 1, %s, 1, 'Units', 1, 1, 1)", 100 + number_, 100 + number_)
    made.run("UPDATE dim_branches SET name = %s", TEXTS[3])
    opened = show(page(made), size, color_scheme=scheme)
    # Nothing hangs over the edge.
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert {row["Product"] for row in numbers(opened, "stock_outs")} >= set(TEXTS)
    contrast = opened.evaluate("""() => {
        const light = (text) => {
            const parts = text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const card = light(getComputedStyle(document.querySelector("section")).backgroundColor);
        return ["h2", "section > p", "td", "th", "caption", ".bad", "svg text"].map((selector) => {
            const style = getComputedStyle(document.querySelector(selector));
            const text = light(selector === "svg text" ? style.fill : style.color);
            return (Math.max(card, text) + 0.05) / (Math.min(card, text) + 0.05);
        });
    }""")
    assert min(contrast) >= 4.5


def test_by_keyboard_and_screen_reader(made, show):
    opened = show(page(made))
    names = []
    for _ in range(4):
        opened.keyboard.press("Tab")
        names.append(opened.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert names[:3] == ["currency", "branch", "SUMMARY"]
    opened.locator("#s-sales summary").focus()
    assert not opened.locator("#s-sales table").is_visible()
    opened.keyboard.press("Enter")
    assert opened.locator("#s-sales table").is_visible()
    for section in opened.locator("section").all():
        heading = section.get_attribute("aria-labelledby")
        assert section.locator(f"#{heading}").count() == 1
    assert opened.locator("svg[role=img]").count() >= 4
    assert opened.locator("svg[role=img]:not([aria-label])").count() == opened.locator("table:not(:has(caption))").count() == 0
    assert opened.locator("thead th:not([scope=col])").count() == 0
    # A chart has its numbers behind it.
    assert all(section.locator("table").count() for section in opened.locator("section:has(svg[role=img])").all())


@pytest.mark.parametrize("locale, shown", [("de-DE", "43,00\xa0€"), ("en-US", "€43.00"), ("ar-EG", None), ("xx-nonsense", "43.00")])
def test_numbers_are_written_as_the_database_does(made, show, locale, shown):
    made.run("DELETE FROM all_sales WHERE id <> 1 OR channel <> 'pos'")
    html = page(made)
    opened = show(re.sub(r'"locale":"[^"]*"', f'"locale":"{locale}"', html), locale="en-US")
    assert (shown or "") in opened.locator("#s-sales dd").first.text_content()


def test_text_is_text(made, show):
    made.run("UPDATE dim_products SET name = %s; UPDATE dim_branches SET name = %s; UPDATE dim_payment_methods SET name = %s; "
             "UPDATE dim_categories SET name = %s, complete_name = %s; UPDATE dim_employees SET name = %s", *[HOSTILE] * 6)
    opened = show(page(made))
    assert HOSTILE in {row["Product"] for row in numbers(opened, "stock_outs")}
    assert opened.locator("#branch option").nth(1).text_content() == HOSTILE
    assert opened.locator("img").count() == 0 and opened.locator("script").count() == 2


def test_what_is_missing_or_empty_is_said(made, show):
    made.run("DROP VIEW reports.tender_mix; DELETE FROM fact_sessions; UPDATE dim_branches SET name = NULL; UPDATE all_sales SET currency = NULL")
    opened = show(page(made))
    assert "Not shown: " in opened.locator("#s-tenders").text_content()
    assert "nothing to show" in opened.locator("#s-cash").text_content()
    assert {row["Branch"] for row in numbers(opened, "sales")} >= {"#1"}


def test_an_empty_warehouse_is_a_whole_page(made, show):
    made.run("TRUNCATE all_sales, fact_sales_lines, fact_stock, fact_payments, fact_sessions, dim_branches, dim_products")
    opened = show(page(made))
    assert opened.locator("section").count() == 7
    assert opened.locator("section", has_text="nothing to show").count() == 7


def test_many_currencies_and_products(made, show):
    """Six currencies, a hundred branches, a hundred thousand products: a page of the same size."""
    made.run("INSERT INTO dim_branches SELECT i, 'Branch ' || i, 'UTC', 1 FROM generate_series(10, 109) AS i;"
             "INSERT INTO all_sales (channel, id, business_date, ordered_at, branch_id, state, amount_total, amount_untaxed, currency) "
             "SELECT 'pos', 1000 + i, current_date - i % 300, now(), 10 + i % 100, 'paid', i, i, "
             "('{EUR,USD,GBP,JPY,CHF,SEK}'::text[])[1 + i % 6] FROM generate_series(1, 60000) AS i;"
             "INSERT INTO dim_products SELECT i, 'Product ' || i, 'P' || i, 'Units', 2, 4, 10, true, true, true, NULL, 1 "
             "FROM generate_series(1000, 101000) AS i;"
             "INSERT INTO fact_stock SELECT i, 1, 1, 0, 0, 4, NULL, now(), 'EUR', 1 FROM generate_series(1000, 101000) AS i;"
             "INSERT INTO fact_sales_lines (channel, id, order_id, product_id, quantity, uom, subtotal, total, subtotal_company) "
             "SELECT 'pos', i, 1, i, 1, 'Units', 1, 1, 1 FROM generate_series(1000, 101000) AS i; ANALYZE")
    html = page(made)
    assert len(html.encode()) < 300_000
    opened = show(html)
    assert opened.locator("#currency option").count() == 6
    for currency in ("JPY", "SEK"):
        choose(opened, currency=currency)
        (amount,) = made.run("SELECT sum(amount - settled) FROM reports.sales_by_day WHERE currency = %s AND business_date >= "
                             "(SELECT min(start::date) FROM jsonb_to_recordset(%s::jsonb) AS r(start text))", currency,
                             "[" + ",".join(f'{{"start": "{row["start"]}"}}' for row in data_of(html)["sections"]["sales"]["rows"]) + "]")[0]
        assert sum(number(row["Amount"]) for row in numbers(opened, "sales")) == amount
