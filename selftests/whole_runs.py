"""Whole runs: an emulator process, and ``suite(...)``, which runs the suite against it as a user would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from plugins.suite import ROOT
from selftests.standins.aws_server import AwsServer, Reply, Request, serving
from selftests.standins.emulators import Server, serve

REGIONS = ["eu-west-1", "us-east-1", "ap-southeast-2"]
NO_PLUGINS_OF_DEVELOPERS = ("-p", "no:hypothesispytest")
"""A user does not have it, and at the end of each run it imports all of Hypothesis (0.6 s)."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Emulator:
    """A moto server in a process of its own."""

    url: str
    server: Server

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be audited against it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = "eu-west-1", account: str | None = None) -> Any:
        """A boto3 client; ``account``: of another account, by assuming a role in it."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        if account:
            sts = boto3.client("sts", region, endpoint_url=self.url, **keys)
            role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/r", RoleSessionName="selftest")["Credentials"]
            keys = {
                "aws_access_key_id": role["AccessKeyId"], "aws_secret_access_key": role["SecretAccessKey"],
                "aws_session_token": role["SessionToken"],
            }  # fmt: skip
        return boto3.client(service, region, endpoint_url=self.url, **keys)


def start_emulator() -> Emulator:
    """Start a moto server and wait until it answers."""
    port = free_port()
    server = serve(port)
    url = f"http://127.0.0.1:{port}"
    for _ in range(750):
        try:
            urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()
            return Emulator(url, server)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    server.kill()
    raise RuntimeError("the emulator does not answer")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator with security groups, good and bad, in three regions of the default account."""
    found = start_emulator()
    try:
        for region in REGIONS:
            ec2 = found.client("ec2", region)
            open_group = ec2.create_security_group(GroupName=f"open-{region}", Description="open")["GroupId"]
            ec2.authorize_security_group_ingress(
                GroupId=open_group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
            )
        yield found
    finally:
        found.server.kill()


@dataclass
class Outcome:
    """How a run ended and what it wrote."""

    code: int
    out: str
    err: str
    folder: Path

    def findings(self) -> list[dict[str, Any]]:
        """All findings of the jsonl reports."""
        return [
            json.loads(line) for file in sorted(self.folder.glob("*.jsonl")) for line in file.read_text().splitlines()
        ]

    def statuses(self) -> dict[tuple[str, str, str, str], str]:
        """(check, account, region, resource) -> status and message. Fails when a finding is there twice."""
        found: dict[tuple[str, str, str, str], str] = {}
        for one in self.findings():
            key = (one["Check ID"], one["Account Number"], one["Region"], one["Resource ID"])
            assert key not in found, f"{key} is there twice"
            found[key] = f"{one['Status']}: {one['Message']}"
        return found


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what pytest and xdist tell the processes of this very test run, and without what makes each
    Python process compile the whole suite anew.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **more}


class Suite:
    """Runs the suite in a process of its own, from the project's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0

    def command(self, *arguments: str, formats: str = "jsonl") -> tuple[list[str], Path]:
        """The command line of a run and its output folder."""
        self.runs += 1
        output = self.folder / f"run{self.runs}"
        return [
            sys.executable, "-m", "pytest", f"--output-directory={output}", f"--output-formats={formats}",
            "-p", "no:cacheprovider", *NO_PLUGINS_OF_DEVELOPERS, *arguments,
        ], output  # fmt: skip

    def __call__(
        self, *arguments: str, env: dict[str, str] | None = None, formats: str = "jsonl", timeout: float = 120
    ) -> Outcome:
        command, output = self.command(*arguments, formats=formats)
        result = subprocess.run(
            command,
            cwd=ROOT,
            env=clean_environment(**(env or {})),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(result.returncode, result.stdout, result.stderr, output)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run the suite, see Suite."""
    return Suite(tmp_path)


Start = Callable[[Callable[[Request], Reply]], AwsServer]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a stand-in for AWS that gives these answers; all clients talk to it."""
    with ExitStack() as stack:

        def start(answer: Callable[[Request], Reply]) -> AwsServer:
            server = stack.enter_context(serving(AwsServer(answer)))
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            return server

        yield start
