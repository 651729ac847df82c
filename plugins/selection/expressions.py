"""pytest's -m and -k expressions, judged before the resources are known."""

from __future__ import annotations

import itertools

import pytest
from _pytest.mark.expression import Expression

from plugins.selection.test_functions import TestFunction

MOST_UNKNOWN_NAMES = 6
"""Names in a -k expression that may or may not match a resource; beyond this many every check is kept."""


def passes_expressions(config: pytest.Config, found: TestFunction) -> bool:
    """Whether -m and -k can select an item of this function."""
    if config.option.markexpr and not Expression.compile(config.option.markexpr).evaluate(
        lambda name, /, **_: name in found.marks
    ):
        return False
    return not config.option.keyword or _keyword_possible(config.option.keyword, found)


def _keyword_possible(text: str, found: TestFunction) -> bool:
    """Whether a -k expression can be true for an item whose resource is not known yet."""
    expression = Expression.compile(text)
    static = [found.name.lower(), found.module_name.lower(), *(mark.lower() for mark in found.marks)]
    unknown: list[str] = []

    def first_look(name: str, /, **_: object) -> bool:
        if not any(name.lower() in known for known in static) and name not in unknown:
            unknown.append(name)
        return False

    # `and`/`or` are evaluated lazily, so each name is met by forcing both branches: replace them by their values
    for identifier in _identifiers(text):
        first_look(identifier)
    if len(unknown) > MOST_UNKNOWN_NAMES:
        return True
    for values in itertools.product((False, True), repeat=len(unknown)):
        assumed = dict(zip(unknown, values, strict=True))
        if expression.evaluate(
            lambda name, /, assumed=assumed, **_: assumed.get(name, any(name.lower() in known for known in static))
        ):
            return True
    return False


def _identifiers(text: str) -> list[str]:
    import re

    return [
        word
        for word in re.findall(r"[\w:+\-.\[\]\\/]+", text)
        if word not in ("and", "or", "not", "None", "True", "False")
    ]
