"""Left alone: pg_cron runs it each minute on a real Odoo, which goes away and comes back."""

import json
import time
from contextlib import closing
from itertools import groupby

import pytest

from ..conftest import Database, heard
from ..lab import ports
from ..lab.postgres import Cluster
from . import shop as shop_data
from .conftest import differences

CUSTOMERS = "SELECT state, failures FROM odoo_sync_status WHERE target = 'dim_customers'"


@pytest.fixture
def scheduled(folder, real):
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": "shop",
                "cron.use_background_workers": "on", "fsync": "off"}
    cluster = Cluster(folder / "scheduled", ports.free(1)[0], settings)
    cluster.init()
    cluster.start()
    db = Database(cluster, "shop")
    db.run("CREATE EXTENSION pg_cron")
    db.server(real.url)
    db.run("SELECT odoo_schedule('all', '* * * * *')")
    yield db
    db.connection.close()
    cluster.stop("immediate")
    if not real.process:
        real.launch()


def until(db, sql, expected, seconds):
    deadline = time.monotonic() + seconds
    while (found := db.run(sql)) != expected:
        assert time.monotonic() < deadline, f"{found} after {seconds} s: {sql}"
        time.sleep(0.2)


def test_it_runs_each_minute_while_odoo_goes_and_comes_back(scheduled, real, api, truth):
    db = scheduled
    with closing(db.connect()) as listener:
        listener.cursor().execute("LISTEN odoo_etl")
        until(db, "SELECT array_agg(status) FROM cron.job_run_details WHERE end_time IS NOT NULL", [(["succeeded"],)], seconds=300)
        assert db.run(CUSTOMERS) == [("idle", 0)]
        assert db.run("SELECT DISTINCT kind, status FROM odoo_sync_log WHERE target = 'dim_customers'") == [("job", "ok")]
        assert heard(listener, 1) == []
        real.halt()
        until(db, CUSTOMERS, [("backing off", 1)], seconds=180)
        (error, pause), = db.run("SELECT last_error, extract(epoch FROM next_start - last_finished)::float "
                                 "FROM odoo_sync_status WHERE target = 'dim_customers'")
        assert "could not connect" in error and 50 < pause < 70
        real.launch()
        new = shop_data.create(api, "res.partner", name="Born after the outage")
        # That jobs wait as long is under test with the fake Odoo.
        db.run("UPDATE odoo_etl.state SET next_start = now()")
        until(db, CUSTOMERS, [("idle", 0)], seconds=180)
        assert db.run("SELECT name FROM dim_customers WHERE id = %s", new) == [("Born after the outage",)]
        assert differences(db, truth, "dim_customers") == []
        events = [json.loads(payload) for payload in heard(listener, 2)]
    mine = [event["event"] for event in events if event["entity"] == "customers"]
    assert mine == ["failed", "recovered"]
    log = db.run("SELECT status FROM odoo_sync_log WHERE target = 'dim_customers' AND status <> 'skipped' ORDER BY run")
    # pg_cron notes the end of a job after what the job has noted.
    until(db, "SELECT status FROM cron.job_run_details WHERE end_time IS NOT NULL ORDER BY runid DESC LIMIT 1", [("succeeded",)], seconds=60)
    ends = db.run("SELECT status FROM cron.job_run_details WHERE end_time IS NOT NULL ORDER BY runid")
    assert [status for (status,), _ in groupby(log)] == ["ok", "failed", "ok"]
    assert [status for (status,), _ in groupby(ends)] == ["succeeded", "failed", "succeeded"]
