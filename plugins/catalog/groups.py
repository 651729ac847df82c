"""Groups of checks and other names of checks, from the files in tests_compliance/."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

DATA = Path(__file__).resolve().parents[2] / "tests_compliance"

T = TypeVar("T")


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
