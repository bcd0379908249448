"""An order of a till of the real Odoo 19 in the warehouse: within six seconds by polling, within one by waking, be it by
the webhook of a server action of Odoo's and the endpoint of docs/follow.md."""

import re
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median

import pytest

from ..lab import places, ports
from ..test_follow import Following, wait_for
from .conftest import differences
from .test_till import Till

ORDERS = 7
SOLD = ("SELECT 1 FROM all_sales AS o JOIN fact_sales_lines AS l ON (l.channel, l.order_id) = (o.channel, o.id) "
        "WHERE o.channel = 'pos' AND o.id = %s")


@pytest.fixture(scope="module")
def till(api):
    till = Till(api, "Till that is followed")
    api("pos.session", "set_opening_control", [till.session], 0, "")
    return till


@pytest.fixture(scope="module")
def product(api):
    return api("product.product", "search", [("available_in_pos", "=", True)], limit=1)[0]


@pytest.fixture(scope="module")
def warehouse(star_database, real, till):
    star_database.server(real.url)
    star_database.run("SELECT * FROM odoo_sync_all()")
    return star_database


@contextmanager
def following(db, every):
    job = Following(db, f"CALL odoo_follow('sales', every => '{every}', until => '10 minutes')")
    # Its first run, a whole one, is over.
    wait_for(db, "SELECT 1 FROM odoo_sync_log WHERE pid = %s HAVING count(finished) = 2", job.pid, seconds=60)
    try:
        yield job
    finally:
        job.connection.cancel()
        job.thread.join()
        job.connection.close()


def seconds_until_it_is_here(db, till, product, tell=lambda order: None):
    """From the moment when Odoo has committed the order, and told of it."""
    order = till.sell(product, (till.card, 12.5))
    tell(order)
    begin = time.monotonic()
    wait_for(db, SOLD, order, seconds=60)
    return time.monotonic() - begin


def say(what, times):
    print(f"\n{what}: median {median(times):.2f} s, most {max(times):.2f} s of {', '.join(f'{t:.2f}' for t in times)}")


def test_by_polling(warehouse, till, product, truth):
    times = []
    with following(warehouse, "5 seconds") as job:
        for number in range(ORDERS):
            # At another moment between two polls.
            time.sleep(number * 5 / ORDERS)
            times.append(seconds_until_it_is_here(warehouse, till, product))
        assert job.thread.is_alive()
    say("an order in the warehouse by polling every 5 s", times)
    assert max(times) < 6
    for table in ("all_sales", "fact_sales_lines"):
        assert differences(warehouse, truth, table) == []


def test_by_waking(warehouse, till, product):
    wake = lambda order: warehouse.run("SELECT odoo_wake('sales')")
    with following(warehouse, "1 minute"):
        times = [seconds_until_it_is_here(warehouse, till, product, wake) for _ in range(ORDERS)]
    say("by odoo_wake", times)
    assert median(times) < 1


@pytest.fixture
def endpoint(warehouse, tmp_path):
    """The one of the page, for its own database."""
    (page,) = re.findall(r"^```python\n(.*?)^```", (places.CHECKOUT / "docs/follow.md").read_text(), re.MULTILINE | re.DOTALL)
    port, = ports.free(1)
    script = page.replace("dbname=warehouse user=webhook", warehouse.cluster.dsn(warehouse.name)).replace("8071", str(port))
    file = tmp_path / "endpoint.py"
    file.write_text(script)
    process = subprocess.Popen([sys.executable, str(file)])
    yield f"http://127.0.0.1:{port}/sales"
    process.terminate()
    process.wait()


def test_by_a_webhook_of_odoo(warehouse, api, till, product, endpoint):
    """What an automation rule runs when an order is paid: its action sends a webhook after its transaction has committed, and
    before it answers."""
    model = api("ir.model", "search", [("model", "=", "pos.order")])[0]
    action = api("ir.actions.server", "create", [{
        "name": "Tell the warehouse", "model_id": model, "state": "webhook", "webhook_url": endpoint}])[0]
    send = lambda order: api("ir.actions.server", "run", [action], context={"active_model": "pos.order", "active_id": order})
    with following(warehouse, "1 minute"):
        times = [seconds_until_it_is_here(warehouse, till, product, send) for _ in range(ORDERS)]
    say("by a webhook of Odoo", times)
    assert median(times) < 1
