"""How many requests a run makes, counted on the other side of the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.running import Server
from bench.world import build
from selftests.whole_runs import REGIONS, Suite


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A counting emulator that takes 100 ms for each answer, with a few resources of each kind."""
    with Server(100) as found:
        build(found.url, 9, REGIONS)
        yield found


def test_a_check_that_is_not_selected_costs_no_call(server: Server, suite: Suite) -> None:
    server.stats(reset=True)
    done = suite("--check=check43", f"--filter-region={','.join(REGIONS)}", env=server.environment)
    assert done.code == 1, done.out + done.err
    counted = server.stats()
    assert counted["services"] == {"ec2": 1 + len(REGIONS), "sts": 1}
    assert counted["requests"] == counted["distinct"]


def test_every_distinct_call_is_made_once_and_listing_calls_are_in_flight_together(
    server: Server, suite: Suite
) -> None:
    server.stats(reset=True)
    done = suite("-m", "cislevel2", f"--filter-region={','.join(REGIONS)}", env=server.environment)
    assert done.code == 1, done.out + done.err
    counted = server.stats()
    assert counted["duplicates"] == 0, counted["repeated"]
    assert counted["requests"] - counted["distinct"] <= 2  # the credential report is polled until it is there
    kinds_per_region = 7  # what the CIS checks list in each region
    assert counted["peak_in_flight"] >= kinds_per_region * len(REGIONS) // 2


def test_workers_do_not_repeat_each_others_calls(server: Server, suite: Suite) -> None:
    server.stats(reset=True)
    suite("-m", "group4", f"--filter-region={','.join(REGIONS)}", "-n", "2", env=server.environment)
    counted = server.stats()
    assert counted["requests"] == counted["distinct"]


def test_one_call_answers_for_all_users(server: Server, suite: Suite) -> None:
    server.stats(reset=True)
    done = suite("--check=check116", "--filter-region=eu-west-1", env=server.environment)
    assert len(done.findings()) == 9, done.out + done.err  # one user each
    assert server.stats()["requests"] == 2 + 1


def test_calls_of_consecutive_resources_overlap(server: Server, suite: Suite) -> None:
    server.stats(reset=True)
    done = suite("--check=extra763", "--filter-region=eu-west-1", env=server.environment)
    assert len(done.findings()) == 9, done.out + done.err  # one bucket each, two calls a bucket
    counted = server.stats()
    assert counted["requests"] == counted["distinct"] == 2 + 1 + 2 * 9
    assert counted["peak_in_flight"] >= 5
