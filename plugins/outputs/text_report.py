"""text and mono: the classic report, with and without colours."""

from __future__ import annotations

from plugins.catalog import Check
from plugins.evaluation import Status
from plugins.findings import Finding
from plugins.outputs.base import Writer, visible

COLOURS: dict[Status, str] = {"PASS": "32", "FAIL": "31", "INFO": "36", "WARNING": "33", "ERROR": "1;31"}


def render_heading(check: Check, *, colour: bool) -> str:
    """The line above a check's findings: number, id, title and severity."""
    text = f"{check.number} [{check.id}] {visible(check.title)} [{check.severity}]"
    return f"\033[1m{text}\033[0m" if colour else text


def render_line(finding: Finding, *, colour: bool) -> str:
    """One finding on one line."""
    word = f"{finding.status}!".rjust(9)
    if colour:
        word = f"\033[{COLOURS[finding.status]}m{word}\033[0m"
    return f"{word} {finding.region}: {visible(finding.resource_id)} - {visible(finding.message)}"


class MonoWriter(Writer):
    """Without colours."""

    ending = ".txt"
    colour = False

    def begin(self) -> None:
        self._check = ""
        self.put(f"auditest report of account {visible(self.account)}\n")

    def render(self, finding: Finding) -> str:
        line = render_line(finding, colour=self.colour) + "\n"
        if finding.check.id == self._check:
            return line
        self._check = finding.check.id
        return f"\n{render_heading(finding.check, colour=self.colour)}\n{line}"


class TextWriter(MonoWriter):
    """With colours."""

    colour = True
