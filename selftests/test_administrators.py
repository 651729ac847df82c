"""Who holds administrator rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.account import Account
from fixtures.administrators import Grant, Rights
from fixtures.api import Crew, utcnow
from fixtures.errors import ApiError, UnexpectedAnswer
from fixtures.iam import Holder, holders
from selftests.conftest import ACCOUNT, StubBackend, access_denied

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
CONDITION = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def document(**more: Any) -> dict[str, Any]:
    """A policy of one statement that allows everything, with these elements changed; None removes one."""
    return {"Statement": [{name: value for name, value in {**EVERYTHING, **more}.items() if value is not None}]}


def attached(*arns: str) -> dict[str, Any]:
    """A holder's managed policies."""
    return {"AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]}


def inline(kind: str, **documents: Any) -> dict[str, Any]:
    """A holder's inline policies by name."""
    return {f"{kind}PolicyList": [{"PolicyName": name, "PolicyDocument": text} for name, text in documents.items()]}


@pytest.fixture
def crew() -> Iterator[Crew]:
    found = Crew(1)
    yield found
    found.close()


class World:
    """An account whose IAM is ``user``, a member of group ``g``, a ``group`` of that name and the ``policies``."""

    def __init__(self, crew: Crew, user: dict[str, Any], group: dict[str, Any], policies: dict[str, Any], **more: Any):
        self.answer = {
            "UserDetailList": [{"UserName": "u", "Arn": "arn:u", "GroupList": ["g"], **user}],
            "GroupDetailList": [{"GroupName": "g", "Arn": "arn:g", **group}],
            "RoleDetailList": [],
            "Policies": [
                {"Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "Document": text}]}
                for arn, text in policies.items()
            ],
        }
        self.backend = StubBackend({"iam:GetAccountAuthorizationDetails": self.answer}, None)
        self.account = Account(ACCOUNT, backend=self.backend, crew=crew, now=utcnow(), **more)

    def grants(self) -> list[Grant]:
        rights = Rights(self.account)
        return [grant for user in holders(self.account, "user") for grant in rights.of_user(user)]


NOBODY: list[Grant] = []
DIRECT = [Grant("managed policy AdministratorAccess attached directly", True, False)]
BY_GROUP = [Grant("group g (managed policy AdministratorAccess)", False, False)]
OWN_DIRECT = [Grant("managed policy own attached directly", True, True)]
OWN_BY_GROUP = [Grant("group g (managed policy own)", False, True)]
INLINE = [Grant("inline policy i", True, True)]
INLINE_BY_GROUP = [Grant("group g (inline policy i)", False, True)]


@pytest.mark.parametrize(
    ("user", "group", "policies", "expected"),
    [
        ({}, {}, {}, NOBODY),
        # AWS's policy
        (attached(ADMIN), {}, {}, DIRECT),
        ({}, attached(ADMIN), {}, BY_GROUP),
        (attached(ADMIN), attached(ADMIN), {}, DIRECT + BY_GROUP),
        ({"GroupList": []}, attached(ADMIN), {}, NOBODY),
        # names that only look like it
        ({}, attached("arn:aws:iam::aws:policy/AdministratorAccess-Amplify"), {}, NOBODY),
        ({}, attached("arn:aws:iam::aws:policy/AdministratorAccess-AWSElasticBeanstalk"), {}, NOBODY),
        ({}, attached("arn:aws:iam::aws:policy/PowerUserAccess"), {}, NOBODY),
        ({}, attached("arn:aws-cn:iam::aws:policy/PowerUserAccess"), {"arn:aws-cn:iam::aws:policy/PowerUserAccess": document(Action="s3:*")}, NOBODY),
        (attached(f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess"), {}, {f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess": document(Action="s3:*")}, NOBODY),
        # a boundary grants nothing
        ({"PermissionsBoundary": {"PermissionsBoundaryArn": ADMIN}}, {}, {}, NOBODY),
        # customer managed policies
        (attached(OWN), {}, {OWN: document()}, OWN_DIRECT),
        ({}, attached(OWN), {OWN: document()}, OWN_BY_GROUP),
        ({}, {}, {OWN: document()}, NOBODY),
        (attached(OWN), {}, {OWN: document(Action=["s3:Get*", "*:*"], Resource=["*"])}, OWN_DIRECT),
        (attached(OWN), {}, {OWN: document(Action="iam:*")}, NOBODY),
        (attached(OWN), {}, {OWN: document(Resource="arn:aws:s3:::b/*")}, NOBODY),
        (attached(OWN), {}, {OWN: document(Condition=CONDITION)}, NOBODY),
        (attached(OWN), {}, {OWN: document(Effect="Deny")}, NOBODY),
        # wildcards and NotAction
        (attached(OWN), {}, {OWN: document(Action="?*:*")}, OWN_DIRECT),
        (attached(OWN), {}, {OWN: document(Action="*:Describe*")}, NOBODY),
        (attached(OWN), {}, {OWN: document(Action=None, NotAction="aws-portal:*")}, OWN_DIRECT),
        (attached(OWN), {}, {OWN: document(Action=None, NotAction=["iam:*", "organizations:*"])}, NOBODY),
        (attached(OWN), {}, {OWN: document(Action=None, NotAction="IAM:*")}, NOBODY),
        # inline policies
        (inline("User", i=document()), {}, {}, INLINE),
        ({}, inline("Group", i=document()), {}, INLINE_BY_GROUP),
        (inline("User", i=document(), j=document(Action="s3:*")), {}, {}, INLINE),
        (inline("User", i=document(Condition=CONDITION)), {}, {}, NOBODY),
        (inline("User", i={"Statement": EVERYTHING}), {}, {}, INLINE),
    ],
)  # fmt: skip
def test_administrator_rights(
    crew: Crew, user: dict[str, Any], group: dict[str, Any], policies: dict[str, Any], expected: list[Grant]
) -> None:
    assert World(crew, user, group, policies).grants() == expected


@pytest.mark.parametrize(
    ("user", "group", "policies", "reason"),
    [
        (inline("User", i="%7Bnot json"), {}, {}, "the policy document is not valid JSON"),
        ({}, inline("Group", i={}), {}, "the policy document has no Statement"),
        (attached(OWN), {}, {}, f"policy {OWN} is attached and not listed"),
        (attached(OWN), {}, {OWN: {}}, "the policy document has no Statement"),
        ({"GroupList": ["h"]}, {}, {}, "group h has members and is not listed"),
    ],
)  # fmt: skip
def test_rights_that_cannot_be_told(
    crew: Crew, user: dict[str, Any], group: dict[str, Any], policies: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason):
        World(crew, user, group, policies).grants()


def test_partitions(crew: Crew) -> None:
    china = "arn:aws-cn:iam::aws:policy/AdministratorAccess"
    assert World(crew, {}, attached(china), {}, partition="aws-cn").grants() == BY_GROUP


def test_groups_are_told_without_members(crew: Crew) -> None:
    world = World(crew, {"GroupList": []}, attached(ADMIN), {})
    world.answer["GroupDetailList"].append({"GroupName": "harmless", "Arn": "arn:h"})
    assert Rights(world.account).groups() == ["g"]


def test_one_call_for_all(crew: Crew) -> None:
    world = World(crew, attached(OWN), attached(OWN, ADMIN), {OWN: document()})
    world.grants()
    Rights(world.account).groups()
    assert [call[2] for call in world.backend.calls] == ["GetAccountAuthorizationDetails"]


def test_denied(crew: Crew) -> None:
    world = World(crew, {}, {}, {})
    world.account.calls.backend = StubBackend({"iam:GetAccountAuthorizationDetails": access_denied("iam", "o")}, None)
    with pytest.raises(ApiError, match="AccessDenied"):
        Rights(world.account)


def test_holder() -> None:
    holder = Holder.of("role", {"RoleName": "r", "RolePolicyList": [{"PolicyName": "i"}]})
    assert (str(holder), holder.attached, holder.inline) == ("role r", [], [{"PolicyName": "i"}])
