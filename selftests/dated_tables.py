"""The module-level tables of the suite, read from its source: where they stand, and the days that are in them."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTICE = timedelta(days=60)
MERELY_TOLD = ("block_create", "block_update")
"""Days that a check's message names but that no verdict depends on."""

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_DAY = re.compile(r"(19|20)\d\d-\d\d-\d\d")

Tables = Mapping[str, ast.expr]
"""Name -> value of the public constants of a module."""


def constants(text: str) -> Tables:
    """The public constants that the source of a module assigns."""
    found: dict[str, ast.expr] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        names = [one.id for one in targets if isinstance(one, ast.Name) and _CONSTANT.fullmatch(one.id)]
        found.update({name: node.value for name in names if node.value})
    return found


def modules(folders: Iterable[str] = ("fixtures", "tests_cis", "tests_extras")) -> dict[Path, Tables]:
    """Module -> its constants, of the folders that have rules."""
    return {file: constants(file.read_text()) for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))}


def has_days(value: ast.expr) -> bool:
    """Whether a constant is a collection with days in it: ``date(…)``, or texts such as 2026-08-22."""
    if not isinstance(value, ast.Dict | ast.Tuple | ast.List):
        return False
    nodes = list(ast.walk(value))
    texts = [node for node in nodes if isinstance(node, ast.Constant) and _DAY.fullmatch(str(node.value))]
    return bool(texts) or any(
        isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "date" for node in nodes
    )


def loaded(file: Path, name: str) -> Any:
    """The value of a constant of a module."""
    return getattr(importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)), name)


def days(value: object) -> Iterator[tuple[str, date]]:
    """The days in nested collections on which a verdict changes, each with the keys that lead to it."""
    if isinstance(value, date):
        yield "", value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if key not in MERELY_TOLD:
                yield from ((f"{key} {rest}".strip(), day) for rest, day in days(one))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from days(one)


def due(value: object, as_of: date, today: date) -> list[str]:
    """The entries of a table that have to be looked up again: AWS moves such days.

    They change a verdict within 60 days, or did already, and the table is older than the beginning of these 60 days.
    """
    return [f"{name} on {day}" for name, day in days(value) if as_of < day - NOTICE <= today]
