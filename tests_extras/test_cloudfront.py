"""Amazon CloudFront: distributions."""

from collections.abc import Sequence

import pytest

from fixtures.rules.dated_facts import (
    ACCEPTED_ORIGIN_PROTOCOLS,
    ACCEPTED_VIEWER_POLICIES,
    OBSOLETE_ORIGIN_PROTOCOLS,
    OBSOLETE_VIEWER_POLICIES,
)
from fixtures.services.cloudfront import VIEWER_PROTOCOLS, Distribution, shown
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY

UPDATE = "aws cloudfront update-distribution --id ID --if-match ETAG --distribution-config file://config.json"


@check(
    "extra714",
    severity="medium",
    remediation="Switch on standard logging to a bucket or a CloudWatch Logs delivery for the distribution.",
    command=UPDATE,
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html",
)
def test_distribution_writes_access_logs(distribution: Distribution) -> str:
    """CloudFront distributions write access logs."""
    # In the order of what it costs to know: nothing, a call per distribution, calls to another service.
    unlogged = distribution.paths_without_realtime_logs
    if not unlogged:
        return f"{distribution.label} writes real-time logs for every path"
    if distribution.logs_to_bucket:
        return f"{distribution.label} writes standard logs"
    partial = len(unlogged) < len(distribution.behaviors)
    missing = f"no real-time logs for {', '.join(unlogged)}" if partial else "no real-time logs"
    assert distribution.delivery_sources, (
        f"{distribution.label} writes no access logs: standard logging is off, standard logging v2 has no delivery, {missing}"
    )
    return f"{distribution.label} writes standard logs v2 (delivery source {', '.join(distribution.delivery_sources)})"


@check(
    "extra732",
    severity="low",
    finding_type=NETWORK_REACHABILITY,
    remediation="Where the audience is known, allow only those countries or block embargoed ones.",
    command=UPDATE,
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/georestrictions.html",
)
def test_distribution_restricts_countries(distribution: Distribution) -> str:
    """CloudFront distributions restrict access by country."""
    found = f"{distribution.label}: {distribution.geo_restriction}"
    if not distribution.tenants:
        assert distribution.geo_restriction.restricts, found
        return found
    bare = [f"{one.name} ({one.geo_restriction})" for one in distribution.tenants if not one.geo_restriction.restricts]
    assert not bare, f"{found}; tenants without restriction: {shown(bare)}"
    return f"{found}; its {len(distribution.tenants)} tenants are restricted"


@check(
    "extra738",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Set the viewer protocol policy of each cache behaviour to redirect or HTTPS only.",
    command=UPDATE,
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html",
)
def test_distribution_serves_https_only(distribution: Distribution) -> str:
    """CloudFront distributions serve viewers over HTTPS only."""
    policies = distribution.viewer_protocols
    plain = policies.get("allow-all", [])
    assert not plain, f"{distribution.label} serves plain HTTP for {', '.join(plain)}"
    found = "; ".join(f"{', '.join(paths)}: {VIEWER_PROTOCOLS[policy]}" for policy, paths in policies.items())
    return f"{distribution.label}: {found}"


@check(
    "extra767",
    severity="informational",
    remediation="Create a field-level encryption configuration for the sensitive form fields and attach it to the"
    " behaviours that take POST.",
    command="aws cloudfront create-field-level-encryption-config --field-level-encryption-config file://fle.json",
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/field-level-encryption.html",
)
def test_distribution_encrypts_posted_fields(distribution: Distribution) -> str:
    """CloudFront distributions that accept POST use field-level encryption.

    It suits origins that take few known form fields, so a FAIL is something to think about, not to repair at any rate.
    """
    posting = [behavior for behavior in distribution.behaviors if behavior.accepts_post]
    encrypting = [behavior for behavior in distribution.behaviors if behavior.field_level_encryption]
    if not posting and not encrypting:
        pytest.skip(f"{distribution.label} accepts no POST, so there are no fields to encrypt")
    bare = [behavior.path for behavior in posting if not behavior.field_level_encryption]
    assert not bare, f"{distribution.label} accepts POST without field-level encryption for {', '.join(bare)}"
    found = ", ".join(f"{behavior.path} ({behavior.field_level_encryption})" for behavior in encrypting)
    accepts = (
        "; accepts POST for " + ", ".join(behavior.path for behavior in posting) if posting else ", accepts no POST"
    )
    return f"{distribution.label} uses field-level encryption for {found}{accepts}"


@check(
    "extra773",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Create a WAFv2 web ACL with scope CLOUDFRONT in us-east-1 and associate it with the distribution.",
    command=UPDATE,
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-web-awswaf.html",
)
def test_distribution_has_web_acl(distribution: Distribution) -> str:
    """CloudFront distributions are protected by a WAF web ACL.

    A web ACL of WAF Classic protects nothing since its support ended on 2025-09-30.
    """
    if not distribution.tenants:
        acl = distribution.web_acl
        assert not acl.problem, f"{distribution.label} {acl.problem}"
        return f"{distribution.label} has {acl}"
    bare = [f"{one.name} {one.web_acl.problem}" for one in distribution.tenants if one.web_acl.problem]
    assert not bare, f"{distribution.label}: tenants without protection: {shown(bare)}"
    acls = sorted({str(one.web_acl) for one in distribution.tenants})
    return f"{distribution.label}: its {len(distribution.tenants)} tenants have {shown(acls)}"


@check(
    "extra791",
    severity="medium",
    remediation="Limit each origin to TLSv1.2 and give the distribution its own certificate with a TLSv1.2_2021 or newer"
    " security policy.",
    command=UPDATE,
    url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html",
)
def test_distribution_uses_current_tls(
    distribution: Distribution,
    *,
    obsolete_origin_protocols: Sequence[str] = OBSOLETE_ORIGIN_PROTOCOLS,
    accepted_origin_protocols: Sequence[str] = ACCEPTED_ORIGIN_PROTOCOLS,
    obsolete_viewer_policies: Sequence[str] = OBSOLETE_VIEWER_POLICIES,
    accepted_viewer_policies: Sequence[str] = ACCEPTED_VIEWER_POLICIES,
    check_viewer_side: bool = True,
    fail_on_default_certificate: bool = False,
) -> str:
    """CloudFront distributions do not accept or use obsolete SSL/TLS versions."""
    by_default = distribution.has_default_certificate
    problems = [
        f"origin {origin.id} accepts {', '.join(obsolete)}"
        for origin in distribution.tls_origins
        if (obsolete := [protocol for protocol in origin.protocols if protocol in obsolete_origin_protocols])
    ]
    if check_viewer_side and by_default and fail_on_default_certificate and not distribution.serves_tenants_only:
        problems.append("it has no certificate of its own")
    if check_viewer_side and not by_default and distribution.viewer_policy in obsolete_viewer_policies:
        problems.append(f"viewers may use security policy {distribution.viewer_policy}")
    remarks = "".join(f"; {remark}" for remark in distribution.tls_remarks)
    assert not problems, f"{distribution.label}: {'; '.join(problems)}{remarks}"

    protocols = {protocol for origin in distribution.tls_origins for protocol in origin.protocols}
    distribution.require_known("origin protocol", protocols, accepted_origin_protocols)
    if check_viewer_side and not by_default:
        distribution.require_known("security policy", [distribution.viewer_policy], accepted_viewer_policies)
    viewers = "" if by_default else f", viewers {distribution.viewer_policy}"
    return f"{distribution.label}: origins {', '.join(sorted(protocols)) or 'without TLS settings'}{viewers}{remarks}"
