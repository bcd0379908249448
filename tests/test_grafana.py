"""The dashboard and the alert rules for Grafana: their queries, with macros and variables expanded as Grafana's PostgreSQL
data source does it, on a warehouse whose names have quotes in them; their JSON against Grafana's own types."""

import json
import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from textwrap import dedent

import psycopg2
import pytest

from .conftest import Database, url
from .fake.behaviour import Wish
from .fake.server import behaviour_of
from .lab import node, places
from .lab.debian import Unavailable

GRAFANA = places.CHECKOUT / "dashboards/grafana"
SHAPE = places.CHECKOUT / "tests/dashboards/grafana"
DASHBOARD = json.loads((GRAFANA / "sync.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
VARIABLES = [variable for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]

#: Each rule's query and the number that it may not exceed.
RULES = {
    uid: (dedent(sql), int(limit))
    for uid, sql, limit in re.findall(
        r"- uid: (\w+)$.*?rawSql: \|-\n(.*?)^ +- refId: B.*?evaluator: \{type: gt, params: \[(\d+)\]\}",
        (GRAFANA / "alerts.yaml").read_text(), re.M | re.S)
}

HOME, WAREHOUSE, SERVER = """e"t'l""", """ware"h'ouse""", """er"p's"""
#: Panels that may be empty: nothing runs, and the cluster has no pg_cron.
EMPTY = {"Running now", "Schedules"}
SCHEDULED = "CALL odoo_sync_job('products', scheduled => true)"


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def expanded(sql, variables=None, hours=24):
    """What Grafana sends to PostgreSQL."""

    def value(match):
        text = variables[match[1]]
        # Without a format the data source doubles quotes, and sets none around.
        return {None: text.replace("'", "''"), "raw": text}[match[2]]

    def macro(match):
        name, args = match[1], [arg.strip() for arg in match[2].split(",")]
        group = lambda column, interval: f"floor(extract(epoch from {column})/{seconds(interval)})*{seconds(interval)}"
        return {
            "__timeFilter": lambda column: f"{column} BETWEEN '{since}' AND '{until}'",
            "__timeFrom": lambda _: f"'{since}'",
            "__timeTo": lambda _: f"'{until}'",
            "__timeGroup": group,
            "__timeGroupAlias": lambda column, interval: f'{group(column, interval)} AS "time"',
        }[name](*args)

    def seconds(interval):
        number, unit = re.fullmatch(r"'?(\d+)([smhd])'?", interval).groups()
        return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]

    now = datetime.now(timezone.utc)
    until, since = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (now + timedelta(minutes=1), now - timedelta(hours=hours)))
    sql = re.sub(r"\$\{(\w+)(?::(\w+))?\}", value, sql)
    sql = re.sub(r"\$(\w+)\(([^)]*)\)", macro, sql.replace("$__interval", "5m"))
    assert "$" not in sql, sql
    return sql


def resolved(db):
    """The variables in their order, each the first of what its query gives."""
    values = {}
    for variable in VARIABLES:
        rows = table(db, expanded(variable["query"], values))
        values[variable["name"]] = rows[0].get("__value", next(iter(rows[0].values()))) if rows else ""
    return values


def table(db, sql):
    with db.connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description]
        assert len(set(names)) == len(names)
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def shown(db, title, **hours):
    (target,) = PANELS[title]["targets"]
    return table(db, expanded(target["rawSql"], resolved(db), **hours))


def quoted(db, fake, wishes=""):
    """The extension, a warehouse and a server whose names have quotes."""
    prefix = f"/version=19/only={db.name}{wishes}"
    db.run(f"DROP EXTENSION odoo_etl; CREATE SCHEMA {ident(HOME)}; CREATE EXTENSION odoo_etl SCHEMA {ident(HOME)};"
           f"SET search_path = {ident(HOME)}; CREATE SCHEMA {ident(WAREHOUSE)}")
    db.server(url(fake, prefix.strip("/")), name=ident(SERVER), schema=WAREHOUSE.replace("'", "''"))
    db.behaviour = behaviour_of(prefix)
    return db


def filled(db, fake):
    """A warehouse with all that a panel may show: after a job that failed, and with values and references that Odoo did not give."""
    quoted(db, fake, "/denied=hr.department/poison=res.partner:10:street")
    db.run("CALL odoo_sync_job()")
    fail(db)
    # PostgreSQL estimates rows once it has looked.
    db.run("ANALYZE")
    return db


@pytest.fixture
def shop(db, fake):
    return filled(db, fake)


@pytest.fixture(scope="module")
def seen(cluster, fake):
    """The same, for tests that only look."""
    database = Database(cluster)
    yield filled(database, fake)
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


def fail(db):
    db.behaviour.wishes.append(Wish("status=404@search"))
    with pytest.raises(psycopg2.Error):
        db.run("CALL odoo_sync_job('products')")
    db.behaviour.wishes.pop()


# The dashboard.

def test_variables_are_found_whatever_their_names(seen):
    assert resolved(seen) == {"schema": ident(HOME), "server": SERVER, "warehouse": ident(WAREHOUSE)}


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_has_its_rows(seen, title):
    rows = shown(seen, title)
    assert bool(rows) == (title not in EMPTY)
    assert len(PANELS) == len(DASHBOARD["panels"])
    if PANELS[title]["type"] == "timeseries":
        assert PANELS[title]["targets"][0]["format"] == "time_series"
        times = [row.pop("time") for row in rows]
        # Grafana takes them in this order only, and text is the name of a series.
        assert times == sorted(times)
        assert all(isinstance(value, str) == (name == "metric") for row in rows for name, value in row.items() if value is not None)
        assert shown(seen, title, hours=-1) == []
    elif PANELS[title]["type"] == "stat":
        assert len(rows) == 1 and all(value is not None for value in rows[0].values())
    for override in PANELS[title]["fieldConfig"]["overrides"] if rows and PANELS[title]["type"] == "table" else []:
        assert override["matcher"]["options"] in rows[0]


def test_numbers_are_those_of_the_views(seen):
    stat = lambda title: next(iter(shown(seen, title)[0].values()))
    assert stat("Tables in trouble") == seen.value("SELECT count(*) FROM odoo_sync_status WHERE state IN ('failed', 'partial', 'denied')") >= 3
    assert stat("Failed runs since the last good one") == 1
    assert stat("Quarantined values") == len(shown(seen, "Values in quarantine")) == 1
    assert stat("Unresolved references") == sum(row["Rows"] for row in shown(seen, "Missing references")) > 0
    assert len(shown(seen, "Tables")) == seen.value("SELECT count(*) FROM odoo_sync_status")
    for title, column in (("How long runs took", "seconds"), ("Which tables took the time", "seconds"), ("Rows written", "inserted + updated + deleted"),
                          ("Requests to Odoo", "requests"), ("Bytes of Odoo's answers", "bytes"), ("How runs ended", "1")):
        total = sum(value for row in shown(seen, title) for name, value in row.items() if name not in ("time", "metric") and value)
        assert float(total) == pytest.approx(seen.value(f"SELECT sum({column})::float FROM odoo_sync_log")), title
    assert len({row["metric"] for row in shown(seen, "Which tables took the time")}) == 9
    (bad,) = [row for row in shown(seen, "Runs that did not end well") if row["Status"] == "failed"]
    assert "404" in bad["Error"]


def test_states_of_tables_have_colours(seen):
    (state,) = [one for one in PANELS["Tables"]["fieldConfig"]["overrides"] if one["matcher"]["options"] == "State"]
    (mapping,) = [prop["value"] for prop in state["properties"] if prop["id"] == "mappings"]
    named = re.search(r"`state` is (.*?)\. `watermark`", (places.CHECKOUT / "docs/monitoring.md").read_text(), re.S)[1]
    assert set(mapping[0]["options"]) == set(re.findall(r"`([a-z ]+)`", named)) - {"pid", "next_start"}


def test_the_role_that_the_page_makes_sees_all(seen):
    page = (places.CHECKOUT / "docs/dashboards.md").read_text()
    role = f"grafana_{seen.name}"
    grants = re.search(r"```sql\n(CREATE ROLE grafana .*?)```", page, re.S)[1].replace("grafana", role)
    # The page's names are a schema that everybody may use, and a server without quotes.
    grants = grants.replace("SERVER erp", f"SERVER {ident(SERVER)}").replace("missing_data", f"{ident(WAREHOUSE)}.missing_data")
    everything = {title: len(shown(seen, title)) for title in PANELS}
    seen.run(f"{grants}; GRANT USAGE ON SCHEMA {ident(HOME)}, {ident(WAREHOUSE)} TO {role}; SET ROLE {role}")
    try:
        assert {title: len(shown(seen, title)) for title in PANELS} == everything
    finally:
        seen.run(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_empty_warehouse_breaks_no_panel(db, fake):
    quoted(db, fake)
    for title in PANELS.keys() - {"Missing references"}:
        shown(db, title)
    with pytest.raises(psycopg2.errors.UndefinedTable, match="missing_data"):
        shown(db, "Missing references")


# The alert rules.

def alarms(db):
    """The labels of what each rule would tell now."""
    found = {}
    for uid, (sql, limit) in RULES.items():
        rows = table(db, expanded(sql))
        assert rows, uid
        for row in rows:
            # One number a row, and text that tells the rows apart.
            assert sorted(isinstance(value, str) for value in row.values()) == [False] + [True] * (len(row) - 1), row
            if row.pop(list(row)[-1]) > limit:
                found.setdefault(uid, []).append(tuple(row.values()))
    return found


def test_rules_are_found():
    assert set(RULES) == {"odoo_etl_lag", "odoo_etl_failures", "odoo_etl_stopped"}
    assert (GRAFANA / "alerts.yaml").read_text().count("- uid:") == len(RULES)


def test_alerts_come_when_they_should(shop):
    assert alarms(shop) == {}
    fail(shop)
    assert alarms(shop) == {}
    fail(shop)
    assert alarms(shop) == {"odoo_etl_failures": [(SERVER, "products")]}
    shop.run("CALL odoo_sync_job('products')")
    assert alarms(shop) == {}
    shop.run("UPDATE odoo_etl.state SET last_success = now() - interval '61 minutes' WHERE target = 'all_sales'")
    assert alarms(shop) == {"odoo_etl_lag": [(SERVER, "sales")]}


def test_the_alert_of_a_refused_login(shop):
    shop.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER {ident(SERVER)} OPTIONS (SET password 'wrong')")
    shop.behaviour.known_logins.clear()
    for _ in range(2):
        with pytest.raises(psycopg2.Error, match="refused the login"):
            shop.run(SCHEDULED)
        shop.run("UPDATE odoo_etl.stops SET until = now() WHERE until IS NOT NULL; UPDATE odoo_etl.state SET next_start = NULL")
    assert alarms(shop)["odoo_etl_stopped"] == [(SERVER,)]


# Grafana's own types.

@pytest.fixture(scope="module")
def modules():
    if not shutil.which("npm"):
        pytest.skip("there is no npm, which brings Grafana's types")
    try:
        return node.packages(SHAPE / "package.json")
    except Unavailable as problem:
        pytest.skip(f"Grafana's types cannot be had: {problem}")


@pytest.fixture
def room(modules, tmp_path):
    (tmp_path / "node_modules").symlink_to(modules)
    for file in ("shape.ts", "check.mjs"):
        shutil.copy(SHAPE / file, tmp_path)
    shutil.copytree(GRAFANA, tmp_path / "dashboards")
    return tmp_path


def run(room, *command):
    return subprocess.run(["node", *map(str, command)], cwd=room, capture_output=True, text=True)


def types(room):
    """What the compiler has to say."""
    run(room, "check.mjs", room)
    return run(room, "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--allowImportingTsExtensions",
               "--module", "nodenext", "sync.ts").stdout


def test_the_dashboard_is_of_grafanas_types(room):
    assert types(room) == ""


@pytest.mark.parametrize("right, wrong", [
    ('"mode": "palette-classic"', '"mode": "pallet"'), ('"drawStyle": "bars"', '"drawStyle": "bar"'), ('"showHeader"', '"header"'),
    ('"type": "stat"', '"type": "number"'), ('"hide": 2', '"hide": 9'), ('"schemaVersion"', '"version_of_schema"')])
def test_types_are_told_apart(room, right, wrong):
    dashboard = room / "dashboards/sync.json"
    assert right in dashboard.read_text()
    dashboard.write_text(dashboard.read_text().replace(right, wrong))
    assert "error TS" in types(room)


def test_the_parts_of_rules_fit_together(room):
    (group,) = json.loads(run(room, "check.mjs", room).stdout)["groups"]
    for rule in group["rules"]:
        query, condition = rule["data"]
        assert rule["condition"] == condition["refId"] and condition["model"]["expression"] == query["refId"]
        assert query["model"]["rawSql"] == RULES[rule["uid"]][0].strip() and query["datasourceUid"] == "odoo_etl"
        assert condition["model"]["conditions"][0]["evaluator"]["params"] == [RULES[rule["uid"]][1]]
        assert rule["dashboardUid"] == DASHBOARD["uid"] and rule["panelId"] in {panel["id"] for panel in DASHBOARD["panels"]}
        columns = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert columns <= {"server", "entity"} and all(column in query["model"]["rawSql"] for column in columns)
