"""What a poll that finds nothing costs Odoo's database: with 40 times as many lines, against as they are."""

import re

from .measure import Result
from .real import connected, started, template, use_key
from .warehouse import cluster, database

BAR, RUNS, TIMES = 1.5, 7, 41
SYNC = "SELECT * FROM odoo_sync('sales')"
STATEMENTS = {"shared_preload_libraries": "pg_stat_statements"}


def multiply(connection, table, *keys):
    """Each row so many times, with ids below all others and with its old write_date."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT quote_ident(attname), attname FROM pg_attribute WHERE attrelid = %s::regclass "
                       "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''", (table,))
        columns = cursor.fetchall()
        shifted = lambda name: f"{name} - number * 1000000"
        values = [shifted(quoted) if name in ("id", *keys) else "gen_random_uuid()" if name in ("uuid", "access_token") else quoted
                  for quoted, name in columns]
        cursor.execute(f"INSERT INTO {table} ({', '.join(quoted for quoted, _ in columns)}) SELECT {', '.join(values)} "
                       f"FROM {table}, generate_series(1, {TIMES - 1}) AS number")
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def milliseconds(db, odoo):
    """Of Odoo's database, for the cheapest of some runs that find nothing."""
    found = []
    with connected(odoo) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(RUNS):
            cursor.execute("SELECT pg_stat_statements_reset()")
            report = db.report(SYNC)
            assert all(table["inserted"] == table["updated"] == 0 for table in report.values()), report
            cursor.execute("SELECT sum(total_exec_time + total_plan_time) FROM pg_stat_statements "
                           "WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query !~ 'pg_stat'")
            found.append(cursor.fetchone()[0])
    return min(found)


def index(db, odoo):
    """Makes the indexes that odoo_check names, and tells which."""
    hints = db.run("SELECT hint FROM odoo_check() WHERE hint ~ 'CREATE INDEX CONCURRENTLY'")
    statements = sorted({statement for hint, in hints for statement in re.findall(r"CREATE INDEX CONCURRENTLY[^;]+;", hint)})
    for statement in statements:
        odoo.cluster.sql(statement, odoo.database)
    return statements


def run():
    with started(template(), settings=STATEMENTS) as odoo, cluster() as pg, database(pg, odoo.url) as db:
        odoo.cluster.sql("CREATE EXTENSION pg_stat_statements", odoo.database)
        use_key(db)
        db.run(SYNC)
        few = milliseconds(db, odoo)
        with connected(odoo) as connection, connection:
            counts = [multiply(connection, "pos_order"), multiply(connection, "pos_order_line", "order_id")]
        odoo.cluster.sql("VACUUM ANALYZE", odoo.database)
        plain = milliseconds(db, odoo)
        indexes = index(db, odoo)
        many = milliseconds(db, odoo)
    details = [f"{few:.1f} ms with the lines as they are; {plain:.1f} ms without and {many:.1f} ms with {' '.join(indexes) or 'no index'}",
               "{:,} orders, {:,} lines".format(*counts)]
    trouble = None if indexes else "odoo_check named no index"
    return Result("polls", f"Odoo's database for a poll that finds nothing, {TIMES} times as many lines ÷ as they are", many / few, BAR,
                  details=details, trouble=trouble)
