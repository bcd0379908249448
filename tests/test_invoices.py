"""Invoices: an entity that is off until the server's owner turns it on."""

import psycopg2
import pytest

from .conftest import url
from .test_in_step import Shop

ALL = "SELECT * FROM odoo_sync_all()"
SYNC = "SELECT * FROM odoo_sync('invoices')"
ROWS = "SELECT array_agg(id ORDER BY id) FROM fact_invoices"


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "version=19")


def test_off_by_default(db, shop):
    assert "fact_invoices" not in db.report(ALL)
    assert db.value("SELECT to_regclass('fact_invoices') IS NULL")
    assert db.value("SELECT count(*) FROM odoo_check() WHERE item = 'fact_invoices' OR detail LIKE '%%account.move%%'") == 0
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match='entity "invoices" is off') as raised:
        db.run(SYNC)
    assert "odoo_enable('invoices')" in raised.value.diag.message_hint
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="odoo_etl's own"):
        db.run("SELECT * FROM odoo_mirror('account.move.line', 'fact_invoices')")


def test_on_and_off_again(db, shop):
    db.run(ALL)
    db.run("SELECT odoo_enable('invoices')")
    assert db.report(ALL)["fact_invoices"]["inserted"] == 4
    assert db.value("SELECT count(*) FROM pg_constraint WHERE conrelid = 'fact_invoices'::regclass AND contype = 'f'") == 4
    assert db.value("SELECT missing + stale + deleted FROM odoo_verify('invoices')") == 0
    with pytest.raises(psycopg2.errors.DuplicateObject, match="is on already"):
        db.run("SELECT odoo_enable('invoices')")
    db.run("SELECT odoo_disable('invoices')")
    assert "stays, and is written no more" in db.notices
    shop.records("account.move.line").pop(601)
    assert "fact_invoices" not in db.report(ALL)
    assert db.value("SELECT count(*) FROM odoo_sync_status WHERE target = 'fact_invoices'") == 0
    # What it refers to may still go.
    shop.records("product.product").pop(31)
    for model in ("pos.order.line", "sale.order.line", "purchase.order.line", "stock.move", "stock.quant"):
        for id in [id for id, record in shop.records(model).items() if record.get("product_id") == 31]:
            shop.records(model).pop(id)
    db.run("SELECT * FROM odoo_reconcile('all')")
    db.run("SELECT odoo_enable('invoices')")
    assert db.report(SYNC)["fact_invoices"]["deleted"] == 1
    assert db.value(ROWS) == [605, 606, 608]
    db.run("SELECT odoo_disable('invoices'); DROP TABLE fact_invoices")
    assert set(row["status"] for row in db.report(ALL).values()) <= {"ok", "absent"}
    assert db.value("SELECT count(*) FROM odoo_check() WHERE status = 'error'") == 0


def test_a_line_shows_what_becomes_of_its_invoice(db, shop):
    db.run("SELECT odoo_enable('invoices')")
    db.run(SYNC)
    shop.write("account.move", 502, payment_state="paid")
    shop.records("account.move.line").pop(606)
    shop.write("account.move", 503, state="cancel")
    db.run(SYNC)
    assert db.run("SELECT id, state, payment_state FROM fact_invoices ORDER BY id") == [
        (601, "posted", "paid"), (605, "posted", "paid"), (608, "draft", "not_paid")]
    assert db.value("SELECT count(*) FROM odoo_deleted WHERE target = 'fact_invoices' AND id = 606") == 1


def test_only_the_servers_owner_turns_it_on(db, shop):
    clerk = f"clerk_{db.name}"
    db.run(f"CREATE ROLE {clerk}; GRANT USAGE ON FOREIGN SERVER erp TO {clerk}; SET ROLE {clerk}")
    try:
        for call in ("odoo_enable('invoices')", "odoo_disable('invoices')"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="must be owner of foreign server erp"):
                db.run(f"SELECT {call}")
        db.run(f"RESET ROLE; ALTER SERVER erp OWNER TO {clerk}; SET ROLE {clerk}")
        db.run("SELECT odoo_enable('invoices')")
    finally:
        db.run(f"RESET ROLE; ALTER SERVER erp OWNER TO CURRENT_USER; DROP OWNED BY {clerk}; DROP ROLE {clerk}")


@pytest.mark.parametrize("call, error", [
    ("odoo_enable('sales')", '"sales" is no entity that is off by default'),
    ("odoo_enable('nothing')", '"nothing" is no entity that is off by default'),
    ("odoo_enable(NULL)", "entity"),
    ("odoo_disable('invoices')", 'entity "invoices" is off'),
    ("odoo_enable('invoices', 'nobody')", 'server "nobody" does not exist'),
])
def test_what_is_refused(db, shop, call, error):
    with pytest.raises(psycopg2.Error, match=error):
        db.run(f"SELECT {call}")


def test_servers_are_turned_on_one_by_one(db, fake, shop):
    db.server(url(fake, "version=18"), name="other", schema="elsewhere")
    db.run("SELECT odoo_enable('invoices', 'other')")
    assert "fact_invoices" not in db.report("SELECT * FROM odoo_sync_all('erp')")
    assert db.report("SELECT * FROM odoo_sync_all('other')")["fact_invoices"]["status"] == "ok"


def test_who_may_not_see_accounting_gets_the_rest(db, shop):
    shop.behaviour.database.denied = "account.move.line"
    db.run("SELECT odoo_enable('invoices')")
    report = db.report(ALL)
    assert report["fact_invoices"]["status"] == "denied"
    assert {row["status"] for table, row in report.items() if table != "fact_invoices"} <= {"ok", "absent"}
