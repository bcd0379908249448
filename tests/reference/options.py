"""docs/reference/options.md."""

import re

from ..lab import places
from .words import code, named, row

INTRODUCTION = """# Options and settings

This page lists the options of servers, user mappings and foreign tables, and the settings of the extension. Names, defaults and
limits are read from the code; a test keeps the page true.

"""

#: Where an option may stand, by the name that the code has for it.
PLACES = {
    "server": ("Server options", "Of `CREATE SERVER … FOREIGN DATA WRAPPER odoo_fdw OPTIONS (…)`; `ALTER SERVER … OPTIONS (SET …)` changes "
                                 "them. Every role can read them, so no secret belongs here."),
    "mapping": ("User mapping options", "Of `CREATE USER MAPPING FOR … SERVER … OPTIONS (…)`: a login, and one of the secrets. Only the "
                                        "role that is mapped and superusers can read them."),
    "table": ("Foreign table options", "Of `CREATE FOREIGN TABLE … SERVER … OPTIONS (…)`."),
    "column": ("Foreign column options", "Of a column of a foreign table."),
    "import": ("Import options", "Of `IMPORT FOREIGN SCHEMA odoo FROM SERVER … INTO … OPTIONS (…)`."),
}

#: What the code does not say: the default where it is no number, and the meaning.
MEANING = {
    ("server", "url"): (None, "`https://host[:port][/prefix]`. Redirects are not followed."),
    ("server", "database"): (None, "The name of Odoo's database."),
    ("server", "protocol"): ("auto", "`xmlrpc`, `jsonrpc`, `json2` (Odoo 19 on, API keys only), `web` (passwords only), or `auto` for what "
                                     "suits best: [protocols](../ad_hoc.md#protocols)."),
    ("server", "schema"): ("public", "The schema in which the tables are made. Each server needs its own."),
    ("server", "timezone"): ("UTC", "The time zone of business dates where Odoo has none, such as `Europe/Paris`."),
    ("server", "language"): ("Odoo's source", "The language of translated texts and of the names in `dim_date`, such as `fr_FR`; one that "
                                              "is installed in Odoo."),
    ("server", "companies"): ("all of the user's", "Ids of some of the user's companies, such as `1,3`. The first one is the current one."),
    ("server", "page_size"): ("as many as Odoo answers in about a second", "The records in one read."),
    ("server", "readers"): (None, "The connections to Odoo that a run uses at once."),
    ("server", "overlap"): (None, "The seconds before the last change seen that are read again, for transactions that commit late."),
    ("server", "retries"): (None, "How often a request that failed for a passing reason is made again."),
    ("server", "retry_delay"): (None, "The milliseconds before the first retry. Each one more waits twice as long."),
    ("server", "timeout"): (None, "The seconds until an answer begins, and again until it ends. If Odoo then does not answer a small "
                                  "question either, the run fails."),
    ("server", "ca_file"): ("the system's", "A PEM file of certificate authorities to trust besides. Setting it takes the right to read "
                                            "files on the server, as `COPY` does."),
    ("server", "writable"): ("false", "Whether records of Odoo may be made, changed and deleted. A rollback does not undo that."),
    ("mapping", "login"): (None, "The login of the Odoo user."),
    ("mapping", "password"): ("", "The user's password."),
    ("mapping", "api_key"): ("", "An API key of the user, which Odoo makes in the user's preferences."),
    ("mapping", "api_key_file"): ("", "A file on the database's server that holds the API key. Setting it takes the right to read files "
                                      "there."),
    ("table", "model"): (None, "The model of Odoo."),
    ("table", "archived"): ("true", "Whether archived records are in the table."),
    ("table", "pushdown"): ("true", "`false` keeps conditions on its columns from Odoo."),
    ("column", "field"): ("the column's name", "The field of the model."),
    ("column", "pushdown"): ("true", "`false` keeps conditions on it from Odoo."),
    ("import", "archived"): ("true", "Whether archived records are in the tables."),
    ("import", "computed"): ("false", "Whether fields that Odoo computes when they are read get columns, too."),
    ("import", "binary"): ("false", "Whether binary fields do, as `bytea`."),
}

CONTEXTS = {"user": "everybody, in their session", "superuser": "superusers, and roles with the privilege to set it"}

SETTINGS = """
SELECT name, current_setting(name), vartype, unit, min_val, max_val, enumvals, context, short_desc, extra_desc FROM pg_settings
WHERE name LIKE 'odoo\\_etl.%' AND name <> 'odoo_etl.debug_without' ORDER BY name
"""


def declared():
    """Place, name, whether it is required, and the name of its limits, as the code lists them."""
    source = (places.CHECKOUT / "src/server/options.rs").read_text()
    listed = re.search(r"pub const OPTIONS: &\[Spec\] = &\[(.*?)\n\];", source, re.S)[1]
    for option in re.split(r",\n(?=    \w)", listed):
        place, name = re.search(r'\b(server|mapping|table|column|import)\(\s*"(\w+)"', option).groups()
        limits = re.search(r"(\w+)\.min", option)
        yield place, name, "required(" in option, numbers(source, limits[1]) if limits else {}


def numbers(source, name):
    text = re.search(rf"const {name}: Range = Range {{ (.*?) }};", source)[1]
    return {key: value.replace("_", "") for key, value in re.findall(r"(\w+): ([\d_]+)", text)}


def page(warehouse):
    options = list(declared())
    unknown = {(place, name) for place, name, *_ in options} ^ MEANING.keys()
    assert not unknown, f"tests/reference/options.py and src/server/options.rs do not have the same options: {sorted(unknown)}"
    parts = [section(place, [option for option in options if option[0] == place]) for place in PLACES]
    return INTRODUCTION + "\n".join([*parts, settings(warehouse.db)])


def section(place, options):
    title, about = PLACES[place]
    lines = [f"## {title}", "", about, "", "| option | default | values | meaning |", "|---|---|---|---|"]
    for _, name, is_required, limits in options:
        default, meaning = MEANING[place, name]
        default = "required" if is_required else default if default is not None else code(limits["default"])
        values = f"{limits['min']} to {limits['max']}" if limits else ""
        if re.fullmatch("true|false|auto|public|UTC", default):
            default = code(default)
        lines.append(row(code(name), default, values, meaning))
    return "\n".join(lines) + "\n"


def settings(db):
    db.run("LOAD 'odoo_etl'")
    lines = ["## Settings", "", "Of `SET`, `ALTER ROLE … SET`, `ALTER DATABASE … SET` and `postgresql.conf`. They are known once the "
             "extension's library is loaded, which its first function in a session does.", "",
             "| setting | default | values | who sets it | meaning |", "|---|---|---|---|---|"]
    for name, default, kind, unit, low, high, names, context, short, more in db.run(SETTINGS):
        values = ", ".join(map(code, names)) if names else f"{low} to {high} {unit or ''}".strip() if low else "text"
        about = named(" ".join(text for text in (short, more) if text))
        lines.append(row(code(name), code(default) if default else "empty", values, CONTEXTS[context], about))
    return "\n".join(lines) + "\n"
