"""Tests the self-tests: changes the judgements of the suite one at a time and counts the changes that a self-test notices.

    python -m bench.mutation                                     all checks, and the fixtures/ modules that judge
    python -m bench.mutation --check extra73,check11             the functions of these checks
    python -m bench.mutation --file tests_extras/test_s3.py,fixtures/rules/tls.py
    python -m bench.mutation -j 2 --json result.json             two at a time; every mutant with what noticed it
    python -m bench.mutation --again result.json                 after self-tests were added: only what survived then

A change negates a condition (of an assert, if, while, conditional expression or filter), drops one (an operand of
and/or, a filter, an if, an assert, a raise, a skip; not the default of ``x or ()``), or swaps one (a comparison, any and
all, True and False that a function returns, skip and fail). A change that no self-test notices is a survivor.
bench/mutation-survivors.yaml lists the survivors that are accepted, each with a reason; an entry that no longer is one
is called stale. Ends with 1 when a survivor is not accepted or an entry is stale, and with 4 when it could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from bench.mutation_operators import Module
from bench.mutation_report import CHECKS, ROOT, accepted_survivors, as_json, noticed_before, report, result_of
from bench.mutation_run import Runner

JUDGING = ("services", "rules", "secrets")
"""The wings of fixtures/ that judge; what tests those that fetch, keep or enter is whole runs."""
NO_JUDGEMENT = ("fixtures/services/lambda_/package.py", "fixtures/rules/probes.py")
SELF_TESTS = ("selftests/checks",)
UNITS = (
    "selftests/fixtures/recording/test_redaction.py",
    "selftests/plugins/whitelist/test_file.py",
    "selftests/fuzz/test_policies.py",
)
"""Those of secrets.marks, services.tagging and rules.policy_document; tests that mirror a module need not stand here."""


def judging_files() -> list[str]:
    """The files whose mutants are made when none are named."""
    checks = [f"{folder}/{file.name}" for folder in CHECKS for file in sorted((ROOT / folder).glob("test_*.py"))]
    modules = [
        str(file.relative_to(ROOT))
        for wing in JUDGING
        for file in sorted((ROOT / "fixtures" / wing).rglob("*.py"))
        if file.name != "__init__.py"
    ]
    return checks + [file for file in modules if file not in NO_JUDGEMENT]


def check_functions() -> dict[str, tuple[str, str]]:
    """Check id -> its file and function."""
    from selftests.conftest import every_check

    return {
        id: (str(Path(check.function.__code__.co_filename).relative_to(ROOT)), check.function.__name__)
        for id, check in every_check().items()
    }


def self_tests(files: Sequence[str], ids_by_file: Mapping[str, Sequence[str]]) -> list[str]:
    """The self-tests that may come by a place in these files: of check files those that name a check, else all."""
    modules = [Path(file) for file in judging_files() if file.startswith("fixtures/")]
    units = [str(Path("selftests", file.parent, f"test_{file.name}")) for file in modules]
    everything = [*SELF_TESTS, *UNITS, *(unit for unit in units if (ROOT / unit).exists())]
    ids = [id for file in files for id in ids_by_file.get(file, ())]
    if any(file not in ids_by_file for file in files) or len(ids_by_file) == len(files):
        return everything
    found = [path for folder in SELF_TESTS for path in sorted((ROOT / folder).glob("test_*.py"))]
    return [str(path.relative_to(ROOT)) for path in found if any(f'"{id}"' in path.read_text() for id in ids)]


def stop(message: str) -> NoReturn:
    """End with 4 and one line."""
    print(message, file=sys.stderr)
    raise SystemExit(4)


def listed(text: str) -> list[str]:
    """The parts of a comma-separated option."""
    return [part.strip() for part in text.split(",") if part.strip()]


def main() -> int:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.mutation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", type=listed, default=[], metavar="ID,...")
    parser.add_argument("--file", type=listed, default=[], metavar="FILE,...")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="mutants at a time")
    parser.add_argument("--again", type=Path, metavar="FILE", help="a result of --json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every mutant with what became of it")
    given = parser.parse_args()
    os.chdir(ROOT)
    functions = check_functions()
    ids_by_file: dict[str, list[str]] = {}
    for id, (file, _) in functions.items():
        ids_by_file.setdefault(file, []).append(id)
    unknown = [id for id in given.check if id not in functions]
    if unknown:
        stop(f"--check: there is no check {unknown[0]}; pytest --list-checks shows them")
    wanted = {functions[id] for id in given.check}
    whole = list(given.file) or ([] if wanted else judging_files())
    files = list(dict.fromkeys([*whole, *(file for file, _ in wanted)]))
    try:
        modules = [Module(ROOT, file) for file in files]
        before = noticed_before(given.again.read_text(), modules) if given.again else []
    except (OSError, SyntaxError, ValueError) as error:
        stop(f"a file cannot be used: {error}")
    chosen = [
        mutant
        for module in modules
        for mutant in module.mutants
        if mutant.file in whole or (mutant.file, mutant.function) in wanted
    ]
    wanted_now = set(chosen)
    before = [one for one in before if one.mutant in wanted_now]
    noticed = {one.mutant for one in before}
    tried = [mutant for mutant in chosen if mutant not in noticed]
    runner = Runner(modules, tried, max(1, given.j))
    if tried:
        quiet = ["-p", "no:cacheprovider", "-p", "no:terminal", "-s"]
        pytest.main([*quiet, *self_tests(files, ids_by_file)], plugins=[runner])
    complete = len(runner.outcomes) == len(tried)
    if runner.error or not (complete or runner.outcomes):
        stop(runner.error or "pytest ended before a mutant was tried: run the self-tests to see why")
    result = result_of([*before, *runner.outcomes], accepted_survivors(), whole if complete else [])
    print("\n".join(report(result)))
    if given.json:
        given.json.write_text(as_json(result, modules))
    if not complete:
        stop(f"stopped after {len(runner.outcomes)} of {len(tried)}; --again goes on from what --json wrote")
    return 1 if result.unexplained or result.stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
