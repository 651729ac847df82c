"""Amazon Redshift: provisioned clusters."""

import pytest

from fixtures.services.redshift import RedshiftCluster, delivery_failure, log_destination
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra711",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Make the cluster private and reach it through the VPC, a VPN or a Redshift-managed VPC endpoint.",
    command="aws redshift modify-cluster --cluster-identifier ID --no-publicly-accessible",
    url="https://docs.aws.amazon.com/redshift/latest/mgmt/managing-clusters-vpc.html",
)
def test_redshift_cluster_is_not_public(redshift_cluster: RedshiftCluster) -> str:
    """Redshift clusters are not publicly accessible."""
    note = f" ({redshift_cluster.exposure})" if redshift_cluster.is_public and redshift_cluster.exposure else ""
    where = f"{redshift_cluster.label}, {redshift_cluster.address},"
    assert not redshift_cluster.is_public, f"{where} is publicly accessible{note}"
    return f"{where} is not publicly accessible"


@check(
    "extra721",
    severity="medium",
    remediation="Enable audit logging to a bucket or CloudWatch and set enable_user_activity_logging in the cluster's"
    " parameter group.",
    command="aws redshift enable-logging --cluster-identifier ID --log-destination-type cloudwatch"
    " --log-exports connectionlog userlog useractivitylog",
    url="https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html",
)
def test_redshift_cluster_delivers_audit_logs(redshift_cluster: RedshiftCluster) -> str:
    """Redshift clusters deliver audit logs."""
    logging = redshift_cluster.logging
    if logging is None:
        pytest.skip(f"{redshift_cluster.label} was deleted during the audit")
    assert logging.get("LoggingEnabled") is True, f"{redshift_cluster.label} does not log"
    found = f"{redshift_cluster.label} logs to {log_destination(logging)}"
    failure = delivery_failure(logging)
    assert not failure, f"{found}, but delivery fails: {failure}"
    return found


@check(
    "extra756",
    severity="high",
    finding_type=NETWORK_REACHABILITY,
    remediation="Turn public access off and reach the cluster through the VPC, a VPN or a managed endpoint.",
    command="aws redshift modify-cluster --cluster-identifier CLUSTER --no-publicly-accessible",
    url="https://docs.aws.amazon.com/redshift/latest/mgmt/managing-clusters-vpc.html",
)
def test_redshift_cluster_has_no_public_address(redshift_cluster: RedshiftCluster) -> str:
    """Redshift clusters are not publicly accessible."""
    groups = [group["VpcSecurityGroupId"] for group in redshift_cluster.data.get("VpcSecurityGroups") or ()]
    assert not redshift_cluster.is_public, (
        f"{redshift_cluster.label}, {redshift_cluster.address}, is publicly accessible"
        f" (security groups: {', '.join(groups) or 'none'})"
    )
    return f"{redshift_cluster.label} is not publicly accessible"
