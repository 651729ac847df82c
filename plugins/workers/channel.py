"""What workers and the controller tell each other besides test reports, through an execnet channel of their own.

A worker tells how its calls stand, when that has changed. The controller tells the workers to stop: Ctrl-C in a terminal
reaches them by itself, a signal to the controller alone does not.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from plugins.audit.calls_in_flight import Source, calls_of
from plugins.audit.run import Run, run_of

KEY = "auditest_channel"
STOP = "stop"
SECONDS = 0.5


class CallChannels:
    """The controller's side."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self.sources = sources
        """Worker id -> how its calls stand; the terminal's progress reads it."""
        self._channels: dict[str, Any] = {}

    def pytest_configure_node(self, node: Any) -> None:
        """Open a channel to a new worker."""
        source = self.sources[node.gateway.id] = Source()
        channel = self._channels[node.gateway.id] = node.gateway.newchannel()

        def receive(message: tuple[int, int, list[tuple[str, float]]]) -> None:
            finished, in_flight, ages = message
            now = time.monotonic()
            source.update(finished, in_flight, [(what, now - age) for what, age in ages])

        channel.setcallback(receive)
        node.workerinput[KEY] = channel

    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended: its calls count as done, none is waited for."""
        source = self.sources.get(node.gateway.id)
        if source is not None:
            source.update(source.finished, 0, [])
        self._channels.pop(node.gateway.id, None)

    def pytest_keyboard_interrupt(self) -> None:
        """Let the workers end their part too."""
        for channel in self._channels.values():
            try:
                channel.send(STOP)
            except OSError:  # it has ended
                continue


class CallTeller:
    """A worker's side: a thread that tells how the calls stand."""

    def __init__(self, channel: Any, run: Run, several: bool) -> None:
        self._channel = channel
        self._run = run
        self._several = several
        self._stop = threading.Event()
        channel.setcallback(self._receive)
        threading.Thread(target=self._tell, name="auditest-call-teller", daemon=True).start()

    def _receive(self, message: str) -> None:
        if message == STOP:
            os.kill(os.getpid(), signal.SIGINT)

    def _tell(self) -> None:
        told: tuple[int, int, list[tuple[str, float]]] | None = None
        while not self._stop.wait(SECONDS):
            state = calls_of(self._run.accounts, self._several)
            if state == told:
                continue
            told = state
            finished, in_flight, oldest = state
            now = time.monotonic()
            try:
                self._channel.send((finished, in_flight, [(what, now - since) for what, since in oldest]))
            except OSError:  # the controller is gone
                return

    def pytest_sessionfinish(self) -> None:
        """Nothing more to tell."""
        self._stop.set()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """On a worker: begin to tell."""
    config = session.config
    run = run_of(config)
    given = getattr(config, "workerinput", {})
    if run is not None and KEY in given and "auditest" in given:
        teller = CallTeller(given[KEY], run, several=len(run.audited) > 1)
        config.pluginmanager.register(teller, "auditest-call-teller")
