"""make demo, make test, make clean: see the Makefile."""

import argparse
import os
import shutil
import subprocess
import sys

from . import demo, odoo, places
from .places import say


#: Processes that run tests: each has a PostgreSQL and, where it needs one, an Odoo of its own; much of
#: the time they wait.
WORKERS = 2


def test(arguments):
    """Runs pytest; its last lines say what did not run."""
    marked, left_out = SELECTIONS[arguments.odoo]()
    if left_out:
        say(left_out)
    python = odoo.environment() / "bin/python"
    command = [python, "-m", "pytest", "tests", "-p", "no:cacheprovider", "--durations", "5", "-m", marked]
    command += ["-k", arguments.k] if arguments.k else []
    # In the order of the files: the slowest have few tests, and would be the last.
    side_by_side = ["-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
    command += ["-s"] if arguments.show else side_by_side
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    code = subprocess.run(list(map(str, command)), cwd=places.CHECKOUT, env=environment).returncode
    if left_out:
        print(left_out)
    sys.exit(code)


def real():
    """Which tests run, by their marks, and what is to be said of those that do not."""
    odoo.ready(odoo.ODOO_19)
    try:
        odoo.ready(odoo.ODOO_14)
    except odoo.Unavailable as problem:
        return "not whole and not odoo14", f"The tests against a real Odoo 14 did NOT run: {problem}"
    return "not whole", None


def odoo14():
    odoo.ready(odoo.ODOO_19)
    odoo.ready(odoo.ODOO_14)
    return "odoo14 or whole", None


def fake():
    return "not live", "ODOO=fake: the live tests against a real Odoo 19 and a real Odoo 14 did NOT run."


SELECTIONS = {"real": real, "fake": fake, "14": odoo14}


def clean(_):
    demo.stop()
    shutil.rmtree(demo.FOLDER, ignore_errors=True)


def forget(_):
    shutil.rmtree(places.cache(), ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("demo").set_defaults(run=demo.run)
    tests = commands.add_parser("test")
    tests.add_argument("--odoo", choices=SELECTIONS, default="real")
    tests.add_argument("-k", help="only the tests that match")
    tests.add_argument("--show", action="store_true", help="what the tests print")
    tests.set_defaults(run=test)
    commands.add_parser("clean").set_defaults(run=clean)
    commands.add_parser("forget").set_defaults(run=forget)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except odoo.Unavailable as problem:
        sys.exit(
            f"A real Odoo cannot be had: {problem}\n"
            "make test ODOO=fake runs all but the live tests."
        )


if __name__ == "__main__":
    main()
