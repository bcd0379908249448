"""Users of few rights: what they import can be selected whole."""

import xmlrpc.client

import pytest

#: What a shop's analyst imports.
TABLES = ["product_product", "product_template", "res_partner", "pos_order", "pos_order_line", "pos_session", "pos_payment",
          "sale_order", "sale_order_line", "purchase_order", "stock_quant", "stock_move", "account_move"]

#: Users by the group that they are in besides the employees', and a table that this lets them read.
USERS = {
    "employee": ("base.group_user", "res_partner"),
    "cashier": ("point_of_sale.group_pos_user", "pos_payment"),
    "storekeeper": ("stock.group_stock_user", "stock_move"),
    "seller": ("sales_team.group_sale_salesman_all_leads", "sale_order_line"),
    "bookkeeper": ("account.group_account_invoice", "account_move"),
}


def id_of(api, name):
    module, name = name.split(".")
    return api("ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], fields=["res_id"])[0]["res_id"]


def made(api, login, group):
    groups = [id_of(api, "base.group_user"), id_of(api, group)]
    return api("res.users", "create", [
        {"name": login.title(), "login": f"{login}.imports", "password": f"{login}-secret", "group_ids": [(6, 0, groups)]}])[0]


def may_read(real, uid, login, table):
    """By Odoo's own word."""
    odoo = xmlrpc.client.ServerProxy(f"{real.url}/xmlrpc/2/object")
    try:
        odoo.execute_kw(real.database, uid, f"{login}-secret", table.replace("_", "."), "search", [[]], {"limit": 1})
    except xmlrpc.client.Fault as fault:
        assert fault.faultCode == 4
        return False
    return True


@pytest.mark.parametrize("login", USERS)
def test_what_is_imported_can_be_selected(db, real, api, login):
    group, own = USERS[login]
    uid = made(api, login, group)
    tables = [table for table in TABLES if may_read(real, uid, login, table)]
    assert own in tables
    db.run(f"CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url '{real.url}', database '{real.database}')")
    db.run(f"CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login '{login}.imports', password '{login}-secret')")
    db.run("CREATE SCHEMA live")
    db.run(f"IMPORT FOREIGN SCHEMA odoo LIMIT TO ({', '.join(tables)}) FROM SERVER erp INTO live")
    # In one transaction, so that one login serves all.
    db.connection.autocommit = False
    rows = {table: len(db.run(f"SELECT * FROM live.{table}")) for table in tables}
    counts = {table: db.value(f"SELECT count(*) FROM live.{table}") for table in tables}
    db.connection.rollback()
    db.connection.autocommit = True
    assert rows == counts and rows["product_product"] > 0
    found = db.run("SELECT item, detail FROM odoo_check() WHERE item LIKE 'live.%' AND status <> 'ok'")
    assert found == []
