"""The command ``auditest``: ``pytest`` with the suite, from any folder.

The suite is what lies beside this module, installed or in a checkout. pytest gets its settings and its root folder from
there; relative paths and reports are those of the folder that the command is called in. What a run needs besides is in
``plugins.anywhere``. Standard library alone until pytest starts: this module is also imported as ``auditest.plugins.command``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EARLY = "-pplugins.anywhere"


PLACE = (f"--config-file={ROOT / 'pyproject.toml'}", f"--rootdir={ROOT}")
"""Where the suite is on this host; workers on another are in its folder there (see ``plugins.remote``)."""


def audit(arguments: Sequence[str]) -> int:
    """Run pytest with the suite; gives its exit code."""
    import pytest

    try:
        code = int(pytest.main([EARLY, *PLACE, *arguments]))
        sys.stdout.flush()
    except BrokenPipeError:  # as the command pytest does: Python would flush again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def demo(arguments: Sequence[str]) -> int:
    """Audit the embedded sample organization."""
    return audit(["--demo", *arguments])


def merge(arguments: Sequence[str]) -> int:
    """Join the reports of the shards of a run."""
    from plugins.merge import main

    return main(arguments, "auditest merge")


def version(arguments: Sequence[str]) -> int:
    """Print the version, and where the suite is: what ``//chdir=`` names for workers on other hosts."""
    from plugins.suite import version

    print(f"auditest {version()} ({ROOT})")
    return 0


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {"demo": demo, "merge": merge, "version": version}
"""The first word of a command line -> what it does, if it is not an audit."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives the exit code."""
    first, *others = list(sys.argv[1:] if arguments is None else arguments) or [""]
    # The suite's packages go before any of the same name: beside a script, installed, or in the caller's folder.
    beside = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [str(ROOT), *(place for place in sys.path if place not in (str(ROOT), beside))]
    if first in COMMANDS:
        return COMMANDS[first](others)
    return audit([first, *others] if first or others else [])


if __name__ == "__main__":
    sys.exit(main())
