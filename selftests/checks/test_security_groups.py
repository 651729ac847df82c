"""The checks of tests_extras/test_security_groups.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.endpoints import NOT_OFFERED
from fixtures.api.errors import ApiError
from selftests.checks.test_cis_4_networking import PREFIX_LISTS, gone, group, groups, rule, unauthorized
from selftests.checks_harness import failed
from selftests.conftest import ACCOUNT, Audit, Stub

HERE = "eu-west-1"
EVERYONE, EVERYONE6 = "0.0.0.0/0", "::/0"
LABEL = f"sg-1 (web) of vpc-1 in {HERE}"


def run(audit: Audit, check: str, answers: dict[str, Stub], **settings: Any) -> dict[str, str]:
    return audit(check, answers=answers, live=False, regions=[HERE], **settings)


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
        ("prefix list of one rule of two", [rule("tcp", exact, "10.0.0.0/8"), rule("tcp", exact, "pl-own")], f"{fail}: tcp port {port} from 0.0.0.0/0 (pl-own)"),
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


@pytest.mark.parametrize("check", [*BY_GROUP, "extra777", "extra75"])
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
        ([HTTPS], [interface("sg-1", id=f"eni-{n}") for n in range(3)], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 3 of 3 network interfaces: eni-0 (interface), eni-1 (interface), eni-2 (interface)"),
        ([HTTPS], [interface("sg-1", id=f"eni-{n}") for n in range(4)], "FAIL: {} accepts tcp port 443 from 0.0.0.0/0 on 4 of 4 network interfaces: eni-0 (interface), eni-1 (interface), eni-2 (interface), ..."),
        ([rule("tcp", (443, 443), "10.0.0.0/8")], [interface("sg-1")], "PASS: {} accepts no traffic from everyone"),
        ([rule("-1", None, EVERYONE)], [interface("sg-1")], "FAIL: {} accepts all traffic all ports from 0.0.0.0/0 on 1"),
    ],
)  # fmt: skip
def test_extra74(audit: Audit, rules: list[dict[str, Any]], on: list[dict[str, Any]], expected: str) -> None:
    found = run(audit, "extra74", {**groups(group(*rules)), **interfaces(*on)})
    assert found["sg-1"].startswith(expected.format(LABEL))
    assert found["sg-1"].endswith("...") == (len(on) > 3)


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
        ("198.19.0.0/16", "PASS"), ("198.18.0.0/15", "PASS"), ("198.16.0.0/14", "FAIL"), ("0.0.0.0/8", "PASS"), ("0.0.0.0/7", "FAIL"),
        ("240.0.0.0/4", "PASS"), ("224.0.0.0/3", "PASS"), ("192.0.0.0/16", "FAIL"),
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


# -- use


def functions(*found: tuple[str, list[str]]) -> dict[str, Stub]:
    """Lambda functions by name and the security groups of their VPC configuration."""
    listed = [{"FunctionName": name, "VpcConfig": {"SecurityGroupIds": carried}} for name, carried in found]
    return {"lambda:ListFunctions": {"Functions": [*listed, {"FunctionName": "without-vpc"}]}}


NAMES_IT = rule("tcp", (5432, 5432), "sg-1")
OTHER: dict[str, Any] = {"GroupId": "sg-2", "GroupName": "other"}
UNUSED = (
    "is used by no network interface, function, rule of another group, launch template or configuration, CodeBuild project"
    " or VPC Lattice association; other services scaled to zero were not searched"
)
NOTHING_ELSE: dict[str, Stub] = {
    "autoscaling:DescribeLaunchConfigurations": {"LaunchConfigurations": []},
    "ec2:DescribeLaunchTemplates": {"LaunchTemplates": []},
    "codebuild:ListProjects": {"projects": []},
    "vpc-lattice:ListServiceNetworkVpcAssociations": {"items": []},
}
"""Of all that may name a group without being an interface, nothing."""


def template(*versions: dict[str, Any]) -> dict[str, Stub]:
    """A launch template with the data of its versions."""
    numbered = [{"VersionNumber": n, "LaunchTemplateData": data} for n, data in enumerate(versions, 1)]
    return {
        "ec2:DescribeLaunchTemplates": {"LaunchTemplates": [{"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web"}]},
        "ec2:DescribeLaunchTemplateVersions": {"LaunchTemplateVersions": numbered},
    }


def project(*groups: str) -> dict[str, Stub]:
    """CodeBuild projects, of which the last is in a VPC with these groups."""
    names = [f"p{n}" for n in range(101)]

    def described(params: dict[str, Any]) -> dict[str, Any]:
        of_last = {"vpcConfig": {"vpcId": "vpc-1", "securityGroupIds": list(groups)}}
        return {"projects": [{"name": name, **(of_last if name == "p100" else {})} for name in params["names"]]}

    return {"codebuild:ListProjects": {"projects": names}, "codebuild:BatchGetProjects": described}


def association(*groups: str) -> dict[str, Stub]:
    """A VPC Lattice association with these groups."""
    return {
        "vpc-lattice:ListServiceNetworkVpcAssociations": {
            "items": [{"id": "snva-0123456789abcdef0", "vpcId": "vpc-1"}]
        },
        "vpc-lattice:GetServiceNetworkVpcAssociation": {
            "id": "snva-0123456789abcdef0",
            "securityGroupIds": list(groups),
        },
    }


def configuration(*groups: str) -> dict[str, Stub]:
    """A launch configuration with these groups."""
    one = {"LaunchConfigurationName": "lc", "SecurityGroups": list(groups)}
    return {
        "autoscaling:DescribeLaunchConfigurations": {"LaunchConfigurations": [one, {"LaunchConfigurationName": "b"}]}
    }


@pytest.mark.parametrize(
    ("naming", "expected"),
    [
        (template({"SecurityGroupIds": ["sg-1"]}), "the launch templates lt-1"),
        (template({"SecurityGroupIds": ["sg-1"]}, {"SecurityGroupIds": ["sg-2"]}), "the launch templates lt-1"),
        (template({}, {"NetworkInterfaces": [{"Groups": ["sg-2"]}, {"Groups": ["sg-1"]}]}), "the launch templates lt-1"),
        (template({"SecurityGroups": ["web"]}), "the launch templates lt-1"),
        (template({"SecurityGroups": ["other"], "SecurityGroupIds": ["sg-2"]}), ""),
        (configuration("sg-1"), "the launch configurations lc"),
        (configuration("sg-2"), ""),
        (project("sg-2", "sg-1"), "the CodeBuild projects p100"),
        (project("sg-2"), ""),
        (association("sg-1"), "the VPC Lattice associations snva-0123456789abcdef0"),
        (association("sg-2"), ""),
        (association(), ""),
        ({**association(), "vpc-lattice:GetServiceNetworkVpcAssociation": failed("ResourceNotFoundException")}, ""),
        ({**template(), "ec2:DescribeLaunchTemplateVersions": failed("InvalidLaunchTemplateId.NotFound")}, ""),
        ({"codebuild:ListProjects": failed(NOT_OFFERED), **association("sg-1")}, "the VPC Lattice associations snva-0123456789abcdef0"),
        ({"vpc-lattice:ListServiceNetworkVpcAssociations": failed(NOT_OFFERED)}, ""),
    ],
)  # fmt: skip
def test_extra75_what_has_no_interface_yet(audit: Audit, naming: dict[str, Stub], expected: str) -> None:
    """Deleting the group would break the next launch or build."""
    nowhere = {**groups(group()), **interfaces(), **functions(), **NOTHING_ELSE}
    found = run(audit, "extra75", {**nowhere, **naming})["sg-1"]
    assert found == (f"PASS: {LABEL} is used by {expected}" if expected else f"FAIL: {LABEL} {UNUSED}")


@pytest.mark.parametrize(
    ("call", "world"),
    [
        ("autoscaling:DescribeLaunchConfigurations", {}),
        ("ec2:DescribeLaunchTemplates", {}),
        ("ec2:DescribeLaunchTemplateVersions", template()),
        ("codebuild:ListProjects", {}),
        ("codebuild:BatchGetProjects", project()),
        ("vpc-lattice:ListServiceNetworkVpcAssociations", {}),
        ("vpc-lattice:GetServiceNetworkVpcAssociation", association()),
    ],
)
def test_extra75_what_cannot_be_searched(audit: Audit, call: str, world: dict[str, Stub]) -> None:
    nowhere = {**groups(group()), **interfaces(), **functions(), **NOTHING_ELSE, **world}
    found = run(audit, "extra75", {**nowhere, call: failed("AccessDenied")})["sg-1"]
    assert found.startswith(f"ERROR: access denied in {HERE}: {call} is needed")
    on = run(audit, "extra75", {**nowhere, **interfaces(interface("sg-1")), call: failed("AccessDenied")})
    assert on["sg-1"].startswith("PASS")


def test_managed_interfaces_count_and_say_who_manages_them(audit: Audit) -> None:
    """AWS lists them only when asked for: Amazon EC2 API reference, IncludeManagedResources."""
    hidden = interface("sg-1", Operator={"Managed": True, "Principal": "eks.amazonaws.com", "HiddenByDefault": True})
    answers: dict[str, Stub] = {
        **groups(group(rule("tcp", (443, 443), EVERYONE))),
        "ec2:DescribeNetworkInterfaces": lambda p: {
            "NetworkInterfaces": [hidden] if p.get("IncludeManagedResources") else []
        },
    }
    on = "on 1 of 1 network interfaces: eni-1 (interface, managed by eks.amazonaws.com)"
    assert run(audit, "extra74", answers)["sg-1"].endswith(on)
    used = run(audit, "extra75", answers)["sg-1"]
    assert used == f"PASS: {LABEL} is used by 1 network interfaces (managed by eks.amazonaws.com)"


@pytest.mark.parametrize(
    ("found", "on", "carried", "expected"),
    [
        ([group()], [interface("sg-1")], [], "PASS: {} is used by 1 network interfaces"),
        ([group()], [UNATTACHED, interface("sg-2", "sg-1", id="eni-2")], [], "PASS: {} is used by 2 network interfaces"),
        ([group()], [interface("sg-2")], ["sg-2"], f"FAIL: {{}} {UNUSED}"),
        ([group(GroupName="default")], [], [], "INFO: {} is used by nothing, but a default group cannot be deleted"),
        ([group(GroupName="default")], [interface("sg-1")], [], "PASS: {} is used by 1 network interfaces"),
        ([group(), group(NAMES_IT, **OTHER)], [], [], "PASS: {} is used by the rules of sg-2"),
        ([group(), group(egress=[NAMES_IT], **OTHER)], [], [], "PASS: {} is used by the rules of sg-2"),
        ([group(), group(NAMES_IT, NAMES_IT, egress=[NAMES_IT], **OTHER)], [], [], "PASS: {} is used by the rules of sg-2"),
        ([group(), group(NAMES_IT, OwnerId="999999999999", **OTHER)], [], [], "PASS: {} is used by the rules of sg-2"),
        ([group(NAMES_IT)], [], [], f"FAIL: {{}} {UNUSED}"),
        ([group(egress=[NAMES_IT])], [], [], f"FAIL: {{}} {UNUSED}"),
        ([group(NAMES_IT), group(NAMES_IT, **OTHER)], [], [], "PASS: {} is used by the rules of sg-2"),
        ([group()], [], ["sg-2", "sg-1"], "PASS: {} is used by the functions idle"),
    ],
)  # fmt: skip
def test_extra75(
    audit: Audit, found: list[dict[str, Any]], on: list[dict[str, Any]], carried: list[str], expected: str
) -> None:
    answers = {**groups(*found), **interfaces(*on), **functions(("idle", carried)), **NOTHING_ELSE}
    label = LABEL.replace("(web)", f"({found[0]['GroupName']})")
    assert run(audit, "extra75", answers)["sg-1"] == expected.format(label)


def test_extra75_never_fails_on_an_incomplete_picture(audit: Audit) -> None:
    """What is known to use a group is enough; else what cannot be read is an ERROR."""
    five = groups(
        group(GroupId="sg-on"),
        group(GroupId="sg-named"),
        group(rule("-1", None, "sg-named"), GroupId="sg-idle"),
        group(GroupId="sg-function"),
        group(GroupId="sg-default", GroupName="default"),
    )
    seen: dict[str, Stub] = {
        **five, **interfaces(interface("sg-on")), **functions(("f", ["sg-function"])), **NOTHING_ELSE
    }  # fmt: skip
    assert {id: text[:5].strip(":") for id, text in run(audit, "extra75", seen).items()} == {
        "sg-on": "PASS", "sg-named": "PASS", "sg-idle": "FAIL", "sg-function": "PASS", "sg-default": "INFO",
    }  # fmt: skip
    operations = [call[2] for call in audit.backend.calls]
    searched = [call.partition(":")[2] for call in NOTHING_ELSE]
    assert sorted(operations) == sorted(
        [*searched, "DescribeNetworkInterfaces", "DescribeSecurityGroups", "ListFunctions"]
    )
    no_functions = ApiError("lambda", "ListFunctions", "AccessDeniedException", "no")
    found = run(audit, "extra75", {**seen, "lambda:ListFunctions": no_functions})
    assert [id for id, text in found.items() if text.startswith("PASS")] == ["sg-on", "sg-named"]
    for id in ("sg-idle", "sg-function", "sg-default"):
        assert found[id].startswith(f"ERROR: access denied in {HERE}: lambda:ListFunctions is needed")
    denied = run(audit, "extra75", {**seen, "ec2:DescribeNetworkInterfaces": unauthorized("DescribeNetworkInterfaces")})
    assert [id for id, text in denied.items() if text.startswith("PASS")] == ["sg-named", "sg-function"]
    for id in ("sg-on", "sg-idle", "sg-default"):
        assert denied[id].startswith(f"ERROR: access denied in {HERE}: ec2:DescribeNetworkInterfaces is needed")


def test_extra75_asks_for_functions_only_when_nothing_else_is_found(audit: Audit) -> None:
    used = {**groups(group(), group(NAMES_IT, **OTHER)), **interfaces(interface("sg-2"))}
    assert {text[:4] for text in run(audit, "extra75", used).values()} == {"PASS"}


@pytest.mark.usefixtures("moto")
def test_extra75_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ids = {name: ec2.create_security_group(GroupName=name, Description="d")["GroupId"] for name in ("used", "idle")}
    ec2.create_network_interface(SubnetId=subnet, Groups=[ids["used"]])
    found = audit("extra75", regions=[HERE])
    assert found.pop(ids["used"]).endswith("is used by 1 network interfaces")
    assert found.pop(ids["idle"]).startswith("FAIL")
    assert [text[:4] for text in found.values()] == ["INFO"]


@pytest.mark.usefixtures("moto")
def test_extra749_against_moto(audit: Audit) -> None:
    ec2 = boto3.client("ec2", HERE)
    opened = ec2.create_security_group(GroupName="open", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=opened, IpProtocol="tcp", FromPort=1521, ToPort=1521, CidrIp=EVERYONE)
    found = audit("extra749", regions=[HERE])
    assert found.pop(opened).endswith("opens Oracle Database port 1521: tcp port 1521 from 0.0.0.0/0")
    assert all(text.startswith("PASS") for text in found.values())
