"""``-n``: workers here and on other hosts."""
