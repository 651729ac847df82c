"""The recording that was made or replayed, named at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.audit.run import run_of


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the recording that was made or replayed, with its seal: who notes the seal can tell a forged recording."""
    run = run_of(config)
    if run is None:
        return
    for line in run.recorded:
        terminalreporter.write_line(line)
    replayed = run.entering.recording
    if replayed is not None:
        when = f"{replayed.now:%Y-%m-%d %H:%M:%S} UTC"
        terminalreporter.write_line(f"Replayed: {replayed.path} of {when}, seal {replayed.seal}")
