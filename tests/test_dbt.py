"""The dbt package: it builds, says what the reports say, and follows the warehouse without writing what did not change."""

import json
import re
import subprocess

import psycopg2.extensions
import pytest

from .conftest import Database
from .lab import places, releases
from .test_in_step import Shop, paid_order_with_lines

PACKAGE = places.CHECKOUT / "dbt"
REQUIREMENTS = places.CHECKOUT / "tests/lab/requirements-dbt.txt"

#: Answers lists of arguments by results, in one process: most of a dbt command's time is its start.
SERVE = """
import json, os, sys
from dbt.cli.main import dbtRunner
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    told = []
    note = lambda event: told.append(event.info.msg) if event.info.level in ("warn", "error") else None
    done = dbtRunner(callbacks=[note]).invoke(json.loads(line))
    results = {result.node.name: (str(result.status), result.failures) for result in getattr(done.result, "results", [])}
    print(json.dumps([done.success, str(done.exception or ""), results, told]), file=answers, flush=True)
"""

NO_GENERIC = ["--exclude", "test_type:generic"]
ORDERS = """SELECT channel, order_id, business_date, ordered_at, branch_id, company_id, customer_id, employee_id, user_id, currency,
    is_refund, amount, amount_untaxed, lines, units, revenue, settled, settled_lines, settled_units, is_settlement
    FROM marts.odoo__orders WHERE is_sale ORDER BY 1, 2"""
LINES = """SELECT channel, order_line_id, order_id, business_date, branch_id, company_id, customer_id, currency, is_refund,
    product_id, promotion_id, quantity, uom, units, is_reward, revenue, total, given
    FROM marts.odoo__order_lines WHERE is_counted ORDER BY 1, 2"""
DAYS = """SELECT business_date, channel, branch_id, branch, company_id, currency, orders, refunds, units, amount, amount_untaxed, settled
    FROM marts.odoo__daily_branch ORDER BY 1, 2, 3, 5, 6"""
SAME = [
    (ORDERS, ORDERS.replace("order_id", "id").replace("marts.odoo__orders WHERE is_sale", "reports.sales")),
    (LINES, LINES.replace("order_line_id", "id").replace("marts.odoo__order_lines WHERE is_counted", "reports.sales_lines")),
    (DAYS, DAYS.replace("marts.odoo__daily_branch", "reports.sales_by_day")),
    ("SELECT warehouse_id, currency, sum(value) FROM marts.odoo__inventory_levels GROUP BY 1, 2 ORDER BY 1, 2",
     "SELECT warehouse_id, currency, sum(value) FROM reports.stock_ageing GROUP BY 1, 2 ORDER BY 1, 2"),
    ("SELECT product_id, sum(on_hand), sum(reserved) FROM marts.odoo__inventory_levels WHERE is_storable GROUP BY 1 HAVING sum(on_hand) <> 0 ORDER BY 1",
     "SELECT product_id, sum(on_hand), sum(reserved) FROM reports.stock_turns GROUP BY 1 HAVING sum(on_hand) <> 0 ORDER BY 1"),
    ("SELECT customer_id, buyer_id, buyer FROM marts.odoo__customers ORDER BY 1",
     "SELECT customer_id, buyer_id, buyer FROM reports.buyers ORDER BY 1"),
    ("SELECT buyer_id, currency, sum(orders), sum(revenue), max(last_order_on) FROM marts.odoo__customers WHERE currencies = 1 "
     "GROUP BY 1, 2 ORDER BY 1, 2",
     "SELECT buyer_id, currency, orders, revenue, last_order FROM reports.customers_rfm ORDER BY 1, 2"),
]


class Dbt:
    """dbt at work, and what it made of the last command."""

    def __init__(self, folder):
        self.folder = folder
        python = releases.environment(REQUIREMENTS, what="dbt") / "bin/python"
        environment = {**places.service_environment(), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_QUIET": "true"}
        self.process = subprocess.Popen([python, "-P", "-c", SERVE], cwd=folder, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def profile(self, db, user="postgres"):
        """Leads to a database from now on."""
        parts = psycopg2.extensions.parse_dsn(db.cluster.dsn(db.name))
        output = {"type": "postgres", "host": parts["host"], "port": int(parts["port"]), "user": user, "password": "",
                  "dbname": db.name, "schema": "marts", "threads": 4}
        text = json.dumps({"odoo": {"target": "test", "outputs": {"test": output}}})
        (self.folder / "profiles.yml").write_text(text)

    def run(self, *arguments, project=PACKAGE, **variables):
        """Whether it went well; statuses and warnings are kept."""
        command = [*arguments, "--project-dir", str(project), "--profiles-dir", str(self.folder), "--log-path", str(self.folder / "logs")]
        command += [] if arguments[0] == "deps" else ["--target-path", str(self.folder / "target" / project.name)]
        command += ["--vars", json.dumps(variables)] if variables else []
        print(json.dumps(command), file=self.process.stdin, flush=True)
        success, error, results, self.told = json.loads(self.process.stdout.readline())
        self.results = {name: status for name, (status, _) in results.items()}
        self.failures = {name: failures for name, (_, failures) in results.items()}
        assert not error, error
        return success

    def failed(self):
        return {name for name, status in self.results.items() if status not in ("success", "pass")}

    def manifest(self):
        return json.loads((self.folder / "target/dbt/manifest.json").read_text())


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    dbt = Dbt(tmp_path_factory.mktemp("dbt"))
    yield dbt
    dbt.process.kill()
    dbt.process.communicate()


@pytest.fixture(scope="module")
def shop(cluster, fake):
    """With a warehouse that is filled once."""
    db = Database(cluster)
    shop = Shop(db, fake, "version=19")
    db.run("SELECT * FROM odoo_sync_all()")
    db.connection.close()
    yield shop
    cluster.sql(f"DROP DATABASE {db.name} WITH (FORCE)")


@pytest.fixture
def db(cluster, shop):
    """A copy of that warehouse, always under the same name: for another one dbt would parse everything again."""
    cluster.sql(f"CREATE DATABASE dbt TEMPLATE {shop.db.name}")
    database = Database.of(cluster, "dbt")
    yield database
    database.connection.close()
    cluster.sql("DROP DATABASE dbt WITH (FORCE)")


@pytest.fixture
def dbt(service, db):
    service.profile(db)
    return service


def equal_the_reports(db):
    db.run("SELECT odoo_create_reports()")
    for mart, report in SAME:
        rows = db.run(mart)
        assert rows == db.run(report) and rows, mart


def test_it_builds_and_says_what_the_reports_say(db, dbt):
    assert dbt.run("build"), (dbt.failed(), dbt.told)
    assert (dbt.failed(), dbt.told) == (set(), [])
    assert sum(name.startswith("source_") for name in dbt.results) > 100
    equal_the_reports(db)
    # Two currencies, a draft that is no sale, a line that counts elsewhere.
    assert db.run("SELECT channel, currency, orders, refunds, amount, settled, revenue, cost, margin FROM marts.odoo__daily_branch "
                  "ORDER BY business_date, channel") == [
        ("pos", "USD", 1, 0, 24, 24, 0, None, None), ("pos", "EUR", 2, 1, -1, 0, -1, 0, 0), ("sale", "EUR", 1, 0, 24, 0, 20, None, None)]
    assert db.run("SELECT order_key, is_sale FROM marts.odoo__orders ORDER BY 1") == [
        (-77, False), (-71, True), (71, True), (74, True), (76, True)]
    assert db.run("SELECT settles_line_key FROM marts.odoo__order_lines WHERE is_settlement") == [(-81,)]
    assert db.value("SELECT tags FROM marts.odoo__customers WHERE customer_id = 10") == ['a "quoted", one', "Gold"]
    every_column_is_described(db, dbt.manifest())
    assert dbt.run("source", "freshness"), dbt.told


def every_column_is_described(db, manifest):
    """Those that there are, and no others; arrays stay what they are."""
    made = db.run("SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
                  "WHERE table_schema = 'marts' GROUP BY 1")
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert {name for name, _ in made} == nodes.keys()
    for name, columns in made:
        assert nodes[name]["description"], name
        assert list(nodes[name]["columns"]) == columns, name
        assert all(column["description"] for column in nodes[name]["columns"].values()), name
    arrays = ("SELECT DISTINCT column_name::text FROM information_schema.columns WHERE table_name ~ %s AND data_type = 'ARRAY' ORDER BY 1")
    assert db.run(arrays, "^stg_odoo__") == db.run(arrays, "^(dim|fact)_")


def places_of(db, mart, key):
    """Where each row is, and which transaction wrote it."""
    return dict(db.run(f"SELECT {key}, (xmin::text, ctid::text) FROM marts.{mart}"))


def rewritten(before, after):
    return {key for key in before.keys() & after.keys() if before[key] != after[key]}


def test_changes_and_deletes_are_taken_over_and_nothing_else_is_written(db, shop, dbt):
    assert dbt.run("run"), (dbt.failed(), dbt.told)
    look = lambda: (places_of(db, "odoo__orders", "order_key"), places_of(db, "odoo__order_lines", "order_line_key"))
    again = lambda: dbt.run("build", "--select", "path:models/marts", *NO_GENERIC) or pytest.fail(str((dbt.failed(), dbt.told)))
    orders, lines = look()
    again()
    assert look() == (orders, lines)

    # A line changes, an order leaves, a line goes that its order does not tell of, another comes.
    shop.write("sale.order.line", 81, "2030-01-01 00:00:00", price_unit=13.0, price_subtotal=20.8, price_total=24.96)
    shop.write("sale.order", 71, "2030-01-01 00:00:00", amount_untaxed=20.8, amount_tax=4.16, amount_total=24.96)
    shop.write("pos.order", 74, "2030-01-01 00:00:00", state="cancel")
    db.run("SELECT * FROM odoo_sync('sales')")
    line = shop.records("pos.order.line").pop(82)
    db.run("SELECT * FROM odoo_reconcile('sales')")
    again()
    after = look()
    assert orders.keys() - after[0].keys() == {74} and lines.keys() - after[1].keys() == {80, 82}
    assert rewritten(orders, after[0]) == {71, -71} and rewritten(lines, after[1]) == {-81}
    assert db.run("SELECT revenue, total, is_counted FROM marts.odoo__order_lines WHERE order_line_key = -81") == [
        (db.value("SELECT 20.8"), db.value("SELECT 24.96"), True)]
    # Which the reward made cheaper: now the lines are more than the order.
    assert dbt.results["odoo_orders_equal_their_lines"] == "warn"
    equal_the_reports(db)

    # What comes back is there again.
    shop.records("pos.order.line")[82] = line
    shop.write("pos.order", 74, "2030-01-02 00:00:00", state="done")
    db.run("SELECT * FROM odoo_reconcile('sales')")
    again()
    assert look()[0].keys() == orders.keys() and look()[1].keys() == lines.keys()
    assert not dbt.failed()
    equal_the_reports(db)


def test_what_commits_late_is_not_lost(db, dbt):
    """A transaction wrote before the rows that dbt saw, and commits after it."""
    late = db.connect()
    late.autocommit = False
    with late.cursor() as cursor:
        cursor.execute("UPDATE all_sales SET reference = 'late', synced_at = clock_timestamp() WHERE channel = 'pos' AND id = 71")
    db.run("UPDATE all_sales SET reference = 'early', synced_at = clock_timestamp() WHERE channel = 'sale' AND id = 71")
    assert dbt.run("run", "--select", "+odoo__orders"), dbt.told
    seen = "SELECT order_key, reference FROM marts.odoo__orders WHERE order_id = 71 ORDER BY 1"
    assert db.run(seen) == [(-71, "early"), (71, "Order 51-1")]
    late.commit()
    late.close()
    assert db.value("SELECT synced_at < (SELECT max(synced_at) FROM marts.odoo__orders) FROM all_sales WHERE reference = 'late'")
    assert dbt.run("run", "--select", "+odoo__orders"), dbt.told
    assert db.run(seen) == [(-71, "early"), (71, "late")]


def test_no_sum_is_of_two_currencies(db, dbt):
    """Of those who bought in several, the orders are counted and the revenue is not told."""
    bought = "SELECT orders, refunds, currencies, currency, revenue::integer FROM marts.odoo__customers WHERE customer_id = 10"
    assert dbt.run("run", "--select", "+odoo__customers"), dbt.told
    assert db.run(bought) == [(2, 0, 1, "EUR", 29)]
    db.run("UPDATE all_sales SET currency = 'USD', synced_at = clock_timestamp() WHERE channel = 'sale' AND id = 71")
    assert dbt.run("run", "--select", "+odoo__customers"), dbt.told
    assert db.run(bought) == [(2, 0, 2, None, None)]


@pytest.fixture
def analyst(db):
    """A role that may read the warehouse, which is in a schema whose name is odd."""
    role = f"analyst_{db.name}"
    db.run(f"""ALTER SCHEMA public RENAME TO "Ma""ga's in"; CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {db.name} TO {role};
        GRANT USAGE ON SCHEMA "Ma""ga's in" TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA "Ma""ga's in" TO {role}""")
    yield role
    db.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def without_stock():
    """The README's selectors.yml."""
    [block] = re.findall(r"```yaml\n(selectors:.*?)```", (PACKAGE / "README.md").read_text(), re.S)
    return block


def test_another_project_has_it_as_a_package(db, analyst, dbt, tmp_path):
    """With its own variables, over a warehouse without stock in another schema, by a role of few rights."""
    db.run("""DROP TABLE "Ma""ga's in".fact_stock""")
    dbt.profile(db, analyst)
    project = tmp_path / "shop"
    (project / "models").mkdir(parents=True)
    variables = {"odoo_schema": 'Ma""ga\'s in', "odoo_timezone": "America/New_York", "odoo_tolerance": 0}
    (project / "dbt_project.yml").write_text(json.dumps({"name": "shop", "profile": "odoo", "vars": variables}))
    (project / "selectors.yml").write_text(without_stock())
    (project / "packages.yml").write_text(json.dumps({"packages": [{"local": str(PACKAGE)}]}))
    (project / "models/mine.sql").write_text("SELECT sum(orders) AS orders FROM {{ ref('odoo__daily_branch') }}")
    assert dbt.run("deps", project=project), dbt.told
    assert dbt.run("run", project=project), (dbt.failed(), dbt.told)
    assert (dbt.failed(), dbt.told) == (set(), [])
    assert "odoo__products" in dbt.results and "odoo__inventory_levels" not in dbt.results
    assert db.value("SELECT orders FROM marts.mine") == 4
    db.run("""UPDATE "Ma""ga's in".dim_customers SET created_at = '2024-01-01 03:00:00+00' WHERE id = 10""")
    assert str(db.value("SELECT created_on FROM marts.stg_odoo__customer WHERE customer_id = 10")) == "2023-12-31"


def test_an_empty_warehouse_builds(db, dbt):
    tables = [name for name, in db.run("SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")]
    db.run(f"TRUNCATE {', '.join(tables)}")
    assert dbt.run("build", *NO_GENERIC), (dbt.failed(), dbt.told)
    assert not dbt.failed()
    assert db.value("SELECT count(*) FROM marts.odoo__orders") == 0


def test_what_is_missing_is_named_and_can_be_left_out(db, dbt):
    db.run("DROP TABLE fact_stock, fact_purchases")
    some = ["--select", "+odoo__inventory_levels", "stg_odoo__purchase_line", "stg_odoo__order"]
    assert not dbt.run("run", *some)
    assert dbt.failed() == {"stg_odoo__stock", "stg_odoo__purchase_line", "odoo__inventory_levels"}
    [told] = [text for text in dbt.told if "has no" in text]
    assert "schema public has no fact_purchases, fact_stock. " in told
    without = told.partition("--exclude ")[2].split()
    assert dbt.run("run", *some, "--exclude", *without), (dbt.failed(), dbt.told)
    assert not dbt.failed() and dbt.told == [] and {"stg_odoo__order", "stg_odoo__location"} <= dbt.results.keys()


def test_its_tests_fail_where_numbers_are_not_right(db, dbt):
    assert dbt.run("run"), dbt.told
    db.run("UPDATE marts.odoo__daily_branch SET amount = amount + 1 WHERE currency = 'USD'; "
           "UPDATE marts.odoo__orders SET amount = amount + 1 WHERE order_key = 71; "
           "DELETE FROM marts.odoo__orders WHERE order_key = -77; UPDATE all_sales SET synced_at = '2024-01-01' WHERE id = 77; "
           "DELETE FROM fact_payments WHERE order_id = 76; DELETE FROM fact_sales_lines WHERE id = 86; DELETE FROM all_sales WHERE id = 76; "
           "UPDATE marts.odoo__customers SET customer_id = NULL WHERE customer_id = 3; "
           "INSERT INTO marts.odoo__inventory_levels TABLE marts.odoo__inventory_levels")
    assert not dbt.run("test", "--select", "test_type:singular", "odoo__customers", "odoo__inventory_levels")
    assert dbt.results["odoo_orders_equal_their_lines"] == "warn"
    assert {name for name, status in dbt.results.items() if status == "fail"} == {
        "odoo_daily_branch_equals_orders", "odoo_nothing_is_left_behind", "not_null_odoo__customers_customer_id",
        next(name for name in dbt.results if name.startswith("odoo_unique_together_odoo__inventory_levels"))}
    # An order that is missing here, and one that is gone from the warehouse with its line.
    assert dbt.failures["odoo_nothing_is_left_behind"] == 3
