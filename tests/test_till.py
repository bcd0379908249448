"""The money of the points of sale: what changes without telling so, what is not counted, what may not be read."""

import pytest

from .conftest import url
from .test_in_step import Shop

ALL = "SELECT * FROM odoo_sync_all()"
LATER, LATER_YET = "2030-01-01 00:00:00", "2030-01-01 00:00:01"
OF_ORDER = "SELECT array_agg(id ORDER BY id) FROM fact_payments WHERE order_id = %s"


@pytest.fixture(params=[14, 19])
def till(request, db, fake):
    return Shop(db, fake, f"version={request.param}", overlap=0)


@pytest.fixture
def cards(db, fake):
    return Shop(db, fake, "version=19", overlap=0)


def cash_of(db, session):
    return db.run("SELECT opening_cash, expected_closing_cash, counted_closing_cash, cash_difference "
                  "FROM fact_sessions WHERE id = %s", session)[0]


def test_what_an_open_session_expects_follows_in_every_run(db, till):
    """A payment is another record's change, and a cash move that is taken back nobody's."""
    till.write("pos.session", 52, LATER)
    db.run(ALL)
    till.records("pos.session")[51]["cash_register_balance_end"] = 54.5
    till.records("pos.session")[52]["cash_register_balance_end"] = 4711.0
    report = db.report(ALL)["fact_sessions"]
    assert (report["fetched"], report["updated"]) == (2, 2), "the last change seen is read again"
    assert cash_of(db, 51) == (100, 54.5, None, None)
    assert db.report(ALL)["fact_sessions"]["updated"] == 0


def test_a_settled_session_is_not_read_again(db, till):
    till.write("pos.session", 51, LATER, state="closed", stop_at=LATER, cash_register_balance_end_real=93.0)
    db.run(ALL)
    assert cash_of(db, 51) == (100, 94, 93, -1)
    till.records("pos.session")[52]["cash_register_balance_end"] = 4711.0
    db.run(ALL)
    assert cash_of(db, 52) == (50, 74, 73.5, -0.5)


@pytest.mark.parametrize("state", ["opening_control", "opened", "closing_control"])
def test_until_it_is_closed_nothing_is_counted(db, till, state):
    """Odoo has a zero there, which would be a loss of all that is expected."""
    till.records("pos.session")[51]["state"] = state
    db.run(ALL)
    assert cash_of(db, 51) == (100, 94, None, None)
    till.write("pos.session", 51, LATER, state="closed", cash_register_balance_end_real=94.0)
    db.run(ALL)
    assert cash_of(db, 51) == (100, 94, 94, 0)


def test_a_session_that_is_gone(db, till):
    db.run(ALL)
    till.records("pos.session")[99] = {**till.records("pos.session")[51], "id": 99, "state": "opening_control", "write_date": LATER}
    db.run(ALL)
    till.records("pos.session").pop(99)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('sessions')") == [(0, 0, 1)]
    assert db.report("SELECT * FROM odoo_reconcile('sessions')")["fact_sessions"]["deleted"] == 1


def test_payments_come_and_go_with_their_orders(db, till):
    """Theirs are the dates of drafts; only the order tells."""
    db.run(ALL)
    assert db.value(OF_ORDER, 73) is None, "a draft"
    till.write("pos.order", 73, LATER, state="paid")
    assert db.report(ALL)["fact_payments"]["inserted"] == 1
    assert db.value(OF_ORDER, 73) == [94]
    till.write("pos.order", 73, LATER_YET, state="cancel")
    assert db.report(ALL)["all_sales"]["deleted"] == 1
    assert db.value(OF_ORDER, 73) is None and db.value("SELECT count(*) FROM fact_payments WHERE id = 94") == 0


@pytest.mark.parametrize("statement", ["SELECT * FROM odoo_sync('payments')", "CALL odoo_sync_job('payments')"])
def test_payments_alone_are_the_same(db, till, statement):
    """They bring their orders, sessions and methods along."""
    db.run(statement)
    assert db.run("SELECT count(*), count(order_id), count(branch_id), count(session_id), count(payment_method_id) FROM fact_payments") == [
        (5, 5, 5, 5, 5)]
    till.write("pos.order", 71, LATER, state="cancel")
    db.run(statement)
    assert db.value("SELECT count(*) FROM fact_payments WHERE id IN (91, 92, 93)") == 0
    db.run(ALL)
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('payments')") == [(0, 0, 0)]


def test_a_payment_by_another_means_takes_the_place_of_the_first(db, till):
    """As Odoo edits the payments of an order: deleted, and made anew."""
    db.run(ALL)
    payments = till.records("pos.payment")
    payments.pop(91)
    payments[97] = {"id": 97, "pos_order_id": 71, "session_id": 51, "payment_method_id": 2, "amount": 5.0, "write_date": LATER}
    till.write("pos.order", 71, LATER)
    report = db.report(ALL)["fact_payments"]
    assert (report["inserted"], report["deleted"]) == (1, 1)
    assert db.value(OF_ORDER, 71) == [92, 93, 97]


def test_an_order_that_changes_its_branch_takes_its_payments_along(db, till):
    db.run(ALL)
    till.write("pos.order", 71, LATER, config_id=5, session_id=52)
    for payment in (91, 92, 93):
        till.records("pos.payment")[payment]["session_id"] = 52
    db.run(ALL)
    found = "SELECT DISTINCT branch_id, session_id FROM fact_payments WHERE order_id = 71"
    assert db.run(found) == [(5, 52)]


def test_an_order_that_is_gone_takes_its_payments_along(db, till):
    db.run(ALL)
    orders, payments = till.records("pos.order"), till.records("pos.payment")
    orders.pop(71)
    for payment in (91, 92, 93):
        payments.pop(payment)
    for entity in ("sales", "payments"):
        db.run(f"SELECT * FROM odoo_reconcile('{entity}')")
    assert db.value("SELECT count(*) FROM fact_payments WHERE id IN (91, 92, 93)") == 0
    assert db.run("SELECT missing, stale, deleted FROM odoo_verify('payments')") == [(0, 0, 0)]


@pytest.mark.parametrize("denied, table, column", [
    ("pos.payment.method", "dim_payment_methods", "payment_method_id"), ("pos.session", "fact_sessions", "session_id"),
    ("pos.payment", "fact_payments", None)])
def test_a_user_who_may_not_read_some_of_it_gets_the_rest(db, fake, denied, table, column):
    db.server(url(fake, f"version=19/denied={denied}"))
    report = db.report(ALL)
    assert {name for name, row in report.items() if row["status"] == "denied"} == {table}
    if column:
        assert db.run(f"SELECT count(*), count({column}), sum(amount) FROM fact_payments") == [(5, 0, 23)]
        told = db.run("SELECT DISTINCT odoo_model, last_error FROM missing_data WHERE target = 'fact_payments' AND resolved_at IS NULL")
        assert [model for model, _ in told] == [denied] and "not allowed" in told[0][1]


def test_without_points_of_sale_the_tables_are_empty(db, fake):
    shop = Shop(db, fake, "version=19")
    for model in ("pos.payment", "pos.payment.method", "pos.category", "loyalty.card", "loyalty.history"):
        del shop.models[model]
    report = db.report(ALL)
    tables = ("dim_payment_methods", "fact_payments", "dim_pos_categories", "dim_loyalty_cards", "fact_loyalty")
    assert {report[table]["status"] for table in tables} == {"absent"}
    assert {db.value(f"SELECT count(*) FROM {table}") for table in tables} == {0}


def test_a_category_whose_parent_is_renamed_has_another_path(db, till):
    db.run(ALL)
    till.write("pos.category", 6, LATER, name="Beverages", display_name="Beverages")
    till.records("pos.category")[4]["display_name"] = "Beverages / Tea"
    db.run(ALL)
    assert db.value("SELECT complete_name FROM dim_pos_categories WHERE id = 4") == "Beverages / Tea"


def test_cash_that_nobody_counts(db, fake):
    """Until 15 a point of sale may take cash and not count it. Odoo has zeros then, and what it expects."""
    shop = Shop(db, fake, "version=14", overlap=0)
    shop.records("pos.config")[5]["cash_control"] = False
    dated = shop.records("pos.session")[52].get("write_date")
    db.run(ALL)
    assert db.run("SELECT opening_cash, counted_closing_cash, expected_closing_cash, cash_difference FROM fact_sessions "
                  "WHERE id = 52") == [(None,) * 4]
    assert db.value("SELECT opening_cash FROM fact_sessions WHERE id = 51") == 100
    # Nothing was asked for that has Odoo write the session.
    assert shop.records("pos.session")[52].get("write_date") == dated


def test_history_that_a_cancelled_order_takes_from_a_card(db, cards):
    """Odoo deletes the line, and gives the card its points back."""
    db.run(ALL)
    cards.records("loyalty.history").pop(9)
    cards.write("loyalty.card", 5, LATER, points=20.0)
    report = db.report(ALL)
    assert (report["dim_loyalty_cards"]["updated"], report["fact_loyalty"]["deleted"]) == (1, 1)
    assert db.run("SELECT c.points, sum(h.points_left) FROM dim_loyalty_cards c JOIN fact_loyalty h ON h.card_id = c.id "
                  "WHERE c.id = 5 GROUP BY 1") == [(20, 20)]


def test_a_gift_card_of_15_is_worth_less_when_it_was_paid_with(db, fake):
    """Its balance is computed from lines of orders."""
    shop = Shop(db, fake, "version=15", overlap=0)
    db.run(ALL)
    shop.records("gift.card")[5]["balance"] = 2.5
    shop.write("pos.order.line", 82, LATER)
    db.run(ALL)
    assert db.value("SELECT points FROM dim_loyalty_cards WHERE id = 5") == 2.5


def test_a_program_of_another_company_takes_its_cards_along(db, cards):
    db.run(ALL)
    cards.write("loyalty.program", 2, LATER, company_id=3)
    cards.records("loyalty.card")[5]["company_id"] = 3
    db.run(ALL)
    assert db.value("SELECT company_id FROM dim_loyalty_cards WHERE id = 5") == 3


def test_tables_that_a_warehouse_of_before_lacks_come_with_the_next_run(db, till):
    """Filled with all that there is, though all else is in step."""
    db.run(ALL)
    db.run("DROP TABLE fact_payments, fact_sessions, dim_payment_methods, dim_pos_categories, dim_loyalty_cards, fact_loyalty CASCADE")
    db.run("CALL odoo_sync_job()")
    for table, rows in (("fact_payments", 5), ("fact_sessions", 3), ("dim_payment_methods", 4), ("dim_pos_categories", 2)):
        assert db.value(f"SELECT count(*) FROM {table}") == rows, table
    assert db.run("SELECT target FROM odoo_verify('all') WHERE missing + stale + deleted > 0") == []
