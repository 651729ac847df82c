"""text and mono: the classic report, with and without colours."""

from __future__ import annotations

from pathlib import Path

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status
from plugins.outputs.writer import Writer
from plugins.text import visible

COLOURS: dict[Status, str] = {"PASS": "32", "FAIL": "31", "INFO": "36", "WARNING": "33", "ERROR": "1;31"}


def render_heading(check: Check, colour: bool) -> str:
    """The line above a check's findings: its number and title."""
    text = visible(f" {check.number}  {check.title}")
    return f"\033[1m{text}\033[0m" if colour else text


def render_line(finding: Finding, colour: bool) -> str:
    """One finding on one line. Nothing in a name or a message can break the line or command a terminal."""
    word = f"{finding.status}!"
    if colour:
        word = f"\033[{COLOURS[finding.status]}m{word}\033[0m"
    mark = f" [{finding.baseline}]" if finding.baseline else ""
    return f" {word}  " + visible(f"{finding.region}: {finding.resource_id} - {finding.message}{mark}")


class MonoWriter(Writer):
    """Without colours."""

    colour = False

    def __init__(self, path: Path, *, account: str) -> None:
        self._check = ""
        super().__init__(path, account=account)

    def head(self) -> str:
        return f"auditest report of account {visible(self.account)}\n"

    def render(self, finding: Finding) -> str:
        line = render_line(finding, self.colour) + "\n"
        if finding.check.id == self._check:
            return line
        self._check = finding.check.id
        return f"\n{render_heading(finding.check, self.colour)}\n{line}"

    def tail(self) -> str:
        if self.facts is None:
            return ""
        return "\n" + "".join(f"{name}: {value}\n" for name, value in self.facts.lines.items())


class TextWriter(MonoWriter):
    """With colours."""

    colour = True
