"""Lines for the accountant's file."""

import moneyfmt


def line(refund):
    """A refund as the accountant reads it."""
    amount = moneyfmt.format_minor(refund["amount_minor"], refund["currency"])
    return f"{refund['id']};{amount}"


def amount_of(line):
    """Amount and currency of a line."""
    return moneyfmt.parse_minor(line.split(";")[1])
