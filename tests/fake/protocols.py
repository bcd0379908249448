"""How requests and answers are written: XML-RPC, JSON-RPC, JSON-2. The web client's protocol has a file of its own."""

import json
import xmlrpc.client

from .orm import FRAME, traceback_of

#: What Odoo raises for each code of XML-RPC.
EXCEPTIONS = {
    1: "builtins.ValueError",
    2: "odoo.exceptions.UserError",
    3: "odoo.exceptions.AccessDenied",
    4: "odoo.exceptions.AccessError",
}


def exception(fault):
    """As `serialize_exception` writes it: a traceback is in `debug`, what was raised the message."""
    name, message = EXCEPTIONS[fault.code], fault.text
    if fault.code == 1:
        message = fault.text.partition(FRAME)[2].partition(": ")[2].strip()
    return {"name": name, "message": message, "arguments": [message], "context": {}, "debug": fault.text}


class XmlRpc:
    name = "xmlrpc"
    content_type = "text/xml"
    separator = "/xmlrpc/2/"

    def read(self, service, body, headers):
        params, method = xmlrpc.client.loads(body, use_builtin_types=True)
        return service, method, list(params)

    def result(self, value):
        try:
            return 200, xmlrpc.client.dumps((value,), methodresponse=True, allow_none=False).encode()
        except TypeError as error:
            # The method has run; only its result cannot be written.
            return self.fault(traceback_of(f"TypeError: {error}"))

    def fault(self, fault):
        return 200, xmlrpc.client.dumps(xmlrpc.client.Fault(fault.code, fault.text)).encode()


class JsonRpc:
    name = "jsonrpc"
    content_type = "application/json; charset=utf-8"
    separator = "/jsonrpc"

    def read(self, _, body, headers):
        call = json.loads(body)
        assert call["jsonrpc"] == "2.0"
        params = call["params"]
        return params["service"], params["method"], params["args"]

    def result(self, value):
        return 200, json.dumps({"jsonrpc": "2.0", "id": None, "result": value}).encode()

    def fault(self, fault):
        error = {"code": 0, "message": "Odoo Server Error", "data": exception(fault)}
        return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()


class Json2:
    name = "json2"
    content_type = "application/json; charset=utf-8"
    separator = "/json/2/"

    def read(self, path, body, headers):
        """As XML-RPC's: database, user, secret, model, method, arguments by name."""
        model, _, method = path.partition("/")
        kwargs = json.loads(body)
        secret = headers["Authorization"].removeprefix("bearer ")
        return "object", "execute_kw", [headers["X-Odoo-Database"], None, secret, model, method, [], kwargs]

    def result(self, value):
        return 200, json.dumps(value).encode()

    def fault(self, fault):
        if fault.code == 3:
            status = 401
            body = {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}
        elif fault.code == 2 and fault.text.startswith("Object "):
            status = 404
            body = {"name": "werkzeug.exceptions.NotFound",
                    "message": f"the model {fault.text.split()[1]!r} does not exist"}
        else:
            status = {1: 500, 2: 422, 4: 403}[fault.code]
            body = exception(fault)
        return status, json.dumps(body).encode()
