"""What the entries of a whitelist may call checks."""

from __future__ import annotations

from collections.abc import Iterable

from plugins.catalog.groups import every_group
from plugins.catalog.names import matching, names_of
from plugins.did_you_mean import nearest

ALL = "*"


class Names:
    """What entries may call checks: ids, other names, patterns over both, and groups."""

    def __init__(self, checks: Iterable[str]) -> None:
        self._ids = dict.fromkeys(checks)
        self._groups = every_group()
        self._meant: dict[str, list[str]] = {}

    def meant(self, word: str) -> list[str]:
        """The ids that a word means, or the group that it is; nothing for an unknown one. An id goes before a group."""
        if word == ALL:
            return [ALL]
        if word not in self._meant:
            is_group = word in self._groups and word not in self._ids
            self._meant[word] = [word] if is_group else matching(word, self._ids)
        return self._meant[word]

    def unknown(self, word: str) -> str:
        """What to say of a word that means nothing."""
        known = [*names_of(self._ids), *self._groups]
        return f"unknown check or group {word!r}{nearest(word, known)} (--list-checks and --list-groups show them all)"
