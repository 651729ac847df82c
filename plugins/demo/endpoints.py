"""The sample organization's VPC endpoint services, and the one operation about them that moto does not have."""

from __future__ import annotations

from typing import Any

from plugins.demo.account import MANAGEMENT, PRODUCTION, SANDBOX, DemoAccount

STRANGER = "444455556666"
"""An account outside the organization."""


def build(account: DemoAccount, management_id: str) -> None:
    """An endpoint service in the home region, with one consumer: of the account itself, or a stranger."""
    ec2 = account.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    balancer = account.client("elbv2").create_load_balancer(
        Name="private-link", Type="network", Scheme="internal", Subnets=[subnet]
    )["LoadBalancers"][0]
    service = ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[balancer["LoadBalancerArn"]], AcceptanceRequired=account.name != SANDBOX
    )["ServiceConfiguration"]
    root = f"arn:aws:iam::{management_id}:root"
    admitted = {MANAGEMENT: [root], PRODUCTION: [root, f"arn:aws:iam::{STRANGER}:role/partner"], SANDBOX: ["*"]}
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service["ServiceId"], AddAllowedPrincipals=admitted[account.name]
    )
    consumer = _stranger(account) if account.name == SANDBOX else account
    elsewhere = consumer.client("ec2")
    elsewhere.create_vpc_endpoint(
        VpcId=elsewhere.describe_vpcs()["Vpcs"][0]["VpcId"],
        ServiceName=service["ServiceName"],
        VpcEndpointType="Interface",
    )


def _stranger(account: DemoAccount) -> DemoAccount:
    role = f"arn:aws:iam::{STRANGER}:role/partner"
    found = account.client("sts").assume_role(RoleArn=role, RoleSessionName="demo")["Credentials"]
    return DemoAccount(account.emulator, "stranger", STRANGER, found)


def add_blocks() -> None:
    """In the emulator's process: teach moto the two blocks of public access that EC2 has for a region, both off."""
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    responses: Any = EC2Response
    options = {"InternetGatewayBlockMode": "off", "State": "default-state"}
    responses.describe_vpc_block_public_access_options = lambda _: ActionResult(
        {"VpcBlockPublicAccessOptions": options}
    )
    responses.get_snapshot_block_public_access_state = lambda _: ActionResult({"State": "unblocked"})


def add_connections() -> None:
    """In the emulator's process: teach moto DescribeVpcEndpointConnections.

    Every VPC endpoint, of whatever account, that names a service of the asking account is a connection of it.
    """
    from moto.core.responses import ActionResult
    from moto.ec2.models import ec2_backends
    from moto.ec2.responses import EC2Response

    def describe_vpc_endpoint_connections(self: Any) -> ActionResult:
        services = {one.service_name: one.id for one in self.ec2_backend.configurations.values()}
        connections = [
            {
                "ServiceId": services[endpoint.service_name],
                "VpcEndpointId": endpoint.id,
                "VpcEndpointOwner": owner,
                "VpcEndpointState": endpoint.state,
                "CreationTimestamp": endpoint.creation_timestamp,
            }
            for owner, regions in list(ec2_backends.items())
            if self.region in regions
            for endpoint in list(regions[self.region].vpc_end_points.values())
            if endpoint.service_name in services
        ]
        return ActionResult({"VpcEndpointConnections": connections})

    responses: Any = EC2Response
    responses.describe_vpc_endpoint_connections = describe_vpc_endpoint_connections
