"""pytest's -m and -k expressions, judged before the resources are known."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection

import pytest
from _pytest.mark.expression import Expression

from plugins.did_you_mean import nearest
from plugins.selection.test_functions import TestFunction

MOST_UNKNOWN_NAMES = 6
"""Names in a -k expression that may or may not match a resource; beyond this many every check is kept."""


def refuse_malformed(config: pytest.Config) -> None:
    """Raise pytest.UsageError, in one line, for a -m or -k that is no expression."""
    for flag, text in (("-m", config.option.markexpr), ("-k", config.option.keyword)):
        try:
            Expression.compile(text)
        except SyntaxError as error:
            raise pytest.UsageError(
                f"{flag}: {text!r} cannot be understood: {error.msg} at column {error.offset}{_hint(flag, text)}"
            ) from None


def _hint(flag: str, text: str) -> str:
    """What was meant, perhaps."""
    names = [name.strip() for name in text.split(",")]
    if len(names) > 1 and all(re.fullmatch(r"[\w-]+", name) for name in names):
        either = f'{flag} "{" or ".join(names)}"'
        return f": give --group {','.join(names)} or {either}" if flag == "-m" else f": give {either}"
    if flag == "-k" and not set(text) & set("() "):
        part = max(re.findall(r"[\w:+\-.\[\]\\/]+", text), key=len, default="")
        return f": a name has letters, digits and :+-.[]\\/_ only; a part of it is enough: -k {part}" if part else ""
    return ": names are joined by and, or, not and parentheses"


def refuse_unknown_markers(config: pytest.Config, checks: Collection[str]) -> None:
    """Raise pytest.UsageError for a name in a -m expression that is no registered marker.

    With strict_markers, which the suite has, pytest does so as well, but when AWS was asked already. ``checks``: ids of
    checks, which ``--check`` selects.
    """
    if not config.getini("strict_markers"):
        return
    registered = {marker.name for marker in config._iter_registered_markers()}
    for name in sorted(Expression.compile(config.option.markexpr).idents() - registered):
        better = f": --check {name} selects it" if name in checks else nearest(name, registered)
        raise pytest.UsageError(f"-m: there is no marker {name!r}{better} (--list-groups shows the groups)")


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
    return [
        word
        for word in re.findall(r"[\w:+\-.\[\]\\/]+", text)
        if word not in ("and", "or", "not", "None", "True", "False")
    ]
