"""Models of a real Odoo 19 as tables, and fields that somebody adds to it: every value is that of
Odoo's own database."""

from contextlib import contextmanager

import pytest

from .conftest import differences

#: Models of every kind, and how many records the demo data has of them at least.
MODELS = {
    "account.move": 1,
    "product.template": 20,
    "res.country.state": 1000,
    "res.partner": 30,
    "res.partner.category": 3,
    "stock.move": 10,
    "uom.uom": 10,
}

#: What the API gives for a column of Odoo's, where that may be NULL or is more exact.
GIVEN = {
    "boolean": "coalesce({}, false)",
    "integer": "coalesce({}, 0)",
    "many2one_reference": "coalesce({}, 0)",
    "float": "coalesce({}, 0)::float8",
    "monetary": "coalesce({}, 0)::float8",
    "date": "{}",
    "datetime": "date_trunc('second', {}) AT TIME ZONE 'UTC'",
    "many2one": "{}",
    **dict.fromkeys(["char", "text", "html", "selection", "reference"], "nullif({}, '')"),
}

#: The same for a column of the mirror.
SHOWN = {
    **dict.fromkeys(GIVEN, "{}"),
    **dict.fromkeys(["float", "monetary"], "{}::float8"),
    **dict.fromkeys(["char", "text", "html", "selection", "reference"], "nullif({}, '')"),
}

PRODUCTS = "SELECT * FROM odoo_sync('products')"
PROPERTIES = ["type", "string", "store", "translate", "company_dependent"]


def stored(api, model):
    """The fields that a mirror has, by name."""
    fields = api(model, "fields_get", attributes=PROPERTIES)
    left_out = {"binary", "one2many", "many2many"}
    return {name: field for name, field in fields.items()
            if field["store"] and field["type"] not in left_out and name not in ("id", "write_date")}


def ask(truth, sql):
    with truth.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def unequal(db, truth, api, model, table):
    """The values that are not those of Odoo's database. What each company has a value of its own
    for, and what is JSON there, is not compared."""
    columns = {"id": {"type": "many2one"}, "write_date": {"type": "datetime"}, **stored(api, model)}
    lines = []
    for name, field in columns.items():
        kind = field["type"]
        if kind not in GIVEN or field.get("company_dependent"):
            continue
        theirs = f'"{name}" ->> \'en_US\'' if field.get("translate") else f'"{name}"'
        ours = '"odoo_write_date"' if name == "write_date" else f'"{name}"'
        here = set(db.run(f"SELECT id, {SHOWN[kind].format(ours)} FROM {table}"))
        there = {(id, exact(value)) for id, value in ask(truth, f"SELECT id, {GIVEN[kind].format(theirs)} FROM {model.replace('.', '_')}")}
        lines += [f"{name}: {row} is not Odoo's" for row in here - there]
        lines += [f"{name}: {row} is not here" for row in there - here]
    return lines


def exact(value):
    """A float without the noise of its last bits, which odoo_etl leaves out."""
    return float(f"{value:.15g}") if isinstance(value, float) else value


@contextmanager
def manual_field(api, model, name):
    """A field as an administrator adds it; its id."""
    of = api("ir.model", "search", [("model", "=", model)])[0]
    values = {"name": name, "model_id": of, "ttype": "char", "state": "manual", "field_description": name}
    made = api("ir.model.fields", "create", [values])
    try:
        yield made[0]
    finally:
        left = api("ir.model.fields", "search", [("id", "in", made)])
        if left:
            api("ir.model.fields", "unlink", left)


@contextmanager
def tags(api, count):
    made = [api("res.partner.category", "create", [{"name": f"Tag {n}"}])[0] for n in range(count)]
    try:
        yield made
    finally:
        left = api("res.partner.category", "search", [("id", "in", made)], context={"active_test": False})
        if left:
            api("res.partner.category", "unlink", left)


@pytest.mark.parametrize("model", MODELS)
def test_every_value_is_that_of_odoos_database(shop, truth, api, model):
    fields = stored(api, model)
    told = shop.run("SELECT column_name, label FROM odoo_mirror(%s, 'mirrored')", model)
    assert dict(told) == {name: field["string"] for name, field in fields.items()}
    report = shop.report("SELECT * FROM odoo_sync('mirrored')")["mirrored"]
    assert (report["status"], report["quarantined"]) == ("ok", 0)
    assert shop.value("SELECT count(*) FROM mirrored") >= MODELS[model]
    assert unequal(shop, truth, api, model, "mirrored") == []
    assert shop.run("SELECT missing, stale, deleted FROM odoo_verify('mirrored')") == [(0, 0, 0)]
    report = shop.report("SELECT * FROM odoo_sync('mirrored')")["mirrored"]
    assert (report["inserted"], report["updated"], report["deleted"]) == (0, 0, 0)


def test_a_named_x2many_field_is_an_array(shop, truth):
    shop.run("SELECT * FROM odoo_mirror('res.partner', 'tagged', fields => '{name,category_id}')")
    shop.run("SELECT * FROM odoo_sync('tagged')")
    expected = {}
    pairs = "SELECT partner_id, category_id FROM res_partner_res_partner_category_rel"
    for partner, tag in ask(truth, pairs):
        expected.setdefault(partner, set()).add(tag)
    found = shop.run("SELECT id, category_id FROM tagged WHERE category_id <> '{}'")
    assert {id: set(theirs) for id, theirs in found} == expected != {}


def test_a_domain_is_odoos(shop, truth):
    shop.run("""SELECT * FROM odoo_mirror('res.country.state', 'states', '{name,code}',
                '[["country_id.code", "=", "US"]]')""")
    shop.run("SELECT * FROM odoo_sync('states')")
    expected = ask(truth, "SELECT s.id, s.name, s.code FROM res_country_state s "
                          "JOIN res_country c ON c.id = s.country_id WHERE c.code = 'US'")
    assert set(shop.run("SELECT id, name, code FROM states")) == set(expected) != set()


def test_changes_and_deletes_are_followed(shop, truth, api):
    verify = "SELECT missing, stale, deleted FROM odoo_verify('tags')"
    with tags(api, 3) as (renamed, archived, gone):
        shop.run("SELECT * FROM odoo_mirror('res.partner.category', 'tags')")
        shop.run("SELECT * FROM odoo_sync('tags')")
        changes = {"name": "Renamed", "parent_id": archived, "color": 7}
        api("res.partner.category", "write", [renamed], changes)
        api("res.partner.category", "write", [archived], {"active": False})
        report = shop.report("SELECT * FROM odoo_sync('tags')")["tags"]
        assert (report["inserted"], report["updated"], report["deleted"]) == (0, 2, 0)
        found = shop.run("SELECT name, parent_id, color FROM tags WHERE id = %s", renamed)
        assert found == [("Renamed", archived, 7)]
        assert unequal(shop, truth, api, "res.partner.category", "tags") == []
        api("res.partner.category", "unlink", [gone])
        assert shop.report("SELECT * FROM odoo_sync('tags')")["tags"]["deleted"] == 0
        assert shop.run(verify) == [(0, 0, 1)]
        assert shop.report("SELECT * FROM odoo_reconcile('tags')")["tags"]["deleted"] == 1
        assert shop.run(verify) == [(0, 0, 0)]
        assert shop.value("SELECT count(*) FROM tags WHERE id = %s", gone) == 0
        assert unequal(shop, truth, api, "res.partner.category", "tags") == []


def test_a_field_made_in_odoo_becomes_a_column_of_a_mirror(shop, truth, api):
    with tags(api, 2) as made:
        shop.run("SELECT * FROM odoo_mirror('res.partner.category', 'tags')")
        shop.run("SELECT * FROM odoo_sync('tags')")
        with manual_field(api, "res.partner.category", "x_note") as note:
            api("res.partner.category", "write", made[:1], {"x_note": "Größe \"L\""})
            shop.run("SELECT * FROM odoo_sync('tags')")
            assert unequal(shop, truth, api, "res.partner.category", "tags") == []
            kept = shop.run("SELECT id, x_note FROM tags ORDER BY id")
            assert (made[0], "Größe \"L\"") in kept and (made[1], None) in kept
            api("ir.model.fields", "unlink", [note])
            api("res.partner.category", "write", made, {"color": 5})
            shop.run("SELECT * FROM odoo_sync('tags')")
        assert ("tags: Odoo has no field x_note of res.partner.category any more; "
                "the column keeps its values") in shop.notices
        assert shop.run("SELECT id, x_note FROM tags ORDER BY id") == kept
        assert unequal(shop, truth, api, "res.partner.category", "tags") == []


def test_a_field_made_in_odoo_is_added_to_the_products(shop, truth, api):
    shop.run(PRODUCTS)
    some = api("product.product", "search", [], limit=3, order="id")
    with manual_field(api, "product.product", "x_season") as season:
        api("product.product", "write", some[:1], {"x_season": "Winter"})
        api("product.product", "write", some[1:2], {"x_season": "été"})
        assert shop.value("SELECT odoo_add_column('dim_products', 'x_season')") == "text"
        shop.run(PRODUCTS)
        theirs = "SELECT id, x_season FROM product_product ORDER BY id"
        ours = "SELECT id, x_season FROM dim_products ORDER BY id"
        assert shop.run(ours) == ask(truth, theirs)
        assert shop.value("SELECT count(x_season) FROM dim_products") == 2
        api("product.product", "write", some, {"x_season": "Autumn"})
        report = shop.report(PRODUCTS)["dim_products"]
        assert report["updated"] == 3
        kept = shop.run(ours)
        assert kept == ask(truth, theirs)
        assert differences(shop, truth, "dim_products") == []
        api("ir.model.fields", "unlink", [season])
        weight = api("product.product", "read", some[:1], ["weight"])[0]["weight"]
        api("product.product", "write", some[:1], {"weight": weight + 1})
        try:
            shop.run(PRODUCTS)
            assert ("dim_products: Odoo has no field x_season of product.product any more; "
                    "the column keeps its values") in shop.notices
            assert shop.run(ours) == kept
            assert differences(shop, truth, "dim_products") == []
        finally:
            api("product.product", "write", some[:1], {"weight": weight})
    shop.run("SELECT odoo_drop_column('dim_products', 'x_season')")
    shop.run(PRODUCTS)
    assert differences(shop, truth, "dim_products") == []


def test_a_path_leads_over_a_relation(shop, truth):
    shop.run(PRODUCTS)
    assert shop.value("SELECT odoo_add_column('dim_products', 'categ_id.complete_name')") == "text"
    shop.run(PRODUCTS)
    theirs = ("SELECT p.id, c.complete_name FROM product_product p "
              "JOIN product_template t ON t.id = p.product_tmpl_id "
              "LEFT JOIN product_category c ON c.id = t.categ_id ORDER BY p.id")
    ours = "SELECT id, categ_id_complete_name FROM dim_products ORDER BY id"
    assert shop.run(ours) == ask(truth, theirs)
    assert shop.value("SELECT count(DISTINCT categ_id_complete_name) FROM dim_products") > 1
