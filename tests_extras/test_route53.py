"""Amazon Route 53: hosted zones."""

from fixtures.services.route53 import PublicHostedZone
from plugins.catalog import check


@check(
    "extra719",
    severity="medium",
    remediation="Create a log group in us-east-1 with a resource policy for route53.amazonaws.com and attach a query"
    " logging configuration.",
    command="aws route53 create-query-logging-config --hosted-zone-id ZONE --cloud-watch-logs-log-group-arn LOG_GROUP_ARN",
    url="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html",
)
def test_public_hosted_zone_logs_queries(public_hosted_zone: PublicHostedZone) -> str:
    """Public Route 53 hosted zones log DNS queries."""
    label, group = public_hosted_zone.label, public_hosted_zone.query_log_group
    assert group, f"{label} does not log queries"
    return f"{label} logs queries to {group}"
