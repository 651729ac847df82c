"""The judgements of fixtures/policy.py, one table each."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures import policy as policy_module
from fixtures.policy import (
    action_matches,
    as_list,
    covers_action,
    full_access_statements,
    known_actions,
    statement_name,
    statements,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, []), ("*", ["*"]), ("", [""]), (["a", "b"], ["a", "b"]), ([], []), ({"AWS": "*"}, [{"AWS": "*"}])],
)
def test_as_list(value: Any, expected: list[Any]) -> None:
    assert as_list(value) == expected


ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"Statement": ALLOW}, [ALLOW]),
        ({"Statement": [ALLOW, {"Effect": "Deny"}]}, [ALLOW, {"Effect": "Deny"}]),
        ({"Statement": []}, []),
        ({}, []),
    ],
)
def test_statements(policy: dict[str, Any], expected: list[Any]) -> None:
    assert statements(policy) == expected


FULL = ["statement number 1"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "*", "Resource": "*"}, FULL),
        ({"Action": "*:*", "Resource": "*"}, FULL),
        ({"Action": "*", "Resource": "*:*"}, FULL),
        # the same in other spellings
        ({"Action": "**", "Resource": "*"}, FULL),
        ({"Action": ["s3:Get*", "?*:*"], "Resource": "*"}, FULL),
        ({"Action": [f"{letter}*:*" for letter in "abcdefghijklmnopqrstuvwxyz"], "Resource": "*"}, FULL),
        ({"Action": [f"{letter}*:*" for letter in "abcdefghjklmnopqrstuvwxyz"], "Resource": "*"}, []),  # no iam
        ({"Action": "*:Get*", "Resource": "*"}, []),
        ({"Action": "[a-z]*:*", "Resource": "*"}, []),
        ({"Action": "i*:*", "Resource": "*"}, []),
        ({"Action": ["s3:*", "*"], "Resource": ["arn:aws:s3:::b", "*"]}, FULL),
        ({"Action": "*", "Resource": "*", "Sid": "Root"}, ["statement Root"]),
        ({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, ["statement number 1 (with a Condition)"]),
        ({"Action": "*", "Resource": "*", "Condition": {}}, FULL),
        # one of the two parts is narrow
        ({"Action": "*", "Resource": "arn:aws:s3:::b/*"}, []),
        ({"Action": "s3:*", "Resource": "*"}, []),
        ({"Action": "iam:*", "Resource": "*"}, []),
        ({"Action": [], "Resource": "*"}, []),
        ({"Action": "*", "Resource": []}, []),
        ({"Resource": "*"}, []),
        ({"Action": "*"}, []),
        # NotResource: everything but what it names
        ({"Action": "*", "NotResource": "arn:aws:s3:::b/*"}, FULL),
        ({"Action": "*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}, FULL),
        ({"Action": "*", "NotResource": "*"}, []),
        ({"Action": "*", "NotResource": ["arn:aws:s3:::b", "*"]}, []),
        # NotAction: everything but what it names
        ({"NotAction": "aws-portal:*", "Resource": "*"}, FULL),
        ({"NotAction": ["iam:CreateUser", "organizations:*"], "Resource": "*"}, FULL),
        ({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, []),
        ({"NotAction": "IAM:*", "Resource": "*"}, []),
        ({"NotAction": ["iam:?*"], "Resource": "*"}, []),
        ({"NotAction": ["i*:*"], "Resource": "*"}, []),
        ({"NotAction": ["iam:A*", "iam:[B-Z]*"], "Resource": "*"}, FULL),
        ({"NotAction": [f"iam:{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz"], "Resource": "*"}, []),
        ({"NotAction": [f"iam:{letter}*" for letter in "abcdefghijklmnoqrstuvwxyz"], "Resource": "*"}, FULL),  # PutUserPolicy
        ({"NotAction": "*", "Resource": "*"}, []),
        ({"NotAction": ["*:*"], "Resource": "*"}, []),
        ({"NotAction": "aws-portal:*", "NotResource": "arn:aws:s3:::b"}, FULL),
        ({"NotAction": "aws-portal:*", "Resource": "arn:aws:s3:::b"}, []),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, []),
    ],
)  # fmt: skip
def test_full_access_statements(statement: dict[str, Any], expected: list[str]) -> None:
    complete = {"Effect": "Allow", **statement}
    assert list(full_access_statements({"Statement": [complete]})) == expected
    assert list(full_access_statements({"Statement": complete})) == expected


def test_full_access_statements_are_counted_among_all() -> None:
    """A Deny does not take back what an Allow grants: which one wins depends on the request."""
    policy = {"Statement": [{**ALLOW, "Action": "s3:*"}, ALLOW, {**ALLOW, "Effect": "Deny"}, {**ALLOW, "Sid": "Last"}]}
    assert list(full_access_statements(policy)) == ["statement number 2", "statement Last"]


def test_full_access_statements_without_conditions() -> None:
    policy = {"Statement": [{**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, {**ALLOW, "Sid": "b"}]}
    assert list(full_access_statements(policy, conditional=False)) == ["statement b"]


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("sts:AssumeRole", "sts:AssumeRole", True),
        ("STS:assumerole", "sts:AssumeRole", True),
        ("sts:Assume*", "sts:AssumeRole", True),
        ("sts:AssumeRol?", "sts:AssumeRole", True),
        ("s*:*", "sts:AssumeRole", True),
        ("*", "sts:AssumeRole", True),
        ("*:*", "sts:AssumeRole", True),
        ("sts:AssumeRole", "sts:AssumeRoleWithSAML", False),
        ("sts:AssumeRole?", "sts:AssumeRole", False),
        ("sts:AssumeRol[e]", "sts:AssumeRole", False),
        ("sts.AssumeRole", "sts:AssumeRole", False),
        ("s3:*", "sts:AssumeRole", False),
        ("", "sts:AssumeRole", False),
    ],
)
def test_action_matches(pattern: str, action: str, expected: bool) -> None:
    assert action_matches(pattern, action) is expected


def test_action_matches_at_once() -> None:
    """A pattern made to take long does not."""
    assert not action_matches("?*" * 40 + "x", "sts:" + "a" * 120)
    assert not action_matches("*a" * 40 + "b", "sts:" + "a" * 120)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "sts:*"}, True),
        ({"Action": ["s3:*", "sts:AssumeRole"]}, True),
        ({"Action": "s3:*"}, False),
        ({"NotAction": "s3:*"}, True),
        ({"NotAction": ["s3:*", "sts:*"]}, False),
        ({}, False),
    ],
)
def test_covers_action(statement: dict[str, Any], expected: bool) -> None:
    assert covers_action(statement, "sts:AssumeRole") is expected


def test_known_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"iam:CreateUser", "iam:PutUserPolicy"} <= set(known_actions("iam:*"))
    assert {"s3:GetObject", "sts:AssumeRole", "iam:CreateUser"} <= set(known_actions("*"))
    # Without the list nothing may be judged: NotAction would leave no IAM action allowed.
    monkeypatch.setattr("py_iam_expand.actions.expand_actions", lambda pattern: [])
    monkeypatch.setattr(policy_module, "known_actions", known_actions.__wrapped__)
    with pytest.raises(RuntimeError, match="has none for iam"):
        list(full_access_statements({"Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}}))


def test_statement_name() -> None:
    assert statement_name({"Sid": "Open"}, 2) == "statement Open"
    assert statement_name({}, 2) == "statement number 2"
