"""Side by side with Prowler 5, on one emulated account: ``python -m bench.compare [--regions 2,17] [--latency-ms 0,50]``.

Both audit the same account with the checks that are equivalent (``bench/equivalents.yaml``), one after the other, and the
server in front of the emulator counts what they ask and adds latency to each answer. Prowler is installed into an
environment of its own: a temporary one, or ``--environment DIR``, which is kept and used again.

Prints JSON, one entry per number of regions and latency: wall and CPU seconds of the tool alone, peak resident MB of its
largest process, requests, distinct ones, repeated ones (asked again though answered), the most requests in flight, and our
figures as fractions of Prowler's. ``floor_s`` is the time that its requests need with that many in flight.

The emulator runs on the same cores as the tool that is measured: the wall times hold its work, too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from bench.running import ROOT, Server, measured, requests, run

EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")
RESOURCES = 60
"""Resources of each kind of ``bench.world``, beside those of the demo's organization."""


def environment(folder: Path) -> Path:
    """Prowler's command in an environment in ``folder``, made when it is not there."""
    command = folder / "bin" / "prowler"
    if not command.exists():
        venv.create(folder, with_pip=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "prowler>=5,<6"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
    return command


def equivalents(prowler: Path) -> tuple[list[str], list[str]]:
    """Our checks and Prowler's that look at the same, as far as this version of Prowler has them."""
    import yaml

    listed = subprocess.run([prowler, "aws", "--list-checks-json"], capture_output=True, text=True, check=True).stdout
    known = set(json.loads(listed[listed.index("{") :])["aws"])
    pairs: dict[str, list[str]] = yaml.safe_load(EQUIVALENTS.read_text())
    ours = [check for check, theirs in pairs.items() if known.intersection(theirs)]
    return ours, sorted({one for check in ours for one in pairs[check]} & known)


def theirs(prowler: Path, checks: list[str], regions: list[str], environ: dict[str, str]) -> dict[str, Any]:
    """Run Prowler; wall and CPU seconds, peak memory, findings."""
    with tempfile.TemporaryDirectory() as folder:
        command: list[str | Path] = [
            prowler, "aws", "--checks", *checks, "--region", *regions, "--output-formats", "csv", "json-ocsf",
            "--output-directory", folder, "--no-banner",
        ]  # fmt: skip
        code, said, figures = measured(command, environ, Path(folder))
        reports = sorted(Path(folder).glob("*.csv"))
        if not reports:
            raise SystemExit(f"prowler ended with {code} and without a report:\n{said[-3000:]}")
        findings = sum(len(json.loads(path.read_text())) for path in Path(folder).glob("*.ocsf.json"))
    return {"findings": findings, **figures}


def ours(checks: list[str], regions: list[str], environ: dict[str, str], workers: int) -> dict[str, Any]:
    """Run the suite with csv and ASFF, as near to Prowler's formats as it has."""
    with tempfile.TemporaryDirectory() as folder:
        return run(
            [f"--check={','.join(checks)}", f"--filter-region={','.join(regions)}", "--output-formats=csv,json-asff",
             f"--output-directory={folder}", "-n", str(workers)], environ,
        )  # fmt: skip


def region_names(number: int) -> list[str]:
    """So many regions, those of the demo's organization first."""
    import boto3

    from plugins.demo.account import REGIONS

    names = sorted(boto3.Session().get_available_regions("ec2"))
    return [*REGIONS, *(name for name in names if name not in REGIONS)][:number]


def compare(prowler: Path, regions: list[str], latency_ms: float, workers: int) -> dict[str, Any]:
    """One comparison."""
    from bench.world import build
    from plugins.demo.world import fill

    our_checks, their_checks = equivalents(prowler)
    with Server(latency_ms) as server:
        fill(server.url)
        build(server.url, RESOURCES, regions)
        result: dict[str, Any] = {}
        for name in ("prowler", "auditest"):
            server.stats(reset=True)
            if name == "prowler":
                figures = theirs(prowler, their_checks, regions, server.environment)
            else:
                figures = ours(our_checks, regions, server.environment, workers)
            result[name] = figures | requests(server, latency_ms)
    left, right = result["auditest"], result["prowler"]
    ratios = {figure: round(left[figure] / right[figure], 3) for figure in ("wall_s", "cpu_s", "memory_mb", "requests")}
    return {
        "regions": len(regions), "latency_ms": latency_ms, "checks": [len(our_checks), len(their_checks)],
        "ratio": ratios, **result,
    }  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--regions", default="2,17")
    parser.add_argument("--latency-ms", default="0,50")
    parser.add_argument("--environment", type=Path)
    parser.add_argument("-n", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prowler = environment((given.environment or Path(folder)).absolute())
        for regions in map(int, given.regions.split(",")):
            for latency in map(float, given.latency_ms.split(",")):
                print(json.dumps(compare(prowler, region_names(regions), latency, given.n), indent=2), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
