"""make bench: measures all of it, or what B names."""

import argparse
import importlib
import os
import signal
import sys

from ..lab import odoo

#: Modules of this package, each with a function `run`; those that take a number of lines.
BENCHES = ("http", "pipeline", "protocols", "decode", "load", "nochange", "session", "polls", "days", "memory", "growth", "scale",
           "instructions", "idle")
SCALED = ("load", "memory", "growth", "scale")


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench")
    parser.add_argument("bench", nargs="*", help=", ".join(BENCHES))
    parser.add_argument("--lines", type=int, default=1_000_000, help=f"of {', '.join(SCALED)}")
    parser.add_argument("--partitioned", type=int, metavar="ROWS", help="of scale: partitions of so many ids")
    arguments = parser.parse_args()
    unknown = set(arguments.bench) - set(BENCHES)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    inside_environment()
    # A run that is ended stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    results = [result for name in arguments.bench or BENCHES for result in measured(name, arguments)]
    from .measure import table

    print()
    print(table(results))
    sys.exit(any(result.passed is False for result in results))


def measured(name, arguments):
    """The results of one benchmark, told as soon as they are there."""
    print(f"» {name}", flush=True)
    run = importlib.import_module(f".{name}", __package__).run
    options = {"lines": arguments.lines} if name in SCALED else {}
    if name == "scale":
        options["partitioned"] = arguments.partitioned
    found = run(**options)
    results = found if isinstance(found, list) else [found]
    for result in results:
        for line in [*result.details, *filter(None, [result.trouble])]:
            print(f"  {line}", flush=True)
    return results


def inside_environment():
    """Goes on in the lab's virtual environment."""
    home = odoo.environment()
    if sys.prefix != str(home):
        python = str(home / "bin/python")
        os.execv(python, [python, "-m", __package__, *sys.argv[1:]])


if __name__ == "__main__":
    main()
