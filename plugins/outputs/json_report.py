"""json (one array) and jsonl (the same objects, one per line)."""

from __future__ import annotations

import functools
import json
from typing import Any

from plugins.catalog import Check, groups_by_check
from plugins.evaluation import Status
from plugins.findings import Finding
from plugins.outputs.base import Writer

STATUS_WORDS: dict[Status, str] = {
    "PASS": "Pass", "FAIL": "FAIL", "INFO": "Info", "WARNING": "WARNING", "ERROR": "ERROR",
}  # fmt: skip


class JsonlWriter(Writer):
    """One object per line."""

    ending = ".jsonl"

    def render(self, finding: Finding) -> str:
        return json_object(finding) + "\n"


class JsonWriter(Writer):
    """One array."""

    ending = ".json"

    def begin(self) -> None:
        self.put("[")
        self._separator = "\n"

    def render(self, finding: Finding) -> str:
        text = self._separator + json_object(finding)
        self._separator = ",\n"
        return text

    def tail(self) -> str:
        return "\n]\n"


def json_object(finding: Finding) -> str:
    """The finding as a JSON object on one line. Keys as the 2020 tool wrote them, then further ones."""
    head, check, tail = _constant(finding.check)
    q = json.dumps
    return (
        f'{{"Profile":{q(finding.profile)},"Account Number":{q(finding.account)},{head}"Message":{q(finding.message)},'
        f'"Status":"{STATUS_WORDS[finding.status]}",{check}"Region":{q(finding.region)},'
        f'"Timestamp":"{finding.timestamp.isoformat()}",{tail}"Resource ID":{q(finding.resource_id)},'
        f'"Resource ARN":{q(finding.resource_arn)},"Resource Type":{q(finding.resource_type)},'
        f'"Finding ID":{q(finding.id)}}}'
    )


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, str, str]:
    """What is the same in all findings of a check, in three pieces between the rest."""

    def piece(values: dict[str, Any]) -> str:
        return json.dumps(values, separators=(",", ":"))[1:-1] + ","

    return (
        piece({"Control": f"[{check.id}] {check.title}"}),
        piece({"Scored": "Scored" if check.scored else "Not Scored", "Level": check.level, "Control ID": check.number}),
        piece({
            "Check ID": check.id, "Severity": check.severity, "Service": check.service,
            "Groups": groups_by_check().get(check.id, []),
            "Remediation": {"Text": check.remediation, "Url": check.url, "Command": check.command},
        }),
    )  # fmt: skip
