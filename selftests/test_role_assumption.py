"""Which statements let their holder assume more roles than they name."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.role_assumption import is_scoped, is_wide, open_assumptions

APP = "arn:aws:iam::111122223333:role/app"


def allow(action: Any = "sts:AssumeRole", resource: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow statement; None removes an element."""
    elements = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {name: value for name, value in elements.items() if value is not None}


def deny(action: Any = "sts:AssumeRole", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, Effect="Deny", **more)


@pytest.mark.parametrize(
    ("element", "wide"),
    [
        ("*", True),
        ("*:*", True),
        ("arn:aws:iam::*:role/OrganizationAccountAccessRole", True),
        ("arn:aws:iam::111122223333:role/deploy-*", True),
        ("arn:aws:iam::111122223333:role/*", True),
        ("arn:aws:iam::111122223333:role/ap?", True),
        ("arn:aws:iam::11112222333?:role/app", True),
        ("arn:aws:iam::????????????:role/app", True),
        ("arn:aws:iam::111122223333:*", True),
        ("arn:aws:iam::111122223333:r*/app", True),
        ("arn:*:iam::*:role/app", True),
        ("arn:aws:iam::111122223333:role/a:b/*", True),
        ("arn:aws:*", True),
        ("arn:*", True),
        # a whole role ARN without wildcards, or something that is no role
        (APP, False),
        ("arn:aws:iam::111122223333:user/jane", False),
        ("arn:aws:iam::111122223333:user/*", False),
        ("arn:aws:iam::*:user/jane", False),
        ("arn:aws:s3:::b/*", False),
        ("arn:aws:sts::111122223333:assumed-role/*", False),
        ("arn:aws:iam:us-east-1:*:role/*", False),
        ("arn:aws-cn:iam::*:role/*", False),
        ("arn:aws:iam::???:role/app", False),
        ("arn:aws:iam::????????????:role/", False),
        ("arn:aws:iam::1111222233334*:role/app", False),
        ("arn:aws:iam::111122223333:role/", False),
        ("arn:aws:iam::*:role/app with blank", False),
        ("", False),
        # variables, and escapes that stand for a character
        ("arn:aws:iam::111122223333:role/${aws:username}", False),
        ("arn:aws:iam::*:role/${aws:username}", True),
        ("arn:aws:iam::111122223333:role/${aws:username}-*", True),
        ("${aws:PrincipalTag/arn}*", True),
        ("arn:aws:s3:::${aws:username}/*", False),
        ("arn:aws:iam::111122223333:role/a${*}", False),
        ("arn:aws:iam::111122223333:role/a${?}${$}", False),
        ("arn:aws:iam::*:user/${*}", False),
        ("${*}", False),
        ("arn:aws:iam::11112222333${?}:role/*", False),
        # AWS completes a short ARN with asterisks
        ("arn:aws:iam", True),
        ("arn:aws:iam::111122223333", True),
        ("arn:aws:s3", False),
    ],
)
def test_is_wide(element: str, wide: bool) -> None:
    assert is_wide(element, "aws") is wide


def test_is_wide_at_once() -> None:
    """A pattern made to take long does not."""
    assert is_wide("*" * 1000 + "?*" * 500, "aws")
    assert not is_wide("*a" * 1000 + "\n", "aws")


def test_is_wide_in_another_partition() -> None:
    assert is_wide("arn:aws-cn:iam::*:role/*", "aws-cn")
    assert not is_wide("arn:aws:iam::*:role/*", "aws-cn")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(resource=APP), None),
        (allow(), "statement number 1 allows sts:AssumeRole on *"),
        (allow(Sid="All"), "statement All allows sts:AssumeRole on *"),
        (allow(["s3:GetObject", "sts:assumerole"]), "statement number 1 allows sts:assumerole on *"),
        (allow("sts:*"), "statement number 1 allows sts:* on *"),
        (allow("sts:Assume*"), "statement number 1 allows sts:Assume* on *"),
        (allow("s*:*"), "statement number 1 allows s*:* on *"),
        (allow("sts:AssumeRoleWithSAML"), "statement number 1 allows sts:AssumeRoleWithSAML on *"),
        (allow("*"), "statement number 1 allows * on *"),
        (allow("sts:GetCallerIdentity"), None),
        (allow("sts:TagSession"), None),
        (allow("s3:*"), None),
        (allow(["sts:AssumeRole", "s3:GetObject"], [APP, "arn:aws:s3:::b/*"]), None),
        (allow(resource=[APP, "arn:aws:iam::*:role/x"]), "statement number 1 allows sts:AssumeRole on arn:aws:iam::*:role/x"),
        (allow(None, NotAction="iam:*"), "statement number 1 allows sts:AssumeRole (all but iam:*) on *"),
        (allow(None, NotAction="sts:*"), None),
        (allow(None, NotAction="STS:Assume*"), None),
        (allow(None, NotAction=["sts:AssumeRole"]), "statement number 1 allows sts:AssumeRoleWithSAML (all but sts:AssumeRole) on *"),
        (allow(resource=None, NotResource="arn:aws:iam::111122223333:role/admin"), "statement number 1 allows sts:AssumeRole on all but arn:aws:iam::111122223333:role/admin"),
        (allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), "statement number 1 allows sts:AssumeRole on * (conditions: aws:MultiFactorAuthPresent)"),
        (deny(), None),
        (allow(resource=None), None),
    ],
)  # fmt: skip
def test_one_statement(statement: dict[str, Any], expected: str | None) -> None:
    found = [] if expected is None else [expected]
    assert open_assumptions({"Statement": [statement]}, partition="aws") == found
    assert open_assumptions({"Statement": statement}, partition="aws") == found


WIDE = "arn:aws:iam::*:role/x"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}


@pytest.mark.parametrize(
    ("statements", "offending"),
    [
        ([allow("*"), deny()], 0),
        ([allow("*"), deny("sts:*")], 0),
        ([allow("*"), deny("*")], 0),
        ([allow("*"), deny(None, NotAction="s3:*")], 0),
        ([deny(resource=[APP, "*"]), allow("*")], 0),
        ([allow("*"), deny(Condition=MFA)], 1),
        ([allow("*"), deny(Condition={})], 0),
        ([allow("*"), deny(resource=APP)], 1),
        ([allow("*"), deny(None, NotAction="sts:*")], 1),
        ([allow("*"), deny(resource=None, NotResource=APP)], 1),
        ([allow("*"), deny("s3:*")], 1),
        # on the very element
        ([allow(resource=WIDE), deny(resource=WIDE)], 0),
        ([allow(resource=[WIDE, "*"]), deny(resource=WIDE)], 1),
        ([allow(resource=WIDE), deny(resource="arn:aws:iam::*:role/*")], 1),
        ([allow(resource=None, NotResource=APP), deny()], 0),
        # the calls that only a trust policy decides on
        ([allow("*"), deny("sts:AssumeRoleWithSAML")], 1),
        ([allow("sts:AssumeRoleWithSAML"), deny()], 1),
        ([allow("sts:AssumeRoleWithSAML"), deny("sts:AssumeRoleWithSAML")], 0),
        # several statements, each on its own
        ([allow(None, NotAction="sts:*"), allow()], 1),
        ([allow(), allow("sts:*")], 2),
    ],
)  # fmt: skip
def test_statements_together(statements: list[dict[str, Any]], offending: int) -> None:
    assert len(open_assumptions({"Statement": statements}, partition="aws")) == offending


def test_settings() -> None:
    policy = {"Statement": [allow(resource=WIDE), allow("sts:AssumeRoleWithSAML"), allow("sts:TagSession")]}
    assert len(open_assumptions(policy, partition="aws")) == 2
    assert len(open_assumptions(policy, partition="aws", allowed=[WIDE])) == 1
    assert len(open_assumptions(policy, partition="aws", actions=["sts:AssumeRole"])) == 1
    assert len(open_assumptions(policy, partition="aws", actions=["STS:tagsession"])) == 1
    both = ["sts:AssumeRole", "sts:TagSession"]
    denied = {"Statement": [allow("*"), deny()]}
    assert len(open_assumptions(denied, partition="aws", actions=both)) == 1


@pytest.mark.parametrize(
    ("operator", "key", "value", "scoped"),
    [
        ("StringEquals", "aws:ResourceOrgID", "o-abc", True),
        ("StringEquals", "aws:ResourceOrgID", ["o-abc", "o-def"], True),
        ("StringLike", "aws:resourceaccount", "111122223333", True),
        ("ForAnyValue:StringEquals", "aws:ResourceOrgPaths", "o-abc/r-1/ou-1/", True),
        ("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}", True),
        ("StringEquals", "iam:ResourceTag/team", "blue", True),
        ("StringLike", "aws:ResourceTag/team", "a${*}", True),
        ("StringLike", "aws:ResourceOrgID", "o-*", False),
        ("StringLike", "aws:ResourceOrgID", ["o-abc", "*"], False),
        ("StringLike", "aws:ResourceTag/team", "blu?", False),
        ("StringEquals", "aws:ResourceOrgID", [], False),
        ("StringEquals", "aws:ResourceTag/", "blue", False),
        ("StringEqualsIfExists", "aws:ResourceOrgID", "o-abc", False),
        ("ForAllValues:StringEquals", "aws:ResourceOrgPaths", "o-abc/r-1/", False),
        ("StringNotEquals", "aws:ResourceOrgID", "o-abc", False),
        ("StringEquals", "aws:PrincipalOrgID", "o-abc", False),
        ("StringEquals", "sts:ExternalId", "x", False),
    ],
)
def test_is_scoped(operator: str, key: str, value: Any, scoped: bool) -> None:
    statement = allow(Condition={operator: {key: value}})
    assert is_scoped(statement) is scoped
    policy = {"Statement": [statement]}
    assert len(open_assumptions(policy, partition="aws")) == 1
    assert len(open_assumptions(policy, partition="aws", accept_scoping=True)) == (0 if scoped else 1)
