"""A run from any folder, for the command ``auditest``: what pytest does by itself in the suite's own folder alone.

pytest learns a conftest file's options after it has looked through the command line for places to test, so that it takes
the separate value of such an option (``--replay /tmp/x``) for a place. This plugin is loaded before (``-p``), and loads
those that the suite's conftest file names before pytest looks. Where no place is given, it gives the suite's.
"""

from __future__ import annotations

import copy
import os
import runpy
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORTS = "reports"

NOT_GIVEN = pytest.StashKey[bool]()
"""Whether the command line names no place to test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Keep pytest's cache in the caller's folder, whose the failures are: the suite's may be installed, or of somebody else."""
    parser.addini("cache_dir", "where pytest keeps its cache", default=os.path.abspath(".pytest_cache"))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Load the suite before pytest looks for other conftest files. Raises pytest.UsageError."""
    parser.prog = "auditest"
    for name in runpy.run_path(str(ROOT / "conftest.py"))["pytest_plugins"]:
        early_config.pluginmanager.import_plugin(name)
    paths = parser.parse_known_args(args, copy.copy(early_config.option)).file_or_dir
    early_config.stash[NOT_GIVEN] = not paths
    if not paths:
        # in front: an option at the end of the line may take any number of values
        args[:0] = [str(early_config.rootpath / path) for path in early_config.getini("testpaths")]
    # without this, the conftest file of the caller's folder would be loaded, whatever that is one of
    early_config.known_args_namespace.file_or_dir = [str(ROOT), *paths]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Before anybody reads the options: reports go to the caller's folder, node ids are those of the reports, too."""
    if config.stash[NOT_GIVEN]:
        config.args_source = pytest.Config.ArgsSource.TESTPATHS
    config.args[:] = [_found(argument, config) for argument in config.args]
    if config.option.output_directory is None and not config.getini("output_directory"):
        config.option.output_directory = REPORTS
    return (yield)


def _found(argument: str, config: pytest.Config) -> str:
    """A test path or node id that is not below the caller's folder, below the suite's if it is there."""
    path = argument.partition("::")[0]
    is_own = (config.rootpath / path).exists() and not (config.invocation_params.dir / path).exists()
    return os.path.join(config.rootpath, argument) if is_own else argument
