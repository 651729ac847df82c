"""The check of tests_extras/test_route53.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

LABEL = "example.com. (Z1)"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/route53/zone"


def zone(id: str = "Z1", *, private: bool | None = False) -> dict[str, Any]:
    """A hosted zone as ListHostedZones gives it."""
    config = {} if private is None else {"Config": {"PrivateZone": private}}
    return {"Id": f"/hostedzone/{id}", "Name": "example.com.", "CallerReference": "c", **config}


def logged(id: str = "Z1", group: str = GROUP) -> dict[str, Any]:
    return {"Id": f"q-{id}", "HostedZoneId": id, "CloudWatchLogsLogGroupArn": group}


def answers(*zones: dict[str, Any], configs: tuple[dict[str, Any], ...] = ()) -> dict[str, Stub]:
    return {
        "route53:ListHostedZones": {"HostedZones": list(zones), "IsTruncated": False},
        "route53:ListQueryLoggingConfigs": {"QueryLoggingConfigs": list(configs)},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answers(zone(), configs=(logged(),)), {"Z1": f"PASS: {LABEL} logs queries to /aws/route53/zone"}),
        (answers(zone(), configs=(logged("/hostedzone/Z1", f"{GROUP}:*"),)), {"Z1": f"PASS: {LABEL} logs queries to /aws/route53/zone"}),
        (answers(zone(private=None)), {"Z1": f"FAIL: {LABEL} does not log queries"}),
        (answers(zone()), {"Z1": f"FAIL: {LABEL} does not log queries"}),
        (answers(zone(), configs=(logged(group=""),)), {"Z1": f"FAIL: {LABEL} does not log queries"}),
        (answers(zone(), configs=(logged("Z2"),)), {"Z1": f"FAIL: {LABEL} does not log queries"}),
        (answers(zone(), zone("Z9", private=True)), {"Z1": f"FAIL: {LABEL} does not log queries"}),
        (answers(zone("Z8", private=True), zone("Z9", private=True)), {ACCOUNT: "INFO: all hosted zones (2) are private; their queries are logged by Resolver query logging"}),
        (answers(), {ACCOUNT: "INFO: no public hosted zone to check in the account"}),
    ],
)  # fmt: skip
def test_extra719(audit: Audit, given: dict[str, Stub], expected: dict[str, str]) -> None:
    assert audit("extra719", answers=given, live=False) == expected


def test_extra719_one_call_for_all_zones_and_errors(audit: Audit) -> None:
    found = audit("extra719", answers=answers(zone(), zone("Z2"), configs=(logged("Z2"),)), live=False)
    assert [text[:4] for text in found.values()] == ["FAIL", "PASS"]
    assert [(operation, params) for _, _, operation, params in audit.backend.calls] == [
        ("ListHostedZones", {}),
        ("ListQueryLoggingConfigs", {}),
    ]
    denied = {**answers(zone()), "route53:ListQueryLoggingConfigs": access_denied("route53", "x")}
    found = audit("extra719", answers=denied, live=False)
    assert found["Z1"].startswith("ERROR: access denied in us-east-1: route53:ListQueryLoggingConfigs is needed")
    found = audit("extra719", answers={"route53:ListHostedZones": access_denied("route53", "x")}, live=False)
    assert list(found) == [f"{ACCOUNT} us-east-1"]
    assert "ERROR: access denied in us-east-1: route53:ListHostedZones is needed" in str(found)


@pytest.mark.usefixtures("moto")
def test_extra719_against_moto(audit: Audit) -> None:
    client = boto3.client("route53", "us-east-1")

    def create(name: str, **more: Any) -> str:
        made = client.create_hosted_zone(Name=name, CallerReference=name, **more)
        return str(made["HostedZone"]["Id"]).rpartition("/")[2]

    silent, talking = create("silent.example.com"), create("talking.example.com")
    create(
        "inside.example.com", VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-1"}, HostedZoneConfig={"PrivateZone": True}
    )
    boto3.client("logs", "us-east-1").create_log_group(logGroupName="/aws/route53/zone")
    client.create_query_logging_config(HostedZoneId=talking, CloudWatchLogsLogGroupArn=f"{GROUP}:*")
    assert audit("extra719") == {
        silent: f"FAIL: silent.example.com. ({silent}) does not log queries",
        talking: f"PASS: talking.example.com. ({talking}) logs queries to /aws/route53/zone",
    }
