"""Groups of checks, which are pytest markers: those of groups.yaml, and those that follow from frameworks.

A group of groups.yaml has the checks that it lists; without a list it has those of the requirements that name it, a group of
the suite's those of the suite's frameworks alone. Besides,
each framework is a group of its checks by its id, and so is each part of it that its requirements name
(``cis-5-0-level1``): what selects, and what no report need show beside the requirements themselves.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from plugins.catalog.files import DATA, CatalogError, own_folders, read_yaml, set_own_folders
from plugins.catalog.framework_files import Framework, files_of_frameworks
from plugins.catalog.names import ids_of


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of checks, which is a pytest marker of the same name."""

    id: str
    title: str
    checks: list[str] = []
    number: str = ""
    run_by_default: bool = False


def groups() -> dict[str, Group]:
    """All groups of groups files by id, in the order of ``tests_compliance/groups.yaml`` and then of the users' own."""
    return _groups(own_folders())


def framework_groups() -> dict[str, Group]:
    """The groups that frameworks are by their ids and by those of their parts, as far as no groups file has them."""
    return _framework_groups(own_folders())


def every_group() -> dict[str, Group]:
    """All groups: what -m and --group select by."""
    return {**groups(), **framework_groups()}


def own_groups() -> list[Group]:
    """The groups of the users' own files."""
    return [group for id, group in groups().items() if id not in _groups(())]


def groups_of(check: str) -> list[str]:
    """Ids of the groups of groups files that a check belongs to."""
    return _groups_by_check(own_folders()).get(check, [])


def framework_groups_of(check: str) -> list[str]:
    """Ids of the ``framework_groups`` that a check belongs to."""
    return _framework_groups_by_check(own_folders()).get(check, [])


def ids_in_groups() -> Iterable[str]:
    """Ids of all checks that a groups file or a framework names."""
    return _groups_by_check(own_folders()).keys() | _framework_groups_by_check(own_folders()).keys()


def use_folders(folders: Iterable[Path]) -> None:
    """Use the groups of these folders besides the suite's. Raises CatalogError when a file cannot be used."""
    set_own_folders(folders)
    if own_folders():  # the suite's own files are read when something asks for them
        every_group()


@functools.lru_cache(maxsize=8)
def _groups(own_folders: tuple[Path, ...]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    unlisted: dict[str, Path] = {}
    for file in (DATA / "groups.yaml", *(folder / "groups.yaml" for folder in own_folders)):
        if not file.exists():
            continue
        for group in read_yaml(file, list[Group]):
            if group.id in found:
                raise CatalogError(f"{file}: there is a group {group.id} already")
            if not re.fullmatch(r"[A-Za-z_][\w-]*", group.id):
                raise CatalogError(f"{file}: {group.id!r} cannot be the name of a pytest marker")
            found[group.id] = group
            if not group.checks:
                unlisted[group.id] = file
    for id, file in unlisted.items():
        derived = _derived(() if file.parent == DATA else own_folders).get(id)
        if derived is None:
            raise CatalogError(f"{file}: group {id} lists no checks, and no requirement of a framework names it")
        found[id] = msgspec.structs.replace(found[id], checks=list(derived))
    return found


@functools.lru_cache(maxsize=8)
def _framework_groups(own_folders: tuple[Path, ...]) -> dict[str, Group]:
    known = _groups(own_folders)
    found: dict[str, Group] = {}
    for framework, file in files_of_frameworks(own_folders):
        for one in framework.requirements:
            unknown = [name for name in one.groups if name not in known and not framework.has_group(name)]
            if unknown:
                raise CatalogError(f"{file}: requirement {one.id}: unknown group {unknown[0]!r}")
        for id, checks in _checks_by_group(framework).items():
            if framework.has_group(id) and id not in known:
                found[id] = Group(id, _title(framework, id), list(checks))
    return found


def _title(framework: Framework, group: str) -> str:
    """What a framework's group is called: ``CIS AWS 5.0, level 1``."""
    part = group.removeprefix(framework.id).strip("-").replace("-", " ")
    return f"{framework.name}, {re.sub(r'(?<=[a-z])(?=[0-9])', ' ', part)}" if part else framework.title


@functools.lru_cache(maxsize=8)
def _derived(own_folders: tuple[Path, ...]) -> dict[str, dict[str, None]]:
    """Group -> the checks of the requirements that name it, of the frameworks of the suite and these folders."""
    found: dict[str, dict[str, None]] = {}
    for framework, _ in files_of_frameworks(own_folders):
        for id, checks in _checks_by_group(framework).items():
            found.setdefault(id, {}).update(checks)
    return found


def _checks_by_group(framework: Framework) -> dict[str, dict[str, None]]:
    """Group -> the checks of the framework's requirements that name it. The framework's id has all of them."""
    found: dict[str, dict[str, None]] = {}
    for one in framework.requirements:
        for id in (framework.id, *one.groups):
            found.setdefault(id, {}).update(dict.fromkeys(one.checks))
    return found


@functools.lru_cache(maxsize=8)
def _groups_by_check(own_folders: tuple[Path, ...]) -> dict[str, list[str]]:
    return _by_check(_groups(own_folders))


@functools.lru_cache(maxsize=8)
def _framework_groups_by_check(own_folders: tuple[Path, ...]) -> dict[str, list[str]]:
    return _by_check(_framework_groups(own_folders))


def _by_check(groups: dict[str, Group]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in groups.values():
        for id in _ids(group):
            found.setdefault(id, []).append(group.id)
    return found


def _ids(group: Group) -> Iterator[str]:
    """The checks of a group, each once."""
    yield from dict.fromkeys(id for name in group.checks for id in ids_of(name))
