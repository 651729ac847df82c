"""Which role this process has in a run: alone, controller or worker."""

from __future__ import annotations

import pytest


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is an xdist worker."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands the work to xdist workers. Decided on options, which are known early."""
    return (
        not is_worker(config)
        and bool(getattr(config.option, "tx", None))
        and config.option.dist != "no"
        and not config.option.collectonly
    )
