"""A proxy in front of Odoo that keeps each request as it came."""

import http.client
import json
import threading
import xmlrpc.client
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

#: Headers of one hop.
HOP = ("connection", "transfer-encoding", "content-length", "host")


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    #: The client's connection that it came by.
    connection: int = 0

    def call(self):
        """Model, method and ids, whatever the protocol; the ids are `None` for methods of the model,
        and the model is empty for what is not a model's."""
        if self.path.startswith("/json/2/"):
            model, method = self.path.removeprefix("/json/2/").split("/")
            return model, method, json.loads(self.body).get("ids")
        if self.path.startswith("/web/dataset/call_kw/"):
            params = json.loads(self.body)["params"]
            ids = params["args"][0] if params["method"] == "read" else None
            return params["model"], params["method"], ids
        if self.path == "/jsonrpc":
            params = json.loads(self.body)["params"]
            service, name, arguments = params["service"], params["method"], params["args"]
        elif self.path.startswith("/xmlrpc/2/"):
            service, (arguments, name) = self.path.removeprefix("/xmlrpc/2/"), xmlrpc.client.loads(self.body)
        else:
            return "", self.path, None
        if service != "object":
            return "", name, None
        model, method, positional = arguments[3:6]
        return model, method, positional[0] if method == "read" else None

    def send(self, connection):
        connection.request(self.method, self.path, self.body or None, self.headers)
        return connection.getresponse()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.odoo = http.client.HTTPConnection(self.server.odoo, timeout=120)

    def finish(self):
        self.odoo.close()
        super().finish()

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        request = Request(self.command, self.path, headers, body, self.client_address[1])
        self.server.requests.append(request)
        answer = request.send(self.odoo)
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = relay

    def log_message(self, *_):
        pass


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, url):
        super().__init__(("127.0.0.1", 0), Handler)
        self.odoo = urlsplit(url).netloc
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def proxy(url):
    server = Proxy(url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
