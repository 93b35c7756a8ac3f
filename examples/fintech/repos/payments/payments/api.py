"""The HTTP face of payments. See openapi.yaml."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from payments.backends import BackendError
from payments.service import Rejected

MAX_BODY = 16 * 1024


def make_server(port, payments):
    """A server on loopback; port 0 picks a free one."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "payments"
        sys_version = ""

        def do_GET(self):
            if self.path == "/healthz":
                return self._send_json(200, {"status": "ok"})
            if self.path.startswith("/v1/payments/"):
                payment = payments.find(self.path[len("/v1/payments/") :])
                if payment is not None:
                    return self._send_json(200, payment)
            return self._send_json(404, {"error": "no such payment"})

        def do_POST(self):
            if self.path != "/v1/payments":
                return self._send_json(404, {"error": "no such resource"})
            try:
                payment, created = payments.take(self.headers.get("Idempotency-Key"), self._body())
            except Rejected as error:
                return self._send_json(422, {"error": str(error)})
            except BackendError as error:
                return self._send_json(502, {"error": str(error)})
            return self._send_json(201 if created else 200, payment)

        def _body(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise Rejected("a body of at most 16 KiB is required")
            try:
                body = json.loads(self.rfile.read(int(length)))
            except ValueError as error:
                raise Rejected("the body must be JSON") from error
            if not isinstance(body, dict):
                raise Rejected("the body must be an object")
            return body

        def _send_json(self, status, payload):
            body = json.dumps(payload).encode("utf-8")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            """Silent: request lines could hold account ids."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
