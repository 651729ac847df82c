"""Findings: one check on one resource, with a status. They travel inside test reports and end in the writers."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugins.catalog.checks import Check
from plugins.findings.verdict import Status


@dataclass(frozen=True)
class Finding:
    """The verdict of a check on a resource.

    ``timestamp`` is the time of the audit. ``resource_arn`` is the id again where AWS defines no ARN.
    """

    check: Check
    status: Status
    message: str
    account: str
    account_name: str
    profile: str
    partition: str
    region: str
    resource_id: str
    resource_arn: str
    resource_type: str
    timestamp: datetime
    nodeid: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    duration: float = 0.0
    resource_key: str = ""
    """What tells the resource from others of the same ARN (a user's credentials), "" where the ARN does."""
    account_unit: str = ""
    """The account's place in the organization, a path of names."""
    accepted: str = ""
    """Why the whitelist accepts the failure; the message says so as well."""
    entries: tuple[int, ...] = ()
    """Positions of the whitelist's entries that are about the resource."""
    baseline: str = ""
    """``new``, ``unchanged`` or ``resolved`` in comparison with --baseline."""
    known_id: str = ""
    """The id, where it is known from an earlier run alone."""

    @functools.cached_property
    def id(self) -> str:
        """The same for the same check and resource in every run and format."""
        if self.known_id:
            return self.known_id
        key = self.resource_key or self.resource_arn or self.resource_id
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return f"auditest-{self.check.id}-{self.account}-{self.region}-{digest[:16]}"

    @property
    def groups(self) -> list[str]:
        """Ids of the groups that the check belongs to."""
        return self.check.groups

    @property
    def is_failure(self) -> bool:
        """FAIL or ERROR: what --only-fails keeps."""
        return self.status in ("FAIL", "ERROR")

    def packed(self) -> list[Any]:
        """The finding without its check's metadata, in plain types, for the way from a worker to the controller."""
        return [
            self.check.id, self.status, self.message, self.account, self.account_name, self.profile, self.partition,
            self.region, self.resource_id, self.resource_arn, self.resource_type, self.timestamp.isoformat(),
            self.nodeid, self.tags, self.duration, self.resource_key, self.account_unit,
            self.accepted, self.entries, self.baseline,
        ]  # fmt: skip


def unpacked(check: Check, packed: list[Any]) -> Finding:
    """The finding that ``packed`` was made from; ``check`` is the one that its first field names."""
    values = packed[1:]
    values[10] = datetime.fromisoformat(values[10])
    values[17] = tuple(values[17])
    return Finding(check, *values)


def properties_of(finding: Finding) -> list[tuple[str, Any]]:
    """What JUnit and other reports show beside the outcome."""
    return [
        ("check", finding.check.id), ("status", finding.status), ("severity", finding.check.severity),
        ("account", finding.account), ("region", finding.region), ("arn", finding.resource_arn),
        *([("baseline", finding.baseline)] if finding.baseline else []),
    ]  # fmt: skip
