"""How hard AWS is asked: the ceilings in flight, from a server that counts, and per second, on a clock that stands still.

There, each request has its turn: the n-th of a place n times the seconds that the rate gives to one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.access.session import base_session
from fixtures.api.calls import CALLS_PER_SERVICE
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew, results
from fixtures.api.live import AwsBackend
from fixtures.api.rate import Rate
from fixtures.model import Account
from selftests.standins.aws_server import THROTTLED, AwsServer, Reply, Request, serving
from selftests.whole_runs import Emulator, Suite, start_emulator

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


class Turns(Rate):
    """A pace without waiting, and the times until which its requests would have waited."""

    def __init__(self, ceiling: float = 0) -> None:
        self.waits: list[float] = []
        super().__init__(ceiling, clock=lambda: 0.0, sleep=self.waits.append)


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[AwsBackend.__module__], "Rate", Turns)


def turns(backend: AwsBackend) -> dict[tuple[str, str], list[float]]:
    """Service and region -> when its requests had their turn, but for the first, which never waits."""
    return {place: sorted(pace.waits) for place, pace in backend._paces.items() if isinstance(pace, Turns)}


def evenly(requests: int, per_second: float) -> object:
    """The turns of so many requests."""
    return pytest.approx([number / per_second for number in range(1, requests)])


def ask(per_second: float, calls: int, regions: list[str] = REGIONS) -> AwsBackend:
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
    return backend


def test_without_a_limit_ten_are_in_flight_per_region_and_service(server: AwsServer) -> None:
    backend = ask(0, 40)
    assert len(server.requests) == 2 * 2 * 40
    assert server.peak <= CALLS_PER_SERVICE * 2
    assert turns(backend) == {("kms", region): [] for region in REGIONS}


def test_no_second_has_more_requests_than_allowed_further_pages_included(server: AwsServer) -> None:
    found = turns(ask(20, 15))
    assert len(server.requests) == 2 * 2 * 15
    assert found == {("kms", region): evenly(2 * 15, 20) for region in REGIONS}, "no region waits for the other"


def test_two_names_of_one_service_share_its_limits(server: AwsServer) -> None:
    server.answer = lambda _: Reply(b"<Response><DescribeLoadBalancersResult/></Response>", late=0.05)
    crew = Crew(64)
    backend = AwsBackend(base_session(""), calls_per_second=20)
    account = Account("1" * 12, backend=backend, crew=crew, now=utcnow(), regions=REGIONS[:1])
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
    assert turns(backend) == {("elasticloadbalancing", REGIONS[0]): evenly(len(work), 20)}


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
    backend = ask(10, 5, REGIONS[:1])
    assert len(server.requests) == 2 * 2 * 5
    assert turns(backend) == {("kms", REGIONS[0]): evenly(2 * 2 * 5, 10)}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    found = start_emulator()
    try:
        yield found
    finally:
        found.server.kill()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_keeps_to_it(tmp_path: Path, emulator: Emulator, workers: str) -> None:
    """Every pace of every process has this ceiling."""
    log = tmp_path / "paces"
    outcome = Suite(tmp_path)(
        "--check=check13,check29,check28,check41,check43,extra74", "--filter-region=eu-west-1,us-east-1",
        "--max-calls-per-second=30", "-n", workers, "-p", "selftests.runs.paces",
        env={**emulator.environment, "PACES": str(log)},
    )  # fmt: skip
    assert outcome.code == 1, outcome.out
    made = [line.split() for line in log.read_text().splitlines()]
    assert {ceiling for _, ceiling in made} == {"30.0"}
    processes = {process for process, _ in made}
    assert len(processes) >= (2 if workers == "2" else 1)


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    outcome = Suite(tmp_path)(f"--max-calls-per-second={number}", "--list-checks")
    assert outcome.code == 4
    assert "--max-calls-per-second" in outcome.err
    assert "Traceback" not in outcome.err
