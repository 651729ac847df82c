"""How often, how soon and how fast requests are made again."""

from __future__ import annotations

import pytest

from fixtures import backend as backends
from fixtures import retries
from fixtures.backend import AwsBackend
from fixtures.errors import ApiError
from fixtures.pace import Pace
from fixtures.retries import GIVE_UP_AFTER, MAX_ATTEMPTS, TIMEOUT_ATTEMPTS
from fixtures.session import SessionError, base_session
from selftests.engine.conftest import Start
from selftests.standins.aws_server import THROTTLED, Reply, json_error

EU = "eu-west-1"
KEYS = b'{"Keys":[{"KeyId":"a"}]}'


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are made again at once."""
    monkeypatch.setattr(retries, "LONGEST_WAIT", 0.0)


def backend() -> AwsBackend:
    return AwsBackend(base_session(""), "123456789012")


def failing(one: AwsBackend, operation: str = "ListKeys") -> ApiError:
    with pytest.raises(ApiError) as raised:
        one.call(EU, "kms", operation, {})
    return raised.value


# -- how often ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (THROTTLED, "ThrottlingException"),
        (json_error("InternalFailure", status=500), "InternalFailure"),
        (Reply(b"<html>", 503), "503"),
        (Reply(b"", 429), "429"),
        (Reply(reset=True), "ConnectionClosedError"),
    ],
)
def test_a_request_is_made_eight_times(aws: Start, reply: Reply, code: str) -> None:
    server = aws(lambda _: reply)
    error = failing(backend())
    assert (error.code, len(server.requests)) == (code, MAX_ATTEMPTS)
    assert error.is_throttled == (code in ("429", "ThrottlingException"))


def test_an_answer_that_is_an_error_of_the_caller_is_final(aws: Start) -> None:
    server = aws(lambda _: json_error("AccessDeniedException"))
    assert failing(backend()).is_access_denied
    assert len(server.requests) == 1


def test_an_endpoint_that_never_answers_is_waited_for_three_times(aws: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "READ_TIMEOUT_SECONDS", 0.2)
    server = aws(lambda _: Reply(KEYS, late=1.0))
    one = backend()
    assert failing(one).code == "ReadTimeoutError"
    assert len(server.requests) == TIMEOUT_ATTEMPTS
    assert "not asked, for all that was asked before ended with ReadTimeoutError" in str(failing(one))
    assert len(server.requests) == TIMEOUT_ATTEMPTS


@pytest.mark.parametrize(
    ("environment", "requests"),
    [({"AWS_MAX_ATTEMPTS": "2"}, 2), ({"AWS_MAX_ATTEMPTS": "2", "AWS_RETRY_MODE": "standard"}, 2), ({}, 3)],
)
def test_the_users_attempts_count(
    aws: Start, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str], requests: int,
) -> None:  # fmt: skip
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text("[default]\nmax_attempts = 3\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server = aws(lambda _: json_error("InternalFailure", status=500))
    failing(backend())
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_MAX_ATTEMPTS", "many", "AWS_MAX_ATTEMPTS: 'many' is not a whole number of at least 1"),
        ("AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS: '0' is not"),
        ("AWS_RETRY_MODE", "fast", "AWS_RETRY_MODE: 'fast' is none of adaptive, legacy, standard"),
    ],
)
def test_settings_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SessionError, match=words):
        backend()


# -- what is in vain ---------------------------------------------------------------------------------------------------


def test_an_operation_without_any_answer_is_given_up_for_a_while(aws: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = aws(lambda request: Reply(b'{"Aliases":[]}') if request.operation == "ListAliases" else THROTTLED)
    one = backend()
    for _ in range(GIVE_UP_AFTER // MAX_ATTEMPTS):
        assert failing(one).code == "ThrottlingException"
    assert "GivenUp: not asked, for all that was asked before ended with ThrottlingException" in str(failing(one))
    assert len(server.requests) == GIVE_UP_AFTER
    assert one.call(EU, "kms", "ListAliases", {}) == {"Aliases": []}  # others go on
    monkeypatch.setattr(retries, "GIVEN_UP_SECONDS", 0.0)
    server.answer = lambda _: Reply(KEYS)
    assert one.call(EU, "kms", "ListKeys", {}) == {"Keys": [{"KeyId": "a"}]}
    monkeypatch.undo()


def test_an_answer_in_between_is_enough_to_go_on(aws: Start) -> None:
    server = aws(lambda _: THROTTLED)
    one = backend()
    for _ in range(2):
        for _ in range(GIVE_UP_AFTER // MAX_ATTEMPTS - 1):
            assert failing(one).code == "ThrottlingException"
        server.answer = lambda _: Reply(KEYS)
        one.call(EU, "kms", "ListKeys", {})
        server.answer = lambda _: THROTTLED
    assert failing(one).code == "ThrottlingException"


# -- pages that do not end ---------------------------------------------------------------------------------------------


def test_a_list_without_an_end_is_an_error(aws: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "PAGES_CEILING", 20)
    number = iter(range(1000))
    server = aws(lambda _: Reply(b'{"Keys":[],"Truncated":true,"NextMarker":"%d"}' % next(number)))
    assert "the pages do not end, after 20 of them" in str(failing(backend()))
    assert len(server.requests) <= 21


# -- how fast ----------------------------------------------------------------------------------------------------------


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pace(self, ceiling: float = 0) -> Pace:
        return Pace(ceiling, self.clock, self.sleep)


def sent(time: Time, pace: Pace, requests: int, limit: float, latency: float = 0.02) -> tuple[int, float]:
    """Send one after the other to a service that takes ``limit`` per second: how many were refused, and the seconds."""
    tokens, at, refused, started = limit, time.now, 0, time.now
    for _ in range(requests):
        pace.wait()
        time.sleep(latency)
        tokens, at = min(limit, tokens + (time.now - at) * limit), time.now
        accepted = tokens >= 1
        tokens -= accepted
        refused += not accepted
        pace.note(refused=not accepted)
    return refused, time.now - started


def test_the_rate_follows_what_is_let_through() -> None:
    time = Time()
    pace = time.pace()
    sent(time, pace, 200, limit=10)
    refused, seconds = sent(time, pace, 400, limit=10)
    assert 5 < pace.rate < 20
    assert refused < 400 / 3
    assert (400 - refused) / seconds > 8


def test_the_rate_comes_back() -> None:
    time = Time()
    pace = time.pace()
    sent(time, pace, 200, limit=5)
    assert pace.rate < 10
    sent(time, pace, 600, limit=1000)
    assert pace.rate > 40


def test_refusals_at_any_rate_do_not_slow_down() -> None:
    time = Time()
    pace = time.pace()
    for number in range(2000):
        pace.wait()
        time.sleep(0.01)
        pace.note(refused=number % 5 == 0)
    assert pace.rate == float("inf")


def test_a_few_answers_over_a_long_time_tell_nothing() -> None:
    time = Time()
    pace = time.pace()
    for number in range(200):
        time.sleep(1.0)
        pace.note(refused=number % 2 == 0)
    assert pace.rate == float("inf")


def test_the_users_ceiling_stays() -> None:
    time = Time()
    pace = time.pace(10)
    sent(time, pace, 200, limit=5)
    assert pace.rate < 10
    sent(time, pace, 2000, limit=1000)
    assert pace.rate == 10
