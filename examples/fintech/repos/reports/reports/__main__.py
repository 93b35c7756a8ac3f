"""`python3 -m reports PAYMENTS REPORT`."""

import json
import sys

from reports import settlement, writer


def main(payments, report):
    with open(payments, encoding="utf-8") as file:
        rows = settlement.settle(json.load(file))
    writer.write(report, rows)
    print(len(rows), "rows written")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python3 -m reports PAYMENTS REPORT")
    main(sys.argv[1], sys.argv[2])
