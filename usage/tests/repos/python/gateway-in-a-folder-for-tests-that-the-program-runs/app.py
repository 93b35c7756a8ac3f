import testing.run
