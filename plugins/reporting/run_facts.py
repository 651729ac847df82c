"""What there is to say of a run in the reports of an account: who asked, where, when, and how much was evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.model import Account
from fixtures.recording.reader import AccountFacts
from plugins.catalog.checks import Check
from plugins.findings.tally import Tally
from plugins.findings.verdict import STATUSES
from plugins.outputs import run_facts
from plugins.outputs.run_facts import RunFacts
from plugins.reporting.coverage import Coverage
from plugins.suite import version
from plugins.text import visible


def run_facts_of(
    account: Account | AccountFacts,
    *,
    regions: Sequence[str],
    started: str,
    seconds: int | None,
    selected: Sequence[Check],
    coverage: Coverage,
    tally: Tally,
) -> RunFacts:
    """What the reports of an account say of the run, as things stand now."""
    gaps = {gap: [check.id for check in checks] for gap, checks in coverage.gaps(account.id, selected).items()}
    narrowed = {
        check.id: coverage.share(account.id, check) for check in selected if check.id in gaps.get("narrowed", ())
    }
    counts, requirements = tally.by_account[account.id], tally.requirements_of[account.id]
    return RunFacts(
        version=version(), account=account.id, account_name=account.name, identity=account.caller,
        regions=list(regions), started=started, duration_seconds=seconds,
        finished=not coverage.is_unfinished(account.id),
        coverage=run_facts.Coverage(
            checks=len(selected),
            fully_evaluated=len(selected) - sum(map(len, gaps.values())),
            with_errors=gaps.get("with errors", []),
            not_finished=gaps.get("not finished", []),
            not_run=gaps.get("not run", []),
            narrowed=narrowed,
            narrowed_by=coverage.narrowed,
        ),
        said=visible(coverage.said(account.id, selected)),
        findings={status: counts[status] for status in STATUSES},
        requirements={status: number for status in STATUSES if (number := requirements[status])},
    )  # fmt: skip
