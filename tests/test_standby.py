"""On a standby what writes says so at once; what only reads works."""

import psycopg2
import pytest

from .conftest import Database, url
from .lab import places, ports
from .lab.postgres import Cluster
from .live_functions import drift


@pytest.fixture(scope="module")
def standby(folder, fake):
    """A copy of a cluster that stays in recovery, with a warehouse that was synced before."""
    primary = Cluster(folder / "primary", ports.free(1)[0], {"fsync": "off"})
    primary.init()
    primary.start()
    db = Database(primary)
    db.server(url(fake, "rows=40"), writable="true")
    db.run("SELECT * FROM odoo_sync_all()")
    copy = Cluster(folder / "standby", ports.free(1)[0], {"fsync": "off"})
    copy.folder.mkdir()
    places.give_to_service(copy.folder)
    places.run(
        primary.installation.as_service(
            "pg_basebackup", "-h", primary.folder, "-p", primary.port, "-U", "postgres",
            "-D", copy.data, "-X", "stream", "-c", "fast", "--no-sync"
        ),
        "pg_basebackup", cwd="/", env=places.service_environment(),
    )
    (copy.data / "standby.signal").touch()
    copy.start()
    db.connection.close()
    connected = Database.of(copy, db.name)
    assert connected.value("SELECT pg_is_in_recovery()")
    yield connected
    connected.connection.close()
    copy.stop("immediate")
    primary.stop("immediate")


@pytest.mark.parametrize("statement", [
    "SELECT * FROM odoo_sync('products')", "SELECT * FROM odoo_sync_all()", "SELECT * FROM odoo_verify('products')",
    "SELECT * FROM odoo_reconcile('products')", "CALL odoo_sync_job()", "CALL odoo_sync_job('all', reconcile => true)",
    "SELECT odoo_schedule('all', '0 1 * * *')", "SELECT odoo_unschedule('all')", "SELECT odoo_resume()",
    "SELECT odoo_forget('erp')", "SELECT odoo_create('res.partner', '{}')", "SELECT odoo_write('res.partner', '{1}', '{}')",
    "SELECT odoo_unlink('res.partner', '{1}')", "SELECT odoo_call('res.partner', 'copy')"])
def test_what_writes_says_so_at_once(standby, fake, statement):
    before = len(fake.calls)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as raised:
        standby.run(statement)
    assert "recovery" in str(raised.value)
    assert raised.value.diag.message_hint == "Run it on the primary server."
    assert len(fake.calls) == before


def test_what_reads_works(standby):
    assert standby.value("SELECT count(*) FROM odoo_read('product.product', max_rows => 5)") == 5
    assert {status for status, in standby.run("SELECT status FROM odoo_check()")} <= {"ok", "warning"}
    assert standby.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_products'") == "idle"
    assert standby.value("SELECT count(*) FROM dim_products") == 40
    assert drift(standby, "odoo_products", "dim_products", "true") == []
    assert standby.value("SELECT odoo_count('product.product', odoo_domain('id', '<=', 3))") == 3
    assert standby.value("SELECT odoo_version()").startswith("19")
    for view in ("odoo_sync_log", "odoo_sync_progress", "odoo_schedules", "odoo_quarantine", "odoo_columns"):
        standby.run(f"TABLE {view}")
