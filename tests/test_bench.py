"""The benchmarks with few rows: that they run, and that the rows are right. No times."""

import json
import xmlrpc.client

import pytest

from .bench import idle, instant as instant_odoo, load, memory, nochange, scale, shop
from .bench.instant import instant, path
from .bench.measure import Result, Times, ratio, table
from .bench.proxy import proxy
from .bench.warehouse import LINES, Mismatch, database

MANY, FEW = 20_000, 2_000


@pytest.fixture(scope="module")
def odoo():
    with instant(FEW, MANY) as url:
        yield url


def test_a_load_has_the_rows_that_copy_has(cluster, odoo):
    with database(cluster, f"{odoo}/{path(MANY)}") as db:
        loads = load.Loads(db, MANY)
        load.compare(loads, pairs=1)
        # One value of one row is enough to tell.
        db.run(f"UPDATE {LINES} SET cost = cost + 0.01 WHERE id = 7")
        loads.by_sync = lambda _: load.checksum(db, LINES)
        with pytest.raises(Mismatch, match="differ"):
            load.compare(loads, pairs=1)


@pytest.mark.parametrize("protocol", ["xmlrpc", "jsonrpc"])
def test_every_protocol_brings_the_same(cluster, odoo, protocol):
    with database(cluster, f"{odoo}/{path(FEW)}", protocol=protocol) as db:
        load.compare(load.Loads(db, FEW), pairs=1)


@pytest.mark.parametrize("again", [nochange.SYNC, "SELECT * FROM odoo_sync_all(full_refresh => true)"])
def test_a_run_without_a_change_writes_nothing(cluster, odoo, again):
    with proxy(odoo) as server, database(cluster, f"{server.url}/{path(FEW)}") as db:
        run = nochange.unchanged_run(db, server, again)
        assert run.tuples == 0 and run.moved == []
        # What the log says of the tables, and what is asked before the first of them.
        assert sum(run.by_table.values()) < len(run.requests) < sum(run.by_table.values()) + 8
        assert len(run.by_table) == nochange.TABLES


def test_what_a_run_writes_is_seen(cluster, odoo):
    with proxy(odoo) as server, database(cluster, f"{server.url}/{path(FEW)}") as db:
        db.run(nochange.SYNC)
        db.run("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
               "$$BEGIN UPDATE public.fact_sales_lines SET cost = cost WHERE id = 7; RETURN NULL; END$$")
        db.run("CREATE TRIGGER touch AFTER INSERT ON odoo_etl.runs EXECUTE FUNCTION touch()")
        run = nochange.unchanged_run(db, server)
        assert run.tuples >= 1 and run.moved == [LINES]


def test_the_instant_odoo_says_what_the_shop_does():
    """Of records of all times, and of some that were written again."""
    odoo = instant_odoo.Shop(100_000_000)
    odoo.write_again(10)
    time = min(odoo.again.values())
    for name, (make, _, of_order) in shop.LARGE.items():
        model = odoo.large[name]
        ids = [13, 20, 50, 45_000, 45_001, 7_777_777, *of_order(10_000_000)]
        again = model.search([["write_date", ">=", time]])
        assert len(again) == 10 * len(of_order(1))
        fields = [*make(1)]
        for protocol, read in (("json2", json.loads), ("xmlrpc", lambda text: xmlrpc.client.loads(text)[0][0])):
            records = read(model.read(ids + again, fields, "").written(protocol))
            assert records[: len(ids)] == [make(id) for id in ids]
            assert all(record["write_date"] == time for record in records[len(ids) :])
            assert [record["id"] for record in records[len(ids) :]] == again


def test_a_large_shop_is_measured():
    results = scale.run(MANY)
    assert len(results) == 6 and all(result.value > 0 for result in results)


@pytest.mark.parametrize("wrong", [f"UPDATE {LINES} SET cost = cost + 0.01 WHERE id = 7", f"DELETE FROM {LINES} WHERE id = 7",
                                   f"UPDATE {LINES} SET business_date = business_date + 60 WHERE id = 7",
                                   "UPDATE fact_payments SET amount = 0 WHERE id = 7"])
def test_a_large_shop_has_the_rows_of_the_shop(cluster, odoo, wrong):
    with database(cluster, f"{odoo}/{path(FEW)}") as db:
        db.run("CALL odoo_sync_job('sales')")
        db.run("CALL odoo_sync_job('payments')")
        scale.check(db, FEW)
        db.run(wrong)
        with pytest.raises(Mismatch):
            scale.check(db, FEW)


def test_memory_is_measured(cluster, odoo):
    for lines in (FEW, MANY):
        for name, peak in memory.peaks(cluster, odoo, lines).items():
            assert 10 < peak < 1000, name


def test_a_backend_that_calls_nothing_of_it_does_not_load_it():
    present, load, loaded, called = idle.measure({})
    assert not present
    assert len(load.seconds) == idle.TIMES
    assert loaded > 0 and called > 0


def test_the_table_tells_what_misses_its_bar():
    slow, fast = Times("slow"), Times("fast")
    slow.seconds, fast.seconds = [3.0, 2.2, 5.0], [1.0, 1.1, 2.0]
    missed, met = ratio("a", "missed", slow, fast, 2.0), ratio("b", "met", slow, fast, 2.2)
    wrong = Result("c", "wrong", 0.5, 1.0, trouble="3 tuples written")
    assert [result.passed for result in (missed, met, wrong, Result("d", "noted", 7.0))] == [False, True, False, None]
    text = table([missed, met, wrong])
    assert "2.2" in text and text.count("FAIL") == 2 and "make bench B=a" in text
