"""--score: how much of what was judged passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.catalog.checks import SEVERITIES
from plugins.findings.tally import Tally
from plugins.findings.verdict import STATUSES, Status


@dataclass(frozen=True)
class Score:
    """Counts by status. INFO, WARNING and ERROR are shown and do not count."""

    counts: Mapping[Status, int]

    @property
    def judged(self) -> int:
        """Findings that passed or failed."""
        return self.counts.get("PASS", 0) + self.counts.get("FAIL", 0)

    @property
    def text(self) -> str:
        """PASS * 100 / (PASS + FAIL), rounded down, so that 100.0 means that nothing failed; "-" when nothing was judged."""
        if not self.judged:
            return "-"
        tenths = self.counts.get("PASS", 0) * 1000 // self.judged
        return f"{tenths // 10}.{tenths % 10}"

    @property
    def cells(self) -> list[str]:
        """The score, and the count of each status ("-" for none)."""
        return [self.text, *(str(self.counts.get(status, 0) or "-") for status in STATUSES)]


def scores(tally: Tally) -> list[tuple[str, Score]]:
    """The scores with their names: all, each severity (worst first), each service (worst score first)."""
    severities: dict[str, Counter[Status]] = {severity: Counter() for severity in SEVERITIES}
    services: dict[str, Counter[Status]] = {}
    for id, counts in tally.by_check.items():
        check = tally.checks[id]
        severities[check.severity].update(counts)
        services.setdefault(check.service, Counter()).update(counts)
    rows = [("all", Score(tally.statuses))]
    rows += [(name, Score(counts)) for name, counts in severities.items() if counts]
    rated = {name: Score(counts) for name, counts in services.items()}

    def worst_first(name: str) -> tuple[float, str]:
        score = rated[name]
        return (score.counts.get("PASS", 0) / score.judged if score.judged else 2.0, name)

    return rows + [(name, rated[name]) for name in sorted(rated, key=worst_first)]
