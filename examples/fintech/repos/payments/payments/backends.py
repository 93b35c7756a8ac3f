"""The services that payments relies on: the ledger and the exchange rates."""

import json

import urllib3


class BackendError(RuntimeError):
    """A service that we rely on didn't answer as agreed."""


class HttpLedger:
    """Books payments in the ledger service."""

    def __init__(self, base_url, pool=None):
        self._url = base_url.rstrip("/") + "/v1/entries"
        self._pool = pool or urllib3.PoolManager(timeout=urllib3.Timeout(total=3.0), retries=False)

    def book(self, payment):
        """Books one payment; returns the ledger's entry id."""
        body = {
            "reference": payment["id"],
            "account": payment["account"],
            "amount_minor": payment["amount_minor"],
            "currency": payment["currency"],
        }
        try:
            answer = self._pool.request(
                "POST", self._url, body=json.dumps(body), headers={"Content-Type": "application/json"}
            )
        except urllib3.exceptions.HTTPError as error:
            raise BackendError("ledger can't be reached") from error
        if answer.status != 201:
            raise BackendError(f"ledger answered {answer.status}")
        return json.loads(answer.data)["entry_id"]


class MemoryLedger:
    """Books payments in memory: for development and contract checks."""

    def __init__(self):
        self.entries = []

    def book(self, payment):
        """Books one payment; returns the entry id."""
        self.entries.append(dict(payment))
        return f"entry-{len(self.entries)}"


class HttpRates:
    """Asks the fx-rates service."""

    def __init__(self, base_url, pool=None):
        self._url = base_url.rstrip("/")
        self._pool = pool or urllib3.PoolManager(timeout=urllib3.Timeout(total=2.0), retries=False)

    def rate_millionths(self, source, target):
        """One unit of `source` in millionths of `target`."""
        try:
            answer = self._pool.request("GET", f"{self._url}/v1/rates/{source}/{target}")
        except urllib3.exceptions.HTTPError as error:
            raise BackendError("fx-rates can't be reached") from error
        if answer.status != 200:
            raise BackendError(f"fx-rates answered {answer.status}")
        return json.loads(answer.data)["rate_millionths"]
