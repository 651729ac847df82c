"""ERROR, never a wrong PASS: one permission less, one call that fails, and exactly the checks that need it say so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from moto.core.authorization import enable_iam_authentication
from moto.iam.models import iam_backends

from fixtures.access.session import base_session
from fixtures.api.backend import Answer, Backend
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.api.live import AwsBackend
from fixtures.model import Account
from plugins.audit.discovery import discover, rows_for
from plugins.catalog.checks import Check
from plugins.findings.verdict import evaluate
from selftests.conftest import ACCOUNT

REGIONS = ["us-east-1", "eu-west-1"]
Verdicts = dict[tuple[str, str, str], str]


def audit_everything(checks: Mapping[str, Check], backend: Backend) -> Verdicts:
    """All CIS checks on the default account: (check, region, resource) -> status and message."""
    iam_backends[ACCOUNT]["aws"].credential_report = None  # so that it has to be generated again
    crew = Crew(16)
    account = Account(ACCOUNT, backend=backend, crew=crew, now=utcnow(), regions=REGIONS)
    wanted = {id: check for id, check in checks.items() if id.startswith("check") and check.resource is not None}
    try:
        found = discover({c.resource for c in wanted.values() if c.resource}, [account], crew)
        verdicts: Verdicts = {}
        for id, check in wanted.items():
            for row in rows_for(check, found, [account]):
                verdict = row.verdict or evaluate(check, row.subject)
                assert not verdict.crash, verdict.crash
                verdicts[id, row.region, row.label] = f"{verdict.status}: {verdict.message}"
        return verdicts
    finally:
        crew.close()


class Recording:
    """Passes calls on, remembers which were made, and may answer one operation differently."""

    def __init__(self, inner: Backend, broken: str = "", answer: Callable[[], Answer] | None = None) -> None:
        self.inner, self.broken, self.answer = inner, broken, answer
        self.operations: set[str] = set()
        self.by_region: set[tuple[str, str]] = set()

    def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        name = f"{service}:{operation}"
        self.operations.add(name)
        self.by_region.add((name, region))
        if self.broken in (name, f"{name}@{region}", f"@{region}") and self.answer is not None:
            return self.answer()
        return self.inner.call(region, service, operation, params)


@pytest.fixture
def world(moto: None) -> None:
    """An account with something for most checks to look at."""
    iam, s3 = boto3.client("iam"), boto3.client("s3", "us-east-1")
    iam.create_user(UserName="alice")
    iam.create_login_profile(UserName="alice", Password="Aa1!aaaaaaaaaaaa")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    iam.create_policy(PolicyName="reader", PolicyDocument=json.dumps(policy))
    s3.create_bucket(Bucket="trail-logs")
    boto3.client("sns", "us-east-1").create_topic(Name="alarms")
    for region in REGIONS:
        ec2, logs = boto3.client("ec2", region), boto3.client("logs", region)
        ec2.create_security_group(GroupName="web", Description="d")
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        boto3.client("kms", region).create_key()
        logs.create_log_group(logGroupName="trail")
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"
    role = f"arn:aws:iam::{ACCOUNT}:role/x"
    trail = boto3.client("cloudtrail", "us-east-1")
    trail.create_trail(
        Name="main",
        S3BucketName="trail-logs",
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=arn,
        CloudWatchLogsRoleArn=role,
    )
    trail.start_logging(Name="main")
    boto3.client("logs", "us-east-1").put_metric_filter(
        logGroupName="trail", filterName="f", filterPattern="{ $.eventName = * }",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
    )  # fmt: skip
    topic = boto3.client("sns", "us-east-1").list_topics()["Topics"][0]["TopicArn"]
    boto3.client("cloudwatch", "us-east-1").put_metric_alarm(
        AlarmName="a", MetricName="m", Namespace="n", Threshold=1, ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1, Period=60, Statistic="Sum", AlarmActions=[topic],
    )  # fmt: skip


def changed(before: Verdicts, after: Verdicts) -> Verdicts:
    """What is different in ``after``, but for the auditing users themselves, who use their keys meanwhile."""
    return {key: text for key, text in after.items() if before.get(key) != text and not key[2].startswith("auditor")}


def test_one_denied_action_at_a_time(checks: dict[str, Check], world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = boto3.client("iam")
    recorder = Recording(AwsBackend(base_session(""), ACCOUNT))
    audit_everything(checks, recorder)
    from fixtures.api.iam_actions import iam_action

    actions = sorted({iam_action(*name.split(":")) for name in recorder.operations})
    users: dict[str, dict[str, str]] = {}
    for number, action in enumerate(["none:None", *actions]):
        name = f"auditor{number}"
        iam.create_user(UserName=name)
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        users[action] = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def as_user(action: str) -> Verdicts:
        for name, value in users[action].items():
            monkeypatch.setenv(name, value)
        with enable_iam_authentication():
            return audit_everything(checks, AwsBackend(base_session(""), ACCOUNT))

    everything = as_user("none:None")
    assert not [text for text in everything.values() if text.startswith("ERROR") and "access denied" in text]
    unenforced = set()
    for action in actions:
        different = changed(everything, as_user(action))
        if not different:
            unenforced.add(action)
        for key, text in different.items():
            # the emulator's IAM entities are part of the world: only findings that turned into something matter
            assert text.startswith("ERROR: access denied"), (action, key, text, everything.get(key))
            assert f"{action} is needed" in text, (action, key, text)
    assert unenforced == UNENFORCED


UNENFORCED = {
    "account:GetContactInformation",  # moto does not implement the call
    "cloudwatch:DescribeAlarms",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucketPublicAccessBlock",
}
"""Actions that moto's IAM enforcement does not look at; the checks' own tests deny them by stubs."""


def _fault(code: str, reason: str) -> Callable[[], Answer]:
    def answer() -> Answer:
        raise ApiError("service", "Operation", code, reason)

    return answer


def test_a_call_that_fails_is_an_error_and_nothing_else_changes(checks: dict[str, Check], world: None) -> None:
    code, words = "ThrottlingException", "was throttled"
    live = AwsBackend(base_session(""), ACCOUNT)
    recorder = Recording(live)
    before = audit_everything(checks, recorder)
    for name in sorted(recorder.operations):
        broken = Recording(live, name, _fault(code, "injected"))
        different = changed(before, audit_everything(checks, broken))
        assert different, f"{name} fails and nothing shows it"
        for key, text in different.items():
            assert text.startswith("ERROR"), (name, key, text, before.get(key))
            assert words in text


def test_a_region_that_does_not_answer(checks: dict[str, Check], world: None) -> None:
    before = audit_everything(checks, AwsBackend(base_session(""), ACCOUNT))
    dead = Recording(AwsBackend(base_session(""), ACCOUNT), "@eu-west-1", _fault("ConnectTimeoutError", "no answer"))
    different = changed(before, audit_everything(checks, dead))
    assert different
    for key, text in different.items():
        assert text.startswith("ERROR"), (key, text, before.get(key))


def test_an_answer_of_another_shape_is_never_a_pass(checks: dict[str, Check], world: None) -> None:
    live = AwsBackend(base_session(""), ACCOUNT)
    recorder = Recording(live)
    before = audit_everything(checks, recorder)
    passed = {key for key, text in before.items() if text.startswith("PASS")}
    for name in sorted(recorder.operations):
        try:
            after = audit_everything(checks, Recording(live, name, lambda: {"Unknown": 1}))
        except AssertionError:
            continue  # a crash in the check's code: an ERROR finding
        new = {key for key, text in after.items() if text.startswith("PASS")} - passed
        assert not new, (name, new)
