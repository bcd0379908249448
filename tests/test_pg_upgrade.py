"""From the system's PostgreSQL to the later one of PG_CONFIG, by pg_upgrade and by dump and restore: what the
extension remembers comes along, and the next run loads nothing anew."""

import pytest

from .conftest import Database
from .lab import installations, places, ports
from .lab.postgres import Cluster
from .test_dump import KEPT, dump, restore
from .test_in_step import Shop
from .test_mirror import LATER, MIRROR, with_leads

pytestmark = [pytest.mark.postgres, pytest.mark.beside]

ALL = "SELECT * FROM odoo_sync_all()"


@pytest.fixture
def later():
    installation = installations.chosen()
    if installation.major <= installations.system().major:
        pytest.skip(f"PG_CONFIG names {installation}, which is not later than the system's")
    return installation


@pytest.fixture
def old(folder, later):
    # As initdb does without being asked from 18 on: pg_upgrade wants both alike.
    yield from started(Cluster(folder / "old", ports.free(1)[0], installation=installations.system()), "--data-checksums")


@pytest.fixture
def new(folder, later):
    yield from started(Cluster(folder / "new", ports.free(1)[0], installation=later), "--data-checksums")


def started(cluster, *options):
    cluster.init(*options)
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture
def shop(old, fake):
    """A warehouse with a table of one's own, a value that cannot be read, and jobs."""
    db = Database(old)
    shop = Shop(db, fake, "rows=40/poison=product.product:13:barcode")
    with_leads(shop)
    shop.write("product.product", 1)
    db.run(ALL)
    db.run(MIRROR)
    db.run("SELECT * FROM odoo_sync('crm_leads')")
    db.run("INSERT INTO odoo_etl.schedules VALUES ('erp', 'all', false, 'postgres', '0 1 * * *', 7)")
    db.run("INSERT INTO odoo_etl.stops VALUES ('erp', 'somebody', 'a reason')")
    return shop


def by_pg_upgrade(old, new, name):
    if isinstance(new.installation, installations.InRoot):
        pytest.skip(f"pg_upgrade starts both servers, and the lab's {new.installation} runs in a root without the other")
    forget_versions(old, new, name)
    for cluster in (old, new):
        cluster.stop()
    clusters = [
        f"--{which}-{what}={value}"
        for which, cluster in (("old", old), ("new", new))
        for what, value in (("bindir", cluster.installation.bindir), ("datadir", cluster.data), ("port", cluster.port))
    ]
    command = new.installation.as_service("pg_upgrade", "--username=postgres", f"--socketdir={new.folder}", *clusters)
    places.run(command, "pg_upgrade", cwd=new.folder, env=places.service_environment())
    new.start()


def forget_versions(old, new, name):
    """PostgreSQL 15.20 and 17.12 of Debian note a version with each column, which pg_upgrade carries along and 18.6 refuses,
    with odoo_etl or without: the test's cluster forgets them."""
    noted = "SELECT count(*) > 0 FROM pg_attribute WHERE attoptions::text LIKE '%pg_attver%'"
    if (old.sql(noted, name), new.sql(noted)) == ("t", "f"):
        old.sql("SET allow_system_table_mods = on; UPDATE pg_attribute SET attoptions = NULL WHERE attoptions IS NOT NULL", name)


def by_dump(old, new, name):
    new.sql(f"CREATE DATABASE {name}")
    restore(new, name, dump(old, name))


@pytest.mark.parametrize("way", [by_pg_upgrade, by_dump])
def test_a_later_postgres_goes_on_where_the_other_was(shop, old, new, way):
    kept = {table: shop.db.run(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in KEPT}
    loaded = shop.db.run("SELECT * FROM crm_leads ORDER BY id")
    shop.db.connection.close()
    way(old, new, shop.db.name)
    db = Database.of(new, shop.db.name)
    assert db.connection.server_version > 10_000 * installations.system().major + 9_999
    assert {table: db.run(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in KEPT} == kept
    assert db.run("SELECT * FROM crm_leads ORDER BY id") == loaded != []
    # Stopped it was, and stays so until somebody resumes.
    db.run("SELECT odoo_resume()")
    report = db.report(ALL)
    assert {(row["inserted"], row["updated"], row["deleted"]) for row in report.values()} == {(0, 0, 0)}
    assert report["dim_products"]["fetched"] < 5 and report["crm_leads"]["fetched"] < 3
    differing = "SELECT target, missing, stale, deleted FROM odoo_verify('all') WHERE missing + stale + deleted > 0"
    assert db.run(differing) == []
    # What changes from then on is seen on both sides.
    shop.write("product.product", 7, LATER, name="Renamed")
    assert db.report(ALL)["dim_products"]["updated"] == 1
    db.run("UPDATE crm_leads SET name = 'mine' WHERE id = 3")
    assert db.run(differing) == [("crm_leads", 0, 1, 0)]
    db.connection.close()
