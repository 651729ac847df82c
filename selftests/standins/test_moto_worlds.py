"""The emulated worlds of the tests: what they share is as in moto, and nothing else is shared."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import Any

import boto3
import pytest

from plugins.suite import ROOT
from selftests.standins.moto_worlds import world
from selftests.whole_runs import free_port, start_emulator

POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def plain(policy: Any) -> dict[str, Any]:
    """What a policy of moto holds, without its random id."""
    return {**vars(policy), "id": "", "versions": [vars(version) for version in policy.versions]}


@pytest.mark.parametrize(("partition", "region"), [("aws", "us-east-1"), ("aws-cn", "cn-north-1")])
def test_managed_policies_are_those_of_moto(partition: str, region: str) -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy, iam_backends

    account = "111111111111"
    data = json.loads(aws_managed_policies_data)
    expected = [AWSManagedPolicy.from_data(name, account, partition, one) for name, one in data.items()]
    with world():
        boto3.client("iam", region).list_users()
        found = iam_backends[account][partition].managed_policies
    assert [plain(policy) for policy in found.values()] == [plain(policy) for policy in expected]
    assert list(found) == [policy.arn for policy in expected]


def test_worlds_know_nothing_of_each_other() -> None:
    for _ in range(2):
        with world():
            iam, ec2 = boto3.client("iam"), boto3.client("ec2", "eu-west-1")
            assert iam.list_users()["Users"] == []
            assert iam.get_policy(PolicyArn=POLICY)["Policy"]["AttachmentCount"] == 0
            assert [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
            iam.create_user(UserName="alice")
            iam.attach_user_policy(UserName="alice", PolicyArn=POLICY)
            assert iam.get_policy(PolicyArn=POLICY)["Policy"]["AttachmentCount"] == 1
            ec2.create_security_group(GroupName="web", Description="d")


def test_the_account_of_an_access_key_is_found() -> None:
    with world():
        sts = boto3.client("sts", "us-east-1")
        role = sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/r", RoleSessionName="selftest")["Credentials"]
        session = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
        session.client("iam").create_user(UserName="bob")
        key = session.client("iam").create_access_key(UserName="bob")["AccessKey"]
        bob = boto3.client(
            "sts", "us-east-1", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        assert sts.get_caller_identity()["Account"] == "123456789012"
        assert bob.get_caller_identity()["Account"] == "222222222222"


def listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionError:
        return False
    return True


def test_emulators_know_nothing_of_each_other_and_end() -> None:
    one, other = start_emulator(), start_emulator()
    try:
        one.client("sqs").create_queue(QueueName="q")
        assert "QueueUrls" in one.client("sqs").list_queues()
        assert "QueueUrls" not in other.client("sqs").list_queues()
        one.server.kill()
        assert not listens(one.url)
        assert listens(other.url)
    finally:
        other.server.kill()


def test_an_emulator_does_not_outlive_who_started_it() -> None:
    port = free_port()
    code = (
        "import os, selftests.whole_runs as it\n"
        f"it.free_port = lambda: {port}\n"
        "it.start_emulator().client('sqs').list_queues()\n"
        "os._exit(7)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    deadline = time.monotonic() + 30
    while listens(f"http://127.0.0.1:{port}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not listens(f"http://127.0.0.1:{port}")
