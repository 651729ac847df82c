"""Rolling up: what the findings of a run say about each requirement of a framework, per account.

A test function whose argument is ``requirement`` is run once per account and requirement, after the account's checks;
with workers, by the controller when the account's last shard is done. It reads findings and makes no API call.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fixtures.model import Account, Resource
from plugins.catalog.checks import REQUIREMENT, Check
from plugins.catalog.framework_files import Requirement, frameworks
from plugins.compliance.frameworks import as_check
from plugins.findings.finding import Finding
from plugins.findings.row import Row
from plugins.findings.verdict import Status

if TYPE_CHECKING:
    import pytest

MARKER = "compliance"
NAMED = 5
"""Failing resources that are named for each check."""


@dataclass
class Outcome:
    """What the findings of one check in one account were."""

    statuses: Counter[Status] = field(default_factory=Counter)
    failing: list[str] = field(default_factory=list)
    """The first NAMED resources that fail."""
    error: str = ""
    """Why those that could not be evaluated could not: one reason, the same in whichever order findings come."""

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.statuses[finding.status] += 1
        if finding.status == "FAIL" and len(self.failing) < NAMED:
            self.failing.append(finding.resource_id)
        elif finding.status == "ERROR":
            self.error = min(filter(None, (self.error, finding.message)), default="")

    @property
    def failing_text(self) -> str:
        """The failing resources: how many, and the first by name."""
        count = self.statuses["FAIL"]
        more = f" and {count - len(self.failing)} more" if count > len(self.failing) else ""
        return f"{count} resource{'s' * (count != 1)} ({', '.join(sorted(self.failing))}{more})"


class Outcomes:
    """The outcomes of the accounts that are not complete yet, by account and check id."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.wanted = frozenset(wanted)
        self._found: dict[str, dict[str, Outcome]] = defaultdict(dict)

    def add(self, finding: Finding) -> None:
        """Count a finding of a check that some requirement needs."""
        if finding.check.id in self.wanted:
            self._found[finding.account].setdefault(finding.check.id, Outcome()).add(finding)

    def of(self, account: str, check_id: str) -> Outcome | None:
        """The outcome of a check in an account; None when it gave no finding."""
        return self._found[account].get(check_id)

    def forget(self, account: str) -> None:
        """Drop what is known of an account."""
        self._found.pop(account, None)


class Evidence(Resource):
    """A requirement in an account, with what the run found: the argument of the tests that roll up."""

    def __init__(
        self, account: Account, requirement: Requirement, check: Check, outcomes: Outcomes,
        selected: Callable[[str], bool], partial: Callable[[], str],
    ) -> None:  # fmt: skip
        super().__init__(account.api, id=check.number, arn=account.arn, region=account.global_region)
        self.account = account
        self.requirement = requirement
        self._outcomes = outcomes
        self._selected = selected
        self._partial = partial

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Check id -> outcome, of the supporting checks that gave findings."""
        found = {id: self._outcomes.of(self.account.id, id) for id in self.requirement.checks}
        return {id: outcome for id, outcome in found.items() if outcome is not None}

    @property
    def failing(self) -> dict[str, Outcome]:
        """The supporting checks with at least one FAIL."""
        return {id: outcome for id, outcome in self.outcomes.items() if outcome.statuses["FAIL"]}

    @property
    def not_evaluated(self) -> dict[str, str]:
        """Check id -> reason, of the supporting checks that were selected and could not be evaluated everywhere."""
        errors = {id: outcome.error for id, outcome in self.outcomes.items() if outcome.statuses["ERROR"]}
        silent = [id for id in self.requirement.checks if self._selected(id) and id not in self.outcomes]
        return errors | dict.fromkeys(silent, "it gave no finding")

    @property
    def not_selected(self) -> list[str]:
        """The supporting checks that this run leaves out."""
        return [id for id in self.requirement.checks if not self._selected(id)]

    @property
    def partial(self) -> str:
        """Why this run looked at a part of the resources only; "" when it looked at all."""
        return self._partial()

    def count(self, status: Status) -> int:
        """The findings of the supporting checks with this status."""
        return sum(outcome.statuses[status] for outcome in self.outcomes.values())


@dataclass(frozen=True)
class Planned:
    """A requirement that the run rolls up, with the test function that judges it."""

    requirement: Requirement
    check: Check
    nodeid: str


def planned(
    function: Callable[..., object], nodeid: str, wanted: Callable[[Check], bool], known: dict[str, Check]
) -> Iterator[Planned]:
    """The requirements that a test function rolls up, as far as they are wanted.

    Raises CatalogError when a framework names a check that does not exist.
    """
    for framework in frameworks().values():
        for requirement in framework.requirements:
            check = as_check(framework, requirement, function, known)
            if wanted(check):
                yield Planned(requirement, check, nodeid)


def rolls_up(function: object) -> bool:
    """Whether a test function asks for requirements."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_argcount > 0 and code.co_varnames[0] == REQUIREMENT


def rows(plans: Iterable[Planned], accounts: Iterable[Account], outcomes: Outcomes, selected: Callable[[str], bool],
         partial: Callable[[], str]) -> Iterator[tuple[Planned, Row]]:  # fmt: skip
    """One row per account and requirement."""
    plans = list(plans)
    for account in accounts:
        for plan in plans:
            evidence = Evidence(account, plan.requirement, plan.check, outcomes, selected, partial)
            yield plan, Row(account, account.global_region, plan.check.id, evidence)


def partial_reason(config: pytest.Config, left_out: bool, deselected: bool) -> str:
    """Why a run does not look at all resources of the checks it selects; "" when it does."""
    option = config.option
    if left_out:
        return "--max-items left resources out"
    some = [option.keyword, option.deselect, *(getattr(option, name, False) for name in ("lf", "stepwise"))]
    if deselected or any(some) or any("[" in one for one in config.args):
        return "only some of the resources were selected"
    return ""
