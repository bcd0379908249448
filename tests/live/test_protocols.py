"""The protocols on a real Odoo: the same rows by each, and which one is taken."""

import psycopg2
import pytest

from ..conftest import OWN_TABLES, TABLES
from . import shop as shop_data


@pytest.fixture(scope="module")
def key(real):
    return real.api_key()


PROTOCOLS = ["xmlrpc", "jsonrpc", "json2", "web"]


def secret_for(protocol, key):
    return "password 'admin'" if protocol == "web" else f"api_key '{key}'"


def server(db, real, name, protocol, secret):
    db.run(f"CREATE SCHEMA {name}")
    db.run(f"CREATE SERVER {name} FOREIGN DATA WRAPPER odoo_fdw OPTIONS "
           f"(url '{real.url}', database 'demo', retries '0', protocol '{protocol}', schema '{name}')")
    db.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS (login 'admin', {secret})")


def test_all_bring_the_same(db, real, api, key):
    shop_data.furnish(api)
    for protocol in PROTOCOLS:
        server(db, real, protocol, protocol, secret_for(protocol, key))
        assert db.report(f"SELECT * FROM odoo_sync_all('{protocol}')")["dim_customers"]["inserted"] > 60
    # Rows of days are numbered, and dated by when they were read.
    tables = [table for table, in db.run(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'xmlrpc' AND tablename <> 'fact_stock_daily'")]
    assert len(tables) == TABLES + OWN_TABLES - 1
    for table in tables:
        columns = db.value(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = %s::regclass "
            "AND attnum > 0 AND attname NOT IN ('synced_at', 'source_server', 'first_seen', 'last_seen', 'server')",
            f"xmlrpc.{table}")
        for other in PROTOCOLS[1:]:
            for one, two in (("xmlrpc", other), (other, "xmlrpc")):
                assert db.run(f"SELECT {columns} FROM {one}.{table} EXCEPT ALL SELECT {columns} FROM {two}.{table}") == [], table
    for protocol in PROTOCOLS:
        assert db.report(f"SELECT * FROM odoo_sync_all('{protocol}', full_refresh => true)")["dim_customers"]["updated"] == 0


def test_auto_takes_the_fastest(db, real, key):
    server(db, real, "by_key", "auto", f"api_key '{key}'")
    server(db, real, "by_password", "auto", "password 'admin'")
    found = {name: db.run(f"SELECT split_part(detail, ',', 1), hint IS NULL FROM odoo_check('{name}') WHERE item = 'protocol'")
             for name in ("by_key", "by_password")}
    assert found == {"by_key": [("JSON-2", True)], "by_password": [("JSON-RPC", False)]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_odoo_refuses_is_said_the_same_way(db, real, key, protocol):
    server(db, real, "erp", protocol, secret_for(protocol, key))
    with pytest.raises(psycopg2.Error) as raised:
        db.run("SELECT * FROM odoo_read('no.such')")
    assert raised.value.pgcode == "HV00R"
    with pytest.raises(psycopg2.Error) as raised:
        db.run("SELECT * FROM odoo_read('res.partner', '[[\"nope\", \"=\", 1]]')")
    assert raised.value.pgcode == "HV005" and "Invalid field" in str(raised.value)
    kind = secret_for(protocol, key).split()[0]
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET {kind} 'wrong')")
    with pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification, match="refused the login"):
        db.run("SELECT * FROM odoo_read('res.partner')")
