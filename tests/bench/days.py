"""What an index on business_date saves and costs: sums of some days, and rows that come, with and without it."""

from .measure import Result, Times
from .warehouse import cluster

ROWS, MORE, RUNS, BAR = 5_000_000, 200_000, 5, 0.33
TABLE = """CREATE TABLE lines (channel text, id bigint, order_id bigint, business_date date, branch_id bigint, product_id bigint,
    quantity numeric, price_unit numeric, subtotal numeric, total numeric, currency text, currency_rate numeric, hour bigint,
    uom text, tax_ids bigint[], odoo_write_date timestamptz, synced_at timestamptz, PRIMARY KEY (channel, id));
    CREATE INDEX ON lines (product_id)"""
#: 5,000 lines a day; one of fifty is of a day or two before or after.
INSERT = """INSERT INTO lines SELECT 'pos', i, i / 3, date '2024-01-01' + i / 5000 + CASE WHEN i % 50 = 0 THEN i / 50 % 5 - 2 ELSE 0 END,
    1 + i % 20, 1 + i::bigint * 7919 % 1000, 1 + i % 3, 9.99, 9.99 * (1 + i % 3), 11.99 * (1 + i % 3), 'EUR', 1, i % 24, 'Units',
    '{{3}}', now(), now() FROM generate_series({}, {}) AS i"""
MONTH = "SELECT sum(subtotal) FROM lines WHERE business_date >= '2025-06-01' AND business_date < '2025-07-01'"
DAY = "SELECT product_id, sum(subtotal) FROM lines WHERE business_date = '2025-06-15' GROUP BY product_id"
INDEXES = {"no index": None, "BRIN": "USING brin (business_date) WITH (autosummarize = on)", "btree": "(business_date)"}


def timed(run, what):
    times = Times(what)
    for _ in range(RUNS):
        with times.one():
            run()
    return times


def run():
    with cluster(shared_buffers="2GB") as pg:
        pg.sql(f"{TABLE}; {INSERT.format(1, ROWS)}")
        pg.sql("VACUUM ANALYZE lines")
        months, details = {}, []
        for name, index in INDEXES.items():
            pg.sql("DROP INDEX IF EXISTS days")
            if index:
                pg.sql(f"CREATE INDEX days ON lines {index}")
            month, day = (timed(lambda: pg.sql(sql), f"{name}: {what}") for what, sql in (("a month", MONTH), ("a day by product", DAY)))
            size = pg.sql("SELECT pg_size_pretty(pg_relation_size(to_regclass('days')))")
            inserts = iter(range(ROWS + 1, ROWS + 1 + RUNS * MORE, MORE))

            def insert():
                first = next(inserts)
                pg.sql(INSERT.format(first, first + MORE - 1))

            details += [str(month), str(day), str(timed(insert, f"{name} {size}: {MORE:,} rows more"))]
            months[name] = month.least
            pg.sql(f"DELETE FROM lines WHERE id > {ROWS}")
            pg.sql("VACUUM lines")
    return Result("days", f"a month's sum of {ROWS:,} lines with the index on business_date ÷ without", months["BRIN"] / months["no index"],
                  BAR, details=details)
