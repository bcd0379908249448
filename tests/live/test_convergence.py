"""Writers at work on a real Odoo while jobs run and are killed: when the writers stop, one job
and one reconcile later every table equals Odoo's database.

`make test-convergence SECONDS=60 SEED=7` runs it for longer; the seed makes the same choices
again, though not at the same moments. `OVERLAP=0` takes the overlap away.
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

from ..conftest import Database
from ..lab import odoo, ports
from ..lab.postgres import Cluster
from . import shop as shop_data
from .conftest import Api, differences
from .test_star import TABLES

SECONDS = float(os.environ.get("SECONDS") or 20)
SEED = int(os.environ.get("SEED") or random.randrange(10_000))

#: Transactions in Odoo's database commit this late; the overlap is a little longer.
LATE, OVERLAP = 8, int(os.environ.get("OVERLAP") or 20)


class Writers:
    """Threads that change things, each with choices of its own."""

    def __init__(self, server, made):
        self.server, self.made = server, made
        self.stopping = threading.Event()
        self.operations = 0
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
        api = Api(self.server)
        mine = {"res.partner": [], "product.product": [], "purchase.order": []}
        while not self.stopping.is_set():
            try:
                choice.choice(OPERATIONS)(api, choice, mine, self.made)
                self.operations += 1
            except (OSError, xmlrpc.client.Error, ExpatError):
                # Odoo is down for a moment, or refused.
                time.sleep(0.3)

    def work_late(self, number):
        """In Odoo's database: transactions whose write_date is old when they commit."""
        choice = random.Random(SEED * 100 + 50 + number)
        connection = psycopg2.connect(self.server.cluster.dsn(self.server.database))
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
        connection.close()


def partner(api, choice, mine, made):
    mine["res.partner"].append(shop_data.create(api, "res.partner", name=f"P {choice.random()}"))


def rename(api, choice, mine, made):
    if mine["res.partner"]:
        api("res.partner", "write", [choice.choice(mine["res.partner"])], {"name": f"R {choice.random()}"})


def archive(api, choice, mine, made):
    for model in ("res.partner", "product.product"):
        if mine[model]:
            api(model, "write", [choice.choice(mine[model])], {"active": choice.random() < 0.5})


def delete(api, choice, mine, made):
    model = choice.choice(list(mine))
    if mine[model]:
        id = mine[model].pop(choice.randrange(len(mine[model])))
        if model == "purchase.order":
            api(model, "button_cancel", [id])
        api(model, "unlink", [id])


def product(api, choice, mine, made):
    price = round(choice.uniform(1, 99), 2)
    mine["product.product"].append(
        shop_data.create(api, "product.product", name=f"T {choice.random()}", list_price=price)
    )


def price(api, choice, mine, made):
    template = api("product.product", "read", [made["tea"]], ["product_tmpl_id"])[0]["product_tmpl_id"][0]
    api("product.template", "write", [template], {"list_price": round(choice.uniform(1, 99), 2)})


def employee(api, choice, mine, made):
    version = api("hr.version", "search", [("employee_id", "=", made["employee"])])[0]
    api("hr.version", "write", [version], {"contract_date_start": f"20{choice.randrange(10, 24)}-01-01"})


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


def till(api, choice, mine, made):
    """A ticket in an order that is there: its lines are rewritten."""
    order = choice.choice(made["orders"])
    lines = api("pos.order", "read", [order], ["lines", "company_id"])[0]["lines"]
    amount = round(choice.uniform(1, 50), 2)
    commands = [(2, lines[-1])] if len(lines) > 1 else []
    commands.append((0, 0, {"name": "L", "product_id": made["tea"], "qty": 1, "price_unit": amount,
                            "price_subtotal": amount, "price_subtotal_incl": amount}))
    api("pos.order", "write", [order], {"lines": commands, "amount_paid": amount})


OPERATIONS = [partner, rename, archive, delete, product, price, employee, purchase, purchase_line, till]
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
                cursor.execute("CALL odoo_sync_job()")
                ended.append(time.monotonic())
        except psycopg2.Error:
            time.sleep(0.2)


def kill_something(db, server, choice):
    """Returns what was killed."""
    how = choice.choice(["backend", "backend", "terminate", "cancel", "cluster", "odoo"])
    if how == "cluster":
        db.cluster.stop("immediate")
        db.cluster.start()
        return how
    if how == "odoo":
        server.halt()
        time.sleep(choice.uniform(0, 2))
        server.launch()
        return how
    try:
        with psycopg2.connect(db.cluster.dsn()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL odoo_sync_job%%'")
            pids = [pid for (pid,) in cursor.fetchall()]
            for pid in pids[:1]:
                if how == "backend":
                    os.kill(pid, signal.SIGKILL)
                else:
                    cursor.execute(f"SELECT pg_{how}_backend(%s)", (pid,))
            return how if pids else None
    except (psycopg2.Error, ProcessLookupError):
        # The cluster is recovering already, or the job has just ended.
        return None


def test_convergence(folder):
    print(f"SEED={SEED} SECONDS={SECONDS:g}")
    choice = random.Random(SEED)
    server = odoo.Server(folder / "convergence-odoo")
    cluster = Cluster(folder / "convergence-pg", ports.free(1)[0])
    server.start()
    try:
        cluster.init()
        cluster.start()
        made = shop_data.furnish(Api(server))
        db = Database(cluster)
        db.server(server.url, page_size=50, overlap=OVERLAP)
        db.run("CALL odoo_sync_job()")
        writers, stopping, kills, ended = Writers(server, made), threading.Event(), [], []
        jobs = threading.Thread(target=run_jobs, args=(db, stopping, ended))
        writers.start()
        jobs.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(choice.uniform(0.5, 4))
            killed = kill_something(db, server, choice)
            kills += [killed] if killed else []
        writers.stop()
        stopping.set()
        jobs.join()
        db.reconnect()
        db.run("CALL odoo_sync_job()")
        truth = psycopg2.connect(server.cluster.dsn(server.database))
        before = [line for table in TABLES for line in differences(db, truth, table)]
        for entity in ("customers", "products", "sales", "purchases", "employees"):
            db.run("SELECT * FROM odoo_reconcile(%s)", entity)
        after = [line for table in TABLES for line in differences(db, truth, table)]
        truth.close()
        print(f"{writers.operations} operations, {len(ended)} jobs ended, {len(kills)} kills survived ({', '.join(kills)}), "
              f"{len(before)} differences after the job, {len(after)} after the reconcile")
        assert after == []
        # What only a reconcile can find is what was deleted.
        assert [line for line in before if "too many" not in line] == []
    finally:
        server.stop()
        cluster.stop("immediate")

