"""From test reports to report files: every finding of the run passes here once, in whichever process it was made."""

from __future__ import annotations

import errno
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from plugins import hooks
from plugins.audit.run import STARTED, Run, reporting_run
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered
from plugins.findings.pytest_report import finding_in
from plugins.findings.tally import Tally
from plugins.options.options import options_of, require_output_directory
from plugins.outputs.run_facts import RunFacts
from plugins.reporting import coverage as coverage_module
from plugins.reporting.baseline import baseline_of
from plugins.reporting.classic import Classic
from plugins.reporting.coverage import coverage_of, live_coverage
from plugins.reporting.run_facts import run_facts_of
from plugins.text import timestamp

MOST_RUNS = 1000
"""Runs that begin in one second and write to one folder."""


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
        self._began = time.monotonic()

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
            writers = self._writers[account] = self._opened(account)
        return writers

    def _opened(self, account: str) -> list[Any]:
        """The writers of an account. Raises OSError.

        What another run has written, or writes, under the same name (it began in the same second) stays its own. A run
        that goes on with another one, or repeats a recording, writes the same reports again; so does one that was told
        the name.
        """
        from plugins.outputs.formats import writers_for

        options = self.options
        own = bool(options.output_filename) or options.replay is not None or STARTED in self.config.stash
        usual = self.run.report_name(account, whole=True)
        for number in itertools.count(2):
            name = self.run.report_name(account)
            try:
                return writers_for(
                    options.formats, options.output_directory, name, account, facts=True, exclusive=not own
                )
            except OSError as error:
                if options.output_filename or error.errno not in (errno.EBUSY, errno.EEXIST) or number > MOST_RUNS:
                    raise
                self.run.report_names[account] = f"{usual}-{number}"
        raise AssertionError("itertools.count ends")

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
        facts = self._facts(account) if account in self._writers else None
        for writer in self._writers.get(account, []):
            try:
                writer.close(facts)
                files.append(writer.path)
            except OSError as error:
                self.trouble(error)
        self._writers.pop(account, None)  # only now: after a Ctrl-C those that were not closed are closed once more
        self.files += map(str, files)
        return files

    def _facts(self, id: str) -> RunFacts | None:
        """What the reports of an account say of this run."""
        account, coverage = self.run.account(id), coverage_of(self.config)
        if account is None or coverage is None:
            return None
        cut = self.run.cut
        return run_facts_of(
            account,
            regions=cut.regions if cut is not None else account.regions,
            started=timestamp(self.run.now),
            # reports that are made from a recording are the same each time
            seconds=round(time.monotonic() - self._began) if self.options.replay is None else None,
            selected=list(self.run.plan.checks.values()),
            coverage=coverage,
            tally=self.tally,
        )

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
