"""The journal of a run: which accounts are complete, in a file of the output directory, for ``--resume``.

Its first line says what the run was asked for, and each further line is an account whose reports have their names. It is
removed when the run comes to its end. The process that writes it holds a lock on it, which ends with the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pytest

from plugins.at_scale.account_record import AccountRecord

FORMAT = 1
NAME = ".auditest-journal"
NOT_RESUMED = frozenset({"shard"})
"""What a selection may differ in between the shards of a run."""


class Header(msgspec.Struct):
    """The first line."""

    started: datetime
    selection: dict[str, Any]
    format: int = msgspec.field(name="auditest-journal", default=FORMAT)


class JournalError(ValueError):
    """The journal cannot be resumed from; the message says why and what to do."""


@dataclass
class EarlierRun:
    """What an unfinished run has left, in a journal that nobody else can write to any more."""

    path: Path
    file: BinaryIO
    header: Header
    accounts: dict[str, AccountRecord] = field(default_factory=dict)


KEY = pytest.StashKey[EarlierRun]()


def earlier_of(config: pytest.Config) -> EarlierRun | None:
    """The run that this one resumes."""
    return config.stash.get(KEY, None)


def path_in(folder: Path, shard: tuple[int, int] | None) -> Path:
    """The journal's place. Each shard of a run has its own, so that they may share a folder."""
    return folder / (NAME if shard is None else f"{NAME}-{shard[0]}-of-{shard[1]}")


def digest_of(selection: Mapping[str, Any]) -> str:
    """The digest of a selection, the same for all shards of a run."""
    kept = {name: value for name, value in selection.items() if name not in NOT_RESUMED}
    return hashlib.sha256(msgspec.json.encode(kept, order="sorted")).hexdigest()


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The names of what two selections differ in."""
    return ", ".join(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


def resume(path: Path) -> EarlierRun:
    """What an unfinished run has left. Raises JournalError."""
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        raise JournalError(f"there is no unfinished run in {path.parent}: leave --resume out") from None
    except OSError as error:
        raise JournalError(f"{path} cannot be opened: {error.strerror}") from None
    if not _locked(file):
        file.close()
        raise JournalError(f"the run that writes to {path.parent} has not ended: wait for it, or stop it first")
    *lines, cut_off = file.read().split(b"\n")
    try:
        found = EarlierRun(path, file, msgspec.json.decode(lines[0] if lines else b"", type=Header))
        if found.header.format != FORMAT:
            raise JournalError(f"{path} is of another version of the suite: leave --resume out to start anew")
        for line in lines[1:]:
            one = msgspec.json.decode(line, type=AccountRecord)
            found.accounts[one.account] = one
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path} is damaged ({error}): leave --resume out to start anew") from None
    file.seek(-len(cut_off), os.SEEK_END)
    file.truncate()
    return found


class Journal:
    """A journal that is being written."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file

    def add(self, account: AccountRecord) -> None:
        """Note a complete account, on disk before anything else happens. Raises OSError; what was noted before stays."""
        _append(self._file, msgspec.json.encode(account) + b"\n")

    def close(self, *, finished: bool) -> None:
        """End it. With ``finished`` there is nothing to resume and it is removed."""
        if finished:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._file.close()


def start(path: Path, header: Header) -> Journal | None:
    """A new journal in the place of any other; None while another run writes its own there. Raises OSError."""
    file = path.open("ab", buffering=0)
    if not _locked(file) or not _is_at(path, file):
        file.close()
        return None
    try:
        file.truncate(0)
        _append(file, msgspec.json.encode(header) + b"\n")
    except OSError:
        file.close()
        path.unlink(missing_ok=True)
        raise
    return Journal(path, file)


def _append(file: BinaryIO, line: bytes) -> None:
    """Write a line at the end, to the disk, whole or not at all. Raises OSError."""
    end = file.seek(0, os.SEEK_END)
    try:
        while line:  # a disk that fills up takes a part of it first
            line = line[file.write(line) :]
        os.fsync(file.fileno())
    except OSError:
        file.truncate(end)
        raise


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file is still there: the run that it was of may have ended, and removed it, meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
