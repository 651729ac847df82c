"""What is kept of an account that is complete: its reports with their digests, and its counts.

The journal of a run (``plugins.at_scale.journal``) and the manifest of a shard (``plugins.at_scale.manifest``) are made of these records.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from fixtures.recording.reader import AccountFacts
from plugins.catalog.checks import Check
from plugins.findings.tally import EXAMPLES, Tally
from plugins.findings.verdict import Status
from plugins.whitelist.usage import Usage


class ReportFile(msgspec.Struct, frozen=True):
    """A finished report. ``name`` is relative to the output directory."""

    name: str
    size: int
    sha256: str


class Counts(msgspec.Struct):
    """The tally of one account, and how often it used the whitelist's entries (by position)."""

    checks: dict[str, dict[Status, int]] = {}
    errors: dict[str, list[str]] = {}
    """Reason -> ids of the checks that it kept from being evaluated."""
    examples: dict[str, list[str]] = {}
    requirements: dict[str, dict[Status, int]] = {}
    """Framework -> its requirements by status."""
    silent: list[str] = []
    """Checks of a part of an account that found nothing to look at there."""
    accepted: dict[int, int] = {}
    passed: dict[int, int] = {}


class RecordedPart(msgspec.Struct, frozen=True):
    """Which part of an account: the n-th of so many, with these regions."""

    number: int
    of: int
    regions: list[str]


class AccountRecord(msgspec.Struct):
    """A complete account, or a complete part of one."""

    account: str
    regions: list[str]
    files: list[ReportFile]
    counts: Counts
    part: RecordedPart | None = None
    report: str = ""
    """What the account's reports are called, without the part and without ending."""
    part_findings: str = ""
    """The file among ``files`` that carries the findings of a part to ``plugins.merge``."""
    nothing: list[list[Any]] = []
    """Packed INFO findings that hold if the account's other parts found nothing either."""
    facts: AccountFacts | None = None
    """Of a part: what is known of the account."""
    findings: str = ""
    """The file that keeps its findings for --resume, where somebody other than the reports needs them again."""
    calls: int = 0
    """With --record: how many of its calls were recorded."""
    partial: str = ""
    """Of a part: why its run looked at some of its resources only."""


def counts_of(account: str, tally: Tally, usage: Usage, silent: Iterable[str] = ()) -> Counts:
    """The counts of a tally of one account."""
    return Counts(
        checks={id: dict(counts) for id, counts in tally.by_check.items()},
        errors={reason: sorted({id for _, id in places}) for reason, places in tally.errors.items()},
        examples={id: list(names) for id, names in tally.examples.items() if names},
        requirements={name: dict(counts) for name, counts in tally.requirements.items()},
        silent=sorted(silent),
        accepted=dict(usage.accepted),
        passed=dict(usage.passed),
    )


def add_to(tally: Tally, account: str, counts: Counts, check: Callable[[str], Check]) -> None:
    """Count an account that was complete before. ``check`` finds a check by its id."""
    for id, statuses in counts.checks.items():
        tally.checks[id] = check(id)
        tally.statuses.update(statuses)
        tally.by_check[id].update(statuses)
        tally.by_account[account].update(statuses)
        tally.seen[account].add(id)
        if statuses.get("ERROR"):
            tally.incomplete[account].add(id)
    tally.seen[account].update(counts.silent)
    for reason, ids in counts.errors.items():
        tally.errors[reason].update((account, id) for id in ids)
    for id, names in counts.examples.items():
        tally.examples[id] = [*tally.examples[id], *names][:EXAMPLES]
    for name, numbers in counts.requirements.items():
        tally.requirements[name].update(numbers)
        tally.requirements_of[account].update(numbers)


def use(usage: Usage, counts: Counts) -> None:
    """Count the whitelist's entries that an account used."""
    usage.accepted.update(counts.accepted)
    usage.passed.update(counts.passed)


def totals(counts: Counts) -> Counter[Status]:
    """Findings by status, requirements among them: what a run's exit code is about."""
    found: Counter[Status] = Counter()
    for statuses in (*counts.checks.values(), *counts.requirements.values()):
        found.update(statuses)
    return found


def described(folder: Path, files: Iterable[Path]) -> list[ReportFile]:
    """Finished reports with size and digest."""
    found = []
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append(ReportFile(path.relative_to(folder).as_posix(), path.stat().st_size, digest))
    return found


def changed(folder: Path, files: Iterable[ReportFile]) -> str:
    """The first report that is gone or not what it was, or not in the folder; "" when all are there."""
    for file in files:
        path = folder / file.name
        try:
            if not is_inside(folder, file.name):
                return file.name
            (now,) = described(folder, [path])
        except OSError:
            return file.name
        if now != file:
            return file.name
    return ""


def is_inside(folder: Path, name: str) -> bool:
    """Whether a name leads to a place in a folder: not by ``..``, and not by a link."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        return False
    return (folder / path).resolve().is_relative_to(folder.resolve())
