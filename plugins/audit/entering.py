"""The accounts of a run: entered here, taken over from the controller, or read from a recording."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import pytest

from fixtures.access.entering import Doorway, enter_all, known_account
from fixtures.access.mfa import Token
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, SessionError
from fixtures.model import Account
from fixtures.recording.accounts import replayed
from fixtures.recording.reader import Recording, RecordingError, ReplayBackend
from fixtures.recording.writer import Recorder
from plugins.audit import targets
from plugins.audit.shares import Cut, share_of
from plugins.audit.task import Task
from plugins.options.values import Options


class Entering:
    """Enters the accounts that the options name, once.

    ``share``: K and N of ``--shard``. ``recorder``: opens the recorder of this process where the run is recorded.
    """

    def __init__(
        self,
        options: Options,
        crew: Crew,
        now: datetime,
        share: tuple[int, int] | None,
        recorder: Callable[[], Recorder | None],
    ) -> None:
        self.options = options
        self.crew = crew
        self.now = now
        """The time of the audit: of the recording, in a replay."""
        self.accounts: list[Account] = []
        """The accounts that this run reports on."""
        self.audited: list[str] = []
        """Ids of all accounts that are audited together: with --shard, those of the other shares as well."""
        self.cut: Cut | None = None
        """The part of the only account that this run audits, with --shard."""
        self.targets: dict[str, Target] = {}
        """Account id -> how it was entered."""
        self.notes: list[str] = []
        """What is left out, in words: accounts, regions."""
        self.sources: Sources | None = None
        """The sessions that the accounts were entered with; None in a replay."""
        self.recording: Recording | None = None
        """What is replayed."""
        self._share = share
        self._recorder = recorder
        self._done = False

    def enter(self) -> list[Account]:
        """Enter the accounts, once. Raises pytest.UsageError when nothing can be audited."""
        if not self._done:
            try:
                self._replay(self.options) if self.options.replay is not None else self._enter()
            except (SessionError, RecordingError) as error:
                raise pytest.UsageError(str(error)) from None
            self._done = True
            self._instruct([account.id for account in self.accounts])
            self._take_share()
        return self.accounts

    def _replay(self, options: Options) -> None:
        assert options.replay is not None
        self.recording = Recording(options.replay)
        self.recording.verify()
        self.now = self.recording.now
        self.accounts = targets.replayed_accounts(options, self.recording, self.crew)

    def _enter(self) -> None:
        door = self._door()
        entered = enter_all(targets.targets(self.options, door), door)
        self.notes = sorted(door.notes)
        self.accounts = [account for _, account in entered]
        self.targets = {account.id: target for target, account in entered}

    def _door(self, tokens: Mapping[str, Token] | None = None) -> Doorway:
        options = self.options
        self.sources = targets.sources(options, tokens)
        return Doorway(self.crew, self.now, options.region, options.filter_regions, self._recorder(), self.sources)

    def _take_share(self) -> None:
        """With --shard, keep what this share audits."""
        if self._share is not None:
            share = share_of(self.accounts, *self._share)
            self.accounts = [account for account in self.accounts if account.id in share.accounts]
            self.cut = share.cut

    def take(self, task: Task, audited: list[str], tokens: Mapping[str, Token]) -> None:
        """On a worker: have the account of a task, which the controller has entered already.

        ``audited``: ids of all accounts that are audited together; ``tokens``: made with MFA by the controller.
        """
        self._done = True
        if task.facts is None:
            return
        if self.options.replay is not None:
            recording = Recording(self.options.replay)
            self.accounts = replayed(recording, self.crew, self.options.filter_regions, [task.account])
        else:
            door = self._door(tokens)
            error = ApiError(*task.error) if task.error else None
            try:
                account = known_account(task.target, task.facts, door, error)
            except SessionError as problem:  # this may be another host, with credentials of its own, or without
                error = ApiError("sts", "GetCredentials", "NoCredentials", f"{problem} (on host {platform.node()})")
                account = known_account(task.target, task.facts, door, error)
            self.accounts = [account]
        self._instruct(audited)

    def _instruct(self, audited: Iterable[str]) -> None:
        """Give the accounts of this process what checks may ask of the run: whom to trust, whether to open connections."""
        self.audited = list(audited)
        trusted = frozenset([*self.audited, *self.options.trusted_accounts])
        for account in self.accounts:
            account.trusted_accounts = trusted
            account.active_probes = self.options.active_probes

    def load_recorded(self, accounts: Iterable[Account]) -> None:
        """Read what a recording has of these accounts now, so that a damaged line ends the run at once.

        Raises pytest.UsageError.
        """
        try:
            for account in accounts:
                if isinstance(account.calls.backend, ReplayBackend):
                    account.calls.backend.load()
        except RecordingError as error:
            raise pytest.UsageError(str(error)) from None
