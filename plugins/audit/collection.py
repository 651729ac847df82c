"""From check functions and discovered resources to pytest items.

A check whose arguments are discovered resources only becomes CheckItems, which are small and quick. A function that
asks for other fixtures too stays an ordinary pytest function, parametrized with the same resources.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import wait
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from fixtures.kinds import kind_named, kinds_asked
from fixtures.model import Resource
from plugins.audit import run as run_plugin
from plugins.audit.discovery import Kind
from plugins.audit.run import Run, run_of
from plugins.catalog.checks import Check, check_of
from plugins.compliance.roll_up import rolls_up
from plugins.findings.row import Row
from plugins.findings.verdict import evaluate
from plugins.selection.test_functions import parametrized_names
from plugins.text import visible

OUTCOME_MARKS = frozenset({"skip", "skipif", "xfail", "usefixtures", "parametrize"})
"""Marks with a meaning of their own in pytest's full protocol."""


EVIDENCE = pytest.StashKey[object]()
"""What a check returned under pytest's full protocol."""


class CheckItem(pytest.Item):
    """One check on one resource (or one verdict that needs no look)."""

    check: Check
    row: Row
    tentative = False
    """An INFO "nothing to check" that only holds if the account's other tasks find nothing either."""
    late = False
    """It reads the findings of the items before it, so it is not evaluated ahead of its turn."""

    def __init__(self, *, check: Check, row: Row, lineno: int, marks: list[pytest.Mark], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.row = row
        self.own_markers = marks
        self._lineno = lineno

    @property
    def function(self) -> Any:
        """The check function, where other plugins look for it."""
        return self.check.function

    @property
    def location(self) -> tuple[str, int | None, str]:
        """File, line and name as reports show them."""
        return self.nodeid.partition("::")[0], self._lineno, self.name

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the check function is."""
        return self.path, self._lineno, self.name

    def runtest(self) -> None:
        """Run the check under pytest's full protocol (the short one does not come here)."""
        if self.row.verdict is not None:
            if self.row.verdict.status == "INFO":
                pytest.skip(self.row.verdict.message)
            pytest.fail(self.row.verdict.message, pytrace=False)
        run = run_of(self.config)
        settings = run.settings(self.check, self.row.account.id) if run is not None else None
        self.stash[EVIDENCE] = self.check.function(self.row.subject, **(settings or {}))


def item_id(row: Row) -> str:
    """``<account>-<region>-<resource>``, with what a terminal or a node id cannot carry made visible."""
    if row.resource is None and row.verdict is not None:
        name = "nothing-to-check" if row.verdict.status == "INFO" else "not-listed"
    else:
        name = row.label
    return visible(f"{row.account.id}-{row.region}-{name}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files that the plan did not need to read: no test in them is wanted."""
    run = run_of(config)
    return True if run is not None and collection_path in run.plan.unread else None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Expand a selected check into its items; a check that is not selected becomes nothing and costs nothing."""
    check = check_of(obj)
    run = run_of(collector.config)
    if run is None or not name.startswith("test"):
        return None
    if check is None:
        return list(_roll_ups(collector, name, obj, run)) if isinstance(obj, FunctionType) and rolls_up(obj) else None
    if check.id not in run.plan.checks:
        return []
    if not _is_simple(obj):
        return None
    return list(_items(collector, name, check, run))


def _is_simple(function: Any) -> bool:
    if any(mark.name in OUTCOME_MARKS - {"skip", "skipif", "xfail"} for mark in getattr(function, "pytestmark", [])):
        return False
    positional = [
        p for p in inspect.signature(function).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty
    ]  # fmt: skip
    return len(positional) == 1 and positional[0].name in kinds_asked(function)


def _items(collector: pytest.Module | pytest.Class, name: str, check: Check, run: Run) -> Iterator[CheckItem]:
    function: FunctionType = check.function  # type: ignore[assignment]
    marks = [pytest.Mark(name, (), {}, _ispytest=True) for name in run.plan.mark_names(check)]
    marks += getattr(function, "pytestmark", [])
    lineno = function.__code__.co_firstlineno - 1
    used: dict[str, int] = {}
    rows = run.rows(check)
    in_parts = run.cut is not None or (run.task is not None and run.task.is_part)
    for row in rows:
        id = item_id(row)
        count = used[id] = used.get(id, 0) + 1
        full_name = f"{name}[{id}]" if count == 1 else f"{name}[{id}#{count}]"
        item: CheckItem = CheckItem.from_parent(
            collector, name=full_name, nodeid=f"{collector.nodeid}::{full_name}",
            check=check, row=row, lineno=lineno, marks=marks,
        )  # fmt: skip
        assert check.resource is not None
        run.listed[row.account.id, check.id] += row.resource is not None
        item.tentative = in_parts and check.resource.scope == "region" and row.resource is None and _is_empty(row)
        yield item


def _roll_ups(
    collector: pytest.Module | pytest.Class, name: str, function: FunctionType, run: Run
) -> Iterator[CheckItem]:
    """The requirements of the accounts. With workers the controller judges them, since a worker sees a part only."""
    if run.task is not None:
        return
    for plan, row in run.requirement_rows():
        if plan.check.function is not function:
            continue
        marks = [pytest.Mark(mark, (), {}, _ispytest=True) for mark in run.plan.mark_names(plan.check)]
        full_name = f"{name}[{item_id(row)}]"
        item: CheckItem = CheckItem.from_parent(
            collector, name=full_name, nodeid=f"{collector.nodeid}::{full_name}", check=plan.check, row=row,
            lineno=function.__code__.co_firstlineno - 1, marks=marks + getattr(function, "pytestmark", []),
        )  # fmt: skip
        item.late = True
        yield item


def _is_empty(row: Row) -> bool:
    return row.verdict is not None and row.verdict.status == "INFO"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give resources to ordinary test functions: by argument name, side by side when there are several."""
    run = run_of(metafunc.config)
    if run is None:
        return
    given = parametrized_names(metafunc.definition.iter_markers("parametrize"))
    kinds = {name: kind for name in metafunc.fixturenames if name not in given and (kind := _kind_of(metafunc, name))}
    names = list(kinds)
    if not names or (run.task is not None and not run.accounts):
        return
    sets = list(_argument_sets(run, kinds))
    ids = [item_id(row) for row, _ in sets]
    params = [
        pytest.param(*values, marks=[pytest.mark.skip(reason=row.verdict.message)] if row.verdict else [])
        for row, values in sets
    ]
    check = check_of(metafunc.function)
    if check is not None:
        run.listed.update((row.account.id, check.id) for row, _ in sets if row.resource is not None)
        for name in run.plan.mark_names(check):
            metafunc.definition.own_markers.append(pytest.Mark(name, (), {}, _ispytest=True))
    metafunc.parametrize(names, params, ids=ids)


def _kind_of(metafunc: pytest.Metafunc, name: str) -> Kind | None:
    """The kind of resource that a test or one of its fixtures asks for by an argument."""
    if metafunc._arg2fixturedefs.get(name):  # somebody's own fixture of that name goes first
        return None
    return kinds_asked(metafunc.function).get(name) or kind_named(name)


def _argument_sets(run: Run, asked: Mapping[str, Kind]) -> Iterator[tuple[Row, list[object]]]:
    """Row and argument values of each call: resources of one account (and region) together; ``account`` and ``region``
    follow the resource beside them.
    """
    kinds = [name for name in asked if name not in ("account", "region")]
    kinds = kinds or ["region" if "region" in asked else "account"]
    lists = [run.inventory.rows_of(asked[name]) for name in kinds]
    for rows in itertools.product(*lists):
        first = rows[0]
        if any(row.account is not first.account for row in rows):
            continue
        values: dict[str, object] = {name: row.resource for name, row in zip(kinds, rows, strict=True)}
        values.setdefault("account", first.account)
        if "region" in asked and "region" not in values:
            values["region"] = _region(first)
        bad = next((row for row in rows if row.verdict is not None), None)
        yield bad or first, [values[name] for name in asked]


def _region(row: Row) -> Resource:
    from fixtures.model import Region

    return Region(row.account.in_region(row.region), id=row.region)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the items of an account together, so that its reports are finished one after the other."""
    run = run_of(config)
    if run is None:
        return
    order = {account.id: number for number, account in enumerate(run.accounts)}
    if len(order) > 1 or run.plan.requirements:
        items.sort(key=lambda item: (order.get(account_of(item), -1), getattr(item, "late", False)))
    if run.task is not None:
        _drop_done(config, run, items)
        _apply_last_failed(config, run, items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Count what is looked at, of all that was listed."""
    run = run_of(session.config)
    for item in session.items if run is not None else ():
        check = check_of(getattr(item, "function", None))
        row = run.row_of(item) if run is not None and check is not None else None
        if run is not None and check is not None and row is not None and row.resource is not None:
            run.chosen[row.account.id, check.id] += 1


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember that a check was not run on all of its resources."""
    first = next((item for item in items if isinstance(item, CheckItem) and not item.late), None)
    run = run_of(first.config) if first is not None else None
    if run is not None:
        run.deselected = True


def account_of(item: pytest.Item) -> str:
    """The id of the account that an item is about; "" when it is about none."""
    if isinstance(item, CheckItem):
        return item.row.account.id
    resource = run_plugin.first_resource(run_plugin.arguments_of(item))
    return resource.api.account.id if resource is not None else ""


def _drop_done(config: pytest.Config, run: Run, items: list[pytest.Item]) -> None:
    """Leave out what a worker that died had reported before."""
    assert run.task is not None
    done = set(run.task.done)
    if done and run.options.record is not None:
        _call_again(run, [item for item in items if item.nodeid in done])
    if done:
        for item in items:
            if item.nodeid in done and isinstance(item, CheckItem) and item.row.resource is not None:
                run.chosen[item.row.account.id, item.check.id] += 1
        items[:] = [item for item in items if item.nodeid not in done]


def _call_again(run: Run, items: Iterable[pytest.Item]) -> None:
    """Make the calls of items again whose findings are there: what the dead worker recorded of them is lost."""
    checks = [item for item in items if isinstance(item, CheckItem) and item.row.verdict is None]
    settings = [run.settings(item.check, item.row.account.id) for item in checks]
    wait(
        run.crew.start(functools.partial(evaluate, item.check, item.row.subject, own))
        for item, own in zip(checks, settings, strict=True)
    )


def _apply_last_failed(config: pytest.Config, run: Run, items: list[pytest.Item]) -> None:
    """With --lf, a task without failed items runs nothing; pytest itself would run all of it."""
    failed = (
        config.cache.get("cache/lastfailed", {})
        if getattr(config.option, "lf", False) and config.cache is not None
        else {}
    )
    functions = set(run.plan.nodeids.values())
    known = any(nodeid.partition("[")[0] in functions for nodeid in failed)
    if known and not any(item.nodeid in failed for item in items):
        config.hook.pytest_deselected(items=list(items))
        items.clear()
