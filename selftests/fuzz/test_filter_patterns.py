"""Filter patterns of any form: read or not, never a crash, and none that cannot be read covers anything."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rules.filter_pattern import covers, events, matches, narrowing, parse, stands_alone
from selftests.fuzz.conftest import bounded

CASE = events("iam.amazonaws.com", "DeleteGroupPolicy")[0]
PIECES = st.sampled_from(
    ["{", "}", "(", ")", "&&", "||", "&", "|", "$.eventName", "$.", "$.a.b[0]", "=", "!=", "<", ">=", "EXISTS", "NOT EXISTS",
     "IS TRUE", "IS NOT NULL", '"', "DeleteGroupPolicy", '"DeleteGroupPolicy"', "*", "%", "%a+b*%", "%(x%", "%[%", "\\", " ",
     "%a{3,2}%", "%[b-a]%", "%\\xff%", "\n", "\0", "é"],
)  # fmt: skip
PATTERNS = (
    st.lists(PIECES, max_size=14).map(" ".join) | st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=40)
)


@bounded
@given(PATTERNS, st.booleans())
def test_any_pattern(text: str, wrapped: bool) -> None:
    pattern = f"{{ {text} }}" if wrapped else text
    node = parse(pattern)
    covered = covers(node, CASE)
    if node is None:
        assert not covered
    else:
        stands_alone(node)
        narrowing(node, CASE)


@bounded
@given(st.text(alphabet="ab.*+?{},0123456789[]^$|\\x%-", max_size=24), st.text(alphabet="ab.x-", max_size=30))
def test_any_regex(expression: str, fact: str) -> None:
    node = parse(f"{{ $.eventName = %{expression}% }}")
    if node is not None and hasattr(node, "value") and node.value is not None:
        assert matches(node.value, fact) in (True, False, None)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ " + "(" * 20_000 + "$.a = b" + ")" * 20_000 + " }",
        "{ " + "$.a = b && " * 5000 + "$.a = b }",
        "{ $.eventName = " + "%" + "a*" * 500 + "b% }",
        "{ $.eventName = %a{9999}{9999}% }",
        "{ $.eventName = %" + "a{0,9999}" * 100 + "% }",
        "{ $.eventName = " + "*a" * 5000 + " }",
        '{ $.eventName = "' + "\\" * 30_001,
        "{ $.eventName = " + "|" * 20_000,
        "{ $.a " + " " * 50_000 + "= b",
    ],
    ids=["brackets", "conditions", "stars", "twice repeated", "counts", "wildcards", "backslashes", "bars", "blanks"],
)
def test_patterns_take_time_that_grows_with_their_length(pattern: str) -> None:
    started = time.monotonic()
    covers(parse(pattern), CASE)
    assert time.monotonic() - started < 5
