"""What changes Odoo is asked once, by every protocol, whatever becomes of the answer."""

import psycopg2
import pytest
from psycopg2.extras import Json

from .conftest import url
from .fake.server import behaviour_of
from .test_malicious import ATTACK
from .test_protocols import PROTOCOLS, server

CREATE = """SELECT odoo_create('res.partner', '{"name": "New"}')"""


def partners(prefix):
    return behaviour_of(f"/{prefix}").database.models["res.partner"].records


def asked(fake, prefix, method):
    return [m for m, p in fake.calls if m == method and p == f"/{prefix}"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trouble", ["reset@create", "cut@create", "status=503@create", "stall@create", "body=html@create"])
def test_a_create_that_may_have_happened_is_not_made_again(db, fake, protocol, trouble):
    prefix = f"version=19/only={db.name}/{trouble}"
    server(db, fake, prefix, protocol, timeout=1, writable="true")
    db.run("ALTER SERVER erp OPTIONS (SET retries '5', ADD retry_delay '10')")
    before = len(partners(prefix))
    with pytest.raises(psycopg2.errors.ConnectionFailure) as raised:
        db.run(CREATE)
    assert "may have done it all the same" in raised.value.diag.message_detail
    assert len(partners(prefix)) == before + 1
    assert len(asked(fake, prefix, "create")) == 1
    # A read in the same trouble is made again.
    reading = prefix.replace("@create", "@search")
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, reading)}')")
    with pytest.raises(psycopg2.Error):
        db.run("SELECT odoo_search('res.partner')")
    assert len(asked(fake, reading, "search")) == (1 if "body" in trouble else 6)


@pytest.mark.parametrize("statement, method", [
    ("SELECT odoo_write('res.partner', '{10}', '{\"name\": \"x\"}')", "write"),
    ("SELECT odoo_unlink('res.partner', '{10}')", "unlink"),
    ("SELECT odoo_call('product.product', 'action_archive', kwargs => '{\"ids\": [30]}')", "action_archive")])
def test_nor_is_any_other_change(db, fake, statement, method):
    prefix = f"version=19/only={db.name}/reset@{method}"
    server(db, fake, prefix, "jsonrpc", writable="true")
    db.run("ALTER SERVER erp OPTIONS (SET retries '5', ADD retry_delay '10')")
    with pytest.raises(psycopg2.errors.ConnectionFailure, match="broke"):
        db.run(statement)
    assert len(asked(fake, prefix, method)) == 1


def test_what_was_never_sent_may_be_sent_again(db, fake, unconnectable):
    """Until there is a connection nothing can have happened; the login is asked patiently too."""
    prefix = f"version=19/only={db.name}/status=503@authenticate/passing=2:{db.name}"
    server(db, fake, prefix, "xmlrpc", writable="true")
    db.run("ALTER SERVER erp OPTIONS (SET retries '3', ADD retry_delay '10')")
    before = len(partners(prefix))
    db.run(CREATE)
    assert len(asked(fake, prefix, "authenticate")) == 3 and len(partners(prefix)) == before + 1
    db.run("ALTER SERVER erp OPTIONS (SET url 'http://127.0.0.1:1')")
    with pytest.raises(psycopg2.OperationalError, match="could not connect") as raised:
        db.run(CREATE)
    assert "all the same" not in (raised.value.diag.message_detail or "")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_method_that_returns_nothing_has_run(db, fake, protocol):
    """XML-RPC cannot write None, after the method has run and was committed."""
    prefix = f"version=19/only={db.name}{protocol}"
    server(db, fake, prefix, protocol, writable="true")
    product = db.value("SELECT min(id) FROM odoo_read('product.product', '[[\"active\",\"=\",true]]', fields => '{active}')")
    assert db.value("SELECT odoo_call('product.product', 'action_archive', kwargs => %s)", Json({"ids": [product]})) is None
    assert behaviour_of(f"/{prefix}").database.models["product.product"].records[product]["active"] is False
    assert len(asked(fake, prefix, "action_archive")) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_arrive_as_they_were_given(db, fake, protocol):
    prefix = f"version=19/only={db.name}{protocol}"
    server(db, fake, prefix, protocol, writable="true")
    values = {"name": ATTACK + " é😀 \n", "street": "", "email": None, "is_company": False, "customer_rank": -3,
              "category_id": [[6, 0, [1, 2]]]}
    id, = db.run("SELECT odoo_create('res.partner', %s)", Json(values))[0]
    assert partners(prefix)[id] == {"id": id, **values, "email": False}
    db.run("SELECT odoo_write('res.partner', ARRAY[%s::bigint], %s)", id, Json({"name": 19.99}))
    assert partners(prefix)[id]["name"] == 19.99


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_names_made_for_injection_are_only_data(db, fake, protocol):
    prefix = f"version=19/only={db.name}{protocol}"
    server(db, fake, prefix, protocol, writable="true")
    before = dict(partners(prefix))
    calls = len(fake.calls)
    for model in (ATTACK, "res.partner/unlink?x=", "../res.partner", "res.partner\n", "", "res partner", "a" * 9 + "é"):
        for statement in ("SELECT odoo_search(%s)", "SELECT odoo_create(%s, '{}')", "SELECT odoo_fields(%s)"):
            with pytest.raises(psycopg2.errors.InvalidName, match="is no name of a model"):
                db.run(statement, model)
    for method in (ATTACK, "unlink/x", "_create", "__class__", "unlink?", "", "env.cr.execute"):
        with pytest.raises(psycopg2.errors.InvalidName, match="is no name of a public method"):
            db.run("SELECT odoo_call('res.partner', %s)", method)
    assert {m for m, _ in fake.calls[calls:]} <= {"authenticate", "context_get", "read_at_login"}
    with pytest.raises(psycopg2.Error, match="Invalid field"):
        db.run("SELECT odoo_create('res.partner', %s)", Json({ATTACK: 1}))
    with pytest.raises(psycopg2.Error, match="Invalid field"):
        db.run("SELECT odoo_search('res.partner', odoo_domain(%s, '=', %s))", ATTACK, ATTACK)
    assert db.run("SELECT odoo_search('res.partner', odoo_domain('name', '=', %s))", ATTACK) == []
    assert partners(prefix) == before


def test_a_cancel_ends_the_wait(db, fake):
    prefix = f"version=19/only={db.name}/stall@create"
    server(db, fake, prefix, "jsonrpc", writable="true")
    db.run("SET statement_timeout = '500ms'")
    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run(CREATE)


def test_models_are_listed_without_the_method_for_it_too(db, fake):
    """Odoo 14 and 15 lack it."""
    for prefix in ("version=19", "version=19/fault=1@get_available_models"):
        db.server(url(fake, prefix), name=f"s{len(prefix)}")
        found = db.run("SELECT model, name FROM odoo_models(%s)", f"s{len(prefix)}")
        assert found == sorted(found) and ("res.partner", "Res Partner") in found
    db.server(url(fake, "version=19/denied=crm.team"), name="denied")
    assert db.run("SELECT 1 FROM odoo_models('denied') WHERE model = 'crm.team'") == []


@pytest.mark.parametrize("protocol", ["xmlrpc", "jsonrpc"])
def test_a_role_needs_usage_and_a_mapping_and_the_owners_leave(db, fake, protocol):
    server(db, fake, f"version=19/only={db.name}{protocol}", protocol)
    db.run("CREATE ROLE clerk")
    try:
        db.run("SET ROLE clerk")
        with pytest.raises(psycopg2.errors.UndefinedObject, match="no Odoo server to use"):
            db.run(CREATE)
        db.run("RESET ROLE; GRANT USAGE ON FOREIGN SERVER erp TO clerk; SET ROLE clerk")
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="read-only"):
            db.run(CREATE)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            db.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
        db.run("RESET ROLE; ALTER SERVER erp OPTIONS (ADD writable 'true'); SET ROLE clerk")
        with pytest.raises(psycopg2.errors.UndefinedObject, match="no user mapping"):
            db.run(CREATE)
        db.run("CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin')")
        assert db.value(CREATE) > 0
    finally:
        db.run("RESET ROLE; DROP OWNED BY clerk CASCADE; DROP ROLE clerk")
