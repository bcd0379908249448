"""The Debian that Odoo 14 runs in."""

import subprocess
from pathlib import Path

from ...lab import odoo


def test_nothing_stays_mounted_whatever_ends_a_command(real):
    root = odoo.ODOO_14.root()
    inside = ["sh", "-c", "test -e /proc/self && test -e /dev/null && exit 7"]
    assert subprocess.run(root.command(inside)).returncode == 7
    killed = subprocess.Popen(root.command(["sh", "-c", "echo inside; exec sleep 60"]), stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"inside\n"
    killed.kill()
    killed.wait()
    assert str(root.folder) not in Path("/proc/mounts").read_text()
    assert list((root.folder / "proc").iterdir()) == []
