"""What the README shows works as written."""

from __future__ import annotations

import re

from plugins.suite import ROOT
from selftests.whole_runs import Emulator, Suite

TEXT = (ROOT / "README.md").read_text()


def test_the_example_check_runs(emulator: Emulator, suite: Suite) -> None:
    example = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "@check(" in block)
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_descriptions.py").write_text(example)
    done = suite("--check=own1", f"--checks-dir={folder}", "--filter-region=eu-west-1", env=emulator.environment)
    found = {one["Status"] for one in done.findings()}
    assert found == {"FAIL", "Pass"}, done.out + done.err
    assert "is described as 'open'" in str(done.findings())


def test_every_option_and_file_it_names_is_there(suite: Suite) -> None:
    options = suite("--help").out
    for name in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) - {"--option", "--lf", "--junitxml", "--from"}:
        assert name in options, name
    for path in re.findall(r"`((?:docs|fixtures|plugins|tests_extras)/[\w./]+\.\w+)`", TEXT):
        assert (ROOT / path).exists() or path.startswith("tests_extras/"), path
