"""Which checks run, worked out from the test functions' marks before AWS is asked anything.

pytest deselects items after they were collected, but collecting a check's items costs API calls. So the test modules
are read first: a check that -m, -k, --check, --group, --service, --severity and node ids leave out is never expanded
into items.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fixtures.kinds import refuse_taken_names
from fixtures.model import Resource, SameKindError
from plugins.catalog.checks import Check, check_of, runs_by_default
from plugins.catalog.files import CatalogError
from plugins.catalog.groups import every_group, own_groups
from plugins.catalog.names import is_pattern, matching, names_of, patterns_like
from plugins.compliance.roll_up import Planned, planned, rolls_up
from plugins.did_you_mean import nearest
from plugins.options.values import Options
from plugins.selection.expressions import passes_expressions, refuse_malformed, refuse_unknown_markers
from plugins.selection.markers import register_services
from plugins.selection.reading import Suite
from plugins.selection.test_functions import TestFunction, kinds_of


@dataclass
class Plan:
    """The selected checks by id, and the resource kinds that they and the users' own tests ask for."""

    checks: dict[str, Check] = field(default_factory=dict)
    known: dict[str, Check] = field(default_factory=dict)
    """All checks that were read, selected or not."""
    ids: list[str] = field(default_factory=list)
    """The ids of all checks of the run and of the suite, read or not."""
    unread: frozenset[Path] = frozenset()
    """Files of checks that are not wanted: they are not imported."""
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

    def mark_names(self, check: Check) -> list[str]:
        """The markers that a check's items carry besides those on the function: its id, its groups and its service.

        A group goes before a service of its name, and so does a check whose id is one: ``-m rds`` is the group of that name.
        """
        taken = check.service in every_group() or check.service in self._ids
        return [check.id, *check.memberships, *([] if taken else [check.service])]

    @functools.cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(self.ids)

    @functools.cached_property
    def _by_requirement(self) -> dict[str, Check]:
        return {one.check.id: one.check for one in self.requirements}


@dataclass(frozen=True)
class Wanted:
    """The ids that --check and --exclude-check mean. ``only`` is None without --check."""

    only: frozenset[str] | None
    excluded: frozenset[str]


def make_plan(session: pytest.Session, options: Options) -> Plan:
    """Read the test modules and select. Raises pytest.UsageError for names that mean nothing."""
    refuse_malformed(session.config)
    suite = Suite.at(session, session.config.args)
    own = _own_suite(session, suite)
    if _ids_suffice(session.config, options):
        suite.read(_wanted(options, suite, own).only or ())
    else:
        suite.read_all()
    wanted = _wanted(options, suite, own)  # of what was read: a text may tell of a check that there is not
    plan = Plan(known=suite.checks, ids=_ids(suite, own), unread=frozenset(suite.unread))
    _refuse_unknown_services(options, suite, own)
    register_services(session.config, {check.service for check in plan.known.values()})
    refuse_unknown_markers(session.config, plan.known)
    _Selecting(session.config, options, plan, own, wanted).select(suite.found)
    try:
        refuse_taken_names()
    except SameKindError as error:
        raise pytest.UsageError(str(error)) from None
    return plan


class _Selecting:
    """Fills a plan with what is selected of the test functions that were read."""

    def __init__(self, config: pytest.Config, options: Options, plan: Plan, own: Suite, wanted: Wanted) -> None:
        self.config = config
        self.options = options
        self.plan = plan
        self.own = own
        self.wanted = wanted
        self.by_default = _is_default_run(config, options)

    def select(self, found: Iterable[TestFunction]) -> None:
        """Take what is selected into the plan."""
        for one in found:
            check = check_of(one.function)
            if not one.wanted:
                continue
            if check is None and rolls_up(one.function):
                if self.config.option.markexpr or self.options.groups:
                    self.plan.requirements += self._requirements(one)
            elif self._passes(one, check):
                if check is not None:
                    self.plan.checks[check.id] = check
                    self.plan.nodeids[check.id] = one.nodeid
                self.plan.kinds.update(kinds_of(one.function))

    def _passes(self, found: TestFunction, check: Check | None) -> bool:
        """Whether all options select a function, as the check that it is."""
        if check is None:
            return passes_expressions(self.config, found)
        marked = replace(found, marks=found.marks.union(self.plan.mark_names(check)))
        by_default = self.by_default and not check.is_requirement
        return is_selected(check, self.options, self.wanted, by_default) and passes_expressions(self.config, marked)

    def _requirements(self, found: TestFunction) -> Iterator[Planned]:
        """The requirements that are rolled up: those of frameworks whose groups are selected by -m or --group."""
        known = _all_known(self.own, self.plan.known)
        try:
            yield from planned(found.function, found.nodeid, lambda check: self._passes(found, check), known)
        except CatalogError as error:
            raise pytest.UsageError(str(error)) from None


def _ids_suffice(config: pytest.Config, options: Options) -> bool:
    """Whether --check tells by ids which checks are wanted, and nothing else is to be known of the others.

    Groups roll up requirements, which are as severe as their checks; a configuration file names settings of any check, and
    what is recorded is redacted by the strictest of them.
    """
    others = (options.services, options.groups, options.config, options.record, config.option.markexpr)
    usual = config.getini("python_functions") == ["test"]  # else other functions may be tests, too
    return bool(options.checks) and usual and not any(others) and not any(one.config for one in options.listed_accounts)


def _own_suite(session: pytest.Session, read: Suite) -> Suite:
    """The suite's own files; ``read``, the run's, where they are among them."""
    if session.config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        return read
    own = Suite.at(session, _testpaths(session.config))
    return read if own.files.keys() <= read.files.keys() else own


def _all_known(own: Suite, known: dict[str, Check]) -> dict[str, Check]:
    """The checks of the command line's paths and those of the suite itself."""
    own.read_all()
    return {**own.checks, **known}


def _ids(suite: Suite, own: Suite) -> list[str]:
    return [*dict.fromkeys([*suite.ids, *own.ids])]


def _wanted(options: Options, suite: Suite, own: Suite) -> Wanted:
    """What --check and --exclude-check mean. Raises pytest.UsageError for names that mean nothing."""
    ids = _ids(suite, own)
    for group in own_groups():
        unknown = [name for name in group.checks if is_pattern(name) or not matching(name, ids)]
        if unknown:
            raise _unknown(f"groups.yaml: group {group.id}", unknown[0], ids)
    return Wanted(
        _meant("--check", options.checks, ids) if options.checks else None,
        _meant("--exclude-check", options.exclude_checks, ids),
    )


def is_selected(check: Check, options: Options, wanted: Wanted, by_default: bool) -> bool:
    """Whether the suite's own options (not -m and -k) select a check."""
    if wanted.only is not None and check.id not in wanted.only:
        return False
    if options.groups and not set(options.groups) & set(check.memberships):
        return False
    if options.services and check.service not in options.services:
        return False
    if check.id in wanted.excluded:
        return False
    if options.exclude_extras and "extras" in check.groups:
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
    chosen = (options.checks, options.groups, options.services, config.option.markexpr, config.option.keyword)
    return not (named or any(chosen))


def _meant(option: str, names: Iterable[str], ids: list[str]) -> frozenset[str]:
    """The ids that names mean. Raises pytest.UsageError for a name that means none."""
    known = dict.fromkeys(ids)
    found: set[str] = set()
    for name in names:
        meant = matching(name, known)
        if not meant:
            raise _unknown(option, name, ids)
        found.update(meant)
    return frozenset(found)


SHOWN = "--list-checks shows them all"


def _unknown(where: str, name: str, ids: list[str]) -> pytest.UsageError:
    what, known = "unknown check", names_of(dict.fromkeys(ids))
    if is_pattern(name):
        what, known = "no check matches", patterns_like(name, known)
    return pytest.UsageError(f"{where}: {what} {name!r}{nearest(name, known)} ({SHOWN})")


def _refuse_unknown_services(options: Options, suite: Suite, own: Suite) -> None:
    known = {check.service for check in suite.checks.values()}
    if known.issuperset(options.services):
        return
    known |= {check.service for check in _all_known(own, suite.checks).values()}
    for name in options.services:
        if name not in known:
            raise pytest.UsageError(f"--service: unknown service {name!r}{nearest(name, sorted(known))} ({SHOWN})")


def _testpaths(config: pytest.Config) -> list[str]:
    return [str(config.rootpath / path) for path in config.getini("testpaths")]
