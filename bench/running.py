"""Runs the suite and the counting emulator for the benchmarks, and reads what they used and were asked."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def run(arguments: list[str], env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run the suite; wall and CPU seconds, peak memory, and the findings counted in its summary."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=ROOT, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode not in (0, 1):
        raise SystemExit(f"the run ended with {process.returncode}:\n{text[-3000:]}")
    found = re.search(r"^(\d+) findings", text, re.M)
    return {
        "findings": int(found.group(1)) if found else 0,
        "wall_s": round(time.monotonic() - started, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "memory_mb": round(usage.ru_maxrss / 1024),
    }


class Server:
    """The counting emulator as a context manager."""

    def __init__(self, latency_ms: float) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.latency_ms = latency_ms

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.counting_server", str(self.port), str(self.latency_ms)],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"},
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

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a run against it."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip


def requests(server: Server, latency_ms: float) -> dict[str, Any]:
    """What the server counted; ``floor_s``: the time that so many requests take with so many in flight."""
    counted = server.stats()
    return {
        "requests": counted["requests"],
        "distinct": counted["distinct"],
        "duplicates": counted["duplicates"],
        "peak_in_flight": counted["peak_in_flight"],
        "requests_per_service": counted["services"],
        "repeated": counted["repeated"],
        "floor_s": round(counted["requests"] / max(1, counted["peak_in_flight"]) * latency_ms / 1000, 2),
    }
