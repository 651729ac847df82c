"""What can be told of a file of checks without importing it: the ids of its checks, and whether all its tests are checks.

Importing a file of checks imports the services that they look at. A run with ``--check`` therefore reads the files' text
first and imports only those that may hold what it wants. Wherever the text leaves a doubt, the file is imported.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

CHECK = re.compile(r"""^@(?:\w+\.)*check\(\s*(?:id\s*=\s*)?(["'])([^"'\\\n]+)\1\s*[,)]""", re.MULTILINE)
"""A decorator whose first argument is a literal."""
ANY_CHECK = re.compile(r"\bcheck\s*\(")
TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test", re.MULTILINE)
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([^#\n]+))", re.MULTILINE)
DOUBTFUL = re.compile(
    r"\bcheck\s+as\b"  # the decorator under another name
    r"|^[ \t]*class\s"  # of tests, or of a kind that checks elsewhere ask for
    r"|^test\w*\s*[=:]"
    r"|\bimport\s+\*"
    r"|\bimport_module\b|__import__|\bexec\s*\(|\beval\s*\(",
    re.MULTILINE,
)
VALUE = re.compile(r"check\s*(?:[,)\]]|$)", re.MULTILINE)
AS_VALUE = re.compile(r"[=(,\[]\s*(?:\w+\.)*$")
"""The decorator as a value of its own, and what stands before one."""
HARMLESS = frozenset({*sys.stdlib_module_names, "fixtures", "plugins", "pytest"}) - {"runpy"}
"""What a file may import; anything else may hold its tests, or kinds of resources."""


@functools.cache
def ids_in(file: Path) -> frozenset[str] | None:
    """The ids of a file's checks, when it has checks and no other tests; None when it must be imported to be known."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # importing it will say what is wrong
        return None
    return ids_in_text(text)


def ids_in_text(text: str) -> frozenset[str] | None:
    """Likewise, of the text of a file."""
    ids = [found[2] for found in CHECK.finditer(text)]
    if not ids or len(ids) != len(ANY_CHECK.findall(text)) or len(ids) != len(TEST.findall(text)):
        return None
    if DOUBTFUL.search(text) or any(AS_VALUE.search(text[: found.start()][-80:]) for found in VALUE.finditer(text)):
        return None
    if not all(root in HARMLESS for root in _imported(text)):
        return None
    return frozenset(ids)


def _imported(text: str) -> set[str]:
    """The top-level names of the modules that a text imports; "" for relative ones."""
    names: set[str] = set()
    for found in IMPORT.finditer(text):
        names |= {name.split()[0] for name in (found[1] or found[2]).split(",") if name.strip()}
    return {name.partition(".")[0] for name in names}
