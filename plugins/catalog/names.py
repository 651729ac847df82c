"""Names of checks: ids, their other names from tests_compliance/aliases.yaml, and patterns over both."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from plugins.catalog.files import DATA, read_yaml

WILDCARDS = frozenset("*?[")


@functools.lru_cache(maxsize=1)
def _by_id() -> dict[str, list[str]]:
    return read_yaml(DATA / "aliases.yaml", dict[str, list[str]])


@functools.lru_cache(maxsize=1)
def _by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, names in _by_id().items():
        for name in names:
            found.setdefault(name, []).append(id)
    return found


def other_names(id: str) -> list[str]:
    """The other names of a check."""
    return _by_id().get(id, [])


def is_planned(id: str) -> bool:
    """Whether the catalogue knows a check of this id, be it in the suite yet or not."""
    return id in _by_id()


def ids_of(name: str) -> list[str]:
    """The ids that a name stands for, be they in the suite or not: of another name all, else the name itself."""
    return _by_name().get(name) or [name]


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern (``s3_*``, ``ec2_instance_port_*``) as of ``fnmatch``."""
    return not WILDCARDS.isdisjoint(name)


def patterns_like(pattern: str, names: Iterable[str]) -> list[str]:
    """Patterns that match something and begin as long as a pattern that matches nothing: ``s3_*`` for ``s4_*``."""
    length = min(pattern.index(one) for one in WILDCARDS if one in pattern)
    return sorted({f"{name[:length]}*" for name in names})


def matching(name: str, known: Collection[str]) -> list[str]:
    """Those of the ``known`` ids that an id, another name or a pattern means; none of a name that means nothing.

    An id goes before another name. What a name stands for besides and is not known, such as a check that the suite has
    not got yet, is left out.
    """
    if name in known:
        return [name]
    if is_pattern(name):
        return [id for id in known if any(fnmatchcase(one, name) for one in (id, *other_names(id)))]
    return [id for id in ids_of(name) if id in known]


def names_of(known: Collection[str]) -> list[str]:
    """All names that mean one of the known ids."""
    return [*known, *(name for name, ids in _by_name().items() if any(id in known for id in ids))]
