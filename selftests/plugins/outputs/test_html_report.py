"""The html report as a file: what is in it, that nothing in it can run or break out, and that it streams."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plugins.findings.finding import Finding
from plugins.findings.verdict import STATUSES, Status
from plugins.outputs import writer as writer_module
from plugins.outputs.formats import writers_for
from plugins.outputs.html_report import CHUNK_FINDINGS, SCRIPTS, HtmlWriter
from plugins.text import visible
from selftests.plugins.outputs.test_formats import CHECK, HOSTILE, NAMES, NOW, OTHER_CHECK, finding

ROW = ("check", "status", "region", "resource", "arn", "type", "message", "digest", "tags")
OWN_CHECK = replace(
    CHECK, id='own"</script>', number='own"</script>', title="<b>Mine</b>", url="javascript:alert(1)",
    remediation="one\ntwo\x1b", command="first \\\n  second", service="<svc>",
)  # fmt: skip


class Page(HTMLParser):
    """A report taken apart: its elements, the text of scripts and styles, and the findings."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.raw = path.read_bytes()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ends: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.blocks: list[str] = []
        self.definitions: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.feed(self.raw.decode("utf-8"))
        self.close()
        for block in self.blocks:
            for line in zlib.decompress(base64.b64decode(block, validate=True)).decode("utf-8").splitlines():
                value = json.loads(line)
                if isinstance(value, dict):
                    self.definitions.append(value)
                else:
                    self.rows.append(dict(zip(ROW, value, strict=False)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if attributes.get("class") == "findings" and data.strip():
            self.blocks.append(data)
        elif data.strip():
            self.texts.setdefault(tag, []).append(data)

    @property
    def names(self) -> list[str]:
        return [row["resource"] for row in self.rows]

    @property
    def is_complete(self) -> bool:
        return self.raw.endswith(b"</body>\n</html>\n") and self.ends[-2:] == ["body", "html"]

    def defined(self, kind: str) -> list[dict[str, Any]]:
        return [one[kind] for one in self.definitions if kind in one]


def write(folder: Path, findings: list[Finding], account: str = "123456789012") -> Page:
    (writer,) = writers_for(["html"], folder, "out", account)
    for one in findings:
        writer.write(one)
    writer.close()
    assert writer.path == folder / "out.html"
    return Page(writer.path)


def test_what_is_the_same_is_said_once(tmp_path: Path) -> None:
    findings = [
        replace(finding("b1"), account_name="acme", tags={"team": "web"}),
        replace(finding("b2", "PASS", CHECK.title), account_name="acme", resource_type="AwsOther"),
        replace(finding("b3", check=OTHER_CHECK), account_name="acme"),
    ]
    page = write(tmp_path, findings)
    assert page.is_complete
    assert page.defined("audit") == [
        {
            "account": "123456789012",
            "name": "acme",
            "profile": "default",
            "partition": "aws",
            "time": "2026-03-01T12:00:05Z",
        }
    ]
    first, second = page.defined("check")
    assert {key: value for key, value in first.items() if key != "groups"} == {
        "id": "extra73", "number": "7.3", "title": "S3 buckets are not public", "severity": "critical", "service": "s3",
        "type": "AwsS3Bucket", "level": "Extra", "scored": "Not Scored", "url": "https://docs.aws.amazon.com/x",
        "remediation": "Block public access.", "command": "aws s3api x",
    }  # fmt: skip
    assert [id for id, title in first["groups"]] == findings[0].groups
    assert second["id"] == "check14"
    assert page.rows == [
        {"check": "extra73", "status": "FAIL", "region": "eu-west-1", "resource": "b1", "arn": "arn:aws:s3:::b1",
         "type": "", "message": "the ACL grants access", "digest": findings[0].id[-16:], "tags": {"team": "web"}},
        {"check": "extra73", "status": "PASS", "region": "eu-west-1", "resource": "b2", "arn": "arn:aws:s3:::b2",
         "type": "AwsOther", "message": "", "digest": findings[1].id[-16:]},
        {"check": "check14", "status": "FAIL", "region": "eu-west-1", "resource": "b3", "arn": "arn:aws:s3:::b3",
         "type": "", "message": "the ACL grants access", "digest": findings[2].id[-16:]},
    ]  # fmt: skip


def test_several_accounts_are_told_apart(tmp_path: Path) -> None:
    accounts = ["1", "1", "2", "1"]
    page = write(tmp_path, [replace(finding(f"b{i}"), account=account) for i, account in enumerate(accounts)])
    assert [one["account"] for one in page.defined("audit")] == ["1", "2", "1"]


def test_nothing_but_its_own_scripts_may_run(tmp_path: Path) -> None:
    page = write(tmp_path, [finding("b")])
    (policy,) = [
        attributes["content"] or "" for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    directives = dict(part.split(" ", 1) for part in policy.split("; "))

    def sources(texts: list[str]) -> str:
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts)

    scripts = page.texts["script"]
    assert len(scripts) == len(SCRIPTS)
    assert directives == {
        "default-src": "'none'", "script-src": sources(scripts), "style-src": sources(page.texts["style"]),
        "base-uri": "'none'", "form-action": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
    }  # fmt: skip
    first_tags = [tag for tag, _ in page.tags[:5]]
    assert first_tags == ["html", "head", "meta", "meta", "meta"]
    assert page.tags[3][1].get("http-equiv") == "Content-Security-Policy"  # before anything that it is to govern
    script = "\n".join(scripts)
    for risky in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch("):
        assert risky not in script
    attributes = {name for _, given in page.tags for name in given}
    assert not {"src", "href", "style"} & attributes
    assert not [name for name in attributes if name.startswith("on")]


def test_it_says_so_without_javascript(tmp_path: Path) -> None:
    page = write(tmp_path, [])
    assert "noscript" in [tag for tag, _ in page.tags]
    assert page.is_complete
    assert page.rows == []


def test_texts_of_own_checks_keep_their_lines(tmp_path: Path) -> None:
    page = write(tmp_path, [finding("b", check=OWN_CHECK)])
    (check,) = page.defined("check")
    assert check["remediation"] == "one\ntwo\\x1b"
    assert check["command"] == "first \\\n  second"
    assert check["groups"] == []
    assert page.rows[0]["check"] == check["id"] == OWN_CHECK.id


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=5), message=NAMES, status=st.sampled_from(STATUSES), account=NAMES)
@example(names=HOSTILE, message="</script><!--<script>", status="FAIL", account='</title><img src=x onerror="x">')
@example(names=["{{style}}"], message="x", status="FAIL", account="{{scripts}}\\1\\g<0>")
def test_any_name_stays_text(tmp_path: Path, names: list[str], message: str, status: Status, account: str) -> None:
    findings = [
        replace(finding(name, status, message), account=account, account_name=message, tags={name: message})
        for name in names
    ]
    page = write(tmp_path, findings, account)
    assert page.is_complete
    assert page.names == [visible(name) for name in names]
    assert all(row["message"] == visible(message) for row in page.rows)
    assert [row["tags"] for row in page.rows] == [{visible(name): visible(message)} for name in names]
    assert f"<title>{html.escape(visible(account))} \u2013 auditest</title>".encode() in page.raw
    empty = write(tmp_path / "empty", [], "1")
    added = [("script", {"type": "text/plain", "class": "findings"})] if names else []
    assert page.tags == empty.tags + added  # no element or attribute more than that


def test_the_same_findings_make_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [finding(f"{HOSTILE[i % len(HOSTILE)]}{i}", STATUSES[i % 5]) for i in range(CHUNK_FINDINGS + 50)]
    first = write(tmp_path / "a", findings)
    monkeypatch.setattr(writer_module, "FLUSH_SECONDS", 1e9)
    assert write(tmp_path / "b", [replace(one, duration=1.5) for one in findings]).raw == first.raw
    (writer,) = writers_for(["html"], tmp_path / "c", "out", "123456789012")
    for number, one in enumerate(findings):
        writer.write(one)
        if number % 37 == 0:
            writer.flush()  # when a file is flushed must not be seen in it
    writer.close()
    assert Page(writer.path).raw == first.raw
    assert len(first.blocks) == 2


def test_the_file_is_complete_after_every_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.outputs.html_report.CHUNK_FINDINGS", 5)
    monkeypatch.setattr(writer_module, "FLUSH_SECONDS", -1.0)
    (writer,) = writers_for(["html"], tmp_path, "out", "1")
    assert Page(tmp_path / "out.html.part").is_complete
    for number in range(23):
        # Much to deflate, then little: the file must not keep the end of a longer one.
        message = hashlib.sha256(bytes([number])).hexdigest() * (30 if number % 5 < 2 else 1)
        writer.write(finding(f"b{number}", message=message))
        page = Page(tmp_path / "out.html.part")
        assert page.is_complete
        assert page.names == [f"b{n}" for n in range(number + 1)]
        assert len(page.blocks) == number // 5 + 1
        assert page.raw.count(b"</html>") == 1
    writer.close()
    assert Page(tmp_path / "out.html").names == [f"b{n}" for n in range(23)]


@pytest.mark.parametrize("after", [False, True], ids=["before the bytes", "after the bytes"])
@pytest.mark.parametrize("count", [1, 5, 7], ids=["in the first chunk", "at its end", "in the second"])
def test_ctrl_c_in_a_flush_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, count: int
) -> None:
    monkeypatch.setattr("plugins.outputs.html_report.CHUNK_FINDINGS", 5)
    (writer,) = writers_for(["html"], tmp_path, "out", "1")
    for number in range(count - 1):
        writer.write(finding(f"b{number}"))
    monkeypatch.setattr(writer_module, "FLUSH_SECONDS", -1.0)
    original: Callable[[int, bytes], None] = writer._write_at
    interrupted: list[int] = []

    def interrupt(position: int, data: bytes) -> None:
        if after:
            original(position, data)
        if not interrupted:
            interrupted.append(position)
            raise KeyboardInterrupt
        original(position, data)

    monkeypatch.setattr(writer, "_write_at", interrupt)
    with pytest.raises(KeyboardInterrupt):
        writer.write(finding(f"b{count - 1}", check=OTHER_CHECK))
    writer.write(finding("last"))
    writer.close()
    page = Page(tmp_path / "out.html")
    assert page.is_complete
    assert page.names == [*(f"b{n}" for n in range(count)), "last"]
    defined = {check["id"] for check in page.defined("check")}
    assert {row["check"] for row in page.rows} <= defined


def unlike(number: int) -> Finding:
    """A finding as an account has them: random ids, a message that names them."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    name, rule = f"sg-{digest[:17]}", f"sgr-{digest[17:34]}"
    check = (CHECK, OTHER_CHECK)[number % 2]
    return Finding(
        check, STATUSES[number % 5], f"{name}: port {number % 65536} is open to 0.0.0.0/0 by rule {rule}", "123456789012",
        "acme", "default", "aws", f"eu-west-{number % 3}", name,
        f"arn:aws:ec2:eu-west-{number % 3}:123456789012:security-group/{name}", "AwsEc2SecurityGroup", NOW,
        tags={"team": digest[:3]},
    )  # fmt: skip


def write_many(path: Path, count: int) -> None:
    """A report of so many findings."""
    writer = HtmlWriter(path, account="123456789012")
    for number in range(count):
        writer.write(unlike(number))
        assert len(writer._buffer) < CHUNK_FINDINGS
    writer.close()


def test_a_hundred_thousand_findings_stay_small(tmp_path: Path) -> None:
    write_many(tmp_path / "out.html", 100_000)
    page = Page(tmp_path / "out.html")
    assert len(page.raw) < 15_000_000
    assert len(page.rows) == 100_000
    assert len(page.blocks) == 100_000 // CHUNK_FINDINGS
    assert len(page.definitions) == 3
    assert page.names[-1] == unlike(99_999).resource_id


def test_a_finding_is_on_disk_after_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (writer,) = writers_for(["html"], tmp_path, "out", "1")
    writer.write(finding("b1"))
    later = time.monotonic() + 1.1
    monkeypatch.setattr("plugins.outputs.writer.time.monotonic", lambda: later)
    writer.write(finding("b2"))
    assert Page(tmp_path / "out.html.part").names == ["b1", "b2"]
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_the_sources_are_plain_and_short() -> None:
    folder = Path(writer_module.__file__).with_name("html")
    assert sorted(path.name for path in folder.iterdir()) == sorted([*SCRIPTS, "report.css", "report.html"])
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 400
        assert not re.search(r"https?://(?!\\)", text.replace("/^https?:\\/\\/", ""))
        assert "</script" not in text or path.suffix == ".html"
