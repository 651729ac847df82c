"""The size of modules, and the captions of wings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.architecture.sources import place, python_files, tree_of

LONGEST = 400
LONGEST_SERVICE = 350
"""A module of this length in services/ becomes a package."""
LONGER: dict[str, str] = {}
"""Modules of more lines -> why."""
MODULES = python_files("fixtures", "plugins")


@pytest.mark.parametrize("file", MODULES, ids=place)
def test_a_module_says_what_it_is_and_is_not_too_long(file: Path) -> None:
    assert ast.get_docstring(tree_of(file)), "no docstring"
    lines = len(file.read_text().splitlines())
    longest = LONGEST_SERVICE if file.parent == ROOT / "fixtures" / "services" else LONGEST
    assert (lines > longest) == (place(file) in LONGER), f"{lines} lines of at most {longest}"


def test_every_wing_has_a_caption() -> None:
    folders = {file.parent for file in MODULES}
    assert [place(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
    for folder in folders:
        caption = ast.get_docstring(tree_of(folder / "__init__.py")) or ""
        assert caption.partition("\n")[0].endswith("."), folder
