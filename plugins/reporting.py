"""From test reports to report files: every finding of the run passes here once, in whichever process it was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from plugins import options as options_plugin
from plugins import run as run_plugin
from plugins.classic import Classic
from plugins.findings import Finding, properties_of, unpacked
from plugins.numbered import numbered
from plugins.options import require_output_directory
from plugins.tally import Tally

REPORT_TYPE = "AuditestReport"
OWN_PROPERTIES = 6
"""User properties of a report that the finding gives back by itself; more come from the user's own test."""


def attach(report: pytest.TestReport, finding: Finding) -> pytest.TestReport:
    """Make a report carry a finding."""
    report.finding = finding  # type: ignore[attr-defined]
    return report


def finding_in(report: object) -> Finding | None:
    """The finding that a report carries, if any."""
    found = getattr(report, "finding", None)
    return found if isinstance(found, Finding) else None


@pytest.hookimpl(tryfirst=True)
def pytest_report_to_serializable(config: pytest.Config, report: object) -> dict[str, Any] | None:
    """A report with a finding, small: it goes from a worker to the controller thousands of times."""
    finding = finding_in(report)
    if finding is None or not isinstance(report, pytest.TestReport):
        return None
    longrepr = report.longrepr
    if longrepr is not None and not isinstance(longrepr, tuple):
        longrepr = None if longrepr == finding.message else str(longrepr)
    parcel = {
        "finding": finding.packed(),
        "location": report.location,
        "outcome": report.outcome,
        "longrepr": longrepr,
        "when": report.when,
        "start": report.start,
        "wasxfail": getattr(report, "wasxfail", None),
        "sections": report.sections,
        "properties": report.user_properties if len(report.user_properties) > OWN_PROPERTIES else None,
    }
    # xdist packs nested values in Python; one piece of JSON is ten times quicker
    return {"$report_type": REPORT_TYPE, "parcel": json.dumps(parcel)}


@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(config: pytest.Config, data: dict[str, Any]) -> pytest.TestReport | None:
    """The other end of pytest_report_to_serializable."""
    if data.get("$report_type") != REPORT_TYPE:
        return None
    run = run_plugin.of(config)
    assert run is not None
    parcel = json.loads(data["parcel"])
    packed = parcel["finding"]
    finding = unpacked(run.plan.check(packed[0]), packed)
    longrepr = parcel["longrepr"]
    if isinstance(longrepr, list):
        longrepr = tuple(longrepr)
    elif longrepr is None and parcel["outcome"] == "failed":
        longrepr = finding.message
    report = pytest.TestReport(
        finding.nodeid, tuple(parcel["location"]), {finding.check.id: 1}, parcel["outcome"], longrepr, parcel["when"],
        sections=parcel["sections"], duration=finding.duration,
        start=parcel["start"], stop=parcel["start"] + finding.duration,
        user_properties=[tuple(pair) for pair in parcel["properties"] or properties_of(finding)],
    )  # fmt: skip
    if parcel["wasxfail"] is not None:
        report.wasxfail = parcel["wasxfail"]
    report.worker_id = data.get("worker_id")  # type: ignore[attr-defined]
    return attach(report, finding)


class Comparison(Protocol):
    """Knows what an earlier run found."""

    def account_done(self, account: str) -> list[Finding]:
        """Further findings of a complete account: what is gone."""
        ...

    def has_new(self, severities: Sequence[str]) -> bool:
        """Whether anything of these severities fails that the earlier run has not."""
        ...


class Follower(Protocol):
    """Follows what becomes of each account."""

    def add(self, finding: Finding) -> None:
        """A finding, seen for the first time. Raises OSError."""
        ...

    def account_done(self, account: str, files: Sequence[Path]) -> None:
        """The reports of an account are finished."""
        ...


class Reporter:
    """Hands findings to the tally and to the writers of their account."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = options_plugin.of(config)
        self.run = run_plugin.of(config)
        self.tally = Tally()
        self.classic: Classic | None = None
        self.files: list[str] = []
        self.troubles: list[str] = []
        """Why reports are incomplete."""
        self.baseline: Comparison | None = None
        """What the findings are compared with (plugins.baseline)."""
        self.ledger: Follower | None = None
        """What keeps account of complete accounts (plugins.ledger)."""
        self._writers: dict[str, list[Any]] = {}
        self._seen: dict[str, set[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the finding out of a report, if there is one that was not seen before."""
        finding = finding_in(report)
        if finding is None:
            return
        seen = self._seen.setdefault(finding.account, set())
        if finding.nodeid in seen:
            return
        seen.add(finding.nodeid)
        self.tally.add(finding)
        if self.run is not None:
            self.run.outcomes.add(finding)
            self.run.usage.add(finding)
        try:
            self._hand_on(finding)
        except OSError as error:
            # a full disk, most likely: what goes on now would be missing in the reports
            pytest.exit(self.trouble(error))

    def _hand_on(self, finding: Finding) -> None:
        """To the ledger, the classic report and the writers. Raises OSError."""
        if self.ledger is not None:
            self.ledger.add(finding)
        if self.options.only_fails and not finding.is_failure:
            return
        if self.options.numbered:
            finding = numbered(finding)
        if self.classic is not None:
            self.classic.write(finding)
        for writer in self._writers_of(finding.account):
            writer.write(finding)

    def _writers_of(self, account: str) -> list[Any]:
        writers = self._writers.get(account)
        if not self.options.formats:
            return []
        if writers is None:
            from plugins.outputs.base import writers_for

            run = self.run
            assert run is not None
            name = run.report_name(account)
            writers = writers_for(self.options.formats, self.options.output_directory, name, account)
            self._writers[account] = writers
        return writers

    def account_done(self, account: str) -> None:
        """Finish the reports of an account that has no more findings."""
        if self.baseline is not None:
            for finding in self.baseline.account_done(account):
                for writer in [] if self.options.only_fails else self._writers_of(account):
                    writer.write(finding)
        self._seen.pop(account, None)
        if self.run is not None:
            self.run.outcomes.forget(account)
        if self.classic is not None:
            self.classic.account_done(account)
        files: list[Path] = []
        for writer in self._writers.pop(account, []):
            try:
                writer.close()
                files.append(writer.path)
            except OSError as error:
                self.trouble(error)
        self.files += map(str, files)
        if self.ledger is not None and not self.troubles:
            self.ledger.account_done(account, files)

    def trouble(self, error: OSError) -> str:
        """Note why reports are incomplete, once for each reason, in words."""
        folder = self.options.output_directory
        words = f"reports in {folder} are incomplete: {error.strerror or type(error).__name__}"
        if words not in self.troubles:
            self.troubles.append(words)
        return words

    def close(self) -> None:
        """Finish all reports."""
        for account in dict.fromkeys([*self._writers, *self._seen]):
            self.account_done(account)


KEY = pytest.StashKey[Reporter]()


def of(config: pytest.Config) -> Reporter | None:
    """The reporter; there is none on workers."""
    return config.stash.get(KEY, None)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Open for findings, except on workers, whose findings travel to the controller."""
    config = session.config
    if run_plugin.reporting_run(config) is None:
        return
    reporter = config.stash[KEY] = Reporter(config)
    if reporter.options.formats:
        require_output_directory(reporter.options)
    config.pluginmanager.register(reporter, "auditest-reporter")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Finish the files, also after Ctrl-C."""
    reporter = of(session.config)
    if reporter is not None:
        reporter.close()
        if reporter.troubles:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
