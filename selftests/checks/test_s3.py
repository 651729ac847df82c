"""The checks of tests_extras/test_s3.py that are about what a bucket is set to: logs, versions, encryption.

Those about who gets in are in test_s3_access.py, those about trails in test_s3_data_events.py.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

LISTED: dict[str, Stub] = {
    "s3:ListBuckets": {"Buckets": [{"Name": "data"}]},
    "s3:GetBucketLocation": {"LocationConstraint": "eu-west-1"},
}
HERE = "bucket data in eu-west-1"
NO_POLICY = ApiError("s3", "o", "NoSuchBucketPolicy", "none")
NO_ENCRYPTION = ApiError("s3", "o", "ServerSideEncryptionConfigurationNotFoundError", "none")
NO_BLOCK = ApiError("s3", "o", "NoSuchPublicAccessBlockConfiguration", "none")
UNVENDED: dict[str, Stub] = {"logs:DescribeDeliverySources": {"deliverySources": []}}
READ_FIRST = {
    "extra718": "GetBucketLogging",
    "extra73": "GetPublicAccessBlock",
    "extra734": "GetBucketEncryption",
    "extra763": "GetBucketVersioning",
    "extra764": "GetBucketPolicy",
    "extra771": "GetBucketPolicy",
}
"""What each check asks of a bucket first."""


def run(audit: Audit, check: str, answers: dict[str, Stub], **settings: Any) -> str:
    """The check's finding on the one bucket "data"; keys of ``answers`` without service are S3's."""
    named = {key if ":" in key else f"s3:{key}": answer for key, answer in answers.items()}
    found = audit(
        check, answers={**LISTED, "s3control:GetPublicAccessBlock": NO_BLOCK, **named}, live=False, **settings
    )
    assert list(found) == ["data"]
    return found["data"]


def policy(*statements: Any) -> Stub:
    """The answer of GetBucketPolicy; a single statement stands alone, not in a list."""
    return {"Policy": json.dumps({"Statement": statements[0] if len(statements) == 1 else statements})}


# -- What holds for every check of buckets ---------------------------------------------------------------------------


@pytest.mark.parametrize("check", READ_FIRST)
def test_without_buckets(audit: Audit, check: str) -> None:
    none: dict[str, Stub] = {"s3:ListBuckets": {"Buckets": []}}
    assert audit(check, answers=none, live=False) == {ACCOUNT: "INFO: no bucket to check in the account"}
    assert [call[2] for call in audit.backend.calls] == ["ListBuckets"]
    denied = audit(check, answers={"s3:ListBuckets": access_denied("s3", "ListBuckets")}, live=False)
    assert list(denied) == [f"{ACCOUNT} us-east-1"]
    assert "ERROR: access denied in us-east-1: s3:ListAllMyBuckets is needed" in denied[f"{ACCOUNT} us-east-1"]


@pytest.mark.parametrize(("check", "operation"), READ_FIRST.items())
def test_unreadable_bucket(audit: Audit, check: str, operation: str) -> None:
    action = {"GetBucketEncryption": "GetEncryptionConfiguration", "GetPublicAccessBlock": "GetBucketPublicAccessBlock"}
    denied = run(audit, check, {operation: access_denied("s3", operation)})
    assert denied.startswith(f"ERROR: access denied in eu-west-1: s3:{action.get(operation, operation)} is needed")
    for code in ("PermanentRedirect", "SlowDown", "InternalError", "EndpointConnectionError"):
        assert run(audit, check, {operation: ApiError("s3", "o", code, "x")}).startswith(f"ERROR: s3:{operation} "), (
            code
        )
    gone = ApiError("s3", operation, "NoSuchBucket", "x")
    assert run(audit, check, {operation: gone}) == "INFO: data was deleted during the audit"
    assert run(audit, check, {"GetBucketLocation": gone}) == "INFO: data was deleted during the audit"
    unknown = run(audit, check, {"GetBucketLocation": access_denied("s3", "GetBucketLocation")})
    assert unknown.startswith("ERROR: access denied in us-east-1: s3:GetBucketLocation is needed")


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ({"GetBucketLocation": {"LocationConstraint": None}}, "us-east-1"),
        ({"GetBucketLocation": {"LocationConstraint": "EU"}}, "eu-west-1"),
        ({"GetBucketLocation": {"LocationConstraint": "eu-central-1"}}, "eu-central-1"),
        ({"s3:ListBuckets": {"Buckets": [{"Name": "data", "BucketRegion": "ap-south-1"}]}}, "ap-south-1"),
    ],
)
@pytest.mark.parametrize(("check", "operation"), READ_FIRST.items())
def test_asked_in_the_region_of_the_bucket(
    audit: Audit, check: str, operation: str, place: dict[str, Stub], region: str
) -> None:
    answers: dict[str, Stub] = {
        "GetBucketLogging": {}, "GetPublicAccessBlock": NO_BLOCK, "GetBucketVersioning": {}, "GetBucketPolicy": NO_POLICY,
        "GetBucketEncryption": NO_ENCRYPTION, "GetBucketAcl": {"Grants": []}, "GetBucketPolicyStatus": NO_POLICY,
        **UNVENDED,
    }  # fmt: skip
    assert f"bucket data in {region}" in run(audit, check, {**answers, **place}, regions=["us-east-1"])
    asked = [call for call in audit.backend.calls if call[1] == "s3" and call[3] == {"Bucket": "data"}]
    own = [(where, name) for where, _, name, _ in asked if name != "GetBucketLocation"]
    assert own[0] == (region, operation)
    assert {where for where, _ in own} == {region}
    assert len(set(own)) == len(own)


# -- Access logs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "x/"}}, f"PASS: {HERE} logs to logs/x/"),
        ({"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}, f"PASS: {HERE} logs to logs/"),
        ({}, f"FAIL: {HERE}: server access logging is off"),
        ({"LoggingEnabled": {"TargetBucket": ""}}, f"FAIL: {HERE}: server access logging is off"),
    ],
)
def test_extra718(audit: Audit, answer: Stub, expected: str) -> None:
    found = run(audit, "extra718", {"GetBucketLogging": answer, **UNVENDED})
    assert found == expected
    vended = ["DescribeDeliverySources"] if expected.startswith("FAIL") else []
    made = [call[2] for call in audit.backend.calls]
    assert made == ["ListBuckets", "GetBucketLocation", "GetBucketLogging", *vended]


@pytest.mark.parametrize(
    ("source", "deliveries", "expected"),
    [
        ({}, ["requests"], f"PASS: {HERE} logs through the delivery source requests"),
        ({"status": "INACTIVE"}, ["requests"], f"FAIL: {HERE}: server access logging is off"),
        ({"logType": "ACCESS_LOGS"}, ["requests"], f"FAIL: {HERE}: server access logging is off"),
        ({"resourceArns": ["arn:aws:s3:::data2"]}, ["requests"], f"FAIL: {HERE}: server access logging is off"),
        ({}, ["others"], f"FAIL: {HERE}: server access logging is off"),
    ],
)
def test_extra718_vended_logs(audit: Audit, source: dict[str, Any], deliveries: list[str], expected: str) -> None:
    made = {"name": "requests", "resourceArns": ["arn:aws:s3:::data"], "logType": "S3_SERVER_ACCESS_LOGS", **source}
    answers: dict[str, Stub] = {
        "GetBucketLogging": {},
        "logs:DescribeDeliverySources": {"deliverySources": [made]},
        "logs:DescribeDeliveries": {"deliveries": [{"deliverySourceName": name} for name in deliveries]},
    }
    assert run(audit, "extra718", answers) == expected
    assert {call[0] for call in audit.backend.calls if call[1] == "logs"} == {"eu-west-1"}
    for call in ("DescribeDeliverySources", "DescribeDeliveries"):
        if expected.startswith("PASS"):
            denied = run(audit, "extra718", {**answers, f"logs:{call}": access_denied("logs", call)})
            assert denied.startswith(f"ERROR: access denied in eu-west-1: logs:{call} is needed")


# -- Versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"Status": "Enabled", "MFADelete": "Disabled"}, f"PASS: {HERE}: versioning is enabled"),
        ({"Status": "Suspended"}, f"FAIL: {HERE}: versioning is suspended"),
        ({}, f"FAIL: {HERE}: versioning was never enabled"),
    ],
)
def test_extra763(audit: Audit, answer: Stub, expected: str) -> None:
    assert run(audit, "extra763", {"GetBucketVersioning": answer}) == expected
    assert [call[2] for call in audit.backend.calls] == ["ListBuckets", "GetBucketLocation", "GetBucketVersioning"]


# -- Encryption ------------------------------------------------------------------------------------------------------

KMS_ONLY = {"accepted_algorithms": ["aws:kms", "aws:kms:dsse"]}
HEADER = "s3:x-amz-server-side-encryption"


def encrypted(algorithm: str, **more: str) -> Stub:
    """The answer of GetBucketEncryption."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **more}, "BucketKeyEnabled": False}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (encrypted("AES256"), f"PASS: {HERE} encrypts by default with AES256"),
        (encrypted("aws:kms", KMSMasterKeyID="arn:aws:kms:eu-west-1:1:key/k"), f"PASS: {HERE} encrypts by default with aws:kms with key arn:aws:kms:eu-west-1:1:key/k"),
        (encrypted("aws:kms:dsse"), f"PASS: {HERE} encrypts by default with aws:kms:dsse"),
    ],
)  # fmt: skip
def test_extra734_by_default(audit: Audit, answer: Stub, expected: str) -> None:
    assert run(audit, "extra734", {"GetBucketEncryption": answer}) == expected
    assert "GetBucketPolicy" not in [call[2] for call in audit.backend.calls]


def deny_unless(operator: str = "StringNotEquals", value: Any = "aws:kms", **more: Any) -> dict[str, Any]:
    """A statement that refuses uploads by what their encryption header says; None removes an element."""
    elements = {
        "Sid": "Enc", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::data/*",
        "Condition": {operator: {HEADER: value}}, **more,
    }  # fmt: skip
    return {name: found for name, found in elements.items() if found is not None}


TWO_TESTS = {"StringNotEquals": {HEADER: "aws:kms", "aws:PrincipalAccount": "111122223333"}}
TWO_OPERATORS = {"StringNotEquals": {HEADER: "aws:kms"}, "Null": {HEADER: "false"}}
BY_POLICY = f"PASS: {HERE}: default encryption is none, but statement Enc of its policy refuses other uploads"
BY_NOTHING = f"FAIL: {HERE}: default encryption is none, and no policy statement refuses uploads without one of AES256,"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (deny_unless(), BY_POLICY),
        (deny_unless(value=["aws:kms", "AES256"]), BY_POLICY),
        (deny_unless("stringnotequals", Condition={"stringnotequals": {HEADER.upper(): "aws:kms"}}), BY_POLICY),
        (deny_unless("Null", "true"), BY_POLICY),
        (deny_unless("Null", True), BY_POLICY),
        (deny_unless(Principal={"AWS": "*"}), BY_POLICY),
        (deny_unless(Principal={"AWS": ["111122223333", "*"]}), BY_POLICY),
        (deny_unless(Action=["s3:PutObject"], Resource=["arn:aws:s3:::data", "arn:aws:s3:::data/*"]), BY_POLICY),
        (deny_unless(Action=["s3:PutObject", "s3:PutObjectAcl"]), BY_POLICY),
        (deny_unless(Action="s3:Put*", Resource="*"), BY_POLICY),
        (deny_unless(Action="S3:*", Resource="arn:aws:s3:::da*"), BY_POLICY),
        (deny_unless(Action="*", Resource="arn:aws:s3:::data*"), BY_POLICY),
        (deny_unless("StringEquals", "AES256"), BY_NOTHING),
        (deny_unless("StringNotEqualsIfExists"), BY_POLICY),
        (deny_unless("Null", "false"), BY_NOTHING),
        (deny_unless("Null", ["true", "false"]), BY_POLICY),
        (deny_unless(value=[]), BY_NOTHING),
        (deny_unless(value=["aws:kms", "none"]), BY_POLICY),
        (deny_unless(Condition=TWO_TESTS), BY_NOTHING),
        (deny_unless(Condition=TWO_OPERATORS), BY_NOTHING),
        (deny_unless(Condition={}), BY_POLICY),
        (deny_unless(Condition={"StringNotEquals": {HEADER + "-aws-kms-key-id": "aws:kms"}}), BY_NOTHING),
        (deny_unless(Effect="Allow"), BY_NOTHING),
        (deny_unless(Resource="arn:aws:s3:::data/private/*"), BY_NOTHING),
        (deny_unless(Resource="arn:aws:s3:::data/?"), BY_NOTHING),
        (deny_unless(Resource="arn:aws:s3:::data"), BY_NOTHING),
        (deny_unless(Resource="arn:aws:s3:::data-2/*"), BY_NOTHING),
        (deny_unless(Principal={"AWS": "arn:aws:iam::111122223333:root"}), BY_NOTHING),
        (deny_unless(Principal={"Service": "*"}), "ERROR: s3:GetBucketPolicy failed"),
        (deny_unless("StringNotLike", "aws:kms*"), BY_POLICY),
        (deny_unless(Action=None, NotAction="s3:Get*"), BY_POLICY),
        (deny_unless(Action=None, NotAction="s3:Put*"), BY_NOTHING),
        (deny_unless(Action="s3:PutObjectAcl"), BY_NOTHING),
        (deny_unless(Action="s3:Get*"), BY_NOTHING),
    ],
)  # fmt: skip
def test_extra734_by_policy(audit: Audit, statement: Any, expected: str) -> None:
    for one in (policy(statement), policy({"Effect": "Allow", "Principal": {"AWS": "1"}}, statement)):
        found = run(audit, "extra734", {"GetBucketEncryption": NO_ENCRYPTION, "GetBucketPolicy": one})
        assert found.startswith(expected)


def test_extra734_accepted_algorithms(audit: Audit) -> None:
    plain: dict[str, Stub] = {"GetBucketEncryption": encrypted("AES256"), "GetBucketPolicy": NO_POLICY}
    assert run(audit, "extra734", plain, **KMS_ONLY) == (
        f"FAIL: {HERE}: default encryption is AES256, and no policy statement refuses uploads without one of"
        " aws:kms, aws:kms:dsse"
    )
    enforced = run(audit, "extra734", {**plain, "GetBucketPolicy": policy(deny_unless())}, **KMS_ONLY)
    assert enforced.startswith(f"PASS: {HERE}: default encryption is AES256, but statement Enc")
    for statement in (deny_unless(value="AES256"), deny_unless("Null", "true")):  # either lets AES256 through
        found = run(audit, "extra734", {**plain, "GetBucketPolicy": policy(statement)}, **KMS_ONLY)
        assert found.startswith(f"FAIL: {HERE}: default encryption is AES256")


def test_extra734_by_statements_together(audit: Audit) -> None:
    without = deny_unless("Null", "true", Sid="A")
    other = deny_unless(Sid="B", Condition=TWO_OPERATORS)
    answers: dict[str, Stub] = {"GetBucketEncryption": encrypted("AES256")}
    both = run(audit, "extra734", {**answers, "GetBucketPolicy": policy(without, other)}, **KMS_ONLY)
    assert (
        both
        == f"PASS: {HERE}: default encryption is AES256, but statement A and statement B of its policy refuse other uploads"
    )
    alone = run(audit, "extra734", {**answers, "GetBucketPolicy": policy(other)}, **KMS_ONLY)
    assert alone.startswith(f"FAIL: {HERE}: default encryption is AES256, and no policy statement")


def test_extra734_without_anything(audit: Audit) -> None:
    nothing: dict[str, Stub] = {"GetBucketEncryption": NO_ENCRYPTION, "GetBucketPolicy": NO_POLICY}
    assert run(audit, "extra734", nothing).startswith(BY_NOTHING)
    denied = run(audit, "extra734", {**nothing, "GetBucketPolicy": access_denied("s3", "GetBucketPolicy")})
    assert denied.startswith("ERROR: access denied in eu-west-1: s3:GetBucketPolicy is needed")
    broken = run(audit, "extra734", {**nothing, "GetBucketPolicy": {"Policy": "{"}})
    assert broken.startswith("ERROR: s3:GetBucketPolicy failed in eu-west-1: UnexpectedAnswer: the policy document is")
    unnamed = {**nothing, "GetBucketPolicy": policy(deny_unless(Sid=None))}
    assert "statement number 1 of its policy" in run(audit, "extra734", unnamed)


def test_extra734_in_another_partition(audit: Audit) -> None:
    answers: dict[str, Stub] = {
        "s3:ListBuckets": {"Buckets": [{"Name": "data", "BucketRegion": "cn-north-1"}]},
        "s3:GetBucketEncryption": NO_ENCRYPTION,
        "s3:GetBucketPolicy": policy(deny_unless(Resource="arn:aws-cn:s3:::data/*")),
    }
    found = audit("extra734", answers=answers, live=False, partition="aws-cn", regions=["cn-north-1"])
    assert found["data"].startswith("PASS: bucket data in cn-north-1")
    answers["s3:GetBucketPolicy"] = policy(deny_unless())
    assert audit("extra734", answers=answers, live=False, partition="aws-cn")["data"].startswith("FAIL")


# -- Against moto ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("moto")
def test_settings_against_moto(audit: Audit) -> None:
    """extra718, extra734 and extra763 on the emulator's own answers."""
    for region, name in (("us-east-1", "log-bucket"), ("eu-central-1", "data")):
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
        boto3.client("s3", region).create_bucket(Bucket=name, **place)
    found = {check: audit(check) for check in ("extra718", "extra734", "extra763")}
    assert [{text[:4] for text in one.values()} for one in found.values()] == [{"FAIL"}] * 3
    assert all(set(one) == {"log-bucket", "data"} for one in found.values())
    s3 = boto3.client("s3", "eu-central-1")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="data", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert audit("extra763")["data"] == "PASS: bucket data in eu-central-1: versioning is enabled"
    assert audit("extra734")["data"] == "PASS: bucket data in eu-central-1 encrypts by default with AES256"
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Suspended"})
    assert audit("extra763")["data"].endswith("versioning is suspended")
    east = boto3.client("s3", "us-east-1")
    grants = [
        {
            "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"},
            "Permission": permission,
        }
        for permission in ("WRITE", "READ_ACP")
    ]
    owner = {"ID": east.get_bucket_acl(Bucket="log-bucket")["Owner"]["ID"]}
    east.put_bucket_acl(Bucket="log-bucket", AccessControlPolicy={"Owner": owner, "Grants": grants})
    target = {"LoggingEnabled": {"TargetBucket": "log-bucket", "TargetPrefix": "own/"}}
    east.put_bucket_logging(Bucket="log-bucket", BucketLoggingStatus=target)
    assert audit("extra718")["log-bucket"] == "PASS: bucket log-bucket in us-east-1 logs to log-bucket/own/"
