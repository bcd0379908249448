"""Full syncs of the lines of the real Odoo."""

from contextlib import contextmanager

from . import bare
from .proxy import proxy
from .real import require_same, shop, use_key
from .warehouse import LINES, cluster, database

MODEL = "pos.order.line"


class Syncs:
    """A warehouse with everything but the lines, which are loaded again and again."""

    def __init__(self, db, odoo):
        self.db, self.odoo = db, odoo
        self.report()

    def report(self):
        return self.db.report("SELECT * FROM odoo_sync('sales')")[LINES]

    def again(self, times):
        """A table that was dropped is made and loaded again, and nothing else. Returns how many
        rows it has, which are those of Odoo."""
        self.db.run(f"DROP TABLE {LINES}")
        with times.one():
            self.report()
        return require_same(self.db, self.odoo)

    def asked(self):
        """What one sync asks of Odoo."""
        with proxy(self.odoo.url) as server:
            self.db.run(f"ALTER SERVER erp OPTIONS (SET url '{server.url}')")
            self.db.run(f"DROP TABLE {LINES}")
            self.report()
            self.db.run(f"ALTER SERVER erp OPTIONS (SET url '{self.odoo.url}')")
            return server.requests

    def pages(self):
        """The requests for pages of lines, and how many lines the largest has."""
        requests, sizes = bare.pages(self.asked(), MODEL)
        lines = self.db.value(f"SELECT count(*) FROM {LINES} WHERE channel = 'pos'")
        assert sum(sizes) >= lines, f"{sum(sizes)} lines were read, {lines} are there"
        return requests, max(sizes)


@contextmanager
def syncs(**options):
    with shop() as odoo, cluster() as pg, database(pg, odoo.url, **options) as db:
        use_key(db)
        yield Syncs(db, odoo)
