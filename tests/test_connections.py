"""What a session keeps between statements: logins and sockets, for whom, and for how long."""

import time
from contextlib import closing

import psycopg2
import pytest

from .conftest import BY_ID, BY_PASSWORD, url
from .fake.server import Handler, Server, behaviour_of
from .lab import places
from .test_cancel import threads, wait_until
from .test_protocols import PROTOCOLS, secret_of, server

COUNT = "SELECT odoo_count('product.product')"

REFUSED = psycopg2.errors.InvalidAuthorizationSpecification


class Odoo:
    """One database of the fake, and what it is asked."""

    def __init__(self, db, fake, *wishes):
        self.db, self.fake = db, fake
        self.prefix = "/" + "/".join([f"only={db.name}", *wishes])
        self.url = url(fake, self.prefix.lstrip("/"))
        self.behaviour = behaviour_of(self.prefix)

    def asked(self, statement=None, *args):
        """What a statement asks."""
        before = len(self.fake.calls)
        if statement:
            self.db.run(statement, *args)
        return [method for method, prefix in self.fake.calls[before:] if prefix == self.prefix]


@pytest.fixture
def odoo(db, fake):
    odoo = Odoo(db, fake)
    db.server(odoo.url, protocol=BY_PASSWORD)
    return odoo


@pytest.fixture
def known(db, fake):
    """An Odoo that knows the user by an id, which is remembered."""
    odoo = Odoo(db, fake)
    db.server(odoo.url, protocol=BY_ID)
    return odoo


def mapping(password, role="CURRENT_USER"):
    return f"ALTER USER MAPPING FOR {role} SERVER erp OPTIONS (SET password '{password}')"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_second_statement_asks_what_it_needs(db, fake, protocol):
    odoo = Odoo(db, fake, f"rows=20/{protocol}")
    server(db, fake, odoo.prefix.lstrip("/"), protocol)
    assert odoo.asked(COUNT)[-2:] == ["read_at_login", "search_count"]
    connections = fake.connections
    assert odoo.asked(COUNT) == ["search_count"]
    assert odoo.asked("SELECT * FROM odoo_read('product.product', '[[\"id\",\"=\",1]]', '{name}')") == ["fields_get", "search", "read"]
    # These look once whether the user is still let in, which of JSON-2 is the same as a login.
    for statement in ("SELECT * FROM odoo_check()", "SELECT * FROM odoo_sync('products')"):
        assert odoo.asked(statement).count("authenticate") == (1 if protocol == "json2" else 0)
    assert "authenticate" not in odoo.asked("SELECT count(*) FROM odoo_products()")
    # Nor is there another socket, but for those that read ahead.
    assert fake.connections - connections <= 1
    assert threads(db.connection.get_backend_pid()) == 1


def test_scans_and_joins_log_in_once(db, odoo):
    for name in "abc":
        db.run(f"CREATE FOREIGN TABLE {name} (id bigint, name text) SERVER erp OPTIONS (model 'product.product')")
    join = "SELECT count(a.name) FROM a JOIN b USING (id, name) JOIN c USING (id, name)"
    assert odoo.asked(join).count("authenticate") == 1
    connections = odoo.fake.connections
    assert not {"authenticate", "read_at_login", "fields_get"} & set(odoo.asked(join))
    assert odoo.fake.connections == connections
    # A scan that ends early leaves what is in flight, and a login.
    assert "authenticate" not in odoo.asked("SELECT name FROM a LIMIT 1")
    assert "authenticate" not in odoo.asked(join)


def test_changes_are_asked_once_and_need_no_login(db, fake):
    odoo = Odoo(db, fake, "version=19")
    db.server(odoo.url, protocol=BY_PASSWORD, writable="true")
    create = "SELECT odoo_create('res.partner', '{\"name\": \"x\"}')"
    db.run(COUNT)
    assert odoo.asked(create) == ["create"]
    odoo.behaviour.set_passwords({2: "new"})
    with pytest.raises(REFUSED):
        db.run(create)
    assert odoo.asked(mapping("new")) == []
    assert odoo.asked(create).count("create") == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_secret_that_changed_in_odoo(db, fake, protocol):
    odoo = Odoo(db, fake, protocol)
    server(db, fake, odoo.prefix.lstrip("/"), protocol)
    db.run(COUNT)
    odoo.behaviour.set_passwords({2: "new"})
    for _ in range(2):
        before = len(odoo.fake.calls)
        with pytest.raises(REFUSED, match='Odoo refused the login "admin"') as raised:
            db.run(COUNT)
        assert "password" in raised.value.diag.message_hint
        assert [method for method, _ in odoo.fake.calls[before:]].count("authenticate") == 1
    # In the mapping too.
    db.run(mapping("new").replace("password", secret_of(protocol)))
    assert odoo.asked(COUNT) == ["authenticate", "read_at_login", "search_count"]
    assert odoo.asked(COUNT) == ["search_count"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_secret_that_changes_while_a_job_runs(db, fake, protocol):
    odoo = Odoo(db, fake, "version=19", protocol)
    server(db, fake, odoo.prefix.lstrip("/"), protocol, page_size=1, readers=1)
    job, there = "CALL odoo_sync_job('products')", "SELECT count(*) FROM dim_products"
    products = len(odoo.behaviour.database.models["product.product"].records)

    def is_between_pages():
        with closing(db.connect()) as other, other.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM odoo_etl.watermarks WHERE target = 'dim_products' AND resume_after IS NOT NULL)")
            return cursor.fetchone()[0]

    def change():
        if fake.calls[-1][0] == "read" and is_between_pages():
            odoo.behaviour.interrupt = None
            odoo.behaviour.set_passwords({2: "new"})

    odoo.behaviour.interrupt = change
    before = len(fake.calls)
    with pytest.raises(REFUSED) as raised:
        db.run(job)
    assert "Odoo refused" in raised.value.diag.message_detail
    # The first, and one more at most.
    assert [method for method, _ in fake.calls[before:]].count("authenticate") <= 2
    # What was committed stays, and the next job goes on there.
    loaded = db.value(there)
    assert 0 < loaded < products
    db.run(mapping("new").replace("password", secret_of(protocol)))
    db.run(job)
    assert db.value(there) == products


def test_a_password_that_changed_in_the_mapping_alone(db, odoo):
    db.run(COUNT)
    db.run("BEGIN")
    db.run(mapping("wrong"))
    db.run("SAVEPOINT before")
    with pytest.raises(REFUSED):
        db.run(COUNT)
    db.run("ROLLBACK TO before; ROLLBACK")
    db.run(COUNT)
    assert odoo.asked(COUNT) == ["search_count"]
    db.run("DROP USER MAPPING FOR CURRENT_USER SERVER erp")
    with pytest.raises(psycopg2.errors.UndefinedObject, match="no user mapping"):
        db.run(COUNT)


def test_a_user_whose_id_is_another_by_now(db, known):
    """As after a restore: the old id is nobody's, or somebody's who has the same password."""
    db.run(COUNT)
    users = known.behaviour.database.models["res.users"].records
    users[9] = {**users[2], "id": 9}
    users[2]["login"] = "cleo"
    known.behaviour.set_passwords({2: "other", 9: "admin"}, uid=9)
    assert known.asked(COUNT) == ["search_count", "authenticate", "read_at_login", "search_count"]
    assert known.asked(COUNT) == ["search_count"]


def test_a_user_that_was_deleted_and_made_again(db, known):
    """Its old id is nobody's: Odoo calls that a missing record, whatever is asked."""
    db.run(COUNT)
    users = known.behaviour.database.models["res.users"].records
    users[9] = {**users[2], "id": 9}
    known.behaviour.set_passwords({9: "admin"}, uid=9)
    with pytest.raises(psycopg2.Error, match="Record does not exist"):
        db.run(COUNT)
    assert known.asked(COUNT) == ["read_at_login", "authenticate", "read_at_login", "search_count"]


@pytest.fixture
def clerk(db, odoo):
    db.run(f"CREATE ROLE clerk_{db.name}; GRANT USAGE ON FOREIGN SERVER erp TO clerk_{db.name}; "
           f"GRANT ALL ON SCHEMA public TO clerk_{db.name}")
    yield f"clerk_{db.name}"
    db.run(f"RESET ROLE; DROP OWNED BY clerk_{db.name} CASCADE; DROP ROLE clerk_{db.name}")


def test_each_role_has_a_login_of_its_own(db, odoo, clerk):
    db.run(COUNT)
    db.run(f"SET ROLE {clerk}")
    with pytest.raises(psycopg2.errors.UndefinedObject, match="no user mapping"):
        db.run(COUNT)
    db.run(f"RESET ROLE; CREATE USER MAPPING FOR {clerk} SERVER erp OPTIONS (login 'admin', password 'wrong'); SET ROLE {clerk}")
    with pytest.raises(REFUSED):
        db.run(COUNT)
    db.run(f"RESET ROLE; {mapping('admin', clerk)}; SET ROLE {clerk}")
    assert odoo.asked(COUNT) == ["authenticate", "read_at_login", "search_count"]
    # As a pooler does between its clients: what is kept stays, by role.
    for statement in ("RESET ROLE", f"SET ROLE {clerk}", "RESET ROLE", "DISCARD ALL", f"SET SESSION AUTHORIZATION {clerk}"):
        db.run(statement)
        assert odoo.asked(COUNT) == ["search_count"]
    db.run("RESET SESSION AUTHORIZATION")


def test_a_function_of_another_owner_asks_as_its_owner(db, odoo, clerk):
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER erp OPTIONS (login 'admin', password 'admin'); SET ROLE {clerk}")
    db.run(f"CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ {COUNT} $$")
    db.run("RESET ROLE")
    db.run(COUNT)
    assert odoo.asked("SELECT counted()") == ["authenticate", "read_at_login", "search_count"]
    db.run(mapping("wrong", clerk))
    with pytest.raises(REFUSED):
        db.run("SELECT counted()")
    assert odoo.asked(COUNT) == ["search_count"]


def test_a_server_that_moves_within_a_transaction(db, fake, odoo):
    other = Odoo(db, fake, "rows=30")
    db.run(COUNT)
    db.run("BEGIN")
    db.run(f"ALTER SERVER erp OPTIONS (SET url '{other.url}')")
    assert db.value(COUNT) == 30
    db.run("ROLLBACK")
    assert db.value(COUNT) != 30


def test_a_key_that_changes_in_its_file(db, fake, folder):
    odoo = Odoo(db, fake)
    key = folder / f"key_{db.name}"
    key.touch(mode=0o600)
    key.write_text("wrong")
    places.give_to_service(key)
    db.run(f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url '{odoo.url}', database 'demo', retries '0'); "
           f"CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', api_key_file '{key}')")
    with pytest.raises(REFUSED):
        db.run(COUNT)
    key.write_text("admin")
    db.run(COUNT)
    assert odoo.asked(COUNT) == ["search_count"]
    key.write_text("wrong")
    with pytest.raises(REFUSED):
        db.run(COUNT)


def test_hosts_that_are_allowed_no_more(db, odoo):
    db.run(COUNT)
    db.run("SET odoo_etl.allowed_hosts = 'erp.example.com'")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="may not be asked"):
        db.run(COUNT)
    db.run("RESET odoo_etl.allowed_hosts")
    db.run(COUNT)


@pytest.mark.parametrize("trouble", ["stall@search_count", "stall-body@search_count", "cut@search_count", "reset@search_count"])
def test_after_an_exchange_that_ended_in_its_middle(db, odoo, trouble):
    db.run(COUNT)
    odoo.behaviour.turn(trouble)
    db.run("SET statement_timeout = '500ms'")
    with pytest.raises(psycopg2.Error):
        db.run(COUNT)
    odoo.behaviour.turn()
    db.run("RESET statement_timeout")
    assert odoo.asked(COUNT) == ["search_count"]
    assert wait_until(lambda: threads(db.connection.get_backend_pid()) == 1, 1)


def test_odoo_restarts_between_statements(db):
    first = Server().run()
    db.server(url(first, f"version=19/only={db.name}"), protocol=BY_PASSWORD, writable="true")
    db.run(COUNT)
    port = first.port
    first.kill()
    with pytest.raises(psycopg2.OperationalError, match="could not connect"):
        db.run(COUNT)
    second = Server(port=port).run()
    try:
        db.run(COUNT)
        db.run("SELECT odoo_create('res.partner', '{\"name\": \"x\"}')")
        assert "authenticate" not in [method for method, _ in second.calls]
    finally:
        second.shutdown()


class Impatient(Handler):
    """Closes a connection when a request comes that is not its first: as a server does whose
    patience ends at that moment."""

    served = 0

    def parse_request(self):
        self.served += 1
        if self.served > 1 and self.server.closes:
            self.close_connection = True
            self.server.closed += 1
            return False
        return super().parse_request()


def test_a_socket_that_the_server_closes_at_that_moment(db):
    server = Server(handler=Impatient)
    server.closes, server.closed = False, 0
    server.run()
    try:
        db.server(url(server, f"version=19/only={db.name}"), protocol=BY_PASSWORD, writable="true")
        db.run(COUNT)
        server.closes = True
        # Without retries: a question is made again through another socket, and that is no failure.
        db.run(COUNT)
        assert server.closed == 1
        # What changes something is sent through a socket that was in use a moment ago, or a new one.
        create = "SELECT odoo_create('res.partner', '{\"name\": \"x\"}')"
        time.sleep(1.2)
        db.run(create)
        assert server.closed == 1 and [method for method, _ in server.calls].count("create") == 1
        # If that one is closed nobody knows what became of it.
        with pytest.raises(psycopg2.OperationalError, match="broke"):
            db.run(create)
        assert [method for method, _ in server.calls].count("create") == 1
    finally:
        server.shutdown()


def test_connections_are_listed_and_ended(db, fake, odoo, clerk):
    shown = "SELECT server_name, user_name, login, protocol, since <= now(), used_in_xact FROM odoo_connections()"
    assert db.run(shown) == [] and db.value("SELECT odoo_disconnect('erp')") is False
    db.run("BEGIN")
    db.run(COUNT)
    assert db.run("SELECT server_name, used_in_xact FROM odoo_connections()") == [("erp", True)]
    db.run("COMMIT")
    assert db.run(shown) == [("erp", "postgres", "admin", BY_PASSWORD, True, False)]
    # Options of a user mapping are their owner's.
    db.run(f"SET ROLE {clerk}")
    assert db.run(shown) == [] and db.value("SELECT odoo_disconnect_all()") is False
    db.run("RESET ROLE")
    assert db.value("SELECT odoo_disconnect(server => 'erp')") is True
    assert db.run(shown) == [] and "authenticate" in odoo.asked(COUNT)
    db.run("DROP SERVER erp CASCADE")
    assert db.run("SELECT server_name, user_name FROM odoo_connections()") == [(None, "postgres")]
    assert db.value("SELECT odoo_disconnect_all()") is True and db.value("SELECT odoo_disconnect_all()") is False
    with pytest.raises(psycopg2.errors.UndefinedObject, match='server "erp" does not exist'):
        db.run("SELECT odoo_disconnect('erp')")
    with pytest.raises(psycopg2.errors.NullValueNotAllowed):
        db.run("SELECT odoo_disconnect(NULL)")


def test_a_disconnect_ends_what_a_cursor_uses_with_the_cursor(db, odoo):
    db.run("BEGIN")
    db.run("DECLARE rows CURSOR FOR SELECT odoo_read('product.product')")
    assert len(db.run("FETCH 1 FROM rows")) == 1
    assert db.value("SELECT odoo_disconnect('erp')") is True
    assert len(db.run("FETCH 2 FROM rows")) == 2
    db.run("COMMIT")
    assert db.run("SELECT * FROM odoo_connections()") == []


def test_no_more_than_a_few_are_kept(db, fake):
    odoo = Odoo(db, fake)
    for number in range(12):
        db.server(odoo.url, name=f"s{number}", protocol=BY_PASSWORD)
        db.run(f"SELECT odoo_count('product.product', server => 's{number}')")
    kept = [name for name, in db.run("SELECT server_name FROM odoo_connections()")]
    assert kept == [f"s{number}" for number in range(4, 12)]


def test_companies_that_changed_are_asked_for_after_a_refusal(db, odoo):
    """A company that is no longer the user's is an error, and of the next statement none."""
    users = odoo.behaviour.database.models["res.users"].records
    users[2]["company_ids"] = [1, 2]
    db.run(COUNT)
    users[2]["company_ids"] = [1]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.run(COUNT)
    assert odoo.asked(COUNT) == ["read_at_login", "search_count"]


def test_a_good_answer_lets_stopped_jobs_go_on(db, odoo):
    """Also where it needed no login."""
    db.run("SELECT * FROM odoo_sync('products')")
    odoo.behaviour.set_passwords({2: "new"})
    with closing(db.connect()) as other, other.cursor() as cursor:
        with pytest.raises(REFUSED):
            cursor.execute("CALL odoo_sync_job(scheduled => true)")
    assert db.value("SELECT count(*) FROM odoo_etl.stops") == 1
    with pytest.raises(REFUSED):
        db.run(COUNT)
    assert db.value("SELECT count(*) FROM odoo_etl.stops") == 1
    odoo.behaviour.set_passwords({2: "admin"})
    db.run(COUNT)
    assert db.value("SELECT count(*) FROM odoo_etl.stops") == 0


# What runs remember for other sessions.

JOB = "CALL odoo_sync_job()"


def job_of_another_session(db):
    with closing(db.connect()) as other, other.cursor() as cursor:
        cursor.execute(JOB)


def users_kept(db):
    return db.run("SELECT what, value - 'protocol' FROM odoo_etl.cache WHERE what LIKE 'user %%'")


def test_runs_of_other_sessions_need_no_login(db, known):
    job_of_another_session(db)
    assert users_kept(db) == [(f"user {known.url} demo admin", {"uid": 2})]
    before = len(known.fake.calls)
    job_of_another_session(db)
    methods = [method for method, prefix in known.fake.calls[before:] if prefix == known.prefix]
    assert "authenticate" not in methods and methods.count("read_at_login") == 1
    # Nor do other statements of new sessions, though they keep nothing for others.
    db.connection = db.connect()
    assert known.asked(COUNT) == ["read_at_login", "search_count"]
    db.run("DELETE FROM odoo_etl.cache")
    db.connection = db.connect()
    assert "authenticate" in known.asked(COUNT) and users_kept(db) == []


def test_many_sessions_log_in_no_more_than_one(db, known):
    """As a pool's do."""
    job_of_another_session(db)
    before = len(known.fake.calls)
    for _ in range(10):
        with closing(db.connect()) as other, other.cursor() as cursor:
            cursor.execute(COUNT)
            cursor.execute(COUNT)
    assert [method for method, _ in known.fake.calls[before:]] == ["read_at_login", "search_count", "search_count"] * 10


def test_an_id_that_is_wrong_by_now_is_found_out(db, known):
    job_of_another_session(db)
    users = known.behaviour.database.models["res.users"].records
    users[9] = {**users[2], "id": 9}
    for passwords in ({9: "admin"}, {2: "other", 9: "admin"}, {2: "admin", 9: "admin"}):
        db.run("UPDATE odoo_etl.cache SET value = value || '{\"uid\": 2}' WHERE what LIKE 'user %%'")
        # Nobody's; another password's; somebody's with the same password.
        users[2]["login"] = "cleo"
        known.behaviour.set_passwords(passwords, uid=9)
        before = len(known.fake.calls)
        job_of_another_session(db)
        assert [method for method, _ in known.fake.calls[before:]].count("authenticate") == 1
        assert users_kept(db)[0][1] == {"uid": 9}


def test_a_password_that_is_wrong_by_now_is_one_error(db, known):
    job_of_another_session(db)
    known.behaviour.set_passwords({2: "new"})
    before = len(known.fake.calls)
    with pytest.raises(REFUSED, match='Odoo refused the login "admin"'):
        job_of_another_session(db)
    assert [method for method, _ in known.fake.calls[before:]] == ["read_at_login", "authenticate"]


def test_a_role_learns_and_changes_nothing_of_it(db, odoo, clerk):
    """Another login is another entry, and one with the same login uses what Odoo itself told."""
    job_of_another_session(db)
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER erp OPTIONS (login 'admin', password 'wrong'); SET ROLE {clerk}")
    for statement in ("SELECT * FROM odoo_etl.cache", "UPDATE odoo_etl.cache SET value = '{}'"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            db.run(statement)
    with pytest.raises(REFUSED):
        db.run(JOB)
    db.run("RESET ROLE")
    assert users_kept(db)[0][1] == {"uid": 2}
