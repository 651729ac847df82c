"""The checks of tests_cis/test_2_logging.py that are about trails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.cloudtrail.trails import Trail
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend, access_denied

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OTHER = "999999999999"
REGIONS = ["us-east-1", "eu-west-1"]


def trail(name: str = "main", owner: str = ACCOUNT, home: str = "us-east-1", **more: Any) -> dict[str, Any]:
    """A trail as DescribeTrails gives it: multi-region, default selectors."""
    return {
        "Name": name, "TrailARN": f"arn:aws:cloudtrail:{home}:{owner}:trail/{name}", "HomeRegion": home,
        "IsMultiRegionTrail": True, "S3BucketName": "logs", "HasCustomEventSelectors": False, "LogFileValidationEnabled": True,
        "IsOrganizationTrail": owner != ACCOUNT, **more,
    }  # fmt: skip


def trails(
    *found: dict[str, Any], status: Stub | None = None, selectors: Stub | None = None, **more: Stub
) -> dict[str, Stub]:
    """Multi-region trails are seen in every region, single-region ones in their home."""

    def listed(region: str) -> Stub:
        return {"trailList": [t for t in found if t["IsMultiRegionTrail"] or t["HomeRegion"] == region]}

    return {
        **{f"cloudtrail:DescribeTrails@{region}": listed(region) for region in REGIONS},
        "cloudtrail:GetTrailStatus": status or {"IsLogging": True},
        "cloudtrail:GetEventSelectors": selectors or {"EventSelectors": []},
        **{name.replace("__", ":"): answer for name, answer in more.items()},
    }


def basic(*selectors: tuple[str, bool]) -> Stub:
    return {
        "EventSelectors": [{"ReadWriteType": kind, "IncludeManagementEvents": include} for kind, include in selectors]
    }


def advanced(*selectors: list[dict[str, Any]]) -> Stub:
    return {"AdvancedEventSelectors": [{"FieldSelectors": fields} for fields in selectors]}


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
CUSTOM = trail(HasCustomEventSelectors=True)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (trails(trail()), "PASS: main in us-east-1 (multi-region) records all management events (arn:aws:cloudtrail:us-east-1:"),
        (trails(trail(), status={"IsLogging": False}), "FAIL: no trail qualifies: main in us-east-1 (multi-region): not logging"),
        (trails(CUSTOM, selectors=basic(("WriteOnly", True))), "FAIL: no trail qualifies: main in us-east-1 (multi-region): writes only"),
        (trails(CUSTOM, selectors=basic(("ReadOnly", True))), "FAIL: no trail qualifies: main in us-east-1 (multi-region): reads only"),
        (trails(CUSTOM, selectors=basic(("ReadOnly", True), ("WriteOnly", True))), "PASS"),
        (trails(CUSTOM, selectors=basic(("All", False))), "FAIL: no trail qualifies: main in us-east-1 (multi-region): no management events"),
        (trails(CUSTOM, selectors=advanced([{"Field": "eventCategory", "Equals": ["Data"]}])), "FAIL: no trail qualifies: main in us-east-1 (multi-region): no management events"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT])), "PASS"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}])), "FAIL: no trail qualifies: main in us-east-1 (multi-region): reads only"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}], [MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}])), "PASS"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "eventName", "NotEquals": ["X"]}])), "FAIL"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}])), "PASS"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}])), "FAIL"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"], "Equals": []}])), "PASS"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "eventSource", "Equals": ["kms.amazonaws.com"]}])), "FAIL"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "NotEquals": ["true"]}])), "FAIL"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "sessionCredentialFromConsole", "Equals": ["true"]}])), "FAIL: no trail qualifies: main in us-east-1 (multi-region): no management events"),
        (trails(trail("single", home="eu-west-1", IsMultiRegionTrail=False), trail()), "PASS"),
        (trails(*(trail(f"t-{r}", home=r, IsMultiRegionTrail=False) for r in REGIONS)), "FAIL: no trail qualifies: t-eu-west-1 in eu-west-1 (single-region): single-region; t-us-east-1"),
        (trails(trail("org", OTHER)), f"PASS: org in us-east-1 (multi-region, organization trail of account {OTHER})"),
        (trails(trail("org", OTHER, HasCustomEventSelectors=True), selectors=ApiError("c", "o", "OperationNotPermittedException", "no")), f"PASS: org in us-east-1 (multi-region, organization trail of account {OTHER}) records all management events (arn:aws:cloudtrail:us-east-1:{OTHER}:trail/org) (the event selectors of org cannot be seen from this account, the default ones are assumed)"),
        (trails(trail("org", OTHER, HasCustomEventSelectors=True), selectors=access_denied("c", "o")), "ERROR: access denied in us-east-1: cloudtrail:GetEventSelectors is needed"),
        (trails(CUSTOM, selectors=ApiError("c", "o", "OperationNotPermittedException", "no")), "ERROR: cloudtrail:GetEventSelectors failed"),
        (trails({k: v for k, v in trail().items() if k != "HasCustomEventSelectors"}, selectors=basic(("WriteOnly", True))), "FAIL: no trail qualifies: main in us-east-1 (multi-region): writes only"),
        (trails(trail("org", OTHER), status=ApiError("c", "o", "TrailNotFoundException", "no")), f"ERROR: cloudtrail:GetTrailStatus failed in us-east-1: TrailNotFoundException: whether org in us-east-1 (multi-region, organization trail of account {OTHER}) is logging cannot be seen from account {ACCOUNT}"),
        (trails(trail("org", OTHER, IsMultiRegionTrail=False), status=ApiError("c", "o", "TrailNotFoundException", "no")), f"FAIL: no trail qualifies: org in us-east-1 (single-region, organization trail of account {OTHER}): single-region, its status"),
        (trails(trail(), status=ApiError("c", "o", "TrailNotFoundException", "no")), "ERROR: cloudtrail:GetTrailStatus failed in us-east-1: TrailNotFoundException"),
        # GetEventSelectors decides, whatever HasCustomEventSelectors says; a trail without any has the default ones
        (trails(trail(), selectors=basic(("ReadOnly", True))), "FAIL: no trail qualifies: main in us-east-1 (multi-region): reads only"),
        (trails(trail(), selectors={}), "PASS"),
        (trails(CUSTOM, selectors=basic((Undocumented("DeleteOnly"), True))), "ERROR: cloudtrail:GetEventSelectors failed"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "Equals": ["true", "false"]}])), "PASS"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "NotEquals": ["true"]}])), "FAIL: no trail qualifies: main in us-east-1 (multi-region): writes only"),
        (trails(CUSTOM, selectors=advanced([MANAGEMENT, {"Field": "readOnly", "NotEquals": ["true"]}], [MANAGEMENT, {"Field": "readOnly", "NotEquals": ["false"]}])), "PASS"),
        (trails(), "FAIL: no trail"),
        ({"cloudtrail:DescribeTrails": access_denied("c", "o")}, "ERROR: access denied in us-east-1: cloudtrail:DescribeTrails is needed"),
        ({**trails(trail()), "cloudtrail:DescribeTrails@eu-west-1": access_denied("c", "o")}, "PASS"),
        ({**trails(), "cloudtrail:DescribeTrails@eu-west-1": access_denied("c", "o")}, "ERROR: access denied in eu-west-1"),
        (trails(trail(), status=access_denied("c", "o")), "ERROR: access denied in us-east-1: cloudtrail:GetTrailStatus is needed"),
        (trails(CUSTOM, selectors=access_denied("c", "o")), "ERROR: access denied in us-east-1: cloudtrail:GetEventSelectors is needed"),
    ],
)  # fmt: skip
def test_check21(audit: Audit, answers: dict[str, Stub], expected: str) -> None:
    found = audit("check21", answers=answers, live=False)
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith(expected), found
    if expected.endswith("no trail"):
        assert found[ACCOUNT] == expected


def test_check21_region_filter(audit: Audit) -> None:
    """A trail is asked about where it lives, filtered or not; one qualifying trail is enough whatever the others do."""
    answers = {**trails(), "cloudtrail:DescribeTrails": {"trailList": [trail(home="ap-south-1")]}}
    for region in REGIONS:
        del answers[f"cloudtrail:DescribeTrails@{region}"]
    found = audit("check21", answers=answers, live=False, regions=["eu-west-1"])
    assert found[ACCOUNT].startswith("PASS: main in ap-south-1")
    assert [(region, operation) for region, _, operation, _ in audit.backend.calls] == [
        ("eu-west-1", "DescribeTrails"),
        ("ap-south-1", "GetTrailStatus"),
        ("ap-south-1", "GetEventSelectors"),
    ]
    assert audit.backend.calls[0][3] == {"includeShadowTrails": True}
    assert audit.backend.calls[1][3] == {"Name": trail(home="ap-south-1")["TrailARN"]}

    def status(params: dict[str, Any]) -> dict[str, Any]:
        if params["Name"].endswith("/a"):
            raise ApiError("cloudtrail", "GetTrailStatus", "AccessDeniedException", "no", region="us-east-1")
        return {"IsLogging": True}

    denied_first = audit("check21", answers=trails(trail("a"), trail("b"), status=status), live=False)
    assert denied_first[ACCOUNT].startswith("PASS: b in us-east-1")


WITHOUT_KMS = {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}
NOT_KMS = {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}
READS = {"Field": "readOnly", "Equals": ["true"]}
WRITES = {"Field": "readOnly", "Equals": ["false"]}


@pytest.mark.parametrize(
    ("selectors", "excluded"),
    [
        ([("All", WITHOUT_KMS)], {"kms.amazonaws.com"}),
        ([("All", {})], set()),
        ([("WriteOnly", WITHOUT_KMS), ("ReadOnly", {})], {"kms.amazonaws.com"}),
        ([("WriteOnly", {}), ("ReadOnly", WITHOUT_KMS)], set()),
        ([("All", WITHOUT_KMS), ("WriteOnly", {})], set()),
        ([[MANAGEMENT, NOT_KMS]], {"kms.amazonaws.com"}),
        ([[MANAGEMENT, WRITES, NOT_KMS], [MANAGEMENT, READS]], {"kms.amazonaws.com"}),
        ([[MANAGEMENT, WRITES], [MANAGEMENT, READS, NOT_KMS]], set()),
        ([[MANAGEMENT], [{"Field": "eventCategory", "Equals": ["Data"]}, NOT_KMS]], set()),
    ],
)
def test_excluded_event_sources(selectors: list[Any], excluded: set[str]) -> None:
    """What check37 asks: a source is left out when no selector records its writes."""
    if isinstance(selectors[0], tuple):
        answer: Any = {
            "EventSelectors": [
                {"ReadWriteType": kind, "IncludeManagementEvents": True, **more} for kind, more in selectors
            ]
        }
    else:
        answer = advanced(*selectors)
    backend = StubBackend({"cloudtrail:GetEventSelectors": answer}, None)
    crew = Crew(1)
    try:
        account = Account(ACCOUNT, backend=backend, crew=crew, now=NOW, regions=REGIONS)
        seen = Trail(account.api, id="main", data=CUSTOM)
        assert seen.records_all_management_events
        assert seen.excluded_event_sources == excluded
    finally:
        crew.close()


@pytest.mark.parametrize(
    ("check", "good", "bad", "words"),
    [
        ("check22", trail(), trail(LogFileValidationEnabled=False), "log file validation is off"),
        ("check27", trail(KmsKeyId="arn:aws:kms:us-east-1:1:key/k"), trail(), "no KMS key (SSE-S3 only)"),
    ],
)  # fmt: skip
def test_check22_and_check27(audit: Audit, check: str, good: dict[str, Any], bad: dict[str, Any], words: str) -> None:
    passed = audit(check, answers=trails(good), live=False)
    assert list(passed) == ["main"]  # once, although two regions show it
    assert passed["main"].startswith("PASS: main in us-east-1 (multi-region): ")
    assert audit(check, answers=trails(bad), live=False)["main"] == f"FAIL: main in us-east-1 (multi-region): {words}"
    foreign = {**bad, "TrailARN": bad["TrailARN"].replace(ACCOUNT, OTHER), "IsOrganizationTrail": True}
    assert f"of account {OTHER}): {words}" in audit(check, answers=trails(foreign), live=False)["main"]
    assert audit(check, answers=trails(), live=False) == {ACCOUNT: "INFO: no trail to check in the account"}
    partly = audit(
        check, answers={**trails(good), "cloudtrail:DescribeTrails@eu-west-1": access_denied("c", "o")}, live=False
    )
    assert partly["main"].startswith("PASS")
    assert partly[f"{ACCOUNT} eu-west-1"].startswith(
        "ERROR: access denied in eu-west-1: cloudtrail:DescribeTrails is needed"
    )
    assert len(partly) == 2
    everywhere = audit(check, answers={"cloudtrail:DescribeTrails": access_denied("c", "o")}, live=False)
    assert list(everywhere) == [f"{ACCOUNT} {region}" for region in REGIONS]
    many = [f"xx-test-{number}" for number in range(17)]
    shown: dict[str, Stub] = {"cloudtrail:DescribeTrails": {"trailList": [good]}}
    assert list(audit(check, answers=shown, live=False, regions=many)) == ["main"]
    assert {(service, operation) for _, service, operation, _ in audit.backend.calls} == {
        ("cloudtrail", "DescribeTrails")  # the bucket's default encryption, for one, is not looked at
    }


LOG_GROUP = "arn:aws:logs:us-east-1:1:log-group:g:*"
TO_GROUP = f"main in us-east-1 (multi-region) to {LOG_GROUP}: "
GONE = ApiError("c", "o", "TrailNotFoundException", "no")


def delivered(hours: float, **more: Any) -> dict[str, Any]:
    """A GetTrailStatus answer whose last delivery is so many hours old."""
    return {"IsLogging": True, "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(hours=hours), **more}


@pytest.mark.parametrize(
    ("found", "status", "settings", "expected"),
    [
        ({}, delivered(1 / 6), {}, f"PASS: {TO_GROUP}last delivery at 2026-05-01 11:50 UTC, 0.2 h ago"),
        ({}, delivered(24), {}, f"PASS: {TO_GROUP}last delivery at 2026-04-30 12:00 UTC, 24.0 h ago"),
        ({}, delivered(30), {}, f"FAIL: {TO_GROUP}the last delivery at 2026-04-30 06:00 UTC is 30 h old"),
        ({}, delivered(30), {"max_cloudwatch_delivery_age_hours": 48}, f"PASS: {TO_GROUP}last delivery at 2026-04-30 06:00 UTC, 30.0 h ago"),
        ({}, delivered(30, LatestCloudWatchLogsDeliveryError="AccessDenied"), {}, f"FAIL: {TO_GROUP}the last delivery at 2026-04-30 06:00 UTC is 30 h old, last error AccessDenied"),
        ({"CloudWatchLogsLogGroupArn": ""}, {"IsLogging": True}, {}, "FAIL: main in us-east-1 (multi-region): no log group is configured"),
        ({}, {"IsLogging": True}, {}, f"FAIL: {TO_GROUP}nothing was ever delivered"),
        ({}, delivered(72, IsLogging=False), {}, f"FAIL: {TO_GROUP}the last delivery at 2026-04-28 12:00 UTC is 72 h old, not logging"),
        ({}, GONE, {}, f"INFO: {TO_GROUP}it was deleted during the audit"),
        ({}, access_denied("c", "o"), {}, "ERROR: access denied in us-east-1: cloudtrail:GetTrailStatus is needed (cloudtrail:GetTrailStatus, AccessDenied)"),
    ],
)  # fmt: skip
def test_check24(audit: Audit, found: dict[str, Any], status: Stub, settings: dict[str, Any], expected: str) -> None:
    one = trail(**{"CloudWatchLogsLogGroupArn": LOG_GROUP, **found})
    assert audit("check24", answers=trails(one, status=status), live=False, now=NOW, **settings) == {"main": expected}


def test_check24_of_other_accounts_and_errors(audit: Audit) -> None:
    foreign = trail(owner=OTHER, CloudWatchLogsLogGroupArn=LOG_GROUP)
    closed = audit("check24", answers=trails(foreign, status=GONE), live=False, now=NOW)["main"]
    assert closed.startswith(f"INFO: main in us-east-1 (multi-region, organization trail of account {OTHER}) to arn:")
    assert closed.endswith("its status cannot be seen from this account")
    assert audit("check24", answers=trails(trail(owner=OTHER), status=GONE), live=False)["main"].startswith("FAIL")
    assert audit("check24", answers=trails(), live=False) == {ACCOUNT: "INFO: no trail to check in the account"}
    partly = {**trails(foreign), "cloudtrail:DescribeTrails@eu-west-1": access_denied("c", "o")}
    found = audit("check24", answers=partly, live=False, now=NOW)
    assert list(found) == ["main", f"{ACCOUNT} eu-west-1"]
    assert found[f"{ACCOUNT} eu-west-1"].startswith("ERROR: access denied in eu-west-1: cloudtrail:DescribeTrails is")
