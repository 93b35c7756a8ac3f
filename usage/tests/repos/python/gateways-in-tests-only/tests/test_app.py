from unittest import mock
import pickle

mock.patch("json.loads")
