"""The client's functions against a real Odoo 19, by each protocol: what they write is in its database."""

import psycopg2
import pytest
from psycopg2.extras import Json

from .test_protocols import PROTOCOLS, key, secret_for, server  # noqa: F401 (a fixture)


@pytest.fixture(params=PROTOCOLS)
def erp(request, db, real, key):  # noqa: F811
    server(db, real, "erp", request.param, secret_for(request.param, key))
    db.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
    return db


def partner(truth, id):
    with truth.cursor() as cursor:
        cursor.execute("SELECT name, email, is_company, credit_limit IS NULL, active FROM res_partner WHERE id = %s", (id,))
        return cursor.fetchone()


def test_records_are_made_changed_and_deleted(erp, truth):
    first, second = [id for id, in erp.run(
        "SELECT odoo_create('res.partner', %s)",
        Json([{"name": "É'\"<&>\n😀", "email": "a@b.example", "is_company": True}, {"name": "Two"}]))]
    assert partner(truth, first)[:3] == ("É'\"<&>\n😀", "a@b.example", True)
    assert erp.value("SELECT odoo_write('res.partner', ARRAY[%s, %s]::bigint[], %s)", first, second,
                     Json({"name": "Both", "email": None, "is_company": False}))
    assert partner(truth, first)[:3] == partner(truth, second)[:3] == ("Both", None, False)
    found = erp.run("SELECT data FROM odoo_read('res.partner', odoo_domain('id', '=', %s), fields => '{email,is_company}')", first)
    assert found == [({"id": first, "email": False, "is_company": False},)]
    assert erp.value("SELECT odoo_unlink('res.partner', ARRAY[%s]::bigint[])", first)
    assert partner(truth, first) is None and partner(truth, second) is not None
    assert erp.run("SELECT odoo_search('res.partner', odoo_domain('id', 'in', ARRAY[%s, %s]))", first, second) == [(second,)]


def test_methods_are_called(erp, truth):
    id = erp.value("SELECT odoo_create('res.partner', '{\"name\": \"Callee\"}')")
    # It returns None, for which XML-RPC has a fault when the work is done and committed.
    assert erp.value("SELECT odoo_call('res.partner', 'action_archive', kwargs => %s)", Json({"ids": [id]})) is None
    assert partner(truth, id)[4] is False
    copies = erp.value("SELECT odoo_call('res.partner', 'copy', kwargs => %s)", Json({"ids": [id], "default": {"name": "Copy"}}))
    assert [partner(truth, copied)[0] for copied in copies] == ["Copy"]
    named = erp.value("SELECT odoo_call('res.partner', 'name_search', kwargs => %s)",
                      Json({"name": "Callee", "context": {"active_test": False}}))
    assert [id, "Callee"] in named


def test_what_odoo_refuses_changes_nothing(erp, truth):
    with truth.cursor() as cursor:
        def count():
            cursor.execute("SELECT count(*) FROM res_partner")
            return cursor.fetchone()
        before = count()
        for statement, values in [
                ("SELECT odoo_create('res.partner', %s)", [{"name": "Good"}, {"no_such": 1}]),
                ("SELECT odoo_create('res.partner', %s)", [{"name": "Good"}, {"email": "nameless@example.com"}])]:
            with pytest.raises(psycopg2.Error) as raised:
                erp.run(statement, Json(values))
            assert raised.value.diag.message_hint
        with pytest.raises(psycopg2.Error):
            erp.run("SELECT odoo_write('res.partner', '{2000000000}', '{\"name\": \"x\"}')")
        with pytest.raises(psycopg2.Error, match="no name of a public method"):
            erp.run("SELECT odoo_call('res.partner', '_compute_display_name')")
        # Public by its name, and private all the same.
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            erp.run("SELECT odoo_call('res.partner', 'browse', kwargs => '{\"ids\": [1]}')")
        assert count() == before


def test_fields_and_models(erp):
    fields = {row[0]: row[1:] for row in erp.run("SELECT * FROM odoo_fields('res.partner')")}
    assert fields["parent_id"][:3] == ("many2one", "Related Company", "res.partner")
    assert [value for value, _ in fields["type"][7]][:2] == ["contact", "invoice"]
    assert fields["name"][:2] == ("char", "Name") and fields["barcode"][6] is True and fields["display_name"][4] is False
    models = dict(erp.run("SELECT * FROM odoo_models()"))
    assert models["res.partner"] == "Contact" and "pos.order" in models
    assert "base" not in models and "base.language.install" not in models


DOMAINS = [
    ("odoo_domain('is_company', '=', true) & odoo_domain('email', '!=', NULL)", "is_company AND email IS NOT NULL"),
    ("! (odoo_domain('is_company', '=', true) & odoo_domain('email', '!=', NULL))", "NOT (is_company AND email IS NOT NULL)"),
    ("! '[[\"is_company\",\"=\",true],[\"id\",\">\",20]]'::odoo_domain", "NOT (is_company AND id > 20)"),
    ("odoo_domain('id', '<', 10) | odoo_domain('name', 'in', ARRAY['Ready Mat', 'Wood Corner'])",
     "id < 10 OR name IN ('Ready Mat', 'Wood Corner')"),
    ("(odoo_domain('id', '>', 8) | odoo_domain('is_company', '=', false)) & ! odoo_domain('id', 'in', ARRAY[3, 9])",
     "(id > 8 OR NOT coalesce(is_company, false)) AND id NOT IN (3, 9)"),
    ("odoo_domain('create_date', '<', now() + interval '1 day')", "true"),
    ("odoo_domain('create_date', '<', date '2001-01-01')", "false"),
    ("! '[]'::odoo_domain", "false"),
    ("'[]' | odoo_domain('id', '=', 1)", "true"),
]


def test_domains_mean_to_odoo_what_they_say(erp, truth):
    visible = {id for id, in erp.run("SELECT odoo_search('res.partner')")}
    for domain, condition in DOMAINS:
        with truth.cursor() as cursor:
            cursor.execute(f"SELECT id FROM res_partner WHERE {condition} ORDER BY id")
            expected = [id for id, in cursor.fetchall() if id in visible]
        assert [id for id, in erp.run(f"SELECT odoo_search('res.partner', {domain})")] == expected, domain
        assert erp.value(f"SELECT odoo_count('res.partner', {domain})") == len(expected)


def test_a_user_with_few_rights(db, real, api):
    login = "clerk@example.com"
    internal = api("ir.model.data", "check_object_reference", "base", "group_user")[1]
    api("res.users", "create", [{"name": "Clerk", "login": login, "password": "clerk-secret", "group_ids": [[6, 0, [internal]]]}])
    server(db, real, "erp", "jsonrpc", "password 'clerk-secret'")
    db.run(f"ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login '{login}')")
    db.run("ALTER SERVER erp OPTIONS (ADD writable 'true')")
    models = {model for model, in db.run("SELECT model FROM odoo_models()")}
    assert "res.partner" in models and "ir.model.access" not in models
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="not allowed"):
        db.run("SELECT odoo_create('product.category', '{\"name\": \"x\"}')")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.run("SELECT odoo_search('ir.model.access')")
