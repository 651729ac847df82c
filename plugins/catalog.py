"""``@check``: what turns a test function into a check, and the groups that checks belong to."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from fixtures.resource import Resource, kind_named

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

DATA = Path(__file__).resolve().parent.parent / "tests_compliance"


def at_least(severity: str | None) -> tuple[Severity, ...]:
    """The severities of this one and above; all of them without one."""
    return SEVERITIES[: [*SEVERITIES].index(severity) + 1] if severity else SEVERITIES  # type: ignore[arg-type]


F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


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

    @functools.cached_property
    def groups(self) -> list[str]:
        """Ids of the groups that the check belongs to: by a groups file, or by a marker on the function or its module."""
        module = sys.modules.get(self.function.__module__)
        marks = [*_marks(self.function), *_marks(module)]
        listed = [*groups_by_check().get(self.id, []), *self.member_of]
        return [*listed, *dict.fromkeys(name for name in marks if name in groups() and name not in listed)]

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


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of checks, which is a pytest marker of the same name."""

    id: str
    title: str
    checks: list[str]
    number: str = ""
    run_by_default: bool = False


class CatalogError(ValueError):
    """A file of groups or of a framework cannot be used; the message names it and says why."""


def groups() -> dict[str, Group]:
    """All groups by id, in the order of ``tests_compliance/groups.yaml`` and then of the users' own files."""
    return _groups(_own_folders)


def own_groups() -> list[Group]:
    """The groups of the users' own files."""
    return [group for id, group in groups().items() if id not in _groups(())]


def groups_by_check() -> dict[str, list[str]]:
    """Check id -> ids of its groups."""
    return _groups_by_check(_own_folders)


_own_folders: tuple[Path, ...] = ()


def own_folders() -> tuple[Path, ...]:
    """The folders of users' own checks, where groups.yaml and frameworks/ may stand."""
    return _own_folders


def use_folders(folders: Iterable[Path]) -> None:
    """Use the groups of these folders besides the suite's. Raises CatalogError when a file cannot be used."""
    global _own_folders
    _own_folders = tuple(folders)
    groups()


@functools.lru_cache(maxsize=8)
def _groups(own_folders: tuple[Path, ...]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for file in (DATA / "groups.yaml", *(folder / "groups.yaml" for folder in own_folders)):
        if not file.exists():
            continue
        for group in read_yaml(file, list[Group]):
            if group.id in found:
                raise CatalogError(f"{file}: there is a group {group.id} already")
            if not re.fullmatch(r"[A-Za-z_][\w-]*", group.id):
                raise CatalogError(f"{file}: {group.id!r} cannot be the name of a pytest marker")
            found[group.id] = group
    return found


@functools.lru_cache(maxsize=8)
def _groups_by_check(own_folders: tuple[Path, ...]) -> dict[str, list[str]]:
    by_check: dict[str, list[str]] = {}
    for group in _groups(own_folders).values():
        for id in group.checks:
            by_check.setdefault(aliases().get(id, id), []).append(group.id)
    return by_check


def read_yaml(file: Path, kind: type[T]) -> T:
    """A YAML file as a value of ``kind``. Raises CatalogError naming the file (and line, where YAML is malformed)."""
    from plugins.yaml_file import YamlError, parsed

    try:
        return msgspec.convert(parsed(file.read_bytes()), kind)
    except OSError as error:
        raise CatalogError(f"{file} cannot be read: {error.strerror}") from None
    except YamlError as error:
        raise CatalogError(f"{file}{error.where}: {error}") from None
    except msgspec.ValidationError as error:
        raise CatalogError(f"{file}: {' '.join(str(error).split())}") from None


@functools.lru_cache(maxsize=1)
def aliases() -> dict[str, str]:
    """Other accepted id -> check id."""
    data = read_yaml(DATA / "aliases.yaml", dict[str, list[str]])
    return {alias: id for id, others in data.items() for alias in others}


def run_by_default(check: Check) -> bool:
    """Whether ``pytest`` with no selection runs the check: in a default group, or in no group at all (own checks)."""
    return not check.groups or any(groups()[id].run_by_default for id in check.groups)
