"""selftests/checks_harness.py: a table fails for each way in which a check can be wrong about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.api.errors import ApiError
from plugins.catalog import check
from plugins.catalog.checks import Check, check_of
from selftests import checks_harness
from selftests.checks_harness import (
    REGION,
    Answers,
    Outcome,
    Table,
    case,
    cases,
    failing_calls,
    several,
    verdicts,
)
from selftests.conftest import ACCOUNT, Audit

QUEUES, ATTRIBUTES = "sqs:ListQueues", "sqs:GetQueueAttributes"


def queues(*ids: str, answers: Any = None) -> Answers:
    """Queues that SQS encrypts."""
    urls = [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{id}" for id in ids]
    return {QUEUES: {"QueueUrls": urls}, ATTRIBUTES: answers or {"Attributes": {"SqsManagedSseEnabled": "true"}}}


SEALED = case("sealed", queues("q"), "PASS", "encrypted by SQS")


def the_check(function: Callable[[Any], object]) -> Check:
    """``own`` with this body."""

    def test_own(queue: Any) -> object:
        """Queues are encrypted."""
        return function(queue)

    found = check_of(check("own", severity="low", remediation="Encrypt.")(test_own))
    assert found is not None
    return found


def honest(queue: Any) -> str:
    assert queue.is_encrypted_by_sqs, "not encrypted"
    return "encrypted by SQS"


def run(
    test: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, function: Callable[[Any], object], *tables: Table
) -> list[str]:
    """The ids of the cases that fail, for a check with this body."""
    monkeypatch.setattr(checks_harness, "known_calls", lambda: {"own": [QUEUES, ATTRIBUTES]})
    audit = Audit({"own": the_check(function)})
    monkeypatch.setattr(audit, "note_calls", lambda check: None)
    made = test(*tables)
    failures = []
    for row in made.pytestmark[0].args[1]:
        try:
            made(audit, *row.values)
        except AssertionError:
            failures.append(row.id.removeprefix("own-"))
    return failures


@pytest.mark.parametrize(
    ("wrong", "state"),
    [
        ("nothing", SEALED),
        ("nothing", case("sealed", queues("q"), "PASS", ("encrypted", "SQS"))),
        ("nothing", case("sealed", queues("q"), "PASS", "encrypted", resource=f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")),
        ("nothing", case("empty", {QUEUES: {}}, "INFO", f"no queue to check in {REGION}", resource=ACCOUNT)),
        ("nothing", several("two", queues("q", "r"), {"q": ("PASS", "SQS"), f"r@{REGION}": ("PASS", "SQS")})),
        ("status", case("sealed", queues("q"), "FAIL", "encrypted by SQS")),
        ("words", case("sealed", queues("q"), "PASS", ("encrypted", "KMS"))),
        ("no words", case("sealed", queues("q"), "PASS")),
        ("resource", case("sealed", queues("q"), "PASS", "encrypted by SQS", resource="r")),
        ("ARN", case("sealed", queues("q"), "PASS", "encrypted", resource=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")),
        ("region", case("sealed", queues("q"), "PASS", "encrypted", resource="q@us-east-1")),
        ("another resource", case("sealed", queues("q", "r"), "PASS", "encrypted by SQS")),
        ("a missing answer", case("sealed", {QUEUES: queues("q")[QUEUES]}, "ERROR", "NotStubbed")),
    ],
)
def test_verdicts_name_what_is_wrong(monkeypatch: pytest.MonkeyPatch, wrong: str, state: Any) -> None:
    failures = run(verdicts, monkeypatch, honest, cases("own", "q", state))
    assert failures == ([] if wrong == "nothing" else [state.name])


def test_a_crash_is_no_error_that_a_case_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    table = cases("own", "q", case("sealed", queues("q"), "ERROR", "the check stopped"))
    assert run(verdicts, monkeypatch, lambda queue: queue.nothing, table) == ["sealed"]


def test_a_missing_answer_that_the_check_passes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgiving(queue: Any) -> str:
        try:
            return "encrypted by SQS" if queue.attributes else ""
        except ApiError:
            return "encrypted by SQS"

    table = cases("own", "q", case("sealed", {QUEUES: queues("q")[QUEUES]}, "PASS", "encrypted by SQS"))
    assert run(verdicts, monkeypatch, forgiving, table) == ["sealed"]


def test_failing_calls_of_an_honest_check(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(failing_calls, monkeypatch, honest, cases("own", "q", SEALED)) == []


def test_failing_calls_that_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgiving(queue: Any) -> str:
        try:
            return honest(queue)
        except ApiError as error:
            if not error.is_throttled:
                return "no attributes"
            raise

    failures = run(failing_calls, monkeypatch, forgiving, cases("own", "q", SEALED))
    assert failures == [f"{ATTRIBUTES}-{failure}" for failure in ("denied", "failing", "unexpected")]


def test_failing_calls_that_fail_or_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(queue: Any) -> str:
        try:
            return honest(queue)
        except ApiError as error:
            raise AssertionError(str(error)) from None

    assert len(run(failing_calls, monkeypatch, hasty, cases("own", "q", SEALED))) == 4

    def vague(queue: Any) -> str:
        try:
            return honest(queue)
        except ApiError:
            raise ApiError("sqs", "x", "Odd", "who knows") from None

    assert len(run(failing_calls, monkeypatch, vague, cases("own", "q", SEALED))) == 4


def test_every_call_needs_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    table = cases("own", "q", case("empty", {QUEUES: {}}, "INFO", "no queue", resource=ACCOUNT))
    assert {one.rpartition("-")[0] for one in run(failing_calls, monkeypatch, honest, table)} == {ATTRIBUTES}


def test_a_documented_outcome_is_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    def noting(queue: Any) -> str:
        try:
            return honest(queue)
        except ApiError as error:
            if error.is_access_denied:
                return "encrypted by default"
            raise

    outcome = Outcome("PASS", "encrypted by default", "the default holds", failures=("denied",))
    table = cases("own", "q", SEALED, outcomes={ATTRIBUTES: outcome})
    assert run(failing_calls, monkeypatch, noting, table) == []
    assert run(failing_calls, monkeypatch, honest, table) == [f"{ATTRIBUTES}-denied"]


def test_denied_in_every_case_that_makes_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first such case ends in ERROR, the second in PASS."""

    def uneven(queue: Any) -> str:
        try:
            return honest(queue)
        except ApiError:
            if queue.id == "r":
                return "encrypted by SQS"
            raise

    table = cases("own", "q", SEALED, case("other", queues("r"), "PASS", "encrypted", resource="r"))
    assert run(failing_calls, monkeypatch, uneven, table) == [f"{ATTRIBUTES}-denied"]


def test_one_of_several_resources_may_not_pass_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    state = several("two", queues("q", "r"), {"q": ("PASS", "SQS"), "r": ("PASS", "SQS")})
    assert run(failing_calls, monkeypatch, honest, cases("own", "q", state)) == []


def test_emptied_answers() -> None:
    """Only for operations whose model has required members: AWS leaves out empty lists otherwise."""
    made = failing_calls(cases("extra769", "a"), cases("extra728", "q"))
    rows = [row.id for row in made.pytestmark[0].args[1]]  # type: ignore[attr-defined]
    assert [row for row in rows if row.endswith("emptied")] == [
        "extra769-accessanalyzer:ListAnalyzers-emptied",
        "extra769-accessanalyzer:ListFindingsV2-emptied",
    ]


def test_tables_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="open: which words does the FAIL have"):
        case("open", {}, "FAIL")
    with pytest.raises(ValueError, match="own: there are two cases sealed"):
        cases("own", "q", SEALED, SEALED)
