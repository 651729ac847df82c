"""How a run ends: Ctrl-C, a full disk, calls that nobody waits for any more, and the exit code with --fail-on.

Ctrl-C (or SIGTERM) once ends the run in order: reports are finished and the summary says what is missing. A second one
ends the process at once; reports keep the ending ``.part`` then.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from plugins.audit.run import run_of
from plugins.catalog.checks import at_least
from plugins.findings.pytest_report import finding_in
from plugins.options.options import options_of
from plugins.reporting.baseline import baseline_of
from plugins.reporting.reporter import reporter_of
from plugins.roles import is_worker

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

SAID = "\ninterrupted: finishing the reports (Ctrl-C again stops at once)"
SAID_LATE = b"\ninterrupted while the run was being finished\n"
SAID_TWICE = b"\nstopped at once: reports that were not finished have the ending .part\n"


class RunEnd:
    """Takes signals, counts failures that are no findings, and settles the exit code."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = is_worker(config)
        self.interrupted = False
        self.other_failures = 0
        """Failed tests that are no checks, and errors of collection."""
        self.note = ""
        """What the summary says about the exit code."""
        self._is_over = False
        self._output_trouble = False
        self._session: pytest.Session | None = None
        self._handlers: dict[int, Any] = {}

    # -- signals -------------------------------------------------------------------------------------------------

    def take_signals(self) -> None:
        """Handle Ctrl-C and SIGTERM, where nobody else does."""
        usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        if threading.current_thread() is threading.main_thread():
            for number, handler in usual.items():
                if signal.getsignal(number) is handler:
                    self._handlers[number] = signal.signal(number, self._on_signal)

    def give_signals_back(self) -> None:
        """Let others handle them again."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not (self.interrupted or self._is_over):
            self.interrupted = True
            raise KeyboardInterrupt
        if not self.is_worker:  # a worker has its end from the controller, which may tell it twice
            os.write(2, SAID_TWICE)
            os._exit(int(pytest.ExitCode.INTERRUPTED))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Settle the exit code, and take a first Ctrl-C that comes while the run is being finished."""
        self._settle(session)
        self._is_over = self.is_worker  # it has told all; its controller knows whether that is in time
        result = None
        try:
            result = yield
        except KeyboardInterrupt:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            os.write(2, SAID_LATE)
        if self._output_trouble and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        self._is_over = True
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Say what happens now."""
        reporter: TerminalReporter | None = self.config.pluginmanager.getplugin("terminalreporter")
        if self.interrupted and reporter is not None and not self.is_worker:
            reporter.write_line(SAID)
            reporter.flush()

    # -- output that cannot be written ---------------------------------------------------------------------------

    def guard_output(self, reporter: TerminalReporter) -> None:
        """Go on without the terminal when it cannot be written: the reports may be on another disk."""
        writer = reporter._tw
        plain_write, plain_flush = writer.write_raw, writer.flush

        def write_raw(msg: str, *, flush: bool = False) -> None:
            try:
                plain_write(msg, flush=flush)
            except OSError as error:
                self._output_lost(error, writer._file.fileno())

        def flush() -> None:
            try:
                plain_flush()
            except OSError as error:
                self._output_lost(error, writer._file.fileno())

        writer.write_raw, writer.flush = write_raw, flush  # type: ignore[method-assign]

    def _output_lost(self, error: OSError, descriptor: int) -> None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, descriptor)
        os.close(nothing)
        # whoever closed a pipe has seen enough, and that is no failure
        if error.errno != errno.EPIPE and not self._output_trouble:
            self._output_trouble = True
            os.write(2, f"ERROR: the output cannot be written: {error.strerror}\n".encode())

    # -- exit code -----------------------------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """The session whose exit status counts."""
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what fails without being a finding."""
        self.other_failures += report.failed and finding_in(report) is None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Likewise."""
        self.other_failures += report.failed

    def _settle(self, session: pytest.Session) -> None:
        """With --fail-on and --fail-on-new, failures below the given severity, or that the baseline has, leave the exit
        code 0; a run cut short stays failed.
        """
        options, reporter, baseline = options_of(self.config), reporter_of(self.config), baseline_of(self.config)
        if reporter is None or session.exitstatus != pytest.ExitCode.TESTS_FAILED:
            return
        if self.other_failures or session.shouldfail or session.shouldstop:
            return
        severity, counted = options.fail_on, at_least(options.fail_on)
        if severity and not reporter.tally.has_failures(counted):
            session.exitstatus = pytest.ExitCode.OK
            self.note = f"exit code 0: nothing of severity {' or '.join(counted)} failed (--fail-on {severity})"
        elif options.fail_on_new and baseline is not None and not baseline.has_new(counted):
            session.exitstatus = pytest.ExitCode.OK
            self.note = "exit code 0: every failure is in the baseline (--fail-on-new)"

    # -- the very end --------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Do not wait for calls that are still in flight: Python would, until the last one has timed out."""
        run = run_of(self.config)
        if run is None or self._session is None or not any(account.calls.pending for account in run.accounts):
            return
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(int(self._session.exitstatus))


KEY = pytest.StashKey[RunEnd]()


def run_end_of(config: pytest.Config) -> RunEnd:
    """How the run ends."""
    return config.stash[KEY]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Be there before anybody else, and leave after everybody else."""
    ending = config.stash[KEY] = RunEnd(config)
    config.add_cleanup(ending.leave)
    config.add_cleanup(ending.give_signals_back)
    ending.take_signals()
    config.pluginmanager.register(ending, "auditest-ending")
