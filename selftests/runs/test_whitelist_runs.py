"""Whole runs with a whitelist: what becomes of failures, in every report, and what the summary says of the entries."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from selftests.conftest import ACCOUNT
from selftests.whole_runs import REGIONS, Emulator, Suite

NETWORK = ["-m", "group4", f"--filter-region={','.join(REGIONS)}"]
WORKERS = pytest.mark.parametrize("workers", ["0", "2"])

ALL = """\
- check: check41
  region: [eu-west-1, us-east-1]
  reason: jump hosts
  owner: network team
- check: check401
  reason: jump hosts elsewhere
- check: check43
  resource: ^sg-
  account: "123456789012"
  reason: nothing uses them
- check: check42
  reason: RDP is needed
- check: check43
  resource: ^never$
  reason: unused
- check: check11
  reason: another check
- check: check41
  reason: past
  expires: 2020-01-31
"""


@WORKERS
def test_a_run_whose_failures_are_all_accepted_succeeds(
    emulator: Emulator, suite: Suite, tmp_path: Path, workers: str
) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(ALL)
    done = suite(
        *NETWORK, "-n", workers, f"--whitelist={file}", f"--junitxml={tmp_path}/own.xml",
        env=emulator.environment, formats="csv,json,jsonl,junit-xml,json-asff",
    )  # fmt: skip
    assert done.code == 0, done.out + done.err
    accepted = [one for one in done.findings() if one["Status"] == "WARNING"]
    assert {one["Status"] for one in done.findings()} == {"Pass", "Info", "WARNING"}
    assert {one["Check ID"] for one in accepted} == {"check41", "check43"}
    reasons = {(one["Check ID"], one["Region"]): one["Message"].partition(" (accepted: ")[2] for one in accepted}
    assert reasons["check41", "eu-west-1"] == "jump hosts, owner network team)"
    assert reasons["check41", "ap-southeast-2"] == "jump hosts elsewhere)"
    assert all("tcp port 22" in one["Message"] for one in accepted if one["Check ID"] == "check41")

    number = len(accepted)
    [rows] = done.folder.glob("*.csv")
    with rows.open(newline="") as lines:
        assert (
            sum(row["RESULT"] == "WARNING" and "(accepted: " in row["NOTES"] for row in csv.DictReader(lines)) == number
        )
    [array] = (file for file in done.folder.glob("*.json") if not {".asff", ".meta"} & set(file.suffixes))
    assert sum(one["Status"] == "WARNING" for one in json.loads(array.read_text())) == number
    [asff] = done.folder.glob("*.asff.json")
    noted = {one["Note"]["Text"] for one in json.loads(asff.read_text()) if one["Compliance"]["Status"] == "WARNING"}
    assert noted == {"jump hosts, owner network team", "jump hosts elsewhere", "nothing uses them"}
    for junit in (next(done.folder.glob("junit-reports/*.xml")), tmp_path / "own.xml"):
        skipped = [str(one.get("message")) for one in ET.parse(junit).iter("skipped")]
        assert sum("(accepted: " in message for message in skipped) == number, junit
        assert not list(ET.parse(junit).iter("failure"))

    assert f"{number} xfailed" in done.out
    summary = done.out[done.out.index("whitelist ") :].splitlines()[:10]
    assert summary == [
        f"whitelist {file}: 3 of 7 entries accept failures",
        "  expired, they no longer count",
        f"    {file}:18  check41, past, expired 2020-01-31",
        "  no longer needed, what they accept passes",
        f"    {file}:11  check42, RDP is needed",
        "  unused, they matched nothing",
        f"    {file}:13  check43 ^never$, unused",
        "  not judged, this run did not look at all that they are about",
        f"    {file}:16  check11, another check",
        "",
    ]


@WORKERS
def test_the_text_form_and_a_failure_that_is_left(
    emulator: Emulator, suite: Suite, tmp_path: Path, workers: str
) -> None:
    file = tmp_path / "w.txt"
    file.write_text("check43:*  # nothing uses them\n*:no-such-group\n")
    done = suite(*NETWORK, "-n", workers, f"--whitelist={file}", "--only-fails", env=emulator.environment)
    assert done.code == 1, done.out + done.err
    assert {(one["Check ID"], one["Status"]) for one in done.findings()} == {("check41", "FAIL")}
    assert f"unused, they matched nothing\n    {file}:2  *:no-such-group, listed in w.txt" in done.out


@WORKERS
def test_tags_that_no_listing_gives(emulator: Emulator, suite: Suite, tmp_path: Path, workers: str) -> None:
    s3 = emulator.client("s3", "us-east-1")
    for name, team in (("tagged-web", "web"), ("tagged-ops", "ops"), ("untagged", "")):
        s3.create_bucket(Bucket=name)
        if team:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": team}]})
    file = tmp_path / "w.yaml"
    file.write_text("- {check: extra718, tags: {team: web}, reason: r}\n")
    where = ["--check=extra718", "--filter-region=us-east-1", f"--whitelist={file}", "-n", workers]
    done = suite(*where, env=emulator.environment)
    found = {one["Resource ID"]: one["Status"] for one in done.findings()}
    assert found == {"tagged-web": "WARNING", "tagged-ops": "FAIL", "untagged": "FAIL"}, done.out + done.err
    assert f"whitelist {file}: 1 of 1 entries accept failures" in done.out


CHECKS = """
import pytest
from fixtures.api.errors import ApiError
from plugins.catalog import check

@check("own1", severity="low", remediation="r")
def test_own_full(region, tmp_path):
    "One."
    assert region.id == "us-east-1", "elsewhere"

@check("own2", severity="low", remediation="r")
def test_own_full_error(region, tmp_path):
    "Two."
    raise ApiError("ec2", "DescribeVpcs", "AccessDenied", "no")

@check("own3", severity="low", remediation="r")
def test_own_short_error(region):
    "Three."
    return 1 / 0

@check("own4", severity="low", remediation="r")
def test_own_full_fail(region, tmp_path):
    "Four."
    pytest.fail("not by assertion")
"""


@WORKERS
def test_tests_with_fixtures_and_errors(emulator: Emulator, suite: Suite, tmp_path: Path, workers: str) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "test_own_whitelisted.py").write_text(CHECKS)
    file = tmp_path / "w.yaml"
    file.write_text('- {check: "*", reason: all}\n')
    run = [f"--checks-dir={own}", f"--filter-region={','.join(REGIONS)}", f"--whitelist={file}", "-n", workers]
    done = suite(*run, "--check=own1,own4", "--runxfail", env=emulator.environment)
    assert done.code == 0, done.out + done.err
    assert {key[0:3:2]: text for key, text in done.statuses().items()} == {
        ("own1", "us-east-1"): "Pass: One",
        **{("own1", region): "WARNING: elsewhere (accepted: all)" for region in REGIONS if region != "us-east-1"},
        **{("own4", region): "WARNING: not by assertion (accepted: all)" for region in REGIONS},
    }
    assert "5 xfailed" in done.out
    assert "Traceback" not in done.out
    errors = suite(*run, "--check=own2,own3", env=emulator.environment)
    assert errors.code == 1
    assert {one["Status"] for one in errors.findings()} == {"ERROR"}
    assert len(errors.findings()) == 2 * len(REGIONS)
    assert f"not judged, this run did not look at all that they are about\n    {file}:1  *, all" in errors.out


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("w.yaml", "- check: check41\n  reason: r\n  colour: red\n", "line 3: unknown key 'colour'"),
        ("w.txt", "check41:x\ncheck4x:x\n", "line 2: unknown check or group 'check4x'; did you mean check"),
    ],
)
@WORKERS
def test_a_bad_file_ends_the_run_at_once(
    suite: Suite, tmp_path: Path, name: str, text: str, message: str, workers: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    done = suite(*NETWORK, "-n", workers, f"--whitelist={file}")
    assert done.code == 4
    assert f"ERROR: --whitelist: {file}, {message}" in done.err + done.out
    assert "Traceback" not in done.err + done.out


LONG_AGO = """
from datetime import UTC, datetime

import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    from plugins.audit.run import run_of
    run_of(session.config).entering.now = datetime(2021, 5, 31, 23, 59, 59, tzinfo=UTC)
"""


def test_a_replay_judges_expiry_by_the_time_of_the_audit(emulator: Emulator, suite: Suite, tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    one = ["--check=check43", f"--filter-region={REGIONS[0]}"]
    (tmp_path / "long_ago.py").write_text(LONG_AGO)
    long_ago = {**emulator.environment, "PYTHONPATH": str(tmp_path)}
    assert suite(*one, f"--record={tape}", "-p", "long_ago", env=long_ago).code == 1
    file = tmp_path / "w.yaml"
    for last, code, note in (
        ("2021-05-31", 0, "expire within 30 days"),
        ("2021-05-30", 1, "expired, they no longer count"),
    ):
        file.write_text(f"- {{check: check43, reason: r, expires: {last}}}\n")
        for workers in ("0", "2"):
            done = suite(*one, f"--replay={tape}", f"--whitelist={file}", "-n", workers)
            assert done.code == code, done.out + done.err
            assert f"  {note}\n    {file}:1  check43, r" in done.out


FRAMEWORK = """
id: net
name: Net
title: Network rules
source: https://example.com
groups: [group4]
requirements:
- {id: "1", title: SSH, checks: [check41]}
- {id: "2", title: Default groups, checks: [check43]}
"""


@WORKERS
def test_requirements_count_accepted_failures(emulator: Emulator, suite: Suite, tmp_path: Path, workers: str) -> None:
    frameworks = tmp_path / "own" / "frameworks"
    frameworks.mkdir(parents=True)
    (frameworks / "net.yaml").write_text(FRAMEWORK)
    file = tmp_path / "w.yaml"
    # The second entry is about everything of the account itself, which a requirement's finding names as its resource.
    file.write_text(f'- {{check: check41, reason: r}}\n- {{check: "*", resource: "{ACCOUNT}$|root$", reason: all}}\n')
    done = suite(
        *NETWORK, f"--checks-dir={frameworks.parent}", f"--whitelist={file}", "-n", workers, env=emulator.environment
    )
    found = {one["Check ID"]: one["Status"] for one in done.findings() if one["Check ID"].startswith("net-")}
    assert found == {"net-1": "WARNING", "net-2": "FAIL"}, done.out + done.err
    assert done.code == 1
