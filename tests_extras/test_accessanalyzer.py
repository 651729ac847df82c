"""IAM Access Analyzer."""

from collections.abc import Sequence

from fixtures.services.accessanalyzer import EXTERNAL_ACCESS, Analyzers
from plugins.catalog import check

SHOWN = 5


@check(
    "extra769",
    severity="high",
    remediation="Create an account or organisation analyzer in each region, then archive the intended findings and"
    " remove the others.",
    command="aws accessanalyzer create-analyzer --analyzer-name default --type ACCOUNT --region REGION",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html",
)
def test_access_analyzer_has_no_findings(
    access_analyzers: Analyzers, *, analyzer_types: Sequence[str] = EXTERNAL_ACCESS, max_active_findings: int = 0
) -> str:
    """IAM Access Analyzer is active and has no open findings."""
    region, active = access_analyzers.region, access_analyzers.active(analyzer_types)
    wanted = " or ".join(analyzer_types)
    assert active.analyzers, (
        f"no active analyzer of type {wanted} in {region}; analyzers there: {access_analyzers.inventory}"
    )
    names = ", ".join(f"{one['name']} ({one['type']})" for one in active.analyzers)
    found = f"{names} in {region}: {len(active.findings)} active findings"
    more = ", ..." if len(active.resources) > SHOWN else ""
    shown = f" about {', '.join(active.resources[:SHOWN])}{more}" if active.resources else ""
    assert len(active.findings) <= max_active_findings, f"{found}{shown}"
    return f"{found}{shown}"
