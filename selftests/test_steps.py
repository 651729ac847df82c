"""selftests/steps.py: steps are counted, and what grows faster than its input is told."""

from __future__ import annotations

import pytest

from selftests.steps import open_ends, steps, verify_linear


def quadratic(size: int) -> None:
    for _ in range(size):
        for _ in range(size):
            len("")


def test_steps_are_the_same_each_time() -> None:
    assert steps(lambda: sorted([3, 1, 2], key=lambda one: -one)) == steps(
        lambda: sorted([3, 1, 2], key=lambda one: -one)
    )
    assert steps(lambda: quadratic(20)) - steps(lambda: quadratic(0)) == 400


def test_what_grows_faster_than_its_input() -> None:
    verify_linear(lambda size: [len("") for _ in range(size)], 10_000)
    with pytest.raises(AssertionError, match=r"\d+ steps for 100, \d+ for 200"):
        verify_linear(quadratic, 100)


@pytest.mark.parametrize(
    ("pattern", "ends"),
    [("abc", 0), ("a*", 1), ("a*?b+", 2), ("(a*)*b", 2), ("(?:x|a*)b*", 2), ("a{0,9}", 0), ("(?>.*?a)(?>.*?b).*", 1)],
)
def test_open_ends(pattern: str, ends: int) -> None:
    assert open_ends(pattern) == ends
