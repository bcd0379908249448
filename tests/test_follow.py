"""odoo_follow and odoo_wake: a job that stays and looks for changes, on a fake that changes."""

import itertools
import json
import os
import random
import threading
import time
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone

import psycopg2
import pytest

from . import test_convergence as convergence
from .conftest import BY_PASSWORD, TABLES, Database, heard, running, url
from .fake.behaviour import Wish
from .fake.server import behaviour_of

#: By Odoo's clock, than the fake's records were written.
A_DAY_LATER = 1704153600

STATUS = "SELECT state, pid FROM odoo_sync_status WHERE target = 'all_sales'"

paths = itertools.count(1)


def date(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


class Shop:
    """A fake of one's own, of which everything is loaded."""

    def __init__(self, db, fake, **options):
        prefix = f"version=19/workers=1/follow={db.name}{next(paths)}"
        self.db, self.fake, self.behaviour = db, fake, behaviour_of(f"/{prefix}")
        self.behaviour.clock = A_DAY_LATER
        self.models = self.behaviour.database.models
        self.url = url(fake, prefix)
        #: Held while records change: none is read meanwhile.
        self.still = self.behaviour.workers
        self.prefix = f"/{prefix}"
        db.server(self.url, protocol=BY_PASSWORD, **options)
        db.run("SELECT * FROM odoo_sync_all()")

    @property
    def calls(self):
        return [method for method, prefix in self.fake.calls if prefix == self.prefix]

    def copy(self, model, **values):
        """A new record, like the first one."""
        records = self.models[model].records
        id = max(records) + 1
        records[id] = {**records[min(records)], "id": id, "write_date": date(self.behaviour.clock), **values}
        return id

    def sell(self, **values):
        """A new order of a point of sale with a line."""
        with self.still:
            order = self.copy("pos.order", **{"state": "paid", **values})
            self.copy("pos.order.line", order_id=order)
        return order


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake)


class Following:
    """A job that follows, in a session of its own."""

    def __init__(self, db, call):
        self.connection = db.connect()
        self.pid = self.connection.get_backend_pid()
        self.error, self.seconds = None, None

        def work():
            begin = time.monotonic()
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute(call)
            except psycopg2.Error as error:
                self.error = error
            self.seconds = time.monotonic() - begin

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def ended(self, seconds=20):
        self.thread.join(seconds)
        assert not self.thread.is_alive()
        return self.error

    @property
    def notices(self):
        return "".join(self.connection.notices)


@contextmanager
def following(db, entity="sales", every="1 second", until="30 seconds", settled=True):
    job = Following(db, f"CALL odoo_follow('{entity}', every => '{every}', until => '{until}')")
    try:
        if settled:
            # Its first run, a whole one, is over.
            wait_for(db, "SELECT 1 FROM odoo_sync_log WHERE kind = 'follow' AND pid = %s HAVING count(*) = %s AND bool_and(finished IS NOT NULL)",
                     job.pid, TABLES if entity == "all" else 2)
            wait_for(db, f"{STATUS} AND state = 'following'")
        yield job
    finally:
        if job.thread.is_alive():
            job.connection.cancel()
        job.thread.join()
        job.connection.close()


def wait_for(db, sql, *args, seconds=10):
    """How long it takes until a query has rows."""
    begin = time.monotonic()
    while not db.run(sql, *args):
        assert time.monotonic() - begin < seconds, f"not within {seconds} s: {sql}"
        time.sleep(0.02)
    return time.monotonic() - begin


SOLD = "SELECT 1 FROM all_sales JOIN fact_sales_lines USING (channel) WHERE channel = 'pos' AND all_sales.id = %s AND order_id = %s"


def comes(db, order, seconds):
    return wait_for(db, SOLD, order, order, seconds=seconds)


def test_what_is_sold_comes_with_the_next_poll(db, shop):
    with following(db, until="6 seconds") as job:
        assert db.run(STATUS) == [("following", job.pid)]
        for _ in range(3):
            comes(db, shop.sell(), seconds=3)
        assert job.ended() is None and 6 <= job.seconds < 9
    assert db.run(STATUS) == [("idle", None)]
    assert db.run("SELECT DISTINCT kind FROM odoo_sync_log WHERE run = (SELECT max(run) FROM odoo_sync_log)") == [("follow",)]
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('sales')") == [(0, 0, 0)] * 4


@pytest.fixture
def alone(folder):
    """In a cluster where nobody else writes: autovacuum takes transaction ids too."""
    with running(folder / "alone", autovacuum="off") as cluster:
        database = Database(cluster)
        yield database
        database.connection.close()


def test_a_poll_that_finds_nothing_asks_four_small_questions_and_writes_nothing(alone, fake):
    """One for each model of the entity's two tables."""
    db, shop = alone, Shop(alone, fake)
    xids = "SELECT txid_snapshot_xmax(txid_current_snapshot())"
    with following(db):
        shop.sell()
        time.sleep(2)
        asked, log, xid = len(shop.calls), db.run("SELECT * FROM odoo_etl.runs ORDER BY run, target"), db.value(xids)
        connections = shop.fake.connections
        time.sleep(5)
        calls = shop.calls[asked:]
        assert set(calls) == {"search_read"} and 4 * 4 <= len(calls) <= 6 * 4
        assert db.value(xids) == xid
        assert db.run("SELECT * FROM odoo_etl.runs ORDER BY run, target") == log
        assert shop.fake.connections == connections, "it keeps one"


def test_nobody_waits_while_it_looks(db, shop):
    """A table that gets a column is locked by the run that makes it, before the look at Odoo takes its time."""
    db.run("ALTER TABLE all_sales DROP COLUMN reference CASCADE")
    shop.behaviour.turn("slow=2@search_read", "slow=2@search")
    with closing(db.connect()) as reader, reader.cursor() as cursor, following(db, settled=False) as job:
        reader.autocommit = True
        cursor.execute("SET statement_timeout = '1s'")
        end = time.monotonic() + 5
        while time.monotonic() < end:
            cursor.execute("SELECT count(*) FROM all_sales")
            time.sleep(0.1)
        assert job.thread.is_alive()
        # The column was made meanwhile.
        cursor.execute("SELECT count(reference) FROM all_sales")


def test_what_was_read_is_not_read_again(db, shop):
    """Though it lies within the overlap, and a run would read it."""
    for _ in range(20):
        shop.sell()
    with following(db) as job:
        before = db.value("SELECT sum(fetched) FROM odoo_sync_log WHERE kind = 'follow'")
        for count in (1, 2, 3):
            comes(db, shop.sell(), seconds=5)
            wait_for(db, "SELECT 1 FROM odoo_sync_log WHERE kind = 'follow' HAVING sum(fetched) = %s", before + 2 * count)
        job.connection.cancel()
    # One row for each table, which adds up.
    assert db.run("SELECT target, inserted, status FROM odoo_sync_log WHERE kind = 'follow' ORDER BY target") == [
        ("all_sales", 23, "ok"), ("fact_sales_lines", 23, "ok")]


def test_changes_of_every_kind(db, shop):
    orders, lines = shop.models["pos.order"].records, shop.models["pos.order.line"].records
    with following(db):
        order = shop.sell()
        comes(db, order, seconds=5)
        now = date(shop.behaviour.clock + 1)
        line = max(lines)
        lines[line].update(qty=77, write_date=now)
        wait_for(db, "SELECT 1 FROM fact_sales_lines WHERE channel = 'pos' AND id = %s AND quantity = 77", line)
        # A line that is gone is told by its order.
        with shop.still:
            del lines[line]
            orders[order]["write_date"] = now
        wait_for(db, "SELECT 1 WHERE NOT EXISTS (SELECT FROM fact_sales_lines WHERE channel = 'pos' AND id = %s)", line)
        orders[order].update(state="cancel", write_date=date(shop.behaviour.clock + 2))
        wait_for(db, "SELECT 1 WHERE NOT EXISTS (SELECT FROM all_sales WHERE channel = 'pos' AND id = %s)", order)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('sales')") == [(0, 0, 0)] * 4


def test_a_late_commit_is_seen_by_the_next_look(db, shop):
    """Odoo dates it by its transaction's start, before changes that were seen."""
    with following(db):
        comes(db, shop.sell(), seconds=5)
        comes(db, shop.sell(write_date=date(shop.behaviour.clock - 300)), seconds=5)


def test_two_writes_in_one_second_are_seen_by_the_next_whole_run(db, shop):
    """The first one was read before the second one came."""
    with following(db):
        order = shop.sell()
        comes(db, order, seconds=5)
        shop.models["pos.order"].records[order]["amount_total"] = 4711
        time.sleep(2.5)
        seen = "SELECT 1 FROM all_sales WHERE channel = 'pos' AND id = %s AND amount_total = 4711"
        assert db.run(seen, order) == []
    with following(db):
        assert db.run(seen, order)


def test_the_watermark_stays_until_a_whole_run(db, shop):
    marks = "SELECT target, channel, watermark, resume_after FROM odoo_etl.watermarks ORDER BY 1, 2"
    with following(db):
        before = db.run(marks)
        shop.behaviour.clock += 30
        comes(db, shop.sell(), seconds=5)
        assert db.run(marks) == before
    db.run("CALL odoo_sync_job('sales')")
    assert db.run(marks) != before


def test_a_first_load_is_followed_at_once(db, fake):
    prefix = f"version=19/first={db.name}"
    behaviour_of(f"/{prefix}").clock = A_DAY_LATER
    db.server(url(fake, prefix))
    with following(db):
        assert db.value("SELECT count(*) FROM all_sales") > 0
        looked = len(fake.calls)
        time.sleep(3)
        assert {method for method, path in fake.calls[looked:] if path == f"/{prefix}"} <= {"search_read", "read_at_login"}
    assert db.value("SELECT count(DISTINCT run) FROM odoo_sync_log WHERE kind = 'follow'") == 2, "a whole run gives the next a time"


def test_all_entities_are_followed(db, shop):
    with following(db, "all"):
        log = "SELECT count(*) FROM odoo_sync_log WHERE kind = 'follow'"
        assert db.value(log) == TABLES
        order = shop.sell()
        with shop.still:
            shop.copy("pos.payment", pos_order_id=order, amount=4711)
        comes(db, order, seconds=8)
        wait_for(db, "SELECT 1 FROM fact_payments WHERE order_id = %s AND amount = 4711", order)
        assert db.value("SELECT odoo_wake('payments')") is True
        assert db.value(log) == TABLES


def test_whatever_is_done_to_orders_comes_by_looks_alone(db, fake):
    """As a full load of the same Odoo has it, before another whole run."""
    seed = os.environ.get("SEED") or random.randrange(10_000)
    print(f"SEED={seed}")
    choice = random.Random(seed)
    shop = Shop(db, fake, page_size=20)
    people = convergence.Shop(shop.models, choice)
    shop.behaviour.interrupt = lambda: setattr(shop.behaviour, "clock", people.seconds)
    db.run("SELECT * FROM odoo_sync_all()")
    changes = [convergence.Shop.sell, convergence.Shop.add_line, convergence.Shop.remove_line, convergence.Shop.cancel_order,
               convergence.Shop.price_again]

    def late(people):
        """A transaction that began a while ago commits now. Two writes in one second are for whole runs to see."""
        order, seconds = people.pick("pos.order"), choice.randrange(1, 500)
        seconds += people.records("pos.order")[order].get("write_date") == people.date(seconds)
        people.write("pos.order", order, seconds, amount_total=choice.randrange(99))

    with following(db) as job:
        runs, deadline = whole_runs(db), time.monotonic() + 15
        while time.monotonic() < deadline:
            with shop.still:
                people.now += timedelta(seconds=choice.randrange(1, 3))
                choice.choice([*changes, late])(people)
            time.sleep(choice.uniform(0, 0.3))
        time.sleep(4)
        assert whole_runs(db) == runs and job.thread.is_alive()
    db.server(shop.url, name="sound", schema="truth", protocol=BY_PASSWORD)
    assert [row for row in convergence.unlike_a_full_load(db, "sound") if row[0] in ("all_sales", "fact_sales_lines")] == []


# Waking.

def test_a_wake_ends_the_sleep(db, shop):
    assert db.value("SELECT odoo_wake('sales')") is False
    with following(db, every="20 seconds"):
        assert db.value("SELECT odoo_wake('products')") is False
        times = []
        for _ in range(5):
            order = shop.sell()
            assert db.value("SELECT odoo_wake('sales')") is True
            times.append(comes(db, order, seconds=5))
        assert sorted(times)[2] < 1, times
        assert db.value("SELECT count(*) FROM odoo_etl.wakes") == 0
    assert db.value("SELECT odoo_wake('sales', 'erp')") is False


def test_a_wake_that_comes_before_its_change_is_looked_after_again(db, shop):
    """As where Odoo sends a webhook before it commits."""
    with following(db, every="20 seconds"):
        db.run("SELECT odoo_wake('sales')")
        time.sleep(0.7)
        comes(db, shop.sell(), seconds=3)


def test_a_wake_counts_when_its_transaction_commits_and_keeps_nobody_waiting(db, shop):
    with following(db, every="20 seconds"), closing(db.connect()) as webhook, webhook.cursor() as cursor:
        webhook.autocommit = False
        order = shop.sell()
        cursor.execute("SELECT odoo_wake('sales')")
        time.sleep(1)
        assert db.run(SOLD, order, order) == []
        db.run("SET statement_timeout = '2s'")
        assert db.value("SELECT odoo_wake('sales')") is True
        comes(db, order, seconds=2)
        other = shop.sell()
        webhook.commit()
        comes(db, other, seconds=2)


def test_a_wake_in_the_middle_of_a_poll_is_followed_by_another_one(db, shop):
    with following(db, every="20 seconds"):
        shop.behaviour.wishes.append(Wish("slow=1@search_read"))
        db.run("SELECT odoo_wake('sales')")
        time.sleep(0.5)
        order = shop.sell()
        db.run("SELECT odoo_wake('sales')")
        shop.behaviour.wishes.pop()
        comes(db, order, seconds=8)


def test_who_may_use_the_server_may_wake_and_nothing_more(db, shop):
    db.run("CREATE ROLE webhook")
    try:
        db.run("SET ROLE webhook")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="foreign server erp"):
            db.run("SELECT odoo_wake('sales', 'erp')")
        db.run("RESET ROLE; GRANT USAGE ON FOREIGN SERVER erp TO webhook")
        with following(db, every="20 seconds"):
            order = shop.sell()
            db.run("SET ROLE webhook")
            assert db.value("SELECT odoo_wake('sales')") is True
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                db.run("TABLE odoo_etl.wakes")
            db.run("RESET ROLE")
            comes(db, order, seconds=3)
    finally:
        db.run("RESET ROLE; DROP OWNED BY webhook; DROP ROLE webhook")


def test_a_wake_of_what_there_is_not(db, shop):
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "sale"'):
        db.run("SELECT odoo_wake('sale')")
    with pytest.raises(psycopg2.errors.NullValueNotAllowed):
        db.run("SELECT odoo_wake(NULL)")
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        db.run("BEGIN READ ONLY; SELECT odoo_wake('sales')")
    db.run("ROLLBACK")


# What else goes on in the cluster.

def test_between_the_polls_no_transaction_stays_open(db, shop):
    seen = []
    with following(db, every="5 seconds") as job:
        # The end of the first run deletes what is old.
        time.sleep(1)
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            seen += db.run("SELECT state, wait_event, backend_xid, extract(epoch FROM clock_timestamp() - xact_start)::float, "
                           "extract(epoch FROM clock_timestamp() - query_start)::float, query FROM pg_stat_activity WHERE pid = %s", job.pid)
            time.sleep(0.03)
    assert {state for state, *_ in seen} == {"active"} and "PgSleep" in {event for _, event, *_ in seen}
    assert max(age or 0 for *_, age, _, _ in seen) < 1
    assert {xid for _, _, xid, *_ in seen} == {None}
    assert max(age for *_, age, _ in seen) > 3 and all(query.startswith("CALL odoo_follow") for *_, query in seen)


def test_in_a_transaction_block_it_refuses(db, shop):
    before = len(shop.calls)
    with pytest.raises(psycopg2.errors.InvalidTransactionTermination):
        db.run("BEGIN; CALL odoo_follow('sales')")
    assert len(shop.calls) == before


@pytest.mark.parametrize("how", ["pg_terminate_backend", "pg_cancel_backend"])
def test_one_that_is_ended_leaves_nothing_behind(db, shop, how):
    with following(db) as job:
        db.run(f"SELECT {how}(%s)", job.pid)
        assert job.ended(3) is not None
    wait_for(db, f"{STATUS} AND state = 'idle' AND pid IS NULL")
    assert db.value("SELECT odoo_wake('sales')") is False
    order = shop.sell()
    db.run("CALL odoo_follow('sales', every => '1 second', until => '1 second')")
    assert db.run(SOLD, order, order)


def test_the_second_of_two_waits_for_its_turn(db, shop):
    with following(db, every="2 seconds", until="4 seconds") as first:
        with following(db, until="20 seconds", settled=False) as second:
            assert first.ended() is None
            wait_for(db, "SELECT 1 FROM odoo_sync_status WHERE pid = %s", second.pid, seconds=3)
            comes(db, shop.sell(), seconds=4)
            db.run("SELECT pg_cancel_backend(%s)", second.pid)
            second.ended()
            assert "is being followed already" in second.notices


def test_one_that_never_has_its_turn_ends(db, shop):
    with following(db):
        db.run("CALL odoo_follow('sales', every => '1 second', until => '2 seconds')")
    assert "is being followed already" in db.notices


def test_others_may_run_between_its_polls_and_it_leaves_them_alone(db, shop):
    with following(db) as job, closing(db.connect()) as other, other.cursor() as cursor:
        for statement in ("SELECT * FROM odoo_sync('sales')", "SELECT * FROM odoo_reconcile('sales')", "CALL odoo_sync_job('sales')"):
            db.run(statement)
        other.autocommit = False
        cursor.execute("SELECT * FROM odoo_sync('sales')")
        order = shop.sell()
        deadline = time.monotonic() + 13
        while time.monotonic() < deadline:
            assert db.run("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", job.pid) == []
            time.sleep(0.1)
        assert db.run("SELECT 1 FROM odoo_sync_log WHERE status = 'skipped'") == []
        other.rollback()
        comes(db, order, seconds=4)


# What changes under it.

def whole_runs(db):
    return db.value("SELECT count(DISTINCT run) FROM odoo_sync_log WHERE kind = 'follow'")


def test_an_option_that_changes_is_seen_by_the_next_poll(db, shop):
    with following(db):
        before = whole_runs(db)
        db.run("ALTER SERVER erp OPTIONS (ADD timezone 'Asia/Tokyo')")
        wait_for(db, "SELECT 1 FROM odoo_sync_log WHERE kind = 'follow' HAVING count(DISTINCT run) = %s", before + 1, seconds=4)


def test_a_column_that_is_added_is_filled_by_the_next_poll(db, shop):
    with following(db):
        db.run("SELECT odoo_add_column('all_sales', 'partner_id.street', 'street')")
        wait_for(db, "SELECT 1 FROM odoo_columns WHERE target = 'all_sales' AND column_name = 'street'", seconds=4)
        # The table was read whole for it, and then once more from a time on.
        time.sleep(4)
        before = whole_runs(db)
        order = shop.sell()
        comes(db, order, seconds=5)
        assert db.value("SELECT street FROM all_sales WHERE channel = 'pos' AND id = %s", order)
        assert whole_runs(db) == before


@pytest.mark.parametrize("change, error", [
    ("DROP SERVER erp CASCADE", 'server "erp" does not exist'),
    ("DROP USER MAPPING FOR CURRENT_USER SERVER erp", "no user mapping"),
])
def test_a_server_that_is_gone_ends_it(db, shop, change, error):
    with following(db, until="8 seconds") as job:
        db.run(change)
        assert error in str(job.ended())


def test_a_mirror_that_is_gone_ends_it(db, shop):
    db.run("SELECT odoo_mirror('res.partner', 'partners')")
    db.run("CALL odoo_sync_job('partners')")
    with following(db, "partners", settled=False) as job:
        wait_for(db, "SELECT 1 FROM odoo_sync_log WHERE pid = %s AND finished IS NOT NULL", job.pid)
        db.run("SELECT odoo_mirror_drop('partners')")
        assert 'unknown entity "partners"' in str(job.ended(5))


def password(db, text):
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password '{text}')")


def test_a_password_that_changes_everywhere_is_no_trouble(db, shop):
    with following(db) as job:
        shop.behaviour.users = {2: "new"}
        password(db, "new")
        comes(db, shop.sell(), seconds=5)
        assert job.thread.is_alive()


def test_a_refused_login_ends_it_and_holds_the_next_one_back(db, shop):
    with following(db) as job:
        password(db, "wrong")
        refused = str(job.ended(5))
        assert "refused the login" in refused
    assert db.run("SELECT state FROM odoo_sync_status WHERE target = 'all_sales'") == [("backing off",)]
    before = len(shop.calls)
    db.run("CALL odoo_follow('sales', every => '1 second', until => '2 seconds')")
    assert len(shop.calls) == before
    db.run("UPDATE odoo_etl.stops SET until = now()")
    with pytest.raises(psycopg2.Error, match="refused the login"):
        db.run("CALL odoo_follow('sales', every => '1 second', until => '4 seconds')")
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="are stopped since"):
        db.run("CALL odoo_follow('sales', every => '1 second', until => '4 seconds')")
    password(db, "admin")
    db.run("SELECT odoo_resume()")
    db.run("CALL odoo_follow('sales', every => '1 second', until => '1 second')")


def test_odoo_goes_away_and_comes_back(db, shop):
    with following(db) as job, closing(db.connect()) as listener:
        listener.cursor().execute("LISTEN odoo_etl")
        shop.behaviour.wishes.append(Wish("status=503"))
        wait_for(db, f"{STATUS} AND state = 'backing off'", seconds=5)
        assert "503" in db.value("SELECT last_error FROM odoo_sync_status WHERE target = 'all_sales'")
        order = shop.sell()
        shop.behaviour.wishes.pop()
        comes(db, order, seconds=8)
        wait_for(db, f"{STATUS} AND state = 'following'")
        events = [json.loads(payload)["event"] for payload in heard(listener, 2)]
        assert job.thread.is_alive()
    assert set(events[:-1]) == {"failed"} and events[-1] == "recovered"


def test_its_end_is_the_error_of_its_last_poll(db, shop):
    with following(db, until="5 seconds") as job:
        shop.behaviour.wishes.append(Wish("status=503"))
        assert "503" in str(job.ended())


def test_a_table_that_cannot_be_written_is_tried_again(db, shop):
    with following(db) as job:
        db.run("ALTER TABLE all_sales ADD CONSTRAINT none CHECK (amount_total < 0) NOT VALID")
        order = shop.sell()
        wait_for(db, f"{STATUS} AND state = 'backing off'", seconds=5)
        db.run("ALTER TABLE all_sales DROP CONSTRAINT none")
        comes(db, order, seconds=8)
        assert job.thread.is_alive()


# What is told.

def test_the_lag_is_that_of_the_last_look(db, shop):
    """It is noted every ten seconds."""
    lag = "SELECT max(extract(epoch FROM clock_timestamp() - last_success))::float FROM odoo_sync_status WHERE entity = 'sales'"
    with following(db):
        runs = whole_runs(db)
        seen = []
        deadline = time.monotonic() + 14
        while time.monotonic() < deadline:
            seen.append(db.value(lag))
            time.sleep(0.2)
        assert whole_runs(db) == runs
        assert max(seen) < 12.5 and min(seen[-5:]) < 5


@pytest.mark.parametrize("every, until, error", [
    ("0", "10 seconds", "every must be at least one second"),
    ("-1 second", "10 seconds", "every must be at least one second"),
    ("1 month", "2 months", "every must be a number of days, hours, minutes and seconds"),
    ("1 second", "1 year", "until must be a number of days"),
    ("10 seconds", "5 seconds", "every must not be longer than until"),
])
def test_intervals_that_make_no_sense(db, shop, every, until, error):
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match=error):
        db.run(f"CALL odoo_follow('sales', every => '{every}', until => '{until}')")


def test_arguments_that_are_not_there(db, shop):
    for call in ("NULL", "'sales', every => NULL", "'sales', until => NULL"):
        with pytest.raises(psycopg2.errors.NullValueNotAllowed, match="must not be NULL"):
            db.run(f"CALL odoo_follow({call})")
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match='unknown entity "sale"'):
        db.run("CALL odoo_follow('sale')")


def test_its_parts_are_of_use_to_nobody_else(db, shop):
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="there is no job that follows"):
        db.run("SELECT odoo_etl.follow_step()")
    db.run("CREATE ROLE thief")
    db.run("SELECT odoo_etl.follow_begin('sales', '1 second', '1 minute', NULL)")
    try:
        db.run("SET ROLE thief")
        with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="of the current role"):
            db.run("SELECT odoo_etl.follow_step()")
    finally:
        db.run("RESET ROLE; DROP ROLE thief")
