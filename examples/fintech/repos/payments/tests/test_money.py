import unittest

from payments.money import MoneyError, check_amount, convert


class Amounts(unittest.TestCase):
    def test_whole_positive_amounts_pass(self):
        self.assertEqual(check_amount(1, "EUR"), 1)

    def test_fractions_text_and_booleans_are_refused(self):
        for amount in (1.5, "1", True, None, 0, -1):
            with self.assertRaises(MoneyError):
                check_amount(amount, "EUR")

    def test_unknown_currencies_are_refused(self):
        with self.assertRaises(MoneyError):
            check_amount(1, "XXX")


class Conversion(unittest.TestCase):
    def test_halves_round_to_even(self):
        self.assertEqual(convert(1, "EUR", "USD", 500_000), 0)
        self.assertEqual(convert(3, "EUR", "USD", 500_000), 2)

    def test_minor_digits_differ_between_currencies(self):
        self.assertEqual(convert(1000, "EUR", "JPY", 160_000_000), 1600)
        self.assertEqual(convert(1600, "JPY", "EUR", 6_250), 1000)


if __name__ == "__main__":
    unittest.main()
