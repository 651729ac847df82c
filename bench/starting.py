"""How long the suite takes to start: as it is, and with 90 services and 800 checks, which are generated into a copy of it.

Each figure is the median of several starts that find Python's compiled modules in place, as every start but the first does.
CPU seconds stand beside them: on a busy machine they tell more.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.running import ROOT, measured
from plugins.suite import SETTINGS, SOURCES

SERVICES, CHECKS = 90, 800
WITHOUT_CHECKS = {"logs", "tagging", "waf"}
"""Services that others ask, which no check is about."""
NEVER = 60.0
"""Seconds after which a start without a request is given up."""

KIND = '''"""A generated service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixtures.model import RegionApi, Resource, cached_property


class {kind}(Resource, name="{name}", service="{service}", resource_type="AwsSqsQueue"):
    """A generated kind of resource."""

    @classmethod
    def discover(cls, api: RegionApi) -> Iterator[{kind}]:
        """All of them."""
        for url in api.call("sqs", "ListQueues").get("QueueUrls", ()):
            yield cls(api, id=url.rpartition("/")[2], url=url)
'''
PROPERTY = '''
    @cached_property
    def attribute_{number}(self) -> dict[str, Any]:
        """The attributes that the {number}. check reads."""
        answer = self.api.call("sqs", "GetQueueAttributes", QueueUrl=self.url, AttributeNames=["All"])
        return dict(answer.get("Attributes", {{}}))
'''
TEST = '''
@check(
    "{service}_setting_{number}", severity="medium", resource_type="AwsSqsQueue",
    remediation="Turn the setting on.", url="https://docs.aws.amazon.com/", command="aws sqs set-queue-attributes",
)
def test_{service}_setting_{number}({name}: {kind}, *, most_days: int = {number}) -> str:
    """Resources of {service} have the setting {number}."""
    assert {name}.attribute_{number}, "the setting is off"
    return f"the setting of {{{name}.id}} is on for {{most_days}} days"
'''


def enlarge(folder: Path) -> None:
    """Copy the suite into a folder and generate services and checks until there are SERVICES and CHECKS."""
    for name in (*SOURCES, SETTINGS):
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, folder / name)
    tests = [*folder.glob("tests_*/**/test_*.py")]
    checks = CHECKS - sum(len(re.findall(r"^@check\(", file.read_text(), re.MULTILINE)) for file in tests)
    modules = {one.stem for one in (folder / "fixtures" / "services").iterdir() if not one.name.startswith("_")}
    services = SERVICES - len(modules - WITHOUT_CHECKS)
    for number in range(services):
        _generate(folder, f"generated{number:02}", checks // services + (number < checks % services))


def _generate(folder: Path, service: str, checks: int) -> None:
    """One service, with a kind of resource and its checks."""
    names = {"service": service, "name": f"{service}_resource", "kind": f"{service.title()}Resource"}
    kind = KIND.format(**names) + "".join(PROPERTY.format(number=number) for number in range(checks))
    (folder / "fixtures" / "services" / f"{service}.py").write_text(kind)
    head = (
        f'"""Checks of {service}."""\n\nfrom fixtures.services.{service} import {names["kind"]}\n'
        "from plugins.catalog import check\n\n"
    )
    test = head + "\n".join(TEST.format(number=number, **names) for number in range(checks))
    (folder / "tests_extras" / f"test_{service}.py").write_text(test)


def figures(folder: Path, times: int) -> dict[str, Any]:
    """Medians of starts of the suite in a folder."""
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    _, listed, _ = measured([*pytest, "--list-checks"], kept, folder)  # compiles
    lines = [line.split() for line in listed.splitlines()]
    found: dict[str, Any] = {"services": len({line[2] for line in lines}), "checks": len(lines)}
    for name, arguments in {"help": ["--help"], "list_checks": ["--list-checks"]}.items():
        runs = [measured([*pytest, *arguments], kept, folder)[2] for _ in range(times)]
        found |= {f"{name}_s": _median(runs, "wall_s"), f"{name}_cpu_s": _median(runs, "cpu_s")}
    asked = [*pytest, "--check=check43", "--filter-region=us-east-1", "--output-formats="]
    first = [until_request(asked, kept, folder) for _ in range(times)]
    found |= {"first_request_s": _median(first, "wall_s"), "first_request_cpu_s": _median(first, "cpu_s")}
    return found


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return round(statistics.median([float(run[name]) for run in runs]), 2)


def until_request(command: list[str], env: dict[str, str], folder: Path) -> dict[str, Any]:
    """Wall and CPU seconds from the start of a process to its first connection to AWS, whereupon it is ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(NEVER)
        aws = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}", "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **env, **aws}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            server.accept()[0].close()
            wall = time.monotonic() - started
        finally:
            os.kill(process.pid, signal.SIGKILL)  # process.kill() may reap it, and its figures with it
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime}


def start(times: int, measure: Callable[[Path, int], dict[str, Any]] = figures) -> dict[str, Any]:
    """The figures of the suite and of the enlarged one."""
    with tempfile.TemporaryDirectory() as folder:
        enlarge(Path(folder))
        return {"starts": times, "suite": measure(ROOT, times), "enlarged": measure(Path(folder), times)}
