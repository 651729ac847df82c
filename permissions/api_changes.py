"""What AWS changed in the operations that the checks call: botocore's models against ``permissions/api/``.

python -m permissions.api_changes            print what is new and what vanished, member by member and value by value
python -m permissions.api_changes --check    the same; exit 1 while something is not reviewed or the files are out of date
python -m permissions.api_changes --update   take what is reviewed into permissions/api/; exit 1 while something is not

A member or enum value that AWS adds to an operation that was there before is reviewed by a line in
``permissions/api_reviews.yaml``. An operation that a check newly calls needs none: who writes the check reads its answer.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from permissions import api_reviews, api_snapshot
from permissions.api_model import Api, Model, reaching, read, service_model
from permissions.api_reviews import Reviews, closed, review_of
from permissions.api_snapshot import SnapshotError, plain
from permissions.policy import ENGINE, HERE, calls

CODE = ("fixtures", "plugins", "tests_cis", "tests_extras")
COMMAND = "python -m permissions.api_changes --update"
SHOWN_OPERATIONS = 3


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs in one service."""

    service: str
    api: Api
    """What the snapshot is to have: all that botocore has but ``unreviewed``."""
    unreviewed: tuple[str, ...] = ()
    reviewed: Mapping[str, str] = field(default_factory=dict)
    """What is new and needs no further look -> why."""
    vanished: tuple[str, ...] = ()
    new_operations: tuple[str, ...] = ()
    vanished_operations: tuple[str, ...] = ()
    stale_reviews: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    """Members that are said to be judged, though no module has their name."""
    is_outdated: bool = False
    operations: Mapping[str, list[str]] = field(default_factory=dict)
    """Shape of an unreviewed name -> the operations that take or answer it."""

    def where(self, name: str) -> str:
        """The operations in which a new member or value is to be expected."""
        found = self.operations.get(name.partition(".")[0], [])
        more = f" and {len(found) - SHOWN_OPERATIONS} more" if len(found) > SHOWN_OPERATIONS else ""
        return ", ".join(found[:SHOWN_OPERATIONS]) + more


def compare(service: str, model: Model, called: Iterable[str], known: Api, reviews: Reviews) -> Changes:
    """What ``model`` has and the snapshot has not, and the other way round.

    New members and values are looked for in the operations that the snapshot has: those count as reviewed, and so does
    what an operation that is called for the first time brings along. Behind a member of no bearing nothing is.
    """
    called = set(called)
    found = read(model, called)
    before = read(model, known.operations)
    to_review = read(model, known.operations & called, closed(reviews)).names - known.names
    unreviewed = tuple(sorted(name for name in to_review if review_of(name, reviews) is None))
    api = found.without(unreviewed)
    new = found.names - known.names - set(unreviewed)
    return Changes(
        service,
        api,
        unreviewed,
        {name: _why(name, before, reviews) for name in sorted(new)},
        tuple(sorted(known.names - before.names - found.names)),
        tuple(sorted(found.operations - known.operations)),
        tuple(sorted(called - model["operations"].keys())),
        tuple(sorted(name for name in reviews if not _exists(name, found))),
        tuple(sorted(name for name, review in reviews.items() if review.judged and _is_unnamed(name, found))),
        api != known,
        reaching(model, called, {name.partition(".")[0] for name in unreviewed}),
    )


def _why(name: str, before: Api, reviews: Reviews) -> str:
    review = review_of(name, reviews)
    if review is not None:
        return str(review)
    return "behind a member of no bearing" if name in before.names else "of an operation newly called"


def _exists(name: str, api: Api) -> bool:
    shape, _, own = name.partition(".")
    return shape in api.structures or shape in api.enums if own == "*" else name in api.names


def _is_unnamed(name: str, api: Api) -> bool:
    shape, _, member = name.partition(".")
    return member in api.structures.get(shape, ()) and not naming(member)


def survey(
    called: Mapping[str, Iterable[str]],
    known: Mapping[str, Api],
    reviews: Mapping[str, Reviews],
    model: Callable[[str], Model] = service_model,
) -> list[Changes]:
    """The changes of every service that is called, reviewed or in the snapshot."""
    return [
        compare(service, model(service), called.get(service, ()), known.get(service, Api()), reviews.get(service, {}))
        for service in sorted({*called, *known, *reviews})
    ]


def called_operations() -> dict[str, set[str]]:
    """Service -> the operations of ``calls.yaml`` and those of every run."""
    found: dict[str, set[str]] = {}
    for call in (*ENGINE, *(call for made in calls().values() for call in made)):
        service, _, operation = call.partition(":")
        found.setdefault(service, set()).add(operation)
    return found


def report(changes: Iterable[Changes]) -> Iterator[str]:
    """Lines on what is new and what vanished."""
    for one in changes:
        for name in one.unreviewed:
            yield f"{one.service}: new {name} ({one.where(name)}), not reviewed"
        for name, why in one.reviewed.items():
            if name.partition(".")[0] in one.api.enums or why != "of an operation newly called":
                yield f"{one.service}: new {name}, {why}"
        for name in one.new_operations:
            yield f"{one.service}: new operation {name}"
        for name in one.vanished:
            yield f"{one.service}: vanished {name}{_named(name)}"
        for name in one.vanished_operations:
            yield f"{one.service}: vanished operation {name}"


def _named(name: str) -> str:
    files = naming(name.partition(".")[2])
    return f" (this word is in {', '.join(files)})" if files else " (no check names it)"


def instructions(changes: Iterable[Changes], reviews_file: Path = api_reviews.FILE) -> str:
    """What to write where before all is reviewed and up to date; "" when it is."""
    changes = list(changes)
    unreviewed = [line for one in changes for line in _lines_to_write(one)]
    parts: list[str] = []
    if unreviewed:
        parts.append(
            f"AWS added what nobody has reviewed. Write the lines below into {_shown(reviews_file)}. Once a check takes it"
            ' into account: {judged: "CHECK: what it means for the verdict"}; if none has to: {of no bearing: "why"},'
            " which covers what is behind a member as well. Then run " + "\n".join([COMMAND, *unreviewed])
        )
    for one in changes:
        parts += [
            f"{_shown(reviews_file)}: delete {name} under {one.service}: no operation that is called has it any more"
            for name in one.stale_reviews
        ]
        parts += [
            f"{_shown(reviews_file)}: {name} under {one.service} is said to be judged, but no check's module names it"
            for name in one.unnamed
        ]
        parts += [
            f"{one.service} {name} vanished from AWS's model{_named(name)}: see that no check relies on it, then run"
            f" {COMMAND}"
            for name in one.vanished
        ]
        parts += [
            f"{one.service}:{name} vanished from AWS's model: no check can call it" for name in one.vanished_operations
        ]
    outdated = [one.service for one in changes if one.is_outdated]
    if outdated and not parts:
        parts.append(f"permissions/api/ is out of date for {', '.join(outdated)}: run {COMMAND}")
    return "\n".join(parts)


def _lines_to_write(one: Changes) -> list[str]:
    lines = [f'  {plain(name)}: {{judged: ""}}  # in {one.where(name)}' for name in one.unreviewed]
    return [f"{one.service}:", *lines] if lines else []


def _shown(file: Path) -> str:
    root = HERE.parent
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


@functools.cache
def _code() -> dict[str, frozenset[str]]:
    files = (file for folder in CODE for file in (HERE.parent / folder).rglob("*.py"))
    return {_shown(file): _words(file.read_text()) for file in sorted(files)}


def _words(text: str) -> frozenset[str]:
    """Names of members, and enum values such as ``aws:kms`` and ``python3.14``."""
    return frozenset(re.findall(r"\w+", text)).union(re.findall(r"[\w.:-]+", text))


def naming(word: str) -> list[str]:
    """The modules of the checks that have a word in them."""
    return [file for file, words in _code().items() if word in words]


def main(arguments: list[str]) -> int:
    """Print, check or update; 1 when something is left to do, 4 for a file that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="exit 1 while something is not reviewed or out of date")
    what.add_argument("--update", action="store_true", help="take what is reviewed into the snapshot")
    parser.add_argument("--snapshot", type=Path, default=api_snapshot.FOLDER, metavar="FOLDER")
    parser.add_argument("--reviews", type=Path, default=api_reviews.FILE, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        known, reviews = api_snapshot.load(options.snapshot), api_reviews.load(options.reviews)
    except SnapshotError as error:
        print(error, file=sys.stderr)
        return 4
    changes = survey(called_operations(), known, reviews)
    print("\n".join(report(changes)) or "AWS's models have nothing new in what the checks call")
    if options.update:
        files = api_snapshot.write({one.service: one.api for one in changes}, options.snapshot)
        print(f"wrote {len(files)} files: {', '.join(files)}" if files else "nothing to write")
        changes = survey(called_operations(), api_snapshot.load(options.snapshot), reviews)
    left = instructions(changes, options.reviews)
    if left:
        print(f"\n{left}", file=sys.stderr)
    return int(bool(left) and (options.check or options.update))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
