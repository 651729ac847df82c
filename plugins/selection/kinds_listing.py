"""The kinds of resources, after pytest's own list of fixtures (``--fixtures``): they are arguments of checks as well."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import Any

import pytest

from fixtures.kinds import KINDS, kind_named
from fixtures.model import defined_kinds


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Print them."""
    result = yield
    if config.option.showfixtures:
        print("\n".join(["", *kind_lines()]))
    return result


def kind_lines() -> list[str]:
    """One line per kind of resource: the argument that asks for it, and what it is."""
    names = sorted({*KINDS, *defined_kinds})
    found = {name: kind for name in names if (kind := kind_named(name)) is not None}
    documented = {name: (inspect.getdoc(kind) or "").partition("\n")[0] for name, kind in found.items()}
    return [
        "kinds of resources: a check or test with one of these arguments runs once for each resource",
        *(f"{name} -- {text}" for name, text in documented.items()),
    ]
