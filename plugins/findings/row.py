"""Rows: one becomes one test item."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.model import Account, Resource
from plugins.catalog.checks import Check
from plugins.findings.verdict import Verdict


@dataclass(slots=True)
class Row:
    """One future test item: a resource to look at, or a verdict that needs no look."""

    account: Account
    region: str
    label: str
    resource: Resource | None = None
    verdict: Verdict | None = None
    refused: str = ""
    """The operation that could not be had, in a row about a listing that failed: there may be several of a kind."""

    @property
    def subject(self) -> Resource:
        """What the finding is about: the resource, or the account for a row without one."""
        return self.resource if self.resource is not None else self.account


def empty_row(check: Check, account: Account) -> Row:
    """The INFO row of an account that has no resource of the check's kind."""
    assert check.resource is not None
    kind = check.resource.kind.replace("_", " ")
    looked_at = "the account" if check.resource.scope == "global" else ", ".join(account.regions) or "no region"
    verdict = Verdict("INFO", f"no {kind} to check in {looked_at}")
    return Row(account, account.global_region, account.id, verdict=verdict)
