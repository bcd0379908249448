"""docs/reference/functions.md."""

import re

from .words import code, named, row

INTRODUCTION = """# Functions

This page lists every function that the extension adds, with its arguments and what it returns. It is made from an installed
extension; a test keeps it true. `\\df+ odoo_*` shows the same in psql.

Arguments that most of them share:

- `server` names the foreign server. It may be left out where the current role may use only one.
- `entity` is a name from the [list of tables](tables.md), `target` the name of a table.
- `domain` says which records, in JSON (`[["state", "=", "paid"]]`) or as Odoo writes it (`[('state', '=', 'paid')]`).
- `max_rows`, `skip_rows` and `order_by` go to Odoo as limit, offset and order. `context` is Odoo's context, in JSON.
- `full_refresh` reads every record again, and finds what was deleted in Odoo.

"""

#: What stands together; the rest comes last.
GROUPS = {
    "Servers and logins": ["odoo_check", "odoo_version", "odoo_connections", "odoo_disconnect", "odoo_disconnect_all", "odoo_forget"],
    "Load the warehouse": ["odoo_sync", "odoo_sync_all", "odoo_sync_job", "odoo_follow", "odoo_wake", "odoo_verify", "odoo_reconcile"],
    "Schedule": ["odoo_schedule", "odoo_unschedule", "odoo_resume"],
    "Choose what is loaded": ["odoo_enable", "odoo_disable", "odoo_mirror", "odoo_mirror_drop", "odoo_add_column", "odoo_drop_column",
                              "odoo_keep_history", "odoo_forget_history"],
    "Large tables": ["odoo_partition", "odoo_retain"],
    "Look at the warehouse": ["odoo_create_reports", "odoo_create_model", "odoo_union", "odoo_drop_reports", "odoo_dashboard", "odoo_sync_chart",
                              "odoo_rate", "odoo_stock_on"],
    "Read from Odoo": ["odoo_models", "odoo_fields", "odoo_search", "odoo_count", "odoo_read"],
    "Rows of the warehouse as Odoo has them now": ["odoo_live", "odoo_pos_orders", "odoo_products", "odoo_partners", "odoo_employees",
                                                   "odoo_stock", "odoo_promotions"],
    "Change records in Odoo": ["odoo_create", "odoo_write", "odoo_unlink", "odoo_call"],
    "Domains": ["odoo_domain"],
}

ABOVE = {
    "Change records in Odoo": "They need the server option [`writable`](options.md#server-options).",
    "Domains": "The type `odoo_domain` takes a domain as text, too. What is no domain is refused before Odoo is asked.",
}

#: Those of operators and of the type itself are called by PostgreSQL.
FUNCTIONS = """
SELECT proname::text, pg_get_function_arguments(oid), pg_get_function_result(oid), prokind = 'p', obj_description(oid, 'pg_proc')
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
AND EXISTS (SELECT FROM pg_depend JOIN pg_extension AS own ON own.oid = refobjid AND extname = 'odoo_etl'
            WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = pg_proc.oid)
AND NOT EXISTS (SELECT FROM pg_type WHERE pg_proc.oid IN (typinput, typoutput))
ORDER BY proname, pg_get_function_identity_arguments(oid)
"""

OPERATORS = """
SELECT oprname::text, oprleft = 0, obj_description(oid, 'pg_operator') FROM pg_operator
WHERE 'odoo_domain'::regtype = oprright ORDER BY oprleft = 0, oprname
"""

TYPES = """
SELECT typname::text, obj_description(oid, 'pg_type') FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND obj_description(oid, 'pg_type') IS NOT NULL ORDER BY typname
"""


def page(warehouse):
    functions = {}
    for name, *rest in warehouse.db.run(FUNCTIONS):
        functions.setdefault(name, []).append(rest)
    grouped = [name for names in GROUPS.values() for name in names]
    others = [name for name in functions if name not in grouped]
    groups = {**GROUPS, **({"Others": others} if others else {})}
    parts = [INTRODUCTION + contents(groups)]
    for group, names in groups.items():
        parts.append("\n".join([f"## {group}", "", *([ABOVE[group], ""] if group in ABOVE else [])]))
        parts += [section(name, functions[name]) for name in names]
    return "\n".join([*parts, operators(warehouse.db), types(warehouse.db)])


def contents(groups):
    lines = [f"- {group}: {', '.join(f'[`{name}`](#{name})' for name in names)}" for group, names in groups.items()]
    return "\n".join(lines) + "\n"


def section(name, variants):
    lines = [f"### {name}", ""]
    for arguments, result, is_procedure, about in variants:
        call = f"{'CALL ' if is_procedure else ''}{name}({plain(arguments)})"
        lines += ["```", *wrapped(call), "```", "", f"{sentence(about)}{returned(result)}", ""]
    return "\n".join(lines)


def plain(arguments):
    """Without the types that PostgreSQL writes behind defaults, and the word for arguments that go in."""
    return re.sub(r"(DEFAULT [^,]+?)::[a-z_ ]+(\[\])?(?=,|$)", r"\1", re.sub(r"(^|, )IN ", r"\1", arguments))


def wrapped(call, width=118):
    """A line, or one for each argument."""
    if len(call) <= width:
        return [call]
    head, _, rest = call.partition("(")
    arguments = rest.removesuffix(")").split(", ")
    return [f"{head}(", *(f"    {argument}{',' if place < len(arguments) else ''}" for place, argument in enumerate(arguments, 1)), ")"]


def sentence(about):
    """A comment of the database as a sentence."""
    about = named(about or "")
    return f"{about[:1].upper()}{about[1:]}."


def returned(result):
    if result is None or result == "void":
        return ""
    if table := re.match(r"TABLE\((.*)\)$", result):
        columns = [column.partition(" ") for column in table[1].split(", ")]
        return " Returns rows of " + ", ".join(f"`{name}` {kind}" for name, _, kind in columns) + "."
    if many := re.match(r"SETOF (.*)", result):
        return f" Returns rows of {code(many[1])}."
    return f" Returns {code(result)}."


def operators(db):
    lines = ["| operator | gives |", "|---|---|"]
    for name, is_prefix, about in db.run(OPERATORS):
        shown = f"{name} domain" if is_prefix else f"domain {name} domain"
        lines.append(row(*(cell.replace("|", "\\|") for cell in (code(shown), about))))
    return "\n".join(lines) + "\n"


def types(db):
    lines = ["## Types", "", "| type | is |", "|---|---|"]
    lines += [row(code(name), named(about)) for name, about in db.run(TYPES)]
    return "\n".join(lines) + "\n"
