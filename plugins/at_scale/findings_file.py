"""Findings on their way from a shard to ``plugins.merge``: a file with all of them and what is known of their checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding, unpacked
from plugins.outputs.writer import Writer

ENDING = ".findings"


def findings_file_name(report: str) -> str:
    """The name of the file that lies beside reports of this name."""
    return report + ENDING


NOT_CARRIED = ("function", "settings", "member_of")


class FindingsFileWriter(Writer):
    """One JSON line per finding; in front of the first one of a check, the check."""

    def __init__(self, path: Path, *, account: str) -> None:
        self._checks: set[str] = set()
        super().__init__(path, account=account)

    def render(self, finding: Finding) -> str:
        text = ""
        if finding.check.id not in self._checks:
            self._checks.add(finding.check.id)
            text = json.dumps({"check": packed_check(finding.check)}) + "\n"
        return text + json.dumps({"finding": finding.packed()}) + "\n"


def packed_check(check: Check) -> dict[str, Any]:
    """What reports and the summary need of a check, in plain types."""
    known = {field.name: getattr(check, field.name) for field in fields(check) if field.name not in NOT_CARRIED}
    return {**known, "groups": check.groups}


def _no_function() -> None:
    """In the place of the function of a check that was run elsewhere."""


def unpacked_check(packed: dict[str, Any], function: Callable[..., object] = _no_function) -> Check:
    """The check again, without its function, or with another."""
    values = dict(packed)
    groups = values.pop("groups")
    # The groups are those of where it was run, since its module is not here to be asked. A check with others is another:
    # the writers keep what they have rendered of a check.
    check = Check(**values, settings={}, function=function, member_of=tuple(groups))
    check.__dict__["groups"] = groups
    return check


def findings_in(path: Path) -> Iterator[Finding]:
    """The findings of such a file."""
    checks: dict[str, Check] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            if "check" in one:
                checks[one["check"]["id"]] = unpacked_check(one["check"])
            else:
                packed = one["finding"]
                yield unpacked(checks[packed[0]], packed)
