"""What the suite is: its version and its own files. Sent to other hosts as it is, so it imports nothing of ours."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(globals().get("__file__", "plugins/suite.py")).resolve().parents[1]
"""The suite's folder; on another host the current one, where its source runs without a file."""
SOURCES = ("conftest.py", "plugins", "fixtures", "tests_cis", "tests_extras", "tests_compliance")
SETTINGS = "pyproject.toml"
ENDINGS = (".py", ".yaml", ".toml", ".js", ".css", ".html")
NEEDED = ("pytest", "xdist", "boto3", "msgspec", "yaml", "rich")


@functools.lru_cache(maxsize=1)
def version() -> str:
    """The suite's version."""
    return str(tomllib.loads((ROOT / SETTINGS).read_text(encoding="utf-8"))["project"]["version"])


def digest_of(root: Path, names: Iterable[str] = (*SOURCES, SETTINGS)) -> str:
    """The digest of the suite's own files, or of other files and folders below ``root``."""
    digest = hashlib.sha256()
    for name in names:
        place = root / name
        for file in sorted([place] if place.is_file() else place.rglob("*")):
            if file.suffix in ENDINGS:
                digest.update(f"{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def lacking() -> list[str]:
    """What the suite needs and this Python does not have."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


if __name__ == "__channelexec__":
    channel: Any = globals()["channel"]  # which execnet gives it
    channel.send([digest_of(Path()), lacking()])
