"""Rows for COPY: ids go on from those of the table, and its sequence goes on behind them."""

import subprocess
from collections import defaultdict

from .. import places

#: The administrator: whose tills these are, and who made and changed the rows.
USER = 2


class Copy:
    def __init__(self, server, tables):
        """The tables are filled in their order."""
        self.server, self.tables = server, tables
        self.rows, self.columns = defaultdict(list), {}
        self.next, self.after = {}, []

    def value(self, sql):
        return self.server.cluster.sql(sql, self.server.database)

    def add(self, table, created, changed, **values):
        """The id of a new row. All rows of a table have the same columns."""
        if table not in self.next:
            self.next[table] = int(self.value(f"SELECT coalesce(max(id), 0) + 1 FROM {table}"))
        id = self.next[table]
        self.next[table] += 1
        self.link(table, id=id, create_uid=USER, write_uid=USER, create_date=created, write_date=changed, **values)
        return id

    def link(self, table, **values):
        """A row of a table without ids of its own."""
        columns = self.columns.setdefault(table, list(values))
        assert columns == list(values), (table, columns, list(values))
        self.rows[table].append("\t".join(map(text, values.values())) + "\n")

    def say(self, sql):
        """A statement after the rows."""
        self.after.append(sql)

    def number(self, code):
        """The next number of one of Odoo's sequences."""
        return int(self.value(f"SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM {self.sequence(code)}"))

    def go_on(self, code, number):
        self.say(f"SELECT setval('{self.sequence(code)}', {number}, false)")

    def sequence(self, code):
        return "ir_sequence_" + self.value(f"SELECT lpad(min(id)::text, 3, '0') FROM ir_sequence WHERE code = '{code}'")

    def run(self):
        # Foreign keys are not looked up a million times: what the rows refer to was made with them.
        parts = ["BEGIN;\nSET LOCAL session_replication_role = replica;\n"]
        for table in filter(self.rows.get, self.tables):
            parts += [f"COPY {table} ({', '.join(self.columns[table])}) FROM STDIN;\n", *self.rows[table], "\\.\n"]
        parts += [f"SELECT setval('{table}_id_seq', {id}, false);\n" for table, id in self.next.items()]
        parts += [f"{statement};\n" for statement in self.after] + ["COMMIT;\nANALYZE;\n"]
        command = [*self.server.cluster.psql(self.server.database), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(command, input="".join(parts), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=places.service_environment())
        if done.returncode != 0:
            raise RuntimeError(f"Odoo's database did not take the shop: {done.stdout[-3000:]}")


def text(value):
    """A value as COPY reads it."""
    if value is None:
        return "\\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def money(cents):
    return f"{cents / 100:.2f}"


def listed(ids):
    return ", ".join(map(str, ids))
