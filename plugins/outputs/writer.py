"""What all writers share: the file under a temporary name, flushing, and the register of formats."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from plugins.findings.finding import Finding
from plugins.outputs.run_facts import RunFacts
from plugins.text import encoded

FLUSH_SECONDS = 1.0
FLUSH_FINDINGS = 1000
LONGEST_NAME = 100


class Writer:
    """Writes the findings of one account to one file.

    The file has the ending ``.part`` until ``close`` gives it its name. After every flush it is complete in its format:
    ``tail`` stands behind the last finding until the next ones overwrite it.

    A Ctrl-C may strike anywhere. The position and the buffer of findings change together, after the bytes are written,
    so an interrupted flush is simply done again by the next one, at the same place.
    """

    separator: ClassVar[str] = ""
    """Stands between findings."""

    def __init__(self, path: Path, *, account: str) -> None:
        self.path = path
        self.account = account
        self.facts: RunFacts | None = None
        """What there is to say of the run, once the account is complete or the run ends."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._part = path.with_name(path.name + ".part")
        self._file = _opened(self._part)
        self._written = 0
        self._buffer: list[str] = []
        self._flushed = 0.0
        self._end = len(encoded(self.head()))
        try:
            self.flush()
        except BaseException:
            self.discard()
            raise

    def head(self) -> str:
        """What stands before the first finding. It is written anew with every flush and must keep its length."""
        return ""

    def render(self, finding: Finding) -> str:
        """The text of one finding."""
        raise NotImplementedError

    def tail(self) -> str:
        """What completes the file behind the last finding; shorter than any finding, until the facts are there."""
        return ""

    def write(self, finding: Finding) -> None:
        """Add a finding. Raises ValueError after ``close``."""
        if self._file.closed:
            raise ValueError(f"{self.path} is closed")
        self._buffer.append(self.render(finding))
        if len(self._buffer) >= FLUSH_FINDINGS or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._flush_or_restore()

    def flush(self) -> None:
        """Bring everything to disk in a form that is complete."""
        text = self.separator.join(self._buffer)
        if text and self._written:
            text = self.separator + text
        body = encoded(text)
        self._write_at(self._end, body + encoded(self.tail()))
        self._write_at(0, encoded(self.head()))
        written, end = self._written + len(self._buffer), self._end + len(body)
        now = time.monotonic()
        # no call from here on: Python looks for signals at calls
        self._written, self._end, self._buffer, self._flushed = written, end, [], now

    def _flush_or_restore(self) -> None:
        """Flush; on a full disk leave the file complete with what it had before. Raises OSError then."""
        try:
            self.flush()
        except OSError:
            self.facts = None
            tail = encoded(self.tail())
            self._write_at(self._end, tail)  # needs no more room than it had
            self._file.truncate(self._end + len(tail))
            raise

    def _write_at(self, position: int, data: bytes) -> None:
        self._file.seek(position)
        while data:
            data = data[self._file.write(data) :]

    def close(self, facts: RunFacts | None = None) -> None:
        """Complete the file, with what there is to say of the run, and give it its name. May be called twice.

        A file that cannot be completed stays ``.part``.
        """
        if self._file.closed:
            return
        self.facts = facts
        try:
            self._flush_or_restore()
        except OSError:
            self._file.close()
            raise
        # Locked until it has its name, and open until then: after a Ctrl-C in between, it is simply done again.
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._part, self.path)
        self._file.close()

    def discard(self) -> None:
        """Close without a report."""
        self._file.close()
        self._part.unlink(missing_ok=True)


def _opened(path: Path) -> io.FileIO:
    """An empty file for this process alone. Raises OSError, also when another run is writing it."""
    file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OSError(errno.EBUSY, f"another run is writing {path.name}", str(path)) from None
    except OSError:
        pass  # a file system without locks
    file.truncate(0)
    return file


def report_name(account: str, time: datetime) -> str:
    """``auditest-output-<account>-<YYYYMMDDHHMMSS>``.

    An account that could not be reached goes by its profile's name, which may be anything. What a file name cannot carry
    becomes ``_``, and a digest keeps names apart that would then be the same.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", account)[:LONGEST_NAME]
    if safe != account or not account:
        safe += "-" + hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"auditest-output-{safe}-{time:%Y%m%d%H%M%S}"
