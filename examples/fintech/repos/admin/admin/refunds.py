"""Refunds and who may approve them."""

import json
import os

LIMIT_MINOR = 50_000


class Refused(ValueError):
    """The approval isn't allowed; the text is for the person."""


def load(path):
    """Refunds by id."""
    with open(path, encoding="utf-8") as file:
        return {refund["id"]: refund for refund in json.load(file)}


def save(path, refunds):
    """Replaces the file at once, so that a crash leaves the old one."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(list(refunds.values()), file, indent=2)
    os.replace(temporary, path)


def waiting(refunds):
    """Refunds without their last approval, largest first."""
    rows = [refund for refund in refunds.values() if len(refund["approved_by"]) < needed(refund)]
    return sorted(rows, key=lambda refund: (-refund["amount_minor"], refund["id"]))


def needed(refund):
    """One approval; two above the limit."""
    return 2 if refund["amount_minor"] > LIMIT_MINOR else 1


def approve(refunds, refund_id, person):
    """Adds an approval; returns whether the refund is now complete."""
    refund = refunds.get(refund_id)
    if refund is None:
        raise Refused(f"no refund `{refund_id}`")
    if person == refund["asked_by"]:
        raise Refused("nobody approves their own refund")
    if person in refund["approved_by"]:
        raise Refused(f"{person} has approved it already")
    refund["approved_by"].append(person)
    return len(refund["approved_by"]) >= needed(refund)


def amount(refund):
    """`1250 EUR` as people write it. All our refund currencies have two digits."""
    whole, minor = divmod(refund["amount_minor"], 100)
    return f"{whole}.{minor:02} {refund['currency']}"
