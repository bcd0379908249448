"""Functions and reports."""

FUNCTIONS = {
    "… must not be NULL": ("An argument is NULL that may not be.", "Give it a value."),
    "… must not be negative": ("`max_rows` or `skip_rows` is below zero.", "Give a number from 0 on, or NULL."),
    "… must be a JSON object": ("The argument is JSON of another kind.", "Write it as `{\"lang\": \"fr_FR\"}`."),
    "args must be a JSON array": ("`args` of `odoo_call` is JSON of another kind.", "Write it as `[1, \"two\"]`."),
    "context in kwargs must be a JSON object": ("`kwargs` has a member `context` of another kind.", "Write it as `{\"context\": {}}`."),
    "ids in kwargs must be a JSON array of integers": ("`kwargs` has a member `ids` of another kind.", "Write it as `{\"ids\": [1, 2]}`."),
    "field_values must be a JSON object, or an array of objects": (
        "`field_values` is JSON of another kind.", "Write it as `{\"name\": \"Tea\"}`."),
    'model … has no field "…", or none that the Odoo user may read': (
        "The field's name is wrong, or Odoo's rights hide it. The HINT names similar ones.",
        "`SELECT * FROM odoo_fields('…')` lists the fields."),
    "invalid domain: …": (
        "The text is no domain; the DETAIL marks the place.",
        "Write JSON, `[[\"state\", \"=\", \"paid\"]]`, or as Odoo does, `[('state', '=', 'paid')]`."),
    "a domain is text in UTF-8": ("The database has another encoding.", "Use a database with the encoding UTF8."),
    "Odoo has no such time": ("Odoo's times lie in the years 1 to 9999.", "Leave out the condition instead of asking for infinity."),
    '"…" is no table of the warehouse': (
        "No table that a sync fills has that name. The HINT lists those that there are.",
        "Correct the name."),
    "rows of … cannot be chosen by …": (
        "The column is made in the warehouse, or Odoo computes it and does not search by it.",
        "Choose by another column, or read all rows and choose in SQL."),
    "the stock of … is not known": (
        "The day lies before the first day of `fact_stock_daily`, and `fact_stock_moves` is empty.",
        "Sync `stock` and `stock_moves`."),
}

REPORTS = {
    'schema "…" does not exist': (
        "`odoo_dashboard` found no schema of reports.",
        "`SELECT odoo_create_reports('reports')`."),
    '"…" is no period': ("`period` is `day`, `week` or `month`.", "Leave it NULL to have one chosen."),
    "… is another report": (
        "The schema holds the reports of another server, or views of all servers. The DETAIL has the view's comment.",
        "Name another schema."),
    'no server has a table "…"': (
        "`odoo_union` found no table of that name in the schema of any server that the role may use.",
        "Correct the name, or run a sync first."),
    'schema "…" is not for reports': (
        "The schema holds the extension, or the tables of the warehouse.",
        "Name one of their own."),
    'schema "…" has no reports of odoo_etl': (
        "No view there ends its comment as the reports do.",
        "`\\dv+` shows the comments."),
}

GROUPS = {"Functions": FUNCTIONS, "Reports and the page": REPORTS}
