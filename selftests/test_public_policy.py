"""Which policy statements let everyone in."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.public_policy import public_statements


def allow(principal: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow statement; more elements as keywords, None removes one."""
    elements = {"Effect": "Allow", "Principal": principal, "Action": "x:Do", "Resource": "*", **more}
    return {name: value for name, value in elements.items() if value is not None}


def is_public(statement: dict[str, Any], **limits: int) -> bool:
    """Whether a policy of this one statement is public."""
    return bool(public_statements({"Statement": [statement]}, **limits))


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        (allow(), True),
        (allow(["*"]), True),
        (allow({"AWS": "*"}), True),
        (allow({"AWS": ["111122223333", "*"]}), True),
        (allow({"CanonicalUser": "*"}), True),
        (allow({"AWS": "arn:aws:iam::*:root"}), True),
        (allow({"AWS": "arn:aws-cn:iam::*:root"}), True),
        (allow(None, NotPrincipal={"AWS": "111122223333"}), True),
        (allow(None), False),
        (allow({"AWS": "arn:aws:iam::999999999999:root"}), False),
        (allow({"AWS": "999999999999"}), False),
        (allow({"Service": "apigateway.amazonaws.com"}), False),
        (allow({"Federated": "*"}), False),
        (allow(Effect="Deny"), False),
    ],
)
def test_principals(statement: dict[str, Any], public: bool) -> None:
    assert is_public(statement) is public


@pytest.mark.parametrize(
    ("operator", "key", "value", "public"),
    [
        ("ArnLike", "aws:SourceArn", "*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:*:*:*:*", True),
        ("ArnLike", "aws:SourceArn", "no-arn", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::my-bucket", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:my-bucket", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", False),
        ("ArnEquals", "AWS:sourcearn", "arn:aws:sns:us-east-1:111122223333:t", False),
        ("ArnLike", "aws:SourceArn", ["arn:aws:s3:::my-bucket", "arn:aws:s3:::*"], True),
        ("StringEquals", "aws:SourceAccount", ["111122223333"], False),
        ("stringequals", "aws:SourceAccount", "111122223333", False),
        ("StringEquals", "aws:SourceAccount", [], True),
        ("StringEqualsIfExists", "aws:SourceAccount", "111122223333", True),
        ("ForAllValues:StringEquals", "aws:SourceAccount", "111122223333", True),
        ("StringNotEquals", "aws:SourceAccount", "111122223333", True),
        ("Null", "aws:SourceAccount", "false", True),
        ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}", True),
        ("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}", False),
        ("StringEquals", "aws:PrincipalOrgID", "o-abc", False),
        ("StringLike", "aws:PrincipalOrgID", "*", True),
        ("StringLike", "aws:PrincipalOrgID", "o-ab?", True),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abc/r-1/*", False),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*", True),
        ("StringLike", "aws:userid", "AROAEXAMPLEID:*", False),
        ("StringLike", "aws:userid", "AROA*", True),
        ("StringEquals", "aws:SourceVpce", "vpce-1", False),
        ("StringEquals", "kms:CallerAccount", "111122223333", False),
        ("StringLike", "sns:Endpoint", "*@example.com", False),
        ("StringLike", "sns:Endpoint", "*@*", True),
        ("StringLike", "sns:Endpoint", "https://example.com/*", True),
        ("StringEquals", "sns:Endpoint", "https://example.com/in", False),
        ("StringLike", "sns:Endpoint", "arn:aws:sqs:*:111122223333:q", False),
        ("StringLike", "sns:Endpoint", "*", True),
        ("StringEquals", "sns:Protocol", "https", True),
        ("StringEquals", "lambda:FunctionUrlAuthType", "NONE", True),
        ("Bool", "aws:SecureTransport", "true", True),
        ("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z", True),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8", True),
        ("StringEquals", "aws:ResourceAccount", "111122223333", True),
        ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com", True),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0", True),
        ("IpAddress", "aws:SourceIp", "::/0", True),
        ("IpAddress", "aws:SourceIp", "*", True),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/1", True),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", False),
        ("IpAddress", "aws:SourceIp", "203.0.113.7", False),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", False),
        ("IpAddress", "aws:SourceIp", "2001:db8::/31", True),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", False),
        ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "::/0"], True),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", True),
    ],
)
def test_conditions(operator: str, key: str, value: Any, public: bool) -> None:
    assert is_public(allow(Condition={operator: {key: value}})) is public


def test_one_restricting_condition_is_enough() -> None:
    tests = {"aws:SourceAccount": "111122223333", "aws:SourceArn": "*"}
    assert not is_public(allow(Condition={"StringLike": tests, "Bool": {"aws:SecureTransport": "true"}}))


def test_limits_of_address_ranges() -> None:
    wide = allow(Condition={"IpAddress": {"aws:SourceIp": "203.0.0.0/16"}})
    assert not is_public(wide)
    assert is_public(wide, min_prefix_length_ipv4=24)
    everyone = allow(Condition={"IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}})
    assert is_public(everyone, min_prefix_length_ipv4=0, min_prefix_length_ipv6=0)


def test_descriptions() -> None:
    scoped = allow({"Service": "s3.amazonaws.com"}, Sid="scoped")
    unsafe = allow(
        {"AWS": ["*"]}, Sid="open", Action=["x:A", "x:B"], Condition={"Bool": {"aws:SecureTransport": "true"}}
    )
    assert public_statements({"Statement": [scoped, unsafe]}) == [
        "statement open allows x:A, x:B to Principal AWS * (conditions: aws:SecureTransport)"
    ]
    assert public_statements({"Statement": allow(Action=None, NotAction="x:C")}) == [
        "statement number 1 allows all but x:C to Principal *"
    ]
    assert public_statements({"Statement": [allow(), allow(Effect="Deny")]}) == [
        "statement number 1 allows x:Do to Principal *; a Deny statement exists and is not credited"
    ]


def test_only_statements_that_grant_what_is_asked_for() -> None:
    both = {"Statement": [allow(Action="x:Get"), allow(Action="x:Put"), allow(Effect="Deny")]}
    assert public_statements(both, lambda statement: statement["Action"] == "x:Put") == [
        "statement number 2 allows x:Put to Principal *; a Deny statement exists and is not credited"
    ]
    assert public_statements({"Statement": allow({"AWS": "111122223333"})}, lambda statement: True) == []
