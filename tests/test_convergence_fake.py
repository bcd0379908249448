"""Changes, faults of every kind and interrupted jobs on a fake Odoo, in an order that a seed makes
again: when the faults end, one job and one reconcile later every table equals a full load.

`SEED=7 ROUNDS=100` makes the same choices again, or more of them.
"""

import copy
import itertools
import os
import random
import time
from collections import Counter
from contextlib import closing
from types import SimpleNamespace

import psycopg2
import pytest

from .conftest import url
from .fake.server import behaviour_of
from .fake.shop import AMERICA, EUR, EUROPE, KILOS, PIECES

SEED = int(os.environ.get("SEED") or random.randrange(1_000_000))
ROUNDS = int(os.environ.get("ROUNDS") or 25)
OVERLAP = 600
ENTITIES = ("branches", "categories", "products", "warehouses", "stock", "employees", "customers",
            "promotions", "sales", "purchases")
#: The states in which an order of a point of sale belongs to the warehouse.
PAID = ("paid", "done")

#: What each table holds, by channel.
MODELS = {
    ("dim_branches", None): "pos.config", ("dim_categories", None): "product.category",
    ("dim_products", None): "product.product", ("fact_warehouse", None): "stock.warehouse",
    ("fact_stock_locations", None): "stock.location", ("fact_stock", None): "stock.quant",
    ("dim_departments", None): "hr.department", ("dim_jobs", None): "hr.job",
    ("dim_work_locations", None): "hr.work.location", ("dim_teams", None): "crm.team",
    ("dim_users", None): "res.users", ("dim_employees", None): "hr.employee",
    ("dim_customers", None): "res.partner", ("dim_promotions", None): "loyalty.program",
    ("all_sales", "pos"): "pos.order", ("all_sales", "sale"): "sale.order",
    ("fact_sales_lines", "pos"): "pos.order.line", ("fact_sales_lines", "sale"): "sale.order.line",
    ("fact_purchases", None): "purchase.order.line",
}


class Odoo:
    """The fake's records, and what people do to them. Time passes as they do it."""

    def __init__(self, models, choice, now):
        self.models, self.choice = models, choice
        self.now = self.newest = now
        self.date = text_of(now)
        self.ids = {name: itertools.count(max(model.records, default=0) + 1) for name, model in models.items()}
        self.changes = Counter()
        #: Model and id of what was written, the latest last.
        self.written = []
        for make, times in ((self.new_category, 15), (self.new_partner, 180), (self.new_product, 90), (self.hire, 30),
                            (self.new_quant, 90), (self.sell, 110), (self.quote, 45), (self.buy, 60), (self.refund, 10)):
            for _ in range(times):
                make()
        # Records that a rule hides: references to them stay missing.
        self.write("sale.order", 71, partner_id=999_999)
        self.write("hr.employee", 20, user_id=999_999)

    def records(self, model):
        return self.models[model].records

    def text(self):
        return f"{self.choice.randrange(10**9):09}"

    def some(self, *options):
        return self.choice.choice(options)

    def pick(self, model, condition=lambda record: True):
        """The id of a record; an IndexError if there is none."""
        return self.choice.choice([id for id, record in self.records(model).items() if condition(record)])

    def create(self, model, **values):
        id = next(self.ids[model])
        self.records(model)[id] = {"id": id, "active": True, "create_date": self.date}
        self.write(model, id, **values)
        return id

    def write(self, model, id, **values):
        self.records(model)[id].update(values, write_date=self.date)
        self.written.append((model, id))

    def change(self):
        """Something happens; now and then in a transaction that began a while ago, and whose date
        lies behind what the last run has seen."""
        self.now += self.choice.randrange(20)
        late = self.choice.random() < 0.2
        if late:
            self.date = text_of(self.newest - self.choice.randrange(1, OVERLAP))
        else:
            self.newest, self.date = self.now, text_of(self.now)
        while True:
            operation = self.choice.choice(OPERATIONS)
            try:
                operation(self)
                break
            except IndexError:
                # There is nothing that it could be done to.
                continue
        self.changes["late" if late else operation.__name__] += 1

    def referred(self, model, but=()):
        """The ids that other records refer to: Odoo refuses to delete those."""
        found = set()
        for other in self.models.values():
            fields = [name for name, about in other.fields.items()
                      if about.get("relation") == model and name not in other.parents and other.name not in but]
            for record in other.records.values():
                for name in fields:
                    value = record.get(name)
                    found.update(value if isinstance(value, list) else [value])
        return found

    # Products

    def new_category(self):
        self.create("product.category", name=self.text(), complete_name=self.text(), parent_id=self.pick("product.category"))

    def new_product(self):
        template = self.create(
            "product.template", name=self.text(), list_price=self.choice.randrange(1, 9999) / 100, tracking="none",
            categ_id=self.pick("product.category"), company_id=self.some(False, False, EUROPE, AMERICA), type="consu",
            is_storable=True, uom_id=self.some(PIECES, KILOS), sale_ok=True, purchase_ok=True,
        )
        for _ in range(self.some(1, 1, 2, 3)):
            self.create("product.product", product_tmpl_id=template, default_code=self.text(),
                        standard_price={EUROPE: self.choice.randrange(999) / 4, AMERICA: self.choice.randrange(999) / 8})

    def change_template(self):
        """The write_date of its variants stays."""
        self.write("product.template", self.pick("product.template"), name=self.text(),
                   list_price=self.choice.randrange(1, 9999) / 100, categ_id=self.pick("product.category"))

    def change_variant(self):
        self.write("product.product", self.pick("product.product"), default_code=self.text(),
                   standard_price={EUROPE: self.choice.randrange(999) / 4, AMERICA: self.choice.randrange(999) / 8})

    # People

    def new_partner(self):
        return self.create(
            "res.partner", name=self.text(), is_company=self.some(True, False), parent_id=self.some(False, 14),
            email=self.text(), country_id=self.some(False, 75, 233), category_id=self.some([], [2], [9, 2]),
            customer_rank=self.some(0, 1), supplier_rank=self.some(0, 1), user_id=self.some(False, 2, 6),
        )

    def change_partner(self):
        # The names of users are those of their partners.
        users = [user["partner_id"] for user in self.records("res.users").values()]
        id = self.some(self.pick("res.partner"), self.choice.choice(users))
        self.write("res.partner", id, name=self.text(), street=self.text(), parent_id=self.some(False, 14) if id != 14 else False)

    def hire(self):
        partner = self.new_partner()
        user = self.create("res.users", login=self.text(), partner_id=partner, company_id=EUROPE, company_ids=[EUROPE])
        employee = self.create("hr.employee", name=self.text(), company_id=EUROPE, department_id=self.some(4, 9),
                               user_id=self.some(False, user), parent_id=21, job_id=11, birthday="1990-02-28")
        versions = [self.create("hr.version", employee_id=employee, contract_date_start=f"20{year}-01-01")
                    for year in self.choice.sample(range(10, 25), 2)]
        self.records("hr.employee")[employee]["version_ids"] = versions

    def change_employee(self):
        self.write("hr.employee", self.pick("hr.employee"), work_email=self.text(), department_id=self.some(4, 9))

    def change_contract(self):
        """On 19 it is written on hr.version alone."""
        self.write("hr.version", self.pick("hr.version"), contract_date_start=f"20{self.choice.randrange(10, 25)}-01-01")

    def rename(self):
        """Something of a small table."""
        model = self.some("product.category", "hr.department", "hr.job", "crm.team", "pos.config", "stock.location", "loyalty.program")
        self.write(model, self.pick(model), name=self.text())

    def archive(self):
        model = self.some("res.partner", "product.product", "hr.employee", "res.users")
        id = self.pick(model)
        self.write(model, id, active=not self.records(model)[id].get("active", True))

    def delete(self):
        model = self.some("res.partner", "product.product", "product.category", "hr.employee", "res.users")
        used = self.referred(model, but=("hr.version",))
        id = self.pick(model, lambda record: record["id"] not in used)
        gone = self.records(model).pop(id)
        for version in gone.get("version_ids", []):
            del self.records("hr.version")[version]
        if model == "product.product" and gone["product_tmpl_id"] not in self.referred("product.template"):
            del self.records("product.template")[gone["product_tmpl_id"]]

    # Points of sale

    def is_paid(self, line):
        return self.records("pos.order")[line["order_id"]]["state"] in PAID

    def sell(self, state=None):
        order = self.create(
            "pos.order", name=self.text(), pos_reference=self.text(), state=state or self.some("paid", "paid", "done", "draft"),
            config_id=2, session_id=51, user_id=2, company_id=EUROPE, currency_id=EUR, date_order=self.date,
            partner_id=self.some(False, self.pick("res.partner")), employee_id=self.some(False, self.pick("hr.employee")), lines=[],
        )
        for _ in range(self.choice.randrange(1, 5)):
            self.add_line(order)
        return order

    def add_line(self, order=None, **values):
        order = order or self.pick("pos.order", lambda record: record["state"] in PAID)
        amount = self.choice.randrange(1, 999) / 4
        line = self.create(
            "pos.order.line", order_id=order, product_id=self.pick("product.product"), qty=float(self.choice.randrange(1, 9)),
            price_unit=amount, price_subtotal=amount, price_subtotal_incl=amount * 1.25, discount=self.some(0.0, 10.0),
            sale_order_line_id=self.some(False, False, False, self.pick("sale.order.line")), **values,
        )
        self.set_lines(order, [*self.records("pos.order")[order]["lines"], line])

    def set_lines(self, order, lines):
        total = sum(self.records("pos.order.line")[line]["price_subtotal_incl"] for line in lines)
        self.write("pos.order", order, lines=lines, amount_total=total, amount_tax=total / 5)

    def change_line(self):
        line = self.pick("pos.order.line", self.is_paid)
        self.write("pos.order.line", line, qty=float(self.choice.randrange(1, 9)), price_subtotal_incl=self.choice.randrange(999) / 4)
        order = self.records("pos.order.line")[line]["order_id"]
        if self.some(True, False):
            self.set_lines(order, self.records("pos.order")[order]["lines"])

    def remove_line(self):
        line = self.pick("pos.order.line", self.is_paid)
        order = self.records("pos.order.line").pop(line)["order_id"]
        for other in self.records("pos.order.line").values():
            if other.get("refunded_orderline_id") == line:
                self.write("pos.order.line", other["id"], refunded_orderline_id=False)
        self.set_lines(order, [other for other in self.records("pos.order")[order]["lines"] if other != line])

    def refund(self):
        line = self.pick("pos.order.line", self.is_paid)
        order = self.sell(state="paid")
        self.add_line(order, refunded_orderline_id=line)

    def pay(self):
        """The lines come into the warehouse with the order; their own write_date stays."""
        self.write("pos.order", self.pick("pos.order", lambda record: record["state"] == "draft"), state="paid")

    def cancel(self):
        self.write("pos.order", self.pick("pos.order", lambda record: record["state"] in PAID), state="cancel")

    def delete_order(self):
        """Lines that nothing refunds; Odoo deletes an order with its lines."""
        used = self.referred("pos.order.line", but=("pos.order",))
        id = self.pick("pos.order", lambda record: record["state"] in ("cancel", "draft") and not used & {*record["lines"]})
        for line in self.records("pos.order").pop(id)["lines"]:
            del self.records("pos.order.line")[line]

    # Sales and purchases

    def quote(self):
        order = self.create(
            "sale.order", name=self.text(), state=self.some("draft", "sale"), date_order=self.date, company_id=EUROPE,
            partner_id=self.pick("res.partner"), user_id=6, team_id=5, currency_id=EUR, amount_total=12.5, order_line=[],
        )
        for _ in range(self.choice.randrange(1, 5)):
            self.add_quoted(order)

    def add_quoted(self, order=None):
        order = order or self.pick("sale.order")
        kind = self.some(False, False, False, "line_note")
        line = self.create("sale.order.line", order_id=order, product_id=not kind and self.pick("product.product"), display_type=kind,
                           product_uom_qty=float(self.choice.randrange(1, 9)), price_subtotal=2.5, price_total=3.0)
        self.write("sale.order", order, order_line=[*self.records("sale.order")[order]["order_line"], line])

    def remove_quoted(self):
        used = self.referred("sale.order.line", but=("sale.order",))
        line = self.pick("sale.order.line", lambda record: record["id"] not in used)
        order = self.records("sale.order.line").pop(line)["order_id"]
        self.write("sale.order", order, order_line=[other for other in self.records("sale.order")[order]["order_line"] if other != line])

    def buy(self):
        order = self.create("purchase.order", name=self.text(), state="draft", partner_id=self.pick("res.partner"), user_id=2,
                            company_id=EUROPE, currency_id=EUR, picking_type_id=4, date_order=self.date)
        for _ in range(self.choice.randrange(1, 5)):
            self.add_bought(order)

    def add_bought(self, order=None):
        order = order or self.pick("purchase.order")
        kind = self.some(False, False, False, "line_section")
        self.create("purchase.order.line", order_id=order, product_id=not kind and self.pick("product.product"), display_type=kind,
                    product_qty=float(self.choice.randrange(1, 99)), price_unit=2.5, price_subtotal=2.5, price_total=3.0)
        self.write("purchase.order", order)

    def change_bought(self):
        self.write("purchase.order.line", self.pick("purchase.order.line"), product_qty=float(self.choice.randrange(1, 99)))

    def remove_bought(self):
        self.write("purchase.order", self.records("purchase.order.line").pop(self.pick("purchase.order.line"))["order_id"])

    def approve(self):
        """What the lines show of their order; their own write_date stays."""
        self.write("purchase.order", self.pick("purchase.order"), state="purchase", date_approve=self.date,
                   partner_id=self.pick("res.partner"))

    def delete_purchase(self):
        order = self.pick("purchase.order")
        lines = self.records("purchase.order.line")
        for line in [line for line in lines if lines[line]["order_id"] == order]:
            del lines[line]
        del self.records("purchase.order")[order]

    # Stock

    def new_quant(self):
        self.create("stock.quant", product_id=self.pick("product.product"), location_id=self.some(8, 18), company_id=EUROPE,
                    quantity=float(self.choice.randrange(99)), reserved_quantity=1.0, in_date=self.date)

    def merge_quants(self):
        """By SQL, which leaves the write_date."""
        kept, gone = self.choice.sample(list(self.records("stock.quant")), 2)
        self.records("stock.quant")[kept]["quantity"] += self.records("stock.quant").pop(gone)["quantity"]


def text_of(time_of_change):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time_of_change))


OPERATIONS = [value for name, value in vars(Odoo).items() if name in (
    "new_category", "new_product", "change_template", "change_variant", "new_partner", "change_partner", "hire",
    "change_employee", "change_contract", "rename", "archive", "delete", "sell", "add_line", "change_line",
    "remove_line", "refund", "pay", "cancel", "delete_order", "quote", "add_quoted", "remove_quoted", "buy",
    "add_bought", "change_bought", "remove_bought", "approve", "delete_purchase", "new_quant", "merge_quants")]

#: Faults of answers, with the methods that they may concern; "" stands for all.
FAULTS = [
    "status=503", "status=429", "status=502", "status=500", "status=404", "reset", "cut", "body=html", "body=json",
    "body=empty", "body=latin", "body=bomb", "body=deep", "body=number", "redirect=127.0.0.1:1", "endless",
    "fault=1", "fault=2", "fault=3", "fault=4", "slow=0.05", "stall", "stall-body", "drip",
]
METHODS = ["read", "read", "read", "search", "search", "fields_get", "search_read", "read_at_login", "authenticate", ""]
#: Each of these costs the time-out; they last only where the job is ended before.
WAITS = ("stall", "stall-body", "drip")
#: Faults of records.
STRAINS = ["poison", "poison", "poison", "most", "denied", "heavy"]
JOBS = ["CALL odoo_sync_job(server => 'erp')"] * 10 + [
    "CALL odoo_sync_job(server => 'erp', full_refresh => true)", "CALL odoo_sync_job(server => 'erp', reconcile => true)"]


class Scene:
    """A warehouse, an Odoo that changes, and faults between the two."""

    def __init__(self, db, fake, seed, rounds, **options):
        self.db, self.choice = db, random.Random(seed)
        prefix = f"/version=19/erp={db.name}"
        db.server(url(fake, prefix.strip("/")), page_size=20, overlap=options.get("overlap", OVERLAP), retries=1,
                  retry_delay=1, timeout=1)
        self.behaviour = behaviour_of(prefix)
        self.sound = self.behaviour.database
        # The same records at an address without faults.
        prefix = f"/version=19/truth={db.name}"
        behaviour_of(prefix).database = self.sound
        db.server(url(fake, prefix.strip("/")), name="truth", schema="truth")
        # No run lasts so long, and no change lies in the future.
        now = int(time.time()) - (rounds + 2) * 3 * OVERLAP
        self.odoo = Odoo(self.sound.models, self.choice, now)
        self.faults, self.ends = Counter(), Counter()
        self.behaviour.clock = now

    def live(self):
        """Time passes, and people work."""
        self.odoo.now += self.choice.randrange(2 * OVERLAP)
        for _ in range(self.choice.choice([1, 4, 12, 40])):
            self.odoo.change()
        self.behaviour.clock = self.odoo.now

    def round(self):
        self.live()
        end = self.choice.choice([None, None, None, "statement_timeout", "cancel", "terminate"])
        wishes, database = [], copy.copy(self.sound)
        for _ in range(self.choice.choice([0, 1, 1, 2])):
            if self.choice.random() < 0.3:
                end = self.strain(database) or end
            else:
                wishes += self.wish(end)
        self.behaviour.database = database
        self.behaviour.turn(*wishes)
        self.db.run(f"ALTER SERVER erp OPTIONS (SET page_size '{self.choice.choice([4, 20])}')")
        self.job(self.choice.choice(JOBS), end)
        self.behaviour.turn()
        self.behaviour.database = self.sound

    def wish(self, end):
        """A fault that lasts, or passes after a while."""
        fault, method = self.choice.choice(FAULTS), self.choice.choice(METHODS)
        self.faults[fault] += 1
        lasts = self.choice.random() < 0.3 and (end or fault not in WAITS)
        most = 2 if fault in WAITS else 30
        return [f"{fault}@{method}", *([] if lasts else [f"passing={self.choice.randrange(1, most + 1)}"])]

    def strain(self, database):
        """Records that Odoo has trouble with. Returns how the job has to end for it, if so."""
        strain = self.choice.choice(STRAINS)
        self.faults[strain] += 1
        # What was changed just now is what the job will read.
        recent = [(model, id) for model, id in self.odoo.written[-20:] if id in self.odoo.records(model)]
        any_model = self.choice.choice([name for name, model in self.sound.models.items() if model.records])
        model, id = self.choice.choice([*recent, (any_model, self.odoo.pick(any_model))])
        if strain == "poison":
            field = self.choice.choice(["*", *(name for name in self.odoo.records(model)[id] if name != "id")])
            database.poison = [model, str(id), field]
        elif strain == "most":
            database.most = self.choice.randrange(1, 9)
        elif strain == "denied":
            database.denied = model
        else:
            database.heavy = 0.06
            return "statement_timeout"

    def job(self, statement=JOBS[0], end=None):
        """Runs a job, which another session ends after some requests, or its own patience."""
        after, patience = self.choice.randrange(1, 150), self.choice.randrange(20, 1500)
        with closing(self.db.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET odoo_etl.max_response_size = '1MB'")
            if end == "statement_timeout":
                cursor.execute(f"SET statement_timeout = {patience}")
            elif end:
                self.behaviour.interrupt = self.interruption(end, connection.get_backend_pid(), after)
            try:
                cursor.execute(statement)
                self.ends["well"] += 1
            except psycopg2.errors.QueryCanceled:
                self.ends["cancelled"] += 1
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                self.ends["failed" if error.pgcode else "terminated"] += 1
            except psycopg2.Error:
                self.ends["failed"] += 1
            finally:
                self.behaviour.interrupt = None

    def interruption(self, how, pid, after):
        requests = itertools.count(1)

        def interrupt():
            if next(requests) == after:
                with closing(self.db.connect()) as other, other.cursor() as cursor:
                    cursor.execute(f"SELECT pg_{how}_backend(%s)", (pid,))
                # The answer shall come too late, so that a seed ends a job at the same place again.
                time.sleep(0.1)

        return interrupt

    def reconcile(self):
        for entity in ENTITIES:
            self.db.run("SELECT * FROM odoo_reconcile(%s, 'erp')", entity)

    def load_truth(self):
        self.db.run("DROP SCHEMA IF EXISTS truth CASCADE")
        rows = self.db.report("SELECT * FROM odoo_sync_all('truth')").values()
        assert {row["status"] for row in rows} == {"ok", "absent"}

    def differences(self):
        """The warehouse's rows against those of the truth: by EXCEPT in both directions."""
        found = []
        for table, in self.db.run("SELECT tablename FROM pg_tables WHERE schemaname = 'truth' ORDER BY 1"):
            # What differs by nature: when and why.
            row, where = "to_jsonb(t) - '{synced_at,deleted_at}'::text[]", "to_jsonb(t)->>'deleted_at' IS NULL"
            if table == "missing_data":
                row = "to_jsonb(t) - '{first_seen,last_seen,attempts,last_error,resolved_at}'::text[]"
                where = "resolved_at IS NULL"
            here, there = (f"SELECT {row} FROM {schema}.{table} t WHERE {where}" for schema in ("public", "truth"))
            ours = by_key(self.db.run(f"{here} EXCEPT {there}"))
            theirs = by_key(self.db.run(f"{there} EXCEPT {here}"))
            for key in sorted(ours.keys() | theirs.keys(), key=str):
                own, true = ours.get(key), theirs.get(key)
                kind = "stale" if own and true else "surplus" if own else "missing"
                columns = {name: (own[name], true[name]) for name in own if own[name] != true[name]} if own and true else own or true
                found.append(SimpleNamespace(table=table, key=key, kind=kind, columns=columns))
        return found

    def is_deleted(self, difference):
        """Whether a row too many is of a record that Odoo has deleted, with the order it was in."""
        if difference.kind != "surplus":
            return False
        row, table = difference.columns, difference.table
        if table == "missing_data":
            table, row = row["target"], {"id": row["row_id"], "channel": row["channel"] or None}
        model = MODELS[table, row.get("channel")]
        order = row.get("order_id") if table in ("fact_sales_lines", "fact_purchases") else None
        orders = self.odoo.records(model.removesuffix(".line"))
        return row["id"] not in self.odoo.records(model) and order not in orders

    def counts(self):
        """How many rows each table has, and should have by the fake's own records."""
        for (table, channel), model in MODELS.items():
            records = self.odoo.records(model).values()
            if model == "pos.order":
                records = [record for record in records if record["state"] in PAID]
            elif model == "pos.order.line":
                records = [record for record in records if self.odoo.is_paid(record)]
            elif model.endswith(".order.line"):
                records = [record for record in records if not record.get("display_type")]
            condition = "to_jsonb(t)->>'deleted_at' IS NULL AND to_jsonb(t)->>'channel' IS NOT DISTINCT FROM %s"
            yield table, channel, self.db.value(f"SELECT count(*) FROM {table} t WHERE {condition}", channel), len(records)


def by_key(rows):
    names = ("channel", "id", "target", "row_id", "column_name")
    return {tuple(row[name] for name in names if row.get(name) is not None): row for row, in rows}


def tell(differences):
    return "\n".join(f"{d.table} {d.key} {d.kind}: {d.columns}" for d in differences[:20])


def test_convergence(db, fake):
    print(f"SEED={SEED} ROUNDS={ROUNDS}")
    scene = Scene(db, fake, SEED, ROUNDS)
    for _ in range(ROUNDS):
        scene.round()
    scene.job()
    scene.load_truth()
    before = scene.differences()
    quarantine = db.run("SELECT * FROM odoo_quarantine")
    scene.reconcile()
    after = scene.differences()
    told = [", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
            for counter in (scene.odoo.changes, scene.faults, scene.ends)]
    print(f"{scene.odoo.changes.total()} changes: {told[0]}; {scene.faults.total()} faults: {told[1]}; jobs: {told[2]}; "
          f"{len(before)} differences after the last job, {len(after)} after the reconcile")
    assert after == [], tell(after)
    # What only a reconcile finds are records that were deleted.
    lost = [difference for difference in before if not scene.is_deleted(difference)]
    assert lost == [], tell(lost)
    assert quarantine == []
    # The truth itself, by the fake's own records.
    for table, channel, found, expected in scene.counts():
        assert found == expected, (table, channel)
    for table, model, column, field in (("dim_customers", "res.partner", "name", "name"),
                                        ("dim_products", "product.product", "sku", "default_code"),
                                        ("fact_stock", "stock.quant", "quantity", "quantity")):
        found = dict(db.run(f"SELECT id, {column} FROM {table} t WHERE to_jsonb(t)->>'deleted_at' IS NULL"))
        assert found == {id: record.get(field) for id, record in scene.odoo.records(model).items()}
