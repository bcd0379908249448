"""What a real Odoo refuses: options that name what it lacks, and users of few rights."""

import psycopg2
import pytest


@pytest.fixture
def clerk(api):
    """A user who may sell, and nothing else."""
    login = "salesman@example.com"
    found = api("res.users", "search", [["login", "=", login]])
    groups = api("ir.model.data", "search_read", [["model", "=", "res.groups"], ["name", "in", ["group_user", "group_sale_salesman"]]], fields=["res_id"])
    values = {"name": "Salesman", "login": login, "password": "clerk", "group_ids": [[6, 0, [group["res_id"] for group in groups]]]}
    return found[0] if found else api("res.users", "create", values)


@pytest.mark.parametrize("option, value, words", [
    ("language", "ja_JP", 'the language "ja_JP" is not installed in Odoo'),
    ("companies", "1,4711", 'the Odoo user "admin" is not in company 4711')])
@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('categories')", "CALL odoo_sync_job('categories')",
                                       "SELECT odoo_count('res.partner')"])
def test_an_option_that_names_what_odoo_lacks(db, real, option, value, words, statement):
    db.server(real.url, **{option: value})
    with pytest.raises(psycopg2.Error) as error:
        db.run(statement)
    assert (error.value.pgcode, error.value.diag.message_primary) == ("HV024", words)
    assert f"option {option}" in error.value.diag.message_hint


def test_the_installed_language_and_the_users_companies(db, real, api):
    company = api("res.users", "read", [2], ["company_id"], load="")[0]["company_id"]
    db.server(real.url, language="en_US", companies=str(company))
    assert db.report("SELECT * FROM odoo_sync('categories')")["dim_categories"]["status"] == "ok"


def test_a_user_of_few_rights(db, real, clerk):
    db.server(real.url)
    db.run("ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET login 'salesman@example.com', SET password 'clerk')")
    first = db.report("SELECT * FROM odoo_sync_all()")
    assert {row["status"] for row in first.values()} == {"ok", "absent", "denied"}
    assert first["fact_purchases"]["status"] == "denied" and first["dim_products"]["fetched"] > 0
    second = db.report("SELECT * FROM odoo_sync_all()")
    assert {row["status"] for row in second.values()} == {"ok", "absent", "denied"}
    db.run("CALL odoo_sync_job(reconcile => true)")
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0
    assert {row[0] for row in db.run("SELECT missing + stale + deleted FROM odoo_verify('all')")} == {0}
    assert "Non-stored" not in real.log.read_text() and "cannot be searched" not in real.log.read_text()
