"""CIS AWS Foundations 1.2.0, section 4: networking."""

from fixtures.ec2 import DefaultSecurityGroup
from plugins.catalog import check


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
    inbound, outbound = group["IpPermissions"], group["IpPermissionsEgress"]
    where = f"{group['GroupId']} of {group['VpcId']} in {default_security_group.region}"
    assert not inbound and not outbound, f"{where} has {len(inbound)} inbound and {len(outbound)} outbound rules"
    return f"{where} has no rules"
