"""A pytest plugin that notes the peak memory of each process of a run in the file that MEMORY_LOG names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """One line per process: its role, and its peak resident size in MB."""
    role = "worker" if hasattr(session.config, "workerinput") else "controller"
    # not getrusage: its peak begins with that of the process that started this one, and is kept across exec
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    with Path(os.environ["MEMORY_LOG"]).open("a") as log:
        log.write(f"{role} {peak}\n")
