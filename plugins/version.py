"""The suite's version, for reports, recordings and journals."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path


@functools.lru_cache(maxsize=1)
def version() -> str:
    """The suite's version."""
    project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
