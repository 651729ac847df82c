"""The checks of tests_cis/test_1_identity.py."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures import credential_report
from fixtures.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPORT_CHECKS = ["check11", "check12", "check13", "check14", "check112", "check121"]
COLUMNS = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
]


def ago(days: float = 0, hours: float = 0) -> str:
    return (NOW - timedelta(days=days, hours=hours)).isoformat()


def row(user: str, **more: str) -> dict[str, str]:
    """A row of the credential report: no password, no keys, made 1,000 days ago."""
    empty = dict.fromkeys(COLUMNS, "N/A")
    return {
        **empty, "user": user, "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}", "user_creation_time": ago(1000),
        "password_enabled": "false", "mfa_active": "false", "access_key_1_active": "false", "access_key_2_active": "false",
        **more,
    }  # fmt: skip


def root(**more: str) -> dict[str, str]:
    return row("<root_account>", password_enabled="true", arn=f"arn:aws:iam::{ACCOUNT}:root", **more)


def report(*rows: dict[str, str]) -> dict[str, Stub]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return {"iam:GetCredentialReport": {"Content": text.getvalue().encode()}}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    slept: list[float] = []
    monkeypatch.setattr(credential_report, "sleep", slept.append)
    return slept  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("rows", "settings", "expected"),
    [
        ([root(password_last_used=ago(hours=3))], {}, "FAIL: root's password was used last, at 2026-05-01 09:00 UTC, 0 days ago (window 1)"),
        ([root(password_last_used=ago(400), access_key_2_last_used_date=ago(hours=2))], {}, "FAIL: root's access key 2 was used last"),
        ([root(password_last_used="no_information")], {}, "PASS: no root credential was ever used"),
        ([root(password_last_used=ago(hours=25))], {}, "PASS: root's password was used last, at 2026-04-30 11:00 UTC, 1 days ago (window 1)"),
        ([root(password_last_used=ago(hours=25))], {"root_usage_window_days": 30}, "FAIL"),
        ([root(password_last_used=ago(hours=24))], {}, "FAIL"),
        ([root(password_last_used="not_supported"), row("root_account_admin", password_last_used=ago(0))], {}, "PASS"),
        ([row("alice")], {}, "INFO: the credential report has no row for root"),
    ],
)  # fmt: skip
def test_check11(audit: Audit, rows: list[Any], settings: dict[str, Any], expected: str) -> None:
    found = audit("check11", answers=report(*rows), live=False, now=NOW, **settings)
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith(expected), found


def test_check11_in_govcloud(audit: Audit) -> None:
    found = audit("check11", answers={}, live=False, partition="aws-us-gov", regions=["us-gov-west-1"])
    assert found == {ACCOUNT: "INFO: root has no sign-in of its own in partition aws-us-gov"}


@pytest.mark.parametrize("check", REPORT_CHECKS)
def test_the_report_cannot_be_had(audit: Audit, check: str, no_waiting: list[float]) -> None:
    summary: dict[str, Stub] = {"iam:GetAccountSummary": {"SummaryMap": {}}}

    def text(answers: dict[str, Stub]) -> str:
        found = audit(check, answers={**summary, **answers}, live=False, now=NOW)
        assert len(found) == 1
        return next(iter(found.values()))

    def missing(code: str) -> ApiError:
        return ApiError("iam", "GetCredentialReport", code, "x")

    denied = text({"iam:GetCredentialReport": access_denied("iam", "o")})
    assert denied.startswith("ERROR: access denied in us-east-1: iam:GetCredentialReport is needed")
    denied = text(
        {
            "iam:GetCredentialReport": missing("ReportNotPresent"),
            "iam:GenerateCredentialReport": access_denied("iam", "o"),
        }
    )
    assert denied.startswith("ERROR: access denied in us-east-1: iam:GenerateCredentialReport is needed")
    no_waiting.clear()
    late = text({"iam:GetCredentialReport": missing("ReportInProgress")})
    assert late.startswith("ERROR: iam:GetCredentialReport failed")
    assert 60 <= sum(no_waiting) <= 70
    nonsense = text({"iam:GetCredentialReport": {"Content": b"<html>"}})
    assert nonsense.startswith("ERROR")


@pytest.mark.parametrize("first", ["ReportNotPresent", "ReportExpired", "ReportInProgress"])
def test_the_report_is_generated_once_and_waited_for(audit: Audit, first: str) -> None:
    answers = iter([ApiError("iam", "o", first, "x"), ApiError("iam", "o", "ReportInProgress", "x")])
    ready = report(row("alice"))["iam:GetCredentialReport"]

    def get(_: dict[str, Any]) -> Any:
        return next(answers, ready)

    found = audit(
        "check12",
        answers={"iam:GetCredentialReport": get, "iam:GenerateCredentialReport": {"State": "STARTED"}},
        live=False,
    )
    assert list(found) == ["alice"]
    generated = [call for call in audit.backend.calls if call[2] == "GenerateCredentialReport"]
    assert len(generated) == (0 if first == "ReportInProgress" else 1)


def users(audit: Audit, check: str, *rows: dict[str, str], **settings: Any) -> dict[str, str]:
    return audit(check, answers=report(root(password_last_used=ago(400)), *rows), live=False, now=NOW, **settings)


def test_check12(audit: Audit) -> None:
    found = users(
        audit, "check12", row("bad", password_enabled="true"), row("good", password_enabled="true", mfa_active="true"),
        row("keys", access_key_1_active="true"), row("a.b", password_enabled="true", mfa_active="true"), row("axb"),
        row("com,ma", password_enabled="true"),
    )  # fmt: skip
    assert {name: text.split(":")[0] for name, text in found.items()} == {
        "bad": "FAIL", "good": "PASS", "keys": "PASS", "a.b": "PASS", "axb": "PASS", "com,ma": "FAIL",
    }  # fmt: skip
    assert found["bad"] == "FAIL: user bad: password enabled, MFA not enabled (report up to 4 h old)"
    assert found["good"] == "PASS: user good: password enabled, MFA enabled (report up to 4 h old)"


@pytest.mark.parametrize("check", ["check12", "check13", "check14", "check121"])
def test_no_users(audit: Audit, check: str) -> None:
    assert users(audit, check) == {ACCOUNT: "INFO: no user credentials to check in the account"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"password_enabled": "true", "password_last_used": ago(89)}, "PASS: user u: password last used 89 days ago"),
        ({"password_enabled": "true", "password_last_used": ago(90)}, "FAIL: user u: password last used 90 days ago"),
        ({"password_enabled": "true", "password_last_used": "no_information", "password_last_changed": ago(120)}, "FAIL: user u: password never used, created 120 days ago"),
        ({"password_enabled": "true", "password_last_used": "no_information", "password_last_changed": ago(10)}, "PASS"),
        ({"password_enabled": "true", "password_last_used": "no_information", "password_last_changed": "N/A"}, "FAIL: user u: password never used, created 1000 days ago"),
        ({"password_enabled": "true", "password_last_used": ago(200), "password_last_changed": ago(5)}, "FAIL: user u: password last used 200"),
        ({"access_key_2_active": "true", "access_key_2_last_rotated": ago(91)}, "FAIL: user u: access key 2 never used, created 91 days ago"),
        ({"access_key_1_last_used_date": ago(400), "access_key_1_last_rotated": ago(500)}, "PASS: user u: no enabled credential"),
        ({"password_enabled": "true", "password_last_used": ago(1), "access_key_1_active": "true", "access_key_1_last_used_date": ago(100)}, "FAIL: user u: access key 1 last used 100 days ago"),
    ],
)  # fmt: skip
def test_check13(audit: Audit, columns: dict[str, str], expected: str) -> None:
    found = users(audit, "check13", row("u", **columns))
    assert list(found) == ["u"]  # root, unused for 400 days, is no item
    assert found["u"].startswith(expected), found
    relaxed = users(audit, "check13", row("u", **columns), max_unused_credentials_days=5000)
    assert relaxed["u"].startswith("PASS")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"access_key_1_active": "true", "access_key_1_last_rotated": ago(90)}, "PASS: user u: access key 1 rotated 2026-01-31, 90 days ago"),
        ({"access_key_1_active": "true", "access_key_1_last_rotated": ago(91)}, "FAIL: user u: access key 1 rotated 2026-01-30, 91 days ago"),
        ({"access_key_1_active": "true", "access_key_1_last_rotated": ago(20), "access_key_2_active": "true", "access_key_2_last_rotated": ago(300)}, "FAIL: user u: access key 2 rotated"),
        ({"access_key_1_last_rotated": ago(500)}, "PASS: user u: no active access key"),
        ({}, "PASS: user u: no active access key"),
    ],
)  # fmt: skip
def test_check14(audit: Audit, columns: dict[str, str], expected: str) -> None:
    found = users(audit, "check14", row("u", **columns))
    assert list(found) == ["u"]
    assert found["u"].startswith(expected), found
    if "access_key_1_active" in columns:
        assert users(audit, "check14", row("u", **columns), max_access_key_age_days=10)["u"].startswith("FAIL")


def test_check14_judges_each_user_by_its_own_keys(audit: Audit) -> None:
    def with_key(name: str, days: int) -> dict[str, str]:
        return row(name, access_key_1_active="true", access_key_1_last_rotated=ago(days))

    found = users(audit, "check14", with_key("j.doe", 100), with_key("jxdoe", 5))
    assert {name: text[:4] for name, text in found.items()} == {"j.doe": "FAIL", "jxdoe": "PASS"}


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


@pytest.mark.parametrize(
    ("present", "rows", "expected"),
    [
        (0, [root()], "PASS: root has no access key"),
        (1, [root(access_key_2_active="true")], "FAIL: root has active keys: access key 2"),
        (0, [root(access_key_1_active="true")], "FAIL: root has active keys: access key 1"),
        (1, [root()], "FAIL: an inactive root key exists: the account summary counts 1"),
        (0, [root(), row("my_root_account_user", access_key_1_active="true")], "PASS"),
        (0, [row("alice")], "PASS"),
    ],
)  # fmt: skip
def test_check112(audit: Audit, present: int, rows: list[Any], expected: str) -> None:
    answers = {**summary(AccountAccessKeysPresent=present), **report(*rows)}
    assert audit("check112", answers=answers, live=False)[ACCOUNT].startswith(expected)
    denied = audit("check112", answers={**answers, "iam:GetAccountSummary": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:GetAccountSummary is needed")


NOTHING = {"AccountPasswordPresent": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"AccountMFAEnabled": 1}, "PASS: root has an MFA device (AccountMFAEnabled 1)"),
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
    gov = audit("check113", answers={}, live=False, partition="aws-us-gov", regions=["us-gov-west-1"])
    assert gov == {ACCOUNT: "INFO: root has no console sign-in in partition aws-us-gov"}
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
    ],
)  # fmt: skip
def test_check114(audit: Audit, devices: list[Any], expected: str) -> None:
    answers = {**summary(AccountMFAEnabled=1), "iam:ListVirtualMFADevices": {"VirtualMFADevices": devices}}
    assert audit("check114", answers=answers, live=False)[ACCOUNT].startswith(expected)
    denied = audit("check114", answers={**answers, "iam:ListVirtualMFADevices": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:ListVirtualMFADevices is needed")
    china = audit("check114", answers={}, live=False, partition="aws-cn", regions=["cn-north-1"])
    assert china == {ACCOUNT: "INFO: hardware MFA for root cannot be told in partition aws-cn"}


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


def test_check116_errors(audit: Audit) -> None:
    listed: dict[str, Stub] = {
        "iam:ListUsers": {"Users": [{"UserName": name, "Arn": f"arn:{name}"} for name in ("a", "b")]},
        "iam:ListAttachedUserPolicies": {"AttachedPolicies": []}, "iam:ListUserPolicies": {"PolicyNames": []},
    }  # fmt: skip

    def only_for_a(error: ApiError) -> Callable[[dict[str, Any]], Any]:
        return lambda p: error if p["UserName"] == "a" else {"PolicyNames": []}

    denied = audit(
        "check116", answers={**listed, "iam:ListUserPolicies": only_for_a(access_denied("iam", "o"))}, live=False
    )
    assert denied["a"].startswith("ERROR: access denied in us-east-1: iam:ListUserPolicies is needed")
    assert denied["b"].startswith("PASS")
    gone = audit(
        "check116",
        answers={**listed, "iam:ListUserPolicies": only_for_a(ApiError("iam", "o", "NoSuchEntity", "x"))},
        live=False,
    )
    assert gone["a"] == "INFO: a was deleted during the audit"
    nobody = audit("check116", answers={"iam:ListUsers": access_denied("iam", "o")}, live=False)
    assert nobody[f"{ACCOUNT} us-east-1"].startswith("ERROR: access denied in us-east-1: iam:ListUsers is needed")


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
    assert audit("check120") == {ACCOUNT: "FAIL: no role holds AWSSupportAccess"}
    iam.create_group(GroupName="helpers")
    iam.attach_group_policy(GroupName="helpers", PolicyArn=SUPPORT)
    own = iam.create_policy(PolicyName="AWSSupportAccess", PolicyDocument=document("support:*", "*"))["Policy"]["Arn"]
    for name in ("own", "real"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="own", PolicyArn=own)
    assert audit("check120")[ACCOUNT].startswith("FAIL")
    iam.attach_role_policy(RoleName="real", PolicyArn=SUPPORT)
    assert audit("check120") == {ACCOUNT: "PASS: AWSSupportAccess is held by real"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"PolicyRoles": [], "PolicyGroups": [{"GroupName": "g"}], "PolicyUsers": [{"UserName": "u"}]}, "FAIL: only users or groups hold AWSSupportAccess: u, g"),
        ({"PolicyRoles": [], "PolicyGroups": [], "PolicyUsers": []}, "FAIL: no role holds AWSSupportAccess"),
        (ApiError("iam", "o", "NoSuchEntity", "x"), "FAIL: the managed policy AWSSupportAccess is unknown here"),
        (access_denied("iam", "o"), "ERROR: access denied in us-east-1: iam:ListEntitiesForPolicy is needed"),
    ],
)  # fmt: skip
def test_check120_answers(audit: Audit, answer: Stub, expected: str) -> None:
    assert audit("check120", answers={"iam:ListEntitiesForPolicy": answer}, live=False)[ACCOUNT].startswith(expected)


@pytest.mark.usefixtures("moto")
def test_check120_role_on_a_later_page(audit: Audit) -> None:
    iam = boto3.client("iam")
    for number in range(105):
        iam.create_role(RoleName=f"r{number:03}", AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName=f"r{number:03}", PolicyArn=SUPPORT)
    assert "r104" in audit("check120")[ACCOUNT]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"password_enabled": "true", "access_key_1_active": "true", "access_key_1_last_rotated": ago(1000)}, "FAIL: user u: access key 1 of 2023-08-05 was never used (made with the user)"),
        ({"password_enabled": "true", "access_key_1_active": "true", "access_key_1_last_used_date": ago(1), "access_key_2_active": "true", "access_key_2_last_rotated": ago(10)}, "FAIL: user u: access key 2 of 2026-04-21 was never used"),
        ({"access_key_1_active": "true"}, "PASS: user u has no console password"),
        ({"password_enabled": "true"}, "PASS: user u: no active access key that was never used"),
        ({"password_enabled": "true", "access_key_1_active": "true", "access_key_1_last_used_date": "no_information"}, "FAIL"),
    ],
)  # fmt: skip
def test_check121(audit: Audit, columns: dict[str, str], expected: str) -> None:
    found = users(audit, "check121", row("u", **columns))
    assert list(found) == ["u"]
    assert found["u"].startswith(expected), found


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "*", "Resource": "*"}, "FAIL: arn:p (version v2, attached 0 times) grants everything: statement number 1"),
        ([{"Sid": "All", "Effect": "Allow", "Action": ["s3:*", "*"], "Resource": ["*"]}], "FAIL: arn:p (version v2, attached 0 times) grants everything: statement All"),
        ({"Action": "*:*", "Resource": "*:*"}, "FAIL"),
        ({"Action": "*", "Resource": "arn:aws:s3:::b/*"}, "PASS: arn:p (version v2, attached 0 times) does not grant everything"),
        ({"Action": "*", "NotResource": "arn:aws:s3:::b/*"}, "FAIL"),
        ({"Action": "*", "NotResource": "*"}, "PASS"),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "PASS"),
        ({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, "PASS"),
        ({"NotAction": "aws-portal:*", "Resource": "*"}, "FAIL"),
        ({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, "FAIL: arn:p (version v2, attached 0 times) grants everything: statement number 1 (with a Condition)"),
        ({"Action": "s3:*", "Resource": "*"}, "PASS"),
    ],
)  # fmt: skip
def test_check122(audit: Audit, statement: Any, expected: str) -> None:
    given = statement if isinstance(statement, list) else {"Effect": "Allow", **statement}
    answers: dict[str, Stub] = {
        "iam:ListPolicies": {
            "Policies": [{"PolicyName": "p,1", "Arn": "arn:p", "DefaultVersionId": "v2", "AttachmentCount": 0}]
        },
        "iam:GetPolicyVersion": lambda p: (
            {"PolicyVersion": {"Document": {"Statement": given}}} if p["VersionId"] == "v2" else {}
        ),
    }
    found = audit("check122", answers=answers, live=False)
    assert list(found) == ["p,1"]
    assert found["p,1"].startswith(expected), found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (access_denied("iam", "o"), "ERROR: access denied in us-east-1: iam:GetPolicyVersion is needed"),
        (ApiError("iam", "o", "NoSuchEntity", "x"), "INFO: p was deleted during the audit"),
        ({"PolicyVersion": {"Document": "{not json"}}, "ERROR: iam:GetPolicyVersion failed in us-east-1: UnexpectedAnswer: the policy document is not valid JSON"),
        ({"PolicyVersion": {"Document": {}}}, "ERROR: iam:GetPolicyVersion failed in us-east-1: UnexpectedAnswer: the policy document has no Statement"),
    ],
)  # fmt: skip
def test_check122_errors(audit: Audit, answer: Stub, expected: str) -> None:
    listed: dict[str, Stub] = {
        "iam:ListPolicies": {"Policies": [{"PolicyName": "p", "Arn": "arn:p", "DefaultVersionId": "v1"}]}
    }
    assert audit("check122", answers={**listed, "iam:GetPolicyVersion": answer}, live=False)["p"].startswith(expected)
    assert audit("check122", answers={"iam:ListPolicies": {"Policies": []}}, live=False) == {
        ACCOUNT: "INFO: no customer policy to check in the account"
    }


@pytest.mark.usefixtures("moto")
def test_check122_only_the_default_version_counts(audit: Audit) -> None:
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="once-admin", PolicyDocument=document("*", "*"))["Policy"]["Arn"]
    assert audit("check122")["once-admin"].startswith("FAIL")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:Get*", "*"), SetAsDefault=True)
    assert audit("check122")["once-admin"].startswith("PASS")
