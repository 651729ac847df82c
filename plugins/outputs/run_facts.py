"""What a report says of the run that it comes from."""

from __future__ import annotations

import msgspec

from plugins.text import visible


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much was evaluated. The checks that are not fully evaluated are in one of the lists."""

    checks: int
    fully_evaluated: int
    with_errors: list[str] = []
    not_finished: list[str] = []
    not_run: list[str] = []
    narrowed: dict[str, str] = {}
    """Check -> how many of its resources were looked at (``1 of 41``); "" where that is not known."""
    narrowed_by: str = ""
    """Why some of the resources only were looked at."""


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as far as it is about one account. ``finished``: whether all that was selected was run."""

    suite: str = "auditest"
    version: str
    account: str
    account_name: str = ""
    identity: str = ""
    """The ARN that asked AWS; "" where it is not known."""
    regions: list[str]
    started: str
    duration_seconds: int | None = None
    """None in a replay: reports made from a recording are the same each time."""
    finished: bool
    coverage: Coverage
    said: str
    """The coverage in one line, as the terminal shows it."""
    findings: dict[str, int]
    """Status -> findings, before --only-fails."""
    requirements: dict[str, int] = {}
    """Status -> requirements of frameworks; they are not among the findings."""

    @property
    def lines(self) -> dict[str, str]:
        """What people read: name -> value, without what is not known."""
        seconds = self.duration_seconds
        found = {
            "suite": f"{self.suite} {self.version}",
            "identity": self.identity,
            "regions": ", ".join(self.regions),
            "started": self.started,
            "duration": f"{seconds} s" if seconds is not None else "",
            "finished": "yes" if self.finished else "no: the run did not finish, this report is incomplete",
            "coverage": self.said,
        }
        return {name: visible(value) for name, value in found.items() if value}
