"""Foreign tables in groups: Odoo sums up where its answer is PostgreSQL's, and PostgreSQL where it may not be."""

from decimal import Decimal

import pytest

from .conftest import PROTOCOL, require_extension, url
from .fake.orm import Fault
from .fake.server import behaviour_of

pytestmark = pytest.mark.postgres

RELEASES = [14, 16, 17, 18, 19, 20]


def plan(db, query):
    return "\n".join(line for line, in db.run(f"EXPLAIN (COSTS OFF) {query}"))


def asked(fake, tag):
    return [method for method, prefix in fake.calls if tag in prefix]


def groups_asked(fake, tag):
    return [method for method in asked(fake, tag) if method.endswith("read_group")]


def answers(db, query):
    """With and without Odoo's help."""
    # 20.0 and 20.00 are one number.
    key = lambda row: [str(cell.normalize() if isinstance(cell, Decimal) else cell) for cell in row]
    return [sorted(db.run(query.format(s=schema)), key=key) for schema in ("live", "plain")]


def shop(db, fake, tag, release=19, **options):
    """Lines of which some have no number, no order, and names that are empty or none."""
    path = f"version={release}/{tag}"
    lines = behaviour_of("/" + path).database.models["sale.order.line"].records
    for id, number in enumerate([0.1, 0.2, -5.25, None, 0.0, 19.99, None], 200):
        lines[id] = {"id": id, "order_id": 71 + 6 * (id % 2), "product_id": 31 + id % 3, "sequence": id % 4,
                     "name": ["", False, "a", "A"][id % 4], "write_date": f"2024-01-0{id - 199} 10:00:00"}
        if number is not None:
            lines[id] |= {"price_subtotal": number}
    db.server(url(fake, path), **options)
    for schema in ("live", "plain"):
        db.run(f"CREATE SCHEMA {schema}")
        db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (sale_order, sale_order_line, product_template, res_partner, "
               f"hr_employee) FROM SERVER erp INTO {schema}")
    for table, in db.run("SELECT relname FROM pg_class WHERE relnamespace = 'plain'::regnamespace AND relkind = 'f'"):
        db.run(f"ALTER FOREIGN TABLE plain.{table} OPTIONS (ADD pushdown 'false')")
    return lines


#: What Odoo sums up.
PUSHED = [
    "SELECT sum(price_subtotal), avg(price_subtotal), min(price_subtotal), max(price_subtotal), count(*) FROM {s}.sale_order_line",
    "SELECT product_id, sum(price_subtotal), avg(price_subtotal) FROM {s}.sale_order_line GROUP BY product_id",
    "SELECT order_id, product_id, count(*), count(name), count(price_subtotal) FROM {s}.sale_order_line GROUP BY 1, 2",
    "SELECT min(write_date), max(write_date), min(id), max(id), count(product_id) FROM {s}.sale_order_line",
    "SELECT name, max(price_subtotal) FROM {s}.sale_order_line GROUP BY name",
    "SELECT product_id FROM {s}.sale_order_line GROUP BY product_id",
    "SELECT order_id, 2 * sum(price_subtotal) + 1, count(*)::text FROM {s}.sale_order_line WHERE product_id IN (31, 32) GROUP BY order_id",
    "SELECT product_id, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY product_id HAVING count(*) > 2 AND max(id) > 3",
    "SELECT is_company, active, count(*), sum(customer_rank), min(customer_rank), avg(customer_rank) FROM {s}.res_partner GROUP BY 1, 2",
    "SELECT sum(list_price), min(list_price), avg(list_price) FROM {s}.product_template WHERE id > 0",
    "SELECT min(departure_date), max(departure_date) FROM {s}.hr_employee",
    "SELECT product_id, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY product_id ORDER BY 2 DESC, 1 LIMIT 2",
]


@pytest.mark.parametrize("release", RELEASES)
def test_odoos_groups_are_postgresqls(db, fake, release):
    shop(db, fake, db.name, release)
    for query in PUSHED:
        shown = plan(db, query.format(s="live"))
        begin = len(groups_asked(fake, db.name))
        one, other = answers(db, query)
        assert one == other, query
        assert "Odoo Aggregate: " in shown, query
        assert len(groups_asked(fake, db.name)) == begin + 1, query
        # PostgreSQL's own plan stands by, and has nothing to do.
        done = "\n".join(line for line, in db.run(f"EXPLAIN (ANALYZE, COSTS OFF) {query.format(s='live')}"))
        assert "(never executed)" in done, query
    name = "formatted_read_group" if release >= 19 else "read_group"
    assert set(groups_asked(fake, db.name)) == {name}


def test_nothing_is_read_for_groups(db, fake):
    shop(db, fake, db.name)
    db.run("SELECT count(*) FROM live.sale_order_line")
    begin = len(asked(fake, db.name))
    db.run("SELECT product_id, sum(price_subtotal) FROM live.sale_order_line GROUP BY product_id")
    methods = asked(fake, db.name)[begin:]
    assert "search" not in methods and methods.count("formatted_read_group") == 1


#: What PostgreSQL sums up by itself.
NOT_PUSHED = {
    "a binary number": "SELECT sum(price_tax) FROM {s}.sale_order_line",
    "a number that Odoo does not round": "SELECT avg(price_unit) FROM {s}.sale_order_line",
    "texts in order": "SELECT min(name) FROM {s}.sale_order_line",
    "a time": "SELECT write_date, count(*) FROM {s}.sale_order_line GROUP BY write_date",
    "a number in groups": "SELECT price_subtotal, count(*) FROM {s}.sale_order_line GROUP BY 1",
    "what is grouped by": "SELECT product_id, max(price_subtotal), count(product_id) FROM {s}.sale_order_line GROUP BY 1",
    "an expression": "SELECT sum(price_subtotal * 2) FROM {s}.sale_order_line",
    "an expression in groups": "SELECT product_id % 2, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY 1",
    "some rows": "SELECT sum(price_subtotal) FILTER (WHERE id > 200) FROM {s}.sale_order_line",
    "values once": "SELECT count(DISTINCT product_id) FROM {s}.sale_order_line",
    "grouping sets": "SELECT product_id, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY ROLLUP (product_id)",
    "a condition that Odoo does not decide": "SELECT sum(price_subtotal) FROM {s}.sale_order_line WHERE price_subtotal > 0",
    "other aggregates": "SELECT stddev(price_subtotal), sum(price_subtotal) FROM {s}.sale_order_line",
    "equality of its own": "SELECT name COLLATE loose, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY 1",
    "a join": "SELECT o.name, sum(l.price_subtotal) FROM {s}.sale_order_line l JOIN {s}.sale_order o ON o.id = l.order_id GROUP BY 1",
}


def test_what_is_not_surely_equal_is_postgresqls(db, fake):
    require_extension("ICU")
    shop(db, fake, db.name)
    db.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    for reason, query in NOT_PUSHED.items():
        assert "Odoo Aggregate" not in plan(db, query.format(s="live")), reason
        one, other = answers(db, query)
        assert one == other, reason
    assert groups_asked(fake, db.name) == []
    db.run("ALTER FOREIGN TABLE live.sale_order_line ALTER COLUMN product_id OPTIONS (ADD pushdown 'false')")
    assert "Odoo Aggregate" not in plan(db, "SELECT product_id, count(*) FROM live.sale_order_line GROUP BY 1")


SUM = "SELECT product_id, sum(price_subtotal) FROM {s}.sale_order_line GROUP BY product_id"


def noise(model):
    """The till up to 17 writes such numbers."""
    model.records[205]["price_subtotal"] = 19.990000000000002


def large(model):
    model.records[205]["price_subtotal"] = 99_999_999_999_999.99


def small(model):
    """Of a precision that was lowered since."""
    model.records[205]["price_subtotal"] = 0.00000001


def alike(model):
    """Groups that differ in what XML loses."""
    model.records[205]["name"], model.records[206]["name"] = "a\x01b", "ab"


def private(model):
    """As `calendar.event`: groups of fewer records than a search finds."""
    own = type(model).formatted_read_group
    model.formatted_read_group = lambda domain, **kwargs: own(model, [*domain, ["id", "!=", 205]], **kwargs)


def refused(model):
    """As `ir.attachment`."""
    def formatted_read_group(domain, **kwargs):
        raise Fault(4, "Sorry, you are not allowed to access this document.")
    model.formatted_read_group = formatted_read_group


def silent(model):
    """An override that forgets a total."""
    own = type(model).formatted_read_group
    model.formatted_read_group = lambda domain, **kwargs: [
        {key: value for key, value in group.items() if key != "price_subtotal:sum"} for group in own(model, domain, **kwargs)]


def many(model):
    """Up to 18 each would repeat the domain."""
    for id in range(1000, 2500):
        model.records[id] = {"id": id, "product_id": id}


@pytest.mark.parametrize("trouble", [noise, large, small, alike, private, refused, silent, many], ids=lambda trouble: trouble.__name__)
def test_an_answer_in_doubt_is_not_used(db, fake, trouble):
    """PostgreSQL's own plan does it then."""
    shop(db, fake, db.name)
    trouble(behaviour_of(f"/version=19/{db.name}").database.models["sale.order.line"])
    query = SUM.replace("product_id", "name") if trouble is alike else SUM
    if trouble is many:
        query = query.replace("GROUP", f"WHERE id IN ({', '.join(map(str, range(1000, 11000)))}) GROUP")
    if trouble is alike and PROTOCOL != "xmlrpc":
        pytest.skip("JSON loses nothing")
    assert "Odoo Aggregate: " in plan(db, query.format(s="live"))
    one, other = answers(db, query)
    assert one == other
    done = "\n".join(line for line, in db.run(f"EXPLAIN (ANALYZE, COSTS OFF) {query.format(s='live')}"))
    assert "(never executed)" not in done and groups_asked(fake, db.name) != []


def test_records_that_come_meanwhile_are_no_doubt(db, fake):
    shop(db, fake, db.name)
    model = behaviour_of(f"/version=19/{db.name}").database.models["sale.order.line"]
    own = type(model).formatted_read_group

    def formatted_read_group(domain, **kwargs):
        model.records[300] = {"id": 300, "product_id": 31, "price_subtotal": 1.0}
        return own(model, domain, **kwargs)
    model.formatted_read_group = formatted_read_group
    query = "SELECT sum(price_subtotal), count(*) FROM live.sale_order_line"
    done = "\n".join(line for line, in db.run(f"EXPLAIN (ANALYZE, COSTS OFF) {query}"))
    assert "(never executed)" in done


#: Groups of what a condition makes one value: there is one group, or none. PostgreSQL 16 and later leave such a
#: column out of what they group by.
CONSTANT = [
    "SELECT product_id, count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY product_id",
    "SELECT count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY product_id",
    "SELECT count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 5 GROUP BY product_id",
    "SELECT order_id, product_id, count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY 1, 2",
    "SELECT order_id, product_id, count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 31 AND order_id = 71 GROUP BY 1, 2",
    "SELECT name, count(*), sum(price_subtotal) FROM {s}.sale_order_line WHERE name = 'a' GROUP BY name",
    "SELECT product_id, count(*) FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY product_id HAVING sum(price_subtotal) > 0",
    "SELECT product_id, sum(price_subtotal) FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY product_id ORDER BY 1, 2 LIMIT 1",
    "SELECT product_id FROM {s}.sale_order_line WHERE product_id = 31 GROUP BY product_id",
]


@pytest.mark.parametrize("is_sure", [True, False])
def test_groups_of_what_a_condition_makes_constant(db, fake, is_sure):
    lines = shop(db, fake, db.name)
    if not is_sure:
        # PostgreSQL's own plan sums them up, which is there for answers in doubt.
        for id in lines:
            lines[id]["price_subtotal"] = 19.990000000000002
    for query in CONSTANT:
        shown = plan(db, query.format(s="live"))
        assert "Odoo Aggregate: " in shown, query
        one, other = answers(db, query)
        assert one == other and len(one) == (0 if "= 5" in query else len(one) or 1), query
        done = "\n".join(line for line, in db.run(f"EXPLAIN (ANALYZE, COSTS OFF) {query.format(s='live')}"))
        assert ("(never executed)" in done) == (is_sure or "sum" not in query or "= 5" in query), query
    # With the value of a parameter, and anew for each row of another table.
    db.run("SET plan_cache_mode = force_generic_plan")
    for schema in ("live", "plain"):
        db.run(f"PREPARE {schema} (bigint) AS {CONSTANT[0].format(s=schema).replace('31', '$1')}")
    for product in (31, 5, 32):
        assert db.run(f"EXECUTE live({product})") == db.run(f"EXECUTE plain({product})")
    lateral = ("SELECT x.* FROM (VALUES (31), (5), (32)) v (id), LATERAL (SELECT product_id, count(*), sum(price_subtotal) "
               "FROM {s}.sale_order_line WHERE product_id = v.id GROUP BY product_id) x")
    one, other = answers(db, lateral)
    assert one == other and len(one) == 2


@pytest.mark.parametrize("release", [14, 19])
def test_no_rows_are_one_group_or_none(db, fake, release):
    shop(db, fake, db.name, release)
    for where in ("id < 0", "id = ANY ('{{}}')", "product_id = 5"):
        query = "SELECT sum(price_subtotal), avg(price_subtotal), min(write_date), count(name), count(*) FROM {s}.sale_order_line WHERE " + where
        assert answers(db, query) == [[(None, None, None, 0, 0)]] * 2
        assert answers(db, SUM.replace(" GROUP", f" WHERE {where} GROUP")) == [[], []]


def test_whole_numbers_that_are_null_are_in_the_group_of_zero(db, fake):
    lines = behaviour_of(f"/version=19/{db.name}").database.models["res.partner"].records
    lines[10]["customer_rank"] = 0
    shop(db, fake, db.name)
    one, other = answers(db, "SELECT customer_rank, count(*), sum(supplier_rank) FROM {s}.res_partner GROUP BY customer_rank")
    assert one == other and [row[0] for row in one] == [0]


def test_groups_are_asked_for_anew_with_other_values(db, fake):
    shop(db, fake, db.name)
    query = ("SELECT o.id, x.* FROM (VALUES (71), (77), (5)) o (id), LATERAL (SELECT product_id, sum(price_subtotal) "
             "FROM {s}.sale_order_line WHERE order_id = o.id GROUP BY product_id) x ORDER BY 1, 2")
    one, other = answers(db, query)
    assert one == other and len(one) > 3
    assert len(groups_asked(fake, db.name)) == 3
    db.run("SET plan_cache_mode = force_generic_plan")
    for schema in ("live", "plain"):
        db.run(f"PREPARE {schema} (bigint) AS SELECT sum(price_subtotal) FROM {schema}.sale_order_line WHERE order_id = $1")
    for order in (71, 77, 71):
        assert db.run(f"EXECUTE live({order})") == db.run(f"EXECUTE plain({order})")
    assert len(groups_asked(fake, db.name)) == 6


def test_a_report_that_odoo_computes_is_scanned(db, fake):
    """Its numbers are not rounded, and its records have no dates."""
    model = behaviour_of(f"/version=19/{db.name}").database.models["sale.order.line"]
    del model.fields["write_date"]
    shop(db, fake, db.name)
    assert "Odoo Aggregate" not in plan(db, SUM.format(s="live"))
