"""How the calls of a process stand: what came back, and what is waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from fixtures.model import Account

STALLED_SECONDS = 10.0
NAMED_CALLS = 3

Pending = tuple[str, float]
"""A call that has not come back, in words, and since when (time.monotonic)."""


@dataclass
class Source:
    """The calls of one process: how many came back, how many are in flight, and the oldest of those."""

    finished: int = 0
    in_flight: int = 0
    oldest: list[Pending] = field(default_factory=list)
    moved: float = field(default_factory=time.monotonic)
    """When a call last came back."""

    def update(self, finished: int, in_flight: int, oldest: list[Pending]) -> None:
        """Note how things stand now."""
        if finished != self.finished:
            self.moved = time.monotonic()
        self.finished, self.in_flight, self.oldest = finished, in_flight, oldest

    def is_stalled(self, now: float) -> bool:
        """Whether nothing has come back for STALLED_SECONDS, and something is due for as long."""
        return bool(self.oldest) and now - max(self.moved, self.oldest[0][1]) > STALLED_SECONDS


def calls_of(accounts: Iterable[Account], several: bool) -> tuple[int, int, list[Pending]]:
    """What ``Source.update`` takes, for the accounts of this process. ``several``: the run audits more than one."""
    finished, pending = 0, list[Pending]()
    for account in accounts:
        finished += account.calls.finished
        for what, since in list(account.calls.pending.values()):
            pending.append((f"{what} of {account.id}" if several else what, since))
    return finished, len(pending), sorted(pending, key=lambda one: one[1])[:NAMED_CALLS]
