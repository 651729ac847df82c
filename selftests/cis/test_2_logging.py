"""The checks of tests_cis/test_2_logging.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

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
        (trails(trail("single", home="eu-west-1", IsMultiRegionTrail=False), trail()), "PASS"),
        (trails(*(trail(f"t-{r}", home=r, IsMultiRegionTrail=False) for r in REGIONS)), "FAIL: no trail qualifies: t-eu-west-1 in eu-west-1 (single-region): single-region; t-us-east-1"),
        (trails(trail("org", OTHER)), f"PASS: org in us-east-1 (multi-region, organization trail of account {OTHER})"),
        (trails(trail("org", OTHER, HasCustomEventSelectors=True), selectors=ApiError("c", "o", "OperationNotPermittedException", "no")), "PASS"),
        (trails(trail("org", OTHER), status=ApiError("c", "o", "TrailNotFoundException", "no")), "ERROR: cloudtrail:GetTrailStatus failed"),
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


@pytest.mark.parametrize(
    ("found", "status", "expected"),
    [
        ({}, {"IsLogging": True, "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(minutes=10)}, "PASS: main in us-east-1 (multi-region) to arn:aws:logs"),
        ({}, {"IsLogging": True, "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(hours=24)}, "PASS"),
        ({}, {"IsLogging": True, "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(hours=30)}, "FAIL"),
        ({"CloudWatchLogsLogGroupArn": ""}, {"IsLogging": True}, "FAIL: main in us-east-1 (multi-region): no log group is configured"),
        ({}, {"IsLogging": True}, "FAIL"),
        ({}, {"IsLogging": False, "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(days=3)}, "FAIL"),
        ({}, access_denied("c", "o"), "ERROR: access denied in us-east-1: cloudtrail:GetTrailStatus is needed"),
        ({"TrailARN": f"arn:aws:cloudtrail:us-east-1:{OTHER}:trail/main"}, ApiError("c", "o", "TrailNotFoundException", "no"), "INFO"),
        ({}, ApiError("c", "o", "TrailNotFoundException", "no"), "ERROR"),
    ],
)  # fmt: skip
def test_check24(audit: Audit, found: dict[str, Any], status: Stub, expected: str) -> None:
    one = trail(**{"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:1:log-group:g:*", **found})
    result = audit("check24", answers=trails(one, status=status), live=False, now=NOW)
    assert result["main"].startswith(expected), result
    if isinstance(status, dict) and not status.get("IsLogging"):
        assert result["main"].endswith("is 72 h old, not logging")
    elif (
        isinstance(status, dict)
        and one["CloudWatchLogsLogGroupArn"]
        and "LatestCloudWatchLogsDeliveryTime" not in status
    ):
        assert result["main"].endswith("nothing was ever delivered")
    assert audit("check24", answers=trails(), live=False) == {ACCOUNT: "INFO: no trail to check in the account"}


GROUP = "http://acs.amazonaws.com/groups/global/"
PUBLIC_READ = {"Grants": [{"Grantee": {"Type": "Group", "URI": GROUP + "AllUsers"}, "Permission": "READ"}]}
FOR_ACCOUNTS = {
    "Grants": [{"Grantee": {"Type": "Group", "URI": GROUP + "AuthenticatedUsers"}, "Permission": "WRITE_ACP"}]
}
NO_BLOCK = ApiError("s3", "o", "NoSuchPublicAccessBlockConfiguration", "none")
NO_POLICY = ApiError("s3", "o", "NoSuchBucketPolicy", "none")
PRIVATE: dict[str, Stub] = {
    "s3:ListBuckets": {"Buckets": [{"Name": "logs"}, {"Name": "logs-eu"}]},
    "s3:GetBucketLocation": {"LocationConstraint": None},
    "s3:GetBucketAcl": {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "FULL_CONTROL"}]},
    "s3:GetBucketPolicyStatus": NO_POLICY,
    "s3:GetPublicAccessBlock": NO_BLOCK,
    "s3control:GetPublicAccessBlock": NO_BLOCK,
    "s3:GetBucketLogging": {},
}
PUBLIC_POLICY: dict[str, Stub] = {"s3:GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": True}}}


def blocked(flag: str) -> Stub:
    return {"PublicAccessBlockConfiguration": {flag: True}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "PASS: logs (trails: main) is not public"),
        ({"s3:GetBucketAcl": PUBLIC_READ}, "FAIL: logs (trails: main): its ACL grants READ to everyone"),
        ({"s3:GetBucketAcl": FOR_ACCOUNTS}, "FAIL: logs (trails: main): its ACL grants WRITE_ACP to every AWS account"),
        ({"s3:GetBucketAcl": PUBLIC_READ, "s3control:GetPublicAccessBlock": blocked("IgnorePublicAcls")}, "PASS: logs (trails: main) is not public; blocked: ACL grant of READ to everyone"),
        ({"s3:GetBucketAcl": PUBLIC_READ, "s3:GetPublicAccessBlock": blocked("BlockPublicAcls")}, "FAIL"),
        (PUBLIC_POLICY, "FAIL: logs (trails: main): its policy allows public access"),
        ({**PUBLIC_POLICY, "s3:GetPublicAccessBlock": blocked("RestrictPublicBuckets")}, "PASS: logs (trails: main) is not public; blocked: public policy"),
        ({"s3:GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": False}}}, "PASS"),
        ({"s3:GetBucketAcl": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketAcl is needed"),
        ({"s3:GetBucketLocation": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketLocation is needed"),
        ({"s3control:GetPublicAccessBlock": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetAccountPublicAccessBlock is needed"),
        ({"s3:ListBuckets": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:ListAllMyBuckets is needed"),
    ],
)  # fmt: skip
def test_check23(audit: Audit, more: dict[str, Stub], expected: str) -> None:
    found = audit("check23", answers={**trails(trail()), **PRIVATE, **more}, live=False)
    assert list(found) == ["logs"]
    assert found["logs"].startswith(expected), found


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "t", "TargetPrefix": "p/"}}}, "PASS: logs (trails: main) logs to t/p/"),
        ({"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "logs"}}}, "PASS: logs (trails: main) logs to logs/, which is the bucket itself"),
        ({}, "FAIL: logs (trails: main): access logging is not enabled"),
        ({"s3:GetBucketLogging": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketLogging is needed"),
    ],
)  # fmt: skip
def test_check26(audit: Audit, more: dict[str, Stub], expected: str) -> None:
    assert audit("check26", answers={**trails(trail()), **PRIVATE, **more}, live=False)["logs"].startswith(expected)


@pytest.mark.parametrize("check", ["check23", "check26"])
def test_check23_and_check26_of_other_buckets(audit: Audit, check: str) -> None:
    def head(code: str) -> dict[str, Stub]:
        return {
            **trails(trail(S3BucketName="archive")),
            **PRIVATE,
            "s3:HeadBucket": ApiError("s3", "HeadBucket", code, "x"),
        }

    assert audit(check, answers=head("403"), live=False) == {
        "archive": "INFO: archive (trails: main) belongs to another account, check it there"
    }
    gone = audit(check, answers=head("404"), live=False)["archive"]
    assert gone == "FAIL: archive (trails: main) does not exist: log delivery fails and anybody may claim the name"
    assert audit(check, answers=trails(), live=False) == {ACCOUNT: "INFO: no trail bucket to check in the account"}
    two = {**trails(trail("prod"), trail("prod-eu", S3BucketName="logs-eu"), trail("third")), **PRIVATE}
    two["s3:GetBucketLogging"] = lambda p: {"LoggingEnabled": {"TargetBucket": "t"}} if p["Bucket"] == "logs" else {}
    two["s3:GetBucketAcl"] = lambda p: PUBLIC_READ if p["Bucket"] == "logs-eu" else {"Grants": []}
    found = audit(check, answers=two, live=False)
    assert {name: text.split(":")[0] for name, text in found.items()} == {"logs": "PASS", "logs-eu": "FAIL"}
    assert "(trails: prod, third)" in found["logs"]
    elsewhere = {**trails(trail()), **PRIVATE, "s3:GetBucketLocation": {"LocationConstraint": "EU"}}
    audit(check, answers=elsewhere, live=False, regions=["us-east-1"])
    asked = {
        region
        for region, service, operation, _ in audit.backend.calls
        if service == "s3" and "Bucket" in operation and operation not in ("ListBuckets", "GetBucketLocation")
    }
    assert asked <= {"eu-west-1"}
    assert asked


@pytest.mark.usefixtures("moto")
def test_check23_against_moto(audit: Audit) -> None:
    s3 = boto3.client("s3", "us-east-1")
    s3.create_bucket(Bucket="trail-logs")
    boto3.client("cloudtrail", "us-east-1").create_trail(Name="main", S3BucketName="trail-logs")
    assert audit("check23")["trail-logs"].startswith("PASS")
    s3.put_bucket_acl(Bucket="trail-logs", ACL="public-read")
    assert audit("check23")["trail-logs"] == "FAIL: trail-logs (trails: main): its ACL grants READ to everyone"


def recorder(**more: Any) -> dict[str, Any]:
    return {
        "name": "default",
        "arn": "arn:aws:config:r",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        **more,
    }


SOME_TYPES = {"allSupported": False, "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}}


@pytest.mark.parametrize(
    ("recorders", "status", "expected"),
    [
        ([recorder()], {"recording": True, "lastStatus": "SUCCESS"}, "PASS: recorder default in eu-west-1: recording True, last status SUCCESS, ALL_SUPPORTED"),
        ([recorder()], {"recording": True, "lastStatus": "PENDING"}, "PASS"),
        ([recorder()], {"recording": True, "lastStatus": "Failure", "lastErrorCode": "E1"}, "FAIL: recorder default in eu-west-1: recording True, last status Failure, last error E1"),
        ([recorder()], {"recording": False}, "FAIL: recorder default"),
        ([recorder(recordingGroup=SOME_TYPES)], {"recording": True, "lastStatus": "SUCCESS"}, "FAIL: recorder default"),
        ([recorder(recordingGroup={"recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}})], {"recording": True}, "PASS"),
        ([], {}, "FAIL: no configuration recorder in eu-west-1"),
        ([recorder(servicePrincipal="x.amazonaws.com")], {"recording": True}, "FAIL: no configuration recorder in eu-west-1"),
        ([recorder(recordingScope="INTERNAL")], {"recording": True}, "FAIL: no configuration recorder in eu-west-1"),
    ],
)  # fmt: skip
def test_check25(audit: Audit, recorders: list[Any], status: dict[str, Any], expected: str) -> None:
    answers: dict[str, Stub] = {
        "config:DescribeConfigurationRecorders": {"ConfigurationRecorders": recorders},
        "config:DescribeConfigurationRecorderStatus": {
            "ConfigurationRecordersStatus": [{"name": "other"}, {"name": "default", **status}]
        },
    }
    found = audit("check25", answers=answers, live=False, regions=["eu-west-1"])
    assert len(found) == 1
    assert next(iter(found.values())).startswith(expected), found
    if recorders and recorders[0]["recordingGroup"] is SOME_TYPES:
        assert audit("check25", answers=answers, live=False, regions=["eu-west-1"], require_all_supported=False)[
            "default"
        ].startswith("PASS")
    for operation in ("DescribeConfigurationRecorders", "DescribeConfigurationRecorderStatus"):
        denied = audit(
            "check25",
            answers={**answers, f"config:{operation}": access_denied("c", "o")},
            live=False,
            regions=["eu-west-1"],
        )
        if recorders and "servicePrincipal" not in recorders[0] and "recordingScope" not in recorders[0]:
            assert f"config:{operation} is needed" in next(iter(denied.values()))


def key(id: str = "k1", **more: Any) -> dict[str, Any]:
    return {
        "KeyId": id, "Arn": f"arn:aws:kms:eu-west-1:1:key/{id}", "KeyManager": "CUSTOMER", "KeyState": "Enabled",
        "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", **more,
    }  # fmt: skip


def keys(*found: dict[str, Any], rotation: Stub | None = None) -> dict[str, Stub]:
    by_id = {one["KeyId"]: one for one in found}
    return {
        "kms:ListKeys": {"Keys": [{"KeyId": one["KeyId"], "KeyArn": one["Arn"]} for one in found]},
        "kms:DescribeKey": lambda p: {"KeyMetadata": by_id[p["KeyId"]]},
        "kms:GetKeyRotationStatus": rotation or {"KeyRotationEnabled": True},
    }


@pytest.mark.parametrize(
    ("answers", "settings", "expected"),
    [
        (keys(key()), {}, "PASS: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS): rotation is on, every 365 days"),
        (keys(key(), rotation={"KeyRotationEnabled": False}), {}, "FAIL: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS): rotation is off"),
        (keys(key(), rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 730}), {}, "PASS"),
        (keys(key(), rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 730}), {"max_rotation_period_days": 365}, "FAIL"),
        (keys(key(), rotation={"KeyRotationEnabled": True}), {"max_rotation_period_days": 365}, "PASS"),
        (keys(key(KeySpec="RSA_2048")), {}, "INFO: k1 in eu-west-1 (RSA_2048, origin AWS_KMS) cannot rotate automatically"),
        (keys(key(KeySpec="HMAC_256")), {}, "INFO"),
        (keys(key(Origin="EXTERNAL")), {}, "INFO"),
        (keys(key(Origin="AWS_CLOUDHSM")), {}, "INFO"),
        (keys(key(), rotation=ApiError("k", "o", "UnsupportedOperationException", "x")), {}, "INFO"),
        (keys(key(), rotation=ApiError("k", "o", "NotFoundException", "x")), {}, "INFO: k1 was deleted"),
        (keys(key(), rotation=access_denied("k", "o")), {}, "ERROR: access denied in eu-west-1: kms:GetKeyRotationStatus is needed"),
        ({**keys(key()), "kms:DescribeKey": access_denied("k", "o")}, {}, "ERROR: access denied in eu-west-1: kms:DescribeKey is needed"),
        (keys(key(MultiRegionConfiguration={"MultiRegionKeyType": "REPLICA"})), {}, "PASS: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS, a replica"),
    ],
)  # fmt: skip
def test_check28(audit: Audit, answers: dict[str, Stub], settings: dict[str, Any], expected: str) -> None:
    found = audit("check28", answers=answers, live=False, regions=["eu-west-1"], **settings)
    assert found["k1"].startswith(expected), found


def test_check28_keys_that_are_no_items(audit: Audit) -> None:
    nothing = {ACCOUNT: "INFO: no kms key to check in eu-west-1"}
    for one in (key(KeyState="PendingDeletion"), key(KeyManager="AWS"), key(KeyState="Disabled")):
        assert audit("check28", answers=keys(one), live=False, regions=["eu-west-1"]) == nothing
    gone = {**keys(key()), "kms:DescribeKey": ApiError("k", "o", "NotFoundException", "x")}
    assert audit("check28", answers=gone, live=False, regions=["eu-west-1"]) == nothing
    denied = audit("check28", answers={"kms:ListKeys": access_denied("k", "o")}, live=False, regions=["eu-west-1"])
    assert denied[f"{ACCOUNT} eu-west-1"].startswith("ERROR: access denied in eu-west-1: kms:ListKeys is needed")


def flow_log(**more: Any) -> dict[str, Any]:
    return {
        "FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL",
        "DeliverLogsStatus": "SUCCESS", "LogDestination": "arn:aws:s3:::b", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("logs", "vpc", "expected"),
    [
        ([flow_log()], {}, "PASS: vpc-1 (main) in eu-west-1: fl-1 (ALL to arn:aws:s3:::b, ACTIVE, delivery SUCCESS)"),
        ([flow_log(TrafficType="REJECT")], {}, "PASS"),
        ([flow_log(TrafficType="ACCEPT")], {}, "FAIL: vpc-1 (main) in eu-west-1: no flow log that works and captures rejects: fl-1 (ACCEPT"),
        ([flow_log(DeliverLogsStatus="FAILED")], {}, "FAIL"),
        ([flow_log(FlowLogStatus="INACTIVE")], {}, "FAIL"),
        ([flow_log(ResourceId="subnet-1")], {}, "FAIL: vpc-1 (main) in eu-west-1: no flow log"),
        ([], {"IsDefault": True}, "FAIL: vpc-1 (main) in eu-west-1: no flow log"),
        ([], {"OwnerId": OTHER}, f"INFO: vpc-1 (main) in eu-west-1 is shared by account {OTHER}"),
        ([flow_log(TrafficType="ACCEPT"), flow_log(FlowLogId="fl-2")], {}, "PASS: vpc-1 (main) in eu-west-1: fl-2"),
    ],
)  # fmt: skip
def test_check29(audit: Audit, logs: list[Any], vpc: dict[str, Any], expected: str) -> None:
    answers: dict[str, Stub] = {
        "ec2:DescribeVpcs": {
            "Vpcs": [{"VpcId": "vpc-1", "OwnerId": ACCOUNT, "Tags": [{"Key": "Name", "Value": "main"}], **vpc}]
        },
        "ec2:DescribeFlowLogs": {"FlowLogs": logs},
    }
    found = audit("check29", answers=answers, live=False, regions=["eu-west-1"])
    assert found["vpc-1"].startswith(expected), found
    if logs and logs[0]["TrafficType"] == "ACCEPT" and len(logs) == 1:
        assert audit("check29", answers=answers, live=False, regions=["eu-west-1"], accepted_traffic_types=["ACCEPT"])[
            "vpc-1"
        ].startswith("PASS")
    assert audit("check29", answers={"ec2:DescribeVpcs": {"Vpcs": []}}, live=False) == {
        ACCOUNT: "INFO: no vpc to check in us-east-1, eu-west-1"
    }
    if not vpc.get("OwnerId"):
        denied = audit(
            "check29",
            answers={**answers, "ec2:DescribeFlowLogs": access_denied("e", "o")},
            live=False,
            regions=["eu-west-1"],
        )
        assert denied["vpc-1"].startswith("ERROR: access denied in eu-west-1: ec2:DescribeFlowLogs is needed")


@pytest.mark.usefixtures("moto")
def test_check28_and_check29_against_moto(audit: Audit) -> None:
    kms, ec2 = boto3.client("kms", "eu-west-1"), boto3.client("ec2", "eu-west-1")
    one, two = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.enable_key_rotation(KeyId=one)
    found = audit("check28", regions=["eu-west-1"])
    assert {id: text.split(":")[0] for id, text in found.items()} == {one: "PASS", two: "FAIL"}
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    assert audit("check29", regions=["eu-west-1"])[vpc].startswith("FAIL")
    boto3.client("s3", "us-east-1").create_bucket(Bucket="flow")
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flow",
    )
    assert audit("check29", regions=["eu-west-1"])[vpc].startswith("PASS")
