"""Values that are easy to get wrong: none is lost, none is changed, in tables and foreign tables alike."""

import base64
from datetime import date, datetime, timezone
from decimal import Decimal

import psycopg2
import pytest

from .conftest import Database, url
from .fake.catalogue import field, many2one
from .fake.orm import Blacklist, Model, TextIds, View
from .test_fdw import asked
from .test_in_step import Shop
from .test_protocols import PROTOCOLS

REPORT = {"name": field("char"), "qty": field("integer"), "amount": field("float")}


def with_model(shop, model):
    """A fake that has one more model, which Odoo's list of models names."""
    database = shop.behaviour.database
    database.models[model.name] = model
    model.join(database)
    listed = database.models["ir.model"].records
    listed[len(listed) + 1] = {"id": len(listed) + 1, "model": model.name, "name": model.name.title()}
    return model


def report(ids):
    return View("sale.report", REPORT, [{"id": id, "name": f"n{id}", "qty": id, "amount": id / 2} for id in ids])


def imported(db, model, options=""):
    db.run("CREATE SCHEMA IF NOT EXISTS live")
    table = model.replace(".", "_")
    db.run(f"IMPORT FOREIGN SCHEMA odoo LIMIT TO ({table}) FROM SERVER erp INTO live{options}")
    return f"live.{table}"


def domain(db, table, condition):
    lines = [line for line, in db.run(f"EXPLAIN SELECT * FROM {table} WHERE {condition}")]
    return next(line.partition("Odoo Domain: ")[2] for line in lines if "Odoo Domain: " in line)


def found(db, table, condition, column="id"):
    """What a condition finds, and the same where PostgreSQL alone looks."""
    rows = db.run(f"SELECT {column} FROM {table} WHERE {condition} ORDER BY 1")
    alone = db.run(f"WITH alone AS MATERIALIZED (SELECT * FROM {table}) SELECT {column} FROM alone WHERE {condition} ORDER BY 1")
    assert rows == alone, condition
    return [value for value, in rows]


# Dates and times.

OLD = {"day": field("date"), "moment": field("datetime")}
OLD_RECORDS = [
    {"id": 1, "day": "0024-03-05", "moment": "0024-03-05 01:02:03"},
    {"id": 2, "day": "0001-01-01", "moment": "0001-01-01 00:00:00"},
    {"id": 3, "day": "0999-12-31", "moment": "0999-12-31 23:59:59"},
    {"id": 4, "day": "2024-02-29", "moment": "2024-02-29 12:00:00"},
]
OLD_VALUES = [
    (date(24, 3, 5), datetime(24, 3, 5, 1, 2, 3, tzinfo=timezone.utc)),
    (date(1, 1, 1), datetime(1, 1, 1, tzinfo=timezone.utc)),
    (date(999, 12, 31), datetime(999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    (date(2024, 2, 29), datetime(2024, 2, 29, 12, tzinfo=timezone.utc)),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", ["ISO, YMD", "SQL, DMY", "German"])
def test_years_before_1000(db, fake, protocol, style):
    shop = Shop(db, fake, f"version=19/{protocol}", protocol=protocol)
    with_model(shop, Model("event.old", OLD, OLD_RECORDS))
    db.run(f"SET DateStyle = '{style}'")
    table = imported(db, "event.old")
    db.run("SELECT odoo_mirror('event.old', 'old')")
    db.run("SELECT odoo_sync('old')")
    # psycopg2 reads dates in one style alone.
    exact = "day - date '0001-01-01', extract(epoch FROM moment)::bigint"
    expected = [((day - date(1, 1, 1)).days, round(moment.timestamp())) for day, moment in OLD_VALUES]
    assert db.run(f"SELECT {exact} FROM {table} ORDER BY id") == expected
    assert db.run(f"SELECT {exact} FROM old ORDER BY id") == expected
    assert found(db, table, "day = '0024-03-05'::date") == [1]
    assert found(db, table, "moment < '1000-01-01 00:00+00'") == [1, 2, 3]


@pytest.mark.parametrize("day", ["2024-13-01", "10000-01-01", "2024-02-30", "15.03.2024"])
def test_what_is_no_date_is_refused(db, fake, day):
    shop = Shop(db, fake, "version=19")
    with_model(shop, Model("event.old", OLD, [{"id": 1, "day": day}, {"id": 2, "day": "2024-01-01"}]))
    with pytest.raises(psycopg2.Error, match=day):
        db.run(f"SELECT * FROM {imported(db, 'event.old')}")
    db.run("SELECT odoo_mirror('event.old', 'old')")
    assert db.report("SELECT * FROM odoo_sync('old')")["old"]["status"] == "partial"
    assert db.run("SELECT id, day FROM old ORDER BY id") == [(1, None), (2, date(2024, 1, 1))]
    assert db.run("SELECT record_id, field FROM odoo_quarantine") == [(1, "day")]


# Ids.

IDS = [*range(-1300, 0), *range(1, 1201)]


def test_negative_ids_in_foreign_tables(db, fake):
    shop = Shop(db, fake, "version=19", page_size=500)
    with_model(shop, report(IDS))
    table = imported(db, "sale.report")
    assert db.value(f"SELECT count(*) FROM {table}") == len(IDS)
    assert [id for id, in db.run(f"SELECT id FROM {table} ORDER BY id")] == IDS
    assert [id for id, in db.run(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 3")] == [1200, 1199, 1198]
    assert db.run(f"SELECT count(name), sum(qty), min(id), max(id) FROM {table}") == [(2500, sum(IDS), -1300, 1200)]
    assert db.run(f"SELECT name FROM {table} WHERE id = -1300") == [("n-1300",)]
    assert found(db, table, "id IN (-5, 0, 7)") == [-5, 7]
    assert found(db, table, "id NOT IN (-5, 0, 7) AND id < -1295") == list(range(-1300, -1295))
    assert found(db, table, "id BETWEEN -2 AND 2") == [-2, -1, 1, 2]
    assert db.run(f"SELECT id FROM {table} WHERE id < 0 ORDER BY id OFFSET 1298 LIMIT 9") == [(-2,), (-1,)]
    db.run(f"ANALYZE {table}")
    assert db.value("SELECT reltuples FROM pg_class WHERE relname = 'sale_report'") == len(IDS)


def test_negative_ids_in_a_mirror(db, fake):
    shop = Shop(db, fake, "version=19", page_size=500)
    model = with_model(shop, report(IDS))
    db.run("SELECT odoo_mirror('sale.report', 'sale_report')")
    rows = lambda: [id for id, in db.run("SELECT id FROM sale_report ORDER BY id")]
    verdict = lambda: db.run("SELECT in_warehouse, missing, stale, deleted FROM odoo_verify('sale_report')")
    assert db.report("SELECT * FROM odoo_sync('sale_report')")["sale_report"]["inserted"] == len(IDS)
    assert rows() == IDS
    assert verdict() == [(2500, 0, 0, 0)]
    # Gone, and new, on both sides of 0.
    now = [id for id in IDS if id not in (-1300, -7, 1, 1200)] + [-2000, 2000]
    model.rows[:] = report(now).rows
    model.records = {row["id"]: row for row in model.rows}
    assert verdict() == [(2500, 2, 0, 4)]
    db.run("SELECT odoo_sync('sale_report')")
    assert rows() == sorted(now)
    model.rows[:] = [row for row in model.rows if row["id"] != -2000]
    del model.records[-2000]
    db.run("SELECT odoo_reconcile('sale_report')")
    assert rows() == sorted(set(now) - {-2000})
    assert verdict() == [(2497, 0, 0, 0)]


def test_a_job_goes_on_among_negative_ids(db, fake):
    """A page that fails leaves the ones before it; the next job goes on behind them."""
    shop = Shop(db, fake, "version=19", page_size=100)
    with_model(shop, report(range(-1000, 0)))
    db.run("SELECT odoo_mirror('sale.report', 'sale_report')")
    shop.behaviour.interrupt, left = (lambda: stop()), [9]

    def stop():
        left[0] -= 1
        if left[0] == 0:
            db.connection.cancel()

    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run("CALL odoo_sync_job('sale_report')")
    shop.behaviour.interrupt = None
    assert 0 < db.value("SELECT count(*) FROM sale_report") < 1000
    db.run("CALL odoo_sync_job('sale_report')")
    assert db.run("SELECT count(*), min(id), max(id) FROM sale_report") == [(1000, -1000, -1)]


#: An id twice: side by side in a page, and where one chunk of 1000 ids ends.
REPEATED = [[1, 2, 2, 3], [*range(1, 1001), 1000, 1001], [-1, -1]]


@pytest.mark.parametrize("ids", REPEATED, ids=["within", "across", "alone"])
def test_repeated_ids_are_refused_by_name(db, fake, ids):
    shop = Shop(db, fake, "version=19", page_size=10)
    with_model(shop, report(sorted(ids)))
    table = imported(db, "sale.report")
    # Nothing is read for it.
    assert db.value(f"SELECT count(*) FROM {table}") == len(ids)
    twice = next(id for id in ids if ids.count(id) == 2)
    for statement in (f"SELECT id FROM {table}", f"SELECT name FROM {table} WHERE id + 0 < 5000",
                      f"SELECT name FROM {table} WHERE id >= {twice} ORDER BY id LIMIT 1", f"SELECT name FROM {table} WHERE id = {twice}",
                      "SELECT * FROM odoo_read('sale.report')",
                      f"SELECT * FROM odoo_read('sale.report', '[[\"id\", \"=\", {twice}]]', max_rows => 1)"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="model sale.report gives several records the same id") as raised:
            db.run(statement)
        assert raised.value.diag.message_hint
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="sale.report"):
        db.run("SELECT odoo_mirror('sale.report', 'sale_report')")
        db.run("SELECT odoo_sync('sale_report')")


def test_a_mirror_whose_ids_begin_to_repeat(db, fake):
    shop = Shop(db, fake, "version=19", page_size=10)
    model = with_model(shop, report(range(1, 31)))
    db.run("SELECT odoo_mirror('sale.report', 'sale_report')")
    db.run("SELECT odoo_sync('sale_report')")
    model.rows.append({"id": 7, "name": "another", "qty": 1})
    model.ids_are_distinct = False
    for statement in ("odoo_sync('sale_report')", "odoo_verify('sale_report')", "odoo_reconcile('sale_report')"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="sale.report"):
            db.run(f"SELECT {statement}")
    assert db.run("SELECT count(*), count(DISTINCT id) FROM sale_report") == [(30, 30)]


# Numbers.

@pytest.mark.parametrize("release", [15, 17, 19])
def test_noise_is_rounded_away(db, fake, release):
    shop = Shop(db, fake, f"version={release}")
    product, record = next(iter(shop.records("product.product").items()))
    template = record["product_tmpl_id"]
    shop.write("product.template", template, list_price=19.99)
    shop.records("product.product")[product]["standard_price"] = {1: 0.07, 3: 0.07}
    db.run("SELECT odoo_sync('products')")
    assert db.run("SELECT list_price, standard_price FROM dim_products WHERE id = %s", product) == [(Decimal("19.99"), Decimal("0.07"))]
    table = imported(db, "product.template")
    assert found(db, table, "list_price = 19.99") == [template]
    assert db.value(f"SELECT list_price FROM {table} WHERE id = {template}") == Decimal("19.99")
    db.run(f"ALTER FOREIGN TABLE {table} ALTER list_price TYPE float8")
    assert found(db, table, "list_price = 19.99") == [template]


def test_noise_without_digits(db, fake):
    shop = Shop(db, fake, "version=14")
    with_model(shop, Model("stock.noise", {"quantity": field("float")}, [
        {"id": 1, "quantity": 0.1 + 0.2}, {"id": 2, "quantity": 4.35 * 100}, {"id": 3, "quantity": 123456789012345.67},
        {"id": 4, "quantity": 1e-05}, {"id": 5, "quantity": 1234567890123456.0}]))
    table = imported(db, "stock.noise")
    assert [str(value) for value, in db.run(f"SELECT quantity FROM {table} ORDER BY id")] == [
        "0.3", "435.0", "123456789012346.0", "0.00001", "1234567890123456.0"]
    assert found(db, table, "quantity = 0.3") == [1]
    assert found(db, table, "quantity > 0.2999 AND quantity < 436") == [1, 2]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nan_and_infinity(db, fake, protocol):
    shop = Shop(db, fake, f"version=19/{protocol}", protocol=protocol, writable="true")
    odd = [float("nan"), float("inf"), float("-inf"), 1.5]
    records = [{"id": id, "amount": value} for id, value in enumerate(odd, 1)]
    model = with_model(shop, Model("odd.number", {"amount": field("float")}, records))
    expected = ["NaN", "Infinity", "-Infinity", "1.5"]
    table = imported(db, "odd.number")
    texts = lambda of: [text for text, in db.run(f"SELECT amount::text FROM {of} ORDER BY id")]
    assert texts(table) == expected
    assert found(db, table, "amount = 'NaN'") == [1]
    assert found(db, table, "amount > 1") == [1, 2, 4]
    db.run(f"ALTER FOREIGN TABLE {table} ALTER amount TYPE float8")
    assert texts(table) == expected
    db.run("SELECT odoo_mirror('odd.number', 'odd')")
    assert db.report("SELECT * FROM odoo_sync('odd')")["odd"]["status"] == "ok"
    assert texts("odd") == expected
    assert [value for value, in db.run("SELECT data ->> 'amount' FROM odoo_read('odd.number')")] == expected
    # None of them is written, nor what is beyond a double.
    for value in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(psycopg2.errors.NumericValueOutOfRange, match="amount"):
            db.run(f"UPDATE {table} SET amount = '{value}' WHERE id = 4")
    db.run(f"ALTER FOREIGN TABLE {table} ALTER amount TYPE numeric")
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange, match="amount"):
        db.run(f"UPDATE {table} SET amount = 1e400 WHERE id = 4")
    assert model.records[4]["amount"] == 1.5


@pytest.mark.parametrize("digits", [-15, 0, 3])
def test_floats_are_written_whole(db, fake, digits):
    shop = Shop(db, fake, "version=19", writable="true")
    values = [123456.789, 0.1, 1e-7, -12345678.9, 1e20]
    records = [{"id": id, "amount": value} for id, value in enumerate(values, 1)]
    model = with_model(shop, Model("odd.number", {"amount": field("float"), "small": field("float")}, records))
    table = imported(db, "odd.number")
    db.run(f"ALTER FOREIGN TABLE {table} ALTER amount TYPE float8, ALTER small TYPE float4")
    db.run(f"SET extra_float_digits = {digits}")
    for id, value in enumerate(values, 1):
        assert found(db, table, f"amount = {value!r}") == [id]
        assert found(db, table, f"amount >= {value!r} AND amount <= {value!r}") == [id]
        assert db.run(f"UPDATE {table} SET amount = {value!r}, small = 0.1 WHERE id = {id} RETURNING id") == [(id,)]
    assert [(record["amount"], record["small"]) for record in model.records.values()] == [(value, 0.1) for value in values]
    assert db.value("SELECT odoo_domain('amount', '=', 123456.789::float8)") == '[["amount","=",123456.789]]'


def test_integers_beyond_32_bits_are_not_asked(db, fake):
    shop = Shop(db, fake, "version=19")
    with_model(shop, Model("odd.number", {"count": field("integer"), "partner_id": many2one("res.partner")}, [
        {"id": 1, "count": 5, "partner_id": 10}, {"id": 2}, {"id": 3, "count": -5, "partner_id": 12}]))
    table = imported(db, "odd.number")
    big = 3_000_000_000
    for condition, expected in [
            (f"count = {big}", []), (f"count <> {big}", [1, 2, 3]), (f"count < {big}", [1, 2, 3]), (f"count > {big}", []),
            (f"count > -{big}", [1, 2, 3]), (f"count <= -{big}", []), (f"count IN (5, {big})", [1]),
            (f"count NOT IN (5, {big})", [2, 3]), (f"count IN ({big}, {big + 1})", []), (f"count NOT IN ({big}, {big + 1})", [1, 2, 3]),
            (f"partner_id = {big}", []), (f"partner_id <> {big}", [1, 3]), (f"partner_id IN (10, {big})", [1]),
            (f"partner_id NOT IN (10, {big})", [3])]:
        assert found(db, table, condition) == expected
        assert str(big)[:5] not in domain(db, table, condition), condition
        assert db.value(f"SELECT count(*) FROM {table} WHERE {condition}") == len(expected)


# Texts.

def test_references_to_records_whose_ids_are_texts(db, fake):
    shop = Shop(db, fake, "version=19")
    with_model(shop, TextIds("account.root", {"name": field("char")}, [{"id": "10", "name": "10"}, {"id": "4", "name": "4"}]))
    lines = {"name": field("char"), "account_root_id": many2one("account.root")}
    with_model(shop, Model("account.move.line", lines, [
        {"id": 1, "name": "a", "account_root_id": "10"}, {"id": 2, "name": "b", "account_root_id": "4"}, {"id": 3, "name": "c"}]))
    table = imported(db, "account.move.line")
    rows = [(1, "10"), (2, "4"), (3, None)]
    assert db.run(f"SELECT id, account_root_id FROM {table} ORDER BY id") == rows
    assert db.run(f"SELECT id FROM {table} WHERE account_root_id = '4'") == [(2,)]
    db.run("SELECT odoo_mirror('account.move.line', 'moves')")
    db.run("SELECT odoo_sync('moves')")
    assert db.run("SELECT id, account_root_id FROM moves ORDER BY id") == rows
    # A table that was made before is said to be wrong, with what mends it.
    db.run(f"ALTER FOREIGN TABLE {table} ALTER account_root_id TYPE bigint")
    assert "ALTER COLUMN \"account_root_id\" TYPE text" in db.value("SELECT hint FROM odoo_check() WHERE item LIKE '%move_line%'")


@pytest.mark.parametrize("release", [14, 18, 19])
def test_html_is_no_operand(db, fake, release):
    shop = Shop(db, fake, f"version={release}")
    with_model(shop, Model("mail.template", {"body_html": field("html")}, [
        {"id": 1, "body_html": "<p>Dear you</p>"}, {"id": 2, "body_html": "<div>Bye</div>"}, {"id": 3}, {"id": 4, "body_html": ""}]))
    table = imported(db, "mail.template")
    for condition, expected in [
            ("body_html IS NOT NULL", [1, 2, 4]), ("body_html IS NULL", [3]), ("body_html LIKE '%Dear%'", [1]),
            ("body_html NOT LIKE '%Dear%'", [2, 4]), ("body_html <> 'x'", [1, 2, 4]), ("body_html = '<p>Dear you</p>'", [1]),
            ("body_html IN ('<div>Bye</div>', 'x')", [2]), ("body_html NOT IN ('x', 'y')", [1, 2, 4]), ("body_html = ''", [4]), ("body_html ILIKE '<div>%'", [2])]:
        assert found(db, table, condition) == expected
        assert "Dear" not in domain(db, table, condition)


def test_fields_that_search_otherwise(db, fake):
    shop = Shop(db, fake, "version=19")
    with_model(shop, Blacklist("mail.blacklist", {"email": field("char")}, [{"id": 1, "email": "a@b.example"}, {"id": 2, "email": "C@d.example"}]))
    table = imported(db, "mail.blacklist")
    assert found(db, table, "email = 'C@d.example'") == [2]
    assert found(db, table, "email = 'A@b.example'") == []
    assert found(db, table, "email <> 'A@b.example'") == [1, 2]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_characters_that_xml_cannot_carry(db, fake, protocol):
    shop = Shop(db, fake, f"version=19/{protocol}", protocol=protocol, writable="true")
    table = imported(db, "res.partner")
    for text in ("\uffff", "a\ufffeb", "\x01"):
        assert found(db, table, f"name = '{text}'") == []
        assert db.value(f"SELECT count(*) > 5 FROM {table} WHERE name <> '{text}'")
        assert db.value(f"SELECT count(*) FROM {table} WHERE name LIKE '%{text}%'") == 0
        write = lambda: db.run(f"UPDATE {table} SET name = 'x{text}' WHERE id = 10")
        search = lambda: db.run("SELECT odoo_search('res.partner', odoo_domain('name', '=', %s))", text)
        if protocol == "xmlrpc":
            for statement in (write, search):
                with pytest.raises(psycopg2.errors.UntranslatableCharacter, match=r"XML-RPC cannot send the character U\+") as raised:
                    statement()
                assert "jsonrpc" in raised.value.diag.message_hint
            assert shop.records("res.partner")[10]["name"] == "Ada O'Neill"
        else:
            assert search() == []
            write()
            assert shop.records("res.partner")[10]["name"] == f"x{text}"


@pytest.mark.parametrize("value", ["12.3 Kb", "abc", "YQ=", "YQ==YQ=="])
def test_what_is_not_base64_is_an_error(db, fake, value):
    shop = Shop(db, fake, "rows=5")
    shop.records("product.product")[3]["image_1920"] = value
    shop.records("product.product")[4]["image_1920"] = base64.b64encode(b"Odoo").decode()
    table = imported(db, "product.product", " OPTIONS (binary 'true')")
    assert db.run(f"SELECT image_1920::bytea FROM {table} WHERE id = 4")[0][0].tobytes() == b"Odoo"
    with pytest.raises(psycopg2.errors.InvalidTextRepresentation, match='column "image_1920" is not base64') as raised:
        db.run(f"SELECT image_1920 FROM {table}")
    assert value in raised.value.diag.message_detail


# Places.

def test_a_database_of_another_encoding_is_refused(cluster, fake):
    cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        db = Database.of(cluster, "latin")
        db.run("CREATE EXTENSION odoo_etl")
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="encoding UTF8") as raised:
            db.server(url(fake))
        assert "LATIN1" in raised.value.diag.message_detail and "UTF8" in raised.value.diag.message_hint
        # As a server that an older release made.
        db.run("ALTER FOREIGN DATA WRAPPER odoo_fdw NO VALIDATOR")
        db.server(url(fake, f"only={db.name}"))
        for statement in ("SELECT * FROM odoo_sync('products')", "SELECT odoo_read('product.product')",
                          "SELECT * FROM odoo_check()", "IMPORT FOREIGN SCHEMA odoo FROM SERVER erp INTO public"):
            with pytest.raises(psycopg2.errors.FeatureNotSupported, match="encoding UTF8"):
                db.run(statement)
        assert asked(fake, f"only={db.name}") == []
    finally:
        db.connection.close()
        cluster.sql("DROP DATABASE latin WITH (FORCE)")


def test_a_time_zone_that_nobody_knows(db, fake):
    shop = Shop(db, fake, "version=19", timezone="Asia/Tokyo")
    for record in shop.records("resource.calendar").values():
        record["tz"] = "Mars/North"
    db.run("SELECT odoo_sync('sales')")
    assert db.notices.count('unknown time zone "Mars/North", Asia/Tokyo is taken in its place') == 1
    assert db.run("SELECT name, timezone FROM dim_branches ORDER BY id") == [("Paris", "Asia/Tokyo"), ("New York", "America/New_York")]
    # 22:30 in UTC.
    assert db.value("SELECT business_date FROM all_sales WHERE channel = 'pos' AND id = 71") == date(2024, 4, 1)
    db.connection.notices.clear()
    assert db.value("SELECT count(*) FROM odoo_pos_orders()") > 0
    assert db.notices.count("Mars/North") == 1
