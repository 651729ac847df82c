"""The classic report on the terminal, for -M text and -M mono: a line for each finding, under its check."""

from __future__ import annotations

from collections.abc import Callable

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.outputs.text_report import render_heading, render_line
from plugins.selection.listing import sort_key
from plugins.text import visible


class Classic:
    """Prints findings. Without workers they come check by check and are printed at once; those of workers come mixed, and
    are printed when their account is complete (``grouped``).
    """

    def __init__(self, write_line: Callable[[str], None], *, colour: bool, grouped: bool) -> None:
        self._write_line = write_line
        self._colour = colour
        self._grouped = grouped
        self._account = ""
        self._check = ""
        self._waiting: dict[str, dict[str, tuple[Check, list[str]]]] = {}

    def write(self, finding: Finding) -> None:
        """Take a finding."""
        line = render_line(finding, self._colour)
        if self._grouped:
            checks = self._waiting.setdefault(finding.account, {})
            checks.setdefault(finding.check.id, (finding.check, []))[1].append(line)
        else:
            self._head(finding.account, finding.check)
            self._write_line(line)

    def account_done(self, account: str) -> None:
        """Nothing more comes from this account."""
        for check, lines in sorted(self._waiting.pop(account, {}).values(), key=lambda one: sort_key(one[0])):
            self._head(account, check)
            for line in lines:
                self._write_line(line)

    def close(self) -> None:
        """Print what is left."""
        for account in list(self._waiting):
            self.account_done(account)

    def _head(self, account: str, check: Check) -> None:
        if account != self._account:
            self._write_line("")
            self._write_line(f"account {visible(account)}")
            self._check = ""
        if check.id != self._check:
            self._write_line("")
            self._write_line(render_heading(check, self._colour))
        self._account, self._check = account, check.id
