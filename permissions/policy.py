"""The permissions that the audit needs, worked out from the calls that its checks make.

``calls.yaml`` has the calls of each check, as the self-tests saw them. A call's IAM action that AWS's managed policies
SecurityAudit and ViewOnlyAccess do not allow goes into the additional policy, ``auditest-additional.json``.
"""

from __future__ import annotations

import fnmatch
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from fixtures.api.iam_actions import iam_action
from fixtures.rules.policy import as_list
from plugins.catalog.files import read_yaml

HERE = Path(__file__).resolve().parent
CALLS = HERE / "calls.yaml"
ADDITIONAL = HERE / "auditest-additional.json"
MANAGED = ("SecurityAudit", "ViewOnlyAccess")
ENGINE = ("ec2:DescribeRegions",)
"""Made in every run, whatever is selected."""


def calls() -> dict[str, list[str]]:
    """Check id -> the calls that it makes, as ``service:Operation``. Raises CatalogError."""
    return read_yaml(CALLS, dict[str, list[str]])


def actions_of(made: Iterable[str]) -> list[str]:
    """The IAM actions of calls, sorted."""
    return sorted({iam_action(*call.split(":")) for call in made})


@functools.lru_cache(maxsize=1)
def managed_patterns() -> tuple[str, ...]:
    """The actions that the managed policies allow on every resource, in lower case, with wildcards.

    Source: the documents of AWS's policies as moto ships them.
    """
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    known = json.loads(aws_managed_policies_data)
    statements = [one for name in MANAGED for one in as_list(known[name]["Document"]["Statement"])]
    return tuple(
        str(action).lower()
        for one in statements
        if one["Effect"] == "Allow" and one.get("Resource") == "*" and "Condition" not in one
        for action in as_list(one["Action"])
    )


def is_managed(action: str) -> bool:
    """Whether SecurityAudit or ViewOnlyAccess allows an action on every resource."""
    return any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in managed_patterns())


def additional_actions(made: Mapping[str, Iterable[str]]) -> list[str]:
    """The actions of all checks that the managed policies leave out."""
    everything = actions_of([*ENGINE, *(call for one in made.values() for call in one)])
    return [action for action in everything if not is_managed(action)]


def additional_policy(made: Mapping[str, Iterable[str]]) -> str:
    """The text of the additional policy.

    API Gateway has no actions by operation: GET on its management paths is what reading takes (Service Authorization
    Reference, "Actions defined by Amazon API Gateway Management").
    """
    gateway = "apigateway:GET"
    actions = [action for action in additional_actions(made) if action != gateway]
    statements: list[dict[str, object]] = [
        {"Sid": "AuditestRead", "Effect": "Allow", "Action": actions, "Resource": "*"}
    ]
    if gateway in additional_actions(made):
        paths = ["restapis", "restapis/*", "apis", "apis/*", "domainnames", "domainnames/*"]
        resources = [f"arn:*:apigateway:*::/{path}" for path in paths]
        statements.append({"Sid": "AuditestReadApis", "Effect": "Allow", "Action": [gateway], "Resource": resources})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
