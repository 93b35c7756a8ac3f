"""Where a transfer is, for customers."""
