"""A task: the part of the accounts that one worker audits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fixtures.access.target import Target


@dataclass
class Task:
    """The part of the accounts that one worker audits: an account, or some regions of it.

    ``regions`` None means all of the account's; ``with_global`` whether the account's global kinds belong to it.
    """

    account: str
    entry: Target
    facts: dict[str, Any]
    error: list[str] | None = None
    """Why the account could not be entered: service, operation, code, reason."""
    regions_error: list[str] | None = None
    """Why its regions could not be listed, likewise."""
    regions: list[str] | None = None
    with_global: bool = True
    done: list[str] = field(default_factory=list)
    """Node ids that a worker which died had reported already."""
    attempts: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether it is none: there were more workers than shards."""
        return not self.account

    @property
    def is_part(self) -> bool:
        """Whether other shards audit the rest of the account."""
        return self.regions is not None
