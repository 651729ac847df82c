"""AWS Security Hub CSPM."""

from fixtures.services.securityhub import SecurityHub
from plugins.catalog import check


@check(
    "extra799",
    severity="high",
    remediation="Enable Security Hub CSPM with the AWS Foundational Security Best Practices standard in each region used.",
    command="aws securityhub enable-security-hub --enable-default-standards --region REGION",
    url="https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-settingup.html",
)
def test_security_hub_is_enabled(security_hub: SecurityHub, *, require_standard: bool = True) -> str:
    """Security Hub CSPM is enabled with at least one active standard."""
    region = security_hub.region
    assert security_hub.is_enabled, f"Security Hub CSPM is not enabled in {region}{security_hub.newer_hub}"
    if not require_standard:
        return f"Security Hub CSPM is enabled in {region}"
    others = f"; not active: {', '.join(security_hub.inactive_standards)}" if security_hub.inactive_standards else ""
    assert security_hub.active_standards, f"Security Hub CSPM is enabled in {region} without an active standard{others}"
    return f"Security Hub CSPM is enabled in {region} with {', '.join(security_hub.active_standards)}{others}"
