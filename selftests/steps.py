"""What work costs, counted and not timed: a loaded machine takes longer, but no more steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from re import _constants as codes
from re import _parser
from types import FrameType
from typing import Any


def steps(work: Callable[[], object]) -> int:
    """How many Python and C functions ``work`` calls in this thread."""
    made = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made


def verify_linear(work: Callable[[int], object], size: int) -> None:
    """Raise AssertionError unless twice the size takes about twice the steps."""
    work(7)  # what is made once
    once, twice = steps(lambda: work(size)), steps(lambda: work(2 * size))
    assert twice < 2.5 * once + 1000, f"{once} steps for {size}, {twice} for {2 * size}"


def open_ends(pattern: str) -> int:
    """How many parts of a regular expression may try one length after the other: more than one multiply.

    A repetition without limit is not counted within an atomic group, which gives nothing back (Python's re module).
    """

    def walk(part: Any) -> int:
        found = 0
        for code, argument in part:
            if code is codes.ATOMIC_GROUP:
                continue
            if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                found += argument[1] is codes.MAXREPEAT
            found += sum(walk(one) for one in _nested(argument))
        return found

    return walk(_parser.parse(pattern))


def _nested(argument: Any) -> list[Any]:
    """The parts within the argument of a code."""
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, tuple | list):
        return [part for one in argument for part in _nested(one)]
    return []
