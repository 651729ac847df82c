"""Frameworks as they stand in files: requirements of a standard and the checks that support them, one YAML file each.

``tests_compliance/frameworks/*.yaml``, and ``frameworks/*.yaml`` in the folders of users' own checks::

    id: house-rules
    name: House rules                  # short, for reports
    title: Cloud rules of our company
    source: https://intranet/cloud     # where its text stands
    groups: [house]                    # the groups whose selection (-m, --group) rolls it up, besides its id
    requirements:
    - id: '1.2'
      title: Buckets are private
      checks: [extra73, extra771]
      groups: [house, house-rules-level1]   # optional, in place of the framework's
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from plugins.catalog.files import DATA, CatalogError, own_folders, read_yaml
from plugins.catalog.names import ids_of


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

    def has_group(self, name: str) -> bool:
        """Whether a group is the framework's own by its name: its id, or a part of it such as ``cis-5-0-level1``."""
        return name == self.id or name.startswith(f"{self.id}-")


def frameworks() -> dict[str, Framework]:
    """All frameworks by id. Raises CatalogError when a file cannot be used."""
    return {framework.id: framework for framework, _ in files_of_frameworks(own_folders())}


@functools.lru_cache(maxsize=8)
def files_of_frameworks(own_folders: tuple[Path, ...]) -> tuple[tuple[Framework, Path], ...]:
    """The frameworks of the suite and of these folders, each with its file. Raises CatalogError when one cannot be used."""
    found: dict[str, tuple[Framework, Path]] = {}
    for file in _files(own_folders):
        framework = _resolved(read_yaml(file, Framework))
        _refuse_mistakes(framework, file)
        if framework.id in found:
            raise CatalogError(f"{file}: there is a framework {framework.id} already")
        found[framework.id] = framework, file
    return tuple(found.values())


def _files(own_folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in (DATA, *own_folders):
        yield from sorted((folder / "frameworks").glob("*.yaml"))


def _resolved(framework: Framework) -> Framework:
    """With ids in place of other names, and the framework's groups where a requirement has none of its own."""
    requirements = [
        msgspec.structs.replace(
            one,
            checks=list(dict.fromkeys(id for name in one.checks for id in ids_of(name))),
            groups=one.groups or framework.groups,
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
    first: dict[str, Requirement] = {}
    for one in framework.requirements:
        earlier = first.setdefault(check_id(framework, one), one)
        if earlier is not one:
            raise CatalogError(f"{file}: requirement {earlier.id} is there twice")


def check_id(framework: Framework, requirement: Requirement) -> str:
    """The id under which findings name a requirement: ``hipaa-164-312-a-2-iv``."""
    return f"{framework.id}-{re.sub(r'[^a-z0-9]+', '-', requirement.id.lower()).strip('-')}"
