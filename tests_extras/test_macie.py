"""Amazon Macie."""

import pytest

from fixtures.services.macie2 import NOT_ENABLED, MacieSession
from plugins.catalog import check


@check(
    "extra712",
    severity="low",
    remediation="Enable Macie where data buckets live, ideally through the organisation's delegated administrator.",
    command="aws macie2 enable-macie --status ENABLED",
    url="https://docs.aws.amazon.com/macie/latest/user/getting-started.html",
)
def test_macie_is_enabled(macie_session: MacieSession, *, only_regions_with_buckets: bool = True) -> str:
    """Amazon Macie is enabled."""
    found = f"Macie is {macie_session.state} in {macie_session.region}"
    if macie_session.state == NOT_ENABLED and only_regions_with_buckets and not macie_session.has_buckets:
        pytest.skip(f"{found}, which holds no bucket of the account")
    assert macie_session.state == "enabled", found
    return found
