"""Which checks run, worked out from the test functions' marks before AWS is asked anything.

pytest deselects items after they were collected, but collecting a check's items costs API calls. So the test modules
are read first: a check that -m, -k, --check, --group, --severity and node ids leave out is never expanded into items.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType

import pytest
from _pytest.mark.expression import Expression

from fixtures.resource import Resource, SameKindError, kind_named
from plugins.catalog import CatalogError, Check, aliases, check_of, groups, own_groups, run_by_default
from plugins.compliance import MARKER, Planned, planned, rolls_up
from plugins.options import Options, nearest

MOST_UNKNOWN_NAMES = 6
"""Names in a -k expression that may or may not match a resource; beyond this many every check is kept."""


@dataclass
class Plan:
    """The selected checks by id, and the resource kinds that they and the users' own tests ask for."""

    checks: dict[str, Check] = field(default_factory=dict)
    known: dict[str, Check] = field(default_factory=dict)
    """All checks that were read, selected or not."""
    kinds: set[type[Resource]] = field(default_factory=set)
    nodeids: dict[str, str] = field(default_factory=dict)
    """Check id -> node id of its function."""
    requirements: list[Planned] = field(default_factory=list)
    """What is rolled up after the checks."""

    @property
    def findings_expected(self) -> bool:
        """Whether anything selected gives findings."""
        return bool(self.checks or self.requirements)

    def check(self, id: str) -> Check:
        """The check of a finding: a check, or a requirement in the place of one. Raises KeyError."""
        found = self.known.get(id)
        return found if found is not None else self._by_requirement[id]

    @functools.cached_property
    def _by_requirement(self) -> dict[str, Check]:
        return {one.check.id: one.check for one in self.requirements}


@dataclass(frozen=True)
class _Found:
    function: Callable[..., object]
    name: str
    module_name: str
    nodeid: str
    marks: frozenset[str]
    wanted: bool
    """False for functions that a node id on the command line leaves out."""


def make_plan(session: pytest.Session, options: Options) -> Plan:
    """Read the test modules and select. Raises pytest.UsageError for ids that do not exist."""
    plan = Plan()
    found = list(_functions(session, session.config.args))
    for one in found:
        check = check_of(one.function)
        if check is not None:
            other = plan.known.setdefault(check.id, check)
            if other.function.__qualname__ != check.function.__qualname__:
                raise pytest.UsageError(f"two checks have the id {check.id}: {other.function.__qualname__}, {one.name}")
    _refuse_unknown(plan, session, options)
    by_default = _is_default_run(session.config, options)
    for one in found:
        check = check_of(one.function)
        if not one.wanted or not (rolls_up(one.function) or _passes_expressions(session.config, one)):
            continue
        if check is None and rolls_up(one.function):
            if session.config.option.markexpr or options.groups:
                plan.requirements += _requirements(session, options, one, plan)
        elif check is None:
            plan.kinds.update(_kinds_of(one.function))
        elif is_selected(check, options, by_default):
            plan.checks[check.id] = check
            plan.nodeids[check.id] = one.nodeid
            plan.kinds.update(_kinds_of(one.function))
    return plan


def _requirements(session: pytest.Session, options: Options, found: _Found, plan: Plan) -> Iterator[Planned]:
    """The requirements that are rolled up: those of frameworks whose groups are selected by -m or --group."""

    def wanted(check: Check) -> bool:
        marks = frozenset([*found.marks, *mark_names(check)])
        return is_selected(check, options, False) and _passes_expressions(session.config, replace(found, marks=marks))

    try:
        yield from planned(found.function, found.nodeid, wanted, _all_known(session, plan))
    except CatalogError as error:
        raise pytest.UsageError(str(error)) from None


def _all_known(session: pytest.Session, plan: Plan) -> dict[str, Check]:
    """The checks of the command line's paths and those of the suite itself."""
    if session.config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        return plan.known
    suite = {c.id: c for f in _functions(session, _testpaths(session.config)) if (c := check_of(f.function))}
    return {**suite, **plan.known}


def is_selected(check: Check, options: Options, by_default: bool) -> bool:
    """Whether the suite's own options (not -m and -k) select a check."""
    member_of = check.groups
    if options.checks and check.id not in options.checks:
        return False
    if options.groups and not set(options.groups) & set(member_of):
        return False
    if check.id in options.exclude_checks:
        return False
    if options.exclude_extras and "extras" in member_of:
        return False
    if options.severities and check.severity not in options.severities:
        return False
    return not by_default or run_by_default(check)


def mark_names(check: Check) -> list[str]:
    """The markers that a check's items carry besides those on the function: its id and its groups."""
    return [check.id, *check.groups]


def _is_default_run(config: pytest.Config, options: Options) -> bool:
    """``pytest`` with no selection of checks runs the default groups only. A path besides the usual ones is a selection.

    ``args_source`` would tell, but not on workers: there the usual paths are arguments.
    """
    usual = {os.path.abspath(path) for path in [*_testpaths(config), *map(str, options.checks_dirs)]}
    named = any(os.path.abspath(config.invocation_params.dir / argument) not in usual for argument in config.args)
    return not (options.checks or options.groups or config.option.markexpr or config.option.keyword or named)


def _refuse_unknown(plan: Plan, session: pytest.Session, options: Options) -> None:
    wanted = {
        "--check": options.checks,
        "--exclude-check": options.exclude_checks,
        **{f"groups.yaml: group {group.id}": [aliases().get(id, id) for id in group.checks] for group in own_groups()},
    }
    if not {id for ids in wanted.values() for id in ids} - plan.known.keys():
        return
    known = _all_known(session, plan)
    for where, ids in wanted.items():
        for id in ids:
            if id not in known:
                raise pytest.UsageError(
                    f"{where}: unknown check {id!r}{nearest(id, known)} (--list-checks shows them all)"
                )


def _kinds_of(function: Callable[..., object]) -> Iterator[type[Resource]]:
    code = getattr(function, "__code__", None)
    given = parametrized_names(getattr(function, "pytestmark", []))
    for name in code.co_varnames[: code.co_argcount] if code else ():
        kind = kind_named(name) if name not in given else None
        if kind is not None:
            yield kind


def parametrized_names(marks: Iterable[pytest.Mark]) -> set[str]:
    """The arguments that a test's own ``parametrize`` marks give values to."""
    names: set[str] = set()
    for mark in marks:
        if mark.name == "parametrize" and mark.args:
            first = mark.args[0]
            names |= {name.strip() for name in (first.split(",") if isinstance(first, str) else first)}
    return names


def _testpaths(config: pytest.Config) -> list[str]:
    return [str(config.rootpath / path) for path in config.getini("testpaths")]


def _functions(session: pytest.Session, arguments: Iterable[str]) -> Iterator[_Found]:
    """The test functions of all modules that the command line's paths and node ids reach."""
    wanted: dict[Path, set[str] | None] = {}
    for argument in arguments:
        base, _, _ = argument.partition("[")
        path_text, *parts = base.split("::")
        path = Path(os.path.abspath(session.config.invocation_params.dir / path_text))
        for file in _files(session.config, path):
            names = wanted.get(file, set())
            wanted[file] = None if not parts or names is None else names | {parts[-1]}
    for file, names in wanted.items():
        module = _module(session, file)
        if module is None:
            continue
        module_marks = getattr(module.obj, "pytestmark", [])
        for name, function in list(vars(module.obj).items()):
            if not (isinstance(function, FunctionType) and name.startswith("test")):
                continue
            check = check_of(function)
            marks = [
                *getattr(function, "pytestmark", []),
                *(module_marks if isinstance(module_marks, list) else [module_marks]),
            ]
            yield _Found(
                function=function,
                name=name,
                module_name=file.name,
                nodeid=f"{module.nodeid}::{name}",
                marks=frozenset([*(mark.name for mark in marks), *(mark_names(check) if check else ())]),
                wanted=names is None or name in names,
            )


def _files(config: pytest.Config, path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    patterns = config.getini("python_files")
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(
            name for name in subfolders if not name.startswith((".", "_")) and name != "node_modules"
        )
        for name in sorted(files):
            if any(Path(name).match(pattern) for pattern in patterns):
                yield Path(folder, name)


def _module(session: pytest.Session, file: Path) -> pytest.Module | None:
    """The module of a file, imported as pytest would; None when that fails (collection will report it).

    Raises pytest.UsageError for a kind of resource whose name another one has: the checks of either could look at the other.
    """
    try:
        parent = session
        module: pytest.Module = pytest.Module.from_parent(parent, path=file)
        module.obj  # noqa: B018 - imports
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - collecting the module will raise it again
        for cause in (error, error.__cause__):
            if isinstance(cause, SameKindError):
                raise pytest.UsageError(str(cause)) from None
        return None
    return module


def _passes_expressions(config: pytest.Config, found: _Found) -> bool:
    """Whether -m and -k can select an item of this function."""
    if config.option.markexpr and not Expression.compile(config.option.markexpr).evaluate(
        lambda name, /, **_: name in found.marks
    ):
        return False
    return not config.option.keyword or _keyword_possible(config.option.keyword, found)


def _keyword_possible(text: str, found: _Found) -> bool:
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


def register_markers(config: pytest.Config) -> None:
    """Make every group a registered marker."""
    for group in groups().values():
        config.addinivalue_line("markers", f"{group.id}: {group.title} ({len(group.checks)} checks)")
    config.addinivalue_line("markers", f"{MARKER}: requirements of frameworks, rolled up from the findings of the run")
