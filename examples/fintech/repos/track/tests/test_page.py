import unittest

from track.page import page


class Page(unittest.TestCase):
    def test_it_tells_the_station(self):
        self.assertIn("passed it on", page("t-1", "cleared", True))

    def test_names_are_escaped(self):
        self.assertNotIn("<b>", page("<b>", "cleared", True))

    def test_it_says_when_it_may_be_old(self):
        self.assertIn("few minutes old", page("t-1", "cleared", False))
