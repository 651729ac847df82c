"""Amazon ECR: repositories of the private registry."""

import pytest

from fixtures.services.ecr.repositories import UNSUCCESSFUL, WITHOUT_RESULT, ImageScan, Repository
from plugins.catalog import check
from plugins.catalog.checks import CVE, NETWORK_REACHABILITY

SCANNING = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"


@check(
    "extra765",
    severity="medium",
    finding_type=CVE,
    remediation="Define a registry scanning rule, preferably enhanced scanning, that covers the repository.",
    command="aws ecr put-registry-scanning-configuration --scan-type BASIC --rules"
    """ '[{"scanFrequency":"SCAN_ON_PUSH","repositoryFilters":[{"filter":"*","filterType":"WILDCARD"}]}]'""",
    url=SCANNING,
)
def test_repository_scans_images_on_push(ecr_repository: Repository) -> str:
    """ECR repositories scan images when they are pushed."""
    scanning = ecr_repository.scanning
    assert scanning.applies, f"{ecr_repository.label} does not scan images when they are pushed: {scanning}"
    return f"{ecr_repository.label}: {scanning}"


@check(
    "extra77",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Replace the wildcard principal by the accounts that pull images, or limit it with aws:PrincipalOrgID.",
    command="aws ecr set-repository-policy --repository-name NAME --policy-text file://restricted-policy.json",
    url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
)
def test_repository_policy_is_not_public(
    ecr_repository: Repository, *, min_prefix_length_ipv4: int = 8, min_prefix_length_ipv6: int = 32
) -> str:
    """ECR repository policies do not admit every AWS principal."""
    public = ecr_repository.public_statements(
        min_prefix_length_ipv4=min_prefix_length_ipv4, min_prefix_length_ipv6=min_prefix_length_ipv6
    )
    assert not public, f"{ecr_repository.label} admits everyone: {'; '.join(public)}"
    return f"{ecr_repository.label} has {'a policy that is not public' if ecr_repository.policy else 'no policy'}"


@check(
    "extra776",
    severity="medium",
    finding_type=CVE,
    remediation="Rebuild the image on a patched base, push it and let it be scanned again; remove vulnerable tags from"
    " use.",
    url=SCANNING,
)
def test_newest_image_has_no_serious_findings(
    ecr_repository: Repository, *, min_severity_to_fail: str = "MEDIUM"
) -> str:
    """Newest image of each ECR repository has no serious scan findings."""
    newest = ecr_repository.newest_image
    if newest is None:
        pytest.skip(f"{ecr_repository.label} has no {'scannable image' if ecr_repository.images else 'image'}")
    verdicts = [
        (image, *_judged(ecr_repository, scan, min_severity_to_fail)) for image, scan in ecr_repository.scans_of(newest)
    ]
    statuses = {status for _, status, _ in verdicts}
    words = [f"{image}: {words}" if newest.entry.is_index else words for image, _, words in verdicts]
    found = f"{ecr_repository.label}, newest image {newest}: {'; '.join(words)}"
    assert "FAIL" not in statuses, found
    if "INFO" in statuses or not newest.is_certain:
        pytest.skip(found)
    return found


def _judged(repository: Repository, scan: ImageScan | None, min_severity: str) -> tuple[str, str]:
    """What the scan of an image says: FAIL, INFO or PASS, and why. Raises ApiError."""
    if scan is None:
        if repository.scanning.applies:
            return "FAIL", f"never scanned, although it should have been: {repository.scanning}"
        return "INFO", f"never scanned; {repository.scanning}"
    if scan.status in WITHOUT_RESULT:
        return "INFO", str(scan)
    if scan.status in UNSUCCESSFUL:
        return "FAIL", str(scan)
    serious = scan.at_least(min_severity)
    return ("FAIL", f"{scan}; {min_severity} and above: {sum(serious.values())}") if serious else ("PASS", str(scan))
