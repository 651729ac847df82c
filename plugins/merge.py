"""Joins what the shards of a run have left: ``python -m plugins.merge OUT_DIR SHARD_DIR [SHARD_DIR ...]``.

Reports of accounts that one shard has audited alone are copied as they are. Those of an account that was divided are made
anew from the findings of its parts. The exit code is that of the worst shard; 4 when the shards do not make up a whole.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from plugins import finished, journal
from plugins.catalog import CatalogError, Check, use_folders
from plugins.findings import Finding, unpacked
from plugins.finished import Finished
from plugins.manifest import FORMAT, Manifest
from plugins.outputs.base import visible, writers_for
from plugins.parcel import findings_in, unpacked_check
from plugins.tally import Tally

REFUSED = 4
FILES_SHOWN = 12


class MergeError(ValueError):
    """The shards cannot be joined; the message says why and what to do."""


@dataclass
class Shard:
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
    notes: list[str] = field(default_factory=list)


# -- reading and judging -----------------------------------------------------------------------------------------------


def load(folders: Iterable[Path]) -> list[Shard]:
    """The shards in these folders, in the order of their numbers. Raises MergeError."""
    found: list[Shard] = []
    for folder in folders:
        paths = sorted(folder.glob("auditest-shard-*.json"))
        if not paths:
            raise MergeError(
                f"{folder} has no auditest-shard-K-of-N.json: no run with --shard has come to its end there"
            )
        found += [Shard(folder, path, _read(path)) for path in paths]
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
    return manifest


def refuse_incomplete(shards: Sequence[Shard]) -> None:
    """Raise MergeError unless the shards are all of one run, each once, with all of its accounts and regions."""
    first = shards[0]
    by_number: dict[int, Shard] = {}
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
            lost = finished.changed(shard.folder, account.files)
            if lost:
                raise MergeError(f"{shard.folder / lost} of {shard.name} is gone or was changed")


def _refuse_gaps(shards: Sequence[Shard]) -> None:
    found: dict[str, list[tuple[Shard, Finished]]] = defaultdict(list)
    for shard in shards:
        for account in shard.manifest.accounts:
            found[account.account].append((shard, account))
    for id, places in found.items():
        parts = [account.part for _, account in places]
        whole = len(parts) == 1 and parts[0] is None
        numbers = sorted(part.number for part in parts if part is not None)
        divided = len(numbers) == len(parts) and numbers == list(range(1, (parts[0].of if parts[0] else 0) + 1))
        regions = [region for part in parts if part is not None for region in part.regions]
        if not whole and not (divided and sorted(regions) == sorted(places[0][1].regions)):
            where = " and ".join(shard.name for shard, _ in places)
            raise MergeError(f"account {id}: what {where} have of it overlaps or leaves regions out")
    missing = sorted(set(shards[0].manifest.selection["accounts"]) - set(found))
    if missing:
        raise MergeError(f"no shard has account {', '.join(missing[:5])}: run the shards again")


# -- joining -----------------------------------------------------------------------------------------------------------


def merge(shards: Sequence[Shard], out: Path) -> Merged:
    """Write the reports of all shards to a folder, and count their findings. Raises OSError."""
    checks = {packed["id"]: unpacked_check(packed) for packed in shards[0].manifest.checks}
    merged = Merged(Tally(), [], [checks[id] for id in shards[0].manifest.selection["checks"]])
    parts: dict[str, list[tuple[Shard, Finished]]] = defaultdict(list)
    for shard in shards:
        for account in shard.manifest.accounts:
            parts[account.account].append((shard, account))
    out.mkdir(parents=True, exist_ok=True)
    for id, places in sorted(parts.items()):
        merged.accounts.append(id)
        for _, account in places:
            finished.add_to(merged.tally, id, account.counts, checks.__getitem__)
        if places[0][1].part is None:
            merged.files += _copied(*places[0], out)
        else:
            merged.files += _joined(places, out, checks, merged)
    return merged


def _copied(shard: Shard, account: Finished, out: Path) -> list[Path]:
    copies = []
    for file in account.files:
        copies.append(out / file.name)
        copies[-1].parent.mkdir(exist_ok=True)
        if not (copies[-1].exists() and copies[-1].samefile(shard.folder / file.name)):
            shutil.copyfile(shard.folder / file.name, copies[-1])
    return copies


def _joined(places: list[tuple[Shard, Finished]], out: Path, checks: dict[str, Check], merged: Merged) -> list[Path]:
    """The reports of an account of which several shards have audited a part."""
    places.sort(key=lambda place: place[1].part.number if place[1].part else 0)
    first = places[0][0].manifest
    account = places[0][1]
    writers = writers_for(first.formats, out, account.report, account.account)
    for shard, part in places:
        for finding in findings_in(shard.folder / part.parcel) if part.parcel else ():
            for writer in writers:
                writer.write(finding)
    for finding in _nothing([part for _, part in places], checks):
        merged.tally.add(finding)
        for writer in writers if not first.only_fails else ():
            writer.write(finding)
    for writer in writers:
        writer.close()
    return [writer.path for writer in writers]


def _nothing(parts: Sequence[Finished], checks: dict[str, Check]) -> list[Finding]:
    """The INFO findings of what no part has anything of."""
    by_id = [{packed[0]: packed for packed in part.nothing} for part in parts]
    return [unpacked(checks[id], packed) for id, packed in by_id[0].items() if all(id in other for other in by_id)]


# -- telling -----------------------------------------------------------------------------------------------------------


def told(shards: Sequence[Shard], merged: Merged) -> str:
    """The summary over all shards."""
    from plugins.summary import Facts, Page, summary

    first = shards[0].manifest
    width = max(40, min(120, shutil.get_terminal_size((100, 24)).columns))
    page = Page(width, colour=sys.stdout.isatty(), wrap=sys.stdout.isatty())
    text = summary(Facts(merged.tally, merged.checks, merged.accounts, {}, first.with_score), page)
    times = sorted(shard.manifest.started for shard in shards)
    lines = [f"merged {len(shards)} shards, started {_when(times[0])} to {_when(times[-1])} UTC"]
    divided = sorted({one.account for shard in shards for one in shard.manifest.accounts if one.part is not None})
    if divided and first.selection["requirements"]:
        lines.append(f"not rolled up, since they were divided: the requirements of {', '.join(divided)}")
    shown = [visible(str(path)) for path in merged.files[:FILES_SHOWN]]
    lines += [("" if number else "Reports:").ljust(9) + name for number, name in enumerate(shown)]
    if len(merged.files) > FILES_SHOWN:
        lines.append(f"         and {len(merged.files) - FILES_SHOWN} more in the same folder")
    return text + "\n".join(lines)


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m plugins.merge", description="join the reports of the shards of a run"
    )
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="where the joined reports go")
    parser.add_argument("shards", type=Path, nargs="+", metavar="SHARD_DIR", help="output directories of the shards")
    parser.add_argument(
        "--checks-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="as in the run: your own groups and frameworks",
    )
    given: Any = parser.parse_args(arguments)
    try:
        use_folders(folder.resolve() for folder in given.checks_dir)
        shards = load(dict.fromkeys(given.shards))
        refuse_incomplete(shards)
        merged = merge(shards, given.out)
    except (MergeError, CatalogError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"ERROR: {error.filename or given.out}: {error.strerror}", file=sys.stderr)
        return REFUSED
    print(told(shards, merged))
    return max(shard.manifest.exit for shard in shards)


if __name__ == "__main__":
    sys.exit(main())
