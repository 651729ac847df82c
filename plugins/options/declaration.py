"""How an option is declared: once, as a field of ``Options``, with everything that follows from it.

``region: str = text("--region", metavar="NAME", help="…", decides=Decides.NOTHING)`` is an option of the command line, a
setting of the configuration file, an attribute whose type mypy knows, and a row of docs/options.md.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Required, TypedDict, TypeVar, Unpack

import pytest

from plugins.did_you_mean import nearest

T = TypeVar("T")
Name = TypeVar("Name", bound=str)
OrNone = TypeVar("OrNone", int, None)

METADATA = "option"
FEW = 12
"""So many known names are listed where an unknown one is refused."""


class Decides(enum.Enum):
    """What an option decides. The shards of a run, and a run and the one that resumes it, must agree in it.

    Every option says it: a run must not go on, or be joined, with findings that another question gave.
    """

    FINDINGS = enum.auto()
    """What is found or what the reports show and are called: the values must be equal."""
    PLAN = enum.auto()
    """The checks, the accounts or the recording: what came of the options must be equal."""
    NOTHING = enum.auto()
    """How the run goes about it."""


class Trait(enum.Flag):
    """What else must be known of an option."""

    WHOLE_RUN = enum.auto()
    """It needs all accounts in one run, so it does not go with --resume."""
    ONE_HOST = enum.auto()
    """It does not go with workers on other hosts."""
    SENT = enum.auto()
    """It names a small file of this host, whose text workers on other hosts get."""
    NO_SETTING = enum.auto()
    """It is for the command line alone: each run has another value."""


NO_TRAIT = Trait(0)


class Kind(enum.Enum):
    """How a value is written."""

    FLAG = enum.auto()
    ONE = enum.auto()
    LIST = enum.auto()
    """Separated by commas."""
    LISTS = enum.auto()
    """The same, and the option may be repeated."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option and its setting in the configuration file."""

    names: tuple[str, ...]
    kind: Kind
    help: str
    decides: Decides
    traits: Trait = NO_TRAIT
    metavar: str = ""
    default: Any = None
    each: Callable[[str], Any] = str
    """From the text of a value to the value. Raises pytest.UsageError."""
    known: Callable[[], Collection[str]] | None = None
    """The names that there are, asked for when all options have been read."""
    noun: str = ""
    """What such a name names."""

    @property
    def flag(self) -> str:
        """The long name."""
        return self.names[-1]

    @property
    def setting(self) -> str:
        """The name in the configuration file and in pytest's own namespace of options."""
        return self.flag.lstrip("-").replace("-", "_")

    def add_to(self, parser: pytest.Parser) -> None:
        """Tell pytest about it."""
        details: dict[str, Any] = {"metavar": self.metavar} if self.metavar else {}
        if self.kind in (Kind.FLAG, Kind.LISTS):
            details["action"] = "store_true" if self.kind is Kind.FLAG else "append"
        group = parser.getgroup("auditest", "AWS audit")
        group._addoption(
            *self.names, dest=self.setting, default=None, help=self.help, **details
        )  # addoption refuses -M
        if Trait.NO_SETTING in self.traits:
            return
        if self.kind is Kind.FLAG:
            parser.addini(self.setting, self.help, type="bool", default=False)
        else:
            parser.addini(self.setting, self.help, type="string", default="")

    def read(self, config: pytest.Config) -> Any:
        """The value: of the command line, else of the configuration file, else the default. Raises pytest.UsageError.

        A path that is the default is below the project's folder.
        """
        given: Any = config.getoption(self.setting)
        if given is None and Trait.NO_SETTING not in self.traits:
            given = config.getini(self.setting)
        if self.kind is Kind.FLAG:
            return bool(given)
        texts = given if isinstance(given, list) else [] if given is None else [str(given)]
        if self.kind is not Kind.ONE:
            return [self.each(part.strip()) for text in texts for part in text.split(",") if part.strip()]
        if texts and texts[0]:
            return self.each(texts[0])
        return config.rootpath / self.default if isinstance(self.default, Path) else self.default

    def refuse_unknown(self, value: Any) -> None:
        """Raise pytest.UsageError for a name that is none."""
        given = value if isinstance(value, list) else [value]
        if self.known is None or not any(given):
            return
        known = self.known()
        for name in filter(None, given):
            if name not in known:
                listed = f" (known: {', '.join(known)})" if len(known) < FEW else ""
                raise pytest.UsageError(f"{self.flag}: unknown {self.noun} {name!r}{nearest(name, known)}{listed}")


def declared(options: type) -> dict[str, Option]:
    """Field -> its option, in the order of the class."""
    return {one.name: one.metadata[METADATA] for one in dataclasses.fields(options) if METADATA in one.metadata}


class Declared(TypedDict, total=False):
    """What every kind of option takes."""

    help: Required[str]
    decides: Required[Decides]
    traits: Trait
    metavar: str


class Listed(Declared, total=False):
    """What texts take besides."""

    each: Callable[[str], Any]
    known: Callable[[], Collection[str]]
    noun: str


# -- the kinds of options ----------------------------------------------------------------------------------------------
# Each takes the names, a letter first, and what Option has by the same name. It returns a field of the dataclass, which
# has the type of the value, as dataclasses.field itself does.


def flag(*names: str, **rest: Unpack[Declared]) -> bool:
    """On or off."""
    return field(default=False, metadata={METADATA: Option(names=names, kind=Kind.FLAG, default=False, **rest)})


def text(*names: str, default: str = "", **rest: Unpack[Listed]) -> str:
    """A text."""
    return field(default=default, metadata={METADATA: Option(names=names, kind=Kind.ONE, default=default, **rest)})


def texts(*names: str, repeat: bool = False, **rest: Unpack[Listed]) -> list[str]:
    """Texts, separated by commas; with ``repeat`` also one option each."""
    return _several(names, Kind.LISTS if repeat else Kind.LIST, **rest)


def number(*names: str, low: int, high: int | None = None, default: OrNone, **rest: Unpack[Declared]) -> int | OrNone:
    """A whole number, its bounds included."""
    each = partial(_whole_number, names[-1], low, high)
    option = Option(names=names, kind=Kind.ONE, default=default, each=each, **rest)
    return field(default=default, metadata={METADATA: option})


def choice(*names: str, known: Callable[[], Collection[Name]], noun: str, **rest: Unpack[Declared]) -> Name | None:
    """One of the ``known`` names, which a ``noun`` has; in small letters."""
    option = Option(names=names, kind=Kind.ONE, each=str.lower, known=known, noun=noun, **rest)
    return field(default=None, metadata={METADATA: option})


def path(*names: str, **rest: Unpack[Declared]) -> Path | None:
    """A file."""
    return field(default=None, metadata={METADATA: Option(names=names, kind=Kind.ONE, each=Path, **rest)})


def folder(*names: str, default: Path, **rest: Unpack[Declared]) -> Path:
    """A folder, by default one below the project's."""
    option = Option(names=names, kind=Kind.ONE, default=default, each=Path, **rest)
    return field(default=default, metadata={METADATA: option})


def paths(*names: str, **rest: Unpack[Declared]) -> list[Path]:
    """Files or folders, one option each or separated by commas."""
    return _several(names, Kind.LISTS, each=Path, **rest)


def _several(names: tuple[str, ...], kind: Kind, **rest: Unpack[Listed]) -> list[Any]:
    option = Option(names=names, kind=kind, default=[], **rest)
    return field(default_factory=list, metadata={METADATA: option})


def _whole_number(flag: str, low: int, high: int | None, text: str) -> int:
    try:
        found = int(text)
    except ValueError:
        raise pytest.UsageError(f"{flag}: {text!r} is not a whole number") from None
    if found < low or (high is not None and found > high):
        limits = f"between {low} and {high}" if high is not None else f"at least {low}"
        raise pytest.UsageError(f"{flag}: {found} is out of range, it must be {limits}")
    return found
