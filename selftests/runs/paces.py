"""A pytest plugin that notes, in the file that PACES names, the process and the ceiling of each pace that a run makes."""

from __future__ import annotations

import os
from typing import Any

from fixtures.api.rate import Rate

plain_init = Rate.__init__


def noting_init(pace: Rate, ceiling: float = 0, *more: Any) -> None:
    """A pace, and a line about it."""
    plain_init(pace, ceiling, *more)
    with open(os.environ["PACES"], "a") as file:
        file.write(f"{os.getpid()} {float(ceiling)}\n")


Rate.__init__ = noting_init  # type: ignore[method-assign,assignment]
