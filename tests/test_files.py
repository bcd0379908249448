"""Options that name files of the database's machine: who may set them, and what is read of them."""

import os
import shutil
import time

import psycopg2
import pytest

from .conftest import url
from .lab import places

DENIED = psycopg2.errors.InsufficientPrivilege

SERVER = "CREATE SERVER mine FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://127.0.0.1', database 'x', ca_file '{}')"
SYNC = "SELECT * FROM odoo_sync('products')"


@pytest.fixture
def clerk(db):
    """A role that makes servers, and may read no files."""
    name = f"clerk_{db.name}"
    db.run(f"CREATE ROLE {name}")
    db.run(f"GRANT USAGE ON FOREIGN DATA WRAPPER odoo_fdw TO {name}")
    yield name
    db.run("RESET ROLE")
    db.run(f"DROP OWNED BY {name} CASCADE")
    db.run(f"DROP ROLE {name}")


def grant(db, clerk):
    db.run("RESET ROLE")
    db.run(f"GRANT pg_read_server_files TO {clerk}")
    db.run(f"SET ROLE {clerk}")


def mapping(path):
    return f"CREATE USER MAPPING FOR CURRENT_USER SERVER mine OPTIONS (login 'admin', api_key_file '{path}')"


def refusal(db, statement):
    """All that a role gets to know."""
    with pytest.raises(psycopg2.Error) as raised:
        db.run(statement)
    diag = raised.value.diag
    return (raised.value.pgcode, diag.message_primary, diag.message_detail, diag.message_hint)


@pytest.fixture
def files(folder, certificate):
    """One of each kind, by what it is."""
    there = folder / f"files{time.monotonic_ns()}"
    there.mkdir()
    (there / "directory").mkdir()
    os.mkfifo(there / "fifo")
    (there / "large").write_text("x" * (2 << 20))
    (there / "binary").write_bytes(b"\xff\xfe")
    (there / "nothing").write_text("nothing")
    (there / "secret").write_text("admin")
    for name in ("large", "binary", "nothing", "secret"):
        (there / name).chmod(0o600)
    (there / "fifo").chmod(0o600)
    places.give_to_service(there)
    paths = {name: there / name for name in ("directory", "fifo", "large", "binary", "nothing", "secret", "absent")}
    yield {**paths, "device": "/dev/zero", "certificate": certificate[1]}
    shutil.rmtree(there)


def test_a_ca_file_is_for_those_who_may_read_files(db, clerk, files):
    db.run(f"SET ROLE {clerk}")
    told = {refusal(db, SERVER.format(path)) for path in files.values()}
    assert len(told) == 1 and told.pop()[0] == "42501"
    assert len({refusal(db, f"SELECT odoo_etl.fdw_validator(ARRAY['url=https://x', 'database=x', 'ca_file={path}'], 'pg_foreign_server'::regclass)")
                for path in files.values()}) == 1
    db.run("CREATE SERVER mine FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://127.0.0.1', database 'x')")
    with pytest.raises(DENIED, match='set the option "ca_file"') as raised:
        db.run(f"ALTER SERVER mine OPTIONS (ADD ca_file '{files['certificate']}')")
    assert "pg_read_server_files" in raised.value.diag.message_detail
    grant(db, clerk)
    db.run(f"ALTER SERVER mine OPTIONS (ADD ca_file '{files['certificate']}')")
    # As with file_fdw the right counts when options change, whichever they are.
    db.run("RESET ROLE")
    db.run(f"REVOKE pg_read_server_files FROM {clerk}")
    db.run(f"SET ROLE {clerk}")
    for change in ("SET ca_file '/etc/passwd'", "SET url 'https://127.0.0.2'", "ADD timeout '5'"):
        with pytest.raises(DENIED, match="ca_file"):
            db.run(f"ALTER SERVER mine OPTIONS ({change})")
    db.run("ALTER SERVER mine OPTIONS (DROP ca_file)")


def test_the_right_that_counts_is_that_of_the_privileges(db, clerk, files):
    """A member that would have to SET ROLE first has not got them: COPY refuses it too."""
    db.run(f"ALTER ROLE {clerk} NOINHERIT")
    grant(db, clerk)
    with pytest.raises(DENIED):
        db.run(f"CREATE TEMP TABLE t (x text); COPY t FROM '{files['certificate']}'")
    with pytest.raises(DENIED, match="ca_file"):
        db.run(SERVER.format(files["certificate"]))


@pytest.mark.parametrize("kind, error", [
    ("directory", "is no regular file"), ("fifo", "is no regular file"), ("device", "is no regular file"),
    ("large", "is larger than"), ("binary", "is no text"), ("absent", "No such file")])
@pytest.mark.parametrize("option", ["ca_file", "api_key_file"])
def test_only_small_regular_files_are_read(db, tls, files, option, kind, error):
    """A FIFO without a writer blocks whoever opens it."""
    db.run("SET statement_timeout = '20s'")
    db.server(url(tls, host="localhost", scheme="https"), protocol="xmlrpc")
    if option == "ca_file":
        db.run(f"ALTER SERVER erp OPTIONS (ADD ca_file '{files[kind]}')")
        statement = SYNC
    else:
        statement = f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD api_key_file '{files[kind]}')"
    begin = time.monotonic()
    with pytest.raises(psycopg2.Error, match=error):
        db.run(statement)
    assert time.monotonic() - begin < 5


def test_at_use_a_role_without_the_right_is_not_told_what_is_wrong(db, clerk, tls, files):
    """Whoever may read files has named it; others may use the server, and only that."""
    db.server(url(tls, host="localhost", scheme="https"), name="mine", ca_file=files["certificate"])
    db.run(f"GRANT USAGE ON FOREIGN SERVER mine TO {clerk}")
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER mine OPTIONS (login 'admin', password 'admin')")
    check = "SELECT odoo_version('mine')"
    db.run(f"SET ROLE {clerk}")
    assert db.run(check)
    told = set()
    for kind in ("directory", "fifo", "device", "large", "binary", "nothing", "absent"):
        db.run("RESET ROLE")
        db.run(f"ALTER SERVER mine OPTIONS (SET ca_file '{files[kind]}')")
        db.run(f"SET ROLE {clerk}")
        told.add(refusal(db, check))
    assert len(told) == 1
    told = told.pop()
    assert "ca_file" in told[1] and "pg_read_server_files" in told[2] and not any(str(files["absent"].parent) in str(part) for part in told)
    grant(db, clerk)
    with pytest.raises(psycopg2.Error, match="No such file"):
        db.run(check)


def test_at_use_a_role_without_the_right_is_not_told_what_is_wrong_with_a_key(db, clerk, fake, files):
    db.server(url(fake), name="mine", protocol="jsonrpc")
    db.run(f"GRANT USAGE ON FOREIGN SERVER mine TO {clerk}")
    secret = files["secret"]
    db.run(f"CREATE USER MAPPING FOR {clerk} SERVER mine OPTIONS (login 'admin', api_key_file '{secret}')")
    check = "SELECT * FROM odoo_read('uom.uom', server => 'mine')"
    db.run(f"SET ROLE {clerk}")
    assert db.run(check)
    told = set()
    for spoil in (lambda: secret.chmod(0o644), lambda: secret.write_text(" "), secret.unlink, lambda: os.mkfifo(secret, 0o600)):
        spoil()
        told.add(refusal(db, check))
    assert len(told) == 1 and "api_key_file" in told.pop()[1]
    # The server's owner is not the one to change the mapping either.
    db.run("RESET ROLE")
    db.run(f"ALTER SERVER mine OWNER TO {clerk}")
    db.run(f"SET ROLE {clerk}")
    with pytest.raises(DENIED, match="api_key_file"):
        db.run(f"ALTER USER MAPPING FOR {clerk} SERVER mine OPTIONS (SET login 'x')")
