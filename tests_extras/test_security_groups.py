"""Security groups: ports open to the internet, wide ranges, number of rules, groups that nothing uses."""

from collections.abc import Mapping, Sequence

import pytest

from fixtures.rules.dated_facts import (
    CASSANDRA_PORTS,
    MEMCACHED_PORTS,
    MONGODB_PORTS,
    MYSQL_PORTS,
    ORACLE_PORTS,
    POSTGRESQL_PORTS,
    REDIS_PORTS,
    SEARCH_PORTS,
)
from fixtures.rules.network import Opening, rule_count
from fixtures.services.ec2.group_use import used_by
from fixtures.services.ec2.security_groups import SecurityGroup, interface_kind
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY

SECURITY_GROUPS = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
SHOWN = 3


def described(opened: Mapping[int, Sequence[Opening]]) -> str:
    """Ports that are open to everyone, and each rule that opens one of them once."""
    rules = dict.fromkeys(str(opening) for openings in opened.values() for opening in openings)
    return f"{', '.join(map(str, opened))}: {'; '.join(rules)}"


@check(
    "extra74",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Limit the source of the rule to known networks or to a security group; put public services behind a"
    " load balancer.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --ip-permissions 'OPEN_RULE_AS_JSON'",
    url=SECURITY_GROUPS,
)
def test_security_group_in_use_is_not_open_to_the_internet(
    security_group: SecurityGroup,
    *,
    open_sg_allowed_interface_types: Sequence[str] = [
        "api_gateway_managed",
        "vpc_endpoint",
        "load_balancer",
        "network_load_balancer",
    ],
    open_sg_allowed_instance_owners: Sequence[str] = ["amazon-elb"],
) -> str:
    """Security groups in use do not accept traffic from the whole internet."""
    group = security_group
    if not group.open_rules:
        return f"{group.label} accepts no traffic from everyone"
    found = f"{group.label} accepts {'; '.join(map(str, group.open_rules))}"
    if not group.interfaces:
        pytest.skip(f"{found}, but is on no network interface")
    exposed = [
        f"{interface['NetworkInterfaceId']} ({interface_kind(interface)})"
        for interface in group.interfaces
        if interface.get("InterfaceType") not in open_sg_allowed_interface_types
        and (interface.get("Attachment") or {}).get("InstanceOwnerId") not in open_sg_allowed_instance_owners
    ]
    shown = ", ".join(exposed[:SHOWN]) + (", ..." if len(exposed) > SHOWN else "")
    assert not exposed, f"{found} on {len(exposed)} of {len(group.interfaces)} network interfaces: {shown}"
    return f"{found}, only on {len(group.interfaces)} network interfaces of services that may be public"


@check(
    "extra75",
    severity="informational",
    remediation="Delete groups nobody uses after checking launch templates and idle services.",
    command="aws ec2 delete-security-group --group-id GROUP_ID",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html",
)
def test_security_group_is_used(security_group: SecurityGroup) -> str:
    """Every security group is in use."""
    use, label = used_by(security_group), security_group.label
    if not use and security_group.data["GroupName"] == "default":
        pytest.skip(f"{label} is used by nothing, but a default group cannot be deleted")
    assert use, (
        f"{label} is used by no network interface, function, rule of another group, launch template or configuration,"
        " CodeBuild project or VPC Lattice association; other services scaled to zero were not searched"
    )
    return f"{label} is used by {use}"


@check(
    "extra748",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Delete the rule and allow only the ports and networks the workload needs.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol all --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_security_group_does_not_open_all_ports(security_group: SecurityGroup) -> str:
    """No security group opens all ports to the internet."""
    openings = security_group.all_ports_openings
    assert not openings, f"{security_group.label} opens all ports: {'; '.join(map(str, openings))}"
    return f"{security_group.label} does not open all ports to everyone"


@check(
    "extra749",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " Oracle Database.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 1521 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_oracle_ports_are_closed_to_the_internet(
    security_group: SecurityGroup, *, oracle_ports: Sequence[int] = ORACLE_PORTS
) -> str:
    """Security groups keep Oracle Database ports closed to the internet."""
    opened = security_group.open_ports(oracle_ports, "tcp")
    assert not opened, f"{security_group.label} opens Oracle Database port {described(opened)}"
    return f"{security_group.label} opens no Oracle Database port to everyone"


@check(
    "extra750",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " MySQL.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 3306 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_mysql_port_is_closed_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups keep the MySQL port closed to the internet."""
    opened = security_group.open_ports(MYSQL_PORTS, "tcp")
    assert not opened, f"{security_group.label} opens MySQL port {described(opened)}"
    return f"{security_group.label} opens no MySQL port to everyone"


@check(
    "extra751",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " PostgreSQL.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 5432 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_postgresql_port_is_closed_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups keep the PostgreSQL port closed to the internet."""
    opened = security_group.open_ports(POSTGRESQL_PORTS, "tcp")
    assert not opened, f"{security_group.label} opens PostgreSQL port {described(opened)}"
    return f"{security_group.label} opens no PostgreSQL port to everyone"


@check(
    "extra752",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " Redis.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 6379 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_redis_port_is_closed_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups keep the Redis port closed to the internet."""
    opened = security_group.open_ports(REDIS_PORTS, "tcp")
    assert not opened, f"{security_group.label} opens Redis port {described(opened)}"
    return f"{security_group.label} opens no Redis port to everyone"


@check(
    "extra753",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " MongoDB.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 27017 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_mongodb_ports_are_closed_to_the_internet(
    security_group: SecurityGroup, *, mongodb_ports: Sequence[int] = MONGODB_PORTS
) -> str:
    """Security groups keep MongoDB ports closed to the internet."""
    opened = security_group.open_ports(mongodb_ports, "tcp")
    assert not opened, f"{security_group.label} opens MongoDB port {described(opened)}"
    return f"{security_group.label} opens no MongoDB port to everyone"


@check(
    "extra754",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " Cassandra.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 7000 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_cassandra_ports_are_closed_to_the_internet(
    security_group: SecurityGroup, *, cassandra_ports: Sequence[int] = CASSANDRA_PORTS
) -> str:
    """Security groups keep Cassandra ports closed to the internet."""
    opened = security_group.open_ports(cassandra_ports, "tcp")
    assert not opened, f"{security_group.label} opens Cassandra port {described(opened)}"
    return f"{security_group.label} opens no Cassandra port to everyone"


@check(
    "extra755",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " Memcached.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol udp --port 11211 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_memcached_port_is_closed_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups keep the Memcached port closed to the internet, TCP and UDP."""
    opened = security_group.open_ports(MEMCACHED_PORTS, "tcp", "udp")
    assert not opened, f"{security_group.label} opens Memcached port {described(opened)}"
    return f"{security_group.label} opens no Memcached port to everyone"


@check(
    "extra779",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the open rule by one that names the client security groups or the few networks that need"
    " Elasticsearch/OpenSearch or Kibana.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 9200 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_search_ports_are_closed_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups keep Elasticsearch and Kibana ports closed to the internet."""
    opened = security_group.open_ports(SEARCH_PORTS, "tcp")
    assert not opened, f"{security_group.label} opens Elasticsearch and Kibana port {described(opened)}"
    return f"{security_group.label} opens no Elasticsearch and Kibana port to everyone"


@check(
    "extra778",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the wide range by the addresses that really need access, kept in a prefix list.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol PROTOCOL --port PORT --cidr CIDR",
    url=SECURITY_GROUPS,
)
def test_security_group_names_no_wide_public_range(
    security_group: SecurityGroup, *, min_public_prefix_length: int = 24
) -> str:
    """Security group rules do not name very large public IPv4 ranges."""
    wide = security_group.wide_public_ranges(min_public_prefix_length)
    assert not wide, f"{security_group.label} names wide public ranges: {'; '.join(wide)}"
    return f"{security_group.label} names no public range wider than /{min_public_prefix_length}"


@check(
    "extra777",
    severity="medium",
    remediation="Merge ranges, use prefix lists or group references, and split groups by role.",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
)
def test_security_group_has_few_rules(security_group: SecurityGroup, *, max_security_group_rules: int = 50) -> str:
    """Security groups do not carry an excessive number of rules."""
    group = security_group.data
    inbound, outbound = rule_count(group["IpPermissions"]), rule_count(group["IpPermissionsEgress"])
    found = f"{security_group.label} has {inbound} inbound and {outbound} outbound rules"
    assert max(inbound, outbound) <= max_security_group_rules, f"{found}; the limit is {max_security_group_rules} each"
    return f"{found}; the limit is {max_security_group_rules} each"
