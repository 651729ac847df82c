"""The read-only guard, against every operation of every service that botocore knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import boto3
import botocore.session
import pytest

from fixtures.backend import AwsBackend
from fixtures.lean import make_whole
from fixtures.readonly import READ_VERBS, WRITE_EXCEPTIONS, WriteRefused, is_allowed, refuse_writes
from fixtures.session import base_session


def every_operation() -> Iterator[tuple[str, str]]:
    """(service, operation) of all of AWS, as far as the installed botocore knows it."""
    session = botocore.session.get_session()
    for service in session.get_available_services():
        for operation in session.get_service_model(service).operation_names:
            yield service, operation


def test_every_operation_that_does_not_read_is_refused() -> None:
    refused = allowed = 0
    for service, operation in every_operation():
        reads = re.match(rf"({'|'.join(READ_VERBS)})([A-Z0-9]|$)", operation)
        if is_allowed(service, operation):
            allowed += 1
            named = (service, operation) in WRITE_EXCEPTIONS or service in ("sts", "sso")
            assert reads or named, f"{service}:{operation} is allowed and does not read"
        else:
            refused += 1
            with pytest.raises(WriteRefused, match=f"{service}:{operation}"):
                refuse_writes(service, operation)
    assert refused > 8000
    assert allowed > 5000


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "DeleteBucket"), ("s3", "PutBucketPolicy"), ("ec2", "RunInstances"), ("iam", "CreateUser"),
        ("iam", "UpdateAccountPasswordPolicy"), ("kms", "ScheduleKeyDeletion"), ("kms", "Decrypt"),
        ("secretsmanager", "GetSecretValue"), ("secretsmanager", "BatchGetSecretValue"), ("ssm", "GetParameter"),
        ("ssm", "GetParametersByPath"), ("sts", "GetSessionToken"), ("sts", "GetFederationToken"), ("s3", "GetObject"),
        ("ecr", "GetAuthorizationToken"), ("ec2", "GetPasswordData"), ("ec2", "GetConsoleOutput"),
        ("dynamodb", "GetItem"), ("dynamodb", "BatchGetItem"), ("kinesis", "GetRecords"), ("lambda", "Invoke"),
        ("redshift", "GetClusterCredentials"), ("cognito-identity", "GetId"), ("sqs", "ReceiveMessage"),
        ("securityhub", "DisableSecurityHub"), ("iam", "GenerateServiceLastAccessedDetails"),
    ],
)  # fmt: skip
def test_writes_and_reads_of_secrets_are_refused(service: str, operation: str) -> None:
    assert not is_allowed(service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [("iam", "GetCredentialReport"), ("iam", "GenerateCredentialReport"), ("s3", "ListBuckets"), ("s3", "HeadBucket"),
     ("ec2", "DescribeInstances"), ("lambda", "GetPolicy"), ("sts", "GetCallerIdentity"), ("kms", "GetKeyPolicy"),
     ("iam", "GetAccountAuthorizationDetails"), ("lambda", "GetFunction"), ("ecr", "GetRepositoryPolicy")],
)  # fmt: skip
def test_the_reads_of_an_audit_are_allowed(service: str, operation: str) -> None:
    assert is_allowed(service, operation)


@pytest.mark.usefixtures("moto")
def test_the_guard_stands_before_every_client_of_the_session() -> None:
    session = base_session("")
    make_whole(session)
    client = boto3.Session(botocore_session=session).client("sqs", region_name="eu-west-1")
    with pytest.raises(WriteRefused, match="sqs:CreateQueue"):
        client.create_queue(QueueName="q")
    assert "QueueUrls" not in client.list_queues()
    with pytest.raises(WriteRefused):
        AwsBackend(base_session("")).call("eu-west-1", "sqs", "CreateQueue", {"QueueName": "q"})
