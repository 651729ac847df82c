"""One process: enter accounts, list resources, make items, run them."""
