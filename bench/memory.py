"""A pytest plugin that notes the peak memory of each process of a run in the file that MEMORY_LOG names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.resident import resident

LOG = "MEMORY_LOG"


def noted(log: Path) -> dict[str, int]:
    """What the processes of a run have noted: peaks of the largest worker and of the controller, and how many workers."""
    peaks = [line.split() for line in log.read_text().splitlines()]
    largest = {
        f"{role}_mb": max((int(mb) for one, mb in peaks if one == role), default=0) for role in ("worker", "controller")
    }
    return {**largest, "processes": sum(role == "worker" for role, _ in peaks)}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """One line per process: its role, and its peak resident size in MB."""
    role = "worker" if hasattr(session.config, "workerinput") else "controller"
    with Path(os.environ[LOG]).open("a") as log:
        log.write(f"{role} {resident('VmHWM')}\n")
