import http.client
import json
import threading
import unittest

from ledger.api import make_server
from ledger.store import Store

BOOKING = {"reference": "pay-9", "account": "acc-9", "amount_minor": 450, "currency": "EUR"}


class Api(unittest.TestCase):
    def setUp(self):
        store = Store(":memory:")
        self.server = make_server(0, store)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(store.close)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, path, body and json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_bookings_show_in_the_balance(self):
        self.assertEqual(self.call("POST", "/v1/entries", BOOKING)[0], 201)
        self.assertEqual(self.call("POST", "/v1/entries", BOOKING)[0], 200)
        status, body = self.call("GET", "/v1/accounts/acc-9/balance?currency=EUR")
        self.assertEqual((status, body["balance_minor"]), (200, -450))

    def test_transactions_are_listed(self):
        self.call("POST", "/v1/entries", BOOKING)
        status, body = self.call("GET", "/v1/accounts/acc-9/transactions?limit=5")
        self.assertEqual((status, len(body["transactions"])), (200, 1))

    def test_bad_requests_are_refused(self):
        self.assertEqual(self.call("POST", "/v1/entries", {**BOOKING, "amount_minor": 4.5})[0], 422)
        self.assertEqual(self.call("POST", "/v1/entries", {"account": "acc-9"})[0], 422)
        self.assertEqual(self.call("GET", "/v1/accounts/acc-9/transactions?limit=0")[0], 422)
        self.assertEqual(self.call("GET", "/v2")[0], 404)


if __name__ == "__main__":
    unittest.main()
