"""What a run does with recordings besides its calls: the strictest limits to redact by, and joining the parts at the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from fixtures.recording.reader import AccountFacts
from fixtures.recording.writer import Recorder, discard, join
from fixtures.secrets.scanner import Limits
from plugins.options.thresholds import Settings
from plugins.suite import version


def limits_of(settings: Settings) -> Limits:
    """The strictest limits that any check looks for secrets with, and the ignore patterns of all of them."""
    own = [overrides for checks in settings.by_account.values() for overrides in checks.values()]
    tables = [*settings.everywhere.values(), *own]

    def values(name: str) -> list[Any]:
        return [table[name] for table in tables if name in table]

    default = Limits()
    patterns = [pattern for one in values("secrets_ignore_patterns") for pattern in one]
    return Limits(
        min([default.base64_entropy, *values("secrets_base64_entropy_limit")]),
        min([default.hex_entropy, *values("secrets_hex_entropy_limit")]),
        tuple(dict.fromkeys(patterns)),
    )


def finish(path: Path, recorder: Recorder, now: datetime, accounts: Iterable[AccountFacts]) -> tuple[bool, list[str]]:
    """Make the recording out of its parts: whether that was possible, and lines that say so."""
    try:
        if recorder.error:
            raise OSError(0, recorder.error)
        header, seal, left_out = join(path, suite=version(), now=now, accounts=accounts)
    except OSError as error:
        discard(path)
        older = "; the older one stays" if path.exists() else ""
        return False, [f"ERROR! Recording: {path} could not be written: {error.strerror or error}{older}"]
    calls = sum(section.lines for section in header.sections)
    lines = [f"Recording: {path}, {calls} calls, seal {seal}"]
    if left_out:
        lines.append(f"           without the calls of {left_out} workers that died")
    return True, lines
