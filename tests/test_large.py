"""What runs cost in a table of many rows: by what they read of it, not by time."""

import pytest

from .test_in_step import Shop

pytestmark = pytest.mark.postgres

MANY = 200_000
#: Orders of the ten years before those of the fake.
FILL = f"""INSERT INTO all_sales (channel, id, ordered_at, business_date, hour, state, amount_total, amount_tax, currency, currency_rate,
    company_id, company_currency, odoo_write_date, synced_at)
    SELECT 'pos', 1000 + i, day, day, 12, 'paid', 11, 1, 'EUR', 1, 1, 'EUR', day, now()
    FROM generate_series(1, {MANY}) AS i, LATERAL (SELECT date '2014-01-01' + i / 55 AS day) AS days"""


def counted(db, column, table):
    """What PostgreSQL has counted of a table."""
    db.run("SELECT pg_stat_force_next_flush()")
    db.run("SELECT pg_stat_clear_snapshot()")
    return db.value(f"SELECT {column} FROM pg_stat_user_tables WHERE relid = %s::regclass", table)


@pytest.fixture
def shop(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run("SELECT * FROM odoo_sync_all()")
    return shop


def test_a_run_reads_no_business_dates_but_new_ones(db, shop):
    db.run(FILL)
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.value("SELECT min(day) FROM dim_date") == db.value("SELECT min(business_date) FROM all_sales")
    # As autovacuum does.
    db.run("VACUUM ANALYZE all_sales")
    before = counted(db, "seq_tup_read", "all_sales")
    shop.write("pos.order", 71, "2024-07-02 12:00:00", date_order="2026-01-15 12:00:00")
    assert db.report("SELECT * FROM odoo_sync('sales')")["all_sales"]["updated"] == 1
    assert db.value("SELECT max(day) FROM dim_date").isoformat() == "2027-01-15"
    assert counted(db, "seq_tup_read", "all_sales") == before


def test_reconcile_hands_on_what_others_inherit(db, shop):
    """Their own records are as they were."""
    branches = "SELECT DISTINCT branch_id FROM {} WHERE order_id = 71 AND {}"
    # Time goes on, and runs look at what is new alone.
    shop.write("pos.order", 76)
    db.run("SELECT * FROM odoo_sync_all()")
    shop.write("pos.order", 71, "2023-01-01 00:00:00", config_id=5)
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.run(branches.format("fact_sales_lines", "channel = 'pos'")) == [(2,)]
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert db.run(branches.format("fact_sales_lines", "channel = 'pos'")) == [(5,)]
    assert db.run(branches.format("fact_payments", "true")) == [(5,)]
    # Of the order of that number in the other channel nothing changed.
    assert db.run(branches.format("fact_sales_lines", "channel = 'sale'")) == [(None,)]


def test_what_a_user_may_not_see_is_not_looked_for_row_by_row(db, fake):
    """Each order lacks the employee. A run asks first whether there is any."""
    Shop(db, fake, "version=19/denied=hr.employee")
    db.run("SELECT * FROM odoo_sync_all()")
    db.run(f"INSERT INTO missing_data (target, channel, row_id, column_name, odoo_model, missing_id) "
           f"SELECT 'all_sales', 'pos', 1000 + i, 'employee_id', 'hr.employee', 20 FROM generate_series(1, {MANY}) AS i")
    db.run("VACUUM ANALYZE missing_data")
    read = "seq_tup_read + idx_tup_fetch"
    before = counted(db, read, "missing_data")
    db.run("SELECT * FROM odoo_sync('currencies')")
    # They are counted, for the report; each reference that orders have would read them again.
    assert counted(db, read, "missing_data") - before < 4 * MANY
