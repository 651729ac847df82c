"""Running check items: ahead of time, side by side, and reported in order.

While item i is reported, the functions of the next items run already. First each is tried with only the answers that
are there (no thread, no cost); the ones that need a call go to a thread. A check item then takes the short protocol:
one report instead of pytest's three phases, unless an option asks for reports that need all three.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Literal

import pytest

from fixtures.api.calls import WouldBlock, only_known_answers
from plugins.audit import run as run_plugin
from plugins.audit.collection import EVIDENCE, OUTCOME_MARKS, CheckItem
from plugins.audit.run import Run, run_of
from plugins.catalog.checks import Check, check_of
from plugins.findings.finding import Finding, properties_of
from plugins.findings.pytest_report import attach
from plugins.findings.row import Row
from plugins.findings.verdict import Verdict, evaluate, passed, verdict_of

LOOK_AHEAD = 256
"""Items that are evaluated ahead of the one being reported."""


class Ahead:
    """Evaluates check items in their order, up to LOOK_AHEAD before they are asked for."""

    def __init__(self, run: Run, items: list[pytest.Item]) -> None:
        self.run = run
        self._next = iter(items)
        self._verdicts: dict[str, Verdict | Future[Verdict]] = {}

    def verdict(self, item: CheckItem) -> Verdict:
        """The verdict on an item, waiting for it if need be. Raises what ``evaluate`` raises."""
        self._fill()
        found = self._verdicts.pop(item.nodeid, None)
        if found is None:  # run out of order, by some other plugin
            return self._evaluate(item)
        return found.result() if isinstance(found, Future) else found

    def _fill(self) -> None:
        while len(self._verdicts) < LOOK_AHEAD:
            item = next(self._next, None)
            if item is None:
                return
            if isinstance(item, CheckItem) and not (item.tentative or item.late):
                self._verdicts[item.nodeid] = self._start(item)

    def _start(self, item: CheckItem) -> Verdict | Future[Verdict]:
        try:
            with only_known_answers():
                return self._evaluate(item)
        except WouldBlock:
            return self.run.crew.start(lambda: self._evaluate(item))
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - belongs to the item, not to the one being reported
            failed: Future[Verdict] = Future()
            failed.set_exception(raised)
            return failed

    def _evaluate(self, item: CheckItem) -> Verdict:
        if item.row.verdict is not None:
            return item.row.verdict
        verdict = evaluate(item.check, item.row.subject, self.run.settings(item.check, item.row.account.id))
        return self.run.matcher.judge(verdict, item.check, item.row)


_AHEAD = pytest.StashKey[Ahead]()
_FULL = pytest.StashKey[bool]()


def needs_full_reports(config: pytest.Config) -> bool:
    """Whether a report plugin is in use that waits for setup and teardown reports (JUnit, pytest-html, json-report)."""
    full = config.stash.get(_FULL, None)
    if full is None:
        wanted = (getattr(config.option, name, None) for name in ("xmlpath", "htmlpath", "json_report"))
        full = config.stash[_FULL] = any(wanted)
    return full


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """The short protocol for check items."""
    if not isinstance(item, CheckItem):
        return None
    config = item.config
    run = run_of(config)
    if run is None:
        return None
    if item.tentative:
        run.nothing_found.append((item.check.id, item.nodeid, item.location))
        return True
    if config.option.usepdb or config.option.setupshow or any(mark.name in OUTCOME_MARKS for mark in item.own_markers):
        return None
    ahead = config.stash.get(_AHEAD, None)
    if ahead is None:
        ahead = config.stash[_AHEAD] = Ahead(run, item.session.items)
    started = time.time()
    clock = time.perf_counter()
    try:
        verdict = ahead.verdict(item)
    except BaseException as raised:  # while it is waited for: the alarm of pytest-timeout
        outcome = verdict_of(raised, item.check)
        if outcome is None:
            raise
        verdict = outcome
    duration = time.perf_counter() - clock
    finding = make_finding(item.check, verdict, item.row, run.now, item.nodeid, duration)
    for report in reports_of(item.location, finding, verdict, started, needs_full_reports(config)):
        item.ihook.pytest_runtest_logreport(report=report)
    if item.session._setupstate.stack:
        item.session._setupstate.teardown_exact(nextitem)
    item.row.resource = None  # its answers are not needed any more
    return True


def reports_of(
    location: tuple[str, int | None, str], finding: Finding, verdict: Verdict, started: float, full: bool
) -> Iterator[pytest.TestReport]:
    """The reports of a finding: the one that carries it, and with ``full`` those of setup and teardown around it."""
    properties = properties_of(finding)
    if full and verdict.status != "ERROR":
        yield _phase(location, finding, "setup", started, properties)
    report = verdict_report(finding.nodeid, location, finding, verdict, started, finding.duration, properties)
    yield attach(report, finding)
    if full:
        yield _phase(location, finding, "teardown", started + finding.duration, properties)


def verdict_report(
    nodeid: str,
    location: tuple[str, int | None, str],
    finding: Finding,
    verdict: Verdict,
    started: float,
    duration: float,
    properties: list[tuple[str, Any]],
) -> pytest.TestReport:
    """The one report that carries a verdict, in pytest's terms: an ERROR fails in setup, INFO is skipped."""
    outcome, when, longrepr = "passed", "call", None
    if verdict.status == "FAIL":
        outcome, longrepr = "failed", verdict.message
    elif verdict.status == "ERROR":
        outcome, when, longrepr = "failed", "setup", verdict.crash or verdict.message
    elif verdict.status in ("INFO", "WARNING"):
        path, line, _ = location
        outcome, longrepr = "skipped", (path, (line or 0) + 1, verdict.message)  # type: ignore[assignment]
    report = pytest.TestReport(
        nodeid, location, {finding.check.id: 1}, outcome, longrepr, when,  # type: ignore[arg-type]
        duration=duration, start=started, stop=started + duration, user_properties=properties,
    )  # fmt: skip
    if verdict.status == "WARNING":
        report.wasxfail = verdict.message
    return report


def _phase(
    location: tuple[str, int | None, str], finding: Finding, when: Literal["setup", "teardown"], at: float,
    properties: list[tuple[str, Any]],
) -> pytest.TestReport:  # fmt: skip
    return pytest.TestReport(
        finding.nodeid, location, {finding.check.id: 1}, "passed", None, when,
        duration=0.0, start=at, stop=at, user_properties=properties,
    )  # fmt: skip


def make_finding(
    check: Check, verdict: Verdict, row: Row, now: datetime, nodeid: str, duration: float = 0.0
) -> Finding:
    """A finding from a verdict and the row it is about. ``now``: the time of the audit."""
    account = row.account
    subject = row.subject
    return Finding(
        check=check,
        status=verdict.status,
        message=verdict.message,
        account=account.id,
        account_name=account.name,
        account_unit=account.unit,
        profile=account.profile,
        partition=account.partition,
        region=row.region,
        resource_id=subject.id,
        resource_arn=subject.arn,
        resource_type=_resource_type(check, row),
        timestamp=now,
        nodeid=nodeid,
        tags=subject.tags,
        duration=duration,
        resource_key=row.refused or subject.key,
        accepted=verdict.accepted,
        entries=verdict.entries,
    )


def _resource_type(check: Check, row: Row) -> str:
    """The check's own type where it names one; else the resource's, since resources of one kind may have several."""
    if row.resource is None:
        return "AwsAccount"
    kind = check.resource
    return row.resource.resource_type if kind and check.resource_type == kind.resource_type else check.resource_type


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a check that asks for other fixtures too: it may return its evidence and gets its settings."""
    check = check_of(pyfuncitem.function)
    run = run_of(pyfuncitem.config)
    if check is None or run is None:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    resource = run_plugin.first_resource(arguments.values())
    settings = run.settings(check, resource.api.account.id) if resource is not None else None
    pyfuncitem.stash[EVIDENCE] = pyfuncitem.obj(**arguments, **(settings or {}))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the finding to the report of a check that ran under pytest's full protocol."""
    report = yield
    check = check_of(getattr(item, "function", None))
    run = run_of(item.config)
    if check is None or run is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return report
    row = run.row_of(item)
    if row is None:
        return report
    if call.excinfo is None:
        verdict = passed(check, item.stash.get(EVIDENCE, None))
    else:
        verdict = row.verdict or verdict_of(call.excinfo.value, check) or Verdict("ERROR", "interrupted")
        if verdict.status == "FAIL" and report.when == "setup":
            verdict = Verdict("ERROR", verdict.message)
    if hasattr(report, "wasxfail") and verdict.status == "FAIL":
        verdict = Verdict("WARNING", f"{verdict.message} (accepted: {report.wasxfail})")
    else:
        verdict = run.matcher.judge(verdict, check, row)
        if verdict.accepted:  # what an xfail mark does, but only for a FAIL, and also with --runxfail
            path, line, _ = item.location
            report.outcome, report.wasxfail = "skipped", verdict.message
            report.longrepr = (path, (line or 0) + 1, verdict.message)
    finding = make_finding(check, verdict, row, run.now, item.nodeid, call.duration)
    report.user_properties.extend(properties_of(finding))
    return attach(report, finding)
