"""The checks of tests_cis/test_4_networking.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

HERE = "eu-west-1"


def rule(protocol: str, ports: tuple[int, int] | None, *sources: str, **more: Any) -> dict[str, Any]:
    """An IpPermissions entry; sources are CIDRs, prefix lists (pl-...) or groups (sg-...)."""
    found: dict[str, Any] = {
        "IpProtocol": protocol,
        "IpRanges": [{"CidrIp": s} for s in sources if "." in s],
        "Ipv6Ranges": [{"CidrIpv6": s} for s in sources if ":" in s],
        "PrefixListIds": [{"PrefixListId": s} for s in sources if s.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": s} for s in sources if s.startswith("sg-")],
        **more,
    }
    if ports:
        found |= {"FromPort": ports[0], "ToPort": ports[1]}
    return found


def group(*rules: dict[str, Any], egress: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A security group as EC2 describes it."""
    return {
        "GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "OwnerId": ACCOUNT,
        "IpPermissions": list(rules), "IpPermissionsEgress": egress or [], **more,
    }  # fmt: skip


PREFIX_LISTS: dict[str, Stub] = {
    "ec2:DescribeManagedPrefixLists": {
        "PrefixLists": [{"PrefixListId": "pl-own", "OwnerId": ACCOUNT}, {"PrefixListId": "pl-aws", "OwnerId": "AWS"}]
    },
    "ec2:GetManagedPrefixListEntries": lambda p: {"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "0.0.0.0/0"}]},
}


def groups(*found: dict[str, Any]) -> dict[str, Stub]:
    return {"ec2:DescribeSecurityGroups": {"SecurityGroups": list(found)}, **PREFIX_LISTS}


def port_table(port: int) -> list[tuple[str, list[dict[str, Any]], str]]:
    """What holds for SSH and RDP alike: name, rules, the beginning of the verdict."""
    exact = (port, port)
    fail = f"FAIL: sg-1 (web) of vpc-1 in {HERE} opens"
    return [
        ("exact", [rule("tcp", exact, "0.0.0.0/0")], f"{fail} NAME: tcp port {port} from 0.0.0.0/0"),
        ("number of protocol", [rule("6", exact, "0.0.0.0/0")], fail),
        ("ipv6 only", [rule("tcp", exact, "::/0")], f"{fail} NAME: tcp port {port} from ::/0"),
        ("all ports", [rule("tcp", (0, 65535), "0.0.0.0/0")], f"{fail} NAME: tcp ports 0-65535 from 0.0.0.0/0"),
        ("no ports", [rule("tcp", None, "0.0.0.0/0")], f"{fail} NAME: tcp all ports"),
        ("all traffic", [rule("-1", None, "0.0.0.0/0")], f"{fail} NAME: all traffic all ports from 0.0.0.0/0"),
        ("all traffic with odd ports", [rule("-1", (1, 2), "0.0.0.0/0")], fail),
        ("private", [rule("tcp", exact, "10.0.0.0/8")], "PASS"),
        ("public but not everyone", [rule("tcp", exact, "203.0.113.0/24")], "PASS"),
        ("two halves", [rule("tcp", exact, "0.0.0.0/1"), rule("tcp", (0, 9999), "128.0.0.0/1")], f"{fail} NAME: tcp port {port} from 0.0.0.0/1; tcp ports 0-9999 from"),
        ("one half", [rule("tcp", exact, "0.0.0.0/1")], "PASS"),
        ("one half twice", [rule("tcp", exact, "0.0.0.0/1"), rule("-1", None, "0.0.0.0/1")], "PASS"),
        ("halves of two families", [rule("tcp", exact, "0.0.0.0/1", "8000::/1")], "PASS"),
        ("halves, one for another port", [rule("tcp", exact, "0.0.0.0/1"), rule("tcp", (443, 443), "128.0.0.0/1")], "PASS"),
        ("prefix list", [rule("tcp", exact, "pl-own")], f"{fail} NAME: tcp port {port} from 0.0.0.0/0 (pl-own)"),
        ("prefix list of AWS", [rule("tcp", exact, "pl-aws")], "PASS"),
        ("another group", [rule("tcp", exact, "sg-2")], "PASS"),
        ("icmp", [rule("icmp", (8, 0), "0.0.0.0/0"), rule("icmp", (-1, -1), "0.0.0.0/0")], "PASS"),
        ("no ingress", [], "PASS"),
        ("https", [rule("tcp", (443, 443), "0.0.0.0/0")], "PASS"),
    ]  # fmt: skip


@pytest.mark.parametrize(("check", "port", "name"), [("check41", 22, "SSH"), ("check42", 3389, "RDP")])
def test_check41_and_check42(audit: Audit, check: str, port: int, name: str) -> None:
    for case, rules, expected in port_table(port):
        found = audit(
            check, answers=groups(group(*rules, egress=[rule("-1", None, "0.0.0.0/0")])), live=False, regions=[HERE]
        )
        assert list(found) == ["sg-1"], case
        assert found["sg-1"].startswith(expected.replace("NAME", name)), (case, found)
        if expected == "PASS":
            assert found["sg-1"] == f"PASS: sg-1 (web) of vpc-1 in {HERE} does not open {name} to everyone", case
    udp = audit(check, answers=groups(group(rule("udp", (port, port), "0.0.0.0/0"))), live=False, regions=[HERE])
    assert udp["sg-1"].startswith("FAIL" if check == "check42" else "PASS")


@pytest.mark.parametrize("check", ["check41", "check42"])
def test_check41_and_check42_errors(audit: Audit, check: str) -> None:
    denied = audit(check, answers={"ec2:DescribeSecurityGroups": access_denied("ec2", "x")}, live=False, regions=[HERE])
    assert list(denied) == [f"{ACCOUNT} {HERE}"]
    assert denied[f"{ACCOUNT} {HERE}"].startswith(
        f"ERROR: access denied in {HERE}: ec2:DescribeSecurityGroups is needed"
    )
    assert audit(check, answers=groups(), live=False) == {
        ACCOUNT: "INFO: no security group to check in us-east-1, eu-west-1"
    }
    foreign = audit(check, answers=groups(group(OwnerId="999999999999")), live=False, regions=[HERE])
    assert foreign == {ACCOUNT: f"INFO: no security group to check in {HERE}"}

    port = (22, 22) if check == "check41" else (3389, 3389)
    three = [
        group(rule("tcp", port, "pl-own"), GroupId="sg-list"),
        group(rule("tcp", port, "pl-own", "0.0.0.0/0"), GroupId="sg-open"),
        group(rule("tcp", port, "10.0.0.0/8"), GroupId="sg-closed"),
    ]
    for operation in ("DescribeManagedPrefixLists", "GetManagedPrefixListEntries"):
        answers = {**groups(*three), f"ec2:{operation}": access_denied("ec2", operation)}
        found = audit(check, answers=answers, live=False, regions=[HERE])
        assert found["sg-list"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")
        assert found["sg-open"].startswith("FAIL")
        assert found["sg-closed"].startswith("PASS")
    from fixtures.errors import ApiError

    gone = {
        **groups(three[0]),
        "ec2:GetManagedPrefixListEntries": ApiError("ec2", "x", "InvalidPrefixListID.NotFound", "gone"),
    }
    assert audit(check, answers=gone, live=False, regions=[HERE])["sg-list"].startswith("PASS")


@pytest.mark.usefixtures("moto")
def test_check41_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    opened = ec2.create_security_group(GroupName="open", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=opened, IpProtocol="tcp", FromPort=20, ToPort=25, CidrIp="0.0.0.0/0")
    found = audit("check41", regions=[HERE])
    assert found[opened].startswith(f"FAIL: {opened} (open) of vpc-")
    assert "tcp ports 20-25 from 0.0.0.0/0" in found[opened]
    assert sum(text.startswith("PASS") for text in found.values()) == len(found) - 1


@pytest.mark.usefixtures("moto")
def test_check43_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    fresh = next(g for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] == "default")
    ec2.create_security_group(GroupName="other", Description="open, but not the default one", VpcId=vpc)
    found = audit("check43", regions=[HERE])
    assert list(found) == [fresh["GroupId"]]
    assert found[fresh["GroupId"]].startswith(
        f"FAIL: {fresh['GroupId']} of {vpc} in {HERE} has 0 inbound and 1 outbound rules: outbound all"
    )
    ec2.revoke_security_group_egress(GroupId=fresh["GroupId"], IpPermissions=fresh["IpPermissionsEgress"])
    assert audit("check43", regions=[HERE]) == {
        fresh["GroupId"]: f"PASS: {fresh['GroupId']} of {vpc} in {HERE} has no rules"
    }


@pytest.mark.parametrize(
    ("inbound", "outbound", "expected"),
    [
        ([], [], "PASS"),
        ([rule("-1", None, "sg-1")], [rule("-1", None, "0.0.0.0/0")], "FAIL: sg-1 of vpc-1 in eu-west-1 has 1 inbound and 1 outbound rules: inbound all traffic all"),
        ([], [rule("-1", None, "0.0.0.0/0")], "FAIL"),
        ([rule("tcp", (1, 2), "10.0.0.0/8")], [], "FAIL: sg-1 of vpc-1 in eu-west-1 has 1 inbound and 0 outbound rules: inbound tcp ports 1-2: 10."),
        ([rule("-1", None, "sg-1")], [], "FAIL"),
    ],
)  # fmt: skip
def test_check43(audit: Audit, inbound: list[Any], outbound: list[Any], expected: str) -> None:
    found = audit(
        "check43", answers=groups(group(*inbound, egress=outbound, GroupName="default")), live=False, regions=[HERE]
    )
    assert found["sg-1"].startswith(expected)


def test_check43_other_groups_and_errors(audit: Audit) -> None:
    other = groups(group(rule("-1", None, "0.0.0.0/0")))
    assert audit("check43", answers=other, live=False) == {
        ACCOUNT: "INFO: no default security group to check in us-east-1, eu-west-1"
    }
    denied = audit("check43", answers={"ec2:DescribeSecurityGroups": access_denied("ec2", "x")}, live=False)
    assert list(denied) == [f"{ACCOUNT} us-east-1", f"{ACCOUNT} eu-west-1"]
    assert all("ERROR: access denied" in text and "ec2:DescribeSecurityGroups" in text for text in denied.values())


def peering(_status: str = "active", /, **accepter: Any) -> dict[str, Any]:
    return {
        "VpcPeeringConnectionId": "pcx-1", "Status": {"Code": _status},
        "RequesterVpcInfo": {"VpcId": "vpc-own", "OwnerId": ACCOUNT, "CidrBlock": "10.1.0.0/16"},
        "AccepterVpcInfo": {"VpcId": "vpc-peer", "OwnerId": "999999999999", "CidrBlock": "10.9.0.0/16", **accepter},
    }  # fmt: skip


def table(
    *destinations: str, id: str = "rtb-1", vpc: str = "vpc-own", state: str = "active", via: str = "pcx-1"
) -> dict[str, Any]:
    def key(destination: str) -> str:
        if destination.startswith("pl-"):
            return "DestinationPrefixListId"
        return "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"

    routes = [{key(d): d, "State": state, "VpcPeeringConnectionId": via} for d in destinations]
    local = {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"}
    return {"RouteTableId": id, "VpcId": vpc, "Routes": [local, *routes]}


SECOND_CIDR = {"CidrBlockSet": [{"CidrBlock": "10.9.0.0/16"}, {"CidrBlock": "10.20.0.0/16"}]}
SIXTH = {"Ipv6CidrBlockSet": [{"Ipv6CidrBlock": "2001:db8::/56"}]}


@pytest.mark.parametrize(
    ("connection", "tables", "expected"),
    [
        (peering(), [table("10.9.4.0/24")], f"PASS: pcx-1 between vpc-own of {ACCOUNT} and vpc-peer of 999999999999 in {HERE}: rtb-1 to"),
        (peering(), [table("10.9.0.0/16")], "FAIL: pcx-1"),
        (peering(), [table("10.0.0.0/8")], "FAIL: pcx-1"),
        (peering(), [table("0.0.0.0/0")], "FAIL: pcx-1"),
        (peering(), [table("::/0")], "FAIL: pcx-1"),
        (peering(**SECOND_CIDR), [table("10.20.0.0/16")], "FAIL: pcx-1"),
        (peering(**SIXTH), [table("2001:db8::/56")], "FAIL: pcx-1"),
        (peering(**SIXTH), [table("2001:db8::/64")], "PASS: pcx-1"),
        (peering(), [table("10.9.0.0/16", via="pcx-2")], "PASS: pcx-1"),
        (peering(), [table("10.9.0.0/16", state="blackhole")], "PASS: pcx-1"),
        (peering(), [table()], "PASS: pcx-1"),
        (peering(), [table("10.1.0.0/16")], "PASS: pcx-1"),
        (peering(), [table("pl-own")], "FAIL: pcx-1"),
        (peering(), [table("10.9.1.0/24"), table("10.1.0.0/16", id="rtb-peer", vpc="vpc-peer")], "FAIL: pcx-1"),
        (peering(CidrBlock=""), [table("10.9.0.0/16")], "INFO: pcx-1"),
        (peering(CidrBlock=""), [table("0.0.0.0/0")], "FAIL: pcx-1"),
    ],
)  # fmt: skip
def test_check44(audit: Audit, connection: dict[str, Any], tables: list[Any], expected: str) -> None:
    answers: dict[str, Stub] = {
        "ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [connection]},
        "ec2:DescribeRouteTables": {"RouteTables": tables}, **PREFIX_LISTS,
    }  # fmt: skip
    found = audit("check44", answers=answers, live=False, regions=[HERE])
    assert list(found) == ["pcx-1"]
    assert found["pcx-1"].startswith(expected), found
    if "rtb-peer" in str(tables):
        assert "rtb-peer routes 10.1.0.0/16, which holds the whole peer CIDR 10.1.0.0/16" in found["pcx-1"]
        assert "rtb-1" not in found["pcx-1"]


def test_check44_nothing_active_and_errors(audit: Audit) -> None:
    pending: dict[str, Stub] = {
        "ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [peering("pending-acceptance")]}
    }
    assert audit("check44", answers=pending, live=False, regions=[HERE]) == {
        ACCOUNT: f"INFO: no vpc peering connection to check in {HERE}"
    }
    active: dict[str, Stub] = {"ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [peering()]}}
    denied = audit(
        "check44", answers={**active, "ec2:DescribeRouteTables": access_denied("ec2", "x")}, live=False, regions=[HERE]
    )
    assert denied["pcx-1"].startswith("ERROR: access denied in eu-west-1: ec2:DescribeRouteTables is needed")
