"""The resource types of the AWS Security Finding Format."""

from __future__ import annotations

from selftests.architecture.plausible import session

WITHOUT_DETAILS = frozenset({"AwsAccount", "Other"})
"""Types for which the format has no details: ``Other`` stands for whatever has no type of its own, ``AwsAccount`` is what
the suite reports for an account. They are in no service model, so nothing here verifies them.
"""


def resource_types() -> frozenset[str]:
    """Every type: those with details are the members of ResourceDetails in botocore's model of Security Hub (as of botocore
    1.44.5: 97 types), so that a newer botocore brings newer types.
    """
    details = session().get_service_model("securityhub").shape_for("ResourceDetails")
    return WITHOUT_DETAILS | {member for member in details.members if member.startswith("Aws")}
