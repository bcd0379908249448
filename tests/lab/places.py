"""Where the lab keeps things, and as whom its servers run.

PostgreSQL and Odoo refuse root, so a root caller runs them as user postgres. What those
servers read must then lie where that user may look: /root usually is closed to it.
"""

import fcntl
import getpass
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
SERVICE_USER = "postgres" if IS_ROOT else getpass.getuser()


def say(text):
    print(f"» {text}", flush=True)


def as_service(command):
    """The command line that runs `command` as the service user."""
    command = [str(part) for part in command]
    return ["runuser", "-u", SERVICE_USER, "--", *command] if IS_ROOT else command


def give_to_service(path):
    """Hands a folder and all below it to the service user."""
    if IS_ROOT:
        subprocess.run(["chown", "-R", SERVICE_USER, str(path)], check=True)


def reachable(path):
    """Whether the service user can enter `path`, a folder that exists."""
    return subprocess.run(as_service(["test", "-x", path])).returncode == 0


def cache():
    """The folder outside the checkout that later runs, of other clones too, start from."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "odoo_etl"
    folder.mkdir(parents=True, exist_ok=True)
    if not reachable(folder):
        folder = Path("/var/cache/odoo_etl")
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def shared():
    """The folders that servers keep their files in."""
    return [tempfile.gettempdir(), cache()]


@contextmanager
def locked(name):
    """One process at a time builds the cache entry `name`; the others wait for it."""
    with open(cache() / f".{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that prepares {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def made_whole(target):
    """A folder to fill, renamed to `target` at the end: an interrupted run leaves no half of it."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def service_environment():
    """The environment of a server: TZ makes Odoo's times local, RUST_BACKTRACE puts source
    paths into the errors that clients see, PG* would point a client somewhere else."""
    dropped = ("TZ", "RUST_BACKTRACE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in dropped and not key.startswith("PG")
    }
    return {**kept, "HOME": pwd.getpwnam(SERVICE_USER).pw_dir, "LC_ALL": "C.UTF-8"}


def run(command, what, **options):
    """Runs a command quietly; if it fails, says what was being done and what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    if done.returncode != 0:
        sys.exit(f"{what} failed ({' '.join(map(str, command[:6]))} …):\n{done.stdout[-4000:]}")
    return done.stdout
