"""Frameworks: requirements of a standard and the checks that support them, one YAML file per framework.

``tests_compliance/frameworks/*.yaml``, and ``frameworks/*.yaml`` in the folders of users' own checks::

    id: house-rules
    name: House rules                  # short, for reports
    title: Cloud rules of our company
    source: https://intranet/cloud     # where its text stands
    groups: [house]                    # the groups whose selection (-m, --group) rolls it up
    requirements:
    - id: '1.2'
      title: Buckets are private
      checks: [extra73, extra771]
      groups: [house, house-strict]    # optional, in place of the framework's
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from plugins.catalog.checks import SEVERITIES, Check
from plugins.catalog.groups import DATA, CatalogError, aliases, groups, own_folders, read_yaml

FINDING_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards"


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One control of a framework and the checks that support it."""

    id: str
    title: str
    checks: list[str]
    groups: list[str] = []


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A standard, as far as checks support it."""

    id: str
    name: str
    title: str
    source: str
    groups: list[str]
    requirements: list[Requirement]


def frameworks() -> dict[str, Framework]:
    """All frameworks by id. Raises CatalogError when a file cannot be used."""
    return _frameworks(own_folders())


@functools.lru_cache(maxsize=8)
def _frameworks(own_folders: tuple[Path, ...]) -> dict[str, Framework]:
    found: dict[str, Framework] = {}
    for folder in (DATA, *own_folders):
        for file in sorted((folder / "frameworks").glob("*.yaml")):
            framework = _resolved(read_yaml(file, Framework))
            _refuse_mistakes(framework, file)
            if framework.id in found:
                raise CatalogError(f"{file}: there is a framework {framework.id} already")
            found[framework.id] = framework
    return found


def _resolved(framework: Framework) -> Framework:
    """With ids in place of aliases, and the framework's groups where a requirement has none of its own."""
    requirements = [
        msgspec.structs.replace(
            one, checks=[aliases().get(id, id) for id in one.checks], groups=one.groups or framework.groups
        )
        for one in framework.requirements
    ]
    return msgspec.structs.replace(framework, requirements=requirements)


def _refuse_mistakes(framework: Framework, file: Path) -> None:
    if not re.fullmatch(r"[a-z0-9-]+", framework.id):
        raise CatalogError(f"{file}: the id {framework.id!r} may have lower-case letters, digits and hyphens only")
    for one in framework.requirements:
        if not one.checks:
            raise CatalogError(f"{file}: requirement {one.id} has no checks")
        unknown = [name for name in one.groups if name not in groups()]
        if unknown:
            raise CatalogError(f"{file}: requirement {one.id}: unknown group {unknown[0]!r}")
    ids = [check_id(framework, one) for one in framework.requirements]
    double = next((one for one, id in zip(framework.requirements, ids, strict=True) if ids.count(id) > 1), None)
    if double is not None:
        raise CatalogError(f"{file}: requirement {double.id} is there twice")


def check_id(framework: Framework, requirement: Requirement) -> str:
    """The id under which findings name a requirement: ``hipaa-164-312-a-2-iv``."""
    return f"{framework.id}-{re.sub(r'[^a-z0-9]+', '-', requirement.id.lower()).strip('-')}"


def references_of(check: str) -> list[str]:
    """The requirements that a check supports, as reports name them: ``PCI DSS 3.2.1/1.2.1``."""
    return _references(own_folders()).get(check, [])


@functools.lru_cache(maxsize=8)
def _references(own_folders: tuple[Path, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for framework in _frameworks(own_folders).values():
        for one in framework.requirements:
            for id in one.checks:
                found.setdefault(id, []).append(f"{framework.name}/{one.id}")
    return found


def as_check(framework: Framework, requirement: Requirement, function: object, known: dict[str, Check]) -> Check:
    """A requirement in the place of a check: ``function`` judges it. It is as severe as its most severe check.

    ``known``: the checks of the run. Raises CatalogError for a check that does not exist.
    """
    unknown = [id for id in requirement.checks if id not in known]
    if unknown:
        raise CatalogError(f"framework {framework.id}, requirement {requirement.id}: unknown check {unknown[0]!r}")
    severities: Iterable[str] = {known[id].severity for id in requirement.checks}
    return Check(
        id=check_id(framework, requirement),
        number=requirement.id,
        title=f"{framework.name} {requirement.id}: {requirement.title}",
        severity=next(severity for severity in SEVERITIES if severity in severities),
        service="compliance",
        resource_type="AwsAccount",
        remediation=f"Resolve the findings of {', '.join(requirement.checks)} in this account.",
        url=framework.source,
        command="",
        level="Extra",
        scored=False,
        finding_type=f"{FINDING_TYPE}/{framework.name}",
        kind="requirement",
        settings={},
        function=function,  # type: ignore[arg-type]
        member_of=tuple(requirement.groups),
    )
