"""The checks of tests_extras/test_elb.py. Strength of TLS itself: selftests/fixtures/rules/test_tls.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.elb import HttpLoadBalancer, LoadBalancer
from plugins.audit.discovery import discover
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, StubBackend, access_denied

REGION = "eu-west-1"
GONE = ApiError("elb", "", "LoadBalancerNotFound", "not found")
STRONG, WEAK = "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08"
TLS12 = "ELBSecurityPolicy-TLS-1-2-2017-01"
GCM = "ECDHE-RSA-AES128-GCM-SHA256"


def arn_of(name: str, kind: str = "app") -> str:
    """The ARN of a second-generation load balancer."""
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{kind}/{name}/50dc6c495c0c9188"


def modern(name: str = "lb", type: str = "application", **changes: Any) -> dict[str, Any]:
    """A load balancer as elbv2's DescribeLoadBalancers gives it; None removes a field."""
    data = {
        "LoadBalancerName": name,
        "LoadBalancerArn": arn_of(name),
        "Type": type,
        "Scheme": "internal",
        "DNSName": f"{name}.elb.amazonaws.com",
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def classic(
    name: str = "old", *listeners: tuple[str, int] | tuple[str, int, list[str]], **changes: Any
) -> dict[str, Any]:
    """A load balancer as elb gives it; None removes a field; a listener is (protocol, port[, policy names])."""
    described = [
        {"Listener": {"Protocol": protocol, "LoadBalancerPort": port}, "PolicyNames": [*names]}
        for protocol, port, *rest in listeners
        for names in (rest or [[]])
    ]
    address = f"{name}.elb.amazonaws.com"
    data = {
        "LoadBalancerName": name,
        "Scheme": "internal",
        "DNSName": address,
        "ListenerDescriptions": described,
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def listening(*listeners: tuple[str, int] | tuple[str, int, str]) -> dict[str, Any]:
    """DescribeListeners: (protocol, port[, policy]); the port is the end of the ARN."""
    return {
        "Listeners": [
            {
                "ListenerArn": f"listener/{port}",
                "Protocol": protocol,
                "Port": port,
                **dict(zip(["SslPolicy"], rest, strict=False)),
            }
            for protocol, port, *rest in listeners
        ]
    }


def run(
    audit: Audit, check: str, *balancers: dict[str, Any], answers: dict[str, Any] | None = None, **settings: Any
) -> dict[str, str]:
    """The check's findings on these load balancers, classic ones being those without an ARN."""
    listed = {
        "elb:DescribeLoadBalancers": {"LoadBalancerDescriptions": [b for b in balancers if "LoadBalancerArn" not in b]},
        "elbv2:DescribeLoadBalancers": {"LoadBalancers": [b for b in balancers if "LoadBalancerArn" in b]},
    }
    return audit(check, regions=[REGION], live=False, answers={**listed, **(answers or {})}, **settings)


def called(audit: Audit) -> list[str]:
    """The calls of the last audit beyond the listings, as service:Operation."""
    calls = [f"{service}:{operation}" for _, service, operation, _ in audit.backend.calls]
    return sorted(call for call in calls if not call.endswith(":DescribeLoadBalancers"))


# -- listing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", ["extra717", "extra79", "extra792", "extra793"])
def test_without_load_balancers(audit: Audit, check: str) -> None:
    kind = "http load balancer" if check == "extra793" else "load balancer"
    assert run(audit, check) == {ACCOUNT: f"INFO: no {kind} to check in {REGION}"}


LOGS_ON = {
    "Attributes": [
        {"Key": "access_logs.s3.enabled", "Value": "true"},
        {"Key": "access_logs.s3.bucket", "Value": "logs"},
    ]
}
PASSING_MODERN = {
    "elbv2:DescribeLoadBalancerAttributes": LOGS_ON,
    "elbv2:DescribeListeners": listening(("HTTPS", 443, "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09")),
    "elbv2:DescribeSSLPolicies": {"SslPolicies": []},
}
PASSING_CLASSIC = {
    "elb:DescribeLoadBalancerAttributes": {
        "LoadBalancerAttributes": {"AccessLog": {"Enabled": True, "S3BucketName": "logs"}}
    },
    "elb:DescribeLoadBalancerPolicies": {"PolicyDescriptions": []},
}
HTTPS_OLD = classic("old", ("HTTPS", 443, [TLS12]))


@pytest.mark.parametrize("check", ["extra717", "extra79", "extra792", "extra793"])
def test_the_two_listings_fail_independently(audit: Audit, check: str) -> None:
    where = f"{ACCOUNT} {REGION}"
    denied = f"ERROR: access denied in {REGION}: elasticloadbalancing:DescribeLoadBalancers is needed"
    answers: dict[str, Any] = {**PASSING_MODERN, **PASSING_CLASSIC}
    for service, left in (("elb", "lb"), ("elbv2", "old")):
        refused = {f"{service}:DescribeLoadBalancers": access_denied(service, "DescribeLoadBalancers")}
        found = run(audit, check, modern(), HTTPS_OLD, answers={**answers, **refused})
        assert set(found) == {where, left}
        assert found[where].startswith(denied)
        assert f"({service}:DescribeLoadBalancers" in found[where]
        assert found[left].startswith("PASS")
    both = {
        f"{service}:DescribeLoadBalancers": access_denied(service, "DescribeLoadBalancers")
        for service in ("elb", "elbv2")
    }
    assert [text.startswith(denied) for text in run(audit, check, answers=both).values()] == [True, True]


@pytest.mark.parametrize("kind", [LoadBalancer, HttpLoadBalancer])
def test_arns_and_types(kind: type[LoadBalancer]) -> None:
    answers: dict[str, Any] = {
        "elb:DescribeLoadBalancers": {"LoadBalancerDescriptions": [classic("old")]},
        "elbv2:DescribeLoadBalancers": {
            "LoadBalancers": [modern("new"), modern("nlb", "network"), modern("gw", "gateway")]
        },
    }
    crew = Crew(4)
    account = Account(
        ACCOUNT, backend=StubBackend(answers, None), crew=crew, now=utcnow(), partition="aws-cn", regions=["cn-north-1"]
    )
    try:
        (listing,) = discover([kind], [account], crew).values()
    finally:
        crew.close()
    found = {one.id: (one.arn, one.resource_type) for one in listing.resources}
    expected = {
        "old": (f"arn:aws-cn:elasticloadbalancing:cn-north-1:{ACCOUNT}:loadbalancer/old", "AwsElbLoadBalancer"),
        "new": (arn_of("new"), "AwsElbv2LoadBalancer"),
        "nlb": (arn_of("nlb"), "AwsElbv2LoadBalancer"),
        "gw": (arn_of("gw"), "AwsElbv2LoadBalancer"),
    }
    assert found == (expected if kind is LoadBalancer else {id: expected[id] for id in ("old", "new")})


# -- extra717: access logs ------------------------------------------------------------------------------------------


def classic_log(**log: Any) -> dict[str, Any]:
    """elb's DescribeLoadBalancerAttributes with this AccessLog."""
    return {"elb:DescribeLoadBalancerAttributes": {"LoadBalancerAttributes": {"AccessLog": log} if log else {}}}


def modern_log(*listeners: tuple[str, int], **log: str) -> dict[str, Any]:
    """elbv2's DescribeLoadBalancerAttributes with these access_logs.s3.* items, and the listeners."""
    items = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    items += [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in log.items()]
    answers: dict[str, Any] = {
        "elbv2:DescribeLoadBalancerAttributes": {"Attributes": items},
        "logs:DescribeDeliverySources": {},
    }
    return answers | ({"elbv2:DescribeListeners": listening(*listeners)} if listeners else {})


def vended(log_type: str, deliveries: tuple[str, ...] = ("lb-logs",)) -> dict[str, Any]:
    """The delivery source "lb-logs" of the load balancer "lb", and these deliveries."""
    source = {"name": "lb-logs", "logType": log_type, "resourceArns": [arn_of("lb")], "status": "ACTIVE"}
    return {
        "logs:DescribeDeliverySources": {"deliverySources": [source]},
        "logs:DescribeDeliveries": {"deliveries": [{"id": "d", "deliverySourceName": name} for name in deliveries]},
    }


@pytest.mark.parametrize(
    ("balancer", "answers", "verdict"),
    [
        (classic("lb"), classic_log(Enabled=True, S3BucketName="logs", S3BucketPrefix="elb"), "PASS: lb (classic) in {} writes S3 access logs to bucket logs, prefix elb"),
        (classic("lb"), classic_log(Enabled=True, S3BucketName="logs"), "PASS: lb (classic) in {} writes S3 access logs to bucket logs, no prefix"),
        (classic("lb"), classic_log(Enabled=False, S3BucketName="logs"), "FAIL: lb (classic) in {} writes no access logs"),
        (classic("lb"), classic_log(Enabled=False), "FAIL: lb (classic) in {} writes no access logs"),
        (classic("lb"), classic_log(), "FAIL: lb (classic) in {} writes no access logs"),
        (modern(), modern_log(enabled="true", bucket="logs", prefix="alb"), "PASS: lb (application) in {} writes S3 access logs to bucket logs, prefix alb"),
        (modern(), modern_log(enabled="true", bucket="logs", prefix=""), "PASS: lb (application) in {} writes S3 access logs to bucket logs, no prefix"),
        (modern(), modern_log(enabled="false", bucket="", prefix=""), "FAIL: lb (application) in {} writes no access logs"),
        (modern(), modern_log(), "FAIL: lb (application) in {} writes no access logs"),
        (modern(type="network"), modern_log(("TCP", 80), ("TLS", 443), enabled="false"), "FAIL: lb (network) in {} writes no access logs"),
        (modern(type="network"), modern_log(("TLS", 443)), "FAIL: lb (network) in {} writes no access logs"),
        (modern(type="network"), modern_log(("TCP", 443), ("UDP", 53), enabled="false"), "INFO: lb (network) in {} has no TLS listener"),
        (modern(type="network"), modern_log(("TCP", 443)), "INFO: lb (network) in {} has no TLS listener"),
        (modern(type="network"), modern_log(enabled="true", bucket="logs"), "PASS: lb (network) in {} writes S3 access logs to bucket logs"),
        (modern(), modern_log(enabled="false") | vended("ALB_ACCESS_LOGS"), "PASS: lb (application) in {} writes access logs (delivery source lb-logs)"),
        (modern(), modern_log(enabled="false") | vended("ALB_ACCESS_LOGS", deliveries=()), "FAIL: lb (application) in {} writes no access logs"),
        (modern(), modern_log(enabled="false") | vended("ALB_CONNECTION_LOGS"), "FAIL: lb (application) in {} writes no access logs"),
        (modern(), modern_log(enabled="false") | vended("ALB_HEALTH_CHECK_LOGS"), "FAIL: lb (application) in {} writes no access logs"),
        (modern(type="network"), modern_log(("TLS", 443)) | vended("NLB_ACCESS_LOGS"), "PASS: lb (network) in {} writes access logs (delivery source lb-logs)"),
        (modern(type="network"), modern_log(("TLS", 443)) | vended("ALB_ACCESS_LOGS"), "FAIL: lb (network) in {} writes no access logs"),
        (modern(type="gateway", Scheme=None), {}, "INFO: lb (gateway) in {}: gateway load balancers have no access logs"),
    ],
)  # fmt: skip
def test_extra717(audit: Audit, balancer: dict[str, Any], answers: dict[str, Any], verdict: str) -> None:
    found = run(audit, "extra717", balancer, answers=answers)
    assert list(found) == ["lb"]
    assert found["lb"].startswith(verdict.format(REGION))


def test_extra717_errors(audit: Audit) -> None:
    for service, balancer in (("elb", classic("lb")), ("elbv2", modern())):
        key = f"{service}:DescribeLoadBalancerAttributes"
        denied = run(
            audit, "extra717", balancer, answers={key: access_denied(service, "DescribeLoadBalancerAttributes")}
        )
        assert denied["lb"].startswith(
            f"ERROR: access denied in {REGION}: elasticloadbalancing:DescribeLoadBalancerAttributes is needed"
        )
        gone = run(audit, "extra717", balancer, answers={key: GONE})["lb"]
        assert gone.startswith("INFO")
        assert gone.endswith(f"in {REGION} was deleted during the audit")
    for call in ("DescribeDeliverySources", "DescribeDeliveries"):
        unseen = {
            **modern_log(enabled="false"),
            **vended("ALB_ACCESS_LOGS"),
            f"logs:{call}": access_denied("logs", call),
        }
        found = run(audit, "extra717", modern(), answers=unseen)["lb"]
        assert found.startswith(f"ERROR: access denied in {REGION}: logs:{call} is needed")
    network = modern(type="network")
    refused = modern_log() | {"elbv2:DescribeListeners": access_denied("elbv2", "DescribeListeners")}
    assert "elasticloadbalancing:DescribeListeners is needed" in run(audit, "extra717", network, answers=refused)["lb"]
    deleted = run(audit, "extra717", network, answers=modern_log() | {"elbv2:DescribeListeners": GONE})
    assert deleted == {"lb": f"INFO: lb (network) in {REGION} was deleted during the audit"}


def test_extra717_asks_for_listeners_only_where_they_matter(audit: Audit) -> None:
    run(audit, "extra717", modern(), modern("g", "gateway"), answers=modern_log(("TLS", 443), enabled="false"))
    assert called(audit) == ["elbv2:DescribeLoadBalancerAttributes", "logs:DescribeDeliverySources"]
    run(audit, "extra717", modern(type="network"), answers=modern_log(("TLS", 443), enabled="true"))
    assert called(audit) == ["elbv2:DescribeLoadBalancerAttributes"]


# -- extra79: internet-facing ---------------------------------------------------------------------------------------

PUBLIC = {"Scheme": "internet-facing"}


@pytest.mark.parametrize(
    ("balancer", "verdict"),
    [
        (classic("lb", **PUBLIC, SecurityGroups=["sg-1", "sg-2"]), "FAIL: lb (classic) in {} (lb.elb.amazonaws.com, security groups: sg-1, sg-2) is internet-facing"),
        (classic("lb", SecurityGroups=["sg-1"]), "PASS: lb (classic) in {} (lb.elb.amazonaws.com, security groups: sg-1) is not internet-facing"),
        (modern(**PUBLIC, SecurityGroups=["sg-closed"]), "FAIL: lb (application) in {} (lb.elb.amazonaws.com, security groups: sg-closed) is internet-facing"),
        (modern(type="network", **PUBLIC), "FAIL: lb (network) in {} (lb.elb.amazonaws.com, security groups: none) is internet-facing"),
        (modern(), "PASS: lb (application) in {} (lb.elb.amazonaws.com, security groups: none) is not internet-facing"),
        (modern(type="network"), "PASS: lb (network) in {}"),
        (modern(type="gateway", Scheme=None, DNSName=None), "PASS: lb (gateway) in {} (no DNS name, security groups: none) is not internet-facing"),
        (modern(type="gateway", **PUBLIC), "FAIL: lb (gateway) in {}"),
        # nobody knows where these are reached from
        (modern(Scheme=None), "ERROR: elbv2:DescribeLoadBalancers failed in {}: UnexpectedAnswer: lb (application) in {}: its scheme is missing"),
        (classic("lb", Scheme=None), "ERROR: elb:DescribeLoadBalancers failed in {}: UnexpectedAnswer: lb (classic) in {}: its scheme is missing"),
        (modern(type="gateway", Scheme=Undocumented("somewhere")), "ERROR: elbv2:DescribeLoadBalancers failed in {}: UnexpectedAnswer: lb (gateway) in {}: its scheme is somewhere"),
    ],
)  # fmt: skip
def test_extra79(audit: Audit, balancer: dict[str, Any], verdict: str) -> None:
    found = run(audit, "extra79", balancer)
    assert list(found) == ["lb"]
    assert found["lb"].startswith(verdict.replace("{}", REGION))
    assert called(audit) == []


# -- extra792: strength of TLS --------------------------------------------------------------------------------------


def ssl(name: str, *protocols: str, ciphers: tuple[str, ...] = (GCM,)) -> dict[str, Any]:
    """A policy as DescribeSSLPolicies gives it."""
    return {"Name": name, "SslProtocols": [*protocols], "Ciphers": [{"Name": cipher} for cipher in ciphers]}


SSL_POLICIES = {
    "elbv2:DescribeSSLPolicies": {
        "SslPolicies": [
            ssl(STRONG, "TLSv1.3", "TLSv1.2"),
            ssl(WEAK, "TLSv1.2", "TLSv1.1", "TLSv1"),
            ssl("ELBSecurityPolicy-TLS-1-1-2017-01", "TLSv1.2", "TLSv1.1"),
            ssl("ELBSecurityPolicy-TLS13-1-0-2021-06", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"),
            ssl("ELBSecurityPolicy-RC4", "TLSv1.2", ciphers=(GCM, "RC4-SHA")),
        ]
    }
}
UNKNOWN = "ELBSecurityPolicy-TLS13-1-2030-01"


@pytest.mark.parametrize(
    ("type", "listeners", "verdict", "telling"),
    [
        ("application", [("HTTPS", 443, STRONG)], "PASS", f"has strong TLS on HTTPS 443: {STRONG}"),
        ("application", [("HTTPS", 443, WEAK)], "FAIL", f"has weak TLS on HTTPS 443: {WEAK} allows TLSv1.1"),
        ("application", [("HTTPS", 443, "ELBSecurityPolicy-TLS-1-1-2017-01")], "FAIL", "ELBSecurityPolicy-TLS-1-1-2017-01 allows TLSv1.1"),
        ("application", [("HTTPS", 443, "ELBSecurityPolicy-RC4")], "FAIL", "ELBSecurityPolicy-RC4 allows RC4-SHA"),
        ("network", [("TLS", 8443, "ELBSecurityPolicy-TLS13-1-0-2021-06")], "FAIL", "TLS 8443: ELBSecurityPolicy-TLS13-1-0-2021-06 allows TLSv1.1"),
        ("network", [("TLS", 443, STRONG), ("TCP", 80)], "PASS", f"TLS 443: {STRONG}"),
        ("application", [("HTTPS", 443, STRONG), ("HTTPS", 8443, WEAK)], "FAIL", f"has weak TLS on HTTPS 8443: {WEAK} allows TLSv1.1"),
        ("application", [("HTTP", 80)], "INFO", "has no HTTPS, SSL or TLS listener"),
        ("application", [], "INFO", "has no HTTPS, SSL or TLS listener"),
        ("network", [("TCP", 443)], "INFO", "has no HTTPS, SSL or TLS listener"),
        ("application", [("HTTPS", 443, "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09")], "PASS", "judged by name"),
        ("application", [("HTTPS", 443, UNKNOWN)], "ERROR", f"HTTPS 443: DescribeSSLPolicies does not know {UNKNOWN}"),
        ("application", [("HTTPS", 443)], "ERROR", "HTTPS 443: no security policy is named"),
        ("application", [("HTTPS", 443, STRONG), ("HTTPS", 8443, UNKNOWN)], "ERROR", f"HTTPS 8443: DescribeSSLPolicies does not know {UNKNOWN}"),
        ("application", [("HTTPS", 443, UNKNOWN), ("HTTPS", 8443, WEAK)], "FAIL", f"has weak TLS on HTTPS 8443: {WEAK}"),
    ],
)  # fmt: skip
def test_extra792(audit: Audit, type: str, listeners: list[Any], verdict: str, telling: str) -> None:
    found = run(
        audit, "extra792", modern(type=type), answers={**SSL_POLICIES, "elbv2:DescribeListeners": listening(*listeners)}
    )
    assert list(found) == ["lb"]
    assert found["lb"].startswith(f"{verdict}: ")
    assert f"lb ({type}) in {REGION}" in found["lb"]
    assert telling in found["lb"]


def test_extra792_gateway(audit: Audit) -> None:
    assert run(audit, "extra792", modern(type="gateway")) == {
        "lb": f"INFO: lb (gateway) in {REGION} has no HTTPS, SSL or TLS listener"
    }
    assert called(audit) == []


def negotiation(
    name: str, *enabled: str, reference: str = "", type: str = "SSLNegotiationPolicyType"
) -> dict[str, Any]:
    """A policy as DescribeLoadBalancerPolicies gives it."""
    attributes = [{"AttributeName": key, "AttributeValue": "true"} for key in enabled]
    attributes += [{"AttributeName": "Reference-Security-Policy", "AttributeValue": reference}] if reference else []
    return {"PolicyName": name, "PolicyTypeName": type, "PolicyAttributeDescriptions": attributes}


CLASSIC_POLICIES = {
    "elb:DescribeLoadBalancerPolicies": {
        "PolicyDescriptions": [
            negotiation("good-ref", reference=TLS12),
            negotiation("bad-ref", reference=WEAK),
            negotiation("custom", "Protocol-TLSv1.2", GCM),
            negotiation("old-tls", "Protocol-TLSv1.2", "Protocol-TLSv1", GCM),
            negotiation("des", "Protocol-TLSv1.2", "DES-CBC3-SHA"),
            negotiation("cookie", type="LBCookieStickinessPolicyType"),
        ]
    }
}


@pytest.mark.parametrize(
    ("listeners", "verdict", "telling"),
    [
        ([("HTTPS", 443, ["good-ref"])], "PASS", f"HTTPS 443: good-ref (reference {TLS12})"),
        ([("SSL", 993, ["bad-ref"])], "FAIL", f"SSL 993: bad-ref (reference {WEAK}) is not an accepted policy"),
        ([("HTTPS", 443, ["custom"])], "PASS", "has strong TLS on HTTPS 443: custom"),
        ([("HTTPS", 443, ["old-tls"])], "FAIL", "has weak TLS on HTTPS 443: old-tls allows TLSv1"),
        ([("HTTPS", 443, ["des"])], "FAIL", "HTTPS 443: des allows DES-CBC3-SHA"),
        ([("HTTPS", 443, ["good-ref", "cookie"])], "PASS", f"HTTPS 443: good-ref (reference {TLS12})"),
        ([("HTTPS", 443, [])], "FAIL", "HTTPS 443: no security policy, and the service's default allows TLSv1"),
        ([("HTTPS", 443, ["cookie"])], "FAIL", "HTTPS 443: no security policy"),
        ([("HTTPS", 443, [TLS12])], "PASS", f"HTTPS 443: {TLS12}"),
        ([("HTTPS", 443, ["lost"])], "ERROR", "HTTPS 443: DescribeLoadBalancerPolicies does not know lost"),
        ([("HTTPS", 443, ["lost"]), ("SSL", 993, ["des"])], "FAIL", "has weak TLS on SSL 993: des allows DES-CBC3-SHA"),
        ([("HTTP", 80, ["cookie"]), ("TCP", 25)], "INFO", "has no HTTPS, SSL or TLS listener"),
        ([("HTTP", 80, ["des"]), ("HTTPS", 443, ["custom"])], "PASS", "has strong TLS on HTTPS 443: custom"),
        ([("https", 443, ["des"])], "FAIL", "HTTPS 443: des allows DES-CBC3-SHA"),
    ],
)  # fmt: skip
def test_extra792_classic(audit: Audit, listeners: list[Any], verdict: str, telling: str) -> None:
    found = run(audit, "extra792", classic("lb", *listeners), answers=CLASSIC_POLICIES)
    assert list(found) == ["lb"]
    assert found["lb"].startswith(f"{verdict}: ")
    assert f"lb (classic) in {REGION}" in found["lb"]
    assert telling in found["lb"]
    assert called(audit).count("elb:DescribeLoadBalancerPolicies") <= 1


def test_extra792_settings(audit: Audit) -> None:
    answers = {**SSL_POLICIES, **CLASSIC_POLICIES, "elbv2:DescribeListeners": listening(("HTTPS", 443, STRONG))}
    reference, custom = classic("ref", ("HTTPS", 443, ["bad-ref"])), classic("des", ("HTTPS", 443, ["des"]))

    def verdicts(**settings: Any) -> dict[str, str]:
        found = run(audit, "extra792", modern(), reference, custom, answers=answers, **settings)
        return {name: text.partition(":")[0] for name, text in found.items()}

    assert verdicts() == {"lb": "PASS", "ref": "FAIL", "des": "FAIL"}
    assert verdicts(elb_tls_protocols=["TLSv1.3"]) == {"lb": "FAIL", "ref": "FAIL", "des": "FAIL"}
    assert verdicts(elb_weak_cipher_words=["GCM"]) == {"lb": "FAIL", "ref": "FAIL", "des": "FAIL"}
    assert verdicts(elb_classic_policies=[WEAK]) == {"lb": "PASS", "ref": "PASS", "des": "FAIL"}
    assert verdicts(elb_classic_ciphers=["DES-CBC3-SHA"]) == {"lb": "PASS", "ref": "FAIL", "des": "PASS"}


def test_extra792_errors(audit: Audit) -> None:
    answers = {**SSL_POLICIES, "elbv2:DescribeListeners": listening(("HTTPS", 443, STRONG))}
    for operation in ("DescribeListeners", "DescribeSSLPolicies"):
        refused = answers | {f"elbv2:{operation}": access_denied("elbv2", operation)}
        found = run(audit, "extra792", modern(), answers=refused)["lb"]
        assert found.startswith(f"ERROR: access denied in {REGION}: elasticloadbalancing:{operation} is needed")
    gone = run(audit, "extra792", modern(), answers=answers | {"elbv2:DescribeListeners": GONE})
    assert gone == {"lb": f"INFO: lb (application) in {REGION} was deleted during the audit"}

    key, named = "elb:DescribeLoadBalancerPolicies", classic("lb", ("HTTPS", 443, ["custom"]))
    denied = run(audit, "extra792", named, answers={key: access_denied("elb", "DescribeLoadBalancerPolicies")})["lb"]
    assert denied.startswith(
        f"ERROR: access denied in {REGION}: elasticloadbalancing:DescribeLoadBalancerPolicies is needed"
    )
    assert run(audit, "extra792", named, answers={key: GONE}) == {
        "lb": f"INFO: lb (classic) in {REGION} was deleted during the audit"
    }


def test_extra792_asks_once(audit: Audit) -> None:
    answers = {**SSL_POLICIES, **CLASSIC_POLICIES, "elbv2:DescribeListeners": listening(("HTTPS", 443, STRONG))}
    second = modern("lb2", LoadBalancerArn=arn_of("lb2"))
    two = classic("old", ("HTTPS", 443, ["custom"]), ("SSL", 993, ["good-ref"]))
    run(audit, "extra792", modern(), second, two, answers=answers)
    assert called(audit) == [
        "elb:DescribeLoadBalancerPolicies",
        *["elbv2:DescribeListeners"] * 2,
        "elbv2:DescribeSSLPolicies",
    ]
    asked = [params for _, _, operation, params in audit.backend.calls if operation == "DescribeLoadBalancerPolicies"]
    assert asked == [{"LoadBalancerName": "old"}]
    # a listener without policies needs no question
    run(audit, "extra792", classic("bare", ("HTTPS", 443)))
    assert called(audit) == []


# -- extra793: encrypted connections only ---------------------------------------------------------------------------

TO_HTTPS = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
TO_SAME = {"Type": "redirect", "RedirectConfig": {"Protocol": "#{protocol}", "StatusCode": "HTTP_301"}}
TO_HTTP = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTP", "StatusCode": "HTTP_301"}}
TO_NOWHERE = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}
FORWARD = {"Type": "forward", "TargetGroupArn": "arn"}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}


def rules(default: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    """DescribeRules: the default rule, and others by priority (written p10=...)."""
    listed = [
        {"Priority": key.removeprefix("p"), "Actions": [action], "IsDefault": False} for key, action in others.items()
    ]
    return {"Rules": [{"Priority": "default", "Actions": [default], "IsDefault": True}, *listed]}


HTTPS = ("HTTPS", 443, STRONG)
HTTP = ("HTTP", 80)


@pytest.mark.parametrize(
    ("listeners", "of_port", "verdict"),
    [
        ([HTTPS], {}, "PASS: {}: HTTPS 443"),
        ([HTTPS, HTTP], {80: rules(TO_HTTPS)}, "PASS: {}: HTTPS 443, HTTP 80 redirects to HTTPS"),
        ([HTTP], {80: rules(TO_HTTPS, p1=TO_HTTPS)}, "PASS: {}: HTTP 80 redirects to HTTPS"),
        ([HTTP], {80: {"Rules": [{"Priority": "default", "Actions": [{"Type": "authenticate-oidc"}, TO_HTTPS]}]}}, "PASS: {}: HTTP 80 redirects to HTTPS"),
        ([HTTPS, HTTP], {80: rules(FORWARD, p1=TO_HTTPS)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTPS, HTTP], {80: rules(TO_HTTPS, p1=TO_HTTPS, p20=FORWARD, p3=FORWARD)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule 3"),
        ([HTTPS, HTTP], {80: rules(FORWARD, p7=FORWARD)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule 7"),
        ([HTTP, ("HTTP", 8080)], {80: rules(TO_HTTPS), 8080: rules(FORWARD)}, "FAIL: {}: HTTP 8080 does not redirect to HTTPS in rule default"),
        ([HTTP, ("HTTP", 8080)], {80: rules(FIXED), 8080: rules(FORWARD)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default; HTTP 8080 does"),
        ([HTTP], {80: rules(TO_SAME)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTP], {80: rules(TO_NOWHERE)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTP], {80: rules(TO_HTTP)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTP], {80: rules({"Type": "redirect"})}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTP], {80: rules(FORWARD)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([HTTPS, HTTP], {80: rules(FIXED)}, "FAIL: {}: HTTP 80 does not redirect to HTTPS in rule default"),
        ([], {}, "INFO: {} has no listener"),
    ],
)  # fmt: skip
def test_extra793(audit: Audit, listeners: list[Any], of_port: dict[int, dict[str, Any]], verdict: str) -> None:
    answers: dict[str, Any] = {
        "elbv2:DescribeListeners": listening(*listeners),
        "elbv2:DescribeRules": lambda params: of_port[int(params["ListenerArn"].rpartition("/")[2])],
    }
    found = run(audit, "extra793", modern(), answers=answers)
    assert list(found) == ["lb"]
    assert found["lb"].startswith(verdict.format(f"lb (application) in {REGION}"))
    assert called(audit).count("elbv2:DescribeRules") == len(of_port)


@pytest.mark.parametrize(
    ("listeners", "verdict"),
    [
        ([("HTTPS", 443)], "PASS: {}: HTTPS 443"),
        ([("SSL", 993)], "PASS: {}: SSL 993"),
        ([("HTTP", 80), ("HTTPS", 443)], "FAIL: {}: HTTP 80 is not encrypted"),
        ([("TCP", 443)], "FAIL: {}: TCP 443 is not encrypted"),
        ([("HTTP", 80), ("TCP", 25)], "FAIL: {}: HTTP 80 is not encrypted; TCP 25 is not encrypted"),
        ([], "INFO: {} has no listener"),
    ],
)
def test_extra793_classic(audit: Audit, listeners: list[Any], verdict: str) -> None:
    found = run(audit, "extra793", classic("lb", *listeners))
    assert found == {"lb": verdict.format(f"lb (classic) in {REGION}")}
    assert called(audit) == []


def test_extra793_other_types_are_not_looked_at(audit: Audit) -> None:
    found = run(audit, "extra793", modern("nlb", "network"), modern("gw", "gateway"))
    assert found == {ACCOUNT: f"INFO: no http load balancer to check in {REGION}"}
    assert called(audit) == []


def test_extra793_errors(audit: Audit) -> None:
    label = f"lb (application) in {REGION}"
    answers: dict[str, Any] = {
        "elbv2:DescribeListeners": listening(HTTPS, HTTP),
        "elbv2:DescribeRules": rules(TO_HTTPS),
    }
    for operation in ("DescribeListeners", "DescribeRules"):
        refused = answers | {f"elbv2:{operation}": access_denied("elbv2", operation)}
        found = run(audit, "extra793", modern(), answers=refused)["lb"]
        assert found.startswith(f"ERROR: access denied in {REGION}: elasticloadbalancing:{operation} is needed")
        gone = run(audit, "extra793", modern(), answers=answers | {f"elbv2:{operation}": GONE})
        assert gone == {"lb": f"INFO: {label} was deleted during the audit"}
    empty = run(audit, "extra793", modern(), answers=answers | {"elbv2:DescribeRules": {"Rules": []}})["lb"]
    assert empty.startswith("ERROR")
    assert f"{label}: HTTP 80 has no rules" in empty


def test_extra793_a_listener_deleted_meanwhile_is_left_out(audit: Audit) -> None:
    label = f"lb (application) in {REGION}"
    deleted = ApiError("elbv2", "DescribeRules", "ListenerNotFound", "not found")
    answers: dict[str, Any] = {"elbv2:DescribeRules": deleted, "elbv2:DescribeListeners": listening(HTTPS, HTTP)}
    assert run(audit, "extra793", modern(), answers=answers) == {"lb": f"PASS: {label}: HTTPS 443"}
    answers["elbv2:DescribeListeners"] = listening(HTTP)
    assert run(audit, "extra793", modern(), answers=answers) == {"lb": f"INFO: {label} has no listener"}


# -- all of them in the emulator ------------------------------------------------------------------------------------


@pytest.fixture
def balancers(moto: None) -> dict[str, str]:
    """Two application load balancers, good and bad, a network and a classic one; name -> ARN of the modern ones."""
    ec2, elb, old = (boto3.client(name, REGION) for name in ("ec2", "elbv2", "elb"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    arns = {}
    for name, type, scheme in (
        ("good", "application", "internal"),
        ("bad", "application", "internet-facing"),
        ("net", "network", "internal"),
    ):
        made = elb.create_load_balancer(Name=name, Subnets=subnets, Scheme=scheme, Type=type)
        arns[name] = made["LoadBalancers"][0]["LoadBalancerArn"]
    target = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    forward = {"Type": "forward", "TargetGroupArn": target}

    def listen(name: str, protocol: str, port: int, action: dict[str, Any], **more: Any) -> None:
        elb.create_listener(LoadBalancerArn=arns[name], Protocol=protocol, Port=port, DefaultActions=[action], **more)

    certificate = {"Certificates": [{"CertificateArn": f"arn:aws:iam::{ACCOUNT}:server-certificate/c"}]}
    boto3.client("iam").upload_server_certificate(ServerCertificateName="c", CertificateBody="body", PrivateKey="key")
    listen("good", "HTTPS", 443, forward, SslPolicy=STRONG, **certificate)
    listen("good", "HTTP", 80, TO_HTTPS)
    listen("bad", "HTTPS", 443, forward, SslPolicy=WEAK, **certificate)
    listen("bad", "HTTP", 80, forward)
    listen("net", "TCP", 443, forward)
    on = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs"}
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arns["good"], Attributes=[{"Key": key, "Value": value} for key, value in on.items()]
    )
    listener = {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstanceProtocol": "HTTP", "InstancePort": 80}
    secure = {**listener, "SSLCertificateId": f"arn:aws:iam::{ACCOUNT}:server-certificate/c"}
    old.create_load_balancer(LoadBalancerName="old", Listeners=[secure], AvailabilityZones=[f"{REGION}a"])
    old.create_load_balancer_policy(
        LoadBalancerName="old", PolicyName="mine", PolicyTypeName="SSLNegotiationPolicyType",
        PolicyAttributes=[{"AttributeName": "Reference-Security-Policy", "AttributeValue": TLS12}],
    )  # fmt: skip
    old.set_load_balancer_policies_of_listener(LoadBalancerName="old", LoadBalancerPort=443, PolicyNames=["mine"])
    return arns


@pytest.mark.parametrize(
    ("check", "statuses"),
    [
        ("extra717", {"good": "PASS", "bad": "FAIL", "net": "INFO", "old": "FAIL"}),
        ("extra79", {"good": "PASS", "bad": "FAIL", "net": "PASS", "old": "FAIL"}),
        ("extra792", {"good": "PASS", "bad": "FAIL", "net": "INFO", "old": "PASS"}),
        ("extra793", {"good": "PASS", "bad": "FAIL", "old": "PASS"}),
    ],
)
@pytest.mark.usefixtures("balancers")
def test_in_the_emulator(audit: Audit, check: str, statuses: dict[str, str]) -> None:
    found = audit(check, regions=[REGION])
    assert {name: text.partition(":")[0] for name, text in found.items()} == statuses
