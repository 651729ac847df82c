"""The files of ``permissions/api/``: what the suite's calls took and answered when it was last reviewed.

One file for each service, in alphabetical order. What does not fit into a line is divided by how the names begin, so
that a new name changes one line.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import msgspec

from permissions.api_model import Api
from plugins.yaml_file import YamlError, parsed

FOLDER = Path(__file__).resolve().parent / "api"
HEADER = "# Reviewed members and enum values. Written by python -m permissions.api_changes --update.\n"
WIDTH = 118

T = TypeVar("T")


class SnapshotError(ValueError):
    """A file that cannot be used, and why, in one line."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    operations: list[str]
    structures: dict[str, list[str]] = {}
    enums: dict[str, list[str]] = {}


def load(folder: Path = FOLDER) -> dict[str, Api]:
    """Service -> what is reviewed of it. Raises SnapshotError."""
    return {file.stem: _api(read_file(file, _File)) for file in sorted(folder.glob("*.yaml"))}


def read_file(file: Path, kind: type[T]) -> T:
    """A YAML file as a value of ``kind``. Raises SnapshotError."""
    try:
        return msgspec.convert(parsed(file.read_bytes()), kind)
    except OSError as error:
        raise SnapshotError(f"{file} cannot be read: {error.strerror}") from None
    except YamlError as error:
        raise SnapshotError(f"{file}{error.where}: {error}") from None
    except msgspec.ValidationError as error:
        raise SnapshotError(f"{file}: {error}") from None


def _api(file: _File) -> Api:
    def sets(shapes: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
        return {name: frozenset(own) for name, own in shapes.items()}

    return Api(frozenset(file.operations), sets(file.structures), sets(file.enums))


def write(apis: Mapping[str, Api], folder: Path = FOLDER) -> list[str]:
    """Make the folder have ``apis`` and nothing else; the names of the files that were changed or removed."""
    folder.mkdir(exist_ok=True)
    wanted = {folder / f"{service}.yaml": text(api) for service, api in apis.items() if api.operations}
    stale = sorted(set(folder.glob("*.yaml")) - wanted.keys())
    changed = [file for file, new in sorted(wanted.items()) if not file.exists() or file.read_text() != new]
    for file in stale:
        file.unlink()
    for file in changed:
        file.write_text(wanted[file])
    return [file.name for file in (*changed, *stale)]


def text(api: Api) -> str:
    """The text of a service's file."""
    lines = _list("operations", api.operations)
    for title, shapes in (("structures", api.structures), ("enums", api.enums)):
        if shapes:
            lines += [f"{title}:", *(line for name in sorted(shapes) for line in _list(f"  {name}", shapes[name]))]
    return HEADER + "\n".join(lines) + "\n"


def _list(key: str, names: Iterable[str]) -> list[str]:
    ordered = sorted(names)
    line = f"{key}: [{', '.join(map(plain, ordered))}]"
    if len(line) <= WIDTH:
        return [line]
    return [f"{key}: [", *(f"    {', '.join(map(plain, one))}," for one in _families(ordered)), "    ]"]


def _families(ordered: list[str]) -> list[list[str]]:
    """Sorted names in lines. Those that begin alike are divided first, and stay apart from others once they are."""
    if len(ordered) == 1 or _fits(ordered):
        return [ordered]
    ends = list(zip(ordered[0], ordered[-1], strict=False))
    shared = next((at for at, (one, other) in enumerate(ends) if one != other), len(ends))
    lines: list[list[str]] = []
    is_open = False
    for _, group in groupby(ordered, key=lambda name: name[: shared + 1]):
        part = list(group)
        if is_open and _fits([*lines[-1], *part]):
            lines[-1] += part
        else:
            is_open = _fits(part)
            lines += _families(part)
    return lines


def _fits(names: list[str]) -> bool:
    return sum(len(plain(name)) + 2 for name in names) <= WIDTH - 4


@functools.cache
def plain(name: str) -> str:
    """A name as YAML reads it back: quoted only where it would be something else (``no``, ``1.2``, ``*``)."""
    try:
        if parsed(f"[{name}]") == [name]:
            return name
    except YamlError:
        pass
    return msgspec.json.encode(name).decode()
