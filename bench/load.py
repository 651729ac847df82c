"""How hard an audit of the demo's organization asks AWS, from the log of the server that it asks: ``python -m bench.load``.

Each line is one run of all checks on three accounts: the most requests to one service of one account in one region that
were in flight at a time, and that came within a second, each with the place where it was. The exit code is 1 when a run
exceeds its ceiling: ``fixtures.api.calls.CALLS_PER_SERVICE`` in flight, and with --max-calls-per-second that number within a
second, once for each process that asks: the controller, which enters the account, and the workers that share it.
"""

from __future__ import annotations

import tempfile

from bench.running import Server, demo_organization, run
from fixtures.api.calls import CALLS_PER_SERVICE

LATENCY_MS = 50.0
PER_SECOND = 5
RUNS = [(0, 0), (2, 0), (4, 0), (0, PER_SECOND), (4, PER_SECOND)]
"""Workers, and requests per second (0: no limit)."""


def main() -> int:
    """Run and print."""
    exceeded = False
    with Server(LATENCY_MS) as server:
        arguments, environment = demo_organization(server)
        print(
            f"{'-n':>2} {'--max-calls-per-second':>22} {'wall s':>6} {'requests':>8}  most in flight / within a second"
        )
        for workers, per_second in RUNS:
            server.stats(reset=True)
            limit = [f"--max-calls-per-second={per_second}"] if per_second else []
            with tempfile.TemporaryDirectory() as folder:
                output = ["--output-formats=jsonl", f"--output-directory={folder}"]
                figures = run([*arguments, "-n", str(workers), *limit, *output], environment) | server.stats()
            in_flight, within = figures["most_in_flight"], figures["most_per_second"]
            print(
                f"{workers:2} {per_second or 'no limit':>22} {figures['wall_s']:6} {figures['requests']:8}"
                f"  {_first(in_flight)} / {_first(within)}",
                flush=True,
            )
            exceeded |= max(in_flight.values()) > CALLS_PER_SERVICE
            exceeded |= bool(per_second) and max(within.values()) > per_second * (2 if workers else 1) + 1
    return int(exceeded)


def _first(figures: dict[str, int]) -> str:
    place, figure = next(iter(figures.items()))
    return f"{figure} ({place})"


if __name__ == "__main__":
    raise SystemExit(main())
