"""Who audits what: the K-th of N runs (``--shard K/N``), and the shard of a worker.

The accounts of a run are dealt out to N runs in the order of their ids. With fewer accounts than shards, those with most regions are divided.
Every shard works this out by itself from the same accounts, so all come to the same answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from fixtures.model import Account
from plugins.options.options import options_of

AUTO = "auto"

# Where CI systems say which of several equal jobs this is: index, number of the first index, total.
# Sources: AWS Batch User Guide, "AWS Batch job environment variables"; Buildkite documentation, "Environment variables";
# GitLab documentation, "Predefined CI/CD variables reference".
VARIABLES = (
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0, "AWS_BATCH_JOB_ARRAY_SIZE"),
    ("BUILDKITE_PARALLEL_JOB", 0, "BUILDKITE_PARALLEL_JOB_COUNT"),
    ("CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
)


@dataclass(frozen=True)
class Cut:
    """The part of an account that this run audits. The first part has what is global in the account."""

    number: int
    of: int
    regions: list[str]

    @property
    def with_global(self) -> bool:
        """Whether the account's global kinds belong to it."""
        return self.number == 1


@dataclass(frozen=True)
class Share:
    """What one shard audits: accounts, or one account in part (``cut``); nothing when there are too many shards."""

    accounts: list[str]
    cut: Cut | None = None


def parse(text: str, environment: Mapping[str, str]) -> tuple[int, int] | None:
    """K and N of an option's value. Raises pytest.UsageError."""
    if not text:
        return None
    if text == AUTO:
        return _from_environment(environment)
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if found is None:
        raise pytest.UsageError(f"--shard: {text!r} is not of the form K/N (2/5 for the second of five) or auto")
    return _checked(int(found[1]), int(found[2]), text)


def _from_environment(environment: Mapping[str, str]) -> tuple[int, int]:
    for index, first, total in VARIABLES:
        if environment.get(index) and environment.get(total):
            named = f"{index}={environment[index]}, {total}={environment[total]}"
            if not (environment[index].isdecimal() and environment[total].isdecimal()):
                raise pytest.UsageError(f"--shard auto: {named} are not numbers")
            return _checked(int(environment[index]) - first + 1, int(environment[total]), named)
    known = ", ".join(index for index, _, _ in VARIABLES)
    raise pytest.UsageError(f"--shard auto: the environment has none of {known} with its total: give --shard K/N")


def _checked(number: int, of: int, given: str) -> tuple[int, int]:
    if not 1 <= number <= of:
        raise pytest.UsageError(f"--shard: {given}: there is no shard {number} of {of}, they are 1 to {of}")
    return number, of


def share_of(accounts: Sequence[Account], number: int, of: int) -> Share:
    """What the ``number``-th of ``of`` shards audits."""
    ordered = sorted(accounts, key=lambda account: account.id)
    if len(ordered) >= of:
        return Share([account.id for account in ordered[number - 1 :: of]])
    parts = parts_of({account.id: len(account.regions) for account in ordered}, of)
    places = [(account, part) for account in ordered for part in range(parts[account.id])]
    if number > len(places):
        return Share([])
    account, part = places[number - 1]
    total = parts[account.id]
    return Share([account.id], Cut(part + 1, total, account.regions[part::total]) if total > 1 else None)


def parts_of(regions: Mapping[str, int], shards: int) -> dict[str, int]:
    """Account -> into how many parts it is divided, given its number of regions; no part is without a region."""
    parts = dict.fromkeys(regions, 1)
    for _ in range(shards - len(parts)):
        open_ones = [id for id in parts if parts[id] < regions[id]]
        if not open_ones:
            break
        parts[max(open_ones, key=lambda id: regions[id] / parts[id])] += 1
    return parts


KEY = pytest.StashKey[tuple[int, int] | None]()


def share_numbers(config: pytest.Config) -> tuple[int, int] | None:
    """K and N of --shard, read once. Raises pytest.UsageError."""
    if KEY not in config.stash:
        config.stash[KEY] = parse(options_of(config).shard, os.environ)
    return config.stash[KEY]


def pytest_configure(config: pytest.Config) -> None:
    """Judge the option before AWS is asked. Raises pytest.UsageError."""
    if not hasattr(config, "workerinput"):
        share_numbers(config)
