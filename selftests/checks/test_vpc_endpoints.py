"""The checks of tests_extras/test_vpc_endpoints.py."""

from __future__ import annotations

import functools
from typing import Any

import boto3
import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.ec2.endpoint_services import EndpointService
from selftests.checks.test_cis_4_networking import unauthorized
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend

HERE = "eu-west-1"
TRUSTED, UNKNOWN = "111111111111", "999999999999"
NAME = "com.amazonaws.vpce.eu-west-1.vpce-svc-1"
LABEL = f"vpce-svc-1 ({NAME}) in {HERE}"


def service(id: str = "vpce-svc-1", acceptance: bool = False) -> dict[str, Any]:
    """An endpoint service as EC2 describes it."""
    return {
        "ServiceId": id,
        "ServiceName": f"com.amazonaws.vpce.{HERE}.{id}",
        "AcceptanceRequired": acceptance,
        "ServiceState": "Available",
    }


def connection(
    owner: str | None, state: str = "available", id: str = "vpce-1", to: str = "vpce-svc-1"
) -> dict[str, Any]:
    """A connection; ``owner`` None: AWS does not name one."""
    owned = {"VpcEndpointOwner": owner} if owner is not None else {}
    return {"ServiceId": to, "VpcEndpointId": id, "VpcEndpointState": state, **owned}


def services(*found: dict[str, Any]) -> dict[str, Stub]:
    return {"ec2:DescribeVpcEndpointServiceConfigurations": {"ServiceConfigurations": list(found)}}


def connections(*found: dict[str, Any]) -> dict[str, Stub]:
    return {"ec2:DescribeVpcEndpointConnections": {"VpcEndpointConnections": list(found)}}


def principals(*found: str) -> dict[str, Stub]:
    return {"ec2:DescribeVpcEndpointServicePermissions": {"AllowedPrincipals": [{"Principal": one} for one in found]}}


def run(audit: Audit, check: str, answers: dict[str, Stub], *trusted: str) -> dict[str, str]:
    return audit(check, answers=answers, live=False, regions=[HERE], trusted_account_ids=list(trusted))


@pytest.fixture(params=["setting", "option"])
def trusting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """TRUSTED is trusted, by the check's own setting or by --trusted-account. Gives the setting."""
    if request.param == "setting":
        return [TRUSTED]
    monkeypatch.setattr("selftests.conftest.Account", functools.partial(Account, trusted_accounts=[TRUSTED]))
    return []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([connection(ACCOUNT)], "PASS: {} has 1 connections, none of an untrusted account"),
        ([connection(TRUSTED)], "PASS: {} has 1 connections, none of an untrusted account"),
        ([connection(UNKNOWN)], "FAIL: {} has 1 connections, of untrusted accounts: vpce-1 of 999999999999 (available)"),
        ([connection(TRUSTED), connection(UNKNOWN, id="vpce-2")], "FAIL: {} has 2 connections, of untrusted accounts: vpce-2 of 999999999999 (available)"),
        ([connection(UNKNOWN, "pendingAcceptance")], "PASS: {} has 1 connections, none of an untrusted account; untrusted accounts ask for vpce-1 of 999999999999 (pendingAcceptance)"),
        ([connection(TRUSTED, "PendingAcceptance")], "PASS: {} has 1 connections, none of an untrusted account"),
        ([connection(UNKNOWN), connection(UNKNOWN, "PendingAcceptance", "vpce-2")], "FAIL: {} has 2 connections, of untrusted accounts: vpce-1 of 999999999999 (available); untrusted accounts ask for vpce-2 of 999999999999 (PendingAcceptance)"),
        ([connection(UNKNOWN, "rejected"), connection(UNKNOWN, "deleted")], "PASS: {} has 2 connections, none of an untrusted account"),
        ([connection(UNKNOWN, "Available")], "FAIL: {} has 1 connections, of untrusted accounts: vpce-1 of 999999999999 (Available)"),
        ([connection(UNKNOWN, "pending"), connection(UNKNOWN, "Partial", "vpce-2")], "FAIL: {} has 2 connections, of untrusted accounts: vpce-1 of 999999999999 (pending), vpce-2 of 999999999999 (Partial)"),
        ([connection(None)], "FAIL: {} has 1 connections, of untrusted accounts: vpce-1 of an unknown owner (available)"),
        ([], "PASS: {} has 0 connections, none of an untrusted account"),
    ],
)  # fmt: skip
def test_extra789(audit: Audit, trusting: list[str], found: list[dict[str, Any]], expected: str) -> None:
    assert run(audit, "extra789", {**services(service()), **connections(*found)}, *trusting) == {
        "vpce-svc-1": expected.format(LABEL)
    }


def test_extra789_blames_the_right_service_and_lists_connections_once(audit: Audit) -> None:
    two = services(service(), service("vpce-svc-2"))
    found = run(audit, "extra789", {**two, **connections(connection(UNKNOWN, to="vpce-svc-2"))})
    assert found["vpce-svc-1"].startswith(f"PASS: {LABEL} has 0 connections")
    assert "of untrusted accounts: vpce-1 of 999999999999" in found["vpce-svc-2"]
    operations = [call[2] for call in audit.backend.calls]
    assert operations == ["DescribeVpcEndpointServiceConfigurations", "DescribeVpcEndpointConnections"]


def test_extra789_transit_gateway_attachments(audit: Audit) -> None:
    """Source: Amazon EC2 API reference, VpcEndpointConnection, TransitGatewayAttachmentOwner."""
    attachment = {
        "ServiceId": "vpce-svc-1",
        "TransitGatewayAttachmentId": "tgw-attach-1",
        "VpcEndpointState": "available",
    }
    for owner, expected in (
        (ACCOUNT, f"PASS: {LABEL} has 1 connections, none of an untrusted account"),
        (UNKNOWN, f"FAIL: {LABEL} has 1 connections, of untrusted accounts: tgw-attach-1 of {UNKNOWN} (available)"),
    ):
        one = {**attachment, "TransitGatewayAttachmentOwner": owner}
        assert run(audit, "extra789", {**services(service()), **connections(one)}) == {"vpce-svc-1": expected}


def test_extra790_organizational_unit(audit: Audit) -> None:
    """Every account of the unit is admitted, whoever's ARN it has."""
    unit = f"arn:aws:organizations::{ACCOUNT}:ou/o-abc/ou-x-123"
    for more in ({"PrincipalType": "OrganizationUnit"}, {}):
        answer: dict[str, Stub] = {
            "ec2:DescribeVpcEndpointServicePermissions": {"AllowedPrincipals": [{"Principal": unit, **more}]}
        }
        found = run(audit, "extra790", {**services(service()), **answer})["vpce-svc-1"]
        assert found.endswith(f"admits untrusted principals: organizational unit {unit}")
        assert found.startswith("FAIL")


def test_extra789_trusts_nobody_by_default(audit: Audit) -> None:
    found = run(audit, "extra789", {**services(service()), **connections(connection(TRUSTED))})
    assert found["vpce-svc-1"].startswith("FAIL")


@pytest.mark.parametrize(
    ("admitted", "expected"),
    [
        ([], "PASS: {} (acceptance is not required) admits 0 principals, all of trusted accounts"),
        ([f"arn:aws:iam::{ACCOUNT}:root"], "PASS: {} (acceptance is not required) admits 1 principals"),
        ([f"arn:aws:iam::{TRUSTED}:role/a", f"arn:aws:iam::{TRUSTED}:role/ab"], "PASS: {} (acceptance is not required) admits 2 principals"),
        ([f"arn:aws:iam::{UNKNOWN}:root"], "FAIL: {} (acceptance is not required) admits untrusted principals: arn:aws:iam::999999999999:root"),
        ([f"arn:aws:iam::{TRUSTED}:root", f"arn:aws:iam::{UNKNOWN}:root"], "FAIL: {} (acceptance is not required) admits untrusted principals: arn:aws:iam::999999999999:root"),
        (["*"], "FAIL: {} (acceptance is not required) admits untrusted principals: *"),
        ([TRUSTED], "PASS: {} (acceptance is not required) admits 1 principals"),
        (["arn:aws:iam:::root", "lambda.amazonaws.com"], "FAIL: {} (acceptance is not required) admits untrusted principals: arn:aws:iam:::root, lambda.amazonaws.com"),
        ([f"arn:aws-cn:iam::{TRUSTED}:user/x"], "PASS: {} (acceptance is not required) admits 1 principals"),
    ],
)  # fmt: skip
def test_extra790(audit: Audit, trusting: list[str], admitted: list[str], expected: str) -> None:
    found = run(audit, "extra790", {**services(service()), **principals(*admitted)}, *trusting)
    assert list(found) == ["vpce-svc-1"]
    assert found["vpce-svc-1"].startswith(expected.format(LABEL))


def test_extra790_says_when_acceptance_is_required(audit: Audit) -> None:
    found = run(audit, "extra790", {**services(service(acceptance=True)), **principals("*")})
    assert found == {"vpce-svc-1": f"FAIL: {LABEL} (acceptance is required) admits untrusted principals: *"}


def test_extra790_asks_for_each_service(audit: Audit) -> None:
    gone = ApiError("ec2", "DescribeVpcEndpointServicePermissions", "InvalidVpcEndpointServiceId.NotFound", "gone")

    def admitted(params: dict[str, Any]) -> Any:
        listed = {"vpce-svc-1": f"arn:aws:iam::{ACCOUNT}:root", "vpce-svc-2": "*"}
        principal = listed.get(params["ServiceId"])
        return {"AllowedPrincipals": [{"Principal": principal}]} if principal else gone

    three = services(service(), service("vpce-svc-2"), service("vpce-svc-3"))
    found = run(audit, "extra790", {**three, "ec2:DescribeVpcEndpointServicePermissions": admitted})
    assert [text[:4] for text in found.values()] == ["PASS", "FAIL", "INFO"]
    assert found["vpce-svc-3"].endswith(f"in {HERE} was deleted during the audit")


@pytest.mark.parametrize(
    ("check", "operation"),
    [
        ("extra789", "DescribeVpcEndpointConnections"),
        ("extra790", "DescribeVpcEndpointServicePermissions"),
    ],
)
def test_no_service_and_no_permission(audit: Audit, check: str, operation: str) -> None:
    assert run(audit, check, services()) == {ACCOUNT: f"INFO: no endpoint service to check in {HERE}"}
    denied = run(audit, check, {**services(service()), f"ec2:{operation}": unauthorized(operation)})
    assert denied["vpce-svc-1"].startswith(f"ERROR: access denied in {HERE}: ec2:{operation} is needed")
    listing = "DescribeVpcEndpointServiceConfigurations"
    unlisted = run(audit, check, {f"ec2:{listing}": unauthorized(listing)})
    assert unlisted[f"{ACCOUNT} {HERE}"].startswith(f"ERROR: access denied in {HERE}: ec2:{listing} is needed")


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_arn(partition: str) -> None:
    account = Account(ACCOUNT, backend=StubBackend({}, None), crew=Crew(1), now=utcnow(), partition=partition)
    found = EndpointService(
        account.in_region(HERE), id="vpce-svc-1", data={**service(), "Tags": [{"Key": "a", "Value": "b"}]}
    )
    assert found.arn == f"arn:{partition}:ec2:{HERE}:{ACCOUNT}:vpc-endpoint-service/vpce-svc-1"
    assert found.tags == {"a": "b"}


@pytest.mark.usefixtures("moto")
def test_extra790_against_moto(audit: Audit) -> None:
    ec2, elb = boto3.client("ec2", HERE), boto3.client("elbv2", HERE)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    balancer = elb.create_load_balancer(Name="nlb", Type="network", Subnets=[subnet])["LoadBalancers"][0]
    made = []
    for principal in ("*", f"arn:aws:iam::{ACCOUNT}:root", ""):
        made.append(
            ec2.create_vpc_endpoint_service_configuration(
                NetworkLoadBalancerArns=[balancer["LoadBalancerArn"]], AcceptanceRequired=True
            )["ServiceConfiguration"]["ServiceId"]
        )
        if principal:
            ec2.modify_vpc_endpoint_service_permissions(ServiceId=made[-1], AddAllowedPrincipals=[principal])
    found = audit("extra790", regions=[HERE])
    assert [found[id].partition(":")[0] for id in made] == ["FAIL", "PASS", "PASS"]
    assert "(acceptance is required) admits untrusted principals: *" in found[made[0]]
