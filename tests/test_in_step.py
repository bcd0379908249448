"""Nothing lost, nothing stale: incremental runs, deletes, poison, on a fake that changes."""

import time

import psycopg2
import pytest

from .conftest import url
from .fake.orm import Fault, traceback_of
from .fake.server import behaviour_of

SYNC = "SELECT * FROM odoo_sync('products')"
OLD, NEW = "2024-01-01 00:00:00", "2024-06-01 12:00:00"


class Shop:
    """A fake of one's own, whose records the test changes."""

    def __init__(self, db, fake, behaviour, **options):
        prefix = f"/{behaviour}/only={db.name}"
        db.server(url(fake, prefix.strip("/")), **options)
        self.db, self.behaviour = db, behaviour_of(prefix)
        self.models = self.behaviour.database.models

    def records(self, model):
        return self.models[model].records

    def write(self, model, id, write_date=NEW, **values):
        self.records(model)[id].update(values, write_date=write_date)


@pytest.fixture
def shop(db, fake):
    return Shop(db, fake, "rows=40")


@pytest.fixture
def orders(db, fake):
    return Shop(db, fake, "version=19")


def fetched(db, statement=SYNC, table="dim_products"):
    return db.report(statement)[table]["fetched"]


def test_the_next_run_reads_what_changed(db, shop):
    shop.write("product.product", 1, NEW)
    assert fetched(db) == 40
    shop.write("product.product", 7, "2024-06-01 13:00:00", name="Renamed")
    report = db.report(SYNC)["dim_products"]
    # The last change of before lies within the overlap.
    assert (report["fetched"], report["updated"]) == (2, 1)
    assert db.value("SELECT name FROM dim_products WHERE id = 7") == "Renamed"
    assert fetched(db, "SELECT * FROM odoo_sync('products', full_refresh => true)") == 40


@pytest.mark.parametrize("overlap, found", [(600, True), (0, False)])
def test_a_late_commit_lies_behind_the_watermark(db, fake, overlap, found):
    """Odoo dates a change by its transaction's start. Without the overlap it would be lost."""
    shop = Shop(db, fake, "rows=40", overlap=overlap)
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    shop.write("product.product", 7, "2024-06-01 11:55:00", name="Late")
    db.run(SYNC)
    assert (db.value("SELECT name FROM dim_products WHERE id = 7") == "Late") is found


def test_a_run_that_fails_leaves_the_watermark(db, shop):
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    shop.write("product.product", 7, "2024-06-01 13:00:00", name="Renamed")
    shop.behaviour.database.denied = None
    db.run("SET statement_timeout = '1ms'")
    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run(SYNC)
    db.run("RESET statement_timeout")
    db.run(SYNC)
    assert db.value("SELECT name FROM dim_products WHERE id = 7") == "Renamed"


def test_a_changed_template_is_a_change_of_its_variants(db, fake):
    shop = Shop(db, fake, "version=16", overlap=0)
    templates = shop.records("product.template")
    db.run(SYNC)
    product = next(iter(shop.records("product.product").values()))
    template = templates[product["product_tmpl_id"]]
    template.update(list_price=77.5, write_date="2030-01-01 00:00:00")
    db.run(SYNC)
    assert db.value("SELECT list_price FROM dim_products WHERE id = %s", product["id"]) == 77.5


def test_a_watermark_ahead_of_odoos_clock_is_said_and_scanned_again(db, shop):
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    db.run("UPDATE odoo_etl.watermarks SET watermark = now() + interval '1 day'")
    shop.write("product.product", 7, NEW, name="Renamed")
    assert fetched(db) == 40
    assert "set back" in db.notices
    assert db.value("SELECT name FROM dim_products WHERE id = 7") == "Renamed"
    assert db.value("SELECT watermark < now() FROM odoo_etl.watermarks WHERE target = 'dim_products'")


def test_a_record_dated_in_the_future_costs_no_other(db, shop):
    shop.behaviour.clock = 1704153600  # 2024-01-02
    shop.write("product.product", 5, "2024-03-01 00:00:00", name="Ahead")
    assert fetched(db) == 40
    # It alone is read again, as long as its date is to come.
    assert fetched(db) == 1
    assert "set back" not in db.notices
    assert db.value("SELECT watermark < '2024-01-02 00:01:00+00' FROM odoo_etl.watermarks WHERE target = 'dim_products'")
    shop.write("product.product", 7, "2024-01-02 00:00:00", name="Now")
    assert fetched(db) == 2
    assert db.value("SELECT name FROM dim_products WHERE id = 7") == "Now"
    shop.behaviour.clock += 90 * 86400
    fetched(db)
    assert fetched(db) == 0


def test_small_tables_notice_deletes_in_every_run(db, shop):
    db.run(SYNC)
    gone = shop.records("product.category").pop(2)
    db.run("SELECT * FROM odoo_sync('categories')")
    assert db.value("SELECT deleted_at IS NOT NULL FROM dim_categories WHERE id = 2")
    shop.records("product.category")[2] = gone
    db.run("SELECT * FROM odoo_sync('categories')")
    assert db.value("SELECT deleted_at IS NULL FROM dim_categories WHERE id = 2")


def test_verify_tells_and_reconcile_repairs(db, shop):
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    db.run("DELETE FROM dim_products WHERE id = 5")
    shop.records("product.product").pop(6)
    shop.write("product.product", 7, "2023-01-01 00:00:00", name="Older")
    told = db.run("SELECT target, in_odoo, in_warehouse, missing, stale, deleted FROM odoo_verify('products')")
    assert told == [("dim_products", 39, 39, 1, 1, 1)]
    # An incremental run sees none of it.
    db.run(SYNC)
    assert db.value("SELECT count(*) FROM dim_products WHERE deleted_at IS NULL") == 39
    report = db.report("SELECT * FROM odoo_reconcile('products')")["dim_products"]
    assert (report["inserted"], report["updated"], report["deleted"]) == (1, 1, 1)
    told = db.run("SELECT missing, stale, deleted FROM odoo_verify('products')")
    assert told == [(0, 0, 0)]
    assert db.value("SELECT name FROM dim_products WHERE id = 7") == "Older"


def test_a_scan_that_shows_nothing_deletes_nothing(db, shop):
    db.run(SYNC)
    shop.records("product.product").clear()
    for statement in ("SELECT * FROM odoo_reconcile('products')",
                      "SELECT * FROM odoo_sync('products', full_refresh => true)"):
        with pytest.raises(psycopg2.Error, match="shows none of the 40 records") as raised:
            db.run(statement)
        assert "Nothing was deleted" in str(raised.value)
    assert db.value("SELECT count(*) FROM dim_products WHERE deleted_at IS NULL") == 40


def paid_order_with_lines(shop):
    lines = shop.records("pos.order.line")
    counts = {}
    for line in lines.values():
        order = shop.records("pos.order")[line["order_id"]]
        if order["state"] in ("paid", "done"):
            counts.setdefault(order["id"], []).append(line["id"])
    return next((order, ids) for order, ids in counts.items() if len(ids) > 1)


def test_lines_that_a_changed_order_no_longer_has_are_deleted(db, orders):
    db.run("SELECT * FROM odoo_sync_all()")
    order, lines = paid_order_with_lines(orders)
    orders.records("pos.order.line").pop(lines[0])
    orders.write("pos.order", order, "2030-01-01 00:00:00")
    report = db.report("SELECT * FROM odoo_sync('sales')")
    assert report["fact_sales_lines"]["deleted"] == 1
    found = db.run(
        "SELECT id FROM fact_sales_lines WHERE channel = 'pos' AND order_id = %s ORDER BY id", order
    )
    assert [row[0] for row in found] == sorted(lines[1:])


def test_an_order_that_leaves_the_table_takes_its_lines_along(db, orders):
    db.run("SELECT * FROM odoo_sync_all()")
    order, lines = paid_order_with_lines(orders)
    orders.write("pos.order", order, "2030-01-01 00:00:00", state="cancel")
    db.run("SELECT * FROM odoo_sync('sales')")
    assert db.value("SELECT count(*) FROM all_sales WHERE channel = 'pos' AND id = %s", order) == 0
    assert db.value(
        "SELECT count(*) FROM fact_sales_lines WHERE channel = 'pos' AND id = ANY(%s)", lines
    ) == 0


def test_stock_is_a_snapshot(db, orders):
    db.run("SELECT * FROM odoo_sync('stock')")
    quants = orders.records("stock.quant")
    gone, changed = list(quants)[:2]
    quants.pop(gone)
    # Odoo merges quants by SQL, which leaves the write_date.
    quants[changed]["quantity"] = 4711.0
    report = db.report("SELECT * FROM odoo_sync('stock')")["fact_stock"]
    assert (report["updated"], report["deleted"]) == (1, 1)
    assert db.value("SELECT quantity FROM fact_stock WHERE id = %s", changed) == 4711


@pytest.mark.parametrize("field", ["list_price", "*"])
def test_one_bad_value_costs_no_page(db, fake, field):
    shop = Shop(db, fake, f"rows=40/poison=product.product:13:{field}")
    report = db.report(SYNC)["dim_products"]
    whole = field == "*"
    assert report["status"] == "partial" and report["quarantined"] == 1
    assert db.value("SELECT count(*) FROM dim_products") == (39 if whole else 40)
    kept = db.run("SELECT model, record_id, field, error FROM odoo_quarantine")
    assert len(kept) == 1
    assert kept[0][:3] == ("product.product", 13, "" if whole else "list_price")
    assert "cannot marshal None" in kept[0][3]
    if not whole:
        assert db.run("SELECT name, list_price FROM dim_products WHERE id = 13") == [("Product 13", None)]
    # As long as it cannot be read, each run says so; the next that can clears the entry.
    report = db.report(SYNC)["dim_products"]
    assert (report["status"], report["quarantined"]) == ("partial", 1)
    shop.behaviour.database.poison = None
    report = db.report(SYNC)["dim_products"]
    assert (report["status"], report["quarantined"]) == ("ok", 0)
    assert str(db.value("SELECT list_price FROM dim_products WHERE id = 13")) == "13.99"


def test_many_records_in_quarantine_do_not_fail_a_run(db, fake):
    """More than one page may have, but of several pages."""
    shop = Shop(db, fake, "rows=200", page_size=40)
    read = shop.models["product.product"].read

    def raise_often(ids, fields=(), **options):
        if any(id % 3 == 0 for id in ids):
            raise traceback_of("TypeError: cannot marshal None unless allow_none is enabled")
        return read(ids, fields, **options)

    shop.models["product.product"].read = raise_often
    for _ in range(2):
        report = db.report(SYNC)["dim_products"]
        assert (report["status"], report["quarantined"]) == ("partial", 66)
    shop.models["product.product"].read = read
    report = db.report(SYNC)["dim_products"]
    assert (report["status"], report["inserted"], report["quarantined"]) == ("ok", 66, 0)


def test_a_record_that_is_gone_leaves_the_quarantine(db, fake):
    shop = Shop(db, fake, "rows=40/poison=product.product:13:list_price")
    db.run(SYNC)
    shop.records("product.product").pop(13)
    shop.behaviour.database.poison = None
    assert db.report(SYNC)["dim_products"]["quarantined"] == 0


def test_a_fault_of_every_record_is_no_poison(db, fake):
    """Nobody wants a thousand requests for a page that Odoo cannot give at all."""
    db.server(url(fake, "rows=2000/fault=1@read"))
    before = len(fake.calls)
    with pytest.raises(psycopg2.Error, match="it went wrong"):
        db.run(SYNC)
    assert len(fake.calls) - before < 1500


def test_pages_shrink_where_odoo_asks_for_less(db, fake):
    db.server(url(fake, "rows=1000/most=100"), page_size=800)
    assert db.report(SYNC)["dim_products"]["inserted"] == 1000


def test_a_time_out_makes_pages_smaller_and_is_not_waited_for_again(db, fake):
    """Each read takes 5 ms for each record: pages of 400 are too slow, those of 100 are not."""
    db.server(url(fake, f"rows=400/heavy=0.005/only={db.name}"), page_size=400, timeout=1,
              retries=5, retry_delay=30000, readers=1)
    db.run("SET statement_timeout = '20s'")
    assert db.report(SYNC)["dim_products"]["inserted"] == 400


def test_lines_of_a_purchase_order_that_changed(db, orders):
    db.run("SELECT * FROM odoo_sync_all()")
    lines = orders.records("purchase.order.line")
    id, line = next((id, line) for id, line in lines.items() if not line.get("display_type"))
    lines.pop(id)
    orders.write("purchase.order", line["order_id"], "2030-01-01 00:00:00")
    report = db.report("SELECT * FROM odoo_sync('purchases')")["fact_purchases"]
    assert report["deleted"] == 1
    assert db.value("SELECT count(*) FROM fact_purchases WHERE id = %s", id) == 0


def test_a_row_edited_by_hand_is_seen_and_repaired(db, shop):
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    db.run("UPDATE dim_products SET name = 'mine' WHERE id = 3")
    db.run("UPDATE dim_products SET category_id = NULL WHERE id = 4")
    db.run("UPDATE dim_products SET deleted_at = now() WHERE id = 5")
    db.run("INSERT INTO dim_products (id, name) VALUES (4711, 'made up')")
    db.run("DELETE FROM dim_products WHERE id = 6")
    db.run(SYNC)
    told = db.run("SELECT missing, stale, deleted FROM odoo_verify('products')")
    assert told == [(2, 2, 1)]
    report = db.report("SELECT * FROM odoo_reconcile('products')")["dim_products"]
    assert (report["inserted"], report["updated"], report["deleted"]) == (1, 3, 1)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]
    assert db.value("SELECT name FROM dim_products WHERE id = 3") == "Product 3"


def test_columns_of_ones_own_may_be_edited(db, shop):
    db.run(SYNC)
    db.run("ALTER TABLE dim_products ADD COLUMN shelf text")
    db.run("UPDATE dim_products SET shelf = 'A1'")
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('products')") == [(0, 0, 0)]
    db.run("SELECT * FROM odoo_sync('products', full_refresh => true)")
    assert db.value("SELECT count(*) FROM dim_products WHERE shelf = 'A1'") == 40


def test_what_a_run_writes_twice_is_no_edit(db, orders):
    """References between tables that refer to each other are restored at the end of a run."""
    db.run("SELECT * FROM odoo_sync_all()")
    for entity in ("employees", "customers", "sales", "warehouses"):
        told = db.run(f"SELECT sum(missing + stale + deleted) FROM odoo_verify('{entity}')")
        assert told == [(0,)], entity


def test_a_table_dropped_by_hand_is_loaded_in_full(db, shop):
    shop.write("product.product", 1, NEW)
    db.run(SYNC)
    db.run("DROP TABLE dim_products CASCADE")
    assert fetched(db) == 40


@pytest.mark.parametrize("table", ["dim_branches", "all_sales", "dim_products", "fact_warehouse", "dim_customers"])
def test_a_dropped_table_comes_back_with_all_that_refers_to_it(db, orders, table):
    """As before, foreign keys included: CASCADE took those of other tables along."""
    keys = "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1, 2"
    db.run("SELECT * FROM odoo_sync_all()")
    tables = [name for name, in db.run("SELECT DISTINCT target FROM odoo_etl.state")]
    before, rows = db.run(keys), {name: contents(db, name) for name in tables}
    db.run(f"DROP TABLE {table} CASCADE")
    db.run("CALL odoo_sync_job()")
    assert db.run(keys) == before
    for name in tables:
        assert contents(db, name) == rows[name], name
    assert db.run("SELECT last_error FROM missing_data WHERE resolved_at IS NULL") == []


def contents(db, table):
    row = db.run(f"SELECT to_jsonb(t) - 'synced_at' FROM {table} t")
    return sorted(str(sorted(record.items())) for record, in row)


def test_missing_data_says_why(db, fake):
    Shop(db, fake, "version=19/denied=res.partner")
    db.run("SELECT * FROM odoo_sync_all()")
    reasons = db.run("SELECT DISTINCT last_error FROM missing_data WHERE odoo_model = 'res.partner'")
    assert len(reasons) == 1 and "not allowed" in reasons[0][0]


def test_without_the_extension_the_tables_stay(db, shop):
    db.run(SYNC)
    db.run("DROP SERVER erp CASCADE")
    db.run("DROP EXTENSION odoo_etl")
    db.run("UPDATE dim_products SET name = 'mine'")
    assert db.value("SELECT count(*) FROM dim_products WHERE odoo_write_date IS NOT NULL") == 40


@pytest.mark.parametrize("statement", [
    SYNC, "SELECT * FROM odoo_sync_all()", "SELECT * FROM odoo_reconcile('products')",
    "SELECT * FROM odoo_verify('products')", "CALL odoo_sync_job()"])
def test_read_only_is_said_before_odoo_is_asked(db, fake, statement):
    db.server(url(fake, f"rows=40/only={db.name}"))
    db.run("SET default_transaction_read_only = on")
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        db.run(statement)
    assert len(fake.calls) == before


def test_a_record_that_goes_before_it_is_read_takes_no_others_along(db, fake):
    """Odoo 14 searches and reads apart: a first page that lost a record is not the last one."""
    shop = Shop(db, fake, "version=14", page_size=2)
    categories = shop.records("product.category")
    db.run("SELECT * FROM odoo_sync('categories')")
    first, *others = sorted(categories)
    assert len(others) >= 2

    def interrupt():
        if fake.calls[-1][0] == "read" and db.name in fake.calls[-1][1]:
            shop.behaviour.interrupt = None
            del categories[others[0]]

    shop.behaviour.interrupt = interrupt
    db.run("SELECT * FROM odoo_sync('categories')")
    assert others[0] not in categories
    assert db.run("SELECT id FROM dim_categories WHERE deleted_at IS NOT NULL") in ([], [(others[0],)])


def test_a_search_that_fails_ahead_of_its_turn_loses_nothing(db, fake):
    """The ids of the next table are searched while the last pages of this one are read."""
    shop = Shop(db, fake, "version=19/slow=0.1@read", page_size=2, readers=8)
    # Long after the last change: what is not read now is not read again.
    shop.behaviour.clock = time.time()
    db.run("SELECT * FROM odoo_sync('sales')")
    rows = "SELECT 'order', channel, count(*) FROM all_sales GROUP BY 2 UNION ALL SELECT 'line', channel, count(*) FROM fact_sales_lines GROUP BY 2 ORDER BY 1, 2"
    everything = db.run(rows)
    assert len(everything) == 4
    failed = 0
    for number in range(2, 5):
        db.run("DROP TABLE all_sales, fact_sales_lines CASCADE")
        searches = []

        def interrupt(number=number, searches=searches):
            if fake.calls[-1][0] == "search":
                searches.append(True)
                if len(searches) == number:
                    raise Fault(2, "Not now")

        shop.behaviour.interrupt = interrupt
        try:
            db.run("CALL odoo_sync_job('sales')")
        except psycopg2.Error:
            failed += 1
        shop.behaviour.interrupt = None
        db.run("CALL odoo_sync_job('sales')")
        assert db.run(rows) == everything, f"the search of number {number} failed"
    assert failed >= 2


def test_fields_that_are_gone_are_asked_for_again(db, orders):
    db.run("SELECT * FROM odoo_sync('customers')")
    del orders.models["res.partner"].fields["vat"]
    orders.write("res.partner", 10, street="New street")
    report = db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]
    assert (report["status"], report["quarantined"]) == ("ok", 0)
    assert db.value("SELECT street FROM dim_customers WHERE id = 10") == "New street"


def test_rights_that_are_gone_are_told(db, orders):
    db.run("SELECT * FROM odoo_sync('customers')")
    orders.behaviour.database.denied = "res.partner"
    assert db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]["status"] == "denied"


def test_a_small_table_follows_the_records_that_it_shows(db, orders):
    sync = "SELECT * FROM odoo_sync('branches')"
    db.run(sync)
    written = db.value("SELECT max(synced_at) FROM dim_branches")
    db.run(sync)
    assert db.value("SELECT max(synced_at) FROM dim_branches") == written
    company = db.value("SELECT min(company_id) FROM dim_branches")
    orders.write("res.company", company, name="Renamed")
    db.run(sync)
    assert db.value("SELECT DISTINCT company_name FROM dim_branches WHERE company_id = %s", company) == "Renamed"


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('purchases')", "CALL odoo_sync_job('purchases')"])
def test_values_that_were_kept_from_the_user_come_when_it_may_read_them(db, orders, statement):
    orders.behaviour.database.denied = "res.currency"
    db.run(statement)
    assert "res.currency: name stay NULL" in db.notices
    assert db.value("SELECT count(currency) FROM fact_purchases") == 0 < db.value("SELECT count(*) FROM fact_purchases")
    db.run(statement)
    orders.behaviour.database.denied = None
    db.run(statement)
    assert db.value("SELECT count(*) FROM fact_purchases WHERE currency IS NULL") == 0
    # Products came along, and are read again by a run of their own.
    assert {row[0] for row in db.run("SELECT target FROM odoo_etl.denied")} == {"dim_products"}
    db.run(statement.replace("purchases", "products"))
    assert db.run("TABLE odoo_etl.denied") == []


def test_a_field_that_comes_later_is_read_of_all_records(db, orders):
    fields = orders.models["res.partner"].fields
    vat = fields.pop("vat")
    db.run("SELECT * FROM odoo_sync('customers')")
    fields["vat"] = vat
    for partner in orders.records("res.partner").values():
        partner["vat"] = f"FR{partner['id']}"
    # Fields are remembered for an hour.
    db.run("DELETE FROM odoo_etl.cache")
    db.run("SELECT * FROM odoo_sync('customers')")
    assert db.value("SELECT bool_and(vat = 'FR' || id) FROM dim_customers")


CUSTOMERS = "SELECT * FROM odoo_sync('customers')"


def partners(db, fake, behaviour, **options):
    """A shop whose partners but one lie behind the next run's window."""
    shop = Shop(db, fake, behaviour, **options)
    shop.write("res.partner", 1)
    db.run("CALL odoo_sync_job()")
    return shop


RANKS = "SELECT is_customer, is_vendor FROM dim_customers WHERE id = 14"


@pytest.mark.parametrize("release", [14, 18])
@pytest.mark.parametrize("statement", [CUSTOMERS, "CALL odoo_sync_job()", "SELECT * FROM odoo_reconcile('customers')"])
def test_ranks_that_odoo_raises_by_sql_are_followed(db, fake, release, statement):
    """Until 18 a posted invoice or a closed session counts in the partner, and leaves its write_date."""
    shop = partners(db, fake, f"version={release}")
    assert db.run(RANKS) == [(False, False)]
    shop.records("res.partner")[14]["customer_rank"] = 1
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('customers')") == [(0, 1, 0)]
    db.run(statement)
    assert db.run(RANKS) == [(True, False)]
    shop.records("res.partner")[14].update(customer_rank=0, supplier_rank=3)
    db.run(statement)
    assert db.run(RANKS) == [(False, True)]
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('customers')") == [(0, 0, 0)]


def test_ranks_cost_a_search_each_in_a_run(db, fake):
    """However many pages there are; and those who have changed are loaded page by page."""
    shop = partners(db, fake, "version=18", page_size=2)
    for partner in shop.records("res.partner").values():
        partner["customer_rank"] = 5
    changed = db.value("SELECT count(*) FROM dim_customers WHERE NOT is_customer")
    assert changed > 4
    db.run("CALL odoo_sync_job('customers')")
    assert db.value("SELECT count(*) FROM dim_customers WHERE NOT is_customer") == 0
    assert db.value("SELECT updated FROM odoo_sync_log WHERE target = 'dim_customers' ORDER BY started DESC LIMIT 1") == changed
    before = len(fake.calls)
    db.run("CALL odoo_sync_job('customers')")
    methods = [method for method, prefix in fake.calls[before:] if db.name in prefix]
    # One more is for the records that changed.
    assert methods.count("search") == 3


def test_a_tag_that_is_given_by_its_own_list_is_seen(db, fake):
    """As many2many fields are from the other side: of the two it is the tag that was written."""
    shop = partners(db, fake, "version=19")
    shop.records("res.partner")[14]["category_id"] = [2]
    shop.write("res.partner.category", 2)
    db.run(CUSTOMERS)
    assert db.value("SELECT tags FROM dim_customers WHERE id = 14") == ["Gold"]


def merge(shop):
    """As Odoo's wizard does: by SQL everything gets the other partner, and the one is gone."""
    for model in ("pos.order", "sale.order", "res.partner"):
        for record in shop.records(model).values():
            for field in ("partner_id", "parent_id"):
                if record.get(field) == 14:
                    record[field] = 12
    del shop.records("res.partner")[14]


def test_what_belonged_to_a_merged_partner_is_seen(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run("SELECT * FROM odoo_sync_all()")
    merge(shop)
    db.run("SELECT * FROM odoo_reconcile('customers')")
    assert db.value("SELECT deleted_at IS NOT NULL FROM dim_customers WHERE id = 14")
    stale = "SELECT channel, missing, stale, deleted FROM odoo_verify('sales') WHERE target = 'all_sales'"
    assert db.run(stale) == [("pos", 0, 0, 0), ("sale", 0, 1, 0)]
    db.run("SELECT * FROM odoo_reconcile('sales')")
    assert db.value("SELECT customer_id FROM all_sales WHERE channel = 'sale' AND id = 77") == 12
    assert db.run(stale) == [("pos", 0, 0, 0), ("sale", 0, 0, 0)]
    db.run("SELECT * FROM odoo_reconcile('customers')")
    assert db.value("SELECT parent_id FROM dim_customers WHERE id = 10") == 12


def test_a_reference_to_a_record_that_a_rule_hides_is_not_stale(db, fake):
    shop = Shop(db, fake, "version=19")
    db.run("SELECT * FROM odoo_sync_all()")
    del shop.records("res.partner")[14]
    db.run("SELECT * FROM odoo_reconcile('customers')")
    assert db.value("SELECT deleted_at IS NOT NULL FROM dim_customers WHERE id = 14")
    found = db.run("SELECT sum(missing), sum(stale), sum(deleted) FROM odoo_verify('sales')")
    assert found == [(0, 0, 0)]


def test_employees_whose_public_profile_is_shown_are_read_whole(db, fake):
    """Its write_date is another's in Odoo 19; mirrors of the model meet the same."""
    shop = Shop(db, fake, "version=19/without=hr.employee:birthday")
    first, second = sorted(shop.records("hr.employee"))[:2]
    shop.write("hr.employee", first, NEW)
    db.run("SELECT odoo_mirror('hr.employee', 'people', fields => '{name,work_phone}')")
    db.run("SELECT * FROM odoo_sync_all()")
    shop.records("hr.employee")[second].update(work_phone="+32 1")
    db.run("SELECT * FROM odoo_sync_all()")
    for table in ("dim_employees", "people"):
        assert db.value(f"SELECT work_phone FROM {table} WHERE id = %s", second) == "+32 1", table
    shop.records("hr.employee")[second].update(work_phone="+32 2")
    db.run("SELECT * FROM odoo_reconcile('employees')")
    assert db.value("SELECT work_phone FROM dim_employees WHERE id = %s", second) == "+32 2"
