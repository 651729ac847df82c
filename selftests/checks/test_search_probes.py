"""Active probes: extra787 and extra788, and what a search domain's endpoint answers to a stranger. No test here opens a socket."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.model import Account
from fixtures.rules import probes
from fixtures.rules.probes import Reply
from fixtures.services.opensearch import SearchDomain
from selftests.checks.test_ec2 import vpc_block
from selftests.checks.test_opensearch import REGION, WHERE, domain, from_addresses, policy, run, statement
from selftests.conftest import ACCOUNT, Audit, StubBackend, access_denied


class Prober:
    """Stands for fixtures.rules.probes in a test: gives ``answers`` (URL -> Reply or what ``ask`` makes of it), no sockets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, Reply] = {}
        self.asked: list[str] = []
        # get_following looks get up in its module, so redirects go through here too.
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


IP, SECOND_IP, IPV6 = "203.0.113.7", "203.0.113.8", "2600:1f18::7"


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
    answers = world(PUBLIC, sg=[rule(9200)]) | {f"ec2:{operation}": access_denied("ec2", operation)}
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


def test_extra787_what_the_internet_cannot_reach_is_not_exposed(audit: Audit) -> None:
    """An address of a subnet that VPC Block Public Access shields, and an IPv6 address that is not public."""
    nobody = {ACCOUNT: f"INFO: no instance with search ports to check in {REGION}"}
    assert probe_instances(audit, world(interface("sg", ipv6="fd00::7"), sg=[rule(9200, "::/0")])) == nobody
    there = {**PUBLIC, "SubnetId": "subnet-1", "VpcId": "vpc-1"}
    for mode, shielded in (("block-ingress", True), ("off", False)):
        found = probe_instances(audit, {**world(there, sg=[rule(9200)]), **vpc_block(mode)})
        assert (found == nobody) is shielded
        assert shielded or found["i-1"].startswith(f"INFO: i-1 in {REGION} is exposed, not probed")
    excluded = vpc_block(
        "block-ingress", (f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-1", "allow-bidirectional", "create-complete")
    )
    assert "is exposed" in probe_instances(audit, {**world(there, sg=[rule(9200)]), **excluded})["i-1"]
    unread = {"ec2:DescribeVpcBlockPublicAccessOptions": access_denied("ec2", "DescribeVpcBlockPublicAccessOptions")}
    assert "is exposed" in probe_instances(audit, {**world(there, sg=[rule(9200)]), **unread})["i-1"]


def test_extra787_sees_managed_instances(audit: Audit) -> None:
    answers = world(PUBLIC, sg=[rule(9200)])
    listed = answers["ec2:DescribeInstances"]
    answers["ec2:DescribeInstances"] = lambda p: listed if p.get("IncludeManagedResources") else {"Reservations": []}
    assert list(probe_instances(audit, answers)) == ["i-1"]


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
    image = "ami-12345678"
    launched = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group])
    id = launched["Instances"][0]["InstanceId"]
    found = audit("extra787", regions=[REGION], answers=vpc_block("off"))
    assert list(found) == [id]
    assert found[id].startswith(f"INFO: {id} in {REGION} is exposed, not probed")
    assert f":9200 through {group}" in found[id]


# -- the endpoint of a domain, as a stranger sees it ------------------------------------------------------------------

BASE = f"https://search-logs.{REGION}.es.amazonaws.com"
INDEX, DASHBOARDS = f"{BASE}/_cat/indices", f"{BASE}/_dashboards/api/status"
COGNITO = "https://pool.auth.eu-west-1.amazoncognito.com/login?state=abc"
IDP = '<md:SingleSignOnService Binding="x" Location="https://idp.example.com/sso"/>'
WITH_SAML = {
    "AdvancedSecurityOptions": {"Enabled": True, "SAMLOptions": {"Enabled": True, "Idp": {"MetadataContent": IDP}}}
}


def to(location: str) -> dict[str, Any]:
    """A redirect."""
    return {"status": 302, "location": location}


def searched(**changes: Any) -> SearchDomain:
    """A domain of an account that is audited without AWS."""
    backend = StubBackend({}, None)
    account = Account(ACCOUNT, backend=backend, crew=Crew(1), now=utcnow(), regions=[REGION], active_probes=True)
    return SearchDomain(account.in_region(REGION), id="logs", answer=domain(**changes))


@pytest.mark.parametrize(
    ("replies", "changes", "verdicts"),
    [
        ({INDEX: {"status": 200}, DASHBOARDS: {"status": 401}}, {}, ["open", "closed"]),
        ({INDEX: {"status": 401}, DASHBOARDS: {"status": 401}}, {}, ["closed", "closed"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to(COGNITO)}, {}, ["closed", "closed"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to(f"{BASE}/_dashboards/app/login?nextUrl=x")}, {}, ["closed", "closed"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to("https://idp.example.com/sso?SAMLRequest=x")}, WITH_SAML, ["closed", "closed"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to("https://idp.example.com/sso")}, {}, ["closed", "undecided"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to("https://amazoncognito.com.example.net/")}, {}, ["closed", "undecided"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to("https://evilamazoncognito.com/")}, {}, ["closed", "undecided"]),
        (
            {INDEX: {"status": 403}, DASHBOARDS: to(f"{DASHBOARDS}/"), f"{DASHBOARDS}/": {"status": 200, "tells_version": True}},
            {},
            ["closed", "open"],
        ),
        ({INDEX: {"status": 403}, DASHBOARDS: {"status": 200}}, {}, ["closed", "undecided"]),
        ({INDEX: {"status": 403}, DASHBOARDS: to(DASHBOARDS)}, {}, ["closed", "undecided"]),
        ({INDEX: {"outcome": probes.TIMED_OUT}, DASHBOARDS: {"outcome": probes.NO_TLS}}, {}, ["unreachable", "undecided"]),
    ],
)  # fmt: skip
def test_probe_of_a_domain(
    prober: Prober, replies: dict[str, Any], changes: dict[str, Any], verdicts: list[str]
) -> None:
    for url, reply in replies.items():
        prober.answer(url, **reply)
    answered = searched(**changes).probe(2, 3)
    assert [each.verdict for each in answered] == verdicts
    assert not any(word in str(each) for each in answered for word in ("abc", "SAMLRequest", "nextUrl"))


def test_probe_of_a_domain_paths(prober: Prober) -> None:
    searched().probe(2, 3)
    assert prober.asked == [INDEX, DASHBOARDS]
    prober.asked.clear()
    searched(EngineVersion="Elasticsearch_7.10").probe(2, 3)
    assert prober.asked == [INDEX, f"{BASE}/_plugin/kibana/api/status"]
    prober.asked.clear()
    prober.answer(DASHBOARDS, **to(DASHBOARDS))
    searched().probe(2, 2)
    assert prober.asked == [INDEX, DASHBOARDS, DASHBOARDS, DASHBOARDS]


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({}, BASE.removeprefix("https://")),
        ({"Endpoint": None}, None),
        ({"Endpoint": None, "EndpointV2": "v2.example"}, "v2.example"),
        ({"VPCOptions": {"VPCId": "vpc-1"}}, None),
        ({"Endpoint": None, "Endpoints": {"vpc": "vpc-logs.example"}}, None),
        ({"Endpoint": None, "Endpoints": {"vpcv2": "vpc-logs.example"}}, None),
        ({"VPCOptions": {}, "Endpoints": {}}, BASE.removeprefix("https://")),
    ],
)
def test_public_endpoint(changes: dict[str, Any], endpoint: str | None) -> None:
    assert searched(**changes).public_endpoint == endpoint


# -- extra788 ---------------------------------------------------------------------------------------------------------

OPEN = policy(statement(Sid="Everyone"))
NARROW = from_addresses("203.0.113.0/24")
ORGANIZATION = policy(statement(condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}))
INSIDE = {**OPEN, "Endpoint": None, "Endpoints": {"vpc": "vpc-logs"}}
NOT_ASKED: dict[str, Any] = {}
STATUS_200 = {"status": 200, "tells_version": True}
LOGIN = {"status": 401}
KIBANA_OF_DOMAIN = f"{BASE}/_plugin/kibana/api/status"


@pytest.mark.parametrize("changes", [OPEN, NARROW, policy(statement(), statement(Sid="More"))])
def test_extra788_does_not_probe_unasked(audit: Audit, prober: Prober, changes: dict[str, Any]) -> None:
    found = run(audit, "extra788", domain(**changes))["logs"]
    assert found.startswith(f"INFO: not probed (needs --active-probes); {WHERE}")
    assert not prober.asked


@pytest.mark.parametrize(
    ("changes", "replies", "verdict"),
    [
        (OPEN, {INDEX: {"status": 200}, DASHBOARDS: LOGIN}, f"FAIL: answers without login; {INDEX}: 200, {DASHBOARDS}: 401; {WHERE}"),
        (OPEN, {INDEX: {"status": 403}, DASHBOARDS: STATUS_200}, f"FAIL: answers without login; {INDEX}: 403, {DASHBOARDS}: 200"),
        (OPEN, {INDEX: {"status": 200}, DASHBOARDS: {"outcome": probes.TIMED_OUT}}, "FAIL: answers without login"),
        (OPEN, {INDEX: LOGIN, DASHBOARDS: LOGIN}, "PASS: demands a login"),
        (OPEN, {INDEX: {"status": 403}, DASHBOARDS: to(COGNITO)}, f"PASS: demands a login; {INDEX}: 403, {DASHBOARDS}: 302 to the login"),
        (
            OPEN,
            {INDEX: {"status": 403}, DASHBOARDS: to(f"{DASHBOARDS}/"), f"{DASHBOARDS}/": STATUS_200},
            f"FAIL: answers without login; {INDEX}: 403, {DASHBOARDS}/: 200",
        ),
        (OPEN, {INDEX: {"status": 403}, DASHBOARDS: {"status": 200}}, "INFO: look at these answers yourself"),
        (OPEN, {INDEX: {"status": 503}, DASHBOARDS: LOGIN}, "INFO: look at these answers yourself"),
        (
            OPEN,
            {INDEX: {"outcome": probes.TIMED_OUT}, DASHBOARDS: {"outcome": probes.TIMED_OUT}},
            f"INFO: look at these answers yourself; {INDEX}: timed out",
        ),
        (NARROW, {INDEX: {"status": 200}, DASHBOARDS: LOGIN}, "INFO: answers this host, whose address the policy may list"),
        (NARROW, {INDEX: {"status": 403}, DASHBOARDS: {"status": 403}}, "PASS: demands a login"),
        (ORGANIZATION, NOT_ASKED, f"PASS: {WHERE}, search-logs.{REGION}.es.amazonaws.com: no statement lets everyone in"),
        ({}, NOT_ASKED, f"PASS: {WHERE}, search-logs.{REGION}.es.amazonaws.com: no statement lets everyone in"),
        (INSIDE, NOT_ASKED, f"INFO: {WHERE} is in a VPC"),
        ({**OPEN, "Endpoint": None}, NOT_ASKED, f"INFO: {WHERE} has no endpoint yet"),
        ({"AccessPolicies": "{"}, NOT_ASKED, "ERROR: "),
        (
            {**OPEN, "EngineVersion": "Elasticsearch_7.10"},
            {INDEX: LOGIN, KIBANA_OF_DOMAIN: STATUS_200},
            f"FAIL: answers without login; {INDEX}: 401, {KIBANA_OF_DOMAIN}: 200",
        ),
    ],
)  # fmt: skip
def test_extra788(
    audit: Audit, prober: Prober, active: None, changes: dict[str, Any], replies: dict[str, Any], verdict: str
) -> None:
    for url, reply in replies.items():
        prober.answer(url, **reply)
    found = run(audit, "extra788", domain(**changes))["logs"]
    assert found.startswith(verdict)
    assert set(prober.asked) == set(replies)


def test_extra788_names_what_invited_the_probe(audit: Audit, prober: Prober, active: None) -> None:
    assert "statement Everyone allows es:* to Principal *" in run(audit, "extra788", domain(**OPEN))["logs"]
    prober.answer(INDEX, 200)
    found = run(audit, "extra788", domain(**NARROW))["logs"]
    assert "statement number 1 is limited to 203.0.113.0/24 alone" in found


def test_extra788_settings(audit: Audit, prober: Prober, active: None) -> None:
    prober.answer(INDEX, **LOGIN)
    prober.answer(DASHBOARDS, **to(f"{DASHBOARDS}/"))
    prober.answer(f"{DASHBOARDS}/", **LOGIN)
    assert run(audit, "extra788", domain(**OPEN))["logs"].startswith("PASS")
    stopped = run(audit, "extra788", domain(**OPEN), settings={"max_redirects": 0})
    assert stopped["logs"].startswith("INFO: look at these answers yourself")
