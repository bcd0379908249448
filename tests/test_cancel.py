"""A stalled exchange ends within a second of a cancel, and no thread outlives it for long."""

import os
import threading
import time

import psycopg2
import pytest

from .conftest import url

PHASES = ["connecting", "first byte", "drip", "stalled body"]


@pytest.fixture(params=PHASES)
def stalled(request, db, fake, unconnectable):
    """A database whose server stalls in one phase of the exchange."""
    address = {
        "connecting": url(unconnectable),
        "first byte": url(fake, "stall@read"),
        "drip": url(fake, "rows=2000/drip@read"),
        "stalled body": url(fake, "rows=2000/stall-body@read"),
    }[request.param]
    db.server(address, timeout=60)
    return db


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


STATEMENTS = ["SELECT * FROM odoo_sync('products')", "SELECT count(*) FROM odoo_read('product.product')"]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_timeout(stalled, statement):
    pid = stalled.connection.get_backend_pid()
    stalled.run("SET statement_timeout = '1500ms'")
    begin = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        stalled.run(statement)
    assert time.monotonic() - begin < 1.5 + 1
    assert wait_until(lambda: threads(pid) == 1, 1), "a helper thread is still alive"
    assert stalled.value("SELECT 1") == 1


def test_cancel_request(stalled):
    pid = stalled.connection.get_backend_pid()
    sent = []

    def cancel():
        time.sleep(1)
        sent.append(time.monotonic())
        stalled.connection.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        stalled.run("SELECT * FROM odoo_sync('products')")
    assert time.monotonic() - sent[0] < 1
    assert wait_until(lambda: threads(pid) == 1, 1), "a helper thread is still alive"


def test_terminate(stalled):
    pid = stalled.connection.get_backend_pid()
    other = stalled.connect()

    def terminate():
        time.sleep(1)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))

    threading.Thread(target=terminate).start()
    begin = time.monotonic()
    with pytest.raises(psycopg2.OperationalError):
        stalled.run("SELECT * FROM odoo_sync('products')")
    assert time.monotonic() - begin < 2
    assert wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 1)
    # The cluster did not restart: a backend that dies badly takes the others with it.
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_threads_end_with_their_statement(db, fake):
    db.server(url(fake))
    pid = db.connection.get_backend_pid()
    db.run("SELECT * FROM odoo_sync_all()")
    assert threads(pid) == 1


def test_threads_block_every_signal(db, fake):
    """A signal that a helper thread took would run PostgreSQL's handler beside the backend."""
    db.server(url(fake, "stall@read"))
    pid = db.connection.get_backend_pid()
    masks = []

    def look():
        time.sleep(1)
        for task in os.listdir(f"/proc/{pid}/task"):
            if int(task) != pid:
                status = open(f"/proc/{pid}/task/{task}/status").read()
                masks.append(int(status.split("SigBlk:")[1].split()[0], 16))
        db.connection.cancel()

    threading.Thread(target=look).start()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run("SELECT * FROM odoo_sync('products')")
    assert masks
    # Signals 1 to 31 but KILL (9) and STOP (19), which nobody can block.
    wanted = sum(1 << (signal - 1) for signal in range(1, 32) if signal not in (9, 19))
    for mask in masks:
        assert mask & wanted == wanted
