"""Many servers into one database: when their jobs start, what they take of it, and views over all of them."""

import re
import subprocess
import time
from collections import Counter
from decimal import Decimal

import psycopg2
import pytest

from .conftest import Database, require_extension, running, url
from .lab import places
from .live.test_docs import blocks

HOME = "warehouse"
BRANCHES = [f"branch_{number:02}" for number in range(1, 51)]

#: As many jobs at once as pg_cron may run, and the workers that they take beside PostgreSQL's own.
AT_ONCE = 8


@pytest.fixture(scope="module")
def cluster_with_cron(folder):
    require_extension("pg_cron")
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": HOME, "cron.use_background_workers": "on",
                "max_worker_processes": AT_ONCE + 4, "cron.max_running_jobs": AT_ONCE}
    with running(folder / "franchise", **settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def home(cluster_with_cron, fake):
    """A server for each branch: one does not answer, one refuses everything."""
    db = Database(cluster_with_cron, HOME)
    db.run("CREATE EXTENSION pg_cron")
    for branch in BRANCHES:
        behaviour = {"branch_07": "status=404", "branch_23": "rows=4/stall@search_read"}.get(branch, "rows=4")
        db.server(url(fake, behaviour), name=branch, schema=branch, timeout=20)
    yield db
    db.connection.close()


@pytest.fixture
def jobs(home):
    yield home
    home.run("SELECT cron.unschedule(jobid) FROM cron.job; DELETE FROM odoo_etl.schedules")


def starts(db):
    """How many jobs start in each minute of an hour, by what pg_cron has."""
    minutes = Counter()
    for schedule, in db.run("SELECT schedule FROM cron.job"):
        first, step = re.fullmatch(r"(\*|@daily|\d+)(?:-59)?(?:/(\d+))?", schedule.split()[0]).groups()
        first = int(first) if first.isdigit() else 0
        minutes.update(range(first, 60, int(step)) if step else [first])
    return minutes


def test_schedules_spread_by_themselves(jobs):
    for branch in BRANCHES:
        jobs.run("SELECT odoo_schedule('all', '*/10 * * * *', %s)", branch)
    assert set(starts(jobs).values()) == {5} and len(starts(jobs)) == 60
    for branch in BRANCHES:
        jobs.run("SELECT odoo_schedule('all', '@daily', %s, reconcile => true)", branch)
    assert max(starts(jobs).values()) == 6
    assert jobs.run("SELECT DISTINCT schedule FROM odoo_schedules ORDER BY 1") == [("*/10 * * * *",), ("@daily",)]
    assert sorted(jobs.run("SELECT jobid, cron FROM odoo_schedules")) == sorted(jobs.run("SELECT jobid, schedule FROM cron.job"))


def test_scheduling_again_moves_nothing(jobs):
    for branch in BRANCHES:
        jobs.run("SELECT odoo_schedule('all', '*/10 * * * *', %s)", branch)
    before = jobs.run("SELECT jobname, schedule FROM cron.job ORDER BY 1")
    for branch in reversed(BRANCHES):
        jobs.run("SELECT odoo_schedule('all', '*/10 * * * *', %s)", branch)
    assert jobs.run("SELECT jobname, schedule FROM cron.job ORDER BY 1") == before
    # Who goes makes room for who comes.
    jobs.run("SELECT odoo_unschedule('all', 'branch_04')")
    jobs.run("SELECT odoo_schedule('products', '*/10 * * * *', 'branch_50')")
    assert jobs.value("SELECT cron FROM odoo_schedules WHERE entity = 'products'") == "3-59/10 * * * *"


def test_a_minute_that_is_written_out_is_meant(jobs):
    for branch in BRANCHES[:5]:
        jobs.run("SELECT odoo_schedule('all', '0 3 * * *', %s)", branch)
    assert starts(jobs) == {0: 5}


def test_fifty_jobs_in_one_minute(jobs):
    """pg_cron starts as many as it may and the others after them; those that fail or hang keep none away."""
    for branch in BRANCHES:
        jobs.run("SELECT odoo_schedule('products', '* * * * *', %s)", branch)
    deadline, most = time.monotonic() + 200, 0
    done = []
    while len(done) < len(BRANCHES) - 2:
        assert time.monotonic() < deadline, f"{len(done)} branches were loaded"
        most = max(most, jobs.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_cron'"))
        done = jobs.run("SELECT DISTINCT server FROM odoo_sync_log WHERE target = 'dim_products' AND status = 'ok'")
        time.sleep(0.05)
    assert {server for server, in done} == {*BRANCHES} - {"branch_07", "branch_23"}
    assert 1 < most <= AT_ONCE
    assert jobs.value("SELECT count(*) FROM branch_50.dim_products") == 4
    assert jobs.run("SELECT count(*) FROM cron.job_run_details WHERE return_message LIKE '%%background%%'") == [(0,)]
    failed = jobs.run("SELECT DISTINCT server FROM odoo_sync_status WHERE state IN ('failed', 'backing off')")
    assert ("branch_07",) in failed


def test_a_server_that_never_answered_is_shown_too(db, fake):
    db.server(url(fake, "status=404"))
    with pytest.raises(psycopg2.errors.ConnectionFailure):
        db.run("CALL odoo_sync_job('products')")
    assert db.run("SELECT server, target, state, rows FROM odoo_status") == [("erp", "dim_products", "failed", None)]


def test_the_status_reads_no_whole_log(db, fake):
    """Fifty servers write a million rows of it in a week."""
    db.server(url(fake, "rows=4"))
    db.run("CALL odoo_sync_job('products')")
    names = ", ".join(name for name, in db.run("SELECT attname FROM pg_attribute WHERE attrelid = 'odoo_etl.runs'::regclass "
                                               "AND attnum > 0 ORDER BY attnum"))
    names = names.replace("run, server", "run + n, server || n % 50", 1)
    db.run(f"INSERT INTO odoo_etl.runs SELECT {names} FROM odoo_etl.runs, generate_series(1, 20000) AS n")
    db.run("ANALYZE odoo_etl.runs")
    for status in ("odoo_status", "odoo_sync_status"):
        assert "Seq Scan on runs" not in str(db.run(f"EXPLAIN TABLE {status}"))
    db.run("SET statement_timeout = '5s'")
    assert len(db.run("SELECT * FROM odoo_sync_chart(runs => 20)")) == 50 * 20 + 1
    # Who may read what is asked once, not for each row.
    plan = "\n".join(line for line, in db.run("EXPLAIN SELECT * FROM odoo_sync_log WHERE server = 'erp'"))
    assert "SubPlan" in plan and "server_visible" not in plan


def test_the_statements_of_the_page(jobs, fake):
    """Of docs/servers.md, once the shop is synced that it makes."""
    first, *others = blocks("docs/servers.md")
    for example, own in (("https://shop-01.example.com", url(fake, "version=19")), ("'shop_01',", "'demo',"), ("'warehouse'", "'admin'"), ("…", "admin")):
        assert example in first
        first = first.replace(example, own)
    script = "".join([first, "CALL odoo_sync_job('all', 'shop_01');\n", *others])
    done = subprocess.run([*jobs.cluster.psql(HOME), "-X", "-v", "ON_ERROR_STOP=1"], input=script, capture_output=True, text=True,
                          env=places.service_environment())
    assert done.returncode == 0, done.stderr
    assert jobs.run("SELECT entity, reconcile, schedule FROM odoo_schedules ORDER BY 2") == [
        ("all", False, "*/10 * * * *"), ("all", True, "@daily")]
    assert jobs.run("SELECT server, count(*) > 0 FROM all_servers.all_sales GROUP BY 1") == [("shop_01", True)]
    jobs.run("SELECT odoo_drop_reports('all_servers'); DROP SCHEMA shop_01 CASCADE; SELECT odoo_forget('shop_01'); "
             "DROP SERVER shop_01 CASCADE")


@pytest.mark.parametrize("statement", [
    "SELECT * FROM odoo_sync_all()", "SELECT odoo_count('res.partner')", "CALL odoo_sync_job()", "SELECT odoo_schedule('all', '@daily')"])
def test_which_of_many_is_asked_in_a_line(home, statement):
    with pytest.raises(psycopg2.errors.AmbiguousParameter) as raised:
        home.run(statement)
    assert raised.value.diag.message_detail.endswith("branch_09, branch_10 and 40 more.")
    assert raised.value.diag.message_hint == "Name the one you mean: server => 'branch_01'."


# Views over all servers.

@pytest.fixture
def two(db, fake):
    for name, behaviour in (("south", "rows=40"), ("north", "rows=7/uuid=north")):
        db.server(url(fake, behaviour), name=name, schema=f"{name}_schema")
        db.run("SELECT * FROM odoo_sync_all(%s)", name)
    del db.connection.notices[:]
    return db


def test_a_table_of_all_servers(two):
    assert two.value("SELECT odoo_union('dim_products')::text") == "all_servers.dim_products"
    assert two.run("SELECT server, count(*) FROM all_servers.dim_products GROUP BY 1 ORDER BY 1") == [("north", 7), ("south", 40)]
    names = "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
    table = two.run(names, "north_schema.dim_products")
    assert two.run(names, "all_servers.dim_products") == [("server",), *table]
    assert two.run("SELECT reloptions FROM pg_class WHERE oid = 'all_servers.dim_products'::regclass") == [(["security_invoker=true"],)]
    about = two.run("SELECT count(*), count(col_description(attrelid, attnum)) FROM pg_attribute "
                    "WHERE attrelid = 'all_servers.dim_products'::regclass AND attnum > 0")[0]
    assert about[0] == about[1]
    # The tables of other servers are not even looked at, and indexes serve.
    two.run("SET enable_seqscan = off")
    ((plan,),) = two.run("EXPLAIN (FORMAT JSON, VERBOSE) SELECT * FROM all_servers.dim_products WHERE server = 'north' AND id = 3")
    node = plan[0]["Plan"]
    assert (node["Node Type"], node["Schema"], node["Index Name"]) == ("Index Scan", "north_schema", "dim_products_pkey")
    two.run("SELECT odoo_keep_history('dim_products', name) FROM (VALUES ('north'), ('south')) AS server (name)")
    for table in ("missing_data", "dim_date", "dim_products_history"):
        two.run("SELECT odoo_union(%s, 'more')", table)
    two.run("SELECT odoo_sync('products', name) FROM (VALUES ('north'), ('south')) AS server (name)")
    assert two.run("SELECT DISTINCT server FROM more.dim_products_history ORDER BY 1") == [("north",), ("south",)]
    assert "left out" not in two.notices
    two.run("SELECT odoo_drop_reports('more'); SELECT odoo_drop_reports('all_servers')")
    assert two.run("SELECT to_regnamespace('more'), to_regnamespace('all_servers')") == [(None, None)]


def test_it_follows_servers_that_come_and_go(two, fake):
    two.run("SELECT odoo_union('dim_products'); CREATE ROLE reader; GRANT SELECT ON all_servers.dim_products TO reader")
    try:
        # Before its first run, and after; its name is before the others'.
        two.server(url(fake, "rows=3/uuid=east"), name="east", schema="east_schema")
        two.run("SELECT odoo_union('dim_products')")
        assert 'server "east": left out, table "east_schema"."dim_products" does not exist' in two.notices
        two.run("SELECT * FROM odoo_sync('products', 'east')")
        # As after an upgrade: the same columns in another order.
        two.run("ALTER TABLE east_schema.dim_products DROP COLUMN name CASCADE, DROP COLUMN sku; "
                "ALTER TABLE east_schema.dim_products ADD COLUMN sku text, ADD COLUMN name text")
        two.run("SELECT odoo_union('dim_products')")
        counts = "SELECT server, count(*) FROM all_servers.dim_products GROUP BY 1 ORDER BY 1"
        assert two.run(counts) == [("east", 3), ("north", 7), ("south", 40)]
        assert two.value("SELECT has_table_privilege('reader', 'all_servers.dim_products', 'SELECT')")
        two.run("DROP SERVER north CASCADE; SELECT odoo_union('dim_products')")
        assert two.run(counts) == [("east", 3), ("south", 40)]
        two.run("DROP SERVER east CASCADE; SELECT odoo_union('dim_products')")
        assert two.run(counts) == [("south", 40)]
        two.run("DROP SERVER south CASCADE")
        with pytest.raises(psycopg2.errors.UndefinedObject, match="there is no Odoo server to use"):
            two.run("SELECT odoo_union('dim_products')")
    finally:
        two.run("DROP OWNED BY reader CASCADE; DROP ROLE reader")


def test_columns_that_not_all_have_and_types_that_differ(two):
    two.run("ALTER TABLE north_schema.dim_products ALTER name TYPE varchar(40), ALTER weight TYPE numeric(12, 2), "
            "ADD COLUMN only_here text, ADD COLUMN odd bigint, ADD COLUMN day date, ADD COLUMN server text; "
            "ALTER TABLE south_schema.dim_products ADD COLUMN odd text, ADD COLUMN day timestamptz")
    two.run("SELECT odoo_union('dim_products')")
    for reason in ('"only_here": left out, not all servers have it', '"odd": left out, its types have nothing in common',
                   '"server": left out, the view has one of that name'):
        assert f"column {reason}" in two.notices
    types = dict(two.run("SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
                         "WHERE attrelid = 'all_servers.dim_products'::regclass AND attnum > 0"))
    assert (types["name"], types["weight"], types["day"]) == ("text", "numeric", "timestamp with time zone")
    assert not {"only_here", "odd"} & set(types)
    assert two.value("SELECT count(*) FROM all_servers.dim_products WHERE name IS NOT NULL") == 47
    # Widths that change do not change the view.
    two.run("DROP VIEW all_servers.dim_products; ALTER TABLE south_schema.dim_products ALTER name TYPE varchar(200); "
            "SELECT odoo_union('dim_products')")
    # A column less is another view.
    two.run("CREATE VIEW public.mine AS SELECT name FROM all_servers.dim_products; "
            "ALTER TABLE south_schema.dim_products RENAME COLUMN sku TO code")
    with pytest.raises(psycopg2.errors.InvalidTableDefinition) as raised:
        two.run("SELECT odoo_union('dim_products')")
    assert raised.value.diag.message_hint.startswith('DROP VIEW "all_servers"."dim_products";')


def test_sums_over_all_servers_join_by_server_channel_and_id(db, fake):
    for name, behaviour in (("south", "version=19"), ("north", "version=18/uuid=north")):
        db.server(url(fake, behaviour), name=name, schema=f"{name}_schema")
        db.run("SELECT * FROM odoo_sync_all(%s)", name)
    for table in ("all_sales", "fact_sales_lines"):
        db.run("SELECT odoo_union(%s)", table)
    joined = db.run("SELECT server, count(*), sum(total) FROM all_servers.fact_sales_lines AS line "
                     "JOIN all_servers.all_sales AS sale USING (server, channel) WHERE line.order_id = sale.id GROUP BY 1 ORDER BY 1")
    apart = [(name, *db.run(f"SELECT count(*), sum(total) FROM {name}_schema.fact_sales_lines")[0]) for name in ("north", "south")]
    assert joined == apart and all(count and isinstance(total, Decimal) for _, count, total in joined)


@pytest.mark.parametrize("call, error", [
    ("odoo_union('nothing')", 'no server has a table "nothing"'),
    ("odoo_union(NULL)", "target must not be NULL"),
    ("odoo_union('dim_products', 'north_schema')", 'schema "north_schema" is not for reports'),
    ("odoo_union('dim_products', 'odoo_etl')", 'schema "odoo_etl" is not for reports'),
    ("odoo_union('dim_products', 'model')", '"model"."dim_products" is another report'),
    ("odoo_create_model('all_servers', 'north')", "is another report"),
    ("odoo_union('dim_products', 'mine')", '"mine"."dim_products" already exists'),
])
def test_what_is_refused(two, call, error):
    two.run("SELECT odoo_create_model('model', 'north'); SELECT odoo_union('dim_brands'); CREATE SCHEMA mine; "
            "CREATE VIEW mine.dim_products AS SELECT 1 AS one")
    with pytest.raises(psycopg2.Error, match=error) as raised:
        two.run(f"SELECT {call}")
    assert raised.value.diag.message_hint or "NULL" in error


def test_a_schema_that_two_servers_name_counts_once(two, fake):
    two.server(url(fake, "rows=3"), name="again", schema="north_schema")
    two.run("SELECT odoo_union('dim_products')")
    assert 'server "again": left out, another one fills its schema "north_schema"' in two.notices
    assert two.value("SELECT count(*) FROM all_servers.dim_products") == 47


def test_whose_rights(two):
    """The servers that the caller may use; who reads needs the privilege to read each table."""
    two.run("CREATE ROLE manager; GRANT USAGE ON FOREIGN SERVER north TO manager; GRANT CREATE ON DATABASE " + two.name + " TO manager; "
            "GRANT USAGE ON SCHEMA north_schema TO manager")
    try:
        two.run("SET ROLE manager; SELECT odoo_union('dim_products')")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for table dim_products"):
            two.run("SELECT * FROM all_servers.dim_products")
        two.run("RESET ROLE; GRANT SELECT ON north_schema.dim_products TO manager; SET ROLE manager")
        assert two.run("SELECT DISTINCT server FROM all_servers.dim_products") == [("north",)]
        two.run("RESET ROLE; GRANT USAGE ON FOREIGN SERVER south TO manager; SET ROLE manager")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for schema south_schema"):
            two.run("SELECT odoo_union('dim_products')")
    finally:
        two.run("RESET ROLE; DROP OWNED BY manager CASCADE; DROP ROLE manager")


def test_names_are_quoted(db, fake):
    for name in ('a "shop\'s" \\ one', "Shop"):
        db.server(url(fake, "rows=4"), name=psycopg2.extensions.quote_ident(name, db.connection), schema=name.replace("'", ""))
        db.run("SELECT * FROM odoo_sync('products', %s)", name)
    db.run("""SELECT odoo_union('dim_products', 'all "of" them')""")
    assert db.run('SELECT server, count(*) FROM "all ""of"" them".dim_products GROUP BY server ORDER BY server COLLATE "C"') == [
        ("Shop", 4), ('a "shop\'s" \\ one', 4)]
