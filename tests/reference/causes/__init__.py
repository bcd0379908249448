"""The cause of every message, and what to do, by hand: a file for each part of the extension."""

from . import asking, foreign, loading, odoo, scale, users

#: Groups of messages, in the order of the page.
GROUPS = {**odoo.GROUPS, **loading.GROUPS, **scale.GROUPS, **users.GROUPS, **asking.GROUPS, **foreign.GROUPS}
