"""The check of tests_extras/test_sns.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from selftests.checks_harness import REGION, Answers, allow, case, cases, failed, failing_calls, policy, verdicts
from selftests.conftest import ACCOUNT, Audit

T = f"topic t in {REGION}"
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
SCOPED = f"{T} has a policy that is not public"
OPEN = f"{T} admits everyone: statement one allows sns:Publish"


def topic(**attributes: str) -> Answers:
    """A topic with these attributes."""
    return {
        "sns:ListTopics": {"Topics": [{"TopicArn": ARN}]},
        "sns:GetTopicAttributes": {"Attributes": attributes},
    }


def publish(operator: str = "", key: str = "", value: str = "", sid: str = "one") -> dict[str, Any]:
    """A statement that lets everyone publish, under a condition."""
    condition = {operator: {key: value}} if operator else None
    return allow({"AWS": "*"}, Sid=sid, Action="sns:Publish", Resource=ARN, Condition=condition)


def letting(operator: str = "", key: str = "", value: str = "") -> Answers:
    """A topic with a policy that lets everyone publish, under a condition."""
    return topic(Policy=policy(publish(operator, key, value)))


TWO = policy(publish("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b", "scoped"), publish("StringEquals", "sns:Protocol", "https", "open"))  # fmt: skip

PUBLIC = cases(
    "extra731", ARN,
    case("no policy", topic(), "PASS", f"{T} has no policy"),
    case("the owner's account", letting("StringEquals", "AWS:SourceOwner", ACCOUNT), "PASS", SCOPED),
    case("everyone", letting(), "FAIL", OPEN),
    case("transport alone", letting("Bool", "aws:SecureTransport", "true"), "FAIL", OPEN),
    case("a protocol alone", letting("StringEquals", "sns:Protocol", "https"), "FAIL", OPEN),
    case("the addresses of a domain", letting("StringLike", "sns:Endpoint", "*@example.com"), "PASS", SCOPED),
    case("one address", letting("StringLike", "sns:Endpoint", "user@example.com"), "PASS", SCOPED),
    case("any endpoint", letting("StringLike", "sns:Endpoint", "*"), "FAIL", OPEN),
    case("any address", letting("StringLike", "sns:Endpoint", "*@*"), "FAIL", OPEN),
    case("one URL", letting("StringLike", "sns:Endpoint", "https://events.example.net/integration/987654321/enqueue"), "PASS", SCOPED),
    case("a URL of anyone's", letting("StringLike", "sns:Endpoint", "https://events.example.net/integration/*/enqueue"), "FAIL", OPEN),
    case("ARNs of an account", letting("StringLike", "sns:Endpoint", "arn:aws:sns:eu-west-2:111122223333:t:*"), "PASS", SCOPED),
    case("ARNs of any account", letting("StringLike", "sns:Endpoint", "arn:aws:sns:eu-west-2:*:t:*"), "FAIL", OPEN),
    case("everyone but an organization", letting("StringNotEquals", "aws:PrincipalOrgID", "o-abc"), "FAIL", OPEN),
    case("the open statement is named", topic(Policy=TWO), "FAIL", f"{T} admits everyone: statement open allows sns:Publish to Principal AWS * (conditions: sns:Protocol)"),
    case("no JSON", topic(Policy="{"), "ERROR", "the policy document is not valid JSON"),
    case("no topics", {"sns:ListTopics": {"Topics": []}}, "INFO", f"no topic to check in {REGION}", resource=ACCOUNT),
    *(
        case(f"deleted meanwhile, {code}", {**topic(), "sns:GetTopicAttributes": failed(code)}, "INFO", f"{T} was deleted during the audit")
        for code in ("NotFound", "NotFoundException")
    ),
)  # fmt: skip

test_verdicts = verdicts(PUBLIC)
test_failing_calls = failing_calls(PUBLIC)


@pytest.mark.usefixtures("moto")
def test_emulated_topics(audit: Audit) -> None:
    sns = boto3.client("sns", REGION)
    sns.create_topic(Name="default")
    sns.create_topic(Name="open", Attributes={"Policy": policy(publish())})
    found = audit("extra731", regions=[REGION])
    assert {topic: text[:5] for topic, text in found.items()} == {"default": "PASS:", "open": "FAIL:"}
