"""Says which accounts and regions a run audits (--collect-only), and what of them it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.model import Account
from plugins.audit.run import run_of
from plugins.options.options import options_of
from plugins.text import visible

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """With --collect-only: one line per account."""
    config = session.config
    run = run_of(config)
    reporter: TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    if run is None or reporter is None or not config.option.collectonly or config.option.verbose < 0:
        return
    for account in run.accounts:
        entry = run.entering.targets.get(account.id)
        reporter.write_line(planned(account, entry.role if entry is not None else ""))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Name the accounts and regions that are left out."""
    run = run_of(config)
    if run is None or options_of(config).no_banner:
        return
    for note in run.entering.notes:
        terminalreporter.write_line(visible(f"left out: {note}"))


def planned(account: Account, role: str) -> str:
    """An account with its name, its place in the organization, how it is entered, and its regions."""
    called = " ".join(filter(None, [account.name, f"in {account.unit}" if account.unit else ""]))
    way = f"role {role}" if role else f"profile {account.profile}" if account.profile else ""
    described = ", ".join(filter(None, [called, way]))
    error = account.entry_error or account.regions_error
    what = f"cannot be audited: {error}" if error is not None else ", ".join(account.regions)
    return visible(f"account {account.id}{f' ({described})' if described else ''}: {what}")
