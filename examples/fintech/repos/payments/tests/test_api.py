import http.client
import json
import threading
import unittest

from payments.api import make_server
from payments.backends import MemoryLedger
from payments.service import Payments

REQUEST = {"account": "acc-7", "amount_minor": 1999, "currency": "EUR", "card_token": "tok_1"}


class Api(unittest.TestCase):
    def setUp(self):
        self.ledger = MemoryLedger()
        self.server = make_server(0, Payments(self.ledger))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, path, body and json.dumps(body), headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())

    def test_a_payment_is_taken_and_booked_once_per_key(self):
        first = self.call("POST", "/v1/payments", REQUEST, {"Idempotency-Key": "k1"})
        again = self.call("POST", "/v1/payments", REQUEST, {"Idempotency-Key": "k1"})
        self.assertEqual((first[0], again[0]), (201, 200))
        self.assertEqual(first[2], again[2])
        self.assertEqual(first[2]["amount_minor"], 1999)
        self.assertEqual(len(self.ledger.entries), 1)

    def test_a_payment_can_be_looked_up(self):
        taken = self.call("POST", "/v1/payments", REQUEST, {"Idempotency-Key": "k2"})[2]
        status, headers, found = self.call("GET", "/v1/payments/" + taken["id"])
        self.assertEqual((status, found), (200, taken))
        self.assertTrue(headers["Content-Type"].startswith("application/json"))

    def test_unknown_payments_are_404(self):
        self.assertEqual(self.call("GET", "/v1/payments/pay-0")[0], 404)

    def test_bad_requests_are_refused_and_not_booked(self):
        for change in ({"amount_minor": 1.5}, {"card_token": "4111111111111111"}, {"account": 7}):
            answer = self.call("POST", "/v1/payments", {**REQUEST, **change}, {"Idempotency-Key": "k3"})
            self.assertEqual(answer[0], 422)
        self.assertEqual(self.call("POST", "/v1/payments", REQUEST)[0], 422)
        self.assertEqual(self.ledger.entries, [])


if __name__ == "__main__":
    unittest.main()
