"""HTTP as it should be: TLS, compression, few connections, secrets kept, progress told."""

import re
import threading
import time

import psycopg2
import pytest

from .conftest import Database, url
from .lab import places, ports
from .lab.postgres import Cluster

SYNC = "SELECT * FROM odoo_sync('products')"


def test_tls_with_ones_own_authority(db, tls, certificate):
    db.server(url(tls, host="localhost", scheme="https"), ca_file=certificate[1])
    assert db.report(SYNC)["dim_products"]["inserted"] == 12
    assert "TLS" in db.value("SELECT detail FROM odoo_check() WHERE item = 'connection'")


@pytest.fixture
def trusting(folder, certificate):
    """A cluster whose system trusts the fake Odoo's certificate."""
    cluster = Cluster(folder / "trusting", ports.free(1)[0], {"fsync": "off"}, {"SSL_CERT_FILE": str(certificate[1])})
    cluster.init()
    cluster.start()
    yield Database(cluster)
    cluster.stop("immediate")


def test_the_systems_authorities_remain_with_ones_own(trusting, tls, folder):
    other = folder / "other.pem"
    places.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "other.key", "-out", other,
                "-subj", "/CN=other"], "openssl")
    other.chmod(0o644)
    trusting.server(url(tls, host="localhost", scheme="https"))
    assert trusting.report(SYNC)["dim_products"]["inserted"] == 12
    trusting.run(f"ALTER SERVER erp OPTIONS (ADD ca_file '{other}')")
    assert trusting.report(SYNC)["dim_products"]["inserted"] == 0


def test_an_unknown_authority_is_refused(db, tls):
    db.server(url(tls, host="localhost", scheme="https"))
    with pytest.raises(psycopg2.OperationalError, match="could not establish TLS") as raised:
        db.run(SYNC)
    assert "ca_file" in str(raised.value)


def test_a_certificate_of_another_name_is_refused(db, tls, certificate):
    db.server(url(tls, host="127.0.0.1", scheme="https"), ca_file=certificate[1])
    with pytest.raises(psycopg2.OperationalError, match="could not establish TLS"):
        db.run(SYNC)


def test_a_ca_file_that_is_not_there_or_holds_nothing(db, tls, folder):
    db.server(url(tls, host="localhost", scheme="https"), ca_file="/no/such/file")
    with pytest.raises(psycopg2.Error, match="could not read ca_file"):
        db.run(SYNC)
    empty = folder / "empty.pem"
    empty.write_text("nothing")
    db.run(f"ALTER SERVER erp OPTIONS (SET ca_file '{empty}')")
    with pytest.raises(psycopg2.Error, match="no certificate"):
        db.run(SYNC)


def test_compressed_answers_are_read(db, fake):
    db.server(url(fake, "rows=2000"))
    assert db.report(SYNC)["dim_products"]["inserted"] == 2000
    assert fake.compressed > 0


def test_connections_are_kept(db, fake):
    db.server(url(fake, "rows=2000"), page_size=50, readers=3)
    before = fake.connections
    db.run(SYNC)
    assert fake.connections - before <= 3


def test_a_redirect_gets_no_credentials(db, fake, tls):
    """The second server would see the request, and with it the password."""
    db.server(url(fake, f"redirect=127.0.0.1:{tls.port}"))
    before = tls.connections
    with pytest.raises(psycopg2.Error, match="redirect"):
        db.run(SYNC)
    assert tls.connections == before


def test_pages_are_read_ahead_on_several_readers(db, fake):
    """Ten pages that Odoo needs 0.3 s for each, with four readers."""
    db.server(url(fake, "rows=1000/slow=0.3@read"), page_size=100, readers=4)
    del fake.calls[:]
    begin = time.monotonic()
    db.run(SYNC)
    reads = sum(method == "read" for method, _ in fake.calls)
    # One after the other they would take so long.
    assert reads >= 10 and time.monotonic() - begin < reads * 0.3


def test_a_long_run_tells_where_it_is(db, fake):
    db.server(url(fake, "rows=3000/slow=0.5@read"), page_size=200, readers=1)
    db.run(SYNC)
    told = [n for n in db.connection.notices if "rows/s" in n]
    assert 1 <= len(told) <= 4, "every few seconds, not more"
    assert re.search(
        r"NOTICE:  dim_products: [\d,]+ of 3,000 rows, [\d,]+ rows/s, about \d+ s left", told[0]
    )


def test_a_reader_that_is_late_does_not_reorder_or_lose(db, fake):
    db.server(url(fake, "rows=5000"), page_size=1, readers=8)
    db.run("ALTER SERVER erp OPTIONS (SET page_size '37')")
    assert db.report(SYNC)["dim_products"]["inserted"] == 5000
    assert db.run("SELECT count(*), min(id), max(id) FROM dim_products") == [(5000, 1, 5000)]


@pytest.mark.parametrize("trouble", ["status=503@read", "status=429@read", "reset@read", "cut@read"])
def test_what_passes_is_tried_again(db, fake, trouble):
    """The fake recovers after two failures; where it does not, there is an end of trying."""
    db.server(url(fake, f"{trouble}/passing=2:{db.name}"), retries=3, retry_delay=10)
    assert db.report(SYNC)["dim_products"]["inserted"] == 12
    db.run("ALTER SERVER erp OPTIONS (SET retries '1')")
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{url(fake, f'{trouble}/passing=1000:{db.name}again')}')")
    with pytest.raises(psycopg2.OperationalError):
        db.run(SYNC)


#: Has a name unresolved so often in each process, and then lead to this machine.
RESOLVER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static int asked = 0;
    int (*own)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!node || strcmp(node, "moment.example") != 0)
        return own(node, service, hints, found);
    return ++asked <= 2 ? EAI_AGAIN : own("127.0.0.1", service, hints, found);
}
"""


@pytest.fixture
def forgetful(folder):
    """A cluster whose name service fails at first."""
    source, library = folder / "resolver.c", folder / "resolver.so"
    source.write_text(RESOLVER)
    places.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], "gcc")
    library.chmod(0o755)
    cluster = Cluster(folder / "forgetful", ports.free(1)[0], {"fsync": "off"}, {"LD_PRELOAD": str(library)})
    cluster.init()
    cluster.start()
    yield Database(cluster)
    cluster.stop("immediate")


def test_a_name_that_is_unknown_for_a_moment_is_looked_up_again(forgetful, fake):
    forgetful.server(url(fake, f"only={forgetful.name}", host="moment.example"), retries=1, retry_delay=10, writable="true")
    with pytest.raises(psycopg2.OperationalError, match='could not resolve the host name "moment.example"'):
        forgetful.run("SELECT odoo_count('uom.uom')")
    forgetful.run("ALTER SERVER erp OPTIONS (SET retries '2')")
    for statement in ("SELECT odoo_count('uom.uom')", "SELECT count(*) FROM odoo_create('uom.uom', '{\"name\": \"x\"}')"):
        # Another process, which has looked up nothing yet.
        forgetful.connection = forgetful.connect()
        assert forgetful.value(statement) > 0


def test_retry_after_is_honoured(db, fake):
    db.server(url(fake, f"status=429@read/after=2/passing=1:{db.name}"), retries=1, retry_delay=10)
    begin = time.monotonic()
    db.run(SYNC)
    assert 2 <= time.monotonic() - begin < 6


def test_a_wrong_password_is_not_tried_again(db, fake):
    db.server(url(fake, f"/{db.name}"), secret="wrong", retries=5, retry_delay=10)
    before = len(fake.calls)
    with pytest.raises(psycopg2.Error, match="refused the login"):
        db.run(SYNC)
    assert [method for method, _ in fake.calls[before:]].count("authenticate") == 1


def test_a_cancel_ends_the_wait_between_two_tries(db, fake):
    db.server(url(fake, "status=503@read"), retries=20, retry_delay=60000)
    db.run("SET statement_timeout = '1s'")
    begin = time.monotonic()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        db.run(SYNC)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("statement, error", [
    ("SELECT * FROM odoo_sync('products')", "does not answer"),
    ("CALL odoo_sync_job()", "could not sync"),
    ("SELECT count(*) FROM odoo_read('product.product')", "does not answer"),
])
def test_a_network_that_swallows_the_rest_is_found_out_within_two_time_outs(db, fake, statement, error):
    limit = 5
    db.server(url(fake, "rows=2000/stall-body@read/stall@version"), timeout=limit, retries=3, page_size=1000)
    begin = time.monotonic()
    with pytest.raises(psycopg2.OperationalError, match=error):
        db.run(statement)
    assert time.monotonic() - begin < 2 * limit + 4
    if statement.startswith("CALL"):
        # Those that come after it would wait as long; nothing is asked for them. The release, which
        # the first page needs, is not told either.
        states = dict(db.run("SELECT entity, status FROM odoo_etl.state"))
        assert [states[entity] for entity in ("products", "purchases")] == ["failed", "failed"]


def test_what_is_only_too_slow_is_asked_for_less(db, fake):
    """Odoo answers a small question: it is there, and pages are halved as before."""
    db.server(url(fake, "rows=400/heavy=0.005"), timeout=1, page_size=400, readers=1)
    assert db.report(SYNC)["dim_products"]["inserted"] == 400
    assert "version" in [method for method, _ in fake.calls[-60:]]


def test_idle_connections_are_kept_alive(db, fake):
    """A firewall forgets a connection that is silent for long; the other side of one may be gone."""
    db.server(url(fake, "rows=40/slow=1.5@read"))
    db.run("SELECT 1")
    runner = threading.Thread(target=lambda: db.run(SYNC))
    runner.start()
    remote = f"0100007F:{fake.port:04X}"
    timers, deadline = set(), time.monotonic() + 5
    while runner.is_alive() and time.monotonic() < deadline:
        with open("/proc/net/tcp") as sockets:
            lines = [line.split() for line in sockets]
        # Column 5 says which timer runs: 2 is that of keep-alive.
        timers |= {line[5].split(":")[0] for line in lines if line[2] == remote and line[3] == "01"}
        time.sleep(0.05)
    runner.join()
    assert "02" in timers


CANARY = "s3cr3t-canary"


@pytest.mark.parametrize(
    "behaviour",
    ["", "status=500", "body=html", "fault=3@search", "fault=1@search", "cut@read", "redirect=x"],
)
def test_the_secret_shows_nowhere(db, fake, cluster, behaviour):
    db.server(url(fake, behaviour), secret=CANARY)
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login 'canary')")
    db.run("SET client_min_messages = debug5")
    for statement in (SYNC, "SELECT * FROM odoo_check()", "SELECT * FROM odoo_read('uom.uom')"):
        texts = []
        try:
            texts.append(str(db.run(statement)))
        except psycopg2.Error as error:
            texts += [str(error), str(error.diag.message_detail), str(error.diag.context)]
        texts.append(db.notices)
        assert CANARY not in "".join(texts)
    # CREATE USER MAPPING itself may be logged; what follows may not repeat it.
    assert CANARY not in cluster.log.read_text()


def test_a_second_run_of_an_entity_fails_at_once_and_names_the_first(db, fake):
    db.server(url(fake, "slow=2@read"))
    db.run("SELECT * FROM odoo_sync_all()")
    pid = db.connection.get_backend_pid()
    first = threading.Thread(target=lambda: db.run(SYNC))
    first.start()
    time.sleep(1)
    other = db.connect()
    with other.cursor() as cursor, pytest.raises(psycopg2.errors.LockNotAvailable) as raised:
        cursor.execute(SYNC)
    assert f"PID {pid}" in str(raised.value)
    # Another entity is free.
    with other.cursor() as cursor:
        cursor.execute("SELECT * FROM odoo_sync('categories')")
    first.join()
