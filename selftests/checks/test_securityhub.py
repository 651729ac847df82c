"""The check of tests_extras/test_securityhub.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from fixtures.services.securityhub import standard_name
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
HUB: Stub = {"HubArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default", "SubscribedAt": "2026-01-01T00:00:00Z"}
FSBP = f"arn:aws:securityhub:{REGION}::standards/aws-foundational-security-best-practices/v/1.0.0"
CIS = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
FSBP_NAME, CIS_NAME = "aws-foundational-security-best-practices 1.0.0", "cis-aws-foundations-benchmark 1.2.0"
ON = f"Security Hub CSPM is enabled in {REGION}"


def subscriptions(*found: tuple[str, str], **more: Any) -> Stub:
    """GetEnabledStandards with these standards and statuses, and further members of each."""
    return {
        "StandardsSubscriptions": [{"StandardsArn": arn, "StandardsStatus": status, **more} for arn, status in found]
    }


def incomplete(reason: str) -> Stub:
    return subscriptions((FSBP, "INCOMPLETE"), StandardsStatusReason={"StatusReasonCode": reason})


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


AZURE = "arn:aws:securityhub:::ruleset/cis-azure-foundations-benchmark/v/3.0.0"
WITHOUT = f"FAIL: {ON} without an active standard; not active:"


@pytest.mark.parametrize(
    ("standards", "expected"),
    [
        (subscriptions((AZURE, "READY"), Provider="Azure"), f"{WITHOUT} cis-azure-foundations-benchmark 3.0.0 for Azure"),
        (subscriptions((FSBP, "READY"), Provider="AWS"), f"PASS: {ON} with {FSBP_NAME}"),
        (incomplete("NO_AVAILABLE_CONFIGURATION_RECORDER"), f"{WITHOUT} {FSBP_NAME} INCOMPLETE (NO_AVAILABLE_CONFIGURATION_RECORDER)"),
        (incomplete("MAXIMUM_NUMBER_OF_CONFIG_RULES_EXCEEDED"), f"PASS: {ON} with {FSBP_NAME}"),
        (incomplete("INTERNAL_ERROR"), f"PASS: {ON} with {FSBP_NAME}"),
        (incomplete(Undocumented("ECLIPSE")), f"ERROR: securityhub:GetEnabledStandards failed in {REGION}: UnexpectedAnswer: standards in an unknown state: {FSBP_NAME} INCOMPLETE (ECLIPSE)"),
        (subscriptions((FSBP, Undocumented("WANING"))), f"ERROR: securityhub:GetEnabledStandards failed in {REGION}: UnexpectedAnswer: standards in an unknown state: {FSBP_NAME} WANING"),
    ],
)  # fmt: skip
def test_extra799_counts_standards_that_judge_aws(audit: Audit, standards: Stub, expected: str) -> None:
    assert run(audit, HUB, standards) == {ACCOUNT: expected}


NO_V2 = ApiError("securityhub", "x", "ResourceNotFoundException", "not found")
V2: Stub = {"HubV2Arn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hubv2/1"}


@pytest.mark.parametrize("code", ["InvalidAccessException", "ResourceNotFoundException"])
@pytest.mark.parametrize("require_standard", [True, False])
@pytest.mark.parametrize(
    ("newer", "note"),
    [
        (NO_V2, ""),
        (V2, " (Security Hub is)"),
        (access_denied("securityhub", "DescribeSecurityHubV2"), " (whether Security Hub is enabled could not be seen: AccessDenied)"),
    ],
)  # fmt: skip
def test_extra799_not_enabled(audit: Audit, code: str, require_standard: bool, newer: Stub, note: str) -> None:
    off = ApiError("securityhub", "x", code, f"Account {ACCOUNT} is not subscribed to AWS Security Hub")
    given: dict[str, Stub] = {"securityhub:DescribeHub": off, "securityhub:DescribeSecurityHubV2": newer}
    found = audit("extra799", answers=given, live=False, regions=[REGION], require_standard=require_standard)
    assert found == {ACCOUNT: f"FAIL: Security Hub CSPM is not enabled in {REGION}{note}"}


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
    given: dict[str, Stub] = {
        "securityhub:GetEnabledStandards": subscriptions((FSBP, "READY")),
        "securityhub:DescribeSecurityHubV2": NO_V2,
    }
    found = audit("extra799", answers=given, regions=[REGION, "us-west-2"])
    assert list(found.values()) == [
        f"PASS: {ON} with {FSBP_NAME}",
        "FAIL: Security Hub CSPM is not enabled in us-west-2",
    ]
