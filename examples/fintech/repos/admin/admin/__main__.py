"""The command line: `python3 -m admin FILE list | approve ID --as PERSON`."""

import argparse
import sys

from admin import VERSION, refunds


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="admin")
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("file")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    approve = commands.add_parser("approve")
    approve.add_argument("refund")
    approve.add_argument("--as", dest="person", required=True)
    options = parser.parse_args(arguments)
    book = refunds.load(options.file)
    if options.command == "list":
        for refund in refunds.waiting(book):
            print(refund["id"], refunds.amount(refund), "asked by", refund["asked_by"])
        return 0
    try:
        complete = refunds.approve(book, options.refund, options.person)
    except refunds.Refused as error:
        print(error, file=sys.stderr)
        return 1
    refunds.save(options.file, book)
    print("complete" if complete else "one more approval needed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
