"""What a mutation test found: its report, its result as JSON, and the survivors that are accepted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from bench.mutation_operators import Module, Mutant
from bench.mutation_run import Outcome
from plugins.catalog.files import read_yaml

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "bench" / "mutation-survivors.yaml"
CHECKS = ("tests_cis", "tests_extras")
Name: TypeAlias = tuple[str, str, str]
"""File, function and change of a mutant."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An accepted survivor, by file, function and change, and why no test can or need notice it."""

    file: str
    function: str
    change: str
    reason: str

    @property
    def name(self) -> Name:
        """What it says of which mutant."""
        return self.file, self.function, self.change


def name_of(mutant: Mutant) -> Name:
    """What an entry calls the mutant; the same changes in one function share it."""
    return mutant.file, mutant.function, mutant.change


def accepted_survivors() -> dict[Name, str]:
    """The reasons of bench/mutation-survivors.yaml. Raises plugins.catalog.files.CatalogError when it is malformed."""
    return {entry.name: entry.reason for entry in read_yaml(ACCEPTED, list[Entry])}


@dataclass(frozen=True)
class Result:
    """Outcomes beside the accepted survivors, and the entries that are none (any more)."""

    outcomes: Sequence[Outcome]
    reasons: Mapping[Name, str]
    stale: Sequence[Name]

    @property
    def survivors(self) -> list[Outcome]:
        """What no self-test noticed."""
        return [one for one in self.outcomes if not one.by]

    @property
    def unexplained(self) -> list[Outcome]:
        """The survivors that no entry accepts."""
        return [one for one in self.survivors if name_of(one.mutant) not in self.reasons]


def result_of(outcomes: Iterable[Outcome], reasons: Mapping[Name, str], whole_files: Collection[str]) -> Result:
    """Compare outcomes with accepted survivors; an entry is stale when its file was tried and nothing survives by it."""
    ordered = sorted(outcomes, key=lambda one: (one.mutant.file, one.mutant.line, one.mutant.column))
    survived = {name_of(one.mutant) for one in ordered if not one.by}
    tried = {name_of(one.mutant) for one in ordered}
    known = {name for name in reasons if name in tried or name[0] in whole_files or not Path(ROOT, name[0]).exists()}
    return Result(ordered, reasons, [name for name in reasons if name in known - survived])


def percent(part: int, whole: int) -> str:
    """``part`` of ``whole`` with a decimal, rounded down so that 100.0 % means all."""
    return f"{part} of {whole} noticed ({(part * 1000 // whole) / 10 if whole else 100.0:.1f} %)"


def report(result: Result) -> list[str]:
    """The lines of the report."""
    made = Counter(one.mutant.file for one in result.outcomes)
    survived = Counter(one.mutant.file for one in result.survivors)
    width = max(map(len, made), default=4)
    lines = [f"{'file':{width}}  mutants  noticed  survived"]
    lines += [f"{file:{width}}  {n:7}  {n - survived[file]:7}  {survived[file]:8}" for file, n in sorted(made.items())]
    for one in result.survivors:
        mutant = one.mutant
        lines += ["", f"{mutant.name}: {mutant.source}", f"    {mutant.change}"]
        if name_of(mutant) in result.reasons:
            lines.append(f"    accepted: {result.reasons[name_of(mutant)]}")
        elif not one.tests:
            lines.append("    no self-test comes by")
    lines += ["", *(f"stale: {' | '.join(name)}" for name in result.stale)]
    for label, folders in (("checks", CHECKS), ("fixtures", ("fixtures",)), ("all", (*CHECKS, "fixtures"))):
        lines.append(f"{label}: {_share(result, folders)}")
    return lines


def _share(result: Result, folders: Sequence[str]) -> str:
    within = [one for one in result.outcomes if one.mutant.file.partition("/")[0] in folders]
    noticed = sum(bool(one.by) for one in within)
    explained = sum(not one.by and name_of(one.mutant) in result.reasons for one in within)
    apart = f"; without the {explained} accepted survivors {percent(noticed, len(within) - explained)}"
    return percent(noticed, len(within)) + (apart if explained else "")


def as_json(result: Result, modules: Sequence[Module]) -> str:
    """The result for other programs and for ``noticed_before``: every mutant, and a digest of each file's text."""
    mutants = [
        {
            "file": one.mutant.file, "line": one.mutant.line, "column": one.mutant.column,
            "function": one.mutant.function, "operator": one.mutant.operator, "change": one.mutant.change,
            "tests": one.tests, "noticed_by": one.by, "accepted": result.reasons.get(name_of(one.mutant), ""),
        }
        for one in result.outcomes
    ]  # fmt: skip
    return json.dumps({"digests": {module.file: digest(module) for module in modules}, "mutants": mutants}, indent=1)


def noticed_before(text: str, modules: Sequence[Module]) -> list[Outcome]:
    """What an earlier result says was noticed, of the files that have the same text as then.

    Raises ValueError when it is no such result.
    """
    try:
        data = json.loads(text)
        records = [one for one in data["mutants"] if one["noticed_by"]]
        earlier: dict[tuple[Any, ...], dict[str, Any]] = {
            tuple(one[name] for name in ("file", "line", "column", "operator", "change")): one for one in records
        }
        same = [module for module in modules if data["digests"].get(module.file) == digest(module)]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is no result of --json") from None
    found = []
    for module in same:
        for mutant in module.mutants:
            one = earlier.get((mutant.file, mutant.line, mutant.column, mutant.operator, mutant.change))
            if one is not None:
                found.append(Outcome(mutant, one["tests"], one["noticed_by"]))
    return found


def digest(module: Module) -> str:
    """SHA-256 of the file's text."""
    return hashlib.sha256(module.text.encode()).hexdigest()
