import json
import unittest

import urllib3

from payments.backends import BackendError, HttpLedger, HttpRates

PAYMENT = {"id": "pay-1", "account": "acc-1", "amount_minor": 5, "currency": "EUR"}


class Answer:
    def __init__(self, status, body):
        self.status = status
        self.data = json.dumps(body).encode()


class Pool:
    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    def request(self, method, url, **rest):
        self.requests.append((method, url, rest))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Ledger(unittest.TestCase):
    def test_it_books_the_amount_in_minor_units(self):
        pool = Pool(Answer(201, {"entry_id": "e-9"}))
        self.assertEqual(HttpLedger("http://ledger/", pool).book(PAYMENT), "e-9")
        method, url, rest = pool.requests[0]
        self.assertEqual((method, url), ("POST", "http://ledger/v1/entries"))
        self.assertEqual(json.loads(rest["body"])["amount_minor"], 5)

    def test_other_answers_are_errors(self):
        with self.assertRaises(BackendError):
            HttpLedger("http://ledger", Pool(Answer(500, {}))).book(PAYMENT)

    def test_a_closed_port_is_an_error_of_ours(self):
        with self.assertRaises(BackendError):
            HttpLedger("http://127.0.0.1:9").book(PAYMENT)

    def test_it_doesnt_retry_bookings(self):
        pool = Pool(urllib3.exceptions.ProtocolError("reset"))
        with self.assertRaises(BackendError):
            HttpLedger("http://ledger", pool).book(PAYMENT)
        self.assertEqual(len(pool.requests), 1)


class Rates(unittest.TestCase):
    def test_it_reads_the_rate(self):
        pool = Pool(Answer(200, {"rate_millionths": 1_080_000}))
        self.assertEqual(HttpRates("http://fx", pool).rate_millionths("EUR", "USD"), 1_080_000)


if __name__ == "__main__":
    unittest.main()
