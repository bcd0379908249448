"""An Odoo that answers at once: the fake one, but what it says of orders, their lines and payments is not made
when it is asked: it comes again every so many records, and was written before, with holes for what does not. So
there may be any number of them."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
import xmlrpc.client
from contextlib import contextmanager
from datetime import timedelta

from ..fake.orm import Model, traceback_of
from ..fake.server import Handler, Server, behaviour_of
from ..lab import places
from . import shop

class Texts:
    """The text of a model's records, of some fields."""

    #: Stand where a number will be, a text without signs that a protocol writes otherwise, and any other value.
    NUMBER, TEXT, VALUE = "~number~", "~text~", "~value~"

    def __init__(self, model, fields, write, separator):
        self.model, self.fields, self.write, self.separator = model, fields, write, separator
        first = model.moves([1])
        self.marks = {name: self._mark(*first[name]) for name in fields if name in first}
        self.holes = {write(self.NUMBER): write(0).replace(b"0", b"%d"), self.TEXT.encode(): b"%b", write(self.VALUE): b"%b"}
        self.patterns = [None] * model.period

    def _mark(self, value):
        if isinstance(value, (list, range)):
            return [self._mark(one) for one in value]
        return {int: self.NUMBER, str: self.TEXT}.get(type(value), self.VALUE)

    def _pattern(self, id):
        """What comes again of a record, with holes for what does not."""
        record = self.model.make(id)
        text = self.write({name: self.marks.get(name, record.get(name, False)) for name in self.fields}).replace(b"%", b"%%")
        for mark, hole in self.holes.items():
            text = text.replace(mark, hole)
        self.patterns[(id - 1) % len(self.patterns)] = text
        return text

    def cut(self, ids):
        """The text of some records."""
        moves, columns = self.model.moves(ids), []
        for name, mark in self.marks.items():
            columns += zip(*moves[name]) if isinstance(mark, list) else [self._written(moves[name], mark)]
        period = len(self.patterns)
        patterns = [self.patterns[(id - 1) % period] or self._pattern(id) for id in ids]
        return self.separator.join(map(bytes.__mod__, patterns, zip(*columns)))

    def _written(self, values, mark):
        if mark == self.NUMBER:
            return values
        if mark == self.TEXT:
            return [*map(str.encode, values)]
        written = {value: self.write(value) for value in {*values}}
        return [written[value] for value in values]


def write_xml(value):
    text = xmlrpc.client.dumps((value,), methodresponse=True)
    return text[text.index("<value>") : text.rindex("</param>")].encode()


def write_json(value):
    return json.dumps(value).encode()


#: By protocol: how a value is written, what stands between two records, and around all.
WRITING = {
    "xmlrpc": (write_xml, b"", b"<?xml version='1.0'?><methodResponse><params><param><value><array><data>",
               b"</data></array></value></param></params></methodResponse>"),
    "jsonrpc": (write_json, b", ", b'{"jsonrpc": "2.0", "id": null, "result": [', b"]}"),
    "web": (write_json, b", ", b'{"jsonrpc": "2.0", "id": null, "result": [', b"]}"),
    "json2": (write_json, b", ", b"[", b"]"),
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
    """A model of records that are made by a function, all of which each domain of its own keeps: orders are paid."""

    def __init__(self, model, shop_):
        super().__init__(model.name, model.fields, {})
        self.make, self.moves_of, self.of_order = shop.LARGE[model.name]
        self.shop = shop_
        self.all = self.of_orders(shop_.orders)[: shop_.lines]
        self.period = min(len(self.all), len(self.of_orders(shop.PERIOD)))
        self.texts, self.lock = {}, threading.Lock()
        self.given = 0

    def moves(self, ids):
        return self.moves_of(ids, self.shop.written_at)

    def of_orders(self, count):
        """The records of the first orders."""
        return range(1, self.of_order(count).stop)

    def written(self, protocol, fields):
        writing = WRITING[protocol]
        with self.lock:
            key = writing[0], tuple(fields)
            if key not in self.texts:
                self.texts[key] = Texts(self, fields, *writing[:2])
            return self.texts[key]

    def read(self, ids, fields=(), load="_classic_read", context=None):
        assert load == "", "names of related records are not kept"
        self.given += len(ids)
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
            case ("order_id" | "pos_order_id"), "in":
                return self._of(operand)
            case "lines", "in":
                return sorted({*map(shop.order_of, operand)})
        match field.rpartition(".")[2], operator:
            case "state", "in":
                return self.all if "paid" in operand else []
            case "write_date", ">=":
                # Orders, their lines and payments are written together.
                since = range(self.of_order(shop.first_since(operand)).start, end)
                again = [order for order, time in self.shop.again.items() if time >= operand]
                return either(self._of(again), since) if again else since
        raise traceback_of(f"ValueError: the instant Odoo cannot answer {str([field, operator, operand])[:200]}")

    def _of(self, orders):
        return [id for order in sorted(orders) for id in self.of_order(order)]


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
    #: By path.
    shops = {}

    def do_GET(self):
        """What is no Odoo's: `again/COUNT` and `spent` behind a shop's path."""
        match self.path[1:].removeprefix("version=19/").split("/"):
            case [lines, "again", count]:
                self.shops[lines].write_again(int(count))
                self.send_whole(200, "application/json", b"{}")
            case [lines, "spent"]:
                self.send_whole(200, "application/json", json.dumps(self.shops[lines].spent()).encode())
            case _:
                super().do_GET()

    def encode(self, protocol, result):
        if isinstance(result, Records):
            return 200, result.written(protocol.name)
        return super().encode(protocol, result)


def path(lines):
    """The path of a shop with so many lines."""
    return f"version=19/lines={lines}"


class Shop:
    """One of so many lines, at a path."""

    def __init__(self, lines):
        self.lines, self.orders = lines, shop.order_of(lines)
        #: Orders that were written again, and when.
        self.again = {}
        self.behaviour = behaviour_of(f"/{path(lines)}")
        # Nothing has changed for a while.
        self.set_clock(shop.ordered_at(self.orders + 400))
        models = self.behaviour.database.models
        shop.add_small_records(models)
        self.large = {name: Large(models[name], self) for name in shop.LARGE}
        models.update(self.large)

    def written_at(self, order):
        return self.again.get(order) or shop.written_at(order)

    def set_clock(self, time):
        self.now, self.behaviour.clock = time, time.timestamp()

    def write_again(self, count):
        """Writes so many orders again, from all times. Others each time, but for 997 times."""
        self.set_clock(self.now + timedelta(hours=1))
        time, offset = str(self.now - timedelta(minutes=1))[:19], len(self.again)
        for n in range(count):
            self.again[1 + (n * self.orders // count + offset) % self.orders] = time

    def spent(self):
        return {"seconds": time.process_time(), "records": sum(model.given for model in self.large.values())}


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


def ask(url, what):
    """Has the shop at a URL do something that no Odoo does."""
    with urllib.request.urlopen(f"{url}/{what}") as answer:
        return json.load(answer)


def main():
    """Runs until its standard input ends; says its port."""
    for lines in sys.argv[1:]:
        Instant.shops[f"lines={lines}"] = Shop(int(lines))
    print(Server(handler=Instant).run().port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
