"""Joining shards: what is no whole is refused in one line, and findings survive the way."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fixtures.recording.reader import AccountFacts
from plugins import merge
from plugins.at_scale.account_record import AccountRecord, Counts, RecordedPart, described
from plugins.at_scale.findings_file import FindingsFileWriter, findings_in, packed_check, unpacked_check
from plugins.at_scale.manifest import Manifest, RollUp, name_of, write
from plugins.catalog.checks import Check
from plugins.catalog.framework_files import Framework, Requirement
from plugins.catalog.groups import use_folders
from plugins.compliance.frameworks import as_check
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered
from plugins.findings.verdict import Status
from plugins.outputs.formats import writers_for

JUDGE = "tests_compliance/test_requirements.py::test_requirement"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SELECTION = {"checks": ["check43"], "requirements": [], "accounts": ["1", "2"], "shards": 2, "--config": None}


def a_finding(check: Check) -> Finding:
    return Finding(
        check=check, status="FAIL", message="ä\ud800\n<b>", account="1", account_name="n", profile="p", partition="aws",
        region="eu-west-1", resource_id="sg-1", resource_arn="arn:aws:ec2:eu-west-1:1:security-group/sg-1",
        resource_type="AwsEc2SecurityGroup", timestamp=NOW, nodeid="t::t[x]", tags={"a": "b"}, resource_key="k",
        account_unit="u", accepted="why", entries=(1, 2), baseline="new",
    )  # fmt: skip


def test_findings_survive_the_way(checks: dict[str, Check], tmp_path: Path) -> None:
    findings = [a_finding(checks["check43"]), numbered(a_finding(checks["check11"])), a_finding(checks["check43"])]
    findings[2] = replace(findings[2], resource_id="sg-2", baseline="")
    writer = FindingsFileWriter(tmp_path / "x.findings", account="1")
    for finding in findings:
        writer.write(finding)
    writer.close()
    arrived = list(findings_in(writer.path))
    for there, here in zip(arrived, findings, strict=True):
        assert replace(there, check=here.check) == here
        assert packed_check(there.check) == packed_check(here.check)
        assert (there.id, there.groups) == (here.id, here.groups)


@pytest.fixture
def shards(checks: dict[str, Check], tmp_path: Path) -> list[tuple[Path, Manifest]]:
    """The manifests of two shards with an account each, and their folders with a report each."""
    found = []
    for number, account in ((1, "1"), (2, "2")):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        (folder / f"{account}.csv").write_text(f"report of {account}\n")
        manifest = Manifest(
            number=number, of=2, started=NOW, exit=number - 1, fail_on=None, formats=["csv"], with_score=False,
            only_fails=False, numbered=False, selection={**SELECTION, "shard": number},
            checks=[packed_check(checks["check43"])], requirements=[],
            accounts=[
                AccountRecord(account, ["r1", "r2"], described(folder, [folder / f"{account}.csv"]),
                         Counts(checks={"check43": {"FAIL": 2, "PASS": 1}}, examples={"check43": ["a", "b"]}))
            ],
        )  # fmt: skip
        found.append((folder, manifest))
    return found


def joined(shards: list[tuple[Path, Manifest]], out: Path) -> int:
    for folder, manifest in shards:
        write(folder / name_of(manifest.number, manifest.of), manifest)
    return merge.main([str(out), *dict.fromkeys(str(folder) for folder, _ in shards)])


def test_a_whole_is_copied_and_counted(
    shards: list[tuple[Path, Manifest]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert joined(shards, tmp_path / "out") == 1
    out = capsys.readouterr().out
    assert "4 of 6" in out
    assert "6 findings: PASS 2  FAIL 4" in out
    assert "merged 2 shards, started 2026-01-01 00:00:00 to 2026-01-01 00:00:00 UTC" in out
    assert {file.name: file.read_text() for file in (tmp_path / "out").iterdir()} == {
        "1.csv": "report of 1\n", "2.csv": "report of 2\n",
    }  # fmt: skip


FACTS = AccountFacts(
    id="1", partition="aws", regions=["r1", "r2"], home_region="us-east-1", global_region="us-east-1", name="n",
    profile="p", unit="u",
)  # fmt: skip


def divided(shards: list[tuple[Path, Manifest]], first: list[str], second: list[str], *findings: list[Finding]) -> None:
    """Make both shards have a part of account 1, with these findings."""
    for number, ((folder, manifest), regions) in enumerate(zip(shards, (first, second), strict=True)):
        manifest.selection["accounts"] = ["1"]
        (account,) = manifest.accounts
        account.account, account.part = "1", RecordedPart(number + 1, 2, regions)
        account.report, account.part_findings, account.facts = "1", f"part{number}.findings", FACTS
        writer = FindingsFileWriter(folder / account.part_findings, account="1")
        for finding in findings[number] if findings else []:
            writer.write(finding)
        writer.close()
        account.files = described(folder, [writer.path])


@pytest.mark.parametrize("both", [False, True])
def test_nothing_to_check_holds_when_all_parts_say_so(
    both: bool, shards: list[tuple[Path, Manifest]], checks: dict[str, Check], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    divided(shards, ["r1"], ["r2"], [a_finding(checks["check43"])], [])
    nothing = replace(a_finding(checks["check43"]), status="INFO", message="no group", resource_id="1").packed()
    for _, manifest in shards if both else shards[:1]:
        manifest.accounts[0].nothing = [nothing]
    assert joined(shards, tmp_path / "out") == 1
    assert ("INFO 1" in capsys.readouterr().out) == both
    assert ("no group" in (tmp_path / "out" / "1.csv").read_text()) == both


def gone(shards: list[tuple[Path, Manifest]]) -> None:
    (shards[0][0] / "1.csv").write_text("changed")


def described_as(shards: list[tuple[Path, Manifest]], name: str) -> None:
    """Let the first shard's report be another file."""
    (file,) = shards[0][1].accounts[0].files
    shards[0][1].accounts[0].files = [msgspec.structs.replace(file, name=name)]


def named(shards: list[tuple[Path, Manifest]], name: str) -> None:
    (shards[0][0].parent / "1.csv").write_bytes((shards[0][0] / "1.csv").read_bytes())
    described_as(shards, name)


def linked(shards: list[tuple[Path, Manifest]]) -> None:
    (shards[0][0] / "1.csv").rename(shards[0][0].parent / "secret")
    (shards[0][0] / "1.csv").symlink_to("../secret")


def linked_folder(shards: list[tuple[Path, Manifest]]) -> None:
    """A name that leads back into this folder, but not into another one."""
    folder = shards[0][0]
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "link").symlink_to("a/b")
    described_as(shards, "link/../../1.csv")


def same_name(shards: list[tuple[Path, Manifest]]) -> None:
    (shards[1][0] / "1.csv").write_text("another")
    shards[1][1].accounts[0].files = described(shards[1][0], [shards[1][0] / "1.csv"])


def knows_of_another_region(shards: list[tuple[Path, Manifest]]) -> None:
    divided(shards, ["r1"], ["r2"])
    shards[1][1].accounts[0].regions = ["r1", "r2", "r3"]


def lost_findings_file(shards: list[tuple[Path, Manifest]]) -> None:
    divided(shards, ["r1"], ["r2"])
    shards[1][1].accounts[0].part_findings, shards[1][1].accounts[0].files = "", []


def renamed(shards: list[tuple[Path, Manifest]]) -> None:
    divided(shards, ["r1"], ["r2"])
    shards[1][1].accounts[0].report = "../1"


def other_folder(shards: list[tuple[Path, Manifest]]) -> None:
    shards.append((shards[0][0].with_name("s3"), shards[0][1]))
    shards[2][0].mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda shards: shards.pop(), "of 2 shards these are missing: 2"),
        (other_folder, "is there twice, also as"),
        (lambda shards: shards[1][1].selection.update({"--config": "x"}), "they differ in --config"),
        (gone, "1.csv of shard 1 of 2"),
        (lambda shards: shards[1][1].accounts.clear(), "no shard has account 2: run the shards again"),
        (lambda shards: setattr(shards[1][1].accounts[0], "account", "1"), "account 1: what shard 1 of 2"),
        (lambda shards: divided(shards, ["r1"], ["r1"]), "overlaps or leaves regions out"),
        (lambda shards: knows_of_another_region(shards), "overlaps or leaves regions out"),
        (lambda shards: named(shards, "../1.csv"), "../1.csv of shard 1 of 2"),
        (lambda shards: named(shards, "/etc/hostname"), "/etc/hostname of shard 1 of 2"),
        (lambda shards: linked(shards), "1.csv of shard 1 of 2"),
        (lambda shards: linked_folder(shards), "1.csv of shard 1 of 2"),
        (lambda shards: same_name(shards), "1.csv is a report of shard 1 of 2"),
        (lambda shards: setattr(shards[1][1], "number", 3), "damaged: run its shard again"),
        (lambda shards: setattr(shards[0][1], "formats", ["xls"]), "damaged"),
        (lambda shards: shards[0][1].checks.clear(), "damaged"),
        (lambda shards: shards[0][1].selection.pop("accounts"), "damaged"),
        (lambda shards: lost_findings_file(shards), "damaged"),
        (lambda shards: renamed(shards), "damaged"),
        (lambda shards: shards[1][1].selection.update(suite="1 other"), "they differ in suite"),
        (lambda shards: divided(shards, ["r1"], []), "overlaps or leaves regions out"),
        (
            lambda shards: shards[0][0].joinpath("auditest-shard-9-of-9.json").write_text("[]"),
            "is not the manifest of a shard",
        ),
        (lambda shards: setattr(shards[0][1], "format", 9), "is of another version of the suite"),
    ],
)
def test_what_is_no_whole_is_refused(
    spoil: Callable[[list[tuple[Path, Manifest]]], object], reason: str, shards: list[tuple[Path, Manifest]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    spoil(shards)
    assert joined(shards, tmp_path / "out") == 4
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("ERROR: ")
    assert reason in line
    assert said.out == ""
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert merge.main([str(tmp_path / "out"), str(tmp_path)]) == 4
    assert "no run with --shard has come to its end there" in capsys.readouterr().err


def test_a_command_line_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        merge.main([])
    assert ended.value.code == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: the following arguments are required: OUT_DIR, SHARD_DIR")


def test_a_disk_that_is_full(
    shards: list[tuple[Path, Manifest]], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(source: Path, target: Path) -> None:
        target.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr("shutil.copyfile", full)
    assert joined(shards, tmp_path / "out") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("codes", "expected"), [((0, 0), 0), ((0, 1), 1), ((5, 1), 1), ((0, 5), 0), ((5, 5), 5)])
def test_exit_code(codes: tuple[int, int], expected: int, shards: list[tuple[Path, Manifest]], tmp_path: Path) -> None:
    for (_, manifest), code in zip(shards, codes, strict=True):
        manifest.exit = code
    assert joined(shards, tmp_path / "out") == expected


# -- accounts that were divided ----------------------------------------------------------------------------------------


def reports(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "1.jsonl").read_text().splitlines()]


def test_findings_of_parts_are_of_one_account(
    shards: list[tuple[Path, Manifest]], checks: dict[str, Check], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each once, at one time, numbered and filtered as in the run."""
    bad, good = a_finding(checks["check43"]), replace(a_finding(checks["check43"]), status="PASS", nodeid="t::t[y]")
    late = NOW + timedelta(seconds=9)
    divided(shards, ["r1"], ["r2"], [replace(one, timestamp=late) for one in (bad, good)], [bad, good])
    shards[0][1].started = late
    for _, manifest in shards:
        manifest.formats, manifest.numbered, manifest.only_fails = ["jsonl"], True, True
    assert joined(shards, tmp_path / "out") == 1
    assert "2 findings: PASS 1  FAIL 1" in capsys.readouterr().out
    (one,) = reports(tmp_path / "out")
    assert (one["Status"], one["Timestamp"], one["Control ID"]) == ("FAIL", "2026-01-01T00:00:00Z", "4.03")


def rolled_up(shards: list[tuple[Path, Manifest]], known: dict[str, Check], nodeid: str = JUDGE) -> None:
    """Let the run roll up a requirement that checks 4.2 and 4.3 support."""
    requirement = Requirement("9.1", "Closed", ["check42", "check43"])
    framework = Framework("net", "Net", "Net", "", [], [requirement])
    check = as_check(framework, requirement, lambda requirement: None, known)
    for _, manifest in shards:
        manifest.formats = ["jsonl"]
        manifest.selection["checks"] = ["check42", "check43"]
        manifest.checks = [packed_check(one) for one in (known["check42"], known["check43"], check)]
        manifest.requirements = [RollUp(check.id, nodeid, requirement)]


@pytest.mark.parametrize(
    ("second", "partial", "code", "expected"),
    [
        ("PASS", "", 0, "Pass: 2 resources pass check42, check43"),
        ("WARNING", "", 0, "WARNING: 1 failures are accepted, 1 resources pass"),
        ("FAIL", "", 1, "FAIL: 1 of 2 checks fail: check43 on 1 resource (sg-1)"),
        ("ERROR", "", 1, "ERROR: 1 checks could not be evaluated: check43 (denied)"),
        ("PASS", "only some", 0, "Info: what was looked at passes, but not all was: only some"),
        (None, "", 1, "ERROR: 1 checks could not be evaluated: check43 (it gave no finding)"),
        ("INFO", "", 0, "Pass: 1 resources pass check42, check43"),
    ],
)
def test_requirements_are_rolled_up_from_all_parts(
    second: Status | None, partial: str, code: int, expected: str, shards: list[tuple[Path, Manifest]],
    checks: dict[str, Check], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    passes = replace(a_finding(checks["check42"]), status="PASS")
    other = [replace(a_finding(checks["check43"]), status=second, message="denied", nodeid="o")] if second else []
    divided(shards, ["r1"], ["r2"], [passes], other)
    rolled_up(shards, checks)
    shards[1][1].accounts[0].partial = partial
    shards[1][1].exit = 0
    assert joined(shards, tmp_path / "out") == code
    last = reports(tmp_path / "out")[-1]
    assert f"{last['Status']}: {last['Message']}" == expected
    assert (last["Check ID"], last["Resource Type"], last["Profile"]) == ("net-9-1", "AwsAccount", "p")
    assert re.search(r"^requirements +\w.*\nNet +1$", capsys.readouterr().out, re.M)


@pytest.mark.parametrize(
    "nodeid", ["tests_compliance/test_other.py::test_requirement", "../evil/test_requirements.py::test_requirement"]
)
def test_what_judges_requirements_is_the_suites_or_of_a_folder_that_is_given(
    nodeid: str, shards: list[tuple[Path, Manifest]], checks: dict[str, Check], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    divided(shards, ["r1"], ["r2"])
    rolled_up(shards, checks, nodeid)
    assert joined(shards, tmp_path / "out") == 4
    assert "is not here: give --checks-dir as in the run" in capsys.readouterr().err
    own = tmp_path / "evil"
    own.mkdir()
    (own / Path(nodeid.partition("::")[0]).name).write_text("def test_requirement(requirement):\n    return 'own'\n")
    given = [str(tmp_path / "out"), f"--checks-dir={own}", *(str(folder) for folder, _ in shards)]
    try:
        assert merge.main(given) == (4 if nodeid.startswith("tests_compliance") else 1)
    finally:
        use_folders([])


def test_a_damaged_findings_file(
    shards: list[tuple[Path, Manifest]], checks: dict[str, Check], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    divided(shards, ["r1"], ["r2"])
    (folder, manifest) = shards[0]
    findings_file = folder / manifest.accounts[0].part_findings
    writer = FindingsFileWriter(tmp_path / "other", account="2")
    writer.write(replace(a_finding(checks["check43"]), account="2"))
    writer.close()
    for text in ("{}\n", "[", '{"finding": ["check43"]}\n', (tmp_path / "other").read_text()):
        findings_file.write_text(text)
        manifest.accounts[0].files = described(folder, [findings_file])
        assert joined(shards, tmp_path / "out") == 4
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("run its shard again")


def test_a_check_of_other_groups_is_another(checks: dict[str, Check], tmp_path: Path) -> None:
    known = packed_check(checks["check43"])
    for groups in (["pci"], ["mine"]):
        (writer,) = writers_for(["csv"], tmp_path, groups[0], "1")
        writer.write(a_finding(unpacked_check({**known, "groups": groups})))
        writer.close()
        assert f",{groups[0]}," in (tmp_path / f"{groups[0]}.csv").read_text("utf-8", "surrogateescape")
