"""The checks of tests_cis/test_2_logging.py that are about regions, keys and VPCs."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.checks.test_cis_2_logging import OTHER
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied


def recorder(**more: Any) -> dict[str, Any]:
    return {
        "name": "default",
        "arn": "arn:aws:config:r",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        **more,
    }


GLOBAL_TYPES = ["AWS::IAM::User", "AWS::IAM::Role", "AWS::IAM::Group", "AWS::IAM::Policy"]


def all_but(*types: str) -> dict[str, Any]:
    """A recording group that leaves out these types."""
    strategy = {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}
    return {
        "allSupported": False,
        "exclusionByResourceTypes": {"resourceTypes": [*types]},
        "recordingStrategy": strategy,
    }


RUNNING = {"recording": True, "lastStatus": "SUCCESS"}
HERE = "recorder default in eu-west-1: recording True, last status SUCCESS"
SOME_TYPES = {"allSupported": False, "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}}


@pytest.mark.parametrize(
    ("recorders", "status", "expected"),
    [
        ([recorder()], {"recording": True, "lastStatus": "SUCCESS"}, "PASS: recorder default in eu-west-1: recording True, last status SUCCESS, ALL_SUPPORTED"),
        ([recorder()], {"recording": True, "lastStatus": "PENDING"}, "PASS: recorder default in eu-west-1: recording True, last status PENDING"),
        ([recorder()], {"recording": True, "lastStatus": "Failure", "lastErrorCode": "E1"}, "FAIL: recorder default in eu-west-1: recording True, last status Failure, last error E1"),
        ([recorder()], {"recording": False}, "FAIL: recorder default in eu-west-1: recording False, last status unknown, ALL_SUPPORTED_RESOURCE_TYPES, global resource types True: it is stopped"),
        ([recorder()], {"recording": True, "lastStatus": "FAILURE"}, "FAIL: recorder default in eu-west-1: recording True, last status FAILURE, ALL_SUPPORTED_RESOURCE_TYPES, global resource types True: deliveries fail"),
        ([recorder(servicePrincipal="x.amazonaws.com", name="linked"), recorder()], {"recording": True}, "PASS: recorder default"),
        ([recorder(recordingGroup=SOME_TYPES)], {"recording": True, "lastStatus": "SUCCESS"}, "FAIL: recorder default in eu-west-1: recording True, last status SUCCESS, INCLUSION_BY_RESOURCE_TYPES, global resource types False: not everything is recorded"),
        ([recorder(recordingGroup={"recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}})], {"recording": True}, "PASS: recorder default in eu-west-1: recording True, last status unknown, ALL_SUPPORTED"),
        # the global resource types are recorded in one region, if that
        ([recorder(recordingGroup=all_but(*GLOBAL_TYPES))], RUNNING, f"PASS: {HERE}, EXCLUSION_BY_RESOURCE_TYPES, global resource types False"),
        ([recorder(recordingGroup=all_but("AWS::IAM::User"))], RUNNING, f"PASS: {HERE}, EXCLUSION_BY_RESOURCE_TYPES, global resource types False"),
        ([recorder(recordingGroup=all_but())], RUNNING, f"PASS: {HERE}, EXCLUSION_BY_RESOURCE_TYPES, global resource types True"),
        ([recorder(recordingGroup=all_but(*GLOBAL_TYPES, "AWS::EC2::Volume"))], RUNNING, f"FAIL: {HERE}, EXCLUSION_BY_RESOURCE_TYPES, global resource types False: not everything is recorded"),
        ([recorder(recordingGroup={"recordingStrategy": {"useOnly": Undocumented("SOMETHING_NEW")}})], RUNNING, "ERROR: config:DescribeConfigurationRecorders failed in eu-west-1: UnexpectedAnswer: the recording strategy SOMETHING_NEW"),
        ([recorder(recordingMode={"recordingFrequency": "DAILY"})], RUNNING, f"PASS: {HERE}, ALL_SUPPORTED_RESOURCE_TYPES, global resource types True, recorded DAILY"),
        ([recorder(recordingMode={"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [{"resourceTypes": ["AWS::EC2::Volume"], "recordingFrequency": "DAILY"}]})], RUNNING, f"PASS: {HERE}, ALL_SUPPORTED_RESOURCE_TYPES, global resource types True, recorded CONTINUOUS; DAILY for AWS::EC2::Volume"),
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
    assert list(found) == [ACCOUNT if expected.startswith("FAIL: no configuration recorder") else "default"]
    assert next(iter(found.values())).startswith(expected), found
    if recorders and recorders[0]["recordingGroup"] is SOME_TYPES:
        assert audit("check25", answers=answers, live=False, regions=["eu-west-1"], require_all_supported=False)[
            "default"
        ].startswith("PASS")


NAMED = {"allSupported": False, "resourceTypes": GLOBAL_TYPES}
EVERYTHING = {"allSupported": True, "includeGlobalResourceTypes": True}
NO_GLOBALS = {"allSupported": True, "includeGlobalResourceTypes": False}


@pytest.mark.parametrize(
    ("home", "other", "expected"),
    [
        (NO_GLOBALS, NO_GLOBALS, "FAIL"),
        (EVERYTHING, NO_GLOBALS, "PASS"),
        (NO_GLOBALS, EVERYTHING, "PASS"),
        (NO_GLOBALS, NAMED, "PASS"),
        (NO_GLOBALS, {**NAMED, "resourceTypes": GLOBAL_TYPES[1:]}, "FAIL"),
        (NO_GLOBALS, {**all_but(), "includeGlobalResourceTypes": False}, "PASS"),
        (NO_GLOBALS, {**all_but("AWS::IAM::Role"), "includeGlobalResourceTypes": True}, "FAIL"),
        (all_but(*GLOBAL_TYPES), NO_GLOBALS, "FAIL"),
    ],
)
def test_check25_global_types(audit: Audit, home: dict[str, Any], other: dict[str, Any], expected: str) -> None:
    """Somewhere the IAM resources have to be recorded; where not, the home region says so."""

    def said(region: str, **more: Stub) -> str:
        answers: dict[str, Stub] = {
            "config:DescribeConfigurationRecorders@us-east-1": {
                "ConfigurationRecorders": [recorder(recordingGroup=home)]
            },
            "config:DescribeConfigurationRecorders@eu-west-1": {
                "ConfigurationRecorders": [recorder(recordingGroup=other)]
            },
            "config:DescribeConfigurationRecorderStatus": {
                "ConfigurationRecordersStatus": [{"name": "default", **RUNNING}]
            },
            **{f"config:{name}@eu-west-1": answer for name, answer in more.items()},
        }
        regions = ["us-east-1", "eu-west-1"]
        found = audit.findings("check25", answers=answers, live=False, regions=regions)
        return next(f"{one.status}: {one.message}" for one in found if one.region == region)

    assert said("us-east-1").startswith(f"{expected}: recorder default in us-east-1: ")
    nowhere = "IAM users, groups, roles and policies are recorded nowhere (said in this region alone)"
    assert (nowhere in said("us-east-1")) is (expected == "FAIL")
    assert nowhere not in said("eu-west-1")
    if home is EVERYTHING:
        return
    stopped: Stub = {"ConfigurationRecordersStatus": [{"name": "default", "recording": False}]}
    assert nowhere in said("us-east-1", DescribeConfigurationRecorderStatus=stopped)
    denied = said("us-east-1", DescribeConfigurationRecorders=access_denied("c", "o"))
    assert denied.startswith("ERROR: access denied in eu-west-1: config:DescribeConfigurationRecorders is needed")


def test_check25_errors(audit: Audit) -> None:
    answers: dict[str, Stub] = {"config:DescribeConfigurationRecorders": {"ConfigurationRecorders": [recorder()]}}
    for operation, item in (
        ("DescribeConfigurationRecorders", f"{ACCOUNT} eu-west-1"),
        ("DescribeConfigurationRecorderStatus", "default"),
    ):
        denied = {**answers, f"config:{operation}": access_denied("c", "o")}
        found = audit("check25", answers=denied, live=False, regions=["eu-west-1"])
        assert list(found) == [item]
        assert found[item].startswith(f"ERROR: access denied in eu-west-1: config:{operation} is needed")


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
        (keys(key(), rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 730}), {}, "PASS: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS): rotation is on, every 730 days"),
        (keys(key(), rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 730}), {"max_rotation_period_days": 365}, "FAIL: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS): it rotates every 730 days, the limit is 365"),
        (keys(key(), rotation={"KeyRotationEnabled": True}), {"max_rotation_period_days": 365}, "PASS: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS): rotation is on, every 365 days"),
        (keys(key(KeySpec="RSA_2048")), {}, "INFO: k1 in eu-west-1 (RSA_2048, origin AWS_KMS) cannot rotate automatically"),
        (keys(key(KeySpec="HMAC_256")), {}, "INFO: k1 in eu-west-1 (HMAC_256, origin AWS_KMS) cannot rotate automatically"),
        *((keys(key(Origin=origin)), {}, f"INFO: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin {origin}) cannot rotate automatically") for origin in ("EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")),
        (keys(key(), rotation=ApiError("k", "o", "UnsupportedOperationException", "x")), {}, "INFO: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS) cannot rotate automatically"),
        (keys(key(), rotation=ApiError("k", "o", "NotFoundException", "x")), {}, "INFO: k1 was deleted or changed its state during the audit"),
        (keys(key(), rotation=ApiError("k", "o", "KMSInvalidStateException", "x")), {}, "INFO: k1 was deleted or changed its state during the audit"),
        (keys(key(), rotation=access_denied("k", "o")), {}, "ERROR: access denied in eu-west-1: kms:GetKeyRotationStatus is needed"),
        ({**keys(key()), "kms:DescribeKey": access_denied("k", "o")}, {}, "ERROR: access denied in eu-west-1: kms:DescribeKey is needed"),
        (keys(key(MultiRegionConfiguration={"MultiRegionKeyType": "REPLICA"})), {}, "PASS: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS, a replica"),
    ],
)  # fmt: skip
def test_check28(audit: Audit, answers: dict[str, Stub], settings: dict[str, Any], expected: str) -> None:
    found = audit("check28", answers=answers, live=False, regions=["eu-west-1"], **settings)
    assert found["k1"].startswith(expected), found


def test_check28_other_keys_go_on(audit: Audit) -> None:
    def describe(params: dict[str, Any]) -> dict[str, Any]:
        if params["KeyId"] == "k2":
            raise ApiError("kms", "DescribeKey", "AccessDeniedException", "no", region="eu-west-1")
        return {"KeyMetadata": key(params["KeyId"])}

    answers = {**keys(key(), key("k2"), key("k3")), "kms:DescribeKey": describe}
    found = audit("check28", answers=answers, live=False, regions=["eu-west-1"])
    assert {id: text.split(":")[0] for id, text in found.items()} == {"k1": "PASS", "k2": "ERROR", "k3": "PASS"}
    assert "kms:DescribeKey is needed" in found["k2"]


def test_check28_keys_that_are_no_items(audit: Audit) -> None:
    nothing = {ACCOUNT: "INFO: no kms key to check in eu-west-1"}
    for one in (key(KeyState="PendingDeletion"), key(KeyManager="AWS"), key(KeyState="Disabled")):
        assert audit("check28", answers=keys(one), live=False, regions=["eu-west-1"]) == nothing
    gone = {**keys(key()), "kms:DescribeKey": ApiError("k", "o", "NotFoundException", "x")}
    assert audit("check28", answers=gone, live=False, regions=["eu-west-1"]) == nothing
    denied = audit("check28", answers={"kms:ListKeys": access_denied("k", "o")}, live=False, regions=["eu-west-1"])
    assert denied[f"{ACCOUNT} eu-west-1"].startswith("ERROR: access denied in eu-west-1: kms:ListKeys is needed")


def flow_log(**more: Any) -> dict[str, Any]:
    log = {
        "FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL",
        "DeliverLogsStatus": "SUCCESS", "LogDestination": "arn:aws:s3:::b", **more,
    }  # fmt: skip
    return {key: value for key, value in log.items() if value is not None}


@pytest.mark.parametrize(
    ("logs", "vpc", "expected"),
    [
        ([flow_log()], {}, "PASS: vpc-1 (main) in eu-west-1: fl-1 (ALL to arn:aws:s3:::b, ACTIVE, delivery SUCCESS)"),
        ([flow_log(TrafficType="REJECT")], {}, "PASS: vpc-1 (main) in eu-west-1: fl-1 (REJECT to arn:aws:s3:::b, ACTIVE, delivery SUCCESS)"),
        ([flow_log(LogDestination=None, LogGroupName="flows")], {}, "PASS: vpc-1 (main) in eu-west-1: fl-1 (ALL to flows, ACTIVE, delivery SUCCESS)"),
        ([flow_log(TrafficType="ACCEPT")], {}, "FAIL: vpc-1 (main) in eu-west-1: no flow log that works and captures rejects: fl-1 (ACCEPT"),
        ([flow_log(DeliverLogsStatus="FAILED")], {}, "FAIL: vpc-1 (main) in eu-west-1: no flow log that works and captures rejects: fl-1 (ALL to arn:aws:s3:::b, ACTIVE, delivery FAILED)"),
        ([flow_log(FlowLogStatus="INACTIVE")], {}, "FAIL: vpc-1 (main) in eu-west-1: no flow log that works and captures rejects: fl-1 (ALL to arn:aws:s3:::b, INACTIVE"),
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
    if expected.endswith("no flow log"):
        assert found["vpc-1"] == expected
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


def test_check29_errors(audit: Audit) -> None:
    denied: dict[str, Stub] = {"ec2:DescribeVpcs": access_denied("ec2", "o")}
    found = audit("check29", answers=denied, live=False, regions=["eu-west-1"])
    assert list(found) == [f"{ACCOUNT} eu-west-1"]
    assert found[f"{ACCOUNT} eu-west-1"].startswith("ERROR: access denied in eu-west-1: ec2:DescribeVpcs is needed")


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
