"""What a DBA sees of runs: status, progress from another session, log, alerts, log lines, chart;
and the queries of docs/monitoring.md."""

import json
import re
import threading
import time
from contextlib import closing

import psycopg2
import pytest

from .conftest import TERMINAL, heard, url
from .fake.behaviour import Wish
from .fake.server import behaviour_of
from .lab import places

JOB = "CALL odoo_sync_job('products')"


def status(db, columns, target="dim_products"):
    return db.run(f"SELECT {columns} FROM odoo_sync_status WHERE target = %s", target)[0]


def test_status_of_a_table_over_its_runs(db, fake):
    prefix = f"/rows=40/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    db.run(JOB)
    assert status(db, "state, failures, last_error, quarantined, missing") == ("idle", 0, None, 0, 0)
    assert status(db, "watermark::text")[0].startswith("2023-12-31 23:59:59")
    db.run("ANALYZE dim_products")
    assert status(db, "rows_estimate") == (40,)
    success = status(db, "last_success")
    behaviour_of(prefix).wishes.append(Wish("status=404@search"))
    for failures in (1, 2):
        with pytest.raises(psycopg2.Error):
            db.run(JOB)
        assert status(db, "state, failures, last_sqlstate") == ("failed", failures, "08006")
    assert "404" in status(db, "last_error")[0]
    assert status(db, "last_success") == success
    time.sleep(1)
    late = status(db, "lag_seconds")[0]
    behaviour_of(prefix).wishes.pop()
    db.run(JOB)
    assert status(db, "state, failures, last_error") == ("idle", 0, None)
    assert status(db, "lag_seconds")[0] < late


def test_status_tells_of_what_is_not_there_and_not_allowed(db, fake):
    db.server(url(fake, "version=19/denied=loyalty.program/poison=res.partner:10:street"))
    db.run("CALL odoo_sync_job()")
    assert status(db, "state", "dim_brands") == ("absent",)
    assert status(db, "state", "dim_promotions") == ("denied",)
    assert status(db, "state, quarantined", "dim_customers") == ("partial", 1)


@pytest.mark.parametrize("statement", [JOB, "SELECT * FROM odoo_sync('products')"])
def test_progress_is_seen_from_another_session(db, fake, statement):
    db.server(url(fake, f"rows=1000/slow=0.15@read/only={db.name}"), page_size=100, readers=1)
    db.run("CALL odoo_sync_job('categories')")
    runner = db.connect()
    thread = threading.Thread(target=lambda: runner.cursor().execute(statement))
    thread.start()
    seen, states = [], set()
    deadline = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < deadline:
        seen += db.run("SELECT pid, role, server, target::text, phase, pages, rows, rows_total, rows_per_second, "
                       "estimated_end > now() FROM odoo_sync_progress")
        states |= set(db.run("SELECT state, pid FROM odoo_sync_status WHERE target = 'dim_categories'"))
        states |= set(db.run("SELECT state, pid FROM odoo_sync_status WHERE target = 'dim_products'"))
        assert db.value("SELECT count(*) FROM pg_stat_progress_copy") <= 1
        time.sleep(0.05)
    thread.join()
    middle = [row for row in seen if 0 < row[6] < 1000]
    assert {row[:5] for row in middle} == {(runner.get_backend_pid(), "postgres", "erp", "dim_products", "reading")}
    assert all(row[5] == row[6] // 100 and row[7] == 1000 and row[8] > 0 and row[9] for row in middle)
    assert len({row[6] for row in middle}) > 3, "it grows"
    assert db.run("SELECT * FROM odoo_sync_progress") == []
    runner.close()


@pytest.mark.parametrize("how", ["cancel", "terminate"])
def test_progress_ends_with_its_run(db, fake, how):
    db.server(url(fake, f"rows=1000/slow=0.15@read/only={db.name}"), page_size=100, readers=1)
    runner = db.connect()

    def work():
        with pytest.raises(psycopg2.Error):
            runner.cursor().execute(JOB)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(1)
    db.run(f"SELECT pg_{how}_backend(%s)", runner.get_backend_pid())
    thread.join()
    assert db.run("SELECT * FROM odoo_sync_progress") == []


def test_the_log_has_the_numbers(db, fake):
    db.server(url(fake, f"rows=400/slow=0.1@read/passing=1:x/only={db.name}"), page_size=100, readers=1)
    db.run("CALL odoo_sync_job('categories')")
    before = len(fake.calls)
    db.run(JOB)
    asked = len(fake.calls) - before
    row = db.run("SELECT kind, status, fetched, inserted, pages, retries, requests, bytes, seconds, seconds_waiting, "
                 "seconds_loading, seconds_decoding FROM odoo_sync_log WHERE target = 'dim_products' ORDER BY run DESC")[0]
    kind, state, fetched, inserted, pages, retries, requests, size, seconds, waiting, loading, decoding = row
    assert (kind, state, fetched, inserted, pages, retries) == ("job", "ok", 400, 400, 4, 0)
    # Without the login, the user's companies and the database's name.
    assert asked - 4 <= requests <= asked
    assert size > 50_000 and 0 < decoding < seconds
    assert abs(waiting + loading - seconds) < 0.001 and waiting > 0.35


def test_the_log_of_retries_failures_and_skips(db, fake):
    db.server(url(fake, f"rows=40/status=503@read/passing=2:{db.name}"), retries=3, retry_delay=1)
    db.run(JOB)
    assert db.run("SELECT retries FROM odoo_sync_log WHERE target = 'dim_products'") == [(2,)]
    db.run("ALTER TABLE dim_products ADD CHECK (sku IS NULL) NOT VALID")
    db.run("UPDATE odoo_etl.runs SET finished = finished - interval '40 days'")
    db.run("TRUNCATE dim_products CASCADE")
    with pytest.raises(psycopg2.Error):
        db.run("CALL odoo_sync_job('products', full_refresh => true)")
    # What failed is kept; older rows go with the next job that ends well.
    assert db.run("SELECT status, sqlstate FROM odoo_sync_log WHERE target = 'dim_products' ORDER BY run") == [
        ("ok", None), ("failed", "23514")]
    other = db.connect()
    other.autocommit = False
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT * FROM odoo_sync('categories')")
        db.run("CALL odoo_sync_job('categories')")
    skipped = db.run("SELECT status, error FROM odoo_sync_log WHERE target = 'dim_categories' ORDER BY run DESC LIMIT 1")
    assert skipped[0][0] == "skipped" and "is being synced already" in skipped[0][1]
    assert db.run("SELECT status FROM odoo_sync_log WHERE target = 'dim_products' ORDER BY run") == [("failed",)]


def test_alerts(db, fake):
    prefix = f"/rows=40/only={db.name}"
    db.server(url(fake, prefix.strip("/")))
    database = behaviour_of(prefix).database
    with closing(db.connect()) as listener, listener.cursor() as cursor:
        cursor.execute("LISTEN odoo_etl")
        db.run(JOB)
        database.poison = ["product.product", "7", "name"]
        db.run("CALL odoo_sync_job('products', full_refresh => true)")
        db.run(JOB)
        database.poison = None
        db.run(JOB)
        events = [json.loads(payload) for payload in heard(listener, 2)]
    assert events == [
        {"event": "partial", "server": "erp", "entity": "products", "error": None},
        {"event": "recovered", "server": "erp", "entity": "products", "error": None},
    ]


@pytest.mark.parametrize("level, lines", [("off", 0), ("problems", 0), ("changes", 1), ("all", 2)])
def test_lines_in_the_servers_log(db, fake, level, lines):
    db.server(url(fake, "rows=40"))
    db.run(f"SET odoo_etl.log_level = '{level}'")
    before = db.cluster.log.stat().st_size
    db.run("SELECT * FROM odoo_sync('products')")
    db.run("SELECT * FROM odoo_sync('products')")
    text = db.cluster.log.read_bytes()[before:].decode()
    found = [line for line in text.splitlines() if "odoo_etl: sync" in line]
    assert len(found) == lines
    if found:
        assert "sync ok of dim_products from erp: 40 fetched, 40 inserted, 0 updated" in found[0]
    assert "CONTEXT" not in text and "STATEMENT" not in text


def test_the_chart_shows_what_took_the_time(db, fake):
    assert db.run("SELECT * FROM odoo_sync_chart()") == []
    db.server(url(fake, "version=19/slow=0.05@read"))
    db.run("SELECT * FROM odoo_sync_all()")
    rows = db.run("SELECT target, seconds, chart FROM odoo_sync_chart('erp')")
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    longest = rows[0][2]
    assert 19 <= len(longest) <= 21 and re.fullmatch("#*=*", longest) and longest.count("#") > 16
    # A line for each of the last runs, the latest below.
    db.run("SELECT * FROM odoo_sync('products'); SELECT * FROM odoo_sync('employees')")
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, 'status=500')}', SET retries '0')")
    with pytest.raises(psycopg2.errors.ConnectionFailure):
        db.run("CALL odoo_sync_job('products')")
    lines = db.run("SELECT run, started, target, chart FROM odoo_sync_chart(runs => 3)")
    assert [line[0] for line in lines] == sorted(line[0] for line in lines) and len(lines) == 3
    assert [line[1] for line in lines] == sorted(line[1] for line in lines)
    assert all(re.fullmatch(r"\d+ tables|\w+", line[2]) for line in lines)
    assert lines[2][3].endswith(" failed") and "failed" not in lines[1][3]
    # Runs of another server are its own.
    db.server(url(fake, "version=18"), name="other", schema="other")
    db.run("SELECT * FROM odoo_sync('brands', 'other')")
    assert db.run("SELECT DISTINCT server FROM odoo_sync_chart() ORDER BY 1") == [("erp",), ("other",)]
    assert db.run("SELECT server, count(*) FROM odoo_sync_chart(runs => 2) GROUP BY 1 ORDER BY 1") == [("erp", 2), ("other", 1)]


PAGE = (places.CHECKOUT / "docs/monitoring.md").read_text()
STATEMENTS = [re.sub(r"\\watch \d+", "", statement) for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
              for statement in block.split(";\n") if statement.strip()]

#: They have all there is, for tools; of what psql shows of them a line is longer than a terminal's.
WIDE = {"odoo_sync_log", "odoo_sync_status", "odoo_sync_progress", "odoo_quarantine", "odoo_columns"}


def test_views_are_told_of_and_fit_a_terminal(db, fake):
    db.server(url(fake, f"only={db.name}/version=19/poison=res.partner:10:street"))
    db.run("SELECT * FROM odoo_sync_all(); ANALYZE")
    assert re.fullmatch(r"\d+ s", db.value("SELECT lag FROM odoo_status WHERE target = 'dim_brands'"))
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, 'status=500')}', SET retries '0')")
    with pytest.raises(psycopg2.errors.ConnectionFailure):
        db.run("CALL odoo_sync_job('products')")
    views = db.run("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'e' "
                   "AND d.refclassid = 'pg_extension'::regclass WHERE c.relkind = 'v' AND d.refobjid = "
                   "(SELECT oid FROM pg_extension WHERE extname = 'odoo_etl')")
    assert {view for (view,) in views} > WIDE
    for (view,) in views:
        assert db.run("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                      "AND col_description(attrelid, attnum) IS NULL", view) == []
    # The queries of the page name columns of the others.
    for statement in [f"TABLE {view}" for (view,) in views if view not in WIDE] + STATEMENTS:
        lines = db.shown(statement)
        assert max(map(len, lines)) <= TERMINAL, lines[:3]
    assert db.value("SELECT count(*) FROM odoo_status WHERE error IS NOT NULL AND failures = 1") > 0


def test_the_queries_of_the_page_run(db, fake):
    db.server(url(fake, "rows=40"))
    db.run("SELECT * FROM odoo_sync_all()")
    queries = re.findall(r"query: >-\n((?:      .*\n)+)", PAGE)
    assert len(STATEMENTS) >= 5 and len(queries) >= 2
    for statement in STATEMENTS + queries:
        db.run(statement)


def test_the_wait_is_shown(db, fake):
    db.server(url(fake, f"only={db.name}/slow=1@search_count"))
    pid = db.connection.get_backend_pid()
    seen = set()
    runner = threading.Thread(target=lambda: db.run("SELECT odoo_count('product.product')"))
    with closing(db.connect()) as other, other.cursor() as cursor:
        runner.start()
        deadline = time.monotonic() + 5
        while runner.is_alive() and time.monotonic() < deadline:
            cursor.execute("SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = %s AND state = 'active'", (pid,))
            seen |= set(cursor.fetchall())
            time.sleep(0.1)
        runner.join()
        cursor.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", (pid,))
        assert cursor.fetchone() == ("Client",)
    name = "OdooRequest" if db.connection.server_version >= 170000 else "Extension"
    assert ("Extension", name) in seen
