"""Writers at work on a real Odoo while jobs run and are killed: when the writers stop, one job
and one reconcile later every table equals Odoo's database.

`make test-convergence SECONDS=60 SEED=7` runs it for longer; the seed makes the same choices
again, though not at the same moments.
"""

import os
import random
import signal
import threading
import time
import xmlrpc.client
from contextlib import closing
from xml.parsers.expat import ExpatError

import psycopg2
import pytest

from ..conftest import BY_PASSWORD, Database, require_failpoints
from ..lab import odoo, ports
from ..lab.postgres import Cluster
from ..test_convergence import unlike_a_full_load
from . import shop as shop_data
from .conftest import Api, Truth, differences
from .test_rights import FEW
from .test_star import TABLES

SECONDS = float(os.environ.get("SECONDS") or 20)
SEED = int(os.environ.get("SEED") or random.randrange(10_000))
ENTITIES = ("customers", "products", "sales", "purchases", "employees")

JOB = "CALL odoo_sync_job(server => 'erp')"

#: Transactions in Odoo's database commit this late; the overlap is a little longer.
LATE, OVERLAP = 8, 20


class Scene:
    """An Odoo of its own, which is killed, and a cluster of its own, which is killed too."""

    def __init__(self, folder):
        self.odoo = odoo.Server(folder / "convergence-odoo")
        self.cluster = Cluster(folder / "convergence-pg", ports.free(1)[0])

    def __enter__(self):
        self.odoo.start()
        self.cluster.init()
        self.cluster.start()
        self.api = Api(self.odoo)
        self.made = shop_data.furnish(self.api)
        self.db = Database(self.cluster)
        self.db.server(self.odoo.url, page_size=50, overlap=OVERLAP, retries=2, retry_delay=200)
        self.db.run("SELECT odoo_enable('invoices')")
        self.db.run("CALL odoo_sync_job()")
        self.clerk = self.clerks()
        return self

    def clerks(self):
        """The warehouse of a user of few rights, with a server for full loads by the same login."""
        shop_data.user(self.api, "clerk", FEW)
        clerk = Database(self.cluster)
        clerk.server(self.odoo.url, page_size=50, overlap=OVERLAP, retries=2, retry_delay=200, protocol=BY_PASSWORD)
        clerk.server(self.odoo.url, name="sound", schema="truth", protocol=BY_PASSWORD)
        for server in ("erp", "sound"):
            clerk.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER {server} OPTIONS (SET login 'clerk', SET password 'clerk')")
        clerk.run(JOB)
        return clerk

    def __exit__(self, *_):
        self.odoo.stop()
        self.cluster.stop("immediate")

    def truth(self):
        return Truth.of(self.odoo)

    def differences(self):
        with closing(self.truth()) as truth:
            return [line for table in TABLES for line in differences(self.db, truth, table)]

    def reconcile(self):
        reconcile(self.db)


def reconcile(db):
    for entity in ENTITIES:
        db.run("SELECT * FROM odoo_reconcile(%s, 'erp')", entity)


@pytest.fixture(scope="module")
def scene(folder):
    with Scene(folder) as scene:
        yield scene


class Writers:
    """Threads that change things, each with choices of its own."""

    def __init__(self, scene):
        self.scene = scene
        self.stopping = threading.Event()
        self.operations, self.worked = 0, set()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(2)]
        self.threads += [threading.Thread(target=self.work_late, args=(n,)) for n in range(2)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def work(self, number):
        """Through the API, as users do."""
        choice = random.Random(SEED * 100 + number)
        api = Api(self.scene.odoo)
        mine = {model: [] for model in MODELS}
        # Each once, then any.
        first = choice.sample(OPERATIONS, len(OPERATIONS))
        while not self.stopping.is_set():
            try:
                operation = first.pop() if first else choice.choice(OPERATIONS)
                operation(api, choice, mine, self.scene.made)
                self.operations += 1
                self.worked.add(operation.__name__)
            except (OSError, xmlrpc.client.Error, ExpatError):
                # Odoo is down for a moment, or refused.
                if operation.__name__ not in self.worked:
                    first.insert(0, operation)
                time.sleep(0.3)

    def work_late(self, number):
        """In Odoo's database: transactions whose write_date is old when they commit."""
        choice = random.Random(SEED * 100 + 50 + number)
        with closing(psycopg2.connect(self.scene.odoo.cluster.dsn(self.scene.odoo.database))) as connection:
            while not self.stopping.is_set():
                table, change = choice.choice(LATE_CHANGES)
                with connection, connection.cursor() as cursor:
                    cursor.execute(
                        f"UPDATE {table} SET {change}, write_date = now() AT TIME ZONE 'UTC' WHERE id = "
                        f"(SELECT id FROM {table} ORDER BY md5(id::text || %s) LIMIT 1 FOR UPDATE SKIP LOCKED)",
                        (str(choice.random()),),
                    )
                    time.sleep(choice.uniform(0, LATE))
                self.operations += 1


MODELS = ("res.partner", "product.product", "purchase.order", "pos.order", "hr.employee", "stock.quant")


def partner(api, choice, mine, made):
    mine["res.partner"].append(shop_data.create(api, "res.partner", name=f"P {choice.random()}"))


def rename(api, choice, mine, made):
    if mine["res.partner"]:
        api("res.partner", "write", [choice.choice(mine["res.partner"])], {"name": f"R {choice.random()}"})


def archive(api, choice, mine, made):
    for model in ("res.partner", "product.product", "hr.employee"):
        if mine[model]:
            api(model, "write", [choice.choice(mine[model])], {"active": choice.random() < 0.5})


def delete(api, choice, mine, made):
    model = choice.choice(MODELS)
    if mine[model]:
        id = mine[model].pop(choice.randrange(len(mine[model])))
        if model == "purchase.order":
            api(model, "button_cancel", [id])
        if model == "pos.order":
            api(model, "write", [id], {"state": "cancel"})
        api(model, "unlink", [id])


def product(api, choice, mine, made):
    price = round(choice.uniform(1, 99), 2)
    mine["product.product"].append(
        shop_data.create(api, "product.product", name=f"T {choice.random()}", list_price=price, is_storable=True)
    )


def price(api, choice, mine, made):
    template = api("product.product", "read", [made["tea"]], ["product_tmpl_id"])[0]["product_tmpl_id"][0]
    api("product.template", "write", [template], {"list_price": round(choice.uniform(1, 99), 2)})


def hire(api, choice, mine, made):
    mine["hr.employee"].append(shop_data.create(api, "hr.employee", name=f"E {choice.random()}"))


def contract(api, choice, mine, made):
    version = api("hr.version", "search", [("employee_id", "=", made["employee"])])[0]
    api("hr.version", "write", [version], {"contract_date_start": f"20{choice.randrange(10, 24)}-01-01"})


def count_stock(api, choice, mine, made):
    location = api("stock.location", "search", [("usage", "=", "internal")], limit=1)[0]
    product = choice.choice(mine["product.product"] or [made["tea"]])
    quant = api(
        "stock.quant", "create",
        [{"product_id": product, "location_id": location, "inventory_quantity": choice.randrange(1, 90)}],
        context={"inventory_mode": True},
    )
    api("stock.quant", "action_apply_inventory", quant)
    mine["stock.quant"] += quant


def purchase(api, choice, mine, made):
    lines = [(0, 0, {"product_id": made["tea"], "product_qty": n + 1}) for n in range(choice.randrange(1, 4))]
    mine["purchase.order"].append(
        shop_data.create(api, "purchase.order", partner_id=made["customer"], order_line=lines)
    )


def purchase_line(api, choice, mine, made):
    if mine["purchase.order"]:
        order = choice.choice(mine["purchase.order"])
        lines = api("purchase.order.line", "search", [("order_id", "=", order)])
        if choice.random() < 0.5:
            api("purchase.order.line", "unlink", lines[:1])
        else:
            api("purchase.order.line", "write", lines[:1], {"product_qty": choice.randrange(1, 50)})


def ticket(made, amount):
    return {"name": "L", "product_id": made["tea"], "qty": 1, "price_unit": amount,
            "price_subtotal": amount, "price_subtotal_incl": amount}


def till(api, choice, mine, made):
    """One more line in an order that is paid; Odoo lets nobody take one away."""
    order = choice.choice(made["orders"] + mine["pos.order"])
    amount = round(choice.uniform(1, 50), 2)
    api("pos.order", "write", [order], {"lines": [(0, 0, ticket(made, amount))], "amount_paid": amount})


def sell(api, choice, mine, made):
    session = api("pos.order", "read", made["orders"][:1], ["session_id"])[0]["session_id"][0]
    amount = round(choice.uniform(1, 50), 2)
    order = shop_data.create(
        api, "pos.order", session_id=session, company_id=1, amount_total=amount, amount_tax=0,
        amount_paid=amount, amount_return=0, lines=[(0, 0, ticket(made, amount))] * choice.randrange(1, 4),
    )
    mine["pos.order"].append(order)
    api("pos.order", "write", [order], {"state": "paid"})


OPERATIONS = [partner, rename, archive, delete, product, price, hire, contract, count_stock, purchase,
              purchase_line, till, sell]
LATE_CHANGES = [
    ("res_partner", "street = md5(random()::text)"),
    ("product_category", "removal_strategy_id = NULL"),
    ("pos_order", "general_customer_note = md5(random()::text)"),
    ("sale_order", "client_order_ref = md5(random()::text)"),
    ("stock_quant", "quantity = coalesce(quantity, 0) + 1"),
]


def run_jobs(db, stopping, ended):
    """One job after the other; `ended` gets those that came to their end."""
    while not stopping.is_set():
        try:
            with closing(db.connect()) as connection, connection.cursor() as cursor:
                cursor.execute(JOB)
                ended.append(time.monotonic())
        except psycopg2.Error:
            time.sleep(0.2)


def kill_something(scene, choice):
    """Returns what was killed."""
    how = choice.choice(["backend", "backend", "terminate", "cancel", "cluster", "odoo"])
    if how == "cluster":
        scene.cluster.stop("immediate")
        scene.cluster.start()
        return how
    if how == "odoo":
        scene.odoo.halt()
        time.sleep(choice.uniform(0, 2))
        scene.odoo.launch()
        return how
    try:
        with closing(psycopg2.connect(scene.cluster.dsn())) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL odoo_sync_job%%'")
            pids = [pid for (pid,) in cursor.fetchall()]
            for pid in choice.sample(pids, min(len(pids), 1)):
                if how == "backend":
                    os.kill(pid, signal.SIGKILL)
                else:
                    cursor.execute(f"SELECT pg_{how}_backend(%s)", (pid,))
            return how if pids else None
    except (psycopg2.Error, ProcessLookupError):
        # The cluster is recovering already, or the job has just ended.
        return None


def test_convergence(scene):
    print(f"SEED={SEED} SECONDS={SECONDS:g}")
    choice = random.Random(SEED)
    writers, stopping, kills, ended = Writers(scene), threading.Event(), [], []
    jobs = [threading.Thread(target=run_jobs, args=(db, stopping, ended)) for db in (scene.db, scene.clerk)]
    for thread in (writers, *jobs):
        thread.start()
    end = time.monotonic() + SECONDS
    # Longer on a slow machine, until each has happened.
    while time.monotonic() < end or len(writers.worked) < len(OPERATIONS) and time.monotonic() < end + 3 * SECONDS:
        # Now and then a job shall come to its end.
        time.sleep(choice.choice([0.5, 1, 2, 6]))
        killed = kill_something(scene, choice)
        kills += [killed] if killed else []
    writers.stop()
    stopping.set()
    for thread in jobs:
        thread.join()
    for db in (scene.db, scene.clerk):
        db.reconnect()
        db.run(JOB)
    before, clerks_before = scene.differences(), unlike_a_full_load(scene.clerk, "sound")
    scene.reconcile()
    reconcile(scene.clerk)
    after = scene.differences() + unlike_a_full_load(scene.clerk, "sound")
    print(f"{writers.operations} operations, {len(ended)} jobs ended, {len(kills)} kills survived ({', '.join(kills)}), "
          f"{len(before)} deleted records after the job, {len(after)} differences after the reconcile")
    assert after == []
    if SECONDS >= 20:
        assert writers.worked == {operation.__name__ for operation in OPERATIONS}
    # What only a reconcile can find is what was deleted.
    assert [line for line in before if "too many" not in line] == []
    assert [row for table, sign, row in clerks_before if sign != "+"] == []


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END';
CREATE TRIGGER slow AFTER INSERT OR UPDATE ON dim_customers FOR EACH STATEMENT EXECUTE FUNCTION slow();
"""


def test_what_changes_while_nobody_runs_a_job_is_not_lost(scene):
    """Hours pass between the parts of a scan: what its job left is dated back, and so is the change."""
    scene.db.run("CALL odoo_sync_job()")
    scene.reconcile()
    changed = min(scene.api("res.partner", "search", []))
    scene.api("res.partner", "create", [{"name": f"P {n}"} for n in range(200)])
    scene.db.run(SLOW)
    resumed = "SELECT resume_after FROM odoo_etl.watermarks WHERE target = 'dim_customers'"
    with closing(scene.db.connect()) as runner:
        job = threading.Thread(target=run_until_cancelled, args=(runner, "CALL odoo_sync_job('customers', full_refresh => true)"))
        job.start()
        deadline = time.monotonic() + 30
        while not scene.db.value(resumed) and time.monotonic() < deadline:
            time.sleep(0.05)
        runner.cancel()
        job.join()
    assert scene.db.value(resumed) > changed
    scene.db.run("DROP TRIGGER slow ON dim_customers; DROP FUNCTION slow()")
    scene.db.run("UPDATE odoo_etl.watermarks SET watermark = watermark - interval '5 hours', resume_began = resume_began - interval '3 hours'")
    with closing(scene.truth()) as truth, truth.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET street = 'in the pause', write_date = now() AT TIME ZONE 'UTC' - interval '1 hour' WHERE id = %s",
                       (changed,))
    scene.db.run("CALL odoo_sync_job('customers')")
    assert scene.db.value("SELECT street FROM dim_customers WHERE id = %s", changed) == "in the pause"
    assert scene.differences() == []


def run_until_cancelled(connection, statement):
    with pytest.raises(psycopg2.errors.QueryCanceled):
        connection.cursor().execute(statement)


# What each safeguard is there for: with it there is no difference, and without it there is one.


def late_commit(scene):
    """A transaction commits after a run that saw a later change."""
    partners = [shop_data.create(scene.api, "res.partner", name=f"Late {n}") for n in range(2)]
    scene.db.run("CALL odoo_sync_job()")
    with closing(psycopg2.connect(scene.odoo.cluster.dsn(scene.odoo.database))) as late, late.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET street = 'late', write_date = now() AT TIME ZONE 'UTC' WHERE id = %s",
                       partners[:1])
        # Longer than a scan, which is taken off the watermark.
        time.sleep(4)
        scene.api("res.partner", "write", partners[1:], {"street": "in time"})
        scene.db.run("CALL odoo_sync_job()")
        late.commit()
    scene.db.run("CALL odoo_sync_job()")


def line_removed(scene):
    tea = {"product_id": scene.made["tea"], "product_qty": 1}
    order = shop_data.create(
        scene.api, "purchase.order", partner_id=scene.made["customer"], order_line=[(0, 0, tea), (0, 0, tea)]
    )
    scene.db.run("CALL odoo_sync_job()")
    last = scene.api("purchase.order", "read", [order], ["order_line"])[0]["order_line"][-1]
    scene.api("purchase.order", "write", [order], {"order_line": [(2, last)]})
    scene.db.run("CALL odoo_sync_job()")


def partner_deleted(scene):
    partner = shop_data.create(scene.api, "res.partner", name="Doomed")
    scene.db.run("CALL odoo_sync_job()")
    scene.api("res.partner", "unlink", [partner])
    scene.db.run("CALL odoo_sync_job()")


@pytest.mark.parametrize("happens, without, sign", [
    (late_commit, "ALTER SERVER erp OPTIONS (SET overlap '0')", "dim_customers"),
    (line_removed, "SET odoo_etl.debug_without = 'line_comparison'", "fact_purchases"),
    (partner_deleted, None, "dim_customers"),
])
def test_each_safeguard_is_needed(scene, happens, without, sign):
    scene.db.run("CALL odoo_sync_job()")
    scene.reconcile()
    assert scene.differences() == []
    happens(scene)
    if without:
        assert scene.differences() == []
        if "debug_without" in without:
            require_failpoints(scene.db)
        scene.db.run(without)
        happens(scene)
    found = scene.differences()
    assert found and all(line.startswith(sign) for line in found)
    scene.db.run("RESET odoo_etl.debug_without")
    scene.db.run(f"ALTER SERVER erp OPTIONS (SET overlap '{OVERLAP}')")
    scene.reconcile()
    assert scene.differences() == []
