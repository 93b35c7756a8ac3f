"""The HTTP face of the ledger. See openapi.yaml."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

MAX_BODY = 16 * 1024
MAX_LIMIT = 100


class BadRequest(ValueError):
    """The request can't be accepted; the text is for the caller."""


def make_server(port, store):
    """A server on loopback; port 0 picks a free one."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "ledger"
        sys_version = ""

        def do_GET(self):
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            match url.path.strip("/").split("/"):
                case ["healthz"]:
                    return self._send_json(200, {"status": "ok"})
                case ["v1", "accounts", account, "balance"]:
                    currency = query.get("currency", ["EUR"])[0]
                    account = unquote(account)
                    balance = store.balance(account, currency)
                    return self._send_json(
                        200, {"account": account, "currency": currency, "balance_minor": balance}
                    )
                case ["v1", "accounts", account, "transactions"]:
                    limit = query.get("limit", ["20"])[0]
                    if not limit.isdecimal() or not 1 <= int(limit) <= MAX_LIMIT:
                        return self._send_json(422, {"error": f"limit must be 1 to {MAX_LIMIT}"})
                    found = store.transactions(unquote(account), int(limit))
                    return self._send_json(200, {"transactions": found})
            return self._send_json(404, {"error": "no such resource"})

        def do_POST(self):
            if self.path != "/v1/entries":
                return self._send_json(404, {"error": "no such resource"})
            try:
                entry, created = store.book(*self._booking())
            except BadRequest as error:
                return self._send_json(422, {"error": str(error)})
            return self._send_json(201 if created else 200, {"entry_id": f"entry-{entry}"})

        def _booking(self):
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise BadRequest("a body of at most 16 KiB is required")
            try:
                body = json.loads(self.rfile.read(int(length)))
                booking = [body[name] for name in ("reference", "account", "amount_minor", "currency")]
            except (ValueError, KeyError, TypeError) as error:
                raise BadRequest("reference, account, amount_minor and currency are required") from error
            reference, account, amount, currency = booking
            if not all(isinstance(text, str) and text for text in (reference, account, currency)):
                raise BadRequest("reference, account and currency must be text")
            if isinstance(amount, bool) or not isinstance(amount, int):
                raise BadRequest("amount_minor must be a whole number")
            return booking

        def _send_json(self, status, payload):
            body = json.dumps(payload).encode("utf-8")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            """Silent: request lines hold account ids."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
