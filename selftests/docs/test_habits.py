"""What keeps the project in order: changelog from news, licence, hooks before a commit, and the Makefile's own words."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

from plugins.suite import ROOT, version

NEWS = ROOT / "changes"
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
KINDS = {one["directory"] for one in SETTINGS["tool"]["towncrier"]["type"]}
MOVED = [file.read_text() for file in NEWS.glob("+layout.*")]
"""Until they are released: what is written then is about that version."""


def towncrier(folder: Path, *arguments: str) -> str:
    """What ``towncrier build`` prints for a copy of the news in ``folder``."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    if not (folder / "changes").exists():
        shutil.copytree(NEWS, folder / "changes")
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_news_file_is_of_a_kind_and_says_something() -> None:
    for file in NEWS.iterdir():
        if file.name != "README.md":
            assert re.fullmatch(rf"\+[a-z-]+\.({'|'.join(KINDS)})\.md", file.name), file.name
            assert file.read_text().strip()
    assert all(f"`{kind}`" in (NEWS / "README.md").read_text() for kind in KINDS)


def test_the_news_become_an_entry(tmp_path: Path) -> None:
    """A release puts them under a heading of its own, above what was there, and removes the files."""
    (tmp_path / "changes").mkdir()
    for kind in KINDS:
        (tmp_path / "changes" / f"+one.{kind}.md").write_text(f"What is {kind}.\n")
    before = (ROOT / "CHANGELOG.md").read_text()
    towncrier(tmp_path, "--yes", "--version", "99.1", "--date", "2030-01-02")
    after = (tmp_path / "CHANGELOG.md").read_text()
    head, marker, rest = before.partition("<!-- news -->\n")
    assert after.startswith(
        f"{head}{marker}\n## 99.1 (2030-01-02)\n\n### To change in what you have\n\n- What is breaking.\n"
    )
    assert after.endswith(rest)
    assert [after.index(f"- What is {kind}.") for kind in ("breaking", "added", "changed", "fixed")] == sorted(
        after.index(f"- What is {kind}.") for kind in KINDS
    )
    assert not list((tmp_path / "changes").iterdir())


def test_the_next_entry_can_be_shown(tmp_path: Path) -> None:
    shown = towncrier(tmp_path, "--draft", "--version", "next")
    for file in NEWS.iterdir():
        if file.name != "README.md":
            assert file.read_text().split("\n")[0] in shown, file.name


def test_the_changelog_has_this_version() -> None:
    assert re.search(rf"^## {re.escape(version())}( |$)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_table_of_moved_modules_is_right() -> None:
    """Where the table names classes and functions they are where it says; what it calls old is gone or is called so."""
    for before, now in re.findall(r"^\| (`.*?) \| (.*?) \|$", "".join(MOVED), re.MULTILINE):
        old = [name.removeprefix("fixtures.") for name in re.findall(r"`(fixtures[\w.]+)`", before)]
        names = re.findall(r"`([A-Za-z]\w+)`", before)
        [target] = re.findall(r"`([\w.]+)`", now)
        if "SERVICE" in target:
            continue
        modules = [f"{target}.{name}" for name in old] if now.startswith("the same") else [target]
        for module in modules:
            found = importlib.import_module(module)
            assert all(hasattr(found, name) for name in names), (module, names)
        if not now.startswith("the same"):
            left = [file for name in old if (file := ROOT / "fixtures" / f"{name}.py").exists()]
            assert all("kept for one version" in file.read_text() for file in left), before


def test_the_licence_is_there() -> None:
    project = SETTINGS["project"]
    assert project["license-files"] == ["LICENSE"]
    text = (ROOT / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


def lines_of(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    _, _, rest = (ROOT / "Makefile").read_text().partition(f"\n{target}: dev\n")
    return [line.strip() for line in rest.partition("\n\n")[0].splitlines() if line.startswith("\t")]


def test_the_hooks_before_a_commit_are_what_make_lint_and_types_run() -> None:
    """With the programs of the environment, so that they say the same and nothing is fetched."""
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    run = [hook["entry"].replace(" --force-exclude", "") for hook in repository["hooks"]]
    made = [line.replace("$(BIN)", ".venv/bin") for target in ("lint", "types") for line in lines_of(target)]
    assert {one.removesuffix(" .") for one in run} == {one.removesuffix(" .") for one in made}


def test_every_program_of_the_makefile_is_a_dependency() -> None:
    needed = {"ruff": "ruff", "lint-imports": "import-linter", "mypy": "mypy", "towncrier": "towncrier"}
    used = set(re.findall(r"\$\(BIN\)/([a-z-]+)", (ROOT / "Makefile").read_text())) - {"python", "auditest"}
    given = {re.split("[>=]", one)[0] for one in SETTINGS["dependency-groups"]["dev"]}
    assert {needed[program] for program in used} <= given
