"""The checks of tests_extras/test_sqs.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from selftests.checks_harness import (
    REGION,
    Answers,
    allow,
    case,
    cases,
    changed,
    failed,
    failing_calls,
    policy,
    verdicts,
)
from selftests.conftest import ACCOUNT, Audit

Q = f"queue q in {REGION}"
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
OPEN = f"{Q} admits everyone: statement"


def queue(**attributes: str | None) -> Answers:
    """A queue that SQS encrypts and that has no policy, with these attributes changed."""
    return {
        "sqs:ListQueues": {"QueueUrls": [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q"]},
        "sqs:GetQueueAttributes": {"Attributes": changed({"SqsManagedSseEnabled": "true"}, **attributes)},
    }


def send(principal: Any = "*", **elements: Any) -> dict[str, Any]:
    """A statement that lets everyone send messages."""
    return allow(principal, Action="sqs:SendMessage", **elements)


def when(operator: str, key: str, value: Any, **elements: Any) -> dict[str, Any]:
    """A statement for everyone with one condition."""
    return send({"AWS": "*"}, Condition={operator: {key: value}}, **elements)


SCOPED = when("StringEquals", "aws:SourceAccount", "111122223333", Sid="scoped")
UNSAFE = when("Bool", "aws:SecureTransport", "true", Sid="open")
OF_EVERY_CHECK = (
    case("no queues", {"sqs:ListQueues": {}}, "INFO", f"no queue to check in {REGION}", resource=ACCOUNT),
    *(
        case(f"deleted meanwhile, {code}", {**queue(), "sqs:GetQueueAttributes": failed(code)}, "INFO", f"{Q} was deleted during the audit")
        for code in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
    ),
)  # fmt: skip

PUBLIC = cases(
    "extra727", ARN,
    case("no policy", queue(), "PASS", f"{Q} has no policy"),
    case("no attributes", queue(SqsManagedSseEnabled=None), "PASS", f"{Q} has no policy"),
    case("an empty policy", queue(Policy=""), "PASS", f"{Q} has no policy"),
    case("everyone", queue(Policy=policy(send())), "FAIL", f"{OPEN} number 1 allows sqs:SendMessage to"),
    case("a source ARN", queue(Policy=policy(when("ArnEquals", "aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:t"))), "PASS", "not public"),
    case("a bucket as the source", queue(Policy=policy(when("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:my-bucket"))), "PASS", "not public"),
    case("any bucket as the source", queue(Policy=policy(when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"))), "FAIL", "admits everyone"),
    case("transport alone", queue(Policy=policy(when("Bool", "aws:SecureTransport", "true"))), "FAIL", "admits everyone"),
    case("a source account", queue(Policy=policy(when("StringEquals", "aws:SourceAccount", ["111122223333"]))), "PASS", "not public"),
    case("a denial", queue(Policy=policy(send(Effect="Deny"))), "PASS", f"{Q} has a policy that is not public"),
    case("the open statement is named", queue(Policy=policy(SCOPED, UNSAFE)), "FAIL", f"{OPEN} open allows sqs:SendMessage to Principal AWS * (conditions: aws:SecureTransport)"),
    case("no JSON", queue(Policy="{"), "ERROR", "the policy document is not valid JSON"),
    case("no statement", queue(Policy="{}"), "ERROR", "the policy document has no Statement"),
    *OF_EVERY_CHECK,
)  # fmt: skip

ENCRYPTED = cases(
    "extra728", ARN,
    case("SSE-KMS", queue(KmsMasterKeyId="alias/aws/sqs"), "PASS", f"{Q} is encrypted with SSE-KMS, key alias/aws/sqs"),
    case("SSE-KMS where it is required", queue(KmsMasterKeyId="alias/aws/sqs"), "PASS", "SSE-KMS", require_kms=True),
    case("SSE-SQS", queue(), "PASS", f"{Q} is encrypted with SSE-SQS"),
    case("SSE-SQS where SSE-KMS is required", queue(), "FAIL", f"{Q} is encrypted with SSE-SQS, but SSE-KMS is required", require_kms=True),
    case("off", queue(SqsManagedSseEnabled="false"), "FAIL", f"{Q} is not encrypted"),
    case("off, with an empty key", queue(SqsManagedSseEnabled="false", KmsMasterKeyId=""), "FAIL", f"{Q} is not encrypted"),
    case("not said", queue(SqsManagedSseEnabled=None), "FAIL", f"{Q} is not encrypted"),
    *OF_EVERY_CHECK,
)  # fmt: skip

test_verdicts = verdicts(PUBLIC, ENCRYPTED)
test_failing_calls = failing_calls(PUBLIC, ENCRYPTED)


@pytest.mark.usefixtures("moto")
def test_emulated_queues(audit: Audit) -> None:
    sqs = boto3.client("sqs", REGION)
    sqs.create_queue(QueueName="sealed")
    sqs.create_queue(QueueName="open", Attributes={"SqsManagedSseEnabled": "false", "Policy": policy(send())})
    for check in ("extra727", "extra728"):
        found = audit(check, regions=[REGION])
        assert {queue: text[:5] for queue, text in found.items()} == {"sealed": "PASS:", "open": "FAIL:"}
