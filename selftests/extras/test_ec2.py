"""The checks of tests_extras/test_ec2.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.errors import ApiError
from selftests.cis.test_4_networking import PREFIX_LISTS, gone, group, groups, rule, unauthorized
from selftests.conftest import ACCOUNT, Audit, Stub

HERE = "eu-west-1"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVERYONE, EVERYONE6 = "0.0.0.0/0", "::/0"
LABEL = f"sg-1 (web) of vpc-1 in {HERE}"


def run(audit: Audit, check: str, answers: dict[str, Stub], **settings: Any) -> dict[str, str]:
    return audit(check, answers=answers, live=False, regions=[HERE], now=NOW, **settings)


def verdict(audit: Audit, check: str, *rules: dict[str, Any], **more: Any) -> str:
    """The verdict on one group with these inbound rules."""
    return run(audit, check, groups(group(*rules, **more)))["sg-1"]


# -- ports of databases and caches

ONE_PORT = {
    "extra749": (1521, 1522, "Oracle Database"),
    "extra750": (3306, 3307, "MySQL"),
    "extra751": (5432, 5433, "PostgreSQL"),
    "extra752": (6379, 6380, "Redis"),
    "extra753": (27017, 27118, "MongoDB"),
    "extra754": (7000, 9260, "Cassandra"),
    "extra755": (11211, 11212, "Memcached"),
    "extra779": (9200, 9201, "Elasticsearch and Kibana"),
}
"""Check -> a port that it judges, one that it does not, and the word for it."""


@pytest.mark.parametrize("check", ONE_PORT)
def test_port_checks(audit: Audit, check: str) -> None:
    port, other, name = ONE_PORT[check]
    exact, fail = (port, port), f"FAIL: {LABEL} opens {name} port {port}"
    cases = [
        ("private", [rule("tcp", exact, "10.0.0.0/8")], "PASS"),
        ("exact", [rule("tcp", exact, EVERYONE)], f"{fail}: tcp port {port} from 0.0.0.0/0"),
        ("number of protocol", [rule("6", exact, EVERYONE)], f"{fail}: tcp port {port} from 0.0.0.0/0"),
        ("ipv6 only", [rule("tcp", exact, EVERYONE6)], f"{fail}: tcp port {port} from ::/0"),
        ("in a range", [rule("tcp", (port - 10, port + 10), EVERYONE)], f"FAIL: {LABEL} opens {name} port {port}"),
        ("another port", [rule("tcp", (other, other), EVERYONE)], "PASS"),
        ("all traffic", [rule("-1", None, EVERYONE)], f"FAIL: {LABEL} opens {name} port {port}"),
        ("another group", [rule("-1", None, "sg-2")], "PASS"),
        ("ESP", [rule("50", None, EVERYONE)], "PASS"),
        ("icmpv6", [rule("icmpv6", None, EVERYONE, EVERYONE6)], "PASS"),
        ("two halves", [rule("tcp", exact, "0.0.0.0/1", "128.0.0.0/1")], f"{fail}: tcp port {port} from 0.0.0.0/1; tcp"),
        ("one half", [rule("tcp", exact, "0.0.0.0/1")], "PASS"),
        ("prefix list", [rule("tcp", exact, "pl-own")], f"{fail}: tcp port {port} from 0.0.0.0/0 (pl-own)"),
        ("prefix list of AWS", [rule("tcp", exact, "pl-aws")], "PASS"),
        ("public but not everyone", [rule("tcp", exact, "203.0.113.0/24")], "PASS"),
        ("no inbound rule", [], "PASS"),
        ("udp", [rule("udp", exact, EVERYONE)], f"{fail}: udp port {port}" if check == "extra755" else "PASS"),
    ]  # fmt: skip
    outbound = [rule("tcp", exact, EVERYONE), rule("-1", None, EVERYONE)]
    for case, rules, expected in cases:
        found = verdict(audit, check, *rules, egress=outbound)
        if case in ("in a range", "all traffic"):
            assert found.startswith(expected), (case, found)
            assert found.endswith(f"from {EVERYONE}"), (case, found)
        elif expected == "PASS":
            assert found == f"PASS: {LABEL} opens no {name} port to everyone", (case, found)
        else:
            assert found.startswith(expected), (case, found)


@pytest.mark.parametrize(
    ("check", "port", "source"),
    [
        ("extra749", 2483, EVERYONE),
        ("extra749", 2484, EVERYONE),
        ("extra753", 27018, EVERYONE),
        ("extra754", 9042, EVERYONE),
        ("extra754", 8888, EVERYONE6),
        ("extra754", 7001, EVERYONE),
        ("extra754", 7199, EVERYONE),
        ("extra754", 9160, EVERYONE),
        ("extra779", 5601, EVERYONE),
        ("extra779", 9300, EVERYONE),
    ],
)
def test_further_ports(audit: Audit, check: str, port: int, source: str) -> None:
    """The group is on no interface and no instance is looked at: only the rules count."""
    found = verdict(audit, check, rule("tcp", (port, port), source))
    assert found.startswith(f"FAIL: {LABEL} opens {ONE_PORT[check][2]} port {port}: tcp port {port} from {source}")
    assert {call[2] for call in audit.backend.calls} == {"DescribeSecurityGroups"}


@pytest.mark.parametrize(
    ("check", "setting"), [("extra749", "oracle_ports"), ("extra753", "mongodb_ports"), ("extra754", "cassandra_ports")]
)
def test_ports_can_be_chosen(audit: Audit, check: str, setting: str) -> None:
    opened = groups(group(rule("tcp", (4000, 4001), EVERYONE)))
    assert run(audit, check, opened)["sg-1"].startswith("PASS")
    found = run(audit, check, opened, **{setting: [4000, 4001]})["sg-1"]
    assert found.endswith("port 4000, 4001: tcp ports 4000-4001 from 0.0.0.0/0")


def test_extra755_judges_tcp_and_udp_separately(audit: Audit) -> None:
    halves = [rule("tcp", (11211, 11211), "0.0.0.0/1"), rule("udp", (11211, 11211), "128.0.0.0/1")]
    assert verdict(audit, "extra755", *halves).startswith("PASS")


BY_GROUP = ["extra748", *ONE_PORT, "extra74", "extra778"]


@pytest.mark.parametrize("check", [*BY_GROUP, "extra777"])
def test_no_group_and_no_permission(audit: Audit, check: str) -> None:
    assert run(audit, check, groups()) == {ACCOUNT: f"INFO: no security group to check in {HERE}"}
    foreign = run(audit, check, groups(group(OwnerId="999999999999")))
    assert foreign == {ACCOUNT: f"INFO: no security group to check in {HERE}"}
    denied = run(audit, check, {"ec2:DescribeSecurityGroups": unauthorized("DescribeSecurityGroups")})
    assert denied[f"{ACCOUNT} {HERE}"].startswith(
        f"ERROR: access denied in {HERE}: ec2:DescribeSecurityGroups is needed"
    )


@pytest.mark.parametrize("check", BY_GROUP)
def test_unreadable_prefix_lists(audit: Audit, check: str) -> None:
    open_source = "8.0.0.0/8" if check == "extra778" else EVERYONE
    three = [
        group(rule("-1", None, "pl-own"), GroupId="sg-list"),
        group(rule("-1", None, "pl-own", open_source), GroupId="sg-open"),
        group(rule("-1", None, "10.0.0.0/8"), GroupId="sg-closed"),
    ]
    attached = interfaces(interface("sg-list", "sg-open", "sg-closed"))
    for operation in ("DescribeManagedPrefixLists", "GetManagedPrefixListEntries"):
        found = run(audit, check, {**groups(*three), **attached, f"ec2:{operation}": unauthorized(operation)})
        assert found["sg-list"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")
        assert found["sg-open"].startswith("FAIL")
        assert found["sg-closed"].startswith("PASS")
    deleted = {**groups(three[0]), **attached, "ec2:GetManagedPrefixListEntries": gone("GetManagedPrefixListEntries")}
    assert run(audit, check, deleted)["sg-list"].startswith("PASS")


# -- all ports, any port


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("-1", None, EVERYONE)], "FAIL all traffic all ports from 0.0.0.0/0"),
        ([rule("-1", None, EVERYONE6)], "FAIL all traffic all ports from ::/0"),
        ([rule("tcp", (0, 65535), EVERYONE)], "FAIL tcp ports 0-65535 from 0.0.0.0/0"),
        ([rule("tcp", (1, 65535), EVERYONE)], "FAIL tcp ports 1-65535 from 0.0.0.0/0"),
        ([rule("tcp", (0, 32767), EVERYONE), rule("tcp", (32768, 65535), EVERYONE)], "FAIL tcp ports 32768-65535 from"),
        ([rule("tcp", (0, 65534), EVERYONE), rule("tcp", (65535, 65535), EVERYONE)], "FAIL tcp port 65535 from"),
        ([rule("tcp", (0, 32767), EVERYONE), rule("tcp", (32768, 65535), EVERYONE6)], "PASS"),
        ([rule("tcp", (0, 32767), EVERYONE), rule("udp", (32768, 65535), EVERYONE)], "PASS"),
        ([rule("tcp", (2, 65535), EVERYONE)], "PASS"),
        ([rule("udp", (0, 65535), EVERYONE)], "FAIL udp ports 0-65535 from 0.0.0.0/0"),
        ([rule("tcp", (443, 443), EVERYONE)], "PASS"),
        ([rule("icmp", (-1, -1), EVERYONE)], "PASS"),
        ([rule("-1", None, "sg-1")], "PASS"),
        ([rule("-1", None, "0.0.0.0/1", "128.0.0.0/1")], "FAIL all traffic all ports from 128.0.0.0/1"),
        ([rule("-1", None, "pl-own")], "FAIL all traffic all ports from 0.0.0.0/0 (pl-own)"),
    ],
)
def test_extra748(audit: Audit, rules: list[dict[str, Any]], expected: str) -> None:
    status, _, part = expected.partition(" ")
    found = verdict(audit, "extra748", *rules)
    start = "PASS: {} does not open all ports" if status == "PASS" else "FAIL: {} opens all ports: "
    assert found.startswith(start.format(LABEL))
    assert part in found


def interface(*carried: str, id: str = "eni-1", **more: Any) -> dict[str, Any]:
    """A network interface of an instance that carries these groups."""
    attachment = {"InstanceOwnerId": ACCOUNT, "InstanceId": "i-1"}
    found = {"NetworkInterfaceId": id, "InterfaceType": "interface", "Attachment": attachment, **more}
    return {**found, "Groups": [{"GroupId": one} for one in carried]}


def interfaces(*found: dict[str, Any]) -> dict[str, Stub]:
    return {"ec2:DescribeNetworkInterfaces": {"NetworkInterfaces": list(found)}}


OF_ELB = interface("sg-1", id="eni-elb", Attachment={"InstanceOwnerId": "amazon-elb"})
UNATTACHED = {key: value for key, value in interface("sg-1").items() if key != "Attachment"}
HTTPS = rule("tcp", (443, 443), EVERYONE)


@pytest.mark.parametrize(
    ("rules", "on", "expected"),
    [
        ([HTTPS], [interface("sg-1")], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 1 of 1 network interfaces: eni-1 (interface)"),
        ([rule("tcp", (443, 443), EVERYONE6)], [interface("sg-1")], "FAIL: {} accepts tcp port 443 from ::/0 on 1"),
        ([rule("icmp", (-1, -1), EVERYONE)], [interface("sg-1")], "FAIL: {} accepts icmp all ports from 0.0.0.0/0 on 1"),
        ([HTTPS], [interface("sg-2")], "INFO: {} accepts tcp port 443 from 0.0.0.0/0, but is on no network interface"),
        ([HTTPS], [OF_ELB], "PASS: {} accepts tcp port 443 from 0.0.0.0/0, only on 1 network interfaces of services"),
        ([HTTPS], [interface("sg-1", InterfaceType="network_load_balancer")], "PASS"),
        ([HTTPS], [OF_ELB, interface("sg-1")], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 1 of 2 network interfaces: eni-1"),
        ([HTTPS], [UNATTACHED], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 1 of 1"),
        ([HTTPS], [interface("sg-1", id=f"eni-{n}") for n in range(4)], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 4 of 4 network interfaces: eni-0 (interface), eni-1 (interface), eni-2 (interface), ..."),
        ([rule("tcp", (443, 443), "10.0.0.0/8")], [interface("sg-1")], "PASS: {} accepts no traffic from everyone"),
        ([rule("-1", None, EVERYONE)], [interface("sg-1")], "FAIL: {} accepts all traffic all ports from 0.0.0.0/0 on 1"),
    ],
)  # fmt: skip
def test_extra74(audit: Audit, rules: list[dict[str, Any]], on: list[dict[str, Any]], expected: str) -> None:
    found = run(audit, "extra74", {**groups(group(*rules)), **interfaces(*on)})
    assert found["sg-1"].startswith(expected.format(LABEL))


def test_extra74_lists_interfaces_once_and_only_for_open_groups(audit: Audit) -> None:
    many = [group(rule("-1", None, "10.0.0.0/8"), GroupId=f"sg-{n:03}") for n in range(100)]
    last = group(HTTPS, GroupId="sg-last")
    found = run(audit, "extra74", {**groups(*many, last), **interfaces(interface("sg-last"))})
    assert found["sg-last"].startswith("FAIL")
    assert [text[:4] for text in found.values()].count("PASS") == 100
    assert [call[2] for call in audit.backend.calls] == ["DescribeSecurityGroups", "DescribeNetworkInterfaces"]
    refused: dict[str, Stub] = {"ec2:DescribeNetworkInterfaces": unauthorized("DescribeNetworkInterfaces")}
    denied = run(audit, "extra74", {**groups(many[0], last), **refused})
    assert denied["sg-last"].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeNetworkInterfaces is needed")
    assert denied["sg-000"].startswith("PASS")


def test_extra74_exemptions_can_be_chosen(audit: Audit) -> None:
    answers = {**groups(group(HTTPS)), **interfaces(OF_ELB)}
    assert run(audit, "extra74", answers, open_sg_allowed_instance_owners=[])["sg-1"].startswith("FAIL")
    types = {"open_sg_allowed_instance_owners": [], "open_sg_allowed_interface_types": ["interface"]}
    assert run(audit, "extra74", answers, **types)["sg-1"].startswith("PASS")


# -- wide ranges, number of rules


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("8.0.0.0/8", "FAIL"), ("8.8.0.0/16", "FAIL"), ("8.8.8.0/24", "PASS"), ("8.8.8.0/23", "FAIL"),
        ("10.0.0.0/8", "PASS"), ("10.0.0.0/7", "FAIL"), ("100.64.0.0/10", "PASS"), (EVERYONE, "PASS"),
        ("128.0.0.0/1", "FAIL"), ("8.8.8.8/16", "FAIL"), ("172.16.0.0/12", "PASS"), ("224.0.0.0/4", "PASS"),
        ("2600::/12", "PASS"), ("sg-2", "PASS"), ("pl-aws", "PASS"),
    ],
)  # fmt: skip
def test_extra778(audit: Audit, source: str, status: str) -> None:
    default = [rule("-1", None, EVERYONE)]
    lists = {**PREFIX_LISTS, "ec2:GetManagedPrefixListEntries": {"Entries": [{"Cidr": "52.0.0.0/11"}]}}
    own = group(rule("tcp", (443, 443), source), egress=default)
    found = run(audit, "extra778", {**groups(own), **lists})["sg-1"]
    if status == "FAIL":
        assert found == f"FAIL: {LABEL} names wide public ranges: inbound tcp port 443: {source}"
    else:
        assert found == f"PASS: {LABEL} names no public range wider than /24"


def test_extra778_outbound_lists_and_limit(audit: Audit) -> None:
    lists = {"ec2:GetManagedPrefixListEntries": {"Entries": [{"Cidr": "52.0.0.0/11"}]}}
    outbound = groups(group(egress=[rule("tcp", (443, 443), "52.0.0.0/11")]))
    assert run(audit, "extra778", outbound)["sg-1"].endswith("ranges: outbound tcp port 443: 52.0.0.0/11")
    listed = groups(group(egress=[rule("tcp", (443, 443), "pl-own")]))
    assert run(audit, "extra778", {**listed, **lists})["sg-1"].endswith("outbound tcp port 443: 52.0.0.0/11 (pl-own)")
    assert run(audit, "extra778", outbound, min_public_prefix_length=11)["sg-1"].startswith("PASS")


def many(number: int, form: str = "9.9.9.{}/32") -> list[str]:
    return [form.format(n) for n in range(number)]


@pytest.mark.parametrize(
    ("inbound", "outbound", "expected"),
    [
        (many(50), [], "PASS 50 inbound and 0 outbound"),
        (many(51), [], "FAIL 51 inbound and 0 outbound"),
        (many(30) + many(21, "2600::{}/128"), [], "FAIL 51 inbound and 0 outbound"),
        ([], many(51), "FAIL 0 inbound and 51 outbound"),
        (many(30), many(30), "PASS 30 inbound and 30 outbound"),
        ([], [], "PASS 0 inbound and 0 outbound"),
        (many(51, "sg-{}"), [], "FAIL 51 inbound and 0 outbound"),
        (many(51, "pl-{}"), [], "FAIL 51 inbound and 0 outbound"),
    ],
)
def test_extra777(audit: Audit, inbound: list[str], outbound: list[str], expected: str) -> None:
    own = group(rule("tcp", (443, 443), *inbound), egress=[rule("tcp", (443, 443), *outbound)])
    status, _, counts = expected.partition(" ")
    found = run(audit, "extra777", groups(own))["sg-1"]
    assert found == f"{status}: {LABEL} has {counts} rules; the limit is 50 each"
    assert run(audit, "extra777", groups(own), max_security_group_rules=51)["sg-1"].startswith("PASS")


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
def test_extra749_and_extra761_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    opened = ec2.create_security_group(GroupName="open", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=opened, IpProtocol="tcp", FromPort=1521, ToPort=1521, CidrIp=EVERYONE)
    found = audit("extra749", regions=[HERE])
    assert found.pop(opened).endswith("opens Oracle Database port 1521: tcp port 1521 from 0.0.0.0/0")
    assert all(text.startswith("PASS") for text in found.values())
    ec2.enable_ebs_encryption_by_default()
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
    owners = {"extra729": {}, "extra76": {"Owners": ["self"]}}.get(check, {"OwnerIds": ["self"]})
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
    }
    assert run(audit, "extra72", answers) == {"snap-1": expected}


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

    found = run(audit, "extra72", {**snapshots(*((f"snap-{n}", False) for n in range(101))), attribute: shared})
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
