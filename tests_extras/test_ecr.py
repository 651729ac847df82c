"""Amazon ECR: repositories of the private registry."""

import pytest

from fixtures.services.ecr import UNSUCCESSFUL, WITHOUT_RESULT, Repository
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
    image = ecr_repository.newest_image
    if image is None:
        pytest.skip(f"{ecr_repository.label} has no {'scannable image' if ecr_repository.images else 'image'}")
    found = f"{ecr_repository.label}, newest image {image}"
    scan = ecr_repository.scan_of(image)
    if scan is None:
        if not ecr_repository.scanning.applies:
            pytest.skip(f"{found}: never scanned; {ecr_repository.scanning}")
        raise AssertionError(f"{found}: never scanned, although it should have been: {ecr_repository.scanning}")
    if scan.status in WITHOUT_RESULT:
        pytest.skip(f"{found}: {scan}")
    assert scan.status not in UNSUCCESSFUL, f"{found}: {scan}"
    serious = scan.at_least(min_severity_to_fail)
    assert not serious, f"{found}: {scan}; {min_severity_to_fail} and above: {sum(serious.values())}"
    return f"{found}: {scan}"
