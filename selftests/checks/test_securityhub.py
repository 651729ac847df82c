"""The check of tests_extras/test_securityhub.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from fixtures.services.securityhub import standard_name
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
HUB: Stub = {"HubArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default", "SubscribedAt": "2026-01-01T00:00:00Z"}
FSBP = f"arn:aws:securityhub:{REGION}::standards/aws-foundational-security-best-practices/v/1.0.0"
CIS = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
FSBP_NAME, CIS_NAME = "aws-foundational-security-best-practices 1.0.0", "cis-aws-foundations-benchmark 1.2.0"
ON = f"Security Hub is enabled in {REGION}"


def subscriptions(*found: tuple[str, str]) -> Stub:
    """GetEnabledStandards with these standards and statuses."""
    return {"StandardsSubscriptions": [{"StandardsArn": arn, "StandardsStatus": status} for arn, status in found]}


def run(audit: Audit, hub: Stub, standards: Stub | None = None, **settings: Any) -> dict[str, str]:
    given: dict[str, Stub] = {"securityhub:DescribeHub": hub}
    if standards is not None:
        given["securityhub:GetEnabledStandards"] = standards
    return audit("extra799", answers=given, live=False, regions=[REGION], **settings)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(FSBP, "READY")], f"PASS: {ON} with {FSBP_NAME}"),
        ([(FSBP, "INCOMPLETE")], f"PASS: {ON} with {FSBP_NAME}"),
        ([(FSBP, "READY"), (CIS, "READY")], f"PASS: {ON} with {FSBP_NAME}, {CIS_NAME}"),
        ([(FSBP, "READY"), (CIS, "FAILED")], f"PASS: {ON} with {FSBP_NAME}; not active: {CIS_NAME} FAILED"),
        ([], f"FAIL: {ON} without an active standard"),
        ([(FSBP, "PENDING")], f"FAIL: {ON} without an active standard; not active: {FSBP_NAME} PENDING"),
        ([(FSBP, "DELETING"), (CIS, "FAILED")], f"FAIL: {ON} without an active standard; not active: {FSBP_NAME} DELETING, {CIS_NAME} FAILED"),
    ],
)  # fmt: skip
def test_extra799(audit: Audit, found: list[tuple[str, str]], expected: str) -> None:
    assert run(audit, HUB, subscriptions(*found)) == {ACCOUNT: expected}


@pytest.mark.parametrize("code", ["InvalidAccessException", "ResourceNotFoundException"])
@pytest.mark.parametrize("require_standard", [True, False])
def test_extra799_not_enabled(audit: Audit, code: str, require_standard: bool) -> None:
    off = ApiError("securityhub", "x", code, f"Account {ACCOUNT} is not subscribed to AWS Security Hub")
    found = run(audit, off, require_standard=require_standard)
    assert found == {ACCOUNT: f"FAIL: Security Hub is not enabled in {REGION}"}


def test_extra799_without_required_standard(audit: Audit) -> None:
    assert run(audit, HUB, require_standard=False) == {ACCOUNT: f"PASS: {ON}"}
    assert [operation for _, _, operation, _ in audit.backend.calls] == ["DescribeHub"]


def test_extra799_errors(audit: Audit) -> None:
    refused = ApiError("securityhub", "x", "AccessDeniedException", "not authorized")
    found = run(audit, refused)
    assert list(found) == [f"{ACCOUNT} {REGION}"]
    assert f"ERROR: access denied in {REGION}: securityhub:DescribeHub is needed" in str(found)
    found = run(audit, HUB, access_denied("securityhub", "GetEnabledStandards"))
    assert found[ACCOUNT].startswith(f"ERROR: access denied in {REGION}: securityhub:GetEnabledStandards is needed")


@pytest.mark.parametrize(
    ("arn", "name"),
    [(FSBP, FSBP_NAME), (CIS, CIS_NAME), ("arn:aws:securityhub:::ruleset/own", "own"), ("odd", "odd")],
)
def test_standard_name(arn: str, name: str) -> None:
    assert standard_name(arn) == name


@pytest.mark.usefixtures("moto")
def test_extra799_against_moto(audit: Audit) -> None:
    boto3.client("securityhub", REGION).enable_security_hub()
    given: dict[str, Stub] = {"securityhub:GetEnabledStandards": subscriptions((FSBP, "READY"))}
    found = audit("extra799", answers=given, regions=[REGION, "us-west-2"])
    assert list(found.values()) == [f"PASS: {ON} with {FSBP_NAME}", "FAIL: Security Hub is not enabled in us-west-2"]
