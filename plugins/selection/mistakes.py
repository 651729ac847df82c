"""Mistakes in the checks of one's own that can be told before AWS is asked."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fixtures.kinds import KINDS, kinds_asked
from fixtures.model import defined_kinds
from plugins.catalog.checks import SEVERITIES, Check
from plugins.did_you_mean import nearest
from plugins.selection.test_functions import parametrized_names


def refuse_unknown_severity(check: Check, nodeid: str) -> None:
    """Raise pytest.UsageError for a severity that there is not."""
    if check.severity not in SEVERITIES:
        raise pytest.UsageError(
            f"{nodeid}: check {check.id}: unknown severity {check.severity!r}{nearest(check.severity, SEVERITIES)}"
            f" (known: {', '.join(SEVERITIES)})"
        )


def refuse_unknown_arguments(session: pytest.Session, checks: Iterable[tuple[Check, str]]) -> None:
    """Raise pytest.UsageError for an argument of a check (which comes with its node id) that nobody gives a value to.

    Fixtures are known when collection begins.
    """
    for check, nodeid in checks:
        for name in _arguments(check.function):
            if name not in kinds_asked(check.function) and not _is_given(name, check.function, session):
                raise pytest.UsageError(
                    f"{nodeid}: check {check.id}: its argument {name!r} is no kind of resource and no fixture"
                    f"{nearest(name, {*KINDS, *defined_kinds})} (--fixtures shows all)"
                )


def _arguments(function: Any) -> list[str]:
    return [
        one.name for one in inspect.signature(function).parameters.values()
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty
    ]  # fmt: skip


def _is_given(name: str, function: Any, session: pytest.Session) -> bool:
    """Whether a fixture or a mark gives an argument its value, or perhaps one that is not known yet."""
    namespace = getattr(function, "__globals__", {})
    marks = namespace.get("pytestmark", [])
    marks = [*getattr(function, "pytestmark", []), *(marks if isinstance(marks, list) else [marks])]
    if name in parametrized_names([getattr(mark, "mark", mark) for mark in marks]):
        return True
    config, manager, file = session.config, session._fixturemanager, Path(function.__code__.co_filename)
    try:  # as collecting the module will do
        config.pluginmanager._loadconftestmodules(
            file, importmode=config.getoption("importmode"), rootpath=config.rootpath,
            consider_namespace_packages=config.getini("consider_namespace_packages"),
        )  # fmt: skip
    except Exception:  # noqa: BLE001 - collecting the module will raise it again
        return True
    namespaces = [namespace, *map(vars, config.pluginmanager._getconftestmodules(file))]
    known = {*manager._arg2node2fixturedefs, *manager._arg2nodeid2fixturedefs}
    return name in known.union(*map(_fixtures_in, namespaces))


def _fixtures_in(namespace: dict[str, Any]) -> set[str]:
    """The fixtures that a module defines or imports."""
    found = [one for one in namespace.values() if type(one).__name__ == "FixtureFunctionDefinition"]
    return {one.name or one._get_wrapped_function().__name__ for one in found}
