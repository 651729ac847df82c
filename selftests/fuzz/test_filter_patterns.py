"""Filter patterns of any form: read or not, never a crash, and none that cannot be read covers anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rules.filter_facts import covers, events, narrowing, stands_alone
from fixtures.rules.filter_pattern import matches, parse
from selftests.fuzz.conftest import bounded
from selftests.steps import verify_linear

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


PATTERNS_OF_LENGTH: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "{ " + "(" * n + "$.a = b" + ")" * n + " }",
    "conditions": lambda n: "{ " + "$.a = b && " * n + "$.a = b }",
    "stars": lambda n: "{ $.eventName = " + "%" + "a*" * (n // 4) + "b% }",
    "twice repeated": lambda n: f"{{ $.eventName = %a{{{n}}}{{{n}}}% }}",
    "counts": lambda n: "{ $.eventName = %" + "a{0,9999}" * (n // 20) + "% }",
    "wildcards": lambda n: "{ $.eventName = " + "*a" * n + " }",
    "backslashes": lambda n: '{ $.eventName = "' + "\\" * (10 * n + 1),
    "bars": lambda n: "{ $.eventName = " + "|" * (10 * n),
    "blanks": lambda n: "{ $.a " + " " * (20 * n) + "= b",
}


@pytest.mark.parametrize("kind", PATTERNS_OF_LENGTH)
def test_patterns_take_steps_that_grow_with_their_length(kind: str) -> None:
    verify_linear(lambda length: covers(parse(PATTERNS_OF_LENGTH[kind](length)), CASE), 2000)
