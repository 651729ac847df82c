"""``from plugins.catalog import check``: what a test file needs to hold checks."""

from plugins.catalog.checks import check

__all__ = ["check"]
