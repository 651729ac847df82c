"""From test reports to report files: every finding of the run passes here once, in whichever process it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins import hooks
from plugins.audit.run import Run, reporting_run
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered
from plugins.findings.pytest_report import finding_in
from plugins.findings.tally import Tally
from plugins.options.options import options_of, require_output_directory
from plugins.reporting import coverage as coverage_module
from plugins.reporting.baseline import baseline_of
from plugins.reporting.classic import Classic
from plugins.reporting.coverage import live_coverage


class Reporter:
    """Hands findings to the tally and to the writers of their account."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config = config
        self.options = options_of(config)
        self.run = run
        self.tally = Tally()
        self.classic: Classic | None = None
        self.files: list[str] = []
        self.troubles: list[str] = []
        """Why reports are incomplete."""
        self._writers: dict[str, list[Any]] = {}
        self._seen: dict[str, set[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the finding out of a report, and tell of it if it was not seen before."""
        finding = finding_in(report)
        if finding is None:
            return
        seen = self._seen.setdefault(finding.account, set())
        if finding.nodeid in seen:
            return
        seen.add(finding.nodeid)
        try:
            self.config.hook.pytest_audit_finding(config=self.config, finding=finding, report=report)
        except OSError as error:
            # a full disk, most likely: what goes on now would be missing in the reports
            pytest.exit(self.trouble(error))

    @pytest.hookimpl(tryfirst=True)
    def pytest_audit_finding(self, finding: Finding) -> None:
        """Count a finding, and hand it to the classic report and the writers. Raises OSError."""
        self.tally.add(finding)
        self.run.outcomes.add(finding)
        self.run.usage.add(finding)
        if finding.account in self.run.finished or (self.options.only_fails and not finding.is_failure):
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

            name = self.run.report_name(account)
            writers = writers_for(self.options.formats, self.options.output_directory, name, account)
            self._writers[account] = writers
        return writers

    @pytest.hookimpl(tryfirst=True)
    def pytest_audit_account_done(self, account: str) -> list[Path]:
        """Finish the reports of an account that has no more findings; those that are finished."""
        baseline = baseline_of(self.config)
        if baseline is not None:
            for finding in baseline.account_done(account):
                written = self.options.only_fails or account in self.run.finished
                for writer in [] if written else self._writers_of(account):
                    writer.write(finding)
        self._seen.pop(account, None)
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
        return files

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
            self.config.hook.pytest_audit_account_done(config=self.config, account=account)


KEY = pytest.StashKey[Reporter]()


def reporter_of(config: pytest.Config) -> Reporter | None:
    """The reporter; there is none on workers."""
    return config.stash.get(KEY, None)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks of plugins.hooks."""
    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Open for findings, except on workers, whose findings travel to the controller."""
    config = session.config
    run = reporting_run(config)
    if run is None:
        return
    reporter = config.stash[KEY] = Reporter(config, run)
    if reporter.options.formats:
        require_output_directory(reporter.options)
    config.pluginmanager.register(reporter, "auditest-reporter")
    coverage = config.stash[coverage_module.KEY] = live_coverage(reporter.run, reporter.tally)
    config.pluginmanager.register(coverage, "auditest-coverage")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Finish the files, also after Ctrl-C."""
    reporter = reporter_of(session.config)
    if reporter is not None:
        reporter.close()
        if reporter.troubles:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
