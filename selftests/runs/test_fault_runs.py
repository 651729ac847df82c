"""Whole runs against an AWS that misbehaves: every finding is there, and is the same as without faults, or ERROR."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bench.faults import compare
from selftests.standins.aws_server import AwsServer, Reply, Request, json_error, passed_on, serving, throttled
from selftests.whole_runs import Emulator, Suite

EU = "eu-west-1"
REGIONS = "--filter-region=eu-west-1,us-east-1"
PAGE = Reply(b"<html><head/><body>Please log in</body></html>")
EXPIRED_XML = Reply(
    b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>ended</Message></Error></ErrorResponse>", 403
)


def run(suite: Suite, emulator: Emulator, answer: Callable[[Request], Reply | None], *arguments: str,
        **environment: str) -> dict[tuple[str, str, str, str], str]:  # fmt: skip
    """The findings of a run in which ``answer`` may answer in the emulator's place."""

    def any_answer(request: Request) -> Reply:
        return answer(request) or passed_on(request, emulator.url)

    with serving(AwsServer(any_answer)) as server:
        told = {**emulator.environment, "AWS_ENDPOINT_URL": server.url, "AWS_MAX_ATTEMPTS": "2", **environment}
        outcome = suite(REGIONS, *arguments, env=told)
    assert outcome.code == 1, outcome.out + outcome.err
    return outcome.statuses()


def nothing(_: Request) -> None:
    """No fault."""


# -- answers that are none, and errors ---------------------------------------------------------------------------------

SKEWED = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
KEYS = '{"Keys":[{"KeyId":"%s"}],"Truncated":true,"NextMarker":"%s"}'


def in_circles(request: Request) -> Reply:
    """Pages whose tokens are a, b, a, b and so on."""
    token = "b" if '"Marker": "a"' in request.body else "a"
    return Reply((KEYS % (token, token)).encode())


FAULTS: dict[str, tuple[str, Callable[[Request], Reply], str]] = {
    "check28": ("kms", in_circles, "the pages come round again"),
    "check43": ("ec2", lambda _: Reply(b"<DescribeSecurityGroupsResponse><securityGroupInfo><item>"), "cannot be parsed"),
    "check21": ("cloudtrail", lambda _: Reply(b'{"Trails":[{"Name":"t"}]}'), "nothing that the operation answers with, but"),
    "extra719": ("route53", lambda _: PAGE, "nothing that the operation answers with, but body, head"),
    "extra731": ("sns", lambda _: Reply(b""), "it cannot be parsed"),
    "extra760": ("lambda", lambda _: Reply(b'{"Functions":"none"}'), "FunctionList is not a list"),
    "extra765": ("ecr", lambda _: Reply(b'{"repositories":[{"repositoryName":"x"'), "it is not JSON"),
    "extra727": ("sqs", lambda _: Reply(b'{"QueueUrls":[],"NextToken":"same"}'), "The same next token was received twice"),
    "extra78": ("rds", throttled, "rds:DescribeDBInstances was throttled in eu-west-1 until the retries ran out"),
    "extra768": ("ecs", lambda _: json_error("InvalidSignatureException", "not yet current", 403, Date=SKEWED), "minutes behind AWS's: set it"),
    "extra724": ("acm", lambda _: Reply(reset=True), "ConnectionClosedError"),
    "extra713": ("guardduty", lambda _: json_error("InternalFailure", status=500), "InternalFailure"),
}  # fmt: skip
"""Check -> the service that misbehaves in one region, how, and what the finding must say."""
GLOBAL = {"route53"}


def test_each_fault_is_an_error_of_its_check_and_region(suite: Suite, emulator: Emulator) -> None:
    faults = {service: answer for service, answer, _ in FAULTS.values()}

    def answer(request: Request) -> Reply | None:
        fault = faults.get(request.service) if request.region == EU or request.service in GLOBAL else None
        return fault(request) if fault and not _is_entry(request) else None

    checks = f"--check={','.join([*FAULTS, 'check41', 'extra729'])}"
    clean = run(suite, emulator, nothing, checks)
    found = run(suite, emulator, answer, checks)
    assert (compare(clean, found).wrong, compare(clean, found).missing) == ([], [])
    for check, (_, _, words) in FAULTS.items():
        texts = [text for (id, *_), text in found.items() if id == check and text.startswith("ERROR: ")]
        assert len(texts) == 1, (check, texts)
        assert words in texts[0]


def _is_entry(request: Request) -> bool:
    """What is asked when an account is entered."""
    return request.operation == "DescribeRegions"


def test_a_region_whose_names_do_not_resolve(suite: Suite, emulator: Emulator) -> None:
    environment = {"AWS_DEFAULT_REGION": "us-east-1"}
    checks = "--check=check28,check29,check43,check11"
    clean = run(suite, emulator, nothing, checks, **environment)
    found = run(suite, emulator, nothing, checks, "-p", "selftests.standins.nameless_region", **environment)
    comparison = compare(clean, found)
    assert not comparison.wrong
    assert not comparison.missing
    assert {(check, region) for check, _, region, _ in comparison.errors} == {
        ("check28", EU), ("check29", EU), ("check43", EU)
    }  # fmt: skip
    assert all("EndpointConnectionError: no answer from" in found[key] for key in comparison.errors)


# -- credentials -------------------------------------------------------------------------------------------------------


class Ending:
    """Credentials that AWS does not take any more after ``calls`` calls to KMS; with ``roles``, newly issued ones are good."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.ended: set[str] = set()

    def __call__(self, request: Request) -> Reply | None:
        if request.service == "kms":
            self.calls -= 1
            if not self.calls:
                self.ended.add(request.key)
        if request.key not in self.ended:
            return None
        return json_error("ExpiredTokenException", "ended") if request.target else EXPIRED_XML


CREDENTIALS_CHECKS = "--check=check28,extra737,check29,check43,extra731"


@pytest.fixture
def keys_in_kms(emulator: Emulator) -> None:
    """Keys in two accounts, so that there are calls after the listings."""
    for account in (None, "222222222222"):
        kms = emulator.client("kms", EU, account)
        for _ in range(3):
            kms.create_key()


def test_credentials_that_end_during_the_run_are_errors(suite: Suite, emulator: Emulator, keys_in_kms: None) -> None:
    clean = run(suite, emulator, nothing, CREDENTIALS_CHECKS)
    comparison = compare(clean, found := run(suite, emulator, Ending(4), CREDENTIALS_CHECKS))
    assert not comparison.wrong
    assert not comparison.missing
    assert comparison.errors
    for key in comparison.errors:
        assert "the credentials have expired" in found[key], found[key]
        assert "log in again" in found[key]


def test_a_role_whose_session_ends_during_the_run_is_assumed_again(
    suite: Suite, emulator: Emulator, keys_in_kms: None
) -> None:
    role = ["-A", "222222222222", "-R", "audit", CREDENTIALS_CHECKS]
    clean = run(suite, emulator, nothing, *role)
    ending = Ending(4)
    comparison = compare(clean, run(suite, emulator, ending, *role))
    assert ending.ended
    assert (comparison.identical, comparison.missing) == (len(clean), [])


# -- everything at random ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_fifth_of_all_answers_are_faults(suite: Suite, emulator: Emulator, workers: str) -> None:
    chance = random.Random(1)

    def answer(request: Request) -> Reply | None:
        if chance.random() >= 0.2:
            return None
        late = Reply(**{**vars(passed_on(request, emulator.url)), "late": 0.5})
        return chance.choice([throttled(request), json_error("InternalFailure", status=500), Reply(reset=True), late])

    checks = "--check=check11,check16,check21,check25,check28,check29,check41,check43,extra729,extra731,extra737"
    clean = run(suite, emulator, nothing, checks)
    comparison = compare(clean, run(suite, emulator, answer, checks, "-n", workers, AWS_MAX_ATTEMPTS=""))
    assert (comparison.missing, comparison.wrong) == ([], [])
    assert comparison.identical == len(clean)
