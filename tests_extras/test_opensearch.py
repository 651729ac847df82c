"""Amazon OpenSearch Service: search domains, and search clusters that people run on EC2 themselves."""

from collections.abc import Mapping, Sequence

import pytest

from fixtures.rules.dated_facts import ELASTICSEARCH_HTTP_PORT, ELASTICSEARCH_TRANSPORT_PORT, KIBANA_PORT
from fixtures.rules.ip_ranges import is_public, parsed
from fixtures.services.ec2.search_ports import SearchInstance
from fixtures.services.opensearch import SearchDomain, outside
from plugins.catalog import check
from plugins.catalog.checks import DATA_EXPOSURE, NETWORK_REACHABILITY, PATCH_MANAGEMENT


@check(
    "extra715",
    severity="medium",
    remediation="Give the domain a CloudWatch log group with a resource policy for es.amazonaws.com and enable both slow"
    " logs, then set the index-level slow-log thresholds. Consider audit logs too when fine-grained access control is on.",
    command="aws opensearch update-domain-config --domain-name NAME --log-publishing-options"
    " 'SEARCH_SLOW_LOGS={CloudWatchLogsLogGroupArn=ARN,Enabled=true},"
    "INDEX_SLOW_LOGS={CloudWatchLogsLogGroupArn=ARN,Enabled=true}'",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html",
)
def test_search_domain_publishes_slow_logs(
    search_domain: SearchDomain, *, required_log_types: Sequence[str] = ["SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS"]
) -> str:
    """Search domains publish search and index slow logs to CloudWatch."""
    published = search_domain.log_types
    others = [
        f"{log_type} {'on' if log_type in published else 'off'}"
        for log_type in ("AUDIT_LOGS", "ES_APPLICATION_LOGS")
        if log_type not in required_log_types
    ]
    missing = [log_type for log_type in required_log_types if log_type not in published]
    enabled = [log_type for log_type in required_log_types if log_type in published]
    found = f"{search_domain.label} publishes {', '.join(enabled) or 'none of the required logs'}"
    beside = f" ({', '.join(others)})" if others else ""
    assert not missing, f"{found}; missing: {', '.join(missing)}{beside}"
    return f"{found}{beside}"


@check(
    "extra716",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Move the domain into a VPC, or replace the open statement by named principals of your accounts and"
    " require signed requests.",
    command="aws opensearch update-domain-config --domain-name NAME --access-policies file://restricted-policy.json",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html",
)
def test_search_domain_is_not_open_to_everyone(
    search_domain: SearchDomain,
    *,
    trusted_ips: Sequence[str] = [],
    min_prefix_length_ipv4: int = 8,
    min_prefix_length_ipv6: int = 32,
    accept_fine_grained_access_control: bool = False,
) -> str:
    """Search domains have no internet endpoint with an open access policy."""
    if search_domain.vpc:
        return f"{search_domain.label} is in {search_domain.vpc}"
    access = search_domain.access(
        min_prefix_length_ipv4=min_prefix_length_ipv4, min_prefix_length_ipv6=min_prefix_length_ipv6
    )
    controlled = search_domain.has_fine_grained_access_control
    found = (
        f"{search_domain.label}, {search_domain.public_endpoint or 'no endpoint yet'}, fine-grained access control"
        f" {'on' if controlled else 'off'}: {access}"
    )
    listed = [cidr for cidrs in access.by_address.values() for cidr in cidrs]
    unknown = outside(listed, trusted_ips)
    if accept_fine_grained_access_control and controlled and (access.public or (trusted_ips and unknown)):
        return f"{found}; accepted because of fine-grained access control"
    assert not access.public, found
    assert not (trusted_ips and unknown), f"{found}; not trusted: {', '.join(unknown)}"
    if unknown:
        pytest.skip(f"{found}; nobody has said which addresses are expected, review {', '.join(unknown)}")
    private = [cidr for cidr in listed if not is_public(parsed(cidr))]
    return f"{found}; {', '.join(private)} can never match on a public endpoint" if private else found


@check(
    "extra780",
    severity="high",
    remediation="Connect the domain's dashboards to an Amazon Cognito user pool or a SAML identity provider so that"
    " people sign in with managed identities.",
    command="aws opensearch update-domain-config --domain-name NAME --cognito-options"
    " Enabled=true,UserPoolId=POOL,IdentityPoolId=IDENTITY_POOL,RoleArn=ROLE_ARN",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cognito-auth.html",
)
def test_search_domain_dashboards_have_managed_login(
    search_domain: SearchDomain, *, accepted_methods: Sequence[str] = ["cognito", "saml"]
) -> str:
    """Search domain dashboards authenticate users through Cognito or SAML."""
    on = [method for method in accepted_methods if method in search_domain.login_methods]
    assert on, f"{search_domain.label}: {' and '.join(accepted_methods)} login are off"
    return f"{search_domain.label}: dashboards log in with {', '.join(on)}"


@check(
    "extra781",
    severity="medium",
    remediation="Turn on encryption at rest with a KMS key; domains on engines before Elasticsearch 6.7 must be rebuilt"
    " from a snapshot.",
    command="aws opensearch update-domain-config --domain-name NAME"
    " --encryption-at-rest-options Enabled=true,KmsKeyId=KEY_ID",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html",
)
def test_search_domain_encrypts_at_rest(search_domain: SearchDomain) -> str:
    """Search domains encrypt data at rest."""
    encrypts = search_domain.is_on("EncryptionAtRestOptions", "Enabled")
    assert encrypts, f"{search_domain.label} does not encrypt data at rest"
    key = search_domain.option("EncryptionAtRestOptions", "KmsKeyId") or "a key not named"
    return f"{search_domain.label} encrypts data at rest with {key}"


@check(
    "extra782",
    severity="medium",
    remediation="Enable node-to-node encryption; it cannot be switched off again and needs engine version 6.0 or later.",
    command="aws opensearch update-domain-config --domain-name NAME --node-to-node-encryption-options Enabled=true",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ntn.html",
)
def test_search_domain_encrypts_between_nodes(search_domain: SearchDomain) -> str:
    """Search domains encrypt traffic between their nodes."""
    encrypts = search_domain.is_on("NodeToNodeEncryptionOptions", "Enabled")
    assert encrypts, f"{search_domain.label}: node-to-node encryption is off"
    return f"{search_domain.label}: node-to-node encryption is on"


@check(
    "extra783",
    severity="medium",
    remediation="Require HTTPS on the domain endpoint and choose a TLS 1.2 or newer security policy.",
    command="aws opensearch update-domain-config --domain-name NAME --domain-endpoint-options"
    " EnforceHTTPS=true,TLSSecurityPolicy=Policy-Min-TLS-1-2-PFS-2023-10",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/infrastructure-security.html",
)
def test_search_domain_enforces_https(search_domain: SearchDomain) -> str:
    """Search domain endpoints accept HTTPS only."""
    policy = search_domain.option("DomainEndpointOptions", "TLSSecurityPolicy") or "unknown"
    enforces = search_domain.is_on("DomainEndpointOptions", "EnforceHTTPS")
    found = f"{search_domain.label}: EnforceHTTPS is {'on' if enforces else 'off'}, TLS policy {policy}"
    assert enforces, found
    return found


@check(
    "extra784",
    severity="medium",
    remediation="Make an IAM role the master user, map roles to IAM, SAML or Cognito identities, and switch the internal"
    " user database off.",
    command="aws opensearch update-domain-config --domain-name NAME --advanced-security-options"
    " 'InternalUserDatabaseEnabled=false,MasterUserOptions={MasterUserARN=ROLE_ARN}'",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html",
)
def test_search_domain_has_no_internal_users(search_domain: SearchDomain) -> str:
    """Search domains do not keep users in the internal user database."""
    controlled = search_domain.is_on("AdvancedSecurityOptions", "Enabled")
    internal = search_domain.is_on("AdvancedSecurityOptions", "InternalUserDatabaseEnabled")
    note = "fine-grained access control is on" if controlled else "fine-grained access control is off altogether"
    assert not internal, f"{search_domain.label}: the internal user database is on, {note}"
    return f"{search_domain.label}: the internal user database is off, {note}"


@check(
    "extra785",
    severity="low",
    finding_type=PATCH_MANAGEMENT,
    remediation="Schedule the service software update for the domain, or enable automatic updates in the off-peak window.",
    command="aws opensearch start-service-software-update --domain-name NAME",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/service-software.html",
)
def test_search_domain_service_software_is_current(search_domain: SearchDomain) -> str:
    """Search domains have no pending service software update."""
    update = search_domain.status.get("ServiceSoftwareOptions") or {}
    found = f"{search_domain.label}: service software {search_domain.service_software}"
    if update.get("UpdateAvailable") is None:
        pytest.skip(f"{found}; AWS does not say whether an update is available")
    if update.get("UpdateStatus") == "IN_PROGRESS":
        pytest.skip(f"{found}; the update is running")
    assert update["UpdateAvailable"] is False, f"{found}; the update is pending"
    return f"{found}; no update is pending"


@check(
    "extra787",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Remove the internet-wide rule and enable authentication with TLS on the cluster; reach it through a VPN,"
    " a private subnet or Session Manager.",
    command="aws ec2 revoke-security-group-ingress --group-id GROUP_ID --protocol tcp --port 9200 --cidr 0.0.0.0/0",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
)
def test_instance_with_search_ports_demands_login(
    instance_with_search_ports: SearchInstance,
    *,
    probe_timeout_seconds: float = 2,
    http_ports: Mapping[str, int] = {"elasticsearch": ELASTICSEARCH_HTTP_PORT, "kibana": KIBANA_PORT},
    tcp_ports: Mapping[str, int] = {"transport": ELASTICSEARCH_TRANSPORT_PORT},
) -> str:
    """Exposed EC2 instances do not answer Elasticsearch or Kibana requests without login."""
    instance = instance_with_search_ports
    where = f"{instance.id} in {instance.region}"
    exposed = instance.exposures({*http_ports.values(), *tcp_ports.values()})
    if not exposed:
        pytest.skip(f"{where} exposes none of the ports to look at")
    if not instance.api.account.active_probes:
        pytest.skip(f"{where} is exposed, not probed (needs --active-probes): {', '.join(map(str, exposed))}")
    probed = instance.probe(http_ports, tcp_ports.values(), probe_timeout_seconds)
    found = f"{where}: {', '.join(map(str, probed))}"
    verdicts = {each.verdict for each in probed}
    assert "open" not in verdicts, f"answers without login; {found}"
    if "undecided" in verdicts:
        pytest.skip(f"look at these answers yourself; {found}")
    if "closed" not in verdicts:
        pytest.skip(f"nothing is reachable from this host; {found}")
    return f"demands a login; {found}"


@check(
    "extra788",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Close the access policy or move the domain into a VPC, and enable fine-grained access control so that"
    " every request is authenticated.",
    command="aws opensearch update-domain-config --domain-name NAME --access-policies file://restricted-policy.json",
    url="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html",
)
def test_search_domain_endpoint_demands_login(
    search_domain: SearchDomain, *, probe_timeout_seconds: float = 2, max_redirects: int = 3
) -> str:
    """Public search domain endpoints do not answer without authentication."""
    if search_domain.vpc:
        pytest.skip(f"{search_domain.label} is in {search_domain.vpc}")
    if search_domain.public_endpoint is None:
        pytest.skip(f"{search_domain.label} has no endpoint yet")
    access = search_domain.access()
    invitation = f"{search_domain.label}, {search_domain.public_endpoint}: {access}"
    if not access.public and not access.by_address:
        return f"{invitation}; no request was sent"
    if not search_domain.api.account.active_probes:
        pytest.skip(f"not probed (needs --active-probes); {invitation}")
    answered = search_domain.probe(probe_timeout_seconds, max_redirects)
    found = f"{', '.join(map(str, answered))}; {invitation}"
    verdicts = {each.verdict for each in answered}
    assert not ("open" in verdicts and access.public), f"answers without login; {found}"
    if "open" in verdicts:
        pytest.skip(f"answers this host, whose address the policy may list; {found}")
    if verdicts != {"closed"}:
        pytest.skip(f"look at these answers yourself; {found}")
    return f"demands a login; {found}"
