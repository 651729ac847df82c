"""What a person sees: progress while the audit runs, then a summary by severity, service and check."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from plugins import options as options_plugin
from plugins import reporting
from plugins import run as run_plugin
from plugins.catalog import SEVERITIES, Check
from plugins.evaluation import Status
from plugins.findings import Finding
from plugins.listing import sort_key
from plugins.reporting import finding_in
from plugins.tally import Tally

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

CATEGORY: dict[Status, str] = {
    "PASS": "passed", "FAIL": "failed", "INFO": "skipped", "WARNING": "xfailed", "ERROR": "error",
}  # fmt: skip
MARKUP: dict[Status, dict[str, bool]] = {
    "PASS": {"green": True}, "FAIL": {"red": True}, "INFO": {}, "WARNING": {"yellow": True},
    "ERROR": {"red": True, "bold": True},
}  # fmt: skip
CHECKS_SHOWN = 25
REDRAW_SECONDS = 0.2
STALLED_SECONDS = 10


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
    if reporter is not None and not run_plugin.is_worker(config):
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


class Progress:
    """A line that says how far the run is, drawn by a thread of its own; on a terminal only.

    Everywhere, a line says which calls are pending when nothing has moved for STALLED_SECONDS.
    """

    def __init__(self, config: pytest.Config, reporter: TerminalReporter) -> None:
        self.config = config
        self.reporter = reporter
        self.live = bool(reporter.isatty) and config.option.verbose == 0
        self.done = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown = False

    def start(self, run: run_plugin.Run) -> None:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._watch, args=(run,), name="auditest-progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and take the line away."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
        if self._shown:
            self.reporter.rewrite("", erase=True)
            self._shown = False

    def _watch(self, run: run_plugin.Run) -> None:
        last: tuple[int, int] = (-1, -1)
        moved = time.monotonic()
        while not self._stop.wait(REDRAW_SECONDS):
            calls = sum(account.calls.finished for account in run.accounts)
            if (calls, self.done) != last:
                last, moved = (calls, self.done), time.monotonic()
            pending = [one for account in run.accounts for one in list(account.calls.pending.values())]
            if self.live:
                self.reporter.rewrite(self._line(run, calls, len(pending)), erase=True)
                self._shown = True
            if pending and time.monotonic() - moved > STALLED_SECONDS:
                moved = time.monotonic()
                self.reporter.ensure_newline()
                self.reporter.write_line(stalled(pending))

    def _line(self, run: run_plugin.Run, calls: int, pending: int) -> str:
        reporter = reporting.of(self.config)
        parts = []
        if len(run.accounts) > 1:
            parts.append(f"{len(run.accounts)} accounts")
        if calls or pending:
            parts.append(f"calls {calls} done, {pending} in flight")
        if self.done and reporter is not None:
            total = self.reporter._session.testscollected if self.reporter._session else 0
            counts = reporter.tally.statuses
            parts.append(
                f"checks {self.done} of {max(total, self.done)}, {counts['FAIL']} failed, {counts['ERROR']} errors"
            )
        return "  ".join(parts)[: _width() - 1]


def stalled(pending: list[tuple[str, float]]) -> str:
    """The line that names the calls nothing has come back from."""
    now = time.monotonic()
    oldest = sorted(pending, key=lambda one: one[1])[:3]
    named = ", ".join(f"{what} for {now - since:.0f} s" for what, since in oldest)
    return f"waiting for {named}" + (f" and {len(pending) - 3} more calls" if len(pending) > 3 else "")


class Terminal:
    """Progress and summary of an audit."""

    def __init__(self, config: pytest.Config, reporter: TerminalReporter) -> None:
        reporter._show_progress_info = False if config.option.verbose <= 0 else reporter._show_progress_info
        self.config = config
        self.reporter = reporter
        self.progress = Progress(config, reporter)

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
        self.progress.done += 1

    # -- summary -------------------------------------------------------------------------------------------------

    def _tally(self) -> Tally | None:
        reporter = reporting.of(self.config)
        return reporter.tally if reporter is not None else None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is audited, and watch the run."""
        run = run_plugin.of(self.config)
        if run is None or not run.plan.kinds:
            return
        if run.accounts and not options_plugin.of(self.config).no_banner and self.config.option.verbose >= 0:
            self.reporter.write_line(banner(run))
        if not self.config.option.collectonly:
            self.progress.start(run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Clear the line for the summary."""
        self.progress.stop()

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """The summary of the audit."""
        tally = self._tally()
        run = run_plugin.of(self.config)
        if tally is None or run is None or self.config.option.collectonly:
            return
        for line in summary(tally, list(run.plan.checks.values()), [account.id for account in run.accounts], _width()):
            terminalreporter.write_line(line)
        if run.left_out:
            named = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(run.left_out.items()))
            terminalreporter.write_line(f"left out by --max-items: {named}")
        reporter = reporting.of(self.config)
        if reporter is not None and reporter.files:
            terminalreporter.write_line("")
            terminalreporter.write_line("Reports: " + reporter.files[0])
            for file in reporter.files[1:12]:
                terminalreporter.write_line("         " + file)
            if len(reporter.files) > 12:
                terminalreporter.write_line(f"         and {len(reporter.files) - 12} more in the same folder")


def banner(run: run_plugin.Run) -> str:
    """One line: accounts, regions, checks."""
    accounts = run.accounts
    names = ", ".join(account.id + (f" ({account.name})" if account.name else "") for account in accounts[:3])
    more = f" and {len(accounts) - 3} more" if len(accounts) > 3 else ""
    regions = sorted({region for account in accounts for region in account.regions})
    shown = ", ".join(regions) if len(regions) <= 4 else f"{len(regions)} regions"
    return f"auditing {names}{more} in {shown} with {len(run.plan.checks)} checks"


def _width() -> int:
    import shutil

    return max(40, min(120, shutil.get_terminal_size((100, 24)).columns))


def summary(tally: Tally, selected: list[Check], accounts: list[str], width: int) -> list[str]:
    """The summary's lines: failures by service and severity, failing checks, errors, coverage."""
    lines: list[str] = [""]
    failing = {id: counts["FAIL"] for id, counts in tally.by_check.items() if counts["FAIL"]}
    if failing:
        lines += _severity_table(tally, failing)
        lines.append("")
        lines += _failing_checks(tally, failing, width)
    if tally.errors:
        lines.append("")
        lines += _errors(tally, width)
    if tally.requirements:
        lines.append("")
        lines += _requirements(tally)
    lines.append("")
    lines += coverage(tally, [check.id for check in selected], accounts)
    counts = "  ".join(
        f"{status} {tally.statuses[status]}"
        for status in ("PASS", "FAIL", "INFO", "WARNING", "ERROR")
        if tally.statuses[status]
    )
    lines.append(f"{tally.total} findings: {counts}" if tally.total else "no findings")
    return lines


def _severity_table(tally: Tally, failing: dict[str, int]) -> list[str]:
    table: dict[str, Counter[str]] = {}
    for id, count in failing.items():
        check = tally.checks[id]
        table.setdefault(check.service, Counter())[check.severity] += count
    used = [severity for severity in SEVERITIES if any(row[severity] for row in table.values())]
    first = max(len("failures by service"), *(len(service) for service in table))
    lines = ["failures by service".ljust(first) + "".join(f"{severity:>15}" for severity in used)]
    order = sorted(table, key=lambda service: ([-table[service][severity] for severity in SEVERITIES], service))
    lines += [
        service.ljust(first) + "".join(f"{table[service][severity] or '-':>15}" for severity in used)
        for service in order
    ]
    return lines


def _failing_checks(tally: Tally, failing: dict[str, int], width: int) -> list[str]:
    order = sorted(
        failing, key=lambda id: (SEVERITIES.index(tally.checks[id].severity), -failing[id], sort_key(tally.checks[id]))
    )
    lines = ["failing checks, worst first"]
    for id in order[:CHECKS_SHOWN]:
        check = tally.checks[id]
        judged = sum(tally.by_check[id][status] for status in ("PASS", "FAIL", "WARNING"))
        head = f"  {check.severity:<9} {id:<9} {failing[id]:>5} of {judged:<5} "
        lines.append(head + _cut(check.title, width - len(head)))
    if len(order) > CHECKS_SHOWN:
        lines.append(f"  and {len(order) - CHECKS_SHOWN} more checks, see the reports")
    return lines


def _errors(tally: Tally, width: int) -> list[str]:
    lines = ["not evaluated"]
    order = sorted(tally.errors.items(), key=lambda one: (-len(one[1]), one[0]))
    for reason, places in order[:10]:
        checks = sorted({check for _, check in places})
        shown = ", ".join(checks[:6]) + (f" and {len(checks) - 6} more" if len(checks) > 6 else "")
        lines.append("  " + _cut(" ".join(reason.split()), max(60, width - 2)))
        lines.append(f"    {shown}")
    if len(order) > 10:
        lines.append(f"  and {len(order) - 10} more reasons, see the reports")
    return lines


REQUIREMENT_COLUMNS: dict[Status, str] = {
    "PASS": "met", "FAIL": "not met", "WARNING": "accepted", "ERROR": "not evaluated", "INFO": "not looked at",
}  # fmt: skip


def _requirements(tally: Tally) -> list[str]:
    used = [status for status in REQUIREMENT_COLUMNS if any(row[status] for row in tally.requirements.values())]
    first = max(len("requirements"), *(len(name) for name in tally.requirements))
    lines = ["requirements".ljust(first) + "".join(f"{REQUIREMENT_COLUMNS[status]:>15}" for status in used)]
    lines += [
        name.ljust(first) + "".join(f"{row[status] or '-':>15}" for status in used)
        for name, row in tally.requirements.items()
    ]
    return lines


def coverage(tally: Tally, selected: list[str], accounts: list[str]) -> list[str]:
    """How many of the selected checks were fully evaluated, per account."""
    lines = []
    for account in accounts[:20]:
        missing = [id for id in selected if id not in tally.seen[account]]
        partly = [id for id in selected if id in tally.incomplete[account]]
        full = len(selected) - len(missing) - len(partly)
        line = f"coverage {account}: {full} of {len(selected)} checks fully evaluated"
        if partly:
            line += f"; with errors: {_list(partly)}"
        if missing:
            line += f"; not run: {_list(missing)}"
        lines.append(line)
    if len(accounts) > 20:
        rest = accounts[20:]
        bad = [account for account in rest if tally.incomplete[account] or len(tally.seen[account]) < len(selected)]
        lines.append(
            f"coverage of {len(rest)} more accounts: {len(rest) - len(bad)} fully evaluated"
            + (f"; not: {_list(bad)}" if bad else "")
        )
    return lines


def _list(ids: list[str]) -> str:
    return ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"
