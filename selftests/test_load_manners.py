"""How hard AWS is asked: the ceilings in flight and per second, from the log of a server that counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.account import Account
from fixtures.api import CALLS_PER_SERVICE, Crew, results, utcnow
from fixtures.backend import AwsBackend
from fixtures.session import base_session
from selftests.engine.conftest import Emulator, Suite, start_emulator
from selftests.standins.aws_server import THROTTLED, AwsServer, Reply, Request, passed_on, serving

REGIONS = ["eu-west-1", "us-east-1"]


def page(request: Request) -> Reply:
    """The first of two pages, then the second."""
    more = "" if '"Marker"' in request.body else ',"Truncated":true,"NextMarker":"2"'
    return Reply(f'{{"Keys":[]{more}}}'.encode(), late=0.02)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    with serving(AwsServer(page)) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
        yield found


def ask(per_second: float, calls: int, regions: list[str] = REGIONS) -> None:
    """So many calls of two pages in each region, side by side."""
    crew = Crew(64)
    backend = AwsBackend(base_session(""), calls_per_second=per_second)
    account = Account("1" * 12, backend=backend, crew=crew, now=utcnow(), regions=regions)
    work = [
        lambda region=region, number=number: account.in_region(region).call("kms", "ListKeys", Limit=number + 1)
        for region in regions
        for number in range(calls)
    ]
    try:
        results(crew.gather(work))
    finally:
        crew.close()


def test_without_a_limit_ten_are_in_flight_per_region_and_service(server: AwsServer) -> None:
    ask(0, 40)
    assert len(server.requests) == 2 * 2 * 40
    assert server.peak <= CALLS_PER_SERVICE * 2
    assert max(server.most_per_second().values()) > 20


def test_no_second_has_more_requests_than_allowed_further_pages_included(server: AwsServer) -> None:
    ask(20, 15)
    found = server.most_per_second()
    assert len(server.requests) == 2 * 2 * 15
    assert {region for _, region, _ in found} == set(REGIONS)
    assert max(found.values()) <= 21  # the server's clock reads a little later for one request than for another
    assert min(found.values()) >= 15  # and no region waits for the other


@pytest.mark.parametrize(("per_second", "within"), [(0, 40), (20, 21)])
def test_two_names_of_one_service_share_its_limits(server: AwsServer, per_second: float, within: int) -> None:
    server.answer = lambda _: Reply(b"<Response><DescribeLoadBalancersResult/></Response>", late=0.05)
    crew = Crew(64)
    account = Account(
        "1" * 12, backend=AwsBackend(base_session(""), calls_per_second=per_second), crew=crew, now=utcnow(),
        regions=REGIONS[:1],
    )  # fmt: skip
    api = account.in_region(REGIONS[0])
    work = [
        lambda service=service, number=number: api.call(service, "DescribeLoadBalancers", PageSize=number + 1)
        for number in range(20)
        for service in ("elb", "elbv2")
    ]
    try:
        results(crew.gather(work))
    finally:
        crew.close()
    assert len(server.requests) == len(work)
    assert server.peak <= CALLS_PER_SERVICE
    assert max(server.most_per_second().values()) <= within


@pytest.mark.parametrize("mode", ["", "standard"])
def test_retries_count(server: AwsServer, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", mode)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    refused: set[str] = set()

    def answer(request: Request) -> Reply:
        if request.body in refused:
            return page(request)
        refused.add(request.body)
        return THROTTLED

    server.answer = answer
    ask(10, 5, REGIONS[:1])
    assert len(server.requests) == 2 * 2 * 5
    assert max(server.most_per_second().values()) <= 11


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    found = start_emulator()
    try:
        yield found
    finally:
        found.server.kill()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_keeps_to_it(tmp_path: Path, emulator: Emulator, workers: str) -> None:
    with serving(AwsServer(lambda request: passed_on(request, emulator.url))) as counting:
        outcome = Suite(tmp_path)(
            "--check=check13,check29,check28,check41,check43,extra74", "--filter-region=eu-west-1,us-east-1",
            "--max-calls-per-second=3", "-n", workers, env={**emulator.environment, "AWS_ENDPOINT_URL": counting.url},
        )  # fmt: skip
    assert outcome.code == 1, outcome.out
    found = counting.most_per_second()
    assert found["testing", "us-east-1", "ec2"] >= 2
    # a worker's and its controller's clients are paced apart; the controller asks who the account is and its regions
    assert max(found.values()) <= 4, found


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    outcome = Suite(tmp_path)(f"--max-calls-per-second={number}", "--list-checks")
    assert outcome.code == 4
    assert "--max-calls-per-second" in outcome.err
    assert "Traceback" not in outcome.err
