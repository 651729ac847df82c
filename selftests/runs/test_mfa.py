"""MFA: the device and the code are asked for once, on the terminal, and every worker uses what they gave."""

from __future__ import annotations

import gzip
import os
import pty
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures.access.mfa import Mfa, role_chain
from fixtures.access.session import guarded_session
from fixtures.access.sources import Sources
from fixtures.api.errors import SessionError
from fixtures.api.readonly import is_allowed, issuing_session_token
from plugins.suite import ROOT
from selftests.conftest import ACCOUNT
from selftests.standins.sts_server import SECRET, StsServer, serving
from selftests.whole_runs import REGIONS, Emulator, Outcome, Suite, clean_environment

CHECK = ["--check=check43", f"--filter-region={','.join(REGIONS[:2])}"]
DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/phone"
ROLES = [f"arn:aws:iam::{id}:role/Audit" for id in ("111111111111", "222222222222")]
CODE = "824917"  # not a part of an account ID
SECRETS = (SECRET, "token-of-")
WORKERS = pytest.mark.parametrize("workers", ["0", "2"])


@pytest.fixture
def sts(emulator: Emulator) -> Iterator[StsServer]:
    """A stand-in that lets the roles be assumed with MFA only; the code of the device is CODE."""
    with serving(StsServer(emulator.url, codes={DEVICE: CODE}, mfa_roles=set(ROLES))) as server:
        yield server


def environment(emulator: Emulator, sts: StsServer, **more: str) -> dict[str, str]:
    return {**emulator.environment, "AWS_ENDPOINT_URL": sts.url, **more}


class Conversation:
    """A run on a terminal of its own: what it prints there, and answers to what it asks."""

    def __init__(self, suite: Suite, *arguments: str, env: dict[str, str], piped: bool = False) -> None:
        command, self.folder = suite.command(*arguments)
        self.text = ""
        self.log = suite.folder / "log"
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:  # pragma: no cover
            os.chdir(ROOT)
            if piped:  # the terminal is there, but neither stdin nor stdout is it
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(os.open(self.log, os.O_WRONLY | os.O_CREAT), 1)
            os.execve(command[0], command, clean_environment(**env))

    def read(self, until: str = "", seconds: float = 90) -> None:
        """Read until a text appears, or to the end."""
        deadline = time.monotonic() + seconds
        while not until or until not in self.text:
            assert time.monotonic() < deadline, f"no {until!r} in {self.text}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                try:
                    data = os.read(self.terminal, 65536)
                except OSError:  # what Linux gives at the end of a terminal
                    data = b""
                if not data:
                    assert not until, f"no {until!r} in {self.text}"
                    return
                self.text += data.decode(errors="replace")

    def answer(self, question: str, text: str) -> None:
        self.read(question)
        time.sleep(0.3)  # getpass throws away what was typed before it asks
        os.write(self.terminal, text.encode() + b"\n")

    def end(self) -> Outcome:
        self.read()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return Outcome(os.waitstatus_to_exitcode(status), self.text, "", self.folder)


class Watch:
    """Looks, while a run goes on, for session credentials in what processes show of themselves."""

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.looks += 1
            for file in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
                try:
                    text = file.read_text(errors="replace")
                except OSError:  # it has ended, or is somebody else's
                    continue
                self.shown |= {str(file) for secret in SECRETS if secret in text}


@WORKERS
def test_the_terminal_is_asked_once(emulator: Emulator, sts: StsServer, suite: Suite, workers: str) -> None:
    run = Conversation(
        suite, *CHECK, "--mfa", "-A", "111111111111,222222222222", "-R", "Audit", "-n", workers,
        env=environment(emulator, sts), piped=workers == "2",
    )  # fmt: skip
    with Watch() as watch:
        run.answer("MFA device of the default credentials: ", DEVICE)
        run.answer(f"MFA code of {DEVICE}: ", CODE)
        done = run.end()
    assert done.code == 1, done.out
    assert done.out.count("MFA code") == 1
    assert CODE not in done.out  # not echoed
    assert {one["Account Number"] for one in done.findings()} == {"111111111111", "222222222222"}
    assert "ERROR" not in {one["Status"] for one in done.findings()}
    assert sts.count("GetSessionToken") == 1
    assert {sts.issued[one["by"]].kind for one in sts.asked if one["Action"] == "AssumeRole"} == {"session"}
    assert watch.looks > 3
    assert not watch.shown
    written = done.out + "".join(file.read_text() for file in suite.folder.rglob("*") if file.is_file())
    assert not [secret for secret in (*SECRETS, CODE) if secret in written]


def test_answers_given_beforehand(emulator: Emulator, sts: StsServer, suite: Suite) -> None:
    roles = ["-A", "111111111111,222222222222", "-R", "Audit", f"--mfa-serial={DEVICE}"]
    wrong = suite(*CHECK, *roles, "--mfa-token=654321", env=environment(emulator, sts))
    assert wrong.code == 4
    assert wrong.err.strip() == (
        f"ERROR: AWS does not accept the MFA code for {DEVICE}: "
        "MultiFactorAuthentication failed with invalid MFA one time pass code. (AccessDenied)"
    )
    right = suite(*CHECK, *roles, f"--mfa-token={CODE}", "-n", "2", env=environment(emulator, sts))
    assert right.code == 1, right.out + right.err
    assert "ERROR" not in {one["Status"] for one in right.findings()}
    tape = suite.folder / "run.rec"
    sts.codes[DEVICE] = "234567"
    own = suite(
        *CHECK, f"--mfa-serial={DEVICE}", "--mfa-token=234567", f"--record={tape}", env=environment(emulator, sts)
    )
    assert own.code == 1, own.out + own.err
    assert {one["Account Number"] for one in own.findings()} == {ACCOUNT}
    recorded = gzip.decompress(tape.read_bytes()).decode()
    assert "DescribeSecurityGroups" in recorded
    assert not [secret for secret in (*SECRETS, DEVICE) if secret in recorded]
    unused = suite(*CHECK, "--mfa-token=345678", env=environment(emulator, sts))
    assert unused.code == 4
    assert "--mfa-token: nothing asks for a code" in unused.err


@WORKERS
def test_profiles_that_name_a_device(emulator: Emulator, sts: StsServer, suite: Suite, workers: str) -> None:
    config = suite.folder / "config"
    config.write_text(
        "[profile user]\nregion = eu-west-1\naws_access_key_id = testing\naws_secret_access_key = testing\n"
        f"[profile one]\nregion = eu-west-1\nrole_arn = {ROLES[0]}\nsource_profile = user\nmfa_serial = {DEVICE}\n"
        f"external_id = its-own\nrole_session_name = me\nduration_seconds = 1800\n"
        f"[profile two]\nregion = eu-west-1\nrole_arn = {ROLES[1]}\nsource_profile = user\nmfa_serial = {DEVICE}\n"
        "[profile chained]\nregion = eu-west-1\nrole_arn = arn:aws:iam::333333333333:role/x\nsource_profile = one\n"
    )
    sts.external_ids[ROLES[0]] = "its-own"
    done = suite(
        *CHECK, "--profile=one", "--profile=two", "--profile=chained", "--profile=user", f"--mfa-token={CODE}",
        "-n", workers, env=environment(emulator, sts, AWS_CONFIG_FILE=str(config)),
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    assert {(one["Profile"], one["Account Number"]) for one in done.findings()} == {
        ("one", "111111111111"), ("two", "222222222222"), ("chained", "333333333333"), ("user", ACCOUNT),
    }  # fmt: skip
    assert "ERROR" not in {one["Status"] for one in done.findings()}
    assert sts.count("GetSessionToken") == 1  # one code for all
    first = next(one for one in sts.asked if one.get("RoleArn") == ROLES[0])
    assert (first["RoleSessionName"], first["DurationSeconds"]) == ("me", "1800")


# -- without a run -----------------------------------------------------------------------------------------------------


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``profiles(text)`` is the AWS configuration of the test, without keys in the environment."""

    def configure(text: str) -> None:
        (tmp_path / "config").write_text(text)

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return configure


KEYS = "aws_access_key_id = testing\naws_secret_access_key = testing\n"


def test_through_which_profiles_credentials_come(
    profiles: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles(
        f"[default]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = user\n"
        f"[profile user]\n{KEYS}"
        "[profile far]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = default\n"
        f"[profile self]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = self\n{KEYS}"
        "[profile loop]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = pool\n"
        "[profile pool]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = loop\n"
        "[profile web]\nrole_arn = arn:aws:iam::111111111111:role/x\nweb_identity_token_file = /t\n"
    )

    def through(profile: str) -> list[str]:
        return [name for name, _ in role_chain(guarded_session(profile))]

    assert through("") == ["default"]
    assert through("far") == ["far", "default"]
    assert through("self") == ["self"]
    assert through("loop") == ["loop", "pool"]
    assert through("web") == through("user") == []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert through("") == []  # keys in the environment go first, as in boto3
    assert through("far") == ["far", "default"]


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ("source_profile = user", "AWS does not accept"), ("source_profile = self\n" + KEYS, "AWS does not accept"),
        ("credential_source = Ec2InstanceMetadata", "mfa_serial needs a source_profile"),
        ("credential_source = Environment", "mfa_serial needs a source_profile"),
        ("source_profile = nobody", "the profile 'nobody' is not in the AWS configuration"),
        ("source_profile = temporary", "MFA needs the access key of an IAM user"),
    ],
)  # fmt: skip
def test_where_the_keys_for_mfa_come_from(
    profiles: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, facts: str, problem: str
) -> None:
    profiles(
        f"[profile user]\n{KEYS}[profile temporary]\n{KEYS}aws_session_token = t\n"
        f"[profile self]\nrole_arn = arn:aws:iam::111111111111:role/x\nmfa_serial = {DEVICE}\n{facts}\n"
    )
    with serving(StsServer("http://127.0.0.1:9")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(SessionError, match=problem) as refused:
            Sources(mfa=Mfa(code=CODE)).of("self")
    assert "\n" not in str(refused.value)


def test_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.access.mfa.TERMINAL", "/nonexistent/tty")
    for mfa in (Mfa(wanted=True), Mfa(wanted=True, serial=DEVICE)):
        with pytest.raises(
            SessionError, match="no terminal to ask on, give the answers with --mfa-serial and --mfa-token"
        ):
            Sources(mfa=mfa).of("")


def test_only_entering_with_mfa_may_ask_for_a_session_token() -> None:
    with issuing_session_token():
        assert is_allowed("sts", "GetSessionToken")
        with ThreadPoolExecutor(1) as other:
            assert not other.submit(is_allowed, "sts", "GetSessionToken").result()
    assert not is_allowed("sts", "GetSessionToken")
