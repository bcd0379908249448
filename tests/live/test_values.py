"""Values that are easy to get wrong, on a real Odoo and by each of its protocols."""

from datetime import date, datetime, timezone
from decimal import Decimal

import psycopg2
import pytest

from .conftest import kept
from .test_protocols import PROTOCOLS, key, secret_for  # noqa: F401 (a fixture)


@pytest.fixture(scope="module", autouse=True)
def as_before(truth):
    with kept(truth, "res_partner", "comment, partner_latitude, partner_longitude"), kept(truth, "sale_order", "validity_date, date_order"):
        yield


@pytest.fixture(params=PROTOCOLS)
def live(db, real, key, request):  # noqa: F811
    """Imports a model's table, asked for in one of the protocols."""
    db.run("CREATE SCHEMA live")
    db.run(f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url '{real.url}', database 'demo', protocol '{request.param}')")
    db.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', {secret_for(request.param, key)})")

    def table(model):
        name = model.replace(".", "_")
        db.run(f"IMPORT FOREIGN SCHEMA odoo LIMIT TO ({name}) FROM SERVER erp INTO live")
        return f"live.{name}"

    return table


def run(connection, sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(sql, args or None)
        return cursor.fetchall() if cursor.description else None


def same(db, table, condition):
    """The ids that a condition on one column finds, which are those that PostgreSQL alone finds."""
    column = condition.split()[0]
    found = db.run(f"SELECT id FROM {table} WHERE {condition} ORDER BY id")
    alone = db.run(f"WITH alone AS MATERIALIZED (SELECT id AS key, {column} FROM {table}) SELECT key FROM alone WHERE {condition} ORDER BY key")
    assert found == alone, condition
    return [id for id, in found]


def test_negative_ids(db, live, api):
    table = live("sale.report")
    # Which lines of the point of sale it counts, Odoo decides.
    ids = sorted(api("sale.report", "search", [("id", "<", 0)]))
    assert ids and same(db, table, "id < 0") == ids
    assert same(db, table, f"id IN ({ids[0]}, 0, {ids[-1]})") == sorted({ids[0], ids[-1]})
    count = db.value(f"SELECT count(*) FROM {table}")
    assert count == db.value(f"SELECT count(id) FROM {table}") == db.value("SELECT odoo_count('sale.report')")
    db.run("SELECT odoo_mirror('sale.report', 'sale_report')")
    assert db.report("SELECT * FROM odoo_sync('sale_report')")["sale_report"]["inserted"] == count
    assert db.run("SELECT in_odoo, missing, stale, deleted FROM odoo_verify('sale_report')") == [(count, 0, 0, 0)]
    assert db.run("SELECT id FROM sale_report WHERE id < 0 ORDER BY id") == [(id,) for id in ids]


def test_repeated_ids(db, live, truth):
    table = live("report.stock.quantity")
    assert run(truth, "SELECT count(*) > count(DISTINCT id) FROM report_stock_quantity") == [(True,)]
    for statement in (f"SELECT * FROM {table}", f"SELECT product_qty FROM {table} ORDER BY id LIMIT 1",
                      "SELECT * FROM odoo_read('report.stock.quantity')", "SELECT odoo_mirror('report.stock.quantity', 'quantities')"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="model report.stock.quantity gives several records the same id"):
            db.run(statement)
    assert db.value(f"SELECT count(*) FROM {table}") == run(truth, "SELECT count(*) FROM report_stock_quantity")[0][0]


def test_references_to_records_whose_ids_are_texts(db, live, truth):
    table = live("account.move.line")
    rows = db.run(f"SELECT l.id, account_root_id FROM {table} l WHERE account_root_id IS NOT NULL")
    assert rows and db.value(f"SELECT count(*) FROM (SELECT * FROM {table}) AS whole") >= len(rows)
    assert db.value("SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'live.account_move_line'::regclass "
                    "AND attname = 'account_root_id'") == "text"
    codes = dict(run(truth, "SELECT l.id, left((SELECT min(value) FROM jsonb_each_text(code_store)), 2) "
                            "FROM account_move_line l JOIN account_account a ON a.id = l.account_id"))
    assert all(codes[id] == root for id, root in rows)


def test_html(db, live, truth):
    run(truth, "UPDATE res_partner SET comment = '<p>Dear</p>' WHERE id = 1")
    run(truth, "UPDATE res_partner SET comment = '' WHERE id = 3")
    run(truth, "UPDATE res_partner SET comment = NULL WHERE id NOT IN (1, 3)")
    table = live("res.partner")
    assert same(db, table, "comment IS NOT NULL") == [1, 3]
    for condition in ("comment IS NULL", "comment LIKE '%Dear%'", "comment <> 'x'", "comment = '<p>Dear</p>'", "comment IN ('x', '<p>Dear</p>')",
                      "comment NOT LIKE '%Dear%'", "comment = ''"):
        same(db, table, condition)


def test_integers_beyond_32_bits(db, live):
    table = live("res.partner")
    for condition in ("color = 3000000000", "color < 3000000000", "color <> 3000000000", "color IN (0, 3000000000)", "parent_id = 3000000000",
                      "parent_id NOT IN (1, 3000000000)", "id = 3000000000", "id IN (1, 3000000000)", "id < 3000000000", "id > -3000000000",
                      "id NOT IN (1, 3000000000)"):
        same(db, table, condition)
        assert db.value(f"SELECT count(*) FROM {table} WHERE {condition}") == len(same(db, table, condition))


def test_years_before_1000(db, live, truth):
    table = live("sale.order")
    run(truth, "UPDATE sale_order SET validity_date = '0024-03-05', date_order = '0001-01-01 00:00:00' WHERE id = 1")
    db.run("SET DateStyle = 'SQL, DMY'")
    assert db.run(f"SELECT validity_date - date '0001-01-01', extract(epoch FROM date_order)::bigint FROM {table} WHERE id = 1") == [
        ((date(24, 3, 5) - date(1, 1, 1)).days, round(datetime(1, 1, 1, tzinfo=timezone.utc).timestamp()))]
    assert same(db, table, "validity_date = make_date(24, 3, 5)") == [1]
    assert 1 in same(db, table, "date_order < make_timestamptz(1000, 1, 1, 0, 0, 0, 'UTC')")


@pytest.fixture
def nowhere(truth):
    """A partner whose place is no number, which Odoo itself cannot always read."""
    run(truth, "UPDATE res_partner SET partner_latitude = 'NaN', partner_longitude = 'NaN' WHERE id = 3")
    yield
    run(truth, "UPDATE res_partner SET partner_latitude = NULL, partner_longitude = NULL WHERE id = 3")


def test_nan(db, live, truth, nowhere):
    run(truth, "UPDATE res_partner SET partner_latitude = 19.990000000000002 WHERE id = 7")
    table = live("res.partner")
    assert str(db.value(f"SELECT partner_latitude FROM {table} WHERE id = 3")) == "NaN"
    assert same(db, table, "partner_latitude = 'NaN'") == [3]
    assert 3 in same(db, table, "partner_latitude > 5")
    assert same(db, table, "partner_latitude = 19.99") == [7]
    assert db.value(f"SELECT partner_latitude FROM {table} WHERE id = 7") == Decimal("19.99")


def test_characters_that_xml_cannot_carry(db, live):
    table = live("res.partner")
    for text in ("\uffff", "a\ufffeb"):
        assert same(db, table, f"name = '{text}'") == []
        assert db.value(f"SELECT count(*) FROM {table} WHERE name <> '{text}'") > 5


def test_fields_that_search_otherwise(db, live, truth):
    run(truth, "DELETE FROM mail_blacklist")
    run(truth, "INSERT INTO mail_blacklist (email, active) VALUES ('C@d.example', true), ('a@b.example', true)")
    table = live("mail.blacklist")
    assert len(same(db, table, "email = 'C@d.example'")) == 1
    assert same(db, table, "email = 'A@b.example'") == []
    assert len(same(db, table, "email <> 'A@b.example'")) == 2
