"""What Odoo's own web client speaks: sessions with a cookie, and calls of methods in them."""

import itertools
import json
from http.cookies import SimpleCookie

from .orm import Fault, traceback_of
from .protocols import JsonRpc

COOKIE = "session_id"


class Expired(Exception):
    """Odoo does not know the session."""


class NotThere(Exception):
    """Nor, then, which of several databases is meant, and so no such address."""


class Session:
    """Of a user, as long as the password is the one that it was begun with."""

    def __init__(self, user):
        self.user = user
        self.calls, self.names = 0, []


class Sessions:
    """The sessions of one Odoo. A path's wishes: `lasts=3` calls each, `renamed=3` after so many calls,
    `strips=answers` or `strips=requests` of their cookies, `databases=2`, `factor=2`."""

    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.numbers = itertools.count(1)
        #: By each of its names: the one before the last is still known.
        self.open = {}
        #: How many began, ended by their owner, and were asked for in vain.
        self.begun = self.ended = self.refused = 0

    def begin(self, user):
        self.begun += 1
        return self.name(Session(user))

    def name(self, session):
        id = f"session-{next(self.numbers)}"
        self.open[id] = session
        session.names.append(id)
        if len(session.names) > 2:
            self.open.pop(session.names.pop(0), None)
        return id

    def sent(self, headers):
        """The session that a request names."""
        if self.behaviour.argument("strips", None) == "requests":
            return None
        cookie = SimpleCookie(headers.get("Cookie", "")).get(COOKIE)
        return cookie.value if cookie else None

    def enter(self, headers):
        """A call in a session; its name from then on, and whose it is."""
        id = self.sent(headers)
        session = self.open.get(id)
        if not session or not self.is_valid(session):
            self.open.pop(id, None)
            self.refused += 1
            raise NotThere if self.behaviour.argument("databases", None) else Expired
        session.calls += 1
        renamed = int(self.behaviour.argument("renamed", None) or 0)
        return self.name(session) if renamed and session.calls % renamed == 0 else id, session.user

    def is_valid(self, session):
        lasts = int(self.behaviour.argument("lasts", None) or 0)
        uid, password = session.user
        return not (lasts and session.calls >= lasts) and self.behaviour.users.get(uid) == password

    def end(self, headers):
        session = self.open.get(self.sent(headers))
        if session:
            self.ended += 1
            for name in session.names:
                self.open.pop(name, None)

    def header(self, id, is_new):
        """`Set-Cookie`: up to 15 with each answer."""
        if self.behaviour.argument("strips", None) == "answers" or not (is_new or self.behaviour.release <= 15):
            return {}
        return {"Set-Cookie": f"{COOKIE}={id}; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Max-Age=604800; HttpOnly; Path=/"}


class Web(JsonRpc):
    name = "web"
    separator = "/web/"

    def read(self, path, body, headers):
        """As XML-RPC's: service, method, arguments."""
        call = json.loads(body)
        assert call["jsonrpc"] == "2.0"
        params = call["params"]
        if path == "session/authenticate":
            return "common", "authenticate", [params["db"], params["login"], params["password"], {}]
        if path == "webclient/version_info":
            return "common", "version", []
        if path == "session/destroy":
            return "session", "destroy", []
        model, method = params["model"], params["method"]
        assert path == f"dataset/call_kw/{model}/{method}"
        return "object", "execute_kw", [None, None, None, model, method, params["args"], params["kwargs"]]

    def expired(self):
        error = {"code": 100, "message": "Odoo Session Expired",
                 "data": {"name": "odoo.http.SessionExpiredException", "message": "Session expired", "debug": ""}}
        return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()

    def told(self, fault, release):
        """A model that is not there: `execute_kw` has words for it, this has none."""
        if fault.code != 2 or not fault.text.startswith(("Object ", "L'objet ")):
            return self.fault(fault)
        model = fault.text.split()[1]
        if release < 18:
            return self.fault(traceback_of(f"KeyError: '{model}'"))
        error = {"code": 404, "message": "404: Not Found",
                 "data": {"name": "werkzeug.exceptions.NotFound", "debug": "",
                          "message": "404 Not Found: The requested URL was not found on the server."}}
        return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()


def authenticated(behaviour, uid, is_cooling_down):
    """What `/web/session/authenticate` answers: a refusal has words."""
    if not uid:
        raise Fault(3, "Too many login failures, please wait a bit before trying again." if is_cooling_down else "Access Denied")
    if behaviour.argument("factor", None):
        return {"uid": None}
    return {"uid": uid, "is_system": True, "is_admin": True, **behaviour.version}
