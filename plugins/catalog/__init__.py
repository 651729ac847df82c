"""``from plugins.catalog import check``: what a test file needs to hold checks."""

from plugins.catalog.checks import NotEvaluated, check

__all__ = ["NotEvaluated", "check"]
