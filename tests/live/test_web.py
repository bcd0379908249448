"""The web client's protocol on a real Odoo: what a login leaves there, and how sessions end."""

import contextlib
import time

import psycopg2
import pytest

from .test_protocols import server

READ = "SELECT count(*) FROM odoo_read('res.partner')"


def one(truth, sql, *args):
    with truth.cursor() as cursor:
        cursor.execute(sql, args or None)
        return cursor.fetchone()[0]


def counts(truth):
    """What logins leave: their dates, the devices that they came from, and mails."""
    tables = ("res_users_log", "res_device_log", "mail_mail", "mail_message")
    return [one(truth, f"SELECT count(*) FROM {table}") if one(truth, "SELECT to_regclass(%s)", table) else 0 for table in tables]


def base_url(truth):
    return one(truth, "SELECT value FROM ir_config_parameter WHERE key = 'web.base.url'")


@pytest.fixture(autouse=True)
def url_of_mails(truth):
    """Another one than this Odoo's, as it was before an administrator logged in."""
    before = base_url(truth)
    for url in ("https://shop.example", before):
        with truth.cursor() as cursor:
            cursor.execute("UPDATE ir_config_parameter SET value = %s WHERE key = 'web.base.url'", (url,))
        if url != before:
            yield url


@pytest.fixture
def clerk(real, api):
    """A user with some rights, and not that of Settings."""
    groups = "group_ids" if api.release >= 19 else "groups_id"
    found = api("ir.model.data", "search_read", [["module", "=", "base"], ["name", "in", ["group_user", "group_partner_manager"]]],
                fields=["res_id"])
    id = api("res.users", "create", {"name": "Web clerk", "login": "web-clerk", "email": "clerk@shop.example",
                                     "password": "clerk-secret", groups: [[6, 0, [row["res_id"] for row in found]]]})
    yield id
    api("res.users", "write", [id], {"active": False, "login": f"gone-{id}"})


def as_clerk(db, real, protocol="web", name="erp"):
    server(db, real, name, protocol, "password 'clerk-secret'")
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS (SET login 'web-clerk')")


def test_what_a_login_leaves(db, real, api, truth, clerk):
    as_clerk(db, real)
    before = counts(truth)
    assert db.value(READ) > 10 and db.value(READ) > 10
    after = counts(truth)
    assert [b - a for a, b in zip(before, after)] == [1, int(api.release >= 18), 0, 0]
    assert base_url(truth) == "https://shop.example"


def test_an_administrators_login_sets_the_base_url(db, real, truth):
    """As any of theirs in a browser does; so `auto` makes none that would."""
    server(db, real, "erp", "web", "password 'admin'")
    assert db.value(READ) > 10
    assert base_url(truth) == real.url


def test_auto_tells_what_it_would_take(db, real, truth, clerk):
    before = counts(truth)
    server(db, real, "boss", "auto", "password 'admin'")
    assert db.value("SELECT detail FROM odoo_check('boss') WHERE item = 'protocol'") == "JSON-RPC"
    as_clerk(db, real, "auto", "clerk")
    assert db.value("SELECT detail FROM odoo_check('clerk') WHERE item = 'protocol'") == "JSON-RPC, of long reads web JSON-RPC"
    assert [b - a for a, b in zip(before, counts(truth))] == [2, 0, 0, 0]
    assert base_url(truth) == "https://shop.example"


def test_a_session_that_an_administrator_ended(db, real, api, truth, clerk):
    as_clerk(db, real)
    assert db.value(READ) > 10
    api("res.users", "write", [clerk], {"password": "clerk-secret"})
    begin = one(truth, "SELECT count(*) FROM res_users_log")
    assert db.value(READ) > 10
    assert one(truth, "SELECT count(*) FROM res_users_log") == begin + 1
    api("res.users", "write", [clerk], {"password": "another"})
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification, match="refused the login"):
        db.run(READ)


def test_a_write_in_a_session_that_was_ended_is_made_once(db, real, api, truth, clerk):
    as_clerk(db, real)
    db.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
    assert db.value(READ) > 10
    api("res.users", "write", [clerk], {"password": "clerk-secret"})
    id = db.value("""SELECT odoo_create('res.partner', '{"name": "Made once by web"}')""")
    assert api("res.partner", "search", [["name", "=", "Made once by web"]]) == [id]
    # Not deleted, which open sessions of a till forbid.
    api("res.partner", "write", [id], {"active": False})


def test_a_session_outlives_a_restart(db, real, truth, clerk):
    as_clerk(db, real)
    assert db.value(READ) > 10
    begin = one(truth, "SELECT count(*) FROM res_users_log")
    real.halt()
    real.launch()
    assert db.value(READ) > 10
    assert one(truth, "SELECT count(*) FROM res_users_log") == begin


def test_the_end_of_a_backend_ends_the_session(db, real, truth, clerk):
    as_clerk(db, real)
    assert db.value(READ) > 10
    files = set(sessions(real))
    assert files
    db.connection.close()
    deadline = time.monotonic() + 5
    while any(holds_user(file, clerk) for file in sessions(real)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(holds_user(file, clerk) for file in sessions(real))


def sessions(real):
    return [file for file in real.folder.rglob("sessions/**/*") if file.is_file()]


def holds_user(file, uid):
    with contextlib.suppress(OSError):
        return f'"uid": {uid}' in file.read_text(errors="replace")
    return False


def test_a_second_factor(db, real, api, truth, clerk):
    """Odoo writes a mail of each such login, which `auto` does not cause."""
    with truth.cursor() as cursor:
        cursor.execute("UPDATE res_users SET totp_secret = 'JBSWY3DPEHPK3PXP' WHERE id = %s", (clerk,))
    # Its workers hold what they read.
    api("ir.config_parameter", "set_param", "web_test.cleared", "1")
    as_clerk(db, real)
    before = counts(truth)
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification, match="second factor") as raised:
        db.run(READ)
    assert "API key" in raised.value.diag.message_hint
    # A date, and a mail.
    assert [b - a for a, b in zip(before, counts(truth))] == [1, 0, 1, 1]
    as_clerk(db, real, "auto", "other")
    before = counts(truth)
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification, match="refused the login"):
        db.run("SELECT count(*) FROM odoo_read('res.partner', server => 'other')")
    assert counts(truth) == before


def test_a_database_that_is_not_there(db, real):
    server(db, real, "erp", "web", "password 'admin'")
    db.run("ALTER SERVER erp OPTIONS (SET database 'nope')")
    with pytest.raises(psycopg2.Error) as raised:
        db.run(READ)
    assert raised.value.pgcode == "3D000", raised.value
    assert "option database" in raised.value.diag.message_hint
