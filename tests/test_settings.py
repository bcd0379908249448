"""No value depends on a setting of the session: the SQL surface, a sync, foreign tables and what
they write, under settings that differ from the usual in everything."""

import difflib
import re
import subprocess
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from .conftest import Database, url
from .fake.catalogue import field
from .fake.orm import Model
from .fake.server import behaviour_of
from .hostile import FORMS, PLANS, TRAPS, beset
from .lab import places
from .test_in_step import Shop
from .test_regress import FILES, PORT, TESTS
from .test_values import with_model

#: pg_regress has this one.
USUAL_ZONE = ZoneInfo("PST8PDT")


def moment(year, month, day, time, zone):
    return f"<{datetime.fromisoformat(f'{year}-{month}-{day}T{time}').replace(tzinfo=zone).timestamp():.0f}>"


def usual_dates(text):
    """Dates and times as `Postgres, MDY` writes them, in one form."""
    def time(match):
        parsed = datetime.strptime(f"{match[1]} {match[2]}", "%b %d %H:%M:%S %Y")
        return f"<{parsed.replace(tzinfo=USUAL_ZONE).timestamp():.0f}>"

    text = re.sub(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3} \d\d [\d:]{8}) (\d{4}) P[DS]T", time, text)
    return re.sub(r"\b(\d\d)-(\d\d)-(\d{4})\b", r"\3-\1-\2", text)


def hostile_dates(text):
    """The same as `SQL, DMY` writes them."""
    def time(match):
        day, month, year, clock, hours, minutes = match.groups()
        offset = timezone(timedelta(hours=int(hours), minutes=int(minutes)))
        return moment(year, month, day, clock, offset)

    text = re.sub(r"\b(\d\d)/(\d\d)/(\d{4}) ([\d:]{8}) \+(\d\d)(\d\d)\b", time, text)
    return re.sub(r"\b(\d\d)/(\d\d)/(\d{4})\b", r"\3-\2-\1", text)


def told(text):
    """What a regress file's output tells, without the quotes of names and the widths of columns."""
    text = re.sub(r"-{2,}", "--", text.replace('"', ""))
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_sql_surface(cluster, fake):
    # The files change an Odoo's records, and count them.
    behaviour_of.cache_clear()
    # The files know it by that name.
    cluster.sql("DROP DATABASE IF EXISTS regression")
    cluster.sql("CREATE DATABASE regression TEMPLATE template0")
    try:
        cluster.sql(TRAPS, "regression")
        beset(cluster, "DATABASE regression", FORMS)
        differences = []
        for name in TESTS:
            command = cluster.psql("regression") + ["-X", "-a", "-q", "-v", "HIDE_TABLEAM=on"]
            # EXPLAIN shows how a statement is planned; for each error the tables are made anew, which takes its time.
            plans = {} if name in ("fdw_plans", "errors") else PLANS
            options = " ".join(f"-c {setting}={value}" for setting, value in plans.items())
            with open(FILES / "sql" / f"{name}.sql") as file:
                done = subprocess.run(
                    command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    env={**places.service_environment(), "FAKE_URL": url(fake), "PGOPTIONS": options})
            expected = (FILES / "expected" / f"{name}.out").read_text().replace(PORT, str(fake.port))
            lines = told(usual_dates(expected)), told(hostile_dates(done.stdout.decode()))
            differences += difflib.unified_diff(*lines, f"expected/{name}.out", "beset", n=2, lineterm="")
        assert not differences, "\n".join(differences)
    finally:
        cluster.sql("DROP DATABASE regression WITH (FORCE)")


class Beset(Database):
    """A database whose sessions have the settings, but one to look at it with."""

    def __init__(self, cluster):
        super().__init__(cluster)
        cluster.sql(TRAPS, self.name)
        beset(cluster, f"DATABASE {self.name}", {**FORMS, **PLANS, "client_encoding": "UTF8"})
        usual = {"datestyle": "ISO", "timezone": "UTC", "extra_float_digits": "1", "search_path": "public",
                 "quote_all_identifiers": "off", "standard_conforming_strings": "on"}
        options = " ".join(f"-c {setting}={value}" for setting, value in usual.items())
        self.looker = super().connect(options=options)
        self.looker.autocommit = True
        self.connection.close()
        self.connection = self.connect()

    def connect(self, **options):
        connection = super().connect(**options)
        with connection.cursor() as cursor:
            # psycopg2 has changed it.
            cursor.execute("SET datestyle = 'SQL, DMY'")
        return connection

    def look(self, sql):
        with self.looker.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture
def beset_db(cluster):
    database = Beset(cluster)
    yield database
    database.connection.close()
    database.looker.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


def rows(look):
    """All rows of the warehouse as texts, but for the times of the load."""
    tables = look("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^odoo_' ORDER BY 1")
    ignored = "'{synced_at,deleted_at,first_seen,last_seen,resolved_at}'::text[]"
    return {table: look(f"SELECT (to_jsonb(t) - {ignored})::text FROM {table} t ORDER BY 1") for table, in tables}


@pytest.mark.parametrize("release", [14, 17, 19])
def test_a_sync(db, beset_db, fake, release):
    if release == 19:
        # Every expression is compiled, which takes its time.
        beset_db.run("SET jit_above_cost = 0")
    for database in (db, beset_db):
        Shop(database, fake, f"version={release}")
        report = database.report("SELECT * FROM public.odoo_sync_all()")
        assert {line["status"] for line in report.values()} <= {"ok", "absent"}
        database.run("CALL public.odoo_sync_job(full_refresh => true)")
        assert database.value("SELECT sum(missing + stale + deleted) FROM public.odoo_verify('sales')") == 0
        database.run("SELECT public.odoo_reconcile('employees')")
    here, there = rows(db.run), rows(beset_db.look)
    assert here == there
    assert len(here["all_sales"]) > 3 and len(here["dim_employees"]) > 2


#: A column of each type, and values that are written in many ways.
FIELDS = {
    "flag": field("boolean"), "count": field("integer"), "amount": field("float"), "real": field("float"), "exact": field("float"),
    "name": field("char"), "day": field("date"), "moment": field("datetime"), "picture": field("binary"),
    "span": field("char"), "naive": field("char"), "clock": field("char"),
}
TYPES = {"amount": "float8", "real": "float4", "exact": "numeric", "picture": "bytea", "span": "interval", "naive": "timestamp",
         "clock": "timetz"}
VALUES = {
    "flag": "true", "count": "-7", "amount": "123456.789", "real": "0.1::float4", "exact": "-0.07", "name": "E'back\\\\slash ''quoted'''",
    "day": "make_date(24, 3, 5)", "moment": "timestamptz 'epoch' + interval '1 second'", "picture": "decode('005cff', 'hex')",
    "span": "make_interval(years => 1, days => 2, secs => 3.5)", "naive": "make_timestamp(2024, 3, 5, 1, 2, 3)",
    "clock": "timetz '01:02:03+05'",
}
EXPECTED = {
    "flag": True, "count": -7, "amount": 123456.789, "real": 0.1, "exact": -0.07, "name": "back\\slash 'quoted'",
    "day": "0024-03-05", "moment": "1970-01-01 00:00:01", "picture": "AFz/", "span": "1 year 2 days 00:00:03.5",
    "naive": "2024-03-05 01:02:03", "clock": "01:02:03+05",
}


def test_what_foreign_tables_write_and_find(beset_db, fake):
    shop = Shop(beset_db, fake, "version=19", writable="true")
    model = with_model(shop, Model("odd.one", FIELDS, [{"id": 1}, {"id": 2}]))
    run = beset_db.run
    run("CREATE SCHEMA live")
    run("IMPORT FOREIGN SCHEMA odoo LIMIT TO (odd_one) FROM SERVER erp INTO live OPTIONS (binary 'true')")
    assert beset_db.look("SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'live.odd_one'::regclass AND attname = 'picture'") == [
        ("bytea",)]
    run("ALTER FOREIGN TABLE live.odd_one " + ", ".join(f"ALTER {name} TYPE pg_catalog.{kind}" for name, kind in TYPES.items()))
    run(f"UPDATE live.odd_one SET {', '.join(f'{name} = {value}' for name, value in VALUES.items())} WHERE id = 1")
    run(f"INSERT INTO live.odd_one ({', '.join(VALUES)}) VALUES ({', '.join(VALUES.values())})")
    for id in (1, 3):
        assert {name: model.records[id][name] for name in EXPECTED} == EXPECTED
    # What was written is found by what it was written with, and shown as it was.
    compared = {name: value for name, value in VALUES.items() if name not in ("flag",)}
    for name, value in compared.items():
        assert run(f"SELECT id FROM live.odd_one WHERE {name} = {value} ORDER BY id") == [(1,), (3,)], name
    for condition in ("amount > 123456.7889", "amount <= 123456.789 AND amount > 0", "day < '01/01/0100'", "exact = -0.07", "real < 0.2 AND real > 0"):
        assert run(f"SELECT id FROM live.odd_one WHERE {condition} ORDER BY id") == [(1,), (3,)], condition
    assert run("SELECT public.odoo_domain('amount', '=', 123456.789::float8)::text") == [('[["amount","=",123456.789]]',)]
    assert run("SELECT public.odoo_domain('amount', 'in', ARRAY[0.1, 123456.789]::float8[])::text") == [('[["amount","in",[0.1,123456.789]]]',)]
