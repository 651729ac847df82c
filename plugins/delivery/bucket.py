"""--output-bucket: the finished reports into an S3 bucket, after the audit.

The audit's own sessions only read (fixtures/api/readonly.py), and this changes nothing about it: reports go through a
session that is made here, with the credentials that the run started with, and that no check can get at.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.access.session import base_session, region_of
from fixtures.api.errors import SessionError
from plugins.audit import run as run_plugin
from plugins.audit.run import COMPLETE, Run
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.reporting.reporter import reporter_of

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter
    from botocore.session import Session

BUCKET_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")


class DeliveryError(ValueError):
    """The bucket cannot be used; the message says why."""


@dataclass(frozen=True)
class Destination:
    """Where reports go."""

    bucket: str
    prefix: str = ""
    """In front of every key: empty, or with a slash at its end."""
    kms_key: str = ""

    def key(self, name: str) -> str:
        """The key of a report; ``name`` relative to the output directory."""
        return self.prefix + name

    @property
    def url(self) -> str:
        """The destination as the user writes it."""
        return f"s3://{self.bucket}/{self.prefix}"


def destination(options: Options) -> Destination:
    """The destination that the options name. Raises pytest.UsageError."""
    match = BUCKET_URL.fullmatch(options.output_bucket)
    if match is None:
        raise pytest.UsageError(f"--output-bucket: {options.output_bucket!r} is not of the form s3://bucket/prefix")
    prefix = (match["prefix"] or "").strip("/")
    return Destination(match["bucket"], prefix and prefix + "/", options.output_bucket_kms_key)


def open_client(guarded: Session) -> Any:
    """An S3 client that may write, with the credentials of a session that may not."""
    from boto3.session import Session as BotoSession
    from botocore.config import Config
    from botocore.session import Session

    session = Session(profile=guarded.profile)
    session._credentials = guarded.get_credentials()
    retries = {"mode": "standard", "total_max_attempts": 5}
    config = Config(retries=retries, connect_timeout=5, user_agent_extra="auditest")
    return BotoSession(botocore_session=session, region_name=region_of(guarded)).client("s3", config=config)


def credentials_session(run: Run) -> Session:
    """The guarded session whose credentials the upload takes. Raises SessionError.

    The run's own is one that has been asked for its MFA code already.
    """
    options = run.options
    if options.output_bucket_profile:
        return base_session(options.output_bucket_profile, options.region)
    profile = (options.profiles or [""])[0]
    return (
        run.entering.sources.of(profile).session
        if run.entering.sources is not None
        else base_session(profile, options.region)
    )


def require_bucket(client: Any, bucket: str) -> None:
    """See that the bucket is there and ours to use. Raises DeliveryError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        known = {"404": "there is no such bucket", "403": "access denied (s3:ListBucket is needed)"}
        raise DeliveryError(known.get(code, reason_of(error))) from None
    except BotoCoreError as error:
        raise DeliveryError(reason_of(error)) from None


def upload(client: Any, files: Iterable[tuple[Path, str]], to: Destination) -> tuple[int, list[str]]:
    """Send files, several at a time and big ones in parts: how many arrived, and what went wrong with the others.

    ``files``: path and name below the destination. Ctrl-C abandons what is under way.
    """
    from boto3.s3.transfer import TransferConfig, create_transfer_manager
    from botocore.exceptions import BotoCoreError, ClientError

    sent, problems = 0, []
    with create_transfer_manager(client, TransferConfig()) as manager:
        pending = [
            (name, manager.upload(str(path), to.bucket, to.key(name), extra_args=headers(name, to)))
            for path, name in files
        ]
        for name, future in pending:
            try:
                future.result()
                sent += 1
            except (ClientError, BotoCoreError, OSError) as error:
                problems.append(f"{name} was not uploaded to {to.url}: {reason_of(error)}")
    return sent, problems


def headers(name: str, to: Destination) -> dict[str, str]:
    """How S3 is to keep a report. Without a key of the user's the bucket's own default encryption applies.

    S3 encrypts every object (S3 User Guide, "Amazon S3 now automatically encrypts all new objects"); asking for AES256
    here would weaken a bucket whose default is a KMS key.
    """
    found = {}
    kind, _ = mimetypes.guess_type(name)
    if kind is not None:
        found["ContentType"] = kind
    if to.kms_key:
        found |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": to.kms_key}
    return found


def reason_of(error: Exception) -> str:
    """What AWS says, in one line."""
    details = getattr(error, "response", {}).get("Error", {})
    text = f"{details.get('Message')} ({details.get('Code')})" if details else str(error)
    return " ".join(text.split())


class Delivery:
    """Sends the reports of this run when it ends."""

    def __init__(self, config: pytest.Config, client: Any, to: Destination) -> None:
        self.config = config
        self.client = client
        self.to = to
        self.sent = 0
        self.problems: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what the reporter has finished. A report that does not arrive makes the run fail."""
        reporter = reporter_of(self.config)
        files = reporter.files if reporter is not None else []
        if session.exitstatus not in COMPLETE:
            if files:
                self.problems.append(f"nothing was uploaded to {self.to.url}: the audit did not come to its end")
            return
        try:
            self.sent, self.problems = upload(self.client, self._named(files), self.to)
        except KeyboardInterrupt:
            self.problems.append(f"the upload to {self.to.url} was interrupted")
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            return
        if self.problems and session.exitstatus != pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _named(self, files: Sequence[str]) -> list[tuple[Path, str]]:
        folder = options_of(self.config).output_directory
        return [(Path(file), Path(file).relative_to(folder).as_posix()) for file in files]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """What arrived, what did not and why."""
        for problem in self.problems:
            terminalreporter.write_line(f"ERROR! {problem}", red=True)
        if self.sent:
            reports = "report" if self.sent == 1 else "reports"
            terminalreporter.write_line(f"uploaded {self.sent} {reports} to {self.to.url}")


def pytest_configure(config: pytest.Config) -> None:
    """Judge the options before AWS is asked. Raises pytest.UsageError."""
    options = options_of(config)
    if options.output_bucket:
        destination(options)
        if options.demo:
            raise pytest.UsageError("--output-bucket: the sample organization of --demo has no bucket that outlasts it")
        if not options.formats:
            raise pytest.UsageError("--output-bucket has no reports to upload: choose some with --output-formats")
    elif options.output_bucket_profile or options.output_bucket_kms_key:
        flag = "--output-bucket-profile" if options.output_bucket_profile else "--output-bucket-kms-key"
        raise pytest.UsageError(f"{flag} needs --output-bucket")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anything is audited, see that the bucket can be used. Raises pytest.UsageError."""
    config = session.config
    run = run_plugin.reporting_run(config)
    if run is None or not run.options.output_bucket:
        return
    to = destination(run.options)
    try:
        client = open_client(credentials_session(run))
        require_bucket(client, to.bucket)
    except (SessionError, DeliveryError) as error:
        raise pytest.UsageError(f"--output-bucket: s3://{to.bucket}: {error}") from None
    config.pluginmanager.register(Delivery(config, client, to), "auditest-delivery")
