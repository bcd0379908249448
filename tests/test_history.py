"""The history of a table: a version for each state of a record that runs have seen, and no others."""

import re
from contextlib import closing
from datetime import datetime, timezone

import psycopg2
import pytest

from .fake.catalogue import field
from .lab import places
from . import test_in_step as in_step
from .test_mirror import with_leads

ALL = "SELECT * FROM odoo_sync_all()"
#: When records were written first, when histories begin, and when changes are made, by Odoo's clock.
OLD, BEGUN, JUNE, JULY = "2024-01-01 00:00:00", "2024-06-15 00:00:00", "2024-06-20 12:00:00", "2024-07-01 12:00:00"
#: When the changes are seen.
JUNE_SEEN, JULY_SEEN = "2024-06-20 12:01:00", "2024-07-01 12:01:00"

HISTORIES = ["dim_customers", "dim_products", "dim_employees"]


def keep(db, *tables):
    for table in tables or HISTORIES:
        assert db.value("SELECT odoo_keep_history(%s, 'erp')", table) == f"{table}_history"


class Shop(in_step.Shop):
    """A minute passes with each change."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.set_clock(BEGUN)

    def set_clock(self, time):
        self.behaviour.clock = datetime.fromisoformat(f"{time}+00:00").timestamp()

    def write(self, model, id, write_date, **values):
        super().write(model, id, write_date, **values)
        self.set_clock(write_date)
        self.behaviour.clock += 60


@pytest.fixture
def shop(db, fake):
    shop = with_leads(Shop(db, fake, "version=19"))
    db.run(ALL)
    keep(db)
    return shop


def text(time):
    return time and time.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def versions(db, table, id, *columns):
    """The versions of a record: since when, until when, whether it is so now, and values."""
    wanted = "".join(f", {column}" for column in columns)
    rows = db.run(f"SELECT valid_from, valid_to, is_current{wanted} FROM {table}_history WHERE id = %s ORDER BY valid_from", id)
    return [(text(since), text(until), *rest) for since, until, *rest in rows]


def columns_of(db, table, without=()):
    names = db.run("SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", table)
    return [f'"{name}"' for name, in names if name not in ("synced_at", *without)]


def count(db, table):
    return db.value(f"SELECT count(*) FROM {table}_history")


def require_sound(db, table, schema="public", references=()):
    """Current versions are the rows; versions follow each other, and each differs from the one before."""
    row, history = f"{schema}.{table}", f"{schema}.{table}_history"
    columns = ", ".join(columns_of(db, row, ["deleted_at", *references]))
    present = "deleted_at IS NULL" if '"deleted_at"' in columns_of(db, row) else "true"
    sides = [f"SELECT {columns} FROM {row} WHERE {present}", f"SELECT {columns} FROM {history} WHERE is_current"]
    for one, other in (sides, sides[::-1]):
        assert db.run(f"{one} EXCEPT ALL {other}") == [], table
    values = ", ".join(columns_of(db, row, ["deleted_at", "odoo_write_date", "age", "tenure_years"]))
    wrong = f"""SELECT * FROM (SELECT *, lead(valid_from) OVER same AS next, lag(valid_to) OVER same AS ended,
          lag(unknown_columns) OVER same AS did_not_know,
          lag(ROW({values})) OVER same IS NOT DISTINCT FROM ROW({values}) AS is_repeated
        FROM {history} WINDOW same AS (PARTITION BY id ORDER BY valid_from)) AS versions
        WHERE valid_to <= valid_from OR next < valid_to OR is_current <> (valid_to IS NULL) OR is_current AND next IS NOT NULL
          OR is_repeated AND ended = valid_from AND did_not_know IS NULL AND unknown_columns IS NULL"""
    assert db.run(wrong) == [], table


def test_it_begins_with_what_is_there(db, shop):
    for table in HISTORIES:
        assert count(db, table) == db.value(f"SELECT count(*) FROM {table}")
        require_sound(db, table)
        history = columns_of(db, f"{table}_history", [])
        assert history[:-4] == columns_of(db, table, [])
        assert history[-4:] == ['"valid_from"', '"valid_to"', '"is_current"', '"unknown_columns"']
        assert set(db.run(f"SELECT valid_from = odoo_write_date, valid_to, is_current FROM {table}_history")) == {(True, None, True)}
    assert db.run("SELECT target FROM odoo_sync_status WHERE history ORDER BY 1") == [(table,) for table in sorted(HISTORIES)]
    about = "SELECT obj_description('dim_products_history'::regclass), col_description('dim_products_history'::regclass, 3)"
    assert db.run(about) == [("History of dim_products: a row for each version of a record", "Odoo: product.product.name")]
    assert ("odoo_etl.histories",) in db.run("SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'odoo_etl'")
    # What Odoo has no field for.
    lacking = [name for name, in db.run("SELECT column_name FROM odoo_columns WHERE target = 'dim_customers' AND field IS NULL "
                                        "AND kind IN ('field', 'reference')")]
    assert "mobile" in lacking
    (unknown,), = db.run("SELECT DISTINCT unknown_columns FROM dim_customers_history")
    assert sorted(unknown) == sorted(lacking)


def test_each_change_is_a_version(db, shop):
    shop.write("res.partner", 10, JUNE, street="Second St")
    db.run(ALL)
    shop.write("res.partner", 10, JULY, street="Third St", city="Oakland")
    db.run(ALL)
    assert versions(db, "dim_customers", 10, "street", "city") == [
        (OLD, JUNE, False, "1 Main St", "San Francisco"),
        (JUNE, JULY, False, "Second St", "San Francisco"),
        (JULY, None, True, "Third St", "Oakland"),
    ]
    shop.records("res.partner")[15] = dict(id=15, active=True, name="New", write_date=JULY)
    shop.write("res.partner", 12, JULY, active=False)
    db.run("CALL odoo_sync_job()")
    assert versions(db, "dim_customers", 15, "name") == [(JULY, None, True, "New")]
    assert versions(db, "dim_customers", 12, "active") == [(OLD, JULY, False, True), (JULY, None, True, False)]
    assert count(db, "dim_customers") == len(shop.records("res.partner")) + 3
    for table in HISTORIES:
        require_sound(db, table)


def test_what_changes_nothing_is_no_version(db, shop):
    before = {table: db.run(f"SELECT * FROM {table}_history ORDER BY id") for table in HISTORIES}
    db.run(ALL)
    for entity in ("customers", "products", "employees"):
        db.run(f"SELECT * FROM odoo_sync('{entity}', full_refresh => true)")
        db.run(f"SELECT * FROM odoo_reconcile('{entity}')")
    db.run("CALL odoo_sync_job(full_refresh => true)")
    assert before == {table: db.run(f"SELECT * FROM {table}_history ORDER BY id") for table in HISTORIES}
    # Somebody edits, adds and removes rows; a table is dropped.
    db.run("UPDATE dim_customers SET street = 'mine' WHERE id = 10; INSERT INTO dim_customers (id, name) VALUES (4711, 'mine')")
    db.run("UPDATE dim_customers SET deleted_at = now() WHERE id = 14")
    db.run("SELECT * FROM odoo_reconcile('customers'); DROP TABLE dim_products CASCADE")
    db.run(ALL)
    db.run("SELECT odoo_forget('erp')")
    db.run(ALL)
    assert {table: [row[0] for row in rows] for table, rows in before.items()} == {
        table: [id for id, in db.run(f"SELECT id FROM {table}_history ORDER BY id")] for table in HISTORIES}
    # A write of Odoo's that changes no column.
    shop.write("res.partner", 10, JUNE)
    db.run(ALL)
    assert versions(db, "dim_customers", 10) == [(OLD, None, True)]
    for table in HISTORIES:
        require_sound(db, table)


def test_silent_changes_take_odoos_clock(db, shop):
    shop.write("product.template", 40, JUNE, list_price=21.5)
    db.run(ALL)
    assert versions(db, "dim_products", 31, "list_price::float", "odoo_write_date = valid_from") == [
        (OLD, JUNE_SEEN, False, 19.99, True), (JUNE_SEEN, None, True, 21.5, False)]
    # Two in one second follow each other, as does what Odoo dates before that.
    shop.write("product.template", 40, JUNE, list_price=22.5)
    db.run(ALL)
    shop.write("product.product", 31, "2024-06-20 12:00:45", barcode="1")
    db.run(ALL)
    shop.write("product.product", 31, JULY, barcode="2")
    db.run(ALL)
    assert versions(db, "dim_products", 31, "list_price::float", "barcode")[1:] == [
        (JUNE_SEEN, JUNE_SEEN, False, 21.5, "4006381333931"), (JUNE_SEEN, "2024-06-20 12:01:45", False, 22.5, "4006381333931"),
        ("2024-06-20 12:01:45", JULY, False, 22.5, "1"), (JULY, None, True, 22.5, "2")]
    require_sound(db, "dim_products")


def test_a_write_that_changes_nothing_does_not_date_a_later_silent_change(db, shop):
    shop.write("product.product", 31, JUNE)
    db.run(ALL)
    shop.write("product.template", 40, JULY, list_price=21.5)
    db.run(ALL)
    assert versions(db, "dim_products", 31) == [(OLD, JULY_SEEN, False), (JULY_SEEN, None, True)]


def test_age_and_tenure_make_no_version(db, shop):
    assert db.value("SELECT age > 30 FROM dim_employees_history WHERE id = 20")
    db.run("UPDATE dim_employees SET age = 3, tenure_years = 1 WHERE id = 20")
    db.run("UPDATE dim_employees_history SET age = 3, tenure_years = 1 WHERE id = 20")
    db.run(ALL)
    assert versions(db, "dim_employees", 20, "age > 30") == [(OLD, None, True, True)]
    shop.write("hr.employee", 20, JUNE, work_phone="1")
    db.run(ALL)
    assert [row[2:] for row in versions(db, "dim_employees", 20, "age > 30", "work_phone")] == [
        (False, True, "+33 1 00 00 00 00"), (True, True, "1")]
    require_sound(db, "dim_employees")


def test_references_that_come_later_make_no_version(db, fake):
    shop = Shop(db, fake, "version=19")
    tea = shop.records("product.category").pop(5)
    db.run("SELECT * FROM odoo_sync('products')")
    assert db.value("SELECT category_id FROM dim_products WHERE id = 31") is None
    keep(db, "dim_products")
    assert versions(db, "dim_products", 31, "category_id") == [(OLD, None, True, 5)]
    # A record that is new, and one that changes.
    shop.records("product.template")[44] = dict(id=44, name="New", active=True, categ_id=5, write_date=JUNE)
    shop.records("product.product")[35] = dict(id=35, active=True, product_tmpl_id=44, write_date=JUNE)
    shop.write("product.product", 31, JUNE, barcode="1")
    db.run("SELECT * FROM odoo_sync('products')")
    before = db.run("SELECT * FROM dim_products_history ORDER BY id, valid_from")
    assert len(before) == 6
    shop.records("product.category")[5] = tea
    db.run(ALL)
    assert db.value("SELECT count(*) FROM dim_products WHERE category_id = 5") == 3
    db.run("SELECT * FROM odoo_sync('products', full_refresh => true)")
    assert db.run("SELECT * FROM dim_products_history ORDER BY id, valid_from") == before
    require_sound(db, "dim_products")


@pytest.mark.parametrize("repair", ["SELECT * FROM odoo_reconcile('customers')", "SELECT * FROM odoo_sync('customers', full_refresh => true)",
                                    "CALL odoo_sync_job('customers', reconcile => true)"])
def test_a_delete_ends_the_version_and_who_comes_back_begins_one(db, shop, repair):
    gone = shop.records("res.partner").pop(12)
    db.run(repair)
    assert versions(db, "dim_customers", 12, "deleted_at IS NOT NULL") == [(OLD, BEGUN, False, True)]
    db.run(repair)
    shop.set_clock(JULY)
    shop.records("res.partner")[12] = gone
    db.run(repair)
    assert versions(db, "dim_customers", 12, "deleted_at IS NULL") == [(OLD, BEGUN, False, False), (JULY, None, True, True)]
    require_sound(db, "dim_customers")


@pytest.mark.parametrize("keeps", [True, False])
def test_mirrors(db, shop, keeps):
    db.run(f"SELECT * FROM odoo_mirror('crm.lead', 'leads', keep_deleted => {keeps})")
    keep(db, "leads")
    assert count(db, "leads") == 0
    db.run(ALL)
    assert count(db, "leads") == 3
    shop.write("crm.lead", 3, JULY, name="Tables", lead_properties=[{"name": "size", "value": 3}])
    db.run(ALL)
    assert versions(db, "leads", 3, "name") == [(OLD, JULY, False, "Chairs"), (JULY, None, True, "Tables")]
    shop.records("crm.lead").pop(5)
    db.run("SELECT * FROM odoo_reconcile('leads')")
    assert versions(db, "leads", 5) == [(OLD, JULY_SEEN, False)]
    # A field that comes becomes a column, here as there.
    shop.models["crm.lead"].fields["x_season"] = field("char")
    shop.records("crm.lead")[3]["x_season"] = "Winter"
    db.run(ALL)
    assert versions(db, "leads", 3, "x_season", "unknown_columns")[-1] == (JULY, None, True, "Winter", None)
    # One that goes keeps its values.
    del shop.models["crm.lead"].fields["color"]
    shop.write("crm.lead", 3, "2024-07-02 00:00:00", name="Lamps")
    db.run(ALL)
    assert [row[2:] for row in versions(db, "leads", 3, "color")] == [(False, 4), (False, 4), (True, 4)]
    require_sound(db, "leads")
    db.run("SELECT odoo_mirror_drop('leads')")
    assert "leads_history\" stays" in db.notices and count(db, "leads") == 5
    assert db.run("SELECT * FROM odoo_etl.histories WHERE target = 'leads'") == []


def test_columns_that_are_added(db, shop):
    db.run("SELECT odoo_add_column('dim_customers', 'tz')")
    assert db.run("SELECT DISTINCT unknown_columns @> '{tz}' FROM dim_customers_history") == [(True,)]
    db.run(ALL)
    assert versions(db, "dim_customers", 1, "tz", "unknown_columns @> '{tz}'") == [(OLD, None, True, "Europe/London", False)]
    shop.write("res.partner", 1, JUNE, tz="Europe/Paris")
    shop.write("res.partner", 10, JUNE, tz="UTC")
    db.run(ALL)
    assert versions(db, "dim_customers", 1, "tz") == [(OLD, JUNE, False, "Europe/London"), (JUNE, None, True, "Europe/Paris")]
    assert versions(db, "dim_customers", 10, "tz") == [(OLD, JUNE, False, None), (JUNE, None, True, "UTC")]
    assert count(db, "dim_customers") == len(shop.records("res.partner")) + 2
    require_sound(db, "dim_customers")
    # Dropped and added again, it makes no version either.
    db.run("SELECT odoo_drop_column('dim_customers', 'tz'); SELECT odoo_add_column('dim_customers', 'tz')")
    db.run(ALL)
    assert versions(db, "dim_customers", 10, "tz") == [(OLD, JUNE, False, None), (JUNE, None, True, "UTC")]
    assert count(db, "dim_customers") == len(shop.records("res.partner")) + 2


def read_again(db):
    """What Odoo refused is not tried again for an hour."""
    db.run("UPDATE odoo_etl.cache SET kept_at = kept_at - interval '61 minutes'")
    db.run(ALL)


@pytest.mark.parametrize("trouble, value", [("broken", "product.product:barcode"), ("poison", ["product.product", "31", "barcode"])])
def test_values_that_odoo_does_not_give_for_a_while_make_no_version(db, shop, trouble, value):
    setattr(shop.behaviour.database, trouble, value)
    shop.write("product.product", 31, JUNE, weight=0.5)
    db.run(ALL)
    assert db.value("SELECT barcode FROM dim_products WHERE id = 31") is None
    setattr(shop.behaviour.database, trouble, None)
    read_again(db)
    assert versions(db, "dim_products", 31, "weight::float", "barcode") == [
        (OLD, JUNE, False, 0.25, "4006381333931"), (JUNE, None, True, 0.5, "4006381333931")]
    assert count(db, "dim_products") == 5
    require_sound(db, "dim_products")


def test_a_change_that_is_read_late_has_its_own_date(db, shop):
    shop.behaviour.database.poison = ["product.product", "31", "barcode"]
    shop.write("product.product", 31, JUNE, barcode="1")
    db.run(ALL)
    shop.behaviour.database.poison = None
    db.run(ALL)
    assert versions(db, "dim_products", 31, "barcode") == [(OLD, JUNE, False, "4006381333931"), (JUNE, None, True, "1")]


def test_values_that_the_user_may_not_read_for_a_while(db, shop):
    shop.behaviour.database.denied = "uom.uom"
    shop.write("product.product", 31, JUNE, weight=0.5)
    db.run(ALL)
    assert db.value("SELECT uom FROM dim_products WHERE id = 31") is None
    shop.behaviour.database.denied = None
    read_again(db)
    assert versions(db, "dim_products", 31, "uom") == [(OLD, JUNE, False, "kg"), (JUNE, None, True, "kg")]
    assert count(db, "dim_products") == 5
    require_sound(db, "dim_products")


def test_values_that_were_never_known_come_into_the_version(db, fake):
    shop = Shop(db, fake, "version=19")
    shop.behaviour.database.denied, shop.behaviour.database.broken = "uom.uom", "product.product:barcode"
    db.run(ALL)
    keep(db, "dim_products")
    shop.behaviour.database.denied = shop.behaviour.database.broken = None
    read_again(db)
    assert versions(db, "dim_products", 31, "uom", "barcode") == [(OLD, None, True, "kg", "4006381333931")]
    assert count(db, "dim_products") == 4
    require_sound(db, "dim_products")


def test_it_is_kept_no_more_and_again(db, shop):
    shop.write("res.partner", 10, JUNE, street="Second St")
    db.run(ALL)
    db.run("SELECT odoo_forget_history('dim_customers')")
    assert 'dim_customers_history" stays' in db.notices
    shop.write("res.partner", 10, JULY, street="Third St")
    shop.records("res.partner").pop(12)
    db.run("SELECT * FROM odoo_reconcile('customers')")
    assert len(versions(db, "dim_customers", 10)) == 2
    # It goes on with the table that it made.
    keep(db, "dim_customers")
    assert [row[:3] for row in versions(db, "dim_customers", 10)] == [(OLD, JUNE, False), (JUNE, JULY, False), (JULY, None, True)]
    assert versions(db, "dim_customers", 12)[-1][2] is False
    require_sound(db, "dim_customers")
    db.run("SELECT * FROM odoo_sync('customers', full_refresh => true)")
    require_sound(db, "dim_customers")


def test_a_history_that_was_dropped_is_made_again(db, shop):
    db.run("DROP TABLE dim_customers_history")
    assert ("dim_customers_history", "error") in db.run("SELECT item, status FROM odoo_check()")
    db.run(ALL)
    assert "dim_customers_history is not there and made again" in db.notices
    require_sound(db, "dim_customers")


def test_a_job_that_began_before_keeps_it_too(db, fake):
    shop = Shop(db, fake, "version=19", page_size=2)
    db.run(ALL)
    for id in shop.records("res.partner"):
        shop.write("res.partner", id, JUNE, street="New")
    with closing(db.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT odoo_etl.job_begin('customers', 'erp', false, false, false)")
        for _ in range(3):
            cursor.execute("SELECT odoo_etl.job_step()")
        keep(db, "dim_customers")
        while cursor.execute("SELECT odoo_etl.job_step()") or cursor.fetchone()[0]:
            pass
        cursor.execute("SELECT odoo_etl.job_end()")
    assert db.value("SELECT count(*) FROM dim_customers_history WHERE is_current AND street = 'New'") == len(shop.records("res.partner"))
    require_sound(db, "dim_customers")


INVALID, EXISTS, WRONG_KIND = "22023", "42P07", "42809"

REFUSED = [
    ("SELECT odoo_keep_history('fact_sales_lines')", WRONG_KIND, "fact_sales_lines", "odoo_deleted"),
    ("SELECT odoo_keep_history('nope')", INVALID, "nope", "Tables: dim_companies"),
    ("SELECT odoo_keep_history(NULL)", "22004", "target must not be NULL", None),
    ("SELECT odoo_keep_history('public.dim_customers')", "42710", "kept already", "odoo_forget_history('dim_customers')"),
    ("SELECT odoo_keep_history('dim_jobs')", EXISTS, "dim_jobs_history", "RENAME"),
    ("SELECT odoo_keep_history('dim_teams')", "42701", "valid_to", "column_name"),
    ("SELECT odoo_keep_history('dim_brands')", "42P01", "does not exist yet", "odoo_sync('brands')"),
    ("SELECT odoo_keep_history('dim_jobs', 'nope')", "42704", 'server "nope"', None),
    ("SELECT odoo_forget_history('dim_jobs')", "42704", "keeps no history", "odoo_sync_status"),
    ("SELECT odoo_forget_history(NULL)", "22004", "target must not be NULL", None),
]


@pytest.mark.parametrize("statement, code, message, hint", REFUSED)
def test_what_is_refused(db, shop, statement, code, message, hint):
    db.run("CREATE TABLE dim_jobs_history (id bigint); SELECT odoo_add_column('dim_teams', 'name', 'valid_to')")
    db.run("DROP TABLE dim_brands CASCADE")
    with pytest.raises(psycopg2.Error) as raised:
        db.run(statement)
    diagnosis = raised.value.diag
    assert diagnosis.sqlstate == code and message in f"{diagnosis.message_primary} {diagnosis.message_detail}"
    assert (hint or "") in (diagnosis.message_hint or "")


def test_it_belongs_to_the_tables_owner(db, shop):
    owner, reader, other = (f"{name}_{db.name}" for name in ("owner", "reader", "other"))
    db.run(f"CREATE ROLE {owner}; CREATE ROLE {reader}; CREATE ROLE {other}; GRANT USAGE ON FOREIGN SERVER erp TO {owner}, {other}")
    db.run(f"ALTER TABLE dim_jobs OWNER TO {owner}; GRANT SELECT ON dim_jobs TO {reader}")
    db.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {owner}; ALTER TABLE dim_jobs ENABLE ROW LEVEL SECURITY")
    try:
        db.run(f"SET ROLE {other}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="must be owner of table dim_jobs") as raised:
            db.run("SELECT odoo_keep_history('dim_jobs')")
        assert owner in raised.value.diag.message_detail
        db.run(f"SET ROLE {owner}")
        db.run("RESET ROLE; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        db.run(f"SET ROLE {owner}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for schema public") as raised:
            db.run("SELECT odoo_keep_history('dim_jobs')")
        db.run("RESET ROLE")
        db.run(raised.value.diag.message_hint)
        # A superuser makes it for the owner.
        keep(db, "dim_jobs")
        assert db.value("SELECT tableowner FROM pg_tables WHERE tablename = 'dim_jobs_history'") == owner
        assert db.value("SELECT has_table_privilege(%s, 'dim_jobs_history', 'SELECT')", reader)
        assert not db.value("SELECT has_table_privilege(%s, 'dim_jobs_history', 'INSERT')", reader)
        db.run(f"SET ROLE {reader}")
        assert db.run("SELECT * FROM dim_jobs_history") == []
        db.run("RESET ROLE")
        shop.write("hr.job", 11, JUNE, name="Teller")
        db.run(ALL)
        assert versions(db, "dim_jobs", 11, "name") == [(OLD, JUNE, False, "Cashier"), (JUNE, None, True, "Teller")]
        db.run(f"SET ROLE {owner}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied to end the history"):
            db.run("SELECT odoo_forget_history('dim_jobs')")
        db.run("RESET ROLE; ALTER TABLE dim_jobs_history OWNER TO postgres")
        shop.write("hr.job", 11, JULY, name="Till")
        report = db.report(ALL)
        assert report["dim_jobs"]["status"] == "failed" and "belongs to" in report["dim_jobs"]["error"]
        assert report["dim_customers"]["status"] == "ok"
        db.run(f"ALTER TABLE dim_jobs_history OWNER TO {owner}")
        assert db.report(ALL)["dim_jobs"]["status"] == "ok"
        require_sound(db, "dim_jobs")
    finally:
        db.run("RESET ROLE")
        db.run(f"DROP OWNED BY {owner}, {reader}, {other} CASCADE; DROP ROLE {owner}, {reader}, {other}")


def test_the_statements_of_the_docs_run(db, fake):
    Shop(db, fake, "version=19")
    db.run(ALL)
    page = (places.CHECKOUT / "docs/history.md").read_text()
    statements = [s for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) for s in block.split(";\n") if s.strip()]
    assert len(statements) == 6
    for statement in statements:
        db.run(statement)
