"""The state of a run: what was selected, which accounts are audited, and what discovery found.

There are three roles. Alone (no ``-n``), the process plans, enters the accounts, discovers and runs. With ``-n``, the
controller plans, enters the accounts to learn their regions, and cuts them into shards; each worker gets one shard in
its ``workerinput``, enters that account and discovers and runs its part.
"""

from __future__ import annotations

import functools
import gc
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.entering import Doorway, enter_all, known_account
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, SessionError
from fixtures.model import Account, Resource
from fixtures.recording.accounts import open_recorder, recorded, replayed
from fixtures.recording.reader import Recording, RecordingError, ReplayBackend
from fixtures.recording.redaction import Redactor
from fixtures.recording.writer import Recorder, part_of, remove_parts
from plugins.audit import recordings, shares, targets
from plugins.audit.discovery import Kind, Listings, discover, rows_for
from plugins.audit.shares import Cut, share_numbers
from plugins.audit.task import Task
from plugins.catalog.checks import Check
from plugins.compliance.roll_up import Outcomes, Planned, partial_reason, rows
from plugins.findings.row import Row
from plugins.options import options as options_plugin
from plugins.options import thresholds
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.roles import is_controller, is_worker
from plugins.selection.markers import register_markers
from plugins.selection.plan import Plan, make_plan
from plugins.whitelist import file
from plugins.whitelist.matching import Matcher
from plugins.whitelist.usage import Usage


class Run:
    """One run of the suite, in whichever role this process has."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.config = session.config
        self.options: Options = options_of(session.config)
        self.crew = Crew()
        self.plan: Plan = make_plan(session, self.options)
        self._settings = thresholds.load(self.options.config, self.plan.known, self.options.listed_accounts)
        self.whitelist = file.load(self.options.whitelist, self.plan.ids)
        self.usage = Usage()
        self.now: datetime = self.config.stash.get(STARTED, None) or utcnow()
        self.accounts: list[Account] = []
        """The accounts that this run reports on."""
        self.audited: list[str] = []
        """Ids of all accounts that are audited together: with --shard, those of the other shards as well."""
        self.cut: Cut | None = None
        """The part of the only account that this run audits, with --shard."""
        self.finished: frozenset[str] = frozenset()
        """Ids of the accounts that an earlier run has finished, with --resume."""
        self.entries: dict[str, Target] = {}
        self.shard: Task | None = None
        self.listings: Listings = {}
        self.outcomes = Outcomes(id for one in self.plan.requirements for id in one.requirement.checks)
        self.deselected = False
        """Whether something (-k, --deselect) left out resources of selected checks."""
        self.nothing_found: list[tuple[str, str, tuple[str, int | None, str]]] = []
        """Check id, node id and location of the checks for which this shard found nothing (see CheckItem.tentative)."""
        self.left_out: dict[str, int] = {}
        """Kind of resource -> how many of it --max-items left out."""
        self.notes: list[str] = []
        """What else is left out, in words: accounts, regions."""
        self._sources: Sources | None = None
        self._entered = False
        self._listed_kinds: set[Kind] = set()
        self._recorder: Recorder | None = None
        self._record_part: Path | None = None
        self.recording: Recording | None = None
        """What is replayed."""
        self.recorded: list[str] = []
        """What there is to say of the recording that was made."""

    # -- accounts ------------------------------------------------------------------------------------------------

    def enter(self) -> list[Account]:
        """Enter the accounts, once. Raises pytest.UsageError when nothing can be audited."""
        if self._entered:
            return self.accounts
        try:
            self._enter()
        except (SessionError, RecordingError) as error:
            raise pytest.UsageError(str(error)) from None
        self._entered = True
        self.audited = [account.id for account in self.accounts]
        self._instruct(self.audited)
        self._take_share()
        return self.accounts

    def _take_share(self) -> None:
        """With --shard, keep what this shard audits."""
        shard = share_numbers(self.config)
        if shard is not None:
            share = shares.share_of(self.accounts, *shard)
            self.accounts = [account for account in self.accounts if account.id in share.accounts]
            self.cut = share.cut

    @property
    def unfinished(self) -> list[Account]:
        """The accounts that are left to audit."""
        return [account for account in self.accounts if account.id not in self.finished]

    def report_name(self, account: str, *, whole: bool = False) -> str:
        """What the reports of an account are called, without ending; ``whole``: not those of the part of it."""
        name = self.options.report_name(account, self.now, several=len(self.audited) > 1)
        return name if whole or self.cut is None else f"{name}-part-{self.cut.number}-of-{self.cut.of}"

    def _enter(self) -> None:
        options = self.options
        if options.replay is not None:
            recording = self.recording = Recording(options.replay)
            recording.verify()
            self.now = recording.now
            self.accounts = targets.replayed_accounts(options, recording, self.crew)
            return
        self._sources = targets.sources(options)
        door = self._door(self._sources)
        entered = enter_all(targets.entries(options, door), door)
        self.notes = sorted(door.notes)
        self.accounts = [account for _, account in entered]
        self.entries = {account.id: entry for entry, account in entered}

    def _door(self, sources: Sources) -> Doorway:
        options = self.options
        return Doorway(self.crew, self.now, options.region, options.filter_regions, self.recorder(), sources)

    @property
    def sources(self) -> Sources | None:
        """The sessions that the accounts were entered with; None in a replay."""
        return self._sources

    def take_shard(self, data: dict[str, Any]) -> None:
        """Become the worker of a shard."""
        self.now = datetime.fromisoformat(data["now"])
        self.shard = shard = Task(**{**data["shard"], "entry": Target(**data["shard"]["entry"])})
        self._entered = True
        if data["record_part"]:
            self._record_part = Path(data["record_part"])
        options = self.options
        if options.replay is not None:
            self.accounts = replayed(Recording(options.replay), self.crew, options.filter_regions, [shard.account])
        else:
            door = self._door(targets.sources(options, data["mfa"]))
            error = ApiError(*shard.error) if shard.error else None
            try:
                account = known_account(shard.entry, shard.facts, door, error)
            except SessionError as problem:  # this may be another host, with credentials of its own, or without
                error = ApiError("sts", "GetCredentials", "NoCredentials", f"{problem} (on host {platform.node()})")
                account = known_account(shard.entry, shard.facts, door, error)
            account.regions_error = ApiError(*shard.regions_error) if shard.regions_error else None
            self.accounts = [account]
        self._instruct(data["audited"])

    def _instruct(self, audited: Iterable[str]) -> None:
        """Give the accounts of this process what checks may ask of the run: whom to trust, whether to open connections."""
        trusted = frozenset([*audited, *self.options.trusted_accounts])
        for account in self.accounts:
            account.trusted_accounts = trusted
            account.active_probes = self.options.active_probes

    def account(self, id: str) -> Account | None:
        """The account with this id, if this process has it."""
        return next((account for account in self.accounts if account.id == id), None)

    def shards(self, workers: int) -> list[Task]:
        """Cut the accounts into shards: one per account, or per part of its regions when workers would be idle."""
        self.enter()
        accounts = self.unfinished
        parts_each = max(1, -(-workers // len(accounts))) if accounts else 1
        shards: list[Task] = []
        for account in accounts:
            facts = dict(recorded(account))
            common: dict[str, Any] = {
                "account": account.id,
                "entry": self.entries.get(account.id, Target()),
                "facts": facts,
                "error": _packed(account.entry_error),
                "regions_error": _packed(account.regions_error),
            }
            regions = self.cut.regions if self.cut is not None else account.regions
            with_global = self.cut is None or self.cut.with_global
            parts = min(parts_each, max(1, len(regions)))
            if parts == 1 and self.cut is None:
                shards.append(Task(**common))
                continue
            shards += [
                Task(**common, regions=regions[part::parts], with_global=with_global and part == 0)
                for part in range(parts)
            ]
        return shards

    def shard_input(self, shard: Task, worker: str) -> dict[str, Any]:
        """What a worker needs to know, in plain types."""
        return {
            "shard": asdict(shard),
            "now": self.now.isoformat(),
            "audited": self.audited,
            # made with MFA, which only this process can ask for; never in an argument or the environment
            "mfa": self._sources.mfa.tokens if self._sources is not None else {},
            "record_part": str(part_of(self.options.record, worker)) if self.options.record else "",
        }

    # -- discovery -----------------------------------------------------------------------------------------------

    def discover(self, kinds: set[Kind] | None = None) -> None:
        """List all kinds that the plan needs (or ``kinds``), in one wave."""
        wanted = (self.plan.kinds if kinds is None else kinds) - self._listed_kinds
        if not wanted:
            return
        self.enter()
        self._load_recorded()
        self._listed_kinds |= wanted
        listed = discover(wanted, self.unfinished, self.crew, max_items=self.options.max_items, **self._part())
        self.listings |= listed
        for (kind, _, _), listing in listed.items():
            self.leave_out(kind, listing.left_out)

    def leave_out(self, kind: str, number: int) -> None:
        """Count resources that --max-items left out."""
        if number:
            self.left_out[kind] = self.left_out.get(kind, 0) + number

    def _load_recorded(self) -> None:
        """Read what a recording has of the accounts now, so that a damaged line ends the run at once."""
        try:
            for account in self.unfinished:
                if isinstance(account.calls.backend, ReplayBackend):
                    account.calls.backend.load()
        except RecordingError as error:
            raise pytest.UsageError(str(error)) from None

    def rows(self, check: Check) -> list[Row]:
        """The items-to-be of a check in this process."""
        kind = check.resource
        if kind is None or (self.shard is not None and self.shard.is_idle):
            return []
        self.discover({kind})
        return rows_for(check, self.listings, self.unfinished, **self._part())

    def requirement_rows(self, account: Account | None = None) -> list[tuple[Planned, Row]]:
        """What is rolled up, once the checks are done: in all accounts of this process, or in one."""
        if self.cut is not None:  # a requirement is about all of an account
            return []
        accounts = self.unfinished if account is None else [account]
        return list(rows(self.plan.requirements, accounts, self.outcomes, self.plan.checks.__contains__, self.partial))

    def partial(self) -> str:
        """Why this run looks at a part of the resources only; "" when it looks at all."""
        reason = self.partial_besides_the_cut()
        return reason or "this shard has a part of the account only" * (self.cut is not None)

    def partial_besides_the_cut(self) -> str:
        """Likewise, of the part of the account that a shard has."""
        return partial_reason(self.config, bool(self.left_out), self.deselected)

    def _part(self) -> dict[str, Any]:
        if self.shard is None:
            cut = self.cut
            return {"regions": cut and cut.regions, "global_part": cut is None or cut.with_global}
        return {"regions": self.shard.regions, "global_part": self.shard.with_global}

    def settings(self, check: Check, account: str) -> dict[str, Any] | None:
        """The thresholds of a check in an account that differ from its defaults."""
        return self._settings.of(check.id, account) or None

    @functools.cached_property
    def matcher(self) -> Matcher:
        """What applies the whitelist; made when the time of the audit is known, which decides what has expired."""
        return Matcher(self.whitelist, self.now.date())

    def row_of(self, item: pytest.Item) -> Row | None:
        """What an item of the full protocol is about."""
        row = getattr(item, "row", None)
        if isinstance(row, Row):
            return row
        resource = first_resource(arguments_of(item))
        if resource is None:
            return None
        return Row(resource.api.account, resource.region, resource.id, resource)

    # -- recording -----------------------------------------------------------------------------------------------

    def recorder(self) -> Recorder | None:
        """The recorder of this process, when the run is recorded."""
        target = self._record_part
        if target is None and self.options.record is not None:
            remove_parts(self.options.record)
            target = part_of(self.options.record, "main")
        if target is not None and self._recorder is None:
            self._recorder = open_recorder(target, Redactor(recordings.limits_of(self._settings)))
            self._record_part = target
        return self._recorder

    def close(self) -> None:
        """End the run: let go of threads, finish the recording."""
        self.crew.close()
        if self._recorder is not None:
            self._recorder.close()
        if self.options.record is not None and self.shard is None and self._recorder is not None:
            accounts = [recorded(account) for account in self.accounts]
            done, self.recorded = recordings.finish(self.options.record, self._recorder, self.now, accounts)
            if not done:  # the run has not done what it was asked for
                self.session.exitstatus = self.session.exitstatus or pytest.ExitCode.TESTS_FAILED


def arguments_of(item: pytest.Item) -> Iterable[object]:
    """The arguments that an item is parametrized with."""
    params: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return params.values()


def first_resource(values: Iterable[object]) -> Resource | None:
    """The first resource among a test's arguments: what the test is about."""
    return next((value for value in values if isinstance(value, Resource)), None)


def _packed(error: ApiError | None) -> list[str] | None:
    return [error.service, error.operation, error.code, error.reason] if error is not None else None


STARTED = pytest.StashKey[datetime]()
"""When the run began that this one resumes: it is the time of both."""
KEY = pytest.StashKey[Run]()
COMPLETE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
"""How a run ends that has come to its end."""


def run_of(config: pytest.Config) -> Run | None:
    """The run, once the session has started."""
    return config.stash.get(KEY, None)


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
    if options.demo and not is_worker(config) and not (options.list_checks or options.list_groups):
        config.stash[options_plugin.KEY] = _start_demo(config, options)
    if not getattr(config.option, "newfirst", False) and config.pluginmanager.hasplugin("nfplugin"):
        # It remembers every node id ever seen, for --nf alone: tens of megabytes in a large organization.
        config.pluginmanager.unregister(name="nfplugin")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Plan the run; on a worker also take its shard."""
    run = session.config.stash[KEY] = Run(session)
    if is_worker(session.config):
        data = session.config.workerinput.get("auditest")  # type: ignore[attr-defined]
        if data is None:
            run.shard, run._entered = Task("", Target(), {}), True
        else:
            run.take_shard(data)
    elif run.plan.kinds:
        run.enter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Discover in one wave what the selected checks need, before pytest collects."""
    run = run_of(session.config)
    idle = run is None or is_controller(session.config) or (run.shard is not None and run.shard.is_idle)
    if run is not None and not idle and run.plan.kinds:
        # Hundreds of thousands of small, long-lived objects come up: collecting garbage meanwhile finds none.
        gc.disable()
        run.discover()


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
