"""The check of tests_extras/test_sns.py."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
NARROW = {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}}


def run(audit: Audit, attributes: Any) -> str:
    """The finding on one topic with these attributes (or the error of reading them)."""
    given = attributes if isinstance(attributes, Exception) else {"Attributes": attributes}
    answers = {"sns:ListTopics": {"Topics": [{"TopicArn": ARN}]}, "sns:GetTopicAttributes": given}
    found = audit("extra731", regions=[REGION], live=False, answers=answers)
    assert list(found) == ["t"]
    return found["t"]


def allow(condition: dict[str, Any] | None = None, sid: str = "one") -> dict[str, Any]:
    """A statement that lets everyone publish, under a condition."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sns:Publish",
        "Resource": ARN,
        **({"Condition": condition} if condition else {}),
    }


def policy(*statements: dict[str, Any]) -> dict[str, str]:
    """The attributes of a topic with this policy."""
    return {"Policy": json.dumps({"Statement": statements})}


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"StringEquals": {"AWS:SourceOwner": ACCOUNT}}, "PASS"),
        (None, "FAIL"),
        ({"Bool": {"aws:SecureTransport": "true"}}, "FAIL"),
        ({"StringEquals": {"sns:Protocol": "https"}}, "FAIL"),
        ({"StringLike": {"sns:Endpoint": "*@example.com"}}, "PASS"),
        ({"StringLike": {"sns:Endpoint": "user@example.com"}}, "PASS"),
        ({"StringLike": {"sns:Endpoint": "*"}}, "FAIL"),
        ({"StringLike": {"sns:Endpoint": "*@*"}}, "FAIL"),
        ({"StringLike": {"sns:Endpoint": "https://events.example.net/integration/987654321/enqueue"}}, "PASS"),
        ({"StringLike": {"sns:Endpoint": "https://events.example.net/integration/*/enqueue"}}, "FAIL"),
        ({"StringLike": {"sns:Endpoint": "arn:aws:sns:eu-west-2:111122223333:t:*"}}, "PASS"),
        ({"StringLike": {"sns:Endpoint": "arn:aws:sns:eu-west-2:*:t:*"}}, "FAIL"),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}}, "FAIL"),
    ],
)
def test_extra731(audit: Audit, condition: dict[str, Any] | None, status: str) -> None:
    words = "has a policy that is not public" if status == "PASS" else "admits everyone: statement one allows sns:Pub"
    assert run(audit, policy(allow(condition))).startswith(f"{status}: topic t in {REGION} {words}")


def test_extra731_names_the_open_statement(audit: Audit) -> None:
    found = run(audit, policy(allow(NARROW, "scoped"), allow({"StringEquals": {"sns:Protocol": "https"}}, "open")))
    assert found == (
        f"FAIL: topic t in {REGION} admits everyone: statement open allows sns:Publish to Principal AWS *"
        " (conditions: sns:Protocol)"
    )


def test_extra731_unusual_answers(audit: Audit) -> None:
    assert run(audit, {}) == f"PASS: topic t in {REGION} has no policy"
    assert run(audit, {"Policy": "{"}).startswith("ERROR: ")
    denied = run(audit, access_denied("sns", "GetTopicAttributes"))
    assert denied.startswith("ERROR: ")
    assert "sns:GetTopicAttributes is needed" in denied
    for code in ("NotFound", "NotFoundException"):
        gone = ApiError("sns", "GetTopicAttributes", code, "no such topic")
        assert run(audit, gone) == f"INFO: topic t in {REGION} was deleted during the audit"


def test_extra731_without_topics(audit: Audit) -> None:
    found = audit("extra731", regions=[REGION], live=False, answers={"sns:ListTopics": {"Topics": []}})
    assert found == {ACCOUNT: f"INFO: no topic to check in {REGION}"}
    denied = audit(
        "extra731", regions=[REGION], live=False, answers={"sns:ListTopics": access_denied("sns", "ListTopics")}
    )
    assert "sns:ListTopics is needed" in denied[f"{ACCOUNT} {REGION}"]


@pytest.mark.usefixtures("moto")
def test_extra731_on_emulated_topics(audit: Audit) -> None:
    sns = boto3.client("sns", REGION)
    sns.create_topic(Name="default")
    sns.create_topic(Name="open", Attributes=policy(allow()))
    found = audit("extra731", regions=[REGION])
    assert {topic: text[:5] for topic, text in found.items()} == {"default": "PASS:", "open": "FAIL:"}
