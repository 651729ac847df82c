"""The wheel in an environment of its own, and the command ``auditest`` in a folder that has nothing to do with the suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from bench.recordings import write
from plugins.at_scale import journal
from plugins.suite import ENDINGS, ROOT, SETTINGS, SOURCES, digest_of, version
from selftests.runs import kill_all
from selftests.whole_runs import Outcome, clean_environment

ACCOUNTS = ["100000000000", "100000000001"]
CHECK = ("--check", "check43")
GROUPS = 8
OWN_CHECK = '''
from plugins.catalog import check


@check("own1", severity="low", remediation="None.")
def test_group_has_a_name(security_group):
    """Security groups have names."""
    assert security_group.data["GroupName"], "no name"
'''
WITHOUT_MOTO = "import sys\nsys.modules['moto'] = None\n"
TELLS_ITS_ROOT = """
from pathlib import Path


def pytest_configure(config):
    worker = getattr(config, "workerinput", None)
    if worker:
        Path(__file__).with_name(worker["workerid"]).write_text(str(config.rootpath))
"""
DEMO_IS_MISSING = "ERROR: --demo: the AWS emulator is not installed: pip install 'auditest[demo]'"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, by way of the source distribution, with the build backend that is installed here."""
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, which sees the packages that are installed here."""
    folder = tmp_path_factory.mktemp("environment")
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    (_packages(folder) / "these.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _run([sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-index",
          "--no-deps", "--no-compile", str(wheel)])  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of two accounts."""
    path = tmp_path_factory.mktemp("tape") / "tape"
    write(path, GROUPS, ACCOUNTS, ["us-east-1"])
    return path


def _packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stdout + done.stderr


class Caller:
    """Someone who calls the command from a folder with a project of another kind."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.command, self.folder = command, folder
        (folder / "plugins").mkdir(parents=True)
        (folder / "test_other.py").write_text("def test_of_another_project():\n    assert False\n")
        for name in ("conftest.py", "plugins/__init__.py"):
            (folder / name).write_text("raise RuntimeError('of another project')\n")
        self.before = self.files()

    def __call__(self, *arguments: str, **environment: str) -> Outcome:
        done = subprocess.run(
            [*self.command, *arguments], cwd=self.folder, env=clean_environment(**environment), capture_output=True,
            text=True, timeout=120, check=False, start_new_session=True,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr, self.folder / "reports")

    def files(self) -> set[str]:
        """What is in the folder, besides caches."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        return {path.as_posix() for path in found if path.parts[0] not in (".pytest_cache", "__pycache__")}


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Caller:
    """The command of the wheel."""
    return Caller([str(environment / "bin" / "auditest")], tmp_path / "project")


@pytest.fixture
def checkout(tmp_path: Path) -> Caller:
    """The command of a checkout, as ``make setup`` makes it."""
    folder = tmp_path / "a checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in (*SOURCES, SETTINGS):
        (folder / name).symlink_to(ROOT / name)
    (folder / "Makefile").write_text((ROOT / "Makefile").read_text() + "\ncommand:\n\t$(COMMAND)\n")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    _run(["make", "-C", str(folder), "command"])
    return Caller([str(folder / ".venv" / "bin" / "auditest")], tmp_path / "project")


@pytest.fixture(params=["installed", "checkout"])
def auditest(request: pytest.FixtureRequest) -> Caller:
    """Either of them."""
    caller: Caller = request.getfixturevalue(request.param)
    return caller


# -- what the wheel is -------------------------------------------------------------------------------------------------


def test_the_wheel_has_the_whole_suite_in_one_folder(wheel: Path, environment: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"auditest"}
    inside = {name.removeprefix("auditest/") for name in names if name.startswith("auditest/")}
    suite = [path for name in SOURCES for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.suffix in ENDINGS]
    assert inside == {SETTINGS, *(path.relative_to(ROOT).as_posix() for path in suite)}
    assert digest_of(_packages(environment) / "auditest") == digest_of(
        ROOT
    )  # what workers on other hosts are asked for


def test_an_audit_needs_no_emulator(wheel: Path) -> None:
    files = zipfile.ZipFile(wheel)
    (name,) = [name for name in files.namelist() if name.endswith("/METADATA")]
    needed = message_from_bytes(files.read(name)).get_all("Requires-Dist") or []
    assert [one for one in needed if one.startswith("moto")] == ["moto[server]>=5.1; extra == 'demo'"]


# -- from any folder ---------------------------------------------------------------------------------------------------


def test_values_are_words_of_their_own(auditest: Caller, tape: Path, tmp_path: Path) -> None:
    """Paths in and outside the caller's folder, which exist or not. Nothing of the caller's project is run."""
    (auditest.folder / "accepted.txt").write_text("check43:sg-00000000000000001\n")
    (tmp_path / "thresholds.toml").write_text("[check14]\n")
    done = auditest(
        "--replay", str(tape), *CHECK, "--whitelist", "accepted.txt", "--config", "../thresholds.toml",
        "--output-directory", str(tmp_path / "out"), "--output-formats", "jsonl", "-n", "2",
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    found = Outcome(0, "", "", tmp_path / "out").statuses()
    assert len(found) == GROUPS * len(ACCOUNTS)
    assert sum(text.startswith("WARNING") for text in found.values()) == len(ACCOUNTS)
    assert auditest.files() == {*auditest.before, "accepted.txt"}

    again = auditest("--replay", os.path.relpath(tape, auditest.folder), *CHECK, "-M", "jsonl")
    assert again.code == 1, again.out + again.err
    assert again.statuses().keys() == found.keys()
    assert "testpaths: tests_cis, tests_extras, tests_compliance" in again.out
    assert auditest.files() - auditest.before == {
        "accepted.txt", *(f"reports/{path.name}" for path in again.folder.iterdir())
    }  # fmt: skip


def test_a_node_id_of_a_report_and_what_failed_last(installed: Caller, tape: Path) -> None:
    name = "tests_cis/test_4_networking.py::test_default_security_group_has_no_rules"
    done = installed(f"{name}[{ACCOUNTS[0]}-us-east-1-sg-00000000000000001]", "--replay", str(tape), "-M", "jsonl")
    assert done.code == 1, done.out + done.err
    (found,) = done.statuses()
    assert found[3] == "sg-00000000000000001"
    shutil.rmtree(done.folder)
    again = installed("--replay", str(tape), *CHECK, "--lf", "-M", "jsonl")
    assert [*again.statuses()] == [found], again.out + again.err
    shutil.rmtree(installed.folder / ".pytest_cache")
    without = installed("--replay", str(tape), *CHECK, "-p", "no:cacheprovider")
    assert (without.code, without.err) == (1, ""), without.out
    assert not (installed.folder / ".pytest_cache").exists()


@pytest.mark.parametrize("given", ["--checks-dir", "a place"])
def test_own_checks(auditest: Caller, tape: Path, tmp_path: Path, given: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text(OWN_CHECK)
    where = ["--checks-dir", "../own", "--check", "own1"] if given == "--checks-dir" else [str(tmp_path / "own")]
    done = auditest("--replay", str(tape), "-M", "jsonl", *where)
    assert done.code == 0, done.out + done.err
    assert {(check, text[:4]) for (check, *_), text in done.statuses().items()} == {("own1", "Pass")}
    assert len(done.statuses()) == GROUPS * len(ACCOUNTS)


def test_a_run_that_was_killed_is_resumed(installed: Caller, tape: Path, tmp_path: Path) -> None:
    (tmp_path / "killing").mkdir()
    shutil.copy(kill_all.__file__, tmp_path / "killing")
    killing = {"PYTHONPATH": str(tmp_path / "killing"), "KILL_ALL_AFTER": str(GROUPS + 1)}
    given = ("--replay", str(tape), *CHECK, "-M", "jsonl")
    killed = installed(*given, "-p", "kill_all", **killing)
    assert killed.code == -9, killed.out + killed.err
    assert (killed.folder / journal.NAME).exists()
    done = installed(*given, "--resume")
    assert done.code == 1, done.out + done.err
    assert "resumed: 1 of 2 accounts were complete" in done.out
    assert len(done.statuses()) == GROUPS * len(ACCOUNTS)


def test_workers_in_other_places(installed: Caller, environment: Path, tape: Path, tmp_path: Path) -> None:
    """One in a folder with another copy of the suite, which it runs, together with one here."""
    (installed.folder / "accepted.txt").write_text("check43:sg-00000000000000001\n")
    (tmp_path / "telling").mkdir()
    (tmp_path / "telling" / "telling.py").write_text(TELLS_ITS_ROOT)
    suite = _packages(environment) / "auditest"
    said = installed("version")
    assert (said.code, said.out) == (0, f"auditest {version()} ({suite})\n")
    other = shutil.copytree(suite, tmp_path / "other")
    done = installed(
        "--replay", str(tape), *CHECK, "--whitelist", "accepted.txt", "-M", "jsonl", "--dist", "load", "-p", "telling",
        "--tx", f"popen//python={environment}/bin/python//chdir={other}", "--tx", "popen",
        "--output-directory", str(tmp_path / "out"), PYTHONPATH=str(tmp_path / "telling"),
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    found = Outcome(0, "", "", tmp_path / "out").statuses()
    assert len(found) == GROUPS * len(ACCOUNTS)
    assert sum(text.startswith("WARNING") for text in found.values()) == len(ACCOUNTS)
    roots = {path.name: path.read_text() for path in (tmp_path / "telling").glob("gw*")}
    assert roots == {"gw0": str(other), "gw1": str(suite)}
    for place in (other, suite):
        assert not {"reports", ".pytest_cache"} & {path.name for path in place.iterdir()}


# -- the other commands ------------------------------------------------------------------------------------------------


def test_demo(installed: Caller) -> None:
    done = installed("demo", *CHECK, "--filter-region", "eu-west-1", "-M", "jsonl")
    assert done.code == 1, done.out + done.err
    assert {check for check, *_ in done.statuses()} == {"check43"}
    assert "of 1 checks fully evaluated" in done.out


def test_without_the_emulator(installed: Caller, tape: Path, tmp_path: Path) -> None:
    """An audit does not miss it; the demo says in one line what to do."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT_MOTO)
    without = {"PYTHONPATH": str(tmp_path / "without")}
    assert len(installed("--replay", str(tape), *CHECK, "-M", "jsonl", **without).statuses()) == GROUPS * len(ACCOUNTS)
    done = installed("demo", **without)
    assert (done.code, done.err.strip()) == (4, DEMO_IS_MISSING), done.out


def test_merge(installed: Caller, tape: Path) -> None:
    for part in ("1", "2"):
        done = installed("--replay", str(tape), *CHECK, "--shard", f"{part}/2", "--output-directory", f"part{part}")
        assert done.code == 1, done.out + done.err
    merged = installed("merge", "reports", "part1", "part2")
    assert merged.code == 1, merged.out + merged.err
    assert "16 findings: PASS 8  FAIL 8" in merged.out
    assert "usage: auditest merge" in installed("merge", "--help").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["--list-checks", *CHECK],
            0,
            "check43 high ec2 Default security groups have no rules",
        ),
        (["--help"], 0, "usage: auditest [options]"),
        (["--replya", "x"], 4, "unrecognized arguments: --replya"),
        (["--replay", "nothing.rec"], 4, "nothing.rec"),
        (["no-such-folder"], 4, "file or directory not found: no-such-folder"),
    ],
)
def test_what_needs_no_audit(auditest: Caller, arguments: list[str], code: int, said: str) -> None:
    done = auditest(*arguments)
    assert done.code == code, done.out + done.err
    assert said in done.out + done.err
    assert "Traceback (most" not in done.out + done.err
