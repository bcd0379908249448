"""The shop of make demo: three branches of a house and garden store, with a year of sales up to now, in an Odoo 19 that the
lab started. What was done is invented in `year`, by what `catalogue`, `people` and `demand` say, and is the same for the
same seed, time and number of days. Odoo makes the shop itself, through its API (`masters`), once on a machine. A year of
orders would take it hours; `tables` copies them into its database each time, as Odoo's own point of sale leaves them, but
for the journal entries."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from .. import odoo, places
from ..places import say
from ..releases import ODOO_19
from . import aside, catalogue, masters, people, tables
from .year import Year

SEED = 19

#: Ids of the shop's records, beside the database.
MASTERS = "shop.json"


def database():
    """The folder of a database with the shop and without its sales, to be copied."""
    made_by = [Path(module.__file__).read_text() for module in (aside, catalogue, masters, people)]
    digest = hashlib.sha256("".join([ODOO_19.recipe(), *made_by]).encode()).hexdigest()[:12]
    target = places.cache() / f"shop-{digest}"
    with places.locked("shop"):
        if not target.exists():
            odoo.ready()
            say("letting Odoo make the shop of the demo (about a minute, once)")
            with places.made_whole(target) as fresh:
                make(odoo.Server(fresh))
    return target


def make(server):
    try:
        server.start()
        api = odoo.Api(server)
        aside.put(server, api)
        (server.folder / MASTERS).write_text(json.dumps(masters.make(api)))
    finally:
        server.halt()
        server.cluster.stop()
    for left in (server.log, server.pid_file, server.cluster.log):
        left.unlink(missing_ok=True)


def fill(server, days=None, seed=SEED, now=None):
    """Fills a server that started from `database()`; returns what was done. `now` is the time in the shop; the year begins
    with a whole week."""
    known = SimpleNamespace(**json.loads((server.folder / MASTERS).read_text()))
    zone = ZoneInfo(known.zone)
    now = now or datetime.now(zone).replace(tzinfo=None)
    year = Year(seed, now, days or 365 + now.weekday())
    tables.write(server, known, year, zone)
    return year


def raise_price(server, name="Salad bowl", percent=5):
    """A change that a schedule is to find; what it was, in words."""
    api = odoo.Api(server)
    (product,) = api("product.product", "search_read", [("name", "=", name)], ["list_price"])
    price = round(product["list_price"] * (100 + percent) / 5) * 5 / 100
    api("product.product", "write", [product["id"]], {"list_price": price})
    return f"the price of the {name.lower()} goes from {product['list_price']:.2f} to {price:.2f}"
