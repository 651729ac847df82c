"""The checks of tests_extras/test_acm.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from fixtures.services import acm
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
ID = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{ID}"
LABEL = f"www.example.com ({ID}) in {REGION}"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def answers(**detail: Any) -> dict[str, Stub]:
    """One certificate; None removes a field of its description."""
    data = {
        "CertificateArn": ARN, "DomainName": "www.example.com", "Type": "AMAZON_ISSUED", "Status": "ISSUED",
        "NotAfter": NOW + timedelta(days=30), "InUseBy": [], **detail,
    }  # fmt: skip
    return {
        "acm:ListCertificates": {"CertificateSummaryList": [{"CertificateArn": ARN, "DomainName": "www.example.com"}]},
        "acm:DescribeCertificate": {"Certificate": {key: value for key, value in data.items() if value is not None}},
    }


def run(audit: Audit, check: str, given: dict[str, Stub], **more: Any) -> dict[str, str]:
    return audit(check, answers=given, live=False, regions=[REGION], now=NOW, **more)


@pytest.mark.parametrize("check", ["extra724", "extra730"])
def test_listing(audit: Audit, check: str) -> None:
    nothing: dict[str, Stub] = {"acm:ListCertificates": {"CertificateSummaryList": []}}
    assert run(audit, check, nothing) == {ACCOUNT: f"INFO: no acm certificate to check in {REGION}"}
    assert audit.backend.calls == [
        (REGION, "acm", "ListCertificates", {
            "Includes": {"keyTypes": [
                "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
            ]},
            "CertificateKeyPairOrigins": ["AWS_MANAGED", "CUSTOMER_PROVIDED", "ACME"],
        })
    ]  # fmt: skip
    denied = run(audit, check, {"acm:ListCertificates": access_denied("acm", "ListCertificates")})
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert f"ERROR: access denied in {REGION}: acm:ListCertificates is needed" in str(denied)


@pytest.mark.parametrize("check", ["extra724", "extra730"])
def test_describing(audit: Audit, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(acm, "sleep", pauses.append)
    gone = {**answers(), "acm:DescribeCertificate": ApiError("acm", "x", "ResourceNotFoundException", "")}
    assert run(audit, check, gone) == {ID: f"INFO: {LABEL} was deleted during the audit"}
    denied = {**answers(), "acm:DescribeCertificate": access_denied("acm", "DescribeCertificate")}
    found = run(audit, check, denied)
    assert found[ID].startswith(f"ERROR: access denied in {REGION}: acm:DescribeCertificate is needed")
    assert pauses == []

    busy = ApiError("acm", "x", "RequestInProgressException", "in progress")
    given: list[Any] = [busy, answers()["acm:DescribeCertificate"]]
    found = run(audit, check, {**answers(), "acm:DescribeCertificate": lambda params: given.pop(0)})
    assert found[ID].startswith("PASS") and pauses == [2.0]
    found = run(audit, check, {**answers(), "acm:DescribeCertificate": busy})
    assert found[ID] == f"ERROR: acm:DescribeCertificate failed in {REGION}: RequestInProgressException: in progress"


def preference(value: str) -> dict[str, Any]:
    return {"Options": {"CertificateTransparencyLoggingPreference": value}}


NOT_LOGGED = "ACM does not log such certificates"
LOGGED = f"PASS: {LABEL}: ACM records every public certificate"
OPTED_OUT = f"INFO: {LABEL} was issued with transparency logging DISABLED, which ACM offers no more:"


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (preference("ENABLED"), LOGGED),
        (preference("DISABLED"), OPTED_OUT),
        ({**preference("DISABLED"), "IssuedAt": datetime(2026, 6, 11, tzinfo=UTC)}, OPTED_OUT),
        ({**preference("DISABLED"), "IssuedAt": datetime(2026, 6, 12, tzinfo=UTC)}, LOGGED),
        ({}, LOGGED),
        ({"Options": {"Export": "DISABLED"}}, LOGGED),
        ({**preference("DISABLED"), "Type": "IMPORTED"}, f"INFO: {LABEL} is IMPORTED: {NOT_LOGGED}"),
        ({**preference("DISABLED"), "Type": "PRIVATE"}, f"INFO: {LABEL} is PRIVATE: {NOT_LOGGED}"),
        ({**preference("DISABLED"), "Status": "PENDING_VALIDATION"}, f"INFO: {LABEL} is not issued but PENDING_VALIDATION"),
        (preference(Undocumented("PERHAPS")), LOGGED),
    ],
)  # fmt: skip
def test_extra724(audit: Audit, detail: dict[str, Any], expected: str) -> None:
    found = run(audit, "extra724", answers(**detail))
    assert list(found) == [ID] and found[ID].startswith(expected)


def left(**parts: int) -> dict[str, Any]:
    return {"NotAfter": NOW + timedelta(**parts)}


@pytest.mark.parametrize(
    ("detail", "settings", "expected"),
    [
        (left(days=30), {}, f"PASS: {LABEL} expires in 30 days, on 2026-05-31 (not in use)"),
        (left(days=8, hours=1), {}, f"PASS: {LABEL} expires in 8 days, on 2026-05-09 (not in use)"),
        (left(days=7, hours=5), {}, f"FAIL: {LABEL} expires in 7 days, on 2026-05-08 (not in use)"),
        (left(days=7, hours=5), {"days_to_expire_threshold": 6}, f"PASS: {LABEL} expires in 7 days, on 2026-05-08 (not in use)"),
        (left(hours=1), {}, f"FAIL: {LABEL} expires in 0 days, on 2026-05-01 (not in use)"),
        (left(hours=1), {"days_to_expire_threshold": -1}, f"PASS: {LABEL} expires in 0 days, on 2026-05-01 (not in use)"),
        (left(days=-3, hours=-2), {}, f"FAIL: {LABEL} expired 3 days ago, on 2026-04-28 (not in use)"),
        (left(hours=0), {"days_to_expire_threshold": -1}, f"FAIL: {LABEL} expired 0 days ago, on 2026-05-01 (not in use)"),
        ({**left(days=-3), "Status": "EXPIRED"}, {"days_to_expire_threshold": -9}, f"FAIL: {LABEL} expired 3 days ago, on 2026-04-28 (not in use)"),
        ({"NotAfter": None, "Status": "PENDING_VALIDATION"}, {}, f"INFO: {LABEL} is PENDING_VALIDATION, nothing to expire"),
        ({"NotAfter": None}, {}, f"INFO: {LABEL} is ISSUED, nothing to expire"),
        ({**left(days=3), "Status": "REVOKED"}, {}, f"INFO: {LABEL} is REVOKED, nothing to expire"),
        ({**left(days=3), "Status": "INACTIVE"}, {}, f"INFO: {LABEL} is INACTIVE, nothing to expire"),
        ({**left(days=5), "Type": "IMPORTED", "KeyAlgorithm": "EC_secp384r1"}, {}, f"FAIL: {LABEL} expires in 5 days, on 2026-05-06 (not in use)"),
        (left(days=3), {}, f"FAIL: {LABEL} expires in 3 days, on 2026-05-04 (not in use)"),
        ({**left(days=3), "InUseBy": ["arn:aws:elasticloadbalancing:x"], "RenewalEligibility": "ELIGIBLE", "RenewalSummary": {"RenewalStatus": "PENDING_VALIDATION"}}, {}, f"FAIL: {LABEL} expires in 3 days, on 2026-05-04 (in use, renewal ELIGIBLE, renewal status PENDING_VALIDATION)"),
    ],
)  # fmt: skip
def test_extra730(audit: Audit, detail: dict[str, Any], settings: dict[str, int], expected: str) -> None:
    assert run(audit, "extra730", answers(**detail), **settings) == {ID: expected}


def acme(id: str, days: int, *others: str, name: str = "a.example.com", **more: Any) -> dict[str, Any]:
    """A certificate that came by ACME, as ListCertificates gives it; it expires in so many days."""
    return {
        "CertificateArn": f"{ARN.rpartition('/')[0]}/{id}", "DomainName": name, "Status": "ISSUED",
        "SubjectAlternativeNameSummaries": [name, *others], "NotAfter": NOW + timedelta(days=days),
        "CertificateKeyPairOrigin": "ACME", "InUse": False, **more,
    }  # fmt: skip


OLD, NEW = acme("old", 5), acme("new", 40)
EXPIRED = acme("old", -3, Status="EXPIRED")


@pytest.mark.parametrize(
    ("certificates", "status", "words"),
    [
        ([OLD, NEW], "INFO", "expires in 5 days, on 2026-05-06 (not in use); its ACME client has replaced it by new"),
        ([EXPIRED, NEW], "INFO", "expired 3 days ago, on 2026-04-28 (not in use); its ACME client has replaced it by new"),
        ([EXPIRED, acme("newer", 80), NEW], "INFO", "has replaced it by newer"),
        ([acme("old", 5, "b.example.com"), acme("new", 40, "b.example.com")], "INFO", "has replaced it by new"),
        ([OLD], "FAIL", "expires in 5 days"),
        ([EXPIRED], "FAIL", "expired 3 days ago"),
        ([EXPIRED, acme("new", 40, name="z.example.com")], "FAIL", "expired 3 days ago"),
        ([EXPIRED, acme("new", 40, "b.example.com")], "FAIL", "expired 3 days ago"),
        ([EXPIRED, acme("new", 40, Status="REVOKED")], "FAIL", "expired 3 days ago"),
        ([EXPIRED, acme("new", 40, CertificateKeyPairOrigin="AWS_MANAGED")], "FAIL", "expired 3 days ago"),
        ([{**OLD, "InUse": True}, NEW], "FAIL", "expires in 5 days"),
        ([{**OLD, "CertificateKeyPairOrigin": "AWS_MANAGED"}, NEW], "FAIL", "expires in 5 days"),
        ([{**OLD, "HasAdditionalSubjectAlternativeNames": True}, NEW], "FAIL", "expires in 5 days"),
    ],
)  # fmt: skip
def test_extra730_of_acme(audit: Audit, certificates: list[dict[str, Any]], status: str, words: str) -> None:
    def described(params: dict[str, Any]) -> dict[str, Any]:
        one = next(one for one in certificates if one["CertificateArn"] == params["CertificateArn"])
        kept = ("CertificateArn", "DomainName", "Status", "NotAfter", "CertificateKeyPairOrigin")
        return {"Certificate": {"Type": "AMAZON_ISSUED", **{member: one[member] for member in kept}}}

    given: dict[str, Stub] = {
        "acm:ListCertificates": {"CertificateSummaryList": certificates}, "acm:DescribeCertificate": described
    }  # fmt: skip
    found = run(audit, "extra730", given)
    assert found["old"].startswith(f"{status}: a.example.com (old)") and words in found["old"]


@pytest.mark.usefixtures("moto")
def test_against_moto_extra724_extra730(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.settings.ACM_VALIDATION_WAIT", -1)
    client = boto3.client("acm", REGION)

    def request(domain: str, logged: str, key: str = "RSA_2048") -> str:
        arn = client.request_certificate(
            DomainName=domain, KeyAlgorithm=key, ValidationMethod="DNS",
            Options={"CertificateTransparencyLoggingPreference": logged},
        )["CertificateArn"]  # fmt: skip
        return str(arn).rpartition("/")[2]

    logged, unlogged = request("a.example.com", "ENABLED"), request("b.example.com", "DISABLED", "EC_prime256v1")
    found = audit("extra724")
    assert found[logged] == f"PASS: a.example.com ({logged}) in {REGION}: ACM records every public certificate"
    assert found[unlogged] == f"PASS: b.example.com ({unlogged}) in {REGION}: ACM records every public certificate"
    assert all("expires in" in text for text in audit("extra730").values())
