"""make demo: a cluster with the extension and an Odoo with a shop in it, left running for a look around, and a page of
charts."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import odoo, places, ports, shop
from .places import say
from .postgres import Cluster

#: One demo per user; a second run takes the place of the first.
FOLDER = Path(tempfile.gettempdir()) / f"odoo_etl_demo.{os.getuid()}"
DATABASE = "warehouse"


def run(_):
    stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o755)
    FOLDER.chmod(0o755)
    places.give_to_service(FOLDER)
    try:
        cluster = start_cluster()
        server = own_odoo()
        show(cluster, options_of(server) if server else options_given(), server)
    except BaseException:
        say("stopping what was started")
        stop()
        raise


def start_cluster():
    say("starting a private PostgreSQL")
    cluster = Cluster(FOLDER / "pg", ports.free(1)[0], {
        "shared_preload_libraries": "pg_cron",
        "cron.database_name": DATABASE,
        "cron.use_background_workers": "on",
    })
    cluster.init()
    cluster.start()
    cluster.sql(f"CREATE DATABASE {DATABASE}")
    return cluster


def own_odoo():
    """A real Odoo 19 with the demo's shop, unless ODOO_URL names the user's own."""
    if os.environ.get("ODOO_URL"):
        return None
    odoo.ready()
    server = odoo.Server(FOLDER / "odoo", template=shop.database())
    say("starting a real Odoo 19")
    server.start()
    say("inventing a year of sales of three branches, until now")
    shop.fill(server)
    return server


def options_of(server):
    return server.url, server.database, server.login, "password", server.password


def options_given():
    given = {key: os.environ.get(f"ODOO_{key}") for key in ("URL", "DATABASE", "LOGIN", "API_KEY")}
    missing = [f"ODOO_{key}" for key, value in given.items() if not value]
    if missing:
        sys.exit(f"With ODOO_URL, set {', '.join(missing)} too.")
    return given["URL"], given["DATABASE"], given["LOGIN"], "api_key", given["API_KEY"]


#: What there is to see after the first sync, of every shop.
FIRST_LOOK = (
    "SELECT item, status, detail FROM odoo_check()",
    "SELECT entity, target, fetched, inserted, quarantined, status, seconds FROM odoo_sync_all()",
    "SELECT odoo_keep_history('dim_products')",
    "SELECT count(*) AS reports FROM odoo_create_reports('reports')",
    "SELECT month, branch, currency, sales, refunds, sold, refunded, average FROM reports.sales_by_branch "
    "ORDER BY month DESC, sold DESC LIMIT 6",
    "SELECT month, category, currency, revenue, cost, margin, percent FROM reports.margin_by_category "
    "WHERE month = (SELECT max(month) FROM reports.margin_by_category) ORDER BY revenue DESC LIMIT 8",
    "SELECT business_date, branch, payment_method, payments, amount, change, percent FROM reports.tender_mix "
    "ORDER BY business_date DESC, branch, amount DESC LIMIT 9",
    "SELECT warehouse, product, on_hand, sold, last_sale FROM reports.stock_outs ORDER BY sold DESC, product LIMIT 5",
    "SELECT w.name, count(*) AS goods, round(sum(s.quantity), 2) AS quantity FROM odoo_stock_on(current_date - 7) s "
    "JOIN fact_warehouse w ON w.id = s.warehouse_id GROUP BY w.name ORDER BY w.name",
)

SCHEDULE = "SELECT odoo_schedule('all', '* * * * *')"

#: And after the first run of the schedule.
SECOND_LOOK = (
    "SELECT target, state, lag_seconds, last_duration, failures FROM odoo_sync_status LIMIT 5",
    "SELECT * FROM odoo_sync_chart() LIMIT 8",
)

PRICES = (
    "SELECT product, sku, changed_at, price_before, price, percent FROM reports.list_price_changes "
    "ORDER BY changed_at DESC LIMIT 5",
)


def show(cluster, options, server):
    """`server` is the demo's own Odoo, of which something may be changed."""
    url, database, login, kind, secret = options
    quoted = lambda text: "'" + text.replace("'", "''") + "'"
    script = FOLDER / "setup.sql"
    script.touch(mode=0o600)
    script.write_text(
        "CREATE EXTENSION odoo_etl;\nCREATE EXTENSION pg_cron;\n"
        f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url {quoted(url)}, database {quoted(database)});\n"
        "CREATE USER MAPPING FOR CURRENT_USER SERVER erp "
        f"OPTIONS (login {quoted(login)}, {kind} {quoted(secret)});\n"
    )
    psql = cluster.psql(DATABASE) + ["-X", "-P", "pager=off", "-v", "ON_ERROR_STOP=1"]
    say(f"CREATE EXTENSION odoo_etl, and a server for {url}")
    if subprocess.run([*psql, "-q", "-f", str(script)]).returncode != 0:
        raise SystemExit(1)
    script.unlink()
    run_each(psql, FIRST_LOOK)
    if server:
        say(f"in Odoo, {shop.raise_price(server)}")
    run_each(psql, (SCHEDULE,))
    say("waiting for pg_cron's first run, which begins with the next minute")
    wait_for_job(cluster)
    run_each(psql, SECOND_LOOK + (PRICES if server else ()))
    page = write_page(cluster)
    say(f"look at it:   file://{page}")
    say(f"look around:  {shlex.join(cluster.psql(DATABASE))}")
    say("make clean stops and removes it")


def write_page(cluster):
    """The charts as a file for the caller's eyes."""
    page = FOLDER / "shop.html"
    page.touch(mode=0o600)
    page.write_text(cluster.sql("SELECT odoo_dashboard()", DATABASE))
    return page


def run_each(psql, statements):
    for statement in statements:
        print(f"\n{DATABASE}=# {statement};", flush=True)
        if subprocess.run([*psql, "-c", statement]).returncode != 0:
            raise SystemExit(1)


def wait_for_job(cluster):
    deadline = time.monotonic() + 150
    ended = "SELECT status, return_message FROM cron.job_run_details WHERE end_time IS NOT NULL"
    while not (found := cluster.sql(ended, DATABASE)):
        if time.monotonic() > deadline:
            sys.exit("pg_cron did not run the job")
        time.sleep(1)
    if not found.startswith("succeeded"):
        sys.exit(f"the scheduled job failed: {found}")


def stop():
    """Stops the servers of an earlier demo: those whose data lies in its folder, no others."""
    for pid_file in FOLDER.glob("*/odoo.pid"):
        odoo.end_by_pid_file(pid_file)
    for data in [*FOLDER.glob("pg/data"), *FOLDER.glob("odoo/cluster/data")]:
        Cluster(data.parent, 0).stop("immediate")
