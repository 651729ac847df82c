"""Workers that xdist starts elsewhere: other interpreters, other folders, and another host over ssh (here: loopback)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.recordings import write
from plugins.suite import ROOT
from plugins.workers.remote import is_remote, portable
from selftests.runs.hosts import install, ssh_server
from selftests.whole_runs import Outcome, Suite, free_port

ACCOUNTS = ["100000000000", "100000000001"]
CHECK = "--check=check43"
PYTHON = f"python={sys.executable}"
WHITELIST = "check43:sg-00000000000000001\n"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "tape"
    write(path, 8, ACCOUNTS, ["us-east-1"])
    return path


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ssh server on loopback; gives the client's configuration, whose host is "other"."""
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server", "127.0.0.1", free_port()) as config:
        yield config


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The suite, installed on the other host."""
    return install(tmp_path / "other-host")


def test_workers_of_another_interpreter(tape: Path, suite: Suite) -> None:
    alone = suite(f"--replay={tape}", CHECK)
    done = suite(f"--replay={tape}", CHECK, "--dist=load", f"--tx=2*popen//{PYTHON}")
    assert done.code == alone.code == 1, done.out + done.err
    assert done.statuses() == alone.statuses() != {}


def test_workers_on_another_host(tape: Path, suite: Suite, ssh: Path, elsewhere: Path) -> None:
    """They get test paths and the whitelist, whose path leads nowhere there, and report as workers here do."""
    whitelist = suite.folder / "accepted.txt"
    whitelist.write_text(WHITELIST)
    given = [
        f"--replay={tape}",
        "--whitelist",
        os.path.relpath(whitelist, ROOT),
        "-k",
        "rules",
        "tests_cis/test_4_networking.py",
    ]
    alone = suite(*given)
    host = f"--tx=2*ssh=other//ssh_config={ssh}//{PYTHON}//chdir={elsewhere}"
    done = suite(*given, "--dist=load", host, env={"AWS_SECRET_ACCESS_KEY": "only-for-this-host"})
    assert done.code == alone.code == 1, done.out + done.err
    assert done.statuses() == alone.statuses()
    assert any(text.startswith("WARNING") for text in done.statuses().values())
    assert not (elsewhere / "pytest").exists()

    (elsewhere / "plugins" / "tally.py").write_text("")
    changed = suite(f"--replay={tape}", CHECK, "--dist=load", host)
    assert changed.code == 4
    (line,) = changed.err.strip().splitlines()
    assert line.endswith(f"the suite in {elsewhere} there is not the one here: copy it anew")


def test_a_host_that_is_down_is_done_without(suite: Suite, tmp_path: Path) -> None:
    """A worker that cannot be replaced leaves its accounts to the others; without others the run can be resumed."""
    tape, once = tmp_path / "tape", tmp_path / "once"
    write(tape, 8, [*ACCOUNTS, "100000000002", "100000000003"], ["us-east-1"])
    once.write_text(f'#!/bin/sh\nmkdir "$0-$ONCE" 2>/dev/null || exit 1\nexec {sys.executable} "$@"\n')
    once.chmod(0o755)
    given = [f"--replay={tape}", CHECK, "--dist=load", f"--tx=popen//python={once}"]
    done = suite(*given, "--tx=popen", env={"ONCE": "1"})
    assert done.code == 1, done.out + done.err
    assert len(done.statuses()) == 4 * 8
    assert re.search(r"no worker can be started in the place of gw\d \(.*\); the others go on", done.out)

    alone = suite(*given, env={"ONCE": "2"})
    assert alone.code == 3, alone.out + alone.err
    assert "INTERNALERROR" not in alone.out
    assert len(alone.statuses()) == 8
    resumed = suite(f"--replay={tape}", CHECK, f"--output-directory={alone.folder}", "--resume")
    assert resumed.code == 1
    assert Outcome(0, "", "", alone.folder).statuses() == done.statuses()


@pytest.mark.parametrize(
    ("tx", "more", "reason"),
    [
        ("ssh=nowhere.invalid", [], "add //chdir=FOLDER, where the suite is on that host"),
        ("popen//chdir=x", ["--record=x"], "--record does not go with workers on other hosts"),
        ("popen//chdir=x", ["--mfa-serial=GAHT12345678"], "--mfa-serial does not go with workers on other hosts"),
        ("popen//chdir=x", ["--rsyncdir=x"], "--rsyncdir does not go with workers on other hosts"),
        ("popen//chdir=x", ["--mfa"], "--mfa does not go with workers on other hosts"),
    ],
)
def test_what_does_not_go_with_other_hosts(tape: Path, suite: Suite, tx: str, more: list[str], reason: str) -> None:
    replay = [] if more else [f"--replay={tape}"]
    done = suite(*replay, CHECK, "--dist=load", f"--tx={tx}", *more)
    assert done.code == 4
    (line,) = done.err.strip().splitlines()
    assert reason in line


def test_which_workers_are_remote() -> None:
    assert [is_remote(spec) for spec in ("popen", "2*popen", "popen//python=/x", "4*popen//python=x")] == [False] * 4
    assert [is_remote(spec) for spec in ("ssh=h", "2*ssh=h//chdir=/x", "popen//chdir=/x", "socket=h:1")] == [True] * 4


def test_a_portable_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("w.yaml", "tests", "group4"):
        Path(name).touch()
    given = ["--whitelist", "w.yaml", "-m", "group4", "tests", "--tx=2*popen", "-k", "", "--config=w.yaml", "-v"]
    expected = ["--whitelist=w.yaml", "-mgroup4", "--tx=2*popen", "--config=w.yaml", "-v"]
    assert portable(given, ["tests"]) == expected
