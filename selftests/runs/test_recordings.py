"""Whole runs that are recorded and replayed: no secret reaches the file, and the replay finds what the live run found."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from bench.recordings import write
from fixtures.recording.reader import Recording
from selftests.conftest import ACCOUNT
from selftests.fixtures.secrets.test_scanner import AWS_ID, AWS_SECRET, JWT, some
from selftests.whole_runs import Emulator, Suite

CHECKS = "--check=extra741,extra775,extra759,extra742,extra768,check43"
REGION = "eu-west-1"
RANDOM = some(40)
SECRETS = [AWS_SECRET, JWT, "Sw0rdf1sh-9", RANDOM, AWS_ID]
NAMES = ["A", "B", "DbPassword", "D", "E"]
SCRIPT = f"#!/bin/sh\nexport A={AWS_SECRET}\ncurl -u x:{JWT} https://h\n\nDB_PASSWORD=Sw0rdf1sh-9\nx='{RANDOM}' id={AWS_ID}\n"
CONFIG = "\n".join(
    f"[{check}]\nsecrets_ignore_patterns = ['Sw0rdf', '^AKIA']\nsecrets_base64_entropy_limit = 5.9\n"
    for check in ("extra741", "extra759", "extra742")
)
NOTHING = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def careless(emulator: Emulator) -> Emulator:
    """The emulator, with secrets wherever they may stand."""
    ec2 = emulator.client("ec2", REGION)
    image = "ami-12345678"
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, UserData=SCRIPT)
    packed = base64.b64encode(gzip.compress(SCRIPT.encode())).decode()
    ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"UserData": packed})
    emulator.client("autoscaling", REGION).create_launch_configuration(
        LaunchConfigurationName="c", ImageId=image, InstanceType="t3.micro", UserData=SCRIPT
    )
    outputs = {name: {"Value": value} for name, value in zip(NAMES, SECRETS, strict=True)}
    queue = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
    emulator.client("cloudformation", REGION).create_stack(StackName="s", TemplateBody=json.dumps(queue))
    variables = dict(zip(NAMES, SECRETS, strict=True))
    emulator.client("ecs", REGION).register_task_definition(
        family="f",
        containerDefinitions=[{"name": "c", "image": "i", "memory": 64, "environment": [{"name": k, "value": v} for k, v in variables.items()]}],
    )  # fmt: skip
    role = emulator.client("iam", REGION).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "x = 1")
    emulator.client("lambda", REGION).create_function(
        FunctionName="f", Role=role, Handler="f.f", Runtime="python3.13", Code={"ZipFile": code.getvalue()},
        Environment={"Variables": variables},
    )  # fmt: skip
    return emulator


def reports(folder: Path) -> dict[str, bytes]:
    """Name -> content, but for the files beside reports: how long a run took is no part of a replay."""
    files = [file for file in folder.rglob("*.*") if file.is_file() and not file.name.endswith(".meta.json")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def assert_no_secret(text: bytes) -> None:
    """Neither in clear nor in base64."""
    encoded = re.findall(rb"[A-Za-z0-9+/]{16,}", text)
    for part in (text, *(base64.b64decode(one[: len(one) // 4 * 4]) for one in encoded)):
        for secret in SECRETS:
            assert secret.encode() not in part


def test_a_recording_holds_no_secret_and_replays_to_the_same_bytes(careless: Emulator, suite: Suite) -> None:
    tape = suite.folder / "tape"
    region = f"--filter-region={REGION}"
    live = suite(CHECKS, region, f"--record={tape}", env=careless.environment, formats="jsonl,csv")
    fails = {one["Check ID"] for one in live.findings() if one["Status"] == "FAIL"}
    assert fails >= {"extra741", "extra775", "extra759", "extra742", "extra768"}
    assert not [one for one in live.findings() if one["Status"] == "ERROR"]
    assert_no_secret(gzip.decompress(tape.read_bytes()))
    recording = Recording(tape)
    assert f"Recording: {tape}" in live.out
    assert f"seal {recording.seal}" in live.out
    assert recording.accounts[0].caller.startswith(f"arn:aws:sts::{ACCOUNT}:")
    replayed = suite(CHECKS, f"--replay={tape}", env=NOTHING, formats="jsonl,csv")
    assert reports(replayed.folder) == reports(live.folder)
    assert recording.seal in replayed.out
    parallel = suite(CHECKS, f"--replay={tape}", "-n", "2", env=NOTHING)
    assert parallel.statuses() == live.statuses()
    elsewhere = suite(CHECKS, f"--replay={tape}", "--filter-region=eu-west-2", env=NOTHING)
    assert elsewhere.code == 4
    assert "not in the recording: eu-west-2" in elsewhere.err

    # thresholds that the recorded run did not have: patterns cannot accept what is gone, limits are judged anew
    config = suite.folder / "c.toml"
    config.write_text(CONFIG)
    own = [CHECKS, region, f"--config={config}"]
    tuned = suite(*own, f"--record={tape}2", "-n", "2", env=careless.environment)
    assert tuned.statuses() != live.statuses()
    assert_no_secret(gzip.decompress(Path(f"{tape}2").read_bytes()))
    assert suite(*own, f"--replay={tape}2", env=NOTHING).statuses() == tuned.statuses()
    assert suite(CHECKS, f"--replay={tape}2", env=NOTHING).statuses() == live.statuses()


def test_tampering_and_leftovers_end_the_run_in_one_line(emulator: Emulator, suite: Suite) -> None:
    tape = suite.folder / "tape"
    suite("--check=check43", "-n", "2", f"--record={tape}", env=emulator.environment)
    whole = tape.read_bytes()
    for workers in ("0", "2"):
        tape.write_bytes(whole[:-30])
        done = suite("--check=check43", f"--replay={tape}", "-n", workers, env=NOTHING)
        assert done.code == 4
        assert re.fullmatch(rf"ERROR: {re.escape(str(tape))}, line \d+: the recording is cut off here\n*", done.err)
        assert not done.findings()
    tape.write_bytes(whole)
    Path(f"{tape}.main.part").touch()
    cut_off = suite("--check=check43", f"--replay={tape}", env=NOTHING)
    assert cut_off.code == 4
    assert "the run that recorded it was cut off (tape.main.part is left)" in cut_off.err
    again = suite("--check=check43", f"--record={tape}", env=emulator.environment)
    assert again.code == 1
    assert not list(suite.folder.glob("tape.*"))


def test_the_recording_of_a_run_with_a_killed_worker_is_complete(careless: Emulator, suite: Suite) -> None:
    tape = suite.folder / "tape"
    live = suite(
        CHECKS, f"--filter-region={REGION}", "-n", "1", f"--record={tape}", "-p", "selftests.runs.kill_once",
        env={**careless.environment, "KILL_MARKER": f"{suite.folder}/killed", "KILL_AFTER": "6"},
    )  # fmt: skip
    assert "replacing crashed worker" in live.out
    assert "without the calls of 1 workers that died" in live.out
    replayed = suite(CHECKS, f"--replay={tape}", env=NOTHING)
    assert replayed.statuses() == live.statuses()


def test_each_listing_that_is_refused_has_a_finding_of_its_own(suite: Suite) -> None:
    tape = suite.folder / "tape"
    write(tape, 1, [ACCOUNT], [REGION])
    for workers in ("0", "2"):
        found = suite("--check=extra723", f"--replay={tape}", "-n", workers, env=NOTHING).findings()
        assert sorted(one["Message"].partition(" ")[0] for one in found) == [
            "rds:DescribeDBClusterSnapshots", "rds:DescribeDBSnapshots",
        ]  # fmt: skip
        assert len({one["Finding ID"] for one in found}) == 2
