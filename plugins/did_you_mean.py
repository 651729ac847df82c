"""Names near to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, known: Iterable[str]) -> str:
    """ ", did you mean ...?" with the names nearest to a wrong one, or nothing."""
    close = difflib.get_close_matches(str(wrong)[:80], list(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""
