"""Foreign tables on an Odoo that stalls, fails or is large: requests, memory, rights."""

import threading
import time

import psycopg2
import pytest

from .conftest import BY_PASSWORD, url
from .fake.server import behaviour_of
from .test_cancel import threads, wait_until
from .test_memory import MORE, high_water

pytestmark = pytest.mark.postgres

COLUMNS = ("id bigint, name text, active boolean, list_price numeric, categ_id bigint, pos_categ_ids bigint[], "
           "write_date timestamptz, default_code text")


#: Without lists, which `search_read` gives otherwise.
SIMPLE = "id bigint, name text, categ_id bigint"


def products(db, address, name="product", server="erp", options="", columns=COLUMNS, **server_options):
    if db.value("SELECT count(*) FROM pg_foreign_server WHERE srvname = %s", server) == 0:
        db.server(address, name=server, **server_options)
    db.run(f"CREATE FOREIGN TABLE {name} ({columns}) SERVER {server} OPTIONS (model 'product.product'{options})")


def asked(fake, tag):
    """The methods that were called for the address with that tag."""
    return [method for method, prefix in fake.calls if tag in prefix]


def test_rows_are_whole(db, fake):
    products(db, url(fake, "rows=2500"), page_size=100)
    rows = db.run("SELECT id, name, active, list_price::text, categ_id, pos_categ_ids, default_code FROM product ORDER BY id")
    assert rows == [
        (id, f"Product {id}", id % 10 != 0, str(id + 0.99), 1 + id % 3, [1, 2] if id % 3 == 0 else [], f"P{id:05}")
        for id in range(1, 2501)]


def test_a_limit_reads_so_many(db, fake):
    products(db, url(fake, "rows=9000/limit"), page_size=1000)
    assert len(db.run("SELECT name FROM product WHERE categ_id = 1 LIMIT 7")) == 7
    assert asked(fake, "/limit").count("read") == 1
    # What PostgreSQL filters is read in small pages, until there is enough.
    assert len(db.run("SELECT name FROM product WHERE name ~ '9$' LIMIT 7")) == 7
    assert asked(fake, "/limit").count("read") <= 4


def test_a_count_reads_nothing(db, fake):
    products(db, url(fake, "rows=9000/count"))
    assert db.value("SELECT count(*) FROM product WHERE categ_id <> 1") == 6000
    assert "read" not in asked(fake, "/count") and "search" not in asked(fake, "/count")


def test_all_ways_to_ask_find_the_same_records(db, fake):
    db.server(url(fake))
    db.run("CREATE FOREIGN TABLE attachment (id bigint, name text, write_date timestamptz) SERVER erp OPTIONS (model 'ir.attachment')")
    assert db.value("SELECT count(*) FROM attachment") == db.value("SELECT count(name || '') FROM attachment") == 3
    for order in ("", "ORDER BY id DESC LIMIT 9", "ORDER BY write_date"):
        assert {id for id, in db.run(f"SELECT id FROM attachment {order}")} == {1, 2, 3}


def test_a_closed_cursor_asks_no_more(db, fake):
    products(db, url(fake, "rows=200000/cursor"), page_size=1000)
    db.connection.autocommit = False
    db.run("DECLARE c CURSOR FOR SELECT id, name FROM product")
    assert len(db.run("FETCH 10 FROM c")) == 10
    db.run("CLOSE c")
    time.sleep(0.3)
    before = len(asked(fake, "/cursor"))
    assert asked(fake, "/cursor").count("read") <= 3
    time.sleep(0.7)
    assert len(asked(fake, "/cursor")) == before
    db.connection.rollback()
    assert wait_until(lambda: threads(db.connection.get_backend_pid()) == 1, 1)
    # A scan that is read to its end does ask for all.
    assert db.value("SELECT count(name) FROM product WHERE id <= 20000 AND name <> 'x' AND id + 0 > 0") == 20000


@pytest.mark.parametrize("phase", ["stall@search", "stall@read", "drip@read", "stall-body@read", "stall@search_count", "stall@fields_get"])
def test_cancel(db, fake, phase):
    products(db, url(fake, f"rows=2000/{phase}"), timeout=60)
    statement = "SELECT count(*) FROM product" if "count" in phase else "SELECT name FROM product"
    pid = db.connection.get_backend_pid()
    sent = []

    def cancel():
        time.sleep(0.7)
        sent.append(time.monotonic())
        db.connection.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run(statement)
    assert time.monotonic() - sent[0] < 1
    assert wait_until(lambda: threads(pid) == 1, 1), "a helper thread is still alive"
    assert db.value("SELECT 1") == 1


def test_an_error_in_a_subtransaction_leaves_the_rest(db, fake):
    products(db, url(fake, "rows=3000/fault=1@read"))
    db.server(url(fake, "rows=3000"), name="sound")
    products(db, "", name="sound", server="sound")
    db.run("""DO $$ BEGIN
        FOR i IN 1..20 LOOP
            BEGIN
                PERFORM count(name || '') FROM product;
                RAISE 'no error';
            EXCEPTION WHEN fdw_error THEN NULL;
            END;
            ASSERT (SELECT count(name || '') FROM sound WHERE id < 100) = 99;
        END LOOP;
    END $$""")
    assert wait_until(lambda: threads(db.connection.get_backend_pid()) == 1, 1)


def test_a_page_that_is_too_much_is_asked_in_halves(db, fake):
    products(db, url(fake, "rows=3000/most=300"), page_size=2000)
    assert db.run("SELECT count(name), sum(id) FROM product WHERE name <> ''") == [(3000, 3000 * 3001 // 2)]


def test_values_that_odoo_cannot_give_are_its_error(db, fake):
    products(db, url(fake, "rows=30/poison=product.product:7:name"))
    with pytest.raises(psycopg2.Error, match="cannot marshal None") as raised:
        db.run("SELECT name FROM product")
    assert raised.value.pgcode == "HV000"
    assert db.value("SELECT count(list_price) FROM product WHERE list_price > 0") == 30


def test_memory_does_not_grow_with_the_rows(db, fake):
    peaks = []
    for rows in (50_000, 500_000):
        products(db, url(fake, f"rows={rows}"), name=f"product{rows}", server=f"erp{rows}")
        db.connection.close()
        db.connection = db.connect()
        assert db.run(f"SELECT count(name), sum(length(default_code)) > 0 FROM product{rows}") == [(rows, True)]
        peaks.append(high_water(db.connection.get_backend_pid()))
    print(f"{peaks[0]:.0f} MB for 50,000 rows, {peaks[1]:.0f} MB for 500,000")
    assert peaks[1] - peaks[0] < MORE


def test_tables_are_read_as_postgres_says(db, fake):
    """Rights on the table are PostgreSQL's; the mapping is that of the role whose rights are used."""
    products(db, url(fake, "rows=20"))
    role, owner = f"{db.name}_reader", f"{db.name}_owner"
    for name in (role, owner):
        db.run(f"CREATE ROLE {name}")
    db.run(f"GRANT CREATE ON SCHEMA public TO {owner}")
    db.run(f"CREATE USER MAPPING FOR {owner} SERVER erp OPTIONS (login 'admin', password 'admin')")
    db.run(f"GRANT SELECT ON product TO {owner}")
    db.run(f"SET ROLE {owner}")
    db.run("CREATE VIEW cheap AS SELECT id, name FROM product WHERE list_price < 5")
    db.run(f"GRANT SELECT ON cheap TO {role}")
    db.run(f"SET ROLE {role}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for foreign table product"):
        db.run("SELECT * FROM product")
    # Through the view with its owner's mapping; by itself it has none.
    assert db.value("SELECT count(name) FROM cheap") == 4
    db.run("RESET ROLE")
    db.run(f"GRANT SELECT ON product TO {role}")
    db.run(f"SET ROLE {role}")
    with pytest.raises(psycopg2.errors.UndefinedObject, match="user mapping not found"):
        db.run("SELECT * FROM product")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for foreign server erp"):
        db.run("IMPORT FOREIGN SCHEMA odoo FROM SERVER erp INTO public")
    db.run("RESET ROLE")
    db.run(f"DROP OWNED BY {role}, {owner}")
    for name in (role, owner):
        db.run(f"DROP ROLE {name}")


def test_a_hostile_search_path_changes_nothing(db, fake):
    products(db, url(fake, "version=19/path"))
    db.run("CREATE SCHEMA evil")
    db.run("CREATE FUNCTION evil.eq(bigint, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    db.run("CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = evil.eq)")
    db.run("SET search_path = evil, pg_catalog, public")
    # An operator that only looks like PostgreSQL's is not handed to Odoo.
    plan = "\n".join(line for line, in db.run("EXPLAIN SELECT id FROM product WHERE id = 31"))
    assert "Odoo Domain: []" in plan
    assert db.value("SELECT count(*) FROM product WHERE id = 31") > 1
    db.run("SET search_path = evil, public")
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (res_partner) FROM SERVER erp INTO live")
    assert db.value("SELECT count(*) > 3 FROM live.res_partner")


def test_a_generic_plan_shows_its_parameters(db, fake):
    if db.connection.server_version < 160_000:
        pytest.skip("EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16")
    products(db, url(fake, "rows=20"))
    plan = "\n".join(line for line, in db.run("EXPLAIN (GENERIC_PLAN) SELECT id FROM product WHERE id = $1 AND name = $2"))
    assert 'Odoo Domain: [["id","=","$1"],["name","=","$2"]]' in plan


def test_two_servers_in_one_query(db, fake):
    products(db, url(fake, "rows=20"))
    products(db, url(fake, "rows=30"), name="other", server="branch")
    assert db.run("SELECT count(*), count(p.name) FROM other o LEFT JOIN product p ON p.id = o.id") == [(30, 20)]


def test_live_and_loaded_rows_join(db, fake):
    products(db, url(fake, "rows=40"))
    db.run("SELECT * FROM odoo_sync('products')")
    assert db.value("SELECT count(*) FROM product p JOIN dim_products d USING (id) WHERE p.name = d.name") == 40


def test_one_login_serves_a_transaction(db, fake):
    products(db, url(fake, "rows=20/logins"))
    with db.connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for _ in range(5):
            cursor.execute("SELECT count(name) FROM product a JOIN product b USING (id, name)")
        cursor.execute("COMMIT")
    assert len([m for m in asked(fake, "/logins") if m == "authenticate"]) <= 2
    assert threads(db.connection.get_backend_pid()) == 1


def test_other_credentials_are_used_at_once(db, fake):
    products(db, url(fake, "rows=20"), protocol=BY_PASSWORD)
    db.run("BEGIN")
    assert db.value("SELECT count(*) FROM product") == 20
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'wrong')")
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification):
        db.run("SELECT count(*) FROM product")
    db.run("ROLLBACK")
    assert db.value("SELECT count(*) FROM product") == 20


def test_estimates_come_from_odoo_for_joins(db, fake):
    products(db, url(fake, "rows=9000"))
    db.run("SET enable_hashjoin = on")
    db.run("CREATE TABLE local AS SELECT generate_series(1, 2000)::bigint AS id, 'x' AS x")
    db.run("ANALYZE local")
    join = "EXPLAIN SELECT * FROM local JOIN product USING (id)"
    # For a row or two Odoo is asked for each, for many rows once.
    for condition, kind in (("local.id = 7 AND local.x = 'x'", "Nested Loop"), ("true", "Hash Join")):
        plan = "\n".join(line for line, in db.run(f"{join} WHERE {condition}"))
        assert kind in plan, plan
    plan = "\n".join(line for line, in db.run("EXPLAIN SELECT * FROM product a JOIN product b USING (id) WHERE a.categ_id = 1 OFFSET 0"))
    assert "rows=3000" in plan and "rows=9000" in plan


def test_a_plan_asks_for_one_count_of_each_table(db, fake):
    db.server(url(fake, "version=19/counts"))
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (sale_order, sale_order_line, res_partner) FROM SERVER erp INTO live")
    join = ("SELECT count(l.name) FROM live.sale_order o JOIN live.sale_order_line l ON l.order_id = o.id "
            "JOIN live.res_partner p ON p.id = o.partner_id WHERE o.state = 'sale' AND l.product_id > 0 AND p.active")
    plan = "\n".join(line for line, in db.run(f"EXPLAIN {join}"))
    assert asked(fake, "/counts").count("search_count") == 3, plan
    db.run(f"EXPLAIN {join}")
    db.run(join)
    assert asked(fake, "/counts").count("search_count") == 3


def nested_loop(db, fake, tag, ids):
    """A join of local rows with these ids to products, and what Odoo was asked for them."""
    db.run("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off")
    db.run(f"CREATE TABLE wanted AS SELECT id::bigint FROM unnest(ARRAY{list(ids)}) id")
    db.run("ANALYZE wanted")
    query = "SELECT w.id, p.name FROM wanted w LEFT JOIN product p ON p.id = w.id"
    plan = "\n".join(line for line, in db.run(f"EXPLAIN {query}"))
    assert "Nested Loop" in plan
    begin = len(asked(fake, tag))
    assert sorted(db.run(query)) == sorted((id, f"Product {id}") for id in ids)
    methods = asked(fake, tag)[begin:]
    return plan, [method for method in methods if method in ("search", "read", "search_read")]


def test_a_row_of_a_nested_loop_costs_one_request(db, fake):
    products(db, url(fake, "rows=300/nested"), columns=SIMPLE)
    plan, methods = nested_loop(db, fake, "/nested", range(100, 120))
    assert methods == ["search_read"] * 20


def test_a_row_that_comes_again_costs_none(db, fake):
    products(db, url(fake, "rows=300/again"), columns=SIMPLE)
    plan, methods = nested_loop(db, fake, "/again", [*range(100, 110)] * 8)
    assert "Memoize" in plan
    assert methods == ["search_read"] * 10


def test_more_records_than_were_expected_are_read_on(db, fake):
    """The first ones come with one request, whatever the plan thought of them; the others in pages."""
    products(db, url(fake, "rows=3000/few"), columns=SIMPLE, page_size=500)
    query = "SELECT id, name FROM product WHERE categ_id = 1"
    for _ in range(2):
        begin = len(asked(fake, "/few"))
        assert sorted(db.run(query)) == [(id, f"Product {id}") for id in range(3, 3001, 3)]
        methods = [method for method in asked(fake, "/few")[begin:] if method in ("search", "read", "search_read")]
        assert methods[0] == "search_read" and methods.count("search_read") == 1 and methods.count("read") >= 2
    assert db.run("SELECT name FROM product WHERE id = 7 OR id = 100000") == [("Product 7",)]


def test_what_odoo_refuses_at_first_is_told_as_ever(db, fake):
    products(db, url(fake, "rows=30/poison=product.product:7:name"), columns=SIMPLE)
    with pytest.raises(psycopg2.Error, match="cannot marshal None"):
        db.run("SELECT name FROM product WHERE id = 7")
    assert db.run("SELECT name FROM product WHERE id = 8") == [("Product 8",)]


def test_analyze_samples(db, fake):
    products(db, url(fake, "rows=40000"))
    db.run("SET default_statistics_target = 10")
    db.run("ANALYZE product")
    assert db.value("SELECT reltuples FROM pg_class WHERE oid = 'product'::regclass") == 40000
    low, high = db.run("SELECT (histogram_bounds::text::bigint[])[1], (histogram_bounds::text::bigint[])[11] "
                       "FROM pg_stats WHERE tablename = 'product' AND attname = 'id'")[0]
    assert low < 2000 and high > 38000


def test_a_child_is_analysed_as_its_owner(db, fake):
    products(db, url(fake, "rows=20"))
    owner = f"{db.name}_owner"
    db.run(f"CREATE ROLE {owner}")
    db.run(f"CREATE USER MAPPING FOR {owner} SERVER erp OPTIONS (login 'admin', password 'admin')")
    db.run("DROP USER MAPPING FOR CURRENT_USER SERVER erp")
    db.run("CREATE TABLE parent (id bigint)")
    db.run("ALTER FOREIGN TABLE product INHERIT parent")
    db.run(f"ALTER FOREIGN TABLE product OWNER TO {owner}")
    db.run("ANALYZE parent")
    assert db.value("SELECT count(*) FROM pg_stats WHERE tablename = 'parent' AND inherited") == 1
    db.run("DROP TABLE parent CASCADE")
    db.run(f"DROP OWNED BY {owner}")
    db.run(f"DROP ROLE {owner}")


def test_explain_analyze_counts(db, fake):
    products(db, url(fake, "rows=2500"), page_size=1000)
    lines = [line.strip() for line, in db.run("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT name FROM product")]
    assert "Odoo Rows: 2500" in lines
    # Version or login, the user's companies, a search and three reads.
    requests = next(int(line.split(": ")[1]) for line in lines if line.startswith("Odoo Requests"))
    assert 4 <= requests <= 7
    assert next(int(line.split(": ")[1]) for line in lines if line.startswith("Odoo Bytes")) > 100_000


@pytest.mark.parametrize("release", [14, 17, 18])
def test_values_of_each_company_are_imported(db, fake, release):
    """Odoo keeps them for the user, be it beside the model's table as up to 17."""
    db.server(url(fake, f"version={release}"))
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (product_product) FROM SERVER erp INTO live")
    assert db.value("SELECT standard_price FROM live.product_product WHERE id = 31") == 2.5
    assert db.run("SELECT id FROM live.product_product WHERE standard_price = 2.5") == [(31,)]
    assert db.value("SELECT data -> 'standard_price' FROM odoo_read('product.product', '[[\"id\",\"=\",31]]')") == 2.5
    assert "standard_price" in {row[0] for row in db.run("SELECT column_name FROM odoo_mirror('product.product', 'goods')")}
    # What is computed is not.
    assert db.run("SELECT attname FROM pg_attribute WHERE attrelid = 'live.product_product'::regclass AND attname = 'qty_available'") == []


RELATION = "loyalty.reward"


def denied_import(db, fake, behaviour):
    """The columns of a model that refers to another one, imported by a user who may not read that."""
    db.server(url(fake, f"version=19{behaviour}/{db.name}"))
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (loyalty_program) FROM SERVER erp INTO live")
    found = db.run("SELECT attname FROM pg_attribute WHERE attrelid = 'live.loyalty_program'::regclass AND attnum > 0")
    return {name for name, in found}


@pytest.mark.parametrize("behaviour", ["", "/empty"])
def test_fields_of_a_model_that_may_not_be_read_are_left_out(db, fake, behaviour):
    """Of a table without records too, which will have some."""
    if behaviour:
        behaviour_of(f"/version=19/denied={RELATION}{behaviour}/{db.name}").database.models["loyalty.program"].records.clear()
    columns = denied_import(db, fake, f"/denied={RELATION}{behaviour}")
    assert "reward_ids" not in columns and {"id", "name", "company_id"} <= columns
    assert 'loyalty_program: left out reward_ids, the Odoo user may not read loyalty.reward' in db.notices
    assert len(db.run("SELECT * FROM live.loyalty_program")) == (0 if behaviour else 2)
    # One question for a model, however many fields lead there.
    assert asked(fake, db.name).count("search") <= 5


def test_a_right_that_is_lost_later_names_the_column(db, fake):
    """NULL would say that there are none."""
    assert "reward_ids" in denied_import(db, fake, "")
    assert len(db.run("SELECT * FROM live.loyalty_program")) == 2
    behaviour_of(f"/version=19/{db.name}").database.denied = RELATION
    with pytest.raises(psycopg2.errors.InsufficientPrivilege) as raised:
        db.run("SELECT * FROM live.loyalty_program")
    diag = raised.value.diag
    assert diag.message_primary == "the Odoo user may not read the column reward_ids of live.loyalty_program"
    assert "not allowed to access 'loyalty.reward'" in diag.message_detail
    mend = "ALTER FOREIGN TABLE live.loyalty_program DROP COLUMN \"reward_ids\";"
    assert mend in diag.message_hint
    assert db.run("SELECT status, hint FROM odoo_check() WHERE item = 'live.loyalty_program'") == [("warning", mend)]
    # Other columns are read as before.
    assert db.run("SELECT name FROM live.loyalty_program WHERE id = 2") == [("Spring",)]
    db.run(mend)
    assert len(db.run("SELECT * FROM live.loyalty_program")) == 2
    assert db.run("SELECT status, hint FROM odoo_check() WHERE item = 'live.loyalty_program'") == [("ok", None)]
    behaviour_of(f"/version=19/{db.name}").database.denied = "loyalty.program"
    (status, detail, hint), = db.run("SELECT status, detail, hint FROM odoo_check() WHERE item = 'live.loyalty_program'")
    assert status == "warning" and "not allowed" in detail and "DROP FOREIGN TABLE live.loyalty_program" in hint


def test_a_field_that_is_refused_of_some_records_is_left_out(db, fake):
    """As those of `res.users` that lead to an employee are, where there is one."""
    records = behaviour_of(f"/version=19/private=res.partner:street:12/{db.name}").database.models["res.partner"].records
    assert min(records) < 12
    db.server(url(fake, f"version=19/private=res.partner:street:12/{db.name}"))
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (res_partner) FROM SERVER erp INTO live")
    assert "res_partner: left out street, which the Odoo user may not read" in db.notices
    assert len(db.run("SELECT * FROM live.res_partner")) == len(records)
    assert "street" not in db.value("SELECT data FROM odoo_read('res.partner', '[[\"id\", \"=\", 12]]')")
    # One that is made later, behind those that were tried.
    db.run("ALTER FOREIGN TABLE live.res_partner ADD COLUMN street text")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="may not read the column street of live.res_partner"):
        db.run("SELECT * FROM live.res_partner")


@pytest.mark.parametrize("statement", ["IMPORT FOREIGN SCHEMA odoo LIMIT TO (res_partner) FROM SERVER erp INTO live",
                                       "SELECT count(*) FROM odoo_read('res.partner')"])
def test_a_field_that_fails_in_every_record_costs_no_request_for_each(db, fake, statement):
    db.server(url(fake, f"version=19/broken=res.partner:street/{db.name}"))
    db.run("CREATE SCHEMA live")
    begin = len(fake.calls)
    try:
        db.run(statement)
    except psycopg2.Error as error:
        assert "no such property" in str(error)
    assert sum(db.name in prefix for _, prefix in fake.calls[begin:]) < 15


def test_odoo_read_leaves_out_what_nobody_named_and_the_user_may_not_read(db, fake):
    db.server(url(fake, f"version=19/denied={RELATION}/{db.name}"))
    data = db.value("SELECT data FROM odoo_read('loyalty.program', max_rows => 1)")
    assert data["name"] == "Spring" and "reward_ids" not in data
    assert "loyalty.program: left out reward_ids, which the Odoo user may not read" in db.notices
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="not allowed to access 'loyalty.reward'"):
        db.run("SELECT * FROM odoo_read('loyalty.program', fields => '{name,reward_ids}')")


def test_fields_of_forms_alone_are_not_imported(db, fake):
    """Up to 18 `fields_get` shows groups as fields of users, which no table has."""
    db.server(url(fake, "version=17"))
    db.run("CREATE SCHEMA live")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (res_users) FROM SERVER erp INTO live")
    columns = {name for name, in db.run("SELECT attname FROM pg_attribute WHERE attrelid = 'live.res_users'::regclass AND attnum > 0")}
    assert "login" in columns and "in_group_7" not in columns
