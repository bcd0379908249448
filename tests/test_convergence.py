"""Changes and faults of every kind, in an order that a seed reproduces: when the faults end, one
job and one reconcile later every table equals a full load of the same Odoo.

`SEED=7 ROUNDS=100` runs the same choices again, or more of them.
"""

import os
import random
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta, timezone

import psycopg2
import pytest

from . import hostile
from .conftest import require_failpoints, running, url
from .fake.behaviour import Wish
from .fake.server import behaviour_of
from .test_first_load import CANCEL, ERROR, TERMINATE, at_pieces
from .test_job import end
from .test_history import HISTORIES, require_sound

SEED = int(os.environ.get("SEED") or random.randrange(10_000))
ROUNDS = int(os.environ.get("ROUNDS") or 15)
#: `make test-convergence` names a seed, be it an empty one.
IS_LONGER = "SEED" in os.environ
#: Sessions with hostile settings are slow.
HOSTILE, HOSTILE_ROUNDS = (hostile.FOR_PSYCOPG2, ROUNDS) if IS_LONGER else (hostile.QUICKER, 5)
OVERLAP = 600
ENTITIES = ("currencies", "taxes", "products", "warehouses", "stock", "employees", "customers", "promotions",
            "payment_methods", "sessions", "sales", "payments", "loyalty", "purchases", "stock_moves")

#: Rights that the user lacks for a while: on models that are loaded or related, on a private field,
#: on a relation that rows are found by.
RIGHTS = [
    *(("denied", model) for model in ("res.partner", "purchase.order.line", "purchase.order", "pos.session", "res.currency", "hr.version")),
    ("private", "hr.employee:version_ids"), ("broken", "product.product:barcode"), ("unsearchable", "hr.employee:version_ids"),
]

#: What a user never has who may only sell.
FEW_RIGHTS = {"denied": "purchase.order.line", "private": "hr.employee:work_phone", "unsearchable": "hr.employee:version_ids"}

FAULTS = [
    "status=503@read", "status=429@search", "status=502@read", "status=500@read", "status=404@search",
    "reset@read", "reset@search", "cut@read", "cut@search", "body=html@read", "body=empty@search",
    "body=number@read", "body=latin@read", "body=deep@read", "body=bomb@read", "fault=1@read", "fault=2@search",
    "fault=4@search", "fault=4@read", "fault=3@read", "stall@read", "stall-body@read", "slow=0.05@read",
]

#: How a job may be ended from outside.
KILLS = ["cancel", "terminate", "kill -9"]

#: Constraints and indexes of a schema's tables.
KEYS = """SELECT relname, conname, convalidated FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid
    WHERE relnamespace = %s::regnamespace AND contype <> 'n' AND relname !~ '_history$'
    UNION ALL SELECT tablename, indexname, true FROM pg_indexes WHERE schemaname = %s AND tablename !~ '_history$' ORDER BY 1, 2"""


#: Tables of several pages.
LONG = ("dim_customers", "dim_products", "all_sales", "fact_sales_lines", "fact_purchases")

#: What counts the indexes and keys that are made, and perhaps ends a job at one of them.
NO_PIECES = "DROP EVENT TRIGGER IF EXISTS at_piece; DROP FUNCTION IF EXISTS at_piece; DROP SEQUENCE IF EXISTS pieces"


@pytest.fixture(scope="module")
def cluster(folder):
    """A cluster of this module's own, which some tests crash."""
    with running(folder / "convergence") as cluster:
        yield cluster


class Shop:
    """What people do in Odoo, by choices of a seed. Time passes with what they do."""

    def __init__(self, models, choice):
        self.models, self.choice = models, choice
        self.now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0) - timedelta(days=1)
        self.made = {"res.partner": [], "product.product": []}
        for _ in range(60):
            self.new_partner()
            self.new_product()
            self.sell()
            self.buy()

    @property
    def seconds(self):
        return self.now.replace(tzinfo=timezone.utc).timestamp()

    def pass_hours(self):
        """Nobody runs a job meanwhile, or its machine sleeps."""
        self.now += timedelta(minutes=self.choice.randrange(60, 600))

    def records(self, model):
        return self.models[model].records

    def date(self, seconds=0):
        return (self.now - timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")

    def create(self, model, **values):
        id = max(self.records(model)) + 1
        self.records(model)[id] = {"id": id, "active": True, "write_date": self.date(), **values}
        return id

    def write(self, model, id, late=0, **values):
        self.records(model)[id].update(values, write_date=self.date(late))

    def pick(self, model, condition=lambda record: True):
        return self.choice.choice([id for id, record in sorted(self.records(model).items()) if condition(record)])

    def change(self):
        self.now += timedelta(seconds=self.choice.randrange(1, 30))
        self.choice.choice(CHANGES)(self)

    def text(self):
        return f"{self.choice.random()}"

    def new_partner(self):
        self.made["res.partner"].append(self.create("res.partner", name=self.text()))

    def rename_partner(self):
        self.write("res.partner", self.pick("res.partner"), street=self.text())

    def late_partner(self):
        """A transaction that began a while ago commits now."""
        late = self.choice.randrange(1, OVERLAP)
        self.write("res.partner", self.pick("res.partner"), late, city=self.text())

    def new_product(self):
        template = self.create("product.template", name=self.text(), list_price=1.5, categ_id=5, tracking="none")
        self.made["product.product"].append(self.create("product.product", product_tmpl_id=template))

    def price(self):
        """Written on the template; the variant's own write_date stays."""
        self.write("product.template", self.pick("product.template"), list_price=self.choice.randrange(1, 999) / 4)

    def reprice(self):
        """A product that people know by now."""
        product = self.records("product.product")[self.pick("product.product")]
        self.write("product.template", product["product_tmpl_id"], list_price=self.choice.randrange(1, 999) / 4)

    def archive(self):
        model = self.choice.choice(list(self.made))
        self.write(model, self.pick(model), active=self.choice.random() < 0.5)

    def delete(self):
        """Only what nothing refers to: Odoo refuses the rest."""
        model = self.choice.choice(list(self.made))
        used = {line.get("product_id") for name in ("pos.order.line", "purchase.order.line") for line in self.records(name).values()}
        free = [id for id in self.made[model] if model == "res.partner" or id not in used]
        if free:
            id = self.choice.choice(free)
            self.made[model].remove(id)
            del self.records(model)[id]

    def sell(self):
        order = self.create("pos.order", name=self.text(), state="paid", config_id=2, session_id=51, user_id=2,
                            company_id=1, currency_id=125, date_order=self.date(), amount_total=3.0, lines=[])
        for _ in range(self.choice.randrange(1, 4)):
            self.add_line(order)
        self.pay(order)

    def pay(self, order):
        """What an open session expects follows, which the session does not tell."""
        self.create("pos.payment", pos_order_id=order, session_id=51, payment_method_id=self.choice.choice([2, 4]), amount=3.0,
                    company_id=1, currency_id=125, payment_date=self.date())
        self.records("pos.session")[51]["cash_register_balance_end"] += 3.0

    def edit_payment(self):
        """Its payments are deleted, and others made."""
        order = self.pick("pos.order", lambda record: record["id"] > 80)
        for id in [id for id, payment in self.records("pos.payment").items() if payment["pos_order_id"] == order]:
            del self.records("pos.payment")[id]
        self.pay(order)
        self.write("pos.order", order)

    def use_card(self):
        """The card is written too; a cancelled order takes its line of the history away."""
        history = self.records("loyalty.history")
        if len(history) > 3 and self.choice.random() < 0.5:
            del history[max(history)]
        else:
            self.create("loyalty.history", card_id=5, used=1.0, description=self.text())
        self.write("loyalty.card", 5, points=float(self.choice.randrange(99)))

    def add_line(self, order=None):
        order = order or self.pick("pos.order", lambda record: record["state"] == "paid")
        line = self.create("pos.order.line", order_id=order, product_id=self.choice.choice([31, 34]),
                           qty=self.choice.randrange(1, 9), price_unit=1.5, price_subtotal=1.5, price_subtotal_incl=1.8)
        self.write("pos.order", order, lines=[*self.records("pos.order")[order]["lines"], line])

    def remove_line(self):
        order = self.pick("pos.order", lambda record: len(record["lines"]) > 1)
        *lines, last = self.records("pos.order")[order]["lines"]
        if any(line.get("refunded_orderline_id") == last for line in self.records("pos.order.line").values()):
            return
        del self.records("pos.order.line")[last]
        self.write("pos.order", order, lines=lines)

    def cancel_order(self):
        """It leaves the table, and takes its lines along."""
        self.write("pos.order", self.pick("pos.order", lambda record: record["id"] > 80), state="cancel")

    def rate(self):
        """Of one more day, or another one of a day that was."""
        if self.choice.random() < 0.5:
            self.create("res.currency.rate", name=self.date()[:10], currency_id=2, company_id=1, rate=self.choice.randrange(1, 99) / 32)
        else:
            self.write("res.currency.rate", self.pick("res.currency.rate"), rate=self.choice.randrange(1, 99) / 32)

    def price_again(self):
        """Its lines stay as they are."""
        self.write("sale.order", 77, currency_rate=self.choice.randrange(1, 99) / 32)

    def tax(self):
        """A setting of the company, which leaves the tax's write_date."""
        self.records("account.tax")[8]["price_include"] = self.choice.random() < 0.5

    def buy(self):
        order = self.create("purchase.order", name=self.text(), state="draft", partner_id=12, company_id=1, currency_id=125)
        for _ in range(3):
            self.create("purchase.order.line", order_id=order, product_id=31, product_qty=1.0, price_unit=2.0)

    def drop_purchase_line(self):
        line = self.pick("purchase.order.line")
        order = self.records("purchase.order.line").pop(line)["order_id"]
        self.write("purchase.order", order)

    def merge_quants(self):
        """By SQL, which leaves the write_date."""
        self.records("stock.quant")[self.pick("stock.quant")]["quantity"] = float(self.choice.randrange(99))

    def empty_shelf(self):
        """Odoo deletes quants of nothing."""
        id = self.pick("stock.quant")
        if len(self.records("stock.quant")) > 2:
            del self.records("stock.quant")[id]

    def fill_shelf(self):
        if len(self.records("stock.quant")) < 15:
            self.create("stock.quant", product_id=self.choice.choice([31, 34]), location_id=self.choice.choice([8, 18]),
                        company_id=1, quantity=float(self.choice.randrange(9)), in_date=self.date(),
                        lot_id=self.choice.choice([9, False]))

    def ship(self):
        self.create("stock.move", state="done", product_id=self.choice.choice([31, 34]), product_uom=13, quantity=2.0, picked=True,
                    location_id=8, location_dest_id=self.choice.choice([14, 16, 18]), date=self.date(), company_id=1, value=1.0,
                    is_valued=True)

    def correct_move(self):
        self.write("stock.move", self.pick("stock.move"), quantity=float(self.choice.randrange(99)))

    def contract(self):
        """On 19 it is written on hr.version alone."""
        self.write("hr.version", 31, contract_date_start=f"20{self.choice.randrange(16, 24)}-01-01")


CHANGES = [value for name, value in vars(Shop).items() if name in (
    "new_partner", "rename_partner", "late_partner", "new_product", "price", "archive", "delete", "sell", "add_line",
    "remove_line", "cancel_order", "edit_payment", "use_card", "rate", "price_again", "tax", "buy", "drop_purchase_line",
    "merge_quants", "empty_shelf", "fill_shelf", "ship", "correct_move", "contract")]


def unlike_a_full_load(db, server):
    """The rows of the warehouse in public against those that a full load by another server's login
    brings, by EXCEPT in both directions."""
    db.run("DROP SCHEMA IF EXISTS truth CASCADE")
    assert db.run("SELECT target, error FROM odoo_sync_all(%s) WHERE status NOT IN ('ok', 'absent', 'denied')", server) == []
    found = []
    for table, in db.run("SELECT tablename FROM pg_tables WHERE schemaname = 'truth' AND tablename NOT IN ('fact_stock_daily', 'odoo_deleted')"):
        if table == "missing_data":
            columns, where = "target, channel, row_id, column_name, missing_id", "resolved_at IS NULL"
        else:
            columns = ", ".join(f'"{name}"' for name, in db.run(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND attname NOT IN ('synced_at', 'deleted_at')", f"truth.{table}"))
            is_dimension = db.value(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'deleted_at'", f"truth.{table}")
            where = "deleted_at IS NULL" if is_dimension else "true"
        rows = [f"SELECT {columns} FROM {schema}.{table} WHERE {where}" for schema in ("public", "truth")]
        for sign, (one, other) in {"+": rows, "-": rows[::-1]}.items():
            # Days stay, as other rows of dimensions.
            if (table, sign) == ("dim_date", "+"):
                continue
            found += [(table, sign, row) for row in db.run(f"{one} EXCEPT ALL {other}")]
    return found


class Scene:
    """A warehouse, a shop that changes, and faults in between."""

    def __init__(self, db, fake, seed, rights={}, **options):
        self.db, self.choice = db, random.Random(seed)
        prefix = f"/version=19/only={db.name}"
        db.server(url(fake, prefix.strip("/")), page_size=20, retry_delay=1, timeout=1,
                  **{"retries": 1, "overlap": OVERLAP, **options})
        self.behaviour = behaviour_of(prefix)
        # The same Odoo at an address without faults: for the truth, and for runs at the same moments.
        sound = f"/version=19/sound={db.name}"
        behaviour_of(sound).database = self.behaviour.database
        for name, schema in (("sound", "truth"), ("calm", "calm")):
            db.server(url(fake, sound.strip("/")), name=name, schema=schema)
        self.stock_read = None
        self.wishes = list(self.behaviour.wishes)
        self.usual = {"most": 0, "poison": None, "denied": None, "private": None, "broken": None, "unsearchable": None, **rights}
        self.relieve()
        self.shop = Shop(self.behaviour.database.models, self.choice)
        for behaviour in (self.behaviour, behaviour_of(sound)):
            # Odoo's clock is the shop's.
            behaviour.interrupt = lambda behaviour=behaviour: setattr(behaviour, "clock", self.shop.seconds)
        self.faults, self.ends, self.pauses = Counter(), Counter(), 0
        # Where first loads were interrupted.
        self.interrupted = Counter()

    def inject(self):
        """A fault of a kind, for a while or for the whole round, and perhaps a value that raises."""
        database = self.behaviour.database
        fault = self.choice.choice(FAULTS + ["most", "poison", "poison", *["right"] * 6, None])
        self.faults[fault] += 1
        self.behaviour.troubles = 0
        if fault == "most":
            database.most = self.choice.randrange(1, 8)
        elif fault == "poison":
            model = self.choice.choice(["res.partner", "product.product", "pos.order.line", "pos.payment", "purchase.order.line"])
            field = self.choice.choice(["write_date", "name", "*", "product_id"])
            database.poison = [model, str(self.shop.pick(model)), field]
        elif fault == "right":
            right, lacking = self.choice.choice(RIGHTS)
            setattr(database, right, ",".join(filter(None, [self.usual[right], lacking])))
        elif fault:
            # Time-outs that last would make a test of waiting.
            lasting = self.choice.random() < 0.3 and not fault.startswith("stall")
            passing = [] if lasting else [Wish(f"passing={self.choice.randrange(1, 4)}:round")]
            self.behaviour.wishes = [*self.wishes, Wish(fault), *passing]

    def relieve(self):
        self.behaviour.wishes = self.wishes
        for name, value in self.usual.items():
            setattr(self.behaviour.database, name, value)

    def job(self, kill=None, moment=None):
        """Runs one; `kill` is what is done to it after a while, or at a moment. Tells whether it was."""
        with closing(self.db.connect()) as connection, connection.cursor() as cursor:
            over, killed = threading.Event(), threading.Event()
            after = self.choice.uniform(0.05, 0.6)
            killer = threading.Thread(target=self.kill, args=(kill, connection, after, moment, over, killed))
            killer.start()
            try:
                cursor.execute("CALL odoo_sync_job(server => 'erp')")
                self.ends["well"] += 1
            except psycopg2.Error:
                self.ends["with an error"] += 1
            finally:
                over.set()
                killer.join()
        if killed.is_set() and kill == "kill -9":
            self.db.reconnect(after_crash=True)
        self.keep_calm()
        return killed.is_set()

    def keep_calm(self):
        """Whenever the stock was read to its end, a run without faults sees it too."""
        with closing(self.db.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT max(xmin::text) FROM odoo_etl.watermarks WHERE (server, target) = ('erp', 'fact_stock') "
                           "AND resume_after IS NULL")
            read, = cursor.fetchone()
            if read != self.stock_read:
                database = self.behaviour.database
                troubles = {name: getattr(database, name) for name in self.usual}
                self.relieve()
                cursor.execute("SELECT status FROM odoo_sync('stock', 'calm')")
                assert set(cursor.fetchall()) == {("ok",)}
                for name, value in troubles.items():
                    setattr(database, name, value)
        self.stock_read = read

    def kill(self, kill, connection, after, moment, over, killed):
        if moment is None:
            over.wait(after)
        else:
            while not moment() and not over.wait(0.02):
                pass
        if kill and not over.is_set():
            end(self.db, connection, kill)
            killed.set()

    def first_loads(self):
        """Jobs that are ended before every table has its keys: in the middle of pages, or of keys."""
        for tables in sorted(self.choice.sample(range(1, 17), 4), reverse=True):
            self.job(self.choice.choice(["cancel", "terminate"]), lambda: 0 < self.count_owed() <= tables)
            self.interrupted["at the beginning"] += self.count_owed() > 0
            self.shop.change()
        self.job()

    def look(self, sql, *args):
        """What another session sees, from any thread."""
        with closing(self.db.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.fetchone()[0]

    def count_owed(self):
        return self.look("SELECT count(*) FROM odoo_etl.first_loads WHERE server = 'erp'")

    def load_anew(self):
        """All tables are dropped, and with a fault in between loaded by jobs that end before they have all."""
        tables = "SELECT string_agg(format('public.%%I', tablename), ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s AND tablename !~ '_(daily|history)$'"
        known = self.choice.choice(["", "|^missing_data"])
        self.db.run(f"DROP TABLE IF EXISTS {self.db.value(tables, '^(dim|fact|all)_' + known) or 'none'}")
        self.inject()
        for where in self.choice.sample(["between pages", "at keys"], 2):
            is_ended = self.end_between_pages() if where == "between pages" else self.end_at_keys()
            self.interrupted[where] += is_ended and self.count_owed() > 0
            self.shop.change()
        self.relieve()

    def end_between_pages(self):
        table = self.choice.choice(LONG)
        self.behaviour.wishes = [*self.behaviour.wishes, Wish("slow=0.05@read")]
        return self.job(self.choice.choice(KILLS), lambda: self.is_in_a_scan(table))

    def end_at_keys(self):
        """In the transaction that makes an index or a key, or somewhere near."""
        piece, action = self.choice.randrange(2, 40), self.choice.choice([TERMINATE, CANCEL, ERROR, None])
        self.db.run(NO_PIECES)
        at_pieces(self.db, action or "NULL", f"n = {piece}")
        is_there = lambda: self.look("SELECT last_value FROM pieces") >= piece
        is_killed = self.job(self.choice.choice(KILLS), is_there) if action is None else self.job() or is_there()
        self.db.run(NO_PIECES)
        return is_killed

    def round(self):
        for _ in range(self.choice.randrange(1, 12)):
            self.shop.change()
        self.inject()
        self.job(self.choice.choice([None, None, None, "cancel", "terminate"]))
        self.relieve()
        if self.choice.random() < 0.5:
            self.resume_after_hours()

    def resume_after_hours(self):
        """A job is cancelled in the middle of a scan; somebody changes what it has read, and hours later
        the next one goes on behind that."""
        for id in self.shop.records("res.partner"):
            self.shop.write("res.partner", id, street=self.shop.text())
        self.behaviour.wishes = [*self.wishes, Wish("slow=0.2@read")]
        self.job("cancel", self.is_in_a_scan)
        self.relieve()
        self.pauses += self.is_in_a_scan()
        self.shop.pass_hours()
        self.shop.write("res.partner", min(self.shop.records("res.partner")), street=self.shop.text())
        for _ in range(self.choice.randrange(1, 6)):
            self.shop.change()
        self.shop.pass_hours()
        self.job(self.choice.choice([None, "cancel"]))

    def is_in_a_scan(self, table="%"):
        return self.look("SELECT EXISTS (SELECT FROM odoo_etl.watermarks WHERE target LIKE %s AND resume_after IS NOT NULL)", table)

    def reconcile(self):
        for entity in ENTITIES:
            self.db.run("SELECT * FROM odoo_reconcile(%s, 'erp')", entity)

    def keep_histories(self, server):
        for table in HISTORIES:
            self.db.run("SELECT odoo_keep_history(%s, %s)", table, server)

    def calm_round(self):
        """A job that meets faults, and is ended perhaps, then one that meets none: before anything changes
        again. So the other server's jobs, which never meet any, run at the same moments. One product, at
        least, has a past after each."""
        self.shop.reprice()
        for _ in range(self.choice.randrange(1, 12)):
            self.shop.change()
        self.inject()
        self.job(self.choice.choice([None, None, "cancel", "terminate"]))
        self.relieve()
        self.db.run("SELECT odoo_resume('erp')")
        # For so long what Odoo refused is not tried again.
        self.db.run("UPDATE odoo_etl.cache SET kept_at = kept_at - interval '61 minutes'")
        for server in ("erp", "sound"):
            self.db.run("CALL odoo_sync_job(server => %s)", server)
            self.db.run("CALL odoo_sync_job(server => %s, reconcile => true)", server)

    def differences(self):
        return unlike_a_full_load(self.db, "sound")


LONGER = pytest.mark.skipif(not IS_LONGER, reason="make test-convergence runs it")


@pytest.mark.parametrize("rights, settings, options, is_loaded_anew, rounds", [
    pytest.param({}, {}, {}, False, ROUNDS, id="all"),
    pytest.param(FEW_RIGHTS, {}, {}, False, ROUNDS, id="few"),
    pytest.param({}, HOSTILE, {}, False, HOSTILE_ROUNDS, id="settings"),
    pytest.param({}, {}, {}, True, ROUNDS, id="first-loads", marks=LONGER),
    pytest.param({}, {}, {"protocol": "web"}, True, ROUNDS, id="web", marks=LONGER),
])
def test_convergence(db, fake, rights, settings, options, is_loaded_anew, rounds):
    print(f"SEED={SEED} ROUNDS={rounds}")
    hostile.beset(db.cluster, f"DATABASE {db.name}", settings)
    db.connection.close()
    db.connection = db.connect()
    scene = Scene(db, fake, SEED, rights, **options)
    scene.first_loads()
    assert scene.interrupted["at the beginning"] > 0 and scene.count_owed() == 0
    scene.keep_histories("erp")
    for number in range(rounds):
        scene.load_anew() if is_loaded_anew and number % 2 else scene.round()
    db.run("SELECT odoo_resume('erp')")
    # For so long what Odoo refused is not tried again.
    db.run("UPDATE odoo_etl.cache SET kept_at = kept_at - interval '61 minutes'")
    scene.job()
    before = scene.differences()
    scene.reconcile()
    after = scene.differences()
    kinds = ", ".join(f"{fault} {count}" for fault, count in sorted(scene.faults.items(), key=str))
    print(f"first loads interrupted: {dict(scene.interrupted)}, faults: {kinds}\njobs that ended: {dict(scene.ends)}, {scene.pauses} scans went on hours later, {len(before)} differences after the job, "
          f"{len(after)} after the reconcile")
    assert after == []
    if rounds >= 15:
        assert is_loaded_anew and scene.interrupted["between pages"] + scene.interrupted["at keys"] > 0 or scene.pauses > 0
    # What only a reconcile finds are rows whose record was deleted.
    assert {(table, sign) for table, sign, _ in before} <= {("dim_customers", "+"), ("dim_products", "+")}
    assert db.run("TABLE odoo_quarantine") == []
    days = ("SELECT product_id, location_id, lot, owner_id, day, until, quantity, reserved, value FROM {}.fact_stock_daily "
            "ORDER BY 1, 2, 3, 4, 5")
    assert db.run(days.format("public")) == db.run(days.format("calm")) != []
    assert db.value("SELECT count(DISTINCT day) FROM fact_stock_daily") > 2 or rounds < 15
    assert db.run(KEYS, "public", "public") == db.run(KEYS, "truth", "truth")
    for table in HISTORIES:
        require_sound(db, table)
    for table in ("all_sales", "fact_sales_lines", "fact_purchases", "fact_stock"):
        channel = "row.channel" if "sales" in table else "''"
        assert db.run(f"SELECT gone.id FROM odoo_deleted AS gone JOIN {table} AS row ON gone.id = row.id AND gone.channel = {channel} "
                      "WHERE gone.target = %s", table) == []
    # The truth itself, counted without odoo_etl.
    records = scene.shop.records
    assert db.value("SELECT count(*) FROM dim_customers WHERE deleted_at IS NULL") == len(records("res.partner"))
    paid = {id for id, order in records("pos.order").items() if order["state"] in ("paid", "done", "invoiced")}
    lines = [line for line in records("pos.order.line").values() if line["order_id"] in paid]
    assert db.value("SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos'") == len(lines)


#: What is told of deleted rows; and with each column of a table what is told of its past.
DELETED = "SELECT target, channel, id FROM {}.odoo_deleted"
VERSIONS = "SELECT {} FROM {}.{}_history"


def test_the_past_is_that_of_calm_runs(db, fake):
    """Whatever runs met and whenever they ended: versions and deletes are those of runs that met
    nothing, at the same moments."""
    print(f"SEED={SEED} ROUNDS={ROUNDS}")
    scene = Scene(db, fake, SEED)
    scene.job()
    db.run("CALL odoo_sync_job(server => 'sound')")
    scene.keep_histories("erp")
    scene.keep_histories("sound")
    for _ in range(ROUNDS):
        scene.calm_round()
    count = 0
    for table in HISTORIES:
        require_sound(db, table)
        columns = ", ".join(f'"{name}"' for name, in db.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND attname NOT IN ('synced_at', 'deleted_at')", f"truth.{table}_history"))
        one, other = (VERSIONS.format(columns, schema, table) for schema in ("public", "truth"))
        assert db.run(f"SELECT '+', * FROM ({one} EXCEPT ALL {other}) a UNION ALL SELECT '-', * FROM ({other} EXCEPT ALL {one}) b") == []
        count += db.value(f"SELECT count(*) FROM {table}_history WHERE NOT is_current")
    one, other = DELETED.format("public"), DELETED.format("truth")
    assert db.run(f"({one} EXCEPT {other}) UNION ALL ({other} EXCEPT {one})") == []
    print(f"{count} versions that are past, {len(db.run(one))} rows deleted, jobs that ended: {dict(scene.ends)}")
    if ROUNDS >= 15:
        assert count >= ROUNDS and db.run(one) != []


def after(changes, **options):
    """A scene in which something happened after the first job, and a job after it."""

    def play(db, fake, without):
        scene = Scene(db, fake, 1, **options)
        scene.job()
        if without != "none":
            require_failpoints(db)
            db.run(f"ALTER DATABASE {db.name} SET odoo_etl.debug_without = '{without}'")
        changes(scene)
        scene.job()
        return scene

    return play


def commit_late(scene):
    scene.shop.now += timedelta(seconds=60)
    scene.shop.write("res.partner", 10, street="in time")
    scene.job()
    scene.shop.write("res.partner", 12, late=30, street="late")


def lose_lines(scene):
    for _ in range(4):
        scene.shop.now += timedelta(seconds=60)
        scene.shop.remove_line()
        scene.shop.drop_purchase_line()


def lose_partners(scene):
    for _ in range(9):
        scene.shop.delete()


def meet_poison(scene):
    scene.shop.now += timedelta(seconds=60)
    scene.shop.write("res.partner", 10, street="unreadable")
    scene.shop.write("res.partner", 12, street="readable")
    scene.behaviour.database.poison = ["res.partner", "10", "street"]


@pytest.mark.parametrize("changes, options, without, tables", [
    (commit_late, {"overlap": 0}, "none", {"dim_customers"}),
    (lose_lines, {}, "line_comparison", {"fact_sales_lines", "fact_purchases"}),
    (meet_poison, {}, "bisect", {"dim_customers"}),
])
def test_each_safeguard_is_needed(db, fake, changes, options, without, tables):
    scene = after(changes, **options)(db, fake, without)
    scene.behaviour.database.poison = None
    assert {table for table, _, _ in scene.differences()} == tables


@pytest.mark.parametrize("changes", [commit_late, lose_lines])
def test_with_the_safeguards_there_is_no_difference(db, fake, changes):
    assert after(changes)(db, fake, "none").differences() == []


def test_with_the_bisect_one_value_alone_is_missing(db, fake):
    scene = after(meet_poison)(db, fake, "none")
    assert db.run("SELECT record_id, field FROM odoo_quarantine") == [(10, "street")]
    assert db.value("SELECT street FROM dim_customers WHERE id = 12") == "readable"
    scene.behaviour.database.poison = None
    scene.job()
    assert scene.differences() == []


def test_without_a_reconcile_deleted_records_stay(db, fake):
    scene = after(lose_partners)(db, fake, "none")
    assert {(table, sign) for table, sign, _ in scene.differences()} <= {("dim_customers", "+"), ("dim_products", "+")}
    assert scene.differences() != []
    scene.reconcile()
    assert scene.differences() == []
