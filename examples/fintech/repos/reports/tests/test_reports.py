import os
import pathlib
import tempfile
import unittest

from reports import settlement, writer


def payment(amount_minor, status="captured", merchant="m-1"):
    return {"merchant": merchant, "currency": "EUR", "amount_minor": amount_minor, "status": status}


class Settlement(unittest.TestCase):
    def test_fees_are_taken_from_each_payment(self):
        self.assertEqual(settlement.settle([payment(10_000), payment(50)]), [("m-1", "EUR", 2, 10_050, 141, 9_909)])

    def test_refunds_go_back_in_full(self):
        rows = settlement.settle([payment(10_000), payment(10_000, "refunded")])
        self.assertEqual(rows, [("m-1", "EUR", 2, 0, 140, -140)])

    def test_payments_that_failed_dont_count(self):
        self.assertEqual(settlement.settle([payment(1, "declined")]), [])

    def test_merchants_are_kept_apart(self):
        self.assertEqual(len(settlement.settle([payment(1), payment(1, merchant="m-2")])), 2)


class Writer(unittest.TestCase):
    def test_the_report_is_csv_that_others_can_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.csv"
            writer.write(path, [("m-1", "EUR", 1, 100, 1, 99)])
            self.assertEqual(path.read_text(encoding="utf-8").splitlines()[1], "m-1,EUR,1,100,1,99")
            self.assertTrue(os.stat(path).st_mode & 0o044)


if __name__ == "__main__":
    unittest.main()
