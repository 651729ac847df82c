"""Makes an account of its parts, which several shards have audited: its findings once each, and what holds of all of it.

"Nothing to check" is a finding when every part says so, and requirements are rolled up from the findings of all parts.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from fixtures.api.backend import ClosedBackend
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.recording.reader import AccountFacts
from plugins.at_scale.account_record import AccountRecord
from plugins.at_scale.findings_file import findings_in, unpacked_check
from plugins.at_scale.manifest import Manifest
from plugins.audit.collection import item_id
from plugins.audit.execution import make_finding
from plugins.catalog.checks import Check
from plugins.catalog.files import DATA, own_folders
from plugins.compliance.roll_up import Outcomes, Planned, rolls_up, rows
from plugins.findings.finding import Finding, unpacked
from plugins.findings.verdict import evaluate


class JoiningError(ValueError):
    """The parts of an account cannot be joined; the message says why and what to do."""


def planned(manifest: Manifest) -> list[Planned]:
    """The requirements that a run rolls up. Raises JoiningError when the function that judges one is not here."""
    packed = {one["id"]: one for one in manifest.checks}
    judges = {nodeid: _function(nodeid) for nodeid in {one.nodeid for one in manifest.requirements}}
    return [
        Planned(one.requirement, unpacked_check(packed[one.check], judges[one.nodeid]), one.nodeid)
        for one in manifest.requirements
    ]


def _function(nodeid: str) -> Callable[..., object]:
    """The test function of a node id, from the suite's folder of frameworks or one of --checks-dir: what a manifest names
    is never run from elsewhere.
    """
    text, _, name = nodeid.partition("::")
    path = PurePosixPath(text)
    folders = (DATA,) if path.parts[0] == DATA.name else own_folders()
    for file in (file for folder in folders for file in sorted(folder.rglob("test*.py")) if file.name == path.name):
        try:
            spec = importlib.util.spec_from_file_location(f"auditest_judge_{file.stem}", file)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        except Exception as error:  # noqa: BLE001 - whatever the module does
            raise JoiningError(f"{file} cannot be imported: {error}") from None
        function = getattr(module, name, None)
        if inspect.isfunction(function) and rolls_up(function):
            return function
    raise JoiningError(f"{nodeid}, which judges requirements, is not here: give --checks-dir as in the run")


def joined(
    parts: Sequence[tuple[Path, AccountRecord]], checks: dict[str, Check], plans: Sequence[Planned], selected: set[str],
    now: datetime,
) -> Iterator[Finding]:  # fmt: skip
    """The findings of an account from its parts and the folders that they lie in, in one account's order: checks first.

    All get the time ``now``, since reports of an account are of one time. Raises JoiningError for a damaged findings file.
    """
    outcomes = Outcomes(id for one in plans for id in one.requirement.checks)
    for finding in _once(parts):
        outcomes.add(finding)
        yield replace(finding, timestamp=now)
    for finding in _nothing([part for _, part in parts], checks):
        outcomes.add(finding)
        yield replace(finding, timestamp=now)
    if plans:
        partial = next((part.partial for _, part in parts if part.partial), "")
        facts = parts[0][1].facts
        assert facts is not None, "merge refuses a part without facts"
        yield from _rolled_up(facts, plans, outcomes, selected, partial, now)


def _once(parts: Iterable[tuple[Path, AccountRecord]]) -> Iterator[Finding]:
    """The findings of all parts. What several parts say, such as that the account cannot be entered, is there once."""
    seen: set[str] = set()
    for folder, part in parts:
        try:
            for finding in findings_in(folder / part.part_findings) if part.part_findings else ():
                if finding.account != part.account:
                    raise ValueError(f"a finding is of account {finding.account}")
                if finding.nodeid not in seen:
                    seen.add(finding.nodeid)
                    yield finding
        except (ValueError, TypeError, LookupError) as error:
            raise JoiningError(f"{folder / part.part_findings} is damaged ({error}): run its shard again") from None


def _nothing(parts: Sequence[AccountRecord], checks: dict[str, Check]) -> Iterator[Finding]:
    """The INFO findings of what no part has anything of."""
    by_id = [{packed[0]: packed for packed in part.nothing} for part in parts]
    for id, packed in by_id[0].items():
        if all(id in other for other in by_id):
            yield unpacked(checks[id], packed)


def _rolled_up(
    facts: AccountFacts, plans: Sequence[Planned], outcomes: Outcomes, selected: set[str], partial: str, now: datetime
) -> Iterator[Finding]:
    crew = Crew(1)
    try:
        # A requirement asks AWS nothing.
        closed = ClosedBackend(ApiError("sts", "AssumeRole", "Merging", "no call is made when reports are merged"))
        account = facts.account(closed, crew, now)
        for plan, row in rows(plans, [account], outcomes, selected.__contains__, lambda: partial):
            verdict = evaluate(plan.check, row.subject)
            yield make_finding(plan.check, verdict, row, now, f"{plan.nodeid}[{item_id(row)}]")
    finally:
        crew.close()
