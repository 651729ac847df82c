"""Tasks for xdist workers: each worker collects and runs its own part of the accounts.

xdist's schedulers expect every worker to collect the same items. Here a worker collects only its task, so the
scheduler below tells each worker to run all that it collected as soon as it has collected it. The controller keeps a
queue of tasks: a worker that finishes is replaced by a fresh one while tasks are left (memory is bounded by one task
per worker), and the task of a worker that dies is run again, without what the worker had reported before.
"""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fixtures.model import Account
from plugins.audit.collection import item_id
from plugins.audit.execution import make_finding, needs_full_reports, reports_of
from plugins.audit.run import Run, run_of
from plugins.audit.task import Task
from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.findings.row import Row, empty_row
from plugins.findings.verdict import Verdict, evaluate
from plugins.roles import is_controller, is_worker
from plugins.workers.tasks import input_of, tasks_of

MOST_ATTEMPTS = 3
"""How often a task is tried before what is left of it is given up as ERROR, and the start of a worker."""

Nothing = tuple[str, str, tuple[str, int | None, str]]


class TaskScheduling:
    """xdist scheduler: every worker runs everything that it collected, when it has collected it."""

    collection_is_completed = True

    def __init__(self, config: pytest.Config, queue: TaskQueue) -> None:
        self.config = config
        self.queue = queue
        self.collected = 0
        self._ready: list[Any] = []
        self._pending: dict[Any, int] = {}

    @property
    def nodes(self) -> list[Any]:
        """The workers that are at work."""
        return list(self._pending)

    @property
    def tests_finished(self) -> bool:
        """Whether every task is done."""
        return not self.queue.waiting and not self.queue.active

    @property
    def has_pending(self) -> bool:
        """Whether items are being run."""
        return any(self._pending.values())

    def add_node(self, node: Any) -> None:
        """A worker has started and goes on to collect."""
        self._pending[node] = 0

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected its task."""
        self._pending[node] = len(collection)
        self.collected += len(collection)
        self._ready.append(node)
        session = self.config.pluginmanager.getplugin("dsession")._session
        session.testscollected = self.collected

    def schedule(self) -> None:
        """Start the workers that have collected."""
        while self._ready:
            node = self._ready.pop()
            node.send_runtest_all()
            node.shutdown()

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """A worker has run an item."""
        self._pending[node] -= 1

    def mark_test_pending(self, item: str) -> None:
        """Not used: a task is run again as a whole."""
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> None:
        """Not used: nothing is stolen from a task."""
        raise NotImplementedError

    def remove_node(self, node: Any) -> None:
        """A worker is gone. No item is blamed for it: the task is run again."""
        del self._pending[node]


class TaskQueue:
    """The controller's side: which task is where, what it has reported, and when an account is complete."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config
        self.waiting: deque[Task] = deque()
        self.active: dict[Any, Task] = {}
        self.reported: dict[int, set[str]] = {}
        self.open_tasks: dict[str, int] = {}
        self.nothing: dict[str, list[dict[str, Nothing]]] = {}
        self.parts: dict[str, int] = {}
        """Account -> number of its tasks."""

    def fill(self, tasks: Sequence[Task]) -> None:
        """Queue the tasks of the run."""
        self.waiting.extend(tasks)
        for task in tasks:
            self.open_tasks[task.account] = self.open_tasks.get(task.account, 0) + 1
        self.parts = dict(self.open_tasks)

    # -- hooks ---------------------------------------------------------------------------------------------------

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> TaskScheduling:
        """The scheduler of the run. A worker that dies is replaced without xdist's limit for the whole run, since each
        task has its own (MOST_ATTEMPTS): a few accounts that kill their workers must not end the audit of the others.
        """
        dsession = config.pluginmanager.getplugin("dsession")
        if config.option.maxworkerrestart is None:
            dsession._max_worker_restart = None
        dsession._clone_node = functools.partial(self._replaced, dsession, dsession._clone_node)
        return TaskScheduling(config, self)

    def _replaced(self, dsession: Any, start: Callable[[Any], Any], node: Any) -> None:
        """Start a worker in the place of another one. Where that fails (its host is down) the run goes on with the others.

        Raises pytest.exit.Exception when there are no others.
        """
        from execnet import HostNotFound

        for _ in range(MOST_ATTEMPTS):
            before = set(self.active)
            try:
                start(node)
            except (HostNotFound, EOFError, OSError) as error:
                for half_started in self.active.keys() - before:
                    self.waiting.appendleft(self.active.pop(half_started))
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            else:
                return
        said = f"no worker can be started in the place of {node.gateway.id} ({reason})"
        if dsession._active_nodes <= {node}:
            pytest.exit(said, returncode=pytest.ExitCode.INTERNAL_ERROR)
        dsession.report_line(f"\n{said}; the others go on")

    def pytest_configure_node(self, node: Any) -> None:
        """Give a new worker the next task; with none left it ends at once."""
        if not self.waiting:
            return
        task = self.waiting.popleft()
        self.active[node] = task
        task.attempts += 1
        self.reported.setdefault(id(task), set())
        task.done = sorted(self.reported[id(task)])
        node.workerinput["auditest"] = input_of(self.run, task, node.gateway.id)

    def pytest_audit_finding(self, finding: Finding, report: pytest.TestReport) -> None:
        """Remember what a task has reported, in case its worker dies."""
        task = self.active.get(getattr(report, "node", None))
        if task is not None:
            self.reported[id(task)].add(finding.nodeid)

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker has ended: well, or by dying."""
        task = self.active.pop(node, None)
        dsession = self.config.pluginmanager.getplugin("dsession")
        if task is not None:
            if error is None:
                for kind, number in node.workeroutput.get("auditest_left_out", {}).items():
                    self.run.inventory.leave_out(task.account, kind, number)
                for check, (chosen, listed) in node.workeroutput.get("auditest_looked_at", {}).items():
                    self.run.chosen[task.account, check] += chosen
                    self.run.listed[task.account, check] += listed
                self.run.recorded_elsewhere.update(node.workeroutput.get("auditest_recorded", {}))
                self.run.deselected |= node.workeroutput.get("auditest_deselected", False)
                self._finished(task, node.workeroutput.get("auditest_nothing", []))
            elif task.attempts < MOST_ATTEMPTS:
                self.waiting.appendleft(task)
            else:
                self._give_up(task, error)
        if error is not None and not self.waiting and not self.active:
            # xdist would start another worker in its place, for ever where workers cannot start at all
            dsession._max_worker_restart = dsession._failed_nodes_count
        if error is None and self.waiting and not dsession.shuttingdown and not dsession.shouldstop:
            dsession._clone_node(node)

    # -- ends of tasks ------------------------------------------------------------------------------------------

    def _finished(self, task: Task, nothing: list[Any]) -> None:
        self.reported.pop(id(task), None)
        if task.is_part:
            self.nothing.setdefault(task.account, []).append(
                {one[0]: (one[0], one[1], tuple(one[2])) for one in nothing}
            )
        self._close(task)

    def _close(self, task: Task) -> None:
        """Nothing more comes from this task; with the last one of its account, the account is complete."""
        self.open_tasks[task.account] -= 1
        if self.open_tasks[task.account] > 0:
            return
        parts = self.nothing.pop(task.account, [])
        if parts and len(parts) == self.parts[task.account]:
            for check_id in parts[0]:
                if all(check_id in part for part in parts):
                    self._report_nothing(task, parts[0][check_id])
        self._roll_up(self._account(task))
        self.config.hook.pytest_audit_account_done(config=self.config, account=task.account)

    def _roll_up(self, account: Account) -> None:
        """Judge the requirements of a complete account."""
        for plan, row in self.run.requirement_rows(account):
            verdict = evaluate(plan.check, row.subject)
            nodeid = f"{plan.nodeid}[{item_id(row)}]"
            path, _, name = nodeid.partition("::")
            self._emit(plan.check, verdict, row, nodeid, (path, 0, name))

    def _report_nothing(self, task: Task, nothing: Nothing) -> None:
        if self.run.cut is not None:  # the other tasks of the run may have found something
            self.run.nothing_found.append(nothing)
            return
        check_id, nodeid, location = nothing
        check = self.run.plan.known[check_id]
        row = empty_row(check, self._account(task))
        assert row.verdict is not None
        self._emit(check, row.verdict, row, nodeid, location)

    def _give_up(self, task: Task, error: object) -> None:
        """Make every selected check of a task that kills its workers an ERROR, so that nothing is missing silently."""
        account = self._account(task)
        where = ", ".join(task.regions) if task.regions else "the account"
        reason = f"the worker that audited {where} died {task.attempts} times ({error}); its findings are incomplete"
        for check in self.run.plan.checks.values():
            nodeid = f"{self.run.plan.nodeids[check.id]}[{account.id}-{where}-worker-died]"
            path = nodeid.partition("::")[0]
            row = Row(account, account.global_region, account.id, verdict=Verdict("ERROR", reason))
            assert row.verdict is not None
            self._emit(check, row.verdict, row, nodeid, (path, 0, nodeid.partition("::")[2]))
        self._close(task)

    def _account(self, task: Task) -> Account:
        found = self.run.account(task.account)
        assert found is not None
        return found

    def _emit(
        self, check: Check, verdict: Verdict, row: Row, nodeid: str, location: tuple[str, int | None, str]
    ) -> None:
        finding: Finding = make_finding(check, verdict, row, self.run.now, nodeid)
        for report in reports_of(location, finding, verdict, time.time(), needs_full_reports(self.config)):
            self.config.hook.pytest_runtest_logreport(report=report)


@pytest.hookimpl
def pytest_sessionstart(session: pytest.Session) -> None:
    """On the controller: cut the run into tasks, and start no more workers than there are tasks."""
    config = session.config
    run = run_of(config)
    if run is None or not is_controller(config) or not run.plan.kinds:
        return
    from xdist.workermanage import parse_tx_spec_config

    tasks = tasks_of(run, len(parse_tx_spec_config(config)))
    queue = TaskQueue(run)
    queue.fill(tasks)
    config.option.tx = parse_tx_spec_config(config)[: max(1, len(tasks))]
    config.pluginmanager.register(queue, "auditest-tasks")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Any:
    """On a worker: tell the controller what this task found nothing for."""
    run = run_of(session.config)
    if run is not None and is_worker(session.config):
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        recorder = run.recorder()
        output["auditest_left_out"] = dict(run.inventory.left_out)
        output["auditest_recorded"] = dict(recorder.calls) if recorder is not None else {}
        output["auditest_deselected"] = run.deselected
        output["auditest_looked_at"] = {
            check: [run.chosen[account, check], number] for (account, check), number in run.listed.items()
        }
        output["auditest_nothing"] = [list(one) for one in run.nothing_found]
    return (yield)
