"""YAML from users' files, with bounds on what it may make of itself.

libyaml's loader crashes the process on a text of some kilobytes that nests deep enough, a few anchors can stand for more
values than memory holds, and PyYAML raises whatever its conversions raise. Here all of it is YamlError.
"""

from __future__ import annotations

from typing import Any

import yaml

MOST_LEVELS = 50
MOST_VALUES = 1_000_000
"""What the values come to with each alias in full; YAML of a user's hand has some thousand."""

CONVERSIONS = (ValueError, LookupError, AttributeError, TypeError, OverflowError)
"""What PyYAML raises for ``2020-13-45``, ``!!bool x``, ``!!timestamp x`` and the like."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """What is wrong, in words; ``line`` from 1, 0 where it has no place."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(" ".join(problem.split()))
        self.line = line

    @property
    def where(self) -> str:
        """``, line 3``, or nothing."""
        return f", line {self.line}" if self.line else ""


class TooDeep(YamlError):
    """It nests deeper than what it stands for can need."""


def parsed(text: str | bytes, *, trusted: bool = False) -> Any:
    """The value of a YAML text, None for an empty one. Raises YamlError. ``trusted``: the suite's own, without looking at its
    bounds.
    """
    if not trusted:
        verify(text)
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _error(error) from None
    except CONVERSIONS as error:
        raise YamlError(f"a value is not of its type ({error})") from None


def verify(text: str | bytes) -> None:
    """Raise YamlError for a text that is malformed, nests too deep, or that aliases make too large or endless."""
    try:
        require_bounds(text)
    except yaml.YAMLError as error:
        raise _error(error) from None
    except UnicodeError:
        raise YamlError("it is not UTF-8") from None


def require_bounds(text: str | bytes, most_levels: int = MOST_LEVELS) -> None:
    """Raise YamlError (TooDeep) for what verify refuses, but let PyYAML's own errors about malformed text out."""
    sizes: dict[str, int] = {}
    """Anchor -> number of values under it."""
    open_: list[list[Any]] = [["", 0]]
    """Anchor and number of values of each collection that is not at its end yet."""
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_.pop()
            _add(open_, sizes, anchor, size, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_) > most_levels:
                raise TooDeep(f"it nests deeper than {most_levels} levels", _line(event))
            open_.append([event.anchor, 1])
            sizes.pop(event.anchor or "", None)
        elif isinstance(event, yaml.ScalarEvent):
            _add(open_, sizes, event.anchor, 1, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                within = any(event.anchor == anchor for anchor, _ in open_)
                problem = f"the alias *{event.anchor} stands for nothing that is complete before it"
                raise YamlError(problem + ": it is recursive" * within, _line(event))
            _add(open_, sizes, None, sizes[event.anchor], event)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _add(open_: list[list[Any]], sizes: dict[str, int], anchor: str | None, size: int, event: yaml.Event) -> None:
    if anchor:
        sizes[anchor] = size
    open_[-1][1] += size
    if open_[-1][1] > MOST_VALUES:
        raise YamlError(f"its aliases stand for more than {MOST_VALUES} values", _line(event))


def _error(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split()) or "it is not YAML"
    return YamlError(problem, mark.line + 1 if mark else 0)
