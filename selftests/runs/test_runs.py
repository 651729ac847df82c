"""Whole runs as a user starts them: a process of its own, against an emulator process, with and without workers."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from plugins.suite import ROOT
from selftests.conftest import ACCOUNT
from selftests.whole_runs import REGIONS, Emulator, Suite, clean_environment

NETWORK = ["-m", "group4", f"--filter-region={','.join(REGIONS)}"]
OTHERS = ["111111111111", "222222222222", "333333333333"]


def test_the_same_findings_with_and_without_workers(emulator: Emulator, suite: Suite) -> None:
    alone = suite(*NETWORK, env=emulator.environment)
    assert alone.code == 1, alone.out + alone.err
    statuses = alone.statuses()
    assert {key[0] for key in statuses} == {"check41", "check42", "check43", "check44"}
    opened = [key for key, text in statuses.items() if key[0] == "check41" and text.startswith("FAIL")]
    assert sorted(key[2] for key in opened) == sorted(REGIONS)
    nothing = [key for key in statuses if key[0] == "check44"]
    assert nothing == [("check44", ACCOUNT, "us-east-1", ACCOUNT)]
    assert all(region in statuses[nothing[0]] for region in REGIONS)

    for workers in ("2", "8"):
        parallel = suite(*NETWORK, "-n", workers, env=emulator.environment)
        assert parallel.code == 1, parallel.out + parallel.err
        assert parallel.statuses() == statuses


def test_accounts_over_workers(emulator: Emulator, suite: Suite) -> None:
    accounts = [*NETWORK, f"--account={','.join(OTHERS)}", "--role=Audit"]
    alone = suite(*accounts, env=emulator.environment)
    parallel = suite(*accounts, "-n", "2", env=emulator.environment)
    assert alone.statuses() == parallel.statuses()
    assert {key[1] for key in alone.statuses()} == set(OTHERS)
    assert len(list(parallel.folder.glob("*.jsonl"))) == 3
    assert "coverage 222222222222: 4 of 4 checks fully evaluated" in parallel.out


@pytest.mark.parametrize("workers", ["0", "2"])
def test_selection_works_with_and_without_workers(emulator: Emulator, suite: Suite, workers: str) -> None:
    def checks(*arguments: str) -> set[str]:
        done = suite(f"--filter-region={REGIONS[0]}", "-n", workers, *arguments, env=emulator.environment)
        assert done.code in (0, 1), done.out + done.err
        return {one["Check ID"] for one in done.findings()}

    assert checks("--check=check401,check43") == {"check41", "check43"}
    assert checks("--group=group4", "-E", "check44") == {"check41", "check42", "check43"}
    assert checks("-m", "group4 and not cislevel1") == {"check43", "check44"}
    assert checks("-k", "ssh") == {"check41"}
    assert checks("-m", "group4", "--severity=medium") == {"check44"}
    one = suite(f"--filter-region={REGIONS[0]}", "--check=check43", env=emulator.environment).findings()[0]
    nodeid = f"tests_cis/test_4_networking.py::test_default_security_group_has_no_rules[{ACCOUNT}-{REGIONS[0]}-{one['Resource ID']}]"
    assert checks(nodeid) == {"check43"}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_pytests_own_reports_and_options(emulator: Emulator, suite: Suite, tmp_path: Path, workers: str) -> None:
    done = suite(
        *NETWORK, "-n", workers, f"--junitxml={tmp_path}/j.xml", "--json-report",
        f"--json-report-file={tmp_path}/r.json", f"--html={tmp_path}/h.html", "--self-contained-html", "--durations=2",
        env=emulator.environment,
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    number = len(done.findings())
    cases = ET.parse(tmp_path / "j.xml").findall(".//testcase")
    assert len(cases) == number
    properties = {p.get("name"): p.get("value") for p in cases[0].findall(".//property")}
    assert {"check", "severity", "region", "arn"} <= properties.keys()
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["total"] == number
    assert (tmp_path / "h.html").read_text().count("sg-") > 5
    stopped = suite(*NETWORK, "-n", workers, "-x", env=emulator.environment)
    assert stopped.code in (1, 2)
    assert sum(one["Status"] == "FAIL" for one in stopped.findings()) >= 1
    assert len(stopped.findings()) < number
    assert "stopping after 1 failures" in stopped.out


def test_last_failed_runs_only_what_failed(emulator: Emulator, suite: Suite) -> None:
    cache = f"cache_dir={suite.folder}/cache"
    first = suite(*NETWORK, "-p", "cacheprovider", "-o", cache, env=emulator.environment)
    failed = {key for key, text in first.statuses().items() if text.startswith("FAIL")}
    for workers in ("0", "2"):
        again = suite(*NETWORK, "-p", "cacheprovider", "-o", cache, "--lf", "-n", workers, env=emulator.environment)
        assert again.statuses().keys() == failed


def test_collect_only_lists_the_items_and_writes_nothing(emulator: Emulator, suite: Suite) -> None:
    for workers in ("0", "2"):
        done = suite(*NETWORK, "--collect-only", "-q", "-n", workers, env=emulator.environment)
        assert done.code == 0, done.out
        assert f"test_default_security_group_has_no_rules[{ACCOUNT}-eu-west-1-sg-" in done.out
        assert not done.folder.exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_max_items_says_how_many_were_left_out(emulator: Emulator, suite: Suite, workers: str) -> None:
    done = suite(
        "--check=check41",
        "--max-items=1",
        "-n",
        workers,
        f"--filter-region={','.join(REGIONS)}",
        env=emulator.environment,
    )
    assert len(done.findings()) == len(REGIONS)
    assert f"left out by --max-items: {len(REGIONS)} security group" in done.out


def test_profiles_are_accounts_and_a_bad_one_is_error(emulator: Emulator, suite: Suite) -> None:
    config = suite.folder / "config"
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    config.write_text(
        f"[profile good]\nregion = eu-west-1\n{keys}"
        f"[profile chained]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = good\n"
        f"[profile bad]\nregion = eu-west-1\nrole_arn = arn:aws:iam::999999999999:role/x\nsource_profile = nobody\n"
        "[profile nobody]\nregion = eu-west-1\n"
    )
    environment = {**emulator.environment, "AWS_CONFIG_FILE": str(config)}
    for workers in ("0", "2"):
        done = suite(
            "--check=check43",
            f"--filter-region={REGIONS[0]}",
            "--profile=good",
            "--profile=chained",
            "-n",
            workers,
            env=environment,
        )
        assert done.code == 1, done.out + done.err
        assert {(one["Profile"], one["Account Number"]) for one in done.findings()} == {
            ("good", ACCOUNT), ("chained", "111111111111"),
        }  # fmt: skip
    bad = suite("--check=check43", f"--filter-region={REGIONS[0]}", "--profile=good", "--profile=bad", env=environment)
    assert {(one["Profile"], one["Status"]) for one in bad.findings()} == {("good", "FAIL"), ("bad", "ERROR")}, (
        bad.out + bad.err
    )


def test_listings_need_no_credentials_and_no_network(suite: Suite) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    checks = suite("--list-checks", "--group=group4", env=nothing)
    assert checks.code == 0
    assert [line.split()[0] for line in checks.out.splitlines()] == ["check41", "check42", "check43", "check44"]
    groups = suite("--list-groups", env=nothing)
    assert groups.code == 0
    assert "cislevel1" in groups.out
    assert "@pytest.mark.forensics-ready" in suite("--markers", env=nothing).out


def test_a_worker_killed_in_the_middle_loses_and_repeats_nothing(emulator: Emulator, suite: Suite) -> None:
    expected = suite(*NETWORK, env=emulator.environment).statuses()
    helper = ROOT / "selftests" / "runs" / "kill_once.py"
    marker = suite.folder / "killed"
    done = suite(
        *NETWORK, "-n", "2", "-p", "selftests.runs.kill_once",
        env={**emulator.environment, "KILL_MARKER": str(marker), "KILL_AFTER": "2"},
    )  # fmt: skip
    assert helper.exists()
    assert marker.exists(), "no worker was killed"
    assert "replacing crashed worker" in done.out
    assert done.statuses() == expected
    assert done.code == 1


def test_a_shard_that_kills_every_worker_becomes_error_findings(emulator: Emulator, suite: Suite) -> None:
    done = suite(
        *NETWORK, "-n", "1", "-p", "selftests.runs.kill_once",
        env={**emulator.environment, "KILL_MARKER": "", "KILL_AFTER": "0"},
    )  # fmt: skip
    errors = [one for one in done.findings() if one["Status"] == "ERROR"]
    assert {one["Check ID"] for one in errors} == {"check41", "check42", "check43", "check44"}
    assert "died 3 times" in errors[0]["Message"]
    assert done.code == 1


@pytest.mark.parametrize("workers", ["0", "2"])
def test_reports_are_complete_files_after_ctrl_c(emulator: Emulator, suite: Suite, workers: str) -> None:
    command, output = suite.command(
        *NETWORK, "-n", workers, "-p", "selftests.runs.kill_once", formats="csv,json,jsonl,junit-xml,text"
    )
    environment = clean_environment(**emulator.environment, INTERRUPT_AFTER="3")
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert process.returncode == 2, process.stdout + process.stderr
    assert not list(output.rglob("*.part"))
    (report,) = (file for file in output.glob("*.json") if ".meta." not in file.name)
    found = json.loads(report.read_text())
    assert found
    facts = json.loads(next(output.glob("*.meta.json")).read_text())
    assert (facts["finished"], facts["identity"][:8]) == (False, "arn:aws:")
    assert facts["coverage"]["fully_evaluated"] < facts["coverage"]["checks"] == 4
    assert "finished: no: the run did not finish" in next(output.glob("*.txt")).read_text()
    with next(output.glob("*.csv")).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found)
    assert len(ET.parse(next((output / "junit-reports").glob("*.xml"))).findall(".//testcase")) == len(found)
    assert "not run: check" in process.stdout


def test_an_account_that_cannot_be_entered_is_error_and_the_others_go_on(emulator: Emulator, suite: Suite) -> None:
    config = suite.folder / "config"
    config.write_text(
        "[profile good]\nregion = eu-west-1\naws_access_key_id = testing\naws_secret_access_key = testing\n"
        "[profile bad]\nregion = eu-west-1\nrole_arn = arn:aws:iam::999999999999:role/x\nsource_profile = lost\n"
        "[profile lost]\nregion = eu-west-1\naws_access_key_id = testing\naws_secret_access_key = testing\n"
        "endpoint_url = http://127.0.0.1:9\n"
    )
    environment = {**emulator.environment, "AWS_CONFIG_FILE": str(config), "AWS_MAX_ATTEMPTS": "1"}
    dead = {**environment, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}
    alone = suite(
        "--check=check43", f"--filter-region={REGIONS[0]}", "--account=111111111111", "--role=Audit", env=dead
    )
    assert alone.code == 4
    assert alone.err.strip().count("\n") == 0
    assert "AWS cannot be reached" in alone.err
    for workers in ("0", "2"):
        both = suite(
            "--check=check43", f"--filter-region={REGIONS[0]}", "--account=111111111111,222222222222", "--role=Audit",
            "-n", workers, env=dead,
        )  # fmt: skip
        assert both.code == 1
        assert [one["Status"] for one in both.findings()] == ["ERROR", "ERROR"]
        assert all("AssumeRole" in one["Message"] for one in both.findings())


def test_recording_and_replay_give_the_same_bytes(emulator: Emulator, suite: Suite) -> None:
    tape = suite.folder / "run.rec"
    live = suite(*NETWORK, f"--record={tape}", env=emulator.environment, formats="csv,json,jsonl,junit-xml,text")
    assert live.code == 1
    assert tape.stat().st_mode & 0o777 == 0o600
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    replayed = suite(*NETWORK, f"--replay={tape}", env=nothing, formats="csv,json,jsonl,junit-xml,text")
    assert replayed.code == 1, replayed.out + replayed.err
    files = sorted(file.relative_to(live.folder) for file in live.folder.rglob("*.*") if file.is_file())
    assert len(files) == 6
    for file in files:
        first, second = (folder / file for folder in (live.folder, replayed.folder))
        assert without_times(first.read_text()) == without_times(second.read_text()), file
    by_workers = suite(*NETWORK, "-n", "2", f"--record={tape}2", env=emulator.environment)
    assert by_workers.statuses() == suite(*NETWORK, "-n", "2", f"--replay={tape}2", env=nothing).statuses()
    assert not list(suite.folder.glob("*.part"))
    other = suite("--check=check119", f"--replay={tape}", env=nothing)
    assert {one["Status"] for one in other.findings()} == {"ERROR"}
    assert "the recording has no such call" in other.findings()[0]["Message"]


def without_times(text: str) -> str:
    """A report without how long the run took, which a replay does not say."""
    durations = r'time="[\d.]+"|<property name="duration" value="\d+ s"/>|^duration: \d+ s\n|"duration_seconds": \w+'
    return re.sub(durations, "", text, flags=re.MULTILINE)


BAD_INPUT = [
    (["-m", "gdpr,hipaa"], 'give --group gdpr,hipaa or -m "gdpr or hipaa"'),
    (["-m", "cislevel1 and"], "-m: 'cislevel1 and' cannot be understood"),
    (["-m", "cislvl1"], "-m: there is no marker 'cislvl1'; did you mean cislevel1"),
    (["-m", "cislevel1 and check41"], "there is no marker 'check41': --check check41 selects it"),
    (["-k", "alice@example.com"], "a part of it is enough: -k example.com"),
    (["-k", "ssh,rdp"], 'give -k "ssh or rdp"'),
    (["-k", "(ssh"], "-k: '(ssh' cannot be understood"),
    (["--record=examples"], "--record: examples is a folder: give the name of a file"),
    (["--record=nowhere/x.rec"], "--record: nowhere is no folder"),
    (["--check=check411"], "unknown check 'check411'; did you mean"),
    (["--exclude-check=extra7399"], "unknown check"),
    (["--group=cislevel3"], "unknown group 'cislevel3'; did you mean"),
    (["--severity=worst"], "unknown severity 'worst'"),
    (["--output-formats=pdf"], "unknown format 'pdf'"),
    (["--filter-region=eu-west-9"], "unknown region 'eu-west-9'"),
    (["--region=moon-1"], "--region: unknown region 'moon-1'"),
    (["--role=Audit"], "--role needs --account"),
    (["--account=123456789012"], "--account needs --role"),
    (["--account=12", "--role=x"], "'12' is not a 12-digit account ID"),
    (["--account=12345678901٢", "--role=x"], "is not a 12-digit account ID"),
    (["--trusted-account=111111111111,12"], "--trusted-account: '12' is not a 12-digit account ID"),
    (["--trusted-account=arn:aws:iam::111111111111:root"], "is not a 12-digit account ID"),
    (["-o", "trusted_account=*"], "--trusted-account: '*' is not a 12-digit account ID"),
    (["--session-duration=899", "--role=arn:aws:iam::123456789012:role/x"], "--session-duration: 899 is out of range"),
    (["--role=arn:aws:iam::123456789012:user/x"], "is not the ARN of a role"),
    (["--external-id=x"], "--external-id needs --role"),
    (["--replay=/nonexistent/file"], "cannot be read"),
    (["--profile=nobody"], "the profile 'nobody' is not in the AWS configuration"),
    (["--max-items=0"], "--max-items: 0 is out of range"),
    (["--max-items=few"], "--max-items: 'few' is not a whole number"),
    (["--checks-dir=/nonexistent"], "is not a folder"),
    (["--record=a", "--replay=b"], "exclude each other"),
    (["--active-probes", "--replay=b"], "--active-probes opens connections, which --replay never does"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT, ids=[" ".join(a) for a, _ in BAD_INPUT])
def test_bad_input_is_one_line_and_exit_4(suite: Suite, arguments: list[str], message: str) -> None:
    done = suite(*arguments, env={"AWS_CONFIG_FILE": "/dev/null"})
    assert done.code == 4, done.out + done.err
    assert message in done.err
    assert done.err.strip().count("\n") == 0
    assert "Traceback" not in done.out + done.err


def test_no_credentials_suggest_the_demo(suite: Suite) -> None:
    done = suite(env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    assert done.code == 4
    assert "make demo" in done.err
    assert done.err.strip().count("\n") == 0


def test_an_unwritable_output_folder(emulator: Emulator, suite: Suite) -> None:
    done = suite("--check=check43", "--output-directory=/proc/nope", env=emulator.environment)
    assert done.code == 4
    assert "--output-directory" in done.err


def test_ordinary_tests_get_resources_and_sessions(emulator: Emulator, suite: Suite) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_own.py").write_text(OWN)
    done = suite(
        f"--checks-dir={folder}", "-k", "own", f"--filter-region={','.join(REGIONS)}", "-v", env=emulator.environment
    )
    assert done.code == 1, done.out + done.err
    assert done.out.count("test_own_session[") == 1
    assert done.out.count("test_own_regions[") == len(REGIONS)
    statuses = {key: text for key, text in done.statuses().items() if key[0] == "own1"}
    assert statuses
    assert all("tmp ready" in text or "FAIL" in text for text in statuses.values())
    assert any(text.startswith("FAIL: not the right group") for text in statuses.values())
    parallel = suite(
        f"--checks-dir={folder}",
        "--check=own1",
        "-n",
        "2",
        f"--filter-region={','.join(REGIONS)}",
        env=emulator.environment,
    )
    assert parallel.statuses() == statuses


OWN = '''
import pytest
from plugins.catalog import check


def test_own_session(aws_session, account):
    assert aws_session.client("sts").get_caller_identity()["Account"] == account.id


def test_own_regions(account, region):
    assert region.id in account.regions


@check("own1", severity="low", remediation="none")
def test_own_check(security_group, tmp_path):
    """A check that uses an ordinary fixture too."""
    assert security_group.data["GroupName"].startswith(("open", "default")) is False or security_group.region != "eu-west-1", (
        "not the right group"
    )
    return "tmp ready" if tmp_path.is_dir() else ""
'''


MARKED = '''
import pytest
from plugins.catalog import check


@pytest.mark.skipif(False, reason="sends the check through pytest's full protocol")
@check("own2", severity="low", remediation="none")
def test_own_marked(account, *, limit: int = 1):
    """A check with a mark of pytest's and a threshold."""
    assert limit > 1, "the default is in force"
    return f"the limit is {limit}"
'''


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_marked_check_gets_its_thresholds_and_gives_its_evidence(
    emulator: Emulator, suite: Suite, workers: str
) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_marked.py").write_text(MARKED)
    (suite.folder / "c.toml").write_text("[own2]\nlimit = 7\n")
    own = ["--check=own2", f"--checks-dir={folder}", "--filter-region=eu-west-1", "-n", workers]
    default = suite(*own, env=emulator.environment).findings()
    assert [(one["Status"], one["Message"]) for one in default] == [("FAIL", "the default is in force")]
    changed = suite(*own, f"--config={suite.folder}/c.toml", env=emulator.environment).findings()
    assert [(one["Status"], one["Message"]) for one in changed] == [("Pass", "the limit is 7")]


def test_controller_dies_and_workers_do_not_stay(emulator: Emulator, suite: Suite) -> None:
    command, _ = suite.command(*NETWORK, "-n", "2", "-p", "selftests.runs.kill_once")
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(**emulator.environment, SLEEP_EACH="1"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(6)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        alive = subprocess.run(
            ["pgrep", "-f", str(suite.folder)], capture_output=True, text=True, check=False
        ).stdout.split()
        if not alive:
            return
        time.sleep(0.5)
    raise AssertionError(f"still running: {alive}")


def test_a_narrowed_check_says_of_how_many_resources_it_looked_at_one(emulator: Emulator, suite: Suite) -> None:
    one = suite(f"--filter-region={REGIONS[0]}", "--check=check43", env=emulator.environment).findings()[0]
    region = (f"--filter-region={REGIONS[0]}", "--check=check41")
    group = next(f["Resource ID"] for f in suite(*region, env=emulator.environment).findings())
    assert one["Resource ID"]
    for workers in ("0", "2"):
        for narrowed in (["-k", group], ["--max-items=1"]):
            done = suite(*region, *narrowed, "-n", workers, env=emulator.environment)
            assert "0 of 1 checks fully evaluated; narrowed" in done.out
            assert "check41 (1 of 2)" in done.out
            (facts,) = done.folder.glob("*.meta.json")
            assert json.loads(facts.read_text())["coverage"]["narrowed"] == {"check41": "1 of 2"}


def test_runs_that_begin_in_one_second_keep_their_reports_apart(suite: Suite, emulator: Emulator) -> None:
    (suite.folder / "frozen.py").write_text(FROZEN)
    environment = {**emulator.environment, "PYTHONPATH": str(suite.folder)}
    command = (
        "--check=check43",
        f"--filter-region={REGIONS[0]}",
        f"--output-directory={suite.folder}/both",
        "-p",
        "frozen",
    )
    for _ in range(2):
        assert suite(*command, env=environment).code == 1
    names = sorted(file.name for file in (suite.folder / "both").glob("*.jsonl"))
    assert names == [f"auditest-output-{ACCOUNT}-20260301120000{more}.jsonl" for more in ("-2", "")]


FROZEN = """
from datetime import UTC, datetime
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    from plugins.audit.run import run_of
    run_of(session.config).entering.now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""


MISTAKEN = """
from plugins.catalog import check

@check("own1", severity="{severity}", remediation="x")
def test_own({argument}):
    \"\"\"Own.\"\"\"
"""


@pytest.mark.parametrize(
    ("severity", "argument", "message"),
    [
        ("hihg", "security_group", "check own1: unknown severity 'hihg'; did you mean high"),
        ("high", "security_gruop", "its argument 'security_gruop' is no kind of resource and no fixture; did you mean security_group"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_own_check_is_one_line(
    emulator: Emulator, suite: Suite, severity: str, argument: str, message: str
) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_own.py").write_text(MISTAKEN.format(severity=severity, argument=argument))
    done = suite(f"--checks-dir={folder}", "--check=own1", env=emulator.environment)
    assert done.code == 4
    assert message in done.err
    assert done.err.strip().count("\n") == 0


def test_without_xdist(emulator: Emulator, suite: Suite) -> None:
    done = suite("-p", "no:xdist", "--check=check43", f"--filter-region={REGIONS[0]}", env=emulator.environment)
    assert done.code == 1, done.out + done.err
    assert "1 of 1 checks fully evaluated" in done.out


def test_fixtures_and_cache_are_shown_without_credentials(suite: Suite) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    shown = suite("--fixtures", "-q", env=nothing)
    assert shown.code == 0
    assert "security_group -- " in shown.out
    assert suite("-p", "cacheprovider", "--cache-show", env=nothing).code == 0


def test_an_option_of_another_plugin_is_one_line(suite: Suite) -> None:
    (suite.folder / "profiling_like.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--profile', action='store_true')\n"
    )
    done = suite("-p", "profiling_like", "--list-groups", env={"PYTHONPATH": str(suite.folder)})
    assert done.code == 4
    assert done.err.strip() == (
        "ERROR: --profile is an option of the audit and of the plugin profiling_like:"
        " give -p no:profiling_like to go on without it"
    )
