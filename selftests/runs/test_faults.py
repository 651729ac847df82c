"""Faults on the way to AWS: what is reported is what a run without them reports, or ERROR. Never less, never else."""

from __future__ import annotations

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bench.faults import compare
from fixtures.access.session import base_session, role_session
from fixtures.access.target import Target
from fixtures.api.backend import Answer
from fixtures.api.clock import skew_from
from fixtures.api.errors import ApiError, UnexpectedAnswer
from fixtures.api.live import MADE_AGAIN, AwsBackend
from selftests.standins.aws_server import (
    THROTTLED,
    AwsServer,
    Reply,
    Request,
    json_error,
    passed_on,
    serving,
    throttled,
)
from selftests.whole_runs import Emulator, Start, Suite

EU = "eu-west-1"
KINDS = [THROTTLED, json_error("InternalFailure", status=500), Reply(reset=True)]
HTML = b"<html><head/><body>Please log in</body></html>"
KEYS = b'{"Keys":[{"KeyId":"a"}]}'


def call(service: str, operation: str, **params: str) -> Answer:
    return AwsBackend(base_session(""), "123456789012").call(EU, service, operation, params)


# -- answers that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "body", "words"),
    [
        ("kms", "ListKeys", HTML, "it is not JSON"),
        ("kms", "ListKeys", KEYS[:-3], "it is not JSON"),
        ("kms", "ListKeys", b"\x1f\x8b\x00binary", "it cannot be parsed"),
        ("kms", "ListKeys", b"", "it is empty"),
        ("kms", "ListKeys", b"null", "it is no structure"),
        ("kms", "ListKeys", b"[]", "ListKeysResponse is not a structure"),
        ("kms", "ListKeys", b'{"Keys":{}}', "KeyList is not a list"),
        ("kms", "ListKeys", b'{"message":"Forbidden"}', "nothing that the operation answers with, but message"),
        ("kms", "ListKeys", b'{"Keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it cannot be parsed"),
        ("sqs", "ListQueues", b'{"QueueUrls":{"a":1}}', "QueueUrlList is not a list"),
        ("lambda", "ListFunctions", HTML, "it is not JSON"),
        ("lambda", "ListFunctions", b'{"Functions":"none"}', "FunctionList is not a list"),
        ("lambda", "ListFunctions", b'{"Functions":[{"Layers":"abc"}]}', "is not a list"),
        ("lambda", "ListFunctions", b'{"Functions":[{"Environment":{"Variables":"abc"}}]}', "is not a map"),
        (
            "ecr",
            "DescribeRepositories",
            b'{"repositories":[{"imageScanningConfiguration":{"scanOnPush":"false"}}]}',
            "ScanOnPushFlag is not a boolean",
        ),
        ("iam", "ListUsers", HTML, "it cannot be parsed"),
        ("iam", "ListUsers", b"<ListUsersResponse><ListUsersResult><Users><member>", "it cannot be parsed"),
        ("ec2", "DescribeVpcs", HTML, "nothing that the operation answers with, but body, head"),
        ("ec2", "DescribeVpcs", b"<DescribeVpcsResponse><vpcSet><item>", "it cannot be parsed"),
        ("s3", "ListBuckets", HTML, "nothing that the operation answers with, but body, head"),
        ("s3", "ListBuckets", b"", "it is empty"),
        ("cloudfront", "ListDistributions", HTML, "nothing that the operation answers with, but body, head"),
    ],
)
def test_a_body_that_is_no_answer_is_an_error(
    aws: Start, service: str, operation: str, body: bytes, words: str
) -> None:
    aws(lambda _: Reply(body))
    with pytest.raises(UnexpectedAnswer, match=words) as raised:
        call(service, operation)
    error = raised.value
    assert (error.service, error.operation, error.region) == (service, operation, EU)
    assert "log in" not in str(error).lower()


@pytest.mark.parametrize(
    ("service", "operation", "body", "answer"),
    [
        ("kms", "ListKeys", b" " + KEYS + b"\n", {"Keys": [{"KeyId": "a"}]}),
        ("kms", "ListKeys", b'{"Keys":[],"Truncated":false,"News":[1]}', {"Keys": [], "Truncated": False}),
        ("kms", "ListAliases", b'{"Aliases":[{"AliasName":"\\ud800"}]}', {"Aliases": [{"AliasName": "\ud800"}]}),
        ("sqs", "ListQueues", b"{}", {}),
        ("sqs", "ListQueues", b'{"QueueUrls":null}', {}),
        ("lambda", "ListFunctions", b'{"Functions":[]}', {"Functions": []}),
        ("iam", "ListUsers", b"<ListUsersResponse><ListUsersResult/></ListUsersResponse>", {}),
        ("ec2", "DescribeVpcs", b"<DescribeVpcsResponse><requestId>1</requestId><vpcSet/></DescribeVpcsResponse>",
         {"Vpcs": []}),
        ("ec2", "DescribeVpcs", b"<DescribeVpcsResponse><requestId>1</requestId></DescribeVpcsResponse>", {}),
    ],
)  # fmt: skip
def test_answers_without_results_are_answers(
    aws: Start, service: str, operation: str, body: bytes, answer: Answer
) -> None:
    aws(lambda _: Reply(body))
    assert call(service, operation) == answer


def test_an_error_page_that_is_well_formed_is_no_unknown_error(aws: Start) -> None:
    aws(lambda _: Reply(b"<html>Log in</html>", 407))
    with pytest.raises(
        ApiError, match="sns:ListTopics failed in eu-west-1: 407: the endpoint answered with a web page"
    ):
        call("sns", "ListTopics")


def test_a_bucket_that_never_had_a_setting(aws: Start) -> None:
    aws(lambda _: Reply(b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'))
    assert call("s3", "GetBucketVersioning", Bucket="b") == {}


def test_what_breaks_off_is_asked_again(aws: Start) -> None:
    replies = iter([Reply(KEYS[:-4], length=len(KEYS)), Reply(KEYS)])
    server = aws(lambda _: next(replies))
    assert call("kms", "ListKeys") == {"Keys": [{"KeyId": "a"}]}
    assert len(server.requests) == 2


@pytest.mark.parametrize("service", ["kms", "iam", "s3", "ec2"])
def test_a_load_balancers_error_page_is_asked_again_and_then_an_error(
    aws: Start, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    server = aws(lambda _: Reply(b"<!DOCTYPE html><p>Bad gateway", 502))
    operation = {"kms": "ListKeys", "iam": "ListUsers", "s3": "ListBuckets", "ec2": "DescribeVpcs"}[service]
    with pytest.raises(ApiError, match=f"{service}:{operation} failed in {EU}: 502"):
        call(service, operation)
    assert len(server.requests) == 2


@pytest.mark.parametrize("service", ["rds", "docdb", "neptune"])
def test_an_error_is_told_by_its_code_where_botocore_changes_the_model(aws: Start, service: str) -> None:
    aws(lambda _: Reply(b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", 403))
    with pytest.raises(ApiError, match="access denied in eu-west-1: rds:DescribeDBInstances is needed"):
        call(service, "DescribeDBInstances")


# -- faults at random --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_every_page_of_every_call_or_an_error(aws: Start, share: float) -> None:
    """Three pages for each marker: what comes is complete whatever happens in between."""
    chance = random.Random(7)

    def answer(request: Request) -> Reply:
        if chance.random() < share:
            return chance.choice([*KINDS, Reply(_page(request), late=0.2), Reply(_page(request)[:-3])])
        return Reply(_page(request))

    server = aws(answer)
    backend = AwsBackend(base_session(""))

    def ask(region: str) -> Answer | ApiError:
        try:
            return backend.call(region, "kms", "ListKeys", {"Limit": 1})
        except ApiError as error:
            return error

    regions = [EU, "us-east-1", "eu-central-1", "ap-south-1", "sa-east-1", "us-west-2"]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, regions * 2))
    pages, attempts = 3, 8
    assert len(server.requests) <= len(found) * pages * attempts * (1 + MADE_AGAIN)
    complete = [one for one in found if not isinstance(one, ApiError)]
    assert complete
    for one in complete:
        assert [key["KeyId"] for key in one["Keys"]] == ["1", "2", "3"]
    assert {one.code for one in found if isinstance(one, ApiError)} <= {"UnexpectedAnswer"}


def _page(request: Request) -> bytes:
    number = next((number for number in (2, 3) if f'"Marker": "m{number}"' in request.body), 1)
    more = f',"Truncated":true,"NextMarker":"m{number + 1}"' if number < 3 else ""
    return f'{{"Keys":[{{"KeyId":"{number}"}}]{more}}}'.encode()


def test_a_run_that_asks_nothing_again_finds_the_same_or_says_error(suite: Suite, emulator: Emulator) -> None:
    chance = random.Random(3)

    def answer(request: Request) -> Reply:
        if request.service == "sts" or chance.random() >= 0.2:
            return passed_on(request, emulator.url)
        return chance.choice([throttled(request), *KINDS[1:]])

    checks = "--check=check11,check13,check16,check21,check25,check28,check29,check41,check43"
    regions = "--filter-region=eu-west-1,us-east-1"
    clean = suite(checks, regions, env=emulator.environment).statuses()
    with serving(AwsServer(answer)) as server:
        environment = {**emulator.environment, "AWS_ENDPOINT_URL": server.url, "AWS_MAX_ATTEMPTS": "1"}
        found = suite(checks, regions, env=environment).statuses()
    comparison = compare(clean, found)
    assert (comparison.missing, comparison.wrong) == ([], [])
    assert comparison.errors
    assert not [found[key] for key in comparison.errors if "the check stopped with" in found[key]]


# -- credentials, clocks, names ----------------------------------------------------------------------------------------


def _issued(number: int) -> Reply:
    ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Reply(
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s"
        f"</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{ends}</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>".encode()
    )


EXPIRED = json_error("ExpiredTokenException", "The security token included in the request is expired")


class Role:
    """STS that issues ASIA1, ASIA2, ...; KMS takes only the keys that are ``good``."""

    def __init__(self, *good: str, issues: int = 9) -> None:
        self.good, self.issues, self.issued = good, issues, 0

    def __call__(self, request: Request) -> Reply:
        if request.service != "sts":
            return Reply(KEYS) if request.key in self.good else EXPIRED
        self.issued += 1
        if self.issued > self.issues:
            body = (
                b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no longer</Message></Error></ErrorResponse>"
            )
            return Reply(body, 403)
        return _issued(self.issued)

    def backend(self) -> AwsBackend:
        session = role_session(AwsBackend(base_session("")), Target(role="r"), "arn:aws:iam::123456789012:role/r")
        return AwsBackend(session, "123456789012")


def test_a_role_session_that_ends_early_is_renewed_once_for_all_who_ask(aws: Start) -> None:
    role = Role("ASIA2")
    aws(role)
    backend = role.backend()
    regions = [EU, "us-east-1", "us-west-2", "eu-central-1"]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: backend.call(regions[number % 4], "kms", "ListKeys", {}), range(16)))
    assert found == [{"Keys": [{"KeyId": "a"}]}] * 16
    assert role.issued == 2


def test_a_renewed_session_that_is_refused_too_is_an_error(aws: Start) -> None:
    role = Role()
    aws(role)
    with pytest.raises(ApiError, match=r"the credentials have expired: kms:ListKeys failed in eu-west-1 \(ExpiredTok"):
        role.backend().call(EU, "kms", "ListKeys", {})
    assert role.issued == 2


def test_a_role_that_can_no_longer_be_assumed_is_named(aws: Start) -> None:
    role = Role(issues=1)
    aws(role)
    with pytest.raises(ApiError, match="sts:AssumeRole"):
        role.backend().call(EU, "kms", "ListKeys", {})


def test_lasting_credentials_that_expire_are_an_error_that_says_so(aws: Start) -> None:
    server = aws(lambda _: EXPIRED)
    with pytest.raises(ApiError, match=r"the credentials have expired: .*ExpiredTokenException.*; log in again"):
        call("kms", "ListKeys")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("minutes", "words"), [(30, "30 minutes behind"), (-7, "7 minutes ahead of"), (2, "")])
def test_a_clock_that_is_wrong_is_named(aws: Start, minutes: int, words: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    aws(lambda _: json_error("SignatureDoesNotMatch", "Signature not yet current", 403, Date=date))
    with pytest.raises(ApiError) as raised:
        call("kms", "ListKeys")
    assert words in str(raised.value)
    assert ("clock" in str(raised.value)) == bool(words)


def test_a_date_that_is_none_says_nothing_of_the_clock() -> None:
    response = {"ResponseMetadata": {"HTTPHeaders": {"date": "yesterday"}}}
    assert skew_from(response, "SignatureDoesNotMatch") == ""


def test_a_region_whose_name_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def unknown(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with pytest.raises(
        ApiError, match=r"kms:ListKeys failed in eu-west-1: EndpointConnectionError: no answer from http"
    ):
        call("kms", "ListKeys")
    assert len(asked) == 2, "as often as AWS_MAX_ATTEMPTS says"
