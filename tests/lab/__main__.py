"""make demo, make test, make clean: see the Makefile."""

import argparse
import os
import shutil
import subprocess
import sys

from . import demo, odoo, places
from .places import say


def test(arguments):
    """Runs pytest; its last lines say what did not run."""
    live = arguments.odoo == "real"
    if live:
        odoo.ready()
    else:
        say("the live tests against a real Odoo are left out")
    python = odoo.environment() / "bin/python"
    command = [python, "-m", "pytest", "tests", "-p", "no:cacheprovider", "--durations", "5"]
    command += [] if live else ["-m", "not live"]
    command += ["-k", arguments.k] if arguments.k else []
    command += ["-s"] if arguments.show else []
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    code = subprocess.run(list(map(str, command)), cwd=places.CHECKOUT, env=environment).returncode
    if not live:
        print("ODOO=fake: the live tests against a real Odoo 19 did NOT run.")
    sys.exit(code)


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
    tests.add_argument("--odoo", choices=["real", "fake"], default="real")
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
            f"A real Odoo 19 cannot be had: {problem}\n"
            "make test ODOO=fake runs all but the live tests."
        )


if __name__ == "__main__":
    main()
