"""How often each entry of the whitelist served. The process that reports counts, so that what a worker that died had
reported stays counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from plugins.findings.finding import Finding


@dataclass
class Usage:
    """How often each entry, by its position, accepted a failure and met a resource that passes."""

    accepted: Counter[int] = field(default_factory=Counter)
    passed: Counter[int] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        if finding.entries:
            (self.passed if finding.status == "PASS" else self.accepted).update(finding.entries)
