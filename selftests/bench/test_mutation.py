"""bench/mutation.py: which changes are made, how they are made, and what the report says of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from bench.mutation_operators import PROBE, Module, Mutant
from bench.mutation_report import (
    ACCEPTED,
    Entry,
    Result,
    accepted_survivors,
    as_json,
    name_of,
    noticed_before,
    report,
    result_of,
)
from bench.mutation_run import Outcome
from plugins.catalog.files import read_yaml
from plugins.suite import ROOT


def module(folder: Path, text: str) -> Module:
    """A file with this text, as a module to mutate."""
    Path(folder, "judge.py").write_text(text)
    return Module(folder, "judge.py")


def function(codes: dict[tuple[str, int], Any], name: str, **names: Any) -> FunctionType:
    """A function with this code, which sees ``names``."""
    return FunctionType(next(code for (found, _), code in codes.items() if found == name), names)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("assert not x", {"drop-assert pass", "negate-assert x"}),
        ("assert x == 1, y", {"drop-assert pass", "negate-assert x != 1"}),
        ("assert x < 1", {"drop-assert pass", "negate-assert not x < 1", "swap-comparison x <= 1"}),
        ("if x: y()", {"negate-if not x", "drop-if False"}),
        ("while x in y: pass", {"negate-while x not in y"}),
        ("return 1 if x else 2", {"negate-ifexp not x"}),
        ("return x and y or z", {"drop-operand z", "drop-operand x and y", "drop-operand y", "drop-operand x"}),
        ("return x or ()", {"drop-operand ()"}),
        ("return 1 < x <= y is not z", {
            "swap-comparison 1 <= x <= y is not z", "swap-comparison 1 < x < y is not z", "swap-comparison 1 < x <= y is z",
        }),
        ("return any(i for i in x if i)", {"swap-any-all all", "negate-filter not i", "drop-filter True"}),
        ("return True", {"swap-constant False"}),
        ("return 'x'", set()),
        ("raise ValueError(x)", {"drop-raise pass"}),
        ("pytest.skip(x)", {"drop-skip pass", "skip-to-fail pytest.fail"}),
        ("return lambda: not x", {"drop-not x"}),
    ],
)  # fmt: skip
def test_changes_of_a_statement(tmp_path: Path, body: str, changes: set[str]) -> None:
    found = module(tmp_path, f"def judge(x, y, z):\n    {body}\n").mutants
    assert {f"{one.operator} {one.change.partition(' -> ')[2]}" for one in found} == changes
    assert {one.function for one in found} <= {"judge"}
    assert {one.name.partition(" ")[0].rpartition(":")[0] for one in found} <= {"judge.py:2"}


def test_only_what_runs_when_a_check_judges_is_changed(tmp_path: Path) -> None:
    text = "@mark(1 < 2)\ndef judge(x: 3 < 4 = 5 < 6) -> 7 < 8:\n    pass\nif 9 < 10:\n    assert x\n"
    assert module(tmp_path, text).mutants == []
    text = "class A:\n    def b(self):\n        def c():\n            return not self\n        return c\n"
    assert [one.function for one in module(tmp_path, text).mutants] == ["A.b.c"]
    assert [one.function for one in module(tmp_path, "f = lambda x: not x").mutants] == ["<lambda>"]


def test_a_change_is_made_alone_and_undone(tmp_path: Path) -> None:
    judge = module(tmp_path, "def judge(x):\n    return x > 1 and x > 2\n")
    kept = {one.change: function(judge.mutated(one), "judge") for one in judge.mutants}
    assert [kept["x > 1 and x > 2 -> x > 1"](two) for two in (1, 2, 3)] == [False, True, True]
    assert [kept["x > 2 -> x >= 2"](two) for two in (1, 2, 3)] == [False, True, True]
    assert [kept["x > 1 -> x >= 1"](two) for two in (1, 2, 3)] == [False, False, True]
    assert "return x > 1 and x > 2" in ast.unparse(judge.tree)


def test_instrumented_code_tells_the_places_that_it_comes_by(tmp_path: Path) -> None:
    judge = module(tmp_path, "def judge(x):\n    assert x > 1 and x > 2\n    return 3\n")
    places = {one.change: 100 + one.place for one in judge.mutants}
    reached: list[int] = []

    def probe(number: int, value: object) -> object:
        reached.append(number)
        return value

    instrumented = function(judge.instrumented(100), "judge", **{"__builtins__": {PROBE: probe}})
    with pytest.raises(AssertionError):
        instrumented(1)
    assert places["x > 1 -> x >= 1"] in reached
    assert places["assert x > 1 and x > 2 -> pass"] in reached
    assert places["x > 2 -> x >= 2"] not in reached
    assert instrumented(3) == 3
    assert set(places.values()) <= set(reached)


def outcomes(tmp_path: Path) -> list[Outcome]:
    """A noticed mutant, and two survivors."""
    dropped, swapped, negated = module(tmp_path, "def judge(x):\n    assert x < 1\n").mutants
    return [Outcome(dropped, 2, "test_one"), Outcome(swapped, 2, ""), Outcome(negated, 0, "")]


def checks_file(mutant: Mutant) -> Mutant:
    """The mutant as one of a file of checks."""
    return Mutant("tests_extras/test_s3.py", *(getattr(mutant, name) for name in list(mutant.__dataclass_fields__)[1:]))


def test_report(tmp_path: Path) -> None:
    tried = [Outcome(checks_file(one.mutant), one.tests, one.by) for one in outcomes(tmp_path)]
    reasons = {name_of(tried[1].mutant): "both mean the same"}
    result = result_of(tried, reasons, [])
    assert [one.mutant.operator for one in result.unexplained] == ["negate-assert"]
    assert report(result) == [
        "file                     mutants  noticed  survived",
        "tests_extras/test_s3.py        3        1         2",
        "",
        "tests_extras/test_s3.py:2:12 swap-comparison: assert x < 1",
        "    x < 1 -> x <= 1",
        "    accepted: both mean the same",
        "",
        "tests_extras/test_s3.py:2:12 negate-assert: assert x < 1",
        "    x < 1 -> not x < 1",
        "    no self-test comes by",
        "",
        "checks: 1 of 3 noticed (33.3 %); without the 1 accepted survivors 1 of 2 noticed (50.0 %)",
        "fixtures: 0 of 0 noticed (100.0 %)",
        "all: 1 of 3 noticed (33.3 %); without the 1 accepted survivors 1 of 2 noticed (50.0 %)",
    ]


def test_stale_entries(tmp_path: Path) -> None:
    tried = [Outcome(checks_file(one.mutant), one.tests, one.by) for one in outcomes(tmp_path)]
    noticed, accepted = name_of(tried[0].mutant), name_of(tried[1].mutant)
    file = "tests_extras/test_s3.py"
    altered, elsewhere, removed = (
        (file, "gone", "x"),
        ("fixtures/rules/tls.py", "f", "x"),
        ("fixtures/none.py", "f", "x"),
    )
    reasons = dict.fromkeys((noticed, accepted, altered, elsewhere, removed), "r")
    assert result_of(tried, reasons, [file]).stale == [noticed, altered, removed]
    assert result_of(tried, reasons, []).stale == [noticed, removed], "of a part of a file nothing is known of the rest"
    assert Result(tried, {}, []).survivors == tried[1:]


def test_an_earlier_result_counts_for_files_that_are_the_same(tmp_path: Path) -> None:
    judge = module(tmp_path, "def judge(x):\n    assert x < 1\n")
    dropped, *others = judge.mutants
    text = as_json(
        result_of([Outcome(dropped, 2, "test_one"), *(Outcome(one, 1, "") for one in others)], {}, []), [judge]
    )
    assert noticed_before(text, [judge]) == [Outcome(dropped, 2, "test_one")]
    assert noticed_before(text, [module(tmp_path, judge.text + "\n")]) == []
    for broken in ("{", "[]", "{}", '{"mutants": [{}]}'):
        with pytest.raises(ValueError):
            noticed_before(broken, [judge])


def test_every_accepted_survivor_has_one_entry_and_a_reason() -> None:
    entries = read_yaml(ACCEPTED, list[Entry])
    assert len(accepted_survivors()) == len(entries)
    assert [entry.name for entry in entries if len(entry.reason.split()) < 4] == []


def mutation(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "bench.mutation", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_one_check(tmp_path: Path) -> None:
    run = mutation("--check", "extra728", "-j", "1", "--json", str(tmp_path / "result.json"))
    assert run.stderr == ""
    assert "tests_extras/test_sqs.py" in run.stdout
    assert run.returncode == 0, run.stdout
    assert '"operator": "negate-assert"' in Path(tmp_path, "result.json").read_text()


def test_a_check_or_file_that_is_none() -> None:
    for arguments in (("--check", "extra9999"), ("--file", "fixtures/none.py")):
        run = mutation(*arguments)
        assert run.returncode == 4
        assert run.stdout == ""
        assert run.stderr.count("\n") == 1, run.stderr
