"""The catalogue's YAML files: the suite's own in tests_compliance/, and those in the folders of users' own checks."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

DATA = Path(__file__).resolve().parents[2] / "tests_compliance"

T = TypeVar("T")


class CatalogError(ValueError):
    """A file of groups or of a framework cannot be used; the message names it and says why."""


_own_folders: tuple[Path, ...] = ()


def own_folders() -> tuple[Path, ...]:
    """The folders of users' own checks, where groups.yaml and frameworks/ may stand."""
    return _own_folders


def set_own_folders(folders: Iterable[Path]) -> None:
    """Read the files of these folders besides the suite's."""
    global _own_folders
    _own_folders = tuple(folders)


def read_yaml(file: Path, kind: type[T]) -> T:
    """A YAML file as a value of ``kind``. Raises CatalogError naming the file (and line, where YAML is malformed).

    What the suite's own files say is kept beside Python's compiled modules: parsing all of them takes half a second.
    """
    from plugins.yaml_file import YamlError, parsed

    try:
        content = file.read_bytes()
        kept = _Kept(file, content) if file.is_relative_to(DATA) else None
        value = kept.read(kind) if kept is not None else None
        if value is None:
            value = msgspec.convert(parsed(content, trusted=kept is not None), kind)
            if kept is not None:
                kept.write(value)
    except OSError as error:
        raise CatalogError(f"{file} cannot be read: {error.strerror}") from None
    except YamlError as error:
        raise CatalogError(f"{file}{error.where}: {error}") from None
    except msgspec.ValidationError as error:
        raise CatalogError(f"{file}: {' '.join(str(error).split())}") from None
    return value


class _Kept:
    """The value of a file in a quicker form, in the folder where Python would keep a compiled module of its name.

    It begins with the digest of the file's content; when that is another one, or there is none, the file itself is read.
    """

    def __init__(self, file: Path, content: bytes) -> None:
        self._digest = hashlib.sha256(content).digest()
        try:
            compiled = importlib.util.cache_from_source(str(file.with_suffix(".py")))
        except NotImplementedError:  # this Python keeps none
            self._path = None
        else:
            self._path = Path(compiled).with_suffix(".msgpack")

    def read(self, kind: type[T]) -> T | None:
        """The value; None when it is not kept, or is no ``kind``."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            content = self._path.read_bytes() if self._path is not None else b""
            if content.startswith(self._digest):
                return msgspec.msgpack.decode(content[len(self._digest) :], type=kind)
        return None

    def write(self, value: object) -> None:
        """Keep the value, where Python may keep compiled modules."""
        if self._path is None or sys.dont_write_bytecode:
            return
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a folder that cannot be written
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(self._digest + msgspec.msgpack.encode(value))
            part.replace(self._path)
