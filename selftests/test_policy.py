"""The judgements of fixtures/policy.py, one table each."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.policy import as_list, full_access_statements, statements


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
