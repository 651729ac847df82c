"""Reads the options (values.py), and judges everything about them that can be judged before AWS is asked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.catalog.files import DATA, CatalogError
from plugins.catalog.groups import use_folders
from plugins.options.account_options import is_role, refuse_contradictions
from plugins.options.accounts_file import read_accounts
from plugins.options.clashes import refuse_clashes
from plugins.options.values import OPTIONS, Options


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare every option, and a setting of the same name in the configuration file. Raises pytest.UsageError."""
    refuse_clashes(parser, pluginmanager)
    for option in OPTIONS.values():
        option.add_to(parser)


def read(config: pytest.Config) -> Options:
    """The validated options. Raises pytest.UsageError with one line that says what to do."""
    values = {name: option.read(config) for name, option in OPTIONS.items()}
    options = _completed(Options(**values))
    _use_own_groups(config, options.checks_dirs)
    for name, option in OPTIONS.items():
        option.refuse_unknown(values[name])
    _refuse_contradictions(options)
    return options


def _completed(options: Options) -> Options:
    """With what follows from single options."""
    listing = options.accounts_file
    return replace(
        options,
        listed_accounts=read_accounts(listing, is_role) if listing else [],
        organization=options.organization or bool(options.organization_units),
    )


def _use_own_groups(config: pytest.Config, checks_dirs: Iterable[Path]) -> None:
    """Read the groups of the folders that the user's own checks are in."""
    folders = dict.fromkeys(folder.resolve() for folder in (*checks_dirs, *map(Path, config.args)) if folder.is_dir())
    folders.pop(DATA, None)
    try:
        use_folders(folders)
    except CatalogError as error:
        raise pytest.UsageError(str(error)) from None


def _refuse_contradictions(options: Options) -> None:
    if options.record is not None:
        _refuse_place(options.record)
    refuse_contradictions(options)
    if options.record and options.replay:
        raise pytest.UsageError("--record and --replay exclude each other")
    if options.active_probes and options.replay:
        raise pytest.UsageError("--active-probes opens connections, which --replay never does: leave one of them out")
    if options.security_hub and options.replay:
        raise pytest.UsageError("--security-hub imports into a live account, which --replay has none of")
    if options.security_hub_only_fails and not options.security_hub:
        raise pytest.UsageError("--security-hub-only-fails needs --security-hub")
    if options.demo and options.replay:
        raise pytest.UsageError("--demo audits its own sample organization: leave --replay out")
    for folder in options.checks_dirs:
        if not folder.is_dir():
            raise pytest.UsageError(f"--checks-dir: {folder} is not a folder")


def _refuse_place(record: Path) -> None:
    """Raise pytest.UsageError where no recording can be written, before the calls that it would be of are made."""
    if record.is_dir():
        raise pytest.UsageError(f"--record: {record} is a folder: give the name of a file")
    if not record.parent.is_dir():
        raise pytest.UsageError(f"--record: {record.parent} is no folder")
    if not os.access(record.parent, os.W_OK | os.X_OK):
        raise pytest.UsageError(f"--record: {record.parent} is not writable")


def require_output_directory(options: Options) -> None:
    """Make the output directory. Raises pytest.UsageError when it cannot be written."""
    try:
        options.output_directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--output-directory: {options.output_directory}: {error.strerror}") from None
    if not os.access(options.output_directory, os.W_OK | os.X_OK):
        raise pytest.UsageError(f"--output-directory: {options.output_directory} is not writable")


KEY = pytest.StashKey[Options]()


def options_of(config: pytest.Config) -> Options:
    """The options, read and validated once."""
    found = config.stash.get(KEY, None)
    if found is None:
        found = config.stash[KEY] = read(config)
    return found
