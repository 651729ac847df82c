"""Requirements of frameworks in the place of checks, and what reports say of them. The files: catalog/framework_files.py."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from plugins.catalog.checks import SEVERITIES, Check
from plugins.catalog.files import CatalogError, own_folders
from plugins.catalog.framework_files import Framework, Requirement, check_id, frameworks
from plugins.catalog.names import is_planned

FINDING_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards"


def references_of(check: str) -> list[str]:
    """The requirements that a check supports, as reports name them: ``PCI DSS 3.2.1/1.2.1``."""
    return _references(own_folders()).get(check, [])


@functools.lru_cache(maxsize=8)
def _references(own_folders: tuple[Path, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for framework in frameworks().values():
        for one in framework.requirements:
            for id in one.checks:
                found.setdefault(id, []).append(f"{framework.name}/{one.id}")
    return found


def as_check(framework: Framework, requirement: Requirement, function: object, known: dict[str, Check]) -> Check:
    """A requirement in the place of a check: ``function`` judges it. It is as severe as its most severe check.

    ``known``: the checks of the run. A check that the catalogue has and the suite has not yet is one that is not selected:
    the requirement is not met without it. Raises CatalogError for a check that does not exist.
    """
    unknown = [id for id in requirement.checks if id not in known and not is_planned(id)]
    if unknown:
        raise CatalogError(f"framework {framework.id}, requirement {requirement.id}: unknown check {unknown[0]!r}")
    severities: Iterable[str] = {known[id].severity for id in requirement.checks if id in known} or {"informational"}
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
        framework=framework.id,
    )
