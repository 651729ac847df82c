"""The resource types of the AWS Security Finding Format."""

from __future__ import annotations

from selftests.architecture.plausible import session

AS_OF = "2026-03-01"
WITHOUT_DETAILS = frozenset({"AwsAccount", "Other"})
"""Types for which the format has no details. Source: AWS Security Hub User Guide, "Required attributes in the ASFF"
(Resources.Type: "If the resource type isn't listed, use Other") and the findings of Security Hub's own controls about
accounts, as of AS_OF.
"""


def resource_types() -> frozenset[str]:
    """Every type: those with details are the members of ResourceDetails in botocore's model of Security Hub."""
    details = session().get_service_model("securityhub").shape_for("ResourceDetails")
    return WITHOUT_DETAILS | {member for member in details.members if member.startswith("Aws")}
