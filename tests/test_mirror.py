"""Any model of Odoo as a table of the warehouse, and columns of one's own in tables that are there
already: made at run time, loaded as all others, followed when Odoo's fields come and go."""

from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

import psycopg2
import pytest

from .conftest import TABLES
from .fake.catalogue import field, many2one
from .fake.orm import Model
from .test_in_step import NEW, Shop

MIRROR = "SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')"
SYNC = "SELECT * FROM odoo_sync('crm_leads')"
FULL = "SELECT * FROM odoo_sync('crm_leads', full_refresh => true)"
RECONCILE = "SELECT * FROM odoo_reconcile('crm_leads')"
VERIFY = "SELECT missing, stale, deleted FROM odoo_verify('crm_leads')"
DROP = "SELECT odoo_mirror_drop('crm_leads')"
PRODUCTS = "SELECT * FROM odoo_sync('products')"

LATER = "2024-06-01 13:00:00"

LEAD = {
    "active": field("boolean"),
    "color": field("integer"),
    "create_date": field("datetime"),
    "date_deadline": field("date"),
    "date_open": field("datetime"),
    "description": field("html"),
    "expected_revenue": field("monetary"),
    "image": field("binary"),
    "lead_properties": field("properties"),
    "name": field("char"),
    "order": field("integer"),
    "partner_id": many2one("res.partner"),
    "priority": field("selection"),
    "probability": field("float"),
    "reference": field("reference"),
    "score": {**field("integer"), "store": False},
    "tag_ids": field("many2many", "res.partner.category"),
}

#: The columns that a mirror has of them without being asked.
COLUMNS = [
    ("active", "boolean"),
    ("color", "bigint"),
    ("create_date", "timestamp with time zone"),
    ("date_deadline", "date"),
    ("date_open", "timestamp with time zone"),
    ("description", "text"),
    ("expected_revenue", "numeric"),
    ("lead_properties", "jsonb"),
    ("name", "text"),
    ("order", "bigint"),
    ("partner_id", "bigint"),
    ("priority", "text"),
    ("probability", "numeric"),
    ("reference", "text"),
]
NAMES = [name for name, _ in COLUMNS]
END = [("odoo_write_date", "timestamp with time zone"), ("synced_at", "timestamp with time zone")]


def records():
    return [
        dict(id=3, active=True, color=4, create_date="2024-01-02 03:04:05", date_deadline="2024-07-01",
             date_open="2024-02-03 04:05:06", description="<p>Ten</p>", expected_revenue=1999.99,
             image="aGk=", lead_properties=[{"name": "size", "value": 2.5}], name="Chairs", order=-1,
             partner_id=10, priority="2", probability=12.5, reference="res.partner,10", tag_ids=[9, 2]),
        # Archived, and empty but for its name.
        dict(id=5, active=False, name="Äpfel 🍏 'x' \\ \"y\""),
        dict(id=8, active=True, name="Desks", partner_id=14, priority="1", write_date=NEW),
    ]


def with_leads(shop):
    """Adds a model that no table of the warehouse is made of."""
    shop.models["crm.lead"] = Model("crm.lead", dict(LEAD), records())
    shop.models["crm.lead"].join(shop.behaviour.database)
    return shop


@pytest.fixture
def shop(db, fake):
    return with_leads(Shop(db, fake, "version=19"))


@pytest.fixture
def leads(db, shop):
    """With a mirror of all leads, loaded once."""
    db.run(MIRROR)
    db.run(SYNC)
    return shop


def synced(db, statement=SYNC, table="crm_leads"):
    return db.report(statement)[table]


def columns(db, table="crm_leads"):
    found = db.run("SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
                   "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", table)
    return [(name, unquoted(kind)) for name, kind in found]


def unquoted(name):
    """As PostgreSQL writes a name where quote_all_identifiers is off."""
    return name.replace('"', "")


def names(db, table="crm_leads"):
    return [name for name, _ in columns(db, table)]


def ids(db, condition="true"):
    return [id for id, in db.run(f"SELECT id FROM crm_leads WHERE {condition} ORDER BY id")]


def found(db, fields=NAMES, table="crm_leads"):
    wanted = ", ".join(f'"{name}"' for name in ["id", *fields])
    return db.run(f"SELECT {wanted} FROM {table} ORDER BY id")


def expected(shop, fields=NAMES):
    model = shop.models["crm.lead"]
    return [(id, *(value(model, record, name) for name in fields))
            for id, record in sorted(model.records.items())]


def value(model, record, name):
    """What the warehouse shows of a field: an empty value is NULL, a number that is none is 0."""
    kind, raw = model.fields[name]["type"], model.value(record, name)
    if kind == "boolean":
        return raw
    if raw is False:
        return None
    if kind in ("float", "monetary"):
        return Decimal(str(raw))
    if kind == "date":
        return date.fromisoformat(raw)
    if kind == "datetime":
        return datetime.fromisoformat(f"{raw}+00:00")
    return raw


def remembered(db):
    """The extension's tables that have something of the mirror; the log is not one of them."""
    tables = db.run("SELECT c.oid::regclass::text FROM pg_class c "
                    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'target' "
                    "JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid "
                    "WHERE c.relkind = 'r' AND d.deptype = 'e' AND c.relname <> 'runs'")
    rows = "SELECT count(*) FROM {} WHERE target = 'crm_leads'"
    return {unquoted(table) for table, in tables if db.value(rows.format(table))}


def test_a_model_becomes_a_table(db, shop):
    told = db.run("SELECT column_name, column_type::regtype::text, label "
                  "FROM odoo_mirror('crm.lead', 'crm_leads')")
    assert [(name, unquoted(kind), label) for name, kind, label in told] == [
        (name, kind, name.replace("_", " ").capitalize()) for name, kind in COLUMNS]
    assert columns(db) == [("id", "bigint"), *COLUMNS, *END]
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'crm_leads'::regclass"
    assert "PRIMARY KEY (id)" in [unquoted(definition) for definition, in db.run(key)]
    assert db.value("SELECT count(*) FROM crm_leads") == 0
    declared = db.run("SELECT server, target, model, fields, domain::text, keep_deleted, role::text, "
                      "since <= now() FROM odoo_mirrors")
    assert declared == [("erp", "crm_leads", "crm.lead", None, "[]", False, "postgres", True)]


def test_the_table_is_named_as_the_model(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead')")
    assert synced(db, "SELECT * FROM odoo_sync('crm_lead')", "crm_lead")["inserted"] == 3
    assert found(db, table="crm_lead") == expected(shop)


def test_values_are_odoos(db, shop):
    db.run(MIRROR)
    report = synced(db)
    assert (report["status"], report["fetched"], report["inserted"]) == ("ok", 3, 3)
    assert found(db) == expected(shop)
    made = datetime.fromisoformat("2024-01-01 00:00:00+00:00")
    text = "Äpfel 🍏 'x' \\ \"y\""
    assert found(db)[1] == (5, False, 0, made, None, None, None, 0, None, text, 0, None, None, 0, None)
    dates = db.run("SELECT odoo_write_date::text FROM crm_leads ORDER BY id")
    assert dates == [("2024-01-01 00:00:00+00",), ("2024-01-01 00:00:00+00",), (f"{NEW}+00",)]


def test_the_next_run_reads_what_changed(db, leads):
    untouched = "SELECT id, synced_at FROM crm_leads WHERE id <> 3 ORDER BY id"
    before = db.run(untouched)
    leads.write("crm.lead", 3, LATER, name="Tables", color=0, date_deadline=False)
    report = synced(db)
    # The last change of before lies within the overlap.
    assert (report["fetched"], report["inserted"], report["updated"], report["deleted"]) == (2, 0, 1, 0)
    assert found(db) == expected(leads)
    assert db.run(untouched) == before
    leads.records("crm.lead")[13] = dict(id=13, active=True, name="Lamps", write_date=LATER)
    assert synced(db)["inserted"] == 1
    report = synced(db)
    assert (report["inserted"], report["updated"], report["deleted"]) == (0, 0, 0)
    assert found(db) == expected(leads)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("repair", [RECONCILE, FULL])
def test_deleted_records(db, shop, repair, keep):
    db.run(f"SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', keep_deleted => {keep})")
    assert {"active", "deleted_at"} <= set(names(db)) or not keep
    db.run(SYNC)
    gone = shop.records("crm.lead").pop(5)
    assert synced(db)["deleted"] == 0
    assert db.run(VERIFY) == [(0, 0, 1)]
    assert synced(db, repair)["deleted"] == 1
    assert db.run(VERIFY) == [(0, 0, 0)]
    present = "deleted_at IS NULL" if keep else "true"
    assert ids(db, present) == [3, 8]
    assert ids(db) == ([3, 5, 8] if keep else [3, 8])
    shop.records("crm.lead")[5] = gone
    db.run(repair)
    assert ids(db, present) == [3, 5, 8]
    assert found(db) == expected(shop)


def test_a_field_that_comes_becomes_a_column(db, leads):
    leads.models["crm.lead"].fields["x_season"] = field("char")
    leads.records("crm.lead")[3]["x_season"] = "Winter"
    report = synced(db)
    assert (report["fetched"], report["updated"]) == (3, 1)
    assert ("x_season", "text") in columns(db)
    assert found(db, [*NAMES, "x_season"]) == expected(leads, [*NAMES, "x_season"])
    leads.write("crm.lead", 5, LATER, x_season="Summer")
    report = synced(db)
    assert (report["fetched"], report["updated"]) == (2, 1)
    assert db.run("SELECT x_season FROM crm_leads ORDER BY id") == [("Winter",), ("Summer",), (None,)]
    lineage = "SELECT target, type, model, field FROM odoo_columns WHERE column_name = 'x_season'"
    assert db.run(lineage) == [("crm_leads", "text", "crm.lead", "x_season")]
    assert db.run(VERIFY) == [(0, 0, 0)]


def test_a_field_that_goes_keeps_its_values_until_it_comes_back(db, leads):
    color = leads.models["crm.lead"].fields.pop("color")
    leads.write("crm.lead", 3, LATER, name="Tables", color=7)
    leads.records("crm.lead")[13] = dict(id=13, active=True, name="Lamps", color=2, write_date=LATER)
    kept = [(3, "Tables", 4), (5, "Äpfel 🍏 'x' \\ \"y\"", 0), (8, "Desks", 0), (13, "Lamps", None)]
    for statement in (SYNC, FULL):
        del db.connection.notices[:]
        assert synced(db, statement)["status"] == "ok"
        assert ("crm_leads: Odoo has no field color of crm.lead any more; the column keeps its values"
                in db.notices)
        assert found(db, ["name", "color"]) == kept
    assert db.run(VERIFY) == [(0, 0, 0)]
    leads.models["crm.lead"].fields["color"] = color
    leads.records("crm.lead")[8]["color"] = 11
    del db.connection.notices[:]
    db.run(SYNC)
    assert "any more" not in db.notices
    assert found(db) == expected(leads)


def test_named_fields_are_all_there_is(db, shop):
    fields = ["active", "name", "tag_ids"]
    told = db.run("SELECT column_name FROM odoo_mirror('crm.lead', 'crm_leads', fields => %s)", fields)
    assert told == [(name,) for name in fields]
    kinds = [("active", "boolean"), ("name", "text"), ("tag_ids", "bigint[]")]
    assert columns(db) == [("id", "bigint"), *kinds, *END]
    assert db.value("SELECT fields FROM odoo_mirrors") == fields
    db.run(SYNC)
    assert found(db, fields) == expected(shop, fields)
    shop.models["crm.lead"].fields["x_season"] = field("char")
    shop.write("crm.lead", 3, LATER, name="Tables", tag_ids=[2])
    db.run(SYNC)
    assert columns(db) == [("id", "bigint"), *kinds, *END]
    assert found(db, fields) == expected(shop, fields)


def test_a_named_active_is_that_of_a_mirror_that_keeps_what_is_deleted(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', '{active,name}', keep_deleted => true)")
    db.run(SYNC)
    assert sorted(names(db)) == ["active", "deleted_at", "id", "name", "odoo_write_date", "synced_at"]
    assert found(db, ["active", "name"]) == expected(shop, ["active", "name"])


def test_a_domain_chooses_the_records(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', domain => '[[\"priority\", \"=\", \"2\"]]')")
    assert synced(db)["fetched"] == 1
    assert ids(db) == [3]
    shop.write("crm.lead", 3, LATER, priority="1")
    shop.write("crm.lead", 8, LATER, priority="2")
    report = synced(db)
    assert (report["inserted"], report["deleted"]) == (1, 1)
    assert ids(db) == [8]
    assert db.run("SELECT in_odoo, in_warehouse FROM odoo_verify('crm_leads')") == [(1, 1)]
    assert db.run(VERIFY) == [(0, 0, 0)]
    kept = "SELECT domain::text = '[[\"priority\", \"=\", \"2\"]]'::odoo_domain::text FROM odoo_mirrors"
    assert db.value(kept) is True


def test_records_without_a_write_date_are_read_in_every_run(db, shop):
    leads = shop.records("crm.lead")
    del shop.models["crm.lead"].fields["write_date"]
    db.run(MIRROR)
    assert synced(db)["inserted"] == 3
    assert found(db) == expected(shop)
    leads[3]["name"] = "Tables"
    del leads[5]
    report = synced(db)
    assert (report["fetched"], report["updated"], report["deleted"]) == (2, 1, 1)
    report = synced(db)
    assert (report["fetched"], report["inserted"], report["updated"], report["deleted"]) == (2, 0, 0, 0)
    leads[8]["name"] = "Stools"
    leads[21] = dict(id=21, active=True, name="Lamps")
    db.run(RECONCILE)
    assert found(db) == expected(shop)
    assert db.run(VERIFY) == [(0, 0, 0)]
    assert db.run("SELECT DISTINCT odoo_write_date FROM crm_leads") == [(None,)]


def test_one_bad_value_is_quarantined(db, shop):
    shop.behaviour.database.poison = ["crm.lead", "3", "name"]
    db.run(MIRROR)
    for _ in range(2):
        report = synced(db)
        assert (report["status"], report["quarantined"]) == ("partial", 1)
    assert db.run("SELECT name, color FROM crm_leads WHERE id = 3") == [(None, 4)]
    assert ids(db) == [3, 5, 8]
    kept = db.run("SELECT target, model, record_id, field FROM odoo_quarantine")
    assert kept == [("crm_leads", "crm.lead", 3, "name")]
    shop.behaviour.database.poison = None
    report = synced(db)
    assert (report["status"], report["quarantined"]) == ("ok", 0)
    assert found(db) == expected(shop)


def test_a_row_edited_by_hand_is_repaired(db, leads):
    db.run("UPDATE crm_leads SET name = 'mine' WHERE id = 3")
    db.run("DELETE FROM crm_leads WHERE id = 5")
    assert db.run(VERIFY) == [(1, 1, 0)]
    report = synced(db, RECONCILE)
    assert (report["inserted"], report["updated"]) == (1, 1)
    assert found(db) == expected(leads)


def test_jobs_load_it_page_by_page(db, fake):
    """Also in a session that was there before it was declared."""
    shop = with_leads(Shop(db, fake, "version=19", page_size=2))
    with closing(db.connect()) as other, other.cursor() as cursor:
        cursor.execute("CALL odoo_sync_job('categories')")
        db.run(MIRROR)
        cursor.execute("CALL odoo_sync_job('crm_leads')")
    assert found(db) == expected(shop)
    log = db.run("SELECT kind, status, pages FROM odoo_sync_log WHERE target = 'crm_leads'")
    assert log == [("job", "ok", 2)]
    shop.records("crm.lead").pop(5)
    db.run("CALL odoo_sync_job('crm_leads', reconcile => true)")
    assert ids(db) == [3, 8]


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync_all()", "CALL odoo_sync_job()"])
def test_it_is_one_of_all(db, shop, statement):
    db.run(MIRROR)
    db.run(statement)
    assert found(db) == expected(shop)
    states = dict(db.run("SELECT target, status FROM odoo_etl.state"))
    assert states["crm_leads"] == "ok" and states["dim_products"] == "ok" and len(states) == TABLES + 1


def test_everything_that_knows_entities_knows_it(db, leads):
    assert db.run("SELECT server, entity, state FROM odoo_sync_status WHERE target = 'crm_leads'") == [
        ("erp", "crm_leads", "idle")]
    lineage = db.run("SELECT column_name, type, model, field FROM odoo_columns WHERE server = 'erp' "
                     "AND target = 'crm_leads' AND kind = 'field' AND column_name <> 'odoo_write_date' "
                     "ORDER BY column_name")
    assert lineage == [(name, kind, "crm.lead", name) for name, kind in COLUMNS]
    status, detail = db.run("SELECT status, detail FROM odoo_check() WHERE item = 'crm_leads'")[0]
    assert status == "ok" and "3 records" in detail
    # This cluster lacks pg_cron, which is asked for when the entity is known.
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        db.run("SELECT odoo_schedule('crm_leads', '0 1 * * *')")
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="nope"):
        db.run("SELECT odoo_schedule('nope', '0 1 * * *')")


def test_a_model_that_is_gone_leaves_its_rows(db, leads):
    del leads.models["crm.lead"]
    report = db.report("SELECT * FROM odoo_sync_all()")
    assert report["crm_leads"]["status"] == "absent" and report["dim_products"]["status"] == "ok"
    assert ids(db) == [3, 5, 8]


def test_a_table_dropped_by_hand_comes_back(db, leads):
    db.run("DROP TABLE crm_leads")
    assert synced(db)["inserted"] == 3
    assert columns(db) == [("id", "bigint"), *COLUMNS, *END]
    assert found(db) == expected(leads)


def test_what_is_rolled_back_was_never_declared(db, shop):
    db.run("BEGIN")
    db.run(MIRROR)
    db.run(SYNC)
    db.run("ROLLBACK")
    assert db.run("SELECT to_regclass('crm_leads'), count(*) FROM odoo_mirrors") == [(None, 0)]
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "crm_leads"'):
        db.run(SYNC)
    db.run(MIRROR)
    assert synced(db)["inserted"] == 3


def test_a_dropped_mirror_leaves_nothing(db, leads):
    leads.behaviour.database.poison = ["crm.lead", "3", "name"]
    db.run(FULL)
    assert remembered(db) >= {"odoo_etl.state", "odoo_etl.watermarks", "odoo_etl.columns",
                              "odoo_etl.quarantine", "odoo_etl.mirrors"}
    db.run(DROP)
    assert remembered(db) == set()
    assert db.run("SELECT to_regclass('crm_leads'), count(*) FROM odoo_mirrors") == [(None, 0)]
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "crm_leads"'):
        db.run(SYNC)
    leads.behaviour.database.poison = None
    db.run(MIRROR)
    assert synced(db)["inserted"] == 3


def test_a_mirror_with_a_view_is_not_dropped(db, leads):
    db.run("CREATE VIEW open_leads AS SELECT id, name FROM crm_leads WHERE active")
    before = remembered(db)
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        db.run(DROP)
    assert remembered(db) == before != set()
    leads.write("crm.lead", 3, LATER, name="Tables")
    assert synced(db)["updated"] == 1
    assert db.run("SELECT name FROM open_leads ORDER BY id") == [("Tables",), ("Desks",)]


def test_a_mirror_that_is_being_synced_is_not_dropped(db, leads):
    db.run("SET statement_timeout = '20s'")
    with closing(db.connect()) as other, other.cursor() as cursor:
        other.autocommit = False
        cursor.execute(SYNC)
        with pytest.raises(psycopg2.errors.LockNotAvailable, match="is being synced already"):
            db.run(DROP)
        other.rollback()
    assert ids(db) == [3, 5, 8]
    db.run(DROP)
    assert db.value("SELECT to_regclass('crm_leads')") is None


def test_a_mirror_that_is_scheduled_is_not_dropped(db, leads):
    # As odoo_schedule() remembers it where there is pg_cron.
    db.run("INSERT INTO odoo_etl.schedules (server, entity, reconcile, role, schedule, jobid) "
           "VALUES ('erp', 'crm_leads', false, 'postgres', '0 1 * * *', 1)")
    with pytest.raises(psycopg2.errors.ObjectInUse, match="crm_leads"):
        db.run(DROP)
    assert ids(db) == [3, 5, 8]
    db.run("DELETE FROM odoo_etl.schedules")
    db.run(DROP)
    assert db.value("SELECT to_regclass('crm_leads')") is None


def test_servers_have_mirrors_of_their_own(db, leads, fake):
    second = with_leads(Shop(db, fake, "version=19/second", name="second", schema="second"))
    second.write("crm.lead", 3, NEW, name="Other chairs")
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', fields => '{name}', server => 'second')")
    assert names(db, "second.crm_leads") == ["id", "name", "odoo_write_date", "synced_at"]
    assert synced(db, "SELECT * FROM odoo_sync('crm_leads', 'second')")["inserted"] == 3
    assert found(db, ["name"], "second.crm_leads") == expected(second, ["name"])
    assert found(db) == expected(leads)
    leads.write("crm.lead", 3, LATER, name="Tables")
    assert synced(db, "SELECT * FROM odoo_sync('crm_leads', 'erp')")["updated"] == 1
    assert found(db, ["name"], "second.crm_leads") == expected(second, ["name"])
    declared = db.run("SELECT server, fields FROM odoo_mirrors ORDER BY server")
    assert declared == [("erp", None), ("second", ["name"])]
    db.run("SELECT odoo_mirror_drop('crm_leads', 'second')")
    assert db.value("SELECT to_regclass('second.crm_leads')") is None
    assert found(db) == expected(leads)
    assert db.run("SELECT server FROM odoo_mirrors") == [("erp",)]
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "crm_leads"'):
        db.run("SELECT * FROM odoo_sync('crm_leads', 'second')")


@pytest.mark.parametrize("name", ["with space", 'quo"te', "apo'strophe", "back\\slash", "Größe", "select",
                                  "%s {} $1", "x" * 63])
def test_odd_names(db, shop, name):
    quoted = '"' + name.replace('"', '""') + '"'
    db.run("SELECT * FROM odoo_mirror('crm.lead', %s)", name)
    db.run("SELECT * FROM odoo_sync(%s)", name)
    db.run("CALL odoo_sync_job(%s, full_refresh => true)", name)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify(%s)", name) == [(0, 0, 0)]
    with db.connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {quoted} ORDER BY id")
        assert cursor.fetchall() == [(3,), (5,), (8,)]
    db.run("SELECT odoo_mirror_drop(%s)", name)
    assert db.value("SELECT count(*) FROM pg_class WHERE relname = %s", name) == 0


@pytest.fixture
def clerk(db, leads):
    name = f"{db.name}_clerk"
    db.run(f"CREATE ROLE {name}")
    yield name
    db.run("RESET ROLE")
    db.run(f"DROP OWNED BY {name} CASCADE")
    db.run(f"DROP ROLE {name}")


@pytest.mark.parametrize("statement", [
    "SELECT * FROM odoo_mirror('crm.lead', 'mine', server => 'erp')",
    "SELECT odoo_mirror_drop('crm_leads', 'erp')",
    "SELECT odoo_add_column('crm_leads', 'tag_ids', server => 'erp')",
    "SELECT odoo_drop_column('crm_leads', 'name', 'erp')",
    "SELECT * FROM odoo_sync('crm_leads', 'erp')",
    "TABLE odoo_etl.mirrors",
])
def test_a_role_without_usage_is_refused(db, fake, clerk, statement):
    db.run(f"SET ROLE {clerk}")
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.run(statement)
    assert len(fake.calls) == before
    assert db.run("SELECT * FROM odoo_mirrors") == []
    db.run("RESET ROLE")
    assert db.run("SELECT target FROM odoo_mirrors") == [("crm_leads",)]


def test_a_role_drops_only_what_is_its_own(db, leads, clerk):
    db.run("SELECT odoo_add_column('crm_leads', 'tag_ids')")
    db.run(f"GRANT USAGE ON FOREIGN SERVER erp TO {clerk}")
    db.run(f"SET ROLE {clerk}")
    for statement in (DROP, "SELECT odoo_drop_column('crm_leads', 'tag_ids')"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            db.run(statement)
    db.run("RESET ROLE")
    db.run("ALTER TABLE crm_leads RENAME TO away")
    db.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    db.run(f"SET ROLE {clerk}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.run("SELECT odoo_drop_column('crm_leads', 'tag_ids')")
    db.run("RESET ROLE")
    db.run("ALTER TABLE away RENAME TO crm_leads")
    db.run(SYNC)
    assert found(db, [*NAMES, "tag_ids"]) == expected(leads, [*NAMES, "tag_ids"])


def test_a_role_mirrors_into_a_schema_of_its_own(db, fake, clerk):
    db.run(f"CREATE SCHEMA own AUTHORIZATION {clerk}")
    second = with_leads(Shop(db, fake, "version=19/second", name="second", schema="own"))
    db.run(f"GRANT USAGE ON FOREIGN SERVER second TO {clerk}")
    db.run(f"SET ROLE {clerk}")
    db.run("CREATE USER MAPPING FOR CURRENT_USER SERVER second OPTIONS (login 'admin', password 'admin')")
    db.run("SELECT * FROM odoo_mirror('crm.lead', server => 'second')")
    db.run("SELECT * FROM odoo_sync('crm_lead', 'second')")
    assert found(db, table="own.crm_lead") == expected(second)
    owner = "SELECT tableowner::text FROM pg_tables WHERE schemaname = 'own' AND tablename = 'crm_lead'"
    assert db.value(owner) == clerk
    assert db.run("SELECT server, target, role::text FROM odoo_mirrors") == [("second", "crm_lead", clerk)]
    db.run("SELECT odoo_mirror_drop('crm_lead', 'second')")
    assert db.value("SELECT to_regclass('own.crm_lead')") is None


INVALID, NULL = "22023", "22004"

REFUSED = [
    ("SELECT * FROM odoo_mirror('no.such')", INVALID, "no.such"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', fields => '{name,nope}')", INVALID, "nope"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', fields => '{name,image}')", INVALID, "image"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'dim_products')", INVALID, "dim_products"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'all_sales')", INVALID, "all_sales"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'products')", INVALID, '"products"'),
    ("SELECT * FROM odoo_mirror('crm.lead', 'sales')", INVALID, '"sales"'),
    ("SELECT * FROM odoo_mirror('crm.lead', 'all')", INVALID, '"all"'),
    ("SELECT * FROM odoo_mirror('crm.lead', 'missing_data')", INVALID, "missing_data"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'odoo_deleted')", INVALID, "odoo_deleted"),
    ("SELECT * FROM odoo_mirror('crm.lead', '')", INVALID, "empty"),
    (f"SELECT * FROM odoo_mirror('crm.lead', '{'x' * 64}')", INVALID, "63 bytes"),
    (f"SELECT * FROM odoo_mirror('crm.lead', '{'é' * 32}')", INVALID, "63 bytes"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'taken')", "42P07", "taken"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'seen')", "42P07", "seen"),
    (MIRROR, "42710", "crm_leads"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', server => 'nope')", "42704", 'server "nope"'),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', domain => '[[')", "42601", "domain"),
    ("SELECT * FROM odoo_mirror(NULL)", NULL, "model must not be NULL"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', domain => NULL)", NULL, "domain must not be NULL"),
    ("SELECT * FROM odoo_mirror('crm.lead', 'x', fields => ARRAY['name', NULL])", NULL, "fields must not be NULL"),
    ("SELECT odoo_mirror_drop('nope')", "42704", "nope"),
    ("SELECT odoo_mirror_drop('dim_products')", "42704", "dim_products"),
    ("SELECT odoo_mirror_drop(NULL)", NULL, "target must not be NULL"),
    ("SELECT odoo_add_column('nope', 'name')", INVALID, '"nope"'),
    ("SELECT odoo_add_column('taken', 'name')", INVALID, '"taken"'),
    ("SELECT odoo_add_column('dim_products', 'nope')", INVALID, "nope"),
    ("SELECT odoo_add_column('dim_products', 'categ_id.nope')", INVALID, "categ_id.nope"),
    ("SELECT odoo_add_column('dim_products', 'name.nope')", INVALID, "name.nope"),
    ("SELECT odoo_add_column('dim_products', '')", INVALID, "empty"),
    ("SELECT odoo_add_column('dim_products', 'categ_id.name|name')", INVALID, "categ_id.name|name"),
    ("SELECT odoo_add_column('crm_leads', 'image')", INVALID, "image"),
    ("SELECT odoo_add_column('dim_products', 'barcode')", "42701", "barcode"),
    ("SELECT odoo_add_column('dim_products', 'default_code', 'sku')", "42701", "sku"),
    ("SELECT odoo_add_column('dim_products', 'default_code', 'shelf')", "42701", "shelf"),
    ("SELECT odoo_add_column('crm_leads', 'name')", "42701", "name"),
    (f"SELECT odoo_add_column('dim_products', 'default_code', '{'x' * 64}')", INVALID, "63 bytes"),
    ("SELECT odoo_add_column(NULL, 'name')", NULL, "target must not be NULL"),
    ("SELECT odoo_add_column('dim_products', NULL)", NULL, "field must not be NULL"),
    ("SELECT odoo_drop_column('nope', 'name')", INVALID, '"nope"'),
    ("SELECT odoo_drop_column('dim_products', 'nope')", "42703", "nope"),
    ("SELECT odoo_drop_column('dim_products', 'barcode')", "42703", "barcode"),
    ("SELECT odoo_drop_column('dim_products', 'shelf')", "42703", "shelf"),
    ("SELECT odoo_drop_column('crm_leads', 'synced_at')", "42703", "synced_at"),
    ("SELECT odoo_drop_column(NULL, 'name')", NULL, "target must not be NULL"),
    ("SELECT odoo_drop_column('dim_products', NULL)", NULL, "column_name must not be NULL"),
]


@pytest.mark.parametrize("statement, sqlstate, words", REFUSED)
def test_bad_input_is_refused_and_leaves_nothing(db, leads, statement, sqlstate, words):
    db.run("CREATE TABLE taken (id bigint)")
    db.run("CREATE VIEW seen AS SELECT 1 AS id")
    db.run("ALTER TABLE dim_products ADD COLUMN shelf text")
    relations = "SELECT relname::text FROM pg_class ORDER BY 1"
    before = db.run(relations), names(db, "dim_products"), names(db)
    with pytest.raises(psycopg2.Error) as raised:
        db.run(statement)
    assert raised.value.pgcode == sqlstate
    assert words in str(raised.value)
    assert (db.run(relations), names(db, "dim_products"), names(db)) == before
    assert db.run("SELECT target FROM odoo_mirrors") == [("crm_leads",)]


@pytest.fixture
def seasons(db, shop):
    """A warehouse that was loaded before somebody gave products another field."""
    shop.write("product.product", 31, NEW)
    db.run(PRODUCTS)
    shop.models["product.product"].fields["x_season"] = field("char")
    shop.records("product.product")[31]["x_season"] = "Winter"
    shop.records("product.product")[33]["x_season"] = "Summer"
    return shop


def products(db, column="x_season"):
    return dict(db.run(f"SELECT id, {column} FROM dim_products"))


def test_a_column_is_added_and_filled(db, seasons):
    assert db.value("SELECT odoo_add_column('dim_products', 'x_season')") == "text"
    report = synced(db, PRODUCTS, "dim_products")
    assert (report["fetched"], report["updated"]) == (4, 2)
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}
    seasons.write("product.product", 34, LATER, x_season="Spring")
    report = synced(db, PRODUCTS, "dim_products")
    assert (report["fetched"], report["updated"]) == (2, 1)
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: "Spring"}
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]
    lineage = "SELECT target, type, model, field FROM odoo_columns WHERE column_name = 'x_season'"
    assert db.run(lineage) == [("dim_products", "text", "product.product", "x_season")]


def test_an_added_column_that_is_edited_by_hand_is_repaired(db, seasons):
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run(PRODUCTS)
    db.run("UPDATE dim_products SET x_season = 'mine' WHERE id = 32")
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 1, 0)]
    db.run("SELECT * FROM odoo_reconcile('products')")
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}


def test_parents_of_others_have_it_too(db, shop):
    shop.models["product.product"].fields["x_season"] = field("char")
    shop.records("product.product")[31]["x_season"] = "Winter"
    shop.records("product.product")[33]["x_season"] = "Summer"
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run("SELECT * FROM odoo_sync('sales')")
    # 33 was never sold.
    assert products(db) == {31: "Winter", 32: None, 34: None}
    report = synced(db, PRODUCTS, "dim_products")
    assert (report["inserted"], report["updated"]) == (1, 0)
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}


def test_a_job_fills_it_too(db, seasons):
    db.run("SELECT odoo_add_column('dim_products', 'x_season', 'season')")
    db.run("CALL odoo_sync_job()")
    assert products(db, "season") == {31: "Winter", 32: None, 33: "Summer", 34: None}


def test_the_field_of_an_added_column_goes_and_comes_back(db, seasons):
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run(PRODUCTS)
    gone = seasons.models["product.product"].fields.pop("x_season")
    seasons.write("product.product", 31, LATER, barcode="changed", x_season="Autumn")
    for options in ("", ", full_refresh => true"):
        del db.connection.notices[:]
        assert synced(db, f"SELECT * FROM odoo_sync('products'{options})", "dim_products")["status"] == "ok"
        assert ("dim_products: Odoo has no field x_season of product.product any more; "
                "the column keeps its values") in db.notices
        assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}
        assert products(db, "barcode")[31] == "changed"
    seasons.models["product.product"].fields["x_season"] = gone
    seasons.records("product.product")[32]["x_season"] = "Spring"
    del db.connection.notices[:]
    db.run(PRODUCTS)
    assert "any more" not in db.notices
    assert products(db) == {31: "Autumn", 32: "Spring", 33: "Summer", 34: None}


def test_an_added_column_is_dropped(db, seasons):
    before = columns(db, "dim_products")
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run(PRODUCTS)
    db.run("CREATE VIEW summer AS SELECT id FROM dim_products WHERE x_season = 'Summer'")
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        db.run("SELECT odoo_drop_column('dim_products', 'x_season')")
    db.run("DROP VIEW summer")
    db.run(PRODUCTS)
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}
    db.run("SELECT odoo_drop_column('dim_products', 'x_season')")
    assert columns(db, "dim_products") == before
    seasons.write("product.product", 31, LATER, barcode="changed", x_season="Autumn")
    assert synced(db, PRODUCTS, "dim_products")["updated"] == 1
    db.run("UPDATE dim_products SET sku = sku")
    assert columns(db, "dim_products") == before
    assert db.value("SELECT count(*) FROM odoo_columns WHERE column_name = 'x_season'") == 0
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run(PRODUCTS)
    assert products(db) == {31: "Autumn", 32: None, 33: "Summer", 34: None}


def test_a_dropped_table_has_its_added_column_again(db, seasons):
    db.run("SELECT odoo_add_column('dim_products', 'x_season')")
    db.run(PRODUCTS)
    db.run("DROP TABLE dim_products CASCADE")
    db.run(PRODUCTS)
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}


def test_a_path_leads_over_a_relation(db, seasons):
    assert db.value("SELECT odoo_add_column('dim_products', 'categ_id.complete_name')") == "text"
    assert db.value("SELECT odoo_add_column('dim_products', 'uom_id.name', 'unit')") == "text"
    db.run(PRODUCTS)
    tea, drinks = "All / Drinks / Tea", "All / Drinks"
    assert products(db, "categ_id_complete_name") == {31: tea, 32: "All", 33: tea, 34: drinks}
    assert products(db, "unit") == {31: "kg", 32: "Units", 33: "kg", 34: "Units"}
    seasons.write("product.category", 5, LATER, complete_name="All / Tea")
    assert synced(db, PRODUCTS, "dim_products")["updated"] == 2
    assert products(db, "categ_id_complete_name") == {31: "All / Tea", 32: "All", 33: "All / Tea", 34: drinks}


def test_the_field_at_the_end_of_a_path_comes_and_goes(db, seasons):
    seasons.models["product.category"].fields["x_shelf"] = field("char")
    seasons.records("product.category")[5]["x_shelf"] = "A1"
    db.run("SELECT odoo_add_column('dim_products', 'categ_id.x_shelf', 'shelf')")
    db.run(PRODUCTS)
    assert products(db, "shelf") == {31: "A1", 32: None, 33: "A1", 34: None}
    del seasons.models["product.category"].fields["x_shelf"]
    seasons.write("product.product", 31, LATER, barcode="changed")
    db.run(PRODUCTS)
    assert "dim_products: Odoo has no field categ_id.x_shelf of product.product any more" in db.notices
    assert products(db, "shelf") == {31: "A1", 32: None, 33: "A1", 34: None}
    assert products(db, "barcode")[31] == "changed"


def test_a_column_that_one_of_two_channels_has(db, shop):
    """Order 71 is in both."""
    shop.models["sale.order"].fields["x_tour"] = field("char")
    shop.records("sale.order")[71]["x_tour"] = "North"
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.value("SELECT odoo_add_column('all_sales', 'x_tour')") == "text"
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.value("SELECT count(DISTINCT channel) FROM all_sales WHERE id = 71") == 2
    toured = db.run("SELECT channel, id, x_tour FROM all_sales WHERE x_tour IS NOT NULL")
    assert toured == [("sale", 71, "North")]


def test_columns_of_a_mirror(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', fields => '{name}')")
    db.run(SYNC)
    others = [(name, kind) for name, kind in COLUMNS if name != "name"] + [("tag_ids", "bigint[]")]
    for name, kind in others:
        assert unquoted(db.value("SELECT odoo_add_column('crm_leads', %s)::regtype::text", name)) == kind, name
    assert db.value("SELECT odoo_add_column('crm_leads', 'partner_id.name')") == "text"
    db.run(SYNC)
    added = [name for name, _ in others]
    assert found(db, added) == expected(shop, added)
    partners = "SELECT partner_id_name FROM crm_leads ORDER BY id"
    assert db.run(partners) == [("Ada O'Neill",), (None,), ("Wood Corner",)]
    shop.write("res.partner", 10, LATER, name="Ada")
    assert synced(db)["updated"] == 1
    assert db.run(partners) == [("Ada",), (None,), ("Wood Corner",)]
    assert db.run(VERIFY) == [(0, 0, 0)]


def test_a_column_of_a_mirrors_own_declaration_is_dropped(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads', fields => '{name,priority}')")
    db.run(SYNC)
    db.run("SELECT odoo_drop_column('crm_leads', 'priority')")
    shop.write("crm.lead", 3, LATER, name="Tables", priority="3")
    assert synced(db)["updated"] == 1
    assert names(db) == ["id", "name", "odoo_write_date", "synced_at"]
    assert found(db, ["name"]) == expected(shop, ["name"])


def test_an_added_column_is_that_of_one_server(db, seasons, fake):
    second = Shop(db, fake, "version=19/second", name="second", schema="second")
    db.run("SELECT odoo_add_column('dim_products', 'x_season', server => 'erp')")
    db.run("SELECT * FROM odoo_sync('products', 'second')")
    db.run("SELECT * FROM odoo_sync('products', 'erp')")
    assert products(db) == {31: "Winter", 32: None, 33: "Summer", 34: None}
    assert "x_season" not in names(db, "second.dim_products")
    assert db.value("SELECT count(*) FROM second.dim_products") == len(second.records("product.product"))


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_a_column_that_is_added_while_a_job_runs_is_filled_by_the_next_run(db, fake, shop, isolation):
    """The job began without it, and remembers how far it came after the column was made."""
    db.run(f"SET default_transaction_isolation = '{isolation}'")
    with closing(db.connect()) as other, other.cursor() as cursor:
        def interrupt():
            if fake.calls[-1][0] == "search_read":
                shop.behaviour.interrupt = None
                cursor.execute("SELECT odoo_add_column('dim_products', 'weight', 'mass')")

        shop.behaviour.interrupt = interrupt
        db.run("CALL odoo_sync_job()")
        assert shop.behaviour.interrupt is None
    db.run("CALL odoo_sync_job()")
    assert db.value("SELECT count(*) FROM dim_products WHERE weight <> 0") > 0
    assert db.run("SELECT id FROM dim_products WHERE mass IS DISTINCT FROM weight") == []


def test_a_renamed_server_keeps_its_declarations(db, shop):
    db.run("SELECT * FROM odoo_mirror('crm.lead', 'crm_leads')")
    db.run("SELECT odoo_add_column('dim_customers', 'country_id.name', 'country')")
    db.run(SYNC)
    db.run("ALTER SERVER erp RENAME TO prod")
    db.run("SELECT odoo_forget('erp')")
    shop.write("crm.lead", 3, LATER, name="After")
    db.run(SYNC)
    assert found(db) == expected(shop)
    assert db.run("SELECT DISTINCT server FROM odoo_etl.added_columns") == [("prod",)]


def test_a_column_of_ones_own_is_left_alone(db, leads):
    db.run("ALTER TABLE crm_leads ADD COLUMN x_score text DEFAULT 'mine'")
    leads.models["crm.lead"].fields["x_score"] = field("integer")
    leads.write("crm.lead", 3, LATER, x_score=7)
    db.run(SYNC)
    assert "the field x_score of crm.lead gets no column" in db.notices
    assert db.run("SELECT DISTINCT x_score FROM crm_leads") == [("mine",)]


def test_a_field_of_another_type_keeps_its_column(db, leads):
    before = db.run("SELECT id, color FROM crm_leads ORDER BY id")
    leads.models["crm.lead"].fields["color"] = field("char")
    leads.write("crm.lead", 3, LATER, color="red", name="After")
    db.run(SYNC)
    assert "the field color of crm.lead has another type than before" in db.notices
    assert db.run("SELECT id, color FROM crm_leads ORDER BY id") == before
    assert db.value("SELECT name FROM crm_leads WHERE id = 3") == "After"


def test_one_mirrors_trouble_is_no_other_tables(db, leads, clerk):
    """The role that runs all may not alter the table of another one's mirror."""
    leads.models["crm.lead"].fields["x_late"] = field("char")
    db.run(f"ALTER TABLE crm_leads OWNER TO {clerk}")
    db.run("CREATE ROLE runner")
    try:
        db.run("GRANT USAGE ON FOREIGN SERVER erp TO runner")
        db.run("CREATE USER MAPPING FOR runner SERVER erp OPTIONS (login 'admin', password 'admin')")
        db.run("GRANT INSERT, SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO runner")
        for table, in db.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'crm_leads'"
                             " AND tablename NOT LIKE 'odoo\\_%%'"):
            db.run(f"ALTER TABLE {table} OWNER TO runner")
        db.run("SET ROLE runner")
        report = db.report("SELECT * FROM odoo_sync_all()")
        assert report["crm_leads"]["status"] == "failed" and "owner" in report["crm_leads"]["error"]
        assert report["dim_products"]["status"] == "ok", report["dim_products"]["error"]
    finally:
        db.run("RESET ROLE")
        db.run("DROP OWNED BY runner CASCADE")
        db.run("DROP ROLE runner")


def test_values_kept_back_come_to_a_table_that_is_read_whole(db, shop):
    shop.behaviour.database.denied = "res.company"
    sync = "SELECT * FROM odoo_sync('branches')"
    db.run(sync)
    assert db.value("SELECT count(company_name) FROM dim_branches") == 0
    shop.behaviour.database.denied = None
    db.run(sync)
    assert db.value("SELECT count(*) FROM dim_branches WHERE company_name IS NULL") == 0


def test_who_uses_a_mirrors_table_holds_up_no_other_table(db, leads):
    """A new column has to wait for readers, and does so for five seconds."""
    leads.models["crm.lead"].fields["x_late"] = field("char")
    with closing(db.connect()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; SELECT count(*) FROM crm_leads")
        report = db.report("SELECT * FROM odoo_sync_all()")
        assert report["crm_leads"]["status"] == "failed" and "lock timeout" in report["crm_leads"]["error"]
        assert report["dim_products"]["status"] == "ok"
        assert db.value("SHOW lock_timeout") == "0"
    db.run(SYNC)
    assert "x_late" in names(db)
