"""The checks of tests_extras/test_opensearch.py."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from fixtures import probes
from fixtures.account import Account
from fixtures.errors import ApiError
from fixtures.probes import Reply
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
DOMAIN_CHECKS = ["extra715", "extra780", "extra781", "extra782", "extra783", "extra784", "extra785"]


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
    found = run(audit, check, domain("a"), domain("b"), opensearch__DescribeDomains=refused)
    assert list(found) == ["a", "b"]
    assert all(
        text.startswith(f"ERROR: access denied in {REGION}: es:DescribeDomains is needed") for text in found.values()
    )


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_domains_deleted_meanwhile(audit: Audit, check: str) -> None:
    missing = run(audit, check, domain("a"), opensearch__DescribeDomains={"DomainStatusList": []})
    assert missing == {"a": f"INFO: a in {REGION} was deleted during the audit"}

    def one_is_gone(params: dict[str, Any]) -> Any:
        if "gone" in params["DomainNames"]:
            return ApiError("opensearch", "DescribeDomains", "ResourceNotFoundException", "Domain not found: gone")
        return {"DomainStatusList": [domain(name) for name in params["DomainNames"]]}

    found = run(audit, check, domain("a"), domain("gone"), opensearch__DescribeDomains=one_is_gone)
    assert found["gone"] == f"INFO: gone in {REGION} was deleted during the audit"
    assert found["a"] == run(audit, check, domain("a"))["a"]
    assert "deleted" not in found["a"], "the neighbour in the batch is looked at all the same"

    assert run(audit, check, domain("a", Deleted=True)) == {ACCOUNT: f"INFO: no search domain to check in {REGION}"}


@pytest.mark.parametrize("check", DOMAIN_CHECKS)
def test_domains_are_described_five_at_a_time(audit: Audit, check: str) -> None:
    found = run(audit, check, *(domain(f"d{number:02}") for number in range(12)))
    assert len(found) == 12
    assert [len(batch) for batch in batches(audit)] == [5, 5, 2]
    assert {operation for _, _, operation, _ in audit.backend.calls} == {"ListDomainNames", "DescribeDomains"}
    assert {service for _, service, _, _ in audit.backend.calls} == {"opensearch"}


def test_a_failed_batch_is_the_error_of_its_domains_only(audit: Audit) -> None:
    def second_fails(params: dict[str, Any]) -> Any:
        if "d5" in params["DomainNames"]:
            return ApiError("opensearch", "DescribeDomains", "ThrottlingException", "slow down")
        return {"DomainStatusList": [domain(name) for name in params["DomainNames"]]}

    found = run(audit, "extra781", *(domain(f"d{n}") for n in range(7)), opensearch__DescribeDomains=second_fails)
    assert {name: text.partition(":")[0] for name, text in found.items()} == {
        **dict.fromkeys(("d0", "d1", "d2", "d3", "d4"), "FAIL"), "d5": "ERROR", "d6": "ERROR",
    }  # fmt: skip
    assert "throttled" in found["d5"]


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
    for check in DOMAIN_CHECKS[:-1]:
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


# -- probes ---------------------------------------------------------------------------------------------------------


class Prober:
    """Stands for fixtures.probes in a test: gives ``answers`` (URL -> Reply or what ``ask`` makes of it), no sockets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, Reply] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(probes, "get", lambda url, *, timeout, verify=True: self.ask(url, verify))
        monkeypatch.setattr(probes, "connect", lambda host, port, *, timeout: self.ask(f"tcp://{host}:{port}", True))

    def ask(self, url: str, verify: bool) -> Reply:
        self.asked.append(url if verify else f"{url} (any certificate)")
        return self.answers.get(url, Reply(url, outcome=probes.TIMED_OUT))

    def answer(self, url: str, status: int | None = None, **facts: Any) -> None:
        """Let the URL give this reply."""
        self.answers[url] = Reply(url, status, **facts)


@pytest.fixture
def prober(monkeypatch: pytest.MonkeyPatch) -> Prober:
    """No socket is opened in the test."""
    return Prober(monkeypatch)


@pytest.fixture
def active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audits run with --active-probes."""
    monkeypatch.setattr("selftests.conftest.Account", functools.partial(Account, active_probes=True))


def rule(port: int, cidr: str = "0.0.0.0/0", protocol: str = "tcp") -> dict[str, Any]:
    """An inbound rule."""
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    ports = {} if protocol == "-1" else {"FromPort": port, "ToPort": port}
    return {"IpProtocol": protocol, **ports, **ranges}


def interface(*groups: str, public: str = "", secondary: str = "", ipv6: str = "") -> dict[str, Any]:
    """A network interface with its own groups and addresses."""
    private: list[dict[str, Any]] = [{"PrivateIpAddress": "10.0.0.4"}, {"PrivateIpAddress": "10.0.0.5"}]
    if public:
        private[0]["Association"] = {"PublicIp": public}
    if secondary:
        private[1]["Association"] = {"PublicIp": secondary}
    data: dict[str, Any] = {"Groups": [{"GroupId": group} for group in groups], "PrivateIpAddresses": private}
    data["Ipv6Addresses"] = [{"Ipv6Address": ipv6}] if ipv6 else []
    return data | ({"Association": {"PublicIp": public}} if public else {})


IP, SECOND_IP, IPV6 = "203.0.113.7", "203.0.113.8", "2001:db8::7"


def world(*interfaces: dict[str, Any], state: str = "running", **groups: Any) -> dict[str, Any]:
    """Answers: one instance with these interfaces, and security groups as name -> inbound rules."""
    instance = {"InstanceId": "i-1", "State": {"Name": state}, "NetworkInterfaces": list(interfaces)}
    listed = [{"GroupId": name, "OwnerId": ACCOUNT, "IpPermissions": rules} for name, rules in groups.items()]
    return {
        "ec2:DescribeInstances": {"Reservations": [{"OwnerId": ACCOUNT, "Instances": [instance]}]},
        "ec2:DescribeSecurityGroups": {"SecurityGroups": listed},
    }


def probe_instances(audit: Audit, answers: dict[str, Any], **settings: Any) -> dict[str, str]:
    """extra787 in this world."""
    return audit("extra787", regions=[REGION], live=False, answers=answers, **settings)


NO_CANDIDATE = {ACCOUNT: f"INFO: no instance with search ports to check in {REGION}"}
PUBLIC = interface("sg", public=IP)


@pytest.mark.parametrize(
    "answers",
    [
        world(PUBLIC, sg=[rule(22)]),
        world(PUBLIC, sg=[rule(9200, "10.0.0.0/8")]),
        world(PUBLIC, sg=[rule(9200, "::/0")]),  # the instance has IPv4 only
        world(interface("sg", ipv6=IPV6), sg=[rule(9200)]),
        world(PUBLIC, sg=[rule(9200, protocol="udp")]),
        world(PUBLIC, sg=[rule(9200)], state="stopped"),
        world(interface("sg"), sg=[rule(9200)]),
        world(interface("sg", public=IP), interface("open"), sg=[], open=[rule(9200)]),
        world(PUBLIC),
        {"ec2:DescribeInstances": {"Reservations": []}},
    ],
)  # fmt: skip
def test_extra787_is_no_candidate(audit: Audit, prober: Prober, active: None, answers: dict[str, Any]) -> None:
    assert probe_instances(audit, answers) == NO_CANDIDATE
    assert not prober.asked


def test_extra787_does_not_probe_unasked(audit: Audit, prober: Prober) -> None:
    found = probe_instances(audit, world(PUBLIC, sg=[rule(9200)]))
    assert found == {
        "i-1": f"INFO: i-1 in {REGION} is exposed, not probed (needs --active-probes): {IP}:9200 through sg"
    }
    assert not prober.asked


HTTP, KIBANA = f"http://{IP}:9200/_cat/indices", f"http://{IP}:5601/api/status"
HTTPS = HTTP.replace("http:", "https:")
KIBANA_TLS = KIBANA.replace("http:", "https:")
TRANSPORT = f"tcp://{IP}:9300"
REFUSED, NOT_HTTP = {"outcome": probes.REFUSED}, {"outcome": probes.NOT_HTTP}


@pytest.mark.parametrize(
    ("ports", "replies", "verdict"),
    [
        ([9200], {HTTP: {"status": 200}}, f"FAIL: answers without login; i-1 in {REGION}: {HTTP}: 200 (sg)"),
        ([9200], {HTTP: NOT_HTTP, HTTPS: {"status": 401}}, f"PASS: demands a login; i-1 in {REGION}: {HTTPS}: 401 (sg)"),
        ([9200], {HTTP: {"outcome": probes.RESET}, HTTPS: {"status": 200}}, f"FAIL: answers without login; i-1 in {REGION}: {HTTPS}: 200 (sg)"),
        ([9200], {HTTP: REFUSED, HTTPS: {"status": 403}}, f"PASS: demands a login; i-1 in {REGION}: {HTTPS}: 403"),
        ([9200], {HTTP: {"status": 401}}, "PASS: demands a login"),
        ([9200], {HTTP: {"outcome": probes.TIMED_OUT}}, f"INFO: nothing is reachable from this host; i-1 in {REGION}: {HTTP}: timed out (sg)"),
        ([9200], {HTTP: REFUSED, HTTPS: REFUSED}, "INFO: nothing is reachable from this host"),
        ([9200], {HTTP: {"status": 404}}, f"INFO: look at these answers yourself; i-1 in {REGION}: {HTTP}: 404"),
        ([9200], {HTTP: {"status": 302, "location": "/x"}}, "INFO: look at these answers yourself"),
        ([9200], {HTTP: {"status": 503}}, "INFO: look at these answers yourself"),
        ([9200], {HTTP: NOT_HTTP, HTTPS: {"outcome": probes.NO_TLS}}, "INFO: look at these answers yourself"),
        ([5601], {KIBANA: {"status": 200, "tells_version": True}}, f"FAIL: answers without login; i-1 in {REGION}: {KIBANA}: 200 (sg)"),
        ([5601], {KIBANA: {"status": 200}}, "INFO: look at these answers yourself"),
        ([5601], {KIBANA: NOT_HTTP, KIBANA_TLS: {"status": 200, "tells_version": True}}, f"FAIL: answers without login; i-1 in {REGION}: {KIBANA_TLS}: 200"),
        ([9300], {TRANSPORT: {"outcome": probes.CONNECTED}}, f"FAIL: answers without login; i-1 in {REGION}: {TRANSPORT}: connected (sg)"),
        ([9300], {TRANSPORT: REFUSED}, "INFO: nothing is reachable from this host"),
        ([9200, 5601], {HTTP: {"status": 401}, KIBANA: {"status": 500}}, "INFO: look at these answers yourself"),
        ([9200, 5601], {HTTP: {"status": 401}, KIBANA: {"outcome": probes.TIMED_OUT}}, "PASS: demands a login"),
        ([9200, 5601], {HTTP: {"status": 200}, KIBANA: {"status": 500}}, "FAIL: answers without login"),
    ],
)  # fmt: skip
def test_extra787(
    audit: Audit, prober: Prober, active: None, ports: list[int], replies: dict[str, Any], verdict: str
) -> None:
    for url, reply in replies.items():
        prober.answer(url, **reply)
    found = probe_instances(audit, world(PUBLIC, sg=[rule(port) for port in ports]))
    assert found["i-1"].startswith(verdict)
    wanted = {f"{url} (any certificate)" if url.startswith("https:") else url for url in replies}
    assert set(prober.asked) == wanted, "nothing but what the group opens is contacted"


def addresses(*interfaces: dict[str, Any], **groups: Any) -> Callable[[Audit, Prober], list[str]]:
    """The URLs that are probed in this world."""

    def probed(audit: Audit, prober: Prober) -> list[str]:
        probe_instances(audit, world(*interfaces, **groups))
        return prober.asked

    return probed


V6_URL = f"http://[{IPV6}]:9200/_cat/indices"


@pytest.mark.parametrize(
    ("probed", "urls"),
    [
        (addresses(PUBLIC, sg=[rule(0, protocol="-1")]), [KIBANA, HTTP, TRANSPORT]),
        (addresses(PUBLIC, sg=[rule(-1)]), [KIBANA, HTTP, TRANSPORT]),
        (addresses(PUBLIC, sg=[rule(9200, protocol="6")]), [HTTP]),
        (addresses(PUBLIC, sg=[rule(9200, "0.0.0.0/1"), rule(9200, "128.0.0.0/1")]), [HTTP]),
        (addresses(interface("closed"), interface("sg", public=IP), closed=[], sg=[rule(9200)]), [HTTP]),
        (addresses(interface("closed", public=SECOND_IP), PUBLIC, closed=[], sg=[rule(9200)]), [HTTP]),
        (addresses(interface("sg", public=IP, secondary=SECOND_IP), sg=[rule(9200)]), [HTTP, HTTP.replace(IP, SECOND_IP)]),
        (addresses(interface("sg", "more", public=IP), sg=[rule(9200)], more=[rule(9200)]), [HTTP]),
        (addresses(interface("sg", public=IP, ipv6=IPV6), sg=[rule(9200, "::/0")]), [V6_URL]),
        (addresses(interface("sg", public=IP, ipv6=IPV6), sg=[rule(9200), rule(9200, "::/0")]), [HTTP, V6_URL]),
        (addresses(interface("sg", ipv6=IPV6), sg=[rule(9200, "::/0")]), [V6_URL]),
    ],
)  # fmt: skip
def test_extra787_addresses(
    audit: Audit, prober: Prober, active: None, probed: Callable[[Audit, Prober], list[str]], urls: list[str]
) -> None:
    assert probed(audit, prober) == urls


def test_extra787_settings(audit: Audit, prober: Prober, active: None) -> None:
    everything = world(PUBLIC, sg=[rule(0, protocol="-1")])
    prober.answer(f"http://{IP}:9201/_cat/indices", 200)
    found = probe_instances(audit, everything, http_ports={"elasticsearch": 9201}, tcp_ports={})
    assert found["i-1"].startswith("FAIL")
    assert prober.asked == [f"http://{IP}:9201/_cat/indices"]
    only_9200 = world(PUBLIC, sg=[rule(9200)])
    found = probe_instances(audit, only_9200, http_ports={"kibana": 5601}, tcp_ports={})
    assert found == {"i-1": f"INFO: i-1 in {REGION} exposes none of the ports to look at"}


@pytest.mark.parametrize("operation", ["DescribeInstances", "DescribeSecurityGroups"])
def test_extra787_denied(audit: Audit, operation: str) -> None:
    answers = world(PUBLIC, PUBLIC, sg=[rule(9200)]) | {f"ec2:{operation}": access_denied("ec2", operation)}
    found = probe_instances(audit, answers)
    assert list(found) == [f"{ACCOUNT} {REGION}"]
    assert found[f"{ACCOUNT} {REGION}"].startswith(f"ERROR: access denied in {REGION}: ec2:{operation} is needed")


def test_extra787_an_unreadable_prefix_list_hides_no_other_instance(audit: Audit, prober: Prober, active: None) -> None:
    listed = {"IpProtocol": "tcp", "FromPort": 9200, "ToPort": 9200, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    answers = world(interface("lists", public=SECOND_IP), lists=[listed], sg=[rule(9200)])
    other = {"InstanceId": "i-2", "State": {"Name": "running"}, "NetworkInterfaces": [PUBLIC]}
    answers["ec2:DescribeInstances"]["Reservations"].append({"OwnerId": ACCOUNT, "Instances": [other]})
    answers["ec2:DescribeManagedPrefixLists"] = access_denied("ec2", "DescribeManagedPrefixLists")
    prober.answer(HTTP, 200)
    found = probe_instances(audit, answers)
    assert found["i-2"].startswith("FAIL")
    assert "ec2:DescribeManagedPrefixLists is needed" in found[f"{ACCOUNT} {REGION}"]
    answers["ec2:DescribeManagedPrefixLists"] = {"PrefixLists": [{"PrefixListId": "pl-1", "OwnerId": ACCOUNT}]}
    answers["ec2:GetManagedPrefixListEntries"] = {"Entries": [{"Cidr": "0.0.0.0/0"}]}
    prober.answer(HTTP.replace(IP, SECOND_IP), 401)
    assert probe_instances(audit, answers)["i-1"].startswith("PASS: demands a login")


@pytest.mark.usefixtures("moto")
def test_extra787_in_the_emulator(audit: Audit, prober: Prober) -> None:
    ec2 = boto3.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName="search", Description="open", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 9200, "ToPort": 9200, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group])
    id = launched["Instances"][0]["InstanceId"]
    found = audit("extra787", regions=[REGION])
    assert list(found) == [id]
    assert found[id].startswith(f"INFO: {id} in {REGION} is exposed, not probed")
    assert f":9200 through {group}" in found[id]
