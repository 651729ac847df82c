"""A pytest plugin that notes, in the file that PACES names, the process and the ceiling of each pace that a run makes."""

from __future__ import annotations

import os
from typing import Any

from fixtures.pace import Pace

plain_init = Pace.__init__


def noting_init(pace: Pace, ceiling: float = 0, *more: Any) -> None:
    """A pace, and a line about it."""
    plain_init(pace, ceiling, *more)
    with open(os.environ["PACES"], "a") as file:
        file.write(f"{os.getpid()} {float(ceiling)}\n")


Pace.__init__ = noting_init  # type: ignore[method-assign,assignment]
