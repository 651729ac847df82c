"""CONTRIBUTING.md, followed to the letter in a copy of the suite: a check, a service with its kind, and what is written from them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from permissions.policy import calls
from plugins.suite import ROOT
from selftests.whole_runs import Emulator, clean_environment

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = dict(re.findall(r"^```python (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
NEW = ("extra9001", "extra9002")
KEPT_OUT = (".*", "__pycache__", "bench", "reports")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite with what the page adds; its self-tests have run as `make docs` runs them, those of the new checks."""
    folder = tmp_path_factory.mktemp("contributed") / "auditest"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*KEPT_OUT))
    for name, text in BLOCKS.items():
        file = folder / name
        before = file.read_text() + "\n\n" if file.exists() else ""
        file.write_text(before + text)
    made = folder / "calls"
    made.mkdir()
    (made / "others.json").write_text(json.dumps(calls()))
    tests = [name for name in BLOCKS if name.startswith("selftests/")]
    done = run(folder, "pytest", *tests, "-q", "-k", "redrive or test_signer", AUDITEST_CALLS=str(made))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(folder, "docs.generate", "--calls", str(made))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m`` in the copy."""
    return subprocess.run(
        [sys.executable, "-m", *arguments, *(["-p", "no:cacheprovider"] if arguments[0] == "pytest" else [])],
        cwd=folder, env=clean_environment(**environment), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_the_page_has_the_code_of_both() -> None:
    assert BLOCKS.keys() == {
        "tests_extras/test_sqs.py", "selftests/checks/test_sqs.py",
        "fixtures/services/signer.py", "tests_extras/test_signer.py", "selftests/checks/test_signer.py",
    }  # fmt: skip


def test_the_new_names_are_free() -> None:
    """Otherwise a copy of the suite would have something twice."""
    assert not set(NEW) & set(calls())
    assert not (ROOT / "fixtures/services/signer.py").exists()


def test_their_self_tests_look_at_failing_calls(copy: Path) -> None:
    """With permissions/calls.yaml written, each call of the new checks fails in turn."""
    done = run(copy, "pytest", "selftests/checks/test_signer.py", "selftests/checks/test_sqs.py", "-v", "-k", "redrive or test_signer")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for call in ("signer:ListSigningProfiles", "sqs:GetQueueAttributes"):
        assert re.search(rf"failing_calls\[.*{call}.*\] PASSED", done.stdout), done.stdout


def test_what_is_written_from_them(copy: Path) -> None:
    assert '    "signing_profile": "fixtures.services.signer",\n' in (copy / "fixtures/kinds.py").read_text()
    assert "extra9002: [signer:ListSigningProfiles]" in (copy / "permissions/calls.yaml").read_text()
    page = (copy / "docs/checks.md").read_text()
    assert "SQS queues keep messages that cannot be processed" in page
    assert "`max_years = 10`" in page


def test_they_are_listed(copy: Path) -> None:
    done = run(copy, "pytest", "--list-checks", "--check", ",".join(NEW))
    assert re.findall(r"^(extra\d+)", done.stdout, re.MULTILINE) == list(NEW), done.stdout + done.stderr


def test_the_index_knows_the_kind(copy: Path) -> None:
    """A check asks for it by the argument's name, without importing the class."""
    file = copy / "tests_extras/test_signer.py"
    file.write_text(re.sub(r": SigningProfile|from fixtures\S* import SigningProfile\n", "", file.read_text()))
    assert "SigningProfile" not in file.read_text()
    done = run(copy, "pytest", "selftests/checks/test_signer.py", "-q")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs(copy: Path, emulator: Emulator) -> None:
    emulator.client("sqs").create_queue(QueueName="q")
    done = run(
        copy, "pytest", "--check=extra9001", "--filter-region=eu-west-1", "--output-formats=jsonl",
        "--output-directory=out", **emulator.environment,
    )  # fmt: skip
    [report] = (copy / "out").glob("*.jsonl")
    found = {one["Resource ID"]: one["Message"] for one in map(json.loads, report.read_text().splitlines())}
    assert found == {"q": "queue q in eu-west-1 has no dead-letter queue"}, done.stdout + done.stderr


def test_every_place_that_makes_an_error_is_in_the_table() -> None:
    table = PAGE.partition("## Why ERROR?")[2].partition("\n## ")[0]
    places = {
        str(file.relative_to(ROOT))
        for folder in ("plugins", "fixtures", "tests_compliance")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r'Verdict\(\s*"ERROR"|raise NotEvaluated|ClosedBackend\(error\)', file.read_text())
    }
    assert places == set(re.findall(r"\| `([\w/.]+)`[^|]*\| [^|]*\|$", table, re.MULTILINE)), places


def test_it_leads_to_both_pages() -> None:
    assert "(docs/workers.md)" in PAGE
    assert os.path.exists(ROOT / "docs" / "workers.md")
