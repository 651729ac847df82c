"""The api layer: complete pages, each call once, single flight, errors that name the permission."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from fixtures.account import Account
from fixtures.api import CALLS_PER_SERVICE, Crew, WouldBlock, only_known_answers, utcnow
from fixtures.backend import Answer, AwsBackend, Backend
from fixtures.errors import ApiError, UnexpectedAnswer, iam_action
from fixtures.readonly import WriteRefused
from fixtures.session import base_session
from selftests.conftest import ACCOUNT


class SlowBackend:
    """Answers after a moment and remembers how many calls were in flight."""

    def __init__(self, seconds: float = 0.02, error: ApiError | None = None) -> None:
        self.seconds, self.error = seconds, error
        self.calls: list[tuple[str, str, str]] = []
        self.now = self.peak = 0
        self.lock = threading.Lock()

    def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        with self.lock:
            self.calls.append((region, service, operation))
            self.now += 1
            self.peak = max(self.peak, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        if self.error:
            raise self.error
        return {"Params": dict(params)}


def account(backend: Backend, regions: tuple[str, ...] = ("eu-west-1", "us-east-1")) -> Account:
    return Account(ACCOUNT, backend=backend, crew=Crew(32), now=utcnow(), regions=regions)


def test_each_distinct_call_is_made_once_even_when_many_ask_at_the_same_time() -> None:
    backend = SlowBackend()
    api = account(backend).api
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: api.call("ec2", "DescribeVpcs", VpcIds=["a"], MaxResults=5), range(16)))
    assert all(answer is answers[0] for answer in answers)
    assert api.call("ec2", "DescribeVpcs", MaxResults=5, VpcIds=["a"]) is answers[0]
    assert len(backend.calls) == 1
    api.call("ec2", "DescribeVpcs", VpcIds=["b"], MaxResults=5)
    assert len(backend.calls) == 2


def test_an_error_is_remembered_like_an_answer() -> None:
    backend = SlowBackend(error=ApiError("ec2", "DescribeVpcs", "UnauthorizedOperation", "no"))
    api = account(backend).api
    for _ in range(3):
        with pytest.raises(ApiError, match="access denied: ec2:DescribeVpcs is needed"):
            api.call("ec2", "DescribeVpcs")
    assert len(backend.calls) == 1


def test_calls_in_flight_are_limited_per_region_and_service() -> None:
    backend = SlowBackend(0.01)
    owner = account(backend)
    owner.crew.gather([lambda n=n: owner.api.call("iam", "GetUser", UserName=str(n)) for n in range(60)])  # type: ignore[misc]
    assert backend.peak == CALLS_PER_SERVICE
    assert len(backend.calls) == 60


def test_polling_asks_every_time() -> None:
    backend = SlowBackend(0)
    api = account(backend).api
    api.call_again("iam", "GetCredentialReport")
    api.call_again("iam", "GetCredentialReport")
    assert len(backend.calls) == 2


def test_known_answers_only() -> None:
    backend = SlowBackend(0)
    api = account(backend).api
    with only_known_answers(), pytest.raises(WouldBlock):
        api.call("ec2", "DescribeVpcs")
    assert not backend.calls
    answer = api.call("ec2", "DescribeVpcs")
    with only_known_answers():
        assert api.call("ec2", "DescribeVpcs") is answer


def test_every_region_is_asked_side_by_side_and_one_failure_is_one_regions() -> None:
    class OneRegionDown(SlowBackend):
        def call(self, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
            if region == "us-east-1":
                raise ApiError(service, operation, "ConnectTimeoutError", "no answer", region=region)
            return super().call(region, service, operation, params)

    answers = account(OneRegionDown()).call_in_every_region("cloudtrail", "DescribeTrails")
    assert answers["eu-west-1"] == {"Params": {}}
    assert isinstance(answers["us-east-1"], ApiError)
    assert "us-east-1" in str(answers["us-east-1"])


def test_a_write_never_reaches_the_backend() -> None:
    backend = SlowBackend(0)
    with pytest.raises(WriteRefused):
        account(backend).api.call("s3", "DeleteBucket", Bucket="b")
    assert not backend.calls


@pytest.mark.usefixtures("moto")
def test_all_pages_are_merged() -> None:
    iam = boto3.client("iam")
    for number in range(120):
        iam.create_user(UserName=f"user{number:03}")
    backend = AwsBackend(base_session(""))
    small = backend.call("us-east-1", "iam", "ListUsers", {"MaxItems": 7})
    assert [user["UserName"] for user in small["Users"]] == [f"user{number:03}" for number in range(120)]
    assert len(backend.call("us-east-1", "iam", "ListUsers", {})["Users"]) == 120


def test_a_page_token_is_followed_without_a_paginator(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = AwsBackend(base_session(""))
    client = backend.client("ec2", "eu-west-1")
    pages: dict[str | None, dict[str, Any]] = {
        None: {"Items": [1], "NextToken": "a"},
        "a": {"Items": [2], "NextToken": "b"},
        "b": {"Items": [3]},
    }
    monkeypatch.setattr(client, "can_paginate", lambda _: False)
    monkeypatch.setattr(client, "describe_instances", lambda **p: dict(pages[p.get("NextToken")]), raising=False)
    assert backend.call("eu-west-1", "ec2", "DescribeInstances", {})["Items"] == [1, 2, 3]


def test_a_page_token_that_leads_in_circles_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = AwsBackend(base_session(""))
    client = backend.client("ec2", "eu-west-1")
    monkeypatch.setattr(client, "can_paginate", lambda _: False)
    monkeypatch.setattr(client, "describe_instances", lambda **_: {"Items": [1], "NextToken": "a"}, raising=False)
    with pytest.raises(UnexpectedAnswer, match="more pages"):
        backend.call("eu-west-1", "ec2", "DescribeInstances", {})


def test_an_endpoint_that_does_not_answer_is_an_api_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ApiError, match=r"sqs:ListQueues failed in eu-west-1: EndpointConnectionError"):
        AwsBackend(base_session("")).call("eu-west-1", "sqs", "ListQueues", {})


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("elbv2", "DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("apigateway", "GetRestApis", "apigateway:GET"), ("ec2", "DescribeVpcs", "ec2:DescribeVpcs"),
    ],
)  # fmt: skip
def test_the_action_to_allow(service: str, operation: str, action: str) -> None:
    assert iam_action(service, operation) == action


def test_the_action_in_aws_own_words_goes_first() -> None:
    reason = "User: arn:aws:iam::1:user/x is not authorized to perform: s3:ListAllMyBuckets because no policy allows it"
    assert ApiError("s3", "Whatever", "AccessDenied", reason).action == "s3:ListAllMyBuckets"


def _server(answer: bytes | None) -> tuple[socket.socket, str]:
    """A listener that gives every connection this answer, or resets it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(65536)
            if answer is None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(answer)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


THROTTLED = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "ConnectionClosedError"),
        (b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", "kms:ListKeys failed in eu-west-1: 500"),
        (b"HTTP/1.1 400 X\r\nContent-Length: %d\r\n\r\n%s" % (len(THROTTLED), THROTTLED), "kms:ListKeys was throttled"),
    ],
    ids=["reset", "500", "throttled out"],
)
def test_faults_on_the_wire_are_api_errors(monkeypatch: pytest.MonkeyPatch, answer: bytes | None, words: str) -> None:
    listener, url = _server(answer)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    try:
        with pytest.raises(ApiError, match=words):
            AwsBackend(base_session("")).call("eu-west-1", "kms", "ListKeys", {})
    finally:
        listener.close()
