"""Text for files and terminals: time stamps, UTF-8, control characters made visible."""

from __future__ import annotations

import functools
from datetime import UTC, datetime


@functools.lru_cache(maxsize=16)
def timestamp(time: datetime) -> str:
    """``2026-03-01T12:00:05Z``: UTC, whole seconds. Every finding of an audit has the same."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(text: str) -> bytes:
    """UTF-8. Characters that it cannot carry (lone surrogates) become their escapes."""
    return text.encode("utf-8", "backslashreplace")


def escaped(character: str) -> str:
    """The escape of a character: ``\\x1b``, ``\\u202e``."""
    return character.encode("unicode_escape").decode()


def visible(text: str) -> str:
    """Text on one line, with control characters (terminal escapes, direction marks) made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escaped(c) for c in text)
