"""docs/hooks.md: the example follows an audit, alone and with workers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.whole_runs import Emulator, Suite

EXAMPLE = ROOT / "examples" / "hooks" / "conftest.py"
CHECK = '''
from plugins.catalog import check

@check("own-hooks", severity="low", remediation="None.")
def test_it(account):
    """Nothing is wrong."""
'''


def counted(folder: Path) -> dict[str, dict[str, int]]:
    return {file.stem.removeprefix("failures-"): json.loads(file.read_text()) for file in folder.glob("failures-*")}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_conftest_beside_own_checks_is_told(emulator: Emulator, suite: Suite, workers: str) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder)
    (folder / "test_own_hooks.py").write_text(CHECK)
    done = suite(
        f"--checks-dir={folder}", "--check=own-hooks,check41", "-n", workers, "--filter-region=eu-west-1,us-east-1",
        env=emulator.environment,
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    failed = [one for one in done.findings() if one["Status"] == "FAIL"]
    assert {one["Severity"] for one in failed} == {"high"}
    assert counted(done.folder) == {"123456789012": {"high": len(failed)}}, done.out + done.err


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_conftest_that_cannot_be_loaded_is_one_line(suite: Suite, workers: str) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "conftest.py").write_text("raise RuntimeError('no ticket system')")
    done = suite(f"--checks-dir={folder}", "-n", workers)
    assert done.code == 4
    [line] = done.err.strip().splitlines()
    assert line == f"ERROR: {folder / 'conftest.py'} cannot be loaded: no ticket system"


def test_it_is_a_plugin_without_own_checks(emulator: Emulator, suite: Suite) -> None:
    done = suite(
        "-p", "examples.hooks.conftest", "--check=check41", "--filter-region=eu-west-1", env=emulator.environment
    )  # fmt: skip
    assert counted(done.folder) == {"123456789012": {"high": 1}}, done.out + done.err


def test_the_page_shows_the_example() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "hooks.md").read_text(), re.DOTALL)
    assert EXAMPLE.read_text().partition("\n\n")[2] == shown[0]
