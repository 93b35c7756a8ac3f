"""The clearing house's feed: where it last saw a transfer."""

import json

import urllib3


class FeedError(RuntimeError):
    """The feed didn't answer as agreed."""


class Feed:
    """Asks the feed, and remembers what it said last."""

    def __init__(self, base_url, pool=None):
        self._url = base_url.rstrip("/") + "/v1/transfers/"
        self._pool = pool or urllib3.PoolManager(timeout=urllib3.Timeout(total=2.0), retries=False)
        self._last = {}

    def station(self, transfer):
        """The station of a transfer, and whether it is fresh."""
        try:
            answer = self._pool.request("GET", self._url + transfer)
        except urllib3.exceptions.HTTPError:
            return self._remembered(transfer)
        if answer.status == 404:
            raise FeedError("no such transfer")
        if answer.status != 200:
            return self._remembered(transfer)
        self._last[transfer] = json.loads(answer.data)["station"]
        return self._last[transfer], True

    def _remembered(self, transfer):
        if transfer not in self._last:
            raise FeedError("the feed doesn't answer")
        return self._last[transfer], False
