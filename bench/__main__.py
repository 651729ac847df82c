"""Measures a run of the suite and prints the figures as JSON.

    python -m bench engine --findings 50000 [-n 2]        the engine alone: an account from a recording, no network
    python -m bench emulator --resources 200 --latency-ms 100    requests and wall time against moto with added latency
    python -m bench accounts --accounts 40 -n 2           memory and CPU of many accounts on few workers
    python -m bench organization --latency-ms 50 [-n 2]   all checks on the demo's organization: requests per service
    python -m bench start                                 from process start to the first finding, one region

Times on a shared machine are noise: compare figures of one run with each other. ``cpu_ms_per_finding`` is the growth of
CPU time (all processes) from a tenth of the findings to all of them, so that start-up is not in it; memory is the peak
resident size of the largest process in MB.
"""

from __future__ import annotations

import argparse
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

from bench.recordings import write

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


def engine(findings: int, workers: int, formats: str) -> dict[str, Any]:
    """The engine on an account of ``findings`` security groups, one check each, from a recording."""
    regions = ["us-east-1", "eu-west-1"][: max(1, min(workers, 2))]
    sizes = [findings // 10, findings]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            tape = Path(folder, f"{size}.rec")
            write(tape, size, ["123456789012"], regions)
            results.append(
                run([f"--replay={tape}", "--check=check43", f"--output-formats={formats}",
                     f"--output-directory={folder}/out", "-n", str(workers)])
            )  # fmt: skip
    small, large = results
    grown = large["findings"] - small["findings"]
    return {
        **large,
        "cpu_ms_per_finding": round((large["cpu_s"] - small["cpu_s"]) * 1000 / grown, 3),
        "cpu_ms_per_finding_with_start": round(large["cpu_s"] * 1000 / large["findings"], 3),
        "findings_per_s": round(grown / max(0.01, large["wall_s"] - small["wall_s"])),
    }


def accounts(number: int, each: int, regions: int, workers: int) -> dict[str, Any]:
    """Many accounts on few workers: memory of the largest worker and of the controller."""
    names = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-west-2", "sa-east-1"][:regions]
    with tempfile.TemporaryDirectory() as folder:
        tape, log = Path(folder, "accounts.rec"), Path(folder, "memory")
        write(tape, each, [f"{100000000000 + n}" for n in range(number)], names)
        result = run(
            [f"--replay={tape}", "--check=check43", "--output-formats=jsonl", f"--output-directory={folder}/out",
             "-n", str(workers), "-p", "bench.memory"],
            {"MEMORY_LOG": str(log)},
        )  # fmt: skip
        peaks = [line.split() for line in log.read_text().splitlines()]
    largest = {role: max((int(mb) for one, mb in peaks if one == role), default=0) for role in ("worker", "controller")}
    workers_used = sum(role == "worker" for role, _ in peaks)
    return {**result, "worker_mb": largest["worker"], "controller_mb": largest["controller"], "processes": workers_used}


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


def emulator(resources: int, latency_ms: float, regions: int, arguments: list[str]) -> dict[str, Any]:
    """A world of ``resources`` resources per kind behind moto, audited with latency added to each call."""
    from bench.world import build, regions_named

    with Server(latency_ms) as server:
        names = regions_named(regions)
        build(server.url, resources, names)
        server.stats(reset=True)
        with tempfile.TemporaryDirectory() as folder:
            output = ["--output-formats=jsonl", f"--output-directory={folder}"]
            result = run([f"--filter-region={','.join(names)}", *output, *arguments], server.environment)
        return result | requests(server, latency_ms)


ALL_CHECKS = "extras or cislevel2 or secrets or trustboundaries or elasticsearch or pci or hipaa"


def organization(latency_ms: float, workers: int) -> dict[str, Any]:
    """All checks and requirements on the three accounts and regions of the demo's organization."""
    from plugins.demo_world import MANAGEMENT_CREDENTIALS, fill
    from plugins.demo_world_account import REGIONS
    from plugins.demo_world_identity import ROLE

    with Server(latency_ms) as server:
        accounts = fill(server.url).values()
        server.stats(reset=True)
        keys = {
            "AWS_ACCESS_KEY_ID": MANAGEMENT_CREDENTIALS["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": MANAGEMENT_CREDENTIALS["SecretAccessKey"],
        }
        with tempfile.TemporaryDirectory() as folder:
            result = run(
                ["-A", ",".join(accounts), "-R", ROLE, f"--filter-region={','.join(REGIONS)}", "-m", ALL_CHECKS,
                 "-n", str(workers), "--output-formats=jsonl", f"--output-directory={folder}"],
                server.environment | keys,
            )  # fmt: skip
        return result | requests(server, latency_ms)


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


def start() -> dict[str, Any]:
    """An account of one region with one check."""
    with Server(0) as server:
        return run(["--filter-region=us-east-1", "--check=check43", "--output-formats="], server.environment)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("engine")
    one.add_argument("--findings", type=int, default=50_000)
    one.add_argument("-n", type=int, default=0)
    one.add_argument("--formats", default="")
    many = commands.add_parser("accounts")
    many.add_argument("--accounts", type=int, default=40)
    many.add_argument("--each", type=int, default=2000)
    many.add_argument("--regions", type=int, default=1)
    many.add_argument("-n", type=int, default=2)
    live = commands.add_parser("emulator")
    live.add_argument("--resources", type=int, default=50)
    live.add_argument("--latency-ms", type=float, default=100)
    live.add_argument("--regions", type=int, default=3)
    live.add_argument("arguments", nargs="*", help="further pytest arguments, after --")
    demo = commands.add_parser("organization")
    demo.add_argument("--latency-ms", type=float, default=50)
    demo.add_argument("-n", type=int, default=0)
    commands.add_parser("start")
    given = parser.parse_args()
    if given.command == "engine":
        result = engine(given.findings, given.n, given.formats)
    elif given.command == "accounts":
        result = accounts(given.accounts, given.each, given.regions, given.n)
    elif given.command == "emulator":
        result = emulator(given.resources, given.latency_ms, given.regions, given.arguments)
    elif given.command == "organization":
        result = organization(given.latency_ms, given.n)
    else:
        result = start()
    print(json.dumps({"command": given.command, **result}, indent=2))


if __name__ == "__main__":
    main()
