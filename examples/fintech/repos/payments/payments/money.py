"""Amounts of money: integers in the currency's minor unit."""

MINOR_DIGITS = {"EUR": 2, "GBP": 2, "USD": 2, "JPY": 0}
RATE_SCALE = 1_000_000


class MoneyError(ValueError):
    """The amount or currency can't be accepted."""


def check_amount(amount_minor, currency):
    """Returns the amount, or raises MoneyError: whole, positive, known currency."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise MoneyError("amount_minor must be a whole number")
    if amount_minor <= 0:
        raise MoneyError("amount_minor must be positive")
    if currency not in MINOR_DIGITS:
        raise MoneyError("unknown currency")
    return amount_minor


def convert(amount_minor, source, target, rate_millionths):
    """Converts with a rate in millionths, rounding half to even on the target's minor unit."""
    shift = MINOR_DIGITS[target] - MINOR_DIGITS[source]
    numerator = amount_minor * rate_millionths
    denominator = RATE_SCALE
    if shift >= 0:
        numerator *= 10**shift
    else:
        denominator *= 10**-shift
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2):
        quotient += 1
    return quotient
