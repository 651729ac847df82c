"""The checks of tests_cis/test_1_identity.py that read the credential report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from fixtures.services.iam import credential_report
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
    writer = csv.DictWriter(text, list(dict.fromkeys([*COLUMNS, *(name for one in rows for name in one)])))
    writer.writeheader()
    writer.writerows(rows)
    return {"iam:GetCredentialReport": {"Content": text.getvalue().encode()}}


def summary(**values: int) -> dict[str, Stub]:
    return {"iam:GetAccountSummary": {"SummaryMap": values}}


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
        ([root(password_last_used=ago(400), access_key_1_last_used_date=ago(30))], {}, "PASS: root's access key 1 was used last, at 2026-04-01 12:00 UTC, 30 days ago (window 1)"),
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


@pytest.mark.parametrize(("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-iso-b", "us-isob-east-1")])
def test_check11_without_root_sign_in(audit: Audit, partition: str, region: str) -> None:
    found = audit("check11", answers={}, live=False, partition=partition, regions=[region])
    assert found == {ACCOUNT: f"INFO: root has no sign-in of its own in partition {partition}"}
    assert not audit.backend.calls


@pytest.mark.parametrize("check", REPORT_CHECKS)
def test_the_report_cannot_be_had(audit: Audit, check: str, no_waiting: list[float]) -> None:
    def text(answers: dict[str, Stub]) -> str:
        found = audit(check, answers={**summary(AccountAccessKeysPresent=0), **answers}, live=False, now=NOW)
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
    assert late.startswith("ERROR: iam:GetCredentialReport failed in us-east-1: ReportInProgress: no credential report")
    assert sum(no_waiting) == pytest.approx(60)
    assert no_waiting[:3] == [0.5, 0.75, 1.125]


@pytest.mark.parametrize("check", REPORT_CHECKS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "the credential report lacks the columns"),
        (b"", "the credential report is no CSV text (ValueError)"),
        (b"user,\xff\n", "the credential report is no CSV text (UnicodeDecodeError)"),
        (f"{','.join(COLUMNS)}\nalice,arn:x,true\n".encode(), f"a row of the credential report has 3 fields for {len(COLUMNS)} columns"),
        (f"{','.join(COLUMNS)}\n{',' * len(COLUMNS)}\n".encode(), f"has {len(COLUMNS) + 1} fields for"),
        *[(f"{','.join(c for c in COLUMNS if c != gone)}\n".encode(), f"lacks the columns {gone}") for gone in (
            "user", "arn", "password_enabled", "password_last_used", "mfa_active", "access_key_1_active",
            "access_key_2_last_used_date")],
    ],
)  # fmt: skip
def test_the_report_is_not_what_it_should_be(audit: Audit, check: str, content: bytes, reason: str) -> None:
    answers: dict[str, Stub] = {
        **summary(AccountAccessKeysPresent=0),
        "iam:GetCredentialReport": {"Content": content},
    }
    (text,) = audit(check, answers=answers, live=False, now=NOW).values()
    assert text.startswith("ERROR: iam:GetCredentialReport failed: UnexpectedAnswer")
    assert reason in text


def test_check12_commas_without_quotes(audit: Audit) -> None:
    """A name with commas takes no other user's place, and its values stay in their columns."""
    good, bad = row("com", password_enabled="true", mfa_active="true"), row("com,m,a", password_enabled="true")
    bad["arn"] = f"arn:aws:iam::{ACCOUNT}:user/pa,th/com,m,a"
    text = "\n".join(",".join(line) for line in (COLUMNS, good.values(), bad.values()))
    found = audit("check12", answers={"iam:GetCredentialReport": {"Content": text.encode()}}, live=False, now=NOW)
    assert {name: text[:4] for name, text in found.items()} == {"com": "PASS", "com,m,a": "FAIL"}
    parsed = credential_report._parsed(text.encode())
    assert parsed == {"com": good, "com,m,a": bad}
    assert parsed == credential_report._parsed(report(good, bad)["iam:GetCredentialReport"]["Content"])  # type: ignore[index]


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


@pytest.mark.parametrize("check", ["check13", "check14", "check121"])
def test_credentials_that_the_report_has_no_columns_for(audit: Audit, check: str) -> None:
    """What was not seen does not pass; what was seen to be wrong stays so."""

    def said(**more: str) -> str:
        found = audit(
            check,
            answers=report(row("u", password_enabled="true", password_last_used=ago(1), **more)),
            live=False,
            now=NOW,
        )
        return found["u"]

    for nothing in ("", "N/A", "no_information", "not_supported"):
        assert said(additional_credentials_info=nothing).startswith("PASS: user u: ")
    more = said(additional_credentials_info="access_key_3")
    assert more.startswith("INFO: user u: ")
    assert more.endswith("; the report names more without their use or age: access_key_3")
    stale = {"access_key_1_active": "true", "access_key_1_last_rotated": ago(900)}
    assert said(additional_credentials_info="access_key_3", **stale).startswith("FAIL: user u: ")


def test_check14_judges_each_user_by_its_own_keys(audit: Audit) -> None:
    def with_key(name: str, days: int) -> dict[str, str]:
        return row(name, access_key_1_active="true", access_key_1_last_rotated=ago(days))

    found = users(audit, "check14", with_key("j.doe", 100), with_key("jxdoe", 5))
    assert {name: text[:4] for name, text in found.items()} == {"j.doe": "FAIL", "jxdoe": "PASS"}


@pytest.mark.parametrize(
    ("present", "rows", "expected"),
    [
        (0, [root()], "PASS: root has no access key"),
        (1, [root(access_key_2_active="true")], "FAIL: root has active keys: access key 2"),
        (0, [root(access_key_1_active="true")], "FAIL: root has active keys: access key 1"),
        (1, [root()], "FAIL: an inactive root key exists: the account summary counts 1"),
        (0, [root(), row("my_root_account_user", access_key_1_active="true")], "PASS"),
        (0, [row("alice")], "PASS: root has no access key"),
        (2, [root(access_key_1_active="true", access_key_2_active="true")], "FAIL: root has active keys: access key 1, access key 2 (the account summary counts 2)"),
    ],
)  # fmt: skip
def test_check112(audit: Audit, present: int, rows: list[Any], expected: str) -> None:
    answers = {**summary(AccountAccessKeysPresent=present), **report(*rows)}
    assert audit("check112", answers=answers, live=False)[ACCOUNT].startswith(expected)


def test_check112_without_summary(audit: Audit) -> None:
    clean = report(root())
    denied = audit("check112", answers={**clean, "iam:GetAccountSummary": access_denied("iam", "o")}, live=False)
    assert denied[ACCOUNT].startswith("ERROR: access denied in us-east-1: iam:GetAccountSummary is needed")
    silent = audit("check112", answers={**clean, **summary(AccountMFAEnabled=1)}, live=False)
    assert silent[ACCOUNT].startswith("ERROR: iam:GetAccountSummary failed: UnexpectedAnswer")
    assert "AccountAccessKeysPresent" in silent[ACCOUNT]


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


@pytest.mark.usefixtures("moto")
def test_check12_against_moto(audit: Audit) -> None:
    """The report is asked for, generated and waited for as AWS would have it."""
    iam = boto3.client("iam")
    for name in ("console", "com,ma"):
        iam.create_user(UserName=name)
    iam.create_login_profile(UserName="console", Password="Correct-Horse-9-Battery")
    found = audit("check12")
    assert {name: text[:4] for name, text in found.items()} == {"console": "FAIL", "com,ma": "PASS"}
    made = [operation for _, _, operation, _ in audit.backend.calls]
    assert made == ["GetCredentialReport", "GenerateCredentialReport", "GetCredentialReport"]
