"""What a run with ``--shard`` leaves beside its reports for ``python -m plugins.merge``: the shard's manifest."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugins.at_scale.account_record import AccountRecord
from plugins.at_scale.asked_for import selection_of
from plugins.at_scale.complete_accounts import complete_accounts_of
from plugins.at_scale.findings_file import packed_check
from plugins.audit.run import run_of
from plugins.audit.shares import share_numbers
from plugins.catalog.framework_files import Requirement
from plugins.options.options import options_of
from plugins.reporting.reporter import reporter_of
from plugins.roles import is_worker

FORMAT = 1


class RollUp(msgspec.Struct, frozen=True):
    """A requirement that the run rolls up: the id of its check, and the node id of the test function that judges it."""

    check: str
    nodeid: str
    requirement: Requirement


class Manifest(msgspec.Struct):
    """A shard that came to its end: what it was asked for, and its accounts."""

    number: int
    of: int
    started: datetime
    exit: int
    fail_on: str | None
    formats: list[str]
    with_score: bool
    only_fails: bool
    numbered: bool
    selection: dict[str, Any]
    checks: list[dict[str, Any]]
    """What is known of the selected checks, and of the requirements in the place of checks."""
    requirements: list[RollUp]
    accounts: list[AccountRecord]
    format: int = msgspec.field(name="auditest-shard", default=FORMAT)


def name_of(number: int, of: int) -> str:
    """The name of a shard's manifest."""
    return f"auditest-shard-{number}-of-{of}.json"


class ManifestWriter:
    """Writes the manifest of this run when it is over, so that there is none of a run that did not come to its end."""

    def __init__(self, config: pytest.Config, number: int, of: int) -> None:
        self.config = config
        self.number = number
        self.of = of
        self.path = options_of(config).output_directory / name_of(number, of)
        self.note = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """The run begins: what an earlier one has left does not count any more. Raises pytest.UsageError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"{self.path} is in the way and cannot be removed: {error.strerror}") from None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it."""
        run, complete, reporter = run_of(self.config), complete_accounts_of(self.config), reporter_of(self.config)
        if run is None or complete is None or reporter is None or not complete.is_complete(session):
            return
        if not run.accounts and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
            self.note = (
                f"shard {self.number} of {self.of} has nothing to audit: the others have all accounts and regions"
            )
        options = run.options
        checks = [*run.plan.checks.values(), *(one.check for one in run.plan.requirements)]
        manifest = Manifest(
            number=self.number, of=self.of, started=run.now, exit=int(session.exitstatus),
            fail_on=options.fail_on, formats=options.formats, with_score=options.score,
            only_fails=options.only_fails, numbered=options.numbered,
            selection=selection_of(run), checks=[packed_check(check) for check in checks],
            requirements=[RollUp(one.check.id, one.nodeid, one.requirement) for one in run.plan.requirements],
            accounts=[complete.finished[account.id] for account in run.accounts if account.id in complete.finished],
        )  # fmt: skip
        try:
            write(self.path, manifest)
        except OSError as error:
            self.note = f"ERROR! {self.path} could not be written: {error.strerror}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        else:
            reporter.files.append(str(self.path))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say which part of the whole this was."""
        run = run_of(self.config)
        if run is None or reporter_of(self.config) is None:
            return
        if run.cut is not None:
            rolled_up = "; plugins.merge rolls up the requirements" * bool(run.plan.requirements)
            terminalreporter.write_line(
                f"shard {self.number} of {self.of}: part {run.cut.number} of {run.cut.of} of account {run.accounts[0].id}"
                f" ({', '.join(run.cut.regions)}){rolled_up}"
            )
        elif run.accounts:
            terminalreporter.write_line(
                f"shard {self.number} of {self.of}: {len(run.accounts)} of {len(run.audited)} accounts"
            )
        if self.note:
            terminalreporter.write_line(self.note)


def write(path: Path, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all. Raises OSError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Be there in the process that writes reports. Raises pytest.UsageError."""
    options, shard = options_of(config), share_numbers(config)
    if shard is None or is_worker(config) or config.option.collectonly:
        return
    if options.list_checks or options.list_groups:
        return
    if not options.formats:
        raise pytest.UsageError("--shard: without --output-formats there would be nothing to merge")
    config.pluginmanager.register(ManifestWriter(config, *shard), "auditest-manifest")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Security Hub's old findings can only be told from the new ones where all of an account is audited."""
    run = run_of(session.config)
    if run is not None and run.cut is not None and run.options.security_hub and not is_worker(session.config):
        raise pytest.UsageError(
            f"--security-hub: this shard has a part of account {run.accounts[0].id} only:"
            f" with {len(run.audited)} accounts give --shard K/{len(run.audited)} at most"
        )
