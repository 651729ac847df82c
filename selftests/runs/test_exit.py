"""How runs end when something is in the way: Ctrl-C, signals, a full disk, a killed process."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from plugins.suite import ROOT
from selftests.conftest import ACCOUNT
from selftests.runs.pseudo_terminal import CTRL_C, show
from selftests.whole_runs import REGIONS, Emulator, Suite, clean_environment

NETWORK = ["-m", "group4", f"--filter-region={','.join(REGIONS)}"]
MISCHIEF = ["-p", "selftests.runs.mischief", "-p", "selftests.runs.kill_once"]
FORMATS = "csv,json,jsonl,json-asff,junit-xml,html,text"
HUNG = {"HANG": "ec2:DescribeSecurityGroups@us-east-1"}
WORKERS = pytest.mark.parametrize("workers", ["0", "2"])


def read_all(folder: Path) -> dict[str, list[Any]]:
    """Format -> findings of the one file of each, read by a parser of that format; it may be a ``.part``."""

    files = {re.sub(r".*-\d{14}|\.part$", "", file.name): file.read_text() for file in folder.rglob("*.*")}
    assert files[".html"].endswith("</html>\n")
    json.loads(files[".asff.json"])
    return {
        "csv": list(csv.DictReader(files[".csv"].splitlines(), strict=True)),
        "json": json.loads(files[".json"]),
        "jsonl": [json.loads(line) for line in files[".jsonl"].splitlines()],
        "junit": ET.fromstring(files[".xml"].encode()).findall("testcase"),
        "text": re.findall(r"^ \S*(?:PASS|FAIL|INFO)!", files[".txt"], re.M),
    }


@WORKERS
def test_ctrl_c_ends_a_run_whose_calls_hang_and_says_what_is_missing(
    emulator: Emulator, suite: Suite, workers: str
) -> None:
    command, output = suite.command(*NETWORK, *MISCHIEF, "-n", workers, formats="jsonl")
    over = suite.folder / "over"
    environment = {**emulator.environment, **HUNG, "HANG_OVER": str(over), "STALLED_SECONDS": "1"}
    shown = show(command, environment, keys=[("waiting for ec2:", CTRL_C)])
    assert shown.code == 2
    assert not over.exists(), "it waited for the call that hangs"
    assert "Traceback" not in shown.text
    assert "interrupted: finishing the reports (Ctrl-C again stops at once)" in shown.screen
    assert f"the run did not finish: 1 of 1 account incomplete: {ACCOUNT}" in shown.screen
    assert re.search(rf"coverage {ACCOUNT}: \d of 4 checks fully evaluated; (not finished|not run): check", shown.text)
    assert not list(output.glob("*.part"))


@WORKERS
def test_checks_that_were_cut_short_are_named(emulator: Emulator, suite: Suite, workers: str) -> None:
    for stop in ({"INTERRUPT_AFTER": "4"}, {}):
        arguments = [] if stop else ["-x"]
        done = suite(*NETWORK, *MISCHIEF, *arguments, "-n", workers, env={**emulator.environment, **stop})
        assert done.code == (2 if stop or workers == "2" else 1)
        found: dict[str, int] = {}
        for one in done.findings():
            found[one["Check ID"]] = found.get(one["Check ID"], 0) + 1
        line = next(line for line in done.out.splitlines() if line.startswith(f"coverage {ACCOUNT}"))
        complete = {"check41": 6, "check42": 6, "check43": 3, "check44": 1}
        short = {id for id in found if found[id] < complete[id]}
        cut = re.search(r"not finished: ([\w, ]+)", line)
        assert set(cut[1].split(", ") if cut else []) >= short, (line, found)
        full = re.search(r": (\d) of 4", line)
        assert full is not None
        assert int(full[1]) <= sum(found.get(id) == number for id, number in complete.items()), (line, found)


def test_ctrl_c_twice_stops_at_once(emulator: Emulator, suite: Suite) -> None:
    command, _ = suite.command(*NETWORK, *MISCHIEF, "-n", "2", formats="jsonl")
    environment = {**emulator.environment, **HUNG, "STALLED_SECONDS": "1"}
    shown = show(command, environment, keys=[("waiting for ec2:", CTRL_C), ("interrupted: finishing", CTRL_C)])
    assert shown.code == 2
    assert "stopped at once: reports that were not finished have the ending .part" in shown.text
    assert "coverage" not in shown.text
    assert "Traceback" not in shown.text


@WORKERS
def test_sigterm_ends_a_run_like_ctrl_c(emulator: Emulator, suite: Suite, workers: str) -> None:
    command, output = suite.command(*NETWORK, *MISCHIEF, "-n", workers, formats=FORMATS)
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(**emulator.environment, SLEEP_EACH="0.5"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for_findings(output)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 2, out
    assert "the run did not finish" in out
    assert not list(output.rglob("*.part"))
    counts = {kind: len(found) for kind, found in read_all(output).items()}
    assert set(counts.values()) == {counts["jsonl"]}
    assert counts["jsonl"] > 0


@WORKERS
def test_a_killed_process_leaves_files_that_can_be_read(emulator: Emulator, suite: Suite, workers: str) -> None:
    command, output = suite.command(*NETWORK, *MISCHIEF, "-n", workers, formats=FORMATS)
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(**emulator.environment, SLEEP_EACH="0.5"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_findings(output)
    process.kill()
    process.wait()
    assert len(list(output.rglob("*.part"))) == len(FORMATS.split(",")) + 1  # what is said of the run
    counts = {kind: len(found) for kind, found in read_all(output).items()}
    assert min(counts.values()) > 0, counts


def wait_for_findings(output: Path) -> None:
    """Wait until findings stand in the text report, whose format is the last of FORMATS to be flushed."""
    deadline = time.monotonic() + 40
    while not any("!" in file.read_text() for file in output.glob("*.txt.part")):
        assert time.monotonic() < deadline, "no finding was written"
        time.sleep(0.1)


@WORKERS
def test_a_full_disk_is_one_line_and_the_files_stay_readable(emulator: Emulator, suite: Suite, workers: str) -> None:
    limit = {"FILE_LIMIT": "6000"}
    done = suite(
        *NETWORK, *MISCHIEF, "-n", workers, env={**emulator.environment, **limit}, formats="json,jsonl,csv"
    )  # fmt: skip
    assert done.code == 3, done.out + done.err
    assert done.out.count(f"ERROR! reports in {done.folder} are incomplete: File too large") == 1
    assert "Traceback" not in done.out + done.err
    assert "the run did not finish" in done.out
    (file,) = (file for file in done.folder.glob("*.json.part") if ".meta." not in file.name)
    assert json.loads(file.read_text())
    (lines,) = done.folder.glob("*.jsonl*")
    assert all(json.loads(line) for line in lines.read_text().splitlines())


def test_output_that_cannot_be_written_does_not_stop_the_audit(emulator: Emulator, suite: Suite) -> None:
    command, output = suite.command(*NETWORK, "-n", "2")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, cwd=ROOT, env=clean_environment(**emulator.environment), stdout=full, stderr=subprocess.PIPE,
            text=True, timeout=90, check=False,
        )  # fmt: skip
    assert done.stderr == "ERROR: the output cannot be written: No space left on device\n"
    assert done.returncode == 3
    assert len(next(output.glob("*.jsonl")).read_text().splitlines()) == 16
    head = " ".join([*command, "| head -n 2"])
    piped = subprocess.run(
        ["bash", "-o", "pipefail", "-c", head], cwd=ROOT, env=clean_environment(**emulator.environment),
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stderr) == (1, ""), "the exit code is that of the audit"


BAD = [
    (["--fail-on=hihg"], "--fail-on: unknown severity 'hihg'; did you mean high?"),
    (["--output-directory=/dev/full"], "--output-directory: /dev/full"),
    (["--keep-credential-report", "-M", "", "--output-directory=/dev/full"], "--output-directory: /dev/full"),
    (["--output-directory=/proc/1/x"], "--output-directory: /proc/1/x"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_exit_4(emulator: Emulator, suite: Suite, arguments: list[str], message: str) -> None:
    done = suite("--check=check43", "--filter-region=eu-west-1", *arguments, env=emulator.environment)
    assert done.code == 4, done.out + done.err
    assert message in done.err
    assert done.err.strip().count("\n") == 0
    assert "Traceback" not in done.out + done.err
