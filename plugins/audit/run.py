"""The state of a run: what was selected, which accounts are audited, and what discovery found.

There are three roles. Alone (no ``-n``), the process plans, enters the accounts, discovers and runs. With ``-n``, the
controller plans, enters the accounts to learn their regions, and cuts them into tasks; each worker gets one task in
its ``workerinput``, enters that account and discovers and runs its part. ``Run`` holds what all parts of the suite ask
for; ``entering`` gets into the accounts, ``inventory`` lists what is there.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from _pytest.config import ConftestImportFailure

from fixtures.access.mfa import Token
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.model import Account, Resource
from fixtures.recording.accounts import open_recorder
from fixtures.recording.reader import AccountFacts
from fixtures.recording.writer import Recorder, part_of, remove_parts
from plugins.audit.discovery import WHOLE, Part
from plugins.audit.entering import Entering
from plugins.audit.inventory import Inventory
from plugins.audit.shares import Cut, share_numbers
from plugins.audit.task import IDLE, Task, unpacked_task
from plugins.catalog.checks import Check
from plugins.compliance.roll_up import Outcomes, Planned, partial_reason, rows
from plugins.findings.row import Row
from plugins.options import options as options_plugin
from plugins.options import thresholds
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.roles import is_controller, is_worker
from plugins.selection.markers import register_markers
from plugins.selection.mistakes import refuse_unknown_arguments
from plugins.selection.plan import Plan, make_plan
from plugins.whitelist.file import load as load_whitelist
from plugins.whitelist.matching import Matcher
from plugins.whitelist.usage import Usage


class Run:
    """One run of the suite, in whichever role this process has: what it was asked for, and the state of its parts."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.config = session.config
        self.options: Options = options_of(session.config)
        self.crew = Crew()
        self.plan: Plan = make_plan(session, self.options)
        self._settings = thresholds.load(self.options.config, self.plan.known, self.options.listed_accounts)
        self.whitelist = load_whitelist(self.options.whitelist, self.plan.ids)
        self.usage = Usage()
        self.finished: frozenset[str] = frozenset()
        """Ids of the accounts that an earlier run has finished, with --resume."""
        self.task: Task | None = None
        """On a worker: what it audits."""
        self.outcomes = Outcomes(id for one in self.plan.requirements for id in one.requirement.checks)
        self.deselected = False
        """Whether something (-k, --deselect) left out resources of selected checks."""
        self.listed: Counter[tuple[str, str]] = Counter()
        """Account and check -> the resources that it could look at."""
        self.chosen: Counter[tuple[str, str]] = Counter()
        """Account and check -> those that it does look at."""
        self.nothing_found: list[tuple[str, str, tuple[str, int | None, str]]] = []
        """Check id, node id and location of the checks for which this task found nothing (see CheckItem.tentative)."""
        self.recorded_elsewhere: Counter[str] = Counter()
        """Account -> calls that workers have recorded."""
        self.recorded: list[str] = []
        """What there is to say of the recording that was made."""
        self.report_names: dict[str, str] = {}
        """Account -> what its reports are called, where another run had taken the usual name."""
        self._recorder: Recorder | None = None
        self._record_part: Path | None = None
        started = self.config.stash.get(STARTED, None) or utcnow()
        self.entering = Entering(self.options, self.crew, started, share_numbers(self.config), self.recorder)
        self.inventory = Inventory(
            self.crew, self.options.max_items, self._enter, lambda: self.unfinished, lambda: self.part
        )

    # -- accounts ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The time of the audit."""
        return self.entering.now

    @property
    def accounts(self) -> list[Account]:
        """The accounts that this run reports on; none before they were entered."""
        return self.entering.accounts

    @property
    def audited(self) -> list[str]:
        """Ids of all accounts that are audited together: with --shard, those of the other shares as well."""
        return self.entering.audited

    @property
    def cut(self) -> Cut | None:
        """The part of the only account that this run audits, with --shard."""
        return self.entering.cut

    @property
    def unfinished(self) -> list[Account]:
        """The accounts that are left to audit."""
        return [account for account in self.accounts if account.id not in self.finished]

    def account(self, id: str) -> Account | None:
        """The account with this id, if this process has it."""
        return next((account for account in self.accounts if account.id == id), None)

    def report_name(self, account: str, *, whole: bool = False) -> str:
        """What the reports of an account are called, without ending; ``whole``: not those of the part of it."""
        usual = self.options.report_name(account, self.now, several=len(self.audited) > 1)
        name = self.report_names.get(account, usual)
        return name if whole or self.cut is None else f"{name}-part-{self.cut.number}-of-{self.cut.of}"

    def take(self, data: Mapping[str, Any]) -> None:
        """Become the worker of a task; ``data`` is what ``task_input`` has made."""
        self.task = unpacked_task(data["task"])
        self.entering.now = datetime.fromisoformat(data["now"])
        if data["record_part"]:
            self._record_part = Path(data["record_part"])
        self.entering.take(self.task, data["audited"], data["mfa"])

    # -- discovery -----------------------------------------------------------------------------------------------

    @property
    def part(self) -> Part:
        """The part of its accounts that this process audits."""
        if self.task is not None:
            return Part(self.task.regions, self.task.with_global)
        return Part(self.cut.regions, self.cut.with_global) if self.cut is not None else WHOLE

    def _enter(self) -> None:
        self.entering.enter()
        self.entering.load_recorded(self.unfinished)

    def rows(self, check: Check) -> list[Row]:
        """The items-to-be of a check in this process."""
        if check.resource is None or (self.task is not None and self.task.is_idle):
            return []
        return self.inventory.rows(check)

    def requirement_rows(self, account: Account | None = None) -> list[tuple[Planned, Row]]:
        """What is rolled up, once the checks are done: in all accounts of this process, or in one."""
        if self.cut is not None:  # a requirement is about all of an account
            return []
        accounts = self.unfinished if account is None else [account]
        return list(rows(self.plan.requirements, accounts, self.outcomes, self.plan.checks.__contains__, self.partial))

    def partial(self) -> str:
        """Why this run looks at a part of the resources only; "" when it looks at all."""
        reason = self.partial_besides_the_cut()
        return reason or "this share has a part of the account only" * (self.cut is not None)

    def partial_besides_the_cut(self) -> str:
        """Likewise, of the part of the account that a share has."""
        return partial_reason(self.config, bool(self.inventory.left_out), self.deselected)

    def row_of(self, item: pytest.Item) -> Row | None:
        """What an item of the full protocol is about."""
        row = getattr(item, "row", None)
        if isinstance(row, Row):
            return row
        resource = first_resource(arguments_of(item))
        if resource is None:
            return None
        return Row(resource.api.account, resource.region, resource.id, resource)

    # -- settings ------------------------------------------------------------------------------------------------

    def settings(self, check: Check, account: str) -> dict[str, Any] | None:
        """The thresholds of a check in an account that differ from its defaults."""
        return self._settings.of(check.id, account) or None

    @functools.cached_property
    def matcher(self) -> Matcher:
        """What applies the whitelist; made when the time of the audit is known, which decides what has expired."""
        return Matcher(self.whitelist, self.now.date())

    # -- recording -----------------------------------------------------------------------------------------------

    def recorder(self) -> Recorder | None:
        """The recorder of this process, when the run is recorded."""
        if self._recorder is None and (self._record_part is not None or self.options.record is not None):
            from fixtures.recording.redaction import Redactor  # both know secrets, which takes a while to import
            from plugins.audit import recordings

            if self._record_part is None:
                self._record_part = self._own_part(cast(Path, self.options.record))
            self._recorder = open_recorder(self._record_part, Redactor(recordings.limits_of(self._settings)))
        return self._recorder

    def _own_part(self, record: Path) -> Path:
        """The part of a process that is no worker. What a run has left that this one resumes stays beside it."""
        if STARTED not in self.config.stash:
            remove_parts(record)
        names = itertools.chain(["main"], (f"main{number}" for number in itertools.count(2)))
        return next(part for part in (part_of(record, name) for name in names) if not part.exists())

    def calls_recorded(self, account: str) -> int:
        """How many calls of an account are on disk by now, here and by the workers that have ended."""
        own = self.recorder()
        if own is None:
            return 0
        own.flush()
        return 0 if own.error else own.calls[account] + self.recorded_elsewhere[account]

    def close(self) -> None:
        """End the run: let go of threads, finish the recording."""
        self.crew.close()
        if self._recorder is not None:
            self._recorder.close()
        if self.options.record is not None and self.task is None and self._recorder is not None:
            from plugins.audit import recordings

            accounts = [AccountFacts.of(account) for account in self.accounts]
            done, self.recorded = recordings.finish(self.options.record, self._recorder, self.now, accounts)
            if not done:  # the run has not done what it was asked for
                self.session.exitstatus = self.session.exitstatus or pytest.ExitCode.TESTS_FAILED


def task_input(
    task: Task, now: datetime, audited: Sequence[str], tokens: Mapping[str, Token], record_part: str
) -> dict[str, Any]:
    """What a worker needs to know, in plain types.

    ``tokens``: made with MFA, which only the controller can ask for; never in an argument or the environment.
    ``record_part``: the file that the worker records to, "" where the run is not recorded.
    """
    return {
        "task": task.packed(), "now": now.isoformat(), "audited": list(audited), "mfa": dict(tokens),
        "record_part": record_part,
    }  # fmt: skip


def idle_input(now: datetime) -> dict[str, Any]:
    """What a worker knows that has nothing to do."""
    return task_input(IDLE, now, [], {}, "")


def arguments_of(item: pytest.Item) -> Iterable[object]:
    """The arguments that an item is parametrized with."""
    params: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return params.values()


def first_resource(values: Iterable[object]) -> Resource | None:
    """The first resource among a test's arguments: what the test is about."""
    return next((value for value in values if isinstance(value, Resource)), None)


STARTED = pytest.StashKey[datetime]()
"""When the run began that this one resumes: it is the time of both."""
KEY = pytest.StashKey[Run]()
COMPLETE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
"""How a run ends that has come to its end."""


def run_of(config: pytest.Config) -> Run | None:
    """The run, once the session has started."""
    return config.stash.get(KEY, None)


def shows_only(config: pytest.Config) -> bool:
    """Whether pytest is asked for its fixtures or its cache."""
    option = config.option
    return bool(option.showfixtures or option.show_fixtures_per_test or getattr(option, "cacheshow", None) is not None)


def reporting_run(config: pytest.Config) -> Run | None:
    """The run, in the process that all its findings come to, when any are to come; None on workers."""
    run = run_of(config)
    silent = is_worker(config) or config.option.collectonly
    return run if run is not None and not silent and run.plan.findings_expected else None


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Validate the options and register the groups' markers."""
    if not config.option.help:  # which shows options, and need not read what there is to select
        register_markers(config)
    options = options_of(config)
    config.args += [str(folder) for folder in options.checks_dirs]
    _load_conftests(config, options.checks_dirs)
    if options.demo and not is_worker(config) and not (options.list_checks or options.list_groups):
        config.stash[options_plugin.KEY] = _start_demo(config, options)
    if not getattr(config.option, "newfirst", False) and config.pluginmanager.hasplugin("nfplugin"):
        # It remembers every node id ever seen, for --nf alone: tens of megabytes in a large organization.
        config.pluginmanager.unregister(name="nfplugin")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Plan the run; on a worker also take its task. What only shows what there is plans none, and needs no credentials."""
    if shows_only(session.config):
        return
    run = session.config.stash[KEY] = Run(session)
    if is_worker(session.config):
        run.take(session.config.workerinput.get("auditest") or idle_input(run.now))  # type: ignore[attr-defined]
    elif run.plan.kinds:
        run.entering.enter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Discover in one wave what the selected checks need, before pytest collects."""
    run = run_of(session.config)
    if run is not None and not is_worker(session.config):
        refuse_unknown_arguments(session, ((check, run.plan.nodeids[id]) for id, check in run.plan.checks.items()))
    idle = run is None or is_controller(session.config) or (run.task is not None and run.task.is_idle)
    if run is not None and not idle and run.plan.kinds:
        # Hundreds of thousands of small, long-lived objects come up: collecting garbage meanwhile finds none.
        gc.disable()
        run.inventory.discover(run.plan.kinds)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage again, without looking at what discovery and collection made."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close what the run opened."""
    run = run_of(session.config)
    if run is not None:
        run.close()


def _load_conftests(config: pytest.Config, folders: Iterable[Path]) -> None:
    """Load the conftest.py of folders of own checks, which pytest does for folders among its arguments.

    Collecting would load it as well, but a controller does not collect. Raises pytest.UsageError.
    """
    for folder in folders:
        try:
            config.pluginmanager._loadconftestmodules(
                folder.resolve(), config.getoption("importmode"), config.rootpath, consider_namespace_packages=False
            )
        except ConftestImportFailure as error:
            reason = " ".join(str(error.cause).split()) or type(error.cause).__name__
            raise pytest.UsageError(f"{error.path} cannot be loaded: {reason}") from None


def _start_demo(config: pytest.Config, options: Options) -> Options:
    """Start the sample organization and point the run, and the workers that inherit the environment, at it."""
    from plugins.demo.launcher import DemoError, start

    try:
        demo = start()
    except DemoError as error:
        raise pytest.UsageError(f"--demo: {error}") from None
    config.add_cleanup(demo.stop)
    os.environ.update(demo.environment)
    return replace(
        options, accounts=options.accounts or demo.accounts, role=demo.role,
        filter_regions=options.filter_regions or demo.regions,
    )  # fmt: skip
