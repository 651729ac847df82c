"""The commands that README.md and docs/ show, read out of the text."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from plugins.suite import ROOT

PROGRAMS = frozenset(
    {".", "auditest", "aws", "docker", "git", "grep", "make", "pipx", "pytest", "python", "sh", "zcat"}
)
"""What a line of a block without a name, or of an indented one, begins with when it is a command."""
FENCED = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    \S.*\n)+", re.MULTILINE)


class Block(NamedTuple):
    """A block of a document: what is named behind the fence ("" when nothing is), and its lines."""

    kind: str
    text: str


def documents() -> dict[str, Path]:
    """Every guide by its name. docs/checks.md is none: it shows how to mend what checks find."""
    found = {path.stem: path for path in sorted((ROOT / "docs").glob("*.md")) if path.stem != "checks"}
    return {"README": ROOT / "README.md", **found}


def blocks(text: str, kind: str | None = None) -> list[Block]:
    """The blocks of a document, or those of a kind; indented ones, which have none, come last."""
    found = [Block(*groups) for groups in FENCED.findall(text)]
    found += [Block("", re.sub("(?m)^    ", "", one)) for one in INDENTED.findall(FENCED.sub("", text))]
    return [one for one in found if kind is None or one.kind == kind]


def commands(text: str) -> list[str]:
    """The commands of a document, in its order. Of a crontab what is run, without when."""
    found = []
    for block in blocks(text):
        if block.kind == "console":
            found += joined(block.text)
        elif block.kind == "crontab":
            found += [line.split(None, 5)[5] for line in block.text.splitlines()]
        elif block.kind == "":
            found += [one for one in joined(block.text) if one.split()[0] in PROGRAMS]
    return found


def joined(text: str) -> list[str]:
    """The commands in some lines: a backslash at the end, and a quote that is open, go on in the next."""
    found, open_lines = [], ""
    for line in text.splitlines():
        if not open_lines and not line.strip():
            continue
        open_lines += line
        if open_lines.endswith("\\"):
            open_lines = open_lines[:-1]
        elif _is_complete(open_lines):
            found.append(open_lines)
            open_lines = ""
        else:
            open_lines += "\n"
    return found + [open_lines] * bool(open_lines)


def _is_complete(text: str) -> bool:
    if text.split()[0] not in PROGRAMS:  # prose and output have apostrophes
        return True
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True
