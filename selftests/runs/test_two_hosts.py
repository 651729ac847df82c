"""A controller and its workers on two hosts that share nothing but a wire: two network namespaces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.runs.hosts import install, ssh_server, tool
from selftests.whole_runs import Outcome, clean_environment

HERE, THERE = "10.97.0.1", "10.97.0.2"
PORT = 5000
ACCOUNTS = "111111111111,222222222222"
KEYS = {
    "AWS_ENDPOINT_URL": f"http://{HERE}:{PORT}", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
}  # fmt: skip
NO_KEYS = {name: value for name, value in KEYS.items() if "KEY" not in name}


@dataclass(frozen=True)
class Wire:
    """What goes before a command so that it runs on one of the two hosts."""

    here: list[str]
    there: list[str]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """Two network namespaces with a wire between them, and nothing else."""
    ip = tool("ip", "iproute2")
    here, there = (f"auditest-{os.getpid()}-{name}" for name in ("here", "there"))
    try:
        made = subprocess.run([ip, "netns", "add", here], check=False, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"network namespaces are not permitted: {made.stderr.strip()}")
        for command in (
            f"netns add {there}",
            f"link add wire0 netns {here} type veth peer name wire1 netns {there}",
            *(f"-n {name} link set lo up" for name in (here, there)),
            f"-n {here} addr add {HERE}/24 dev wire0", f"-n {there} addr add {THERE}/24 dev wire1",
            f"-n {here} link set wire0 up", f"-n {there} link set wire1 up",
        ):  # fmt: skip
            subprocess.run([ip, *command.split()], check=True)
        yield Wire([ip, "netns", "exec", here], [ip, "netns", "exec", there])
    finally:
        for name in (here, there):
            subprocess.run([ip, "netns", "delete", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def cloud(wire: Wire) -> Iterator[None]:
    """An emulator that both hosts reach. Every account has default security groups that admit its own resources."""
    server = [sys.executable, "-m", "moto.server", "-H", HERE, "-p", str(PORT)]
    process = subprocess.Popen([*wire.here, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            asked = [*wire.there, "bash", "-c", f"exec 3<>/dev/tcp/{HERE}/{PORT}"]
            if not subprocess.run(asked, check=False, capture_output=True).returncode:
                break
            time.sleep(0.1)
        else:
            raise RuntimeError("the emulator does not answer")
        yield
    finally:
        process.kill()
        process.wait()


def audit(wire: Wire, folder: Path, *arguments: str) -> Outcome:
    """A run whose controller is here."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-A", ACCOUNTS, "-R", "Audit",
               "--check=check43", "--filter-region=eu-west-1", f"--output-directory={folder}", "-M", "jsonl"]  # fmt: skip
    done = subprocess.run(
        [*wire.here, *command, *arguments], cwd=ROOT, env=clean_environment(**KEYS), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr, folder)


def test_workers_across_a_wire(wire: Wire, cloud: None, tmp_path: Path) -> None:
    """They assume the role with what their own host has. A host without credentials gets none from here, and says so."""
    suite = install(tmp_path / "suite")
    found = {}
    for name, environment in (("keys", KEYS), ("none", NO_KEYS)):
        with ssh_server(tmp_path / name, THERE, 22, environment, here=wire.here, there=wire.there) as config:
            host = f"--tx=2*ssh=other//ssh_config={config}//python={sys.executable}//chdir={suite}"
            found[name] = audit(wire, tmp_path / f"over-{name}", "--dist=load", host)
    assert found["keys"].code == 1, found["keys"].out + found["keys"].err
    assert {(account, text[:4]) for (_, account, *_), text in found["keys"].statuses().items()} == {
        (account, "FAIL") for account in ACCOUNTS.split(",")
    }
    assert found["none"].code == 1, found["none"].out + found["none"].err
    assert len(found["none"].statuses()) == 2
    for one in found["none"].findings():
        assert one["Status"] == "ERROR"
        assert re.search(r"no AWS credentials: .* \(on host .+\)", one["Message"])
