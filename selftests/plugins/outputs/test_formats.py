"""The report writers: hostile names survive, files are complete at every moment, the same findings make the same bytes."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding, properties_of, unpacked
from plugins.findings.verdict import STATUSES, Status
from plugins.outputs import writer as writer_module
from plugins.outputs.csv_report import COLUMNS, FORMULA_STARTS
from plugins.outputs.formats import FORMATS as REGISTER
from plugins.outputs.formats import Format, writers_for
from plugins.outputs.junit_report import xml
from plugins.outputs.run_facts import Coverage, RunFacts
from plugins.outputs.text_report import render_heading, render_line
from plugins.outputs.writer import report_name
from plugins.suite import ROOT
from plugins.text import visible

FORMATS = ["csv", "json", "jsonl", "json-asff", "junit-xml", "text", "mono", "html"]
CHECK = Check(
    number="7.3",
    id="extra73", title="S3 buckets are not public", severity="critical", service="s3", resource_type="AwsS3Bucket",
    remediation="Block public access.", url="https://docs.aws.amazon.com/x", command="aws s3api x", level="Extra",
    scored=False, finding_type="t", kind="bucket", settings={}, function=lambda: None,
)  # fmt: skip
OTHER_CHECK = replace(CHECK, id="check14", number="1.4", title="Access keys are rotated", level="Level 1", scored=True)
NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
HOSTILE = [
    'quo"te', "it's", "<script>alert(1)</script>", "two\nlines", "a::b[c]", "=1+2", "+x", "-x", "@x", "\tx", "comma,semi;",
    "\x1b[31mred\x1b[0m", "\x9b31m", "nul\x00", "\u202edlrow", "\u2028\x85", "Ünïcødé 漢字 🙂", "]]>", "&amp;", "\ud800",
    "\ufffe", "\r\n", "%s {0} \\n", "",
]  # fmt: skip
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec=None), max_size=12))


def finding(
    name: str, status: Status = "FAIL", message: str = "the ACL grants access", check: Check = CHECK
) -> Finding:
    return Finding(
        check, status, message, "123456789012", "", "default", "aws", "eu-west-1", name, f"arn:aws:s3:::{name}",
        "AwsS3Bucket", NOW, nodeid=f"t.py::t[{name}]",
    )  # fmt: skip


def write(folder: Path, findings: list[Finding], formats: list[str] = FORMATS, account: str = "1") -> dict[str, Path]:
    writers = writers_for(formats, folder, "out", account)
    for one in findings:
        for writer in writers:
            writer.write(one)
    for writer in writers:
        writer.close()
        writer.close()
    assert not list(folder.rglob("*.part"))
    return dict(zip(formats, (writer.path for writer in writers), strict=True))


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read(path).splitlines()]


# What junit-10.xsd of Jenkins' xunit plugin allows, with "error" as Jenkins, GitLab and pytest have it.
ATTRIBUTES = {
    "testsuite": {"name", "tests", "failures", "errors", "skipped"}, "testcase": {"name", "classname"},
    "failure": {"message", "type"}, "error": {"message", "type"}, "skipped": {"message", "type"}, "system-out": set(),
    "properties": set(), "property": {"name", "value"},
}  # fmt: skip
CHILDREN = {
    "testsuite": {"testcase", "properties", "system-out"}, "testcase": {"failure", "error", "skipped", "system-out"},
    "properties": {"property"},
}  # fmt: skip


def refuse_unknown_markup(suite: ET.Element) -> None:
    for element in suite.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())


def read_suite(path: Path) -> list[ET.Element]:
    """The testcases, after a look at the suite's counts."""
    suite = ET.parse(path).getroot()
    cases = suite.findall("testcase")
    refuse_unknown_markup(suite)
    outcomes = [case[0].tag for case in cases]
    assert len({case.get("name") for case in cases}) == len(cases), "names repeat"
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(cases)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }
    return cases


def without_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def from_xml(text: str) -> str:
    return ET.fromstring(f'<x y="{xml(text)}"/>').get("y", "")


def in_a_cell(text: str) -> str:
    return without_surrogates("'" + text if text.startswith(FORMULA_STARTS) else text)


def test_every_format_has_every_finding(tmp_path: Path) -> None:
    findings = [finding(name, status) for name in HOSTILE for status in STATUSES]
    files = write(tmp_path, findings)
    assert {kind: str(path.relative_to(tmp_path)) for kind, path in files.items()} == {
        "csv": "out.csv", "json": "out.json", "jsonl": "out.jsonl", "junit-xml": "junit-reports/out.xml",
        "json-asff": "out.asff.json", "html": "out.html", "text": "out.txt", "mono": "out.mono.txt",
    }  # fmt: skip
    assert len(read_csv(files["csv"])) == len(findings)
    assert len(json.loads(read(files["json"]))) == len(findings)
    assert len(read_jsonl(files["jsonl"])) == len(findings)
    assert len(json.loads(read(files["json-asff"]))) == 3 * len(HOSTILE)  # neither INFO nor ERROR
    assert [case[0].tag for case in read_suite(files["junit-xml"])] == len(HOSTILE) * [
        "system-out", "failure", "skipped", "skipped", "error",
    ]  # fmt: skip
    for kind in ("text", "mono"):
        assert len(read(files[kind]).splitlines()) == len(findings) + 3


def test_mono_alone_is_a_txt_file(tmp_path: Path) -> None:
    assert write(tmp_path, [], ["mono"])["mono"].name == "out.txt"


def test_csv_columns_and_values(tmp_path: Path) -> None:
    path = write(tmp_path, [finding("b1"), finding("b2", check=OTHER_CHECK)], ["csv"])["csv"]
    rows = read_csv(path)
    assert tuple(rows[0]) == COLUMNS
    assert rows[0] == {
        "PROFILE": "default", "ACCOUNT_NUM": "123456789012", "REGION": "eu-west-1", "TITLE_ID": "7.3", "RESULT": "FAIL",
        "SCORED": "Not Scored", "LEVEL": "Extra", "TITLE_TEXT": "S3 buckets are not public", "NOTES": "the ACL grants access",
        "CHECK_ID": "extra73", "SEVERITY": "critical", "SERVICE": "s3", "RESOURCE_ID": "b1",
        "RESOURCE_ARN": "arn:aws:s3:::b1", "RESOURCE_TYPE": "AwsS3Bucket", "GROUPS": "extras|hipaa|internet-exposed",
        "REMEDIATION": "Block public access.", "DOC": "https://docs.aws.amazon.com/x", "FINDING_ID": finding("b1").id,
        "TIMESTAMP": "2026-03-01T12:00:05Z", "BASELINE": "",
    }  # fmt: skip
    assert (rows[1]["TITLE_ID"], rows[1]["SCORED"], rows[1]["LEVEL"]) == ("1.4", "Scored", "Level 1")
    raw = path.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_csv_values_are_no_formulas(tmp_path: Path, start: str) -> None:
    row = read_csv(write(tmp_path, [finding(start + "cmd", message=start + '1,"')], ["csv"])["csv"])[0]
    assert row["RESOURCE_ID"] == f"'{start}cmd"
    assert row["NOTES"] == f"'{start}1,\""


def test_json_keys_and_statuses(tmp_path: Path) -> None:
    objects = json.loads(read(write(tmp_path, [finding("b", s) for s in STATUSES], ["json"])["json"]))
    assert list(objects[1].items()) == [
        ("Profile", "default"), ("Account Number", "123456789012"), ("Control", "S3 buckets are not public"),
        ("Message", "the ACL grants access"), ("Status", "FAIL"), ("Scored", "Not Scored"), ("Level", "Extra"),
        ("Control ID", "7.3"), ("Region", "eu-west-1"), ("Timestamp", "2026-03-01T12:00:05Z"), ("Check ID", "extra73"),
        ("Severity", "critical"), ("Service", "s3"), ("Resource ID", "b"), ("Resource ARN", "arn:aws:s3:::b"),
        ("Resource Type", "AwsS3Bucket"), ("Groups", ["extras", "hipaa", "internet-exposed"]),
        ("Remediation", {"Text": "Block public access.", "Url": "https://docs.aws.amazon.com/x", "Command": "aws s3api x"}),
        ("Finding ID", finding("b").id),
    ]  # fmt: skip
    assert [one["Status"] for one in objects] == ["Pass", "FAIL", "Info", "WARNING", "ERROR"]


def test_junit_testcases(tmp_path: Path) -> None:
    findings = [replace(finding("b", status, "two\nlines"), resource_key=f"key {status}") for status in STATUSES]
    cases = read_suite(write(tmp_path, findings, ["junit-xml"], "999")["junit-xml"])
    for case, one in zip(cases, findings, strict=True):
        same = f" {one.id[-16:]}" if one is not findings[0] else ""
        name = f"extra73 S3 buckets are not public - b (123456789012 eu-west-1){same}"
        assert case.attrib == {"classname": "auditest.s3", "name": name}
        told = dict(line.split(": ", 1) for line in str(case[-1].text).splitlines() if ": " in line)
        assert told == {**dict(properties_of(one)), "number": "7.3", "resource": "b"}
    results = {one.status: case[0] for case, one in zip(cases, findings, strict=True)}
    assert [(s, results[s].tag, results[s].get("message")) for s in STATUSES] == [
        ("PASS", "system-out", None), ("FAIL", "failure", "two\nlines"), ("INFO", "skipped", "two\nlines"),
        ("WARNING", "skipped", "two\nlines"), ("ERROR", "error", "two\nlines"),
    ]  # fmt: skip
    assert str(results["PASS"].text).startswith("two\nlines\ncheck: extra73\n")
    assert results["FAIL"].text == results["ERROR"].text == "two\nlines"
    assert ET.parse(tmp_path / "junit-reports" / "out.xml").getroot().get("name") == "auditest 999"


FACTS = RunFacts(
    version="1.2", account="1", account_name="<b>", identity="arn:aws:sts::1:assumed-role/\u202e<script>/x",
    regions=["eu-west-1", "us-east-1"], started="2026-03-01T12:00:05Z", duration_seconds=7, finished=False,
    coverage=Coverage(checks=2, fully_evaluated=0, not_finished=["check14"], narrowed={"extra73": "1 of 41"},
                      narrowed_by="only some of the resources were selected"),
    said="0 of 2 checks fully evaluated; not finished: check14; narrowed: extra73 (1 of 41)",
    findings={"FAIL": 1},
)  # fmt: skip
LINES = [
    ("suite", "auditest 1.2"), ("identity", "arn:aws:sts::1:assumed-role/\\u202e<script>/x"),
    ("regions", "eu-west-1, us-east-1"), ("started", "2026-03-01T12:00:05Z"), ("duration", "7 s"),
    ("finished", "no: the run did not finish, this report is incomplete"), ("coverage", FACTS.said),
]  # fmt: skip


@pytest.mark.parametrize("names", [[], ["b1"], ["b1", "b2"]])
def test_every_report_says_who_asked_and_how_much_was_evaluated(tmp_path: Path, names: list[str]) -> None:
    writers = writers_for(FORMATS, tmp_path, "out", "1", facts=True)
    for name in names:
        for writer in writers:
            writer.write(finding(name))
            writer.flush()
    assert json.loads(read(tmp_path / "out.meta.json.part")) is None
    for writer in writers:
        writer.close(FACTS)
    files = dict(zip([*FORMATS, "facts"], (writer.path for writer in writers), strict=True))
    assert files["facts"] == tmp_path / "out.meta.json"
    assert json.loads(read(files["facts"])) == msgspec.to_builtins(FACTS)
    assert len(json.loads(read(files["json"]))) == len(read_jsonl(files["jsonl"])) == len(names)
    assert len(read_csv(files["csv"])) == len(names)
    suite = ET.parse(files["junit-xml"]).getroot()
    assert len(read_suite(files["junit-xml"])) == len(names)
    assert [(one.get("name"), one.get("value")) for one in suite.findall("properties/property")] == LINES
    for kind in ("text", "mono"):
        assert read(files[kind]).splitlines()[-len(LINES) :] == [f"{name}: {value}" for name, value in LINES]
    page = read(files["html"])
    (packed,) = re.findall(r'<script type="text/plain" id="run">(.*)</script>\n</body>\n</html>\n$', page)
    shown = json.loads(base64.b64decode(packed))
    assert shown == {**dict(LINES), "regions": FACTS.regions, "finished": False}


def test_a_report_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(FileExistsError):
        writers_for(["csv", "json"], tmp_path, "out", "1", exclusive=True)
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]
    assert read(tmp_path / "out.json") == "mine"


def test_text_is_the_classic_report(tmp_path: Path) -> None:
    findings = [finding("b1", "PASS", "closed"), finding("b2"), finding("k", "ERROR", "denied", OTHER_CHECK)]
    files = write(tmp_path, findings, ["text", "mono"])
    assert read(files["mono"]) == (
        "auditest report of account 1\n"
        "\n 7.3  S3 buckets are not public\n"
        " PASS!  eu-west-1: b1 - closed\n"
        " FAIL!  eu-west-1: b2 - the ACL grants access\n"
        "\n 1.4  Access keys are rotated\n"
        " ERROR!  eu-west-1: k - denied\n"
    )
    assert " \x1b[32mPASS!\x1b[0m  eu-west-1: b1 - closed\n" in read(files["text"])
    assert render_heading(CHECK, True) == "\x1b[1m 7.3  S3 buckets are not public\x1b[0m"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202edlrow", "\\u202edlrow"),
        ("a\nb\r\tc\u2028", "a\\nb\\r\\tc\\u2028"),
        ("\ud800", "\\ud800"),
        ("漢字 ü", "漢字 ü"),
    ],
)
def test_a_line_cannot_command_the_terminal(name: str, shown: str) -> None:
    assert visible(name) == shown
    line = render_line(finding(name, message=name), colour=False)
    assert line == f" FAIL!  eu-west-1: {shown} - {shown}"


def test_files_without_findings_are_valid(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    assert json.loads(read(files["json"])) == []
    assert read(files["jsonl"]) == ""
    assert read(files["csv"]) == ",".join(COLUMNS) + "\r\n"
    assert read_suite(files["junit-xml"]) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=5), message=NAMES, status=st.sampled_from(STATUSES), account=NAMES)
@example(names=HOSTILE, message='\r"=\ud800,', status="FAIL", account='"/><x>')
def test_any_name_survives_every_format(
    tmp_path: Path, names: list[str], message: str, status: Status, account: str
) -> None:
    findings = [replace(finding(n, status, message), account=account, profile=message) for n in names]
    files = write(tmp_path, findings, account=account)
    objects = json.loads(read(files["json"]))
    assert objects == read_jsonl(files["jsonl"])
    assert [(one["Resource ID"], one["Message"], one["Account Number"]) for one in objects] == [
        tuple(map(without_surrogates, (name, message, account))) for name in names
    ]
    assert [(row["RESOURCE_ID"], row["NOTES"], row["PROFILE"]) for row in read_csv(files["csv"])] == [
        tuple(map(in_a_cell, (name, message, message))) for name in names
    ]
    cases = read_suite(files["junit-xml"])
    for case, name in zip(cases, names, strict=True):
        assert str(case.get("name")).startswith(f"extra73 {CHECK.title} - {from_xml(name)} ({from_xml(account)} ")
    for kind in ("mono", "text"):
        lines = read(files[kind]).splitlines()
        assert len(lines) == len(names) + (3 if names else 1)
        assert lines[3:] == [render_line(one, kind == "text") for one in findings]
    assert "\x1b" not in read(files["mono"])


@given(text=st.text(st.characters(codec=None)))
@example(text="\t\n\r <>&\"'")
@example(text="\x00\ud800\ufffe")
def test_xml_keeps_what_it_can_carry_and_shows_the_rest(text: str) -> None:
    legal = all(c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" for c in text)
    back = from_xml(text)
    assert back == ET.fromstring(f"<x>{xml(text)}</x>").text if text else back == ""
    assert (back == text) is legal


def test_the_same_findings_make_the_same_bytes(tmp_path: Path) -> None:
    findings = [finding(name) for name in HOSTILE]
    again = [replace(one, duration=1.5) for one in findings]
    first = {kind: path.read_bytes() for kind, path in write(tmp_path / "a", findings).items()}
    assert {kind: path.read_bytes() for kind, path in write(tmp_path / "b", again).items()} == first


def parts(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.rglob("*.part")}


def test_files_are_complete_after_every_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FLUSH_SECONDS", -1.0)
    writers = writers_for(FORMATS, tmp_path, "out", "1")
    for number in range(12):
        for writer in writers:
            writer.write(finding(f"b{number}", STATUSES[number % 5]))
        found = parts(tmp_path)
        assert len(found) == len(FORMATS)
        assert len(json.loads(read(found["out.json.part"]))) == number + 1
        assert len(read_jsonl(found["out.jsonl.part"])) == number + 1
        assert len(read_csv(found["out.csv.part"])) == number + 1
        assert len(read_suite(found["out.xml.part"])) == number + 1
    for writer in writers:
        writer.discard()
    assert parts(tmp_path) == {}


def test_memory_is_bounded(tmp_path: Path) -> None:
    (writer,) = writers_for(["json"], tmp_path, "out", "1")
    for number in range(writer_module.FLUSH_FINDINGS + 10):
        writer.write(finding(f"b{number}"))
        assert len(writer._buffer) < writer_module.FLUSH_FINDINGS
    assert len(json.loads(read(tmp_path / "out.json.part"))) >= writer_module.FLUSH_FINDINGS
    writer.close()


@pytest.mark.parametrize("after", [False, True], ids=["before the bytes", "after the bytes"])
@pytest.mark.parametrize("interrupted", [1, 2], ids=["at the findings", "at the head"])
def test_ctrl_c_in_a_flush_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, interrupted: int
) -> None:
    writers = writers_for(FORMATS, tmp_path, "out", "1")
    for writer in writers:
        writer.write(finding("b1"))
        writer.flush()
        writer.write(finding("b2"))
        original: Callable[[int, bytes], None] = writer._write_at
        calls = []

        def interrupt(position: int, data: bytes) -> None:
            calls.append(position)  # noqa: B023
            if len(calls) == interrupted:  # noqa: B023
                if after:
                    original(position, data)  # noqa: B023
                raise KeyboardInterrupt
            original(position, data)  # noqa: B023

        monkeypatch.setattr(writer, "_write_at", interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.flush()
        writer.write(finding("b3"))
        writer.close()
    names = ["b1", "b2", "b3"]
    assert [one["Resource ID"] for one in json.loads(read(tmp_path / "out.json"))] == names
    assert [one["Resource ID"] for one in read_jsonl(tmp_path / "out.jsonl")] == names
    assert [one["RESOURCE_ID"] for one in read_csv(tmp_path / "out.csv")] == names
    assert len(read_suite(tmp_path / "junit-reports" / "out.xml")) == 3


# It is killed while it waits: SIGKILL in the middle of a write may tear the last record, whatever the program does.
KILLED = """
import sys, time
from pathlib import Path
from selftests.plugins.outputs.test_formats import FORMATS, finding
from plugins.outputs.formats import writers_for
writers = writers_for(FORMATS, Path(sys.argv[1]), "out", "1")
for number in range(6000):  # of which 999 may wait, however the time falls that also makes them written
    for writer in writers:
        writer.write(finding(f"b{number}"))
print("written", flush=True)
time.sleep(60)
"""


def test_a_killed_run_leaves_complete_files(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    found = parts(tmp_path)
    assert len(json.loads(read(found["out.json.part"]))) >= 5000
    assert len(read_jsonl(found["out.jsonl.part"])) >= 5000
    assert len(read_csv(found["out.csv.part"])) >= 5000
    assert len(ET.parse(found["out.xml.part"]).findall("testcase")) >= 5000


def test_a_finding_is_on_disk_after_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (writer,) = writers_for(["jsonl"], tmp_path, "out", "1")
    part = tmp_path / "out.jsonl.part"
    writer.write(finding("b1"))
    assert read_jsonl(part) == []
    later = time.monotonic() + 1.1
    monkeypatch.setattr("plugins.outputs.writer.time.monotonic", lambda: later)
    writer.write(finding("b2"))
    assert len(read_jsonl(part)) == 2
    writer.close()


def test_nothing_is_lost_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, full = (writers_for(["json"], tmp_path, name, "1")[0] for name in ("closed", "full"))
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        closed.write(finding("b"))

    def no_space(position: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    full.write(finding("b"))
    monkeypatch.setattr(full, "_write_at", no_space)
    with pytest.raises(OSError, match="No space left"):
        full.close()
    assert not (tmp_path / "full.json").exists()
    assert json.loads(read(tmp_path / "full.json.part")) == []


def test_no_half_set_of_writers(tmp_path: Path) -> None:
    (tmp_path / "junit-reports").write_text("in the way")
    with pytest.raises(OSError, match="junit-reports"):
        writers_for(["csv", "junit-xml"], tmp_path, "out", "1")
    assert parts(tmp_path) == {}
    with pytest.raises(KeyError):
        writers_for(["csv", "pdf"], tmp_path, "out", "1")
    assert parts(tmp_path) == {}


def test_every_writer_is_registered() -> None:
    kinds = [one.load() for one in REGISTER.values()]
    assert sorted(REGISTER) == sorted(FORMATS)
    assert len(set(kinds)) == len(kinds)
    for wrong, error in (("plugins.outputs.formats:Format", TypeError), ("plugins.outputs.nowhere:X", ImportError)):
        with pytest.raises(error, match=r"is not a Writer|nowhere"):
            Format(name="x", ending=".x", writer=wrong).load()


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (["mono"], ["out.txt"]),
        (["text", "mono"], ["out.txt", "out.mono.txt"]),
        (["mono", "text", "csv"], ["out.mono.txt", "out.txt", "out.csv"]),
    ],
)
def test_two_formats_never_share_a_file(formats: list[str], names: list[str], tmp_path: Path) -> None:
    files = write(tmp_path, [finding("a")], formats)
    assert [file.name for file in files.values()] == names
    assert all("the ACL grants access" in read(file) for file in files.values())


def test_report_names_are_file_names(tmp_path: Path) -> None:
    assert report_name("123456789012", NOW) == "auditest-output-123456789012-20260301120005"
    assert report_name("my.profile_1", NOW) == "auditest-output-my.profile_1-20260301120005"
    odd = [*HOSTILE, "../../etc/passwd", ".._.._etc_passwd", "a/b", "a_b", "a b", "x" * 300, "x" * 301]
    names = [report_name(account, NOW) for account in odd]
    assert len(set(names)) == len(odd)
    for name in names:
        path = write(tmp_path, [], ["csv"])["csv"]
        os.replace(path, tmp_path / f"{name}.csv")
    assert len(list(tmp_path.iterdir())) == len(odd)


def test_timestamps_are_utc(tmp_path: Path) -> None:
    local = datetime(2026, 3, 1, 14, 0, 5, 999, timezone(timedelta(hours=2)))
    row = read_csv(write(tmp_path, [replace(finding("b"), timestamp=local)], ["csv"])["csv"])[0]
    assert row["TIMESTAMP"] == "2026-03-01T12:00:05Z"


def test_finding_ids_are_stable_and_travel() -> None:
    one = finding("b1")
    digest = hashlib.sha256(b"arn:aws:s3:::b1").hexdigest()[:16]
    assert one.id == f"auditest-extra73-123456789012-eu-west-1-{digest}"
    assert replace(one, status="PASS", message="x").id == one.id
    assert finding("b2").id != one.id
    assert unpacked(CHECK, json.loads(json.dumps(one.packed()))) == one
