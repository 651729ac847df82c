"""The checks of tests_extras/test_redshift.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
GROUP = "sg-0123456789abcdef0"
EARLIER, LATER = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 2, tzinfo=UTC)


def cluster(id: str = "dw", **changes: Any) -> dict[str, Any]:
    """A cluster as DescribeClusters gives it; None removes a field."""
    data = {
        "ClusterIdentifier": id,
        "ClusterStatus": "available",
        "Endpoint": {"Address": f"{id}.example.redshift.amazonaws.com", "Port": 5439},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": GROUP, "Status": "active"}],
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def run(audit: Audit, check: str, *clusters: dict[str, Any], **answers: Any) -> dict[str, str]:
    """The check's findings on these clusters; further answers as ``service__Operation``."""
    given = {name.replace("__", ":"): answer for name, answer in answers.items()}
    given = {"redshift:DescribeClusters": {"Clusters": list(clusters)}, **given}
    return audit(check, regions=[REGION], live=False, answers=given)


def groups(cidr: str, port: int = 5439) -> dict[str, Any]:
    """DescribeSecurityGroups: the cluster's group, open to ``cidr``."""
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}
    return {"SecurityGroups": [{"GroupId": GROUP, "IpPermissions": [rule]}]}


@pytest.mark.parametrize("check", ["extra711", "extra721", "extra756"])
def test_without_clusters(audit: Audit, check: str) -> None:
    assert run(audit, check) == {ACCOUNT: f"INFO: no redshift cluster to check in {REGION}"}
    denied = run(audit, check, redshift__DescribeClusters=access_denied("redshift", "DescribeClusters"))
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(
        f"ERROR: access denied in {REGION}: redshift:DescribeClusters is needed"
    )


@pytest.mark.parametrize(
    ("changes", "security_groups", "verdict"),
    [
        ({"PubliclyAccessible": True}, groups("0.0.0.0/0"), f"FAIL: open to the internet through {GROUP}"),
        ({"PubliclyAccessible": True}, groups("::/0"), f"FAIL: open to the internet through {GROUP}"),
        ({"PubliclyAccessible": True}, groups("10.0.0.0/8"), "FAIL: shielded by its security groups"),
        ({"PubliclyAccessible": True, "VpcSecurityGroups": [{"VpcSecurityGroupId": GROUP, "Status": "removing"}]}, groups("0.0.0.0/0"), "FAIL: shielded by its security groups"),
        ({"PubliclyAccessible": True}, groups("0.0.0.0/0", port=22), "FAIL: shielded by its security groups"),
        ({"PubliclyAccessible": True, "ClusterStatus": "paused", "Endpoint": None}, groups("0.0.0.0/0"), "FAIL: no endpoint, is publicly accessible"),
        ({"PubliclyAccessible": True, "ClusterStatus": "creating", "Endpoint": {}}, groups("0.0.0.0/0"), "FAIL: its port is not known yet"),
        ({"PubliclyAccessible": False}, None, "PASS: is not publicly accessible"),
        ({}, None, "PASS: is not publicly accessible"),
    ],
)  # fmt: skip
def test_extra711(audit: Audit, changes: dict[str, Any], security_groups: Any, verdict: str) -> None:
    status, _, telling = verdict.partition(": ")
    found = run(audit, "extra711", cluster(**changes), ec2__DescribeSecurityGroups=security_groups)
    assert found["dw"].startswith(f"{status}: dw in {REGION}")
    assert telling in found["dw"]
    asked = any(operation == "DescribeSecurityGroups" for _, _, operation, _ in audit.backend.calls)
    assert asked == (security_groups is not None and "Endpoint" not in changes and "VpcSecurityGroups" not in changes)


def test_extra711_without_the_note(audit: Audit) -> None:
    refused = access_denied("ec2", "DescribeSecurityGroups")
    found = run(audit, "extra711", cluster(PubliclyAccessible=True), ec2__DescribeSecurityGroups=refused)
    assert found == {"dw": f"FAIL: dw in {REGION}, dw.example.redshift.amazonaws.com:5439, is publicly accessible"}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"PubliclyAccessible": True}, f"FAIL: dw.example.redshift.amazonaws.com:5439, is publicly accessible (security groups: {GROUP})"),
        ({"PubliclyAccessible": True, "ClusterSubnetGroupName": "private"}, "FAIL: is publicly accessible"),
        ({"PubliclyAccessible": True, "VpcSecurityGroups": []}, "FAIL: is publicly accessible (security groups: none)"),
        ({"PubliclyAccessible": True, "VpcSecurityGroups": None}, "FAIL: is publicly accessible (security groups: none)"),
        ({"PubliclyAccessible": True, "ClusterStatus": "paused", "Endpoint": None}, "FAIL: no endpoint, is publicly accessible"),
        ({"PubliclyAccessible": True, "ClusterStatus": "creating", "Endpoint": {}}, "FAIL: no endpoint, is publicly accessible"),
        ({"PubliclyAccessible": False}, "PASS: is not publicly accessible"),
        ({}, "PASS: is not publicly accessible"),
    ],
)  # fmt: skip
def test_extra756(audit: Audit, changes: dict[str, Any], verdict: str) -> None:
    status, _, telling = verdict.partition(": ")
    found = run(audit, "extra756", cluster(**changes))
    assert found["dw"].startswith(f"{status}: dw in {REGION}")
    assert telling in found["dw"]
    assert {operation for _, _, operation, _ in audit.backend.calls} == {"DescribeClusters"}


@pytest.mark.usefixtures("moto")
def test_extra711_and_extra756_in_the_emulator(audit: Audit) -> None:
    redshift = boto3.client("redshift", REGION)
    for id, public in (("open", True), ("closed", False)):
        redshift.create_cluster(ClusterIdentifier=id, NodeType="ra3.xlplus", MasterUsername="root",
                                MasterUserPassword="Not-a-secret-1", PubliclyAccessible=public)  # fmt: skip
    for check in ("extra711", "extra756"):
        statuses = {id: text.partition(":")[0] for id, text in audit(check, regions=[REGION]).items()}
        assert statuses == {"open": "FAIL", "closed": "PASS"}


S3 = {"LoggingEnabled": True, "LogDestinationType": "s3", "BucketName": "logs", "S3KeyPrefix": "dw/"}


@pytest.mark.parametrize(
    ("logging", "verdict"),
    [
        (S3, "PASS: dw in eu-west-1 logs to s3://logs/dw/"),
        ({"LoggingEnabled": True, "BucketName": "old"}, "PASS: dw in eu-west-1 logs to s3://old/"),
        (
            {"LoggingEnabled": True, "LogDestinationType": "cloudwatch", "LogExports": ["connectionlog"]},
            "PASS: dw in eu-west-1 logs to cloudwatch (connectionlog)",
        ),
        ({"LoggingEnabled": False}, "FAIL: dw in eu-west-1 does not log"),
        ({"LoggingEnabled": True, "LogDestinationType": "cloudwatch"}, "PASS: dw in eu-west-1 logs to cloudwatch (no log types)"),
        (
            {**S3, "LastFailureMessage": "denied", "LastFailureTime": LATER, "LastSuccessfulDeliveryTime": LATER},
            "PASS: dw in eu-west-1 logs to s3://logs/dw/",
        ),
        ({**S3, "LastFailureMessage": "denied", "LastSuccessfulDeliveryTime": LATER}, "PASS: dw in eu-west-1 logs to s3://logs/dw/"),
        ({}, "FAIL: dw in eu-west-1 does not log"),
        (
            {**S3, "LastFailureMessage": "denied", "LastFailureTime": LATER, "LastSuccessfulDeliveryTime": EARLIER},
            "FAIL: dw in eu-west-1 logs to s3://logs/dw/, but delivery fails: denied",
        ),
        ({**S3, "LastFailureMessage": "denied", "LastFailureTime": LATER}, "FAIL: dw in eu-west-1 logs to s3://logs/dw/, but"),
        (
            {**S3, "LastFailureMessage": "denied", "LastFailureTime": EARLIER, "LastSuccessfulDeliveryTime": LATER},
            "PASS: dw in eu-west-1 logs to s3://logs/dw/",
        ),
        (
            {**S3, "LastFailureMessage": "", "LastFailureTime": LATER, "LastSuccessfulDeliveryTime": EARLIER},
            "PASS: dw in eu-west-1 logs to s3://logs/dw/",
        ),
    ],
)  # fmt: skip
def test_extra721(audit: Audit, logging: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra721", cluster(), redshift__DescribeLoggingStatus=logging)["dw"].startswith(verdict)


def test_extra721_errors(audit: Audit) -> None:
    def status(params: dict[str, Any]) -> Any:
        errors = {"denied": "AccessDenied", "gone": "ClusterNotFound"}
        code = errors.get(params["ClusterIdentifier"])
        return ApiError("redshift", "DescribeLoggingStatus", code, "") if code else S3

    found = run(
        audit, "extra721", cluster("ok"), cluster("denied"), cluster("gone"), redshift__DescribeLoggingStatus=status
    )
    assert found["ok"].startswith("PASS")
    assert found["denied"].startswith(f"ERROR: access denied in {REGION}: redshift:DescribeLoggingStatus is needed")
    assert found["gone"] == f"INFO: gone in {REGION} was deleted during the audit"


@pytest.mark.usefixtures("moto")
def test_extra721_in_the_emulator(audit: Audit) -> None:
    redshift = boto3.client("redshift", REGION)
    for id in ("silent", "logged"):
        redshift.create_cluster(ClusterIdentifier=id, NodeType="ra3.xlplus", MasterUsername="root",
                                MasterUserPassword="Not-a-secret-1")  # fmt: skip
    redshift.enable_logging(ClusterIdentifier="logged", LogDestinationType="cloudwatch", LogExports=["connectionlog"])
    found = audit("extra721", regions=[REGION])
    assert found["silent"].startswith("FAIL")
    assert found["logged"] == f"PASS: logged in {REGION} logs to cloudwatch (connectionlog)"
