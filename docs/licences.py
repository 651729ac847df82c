"""Writes the list of locked dependencies and their licences into docs/supply-chain.md, from the installed metadata.

python -m docs.licences            write it
python -m docs.licences --check    say whether it is out of date, exit 1
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
PAGE = ROOT / "docs" / "supply-chain.md"
BEGIN, END = "<!-- licences: begin -->", "<!-- licences: end -->"
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: *; *(.+?))? *\\?$", re.MULTILINE)
SHORT = 60
"""A License field that is longer is the licence's text."""


class Locked(NamedTuple):
    """A dependency of the lock file. ``where``: the platforms that it is for, empty for all."""

    name: str
    version: str
    where: str


def locked(text: str) -> list[Locked]:
    """The dependencies of a lock file, by name."""
    return [Locked(name, version, where) for name, version, where in LOCKED.findall(text)]


def licence(name: str) -> str:
    """What the installed distribution says of its licence: the SPDX expression, else the classifiers, else the text field.

    Raises PackageNotFoundError.
    """
    facts = metadata(name)
    if expression := _field(name, "License-Expression"):
        return expression
    classifiers = [
        one.rpartition(" :: ")[2] for one in facts.get_all("Classifier") or () if one.startswith("License ::")
    ]
    classifiers = [one for one in classifiers if one != "OSI Approved"]
    if classifiers:
        return ", ".join(classifiers)
    said = _field(name, "License")
    return said if said and len(said) <= SHORT and "\n" not in said else "see the package"


def _field(name: str, field: str) -> str:
    facts = metadata(name)
    return facts[field].strip() if field in facts else ""


def table(known: dict[str, str]) -> str:
    """The list. ``known``: name and version -> licence in the list so far, for what is not installed here."""
    lines = ["| package | version | licence | only for |", "|---|---|---|---|"]
    for one in locked(LOCK.read_text()):
        try:
            here = metadata(one.name)["Version"] == one.version
            said = licence(one.name) if here else known.get(f"{one.name} {one.version}", "")
        except PackageNotFoundError:
            said = known.get(f"{one.name} {one.version}", "")
        lines.append(f"| {one.name} | {one.version} | {said or 'not installed here'} | {one.where} |")
    return "\n".join(lines)


def listed(page: str) -> dict[str, str]:
    """Name and version -> licence, as a page lists them."""
    part = page.partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in part.splitlines() if line.startswith("| ")]
    return {f"{name} {version}": said for name, version, said in rows if name != "package"}


def written(page: str) -> str:
    """The page with an up-to-date list."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table(listed(page))}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="say whether the list is out of date")
    check = parser.parse_args().check
    before = PAGE.read_text()
    after = written(before)
    if not check:
        PAGE.write_text(after)
    elif before != after:
        print("docs/supply-chain.md is out of date: run python -m docs.licences")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
