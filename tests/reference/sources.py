"""dbt/models/staging/sources.yml."""

import json

from .tables import holds
from .words import meaning

HEAD = """# Made from the declarations of the warehouse by tests/test_reference.py, which also compares it with them.
#
# What is tested here PostgreSQL keeps by itself, as primary keys, NOT NULL and foreign keys: the tests fail where somebody took
# a constraint away. References without a test are none that the warehouse promises: companies, ids in arrays, days in
# dim_date, where slips of the pen such as the year 20024 have no row, and fact_stock_daily, which outlives what it names.
#
# synced_at is when a row last changed here, so a table that nobody changes in Odoo is old and yet in step. Freshness is
# therefore asked of what a shop adds on every day that it is open, and only warns, after a long weekend; whether the sync itself
# runs is told by lag_seconds of odoo_sync_status.
"""

#: The key of an order in one column, beside its primary key; lines have their order's.
ORDERS, ORDER_KEY = "all_sales", "order_key"


def page(warehouse):
    source = {
        "name": "odoo",
        "description": "Odoo's records, as the extension odoo_etl keeps them in PostgreSQL",
        "schema": "{{ var('odoo_schema', 'public') }}",
        "config": {"loaded_at_field": "synced_at"},
        "tables": [source_table(warehouse, table) for table in warehouse.tables],
    }
    return HEAD + "\n".join(yaml({"version": 2, "sources": [source]})) + "\n"


def source_table(warehouse, table):
    config = {}
    if table.is_optional:
        config = enabled(table)
    elif table.is_fact and table.column("business_date"):
        config = {"freshness": {"warn_after": {"count": 4, "period": "day"}}}
    return present({
        "name": table.name,
        "description": holds(table),
        "config": config,
        "data_tests": tests(table, table_tests(table)),
        "columns": [source_column(warehouse, table, column) for column in table.columns],
    })


def source_column(warehouse, table, column):
    return present({
        "name": column.name,
        "data_type": column.type,
        "description": meaning(warehouse, table, column, with_model=True),
        "data_tests": tests(table, column_tests(table, column)),
    })


def column_tests(table, column):
    """What PostgreSQL keeps true of one column."""
    is_order_key = (table.name, column.name) == (ORDERS, ORDER_KEY)
    if table.key == [column.name] or is_order_key:
        yield "unique", {}
    if column.is_required or is_order_key:
        yield "not_null", {}
    if column.name == ORDER_KEY and not is_order_key:
        yield "relationships", {"to": f"source('odoo', '{ORDERS}')", "field": ORDER_KEY}
    reference = table.reference(column.name)
    if reference and len(reference.columns) == 1:
        yield "relationships", {"to": f"source('odoo', '{reference.table}')", "field": reference.key[0]}


def table_tests(table):
    """The same of several columns together."""
    if len(table.key) > 1:
        yield "unique", {"column_name": joined(table.key)}
    for reference in table.references:
        if len(reference.columns) > 1:
            yield "relationships", {
                "column_name": joined(reference.columns),
                "to": f"source('odoo', '{reference.table}')",
                "field": joined(reference.key),
            }


def joined(columns):
    """A key of several columns as one text, which is NULL where one of them is."""
    return " || '-' || ".join(columns)


def tests(table, found):
    config = enabled(table) if table.is_optional else {}
    bodies = [(name, present({"arguments": arguments, "config": config})) for name, arguments in found]
    return [{name: body} if body else name for name, body in bodies]


def enabled(table):
    """An optional entity is there where the variable of its name says so."""
    return {"enabled": f"{{{{ var('odoo_{table.entity}', false) }}}}"}


def present(pairs):
    return {key: value for key, value in pairs.items() if value}


def yaml(value):
    """Lines of YAML, which takes JSON's strings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                yield f"{key}:"
                yield from (f"  {line}" for line in yaml(inner))
            else:
                yield f"{key}: {scalar(inner)}"
    elif isinstance(value, list):
        for inner in value:
            yield from (f"{'  ' if place else '- '}{line}" for place, line in enumerate(yaml(inner)))
    else:
        yield scalar(value)


def scalar(value):
    is_word = isinstance(value, int) or value.replace("_", "").isalnum()
    return str(value) if is_word else json.dumps(value, ensure_ascii=False)
