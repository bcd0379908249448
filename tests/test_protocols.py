"""XML-RPC, JSON-RPC, JSON-2 and the web client's protocol bring the same rows, errors and facts; `auto` takes what is
there."""

import psycopg2
import pytest

from .conftest import OWN_TABLES, TABLES, url
from .fake.behaviour import Wish
from .fake.server import behaviour_of

PROTOCOLS = ["xmlrpc", "jsonrpc", "json2", "web"]


def secret_of(protocol):
    return "password" if protocol == "web" else "api_key"


def server(db, fake, behaviour, protocol, name="erp", secret=None, **options):
    secret = secret or secret_of(protocol)
    text = "".join(f", {key} '{value}'" for key, value in options.items())
    db.run(f"CREATE SERVER {name} FOREIGN DATA WRAPPER odoo_fdw OPTIONS "
           f"(url '{url(fake, behaviour)}', database 'demo', retries '0', protocol '{protocol}'{text})")
    db.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS (login 'admin', {secret} 'admin')")


@pytest.mark.parametrize("release", [14, 16, 19, 20])
def test_all_bring_the_same(db, fake, release):
    protocols = [protocol for protocol in PROTOCOLS if protocol != "json2" or release >= 19]
    for protocol in protocols:
        db.run(f"CREATE SCHEMA {protocol}")
        server(db, fake, f"version={release}", protocol, name=f"s_{protocol}", schema=protocol)
        report = db.report(f"SELECT * FROM odoo_sync_all('s_{protocol}')")
        assert report["fact_purchases"]["inserted"] > 0 and report["dim_customers"]["inserted"] > 0
    # Rows of days are numbered, and dated by when they were read.
    tables = [table for table, in db.run(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'xmlrpc' AND tablename <> 'fact_stock_daily'")]
    assert len(tables) == TABLES + OWN_TABLES - 1
    for table in tables:
        columns = db.value(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = %s::regclass "
            "AND attnum > 0 AND attname NOT IN ('synced_at', 'source_server', 'first_seen', 'last_seen', 'server')",
            f"xmlrpc.{table}")
        for other in protocols[1:]:
            for one, two in (("xmlrpc", other), (other, "xmlrpc")):
                assert db.run(f"SELECT {columns} FROM {one}.{table} EXCEPT ALL SELECT {columns} FROM {two}.{table}") == [], table


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("behaviour, error, sqlstate", [
    ("denied=product.product", "not allowed to access", "42501"),
    ("fault=1@search", "ValueError|Something", "HV000"),
    ("fault=2@search", "Words for the user", "HV000"),
    ("status=502@search", "HTTP 502", "08006"),
    ("cut@read", "broke|closed", "08006"),
    ("off=xmlrpc,jsonrpc,json2,web", "HTTP 404", "08006")])
def test_errors_are_the_same(db, fake, protocol, behaviour, error, sqlstate):
    server(db, fake, f"version=19/{behaviour}", protocol)
    with pytest.raises(psycopg2.Error, match=error) as raised:
        db.run("SELECT * FROM odoo_read('product.product')")
    assert raised.value.pgcode == sqlstate and raised.value.diag.message_hint


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_odoos_database_is_not_quoted(db, fake, protocol):
    """The error says what is wrong; values of rows, statements and advice are for Odoo's own log."""
    server(db, fake, "version=19/fault=database@search", protocol)
    with pytest.raises(psycopg2.Error) as raised:
        db.run("SELECT * FROM odoo_read('product.product')")
    diag = raised.value.diag
    told = "psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint \"res_users_login_key\""
    assert diag.message_primary == f"Odoo refused product.product.search: {told}"
    assert diag.message_detail is None and diag.message_hint == "The words are Odoo's; its log holds the whole traceback."


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_secret(db, fake, protocol):
    server(db, fake, "version=19", protocol)
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET {secret_of(protocol)} 'wrong')")
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification, match="refused the login"):
        db.run("SELECT * FROM odoo_sync('products')")
    assert len(fake.calls) - before == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("behaviour", ["poison=product.product:31:barcode", "most=2", "passing=2:x/status=503@read"])
def test_what_one_survives_all_survive(db, fake, protocol, behaviour):
    server(db, fake, f"version=19/{behaviour}/for={protocol}", protocol)
    db.run("ALTER SERVER erp OPTIONS (SET retries '3', ADD retry_delay '10')")
    report = db.report("SELECT * FROM odoo_sync('products')")["dim_products"]
    assert report["inserted"] >= 3
    assert db.value("SELECT count(*) FROM odoo_quarantine") == behaviour.count("poison")


def spoken(db, statement="SELECT * FROM odoo_sync('products')"):
    del db.connection.notices[:]
    db.run(statement)
    return db.value("SELECT detail FROM odoo_check() WHERE item = 'protocol'")


@pytest.mark.parametrize("off, secret, expected", [
    ("none", "api_key", "JSON-2"), ("none", "password", "JSON-RPC"), ("json2", "api_key", "JSON-RPC"),
    ("json2,jsonrpc", "api_key", "XML-RPC"), ("jsonrpc", "password", "XML-RPC")])
def test_auto_takes_the_fastest_that_is_there(db, fake, off, secret, expected):
    server(db, fake, f"version=19/off={off}/only={db.name}", "auto", secret=secret)
    assert expected in spoken(db)
    assert "no longer" not in db.notices


@pytest.mark.parametrize("version", [14, 15, 16, 18])
def test_auto_knows_that_json2_is_not_there_yet(db, fake, version):
    server(db, fake, f"version={version}/only={db.name}", "auto", secret="api_key")
    assert "JSON-RPC" in spoken(db)


def test_auto_falls_back_when_one_is_switched_off(db, fake):
    server(db, fake, f"version=19/only={db.name}", "auto")
    assert "JSON-2" in spoken(db)
    wishes = behaviour_of(f"/version=19/only={db.name}").wishes
    wishes.append(Wish("off=json2"))
    assert "JSON-RPC" in spoken(db)
    assert db.notices.count('server "erp" no longer answers in JSON-2; JSON-RPC is used') == 1
    # It is remembered: nothing is tried in vain.
    assert "JSON-RPC" in spoken(db)
    assert "no longer" not in db.notices
