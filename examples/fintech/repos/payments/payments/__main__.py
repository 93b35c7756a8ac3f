"""Starts the service: `python3 -m payments --port 8081 --ledger URL`."""

import argparse

from payments.api import make_server
from payments.backends import HttpLedger, HttpRates, MemoryLedger
from payments.service import Payments

DEMO_PAYMENT = {
    "account": "acc-1001",
    "amount_minor": 1250,
    "currency": "EUR",
    "card_token": "tok_demo",
}


def main():
    parser = argparse.ArgumentParser(prog="payments")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--ledger", required=True, help="URL of the ledger, or `memory`")
    parser.add_argument("--fx-rates", help="URL of fx-rates")
    parser.add_argument("--seed", choices=["demo"], help="start with one known payment, pay-1001")
    options = parser.parse_args()
    ledger = MemoryLedger() if options.ledger == "memory" else HttpLedger(options.ledger)
    rates = HttpRates(options.fx_rates) if options.fx_rates else None
    payments = Payments(ledger, rates)
    if options.seed:
        payments.take("seed", DEMO_PAYMENT)
    make_server(options.port, payments).serve_forever()


if __name__ == "__main__":
    main()
