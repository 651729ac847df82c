"""The suite's markers: its groups, its services, and the one of requirements. ``pytest --markers`` lists them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

import pytest

from plugins.catalog.groups import every_group
from plugins.compliance.roll_up import MARKER


def register_markers(config: pytest.Config) -> None:
    """Make every group and every service a registered marker."""
    groups = every_group()
    for group in groups.values():
        config.addinivalue_line("markers", f"{group.id}: {group.title} ({len(group.checks)} checks)")
    register_services(config, _services())
    config.addinivalue_line("markers", f"{MARKER}: requirements of frameworks, rolled up from the findings of the run")


def register_services(config: pytest.Config, services: Iterable[str]) -> None:
    """Make services registered markers, apart from those whose name is a group's. ``-m`` refuses what is no marker."""
    registered = {line.partition(":")[0] for line in config.getini("markers")} | every_group().keys()
    for service in sorted({*services} - registered):
        config.addinivalue_line("markers", f"{service}: checks of the service {service}")


def _services() -> Iterator[str]:
    """The services that the suite has a module for, as botocore calls them. Imports none."""
    package = find_spec("fixtures.services")
    for folder in (package and package.submodule_search_locations) or ():
        for name in sorted(os.listdir(folder)):
            if not name.startswith("_"):
                yield name.removesuffix(".py").rstrip("_").replace("_", "-")
