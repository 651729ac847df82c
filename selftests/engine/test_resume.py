"""Whole runs that are killed, and gone on with by --resume."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.recordings import write
from plugins import journal
from plugins.finished import Counts, Finished
from selftests.conftest import ROOT
from selftests.engine.conftest import Outcome, clean_environment

ACCOUNTS = [f"{100000000000 + number}" for number in range(4)]
REGIONS = ["us-east-1", "eu-west-1"]
CHECKS = "--check=check41,check43"
EACH = 2 * 9
"""Findings per account."""
HIDDEN = journal.NAME


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of four accounts."""
    path = tmp_path_factory.mktemp("tape") / "tape"
    write(path, EACH // 2, ACCOUNTS, REGIONS)
    return path


def audit(tape: Path, folder: Path, *arguments: str, kill: str = "", formats: str = "jsonl,csv,json") -> Outcome:
    """A run; ``kill``: see kill_all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftests.engine.kill_all", f"--replay={tape}",
         CHECKS, f"--output-directory={folder}", f"--output-formats={formats}", *arguments],
        cwd=ROOT, env=clean_environment(KILL_ALL_AFTER=kill), start_new_session=True, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr, folder)


def reports(folder: Path) -> dict[str, bytes]:
    """All that is in a folder: content by name; the lines of a jsonl report in any order."""
    return {one.name: b"\n".join(sorted(one.read_bytes().strip(b"[]\n").splitlines())).replace(b"},", b"}")
            for one in folder.iterdir()}  # fmt: skip


def summary_of(done: Outcome) -> str:
    """The audit's own summary."""
    return re.sub(re.escape(str(done.folder)), "", done.out.split("Reports:")[0].partition("failing checks")[2])


@pytest.fixture(scope="module")
def whole(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The run that nobody disturbs."""
    return audit(tape, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_was_finished_is_kept_and_nothing_is_lost(
    tape: Path, whole: Outcome, tmp_path: Path, workers: str
) -> None:
    killed = audit(tape, tmp_path, "-n", workers, kill=str(3 * EACH + 1))
    assert killed.code == -9
    finished = [json.loads(line) for line in (tmp_path / HIDDEN).read_text().splitlines()[1:]]
    assert len(finished) >= 2
    kept = {tmp_path / file["name"] for one in finished for file in one["files"]}
    assert len(kept) == 3 * len(finished)
    before = {file: file.stat().st_mtime_ns for file in kept}

    other = audit(tape, tmp_path, "-n", workers, "--resume", "--only-fails", "--max-items=3")
    assert other.code == 4
    assert re.fullmatch(r"ERROR: --resume: .* \(--max-items, --only-fails\): repeat its command, or .*\n+", other.err)

    done = audit(tape, tmp_path, "-n", workers, "--resume")
    assert done.code == whole.code == 1
    assert f"resumed: {len(finished)} of 4 accounts were complete in the run of" in done.out
    assert {file: file.stat().st_mtime_ns for file in kept} == before
    assert reports(tmp_path) == reports(whole.folder)
    assert summary_of(done) == summary_of(whole) != ""
    run_now = sum(map(int, re.findall(r"(\d+) (?:passed|failed)", done.out.splitlines()[-1])))
    assert run_now == (4 - len(finished)) * EACH

    again = audit(tape, tmp_path, "-n", workers, "--resume")
    assert (again.code, again.err.strip()) == (
        4, f"ERROR: --resume: there is no unfinished run in {tmp_path}: leave --resume out",
    )  # fmt: skip


def test_a_run_that_was_killed_at_its_end_needs_no_audit(tape: Path, whole: Outcome, tmp_path: Path) -> None:
    killed, spoilt = tmp_path / "killed", tmp_path / "spoilt"
    audit(tape, killed, kill="end")
    shutil.copytree(killed, spoilt, copy_function=shutil.copy2)
    done = audit(tape, killed, "--resume")
    assert done.code == 1  # for what was found before
    assert "resumed: 4 of 4 accounts" in done.out
    assert reports(killed) == reports(whole.folder)
    assert summary_of(done) == summary_of(whole)

    report = next(spoilt.glob(f"*{ACCOUNTS[1]}*.csv"))
    report.write_text(report.read_text().replace("FAIL", "PASS"))
    again = audit(tape, spoilt, "--resume")
    assert again.code == 1
    assert "resumed: 3 of 4 accounts" in again.out
    assert f"audited again: {ACCOUNTS[1]}, since {report.name} is gone or was changed" in again.out
    assert reports(spoilt) == reports(whole.folder)
    assert summary_of(again) == summary_of(whole)


# -- the journal itself ------------------------------------------------------------------------------------------------


def header() -> journal.Header:
    from fixtures.api import utcnow

    return journal.Header(started=utcnow(), selection={"checks": ["check41"], "shard": 2})


def test_a_line_that_was_cut_off_does_not_count_and_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / HIDDEN
    begun = journal.start(path, header())
    assert begun is not None
    for account in ACCOUNTS[:2]:
        begun.add(Finished(account, REGIONS, [], Counts()))
    with pytest.raises(journal.JournalError, match="has not ended: wait for it, or stop it first"):
        journal.resume(path)
    assert journal.start(path, header()) is None  # and it is not written over
    begun.close(finished=False)
    path.write_bytes(path.read_bytes()[:-5])
    earlier = journal.resume(path)
    assert list(earlier.accounts) == ACCOUNTS[:1]
    go_on = journal.Journal(path, earlier.file)
    go_on.add(Finished(ACCOUNTS[2], REGIONS, [], Counts()))
    go_on.close(finished=False)
    last = journal.resume(path)
    assert list(last.accounts) == [ACCOUNTS[0], ACCOUNTS[2]]
    journal.Journal(path, last.file).close(finished=True)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"{}\n", b'{"auditest-journal":1}\n[]\n'])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / HIDDEN
    path.write_bytes(content)
    with pytest.raises(journal.JournalError, match="damaged"):
        journal.resume(path)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--record=x"], "--record needs all accounts in one run"),
        (["--baseline=x"], "--baseline"),
        (["--junitxml=x"], "--junitxml needs all accounts in one run"),
        (["--output-formats="], "there are no reports"),
    ],
)
def test_what_cannot_be_resumed_is_refused(
    arguments: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = pytest.main(
        [
            "-p",
            "no:cacheprovider",
            f"--rootdir={ROOT}",
            "--resume",
            f"--output-directory={tmp_path}",
            *arguments,
            str(ROOT / "tests_cis"),
        ]
    )
    assert code == 4
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert reason in line
