"""The sources of the suite, parsed."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from plugins.suite import ROOT

TESTS = ("tests_cis", "tests_extras", "tests_compliance")


def python_files(*folders: str) -> list[Path]:
    """All Python files below folders of the project, sorted."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


@functools.cache
def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(), str(file))


def place(file: Path, node: ast.AST | None = None) -> str:
    """``path:line``, seen from the project's root."""
    line = getattr(node, "lineno", None)
    return f"{file.relative_to(ROOT)}{f':{line}' if line else ''}"


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of the nodes that are texts for people: a text that stands alone as a statement."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def texts(file: Path) -> Iterator[tuple[str, ast.Constant]]:
    """The string constants of a file, but for docstrings."""
    tree = tree_of(file)
    left_out = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value, node


def imports(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...], ast.AST]]:
    """What a file imports at any depth: the module, the names that are taken from it, the statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), tuple(alias.name for alias in node.names), node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, (), node
