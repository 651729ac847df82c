"""What a check found, and the numbers that come of it."""
