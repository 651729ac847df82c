"""The check of tests_extras/test_guardduty.py."""

from __future__ import annotations

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
LISTED: dict[str, Stub] = {"guardduty:ListDetectors": {"DetectorIds": ["d1"]}}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ENABLED", f"PASS: GuardDuty detector d1 in {REGION} is enabled"),
        ("DISABLED", f"FAIL: GuardDuty detector d1 in {REGION} is suspended"),
        (Undocumented("ODD"), f"ERROR: guardduty:GetDetector failed in {REGION}: UnexpectedAnswer: detector d1 has an unknown status: ODD"),
    ],
)  # fmt: skip
def test_extra713(audit: Audit, status: str, expected: str) -> None:
    given = {**LISTED, "guardduty:GetDetector": {"Status": status, "ServiceRole": "r"}}
    assert audit("extra713", answers=given, live=False, regions=[REGION]) == {"d1": expected}


def test_extra713_without_detector_and_errors(audit: Audit) -> None:
    given: dict[str, Stub] = {"guardduty:ListDetectors": {"DetectorIds": []}}
    found = audit("extra713", answers=given, live=False, regions=[REGION])
    assert found == {ACCOUNT: f"FAIL: GuardDuty in {REGION} is not configured"}
    denied: dict[str, Stub] = {"guardduty:ListDetectors": access_denied("guardduty", "ListDetectors")}
    found = audit("extra713", answers=denied, live=False, regions=[REGION])
    assert list(found) == [f"{ACCOUNT} {REGION}"]
    assert f"ERROR: access denied in {REGION}: guardduty:ListDetectors is needed" in str(found)
    denied = {**LISTED, "guardduty:GetDetector": access_denied("guardduty", "GetDetector")}
    found = audit("extra713", answers=denied, live=False, regions=[REGION])
    assert found["d1"].startswith(f"ERROR: access denied in {REGION}: guardduty:GetDetector is needed")
    bad = {**LISTED, "guardduty:GetDetector": ApiError("guardduty", "x", "BadRequestException", "no such detector")}
    found = audit("extra713", answers=bad, live=False, regions=[REGION])
    assert found == {"d1": f"ERROR: guardduty:GetDetector failed in {REGION}: BadRequestException: no such detector"}


@pytest.mark.usefixtures("moto")
def test_extra713_against_moto(audit: Audit) -> None:
    enabled = boto3.client("guardduty", REGION).create_detector(Enable=True)["DetectorId"]
    suspended = boto3.client("guardduty", "us-west-2").create_detector(Enable=False)["DetectorId"]
    assert audit("extra713", regions=[REGION, "us-east-1", "us-west-2"]) == {
        enabled: f"PASS: GuardDuty detector {enabled} in {REGION} is enabled",
        ACCOUNT: "FAIL: GuardDuty in us-east-1 is not configured",
        suspended: f"FAIL: GuardDuty detector {suspended} in us-west-2 is suspended",
    }
