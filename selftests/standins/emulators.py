"""moto servers, forked from one process that has read all of moto: 20 ms for each instead of 3 s.

That process is started at the first need and ends, with all its servers, when its standard input does.
"""

from __future__ import annotations

import atexit
import functools
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
READ_BEFORE = (
    "autoscaling",
    "cloudformation",
    "cloudtrail",
    "ec2",
    "iam",
    "kms",
    "logs",
    "organizations",
    "s3",
    "sns",
    "sqs",
    "sts",
)
"""The services that the worlds of the tests hold."""


@dataclass
class Server:
    """A moto server in a process of its own."""

    pid: int

    def kill(self) -> None:
        """End it; it is gone when this returns."""
        _ask(f"kill {self.pid}")


def serve(port: int) -> Server:
    """Start a moto server on a port of the loopback interface. It may take a moment until it answers."""
    return Server(int(_ask(f"serve {port}")))


def _ask(command: str) -> str:
    parent = _parent()
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(command + "\n")
    parent.stdin.flush()
    answer = parent.stdout.readline().strip()
    if not answer:
        raise RuntimeError("the process that starts emulators has ended")
    return answer


@functools.lru_cache(maxsize=1)
def _parent() -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
    )  # fmt: skip
    atexit.register(started.communicate)
    return started


def _run_server(port: int) -> NoReturn:
    from moto.server import main

    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(quiet, stream)
    main(["-p", str(port)])
    os._exit(0)


def _main() -> None:
    from moto import backends
    from moto.server import main  # noqa: F401 - for the servers

    from plugins.demo.endpoints import add_blocks
    from selftests.standins.moto_worlds import lighten

    lighten()
    read: Any = backends.get_backend
    for service in READ_BEFORE:
        read(service)
    add_blocks()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then close standard input
    running = set()
    for line in sys.stdin:
        command, _, number = line.partition(" ")
        if command == "serve":
            pid = os.fork()
            if not pid:
                _run_server(int(number))
            running.add(pid)
            print(pid, flush=True)
        else:
            _end(int(number))
            running.discard(int(number))
            print("ended", flush=True)
    for pid in running:
        _end(pid)


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    _main()
