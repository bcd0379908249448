"""Debian's archive: packages of other suites than the system's, and whole roots of them."""

import re
import shutil
import subprocess
from pathlib import Path

from . import places
from .places import say

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """Something cannot be had on this machine; the text says why."""


def get(command, what):
    try:
        done = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except FileNotFoundError:
        raise Unavailable(f"{what}: there is no {command[0]}") from None
    if done.returncode != 0:
        raise Unavailable(f"{what} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def mirror():
    """The address of the Debian mirror that the system's apt uses."""
    mirrors = get(
        ["apt-get", "indextargets", "--format", "$(SUITE) $(ORIGIN) $(LABEL) $(REPO_URI)",
         "Created-By: Packages"],
        "asking apt for the system's mirror (run apt-get update)",
    )
    found = re.search(r"^\S+ Debian Debian (\S+)$", mirrors, re.MULTILINE)
    if not found:
        raise Unavailable("the system's apt sources name no Debian mirror")
    return found[1]


def unpack(package, suite, folder):
    """Unpacks a package that is not for this system. It is downloaded with an apt configuration of
    its own: the system's sources stay as they are, the archive's signature is still checked. sid's
    Release file may be past its date."""
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
    }
    flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    get(["apt-get", *flags, "update"], f"reading Debian's suite {suite}")
    done = subprocess.run(
        ["apt-get", *map(str, flags), "download", package], cwd=apt, capture_output=True, text=True
    )
    found = list(apt.glob("*.deb"))
    if done.returncode != 0 or not found:
        raise Unavailable(f"downloading {package} failed:\n{done.stderr[-2000:]}")
    get(["dpkg", "-x", found[0], folder], f"unpacking {package}")
    shutil.rmtree(apt)


#: Binds what a command in the root $1 needs of the system, and the folders up to `--`, and becomes
#: that command. Nothing of it has to be undone: it is done in a mount namespace of its own.
ENTER = """
root=$1; shift
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    test -f "$1" || mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
exec chroot "$root" "$@"
"""


class Root:
    """A Debian of its own in a folder, entered by chroot. /proc and /dev are bound into it in a
    mount namespace that only the command and its children see, and that goes with the last of
    them, whatever ends it. The lab's folders are there too, under their own names."""

    def __init__(self, folder, bindir):
        """`bindir` is where its PostgreSQL has its programs."""
        self.folder, self.bindir = folder, Path(bindir)

    def command(self, command, bound=()):
        """The command line that runs `command` in the root as root."""
        inside = ["sh", "-ec", ENTER, "enter", self.folder, *bound, "--", *command]
        return ["unshare", "--mount", "--", *inside]

    def as_service(self, command):
        """As the system's service user, whom the root knows by the system's own files."""
        bound = ["/etc/passwd", "/etc/group", *places.shared()]
        return list(map(str, self.command(places.as_service(command), bound)))

    def make(self, suite, packages):
        """Installs the suite's smallest system and `packages` into the empty folder."""
        source = mirror()
        get(["unshare", "--mount", "--", "debootstrap", "--variant=minbase", f"--keyring={KEYRING}",
             suite, self.folder, source], f"debootstrap of Debian's suite {suite}")
        (self.folder / "etc/apt/sources.list").write_text(f"deb {source} {suite} main\n")
        # sid's Release file may be past its date.
        (self.folder / "etc/apt/apt.conf.d/50lab").write_text(
            get(["apt-config", "dump", "Acquire::http"], "asking apt for its proxy")
            + 'Acquire::Check-Valid-Until "false";\n')
        # Nothing is started by its installation.
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        (self.folder / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\n")
        apt = "apt-get update && apt-get install -y --no-install-recommends \"$@\" && apt-get clean"
        get(self.command(["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-ec", apt, "apt", *packages]),
            f"installing {', '.join(packages)} of Debian's suite {suite}")


def root(name, suite, packages, bindir, complete=lambda root: None):
    """The root that the cache keeps under `name`; made if it is not there, and given to `complete`."""
    if not places.IS_ROOT:
        raise Unavailable(f"Debian's suite {suite} in a root of its own needs root")
    get(["unshare", "--mount", "--", "true"], "making a mount namespace")
    target = places.cache() / name
    with places.locked(name):
        if not target.exists():
            say(f"installing {', '.join(packages)} from Debian's suite {suite} (about three minutes, once)")
            with places.made_whole(target) as fresh:
                made = Root(fresh, bindir)
                made.make(suite, packages)
                complete(made)
    return Root(target, bindir)
