"""The Debian package for the PostgreSQL of PG_CONFIG, in a Debian that has nothing but that PostgreSQL."""

import re
import shlex
import subprocess
import time
from decimal import Decimal

import psycopg2
import pytest

from .conftest import Database, running, url
from .lab import clean, debian, installations, places
from .live.test_docs import blocks
from .test_dashboard import data_of
from .test_versions import ROWS

pytestmark = pytest.mark.package

PACKAGES = places.CHECKOUT / "target/packages"
README = (places.CHECKOUT / "README.md").read_text()
VERSION = re.search(r'^version = "(.*)"', (places.CHECKOUT / "Cargo.toml").read_text(), re.MULTILINE)[1]


@pytest.fixture(scope="module")
def package():
    name = f"postgresql-{installations.chosen().major}-odoo-etl_{VERSION}_*.deb"
    found = list(PACKAGES.glob(name))
    if not found:
        pytest.fail(f"There is no {PACKAGES / name}; `make package` makes it.", pytrace=False)
    return found[0]


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder


def bare(folder):
    """A Debian with that PostgreSQL and nothing to build with."""
    try:
        host = clean.copy(installations.chosen().major, folder)
    except debian.Unavailable as problem:
        pytest.skip(f"The package was NOT installed: {problem}")
    for tool in ("cc", "rustc", "cargo"):
        with pytest.raises(debian.Unavailable):
            host.run("which", tool)
    return host


def install(package, host):
    host.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends", str(package),
             bound=[PACKAGES])


@pytest.fixture(scope="module")
def host(package, folder):
    host = bare(folder)
    install(package, host)
    return host


@pytest.fixture(scope="module")
def cluster(host, folder):
    with running(folder / "packaged", host) as cluster:
        yield cluster


def until_the_schedule():
    """The README's statements that need nothing of others."""
    return "".join(block for block in blocks("README.md") if "odoo_schedule" not in block)


def first_statements():
    """Those up to the first sync of everything."""
    statements = [statement.strip() for statement in until_the_schedule().split(";\n") if statement.strip()]
    last = next(at for at, statement in enumerate(statements) if "odoo_sync_all()" in statement)
    return statements[:last + 1]


def shell(cluster, *options, script=""):
    """What psql prints in the warehouse."""
    command = [*cluster.psql("warehouse"), "-X", *options]
    return subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.PIPE, env=places.service_environment()).stdout


def database(cluster, name):
    cluster.sql(f"CREATE DATABASE {name}")
    return Database.of(cluster, name)


def test_lintian_finds_no_error(package):
    done = subprocess.run(["lintian", "--fail-on", "error", package], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert not re.search(r"^[EW]:", done.stdout, re.MULTILINE), done.stdout


def test_no_path_of_the_machine_that_built_it_is_in_it(unpacked):
    library, = unpacked.rglob("odoo_etl.so")
    text = library.read_bytes()
    for path in (str(places.CHECKOUT), ".cargo/"):
        assert path.encode() not in text, path
    assert re.findall(rb"/(?:home|root)/\S{,80}", text) == []


def test_it_has_a_script_for_each_release(unpacked):
    scripts = {file.name for file in unpacked.rglob("*.sql")}
    assert scripts == {file.name for file in (places.CHECKOUT / "sql").glob("odoo_etl--*.sql")} | {f"odoo_etl--{VERSION}.sql"}
    assert {"odoo_etl--0.1.0.sql", f"odoo_etl--0.1.0--{VERSION}.sql"} <= scripts


def test_the_first_statements_of_the_readme_fill_the_warehouse(cluster, fake):
    db = database(cluster, "demo")
    statements = first_statements()
    assert statements[0] == "CREATE EXTENSION odoo_etl" and len(statements) > 5
    for statement in statements:
        db.run(statement.replace("http://127.0.0.1:8069", url(fake, "version=19")))
    assert db.value("SELECT extversion FROM pg_extension WHERE extname = 'odoo_etl'") == VERSION
    assert db.value("SELECT count(*) FROM dim_products") == ROWS["dim_products"]
    assert db.value("SHOW shared_preload_libraries") == ""
    db.connection.close()


@pytest.mark.live
def test_a_stranger_has_a_page_in_ten_minutes(package, real, folder):
    """By the clock, without the typing, who has an Odoo and a PostgreSQL: the package, the README's statements and its page."""
    home = folder / "stranger"
    home.mkdir(mode=0o755)
    host = bare(home)
    with running(home / "pg", host) as cluster:
        begin = time.monotonic()
        install(package, host)
        cluster.sql("CREATE DATABASE warehouse")
        shell(cluster, "-v", "ON_ERROR_STOP=1", script=until_the_schedule().replace("http://127.0.0.1:8069", real.url))
        html = shell(cluster, *shlex.split(re.search("-d warehouse (.*) > shop.html", README)[1]))
        seconds = time.monotonic() - begin
        print(f"a page after {seconds:.0f} s")
        rows = data_of(html)["sections"]["sales"]["rows"]
        sold = cluster.sql(f"SELECT sum(amount - settled) FROM reports.sales_by_day WHERE business_date >= '{min(row['start'] for row in rows)}' "
                           "AND business_date <= current_date", "warehouse")
    assert sum(row["amount"] for row in rows) == Decimal(sold) > 0
    assert seconds < 600


def test_the_first_release_is_updated(cluster, fake):
    db = database(cluster, "updated")
    db.run("CREATE EXTENSION odoo_etl VERSION '0.1.0'")
    db.server(url(fake, "rows=40"))
    db.run("SELECT * FROM odoo_sync_all()")
    db.run("ALTER EXTENSION odoo_etl UPDATE")
    assert db.value("SELECT extversion FROM pg_extension WHERE extname = 'odoo_etl'") == VERSION
    again = db.report("SELECT * FROM odoo_sync_all()")["dim_products"]
    assert (again["unchanged"], again["inserted"], again["updated"]) == (40, 0, 0)
    db.connection.close()


def test_it_is_removed_and_the_tables_stay(cluster, host, fake):
    db = database(cluster, "removed")
    db.run("CREATE EXTENSION odoo_etl")
    db.server(url(fake, "rows=40"))
    db.run("SELECT * FROM odoo_sync_all()")
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        db.run("DROP EXTENSION odoo_etl")
    db.run("DROP EXTENSION odoo_etl CASCADE")
    assert db.value("SELECT count(*) FROM dim_products") == 40
    assert db.run("SELECT nspname FROM pg_namespace WHERE nspname = 'odoo_etl'") == []
    assert db.run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == []
    assert db.run("SELECT srvname FROM pg_foreign_server") == []
    db.connection.close()
    name = f"postgresql-{host.major}-odoo-etl"
    host.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", "-y", name)
    assert host.run("find", "/usr", "-name", "*odoo*") == ""
