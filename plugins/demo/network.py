"""The sample organization's networks and machines: security groups, VPCs, instances, volumes, load balancers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from plugins.demo.account import (
    EVERYWHERE,
    FAKE_ACCESS_KEY,
    FAKE_PASSWORD,
    FAKE_SECRET_KEY,
    HOME_REGION,
    MANAGEMENT,
    PRODUCTION,
    SANDBOX,
    DemoAccount,
    tags,
)

EVERYONE, EVERYONE6 = "0.0.0.0/0", "::/0"
SECRET_USER_DATA = (
    f"#!/bin/bash\nexport AWS_ACCESS_KEY_ID={FAKE_ACCESS_KEY}\nexport AWS_SECRET_ACCESS_KEY={FAKE_SECRET_KEY}\n"
    f"export DB_PASSWORD='{FAKE_PASSWORD}'\n"
)


def opens(first: int, *sources: str, last: int | None = None, protocol: str = "tcp") -> dict[str, Any]:
    """An inbound rule: ports ``first`` to ``last`` from IPv4 and IPv6 ranges."""
    return {
        "IpProtocol": protocol, "FromPort": first, "ToPort": first if last is None else last,
        "IpRanges": [{"CidrIp": source, "Description": "office"} for source in sources if ":" not in source],
        "Ipv6Ranges": [{"CidrIpv6": source} for source in sources if ":" in source],
    }  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A security group to make."""

    name: str
    rules: list[dict[str, Any]]
    accounts: Collection[str] = EVERYWHERE
    description: str = "demo"


GROUPS = [
    Group("web", [opens(443, EVERYONE)], description="HTTPS for everyone"),
    Group("bastion", [opens(22, "203.0.113.0/24")], description="SSH from the office"),
    Group("database", [opens(5432, "10.0.0.0/8")], accounts={MANAGEMENT, PRODUCTION}),
    Group("ssh-open", [opens(22, EVERYONE)], accounts={PRODUCTION, SANDBOX}),
    Group("rdp-open", [opens(3389, EVERYONE, EVERYONE6)], accounts={SANDBOX}),
    Group("ssh-open-ipv6", [opens(22, EVERYONE6)], accounts={PRODUCTION}),
    Group("range-around-rdp", [opens(3000, EVERYONE, last=4000)], accounts={PRODUCTION}),
    Group("all-ports", [opens(0, EVERYONE, last=65535)], accounts={SANDBOX}),
    Group("all-protocols", [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYONE}]}], accounts={SANDBOX}),
    Group("two-halves", [opens(22, "0.0.0.0/1", "128.0.0.0/1")], accounts={SANDBOX}),
    Group("databases-open", [opens(port, EVERYONE) for port in (1521, 3306, 5432, 6379, 9042, 9200, 11211, 27017)],
          accounts={SANDBOX}),
    # What AWS allows in a group's name and reports have to survive.
    Group("=cmd [a::b];{}$*", [opens(443, "198.51.100.0/24")], accounts={SANDBOX}, description="=1+1 ._-:/()#,@[]+=&;{}!$*"),
]  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """An EC2 instance to make."""

    name: str
    accounts: Collection[str]
    group: str
    profile: bool = True
    imdsv2: bool = True
    secret: bool = False


MACHINES = [
    Machine("web", {MANAGEMENT, PRODUCTION}, "web"),
    Machine("batch", {PRODUCTION}, "database", profile=False),
    Machine('dev "box" <script>alert(1)</script>', {SANDBOX}, "ssh-open", imdsv2=False, secret=True),
    Machine("=HYPERLINK(\u202e)", {SANDBOX}, "all-ports", profile=False, imdsv2=False),
]


def build_region(account: DemoAccount, region: str) -> None:
    """Networks and machines of one region; the instance profile and the buckets are there already."""
    ec2 = account.client("ec2", region)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    peer = ""
    if region == HOME_REGION and account.name != SANDBOX:
        named = [{"ResourceType": "vpc", "Tags": tags(Name="peer")}]
        peer = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=named)["Vpc"]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    groups = _security_groups(account, ec2, vpc)
    machines = _machines(account, ec2, groups, subnets[0])
    _storage(account, ec2, region)
    _flow_logs(account, ec2, region, vpc, peer)
    if peer:
        _peering(account, ec2, vpc, peer)
    _addresses(account, ec2, machines)
    _load_balancers(account, region, subnets[:2], groups["web"], vpc)


def _security_groups(account: DemoAccount, ec2: Any, vpc: str) -> dict[str, str]:
    made = {}
    for group in GROUPS:
        if account.name in group.accounts:
            id = ec2.create_security_group(GroupName=group.name, Description=group.description, VpcId=vpc)["GroupId"]
            ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=group.rules)
            made[group.name] = id
    if account.name == MANAGEMENT:
        named = [{"Name": "group-name", "Values": ["default"]}]
        for default in ec2.describe_security_groups(Filters=named)["SecurityGroups"]:
            id = default["GroupId"]
            if default["IpPermissions"]:
                ec2.revoke_security_group_ingress(GroupId=id, IpPermissions=default["IpPermissions"])
            ec2.revoke_security_group_egress(GroupId=id, IpPermissions=default["IpPermissionsEgress"])
    return made


def _machines(account: DemoAccount, ec2: Any, groups: dict[str, str], subnet: str) -> list[str]:
    made = []
    image = ec2.register_image(Name="base", RootDeviceName="/dev/sda1", Architecture="x86_64")["ImageId"]
    if account.name == SANDBOX:
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    for machine in MACHINES:
        if account.name not in machine.accounts:
            continue
        more: dict[str, Any] = {"IamInstanceProfile": {"Name": "web-server"}} if machine.profile else {}
        if machine.secret:
            more["UserData"] = SECRET_USER_DATA
        named = [{"ResourceType": "instance", "Tags": tags(Name=machine.name)}]
        tokens = {"HttpTokens": "required" if machine.imdsv2 else "optional", "HttpEndpoint": "enabled"}
        answer = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet,
            SecurityGroupIds=[groups[machine.group]], MetadataOptions=tokens, TagSpecifications=named, **more,
        )  # fmt: skip
        made.append(answer["Instances"][0]["InstanceId"])
    return made


def _storage(account: DemoAccount, ec2: Any, region: str) -> None:
    if account.name == MANAGEMENT or (account.name == PRODUCTION and region == HOME_REGION):
        ec2.enable_ebs_encryption_by_default()
    zone = region + "a"
    encrypted = account.name != SANDBOX
    volume = ec2.create_volume(AvailabilityZone=zone, Size=8, Encrypted=encrypted)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume, Description="<img src=x onerror=alert(1)>")["SnapshotId"]
    if account.name == PRODUCTION:
        ec2.create_volume(AvailabilityZone=zone, Size=8, Encrypted=False)
    if account.name == SANDBOX:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
        )
    data = SECRET_USER_DATA if account.name == SANDBOX else "#!/bin/bash\nyum -y update\n"
    ec2.create_launch_template(LaunchTemplateName="workers", LaunchTemplateData={"UserData": _base64(data)})


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def _flow_logs(account: DemoAccount, ec2: Any, region: str, vpc: str, peer: str) -> None:
    good = account.name == MANAGEMENT
    if good or (account.name == PRODUCTION and region == HOME_REGION):
        ec2.create_flow_logs(
            ResourceIds=[vpc, peer] if good and peer else [vpc], ResourceType="VPC",
            TrafficType="ALL" if good else "REJECT", LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::{account.bucket('trail-logs')}",
        )  # fmt: skip


def _peering(account: DemoAccount, ec2: Any, vpc: str, peer: str) -> None:
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="10.7.4.12/32" if account.name == MANAGEMENT else "10.7.0.0/16",
        VpcPeeringConnectionId=peering["VpcPeeringConnectionId"],
    )


def _addresses(account: DemoAccount, ec2: Any, machines: list[str]) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    if account.name != SANDBOX:
        ec2.associate_address(AllocationId=address, InstanceId=machines[0])


def _load_balancers(account: DemoAccount, region: str, subnets: list[str], group: str, vpc: str) -> None:
    elb = account.client("elbv2", region)
    good = account.name == MANAGEMENT
    arn = elb.create_load_balancer(
        Name="front", Subnets=subnets, SecurityGroups=[group], Scheme="internal" if good else "internet-facing"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    if good:
        attributes = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": account.bucket("trail-logs")}
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
        )
    target = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    action: dict[str, Any] = {"Type": "forward", "TargetGroupArn": target}
    if good:
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        action = {"Type": "redirect", "RedirectConfig": redirect}
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[action])
    if account.name == SANDBOX:
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 80}
        account.client("elb", region).create_load_balancer(
            LoadBalancerName="classic", Listeners=[listener], AvailabilityZones=[region + "a"]
        )
