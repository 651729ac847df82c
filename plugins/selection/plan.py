"""Which checks run, worked out from the test functions' marks before AWS is asked anything.

pytest deselects items after they were collected, but collecting a check's items costs API calls. So the test modules
are read first: a check that -m, -k, --check, --group, --severity and node ids leave out is never expanded into items.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from fixtures.kinds import refuse_taken_names
from fixtures.model import Resource, SameKindError
from plugins.catalog.checks import Check, check_of, runs_by_default
from plugins.catalog.groups import CatalogError, aliases, groups, own_groups
from plugins.compliance.roll_up import MARKER, Planned, planned, rolls_up
from plugins.did_you_mean import nearest
from plugins.options.values import Options
from plugins.selection.expressions import passes_expressions, refuse_malformed, refuse_unknown_markers
from plugins.selection.mistakes import refuse_unknown_severity
from plugins.selection.test_functions import TestFunction, functions_of, kinds_of, mark_names


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


def make_plan(session: pytest.Session, options: Options) -> Plan:
    """Read the test modules and select. Raises pytest.UsageError for ids that do not exist."""
    refuse_malformed(session.config)
    plan = Plan()
    found = list(functions_of(session, session.config.args))
    for one in found:
        check = check_of(one.function)
        if check is not None:
            refuse_unknown_severity(check, one.nodeid)
            other = plan.known.setdefault(check.id, check)
            if other.function.__qualname__ != check.function.__qualname__:
                raise pytest.UsageError(f"two checks have the id {check.id}: {other.function.__qualname__}, {one.name}")
    refuse_unknown_markers(session.config, plan.known)
    _refuse_unknown(plan, session, options)
    by_default = _is_default_run(session.config, options)
    for one in found:
        check = check_of(one.function)
        if not one.wanted or not (rolls_up(one.function) or passes_expressions(session.config, one)):
            continue
        if check is None and rolls_up(one.function):
            if session.config.option.markexpr or options.groups:
                plan.requirements += _requirements(session, options, one, plan)
        elif check is None:
            plan.kinds.update(kinds_of(one.function))
        elif is_selected(check, options, by_default):
            plan.checks[check.id] = check
            plan.nodeids[check.id] = one.nodeid
            plan.kinds.update(kinds_of(one.function))
    try:
        refuse_taken_names()
    except SameKindError as error:
        raise pytest.UsageError(str(error)) from None
    return plan


def _requirements(session: pytest.Session, options: Options, found: TestFunction, plan: Plan) -> Iterator[Planned]:
    """The requirements that are rolled up: those of frameworks whose groups are selected by -m or --group."""

    def wanted(check: Check) -> bool:
        marks = frozenset([*found.marks, *mark_names(check)])
        return is_selected(check, options, False) and passes_expressions(session.config, replace(found, marks=marks))

    try:
        yield from planned(found.function, found.nodeid, wanted, _all_known(session, plan))
    except CatalogError as error:
        raise pytest.UsageError(str(error)) from None


def _all_known(session: pytest.Session, plan: Plan) -> dict[str, Check]:
    """The checks of the command line's paths and those of the suite itself."""
    if session.config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        return plan.known
    suite = {c.id: c for f in functions_of(session, _testpaths(session.config)) if (c := check_of(f.function))}
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
    return not by_default or runs_by_default(check)


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


def _testpaths(config: pytest.Config) -> list[str]:
    return [str(config.rootpath / path) for path in config.getini("testpaths")]


def register_markers(config: pytest.Config) -> None:
    """Make every group a registered marker."""
    for group in groups().values():
        config.addinivalue_line("markers", f"{group.id}: {group.title} ({len(group.checks)} checks)")
    config.addinivalue_line("markers", f"{MARKER}: requirements of frameworks, rolled up from the findings of the run")
