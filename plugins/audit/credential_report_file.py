"""--keep-credential-report: IAM's credential report of each account stays in the output directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.audit.run import run_of
from plugins.options import options as options_plugin
from plugins.options.options import options_of
from plugins.roles import is_worker

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Tell each account where its report goes. Whichever process asks IAM for it writes it."""
    config = session.config
    run, options = run_of(config), options_of(config)
    if run is None or not options.keep_credential_report or config.option.collectonly:
        return
    if not is_worker(config):
        options_plugin.require_output_directory(options)
    for account in run.accounts:
        name = options.report_name(account.id, run.now, several=len(run.audited) > 1)
        account.credential_report_file = options.output_directory / f"{name}-credential-report.csv"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Say where they are."""
    run = run_of(config)
    if run is None or not options_of(config).keep_credential_report or config.option.collectonly:
        return
    kept = [path for path in (account.credential_report_file for account in run.accounts) if path and path.exists()]
    terminalreporter.write_line("")
    for path in kept:
        terminalreporter.write_line(f"credential report: {path}")
    if not kept:
        terminalreporter.write_line("no credential report was kept: no selected check got one from IAM")
