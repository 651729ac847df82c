"""A pytest plugin that makes a run meet trouble; what it does is said by environment variables.

HANG=service:Operation@region (* for any): this call takes HANG_SECONDS, and leaves the file HANG_OVER. STALLED_SECONDS=s: after so
long a call is named on the terminal. FILE_LIMIT=bytes: a report cannot grow beyond it, as on a full disk.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.api.backend import Answer
from fixtures.api.live import AwsBackend
from plugins.audit import calls_in_flight
from plugins.outputs import writer

plain_call = AwsBackend.call


def slow_call(backend: AwsBackend, region: str, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
    """The call, after a while if it is the one that HANG names."""
    if os.environ["HANG"] in (f"{service}:{operation}@{region}", f"{service}:{operation}@*"):
        time.sleep(float(os.environ.get("HANG_SECONDS", "60")))
        if "HANG_OVER" in os.environ:
            Path(os.environ["HANG_OVER"]).touch()
    return plain_call(backend, region, service, operation, params)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare it."""
    if "HANG" in os.environ:
        AwsBackend.call = slow_call  # type: ignore[method-assign,assignment]
    calls_in_flight.STALLED_SECONDS = float(os.environ.get("STALLED_SECONDS", calls_in_flight.STALLED_SECONDS))
    if "FILE_LIMIT" in os.environ and not hasattr(config, "workerinput"):
        limit = int(os.environ["FILE_LIMIT"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer.FLUSH_FINDINGS = 5
