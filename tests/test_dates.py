"""dim_date: the table of days, which no model fills."""

from datetime import date, timedelta

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .test_in_step import Shop

pytestmark = pytest.mark.postgres

SYNC = "SELECT * FROM odoo_sync('sales')"
NAMES = "SELECT month_name, weekday_name FROM dim_date WHERE day = (SELECT max(business_date) FROM all_sales)"
ENGLISH = "January February March April May June July August September October November December".split()
ENGLISH_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def year_on(day):
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def asked(fake, prefix):
    return sum(method == "value_to_html" for method, path in fake.calls if prefix in path)


@pytest.mark.parametrize("run", [SYNC, "CALL odoo_sync_job()", "SELECT * FROM odoo_reconcile('sales')"])
def test_every_day_from_the_first_business_date_to_a_year_after_the_last(db, fake, run):
    db.server(url(fake, "version=19"))
    db.run(run)
    rows = db.run("SELECT day, year, quarter, month, month_name, iso_year, iso_week, weekday, weekday_name, is_weekend "
                  "FROM dim_date ORDER BY day")
    first, last = db.run("SELECT min(business_date), max(business_date) FROM all_sales")[0]
    expected = []
    for number in range((year_on(last) - first).days + 1):
        day = first + timedelta(number)
        expected.append((day, day.year, (day.month + 2) // 3, day.month, ENGLISH[day.month - 1], *day.isocalendar()[:2],
                         day.isoweekday(), ENGLISH_DAYS[day.weekday()], day.isoweekday() > 5))
    assert rows == expected
    assert db.value("SELECT count(*) FROM pg_description WHERE objoid = 'dim_date'::regclass") == 11


def test_days_are_added_and_stay(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run(SYNC)
    before = db.value("SELECT max(day) FROM dim_date")
    rows = "SELECT count(*), min(xmin::text), max(xmin::text) FROM dim_date"
    written = db.run(rows)
    db.run(SYNC)
    assert db.run(rows) == written
    order = next(id for id, record in shop.records("pos.order").items() if record["state"] == "paid")
    old = shop.records("pos.order")[order]["date_order"]
    shop.write("pos.order", order, date_order=f"{before.year + 1}-03-01 12:00:00")
    db.run(SYNC)
    assert db.value("SELECT max(day) FROM dim_date") == date(before.year + 2, 3, 1)
    shop.write("pos.order", order, date_order=old, write_date="2024-07-01 12:00:00")
    db.run(SYNC)
    assert db.value("SELECT max(day) FROM dim_date") == date(before.year + 2, 3, 1)


@pytest.mark.parametrize("gone", ["day < '2024-02-01'", "day > '2024-02-01'", "day = '2024-02-01'", "true"])
def test_days_that_were_deleted_come_back(db, fake, gone):
    db.server(url(fake, "version=19"))
    db.run(SYNC)
    days = db.run("SELECT * FROM dim_date ORDER BY day")
    assert db.value(f"WITH gone AS (DELETE FROM dim_date WHERE {gone} RETURNING day) SELECT count(*) FROM gone") > 0
    db.run(SYNC)
    assert db.run("SELECT * FROM dim_date ORDER BY day") == days


def test_an_order_before_the_first_day_adds_days(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run(SYNC)
    order = next(id for id, record in shop.records("pos.order").items() if record["state"] == "paid")
    shop.write("pos.order", order, date_order="2022-12-31 12:00:00")
    db.run(SYNC)
    first, days = db.run("SELECT min(day), max(day) - min(day) + 1 = count(*) FROM dim_date")[0]
    assert (first, days) == (date(2022, 12, 31), True)


@pytest.mark.parametrize("slip", ["0201-05-05 10:00:00", "9998-12-31 10:00:00"])
def test_a_slip_of_the_pen_makes_no_million_rows(db, fake, slip):
    shop = Shop(db, fake, "version=19")
    order = next(id for id, record in shop.records("pos.order").items() if record["state"] == "paid")
    shop.write("pos.order", order, date_order=slip)
    db.run(SYNC)
    assert db.value("SELECT count(*) FROM all_sales WHERE business_date NOT BETWEEN '1970-01-01' AND '2100-01-01'") == 1
    assert db.value("SELECT count(*) FROM dim_date") < 3000


@pytest.mark.parametrize("release", [14, 19, 20])
def test_names_are_those_of_the_servers_language(db, fake, release):
    """Whatever lc_time is. Odoo is asked once."""
    prefix = f"version={release}/only={db.name}"
    db.server(url(fake, prefix), language="fr_FR")
    db.run("SET lc_time = 'C'")
    db.run(SYNC)
    month, weekday = db.run(NAMES)[0]
    assert month.islower() and weekday in ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    assert db.value("SELECT count(DISTINCT month_name) FROM dim_date") == 12
    assert asked(fake, prefix) == 12
    db.run(SYNC)
    assert asked(fake, prefix) == 12
    # Another language renames the days.
    db.run("ALTER SERVER erp OPTIONS (DROP language)")
    db.run(SYNC)
    assert db.run(NAMES)[0][0] in ENGLISH
    assert asked(fake, prefix) == 12


def test_where_odoo_does_not_tell_the_names_are_english(db, fake):
    prefix = f"/version=19/only={db.name}"
    db.server(url(fake, prefix.strip("/")), language="fr_FR")
    del behaviour_of(prefix).database.models["ir.qweb.field.date"]
    db.run(SYNC)
    assert db.run(NAMES)[0][0] in ENGLISH
    assert "Odoo does not tell the names of months in fr_FR" in db.notices


def test_a_table_of_that_name_which_is_not_ours_is_left_alone(db, fake):
    db.server(url(fake, "version=19"))
    db.run("CREATE TABLE dim_date (id integer); INSERT INTO dim_date VALUES (1)")
    db.run(SYNC)
    assert db.run("TABLE dim_date") == [(1,)]
    status, detail = db.run("SELECT status, detail FROM odoo_check() WHERE item = 'dim_date'")[0]
    assert status == "warning" and "left alone" in detail
    db.run("ALTER TABLE dim_date RENAME TO my_dates")
    db.run(SYNC)
    assert db.value("SELECT count(*) > 300 FROM dim_date")
    assert db.run("SELECT item FROM odoo_check() WHERE item = 'dim_date'") == []
    db.run("DROP TABLE dim_date; CREATE VIEW dim_date AS SELECT 1 AS one")
    db.run(SYNC)


def test_it_is_moved_and_dropped_as_other_tables(db, fake):
    db.server(url(fake, "version=19"))
    db.run(SYNC)
    db.run("CREATE SCHEMA x; ALTER TABLE dim_date SET SCHEMA x")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="dim_date.* was moved"):
        db.run(SYNC)
    db.run("DROP TABLE x.dim_date")
    db.run(SYNC)
    assert db.value("SELECT count(*) > 300 FROM dim_date")
    with pytest.raises(psycopg2.Error, match="a name of odoo_etl's own"):
        db.run("SELECT * FROM odoo_mirror('product.category', 'dim_date')")


def test_a_role_that_may_load_needs_no_more_than_that(db, fake):
    db.server(url(fake, "version=19"))
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("CREATE ROLE dates_loader; GRANT USAGE ON FOREIGN SERVER erp TO dates_loader; TRUNCATE dim_date")
    db.run("CREATE USER MAPPING FOR dates_loader SERVER erp OPTIONS (login 'admin', password 'admin')")
    try:
        db.run("GRANT SELECT, INSERT, UPDATE, DELETE ON all_sales, fact_sales_lines, missing_data TO dates_loader;"
               "GRANT SELECT ON ALL TABLES IN SCHEMA public TO dates_loader; SET ROLE dates_loader")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for table dim_date"):
            db.run(SYNC)
        db.run("RESET ROLE; GRANT INSERT, UPDATE ON dim_date TO dates_loader; SET ROLE dates_loader")
        db.run(SYNC)
        assert db.value("SELECT count(*) > 300 FROM dim_date")
    finally:
        db.run("RESET ROLE; DROP OWNED BY dates_loader CASCADE; DROP ROLE dates_loader")
