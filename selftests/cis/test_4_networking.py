"""The checks of tests_cis/test_4_networking.py."""

from __future__ import annotations

import boto3
import pytest

from selftests.conftest import ACCOUNT, Audit, access_denied

EC2 = "eu-west-1"


@pytest.mark.usefixtures("moto")
def test_check43(audit: Audit) -> None:
    ec2 = boto3.client("ec2", EC2)
    for vpc in ec2.describe_vpcs()["Vpcs"]:  # moto's default VPC
        group = ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"][0]
    ec2.create_security_group(GroupName="other", Description="open, but not the default one", VpcId=vpc["VpcId"])

    fresh = audit("check43", regions=[EC2])
    assert list(fresh) == [group["GroupId"]]
    assert fresh[group["GroupId"]].startswith(
        f"FAIL: {group['GroupId']} of {vpc['VpcId']} in {EC2} has 0 inbound and 1 outbound"
    )

    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    assert audit("check43", regions=[EC2])[group["GroupId"]].startswith("PASS: ")

    denied = audit(
        "check43", answers={"ec2:DescribeSecurityGroups": access_denied("ec2", "DescribeSecurityGroups")}, regions=[EC2]
    )
    assert denied == {
        f"{ACCOUNT} {EC2}": f"ERROR: access denied in {EC2}: ec2:DescribeSecurityGroups is needed (ec2:DescribeSecurityGroups, AccessDenied)"
    }
    none = audit("check43", answers={"ec2:DescribeSecurityGroups": {"SecurityGroups": []}})
    assert none == {ACCOUNT: "INFO: no default security group to check in us-east-1, eu-west-1"}
