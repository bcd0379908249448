"""make demo, make test, make clean: see the Makefile."""

import argparse
import os
import shutil
import subprocess
import sys

from . import demo, installations, odoo, places, releases
from .debian import Unavailable
from .places import say


#: Processes that run tests: each has a PostgreSQL and, where it needs one, an Odoo of its own; much of
#: the time they wait.
WORKERS = 3


def test(arguments):
    """Runs all tests on the PostgreSQL that PG_CONFIG names, and those of PostgreSQL itself on others; the last
    lines say what did not run."""
    marked, left_out = SELECTIONS[arguments.odoo]()
    others, missing = servers(arguments.postgres)
    notes = [note for note in (left_out, *missing) if note]
    for note in notes:
        say(note)
    codes = [run(f"({marked}) and not beside and not timescale", arguments)]
    for server in others:
        codes.append(build(server) or run("postgres", arguments, server))
        notes.append(f"{server}: {'failed' if codes[-1] else 'passed'}")
    end(codes, notes)


def test_postgres(arguments):
    """Runs all tests that need no real Odoo on releases of the cache."""
    marked, left_out = fake()
    codes = []
    for server in map(installations.ready, arguments.numbers):
        codes.append(build(server) or run(f"({marked}) and not package and not timescale", arguments, server))
    end(codes, [left_out])


def test_scale(arguments):
    """Runs the tests of facts that engines of others keep in parts."""
    server = installations.timescale()
    server.make()
    end([build(server) or run("timescale", arguments, server)], [])


def servers(wanted):
    """Those of the cache that were asked for and can be had, and what is to be said of the others."""
    found, missing = [], []
    for number in installations.RELEASES:
        if str(number) not in wanted.split():
            missing.append(f"PG={wanted}: the tests on PostgreSQL {number} did NOT run.")
            continue
        try:
            found.append(installations.ready(number))
        except Unavailable as problem:
            missing.append(f"The tests on PostgreSQL {number} did NOT run: {problem}")
    return found, missing


def build(server):
    """Builds the extension for it, with what tests need, and installs it there."""
    say(f"building for {server}")
    return make(server, "install", "FEATURES=failpoints")


def make(server, *target):
    # An outer make's options are not for this one.
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "--silent", *target, f"PG_CONFIG={server.pg_config}"]
    return subprocess.run(command, cwd=places.CHECKOUT, env=environment).returncode


def packages(arguments):
    """Makes the packages of the extension for these releases, and tests each."""
    codes = []
    for number in arguments.numbers:
        server = installations.system() if number == installations.system().major else installations.ready(number)
        say(f"packaging for {server}")
        codes.append(make(server, "package") or run("package and not live", arguments, server))
    end(codes, [])


def run(marked, arguments, server=None):
    """Runs the tests with these marks; pytest's code."""
    python = releases.environment() / "bin/python"
    command = [python, "-m", "pytest", "tests", "-p", "no:cacheprovider", "-rs", "--durations", "5", "-m", marked]
    command += ["-k", arguments.k] if arguments.k else []
    # In the order of the files: the slowest have few tests, and would be the last.
    side_by_side = ["-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
    command += ["-s"] if arguments.show else side_by_side
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if server:
        say(f"testing on {server}")
        environment["PG_CONFIG"] = str(server.pg_config)
    return subprocess.run(list(map(str, command)), cwd=places.CHECKOUT, env=environment).returncode


def end(codes, notes):
    print(*notes, sep="\n")
    sys.exit(max(codes))


def real():
    """Which tests run, by their marks, and what is to be said of those that do not."""
    odoo.ready(odoo.ODOO_19)
    try:
        odoo.ready(odoo.ODOO_14)
    except Unavailable as problem:
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
    tests.add_argument("--postgres", default="system", help="on which releases besides")
    tests.set_defaults(run=test)
    others = commands.add_parser("test-postgres")
    others.add_argument("numbers", type=int, nargs="+", choices=installations.RELEASES)
    others.set_defaults(run=test_postgres)
    scale = commands.add_parser("test-scale")
    scale.set_defaults(run=test_scale)
    some = commands.add_parser("packages")
    some.add_argument("numbers", type=int, nargs="+")
    some.set_defaults(run=packages, k=None, show=False)
    for command in (tests, others, scale):
        command.add_argument("-k", help="only the tests that match")
        command.add_argument("--show", action="store_true", help="what the tests print")
    commands.add_parser("clean").set_defaults(run=clean)
    commands.add_parser("forget").set_defaults(run=forget)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except Unavailable as problem:
        sys.exit(
            f"What this needs cannot be had: {problem}\n"
            "make test ODOO=fake runs all but the live tests."
        )


if __name__ == "__main__":
    main()
