"""What a first load costs when Odoo costs nothing: lines of an instant Odoo against COPY of the same into the
bare table, whose keys and indexes are made afterwards."""

from .instant import instant, path
from .measure import Times, ratio
from .warehouse import LINES, Mismatch, checksum, cluster, copy_of_lines, database, keys_of, spent_on

BAR = 1.5


class Loads:
    """A warehouse whose table of lines is loaded again and again; their parents stay."""

    def __init__(self, db, lines):
        self.db, self.lines = db, lines
        # The parents of the lines.
        self.sync()
        self.db.run("ANALYZE")
        self.strip, keys = keys_of(db, LINES)
        self.copy = [copy_of_lines(db, lines), *keys]

    def sync(self):
        return self.db.report("SELECT * FROM odoo_sync('sales')")[LINES]

    def by_sync(self, times):
        """A table that was dropped is made and loaded again, and nothing else."""
        self.db.run(f"DROP TABLE {LINES}")
        with times.one():
            report = self.sync()
        if report["inserted"] < self.lines:
            raise Mismatch(f"odoo_sync inserted {report['inserted']:,} rows of {self.lines:,}")
        return checksum(self.db, LINES)

    def by_copy(self, times):
        self.db.run(f"TRUNCATE {LINES}; {'; '.join(self.strip)}")
        with times.one():
            self.db.run("; ".join(self.copy))
        return checksum(self.db, LINES)


def compare(loads, pairs):
    """Alternating; the rows are the same each time."""
    ours, theirs = Times("odoo_sync"), Times("COPY")
    for _ in range(pairs):
        sums = loads.by_sync(ours), loads.by_copy(theirs)
        if sums[0] != sums[1]:
            raise Mismatch(f"odoo_sync and COPY differ: {sums[0]} and {sums[1]}")
    return ours, theirs


def run(lines, pairs=3):
    with instant(lines) as url, cluster() as pg, database(pg, f"{url}/{path(lines)}") as db:
        ours, theirs = compare(Loads(db, lines), pairs)
        spent = spent_on(db)
    return ratio("load", f"{lines:,} lines, loaded the first time ÷ COPY, then keys", ours, theirs, BAR, spent)
