"""Records in groups, as each release of Odoo sums them up."""

import re
from decimal import Decimal


class Groups:
    """What a model answers to `read_group`, and from 19 on to `formatted_read_group`."""

    def read_group(self, domain, fields, groupby, offset=0, limit=None, orderby=False, lazy=True, context=None):
        by = [groupby] if isinstance(groupby, str) else list(dict.fromkeys(groupby))
        if lazy:
            raise NotImplementedError("the fake has groups of all fields at once alone")
        totals = {}
        for spec in fields:
            if spec == "__count":
                continue
            name, function, field = re.fullmatch(r"(\w+):(\w+)\((\w+)\)", spec).groups()
            # Up to 16 what is grouped by is left out.
            if field not in by or self.database.release >= 17:
                totals[name] = (field, function)
        groups = []
        for key, records in self._grouped(domain, by, context):
            group = {"__count": len(records)}
            for name, (field, function) in totals.items():
                group[name] = self._total(field, function, records)
            if by:
                group["__domain"] = ["&", *([name, "=", value or False] for name, value in zip(by, key)), *domain]
            if by or self.database.release >= 17:
                group = {name: False if value is None else value for name, value in group.items()}
            groups.append(group | {name: self._named(name, value) for name, value in zip(by, key)})
        return groups[offset:][: limit or None]

    def formatted_read_group(self, domain, groupby=(), aggregates=(), having=(), offset=0, limit=None, order=None,
                             context=None):
        groups = []
        for key, records in self._grouped(domain, groupby, context):
            group = {name: self._named(name, value) for name, value in zip(groupby, key)}
            for spec in aggregates:
                field, _, function = spec.partition(":")
                total = len(records) if spec == "__count" else self._total(field, function, records)
                group[spec] = False if total is None else total
            groups.append(group | {"__extra_domain": [[name, "=", value or False] for name, value in zip(groupby, key)]})
        return groups[offset:][: limit or None]

    def _grouped(self, domain, by, context):
        """Keys as Odoo's database has them, and their records."""
        for name in by:
            if name not in self.fields:
                raise self._invalid(name)
            if self.fields[name]["type"] in ("date", "datetime"):
                raise NotImplementedError("the fake has no buckets of time")
        groups = {} if by else {(): []}
        for id in self.search(domain, context=context):
            record = self.records[id]
            key = tuple(self._kept(record, name) for name in by)
            groups.setdefault(key, []).append(record)
        return groups.items()

    def _kept(self, record, name):
        """A value as Odoo's database has it: NULL where nobody wrote one."""
        field = self.fields[name]
        value = record.get(name)
        if name in ("create_date", "write_date"):
            return self.value(record, name)
        if field["type"] == "boolean":
            return bool(value)
        return None if value is False else value

    def _total(self, name, function, records):
        if name not in self.fields:
            raise self._invalid(name)
        values = [value for value in (self._kept(record, name) for record in records) if value is not None]
        if function == "count":
            return len(values)
        if not values:
            return None
        if function in ("min", "max"):
            return self._sent(name, {"min": min, "max": max}[function](values))
        # Numbers with digits, and amounts, are `numeric`, others are binary.
        is_exact = self.fields[name].get("digits") is not None or self.fields[name]["type"] == "monetary"
        total = sum(Decimal(repr(value)) for value in values) if is_exact else sum(values)
        return float(total) if self.fields[name]["type"] != "integer" else total

    def _named(self, name, value):
        """A reference with the name of its record."""
        field = self.fields[name]
        if field["type"] != "many2one" or value is None:
            return False if value is None else value
        model = self.database.models.get(field["relation"])
        record = model.records.get(value, {}) if model else {}
        return [value, record.get("name") or f"{field['relation']},{value}"]
