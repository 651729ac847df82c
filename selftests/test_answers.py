"""selftests/answers.py and StubBackend: what AWS could not say, or would not accept, fails a test."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from selftests.answers import Malformed, Misfit, Undocumented, fitting, operation_model, verify_parameters
from selftests.conftest import Audit, StubBackend

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("service", "operation", "answer"),
    [
        ("sqs", "ListQueues", {}),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"name": "a", "createdAt": NOW}]}),
        ("sqs", "GetQueueAttributes", {"Attributes": {"Policy": "{}"}}),
        ("iam", "GetCredentialReport", {"Content": b"user\n", "GeneratedTime": NOW}),
        ("iam", "GetPolicyVersion", {"PolicyVersion": {"Document": {"Statement": []}}}),
        ("iam", "GetPolicyVersion", {"PolicyVersion": {"Document": "{not json"}}),
        ("s3", "GetBucketLocation", {"LocationConstraint": None}),
        ("s3", "GetObjectTagging", {"TagSet": []}),
        ("ec2", "DescribeVpcEndpointConnections", {"VpcEndpointConnections": [{"VpcEndpointState": "available"}]}),
        ("macie2", "GetMacieSession", {"status": Undocumented("SLEEPING")}),
        ("cloudwatch", "DescribeAlarms", {"MetricAlarms": [{"Threshold": 1.0}]}),
        ("guardduty", "ListDetectors", {"DetectorIds": []}),
        ("wafv2", "GetWebACL", {"WebACL": {"DefaultAction": {"Allow": {}}}}),
    ],
)
def test_answers_that_fit(service: str, operation: str, answer: Any) -> None:
    assert fitting(service, operation, answer) is answer


@pytest.mark.parametrize(
    ("service", "operation", "answer", "message"),
    [
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"arn": 1}]}, "ListAnalyzers.analyzers[0].arn: '1' (int) is no string (str)"),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"createdAt": 5}]}, "ListAnalyzers.analyzers[0].createdAt: '5' (int) is no timestamp"),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"createdAt": datetime(2026, 1, 1)}]}, "has no time zone"),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"status": "ON"}]}, "ListAnalyzers.analyzers[0].status: 'ON' is none of ACTIVE, "),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": [{"status": Undocumented("ACTIVE")}]}, "'ACTIVE' is documented"),
        ("accessanalyzer", "ListAnalyzers", {"analyzer": []}, "ListAnalyzers.analyzer: no such member; ListAnalyzersResponse has analyzers, nextToken"),
        ("accessanalyzer", "ListAnalyzers", {"analyzers": ()}, "ListAnalyzers.analyzers: '()' (tuple) is no list"),
        ("accessanalyzer", "ListAnalyzers", None, "ListAnalyzers: None is no structure"),
        ("sqs", "GetQueueAttributes", {"Attributes": {"Polici": "{}"}}, "GetQueueAttributes.Attributes key: 'Polici' is none of"),
        ("sqs", "GetQueueAttributes", {"Attributes": {"DelaySeconds": 1}}, "GetQueueAttributes.Attributes['DelaySeconds']: '1' (int) is no string"),
        ("redshift", "DescribeLoggingStatus", {"LoggingEnabled": "true"}, "DescribeLoggingStatus.LoggingEnabled: 'true' (str) is no boolean"),
        ("redshift", "DescribeLoggingStatus", {"BucketName": None}, "DescribeLoggingStatus.BucketName: None is no string"),
        ("redshift", "DescribeClusters", {"Clusters": [{"NumberOfNodes": True}]}, "NumberOfNodes: 'True' (bool) is no integer"),
        ("redshift", "DescribeClusters", {"Clusters": [{"TotalStorageCapacityInMegaBytes": 1.0}]}, "is no long (int)"),
        ("rds", "DescribeDBClusters", {"DBClusters": [{"ServerlessV2ScalingConfiguration": {"MinCapacity": 1}}]}, "'1' (int) is no double (float)"),
        ("iam", "GetCredentialReport", {"Content": "user\n"}, "GetCredentialReport.Content: 'user\\n' (str) is no blob (bytes)"),
        ("iam", "GetPolicyVersion", {"PolicyVersion": {"Document": "%7B%7D"}}, "botocore has decoded this document"),
        ("wafv2", "GetWebACL", {"WebACL": {"DefaultAction": {"Allow": {}}, "Rules": [{"Statement": 1}]}}, "GetWebACL.WebACL.Rules[0].Statement: '1' (int) is no structure"),
        ("sqs", "ListQueues", {"ResponseMetadata": {}}, "ListQueues.ResponseMetadata: no such member"),
        ("s3", "HeadBuckets", {}, "s3:HeadBuckets: no operation of s3 that only reads has this name"),
        ("sqss", "ListQueues", {}, "sqss: botocore knows no such service"),
    ],
)  # fmt: skip
def test_answers_that_do_not_fit(service: str, operation: str, answer: Any, message: str) -> None:
    with pytest.raises(Misfit) as raised:
        fitting(service, operation, answer)
    assert message in str(raised.value)


def test_what_is_malformed_on_purpose_has_to_be() -> None:
    odd = {"QueueUrls": "https://…"}
    assert fitting("sqs", "ListQueues", Malformed(odd, "a text in place of a list")) is odd
    with pytest.raises(Misfit, match=r"well-formed, so it is not Malformed \(no queues\)"):
        fitting("sqs", "ListQueues", Malformed({}, "no queues"))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "message"),
    [
        ("sqs", "GetQueueAttributes", {}, 'Missing required parameter in input: "QueueUrl"'),
        ("sqs", "ListQueues", {"Prefix": "a"}, 'Unknown parameter in input: "Prefix"'),
        ("sqs", "ListQueues", {"MaxResults": "10"}, "Invalid type for parameter MaxResults"),
        ("iam", "ListPolicies", {"Scope": "Mine"}, "ListPolicies.Scope: 'Mine' is none of All, AWS, Local"),
        ("sts", "GetCallerIdentity", {"Account": "1"}, 'Unknown parameter in input: "Account"'),
    ],
)
def test_parameters_that_aws_refuses(service: str, operation: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(Misfit) as raised:
        verify_parameters(service, operation, parameters)
    assert message in str(raised.value)


def test_models_are_read_once() -> None:
    assert operation_model("sqs", "ListQueues") is operation_model("sqs", "ListQueues")


def test_answers_are_verified_before_any_call() -> None:
    with pytest.raises(Misfit, match=r"ListQueues\.Urls"):
        StubBackend({"sqs:ListQueues@eu-west-1": {"Urls": []}}, None)
    with pytest.raises(Misfit, match="sqs:ListQueue: no operation"):
        StubBackend({"sqs:ListQueue": ValueError()}, None)


def test_a_check_cannot_swallow_a_misfit(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discovery turns whatever is raised into ERROR, and a check's AssertionError is FAIL."""
    with pytest.raises(Misfit, match=r"ListQueues\.Urls: no such member"):
        audit("extra728", live=False, answers={"sqs:ListQueues": lambda params: {"Urls": []}})
    queue = audit.checks["extra728"].resource
    assert queue is not None
    monkeypatch.setattr(sys.modules[queue.__module__], "QUEUES_PER_PAGE", "many")
    for live in (False, True):
        with pytest.raises(Misfit, match="Invalid type for parameter MaxResults"):
            audit("extra728", live=live, answers={} if live else {"sqs:ListQueues": {}})
