"""junit-xml: a suite per account, a testcase per finding."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from plugins.findings import Finding
from plugins.outputs.base import Writer

COUNT_WIDTH = 10
# Everything that XML 1.0 does not allow in a document (section 2.2, Char).
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JunitWriter(Writer):
    """FAIL is a failure, ERROR an error, INFO and WARNING are skipped."""

    ending = ".xml"

    def begin(self) -> None:
        self._counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        self.put('<?xml version="1.0" encoding="utf-8"?>\n')
        self._head_at = len(self._buffer[0])
        self.put(self._head())

    def _head(self) -> str:
        counts = " ".join(f'{name}="{count}"' for name, count in self._counts.items())
        width = sum(len(name) + 4 + COUNT_WIDTH for name in self._counts)
        return f"<testsuite name={_attribute('auditest ' + self.account)} {counts:<{width}}>\n"

    def render(self, finding: Finding) -> str:
        self._counts["tests"] += 1
        check = finding.check
        properties = (
            ("check id", check.id), ("severity", check.severity), ("region", finding.region), ("ARN", finding.resource_arn),
        )  # fmt: skip
        return (
            f"<testcase classname={_attribute(check.number)}"
            f' name={_attribute(f"{check.title} - {finding.resource_id}")} time="{finding.duration:.3f}"><properties>'
            + "".join(f"<property name={_attribute(name)} value={_attribute(value)}/>" for name, value in properties)
            + "</properties>"
            + self._result(finding)
            + "</testcase>\n"
        )

    def _result(self, finding: Finding) -> str:
        message = _attribute(finding.message)
        if finding.status == "FAIL":
            self._counts["failures"] += 1
            return f'<failure message={message} type="FAIL">{escape(_legal(finding.message))}</failure>'
        if finding.status == "ERROR":
            self._counts["errors"] += 1
            return f'<error message={message} type="ERROR">{escape(_legal(finding.message))}</error>'
        if finding.status in ("INFO", "WARNING"):
            self._counts["skipped"] += 1
            return f'<skipped message={message} type="{finding.status}"/>'
        return f"<system-out>{escape(_legal(finding.message))}</system-out>"

    def tail(self) -> str:
        return "</testsuite>\n"

    def flush(self) -> None:
        if self._file is not None:
            super().flush()
            end = self._file.tell()
            self._file.seek(self._head_at)
            self._file.write(self._head().encode("utf-8", "backslashreplace"))
            self._file.flush()
            self._file.seek(end)


def _legal(text: str) -> str:
    """Text with what XML cannot carry made visible."""
    return ILLEGAL.sub(lambda found: found.group().encode("unicode_escape", "backslashreplace").decode(), text)


def _attribute(text: str) -> str:
    return quoteattr(_legal(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
