"""The accounts of an organization: pages, units and their names, what is closed, and who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from fixtures.api import Crew
from fixtures.backend import AwsBackend
from fixtures.errors import ApiError
from fixtures.organization import Member, Organization
from fixtures.session import SessionError, base_session
from selftests.conftest import ACCOUNT, StubBackend, access_denied

REGION = "us-east-1"


@pytest.fixture
def client() -> Iterator[Any]:
    """An empty organization; moto's default account is its management account."""
    with mock_aws():
        organizations = boto3.client("organizations", REGION)
        organizations.create_organization(FeatureSet="ALL")
        yield organizations


@pytest.fixture
def crew() -> Iterator[Crew]:
    found = Crew(4)
    yield found
    found.close()


def backend(**answers: Any) -> StubBackend:
    """moto, with some answers in its place: ``ListRoots=...``."""
    stubs = {f"organizations:{operation}": answer for operation, answer in answers.items()}
    return StubBackend(stubs, AwsBackend(base_session("")))


def make_account(client: Any, name: str, unit: str = "") -> str:
    id = str(client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"])
    if unit:
        client.move_account(AccountId=id, SourceParentId=root_of(client), DestinationParentId=unit)
    return id


def make_unit(client: Any, name: str, parent: str) -> str:
    return str(client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"])


def root_of(client: Any) -> str:
    return str(client.list_roots()["Roots"][0]["Id"])


def test_every_page_of_the_accounts_is_read(client: Any, crew: Crew) -> None:
    made = {make_account(client, f"a{number}") for number in range(45)}  # ListAccounts gives 20 at a time
    members = Organization(backend(), REGION, crew).members()
    assert {member.id for member in members} == made | {ACCOUNT}
    assert [member.id for member in members] == sorted(made | {ACCOUNT})


def test_names_and_units_of_the_accounts(client: Any, crew: Crew) -> None:
    workloads = make_unit(client, "Workloads", root_of(client))
    production = make_unit(client, "Production", workloads)
    shop, mail = make_account(client, "shop", production), make_account(client, "mail", workloads)
    gone = make_account(client, "gone", production)
    client.close_account(AccountId=gone)
    organization = Organization(backend(), REGION, crew)

    found = {member.id: member for member in organization.members()}
    assert found[shop] == Member(shop, "shop", "ACTIVE", "Root/Workloads/Production")
    assert found[mail].unit == "Root/Workloads"
    assert found[ACCOUNT].unit == "Root"
    assert not found[gone].is_active

    below = organization.members([workloads])
    assert {member.id: member.unit for member in below} == {
        shop: "Root/Workloads/Production", mail: "Root/Workloads", gone: "Root/Workloads/Production",
    }  # fmt: skip
    assert [member.id for member in organization.members([production, production])] == sorted([shop, gone])
    assert len(organization.members([root_of(client)])) == 4


def test_units_that_cannot_be_read_cost_their_names_only(client: Any, crew: Crew) -> None:
    shop = make_account(client, "shop")
    denied = backend(ListRoots=access_denied("organizations", "ListRoots"))
    assert {member.id: member.unit for member in Organization(denied, REGION, crew).members()} == {
        ACCOUNT: "",
        shop: "",
    }


def test_the_older_field_of_the_state(client: Any, crew: Crew) -> None:
    old = backend(ListAccounts={"Accounts": [{"Id": ACCOUNT, "Name": "old", "Status": "SUSPENDED"}]})
    assert [member.state for member in Organization(old, REGION, crew).members()] == ["SUSPENDED"]


def test_aws_says_why_the_organization_cannot_be_read(client: Any, crew: Crew) -> None:
    denied = backend(ListAccounts=access_denied("organizations", "ListAccounts"))
    with pytest.raises(
        SessionError, match=r"User is not authorized \(AccessDenied, ListAccounts\); .* delegated administrator"
    ):
        Organization(denied, REGION, crew).members()
    with pytest.raises(SessionError, match=r"cannot be read: .*\(OrganizationalUnitNotFoundException, Describe"):
        Organization(backend(), REGION, crew).members(["ou-abcd-12345678"])
    alone = ApiError(
        "organizations", "ListAccounts", "AWSOrganizationsNotInUseException", "Your account is not a member."
    )
    with pytest.raises(
        SessionError, match=r"Your account is not a member \(AWSOrganizationsNotInUseException, ListAccounts\)$"
    ):
        Organization(backend(ListAccounts=alone), REGION, crew).members()
