"""The page that customers see."""

import html

STATIONS = {
    "received": "We have your transfer.",
    "cleared": "The clearing house has passed it on.",
    "delivered": "It has arrived.",
}


def page(transfer, station, fresh):
    """The page as HTML."""
    text = STATIONS.get(station, "It is on its way.")
    note = "" if fresh else "<p>This may be a few minutes old.</p>"
    return f"<!doctype html><title>Transfer</title><h1>{html.escape(transfer)}</h1><p>{text}</p>{note}"
