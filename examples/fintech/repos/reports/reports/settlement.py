"""What each merchant gets."""

FEE_BP = 140
BP = 10_000


def fee(amount_minor):
    """Our fee on one payment in minor units, rounded half up; never negative."""
    return max(0, (amount_minor * FEE_BP + BP // 2) // BP)


def settle(payments):
    """Rows (merchant, currency, payments, gross, fees, net), by merchant. Refunds count as negative."""
    totals = {}
    for payment in payments:
        if payment["status"] not in ("captured", "refunded"):
            continue
        sign = -1 if payment["status"] == "refunded" else 1
        key = payment["merchant"], payment["currency"]
        count, gross, fees = totals.get(key, (0, 0, 0))
        amount = sign * payment["amount_minor"]
        totals[key] = count + 1, gross + amount, fees + fee(amount)
    return [
        (merchant, currency, count, gross, fees, gross - fees)
        for (merchant, currency), (count, gross, fees) in sorted(totals.items())
    ]
