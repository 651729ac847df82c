"""Keeps account of complete accounts: for the journal that ``--resume`` reads, and for the manifest of a shard.

A run is resumed account by account: those that the journal has are not audited again, their reports are checked against
their digests, and their counts go into the summary and the exit code. The findings of a part of an account go to a file
as well, for ``plugins.merge``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.model import Account
from fixtures.recording.reader import AccountFacts
from plugins.at_scale import account_record, journal
from plugins.at_scale.account_record import AccountRecord, RecordedPart
from plugins.at_scale.asked_for import selection_of
from plugins.at_scale.findings_file import FindingsFileWriter, findings_file_name
from plugins.at_scale.journal import Journal, JournalError
from plugins.at_scale.resumed import keep_calls, needs_findings, tell_again
from plugins.audit import completeness
from plugins.audit.completeness import completeness_of
from plugins.audit.execution import make_finding
from plugins.audit.run import COMPLETE, STARTED, Run, run_of
from plugins.audit.shares import Cut, share_numbers
from plugins.findings.finding import Finding
from plugins.findings.row import empty_row
from plugins.findings.tally import Tally
from plugins.options.declaration import Trait
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.reporting import reporter
from plugins.reporting.reporter import reporter_of
from plugins.roles import is_worker
from plugins.whitelist.usage import Usage

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


@dataclass
class Open:
    """The counts of an account that is not complete yet."""

    tally: Tally = field(default_factory=Tally)
    usage: Usage = field(default_factory=Usage)
    kept: FindingsFileWriter | None = None
    """Where its findings go: those of a part of it for plugins.merge, others for --resume."""


class CompleteAccounts:
    """Follows the findings of a run, account by account."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = options_of(config)
        self.finished: dict[str, AccountRecord] = {}
        """The complete accounts of this run and the one that it resumes."""
        self.notes: list[str] = []
        self._open: dict[str, Open] = {}
        self._journal: Journal | None = None
        self._failures = self._findings = 0
        """Those of the run that this one resumes, where they are not told again."""
        self._needs_findings = needs_findings(config, self.options)

    # -- the run that this one resumes -----------------------------------------------------------------------------

    def take_up(self, run: Run) -> None:
        """Leave out what an earlier run has finished. Raises pytest.UsageError when it was another run."""
        earlier = journal.earlier_of(self.config)
        if earlier is None:
            return
        differing = journal.differences(earlier.header.selection, selection_of(run))
        if differing:
            raise pytest.UsageError(
                f"--resume: the unfinished run in {self.options.output_directory} was asked for something else"
                f" ({differing}): repeat its command, or leave --resume out to start anew"
            )
        for account in run.accounts:
            one = earlier.accounts.get(account.id)
            if one is None:
                continue
            lost = account_record.changed(self.options.output_directory, one.files)
            if lost:
                self._audit_again(account.id, f"{lost} is gone or was changed")
            elif _has_other_regions(account, run.cut, one):
                self._audit_again(account.id, "its regions are others now")
            elif self._needs_findings and not one.findings:
                self._audit_again(account.id, "its findings were not kept")
            else:
                self.finished[account.id] = one
        try:
            for id in keep_calls(run, self.finished):
                del self.finished[id]
                self._audit_again(id, "its calls were not all recorded")
        except OSError as error:
            raise pytest.UsageError(
                f"--resume: the recording cannot be gone on with: {error.strerror or error}"
            ) from None
        run.finished = frozenset(self.finished)
        self.notes.insert(
            0,
            f"resumed: {len(self.finished)} of {len(run.accounts)} accounts were complete"
            f" in the run of {earlier.header.started:%Y-%m-%d %H:%M:%S} UTC",
        )

    def _audit_again(self, account: str, why: str) -> None:
        self.notes.append(f"audited again: {account}, since {why}")

    def _count_finished(self, run: Run, reporter: reporter.Reporter) -> None:
        for one in self.finished.values():
            reporter.files += [
                str(self.options.output_directory / file.name) for file in one.files if file.name != one.findings
            ]
            if self._needs_findings:  # they are told again, and counted then
                continue
            account_record.add_to(reporter.tally, one.account, one.counts, run.plan.check)
            account_record.use(run.usage, one.counts)
            totals = account_record.totals(one.counts)
            self._failures += totals["FAIL"] + totals["ERROR"]
            self._findings += totals.total()

    # -- hooks ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Count what an earlier run has finished, where the reporter counts."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is not None and reporter is not None:
            self._count_finished(run, reporter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Begin the journal: the run has begun."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is None or reporter is None or not self.options.formats or not run.plan.kinds:
            return
        earlier = journal.earlier_of(self.config)
        if earlier is not None:
            self._journal = Journal(earlier.path, earlier.file)
            return
        header = journal.Header(started=run.now, selection=selection_of(run))
        try:
            self._journal = journal.start(journal_path(self.config), header)
        except OSError as error:
            self.notes.append(f"this run cannot be resumed: its journal cannot be written ({error.strerror})")
            return
        if self._journal is None:
            self.notes.append(
                "this run cannot be resumed: its folder has the journal of a run that goes on, or no locks"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """What was finished earlier is told to whoever needs it; the exit code is about it, too. Raises pytest.exit."""
        self._tell_again()
        failures, session.testsfailed = session.testsfailed, 0  # to pytest, failures before the loop are of collection
        result = yield
        session.testsfailed += failures
        session.testsfailed += self._failures
        session.testscollected += self._findings
        return result

    def _tell_again(self) -> None:
        """Report the findings of finished accounts again, where they are needed. Raises pytest.exit.Exception."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is None or reporter is None or not self._needs_findings:
            return
        for record in list(self.finished.values()):
            try:
                tell_again(self.config, run, self.options.output_directory, record)
            except (OSError, ValueError, KeyError) as error:
                pytest.exit(
                    f"--resume: {record.findings} cannot be read: {error}", returncode=pytest.ExitCode.INTERNAL_ERROR
                )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run that came to its end needs no journal, and nothing that was kept for going on with it."""
        if self._journal is not None:
            complete = self.is_complete(session)
            self._journal.close(finished=complete)
            for record in self.finished.values() if complete else ():
                if record.findings:
                    (self.options.output_directory / record.findings).unlink(missing_ok=True)

    def is_complete(self, session: pytest.Session) -> bool:
        """Whether the run has done all that it was asked for."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is None or reporter is None or reporter.troubles or session.shouldfail or session.shouldstop:
            return False
        left = completeness.incomplete(completeness_of(self.config), [account.id for account in run.accounts])
        return session.exitstatus in COMPLETE and not left

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Say what was resumed."""
        for note in self.notes:
            terminalreporter.write_line(note)

    # -- findings and complete accounts ----------------------------------------------------------------------------

    def pytest_audit_finding(self, finding: Finding) -> None:
        """Count a finding, and keep it where it is needed again. Raises OSError."""
        if finding.account in self.finished:
            return
        account = self._open.get(finding.account)
        if account is None:
            account = self._open[finding.account] = Open(kept=self._kept_for(finding.account))
        account.tally.add(finding)
        account.usage.add(finding)
        if account.kept is not None:
            account.kept.write(finding)

    def _kept_for(self, account: str) -> FindingsFileWriter | None:
        run = run_of(self.config)
        if run is None or not self.options.formats or (run.cut is None and not self._needs_findings):
            return None
        path = self.options.output_directory / findings_file_name(run.report_name(account))
        return FindingsFileWriter(path, account=account)

    @pytest.hookimpl(wrapper=True)
    def pytest_audit_account_done(self, account: str) -> Generator[None, list[list[Path]], list[list[Path]]]:
        """Note an account whose reports have their names, unless something is missing in them."""
        results = yield
        reporter = reporter_of(self.config)
        if reporter is not None and not reporter.troubles and account not in self.finished:
            self._note(account, [file for files in results for file in files])
        return results

    def _note(self, account: str, files: Iterable[Path]) -> None:
        """Note an account as complete, if it is.

        The journal has no account that could not be entered, or whose regions could not be listed: --resume tries again.
        """
        one = self._open.pop(account, None) or Open()
        run, reporter = run_of(self.config), reporter_of(self.config)
        whose = run.account(account) if run is not None else None
        if run is None or reporter is None or whose is None:
            return
        try:
            if one.kept is not None:
                one.kept.close()
                if run.cut is not None:
                    reporter.files.append(str(one.kept.path))
            if not self._is_finished(account):
                return
            found = self._described(run, whose, one, files)
        except OSError as error:
            reporter.trouble(error)
            return
        self.finished[account] = found
        reporter.tally.seen[account].update(found.counts.silent)
        if self._journal is not None and not whose.is_unknown:
            try:
                self._journal.add(found)
            except OSError as error:
                self.notes.append(
                    f"--resume will audit {account} again: the journal cannot be written ({error.strerror})"
                )

    def _described(self, run: Run, account: Account, counted: Open, files: Iterable[Path]) -> AccountRecord:
        """What is kept of a complete account. Raises OSError."""
        nothing, cut = self._nothing(run, account), run.cut
        kept = [counted.kept.path] if counted.kept is not None else []
        return AccountRecord(
            account=account.id,
            regions=account.regions,
            files=account_record.described(self.options.output_directory, [*files, *kept]),
            counts=account_record.counts_of(
                account.id, counted.tally, counted.usage, [one.check.id for one in nothing]
            ),
            part=RecordedPart(cut.number, cut.of, cut.regions) if cut else None,
            report=run.report_name(account.id, whole=True),
            part_findings=kept[0].name if kept and cut else "",
            findings=kept[0].name if kept and self._needs_findings else "",
            calls=run.calls_recorded(account.id),
            nothing=[finding.packed() for finding in nothing],
            facts=AccountFacts.of(account) if cut else None,
            partial=run.partial_besides_the_cut() if cut else "",
        )

    def _is_finished(self, account: str) -> bool:
        """Whether all of the account was run."""
        queue = self.config.pluginmanager.getplugin("auditest-tasks")
        left, ends = completeness_of(self.config), self.config.pluginmanager.getplugin("auditest-account-ends")
        ended = ends.has_ended(account) if queue is None else not queue.open_tasks.get(account)
        return ended and (left is None or not left.unfinished(account))

    def _nothing(self, run: Run, account: Account) -> list[Finding]:
        """What a part of an account found nothing for, as the findings that hold if the other parts found nothing."""
        if run.cut is None:
            return []
        found = []
        for check_id, nodeid, _ in run.nothing_found:
            row = empty_row(run.plan.known[check_id], account)
            assert row.verdict is not None
            found.append(make_finding(run.plan.known[check_id], row.verdict, row, run.now, nodeid))
        return found


def _has_other_regions(account: Account, cut: Cut | None, earlier: AccountRecord) -> bool:
    """Whether another run would look at other regions of an account. One that cannot say so now keeps what it had."""
    if account.is_unknown:
        return False
    part = earlier.part and (earlier.part.number, earlier.part.of, earlier.part.regions)
    return earlier.regions != account.regions or part != (cut and (cut.number, cut.of, cut.regions))


def journal_path(config: pytest.Config) -> Path:
    """Where the journal of a run is."""
    return journal.path_in(options_of(config).output_directory, share_numbers(config))


KEY = pytest.StashKey[CompleteAccounts]()


def complete_accounts_of(config: pytest.Config) -> CompleteAccounts | None:
    """The complete accounts, in the process that writes reports."""
    return config.stash.get(KEY, None)


def pytest_configure(config: pytest.Config) -> None:
    """With --resume, read the journal before AWS is asked anything, and before the baseline. Raises pytest.UsageError."""
    options = options_of(config)
    if is_worker(config) or config.option.collectonly or options.list_checks or options.list_groups:
        return
    complete = config.stash[KEY] = CompleteAccounts(config)
    config.pluginmanager.register(complete, "auditest-complete-accounts")
    if options.resume:
        _refuse_unresumable(config, options)
        try:
            earlier = config.stash[journal.KEY] = journal.resume(journal_path(config))
        except JournalError as error:
            raise pytest.UsageError(f"--resume: {error}") from None
        config.stash[STARTED] = earlier.header.started


def _refuse_unresumable(config: pytest.Config, options: Options) -> None:
    whole = options.given(Trait.WHOLE_RUN)
    if whole:
        raise pytest.UsageError(
            f"--resume: {whole[0]} needs all accounts in one run: leave it out, or leave --resume out to start anew"
        )
    if not options.formats:
        raise pytest.UsageError("--resume: without --output-formats there are no reports to go on with")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The accounts are known by now, and the shards are not cut yet."""
    run, complete = run_of(session.config), complete_accounts_of(session.config)
    if run is not None and complete is not None and run.plan.kinds:
        complete.take_up(run)
