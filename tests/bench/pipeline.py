"""What a sync is worth: against a plain Python pipeline that loads the same lines."""

from pathlib import Path

from ..lab import odoo as lab
from ..lab import places
from .measure import Times, ratio
from .syncs import syncs
from .warehouse import LINES, Mismatch, spent_on

BAR, PAIRS = 0.15, 3
HERE = Path(__file__).parent
TABLE = "lines_by_pandas"
#: Of the lines' columns those that come with the record.
COLUMNS = (
    "id, order_id, product_id, promotion_id, quantity, uom, price_unit, discount_percent, subtotal, total, cost, "
    "refunded_line_id, is_reward, settles_line_id, odoo_write_date"
)


class Pipeline:
    def __init__(self, db, odoo, page_size):
        self.db, self.python = db, lab.environment(HERE / "baseline.txt", "pandas and SQLAlchemy") / "bin/python"
        cluster = db.cluster
        postgres = f"postgresql+psycopg2://postgres@/{db.name}?host={cluster.folder}&port={cluster.port}"
        self.arguments = [odoo.url, odoo.database, "2", odoo.password, str(page_size), postgres, TABLE]

    def again(self, times):
        """A table without keys, constraints and indexes, which is filled."""
        self.db.run(f"DROP TABLE IF EXISTS {TABLE}")
        self.db.run(f"CREATE TABLE {TABLE} AS SELECT {COLUMNS} FROM {LINES} WITH NO DATA")
        # -P: this folder has an http.py of its own.
        command = [self.python, "-P", HERE / "baseline.py", *self.arguments]
        times.seconds.append(float(places.run(command, "the pipeline").split()[-1]))
        others = f"SELECT {COLUMNS} FROM {LINES} WHERE channel = 'pos'"
        for one, two in ((others, f"TABLE {TABLE}"), (f"TABLE {TABLE}", others)):
            if different := self.db.run(f"{one} EXCEPT ALL {two} LIMIT 3"):
                raise Mismatch(f"the pipeline's rows differ: {different}")


def run():
    ours, theirs = Times("odoo_sync"), Times("pipeline")
    with syncs() as warehouse:
        _, size = warehouse.pages()
        pipeline = Pipeline(warehouse.db, warehouse.odoo, size)
        for _ in range(PAIRS):
            lines = warehouse.again(ours)
            pipeline.again(theirs)
        spent = spent_on(warehouse.db)
    what = f"full sync of {lines:,} lines ÷ xmlrpc.client, pandas, SQLAlchemy"
    return ratio("pipeline", what, ours, theirs, BAR, f"pages of {size:,}", spent)
