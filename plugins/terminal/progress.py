"""How far the run is: a line on a terminal, and everywhere a line that names calls that do not come back.

What moves is watched in sources: the process itself and, with workers, each worker, which tells of itself through
``plugins.workers.channel``.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fixtures.model import Account
from plugins.audit.calls_in_flight import NAMED_CALLS, STALLED_SECONDS, Source, calls_of

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

REDRAW_SECONDS = 0.2


def stalled_line(sources: Iterable[Source], now: float) -> str:
    """The line that names the calls nothing has come back from; "" when things move."""
    stalled = [source for source in sources if source.is_stalled(now)]
    if not stalled:
        return ""
    oldest = sorted((call for source in stalled for call in source.oldest), key=lambda one: one[1])[:NAMED_CALLS]
    more = sum(source.in_flight for source in stalled) - len(oldest)
    named = ", ".join(f"{what} for {now - since:.0f} s" for what, since in oldest)
    return f"waiting for {named}" + (f" and {more} more call{'s' * (more > 1)}" if more > 0 else "")


def fitting(parts: Iterable[str], width: int) -> str:
    """As many of the parts, most important first, as fit on a line; the first one is cut if need be."""
    line = ""
    for part in parts:
        longer = f"{line}  {part}" if line else part
        if line and len(longer) > width:
            break
        line = longer
    return line[:width]


class Screen:
    """Where progress is drawn: a line of its own at the bottom of the terminal, which goes away before other output.

    It has a file descriptor of its own, since pytest points the usual one elsewhere while it captures a test's output.
    """

    def __init__(self, reporter: TerminalReporter, wanted: bool) -> None:
        self.reporter = reporter
        self._fd = self._duplicate()
        self.live = wanted and self._fd is not None and os.isatty(self._fd) and os.environ.get("TERM") != "dumb"
        self._lock = threading.RLock()
        self._shown = ""
        self._plain_write: Callable[..., None] = reporter._tw.write_raw
        if self.live:
            reporter._tw.write_raw = self._write  # type: ignore[method-assign]

    def _duplicate(self) -> int | None:
        try:
            return os.dup(self.reporter._tw._file.fileno())
        except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
            return None

    def _write(self, msg: str, *, flush: bool = False) -> None:
        with self._lock:
            self.clear()
            self._plain_write(msg, flush=flush)

    def draw(self, line: str) -> None:
        """Show the line in the place of the one before."""
        with self._lock:
            if line != self._shown:
                self._put(f"\r{line.ljust(len(self._shown))}\r")
                self._shown = line

    def clear(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._shown:
                self._put(f"\r{' ' * len(self._shown)}\r")
                self._shown = ""

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self.clear()
            if self._fd is not None:
                self._put(f"{line}\n")
            else:
                self.reporter.write_line(line)

    def _put(self, text: str) -> None:
        assert self._fd is not None
        encoding = getattr(self.reporter._tw._file, "encoding", None) or sys.getdefaultencoding()
        try:
            os.write(self._fd, text.encode(encoding, "backslashreplace"))
        except OSError:  # the terminal is gone; whoever writes next will say so
            self.live = False

    @property
    def width(self) -> int:
        """Columns of the terminal, as it is now."""
        try:
            return os.get_terminal_size(self._fd if self._fd is not None else -1).columns or 80
        except OSError:
            return 80

    def close(self) -> None:
        """Leave the terminal as it was."""
        with self._lock:
            self.clear()
            self.reporter._tw.write_raw = self._plain_write  # type: ignore[method-assign]
            self.live = False
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None


class Progress:
    """Watches the sources from a thread of its own, and draws. ``parts``: what else the line says, first things first."""

    def __init__(self, screen: Screen, accounts: list[Account], parts: Callable[[], list[str]]) -> None:
        self.screen = screen
        self.accounts = accounts
        self.parts = parts
        self.sources: dict[str, Source] = {"": Source()}
        """Worker id ("" for this process) -> its calls."""
        self._told = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="auditest-progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and take the line away."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        self.screen.close()

    def _watch(self) -> None:
        while not self._stop.wait(REDRAW_SECONDS):
            self.sources[""].update(*calls_of(self.accounts, len(self.accounts) > 1))
            now = time.monotonic()
            sources = list(self.sources.values())
            line = stalled_line(sources, now)
            if line and now - self._told > STALLED_SECONDS:
                self._told = now
                self.screen.say(line)
            if self.screen.live:
                self.screen.draw(fitting([*self.parts(), *_calls(sources)], self.screen.width - 1))


def _calls(sources: list[Source]) -> list[str]:
    done, in_flight = sum(source.finished for source in sources), sum(source.in_flight for source in sources)
    return [f"calls {done} done, {in_flight} in flight"] if done or in_flight else []
