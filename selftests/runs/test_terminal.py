"""What a user sees: in a terminal (a pseudo-terminal here) and in a log."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path

import pytest

from selftests.conftest import ACCOUNT
from selftests.runs.pseudo_terminal import show
from selftests.whole_runs import REGIONS, Emulator, Suite

NETWORK = ["-m", "group4", f"--filter-region={','.join(REGIONS)}"]
MISCHIEF = ["-p", "selftests.runs.mischief"]
WORKERS = pytest.mark.parametrize("workers", ["0", "2"])


@pytest.fixture
def mixed(suite: Suite) -> str:
    """A folder with checks of two severities, all of which fail, one of them in other ways too."""
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_own.py").write_text(OWN)
    return f"--checks-dir={folder}"


OWN = '''
import pytest
from plugins.catalog import check


@check("own1", severity="high", remediation="none")
def test_own1(region):
    """A high one."""
    if region.id == "eu-west-1":
        raise RuntimeError("a crash")


@check("own2", severity="low", remediation="none")
def test_own2(region):
    """A low one."""
    assert region.id == "eu-west-1", "<b>wrong</b> region"
'''


def classic_lines(output: Path) -> list[str]:
    """The findings of the one text report, without colours."""
    plain = re.sub(r"\033\[[\d;]*m", "", next(output.glob("*.txt")).read_text())
    lines = [line for line in plain.splitlines() if re.match(r" \w+!", line)]
    assert lines
    return lines


@WORKERS
def test_a_terminal_shows_progress_that_goes_away_and_colours(emulator: Emulator, suite: Suite, workers: str) -> None:
    command, output = suite.command(
        *NETWORK, *MISCHIEF, "-p", "selftests.runs.kill_once", "-n", workers, formats="text"
    )
    slow = {"SLEEP_EACH": "0.1", "HANG": "ec2:DescribeSecurityGroups@*", "HANG_SECONDS": "2"}
    shown = show(command, {**emulator.environment, **slow}, columns=60)
    assert shown.code == 1, shown.raw
    assert any(re.match(r"calls \d+ done, [1-9]\d* in flight", one) for one in shown.states), shown.raw
    assert any(re.match(r"checks \d+ of \d+\+?, \d+ failed, 0 errors", one) for one in shown.states), shown.raw
    assert not any(re.search(r"checks \d+ of|in flight|workers", line) for line in shown.screen), shown.screen
    assert set(classic_lines(output)) <= set(shown.screen), "the line of progress goes away before other lines"
    ours = shown.screen[shown.screen.index(next(line for line in shown.screen if line.startswith("failures by"))) :]
    assert max(map(len, ours[: ours.index("")])) <= 60
    assert max(len(one) for one in shown.states if one.startswith("checks ")) < 60
    assert "\033[31mFAIL" in shown.raw.replace("\033[31m  FAIL", "\033[31mFAIL")


def test_no_colour_where_none_is_wanted_and_no_progress_in_a_log(emulator: Emulator, suite: Suite) -> None:
    command, _ = suite.command(*NETWORK, formats="text")
    shown = show(command, {**emulator.environment, "NO_COLOR": "1"})
    assert "\033" not in shown.raw
    assert " FAIL!  eu-west-1: sg-" in shown.text
    piped = suite(*NETWORK, env=emulator.environment)
    assert "\033" not in piped.out
    assert "\r" not in piped.out
    assert f"coverage {ACCOUNT}: 4 of 4 checks fully evaluated\n" in piped.out


@WORKERS
def test_the_classic_report_is_shown_in_colour_on_a_terminal(emulator: Emulator, suite: Suite, workers: str) -> None:
    command, output = suite.command(*NETWORK, "-n", workers, formats="text")
    shown = show(command, emulator.environment)
    assert "\033[31mFAIL!\033[0m  eu-west-1: sg-" in shown.raw
    assert set(classic_lines(output)) <= set(shown.screen)
    assert shown.text.count("4.1  Security groups do not open SSH") == 1
    mono, _ = suite.command(*NETWORK, "-n", workers, "--only-fails", "--numbered", formats="mono")
    shown = show(mono, emulator.environment)
    assert " FAIL!  eu-west-1: sg-" in shown.raw
    assert "PASS!" not in shown.raw
    assert " 4.01  Security groups" in shown.raw


@WORKERS
def test_calls_that_hang_are_named(emulator: Emulator, suite: Suite, workers: str) -> None:
    hang = {"HANG": "ec2:DescribeSecurityGroups@us-east-1", "HANG_SECONDS": "3", "STALLED_SECONDS": "1"}
    done = suite(*NETWORK, *MISCHIEF, "-n", workers, env={**emulator.environment, **hang})
    assert re.search(r"^waiting for ec2:DescribeSecurityGroups in us-east-1 for \d s$", done.out, re.M), done.out
    assert done.code == 1


@WORKERS
def test_numbers_score_and_the_exit_code_by_severity(
    emulator: Emulator, suite: Suite, mixed: str, workers: str
) -> None:
    own = [mixed, "--check=own2,check41", f"--filter-region={','.join(REGIONS)}", "-n", workers]
    done = suite(*own, "--numbered", "--score", env=emulator.environment, formats="csv")
    assert done.code == 1
    with next(done.folder.glob("*.csv")).open(newline="") as file:
        assert {row["TITLE_ID"] for row in csv.DictReader(file)} == {"4.01", "own2"}
    assert re.search(r"^low +33\.3 +1 +2 +- +- +-$", done.out, re.M), done.out

    def code(checks: str, severity: str) -> int:
        run = suite(mixed, f"--check={checks}", f"--fail-on={severity}", *own[2:], env=emulator.environment)
        assert ("exit code 0: nothing of severity critical" in run.out) is (run.code == 0), run.out
        return run.code

    assert code("own2", "medium") == 0
    assert code("own2", "low") == 1
    assert code("own1,own2", "high") == 1, "an error of a severe check leaves open whether it fails"
    assert code("own1,own2", "critical") == 0


@WORKERS
def test_the_credential_report_is_kept_for_its_owner(emulator: Emulator, suite: Suite, workers: str) -> None:
    accounts = ["--account=111111111111,222222222222", "--role=Audit", "-n", workers]
    keep = ["--keep-credential-report", f"--filter-region={REGIONS[0]}", *accounts]
    done = suite("--check=check12,check43", *keep, env=emulator.environment)
    kept = sorted(done.folder.glob("*-credential-report.csv"))
    assert [path.name.split("-")[2] for path in kept] == ["111111111111", "222222222222"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert all(path.read_text().startswith("user,arn,") for path in kept)
    assert all(f"credential report: {path}" in done.out for path in kept)
    assert not list(done.folder.glob("*.part"))
    without = suite("--check=check43", *keep, env=emulator.environment)
    assert "no credential report was kept" in without.out
    assert not list(without.folder.glob("*-credential-report.csv"))


@WORKERS
def test_pytest_html_has_our_columns(
    emulator: Emulator, suite: Suite, mixed: str, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "own" / "frameworks").mkdir()
    (tmp_path / "own" / "groups.yaml").write_text("- {id: house, title: House rules, checks: [own2]}\n")
    (tmp_path / "own" / "frameworks" / "house.yaml").write_text(FRAMEWORK)
    page = tmp_path / "h.html"
    done = suite(
        mixed, "-m", "house", f"--filter-region={','.join(REGIONS)}", "-n", workers, f"--html={page}",
        "--self-contained-html", env=emulator.environment,
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    data = json.loads(html.unescape(re.search(r'data-jsonblob="([^"]*)"', page.read_text())[1]))  # type: ignore[index]
    heads = re.findall(r'data-column-type="(\w+)"', page.read_text())
    assert heads[:8] == ["result", "testId", "account", "region", "check", "severity", "resource", "duration"]
    rows = [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in test["resultsTableRow"]]
            for tests in data["tests"].values() for test in tests]  # fmt: skip
    expected = [
        ["Passed" if region == "eu-west-1" else "Failed", ACCOUNT, region, "own2", "low", region] for region in REGIONS
    ]
    expected.append(["Failed", ACCOUNT, "us-east-1", "house-1", "low", "1"])
    assert sorted(row[:1] + row[2:7] for row in rows) == sorted(expected)
    assert "<b>wrong</b>" not in json.dumps(data)


FRAMEWORK = """
id: house
name: House rules
title: Rules of the house
source: https://example.com
groups: [house]
requirements:
- id: "1"
  title: Regions are right
  checks: [own2]
  groups: [house]
"""
