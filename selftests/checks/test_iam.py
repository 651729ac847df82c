"""The checks of tests_extras/test_iam.py."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from fixtures.services.iam import credential_report
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
SNAPSHOT = "iam:GetAccountAuthorizationDetails"
CLOSED = f"{ACCOUNT} us-east-1"
SNAPSHOT_DENIED = f"ERROR: access denied in us-east-1: {SNAPSHOT} is needed"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def iam(**parts: list[dict[str, Any]]) -> dict[str, Stub]:
    """The account's IAM snapshot: UserDetailList, GroupDetailList, RoleDetailList and Policies, empty unless given."""
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    return {SNAPSHOT: {**{name: [] for name in lists}, **parts}}


def attached(*arns: str) -> dict[str, Any]:
    """A holder's managed policies."""
    return {"AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]}


def inline(kind: str, *statements: Any) -> dict[str, Any]:
    """A holder's inline policy "i"."""
    return {f"{kind}PolicyList": [{"PolicyName": "i", "PolicyDocument": {"Statement": list(statements)}}]}


def user(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    return {"UserName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "GroupList": list(groups), **more}


def group(name: str, **more: Any) -> dict[str, Any]:
    return {"GroupName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}", **more}


def mfa(*names: str) -> dict[str, Stub]:
    """These users have an MFA device."""

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        found = [{"SerialNumber": "arn:mfa", "UserName": params["UserName"]}] if params["UserName"] in names else []
        return {"MFADevices": found}

    return {"iam:ListMFADevices": answer}


ADMINS = group("admins", **attached(ADMIN))
BY_GROUP = "is an administrator by group admins (managed policy AdministratorAccess); MFA devices:"


@pytest.mark.parametrize(
    ("users", "groups", "settings", "expected"),
    [
        ([user("amy", "admins"), user("bob", "admins")], [ADMINS], {}, {"amy": f"PASS: user amy {BY_GROUP} 1", "bob": f"FAIL: user bob {BY_GROUP} 0"}),
        ([user("bob", "g")], [group("g", **attached(f"{ADMIN}-Amplify"))], {}, {ACCOUNT: "INFO: no administrator to check in the account"}),
        ([user("bob", "g")], [group("g", **inline("Group", EVERYTHING))], {}, {"bob": "FAIL: user bob is an administrator by group g (inline policy i); MFA devices: 0"}),
        ([user("bob", "g")], [group("g", **inline("Group", EVERYTHING))], {"include_equivalent_policies": False}, {"bob": "INFO: user bob is an administrator only in ways that the settings leave out"}),
        ([user("a.b", "admins"), user("axb")], [ADMINS], {}, {"a.b": f"FAIL: user a.b {BY_GROUP} 0"}),
        ([user("bob", **attached(ADMIN))], [], {}, {"bob": "FAIL: user bob is an administrator by managed policy AdministratorAccess attached directly; MFA devices: 0"}),
        ([user("bob", **attached(ADMIN))], [], {"include_direct": False}, {"bob": "INFO: user bob is an administrator only in ways that the settings leave out"}),
        ([user("bob", "admins", **attached(ADMIN))], [ADMINS], {"include_direct": False}, {"bob": f"FAIL: user bob {BY_GROUP} 0"}),
        ([user("bob", "admins", **inline("User", EVERYTHING))], [ADMINS], {}, {"bob": "FAIL: user bob is an administrator by inline policy i and group admins (managed policy AdministratorAccess); MFA devices: 0"}),
        ([user("bob")], [ADMINS, group("others")], {}, {ACCOUNT: "INFO: no user is an administrator; groups with administrator rights: admins"}),
        ([user("bob", "g")], [group("g"), group("h", **attached("arn:aws:iam::aws:policy/ReadOnlyAccess"))], {}, {ACCOUNT: "INFO: no administrator to check in the account"}),
        ([], [], {}, {ACCOUNT: "INFO: no administrator to check in the account"}),
    ],
)  # fmt: skip
def test_extra71(audit: Audit, users: list[Any], groups: list[Any], settings: dict[str, Any], expected: Any) -> None:
    answers = {**iam(UserDetailList=users, GroupDetailList=groups), **mfa("amy", "axb")}
    assert audit("extra71", answers=answers, live=False, **settings) == expected


def test_extra71_in_china(audit: Audit) -> None:
    admins = group("admins", **attached("arn:aws-cn:iam::aws:policy/AdministratorAccess"))
    answers = {**iam(UserDetailList=[user("amy", "admins")], GroupDetailList=[admins]), **mfa("amy")}
    found = audit("extra71", answers=answers, live=False, partition="aws-cn", regions=["cn-north-1"])
    assert found == {"amy": f"PASS: user amy {BY_GROUP} 1"}


def test_extra71_errors(audit: Audit) -> None:
    assert audit("extra71", answers={SNAPSHOT: access_denied("iam", "o")}, live=False)[CLOSED].startswith(
        SNAPSHOT_DENIED
    )
    answers = iam(UserDetailList=[user("bob", "admins")], GroupDetailList=[ADMINS])
    denied = audit("extra71", answers={**answers, "iam:ListMFADevices": access_denied("iam", "o")}, live=False)
    assert denied["bob"].startswith("ERROR: access denied in us-east-1: iam:ListMFADevices is needed")
    gone = audit(
        "extra71", answers={**answers, "iam:ListMFADevices": ApiError("iam", "o", "NoSuchEntity", "x")}, live=False
    )
    assert gone == {"bob": "INFO: user bob was deleted during the audit"}


def test_extra71_policy_that_cannot_be_judged(audit: Audit) -> None:
    """Such a user may be an administrator, so there is no silence about it; the others are judged."""
    unclear = user("eve", UserPolicyList=[{"PolicyName": "i", "PolicyDocument": "{not json"}])
    answers = {**iam(UserDetailList=[unclear, user("amy", "admins")], GroupDetailList=[ADMINS]), **mfa("amy")}
    found = audit("extra71", answers=answers, live=False)
    assert found["eve"].startswith(
        f"ERROR: {SNAPSHOT} failed in us-east-1: UnexpectedAnswer: the policy document is not"
    )
    assert found["amy"].startswith("PASS")


def test_extra71_asks_for_the_devices_of_administrators_only(audit: Audit) -> None:
    users = [user("bob"), user("amy", "admins"), user("eve", "g")]
    audit("extra71", answers={**iam(UserDetailList=users, GroupDetailList=[ADMINS, group("g")]), **mfa()}, live=False)
    assert [(call[2], call[3].get("UserName")) for call in audit.backend.calls] == [
        ("GetAccountAuthorizationDetails", None),
        ("ListMFADevices", "amy"),
    ]


@pytest.mark.usefixtures("moto")
def test_extra71_on_emulated_users(audit: Audit) -> None:
    client = boto3.client("iam")
    client.create_group(GroupName="admins")
    client.attach_group_policy(GroupName="admins", PolicyArn=ADMIN)
    for name in ("amy", "bob", "eve"):
        client.create_user(UserName=name)
    for name in ("amy", "bob"):
        client.add_user_to_group(GroupName="admins", UserName=name)
    serial = client.create_virtual_mfa_device(VirtualMFADeviceName="amy")["VirtualMFADevice"]["SerialNumber"]
    client.enable_mfa_device(
        UserName="amy", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    assert audit("extra71") == {"amy": f"PASS: user amy {BY_GROUP} 1", "bob": f"FAIL: user bob {BY_GROUP} 0"}


APP = "arn:aws:iam::111122223333:role/app"
WIDE = "arn:aws:iam::*:role/OrganizationAccountAccessRole"


def allow(action: Any = "sts:AssumeRole", resource: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow statement; None removes an element."""
    elements = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {name: value for name, value in elements.items() if value is not None}


def policy(name: str, statement: Any, attachments: int = 1, **more: Any) -> dict[str, Any]:
    """A customer managed policy with a permissive old version and this default one."""
    versions = [
        {"VersionId": "v1", "Document": {"Statement": allow()}},
        {"VersionId": "v2", "Document": {"Statement": statement}},
    ]
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}", "DefaultVersionId": "v2", "AttachmentCount": attachments,
        "PolicyVersionList": versions, **more,
    }  # fmt: skip


P = f"arn:aws:iam::{ACCOUNT}:policy/p (version v2, attached 1 times)"
SCOPED = allow(Condition={"StringEquals": {"aws:ResourceOrgID": "o-abc"}})


@pytest.mark.parametrize(
    ("statement", "settings", "expected"),
    [
        (allow(resource=APP), {}, f"PASS: {P} names the roles that it lets assume, if any"),
        (allow(), {}, f"FAIL: {P}: statement number 1 allows sts:AssumeRole on *"),
        (allow(["s3:GetObject", "sts:assumerole"]), {}, f"FAIL: {P}: statement number 1 allows sts:assumerole on *"),
        (allow(resource=WIDE), {}, f"FAIL: {P}: statement number 1 allows sts:AssumeRole on {WIDE}"),
        (allow(resource=WIDE), {"allowed_role_patterns": [WIDE]}, "PASS"),
        (allow(resource="arn:aws:iam::111122223333:role/deploy-*"), {}, "FAIL"),
        (allow(["sts:AssumeRole", "s3:GetObject"], [APP, "arn:aws:s3:::b/*"]), {}, "PASS"),
        (allow("*"), {}, f"FAIL: {P}: statement number 1 allows * on *"),
        (allow(None, NotAction="iam:*"), {}, f"FAIL: {P}: statement number 1 allows sts:AssumeRole (all but iam:*) on *"),
        (allow(None, NotAction="sts:*"), {}, "PASS"),
        (allow(resource=None, NotResource="arn:aws:iam::111122223333:role/admin"), {}, "FAIL"),
        ([allow("*"), allow(Effect="Deny")], {}, "PASS"),
        ([allow("*"), allow(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], {}, "FAIL"),
        ([allow(None, NotAction="sts:*"), allow(Sid="Second")], {}, f"FAIL: {P}: statement Second allows"),
        (allow(resource="arn:aws:iam::111122223333:role/${aws:username}"), {}, "PASS"),
        (allow(resource="arn:aws:iam::111122223333:user/jane"), {}, "PASS"),
        (SCOPED, {}, f"FAIL: {P}: statement number 1 allows sts:AssumeRole on * (conditions: aws:ResourceOrgID)"),
        (SCOPED, {"accept_resource_scoping_conditions": True}, "PASS"),
        (
            allow(Condition={**SCOPED["Condition"], "Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            {"accept_resource_scoping_conditions": True}, "PASS",
        ),
        (allow("sts:AssumeRoleWithSAML"), {}, "FAIL"),
        (allow("sts:AssumeRoleWithSAML"), {"assume_role_actions": ["sts:AssumeRole"]}, "PASS"),
        ({}, {}, "ERROR: iam:GetAccountAuthorizationDetails failed in us-east-1: UnexpectedAnswer: the policy document has a"),
    ],
)  # fmt: skip
def test_extra7100(audit: Audit, statement: Any, settings: dict[str, Any], expected: str) -> None:
    found = audit("extra7100", answers=iam(Policies=[policy("p", statement)]), live=False, **settings)
    assert list(found) == ["p"]
    assert found["p"].startswith(expected), found


def test_extra7100_unattached_policies(audit: Audit) -> None:
    answers = iam(Policies=[policy("loose", allow(), attachments=0), policy("path/fine", allow(resource=APP))])
    name = f"unattached arn:aws:iam::{ACCOUNT}:policy/loose (version v2, attached 0 times)"
    found = audit("extra7100", answers=answers, live=False)
    assert found["loose"] == f"FAIL: {name}: statement number 1 allows sts:AssumeRole on *"
    assert found["fine"].startswith("PASS")
    attached_only = audit("extra7100", answers=answers, live=False, only_attached=True)
    assert attached_only["loose"].startswith("INFO: ")
    assert attached_only["loose"].endswith("unattached policies are left out by the settings")
    assert attached_only["fine"].startswith("PASS")
    unknown = policy("p", allow())
    del unknown["AttachmentCount"]
    assert audit("extra7100", answers=iam(Policies=[unknown]), live=False, only_attached=True)["p"].startswith("FAIL")


def test_extra7100_inline_policies(audit: Audit) -> None:
    role = {"RoleName": "r", "Arn": f"arn:aws:iam::{ACCOUNT}:role/r", **inline("Role", allow())}
    answers = iam(
        UserDetailList=[user("u", **inline("User", allow(resource=APP)))],
        GroupDetailList=[group("g", **inline("Group", allow("*")))],
        RoleDetailList=[role],
    )
    assert audit("extra7100", answers=answers, live=False) == {
        "user/u/i": "PASS: inline policy i of user u names the roles that it lets assume, if any",
        "group/g/i": "FAIL: inline policy i of group g: statement number 1 allows * on *",
        "role/r/i": "FAIL: inline policy i of role r: statement number 1 allows sts:AssumeRole on *",
    }
    left_out = audit("extra7100", answers=answers, live=False, include_inline_policies=False)
    assert set(left_out.values()) == {
        f"INFO: inline policy i of {owner}: inline policies are left out by the settings"
        for owner in ("user u", "group g", "role r")
    }
    managed = iam(Policies=[policy("p", allow())])
    assert audit("extra7100", answers=managed, live=False, include_inline_policies=False)["p"].startswith("FAIL")
    assert audit("extra7100", answers=answers, live=False, only_attached=True)["role/r/i"].startswith("FAIL")


def test_extra7100_errors(audit: Audit) -> None:
    assert audit("extra7100", answers=iam(), live=False) == {ACCOUNT: "INFO: no iam policy to check in the account"}
    closed = audit("extra7100", answers={SNAPSHOT: access_denied("iam", "o")}, live=False)
    assert closed[CLOSED].startswith(SNAPSHOT_DENIED)
    broken = policy("p", {}, PolicyVersionList=[{"VersionId": "v2", "Document": "%7Bnot"}])
    found = audit("extra7100", answers=iam(Policies=[broken, policy("fine", allow(resource=APP))]), live=False)
    assert found["p"].startswith(f"ERROR: {SNAPSHOT} failed in us-east-1: UnexpectedAnswer: the policy document is not")
    assert found["fine"].startswith("PASS")
    lost = audit("extra7100", answers=iam(Policies=[policy("p", {}, DefaultVersionId="v9")]), live=False)
    assert "has no version v9, its default one" in lost["p"]


@pytest.mark.usefixtures("moto")
def test_extra7100_on_emulated_policies(audit: Audit) -> None:
    client = boto3.client("iam")

    def text(statement: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    arn = client.create_policy(PolicyName="once-open", PolicyDocument=text(allow()))["Policy"]["Arn"]
    client.create_policy(PolicyName="open", PolicyDocument=text(allow("sts:*", "arn:aws:iam::*:role/a+b%25")))
    client.create_policy_version(PolicyArn=arn, PolicyDocument=text(allow(resource=APP)), SetAsDefault=True)
    client.create_role(RoleName="r", AssumeRolePolicyDocument=text(allow()))
    client.put_role_policy(RoleName="r", PolicyName="i", PolicyDocument=text(allow(resource="arn:aws:iam::*:role/x")))
    found = audit("extra7100")
    assert {id: verdict[:5] for id, verdict in found.items()} == {
        "once-open": "PASS:",
        "open": "FAIL:",
        "role/r/i": "FAIL:",
    }
    assert "statement number 1 allows sts:* on arn:aws:iam::*:role/a+b%25" in found["open"]
    assert len(audit.backend.calls) == 1


def provider(name: str, days: int | None = 365) -> dict[str, Any]:
    """A SAML provider that is valid for so many days, for ever without a number."""
    found: dict[str, Any] = {"Arn": f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}"}
    return found if days is None else {**found, "ValidUntil": NOW + timedelta(days=days)}


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        ([provider("okta")], "PASS: SAML providers: okta (valid until 2027-05-01)"),
        ([provider("okta", None)], "PASS: SAML providers: okta"),
        ([], "FAIL: there is no SAML provider"),
        ([provider("old", -1)], "FAIL: every SAML provider has expired: old (valid until 2026-04-30)"),
        ([provider("old", 0)], "FAIL: every SAML provider has expired: old"),
        ([provider("old", -1), provider("new")], "PASS: SAML providers: new (valid until 2027-05-01)"),
        ([provider("AWSSSO_abc_DO_NOT_DELETE")], "PASS: SAML providers: AWSSSO_abc_DO_NOT_DELETE"),
        (access_denied("iam", "o"), "ERROR: access denied in us-east-1: iam:ListSAMLProviders is needed"),
    ],
)  # fmt: skip
def test_extra733(audit: Audit, providers: Any, expected: str) -> None:
    answer = providers if isinstance(providers, Exception) else {"SAMLProviderList": providers}
    found = audit("extra733", answers={"iam:ListSAMLProviders": answer}, live=False, now=NOW)
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith(expected), found


@pytest.mark.usefixtures("moto")
def test_extra733_on_an_emulated_provider(audit: Audit) -> None:
    boto3.client("iam").create_saml_provider(Name="directory", SAMLMetadataDocument="<EntityDescriptor/>" + " " * 1000)
    assert audit("extra733", now=NOW)[ACCOUNT].startswith("PASS: SAML providers: directory (valid until 20")


COLUMNS = [
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "mfa_active",
    *(f"access_key_{slot}_{what}" for slot in (1, 2) for what in ("active", "last_rotated", "last_used_date")),
]  # fmt: skip


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def row(name: str = "u", **more: str) -> dict[str, str]:
    """A row of the credential report: made 1,000 days ago, nothing enabled unless ``more`` says so."""
    fixed = {
        "user": name, "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "user_creation_time": ago(1000),
        "password_enabled": "false", "mfa_active": "false", "access_key_1_active": "false", "access_key_2_active": "false",
    }  # fmt: skip
    return {**dict.fromkeys(COLUMNS, "N/A"), **fixed, **more}


def report(*rows: dict[str, str]) -> dict[str, Stub]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return {"iam:GetCredentialReport": {"Content": text.getvalue().encode()}}


def password(used: str, changed: str = "N/A", **more: str) -> dict[str, str]:
    return row(password_enabled="true", password_last_used=used, password_last_changed=changed, **more)


ROOT = "<root_account>"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (password(ago(29)), {"u/password": "PASS: user u: password last used 29 days ago, the limit is 30 days"}),
        (password(ago(29.99)), {"u/password": "PASS: user u: password last used 29 days ago"}),
        (password(ago(30)), {"u/password": "FAIL: user u: password last used 30 days ago, the limit is 30 days"}),
        (password("no_information", ago(40)), {"u/password": "FAIL: user u: password never used, created 40 days ago"}),
        (password("N/A", ago(5)), {"u/password": "PASS: user u: password never used, created 5 days ago"}),
        (password("", ago(5)), {"u/password": "PASS: user u: password never used, created 5 days ago"}),
        (password("no_information", "not_supported", user_creation_time=ago(31)), {"u/password": "FAIL: user u: password never used, created 31 days ago"}),
        (password(ago(200), ago(2)), {"u/password": "FAIL: user u: password last used 200 days ago"}),
        (
            row(access_key_1_active="true", access_key_1_last_rotated=ago(100), access_key_2_active="true", access_key_2_last_rotated=ago(100), access_key_2_last_used_date=ago(1)),
            {"u/access_key_1": "FAIL: user u: access key 1 never used, created 100 days ago", "u/access_key_2": "PASS: user u: access key 2 last used 1 days ago"},
        ),
        (row(access_key_1_active="false", access_key_1_last_used_date=ago(400)), {ACCOUNT: "INFO: no credential to check in the account"}),
        (row(password_enabled="not_supported", password_last_used=ago(400)), {ACCOUNT: "INFO: no credential to check in the account"}),
        (row("a,b", access_key_1_active="true", access_key_1_last_used_date=ago(1)), {"a,b/access_key_1": "PASS: user a,b: access key 1 last used 1 days ago"}),
        (row(ROOT, password_enabled="not_supported", access_key_1_active="true", access_key_1_last_used_date=ago(60)), {f"{ROOT}/access_key_1": f"FAIL: user {ROOT}: access key 1 last used 60 days ago"}),
        (row(ROOT, password_enabled="true", password_last_used=ago(400)), {ACCOUNT: "INFO: no credential to check in the account"}),
    ],
)  # fmt: skip
def test_extra774(audit: Audit, given: dict[str, str], expected: dict[str, str]) -> None:
    found = audit("extra774", answers=report(given), live=False, now=NOW)
    assert list(found) == list(expected)
    assert all(found[id].startswith(text) for id, text in expected.items()), found


def test_extra774_limit_and_arn(audit: Audit) -> None:
    answers = report(password(ago(40), access_key_1_active="true", access_key_1_last_used_date=ago(50)))
    found = audit("extra774", answers=answers, live=False, now=NOW, max_unused_days=45)
    assert {id: text[:5] for id, text in found.items()} == {"u/password": "PASS:", "u/access_key_1": "FAIL:"}
    assert found["u/access_key_1"].endswith("the limit is 45 days")


def test_extra774_errors(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_report, "sleep", lambda seconds: None)

    def run(**answers: Stub) -> dict[str, str]:
        return audit("extra774", answers={f"iam:{name}": stub for name, stub in answers.items()}, live=False, now=NOW)

    denied = run(GetCredentialReport=access_denied("iam", "o"))
    assert denied[CLOSED].startswith("ERROR: access denied in us-east-1: iam:GetCredentialReport is needed")
    missing = ApiError("iam", "o", "ReportNotPresent", "x")
    closed = run(GetCredentialReport=missing, GenerateCredentialReport=access_denied("iam", "o"))
    assert closed[CLOSED].startswith("ERROR: access denied in us-east-1: iam:GenerateCredentialReport is needed")
    never = run(GetCredentialReport=missing, GenerateCredentialReport={"State": "STARTED"})
    assert "no credential report after 60 s (ReportNotPresent)" in never[CLOSED]
    timeless = audit("extra774", answers=report(password("N/A", user_creation_time="N/A")), live=False, now=NOW)
    assert "the report has no times for user u" in timeless["u/password"]
    assert timeless["u/password"].startswith("ERROR: ")
