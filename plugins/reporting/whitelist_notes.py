"""After a run: which entries of the whitelist still serve, and which somebody should look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fixtures.model import Account
from plugins.catalog.checks import Check
from plugins.reporting.coverage import Coverage
from plugins.text import visible
from plugins.whitelist.file import Entry
from plugins.whitelist.usage import Usage

if TYPE_CHECKING:
    from plugins.audit.run import Run

SOON = 30
"""Days before its last one in which an entry is said to expire."""

MOST_SHOWN = 25


@dataclass(frozen=True)
class Reach:
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
        words = {word for check in checks for word in (check.id, *check.memberships)}
        if not checks or not accounts or not scope.checks <= words or not scope.regions <= regions:
            return False
        if not scope.accounts <= {account.id for account in accounts}:
            return False
        return not any(self.incomplete(account.id, check.id) for account in accounts for check in checks)


def notes(file: str, entries: Sequence[Entry], usage: Usage, today: date, looked: Reach, most: int) -> list[str]:
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


def summary_notes(run: Run, coverage: Coverage, cut_short: bool, all_of_them: bool) -> list[str]:
    """The summary's lines about the whitelist, where there is one."""
    path = run.options.whitelist
    if path is None:
        return []
    looked = Reach(
        checks=list(run.plan.checks.values()),
        accounts=run.accounts,
        incomplete=lambda account, check: run.cut is not None or bool(coverage.of(account).gap(run.plan.checks[check])),
        partial="the run was cut short" if cut_short else run.partial(),
    )
    most = len(run.whitelist) if all_of_them else MOST_SHOWN
    return ["", *notes(str(path), run.whitelist, run.usage, run.now.date(), looked, most)]
