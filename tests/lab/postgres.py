"""Private PostgreSQL clusters: own data folder, own port, unix socket only."""

import shutil
import subprocess
from pathlib import Path

from . import places


def bindir():
    return Path(places.run(["pg_config", "--bindir"], "asking pg_config").strip())


class Cluster:
    """A cluster in `folder`; it is this program's own and nothing else uses it. Its PostgreSQL is
    the system's, or that of `root`."""

    def __init__(self, folder, port, settings=None, environment=None, root=None):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.port = port
        self.settings = settings or {}
        self.environment = environment or {}
        self.root = root

    @property
    def log(self):
        return self.folder / "postgres.log"

    def init(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        places.give_to_service(self.folder)
        places.run(
            self._program(
                "initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
            ),
            "initdb",
            cwd="/",
            env=places.service_environment(),
        )

    def start(self):
        settings = {
            "port": self.port,
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "timezone": "UTC",
            **self.settings,
        }
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        (self.data / "postgresql.auto.conf").write_text(lines)
        places.give_to_service(self.data)
        self._pg_ctl("start", "--log", self.log)

    def stop(self, mode="fast"):
        if (self.data / "postmaster.pid").exists():
            self._pg_ctl("stop", "--mode", mode)

    def running(self):
        status = self._program("pg_ctl", "status", "--pgdata", self.data)
        return subprocess.run(status, stdout=subprocess.DEVNULL, cwd="/").returncode == 0

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _program(self, name, *arguments):
        """The command line of one of PostgreSQL's programs, run as the service user."""
        if self.root:
            return self.root.as_service([self.root.bindir / name, *arguments])
        return places.as_service([bindir() / name, *arguments])

    def _pg_ctl(self, action, *options):
        # pg_ctl's server would keep this program's output open: give it a file of its own.
        command = self._program("pg_ctl", action, "--silent", "--wait", "--pgdata", self.data, *options)
        output = self.folder / "pg_ctl.log"
        with open(output, "w") as handle:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**places.service_environment(), **self.environment},
            )
        if done.returncode != 0:
            details = output.read_text() + (self.log.read_text() if self.log.exists() else "")
            raise RuntimeError(f"pg_ctl {action} of {self.folder} failed:\n{details[-3000:]}")

    def psql(self, database="postgres"):
        """The psql command that connects here."""
        return ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database]

    def dsn(self, database="postgres"):
        return f"host={self.folder} port={self.port} user=postgres dbname={database}"

    def sql(self, text, database="postgres"):
        """Runs SQL and returns psql's unaligned output."""
        command = self.psql(database) + ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text]
        return places.run(command, "psql", env=places.service_environment()).strip()
