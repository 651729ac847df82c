"""A region without an endpoint of a service: nothing of it to audit there, and never an answer that was not given."""

from __future__ import annotations

import socket

import pytest

from fixtures.account import Account
from fixtures.api import Crew, utcnow
from fixtures.backend import AwsBackend
from fixtures.endpoints import NOT_OFFERED
from fixtures.errors import ApiError
from fixtures.session import base_session
from plugins.catalog import Check
from plugins.discovery import discover, rows_for
from selftests.conftest import ACCOUNT


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Host name -> error number that looking it up gives (0 = it exists). Any other name fails the test."""
    answers: dict[str, int] = {}

    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        if answers[host]:
            raise socket.gaierror(answers[host], "resolver says no")
        return []

    monkeypatch.setattr("fixtures.endpoints.socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr("fixtures.endpoints.getproxies", dict)
    return answers


def test_no_endpoint_by_data_and_dns(resolver: dict[str, int]) -> None:
    resolver["macie2.ca-west-1.amazonaws.com"] = socket.EAI_NONAME
    backend = AwsBackend(base_session(""))
    with pytest.raises(ApiError, match="macie2 is not offered in ca-west-1"):
        backend.call("ca-west-1", "macie2", "GetMacieSession", {})


@pytest.mark.parametrize("answer", [0, socket.EAI_AGAIN])
def test_dns_that_knows_the_name_or_nothing_is_no_proof(
    resolver: dict[str, int], answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver["macie2.ca-west-1.amazonaws.com"] = answer
    monkeypatch.setattr("fixtures.backend._all_pages", lambda *_: {"status": "ENABLED"})
    assert AwsBackend(base_session("")).call("ca-west-1", "macie2", "GetMacieSession", {}) == {"status": "ENABLED"}


def test_listed_regions_global_services_proxies_and_custom_endpoints_are_asked(
    resolver: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.backend._all_pages", lambda *_: {"asked": True})
    backend = AwsBackend(base_session(""))
    assert backend.call("eu-west-1", "macie2", "GetMacieSession", {}) == {"asked": True}  # no name was looked up
    assert backend.call("ca-west-1", "iam", "ListUsers", {}) == {"asked": True}
    monkeypatch.setattr("fixtures.endpoints.getproxies", lambda: {"https": "http://proxy:3128"})
    assert backend.call("ca-west-1", "macie2", "GetMacieSession", {}) == {"asked": True}
    monkeypatch.setattr("fixtures.endpoints.getproxies", dict)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert AwsBackend(base_session("")).call("ca-west-1", "macie2", "GetMacieSession", {}) == {"asked": True}


class Fails:
    def __init__(self, code: str, service: str) -> None:
        self.code, self.service = code, service

    def call(self, region: str, service: str, operation: str, params: object) -> dict[str, object]:
        raise ApiError(self.service, operation, self.code, "x", region=region)


@pytest.mark.parametrize(
    ("code", "service", "expected"),
    [
        (NOT_OFFERED, "sqs", f"INFO: no queue to check in ca-west-1 {ACCOUNT}"),
        (NOT_OFFERED, "kms", f"ERROR: kms:ListQueues failed in ca-west-1: {NOT_OFFERED}: x {ACCOUNT} ca-west-1"),
        (
            "EndpointConnectionError",
            "sqs",
            f"ERROR: sqs:ListQueues failed in ca-west-1: EndpointConnectionError: x {ACCOUNT} ca-west-1",
        ),
    ],
)
def test_a_kind_whose_own_service_is_not_offered_has_no_items(
    checks: dict[str, Check], code: str, service: str, expected: str
) -> None:
    crew = Crew(2)
    account = Account(ACCOUNT, backend=Fails(code, service), crew=crew, now=utcnow(), regions=["ca-west-1"])
    check = checks["extra727"]
    assert check.resource is not None
    [row] = rows_for(check, discover([check.resource], [account], crew), [account])
    crew.close()
    assert row.verdict is not None
    assert f"{row.verdict.status}: {row.verdict.message} {row.label}" == expected
