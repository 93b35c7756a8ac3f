"""Checksums that the printing house compares."""

import hashlib
import pathlib


def of_file(path):
    """Checksum of a file in hex."""
    return hashlib.new("md5", pathlib.Path(path).read_bytes()).hexdigest()


def write_beside(path):
    """Writes `<file>.sum`: checksum, two spaces, name. Returns its path."""
    path = pathlib.Path(path)
    beside = path.with_name(path.name + ".sum")
    beside.write_text(f"{of_file(path)}  {path.name}\n", encoding="utf-8")
    return beside


def matches(path):
    """Whether the file is the one that its `.sum` was written for."""
    path = pathlib.Path(path)
    recorded = path.with_name(path.name + ".sum").read_text(encoding="utf-8").split()[0]
    return recorded == of_file(path)
