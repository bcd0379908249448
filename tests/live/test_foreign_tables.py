"""Foreign tables on a real Odoo: whatever Odoo is asked, the rows are those that PostgreSQL would
pick by itself."""

import os
import random
from contextlib import ExitStack
from decimal import Decimal

import psycopg2
import pytest
from passlib.hash import pbkdf2_sha512

from .conftest import kept
from .queries import Maker, Table

#: So many queries, in which protocol, and where their random numbers begin.
QUERIES = int(os.environ.get("FDW_QUERIES") or 150)
PROTOCOL = os.environ.get("FDW_PROTOCOL") or "auto"
SEED = int(os.environ.get("SEED") or 7)

TABLES = ["res_partner", "product_product", "sale_order", "sale_order_line", "hr_employee", "stock_quant",
          "stock_location", "pos_order", "loyalty_program", "res_users"]


@pytest.fixture(scope="module")
def names():
    """The tables that are asked."""
    return TABLES


TEXTS = ["", "äöü ÄÖÜ", "100% _sure_", "back\\slash", "two\nlines", "cr\r\nlf", " space ", "ǅ ß ſ K", "straße STRASSE", "O'Neill"]


#: What `strange` writes.
STRANGE = {
    "res_partner": "city, street, color, employee, partner_latitude",
    "sale_order": "date_order, amount_untaxed, validity_date",
    "sale_order_line": "sequence, price_subtotal",
    "stock_quant": "in_date",
}


def strange(truth):
    """What Odoo's API does not make, but old databases have: NULL where a value is usual, empty
    texts, fractions of seconds, numbers with more places than their field."""
    with truth.cursor() as cursor:
        cursor.execute("SELECT id FROM res_partner WHERE NOT is_company ORDER BY id LIMIT 40")
        ids = [id for id, in cursor.fetchall()]
        for number, id in enumerate(ids):
            cursor.execute("UPDATE res_partner SET city = %s, street = %s, color = %s WHERE id = %s",
                           (TEXTS[number % len(TEXTS)], None if number % 3 else "", [None, 0, 1, -1][number % 4], id))
        cursor.execute("UPDATE res_partner SET employee = NULL WHERE id % 3 = 0")
        cursor.execute("UPDATE res_partner SET partner_latitude = NULL WHERE id % 2 = 0")
        cursor.execute("UPDATE res_partner SET partner_latitude = 12.345678 WHERE id % 5 = 0")
        cursor.execute("UPDATE sale_order SET date_order = date_order + interval '0.25 s' WHERE id % 2 = 0")
        cursor.execute("UPDATE sale_order SET amount_untaxed = NULL WHERE id % 5 = 0")
        cursor.execute("UPDATE sale_order SET validity_date = NULL WHERE id % 2 = 0")
        cursor.execute("UPDATE sale_order_line SET sequence = NULL WHERE id % 4 = 0")
        cursor.execute("UPDATE sale_order_line SET price_subtotal = price_subtotal + 0.004 WHERE id % 4 = 1")
        cursor.execute("UPDATE stock_quant SET in_date = in_date + interval '0.999999 s' WHERE id % 2 = 0")


def api_key(truth):
    key = os.urandom(20).hex()
    with truth.cursor() as cursor:
        cursor.execute(
            "INSERT INTO res_users_apikeys (name, user_id, key, index) VALUES ('odoo_fdw', 2, %s, %s)",
            (pbkdf2_sha512.using(rounds=6000).hash(key), key[:8]))
    return key


@pytest.fixture(scope="module")
def live(star_database, real, truth, names):
    """Foreign tables thrice: with push-down, without, and what the latter held at first."""
    with ExitStack() as stack:
        for table, columns in STRANGE.items():
            stack.enter_context(kept(truth, table, columns))
        strange(truth)
        yield foreign_tables(star_database, real, truth, names)


def foreign_tables(db, real, truth, names):
    db.run(f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url '{real.url}', database 'demo', protocol '{PROTOCOL}')")
    db.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', api_key '{api_key(truth)}')")
    for schema in ("live", "plain", "copy"):
        db.run(f"CREATE SCHEMA {schema}")
    for schema in ("live", "plain"):
        db.run(f"IMPORT FOREIGN SCHEMA odoo LIMIT TO ({', '.join(names)}) FROM SERVER erp INTO {schema}")
    for table in names:
        db.run(f"ALTER FOREIGN TABLE plain.{table} OPTIONS (ADD pushdown 'false')")
        db.run(f"CREATE TABLE copy.{table} AS SELECT * FROM plain.{table}")
    return db


def answer(db, query, table, ordered):
    db.run("SAVEPOINT before")
    try:
        rows = db.run(query.format(table=table))
    except psycopg2.Error as error:
        db.run("ROLLBACK TO before")
        return f"{error.pgcode} {error.diag.message_primary}"
    return rows if ordered else sorted(rows, key=lambda row: repr([plain(cell) for cell in row]))


def plain(cell):
    """20.0 and 20.00 are one number."""
    return cell.normalize() if isinstance(cell, Decimal) else cell


def test_random_queries(live, names):
    generator = random.Random(SEED)
    with live.connection.cursor() as cursor:
        makers = {name: Maker(Table(cursor, f"live.{name}", f"copy.{name}"), generator) for name in names}
    different, found, pushed, summed, used = [], 0, 0, 0, 0
    # In one transaction, so that one login serves all.
    live.run("BEGIN")
    for number in range(QUERIES):
        name = generator.choice(names)
        query, ordered = makers[name].query()
        one = answer(live, query, f"live.{name}", ordered)
        # The copy is what the table without push-down holds; now and then that is asked itself.
        other = answer(live, query, f"{'plain' if number % 20 == 0 else 'copy'}.{name}", ordered)
        if one != other:
            different.append((query, name, one, other))
        found += isinstance(one, list) and len(one) > 0
        plan = live.run(f"EXPLAIN {query.format(table='live.' + name)}")
        if any("Odoo Aggregate: " in line for line, in plan):
            summed += 1
            done = live.run(f"EXPLAIN ANALYZE {query.format(table='live.' + name)}")
            used += any("(never executed)" in line for line, in done)
        pushed += any("Odoo Domain: [[" in line or 'Odoo Domain: ["' in line for line, in plan)
    live.run("ROLLBACK")
    print(f"{QUERIES} queries (seed {SEED}): {found} found rows, {pushed} asked Odoo for some, "
          f"{summed} for groups, {used} took them, {len(different)} differ")
    for query, name, one, other in different[:10]:
        print(f"{query.format(table='live.' + name)}\n  with:    {str(one)[:300]}\n  without: {str(other)[:300]}")
    assert not different
    # The test sees something: most queries find rows, most have conditions that Odoo is asked for.
    assert found > QUERIES / 3 and pushed > QUERIES / 4
    assert summed > QUERIES / 20 and used > summed / 2


def test_the_statements_of_the_readme_give_rows(live, truth):
    with truth.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE is_company AND parent_id IS NULL) FROM res_partner")
        (all_, companies), = cursor.fetchall()
    assert live.value("SELECT count(*) FROM live.res_partner") == all_
    assert live.value("SELECT count(*) FROM live.res_partner WHERE is_company AND parent_id IS NULL") == companies
    rows = live.run("SELECT name, amount_total FROM live.sale_order WHERE date_order >= now() - interval '90 days' "
                    "AND state = 'sale' ORDER BY id LIMIT 20")
    assert 0 < len(rows) <= 20


def test_a_count_and_a_limit_see_what_a_scan_does(live):
    """Odoo leaves attachments that fields hold out of a search that names no ids."""
    live.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (ir_attachment) FROM SERVER erp INTO live")
    all_, plain = live.run("SELECT count(name), count(name) FILTER (WHERE res_field IS NULL) FROM live.ir_attachment")[0]
    assert all_ > plain > 0
    assert live.value("SELECT count(*) FROM live.ir_attachment") == all_
    assert len(live.run("SELECT id FROM live.ir_attachment ORDER BY id LIMIT 100000")) == all_


def test_comments_are_labels_and_values(live):
    comment = live.value("SELECT col_description('live.sale_order'::regclass, attnum) FROM pg_attribute "
                         "WHERE attrelid = 'live.sale_order'::regclass AND attname = 'state'")
    assert comment.startswith("Status\n") and "sale: Sales Order" in comment


def test_live_and_loaded_rows_join(live):
    live.run("SELECT * FROM odoo_sync('customers')")
    assert live.run(
        "SELECT count(*), count(d.id) FROM live.res_partner p LEFT JOIN dim_customers d "
        "ON d.id = p.id AND d.name = p.name WHERE p.is_company AND p.name IS NOT NULL")[0][1] > 5


def test_two_users_see_what_each_may(live, real, api, truth):
    """A salesman who sees his own orders only, and no field of the others' groups."""
    group = api("ir.model.data", "search_read", [("module", "=", "sales_team"), ("name", "=", "group_sale_salesman")],
                fields=["res_id"])[0]["res_id"]
    user = api("res.users", "create", [{"name": "Seller", "login": "seller", "password": "seller-secret",
                                        "group_ids" if api.release >= 19 else "groups_id": [(4, group)]}])[0]
    order = api("sale.order", "create", [{"partner_id": 3, "user_id": user}])[0]
    live.run("CREATE ROLE seller")
    try:
        live.run("GRANT USAGE ON SCHEMA live TO seller")
        live.run("GRANT SELECT ON ALL TABLES IN SCHEMA live TO seller")
        live.run("CREATE USER MAPPING FOR seller SERVER erp OPTIONS (login 'seller', password 'seller-secret')")
        everything = live.value("SELECT count(*) FROM live.sale_order")
        live.run("SET ROLE seller")
        assert live.run("SELECT id FROM live.sale_order WHERE user_id IS NOT NULL") == [(order,)]
        assert live.value("SELECT count(*) FROM live.sale_order") < everything
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="not allowed to access"):
            live.run("SELECT amount_total FROM live.pos_order")
    finally:
        live.run("RESET ROLE")
        live.run("DROP OWNED BY seller")
        live.run("DROP ROLE seller")
        api("sale.order", "unlink", [order])


@pytest.fixture
def full_name():
    """A field of partners that Odoo computes and stores."""
    return "complete_name"


def test_what_is_written_is_in_odoo(live, truth, full_name):
    live.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
    made = live.run("INSERT INTO live.res_partner (name, is_company, color, category_id) VALUES "
                    f"('Made by SQL', true, 3, '{{1,2}}'), ('And this', false, NULL, NULL) RETURNING id, {full_name}, lang, category_id")
    try:
        assert [row[1] for row in made] == ["Made by SQL", "And this"] and set(made[0][3]) == {1, 2}
        ids = [row[0] for row in made]
        live.run("UPDATE live.res_partner SET city = 'Lyon', street = 'Rue ''d''Or' WHERE id = ANY (%s)", ids)
        with truth.cursor() as cursor:
            cursor.execute("SELECT name, is_company, color, city, street FROM res_partner WHERE id = ANY (%s) ORDER BY id", (ids,))
            assert cursor.fetchall() == [("Made by SQL", True, 3, "Lyon", "Rue 'd'Or"), ("And this", False, 0, "Lyon", "Rue 'd'Or")]
        # 14 names the constraint.
        with pytest.raises(psycopg2.Error, match="Contacts require a name|: res_partner_check_name"):
            live.run("INSERT INTO live.res_partner (color) VALUES (1)")
    finally:
        assert live.run("DELETE FROM live.res_partner WHERE name IN ('Made by SQL', 'And this') RETURNING name") != []
        live.run("ALTER SERVER erp OPTIONS (DROP writable)")
    with truth.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM res_partner WHERE id = ANY (%s)", (ids,))
        assert cursor.fetchone() == (0,)
