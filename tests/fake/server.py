"""HTTP: the transport, whole or broken."""

import contextlib
import gzip
import json
import socket
import ssl
import sys
import threading
import time
import weakref
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .behaviour import BODIES, STALL, Behaviour
from .orm import Fault, traceback_of
from .protocols import Json2, JsonRpc, XmlRpc
from .web import Expired, NotThere, Web, authenticated

DATABASE = "demo"


PROTOCOLS = [XmlRpc(), JsonRpc(), Json2(), Web()]


def of_path(path):
    """The protocol that a path belongs to, what stands before it and what behind."""
    for protocol in PROTOCOLS:
        prefix, found, rest = path.rpartition(protocol.separator)
        if found:
            return protocol, prefix, rest
    return None, path, ""


@lru_cache(maxsize=64)
def behaviour_of(prefix):
    return Behaviour(prefix)


class Handler(BaseHTTPRequestHandler):
    behaviour = None
    protocol_version = "HTTP/1.1"
    server_version = "FakeOdoo"
    compresses = True
    # Head and body are two writes; the client would acknowledge the first one late.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        """The header `Date`."""
        if timestamp is None and self.behaviour:
            timestamp = self.behaviour.now
        return super().date_time_string(timestamp)

    def send_missing(self, release):
        """An address that is not there: 14 and 15 take what is sent as JSON for JSON-RPC."""
        if release >= 16:
            return self.send_whole(404, "text/html", b"<html>Not Found</html>")
        error = {"code": 404, "message": "404: Not Found", "data": {"debug": ""}}
        self.send_whole(404, "application/json", json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())

    def do_POST(self):
        protocol, prefix, rest = of_path(self.path)
        request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if protocol is None or protocol.name in (behaviour_of(prefix).argument("off", None) or "").split(","):
            return self.send_whole(404, "text/html", b"<html>Not Found</html>")
        if protocol.name == "json2" and behaviour_of(prefix).release < 19:
            return self.send_missing(behaviour_of(prefix).release)
        with behaviour_of(prefix).workers:
            self.serve(protocol, prefix, rest, request)

    def serve(self, protocol, prefix, rest, request):
        if protocol.name == "web" and behaviour_of(prefix).forbids(rest):
            return self.send_whole(403, "text/html", b"<html>Forbidden</html>")
        self.content_type, self.cookies = protocol.content_type, {}
        service, method, params = protocol.read(rest, request, self.headers)
        sessions = behaviour_of(prefix).sessions
        if service == "session":
            behaviour_of(prefix).before(method)
            sessions.end(self.headers)
            return self.send_whole(*self.written(protocol.result(None)))
        if protocol.name == "web" and service == "object":
            try:
                session, user = sessions.enter(self.headers)
            except Expired:
                return self.send_whole(*self.written(protocol.expired()))
            except NotThere:
                return self.send_missing(behaviour_of(prefix).release)
            self.cookies = sessions.header(session, session != sessions.sent(self.headers))
            params[:3] = DATABASE, *user
        if protocol.name == "json2" and params[4] == "context_get":
            # JSON-2 has no service for it.
            service, method, params = "common", "authenticate", [params[0], None, params[2]]
        if service == "object":
            # The client asks for its companies once, before anything that it has a context for.
            # That has a name of its own, so that `stall@read` means the records.
            method = params[4]
            if not any("context" in options for options in params[6:]):
                method += "_at_login"
        self.server.calls.append((method, prefix))
        self.behaviour = behaviour = behaviour_of(prefix)
        try:
            behaviour.before(method)
            is_cooling_down = behaviour.is_cooling_down(self.client_address[0], True)
            result = self.dispatch(behaviour, service, method, params, protocol.name == "web")
            if protocol.name == "json2" and method == "authenticate":
                if not result:
                    raise Fault(3, "Access Denied")
                result = {"uid": result, "lang": "en_US"}
            if protocol.name == "web" and method == "authenticate":
                uid, result = result, authenticated(behaviour, result, is_cooling_down)
                self.cookies = sessions.header(sessions.begin((uid, params[2])), True)
            status, body = self.encode(protocol, result)
        except Fault as fault:
            status, body = protocol.told(fault, behaviour.release) if protocol.name == "web" else protocol.fault(fault)
        self.answer(behaviour, method, status, body)

    def do_GET(self):
        prefix, found, _ = self.path.rpartition("/json/version")
        self.behaviour = behaviour = behaviour_of(prefix)
        if not found or "json2" in (behaviour.argument("off", None) or "").split(","):
            return self.send_whole(404, "text/html", b"<html>Not Found</html>")
        self.content_type, self.cookies = "application/json; charset=utf-8", {}
        self.server.calls.append(("version", prefix))
        try:
            behaviour.before("version")
            version = behaviour.version
            told = {"version": version["server_version"], "version_info": version["server_version_info"]}
            status, body = 200, json.dumps(told).encode()
        except Fault as fault:
            status, body = 500, json.dumps({"name": "builtins.ValueError", "message": fault.text}).encode()
        self.answer(behaviour, "version", status, body)

    def encode(self, protocol, result):
        return protocol.result(result)

    def dispatch(self, behaviour, service, method, params, is_web=False):
        if service == "common" and method == "version":
            return behaviour.version
        if params[0] != DATABASE:
            raise traceback_of(
                f'psycopg2.OperationalError: connection to server failed: FATAL:  database "{params[0]}" does not exist'
            )
        source = self.client_address[0]
        uid = params[1]
        if service == "common" or uid is None:
            uid = behaviour.user(params[1], params[2])
        if service == "common":
            # Whatever was wrong: `authenticate` has no words.
            is_welcome = behaviour.is_password(uid, params[2])
            if behaviour.argument("factor", None) and not is_web:
                # Such users need a key there.
                is_welcome = False
            is_let_in = not behaviour.is_cooling_down(source, is_web) and behaviour.note_login(source, is_welcome, is_web)
            return uid if is_let_in else False
        known = (params[0], params[1], params[2])
        if known not in behaviour.known_logins:
            if behaviour.is_cooling_down(source):
                raise Fault(3, "Too many login failures, please wait a bit before trying again.")
            if uid not in behaviour.users and uid > 0:
                # An id that is nobody's is a missing record, before it is a wrong user.
                raise Fault(2, f"Record does not exist or has been deleted.\n(Record: res.users({uid},), User: {uid})")
            if not behaviour.note_login(source, behaviour.is_password(uid, params[2])):
                raise Fault(3, "Access Denied")
            behaviour.known_logins.add(known)
        _, _, _, model, method, args, *kwargs = params
        behaviour.asked.append((uid, method))
        database = behaviour.sights.get(uid, behaviour.database)
        return database.execute(model, method, args, kwargs[0] if kwargs else {})

    def answer(self, behaviour, method, status, body):
        wish = next((w for w in behaviour.wishes if w.concerns(method) and w.name in ACTIONS), None)
        if wish and behaviour.still_troubled():
            self.retry_after = behaviour.argument("after", method)
            return ACTIONS[wish.name](self, wish.argument, body)
        return self.send_whole(status, self.content_type, body, **self.cookies)

    def written(self, answer):
        status, body = answer
        return status, self.content_type, body

    def send_whole(self, status, content_type, body, **headers):
        if self.compresses and "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000:
            body = gzip.compress(body, 1)
            self.server.compressed += 1
            headers["Content-Encoding"] = "gzip"
        self.send_head(status, content_type, len(body), **headers)
        self.wfile.write(body)

    def send_head(self, status, content_type, length, **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    # What a server, a proxy or a network may do to an answer.

    def stall(self, _, body):
        self.wait(STALL)

    def stall_body(self, _, body):
        self.send_head(200, self.content_type, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.wait(STALL)

    def drip(self, _, body):
        self.send_head(200, self.content_type, len(body))
        begin = time.monotonic()
        for index in range(len(body)):
            if time.monotonic() - begin > STALL:
                break
            self.wfile.write(body[index : index + 1])
            self.wfile.flush()
            self.wait(0.1)

    def cut(self, _, body):
        self.send_head(200, self.content_type, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def reset(self, _, body):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def status(self, code, body):
        page = f"<html><h1>{code} from a proxy</h1></html>".encode()
        after = {"Retry-After": self.retry_after} if self.retry_after else {}
        self.send_whole(int(code), "text/html", page, **after)

    def redirect(self, target, body):
        self.send_whole(302, "text/html", b"", Location=f"http://{target or 'elsewhere.example'}/")

    def body(self, name, body):
        self.send_whole(200, *BODIES[name])

    def endless(self, _, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"<?xml version='1.0'?><methodResponse><params><param><value><string>")
        begin = time.monotonic()
        while time.monotonic() - begin < STALL:
            self.wfile.write(b"endless " * 8192)

    def wait(self, seconds):
        """Sleeps, but not longer than the client stays."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionError("the client went away")
        except (TimeoutError, ValueError, ssl.SSLError):
            pass
        finally:
            self.connection.settimeout(None)


ACTIONS = {
    "stall": Handler.stall,
    "stall-body": Handler.stall_body,
    "drip": Handler.drip,
    "cut": Handler.cut,
    "reset": Handler.reset,
    "status": Handler.status,
    "redirect": Handler.redirect,
    "body": Handler.body,
    "endless": Handler.endless,
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port=0, certificate=None, handler=Handler):
        super().__init__(("127.0.0.1", port), handler)
        self.calls = []
        self.connections = self.compressed = 0
        self.open = weakref.WeakSet()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def port(self):
        return self.server_address[1]

    def process_request(self, request, client_address):
        self.connections += 1
        self.open.add(request)
        super().process_request(request, client_address)

    def kill(self):
        """Ends it with all its connections, as the end of its process does."""
        self.shutdown()
        self.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        # Clients that go away are what the tests are about.
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)

    def run(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


class Unconnectable:
    """A port that neither accepts nor refuses: its queue of connections is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    @property
    def port(self):
        return self.listener.getsockname()[1]


def main():
    """Runs until its standard input ends; says its ports in one line of JSON."""
    plain = Server().run()
    deaf = Unconnectable()
    ports = {"plain": plain.port, "deaf": deaf.port}
    if len(sys.argv) > 1:
        ports["tls"] = Server(certificate=sys.argv[1]).run().port
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
