import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from admin import refunds
from admin.__main__ import main


def refund(name, amount_minor, asked_by="ana", approved_by=()):
    return {
        "id": name,
        "amount_minor": amount_minor,
        "currency": "EUR",
        "asked_by": asked_by,
        "approved_by": list(approved_by),
    }


class FourEyes(unittest.TestCase):
    def test_nobody_approves_their_own_refund(self):
        book = {"ref-1": refund("ref-1", 100)}
        with self.assertRaises(refunds.Refused):
            refunds.approve(book, "ref-1", "ana")

    def test_large_refunds_need_two_people(self):
        book = {"ref-1": refund("ref-1", 50_001)}
        self.assertFalse(refunds.approve(book, "ref-1", "dana"))
        with self.assertRaises(refunds.Refused):
            refunds.approve(book, "ref-1", "dana")
        self.assertTrue(refunds.approve(book, "ref-1", "eli"))
        self.assertEqual(refunds.waiting(book), [])

    def test_the_largest_waits_on_top(self):
        book = {"a": refund("a", 5), "b": refund("b", 900), "c": refund("c", 7, approved_by=["eli"])}
        self.assertEqual([row["id"] for row in refunds.waiting(book)], ["b", "a"])

    def test_amounts_are_written_with_two_digits(self):
        self.assertEqual(refunds.amount(refund("a", 1205)), "12.05 EUR")


class CommandLine(unittest.TestCase):
    def test_an_approval_is_saved(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "refunds.json"
            file.write_text(json.dumps([refund("ref-1", 100)]), encoding="utf-8")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(main([str(file), "approve", "ref-1", "--as", "dana"]), 0)
                self.assertEqual(main([str(file), "list"]), 0)
            self.assertEqual(out.getvalue(), "complete\n")
            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(main([str(file), "approve", "ref-1", "--as", "dana"]), 1)


if __name__ == "__main__":
    unittest.main()
