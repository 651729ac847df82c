"""json-asff: the AWS Security Finding Format, as a file and for the import into Security Hub.

Lengths and patterns are those of the Security Hub API reference (AwsSecurityFinding, Resource, Compliance, Note,
Recommendation) and of the Security Hub user guide ("AWS Security Finding Format (ASFF)").
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any, TypeAlias

from plugins.catalog.checks import BEST_PRACTICE_TYPE, Check
from plugins.compliance.frameworks import references_of
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status
from plugins.outputs.writer import Writer
from plugins.suite import version
from plugins.text import timestamp, visible

Asff: TypeAlias = dict[str, Any]

GENERATOR_PREFIX = "auditest-"
PRODUCT = "auditest"

LONGEST_ID = 512
LONGEST_TITLE = 256
LONGEST_DESCRIPTION = 1024
LONGEST_TEXT = 512
"""Of a recommendation and of a note."""
LONGEST_URL = 2048
LONGEST_REGION = 16
LONGEST_FIELD = 2048
LONGEST_REQUIREMENT = 64
LONGEST_TAG_KEY = 128
LONGEST_TAG_VALUE = 256
LONGEST_ARN = 2048
MOST_TAGS = 50
MOST_REQUIREMENTS = 32
MOST_BYTES = 240_000
"""Of one finding. AWS says 240 KB; this holds whichever way that is counted."""

NAMESPACES = (
    "Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications",
)  # fmt: skip
COMPLIANCE: dict[Status, str] = {"PASS": "PASSED", "FAIL": "FAILED", "WARNING": "WARNING"}
"""The statuses that become findings: INFO and ERROR say nothing about the resource's compliance."""
# Security Hub API reference, Resource: Partition has other names for the isolated partitions, and none for later ones.
PARTITIONS = {
    "aws": "aws", "aws-cn": "aws-cn", "aws-us-gov": "aws-us-gov", "aws-iso": "aws-us-iso", "aws-iso-b": "aws-us-iso-b",
}  # fmt: skip
BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")


class AsffWriter(Writer):
    """One array, one finding per line. INFO and ERROR are left out."""

    separator = ",\n"

    def head(self) -> str:
        return "[\n"

    def write(self, finding: Finding) -> None:
        if finding.status in COMPLIANCE:
            super().write(finding)

    def render(self, finding: Finding) -> str:
        return json.dumps(asff(finding), separators=(",", ":"))

    def tail(self) -> str:
        return "\n]\n"


def asff(finding: Finding) -> Asff:
    """A PASS, FAIL or WARNING finding in the AWS Security Finding Format, small enough to be imported.

    Raises KeyError for INFO and ERROR, which have no place in it.
    """
    status = COMPLIANCE[finding.status]
    check = finding.check
    time = timestamp(finding.timestamp)
    constant = _constant(check)
    severity = {"Label": "INFORMATIONAL" if status == "PASSED" else check.severity.upper(), "Original": check.severity}
    result: Asff = {
        "SchemaVersion": "2018-10-08",
        "Id": line(finding.id, LONGEST_ID),
        "ProductArn": product_arn(finding.partition, finding.region, finding.account),
        "ProductName": PRODUCT,
        "GeneratorId": generator_of(check),
        "AwsAccountId": finding.account,
        "Types": constant["Types"],
        "FirstObservedAt": time,
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": severity,
        "Title": constant["Title"],
        "Description": line(finding.message, LONGEST_DESCRIPTION) or constant["Title"],
        "ProductFields": _product_fields(finding),
        "Resources": [_resource(finding)],
        "Compliance": {"Status": status, **constant["Compliance"]},
        # What a later import may change; of the fields of the same names above it may not. Source: Security Hub user
        # guide, "BatchImportFindings for finding providers".
        "FindingProviderFields": {"Severity": severity, "Types": constant["Types"]},
        "Workflow": {"Status": workflow_of(status)},
        "RecordState": "ACTIVE",
    }
    if constant["Remediation"]:
        result["Remediation"] = constant["Remediation"]
    if status == "WARNING":
        text = line(finding.accepted or finding.message, LONGEST_TEXT) or "accepted by the whitelist"
        result["Note"] = {"Text": text, "UpdatedBy": PRODUCT, "UpdatedAt": time}
    return fitted(result)


def workflow_of(status: str) -> str:
    """The workflow status of a new finding; afterwards it belongs to the people who work on it, and stays as it is.

    Security Hub sets RESOLVED back to NEW when PASSED becomes anything else, but leaves SUPPRESSED and, from WARNING to
    FAILED, every status alone. So an accepted failure is NEW too: any other status would hide it once it is no longer
    accepted. Source: Security Hub API reference, Workflow.
    """
    return "RESOLVED" if status == "PASSED" else "NEW"


def product_arn(partition: str, region: str, account: str) -> str:
    """The account's default product, which is there as soon as Security Hub is enabled in the region.

    Source: Security Hub user guide, "Integrating Security Hub CSPM with custom products".
    """
    return f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"


def generator_of(check: Check) -> str:
    """The generator under which the findings of a check are filed."""
    return line(GENERATOR_PREFIX + check.id, LONGEST_ID)


def requirements_of(check_id: str) -> list[str]:
    """The requirements of frameworks that a check supports (``PCI DSS 3.2.1/1.2.1``), as many as a finding may name."""
    return [line(one, LONGEST_REQUIREMENT) for one in references_of(check_id)[:MOST_REQUIREMENTS]]


def fitted(finding: Asff) -> Asff:
    """The finding, without what it can do without if it is larger than Security Hub takes."""
    if size_of(finding) > MOST_BYTES:
        for resource in finding["Resources"]:
            resource.pop("Tags", None)
    return finding


def size_of(finding: Asff) -> int:
    """The bytes of a finding as botocore sends it."""
    return len(json.dumps(finding))


def line(text: str, longest: int) -> str:
    """Text on one line, at most ``longest`` characters; "" where there is nothing to see.

    Security Hub's pattern for strings is ``.*\\S.*``, in which a dot stands for no line break.
    """
    if not text.isprintable():
        text = visible(BREAKS.sub(" ", text))
    text = text.strip()
    if text.isascii():
        return text if len(text) <= longest else text[: longest - 1] + "…"
    # Java, and so AWS, may count in UTF-16 units
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * longest else units[: 2 * longest - 2].decode("utf-16-le", "ignore") + "…"


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> Asff:
    """What is the same in all findings of a check."""
    title = line(check.title, LONGEST_TITLE) or check.id
    requirements = requirements_of(check.id)
    recommendation = {"Text": line(check.remediation, LONGEST_TEXT), "Url": line(check.url, LONGEST_URL)}
    recommendation = {key: value for key, value in recommendation.items() if value}
    return {
        "Title": title,
        "Types": [_finding_type(check.finding_type)],
        "Compliance": {"RelatedRequirements": requirements} if requirements else {},
        "Remediation": {"Recommendation": recommendation} if recommendation else {},
    }


def _finding_type(text: str) -> str:
    """A type of the form namespace/category/classifier; the suite's default for one that has no valid namespace."""
    parts = [line(part, LONGEST_TITLE) for part in text.split("/", 2)]
    if parts[0] not in NAMESPACES or not all(parts):
        return BEST_PRACTICE_TYPE
    return "/".join([*parts[:2], *(part.replace("/", " ") for part in parts[2:])])


def _resource(finding: Finding) -> Asff:
    id = line(finding.resource_arn, LONGEST_ARN) or line(finding.resource_id, LONGEST_ARN)
    resource: Asff = {
        "Type": finding.resource_type if finding.resource_type in resource_types() else "Other",
        "Id": id or f"AWS::::Account:{finding.account}",
    }
    if finding.partition in PARTITIONS:
        resource["Partition"] = PARTITIONS[finding.partition]
    if finding.region and len(finding.region) <= LONGEST_REGION:
        resource["Region"] = finding.region
    tags = tags_of(finding)
    if tags:
        resource["Tags"] = tags
    return resource


def tags_of(finding: Finding) -> dict[str, str]:
    """The resource's tags within AWS's limits. A tag without a value cannot be told: Security Hub takes no empty value."""
    pairs = ((line(key, LONGEST_TAG_KEY), line(value, LONGEST_TAG_VALUE)) for key, value in finding.tags.items())
    return dict([(key, value) for key, value in pairs if key and value][:MOST_TAGS])


def _product_fields(finding: Finding) -> dict[str, str]:
    """What a person may filter by besides. Names that begin with ``aws/`` are AWS's own."""
    check = finding.check
    fields = {
        "ProviderName": PRODUCT,
        "ProviderVersion": version(),
        "CheckId": check.id,
        "CheckNumber": check.number,
        "Service": check.service,
        "Region": finding.region,
        "ResourceName": finding.resource_id,
        "AccountName": finding.account_name,
        "AccountUnit": finding.account_unit,
        "Groups": ",".join(finding.groups),
        "Baseline": finding.baseline,
    }
    lines = {key: line(value, LONGEST_FIELD) for key, value in fields.items()}
    return {key: value for key, value in lines.items() if value}


@functools.lru_cache(maxsize=1)
def resource_types() -> frozenset[str]:
    """The resource types of the format, from botocore's model of it, and AwsAccount, which has no details there.

    Source: Security Hub API reference, ResourceDetails.
    """
    from botocore.session import get_session

    details = get_session().get_service_model("securityhub").shape_for("ResourceDetails").members
    foreign = {"AzureResource", "GcpResource"}
    return frozenset({*details, "AwsAccount"} - foreign)
