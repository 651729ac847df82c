"""The checks of tests_extras/test_ecr.py."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fixtures.access.session import base_session
from fixtures.api.errors import ApiError
from fixtures.api.live import AwsBackend
from fixtures.services.ecr.repositories import ImageScan
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
CHECKS = ["extra765", "extra77", "extra776"]
WHERE = f"repository app in {REGION}"
GET_TYPE, GET_ENTRIES = "ecr:GetRegistryScanningConfiguration", "ecr:BatchGetRepositoryScanningConfiguration"


def failure(operation: str, code: str, reason: str = "for some reason") -> ApiError:
    """The error of an ECR operation."""
    return ApiError("ecr", operation, code, reason)


def repository(name: str = "app", on_push: bool | None = None) -> dict[str, Any]:
    """A repository as DescribeRepositories gives it."""
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
    scanning = {} if on_push is None else {"imageScanningConfiguration": {"scanOnPush": on_push}}
    return {"repositoryName": name, "repositoryArn": arn, **scanning}


def run(audit: Audit, check: str, *repositories: dict[str, Any], settings: Any = None, **more: Stub) -> dict[str, str]:
    """The check's findings on these repositories; further answers by operation."""
    answers = {
        "ecr:DescribeRepositories": {"repositories": list(repositories)},
        **{f"ecr:{operation}": answer for operation, answer in more.items()},
    }
    return audit(check, regions=[REGION], live=False, answers=answers, **(settings or {}))


# -- what all repository checks have in common -----------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS)
def test_without_repositories(audit: Audit, check: str) -> None:
    nothing = {ACCOUNT: f"INFO: no ecr repository to check in {REGION}"}
    assert run(audit, check) == nothing
    unsubscribed = failure("DescribeRepositories", "SubscriptionRequiredException")
    assert run(audit, check, DescribeRepositories=unsubscribed) == nothing
    denied = run(audit, check, DescribeRepositories=access_denied("ecr", "DescribeRepositories"))
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(
        f"ERROR: access denied in {REGION}: ecr:DescribeRepositories is needed"
    )


# -- scanning --------------------------------------------------------------------------------------------------------


def entry(name: str = "app", frequency: str | None = None, *filters: str, on_push: bool = False) -> dict[str, Any]:
    """What BatchGetRepositoryScanningConfiguration says of a repository."""
    applied = [{"filter": one, "filterType": "WILDCARD"} for one in filters]
    said = {"repositoryName": name, "scanOnPush": on_push, "appliedScanFilters": applied}
    return said | ({} if frequency is None else {"scanFrequency": frequency})


def rules(scan_type: str, *entries: dict[str, Any], failures: Any = ()) -> dict[str, Stub]:
    """The answers of both registry operations."""
    return {
        "GetRegistryScanningConfiguration": {"scanningConfiguration": {"scanType": scan_type, "rules": []}},
        "BatchGetRepositoryScanningConfiguration": {
            "scanningConfigurations": list(entries),
            "failures": list(failures),
        },
    }


MANUAL = "frequency MANUAL, no filter matches"
NOT_SCANNED = f"FAIL: {WHERE} does not scan images when they are pushed: scan type"


@pytest.mark.parametrize(
    ("on_push", "answers", "verdict"),
    [
        (True, rules("BASIC", entry("app", "MANUAL")), f"PASS: {WHERE}: scan type BASIC, frequency SCAN_ON_PUSH, by its own setting"),
        (False, rules("BASIC", entry("app", "MANUAL")), f"{NOT_SCANNED} BASIC, {MANUAL}"),
        (None, rules("BASIC", entry("app")), f"{NOT_SCANNED} BASIC, {MANUAL}"),
        (False, rules("ENHANCED", entry("app", "CONTINUOUS_SCAN", "*")), f"PASS: {WHERE}: scan type ENHANCED, frequency CONTINUOUS_SCAN, by filter *"),
        (False, rules("ENHANCED", entry("app", "SCAN_ON_PUSH", "a*", "ap*")), f"PASS: {WHERE}: scan type ENHANCED, frequency SCAN_ON_PUSH, by filter a*, ap*"),
        (True, rules("ENHANCED", entry("app", "MANUAL")), f"{NOT_SCANNED} ENHANCED, {MANUAL}"),
        (True, rules("ENHANCED", entry("app")), f"{NOT_SCANNED} ENHANCED, {MANUAL}"),
        (True, rules("ENHANCED", entry("app", "MANUAL", on_push=True)), f"{NOT_SCANNED} ENHANCED, {MANUAL}"),
        (False, rules("BASIC", entry("app", "SCAN_ON_PUSH", "*")), f"PASS: {WHERE}: scan type BASIC, frequency SCAN_ON_PUSH, by filter *"),
        (False, rules("BASIC", entry("app", "MANUAL", on_push=True)), f"PASS: {WHERE}: scan type BASIC, frequency SCAN_ON_PUSH, by its own setting"),
    ],
)  # fmt: skip
def test_extra765(audit: Audit, on_push: bool | None, answers: dict[str, Stub], verdict: str) -> None:
    assert run(audit, "extra765", repository("app", on_push), **answers) == {"app": verdict}


def test_extra765_by_filter(audit: Audit) -> None:
    entries = entry("prod-api", "CONTINUOUS_SCAN", "prod-*"), entry("dev-api", "MANUAL")
    found = run(audit, "extra765", repository("prod-api"), repository("dev-api"), **rules("ENHANCED", *entries))
    assert list(found) == ["prod-api", "dev-api"]
    assert found["prod-api"].startswith("PASS: ") and "by filter prod-*" in found["prod-api"]
    assert found["dev-api"].startswith("FAIL: ") and "no filter matches" in found["dev-api"]


def test_extra765_asks_for_twenty_five_at_a_time(audit: Audit) -> None:
    names = [f"r{number:02}" for number in range(60)]
    answers = rules("BASIC")
    answers["BatchGetRepositoryScanningConfiguration"] = lambda params: {
        "scanningConfigurations": [entry(name, "MANUAL") for name in params["repositoryNames"]], "failures": [],
    }  # fmt: skip
    found = run(audit, "extra765", *map(repository, names), **answers)
    assert list(found) == names
    assert {text[:5] for text in found.values()} == {"FAIL:"}
    batches = [params["repositoryNames"] for _, _, _, params in audit.backend.calls if params.get("repositoryNames")]
    assert sorted(batches) == [names[:25], names[25:50], names[50:]]
    assert [operation for _, _, operation, _ in audit.backend.calls].count("GetRegistryScanningConfiguration") == 1


NO_TYPE = access_denied("ecr", "GetRegistryScanningConfiguration")
NO_ENTRIES = access_denied("ecr", "BatchGetRepositoryScanningConfiguration")
DISABLED = "The registry scanning feature is disabled."


@pytest.mark.parametrize(
    ("on_push", "scan_type", "entries", "verdict"),
    [
        # Nothing of the registry can be read: its own setting, when on, decides.
        (True, NO_TYPE, NO_ENTRIES, f"PASS: {WHERE}: scan type unknown, frequency SCAN_ON_PUSH, by its own setting (the registry's rules are not known: access denied in {REGION}: {GET_ENTRIES} is needed"),
        (False, NO_TYPE, NO_ENTRIES, f"ERROR: access denied in {REGION}: {GET_ENTRIES} is needed"),
        # The rules cannot be read, the scan type can.
        (True, "BASIC", NO_ENTRIES, f"PASS: {WHERE}: scan type BASIC, frequency SCAN_ON_PUSH, by its own setting"),
        (False, "BASIC", NO_ENTRIES, f"ERROR: access denied in {REGION}: {GET_ENTRIES} is needed"),
        (True, "ENHANCED", NO_ENTRIES, f"ERROR: access denied in {REGION}: {GET_ENTRIES} is needed"),
        # The scan type cannot be read, the rules can.
        (False, NO_TYPE, entry("app", "CONTINUOUS_SCAN", "*"), f"PASS: {WHERE}: scan type unknown, frequency CONTINUOUS_SCAN, by filter *"),
        (False, NO_TYPE, entry("app", "MANUAL"), f"{NOT_SCANNED} unknown, {MANUAL}"),
        (True, NO_TYPE, entry("app", "MANUAL"), f"ERROR: access denied in {REGION}: {GET_TYPE} is needed"),
        # A registry without the feature.
        (True, failure("G", "ValidationException", DISABLED), failure("B", "ValidationException", DISABLED), f"PASS: {WHERE}: scan type BASIC, frequency SCAN_ON_PUSH, by its own setting"),
        (False, failure("G", "ValidationException", DISABLED), failure("B", "ValidationException", DISABLED), f"{NOT_SCANNED} BASIC, {MANUAL}"),
        # Any other failure.
        (True, failure("G", "ValidationException", "no"), entry("app", "MANUAL"), f"ERROR: {GET_TYPE} failed in {REGION}"),
        (True, "BASIC", failure("B", "ValidationException", "no"), f"ERROR: {GET_ENTRIES} failed in {REGION}"),
        (True, failure("G", "ThrottlingException"), NO_ENTRIES, f"ERROR: {GET_TYPE} was throttled"),
        (True, "BASIC", failure("B", "ServerException"), f"ERROR: {GET_ENTRIES} failed in {REGION}"),
        (True, "BASIC", failure("B", "RepositoryNotFoundException"), f"INFO: {WHERE} was deleted during the audit"),
        (True, "BASIC", entry("another", "MANUAL"), f"ERROR: {GET_ENTRIES} failed in {REGION}: UnexpectedAnswer: nothing is said of app"),
    ],
)  # fmt: skip
def test_extra765_with_errors(audit: Audit, on_push: bool, scan_type: Any, entries: Any, verdict: str) -> None:
    answers = {**rules("BASIC" if isinstance(scan_type, Exception) else scan_type, entries)}
    if isinstance(scan_type, Exception):
        answers["GetRegistryScanningConfiguration"] = scan_type
    if isinstance(entries, Exception):
        answers["BatchGetRepositoryScanningConfiguration"] = entries
    found = run(audit, "extra765", repository("app", on_push), **answers)
    assert list(found) == ["app"]
    assert found["app"].startswith(verdict)


def test_extra765_deleted_meanwhile(audit: Audit) -> None:
    missing = {"repositoryName": "app", "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": "gone"}
    answers = rules("BASIC", entry("other", "SCAN_ON_PUSH", "*"), failures=[missing])
    found = run(audit, "extra765", repository("app"), repository("other"), **answers)
    assert found["app"] == f"INFO: {WHERE} was deleted during the audit"
    assert found["other"].startswith("PASS: ")
    unknown = rules("BASIC", failures=[{**missing, "failureCode": Undocumented("NEW_CODE")}])
    assert run(audit, "extra765", repository("app"), **unknown)["app"].startswith("ERROR: ")

    def refused(params: dict[str, Any]) -> Any:
        if "app" in params["repositoryNames"]:
            return failure("BatchGetRepositoryScanningConfiguration", "RepositoryNotFoundException")
        return {"scanningConfigurations": [entry(name, "SCAN_ON_PUSH", "*") for name in params["repositoryNames"]]}

    answers = {**rules("BASIC"), "BatchGetRepositoryScanningConfiguration": refused}
    found = run(audit, "extra765", repository("app"), repository("other"), **answers)
    assert found["app"] == f"INFO: {WHERE} was deleted during the audit"
    assert found["other"].startswith("PASS: "), "the neighbour in the batch is looked at all the same"


# -- access ----------------------------------------------------------------------------------------------------------


def allow(principal: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement of a repository policy; further elements as keywords, None removes one."""
    elements = {"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", **more}
    return {name: value for name, value in elements.items() if value is not None}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """GetRepositoryPolicy's answer; a single statement stands alone, not in a list."""
    document = {"Version": "2012-10-17", "Statement": statements[0] if len(statements) == 1 else statements}
    return {"repositoryName": "app", "policyText": json.dumps(document)}


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    """The policy of a statement for everyone with one condition."""
    return policy(allow(Condition={operator: {key: value}}))


NO_POLICY = failure("GetRepositoryPolicy", "RepositoryPolicyNotFoundException")
PRIVATE = f"PASS: {WHERE} has a policy that is not public"
PUBLIC = f"FAIL: {WHERE} admits everyone: statement number 1 allows ecr:BatchGetImage to Principal *"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (NO_POLICY, f"PASS: {WHERE} has no policy"),
        (policy(allow()), f"{PUBLIC} [neither pushing images nor changing the policy]"),
        (policy(allow({"AWS": ["arn:aws:iam::111122223333:root", "*"]})), "FAIL: "),
        (policy(allow(None, NotPrincipal={"AWS": "111122223333"})), "FAIL: "),
        (policy(allow({"AWS": "arn:aws:iam::111122223333:root"})), PRIVATE),
        (when("StringEquals", "aws:PrincipalOrgID", "o-abc"), PRIVATE),
        (when("StringLike", "aws:PrincipalOrgID", "*"), f"{PUBLIC} (conditions: aws:PrincipalOrgID)"),
        (when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), f"{PUBLIC} (conditions: aws:SourceIp)"),
        (when("IpAddress", "aws:SourceIp", "203.0.113.0/24"), PRIVATE),
        (policy(allow({"Service": "lambda.amazonaws.com"})), PRIVATE),
        (policy(allow(Effect="Deny")), PRIVATE),
        ({"policyText": "{"}, "ERROR: "),
        ({"policyText": ""}, "ERROR: "),
        (access_denied("ecr", "GetRepositoryPolicy"), f"ERROR: access denied in {REGION}: ecr:GetRepositoryPolicy is needed"),
        (failure("GetRepositoryPolicy", "ServerException"), "ERROR: ecr:GetRepositoryPolicy failed"),
        (failure("GetRepositoryPolicy", "RepositoryNotFoundException"), f"INFO: {WHERE} was deleted during the audit"),
        (failure("GetRepositoryPolicy", "SubscriptionRequiredException"), f"INFO: {WHERE}: the account is not subscribed"),
    ],
)  # fmt: skip
def test_extra77(audit: Audit, answer: Stub, verdict: str) -> None:
    found = run(audit, "extra77", repository(), GetRepositoryPolicy=answer)
    assert list(found) == ["app"]
    assert found["app"].startswith(verdict)


def test_extra77_names_the_open_statements(audit: Audit) -> None:
    scoped = allow(Sid="scoped", Action="ecr:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc"}})
    answer = policy(
        scoped, allow(Sid="open", Action=["ecr:Put*", "ecr:BatchGetImage"]), allow({"AWS": "*"}, Sid="all", Action="*")
    )
    assert run(audit, "extra77", repository(), GetRepositoryPolicy=answer)["app"] == (
        f"FAIL: {WHERE} admits everyone: statement open allows ecr:Put*, ecr:BatchGetImage to Principal *"
        " [includes pushing images]; statement all allows * to Principal AWS *"
        " [includes pushing images and changing the policy]"
    )


@pytest.mark.parametrize(
    ("elements", "gravity"),
    [
        ({"Action": "ecr:putimage"}, "includes pushing images"),
        ({"Action": ["ecr:Get*", "ecr:UploadLayer????"]}, "includes pushing images"),
        ({"Action": "ecr:SetRepositoryPolicy"}, "includes changing the policy"),
        ({"Action": "ecr:Get*"}, "neither pushing images nor changing the policy"),
        ({"Action": None, "NotAction": "ecr:Get*"}, "includes pushing images and changing the policy"),
        ({"Action": None, "NotAction": ["ecr:*RepositoryPolicy"]}, "includes pushing images"),
        ({"Action": None, "NotAction": "*"}, "neither pushing images nor changing the policy"),
    ],
)
def test_extra77_gravity(audit: Audit, elements: dict[str, Any], gravity: str) -> None:
    found = run(audit, "extra77", repository(), GetRepositoryPolicy=policy(allow(**elements)))["app"]
    assert found.startswith("FAIL: ") and found.endswith(f"[{gravity}]")


@pytest.mark.parametrize(
    ("cidr", "settings", "status"),
    [
        ("52.95.110.0/24", {"min_prefix_length_ipv4": 28}, "FAIL"),
        ("128.0.0.0/1", {}, "FAIL"),
        ("128.0.0.0/1", {"min_prefix_length_ipv4": 1}, "PASS"),
        ("2600:1f00::/32", {}, "PASS"),
        ("2600:1f00::/32", {"min_prefix_length_ipv6": 48}, "FAIL"),
    ],
)
def test_extra77_limits(audit: Audit, cidr: str, settings: dict[str, int], status: str) -> None:
    answer = when("IpAddress", "aws:SourceIp", cidr)
    found = run(audit, "extra77", repository(), settings=settings, GetRepositoryPolicy=answer)
    assert found["app"].startswith(f"{status}: ")


# -- images ----------------------------------------------------------------------------------------------------------

START = datetime(2026, 3, 1, tzinfo=UTC)
OCI, DOCKER = "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE = "application/vnd.cncf.notary.signature"


def image(day: int, *tags: str, **more: Any) -> dict[str, Any]:
    """An image pushed on that day of March, with the digest ``sha256:<day>``."""
    tagged = {"imageTags": list(tags)} if tags else {}
    pushed = START + timedelta(days=day - 1)
    return {"imageDigest": f"sha256:{day}", "imagePushedAt": pushed, "imageManifestMediaType": OCI, **tagged, **more}


def scanned(status: str, **counts: int) -> dict[str, Any]:
    """DescribeImageScanFindings' answer."""
    return {"imageScanStatus": {"status": status}, "imageScanFindings": {"findingSeverityCounts": counts}}


def images(
    audit: Audit, *found: dict[str, Any], scans: Any, on_push: bool = False, settings: Any = None, **more: Stub
) -> str:
    """extra776's finding on a repository of these images; ``scans``: digest -> scan, or the scan of all."""
    answers: dict[str, Stub] = {
        **rules("BASIC", entry("app", "MANUAL")),
        "DescribeImages": {"imageDetails": list(found)},
        "DescribeImageScanFindings": lambda params: (
            scans.get(params["imageId"]["imageDigest"], scans) if isinstance(scans, dict) else scans
        ),
        **more,
    }
    verdicts = run(audit, "extra776", repository("app", on_push), settings=settings, **answers)
    assert list(verdicts) == ["app"]
    return verdicts["app"]


NEWEST = f"{WHERE}, newest image sha256:2 (v2, pushed 2026-03-02)"
NEVER_SCANNED = failure("DescribeImageScanFindings", "ScanNotFoundException")
LOW = {"min_severity_to_fail": "LOW"}
NO_RESULT = ["IN_PROGRESS", "PENDING", "UNSUPPORTED_IMAGE", "FINDINGS_UNAVAILABLE", "LIMIT_EXCEEDED", "IMAGE_SIZE_EXCEEDED", "IMAGE_ARCHIVED"]  # fmt: skip


@pytest.mark.parametrize(
    ("scan", "settings", "verdict"),
    [
        (scanned("COMPLETE"), {}, f"PASS: {NEWEST}: scan COMPLETE, findings: none"),
        (scanned("COMPLETE", HIGH=0), {}, f"PASS: {NEWEST}: scan COMPLETE, findings: none"),
        (scanned("COMPLETE", HIGH=1), {}, f"FAIL: {NEWEST}: scan COMPLETE, findings: 1 HIGH; MEDIUM and above: 1"),
        (scanned("COMPLETE", MEDIUM=2, UNDEFINED=5, CRITICAL=1), {}, f"FAIL: {NEWEST}: scan COMPLETE, findings: 1 CRITICAL, 2 MEDIUM, 5 UNDEFINED; MEDIUM and above: 3"),
        (scanned("COMPLETE", LOW=4), {}, f"PASS: {NEWEST}: scan COMPLETE, findings: 4 LOW"),
        (scanned("COMPLETE", LOW=4), LOW, f"FAIL: {NEWEST}: scan COMPLETE, findings: 4 LOW; LOW and above: 4"),
        (scanned("COMPLETE", INFORMATIONAL=4, UNDEFINED=1), LOW, f"PASS: {NEWEST}: scan COMPLETE, findings: 4 INFORMATIONAL, 1 UNDEFINED"),
        (scanned("COMPLETE", HIGH=4), {"min_severity_to_fail": "CRITICAL"}, f"PASS: {NEWEST}: scan COMPLETE, findings: 4 HIGH"),
        (scanned("ACTIVE", CRITICAL=2), {}, f"FAIL: {NEWEST}: scan ACTIVE, findings: 2 CRITICAL; MEDIUM and above: 2"),
        (scanned("ACTIVE"), {}, f"PASS: {NEWEST}: scan ACTIVE, findings: none"),
        (scanned("FAILED"), {}, f"FAIL: {NEWEST}: scan FAILED"),
        (scanned("SCAN_ELIGIBILITY_EXPIRED"), {}, f"FAIL: {NEWEST}: scan SCAN_ELIGIBILITY_EXPIRED"),
        *((scanned(status), {}, f"INFO: {NEWEST}: scan {status}") for status in NO_RESULT),
        ({"imageScanStatus": {"status": "FAILED"}}, {}, f"FAIL: {NEWEST}: scan FAILED"),
        ({"imageScanStatus": {"status": "COMPLETE"}}, {}, "ERROR: ecr:DescribeImageScanFindings failed in eu-west-1: UnexpectedAnswer"),
        (scanned(Undocumented("SOMETHING_NEW")), {}, "ERROR: ecr:DescribeImageScanFindings failed in eu-west-1: UnexpectedAnswer: the scan status SOMETHING_NEW"),
        (failure("D", "ImageNotFoundException"), {}, f"INFO: image sha256:2 (v2, pushed 2026-03-02) of {WHERE} was deleted"),
        (failure("D", "RepositoryNotFoundException"), {}, "INFO: "),
        (failure("D", "ValidationException"), {}, "ERROR: ecr:DescribeImageScanFindings failed"),
        (access_denied("ecr", "D"), {}, f"ERROR: access denied in {REGION}: ecr:DescribeImageScanFindings is needed"),
    ],
)  # fmt: skip
def test_extra776(audit: Audit, scan: Stub, settings: dict[str, str], verdict: str) -> None:
    assert images(audit, image(1, "v1"), image(2, "v2"), scans=scan, settings=settings).startswith(verdict)


def test_extra776_severities() -> None:
    with pytest.raises(ValueError, match="'GRAVE' is no severity; there are CRITICAL, HIGH"):
        ImageScan("COMPLETE", {}).at_least("GRAVE")


def test_extra776_never_scanned(audit: Audit) -> None:
    unscanned = images(audit, image(2, "v2"), scans=NEVER_SCANNED, on_push=True)
    assert unscanned == (
        f"FAIL: {NEWEST}: never scanned, although it should have been: scan type BASIC, frequency SCAN_ON_PUSH,"
        " by its own setting"
    )
    without = images(audit, image(2, "v2"), scans=NEVER_SCANNED)
    assert without == f"INFO: {NEWEST}: never scanned; scan type BASIC, {MANUAL}"
    unknown = images(audit, image(2, "v2"), scans=NEVER_SCANNED, BatchGetRepositoryScanningConfiguration=NO_ENTRIES)
    assert unknown.startswith(f"ERROR: access denied in {REGION}: {GET_ENTRIES} is needed")


CLEAN_THEN_BAD = {"sha256:1": scanned("COMPLETE"), "sha256:2": scanned("COMPLETE", HIGH=1)}


def test_extra776_newest_decides(audit: Audit) -> None:
    for order in (1, -1):
        listed = [image(1, "v1"), image(2, "v2")][::order]
        assert images(audit, *listed, scans=CLEAN_THEN_BAD).startswith(f"FAIL: {NEWEST}")
    patched = {"sha256:1": scanned("COMPLETE", HIGH=1), "sha256:2": scanned("COMPLETE")}
    assert images(audit, image(2, "v2"), image(1, "v1"), scans=patched).startswith(f"PASS: {NEWEST}")
    asked = [params for _, _, operation, params in audit.backend.calls if operation == "DescribeImageScanFindings"]
    assert asked == [{"repositoryName": "app", "imageId": {"imageDigest": "sha256:2"}}]


def test_extra776_newest_on_the_second_page(audit: Audit) -> None:
    backend = AwsBackend(base_session(""), ACCOUNT)
    with Stubber(backend.client("ecr", REGION)) as pages:
        pages.add_response("describe_images", {"imageDetails": [image(1, "v1")], "nextToken": "more"})
        pages.add_response("describe_images", {"imageDetails": [image(2, "v2")]})
        found = images(
            audit, scans=CLEAN_THEN_BAD,
            DescribeImages=lambda params: backend.call(REGION, "ecr", "DescribeImages", params),
        )  # fmt: skip
        pages.assert_no_pending_responses()
    assert found.startswith(f"FAIL: {NEWEST}")


@pytest.mark.parametrize(
    "attachment",
    [
        image(3, artifactMediaType=SIGNATURE),
        image(3, f"sha256-{'0f' * 32}.sig", artifactMediaType=IMAGE_CONFIG),
        image(3, f"sha256-{'0f' * 32}.att"),
        image(3, f"sha256-{'0f' * 32}.sbom"),
        image(3, artifactMediaType=IMAGE_CONFIG, subjectManifestDigest="sha256:2"),
        image(3, f"sha256-{'0f' * 32}", imageManifestMediaType="application/vnd.oci.image.index.v1+json"),
        image(3, "chart", artifactMediaType="application/vnd.cncf.helm.config.v1+json"),
    ],
)
def test_extra776_attachments_are_no_images(audit: Audit, attachment: dict[str, Any]) -> None:
    assert images(audit, attachment, image(1, "v1"), image(2, "v2"), scans=CLEAN_THEN_BAD).startswith(f"FAIL: {NEWEST}")
    assert images(audit, attachment, scans=scanned("COMPLETE")) == f"INFO: {WHERE} has no scannable image"


@pytest.mark.parametrize(
    ("newest", "named"),
    [
        (image(2), "sha256:2 (untagged, pushed 2026-03-02)"),
        (image(2, "v2", "latest", artifactMediaType=IMAGE_CONFIG), "sha256:2 (v2, pushed"),
        (image(2, "v2", artifactMediaType="application/vnd.docker.container.image.v1+json", imageManifestMediaType=DOCKER), "sha256:2 (v2"),
        (image(2, f"sha256-{'0f' * 32}.sig", "latest"), f"sha256:2 (sha256-{'0f' * 32}.sig"),
        (image(2, "sha256-of-something.sig"), "sha256:2 (sha256-of-something.sig"),
    ],
)  # fmt: skip
def test_extra776_images(audit: Audit, newest: dict[str, Any], named: str) -> None:
    found = images(audit, newest, image(1, "v1"), scans=CLEAN_THEN_BAD)
    assert found.startswith(f"FAIL: {WHERE}, newest image {named}")


INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
LARGE = 50_000_000


def pushed(second: float, letter: str, *tags: str, size: int | None = LARGE, **more: Any) -> dict[str, Any]:
    """An image pushed at that second of a build, with the digest ``sha256:<letter>``."""
    sized = {} if size is None else {"imageSizeInBytes": size}
    when = START + timedelta(days=2, seconds=second)
    return image(1, *tags, **{"imageDigest": f"sha256:{letter}", "imagePushedAt": when, **sized, **more})


def index(
    second: float, letter: str = "i", tag: str = "v1", kind: str = INDEX, size: int | None = LARGE
) -> dict[str, Any]:
    """An index pushed at that second."""
    return pushed(second, letter, tag, size=size, imageManifestMediaType=kind)


CLEAN, HIGH, FAILED = scanned("COMPLETE"), scanned("COMPLETE", HIGH=3), scanned("FAILED")
ATTESTED = (pushed(0, "a", artifactMediaType=IMAGE_CONFIG), pushed(1, "b", size=1500, artifactMediaType=IMAGE_CONFIG))
TWO = (pushed(0, "a"), pushed(1, "b"))
JOINS = f"{WHERE}, newest image sha256:i (v1, pushed 2026-03-03), an index: whoever pulls it gets one of its images, the worst counts"
IMAGE_A, IMAGE_B = "sha256:a (untagged, pushed 2026-03-03)", "sha256:b (untagged, pushed 2026-03-03)"
UNTOLD = f"{WHERE}, newest image sha256:i (v1, pushed 2026-03-03), an index whose images cannot be told by the time of their push"


@pytest.mark.parametrize(
    ("found", "scans", "verdict"),
    [
        # BuildKit: an image and its attestation, which cannot be scanned
        ((*ATTESTED, index(2)), {"sha256:a": CLEAN, "sha256:b": FAILED}, f"PASS: {JOINS}: {IMAGE_A}: scan COMPLETE, findings: none"),
        ((*ATTESTED, index(2)), {"sha256:a": CLEAN, "sha256:b": scanned("UNSUPPORTED_IMAGE")}, f"PASS: {JOINS}: {IMAGE_A}: scan COMPLETE"),
        ((*ATTESTED, index(2)), {"sha256:a": CLEAN, "sha256:b": NEVER_SCANNED}, f"PASS: {JOINS}: {IMAGE_A}: scan COMPLETE"),
        ((*ATTESTED, index(2)), {"sha256:a": HIGH, "sha256:b": FAILED}, f"FAIL: {JOINS}: {IMAGE_A}: scan COMPLETE, findings: 3 HIGH; MEDIUM and above: 3"),
        # what failed beside an image without a result, or is not tiny, is no attestation
        ((*ATTESTED, index(2)), {"sha256:a": FAILED, "sha256:b": FAILED}, f"FAIL: {JOINS}: {IMAGE_A}: scan FAILED, findings: none; {IMAGE_B}: scan FAILED"),
        ((*TWO, index(2)), {"sha256:a": CLEAN, "sha256:b": FAILED}, f"FAIL: {JOINS}: {IMAGE_A}: scan COMPLETE, findings: none; {IMAGE_B}: scan FAILED"),
        # several platforms: the worst counts, whichever was pushed last
        ((*TWO, index(2)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"FAIL: {JOINS}: {IMAGE_A}: scan COMPLETE, findings: 3 HIGH; MEDIUM and above: 3; {IMAGE_B}: scan COMPLETE, findings: none"),
        ((*TWO, index(2)), {"sha256:a": CLEAN, "sha256:b": HIGH}, f"FAIL: {JOINS}: "),
        ((*TWO, index(2, kind=LIST)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"FAIL: {JOINS}: "),
        ((*TWO, index(1)), {"sha256:a": CLEAN, "sha256:b": CLEAN}, f"PASS: {JOINS}: "),
        ((*TWO, index(2)), {"sha256:a": CLEAN, "sha256:b": scanned("PENDING")}, f"INFO: {JOINS}: "),
        ((*TWO, index(2)), {"sha256:a": CLEAN, "sha256:b": NEVER_SCANNED}, f"INFO: {JOINS}: {IMAGE_A}: scan COMPLETE, findings: none; {IMAGE_B}: never scanned; "),
        # images of the index before, of other tags, and too long ago
        ((*TWO, index(2, "h", "v0"), pushed(3, "c"), index(4)), {"sha256:a": HIGH, "sha256:b": HIGH, "sha256:c": CLEAN}, f"PASS: {JOINS}: sha256:c "),
        ((pushed(0, "a", "dev"), pushed(1, "b"), index(2)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"PASS: {JOINS}: {IMAGE_B}"),
        ((pushed(-1000, "a"), pushed(1, "b"), index(2)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"PASS: {JOINS}: {IMAGE_B}"),
        # images with tags of their own, joined by hand
        ((pushed(0, "a", "v1-amd64"), pushed(1, "b", "v1-arm64"), index(2)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"FAIL: {JOINS}: sha256:a (v1-amd64"),
        # an index is as large as its largest image: that one has not changed
        ((pushed(-9000, "a"), pushed(1, "b", size=20_000_000), index(2)), {"sha256:a": HIGH, "sha256:b": CLEAN}, f"FAIL: {JOINS}: sha256:b"),
        # cannot be told: the newest image before it is judged, but never passes
        ((pushed(1, "b", size=20_000_000), index(2)), {"sha256:b": CLEAN}, f"INFO: {UNTOLD}: {IMAGE_B}: scan COMPLETE, findings: none"),
        ((pushed(-9000, "a", size=None), index(2, size=None)), {"sha256:a": CLEAN}, f"INFO: {UNTOLD}: "),
        ((pushed(-9000, "a", size=None), index(2, size=None)), {"sha256:a": HIGH}, f"FAIL: {UNTOLD}: "),
        ((index(2),), {}, f"INFO: {WHERE} has no scannable image"),
        # pushed after the index, by itself
        ((*TWO, index(2), pushed(3, "c", "v2")), {"sha256:a": HIGH, "sha256:b": HIGH, "sha256:c": CLEAN}, f"PASS: {WHERE}, newest image sha256:c (v2, pushed 2026-03-03): scan"),
    ],
)  # fmt: skip
def test_extra776_images_of_an_index(audit: Audit, found: tuple[Any, ...], scans: dict[str, Any], verdict: str) -> None:
    for listed in (found, found[::-1]):
        assert images(audit, *listed, scans=scans).startswith(verdict)


def test_extra776_without_images(audit: Audit) -> None:
    empty = images(audit, scans=scanned("COMPLETE"))
    assert empty == f"INFO: {WHERE} has no image"
    for code in ("RepositoryNotFoundException", "ImageNotFoundException"):
        gone = images(audit, scans={}, DescribeImages=failure("DescribeImages", code))
        assert gone == f"INFO: {WHERE} was deleted during the audit"
    denied = images(audit, scans={}, DescribeImages=access_denied("ecr", "DescribeImages"))
    assert denied.startswith(f"ERROR: access denied in {REGION}: ecr:DescribeImages is needed")


# -- against the emulator --------------------------------------------------------------------------------------------


def push(ecr: Any, name: str) -> str:
    """Push an image; its digest."""
    layer = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": layer}
    layers = [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1, "digest": layer}]
    manifest = {"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": layers}
    answer = ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag="latest")
    return str(answer["image"]["imageId"]["imageDigest"])


@pytest.mark.usefixtures("moto")
def test_extra765_and_extra77_and_extra776_in_the_emulator(audit: Audit) -> None:
    ecr = boto3.client("ecr", REGION)
    for name in ("prod-api", "dev-api", "flagged", "empty"):
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": name == "flagged"})

    def statuses(check: str) -> dict[str, str]:
        return {name: text.partition(":")[0] for name, text in audit(check, regions=[REGION]).items()}

    assert statuses("extra765") == {"prod-api": "FAIL", "dev-api": "FAIL", "flagged": "PASS", "empty": "FAIL"}
    rule = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "prod-*", "filterType": "WILDCARD"}]}
    ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
    assert statuses("extra765") == {"prod-api": "PASS", "dev-api": "FAIL", "flagged": "FAIL", "empty": "FAIL"}

    ecr.set_repository_policy(repositoryName="dev-api", policyText=policy(allow())["policyText"])
    narrow = when("StringEquals", "aws:PrincipalOrgID", "o-abc")["policyText"]
    ecr.set_repository_policy(repositoryName="flagged", policyText=narrow)
    assert statuses("extra77") == {"prod-api": "PASS", "dev-api": "FAIL", "flagged": "PASS", "empty": "PASS"}

    for name in ("prod-api", "dev-api", "flagged"):
        push(ecr, name)
    digest = ecr.describe_images(repositoryName="flagged")["imageDetails"][0]["imageDigest"]
    ecr.start_image_scan(repositoryName="flagged", imageId={"imageDigest": digest})
    found = audit("extra776", regions=[REGION])
    assert found["prod-api"].startswith("FAIL: ") and "never scanned, although" in found["prod-api"]
    assert found["dev-api"].startswith("INFO: ") and "never scanned; scan type ENHANCED" in found["dev-api"]
    assert found["flagged"].startswith("FAIL: ") and "scan COMPLETE, findings: 1 HIGH" in found["flagged"]
    assert found["empty"] == f"INFO: repository empty in {REGION} has no image"
