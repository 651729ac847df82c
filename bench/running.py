"""Runs the suite and the counting emulator for the benchmarks, and reads what they used and were asked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.resident import resident

ROOT = Path(__file__).resolve().parent.parent


def measured(
    command: Sequence[str | Path], env: Mapping[str, str], folder: Path = ROOT
) -> tuple[int, str, dict[str, Any]]:
    """Run a command: its exit code, what it printed, and wall and CPU seconds with the peak memory of its largest process."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT)
        memory: list[int] = []
        watch = threading.Thread(target=_watch, args=(process.pid, memory), daemon=True)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        out.seek(0)
        figures = {
            "wall_s": round(time.monotonic() - started, 2),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
            "memory_mb": max(memory, default=0),
        }
        return process.returncode, out.read(), figures


def _watch(pid: int, memory: list[int]) -> None:
    """Note the peak resident MB of a process and of those below it until it ends."""
    while below := _family(pid):
        for one in below:
            with contextlib.suppress(OSError, ValueError):  # it has ended
                memory.append(resident("VmHWM", one))
        memory[:] = [max(memory, default=0)]
        time.sleep(0.05)


def _family(pid: int) -> list[int]:
    """A process and those below it; nothing once it has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except (OSError, IndexError):
        return []
    return [] if state == "Z" else [pid, *(one for child in children for one in _family(child))]


def run(arguments: list[str], env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run the suite; what ``measured`` gives, and the findings counted in its summary."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    code, text, figures = measured(command, env or {})
    if code not in (0, 1):
        raise SystemExit(f"the run ended with {code}:\n{text[-3000:]}")
    found = re.search(r"^(\d+) findings", text, re.M)
    return {"findings": int(found.group(1)) if found else 0, **figures}


class Server:
    """The counting emulator as a context manager."""

    def __init__(self, latency_ms: float, **settings: str) -> None:
        """``settings``: of the emulator, as environment variables."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.latency_ms = latency_ms
        self.settings = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", **settings}

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.counting_server", str(self.port), str(self.latency_ms)],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **self.settings},
        )  # fmt: skip
        for _ in range(200):
            try:
                self.stats()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def stats(self, *, reset: bool = False) -> dict[str, Any]:
        """What was counted; with ``reset`` start anew."""
        request = urllib.request.Request(f"{self.url}/__count__", method="POST" if reset else "GET")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))

    def faults(self, rate: float, kinds: str, seed: int = 1) -> None:
        """From now on ``rate`` of the answers are faults of these kinds (``bench.faulty``), separated by commas."""
        query = urllib.parse.urlencode({"rate": rate, "kinds": kinds, "seed": seed})
        request = urllib.request.Request(f"{self.url}/__faults__?{query}", method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a run against it."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip


ALL_CHECKS = "extras or cislevel2 or secrets or trustboundaries or elasticsearch or pci or hipaa"


def demo_organization(server: Server) -> tuple[list[str], dict[str, str]]:
    """Put the demo's organization into the server; arguments and environment of a run of all checks and requirements on it."""
    from plugins.demo.account import REGIONS
    from plugins.demo.identity import ROLE
    from plugins.demo.world import MANAGEMENT_CREDENTIALS, fill

    accounts = fill(server.url).values()
    keys = {
        "AWS_ACCESS_KEY_ID": MANAGEMENT_CREDENTIALS["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": MANAGEMENT_CREDENTIALS["SecretAccessKey"],
    }
    arguments = ["-A", ",".join(accounts), "-R", ROLE, f"--filter-region={','.join(REGIONS)}", "-m", ALL_CHECKS]
    return arguments, server.environment | keys


def requests(server: Server, latency_ms: float) -> dict[str, Any]:
    """What the server counted; ``floor_s``: the time that so many requests take with so many in flight."""
    counted = server.stats()
    return {
        "requests": counted["requests"],
        "distinct": counted["distinct"],
        "duplicates": counted["duplicates"],
        "peak_in_flight": counted["peak_in_flight"],
        "most_in_flight": counted["most_in_flight"],
        "most_per_second": counted["most_per_second"],
        "requests_per_service": counted["services"],
        "repeated": counted["repeated"],
        "floor_s": round(counted["requests"] / max(1, counted["peak_in_flight"]) * latency_ms / 1000, 2),
    }
