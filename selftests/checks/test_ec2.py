"""The checks of tests_extras/test_ec2.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.checks.test_cis_4_networking import unauthorized
from selftests.conftest import ACCOUNT, Audit, Stub

HERE = "eu-west-1"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVERYONE, EVERYONE6 = "0.0.0.0/0", "::/0"


def vpc_block(
    mode: str, *exclusions: tuple[str, str, str], state: str = "update-complete", **subnet: Any
) -> dict[str, Stub]:
    """VPC Block Public Access in a mode, with exclusions (ARN, mode, state), and what DescribeSubnets says of subnet-1."""
    found = [
        {"ResourceArn": arn, "InternetGatewayExclusionMode": how, "State": when, "ExclusionId": "vpcbpa-exclude-1"}
        for arn, how, when in exclusions
    ]
    one = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "OwnerId": ACCOUNT, **subnet}
    return {
        "ec2:DescribeVpcBlockPublicAccessOptions": {
            "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode, "State": state}
        },
        "ec2:DescribeVpcBlockPublicAccessExclusions": {"VpcBlockPublicAccessExclusions": found},
        "ec2:DescribeSubnets": {"Subnets": [one, {**one, "SubnetId": "subnet-2"}]},
    }


def run(audit: Audit, check: str, answers: dict[str, Stub], **settings: Any) -> dict[str, str]:
    return audit(check, answers={**vpc_block("off"), **answers}, live=False, regions=[HERE], now=NOW, **settings)


# -- instances


def instance(id: str = "i-1", state: str = "running", days: float = 0, **more: Any) -> dict[str, Any]:
    """An instance as EC2 describes it, started ``days`` ago."""
    return {"InstanceId": id, "State": {"Name": state}, "LaunchTime": NOW - timedelta(days=days), **more}


def instances(*found: dict[str, Any]) -> dict[str, Stub]:
    return {"ec2:DescribeInstances": {"Reservations": [{"OwnerId": ACCOUNT, "Instances": list(found)}]}}


OF_INSTANCES = ["extra757", "extra758", "extra770", "extra710", "extra786"]


@pytest.mark.parametrize("check", OF_INSTANCES)
def test_no_instance_and_no_permission(audit: Audit, check: str) -> None:
    nothing = {ACCOUNT: f"INFO: no instance to check in {HERE}"}
    assert run(audit, check, {"ec2:DescribeInstances": {"Reservations": []}}) == nothing
    ended = [instance("i-1", "terminated", 500, PublicIpAddress="9.9.9.9"), instance("i-2", "shutting-down", 500)]
    assert run(audit, check, instances(*ended)) == nothing
    denied = run(audit, check, {"ec2:DescribeInstances": unauthorized("DescribeInstances")})
    assert denied[f"{ACCOUNT} {HERE}"].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeInstances is needed")


@pytest.mark.parametrize(("check", "limit", "word"), [("extra757", 180, "short"), ("extra758", 365, "long")])
def test_extra757_and_extra758(audit: Audit, check: str, limit: int, word: str) -> None:
    cases = [
        ("running", limit, "PASS"), ("running", limit + 0.9, "PASS"), ("running", limit + 1, "FAIL"),
        ("running", 0, "PASS"), ("pending", limit + 1, "FAIL"), ("stopped", limit + 100, "INFO"),
        ("stopping", 0, "INFO"),
    ]  # fmt: skip
    for state, days, status in cases:
        found = run(audit, check, instances(instance(state=state, days=days)))["i-1"]
        when = f"{NOW - timedelta(days=days):%Y-%m-%d}"
        assert found.startswith(f"{status}: i-1 ({state}) in {HERE} was launched on {when}, {int(days)} days ago")
        assert status == "INFO" or found.endswith(f"the limit is {limit}")
    eleven = run(audit, check, instances(instance(days=11)), **{f"ec2_instance_age_days_{word}": 10})
    assert eleven["i-1"].startswith("FAIL")
    assert eleven["i-1"].endswith("the limit is 10")


def card(*addresses: str, public: str = "", second: str = "", subnet: str = "subnet-1") -> dict[str, Any]:
    """An interface of an instance: IPv6 addresses, a public IPv4 address, one on a secondary private address."""
    return {
        "SubnetId": subnet,
        "VpcId": "vpc-1",
        "Ipv6Addresses": [{"Ipv6Address": address} for address in addresses],
        "PrivateIpAddresses": [{"Primary": True}, {"Association": {"PublicIp": second}} if second else {}],
        **({"Association": {"PublicIp": public}} if public else {}),
    }


def table(gateway: str, association: dict[str, Any], state: str = "active") -> dict[str, Any]:
    key = "EgressOnlyInternetGatewayId" if gateway.startswith("eigw-") else "GatewayId"
    route = {"DestinationIpv6CidrBlock": EVERYONE6, key: gateway, "State": state}
    return {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [route], "Associations": [association]}


OWN, MAIN = {"SubnetId": "subnet-1", "Main": False}, {"Main": True}
IPV4_ONLY = {"DestinationCidrBlock": EVERYONE, "GatewayId": "igw-1", "State": "active"}
IPV6 = "2600:1f18::1"
PROFILE: dict[str, Any] = {"IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web"}}


@pytest.mark.parametrize(
    ("data", "tables", "address"),
    [
        (instance(), [], ""),
        (instance(NetworkInterfaces=[card()]), [], ""),
        (instance(PublicIpAddress="9.9.9.9"), [], "9.9.9.9"),
        (instance(NetworkInterfaces=[card(), card(public="9.9.9.8")]), [], "9.9.9.8"),
        (instance(NetworkInterfaces=[card(second="9.9.9.7")]), [], "9.9.9.7"),
        (instance(state="stopped", NetworkInterfaces=[card(public="9.9.9.6")]), [], "9.9.9.6"),
        (instance(NetworkInterfaces=[card(IPV6)]), [table("igw-1", OWN)], IPV6),
        (instance(NetworkInterfaces=[card(IPV6)]), [table("eigw-1", OWN), table("igw-1", MAIN)], ""),
        (instance(NetworkInterfaces=[card(IPV6)]), [table("igw-1", MAIN)], IPV6),
        (instance(NetworkInterfaces=[card(IPV6)]), [table("igw-1", OWN, "blackhole")], ""),
        (instance(NetworkInterfaces=[card(IPV6)]), [{**table("", OWN), "Routes": [IPV4_ONLY]}], ""),
        (instance(NetworkInterfaces=[card("fd00::1")]), [table("igw-1", OWN)], ""),
        (instance(NetworkInterfaces=[card(IPV6, public="9.9.9.5")]), [table("igw-1", OWN)], f"9.9.9.5, {IPV6}"),
    ],
)
def test_extra710_and_extra770(audit: Audit, data: dict[str, Any], tables: list[dict[str, Any]], address: str) -> None:
    routes: dict[str, Stub] = {"ec2:DescribeRouteTables": {"RouteTables": tables}}
    where = f"i-1 ({data['State']['Name']}) in {HERE}"
    expected = (
        f"FAIL: {where} has the public addresses {address}" if address else f"PASS: {where} has no public address"
    )
    assert run(audit, "extra710", {**instances(data), **routes}) == {"i-1": expected}
    profile = {**instances({**data, **PROFILE}), **routes}
    added = f" and the profile {PROFILE['IamInstanceProfile']['Arn']}" if address else ""
    assert run(audit, "extra770", profile) == {"i-1": expected + added}
    without = run(audit, "extra770", {**instances(data), **routes})
    assert without == {"i-1": f"PASS: {where} has no instance profile"}


@pytest.mark.parametrize("check", ["extra710", "extra770"])
def test_unreadable_route_tables(audit: Audit, check: str) -> None:
    both = instance("i-both", NetworkInterfaces=[card(IPV6, public="9.9.9.9")], **PROFILE)
    six = instance("i-six", NetworkInterfaces=[card(IPV6)], **PROFILE)
    private = instance("i-private", NetworkInterfaces=[card()], **PROFILE)
    refused: dict[str, Stub] = {"ec2:DescribeRouteTables": unauthorized("DescribeRouteTables")}
    found = run(audit, check, {**instances(both, six, private), **refused})
    assert found["i-both"].startswith(f"FAIL: i-both (running) in {HERE} has the public addresses 9.9.9.9")
    assert found["i-six"].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeRouteTables is needed")
    assert found["i-private"].startswith("PASS")


WHOLE_VPC, ONE_SUBNET = f"arn:aws:ec2:{HERE}:{ACCOUNT}:vpc/vpc-1", f"arn:aws:ec2:{HERE}:{ACCOUNT}:subnet/subnet-1"
BOTH_WAYS, OUT = "allow-bidirectional", "allow-egress"
REFUSED = "PASS: {}, but VPC Block Public Access (block-bidirectional) refuses what the internet sends"


@pytest.mark.parametrize("check", ["extra710", "extra770"])
@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (vpc_block("block-bidirectional"), REFUSED),
        (vpc_block("block-ingress"), REFUSED.replace("bidirectional", "ingress")),
        (vpc_block("off"), "FAIL: {}"),
        ({"ec2:DescribeVpcBlockPublicAccessOptions": {}}, "FAIL: {}"),
        (vpc_block("block-ingress", state="update-in-progress"), "FAIL: {}"),
        (vpc_block("block-ingress", state="default-state"), REFUSED.replace("bidirectional", "ingress")),
        (vpc_block("block-bidirectional", (WHOLE_VPC, BOTH_WAYS, "create-complete")), "FAIL: {}"),
        (vpc_block("block-bidirectional", (ONE_SUBNET, BOTH_WAYS, "create-complete")), "FAIL: {}"),
        (vpc_block("block-bidirectional", (ONE_SUBNET, BOTH_WAYS, "create-in-progress")), "FAIL: {}"),
        (vpc_block("block-bidirectional", (ONE_SUBNET, OUT, "update-in-progress")), "FAIL: {}"),
        (vpc_block("block-bidirectional", (ONE_SUBNET, OUT, "update-complete")), REFUSED),
        (vpc_block("block-bidirectional", (ONE_SUBNET, BOTH_WAYS, "delete-complete")), REFUSED),
        (vpc_block("block-bidirectional", (ONE_SUBNET, BOTH_WAYS, "disable-complete")), REFUSED),
        (vpc_block("block-bidirectional", (ONE_SUBNET.replace("subnet-1", "subnet-2"), BOTH_WAYS, "create-complete")), REFUSED),
        (vpc_block("block-bidirectional", OwnerId="111111111111"), "FAIL: {}"),
        (vpc_block("block-bidirectional", BlockPublicAccessStates={"InternetGatewayBlockMode": "off"}), "FAIL: {}"),
        (vpc_block("block-bidirectional", SubnetId="subnet-3"), "FAIL: {}"),
        (vpc_block(Undocumented("block-all")), "FAIL: {}; whether VPC Block Public Access refuses it cannot be read: "),
    ],
)  # fmt: skip
def test_vpc_block_public_access(audit: Audit, check: str, block: dict[str, Stub], expected: str) -> None:
    """Source: Amazon VPC User Guide, "Block public access to VPCs and subnets"."""
    public = instance(NetworkInterfaces=[card(public="9.9.9.9")], VpcId="vpc-1", SubnetId="subnet-1", **PROFILE)
    found = run(audit, check, {**instances(public), "ec2:DescribeRouteTables": {"RouteTables": []}, **block})["i-1"]
    profile = f" and the profile {PROFILE['IamInstanceProfile']['Arn']}" if check == "extra770" else ""
    wanted = expected.format(f"i-1 (running) in {HERE} has the public addresses 9.9.9.9{profile}")
    assert found.startswith(wanted)
    assert len(found) == len(wanted) or wanted.endswith(": ")


@pytest.mark.parametrize("check", ["extra710", "extra770"])
def test_vpc_block_public_access_of_some_subnets_and_unread(audit: Audit, check: str) -> None:
    cards = [card(public="9.9.9.9"), card(public="9.9.9.8", subnet="subnet-2"), card(subnet="subnet-3")]
    two = instances(instance(NetworkInterfaces=cards, VpcId="vpc-1", SubnetId="subnet-1", **PROFILE))
    excluded = vpc_block("block-ingress", (ONE_SUBNET, BOTH_WAYS, "create-complete"))
    assert run(audit, check, {**two, **vpc_block("block-ingress")})["i-1"].startswith("PASS")
    assert run(audit, check, {**two, **excluded})["i-1"].startswith("FAIL")
    for operation in ("Options", "Exclusions"):
        refused: dict[str, Stub] = {
            f"ec2:DescribeVpcBlockPublicAccess{operation}": unauthorized(f"DescribeVpcBlockPublicAccess{operation}")
        }
        found = run(audit, check, {**two, **vpc_block("block-ingress"), **refused})["i-1"]
        assert found.startswith(f"FAIL: i-1 (running) in {HERE} has the public addresses 9.9.9.9, 9.9.9.8")
        assert (
            f"cannot be read: access denied in {HERE}: ec2:DescribeVpcBlockPublicAccess{operation} is needed" in found
        )


@pytest.mark.parametrize(
    ("routes", "entries", "status"),
    [
        ([{"DestinationIpv6CidrBlock": "2000::/3", "GatewayId": "igw-1"}], [], "FAIL"),
        ([{"DestinationIpv6CidrBlock": "::/1", "GatewayId": "igw-1"}], [], "FAIL"),
        ([{"DestinationIpv6CidrBlock": half, "GatewayId": "igw-1"} for half in ("2000::/4", "3000::/4")], [], "FAIL"),
        ([{"DestinationIpv6CidrBlock": "2000::/4", "GatewayId": "igw-1"}], [], "PASS"),
        ([{"DestinationIpv6CidrBlock": "8000::/1", "GatewayId": "igw-1"}], [], "PASS"),
        ([{"DestinationIpv6CidrBlock": "2000::/3", "GatewayId": "igw-1", "State": "blackhole"}], [], "PASS"),
        ([{"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1"}], ["2000::/3"], "FAIL"),
        ([{"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1"}], ["2600::/12"], "PASS"),
        ([{"DestinationPrefixListId": "pl-1", "GatewayId": "vgw-1"}], ["2000::/3"], "PASS"),
    ],
)
def test_routes_to_everyone(audit: Audit, routes: list[dict[str, Any]], entries: list[str], status: str) -> None:
    """An IPv6 address is reachable where routes over an internet gateway, put together, lead to everyone."""
    answers: dict[str, Stub] = {
        "ec2:DescribeRouteTables": {"RouteTables": [{"VpcId": "vpc-1", "Routes": routes, "Associations": [OWN]}]},
        "ec2:GetManagedPrefixListEntries": {"Entries": [{"Cidr": one} for one in entries]},
    }
    for check in ("extra710", "extra770"):
        found = run(audit, check, {**instances(instance(NetworkInterfaces=[card(IPV6)], **PROFILE)), **answers})["i-1"]
        assert found.startswith(f"{status}: i-1 (running) in {HERE} has {'the' if status == 'FAIL' else 'no'} public")


MANAGED: dict[str, Any] = {"Operator": {"Managed": True, "Principal": "eks.amazonaws.com", "HiddenByDefault": True}}


def test_managed_resources_are_seen_and_say_who_manages_them(audit: Audit) -> None:
    """AWS lists them only when asked for: Amazon EC2 API reference, IncludeManagedResources."""
    node = instance("i-node", days=700, NetworkInterfaces=[card(public="9.9.9.9")], **PROFILE, **MANAGED)
    volume = {"VolumeId": "vol-node", "Encrypted": False, "State": "in-use", **MANAGED}

    def described(params: dict[str, Any]) -> dict[str, Any]:
        listed = [node] if params.get("IncludeManagedResources") else []
        return {"Reservations": [{"OwnerId": ACCOUNT, "Instances": listed}]}

    hidden: dict[str, Stub] = {
        "ec2:DescribeInstances": described,
        "ec2:DescribeRouteTables": {"RouteTables": []},
        "ec2:DescribeVolumes": lambda p: {"Volumes": [volume] if p.get("IncludeManagedResources") else []},
    }
    for check in OF_INSTANCES:
        found = run(audit, check, hidden)
        assert list(found) == ["i-node"], check
        assert found["i-node"].startswith(f"FAIL: i-node (running, managed by eks.amazonaws.com) in {HERE}")
    assert run(audit, "extra729", hidden) == {
        "vol-node": f"FAIL: vol-node (in-use, on no instance, managed by eks.amazonaws.com) in {HERE} is not encrypted"
    }


def test_extra710_names_the_public_host(audit: Audit) -> None:
    named = instance("i-2", PublicIpAddress="9.9.9.9", PublicDnsName="ec2-9-9-9-9.example")
    found = run(audit, "extra710", instances(instance(), named))
    assert found["i-1"].startswith("PASS")
    assert found["i-2"].endswith("has the public addresses 9.9.9.9 (ec2-9-9-9-9.example)")


@pytest.mark.parametrize(
    ("options", "state", "expected"),
    [
        ({"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1}, "running", "PASS enabled, HttpTokens required, HttpPutResponseHopLimit 1"),
        ({"HttpEndpoint": "enabled", "HttpTokens": "optional", "HttpPutResponseHopLimit": 2}, "running", "FAIL enabled, HttpTokens optional, HttpPutResponseHopLimit 2"),
        ({"HttpEndpoint": "disabled", "HttpTokens": "optional"}, "running", "PASS disabled, HttpTokens optional"),
        (None, "running", "FAIL not given, HttpTokens not given"),
        ({"HttpTokens": "required"}, "running", "PASS not given, HttpTokens required"),
        ({"HttpEndpoint": "enabled", "HttpTokens": "optional"}, "stopped", "FAIL enabled, HttpTokens optional"),
    ],
)  # fmt: skip
def test_extra786(audit: Audit, options: dict[str, Any] | None, state: str, expected: str) -> None:
    more: dict[str, Any] = {} if options is None else {"MetadataOptions": options}
    status, _, shown = expected.partition(" ")
    found = run(audit, "extra786", instances(instance(state=state, **more)))["i-1"]
    assert found.startswith(f"{status}: i-1 ({state}) in {HERE}: HttpEndpoint {shown}")


# -- default encryption


def test_extra761(audit: Audit) -> None:
    """A setting of each region, whether it has volumes or not."""
    name = "ec2:GetEbsEncryptionByDefault"
    answers: dict[str, Stub] = {
        f"{name}@us-east-1": {"EbsEncryptionByDefault": True},
        f"{name}@eu-west-1": {"EbsEncryptionByDefault": False},
    }
    found = audit("extra761", answers=answers, live=False)
    assert sorted(found.values()) == [
        "FAIL: default encryption is off in eu-west-1",
        "PASS: default encryption is on in us-east-1",
    ]
    assert all(key.startswith(ACCOUNT) for key in found)
    assert {call[2] for call in audit.backend.calls} == {"GetEbsEncryptionByDefault"}
    denied = run(audit, "extra761", {name: ApiError("ec2", "GetEbsEncryptionByDefault", "UnauthorizedOperation", "no")})
    assert denied[ACCOUNT].startswith(f"ERROR: access denied in {HERE}: ec2:GetEbsEncryptionByDefault is needed")


@pytest.mark.usefixtures("moto")
def test_extra761_against_moto(audit: Audit) -> None:
    boto3.client("ec2", HERE).enable_ebs_encryption_by_default()
    assert audit("extra761", regions=[HERE]) == {ACCOUNT: f"PASS: default encryption is on in {HERE}"}


# -- volumes, snapshots, images


LISTED = {
    "extra72": ("DescribeSnapshots", "Snapshots", "snapshot"),
    "extra729": ("DescribeVolumes", "Volumes", "volume"),
    "extra740": ("DescribeSnapshots", "Snapshots", "snapshot"),
    "extra76": ("DescribeImages", "Images", "image"),
}


@pytest.mark.parametrize("check", LISTED)
def test_nothing_stored_and_no_permission(audit: Audit, check: str) -> None:
    operation, key, word = LISTED[check]
    assert run(audit, check, {f"ec2:{operation}": {key: []}}) == {ACCOUNT: f"INFO: no {word} to check in {HERE}"}
    # Only the account's own are asked for, so those of others are no matter.
    owners = {"extra729": {"IncludeManagedResources": True}, "extra76": {"Owners": ["self"]}}.get(
        check, {"OwnerIds": ["self"]}
    )
    assert [call[3] for call in audit.backend.calls] == [owners]
    denied = run(audit, check, {f"ec2:{operation}": unauthorized(operation)})
    assert denied[f"{ACCOUNT} {HERE}"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")


def snapshots(*found: tuple[str, bool | None]) -> dict[str, Stub]:
    """Snapshots by id and whether they are encrypted (None: AWS does not say)."""
    listed = [
        {
            "SnapshotId": id,
            "VolumeId": "vol-1",
            "StartTime": NOW,
            **({} if encrypted is None else {"Encrypted": encrypted}),
        }
        for id, encrypted in found
    ]
    return {"ec2:DescribeSnapshots": {"Snapshots": listed}}


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([], "PASS: snap-1 of vol-1 in eu-west-1 is not public; it is shared with 0 accounts"),
        ([{"Group": "all"}], "FAIL: snap-1 of vol-1 in eu-west-1 is public"),
        (
            [{"UserId": "111111111111"}],
            "PASS: snap-1 of vol-1 in eu-west-1 is not public; it is shared with 1 accounts",
        ),
        ([{"Group": "all"}, {"UserId": "111111111111"}], "FAIL: snap-1 of vol-1 in eu-west-1 is public"),
    ],
)
def test_extra72(audit: Audit, permissions: list[dict[str, str]], expected: str) -> None:
    answers = {
        **snapshots(("snap-1", False)),
        "ec2:DescribeSnapshotAttribute": {"CreateVolumePermissions": permissions},
        "ec2:GetSnapshotBlockPublicAccessState": {"State": "unblocked"},
    }
    assert run(audit, "extra72", answers) == {"snap-1": expected}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"State": "block-all-sharing"}, "PASS: {} is shared with everyone, but block-all-sharing in eu-west-1 keeps it private; without the block, it is public again"),
        ({"State": "block-new-sharing"}, "FAIL: {} is public"),
        ({"State": "unblocked"}, "FAIL: {} is public"),
        ({}, "FAIL: {} is public"),
        ({"State": Undocumented("block-some")}, "FAIL: {} is public; the state of the block of public sharing, block-some, is not known"),
        (unauthorized("GetSnapshotBlockPublicAccessState"), "FAIL: {} is public; whether public sharing is blocked cannot be read: "),
    ],
)  # fmt: skip
def test_extra72_and_the_block_of_public_sharing(audit: Audit, state: Stub, expected: str) -> None:
    answers = {
        **snapshots(("snap-1", False), ("snap-2", None)),
        "ec2:DescribeSnapshotAttribute": {"CreateVolumePermissions": [{"Group": "all"}]},
        "ec2:GetSnapshotBlockPublicAccessState": state,
    }
    found = run(audit, "extra72", answers)
    assert found["snap-1"].startswith(expected.format(f"snap-1 of vol-1 in {HERE}"))
    assert found["snap-1"][:4] == found["snap-2"][:4]
    assert [call[2] for call in audit.backend.calls].count("GetSnapshotBlockPublicAccessState") == 1


def test_extra72_calls_and_errors(audit: Audit) -> None:
    attribute = "ec2:DescribeSnapshotAttribute"
    sealed = run(audit, "extra72", snapshots(("snap-1", True)))
    assert sealed["snap-1"].startswith("PASS: snap-1 of vol-1 in eu-west-1 is encrypted")
    assert [call[2] for call in audit.backend.calls] == ["DescribeSnapshots"]
    denied = run(
        audit, "extra72", {**snapshots(("snap-1", False)), attribute: unauthorized("DescribeSnapshotAttribute")}
    )
    assert denied["snap-1"].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeSnapshotAttribute is needed")
    missing = ApiError("ec2", "DescribeSnapshotAttribute", "InvalidSnapshot.NotFound", "The snapshot does not exist")
    gone_since = run(audit, "extra72", {**snapshots(("snap-1", False)), attribute: missing})
    assert gone_since == {"snap-1": f"INFO: snap-1 of vol-1 in {HERE} was deleted during the audit"}

    def shared(params: dict[str, Any]) -> dict[str, Any]:
        return {"CreateVolumePermissions": [{"Group": "all"}] if params["SnapshotId"] == "snap-100" else []}

    unblocked: dict[str, Stub] = {"ec2:GetSnapshotBlockPublicAccessState": {"State": "unblocked"}}
    many = snapshots(*((f"snap-{n}", False) for n in range(101)))
    found = run(audit, "extra72", {**many, **unblocked, attribute: shared})
    assert [id for id, text in found.items() if text.startswith("FAIL")] == ["snap-100"]
    assert len(found) == 101


def test_extra740(audit: Audit) -> None:
    many_sealed = [(f"snap-{n}", True) for n in range(100)]
    found = run(audit, "extra740", snapshots(*many_sealed, ("snap-last", False), ("snap-unknown", None)))
    assert found["snap-0"].startswith(f"PASS: snap-0 of vol-1 in {HERE}, begun on 2026-06-01, is encrypted with")
    assert found["snap-last"] == f"FAIL: snap-last of vol-1 in {HERE}, begun on 2026-06-01, is not encrypted"
    assert [id for id, text in found.items() if text.startswith("FAIL")] == ["snap-last", "snap-unknown"]


def test_extra729(audit: Audit) -> None:
    volumes = [
        {"VolumeId": "vol-1", "Encrypted": True, "State": "available", "KmsKeyId": "arn:key"},
        {"VolumeId": "vol-2", "Encrypted": False, "State": "in-use", "Attachments": [{"InstanceId": "i-1"}]},
        {"VolumeId": "vol-3", "Encrypted": False, "State": "available", "Attachments": []},
        {"VolumeId": "vol-4", "State": "available"},
    ]
    assert run(audit, "extra729", {"ec2:DescribeVolumes": {"Volumes": volumes}}) == {
        "vol-1": f"PASS: vol-1 (available, on no instance) in {HERE} is encrypted with arn:key",
        "vol-2": f"FAIL: vol-2 (in-use, on i-1) in {HERE} is not encrypted",
        "vol-3": f"FAIL: vol-3 (available, on no instance) in {HERE} is not encrypted",
        "vol-4": f"FAIL: vol-4 (available, on no instance) in {HERE} is not encrypted",
    }


def test_extra76(audit: Audit) -> None:
    """An image shared with single accounts is not public, and a deprecated one is judged like any other."""
    images = [
        {"ImageId": "ami-1", "Name": "base", "Public": False},
        {"ImageId": "ami-2", "Name": "old", "Public": True, "DeprecationTime": "2020-01-01T00:00:00.000Z"},
        {"ImageId": "ami-3", "Public": True},
    ]
    assert run(audit, "extra76", {"ec2:DescribeImages": {"Images": images}}) == {
        "ami-1": f"PASS: ami-1 (base) in {HERE} is not public",
        "ami-2": f"FAIL: ami-2 (old) in {HERE} is public",
        "ami-3": f"FAIL: ami-3 (no name) in {HERE} is public",
    }


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({}, "FAIL: eipalloc-1 (9.9.9.9) in eu-west-1 is not associated with anything"),
        ({"InstanceId": ""}, "FAIL: eipalloc-1 (9.9.9.9) in eu-west-1 is not associated with anything"),
        # Whether the instance runs or is stopped makes no difference in the answer.
        ({"InstanceId": "i-1", "AssociationId": "a-1"}, "PASS: eipalloc-1 (9.9.9.9) in eu-west-1 is associated with i-1"),
        ({"NetworkInterfaceId": "eni-nat", "AssociationId": "a-1"}, "PASS: eipalloc-1 (9.9.9.9) in eu-west-1 is associated with eni-nat"),
        ({"AssociationId": "a-1"}, "PASS: eipalloc-1 (9.9.9.9) in eu-west-1 is associated with a-1"),
    ],
)  # fmt: skip
def test_extra772(audit: Audit, address: dict[str, str], expected: str) -> None:
    listed = {"PublicIp": "9.9.9.9", "AllocationId": "eipalloc-1", **address}
    assert run(audit, "extra772", {"ec2:DescribeAddresses": {"Addresses": [listed]}}) == {"eipalloc-1": expected}


def test_extra772_without_allocation_and_errors(audit: Audit) -> None:
    legacy = [{"PublicIp": "9.9.9.1"}, {"PublicIp": "9.9.9.2", "InstanceId": "i-1"}]
    found = run(audit, "extra772", {"ec2:DescribeAddresses": {"Addresses": legacy}})
    assert found["9.9.9.1"].startswith("FAIL")
    assert found["9.9.9.2"].startswith("PASS")
    nothing = run(audit, "extra772", {"ec2:DescribeAddresses": {"Addresses": []}})
    assert nothing == {ACCOUNT: f"INFO: no elastic ip to check in {HERE}"}
    denied = run(audit, "extra772", {"ec2:DescribeAddresses": unauthorized("DescribeAddresses")})
    assert denied[f"{ACCOUNT} {HERE}"].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeAddresses is needed")
