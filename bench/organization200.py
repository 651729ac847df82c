"""A simulated organization behind the emulator: many accounts with a small world each, audited by few workers.

What a run leaves is counted: a complete report for every account, with findings in each of its regions, and a summary whose
total is the sum of the reports.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import memory
from bench.running import Server, run
from bench.world import regions_named

ROLE = "Audit"
SELECTION = ("-m", "group4")
"""Checks that look at every region."""


def build(url: str, accounts: list[str], regions: list[str]) -> None:
    """Give each account a security group in each region, of which every third is open on port 22."""
    import boto3

    keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    sts = boto3.client("sts", "us-east-1", endpoint_url=url, **keys)

    def fill(account: str) -> None:
        role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="bench")["Credentials"]
        session = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
        for number, region in enumerate(regions):
            ec2 = session.client("ec2", region, endpoint_url=url)
            group = ec2.create_security_group(GroupName="bench", Description="bench")["GroupId"]
            source = "10.0.0.0/8" if (int(account) + number) % 3 else "0.0.0.0/0"
            ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=source)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, accounts))


def organization(number: int, regions: int, workers: int) -> dict[str, Any]:
    """Audit ``number`` accounts: findings, memory of the largest worker and of the controller. Raises SystemExit when a
    report or a finding is missing.
    """
    accounts = [f"{300000000000 + one}" for one in range(number)]
    names = regions_named(regions)
    with Server(0) as server, tempfile.TemporaryDirectory() as folder:
        build(server.url, accounts, names)
        server.stats(reset=True)
        log, out, ids = Path(folder, "memory"), Path(folder, "out"), Path(folder, "accounts.yaml")
        ids.write_text("".join(f"- id: '{account}'\n" for account in accounts))
        result = run(
            [f"--accounts-file={ids}", "-R", ROLE, *SELECTION, f"--filter-region={','.join(names)}", "-n", str(workers),
             "--output-formats=json,csv", f"--output-directory={out}", "-p", "bench.memory"],
            {**server.environment, memory.LOG: str(log)},
        )  # fmt: skip
        result |= {"requests": server.stats()["requests"]}
        counted = {account: _report(out, account, names) for account in accounts}
        peaks = memory.noted(log)
    if sum(counted.values()) != result["findings"]:
        raise SystemExit(f"the summary has {result['findings']} findings, the reports {sum(counted.values())}")
    return {
        "accounts": number, "regions": regions, "workers": workers, **result,
        "reports_complete": len(counted), **peaks,
    }  # fmt: skip


def _report(folder: Path, account: str, regions: list[str]) -> int:
    """The number of findings in an account's reports. Raises SystemExit for one that is missing or not complete."""
    reports, tables = (list(folder.glob(f"*{account}*.{ending}")) for ending in ("json", "csv"))
    left = list(folder.glob(f"*{account}*.part"))
    if len(reports) != 1 or len(tables) != 1 or left:
        raise SystemExit(f"account {account}: {len(reports)} json, {len(tables)} csv, {len(left)} unfinished reports")
    findings = json.loads(reports[0].read_text())
    missing = set(regions) - {one["Region"] for one in findings}
    if missing or {one["Account Number"] for one in findings} != {account}:
        raise SystemExit(f"account {account}: no findings in {', '.join(sorted(missing))}, or some of another account")
    return len(findings)
