"""What --resume takes over of an account besides its reports: its findings, told again to whoever needs all of a run's
findings, and its calls in a recording.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from fixtures.recording.writer import keep, left_calls
from plugins.at_scale.account_record import AccountRecord
from plugins.at_scale.findings_file import findings_in
from plugins.audit.execution import needs_full_reports, reports_of
from plugins.audit.run import Run
from plugins.findings.finding import Finding
from plugins.findings.verdict import Verdict
from plugins.options.values import Options


def needs_findings(config: pytest.Config, options: Options) -> bool:
    """Whether somebody besides the reports needs all findings of a run: Security Hub, --baseline, pytest's own reports."""
    return options.security_hub or bool(options.baselines) or needs_full_reports(config)


def tell_again(config: pytest.Config, run: Run, folder: Path, record: AccountRecord) -> None:
    """Report the findings of an account that an earlier run has finished, as if they were found now.

    Raises OSError or ValueError when their file cannot be read.
    """
    full = needs_full_reports(config)
    for finding in findings_in(folder / record.findings):
        known = run.plan.check(finding.check.id)
        finding.__dict__["check"] = known  # with the function, which a file cannot carry
        for report in reports_of(_location(finding), finding, _verdict(finding), time.time(), full):
            config.hook.pytest_runtest_logreport(report=report)
    config.hook.pytest_audit_account_done(config=config, account=record.account)


def _location(finding: Finding) -> tuple[str, int | None, str]:
    path, _, name = finding.nodeid.partition("::")
    code = getattr(finding.check.function, "__code__", None)
    return path, code.co_firstlineno - 1 if code is not None else 0, name


def _verdict(finding: Finding) -> Verdict:
    return Verdict(finding.status, finding.message, accepted=finding.accepted, entries=tuple(finding.entries))


def keep_calls(run: Run, records: dict[str, AccountRecord]) -> set[str]:
    """With --record, keep the calls of finished accounts that an earlier run has recorded.

    The accounts of which calls are missing: they have to be audited again. Raises OSError.
    """
    recorder, target = run.recorder(), run.options.record
    if recorder is None or target is None:
        return set()
    found: Counter[str] = left_calls(target, recorder.part)
    lost = {id for id, record in records.items() if not 0 < record.calls <= found[id]}
    keep(target, records.keys() - lost, recorder.part)
    return lost
