"""The SQL surface: pg_regress runs the files of tests/regress, which are its specification."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import url
from .fake.server import behaviour_of
from .lab import places

pytestmark = pytest.mark.postgres

FILES = Path(__file__).with_name("regress")
TESTS = ["extension", "server", "check", "domain", "read", "client", "sync", "missing", "existing",
         "values", "errors", "fdw_import", "fdw_conditions", "fdw_plans"]

#: The fake's port as it stands in the expected files; the copies get the real one.
PORT = "54321"


def test_sql_surface(cluster, fake, folder):
    # The files change an Odoo's records, and count them.
    behaviour_of.cache_clear()
    # As copies: user postgres may be shut out of the checkout.
    inputs, outputs = folder / "regress", folder / "regress-output"
    shutil.copytree(FILES, inputs)
    for expected in (inputs / "expected").glob("*.out"):
        expected.write_text(expected.read_text().replace(PORT, str(fake.port)))
    outputs.mkdir()
    places.give_to_service(inputs)
    places.give_to_service(outputs)
    done = subprocess.run(
        cluster.tester("regress/pg_regress", inputs, outputs, "--dbname=regression", *TESTS),
        cwd=outputs,
        env={**places.service_environment(), "FAKE_URL": url(fake)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if os.environ.get("REGRESS_ACCEPT"):
        for result in (outputs / "results").glob("*.out"):
            text = result.read_text().replace(str(fake.port), PORT)
            (FILES / "expected" / result.name).write_text(text)
    differences = outputs / "regression.diffs"
    shown = differences.read_text().replace(str(fake.port), PORT) if differences.exists() else ""
    assert done.returncode == 0, done.stdout + shown
