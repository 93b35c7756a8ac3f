"""Refunds that wait for a second pair of eyes."""

VERSION = "1.4.0"
