"""Payments and the rules that they follow."""

from payments.money import MoneyError, check_amount, convert


class Rejected(ValueError):
    """The request can't be accepted; the text is for the caller."""


class Payments:
    """All payments of this process, by id and by idempotency key."""

    def __init__(self, ledger, rates=None):
        self._ledger = ledger
        self._rates = rates
        self._by_id = {}
        self._by_key = {}

    def take(self, key, request):
        """Takes a payment once per idempotency key; returns (payment, created)."""
        if not key:
            raise Rejected("Idempotency-Key is required")
        if key in self._by_key:
            return self._by_id[self._by_key[key]], False
        account = request.get("account")
        if not isinstance(account, str) or not account.startswith("acc-"):
            raise Rejected("account must be an account id")
        card = request.get("card_token")
        if not isinstance(card, str) or not card.startswith("tok_"):
            raise Rejected("card_token must be a token, never a card number")
        currency = request.get("currency")
        settlement = request.get("settlement_currency", currency)
        try:
            amount = check_amount(request.get("amount_minor"), currency)
            settled = self._settled(amount, currency, settlement)
        except MoneyError as error:
            raise Rejected(str(error)) from error
        payment = {
            "id": f"pay-{1001 + len(self._by_id)}",
            "account": account,
            "amount_minor": amount,
            "currency": currency,
            "settled_minor": settled,
            "settlement_currency": settlement,
            "status": "captured",
        }
        self._ledger.book(payment)
        self._by_id[payment["id"]] = payment
        self._by_key[key] = payment["id"]
        return payment, True

    def find(self, payment_id):
        """The payment, or None."""
        return self._by_id.get(payment_id)

    def _settled(self, amount, currency, settlement):
        if settlement == currency:
            return amount
        if self._rates is None:
            raise MoneyError("settlement in another currency isn't available")
        check_amount(1, settlement)
        return convert(amount, currency, settlement, self._rates.rate_millionths(currency, settlement))
