"""make dashboards: the bundle of dashboards/superset in a real Superset over the demo's warehouse, looked at with a real
browser. Leaves target/dashboards/odoo_superset.zip, as users import it, and the pictures of docs/dashboards.md."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

from tests.lab import demo, places, ports, releases
from tests.lab.debian import Unavailable, get
from tests.lab.places import say
from tests.lab.postgres import Cluster

HERE = Path(__file__).parent
BUNDLE = places.CHECKOUT / "dashboards/superset"
ZIP = places.CHECKOUT / "target/dashboards/odoo_superset.zip"
PAGE = places.CHECKOUT / "docs/dashboards.md"
#: The dashboards by their place in Superset, and the pictures of them.
PICTURES = {"odoo-shop": "superset-shop.png", "odoo-sync": "superset-sync.png"}
#: Charts that have rows where something went wrong.
MAY_BE_EMPTY = {"Values in quarantine", "Missing references"}

#: Charts of amounts.
OF_A_CURRENCY = {"Sales", "Orders", "Average sale", "Refunds", "Sales by week and branch", "When the branches sell", "Revenue and margin by category",
                 "How customers paid", "Best sellers of a year", "Cash differences"}
OF_A_YEAR = " FROM reports.sales_by_day WHERE currency = '{currency}' AND business_date >= current_date - interval '1 year'"
#: Numbers of charts, by SQL.
TRUTH = {
    "Sales": "SELECT sum(amount - settled)" + OF_A_YEAR,
    "Orders": "SELECT sum(orders)" + OF_A_YEAR,
    "Rows": "SELECT sum(rows_estimate) FROM odoo_sync_status",
}


def main():
    say("Superset, the demo's warehouse, and a browser")
    environment = releases.environment(HERE / "requirements.txt", what="Superset (825 MB)")
    cluster = warehouse()
    fail(cluster)
    pack(ZIP)
    with tempfile.TemporaryDirectory(prefix="odoo_etl_superset.") as folder, superset(environment, Path(folder), cluster) as served:
        seen = look(Path(folder), *served)
        problems = [problem for slug, page in seen.items() for problem in judge(page, slug)] + list(compare(seen, cluster))
        for slug, picture in PICTURES.items():
            keep(Path(folder) / f"{slug}.png", places.CHECKOUT / "docs/images" / picture)
    for slug, page in seen.items():
        say(f"{slug}: {len(page['charts'])} charts, {sum(len(one.get('rows', ())) for one in page['answers'].values())} rows")
    if problems:
        sys.exit("\n".join(problems))
    say(f"{ZIP.relative_to(places.CHECKOUT)} is whole; docs/images has the pictures")


def warehouse():
    """The demo's cluster: the one that runs, or else one that is started and left running. A role for Superset
    has the rights that the page tells to give it."""
    folder = demo.FOLDER / "pg"
    if not Cluster(folder, 0).running():
        demo.run(None)
    cluster = Cluster(folder, int((folder / "data/postmaster.pid").read_text().splitlines()[3]))
    grants = re.search(r"```sql\n(CREATE ROLE superset .*?)```", PAGE.read_text(), re.S)[1]
    if cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'superset'") == "0":
        cluster.sql(grants, demo.DATABASE)
    return cluster


def fail(cluster):
    """One run that fails, as they do while Odoo is away."""
    ask = "SELECT option_value FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'erp' AND option_name = 'url'"
    url = cluster.sql(ask, demo.DATABASE)
    cluster.sql("ALTER SERVER erp OPTIONS (SET url 'http://127.0.0.1:9', ADD retries '0')", demo.DATABASE)
    failed = subprocess.run([*cluster.psql(demo.DATABASE), "-Xqc", "CALL odoo_sync_job('products', 'erp')"], capture_output=True)
    cluster.sql(f"ALTER SERVER erp OPTIONS (SET url '{url}', DROP retries)", demo.DATABASE)
    if failed.returncode == 0:
        sys.exit("the run with an Odoo that is away did not fail")


def pack(target, uri=None):
    """The bundle as Superset imports it: one folder in a zip. With another database than the one to fill in."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(BUNDLE.rglob("*.yaml")):
            text = path.read_text()
            if uri and path.parent.name == "databases":
                text = re.sub("(?m)^sqlalchemy_uri: .*$", f"sqlalchemy_uri: {uri}", text)
            packed.writestr(f"odoo_superset/{path.relative_to(BUNDLE)}", text)


@contextmanager
def superset(environment, folder, cluster):
    """A Superset with the bundle in it: its address, and the password of admin."""
    password = secrets.token_urlsafe(12)
    variables = {**places.service_environment(), "HOME": str(folder), "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
                 "SUPERSET_HOME": str(folder), "SUPERSET_SECRET_KEY": secrets.token_urlsafe(32),
                 "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"), "FLASK_APP": "superset.app:create_app()"}

    def run(*arguments):
        say(f"superset {' '.join(arguments[:2])}")
        places.run([environment / "bin/superset", *arguments], f"superset {arguments[0]}", env=variables, cwd=folder)

    bundle = folder / "bundle.zip"
    pack(bundle, f"postgresql+psycopg2://superset@/{demo.DATABASE}?host={cluster.folder}&port={cluster.port}")
    run("db", "upgrade")
    run("fab", "create-admin", "--username", "admin", "--firstname", "A", "--lastname", "A", "--email", "a@localhost", "--password", password)
    run("init")
    run("import-dashboards", "--path", str(bundle), "--username", "admin")
    port = ports.free(1)[0]
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [environment / "bin/superset", "run", "--host", "127.0.0.1", "--port", str(port), "--with-threads"],
            env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/health", server, folder / "server.log")
        yield address, password
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address, server, log):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"Superset did not answer:\n{log.read_text()[-3000:]}")


def look(folder, address, password):
    """What the browser saw of each dashboard."""
    say("opening both dashboards")
    return json.loads(get([releases.environment() / "bin/python", HERE / "look.py", address, password, folder, *PICTURES], "the browser"))


def judge(page, slug):
    """What is wrong with a dashboard."""
    for title in page["charts"]:
        answer = page["answers"].get(title, {"error": "was not asked for"})
        if "error" in answer:
            yield f"{slug}, {title}: {answer['error'][:1000]}"
        elif not answer["rows"] and title not in MAY_BE_EMPTY:
            yield f"{slug}, {title}: no rows"
    for complaint in page["complaints"]:
        yield f"{slug}: {complaint[:1000]}"


def compare(seen, cluster):
    """What was asked, and the numbers at the top against the views that they are of."""
    answers = {title: answer for page in seen.values() for title, answer in page["answers"].items() if "rows" in answer}
    asked = {title: [one["val"] for query in answer["asked"] for one in query["filters"] if one["col"] == "currency"]
             for title, answer in answers.items()}
    for title in OF_A_CURRENCY:
        # Not once, for the blink of an eye, of two currencies.
        if len(asked.get(title, ())) != len(answers.get(title, {"asked": [1]})["asked"]):
            yield f"odoo-shop, {title}: asked without a currency"
    currencies = {str(value) for values in asked.values() for value in values}
    if len(currencies) != 1:
        yield f"odoo-shop: not of one currency, but of {currencies}"
        return
    currency = currencies.pop().strip("[]'")
    for title, sql in TRUTH.items():
        found = float(next(iter(answers[title]["rows"][0].values())))
        truth = float(cluster.sql(sql.format(currency=currency), demo.DATABASE))
        if abs(found - truth) > 0.005:
            yield f"{title}: {found}, and by SQL {truth}"


def keep(picture, target):
    """A picture in few colours, which charts have anyway."""
    target.parent.mkdir(parents=True, exist_ok=True)
    script = "import sys; from PIL import Image; " \
             "Image.open(sys.argv[1]).convert('RGB').quantize(128, dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)"
    get([releases.environment() / "bin/python", "-c", script, picture, target], "saving a picture")


if __name__ == "__main__":
    try:
        main()
    except Unavailable as problem:
        sys.exit(f"What this needs cannot be had: {problem}")
