"""The self-tests mirror what they test: who looks for the tests of a module finds them at its own path."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.architecture.sources import TESTS, place, python_files

SELFTESTS = ROOT / "selftests"
WINGS = [file for file in python_files("selftests/fixtures", "selftests/plugins") if file.name.startswith("test_")]
OF_CHECKS = [file for file in python_files("selftests/checks") if file.name.startswith("test_")]

ACROSS = {"test_errors": "every check of the CIS benchmark, with one permission less or one call that fails"}
"""Self-tests in checks/ of no one service -> what they are about."""
OTHER_NAMES = {"test_search_probes": "opensearch, ec2.search_ports"}
"""Self-tests in checks/ -> the modules that they are about, where the names differ."""


def begins_with(name: str, module: str) -> bool:
    """Whether a test file's name is a module's, perhaps with words behind it."""
    return name == module or name.startswith(f"{module}_")


def modules_in(folder: Path) -> list[str]:
    """The names of the modules and packages of a folder."""
    files = [file.stem for file in folder.glob("*.py") if file.stem != "__init__"]
    return files + [package.parent.name for package in folder.glob("*/__init__.py")]


@pytest.mark.parametrize("file", WINGS, ids=place)
def test_a_test_file_stands_where_its_module_does(file: Path) -> None:
    folder = ROOT / file.parent.relative_to(SELFTESTS)
    name = file.stem.removeprefix("test_")
    assert any(begins_with(name, module) for module in modules_in(folder)), f"{folder} has no module of that name"


def names_of_checks() -> set[str]:
    """What self-tests of checks may be called after: a service, a module of its package, or a file of checks.

    ``tests_cis/test_2_logging.py`` is tested by ``test_cis_2_logging*.py``.
    """
    services = ROOT / "fixtures" / "services"
    found = {module.rstrip("_") for module in modules_in(services)}
    found |= {module for package in services.glob("*/__init__.py") for module in modules_in(package.parent)}
    for file in python_files(*TESTS):
        found.add(("cis_" if file.parent.name == "tests_cis" else "") + file.stem.removeprefix("test_"))
    return found


@pytest.mark.parametrize("file", OF_CHECKS, ids=place)
def test_a_self_test_of_checks_is_called_after_a_service_or_a_file_of_checks(file: Path) -> None:
    if file.stem in ACROSS or file.stem in OTHER_NAMES:
        return
    name = file.stem.removeprefix("test_")
    assert any(begins_with(name, known) for known in names_of_checks())


def test_every_exception_is_there_and_needed() -> None:
    stems = {file.stem for file in OF_CHECKS}
    assert ACROSS.keys() | OTHER_NAMES.keys() <= stems
    known = names_of_checks()
    needless = [stem for stem in ACROSS.keys() | OTHER_NAMES.keys() if stem.removeprefix("test_") in known]
    assert needless == []
