"""Tables of cases for checks, and tests of what a check makes of calls that fail: see selftests/README.md.

::

    def queue(**attributes: str | None) -> Answers:
        return {"sqs:ListQueues": ..., "sqs:GetQueueAttributes": {"Attributes": changed(SEALED, **attributes)}}

    ENCRYPTED = cases(
        "extra728", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q",
        case("SSE-SQS", queue(), "PASS", "is encrypted with SSE-SQS"),
        case("no encryption", queue(SqsManagedSseEnabled="false"), "FAIL", "is not encrypted"),
        case("SSE-SQS where KMS is required", queue(), "FAIL", "but SSE-KMS is required", require_kms=True),
    )
    test_verdicts = verdicts(ENCRYPTED)
    test_failing_calls = failing_calls(ENCRYPTED)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

import pytest

from fixtures.api.errors import ApiError, UnexpectedAnswer
from fixtures.api.iam_actions import iam_action
from plugins.findings.verdict import Status
from selftests.answers import Malformed, Stub, operation_model
from selftests.conftest import ACCOUNT, Audit, Found, known_calls

REGION = "eu-west-1"
"""Where cases are audited that name no region."""

Answers: TypeAlias = dict[str, Stub]
"""``service:Operation`` (or ``service:Operation@region``) -> answer, error, or function of the parameters."""
Words: TypeAlias = "str | tuple[str, ...]"
"""What a message says, in one or several places; "" for a PASS in the words of the check's title."""
Expected: TypeAlias = Mapping[str, tuple[Status, Words]]
"""Resource (id, ARN, or ``id@region`` where ids are not enough) -> its finding."""
Failure: TypeAlias = Literal["denied", "throttled", "failing", "unexpected", "emptied"]
FAILURES: tuple[Failure, ...] = ("denied", "throttled", "failing", "unexpected", "emptied")


@dataclass(frozen=True, eq=False)
class Case:
    """A state of an account and the findings on it. Made by ``case`` and ``several``."""

    name: str
    answers: Answers
    expected: Expected
    world: Mapping[str, Any]
    settings: Mapping[str, Any]


def case(
    name: str,
    answers: Answers,
    status: Status,
    words: Words = "",
    *,
    resource: str = "",
    regions: Sequence[str] = (REGION,),
    partition: str = "aws",
    account: str = ACCOUNT,
    now: datetime | None = None,
    **settings: Any,
) -> Case:
    """A state with one finding. ``name`` says in a few words what is special about the state.

    ``resource`` is the id or ARN that the finding is about, if not the table's own: ACCOUNT where there is no resource.
    ``settings`` are the check's thresholds. Raises ValueError without words, but for PASS.
    """
    world = {"regions": regions, "partition": partition, "account": account, "now": now}
    if not words and status != "PASS":
        raise ValueError(f"{name}: which words does the {status} have?")
    return Case(name, answers, {resource: (status, words)}, world, settings)


def several(
    name: str,
    answers: Answers,
    expected: Expected,
    *,
    regions: Sequence[str] = (REGION,),
    partition: str = "aws",
    account: str = ACCOUNT,
    now: datetime | None = None,
    **settings: Any,
) -> Case:
    """A state with the findings of several resources: ``{"a": ("PASS", "words"), "b": ("FAIL", "words")}``."""
    world = {"regions": regions, "partition": partition, "account": account, "now": now}
    return Case(name, answers, expected, world, settings)


@dataclass(frozen=True)
class Outcome:
    """What a check documents for a call that fails, if not ERROR; ``reason`` is why that is no false verdict."""

    status: Status
    words: str
    reason: str
    failures: tuple[Failure, ...] = FAILURES


@dataclass(frozen=True, eq=False)
class Table:
    """The cases of a check. Made by ``cases``."""

    check: str
    resource: str
    cases: tuple[Case, ...]
    outcomes: Mapping[str, Outcome]
    made: dict[str, frozenset[str]] = field(default_factory=dict)
    """Case -> the calls that the check makes in it, once it has run."""

    def run(self, audit: Audit, case: Case) -> list[Found]:
        """The findings of a case."""
        found = audit.findings(self.check, answers=case.answers, live=False, settings=case.settings, **case.world)
        self.made[case.name] = _calls(audit)
        return found

    def making(self, audit: Audit, call: str) -> list[Case]:
        """The cases in which the check makes a call: those with a PASS, or all when no such case makes it."""
        for one in self.cases:
            if one.name not in self.made:
                self.run(audit, one)
        making = [one for one in self.cases if call in self.made[one.name]]
        return [one for one in making if _passes(one.expected.values())] or making


def cases(check: str, resource: str, *rows: Case, outcomes: Mapping[str, Outcome] | None = None) -> Table:
    """The table of a check. ``resource``: id or ARN of what its cases are about.

    ``outcomes``: call -> what the check documents for its failing. Raises ValueError when two cases have one name.
    """
    names = [one.name for one in rows]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{check}: there are two cases {', '.join(sorted(twice))}")
    return Table(check, resource, rows, outcomes or {})


def verdicts(*tables: Table) -> Callable[..., None]:
    """A test of every case: exactly the expected findings, each with its resource, status and words."""
    rows = [pytest.param(table, one, id=f"{table.check}-{one.name}") for table in tables for one in table.cases]

    @pytest.mark.parametrize(("table", "case"), rows)
    def test(audit: Audit, table: Table, case: Case) -> None:
        verify(table.run(audit, case), {key or table.resource: one for key, one in case.expected.items()})
        assert not audit.backend.unanswered, f"the case gives no answer for {', '.join(audit.backend.unanswered)}"

    return test


def verify(found: Sequence[Found], expected: Expected) -> None:
    """Raise AssertionError unless the findings are the expected ones, each about its resource."""
    shown = "\n".join(f"  {one.id} ({one.arn}) {one}" for one in found)
    for one in found:
        assert not one.crash, one.crash
    for resource, (status, words) in expected.items():
        about = [one for one in found if resource in (one.id, one.arn, f"{one.id}@{one.region}")]
        assert len(about) == 1, f"{len(about)} findings about {resource}:\n{shown}"
        wanted = (words,) if isinstance(words, str) else words
        assert about[0].status == status, f"{status} is expected of {resource}:\n{shown}"
        assert all(one in about[0].message for one in wanted), f"{wanted} is expected of {resource}:\n{shown}"
        assert any(wanted) or not about[0].message, f"the check's title is expected of {resource}:\n{shown}"
    assert len(found) == len(expected), f"{len(expected)} findings are expected:\n{shown}"


def failing_calls(*tables: Table) -> Callable[..., None]:
    """A test of every call in permissions/calls.yaml and every way to fail: ERROR that names the call, never PASS.

    A call is denied (in every PASS case that makes it), throttled, fails inside AWS, has an unexpected answer, or an
    empty one where the model has required members (in the first such case). A case has to make it: a call that is only
    made for a FAIL is tried there. A table's ``outcomes`` name what is documented otherwise.
    """
    rows = [
        pytest.param(table, call, failure, id=f"{table.check}-{call}-{failure}")
        for table in tables
        for call in known_calls().get(table.check, ())
        for failure in FAILURES
        if failure != "emptied" or _must_answer(call)
    ]

    @pytest.mark.parametrize(("table", "call", "failure"), rows)
    def test(audit: Audit, table: Table, call: str, failure: Failure) -> None:
        making = table.making(audit, call)
        assert making, (
            f"{table.check}: no case makes {call}, which permissions/calls.yaml has: add one, or strike it there"
        )
        for one in making if failure == "denied" else making[:1]:
            _verify_failing(audit, table, one, call, failure)

    return test


def _verify_failing(audit: Audit, table: Table, case: Case, call: str, failure: Failure) -> None:
    answers = {key: stub for key, stub in case.answers.items() if key.partition("@")[0] != call}
    answers[call] = _stub(call, failure)
    found = audit.findings(table.check, answers=answers, live=False, settings=case.settings, **case.world)
    shown = "\n".join([f"{table.check}, {case.name}, {call} is {failure}:", *(f"  {one.id} {one}" for one in found)])
    assert call in _calls(audit), f"{call} is not made, but was without the failure\n{shown}"
    outcome = table.outcomes.get(call)
    if outcome is not None and failure in outcome.failures:
        as_documented = any(one.status == outcome.status and outcome.words in one.message for one in found)
        assert as_documented, f"{outcome.status} with {outcome.words!r} is documented ({outcome.reason})\n{shown}"
        return
    words = _words(call, failure)
    errors = [one for one in found if one.status == "ERROR" and words in one.message]
    assert errors, f"an ERROR with {words!r} is expected\n{shown}"
    before, after = _passes(case.expected.values()), sum(one.status == "PASS" for one in found)
    # what is listed by one operation is complete without what another one lists
    listed = any(one.is_listing for one in errors)
    assert after < before or (after == before and (listed or not before)), f"PASS in spite of it\n{shown}"


def _passes(expected: Any) -> int:
    return sum(status == "PASS" for status, _ in expected)


def _calls(audit: Audit) -> frozenset[str]:
    return frozenset(f"{service}:{operation}" for _, service, operation, _ in audit.backend.calls)


def _must_answer(call: str) -> bool:
    shape = operation_model(*call.split(":")).output_shape
    return bool(shape is not None and shape.required_members)


def _stub(call: str, failure: Failure) -> Stub:
    """What a call gives that fails in this way."""
    service, operation = call.split(":")
    if failure == "emptied":
        return Malformed({}, "an answer without its required members")
    if failure == "unexpected":
        return UnexpectedAnswer(service, operation, "the answer is not what AWS documents: it is empty")
    codes = {"denied": "AccessDenied", "throttled": "ThrottlingException", "failing": "InternalError"}
    return failed(codes[failure])


def _words(call: str, failure: Failure) -> str:
    """What the message of the ERROR says."""
    if failure == "denied":
        return f"{iam_action(*call.split(':'))} is needed"
    return {"throttled": f"{call} was throttled", "emptied": ""}.get(failure, f"{call} failed")


# -- what states are built of ---------------------------------------------------------------------------------------


def changed(base: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A structure with these members changed; None removes one."""
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def failed(code: str, reason: str = "") -> ApiError:
    """A call that AWS answers with this error code."""
    return ApiError("", "", code, reason)


def allow(principal: Any = "*", **elements: Any) -> dict[str, Any]:
    """A statement of a resource policy that allows everything; further elements as keywords, None removes one."""
    return changed({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}, **elements)


def policy(*statements: Mapping[str, Any]) -> str:
    """The text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
