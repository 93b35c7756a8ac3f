"""A service with sessions, state and noise; the tests change it by replacing text."""
import datetime
import http.server
import json
import random
import time
import uuid

ORDERS = {}


def order(number):
    return {
        "id": str(uuid.uuid4()),
        "number": number,
        "count": 3,
        "note": None,
        "total": "12.50",
        "created": "2020-01-02T03:04:05Z",
        "updated": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds"),
        "seen": int(time.time()),
        "load": round(random.uniform(0.1, 0.9), 3),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value=None, headers=()):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("X-Request-Id", str(uuid.uuid4()))
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Vary", "Accept")
        for name, text in headers:
            self.send_header(name, text)
        if value is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/login":
            cookie = "sid=%032x; Path=/; HttpOnly; SameSite=Lax" % random.getrandbits(128)
            return self.answer(200, {"ok": True}, [("Set-Cookie", cookie)])
        made = order(random.randrange(1000, 9999))
        ORDERS[made["id"]] = made
        self.answer(201, made, [("Location", "/orders/" + made["id"])])

    def do_DELETE(self):
        known = ORDERS.pop(self.path.rsplit("/", 1)[-1], None)
        self.answer(204 if known else 404)

    def do_GET(self):
        if self.path == "/":
            return self.answer(200, {"ready": True})
        if "sid=" not in self.headers.get("Cookie", ""):
            return self.answer(401, {"error": {"code": "no_session"}})
        if self.path == "/me":
            return self.answer(200, {"login": "ann", "roles": ["admin", "user"]})
        if self.path == "/orders":
            return self.answer(200, {"items": [order(number) for number in [3, 1, 2]], "page": 1})
        if self.path == "/tags":
            tags = ["red", "green", "blue", "black", "white"]
            random.shuffle(tags)
            return self.answer(200, tags)
        found = ORDERS.get(self.path.rsplit("/", 1)[-1])
        if found is None:
            return self.answer(404, {"error": {"code": "not_found"}})
        self.answer(200, found)


http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
