"""Elastic Load Balancing: classic, application, network and gateway load balancers."""

from collections.abc import Sequence

import pytest

from fixtures.rules.dated_facts import CURRENT_PROTOCOLS, ELB_CLASSIC_CIPHERS, ELB_CLASSIC_POLICIES, WEAK_CIPHER_WORDS
from fixtures.rules.tls import TlsRules
from fixtures.services.elb import HttpLoadBalancer, LoadBalancer
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra717",
    severity="medium",
    remediation="Turn on access logs into a bucket that lets the load balancing service write.",
    command="aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes"
    " Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=BUCKET",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html",
)
def test_load_balancer_writes_access_logs(load_balancer: LoadBalancer) -> str:
    """Load balancers write access logs."""
    if load_balancer.type == "gateway":
        pytest.skip(f"{load_balancer.label}: gateway load balancers have no access logs")
    log = load_balancer.access_log
    if load_balancer.type == "network" and not log.enabled and not load_balancer.encrypted_listeners:
        pytest.skip(f"{load_balancer.label} has no TLS listener: S3 access logs, which are off, would stay empty")
    if log.enabled:
        return f"{load_balancer.label} writes S3 access logs to {log}"
    assert load_balancer.delivery_sources, f"{load_balancer.label} writes no access logs"
    return f"{load_balancer.label} writes access logs (delivery source {', '.join(load_balancer.delivery_sources)})"


@check(
    "extra79",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Confirm that the service must be public and protect it with a web ACL; otherwise recreate the load balancer"
    " as internal.",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
)
def test_load_balancer_is_not_internet_facing(load_balancer: LoadBalancer) -> str:
    """Load balancers are not internet-facing."""
    found = f"{load_balancer.label} ({load_balancer.address})"
    assert not load_balancer.is_internet_facing, f"{found} is internet-facing"
    return f"{found} is not internet-facing"


@check(
    "extra792",
    severity="medium",
    remediation="Select a policy with TLS 1.2 as minimum on every encrypted listener.",
    command="aws elbv2 modify-listener --listener-arn LISTENER_ARN --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
)
def test_load_balancer_uses_strong_tls(
    load_balancer: LoadBalancer,
    *,
    elb_tls_protocols: Sequence[str] = CURRENT_PROTOCOLS,
    elb_weak_cipher_words: Sequence[str] = WEAK_CIPHER_WORDS,
    elb_classic_policies: Sequence[str] = ELB_CLASSIC_POLICIES,
    elb_classic_ciphers: Sequence[str] = ELB_CLASSIC_CIPHERS,
) -> str:
    """Encrypted load balancer listeners allow TLS 1.2 or later and strong ciphers only."""
    rules = TlsRules(elb_tls_protocols, elb_weak_cipher_words, elb_classic_policies, elb_classic_ciphers)
    strengths = load_balancer.tls_strengths(rules)
    if not strengths:
        pytest.skip(f"{load_balancer.label} has no HTTPS, SSL or TLS listener")
    weak = [f"{listener}: {found.reason}" for listener, found in strengths.items() if found.verdict == "weak"]
    assert not weak, f"{load_balancer.label} has weak TLS on {'; '.join(weak)}"
    load_balancer.require_known(strengths)
    strong = "; ".join(f"{listener}: {found.reason}" for listener, found in strengths.items())
    return f"{load_balancer.label} has strong TLS on {strong}"


@check(
    "extra793",
    severity="medium",
    remediation="Serve over HTTPS and turn each HTTP listener into a redirect; on classic load balancers delete the plain"
    " listener.",
    command="aws elbv2 modify-listener --listener-arn LISTENER_ARN --default-actions"
    " 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html",
)
def test_load_balancer_accepts_encrypted_connections_only(http_load_balancer: HttpLoadBalancer) -> str:
    """Load balancers accept encrypted connections only or redirect to HTTPS."""
    traffic = http_load_balancer.plain_traffic
    if not traffic:
        pytest.skip(f"{http_load_balancer.label} has no listener")
    plain = [f"{listener} {how}" for listener, how in traffic.items() if how]
    assert not plain, f"{http_load_balancer.label}: {'; '.join(plain)}"
    shown = (str(listener) if listener.is_encrypted else f"{listener} redirects to HTTPS" for listener in traffic)
    return f"{http_load_balancer.label}: {', '.join(shown)}"
