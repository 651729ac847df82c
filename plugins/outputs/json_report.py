"""json (one array) and jsonl (the same objects, one per line)."""

from __future__ import annotations

import functools
import json
from json.encoder import encode_basestring_ascii
from typing import Any

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status
from plugins.outputs.writer import Writer
from plugins.text import encoded, timestamp

STATUS_WORDS: dict[Status, str] = {
    "PASS": "Pass", "FAIL": "FAIL", "INFO": "Info", "WARNING": "WARNING", "ERROR": "ERROR",
}  # fmt: skip


class JsonlWriter(Writer):
    """One object per line."""

    def render(self, finding: Finding) -> str:
        return json_object(finding) + "\n"


class JsonWriter(Writer):
    """One array, one object per line."""

    separator = ",\n"

    def head(self) -> str:
        return "[\n"

    def render(self, finding: Finding) -> str:
        return json_object(finding)

    def tail(self) -> str:
        return "\n]\n"


def json_object(finding: Finding) -> str:
    """The finding as a JSON object on one line. Keys as the 2020 tool wrote them, then further ones."""
    control, rating, check, remedy = _constant(finding.check)
    q = quoted
    baseline = f',"Baseline":"{finding.baseline}"' if finding.baseline else ""
    return (
        f'{{"Profile":{q(finding.profile)},"Account Number":{q(finding.account)},{control},"Message":{q(finding.message)},'
        f'"Status":"{STATUS_WORDS[finding.status]}",{rating},"Region":{q(finding.region)},'
        f'"Timestamp":"{timestamp(finding.timestamp)}",{check},"Resource ID":{q(finding.resource_id)},'
        f'"Resource ARN":{q(finding.resource_arn)},"Resource Type":{q(finding.resource_type)},{remedy},'
        f'"Finding ID":{q(finding.id)}{baseline}}}'
    )


def quoted(text: str) -> str:
    """A JSON string in ASCII: no line separator, terminal escape or direction mark reaches whoever reads the file raw.

    A lone surrogate, which many parsers refuse even as an escape, becomes the six characters of its escape.
    """
    return encode_basestring_ascii(text if text.isascii() else encoded(text).decode())


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, str, str, str]:
    """What is the same in all findings of a check, in the four places where it stands."""

    def members(**values: Any) -> str:
        return json.dumps({key.replace("_", " "): value for key, value in values.items()}, separators=(",", ":"))[1:-1]

    return (
        members(Control=check.title),
        members(Scored="Scored" if check.scored else "Not Scored", Level=check.level, Control_ID=check.number),
        members(Check_ID=check.id, Severity=check.severity, Service=check.service),
        members(
            Groups=check.groups,
            Remediation={"Text": check.remediation, "Url": check.url, "Command": check.command},
        ),
    )
