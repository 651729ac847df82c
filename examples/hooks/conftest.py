"""An example of hooks: counts the new failures of each account, see docs/hooks.md."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.findings.finding import Finding

FAILURES = pytest.StashKey[dict[str, Counter[str]]]()


def failures_of(config: pytest.Config) -> dict[str, Counter[str]]:
    """Account -> its failures by severity."""
    if FAILURES not in config.stash:
        config.stash[FAILURES] = {}
    return config.stash[FAILURES]


def pytest_audit_finding(config: pytest.Config, finding: Finding) -> None:
    """Count what fails and is not known from the baseline."""
    if finding.status == "FAIL" and finding.baseline != "unchanged":
        failures_of(config).setdefault(finding.account, Counter())[finding.check.severity] += 1


def pytest_audit_account_done(config: pytest.Config, account: str) -> list[Path]:
    """Leave the counts beside the reports."""
    file = Path(config.getoption("output_directory") or "reports", f"failures-{account}.json")
    file.write_text(json.dumps(failures_of(config).pop(account, {}), sort_keys=True))
    return [file]
