"""Which checks were not run on all of their resources, when a run ends early."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Sequence
from typing import Any

import pytest

from plugins.audit import run as run_plugin
from plugins.audit.collection import account_of
from plugins.audit.run import Run
from plugins.audit.task import Task
from plugins.catalog.checks import check_of
from plugins.findings.finding import Finding
from plugins.roles import is_controller


class Part:
    """What one process runs of an account. ``left``: check id -> items without a report; None before it is collected."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.left: Counter[str] | None = None


class Completeness:
    """Counts down the items of each account: those of this process, or, with workers, of each task."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.queue = run.config.pluginmanager.getplugin("auditest-tasks")
        self._checks = {nodeid: id for id, nodeid in run.plan.nodeids.items() if id in run.plan.checks}
        self._tasks: list[Task] = [*self.queue.waiting, *self.queue.active.values()] if self.queue else []
        """Kept, so that their ids stay theirs."""
        self._parts: dict[int | str, Part] = {id(task): Part(task.account) for task in self._tasks}
        if self.queue is None:
            self._parts = {account.id: Part(account.id) for account in run.accounts}
        self._of_account: dict[str, list[Part]] = defaultdict(list)
        for part in self._parts.values():
            self._of_account[part.account].append(part)

    def unfinished(self, account: str) -> set[str]:
        """The checks of an account that were not run on all resources."""
        found: set[str] = set()
        for part in self._of_account.get(account, ()):
            found |= set(self.run.plan.checks) if part.left is None else {id for id, n in part.left.items() if n > 0}
        return found

    @property
    def all_collected(self) -> bool:
        """Whether it is known how many items there are."""
        return all(part.left is not None for part in self._parts.values())

    @property
    def finished_accounts(self) -> int:
        """Accounts with nothing left to run."""
        open_accounts = {part.account for part in self._parts.values() if part.left is None or +part.left}
        return len(self.run.accounts) - len(open_accounts)

    # -- hooks ---------------------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers: the items are known."""
        if self.queue is not None:
            return
        for part in self._parts.values():
            part.left = Counter()
        for item in session.items:
            if getattr(item, "tentative", False):
                continue
            check = check_of(getattr(item, "function", None))
            row = self.run.row_of(item) if check is not None and check.id in self.run.plan.checks else None
            mine = self._parts.get(row.account.id) if row is not None else None
            if mine is not None and mine.left is not None and check is not None:
                mine.left[check.id] += 1

    @pytest.hookimpl(optionalhook=True)  # there is none with -p no:xdist
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """A worker knows its items: all of its task, or what a worker that died has left of it."""
        part = self._part_of(node)
        if part is not None:
            part.left = Counter(filter(None, map(self._check_of, ids)))

    def pytest_audit_finding(self, finding: Finding, report: pytest.TestReport) -> None:
        """An item has its finding."""
        node = getattr(report, "node", None)
        part = self._part_of(node) if self.queue is not None else self._parts.get(finding.account)
        if part is not None and part.left is not None:
            part.left[finding.check.id] -= 1

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> Generator[None, Any, Any]:
        """A worker has ended: where it found nothing there is no finding to wait for."""
        part = self._part_of(node)
        if part is not None and error is not None:
            part.left = None
        elif part is not None and part.left is not None:
            part.left.subtract(one[0] for one in node.workeroutput.get("auditest_nothing", []))
        return (yield)

    def _part_of(self, node: Any) -> Part | None:
        task = self.queue.active.get(node)
        return self._parts.get(id(task)) if task is not None else None

    def _check_of(self, nodeid: str) -> str | None:
        return self._checks.get(nodeid.partition("[")[0])


KEY = pytest.StashKey[Completeness]()


def completeness_of(config: pytest.Config) -> Completeness | None:
    """What is left to run; there is nothing on workers."""
    return config.stash.get(KEY, None)


def incomplete(found: Completeness | None, accounts: Iterable[str]) -> dict[str, set[str]]:
    """Account -> the checks that were not run on all of its resources, for the accounts with any."""
    left = {account: found.unfinished(account) for account in accounts} if found is not None else {}
    return {account: checks for account, checks in left.items() if checks}


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Count, except on workers. The tasks are cut by now."""
    config = session.config
    run = run_plugin.reporting_run(config)
    if run is None:
        return
    if not is_controller(config):
        config.pluginmanager.register(AccountEnds(run), "auditest-account-ends")
    if not run.plan.checks:
        return
    found = config.stash[KEY] = Completeness(run)
    config.pluginmanager.register(found, "auditest-completeness")


class AccountEnds:
    """Without workers: says when an account has no more items."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._left: Counter[str] = Counter()
        """Account -> items that have not run yet."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the items of each account. One without any is done."""
        self._left = Counter(map(account_of, session.items))
        for account in self.run.unfinished:
            if not self._left[account.id]:
                self._done(account.id)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """An account is done when its last item has run."""
        result = yield
        account = account_of(item)
        self._left[account] -= 1
        if account and not self._left[account]:
            self._done(account)
        return result

    def has_ended(self, account: str) -> bool:
        """Whether no item of an account is left."""
        return not self._left[account]

    def _done(self, account: str) -> None:
        self.run.config.hook.pytest_audit_account_done(config=self.run.config, account=account)
