"""The checks of tests_extras/test_cloudfront.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

ID, DOMAIN = "E1EXAMPLE", "d1.cloudfront.net"
ARN = f"arn:aws:cloudfront::{ACCOUNT}:distribution/{ID}"
LABEL = f"{ID} ({DOMAIN})"
OWN = {"CloudFrontDefaultCertificate": False, "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/c"}
DEFAULT_CERTIFICATE = {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}
TLS10 = "viewers of *.cloudfront.net may use TLS 1.0"


def behavior(path: str = "", **more: Any) -> dict[str, Any]:
    """A cache behaviour, the default one without a path."""
    data = {"TargetOriginId": "web", "ViewerProtocolPolicy": "redirect-to-https", **more}
    return {**data, "PathPattern": path} if path else data


def methods(*names: str) -> dict[str, Any]:
    return {"AllowedMethods": {"Quantity": len(names), "Items": list(names)}}


POST = methods("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")
ENCRYPTED = {"FieldLevelEncryptionId": "C1FLE"}


def distribution(default: dict[str, Any] | None = None, *others: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A distribution as ListDistributions gives it; None removes a field."""
    behaviors: dict[str, Any] = {"Quantity": len(others)}
    if others:
        behaviors["Items"] = list(others)
    data = {
        "Id": ID, "ARN": ARN, "DomainName": DOMAIN, "Enabled": True, "ConnectionMode": "direct",
        "DefaultCacheBehavior": default or behavior(), "CacheBehaviors": behaviors,
        "Origins": {"Quantity": 0, "Items": []}, "ViewerCertificate": DEFAULT_CERTIFICATE,
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}, "WebACLId": "", **changes,
    }  # fmt: skip
    return {key: value for key, value in data.items() if value is not None}


def run(audit: Audit, check: str, *found: dict[str, Any], answers: dict[str, Stub] | None = None, **more: Any) -> str:
    """The finding of the only distribution."""
    listed: Stub = {"DistributionList": {"IsTruncated": False, "Quantity": len(found), "Items": list(found)}}
    result = audit(check, answers={"cloudfront:ListDistributions": listed, **(answers or {})}, live=False, **more)
    assert list(result) == [ID]
    return result[ID]


@pytest.mark.parametrize("check", ["extra714", "extra732", "extra738", "extra767", "extra773", "extra791"])
def test_without_distributions(audit: Audit, check: str) -> None:
    none: Stub = {"DistributionList": {"IsTruncated": False, "Quantity": 0}}
    assert audit(check, answers={"cloudfront:ListDistributions": none}, live=False) == {
        ACCOUNT: "INFO: no distribution to check in the account"
    }
    denied = audit(check, answers={"cloudfront:ListDistributions": access_denied("cloudfront", "x")}, live=False)
    assert list(denied) == [f"{ACCOUNT} us-east-1"]
    assert "ERROR: access denied" in str(denied) and "cloudfront:ListDistributions is needed" in str(denied)


# -- extra714 ---------------------------------------------------------------------------------------------------------


def logging(enabled: bool | None) -> Stub:
    """GetDistributionConfig; None is a multi-tenant distribution, which has no Logging."""
    config: dict[str, Any] = {"CallerReference": "c"}
    if enabled is not None:
        config["Logging"] = {"Enabled": enabled, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    return {"DistributionConfig": config, "ETag": "E"}


def source(**changes: Any) -> dict[str, Any]:
    return {
        "name": "cdn", "service": "cloudfront", "logType": "ACCESS_LOGS", "resourceArns": [ARN], "status": "ACTIVE",
        **changes,
    }  # fmt: skip


def standard_v2(*sources: dict[str, Any], deliveries: tuple[str, ...] = ("cdn",)) -> dict[str, Stub]:
    """Both logs answers, in the region that CloudFront is controlled from and nowhere else."""
    return {
        "logs:DescribeDeliverySources@us-east-1": {"deliverySources": list(sources)},
        "logs:DescribeDeliveries@us-east-1": {
            "deliveries": [{"id": f"d-{name}", "deliverySourceName": name} for name in deliveries]
        },
    }


REALTIME = {"RealtimeLogConfigArn": f"arn:aws:cloudfront::{ACCOUNT}:realtime-log-config/all"}
NONE_OF_THREE = f"FAIL: {LABEL} writes no access logs: standard logging is off, standard logging v2 has no delivery, no real-time logs"


@pytest.mark.parametrize(
    ("behaviors", "enabled", "more", "expected"),
    [
        ([], True, {}, f"PASS: {LABEL} writes standard logs"),
        ([], False, standard_v2(), NONE_OF_THREE),
        ([], None, standard_v2(), NONE_OF_THREE),
        ([], False, standard_v2(source()), f"PASS: {LABEL} writes standard logs v2 (delivery source cdn)"),
        ([], None, standard_v2(source()), f"PASS: {LABEL} writes standard logs v2 (delivery source cdn)"),
        ([], False, standard_v2({k: v for k, v in source().items() if k != "status"}), f"PASS: {LABEL} writes standard logs v2 (delivery source cdn)"),
        ([], False, standard_v2(source(), deliveries=()), NONE_OF_THREE),
        ([], False, standard_v2(source(), deliveries=("other",)), NONE_OF_THREE),
        ([], False, standard_v2(source(status="INACTIVE")), NONE_OF_THREE),
        ([], False, standard_v2(source(logType="CONNECTION_LOGS")), NONE_OF_THREE),
        ([], False, standard_v2(source(logType="CONNECTION_LOGS", name="mtls"), source(), deliveries=("mtls", "cdn")), f"PASS: {LABEL} writes standard logs v2 (delivery source cdn)"),
        ([], False, standard_v2(source(resourceArns=[ARN + "2"])), NONE_OF_THREE),
        ([behavior(**REALTIME), behavior("/api/*", **REALTIME)], False, {}, f"PASS: {LABEL} writes real-time logs for every path"),
        ([behavior(**REALTIME), behavior("/api/*")], False, standard_v2(), f"{NONE_OF_THREE} for /api/*"),
        ([behavior(), behavior("/api/*", **REALTIME)], False, standard_v2(), f"{NONE_OF_THREE} for default"),
        ([behavior(**REALTIME), behavior("/api/*")], True, {}, f"PASS: {LABEL} writes standard logs"),
    ],
)  # fmt: skip
def test_extra714(
    audit: Audit, behaviors: list[Any], enabled: bool | None, more: dict[str, Stub], expected: str
) -> None:
    answers = {"cloudfront:GetDistributionConfig": logging(enabled), **more}
    assert run(audit, "extra714", distribution(*behaviors), answers=answers, regions=["eu-west-1"]) == expected


def test_extra714_errors(audit: Audit) -> None:
    refused: dict[str, Stub] = {"logs:DescribeDeliverySources": access_denied("logs", "DescribeDeliverySources")}
    on = {"cloudfront:GetDistributionConfig": logging(True), **refused}
    assert run(audit, "extra714", distribution(), answers=on) == f"PASS: {LABEL} writes standard logs"
    off = {"cloudfront:GetDistributionConfig": logging(False), **refused}
    found = run(audit, "extra714", distribution(), answers=off)
    assert found.startswith("ERROR: access denied in us-east-1: logs:DescribeDeliverySources is needed")
    off = {"cloudfront:GetDistributionConfig": logging(False), **standard_v2(source())}
    off["logs:DescribeDeliveries@us-east-1"] = access_denied("logs", "DescribeDeliveries")
    found = run(audit, "extra714", distribution(), answers=off)
    assert found.startswith("ERROR: access denied in us-east-1: logs:DescribeDeliveries is needed")

    gone: dict[str, Stub] = {"cloudfront:GetDistributionConfig": ApiError("cloudfront", "x", "NoSuchDistribution", "")}
    assert run(audit, "extra714", distribution(), answers=gone) == f"INFO: {LABEL} was deleted during the audit"
    denied: dict[str, Stub] = {"cloudfront:GetDistributionConfig": access_denied("cloudfront", "x")}
    found = run(audit, "extra714", distribution(), answers=denied)
    assert found.startswith("ERROR: access denied in us-east-1: cloudfront:GetDistributionConfig is needed")


# -- extra732 ---------------------------------------------------------------------------------------------------------


def geo(kind: str, *countries: str) -> dict[str, Any]:
    restriction = {"RestrictionType": kind, "Quantity": len(countries), "Items": list(countries)}
    return {"Restrictions": {"GeoRestriction": restriction}}


def tenants(of: str = ID, enabled: bool = True, **customizations: dict[str, Any]) -> dict[str, Stub]:
    """ListDistributionTenants with tenants of these names and customizations."""
    listed = [
        {"Id": f"dt_{name}", "Name": name, "DistributionId": of, "Enabled": enabled, "Customizations": changes}
        for name, changes in customizations.items()
    ]
    return {"cloudfront:ListDistributionTenants": {"DistributionTenantList": listed}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (geo("whitelist", "CH", "LI"), f"PASS: {LABEL}: geo restriction whitelist, countries: 2"),
        (geo("blacklist", "XX"), f"PASS: {LABEL}: geo restriction blacklist, countries: 1"),
        (geo("none"), f"FAIL: {LABEL}: geo restriction none, countries: 0"),
        (geo("none", "CH"), f"FAIL: {LABEL}: geo restriction none, countries: 1"),
        (geo("whitelist"), f"FAIL: {LABEL}: geo restriction whitelist, countries: 0"),
        ({"Restrictions": None}, f"FAIL: {LABEL}: geo restriction none, countries: 0"),
        (geo(Undocumented("elsewhere"), "CH"), f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown geo restriction type: elsewhere"),
    ],
)  # fmt: skip
def test_extra732(audit: Audit, changes: dict[str, Any], expected: str) -> None:
    assert run(audit, "extra732", distribution(**changes)) == expected


def own_geo(kind: str, *countries: str) -> dict[str, Any]:
    return {"GeoRestrictions": {"RestrictionType": kind, "Locations": list(countries)}}


NONE = "geo restriction none, countries: 0"
TWO = "geo restriction whitelist, countries: 2"


@pytest.mark.parametrize(
    ("restriction", "given", "expected"),
    [
        (geo("none"), tenants(), f"FAIL: {LABEL}: {NONE}"),
        (geo("none"), tenants(a={}), f"FAIL: {LABEL}: {NONE}; tenants without restriction: a ({NONE})"),
        (geo("none"), tenants(a=own_geo("whitelist", "CH")), f"PASS: {LABEL}: {NONE}; its 1 tenants are restricted"),
        (geo("none"), tenants(a=own_geo("whitelist", "CH"), b={}), f"FAIL: {LABEL}: {NONE}; tenants without restriction: b ({NONE})"),
        (geo("whitelist", "CH", "LI"), tenants(a={}, b=own_geo("none")), f"FAIL: {LABEL}: {TWO}; tenants without restriction: b ({NONE})"),
        (geo("whitelist", "CH", "LI"), tenants(b=own_geo("none"), enabled=False), f"PASS: {LABEL}: {TWO}"),
        (geo("none"), tenants(a=own_geo(Undocumented("elsewhere"))), f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown geo restriction type: elsewhere"),
    ],
)  # fmt: skip
def test_extra732_of_tenants(audit: Audit, restriction: dict[str, Any], given: dict[str, Stub], expected: str) -> None:
    data = distribution(**restriction, ConnectionMode="tenant-only")
    assert run(audit, "extra732", data, answers=given) == expected


# -- extra738 ---------------------------------------------------------------------------------------------------------


def viewers(policy: str, path: str = "") -> dict[str, Any]:
    return behavior(path, ViewerProtocolPolicy=policy)


@pytest.mark.parametrize(
    ("behaviors", "expected"),
    [
        ([viewers("redirect-to-https")], f"PASS: {LABEL}: default: HTTP is redirected to HTTPS"),
        ([viewers("allow-all")], f"FAIL: {LABEL} serves plain HTTP for default"),
        ([viewers("https-only"), viewers("allow-all", "/img/*")], f"FAIL: {LABEL} serves plain HTTP for /img/*"),
        ([viewers("https-only"), viewers("redirect-to-https", "/img/*")], f"PASS: {LABEL}: default: HTTPS only; /img/*: HTTP is redirected to HTTPS"),
        ([viewers("https-only"), viewers(Undocumented("https-maybe"), "/img/*")], f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown viewer protocol policy: https-maybe"),
    ],
)  # fmt: skip
def test_extra738(audit: Audit, behaviors: list[Any], expected: str) -> None:
    assert run(audit, "extra738", distribution(*behaviors)) == expected


# -- extra767 ---------------------------------------------------------------------------------------------------------

READ_ONLY = f"INFO: {LABEL} accepts no POST, so there are no fields to encrypt"


@pytest.mark.parametrize(
    ("behaviors", "expected"),
    [
        ([behavior(**methods("GET", "HEAD"), FieldLevelEncryptionId="")], READ_ONLY),
        ([behavior()], READ_ONLY),
        ([behavior(**methods("GET", "HEAD"), **ENCRYPTED)], f"PASS: {LABEL} uses field-level encryption for default (C1FLE), accepts no POST"),
        ([behavior(**POST, **ENCRYPTED)], f"PASS: {LABEL} uses field-level encryption for default (C1FLE); accepts POST for default"),
        ([behavior(**POST, FieldLevelEncryptionId="")], f"FAIL: {LABEL} accepts POST without field-level encryption for default"),
        ([behavior(**POST)], f"FAIL: {LABEL} accepts POST without field-level encryption for default"),
        ([behavior(**methods("GET", "HEAD")), behavior("/login", **POST)], f"FAIL: {LABEL} accepts POST without field-level encryption for /login"),
        ([behavior(**ENCRYPTED), behavior("/login", **POST)], f"FAIL: {LABEL} accepts POST without field-level encryption for /login"),
    ],
)  # fmt: skip
def test_extra767(audit: Audit, behaviors: list[Any], expected: str) -> None:
    assert run(audit, "extra767", distribution(*behaviors)) == expected


# -- extra773 ---------------------------------------------------------------------------------------------------------

WAFV2 = f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/front/11111111-2222-3333-4444-555555555555"
CLASSIC = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"WebACLId": WAFV2}, f"PASS: {LABEL} has the WAFv2 web ACL {WAFV2}"),
        ({"WebACLId": ""}, f"FAIL: {LABEL} has no web ACL"),
        ({"WebACLId": None}, f"FAIL: {LABEL} has no web ACL"),
        ({"WebACLId": CLASSIC}, f"FAIL: {LABEL} has the WAF Classic web ACL {CLASSIC}, whose support ended on 2025-09-30"),
        ({"WebACLId": "arn:aws:s3:::x"}, f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has a WebACLId of no known kind: arn:aws:s3:::x"),
    ],
)  # fmt: skip
def test_extra773(audit: Audit, changes: dict[str, Any], expected: str) -> None:
    assert run(audit, "extra773", distribution(**changes)) == expected


DISABLED = {"WebAcl": {"Action": "disable"}}


MANY: dict[str, Stub] = {
    "cloudfront:ListDistributionTenants": {
        "DistributionTenantList": [
            {"Name": f"t{number:02}", "DistributionId": ID, "Customizations": DISABLED} for number in range(12)
        ]
    }
}


def overriding(arn: str) -> dict[str, Any]:
    return {"WebAcl": {"Action": "override", "Arn": arn}}


@pytest.mark.parametrize(
    ("web_acl", "given", "expected"),
    [
        (WAFV2, tenants(), f"PASS: {LABEL} has the WAFv2 web ACL {WAFV2}"),
        ("", tenants(), f"FAIL: {LABEL} has no web ACL"),
        (WAFV2, tenants(a={}), f"PASS: {LABEL}: its 1 tenants have the WAFv2 web ACL {WAFV2}"),
        (WAFV2, tenants(a={}, b=DISABLED), f"FAIL: {LABEL}: tenants without protection: b has no web ACL"),
        ("", tenants(a=overriding(WAFV2)), f"PASS: {LABEL}: its 1 tenants have the WAFv2 web ACL {WAFV2}"),
        ("", tenants(a=overriding(WAFV2), b={}), f"FAIL: {LABEL}: tenants without protection: b has no web ACL"),
        (WAFV2, tenants(a=overriding("")), f"FAIL: {LABEL}: tenants without protection: a has no web ACL"),
        (WAFV2, tenants(a=DISABLED, enabled=False), f"PASS: {LABEL} has the WAFv2 web ACL {WAFV2}"),
        (WAFV2, tenants(a=DISABLED, of="E2OTHER"), f"PASS: {LABEL} has the WAFv2 web ACL {WAFV2}"),
        (WAFV2, tenants(a={"WebAcl": {"Action": Undocumented("count")}}), f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown web ACL action: count"),
        (WAFV2, MANY, f"FAIL: {LABEL}: tenants without protection: t00 has no web ACL, "),
        (WAFV2, {"cloudfront:ListDistributionTenants": access_denied("cloudfront", "ListDistributionTenants")}, "ERROR: access denied in us-east-1: cloudfront:ListDistributionTenants is needed"),
    ],
)  # fmt: skip
def test_extra773_of_tenants(audit: Audit, web_acl: str, given: dict[str, Stub], expected: str) -> None:
    found = run(audit, "extra773", distribution(WebACLId=web_acl, ConnectionMode="tenant-only"), answers=given)
    assert found.startswith(expected)
    assert found == expected or found.endswith("t09 has no web ACL and 2 more") or found.startswith("ERROR: access")


# -- extra791 ---------------------------------------------------------------------------------------------------------


def custom(*protocols: str, id: str = "web", policy: str = "https-only") -> dict[str, Any]:
    config = {"OriginProtocolPolicy": policy, "OriginSslProtocols": {"Items": list(protocols)}}
    return {"Id": id, "DomainName": f"{id}.example.com", "CustomOriginConfig": config}


S3 = {"Id": "bucket", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
VPC = {"Id": "inside", "DomainName": "i.example.com", "VpcOriginConfig": {"VpcOriginId": "vo_1"}}


def tls(policy: str) -> dict[str, Any]:
    return {**OWN, "MinimumProtocolVersion": policy}


def vpc_origin(*protocols: str, policy: str = "https-only") -> dict[str, Stub]:
    config = {"OriginProtocolPolicy": policy, "OriginSslProtocols": {"Items": list(protocols)}}
    return {
        "cloudfront:GetVpcOrigin": lambda params: {"VpcOrigin": {"Id": params["Id"], "VpcOriginEndpointConfig": config}}
    }


UNKNOWN = f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown"


@pytest.mark.parametrize(
    ("origins", "certificate", "expected"),
    [
        ([custom("TLSv1.2")], tls("TLSv1.2_2021"), f"PASS: {LABEL}: origins TLSv1.2, viewers TLSv1.2_2021"),
        ([custom("TLSv1", "TLSv1.1", "TLSv1.2")], tls("TLSv1.2_2021"), f"FAIL: {LABEL}: origin web accepts TLSv1, TLSv1.1"),
        ([custom("SSLv3")], tls("TLSv1.2_2021"), f"FAIL: {LABEL}: origin web accepts SSLv3"),
        ([custom("TLSv1.2"), custom("TLSv1.1", "TLSv1.2", id="api", policy="match-viewer")], tls("TLSv1.2_2021"), f"FAIL: {LABEL}: origin api accepts TLSv1.1"),
        ([custom("SSLv3", policy="http-only")], tls("TLSv1.2_2021"), f"PASS: {LABEL}: origins without TLS settings, viewers TLSv1.2_2021; plain HTTP only to origin web"),
        ([S3], tls("TLSv1.2_2019"), f"PASS: {LABEL}: origins without TLS settings, viewers TLSv1.2_2019"),
        ([custom("TLSv1.2")], tls("TLSv1"), f"FAIL: {LABEL}: viewers may use security policy TLSv1"),
        ([custom("TLSv1.2")], tls("TLSv1.1_2016"), f"FAIL: {LABEL}: viewers may use security policy TLSv1.1_2016"),
        ([custom("SSLv3")], tls("TLSv1_2016"), f"FAIL: {LABEL}: origin web accepts SSLv3; viewers may use security policy TLSv1_2016"),
        ([custom("TLSv1.2")], tls("TLSv1.3_2025"), f"PASS: {LABEL}: origins TLSv1.2, viewers TLSv1.3_2025"),
        ([custom("TLSv1.2")], tls(Undocumented("TLSv1.4_2030")), f"{UNKNOWN} security policy: TLSv1.4_2030"),
        ([custom("TLSv1.2", Undocumented("TLSv1.4"))], tls("TLSv1.3_2025"), f"{UNKNOWN} origin protocol: TLSv1.4"),
        ([custom("TLSv1.2")], DEFAULT_CERTIFICATE, f"PASS: {LABEL}: origins TLSv1.2; {TLS10} until the distribution has a certificate of its own"),
        ([custom("TLSv1.2")], None, f"PASS: {LABEL}: origins TLSv1.2; {TLS10} until the distribution has a certificate of its own"),
        ([custom("TLSv1.1")], DEFAULT_CERTIFICATE, f"FAIL: {LABEL}: origin web accepts TLSv1.1; {TLS10} until the distribution has a certificate of its own"),
        ([custom("TLSv1.2")], OWN, f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: {LABEL} has a certificate of its own and no MinimumProtocolVersion"),
        ([custom()], tls("TLSv1.3_2025"), f"ERROR: cloudfront:ListDistributions failed in us-east-1: UnexpectedAnswer: origin web of {LABEL} lists no OriginSslProtocols"),
    ],
)  # fmt: skip
def test_extra791(audit: Audit, origins: list[Any], certificate: dict[str, Any] | None, expected: str) -> None:
    data = distribution(Origins={"Quantity": len(origins), "Items": origins}, ViewerCertificate=certificate)
    assert run(audit, "extra791", data) == expected


def test_extra791_of_tenants(audit: Audit) -> None:
    """No viewer reaches a multi-tenant distribution by *.cloudfront.net."""
    data = distribution(Origins={"Items": [custom("TLSv1.2")]}, ConnectionMode="tenant-only")
    expected = f"PASS: {LABEL}: origins TLSv1.2; its tenants may bring certificates of their own"
    assert run(audit, "extra791", data) == expected
    assert run(audit, "extra791", data, fail_on_default_certificate=True) == expected
    old = {**data, "ViewerCertificate": tls("TLSv1")}
    assert run(audit, "extra791", old).startswith(f"FAIL: {LABEL}: viewers may use security policy TLSv1;")


def test_extra791_settings(audit: Audit) -> None:
    default = distribution(Origins={"Items": [custom("TLSv1.2")]})
    found = run(audit, "extra791", default, fail_on_default_certificate=True)
    assert found.startswith(f"FAIL: {LABEL}: it has no certificate of its own; {TLS10}")
    ignored = run(audit, "extra791", default, fail_on_default_certificate=True, check_viewer_side=False)
    assert ignored.startswith("PASS")
    own = distribution(Origins={"Items": [custom("TLSv1.2")]}, ViewerCertificate=tls("TLSv1.3_2025"))
    assert run(audit, "extra791", own, fail_on_default_certificate=True).startswith("PASS")
    old = distribution(Origins={"Items": [custom("TLSv1.2")]}, ViewerCertificate=tls("TLSv1"))
    assert run(audit, "extra791", old, check_viewer_side=False).startswith("PASS")
    stricter = run(audit, "extra791", old, obsolete_origin_protocols=["TLSv1.2"], check_viewer_side=False)
    assert stricter == f"FAIL: {LABEL}: origin web accepts TLSv1.2"


def test_extra791_vpc_origins(audit: Audit) -> None:
    data = distribution(Origins={"Items": [VPC]}, ViewerCertificate=tls("TLSv1.2_2021"))
    found = run(audit, "extra791", data, answers=vpc_origin("TLSv1", "TLSv1.2"))
    assert found == f"FAIL: {LABEL}: origin inside accepts TLSv1"
    assert audit.backend.calls[-1] == ("us-east-1", "cloudfront", "GetVpcOrigin", {"Id": "vo_1"})
    assert run(audit, "extra791", data, answers=vpc_origin("TLSv1.2")).startswith("PASS")
    found = run(audit, "extra791", data, answers=vpc_origin("SSLv3", policy="http-only"))
    assert found.startswith("PASS") and found.endswith("plain HTTP only to origin inside")
    gone: dict[str, Stub] = {"cloudfront:GetVpcOrigin": ApiError("cloudfront", "x", "EntityNotFound", "")}
    assert (
        run(audit, "extra791", data, answers=gone) == f"INFO: {LABEL}: its VPC origin vo_1 was deleted during the audit"
    )
    denied: dict[str, Stub] = {"cloudfront:GetVpcOrigin": access_denied("cloudfront", "GetVpcOrigin")}
    found = run(audit, "extra791", data, answers=denied)
    assert found.startswith("ERROR: access denied in us-east-1: cloudfront:GetVpcOrigin is needed")


# -- against moto -----------------------------------------------------------------------------------------------------


def create(name: str, **changes: Any) -> str:
    """A distribution made in moto; its id."""
    origin = {
        "Id": "web", "DomainName": "www.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": {"Quantity": 2, "Items": ["TLSv1", "TLSv1.2"]},
        },
    }  # fmt: skip
    config = {
        "CallerReference": name, "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all"}, **changes,
    }  # fmt: skip
    made = boto3.client("cloudfront", "us-east-1").create_distribution(DistributionConfig=config)
    return str(made["Distribution"]["Id"])


@pytest.mark.usefixtures("moto")
def test_against_moto_extra714_extra732_extra738_extra767_extra773_extra791(audit: Audit) -> None:
    bare = create("bare")
    good = create(
        "good",
        Logging={"Enabled": True, "IncludeCookies": False, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""},
        DefaultCacheBehavior={
            "TargetOriginId": "web", "ViewerProtocolPolicy": "https-only", "FieldLevelEncryptionId": "C1FLE",
            "RealtimeLogConfigArn": REALTIME["RealtimeLogConfigArn"],
        },
        WebACLId=WAFV2,
        **geo("whitelist", "CH"),
    )  # fmt: skip
    v2 = create("v2")
    logs = boto3.client("logs", "us-east-1")
    logs.put_delivery_source(
        name="cdn", resourceArn=f"arn:aws:cloudfront::{ACCOUNT}:distribution/{v2}", logType="ACCESS_LOGS"
    )
    logs.create_log_group(logGroupName="cdn")
    destination = logs.put_delivery_destination(
        name="group",
        deliveryDestinationConfiguration={"destinationResourceArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:cdn"},
    )["deliveryDestination"]["arn"]
    logs.create_delivery(deliverySourceName="cdn", deliveryDestinationArn=destination)

    found = audit("extra714")
    assert found[bare].startswith("FAIL") and "no real-time logs" in found[bare]
    assert found[good].startswith("PASS") and found[v2].endswith("writes standard logs v2 (delivery source cdn)")
    for check, telling in {
        "extra732": "geo restriction none",
        "extra738": "plain HTTP for default",
        "extra773": "no web ACL",
    }.items():
        found = audit(check)
        assert list(found) == [bare, good, v2]
        assert found[bare].startswith("FAIL") and telling in found[bare]
        assert found[good].startswith("PASS")
    assert audit("extra767")[bare].startswith("INFO")
    assert "default (C1FLE)" in audit("extra767")[good]
    assert "origin web accepts TLSv1;" in audit("extra791")[bare]
