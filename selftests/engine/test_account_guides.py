"""The commands of docs/multi-account.md and docs/mfa.md work as written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from selftests.conftest import ROOT
from selftests.engine.conftest import Emulator, Suite
from selftests.engine.test_mfa import DEVICE, Conversation
from selftests.standins.sts_server import StsServer, serving

TEXTS = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("multi-account", "mfa")}
COMMANDS = [
    (name, command)
    for name, text in TEXTS.items()
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for command in block.splitlines()
]
CODE = "824917"
USER = "aws_access_key_id = testing\naws_secret_access_key = testing\n"


@pytest.fixture(scope="module")
def unit(emulator: Emulator) -> str:
    """A unit of an organization in the emulator, with an account."""
    client = emulator.client("organizations", "us-east-1")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    id = client.create_account(AccountName="shop", Email="shop@example.com")["CreateAccountStatus"]["AccountId"]
    unit = client.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    client.move_account(AccountId=id, SourceParentId=root, DestinationParentId=unit)
    return str(unit)


@pytest.fixture
def sts(emulator: Emulator) -> Iterator[StsServer]:
    with serving(StsServer(emulator.url, codes={DEVICE: CODE})) as server:
        yield server


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) == 13


@pytest.mark.parametrize(("guide", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_a_command_of_a_guide(
    emulator: Emulator, sts: StsServer, suite: Suite, unit: str, guide: str, command: str
) -> None:
    listed, *_ = re.findall(r"```yaml\n(.*?)```", TEXTS["multi-account"], re.DOTALL)
    (suite.folder / "accounts.yaml").write_text(listed)
    profile, *_ = re.findall(r"```ini\n(.*?)```", TEXTS["mfa"], re.DOTALL)
    plain = f"[profile audit]\nregion = eu-west-1\n{USER}"
    if guide == "mfa":
        plain += re.sub("(?m)^aws_(.*) = …", r"aws_\1 = testing", profile)
    else:
        plain += "[profile shop]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = audit\n"
    (suite.folder / "config").write_text(plain)
    environment = {
        **emulator.environment, "AWS_ENDPOINT_URL": sts.url, "AWS_CONFIG_FILE": str(suite.folder / "config"),
    }  # fmt: skip
    program, *arguments = shlex.split(
        command.replace("ou-abcd-12345678", unit).replace("accounts.yaml", str(suite.folder / "accounts.yaml"))
    )
    assert program == "pytest"
    run = Conversation(suite, *arguments, "--check=check43", "--collect-only", env=environment)
    if "--mfa" in arguments:
        run.answer("MFA device", DEVICE)
    if guide == "mfa" and "--mfa-token" not in arguments:
        run.answer(f"MFA code of {DEVICE}", CODE)
    done = run.end()
    assert done.code == 0, done.out
    audited = re.findall("^account ([0-9]+)", done.out, re.MULTILINE)
    assert audited, done.out
    if "-A" in arguments:
        assert audited == arguments[arguments.index("-A") + 1].split(",")
    assert (sts.count("GetSessionToken") == 1) == (guide == "mfa")
