"""Jobs that pg_cron runs: real ones, in a cluster with pg_cron; what waits and what is stopped."""

import json
import time
from contextlib import closing

import psycopg2
import pytest

from . import test_owner
from .conftest import BY_PASSWORD, Database, heard, require_extension, running, url
from .fake.server import behaviour_of

HOME = "home"
SCHEDULED = "CALL odoo_sync_job('products', scheduled => true)"


@pytest.fixture(scope="module")
def cluster(folder):
    """pg_cron lives in one of its databases."""
    require_extension("pg_cron")
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": HOME, "cron.use_background_workers": "on"}
    with running(folder / "cron", **settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def lasting(cluster):
    """pg_cron does not like its database to go away."""
    database = Database(cluster, HOME)
    database.run("CREATE EXTENSION pg_cron")
    yield database
    database.connection.close()


@pytest.fixture
def home(lasting):
    yield lasting
    lasting.run("RESET ROLE")
    lasting.run("DROP EXTENSION odoo_etl CASCADE")
    # Not the schema: pg_cron lives in it.
    for table, in lasting.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        lasting.run(f"DROP TABLE {table} CASCADE")
    lasting.run("CREATE EXTENSION odoo_etl")
    lasting.run("SELECT cron.unschedule(jobid) FROM cron.job")
    lasting.run("DELETE FROM cron.job_run_details")


def wait_for(db, sql, *args, seconds=75):
    """pg_cron wakes once a minute."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = db.run(sql, *args)
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {sql}")


def run_at_once(home, statement):
    """Has pg_cron run a job that it is given without a wait for the minute: when the server starts."""
    home.run("UPDATE cron.job SET schedule = '@reboot' WHERE jobid = %s", home.value(statement))
    home.connection.close()
    home.cluster.stop()
    home.cluster.start()
    home.reconnect()


def test_a_schedule_runs_the_code_of_a_table_as_its_owner(home, fake):
    """The job is a superuser's, the table another's."""
    home.server(url(fake, "version=19"))
    home.run("SELECT * FROM odoo_sync_all()")
    test_owner.share(home)
    try:
        test_owner.edit(home)
        run_at_once(home, "SELECT odoo_schedule('m', '* * * * *', reconcile => true)")
        wait_for(home, "SELECT 1 FROM cron.job_run_details WHERE status = 'succeeded'")
        test_owner.require_seen_as_low(home)
    finally:
        test_owner.unshare(home)


def test_a_schedule_runs(home, db, fake):
    """Here, and in another database by the statement that the error's HINT gives."""
    db.server(url(fake, "rows=40"))
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as raised:
        db.run("SELECT odoo_schedule('products', '* * * * *')")
    assert f'database "{HOME}"' in raised.value.diag.message_detail
    elsewhere = home.value(raised.value.diag.message_hint.removeprefix("There, run: "))
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="(?s)odoo_follow.*every => ''5 seconds'', until => ''299 seconds''"):
        db.run("SELECT odoo_schedule('products', '*/5 * * * *', follow => '5 seconds')")
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="follow must be shorter"):
        db.run("SELECT odoo_schedule('products', '*/5 * * * *', follow => '10 minutes')")
    home.server(url(fake, "rows=40"))
    job = home.value("SELECT odoo_schedule('products', '* * * * *')")
    again = home.value("SELECT odoo_schedule('products', '*/1 * * * *')")
    assert job == again
    nightly = home.value("SELECT odoo_schedule('all', '0 3 * * *', reconcile => true)")
    jobs = home.run("SELECT jobid, jobname, schedule, command FROM cron.job WHERE jobid <> %s ORDER BY jobid", elsewhere)
    assert jobs == [
        (job, "odoo_etl erp products", "*/1 * * * *",
         "CALL \"public\".odoo_sync_job('products', 'erp', scheduled => true)"),
        (nightly, "odoo_etl erp all reconcile", "0 3 * * *",
         "CALL \"public\".odoo_sync_job('all', 'erp', reconcile => true, scheduled => true)"),
    ]
    told = home.run("SELECT server, entity, reconcile, schedule, role, jobid FROM odoo_schedules")
    assert told == [("erp", "all", True, "0 3 * * *", "postgres", nightly),
                    ("erp", "products", False, "*/1 * * * *", "postgres", job)]
    for number in (job, elsewhere):
        details = wait_for(home, "SELECT status, return_message FROM cron.job_run_details "
                                 "WHERE jobid = %s AND end_time IS NOT NULL", number)
        assert details[0][0] == "succeeded", details
    assert db.value("SELECT count(*) FROM dim_products") == 40
    assert home.value("SELECT count(*) FROM dim_products") == 40
    assert home.run("SELECT kind, status FROM odoo_sync_log WHERE target = 'dim_products'")[0] == ("job", "ok")
    assert home.value("SELECT odoo_unschedule('products')") is True
    assert home.value("SELECT odoo_unschedule('products')") is False
    home.run("SELECT cron.unschedule(%s)", elsewhere)
    assert home.run("SELECT jobname FROM cron.job") == [("odoo_etl erp all reconcile",)]


def test_a_schedule_follows(home, fake):
    """Each job stays until a second before the next one, which waits for it if it is late."""
    home.server(url(fake, "version=19"))
    home.run("SELECT * FROM odoo_sync_all()")
    job = home.value("SELECT odoo_schedule('sales', '* * * * *', follow => '5 seconds')")
    assert home.run("SELECT jobid, jobname, command FROM cron.job") == [
        (job, "odoo_etl erp sales",
         "CALL \"public\".odoo_follow('sales', every => '5 seconds', until => '59 seconds', server => 'erp')")]
    assert home.run("SELECT schedule, follow::text, jobid FROM odoo_schedules") == [("* * * * *", "00:00:05", job)]
    (pid, begun), = wait_for(home, "SELECT pid, backend_start FROM odoo_sync_status JOIN pg_stat_activity USING (pid) "
                                   "WHERE target = 'all_sales' AND odoo_sync_status.state = 'following'")
    assert home.value("SELECT odoo_wake('sales')") is True
    # Both times that pg_cron 1.4 notes may be those at which it began to listen to its worker.
    (seconds,), = wait_for(home, "SELECT extract(epoch FROM clock_timestamp() - %s)::float "
                                 "WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", begun, pid)
    assert 58 < seconds < 65
    details = wait_for(home, "SELECT status FROM cron.job_run_details WHERE jobid = %s AND end_time IS NOT NULL", job, seconds=10)
    assert details[0] == ("succeeded",)
    wait_for(home, "SELECT 1 FROM odoo_sync_status WHERE target = 'all_sales' AND state = 'following'", seconds=10)
    assert home.value("SELECT odoo_schedule('sales', '*/10 * * * *')") == job
    assert home.run("SELECT schedule, follow FROM odoo_schedules") == [("*/10 * * * *", None)]
    assert home.value("SELECT odoo_unschedule('sales')") is True
    home.run("SELECT pg_terminate_backend(pid) FROM odoo_sync_status WHERE state = 'following'")


@pytest.mark.parametrize("cron, follow, error", [
    ("* * * * *", "1 minute", "follow must be shorter than the time between two jobs"),
    ("* * * * *", "0", "follow must be at least one second"),
    ("61 * * * *", "5 seconds", "invalid cron expression"),
])
def test_a_schedule_that_cannot_follow(home, fake, cron, follow, error):
    home.server(url(fake))
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match=error):
        home.run("SELECT odoo_schedule('sales', %s, follow => %s)", cron, follow)
    assert home.run("SELECT * FROM cron.job") == []


def test_the_reconcile_job_repairs(home, fake):
    home.server(url(fake, "rows=40"))
    home.run("CALL odoo_sync_job('products')")
    home.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    home.run("DELETE FROM dim_products WHERE id = 4")
    home.run("CALL odoo_sync_job('all', reconcile => true)")
    assert home.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]
    kinds = home.run("SELECT DISTINCT kind FROM odoo_sync_log WHERE run = (SELECT max(run) FROM odoo_sync_log)")
    assert kinds == [("reconcile",)]


def test_a_role_has_jobs_of_its_own(home, fake):
    home.server(url(fake, "rows=40"))
    home.run("SELECT odoo_schedule('products', '0 1 * * *')")
    home.run("CREATE ROLE clerk LOGIN")
    home.run("GRANT USAGE ON FOREIGN SERVER erp TO clerk")
    home.run("SET ROLE clerk")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="schema cron"):
        home.run("SELECT odoo_schedule('products', '0 2 * * *')")
    assert home.value("SELECT odoo_unschedule('products')") is False
    home.run("RESET ROLE")
    home.run("GRANT USAGE ON SCHEMA cron TO clerk")
    home.run("SET ROLE clerk")
    home.run("SELECT odoo_schedule('products', '0 2 * * *')")
    assert home.value("SELECT odoo_unschedule('products')") is True
    home.run("RESET ROLE")
    assert home.run("SELECT role, schedule FROM odoo_schedules") == [("postgres", "0 1 * * *")]
    assert home.run("SELECT username, schedule FROM cron.job") == [("postgres", "0 1 * * *")]
    home.run("REVOKE USAGE ON FOREIGN SERVER erp FROM clerk")
    home.run("REVOKE USAGE ON SCHEMA cron FROM clerk")
    home.run("DROP ROLE clerk")


@pytest.mark.parametrize("cron", ["10 seconds", "* * * *", "61 * * * *", "0 0 31 2 *", "@reboot", ""])
def test_an_expression_that_cron_does_not_know(home, fake, cron):
    home.server(url(fake))
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="invalid cron expression") as raised:
        home.run("SELECT odoo_schedule('all', %s)", cron)
    assert raised.value.diag.message_detail and "*/10 * * * *" in raised.value.diag.message_hint
    assert home.run("SELECT * FROM cron.job") == []


@pytest.mark.parametrize("cron", [", * * * *", "5, * * * *", "0 0 L * *", "0 0 ? * *", "@DAILY"])
def test_an_expression_that_only_pg_cron_knows_to_be_wrong(home, fake, cron):
    home.server(url(fake))
    home.run("SET statement_timeout = '2s'")
    try:
        with pytest.raises(psycopg2.errors.InvalidParameterValue, match="invalid schedule"):
            home.run("SELECT odoo_schedule('all', %s)", cron)
    finally:
        home.run("RESET statement_timeout")
    assert home.run("SELECT * FROM cron.job") == []


def failing(home, fake, behaviour):
    home.server(url(fake, f"rows=40/{behaviour}/job={home.name}{time.monotonic()}"), protocol=BY_PASSWORD)
    home.run("SELECT odoo_schedule('products', '*/10 * * * *')")


def calls(fake, statement, db):
    before = len(fake.calls)
    try:
        db.run(statement)
    except psycopg2.Error as error:
        return len(fake.calls) - before, error
    return len(fake.calls) - before, None


def test_after_a_failure_the_next_runs_wait(home, fake):
    failing(home, fake, "status=404")
    listener = home.connect()
    with closing(listener), listener.cursor() as cursor:
        cursor.execute("LISTEN odoo_etl")
        for failures in (1, 2):
            asked, error = calls(fake, SCHEDULED, home)
            assert asked and "404" in str(error)
            assert home.value("SELECT failures FROM odoo_etl.state WHERE target = 'dim_products'") == failures
            pause = home.value(
                "SELECT extract(epoch FROM next_start - clock_timestamp())::float FROM odoo_etl.state WHERE target = 'dim_products'")
            assert failures * 600 * 0.89 < pause < failures * 600 * 1.11
            assert home.run("SELECT state, last_sqlstate FROM odoo_sync_status WHERE target = 'dim_products'") == [("backing off", "08006")]
            # Nothing is asked of Odoo meanwhile.
            assert calls(fake, SCHEDULED, home) == (0, None)
            assert "skipped, it failed and waits until" in home.notices
            # A manual run goes ahead; the wait is over when somebody says so.
            if failures == 1:
                assert home.value("SELECT odoo_resume()") is True
        home.run("SELECT odoo_resume()")
        home.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, 'rows=40')}')")
        assert calls(fake, SCHEDULED, home)[1] is None
        assert home.run("SELECT state, failures, next_start FROM odoo_sync_status WHERE target = 'dim_products'") == [("idle", 0, None)]
        events = [json.loads(payload) for payload in heard(listener, 3)]
    assert [event["event"] for event in events] == ["failed", "failed", "recovered"]
    assert events[0]["server"] == "erp" and events[0]["entity"] == "products" and "404" in events[0]["error"]


def test_a_failed_reconcile_makes_nobody_wait(home, fake):
    failing(home, fake, "status=404")
    home.run("SELECT odoo_schedule('all', '0 3 * * *', reconcile => true)")
    with pytest.raises(psycopg2.Error):
        home.run("CALL odoo_sync_job('all', reconcile => true, scheduled => true)")
    asked, error = calls(fake, SCHEDULED, home)
    assert asked and "404" in str(error)


def password(home, text):
    home.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password '{text}')")


def time_passes(home):
    """As if the wait after a refused login were over."""
    home.run("UPDATE odoo_etl.stops SET until = now() WHERE until IS NOT NULL")
    home.run("UPDATE odoo_etl.state SET next_start = NULL")


def status(home):
    return home.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_products'")


def test_a_refused_login_is_tried_once_more_and_then_stops_the_jobs(home, fake):
    failing(home, fake, "x")
    password(home, "wrong")
    asked, error = calls(fake, SCHEDULED, home)
    assert asked and "refused the login" in str(error) and "after several wrong ones" in error.diag.message_hint
    assert status(home) == "backing off"
    # Odoo refuses good logins too for a minute after bad ones: the next try comes later than that.
    pause = home.value("SELECT extract(epoch FROM until - clock_timestamp())::float FROM odoo_etl.stops")
    assert 60 < pause < 100
    assert calls(fake, SCHEDULED, home) == (0, None)
    assert "skipped, Odoo refused the login" in home.notices
    time_passes(home)
    asked, error = calls(fake, SCHEDULED, home)
    assert asked and "refused the login" in str(error)
    asked, error = calls(fake, SCHEDULED, home)
    assert asked == 0 and "are stopped since" in str(error)
    assert "refused the login" in error.diag.message_detail and "odoo_resume('erp')" in error.diag.message_hint
    assert status(home) == "stopped"
    password(home, "admin")
    assert home.value("SELECT odoo_resume('erp')") is True
    assert home.value("SELECT odoo_resume('erp')") is False
    assert calls(fake, SCHEDULED, home)[1] is None


def test_a_refused_login_that_is_mended_in_time_stops_nothing(home, fake):
    failing(home, fake, "x")
    password(home, "wrong")
    calls(fake, SCHEDULED, home)
    password(home, "admin")
    time_passes(home)
    assert calls(fake, SCHEDULED, home)[1] is None
    assert home.run("TABLE odoo_etl.stops") == [] and status(home) == "idle"


@pytest.mark.parametrize("release", [14, 15])
def test_the_cool_down_after_somebody_elses_wrong_logins_stops_nothing(home, fake, release):
    """Up to 15 Odoo counts them by source address, which all mappings of a database share."""
    home.server(url(fake, f"version={release}/cool={home.name}{time.monotonic()}"), protocol=BY_PASSWORD)
    home.run("CALL odoo_sync_job()")
    home.run("CREATE ROLE clumsy")
    home.run("GRANT USAGE ON FOREIGN SERVER erp TO clumsy")
    home.run("CREATE USER MAPPING FOR clumsy SERVER erp OPTIONS (login 'admin', password 'wrong')")

    def told():
        home.run("SET ROLE clumsy")
        error = str(calls(fake, "SELECT odoo_count('res.partner')", home)[1])
        home.run("RESET ROLE")
        return error

    # Each is asked for by the user's id, which runs keep, and then by a login: both count.
    assert ["refused the login" in told() for _ in range(2)] == [True, True]
    while "for a while" not in told():
        pass
    # Whom Odoo's workers know they let in all the same, until they forget.
    assert calls(fake, SCHEDULED, home)[1] is None
    behaviour = behaviour_of(home.value(
        "SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE option_name = 'url'")
        .partition(str(fake.port))[2])
    behaviour.known_logins.clear()
    assert "for a while" in str(calls(fake, SCHEDULED, home)[1])
    assert calls(fake, SCHEDULED, home) == (0, None) and status(home) == "backing off"
    time_passes(home)
    behaviour.failures.clear()
    assert calls(fake, SCHEDULED, home)[1] is None
    assert home.run("TABLE odoo_etl.stops") == [] and status(home) == "idle"
    home.run("DROP USER MAPPING FOR clumsy SERVER erp")
    home.run("REVOKE USAGE ON FOREIGN SERVER erp FROM clumsy")
    home.run("DROP ROLE clumsy")


def test_a_manual_call_stops_no_schedule(home, fake):
    failing(home, fake, "x")
    home.run("CALL odoo_sync_job('products')")
    password(home, "wrong")
    for statement in ("CALL odoo_sync_job('products')", "SELECT * FROM odoo_sync('products')", "SELECT odoo_count('uom.uom')"):
        assert "refused the login" in str(calls(fake, statement, home)[1])
    assert home.run("TABLE odoo_etl.stops") == []
    password(home, "admin")
    assert calls(fake, SCHEDULED, home)[1] is None


@pytest.mark.parametrize("statement", [
    "CALL odoo_sync_job('products')", "SELECT * FROM odoo_sync('products')", "SELECT * FROM odoo_check()",
    "SELECT odoo_count('uom.uom')", "SELECT count(*) FROM live_uom",
])
def test_a_good_login_lifts_the_stop(home, fake, statement):
    failing(home, fake, "x")
    home.run("CREATE FOREIGN TABLE live_uom (id bigint, name text) SERVER erp OPTIONS (model 'uom.uom')")
    password(home, "wrong")
    for _ in range(2):
        calls(fake, SCHEDULED, home)
        time_passes(home)
    assert "are stopped since" in str(calls(fake, SCHEDULED, home)[1])
    password(home, "admin")
    # Nobody may write in such a transaction; the statement is answered all the same.
    home.run("BEGIN READ ONLY")
    assert home.value("SELECT odoo_count('uom.uom')") > 0
    home.run("COMMIT")
    assert home.value("SELECT count(*) FROM odoo_etl.stops") == 1
    assert calls(fake, statement, home)[1] is None
    assert home.run("TABLE odoo_etl.stops") == []
    home.run("DROP FOREIGN TABLE live_uom")
    home.run("SELECT odoo_resume()")
    assert calls(fake, SCHEDULED, home)[1] is None


def test_without_pg_cron_the_hint_is_what_to_add(lasting, fake):
    """The last test, since pg_cron does not come back for the others."""
    lasting.run("DROP EXTENSION IF EXISTS pg_cron")
    lasting.server(url(fake))
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as raised:
        lasting.run("SELECT odoo_schedule('all', '0 1 * * *')")
    assert raised.value.diag.message_hint == "CREATE EXTENSION pg_cron;"
