"""What a sync costs beyond Odoo's own time: against a client that throws the same pages away."""

from . import bare
from .measure import Times, ratio
from .syncs import syncs
from .warehouse import spent_on

BAR, PAIRS = 1.10, 3


def run():
    ours, theirs = Times("odoo_sync"), Times("bare client")
    with syncs() as warehouse:
        pages, _ = warehouse.pages()
        connections = len({page.connection for page in pages})
        for _ in range(PAIRS):
            lines = warehouse.again(ours)
            with theirs.one():
                received = bare.read(warehouse.odoo.url, pages, connections)
        spent = spent_on(warehouse.db)
    read = f"{len(pages)} pages by {pages[0].path} over {connections} connections, {received:,} bytes"
    return ratio("http", f"full sync of {lines:,} lines ÷ bare HTTP client", ours, theirs, BAR, read, spent)
