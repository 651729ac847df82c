"""The file beside the reports that says to programs what there is to say of the run."""

from __future__ import annotations

import msgspec

from plugins.findings.finding import Finding
from plugins.outputs.writer import Writer

ENDING = ".meta.json"
"""Of the file beside an account's reports: csv, json, jsonl and json-asff have no room for what is no finding."""


class RunFactsWriter(Writer):
    """The file beside the reports: one JSON object, ``null`` as long as the audit goes on."""

    def render(self, finding: Finding) -> str:
        return ""

    def write(self, finding: Finding) -> None:
        """Findings are in the reports."""

    def tail(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self.facts), indent=1).decode() + "\n"
