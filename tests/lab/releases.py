"""The releases of Odoo that the lab runs, each Debian's package with demo data: 19 from sid, unpacked
and not installed, in a virtual environment of the system's Python; 14 from bullseye with the
PostgreSQL and the Python of its time, in a root of its own."""

import hashlib
import shutil
from functools import cache
from pathlib import Path

from . import debian, places
from .debian import get
from .places import say

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: What the tests have besides Odoo's own dependencies.
TESTS = Path(__file__).with_name("requirements-tests.txt")


class Release:
    """What one release of Odoo needs to run, and how it is told; its files are in the cache."""

    def root(self):
        """The Debian that it runs in; None is the system's."""

    def __str__(self):
        return f"Odoo {self.number}"


class Odoo19(Release):
    number = 19
    modules = (
        "point_of_sale,pos_hr,pos_loyalty,purchase,purchase_stock,stock,hr,hr_homeworking,"
        "sale_management,loyalty,pos_sale,crm"
    )
    initialising = ("--with-demo",)
    bus_port = "--gevent-port"
    #: Answers as soon as Odoo does.
    page = "/web/version"
    database_name = "database"

    def recipe(self):
        return f"odoo-19 {self.modules} {REQUIREMENTS.read_text()}"

    def command(self, options):
        modules = self._package() / "usr/lib/python3/dist-packages"
        addons = f"{modules}/addons,{modules}/odoo/addons"
        start = "import odoo.cli; odoo.cli.main()"
        return places.as_service(
            ["env", f"PYTHONPATH={modules}", environment() / "bin/python", "-c", start,
             "--addons-path", addons, *options]
        )

    @staticmethod
    def _package():
        """The folder of the unpacked package."""
        target = places.cache() / "odoo-19"
        with places.locked("odoo-19"):
            if not target.exists():
                say("fetching Debian's package odoo-19 from sid (122 MB)")
                with places.made_whole(target) as fresh:
                    debian.unpack("odoo-19", "sid", fresh)
        return target


class Odoo14(Release):
    number = 14
    modules = (
        "point_of_sale,pos_hr,purchase,purchase_stock,stock,hr,hr_contract,"
        "sale_management,sale_coupon,pos_sale,crm"
    )
    initialising = ()
    bus_port = "--longpolling-port"
    page = "/web/login"
    database_name = "database-14"

    def recipe(self):
        return f"odoo-14 {self.modules}"

    @cache
    def root(self):
        return debian.root("odoo-14", "bullseye", ("odoo-14", "postgresql-13"), "/usr/lib/postgresql/13/bin")

    def command(self, options):
        return self.root().as_service(["odoo", *options])


ODOO_19, ODOO_14 = Odoo19(), Odoo14()


def environment(*requirements, what="Odoo's Python dependencies"):
    """The virtual environment's folder for these requirements; without any, for Odoo's and those of the tests."""
    requirements = requirements or (REQUIREMENTS, TESTS)
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in requirements)).hexdigest()[:12]
    target = places.cache() / f"venv-{digest}"
    with places.locked(target.name):
        if not (target / "complete").exists():
            say(f"installing {what} from PyPI (about a minute)")
            shutil.rmtree(target, ignore_errors=True)
            get(["/usr/bin/python3", "-m", "venv", target], "making a virtual environment")
            get(
                [target / "bin/pip", "install", "--quiet", "--disable-pip-version-check",
                 *(part for file in requirements for part in ("-r", file))],
                f"installing {what}",
            )
            (target / "complete").touch()
    return target
