"""``--config FILE``: thresholds of checks, by check id, for all accounts and for single ones.

TOML or YAML::

    [check14]
    max_access_key_age_days = 60

    [accounts.123456789012.check14]
    max_access_key_age_days = 30

The names, types and defaults are the keyword-only arguments of the check functions; anything else is refused. The
environment variables BASE64_LIMIT and HEX_LIMIT set the entropy limits of the checks that look for secrets, unless the
file does.
"""

from __future__ import annotations

import os
import tomllib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugins.catalog.checks import Check
from plugins.catalog.names import is_pattern, matching, names_of
from plugins.did_you_mean import nearest
from plugins.options.accounts_file import ListedAccount
from plugins.yaml_file import YamlError, parsed

Overrides = dict[str, dict[str, Any]]

LIMITS_IN_ENVIRONMENT = {"BASE64_LIMIT": "secrets_base64_entropy_limit", "HEX_LIMIT": "secrets_hex_entropy_limit"}
HIGHEST_ENTROPY = 8.0
"""Bits per character that detect-secrets' limits may reach."""


@dataclass(frozen=True)
class Settings:
    """Overridden thresholds by check id, and by account and check id."""

    everywhere: Overrides = field(default_factory=dict)
    by_account: dict[str, Overrides] = field(default_factory=dict)

    def of(self, check_id: str, account: str) -> dict[str, Any]:
        """The thresholds of a check in an account that differ from the defaults."""
        own = self.by_account.get(account, {}).get(check_id)
        shared = self.everywhere.get(check_id, {})
        return {**shared, **own} if own else shared


def load(path: Path | None, checks: Mapping[str, Check], listed_accounts: Iterable[ListedAccount] = ()) -> Settings:
    """Read and validate the environment's limits, a configuration file, and what an accounts file adds to it.

    Raises pytest.UsageError.
    """
    limits = limits_in_environment()
    everywhere: Overrides = {
        id: known for id, check in checks.items() if (known := {k: v for k, v in limits.items() if k in check.settings})
    }
    by_account: dict[str, Overrides] = {}
    if path is not None:
        shared, by_account = _of_file(path, checks)
        everywhere = _merged(everywhere, shared)
    for one in listed_accounts:
        own = _validated(one.config, checks, one.config_where)
        by_account[one.id] = _merged(by_account.get(one.id, {}), own)
    return Settings(everywhere, by_account)


def _of_file(path: Path, checks: Mapping[str, Check]) -> tuple[Overrides, dict[str, Overrides]]:
    """What a configuration file says for all accounts, and for single ones."""
    where = f"--config: {path}"
    data = _parse(path)
    accounts = data.pop("accounts", {})
    if not isinstance(accounts, dict):
        raise pytest.UsageError(f"{where}: accounts must be a table of account IDs")
    everywhere = _validated(data, checks, where)
    by_account = {}
    for account, overrides in accounts.items():
        if not isinstance(overrides, dict):
            raise pytest.UsageError(f"{where}: accounts.{' '.join(str(account).split())} must be a table of check ids")
        by_account[str(account)] = _validated(overrides, checks, where)
    return everywhere, by_account


def _merged(first: Overrides, second: Overrides) -> Overrides:
    """Both; where both set a threshold, the second's."""
    return {id: {**first.get(id, {}), **second.get(id, {})} for id in {**first, **second}}


def limits_in_environment() -> dict[str, float]:
    """Setting -> limit of BASE64_LIMIT and HEX_LIMIT where they are set. Raises pytest.UsageError."""
    limits = {}
    for variable, setting in LIMITS_IN_ENVIRONMENT.items():
        text = os.environ.get(variable, "").strip()
        if not text:
            continue
        try:
            limit = float(text)
        except ValueError:
            limit = -1.0
        if not 0.0 <= limit <= HIGHEST_ENTROPY:
            raise pytest.UsageError(f"{variable}={text}: it must be a number from 0.0 to {HIGHEST_ENTROPY}")
        limits[setting] = limit
    return limits


def _validated(data: dict[str, Any], checks: Mapping[str, Check], where: str) -> Overrides:
    found: Overrides = {}
    for name, values in data.items():
        for id in _known(name, checks, where):
            found[id] = {**found.get(id, {}), **_checked(name, values, checks[id], where)}
    return found


def _parse(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise pytest.UsageError(f"--config: {path} cannot be read: {error.strerror}") from None
    try:
        data: Any = tomllib.loads(raw.decode()) if path.suffix == ".toml" else parsed(raw)
    except YamlError as error:
        raise pytest.UsageError(f"--config: {path}{error.where}: {error}") from None
    except ValueError as error:  # TOML's own mistakes, bytes that are no UTF-8, dates and numbers that are none
        raise pytest.UsageError(f"--config: {path}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise pytest.UsageError(f"--config: {path}: it nests too deep") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise pytest.UsageError(f"--config: {path}: a table of check ids is expected")
    return data


def _known(name: object, checks: Mapping[str, Check], where: str) -> list[str]:
    """The checks that an id or another name means."""
    found = matching(name, checks) if isinstance(name, str) and not is_pattern(name) else []
    if not found:
        raise pytest.UsageError(f"{where}: unknown check {name!r}{nearest(str(name), names_of(checks))}")
    return found


def _checked(id: str, values: Any, check: Check, where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise pytest.UsageError(f"{where}: {id} must be a table of settings")
    hints = typing.get_type_hints(check.function)
    found = {}
    for name, value in values.items():
        if name not in check.settings:
            known = f"it has {', '.join(check.settings)}" if check.settings else "it has none at all"
            raise pytest.UsageError(f"{where}: {id} has no setting {name!r}{nearest(name, check.settings)} ({known})")
        try:
            found[name] = msgspec.convert(value, hints.get(name, type(check.settings[name])))
        except msgspec.ValidationError as error:
            raise pytest.UsageError(f"{where}: {id}.{name}: {error}") from None
    return found
