"""Policy documents of any shape: judged or refused, never a crash, and what is malformed never passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.answers import parse_policy
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import UnexpectedAnswer
from fixtures.model import Account, RegionApi
from fixtures.rules.policy import _compiled, full_access_statements, matches, statements
from fixtures.rules.public_policy import public_statements, unscoped_statements
from fixtures.rules.role_assumption import open_assumptions
from fixtures.services.s3.bucket_policy import ALGORITHMS, encryption_denies, grants_write, tls_deny
from selftests.conftest import StubBackend
from selftests.fuzz.conftest import bounded
from selftests.steps import open_ends, verify_linear

BUCKET = "arn:aws:s3:::b"
WORDS = st.sampled_from(
    ["*", "s3:*", "sts:AssumeRole", "iam:Pass?ole", "Allow", "Deny", "arn:aws:iam::123456789012:role/*", "${aws:username}",
     "arn:aws:s3:::b/*", "aws:SourceIp", "StringEquals", "0.0.0.0/0", "::/0", "true", "[", "arn:", ""],
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=12)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TEXTS = WORDS | st.lists(WORDS, max_size=3)
ELEMENTS = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"]
CONDITION = st.dictionaries(WORDS, st.dictionaries(WORDS, TEXTS | st.booleans(), max_size=2), max_size=2)
WELL_FORMED = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": WORDS, "Action": TEXTS, "NotAction": TEXTS, "Resource": TEXTS, "NotResource": TEXTS,
        "Principal": TEXTS | st.dictionaries(WORDS, TEXTS, max_size=2), "Condition": CONDITION,
    },
)  # fmt: skip
STATEMENT = WELL_FORMED | st.dictionaries(st.sampled_from(ELEMENTS), ANYTHING, max_size=5) | ANYTHING
DOCUMENT = st.fixed_dictionaries({"Statement": STATEMENT | st.lists(STATEMENT, max_size=3)}) | ANYTHING


def api() -> RegionApi:
    return Account("123456789012", backend=StubBackend({}, None), crew=Crew(1), now=utcnow(), regions=[]).api


API = api()


def judged(document: Any) -> tuple[bool, list[Any]]:
    """Whether the document was accepted, and what every judgement says of it."""
    try:
        policy = parse_policy(document, API, "s3", "GetBucketPolicy")
    except UnexpectedAnswer:
        return False, []
    return True, [
        public_statements(policy), unscoped_statements(policy, ["s3.amazonaws.com"]),
        [grants_write(one) for one in statements(policy)], encryption_denies(policy, BUCKET, ALGORITHMS),
        tls_deny(policy, BUCKET), list(full_access_statements(policy)), open_assumptions(policy, partition="aws"),
    ]  # fmt: skip


@bounded
@given(DOCUMENT)
def test_any_document(document: Any) -> None:
    if isinstance(document, str):
        document = {"Statement": document}
    accepted, _ = judged(document)
    assert judged(json.dumps(document))[0] == accepted


@bounded
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text(text: str) -> None:
    judged(text)


@bounded
@given(st.lists(WELL_FORMED, max_size=4))
def test_what_is_well_formed_is_judged(found: list[dict[str, Any]]) -> None:
    assert judged({"Version": "2012-10-17", "Statement": found})[0]
    if len(found) == 1:
        assert judged({"Statement": found[0]}) == judged({"Statement": found})


OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    "broken",
    [
        {"Statement": "Allow everyone"},
        {"Statement": [json.dumps(OPEN)]},
        {"Statement": [[OPEN]]},
        {"statement": [OPEN]},
        {"Statement": [{**OPEN, "Effect": "allow"}]},
        {"Statement": [{**OPEN, "Effect": ["Allow"]}]},
        {"Statement": [{key.lower(): value for key, value in OPEN.items()}]},
        {"Statement": [{**OPEN, "Principal": [["*"]]}]},
        {"Statement": [{**OPEN, "Principal": {"AWS": {"x": "*"}}}]},
        {"Statement": [{**OPEN, "Principal": None}]},
        {"Statement": [{**OPEN, "Action": {"s3": "*"}}]},
        {"Statement": [{**OPEN, "Resource": 1}]},
        {"Statement": [{**OPEN, "Condition": [{"StringEquals": {"aws:SourceAccount": "1"}}]}]},
        {"Statement": [{**OPEN, "Condition": {"StringEquals": "aws:SourceAccount"}}]},
        {"Statement": [{**OPEN, "Condition": {"StringEquals": {"aws:SourceAccount": {"x": 1}}}}]},
        {"Statement": [OPEN, None]},
    ],
)  # fmt: skip
def test_malformed_policies_are_not_judged(broken: Any) -> None:
    assert judged(broken)[0] is False
    assert judged(json.dumps(broken))[0] is False


@pytest.mark.parametrize(
    "text",
    ['{"Statement":[' + json.dumps(OPEN) + '],"Statement":[]}', '{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}',
     '{"Statement":' + "[" * 100_000 + "]" * 100_000 + "}", '{"Statement":[}', "", "null", "[]", '"x"'],
    ids=["twice", "effect twice", "deep", "cut", "empty", "null", "list", "text"],
)  # fmt: skip
def test_texts_that_are_no_policy_are_refused(text: str) -> None:
    assert judged(text)[0] is False


@pytest.mark.parametrize(
    ("unit", "times", "end"),
    [("*a", 2500, ""), ("?", 25_000, ""), ("[", 2500, ""), ("(a+)+", 250, ""), ("*", 10_000, "b")],
)
def test_patterns_take_steps_that_grow_with_their_length(unit: str, times: int, end: str) -> None:
    def judge(times: int) -> None:
        pattern = unit * times + end
        matches(pattern, "a" * 20_000)
        open_assumptions({"Statement": {"Effect": "Allow", "Action": "*", "Resource": pattern}}, partition="aws")

    verify_linear(judge, times)
    assert open_ends(_compiled(unit * times + end).pattern) <= 1
