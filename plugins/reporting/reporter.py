"""From test reports to report files: every finding of the run passes here once, in whichever process it was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from plugins.audit import run as run_plugin
from plugins.audit.run import run_of
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered
from plugins.findings.pytest_report import finding_in
from plugins.findings.tally import Tally
from plugins.options.options import options_of, require_output_directory
from plugins.reporting.classic import Classic


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
        self.options = options_of(config)
        self.run = run_of(config)
        self.tally = Tally()
        self.classic: Classic | None = None
        self.files: list[str] = []
        self.troubles: list[str] = []
        """Why reports are incomplete."""
        self.baseline: Comparison | None = None
        """What the findings are compared with (plugins.reporting.baseline)."""
        self.ledger: Follower | None = None
        """What keeps account of complete accounts (plugins.at_scale.complete_accounts)."""
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
            from plugins.outputs.formats import writers_for

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


def reporter_of(config: pytest.Config) -> Reporter | None:
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
    reporter = reporter_of(session.config)
    if reporter is not None:
        reporter.close()
        if reporter.troubles:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
