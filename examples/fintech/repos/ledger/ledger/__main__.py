"""Starts the service: `python3 -m ledger --port 8083 --database FILE`."""

import argparse

from ledger.api import make_server
from ledger.store import Store


def main():
    parser = argparse.ArgumentParser(prog="ledger")
    parser.add_argument("--port", type=int, default=8083)
    parser.add_argument("--database", required=True, help="SQLite file, or `:memory:`")
    parser.add_argument("--seed", choices=["demo"], help="start with one known booking on acc-1001")
    options = parser.parse_args()
    store = Store(options.database)
    if options.seed:
        store.book("pay-1000", "acc-1001", 1250, "EUR")
    make_server(options.port, store).serve_forever()


if __name__ == "__main__":
    main()
