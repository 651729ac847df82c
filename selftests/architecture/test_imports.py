"""What may import what, beyond the contracts of pyproject.toml: the files of checks, and circles."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Set
from pathlib import Path

import grimp
import pytest

from selftests.architecture.sources import TESTS, imports, place, python_files, tree_of

FOR_CHECKS = (
    "fixtures.services", "fixtures.rules", "fixtures.secrets", "fixtures.model", "plugins.catalog", "plugins.compliance",
)  # fmt: skip
"""What a file of checks may import of the suite."""
TYPE_CHECKING_CIRCLES: dict[frozenset[str], str] = {}
"""The modules of a circle that annotations alone close -> why it cannot be opened."""


def is_for_checks(module: str) -> bool:
    """Whether a file of checks may import a module: pytest, the standard library, and what the suite gives checks."""
    top = module.partition(".")[0]
    given = any(module == one or module.startswith(f"{one}.") for one in FOR_CHECKS)
    return top == "pytest" or top in sys.stdlib_module_names or given


@pytest.mark.parametrize("file", python_files(*TESTS), ids=place)
def test_a_file_of_checks_imports_what_is_for_checks(file: Path) -> None:
    wrong = [
        f"{place(file, node)}: {module}" for module, _, node in imports(tree_of(file)) if not is_for_checks(module)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("fixtures.services.s3.buckets", True),
        ("fixtures.model", True),
        ("fixtures.models", False),
        ("fixtures.api.errors", False),
        ("fixtures", False),
        ("plugins.catalog", True),
        ("plugins.findings.verdict", False),
        ("selftests.conftest", False),
        ("boto3", False),
        ("datetime", True),
        (".neighbour", False),
    ],
)
def test_what_is_for_checks(module: str, allowed: bool) -> None:
    assert is_for_checks(module) is allowed


@functools.cache
def graph() -> dict[str, set[str]]:
    """Module -> the modules that it imports, wherever in its text.

    Without grimp's cache of files, which does not tell whether imports for type checkers were left out.
    """
    found = grimp.build_graph("fixtures", "plugins", cache_dir=None)
    return {module: set(found.find_modules_directly_imported_by(module)) for module in found.modules}


def circles(imported: Mapping[str, Set[str]]) -> list[frozenset[str]]:
    """The groups of modules that reach each other (Tarjan's strongly connected components), and those in themselves."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[frozenset[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in imported.get(module, ()):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            at = stack.index(module)
            group = frozenset(stack[at:])
            del stack[at:]
            if len(group) > 1 or module in imported.get(module, ()):
                found.append(group)

    for module in imported:
        if module not in number:
            visit(module)
    return found


@functools.cache
def without_annotations() -> dict[str, set[str]]:
    """The graph without the imports that only type checkers follow; those within functions are in it."""
    found = grimp.build_graph("fixtures", "plugins", exclude_type_checking_imports=True, cache_dir=None)
    return {module: set(found.find_modules_directly_imported_by(module)) for module in found.modules}


def test_there_is_no_circle_of_imports_at_run_time() -> None:
    assert circles(without_annotations()) == []


def test_circles_that_annotations_close_are_documented() -> None:
    found = set(circles(graph())) - set(circles(without_annotations()))
    assert found == set(TYPE_CHECKING_CIRCLES)


def test_the_graph_tells_imports_within_functions_from_those_for_type_checkers() -> None:
    assert "plugins.demo.launcher" in without_annotations()["plugins.audit.run"]
    assert "fixtures.api.rate" in graph()["fixtures.api.retries"]
    assert "fixtures.api.rate" not in without_annotations()["fixtures.api.retries"]


@pytest.mark.parametrize(
    ("imported", "groups"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [{"a", "b"}]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}, [{"a", "b", "c"}]),
        ({"a": {"a"}}, [{"a"}]),
        ({"a": {"b"}, "b": {"a"}, "c": {"d", "a"}, "d": {"c"}}, [{"a", "b"}, {"c", "d"}]),
    ],
)
def test_circles(imported: dict[str, set[str]], groups: list[set[str]]) -> None:
    assert sorted(map(sorted, circles(imported))) == sorted(map(sorted, groups))
