"""INSERT, UPDATE and DELETE on foreign tables, and what odoo_check says of tables that no longer match."""

import base64
import io

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .test_fdw import asked, products

pytestmark = pytest.mark.postgres

READ_ONLY = psycopg2.errors.ObjectNotInPrerequisiteState


@pytest.fixture
def shop(db, fake):
    """A table of an Odoo of its own, for whoever may write there."""
    tag = f"/only={db.name}"
    products(db, url(fake, f"rows=300{tag}"), writable="true")
    db.asked = lambda: asked(fake, tag)
    return db


def test_a_server_is_read_only_unless_it_says_otherwise(db, fake):
    products(db, url(fake, f"rows=20/only={db.name}"))
    for statement in ("INSERT INTO product (name) VALUES ('x')", "UPDATE product SET name = 'x' WHERE id = 1",
                      "DELETE FROM product WHERE id = 1"):
        with pytest.raises(READ_ONLY, match='server "erp" is read-only') as raised:
            db.run(statement)
        assert "ADD writable 'true'" in str(raised.value)
    # A plan that is older than the option does not get round it.
    db.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
    db.run("PREPARE rename AS UPDATE product SET name = 'new' WHERE id = 1")
    db.run("EXECUTE rename")
    db.run("ALTER SERVER erp OPTIONS (SET writable 'false')")
    with pytest.raises(READ_ONLY):
        db.run("EXECUTE rename")
    assert db.run("SELECT name FROM product WHERE id <= 2 ORDER BY id") == [("new",), ("Product 2",)]


def test_insert_returns_what_odoo_made(shop):
    rows = shop.run("INSERT INTO product (name, active, list_price, categ_id, pos_categ_ids) VALUES "
                    "('Tea', true, 1.10, 2, NULL), ('Mug', false, 2, NULL, '{}') RETURNING id, name, list_price, write_date IS NOT NULL")
    assert [(id, name, str(price), dated) for id, name, price, dated in rows] == [
        (301, "Tea", "1.1", True), (302, "Mug", "2.0", True)]
    assert shop.run("SELECT name, active, categ_id FROM product WHERE id > 300 ORDER BY id") == [("Tea", True, 2), ("Mug", False, None)]


def test_only_named_columns_are_sent(shop, fake):
    shop.run("INSERT INTO product (name) VALUES ('Tea')")
    prefix = next(prefix for _, prefix in fake.calls if f"/only={shop.name}" in prefix)
    record = behaviour_of(prefix).database.models["product.product"].records[301]
    assert set(record) <= {"id", "name", "write_date", "create_date"} and record["name"] == "Tea"


def test_rows_travel_together(shop):
    shop.run("INSERT INTO product (name) SELECT 'Many ' || n FROM generate_series(1, 250) n")
    assert shop.asked().count("create") == 3
    shop.run("UPDATE product SET default_code = 'M' WHERE name LIKE 'Many %'")
    assert shop.asked().count("write") == 3
    shop.run("UPDATE product SET default_code = 'M' || id % 2 WHERE name LIKE 'Many 1_'")
    assert shop.value("SELECT count(*) FROM product WHERE default_code IN ('M0', 'M1') AND name LIKE 'Many 1_'") == 10
    shop.run("DELETE FROM product WHERE name LIKE 'Many %'")
    assert shop.asked().count("unlink") == 3
    assert shop.value("SELECT count(*) FROM product") == 300


def test_update_and_delete_return_rows(shop):
    assert shop.run("UPDATE product SET name = 'New', active = false WHERE id = 7 RETURNING id, name, active, default_code") == [
        (7, "New", False, "P00007")]
    assert shop.run("DELETE FROM product WHERE id IN (7, 8) RETURNING id, name") == [(7, "New"), (8, "Product 8")]
    assert shop.value("SELECT count(*) FROM product") == 298


def test_joins_and_loaded_rows_may_say_what_to_write(shop):
    shop.run("CREATE TABLE price (id bigint, price numeric)")
    shop.run("INSERT INTO price VALUES (3, 33.5), (4, 44)")
    shop.run("UPDATE product p SET list_price = n.price FROM price n WHERE n.id = p.id")
    prices = shop.run("SELECT id, list_price FROM product WHERE id BETWEEN 2 AND 5 ORDER BY id")
    assert [(id, float(price)) for id, price in prices] == [(2, 2.99), (3, 33.5), (4, 44.0), (5, 5.99)]


def test_a_record_is_changed_once(shop):
    joined = "(VALUES (3, 'a'), (3, 'b'), (4, 'c')) n(id, x) WHERE n.id = p.id"
    assert len(shop.run(f"UPDATE product p SET name = n.x FROM {joined} RETURNING p.id")) == 2
    shop.run(f"UPDATE product p SET name = n.x FROM {joined}")
    shop.run(f"DELETE FROM product p USING {joined}")
    assert shop.value("SELECT count(*) FROM product") == 298


@pytest.mark.parametrize("order", ["", "ORDER BY write_date"])
def test_a_statement_does_not_see_what_it_makes(db, fake, order):
    products(db, url(fake, f"rows=1500/only={db.name}"), writable="true")
    db.run(f"INSERT INTO product (name) SELECT name FROM product WHERE length(name) > 0 {order} LIMIT 9000")
    assert db.value("SELECT count(*) FROM product") == 3000


def test_what_postgres_fills_is_sent(shop):
    shop.run("ALTER FOREIGN TABLE product ALTER default_code SET DEFAULT 'D'")
    assert shop.run("INSERT INTO product (name) VALUES ('Tea') RETURNING default_code, active") == [("D", False)]
    shop.run("CREATE FOREIGN TABLE loud (id bigint, name text, default_code text GENERATED ALWAYS AS (upper(name)) STORED) "
             "SERVER erp OPTIONS (model 'product.product')")
    shop.run("INSERT INTO loud (name) VALUES ('Mug')")
    shop.run("UPDATE loud SET name = 'Cup' WHERE id = 7")
    assert shop.run("SELECT default_code FROM product WHERE id IN (7, 302) ORDER BY id") == [("CUP",), ("MUG",)]


def test_triggers_that_may_change_rows_are_refused(shop):
    shop.run("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN coalesce(NEW, OLD); END $$")
    shop.run("CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OR DELETE ON product FOR EACH ROW EXECUTE FUNCTION f()")
    for statement in ("INSERT INTO product (name) VALUES ('x')", "UPDATE product SET name = 'x' WHERE id = 1"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match='the trigger "stamp"'):
            shop.run(statement)
    shop.run("DELETE FROM product WHERE id = 1")
    shop.run("ALTER FOREIGN TABLE product DISABLE TRIGGER stamp")
    shop.run("UPDATE product SET name = 'x' WHERE id = 2")
    assert shop.run("SELECT name FROM product WHERE id < 3") == [("x",)]


def test_check_options_are_refused(shop):
    shop.run("CREATE VIEW cheap AS SELECT * FROM product WHERE list_price < 5 WITH CHECK OPTION")
    for statement in ("INSERT INTO cheap (name, list_price) VALUES ('x', 9)", "UPDATE cheap SET list_price = 9 WHERE id = 1"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="CHECK OPTION"):
            shop.run(statement)
    assert not {"create", "write"} & set(shop.asked())
    shop.run("DELETE FROM cheap WHERE id = 1")


def test_ids_are_integers(shop):
    for kind in ("numeric", "smallint", "integer"):
        shop.run(f"CREATE FOREIGN TABLE by_{kind} (id {kind}, name text) SERVER erp OPTIONS (model 'product.product')")
    with pytest.raises(psycopg2.Error, match="holds no integers") as raised:
        shop.run("DELETE FROM by_numeric WHERE id = 7")
    shop.run(raised.value.diag.message_hint)
    for table in ("by_numeric", "by_smallint", "by_integer"):
        assert shop.run(f"UPDATE {table} SET name = '{table}' WHERE id = 7 RETURNING id, name") == [(7, table)]


def test_bytes_travel_as_base64(shop, fake):
    shop.run("CREATE FOREIGN TABLE picture (id bigint, image_1920 bytea) SERVER erp OPTIONS (model 'product.product')")
    data = bytes(range(256))
    shop.run("UPDATE picture SET image_1920 = %s WHERE id = 7", psycopg2.Binary(data))
    prefix = next(prefix for _, prefix in fake.calls if f"/only={shop.name}" in prefix)
    record = behaviour_of(prefix).database.models["product.product"].records[7]
    assert base64.b64decode(record["image_1920"], validate=True) == data
    assert bytes(shop.value("SELECT image_1920 FROM picture WHERE id = 7")) == data


def test_children_may_have_their_ids_in_other_columns(shop):
    shop.run("CREATE TABLE parent (id bigint, name text)")
    shop.run("CREATE FOREIGN TABLE category (name text, id bigint) SERVER erp OPTIONS (model 'product.category')")
    for child in ("product", "category"):
        shop.run(f"ALTER FOREIGN TABLE {child} INHERIT parent")
    shop.run("UPDATE parent SET name = 'both' WHERE id = 3")
    assert shop.run("SELECT name FROM product WHERE id = 3 UNION ALL SELECT name FROM category WHERE id = 3") == [("both",)] * 2


@pytest.mark.parametrize("statement, words", [
    ("INSERT INTO product (id, name) VALUES (5, 'x')", "id cannot be written"),
    ("UPDATE product SET id = 5 WHERE id = 7", "id cannot be written"),
    ("INSERT INTO product (name) VALUES ('x') ON CONFLICT DO NOTHING", "ON CONFLICT"),
    ("INSERT INTO product (write_date) VALUES ('infinity')", "years 1 to 9999"),
    ("TRUNCATE product", "cannot truncate"),
])
def test_what_cannot_be_written_is_named(shop, statement, words):
    with pytest.raises(psycopg2.Error, match=words):
        shop.run(statement)
    assert shop.value("SELECT count(*) FROM product") == 300


def test_copy_is_refused(shop):
    with shop.connection.cursor() as cursor, pytest.raises(psycopg2.errors.FeatureNotSupported, match="COPY .* public.product"):
        cursor.copy_expert("COPY product (name) FROM STDIN", io.StringIO("x\n"))


def test_a_write_that_may_have_happened_says_so(db, fake):
    products(db, url(fake, f"rows=20/only={db.name}/reset@create"), writable="true", timeout=2)
    with pytest.raises(psycopg2.Error, match="may have done it all the same"):
        db.run("INSERT INTO product (name) VALUES ('x')")


def test_an_error_tells_what_is_done_already(db, fake):
    products(db, url(fake, f"rows=20/only={db.name}/fault=2@read"), writable="true")
    with pytest.raises(psycopg2.Error, match="its id is 21"):
        db.run("INSERT INTO product (name) VALUES ('x') RETURNING name")
    with pytest.raises(psycopg2.Error, match="made before, and stay so: 100"):
        db.run("INSERT INTO product (name, write_date) SELECT 'x', CASE WHEN n > 150 THEN 'infinity' ELSE now() END "
               "FROM generate_series(1, 200) n")


def test_false_is_no_success(db, fake):
    products(db, url(fake, f"rows=20/only={db.name}/body=false@write"), writable="true", protocol="xmlrpc")
    with pytest.raises(psycopg2.Error, match="Odoo did not change records of product.product") as raised:
        db.run("UPDATE product SET name = 'x' WHERE id < 3")
    assert raised.value.diag.message_detail == "It answered False for 1, 2."


def test_check_names_the_statement_that_mends(db, fake):
    products(db, url(fake, "rows=20/without=product.product:default_code"))
    db.run('CREATE FOREIGN TABLE "Odd name" (id bigint, name integer, categ_id text) SERVER erp OPTIONS (model \'product.product\')')
    db.run("CREATE FOREIGN TABLE gone (id bigint) SERVER erp OPTIONS (model 'no.such')")
    found = {item: (status, detail, hint) for item, status, detail, hint, _ in db.run("SELECT * FROM odoo_check()")}
    assert found["public.product"] == (
        "warning", "product.product: 8 columns; no field for default_code",
        'ALTER FOREIGN TABLE public.product DROP COLUMN "default_code";')
    assert found['public."Odd name"'] == (
        "warning", "product.product: 3 columns; another type of field for name",
        'ALTER FOREIGN TABLE public."Odd name" ALTER COLUMN "name" TYPE text;')
    assert found["public.gone"] == ("warning", "Odoo has no model no.such", "DROP FOREIGN TABLE public.gone;")
    # The statements mend.
    for _, _, hint in (found["public.product"], found['public."Odd name"'], found["public.gone"]):
        db.run(hint)
    statuses = {item: status for item, status, *_ in db.run("SELECT * FROM odoo_check()") if item.startswith("public.")}
    assert statuses == {"public.product": "ok", 'public."Odd name"': "ok"}
    assert db.value("SELECT count(name) FROM product WHERE name <> ''") == 20
