"""What all writers share: the file under a temporary name, flushing, and the register of formats."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar

from plugins.findings import Finding

FLUSH_SECONDS = 1.0


class Writer:
    """Writes the findings of one account to one file.

    The file has the ending ``.part`` until ``close`` gives it its name. After every flush it is complete in its format:
    ``tail`` is written behind the last finding and overwritten by the next one.
    """

    ending: ClassVar[str]

    def __init__(self, path: Path, account: str) -> None:
        self.path = path
        self.account = account
        path.parent.mkdir(parents=True, exist_ok=True)
        self._part = path.with_name(path.name + ".part")
        self._file: IO[bytes] | None = self._part.open("wb")
        self._buffer: list[bytes] = []
        self._flushed = time.monotonic()
        self.begin()
        self.flush()

    def begin(self) -> None:
        """Write what stands before the first finding."""

    def render(self, finding: Finding) -> str:
        """The text of one finding."""
        raise NotImplementedError

    def tail(self) -> str:
        """What completes the file behind the last finding."""
        return ""

    def write(self, finding: Finding) -> None:
        """Add a finding."""
        self.put(self.render(finding))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def put(self, text: str) -> None:
        """Add text. Characters that UTF-8 cannot carry (lone surrogates) are written as their escapes."""
        self._buffer.append(text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Bring everything to disk in a form that is complete."""
        if self._file is None:
            return
        self._file.write(b"".join(self._buffer))
        self._buffer.clear()
        end = self._file.tell()
        self._file.write(self.tail().encode("utf-8", "backslashreplace"))
        self._file.truncate()
        self._file.flush()
        self._file.seek(end)
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Complete the file and give it its name. May be called twice."""
        if self._file is None:
            return
        self.flush()
        self._file.close()
        self._file = None
        os.replace(self._part, self.path)


def report_name(account: str, time: datetime) -> str:
    """``auditest-output-<account>-<YYYYMMDDHHMMSS>``, with nothing that a file name cannot carry."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", account) or "unknown"
    return f"auditest-output-{safe}-{time:%Y%m%d%H%M%S}"


def writers_for(formats: Sequence[str], directory: Path, filename: str, account: str) -> list[Writer]:
    """The writers of an account. Raises OSError when a file cannot be made."""
    from plugins.outputs.csv_report import CsvWriter
    from plugins.outputs.json_report import JsonlWriter, JsonWriter
    from plugins.outputs.junit_report import JunitWriter
    from plugins.outputs.text_report import MonoWriter, TextWriter

    kinds: dict[str, type[Writer]] = {
        "csv": CsvWriter, "json": JsonWriter, "jsonl": JsonlWriter,
        "junit-xml": JunitWriter, "text": TextWriter, "mono": MonoWriter,
    }  # fmt: skip
    writers = []
    for name in dict.fromkeys(formats):
        folder = directory / "junit-reports" if name == "junit-xml" else directory
        ending = ".mono.txt" if name == "mono" and "text" in formats else kinds[name].ending
        writers.append(kinds[name](folder / (filename + ending), account))
    return writers


def visible(text: str) -> str:
    """Text on one line, with control characters (terminal escapes among them) made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
