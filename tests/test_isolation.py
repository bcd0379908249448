"""Who waits for whom: pg_isolation_regress runs the specs of tests/isolation, one for each rule."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import require_failpoints, url
from .lab import places

pytestmark = pytest.mark.postgres

FILES = Path(__file__).with_name("isolation")
SPECS = sorted(spec.stem for spec in FILES.glob("specs/*.spec"))


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
    done = subprocess.run(
        db.cluster.tester("isolation/pg_isolation_regress", inputs, outputs, "--use-existing",
                          f"--dbname={db.name}", *SPECS),
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
