"""Every table of the star schema against the real Odoo 19's own database."""

import pytest

from . import shop as shop_data
from ..conftest import BY_PASSWORD
from .conftest import COMPARE, differences, tables_of

TABLES = tables_of(COMPARE)


@pytest.fixture(scope="module")
def made(api):
    return shop_data.furnish(api)


@pytest.fixture(scope="module")
def warehouse(made, star_database, real):
    """A warehouse after one odoo_sync_all(), with all that is off by default."""
    star_database.server(real.url)
    star_database.run("SELECT odoo_enable('invoices')")
    star_database.first = star_database.report("SELECT * FROM odoo_sync_all()")
    return star_database


def test_every_table_is_compared(warehouse, truth):
    """Those are left out whose model this Odoo does not have."""
    compared = tables_of(truth.queries)
    assert {name: row["status"] for name, row in warehouse.first.items()} == {
        name: "ok" if name in compared else "absent" for name in warehouse.first
    }
    assert set(compared) <= set(warehouse.first)


def test_every_column_of_every_row_agrees(warehouse, truth, table):
    assert differences(warehouse, truth, table) == []
    assert warehouse.value(f"SELECT count(*) FROM {table}") > 0


def test_counts_and_checksums_agree(warehouse, truth, table):
    """Per column the number of values and a checksum that no order changes."""
    with truth.cursor() as cursor:
        query = truth.query(table)
        cursor.execute(f"SELECT * FROM ({query}) AS q LIMIT 0")
        columns = [column.name for column in cursor.description]
        sums = ", ".join(
            # Numbers that are equal may be written with more or fewer zeros.
            f"count({c}), sum(hashtextextended(trim_scale_text({c}::text), 0))" for c in columns
        )
        function = (
            "CREATE OR REPLACE FUNCTION pg_temp.trim_scale_text(text) RETURNS text LANGUAGE sql AS "
            "$$ SELECT CASE WHEN $1 ~ '^-?\\d+\\.\\d*$' THEN trim_scale($1::numeric)::text ELSE $1 END $$"
        )
        sums = sums.replace("trim_scale_text", "pg_temp.trim_scale_text")
        cursor.execute(function)
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f"SELECT {sums} FROM ({query}) AS q")
        expected = cursor.fetchone()
    warehouse.run(function)
    warehouse.run("SET TimeZone = 'UTC'")
    assert warehouse.run(f"SELECT {sums} FROM {table}")[0] == expected


def test_a_second_run_writes_nothing(warehouse):
    report = warehouse.report("SELECT * FROM odoo_sync_all()")
    assert {name: (row["inserted"], row["updated"]) for name, row in report.items()} == {
        name: (0, 0) for name in report
    }


def test_nothing_is_missing(warehouse):
    assert warehouse.run("SELECT * FROM missing_data WHERE resolved_at IS NULL") == []


def test_sales_alone_into_an_empty_schema_are_the_same(warehouse):
    warehouse.run("CREATE SCHEMA alone")
    warehouse.run("ALTER SERVER erp OPTIONS (ADD schema 'alone')")
    try:
        report = warehouse.report("SELECT * FROM odoo_sync('sales')")
    finally:
        warehouse.run("ALTER SERVER erp OPTIONS (DROP schema)")
    assert report["all_sales"]["inserted"] > 0
    for table in ("all_sales", "fact_sales_lines"):
        columns = ", ".join(
            name
            for (name,) in warehouse.run(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND attname <> 'synced_at' ORDER BY attnum",
                table,
            )
        )
        for one, other in (("public", "alone"), ("alone", "public")):
            rest = warehouse.run(
                f"SELECT {columns} FROM {one}.{table} EXCEPT SELECT {columns} FROM {other}.{table}"
            )
            assert rest == [], f"{table} in {one} only"


def test_the_shop_is_there(warehouse, made):
    orders = warehouse.run(
        "SELECT business_date::text, amount_total, is_refund, currency FROM all_sales "
        "WHERE channel = 'pos' AND id = ANY(%s) AND branch_id = %s ORDER BY id",
        made["orders"], made["branches"][1],
    )
    assert [row[0] for row in orders] == ["2024-04-01"] * 4, "the day in Paris; no draft"
    assert [row[2] for row in orders] == [False, True, True, False]
    assert {row[3] for row in orders} == {"EUR"}
    assert warehouse.value(
        "SELECT p.name FROM fact_sales_lines l JOIN dim_promotions p ON p.id = l.promotion_id "
        "WHERE l.is_reward AND l.channel = 'pos' AND l.order_id = ANY(%s) LIMIT 1",
        made["orders"],
    ) == "Second leaf free"
    assert warehouse.value(
        "SELECT count(*) FROM fact_sales_lines pos JOIN fact_sales_lines sale "
        "ON (sale.channel, sale.id) = (pos.settles_channel, pos.settles_line_id) WHERE sale.order_id = %s",
        made["sale"],
    ) == 1
    assert warehouse.value("SELECT cardinality(tags) FROM dim_customers WHERE name = 'Tagged'") == 3
    received = warehouse.run(
        "SELECT quantity_ordered, quantity_received FROM fact_purchases WHERE order_id = %s", made["purchase"]
    )
    assert received == [(10, 4)]


def test_lines_add_up_to_their_orders_refunds_included(warehouse, made):
    assert warehouse.run(
        "SELECT o.id, o.amount_total, sum(l.total) FROM all_sales o "
        "JOIN fact_sales_lines l ON (l.channel, l.order_id) = (o.channel, o.id) "
        "WHERE o.channel = 'pos' AND o.id = ANY(%s) GROUP BY o.id, o.amount_total "
        "HAVING abs(o.amount_total - sum(l.total)) > 0.01",
        made["orders"],
    ) == []


def test_tenders_add_up_to_what_was_paid(warehouse):
    """By branch and day. Change is a negative payment, which the paid amount has in it."""
    found = warehouse.run(
        "WITH tenders AS (SELECT branch_id, business_date, sum(amount) AS amount FROM fact_payments GROUP BY 1, 2), "
        "paid AS (SELECT branch_id, business_date, sum(amount_paid) AS amount FROM all_sales WHERE channel = 'pos' GROUP BY 1, 2) "
        "SELECT branch_id, business_date::text, round(coalesce(p.amount, 0), 2), round(coalesce(t.amount, 0), 2) "
        "FROM paid p FULL JOIN tenders t USING (branch_id, business_date)"
    )
    assert len(found) >= 2
    assert [row for row in found if row[2] != row[3]] == []
    assert warehouse.value("SELECT count(*) FROM fact_payments WHERE is_change AND amount < 0") > 0


def test_costs_are_those_of_the_products_company(warehouse, made):
    assert str(warehouse.value("SELECT standard_price FROM dim_products WHERE id = %s", made["foreign"])) == "0.8"


def test_companies_can_be_chosen(db, real, made):
    db.server(real.url, companies=str(made["company"]))
    db.run("SELECT * FROM odoo_sync('branches')")
    assert db.run("SELECT DISTINCT company_id FROM dim_branches") == [(made["company"],)]


def test_lineage_names_the_fields(warehouse):
    lineage = dict(
        warehouse.run("SELECT column_name, field FROM odoo_columns WHERE target = 'dim_employees'")
    )
    assert lineage["gender"] == "sex"
    assert lineage["hire_date"] == "version_ids.contract_date_start"


def test_a_user_without_rights_gets_the_rest(db, real, api, made):
    """A point-of-sale user sees neither purchases nor stock valuation."""
    shop_data.user(api, "till", [("base", "group_user"), ("point_of_sale", "group_pos_user")])
    db.server(real.url, protocol=BY_PASSWORD)
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login 'till', SET password 'till')")
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert report["fact_purchases"]["status"] == "denied"
    assert "purchase.order.line" in report["fact_purchases"]["error"]
    assert report["dim_products"]["status"] == "ok"
    assert report["all_sales"]["fetched"] > 0
    assert "WARNING:  fact_purchases: skipped" in db.notices
    assert "DETAIL" in db.notices and "groups" in db.notices
    found = dict(db.run("SELECT item, status FROM odoo_check() WHERE item = 'fact_purchases'"))
    assert found == {"fact_purchases": "error"}
