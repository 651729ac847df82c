"""The checks of tests_extras/test_sqs.py."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q"
CHECKS = ["extra727", "extra728"]


def run(audit: Audit, check: str, attributes: Any, **settings: Any) -> str:
    """The check's finding on one queue with these attributes (or the error of reading them)."""
    given = attributes if isinstance(attributes, Exception) else {"Attributes": attributes}
    answers = {"sqs:ListQueues": {"QueueUrls": [URL]}, "sqs:GetQueueAttributes": given}
    found = audit(check, regions=[REGION], live=False, answers=answers, **settings)
    assert list(found) == ["q"]
    return found["q"]


def allow(principal: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement of a queue policy; further elements as keywords."""
    return {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": "*", **more}


def policy(*statements: dict[str, Any]) -> dict[str, str]:
    """The attributes of a queue with this policy; a single statement stands alone, not in a list."""
    return {"Policy": json.dumps({"Statement": statements[0] if len(statements) == 1 else statements})}


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    """A statement for everyone with one condition."""
    return allow({"AWS": "*"}, Condition={operator: {key: value}})


@pytest.mark.parametrize("check", CHECKS)
def test_without_queues(audit: Audit, check: str) -> None:
    found = audit(check, regions=[REGION], live=False, answers={"sqs:ListQueues": {}})
    assert found == {ACCOUNT: f"INFO: no queue to check in {REGION}"}
    denied = audit(check, regions=[REGION], live=False, answers={"sqs:ListQueues": access_denied("sqs", "ListQueues")})
    assert denied[f"{ACCOUNT} {REGION}"].startswith("ERROR: ")
    assert "sqs:ListQueues is needed" in denied[f"{ACCOUNT} {REGION}"]


@pytest.mark.parametrize("check", CHECKS)
def test_unreadable_queue(audit: Audit, check: str) -> None:
    denied = run(audit, check, access_denied("sqs", "GetQueueAttributes"))
    assert denied.startswith("ERROR: ")
    assert "sqs:GetQueueAttributes is needed" in denied
    for code in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
        gone = ApiError("sqs", "GetQueueAttributes", code, "no such queue")
        assert run(audit, check, gone) == f"INFO: queue q in {REGION} was deleted during the audit"


@pytest.mark.parametrize(
    ("attributes", "finding"),
    [
        ({}, "PASS: queue q in eu-west-1 has no policy"),
        ({"Policy": ""}, "PASS: queue q in eu-west-1 has no policy"),
        (policy(allow()), "FAIL: queue q in eu-west-1 admits everyone: statement number 1 allows sqs:SendMessage to"),
        (policy(when("ArnEquals", "aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:t")), "PASS: "),
        (policy(when("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:my-bucket")), "PASS: "),
        (policy(when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*")), "FAIL: "),
        (policy(when("Bool", "aws:SecureTransport", "true")), "FAIL: "),
        (policy(when("StringEquals", "aws:SourceAccount", ["111122223333"])), "PASS: "),
        (policy(allow(Effect="Deny")), "PASS: queue q in eu-west-1 has a policy that is not public"),
        ({"Policy": "{"}, "ERROR: "),
        ({"Policy": "{}"}, "ERROR: "),
    ],
)
def test_extra727(audit: Audit, attributes: dict[str, str], finding: str) -> None:
    assert run(audit, "extra727", attributes).startswith(finding)


def test_extra727_names_the_open_statement(audit: Audit) -> None:
    scoped = {**when("StringEquals", "aws:SourceAccount", "111122223333"), "Sid": "scoped"}
    unsafe = {**when("Bool", "aws:SecureTransport", "true"), "Sid": "open"}
    assert run(audit, "extra727", policy(scoped, unsafe)) == (
        "FAIL: queue q in eu-west-1 admits everyone: statement open allows sqs:SendMessage to Principal AWS *"
        " (conditions: aws:SecureTransport)"
    )


@pytest.mark.parametrize(
    ("attributes", "require_kms", "finding"),
    [
        (
            {"KmsMasterKeyId": "alias/aws/sqs"},
            False,
            "PASS: queue q in eu-west-1 is encrypted with SSE-KMS, key alias/",
        ),
        ({"KmsMasterKeyId": "alias/aws/sqs"}, True, "PASS: "),
        ({"SqsManagedSseEnabled": "true"}, False, "PASS: queue q in eu-west-1 is encrypted with SSE-SQS"),
        ({"SqsManagedSseEnabled": "true"}, True, "FAIL: queue q in eu-west-1 is encrypted with SSE-SQS, but SSE-KMS"),
        ({"SqsManagedSseEnabled": "false"}, False, "FAIL: queue q in eu-west-1 is not encrypted"),
        ({"SqsManagedSseEnabled": "false", "KmsMasterKeyId": ""}, False, "FAIL: "),
        ({}, False, "FAIL: queue q in eu-west-1 is not encrypted"),
    ],
)
def test_extra728(audit: Audit, attributes: dict[str, str], require_kms: bool, finding: str) -> None:
    assert run(audit, "extra728", attributes, require_kms=require_kms).startswith(finding)


@pytest.mark.usefixtures("moto")
def test_extra727_and_extra728_on_emulated_queues(audit: Audit) -> None:
    sqs = boto3.client("sqs", REGION)
    sqs.create_queue(QueueName="sealed")
    sqs.create_queue(QueueName="open", Attributes={"SqsManagedSseEnabled": "false", **policy(allow())})
    encrypted, private = audit("extra728", regions=[REGION]), audit("extra727", regions=[REGION])
    assert {queue: text[:5] for queue, text in encrypted.items()} == {"sealed": "PASS:", "open": "FAIL:"}
    assert {queue: text[:5] for queue, text in private.items()} == {"sealed": "PASS:", "open": "FAIL:"}
