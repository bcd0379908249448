"""Queries over one table, made at random: what a WHERE clause may hold, on values that the table has."""

import datetime
import decimal

TYPES = {
    "boolean": "boolean",
    "bigint": "integer",
    "numeric": "numeric",
    "text": "text",
    "date": "date",
    "timestamp with time zone": "time",
}

#: Values that no table has, and bounds of types.
EDGES = {
    "integer": [0, -1, 1, 2_147_483_647, 5_000_000_000],
    "numeric": ["0", "-0.005", "0.01", "1e-9", "100", "99999999999.99"],
    "text": ["", "nothing has this", "%", "_", "\\", "a\nb", "O'Neill"],
    "date": ["-infinity", "infinity", "0001-01-01", "9999-12-31", "10000-01-01", "2024-02-29"],
    "time": ["-infinity", "infinity", "2024-01-01 00:00:00+00", "2024-06-30 23:59:59.999999+02", "10000-01-01 00:00+00"],
}


def quote(text):
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
    return f"E'{escaped}'"


class Table:
    """A table's columns and the values that its rows have, from a connection that reads them."""

    def __init__(self, cursor, name, rows):
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (name,),
        )
        found = cursor.fetchall()
        self.columns = [(column, TYPES[kind]) for column, kind in found if kind in TYPES]
        cursor.execute(f"SELECT {', '.join(column for column, _ in self.columns)} FROM {rows}")
        by_row = cursor.fetchall()
        self.values = {
            column: sorted({row[index] for row in by_row if row[index] is not None}, key=str)
            for index, (column, _) in enumerate(self.columns)
        }


class Maker:
    def __init__(self, table, random):
        self.table, self.random = table, random

    def chance(self, share):
        return self.random.random() < share

    def value(self, column, kind):
        """A literal: a value that the column has, one near it, an edge, or NULL."""
        known = self.table.values[column]
        if self.chance(0.03):
            return "NULL"
        if kind == "boolean":
            return self.random.choice(["true", "false"])
        if not known or self.chance(0.25):
            value = self.random.choice(EDGES[kind])
        else:
            value = self.near(self.random.choice(known), kind)
        return self.literal(value, kind)

    def near(self, value, kind):
        step = self.random.choice([-1, 0, 0, 0, 1])
        if kind == "integer":
            return value + step
        if kind == "numeric":
            return value + step * self.random.choice([decimal.Decimal("0.001"), decimal.Decimal("0.01"), 1])
        if kind == "date":
            return value + datetime.timedelta(days=step)
        if kind == "time":
            return value + step * self.random.choice(
                [datetime.timedelta(microseconds=1), datetime.timedelta(seconds=1), datetime.timedelta(days=1)])
        return self.random.choice([value, value, value, value.upper(), value.lower(), value[:-1], value + " "])

    def literal(self, value, kind):
        if kind == "integer":
            return str(value) if -2**31 < value < 2**31 else f"{value}::bigint"
        if kind == "numeric":
            return f"{value}::numeric"
        if kind == "text":
            return quote(value[:200])
        return f"'{value}'::{'date' if kind == 'date' else 'timestamptz'}"

    def pattern(self, column):
        known = [text for text in self.table.values[column] if text]
        text = self.random.choice(known or EDGES["text"])[:60]
        begin = self.random.randrange(len(text) + 1)
        part = text[begin:begin + self.random.randrange(1, 8)]
        if not self.chance(0.2):
            part = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        if part and self.chance(0.2):
            place = self.random.randrange(len(part))
            part = part[:place] + self.random.choice("%_") + part[place:]
        if len(part) - len(part.rstrip("\\")) & 1:
            part += "\\"
        return quote(self.random.choice(["", "%"]) + part + self.random.choice(["", "%"]))

    def comparison(self, column, kind):
        operator = self.random.choice(["=", "=", "=", "<>", "<", "<=", ">", ">="])
        if kind == "time" and self.chance(0.2):
            return f"{column} {operator} '{self.random.choice(['2024-01-01', '2026-11-20', '2026-11-24'])}'::date"
        value = self.value(column, kind)
        if value != "NULL" and self.chance(0.15):
            # Known only when the query runs.
            value = f"(SELECT {value})"
        return f"{column} {operator} {value}" if self.chance(0.9) else f"{value} {operator} {column}"

    def leaf(self):
        column, kind = self.random.choice(self.table.columns)
        choice = self.random.random()
        if choice < 0.12:
            return f"{column} IS {self.random.choice(['', 'NOT '])}NULL"
        if kind == "boolean":
            return self.random.choice([
                column, f"NOT {column}", f"{column} = {self.value(column, kind)}", f"{column} IS TRUE",
                f"{column} IS NOT TRUE", f"{column} IS FALSE", f"{column} IS NOT FALSE", f"{column} IS UNKNOWN"])
        if choice < 0.3:
            items = ", ".join(self.value(column, kind) for _ in range(self.random.randrange(1, 5)))
            return f"{column} {self.random.choice(['', 'NOT '])}IN ({items})"
        if choice < 0.4:
            return f"{column} {self.random.choice(['', 'NOT '])}BETWEEN {self.value(column, kind)} AND {self.value(column, kind)}"
        if kind == "text" and choice < 0.75:
            word = self.random.choice(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"])
            return f"{column} {word} {self.pattern(column)}"
        return self.comparison(column, kind)

    def condition(self, depth=2):
        if depth == 0 or self.chance(0.4):
            return self.leaf()
        if self.chance(0.2):
            return f"NOT ({self.condition(depth - 1)})"
        parts = [self.condition(depth - 1) for _ in range(self.random.randrange(2, 4))]
        return "(" + self.random.choice([" AND ", " OR "]).join(parts) + ")"

    def order(self):
        """Whole: two rows are never alike."""
        keys = [self.random.choice(self.table.columns)[0] for _ in range(self.random.randrange(0, 2))]
        directions = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]
        return ", ".join(key + self.random.choice(directions) for key in [*keys, "id"])

    def aggregate(self):
        column, kind = self.random.choice(self.table.columns)
        functions = {"integer": ["count", "sum", "avg", "min", "max"], "numeric": ["count", "sum", "sum", "avg", "min", "max"],
                     "date": ["count", "min", "max"], "time": ["count", "min", "max"]}
        return f"{self.random.choice(functions.get(kind, ['count']))}({column})"

    def groups(self, where):
        kinds = ("boolean", "integer", "text")
        keys = [column for column, kind in self.table.columns if kind in kinds and column != "id"]
        by = [self.random.choice(keys) for _ in range(self.random.choice([0, 1, 1, 1, 2]))]
        wanted = [*dict.fromkeys(by), *(self.aggregate() for _ in range(self.random.randrange(1, 4)))]
        grouped = f"GROUP BY {', '.join(dict.fromkeys(by))}" if by else ""
        having = f"HAVING {self.random.choice(['count(*) > 1', 'max(id) > 20'])}" if self.chance(0.15) else ""
        return f"SELECT {', '.join(wanted)} FROM {{table}} {where} {grouped} {having}"

    def query(self):
        """A query over `{table}`, and whether the order of its rows is part of the answer."""
        where = f"WHERE {self.condition()}" if self.chance(0.95) else ""
        choice = self.random.random()
        if choice < 0.15:
            return f"SELECT count(*) FROM {{table}} {where}", True
        if choice < 0.45:
            # More of them have conditions that Odoo decides alone.
            return self.groups(where if self.chance(0.4) else ""), False
        columns = ", ".join({"id", *(self.random.choice(self.table.columns)[0] for _ in range(3))})
        if choice < 0.65:
            return f"SELECT {columns} FROM {{table}} {where}", False
        limit = f"LIMIT {self.random.randrange(0, 12)}" if self.chance(0.8) else ""
        offset = f"OFFSET {self.random.randrange(0, 6)}" if self.chance(0.3) else ""
        return f"SELECT {columns} FROM {{table}} {where} ORDER BY {self.order()} {limit} {offset}", True
