"""Rows of facts that go: odoo_deleted tells those who follow the tables."""

import pytest

from .conftest import url
from .test_in_step import Shop, paid_order_with_lines
from .test_mirror import with_leads

ALL = "SELECT * FROM odoo_sync_all()"
LATER, LATEST = "2030-01-01 00:00:00", "2030-01-02 00:00:00"


@pytest.fixture
def shop(db, fake):
    shop = with_leads(Shop(db, fake, "version=19"))
    db.run(ALL)
    assert gone(db) == []
    return shop


def gone(db):
    return db.run("SELECT target, channel, id FROM odoo_deleted ORDER BY 1, 2, 3")


def payments_of(shop, order):
    return [id for id, payment in shop.records("pos.payment").items() if payment["pos_order_id"] == order]


def test_every_row_that_goes_is_told(db, shop):
    began = db.value("SELECT clock_timestamp()")
    order, (line, *others) = paid_order_with_lines(shop)
    shop.records("pos.order.line").pop(line)
    shop.write("pos.order", order, LATER)
    quant = min(shop.records("stock.quant"))
    shop.records("stock.quant").pop(quant)
    shop.records("purchase.order.line").pop(35)
    shop.write("purchase.order", 15, LATER)
    db.run(ALL)
    told = {("fact_sales_lines", "pos", line), ("fact_stock", "", quant), ("fact_purchases", "", 35)}
    assert set(gone(db)) == told
    # An order that leaves the table takes its lines along.
    shop.write("pos.order", order, LATEST, state="cancel")
    db.run(ALL)
    paid = payments_of(shop, order)
    told |= {("all_sales", "pos", order), *(("fact_sales_lines", "pos", id) for id in others), *(("fact_payments", "", id) for id in paid)}
    assert set(gone(db)) == told
    # What no incremental run finds.
    shop.records("sale.order").pop(77)
    shop.records("sale.order.line").pop(88)
    db.run("SELECT * FROM odoo_reconcile('sales')")
    told |= {("all_sales", "sale", 77), ("fact_sales_lines", "sale", 88)}
    assert set(gone(db)) == told
    assert db.run("SELECT * FROM odoo_deleted WHERE deleted_at NOT BETWEEN %s AND clock_timestamp()", began) == []


def test_dimensions_are_marked_and_not_told(db, shop):
    shop.records("hr.job").pop(11)
    db.run("SELECT * FROM odoo_sync('employees')")
    assert db.value("SELECT deleted_at IS NOT NULL FROM dim_jobs WHERE id = 11")
    assert gone(db) == []


def test_a_row_that_comes_back_is_told_no_more(db, shop):
    order, lines = paid_order_with_lines(shop)
    shop.write("pos.order", order, LATER, state="cancel")
    db.run(ALL)
    assert len(gone(db)) == 1 + len(lines) + len(payments_of(shop, order))
    shop.write("pos.order", order, LATEST, state="paid")
    db.run("CALL odoo_sync_job()")
    assert gone(db) == []
    assert db.value("SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos' AND id = ANY (%s)", lines) == len(lines)


def test_so_is_the_latest_one(db, shop):
    """A row whose id is higher than all others is written by another statement."""
    last = max(shop.records("stock.quant"))
    quant = shop.records("stock.quant").pop(last)
    db.run(ALL)
    assert gone(db) == [("fact_stock", "", last)]
    shop.records("stock.quant")[last] = quant
    db.run(ALL)
    assert gone(db) == []


def test_mirrors_of_which_rows_go(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'leads'); SELECT * FROM odoo_mirror('crm.lead', 'kept', keep_deleted => true)")
    db.run(ALL)
    shop.records("crm.lead").pop(5)
    db.run("SELECT * FROM odoo_reconcile('leads'); SELECT * FROM odoo_reconcile('kept')")
    assert gone(db) == [("leads", "", 5)]


def test_jobs_forget_what_is_old(db, shop):
    assert db.value("SHOW odoo_etl.deleted_retention") == "90d"
    db.run("INSERT INTO odoo_deleted VALUES ('x', '', 1, now() - interval '89 days'), ('x', '', 2, now() - interval '91 days')")
    db.run(ALL)
    assert len(gone(db)) == 2
    db.run("CALL odoo_sync_job('brands')")
    assert gone(db) == [("x", "", 1)]
    db.run("SET odoo_etl.deleted_retention = '1h'")
    db.run("CALL odoo_sync_job('brands')")
    assert gone(db) == []


def test_a_warehouse_of_before_gets_it(db, fake):
    """Whoever may write missing_data there may write it too."""
    db.server(url(fake, f"version=19/only={db.name}"))
    db.run(ALL)
    clerk, reader = f"clerk_{db.name}", f"reader_{db.name}"
    db.run(f"CREATE ROLE {clerk}; CREATE ROLE {reader}; GRANT SELECT, INSERT, UPDATE, DELETE ON missing_data TO {clerk}")
    db.run(f"GRANT SELECT (target, row_id) ON missing_data TO {reader}; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {reader}")
    db.run("DROP TABLE odoo_deleted")
    db.run(ALL)
    may = "SELECT has_table_privilege(%s, 'odoo_deleted', %s)"
    assert all(db.value(may, clerk, what) for what in ("SELECT", "INSERT", "UPDATE", "DELETE"))
    assert not db.value(may, clerk, "TRUNCATE") and not db.value(may, reader, "SELECT")
    assert db.value("SELECT has_column_privilege(%s, 'odoo_deleted', 'target', 'SELECT')", reader)
    db.run(f"DROP OWNED BY {clerk}, {reader}; DROP ROLE {clerk}; DROP ROLE {reader}")
