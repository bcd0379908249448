"""Users who are not administrators in the real Odoo: one of few rights, one whose language is French."""

import xmlrpc.client
from functools import cache

import psycopg2
import pytest

from ..conftest import BY_PASSWORD, Database
from . import shop as shop_data
from .conftest import Api, differences, rows, tables_of

#: What each table is read from; a user who may not search the model does not get the table.
MODELS = {
    "all_sales": {"pos": "pos.order", "sale": "sale.order"},
    "dim_branches": "pos.config",
    "dim_companies": "res.company",
    "dim_categories": "product.category",
    "dim_customers": "res.partner",
    "dim_departments": "hr.department",
    "dim_employees": "hr.employee",
    "dim_jobs": "hr.job",
    "dim_loyalty_cards": "loyalty.card",
    "dim_payment_methods": "pos.payment.method",
    "dim_pos_categories": "pos.category",
    "dim_picking_types": "stock.picking.type",
    "dim_products": "product.product",
    "dim_promotions": "loyalty.program",
    "dim_taxes": "account.tax",
    "dim_teams": "crm.team",
    "dim_users": "res.users",
    "dim_work_locations": "hr.work.location",
    "fact_loyalty": "loyalty.history",
    "fact_invoices": "account.move.line",
    "fact_payments": "pos.payment",
    "fact_currency_rates": "res.currency.rate",
    "fact_purchases": "purchase.order.line",
    "fact_sessions": "pos.session",
    "fact_sales_lines": {"pos": "pos.order.line", "sale": "sale.order.line"},
    "fact_stock": "stock.quant",
    "fact_stock_locations": "stock.location",
    "fact_stock_moves": "stock.move",
    "fact_warehouse": "stock.warehouse",
}

BEFORE_16 = {"dim_loyalty_cards": "coupon.coupon", "dim_promotions": "coupon.program"}

#: Which tables the columns refer to.
REFERENCES = """
    SELECT a.attname, c.confrelid::regclass::text
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[cardinality(c.conkey)]
    WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND cardinality(c.conkey) = 1
"""

#: Columns of employees whose fields are those of a group.
PRIVATE = {"gender", "birthday", "age", "hire_date", "tenure_years", "departure_date", "code", "country"}

#: What clerks do not see of other tables, by release: until 18 values of moves are the stock managers'.
HIDDEN = {("fact_stock_moves", 14): {"value", "unit_cost"}}

#: What is shown of employees to those who do not see those columns.
PROFILES = "SELECT id, date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date FROM hr_employee_public"

#: Of the groups that every shop's clerk has; neither HR, nor accounting, nor promotions.
FEW = [("base", "group_user"), ("point_of_sale", "group_pos_user"), ("stock", "group_stock_user")]

#: Which models those may not read at all.
REFUSED = {14: {"dim_jobs", "dim_loyalty_cards", "dim_promotions", "fact_invoices"}, 19: set()}

#: What an administrator of the modules has.
ALL = [
    ("base", "group_system"), ("point_of_sale", "group_pos_manager"), ("stock", "group_stock_manager"),
    ("purchase", "group_purchase_manager"), ("sales_team", "group_sale_manager"), ("hr", "group_hr_manager"),
]


class User:
    """A user of Odoo, and a warehouse that is filled in the user's name."""

    def __init__(self, server, api, name, groups, language="en_US"):
        self.groups = groups
        self.api = Api(server, shop_data.user(api, name, groups, language), name)
        self.name, self.url = name, server.url

    def connect(self, db, **options):
        db.server(self.url, protocol=BY_PASSWORD, **options)
        db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login '{self.name}', SET password '{self.name}')")

    def models(self, table):
        """The model by the first part of the key, None where there is but one."""
        if self.api.release < 16 and table in BEFORE_16:
            return {None: BEFORE_16[table]}
        models = MODELS[table]
        return models if isinstance(models, dict) else {None: models}

    def may_see(self, table):
        """The keys that the user may search, by Odoo's own answer; None without the right."""
        try:
            return {
                (channel, id) if channel else (id,)
                for channel, model in self.models(table).items()
                for id in self.api(model, "search", [], context={"active_test": False})
            }
        except xmlrpc.client.Fault as fault:
            assert fault.faultCode == 4, fault.faultString
            return None


class Books:
    """A warehouse that was filled in a user's name, and how its values should read."""

    def __init__(self, db, user, language):
        self.db, self.user, self.language = db, user, language
        user.connect(db, **({"language": language} if language != "en_US" else {}))
        db.run("SELECT odoo_enable('invoices')")
        self.first = db.report("SELECT * FROM odoo_sync_all()")
        self.tables = [table for table in MODELS if self.first[table]["status"] != "absent"]
        self.look()

    def look(self):
        """Asks Odoo anew what the user may see."""
        self.seen = {table: self.user.may_see(table) for table in self.tables}

    def all_differences(self, truth):
        self.look()
        return [line for table in self.tables for line in self.differences(truth, table)]

    def differences(self, truth, table):
        """What is otherwise than Odoo's database has it, as far as the user may see it."""
        parents = dict(self.db.run(REFERENCES, table))
        # Without HR rights Odoo shows the public profile, which is dated otherwise in 19.
        profiles = rows(truth, PROFILES) if table == "dim_employees" and self.user.groups is FEW else {}

        def expect(key, row):
            if key not in (self.seen[table] or ()):
                return None
            row = {**row, **profiles.get(key, {})}
            return {column: value if self.shows(table, column, value, parents.get(column)) else None
                    for column, value in row.items()}

        return differences(self.db, truth, table, self.language, expect)

    def shows(self, table, column, value, parent):
        """Whether a value is the user's to see: not of a private field, nor the id of a record that
        the user may not read."""
        if column in HIDDEN.get((table, self.user.api.release), ()) and self.user.groups is FEW:
            return False
        if table == "dim_employees" and column in PRIVATE and self.user.groups is FEW:
            return False
        return parent is None or (value,) in (self.seen.get(parent) or ())


#: Whose warehouse it is, and in which language its values are.
WAREHOUSES = [
    pytest.param(("few", "en_US"), id="few"),
    pytest.param(("french", "en_US"), id="french", marks=pytest.mark.whole),
    pytest.param(("french", "fr_FR"), id="french-values", marks=pytest.mark.whole),
]


@pytest.fixture(scope="module")
def users(real, api):
    """Makes users, each once."""
    made = shop_data.furnish(api)

    @cache
    def user(name):
        if name == "few":
            return User(real, api, name, FEW)
        shop_data.french(api)
        api("product.product", "write", [made["tea"]], {"name": "Thé bleu-vert"}, context={"lang": "fr_FR"})
        return User(real, api, name, ALL, "fr_FR")

    return user


@pytest.fixture(scope="module", params=WAREHOUSES)
def books(request, cluster, users):
    name, language = request.param
    db = Database(cluster)
    yield Books(db, users(name), language)
    db.connection.close()
    cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


def test_what_the_user_may_see_is_there(books, truth):
    assert set(books.tables) == set(tables_of(truth.queries))
    assert books.all_differences(truth) == []


def test_what_is_left_out_is_what_odoo_refuses(books):
    refused = {table for table in books.tables if books.seen[table] is None}
    assert refused == (REFUSED[books.user.api.release] if books.user.groups is FEW else set())
    assert {table: books.first[table]["status"] for table in books.tables} == {
        table: "denied" if table in refused else "ok" for table in books.tables
    }


def test_jobs_do_what_a_run_does(books, api, truth):
    """Changes too: the second job asks what has changed, in other words than the first."""
    db = books.db
    employee = api("hr.employee", "search", [])[0]
    for number, job in enumerate(["CALL odoo_sync_job()", "CALL odoo_sync_job(reconcile => true)"]):
        api("hr.employee", "write", [employee], {"work_phone": f"+32 {number}"})
        shop_data.create(api, "res.partner", name=f"Born {number}")
        db.run(job)
        assert books.all_differences(truth) == []
    assert db.run("SELECT target, state, last_error FROM odoo_sync_status WHERE failures > 0") == []
    assert db.run("SELECT * FROM odoo_quarantine") == []


def test_verify_and_reconcile_have_nothing_to_tell(books):
    found = books.db.run("SELECT target, missing, stale, deleted FROM odoo_verify('all')")
    assert {row[0] for row in found} >= {table for table in books.tables if books.seen[table] is not None}
    assert [row for row in found if row[1:] != (0, 0, 0)] == []
    healed = books.db.report("SELECT * FROM odoo_reconcile('all')")
    assert {row["status"] for row in healed.values()} <= {"ok", "absent", "denied"}
    assert sum(row["inserted"] + row["updated"] + row["deleted"] for row in healed.values()) == 0


def test_foreign_tables_can_be_read_whole(books):
    """Tools that write reports select all columns."""
    db, user = books.db, books.user
    db.run("CREATE SCHEMA live")
    for model in [model for table in books.tables for model in user.models(table).values()]:
        table = model.replace(".", "_")
        select = f"SELECT * FROM live.{table}"
        make = f"IMPORT FOREIGN SCHEMA odoo LIMIT TO ({table}) FROM SERVER erp INTO live"
        try:
            ids = user.api(model, "search", [], context={"active_test": False})
        except xmlrpc.client.Fault:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege, match=model):
                db.run(make)
                db.run(select)
        else:
            db.run(make)
            assert len(db.run(select)) == len(ids), table
