"""The protocols that Odoo offers, and whether the sync takes the fastest by itself."""

from .measure import Result, Times
from .syncs import syncs

ROUNDS = 3
NAMES = {"xmlrpc": "XML-RPC", "jsonrpc": "JSON-RPC", "json2": "JSON-2"}


def run():
    times = {protocol: Times(name) for protocol, name in NAMES.items()}
    with syncs() as warehouse:
        chosen = warehouse.db.value("SELECT detail FROM odoo_check() WHERE item = 'protocol'")
        for _ in range(ROUNDS):
            for protocol, one in times.items():
                warehouse.db.run(f"ALTER SERVER erp OPTIONS (SET protocol '{protocol}')")
                lines = warehouse.again(one)
    default = next(protocol for protocol, name in NAMES.items() if name in chosen)
    fastest = min(times, key=lambda protocol: times[protocol].least)
    value = times[default].least / times[fastest].least
    # Within the noise of the machine they may be one as fast as the other.
    return Result("protocols", f"full sync of {lines:,} lines, default ({NAMES[default]}) ÷ fastest ({NAMES[fastest]})",
                  value, 1.02, details=[str(one) for one in times.values()])
