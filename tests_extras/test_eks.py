"""Amazon EKS: clusters."""

from collections.abc import Sequence

from fixtures.services.eks import EksCluster
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY

ENDPOINT = "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"


@check(
    "extra794",
    severity="medium",
    remediation="Enable the missing control plane log types and set a retention on the log group.",
    command="aws eks update-cluster-config --name CLUSTER --logging"
    """ '{"clusterLogging":[{"types":["api","audit","authenticator","controllerManager","scheduler"],"enabled":true}]}'""",
    url="https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
)
def test_cluster_logs_its_control_plane(
    eks_cluster: EksCluster,
    *,
    required_log_types: Sequence[str] = ["api", "audit", "authenticator", "controllerManager", "scheduler"],
) -> str:
    """EKS clusters send all control plane log types to CloudWatch."""
    missing = [log_type for log_type in required_log_types if log_type not in eks_cluster.log_types]
    found = f"{eks_cluster.label} sends {', '.join(eks_cluster.log_types) or 'no logs'} to CloudWatch"
    assert not missing, f"{found}; missing: {', '.join(missing)}"
    return found


@check(
    "extra795",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Enable the private endpoint, make sure administrators reach it through the VPC, then disable public"
    " access.",
    command="aws eks update-cluster-config --name CLUSTER"
    " --resources-vpc-config endpointPublicAccess=false,endpointPrivateAccess=true",
    url=ENDPOINT,
)
def test_cluster_endpoint_is_private(eks_cluster: EksCluster) -> str:
    """EKS API endpoints are private only."""
    found = f"{eks_cluster.label}: {eks_cluster.endpoints}"
    assert eks_cluster.has_private_endpoint and not eks_cluster.has_public_endpoint, found
    return found


@check(
    "extra796",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="List the office, VPN and CI address ranges that need the public endpoint, or disable it.",
    command="aws eks update-cluster-config --name CLUSTER --resources-vpc-config publicAccessCidrs=CIDR1,CIDR2",
    url=ENDPOINT,
)
def test_cluster_endpoint_is_limited_to_known_addresses(
    eks_cluster: EksCluster, *, min_prefix_length_ipv4: int = 8, min_prefix_length_ipv6: int = 32
) -> str:
    """EKS public API endpoints are limited to known address ranges."""
    found = f"{eks_cluster.label}: {eks_cluster.endpoints}"
    if not eks_cluster.has_public_endpoint:
        return found
    assert eks_cluster.public_cidrs, found
    wide = eks_cluster.wide_cidrs(min_prefix_length_ipv4, min_prefix_length_ipv6)
    assert not wide, f"{found}; too wide: {', '.join(wide)}"
    return found


@check(
    "extra797",
    severity="medium",
    remediation="Associate a symmetric customer managed KMS key with the cluster (irreversible) and rewrite existing"
    " secrets so that they use it.",
    command="aws eks associate-encryption-config --cluster-name CLUSTER --encryption-config"
    """ '[{"resources":["secrets"],"provider":{"keyArn":"KEY_ARN"}}]'""",
    url="https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html",
)
def test_cluster_encrypts_secrets_with_own_key(eks_cluster: EksCluster) -> str:
    """EKS clusters encrypt Kubernetes secrets with a customer managed KMS key.

    Since Kubernetes 1.28 all API data is encrypted by default, with a key that AWS owns; the check asks for one of yours.
    """
    version = eks_cluster.data.get("version") or "unknown"
    found = f"{eks_cluster.label} (Kubernetes {version}) encrypts secrets with"
    default = ", by default with a key that AWS owns" if eks_cluster.encrypts_by_default else ""
    assert eks_cluster.secrets_key, f"{found}out a customer managed key{default}"
    return f"{found} {eks_cluster.secrets_key}"
