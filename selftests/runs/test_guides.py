"""Every command that README.md and docs/ show works as written, from the folder of the suite.

A guide's commands run one after the other in a copy of the suite whose pyproject.toml narrows audits to two checks and a
region, so that the command lines stay what the guide says. Only the number of workers is another.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from plugins.suite import ROOT
from selftests.guides import blocks, commands, documents
from selftests.runs.test_mfa import Conversation
from selftests.standins import securityhub_server, sts_server
from selftests.standins.securityhub_server import SecurityHubServer
from selftests.standins.sts_server import StsServer
from selftests.whole_runs import Emulator, Outcome, clean_environment

TEXTS = {name: path.read_text() for name, path in documents().items()}
DEVICE = "arn:aws:iam::123456789012:mfa/phone"
CODE = "824917"
USER = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
NARROW = 'check = "check41,check42"\nfilter_region = "eu-west-1"\n'
LIKE_USERS = "-p no:hypothesispytest"  # they have no development dependencies
WITH_WORKERS = {"recordings"}
"""The guides whose -n is 2; for the others it is 0, since starting workers is shown often enough."""

ELSEWHERE = {
    r"aws (cloudformation|s3|codebuild) ": "selftests/permissions/test_deployment.py",
    r"docker (build|run) ": "selftests/permissions/test_deployment.py",
    r"pipx run pip-audit ": "selftests/docs/test_licences.py",
    r"pytest .*--tx '4\*ssh=": "selftests/runs/test_remote.py",
    r"pytest examples/custom_checks": "selftests/runs/test_examples.py",
    r"pipx install |auditest demo$": "selftests/runs/test_wheel.py",
}
"""Commands that cannot run here (no AWS account, no other host, no network), or that run there; and where they are shown."""

OTHER_PROGRAMS = {"$", ".venv/bin/python", "bash", "cat", "curl", "export", "jq", "pip", "podman", "rsync", "ssh", "uv"}
"""With which no line of a block begins that is not named console: it would not be taken for a command."""

SAYS = {
    "nightly.sh -m cislevel1 -n 4 >> ": "",
    "--baseline=reports/last": "exit code 0: every failure is in the baseline (--fail-on-new)",
    "--baseline=reports ": "exit code 0: every failure is in the baseline (--fail-on-new)",
    "python -c": "high\tcheck41\t123456789012\teu-west-1\tsg-",
    "--whitelist ": "whitelist.yaml: ",
    " -S": "Security Hub: ",
    "--output-bucket": " to s3://my-bucket/audits/",
    "--record ": "Recording: ",
    "--replay ": "Replayed: ",
    "--output-directory ../audit": "Reports: ../audit/",
    "--resume": "4 findings",
    "plugins.merge": "findings: ",
    "--shard": "shard ",
    "make demo": "pytest --demo",
    "make audit": "pytest -m cislevel1 -n 8",
    "--list-checks": "check",
    "zcat": '"o":"DescribeSecurityGroups"',
    "grep -ohE": "1 macie2:GetMacieSession is needed",
}  # fmt: skip
"""Part of a command -> what it prints."""


class ShellConversation(Conversation):
    """A command in a shell on a terminal of its own."""

    def __init__(self, folder: Path, command: str, env: dict[str, str]) -> None:
        self.text, self.folder = "", folder
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:  # pragma: no cover
            os.chdir(folder)
            os.execvpe("bash", ["bash", "-c", command], clean_environment(**env))


@dataclass
class World:
    """A copy of the suite, and what it talks to."""

    guide: str
    folder: Path
    emulator: Emulator
    hub: SecurityHubServer

    def run(self, command: str, kill_after: int = 0, **more: str) -> Outcome:
        """Run a command as a shell would. ``kill_after``: kill it and its workers after so many findings."""
        with ExitStack() as stack:
            sts = StsServer(self.emulator.url, codes={DEVICE: CODE}, web_token="right")
            stack.enter_context(sts_server.serving(sts))
            environment = {
                **self.emulator.environment, "AWS_ENDPOINT_URL": sts.url, "AWS_ENDPOINT_URL_SECURITYHUB": self.hub.url,
                "AWS_CONFIG_FILE": str(self.folder / "config"), "CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2",
                "BUILDKITE_PARALLEL_JOB": "0", "GIT_DIR": str(ROOT / ".git"),
                "PYTEST_ADDOPTS": LIKE_USERS, **more,
                "PATH": os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            }  # fmt: skip
            if "AWS_WEB_IDENTITY_TOKEN_FILE" in command:  # keys would go before it
                del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
            if kill_after:
                environment |= {"PYTEST_ADDOPTS": f"{LIKE_USERS} -p selftests.runs.kill_all"}
                environment |= {"KILL_ALL_AFTER": str(kill_after), "PYTHONPATH": str(self.folder)}
            words = shlex.split(command, comments=True)
            asks = "--mfa" in words or (self.guide == "mfa" and "--mfa-token" not in words)
            if asks:
                done = self._talk(command, environment, device="--mfa" in words)
            else:
                ran = subprocess.run(
                    ["bash", "-c", command], cwd=self.folder, env=clean_environment(**environment), text=True,
                    capture_output=True, start_new_session=True, timeout=120, check=False,
                )  # fmt: skip
                done = Outcome(ran.returncode, ran.stdout, ran.stderr, self.folder)
            assert (sts.count("GetSessionToken") == 1) == (self.guide == "mfa" or asks), done.out + done.err
            return done

    def _talk(self, command: str, environment: dict[str, str], device: bool) -> Outcome:
        run = ShellConversation(self.folder, command, environment)
        if device:
            run.answer("MFA device", DEVICE)
        run.answer(f"MFA code of {DEVICE}", CODE)
        return run.end()


@pytest.fixture(scope="module")
def unit(emulator: Emulator) -> str:
    """A unit of an organization in the emulator, with an account; and a bucket for reports."""
    emulator.client("s3", "us-east-1").create_bucket(Bucket="my-bucket")
    client = emulator.client("organizations", "us-east-1")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    id = client.create_account(AccountName="shop", Email="shop@example.com")["CreateAccountStatus"]["AccountId"]
    unit = client.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    client.move_account(AccountId=id, SourceParentId=root, DestinationParentId=unit)
    return str(unit)


@pytest.fixture
def world(emulator: Emulator, tmp_path: Path, unit: str, request: pytest.FixtureRequest) -> Iterator[World]:
    folder = tmp_path / "auditest"
    left_out = shutil.ignore_patterns(".*", "reports", "bench", "standins", "*.part")
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "bin").mkdir()
    (folder / "bin" / "auditest").write_text(f'#!/bin/sh\nexec {sys.executable} {folder}/plugins/command.py "$@"\n')
    (folder / "bin" / "auditest").chmod(0o755)
    settings = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(
        settings.replace("[tool.pytest.ini_options]\n", f"[tool.pytest.ini_options]\n{NARROW}")
    )
    (folder / "accounts.yaml").write_text(blocks(TEXTS["multi-account"], "yaml")[0].text)
    (folder / "token").write_text("right")
    guide = getattr(request, "param", "")
    if guide == "mfa":
        profiles = re.sub("(?m)^aws_(.*) = …", r"aws_\1 = testing", blocks(TEXTS["mfa"], "ini")[0].text)
    else:
        profiles = "[profile shop]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = audit\n"
    keys = "".join(f"[profile {name}]\nregion = eu-west-1\n{USER}" for name in ("audit", "prod"))
    (folder / "config").write_text(keys + profiles)
    with securityhub_server.serving(SecurityHubServer()) as hub:
        yield World(guide, folder, emulator, hub)


def runnable() -> dict[str, list[str]]:
    """The commands that are run here, by guide; one that several guides show is run with the first."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for guide, text in TEXTS.items():
        for command in commands(text):
            words = re.sub(r"\s+# .*", "", command)
            if words not in seen and not any(re.match(pattern, command) for pattern in ELSEWHERE):
                found.setdefault(guide, []).append(command)
            seen.add(words)
    return found


def prepare(world: World, command: str) -> None:
    """Bring about what a command is for."""
    if "--resume" in command:
        killed = world.run(command.replace(" --resume", ""), kill_after=3)
        assert killed.code == -9, killed.out + killed.err
    if command.startswith("python -c"):  # something new since last night
        ec2 = world.emulator.client("ec2")
        group = ec2.create_security_group(GroupName="new", Description="new")["GroupId"]
        world.emulator.client("ec2").authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
        night = world.run("sh examples/nightly.sh -m cislevel1")
        assert "1 new failures, 1 unchanged" in night.out, night.out
    if "$CI_NODE_INDEX" in command:
        other = world.run(command, CI_NODE_INDEX="2")
        assert other.code in (0, 1), other.out + other.err
    if command.startswith("grep"):
        (world.folder / "reports").mkdir(exist_ok=True)
        row = "ERROR,access denied in eu-west-1: macie2:GetMacieSession is needed (macie2:GetMacieSession, AccessDenied)\n"
        (world.folder / "reports" / "x.csv").write_text(row)


def as_here(world: World, command: str, unit: str) -> str:
    """The command with this world's names, and with few workers."""
    workers = 2 if world.guide in WITH_WORKERS else 0
    command = re.sub(r"(?<= )-n [48]\b", f"-n {workers}", command) if not command.startswith("make") else command
    command = command.replace("ou-abcd-12345678", unit)
    command = command.replace("cd /srv/auditest", "true").replace("/var/log/auditest.log", "auditest.log")
    return re.sub("^make ", "make --dry-run ", command)


@pytest.mark.parametrize("world", runnable(), indirect=True)
def test_the_commands_of_a_guide(world: World, unit: str) -> None:
    for shown in runnable()[world.guide]:
        if shown.startswith("git ") and not (ROOT / ".git").exists():
            continue
        prepare(world, as_here(world, shown, unit))
        done = world.run(as_here(world, shown, unit))
        said = f"{shown}\n{done.out}{done.err}"
        assert done.code in (0, 1), said
        assert "Traceback" not in said and "INTERNALERROR" not in said, said
        for part, words in SAYS.items():
            assert part not in shown or words in done.out, said
        accounts = re.search(r" -A (\S+)", shown)
        if accounts and "examples/nightly.sh" not in shown:
            assert f"auditing {accounts[1].replace(',', ', ')} in eu-west-1" in done.out, said


def test_no_command_of_a_guide_is_overlooked() -> None:
    """Every block is of a kind that is read, or has no commands; one without a name has none that is not known."""
    for name, text in TEXTS.items():
        for kind, lines in blocks(text):
            assert kind in {"", "console", "crontab", "ini", "json", "python", "text", "yaml"}, f"{name}: {lines}"
            for line in lines.splitlines() if kind == "" else []:
                assert line.split(" ")[0] not in OTHER_PROGRAMS, f"{name}: name the block console: {line}"
    everything = [one for text in TEXTS.values() for one in commands(text)]
    for pattern, where in ELSEWHERE.items():
        assert any(re.match(pattern, one) for one in everything), f"{pattern} is in no guide"
        assert (ROOT / where).exists(), where
    for part in SAYS:
        assert any(part in one for one in everything), f"{part} is in no guide"


def test_commands_that_run_elsewhere_name_what_is_there() -> None:
    """Their files, a template's parameters, and what the Dockerfile says of itself."""
    for text in TEXTS.values():
        for command in commands(text):
            words = shlex.split(command, comments=True)
            if words[0] == "docker":
                assert command in (ROOT / "Dockerfile").read_text(), command
            for option in ("--template-file", "--requirement"):
                if option in words:
                    assert (ROOT / words[words.index(option) + 1]).is_file(), command
            if "--parameter-overrides" in words:
                template = (ROOT / words[words.index("--template-file") + 1]).read_text()
                for given in words[words.index("--parameter-overrides") + 1 :]:
                    assert f"\n  {given.partition('=')[0]}:\n" in template, command


def test_the_buildkite_example(world: World) -> None:
    """A shard leaves what the last step joins; it is told the numbers of all of them."""
    audit, report = yaml.safe_load((ROOT / "examples" / "ci" / "buildkite.yml").read_text())["steps"]
    shards = [f"shard-{number}" for number in range(audit["parallelism"])]
    assert report["commands"][-1].endswith(f"plugins.merge reports {' '.join(shards)}")
    assert audit["artifact_paths"] == ["shard-*/**/*"]
    command = audit["commands"][-1].replace("$$", "$").replace("-n 4", "-n 0")
    done = world.run(command, BUILDKITE_PARALLEL_JOB_COUNT=str(len(shards)), CI_NODE_INDEX="")
    assert done.code in (0, 1), done.out + done.err
    assert (world.folder / "shard-0" / f"auditest-shard-1-of-{len(shards)}.json").exists()
