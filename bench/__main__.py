"""Measures a run of the suite and prints the figures as JSON.

    python -m bench engine --findings 50000 [-n 2]        the engine alone: an account from a recording, no network
    python -m bench emulator --resources 200 --latency-ms 100    requests and wall time against moto with added latency
    python -m bench accounts --accounts 40 -n 2           memory and CPU of many accounts on few workers
    python -m bench organization200 --accounts 200 -n 2   likewise through the emulator, in 4 regions; counts the reports
    python -m bench organization --latency-ms 50 [-n 2]   all checks on the demo's organization: requests per service
    python -m bench start --times 5                       how long --help, --list-checks and the first request take, also
                                                          with 90 services and 800 checks
    python -m bench secrets                               precision and recall of the secrets scanner on the self-tests' corpus
    python -m bench.faults, python -m bench.load          findings while AWS misbehaves; how hard AWS is asked

Times on a shared machine are noise: compare figures of one run with each other. ``cpu_ms_per_finding`` is the growth of
CPU time (all processes) from a tenth of the findings to all of them, so that start-up is not in it; memory is the peak
resident size of the largest process in MB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from bench import memory, organization200, starting
from bench.recordings import write
from bench.running import Server, demo_organization, requests, run


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
            {memory.LOG: str(log)},
        )  # fmt: skip
        return {**result, **memory.noted(log)}


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


def organization(latency_ms: float, workers: int) -> dict[str, Any]:
    """All checks and requirements on the three accounts and regions of the demo's organization."""
    with Server(latency_ms) as server:
        arguments, environment = demo_organization(server)
        server.stats(reset=True)
        with tempfile.TemporaryDirectory() as folder:
            output = ["--output-formats=jsonl", f"--output-directory={folder}"]
            result = run([*arguments, "-n", str(workers), *output], environment)
        return result | requests(server, latency_ms)


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
    large = commands.add_parser("organization200")
    large.add_argument("--accounts", type=int, default=200)
    large.add_argument("--regions", type=int, default=4)
    large.add_argument("-n", type=int, default=2)
    begin = commands.add_parser("start")
    begin.add_argument("--times", type=int, default=5)
    commands.add_parser("secrets")
    given = parser.parse_args()
    if given.command == "engine":
        result = engine(given.findings, given.n, given.formats)
    elif given.command == "accounts":
        result = accounts(given.accounts, given.each, given.regions, given.n)
    elif given.command == "emulator":
        result = emulator(given.resources, given.latency_ms, given.regions, given.arguments)
    elif given.command == "organization200":
        result = organization200.organization(given.accounts, given.regions, given.n)
    elif given.command == "organization":
        result = organization(given.latency_ms, given.n)
    elif given.command == "secrets":
        from bench.secrets import measure

        result = measure()
    else:
        result = starting.start(given.times)
    print(json.dumps({"command": given.command, **result}, indent=2))


if __name__ == "__main__":
    main()
