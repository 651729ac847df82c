"""The summary at the end of a run: failures by service and severity, failing checks, errors, coverage.

rich lays it out; this module is imported when there is something to show, since rich takes a while to load.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from plugins.catalog.checks import SEVERITIES, Check
from plugins.findings.score import scores
from plugins.findings.tally import Tally
from plugins.findings.verdict import STATUSES, Status
from plugins.reporting.coverage import Coverage, listed
from plugins.selection.listing import sort_key
from plugins.text import visible

CHECKS_SHOWN = 25
REASONS_SHOWN = 10
ACCOUNTS_SHOWN = 20
LONGEST_REASON = 400
SEVERITY_STYLE = {
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "",
}  # fmt: skip
STATUS_STYLE: dict[Status, str] = {
    "PASS": "green", "FAIL": "red", "INFO": "cyan", "WARNING": "yellow", "ERROR": "bold red",
}  # fmt: skip
REQUIREMENT_COLUMNS: dict[Status, str] = {
    "PASS": "met", "FAIL": "not met", "WARNING": "accepted", "ERROR": "not evaluated", "INFO": "not looked at",
}  # fmt: skip
PLACED = re.compile(
    r"^(access denied|(?:the credentials have expired: )?\S+:\S+ (?:failed|was throttled)) in (\S+?)(?=:| )"
)
"""The head of an API error and the region that it names (see ``fixtures.api.errors.ApiError``)."""
SOMEWHERE = " in …"
"""Stands for the regions in a reason that several have."""


@dataclass(frozen=True)
class Page:
    """Where a summary is shown. ``wrap``: whether lines of prose are broken, as a terminal needs; a log is better searched
    with whole lines."""

    width: int = 100
    colour: bool = False
    wrap: bool = False


@dataclass(frozen=True)
class Facts:
    """What the summary is about."""

    tally: Tally
    selected: Sequence[Check] = ()
    accounts: Sequence[str] = ()
    coverage: Coverage | None = None
    """Of a run that goes on; None where all was finished and the tally says the rest."""
    with_score: bool = False


def summary(facts: Facts, page: Page) -> str:
    """The text of the summary, ready for the terminal."""
    tally = facts.tally
    blocks: list[list[RenderableType]] = []
    failing = {id: counts["FAIL"] for id, counts in tally.by_check.items() if counts["FAIL"]}
    if failing:
        blocks += [_by_service(tally, failing), _failing_checks(tally, failing)]
    if tally.errors:
        blocks.append(_errors(tally, page))
    if tally.requirements:
        blocks.append(_requirements(tally))
    if facts.with_score:
        blocks.append(_score(tally))
    blocks.append([*_prose(coverage(facts), page), _counts(tally)])
    return _rendered(blocks, page)


def _rendered(blocks: Iterable[Iterable[RenderableType]], page: Page) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=page.width, force_terminal=page.colour, color_system="standard" if page.colour else None,
        no_color=not page.colour, highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    for number, block in enumerate(blocks):
        if number:
            console.print()
        for one in block:
            console.print(one, soft_wrap=isinstance(one, Text))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _prose(lines: Iterable[str], page: Page) -> list[RenderableType]:
    found: list[RenderableType] = []
    for line in lines:
        broken = (
            textwrap.wrap(line, page.width, subsequent_indent="    ", break_on_hyphens=False) if page.wrap else [line]
        )
        found += [Text(part) for part in broken]
    return found


def _table(*headings: str) -> Table:
    """A table of numbers, without lines. Headings are broken when the terminal is narrow."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(headings[0], no_wrap=True, overflow="ellipsis")
    for heading in headings[1:]:
        table.add_column(heading, justify="right")
    return table


def _by_service(tally: Tally, failing: Mapping[str, int]) -> list[RenderableType]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for id, count in failing.items():
        counts[tally.checks[id].service][tally.checks[id].severity] += count
    used = [severity for severity in SEVERITIES if any(row[severity] for row in counts.values())]
    table = _table("failures by service", *used)
    for service in sorted(counts, key=lambda name: ([-counts[name][severity] for severity in SEVERITIES], name)):
        numbers = (
            Text(str(counts[service][one] or "-"), SEVERITY_STYLE[one] if counts[service][one] else "dim")
            for one in used
        )
        table.add_row(visible(service), *numbers)
    return [table]


def _failing_checks(tally: Tally, failing: Mapping[str, int]) -> list[RenderableType]:
    order = sorted(
        failing, key=lambda id: (SEVERITIES.index(tally.checks[id].severity), -failing[id], sort_key(tally.checks[id]))
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False, expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)  # what is left of the width
    for id in order[:CHECKS_SHOWN]:
        check = tally.checks[id]
        judged = sum(tally.by_check[id][status] for status in ("PASS", "FAIL", "WARNING"))
        severity = Text("  " + check.severity, SEVERITY_STYLE[check.severity])
        table.add_row(severity, visible(id), f"{failing[id]} of {judged}", Text(visible(check.title)))
    found: list[RenderableType] = [Text("failing checks, worst first", "bold"), table]
    if len(order) > CHECKS_SHOWN:
        found.append(Text(f"  and {len(order) - CHECKS_SHOWN} more checks, see the reports"))
    return found


def by_reason(errors: Mapping[str, set[tuple[str, str]]]) -> list[tuple[str, list[str], set[tuple[str, str]]]]:
    """Errors that differ in the region alone, together: reason (with SOMEWHERE), regions, places; most places first."""
    regions: dict[str, set[str]] = defaultdict(set)
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for message, found in errors.items():
        placed = PLACED.match(message)
        reason = placed[1] + SOMEWHERE + message[placed.end() :] if placed else message
        if placed:
            regions[reason].add(placed[2])
        places[reason] |= found
    order = sorted(places, key=lambda reason: (-len(places[reason]), reason))
    return [(reason, sorted(regions[reason]), places[reason]) for reason in order]


def _errors(tally: Tally, page: Page) -> list[RenderableType]:
    found: list[RenderableType] = [Text("not evaluated", "bold")]
    reasons = by_reason(tally.errors)
    lines = []
    for reason, regions, places in reasons[:REASONS_SHOWN]:
        reason = reason.replace(SOMEWHERE, f" in {listed(regions)}", 1)
        checks = sorted({check for _, check in places})
        lines += ["  " + _cut(visible(" ".join(reason.split())), LONGEST_REASON), f"    {listed(checks)}"]
    if len(reasons) > REASONS_SHOWN:
        lines.append(f"  and {len(reasons) - REASONS_SHOWN} more reasons, see the reports")
    return found + _prose(lines, page)


def _requirements(tally: Tally) -> list[RenderableType]:
    used = [status for status in REQUIREMENT_COLUMNS if any(row[status] for row in tally.requirements.values())]
    table = _table("requirements", *(REQUIREMENT_COLUMNS[status] for status in used))
    for name, row in tally.requirements.items():
        table.add_row(
            visible(name), *(Text(str(row[one] or "-"), STATUS_STYLE[one] if row[one] else "dim") for one in used)
        )
    return [table]


def _score(tally: Tally) -> list[RenderableType]:
    table = _table("score", "%", *STATUSES)
    for name, score in scores(tally):
        table.add_row(visible(name), *score.cells)
    return [table]


def _counts(tally: Tally) -> RenderableType:
    if not tally.total:
        return Text("no findings")
    text = Text(f"{tally.total} findings: ", end="")
    shown = [status for status in STATUSES if tally.statuses[status]]
    for number, status in enumerate(shown):
        text.append(f"{'  ' if number else ''}{status} {tally.statuses[status]}", STATUS_STYLE[status])
    return text


def coverage(facts: Facts) -> list[str]:
    """How many of the selected checks were fully evaluated, per account."""
    found, accounts = facts.coverage or Coverage(facts.tally), facts.accounts
    gaps = {account: found.gaps(account, facts.selected) for account in accounts}
    lines = []
    unfinished = [account for account in accounts if found.is_unfinished(account)]
    if unfinished:
        count = f"{len(unfinished)} of {len(accounts)} account{'s' * (len(accounts) != 1)}"
        lines.append(f"the run did not finish: {count} incomplete: {listed(unfinished)}")
    lines += [f"coverage {one}: {found.said(one, facts.selected)}" for one in accounts[:ACCOUNTS_SHOWN]]
    rest = accounts[ACCOUNTS_SHOWN:]
    if rest:
        bad = [account for account in rest if gaps[account]]
        lines.append(
            f"coverage of {len(rest)} more accounts: {len(rest) - len(bad)} fully evaluated"
            + (f"; not: {listed(bad)}" if bad else "")
        )
    return [visible(line) for line in lines]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
