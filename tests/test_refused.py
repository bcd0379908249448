"""What Odoo refuses, and in which words: models that are absent or denied, options of the server that are
wrong, fields that cannot be read of any record, relations that cannot be searched."""

import psycopg2
import pytest

from .conftest import url
from .fake.orm import traceback_of
from .test_in_step import Shop

ALL = "SELECT * FROM odoo_sync_all()"
LATER = "2030-01-01 00:00:00"


def statuses(report):
    return {row["status"] for row in report.values()}


def faults(fake, prefix, begin):
    """How many requests of one path since a place in the calls."""
    return sum(1 for _, of in fake.calls[begin:] if prefix in of)


# The user's language


@pytest.mark.parametrize("release", range(14, 21))
def test_a_french_user_lacks_the_same_models(db, fake, release):
    db.server(url(fake, f"version={release}/speaks=fr_FR"))
    french = db.report(ALL)
    assert statuses(french) <= {"ok", "absent"}
    absent = {table for table, row in french.items() if row["status"] == "absent"}
    expected = {"dim_brands"} if release != 16 else set()
    since = {"dim_work_locations": 15, "fact_loyalty": 18}
    assert absent == expected | {table for table, first in since.items() if release < first}


@pytest.mark.parametrize("protocol", ["xmlrpc", "jsonrpc", "json2", "web"])
def test_an_unknown_model_is_told_by_a_question(db, fake, protocol):
    release = 19 if protocol == "json2" else 14
    db.server(url(fake, f"version={release}/speaks=fr_FR"), protocol=protocol)
    for call in ("odoo_count('no.such')", "odoo_search('no.such')", "odoo_read('no.such')"):
        with pytest.raises(psycopg2.Error) as error:
            db.run(f"SELECT {call}")
        assert error.value.pgcode == "HV00R", call
        assert "may not be installed" in error.value.diag.message_hint


def test_words_about_a_model_that_is_there_are_no_word_that_it_is_not(db, fake):
    """Fault 2 is every UserError, as an override of a method may raise it."""
    shop = Shop(db, fake, "version=14/speaks=fr_FR")
    shop.behaviour.turn("fault=2@search_count")
    with pytest.raises(psycopg2.Error) as error:
        db.run("SELECT odoo_count('res.partner')")
    assert error.value.pgcode == "HV000"
    shop.behaviour.turn("fault=2@fields_get")
    assert statuses(db.report(ALL)) == {"failed"}


def test_a_model_that_goes_is_noticed_in_french_too(db, fake):
    shop = Shop(db, fake, "version=14/speaks=fr_FR")
    db.run(ALL)
    del shop.models["coupon.program"]
    assert db.report(ALL)["dim_promotions"]["status"] == "absent"


def test_a_denied_model_is_denied_in_french_too(db, fake):
    db.server(url(fake, "version=14/speaks=fr_FR/denied=coupon.program"))
    report = db.report(ALL)
    assert report["dim_promotions"]["status"] == "denied"
    assert "pas autorisé" in report["dim_promotions"]["error"]


# The server's options


RUNS = ["SELECT * FROM odoo_sync('products')", ALL, "CALL odoo_sync_job()", "CALL odoo_sync_job(reconcile => true)",
        "SELECT * FROM odoo_reconcile('products')", "SELECT * FROM odoo_verify('products')",
        "SELECT odoo_count('res.partner')", "SELECT count(*) FROM odoo_products()"]


@pytest.mark.parametrize("statement", RUNS)
def test_companies_that_the_user_lacks_stop_the_run(db, fake, statement):
    db.server(url(fake, "version=17"), companies="1,99")
    with pytest.raises(psycopg2.Error) as error:
        db.run(statement)
    diagnosis = error.value.diag
    assert (error.value.pgcode, diagnosis.message_primary) == ("HV024", 'the Odoo user "admin" is not in company 99')
    assert diagnosis.message_detail == "Its companies: 1, 3."
    assert "option companies" in diagnosis.message_hint
    found = db.run("SELECT item, status, hint FROM odoo_check() WHERE status = 'error'")
    assert [row[:2] for row in found] == [("login", "error")] and "option companies" in found[0][2]


def test_companies_of_the_user_may_be_chosen(db, fake):
    db.server(url(fake, "version=17"), companies="3")
    assert statuses(db.report(ALL)) <= {"ok", "absent"}
    db.run("ALTER SERVER erp OPTIONS (SET companies '3,1')")
    assert db.value("SELECT detail FROM odoo_check() WHERE item = 'login'").endswith("companies 3, 1")


@pytest.mark.parametrize("statement", ["CALL odoo_sync_job()", ALL, "CALL odoo_sync_job(reconcile => true)",
                                       "SELECT * FROM odoo_reconcile('all')"])
def test_a_company_taken_from_the_user_is_no_missing_right(db, fake, statement):
    shop = Shop(db, fake, "version=17", companies="1,3")
    db.run("CALL odoo_sync_job()")

    def take_away():
        if fake.calls[-1][0] == "search" and db.name in fake.calls[-1][1]:
            shop.behaviour.interrupt = None
            shop.records("res.users")[2]["company_ids"] = [1]

    shop.behaviour.interrupt = take_away
    begin = len(fake.calls)
    if statement.startswith("CALL"):
        with pytest.raises(psycopg2.Error, match="could not sync") as error:
            db.run(statement)
        assert error.value.pgcode == "HV024"
        assert "is not in company 3" in error.value.diag.message_detail
    else:
        report = db.report(statement)
        assert "denied" not in statuses(report) and "failed" in statuses(report)
        errors = {row["error"] for row in report.values() if row["status"] == "failed"}
        assert errors == {'the Odoo user "admin" is not in company 3'}
    # The other entities do not ask for the same.
    assert faults(fake, db.name, begin) < 60
    assert db.value("SELECT count(*) FROM odoo_sync_status WHERE state = 'denied'") == 0


@pytest.mark.parametrize("release", [14, 19])
@pytest.mark.parametrize("statement", RUNS)
def test_a_language_that_is_not_installed_stops_the_run(db, fake, release, statement):
    db.server(url(fake, f"version={release}/languages=de_DE"), language="fr_FR")
    with pytest.raises(psycopg2.Error) as error:
        db.run(statement)
    diagnosis = error.value.diag
    assert (error.value.pgcode, diagnosis.message_primary) == ("HV024", 'the language "fr_FR" is not installed in Odoo')
    assert diagnosis.message_detail == "Installed: en_US, de_DE."
    assert "option language" in diagnosis.message_hint


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_a_language_is_checked_once(db, fake, language):
    db.server(url(fake, f"version=17/only={db.name}"), language=language)
    assert statuses(db.report(ALL)) <= {"ok", "absent"}
    asked = [method for method, prefix in fake.calls if db.name in prefix and method == "fields_get_at_login"]
    assert len(asked) == (1 if language == "fr_FR" else 0)


# Denied models


DENIED = "version=14/denied=coupon.program"


def test_a_reconcile_leaves_a_denied_model_out(db, fake):
    db.server(url(fake, DENIED))
    db.run(ALL)
    db.run("CALL odoo_sync_job(reconcile => true)")
    assert "dim_promotions: skipped" in db.notices
    assert db.run("SELECT state, last_error IS NULL FROM odoo_sync_status WHERE target = 'dim_promotions'") == [("denied", False)]
    assert db.report("SELECT * FROM odoo_reconcile('promotions')")["dim_promotions"]["status"] == "denied"
    assert db.run("SELECT * FROM odoo_verify('promotions')") == []


def test_all_can_be_verified_and_reconciled(db, fake):
    db.server(url(fake, DENIED))
    db.run(ALL)
    told = db.run("SELECT target, missing + stale + deleted FROM odoo_verify('all')")
    assert {row[1] for row in told} == {0} and "dim_promotions" not in dict(told)
    assert {"dim_products", "all_sales", "fact_purchases"} <= dict(told).keys()
    db.run("DELETE FROM fact_purchases")
    report = db.report("SELECT * FROM odoo_reconcile('all')")
    assert report["fact_purchases"]["inserted"] == 1 and report["dim_promotions"]["status"] == "denied"
    assert statuses(report) <= {"ok", "absent", "denied"}


def test_in_a_reconcile_of_all_one_that_fails_is_undone_alone(db, fake):
    shop = Shop(db, fake, "version=17")
    db.run(ALL)
    db.run("DELETE FROM fact_purchases")
    shop.models["crm.team"].search = None
    report = db.report("SELECT * FROM odoo_reconcile('all')")
    assert report["dim_teams"]["status"] == "failed" and report["fact_purchases"]["inserted"] == 1


# Relations that Odoo does not search


@pytest.mark.parametrize("release", [14, 15, 16, 17])
@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('employees')", "CALL odoo_sync_job('employees')"])
def test_a_relation_that_cannot_be_searched_is_left_out(db, fake, release, statement):
    """As for users without rights on employees where contracts are installed."""
    shop = Shop(db, fake, f"version={release}/unsearchable=hr.employee:contract_ids")
    db.run(statement)
    shop.write("hr.employee", 20, LATER, work_email="new@shop.example")
    db.run(statement)
    assert db.value("SELECT work_email FROM dim_employees WHERE id = 20") == "new@shop.example"
    assert "hr.employee: Odoo cannot search by contract_ids" in db.notices
    assert db.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_employees'") == "idle"
    # It is said once.
    db.connection.notices.clear()
    shop.write("hr.employee", 21, "2030-01-02 00:00:00", work_email="boss@shop.example")
    begin = len(fake.calls)
    db.run(statement)
    assert db.value("SELECT work_email FROM dim_employees WHERE id = 21") == "boss@shop.example"
    assert "cannot search" not in db.notices
    assert faults(fake, db.name, begin) < 20
    (found,) = db.run("SELECT status, detail, hint FROM odoo_check() WHERE item = 'dim_employees'")
    assert found[0] == "warning" and "cannot search by contract_ids" in found[1] and "full refresh" in found[2]


def test_a_relation_that_can_be_searched_again_is_searched_by_after_a_full_refresh(db, fake):
    sync = "SELECT * FROM odoo_sync('employees')"
    shop = Shop(db, fake, "version=17/unsearchable=hr.employee:contract_ids")
    db.run(sync)
    shop.write("hr.employee", 20, LATER)
    db.run(sync)
    shop.behaviour.database.unsearchable = None
    db.run("SELECT * FROM odoo_sync('employees', full_refresh => true)")
    shop.records("hr.contract")[5] = dict(id=5, employee_id=21, write_date="2031-01-01 00:00:00")
    shop.records("hr.employee")[21].update(contract_ids=[5], work_phone="1")
    db.run(sync)
    assert db.value("SELECT work_phone FROM dim_employees WHERE id = 21") == "1"


def test_what_a_relation_told_meanwhile_is_not_lost(db, fake):
    """Nobody else tells of it, and the watermark has gone by."""
    sync = "SELECT * FROM odoo_sync('employees')"
    shop = Shop(db, fake, "version=17/unsearchable=hr.employee:contract_ids")
    db.run(sync)
    shop.write("hr.employee", 20, LATER)
    db.run(sync)
    shop.records("hr.contract")[5] = dict(id=5, employee_id=21, write_date="2029-06-01 00:00:00")
    shop.records("hr.employee")[21].update(contract_ids=[5], work_phone="1")
    an_hour_passes = "UPDATE odoo_etl.cache SET kept_at = kept_at - interval '61 minutes'"
    db.run(an_hour_passes)
    assert db.report(sync)["dim_employees"]["fetched"] == 1
    shop.behaviour.database.unsearchable = None
    db.run(an_hour_passes)
    db.run(sync)
    assert db.value("SELECT work_phone FROM dim_employees WHERE id = 21") == "1"
    assert db.report(sync)["dim_employees"]["fetched"] == 1


@pytest.mark.parametrize("release", range(14, 21))
def test_odoo_is_not_searched_by_what_it_cannot_search(db, fake, release):
    """Releases before 19 write an error to their log and take the condition for met."""
    shop = Shop(db, fake, f"version={release}")
    for _ in range(3):
        db.run(ALL)
    assert shop.behaviour.database.errors == []


@pytest.mark.parametrize("release", [15, 18])
def test_what_a_relation_shows_is_followed_though_it_cannot_be_searched(db, fake, release):
    """The currency of a point of sale is computed."""
    sync = "SELECT * FROM odoo_sync('branches')"
    shop = Shop(db, fake, f"version={release}")
    shop.write("pos.config", 2)
    db.run(sync)
    begin = len(fake.calls)
    assert db.report(sync)["dim_branches"]["updated"] == 0
    assert faults(fake, db.name, begin) < 10
    shop.write("res.currency", 125, LATER, name="XEU")
    db.run(sync)
    assert db.value("SELECT currency FROM dim_branches WHERE id = 2") == "XEU"
    assert shop.behaviour.database.errors == []


def test_rows_are_not_chosen_by_what_odoo_computes(db, fake):
    """It would leave the condition out, and return all."""
    shop = Shop(db, fake, "version=17")
    assert shop.models["pos.order"].fields["currency_id"].get("searchable") is None
    with pytest.raises(psycopg2.Error, match="rows of all_sales cannot be chosen by currency"):
        db.run("SELECT * FROM odoo_live('all_sales', NULL, odoo_domain('currency', '=', 'USD'))")


# Fields that cannot be read of any record


@pytest.mark.parametrize("kind, words", [("broken", "no such property"), ("private", "not available")])
@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('customers')", "CALL odoo_sync_job('customers')"])
def test_a_field_that_fails_in_every_record_is_left_out(db, fake, kind, words, statement):
    shop = Shop(db, fake, f"version=17/{kind}=res.partner:mobile", page_size=4)
    db.run(statement)
    assert db.run("SELECT count(*), count(mobile), count(email) FROM dim_customers") == [(8, 0, 4)]
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0
    assert "res.partner: Odoo cannot read the field mobile" in db.notices
    assert db.value("SELECT state FROM odoo_sync_status WHERE target = 'dim_customers'") == "idle"
    begin = len(fake.calls)
    db.connection.notices.clear()
    shop.write("res.partner", 10, LATER, street="New street")
    db.run(statement)
    assert db.value("SELECT street FROM dim_customers WHERE id = 10") == "New street"
    # Two of them ask for the ranks of all partners.
    assert faults(fake, db.name, begin) < 17 and "cannot read" not in db.notices
    (found,) = db.run("SELECT status, detail FROM odoo_check() WHERE item = 'dim_customers'")
    assert found[0] == "warning" and "cannot read res.partner.mobile" in found[1]
    # Once it can be read, it is read of all.
    setattr(shop.behaviour.database, kind, None)
    db.run("SELECT * FROM odoo_sync('customers', full_refresh => true)")
    assert db.value("SELECT count(mobile) FROM dim_customers") == 1
    assert db.value("SELECT status FROM odoo_check() WHERE item = 'dim_customers'") == "ok"


def test_the_search_for_such_a_field_costs_few_requests(db, fake):
    shop = Shop(db, fake, "version=17/broken=res.partner:mobile")
    partners = shop.records("res.partner")
    partners.update({id: dict(id=id, name=f"Partner {id}", active=True) for id in range(100, 500)})
    begin = len(fake.calls)
    assert db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]["status"] == "ok"
    assert db.value("SELECT count(*) FROM dim_customers") == 408
    assert faults(fake, db.name, begin) < 80


@pytest.mark.parametrize("behaviour, hired", [("version=19", "2015-01-01"), ("version=19/denied=hr.version", None)])
def test_the_first_of_several_contracts_is_not_told_by_the_current_one(db, fake, behaviour, hired):
    """On 19 an employee shows the contract of today, which is another one for whoever was away."""
    db.server(url(fake, behaviour))
    db.run("SELECT * FROM odoo_sync('employees')")
    assert db.value("SELECT hire_date::text FROM dim_employees WHERE id = 20") == hired


def test_such_a_field_beyond_a_relation_is_left_out(db, fake):
    Shop(db, fake, "version=17/private=res.country:code")
    assert statuses(db.report(ALL)) <= {"ok", "absent"}
    assert db.run("SELECT count(*), count(country_code), count(state) FROM dim_customers") == [(8, 0, 1)]
    assert "res.country: Odoo cannot read the field code" in db.notices
    detail = db.value("SELECT detail FROM odoo_check() WHERE item = 'dim_customers'")
    assert "cannot read res.country.code" in detail


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_reconcile('customers')",
                                       "CALL odoo_sync_job('customers', reconcile => true)"])
def test_a_reconcile_does_without_such_a_field(db, fake, statement):
    Shop(db, fake, "version=17/broken=res.partner:mobile")
    db.run(statement)
    assert db.run("SELECT count(*), count(mobile), count(email) FROM dim_customers") == [(8, 0, 4)]
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0


def test_live_rows_do_without_such_a_field(db, fake):
    db.server(url(fake, "version=17/broken=res.partner:mobile/private=res.country:code"))
    assert db.run("SELECT count(*), count(mobile), count(country_code), count(email) FROM odoo_partners()") == [(8, 0, 0, 4)]
    assert "cannot read the field mobile" in db.notices and "cannot read the field code" in db.notices


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('partners')", "CALL odoo_sync_job('partners')"])
def test_a_mirror_does_without_such_a_field_and_keeps_its_values(db, fake, statement):
    shop = Shop(db, fake, "version=17")
    db.run("SELECT * FROM odoo_mirror('res.partner', 'partners')")
    db.run(statement)
    shop.behaviour.database.broken = "res.partner:mobile"
    shop.write("res.partner", 10, LATER, street="New street")
    db.run(statement)
    assert db.run("SELECT street, mobile FROM partners WHERE id = 10") == [("New street", "+1 555 0199")]
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0
    shop.behaviour.database.broken = None
    shop.write("res.partner", 10, "2031-01-01 00:00:00", mobile="+1 555 0200")
    db.run("SELECT * FROM odoo_sync('partners', full_refresh => true)")
    assert db.value("SELECT mobile FROM partners WHERE id = 10") == "+1 555 0200"


def test_two_mirrors_of_a_model_do_without_such_a_field(db, fake):
    Shop(db, fake, "version=17/broken=res.partner:mobile")
    for name in ("one", "two"):
        db.run("SELECT * FROM odoo_mirror('res.partner', %s)", name)
    db.run("CALL odoo_sync_job()")
    assert db.run("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)") == [(8, 8)]
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0
    assert db.run("SELECT DISTINCT state FROM odoo_sync_status WHERE target IN ('one', 'two')") == [("idle",)]


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('customers')", "CALL odoo_sync_job('customers')"])
def test_a_fault_of_the_model_is_the_models(db, fake, statement):
    """As of one whose method takes no such argument."""
    shop = Shop(db, fake, "version=17/odd=res.partner")
    begin = len(fake.calls)
    with pytest.raises(psycopg2.Error, match="unexpected keyword argument|could not sync"):
        db.run(statement)
    assert faults(fake, db.name, begin) < 40
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0


def test_bad_records_are_no_bad_field(db, fake):
    """Not even where most records of a page fail in it."""
    shop = Shop(db, fake, "version=17")
    partners = shop.records("res.partner")
    partners.update({id: dict(id=id, name=f"Partner {id}", active=True) for id in range(100, 120)})
    read = shop.models["res.partner"].read

    def raise_often(ids, fields=(), **options):
        if "mobile" in fields and any(id >= 101 for id in ids):
            raise traceback_of("TypeError: cannot marshal None unless allow_none is enabled")
        return read(ids, fields, **options)

    shop.models["res.partner"].read = raise_often
    report = db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]
    assert (report["status"], report["quarantined"]) == ("partial", 19)
    assert db.value("SELECT mobile FROM dim_customers WHERE id = 10") == "+1 555 0199"
    # They are asked for again and tell nothing of others.
    report = db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]
    assert (report["status"], report["quarantined"]) == ("partial", 19)
    assert db.value("SELECT mobile FROM dim_customers WHERE id = 10") == "+1 555 0199"
