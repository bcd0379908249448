"""The protocols that Odoo offers, and whether the sync takes the fastest by itself."""

from contextlib import contextmanager

from .measure import Result, Times
from .real import use_key, use_password
from .syncs import syncs
from .warehouse import spent_on

BAR, ROUNDS = 1.02, 5
NAMES = {"xmlrpc": "XML-RPC", "jsonrpc": "JSON-RPC", "web": "web JSON-RPC", "json2": "JSON-2"}


@contextmanager
def as_it_takes(db, protocol):
    """With the one secret that all protocols but one take."""
    if protocol == "web":
        use_password(db)
    yield
    if protocol == "web":
        use_key(db)


def run():
    times = {protocol: Times(name) for protocol, name in NAMES.items()}
    spent = {}
    with syncs() as warehouse:
        chosen = warehouse.db.value("SELECT detail FROM odoo_check() WHERE item = 'protocol'")
        for round in range(ROUNDS):
            # Each comes after each other one.
            for place in range(len(NAMES)):
                protocol = list(NAMES)[(round + place) % len(NAMES)]
                warehouse.db.run(f"ALTER SERVER erp OPTIONS (SET protocol '{protocol}')")
                with as_it_takes(warehouse.db, protocol):
                    lines = warehouse.again(times[protocol])
                spent[protocol] = spent_on(warehouse.db)
    default = next(protocol for protocol, name in NAMES.items() if name in chosen)
    fastest = min(times, key=lambda protocol: times[protocol].least)
    value = times[default].least / times[fastest].least
    return Result("protocols", f"full sync of {lines:,} lines, default ({NAMES[default]}) ÷ fastest ({NAMES[fastest]})",
                  value, BAR, details=[f"{times[protocol]}; {spent[protocol]}" for protocol in NAMES])
