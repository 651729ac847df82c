"""--baseline and --fail-on-new: what an earlier report says of a run's findings."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.reporting.baseline import NEW, RESOLVED, UNCHANGED, compared, load
from selftests.conftest import ACCOUNT
from selftests.whole_runs import Emulator, Suite, start_emulator

REGION = "eu-west-1"
RUN = ["--check=check41,check43", f"--filter-region={REGION},us-east-1"]
FORMATS = "json,jsonl,csv,text,junit-xml,json-asff,html"


@pytest.mark.parametrize(
    ("status", "earlier", "mark"),
    [
        ("FAIL", "FAIL", UNCHANGED), ("PASS", "PASS", UNCHANGED), ("ERROR", "ERROR", UNCHANGED), ("INFO", "INFO", UNCHANGED),
        ("FAIL", "", NEW), ("PASS", "", NEW), ("FAIL", "PASS", NEW), ("FAIL", "ERROR", NEW), ("ERROR", "FAIL", NEW),
        ("FAIL", "WARNING", NEW), ("WARNING", "FAIL", UNCHANGED), ("WARNING", "PASS", NEW), ("INFO", "FAIL", NEW),
        ("PASS", "FAIL", RESOLVED), ("PASS", "WARNING", RESOLVED), ("PASS", "ERROR", NEW), ("PASS", "INFO", NEW),
    ],
)  # fmt: skip
def test_marks(status: str, earlier: str, mark: str) -> None:
    assert compared(status, earlier) == mark


def earlier(
    id: str, status: str = "FAIL", time: str = "2026-01-01T00:00:00Z", account: str = ACCOUNT
) -> dict[str, Any]:
    return {
        "Finding ID": id, "Status": status, "Account Number": account, "Check ID": "check43", "Region": REGION,
        "Resource ID": id, "Resource ARN": "", "Resource Type": "", "Message": "m", "Timestamp": time, "Groups": ["x"],
    }  # fmt: skip


def test_of_several_audits_of_an_account_the_newest_counts(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps([earlier("old"), earlier("older", time="2025-01-01T00:00:00Z")], indent=1)
    )
    (tmp_path / "b.jsonl").write_text(json.dumps(earlier("new", "Pass", time="2026-02-01T00:00:00Z")) + "\n\n")
    (tmp_path / "c.json").write_text(json.dumps([earlier("other", account="2")]))
    (tmp_path / "d.asff.json").write_text("[{}]")
    (tmp_path / "e.txt").write_text("no")
    found = load([tmp_path])
    assert (found[ACCOUNT].statuses, found[ACCOUNT].failed) == ({"new": "PASS"}, {})
    assert list(found["2"].failed) == ["other"]
    assert load([tmp_path / "b.jsonl", tmp_path / "a.json"])[ACCOUNT].statuses == {"new": "PASS"}
    assert load([tmp_path / "a.json"])[ACCOUNT].statuses == {"old": "FAIL"}


BAD = [
    ("x.json", b"", "x.json: not a json or jsonl report of this suite"),
    ("x.json", b"[1]", "x.json: not a json or jsonl report of this suite (Expected `object`, got `int` - at `$[0]`)"),
    ("x.json", b'[{"Status": "FAIL"}]', "missing required field `Finding ID`"),
    (
        "x.jsonl",
        json.dumps(earlier("a")).encode() + b'\n{"Finding ID": 3}\n',
        "x.jsonl, line 2: not a json or jsonl report",
    ),
    ("x.jsonl", b"\xff\xfe", "x.jsonl, line 1: not a json or jsonl report"),
    ("x.json", b"[" * 200_000, "x.json: not a json or jsonl report"),
    ("d", None, "d has no json or jsonl report"),
    ("missing.json", None, "missing.json cannot be read"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_baselines(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    (tmp_path / "d").mkdir()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(pytest.UsageError, match=re.escape(message)) as error:
        load([tmp_path / name])
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def world() -> Iterator[Emulator]:
    """An emulator of its own, since these tests change it."""
    found = start_emulator()
    yield found
    found.server.kill()


def group(world: Emulator, name: str) -> str:
    ec2 = world.client("ec2", REGION)
    id: str = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=id, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    return id


def marks(folder: Path) -> dict[tuple[str, str], str]:
    (file,) = folder.glob("*.jsonl")
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return {(one["Check ID"], one["Resource ID"]): f"{one['Status']} {one['Baseline']}" for one in found}


def test_a_run_is_compared_with_an_earlier_one(world: Emulator, suite: Suite) -> None:
    stays, mended, gone = (group(world, name) for name in ("stays", "mended", "gone"))
    ec2 = world.client("ec2", REGION)
    before = suite(*RUN, env=world.environment, formats="json,csv")
    (baseline,) = (file for file in before.folder.glob("*.json") if ".meta." not in file.name)
    assert "Baseline" not in json.loads(baseline.read_text())[0]

    same = suite(*RUN, f"--baseline={before.folder}", "--fail-on-new", env=world.environment)
    assert set(marks(same.folder).values()) == {"FAIL unchanged", "Pass unchanged"}
    assert same.code == 0, same.out
    assert "0 new failures" in same.out
    assert "exit code 0: every failure is in the baseline (--fail-on-new)" in same.out
    assert suite(*RUN, f"--baseline={baseline}", env=world.environment).code == 1

    ec2.revoke_security_group_ingress(GroupId=mended, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    ec2.delete_security_group(GroupId=gone)
    added = group(world, "added")
    tape = suite.folder / "tape"
    expected = {
        ("check41", stays): "FAIL unchanged", ("check41", mended): "Pass resolved", ("check41", gone): "Info resolved",
        ("check41", added): "FAIL new",
    }  # fmt: skip
    seen = []
    for arguments in (["-n", "0", f"--record={tape}"], ["-n", "2"]):
        done = suite(
            *RUN, *arguments, f"--baseline={baseline}", "--fail-on-new", env=world.environment, formats=FORMATS
        )
        assert done.code == 1
        found = marks(done.folder)
        assert {key: found[key] for key in expected} == expected
        assert {mark for key, mark in found.items() if key not in expected} == {"Pass unchanged", "FAIL unchanged"}
        assert "1 new failures, " in done.out
        assert ", 2 resolved (1 gone)" in done.out
        assert re.search(rf"new failures\n  high +check41 +{REGION}  {added}\n", done.out)
        assert f"{gone} (gone)" in done.out
        assert_in_every_format(done.folder, {gone: "resolved", added: "new", stays: "unchanged"})
        seen.append(found)
    assert seen[0] == seen[1]

    for arguments in (
        ["--check=check43"],
        [*RUN, "--filter-region=us-east-1"],
        [*RUN, "--max-items=1"],
        [*RUN, "-k", "default"],
    ):
        partial = suite(*arguments, f"--replay={tape}", f"--baseline={baseline}", "--only-fails", env=world.environment)
        assert "gone" not in partial.out, arguments
        assert re.search(r"\d failures of the baseline are not among what this run looked at", partial.out)
    closed = suite(*RUN, f"--replay={tape}", f"--baseline={baseline}", "--fail-on-new", "-x", env=world.environment)
    assert closed.code == 1
    assert "gone" not in closed.out


def assert_in_every_format(folder: Path, expected: dict[str, str]) -> None:
    with next(folder.glob("*.csv")).open(newline="") as file:
        rows = list(csv.DictReader(file))
    text = next(folder.glob("*.txt")).read_text()
    asff = {
        one["ProductFields"]["ResourceName"]: one["ProductFields"]["Baseline"]
        for one in json.loads(next(folder.glob("*.asff.json")).read_text())
    }
    cases = ET.parse(next(folder.rglob("*.xml"))).findall(".//testcase")
    for id, mark in expected.items():
        assert {row["BASELINE"] for row in rows if row["RESOURCE_ID"] == id and row["CHECK_ID"] == "check41"} == {mark}
        assert re.search(rf"{id} - .* \[{mark}\]\n", text)
        told = [case.findtext("system-out", "") for case in cases if id in case.get("name", "")]
        assert any(f"\nbaseline: {mark}" in one for one in told)
        assert asff.get(id, mark) == mark or mark == "new"
    assert next(folder.glob("*.html")).stat().st_size


def test_bad_input_ends_in_one_line(suite: Suite) -> None:
    bad = suite.folder / "x.json"
    bad.write_text("[{}]")
    for arguments, message in (
        ([f"--baseline={bad}"], f"ERROR: --baseline: {bad}: not a json or jsonl report"),
        (["--fail-on-new"], "ERROR: --fail-on-new needs --baseline"),
    ):
        done = suite(*arguments)
        assert done.code == 4
        assert done.err.startswith(message)
        assert done.err.strip().count("\n") == 0
