"""--security-hub: the findings of the run into AWS Security Hub, account by account.

While an account is audited its findings go to a spool on disk, one per region. When the account is done, threads compare
each spool with what Security Hub has of earlier runs, import it, and archive what is gone.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from fixtures.api.errors import ApiError
from fixtures.model import Account
from plugins.audit import run as run_plugin
from plugins.audit.run import Run
from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.options.options import options_of
from plugins.reporting.coverage import coverage_of
from plugins.text import timestamp

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from plugins.delivery.hub import Hub, Result
    from plugins.outputs.asff_report import Asff

Place: TypeAlias = tuple[str, str]
"""Account id, region."""

THREADS = 16
"""Regions that are imported to at the same time."""
SPOOL_FINDINGS = 200
"""Findings that a spool keeps in memory."""
EVERYWHERE = "*"


class Spool:
    """Findings on their way to one region, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []

    def add(self, finding: Asff) -> None:
        """Put a finding at the end."""
        self._lines.append(json.dumps(finding) + "\n")
        if len(self._lines) >= SPOOL_FINDINGS:
            self._write()

    def _write(self) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(self._lines)
        self._lines.clear()

    def delete(self) -> None:
        """Free the space on disk."""
        self._path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Asff]:
        self._write()
        with self._path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


class Audited:
    """The findings of an account while it is audited, on disk, by region."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.checks: dict[str, Check] = {}
        self.spools: dict[str, Spool] = {}
        self._folder = Path(tempfile.mkdtemp(dir=folder))

    def add(self, finding: Finding) -> None:
        """Take in a finding."""
        from plugins.outputs.asff_report import COMPLIANCE, asff

        self.checks[finding.check.id] = finding.check
        if finding.status in COMPLIANCE:
            self.spool(finding.region).add(asff(finding))

    def spool(self, region: str) -> Spool:
        """The spool of a region."""
        if region not in self.spools:
            self.spools[region] = Spool(self._folder / str(len(self.spools)))
        return self.spools[region]


def import_region(
    hub: Hub, spool: Iterable[Asff], *, now: str, may_archive: Callable[[str], bool], only_fails: bool
) -> Result:
    """Import a spool, and archive the earlier findings that are not in it: their resource is gone, or is nothing to judge
    any more (INFO).

    ``may_archive``: whether all resources of a check, by its generator, were looked at. With ``only_fails``, passed
    resources are not imported; one that Security Hub has an active finding of is archived as passed, since it is no
    failure any more.
    """
    from plugins.delivery.hub import Result, Stopped, Times, archived, times_of, updated

    result = Result()
    ids = {finding["Id"] for finding in spool}
    known: dict[str, Times] = {}

    def to_send() -> Iterator[Asff]:
        sent: set[str] = set()
        for finding in spool:
            id = finding["Id"]
            if id in sent:
                continue
            sent.add(id)
            if only_fails and finding["Compliance"]["Status"] == "PASSED":
                if id not in known:
                    continue
                finding["RecordState"] = "ARCHIVED"
            yield updated(finding, known[id]) if id in known else finding
        gone.seek(0)
        yield from map(json.loads, gone)

    with tempfile.TemporaryFile("w+", encoding="utf-8") as gone:
        try:
            for earlier in hub.earlier():
                if earlier["Id"] in ids:
                    known[earlier["Id"]] = times_of(earlier)
                elif may_archive(earlier["GeneratorId"]):
                    gone.write(json.dumps(archived(earlier, now)) + "\n")
            hub.send(to_send(), result)
        except ApiError as error:
            left = len(ids) - result.imported
            result.problems.append(f"not imported to {hub.place}: {left} of {len(ids)} findings: {error}")
        except Stopped:
            result.problems.append(f"not imported to {hub.place}: the import was interrupted")
    return result


class Importer:
    """Takes findings, and imports those of an account when it is done."""

    def __init__(self, config: pytest.Config, run: Run, hubs: dict[Place, Hub], obstacles: dict[Place, str],
                 stop: threading.Event) -> None:  # fmt: skip
        self.config = config
        self.run = run
        self.options = options_of(config)
        self.hubs = hubs
        self.obstacles = obstacles
        self.imported = self.archived = 0
        self.problems: list[str] = []
        self.stop = stop
        self._accounts = {account.id: account for account in run.accounts}
        self._folder = tempfile.TemporaryDirectory(prefix="auditest-securityhub-")
        self._audited: dict[str, Audited] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="auditest-securityhub")
        self._work: list[Future[Result]] = []

    # -- hooks ---------------------------------------------------------------------------------------------------

    def pytest_audit_finding(self, finding: Finding) -> None:
        """Take in a finding."""
        if finding.account in self._accounts:
            self.of(finding.account).add(finding)

    def pytest_audit_account_done(self, account: str) -> None:
        """Start to import the findings of an account that has no more.

        Whether all of it was evaluated is settled now: nothing that comes later belongs to it.
        """
        if account not in self._accounts:
            return
        audited = self.of(account)
        del self._audited[account]
        coverage = coverage_of(self.config)
        covered = coverage.of(account) if coverage is not None else None
        regions = {region for id, region in self.hubs if id == account} | audited.spools.keys()
        for region in sorted(region for region in regions if (account, region) not in self.obstacles):
            evaluated = {id for id, check in audited.checks.items() if covered and not covered.gap(check, region)}
            self._work.append(self._pool.submit(self._import, audited, region, audited.spool(region), evaluated))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Import what is left, and wait for it. Anything that Security Hub does not take makes the run fail."""
        try:
            reporter = self.config.pluginmanager.getplugin("terminalreporter")
            if reporter is not None and not all(work.done() for work in self._work):
                reporter.ensure_newline()
                reporter.write_line("importing findings into Security Hub")
            for work in self._work:
                self._count(work.result())
        except KeyboardInterrupt:
            self.stop.set()
            self.problems.append("the import was interrupted")
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        finally:
            self.stop.set()
            self._pool.shutdown(cancel_futures=True)
            self._folder.cleanup()
        if self.problems and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """What was imported, what was not and why."""
        terminalreporter.write_line("")
        for line in skipped_lines(self.obstacles):
            terminalreporter.write_line(line, red=True)
        for problem in self.problems:
            terminalreporter.write_line(f"ERROR! Security Hub: {problem}", red=True)
        terminalreporter.write_line(f"Security Hub: {self.imported} findings imported, {self.archived} archived")

    # -- the import ----------------------------------------------------------------------------------------------

    def of(self, account: str) -> Audited:
        """What is known of an account."""
        if account not in self._audited:
            self._audited[account] = Audited(self._accounts[account], Path(self._folder.name))
        return self._audited[account]

    def _import(self, audited: Audited, region: str, spool: Spool, evaluated: set[str]) -> Result:
        from plugins.delivery.hub import Result
        from plugins.outputs.asff_report import GENERATOR_PREFIX

        hub = self.hubs.get((audited.account.id, region))
        if hub is None:  # a bucket, for one, may be in a region that is not audited
            hub = hub_of(audited.account, region, self.stop)
            obstacle = hub.obstacle()
            if obstacle:
                self.obstacles[audited.account.id, region] = obstacle
                return Result()

        def may_archive(generator: str) -> bool:
            return generator.removeprefix(GENERATOR_PREFIX) in evaluated

        try:
            return import_region(
                hub, spool, now=timestamp(self.run.now), may_archive=may_archive,
                only_fails=self.options.security_hub_only_fails,
            )  # fmt: skip
        finally:
            spool.delete()

    def _count(self, result: Result) -> None:
        self.imported += result.imported
        self.archived += result.archived
        self.problems += result.problems


def hub_of(account: Account, region: str, stop: threading.Event) -> Hub:
    """Security Hub of an account in a region."""
    from fixtures.api.live import AwsBackend
    from plugins.delivery.hub import Hub

    return Hub(AwsBackend(account.session, account.id), partition=account.partition, region=region, stop=stop)


def connect(run: Run, stop: threading.Event) -> tuple[dict[Place, Hub], dict[Place, str]]:
    """Where findings can be imported, and where not and why. Accounts that could not be entered have no place here."""
    is_global = bool(run.plan.requirements) or any(kind.scope == "global" for kind in run.plan.kinds)
    hubs: dict[Place, Hub] = {}
    for account in run.accounts:
        if account.session is not None:
            regions = dict.fromkeys([*account.regions, *([account.global_region] if is_global else [])])
            hubs |= {(account.id, region): hub_of(account, region, stop) for region in regions}
    with ThreadPoolExecutor(THREADS) as pool:
        obstacles = dict(zip(hubs, pool.map(lambda hub: hub.obstacle(), hubs.values()), strict=True))
    return (
        {place: hub for place, hub in hubs.items() if not obstacles[place]},
        {place: obstacle for place, obstacle in obstacles.items() if obstacle},
    )


def skipped_lines(obstacles: dict[Place, str]) -> list[str]:
    """A line for each account and reason that findings are not imported for."""
    regions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (account, region), reason in sorted(obstacles.items()):
        regions[account, reason].append(region)
    return [
        f"ERROR! Security Hub: findings of {', '.join(names)} of account {account} are not imported: {reason}"
        for (account, reason), names in regions.items()
    ]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anything is audited, see where findings can be imported. Raises pytest.UsageError when that is nowhere."""
    config = session.config
    run = run_plugin.reporting_run(config)
    if run is None or not run.options.security_hub:
        return
    stop = threading.Event()
    hubs, obstacles = connect(run, stop)
    if not hubs:
        raise pytest.UsageError(nowhere(obstacles))
    config.pluginmanager.register(Importer(config, run, hubs, obstacles, stop), "auditest-securityhub")
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        for line in skipped_lines(obstacles):
            reporter.write_line(line, red=True)


def nowhere(obstacles: dict[Place, str]) -> str:
    """The one line that says why nothing can be imported, and what to do."""
    if not obstacles:
        return "--security-hub: no account could be entered, so there is none to import findings for"
    (account, region), reason = next(iter(obstacles.items()))
    places = f"{region} of account {account}" + (f" and {len(obstacles) - 1} more places" if len(obstacles) > 1 else "")
    return (
        f"--security-hub: there is nowhere to import findings: {reason} in {places}; enable it with"
        f" `aws securityhub enable-security-hub --region {region}`, or leave --security-hub out"
    )
