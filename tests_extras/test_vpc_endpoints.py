"""VPC endpoint services: which accounts are connected to them and may connect."""

from collections.abc import Sequence

from fixtures.rules.trust import is_trusted, trusted_accounts
from fixtures.services.ec2.endpoint_services import CONNECTED, REQUESTED, EndpointService
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY

ENDPOINT_SERVICES = "https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html"


@check(
    "extra789",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Reject connections of accounts you do not know and require acceptance for new ones.",
    command="aws ec2 reject-vpc-endpoint-connections --service-id SERVICE_ID --vpc-endpoint-ids ENDPOINT_ID",
    url=ENDPOINT_SERVICES,
)
def test_endpoint_service_is_connected_to_trusted_accounts(
    endpoint_service: EndpointService, *, trusted_account_ids: Sequence[str] = []
) -> str:
    """Endpoint services are connected to trusted accounts only."""
    trusted = trusted_accounts(endpoint_service.api.account, trusted_account_ids)
    found = f"{endpoint_service.label} has {len(endpoint_service.connections)} connections"
    requests = endpoint_service.untrusted_connections(REQUESTED, trusted)
    note = f"; untrusted accounts ask for {', '.join(requests)}" if requests else ""
    untrusted = endpoint_service.untrusted_connections(CONNECTED, trusted)
    assert not untrusted, f"{found}, of untrusted accounts: {', '.join(untrusted)}{note}"
    return f"{found}, none of an untrusted account{note}"


@check(
    "extra790",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Remove principals of unknown accounts and the wildcard; name the consumer accounts.",
    command="aws ec2 modify-vpc-endpoint-service-permissions --service-id SERVICE_ID"
    " --remove-allowed-principals PRINCIPAL_ARN",
    url=ENDPOINT_SERVICES,
)
def test_endpoint_service_admits_trusted_principals(
    endpoint_service: EndpointService, *, trusted_account_ids: Sequence[str] = []
) -> str:
    """Endpoint services admit principals of trusted accounts only."""
    trusted = trusted_accounts(endpoint_service.api.account, trusted_account_ids)
    admitted = endpoint_service.principals
    untrusted = [principal for principal in admitted if not is_trusted(principal, trusted)]
    found = f"{endpoint_service.label} ({endpoint_service.acceptance})"
    assert not untrusted, f"{found} admits untrusted principals: {', '.join(untrusted)}"
    return f"{found} admits {len(admitted)} principals, all of trusted accounts"
