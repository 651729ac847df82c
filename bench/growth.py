"""How figures grow: ``python -m bench.growth findings|accounts|regions|writers [SIZE ...]``.

    findings    one account of a recording, one check: findings per second and memory
    accounts    so many accounts of 2,000 findings, two workers: CPU per account, memory of the largest processes
    regions     the benchmark's world in so many regions, all checks: requests, CPU, memory
    writers     one report of so many findings in each format: CPU, size, memory

Prints a Markdown table. A straight line is a last column that stays the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.__main__ import accounts
from bench.compare import RESOURCES, region_names
from bench.recordings import write
from bench.running import ALL_CHECKS, ROOT, Server, requests, run

FORMATS = ("csv", "json", "jsonl", "json-asff", "junit-xml", "html", "text")
Row = dict[str, Any]


def by_findings(sizes: list[int]) -> Iterator[Row]:
    """Growth within one account. The smallest size is start-up, and taken off."""
    base: Row | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            tape = Path(folder, "growth.rec")
            write(tape, size, ["123456789012"], ["us-east-1"])
            found = run(
                [f"--replay={tape}", "--check=check43", "--output-formats=csv,json", f"--output-directory={folder}/out"]
            )
        base = base or found
        more = found["findings"] - base["findings"]
        yield {
            "findings": found["findings"], "wall s": found["wall_s"], "CPU s": found["cpu_s"], "memory MB": found["memory_mb"],
            "findings per s": round(more / (found["wall_s"] - base["wall_s"])) if more else "",
            "CPU ms per finding": round((found["cpu_s"] - base["cpu_s"]) * 1000 / more, 3) if more else "",
            "memory kB per finding": round((found["memory_mb"] - base["memory_mb"]) * 1024 / more, 2) if more else "",
        }  # fmt: skip


def by_accounts(sizes: list[int]) -> Iterator[Row]:
    """Growth with accounts."""
    for size in sizes:
        found = accounts(size, 2000, 4, 2)
        yield {
            "accounts": size, "findings": found["findings"], "largest worker MB": found["worker_mb"],
            "controller MB": found["controller_mb"], "CPU s": found["cpu_s"], "CPU s per account": round(found["cpu_s"] / size, 2),
        }  # fmt: skip


def by_regions(sizes: list[int]) -> Iterator[Row]:
    """Growth with regions, against the emulator."""
    from bench.world import build

    for size in sizes:
        with Server(0) as server, tempfile.TemporaryDirectory() as folder:
            names = region_names(size)
            build(server.url, RESOURCES, names)
            server.stats(reset=True)
            found = run(
                [f"--filter-region={','.join(names)}", "-m", ALL_CHECKS, "--output-formats=csv", f"--output-directory={folder}"],
                server.environment,
            )  # fmt: skip
            asked = requests(server, 0)
        yield {
            "regions": size, "findings": found["findings"], "requests": asked["requests"], "repeated": asked["duplicates"],
            "memory MB": found["memory_mb"], "CPU s": found["cpu_s"], "CPU ms per request": round(found["cpu_s"] * 1000 / asked["requests"], 2),
        }  # fmt: skip


def by_format(sizes: list[int]) -> Iterator[Row]:
    """Growth of each report, in a process of its own."""
    for format in FORMATS:
        for size in sizes:
            done = subprocess.run(
                [sys.executable, "-m", "bench.writers", format, str(size)], cwd=ROOT, check=True, capture_output=True
            )
            yield json.loads(done.stdout)


KINDS: dict[str, tuple[Callable[[list[int]], Iterable[Row]], list[int]]] = {
    "findings": (by_findings, [1_000, 10_000, 50_000, 100_000, 200_000]),
    "accounts": (by_accounts, [1, 10, 50, 200]),
    "regions": (by_regions, [1, 2, 4, 8, 17]),
    "writers": (by_format, [10_000, 1_000_000]),
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("sizes", nargs="*", type=int)
    given = parser.parse_args()
    measure, sizes = KINDS[given.kind]
    for number, row in enumerate(measure(given.sizes or sizes)):
        if not number:
            print("|", " | ".join(row), "|\n|" + "---|" * len(row))
        print(
            "|",
            " | ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()),
            "|",
            flush=True,
        )


if __name__ == "__main__":
    main()
