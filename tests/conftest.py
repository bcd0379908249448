"""Servers for the tests: a PostgreSQL cluster, the fake Odoo, the real one. All are started
here, on ports of their own, and stopped at the end."""

import itertools
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from . import hostile
from .fake.server import Server, Unconnectable
from .lab import installations, odoo, places, ports
from .lab.postgres import Cluster


#: `make test-settings` runs the tests of a sync and of foreign tables with `hostile` ones.
SETTINGS = os.environ.get("SETTINGS")

#: `make test-scale` runs the tests of a sync with `partitioned` ones.
FACTS = os.environ.get("FACTS")


#: How many tables Odoo's records fill; missing_data, odoo_deleted, fact_stock_daily and dim_date stand beside them.
TABLES = 29
#: Those that no model fills.
OWN_TABLES = 4


@pytest.fixture(scope="session")
def folder():
    path = Path(tempfile.mkdtemp(prefix="odoo_etl_test."))
    path.chmod(0o755)
    places.give_to_service(path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(folder, installation=None, **settings):
    """A cluster at work, as long as it is needed."""
    cluster = Cluster(folder, ports.free(1)[0], {"fsync": "off", **settings}, installation=installation)
    cluster.init()
    cluster.start()
    yield cluster
    cluster.stop("immediate")


@pytest.fixture(scope="session")
def cluster(folder):
    with running(folder / "pg") as cluster:
        if SETTINGS == "hostile":
            hostile.beset(cluster, "ROLE postgres", hostile.FOR_PSYCOPG2)
        # To make the extension takes longer than to copy it.
        cluster.sql("CREATE DATABASE extended")
        cluster.sql("CREATE EXTENSION odoo_etl", "extended")
        cluster.extended = "extended"
        yield cluster


@pytest.fixture(scope="session")
def fake():
    server = Server().run()
    yield server
    server.shutdown()


@pytest.fixture(scope="session")
def certificate(folder):
    """A certificate for localhost, signed by itself: key and certificate in one file, and the
    certificate alone."""
    both, alone = folder / "both.pem", folder / "alone.pem"
    places.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", both,
         "-out", alone, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-addext", "basicConstraints=critical,CA:FALSE"],
        "openssl",
    )
    both.write_text(both.read_text() + alone.read_text())
    alone.chmod(0o644)
    return both, alone


@pytest.fixture(scope="session")
def tls(certificate):
    server = Server(certificate=certificate[0]).run()
    yield server
    server.shutdown()


@pytest.fixture(scope="session")
def unconnectable():
    return Unconnectable()


@pytest.fixture(scope="session")
def real(folder):
    server = odoo.Server(folder / "odoo")
    server.start()
    yield server
    server.stop()


#: What servers are asked in where a test does not say: `make test-protocols` asks otherwise.
PROTOCOL = os.environ.get("PROTOCOL", "xmlrpc")

#: The same for tests of passwords: JSON-2 takes API keys only.
BY_PASSWORD = "jsonrpc" if PROTOCOL == "json2" else PROTOCOL

#: The same for tests of the id that a user is known by: over web each session logs in.
BY_ID = "jsonrpc" if PROTOCOL in ("json2", "web") else PROTOCOL

#: Characters that a line of a terminal has.
TERMINAL = 120

numbers = itertools.count(1)


def protocol_of(url):
    """JSON-2 is there from 19 on."""
    started = odoo.Server.started.get(url)
    is_older = started.release.number < 19 if started else re.search(r"version=1[4-8]", url)
    return "jsonrpc" if PROTOCOL == "json2" and is_older else PROTOCOL


class Database:
    """A database of its own, with the extension in it."""

    def __init__(self, cluster, name=None):
        self.cluster = cluster
        self.name = name or f"db{next(numbers)}"
        cluster.sql(f"CREATE DATABASE {self.name} TEMPLATE {cluster.extended or 'template1'}")
        self.connection = self.connect()
        # CREATE EXTENSION loads the library too.
        self.run("LOAD 'odoo_etl'" if cluster.extended else "CREATE EXTENSION odoo_etl")

    @classmethod
    def of(cls, cluster, name):
        """One that is there already."""
        database = cls.__new__(cls)
        database.cluster, database.name = cluster, name
        database.connection = database.connect()
        return database

    def connect(self, **options):
        connection = psycopg2.connect(self.cluster.dsn(self.name), **options)
        connection.autocommit = True
        return connection

    def reconnect(self, after_crash=False):
        """Connects again, to a cluster that may be recovering. After a crash it first waits
        for the postmaster to notice."""
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, "the cluster does not come back"
            try:
                if after_crash:
                    self.value("SELECT 1")
                else:
                    self.connection = self.connect()
                    self.value("SELECT 1")
                    return
            except psycopg2.Error:
                after_crash = False
            time.sleep(0.1)

    def server(self, url, name="erp", secret="admin", **options):
        # Without retries, so that what fails fails at once.
        options = {"url": url, "database": "demo", "retries": 0, "protocol": protocol_of(url), **options}
        text = ", ".join(f"{key} '{value}'" for key, value in options.items())
        self.run(f"CREATE SERVER {name} FOREIGN DATA WRAPPER odoo_fdw OPTIONS ({text})")
        kind = "password"
        if options["protocol"] == "json2":
            kind = "api_key"
            if secret == "admin" and url in odoo.Server.started:
                secret = odoo.Server.started[url].api_key()
        self.run(
            f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} "
            f"OPTIONS (login 'admin', {kind} '{secret}')"
        )
        if FACTS == "partitioned":
            self.partition_facts(name)

    def partition_facts(self, server, rows=20):
        """Its facts are made in many partitions."""
        try:
            self.run("CALL odoo_partition('', server => %s)", server)
        except psycopg2.Error as error:
            hint = error.diag.message_hint or ""
        found = re.search("Tables: (.*)[.]$", hint)
        tables = found[1].split(", ") if found else []
        self.run("SET client_min_messages = warning")
        for table in tables:
            self.run("CALL odoo_partition(%s, %s, %s)", table, rows, server)
        self.run("RESET client_min_messages")

    def run(self, sql, *args):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return cursor.fetchall() if cursor.description else None

    def value(self, sql, *args):
        return self.run(sql, *args)[0][0]

    def shown(self, statement):
        """The lines that psql prints."""
        command = [*self.cluster.psql(self.name), "-X", "-c", statement]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    def report(self, sql):
        """The rows of a sync by table, as dictionaries."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column.name for column in cursor.description]
            return {row[1]: dict(zip(names, row)) for row in cursor.fetchall()}

    @property
    def notices(self):
        return "".join(self.connection.notices)


@pytest.fixture
def db(cluster):
    database = Database(cluster)
    yield database
    database.connection.close()
    cluster.sql(f"DROP DATABASE {database.name} WITH (FORCE)")


def require_failpoints(db):
    """For tests that do without a safeguard."""
    db.run("LOAD 'odoo_etl'")
    if db.value("SELECT current_setting('odoo_etl.debug_without', true)") is None:
        pytest.fail("This test switches a safeguard off by odoo_etl.debug_without, which the installed library lacks: it was "
                    "built without the cargo feature failpoints, as `make install` does. `make test` builds it with that.",
                    pytrace=False)


def require_extension(name):
    """For tests with an extension of others, or ICU, which some of the lab's own servers come without."""
    if name in installations.chosen().lacks:
        pytest.skip(f"the lab's {installations.chosen()} comes without {name}")


def heard(listener, count):
    """The payloads that a listening connection got: `count` of them, which may take a moment."""
    deadline = time.monotonic() + 5
    while len(listener.notifies) < count and time.monotonic() < deadline:
        listener.poll()
        time.sleep(0.02)
    return [notice.payload for notice in listener.notifies]


def url(server, behaviour="", host="127.0.0.1", scheme="http"):
    return f"{scheme}://{host}:{server.port}/{behaviour}".rstrip("/")
