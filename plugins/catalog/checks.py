"""``@check``: what turns a test function into a check, and the groups that checks belong to."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from fixtures.kinds import kind_named, kinds_asked
from fixtures.model import Resource
from plugins.catalog.groups import framework_groups_of, groups, groups_of

REQUIREMENT = "requirement"
"""The argument of the tests that judge requirements."""

Severity: TypeAlias = Literal["critical", "high", "medium", "low", "informational"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "informational")

# Finding types. Source: AWS Security Hub User Guide, "Types taxonomy for ASFF".
CIS_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"
BEST_PRACTICE_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
NETWORK_REACHABILITY = f"{BEST_PRACTICE_TYPE}/Network Reachability"
PATCH_MANAGEMENT = "Software and Configuration Checks/Patch Management"
CVE = "Software and Configuration Checks/Vulnerabilities/CVE"
DATA_EXPOSURE = "Effects/Data Exposure"
PASSWORDS = "Sensitive Data Identifications/Passwords"


def at_least(severity: str | None) -> tuple[Severity, ...]:
    """The severities of this one and above; all of them without one."""
    return SEVERITIES[: [*SEVERITIES].index(severity) + 1] if severity else SEVERITIES  # type: ignore[arg-type]


class NotEvaluated(Exception):
    """A test's own word for ERROR: it could not judge, and the message says why."""


F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Check:
    """What is known of a check besides its verdicts."""

    id: str
    number: str
    """The number of the 2020 tool: 1.4 for check14, 7.100 for extra7100; a check of one's own has its id."""
    title: str
    severity: Severity
    service: str
    resource_type: str
    remediation: str
    url: str
    command: str
    level: str
    scored: bool
    finding_type: str
    kind: str
    """The argument name of the resource that the check is about."""
    settings: Mapping[str, Any] = field(hash=False)
    """Thresholds and their defaults: the function's keyword-only arguments."""
    function: Callable[..., object] = field(hash=False, repr=False)
    member_of: tuple[str, ...] = ()
    """Groups that it belongs to besides those of groups files and markers."""
    framework: str = ""
    """The framework that a requirement is of."""

    @functools.cached_property
    def groups(self) -> list[str]:
        """Ids of the groups that the check belongs to: by a groups file, or by a marker on the function or its module."""
        module = sys.modules.get(self.function.__module__)
        marks = [*_marks(self.function), *_marks(module)]
        listed = [*groups_of(self.id), *self.member_of]
        return [*listed, *dict.fromkeys(name for name in marks if name in groups() and name not in listed)]

    @functools.cached_property
    def memberships(self) -> list[str]:
        """Ids of all groups that select the check: its ``groups``, and those that frameworks are."""
        own = [self.framework] if self.framework else []
        return [*dict.fromkeys([*self.groups, *framework_groups_of(self.id), *own])]

    @functools.cached_property
    def resource(self) -> type[Resource] | None:
        """The kind of resource that the check is about; None for an argument that is no resource."""
        return kinds_asked(self.function).get(self.kind) or kind_named(self.kind)

    @property
    def is_requirement(self) -> bool:
        """Whether it stands for a requirement of a framework, which is judged by the findings of checks."""
        return self.kind == REQUIREMENT


def check(
    id: str,
    *,
    severity: Severity,
    remediation: str,
    url: str = "",
    command: str = "",
    resource_type: str = "",
    service: str = "",
    level: int | None = None,
    scored: bool = True,
    finding_type: str = "",
) -> Callable[[F], F]:
    """Make a test function a check.

    ``id`` is the name used by --check; the docstring's first line becomes the title and the first argument names the
    resource that the check is about. Keyword-only arguments with a default are thresholds, which --config overrides.
    The function fails by assertion; it may return a sentence that says what was found when it passes.

    ``resource_type``: AWS Security Finding Format resource type (default: the resource's). ``service``: botocore
    service name (default: the resource's). ``level``: CIS profile level 1 or 2, None for a check beyond the benchmark.
    ``finding_type``: AWS Security Finding Format type; CIS or AWS best practices by default.
    """

    def decorate(function: F) -> F:
        parameters = inspect.signature(function).parameters.values()
        positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
        kind = positional[0] if positional else ""
        resource = None if service and resource_type else kinds_asked(function).get(kind)
        doc = inspect.getdoc(function) or function.__name__
        function.__check__ = Check(  # type: ignore[attr-defined]
            id=id,
            number=number_of(id),
            title=doc.splitlines()[0].rstrip("."),
            severity=severity,
            service=service or (resource.service if resource else "other"),
            resource_type=resource_type or (resource.resource_type if resource else "Other"),
            remediation=remediation,
            url=url,
            command=command,
            level=f"Level {level}" if level else "Extra",
            scored=scored if level else False,
            finding_type=finding_type or (CIS_TYPE if level else BEST_PRACTICE_TYPE),
            kind=kind,
            settings={p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty},
            function=function,
        )
        return function

    return decorate


def number_of(id: str) -> str:
    """The dotted number of a check's id: check110 is 1.10, extra7100 is 7.100."""
    digits = re.fullmatch(r"(?:check|extra)(\d)(\d+)", id)
    return f"{digits[1]}.{digits[2]}" if digits else id


def _marks(place: object) -> list[str]:
    """The names of the pytest markers on a function or module."""
    marks = getattr(place, "pytestmark", [])
    return [getattr(mark, "name", "") for mark in (marks if isinstance(marks, list) else [marks])]


def check_of(function: object) -> Check | None:
    """The Check of a test function, or None for an ordinary test."""
    found = getattr(function, "__check__", None)
    return found if isinstance(found, Check) else None


def runs_by_default(check: Check) -> bool:
    """Whether ``pytest`` with no selection runs the check: in a default group, or in no group at all (own checks)."""
    return not check.groups or any(groups()[id].run_by_default for id in check.groups)
