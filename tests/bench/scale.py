"""A shop of up to 100,000,000 lines and more: its first load, runs, verify, reconcile and reports, and what a row of it
costs beside one of a small shop of the same kind."""

import re
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from . import shop
from .instant import ask, instant, path
from .measure import Result
from .warehouse import LINES, SETTINGS, Mismatch, cluster, database

FEW = 1_000_000
GROWTH_BAR, MEMORY_BAR = 1.15, 1.1
#: Seconds for 10,000,000 lines, each of verify and reconcile.
COMPARE_BAR = 60
#: Orders that change before an incremental run, and how many such runs there are.
CHANGED, RUNS = 1_000, 7
#: Bytes on the disk for a line, with its part of an order and a payment, the files of sorts and the log of writes.
BYTES = 600
OWN_SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "8GB", "shared_preload_libraries": "pg_stat_statements",
                "pg_stat_statements.track": "all"}
FACTS = ("all_sales", LINES, "fact_payments")
#: By report, the column that tells the time.
REPORTS = {"sales_by_day": "business_date", "sales_by_branch": "month", "margin_by_category": "month", "basket_size": "month",
           "tender_mix": "business_date"}

#: What lines add up to by branch and month, as the shop says it of each, in hundredths: those that are not the same here.
DIFFERENCES = """
    WITH lines AS (
        SELECT *, abs(quantity) * tenths * CASE WHEN id % 4 = 0 THEN 9 ELSE 10 END AS cents FROM (
            SELECT id, (id - 1) / 6 + 1 AS order_id, CASE WHEN id % 50 = 0 THEN -1 ELSE 1 + id % 5 END AS quantity,
                   10 + id * 7919 % 900 AS tenths
            FROM (SELECT generate_series(1, $1) AS id) AS ids) AS line
    ), expected AS (
        SELECT config, date_trunc('month', ($2::timestamptz + order_id * interval '9 seconds') AT TIME ZONE zone)::date, count(*),
               sum(quantity), sum(sign(quantity) * cents), sum(sign(quantity) * ((cents * 12 + 5) / 10)),
               sum(quantity * tenths * 4) FILTER (WHERE id % 90 > 0), count(*) FILTER (WHERE id % 50 = 0)
        FROM lines JOIN unnest($3::bigint[], $4::text[]) WITH ORDINALITY AS branches (config, zone, place) ON place = 1 + order_id % 10
        GROUP BY 1, 2
    ), here AS (
        SELECT branch_id, date_trunc('month', business_date::timestamp)::date, count(*), sum(quantity), sum(subtotal) * 100,
               sum(total) * 100, sum(cost) * 100, count(refunded_line_id)
        FROM fact_sales_lines WHERE channel = 'pos' GROUP BY 1, 2
    )
    SELECT count(*) FROM ((TABLE expected EXCEPT TABLE here) UNION ALL (TABLE here EXCEPT TABLE expected)) AS difference"""


@dataclass
class Phase:
    """A statement in a backend of its own: how long it took, and how much memory of its own the backend had at most, in MB."""

    seconds: float
    rows: list
    #: Times since 1970, and the memory then.
    seen: list

    @property
    def memory(self):
        return self.memory_until(time.time())

    def growth(self, end=float("inf")):
        """The median of its memory in the last quarter of its time ÷ that in the second one, before which pages begin to come."""
        memory = [memory for at, memory in self.seen if at < end]
        quarter = max(len(memory) // 4, 1)
        # Few lines take less time than four looks.
        return median(memory[-quarter:]) / median(memory[quarter:2 * quarter] or memory)

    def memory_until(self, end):
        return max((memory for at, memory in self.seen if at < end), default=0)


@dataclass
class Figures:
    lines: int
    #: The shop's.
    url: str
    load: Phase = None
    #: Microseconds for a line of each part of the first load, from the first to the last, and how many lines a part has.
    parts: list = None
    part: int = None
    #: When keys and indexes are made.
    pages_end: float = None
    verify: Phase = None
    reconcile: Phase = None
    #: Seconds of the quickest run after changes, and rows that one reads by scans of whole tables.
    run: float = None
    scanned: int = None

    def say(self, text):
        print(f"  {self.lines:,} lines: {text}", flush=True)


@contextmanager
def watched(pid):
    """Looks twenty times a second how much memory, in MB, a process has that it shares with no other; gives what was seen."""
    status, seen, is_over = Path(f"/proc/{pid}/status"), [], threading.Event()

    def look():
        while True:
            seen.append((time.time(), int(re.search(r"RssAnon:\s+(\d+) kB", status.read_text())[1]) / 1024))
            if is_over.wait(0.05):
                break

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def phase(db, statement, *args):
    db.connection.close()
    db.connection = db.connect()
    db.run("SELECT stats.pg_stat_statements_reset()")
    with watched(db.connection.get_backend_pid()) as seen:
        begin = time.perf_counter()
        rows = db.run(statement, *args)
        return Phase(time.perf_counter() - begin, rows, seen)


OWN_STATEMENTS = "stats.pg_stat_statements WHERE NOT toplevel AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"


def say_costly(db, figures):
    """What took most of the last phase."""
    for query, calls, spent, blocks in db.run(
            "SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 100), calls, total_exec_time, shared_blks_hit + shared_blks_read "
            f"FROM {OWN_STATEMENTS} ORDER BY total_exec_time DESC LIMIT 3"):
        figures.say(f"· {spent:.1f} ms, {blocks:,} blocks in {calls} × {query}")


def timed(db, statement):
    begin = time.perf_counter()
    db.run(statement)
    return time.perf_counter() - begin


def measure(db, figures, partitioned):
    db.run("CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats")
    for table in (LINES, "all_sales") if partitioned else ():
        db.run("CALL odoo_partition(%s, rows => %s)", table, partitioned)
    load(db, figures)
    # As autovacuum does after so many rows.
    figures.say(f"VACUUM ANALYZE of the three tables {timed(db, 'VACUUM ANALYZE ' + ', '.join(FACTS)):.1f} s")
    check(db, figures.lines)
    sizes(db, figures)
    figures.verify = phase(db, "SELECT sum(in_odoo), sum(missing + stale + deleted) FROM odoo_verify('sales')")
    say_compared(db, figures, "odoo_verify", figures.verify)
    if figures.verify.rows[0][1] != 0:
        raise Mismatch(f"odoo_verify finds differences: {figures.verify.rows}")
    runs(db, figures)
    figures.reconcile = phase(db, "SELECT sum(inserted + updated + deleted) FROM odoo_reconcile('sales')")
    say_compared(db, figures, "odoo_reconcile", figures.reconcile)
    if figures.reconcile.rows[0][0] != 0:
        raise Mismatch(f"odoo_reconcile wrote {figures.reconcile.rows[0][0]} rows")
    reports(db, figures)


def load(db, figures):
    lines, url = figures.lines, figures.url
    position = "SELECT pg_current_wal_lsn()"
    before, spent = db.value(position), ask(url, "spent")
    done = figures.load = phase(db, "CALL odoo_sync_job('sales')")
    written = db.value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)::bigint", before)
    now = ask(url, "spent")
    theirs, records = (now[name] - spent[name] for name in ("seconds", "records"))
    figures.say(f"first load of sales {done.seconds:.1f} s, {1e6 * done.seconds / lines:.1f} µs for a line; {written / 1e9:.2f} GB of WAL, {written / lines:.0f} bytes for a line")
    figures.say(f"the instant Odoo took {theirs:.1f} s of a processor, {1e6 * theirs / records:.2f} µs for a record, "
                f"{theirs / done.seconds:.1%} of the load's time")
    made = db.run(f"SELECT count(*), sum(total_exec_time) / 1000 FROM {OWN_STATEMENTS} AND query ~ '^(CREATE INDEX|ALTER TABLE).*sales'")[0]
    part = figures.part = FEW if lines >= 2 * FEW else lines // 10
    ends = db.run(f"SELECT extract(epoch FROM synced_at)::float FROM {LINES} WHERE channel = 'pos' AND id = ANY (%s) ORDER BY id",
                  [1, *range(part, lines + 1, part)])
    figures.parts = [1e6 * (end - begin) / part for (begin,), (end,) in zip(ends, ends[1:])]
    figures.say(f"µs for a line, each {part:,}: " + " ".join(f"{one:.1f}" for one in figures.parts))
    figures.pages_end = ends[-1][0]
    figures.say("keys and indexes at the end: {} statements, {:.1f} s".format(*made))
    figures.say(f"memory of the backend's own: {done.memory_until(figures.pages_end):.1f} MB at most while pages come, "
                f"growing by {done.growth(figures.pages_end):.2f}, {done.memory:.1f} MB with keys and indexes")
    payments = phase(db, "CALL odoo_sync_job('payments')")
    figures.say(f"first load of payments {payments.seconds:.1f} s, {1e6 * payments.seconds / shop.order_of(lines):.1f} µs for a payment, "
                f"{payments.memory:.1f} MB")


def check(db, lines):
    """That the rows are those of the shop."""
    orders, branches = shop.order_of(lines), [(config, place[-1].key) for config, place in shop.BRANCHES]
    db.run(f"PREPARE differences (bigint, timestamptz, bigint[], text[]) AS {DIFFERENCES}")
    found = db.value("EXECUTE differences (%s, %s, %s, %s)", lines, shop.BEGIN, *map(list, zip(*branches)))
    db.run("DEALLOCATE differences")
    if found:
        raise Mismatch(f"{LINES}: {found} sums by branch and month differ")
    paid = sum(shop.paid(1 + n) * len(range(n, orders, 500)) for n in range(500))
    for sql in ("SELECT count(*), sum(amount_total) FROM all_sales WHERE channel = 'pos'", "SELECT count(*), sum(amount) FROM fact_payments"):
        if db.run(sql)[0] != (orders, paid):
            raise Mismatch(f"{sql}: {db.run(sql)[0]}, in Odoo {(orders, paid)}")


def sizes(db, figures):
    for table in FACTS:
        heap, indexes, parts = db.run(
            "SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint, count(*) FROM pg_class "
            "WHERE oid = %s::regclass OR oid IN (SELECT relid FROM pg_partition_tree(%s))", table, table)[0]
        figures.say(f"{table}: {heap / 1e9:.2f} GB, indexes {indexes / 1e9:.2f} GB" + (f", {parts - 1} partitions" if parts > 1 else ""))


def say_compared(db, figures, name, phase):
    figures.say(f"{name}('sales'): {phase.seconds:.1f} s, {1e7 * phase.seconds / figures.lines:.1f} s for 10,000,000 lines, "
                f"{phase.memory:.1f} MB at most, growing by {phase.growth():.2f}")
    say_costly(db, figures)


def runs(db, figures):
    """Runs after changes of orders from all times: how long they take, and what of the large tables they read whole."""
    changed = min(CHANGED, shop.order_of(figures.lines) // 10)
    everything = ("SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relid IN "
                  "(SELECT unnest(%s::regclass[]) UNION SELECT relid FROM unnest(%s::regclass[]) AS t, pg_partition_tree(t))")
    seconds = []
    for _ in range(RUNS):
        ask(figures.url, f"again/{changed}")
        db.run("SELECT stats.pg_stat_statements_reset()")
        before = flushed(db, everything, list(FACTS), list(FACTS))
        begin = time.perf_counter()
        report = db.report("SELECT * FROM odoo_sync('sales')")
        seconds.append(time.perf_counter() - begin)
        updated = {table: report[table]["updated"] for table in FACTS[:2]}
        if updated["all_sales"] != changed or updated[LINES] > 6 * changed or updated[LINES] < 5 * changed:
            raise Mismatch(f"{changed} orders changed, updated are {updated}")
    figures.scanned = flushed(db, everything, list(FACTS), list(FACTS)) - before
    figures.run = min(seconds)
    figures.say(f"a run after {changed:,} changed orders: {' '.join(f'{one:.2f}' for one in seconds)} s; {figures.scanned:,} rows read by scans of whole tables")
    say_costly(db, figures)


def flushed(db, sql, *args):
    db.run("SELECT pg_stat_force_next_flush()")
    db.run("SELECT pg_stat_clear_snapshot()")
    return db.value(sql, *args)


def reports(db, figures):
    """Over all time, over one month in its middle, and that without the indexes on days."""
    db.run("SELECT * FROM odoo_create_reports()")
    middle = shop.ordered_at(shop.order_of(figures.lines) // 2).date().replace(day=1)
    after = (middle + timedelta(31)).replace(day=1)
    days = [index for index, in db.run(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam "
        "WHERE amname = 'brin' AND indrelid = ANY (%s::regclass[])", list(FACTS))]
    for report, column in REPORTS.items():
        all, month = (f"SELECT count(*) FROM (SELECT * FROM reports.{report}{where} OFFSET 0) AS report" for where in
                      ("", f" WHERE {column} >= '{middle}' AND {column} < '{after}'"))
        with_days = timed(db, month)
        db.run(f"BEGIN; DROP INDEX {', '.join(days)}")
        without = timed(db, month)
        db.run("ROLLBACK")
        figures.say(f"{report}: all {timed(db, all):.2f} s, {middle:%Y-%m} {with_days:.2f} s, without the indexes on days {without:.2f} s")


def settings(pg):
    return pg.sql("SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name IN ('server_version', "
                  f"'work_mem', 'maintenance_work_mem', 'max_parallel_workers_per_gather', 'jit', {', '.join(repr(name) for name in {**SETTINGS, **OWN_SETTINGS})})")


def run(lines, partitioned=None):
    few = FEW if lines >= 2 * FEW else lines // 10
    needed, free = lines * BYTES, shutil.disk_usage(tempfile.gettempdir()).free
    if needed > free:
        raise SystemExit(f"{lines:,} lines need about {needed / 1e9:.0f} GB in {tempfile.gettempdir()}, which has {free / 1e9:.0f}")
    found = []
    with instant(few, lines) as url, cluster(**OWN_SETTINGS) as pg:
        print(f"  {settings(pg)}", flush=True)
        for count in (few, lines):
            figures = Figures(count, f"{url}/{path(count)}")
            with database(pg, figures.url, protocol="json2") as db:
                measure(db, figures, partitioned)
            found.append(figures)
    small, large = found
    what = f"{lines:,} ÷ {few:,} lines" + (f", in partitions of {partitioned:,}" if partitioned else "")
    per_row = lambda one: one.load.seconds / one.lines
    compared = max(large.verify.growth(), large.reconcile.growth())
    # Of small tables that costs no more than an index would.
    is_whole = few == FEW and large.scanned >= shop.order_of(lines)
    most = max(large.verify.seconds, large.reconcile.seconds) * 1e7 / lines
    return [
        Result("scale", f"time for a row of a first load with its keys, {what}", per_row(large) / per_row(small), GROWTH_BAR),
        Result("scale", f"the same without keys, the last {large.part:,} lines ÷ the first", large.parts[-1] / large.parts[0], GROWTH_BAR),
        Result("scale", "memory of a first load before its keys, its last quarter ÷ its second", large.load.growth(large.pages_end), MEMORY_BAR),
        Result("scale", "memory of verify and reconcile, the last quarter ÷ the second", compared, MEMORY_BAR),
        Result("scale", "verify or reconcile, 10,000,000 lines", most, COMPARE_BAR, " s"),
        Result("scale", f"a run after {CHANGED:,} changed orders, {what}", large.run / small.run, GROWTH_BAR,
               trouble="a run reads large tables whole" if is_whole else None),
    ]
