"""The embedded demo: its process, the environment that leads to it, and what its sample organization holds."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from plugins.demo import launcher as demo_module
from plugins.demo.account import MANAGEMENT, PRODUCTION, REGIONS, SANDBOX, Emulator, require_loopback
from plugins.demo.data import OBJECT_KEYS
from plugins.demo.endpoints import STRANGER
from plugins.demo.launcher import ROOT, Demo, DemoError, environment, start
from plugins.demo.logging import BROKEN_CHAINS, PATTERNS
from selftests.standins.moto_worlds import light_session

NAMES = (MANAGEMENT, PRODUCTION, SANDBOX)
Enter = Callable[..., Any]

EMPTY = "import plugins.demo.launcher as demo; demo.fill = lambda url: {'management': '123456789012', 'production': '1' * 12}; "
"""The start of a script whose demo has nothing in it, and so is quickly there."""


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One running demo for all tests that only read."""
    running = start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def enter(demo: Demo) -> Enter:
    """``enter(account name, service, region)``: a client with the audit's role, as an audit gets in."""
    made: dict[tuple[str, str, str], Any] = {}

    def client(name: str, service: str, region: str = "eu-west-1") -> Any:
        key = (name, service, region)
        if key not in made:
            account = demo.accounts[NAMES.index(name)]
            variables = demo.environment
            session = light_session(
                aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            )
            plain = Config(proxies={})
            sts = session.client("sts", "eu-west-1", endpoint_url=demo.url, config=plain)
            role = f"arn:aws:iam::{account}:role/{demo.role}"
            found = sts.assume_role(RoleArn=role, RoleSessionName="selftest")["Credentials"]
            made[key] = light_session(
                aws_access_key_id=found["AccessKeyId"], aws_secret_access_key=found["SecretAccessKey"],
                aws_session_token=found["SessionToken"],
            ).client(service, region, endpoint_url=demo.url, config=plain)  # fmt: skip
        return made[key]

    return client


def nothing_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "fill", lambda url: {"management": "123456789012"})


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not yet waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def ends(pid: int, seconds: float = 5) -> bool:
    """Whether the process ends within the time."""
    deadline = time.monotonic() + seconds
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not lives(pid)


def answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url + "/moto-api/data.json", timeout=5).close()
    except (URLError, ConnectionError):  # a connection that is reset while its process dies is no answer
        return False
    return True


# The process


def test_stop_leaves_no_process_and_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_in_it(monkeypatch)
    running = start()
    pid, folder = running.process.pid, Path(running.folder.name)
    assert lives(pid)
    assert folder.is_dir()
    assert answers(running.url)
    running.stop()
    assert not lives(pid)
    assert not folder.exists()
    assert not answers(running.url)
    running.stop()


def script(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EMPTY + code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_emulator_dies_with_its_parent(how: signal.Signals) -> None:
    parent = script("import time; it = demo.start(); print(it.process.pid, it.url, flush=True); time.sleep(60)")
    try:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        assert lives(int(pid))
        assert answers(url)
        parent.send_signal(how)
        parent.wait(10)
        assert ends(int(pid))
        assert not answers(url)
    finally:
        parent.kill()
        parent.communicate()


def test_the_emulator_ends_at_the_interpreters_exit() -> None:
    parent = script("it = demo.start(); print(it.process.pid)")
    out, _ = parent.communicate(timeout=30)
    assert parent.returncode == 0
    assert ends(int(out))


def test_an_emulator_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DemoError, match="the emulator did not start: exit code 1"):
        start()


def test_a_world_that_cannot_be_made_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    launch = demo_module._launch

    def remembered(errors: Any) -> subprocess.Popen[str]:
        seen.append((process := launch(errors)).pid)
        return process

    def broken(url: str) -> dict[str, str]:
        Emulator(url).client("ec2", "eu-west-1", {"AccessKeyId": "a", "SecretAccessKey": "b"}).delete_vpc(VpcId="vpc-0")
        raise AssertionError

    monkeypatch.setattr(demo_module, "_launch", remembered)
    monkeypatch.setattr(demo_module, "fill", broken)
    with pytest.raises(DemoError, match=r"could not be made: .*DeleteVpc"):
        start()
    assert not lives(seen[0])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_environment_and_ends_on_request(how: signal.Signals) -> None:
    parent = script("from plugins.demo.__main__ import main; main()")
    try:
        assert parent.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("# Ctrl-C"):
            line = parent.stdout.readline()
            assert line, lines
            lines.append(line.rstrip("\n"))
        exports = dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))
        assert exports["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert answers(exports["AWS_ENDPOINT_URL"])
        regions = ",".join(REGIONS)
        assert f"pytest -A 123456789012,111111111111 -R AuditestDemo --filter-region {regions}" in lines
        parent.send_signal(how)
        assert parent.wait(60) == 0
        assert not answers(exports["AWS_ENDPOINT_URL"])
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1", "http://10.0.0.1:1", "http://example.com", "http://localhost.example.com"]
)
def test_only_this_machine_is_written_to(url: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        require_loopback(url)
    with pytest.raises((AssertionError, ValueError)):
        Emulator(url)


# The environment

HOSTILE = {
    "AWS_PROFILE": "missing", "AWS_DEFAULT_PROFILE": "missing", "AWS_SESSION_TOKEN": "real", "AWS_REGION": "us-west-2",
    "AWS_SECURITY_TOKEN": "real", "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "NO_PROXY": "intranet",
    "AWS_CONFIG_FILE": "/nonexistent/config", "MOTO_ACCOUNT_ID": "999999999999", "MOTO_PORT": "1",
}  # fmt: skip
"""What users have set, and would lead elsewhere."""


def test_the_environment_keeps_the_users_proxy_exceptions(tmp_path: Path) -> None:
    made = environment("http://127.0.0.1:1", "1" * 12, tmp_path, {"NO_PROXY": "intranet", "no_proxy": "127.0.0.1,b"})
    assert made["NO_PROXY"] == "intranet,127.0.0.1"
    assert made["no_proxy"] == "127.0.0.1,b"
    assert made["AWS_SESSION_TOKEN"] == ""
    assert made["AWS_EC2_METADATA_DISABLED"] == "true"
    assert "AWS_CREDENTIAL_EXPIRATION" not in made


def test_the_environment_wins_over_the_users(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'], boto3.Session().region_name)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **demo.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [demo.accounts[0], "eu-west-1"], done.stderr


def test_the_demo_starts_in_a_users_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(demo_module, "fill", one_account)
    running = start()
    try:
        assert running.accounts == ["123456789012"]
    finally:
        running.stop()


def one_account(url: str) -> dict[str, str]:
    from plugins.demo.world import MANAGEMENT_CREDENTIALS

    sts = Emulator(url).client("sts", "eu-west-1", MANAGEMENT_CREDENTIALS)
    return {"management": sts.get_caller_identity()["Account"]}


# The organization


def test_three_accounts_and_regions(demo: Demo, enter: Enter) -> None:
    assert len(set(demo.accounts)) == 3
    assert all(len(id) == 12 and id.isdigit() for id in demo.accounts)
    assert demo.accounts == ["123456789012", "508277728721", "670620411022"], "the same in every run"
    assert demo.regions == ["ap-southeast-2", "eu-west-1", "us-east-1"]
    listed = enter(MANAGEMENT, "organizations", "us-east-1").list_accounts()["Accounts"]
    assert {account["Id"] for account in listed} == set(demo.accounts)
    assert {account["Status"] for account in listed} == {"ACTIVE"}


@pytest.mark.parametrize("name", NAMES)
def test_the_role_leads_into_the_account(demo: Demo, enter: Enter, name: str) -> None:
    assert enter(name, "sts").get_caller_identity()["Account"] == demo.accounts[NAMES.index(name)]
    iam = enter(name, "iam")
    assert iam.list_account_aliases()["AccountAliases"] == [f"auditest-{name}"]
    attached = iam.list_attached_role_policies(RoleName=demo.role)["AttachedPolicies"]
    assert {policy["PolicyName"] for policy in attached} == {"SecurityAudit", "ViewOnlyAccess"}


def test_password_policies(enter: Enter) -> None:
    good = enter(MANAGEMENT, "iam").get_account_password_policy()["PasswordPolicy"]
    assert (good["MinimumPasswordLength"], good["PasswordReusePrevention"], good["MaxPasswordAge"]) == (16, 24, 90)
    assert enter(PRODUCTION, "iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 8
    iam = enter(SANDBOX, "iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_account_password_policy()


def test_users(enter: Enter) -> None:
    iam = enter(SANDBOX, "iam")
    names = {user["UserName"] for user in iam.list_users()["Users"]}
    assert {"alice", "bob", "eve+tag@example.com", "=1+2,@SUM.example"} <= names
    assert iam.list_mfa_devices(UserName="alice")["MFADevices"]
    assert not iam.list_mfa_devices(UserName="former-admin")["MFADevices"]
    assert iam.list_user_policies(UserName="eve+tag@example.com")["PolicyNames"] == ["inline"]
    assert iam.list_attached_user_policies(UserName="ci-deploy")["AttachedPolicies"]
    keys = iam.list_access_keys(UserName="ci-deploy")["AccessKeyMetadata"]
    assert [key["Status"] for key in keys] == ["Active", "Inactive"]
    used = [iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"] for key in keys]
    assert ["LastUsedDate" in use for use in used] == [True, False]
    own = {policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]}
    assert own == {"full-admin", "assume-any-role"}
    assert enter(MANAGEMENT, "iam").list_entities_for_policy(PolicyArn="arn:aws:iam::aws:policy/AWSSupportAccess")[
        "PolicyRoles"
    ]


def test_trails(enter: Enter) -> None:
    def trails(name: str, region: str) -> dict[str, tuple[bool, bool, bool]]:
        cloudtrail = enter(name, "cloudtrail", region)
        return {
            trail["Name"]: (
                trail["IsMultiRegionTrail"], trail["LogFileValidationEnabled"],
                cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"],
            )
            for trail in cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]
        }  # fmt: skip

    assert trails(MANAGEMENT, "eu-west-1") == {"all-regions": (True, True, True)}
    assert trails(PRODUCTION, "eu-west-1") == {"all-regions": (True, False, True)}
    assert trails(PRODUCTION, "ap-southeast-2") == {"one-region": (False, False, False)}
    assert trails(SANDBOX, "eu-west-1") == {"all-regions": (True, False, False)}


def test_monitoring_chains(enter: Enter) -> None:
    def chain(name: str) -> tuple[set[str], dict[str, list[str]]]:
        filters = enter(name, "logs").describe_metric_filters(logGroupName="cloudtrail/all-regions")["metricFilters"]
        alarms = enter(name, "cloudwatch").describe_alarms()["MetricAlarms"]
        return {found["filterName"] for found in filters}, {
            alarm["MetricName"]: alarm["AlarmActions"] for alarm in alarms
        }

    filters, alarms = chain(MANAGEMENT)
    assert len(PATTERNS) == 14
    assert filters == set(PATTERNS) == set(alarms)
    sns = enter(MANAGEMENT, "sns")
    assert {len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) for [topic] in alarms.values()} == {1}
    filters, alarms = chain(PRODUCTION)
    assert filters == set(BROKEN_CHAINS)
    assert "unauthorized-calls" not in alarms
    assert alarms["root-use"] == []
    assert (
        enter(PRODUCTION, "sns").list_subscriptions_by_topic(TopicArn=alarms["iam-changes"][0])["Subscriptions"] == []
    )
    assert "something-else" in alarms
    assert "trail-changes" not in alarms


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_good_and_bad(enter: Enter, region: str) -> None:
    def groups(name: str) -> dict[str, dict[str, Any]]:
        return {
            group["GroupName"]: group
            for group in enter(name, "ec2", region).describe_security_groups()["SecurityGroups"]
        }

    good, bad = groups(MANAGEMENT), groups(SANDBOX)
    assert good["default"]["IpPermissions"] == good["default"]["IpPermissionsEgress"] == []
    assert bad["default"]["IpPermissionsEgress"]
    assert {"ssh-open", "rdp-open", "all-ports", "=cmd [a::b];{}$*"} <= set(bad)
    assert bad["rdp-open"]["IpPermissions"][0]["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]
    assert "ssh-open-ipv6" in groups(PRODUCTION)
    assert enter(MANAGEMENT, "ec2", region).describe_flow_logs()["FlowLogs"]
    assert not enter(SANDBOX, "ec2", region).describe_flow_logs()["FlowLogs"]
    for name, public in ((MANAGEMENT, False), (SANDBOX, True)):
        [instance] = enter(name, "rds", region).describe_db_instances()["DBInstances"]
        assert (instance["PubliclyAccessible"], instance["StorageEncrypted"]) == (public, not public)
    kms = enter(MANAGEMENT, "kms", region)
    assert kms.get_key_rotation_status(KeyId=kms.describe_key(KeyId="alias/main")["KeyMetadata"]["KeyId"])[
        "KeyRotationEnabled"
    ]
    # An AWS managed key rotates; only the production account's second key does not.
    for name, off in ((MANAGEMENT, 0), (PRODUCTION, 1)):
        kms = enter(name, "kms", region)
        rotation = [
            kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] for key in kms.list_keys()["Keys"]
        ]
        assert rotation.count(False) == off
    assert enter(MANAGEMENT, "config", region).describe_configuration_recorder_status()["ConfigurationRecordersStatus"][
        0
    ]["recording"]
    assert not enter(SANDBOX, "config", region).describe_configuration_recorders()["ConfigurationRecorders"]


def test_machines(enter: Enter) -> None:
    found = [
        (instance, {tag["Key"]: tag["Value"] for tag in instance["Tags"]}["Name"])
        for reservation in enter(SANDBOX, "ec2").describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]
    assert {name for _, name in found} == {'dev "box" <script>alert(1)</script>', "=HYPERLINK(\u202e)"}
    assert {"IamInstanceProfile" in instance for instance, _ in found} == {True, False}
    peerings = enter(PRODUCTION, "ec2").describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert [peering["Status"]["Code"] for peering in peerings] == ["active"]


def test_buckets(demo: Demo, enter: Enter) -> None:
    s3 = enter(SANDBOX, "s3", "us-east-1")
    website = "auditest-sandbox-website"
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {
        website, "auditest-sandbox-dropbox", "auditest-sandbox-access-logs", "auditest-sandbox-trail-logs"
    }  # fmt: skip
    assert {item["Key"] for item in s3.list_objects_v2(Bucket=website)["Contents"]} == set(OBJECT_KEYS)
    assert '"Principal": "*"' in s3.get_bucket_policy(Bucket=website)["Policy"]
    grants = s3.get_bucket_acl(Bucket="auditest-sandbox-trail-logs")["Grants"]
    assert any(grant["Grantee"].get("URI", "").endswith("/AllUsers") for grant in grants)
    logs = enter(MANAGEMENT, "s3").get_bucket_logging(Bucket="auditest-management-trail-logs")
    assert logs["LoggingEnabled"]["TargetBucket"] == "auditest-management-access-logs"


@pytest.mark.parametrize(
    ("service", "operation", "key", "counts"),
    [
        ("lambda", "list_functions", "Functions", (1, 2, 1)),
        ("sqs", "list_queues", "QueueUrls", (2, 3, 3)),
        ("sns", "list_topics", "Topics", (2, 3, 1)),
        ("elbv2", "describe_load_balancers", "LoadBalancers", (2, 2, 2)),
        ("elb", "describe_load_balancers", "LoadBalancerDescriptions", (0, 0, 1)),
        ("ecr", "describe_repositories", "repositories", (1, 1, 1)),
        ("ecs", "list_task_definitions", "taskDefinitionArns", (1, 1, 1)),
        ("eks", "list_clusters", "clusters", (1, 1, 1)),
        ("dynamodb", "list_tables", "TableNames", (1, 1, 1)),
        ("redshift", "describe_clusters", "Clusters", (1, 1, 1)),
        ("opensearch", "list_domain_names", "DomainNames", (1, 1, 1)),
        ("efs", "describe_file_systems", "FileSystems", (1, 1, 1)),
        ("secretsmanager", "list_secrets", "SecretList", (1, 1, 1)),
        ("ssm", "describe_parameters", "Parameters", (1, 1, 1)),
        ("apigateway", "get_rest_apis", "items", (1, 1, 1)),
        ("cloudformation", "describe_stacks", "Stacks", (1, 1, 1)),
        ("autoscaling", "describe_launch_configurations", "LaunchConfigurations", (1, 1, 1)),
        ("route53", "list_hosted_zones", "HostedZones", (1, 1, 1)),
        ("ec2", "describe_launch_templates", "LaunchTemplates", (1, 1, 1)),
        ("ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations", (1, 1, 1)),
        ("guardduty", "list_detectors", "DetectorIds", (1, 1, 0)),
    ],
)
def test_a_spread_of_services(
    enter: Enter, service: str, operation: str, key: str, counts: tuple[int, int, int]
) -> None:
    found = tuple(len(getattr(enter(name, service), operation)().get(key, [])) for name in NAMES)
    assert found == counts


def test_endpoint_services(demo: Demo, enter: Enter) -> None:
    """The account itself is connected, in the sandbox a stranger; in production and sandbox strangers may ask."""
    owners, admitted = [], []
    for name in NAMES:
        ec2 = enter(name, "ec2")
        [service] = ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
        [connection] = ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"]
        assert connection["ServiceId"] == service["ServiceId"]
        assert connection["VpcEndpointState"] == "available"
        owners.append(connection["VpcEndpointOwner"])
        listed = ec2.describe_vpc_endpoint_service_permissions(ServiceId=service["ServiceId"])["AllowedPrincipals"]
        admitted.append({one["Principal"] for one in listed})
        assert enter(name, "ec2", "us-east-1").describe_vpc_endpoint_connections()["VpcEndpointConnections"] == []
    assert owners == [*demo.accounts[:2], STRANGER]
    root = f"arn:aws:iam::{demo.accounts[0]}:root"
    assert admitted == [{root}, {root, f"arn:aws:iam::{STRANGER}:role/partner"}, {"*"}]


@pytest.mark.parametrize("name", NAMES)
def test_edge(enter: Enter, name: str) -> None:
    assert len(enter(name, "acm", "us-east-1").list_certificates()["CertificateSummaryList"]) == 1
    [distribution] = enter(name, "cloudfront", "us-east-1").list_distributions()["DistributionList"]["Items"]
    assert (distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https") is (name == MANAGEMENT)


def test_the_folder_of_the_environment_is_private(demo: Demo) -> None:
    assert Path(demo.folder.name).parent == Path(tempfile.gettempdir())
    assert Path(demo.folder.name).stat().st_mode & 0o077 == 0


def test_calls_that_moto_lacks_are_answered(enter: Enter, demo: Demo) -> None:
    management, sandbox = NAMES.index(MANAGEMENT), SANDBOX
    assert enter(MANAGEMENT, "account").get_contact_information()["ContactInformation"]["PhoneNumber"]
    assert "PhoneNumber" not in enter(sandbox, "account").get_contact_information()["ContactInformation"]
    analyzers = enter(MANAGEMENT, "accessanalyzer").list_analyzers()["analyzers"]
    assert [one["arn"].split(":")[4] for one in analyzers] == [demo.accounts[management]]
    findings = enter(MANAGEMENT, "accessanalyzer").list_findings_v2(analyzerArn=analyzers[0]["arn"])["findings"]
    assert [one["status"] for one in findings] == ["ACTIVE"]
    assert enter(sandbox, "accessanalyzer").list_analyzers()["analyzers"] == []
    standards = enter(MANAGEMENT, "securityhub").get_enabled_standards()["StandardsSubscriptions"]
    assert [one["StandardsStatus"] for one in standards] == ["READY"]
    ids = ["a", "b", "c"]
    for name, statuses in ((MANAGEMENT, {"ok"}), (sandbox, {"ok", "error"})):
        found = enter(name, "support", "us-east-1").describe_trusted_advisor_check_summaries(checkIds=ids)["summaries"]
        assert [one["checkId"] for one in found] == ids
        assert {one["status"] for one in found} == statuses


def test_what_moto_does_not_know_is_answered_at_once(enter: Enter) -> None:
    client = enter(MANAGEMENT, "accessanalyzer")
    with pytest.raises(ClientError) as error:
        client.get_analyzer(analyzerName="account")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0
