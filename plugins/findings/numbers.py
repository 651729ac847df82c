"""--numbered: check numbers that sort as text, 1.01 for 1.1."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding

LONG_CHAPTERS = frozenset({"7"})
"""Chapters with more than 99 checks, whose numbers take three digits: 7.003 and 7.100."""


def padded(number: str) -> str:
    """The number of a check with zeros in front of its second part; what has no such form stays as it is."""
    parts = re.fullmatch(r"(\d+)\.(\d+)", number)
    return f"{parts[1]}.{parts[2].zfill(3 if parts[1] in LONG_CHAPTERS else 2)}" if parts else number


@functools.lru_cache(maxsize=1024)
def _numbered(check: Check) -> Check:
    return replace(check, number=padded(check.number))


def numbered(finding: Finding) -> Finding:
    """The finding with a padded check number. A requirement keeps the number that its framework gives it."""
    return finding if finding.check.is_requirement else replace(finding, check=_numbered(finding.check))
