"""Sessions of a pool: how often they log in where Odoo is slow to let them in, and for whom they ask where PgBouncer gives
the same session to one role after the other."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from .fake.behaviour import LOGIN
from .fake.server import behaviour_of
from .lab import ports
from .lab.pgbouncer import Pooler
from .test_connections import COUNT, JOB, REFUSED, job_of_another_session, mapping
from .test_protocols import PROTOCOLS, secret_of, server

#: How many there are, how many of their requests Odoo answers at a time, and for how long it hashes a password.
SESSIONS, WORKERS, HASH = 40, 2, 0.5

#: By when all have their answers: by half of what Odoo would take to let each in.
SOON = SESSIONS * HASH / WORKERS / 2


def asked(fake, behaviour, since):
    return [method for method, prefix in fake.calls[since:] if prefix == behaviour.prefix]


def answer(connection, statement):
    """The one value that a statement gives, or its error."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
    except psycopg2.Error as error:
        return error


def answers(connections, statement):
    """What all answer that ask at the same time, and how long the last one waits."""
    begin = time.monotonic()
    with ThreadPoolExecutor(len(connections)) as threads:
        found = list(threads.map(lambda connection: answer(connection, statement), connections))
    return found, time.monotonic() - begin


@pytest.fixture
def busy(db, fake):
    """Odoo, which a run has asked before, with few workers that hash slowly."""
    def busy(protocol):
        path = f"rows=20/workers={WORKERS}/hash={HASH}/{db.name}"
        server(db, fake, path, protocol, secret="password")
        job_of_another_session(db)
        return behaviour_of(f"/{path}")
    return busy


@pytest.mark.parametrize("protocol", ["auto", "xmlrpc"])
def test_a_pool_needs_no_login_for_each_session(db, fake, busy, protocol):
    odoo = busy(protocol)
    with ExitStack() as stack:
        pool = [stack.enter_context(closing(db.connect())) for _ in range(SESSIONS)]

        def ask(of, expected=20):
            since = len(fake.calls)
            found, seconds = answers(of, COUNT)
            assert seconds < SOON
            if expected is REFUSED:
                assert {type(one) for one in found} == {REFUSED}
            else:
                assert found == [expected] * len(of)
            return asked(fake, odoo, since)

        assert sorted(ask(pool)) == ["read_at_login"] * SESSIONS + ["search_count"] * SESSIONS
        assert ask(pool) == ["search_count"] * SESSIONS
        # Another password, for Odoo and for all of them.
        odoo.set_passwords({2: "new"})
        db.run(mapping("new"))
        assert sorted(ask(pool)) == ["read_at_login"] * SESSIONS + ["search_count"] * SESSIONS
        assert ask(pool) == ["search_count"] * SESSIONS
        # One that somebody sets in the mapping, and takes back: nobody else sees it.
        first, *others = pool
        with first.cursor() as cursor:
            cursor.execute(f"BEGIN; {mapping('wrong')}; SAVEPOINT mapped")
            assert ask([first], REFUSED).count("authenticate") == 1
            assert ask(others) == ["search_count"] * len(others)
            cursor.execute("ROLLBACK")
        assert "authenticate" not in ask(pool)
        # One that Odoo has alone: each finds out by one login, and says so.
        some = pool[:4]
        odoo.set_passwords({2: "newer"})
        assert ask(some, REFUSED).count("authenticate") == len(some)
        db.run(mapping("newer"))
        assert "authenticate" not in ask(pool)


#: The roles, the Odoo users that they ask as, and how many products these see.
ANN, BEN = "ann", "ben"
SEEN = {ANN: 20, BEN: 30}
UIDS = {ANN: 2, BEN: 9}

#: What a scan shows, and a plan.
ROWS = "SELECT count(name) FROM products"


class Roles:
    """One server whose user mappings are of users who do not see the same, and a role that may become either."""

    def __init__(self, db, fake, protocol):
        self.db, self.fake, self.secret = db, fake, secret_of(protocol)
        path = f"rows={SEEN[ANN]}/{protocol}/{db.name}"
        self.behaviour = behaviour_of(f"/{path}")
        self.behaviour.logins, self.behaviour.users = {"ben": UIDS[BEN]}, {UIDS[ANN]: "admin", UIDS[BEN]: "ben's"}
        sight = behaviour_of(f"/rows={SEEN[BEN]}/without=product.product:barcode/{protocol}/{db.name}").database
        users = sight.models["res.users"].records
        users[UIDS[BEN]] = {**users[2], "id": UIDS[BEN], "login": "ben"}
        self.behaviour.sights = {UIDS[BEN]: sight}
        self.names = {role: f"{role}_{db.name}" for role in (ANN, BEN)}
        self.user = f"app_{db.name}"
        db.run(f"CREATE ROLE {self.user} LOGIN")
        server(db, fake, path, protocol, schema="warehouse")
        db.run("DROP USER MAPPING FOR CURRENT_USER SERVER erp; CREATE SCHEMA warehouse; "
               "CREATE FOREIGN TABLE products (id bigint, name text, barcode text) SERVER erp OPTIONS (model 'product.product')")
        for role, login, secret in ((ANN, LOGIN, "admin"), (BEN, "ben", "ben's")):
            name = self.names[role]
            quoted = secret.replace("'", "''")
            db.run(f"CREATE ROLE {name}; GRANT {name} TO {self.user}; GRANT USAGE ON FOREIGN SERVER erp TO {name}; "
                   f"GRANT SELECT ON products TO {name}; GRANT ALL ON SCHEMA warehouse TO {name}; "
                   f"CREATE USER MAPPING FOR {name} SERVER erp OPTIONS (login '{login}', {self.secret} '{quoted}')")

    def drop(self):
        self.db.run("DROP SERVER erp CASCADE")
        for name in (*self.names.values(), self.user):
            self.db.run(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")

    def asked(self, since):
        """As whom and what."""
        return self.behaviour.asked[since:]

    def ask(self, client, role, *statements):
        """What the last of some statements answers to a role, in a transaction of its own."""
        since = len(self.behaviour.asked)
        with client.cursor() as cursor:
            cursor.execute(f"BEGIN; SET LOCAL ROLE {self.names[role]}")
            try:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchone()[0]
            finally:
                cursor.execute("ROLLBACK" if client.info.transaction_status == TRANSACTION_STATUS_INERROR else "COMMIT")
                assert {uid for uid, _ in self.asked(since)} <= {UIDS[role]}


@pytest.fixture(params=PROTOCOLS)
def roles(request, db, fake):
    roles = Roles(db, fake, request.param)
    yield roles
    roles.drop()


@pytest.fixture
def pooled(roles, folder):
    """Two clients of PgBouncer, which has one connection to the server for both."""
    db = roles.db
    pooler = Pooler(folder / f"pooler_{db.name}", db.cluster, ports.free(1)[0], roles.user, size=1)
    with ExitStack() as stack:
        stack.callback(pooler.stop)
        clients = [stack.enter_context(closing(psycopg2.connect(pooler.dsn(db.name)))) for _ in range(2)]
        for client in clients:
            client.autocommit = True
        assert len({answer(client, "SELECT pg_backend_pid()") for client in clients}) == 1
        yield clients


def rows_planned(client):
    """By a count, which a plan asks for where several tables are joined."""
    with client.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT a.name FROM products a JOIN products b ON a.name = b.name")
        rows = re.findall(r"Foreign Scan on .*rows=(\d+)", "\n".join(line for line, in cursor.fetchall()))
        return {int(number) for number in rows}


def test_a_shared_session_asks_for_each_role_as_its_own_user(roles, pooled):
    one, other = pooled
    asked = []
    for _ in range(3):
        for client, role in ((one, ANN), (other, BEN), (one, BEN), (other, ANN)):
            since = len(roles.behaviour.asked)
            assert roles.ask(client, role, COUNT) == SEEN[role]
            assert roles.ask(client, role, ROWS) == SEEN[role]
            asked.append([method for _, method in roles.asked(since)])
    # Each has logged in once; what was kept of it serves all clients.
    assert ["read" in asked[at] for at in (0, 1)] == [True, True]
    assert all(len(methods) < len(asked[0]) for methods in asked[2:])
    logins = roles.fake.calls.count(("authenticate", roles.behaviour.prefix))
    assert logins == 2


def test_what_a_shared_session_knows_of_models_is_each_roles_own(roles, pooled):
    one, other = pooled
    for _ in range(2):
        for client, role in ((one, ANN), (other, BEN)):
            with client.cursor() as cursor:
                cursor.execute(f"BEGIN; SET LOCAL ROLE {roles.names[role]}")
                assert rows_planned(client) == {SEEN[role]}
                cursor.execute("COMMIT")
        assert roles.ask(one, ANN, "SELECT count(barcode) FROM products") == SEEN[ANN]
        with pytest.raises(psycopg2.Error, match="barcode"):
            roles.ask(other, BEN, "SELECT count(barcode) FROM products")


def test_a_role_that_a_client_leaves_behind_is_who_asks(roles, pooled):
    """As everything that a client sets outside of a transaction, it stays with the session."""
    one, other = pooled
    for role in (ANN, BEN, ANN):
        with one.cursor() as cursor:
            cursor.execute(f"SET ROLE {roles.names[role]}")
        assert answer(other, "SELECT current_user") == roles.names[role]
        assert answer(other, COUNT) == SEEN[role]
    with one.cursor() as cursor:
        cursor.execute("RESET ROLE")
    assert isinstance(answer(other, COUNT), psycopg2.errors.InsufficientPrivilege | psycopg2.errors.UndefinedObject)


def test_a_mapping_that_is_changed_and_rolled_back_in_a_shared_session(roles, pooled):
    one, other = pooled
    assert roles.ask(one, ANN, COUNT) == SEEN[ANN] and roles.ask(other, BEN, COUNT) == SEEN[BEN]
    with pytest.raises(REFUSED):
        roles.ask(one, BEN, mapping("wrong").replace("password", roles.secret), COUNT)
    assert roles.ask(other, ANN, COUNT) == SEEN[ANN]
    assert roles.ask(other, BEN, COUNT) == SEEN[BEN]


def test_a_role_ends_its_own_connection_alone(roles, pooled):
    one, other = pooled
    assert roles.ask(one, ANN, COUNT) == SEEN[ANN] and roles.ask(other, BEN, COUNT) == SEEN[BEN]
    logins = "SELECT string_agg(login, ',') FROM odoo_connections()"
    assert (roles.ask(other, ANN, logins), roles.ask(one, BEN, logins)) == (LOGIN, "ben")
    assert roles.ask(one, ANN, "SELECT odoo_disconnect_all()") is True
    since = len(roles.behaviour.asked)
    assert roles.ask(other, BEN, COUNT) == SEEN[BEN]
    assert [method for _, method in roles.asked(since)] == ["search_count"]


def test_a_job_leaves_nothing_in_a_shared_session(roles, pooled):
    """It commits page by page, all of it in one statement."""
    one, other = pooled
    with one.cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.names[ANN]}")
        cursor.execute(JOB.replace("()", "('categories')"))
        cursor.execute("RESET ROLE")
    assert roles.db.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert roles.ask(other, ANN, "SELECT count(*) FROM odoo_sync('categories')") == 1
    assert answer(other, "SELECT current_user") == roles.user
