import unittest

from ledger.store import CLEARING, Store


class Bookings(unittest.TestCase):
    def setUp(self):
        self.store = Store(":memory:")
        self.addCleanup(self.store.close)

    def test_a_booking_debits_the_account_and_credits_clearing(self):
        self.store.book("pay-1", "acc-1", 1250, "EUR")
        self.assertEqual(self.store.balance("acc-1", "EUR"), -1250)
        self.assertEqual(self.store.balance(CLEARING, "EUR"), 1250)
        self.assertEqual(self.store.imbalance(), {})

    def test_a_reference_is_booked_once(self):
        first, created = self.store.book("pay-1", "acc-1", 1250, "EUR")
        again, created_again = self.store.book("pay-1", "acc-1", 1250, "EUR")
        self.assertEqual((first, created, created_again), (again, True, False))
        self.assertEqual(self.store.balance("acc-1", "EUR"), -1250)

    def test_currencies_are_kept_apart(self):
        self.store.book("pay-1", "acc-1", 100, "EUR")
        self.store.book("pay-2", "acc-1", 700, "JPY")
        self.assertEqual(self.store.balance("acc-1", "JPY"), -700)

    def test_transactions_are_the_accounts_own_newest_first(self):
        self.store.book("pay-1", "acc-1", 100, "EUR")
        self.store.book("pay-2", "acc-2", 200, "EUR")
        self.store.book("pay-3", "acc-1", 300, "EUR")
        found = self.store.transactions("acc-1", 10)
        self.assertEqual([row["reference"] for row in found], ["pay-3", "pay-1"])
        self.assertEqual([row["amount_minor"] for row in found], [-300, -100])
        self.assertEqual(len(self.store.transactions("acc-1", 1)), 1)


if __name__ == "__main__":
    unittest.main()
