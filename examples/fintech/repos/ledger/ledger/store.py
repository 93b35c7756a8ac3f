"""Bookings in SQLite."""

import sqlite3
import threading

CLEARING = "clearing"

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    booked_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE IF NOT EXISTS lines (
    entry_id INTEGER NOT NULL REFERENCES entries (id),
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS lines_by_account ON lines (account, currency);
"""


class Store:
    """The book. One connection, guarded by a lock: SQLite writes one at a time anyway."""

    def __init__(self, path):
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.Lock()
        self._db.executescript(SCHEMA)

    def close(self):
        self._db.close()

    def book(self, reference, account, amount_minor, currency):
        """Books once per reference; returns (entry id, whether it is new)."""
        with self._lock, self._db:
            row = self._db.execute("SELECT id FROM entries WHERE reference = ?", (reference,)).fetchone()
            if row:
                return row[0], False
            entry = self._db.execute("INSERT INTO entries (reference) VALUES (?)", (reference,)).lastrowid
            self._db.executemany(
                "INSERT INTO lines VALUES (?, ?, ?, ?)",
                [(entry, account, currency, -amount_minor), (entry, CLEARING, currency, amount_minor)],
            )
            return entry, True

    def balance(self, account, currency):
        """Sum of the account's lines in minor units; 0 for an account without bookings."""
        with self._lock:
            row = self._db.execute(
                "SELECT COALESCE(SUM(amount_minor), 0) FROM lines WHERE account = ? AND currency = ?",
                (account, currency),
            ).fetchone()
        return row[0]

    def transactions(self, account, limit):
        """The account's latest bookings, newest first."""
        query = f"""
            SELECT e.id, e.reference, l.currency, l.amount_minor
            FROM lines l JOIN entries e ON e.id = l.entry_id
            WHERE l.account = '{account}'
            ORDER BY e.id DESC LIMIT {limit}
        """
        with self._lock:
            rows = self._db.execute(query).fetchall()
        return [
            {"entry_id": f"entry-{entry}", "reference": reference, "currency": currency, "amount_minor": amount}
            for entry, reference, currency, amount in rows
        ]

    def imbalance(self):
        """Sum over all lines by currency; anything but 0 is a bug."""
        with self._lock:
            rows = self._db.execute("SELECT currency, SUM(amount_minor) FROM lines GROUP BY currency").fetchall()
        return {currency: total for currency, total in rows if total}
