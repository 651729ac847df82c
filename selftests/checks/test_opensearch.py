"""The checks of tests_extras/test_opensearch.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
SWITCHES = ["extra715", "extra780", "extra781", "extra782", "extra783", "extra784"]
DOMAIN_CHECKS = [*SWITCHES, "extra785", "extra716", "extra788"]


def domain(name: str = "logs", **changes: Any) -> dict[str, Any]:
    """A domain as DescribeDomains gives it; None removes a field."""
    data = {
        "DomainName": name,
        "ARN": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/{name}",
        "EngineVersion": "OpenSearch_2.19",
        "Endpoint": f"search-{name}.{REGION}.es.amazonaws.com",
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def answers(*domains: dict[str, Any], **more: Any) -> dict[str, Any]:
    """ListDomainNames and DescribeDomains for these domains; further answers as ``service__Operation``."""
    by_name = {one["DomainName"]: one for one in domains}
    listed = [
        {"DomainName": name, "EngineType": one["EngineVersion"].partition("_")[0]} for name, one in by_name.items()
    ]
    return {
        "opensearch:ListDomainNames": {"DomainNames": listed},
        "opensearch:DescribeDomains": lambda params: {
            "DomainStatusList": [by_name[name] for name in params["DomainNames"]]
        },
        **{name.replace("__", ":"): answer for name, answer in more.items()},
    }


def run(
    audit: Audit, check: str, *domains: dict[str, Any], settings: dict[str, Any] | None = None, **more: Any
) -> dict[str, str]:
    """The check's findings on these domains."""
    return audit(check, regions=[REGION], live=False, answers=answers(*domains, **more), **(settings or {}))


def batches(audit: Audit) -> list[list[str]]:
    """The names that each DescribeDomains call of the last audit asked for."""
    asked = [params["DomainNames"] for _, _, operation, params in audit.backend.calls if operation == "DescribeDomains"]
    return sorted(asked)


# -- what all domain checks have in common --------------------------------------------------------------------------


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_without_domains(audit: Audit, check: str) -> None:
    assert run(audit, check) == {ACCOUNT: f"INFO: no search domain to check in {REGION}"}
    denied = run(audit, check, opensearch__ListDomainNames=access_denied("opensearch", "ListDomainNames"))
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(f"ERROR: access denied in {REGION}: es:ListDomainNames is needed")


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_domains_that_cannot_be_described(audit: Audit, check: str) -> None:
    refused = access_denied("opensearch", "DescribeDomains")
    found = run(audit, check, domain("web"), domain("api"), opensearch__DescribeDomains=refused)
    assert list(found) == ["web", "api"]
    assert all(
        text.startswith(f"ERROR: access denied in {REGION}: es:DescribeDomains is needed") for text in found.values()
    )


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_domains_deleted_meanwhile(audit: Audit, check: str) -> None:
    missing = run(audit, check, domain("web"), opensearch__DescribeDomains={"DomainStatusList": []})
    assert missing == {"web": f"INFO: web in {REGION} was deleted during the audit"}

    def one_is_gone(params: dict[str, Any]) -> Any:
        if "gone" in params["DomainNames"]:
            return ApiError("opensearch", "DescribeDomains", "ResourceNotFoundException", "Domain not found: gone")
        return {"DomainStatusList": [domain(name) for name in params["DomainNames"]]}

    found = run(audit, check, domain("web"), domain("gone"), opensearch__DescribeDomains=one_is_gone)
    assert found["gone"] == f"INFO: gone in {REGION} was deleted during the audit"
    assert found["web"] == run(audit, check, domain("web"))["web"]
    assert "deleted" not in found["web"], "the neighbour in the batch is looked at all the same"

    assert run(audit, check, domain("web", Deleted=True)) == {ACCOUNT: f"INFO: no search domain to check in {REGION}"}


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_domains_are_described_five_at_a_time(audit: Audit, check: str) -> None:
    found = run(audit, check, *(domain(f"d{number:02}") for number in range(12)))
    assert len(found) == 12
    assert [len(batch) for batch in batches(audit)] == [5, 5, 2]
    assert {operation for _, _, operation, _ in audit.backend.calls} == {"ListDomainNames", "DescribeDomains"}
    assert {service for _, service, _, _ in audit.backend.calls} == {"opensearch"}


def test_a_failed_batch_is_the_error_of_its_domains_only(audit: Audit) -> None:
    def second_fails(params: dict[str, Any]) -> Any:
        if "no5" in params["DomainNames"]:
            return ApiError("opensearch", "DescribeDomains", "ThrottlingException", "slow down")
        return {"DomainStatusList": [domain(name) for name in params["DomainNames"]]}

    found = run(audit, "extra781", *(domain(f"no{n}") for n in range(7)), opensearch__DescribeDomains=second_fails)
    assert {name: text.partition(":")[0] for name, text in found.items()} == {
        **dict.fromkeys(("no0", "no1", "no2", "no3", "no4"), "FAIL"), "no5": "ERROR", "no6": "ERROR",
    }  # fmt: skip
    assert "throttled" in found["no5"]


def test_both_engines_are_domains_and_engine_names_are_not(audit: Audit) -> None:
    found = run(audit, "extra715", domain("new"), domain("old", EngineVersion="Elasticsearch_7.10"))
    assert list(found) == ["new", "old"]
    assert "old (Elasticsearch_7.10)" in found["old"]


@pytest.mark.usefixtures("moto")
def test_in_the_emulator(audit: Audit) -> None:
    opensearch = boto3.client("opensearch", REGION)
    on = {"Enabled": True}
    log = {"CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:l", "Enabled": True}
    opensearch.create_domain(
        DomainName="good", LogPublishingOptions={"SEARCH_SLOW_LOGS": log, "INDEX_SLOW_LOGS": log},
        EncryptionAtRestOptions=on, NodeToNodeEncryptionOptions=on, DomainEndpointOptions={"EnforceHTTPS": True},
        AdvancedSecurityOptions={"Enabled": True, "InternalUserDatabaseEnabled": False},
        CognitoOptions={"Enabled": True, "UserPoolId": "eu-west-1_aaaaaaaaa", "IdentityPoolId": "eu-west-1:0", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"},
    )  # fmt: skip
    opensearch.create_domain(
        DomainName="bad", AdvancedSecurityOptions={"Enabled": True, "InternalUserDatabaseEnabled": True}
    )
    boto3.client("es", REGION).create_elasticsearch_domain(DomainName="legacy", ElasticsearchVersion="7.10")
    for check in SWITCHES:
        found = {name: text.partition(":")[0] for name, text in audit(check, regions=[REGION]).items()}
        assert set(found) == {"good", "bad", "legacy"}
        assert (found["good"], found["bad"]) == ("PASS", "FAIL"), check
    assert set(audit("extra785", regions=[REGION])) == {"good", "bad", "legacy"}
    assert all(text.startswith("INFO") for text in audit("extra785", regions=[REGION]).values())


# -- the settings of a domain ---------------------------------------------------------------------------------------

ON, OFF = {"Enabled": True}, {"Enabled": False}
AUDIT_ONLY = {"required_log_types": ["AUDIT_LOGS"]}
WHERE = f"logs (OpenSearch_2.19) in {REGION}"


@pytest.mark.parametrize(
    ("published", "settings", "verdict"),
    [
        ({"SEARCH_SLOW_LOGS": ON, "INDEX_SLOW_LOGS": ON}, {}, f"PASS: {WHERE} publishes SEARCH_SLOW_LOGS, INDEX_SLOW_LOGS (AUDIT_LOGS off, ES_APPLICATION_LOGS off)"),
        ({"SEARCH_SLOW_LOGS": ON, "INDEX_SLOW_LOGS": ON, "AUDIT_LOGS": ON}, {}, f"PASS: {WHERE} publishes SEARCH_SLOW_LOGS, INDEX_SLOW_LOGS (AUDIT_LOGS on, ES_APPLICATION_LOGS off)"),
        ({"SEARCH_SLOW_LOGS": ON}, {}, f"FAIL: {WHERE} publishes SEARCH_SLOW_LOGS; missing: INDEX_SLOW_LOGS (AUDIT_LOGS off, ES_APPLICATION_LOGS off)"),
        (None, {}, f"FAIL: {WHERE} publishes none of the required logs; missing: SEARCH_SLOW_LOGS, INDEX_SLOW_LOGS (AUDIT_LOGS off, ES_APPLICATION_LOGS off)"),
        ({"SEARCH_SLOW_LOGS": ON, "INDEX_SLOW_LOGS": {"CloudWatchLogsLogGroupArn": "arn:x", **OFF}}, {}, f"FAIL: {WHERE} publishes SEARCH_SLOW_LOGS; missing: INDEX_SLOW_LOGS (AUDIT_LOGS off, ES_APPLICATION_LOGS off)"),
        ({"SEARCH_SLOW_LOGS": ON, "INDEX_SLOW_LOGS": ON}, AUDIT_ONLY, f"FAIL: {WHERE} publishes none of the required logs; missing: AUDIT_LOGS (ES_APPLICATION_LOGS off)"),
        ({"AUDIT_LOGS": ON}, AUDIT_ONLY, f"PASS: {WHERE} publishes AUDIT_LOGS (ES_APPLICATION_LOGS off)"),
    ],
)  # fmt: skip
def test_extra715(audit: Audit, published: Any, settings: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra715", domain(LogPublishingOptions=published), settings=settings) == {"logs": verdict}


SAML = {"AdvancedSecurityOptions": {"Enabled": True, "SAMLOptions": ON}}
JWT = {"AdvancedSecurityOptions": {"Enabled": True, "JWTOptions": ON, "SAMLOptions": OFF}}
POOLS_ONLY = {"CognitoOptions": {"Enabled": False, "UserPoolId": "p", "IdentityPoolId": "i", "RoleArn": "arn:r"}}


@pytest.mark.parametrize(
    ("changes", "settings", "verdict"),
    [
        ({"CognitoOptions": ON}, {}, f"PASS: {WHERE}: dashboards log in with cognito"),
        ({"CognitoOptions": OFF, **SAML}, {}, f"PASS: {WHERE}: dashboards log in with saml"),
        ({"CognitoOptions": ON, **SAML}, {}, f"PASS: {WHERE}: dashboards log in with cognito, saml"),
        ({"CognitoOptions": OFF, "AdvancedSecurityOptions": {"Enabled": True, "SAMLOptions": OFF}}, {}, f"FAIL: {WHERE}: cognito and saml login are off"),
        ({}, {}, f"FAIL: {WHERE}: cognito and saml login are off"),
        (JWT, {}, f"FAIL: {WHERE}: cognito and saml login are off"),
        (JWT, {"accepted_methods": ["cognito", "jwt"]}, f"PASS: {WHERE}: dashboards log in with jwt"),
        ({"IdentityCenterOptions": {"EnabledAPIAccess": True}}, {"accepted_methods": ["identity_center"]}, f"PASS: {WHERE}: dashboards log in with identity_center"),
        (POOLS_ONLY, {}, f"FAIL: {WHERE}: cognito and saml login are off"),
    ],
)  # fmt: skip
def test_extra780(audit: Audit, changes: dict[str, Any], settings: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra780", domain(**changes), settings=settings) == {"logs": verdict}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"EncryptionAtRestOptions": {"Enabled": True, "KmsKeyId": "arn:aws:kms:k"}}, f"PASS: {WHERE} encrypts data at rest with arn:aws:kms:k"),
        ({"EncryptionAtRestOptions": OFF}, f"FAIL: {WHERE} does not encrypt data at rest"),
        ({"EncryptionAtRestOptions": ON}, f"PASS: {WHERE} encrypts data at rest with a key not named"),
        ({}, f"FAIL: {WHERE} does not encrypt data at rest"),
    ],
)  # fmt: skip
def test_extra781(audit: Audit, changes: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra781", domain(**changes)) == {"logs": verdict}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"NodeToNodeEncryptionOptions": ON}, f"PASS: {WHERE}: node-to-node encryption is on"),
        ({"NodeToNodeEncryptionOptions": OFF, "ClusterConfig": {"InstanceCount": 1}}, f"FAIL: {WHERE}: node-to-node encryption is off"),
        ({"EngineVersion": "Elasticsearch_5.6"}, f"FAIL: logs (Elasticsearch_5.6) in {REGION}: node-to-node encryption is off"),
    ],
)  # fmt: skip
def test_extra782(audit: Audit, changes: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra782", domain(**changes)) == {"logs": verdict}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"}}, f"PASS: {WHERE}: EnforceHTTPS is on, TLS policy Policy-Min-TLS-1-2-2019-07"),
        ({"DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"}}, f"PASS: {WHERE}: EnforceHTTPS is on, TLS policy Policy-Min-TLS-1-0-2019-07"),
        ({"DomainEndpointOptions": {"EnforceHTTPS": False, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"}}, f"FAIL: {WHERE}: EnforceHTTPS is off, TLS policy Policy-Min-TLS-1-2-2019-07"),
        ({}, f"FAIL: {WHERE}: EnforceHTTPS is off, TLS policy unknown"),
        ({"Endpoint": None, "Endpoints": {"vpc": "vpc-logs"}, "DomainEndpointOptions": {"EnforceHTTPS": False}}, f"FAIL: {WHERE}: EnforceHTTPS is off, TLS policy unknown"),
    ],
)  # fmt: skip
def test_extra783(audit: Audit, changes: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra783", domain(**changes)) == {"logs": verdict}


INTERNAL_ON, INTERNAL_OFF = "the internal user database is on", "the internal user database is off"
NO_CONTROL = "fine-grained access control is off altogether"


@pytest.mark.parametrize(
    ("security", "verdict"),
    [
        ({"Enabled": True, "InternalUserDatabaseEnabled": True}, f"FAIL: {WHERE}: {INTERNAL_ON}, fine-grained access control is on"),
        ({"Enabled": True, "InternalUserDatabaseEnabled": False}, f"PASS: {WHERE}: {INTERNAL_OFF}, fine-grained access control is on"),
        ({"Enabled": False, "InternalUserDatabaseEnabled": False}, f"PASS: {WHERE}: {INTERNAL_OFF}, {NO_CONTROL}"),
        (None, f"PASS: {WHERE}: {INTERNAL_OFF}, {NO_CONTROL}"),
        ({"Enabled": True, "SAMLOptions": ON, "InternalUserDatabaseEnabled": True}, f"FAIL: {WHERE}: {INTERNAL_ON}, fine-grained access control is on"),
    ],
)  # fmt: skip
def test_extra784(audit: Audit, security: Any, verdict: str) -> None:
    assert run(audit, "extra784", domain(AdvancedSecurityOptions=security)) == {"logs": verdict}


PENDING = {"UpdateAvailable": True, "CurrentVersion": "R1", "NewVersion": "R2", "UpdateStatus": "ELIGIBLE"}


@pytest.mark.parametrize(
    ("software", "verdict"),
    [
        ({"UpdateAvailable": False, "UpdateStatus": "COMPLETED", "CurrentVersion": "R2"}, "PASS: service software R2, status COMPLETED; no update is pending"),
        (PENDING, "FAIL: service software R1, new version R2, status ELIGIBLE; the update is pending"),
        ({**PENDING, "UpdateStatus": "PENDING_UPDATE", "AutomatedUpdateDate": datetime(2025, 3, 9, tzinfo=UTC)}, "FAIL: status PENDING_UPDATE, automatic update 2025-03-09; the update is pending"),
        ({**PENDING, "AutomatedUpdateDate": datetime(1970, 1, 1, tzinfo=UTC)}, "FAIL: status ELIGIBLE; the update is pending"),
        ({**PENDING, "UpdateStatus": "IN_PROGRESS"}, "INFO: status IN_PROGRESS; the update is running"),
        (None, "INFO: AWS does not say whether an update is available"),
        ({"CurrentVersion": "R1"}, "INFO: service software R1; AWS does not say"),
        ({**PENDING, "OptionalDeployment": True}, "FAIL: status ELIGIBLE, optional; the update is pending"),
    ],
)  # fmt: skip
def test_extra785(audit: Audit, software: Any, verdict: str) -> None:
    status, _, telling = verdict.partition(": ")
    found = run(audit, "extra785", domain(ServiceSoftwareOptions=software))["logs"]
    assert found.startswith(f"{status}: {WHERE}: service software")
    assert telling in found


# -- extra716: access policies --------------------------------------------------------------------------------------

ENDPOINT = f"search-logs.{REGION}.es.amazonaws.com"
LISTED = {"trusted_ips": ["9.9.9.0/24", "2600:1f1::/32"]}
ACCEPT = {"accept_fine_grained_access_control": True}
CONTROLLED = {"AdvancedSecurityOptions": {"Enabled": True, "InternalUserDatabaseEnabled": False}}
ANONYMOUS = {"AdvancedSecurityOptions": {"Enabled": True, "AnonymousAuthEnabled": True}}


def statement(principal: Any = "*", condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A statement that allows everything on the domain."""
    conditions = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Principal": principal, "Action": "es:*", "Resource": "*", **conditions, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """The change of a domain that gives it this access policy."""
    return {"AccessPolicies": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def from_addresses(*cidrs: str, key: str = "aws:SourceIp", operator: str = "IpAddress") -> dict[str, Any]:
    """A domain that is open to these addresses."""
    return policy(statement(condition={operator: {key: list(cidrs)}}))


OFFICE, OFFICE_V6 = "9.9.9.7/32", "2600:1f1::7/128"
ACCOUNT_ONLY = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
LONE = {"AccessPolicies": json.dumps({"Version": "2012-10-17", "Statement": statement()})}
IN_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}
BOTH = {**IN_ORGANIZATION, "IpAddress": {"aws:SourceIp": OFFICE}}
MINUS_ONE = {"IpAddress": {"aws:SourceIp": OFFICE}, "NotIpAddress": {"aws:SourceIp": "8.8.8.4"}}
TWICE = {"IpAddress": {"aws:SourceIp": OFFICE}, "StringLike": {"aws:SourceIp": "*"}}


@pytest.mark.parametrize(
    ("changes", "settings", "verdict"),
    [
        (policy(statement()), {}, "FAIL: statement number 1 allows es:* to Principal *"),
        (policy(statement({"AWS": ["*"]})), {}, "FAIL: statement number 1 allows es:* to Principal AWS *"),
        (LONE, {}, "FAIL: statement number 1"),
        (policy(statement(ACCOUNT_ONLY), statement(Sid="Open")), {}, "FAIL: fine-grained access control off: statement Open allows"),
        (policy(statement(ACCOUNT_ONLY)), {}, "PASS: no statement lets everyone in"),
        (policy({"Effect": "Allow", "NotPrincipal": ACCOUNT_ONLY, "Action": "es:*"}), {}, "FAIL: NotPrincipal"),
        (from_addresses(OFFICE), {}, f"INFO: statement number 1 is limited to {OFFICE} alone; nobody has said which addresses are expected"),
        (from_addresses(OFFICE), {"trusted_ips": [OFFICE]}, "PASS: statement number 1 is limited to 9.9.9.7/32 alone"),
        (from_addresses(OFFICE), LISTED, "PASS: is limited to"),
        ({**from_addresses(OFFICE), **CONTROLLED}, {**ACCEPT, **LISTED}, f"PASS: statement number 1 is limited to {OFFICE} alone"),
        (from_addresses(OFFICE), {"trusted_ips": ["8.8.8.0/24"]}, f"FAIL: not trusted: {OFFICE}"),
        (from_addresses("203.0.112.0/23"), LISTED, "FAIL: not trusted: 203.0.112.0/23"),
        (from_addresses(OFFICE_V6), LISTED, "PASS: is limited to"),
        (from_addresses("2001:db9::7"), LISTED, "FAIL: not trusted: 2001:db9::7"),
        (from_addresses("8.8.8.4", "9.9.9.7"), {"trusted_ips": ["8.8.8.4"]}, "FAIL: not trusted: 9.9.9.7"),
        (from_addresses("*", operator="StringLike"), {}, "FAIL: from *"),
        (from_addresses("*"), {}, "FAIL: from *"),
        (from_addresses("9.9.9.7/32", "0.0.0.0/0"), {}, "FAIL: from 9.9.9.7/32, 0.0.0.0/0"),
        (from_addresses("0.0.0.0/1", "128.0.0.0/1"), {}, "FAIL: from 0.0.0.0/1, 128.0.0.0/1"),
        (from_addresses("::/0"), {}, "FAIL: from ::/0"),
        (from_addresses("0.0.0.0/0"), {"trusted_ips": ["0.0.0.0/0"]}, "FAIL: from 0.0.0.0/0"),
        (from_addresses("203.0.0.0/16"), {"min_prefix_length_ipv4": 17}, "FAIL: from 203.0.0.0/16"),
        (from_addresses("2600:1f1::/32"), {"min_prefix_length_ipv6": 48}, "FAIL: from 2600:1f1::/32"),
        (from_addresses("10.0.0.0/8"), {}, "PASS: 10.0.0.0/8 can never match on a public endpoint"),
        (from_addresses("10.0.0.0/8"), LISTED, "PASS: 10.0.0.0/8 can never match on a public endpoint"),
        (from_addresses("10.0.0.0/8", OFFICE), LISTED, "PASS: 10.0.0.0/8 can never match on a public endpoint"),
        (from_addresses(OFFICE, key="AWS:sourceip"), {}, f"INFO: statement number 1 is limited to {OFFICE} alone"),
        (from_addresses("0.0.0.0/0", key="AWS:sourceip"), {}, "FAIL: from 0.0.0.0/0"),
        (from_addresses(OFFICE, operator="NotIpAddress"), {}, "FAIL: statement number 1"),
        (from_addresses(OFFICE, operator="IpAddressIfExists"), {}, "FAIL: statement number 1"),
        (policy(statement(condition=TWICE)), {}, f"INFO: is limited to {OFFICE} alone"),
        (policy(statement(condition={"StringLike": {"aws:Referer": "https://example.com/*"}})), {}, "FAIL: (conditions: aws:Referer)"),
        (policy(statement(condition=IN_ORGANIZATION)), {}, "PASS: no statement lets everyone in"),
        (policy(statement(condition=BOTH)), {"trusted_ips": ["8.8.8.0/24"]}, "PASS: no statement lets everyone in"),
        ({"AccessPolicies": ""}, {}, "PASS: no statement lets everyone in"),
        ({}, {}, "PASS: no statement lets everyone in"),
        ({"AccessPolicies": "{not json"}, {}, "ERROR: the policy document is not valid JSON"),
        ({**policy(statement()), **CONTROLLED}, {}, "FAIL: fine-grained access control on"),
        ({**policy(statement()), **CONTROLLED}, ACCEPT, "PASS: accepted because of fine-grained access control"),
        ({**from_addresses(OFFICE), **CONTROLLED}, {**ACCEPT, "trusted_ips": ["8.8.8.4"]}, "PASS: accepted because of"),
        (policy(statement()), ACCEPT, "FAIL: fine-grained access control off"),
        ({**from_addresses(OFFICE), **CONTROLLED}, ACCEPT, "INFO: nobody has said which addresses are expected"),
        (policy(statement(condition=MINUS_ONE)), {"trusted_ips": [OFFICE]}, f"PASS: is limited to {OFFICE} alone"),
        ({**policy(statement()), **ANONYMOUS}, ACCEPT, "FAIL: fine-grained access control off"),
        ({**policy(statement()), "Endpoint": None}, {}, "FAIL: no endpoint yet"),
        ({**policy(statement()), "Endpoint": None, "VPCOptions": {"VPCId": "vpc-0a"}}, {}, "PASS: is in vpc-0a"),
        ({**policy(statement()), "Endpoint": None, "Endpoints": {"vpc": "vpc-logs"}}, {}, "PASS: is in a VPC"),
        ({**policy(statement()), "Endpoint": None, "Endpoints": {"vpcv2": "vpc-logs"}}, {}, "PASS: is in a VPC"),
    ],
)  # fmt: skip
def test_extra716(audit: Audit, changes: dict[str, Any], settings: dict[str, Any], verdict: str) -> None:
    status, _, telling = verdict.partition(": ")
    found = run(audit, "extra716", domain(**changes), settings=settings)["logs"]
    assert found.startswith(f"{status}: ")
    assert telling in found
    if status != "ERROR" and changes.get("Endpoint", ENDPOINT):
        assert f"{WHERE}, {ENDPOINT}, fine-grained access control" in found
    assert ("accepted because" in found) == ("accepted because" in verdict)


def test_extra716_excluded_addresses_are_not_the_ones_let_in(audit: Audit) -> None:
    found = run(audit, "extra716", domain(**from_addresses("8.8.8.4", operator="NotIpAddress")))["logs"]
    assert found.startswith("FAIL")
    assert "8.8.8.4" not in found


@pytest.mark.usefixtures("moto")
def test_extra716_in_the_emulator(audit: Audit) -> None:
    opensearch = boto3.client("opensearch", REGION)
    opensearch.create_domain(DomainName="open", **policy(statement()))
    opensearch.create_domain(DomainName="inside", **policy(statement()), VPCOptions={"SubnetIds": ["subnet-0a"]})
    opensearch.create_domain(DomainName="closed")
    found = {name: text.partition(":")[0] for name, text in audit("extra716", regions=[REGION]).items()}
    assert found == {"open": "FAIL", "inside": "PASS", "closed": "PASS"}
