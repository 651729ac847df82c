"""The checks of tests_cis/test_4_networking.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub

HERE = "eu-west-1"


def unauthorized(operation: str) -> ApiError:
    """EC2's own form of access denied."""
    return ApiError("ec2", operation, "UnauthorizedOperation", "You are not authorized to perform this operation.")


def gone(operation: str) -> ApiError:
    """The answer for a prefix list that was deleted."""
    return ApiError("ec2", operation, "InvalidPrefixListID.NotFound", "The prefix list ID does not exist")


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
        ("all of unicast IPv4", [rule("tcp", exact, *(f"{n}.0.0.0/8" for n in range(1, 224)))], f"{fail} NAME: tcp port {port} from 1.0.0.0/8; tcp"),
        ("unicast IPv4 but one network", [rule("tcp", exact, *(f"{n}.0.0.0/8" for n in range(1, 224) if n != 9))], "PASS"),
        ("all of global IPv6", [rule("tcp", exact, "2000::/3")], f"{fail} NAME: tcp port {port} from 2000::/3"),
        ("half of global IPv6", [rule("tcp", exact, "2000::/4")], "PASS"),
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
    refused: dict[str, Stub] = {"ec2:DescribeSecurityGroups": unauthorized("DescribeSecurityGroups")}
    denied = audit(check, answers=refused, live=False, regions=[HERE])
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
        answers = {**groups(*three), f"ec2:{operation}": unauthorized(operation)}
        found = audit(check, answers=answers, live=False, regions=[HERE])
        assert found["sg-list"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")
        assert found["sg-open"].startswith("FAIL")
        assert found["sg-closed"].startswith("PASS")
    deleted = {**groups(three[0]), "ec2:GetManagedPrefixListEntries": gone("GetManagedPrefixListEntries")}
    assert audit(check, answers=deleted, live=False, regions=[HERE])["sg-list"].startswith("PASS")


@pytest.mark.parametrize("check", ["check41", "check42"])
def test_check41_and_check42_calls(audit: Audit, check: str) -> None:
    audit(check, answers=groups(group(rule("-1", None, "10.0.0.0/8", "sg-2"))), live=False, regions=[HERE])
    assert [call[2] for call in audit.backend.calls] == ["DescribeSecurityGroups"]
    listed = [group(rule("-1", None, "pl-own"), GroupId=f"sg-{n}") for n in range(3)]
    found = audit(check, answers=groups(*listed), live=False, regions=[HERE])
    assert [text[:4] for text in found.values()] == ["FAIL"] * 3
    assert [call[2] for call in audit.backend.calls] == [
        "DescribeSecurityGroups", "DescribeManagedPrefixLists", "GetManagedPrefixListEntries",
    ]  # fmt: skip


def test_check42_udp(audit: Audit) -> None:
    """RDP over UDP, and a client that reaches either protocol from everywhere."""
    one = audit("check42", answers=groups(group(rule("17", (3389, 3389), "0.0.0.0/0"))), live=False, regions=[HERE])
    assert one["sg-1"].startswith(f"FAIL: sg-1 (web) of vpc-1 in {HERE} opens RDP: udp port 3389 from 0.0.0.0/0")
    both = [rule("udp", (3389, 3389), "0.0.0.0/1"), rule("tcp", (3389, 3389), "128.0.0.0/1")]
    halves = audit("check42", answers=groups(group(*both)), live=False, regions=[HERE])
    assert "udp port 3389 from 0.0.0.0/1; tcp port 3389 from 128.0.0.0/1" in halves["sg-1"]


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
    itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": fresh["GroupId"]}]}]
    ec2.authorize_security_group_ingress(GroupId=fresh["GroupId"], IpPermissions=itself)
    assert audit("check43", regions=[HERE]) == {
        fresh["GroupId"]: f"FAIL: {fresh['GroupId']} of {vpc} in {HERE} has 1 inbound and 1 outbound rules: "
        f"inbound all traffic all ports: {fresh['GroupId']}; outbound all traffic all ports: 0.0.0.0/0"
    }
    ec2.revoke_security_group_ingress(GroupId=fresh["GroupId"], IpPermissions=itself)
    ec2.revoke_security_group_egress(GroupId=fresh["GroupId"], IpPermissions=fresh["IpPermissionsEgress"])
    assert audit("check43", regions=[HERE]) == {
        fresh["GroupId"]: f"PASS: {fresh['GroupId']} of {vpc} in {HERE} has no rules"
    }


NOWHERE = "sg-1 of vpc-1 in eu-west-1"


@pytest.mark.parametrize(
    ("inbound", "outbound", "expected"),
    [
        ([], [], f"PASS: {NOWHERE} has no rules"),
        ([rule("-1", None, "sg-1")], [rule("-1", None, "0.0.0.0/0")], f"FAIL: {NOWHERE} has 1 inbound and 1 outbound rules: inbound all traffic all ports: sg-1; outbound all traffic all ports: 0.0.0.0/0"),
        ([], [rule("-1", None, "0.0.0.0/0")], f"FAIL: {NOWHERE} has 0 inbound and 1 outbound rules: outbound all traffic all ports: 0.0.0.0/0"),
        ([rule("tcp", (1, 2), "10.0.0.0/8")], [], f"FAIL: {NOWHERE} has 1 inbound and 0 outbound rules: inbound tcp ports 1-2: 10.0.0.0/8"),
        ([rule("-1", None, "sg-1")], [], f"FAIL: {NOWHERE} has 1 inbound and 0 outbound rules: inbound all traffic all ports: sg-1"),
        ([], [rule("tcp", (443, 443), "pl-own")], f"FAIL: {NOWHERE} has 0 inbound and 1 outbound rules: outbound tcp port 443: pl-own"),
        ([rule("tcp", (22, 22), "10.0.0.0/8", "::/0")], [rule("-1", None, "0.0.0.0/0")], f"FAIL: {NOWHERE} has 2 inbound and 1 outbound rules: inbound tcp port 22: 10.0.0.0/8; inbound tcp port 22: ::/0; outbound all traffic all ports: 0.0.0.0/0"),
        ([rule("tcp", (22, 22), "10.0.0.0/8", "::/0")], [rule("-1", None, "0.0.0.0/0", "::/0")], f"FAIL: {NOWHERE} has 2 inbound and 2 outbound rules: inbound tcp port 22: 10.0.0.0/8; inbound tcp port 22: ::/0; outbound all traffic all ports: 0.0.0.0/0; and 1 more"),
    ],
)  # fmt: skip
def test_check43(audit: Audit, inbound: list[Any], outbound: list[Any], expected: str) -> None:
    default = group(*inbound, egress=outbound, GroupName="default")
    assert audit("check43", answers=groups(default), live=False, regions=[HERE]) == {"sg-1": expected}
    assert [call[2] for call in audit.backend.calls] == ["DescribeSecurityGroups"]


def test_check43_other_groups_and_errors(audit: Audit) -> None:
    other = groups(group(rule("-1", None, "0.0.0.0/0")))
    assert audit("check43", answers=other, live=False) == {
        ACCOUNT: "INFO: no default security group to check in us-east-1, eu-west-1"
    }
    classic = group(rule("-1", None, "0.0.0.0/0"), GroupName="default")
    del classic["VpcId"]
    assert audit("check43", answers=groups(classic), live=False, regions=[HERE]) == {
        ACCOUNT: f"INFO: no default security group to check in {HERE}"
    }
    refused: dict[str, Stub] = {"ec2:DescribeSecurityGroups": unauthorized("DescribeSecurityGroups")}
    denied = audit("check43", answers=refused, live=False)
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


ENDS = f"pcx-1 between vpc-own of {ACCOUNT} and vpc-peer of 999999999999 in {HERE}"
LISTS: dict[str, Stub] = {
    "ec2:GetManagedPrefixListEntries": lambda p: {
        "Entries": [
            {"Cidr": c}
            for c in (["10.9.1.0/24"] if p["PrefixListId"] == "pl-narrow" else ["10.9.1.0/24", "10.8.0.0/15"])
        ]
    }
}


def whole(destination: str, cidr: str = "10.9.0.0/16", id: str = "rtb-1") -> str:
    return f"FAIL: {ENDS}: {id} routes {destination}, which holds the whole peer CIDR {cidr}"


@pytest.mark.parametrize(
    ("connection", "tables", "expected"),
    [
        (peering(), [table("10.9.4.0/24")], f"PASS: {ENDS}: rtb-1 to 10.9.4.0/24"),
        (peering(), [table("10.9.0.0/16")], whole("10.9.0.0/16")),
        (peering(), [table("10.0.0.0/8")], whole("10.0.0.0/8")),
        (peering(), [table("0.0.0.0/0")], f"FAIL: {ENDS}: rtb-1 routes everything (0.0.0.0/0)"),
        (peering(), [table("::/0")], f"FAIL: {ENDS}: rtb-1 routes everything (::/0)"),
        (peering(**SECOND_CIDR), [table("10.20.0.0/16")], whole("10.20.0.0/16", "10.20.0.0/16")),
        (peering(**SIXTH), [table("2001:db8::/56")], whole("2001:db8::/56", "2001:db8::/56")),
        (peering(**SIXTH), [table("2001:db8::/64")], f"PASS: {ENDS}: rtb-1 to 2001:db8::/64"),
        (peering(), [table("10.9.0.0/16", via="pcx-2")], f"PASS: {ENDS}: no active route uses it"),
        (peering(), [table("10.9.4.0/24"), table("10.9.0.0/16", id="rtb-1", via="pcx-2")], f"PASS: {ENDS}: rtb-1 to 10.9.4.0/24"),
        (peering(), [table("10.9.0.0/16", state="blackhole")], f"PASS: {ENDS}: no active route uses it"),
        (peering(), [table()], f"PASS: {ENDS}: no active route uses it"),
        (peering(), [], f"PASS: {ENDS}: no active route uses it"),
        (peering(), [table("10.1.0.0/16")], f"PASS: {ENDS}: rtb-1 to 10.1.0.0/16"),  # the own range is not the peer's
        (peering(), [table("pl-wide")], whole("10.8.0.0/15")),
        (peering(), [table("pl-narrow")], f"PASS: {ENDS}: rtb-1 to 10.9.1.0/24"),
        (peering(), [table("10.9.1.0/24"), table("10.1.0.0/16", id="rtb-peer", vpc="vpc-peer")], whole("10.1.0.0/16", "10.1.0.0/16", "rtb-peer")),
        (peering(), [table("10.9.0.0/16"), table("10.0.0.0/8", id="rtb-2")], whole("10.9.0.0/16") + "; rtb-2 routes 10.0.0.0/8, which holds the whole peer CIDR 10.9.0.0/16"),
        (peering(CidrBlock=""), [table("10.9.0.0/16")], f"INFO: {ENDS}: the peer's CIDRs are not known, compare by hand: rtb-1 to 10.9.0.0/16"),
        (peering(CidrBlock=""), [table("0.0.0.0/0")], f"FAIL: {ENDS}: rtb-1 routes everything (0.0.0.0/0)"),
    ],
)  # fmt: skip
def test_check44(audit: Audit, connection: dict[str, Any], tables: list[Any], expected: str) -> None:
    answers: dict[str, Stub] = {
        "ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [connection]},
        "ec2:DescribeRouteTables": {"RouteTables": tables}, **LISTS,
    }  # fmt: skip
    assert audit("check44", answers=answers, live=False, regions=[HERE]) == {"pcx-1": expected}
    assert {call[2] for call in audit.backend.calls} <= {
        "DescribeVpcPeeringConnections", "DescribeRouteTables", "GetManagedPrefixListEntries",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["pending-acceptance", "deleted", "failed", "rejected", "expired", "provisioning"])
def test_check44_nothing_active(audit: Audit, status: str) -> None:
    answers: dict[str, Stub] = {"ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [peering(status)]}}
    assert audit("check44", answers=answers, live=False, regions=[HERE]) == {
        ACCOUNT: f"INFO: no vpc peering connection to check in {HERE}"
    }


def test_check44_errors(audit: Audit) -> None:
    tables: dict[str, Stub] = {
        "ec2:DescribeVpcPeeringConnections": {"VpcPeeringConnections": [peering()]},
        "ec2:DescribeRouteTables": {"RouteTables": [table("pl-wide")]},
    }

    def with_answer(operation: str, answer: Stub) -> dict[str, str]:
        return audit("check44", answers={**tables, f"ec2:{operation}": answer}, live=False, regions=[HERE])

    listing = with_answer("DescribeVpcPeeringConnections", unauthorized("DescribeVpcPeeringConnections"))
    assert list(listing) == [f"{ACCOUNT} {HERE}"]
    assert "ERROR: access denied in eu-west-1: ec2:DescribeVpcPeeringConnections is" in listing[f"{ACCOUNT} {HERE}"]
    for operation in ("DescribeRouteTables", "GetManagedPrefixListEntries"):
        denied = with_answer(operation, unauthorized(operation))
        assert denied["pcx-1"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")
    deleted = with_answer("GetManagedPrefixListEntries", gone("GetManagedPrefixListEntries"))
    assert deleted == {"pcx-1": f"PASS: {ENDS}: no active route uses it"}


@pytest.mark.usefixtures("moto")
def test_check44_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    own, peer = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.1.0.0/16", "10.9.0.0/16"))
    request = ec2.create_vpc_peering_connection(VpcId=own, PeerVpcId=peer)["VpcPeeringConnection"]
    connection = request["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    routes = ec2.create_route_table(VpcId=own)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=routes, DestinationCidrBlock="10.9.4.0/24", VpcPeeringConnectionId=connection)
    ends = f"{connection} between {own} of {ACCOUNT} and {peer} of {ACCOUNT} in {HERE}"
    assert audit("check44", regions=[HERE]) == {connection: f"PASS: {ends}: {routes} to 10.9.4.0/24"}
    ec2.create_route(RouteTableId=routes, DestinationCidrBlock="10.8.0.0/15", VpcPeeringConnectionId=connection)
    assert audit("check44", regions=[HERE])[connection] == (
        f"FAIL: {ends}: {routes} routes 10.8.0.0/15, which holds the whole peer CIDR 10.9.0.0/16"
    )
