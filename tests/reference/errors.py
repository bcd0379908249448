"""docs/reference/errors.md."""

from .causes import GROUPS
from .messages import messages
from .words import code, row

INTRODUCTION = """# Errors

This page lists every error and warning that odoo_etl raises, by its message, with the cause and what to do. The messages and
codes (SQLSTATE) are read from the code, and a test fails where one is missing here. `…` stands for what is filled in. Most
errors have a DETAIL with the facts and a HINT with the statement that helps; `\\errverbose` shows the last one whole.

Errors that are not here are PostgreSQL's own, such as a constraint that a trigger of yours breaks. In `odoo_sync_log` and
`odoo_sync_status`, `error` and `last_error` have the message, `sqlstate` and `last_sqlstate` the code.

"""


def page(_warehouse):
    found = messages()
    explained = [message for group in GROUPS.values() for message in group]
    missing, gone = found.keys() - set(explained), set(explained) - found.keys()
    assert not missing, f"tests/reference/causes does not explain: {sorted(missing)}"
    assert not gone, f"tests/reference/causes explains what the code no longer says: {sorted(gone)}"
    assert len(set(explained)) == len(explained)
    return INTRODUCTION + "\n".join(section(title, group, found) for title, group in GROUPS.items())


def section(title, group, found):
    lines = [f"## {title}", "", "| message | code | cause | what to do |", "|---|---|---|---|"]
    for message, (cause, cure) in group.items():
        codes = ", ".join(map(code, found[message])) or "that of its cause"
        lines.append(row(*(cell.replace("|", "\\|") for cell in (code(message), codes, cause, cure))))
    return "\n".join(lines) + "\n"
