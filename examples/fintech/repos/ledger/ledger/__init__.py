"""Double-entry bookings."""
