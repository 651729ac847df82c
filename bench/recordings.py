"""Makes recordings of accounts of any size, so that the engine can be measured without an emulator's own cost."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fixtures.recording.reader import AccountFacts
from fixtures.recording.writer import Recorder, join, part_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def security_group(number: int, account: str) -> dict[str, Any]:
    """A security group as DescribeSecurityGroups gives it; every third is open on port 22, every second has rules."""
    source = "0.0.0.0/0" if number % 3 == 0 else f"10.{number % 250}.0.0/16"
    rule = {
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": source}],
        "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [],
    }  # fmt: skip
    return {
        "GroupId": f"sg-{number:017x}",
        "GroupName": "default",
        "Description": "default VPC security group",
        "VpcId": f"vpc-{number:017x}",
        "OwnerId": account,
        "IpPermissions": [rule] if number % 2 else [],
        "IpPermissionsEgress": [],
        "Tags": [{"Key": "Name", "Value": f"group {number}"}],
    }


def write(path: Path, groups: int, accounts: Iterable[str], regions: list[str]) -> None:
    """Write a recording in which each account has ``groups`` security groups, spread over the regions."""
    ids = list(accounts)
    recorder = Recorder(part_of(path, "bench"))
    for id in ids:
        for place, region in enumerate(regions):
            answer = {"SecurityGroups": [security_group(n, id) for n in range(place, groups, len(regions))]}
            recorder.answer(id, region, "ec2", "DescribeSecurityGroups", {}, answer)
    recorder.close()
    facts: list[AccountFacts] = [
        AccountFacts(
            id=id, partition="aws", regions=regions, home_region=regions[0], global_region="us-east-1"
        )
        for id in ids
    ]  # fmt: skip
    join(path, suite="bench", now=NOW, accounts=facts)


def main() -> None:
    """Command line: write a recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--groups", type=int, default=1000, help="security groups per account")
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--regions", default="us-east-1")
    arguments = parser.parse_args()
    ids = [f"{100000000000 + number}" for number in range(arguments.accounts)]
    write(arguments.path, arguments.groups, ids, arguments.regions.split(","))


if __name__ == "__main__":
    main()
