"""The checks of tests_cis/test_1_identity.py that read no credential report."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

STRONG: dict[str, Any] = {
    "RequireUppercaseCharacters": True, "RequireLowercaseCharacters": True, "RequireSymbols": True, "RequireNumbers": True,
    "MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "ExpirePasswords": True, "MaxPasswordAge": 90,
}  # fmt: skip


@pytest.mark.parametrize(
    ("check", "change", "expected"),
    [
        ("check15", {}, "PASS: the password policy has RequireUppercaseCharacters True"),
        ("check15", {"RequireUppercaseCharacters": False}, "FAIL: the password policy has RequireUppercaseCharacters False"),
        ("check15", {"RequireUppercaseCharacters": None}, "FAIL"),
        ("check16", {}, "PASS: the password policy has RequireLowercaseCharacters True"),
        ("check16", {"RequireLowercaseCharacters": False}, "FAIL: the password policy has RequireLowercaseCharacters False"),
        ("check17", {}, "PASS: the password policy has RequireSymbols True"),
        ("check17", {"RequireSymbols": False}, "FAIL: the password policy has RequireSymbols False"),
        ("check18", {}, "PASS: the password policy has RequireNumbers True"),
        ("check18", {"RequireNumbers": False}, "FAIL: the password policy has RequireNumbers False"),
        ("check19", {}, "PASS: the minimum password length is 14, 14 is required"),
        ("check19", {"MinimumPasswordLength": 13}, "FAIL: the minimum password length is 13, 14 is required"),
        ("check19", {"MinimumPasswordLength": 128}, "PASS"),
        ("check19", {"MinimumPasswordLength": None}, "FAIL: the minimum password length is 0"),
        ("check110", {}, "PASS: password reuse prevention is 24, 24 is required"),
        ("check110", {"PasswordReusePrevention": 23}, "FAIL: password reuse prevention is 23, 24 is required"),
        ("check110", {"PasswordReusePrevention": None}, "FAIL: password reuse prevention is not set"),
        ("check111", {}, "PASS: passwords expire after 90 days, the limit is 90"),
        ("check111", {"MaxPasswordAge": 91}, "FAIL: passwords expire after 91 days, the limit is 90"),
        ("check111", {"MaxPasswordAge": None, "ExpirePasswords": False}, "FAIL: passwords never expire"),
        ("check111", {"MaxPasswordAge": 0, "ExpirePasswords": False}, "FAIL: passwords never expire"),
        ("check111", {"MaxPasswordAge": 0}, "FAIL: passwords never expire"),
        ("check111", {"MaxPasswordAge": None}, "FAIL: passwords never expire"),
        ("check111", {"MaxPasswordAge": 1}, "PASS: passwords expire after 1 days, the limit is 90"),
        ("check111", {"ExpirePasswords": False}, "FAIL: passwords never expire"),
    ],
)  # fmt: skip
def test_password_policy(audit: Audit, check: str, change: dict[str, Any], expected: str) -> None:
    policy = {key: value for key, value in {**STRONG, **change}.items() if value is not None}
    found = audit(check, answers={"iam:GetAccountPasswordPolicy": {"PasswordPolicy": policy}}, live=False)
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith(expected), found


@pytest.mark.parametrize("check", ["check15", "check16", "check17", "check18", "check19", "check110", "check111"])
def test_password_policy_missing_or_closed(audit: Audit, check: str) -> None:
    none = audit(check, answers={"iam:GetAccountPasswordPolicy": ApiError("iam", "o", "NoSuchEntity", "x")}, live=False)
    assert none[ACCOUNT].startswith("FAIL: no account password policy")
    denied = audit(check, answers={"iam:GetAccountPasswordPolicy": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:GetAccountPasswordPolicy is needed")


@pytest.mark.parametrize(
    ("check", "settings", "expected"),
    [
        ("check19", {"min_password_length": 15}, "FAIL"), ("check110", {"min_password_reuse_prevention": 5}, "PASS"),
        ("check111", {"max_password_age_days": 60}, "FAIL"),
    ],
)  # fmt: skip
def test_password_policy_thresholds(audit: Audit, check: str, settings: dict[str, Any], expected: str) -> None:
    assert audit(check, answers={"iam:GetAccountPasswordPolicy": {"PasswordPolicy": STRONG}}, live=False, **settings)[
        ACCOUNT
    ].startswith(expected)


def summary(**values: int) -> dict[str, Stub]:
    return {"iam:GetAccountSummary": {"SummaryMap": values}}


NOTHING = {"AccountPasswordPresent": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"AccountMFAEnabled": 1}, "PASS: root has an MFA device (AccountMFAEnabled 1)"),
        ({"AccountMFAEnabled": 1, **NOTHING}, "PASS: root has an MFA device (AccountMFAEnabled 1)"),
        ({"AccountMFAEnabled": 0, **NOTHING, "AccountPasswordPresent": 1}, "FAIL: root has no MFA device (AccountMFAEnabled 0)"),
        ({"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0}, "FAIL"),
        ({"AccountMFAEnabled": 0, **NOTHING}, "INFO: root has no credentials"),
    ],
)  # fmt: skip
def test_check113_and_check114_summary(audit: Audit, values: dict[str, int], expected: str) -> None:
    assert audit("check113", answers=summary(**values), live=False)[ACCOUNT].startswith(expected)
    devices: dict[str, Stub] = {"iam:ListVirtualMFADevices": {"VirtualMFADevices": []}}
    found = audit("check114", answers={**summary(**values), **devices}, live=False)[ACCOUNT]
    assert found.startswith(expected if not expected.startswith("PASS") else "PASS: root has non-virtual MFA"), found


def test_check113_elsewhere(audit: Audit) -> None:
    for partition, region in (("aws-us-gov", "us-gov-west-1"), ("aws-iso", "us-iso-east-1")):
        gov = audit("check113", answers={}, live=False, partition=partition, regions=[region])
        assert gov == {ACCOUNT: f"INFO: root has no console sign-in in partition {partition}"}
    denied = audit("check113", answers={"iam:GetAccountSummary": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:GetAccountSummary is needed")


def device(name: str, owner: str) -> dict[str, Any]:
    return {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/{name}", "User": {"Arn": f"arn:aws:iam::{ACCOUNT}:{owner}"}}


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([], "PASS: root has non-virtual MFA"),
        ([device("my-phone", "root")], f"FAIL: root has a virtual MFA device: arn:aws:iam::{ACCOUNT}:mfa/my-phone"),
        ([{"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device"}], "FAIL"),
        ([device("ops", "user/root-ops"), device("g", "user/grooot")], "PASS"),
        ([device("ops", "user/root-ops"), device("second", "root")], "FAIL"),
        # a name that the console proposes for root, on a user's device
        ([device("root-account-mfa-device", "user/bob")], "PASS: root has non-virtual MFA"),
        ([device("root-account-mfa-device", "root")], "FAIL"),
    ],
)  # fmt: skip
def test_check114(audit: Audit, devices: list[Any], expected: str) -> None:
    answers = {**summary(AccountMFAEnabled=1), "iam:ListVirtualMFADevices": {"VirtualMFADevices": devices}}
    assert audit("check114", answers=answers, live=False)[ACCOUNT].startswith(expected)
    denied = audit("check114", answers={**answers, "iam:ListVirtualMFADevices": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:ListVirtualMFADevices is needed")
    china = audit("check114", answers={}, live=False, partition="aws-cn", regions=["cn-north-1"])
    assert china == {ACCOUNT: "INFO: hardware MFA for root cannot be told in partition aws-cn"}


def test_check114_where_root_cannot_sign_in(audit: Audit) -> None:
    """A member account whose root credentials were removed centrally, but not the device."""
    devices: dict[str, Stub] = {"iam:ListVirtualMFADevices": {"VirtualMFADevices": [device("phone", "root")]}}
    for change, expected in (
        ({}, "INFO: root has no credentials"),
        ({"AccountPasswordPresent": 1}, "FAIL: root has a virtual MFA device"),
        ({"AccountAccessKeysPresent": 1}, "FAIL"),
        ({"AccountSigningCertificatesPresent": 1}, "FAIL"),
    ):
        answers = {**summary(**{"AccountMFAEnabled": 1, **NOTHING, **change}), **devices}
        assert audit("check114", answers=answers, live=False)[ACCOUNT].startswith(expected)


@pytest.mark.parametrize(("partition", "region"), [("aws", "us-east-1"), ("aws-us-gov", "us-gov-west-1")])
def test_check115(audit: Audit, partition: str, region: str) -> None:
    found = audit("check115", answers={}, live=False, partition=partition, regions=[region])
    assert found[ACCOUNT].startswith(f"INFO: account {ACCOUNT}: manual, retired")
    assert not audit.backend.calls


@pytest.mark.usefixtures("moto")
def test_check116(audit: Audit) -> None:
    iam = boto3.client("iam")
    assert audit("check116") == {ACCOUNT: "INFO: no user to check in the account"}
    policy = iam.create_policy(PolicyName="managed", PolicyDocument=document("s3:Get*", "*"))["Policy"]["Arn"]
    iam.create_group(GroupName="g")
    for name in ("grouped", "attached", "inlined", "both"):
        iam.create_user(UserName=name)
    iam.create_user(UserName="bounded", PermissionsBoundary=policy)
    iam.add_user_to_group(GroupName="g", UserName="grouped")
    for name in ("attached", "both"):
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    for name in ("inlined", "both"):
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document("s3:Get*", "*"))
    assert audit("check116") == {
        "grouped": "PASS: user grouped has no policies of its own",
        "attached": "FAIL: user attached has policies of its own: managed managed",
        "inlined": "FAIL: user inlined has policies of its own: inline own",
        "both": "FAIL: user both has policies of its own: managed managed, inline own",
        "bounded": "PASS: user bounded has no policies of its own",
    }


SNAPSHOT = "iam:GetAccountAuthorizationDetails"
SNAPSHOT_DENIED = "ERROR: access denied in us-east-1: iam:GetAccountAuthorizationDetails is needed"


def iam(**parts: list[dict[str, Any]]) -> dict[str, Stub]:
    """The account's IAM snapshot: UserDetailList, GroupDetailList, RoleDetailList and Policies, empty unless given."""
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    return {SNAPSHOT: {**{name: [] for name in lists}, **parts}}


def test_check116_errors(audit: Audit) -> None:
    bare = {"UserName": "a", "Arn": "arn:a"}  # every list of a UserDetail is optional
    assert audit("check116", answers=iam(UserDetailList=[bare]), live=False)["a"].startswith("PASS")
    denied = audit("check116", answers={SNAPSHOT: access_denied("iam", "o")}, live=False)
    assert denied[f"{ACCOUNT} us-east-1"].startswith(SNAPSHOT_DENIED)
    strange = audit("check116", answers={SNAPSHOT: {"Policies": []}}, live=False)
    assert strange == {
        f"{ACCOUNT} us-east-1": "ERROR: iam:GetAccountAuthorizationDetails failed in us-east-1: UnexpectedAnswer: the"
        " answer has no UserDetailList"
    }


@pytest.mark.usefixtures("moto")
@pytest.mark.parametrize("check", ["check116", "check120", "check122"])
def test_one_call_answers_for_check116_check120_and_check122(audit: Audit, check: str) -> None:
    client = boto3.client("iam")
    for name in ("one", "two"):
        client.create_user(UserName=name)
        client.create_policy(PolicyName=name, PolicyDocument=document("s3:Get*", "*"))
    audit(check)
    wanted = {"Filter": ["User", "Group", "Role", "LocalManagedPolicy"]}
    assert audit.backend.calls == [("us-east-1", "iam", "GetAccountAuthorizationDetails", wanted)]


CONTACT = {
    "FullName": "x",
    "AddressLine1": "x",
    "City": "x",
    "PostalCode": "x",
    "CountryCode": "US",
    "PhoneNumber": "+4912345",
}


@pytest.mark.parametrize(
    ("check", "operation", "key", "contact", "expected"),
    [
        ("check117", "GetContactInformation", "ContactInformation", CONTACT, "PASS: all mandatory fields are set"),
        ("check117", "GetContactInformation", "ContactInformation", {**CONTACT, "PhoneNumber": " "}, "FAIL: missing: PhoneNumber"),
        ("check117", "GetContactInformation", "ContactInformation", {"FullName": "secret name"}, "FAIL: missing: AddressLine1, City"),
        ("check118", "GetAlternateContact", "AlternateContact", {"EmailAddress": "a@b", "PhoneNumber": "+4912345"}, "PASS: a security contact"),
        ("check118", "GetAlternateContact", "AlternateContact", {"EmailAddress": "a@b", "PhoneNumber": ""}, "FAIL: the security contact lacks PhoneNumber"),
    ],
)  # fmt: skip
def test_check117_and_check118(
    audit: Audit, check: str, operation: str, key: str, contact: dict[str, str], expected: str
) -> None:
    found = audit(check, answers={f"account:{operation}": {key: contact}}, live=False, regions=["eu-west-1"])[ACCOUNT]
    assert found.startswith(expected), found
    assert "+4912345" not in found
    assert "secret" not in found
    assert audit.backend.calls[0][0] == "us-east-1"
    none = audit(
        check, answers={f"account:{operation}": ApiError("account", "o", "ResourceNotFoundException", "x")}, live=False
    )
    assert none[ACCOUNT].startswith("FAIL: there is no ")
    denied = audit(check, answers={f"account:{operation}": access_denied("account", "o")}, live=False)
    assert denied[ACCOUNT].startswith(f"ERROR: access denied in us-east-1: account:{operation} is needed")
    gov = audit(check, answers={}, live=False, partition="aws-us-gov", regions=["us-gov-west-1"])
    assert gov[ACCOUNT].startswith("INFO: contacts are managed on the linked commercial account")
    assert not audit.backend.calls
    stub: dict[str, Stub] = {f"account:{operation}": {key: contact}}
    china = audit(check, answers=stub, live=False, partition="aws-cn", regions=["cn-north-1"])
    assert china[ACCOUNT].startswith(expected)
    assert audit.backend.calls == [("cn-northwest-1", "account", operation, audit.backend.calls[0][3])]
    assert "AccountId" not in audit.backend.calls[0][3]


@pytest.mark.usefixtures("moto")
def test_check118_only_a_billing_contact(audit: Audit) -> None:
    account = boto3.client("account", "us-east-1")
    given = {"Name": "n", "Title": "t", "EmailAddress": "a@b.example", "PhoneNumber": "+1"}
    account.put_alternate_contact(AlternateContactType="BILLING", **given)
    assert audit("check118") == {ACCOUNT: "FAIL: there is no security contact"}
    account.put_alternate_contact(AlternateContactType="SECURITY", **given)
    assert audit("check118")[ACCOUNT].startswith("PASS")


def instance(id: str, state: str = "running", profile: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"InstanceId": id, "State": {"Name": state}}
    if profile:
        found["IamInstanceProfile"] = {"Arn": f"arn:aws:iam::1:instance-profile/{profile}"}
    return found


def test_check119(audit: Audit) -> None:
    def run(*instances: dict[str, Any]) -> dict[str, str]:
        answers: dict[str, Stub] = {
            "ec2:DescribeInstances": {"Reservations": [{"OwnerId": ACCOUNT, "Instances": list(instances)}]}
        }
        return audit("check119", answers=answers, live=False, regions=["eu-west-1"])

    found = run(
        instance("i-1", profile="web"),
        instance("i-2"),
        instance("i-3", "stopped"),
        instance("i-4", "terminated"),
        instance("i-5", "shutting-down"),
    )
    assert found == {
        "i-1": "PASS: i-1 (running) in eu-west-1 has instance profile web",
        "i-2": "FAIL: i-2 (running) in eu-west-1 has no instance profile",
        "i-3": "FAIL: i-3 (stopped) in eu-west-1 has no instance profile",
    }
    assert run(instance("i-4", "terminated")) == {ACCOUNT: "INFO: no instance to check in eu-west-1"}
    denied = audit(
        "check119",
        answers={"ec2:DescribeInstances": ApiError("ec2", "o", "UnauthorizedOperation", "x")},
        live=False,
        regions=["eu-west-1"],
    )
    assert denied[f"{ACCOUNT} eu-west-1"].startswith(
        "ERROR: access denied in eu-west-1: ec2:DescribeInstances is needed"
    )


def document(action: Any, resource: Any, **more: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}
    )


SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.mark.usefixtures("moto")
def test_check120(audit: Audit) -> None:
    iam = boto3.client("iam")
    assert audit("check120") == {ACCOUNT: "FAIL: nobody holds AWSSupportAccess"}
    iam.create_group(GroupName="helpers")
    iam.attach_group_policy(GroupName="helpers", PolicyArn=SUPPORT)
    own = iam.create_policy(PolicyName="AWSSupportAccess", PolicyDocument=document("support:*", "*"))["Policy"]["Arn"]
    for name in ("own", "real"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="own", PolicyArn=own)
    assert audit("check120") == {ACCOUNT: "FAIL: only users or groups hold AWSSupportAccess: group helpers"}
    iam.attach_role_policy(RoleName="real", PolicyArn=SUPPORT)
    assert audit("check120") == {ACCOUNT: "PASS: AWSSupportAccess is held by real"}


def holder(kind: str, name: str, *policies: str) -> dict[str, Any]:
    """A user, group or role in the snapshot, with managed policies."""
    attached = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in policies]
    return {
        f"{kind}Name": name, "Arn": f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/{name}", "AttachedManagedPolicies": attached,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (iam(UserDetailList=[holder("User", "u", SUPPORT)], GroupDetailList=[holder("Group", "g", SUPPORT)]), "FAIL: only users or groups hold AWSSupportAccess: user u, group g"),
        (iam(RoleDetailList=[holder("Role", "r", "arn:aws:iam::aws:policy/AWSSupportAccess2")]), "FAIL: nobody holds AWSSupportAccess"),
        (iam(RoleDetailList=[holder("Role", "r", f"arn:aws:iam::{ACCOUNT}:policy/AWSSupportAccess")]), "FAIL: nobody holds AWSSupportAccess"),
        (iam(RoleDetailList=[{**holder("Role", "r"), "PermissionsBoundary": {"PermissionsBoundaryArn": SUPPORT}}]), "FAIL: nobody holds AWSSupportAccess"),
        (iam(RoleDetailList=[holder("Role", "a", SUPPORT), holder("Role", "b", SUPPORT), holder("Role", "c")]), "PASS: AWSSupportAccess is held by a, b"),
        (iam(), "FAIL: nobody holds AWSSupportAccess"),
        ({SNAPSHOT: access_denied("iam", "o")}, SNAPSHOT_DENIED),
    ],
)  # fmt: skip
def test_check120_answers(audit: Audit, answers: dict[str, Stub], expected: str) -> None:
    found = audit("check120", answers=answers, live=False)[ACCOUNT]
    assert found.startswith(expected), found


def test_check120_looks_for_the_partition_s_managed_policy(audit: Audit) -> None:
    def run(arn: str) -> str:
        answers = iam(RoleDetailList=[holder("Role", "a", arn)])
        return audit("check120", answers=answers, live=False, partition="aws-cn", regions=["cn-north-1"])[ACCOUNT]

    assert run("arn:aws-cn:iam::aws:policy/AWSSupportAccess") == "PASS: AWSSupportAccess is held by a"
    assert run(SUPPORT) == "FAIL: nobody holds AWSSupportAccess"


@pytest.mark.usefixtures("moto")
def test_check120_role_on_the_second_page(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator does not page this operation by itself."""
    asked: list[str | None] = []
    nothing: dict[str, Any] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}

    def paged(response: IamResponse) -> ActionResult:
        asked.append(response._get_param("Marker"))
        if asked[-1] is None:
            return ActionResult({**nothing, "IsTruncated": True, "Marker": "more"})
        late = {
            "RoleName": "late",
            "AttachedManagedPolicies": [{"PolicyName": "AWSSupportAccess", "PolicyArn": SUPPORT}],
        }
        return ActionResult({**nothing, "RoleDetailList": [late], "IsTruncated": False})

    monkeypatch.setattr(IamResponse, "get_account_authorization_details", paged)
    assert audit("check120") == {ACCOUNT: "PASS: AWSSupportAccess is held by late"}
    assert asked == [None, "more"]


def policy(path: str, versions: dict[str, Any], default: str = "v1") -> dict[str, Any]:
    """A customer managed policy in the snapshot. ``versions``: version id -> document, None for a version without."""
    listed = [
        {"VersionId": id, "IsDefaultVersion": id == default, **({} if text is None else {"Document": text})}
        for id, text in versions.items()
    ]
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{path}"
    return {"Arn": arn, "DefaultVersionId": default, "AttachmentCount": 0, "PolicyVersionList": listed}


P = f"arn:aws:iam::{ACCOUNT}:policy/path/p,1 (version v2, attached 0 times)"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "*", "Resource": "*"}, f"FAIL: {P} grants everything: statement number 1"),
        ([{"Sid": "All", "Effect": "Allow", "Action": ["s3:*", "*"], "Resource": ["*"]}], f"FAIL: {P} grants everything: statement All"),
        ({"Action": "*:*", "Resource": "*:*"}, "FAIL"),
        ({"Action": "*", "Resource": "arn:aws:s3:::b/*"}, f"PASS: {P} does not grant everything"),
        ({"Action": "*", "NotResource": "arn:aws:s3:::b/*"}, "FAIL"),
        ({"Action": "*", "NotResource": "*"}, "PASS"),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "PASS"),
        ({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, "PASS"),
        ({"NotAction": "aws-portal:*", "Resource": "*"}, "FAIL"),
        ({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, f"FAIL: {P} grants everything: statement number 1 (with a Condition)"),
        ({"Action": "s3:*", "Resource": "*"}, "PASS"),
    ],
)  # fmt: skip
def test_check122(audit: Audit, statement: Any, expected: str) -> None:
    given = statement if isinstance(statement, list) else {"Effect": "Allow", **statement}
    versions = {"v1": {"Statement": []}, "v2": {"Statement": given}}
    found = audit("check122", answers=iam(Policies=[policy("path/p,1", versions, default="v2")]), live=False)
    assert list(found) == ["p,1"]
    assert found["p,1"].startswith(expected), found


UNEXPECTED = "ERROR: iam:GetAccountAuthorizationDetails failed in us-east-1: UnexpectedAnswer: "


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"v1": "{not json"}, f"{UNEXPECTED}the policy document is not valid JSON"),
        ({"v1": {}}, f"{UNEXPECTED}the policy document has no Statement"),
        ({"v1": None}, f"{UNEXPECTED}the policy document has no Statement"),
        ({"v2": {"Statement": []}}, f"{UNEXPECTED}policy arn:aws:iam::{ACCOUNT}:policy/p has no version v1"),
        ({}, f"{UNEXPECTED}policy arn:aws:iam::{ACCOUNT}:policy/p has no version v1"),
    ],
)  # fmt: skip
def test_check122_errors(audit: Audit, versions: dict[str, Any], expected: str) -> None:
    fine = policy("fine", {"v1": {"Statement": []}})
    found = audit("check122", answers=iam(Policies=[policy("p", versions), fine]), live=False)
    assert found["p"].startswith(expected), found
    assert found["fine"].startswith("PASS")


def test_check122_without_policies(audit: Audit) -> None:
    none = audit("check122", answers=iam(), live=False)
    assert none == {ACCOUNT: "INFO: no customer policy to check in the account"}
    closed = audit("check122", answers={SNAPSHOT: access_denied("iam", "o")}, live=False)
    assert closed[f"{ACCOUNT} us-east-1"].startswith(SNAPSHOT_DENIED)


@pytest.mark.usefixtures("moto")
def test_check122_only_the_default_version_counts(audit: Audit) -> None:
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="once-admin", PolicyDocument=document("*", "*"))["Policy"]["Arn"]
    found = audit("check122")
    assert list(found) == ["once-admin"]  # AWS's own AdministratorAccess is no customer policy
    assert found["once-admin"].startswith("FAIL")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:Get*", "*"), SetAsDefault=True)
    assert audit("check122")["once-admin"].startswith("PASS")
