"""EC2: security groups, instances, volumes, snapshots, images and Elastic IP addresses."""

from collections.abc import Mapping, Sequence

import pytest

from fixtures.ebs import EbsSettings, Image, Snapshot, Volume
from fixtures.ec2 import ElasticIp, Instance, SecurityGroup
from fixtures.network import Opening, rule_count
from plugins.catalog import check

DATA_EXPOSURE = "Effects/Data Exposure"
NETWORK_REACHABILITY = "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"
SECURITY_GROUPS = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
PATCHING = "https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html"
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
        f"{interface['NetworkInterfaceId']} ({interface.get('InterfaceType', 'interface')})"
        for interface in group.interfaces
        if interface.get("InterfaceType") not in open_sg_allowed_interface_types
        and (interface.get("Attachment") or {}).get("InstanceOwnerId") not in open_sg_allowed_instance_owners
    ]
    shown = ", ".join(exposed[:SHOWN]) + (", ..." if len(exposed) > SHOWN else "")
    assert not exposed, f"{found} on {len(exposed)} of {len(group.interfaces)} network interfaces: {shown}"
    return f"{found}, only on {len(group.interfaces)} network interfaces of services that may be public"


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
    security_group: SecurityGroup, *, oracle_ports: Sequence[int] = [1521, 2483, 2484]
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
    opened = security_group.open_ports((3306,), "tcp")
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
    opened = security_group.open_ports((5432,), "tcp")
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
    opened = security_group.open_ports((6379,), "tcp")
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
    security_group: SecurityGroup, *, mongodb_ports: Sequence[int] = [27017, 27018]
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
    security_group: SecurityGroup, *, cassandra_ports: Sequence[int] = [7000, 7001, 7199, 8888, 9042, 9160]
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
    opened = security_group.open_ports((11211,), "tcp", "udp")
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
    opened = security_group.open_ports((9200, 9300, 5601), "tcp")
    assert not opened, f"{security_group.label} opens Elasticsearch and Kibana port {described(opened)}"
    return f"{security_group.label} opens no Elasticsearch and Kibana port to everyone"


@check(
    "extra757",
    severity="medium",
    remediation="Rebuild long-running instances from a current image, or show that they are patched.",
    command="aws ssm describe-instance-patch-states --instance-ids INSTANCE_ID",
    url=PATCHING,
)
def test_instance_was_launched_within_6_months(instance: Instance, *, ec2_instance_age_days_short: int = 180) -> str:
    """Running EC2 instances were launched within the last 6 months."""
    found = f"{instance.label} was launched on {instance.launched:%Y-%m-%d}, {instance.age} days ago"
    if instance.state not in ("pending", "running"):
        pytest.skip(f"{found}: the age of an instance that does not run is not judged")
    assert instance.age <= ec2_instance_age_days_short, f"{found}; the limit is {ec2_instance_age_days_short}"
    return f"{found}; the limit is {ec2_instance_age_days_short}"


@check(
    "extra758",
    severity="medium",
    remediation="Rebuild long-running instances from a current image, or show that they are patched.",
    command="aws ssm describe-instance-patch-states --instance-ids INSTANCE_ID",
    url=PATCHING,
)
def test_instance_was_launched_within_12_months(instance: Instance, *, ec2_instance_age_days_long: int = 365) -> str:
    """Running EC2 instances were launched within the last 12 months."""
    found = f"{instance.label} was launched on {instance.launched:%Y-%m-%d}, {instance.age} days ago"
    if instance.state not in ("pending", "running"):
        pytest.skip(f"{found}: the age of an instance that does not run is not judged")
    assert instance.age <= ec2_instance_age_days_long, f"{found}; the limit is {ec2_instance_age_days_long}"
    return f"{found}; the limit is {ec2_instance_age_days_long}"


@check(
    "extra770",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Take the public address away or detach the profile; if both are needed, cut the role down and require"
    " IMDSv2.",
    command="aws ec2 disassociate-iam-instance-profile --association-id ASSOCIATION_ID",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
)
def test_public_instance_has_no_profile(instance: Instance) -> str:
    """Internet-facing EC2 instances carry no instance profile."""
    if not instance.instance_profile:
        return f"{instance.label} has no instance profile"
    profile, addresses = instance.data["IamInstanceProfile"]["Arn"], instance.public_addresses
    assert not addresses, f"{instance.label} has the public addresses {', '.join(addresses)} and the profile {profile}"
    return f"{instance.label} has no public address"


@check(
    "extra710",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Move the instance to a private subnet and publish it through a load balancer with a web ACL.",
    command="aws ec2 disassociate-address --association-id ASSOCIATION_ID",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
)
def test_instance_is_not_reachable_from_the_internet(instance: Instance) -> str:
    """EC2 instances are not directly reachable from the internet."""
    addresses, name = instance.public_addresses, instance.data.get("PublicDnsName")
    shown = ", ".join(addresses) + (f" ({name})" if name else "")
    assert not addresses, f"{instance.label} has the public addresses {shown}"
    return f"{instance.label} has no public address"


@check(
    "extra761",
    severity="medium",
    remediation="Turn default encryption on in each region, with a customer managed key where needed.",
    command="aws ec2 enable-ebs-encryption-by-default --region REGION",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
)
def test_ebs_encrypts_by_default(ebs_settings: EbsSettings) -> str:
    """Default encryption of new EBS volumes is on in every region."""
    assert ebs_settings.encrypts_by_default, f"default encryption is off in {ebs_settings.region}"
    return f"default encryption is on in {ebs_settings.region}"


@check(
    "extra786",
    severity="medium",
    remediation="Require session tokens after making sure the software on the instance uses IMDSv2; set the account"
    " default for new instances.",
    command="aws ec2 modify-instance-metadata-options --instance-id INSTANCE_ID --http-tokens required"
    " --http-endpoint enabled",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
)
def test_instance_requires_imdsv2(instance: Instance) -> str:
    """EC2 instances accept IMDSv2 only or have the metadata service off."""
    options = instance.data.get("MetadataOptions") or {}
    found = f"{instance.label}: " + ", ".join(
        f"{key} {options.get(key, 'not given')}" for key in ("HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit")
    )
    assert options.get("HttpTokens") == "required" or options.get("HttpEndpoint") == "disabled", found
    return found


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


@check(
    "extra72",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Remove the public permission and share with named accounts only; then block public sharing for the"
    " account.",
    command="aws ec2 modify-snapshot-attribute --snapshot-id SNAPSHOT_ID --attribute createVolumePermission"
    " --operation-type remove --group-names all",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",
)
def test_snapshot_is_not_public(snapshot: Snapshot) -> str:
    """EBS snapshots are not shared with everyone."""
    if snapshot.is_encrypted:
        return f"{snapshot.label} is encrypted and so cannot be public"
    accounts = [entry["UserId"] for entry in snapshot.permissions if entry.get("UserId")]
    is_public = any(entry.get("Group") == "all" for entry in snapshot.permissions)
    assert not is_public, f"{snapshot.label} is public"
    return f"{snapshot.label} is not public; it is shared with {len(accounts)} accounts"


@check(
    "extra729",
    severity="medium",
    remediation="Snapshot the volume, copy the snapshot encrypted, create a volume from the copy and swap it in; turn on"
    " default encryption.",
    command="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id SNAPSHOT_ID --encrypted",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
)
def test_volume_is_encrypted(volume: Volume) -> str:
    """EBS volumes are encrypted."""
    assert volume.is_encrypted, f"{volume.label} is not encrypted"
    return f"{volume.label} is encrypted with {volume.data.get('KmsKeyId', 'a key not named')}"


@check(
    "extra740",
    severity="medium",
    remediation="Copy the snapshot with encryption and delete the plain one; turn on default encryption.",
    command="aws ec2 copy-snapshot --source-region REGION --source-snapshot-id SNAPSHOT_ID --encrypted",
    url="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
)
def test_snapshot_is_encrypted(snapshot: Snapshot) -> str:
    """EBS snapshots are encrypted."""
    found = f"{snapshot.label}, begun on {snapshot.data['StartTime']:%Y-%m-%d},"
    assert snapshot.is_encrypted, f"{found} is not encrypted"
    return f"{found} is encrypted with {snapshot.data.get('KmsKeyId', 'a key not named')}"


@check(
    "extra76",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Remove the public launch permission and share with named accounts or the organization; block public"
    " sharing of images.",
    command='aws ec2 modify-image-attribute --image-id IMAGE_ID --launch-permission "Remove=[{Group=all}]"',
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html",
)
def test_image_is_not_public(image: Image) -> str:
    """AMIs owned by the account are not public."""
    assert not image.data["Public"], f"{image.label} is public"
    return f"{image.label} is not public"


@check(
    "extra772",
    severity="low",
    remediation="Release addresses nobody needs, after checking DNS records and allow-lists that name them.",
    command="aws ec2 release-address --allocation-id ALLOCATION_ID",
    url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html",
)
def test_elastic_ip_is_associated(elastic_ip: ElasticIp) -> str:
    """Elastic IP addresses are associated with something."""
    assert elastic_ip.used_by, f"{elastic_ip.label} is not associated with anything"
    return f"{elastic_ip.label} is associated with {elastic_ip.used_by}"
