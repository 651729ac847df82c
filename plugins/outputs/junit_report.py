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

    A testcase has what pytest's own --junitxml shows as its system-out: the schema that Jenkins publishes (junit-10.xsd)
    lets suites have properties, not testcases. The name tells it from all others of the run, since GitLab keeps the first
    of equal ones; the classname is a service's, which viewers make folders of. A testcase has no ``time``: it would
    differ each time a recording is replayed.
    """

    def __init__(self, path: Path, *, account: str) -> None:
        self._counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        self._names: set[str] = set()
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
        lines = {
            "check": id, "number": xml(finding.check.number), "status": finding.status, "severity": severity,
            "account": xml(finding.account), "region": xml(finding.region), "resource": xml(finding.resource_id),
            "arn": xml(finding.resource_arn), "baseline": finding.baseline,
        }  # fmt: skip
        message = xml(finding.message)
        told = "\n".join(f"{name}: {value}" for name, value in lines.items() if value)
        shown = f"{message}\n" if finding.status == "PASS" else ""
        return (
            f'<testcase classname="{classname}" name="{self._name(id, title, finding)}">'
            f"{_result(finding.status, message)}<system-out>{shown}{told}</system-out></testcase>\n"
        )

    def _name(self, id: str, title: str, finding: Finding) -> str:
        """The testcase's name, as XML. Two resources may have one id: the second has a part of the finding's id as well."""
        name = f"{id} {title} - {xml(finding.resource_id)} ({xml(finding.account)} {xml(finding.region)})"
        if name in self._names:
            name += f" {finding.id[-16:]}"
        if name in self._names:
            name += f" #{self._counts['tests']}"
        self._names.add(name)
        return name

    def tail(self) -> str:
        if self.facts is None:
            return "</testsuite>\n"
        properties = "".join(
            f'<property name="{xml(name)}" value="{xml(value)}"/>' for name, value in self.facts.lines.items()
        )
        return f"<properties>{properties}</properties>\n</testsuite>\n"


def _result(status: Status, message: str) -> str:
    if status == "FAIL":
        return f'<failure message="{message}" type="FAIL">{message}</failure>'
    if status == "ERROR":
        return f'<error message="{message}" type="ERROR">{message}</error>'
    return f'<skipped message="{message}" type="{status}"/>' if status in ("INFO", "WARNING") else ""


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, str, str, str]:
    """What is the same in all findings of a check: classname, title, id, severity."""
    return xml(f"auditest.{check.service}"), xml(check.title), xml(check.id), xml(check.severity)


def xml(text: str) -> str:
    """Text as it may stand in XML; what XML cannot carry at all becomes its escape."""
    return SPECIAL.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    return ENTITIES.get(found.group()) or escaped(found.group())
