"""Private PostgreSQL clusters: own data folder, own port, unix socket only."""

import shutil
import subprocess
from pathlib import Path

from . import installations, places


class Cluster:
    """A cluster in `folder`; it is this program's own and nothing else uses it. Its PostgreSQL is
    the one that PG_CONFIG names, or `installation`."""

    def __init__(self, folder, port, settings=None, environment=None, installation=None):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.port = port
        self.settings = settings or {}
        self.environment = environment or {}
        self.installation = installation or installations.chosen()
        #: A database with the extension, of which others can be copies.
        self.extended = None

    @property
    def log(self):
        return self.folder / "postgres.log"

    def init(self, *options):
        self.folder.mkdir(parents=True, exist_ok=True)
        places.give_to_service(self.folder)
        places.run(
            self.installation.as_service(
                "initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", *options,
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

    def copy(self, folder, port):
        """A standby of it, which is to be started and then follows as long as this one runs."""
        settings = {**self.settings, "primary_conninfo": f"host={self.folder} port={self.port} user=postgres"}
        copy = Cluster(folder, port, settings, self.environment, self.installation)
        copy.folder.mkdir(parents=True)
        places.give_to_service(copy.folder)
        places.run(
            self.installation.as_service(
                "pg_basebackup", "-h", self.folder, "-p", self.port, "-U", "postgres", "-D", copy.data, "-X", "stream",
                "-c", "fast", "--no-sync",
            ),
            "pg_basebackup", cwd="/", env=places.service_environment(),
        )
        (copy.data / "standby.signal").touch()
        return copy

    def promote(self):
        self._pg_ctl("promote")

    def stop(self, mode="fast"):
        if (self.data / "postmaster.pid").exists():
            self._pg_ctl("stop", "--mode", mode)

    def running(self):
        status = self.installation.as_service("pg_ctl", "status", "--pgdata", self.data)
        return subprocess.run(status, stdout=subprocess.DEVNULL, cwd="/").returncode == 0

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _pg_ctl(self, action, *options):
        # pg_ctl's server would keep this program's output open: give it a file of its own.
        command = self.installation.as_service("pg_ctl", action, "--silent", "--wait", "--pgdata", self.data, *options)
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
        return self.client("psql", "-d", database)

    def client(self, program, *options):
        """The command line of one of PostgreSQL's clients that connects here."""
        return self.installation.client(program, "-h", self.folder, "-p", self.port, "-U", "postgres", *options)

    def tester(self, program, inputs, outputs, *options):
        """The command line of one of PostgreSQL's test drivers that connects here."""
        return self.installation.as_service(
            self.installation.tests() / program, f"--bindir={self.installation.bindir}", f"--inputdir={inputs}",
            f"--outputdir={outputs}", f"--host={self.folder}", f"--port={self.port}", "--user=postgres", *options)

    def dsn(self, database="postgres"):
        return f"host={self.folder} port={self.port} user=postgres dbname={database}"

    def sql(self, text, database="postgres"):
        """Runs SQL and returns psql's unaligned output."""
        command = self.psql(database) + ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text]
        return places.run(command, "psql", env=places.service_environment()).strip()
