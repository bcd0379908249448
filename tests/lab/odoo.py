"""A real Odoo 19 on loopback: Debian's package from sid, unpacked and not installed, in a
virtual environment of the system's Python, with demo data."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import places, ports
from .places import say
from .postgres import Cluster

PACKAGE = "odoo-19"
SUITE = "sid"
MODULES = (
    "point_of_sale,pos_hr,pos_loyalty,purchase,purchase_stock,stock,hr,hr_homeworking,"
    "sale_management,loyalty,pos_sale,crm"
)
DATABASE = "demo"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
START = "import odoo.cli; odoo.cli.main()"


class Unavailable(Exception):
    """Odoo cannot be had on this machine; the text says why."""


def _get(command, what):
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise Unavailable(f"{what} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def package():
    """The folder of the unpacked package."""
    target = places.cache() / PACKAGE
    with places.locked(PACKAGE):
        if not target.exists():
            say(f"fetching Debian's package {PACKAGE} from {SUITE} (122 MB)")
            with places.made_whole(target) as fresh:
                _fetch(fresh)
    return target


def _fetch(folder):
    """Downloads with an apt configuration of its own: the system's sources stay as they are,
    the archive's signature is still checked. sid's Release file may be past its date."""
    mirrors = _get(
        ["apt-get", "indextargets", "--format", "$(SUITE) $(ORIGIN) $(LABEL) $(REPO_URI)",
         "Created-By: Packages"],
        "asking apt for the system's mirror (run apt-get update)",
    )
    found = re.search(r"^\S+ Debian Debian (\S+)$", mirrors, re.MULTILINE)
    if not found:
        raise Unavailable("the system's apt sources name no Debian mirror")
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (apt / "sources.list").write_text(f"deb [signed-by={keyring}] {found[1]} {SUITE} main\n")
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
    _get(["apt-get", *flags, "update"], f"reading Debian's suite {SUITE}")
    deb = apt / "odoo.deb"
    done = subprocess.run(
        ["apt-get", *map(str, flags), "download", PACKAGE], cwd=apt, capture_output=True, text=True
    )
    found = list(apt.glob("*.deb"))
    if done.returncode != 0 or not found:
        raise Unavailable(f"downloading {PACKAGE} failed:\n{done.stderr[-2000:]}")
    found[0].rename(deb)
    _get(["dpkg", "-x", deb, folder], f"unpacking {PACKAGE}")
    shutil.rmtree(apt)


def environment(requirements=REQUIREMENTS, what="Odoo's Python dependencies"):
    """The virtual environment's folder; pytest lives in Odoo's too."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    target = places.cache() / f"venv-{digest}"
    with places.locked("venv"):
        if not (target / "complete").exists():
            say(f"installing {what} from PyPI (about a minute)")
            shutil.rmtree(target, ignore_errors=True)
            _get(["/usr/bin/python3", "-m", "venv", target], "making a virtual environment")
            _get(
                [target / "bin/pip", "install", "--quiet", "--disable-pip-version-check",
                 "-r", requirements],
                f"installing {what}",
            )
            (target / "complete").touch()
    return target


def database():
    """The folder of an initialised database (cluster and file store), to be copied."""
    recipe = f"{PACKAGE} {MODULES} {REQUIREMENTS.read_text()}"
    target = places.cache() / f"database-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with places.locked("database"):
        if not target.exists():
            say("initialising Odoo's demo database (about three minutes, once)")
            with places.made_whole(target) as fresh:
                Server(fresh).initialise()
    return target


def ready():
    """Prepares everything that a start needs, so that the start takes seconds."""
    package()
    environment()
    database()


class Server:
    """An Odoo with its own PostgreSQL cluster in `folder`."""

    login = "admin"
    password = "admin"
    database = DATABASE
    #: Those that were started, by their address.
    started = {}

    def __init__(self, folder, template=None):
        """It starts from a copy of `template`, else of the initialised database."""
        self.folder, self.template = Path(folder), template
        self.port, self.gevent_port, cluster_port = ports.free(3)
        self.cluster = Cluster(self.folder / "cluster", cluster_port, {"max_connections": 60})
        self.process = None
        self.key = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / "odoo.log"

    @property
    def pid_file(self):
        return self.folder / "odoo.pid"

    def _command(self, *options):
        modules = package() / "usr/lib/python3/dist-packages"
        addons = [modules / "addons", modules / "odoo/addons"]
        return places.as_service(
            ["env", f"PYTHONPATH={modules}", environment() / "bin/python", "-c", START,
             "--addons-path", ",".join(map(str, addons)),
             "--data-dir", self.folder / "files",
             "--db_host", self.cluster.folder, "--db_port", self.cluster.port,
             "--db_user", "odoo", "--database", DATABASE,
             "--http-interface", "127.0.0.1", "--http-port", self.port,
             "--gevent-port", self.gevent_port, "--logfile", self.log, *options]
        )

    def _spawn(self, *options):
        return subprocess.Popen(
            [str(part) for part in self._command(*options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=places.service_environment(),
            start_new_session=True,
        )

    def initialise(self):
        (self.folder / "files").mkdir()
        self.cluster.init()
        places.give_to_service(self.folder)
        self.cluster.settings["fsync"] = "off"
        self.cluster.start()
        try:
            self.cluster.sql("CREATE ROLE odoo LOGIN SUPERUSER")
            self.cluster.sql(f"CREATE DATABASE {DATABASE} OWNER odoo")
            begin = time.monotonic()
            process = self._spawn("--with-demo", "-i", MODULES, "--stop-after-init", "--workers", "0",
                                  "--max-cron-threads", "0")
            try:
                while process.poll() is None:
                    time.sleep(1)
                    if int(time.monotonic() - begin) % 30 == 0:
                        say(f"  {int(time.monotonic() - begin)} s, {self._loaded()}")
            finally:
                _end(process)
            if process.returncode != 0 or self._loaded() == "0 modules loaded":
                raise Unavailable(f"Odoo's initialisation failed:\n{self._log_tail()}")
        finally:
            self.cluster.stop()
        (self.cluster.log).unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)

    def _loaded(self):
        text = self.log.read_text() if self.log.exists() else ""
        return f"{len(re.findall(r'Module .* loaded in', text))} modules loaded"

    def _log_tail(self):
        return self.log.read_text()[-3000:] if self.log.exists() else "(no log)"

    def start(self):
        """Starts from a copy and waits for the first answer."""
        if not self.cluster.data.exists():
            self.copy()
        self.cluster.start()
        self.launch()
        self.started[self.url] = self

    def api_key(self):
        """An API key of the administrator, as `res.users.apikeys` keeps it: hashed, in its table."""
        # Of Odoo's environment, in which tests run and the demo does not.
        from passlib.hash import pbkdf2_sha512

        if not self.key:
            self.key = os.urandom(20).hex()
            hashed = pbkdf2_sha512.using(rounds=6000).hash(self.key)
            self.cluster.sql(
                "INSERT INTO res_users_apikeys (name, user_id, key, index) "
                f"VALUES ('odoo_etl', 2, '{hashed}', '{self.key[:8]}')", DATABASE)
        return self.key

    def copy(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        template = self.template or database()
        places.run(["cp", "-a", "--reflink=auto", f"{template}/.", self.folder], "copying Odoo's database")
        places.give_to_service(self.folder)

    def launch(self):
        """Starts Odoo itself; its cluster runs already."""
        self.process = self._spawn("--workers", "2", "--max-cron-threads", "0",
                                   "--db-filter", f"^{DATABASE}$", "--log-level", "warn")
        self.pid_file.write_text(str(self.process.pid))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/web/version", timeout=10):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise Unavailable(f"Odoo did not answer at {self.url}:\n{self._log_tail()}")

    def halt(self):
        """Stops Odoo itself; its cluster runs on."""
        if self.process:
            _end(self.process)
            self.process = None

    def stop(self):
        self.halt()
        self.cluster.stop("immediate")


def end_by_pid_file(pid_file):
    """Ends the Odoo of an earlier run, if that process still is one with this folder's files."""
    pid = int(pid_file.read_text())
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        if str(pid_file.parent) in command:
            os.killpg(pid, signal.SIGTERM)
            while _alive(pid):
                time.sleep(0.1)
    except (FileNotFoundError, ProcessLookupError):
        pass


def _alive(pid):
    """Whether a process runs; one that has ended may wait for its parent as a zombie."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _end(process):
    """Ends a process group that was started here, and waits for it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        except ProcessLookupError:
            process.wait()

