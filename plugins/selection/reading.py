"""Reads the test files of a run: which checks there are, importing with ``--check`` only the files that are wanted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from plugins.catalog.checks import Check, check_of
from plugins.selection.check_files import ids_in
from plugins.selection.mistakes import refuse_unknown_severity
from plugins.selection.test_functions import TestFunction, files_of, functions_in


@dataclass
class Suite:
    """The test files that some paths reach, as far as they have been read."""

    session: pytest.Session
    files: Mapping[Path, set[str] | None]
    functions: dict[Path, list[TestFunction]] = field(default_factory=dict)
    """File -> its test functions, of the files that were imported."""

    @classmethod
    def at(cls, session: pytest.Session, arguments: Iterable[str]) -> Suite:
        """The files that paths and node ids reach, none read yet."""
        return cls(session, files_of(session.config, arguments))

    def read(self, wanted: Container[str]) -> None:
        """Import the files that have one of the checks, or of which that cannot be told."""
        for file in self.unread:
            ids = ids_in(file)
            if ids is None or any(id in wanted for id in ids):
                self._import(file)

    def read_all(self) -> None:
        """Import all files."""
        for file in self.unread:
            self._import(file)

    def _import(self, file: Path) -> None:
        self.functions[file] = list(functions_in(self.session, file, self.files[file]))

    @property
    def found(self) -> list[TestFunction]:
        """The test functions that were read, in the files' order."""
        return [one for file in self.files for one in self.functions.get(file, ())]

    @property
    def checks(self) -> dict[str, Check]:
        """The checks that were read, by id. Raises pytest.UsageError when two have the same, and for mistakes."""
        known: dict[str, Check] = {}
        for one in self.found:
            check = check_of(one.function)
            if check is not None:
                refuse_unknown_severity(check, one.nodeid)
                other = known.setdefault(check.id, check)
                if other.function.__qualname__ != check.function.__qualname__:
                    raise pytest.UsageError(
                        f"two checks have the id {check.id}: {other.function.__qualname__}, {one.name}"
                    )
        return known

    @property
    def unread(self) -> list[Path]:
        """The files that were left unread."""
        return [file for file in self.files if file not in self.functions]

    @property
    def ids(self) -> list[str]:
        """The ids of all checks: of files that need not be imported to tell them, what their text says."""
        self.read(())
        told = (id for file in self.unread for id in ids_in(file) or ())
        return [*dict.fromkeys([*self.checks, *told])]
