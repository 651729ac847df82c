"""Whole runs that are killed, and gone on with by --resume."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import pytest

from bench.recordings import write
from fixtures.recording.reader import Recording
from plugins.at_scale import complete_accounts, journal
from plugins.at_scale.account_record import AccountRecord, Counts
from plugins.outputs.json_report import JsonlWriter
from plugins.suite import ROOT
from selftests.whole_runs import Emulator, Outcome, clean_environment

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
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftests.runs.kill_all", f"--replay={tape}",
         CHECKS, f"--output-directory={folder}", f"--output-formats={formats}", *arguments],
        cwd=ROOT, env=clean_environment(KILL_ALL_AFTER=kill), start_new_session=True, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr, folder)


def reports(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """What is in a folder: content by name; the lines of a jsonl report in any order."""
    return {one.name: b"\n".join(sorted(one.read_bytes().strip(b"[]\n").splitlines())).replace(b"},", b"}")
            for one in folder.glob(pattern)}  # fmt: skip


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
    assert len(kept) == 4 * len(finished)
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


def junit_cases(file: Path) -> dict[str, list[str]]:
    """Name of a test case -> the kinds of its results, of pytest's own JUnit report."""
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        assert name not in found, name
        found[name] = [result.tag for result in case if result.tag != "properties"]
    return found


@pytest.mark.parametrize("workers", ["0", "2"])
def test_pytests_own_reports_and_the_baseline_have_what_was_finished(
    tape: Path, whole: Outcome, tmp_path: Path, workers: str
) -> None:
    """The baseline is a run a year ago with half of the failures; the reports of pytest have each test once."""
    base = tmp_path / "earlier.jsonl"
    lines = (next(whole.folder.glob(f"*{number}-*.jsonl")) for number in ACCOUNTS)
    old = [json.loads(line) | {"Timestamp": "2020-01-01T00:00:00Z"} for file in lines for line in file.open()]
    base.write_text("".join(json.dumps(one) + "\n" for one in old[::2]))

    def run(folder: Path, *more: str, kill: str = "") -> Outcome:
        own = (f"--junitxml={folder}/own.xml", "--json-report", f"--json-report-file={folder}/own.json",
               f"--html={folder}/own.html", f"--baseline={base}")  # fmt: skip
        return audit(tape, folder, "-n", workers, *own, *more, kill=kill)

    calm = run(tmp_path / "calm")
    killed = run(tmp_path / "killed", kill=str(3 * 3 * EACH + 1))  # three reports each
    assert killed.code == -9
    assert list((tmp_path / "killed").glob("*.findings"))
    done = run(tmp_path / "killed", "--resume")
    assert done.code == calm.code == 1
    assert re.search(r"resumed: [23] of 4 accounts", done.out)
    assert summary_of(done) == summary_of(calm)
    compared = r"compared with the baseline of .*"
    assert re.search(compared, done.out)[0] == re.search(compared, calm.out)[0] != ""  # type: ignore[index]
    assert junit_cases(tmp_path / "killed/own.xml") == junit_cases(tmp_path / "calm/own.xml")
    ours, theirs = (json.loads((tmp_path / name / "own.json").read_text()) for name in ("killed", "calm"))
    assert {one["nodeid"]: one["outcome"] for one in ours["tests"]} == {
        one["nodeid"]: one["outcome"] for one in theirs["tests"]
    }
    for one in (ours, theirs):
        del one["summary"]["collected"]  # of this process, as pytest says
    assert ours["summary"] == theirs["summary"]
    last = [re.findall(r"\d+ (?:passed|failed)", one.out.splitlines()[-1]) for one in (done, calm)]
    assert last[0] == last[1]
    assert reports(tmp_path / "killed", "*.jsonl") == reports(tmp_path / "calm", "*.jsonl") != {}
    assert not list((tmp_path / "killed").glob("*.findings"))


def test_another_baseline_is_another_run(tape: Path, whole: Outcome, tmp_path: Path) -> None:
    report = next(whole.folder.glob("*.jsonl"))
    assert audit(tape, tmp_path, kill="20").code == -9
    old = tmp_path / "old.json"
    old.write_text(json.dumps([json.loads(line) | {"Timestamp": "2020-01-01T00:00:00Z"} for line in report.open()]))
    done = audit(tape, tmp_path, "--resume", f"--baseline={old}")
    assert done.code == 4
    assert "was asked for something else (--baseline)" in done.err


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_recording_is_gone_on_with(emulator: Emulator, tmp_path: Path, workers: str) -> None:
    """The calls of finished accounts are kept, those of others are not there twice, and the replay finds the same."""

    def run(folder: Path, *more: str, kill: str = "") -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftests.runs.kill_all", CHECKS,
             f"--account={','.join(ACCOUNTS)}", "--role=audit", f"--filter-region={','.join(REGIONS)}", f"--record={folder}/tape.gz",
             f"--output-directory={folder}", "--output-formats=jsonl", "-n", workers, *more],
            cwd=ROOT, env=clean_environment(KILL_ALL_AFTER=kill, **emulator.environment), start_new_session=True,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr, folder)

    for name in ("first", "killed"):
        (tmp_path / name).mkdir()
    each = len(run(tmp_path / "first").findings()) // len(ACCOUNTS)
    killed = run(tmp_path / "killed", kill=str(2 * each + 1))
    assert killed.code == -9
    done = run(tmp_path / "killed", "--resume")
    assert done.code == 1, done.out + done.err
    assert re.search(r"resumed: [12] of 4 accounts", done.out)
    assert sorted(path.name for path in (tmp_path / "killed").glob("tape*")) == ["tape.gz"]
    recording = Recording(tmp_path / "killed/tape.gz")
    recording.verify()
    assert {facts.id for facts in recording.accounts} == set(ACCOUNTS)
    replay = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", CHECKS, f"--replay={tmp_path}/killed/tape.gz",
         f"--output-directory={tmp_path}/replay", "--output-formats=jsonl"],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "not recorded" not in replay.stdout.lower()
    live, again = Outcome(0, "", "", tmp_path / "killed"), Outcome(0, "", "", tmp_path / "replay")
    assert again.statuses() == live.statuses()


def test_calls_that_are_missing_in_the_recording_are_made_again(emulator: Emulator, tmp_path: Path) -> None:
    tape = tmp_path / "tape.gz"
    begin = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftests.runs.kill_all", CHECKS,
             f"--account={','.join(ACCOUNTS[:2])}", "--role=audit", f"--filter-region={REGIONS[0]}", f"--record={tape}",
             f"--output-directory={tmp_path}", "--output-formats=jsonl"]  # fmt: skip

    def run(*more: str, kill: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*begin, *more], cwd=ROOT, env=clean_environment(KILL_ALL_AFTER=kill, **emulator.environment),
            start_new_session=True, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    assert run(kill="end").returncode == -9
    for part in tmp_path.glob("tape.gz.*"):
        part.unlink()
    done = run("--resume")
    assert f"audited again: {ACCOUNTS[0]}, since its calls were not all recorded" in done.stdout
    assert "resumed: 0 of 2 accounts" in done.stdout
    Recording(tape).verify()


def test_an_account_whose_regions_are_others_now_is_audited_again(tape: Path, whole: Outcome, tmp_path: Path) -> None:
    audit(tape, tmp_path, kill="end")
    path = tmp_path / HIDDEN
    lines = path.read_text().splitlines(keepends=True)
    other = json.loads(lines[2])
    other["regions"] = ["us-east-1"]
    path.write_text("".join([lines[0], lines[1], json.dumps(other) + "\n"]))
    done = audit(tape, tmp_path, "--resume")
    assert "resumed: 1 of 4 accounts" in done.out
    assert f"audited again: {other['account']}, since its regions are others now" in done.out
    assert reports(tmp_path) == reports(whole.folder)


@pytest.mark.parametrize(("enters", "expected"), [(True, True), (False, False)])
def test_an_account_that_cannot_be_entered_any_more_keeps_what_was_found(enters: bool, expected: bool) -> None:
    """Its regions are not known then, so they are no others."""
    from fixtures.api.backend import ClosedBackend
    from fixtures.api.clock import utcnow
    from fixtures.api.crew import Crew
    from fixtures.api.errors import ApiError
    from fixtures.model import Account
    from selftests.conftest import StubBackend

    backend = StubBackend({}, None) if enters else ClosedBackend(ApiError("sts", "AssumeRole", "AccessDenied", "no"))
    account = Account(ACCOUNTS[0], backend=backend, crew=Crew(1), now=utcnow(), regions=["us-east-1"])
    assert (
        complete_accounts._has_other_regions(account, None, AccountRecord(ACCOUNTS[0], REGIONS, [], Counts()))
        == expected
    )
    assert not complete_accounts._has_other_regions(
        account, None, AccountRecord(ACCOUNTS[0], ["us-east-1"], [], Counts())
    )


def test_another_state_of_the_checks_is_another_run(tape: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "test_own.py").write_text("def test_nothing():\n    pass\n")
    folder, given = tmp_path / "out", f"--checks-dir={own}"
    assert audit(tape, folder, given, kill="9").code == -9
    (own / "test_own.py").write_text("def test_nothing():\n    assert True\n")
    done = audit(tape, folder, given, "--resume")
    assert done.code == 4
    assert "was asked for something else (--checks-dir)" in done.err


def test_two_runs_do_not_write_the_same_report(tmp_path: Path) -> None:
    first = JsonlWriter(tmp_path / "a.jsonl", account="1")
    with pytest.raises(OSError, match=r"another run is writing a\.jsonl\.part"):
        JsonlWriter(tmp_path / "a.jsonl", account="1")
    first.close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]
    JsonlWriter(tmp_path / "a.jsonl", account="1").close()


# -- the journal itself ------------------------------------------------------------------------------------------------


def header() -> journal.Header:
    from fixtures.api.clock import utcnow

    return journal.Header(started=utcnow(), selection={"checks": ["check41"], "shard": 2})


def test_a_line_that_was_cut_off_does_not_count_and_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / HIDDEN
    begun = journal.start(path, header())
    assert begun is not None
    for account in ACCOUNTS[:2]:
        begun.add(AccountRecord(account, REGIONS, [], Counts()))
    with pytest.raises(journal.JournalError, match="has not ended: wait for it, or stop it first"):
        journal.resume(path)
    assert journal.start(path, header()) is None  # and it is not written over
    begun.close(finished=False)
    path.write_bytes(path.read_bytes()[:-5])
    earlier = journal.resume(path)
    assert list(earlier.accounts) == ACCOUNTS[:1]
    go_on = journal.Journal(path, earlier.file)
    go_on.add(AccountRecord(ACCOUNTS[2], REGIONS, [], Counts()))
    go_on.close(finished=False)
    last = journal.resume(path)
    assert list(last.accounts) == [ACCOUNTS[0], ACCOUNTS[2]]
    journal.Journal(path, last.file).close(finished=True)
    assert not path.exists()


def test_a_disk_that_is_full_leaves_what_was_noted(tmp_path: Path) -> None:
    """It takes a part of the line first; the journal ends with a whole line all the same, and goes on when there is room."""
    path = tmp_path / HIDDEN
    begun = journal.start(path, header())
    assert begun is not None
    begun.add(AccountRecord(ACCOUNTS[0], REGIONS, [], Counts()))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            begun.add(AccountRecord(ACCOUNTS[1], REGIONS, [], Counts()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    begun.add(AccountRecord(ACCOUNTS[2], REGIONS, [], Counts()))
    begun.close(finished=False)
    earlier = journal.resume(path)
    earlier.file.close()
    assert list(earlier.accounts) == [ACCOUNTS[0], ACCOUNTS[2]]


def test_a_journal_that_cannot_be_begun_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        journal.start(tmp_path / HIDDEN, header())
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_was_removed_meanwhile_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that it was of ended between opening and locking it."""
    path, plain = tmp_path / HIDDEN, journal._locked

    def locked(file: BinaryIO) -> bool:
        path.unlink()
        return plain(file)

    monkeypatch.setattr(journal, "_locked", locked)
    assert journal.start(path, header()) is None


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"{}\n", b'{"auditest-journal":1}\n[]\n'])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / HIDDEN
    path.write_bytes(content)
    with pytest.raises(journal.JournalError, match="damaged"):
        journal.resume(path)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--demo"], "--demo needs all accounts in one run"),
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
