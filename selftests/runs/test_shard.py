"""Whole runs that are divided by --shard and joined by plugins.merge: the same as one run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.recordings import write
from fixtures.api.backend import ClosedBackend
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from plugins import merge
from plugins.audit.shares import Cut, Share, parse, parts_of, share_of
from plugins.catalog.groups import use_folders
from selftests.whole_runs import Outcome, Suite

ACCOUNTS = [f"{100000000000 + number}" for number in range(4)]
REGIONS = ["us-east-1", "eu-west-1", "eu-central-1"]
FORMATS = "jsonl,csv,json,json-asff,junit-xml,html,text"


def joined(folders: list[Path], out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Outcome:
    """What plugins.merge makes of them."""
    capsys.readouterr()
    try:
        code = merge.main([str(out), *map(str, folders), *more])
    finally:
        use_folders([])
    said = capsys.readouterr()
    return Outcome(code, said.out, said.err, out)


def contents(folder: Path) -> dict[str, list[bytes]]:
    """Reports by name, their lines in any order."""
    return {file.name: sorted(file.read_bytes().replace(b"},\n", b"}\n").splitlines())
            for file in folder.rglob("*") if file.is_file()}  # fmt: skip


def counts_of(text: str) -> list[str]:
    """The lines of a summary that count."""
    return re.findall(r"^(?:coverage .*|\d+ findings.*|  \w+ +check\d+ .*|Net .*)$", text, re.M)


GROUP = "- {id: net, title: Network, checks: [check41, check42, check43, check44, check12]}"
FRAMEWORK = """
id: net
name: Net
title: Network rules
source: https://example.com
groups: [net]
requirements:
- {id: '1', title: SSH, checks: [check41]}
- {id: '2', title: Ports, checks: [check41, check43]}
- {id: '3', title: RDP, checks: [check42]}
- {id: '4', title: Peering, checks: [check44, check42]}
- {id: '5', title: Users, checks: [check12]}
"""


def test_accounts_over_shards(suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape = tmp_path / "tape"
    write(tape, 9, ACCOUNTS, REGIONS)
    given = [f"--replay={tape}", "--check=check41,check43"]
    whole = suite(*given, formats=FORMATS)
    shards = [suite(*given, f"--shard={k}/3", "-n", n, formats=FORMATS) for k, n in ((1, "2"), (2, "0"), (3, "0"))]
    assert [done.code for done in shards] == [1, 1, 1]
    assert "shard 1 of 3: 2 of 4 accounts" in shards[0].out
    assert {key[1] for key in shards[0].statuses()} == {ACCOUNTS[0], ACCOUNTS[3]}
    out = joined([done.folder for done in shards], tmp_path / "out", capsys)
    assert out.code == 1
    assert out.statuses() == whole.statuses()
    found, expected = contents(out.folder), contents(whole.folder)
    html = {name for name in expected if name.endswith(".html")}  # compressed: the order of findings shows
    assert {name: found[name] for name in found if name not in html} == {
        name: expected[name] for name in expected if name not in html
    }
    assert html <= found.keys()
    assert counts_of(out.out) == counts_of(whole.out) != []

    again = joined([done.folder for done in shards[:2]], tmp_path / "out2", capsys)
    assert (again.code, again.err) == (4, "ERROR: of 3 shards these are missing: 3\n")


@pytest.mark.parametrize("groups", [0, 1, 7])
def test_regions_of_an_account_over_shards(
    groups: int, suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to check in one part is no finding; nothing in all parts is one; what is global is looked at once. What is
    rolled up is rolled up from all parts.
    """
    tape = tmp_path / "tape"
    write(tape, groups, ACCOUNTS[:1], REGIONS)
    (tmp_path / "own" / "frameworks").mkdir(parents=True)
    (tmp_path / "own" / "frameworks" / "net.yaml").write_text(FRAMEWORK)
    (tmp_path / "own" / "groups.yaml").write_text(GROUP)
    own = f"--checks-dir={tmp_path / 'own'}"
    given = [f"--replay={tape}", "-m", "net", own, *["--only-fails"] * (groups == 1)]
    whole = suite(*given, formats=FORMATS)
    shards = [suite(*given, f"--shard={k}/2", "-n", n, formats=FORMATS) for k, n in ((1, "2"), (2, "0"))]
    names = {file.name for file in shards[0].folder.glob("*.csv")}
    assert names == {f"auditest-output-{ACCOUNTS[0]}-20260101000000-part-1-of-2.csv"}
    out = joined([done.folder for done in shards], tmp_path / "out", capsys, own)
    assert out.code == whole.code
    assert out.statuses() == whole.statuses() != {}
    assert sum(text.startswith("Info: no ") for text in out.statuses().values()) == 3 * (groups == 0)
    assert sum(check.startswith("net-") for check, *_ in out.statuses()) == (2 if groups == 1 else 5)
    assert counts_of(out.out) == counts_of(whole.out)
    found, expected = contents(out.folder), contents(whole.folder)
    assert found.keys() == expected.keys()
    for name in expected:
        if name.endswith((".csv", ".jsonl", ".asff.json", ".json")):
            assert found[name] == expected[name], name


def test_too_many_shards_and_requirements_of_a_part(suite: Suite, tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    write(tape, 3, ACCOUNTS[:1], REGIONS[:2])
    idle = suite(
        f"--replay={tape}", "--check=check43", "--shard=auto", env={"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "3"}
    )
    assert idle.code == 0, idle.out + idle.err
    assert "shard 3 of 3 has nothing to audit" in idle.out
    assert json.loads((idle.folder / "auditest-shard-3-of-3.json").read_text())["accounts"] == []
    part = suite(f"--replay={tape}", "-m", "pci", "--shard=1/2")
    assert "part 1 of 2 of account 100000000000 (us-east-1); plugins.merge rolls up the requirements" in part.out
    assert not [
        one for one in part.findings() if one["Resource Type"] == "AwsAccount" and one["Check ID"].startswith("pci")
    ]


def test_accounts_without_items_and_items_of_one_account(
    suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """-k may leave an account without anything to run: it is complete all the same, with and without workers."""
    tape = tmp_path / "tape"
    write(tape, 3, ACCOUNTS[:3], REGIONS[:1])
    given = [f"--replay={tape}", "--check=check43", "-k", ACCOUNTS[1]]
    shards = [suite(*given, f"--shard={k}/2", "-n", n) for k, n in ((1, "0"), (2, "2"))]
    assert [done.code for done in shards] == [5, 1]
    out = joined([done.folder for done in shards], tmp_path / "out", capsys)
    assert out.code == 1, out.err
    assert {account for _, account, *_ in out.statuses()} == {ACCOUNTS[1]}
    one = json.loads((shards[0].folder / "auditest-shard-1-of-2.json").read_text())
    assert [account["account"] for account in one["accounts"]] == [ACCOUNTS[0], ACCOUNTS[2]]


def account_with(id: str, regions: list[str]) -> Account:
    """An account that cannot be asked anything."""
    closed = ClosedBackend(ApiError("sts", "AssumeRole", "AccessDenied", "no"))
    return Account(
        id, backend=closed, crew=Crew(), now=utcnow(), partition="aws", regions=regions, home_region="us-east-1",
        global_region="us-east-1",
    )  # fmt: skip


def test_workers_that_cannot_start_end_the_run(suite: Suite, tmp_path: Path) -> None:
    """They are not replaced for ever: each shard is tried three times, and then its checks are ERROR. One shard's deaths do
    not count for the next.
    """
    tape = tmp_path / "tape"
    write(tape, 3, ACCOUNTS[:2], REGIONS[:1])
    (tmp_path / "no_start.py").write_text(
        "import pytest\n"
        "def pytest_configure(config):\n    if hasattr(config, 'workerinput'): raise pytest.UsageError('no')\n"
    )
    given = [f"--replay={tape}", "--check=check43", "-n", "1", "-p", "no_start"]
    done = suite(*given, env={"PYTHONPATH": str(tmp_path)}, timeout=60)
    assert done.code == 1, done.out + done.err
    assert [one["Status"] for one in done.findings()] == ["ERROR", "ERROR"]
    assert all("died 3 times" in one["Message"] for one in done.findings())


# -- the division ------------------------------------------------------------------------------------------------------


def test_accounts_are_dealt_out_by_their_ids() -> None:
    accounts = [account_with(id, ["r1"]) for id in ("3", "1", "2")]
    assert [share_of(accounts, k, 2) for k in (1, 2)] == [Share(["1", "3"]), Share(["2"])]
    assert [share_of(accounts, k, 3).accounts for k in (1, 2, 3)] == [["1"], ["2"], ["3"]]


def test_regions_are_divided_when_there_are_more_shards() -> None:
    accounts = [account_with("1", ["a"]), account_with("2", ["a", "b", "c"])]
    shares = [share_of(accounts, k, 5) for k in range(1, 6)]
    assert shares == [
        Share(["1"]), Share(["2"], Cut(1, 3, ["a"])), Share(["2"], Cut(2, 3, ["b"])), Share(["2"], Cut(3, 3, ["c"])), Share([]),
    ]  # fmt: skip
    assert [share.cut.with_global for share in shares if share.cut] == [True, False, False]
    assert parts_of({"1": 17, "2": 4}, 6) == {"1": 5, "2": 1}


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("", {}, None),
        ("2/5", {}, (2, 5)),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, (1, 4)),
        ("auto", {"BUILDKITE_PARALLEL_JOB": "3", "BUILDKITE_PARALLEL_JOB_COUNT": "4"}, (4, 4)),
        ("auto", {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4"}, (1, 4)),
        ("auto", {"CI_NODE_TOTAL": "1"}, "the environment has none of"),
        ("auto", {"CI_NODE_INDEX": "x", "CI_NODE_TOTAL": "4"}, "are not numbers"),
        ("auto", {"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "4"}, "there is no shard 0 of 4"),
        ("0/5", {}, "there is no shard 0 of 5, they are 1 to 5"),
        ("6/5", {}, "there is no shard 6 of 5"),
        ("5", {}, "is not of the form K/N"),
        ("-1/5", {}, "is not of the form K/N"),
    ],
)
def test_the_option(text: str, environment: dict[str, str], expected: tuple[int, int] | str | None) -> None:
    if isinstance(expected, str):
        with pytest.raises(pytest.UsageError, match=expected):
            parse(text, environment)
    else:
        assert parse(text, environment) == expected
