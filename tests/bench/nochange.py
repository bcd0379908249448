"""A run in which nothing has changed: what it writes, and what it asks."""

from collections import Counter
from dataclasses import dataclass

from .measure import Result
from .proxy import proxy
from .real import require_same, shop, use_key
from .warehouse import cluster, database

#: Tables of a whole sync.
TABLES = 29
SYNC = "SELECT * FROM odoo_sync_all()"


def tables(db):
    """The warehouse's tables."""
    return [table for table, in db.run(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1")]


def versions(db):
    """Of each table, which versions of its rows are where."""
    return {table: db.value(f"SELECT md5(string_agg(ctid::text || xmin::text, ',' ORDER BY ctid)) FROM {table}")
            for table in tables(db)}


def written(db):
    """Tuples that were ever written into the warehouse's tables."""
    db.run("SELECT pg_stat_force_next_flush()")
    db.run("SELECT pg_stat_clear_snapshot()")
    return db.value("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables "
                    "WHERE relid = ANY (%s::regclass[])", tables(db))


@dataclass
class Run:
    #: How many were written, and the tables whose rows are other versions than before.
    tuples: int
    moved: list
    #: As the server saw them, and how many the run's own log has of each table.
    requests: list
    by_table: dict


def unchanged_run(db, server, again=SYNC):
    """A second run; the server is a proxy."""
    db.run(SYNC)
    before = versions(db), written(db)
    del server.requests[:]
    db.run(again)
    after = versions(db), written(db)
    moved = [table for table, version in after[0].items() if version != before[0].get(table)]
    log = "SELECT target, requests FROM odoo_sync_log WHERE run = (SELECT max(run) FROM odoo_sync_log) ORDER BY 1"
    return Run(after[1] - before[1], moved, list(server.requests), dict(db.run(log)))


def run():
    with shop() as odoo, proxy(odoo.url) as server, cluster() as pg, database(pg, server.url) as db:
        use_key(db)
        run = unchanged_run(db, server)
        require_same(db, odoo)
    assert len(run.by_table) == TABLES, run.by_table
    counted, all = sum(run.by_table.values()), len(run.requests)
    methods = Counter(request.call()[1] for request in run.requests)
    details = [
        f"{run.tuples} tuples written, rows moved in {run.moved or 'no table'}",
        f"{all} requests at the server's side: {counted} of tables, {all - counted} before the first",
        "by method: " + ", ".join(f"{method} {count}" for method, count in methods.most_common()),
        "by table: " + ", ".join(f"{target} {count}" for target, count in run.by_table.items()),
    ]
    # Fewer than two for each table.
    most = (2 * TABLES - 1) / TABLES
    return Result(
        "nochange", "odoo_sync_all without a change: requests per table, 0 tuples written", all / TABLES, most,
        details=details, trouble=f"{run.tuples} tuples written" if run.tuples or run.moved else None,
    )
