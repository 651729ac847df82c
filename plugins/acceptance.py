"""Applying the whitelist: which failures are accepted, and afterwards which of its entries still serve.

The process that runs a check judges (``Matcher``): it turns FAIL into WARNING and notes in the finding which entries are
about its resource. The process that reports counts (``Usage``): whatever a worker that died had reported stays counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from fixtures.account import Account
from fixtures.errors import ApiError
from fixtures.tags import tags_of
from plugins.catalog import Check
from plugins.compliance import ARGUMENT
from plugins.discovery import Row
from plugins.evaluation import Verdict
from plugins.findings import Finding
from plugins.outputs.base import visible
from plugins.tally import Tally
from plugins.whitelist import ALL, Entry, Scope

if TYPE_CHECKING:
    from plugins.run import Run

SOON = 30
"""Days before its last one in which an entry is said to expire."""
FEW = 20
"""Patterns that are tried one by one; with more of them it is quicker to look them up."""
PIECE = 5
"""Characters by which a text is looked up."""
MOST_SHOWN = 25


class Drawer:
    """Entries about the same check and account, found by the resource's names without trying each.

    Of the texts that every match of a pattern contains, one piece is filed: the one that fewest other patterns have. A
    resource is then looked up by the pieces of its own names.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        filed = [(pieces, entry) for entry in entries for pieces in _pieces_of(entry)]
        number = Counter(piece for pieces, _ in filed for piece in pieces)
        self.always: list[Entry] = []
        self.by_piece: dict[str, list[Entry]] = {}
        for pieces, entry in filed:
            if len(filed) <= FEW or not pieces:
                self.always.append(entry)
            else:
                rarest = min(pieces, key=lambda piece: (number[piece], piece))
                self.by_piece.setdefault(rarest, []).append(entry)

    def possible(self, names: str) -> list[Entry]:
        """The entries that may be about the resource of these names; some perhaps twice."""
        if not self.by_piece:
            return self.always
        pieces = self.by_piece.keys() & _pieces(names)
        return self.always + [entry for piece in pieces for entry in self.by_piece[piece]]


def _pieces_of(entry: Entry) -> list[set[str]]:
    """For each pattern of an entry, the pieces that the names of every resource that it matches have."""
    patterns = [set().union(*map(_pieces, pattern.plain)) for pattern in entry.scope.resources]
    return patterns or [set()]


def _pieces(text: str) -> set[str]:
    return {text[start : start + PIECE] for start in range(len(text) - PIECE + 1)}


class Matcher:
    """Finds the entries that are about a resource: by the check and groups and by the account that they name, then by
    the resource's names. Only what is left is evaluated.
    """

    def __init__(self, entries: Iterable[Entry], today: date) -> None:
        filed: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            if not entry.is_expired(today):
                for place in itertools.product(entry.scope.checks or [ALL], entry.scope.accounts or [ALL]):
                    filed.setdefault(place, []).append(entry)
        self._drawers = {place: Drawer(found) for place, found in filed.items()}
        self._words = {word for word, _ in filed}
        self._words_of: dict[str, list[str]] = {}
        """Check id -> its id and groups, as far as entries name them."""

    def judge(self, verdict: Verdict, check: Check, row: Row) -> Verdict:
        """The verdict with the entries that are about the resource: a FAIL that one of them accepts is a WARNING.

        Any other status stays as it is. So does a requirement, which is accepted when its checks' failures are.
        """
        if verdict.status not in ("PASS", "FAIL") or not self._drawers or check.kind == ARGUMENT:
            return verdict
        possible = self._possible(check, row)
        if not possible:
            return verdict
        entries, error = _matching(possible, check, row)
        if verdict.status == "FAIL" and entries:
            label = entries[0].label
            message = f"{verdict.message} (accepted: {label})"
            verdict = replace(verdict, status="WARNING", message=message, accepted=label)
        elif verdict.status == "FAIL" and error is not None:
            note = f"whether the whitelist accepts it is not known, its tags cannot be read: {error}"
            verdict = replace(verdict, message=f"{verdict.message} ({note})")
        return replace(verdict, entries=tuple(entry.position for entry in entries)) if entries else verdict

    def _possible(self, check: Check, row: Row) -> list[Entry]:
        """The entries that may be about a row's resource, in the file's order."""
        words = self._words_of.get(check.id)
        if words is None:
            words = self._words_of[check.id] = [one for one in (check.id, *check.groups, ALL) if one in self._words]
        found: dict[int, Entry] = {}
        names = f"{row.subject.id}\n{row.subject.arn}" if words else ""
        for place in itertools.product(words, (row.account.id, ALL)):
            drawer = self._drawers.get(place)
            if drawer is not None:
                found |= {entry.position: entry for entry in drawer.possible(names)}
        return [found[position] for position in sorted(found)]


def _matching(entries: Iterable[Entry], check: Check, row: Row) -> tuple[list[Entry], ApiError | None]:
    """Those of the entries that are about a row's resource, and why the tags that one asks for cannot be read."""
    subject = row.subject

    def within(scope: Scope) -> bool:
        return scope.covers_place(row.account.id, row.region) and scope.covers_resource(
            subject.id, subject.arn, lambda: tags_of(subject)
        )

    found: list[Entry] = []
    problem: ApiError | None = None
    for entry in entries:
        try:
            if within(entry.scope) and not any(one.covers_check(check) and within(one) for one in entry.exceptions):
                found.append(entry)
        except ApiError as error:
            problem = error
    return found, problem


@dataclass
class Usage:
    """How often each entry, by its position, accepted a failure and met a resource that passes."""

    accepted: Counter[int] = field(default_factory=Counter)
    passed: Counter[int] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        if finding.entries:
            (self.passed if finding.status == "PASS" else self.accepted).update(finding.entries)


@dataclass(frozen=True)
class Looked:
    """What a run looked at, as far as it decides whether an entry could have matched."""

    checks: Collection[Check]
    accounts: Sequence[Account]
    incomplete: Callable[[str, str], bool]
    """Whether a check could not be evaluated everywhere in an account, by ids."""
    partial: str = ""
    """Why the run looked at a part of the resources only."""

    def reached(self, entry: Entry) -> bool:
        """Whether this run looked at all that the entry names (of a group's checks at one, at least)."""
        scope = entry.scope
        accounts = [account for account in self.accounts if not scope.accounts or account.id in scope.accounts]
        regions = {region for account in accounts for region in (*account.regions, account.global_region)}
        checks = [check for check in self.checks if scope.covers_check(check)]
        words = {word for check in checks for word in (check.id, *check.groups)}
        if not checks or not accounts or not scope.checks <= words or not scope.regions <= regions:
            return False
        if not scope.accounts <= {account.id for account in accounts}:
            return False
        return not any(self.incomplete(account.id, check.id) for account in accounts for check in checks)


def notes(file: str, entries: Sequence[Entry], usage: Usage, today: date, looked: Looked, most: int) -> list[str]:
    """The summary's lines about the whitelist: entries that somebody should look at, each with its file and line."""
    expired = [entry for entry in entries if entry.is_expired(today)]
    live = [entry for entry in entries if not entry.is_expired(today)]
    soon = [entry for entry in live if entry.expires is not None and (entry.expires - today).days <= SOON]
    passing = [entry for entry in live if usage.passed[entry.position] and not usage.accepted[entry.position]]
    silent = [entry for entry in live if not (usage.passed[entry.position] or usage.accepted[entry.position])]
    unused = [entry for entry in silent if looked.reached(entry)]
    unreached = [entry for entry in silent if not looked.reached(entry)]
    partly = f" ({looked.partial})" if looked.partial else ""
    kinds: list[tuple[str, list[Entry], Callable[[Entry], str]]] = [
        ("expired, they no longer count", expired, lambda entry: f"expired {entry.expires}"),
        (f"expire within {SOON} days", soon, lambda entry: f"until {entry.expires}"),
        (f"no longer needed, what they accept passes{partly}", passing, lambda entry: ""),
        (f"unused, they matched nothing{partly}", unused, lambda entry: ""),
        ("not judged, this run did not look at all that they are about", unreached, lambda entry: ""),
    ]
    serving = sum(1 for entry in live if usage.accepted[entry.position])
    lines = [f"whitelist {file}: {serving} of {len(entries)} entries accept failures"]
    for heading, listed, more in kinds:
        lines += [f"  {heading}"] if listed else []
        lines += [f"    {_line(file, entry, more(entry))}" for entry in listed[:most]]
        lines += [f"    and {len(listed) - most} more, -v lists all"] if len(listed) > most else []
    return lines


def _line(file: str, entry: Entry, more: str) -> str:
    owner = f"owner {entry.owner}" if entry.owner else ""
    parts = (entry.title, entry.reason, owner, more)
    return visible(f"{file}:{entry.line}  " + ", ".join(part for part in parts if part))


def summary_notes(run: Run, tally: Tally, cut_short: bool, all_of_them: bool) -> list[str]:
    """The summary's lines about the whitelist, where there is one."""
    path = run.options.whitelist
    if path is None:
        return []
    looked = Looked(
        checks=list(run.plan.checks.values()),
        accounts=run.accounts,
        incomplete=lambda account, check: check in tally.incomplete[account] or check not in tally.seen[account],
        partial="the run was cut short" if cut_short else run.partial(),
    )
    most = len(run.whitelist) if all_of_them else MOST_SHOWN
    return ["", *notes(str(path), run.whitelist, run.usage, run.now.date(), looked, most)]
