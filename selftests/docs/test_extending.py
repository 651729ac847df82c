"""docs/extending.md, followed to the letter in a copy of the suite: an option and a format are one declaration each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.guides import blocks
from selftests.whole_runs import Emulator, clean_environment

BLOCKS = blocks((ROOT / "docs" / "extending.md").read_text(), "python")
FORMAT, WRITER, OPTION = (block.text for block in BLOCKS)
COPIED = (
    "conftest.py",
    "pyproject.toml",
    "docs",
    "fixtures",
    "permissions",
    "plugins",
    "tests_cis",
    "tests_compliance",
    "tests_extras",
)
SELECTED = ["--check=check41", "--filter-region=eu-west-1", "-p", "no:cacheprovider"]


def insert(file: Path, before: str, text: str) -> None:
    """Put a text before the only place where another one stands."""
    found = file.read_text()
    assert found.count(before) == 1, f"{file.name}: {before}"
    file.write_text(found.replace(before, text + before))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite with what the page adds, and nothing else."""
    folder = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    insert(folder / "plugins/options/values.py", "\n    def given(", OPTION)
    insert(folder / "plugins/outputs/formats.py", '    )\n}\n"""Name -> format.', FORMAT)
    (folder / "plugins/outputs/tsv_report.py").write_text(WRITER)
    return folder


def python(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=clean_environment(**environment), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def pytest_run(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python(copy, "-m", "pytest", *SELECTED, *arguments, **environment)


def test_both_are_in_the_help_and_on_the_page_of_options(copy: Path) -> None:
    shown = " ".join(pytest_run(copy, "--help").stdout.split())
    assert "--report-owner=NAME who answers for the findings" in shown
    assert "report_owner (string): who answers for the findings" in shown
    assert "junit-xml, html, tsv" in shown
    page = python(copy, "-c", "from docs.generate import options_text; print(options_text())").stdout
    assert "| `--report-owner NAME` | `report_owner` | who answers for the findings |" in page
    assert "reports to write: text, mono, csv, json, jsonl, json-asff, junit-xml, html, tsv |" in page


def test_both_are_in_what_a_run_writes(copy: Path, emulator: Emulator) -> None:
    """The option as a setting, which the manifest of a shard has as what its findings depend on."""
    given = ["--shard=1/1", "-M", "tsv", "--output-directory=out", "--output-filename=all", "-o", "report_owner=Ada"]
    done = pytest_run(copy, *given, **emulator.environment)
    assert done.returncode == 1, done.stdout + done.stderr
    heading, *lines = (copy / "out" / "all.tsv").read_text().splitlines()
    assert heading.split("\t") == ["status", "region", "resource", "message"]
    assert ["FAIL", "eu-west-1"] in [line.split("\t")[:2] for line in lines]
    assert all(len(line.split("\t")) == 4 for line in lines)
    (manifest,) = (copy / "out").glob("auditest-shard-1-of-1.json")
    selection = json.loads(manifest.read_text())["selection"]
    assert selection["--report-owner"] == "Ada"
    assert selection["--output-formats"] == ["tsv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume"], "--resume: --report-owner needs all accounts in one run"),
        (["--dist=load", "--tx=popen//chdir=x"], "--report-owner does not go with workers on other hosts"),
        (["-M", "tvs"], "--output-formats: unknown format 'tvs'; did you mean tsv?"),
    ],
)
def test_the_traits_are_heeded(copy: Path, emulator: Emulator, arguments: list[str], message: str) -> None:
    done = pytest_run(copy, "--report-owner=Ada", *arguments, **emulator.environment)
    assert done.returncode == 4, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert message in line
