"""The check of tests_extras/test_macie.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
HERE: dict[str, Stub] = {"s3:ListBuckets": {"Buckets": [{"Name": "data", "BucketRegion": REGION}]}}
ELSEWHERE: dict[str, Stub] = {"s3:ListBuckets": {"Buckets": [{"Name": "data", "BucketRegion": "us-east-1"}]}}
OFF = ApiError("macie2", "x", "AccessDeniedException", "Macie is not enabled")
NOT_FOUND = ApiError("macie2", "x", "ResourceNotFoundException", "not found")
REFUSED = ApiError(
    "macie2", "x", "AccessDeniedException",
    "User: arn:aws:iam::1:user/u is not authorized to perform: macie2:GetMacieSession",
)  # fmt: skip
NO_BUCKET = f"INFO: Macie is not enabled in {REGION}, which holds no bucket of the account"


def unnamed(answer: Stub) -> dict[str, Stub]:
    """A bucket whose region ListBuckets does not tell, and what GetBucketLocation says of it."""
    return {"s3:ListBuckets": {"Buckets": [{"Name": "data"}]}, "s3:GetBucketLocation": answer}


@pytest.mark.parametrize(
    ("session", "more", "settings", "expected"),
    [
        ({"status": "ENABLED"}, {}, {}, f"PASS: Macie is enabled in {REGION}"),
        ({"status": "PAUSED"}, HERE, {}, f"FAIL: Macie is suspended in {REGION}"),
        ({"status": "PAUSED"}, ELSEWHERE, {}, f"FAIL: Macie is suspended in {REGION}"),
        (OFF, HERE, {}, f"FAIL: Macie is not enabled in {REGION}"),
        (OFF, ELSEWHERE, {}, NO_BUCKET),
        (OFF, {"s3:ListBuckets": {"Buckets": []}}, {}, NO_BUCKET),
        (OFF, {}, {"only_regions_with_buckets": False}, f"FAIL: Macie is not enabled in {REGION}"),
        (NOT_FOUND, HERE, {}, f"FAIL: Macie is not enabled in {REGION}"),
        (NOT_FOUND, ELSEWHERE, {}, NO_BUCKET),
        (OFF, unnamed({"LocationConstraint": REGION}), {}, f"FAIL: Macie is not enabled in {REGION}"),
        (OFF, unnamed({"LocationConstraint": "EU"}), {}, f"FAIL: Macie is not enabled in {REGION}"),
        (OFF, unnamed({"LocationConstraint": None}), {}, NO_BUCKET),
        (OFF, unnamed(ApiError("s3", "x", "NoSuchBucket", "")), {}, NO_BUCKET),
        (OFF, unnamed(access_denied("s3", "x")), {}, "ERROR: access denied in us-east-1: s3:GetBucketLocation is needed (s3:GetBucketLocation, AccessDenied)"),
        (OFF, {"s3:ListBuckets": access_denied("s3", "x")}, {}, "ERROR: access denied in us-east-1: s3:ListAllMyBuckets is needed (s3:ListBuckets, AccessDenied)"),
        ({"status": Undocumented("SLEEPING")}, HERE, {}, f"ERROR: macie2:GetMacieSession failed in {REGION}: UnexpectedAnswer: unknown status: SLEEPING"),
    ],
)  # fmt: skip
def test_extra712(audit: Audit, session: Stub, more: dict[str, Stub], settings: dict[str, Any], expected: str) -> None:
    given = {"macie2:GetMacieSession": session, **more}
    assert audit("extra712", answers=given, live=False, regions=[REGION], **settings) == {ACCOUNT: expected}


def test_extra712_one_unreadable_bucket_and_one_here(audit: Audit) -> None:
    buckets = [{"Name": "secret"}, {"Name": "data", "BucketRegion": REGION}]
    given: dict[str, Stub] = {
        "macie2:GetMacieSession": OFF, "s3:ListBuckets": {"Buckets": buckets},
        "s3:GetBucketLocation": access_denied("s3", "GetBucketLocation"),
    }  # fmt: skip
    found = audit("extra712", answers=given, live=False, regions=[REGION])
    assert found == {ACCOUNT: f"FAIL: Macie is not enabled in {REGION}"}


def test_extra712_errors(audit: Audit) -> None:
    found = audit("extra712", answers={"macie2:GetMacieSession": REFUSED, **HERE}, live=False, regions=[REGION])
    assert list(found) == [f"{ACCOUNT} {REGION}"]
    assert found[f"{ACCOUNT} {REGION}"].startswith(
        f"ERROR: access denied in {REGION}: macie2:GetMacieSession is needed"
    )


@pytest.mark.usefixtures("moto")
def test_extra712_against_moto(audit: Audit) -> None:
    boto3.client("s3", REGION).create_bucket(
        Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION}
    )  # fmt: skip
    for region in (REGION, "us-east-1", "us-west-2"):
        boto3.client("macie2", region).disable_macie()
    boto3.client("macie2", "us-west-2").enable_macie(status="ENABLED")
    found = audit("extra712", regions=[REGION, "us-east-1", "us-west-2"])
    assert list(found.values()) == [
        f"FAIL: Macie is not enabled in {REGION}",
        "INFO: Macie is not enabled in us-east-1, which holds no bucket of the account",
        "PASS: Macie is enabled in us-west-2",
    ]
