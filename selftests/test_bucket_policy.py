"""The judgements of fixtures/bucket_policy.py, one table each. Whole policies: selftests/extras/test_s3*.py."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.bucket_policy import WRITE_ACTIONS, encryption_denies, grants_write, tls_deny
from fixtures.policy import _compiled, matches
from selftests.steps import open_ends

ARN = "arn:aws:s3:::data"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("s3:*", "s3:putobject", True),
        ("*", "s3:putobject", True),
        ("s3:put?bject", "s3:putobject", True),
        ("s3:put?object", "s3:putobject", False),
        ("s3:put", "s3:putobject", False),
        ("putobject", "s3:putobject", False),
        ("s3:putobject*", "s3:putobject", True),
        ("", "s3:putobject", False),
        ("s3.putobject", "s3:putobject", False),
        ("[s]3:putobject", "s3:putobject", False),
        ("[s]", "[s]", True),
        ("a*", "a\nb", True),
        ("a", "a\n", False),
    ],
)
def test_matches(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_matches_at_once() -> None:
    """With backtracking this would not end."""
    pattern = "*a" * 30 + "b"
    assert open_ends(_compiled(pattern).pattern) == 1
    assert not matches(pattern, "a" * 63)


@pytest.mark.parametrize("action", WRITE_ACTIONS)
def test_every_action_that_writes(action: str) -> None:
    assert grants_write({"Action": action})
    assert grants_write({"Action": ["s3:GetObject", action.upper()]})
    others = [one for one in WRITE_ACTIONS if one != action]
    assert grants_write({"NotAction": others})
    assert not grants_write({"NotAction": list(WRITE_ACTIONS)})


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:List*", "s3:GetBucketPolicy", "sqs:*", "s3:Put", None, []])
def test_actions_that_do_not_write(action: Any) -> None:
    assert not grants_write({"Action": action})


def test_write_actions_are_names_of_s3() -> None:
    assert len(WRITE_ACTIONS) == len(set(WRITE_ACTIONS)) == 24
    assert all(action.startswith("s3:") and action == action.lower() for action in WRITE_ACTIONS)


@pytest.mark.parametrize(
    ("resource", "bucket", "objects"),
    [
        ([ARN, f"{ARN}/*"], True, True),
        (ARN, True, False),
        (f"{ARN}/*", False, True),
        (f"{ARN}/?*", False, True),
        (f"{ARN}/??*", False, False),
        (f"{ARN}/?", False, False),
        (f"{ARN}/a*", False, False),
        (f"{ARN}/*a", False, False),
        (f"{ARN}/*/*", False, False),
        (f"{ARN}*", True, True),
        ("*", True, True),
        ("arn:aws:s3:::d?ta*", True, True),
        ("arn:aws:s3:::data-2*", False, False),
        ("arn:aws-cn:s3:::data*", False, False),
        ("arn:aws:s3:::DATA*", False, False),
        ("arn:aws:s3:::${aws:PrincipalTag/b}*", False, False),
        (f"{ARN}/*${{aws:username}}*", False, False),
        ([], False, False),
    ],
)
def test_resources(resource: Any, bucket: bool, objects: bool) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": resource}
    tls = tls_deny({"Statement": {**statement, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}, ARN)
    assert (f"the bucket ARN {ARN} is not covered" not in tls.missing) is bucket
    assert (f"its objects {ARN}/* are not covered" not in tls.missing) is objects
    assert tls.by == (["statement number 1"] if bucket or objects else [])
    header = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    uploads = encryption_denies({"Statement": {**statement, "Condition": header}}, ARN, ["aws:kms"])
    assert uploads == (["statement number 1"] if objects else [])
