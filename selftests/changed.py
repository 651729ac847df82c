"""The self-tests of what changed since main: ``python -m selftests.changed`` prints their files, one a line.

The test files of a changed file are, as its source tells without importing it:

- itself, if it is a test file;
- those that import the nearest: what imports it, else what imports that, and so on;
- for a module of checks, those that name one of its check ids; for a resource, those of the checks that ask for it;
- for any other file, those that name it, else those that name its folder.

A test file that starts whole runs counts only if it changed itself or bears the name of what changed, or if few others
import what changed: ``make selftest`` has them all.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent.parent
TESTS = "selftests"
RUNS = "subprocess"
"""What imports it starts runs, or helps to."""
FEW = 3
"""More test files with whole runs than that take too long for a quick look."""


@dataclass(frozen=True)
class Module:
    """What the source of a Python file says."""

    path: str
    imports: frozenset[str] = frozenset()
    """The dotted names that it may import: of modules, and of what is in them."""
    texts: frozenset[str] = frozenset()
    """Its short strings."""
    check_ids: frozenset[str] = frozenset()
    fixtures: frozenset[str] = frozenset()
    asks_for: frozenset[str] = frozenset()
    """The arguments of its functions: a check asks so for a resource, a test for a fixture."""
    resources: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its dotted name."""
        return dotted(self.path)

    @property
    def is_test(self) -> bool:
        """Whether pytest finds self-tests in it."""
        return _is_of_tests(self.path) and PurePath(self.path).name.startswith("test_")


def dotted(path: str) -> str:
    """The dotted name of a module's path."""
    parts = PurePath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_of_tests(path: str) -> bool:
    return PurePath(path).parts[0] == TESTS


@dataclass
class _Reader(ast.NodeVisitor):
    package: list[str]
    imports: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    check_ids: set[str] = field(default_factory=set)
    fixtures: set[str] = field(default_factory=set)
    asks_for: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports |= {one.name for one in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        above = self.package[: len(self.package) - node.level + 1] if node.level else []
        source = ".".join([*above, *([node.module] if node.module else [])])
        self.imports |= {source, *(f"{source}.{one.name}" for one in node.names)}

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) < 200:
            self.texts.add(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.asks_for |= {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
        for decorator in node.decorator_list:
            if _named(decorator) == "fixture":
                self.fixtures.add(node.name)
            if isinstance(decorator, ast.Call) and _named(decorator) == "check" and decorator.args:
                self.check_ids |= _text(decorator.args[0])
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for keyword in node.keywords:
            if keyword.arg == "name":
                self.resources |= _text(keyword.value)
        self.generic_visit(node)


def _named(decorator: ast.expr) -> str:
    """The last part of a decorator's name: ``pytest.fixture(scope="module")`` is a fixture."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def read_module(path: str, source: str) -> Module:
    """Read one file; one with a mistake in it says nothing."""
    reader = _Reader(dotted(path).split(".")[: None if path.endswith("__init__.py") else -1])
    try:
        reader.visit(ast.parse(source))
    except SyntaxError:
        return Module(path)
    return Module(
        path, frozenset(reader.imports), frozenset(reader.texts), frozenset(reader.check_ids),
        frozenset(reader.fixtures), frozenset(reader.asks_for), frozenset(reader.resources),
    )  # fmt: skip


class Tree:
    """All modules of the project by path, and who needs whom."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {module.path: module for module in modules}

    @cached_property
    def needs(self) -> Mapping[str, set[str]]:
        """The paths that each path imports; a module that is named in a string (a plugin, a program to start) counts."""
        paths = {module.name: path for path, module in self.modules.items()}
        return {
            path: {paths[name] for name in module.imports | module.texts if name in paths} - {path}
            for path, module in self.modules.items()
        }

    @cached_property
    def needed_by(self) -> Mapping[str, set[str]]:
        """The paths that import each path."""
        found: dict[str, set[str]] = {path: set() for path in self.modules}
        for path, needed in self.needs.items():
            for one in needed:
                found[one].add(path)
        return found

    @cached_property
    def starts_runs(self) -> set[str]:
        """Paths of test files that start whole runs: by themselves, or with a helper or its fixtures."""
        starting = {path: one for path, one in self.modules.items() if RUNS in one.imports and _is_of_tests(path)}
        helpers = {path: one for path, one in starting.items() if not one.is_test}
        fixtures = {name for one in helpers.values() for name in one.fixtures}
        return {
            path
            for path, one in self.modules.items()
            if one.is_test and (path in starting or self.needs[path] & helpers.keys() or one.asks_for & fixtures)
        }

    def tests_of(self, path: str) -> set[str]:
        """The test files of one changed file, see the head of the module."""
        module = self.modules.get(path)
        if module is None:
            return self._without_many_runs(path, self._that_name(path))
        if module.is_test:
            return {path}
        checks = set(module.check_ids)
        for asking in self.modules.values():
            if asking.check_ids and asking.asks_for & module.resources:
                checks |= asking.check_ids
        tests = self._without_many_runs(path, self._nearest(path)) | (self._that_say(checks) - self.starts_runs)
        return tests or self._without_many_runs(path, self._that_name(path))

    def _without_many_runs(self, path: str, tests: set[str]) -> set[str]:
        runs = tests & self.starts_runs
        if len(runs) <= FEW:
            return tests
        return tests - {one for one in runs if PurePath(one).stem != f"test_{PurePath(path).stem}"}

    def _nearest(self, path: str) -> set[str]:
        seen, ring = {path}, {path}
        while ring:
            ring = {user for one in ring for user in self.needed_by[one]} - seen
            seen |= ring
            if found := {one for one in ring if self.modules[one].is_test}:
                return found
        return set()

    def _that_name(self, path: str) -> set[str]:
        folder = PurePath(path).parent
        return self._that_say({path, PurePath(path).name}) or self._that_say({str(folder), folder.name})

    def _that_say(self, texts: set[str]) -> set[str]:
        return {path for path, module in self.modules.items() if module.is_test and module.texts & texts}


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def changed_since(branch: str) -> list[str]:
    """Paths that differ from where the work left the branch, with what is not committed or not yet known to git."""
    [start] = _git("merge-base", branch, "HEAD")
    return sorted({*_git("diff", "--name-only", start), *_git("ls-files", "--others", "--exclude-standard")})


def read_tree() -> Tree:
    """All Python files that git knows, and new ones."""
    paths = _git("ls-files", "--cached", "--others", "--exclude-standard", "*.py")
    return Tree(read_module(path, (ROOT / path).read_text()) for path in paths if (ROOT / path).exists())


def main(arguments: list[str]) -> Iterator[str]:
    """The lines to print."""
    parser = argparse.ArgumentParser(
        prog="python -m selftests.changed", description="Print the self-tests of what changed."
    )
    parser.add_argument("--since", default="main", metavar="BRANCH")
    given = parser.parse_args(arguments)
    tree = read_tree()
    yield from sorted({test for path in changed_since(given.since) for test in tree.tests_of(path)})


if __name__ == "__main__":
    for line in main(sys.argv[1:]):
        print(line)
