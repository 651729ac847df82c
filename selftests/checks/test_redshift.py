"""The checks of tests_extras/test_redshift.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from selftests.checks_harness import (
    REGION,
    Answers,
    Outcome,
    case,
    cases,
    changed,
    failed,
    failing_calls,
    several,
    verdicts,
)
from selftests.conftest import ACCOUNT, Audit

GROUP = "sg-0123456789abcdef0"
ARN = f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:dw"
DW = f"dw in {REGION}"
AT = f"{DW}, dw.example.redshift.amazonaws.com:5439, is"
NOWHERE = f"{DW}, no endpoint, is publicly accessible"


def cluster(**members: Any) -> Answers:
    """A private cluster with these members changed; None removes one."""
    available = {
        "ClusterIdentifier": "dw",
        "ClusterStatus": "available",
        "PubliclyAccessible": False,
        "Endpoint": {"Address": "dw.example.redshift.amazonaws.com", "Port": 5439},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": GROUP, "Status": "active"}],
    }
    return {"redshift:DescribeClusters": {"Clusters": [changed(available, **members)]}}


def public(cidr: str = "", port: int = 5439, **members: Any) -> Answers:
    """A public cluster, and with ``cidr`` its group, which lets it in at the port."""
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}
    group: Answers = {"ec2:DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": GROUP, "IpPermissions": [rule]}]}}
    return {**cluster(PubliclyAccessible=True, **members), **(group if cidr else {})}


def in_vpc(mode: str, *excluded: str, **members: Any) -> Answers:
    """A public, open cluster in a VPC with VPC Block Public Access in this mode, but for the excluded ids."""
    exclusions = [
        {"ResourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:{id.partition('-')[0]}/{id}", "State": "create-complete"}
        for id in excluded
    ]
    subnets = [{"SubnetId": id, "VpcId": vpc} for id, vpc in (("subnet-1", "vpc-1"), ("subnet-2", "vpc-2"))]
    return {
        **public("0.0.0.0/0", VpcId="vpc-1", **members),
        "ec2:DescribeVpcBlockPublicAccessOptions": {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode}},
        "ec2:DescribeVpcBlockPublicAccessExclusions": {"VpcBlockPublicAccessExclusions": exclusions},
        "ec2:DescribeSubnets": {"Subnets": subnets},
    }


def logging(**members: Any) -> Answers:
    """A cluster that logs to a bucket, with these members of DescribeLoggingStatus changed."""
    s3 = {"LoggingEnabled": True, "LogDestinationType": "s3", "BucketName": "logs", "S3KeyPrefix": "dw/"}
    return {**cluster(), "redshift:DescribeLoggingStatus": changed(s3, **members)}


def of_every_cluster(params: dict[str, Any]) -> Any:
    """DescribeLoggingStatus, which fails for two clusters."""
    codes = {"denied": "AccessDenied", "gone": "ClusterNotFound"}
    code = codes.get(params["ClusterIdentifier"])
    return failed(code) if code else {"LoggingEnabled": True, "BucketName": "logs"}


THREE: Answers = {
    "redshift:DescribeClusters": {"Clusters": [{"ClusterIdentifier": id} for id in ("ok", "denied", "gone")]},
    "redshift:DescribeLoggingStatus": of_every_cluster,
}
REMOVING = [{"VpcSecurityGroupId": GROUP, "Status": "removing"}]
EARLIER, LATER = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 2, tzinfo=UTC)
DENIED = {"LastFailureMessage": "denied"}
TO_S3 = f"{DW} logs to s3://logs/dw/"
CLOUDWATCH = {"LogDestinationType": "cloudwatch", "BucketName": None, "S3KeyPrefix": None}
OF_EVERY_CHECK = (
    case("no clusters", {"redshift:DescribeClusters": {"Clusters": []}}, "INFO", f"no redshift cluster to check in {REGION}", resource=ACCOUNT),
)  # fmt: skip

PUBLIC = cases(
    "extra711", ARN,
    case("open to the internet", public("0.0.0.0/0"), "FAIL", f"{AT} publicly accessible (open to the internet through {GROUP})"),
    case("open to the internet by IPv6", public("::/0"), "FAIL", f"open to the internet through {GROUP}"),
    case("open to a private network", public("10.0.0.0/8"), "FAIL", "shielded by its security groups"),
    case("the open group is being removed", public(VpcSecurityGroups=REMOVING), "FAIL", "shielded by its security groups"),
    case("open at another port", public("0.0.0.0/0", port=22), "FAIL", "shielded by its security groups"),
    case("paused", public(ClusterStatus="paused", Endpoint=None), "FAIL", NOWHERE),
    case("being created", public(ClusterStatus="creating", Endpoint={}), "FAIL", "its port is not known yet"),
    case("refused by VPC Block Public Access", in_vpc("block-ingress"), "FAIL", f"through {GROUP}; VPC Block Public Access (block-ingress) refuses what the internet sends)"),
    case("another VPC is excluded", in_vpc("block-ingress", "vpc-2", "subnet-2"), "FAIL", "refuses what the internet sends)"),
    case("its VPC is excluded", in_vpc("block-ingress", "vpc-1"), "FAIL", f"(open to the internet through {GROUP})"),
    case("a subnet of its VPC is excluded", in_vpc("block-ingress", "subnet-1"), "FAIL", f"(open to the internet through {GROUP})"),
    case("VPC Block Public Access is off", in_vpc("off"), "FAIL", f"(open to the internet through {GROUP})"),
    case("private", cluster(), "PASS", f"{AT} not publicly accessible"),
    case("not said", cluster(PubliclyAccessible=None), "PASS", f"{AT} not publicly accessible"),
    *OF_EVERY_CHECK,
    outcomes=dict.fromkeys(
        (
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcBlockPublicAccessExclusions",
            "ec2:DescribeVpcBlockPublicAccessOptions",
        ),
        Outcome("FAIL", f"{AT} publicly accessible", "a public cluster fails whatever shields it: that only adds a note"),
    ),
)  # fmt: skip

ADDRESS = cases(
    "extra756", ARN,
    case("public", public(), "FAIL", f"{AT} publicly accessible (security groups: {GROUP})"),
    case("public in a private subnet", public(ClusterSubnetGroupName="private"), "FAIL", "is publicly accessible"),
    case("no groups", public(VpcSecurityGroups=[]), "FAIL", "is publicly accessible (security groups: none)"),
    case("groups not said", public(VpcSecurityGroups=None), "FAIL", "is publicly accessible (security groups: none)"),
    case("paused", public(ClusterStatus="paused", Endpoint=None), "FAIL", NOWHERE),
    case("being created", public(ClusterStatus="creating", Endpoint={}), "FAIL", NOWHERE),
    case("private", cluster(), "PASS", f"{DW} is not publicly accessible"),
    case("not said", cluster(PubliclyAccessible=None), "PASS", f"{DW} is not publicly accessible"),
    *OF_EVERY_CHECK,
)  # fmt: skip

LOGS = cases(
    "extra721", ARN,
    case("to S3", logging(), "PASS", TO_S3),
    case("to S3, of old", logging(LogDestinationType=None, S3KeyPrefix=None), "PASS", f"{DW} logs to s3://logs/"),
    case("to CloudWatch", logging(**CLOUDWATCH, LogExports=["connectionlog"]), "PASS", f"{DW} logs to cloudwatch (connectionlog)"),
    case("to CloudWatch, no types", logging(**CLOUDWATCH), "PASS", f"{DW} logs to cloudwatch (no log types)"),
    case("off", {**cluster(), "redshift:DescribeLoggingStatus": {"LoggingEnabled": False}}, "FAIL", f"{DW} does not log"),
    case("not said", {**cluster(), "redshift:DescribeLoggingStatus": {}}, "FAIL", f"{DW} does not log"),
    case("failed, then delivered", logging(**DENIED, LastFailureTime=LATER, LastSuccessfulDeliveryTime=LATER), "PASS", TO_S3),
    case("failed some time, then delivered", logging(**DENIED, LastSuccessfulDeliveryTime=LATER), "PASS", TO_S3),
    case("delivered, then failed", logging(**DENIED, LastFailureTime=LATER, LastSuccessfulDeliveryTime=EARLIER), "FAIL", f"{TO_S3}, but delivery fails: denied"),
    case("failed, never delivered", logging(**DENIED, LastFailureTime=LATER), "FAIL", f"{TO_S3}, but delivery fails: denied"),
    case("failed without a message", logging(LastFailureMessage="", LastFailureTime=LATER, LastSuccessfulDeliveryTime=EARLIER), "PASS", TO_S3),
    several("each cluster by itself", THREE, {
        "ok": ("PASS", f"ok in {REGION} logs to s3://logs/"),
        "denied": ("ERROR", f"access denied in {REGION}: redshift:DescribeLoggingStatus is needed"),
        "gone": ("INFO", f"gone in {REGION} was deleted during the audit"),
    }),
    *OF_EVERY_CHECK,
)  # fmt: skip

test_verdicts = verdicts(PUBLIC, ADDRESS, LOGS)
test_failing_calls = failing_calls(PUBLIC, ADDRESS, LOGS)


@pytest.mark.usefixtures("moto")
def test_emulated_clusters(audit: Audit) -> None:
    redshift = boto3.client("redshift", REGION)
    for id, open in (("open", True), ("closed", False)):
        redshift.create_cluster(ClusterIdentifier=id, NodeType="ra3.xlplus", MasterUsername="root",
                                MasterUserPassword="Not-a-secret-1", PubliclyAccessible=open)  # fmt: skip
    redshift.enable_logging(ClusterIdentifier="closed", LogDestinationType="cloudwatch", LogExports=["connectionlog"])
    for check in ("extra711", "extra756", "extra721"):
        statuses = {id: text.partition(":")[0] for id, text in audit(check, regions=[REGION]).items()}
        assert statuses == {"open": "FAIL", "closed": "PASS"}, check
