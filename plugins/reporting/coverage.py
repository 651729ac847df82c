"""What a run has completely evaluated: the one notion of it, for the summary's coverage line, for archiving in Security Hub,
for what ``--baseline`` calls resolved and for what the whitelist calls unused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest

from fixtures.kinds import kinds_asked
from fixtures.model import Resource
from plugins.audit.completeness import completeness_of
from plugins.audit.run import Run
from plugins.catalog.checks import Check
from plugins.compliance.roll_up import partial_reason
from plugins.findings.tally import Tally

if TYPE_CHECKING:
    from plugins.findings.finding import Finding

Gap: TypeAlias = Literal["", "not run", "with errors", "not finished", "narrowed"]
"""Why a check was not completely evaluated in an account; "" when it was."""
GAPS: tuple[Gap, ...] = ("with errors", "not finished", "narrowed", "not run")
EVERYWHERE = "*"
"""Of an error that leaves open what resources there are in any region."""


class Coverage:
    """Says of each check and account whether all resources were looked at.

    ``unfinished``: account -> checks that were not run on all of its resources. ``homes``: account -> the regions that
    listings of other regions ask as well. ``narrowed``: why the run looks at some resources of any check only.
    ``left_out``: the kinds of resources that --max-items has cut. ``looked_at``: how many resources of a check were
    looked at in an account, and of how many, where that is known.
    """

    def __init__(
        self,
        tally: Tally,
        *,
        unfinished: Callable[[str], Collection[str]] = lambda account: (),
        homes: Callable[[str], Collection[str]] = lambda account: (),
        narrowed: Callable[[], str] = lambda: "",
        left_out: Callable[[], Collection[str]] = lambda: (),
        looked_at: Callable[[str, Check], tuple[int, int] | None] = lambda account, check: None,
    ) -> None:
        self.tally = tally
        self._unfinished = unfinished
        self._homes = homes
        self._narrowed = narrowed
        self._left_out = left_out
        self._looked_at = looked_at
        self._open: dict[tuple[str, str], set[str]] = defaultdict(set)
        """Account and check -> regions (or EVERYWHERE) of its errors."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_audit_finding(self, finding: Finding) -> None:
        """Note what could not be evaluated."""
        if finding.status == "ERROR":
            self._open[finding.account, finding.check.id].add(self._region_of(finding))

    def _region_of(self, finding: Finding) -> str:
        """Where an error leaves open what resources there are.

        An error about a resource, or from listing those of a region, concerns the region. One from listing a global
        kind may hide resources of every region; and so may one from the home region, which listings of other regions
        ask too (the error names the region that was asked, not the one that was listed).
        """
        kind = finding.check.resource
        if finding.resource_id == finding.account and (
            kind is None or kind.scope == "global" or finding.region in self._homes(finding.account)
        ):
            return EVERYWHERE
        return finding.region

    def of(self, account: str) -> AccountCoverage:
        """What is completely evaluated of an account, as things stand now."""
        return AccountCoverage(self, account, frozenset(self._unfinished(account)), self.narrowed)

    def is_unfinished(self, account: str) -> bool:
        """Whether the run has ended before all of an account was run."""
        return bool(self._unfinished(account))

    @property
    def narrowed(self) -> str:
        """Why the run looks at some of the resources only; "" when it looks at all."""
        return self._narrowed()

    def has_errors(self, account: str, check: str, region: str) -> bool:
        """Whether something of a check could not be evaluated (in a region, where one is given)."""
        if check not in self.tally.incomplete[account]:
            return False
        known = self._open.get((account, check))
        return not region or not known or bool(known & {region, EVERYWHERE})

    def cuts(self, check: Check) -> bool:
        """Whether --max-items has left out resources that a check is about."""
        left_out = set(self._left_out())
        return bool(left_out) and any(kind.kind in left_out for kind in _kinds(check).values())

    def gaps(self, account: str, selected: Iterable[Check]) -> dict[Gap, list[Check]]:
        """The checks that were not completely evaluated in an account, by why."""
        covered = self.of(account)
        by_gap: dict[Gap, list[Check]] = {}
        for check in selected:
            gap = covered.gap(check)
            if gap:
                by_gap.setdefault(gap, []).append(check)
        return by_gap

    def said(self, account: str, selected: Sequence[Check]) -> str:
        """What was evaluated of an account, in one line."""
        by_gap = self.gaps(account, selected)
        line = f"{len(selected) - sum(map(len, by_gap.values()))} of {len(selected)} checks fully evaluated"
        for gap in (gap for gap in GAPS if gap in by_gap):
            why = f" ({self.narrowed})" if gap == "narrowed" and self.narrowed else ""
            shares = [self.share(account, check) if gap == "narrowed" else "" for check in by_gap[gap]]
            names = [f"{one.id} ({share})" if share else one.id for one, share in zip(by_gap[gap], shares, strict=True)]
            line += f"; {gap}{why}: {listed(names)}"
        return line

    def share(self, account: str, check: Check) -> str:
        """How much of a narrowed check was looked at: ``1 of 41``; "" where that is not known."""
        found = self._looked_at(account, check)
        return f"{found[0]} of {found[1]}" if found is not None and found[0] < found[1] else ""


class AccountCoverage:
    """See ``Coverage.of``."""

    def __init__(self, coverage: Coverage, account: str, unfinished: Collection[str], narrowed: str) -> None:
        self._coverage = coverage
        self._account = account
        self._unfinished = unfinished
        self._narrowed = narrowed

    def gap(self, check: Check, region: str = "") -> Gap:
        """Why a check was not completely evaluated, in all of the account or in one region; "" when it was."""
        if check.id not in self._coverage.tally.seen[self._account]:
            return "not run"
        if self._coverage.has_errors(self._account, check.id, region):
            return "with errors"
        if check.id in self._unfinished:
            return "not finished"
        return "narrowed" if self._narrowed or self._coverage.cuts(check) else ""


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _kinds(check: Check) -> Mapping[str, type[Resource]]:
    found = kinds_asked(check.function)
    return found or ({check.kind: check.resource} if check.resource is not None else {})


KEY = pytest.StashKey[Coverage]()


def coverage_of(config: pytest.Config) -> Coverage | None:
    """The coverage of this run, in the process that reports."""
    return config.stash.get(KEY, None)


def live_coverage(run: Run, tally: Tally) -> Coverage:
    """The coverage of a run that goes on."""

    def unfinished(account: str) -> Collection[str]:
        left = completeness_of(run.config)
        return left.unfinished(account) if left is not None else ()

    def homes(account: str) -> Collection[str]:
        found = run.account(account)
        return (found.home_region, found.global_region) if found is not None else ()

    def looked_at(account: str, check: Check) -> tuple[int, int] | None:
        if check.resource is None:
            return None
        left_out = run.inventory.left_out_of[account, check.resource.kind]
        return run.chosen[account, check.id], run.listed[account, check.id] + left_out

    return Coverage(
        tally, unfinished=unfinished, homes=homes,
        narrowed=lambda: partial_reason(run.config, left_out=False, deselected=run.deselected),
        left_out=lambda: run.inventory.left_out, looked_at=looked_at,
    )  # fmt: skip
