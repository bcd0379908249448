"""An Odoo that answers at once: the fake one, but what it says of orders and their lines was
written before it is asked, each record once, and an answer is cut out of that."""

import json
import subprocess
import sys
import threading
import xmlrpc.client
from array import array
from contextlib import contextmanager

from ..fake.orm import Model, traceback_of
from ..fake.server import Handler, Server, behaviour_of
from ..lab import places
from . import shop


class Written:
    """Records 1 to `count` as text, one behind the other."""

    def __init__(self, count, make, fields, write, separator):
        self.text, self.separator = bytearray(), separator
        self.ends = array("q", [0])
        for id in range(1, count + 1):
            record = make(id)
            self.text += write({name: record.get(name, False) for name in fields}) + separator
            self.ends.append(len(self.text))

    def cut(self, ids):
        """The text of some records."""
        view, pieces = memoryview(self.text), []
        for first, last in runs(ids):
            pieces.append(view[self.ends[first - 1] : self.ends[last]])
        text = b"".join(pieces)
        return text[: len(text) - len(self.separator)] if text else text


def runs(ids):
    """First and last of ids that follow one another."""
    first = last = None
    for id in ids:
        if last is not None and id == last + 1:
            last = id
            continue
        if last is not None:
            yield first, last
        first = last = id
    if last is not None:
        yield first, last


def write_xml(record):
    text = xmlrpc.client.dumps((record,), methodresponse=True)
    return text[text.index("<value>") : text.rindex("</param>")].encode()


#: By protocol: how a record is written, what stands between two, and around all.
WRITING = {
    "xmlrpc": (write_xml, b"", b"<?xml version='1.0'?><methodResponse><params><param><value><array><data>",
               b"</data></array></value></param></params></methodResponse>"),
    "jsonrpc": (lambda record: json.dumps(record).encode(), b", ", b'{"jsonrpc": "2.0", "id": null, "result": [', b"]}"),
    "web": (lambda record: json.dumps(record).encode(), b", ", b'{"jsonrpc": "2.0", "id": null, "result": [', b"]}"),
    "json2": (lambda record: json.dumps(record).encode(), b", ", b"[", b"]"),
}


class Records:
    """What `read` answers, until it is known how to write it."""

    def __init__(self, model, ids, fields):
        self.model, self.ids, self.fields = model, ids, fields

    def __iter__(self):
        return ({"id": id} for id in self.ids)

    def written(self, protocol):
        _, _, head, tail = WRITING[protocol]
        return b"".join((head, self.model.written(protocol, self.fields).cut(self.ids), tail))


class Large(Model):
    """A model of records 1 to `count`, made by a function, all of which each domain of its own
    keeps: orders are paid."""

    def __init__(self, model, make, count, members):
        super().__init__(model.name, model.fields, {})
        self.make, self.all, self.members = make, range(1, count + 1), members
        self.texts, self.lock = {}, threading.Lock()

    def written(self, protocol, fields):
        writing, lock = WRITING[protocol], self.lock
        with lock:
            key = (writing[0], tuple(fields))
            if key not in self.texts:
                self.texts[key] = Written(len(self.all), self.make, fields, *writing[:2])
            return self.texts[key]

    def read(self, ids, fields=(), load="_classic_read", context=None):
        assert load == "", "names of related records are not kept"
        return Records(self, [id for id in ids if id in self.all], ["id", *(name for name in fields if name != "id")])

    def search(self, domain, offset=0, limit=None, order=None, context=None):
        assert order in (None, "id", "id desc")
        found = self._found(domain)
        found = found[::-1] if order == "id desc" else found
        return list(found[offset:][: limit or None])

    def search_count(self, domain, context=None):
        return len(self._found(domain))

    def search_read(self, domain, fields=(), offset=0, limit=None, order=None, load="_classic_read", context=None):
        return self.read(self.search(domain, offset, limit, order), fields, load)

    def _found(self, domain):
        """Ids in their order: a range wherever they are one."""
        stack = []
        for term in reversed(domain):
            if term == "|":
                stack.append(either(stack.pop(), stack.pop()))
            elif term == "&":
                stack.append(both(stack.pop(), stack.pop()))
            else:
                stack.append(self._leaf(*term))
        found = self.all
        for some in stack:
            found = both(found, some)
        return found

    def _leaf(self, field, operator, operand):
        end = self.all.stop
        match field, operator:
            case "id", ">":
                return range(operand + 1, end)
            case "id", ">=":
                return range(max(operand, 1), end)
            case "id", "<":
                return range(1, operand)
            case "id", "<=":
                return range(1, operand + 1)
            case "id", "in":
                return sorted(operand)
            case "order_id", "in":
                return [id for order in sorted(operand) for id in shop.lines_of(order)]
            case ("state" | "order_id.state"), "in":
                return self.all if "paid" in operand else []
            case ("write_date" | "order_id.write_date" | "lines.write_date"), ">=":
                return range(self.members(shop.first_since(operand)), end)
        raise traceback_of(f"ValueError: the instant Odoo cannot answer {[field, operator, operand]!r}")


def both(one, other):
    if isinstance(one, range) and isinstance(other, range):
        return range(max(one.start, other.start), max(one.start, other.start, min(one.stop, other.stop)))
    one, other = (other, one) if isinstance(one, range) else (one, other)
    other = other if isinstance(other, range) else set(other)
    return [id for id in one if id in other]


def either(one, other):
    if isinstance(one, range) and isinstance(other, range) and one.stop == other.stop:
        return range(min(one.start, other.start), one.stop)
    return sorted({*one, *other})


class Instant(Handler):
    compresses = False

    def encode(self, protocol, result):
        if isinstance(result, Records):
            return 200, result.written(protocol.name)
        return super().encode(protocol, result)


def path(lines):
    """The path of a shop with so many lines."""
    return f"version=19/lines={lines}"


def open_shop(lines):
    behaviour, orders = behaviour_of(f"/{path(lines)}"), shop.order_of(lines)
    # Nothing has changed for a while.
    behaviour.clock = shop.ordered_at(orders + 60).timestamp()
    models = behaviour.database.models
    models["pos.order"] = Large(models["pos.order"], shop.order, orders, lambda order: order)
    models["pos.order.line"] = Large(models["pos.order.line"], shop.line, lines, lambda order: shop.lines_of(order)[0])
    models["product.product"].records.update(shop.products())
    models["res.partner"].records.update(shop.customers())


@contextmanager
def instant(*lines):
    """The server, in a process of its own, with a shop for each number of lines. Gives its URL."""
    command = [sys.executable, "-m", __name__, *map(str, lines)]
    process = subprocess.Popen(command, cwd=places.CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)


def main():
    """Runs until its standard input ends; says its port."""
    for lines in sys.argv[1:]:
        open_shop(int(lines))
    print(Server(handler=Instant).run().port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
