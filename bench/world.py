"""A world of any size in the emulator: security groups, users, buckets, keys and instances, some good, some bad."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any


def regions_named(number: int) -> list[str]:
    """The first regions of the commercial partition that every account has enabled."""
    import boto3

    return sorted(boto3.Session().get_available_regions("ec2"))[-number:]


def build(url: str, resources: int, regions: list[str]) -> None:
    """Fill the emulator behind ``url``: ``resources`` of each kind, regional kinds spread over the regions."""
    import boto3

    def client(service: str, region: str) -> Any:
        return boto3.client(service, region, endpoint_url=url, aws_access_key_id="bench", aws_secret_access_key="bench")

    iam = client("iam", regions[0])
    regional = {region: [client(service, region) for service in ("ec2", "kms", "s3")] for region in regions}

    def one(number: int) -> None:
        region = regions[number % len(regions)]
        ec2, kms, s3 = regional[region]
        group = ec2.create_security_group(GroupName=f"group-{number}", Description="bench")["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpProtocol="tcp",
            FromPort=22,
            ToPort=22,
            CidrIp="0.0.0.0/0" if number % 3 == 0 else "10.0.0.0/8",
        )
        iam.create_user(UserName=f"user-{number:05}")
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=f"bench-bucket-{number:05}", **place)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        if number % 2:
            kms.enable_key_rotation(KeyId=key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(resources)))
