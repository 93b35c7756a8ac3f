"""The nightly job: `python3 -m statements ENTRIES OUT --config FILE`."""

import argparse
import json
import pathlib
import sys

from statements import checksum, settings, statement


def run(entries_file, out, config):
    """Writes a statement and checksum per account; returns the paths written."""
    chosen = settings.parse(pathlib.Path(config).read_text(encoding="utf-8"))
    entries = json.loads(pathlib.Path(entries_file).read_text(encoding="utf-8"))
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for account in sorted({entry["account"] for entry in entries}):
        path = out / f"{account}.csv"
        path.write_text(statement.render(account, entries, chosen), encoding="utf-8")
        checksum.write_beside(path)
        if chosen["debug"]:
            print(path.read_text(encoding="utf-8"), file=sys.stderr)
        written.append(path)
    return written


def main():
    parser = argparse.ArgumentParser(prog="statements")
    parser.add_argument("entries")
    parser.add_argument("out")
    parser.add_argument("--config", default="config/statements.yaml")
    options = parser.parse_args()
    print(len(run(options.entries, options.out, options.config)), "statements written")


if __name__ == "__main__":
    main()
