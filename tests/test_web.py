"""The web client's protocol: one login for a session that all readers share, renewed once where Odoo has forgotten
it, and given back; and what stands in the way of a session."""

import time

import psycopg2
import pytest

from .conftest import url
from .fake.server import Server, behaviour_of
from .test_protocols import server

LOST = "does not know the session"


def odoo(db, fake, *wishes, release=19, **options):
    """A server that is asked over web, and the Odoo behind it."""
    path = "/".join([f"version={release}", f"only={db.name}", *wishes])
    server(db, fake, path, "web", **options)
    return behaviour_of(f"/{path}")


def given_back(db, behaviour):
    """Ends the backend, and tells how many sessions it began and gave back: it does not wait long for Odoo."""
    db.connection.close()
    deadline = time.monotonic() + 5
    while behaviour.sessions.open and time.monotonic() < deadline:
        time.sleep(0.02)
    return behaviour.sessions.begun, behaviour.sessions.ended


def refused(db, sql, *words):
    with pytest.raises(psycopg2.Error) as raised:
        db.run(sql)
    told = str(raised.value)
    assert all(word in told for word in words), told
    assert raised.value.diag.message_hint
    return raised.value


READ = "SELECT count(*) FROM odoo_read('product.product')"


@pytest.mark.parametrize("release", range(14, 21))
def test_readers_share_a_session_and_give_it_back(db, fake, release):
    behaviour = odoo(db, fake, release=release, readers=4, page_size=1, companies=1)
    report = db.report("SELECT * FROM odoo_sync('products')")["dim_products"]
    assert report["inserted"] > 3
    assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["unchanged"] > 3
    assert behaviour.sessions.refused == 0
    assert given_back(db, behaviour) == (1, 1)


@pytest.mark.parametrize("wish", ["lasts=5", "lasts=5/databases=2"])
@pytest.mark.parametrize("release", [14, 17, 19])
def test_a_session_that_expired_is_renewed(db, fake, release, wish):
    behaviour = odoo(db, fake, wish, release=release, page_size=1)
    expected = len(behaviour.database.models["product.product"].records)
    assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["inserted"] == expected
    assert behaviour.sessions.begun > 2 and behaviour.sessions.refused >= behaviour.sessions.begun - 1


@pytest.mark.parametrize("release", [14, 19])
def test_a_write_in_a_session_that_was_ended_is_made_once(db, fake, release):
    behaviour = odoo(db, fake, "lasts=1", release=release, writable="true")
    calls = len(fake.calls)
    assert db.value("""SELECT odoo_create('res.partner', '{"name": "New"}')""") > 0
    assert [method for method, _ in fake.calls[calls:]].count("create") == 1
    assert [r["name"] for r in behaviour.database.models["res.partner"].records.values()].count("New") == 1
    assert behaviour.sessions.begun >= 2


def test_a_session_that_does_not_last_is_renewed_once_only(db, fake):
    behaviour = odoo(db, fake, "strips=requests")
    error = refused(db, READ, LOST)
    assert error.pgcode == "28000" and "cookies" in error.diag.message_hint
    assert behaviour.sessions.begun == 2


def test_a_proxy_that_keeps_the_cookie_back(db, fake):
    behaviour = odoo(db, fake, "strips=answers")
    error = refused(db, READ, "without the cookie of a session")
    assert error.pgcode == "28000" and "protocol to auto" in error.diag.message_hint
    assert behaviour.sessions.begun == 1


def test_a_second_factor(db, fake):
    odoo(db, fake, "factor=2")
    calls = len(fake.calls)
    error = refused(db, READ, 'asks the user "admin" for a second factor')
    assert "API key" in error.diag.message_hint
    assert [method for method, _ in fake.calls[calls:]] == ["authenticate"]


def test_an_api_key_is_not_sent(db, fake):
    odoo(db, fake, secret="api_key")
    calls = len(fake.calls)
    error = refused(db, READ, "the protocol web takes no API key")
    assert "password" in error.diag.message_hint and len(fake.calls) == calls


@pytest.mark.parametrize("release", [14, 18])
def test_odoo_says_why_it_refuses_a_login(db, fake, release):
    odoo(db, fake, release=release)
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'wrong')")
    for _ in range(5):
        refused(db, READ, "refused the login")
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'admin')")
    refused(db, READ, "refuses every login from here for a while")


def test_a_password_that_changed_meanwhile(db, fake):
    """Odoo ends the sessions of the old one."""
    behaviour = odoo(db, fake, page_size=1)

    def change():
        if fake.calls[-1][0] == "read":
            behaviour.interrupt = None
            behaviour.sessions.open.clear()
            behaviour.turn("fault=3@authenticate")

    behaviour.interrupt = change
    assert refused(db, "SELECT * FROM odoo_sync('products')", "refused the login").pgcode == "28000"


def test_an_administrator_ends_the_session_between_two_pages(db, fake):
    behaviour = odoo(db, fake, page_size=1)
    behaviour.interrupt = ends_sessions(fake)
    expected = len(behaviour.database.models["product.product"].records)
    assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["inserted"] == expected
    assert behaviour.interrupt is None
    assert behaviour.sessions.begun == 2 and behaviour.sessions.refused >= 1


@pytest.mark.parametrize("are_lost", [True, False])
def test_odoo_restarts_between_two_pages(db, are_lost):
    """Its sessions are files, which may be another machine's afterwards."""
    first, later = Server().run(), []
    behaviour = odoo(db, first, page_size=1)
    db.run("ALTER SERVER erp OPTIONS (SET retries '8', ADD retry_delay '50')")

    def restart():
        if first.calls[-1][0] == "read":
            behaviour.interrupt = None
            # Before its sessions are lost: it would answer to another login.
            first.kill()
            if are_lost:
                behaviour.sessions.open.clear()
            behaviour.known_logins.clear()
            later.append(Server(port=first.port).run())

    behaviour.interrupt = restart
    expected = len(behaviour.database.models["product.product"].records)
    try:
        assert db.report("SELECT * FROM odoo_sync('products')")["dim_products"]["inserted"] == expected
        assert len(later) == 1 and behaviour.sessions.begun == (2 if are_lost else 1)
    finally:
        for one in later:
            one.shutdown()


def test_a_login_that_comes_too_soon(db, fake):
    """As a proxy says that limits their rate."""
    behaviour = odoo(db, fake, "status=429@authenticate", "after=1")
    error = refused(db, READ, "HTTP 429", "/web/session/authenticate")
    assert error.pgcode == "08006" and logins(fake, behaviour) == 1
    behaviour.turn("status=429@authenticate", "after=1", "passing=1:x")
    db.run("ALTER SERVER erp OPTIONS (SET retries '2')")
    begin = time.monotonic()
    assert db.value(READ) > 0
    assert time.monotonic() - begin >= 1 and logins(fake, behaviour) == 3


def test_a_method_that_a_proxy_forbids(db, fake):
    odoo(db, fake, "forbids=product.product:read")
    error = refused(db, READ, "HTTP 403", "/web/dataset/call_kw/product.product/read")
    assert error.pgcode == "08006" and "protocol" in error.diag.message_hint


def test_odoo_renames_a_session(db, fake):
    behaviour = odoo(db, fake, "renamed=5", page_size=1)
    db.run("SELECT * FROM odoo_sync('products')")
    assert behaviour.sessions.refused == 0
    assert given_back(db, behaviour) == (1, 1)


@pytest.mark.parametrize("statement", [
    "SELECT odoo_disconnect('erp')", "ALTER SERVER erp OPTIONS (ADD timeout '60')"])
def test_a_session_ends_with_what_is_kept(db, fake, statement):
    behaviour = odoo(db, fake)
    db.run(READ)
    db.run(statement)
    assert db.value(READ) > 0
    assert (behaviour.sessions.begun, behaviour.sessions.ended) == (2, 1)
    assert given_back(db, behaviour) == (2, 2)


def test_an_open_cursor_goes_on_in_the_session_that_it_began_in(db, fake):
    path = f"rows=200/only={db.name}"
    server(db, fake, path, "web", page_size=10)
    behaviour = behaviour_of(f"/{path}")
    db.run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (product_product) FROM SERVER erp INTO public")
    with db.connection.cursor() as cursor:
        cursor.execute("BEGIN; DECLARE c CURSOR FOR SELECT id FROM product_product; FETCH 1 FROM c")
        cursor.execute("SELECT odoo_disconnect('erp')")
        cursor.execute("FETCH ALL FROM c")
        assert cursor.rowcount == 199
        cursor.execute("COMMIT")
    assert behaviour.sessions.refused == 0
    begun, ended = given_back(db, behaviour)
    assert begun == ended


def test_an_end_that_stalls_keeps_nobody(db, fake):
    odoo(db, fake, "slow=10@destroy")
    db.run(READ)
    begin = time.monotonic()
    db.run("SELECT odoo_disconnect('erp')")
    assert time.monotonic() - begin < 2
    assert db.value(READ) > 0


def test_an_error_of_the_statement_leaves_the_session(db, fake):
    behaviour = odoo(db, fake)
    with pytest.raises(psycopg2.errors.DivisionByZero):
        db.run(READ.replace("count(*)", "1 / (count(*) - count(*))"))
    assert db.value(READ) > 0
    assert given_back(db, behaviour) == (1, 1)


def test_odoo_check_names_it(db, fake):
    odoo(db, fake)
    assert db.value("SELECT detail FROM odoo_check() WHERE item = 'protocol'") == "web JSON-RPC"


#: What only administrators may read.
NO_ADMINISTRATOR = "denied=ir.config_parameter"

#: So many records are read before a second login pays, and then some.
MANY = 26_000


def long_read(db, fake, *wishes, records=MANY, secret="password", parameters=(), interrupt=None):
    """Reads so many products by `auto`, and returns the Odoo behind."""
    path = "/".join([f"rows={records}", f"only={db.name}", *wishes])
    server(db, fake, path, "auto", secret=secret, page_size=2000)
    behaviour = behaviour_of(f"/{path}")
    if parameters:
        behaviour.database.models["ir.config_parameter"].records.update(
            {id: {"id": id, "key": key, "value": value} for id, (key, value) in enumerate(parameters, 10)})
    behaviour.interrupt = interrupt
    assert db.value("SELECT count(*) FROM odoo_read('product.product', fields => '{name}')") == records
    return behaviour


def protocol_of(db):
    return db.run("SELECT detail, hint FROM odoo_check() WHERE item = 'protocol'")[0]


def logins(fake, behaviour):
    return fake.calls.count(("authenticate", behaviour.prefix))


def test_auto_takes_a_session_for_a_long_read(db, fake):
    behaviour = long_read(db, fake, NO_ADMINISTRATOR)
    assert logins(fake, behaviour) == 2
    assert protocol_of(db)[0] == "JSON-RPC, of long reads web JSON-RPC"
    assert given_back(db, behaviour) == (1, 1)


def test_auto_takes_none_for_a_short_one(db, fake):
    assert long_read(db, fake, NO_ADMINISTRATOR, records=2000).sessions.begun == 0


def test_auto_takes_none_where_an_administrators_login_would_change_odoo(db, fake):
    behaviour = long_read(db, fake, parameters=[("web.base.url", "https://shop.example")])
    assert behaviour.sessions.begun == 0 and logins(fake, behaviour) == 1
    detail, hint = protocol_of(db)
    assert detail == "JSON-RPC" and "API key" in hint


def test_auto_says_what_an_administrator_costs(db, fake):
    server(db, fake, f"version=17/only={db.name}", "auto", secret="password")
    assert "web.base.url.freeze" in protocol_of(db)[1]


@pytest.mark.parametrize("parameters", [
    [("web.base.url", "https://shop.example"), ("web.base.url.freeze", "True")], "same"])
def test_auto_takes_a_session_where_an_administrators_login_changes_nothing(db, fake, parameters):
    same = url(fake, f"rows={MANY}/only={db.name}")
    behaviour = long_read(db, fake, parameters=[("web.base.url", same)] if parameters == "same" else parameters)
    assert behaviour.sessions.begun == 1


@pytest.mark.parametrize("wish, begun", [
    ("off=web", {0}), ("forbids=product.product:read", {1}), ("strips=answers", {1}), ("strips=requests", {2, 3})])
def test_auto_goes_on_without_a_session(db, fake, wish, begun):
    """Two readers may find out at once that one does not last."""
    assert long_read(db, fake, NO_ADMINISTRATOR, wish).sessions.begun in begun


def test_auto_never_takes_a_key_there(db, fake):
    server(db, fake, f"version=18/only={db.name}/{NO_ADMINISTRATOR}", "auto", secret="api_key")
    detail, hint = protocol_of(db)
    assert detail == "JSON-RPC" and "password" in hint


def ends_sessions(fake, then=lambda behaviour: None):
    """Ends all sessions after the first page that was read in one."""
    def interrupt():
        behaviour = behaviour_of(fake.calls[-1][1])
        if behaviour.sessions.open and fake.calls[-1][0] == "read":
            behaviour.interrupt = None
            behaviour.sessions.open.clear()
            then(behaviour)
    return interrupt


def test_auto_renews_a_session_that_was_ended(db, fake):
    behaviour = long_read(db, fake, NO_ADMINISTRATOR, interrupt=ends_sessions(fake))
    assert behaviour.sessions.begun == 2 and behaviour.sessions.refused >= 1


def test_auto_goes_on_without_one_that_is_not_renewed(db, fake):
    def refuse(behaviour):
        behaviour.turn(NO_ADMINISTRATOR, "fault=3@authenticate")
    behaviour = long_read(db, fake, NO_ADMINISTRATOR, interrupt=ends_sessions(fake, refuse))
    assert behaviour.sessions.begun == 1 and behaviour.sessions.refused >= 1


def test_auto_goes_on_where_a_second_login_comes_too_soon(db, fake):
    def interrupt():
        behaviour = behaviour_of(fake.calls[-1][1])
        if fake.calls[-1][0] == "read":
            behaviour.interrupt = None
            behaviour.turn("status=429@authenticate")
    behaviour = long_read(db, fake, NO_ADMINISTRATOR, interrupt=interrupt)
    assert logins(fake, behaviour) == 2 and behaviour.sessions.refused == 0
    assert protocol_of(db)[0].startswith("JSON-RPC")
