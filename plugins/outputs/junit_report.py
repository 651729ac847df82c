"""junit-xml: a suite per account, a testcase per finding."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status
from plugins.outputs.writer import Writer
from plugins.text import escaped

COUNT_WIDTH = 10
"""Digits that have room in the suite's counts, which are patched while the file grows."""
COUNTED: dict[Status, str] = {"FAIL": "failures", "ERROR": "errors", "INFO": "skipped", "WARNING": "skipped"}
# Everything that XML 1.0 does not allow in a document (section 2.2, Char), and what must be escaped or would be
# changed by a parser (sections 2.4, 2.11 and 3.3.3).
SPECIAL = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


class JunitWriter(Writer):
    """FAIL is a failure, ERROR an error, INFO and WARNING are skipped.

    The properties are those that pytest's own --junitxml shows. A testcase has no ``time``: it would differ each time
    a recording is replayed.
    """

    def __init__(self, path: Path, *, account: str) -> None:
        self._counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        super().__init__(path, account=account)

    def head(self) -> str:
        counts = " ".join(f'{name}="{count}"' for name, count in self._counts.items())
        width = sum(len(name) + len('="" ') + COUNT_WIDTH for name in self._counts)
        name = xml("auditest " + self.account)
        return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuite name="{name}" {counts:<{width}}>\n'

    def write(self, finding: Finding) -> None:
        self._counts["tests"] += 1
        counted = COUNTED.get(finding.status)
        if counted:
            self._counts[counted] += 1
        super().write(finding)

    def render(self, finding: Finding) -> str:
        classname, title, id, severity = _constant(finding.check)
        baseline = f'<property name="baseline" value="{finding.baseline}"/>' if finding.baseline else ""
        return (
            f'<testcase classname="{classname}" name="{title} - {xml(finding.resource_id)}"><properties>'
            f'<property name="check" value="{id}"/><property name="status" value="{finding.status}"/>'
            f'<property name="severity" value="{severity}"/><property name="account" value="{xml(finding.account)}"/>'
            f'<property name="region" value="{xml(finding.region)}"/>'
            f'<property name="arn" value="{xml(finding.resource_arn)}"/>{baseline}</properties>'
            f"{_result(finding.status, xml(finding.message))}</testcase>\n"
        )

    def tail(self) -> str:
        return "</testsuite>\n"


def _result(status: Status, message: str) -> str:
    if status == "FAIL":
        return f'<failure message="{message}" type="FAIL">{message}</failure>'
    if status == "ERROR":
        return f'<error message="{message}" type="ERROR">{message}</error>'
    if status in ("INFO", "WARNING"):
        return f'<skipped message="{message}" type="{status}"/>'
    return f"<system-out>{message}</system-out>"


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, str, str, str]:
    """What is the same in all findings of a check: classname, title, id, severity."""
    return xml(check.number), xml(check.title), xml(check.id), xml(check.severity)


def xml(text: str) -> str:
    """Text as it may stand in XML; what XML cannot carry at all becomes its escape."""
    return SPECIAL.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return ENTITIES.get(found.group()) or escaped(found.group())
