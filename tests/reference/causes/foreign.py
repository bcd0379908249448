"""Foreign tables."""

TABLES = {
    'schema "…" does not exist in Odoo': ("Odoo has no schemas.", "`IMPORT FOREIGN SCHEMA odoo …`."),
    'Odoo has no model for the table "…"': (
        "A table is named as its model, with underscores for dots; the module may not be installed.",
        "Write `pos_order` for `pos.order`."),
    "the Odoo user may not read the … … of …": (
        "A field was read before that the user may not read any more.",
        "Give the Odoo user a group, or drop the columns: the HINT has the statement."),
    "model … has other fields than when the statement was planned": (
        "Odoo's module was changed between the planning and the run of a statement.",
        "Run it again; `odoo_check()` tells which foreign tables need a change."),
    "Odoo's value for the column \"…\" is not base64": (
        "The column is `bytea`, and Odoo gives a text that is no file, such as a size.",
        "Make the column `text`."),
    "the column that shows the id cannot be written": (
        "Odoo gives ids to its records itself.",
        "`INSERT … RETURNING id` tells the id that a record got."),
    'foreign table "…" has no column for the id': (
        "Without it, the record to change is not known.",
        "`ALTER FOREIGN TABLE … ADD COLUMN id bigint`."),
    "the column … of foreign table … holds no integers": (
        "The column that shows the id has another type.",
        "`ALTER FOREIGN TABLE … ALTER COLUMN id TYPE bigint`."),
    "Odoo made … records of … rows": (
        "A method of Odoo made another number of records than it was asked for. They stay.",
        "Look at the module that changes `create` of the model."),
    "Odoo did not change records of …": ("Odoo answered `False` to the write.", "Look at the module that changes the model."),
    'field "…" does not take the value of its column': (
        "The column's type does not fit the field.",
        "`IMPORT FOREIGN SCHEMA` gives columns the types that fit."),
    'field "…" takes dates of the years 1 to 9999': ("Odoo has no others, and no infinity.", "Write NULL instead."),
    'field "…" does not take the number …': ("Odoo's numbers are finite double precision ones.", "Write NULL instead of NaN."),
    "COPY and partitions are not supported by odoo_fdw, as for …": (
        "Rows come to a foreign table by `INSERT` only.",
        "`INSERT INTO … SELECT …`."),
    "INSERT with an ON CONFLICT clause is not supported by odoo_fdw": (
        "Odoo has no such operation.",
        "`UPDATE` what is there and `INSERT` the rest."),
    "a foreign table of odoo_fdw cannot be changed WITH CHECK OPTION": (
        "PostgreSQL could not check what Odoo makes of a row.",
        "Use a view without the option."),
    'the trigger "…" is not supported by odoo_fdw': (
        "What a trigger `BEFORE … FOR EACH ROW` changes would not reach Odoo.",
        "Use a trigger `AFTER`, or one on a view of the table."),
    "Odoo cannot pick the rows of … in PostgreSQL's place": (
        "This is a fault of the extension.",
        "`ALTER FOREIGN TABLE … OPTIONS (ADD pushdown 'false')` helps; please report it."),
    "a plan of odoo_fdw cannot be read: …": ("This is a fault of the extension.", "Report it with the statement."),
    "the groups of a foreign table are not known, and its plan has no other way to them": (
        "This is a fault of the extension.", "Report it with the statement."),
    "a row of the foreign table … has no id": ("This is a fault of the extension.", "Report it with the statement."),
    "a foreign table was not prepared before it was changed": ("This is a fault of the extension.", "Report it with the statement."),
    "a foreign table was not sized before it was planned": ("This is a fault of the extension.", "Report it with the statement."),
}

GROUPS = {"Foreign tables": TABLES}
