"""Models, records and the methods that clients call, as Odoo's ORM answers them."""

import math
import operator
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from .groups import Groups

#: When records were written that do not say so.
BEGINNING = "2024-01-01 00:00:00"


class Fault(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


#: The one frame of the fake's tracebacks.
FRAME = '  File "odoo/http.py", line 1, in f\n'


def traceback_of(error):
    """Fault 1 carries a whole traceback."""
    return Fault(1, f"Traceback (most recent call last):\n{FRAME}{error}\n")


class Model(Groups):
    """Fields by name (`type`, and `relation` for relational ones) and records, or a mapping of
    them by id.

    `inherits` maps models whose fields this one has too to the fields that lead there. A dictionary
    is a value by company, as `company_dependent` fields have it, and what is computed of a company.
    """

    def __init__(self, name, fields, records, inherits=()):
        self.name = name
        self.fields = {
            "id": {"type": "integer"},
            "write_date": {"type": "datetime"},
            **fields,
        }
        is_by_id = isinstance(records, Mapping)
        self.records = records if is_by_id else {record["id"]: record for record in records}
        self.inherits = dict(inherits)
        self.parents = {}
        self.database = None

    #: Whether each id is that of one record.
    ids_are_distinct = True

    def join(self, database):
        """Makes the other models known to this one."""
        self.database = database
        for parent, link in self.inherits.items():
            for name, field in database.models[parent].fields.items():
                if name not in self.fields:
                    self.fields[name] = {**field, "store": False, "searchable": is_searchable(field)}
                    self.parents[name] = (database.models[parent], link)

    def value(self, record, field, context=None):
        if field in self.parents:
            parent, link = self.parents[field]
            return parent.value(parent.records[record[link]], field, context)
        if field in record:
            value = record[field]
            if isinstance(value, dict):
                company = (context or {})["allowed_company_ids"][0]
                value = value[company] if self.fields[field].get("company_dependent") else value.get(company, False)
            return self._noisy(value, self.fields[field])
        if field in ("create_date", "write_date"):
            return BEGINNING
        return {"integer": 0, "many2one_reference": 0, "float": 0.0, "monetary": 0.0, "one2many": [], "many2many": []}.get(
            self.fields[field]["type"], False
        )

    def _sent(self, name, value):
        """As Python writes dates on Linux: without zeros before the year."""
        is_dated = self.fields[name]["type"] in ("date", "datetime")
        return value.lstrip("0") if is_dated and isinstance(value, str) else value

    def _noisy(self, value, field):
        """A float as `float_round` leaves it, up to 17: 19.990000000000002 of 19.99."""
        digits = field.get("digits")
        if not digits or self.database.release > 17 or not isinstance(value, float) or not math.isfinite(value):
            return value
        factor = 10 ** -digits[1]
        return round(value / factor) * factor

    def fields_get(self, allfields=None, attributes=None, context=None):
        found = {}
        for name, field in self.fields.items():
            if allfields and name not in allfields:
                continue
            found[name] = {"string": name.replace("_", " ").capitalize(), "store": True,
                           "searchable": is_searchable(field), **field}
            if field.get("store", True) is None:
                # Of a form alone.
                del found[name]["store"], found[name]["searchable"]
            found[name].pop("writes", None)
            if name == "lang":
                found[name]["selection"] = [[code, code] for code in self.database.languages]
        return found

    def search(self, domain, offset=0, limit=None, order=None, context=None):
        for term in domain:
            if isinstance(term, (list, tuple)) and isinstance(term[0], str):
                self._check(term[0])
                if term[0] == "id":
                    self._require_integer(term[2])
        bounds = bounds_of(domain)
        is_simple = self.ids_are_distinct and order in (None, "id", "id desc")
        if bounds is not None and is_simple and self._sees_archived(context):
            ids = [id for id in self.records if all(holds(id, bound) for holds, bound in bounds)]
            return (sorted(ids, reverse=order == "id desc") if order else ids)[offset:][: limit or None]
        found = [record for record in self._visible(context, domain) if self._meets(record, domain)]
        if order:
            self._sort(found, order)
        ids = [record["id"] for record in found]
        return ids[offset:][: limit or None]

    def search_count(self, domain, context=None):
        return len(self.search(domain, context=context))

    def read(self, ids, fields=(), load="_classic_read", context=None):
        for field in fields:
            if field not in self.fields:
                raise self._invalid(field)
            if ids and self.name != "res.users" and self.fields[field]["type"] in ("one2many", "many2many"):
                # It is searched for in the other model; of themselves users may read everything.
                self.database.require_right(self.fields[field]["relation"])
        found = [self.records[id] for id in ids if id in self.records]
        if any(self.fields[field].get("writes") for field in fields):
            # It is computed by a method that sets stored fields too.
            for record in found:
                record["write_date"] = str(datetime.fromisoformat(record.get("write_date") or BEGINNING) + timedelta(seconds=1))
        return [
            {name: self._sent(name, self.value(record, name, context)) for name in ["id", *fields]}
            for record in found
        ]

    def search_read(self, domain, fields=(), offset=0, limit=None, order=None, load=None, context=None):
        if load is not None and not self.database.has_load:
            raise traceback_of("TypeError: search_read() got an unexpected keyword argument 'load'")
        return self.read(self.search(domain, offset, limit, order, context), fields, context=context)

    def create(self, vals_list, context=None):
        self._check_names(name for values in vals_list for name in values)
        ids = range(max(self.records, default=0) + 1, max(self.records, default=0) + 1 + len(vals_list))
        self.records.update({id: {"id": id, **values} for id, values in zip(ids, vals_list)})
        return list(ids)

    def write(self, ids, vals, context=None):
        self._check_names(vals)
        for record in self._existing(ids):
            record.update(vals)
        return True

    def unlink(self, ids, context=None):
        for record in self._existing(ids):
            del self.records[record["id"]]
        return True

    def action_archive(self, ids, context=None):
        """Returns None, as many of Odoo's methods do."""
        self.write(ids, {"active": False})

    def name_search(self, name="", limit=100, context=None):
        found = self.search([["name", "ilike", name]], limit=limit, context=context)
        return [[id, self.records[id]["name"]] for id in found]

    def context_told(self, context=None):
        """What Odoo's `default_get` and others make of a context, in short."""
        return context

    def _check_names(self, names):
        for name in names:
            if name not in self.fields:
                raise self._invalid(name)

    def _existing(self, ids):
        if any(id not in self.records for id in ids):
            raise Fault(2, "Record does not exist or has been deleted.\n(Record: %s(%s,), User: 2)" % (self.name, ids))
        return [self.records[id] for id in ids]

    def _sees_archived(self, context):
        return "active" not in self.fields or (context or {}).get("active_test", True) is False

    def _visible(self, context, domain):
        named = any(isinstance(term, (list, tuple)) and term[0] == "active" for term in domain)
        if named or self._sees_archived(context):
            return self._all()
        return [record for record in self._all() if record.get("active", True)]

    def _all(self):
        return self.records.values()

    def _sort(self, records, order):
        for part in reversed(order.split(",")):
            match = re.fullmatch(r"\s*(\w+)(\s+asc|\s+desc)?\s*", part, re.IGNORECASE)
            if not match or match[1] not in self.fields:
                raise self._invalid(part.strip())
            descending = (match[2] or "").strip().lower() == "desc"
            # NULL is last, descending it is first.
            empty = None if self.fields[match[1]]["type"] == "boolean" else False
            records.sort(key=lambda record: sortable(self.value(record, match[1]), empty), reverse=descending)

    def _meets(self, record, domain):
        """Evaluates a domain in Odoo's prefix notation."""
        stack = []
        for term in reversed(domain):
            if term == "!":
                stack.append(not stack.pop())
            elif term in ("&", "|"):
                one, other = stack.pop(), stack.pop()
                stack.append(one and other if term == "&" else one or other)
            else:
                stack.append(self._leaf(record, *term))
        return all(stack)

    def _invalid(self, field):
        place = "on" if self.database.release >= 19 else "on model"
        return traceback_of(f"ValueError: Invalid field '{field}' {place} '{self.name}'")

    def _require_integer(self, id):
        """Up to 18 ids are compared as texts, which PostgreSQL reads as the column's type."""
        if self.database.release <= 18 and isinstance(id, int) and not -(2**31) <= id < 2**31:
            raise traceback_of(
                f'psycopg2.errors.NumericValueOutOfRange: value "{id}" is out of range for type integer')

    def _check(self, path):
        """Refuses a path of a domain that leads nowhere, whether there are records or not; tells
        whether it can be searched by."""
        model = self
        for name in path.split("."):
            if model is None or name not in model.fields:
                word = "condition" if self.database.release >= 19 else "leaf"
                raise traceback_of(f"ValueError: Invalid field {self.name}.{path} in {word}")
            if self.database.concerns(self.database.unsearchable, model.name, [name]):
                self.database.refuse_private(model.name, name)
            if not is_searchable(model.fields[name]):
                if self.database.release >= 19:
                    raise traceback_of(f"ValueError: Cannot convert {model.name}.{name} to SQL because it is not stored")
                self.database.errors.append(f"Non-stored field {model.name}.{name} cannot be searched.")
                return False
            model = self.database.models.get(model.fields[name].get("relation"))
        return True

    def _values(self, record, path):
        """The values at the end of a path: several beyond an x2many field, none beyond an empty one."""
        name, _, rest = path.partition(".")
        value = self.value(record, name)
        if not rest:
            return [value]
        model = self.database.models[self.fields[name]["relation"]]
        ids = value if isinstance(value, list) else [value]
        found = [model.records[id] for id in ids if id in model.records]
        return [end for record in found for end in model._values(record, rest)]

    def _leaf(self, record, path, operator, operand):
        if isinstance(path, int):
            # (1, '=', 1) and (0, '=', 1) are constants.
            return path == operand
        if not self._check(path):
            # Releases before 19 leave the condition out.
            return True
        operand = self._operand(path, operator, operand)
        # As 19 does: False asks for what is empty, and NULL is smaller or greater than nothing.
        # NaN is the greatest of PostgreSQL's numbers.
        ordered = lambda test: lambda value: value is not False and test(math.inf if value != value else value)
        test = {
            "=": lambda value: not value if operand is False else value == operand,
            "!=": lambda value: bool(value) if operand is False else value != operand,
            "<": ordered(lambda value: value < operand),
            "<=": ordered(lambda value: value <= operand),
            ">": ordered(lambda value: value > operand),
            ">=": ordered(lambda value: value >= operand),
            "in": lambda value: value in operand,
            "not in": lambda value: value not in operand,
            "ilike": lambda value: str(operand).lower() in str(value or "").lower(),
            "=like": lambda value: isinstance(value, str) and bool(pattern(operand).fullmatch(value)),
            "=ilike": lambda value: isinstance(value, str)
            and bool(pattern(operand.lower()).fullmatch(value.lower())),
        }[operator]
        return any(test(value) for value in self._values(record, path))

    def _operand(self, field, operator, operand):
        """What a condition compares with: up to 18 a text is first made the HTML that a field would hold,
        but where Odoo puts wildcards around it."""
        if operator in ("like", "ilike", "not like", "not ilike"):
            return operand
        is_html = self.fields.get(field, {}).get("type") == "html" and self.database.release <= 18
        return f"<p>{operand}</p>" if is_html and isinstance(operand, str) and operand else operand


def is_searchable(field):
    """Stored, or with a search method, as related fields have one."""
    return field.get("searchable", field.get("store", True))


def sortable(value, empty):
    return (1, 0) if value is empty else (0, value)


def pattern(like):
    """LIKE's pattern as a regular expression."""
    parts = re.findall(r"\\.|.", like, re.DOTALL)
    known = {"%": ".*", "_": "."}
    return re.compile("".join(known.get(part, re.escape(part[-1])) for part in parts), re.DOTALL)


def bounds_of(domain):
    """The bounds of the ids that a domain asks for; `None` for other domains. A scan of a large
    model asks so again and again, and its records need not be looked at for it."""
    holds = {">": operator.gt, ">=": operator.ge, "<=": operator.le, "!=": operator.ne}
    if all(isinstance(term, list) and term[0] == "id" and term[1] in holds for term in domain):
        return [(holds[term[1]], term[2]) for term in domain]
    return None


def parameters():
    """Odoo's system parameters: the name that each database has for itself."""
    uuid = {"id": 3, "key": "database.uuid", "value": "7e1ff00d-0000-4000-8000-000000000001"}
    return Model("ir.config_parameter", {"key": {"type": "char"}, "value": {"type": "text"}}, [uuid])


class Attachments(Model):
    """Of these those that fields hold are found only if the domain names them, or ids."""

    def search(self, domain, *args, **kwargs):
        named = any(isinstance(term, list) and term[0] in ("id", "res_field") for term in domain)
        return super().search(domain if named else [*domain, ["res_field", "=", False]], *args, **kwargs)


class View(Model):
    """A report: no record tells when it changed; ids may be negative, and may repeat. Of records
    that share an id Odoo's cache has the last one, which is read in place of all."""

    def __init__(self, name, fields, rows):
        super().__init__(name, fields, rows)
        del self.fields["write_date"]
        self.rows = rows
        self.ids_are_distinct = len(self.records) == len(rows)

    def _all(self):
        return self.rows


class TextIds(Model):
    """Records that Odoo makes of the ids that it is asked for, as `account.root` from 18 on."""

    def search(self, domain, *args, **kwargs):
        raise traceback_of("NotImplementedError")


class Blacklist(Model):
    """It searches for addresses as it holds them."""

    def _operand(self, field, operator, operand):
        return operand.lower() if field == "email" and isinstance(operand, str) and "@" in operand else operand


class Directory(Model):
    """Odoo's list of its models."""

    def __init__(self, models):
        fields = {"model": {"type": "char"}, "name": {"type": "char"}, "transient": {"type": "boolean"},
                  "abstract": {"type": "boolean"}}
        records = [{"id": id, "model": model.name, "name": model.name.replace(".", " ").title()}
                   for id, model in enumerate(models, 1)]
        super().__init__("ir.model", fields, records)

    def get_available_models(self, context=None):
        denied = (self.database.denied or "").split(",")
        return [{"model": record["model"], "display_name": record["name"]}
                for record in self.records.values() if record["model"] not in denied]


MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre"]
WEEKDAYS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]


class DateField(Model):
    """It has no records; Odoo writes dates with it, as a Unicode pattern says."""

    def __init__(self):
        super().__init__("ir.qweb.field.date", {}, [])

    def value_to_html(self, value, options, context=None):
        day = datetime.strptime(value, "%Y-%m-%d")
        names = {"LLLL": day.strftime("%B"), "cccc": day.strftime("%A")}
        if self.database.french:
            names = {"LLLL": MONTHS[day.month - 1], "cccc": WEEKDAYS[day.weekday()]}
        return re.sub("LLLL|cccc", lambda part: names[part[0]], options["format"])


#: What Odoo's API lets anybody call; the last two stand for the many of single models.
METHODS = {"fields_get", "search", "search_count", "search_read", "read", "create", "write", "unlink",
           "get_available_models", "name_search", "action_archive", "context_told", "read_group",
           "formatted_read_group", "value_to_html"}

#: The first release that has a method.
SINCE = {"formatted_read_group": 19}


#: In English and in French.
NOT_ALLOWED = (
    "You are not allowed to access '{name}' ({name}) records.\n\n"
    "This operation is allowed for the following groups:\n\t- Sales/Administrator\n\n"
    "Contact your administrator to request access if necessary.",
    "Vous n'êtes pas autorisé à accéder aux enregistrements '{name}' ({name}).\n\n"
    "Cette opération est autorisée pour les groupes suivants :\n\t- Ventes/Administrateur\n\n"
    "Contactez votre administrateur pour demander l'accès si nécessaire.",
)


class Database:
    #: Models that the user may not read, as all lists here between commas.
    denied = None
    #: The language of the request that is answered.
    french = False
    #: Model, id and field of a value that raises when it is read.
    poison = None
    #: Records that one read may have; 0 for no limit.
    most = 0
    #: Seconds that a read takes for each record.
    heavy = 0
    #: Whether `search_read` takes `load`, as it does since 15.
    has_load = True
    release = 19
    #: Languages that are installed, and the user's.
    languages = ("en_US", "fr_FR")
    language = "en_US"
    #: `model:field` of a field that faults in every record, and of one that the user may not read
    #: though it is described; of a relation that search takes for a field of another model.
    broken = private = unsearchable = None
    #: A model whose method `read` does not take what all others take.
    odd = None

    def __init__(self, models):
        #: What Odoo wrote to its log.
        self.errors = []
        models = [*models, parameters()]
        self.models = {model.name: model for model in [*models, Directory(models), DateField()]}
        for model in self.models.values():
            model.join(self)

    @property
    def latest_change(self):
        """Seconds since 1970; of large models, whose records do not change, nothing is seen."""
        small = [model.records.values() for model in self.models.values() if len(model.records) <= 2000]
        dates = [record["write_date"] for records in small for record in records if record.get("write_date")]
        latest = datetime.strptime(max(dates, default=BEGINNING), "%Y-%m-%d %H:%M:%S")
        return latest.replace(tzinfo=timezone.utc).timestamp()

    def execute(self, name, method, args, kwargs):
        context = kwargs.get("context") or {}
        french = "fr_FR" in (self.language, context.get("lang"))
        if self.release >= 19 and context.get("lang", "en_US") not in ("en_US", *self.languages):
            raise Fault(2, f"Invalid language code: {context['lang']}")
        if name not in self.models:
            # Releases from 17 on do not translate it.
            translated = french and self.release < 17
            raise Fault(2, f"L'objet {name} n'existe pas" if translated else f"Object {name} doesn't exist")
        if method != "fields_get" and not self.has_companies(context.get("allowed_company_ids", ())):
            raise Fault(4, "Accès à des sociétés non autorisées ou invalides." if french
                        else "Access to unauthorized or invalid companies.")
        self.french = french
        if method != "fields_get":
            self.require_right(name)
        model = self.models[name]
        if method not in METHODS or not hasattr(model, method) or self.release < SINCE.get(method, 0):
            raise traceback_of(
                f"AttributeError: The method '{name}.{method}' does not exist"
            )
        if method == "read":
            self.strain(name, args[0] if args else kwargs["ids"], kwargs.get("fields", ()))
        result = getattr(model, method)(*args, **kwargs)
        if method == "search_read":
            self.strain(name, [record["id"] for record in result], kwargs.get("fields", ()))
        return result

    @staticmethod
    def concerns(wish, name, fields):
        concerned = (part.partition(":") for part in (wish or "").split(","))
        return any(name == model and field in fields for model, _, field in concerned)

    def is_private(self, name, ids, fields):
        """`model:field:id` is refused of a record alone, as what a field computes from another one."""
        concerned = (part.split(":") for part in (self.private or "").split(","))
        return any(name == model and field in fields and (not only or int(only[0]) in ids)
                   for model, field, *only in (part for part in concerned if len(part) > 1))

    def has_companies(self, ids):
        """Whether all are the user's; archived ones are nobody's."""
        users = self.models["res.users"]
        return set(ids) <= set(users.value(users.records[2], "company_ids"))

    def refuse_private(self, model, field):
        """As `hr.employee` speaks for `hr.employee.public`, which lacks the field."""
        if self.release in (14, 15):
            raise traceback_of(f"ValueError: Invalid field {model}.public.{field} in leaf")
        raise Fault(4, "You do not have access to this document.")

    def require_right(self, name):
        if name in (self.denied or "").split(","):
            raise Fault(4, NOT_ALLOWED[self.french].format(name=name))

    def strain(self, name, ids, fields):
        """What goes wrong in some reads only."""
        time.sleep(self.heavy * len(ids))
        if self.most and len(ids) > self.most:
            raise traceback_of("MemoryError")
        if name == self.odd:
            raise traceback_of("TypeError: read() got an unexpected keyword argument 'load'")
        if ids and self.concerns(self.broken, name, fields):
            raise traceback_of("KeyError: 'no such property'")
        if self.is_private(name, ids, fields):
            raise Fault(4, "The fields you try to read are not available on the public profile.")
        if self.poison:
            model, id, field = self.poison
            if name == model and int(id) in ids and (field in fields or field == "*"):
                raise traceback_of("TypeError: cannot marshal None unless allow_none is enabled")
