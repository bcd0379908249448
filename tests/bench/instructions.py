"""Instructions for a row, which do not depend on what else the machine does: counted by callgrind."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..lab import places
from . import decode
from .instant import instant, path
from .load import Loads
from .measure import Result
from .warehouse import LINES, cluster, database

#: What is loaded; the difference counts, so that what comes once does not.
FEW, MANY = 5_000, 10_000


def run():
    if not shutil.which("valgrind"):
        return Result("instructions", "instructions for a row", None, details=["valgrind is not installed: not measured"])
    return [*decoding(), *loading()]


def callgrind(command, folder, options=(), input=None):
    """The instructions of each thread of a command, the first one's first, and what it printed."""
    pattern = Path(tempfile.mkdtemp(dir=folder)) / "callgrind.%p"
    pattern.parent.chmod(0o777)
    valgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={pattern}", *options]
    command = [str(part) for part in [*valgrind, *command]]
    command = places.as_service(command) if input else command
    done = subprocess.run(command, input=input, capture_output=True, text=True, cwd="/", env=places.service_environment())
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    files = sorted(pattern.parent.glob("callgrind.*-*"))
    totals = [re.findall(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE) for file in files]
    return [int(total[-1]) for total in totals if total], done.stdout


def decoding():
    """Of the decoders alone, by their benchmark's binary."""
    if not decode.SOURCE.exists():
        return
    built = subprocess.run(["cargo", "bench", "--quiet", "--bench", "decode", "--no-run", "--message-format=json"],
                           cwd=places.CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    binary = next(message["executable"] for message in map(json.loads, built.stdout.splitlines())
                  if message.get("executable"))
    with tempfile.TemporaryDirectory() as folder:
        for protocol, name in (("xml", "XML-RPC"), ("json", "JSON")):
            options = [f"--toggle-collect=*decode_{protocol}*"]
            counts, output = callgrind([binary, f"--callgrind-{protocol}"], folder, options)
            rows = int(re.search(r"(\d+) rows", output)[1])
            yield Result("instructions", f"instructions for a row decoded from {name}", sum(counts) / rows)


def loading():
    """Of a backend, in single-user mode: a first load's, and COPY's into the bare table, whose keys are made afterwards."""
    with instant(FEW, MANY) as url, cluster() as pg:
        with database(pg, f"{url}/{path(FEW)}") as few, database(pg, f"{url}/{path(MANY)}") as many:
            bases = [(few.name, Loads(few, FEW)), (many.name, Loads(many, MANY))]
            pg.stop()
            try:
                sync, copy = (
                    [single(pg, name, statements(loads)) for name, loads in bases] for statements in (by_sync, by_copy)
                )
            finally:
                pg.start()
                few.reconnect()
                many.reconnect()
    per_row = lambda counts: [(many - few) / (MANY - FEW) for few, many in zip(*counts)]
    own, *readers = per_row(sync)
    copied = per_row(copy)[0]
    details = [f"besides {sum(readers):,.0f} on the readers' threads; COPY, then keys: {copied:,.0f}"]
    return [Result("instructions", "instructions for a row loaded", own, details=details),
            Result("instructions", "instructions for a row, loaded ÷ COPY", own / copied)]


def by_sync(loads):
    return f"DROP TABLE {LINES}\nSELECT * FROM odoo_sync('sales')\n"


def by_copy(loads):
    return "\n".join([*loads.strip, f"TRUNCATE {LINES}", *loads.copy, ""])


def single(pg, name, statements):
    """The instructions of each thread of a backend that runs statements, one a line."""
    command = [pg.installation.bindir / "postgres", "--single", "-D", pg.data, name]
    return callgrind(command, pg.folder, input=statements)[0]
