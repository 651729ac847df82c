"""pytest hooks of auditest, for plugins and conftest.py files: what an audit finds, while it finds it.

They are called in the process that reports: with ``-n`` that is the controller, never a worker. A plugin implements them
like pytest's own hooks::

    def pytest_audit_finding(finding):
        if finding.status == "FAIL" and finding.check.severity == "critical":
            page_somebody(finding.id)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.findings.finding import Finding


@pytest.hookspec
def pytest_audit_finding(config: pytest.Config, finding: Finding, report: pytest.TestReport) -> None:
    """A finding, each once, marked by the comparison with ``--baseline`` where there is one.

    :param finding: the verdict of a check on a resource (``plugins.findings.finding.Finding``)
    :param report: the pytest report that carries it; with ``-n`` its ``node`` is the worker

    An implementation that raises OSError ends the run: what goes on would be missing in the reports.
    """


@pytest.hookspec
def pytest_audit_account_done(config: pytest.Config, account: str) -> list[Path] | None:
    """Nothing more comes of an account: everything was run, or the run ends.

    :param account: the account's id
    :returns: files that were finished of it, such as reports

    Whether all of it was evaluated is what ``plugins.reporting.coverage.Coverage`` says.
    """
