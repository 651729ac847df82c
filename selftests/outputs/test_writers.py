"""The report writers: hostile names survive, files are complete at every moment, the same findings make the same bytes."""

from __future__ import annotations

import csv
import hashlib
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.catalog import Check
from plugins.evaluation import STATUSES, Status
from plugins.findings import Finding, unpacked
from plugins.outputs.base import report_name, writers_for
from plugins.outputs.csv_report import COLUMNS
from plugins.outputs.text_report import render_line

FORMATS = ["csv", "json", "jsonl", "junit-xml", "text", "mono"]
CHECK = Check(
    id="extra73", title="S3 buckets are not public", severity="critical", service="s3", resource_type="AwsS3Bucket",
    remediation="Block public access.", url="https://docs.aws.amazon.com/x", command="aws s3api x", level="Extra",
    scored=False, finding_type="t", kind="bucket", settings={}, function=lambda: None,
)  # fmt: skip
NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
HOSTILE = [
    'quo"te', "it's", "<script>alert(1)</script>", "two\nlines", "a::b[c]", "=1+2", "+x", "-x", "@x", "\tx", "comma,semi;",
    "\x1b[31mred\x1b[0m", "nul\x00", "\u202edlrow", "Ünïcødé 漢字 🙂", "]]>", "&amp;", "\ud800", "\r\n", "%s {0} \\n", "",
]  # fmt: skip


def finding(
    name: str, status: Status = "FAIL", message: str = "the ACL grants access", check: Check = CHECK
) -> Finding:
    return Finding(
        check, status, message, "123456789012", "", "default", "aws", "eu-west-1", name, f"arn:aws:s3:::{name}",
        "AwsS3Bucket", NOW, nodeid=f"t.py::t[{name}]",
    )  # fmt: skip


def write(folder: Path, findings: list[Finding], formats: list[str] = FORMATS) -> dict[str, Path]:
    writers = writers_for(formats, folder, "out", "123456789012")
    for one in findings:
        for writer in writers:
            writer.write(one)
    for writer in writers:
        writer.close()
        writer.close()
    assert not list(folder.rglob("*.part"))
    return dict(zip(formats, (writer.path for writer in writers), strict=True))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_every_format_has_every_finding(tmp_path: Path) -> None:
    findings = [finding(name, status) for name in HOSTILE for status in STATUSES]
    files = write(tmp_path, findings)
    assert files["csv"].name == "out.csv"
    assert files["mono"].name == "out.mono.txt"
    assert files["junit-xml"].parent.name == "junit-reports"
    rows = read_csv(files["csv"])
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(findings)
    objects = json.loads(files["json"].read_text())
    assert [one["Resource ID"] for one in objects] == [one.resource_id for one in findings]
    assert objects == [json.loads(line) for line in files["jsonl"].read_text().splitlines()]
    suite = ET.parse(files["junit-xml"]).getroot()
    assert len(suite.findall("testcase")) == len(findings)
    n = len(HOSTILE)
    assert {k: int(suite.get(k, "")) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": 5 * n, "failures": n, "errors": n, "skipped": 2 * n,
    }  # fmt: skip
    for kind in ("text", "mono"):
        lines = files[kind].read_text().splitlines()
        assert sum("! eu-west-1:" in line or "!\x1b[0m eu-west-1:" in line for line in lines) == len(findings)
    assert "\x1b" not in files["mono"].read_text()


def test_csv_columns_and_values(tmp_path: Path) -> None:
    row = read_csv(write(tmp_path, [finding("b1")], ["csv"])["csv"])[0]
    assert row == {
        "PROFILE": "default", "ACCOUNT_NUM": "123456789012", "REGION": "eu-west-1", "TITLE_ID": "7.3", "RESULT": "FAIL",
        "SCORED": "Not Scored", "LEVEL": "Extra", "TITLE_TEXT": "S3 buckets are not public", "NOTES": "the ACL grants access",
        "CHECK_ID": "extra73", "SEVERITY": "critical", "SERVICE": "s3", "RESOURCE_ID": "b1",
        "RESOURCE_ARN": "arn:aws:s3:::b1", "RESOURCE_TYPE": "AwsS3Bucket", "GROUPS": "extras|hipaa|internet-exposed",
        "REMEDIATION": "Block public access.", "DOC": "https://docs.aws.amazon.com/x", "FINDING_ID": finding("b1").id,
        "TIMESTAMP": "2026-03-01T12:00:05+00:00",
    }  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_values_are_no_formulas(tmp_path: Path, start: str) -> None:
    row = read_csv(write(tmp_path, [finding(start + "cmd", message=start + "1")], ["csv"])["csv"])[0]
    assert row["RESOURCE_ID"] == f"'{start}cmd"
    assert row["NOTES"] == f"'{start}1"


def test_json_keys_and_statuses(tmp_path: Path) -> None:
    objects = json.loads(write(tmp_path, [finding("b", s) for s in STATUSES], ["json"])["json"].read_text())
    assert list(objects[0]) == [
        "Profile", "Account Number", "Control", "Message", "Status", "Scored", "Level", "Control ID", "Region", "Timestamp",
        "Check ID", "Severity", "Service", "Groups", "Remediation", "Resource ID", "Resource ARN", "Resource Type", "Finding ID",
    ]  # fmt: skip
    assert [one["Status"] for one in objects] == ["Pass", "FAIL", "Info", "WARNING", "ERROR"]
    assert objects[0]["Groups"] == ["extras", "hipaa", "internet-exposed"]
    assert objects[0]["Remediation"] == {
        "Text": "Block public access.", "Url": "https://docs.aws.amazon.com/x", "Command": "aws s3api x",
    }  # fmt: skip


def test_files_without_findings_are_valid(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    assert json.loads(files["json"].read_text()) == []
    assert read_csv(files["csv"]) == []
    assert ET.parse(files["junit-xml"]).getroot().get("tests") == "0"


def test_files_are_complete_after_every_flush(tmp_path: Path) -> None:
    writers = writers_for(["json", "junit-xml"], tmp_path, "out", "1")
    for number in range(12):
        for writer in writers:
            writer.write(finding(f"b{number}"))
            writer.flush()
        assert len(json.loads((tmp_path / "out.json.part").read_text())) == number + 1
        suite = ET.parse(tmp_path / "junit-reports" / "out.xml.part").getroot()
        assert suite.get("tests") == str(number + 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(st.characters(codec=None), max_size=12), min_size=1, max_size=5),
    message=st.text(max_size=20),
)
def test_any_name_survives_every_format(tmp_path: Path, names: list[str], message: str) -> None:
    findings = [finding(name, "FAIL", message) for name in names]
    files = write(tmp_path, findings)
    assert [one["Resource ID"] for one in json.loads(files["json"].read_text())] == names
    assert len(files["jsonl"].read_text().split("\n")) == len(names) + 1
    assert len(read_csv(files["csv"])) == len(names)
    assert len(ET.parse(files["junit-xml"]).findall("testcase")) == len(names)
    assert files["mono"].read_text().count("FAIL! eu-west-1:") >= len(names)
    assert {name: path.read_bytes() for name, path in write(tmp_path, findings).items()} == {
        name: path.read_bytes() for name, path in files.items()
    }


def test_a_line_cannot_command_the_terminal() -> None:
    line = render_line(finding("\x1b]0;title\x07", message="a\nb"), colour=False)
    assert line == "    FAIL! eu-west-1: \\x1b]0;title\\x07 - a\\nb"


def test_report_names_are_file_names() -> None:
    assert report_name("123456789012", NOW) == "auditest-output-123456789012-20260301120005"
    assert report_name("../../etc/passwd", NOW) == "auditest-output-.._.._etc_passwd-20260301120005"


def test_finding_ids_are_stable_and_travel() -> None:
    one = finding("b1")
    digest = hashlib.sha256(b"arn:aws:s3:::b1").hexdigest()[:16]
    assert one.id == f"auditest-extra73-123456789012-eu-west-1-{digest}"
    assert replace(one, status="PASS", message="x").id == one.id
    assert finding("b2").id != one.id
    assert unpacked(CHECK, json.loads(json.dumps(one.packed()))) == one
