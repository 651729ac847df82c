"""The test functions that the command line's paths reach, read without collecting items."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import pytest

from fixtures.kinds import kinds_asked
from fixtures.model import Resource, SameKindError


@dataclass(frozen=True)
class TestFunction:
    """A test function as it stands in a module, before pytest makes items of it."""

    __test__ = False  # to pytest, which collects classes that are called Test...

    function: Callable[..., object]
    name: str
    module_name: str
    nodeid: str
    marks: frozenset[str]
    """The markers on the function and its module."""
    wanted: bool
    """False for functions that a node id on the command line leaves out."""


def kinds_of(function: Callable[..., object]) -> Iterator[type[Resource]]:
    """The kinds that a test function is run on, apart from arguments that it is parametrized with."""
    given = parametrized_names(getattr(function, "pytestmark", []))
    yield from (kind for name, kind in kinds_asked(function).items() if name not in given)


def parametrized_names(marks: Iterable[pytest.Mark]) -> set[str]:
    """The arguments that a test's own ``parametrize`` marks give values to."""
    names: set[str] = set()
    for mark in marks:
        if mark.name == "parametrize" and mark.args:
            first = mark.args[0]
            names |= {name.strip() for name in (first.split(",") if isinstance(first, str) else first)}
    return names


def files_of(config: pytest.Config, arguments: Iterable[str]) -> dict[Path, set[str] | None]:
    """The test files that paths and node ids reach -> the names of the functions that node ids ask for, None for all."""
    wanted: dict[Path, set[str] | None] = {}
    for argument in arguments:
        base, _, _ = argument.partition("[")
        path_text, *parts = base.split("::")
        path = Path(os.path.abspath(config.invocation_params.dir / path_text))
        for file in _files(config, path):
            names = wanted.get(file, set())
            wanted[file] = None if not parts or names is None else names | {parts[-1]}
    return wanted


def functions_in(session: pytest.Session, file: Path, names: set[str] | None = None) -> Iterator[TestFunction]:
    """The test functions of a file, which is imported. ``names``: those that node ids ask for, None for all."""
    module = _module(session, file)
    if module is None:
        return
    module_marks = getattr(module.obj, "pytestmark", [])
    for name, function in list(vars(module.obj).items()):
        if not (isinstance(function, FunctionType) and name.startswith("test")):
            continue
        marks = [
            *getattr(function, "pytestmark", []),
            *(module_marks if isinstance(module_marks, list) else [module_marks]),
        ]
        yield TestFunction(
            function=function,
            name=name,
            module_name=file.name,
            nodeid=f"{module.nodeid}::{name}",
            marks=frozenset(mark.name for mark in marks),
            wanted=names is None or name in names,
        )


def _files(config: pytest.Config, path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    patterns = config.getini("python_files")
    for folder, subfolders, files in os.walk(path):
        subfolders[:] = sorted(
            name for name in subfolders if not name.startswith((".", "_")) and name != "node_modules"
        )
        for name in sorted(files):
            if any(Path(name).match(pattern) for pattern in patterns):
                yield Path(folder, name)


def _module(session: pytest.Session, file: Path) -> pytest.Module | None:
    """The module of a file, imported as pytest would; None when that fails (collection will report it).

    Raises pytest.UsageError for a kind of resource whose name another one has: the checks of either could look at the other.
    """
    try:
        parent = session
        module: pytest.Module = pytest.Module.from_parent(parent, path=file)
        module.obj  # noqa: B018 - imports
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - collecting the module will raise it again
        for cause in (error, error.__cause__):
            if isinstance(cause, SameKindError):
                raise pytest.UsageError(str(cause)) from None
        return None
    return module
