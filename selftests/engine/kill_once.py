"""A pytest plugin that hurts a run at a chosen moment; what it does is said by environment variables.

KILL_AFTER=n: the process that runs items is killed (SIGKILL) before its item n, once if KILL_MARKER names a file, else
every time. INTERRUPT_AFTER=n: the controller gets Ctrl-C after n findings. SLEEP_EACH=s: each item takes s seconds.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

_seen = 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Before an item."""
    global _seen
    time.sleep(float(os.environ.get("SLEEP_EACH", "0")))
    after = os.environ.get("KILL_AFTER")
    if after is None or not hasattr(item.config, "workerinput"):
        return
    marker = os.environ.get("KILL_MARKER")
    if _seen >= int(after) and not (marker and Path(marker).exists()):
        if marker:
            Path(marker).touch()
        time.sleep(0.3)  # what was reported is on its way
        os.kill(os.getpid(), signal.SIGKILL)
    _seen += 1


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """After a finding."""
    global _seen
    after = os.environ.get("INTERRUPT_AFTER")
    if after is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    _seen += 1
    if _seen == int(after):
        os.kill(os.getpid(), signal.SIGINT)
