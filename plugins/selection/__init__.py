"""Which checks run."""
