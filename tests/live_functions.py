"""What the functions that read live say otherwise than the tables that they stand for."""

#: Function, table, and which of the table's rows it gives without filters.
FUNCTIONS = [
    ("odoo_pos_orders", "all_sales", "channel = 'pos'"),
    ("odoo_products", "dim_products", "true"),
    ("odoo_partners", "dim_customers", "true"),
    ("odoo_employees", "dim_employees", "true"),
    ("odoo_stock", "fact_stock", "true"),
    ("odoo_promotions", "dim_promotions", "true"),
]


def drift(db, function, table, which, arguments=""):
    """The rows that only one of them has."""
    columns = db.value(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = %s::regclass "
        "AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('deleted_at', 'synced_at')", table)
    loaded = f"SELECT {columns} FROM {table} WHERE {which}"
    live = f"SELECT * FROM {function}({arguments})"
    return db.run(f"({live} EXCEPT ALL {loaded}) UNION ALL ({loaded} EXCEPT ALL {live})")
