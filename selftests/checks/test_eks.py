"""The checks of tests_extras/test_eks.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
CHECKS = ["extra794", "extra795", "extra796", "extra797"]
WHERE = f"cluster c in {REGION}"
ALL_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"


def run(audit: Audit, check: str, cluster: Any, **settings: Any) -> str:
    """The check's finding on a cluster with these facts (or the error of describing it)."""
    answer = cluster
    if not isinstance(cluster, Exception):
        facts = {"name": "c", "version": "1.33", **cluster}
        answer = {"cluster": {name: value for name, value in facts.items() if value is not None}}
    answers = {"eks:ListClusters": {"clusters": ["c"]}, "eks:DescribeCluster": answer}
    found = audit(check, regions=[REGION], live=False, answers=answers, **settings)
    assert list(found) == ["c"]
    return found["c"]


# -- what all cluster checks have in common --------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS)
def test_without_clusters(audit: Audit, check: str) -> None:
    assert audit(check, live=False, answers={"eks:ListClusters": {"clusters": []}}) == {
        ACCOUNT: "INFO: no eks cluster to check in us-east-1, eu-west-1"
    }
    refused = {"eks:ListClusters": access_denied("eks", "ListClusters")}
    denied = audit(check, regions=[REGION], live=False, answers=refused)
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(f"ERROR: access denied in {REGION}: eks:ListClusters is needed")


@pytest.mark.parametrize("check", CHECKS)
def test_clusters_that_cannot_be_described(audit: Audit, check: str) -> None:
    denied = run(audit, check, access_denied("eks", "DescribeCluster"))
    assert denied.startswith(f"ERROR: access denied in {REGION}: eks:DescribeCluster is needed")
    gone = ApiError("eks", "DescribeCluster", "ResourceNotFoundException", "No cluster found for name: c.")
    assert run(audit, check, gone) == f"INFO: {WHERE} was deleted during the audit"
    failed = ApiError("eks", "DescribeCluster", "ServerException", "try later")
    assert run(audit, check, failed).startswith("ERROR: eks:DescribeCluster failed")


@pytest.mark.parametrize("check", CHECKS)
def test_registered_external_clusters(audit: Audit, check: str) -> None:
    connector = {"activationId": "a", "activationCode": "hush", "provider": "OTHER"}
    found = run(audit, check, {"connectorConfig": connector})
    assert found == f"INFO: {WHERE} is a registered external cluster: EKS does not run its control plane"
    assert audit.backend.calls == [
        (REGION, "eks", "ListClusters", {"include": ["all"]}),
        (REGION, "eks", "DescribeCluster", {"name": "c"}),
    ]


def test_each_region_has_its_own_clusters(audit: Audit) -> None:
    answers: dict[str, Stub] = {
        "eks:ListClusters@us-west-1": {"clusters": ["west"]},
        "eks:ListClusters@us-east-1": {"clusters": ["east"]},
        "eks:DescribeCluster@us-west-1": {"cluster": {"name": "west"}},
        "eks:DescribeCluster@us-east-1": access_denied("eks", "DescribeCluster"),
    }
    found = audit("extra795", regions=["us-east-1", "us-west-1"], live=False, answers=answers)
    assert list(found) == ["east", "west"]
    assert found["east"].startswith("ERROR: access denied in us-east-1")
    assert found["west"].startswith("FAIL: cluster west in us-west-1")


# -- logging ---------------------------------------------------------------------------------------------------------


def logs(*entries: tuple[bool, list[str]]) -> dict[str, Any]:
    """A cluster with these entries of enabled or disabled log types."""
    return {"logging": {"clusterLogging": [{"enabled": enabled, "types": types} for enabled, types in entries]}}


AUDIT_ONLY = {"required_log_types": ["audit"]}
SENDS = f"{WHERE} sends"


@pytest.mark.parametrize(
    ("cluster", "settings", "verdict"),
    [
        (logs((True, ALL_LOGS)), {}, f"PASS: {SENDS} {', '.join(ALL_LOGS)} to CloudWatch"),
        (logs((False, ["scheduler"]), (True, ALL_LOGS[:4])), {}, f"FAIL: {SENDS} {', '.join(ALL_LOGS[:4])} to CloudWatch; missing: scheduler"),
        (logs((True, ALL_LOGS[:4]), (False, ["scheduler"])), {}, f"FAIL: {SENDS} {', '.join(ALL_LOGS[:4])} to CloudWatch; missing: scheduler"),
        (logs((False, []), (True, ALL_LOGS[::-1])), {}, f"PASS: {SENDS} {', '.join(ALL_LOGS)} to CloudWatch"),
        (logs((True, ALL_LOGS[:2]), (True, ALL_LOGS[2:])), {}, f"PASS: {SENDS} {', '.join(ALL_LOGS)} to CloudWatch"),
        (logs((False, ALL_LOGS)), {}, f"FAIL: {SENDS} no logs to CloudWatch; missing: {', '.join(ALL_LOGS)}"),
        ({}, {}, f"FAIL: {SENDS} no logs to CloudWatch; missing: {', '.join(ALL_LOGS)}"),
        ({"logging": {}}, {}, f"FAIL: {SENDS} no logs to CloudWatch; missing: {', '.join(ALL_LOGS)}"),
        (logs((True, ["audit"])), AUDIT_ONLY, f"PASS: {SENDS} audit to CloudWatch"),
        (logs((True, ["api"])), AUDIT_ONLY, f"FAIL: {SENDS} api to CloudWatch; missing: audit"),
    ],
)  # fmt: skip
def test_extra794(audit: Audit, cluster: dict[str, Any], settings: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra794", cluster, **settings) == verdict


# -- endpoints -------------------------------------------------------------------------------------------------------


def endpoint(public: bool | None, private: bool | None, *cidrs: str, listed: bool = True) -> dict[str, Any]:
    """A cluster with these endpoints; None, and ``listed=False`` for the CIDRs, leave a field out."""
    fields = {"endpointPublicAccess": public, "endpointPrivateAccess": private}
    config: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    return {"resourcesVpcConfig": config | ({"publicAccessCidrs": list(cidrs)} if listed else {})}


@pytest.mark.parametrize(
    ("cluster", "verdict"),
    [
        (endpoint(False, True), f"PASS: {WHERE}: private endpoint on, public endpoint off"),
        (endpoint(True, True, "0.0.0.0/0"), f"FAIL: {WHERE}: private endpoint on, public endpoint on, open to 0.0.0.0/0"),
        (endpoint(True, False, "203.0.113.0/24"), f"FAIL: {WHERE}: private endpoint off, public endpoint on, open to 203.0.113.0/24"),
        (endpoint(None, None, listed=False), f"FAIL: {WHERE}: private endpoint off, public endpoint on, open to everyone"),
        ({}, f"FAIL: {WHERE}: private endpoint off, public endpoint on, open to everyone"),
        (endpoint(None, True), f"FAIL: {WHERE}: private endpoint on, public endpoint on, open to everyone"),
        (endpoint(False, None), f"FAIL: {WHERE}: private endpoint off, public endpoint off"),
        (endpoint(False, False), f"FAIL: {WHERE}: private endpoint off, public endpoint off"),
    ],
)  # fmt: skip
def test_extra795(audit: Audit, cluster: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra795", cluster) == verdict


PUBLIC = f"{WHERE}: private endpoint off, public endpoint on, open to"


@pytest.mark.parametrize(
    ("cluster", "settings", "verdict"),
    [
        (endpoint(True, False, "203.0.113.0/24"), {}, f"PASS: {PUBLIC} 203.0.113.0/24"),
        (endpoint(True, False, "0.0.0.0/0"), {}, f"FAIL: {PUBLIC} 0.0.0.0/0; too wide: 0.0.0.0/0"),
        (endpoint(True, False, "203.0.113.0/24", "::/0"), {}, f"FAIL: {PUBLIC} 203.0.113.0/24, ::/0; too wide: ::/0"),
        (endpoint(True, False, "0.0.0.0/1", "128.0.0.0/1"), {}, f"FAIL: {PUBLIC} 0.0.0.0/1, 128.0.0.0/1; too wide: 0.0.0.0/1, 128.0.0.0/1"),
        (endpoint(True, False), {}, f"FAIL: {PUBLIC} everyone"),
        (endpoint(True, False, listed=False), {}, f"FAIL: {PUBLIC} everyone"),
        (endpoint(None, False, listed=False), {}, f"FAIL: {PUBLIC} everyone"),
        ({}, {}, f"FAIL: {PUBLIC} everyone"),
        (endpoint(None, False, "203.0.113.0/24"), {}, f"PASS: {PUBLIC} 203.0.113.0/24"),
        (endpoint(False, True, "0.0.0.0/0"), {}, f"PASS: {WHERE}: private endpoint on, public endpoint off"),
        (endpoint(True, True, "203.0.113.7/32", "2001:db8::/48"), {}, f"PASS: {WHERE}: private endpoint on, public endpoint on, open to 203.0.113.7/32, 2001:db8::/48"),
        (endpoint(True, False, "10.0.0.0/7"), {}, f"FAIL: {PUBLIC} 10.0.0.0/7; too wide: 10.0.0.0/7"),
        (endpoint(True, False, "2000::/16"), {}, f"FAIL: {PUBLIC} 2000::/16; too wide: 2000::/16"),
        (endpoint(True, False, "2000::/16"), {"min_prefix_length_ipv6": 16}, f"PASS: {PUBLIC} 2000::/16"),
        (endpoint(True, False, "52.95.110.0/24"), {"min_prefix_length_ipv4": 28}, f"FAIL: {PUBLIC} 52.95.110.0/24; too wide: 52.95.110.0/24"),
        (endpoint(True, False, "somewhere"), {}, f"FAIL: {PUBLIC} somewhere; too wide: somewhere"),
    ],
)  # fmt: skip
def test_extra796(audit: Audit, cluster: dict[str, Any], settings: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra796", cluster, **settings) == verdict


# -- secrets ---------------------------------------------------------------------------------------------------------

FOREIGN = f"arn:aws:kms:{REGION}:999999999999:key/k"
WITHOUT = f"FAIL: {WHERE} (Kubernetes 1.33) encrypts secrets without a customer managed key, by default with a key that AWS owns"
ENCRYPTS = f"{WHERE} (Kubernetes 1.33) encrypts secrets with"


def encrypted(*entries: tuple[list[str], dict[str, str]]) -> dict[str, Any]:
    """A cluster with these encryptionConfig entries: resources and provider."""
    return {"encryptionConfig": [{"resources": resources, "provider": provider} for resources, provider in entries]}


@pytest.mark.parametrize(
    ("cluster", "verdict"),
    [
        (encrypted((["secrets"], {"keyArn": KEY})), f"PASS: {ENCRYPTS} {KEY}"),
        (encrypted((["secrets"], {"keyArn": FOREIGN})), f"PASS: {ENCRYPTS} {FOREIGN}"),
        (encrypted((["secrets"], {}), (["secrets"], {"keyArn": KEY})), f"PASS: {ENCRYPTS} {KEY}"),
        ({}, WITHOUT),
        ({"version": "1.27"}, f"FAIL: {WHERE} (Kubernetes 1.27) encrypts secrets without a customer managed key"),
        ({"version": "1.28"}, f"FAIL: {WHERE} (Kubernetes 1.28) encrypts secrets without a customer managed key, by default with a key that AWS owns"),
        ({"version": None}, f"FAIL: {WHERE} (Kubernetes unknown) encrypts secrets without a customer managed key"),
        ({"encryptionConfig": []}, WITHOUT),
        (encrypted((["secrets"], {})), WITHOUT),
        ({"encryptionConfig": [{"resources": ["secrets"]}]}, WITHOUT),
        (encrypted((["secrets"], {"keyArn": ""})), WITHOUT),
        (encrypted(([], {"keyArn": KEY})), f"PASS: {ENCRYPTS} {KEY}"),
        ({"encryptionConfig": [{"provider": {"keyArn": KEY}}]}, f"PASS: {ENCRYPTS} {KEY}"),
        (encrypted((["other"], {"keyArn": KEY})), f"PASS: {ENCRYPTS} {KEY}"),
    ],
)  # fmt: skip
def test_extra797(audit: Audit, cluster: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra797", cluster) == verdict


# -- against the emulator --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("moto")
def test_extra794_to_extra797_in_the_emulator(audit: Audit) -> None:
    eks = boto3.client("eks", REGION)
    common = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "version": "1.33"}
    eks.create_cluster(
        name="good", **common,
        logging={"clusterLogging": [{"types": ALL_LOGS, "enabled": True}]},
        resourcesVpcConfig={"subnetIds": ["subnet-1"], "endpointPublicAccess": False, "endpointPrivateAccess": True},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": KEY}}],
    )  # fmt: skip
    eks.create_cluster(
        name="bad", **common,
        resourcesVpcConfig={"subnetIds": ["subnet-1"], "endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]},
    )  # fmt: skip
    for check in CHECKS:
        found = audit(check, regions=[REGION])
        assert {name: text[:5] for name, text in found.items()} == {"good": "PASS:", "bad": "FAIL:"}, check
