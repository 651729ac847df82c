"""Applying the whitelist: which failures are accepted, and afterwards which of its entries still serve.

The process that runs a check judges (``Matcher``): it turns FAIL into WARNING and notes in the finding which entries are
about its resource. The process that reports counts (``Usage``): whatever a worker that died had reported stays counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from fixtures.api.errors import ApiError
from plugins.catalog.checks import Check
from plugins.findings.row import Row
from plugins.findings.verdict import Verdict
from plugins.whitelist.file import Entry, Scope
from plugins.whitelist.names import ALL

FEW = 20
"""Patterns that are tried one by one; with more of them it is quicker to look them up."""
PIECE = 5
"""Characters by which a text is looked up."""


class EntryIndex:
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
        self._drawers = {place: EntryIndex(found) for place, found in filed.items()}
        self._words = {word for word, _ in filed}
        self._words_of: dict[str, list[str]] = {}
        """Check id -> its id and groups, as far as entries name them."""

    def judge(self, verdict: Verdict, check: Check, row: Row) -> Verdict:
        """The verdict with the entries that are about the resource: a FAIL that one of them accepts is a WARNING.

        Any other status stays as it is. So does a requirement, which is accepted when its checks' failures are.
        """
        if verdict.status not in ("PASS", "FAIL") or not self._drawers or check.is_requirement:
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
            words = self._words_of[check.id] = [
                one for one in (check.id, *check.memberships, ALL) if one in self._words
            ]
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

    def tags() -> dict[str, str]:
        from fixtures.services.tagging import tags_of  # few runs ask for tags, and it brings other services along

        return tags_of(subject)

    def within(scope: Scope) -> bool:
        return scope.covers_place(row.account.id, row.region) and scope.covers_resource(subject.id, subject.arn, tags)

    found: list[Entry] = []
    problem: ApiError | None = None
    for entry in entries:
        try:
            if within(entry.scope) and not any(one.covers_check(check) and within(one) for one in entry.exceptions):
                found.append(entry)
        except ApiError as error:
            problem = error
    return found, problem
