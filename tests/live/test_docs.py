"""The SQL of the documents, as a reader would type it: psql runs all blocks of a page in their order, in a database of the
page's own, which is empty or a copy of a warehouse of the real Odoo 19. What is shown below a block has the columns that it gives."""

import re
import subprocess
from dataclasses import dataclass

import pytest

from ..conftest import Database
from ..lab import places, ports
from ..lab.postgres import Cluster

#: A block, and the output that may be shown below it.
BLOCK = re.compile(r"^```sql\n(.*?)^```\n((?:\n+ {4}[^\n]*)*)", re.DOTALL | re.MULTILINE)
HEADER = re.compile(r"^ *(\S.*)\n *-[-+]*$", re.MULTILINE)
TEMPLATE = "loaded"

#: What is typed in a shell: the page of charts.
SHOWN = "odoo_dashboard() LIKE '<!DOCTYPE html>%'"


@dataclass
class Page:
    """What a page's statements need."""

    #: Nothing is there; else a warehouse with the reports, whose server is `erp`.
    is_empty: bool = False
    #: pg_cron lives in the database, and is made there unless the page does.
    cron: bool = False
    #: A query that is true afterwards.
    leaves: str = "SELECT true"


#: Those that need more than a warehouse.
PAGES = {
    "README.md": Page(is_empty=True, cron=True, leaves=f"SELECT count(*) > 100 AND {SHOWN} FROM dim_products"),
    "docs/tutorial.md": Page(is_empty=True, cron=True, leaves=f"SELECT count(*) = 2 AND {SHOWN} FROM odoo_schedules"),
    "docs/loading.md": Page(cron=True, leaves="SELECT count(*) = 1 FROM odoo_schedules"),
    "docs/troubleshooting.md": Page(cron=True),
    "docs/follow.md": Page(cron=True, leaves="SELECT count(*) > 0 FROM odoo_sync_log WHERE kind = 'follow'"),
    "docs/ad_hoc.md": Page(leaves="SELECT ref = 'VIP' FROM dim_customers WHERE name = 'Gemini Furniture'"),
}

#: Pages that other tests run, with what these need.
ELSEWHERE = {
    "docs/reports.md": "tests/live/test_reports.py",
    "docs/history.md": "tests/test_history.py",
    "docs/monitoring.md": "tests/test_monitoring.py",
    "docs/readers.md": "tests/test_replication.py",
    "docs/scale.md": "tests/test_partition.py",
    "docs/security.md": "tests/test_security.py",
    "docs/servers.md": "tests/test_servers.py",
}


def blocks(name):
    return [block for block, _ in BLOCK.findall((places.CHECKOUT / name).read_text())]


def shown(name):
    """The columns of the tables shown below each block."""
    return [columns(output) for _, output in BLOCK.findall((places.CHECKOUT / name).read_text())]


def columns(output):
    return [[name.strip() for name in header.split("|")] for header in HEADER.findall(output)]


def pages():
    """All that have SQL."""
    files = [places.CHECKOUT / "README.md", *sorted((places.CHECKOUT / "docs").rglob("*.md"))]
    return [name for name in (str(file.relative_to(places.CHECKOUT)) for file in files) if blocks(name)]


@pytest.fixture(scope="module")
def cluster(folder):
    """One with pg_cron, which lives in another database for each page."""
    cluster = Cluster(folder / "docs", ports.free(1)[0], {
        "fsync": "off", "shared_preload_libraries": "pg_cron", "cron.use_background_workers": "on"})
    cluster.init()
    cluster.start()
    yield cluster
    cluster.stop("immediate")


@pytest.fixture(scope="module")
def loaded(cluster, real):
    database = Database(cluster, TEMPLATE)
    database.server(real.url)
    assert {row["status"] for row in database.report("SELECT * FROM odoo_sync_all()").values()} <= {"ok", "absent"}
    database.run("SELECT odoo_create_reports()")
    database.connection.close()
    return TEMPLATE


@pytest.fixture
def database(cluster, loaded, request):
    """The name of the page's own."""
    page = PAGES.get(request.param, Page())
    name = re.sub(r"\W", "_", request.param).lower()
    cluster.sql(f"CREATE DATABASE {name} TEMPLATE {'template0' if page.is_empty else loaded}")
    if page.cron:
        cluster.stop()
        cluster.settings["cron.database_name"] = name
        cluster.start()
        if not any("CREATE EXTENSION pg_cron" in block for block in blocks(request.param)):
            cluster.sql("CREATE EXTENSION pg_cron", name)
    return name


def script(name, url):
    """All blocks, each behind a line that tells where it stands. The reader's Odoo is another one than the page's."""
    parts = (f"\\echo block {number}\n{block}" for number, block in enumerate(blocks(name), 1))
    return "".join(parts).replace("http://127.0.0.1:8069", url)


@pytest.mark.parametrize("database", [name for name in pages() if name not in ELSEWHERE], indirect=True, ids=str)
def test_the_statements_of_a_page_run(cluster, database, real, request):
    name = request.node.callspec.params["database"]
    page = PAGES.get(name, Page())
    command = [*cluster.psql(database), "-X", "-P", "pager=off", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run(command, input=script(name, real.url), capture_output=True, text=True,
                          env=places.service_environment())
    outputs = re.split(r"^block \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert done.returncode == 0, f"{name}, block {len(outputs)}: {done.stderr[-2000:]}"
    for number, (expected, output) in enumerate(zip(shown(name), outputs, strict=True), 1):
        assert [header for header in expected if header not in columns(output)] == [], f"{name}, block {number}"
    assert cluster.sql(page.leaves, database) == "t"


def test_what_is_said_of_pages_is_of_pages():
    assert {*PAGES, *ELSEWHERE} <= {*pages()}
    for name, test in ELSEWHERE.items():
        assert name.removeprefix("docs/") in (places.CHECKOUT / test).read_text()
