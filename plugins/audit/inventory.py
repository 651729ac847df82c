"""What was listed in this process, and what is left out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from fixtures.api.crew import Crew
from fixtures.model import Account
from plugins.audit.discovery import Kind, Listings, Part, discover, listed_rows, rows_for
from plugins.catalog.checks import Check
from plugins.findings.row import Row


class Inventory:
    """Lists kinds of resources, each once.

    ``enter``: sees to it that the accounts are there; ``accounts``: gives those to list in; ``part``: what part of them.
    """

    def __init__(
        self,
        crew: Crew,
        max_items: int | None,
        enter: Callable[[], None],
        accounts: Callable[[], Sequence[Account]],
        part: Callable[[], Part],
    ) -> None:
        self.listings: Listings = {}
        self.left_out: Counter[str] = Counter()
        """Kind of resource -> how many of it --max-items left out."""
        self.left_out_of: Counter[tuple[str, str]] = Counter()
        """Account and kind -> likewise."""
        self._crew = crew
        self._max_items = max_items
        self._enter = enter
        self._accounts = accounts
        self._part = part
        self._listed: set[Kind] = set()

    def discover(self, kinds: set[Kind]) -> None:
        """List those of the kinds that were not listed yet, in one wave."""
        wanted = kinds - self._listed
        if not wanted:
            return
        self._enter()
        self._listed |= wanted
        listed = discover(wanted, self._accounts(), self._crew, self._part(), max_items=self._max_items)
        self.listings |= listed
        for (kind, account, _), listing in listed.items():
            self.leave_out(account, kind, listing.left_out)

    def leave_out(self, account: str, kind: str, number: int) -> None:
        """Count resources that --max-items left out."""
        if number:
            self.left_out[kind] += number
            self.left_out_of[account, kind] += number

    def rows(self, check: Check) -> list[Row]:
        """The items-to-be of a check."""
        assert check.resource is not None
        self.discover({check.resource})
        return rows_for(check, self.listings, self._accounts(), self._part())

    def rows_of(self, kind: Kind) -> list[Row]:
        """What was listed of a kind, for a test that is no check: nothing tells that there is nothing."""
        self.discover({kind})
        part = self._part()
        return [row for account in self._accounts() for row in listed_rows(kind, account, self.listings, part)]
