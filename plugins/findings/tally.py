"""The numbers of a run: kept as counts, so that memory does not grow with the findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status

EXAMPLES = 3
"""Resources named in the summary of a failing check."""


@dataclass
class Tally:
    """Counts by status, check and account, and what could not be evaluated."""

    statuses: Counter[Status] = field(default_factory=Counter)
    by_check: dict[str, Counter[Status]] = field(default_factory=lambda: defaultdict(Counter))
    by_account: dict[str, Counter[Status]] = field(default_factory=lambda: defaultdict(Counter))
    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Account -> ids of the checks with at least one finding."""
    incomplete: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Account -> ids of the checks with at least one ERROR."""
    errors: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """Reason -> (account, check id) that it kept from being evaluated."""
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    checks: dict[str, Check] = field(default_factory=dict)
    requirements: dict[str, Counter[Status]] = field(default_factory=lambda: defaultdict(Counter))
    """Framework -> its requirements by status, over all accounts; not among the other counts."""
    requirements_of: dict[str, Counter[Status]] = field(default_factory=lambda: defaultdict(Counter))
    """Account -> requirements of all frameworks by status."""

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        if finding.check.is_requirement:
            self.requirements[finding.check.finding_type.rpartition("/")[2]][finding.status] += 1
            self.requirements_of[finding.account][finding.status] += 1
            return
        id, status, account = finding.check.id, finding.status, finding.account
        self.checks[id] = finding.check
        self.statuses[status] += 1
        self.by_check[id][status] += 1
        self.by_account[account][status] += 1
        self.seen[account].add(id)
        if status == "ERROR":
            self.incomplete[account].add(id)
            self.errors[finding.message].add((account, id))
        elif status == "FAIL" and len(self.examples[id]) < EXAMPLES:
            self.examples[id].append(finding.resource_id)

    def has_failures(self, severities: Collection[str]) -> bool:
        """Whether a check of one of these severities failed, or could not be evaluated."""
        return any(
            (counts["FAIL"] or counts["ERROR"]) and self.checks[id].severity in severities
            for id, counts in self.by_check.items()
        )

    @property
    def total(self) -> int:
        """All findings."""
        return sum(self.statuses.values())
