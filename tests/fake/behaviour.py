"""What the URL's path asks for: `name`, `name=argument`, or `name=argument@method`."""

import contextlib
import threading
import time

from . import catalogue, releases
from .orm import Fault, traceback_of
from .web import Sessions

#: Who logs in, where a test names no others.
LOGIN = "admin"

#: After so many wrong logins from an address good ones are refused too, for so many seconds.
FAILURES, COOL_DOWN = 5, 60

#: How long a stall lasts at most; the client is expected to go away earlier.
STALL = 60


class Wish:
    def __init__(self, segment):
        head, _, self.method = segment.partition("@")
        self.name, _, self.argument = head.partition("=")

    def concerns(self, method):
        return self.method in ("", method)


class Behaviour:
    """The wishes of one path, and the data that they shape."""

    #: Seconds since 1970 by this Odoo's clock, where a test sets it.
    clock = None
    #: Called in the server's thread before each request is answered.
    interrupt = None
    #: The id of the user that logs in, and the password of each id.
    uid = 2
    users = {2: "admin"}
    #: The ids of other logins, and the databases of users who do not see the same.
    logins, sights = {}, {}

    def __init__(self, prefix):
        self.prefix = prefix
        self.troubles = 0
        self.wishes = [Wish(segment) for segment in prefix.split("/") if segment]
        release = self.argument("version", None)
        rows = self.argument("rows", None)
        self.release = int(release or 19)
        self.version = releases.version(self.release)
        self.counts_failures = bool(release)
        #: Wrong logins by source address: how many, and when the last one was.
        self.failures = {}
        #: Logins that Odoo need not check again, as long as its worker lives.
        self.known_logins = set()
        self.sessions = Sessions(self)
        #: As whom methods were called.
        self.asked = []
        # `workers=2`: so many requests at a time.
        workers = self.argument("workers", None)
        self.workers = threading.Semaphore(int(workers)) if workers else contextlib.nullcontext()
        if release:
            self.database = releases.database(int(release))
            self.database.has_load = int(release) >= 15
            self.database.release = int(release)
        else:
            self.database = catalogue.database(int(rows)) if rows else catalogue.database()
        drop = self.argument("without", None)
        if drop:
            model, _, field = drop.partition(":")
            if field:
                del self.database.models[model].fields[field]
            else:
                del self.database.models[model]
        hidden = self.argument("hide", None)
        if hidden:
            # As a record rule does: the record is there, search does not give it.
            model, _, id = hidden.partition(":")
            del self.database.models[model].records[int(id)]

        uuid = self.argument("uuid", None)
        if uuid:
            self.database.models["ir.config_parameter"].records[3]["value"] = uuid
        for name in ("denied", "broken", "private", "unsearchable", "odd"):
            setattr(self.database, name, self.argument(name, None))
        # `languages=fr_FR,de_DE` are installed besides English, `speaks=fr_FR` is the user's.
        installed = self.argument("languages", None)
        self.database.languages = ("en_US", *(installed or "fr_FR").split(","))
        self.database.language = self.argument("speaks", None) or "en_US"
        # `poison=model:id:field`: that value cannot be computed; `most=100`: no read of more.
        poison = self.argument("poison", None)
        self.database.poison = poison.split(":") if poison else None
        self.database.most = int(self.argument("most", None) or 0)
        # Seconds that a read takes for each record.
        self.database.heavy = float(self.argument("heavy", None) or 0)
        if self.wish("strange"):
            catalogue.make_strange(self.database)

    @property
    def now(self):
        """Seconds since 1970: where no test sets the clock, it stands at the latest change."""
        return self.clock or self.database.latest_change

    def counts(self, is_web):
        """From 16 on calls over RPC do not know where they come from."""
        return self.counts_failures and (is_web or self.release <= 15)

    def is_cooling_down(self, source, is_web=False):
        if not self.counts(is_web):
            return False
        count, last = self.failures.get(source, (0, 0))
        return count >= FAILURES and time.monotonic() - last < COOL_DOWN

    def note_login(self, source, is_welcome, is_web=False):
        if is_welcome:
            self.failures.pop(source, None)
        elif self.counts(is_web):
            self.failures[source] = (self.failures.get(source, (0, 0))[0] + 1, time.monotonic())
        return is_welcome

    def user(self, login, secret):
        """The id of who logs in; without a login, of whom an API key is."""
        if login is None:
            return next((uid for uid in (self.uid, *self.users) if self.users.get(uid) == secret), self.uid)
        return self.uid if login == LOGIN else self.logins.get(login)

    def is_password(self, uid, secret):
        """`hash=0.5`: to find out takes a worker so many seconds."""
        time.sleep(float(self.argument("hash", None) or 0))
        return self.users.get(uid) == secret

    def forbids(self, path):
        """`forbids=res.partner:read`: of a method, to the web client."""
        return path == f"dataset/call_kw/{(self.argument('forbids', None) or '').replace(':', '/')}"

    def set_passwords(self, passwords, uid=2):
        """Others from now on. Odoo's workers forget the old ones."""
        self.uid, self.users = uid, passwords
        self.known_logins.clear()

    def turn(self, *segments):
        """Other wishes from now on, whose troubles are counted from the beginning."""
        self.wishes, self.troubles = [Wish(segment) for segment in segments], 0

    def wish(self, name, method=""):
        return next((w for w in self.wishes if w.name == name and w.concerns(method)), None)

    def argument(self, name, method):
        wish = next(
            (w for w in self.wishes if w.name == name and (method is None or w.concerns(method))), None
        )
        return wish.argument if wish else None

    def still_troubled(self):
        """Troubles last, unless `passing=2:name` says how many of them there are."""
        passing = self.argument("passing", None)
        if not passing:
            return True
        self.troubles += 1
        return self.troubles <= int(passing.partition(":")[0])

    def before(self, method):
        """Faults that are raised instead of an answer."""
        if self.interrupt:
            self.interrupt()
        if self.wish("slow", method):
            time.sleep(float(self.argument("slow", method)))
        code = self.argument("fault", method)
        if code and not self.still_troubled():
            return
        if code == "database":
            raise traceback_of(DATABASE_ERROR)
        if code == "1":
            raise traceback_of("odoo.exceptions.Something: it went wrong")
        if code == "2":
            raise Fault(2, "Words for the user\nand more of them")
        if code == "3":
            raise Fault(3, "Access Denied")
        if code == "4":
            raise Fault(4, "You are not allowed to access 'Product' (product.product) records.")


#: An error of Odoo's database, which has more to say than whoever asks Odoo shall know.
DATABASE_ERROR = """psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint "res_users_login_key"
DETAIL:  Key (login)=(ann@shop.example) already exists.
LINE 1: SELECT salary FROM hr_contract
               ^
HINT:  Perhaps you meant to reference the column "hr_contract.wage".
"""

#: Bodies that are not what the protocol promises.
BODIES = {
    "html": ("text/html; charset=utf-8", b"<!DOCTYPE html><html><body>Welcome</body></html>"),
    "json": ("application/json", b'{"jsonrpc": "2.0", "error": {"code": 404}}'),
    "empty": ("text/xml", b""),
    "false": (
        "text/xml",
        b"<?xml version='1.0'?><methodResponse><params><param><value><boolean>0</boolean></value>"
        b"</param></params></methodResponse>",
    ),
    "latin": (
        "text/xml",
        b"<?xml version='1.0'?><methodResponse><params><param><value><string>caf\xe9</string>"
        b"</value></param></params></methodResponse>",
    ),
    "bomb": (
        "text/xml",
        b"<?xml version='1.0'?><!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
        b"<methodResponse><params><param><value>&b;</value></param></params></methodResponse>",
    ),
    "deep": (
        "text/xml",
        b"<?xml version='1.0'?><methodResponse><params><param>"
        + b"<value><array><data>" * 100_000,
    ),
    "number": (
        "text/xml",
        b"<?xml version='1.0'?><methodResponse><params><param><value><int>1e9x</int></value>"
        b"</param></params></methodResponse>",
    ),
    "huge": (
        "text/xml",
        b"<?xml version='1.0'?><methodResponse><params><param><value><array><data><value><int>"
        + b"9" * 1_000_000
        + b"</int></value></data></array></value></param></params></methodResponse>",
    ),
}
