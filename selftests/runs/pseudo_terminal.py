"""Running a command in a terminal of a given width, and what it shows there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plugins.suite import ROOT
from selftests.whole_runs import clean_environment

CTRL_C = b"\x03"
NOT_INHERITED = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "TERM")
SEQUENCE = re.compile(r"\033\[[\d;?]*[A-Za-z]")


@dataclass
class Shown:
    """How a command ended, and everything that it wrote to its terminal."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without colours and other sequences."""
        return SEQUENCE.sub("", self.raw)

    @property
    def states(self) -> list[str]:
        """What stood on a line at some time: a carriage return begins the line anew."""
        return [part for line in self.text.split("\n") for part in line.split("\r")]

    @property
    def screen(self) -> list[str]:
        """The lines as they stand in the end."""
        return [_overwritten(line) for line in self.text.split("\n")]


def _overwritten(line: str) -> str:
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown.rstrip()


def show(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    columns: int = 100,
    keys: Sequence[tuple[str, bytes]] = (),
    timeout: float = 90,
) -> Shown:
    """Run a command in a terminal. ``keys``: what is typed, each when the text before it has been shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in clean_environment().items() if k not in NOT_INHERITED}
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**environment, "TERM": "xterm", **env}, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    raw, seen, waiting = b"", 0, list(keys)
    try:
        while chunk := _read(ours, started + timeout - time.monotonic()):
            raw += chunk
            while waiting and (found := raw.find(waiting[0][0].encode(), seen)) >= 0:
                seen = found + len(waiting[0][0])
                os.write(ours, waiting.pop(0)[1])
        code = process.wait(max(1.0, started + timeout - time.monotonic()))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
    return Shown(code, raw.decode("utf-8", "replace").replace("\r\n", "\n"))


def _read(descriptor: int, seconds: float) -> bytes:
    """What comes next; nothing when the terminal is closed or time is up."""
    if not select.select([descriptor], [], [], max(0.0, seconds))[0]:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says EIO when the other end is closed
        return b""
