"""A task: the part of the accounts that one worker audits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from fixtures.access.target import Target
from fixtures.recording.reader import AccountFacts


@dataclass
class Task:
    """An account, or some regions of it, for one worker.

    ``regions`` None means all of the account's; ``with_global`` whether the account's global kinds belong to it.
    """

    account: str
    target: Target
    facts: AccountFacts | None
    """What is known of the account; None for the task of a worker that has nothing to do."""
    error: list[str] | None = None
    """Why the account could not be entered: service, operation, code, reason."""
    regions: list[str] | None = None
    with_global: bool = True
    done: list[str] = field(default_factory=list)
    """Node ids that a worker which died had reported already."""
    attempts: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether it is none: there were more workers than tasks."""
        return not self.account

    @property
    def is_part(self) -> bool:
        """Whether other tasks audit the rest of the account."""
        return self.regions is not None

    def packed(self) -> dict[str, Any]:
        """The task in plain types, for the way to a worker."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def unpacked_task(packed: dict[str, Any]) -> Task:
    """The other end of ``Task.packed``."""
    return msgspec.convert(packed, Task)


IDLE = Task("", Target(), None)
"""The task of a worker that has nothing to do."""
