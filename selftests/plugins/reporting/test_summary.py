"""What the terminal shows, unit by unit: summary, score, progress line, padded numbers, the classic report."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.audit.calls_in_flight import STALLED_SECONDS, Source
from plugins.catalog.checks import Check, Severity
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered, padded
from plugins.findings.pytest_report import attach
from plugins.findings.score import Score, scores
from plugins.findings.tally import Tally
from plugins.findings.verdict import Status
from plugins.outputs.formats import writers_for
from plugins.reporting.classic import Classic
from plugins.reporting.coverage import Coverage
from plugins.reporting.pytest_html import pytest_html_results_table_row
from plugins.reporting.summary import Facts, Page, by_reason, coverage, summary
from plugins.terminal.progress import fitting, stalled_line
from selftests.plugins.outputs.test_formats import CHECK, finding

ACCOUNT = "123456789012"
NARROW = Page(width=60, wrap=True)


def check(id: str, severity: Severity = "high", service: str = "s3", title: str = "Buckets are closed") -> Check:
    return replace(CHECK, id=id, severity=severity, service=service, title=title)


def found(of: Check, *statuses: Status, message: str = "m") -> list[Finding]:
    return [finding(f"r{number}", status, message, of) for number, status in enumerate(statuses)]


def tally(*groups: Iterable[Finding]) -> Tally:
    counted = Tally()
    for group in groups:
        for one in group:
            counted.add(one)
    return counted


FULL = tally(
    found(
        check("extra73", "critical", "s3", "S3 buckets are not open to everyone or to any AWS account"), "FAIL", "PASS"
    ),
    found(check("check41", "informational", "ec2"), "FAIL", "FAIL"),
    found(check("check119", "low", "elasticloadbalancing"), "WARNING", "FAIL"),
    found(
        check("extra7100", "medium"),
        "ERROR",
        message="access denied in eu-west-1: s3:GetX is needed (s3:GetX, AccessDenied)",
    ),
)
FACTS = Facts(FULL, list(FULL.checks.values()), [ACCOUNT], with_score=True)


# -- summary ---------------------------------------------------------------------------------------------------------


def unfinished(tally: Tally, checks: dict[str, set[str]]) -> Coverage:
    """The coverage of a run that ended before these checks were run on all resources of these accounts."""
    return Coverage(tally, unfinished=lambda account: checks.get(account, set()))


def test_failing_checks_are_shown_worst_first_with_their_counts() -> None:
    text = summary(FACTS, Page())
    shown = re.findall(r"^  (\w+) +(\w+) +(\d+ of \d+)  (.+)$", text, re.M)
    assert shown == [
        ("critical", "extra73", "1 of 2", "S3 buckets are not open to everyone or to any AWS account"),
        ("low", "check119", "1 of 2", "Buckets are closed"),
        ("informational", "check41", "2 of 2", "Buckets are closed"),
    ]
    assert re.search(r"^failures by service +critical +low +informational$", text, re.M)
    assert re.search(r"^s3 +1 +- +-$", text, re.M)
    assert "  access denied in eu-west-1: s3:GetX is needed (s3:GetX, AccessDenied)\n    extra7100\n" in text
    assert text.endswith("7 findings: PASS 1  FAIL 4  WARNING 1  ERROR 1\n")
    assert "\033" not in text


def test_nothing_is_wider_than_a_narrow_terminal() -> None:
    lines = summary(FACTS, NARROW).splitlines()
    assert max(map(len, lines)) <= 60
    row = next(line for line in lines if "extra73" in line)
    assert row.startswith("  critical ")
    assert " 1 of 2 " in row
    assert row.endswith("…")
    assert any(line.startswith("elasticloadbalancing ") for line in lines)


def test_a_log_has_whole_lines_and_a_terminal_broken_ones() -> None:
    many = [check(f"own{number}") for number in range(9)]
    facts = Facts(Tally(), many, [ACCOUNT])
    assert summary(facts, Page()).splitlines()[0].endswith("own7 and 1 more")
    broken = summary(facts, NARROW).splitlines()
    assert max(map(len, broken)) <= 60
    assert broken[1].startswith("    ")


def test_colours_are_there_when_asked_for() -> None:
    text = summary(FACTS, Page(colour=True))
    assert "\033[31mFAIL 4" in text.replace("\033[31m  FAIL", "\033[31mFAIL")
    assert re.sub(r"\033\[[\d;]*m", "", text).replace(" ", "") == summary(FACTS, Page()).replace(" ", "")


def test_what_checks_and_errors_say_cannot_command_the_terminal() -> None:
    hostile = tally(
        found(check("own1", title="\033[2J[bold]red[/bold]"), "FAIL"),
        found(check("own2"), "ERROR", message="x\033]0;title\007y\nz"),
    )
    text = summary(Facts(hostile, list(hostile.checks.values()), [f"{ACCOUNT}\033[2J"]), Page(colour=True))
    assert set(re.findall(r"\033.{1,3}", text)) <= {s for s in re.findall(r"\033.{1,3}", text) if s[1] == "["}
    assert "\033[2J" not in text
    assert "\033]" not in text
    assert "\\x1b[2J[bold]red[/bold]" in text
    assert "x\\x1b]0;title\\x07y z" in text


def test_errors_of_several_regions_are_one_reason() -> None:
    where = {(ACCOUNT, "check41")}
    grouped = by_reason(
        {
            "access denied in eu-west-1: s3:GetX is needed (s3:GetX, AccessDenied)": where,
            "access denied in us-east-1: s3:GetX is needed (s3:GetX, AccessDenied)": {(ACCOUNT, "check42")},
            "s3:GetX was throttled in us-east-1 until the retries ran out (SlowDown)": where,
            "s3:GetX failed in us-east-1: Boom: in pieces": where,
            "no way in here: none": where,
        }
    )
    assert [(reason, regions, len(places)) for reason, regions, places in grouped] == [
        ("access denied in …: s3:GetX is needed (s3:GetX, AccessDenied)", ["eu-west-1", "us-east-1"], 2),
        ("no way in here: none", [], 1),
        ("s3:GetX failed in …: Boom: in pieces", ["us-east-1"], 1),
        ("s3:GetX was throttled in … until the retries ran out (SlowDown)", ["us-east-1"], 1),
    ]


def test_coverage_tells_errors_from_checks_that_were_cut_short_and_not_run() -> None:
    counted = tally(found(check("own1"), "PASS"), found(check("own2"), "PASS", "ERROR"), found(check("own3"), "FAIL"))
    selected = [check(f"own{number}") for number in (1, 2, 3, 4)]
    lines = coverage(Facts(counted, selected, [ACCOUNT, "2"], unfinished(counted, {ACCOUNT: {"own2", "own3", "own4"}})))
    assert lines == [
        f"the run did not finish: 1 of 2 accounts incomplete: {ACCOUNT}",
        f"coverage {ACCOUNT}: 1 of 4 checks fully evaluated; with errors: own2; not finished: own3; not run: own4",
        "coverage 2: 0 of 4 checks fully evaluated; not run: own1, own2, own3, own4",
    ]
    counted.seen["21"] |= {"own1", "own2", "own3", "own4"}
    many = coverage(
        Facts(counted, selected, [str(number) for number in range(23)], unfinished(counted, {"22": {"own1"}}))
    )
    assert many[-1] == "coverage of 3 more accounts: 1 fully evaluated; not: 20, 22"


def test_a_run_without_findings_says_so() -> None:
    assert summary(Facts(Tally()), Page()) == "no findings\n"


# -- score -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "failed", "text"),
    [(0, 0, "-"), (1, 0, "100.0"), (0, 3, "0.0"), (1, 2, "33.3"), (2, 1, "66.6"), (9999, 1, "99.9"), (1, 9999, "0.0")],
)
def test_score_is_the_share_of_what_passes_and_100_only_when_all_does(passed: int, failed: int, text: str) -> None:
    assert Score({"PASS": passed, "FAIL": failed, "INFO": 7, "WARNING": 7, "ERROR": 7}).text == text


def test_scores_are_given_for_all_each_severity_and_each_service() -> None:
    assert [(name, score.text) for name, score in scores(FULL)] == [
        ("all", "20.0"), ("critical", "50.0"), ("medium", "-"), ("low", "0.0"), ("informational", "0.0"),
        ("ec2", "0.0"), ("elasticloadbalancing", "0.0"), ("s3", "50.0"),
    ]  # fmt: skip
    assert re.search(r"^all +20\.0 +1 +4 +- +1 +1$", summary(FACTS, Page()), re.M)
    assert "score" not in summary(replace(FACTS, with_score=False), Page())


def test_failures_and_errors_count_for_their_severity() -> None:
    assert FULL.has_failures(["critical"])
    assert FULL.has_failures(["medium"]), "an error leaves open what is wrong"
    assert not FULL.has_failures(["high"])
    assert not tally(found(check("own1"), "PASS", "INFO", "WARNING")).has_failures(["high"])


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_padded_numbers_sort_as_text() -> None:
    pairs = [
        ("1.1", "1.01"),
        ("1.22", "1.22"),
        ("7.3", "7.003"),
        ("7.188", "7.188"),
        ("own1", "own1"),
        ("1.2.3", "1.2.3"),
    ]
    assert [padded(number) for number, _ in pairs] == [expected for _, expected in pairs]
    numbers = [f"{chapter}.{part}" for chapter, last in ((1, 22), (7, 188)) for part in range(1, last)]
    assert sorted(map(padded, numbers)) == [padded(number) for number in numbers]
    requirement = replace(CHECK, kind="requirement", number="1.1")
    assert numbered(finding("r", check=requirement)).check.number == "1.1"
    assert numbered(finding("r")).check.number == "7.003"
    assert numbered(finding("r")).id == finding("r").id


# -- progress --------------------------------------------------------------------------------------------------------


def test_the_progress_line_keeps_what_matters_when_it_is_narrow() -> None:
    parts = ["checks 3 of 9, 1 failed", "accounts 1 of 2", "calls 12 done, 3 in flight"]
    assert fitting(parts, 80) == "checks 3 of 9, 1 failed  accounts 1 of 2  calls 12 done, 3 in flight"
    assert fitting(parts, 40) == "checks 3 of 9, 1 failed  accounts 1 of 2"
    assert fitting(parts, 10) == "checks 3 o"
    assert fitting([], 10) == ""


def test_calls_are_named_when_nothing_comes_back() -> None:
    now = time.monotonic()
    long = STALLED_SECONDS + 5
    hung = Source(3, 5, [("s3:A in r", now - long), ("s3:B in r", now - 12)], moved=now - 11)
    busy = Source(3, 5, [("s3:C in r", now - 60)], moved=now - 1)
    fresh = Source(3, 1, [("s3:D in r", now - 1)], moved=now - 60)
    idle = Source(3, 0, [], moved=now - 60)
    assert (
        stalled_line([hung, busy, fresh, idle], now)
        == "waiting for s3:A in r for 15 s, s3:B in r for 12 s and 3 more calls"
    )
    assert stalled_line([busy, fresh, idle], now) == ""
    hung.update(4, 5, hung.oldest)
    assert stalled_line([hung], now) == ""


# -- the classic report ----------------------------------------------------------------------------------------------


def shown(findings: list[Finding], *, grouped: bool) -> list[str]:
    lines: list[str] = []
    classic = Classic(lines.append, colour=False, grouped=grouped)
    for one in findings:
        classic.write(one)
    classic.close()
    return lines


def test_the_classic_report_groups_what_workers_mix() -> None:
    first, second = check("check41"), check("check42")
    mixed = [*found(first, "PASS"), *found(second, "FAIL"), *found(first, "INFO")]
    lines = shown(mixed, grouped=True)
    assert [line for line in lines if line] == [
        f"account {ACCOUNT}", " 7.3  Buckets are closed", " PASS!  eu-west-1: r0 - m", " INFO!  eu-west-1: r0 - m",
        " 7.3  Buckets are closed", " FAIL!  eu-west-1: r0 - m",
    ]  # fmt: skip
    assert shown(sorted(mixed, key=lambda one: one.check.id), grouped=False) == lines


# -- a full disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "junit-xml", "json-asff", "html", "text"])
def test_a_file_that_cannot_grow_keeps_what_it_had(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (writer,) = writers_for([kind], tmp_path, "out", ACCOUNT)
    writer.write(finding("first"))
    writer.flush()
    before = writer._part.read_bytes()
    plain = type(writer)._write_at
    calls = 0

    def full(self: object, position: int, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            plain(writer, position, data[:-3])
            raise OSError(28, "No space left on device")
        plain(writer, position, data)

    monkeypatch.setattr(type(writer), "_write_at", full)
    writer.write(finding("second"))
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    assert writer._part.read_bytes() == before


# -- pytest-html's columns -------------------------------------------------------------------------------------------


def test_names_in_pytest_htmls_table_are_no_markup() -> None:
    report = pytest.TestReport("t.py::t[<img src=x>]", ("t.py", 1, "t"), {}, "passed", None, "call")
    cells = [
        "<td>Passed</td>", f'<td class="col-testId">{report.nodeid}</td>', "<td>1 ms</td>", "<td></td>",
    ]  # fmt: skip
    pytest_html_results_table_row(attach(report, finding("<script>\n")), cells)
    assert cells[1] == '<td class="col-testId">t.py::t[&lt;img src=x&gt;]</td>'
    assert cells[2:7] == [
        f'<td class="col-account">{ACCOUNT}</td>', '<td class="col-region">eu-west-1</td>',
        '<td class="col-check">extra73</td>', '<td class="col-severity">critical</td>',
        '<td class="col-resource">&lt;script&gt;\\n</td>',
    ]  # fmt: skip
    other = ["", "", ""]
    pytest_html_results_table_row(pytest.TestReport("x", ("", 1, ""), {}, "passed", None, "call"), other)
    assert other[2] == '<td class="col-account"></td>'
    assert len(other) == 8
