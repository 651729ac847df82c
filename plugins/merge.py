"""Joins what the shards of a run have left: ``python -m plugins.merge OUT_DIR SHARD_DIR [SHARD_DIR ...]``.

Reports of accounts that one shard has audited alone are copied as they are. Those of an account that was divided are made
anew from the findings of its parts, and its requirements are rolled up. The exit code is that of the worst shard; 4 when the
shards do not make up a whole, 3 when the reports cannot be written.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from plugins.at_scale import account_record, joined_account, journal
from plugins.at_scale.account_record import AccountRecord
from plugins.at_scale.findings_file import unpacked_check
from plugins.at_scale.joined_account import JoiningError
from plugins.at_scale.manifest import FORMAT, Manifest
from plugins.catalog.checks import Check
from plugins.catalog.files import CatalogError
from plugins.catalog.groups import use_folders
from plugins.findings.finding import Finding
from plugins.findings.numbers import numbered
from plugins.findings.tally import Tally
from plugins.outputs.formats import FORMATS, writers_for
from plugins.outputs.run_facts import RunFacts
from plugins.outputs.writer import Writer
from plugins.reporting.coverage import Coverage
from plugins.reporting.run_facts import run_facts_of
from plugins.text import timestamp, visible

NOTHING_FAILED, FAILED, BROKEN, REFUSED, NOTHING_SELECTED = 0, 1, 3, 4, 5
"""Exit codes, as those of a run."""
FILES_SHOWN = 12


class MergeError(ValueError):
    """The shards cannot be joined; the message says why and what to do."""


@dataclass
class MachineShare:
    """A shard's manifest and where its reports are."""

    folder: Path
    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The shard as messages name it."""
        return f"shard {self.manifest.number} of {self.manifest.of} ({self.path})"


@dataclass
class Merged:
    """What a merge has made."""

    tally: Tally
    accounts: list[str]
    checks: list[Check]
    files: list[Path] = field(default_factory=list)
    requirement_failed: bool = False
    """Whether a requirement that no shard could judge is not met, or could not be evaluated."""


# -- reading and judging -----------------------------------------------------------------------------------------------


def load(folders: Iterable[Path]) -> list[MachineShare]:
    """The shards in these folders, in the order of their numbers. Raises MergeError."""
    found: list[MachineShare] = []
    for folder in folders:
        paths = sorted(folder.glob("auditest-shard-*.json"))
        if not paths:
            raise MergeError(
                f"{folder} has no auditest-shard-K-of-N.json: no run with --shard has come to its end there"
            )
        found += [MachineShare(folder, path, _read(path)) for path in paths]
    return sorted(found, key=lambda shard: shard.manifest.number)


def _read(path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise MergeError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise MergeError(f"{path} is not the manifest of a shard ({error})") from None
    if manifest.format != FORMAT:
        raise MergeError(f"{path} is of another version of the suite: merge with that one")
    if not _holds_together(manifest):
        raise MergeError(f"{path} is damaged: run its shard again")
    return manifest


def _holds_together(manifest: Manifest) -> bool:
    """Whether a manifest names only what it describes, so that nothing is missing when its shard is joined."""
    known, selection = {one.get("id") for one in manifest.checks}, manifest.selection
    return (
        1 <= manifest.number <= manifest.of == selection.get("shards")
        and isinstance(selection.get("accounts"), list)
        and isinstance(selection.get("checks"), list)
        and known.issuperset([*selection["checks"], *(one.check for one in manifest.requirements)])
        and set(manifest.formats) <= set(FORMATS)
        and all(_is_described(account, known) for account in manifest.accounts)
    )


def _is_described(account: AccountRecord, known: set[Any]) -> bool:
    ids = [*account.counts.checks, *account.counts.silent, *(packed[0] for packed in account.nothing)]
    listed = not account.part_findings or account.part_findings in [file.name for file in account.files]
    plain = account.part is None or (account.report == Path(account.report).name != "" and bool(account.facts))
    # a part whose findings were not sent along would look like one that found nothing
    sent = account.part is None or bool(account.part_findings) or not account_record.totals(account.counts)
    return known.issuperset(ids) and listed and plain and sent


def refuse_incomplete(shards: Sequence[MachineShare]) -> None:
    """Raise MergeError unless the shards are all of one run, each once, with all of its accounts and regions."""
    first = shards[0]
    by_number: dict[int, MachineShare] = {}
    for shard in shards:
        one, other = shard.manifest.selection, first.manifest.selection
        if journal.digest_of(one) != journal.digest_of(other):
            names = journal.differences({**one, "shard": 0}, {**other, "shard": 0})
            raise MergeError(f"{shard.name} was asked for something else than {first.name}: they differ in {names}")
        if shard.manifest.number in by_number:
            raise MergeError(f"{shard.name} is there twice, also as {by_number[shard.manifest.number].path}")
        by_number[shard.manifest.number] = shard
    missing = [str(number) for number in range(1, first.manifest.of + 1) if number not in by_number]
    if missing:
        raise MergeError(f"of {first.manifest.of} shards these are missing: {', '.join(missing)}")
    _refuse_gaps(shards)
    for shard in shards:
        for account in shard.manifest.accounts:
            lost = account_record.changed(shard.folder, account.files)
            if lost:
                raise MergeError(f"{shard.folder / lost} of {shard.name} is gone or was changed")


def _refuse_gaps(shards: Sequence[MachineShare]) -> None:
    found: dict[str, list[tuple[MachineShare, AccountRecord]]] = defaultdict(list)
    for shard in shards:
        for account in shard.manifest.accounts:
            found[account.account].append((shard, account))
    for id, places in found.items():
        parts = [account.part for _, account in places]
        whole = len(parts) == 1 and parts[0] is None
        numbers = sorted(part.number for part in parts if part is not None)
        divided = len(numbers) == len(parts) and numbers == list(range(1, (parts[0].of if parts[0] else 0) + 1))
        regions = [region for part in parts if part is not None for region in part.regions]
        everywhere = all(sorted(regions) == sorted(account.regions) for _, account in places)
        if not whole and not (divided and everywhere):
            where = " and ".join(shard.name for shard, _ in places)
            raise MergeError(f"account {id}: what {where} have of it overlaps or leaves regions out")
    missing = sorted(set(shards[0].manifest.selection["accounts"]) - set(found))
    if missing:
        raise MergeError(f"no shard has account {', '.join(missing[:5])}: run the shards again")
    names = [(file.name, shard) for shard in shards for account in shard.manifest.accounts for file in account.files]
    by_name: dict[str, MachineShare] = {}
    for name, shard in names:
        if by_name.setdefault(name, shard) is not shard:
            raise MergeError(f"{name} is a report of {by_name[name].name} and of {shard.name}")


# -- joining -----------------------------------------------------------------------------------------------------------


def merge(shards: Sequence[MachineShare], out: Path) -> Merged:
    """Write the reports of all shards to a folder, and count their findings. Raises JoiningError, OSError."""
    first = shards[0].manifest
    checks = {packed["id"]: unpacked_check(packed) for packed in first.checks}
    merged = Merged(Tally(), [], [checks[id] for id in first.selection["checks"]])
    parts: dict[str, list[tuple[MachineShare, AccountRecord]]] = defaultdict(list)
    for shard in shards:
        for account in shard.manifest.accounts:
            parts[account.account].append((shard, account))
    divided = any(places[0][1].part is not None for places in parts.values())
    plans = joined_account.planned(first) if divided else []
    out.mkdir(parents=True, exist_ok=True)
    for id, places in sorted(parts.items()):
        merged.accounts.append(id)
        if places[0][1].part is None:
            ((shard, account),) = places
            account_record.add_to(merged.tally, id, account.counts, checks.__getitem__)
            merged.files += _copied(shard, account, out)
        else:
            places.sort(key=lambda place: place[1].part.number if place[1].part else 0)
            found = joined_account.joined(
                [(shard.folder, part) for shard, part in places], checks, plans, set(first.selection["checks"]),
                min(shard.manifest.started for shard, _ in places),
            )  # fmt: skip
            merged.files += _written(found, first, places[0][1], out, merged)
    return merged


def _copied(shard: MachineShare, account: AccountRecord, out: Path) -> list[Path]:
    copies = []
    for file in account.files:
        copy, report = out / file.name, shard.folder / file.name
        copies.append(copy)
        if copy.exists() and copy.samefile(report):
            continue
        copy.parent.mkdir(exist_ok=True)
        part = copy.with_name(copy.name + ".part")
        try:
            shutil.copyfile(report, part)
            os.replace(part, copy)
        finally:
            part.unlink(missing_ok=True)
    return copies


def _written(
    findings: Iterable[Finding], run: Manifest, account: AccountRecord, out: Path, merged: Merged
) -> list[Path]:
    """Count the findings of an account and write its reports, as the run would have: none without findings to write."""
    writers: list[Writer] = []
    try:
        for finding in findings:
            merged.tally.add(finding)
            merged.requirement_failed |= finding.check.is_requirement and finding.is_failure
            if run.only_fails and not finding.is_failure:
                continue
            writers = writers or writers_for(run.formats, out, account.report, account.account, facts=True)
            for writer in writers:
                writer.write(numbered(finding) if run.numbered else finding)
        facts = _facts(run, account, merged) if writers else None
        for writer in writers:
            writer.close(facts)
    except BaseException:
        for writer in writers:
            writer.discard()
        raise
    return [writer.path for writer in writers]


def _facts(run: Manifest, account: AccountRecord, merged: Merged) -> RunFacts:
    """What the reports of an account say that several shards have audited."""
    assert account.facts is not None, "merge refuses a part without facts"
    coverage = Coverage(merged.tally, narrowed=lambda: account.partial)
    return run_facts_of(
        account.facts, regions=account.regions, started=timestamp(run.started), seconds=None, selected=merged.checks,
        coverage=coverage, tally=merged.tally,
    )  # fmt: skip


def exit_code(shards: Sequence[MachineShare], merged: Merged) -> int:
    """That of the worst shard; with nothing selected only where no shard had anything."""
    codes = {shard.manifest.exit for shard in shards if shard.manifest.accounts}
    worst = max(codes - {NOTHING_SELECTED}, default=NOTHING_SELECTED if codes else NOTHING_FAILED)
    return max(worst, FAILED) if merged.requirement_failed and not shards[0].manifest.fail_on else worst


# -- telling -----------------------------------------------------------------------------------------------------------


def told(shards: Sequence[MachineShare], merged: Merged) -> str:
    """The summary over all shards."""
    from plugins.reporting.summary import Facts, Page, summary

    first = shards[0].manifest
    width = max(40, min(120, shutil.get_terminal_size((100, 24)).columns))
    page = Page(width, colour=sys.stdout.isatty(), wrap=sys.stdout.isatty())
    text = summary(Facts(merged.tally, merged.checks, merged.accounts, with_score=first.with_score), page)
    times = sorted(shard.manifest.started for shard in shards)
    lines = [f"merged {len(shards)} shards, started {_when(times[0])} to {_when(times[-1])} UTC"]
    shown = [visible(str(path)) for path in merged.files[:FILES_SHOWN]]
    lines += [("" if number else "Reports:").ljust(9) + name for number, name in enumerate(shown)]
    if len(merged.files) > FILES_SHOWN:
        lines.append(f"         and {len(merged.files) - FILES_SHOWN} more in the same folder")
    return text + "\n".join(lines)


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


class Arguments(argparse.ArgumentParser):
    """A command line whose mistakes end as those of a run do."""

    def error(self, message: str) -> NoReturn:
        """One line, and exit code 4."""
        self.exit(REFUSED, f"ERROR: {message} (--help says more)\n")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m plugins.merge") -> int:
    """Command line; gives the exit code. ``prog``: what the command is called."""
    parser = Arguments(prog=prog, description="join the reports of the shards of a run")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="where the joined reports go")
    parser.add_argument("shards", type=Path, nargs="+", metavar="SHARD_DIR", help="output directories of the shards")
    parser.add_argument(
        "--checks-dir", type=Path, action="append", default=[], metavar="DIR",
        help="as in the run: your own groups and frameworks",
    )  # fmt: skip
    given: Any = parser.parse_args(arguments)
    try:
        use_folders(folder.resolve() for folder in given.checks_dir)
        shards = load(dict.fromkeys(given.shards))
        refuse_incomplete(shards)
        merged = merge(shards, given.out)
    except (MergeError, JoiningError, CatalogError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(
            f"ERROR: {error.filename or given.out}: {error.strerror}: what is in {given.out} is not all",
            file=sys.stderr,
        )
        return BROKEN
    print(told(shards, merged))
    return exit_code(shards, merged)


if __name__ == "__main__":
    sys.exit(main())
