"""A real Odoo on loopback, with a PostgreSQL cluster of its own."""

import hashlib
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
import xmlrpc.client
from pathlib import Path

from . import installations, places, ports
from .debian import Unavailable
from .places import say
from .postgres import Cluster
from .releases import ODOO_14, ODOO_19, environment

DATABASE = "demo"


def postgres_of(release):
    """The PostgreSQL that an Odoo keeps its own data in."""
    root = release.root()
    return installations.InRoot(root) if root else installations.system()


def database(release=ODOO_19):
    """The folder of an initialised database (cluster and file store), to be copied."""
    digest = hashlib.sha256(release.recipe().encode()).hexdigest()[:12]
    target = places.cache() / f"{release.database_name}-{digest}"
    with places.locked(release.database_name):
        if not target.exists():
            say(f"initialising {release}'s demo database (about three minutes, once)")
            with places.made_whole(target) as fresh:
                Server(fresh, release=release).initialise()
    return target


def ready(release=ODOO_19):
    """Prepares everything that a start needs, so that the start takes seconds."""
    environment()
    release.command([])
    database(release)


class Api:
    """Odoo's API by Python's own client."""

    def __init__(self, server, user=2, password=None):
        self.release = server.release.number
        self.credentials = (server.database, user, password or server.password)
        self.object = xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/object", allow_none=True)

    def __call__(self, model, method, *args, **kwargs):
        try:
            return self.object.execute_kw(*self.credentials, model, method, args, kwargs)
        except xmlrpc.client.Fault as fault:
            # The method ran and was committed; only its result cannot be written.
            if "cannot marshal None" not in fault.faultString and "in __dump" not in fault.faultString:
                raise


class Server:
    """An Odoo with its own PostgreSQL cluster in `folder`."""

    login = "admin"
    password = "admin"
    database = DATABASE
    #: Those that were started, by their address.
    started = {}

    def __init__(self, folder, template=None, release=ODOO_19):
        """It starts from a copy of `template`, else of the release's initialised database."""
        self.folder, self.template, self.release = Path(folder), template, release
        self.port, self.bus_port, cluster_port = ports.free(3)
        self.cluster = Cluster(
            self.folder / "cluster", cluster_port, {"max_connections": 60}, installation=postgres_of(release)
        )
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
        return self.release.command(
            ["--data-dir", self.folder / "files",
             "--db_host", self.cluster.folder, "--db_port", self.cluster.port,
             "--db_user", "odoo", "--database", DATABASE,
             "--http-interface", "127.0.0.1", "--http-port", self.port,
             self.release.bus_port, self.bus_port, "--logfile", self.log, *options]
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
            process = self._spawn(*self.release.initialising, "-i", self.release.modules,
                                  "--stop-after-init", "--workers", "0", "--max-cron-threads", "0")
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
        template = self.template or database(self.release)
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
                with urllib.request.urlopen(self.url + self.release.page, timeout=10):
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

