"""CIS AWS Foundations 1.2.0, section 4: networking."""

import pytest

from fixtures.rules.network import single_rules
from fixtures.services.ec2.security_groups import DefaultSecurityGroup, SecurityGroup
from fixtures.services.ec2.vpcs import PeeringConnection
from plugins.catalog import check

SECURITY_GROUPS = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"


@check(
    "check41",
    severity="high",
    level=1,
    remediation="Remove the rule or limit it to known addresses; better, use Session Manager or EC2 Instance Connect Endpoint.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 22 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_ssh_is_not_open_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups do not open SSH (port 22) to the internet."""
    openings = security_group.opens_to_the_world(22, "tcp")
    assert not openings, f"{security_group.label} opens SSH: {'; '.join(map(str, openings))}"
    return f"{security_group.label} does not open SSH to everyone"


@check(
    "check42",
    severity="high",
    level=1,
    remediation="Remove the rule or limit it to known addresses; better, use Fleet Manager or an RD gateway.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 3389 --cidr 0.0.0.0/0",
    url=SECURITY_GROUPS,
)
def test_rdp_is_not_open_to_the_internet(security_group: SecurityGroup) -> str:
    """Security groups do not open RDP (port 3389) to the internet."""
    # RDP has used UDP 3389 as well since version 8
    openings = security_group.opens_to_the_world(3389, "tcp", "udp")
    assert not openings, f"{security_group.label} opens RDP: {'; '.join(map(str, openings))}"
    return f"{security_group.label} does not open RDP to everyone"


@check(
    "check43",
    severity="high",
    level=2,
    remediation="Move members to dedicated groups, then delete all inbound and outbound rules of the default group.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --security-group-rule-ids RULE_ID"
    " && aws ec2 revoke-security-group-egress --group-id GROUP_ID --security-group-rule-ids RULE_ID",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
)
def test_default_security_group_has_no_rules(default_security_group: DefaultSecurityGroup) -> str:
    """Default security groups have no rules."""
    group = default_security_group.data
    inbound, outbound = single_rules(group["IpPermissions"]), single_rules(group["IpPermissionsEgress"])
    rules = [*(f"inbound {rule}" for rule in inbound), *(f"outbound {rule}" for rule in outbound)]
    where = f"{group['GroupId']} of {group['VpcId']} in {default_security_group.region}"
    shown = "; ".join(rules[:3]) + (f"; and {len(rules) - 3} more" if len(rules) > 3 else "")
    assert not rules, f"{where} has {len(inbound)} inbound and {len(outbound)} outbound rules: {shown}"
    return f"{where} has no rules"


@check(
    "check44",
    severity="medium",
    level=2,
    scored=False,
    remediation="Replace the broad route by routes to the subnets or hosts that must be reached.",
    command="aws ec2 delete-route --route-table-id RTB_ID --destination-cidr-block PEER_CIDR"
    " && aws ec2 create-route --route-table-id RTB_ID --destination-cidr-block SUBNET_CIDR"
    " --vpc-peering-connection-id PCX_ID",
    url="https://docs.aws.amazon.com/vpc/latest/peering/peering-configurations-partial-access.html",
)
def test_peering_routes_are_limited(vpc_peering_connection: PeeringConnection) -> str:
    """Routes over VPC peering connections are limited to what is needed."""
    peering = vpc_peering_connection
    assert not peering.broad_routes, f"{peering.label}: {'; '.join(peering.broad_routes)}"
    if not peering.routes:
        return f"{peering.label}: no active route uses it"
    shown = ", ".join(f"{table} to {destination}" for table, _, destination in peering.routes)
    if not peering.knows_remote_cidrs:
        pytest.skip(f"{peering.label}: the peer's CIDRs are not known, compare by hand: {shown}")
    return f"{peering.label}: {shown}"
