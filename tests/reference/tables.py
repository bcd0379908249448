"""docs/reference/tables.md."""

from ..test_versions import RELEASES
from .warehouse import OF_OTHERS
from .words import code, meaning, named, row, when

INTRODUCTION = """# Tables and columns

This page lists every table that a sync makes, with every column: its type, the field of Odoo that it comes from, and the
table that it refers to. It is made from the declarations in `src/warehouse`; a test keeps it true. In the database,
`\\d+ dim_products` shows the same comments, and `SELECT * FROM odoo_columns` the fields that your own Odoo has.

- Fields are named from the table's model on: `partner_id.country_id.code` is the code of the country of the partner.
- Where releases of Odoo differ, the releases stand behind the field. In a release that is not named, the column is NULL.
- `a`, else `b` are two values: the second one counts where the first is empty. `type=product` is true where `type` is
  `product`, `customer_rank>0` where the number is positive, `scrap_id>0` where there is a record.
- `pos:` and `sale:` say what holds for rows of the points of sale and for those of sale orders.
- A *generated* column is computed by PostgreSQL from the other columns of its row.
- References are foreign keys. The column is NULL where Odoo has no record or does not give it; see
  [`missing_data`](#missing_data).

![The tables and how they refer to one another](../images/warehouse.svg)

"""


def page(warehouse):
    parts = [INTRODUCTION + contents(warehouse)]
    parts += [section(warehouse, table) for table in warehouse.tables]
    return "\n".join(parts)


def contents(warehouse):
    lines = ["| table | entity | holds |", "|---|---|---|"]
    for table in warehouse.tables:
        entity = f"`{table.entity}`" if table.entity else "every run"
        optional = " (off until it is turned on)" if table.is_optional else ""
        lines.append(f"| [`{table.name}`](#{table.name}) | {entity} | {holds(table)}{optional} |")
    return "\n".join(lines) + "\n"


def holds(table):
    return named(table.about.partition(" (Odoo: ")[0])


def section(warehouse, table):
    lines = [f"## {table.name}", "", f"{holds(table)}.", "", f"{source(warehouse, table)} Primary key: {keys(table.key)}.", ""]
    lines += ["| column | type | from Odoo | refers to |" if table.entity else "| column | type | what it is |"]
    lines += ["|---|---|---|---|" if table.entity else "|---|---|---|"]
    for column in table.columns:
        cells = [code(column.name), column.type, meaning(warehouse, table, column).replace("|", "\\|")]
        if table.entity:
            reference = table.reference(column.name)
            cells.append(f"[`{reference.table}`](#{reference.table})" if reference else "")
        lines.append(row(*cells))
    return "\n".join(lines) + "\n"


def keys(names):
    return ", ".join(map(code, names))


def source(warehouse, table):
    """Where its rows come from."""
    if not table.entity:
        return "It is made and kept by runs; no model of Odoo fills it."
    models = []
    for channel in warehouse.channels(table):
        releases = warehouse.releases(table.name, channel)
        by_model = {}
        for release in reversed(releases):
            by_model.setdefault(warehouse.path(release, table.name, channel, "id")[0], []).append(release)
        everywhere = releases if table.name in OF_OTHERS else RELEASES
        parts = [code(model) + when(group, everywhere) for model, group in by_model.items()]
        models.append(", ".join(parts) + (f" as channel `{channel}`" if channel else ""))
    optional = f" The table is there once `SELECT odoo_enable('{table.entity}')` was called." if table.is_optional else ""
    return f"Entity `{table.entity}`; from {' and '.join(models)}.{optional}"
