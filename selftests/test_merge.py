"""Joining shards: what is no whole is refused in one line, and findings survive the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugins import merge
from plugins.catalog import Check
from plugins.findings import Finding
from plugins.finished import Counts, Finished, Part, described
from plugins.manifest import Manifest, name_of, write
from plugins.numbered import numbered
from plugins.parcel import ParcelWriter, findings_in, packed_check

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
    writer = ParcelWriter(tmp_path / "x.findings", account="1")
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
            number=number, of=2, started=NOW, exit=number - 1, formats=["csv"], with_score=False, only_fails=False,
            selection={**SELECTION, "shard": number}, checks=[packed_check(checks["check43"])],
            accounts=[
                Finished(account, ["r1", "r2"], described(folder, [folder / f"{account}.csv"]),
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


def divided(shards: list[tuple[Path, Manifest]], first: list[str], second: list[str]) -> None:
    """Make both shards have a part of account 1."""
    for (_, manifest), number, regions in zip(shards, (1, 2), (first, second), strict=True):
        manifest.selection["accounts"] = ["1"]
        (account,) = manifest.accounts
        account.account, account.part = "1", Part(number, 2, regions)


@pytest.mark.parametrize("both", [False, True])
def test_nothing_to_check_holds_when_all_parts_say_so(
    both: bool, shards: list[tuple[Path, Manifest]], checks: dict[str, Check], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    divided(shards, ["r1"], ["r2"])
    nothing = replace(a_finding(checks["check43"]), status="INFO", message="no group", resource_id="1").packed()
    for _, manifest in shards if both else shards[:1]:
        manifest.accounts[0].nothing = [nothing]
    for _, manifest in shards:
        manifest.accounts[0].report = "1"
    assert joined(shards, tmp_path / "out") == 1
    assert ("INFO 1" in capsys.readouterr().out) == both
    assert ("no group" in (tmp_path / "out" / "1.csv").read_text()) == both


def gone(shards: list[tuple[Path, Manifest]]) -> None:
    (shards[0][0] / "1.csv").write_text("changed")


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
