"""dim_products and its parents against the real Odoo 19, compared in Odoo's own database."""

import pytest

from ..conftest import BY_PASSWORD
from .conftest import differences

TEXTS = {
    "emoji": "Tee 🍵 \"grün\" & <süß>",
    "quotes": "O'Neill \\ \"x\" $$",
    "lines": "one\ntwo\r\nthree\ttab",
    "right to left": "שלום עולם مرحبا",
    "long": "x" * 100_000,
}


@pytest.fixture(scope="module", autouse=True)
def more_products(api, truth):
    """What the demo data lacks."""
    parent = api("product.category", "create", [{"name": "Tea & Co"}])[0]
    child = api("product.category", "create", [{"name": "Green <tea>", "parent_id": parent}])[0]
    for name in TEXTS.values():
        product = api("product.product", "create", [{"name": name, "categ_id": child}])[0]
        # An XML parser makes \n of \r\n, on the way to Odoo too.
        with truth.cursor() as cursor:
            cursor.execute(
                "UPDATE product_template SET name = jsonb_build_object('en_US', %s::text) "
                "WHERE id = (SELECT product_tmpl_id FROM product_product WHERE id = %s)",
                (name, product),
            )
    api(
        "product.product",
        "create",
        [
            {"name": "Priced", "list_price": 19.99, "standard_price": 0.1, "barcode": "5901234123457"},
            {"name": "Archived", "active": False, "list_price": 1e9, "weight": 1e-05},
            {"name": "Stored", "is_storable": True, "default_code": "S-1", "available_in_pos": True},
        ],
    )


def test_every_column_of_every_row_agrees(shop, truth):
    shop.run("SELECT * FROM odoo_sync_all()")
    for table in ("dim_categories", "dim_products"):
        assert differences(shop, truth, table) == []


def test_counts_agree_archived_ones_included(shop, truth):
    shop.run("SELECT * FROM odoo_sync('products')")
    with truth.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE NOT active) FROM product_product")
        all_, archived = cursor.fetchone()
    assert archived > 0
    found = shop.run("SELECT count(*), count(*) FILTER (WHERE NOT active) FROM dim_products")
    assert found == [(all_, archived)]


def test_texts_are_exact(shop):
    shop.run("SELECT * FROM odoo_sync('products')")
    for text in TEXTS.values():
        assert shop.value("SELECT count(*) FROM dim_products WHERE name = %s", text) == 1, text[:40]


def test_a_second_run_writes_nothing(shop):
    shop.run("SELECT * FROM odoo_sync_all()")
    written = (
        "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables "
        "WHERE relname ~ '^(dim_|missing)' ORDER BY 1"
    )
    shop.run("SELECT pg_stat_force_next_flush()")
    before = shop.run(written)
    report = shop.report("SELECT * FROM odoo_sync_all(full_refresh => true)")
    shop.run("SELECT pg_stat_force_next_flush()")
    assert shop.run(written) == before
    for row in report.values():
        assert (row["inserted"], row["updated"], row["unchanged"]) == (0, 0, row["fetched"])
    assert report["dim_products"]["fetched"] > 100


def test_a_change_in_odoo_is_one_update(shop, api):
    shop.run("SELECT * FROM odoo_sync_all()")
    id = shop.value("SELECT min(id) FROM dim_products WHERE active")
    price = shop.value("SELECT list_price FROM dim_products WHERE id = %s", id)
    api("product.product", "write", [id], {"list_price": float(price) + 1})
    report = shop.report("SELECT * FROM odoo_sync('products')")
    # The template has one variant, or more that share its price.
    assert report["dim_products"]["updated"] >= 1
    assert shop.value("SELECT list_price FROM dim_products WHERE id = %s", id) == price + 1


def test_brands_need_their_module(shop):
    report = shop.report("SELECT * FROM odoo_sync('brands')")
    assert report["dim_brands"]["status"] == "absent"
    assert "Odoo has no model product.brand" in shop.notices


def test_small_pages_and_many_readers_load_the_same(shop, truth):
    shop.run("ALTER SERVER erp OPTIONS (ADD page_size '7', ADD readers '4')")
    shop.run("SELECT * FROM odoo_sync_all()")
    assert differences(shop, truth, "dim_products") == []


def test_check_finds_the_server_well(shop):
    found = {row[0]: row[1] for row in shop.run("SELECT item, status FROM odoo_check()")}
    assert found["connection"] == found["version"] == found["login"] == "ok"
    assert found["dim_categories"] == "ok"


def test_read_returns_what_odoo_has(shop, truth):
    sql = "SELECT id, name FROM res_partner WHERE is_company ORDER BY id"
    with truth.cursor() as cursor:
        cursor.execute(sql)
        expected = cursor.fetchall()
    found = shop.run(
        "SELECT id, data ->> 'name' FROM "
        "odoo_read('res.partner', $$[('is_company', '=', True)]$$, fields => '{name}')"
    )
    assert found == expected


@pytest.mark.parametrize(
    "statement, words",
    [
        ("SELECT * FROM odoo_read('no.such.model')", "does(n't| not) exist"),
        ("SELECT * FROM odoo_read('res.partner', fields => '{nmae}')", 'no field "nmae"'),
        ("SELECT * FROM odoo_read('res.partner', $$[('nmae', '=', 1)]$$)", "Invalid field"),
        ("SELECT * FROM odoo_read('res.partner', order_by => 'nmae')", "Invalid field"),
    ],
)
def test_what_odoo_lacks_is_named(shop, statement, words):
    with pytest.raises(Exception, match=words) as raised:
        shop.run(statement)
    assert "HINT" in str(raised.value)


def test_wrong_password_and_wrong_database(db, real):
    db.server(real.url, name="locked", secret="wrong", protocol=BY_PASSWORD)
    with pytest.raises(Exception, match='refused the login "admin"') as raised:
        db.run("SELECT * FROM odoo_sync_all('locked')")
    assert raised.value.pgcode == "28000"
    db.server(real.url, name="lost", database="nope")
    with pytest.raises(Exception, match="nope|server option database") as raised:
        db.run("SELECT * FROM odoo_sync_all('lost')")
    assert "HINT" in str(raised.value)
