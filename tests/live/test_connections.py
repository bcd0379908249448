"""Logins of a real Odoo 19: how often it is asked for one, and what it says of passwords, users and ids that are
others by now."""

from contextlib import closing

import psycopg2
import pytest

from ..conftest import BY_PASSWORD
from ..test_connections import COUNT as PRODUCTS
from ..test_connections import JOB, REFUSED, mapping, users_kept

COUNT = PRODUCTS.replace("product.product", "res.currency")
LOGIN = "bi@shop.example"


@pytest.fixture
def user(db, real, api):
    """A user of its own, whose password may change, and the database's server with it."""
    group, = api("res.groups", "search", [("full_name", "ilike", "settings")], limit=1) or [False]
    admin, = api("res.users", "read", [2], ["company_id", "company_ids"])
    id = api("res.users", "create", {
        "name": "BI", "login": LOGIN, "password": "first", "company_id": admin["company_id"][0],
        "company_ids": [[6, 0, admin["company_ids"]]],
        **({"group_ids": [[4, group]]} if group else {})})
    db.server(real.url, protocol=BY_PASSWORD)
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login '{LOGIN}', SET password 'first')")
    yield id
    for id in api("res.users", "search", [("login", "=", LOGIN)]):
        api("res.users", "write", [id], {"active": False, "login": f"gone{id}@shop.example"})


@pytest.fixture
def logins(truth):
    """How often Odoo was logged in to since this was asked the last time: it notes each."""
    def count():
        with truth.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM res_users_log")
            return cursor.fetchone()[0]
    seen = [count()]

    def since():
        seen.append(count())
        return seen[-1] - seen[-2]
    return since


def test_a_session_logs_in_once(db, user, logins):
    db.run("CREATE FOREIGN TABLE a (id bigint, name text) SERVER erp OPTIONS (model 'res.currency')")
    db.run("CREATE FOREIGN TABLE b (id bigint, name text) SERVER erp OPTIONS (model 'res.currency')")
    for statement in (COUNT, COUNT, "SELECT count(a.name) FROM a JOIN b USING (id, name)", "SELECT name FROM a LIMIT 1",
                      "SELECT count(*) FROM odoo_read('res.currency')", "SELECT count(*) FROM odoo_check()"):
        db.run(statement)
    assert logins() == 1


def test_a_password_that_changes(db, user, api, logins):
    db.run(COUNT)
    api("res.users", "write", [user], {"password": "second"})
    for _ in range(2):
        with pytest.raises(REFUSED, match=f'Odoo refused the login "{LOGIN}"'):
            db.run(COUNT)
    assert logins() == 1
    db.run(mapping("second"))
    db.run(COUNT)
    db.run(COUNT)
    assert logins() == 1


def test_a_user_that_was_archived_and_another_with_its_login(db, user, api):
    db.run(COUNT)
    api("res.users", "write", [user], {"active": False})
    with pytest.raises(REFUSED):
        db.run(COUNT)
    api("res.users", "write", [user], {"login": "former@shop.example"})
    api("res.users", "create", {"name": "BI 2", "login": LOGIN, "password": "first"})
    db.run(COUNT)


def test_runs_of_other_sessions_need_no_login(db, user, api, logins):
    """And an id that is nobody's, or somebody's with the same password, is found out."""
    def run():
        with closing(db.connect()) as other, other.cursor() as cursor:
            cursor.execute(JOB.replace("()", "('companies')"))
        return logins()
    assert run() == 1 and users_kept(db)[0][1] == {"uid": user}
    assert run() == 0
    same = api("res.users", "create", {"name": "Same", "login": f"same{user}@shop.example", "password": "first"})
    for wrong in (999_999, 1, 2, same):
        db.run("UPDATE odoo_etl.cache SET value = value || jsonb_build_object('uid', %s) WHERE what LIKE 'user %%'", wrong)
        assert run() == 1 and users_kept(db)[0][1] == {"uid": user}, wrong


def test_odoo_restarts_between_statements(db, user, real, logins):
    db.run(COUNT)
    real.halt()
    with pytest.raises(psycopg2.OperationalError):
        db.run(COUNT)
    real.launch()
    db.run(COUNT)
    assert logins() == 1
