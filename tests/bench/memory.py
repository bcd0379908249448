"""A backend's memory: at its peak for many rows, against a tenth of them."""

import re
from pathlib import Path

from .instant import instant, path
from .measure import Result
from .warehouse import LINES, cluster, database

BAR = 1.1
STATEMENTS = {"function": "SELECT * FROM odoo_sync('sales')", "job": "CALL odoo_sync_job('sales')"}
#: The kernel counts the pages of shared memory that a process has touched; of these few it soon
#: has touched all. Indexes are made within maintenance_work_mem, which many rows fill.
SETTINGS = {"shared_buffers": "16MB", "maintenance_work_mem": "1MB"}


def peak(db, statement):
    """The most memory, in MB, that a new backend has while it runs a statement."""
    db.connection.close()
    db.connection = db.connect()
    process = Path(f"/proc/{db.connection.get_backend_pid()}")
    db.run("SELECT 1")
    (process / "clear_refs").write_text("5")
    db.run(statement)
    return int(re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())[1]) / 1024


def peaks(pg, url, lines):
    """By statement, each in a database of its own."""
    found = {}
    for name, statement in STATEMENTS.items():
        with database(pg, f"{url}/{path(lines)}") as db:
            found[name] = peak(db, statement)
            assert db.value(f"SELECT count(*) FROM {LINES} WHERE channel = 'pos'") == lines
    return found


def run(lines):
    few = lines // 10
    with instant(few, lines) as url, cluster(**SETTINGS) as pg:
        small, large = peaks(pg, url, few), peaks(pg, url, lines)
    details = [f"{name}: {small[name]:.1f} MB for {few:,} lines, {large[name]:.1f} MB for {lines:,}" for name in small]
    value = max(large[name] / small[name] for name in small)
    return Result("memory", f"peak of a backend's memory, {lines:,} ÷ {few:,} lines", value, BAR, details=details)
