import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from statements import checksum, settings, statement
from statements.__main__ import run

CONFIG = pathlib.Path(__file__).resolve().parent.parent / "config" / "statements.yaml"


def entry(date, amount_minor, reference="rent", account="acc-1"):
    return {
        "account": account,
        "date": date,
        "reference": reference,
        "amount_minor": amount_minor,
        "currency": "EUR",
    }


class Statement(unittest.TestCase):
    def test_the_balance_runs_by_date(self):
        entries = [entry("2026-02-02", -500), entry("2026-02-01", 1205), entry("2026-02-01", 9, account="acc-2")]
        text = statement.render("acc-1", entries, settings.DEFAULTS)
        self.assertEqual(
            text.splitlines()[1:], ["2026-02-01,rent,12.05,12.05", "2026-02-02,rent,-5.00,7.05"]
        )

    def test_formulas_are_defused(self):
        text = statement.render("acc-1", [entry("2026-02-01", 1, "=1+1")], settings.DEFAULTS)
        self.assertIn("'=1+1", text)

    def test_symbols_are_optional(self):
        self.assertEqual(statement.money(-5, "EUR", {"currency_symbol": True}), "-€0.05")


class Settings(unittest.TestCase):
    def test_the_shipped_file_can_be_read(self):
        self.assertEqual(settings.parse(CONFIG.read_text(encoding="utf-8"))["keep_months"], 84)

    def test_unknown_names_and_odd_values_are_refused(self):
        for text in ("colour: red", "debug: yes", "keep_months: many"):
            with self.assertRaises(settings.SettingsError):
                settings.parse(text)


class Job(unittest.TestCase):
    def test_each_account_gets_a_statement_and_a_checksum(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            entries = [entry("2026-02-01", 100), entry("2026-02-01", 200, account="acc-2")]
            (folder / "entries.json").write_text(json.dumps(entries), encoding="utf-8")
            with contextlib.redirect_stderr(io.StringIO()):
                written = run(folder / "entries.json", folder / "out", CONFIG)
            self.assertEqual([path.name for path in written], ["acc-1.csv", "acc-2.csv"])
            self.assertTrue(checksum.matches(written[0]))

    def test_a_file_that_was_cut_short_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "acc-1.csv"
            path.write_text("date,amount\n2026-02-01,1.00\n", encoding="utf-8")
            checksum.write_beside(path)
            path.write_text("date,amount\n", encoding="utf-8")
            self.assertFalse(checksum.matches(path))


if __name__ == "__main__":
    unittest.main()
