"""Workers that xdist starts elsewhere: other interpreters, other folders, and another host over ssh (here: loopback)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.recordings import write
from plugins.remote import is_remote, portable
from plugins.survey import SOURCES
from selftests.conftest import ROOT
from selftests.engine.conftest import Suite, free_port

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
    """An ssh server on loopback with keys of its own; gives the client's configuration, whose host is "other"."""
    server, client = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"), shutil.which("ssh")
    if server is None or client is None:
        pytest.skip("no ssh server or client is installed (apt-get install openssh-server)")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
        f"PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin yes\n"
    )
    (folder / "ssh_config").write_text(
        f"Host other\n HostName 127.0.0.1\n Port {port}\n IdentityFile {folder}/key\n IdentitiesOnly yes\n"
        f" StrictHostKeyChecking no\n UserKnownHostsFile {folder}/known\n LogLevel ERROR\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it, and the packages leave it to the init system
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([server, "-f", folder / "sshd_config", "-D", "-e"], stderr=log)
    try:
        for _ in range(50):
            if not subprocess.run(
                [client, "-F", folder / "ssh_config", "other", "true"], check=False, capture_output=True
            ).returncode:
                break
            time.sleep(0.1)
        else:
            pytest.skip(f"the ssh server does not let us in: {(folder / 'log').read_text()[-300:]}")
        yield folder / "ssh_config"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The suite, installed on the other host."""
    folder = tmp_path / "other-host"
    folder.mkdir()
    for name in (*SOURCES, "pyproject.toml"):
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, folder / name)
    return folder


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


@pytest.mark.parametrize(
    ("tx", "more", "reason"),
    [
        ("ssh=nowhere.invalid", [], "add //chdir=FOLDER, where the suite is on that host"),
        ("popen//chdir=x", ["--record=x"], "--record does not go with workers on other hosts"),
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
