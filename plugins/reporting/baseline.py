"""``--baseline``: what is new, unchanged and resolved since an earlier run, by finding id; see docs/baseline.md.

The earlier reports are read once, in the process that writes reports. Of each account the newest audit among them counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugins.audit import run as run_plugin
from plugins.audit.run import run_of
from plugins.findings.finding import Finding
from plugins.findings.pytest_report import attach, finding_in
from plugins.options.options import options_of
from plugins.outputs.formats import baseline_endings
from plugins.reporting.coverage import coverage_of
from plugins.roles import is_worker
from plugins.text import timestamp, visible

NEW, UNCHANGED, RESOLVED = "new", "unchanged", "resolved"
SHOWN = 25


class EarlierFinding(msgspec.Struct, frozen=True):
    """A finding of an earlier report, as json and jsonl have it."""

    id: str = msgspec.field(name="Finding ID")
    status: str = msgspec.field(name="Status")
    account: str = msgspec.field(name="Account Number")
    check: str = msgspec.field(name="Check ID")
    region: str = msgspec.field(name="Region")
    resource: str = msgspec.field(name="Resource ID")
    arn: str = msgspec.field(name="Resource ARN")
    type: str = msgspec.field(name="Resource Type")
    message: str = msgspec.field(name="Message")
    time: str = msgspec.field(name="Timestamp")


@dataclass
class Audit:
    """The newest earlier audit of an account."""

    time: str = ""
    statuses: dict[str, str] = field(default_factory=dict)
    """Finding id -> status."""
    failed: dict[str, EarlierFinding] = field(default_factory=dict)
    """Its failures that this run has not come across yet."""


def load(paths: Iterable[Path], before: str = "") -> dict[str, Audit]:
    """Account -> its newest audit in reports, lists of them and folders. Raises pytest.UsageError.

    ``before``: when this run began (as reports have it), which may have left reports of its own in these folders.
    """
    audits: dict[str, Audit] = {}
    for path in paths:
        for file in _files(path):
            for one in _read(file):
                if before and one.time >= before:
                    continue
                audit = audits.setdefault(one.account, Audit())
                if one.time > audit.time:
                    audit = audits[one.account] = Audit(one.time)
                if one.time == audit.time:
                    audit.statuses[one.id] = one.status.upper()
                    if one.status == "FAIL":
                        audit.failed[one.id] = one
    return audits


def _files(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    endings, others = baseline_endings()
    found = [one for one in sorted(path.iterdir()) if one.name.endswith(endings) and not one.name.endswith(others)]
    if not found:
        raise pytest.UsageError(f"--baseline: {path} has no json or jsonl report")
    return found


def _read(path: Path) -> Iterator[EarlierFinding]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise pytest.UsageError(f"--baseline: {path} cannot be read: {error.strerror}") from None
    place = str(path)
    try:
        if path.suffix != ".jsonl" and data.lstrip()[:1] != b"{":
            yield from msgspec.json.decode(data, type=list[EarlierFinding])
            return
        decoder = msgspec.json.Decoder(EarlierFinding)
        for number, line in enumerate(data.splitlines(), 1):
            place = f"{path}, line {number}"
            if line.strip():
                yield decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise pytest.UsageError(f"--baseline: {place}: not a json or jsonl report of this suite ({reason})") from None


def compared(status: str, earlier: str) -> str:
    """The mark of a finding, by its status now and in the baseline ("" when it was not there).

    An accepted failure (WARNING) is still the same failure: accepting it changes nothing about the resource, and a
    failure that is accepted no longer is new.
    """
    if status == earlier or (status, earlier) == ("WARNING", "FAIL"):
        return UNCHANGED
    return RESOLVED if status == "PASS" and earlier in ("FAIL", "WARNING") else NEW


class Baseline:
    """Marks findings, and adds what is gone to the reports."""

    def __init__(self, config: pytest.Config, audits: dict[str, Audit]) -> None:
        self.config = config
        self.options = options_of(config)
        self.audits = audits
        self.times = sorted({audit.time for audit in audits.values()})
        self.failures: Counter[str] = Counter()
        """The FAIL findings of the run, by mark."""
        self.new_by_severity: Counter[str] = Counter()
        """Severity -> new FAIL and ERROR findings."""
        self.new: list[str] = []
        self.resolved: list[str] = []
        self.gone = self.not_looked_at = self.resolved_count = 0
        self.missing: list[str] = []
        self._last = ("", "")

    def mark(self, finding: Finding) -> str:
        """What a finding is in comparison with the baseline."""
        audit = self.audits.get(finding.account)
        if audit is None:
            return NEW
        audit.failed.pop(finding.id, None)
        return compared(finding.status, audit.statuses.get(finding.id, ""))

    def _count(self, finding: Finding) -> None:
        if finding.is_failure and finding.baseline == NEW:
            self.new_by_severity[finding.check.severity] += 1
        if finding.status == "FAIL":
            self.failures[finding.baseline] += 1
            if finding.baseline == NEW and len(self.new) < SHOWN:
                self.new.append(_line(finding.check.severity, finding.check.id, finding.region, finding.resource_id))
        if finding.baseline == RESOLVED:
            self._resolved(finding, "")

    def _resolved(self, finding: Finding, why: str) -> None:
        self.resolved_count += 1
        if len(self.resolved) < SHOWN:
            check = finding.check
            self.resolved.append(_line(check.severity, check.id, finding.region, finding.resource_id) + why)

    # -- hooks ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Mark the finding of a report before anyone else sees it."""
        finding = finding_in(report)
        if finding is not None:
            finding = replace(finding, baseline=self.mark(finding))
            attach(report, finding)
            if self._last[0] != finding.nodeid:
                self._count(finding)
            self._last = (finding.nodeid, finding.baseline)
        if self._last[0] == report.nodeid:
            report.user_properties.append(("baseline", self._last[1]))
        return (yield)

    def has_new(self, severities: Sequence[str]) -> bool:
        """Whether anything of these severities fails, or could not be evaluated, that the baseline has not."""
        return any(self.new_by_severity[severity] for severity in severities)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what changed."""
        for line in self.summary():
            terminalreporter.write_line(line)

    # -- what is gone --------------------------------------------------------------------------------------------

    def account_done(self, account: str) -> list[Finding]:
        """What failed in the baseline and is gone, as INFO findings for the reports of an account."""
        audit = self.audits.get(account)
        run = run_of(self.config)
        if audit is None or run is None:
            self.missing += [account] if run is not None else []
            return []
        found = [gone for earlier in audit.failed.values() if (gone := self._gone(run, earlier)) is not None]
        self.gone += len(found)
        self.not_looked_at += len(audit.failed) - len(found)
        audit.failed.clear()
        for finding in found:
            self._resolved(finding, " (gone)")
        return found

    def _gone(self, run: run_plugin.Run, earlier: EarlierFinding) -> Finding | None:
        """The finding that says so, or None when this run has not looked at all that the check might be about."""
        account = run.account(earlier.account)
        check = run.plan.checks.get(earlier.check)
        coverage = coverage_of(self.config)
        if account is None or check is None or coverage is None or run.cut is not None:
            return None
        kind = check.resource
        is_global = kind is not None and kind.scope == "global"
        if earlier.region not in account.regions and not is_global:
            return None
        if coverage.of(account.id).gap(check, earlier.region):
            return None
        message = f"failed on {earlier.time[:10]} and is gone, or nothing to judge any more: {earlier.message}"
        return Finding(
            check=check, status="INFO", message=message, account=account.id, account_name=account.name,
            profile=account.profile, partition=account.partition, region=earlier.region,
            resource_id=earlier.resource, resource_arn=earlier.arn, resource_type=earlier.type, timestamp=run.now,
            known_id=earlier.id, baseline=RESOLVED,
        )  # fmt: skip

    # -- summary -------------------------------------------------------------------------------------------------

    def summary(self) -> list[str]:
        """The lines of the summary."""
        when = " to ".join(dict.fromkeys([self.times[0], self.times[-1]])) if self.times else "nothing"
        gone = f" ({self.gone} gone)" if self.gone else ""
        lines = [
            "",
            f"compared with the baseline of {when}: {self.failures[NEW]} new failures,"
            f" {self.failures[UNCHANGED]} unchanged, {self.resolved_count} resolved{gone}",
        ]
        for title, shown, count in (
            ("new failures", self.new, self.failures[NEW]), ("resolved", self.resolved, self.resolved_count),
        ):  # fmt: skip
            if shown:
                lines += [title, *shown]
            if count > len(shown):
                lines.append(f"  and {count - len(shown)} more, see the reports")
        if self.not_looked_at:
            lines.append(f"{self.not_looked_at} failures of the baseline are not among what this run looked at")
        if self.missing:
            lines.append(f"not in the baseline: {', '.join(map(visible, self.missing))}")
        return lines


def _line(severity: str, check: str, region: str, resource: str) -> str:
    return f"  {severity:<9} {check:<9} {region}  {visible(resource)}"


KEY = pytest.StashKey[Baseline]()


def baseline_of(config: pytest.Config) -> Baseline | None:
    """The baseline of this run, in the process that writes reports."""
    return config.stash.get(KEY, None)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the baseline before AWS is asked anything."""
    options = options_of(config)
    if options.fail_on_new and not options.baselines:
        raise pytest.UsageError("--fail-on-new needs --baseline: say which earlier report to compare with")
    listing = options.list_checks or options.list_groups or config.option.collectonly
    if options.baselines and not listing and not is_worker(config):
        started = config.stash.get(run_plugin.STARTED, None)
        audits = load(options.baselines, timestamp(started) if started is not None else "")
        found = config.stash[KEY] = Baseline(config, audits)
        config.pluginmanager.register(found, "auditest-baseline")
