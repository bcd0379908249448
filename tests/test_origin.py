"""A server that leads somewhere else than before: refused until odoo_forget, since ids would mix."""

import psycopg2
import pytest

from .conftest import url

SYNC = "SELECT * FROM odoo_sync('products')"
OTHER = "11111111-0000-4000-8000-000000000001"


@pytest.fixture
def filled(db, fake):
    db.server(url(fake, f"rows=30/only={db.name}"))
    db.run("SELECT * FROM odoo_sync_all()")
    return db


def point_at(db, fake, behaviour):
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, behaviour)}')")


@pytest.mark.parametrize("statement", [SYNC, "CALL odoo_sync_job()", "SELECT * FROM odoo_reconcile('products')",
                                       "SELECT * FROM odoo_verify('products')"])
def test_another_database_is_refused(filled, fake, statement):
    point_at(filled, fake, f"rows=12/uuid={OTHER}")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="another Odoo database") as raised:
        filled.run(statement)
    assert OTHER in raised.value.diag.message_detail
    assert "odoo_forget('erp')" in raised.value.diag.message_hint
    assert filled.value("SELECT count(*) FROM dim_products WHERE deleted_at IS NULL") == 30


def test_the_same_database_at_another_address_is_not(filled, fake):
    point_at(filled, fake, f"rows=30/moved={filled.name}")
    assert filled.report(SYNC)["dim_products"]["status"] == "ok"


def test_without_the_uuid_name_and_address_count(db, fake):
    db.server(url(fake, "rows=30/denied=ir.config_parameter"))
    db.run(SYNC)
    db.run(SYNC)
    point_at(db, fake, "rows=30/denied=ir.config_parameter/moved")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="another Odoo database"):
        db.run(SYNC)


def test_after_forget_the_tables_hold_the_other_database(filled, fake):
    point_at(filled, fake, f"rows=12/uuid={OTHER}")
    filled.run("SELECT odoo_forget('erp')")
    for table in ("odoo_etl.state", "odoo_etl.watermarks", "odoo_etl.columns", "odoo_quarantine"):
        assert filled.value(f"SELECT count(*) FROM {table}") == 0
    report = filled.report("SELECT * FROM odoo_sync_all()")["dim_products"]
    assert (report["fetched"], report["deleted"]) == (12, 18)
    assert filled.value("SELECT count(*) FROM dim_products WHERE deleted_at IS NULL") == 12


def test_a_renamed_server_is_refused(filled):
    filled.run("ALTER SERVER erp RENAME TO prod")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match='is filled by server "erp"') as raised:
        filled.run(SYNC)
    assert "odoo_forget('erp')" in raised.value.diag.message_hint
    filled.run("SELECT odoo_forget('erp')")
    report = filled.report(SYNC)["dim_products"]
    assert (report["fetched"], report["unchanged"]) == (30, 30)


def test_two_servers_do_not_share_a_schema(filled, fake):
    filled.server(url(fake, f"rows=12/uuid={OTHER}"), name="second")
    with pytest.raises(psycopg2.Error, match='is filled by server "erp"'):
        filled.run("SELECT * FROM odoo_sync('products', 'second')")
    filled.run("ALTER SERVER second OPTIONS (ADD schema 'second')")
    filled.run("SELECT * FROM odoo_sync('products', 'second')")
    assert filled.value("SELECT count(*) FROM second.dim_products") == 12
    assert filled.value("SELECT count(*) FROM dim_products") == 30


def test_another_schema_is_loaded_in_full(filled):
    filled.run("CREATE SCHEMA elsewhere")
    filled.run("CREATE TABLE elsewhere.dim_products (LIKE dim_products)")
    filled.run("ALTER TABLE elsewhere.dim_products ADD PRIMARY KEY (id)")
    filled.run("ALTER SERVER erp OPTIONS (ADD schema 'elsewhere')")
    assert filled.report(SYNC)["dim_products"]["inserted"] == 30


def test_forget_is_for_those_who_synced(filled):
    filled.run("CREATE ROLE somebody")
    filled.run("SET ROLE somebody")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="forget server"):
        filled.run("SELECT odoo_forget('erp')")
    filled.run("RESET ROLE")
    filled.run("DROP ROLE somebody")
    with pytest.raises(psycopg2.errors.UndefinedObject, match="nothing was ever synced"):
        filled.run("SELECT odoo_forget('nope')")
    with pytest.raises(psycopg2.errors.NullValueNotAllowed):
        filled.run("SELECT odoo_forget(NULL)")
