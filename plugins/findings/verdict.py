"""One check on one resource: from the check function's behaviour to a status and a message."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import _pytest
import pytest

from fixtures.api.errors import ApiError
from fixtures.model import Resource
from plugins.catalog.checks import Check, NotEvaluated
from plugins.suite import ROOT

Status: TypeAlias = Literal["PASS", "FAIL", "INFO", "WARNING", "ERROR"]
STATUSES: tuple[Status, ...] = ("PASS", "FAIL", "INFO", "WARNING", "ERROR")

Xfailed: type[BaseException] = pytest.xfail.Exception
Skipped: type[BaseException] = pytest.skip.Exception
Failed: type[BaseException] = pytest.fail.Exception

_PYTEST = (os.path.dirname(_pytest.__file__),)
_RESOURCES = str(ROOT / "fixtures") + os.sep
_NOT_OWN = (
    *dict.fromkeys(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(ROOT / "plugins") + os.sep, _RESOURCES, "<frozen",
)  # fmt: skip
"""Where code is that speaks for no check: Python, installed libraries, and what the suite itself is made of."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``status`` with the sentence that explains it; ``crash`` is the traceback of an error in the check's own code."""

    status: Status
    message: str
    crash: str = ""
    accepted: str = ""
    """Why the whitelist accepts the failure (of a WARNING that it made)."""
    entries: tuple[int, ...] = ()
    """Positions of the whitelist's entries that are about the resource."""


def evaluate(check: Check, resource: Resource, settings: Mapping[str, Any] | None = None) -> Verdict:
    """Run a check function on a resource. ``settings`` are the thresholds that differ from the defaults.

    Raises nothing but BaseExceptions that are not outcomes (KeyboardInterrupt, pytest.exit, WouldBlock).
    """
    try:
        evidence = check.function(resource, **settings) if settings else check.function(resource)
    except BaseException as raised:
        verdict = verdict_of(raised, check)
        if verdict is None:
            raise
        return verdict
    return passed(check, evidence)


def passed(check: Check, evidence: object) -> Verdict:
    """PASS, with the check's own words where it returned any."""
    return Verdict("PASS", evidence if isinstance(evidence, str) and evidence else check.title)


def verdict_of(raised: BaseException, check: Check | None = None) -> Verdict | None:
    """What an exception from a check function means; None when it is no outcome.

    A FAIL is what the check's own code says: an assertion, or pytest.fail, in its module or in code beside it, and
    pytest.fail in a resource. The same exception from elsewhere (a library's assertion, the alarm of pytest-timeout,
    pytest.raises) says that the check did not come to its end, which is an ERROR; and so is a skip that no check, no mark
    and no resource asked for.
    """
    words = str(getattr(raised, "msg", raised))
    if isinstance(raised, ApiError | NotEvaluated):
        return Verdict("ERROR", words)
    if isinstance(raised, Skipped | Xfailed) and _speaks(raised, check, pytest_too=True, resources=True):
        return Verdict("INFO" if isinstance(raised, Skipped) else "WARNING", words)
    if isinstance(raised, AssertionError) and _speaks(raised, check):
        return Verdict("FAIL", assertion_message(raised))
    if isinstance(raised, Failed) and _speaks(raised, check, resources=True):
        return Verdict("FAIL", words)
    if isinstance(raised, Failed | Skipped | Xfailed):
        return Verdict("ERROR", f"the check came to no verdict: {words}")
    if isinstance(raised, Exception):
        crash = "".join(traceback.format_exception(raised))
        return Verdict("ERROR", f"the check stopped with {type(raised).__name__}: {raised}", crash)
    return None


def _speaks(raised: BaseException, check: Check | None, *, pytest_too: bool = False, resources: bool = False) -> bool:
    """Whether an outcome was raised by the check's own code.

    ``pytest_too``: or by pytest, for a mark of the check; ``resources``: or by one of the suite's resources, in the check's
    place.
    """
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(raised.__traceback__)]
    while len(frames) > 1 and os.path.dirname(frames[-1]) in _PYTEST and os.path.basename(frames[-1]) == "outcomes.py":
        del frames[-1]  # pytest.fail and the like, which somebody called
    if not frames:
        return True
    place = frames[-1]
    own = getattr(getattr(check, "function", None), "__code__", None)
    if own is not None and place.startswith(os.path.dirname(own.co_filename) + os.sep):
        return True
    if (pytest_too and place.startswith(_PYTEST)) or (resources and place.startswith(_RESOURCES)):
        return True
    return not place.startswith((*_PYTEST, *_NOT_OWN))


def assertion_message(error: AssertionError) -> str:
    """The message given with ``assert``, without the explanation that pytest's assertion rewriting appends."""
    text = str(error)
    message, found, _ = text.rpartition("\nassert ")
    return message if found else text or "the condition does not hold"
