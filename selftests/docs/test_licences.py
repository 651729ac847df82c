"""docs/supply-chain.md lists what is locked."""

from __future__ import annotations

from docs.licences import LOCK, PAGE, licence, listed, locked, written


def test_the_list_has_every_locked_dependency_in_its_version() -> None:
    assert list(listed(PAGE.read_text())) == [f"{one.name} {one.version}" for one in locked(LOCK.read_text())]


def test_every_requirement_of_the_lock_file_is_understood() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if line and line[0] not in " #"]
    assert len(locked(LOCK.read_text())) == len(lines)


def test_the_list_says_what_the_installed_packages_say() -> None:
    page = PAGE.read_text()
    assert written(page) == page


def test_no_licence_is_unknown() -> None:
    unknown = {name for name, said in listed(PAGE.read_text()).items() if said in ("", "see the package")}
    assert not unknown


def test_where_a_licence_stands() -> None:
    assert licence("botocore") == "Apache-2.0"  # License-Expression or the text field
    assert licence("pytest") == "MIT"
