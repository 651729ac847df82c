"""One check on one resource: from the check function's behaviour to a status and a message."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pytest

from fixtures.api.errors import ApiError
from fixtures.model import Resource
from plugins.catalog.checks import Check, NotEvaluated

Status: TypeAlias = Literal["PASS", "FAIL", "INFO", "WARNING", "ERROR"]
STATUSES: tuple[Status, ...] = ("PASS", "FAIL", "INFO", "WARNING", "ERROR")

Xfailed: type[BaseException] = pytest.xfail.Exception
Skipped: type[BaseException] = pytest.skip.Exception
Failed: type[BaseException] = pytest.fail.Exception


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
        verdict = verdict_of(raised)
        if verdict is None:
            raise
        return verdict
    return passed(check, evidence)


def passed(check: Check, evidence: object) -> Verdict:
    """PASS, with the check's own words where it returned any."""
    return Verdict("PASS", evidence if isinstance(evidence, str) and evidence else check.title)


def verdict_of(raised: BaseException) -> Verdict | None:
    """What an exception from a check function means; None when it is no outcome."""
    if isinstance(raised, AssertionError):
        return Verdict("FAIL", assertion_message(raised))
    if isinstance(raised, Skipped):
        return Verdict("INFO", str(getattr(raised, "msg", raised)))
    if isinstance(raised, Xfailed):
        return Verdict("WARNING", str(getattr(raised, "msg", raised)))
    if isinstance(raised, ApiError | NotEvaluated):
        return Verdict("ERROR", str(raised))
    if isinstance(raised, Failed):
        return Verdict("FAIL", str(getattr(raised, "msg", raised)))
    if isinstance(raised, Exception):
        crash = "".join(traceback.format_exception(raised))
        return Verdict("ERROR", f"the check stopped with {type(raised).__name__}: {raised}", crash)
    return None


def assertion_message(error: AssertionError) -> str:
    """The message given with ``assert``, without the explanation that pytest's assertion rewriting appends."""
    text = str(error)
    message, found, _ = text.rpartition("\nassert ")
    return message if found else text or "the condition does not hold"
