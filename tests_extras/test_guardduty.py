"""Amazon GuardDuty."""

from fixtures.services.guardduty import Detector
from plugins.catalog import check


@check(
    "extra713",
    severity="high",
    remediation="Enable GuardDuty in every region, centrally through the organisation where possible.",
    command="aws guardduty create-detector --enable --region REGION",
    url="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html",
)
def test_guardduty_is_enabled(detector: Detector) -> str:
    """GuardDuty is enabled."""
    found = f"{detector.label} is {detector.state}"
    assert detector.state == "enabled", found
    return found
