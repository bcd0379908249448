"""What a sync costs beyond Odoo's own time: against a client that throws the same pages away."""

import os
from contextlib import contextmanager
from pathlib import Path

from . import bare
from .measure import Times, ratio
from .syncs import syncs
from .warehouse import spent_on

BAR, APART_BAR, XMLRPC_BAR, PAIRS = 1.10, 1.05, 0.70, 3


def processes(pid):
    """A process and those that it has begun."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from processes(int(child))


def pin(pid, cores):
    """All threads of a process, and of those that it has begun, and what these begin later."""
    for process in processes(pid):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def postmaster(cluster):
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def apart(warehouse):
    """Odoo and its database on one core, the warehouse, or the client, on another one."""
    cores = os.sched_getaffinity(0)
    theirs, ours = sorted(cores)[:2]
    odoo, pg = warehouse.odoo, warehouse.db.cluster
    own = os.getpid()

    def each(of_odoo, of_ours):
        pin(own, of_ours)
        pin(postmaster(pg), of_ours)
        for pid in (odoo.process.pid, postmaster(odoo.cluster)):
            pin(pid, of_odoo)

    each({theirs}, {ours})
    try:
        yield
    finally:
        each(cores, cores)


def compare(warehouse, pages):
    """A sync and a bare client by turns."""
    ours, theirs = Times("odoo_sync"), Times("bare client")
    connections = len({page.connection for page in pages})
    for _ in range(PAIRS):
        lines = warehouse.again(ours)
        with theirs.one():
            received = bare.read(warehouse.odoo.url, pages, connections)
    read = f"{len(pages)} pages by {pages[0].path} over {connections} connections, {received:,} bytes"
    return lines, ours, theirs, read, spent_on(warehouse.db)


def by_xmlrpc(warehouse):
    """What a sync over XML-RPC asks."""
    warehouse.db.run("ALTER SERVER erp OPTIONS (SET protocol 'xmlrpc')")
    pages, _ = warehouse.pages()
    warehouse.db.run("ALTER SERVER erp OPTIONS (SET protocol 'auto')")
    return pages


def run():
    with syncs() as warehouse:
        pages, _ = warehouse.pages()
        slow = by_xmlrpc(warehouse)
        lines, *same = compare(warehouse, pages)
        _, *xmlrpc = compare(warehouse, slow)
        with apart(warehouse):
            _, *alone = compare(warehouse, pages)
    what = f"full sync of {lines:,} lines"
    return [ratio("http", f"{what} ÷ bare HTTP client", same[0], same[1], BAR, *same[2:]),
            ratio("http", f"{what}, Odoo on one core, the warehouse on another ÷ bare HTTP client", alone[0], alone[1], APART_BAR, *alone[2:]),
            ratio("http", f"{what} ÷ bare client over XML-RPC", xmlrpc[0], xmlrpc[1], XMLRPC_BAR, *xmlrpc[2:])]
