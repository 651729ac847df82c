"""``@check``: what turns a test function into a check, and the groups that checks belong to."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from fixtures.resource import Resource, kind_named

Severity: TypeAlias = Literal["critical", "high", "medium", "low", "informational"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "informational")

CIS_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"
BEST_PRACTICE_TYPE = "Software and Configuration Checks/AWS Security Best Practices"

DATA = Path(__file__).resolve().parent.parent / "tests_compliance"

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Check:
    """What is known of a check besides its verdicts. ``number`` is the number of the 2020 tool: 1.4, 7.100."""

    id: str
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

    @functools.cached_property
    def number(self) -> str:
        """The dotted number: check110 is 1.10, extra7100 is 7.100."""
        digits = re.search(r"\d+$", self.id)
        if digits is None:
            return self.id
        return f"{digits.group()[0]}.{digits.group()[1:]}" if digits.group()[1:] else digits.group()

    @property
    def resource(self) -> type[Resource] | None:
        """The kind of resource that the check is about; None for an argument that is no resource."""
        return kind_named(self.kind)


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
        resource = kind_named(kind)
        doc = inspect.getdoc(function) or function.__name__
        function.__check__ = Check(  # type: ignore[attr-defined]
            id=id,
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


def check_of(function: object) -> Check | None:
    """The Check of a test function, or None for an ordinary test."""
    found = getattr(function, "__check__", None)
    return found if isinstance(found, Check) else None


class Group(msgspec.Struct, frozen=True):
    """A group of checks, which is a pytest marker of the same name."""

    id: str
    title: str
    checks: list[str]
    number: str = ""
    run_by_default: bool = False


@functools.lru_cache(maxsize=1)
def groups() -> dict[str, Group]:
    """All groups by id, in the order of ``tests_compliance/groups.yaml``."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load((DATA / "groups.yaml").read_bytes(), Loader=loader)
    return {group.id: group for group in msgspec.convert(data, list[Group])}


@functools.lru_cache(maxsize=1)
def groups_by_check() -> dict[str, list[str]]:
    """Check id -> ids of its groups."""
    by_check: dict[str, list[str]] = {}
    for group in groups().values():
        for id in group.checks:
            by_check.setdefault(id, []).append(group.id)
    return by_check


@functools.lru_cache(maxsize=1)
def aliases() -> dict[str, str]:
    """Other accepted id -> check id."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load((DATA / "aliases.yaml").read_bytes(), Loader=loader)
    return {alias: id for id, others in msgspec.convert(data, dict[str, list[str]]).items() for alias in others}


def run_by_default(check_id: str) -> bool:
    """Whether ``pytest`` with no selection runs the check: in a default group, or in no group at all (own checks)."""
    member_of = groups_by_check().get(check_id)
    return member_of is None or any(groups()[id].run_by_default for id in member_of)
