"""Writes a report of very many findings in one format, and tells what it took: ``python -m bench.writers html 1000000``.

Prints JSON: seconds of CPU and microseconds per finding, size of the report in MB, and the peak resident MB of the
process with what was resident before the first finding. Findings are made one at a time, so memory is the writer's.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.resident import resident
from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.outputs.formats import writers_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHECK = Check(
    number="7.3", id="extra73", title="S3 buckets are not public", severity="critical", service="s3",
    resource_type="AwsS3Bucket", remediation="Block public access for the bucket and the account.",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    command="aws s3api put-public-access-block --bucket BUCKET", level="Extra", scored=False,
    finding_type="Software and Configuration Checks", kind="bucket", settings={}, function=lambda: None,
)  # fmt: skip
CHECKS = 40


def findings(number: int) -> Iterator[Finding]:
    """So many findings of 40 checks, a third of them failures."""
    checks = [replace(CHECK, id=f"extra7{place}") for place in range(60, 60 + CHECKS)]
    for place in range(number):
        name = f"bucket-{place}"
        yield Finding(
            checks[place * CHECKS // number], "PASS" if place % 3 else "FAIL",
            f"the ACL of {name} grants READ to everyone", "123456789012", "", "default", "aws", "eu-west-1", name,
            f"arn:aws:s3:::{name}", "AwsS3Bucket", NOW, nodeid=f"tests_extras/test_s3.py::test_bucket[{name}]",
        )  # fmt: skip


def measure(format: str, number: int) -> dict[str, Any]:
    """Write one report."""
    with tempfile.TemporaryDirectory() as folder:
        before, started = resident("VmRSS"), time.process_time()
        (writer,) = writers_for([format], Path(folder), "report", "123456789012")
        for finding in findings(number):
            writer.write(finding)
        writer.close()
        spent = time.process_time() - started
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "format": format, "findings": number, "cpu_s": round(spent, 1), "us_per_finding": round(spent / number * 1e6, 1),
        "report_mb": round(size / 1e6, 1), "memory_before_mb": before, "memory_peak_mb": resident("VmHWM"),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
