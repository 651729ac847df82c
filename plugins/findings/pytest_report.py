"""The finding that a pytest report carries."""

from __future__ import annotations

import pytest

from plugins.findings.finding import Finding


def attach(report: pytest.TestReport, finding: Finding) -> pytest.TestReport:
    """Make a report carry a finding."""
    report.finding = finding  # type: ignore[attr-defined]
    return report


def finding_in(report: object) -> Finding | None:
    """The finding that a report carries, if any."""
    found = getattr(report, "finding", None)
    return found if isinstance(found, Finding) else None
