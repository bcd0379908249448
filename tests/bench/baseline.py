"""What a data team would write: lines by xmlrpc.client into a table by pandas and SQLAlchemy.

A program of its own, in an environment of its own; it uses nothing of these tests.
    baseline.py URL DATABASE USER_ID PASSWORD PAGE_SIZE POSTGRES TABLE
Says how many seconds it took, without its imports."""

import sys
import time
import xmlrpc.client

import pandas
import sqlalchemy

#: Odoo's fields, and the columns of the table.
COLUMNS = {
    "id": "id",
    "order_id": "order_id",
    "product_id": "product_id",
    "reward_id": "promotion_id",
    "qty": "quantity",
    "product_uom_id": "uom",
    "price_unit": "price_unit",
    "discount": "discount_percent",
    "price_subtotal": "subtotal",
    "price_subtotal_incl": "total",
    "total_cost": "cost",
    "refunded_orderline_id": "refunded_line_id",
    "is_reward_line": "is_reward",
    "sale_order_line_id": "settles_line_id",
    "write_date": "odoo_write_date",
}
DOMAIN = [("order_id.state", "in", ("paid", "done", "invoiced"))]
REFERENCES = ["order_id", "product_id", "promotion_id", "refunded_line_id", "settles_line_id"]


def main(url, database, user, password, page_size, postgres, table):
    server = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object", allow_none=True)

    def call(model, method, *args, **kwargs):
        return server.execute_kw(database, int(user), password, model, method, args, kwargs)

    engine = sqlalchemy.create_engine(postgres)
    units = {unit["id"]: unit["name"] for unit in call("uom.uom", "search_read", [], fields=["name"])}
    programs = {
        reward["id"]: reward["program_id"]
        for reward in call("loyalty.reward", "search_read", [], fields=["program_id"], load="")
    }
    ids = call("pos.order.line", "search", DOMAIN, order="id")
    fields = [*COLUMNS, "is_total_cost_computed"]
    for begin in range(0, len(ids), int(page_size)):
        page = ids[begin : begin + int(page_size)]
        frame = pandas.DataFrame(call("pos.order.line", "read", page, fields=fields, load=""))
        frame.loc[~frame["is_total_cost_computed"], "total_cost"] = None
        frame = frame.rename(columns=COLUMNS)[list(COLUMNS.values())]
        frame["uom"] = frame["uom"].map(units)
        frame["promotion_id"] = frame["promotion_id"].map(programs)
        for column in REFERENCES:
            # Odoo says False where there is none.
            frame[column] = frame[column].replace(False, None).astype("Int64")
        frame["odoo_write_date"] = pandas.to_datetime(frame["odoo_write_date"], utc=True)
        frame.to_sql(table, engine, if_exists="append", index=False)
    engine.dispose()


if __name__ == "__main__":
    begin = time.perf_counter()
    main(*sys.argv[1:])
    print(time.perf_counter() - begin)
