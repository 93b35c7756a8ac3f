"""One account's statement as CSV."""

import csv
import io

HEADINGS = {
    "en": ["date", "reference", "amount", "balance"],
    "de": ["Datum", "Verwendungszweck", "Betrag", "Saldo"],
}
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def render(account, entries, settings):
    """CSV text: entries by date with a running balance, in major units."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS.get(settings["language"], HEADINGS["en"]))
    balance = 0
    own = [entry for entry in entries if entry["account"] == account]
    for entry in sorted(own, key=lambda entry: (entry["date"], entry["reference"])):
        balance += entry["amount_minor"]
        currency = entry["currency"]
        row = [entry["date"], safe(entry["reference"])]
        row += [money(entry["amount_minor"], currency, settings), money(balance, currency, settings)]
        writer.writerow(row)
    return out.getvalue()


def money(amount_minor, currency, settings):
    """`-1205` as `-12.05`, with the symbol where the settings ask for it."""
    sign = "-" if amount_minor < 0 else ""
    whole, minor = divmod(abs(amount_minor), 100)
    symbol = SYMBOLS.get(currency, "") if settings["currency_symbol"] else ""
    return f"{sign}{symbol}{whole}.{minor:02}"


def safe(text):
    """Keeps spreadsheets from taking a customer's text as a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
