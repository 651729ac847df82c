"""``--whitelist FILE``: failures that are accepted. This module reads the file; plugins/whitelist/matching.py applies it.

Two forms. Text, a line per entry (``checkid:resource``, ``#`` begins a comment)::

    extra73:public-site   # static web site
    check11:*

and YAML (.yaml, .yml, or a file that begins with a list)::

    - check: extra73
      resource: "^public-site-.*"
      reason: "static web site"

``docs/whitelist.md`` describes every key. Every mistake is refused with its line.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
import yaml

from fixtures.api.account_ids import is_account_id
from fixtures.api.regions import known_regions
from plugins.catalog.checks import Check
from plugins.catalog.groups import ids_in_groups
from plugins.did_you_mean import nearest
from plugins.text import visible
from plugins.whitelist.names import ALL, Names
from plugins.yaml_file import TooDeep, YamlError, require_bounds

DEEPEST = 8
"""Levels of nesting in a YAML file: an entry needs five, and PyYAML's parser in C crashes at very many."""

Path_: TypeAlias = tuple[str | int, ...]
"""Where in an entry: ("not", "region", 1)."""


class WhitelistError(ValueError):
    """The file cannot be used; the message says in which line and why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {' '.join(visible(message).split())}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a resource's id or ARN must contain: a text, or what a regular expression finds."""

    text: str
    regex: re.Pattern[str] | None = None
    """None where the text is meant literally."""

    @property
    def plain(self) -> list[str]:
        """Texts that every match contains: most resources are told apart by them, without regular expressions."""
        return [self.text] if self.regex is None else plain_texts(self.text)

    def matches(self, id: str, arn: str) -> bool:
        """Whether the id or the ARN matches."""
        if self.regex is None:
            return self.text in id or self.text in arn
        return self.regex.search(id) is not None or self.regex.search(arn) is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an entry or an exception is about. An empty condition holds for everything."""

    checks: frozenset[str] = frozenset()
    """Ids of checks and groups."""
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    resources: tuple[Pattern, ...] = ()
    tags: tuple[tuple[str, frozenset[str]], ...] = ()
    """Key and accepted values; all must hold."""

    def covers_check(self, check: Check) -> bool:
        """Whether it is about a check, by its id or one of its groups."""
        return not self.checks or check.id in self.checks or not self.checks.isdisjoint(check.memberships)

    def covers_place(self, account: str, region: str) -> bool:
        """Whether it is about an account and region."""
        return (not self.accounts or account in self.accounts) and (not self.regions or region in self.regions)

    def covers_resource(self, id: str, arn: str, tags: Callable[[], dict[str, str]]) -> bool:
        """Whether it is about a resource. ``tags`` is called only where they decide."""
        if self.resources and not any(pattern.matches(id, arn) for pattern in self.resources):
            return False
        return not self.tags or all(tags().get(key) in values for key, values in self.tags)


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted failure, or many of a kind. ``position`` tells it from the file's others."""

    position: int
    line: int
    scope: Scope
    reason: str
    title: str
    """Check and resource as they stand in the file."""
    exceptions: tuple[Scope, ...] = ()
    owner: str = ""
    expires: date | None = None

    @property
    def label(self) -> str:
        """Reason, owner and expiry, in words."""
        parts = [self.reason, self.owner and f"owner {self.owner}", self.expires and f"until {self.expires}"]
        return ", ".join(str(part) for part in parts if part)

    def is_expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return self.expires is not None and today > self.expires


def load(path: Path | None, checks: Iterable[str]) -> list[Entry]:
    """The entries of a file; ``checks`` are the ids of all checks that there are. Raises pytest.UsageError."""
    if path is None:
        return []
    try:
        return parse(path.read_bytes(), path.name, checks)
    except OSError as error:
        raise pytest.UsageError(f"--whitelist: {path} cannot be read: {error.strerror}") from None
    except WhitelistError as error:
        raise pytest.UsageError(f"--whitelist: {path}, {error}") from None


def parse(content: bytes, name: str, checks: Iterable[str] = ()) -> list[Entry]:
    """The entries of a file's content, in either form; ``checks`` are the ids of all checks, by default those that are in
    groups. Raises WhitelistError.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WhitelistError(content.count(b"\n", 0, error.start) + 1, "the file is not UTF-8") from None
    known = Names(checks or ids_in_groups())
    begins = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    if name.lower().endswith((".yaml", ".yml")) or begins.lstrip().startswith(("-", "[")):
        return list(_yaml_entries(text, known))
    return list(_text_entries(text, name, known))


# -- text -------------------------------------------------------------------------------------------------------------


def _text_entries(text: str, name: str, known: Names) -> Iterator[Entry]:
    position = 0
    for line, whole in enumerate(text.split("\n"), 1):
        content, _, comment = whole.partition("#")
        if not content.strip():
            continue
        check, colon, resource = (part.strip() for part in content.partition(":"))
        if not (check and colon and resource):
            raise WhitelistError(line, f"{content.strip()!r} is not of the form checkid:resource")
        words = known.meant(check)
        if not words:
            raise WhitelistError(line, known.unknown(check))
        scope = Scope(checks=_unless_all(words), resources=() if resource == ALL else (Pattern(resource),))
        reason = " ".join(comment.split()) or f"listed in {name}"
        yield Entry(position, line, scope, reason, f"{check}:{resource}")
        position += 1


# -- YAML -------------------------------------------------------------------------------------------------------------

Texts: TypeAlias = str | list[str]


class RawScope(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The keys that say what an entry is about."""

    check: Texts | None = None
    account: Texts | None = None
    region: Texts | None = None
    resource: Texts | None = None
    tags: dict[str, Texts] | None = None


class RawEntry(RawScope, forbid_unknown_fields=True, kw_only=True, rename={"exceptions": "not"}):
    """An entry as it stands in the file."""

    check: Texts
    reason: str
    exceptions: RawScope | list[RawScope] = []
    owner: str = ""
    expires: date | None = None


class _Mistake(Exception):
    """A value that is refused, and where in the entry it is."""

    def __init__(self, where: Path_, message: str) -> None:
        super().__init__(message)
        self.where = where


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Leaves every value the text that it is in the file (the account 012345670123 is no octal number), and refuses a
    key that stands twice.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def _yaml_entries(text: str, known: Names) -> Iterator[Entry]:
    try:
        require_bounds(text, DEEPEST)
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise WhitelistError(_line(root), "a list of entries is expected, each beginning with '- check: '")
        for position, node in enumerate(root.value):
            try:
                yield _entry(loader.construct_document(node), position, _line(node), known)
            except _Mistake as mistake:
                raise WhitelistError(_line_of(node, mistake.where), str(mistake)) from None
    except TooDeep as error:
        raise WhitelistError(error.line, "too many brackets or levels for an entry") from None
    except YamlError as error:
        raise WhitelistError(error.line, str(error)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WhitelistError(line, error.problem or "this is not YAML") from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position]
        raise WhitelistError(before.count(b"\n") + 1, "YAML allows no such control character") from None


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _line_of(node: yaml.Node, where: Path_) -> int:
    """The line of a value within an entry: of its key, or of its place in a list."""
    line = _line(node)
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = _line(found[0]), found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = _line(node)
    return line


def _entry(value: Any, position: int, line: int, known: Names) -> Entry:
    """An entry from what YAML gave. Raises _Mistake."""
    try:
        raw = msgspec.convert(value, RawEntry)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value) from None
    reason = " ".join(raw.reason.split())
    if not reason:
        raise _Mistake(("reason",), "the reason is empty: say why the failure is accepted")
    single = isinstance(raw.exceptions, RawScope)
    exceptions = [raw.exceptions] if isinstance(raw.exceptions, RawScope) else raw.exceptions
    return Entry(
        position=position,
        line=line,
        scope=_scope(raw, (), known),
        reason=reason,
        title=" ".join([*_texts(raw.check), *_texts(raw.resource)]),
        exceptions=tuple(
            _scope(one, ("not",) if single else ("not", number), known) for number, one in enumerate(exceptions)
        ),
        owner=" ".join(raw.owner.split()),
        expires=raw.expires,
    )


def _explained(message: str, value: Any) -> _Mistake:
    """A mistake that msgspec found, in the words of somebody who writes a whitelist."""
    what, _, place = message.partition(" - at `$")
    where = tuple(int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place))
    unknown = re.search(r"unknown field `(.*)`", what, re.DOTALL)
    missing = re.search(r"missing required field `(.*)`", what)
    named = ".".join(str(step) for step in where)
    if unknown:
        key = unknown[1]
        keys = RawScope.__struct_fields__ if where else RawEntry.__struct_encode_fields__
        return _Mistake((*where, key), f"unknown key {key!r}{nearest(key, keys)} (known: {', '.join(keys)})")
    if missing:
        return _Mistake(where, f"the entry has no {missing[1]}, which every entry needs")
    if where == ("expires",):
        return _Mistake(where, f"expires: {value['expires']!r} is no date like 2027-01-31")
    if not where:
        return _Mistake(where, "an entry is a list of keys and values, such as check: extra73")
    kinds = (("object", "a group of keys"), ("array", "a list"), ("str", "a text"))
    for word, plain in kinds:
        what = what.replace(f"`{word}", f"`{plain}").replace(f"| {word}", f"or {plain}")
    return _Mistake(where, f"{named}: {what.replace('`', '')}")


def _scope(raw: RawScope, where: Path_, known: Names) -> Scope:
    """The conditions of an entry, or of the exception at ``where`` in it. Raises _Mistake."""
    if all(getattr(raw, name) is None for name in RawScope.__struct_fields__):
        raise _Mistake(where, "the exception is empty: it would leave nothing of the entry")
    for name in RawScope.__struct_fields__:
        if getattr(raw, name) in ([], {}):
            raise _Mistake((*where, name), f"{name} is empty: leave it out for all")
    words: set[str] = set()
    for at, text in _placed(raw.check, (*where, "check")):
        meant = known.meant(text)
        if not meant:
            raise _Mistake(at, known.unknown(text))
        words.update(meant)
    for at, text in _placed(raw.account, (*where, "account")):
        if text != ALL and not is_account_id(text):
            raise _Mistake(at, f"account: {text!r} is not a 12-digit account ID")
    for at, text in _placed(raw.region, (*where, "region")):
        if text != ALL and text not in _regions():
            raise _Mistake(at, f"unknown region {text!r}{nearest(text, _regions())}")
    return Scope(
        checks=_unless_all(words),
        accounts=_unless_all(_texts(raw.account)),
        regions=_unless_all(_texts(raw.region)),
        resources=tuple(_pattern(text, at) for at, text in _placed(raw.resource, (*where, "resource"))),
        tags=tuple((key, frozenset(_texts(values))) for key, values in (raw.tags or {}).items()),
    )


@functools.lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    return frozenset(known_regions())


def _texts(value: Texts | None) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _placed(value: Texts | None, where: Path_) -> Iterator[tuple[Path_, str]]:
    """The texts of a value, each with its place."""
    for number, text in enumerate(_texts(value)):
        yield ((*where, number) if isinstance(value, list) else where), text


def _unless_all(words: Iterable[str]) -> frozenset[str]:
    found = frozenset(words)
    return frozenset() if ALL in found else found


def _pattern(text: str, where: Path_) -> Pattern:
    if not text:
        raise _Mistake(where, "resource is empty: leave it out for all")
    try:
        with warnings.catch_warnings(action="ignore"):  # of what later Pythons may read differently
            return Pattern(text, re.compile(text))
    except (re.error, OverflowError, RecursionError) as error:
        hint = ": leave resource out for all" if text == ALL else ""
        raise _Mistake(where, f"resource: {text!r} is no regular expression ({error}){hint}") from None


def plain_texts(pattern: str) -> list[str]:
    """Texts that whatever the regular expression finds contains: the runs of plain characters in it."""
    pattern = pattern.replace("(?:", "(")
    if "(?" in pattern or re.search(r"\\[\dxuUN]", pattern):  # flags, lookarounds, and escapes of several characters
        return []
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "\0", pattern, flags=re.DOTALL)  # escapes and sets
    while (shorter := re.sub(r"\([^()]*\)", "\0", plain)) != plain:
        plain = shorter
    if "|" in plain:
        return []
    return [run for run in re.split(r".?[*?]|.?\{[^}]*\}|[\0^$.+]", plain, flags=re.DOTALL) if run]
