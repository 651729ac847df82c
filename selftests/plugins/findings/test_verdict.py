"""Which outcomes are verdicts: what the check's own code says, and nothing else is a FAIL."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.catalog.checks import Check
from plugins.findings.verdict import evaluate
from selftests.plugins.outputs.test_formats import CHECK

HELPERS = """
def refuse_open(thing):
    assert not thing, "it is open"
"""
MODULE = """
import pytest
from plugins.catalog import NotEvaluated
{imports}

def rule(thing):
{body}
"""


def check_with(folder: Path, body: str, **given: Any) -> Check:
    """A check of one's own in a folder, with a module beside it; ``given``: names that its module has."""
    (folder / "trial_helpers.py").write_text(HELPERS)
    file = folder / "test_own.py"
    file.write_text(MODULE.format(imports="import trial_helpers", body=f"    {body}"))
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("trial_own", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("trial_helpers", None)
    vars(module).update(given)
    return Check(**{**{name: getattr(CHECK, name) for name in CHECK.__dataclass_fields__}, "function": module.rule})


def compiled(text: str) -> Callable[[], None]:
    """A function of an installed library."""
    names: dict[str, Any] = {"pytest": pytest}
    exec(compile(text, str(Path(json.__file__)), "exec"), names)
    function: Callable[[], None] = names["library"]
    return function


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('assert not thing, "it is open"', "FAIL: it is open"),
        ("trial_helpers.refuse_open(thing)", "FAIL: it is open"),
        ('pytest.fail("it is open")', "FAIL: it is open"),
        ('raise pytest.fail.Exception("it is open")', "FAIL: it is open"),
        ('pytest.skip("nothing to judge")', "INFO: nothing to judge"),
        ('pytest.importorskip("no_such_module_at_all")', "INFO: could not import"),
        ('pytest.xfail("known")', "WARNING: known"),
        ('raise NotEvaluated("not to be had")', "ERROR: not to be had"),
        ("json_like()", "ERROR: the check stopped with AssertionError: damaged"),
        ("failing()", "ERROR: the check came to no verdict: Timeout (>1.0s)"),
        ("skipping()", "ERROR: the check came to no verdict: no network here"),
        ("with pytest.raises(ValueError): pass", "ERROR: the check came to no verdict: DID NOT RAISE"),
        ("1 / 0", "ERROR: the check stopped with ZeroDivisionError"),
        ('raise ExceptionGroup("several", [AssertionError("it is open")])', "ERROR: the check stopped with ExceptionGroup"),
    ],
)  # fmt: skip
def test_only_the_check_itself_says_fail(tmp_path: Path, body: str, expected: str) -> None:
    check = check_with(
        tmp_path, body,
        json_like=compiled("def library():\n    raise AssertionError('damaged')\n"),
        failing=compiled("def library():\n    pytest.fail('Timeout (>1.0s)')\n"),
        skipping=compiled("def library():\n    pytest.skip('no network here')\n"),
    )  # fmt: skip
    verdict = evaluate(check, "an open thing")  # type: ignore[arg-type]
    assert f"{verdict.status}: {verdict.message}".startswith(expected)


def test_an_alarm_in_the_midst_of_a_check_is_no_verdict(tmp_path: Path) -> None:
    handler = compiled("def library(number=0, frame=None):\n    pytest.fail('Timeout (>1.0s)')\n")
    before = signal.signal(signal.SIGALRM, handler)  # type: ignore[arg-type]
    try:
        check = check_with(tmp_path, "alarm()", alarm=lambda: signal.raise_signal(signal.SIGALRM))
        verdict = evaluate(check, "an open thing")  # type: ignore[arg-type]
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (verdict.status, verdict.message) == ("ERROR", "the check came to no verdict: Timeout (>1.0s)")
