"""html: one self-contained page that opens from disk, with the findings embedded compressed.

The page is the markup, style and script of ``html/``, then data blocks, each with the findings of one chunk: lines of
JSON, deflated, in base64. The script unpacks them one by one. A chunk can be read without those before it but for the
definitions they brought: what is the same in many findings (the check, the account) has a line of its own where it is
first needed, and not one per finding.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
import time
import zlib
from pathlib import Path
from typing import Any

import msgspec

from plugins.catalog.checks import Check
from plugins.catalog.groups import groups
from plugins.findings.finding import Finding
from plugins.outputs.writer import FLUSH_FINDINGS, Writer
from plugins.text import encoded, timestamp, visible

ASSETS = Path(__file__).with_name("html")
SCRIPTS = ("model.js", "summary.js", "table.js", "report.js")
CHUNK_FINDINGS = FLUSH_FINDINGS
"""Findings per data block. A count and never a time decides where a block ends: the same findings make the same bytes."""
BLOCK = '<script type="text/plain" class="findings">{}</script>\n'
FACTS = '<script type="text/plain" id="run">{}</script>\n'
"""What there is to say of the run; in base64, so that no name can end the element."""
TAIL = b"</body>\n</html>\n"


class HtmlWriter(Writer):
    """Whole chunks stay where they are; the one that is still growing stands in the tail and is overwritten."""

    def __init__(self, path: Path, *, account: str) -> None:
        self._defined: set[str] = set()
        self._audit: dict[str, str] = {}
        self._tail = TAIL.decode()
        """What stands behind the whole chunks since the last flush."""
        super().__init__(path, account=account)

    def head(self) -> str:
        return _page(self.account)

    def write(self, finding: Finding) -> None:
        try:
            super().write(finding)
        except BaseException:
            self._audit = {}
            raise
        # Only now: after an interrupt a definition may then stand twice, but is never missing.
        self._defined.add(finding.check.id)
        self._audit = _audit(finding)

    def tail(self) -> str:
        return self._tail

    def render(self, finding: Finding) -> str:
        """The finding's line, after those that define what it refers to."""
        check = finding.check
        text = ""
        audit = _audit(finding)
        if audit != self._audit:
            text = _json({"audit": audit})
        if check.id not in self._defined:
            text += _json({"check": _constant(check)})
        message = visible(finding.message)
        row: list[Any] = [
            visible(check.id), finding.status, visible(finding.region), visible(finding.resource_id),
            visible(finding.resource_arn),
            "" if finding.resource_type == check.resource_type else visible(finding.resource_type),
            "" if message == check.title else message, finding.id[-16:],
        ]  # fmt: skip
        if finding.tags or finding.baseline:
            row.append({visible(key): visible(value) for key, value in finding.tags.items()})
        if finding.baseline:
            row.append(finding.baseline)
        return text + _json(row)

    def flush(self) -> None:
        """As ``Writer.flush``, in whole chunks; a head that never changes is written once."""
        size = CHUNK_FINDINGS
        whole = len(self._buffer) // size * size
        body = b"".join(_block(self._buffer[start : start + size]) for start in range(0, whole, size))
        rest = self._buffer[whole:]
        tail = (_block(rest) if rest else b"") + self._said() + TAIL
        if not self._written:
            self._write_at(0, encoded(self.head()))
        self._write_at(self._end, body + tail)
        # A longer chunk may deflate to fewer bytes than the shorter one that it overwrites.
        self._file.truncate(self._end + len(body) + len(tail))
        written, end = self._written + whole, self._end + len(body)
        text, now = tail.decode("ascii"), time.monotonic()
        # no call from here on: Python looks for signals at calls
        self._written, self._end, self._buffer, self._flushed, self._tail = written, end, rest, now, text

    def _said(self) -> bytes:
        if self.facts is None:
            return b""
        facts = {
            **self.facts.lines,
            "regions": [visible(one) for one in self.facts.regions],
            "finished": self.facts.finished,
        }
        return FACTS.format(base64.b64encode(encoded(_json(facts))).decode("ascii")).encode("ascii")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() + "\n"


def _block(lines: list[str]) -> bytes:
    packed = zlib.compress(encoded("".join(lines)), 6)
    return BLOCK.format(base64.b64encode(packed).decode("ascii")).encode("ascii")


@functools.lru_cache(maxsize=16)
def _audited(account: str, name: str, unit: str, profile: str, partition: str, time: str) -> dict[str, str]:
    values = {"account": account, "name": name, "profile": profile, "partition": partition, "time": time}
    if unit:
        values["unit"] = unit
    return {key: visible(value) for key, value in values.items()}


def _audit(finding: Finding) -> dict[str, str]:
    """What is usually the same in all findings of a file."""
    return _audited(
        finding.account,
        finding.account_name,
        finding.account_unit,
        finding.profile,
        finding.partition,
        timestamp(finding.timestamp),
    )


def _constant(check: Check) -> dict[str, Any]:
    """What is the same in all findings of a check."""
    titles = {id: groups()[id].title for id in check.groups if id in groups()}
    texts = {
        "id": check.id, "number": check.number, "title": check.title, "severity": check.severity,
        "service": check.service, "type": check.resource_type, "level": check.level,
        "scored": "Scored" if check.scored else "Not Scored", "url": check.url,
    }  # fmt: skip
    return {
        **{key: visible(text) for key, text in texts.items()},
        "groups": [[visible(id), visible(titles.get(id, id))] for id in check.groups],
        "remediation": _visible_lines(check.remediation),
        "command": _visible_lines(check.command),
    }


def _visible_lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


@functools.lru_cache(maxsize=1)
def _assets() -> dict[str, str]:
    """The parts of the page by name, and the policy that lets nothing but these run."""
    style = _asset("report.css")
    scripts = [_asset(name) for name in SCRIPTS]
    policy = {
        "default-src": "'none'", "script-src": " ".join(map(_source, scripts)), "style-src": _source(style),
        "base-uri": "'none'", "form-action": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
    }  # fmt: skip
    return {
        "page": _asset("report.html"),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
        "style": style,
        "policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
    }


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The source expression that allows exactly this inline script or style (CSP level 3, section 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _page(account: str) -> str:
    """Everything before the findings. One pass over the template: an account's name cannot bring in a part of it."""
    values = {**_assets(), "account": html.escape(visible(account))}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], values["page"])
