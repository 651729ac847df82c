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
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Before a report leaves the process."""
    global _seen
    interrupt, kill = os.environ.get("INTERRUPT_AFTER"), os.environ.get("KILL_AFTER")
    in_worker = "PYTEST_XDIST_WORKER" in os.environ
    if in_worker or not kill:
        time.sleep(float(os.environ.get("SLEEP_EACH", "0")))
    if in_worker and kill is not None:
        marker = os.environ.get("KILL_MARKER")
        if _seen >= int(kill) and not (marker and Path(marker).exists()):
            if marker:
                Path(marker).touch()
            time.sleep(0.3)  # what was reported is on its way
            os.kill(os.getpid(), signal.SIGKILL)
        _seen += 1
    elif not in_worker and interrupt is not None:
        _seen += 1
        if _seen == int(interrupt):
            os.kill(os.getpid(), signal.SIGINT)
