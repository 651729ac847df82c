"""Audits the demo's organization while its emulator misbehaves, and compares with what an audit finds without faults.

    python -m bench.faults [--rates 0.05,0.2] [--kinds throttle,500,reset,late,mixed] [--seed 1] [-n 0]

Each line is one run: how many findings, how many of them the same as without faults, how many that are ERROR instead,
how many are missing (and no ERROR of their check in their account says so) or different. Time and requests are given as
multiples of those of the run without faults. The exit code is 1 when anything is missing or different. The first run only
wakes the emulator up, and the last one is without faults again: what it shows as different is the world's own doing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.faulty import KINDS
from bench.running import Server, demo_organization, run

LATENCY_MS = 50.0
MIXED = "mixed"
SHOWN, SHORT = 8, 160

Key = tuple[str, str, str, str]
Found = dict[Key, str]
"""(check, account, region, resource) -> status and message."""


@dataclass(frozen=True)
class Comparison:
    """What became of the findings of a clean run."""

    findings: int
    identical: int
    errors: list[Key]
    missing: list[Key]
    wrong: list[Key]


def found_in(folder: Path) -> Found:
    """The findings of the jsonl reports in a folder."""
    found: Found = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            one = json.loads(line)
            key = (one["Check ID"], one["Account Number"], one["Region"], one["Resource ID"])
            found[key] = f"{one['Status']}: {one['Message']}"
    return found


def compare(clean: Found, faulty: Found) -> Comparison:
    """Compare by check, account, region and resource.

    What could not be listed has one ERROR in the place of its findings: those of a check with an ERROR in the account that
    the clean run has not are not missing.
    """
    new_errors = {key for key, text in faulty.items() if text.startswith("ERROR") and clean.get(key) != text}
    excused = {key[:2] for key in new_errors}
    return Comparison(
        findings=len(faulty),
        identical=sum(clean.get(key) == text for key, text in faulty.items()),
        errors=sorted(new_errors),
        missing=sorted(key for key in clean.keys() - faulty.keys() if key[:2] not in excused),
        wrong=sorted(key for key, text in faulty.items() if clean.get(key) != text and key not in new_errors),
    )


def audit(
    server: Server, arguments: list[str], environment: dict[str, str], workers: int
) -> tuple[Found, dict[str, Any]]:
    """One run: its findings, and its figures and the server's."""
    server.stats(reset=True)
    with tempfile.TemporaryDirectory() as folder:
        output = ["--output-formats=jsonl", f"--output-directory={folder}"]
        figures = run([*arguments, "-n", str(workers), *output], environment)
        return found_in(Path(folder)), figures | server.stats()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rates", default="0.05,0.2")
    parser.add_argument("--kinds", default=",".join([*KINDS, MIXED]))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-n", type=int, default=0)
    given = parser.parse_args()
    wanted = [(kind, float(rate)) for rate in given.rates.split(",") for kind in given.kinds.split(",")]
    failed = False
    with Server(LATENCY_MS, MOTO_ACM_VALIDATION_WAIT="0") as server:  # certificates would be issued between the runs
        arguments, environment = demo_organization(server)
        audit(server, arguments, environment, given.n)
        clean, base = audit(server, arguments, environment, given.n)
        print(
            f"without faults: {len(clean)} findings in {base['wall_s']} s with {base['requests']} requests, -n {given.n}"
        )
        print(
            f"{'faults':16} {'findings':>8} {'identical':>9} {'ERROR':>6} {'missing':>7} {'wrong':>6} {'wall':>6} {'requests':>8}"
        )
        for kind, rate in [*wanted, ("none", 0.0)]:
            server.faults(rate, ",".join(KINDS) if kind == MIXED else kind, given.seed)
            found, figures = audit(server, arguments, environment, given.n)
            one = compare(clean, found)
            print(
                f"{kind:9} {rate:5.0%}  {one.findings:8} {one.identical:9} {len(one.errors):6} {len(one.missing):7} {len(one.wrong):6}"
                f" {figures['wall_s'] / base['wall_s']:6.2f} {figures['requests'] / base['requests']:8.2f}  {_made(figures)}",
                flush=True,
            )
            for key in [*one.missing, *one.wrong, *one.errors][:SHOWN]:
                print(f"    {' '.join(key)}: {clean.get(key, '-')[:SHORT]} became {found.get(key, 'nothing')[:SHORT]}")
            failed |= bool(one.missing or one.wrong)
    return int(failed)


def _made(figures: dict[str, Any]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(figures["faults"].items()) if count)


if __name__ == "__main__":
    raise SystemExit(main())
