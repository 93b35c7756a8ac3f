import unittest

from admin import receipts


class ReceiptsTest(unittest.TestCase):
    def test_the_amount_of_a_line_is_read(self):
        self.assertEqual(receipts.amount_of("R-1;1250.00 EUR"), (125000, "EUR"))


if __name__ == "__main__":
    unittest.main()
