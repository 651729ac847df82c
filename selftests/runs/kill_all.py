"""A pytest plugin that kills the controller and its workers at once (SIGKILL), as a machine that goes down would.

KILL_ALL_AFTER=n: when the controller has got n findings; KILL_ALL_AFTER=end: when it has got all, before it ends. The
run must be the leader of its process group.
"""

from __future__ import annotations

import os
import signal

import pytest

AFTER = os.environ.get("KILL_ALL_AFTER", "")
_seen = 0


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A finding has arrived."""
    global _seen
    _seen += 1
    if "PYTEST_XDIST_WORKER" not in os.environ and str(_seen) == AFTER:
        os.killpg(0, signal.SIGKILL)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """All are there."""
    if "PYTEST_XDIST_WORKER" not in os.environ and AFTER == "end":
        os.killpg(0, signal.SIGKILL)
