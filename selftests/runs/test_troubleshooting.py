"""Every line that docs/troubleshooting.md shows is printed, when there is the trouble that the guide says there is."""

from __future__ import annotations

import functools
import os
import re
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.entering import Doorway, enter_all
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, SessionError
from plugins.suite import ROOT
from selftests.guides import blocks
from selftests.standins import aws_server, sts_server
from selftests.standins.aws_server import AwsServer, Reply, Request, json_error, passed_on, throttled
from selftests.standins.certificates import self_signed
from selftests.standins.listening import Http, QuietHandler, listening
from selftests.standins.sts_server import StsServer
from selftests.whole_runs import Emulator, Suite, free_port

SHOWN = [
    line
    for block in blocks((ROOT / "docs" / "troubleshooting.md").read_text(), "text")
    for line in block.text.splitlines()
]
CHECK = ("--check=check41", "--filter-region=eu-west-1")
TWO = ("-A", "111111111111,222222222222", "-R", "Audit")
ROLE = "arn:aws:iam::111111111111:role/Audit"
DEVICE = "arn:aws:iam::123456789012:mfa/phone"
REGIONS_DENIED = ("UnauthorizedOperation", "You are not authorized to perform this operation.")
DENIED_BY_ORGANIZATION = (
    "User: arn:aws:iam::1:user/a is not authorized to perform: s3:ListAllMyBuckets with an explicit deny in a service"
    " control policy"
)
CONFIG = """
[profile user]
aws_access_key_id = testing
aws_secret_access_key = testing
[profile role]
role_arn = arn:aws:iam::222222222222:role/r
source_profile = user
"""


class Trouble:
    """Ways to get into trouble: each gives what is printed then."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.folder = emulator, folder
        (folder / "config").write_text(CONFIG)
        self.environment = {**emulator.environment, "AWS_CONFIG_FILE": str(folder / "config")}

    def run(self, *arguments: str, **environment: str) -> str:
        """A whole run."""
        done = Suite(self.folder)(*arguments, env={**self.environment, **environment})
        assert "Traceback" not in done.out + done.err
        return done.out + done.err

    def entering(self, *entries: Target, region: str = "", **environment: str) -> str:
        """What ends a run that cannot enter the account. pytest puts ERROR: in front of a UsageError."""
        crew = Crew(2)
        door = Doorway(crew, utcnow(), filter_regions=[region] if region else [], sources=Sources())
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"AWS_MAX_ATTEMPTS": "1", **self.environment, **environment}.items():
                patch.setenv(name, value)
            try:
                enter_all(entries or [Target()], door)
            except SessionError as error:
                return f"ERROR: {error}"
            finally:
                crew.close()
        return "it was entered"

    def answered(self, answer: Reply) -> str:
        """Entering, when AWS answers so."""
        with aws_server.serving(AwsServer(lambda _: answer)) as server:
            return self.entering(AWS_ENDPOINT_URL=server.url)

    def role(self, *entries: Target) -> str:
        """Entering with roles, one of which asks for an external ID."""
        with sts_server.serving(self.sts()) as server:
            return self.entering(*entries, AWS_ENDPOINT_URL=server.url)

    def sts(self) -> StsServer:
        return StsServer(self.emulator.url, external_ids={ROLE: "another"})

    def mfa(self, *arguments: str) -> str:
        with sts_server.serving(self.sts()) as server:
            return self.run(*CHECK, *arguments, *TWO, AWS_ENDPOINT_URL=server.url)

    def faulty(self, answer: Callable[[Request], Reply | None], *arguments: str, **environment: str) -> str:
        """A run that gets some answers, and the emulator's for None."""
        server = AwsServer(lambda request: answer(request) or passed_on(request, self.emulator.url))
        with aws_server.serving(server):
            return self.run(*arguments, AWS_ENDPOINT_URL=server.url, **environment)

    @functools.cached_property
    def faults(self) -> str:
        """A run in which every service has another trouble."""

        def answer(request: Request) -> Reply | None:
            if request.operation == "DescribeSecurityGroups":
                return error_of_ec2("RequestExpired", "Request has expired.")
            return {
                "macie2": json_error("AccessDeniedException", "User is not authorized", 403),
                "s3": error("AccessDenied", DENIED_BY_ORGANIZATION),
                "kms": throttled(request),
                "sns": Reply(b"<html>Log in</html>", 407),
            }.get(request.service)

        return self.faulty(
            answer, "--check=check41,check28,extra712,extra73,extra728,extra731", "--filter-region=eu-west-1",
            AWS_MAX_ATTEMPTS="1", AWS_ENDPOINT_URL_SQS=f"http://127.0.0.1:{free_port()}",
        )  # fmt: skip

    def without_moto(self) -> str:
        (self.folder / "sitecustomize.py").write_text("import sys\nsys.modules['moto'] = None\n")
        return self.run("--demo", PYTHONPATH=str(self.folder))

    def path(self) -> str:
        (self.folder / "run.rec").touch()
        return self.run("--replay", str(self.folder / "run.rec"))


def error(code: str, message: str, status: int = 403, **headers: str) -> Reply:
    """An error of the query protocol, and of S3."""
    said = f"<Code>{code}</Code><Message>{message}</Message>"
    return Reply(f"<ErrorResponse>{said}<Error>{said}</Error></ErrorResponse>".encode(), status, headers)


def error_of_ec2(code: str, message: str) -> Reply:
    """An error of EC2."""
    said = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(f"<Response><Errors>{said}</Errors></Response>".encode(), 403)


def one_region(request: Request) -> Reply | None:
    """All other regions are off."""
    item = b"<R><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></R>"
    return Reply(item) if request.operation == "DescribeRegions" else None


def no_regions(request: Request) -> Reply | None:
    """The regions may not be listed."""
    return error_of_ec2(*REGIONS_DENIED) if request.operation == "DescribeRegions" else None


def slow(request: Request) -> Reply | None:
    """A call that takes its time."""
    return Reply(status=500, late=11) if request.operation == "DescribeSecurityGroups" else None


def late_date() -> str:
    return format_datetime(datetime.now(UTC) - timedelta(minutes=30), usegmt=True)


CASES: dict[str, Callable[[Trouble], str]] = {
    "no AWS credentials": lambda t: t.run(*CHECK, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""),
    "produktion": lambda t: t.run(*CHECK, "--profile=produktion"),
    "(ExpiredToken)": lambda t: t.answered(error("ExpiredToken", "The security token included in the request is expired")),
    "(RequestExpired: ": lambda t: t.faults,
    "(InvalidClientTokenId)": lambda t: t.answered(
        error("InvalidClientTokenId", "The security token included in the request is invalid.")
    ),
    "minutes ahead of": lambda t: t.answered(error("SignatureDoesNotMatch", "Signature expired: x", Date=late_date())),
    "whom does the role trust": lambda t: t.role(Target(account="111111111111", role="Audit", external_id="mine")),
    "sts:AssumeRole failed": lambda t: t.mfa(),
    "give -T 3600 or less": lambda t: t.role(Target("role", account="333333333333", role="Audit", session_duration=7200)),
    "no terminal": lambda t: t.mfa("--mfa"),
    "does not accept the MFA code": lambda t: t.mfa(f"--mfa-serial={DEVICE}", "--mfa-token=123456"),
    "macie2:GetMacieSession": lambda t: t.faults,
    "a service control policy denies it": lambda t: t.faults,
    "ec2:DescribeRegions": lambda t: t.faulty(no_regions, "--check=check41"),
    "was throttled": lambda t: t.faults,
    "(--filter-region)": lambda t: t.faulty(one_region, "--check=check41", "--filter-region=eu-south-1"),
    "left out": lambda t: t.faulty(one_region, "--check=check41", "--filter-region=eu-west-1,eu-south-1", *TWO),
    "unknown region": lambda t: t.run("--filter-region=eu-west-11"),
    "AWS cannot be reached": lambda t: t.entering(AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}"),
    "sqs:ListQueues failed": lambda t: t.faults,
    "web page": lambda t: t.faults,
    "unrecognized arguments": lambda t: t.path(),
    "no check is selected": lambda t: t.run(*CHECK, "--severity=low"),
    "unknown check": lambda t: t.run("--check=chekc41"),
    "there is no marker": lambda t: t.run("-m", "cislevel3"),
    "the AWS emulator is not installed": lambda t: t.without_moto(),
    "no unfinished run": lambda t: t.run(*CHECK, "--resume", f"--output-directory={os.path.relpath(t.folder, ROOT)}"),
    "waiting for": lambda t: t.faulty(slow, *CHECK, AWS_MAX_ATTEMPTS="1"),
}  # fmt: skip
"""Part of a line -> what leads to it."""


@pytest.fixture(scope="module")
def trouble(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    return Trouble(emulator, tmp_path_factory.mktemp("trouble"))


@pytest.mark.parametrize("line", SHOWN)
def test_a_line_of_the_guide_is_printed(trouble: Trouble, line: str) -> None:
    """``…`` in the guide stands for anything."""
    (lead,) = [case for part, case in CASES.items() if part in line]
    printed = lead(trouble)
    wanted = re.compile(".+".join(map(re.escape, line.replace("in reports:", "in …:").split("…"))))
    assert any(wanted.fullmatch(one.strip()) for one in printed.splitlines()), printed


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_ENDPOINT_URL": "http://nowhere.invalid"}, "Name or service not known"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}, "ProxyConnectionError"),
        ({"AWS_ENDPOINT_URL": "localhost:9"}, "must begin with http"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:9", "AWS_CA_BUNDLE": "/nonexistent"}, "the certificates of AWS_CA_BUNDLE"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:9", "AWS_CA_BUNDLE": str(ROOT / "README.md")},
         "the certificates of AWS_CA_BUNDLE"),
    ],
    ids=["name", "proxy", "scheme", "no bundle", "what is no bundle"],
)  # fmt: skip
def test_words_about_the_network(trouble: Trouble, environment: dict[str, str], words: str) -> None:
    assert f"`{words}`" in (ROOT / "docs" / "troubleshooting.md").read_text()
    said = trouble.entering(**environment)
    assert said.startswith("ERROR: AWS cannot be reached: "), said
    assert words in said


def test_a_certificate_that_nobody_vouches_for(trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a proxy which opens TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(trouble.folder))

    class Tls(Http):
        def get_request(self) -> tuple[socket.socket, Any]:
            plain, address = super().get_request()
            return context.wrap_socket(plain, server_side=True), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            """The client hangs up, which is what this is about."""

    with listening(QuietHandler, Tls) as url:
        said = trouble.entering(AWS_ENDPOINT_URL=url.replace("http:", "https:"))
    assert said.startswith("ERROR: AWS cannot be reached: "), said
    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert "`CERTIFICATE_VERIFY_FAILED`" in (ROOT / "docs" / "troubleshooting.md").read_text()


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("is not authorized to perform: s3:X on resource: r with an explicit deny in a service control policy: arn:x",
         "; a service control policy denies it"),
        ("is not authorized to perform: s3:X with an explicit deny in an identity-based policy",
         "; an identity-based policy denies it"),
        ("is not authorized to perform: s3:X because no permissions boundary allows the s3:X action",
         "; no permissions boundary allows it"),
        ("is not authorized to perform: s3:X because no identity-based policy allows the s3:X action", ""),
        ("Access Denied", ""),
    ],
)  # fmt: skip
def test_the_policy_that_refuses_a_call_is_named(said: str, end: str) -> None:
    """Not the usual one, the caller's own: there the permission is missing, which the message says anyway."""
    error = ApiError("s3", "X", "AccessDenied", said, region="eu-west-1")
    assert str(error) == f"access denied in eu-west-1: s3:X is needed (s3:X, AccessDenied){end}"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_MAX_ATTEMPTS", "many", "'many' is not a whole number of at least 1"),
        ("AWS_MAX_ATTEMPTS", "0", "'0' is not a whole number of at least 1"),
        ("AWS_RETRY_MODE", "quick", "'quick' is none of adaptive, legacy, standard"),
    ],
)
def test_retries_that_are_none(trouble: Trouble, name: str, value: str, words: str) -> None:
    assert trouble.entering(**{name: value}) == f"ERROR: {name}: {words}"
