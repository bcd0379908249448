"""Who waits for whom: pg_isolation_regress runs the specs of tests/isolation, one for each rule."""

import os
import shutil
import subprocess
from pathlib import Path

from .conftest import require_failpoints, url
from .lab import places
from .lab.postgres import bindir
from .test_regress import pg_regress

FILES = Path(__file__).with_name("isolation")
SPECS = sorted(spec.stem for spec in FILES.glob("specs/*.spec"))


def pg_isolation_regress():
    return pg_regress().parents[1] / "isolation/pg_isolation_regress"


def test_who_waits_for_whom(db, fake, folder):
    # shared-parents does without row locks once.
    require_failpoints(db)
    # Specs have no variables: the database tells them where the fake is.
    db.run(f"ALTER DATABASE {db.name} SET test.fake = '{url(fake)}'")
    db.run((FILES / "setup.sql").read_text())
    # As copies: user postgres may be shut out of the checkout.
    inputs, outputs = folder / "isolation", folder / "isolation-output"
    shutil.copytree(FILES, inputs)
    for spec in SPECS:
        # Without a file to compare with, pg_isolation_regress would give up.
        (inputs / "expected" / f"{spec}.out").touch()
    outputs.mkdir()
    places.give_to_service(inputs)
    places.give_to_service(outputs)
    command = [
        pg_isolation_regress(), f"--bindir={bindir()}", f"--inputdir={inputs}",
        f"--outputdir={outputs}", f"--host={db.cluster.folder}", f"--port={db.cluster.port}",
        "--user=postgres", "--use-existing", f"--dbname={db.name}", *SPECS,
    ]
    done = subprocess.run(
        places.as_service(command),
        cwd=outputs,
        env=places.service_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if os.environ.get("REGRESS_ACCEPT"):
        for result in (outputs / "results").glob("*.out"):
            shutil.copyfile(result, FILES / "expected" / result.name)
    differences = outputs / "regression.diffs"
    shown = differences.read_text() if differences.exists() else ""
    assert done.returncode == 0, done.stdout + shown
