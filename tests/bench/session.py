"""What a statement costs that asks Odoo little: the second one of a session against a client that keeps its
connection and knows its user's id, and a run without changes against as many small questions."""

import http.client
import json
from urllib.parse import urlsplit

from .measure import Times, ratio
from .nochange import SYNC, unchanged_run
from .proxy import proxy
from .real import started
from .warehouse import Mismatch, cluster, database

TIMES = 40
RUNS = 5
PARTNER = 3


class Client:
    """JSON-RPC by the standard library, with a connection that is kept where Odoo keeps it."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        self.uid = self.call("common", "authenticate", server.database, "admin", server.password, {})

    def call(self, service, method, *args):
        params = {"service": service, "method": method, "args": args}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        self.connection.request("POST", "/jsonrpc", body, {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())["result"]

    def __call__(self, model, method, *args, **kwargs):
        credentials = (self.server.database, self.uid, self.server.password)
        return self.call("object", "execute_kw", *credentials, model, method, args, kwargs)


def by_turns(ours, theirs, times):
    for _ in range(TIMES):
        found = []
        for ask, clock in zip((ours, theirs), times):
            with clock.one():
                found.append(ask())
        if found[0] != found[1]:
            raise Mismatch(f"{times[0].what}: {found[0]!r} and {found[1]!r}")


def statements(db, client):
    context = {"context": {"active_test": False}}
    yield ("odoo_count", lambda: db.value("SELECT odoo_count('res.partner')"),
           lambda: client("res.partner", "search_count", [], **context))
    yield ("a point read of a foreign table", lambda: db.value(f"SELECT email FROM partner WHERE id = {PARTNER}"),
           lambda: client("res.partner", "read", client("res.partner", "search", [["id", "=", PARTNER]], order="id", **context),
                          fields=["email"], **context)[0]["email"])


def run():
    results = []
    with started() as server, cluster() as pg, database(pg, server.url) as db:
        client = Client(server)
        db.run("CREATE FOREIGN TABLE partner (id bigint, email text) SERVER erp OPTIONS (model 'res.partner')")
        for what, ours, theirs in statements(db, client):
            ours(), theirs()
            times = Times(f"{what}, second statement of a session"), Times("the same by a client")
            by_turns(ours, theirs, times)
            results.append(ratio("session", f"{what} ÷ the same calls by a keep-alive client", *times, 2.0))
        with proxy(server.url) as counting, database(pg, counting.url) as counted:
            requests = len(unchanged_run(counted, counting).requests)
        db.run(SYNC)
        unchanged, small = Times("odoo_sync_all without a change"), Times(f"{requests} small questions")
        for _ in range(RUNS):
            with unchanged.one():
                db.run(SYNC)
            with small.one():
                for _ in range(requests):
                    client("res.currency", "search_count", [])
        results.append(ratio("session", "odoo_sync_all without a change ÷ its requests × a small one", unchanged, small, 1.5))
    return results
