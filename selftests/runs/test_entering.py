"""Entering accounts with roles: where credentials come from, how they are renewed, and what AWS says when it refuses."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.access.entering import Doorway, enter_all
from fixtures.access.session import base_session, role_session
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, SessionError
from fixtures.api.live import AwsBackend
from fixtures.model import Account
from selftests.conftest import ACCOUNT
from selftests.standins import metadata_server
from selftests.standins.metadata_server import ECS_AUTHORIZATION, MetadataServer
from selftests.standins.sts_server import StsServer, serving
from selftests.whole_runs import Emulator, Suite

ACCOUNTS = ["111111111111", "222222222222"]
ROLE = f"arn:aws:iam::{ACCOUNTS[0]}:role/Audit"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNTS[1]}:role/Audit"
KEYS = "aws_access_key_id = testing\naws_secret_access_key = testing\n"


@pytest.fixture
def sts(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[StsServer]:
    """A stand-in for STS, which this process and its children talk to."""
    with serving(StsServer(emulator.url)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``profiles(text)`` is the AWS configuration of the test."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def configure(text: str) -> None:
        (tmp_path / "config").write_text(text)

    return configure


def entered(*entries: Target) -> list[Account]:
    """The accounts behind entries, as a run enters them."""
    crew = Crew(4)
    try:
        return [account for _, account in enter_all(entries, Doorway(crew, utcnow(), sources=Sources()))]
    finally:
        crew.close()


def who(account: Account) -> str:
    """The account that calls are made in, asked of AWS."""
    return str(account.api.call("sts", "GetCallerIdentity")["Account"])


def refusal(*entries: Target) -> str:
    """Why a run with these entries ends at once, which is one line."""
    with pytest.raises(SessionError) as refused:
        entered(*entries)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# -- where credentials come from ---------------------------------------------------------------------------------------


def test_credential_sources_of_profiles(
    sts: StsServer, profiles: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"[profile user]\n{KEYS}[profile chained]\nrole_arn = {ROLE}\nsource_profile = user\n"
    for source in ("Environment", "Ec2InstanceMetadata", "EcsContainer"):
        text += f"[profile {source}]\nrole_arn = {ROLE}\ncredential_source = {source}\n"
    profiles(text)
    with metadata_server.serving(MetadataServer()) as metadata:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata.url}/ecs")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", ECS_AUTHORIZATION)
        assert who(entered(Target("chained"))[0]) == ACCOUNTS[0]
        assert who(entered(Target("Environment"))[0]) == ACCOUNTS[0]
        assert not metadata.asked
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        assert who(entered(Target("EcsContainer"))[0]) == ACCOUNTS[0]
        assert set(metadata.asked) == {"/ecs"}
        assert who(entered(Target("Ec2InstanceMetadata"))[0]) == ACCOUNTS[0]
        assert metadata_server.CREDENTIALS in metadata.asked
        assert "Environment cannot be used" in refusal(Target("Environment"))
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")
        assert "EcsContainer cannot be used" in refusal(Target("EcsContainer"))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")
        assert "EcsContainer cannot be used" in refusal(Target("EcsContainer"))
    assert sts.count("AssumeRole") >= 4


def test_web_identity(sts: StsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    token = tmp_path / "token"
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    assert "the default credentials cannot be used: [Errno 2] No such file" in refusal(Target())
    token.write_text("right")
    sts.web_token = "right"
    assert who(entered(Target())[0]) == ACCOUNTS[0]
    assert who(entered(Target(role=OTHER_ROLE))[0]) == ACCOUNTS[1]
    sts.web_token = "other"
    assert refusal(Target()) == (
        "the role of the default credentials cannot be assumed: Couldn't retrieve verification key (InvalidIdentityToken)"
    )


def test_a_role_by_name_and_by_arn(sts: StsServer) -> None:
    by_name = Target(account=ACCOUNTS[0], role="path/Audit", session_duration=43200, role_session_name="me")
    by_arn = Target(role=OTHER_ROLE)
    assert [who(account) for account in entered(by_name, by_arn)] == ACCOUNTS
    first = next(one for one in sts.asked if "path/" in one["RoleArn"])
    assert first["RoleArn"] == f"arn:aws:iam::{ACCOUNTS[0]}:role/path/Audit"
    assert (first["DurationSeconds"], first["RoleSessionName"]) == ("43200", "me")


# -- what AWS refuses --------------------------------------------------------------------------------------------------


def test_a_role_of_a_role_for_more_than_an_hour(sts: StsServer, profiles: Callable[[str], None]) -> None:
    profiles(f"[profile user]\n{KEYS}[profile role]\nrole_arn = {ROLE}\nsource_profile = user\n")
    assert who(entered(Target("role", role=OTHER_ROLE, session_duration=3600))[0]) == ACCOUNTS[1]
    assert who(entered(Target("user", role=OTHER_ROLE, session_duration=7200))[0]) == ACCOUNTS[1]
    for entries in (
        [Target("role", role=OTHER_ROLE, session_duration=3601)],
        [Target("role", account=id, role="Audit", session_duration=7200) for id in ACCOUNTS],
    ):
        assert "AWS limits a role that a role assumes to one hour: give -T 3600 or less" in refusal(*entries)


def test_the_external_id_is_neither_guessed_nor_written(sts: StsServer, suite: Suite, emulator: Emulator) -> None:
    sts.external_ids = {ROLE: "customer-7-external"}
    reason = refusal(Target(role=ROLE))
    assert reason.startswith(
        f"the role {ROLE} cannot be assumed: User: testing is not authorized to perform: sts:AssumeRole"
    )
    assert sts.count("AssumeRole") == 1
    assert "ExternalId" not in sts.asked[0]
    environment = {**emulator.environment, "AWS_ENDPOINT_URL": sts.url}
    tape = suite.folder / "run.rec"
    both = suite(
        "--check=check43", "--filter-region=eu-west-1", f"--account={','.join(ACCOUNTS)}", "-R", "Audit",
        "-I", "customer-7-external", f"--record={tape}", "-n", "2", env=environment,
    )  # fmt: skip
    assert both.code == 1, both.out + both.err
    assert {one["Account Number"]: one["Status"] for one in both.findings()} == dict.fromkeys(ACCOUNTS, "FAIL")
    assert {one["ExternalId"] for one in sts.asked[1:]} == {"customer-7-external"}
    written = both.out + both.err + "".join(file.read_text() for file in both.folder.rglob("*.*"))
    assert "customer-7-external" not in written + gzip.decompress(tape.read_bytes()).decode()
    one = suite(
        "--check=check43",
        "--filter-region=eu-west-1",
        f"--account={','.join(ACCOUNTS)}",
        "-R",
        "Audit",
        env=environment,
    )
    assert {one["Account Number"]: one["Status"] for one in one.findings()} == {
        ACCOUNTS[0]: "ERROR",
        ACCOUNTS[1]: "FAIL",
    }
    told = next(finding["Message"] for finding in one.findings() if finding["Status"] == "ERROR")
    assert "AccessDenied: User: testing is not authorized to perform: sts:AssumeRole on resource" in told


# -- renewal -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [900, 3600, 43200])
def test_credentials_are_not_renewed_before_it_is_time(sts: StsServer, seconds: int) -> None:
    session = role_session(AwsBackend(base_session("")), Target(role=ROLE, session_duration=seconds), ROLE)
    backend = AwsBackend(session)
    for _ in range(5):
        backend.call("us-east-1", "sts", "GetCallerIdentity", {})
    assert sts.count("AssumeRole") == 1


BUSY = '''
import time

from fixtures.model import Account
from plugins.catalog import check


@check("busy", severity="low", remediation="None.")
def test_account_is_busy(account: Account) -> None:
    """It takes longer than the credentials last."""
    end = time.monotonic() + {seconds}
    while time.monotonic() < end:
        account.api.call_again("ec2", "DescribeVpcs")
        time.sleep(0.1)
'''


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_outlasts_its_credentials(sts: StsServer, suite: Suite, emulator: Emulator, workers: str) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_busy.py").write_text(BUSY.replace("{seconds}", "14"))
    sts.lifetime = 6
    done = suite(
        "--check=busy", f"--checks-dir={folder}", f"--account={','.join(ACCOUNTS)}", "-R", "Audit", "-n", workers,
        env={**emulator.environment, "AWS_ENDPOINT_URL": sts.url},
    )  # fmt: skip
    assert [(one["Account Number"], one["Status"]) for one in done.findings()] == [(id, "Pass") for id in ACCOUNTS], (
        done.out
    )
    assert not sts.refused  # no call was ever made with credentials that had ended
    for id in ACCOUNTS:
        assert sum(id in one["RoleArn"] for one in sts.asked) >= 3
    used = [key for key in sts.keys_of_calls if key in sts.issued]
    assert len(used) > 50


def test_what_aws_says_when_credentials_cannot_be_renewed(sts: StsServer) -> None:
    sts.lifetime = 0.5
    [account] = entered(Target(role=ROLE))
    sts.external_ids = {ROLE: "asked for since"}
    time.sleep(0.6)
    with pytest.raises(ApiError) as refused:
        account.api.call_again("ec2", "DescribeVpcs")
    assert str(refused.value).startswith("sts:AssumeRole failed in us-east-1: AccessDenied: User: testing is not")


def test_profiles_of_one_account_audit_it_once(sts: StsServer, profiles: Callable[[str], None]) -> None:
    profiles(f"[profile one]\n{KEYS}[profile two]\n{KEYS}")
    assert [account.id for account in entered(Target("one"), Target("two"))] == [ACCOUNT]
