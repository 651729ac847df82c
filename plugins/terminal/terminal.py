"""What a person sees: progress while the audit runs, the classic report with -M text or mono, then the summary."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from plugins.audit import run as run_plugin
from plugins.audit.completeness import completeness_of
from plugins.audit.run import run_of
from plugins.findings.finding import Finding
from plugins.findings.pytest_report import finding_in
from plugins.findings.verdict import Status
from plugins.options.options import options_of
from plugins.reporting.classic import Classic
from plugins.reporting.coverage import coverage_of
from plugins.reporting.exit import run_end_of
from plugins.reporting.reporter import Reporter, reporter_of
from plugins.reporting.whitelist_notes import summary_notes
from plugins.roles import is_controller, is_worker
from plugins.terminal.progress import Progress, Screen
from plugins.workers.channel import CallChannels

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

CATEGORY: dict[Status, str] = {
    "PASS": "passed", "FAIL": "failed", "INFO": "skipped", "WARNING": "xfailed", "ERROR": "error",
}  # fmt: skip
MARKUP: dict[Status, dict[str, bool]] = {
    "PASS": {"green": True}, "FAIL": {"red": True}, "INFO": {}, "WARNING": {"yellow": True},
    "ERROR": {"red": True, "bold": True},
}  # fmt: skip
FILES_SHOWN = 12
WIDEST = 120
NOTHING_SELECTED = (
    "no check is selected: -m, --check, --group, --severity and --exclude-check narrow each other (--list-checks)"
)


class CountedReports(list[Any]):
    """A list of reports that only counts the findings among them: a run may have a million."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = 0

    def extend(self, reports: Iterable[Any]) -> None:
        """Keep ordinary reports, count findings."""
        for report in reports:
            if finding_in(report) is None or _keep(report):
                super().append(report)
            else:
                self.counted += 1

    def append(self, report: Any) -> None:
        """Like extend, with one report."""
        self.extend([report])

    def __len__(self) -> int:
        return super().__len__() + self.counted


class Stats(dict[str, Any]):
    """pytest's terminal statistics, with CountedReports as values."""

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The reports of a category."""
        if key not in self:
            kept = self[key] = CountedReports()
            kept.extend(default or [])
        return self[key]


def _keep(report: Any) -> bool:
    """Findings are kept where an option shows them one by one; a crash in a check's code shows its traceback."""
    return bool(getattr(report, "keep", False))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take over pytest's statistics, and add the terminal plugin."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and not is_worker(config):
        run_end_of(config).guard_output(reporter)
        reporter.stats = Stats(reporter.stats)
        plain = reporter.build_summary_stats_line
        reporter.build_summary_stats_line = lambda: _stats_line(reporter, plain)
        config.pluginmanager.register(Terminal(config, reporter), "auditest-terminal")


def _stats_line(reporter: TerminalReporter, plain: Any) -> tuple[list[tuple[str, dict[str, bool]]], str]:
    """pytest's last line ("3 failed, 5 passed"), with the findings that are only counted."""
    parts, colour = plain()
    if not any(isinstance(kept, CountedReports) and kept.counted for kept in reporter.stats.values()):
        return parts, colour
    colours = {"failed": "red", "error": "red", "passed": "green"}
    counted: list[tuple[str, dict[str, bool]]] = []
    for key in ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "error"):
        number = len(reporter.stats.get(key, ()))
        if number:
            word = key if key not in ("error", "warnings") or number != 1 else key.rstrip("s")
            word = "errors" if key == "error" and number > 1 else word
            counted.append((f"{number} {word}", {colours.get(key, "yellow"): True, "bold": key in ("failed", "error")}))
    return counted, colour


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, Any] | None:
    """Findings are counted under pytest's categories and take no letter; -v shows their status as a word."""
    finding = finding_in(report)
    if finding is None:
        return None
    return CATEGORY[finding.status], "", (finding.status, MARKUP[finding.status])


def _is_crash(report: pytest.TestReport, finding: Finding) -> bool:
    return finding.status == "ERROR" and isinstance(report.longrepr, str) and report.longrepr.startswith("Traceback")


class Terminal:
    """Progress, classic report and summary of an audit."""

    def __init__(self, config: pytest.Config, reporter: TerminalReporter) -> None:
        reporter._show_progress_info = False if config.option.verbose <= 0 else reporter._show_progress_info
        self.config = config
        self.reporter = reporter
        self.progress: Progress | None = None
        self._classic: Classic | None = None
        self._done = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a finding before pytest's reporter sees it."""
        finding = finding_in(report)
        if finding is None:
            return
        option = self.config.option
        crash = _is_crash(report, finding)
        report.keep = crash or option.durations is not None or option.reportchars not in ("", "fE")  # type: ignore[attr-defined]
        if not crash:
            report._pdbshown = True  # type: ignore[attr-defined] # pytest's word for "shown already": no traceback
        self._done += 1

    # -- while the audit runs ------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is audited, and watch the run."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is None or not run.plan.kinds:
            return
        if run.accounts and not options_of(self.config).no_banner and self.config.option.verbose >= 0:
            self.reporter.write_line(banner(run))
        self.reporter.flush()
        if self.config.option.collectonly:
            return
        self._progress_of(run).start()
        formats = options_of(self.config).formats
        if reporter is not None and {"text", "mono"} & set(formats) and self.config.option.verbose == 0:
            colour = "text" in formats and self.reporter.hasmarkup
            grouped = is_controller(self.config)
            self._classic = reporter.classic = Classic(self.reporter.write_line, colour=colour, grouped=grouped)

    def _progress_of(self, run: run_plugin.Run) -> Progress:
        if self.progress is None:
            screen = Screen(self.reporter, self.config.option.verbose == 0)
            self.progress = Progress(screen, run.accounts, self._parts)
        return self.progress

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Before the first worker starts: listen to what workers tell of their calls.

        xdist's own line about workers and items is not shown: the numbers of one shard mean nothing here.
        """
        run = run_of(self.config)
        if run is None or not run.plan.kinds:
            return
        self.config.pluginmanager.register(CallChannels(self._progress_of(run).sources), "auditest-call-channels")
        shown = self.config.pluginmanager.getplugin("terminaldistreporter")
        if shown is not None and self.config.option.verbose <= 0:
            shown.setstatus = shown.ensure_show_status = _say_nothing

    def _parts(self) -> list[str]:
        """What the progress line says besides the calls, first things first."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        counted = completeness_of(self.config)
        parts = []
        if self._done and reporter is not None:
            session = self.reporter._session
            total = max(session.testscollected if session else 0, self._done)
            counts = reporter.tally.statuses
            more = "+" * (counted is not None and not counted.all_collected)
            parts.append(f"checks {self._done} of {total}{more}, {counts['FAIL']} failed, {counts['ERROR']} errors")
        if run is not None and len(run.accounts) > 1:
            done = f"{counted.finished_accounts} of " if counted is not None else ""
            parts.append(f"accounts {done}{len(run.accounts)}")
        return parts

    # -- afterwards ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Clear the line for the summary."""
        if self._classic is not None:
            self._classic.close()
        if self.progress is not None:
            self.progress.stop()

    def pytest_unconfigure(self) -> None:
        """Clear it also when the session never began."""
        if self.progress is not None:
            self.progress.stop()

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter, exitstatus: int) -> None:
        """The summary of the audit."""
        run, reporter = run_of(self.config), reporter_of(self.config)
        if run is not None and not run.plan.checks and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            terminalreporter.write_line("")
            terminalreporter.write_line(NOTHING_SELECTED)
        if reporter is None or run is None or self.config.option.collectonly:
            return
        from plugins.reporting.summary import Facts, Page, summary

        accounts = [account.id for account in run.accounts]
        coverage = coverage_of(self.config)
        assert coverage is not None, "there is one where there is a reporter"
        facts = Facts(reporter.tally, list(run.plan.checks.values()), accounts, coverage, options_of(self.config).score)
        width = max(40, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))
        page = Page(width, colour=terminalreporter.hasmarkup, wrap=bool(terminalreporter.isatty))
        for line in summary(facts, page).splitlines():
            terminalreporter.write_line(_writable(line, terminalreporter))
        if run.inventory.left_out:
            named = ", ".join(
                f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(run.inventory.left_out.items())
            )
            terminalreporter.write_line(f"left out by --max-items: {named}")
        session = terminalreporter._session
        cut_short = exitstatus == pytest.ExitCode.INTERRUPTED or (session is not None and bool(session.shouldfail))
        for line in summary_notes(run, coverage, cut_short, self.config.option.verbose > 0):
            terminalreporter.write_line(line)
        self._files(reporter)
        note = run_end_of(self.config).note
        if note:
            terminalreporter.write_line("")
            terminalreporter.write_line(note)

    def _files(self, reporter: Reporter) -> None:
        """Where the reports are, and what could not be written."""
        files = reporter.files
        if files:
            self.reporter.write_line("")
        for number, file in enumerate(files[:FILES_SHOWN]):
            self.reporter.write_line(("" if number else "Reports:").ljust(9) + file)
        if len(files) > FILES_SHOWN:
            self.reporter.write_line(f"         and {len(files) - FILES_SHOWN} more in the same folder")
        for trouble in reporter.troubles:
            self.reporter.write_line(f"ERROR! {trouble}", red=True)


def _say_nothing(*_: object, **__: object) -> None:
    """In the place of what xdist would show."""


def _writable(line: str, reporter: TerminalReporter) -> str:
    """The line with what the terminal's encoding cannot carry as escapes."""
    encoding = getattr(reporter._tw._file, "encoding", None) or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def banner(run: run_plugin.Run) -> str:
    """One line: accounts, regions, checks."""
    accounts = run.accounts
    names = ", ".join(account.id + (f" ({account.name})" if account.name else "") for account in accounts[:3])
    more = f" and {len(accounts) - 3} more" if len(accounts) > 3 else ""
    regions = sorted({region for account in accounts for region in account.regions})
    shown = (", ".join(regions) if len(regions) <= 4 else f"{len(regions)} regions") or "no region that is known"
    number = len(run.plan.checks)
    return f"auditing {names}{more} in {shown} with {number} check{'s' * (number != 1)}"
