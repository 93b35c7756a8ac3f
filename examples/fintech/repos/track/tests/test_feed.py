import json
import unittest

import urllib3

from track.feed import Feed, FeedError


class Answer:
    def __init__(self, status, body):
        self.status = status
        self.data = json.dumps(body).encode()


class Pool:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.urls = []

    def request(self, method, url):
        self.urls.append((method, url))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Stations(unittest.TestCase):
    def test_the_feed_is_asked_about_the_transfer(self):
        pool = Pool(Answer(200, {"station": "cleared"}))
        self.assertEqual(Feed("http://feed/", pool).station("t-1"), ("cleared", True))
        self.assertEqual(pool.urls, [("GET", "http://feed/v1/transfers/t-1")])

    def test_what_it_said_last_is_told_while_it_is_silent(self):
        pool = Pool(Answer(200, {"station": "received"}), urllib3.exceptions.ProtocolError("reset"), Answer(503, {}))
        feed = Feed("http://feed", pool)
        feed.station("t-1")
        self.assertEqual(feed.station("t-1"), ("received", False))
        self.assertEqual(feed.station("t-1"), ("received", False))

    def test_an_unknown_transfer_is_an_error(self):
        with self.assertRaises(FeedError):
            Feed("http://feed", Pool(Answer(404, {}))).station("t-9")

    def test_a_closed_port_is_an_error_of_ours(self):
        with self.assertRaises(FeedError):
            Feed("http://127.0.0.1:9").station("t-1")
