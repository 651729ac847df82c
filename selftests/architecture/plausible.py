"""A backend that makes up an answer to every call: one of everything, in the output shape of botocore's model."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.model import Shape

from fixtures.api.backend import Answer
from fixtures.api.regions import partition_of
from selftests.conftest import ACCOUNT

DEEPEST = 12
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
USER = "alice"
REPORT_COLUMNS = (
    "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
    *(f"access_key_{number}_{fact}" for number in (1, 2) for fact in ("active", "last_rotated", "last_used_date")),
    *(f"access_key_{number}_{fact}" for number in (1, 2) for fact in ("last_used_region", "last_used_service")),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip

# What decides whether a resource is listed at all. ``Shape.Member`` or ``Member`` -> the value.
CHOSEN: dict[str, Any] = {
    "KeyMetadata.KeyManager": "CUSTOMER",
    "KeyMetadata.KeyState": "Enabled",
    "InstanceState.Name": "running",
    "VpcPeeringConnectionStateReason.Code": "active",
    "SecurityGroup.GroupName": "default",
    "ConfigurationRecorder.recordingScope": "PAID",
    "HostedZoneConfig.PrivateZone": False,
    "DomainStatus.Deleted": False,
    "IpPermission.IpProtocol": "-1",
    "IpRange.CidrIp": "0.0.0.0/0",
    "Ipv6Range.CidrIpv6": "::/0",
}
REGIONS = frozenset({"HomeRegion", "BucketRegion"})
LEFT_OUT = frozenset({"NextToken", "nextToken", "Marker", "NextMarker", "Error", "servicePrincipal"})
FORMS = {
    "TopicArn": "sns:{region}:{account}:orders",
    "FunctionArn": "lambda:{region}:{account}:function:orders",
    "LoadBalancerArn": "elasticloadbalancing:{region}:{account}:loadbalancer/net/orders/0123456789abcdef",
    "LaunchConfigurationARN": "autoscaling:{region}:{account}:launchConfiguration:1:launchConfigurationName/orders",
    "StackId": "cloudformation:{region}:{account}:stack/orders/1",
    "TrailARN": "cloudtrail:{region}:{account}:trail/orders",
    "CertificateArn": "acm:{region}:{account}:certificate/1",
    "HubArn": "securityhub:{region}:{account}:hub/default",
    "DBInstanceArn": "rds:{region}:{account}:db:orders",
    "DBSnapshotArn": "rds:{region}:{account}:snapshot:orders",
    "DBClusterSnapshotArn": "rds:{region}:{account}:cluster-snapshot:orders",
    "SecurityGroupArn": "ec2:{region}:{account}:security-group/sg-1",
    "repositoryArn": "ecr:{region}:{account}:repository/orders",
    "taskDefinitionArn": "ecs:{region}:{account}:task-definition/orders:1",
    "KeyArn": "kms:{region}:{account}:key/1",
    "KeyMetadata.Arn": "kms:{region}:{account}:key/1",
    "ConfigurationRecorder.arn": "config:{region}:{account}:configuration-recorder/orders/1",
    "AnalyzerSummary.arn": "access-analyzer:{region}:{account}:analyzer/orders",
    "DomainStatus.ARN": "es:{region}:{account}:domain/orders",
    "DistributionSummary.ARN": "cloudfront::{account}:distribution/E1",
    "UserDetail.Arn": "iam::{account}:user/alice",
    "RoleDetail.Arn": "iam::{account}:role/app",
    "GroupDetail.Arn": "iam::{account}:group/staff",
    "ManagedPolicyDetail.Arn": "iam::{account}:policy/own",
}
"""``Shape.Member`` or ``Member`` -> what follows the partition in its ARN. Source: Service Authorization Reference."""


@functools.cache
def session() -> botocore.session.Session:
    """botocore's models."""
    return botocore.session.Session()


class PlausibleBackend:
    """Answers every call, of whatever region."""

    def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One of everything, with the ARNs of the region's partition."""
        if operation == "GetCredentialReport":
            return {"Content": self._credential_report(partition_of(region))}
        shape = session().get_service_model(service).operation_model(operation).output_shape
        answer: Answer = self._made(shape, "", region, 0) if shape is not None else {}
        return answer

    def _credential_report(self, partition: str) -> bytes:
        values = dict.fromkeys(REPORT_COLUMNS, "N/A") | {"password_enabled": "true", "access_key_1_active": "true"}
        values["password_last_changed"] = values["access_key_1_last_rotated"] = "2026-01-01T00:00:00+00:00"
        columns = ["user", "arn", "user_creation_time", *REPORT_COLUMNS]
        row = [USER, f"arn:{partition}:iam::{ACCOUNT}:user/{USER}", "2026-01-01T00:00:00+00:00", *values.values()]
        return "\n".join([",".join(columns), ",".join(row)]).encode()

    def _made(self, shape: Shape, name: str, region: str, depth: int) -> Any:
        kind = shape.type_name
        if kind == "structure":
            return {
                member: self._member(shape.name, member, inner, region, depth + 1)
                for member, inner in shape.members.items()
                if depth < DEEPEST and member not in LEFT_OUT
            }
        if kind == "list":
            return [self._made(shape.member, name, region, depth + 1)] if depth < DEEPEST else []
        if kind == "map":
            return {"k": self._made(shape.value, name, region, depth + 1)} if depth < DEEPEST else {}
        plain = {"boolean": True, "timestamp": WHEN, "blob": b"x", "integer": 1, "long": 1, "float": 1.0, "double": 1.0}
        if kind in plain:
            return plain[kind]
        return next(iter(getattr(shape, "enum", ())), None) or self._text(name)

    def _member(self, structure: str, member: str, shape: Shape, region: str, depth: int) -> Any:
        for known in (f"{structure}.{member}", member):
            if known in CHOSEN:
                return CHOSEN[known]
            if known in REGIONS:
                return region
            if known in FORMS:
                return f"arn:{partition_of(region)}:{FORMS[known].format(region=region, account=ACCOUNT)}"
        return self._made(shape, member, region, depth)

    @staticmethod
    def _text(name: str) -> str:
        if name.lower().endswith("ownerid"):
            return ACCOUNT
        if name.endswith("Url") or name.endswith("Urls"):
            return f"https://sqs.example/{ACCOUNT}/orders"
        return "198.51.100.7" if name in ("PublicIp", "Ipv6Address") else "orders"
