"""The measurement of how long the suite takes to start."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import starting
from bench.running import measured
from selftests.whole_runs import clean_environment


def test_the_enlarged_suite_has_its_size(tmp_path: Path) -> None:
    starting.enlarge(tmp_path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    code, text, _ = measured([*command, "--list-checks", "-M", "json"], clean_environment(), tmp_path)
    assert code == 0, text
    listed = json.loads(text)
    assert len(listed) == len({one["id"] for one in listed}) == starting.CHECKS
    assert len({one["service"] for one in listed}) == starting.SERVICES


def test_until_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = "import os, urllib.request; urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'])"
    asked = starting.until_request([sys.executable, "-c", asks], {}, tmp_path)
    assert asked.keys() == {"wall_s", "cpu_s"}
    assert min(asked.values()) > 0
    monkeypatch.setattr(starting, "NEVER", 0.2)
    with pytest.raises(TimeoutError):
        starting.until_request([sys.executable, "-c", "pass"], {}, tmp_path)


def test_medians_of_several_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    walls = iter([9.0, 1.0, 5.0, 2.0, 3.0, 1.0, 2.0])
    listed = "check1 high s3 Title [a]\ncheck2 low s3 Title [a]\ncheck3 low iam Title []\n"

    def run(command: list[str], env: dict[str, str], folder: Path) -> tuple[int, str, dict[str, Any]]:
        assert (folder, env["PYTHONDONTWRITEBYTECODE"]) == (tmp_path, "")
        return 0, listed, {"wall_s": next(walls), "cpu_s": 0.5, "memory_mb": 1}

    requests = iter([{"wall_s": wall, "cpu_s": 0.25} for wall in (3.0, 1.0, 2.0)])
    monkeypatch.setattr(starting, "measured", run)
    monkeypatch.setattr(starting, "until_request", lambda *_: next(requests))
    assert starting.figures(tmp_path, 3) == {
        "services": 2, "checks": 3, "help_s": 2.0, "help_cpu_s": 0.5, "list_checks_s": 2.0, "list_checks_cpu_s": 0.5,
        "first_request_s": 2.0, "first_request_cpu_s": 0.25,
    }  # fmt: skip
