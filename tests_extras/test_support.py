"""AWS Support: Trusted Advisor."""

from collections.abc import Sequence

import pytest

from fixtures.services.support import TrustedAdvisorCheck, figures
from plugins.catalog import check


@check(
    "extra726",
    severity="medium",
    remediation="Open the flagged check in Trusted Advisor, fix or exclude the listed resources, and refresh it.",
    command="aws support describe-trusted-advisor-check-result --check-id ID --region us-east-1",
    url="https://docs.aws.amazon.com/awssupport/latest/user/trusted-advisor-check-reference.html",
)
def test_trusted_advisor_is_content(
    trusted_advisor_check: TrustedAdvisorCheck,
    *,
    fail_on_warning: bool = True,
    categories: Sequence[str] = (),
    batch_size: int = 100,
) -> str:
    """Trusted Advisor reports no errors or warnings."""
    if categories and trusted_advisor_check.category not in categories:
        pytest.skip(f"{trusted_advisor_check.label}: the category is not among {', '.join(categories)}")
    label = trusted_advisor_check.label
    summary = trusted_advisor_check.summary(categories, batch_size)
    if summary is None:
        pytest.skip(f"{label}: Trusted Advisor gives no summary")
    found = f"{label}: {figures(summary)}"
    if summary["status"] == "not_available" or (summary["status"] == "warning" and not fail_on_warning):
        pytest.skip(found)
    assert summary["status"] == "ok", found
    return found
