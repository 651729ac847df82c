"""fixtures/tls.py: how strong a listener's TLS is."""

from __future__ import annotations

from typing import Any

import pytest
from moto.elbv2 import ssl_policies

from fixtures.ageing import (
    CURRENT_PROTOCOLS,
    ELB_LOWEST_PROTOCOL_BY_NAME,
    OBSOLETE_ORIGIN_PROTOCOLS,
    OBSOLETE_PROTOCOLS,
)
from fixtures.tls import TlsRules, classic_strength, policy_strength

NEW, OLD = ("TLSv1.3", "TLSv1.2"), ("TLSv1.2", "TLSv1.1", "TLSv1")
GCM = "ECDHE-RSA-AES128-GCM-SHA256"
TLS12 = "ELBSecurityPolicy-TLS-1-2-2017-01"
DEFAULT = "ELBSecurityPolicy-2016-08"


def policy(protocols: tuple[str, ...] = NEW, *ciphers: str) -> dict[str, Any]:
    """A policy as DescribeSSLPolicies gives it."""
    return {"Name": "p", "SslProtocols": [*protocols], "Ciphers": [{"Name": name, "Priority": 1} for name in ciphers]}


@pytest.mark.parametrize(
    ("described", "verdict", "reason"),
    [
        (policy(NEW, "TLS_AES_128_GCM_SHA256", GCM), "strong", "p"),
        (policy(("TLSv1.3",), "TLS_AES_128_GCM_SHA256"), "strong", "p"),
        (policy(("TLSv1.2",), "AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-CHACHA20-POLY1305"), "strong", "p"),
        (policy(OLD, GCM), "weak", "p allows TLSv1.1"),
        (policy(("SSLv3",), GCM), "weak", "p allows SSLv3"),
        (policy(("TLSv2",), GCM), "weak", "p allows TLSv2"),
        (policy(OLD, "RC4-MD5"), "weak", "p allows TLSv1.1"),
        (policy(NEW, GCM, "RC4-SHA"), "weak", "p allows RC4-SHA"),
        (policy(NEW, GCM, "DES-CBC3-SHA"), "weak", "p allows DES-CBC3-SHA"),
        (policy(NEW, "NULL-SHA256"), "weak", "p allows NULL-SHA256"),
        (policy(NEW, "EXP1024-AES"), "weak", "p allows EXP1024-AES"),
        (policy(NEW, "ADH-AES128-SHA"), "weak", "p allows ADH-AES128-SHA"),
        (policy(NEW, "AECDH-AES128-SHA"), "weak", "p allows AECDH-AES128-SHA"),
        (policy((), GCM), "unknown", "no protocols or no ciphers of p"),
        (policy(NEW), "unknown", "no protocols or no ciphers of p"),
        ({"Name": "p"}, "unknown", "no protocols or no ciphers of p"),
    ],
)  # fmt: skip
def test_policy_that_aws_describes(described: dict[str, Any], verdict: str, reason: str) -> None:
    found = policy_strength("p", {"p": described}, TlsRules())
    assert found.verdict == verdict
    assert reason in found.reason


@pytest.mark.parametrize(
    ("name", "verdict", "reason"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", "strong", "judged by name"),
        ("ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04", "strong", "judged by name"),
        ("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", "strong", "judged by name"),
        ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "strong", "judged by name"),
        ("ELBSecurityPolicy-FS-1-2-2019-08", "strong", "judged by name"),
        ("ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04", "unknown", "does not know ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04"),
        ("ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04", "unknown", "does not know"),
        ("ELBSecurityPolicy-FS-1-1-2019-08", "unknown", "does not know"),
        ("ELBSecurityPolicy-FS-2018-06", "unknown", "does not know"),
        ("ELBSecurityPolicy-TLS-1-20-2030-01", "unknown", "does not know"),
        ("my-ELBSecurityPolicy-TLS13-1-2-", "unknown", "does not know"),
        ("", "unknown", "no security policy is named"),
    ],
)  # fmt: skip
def test_policy_that_aws_does_not_describe(name: str, verdict: str, reason: str) -> None:
    found = policy_strength(name, {DEFAULT: policy(OLD, GCM)}, TlsRules())
    assert found.verdict == verdict
    assert reason in found.reason


def test_description_goes_before_the_name() -> None:
    name = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert policy_strength(name, {name: policy(OLD, GCM)}, TlsRules()).verdict == "weak"


def test_other_rules_for_policies() -> None:
    only_13 = TlsRules(protocols=["TLSv1.3"])
    assert policy_strength("p", {"p": policy(NEW, GCM)}, only_13) == ("weak", "p allows TLSv1.2")
    assert policy_strength("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", {}, only_13).verdict == "unknown"
    assert policy_strength("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", {}, only_13).verdict == "strong"
    assert policy_strength("p", {"p": policy(OLD, GCM)}, TlsRules(protocols=OLD)).verdict == "strong"
    assert policy_strength("p", {"p": policy(NEW, GCM)}, TlsRules(weak_cipher_words=["RSA"])).verdict == "weak"
    assert policy_strength("p", {"p": policy(NEW, "RC4-SHA")}, TlsRules(weak_cipher_words=[])).verdict == "strong"


def test_names_of_policies_state_the_lowest_protocol() -> None:
    named = [data for data in vars(ssl_policies).values() if isinstance(data, dict) and DEFAULT in data]
    assert len(named) == 1
    for name, data in named[0].items():
        lowest = next((low for start, low in ELB_LOWEST_PROTOCOL_BY_NAME.items() if name.startswith(start)), None)
        strong = min(data["ssl_protocols"]) in CURRENT_PROTOCOLS
        assert lowest == (min(data["ssl_protocols"]) if strong else None), name


def test_obsolete_protocols() -> None:
    assert OBSOLETE_PROTOCOLS == ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
    assert OBSOLETE_ORIGIN_PROTOCOLS == ("SSLv3", "TLSv1", "TLSv1.1")


# -- classic load balancers -----------------------------------------------------------------------------------------


def negotiation(
    *enabled: str, reference: str = "", kind: str = "SSLNegotiationPolicyType", **disabled: str
) -> dict[str, Any]:
    """A policy as DescribeLoadBalancerPolicies gives it: some attributes on, some off."""
    attributes = {**dict.fromkeys(enabled, "true"), **disabled}
    if reference:
        attributes["Reference-Security-Policy"] = reference
    described = [{"AttributeName": key, "AttributeValue": value} for key, value in attributes.items()]
    return {"PolicyTypeName": kind, "PolicyAttributeDescriptions": described}


STICKY = negotiation(kind="LBCookieStickinessPolicyType", CookieExpirationPeriod="60")
GOOD = negotiation("Protocol-TLSv1.2", GCM)
OFF = {"Protocol-TLSv1": "false", "Protocol-SSLv3": "false", "RC4-SHA": "false", "DES-CBC3-SHA": "false"}
DES = negotiation("Protocol-TLSv1.2", GCM, "DES-CBC3-SHA")
BY_REFERENCE = negotiation("Protocol-TLSv1.2", GCM, "Server-Defined-Cipher-Order", reference=TLS12, **OFF)


@pytest.mark.parametrize(
    ("policies", "verdict", "reason"),
    [
        ({"p": GOOD}, "strong", "p"),
        ({"p": negotiation("Protocol-TLSv1.2", "AES256-SHA", "Server-Defined-Cipher-Order", **OFF)}, "strong", "p"),
        ({"p": BY_REFERENCE}, "strong", "p"),
        ({"p": negotiation("Protocol-SSLv2", GCM)}, "weak", "p allows SSLv2"),
        ({"p": negotiation("Protocol-SSLv3", GCM)}, "weak", "p allows SSLv3"),
        ({"p": negotiation("Protocol-TLSv1.2", "Protocol-TLSv1", GCM)}, "weak", "p allows TLSv1"),
        ({"p": negotiation("Protocol-TLSv1.2", "Protocol-TLSv1.1", GCM)}, "weak", "p allows TLSv1.1"),
        ({"p": DES}, "weak", "p allows DES-CBC3-SHA"),
        ({"p": negotiation("DES-CBC3-SHA")}, "weak", "p allows DES-CBC3-SHA"),
        ({"p": negotiation("Protocol-TLSv1.2", "DHE-RSA-AES128-SHA")}, "weak", "p allows DHE-RSA-AES128-SHA"),
        ({"p": negotiation("Protocol-TLSv1.2", "A-NEW-CIPHER")}, "weak", "p allows A-NEW-CIPHER"),
        # a reference counts where the switches are not shown, and only there
        ({"p": negotiation(reference=TLS12)}, "strong", f"p (reference {TLS12})"),
        ({TLS12: negotiation(reference=TLS12)}, "strong", TLS12),
        ({"p": negotiation(reference=DEFAULT)}, "weak", f"p (reference {DEFAULT}) is not an accepted policy"),
        ({TLS12: negotiation(reference=DEFAULT)}, "weak", f"{TLS12} (reference {DEFAULT}) is not an accepted policy"),
        ({DEFAULT: negotiation("Server-Defined-Cipher-Order", reference=DEFAULT)}, "weak", f"{DEFAULT} is not an accepted policy"),
        ({"p": negotiation("Protocol-TLSv1", GCM, reference=TLS12)}, "weak", "p allows TLSv1"),
        ({TLS12: negotiation("Protocol-TLSv1", GCM)}, "weak", f"{TLS12} allows TLSv1"),
        ({"p": negotiation("Protocol-TLSv1.2", GCM, reference=DEFAULT)}, "strong", "p"),
        # what says nothing is not strong
        ({"p": negotiation()}, "unknown", "p switches on no protocol"),
        ({"p": negotiation(GCM)}, "unknown", "p switches on no protocol"),
        ({"p": negotiation(**OFF)}, "unknown", "p switches on no protocol"),
        ({"p": {"PolicyTypeName": "SSLNegotiationPolicyType"}}, "unknown", "p switches on no protocol"),
        # several policies, policies of other types, none
        ({"p": GOOD, "sticky": STICKY}, "strong", "p"),
        ({"sticky": STICKY}, "weak", "no security policy"),
        ({}, "weak", "no security policy"),
        ({"p": GOOD, "q": DES}, "weak", "q allows DES-CBC3-SHA"),
        ({"p": GOOD, "q": GOOD}, "strong", "p, q"),
        # names that AWS does not describe
        ({TLS12: None}, "strong", TLS12),
        ({DEFAULT: None}, "unknown", f"does not know {DEFAULT}"),
        ({"p": GOOD, "lost": None}, "unknown", "does not know lost"),
        ({"lost": None, "q": DES}, "weak", "q allows DES-CBC3-SHA"),
    ],
)  # fmt: skip
def test_classic_policies(policies: dict[str, dict[str, Any] | None], verdict: str, reason: str) -> None:
    known = {name: described for name, described in policies.items() if described is not None}
    found = classic_strength(policies, known, TlsRules())
    assert found.verdict == verdict
    assert found.reason == reason if verdict == "strong" else reason in found.reason


def test_only_the_listeners_own_policies_count() -> None:
    assert classic_strength(["p"], {"p": GOOD, "unused": DES}, TlsRules()).verdict == "strong"


def test_other_rules_for_classic_policies() -> None:
    allowed = TlsRules(classic_policies=[DEFAULT], classic_ciphers=["DES-CBC3-SHA"])
    assert classic_strength(["p"], {"p": negotiation(reference=DEFAULT)}, allowed).verdict == "strong"
    assert classic_strength(["p"], {"p": negotiation(reference=TLS12)}, allowed).verdict == "weak"
    assert classic_strength([DEFAULT], {}, allowed).verdict == "strong"
    assert classic_strength(["p"], {"p": negotiation("Protocol-TLSv1.2", "DES-CBC3-SHA")}, allowed).verdict == "strong"
    assert classic_strength(["p"], {"p": GOOD}, allowed) == ("weak", f"p allows {GCM}")
