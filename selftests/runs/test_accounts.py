"""Which accounts a run audits: contradictions, the accounts file, profiles, an organization."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.access.entering import Doorway, enter_all
from fixtures.access.sources import Sources
from fixtures.access.target import Target
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError, SessionError
from fixtures.model import Account
from plugins.audit.targets import sources, targets
from plugins.catalog.checks import Check
from plugins.options import thresholds
from plugins.options.account_options import is_role, refuse_contradictions
from plugins.options.accounts_file import ListedAccount, read_accounts
from plugins.options.values import Options
from selftests.conftest import ACCOUNT
from selftests.whole_runs import REGIONS, Emulator, Suite

OTHERS = ["111111111111", "222222222222"]
ONE = ListedAccount("111111111111", "--accounts-file: f, line 1", regions=["eu-west-1"])


def options(**given: Any) -> Options:
    """Options of which only ``given`` was said."""
    return Options(**{"role_session_name": "audit", **given})


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"accounts": OTHERS, "organization": True, "role": "r"}, "--account and --organization both say which accounts"),
    ({"accounts_file": Path("f"), "all_profiles": True}, "--accounts-file and --all-profiles both say"),
    ({"organization": True}, "--organization needs --role"),
    ({"organization": True, "role": "arn:aws:iam::111111111111:role/r"}, "names its account already: leave --organization out"),
    ({"all_profiles": True, "role": "r"}, "--all-profiles takes the credentials of every profile"),
    ({"all_profiles": True, "profiles": ["a"]}, "--all-profiles takes the credentials of every profile"),
    ({"accounts_file": Path("f"), "profiles": ["a", "b"]}, "from one --profile"),
    ({"accounts_file": Path("f"), "listed_accounts": [ONE]}, "f, line 1: the account has no role, and there is no --role"),
    ({"accounts_file": Path("f"), "listed_accounts": [ONE], "role": "r", "filter_regions": ["us-east-1"]}, "f, line 1: none of"),
    ({"excluded_accounts": OTHERS}, "--exclude-account narrows"),
    ({"excluded_accounts": OTHERS, "all_profiles": True}, "--exclude-account narrows"),
    ({"excluded_accounts": ["1"], "organization": True, "role": "r"}, "--exclude-account: '1' is not a 12-digit"),
    ({"organization": True, "organization_units": ["Workloads"], "role": "r"}, "'Workloads' is not the ID of a unit"),
    ({"organization": True, "role": "a b"}, "--role: 'a b' is not the name of a role"),
    ({"role": "arn:aws:iam::1:role/r"}, "is not the ARN of a role"),
    ({"role_session_name": "a b"}, "--role-session-name: 'a b' must be 2 to 64"),
    ({"role_session_name": "é" * 3}, "--role-session-name: 'ééé' must be"),
    ({"external_id": "a b", "role": "arn:aws:iam::111111111111:role/r"}, "--external-id: it must be 2 to 1224"),
    ({"mfa_token": "12345"}, "--mfa-token: an MFA code has six digits"),
    ({"mfa_serial": "phone"}, "--mfa-serial: 'phone' is not the ARN or serial number"),
    ({"replay": Path("r"), "organization": True}, "--organization enters accounts, which --replay does not"),
    ({"replay": Path("r"), "mfa": True}, "--mfa enters accounts, which --replay does not"),
    ({"demo": True, "organization": True, "role": "r"}, "--demo audits its own sample organization"),
    ({"demo": True, "mfa": True}, "--demo audits its own sample organization"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), CONTRADICTIONS, ids=[message for _, message in CONTRADICTIONS])
def test_contradictions_are_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(pytest.UsageError, match=re.escape(message)) as refused:
        refuse_contradictions(options(**given))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {}, {"profiles": ["a", "b"]}, {"role": "arn:aws-cn:iam::111111111111:role/path/r"},
        {"accounts": OTHERS, "role": "path/r", "external_id": "x:y/z"}, {"replay": Path("r"), "accounts": OTHERS},
        {"organization": True, "role": "r", "excluded_accounts": OTHERS, "organization_units": ["ou-ab12-cdef3456", "r-ab12"]},
        {"accounts_file": Path("f"), "listed_accounts": [ONE], "role": "r", "filter_regions": ["eu-west-1", "us-east-1"]},
        {"demo": True, "accounts": OTHERS}, {"mfa": True, "mfa_serial": "GAHT12345678", "mfa_token": "012345"},
    ],
)  # fmt: skip
def test_what_goes_together(given: dict[str, Any]) -> None:
    refuse_contradictions(options(**given))


# -- the accounts file -------------------------------------------------------------------------------------------------

BAD_FILES = [
    ("- id: 11111111111", 1, "'11111111111' is not a 12-digit account ID"),
    ("- id: 111111111111\n  nmae: x", 2, "unknown key 'nmae'; did you mean name?"),
    ("- id: 111111111111\n  name: x\n  name: y", 3, "the key 'name' is there twice"),
    ("- id: 111111111111\n- id: 222222222222\n- id: 111111111111", 3, "the account 111111111111 is there twice"),
    ("- name: x", 1, "an account needs its id"),
    ("- 111111111111", 1, "an account must be a table of id, name"),
    ("id: 111111111111", 1, "the file must be a list"),
    ("- id: 111111111111\n  role: arn:aws:iam::222222222222:role/r", 2, "or ARN in account 111111111111"),
    ("- id: 111111111111\n  regions: eu-west-1", 2, "regions must be a list"),
    ("- id: 111111111111\n  regions:\n  - eu-west-1\n  - eu-west-9", 4, "unknown region 'eu-west-9'"),
    ("- id: 111111111111\n  tags: [a]", 2, "tags must be a table"),
    ("- id: 111111111111\n  tags:\n    a: [b]", 3, "the tag a must be a text"),
    ("- id: 111111111111\n  config:\n    check14: 5", 3, "the thresholds of check14 must be a table"),
    ("- id: 111111111111\n  config: {a: {b: !!python/name:os.system x}}", 2, "config cannot be read"),
    ("- id: 111111111111\n  name: [", 3, "not YAML"),
    ("- id: 111111111111\n\tname: x", 2, "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "message"), BAD_FILES, ids=[message for _, _, message in BAD_FILES])
def test_a_bad_accounts_file_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(text + "\n")
    with pytest.raises(pytest.UsageError) as refused:
        read_accounts(file, is_role)
    assert str(refused.value).startswith(f"--accounts-file: {file}, line {line}: "), refused.value
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", [None, "", "[]", b"\xff", "a: &x [*x"])
def test_a_file_that_is_no_list_of_accounts(tmp_path: Path, text: str | bytes | None) -> None:
    file = tmp_path / "accounts.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(pytest.UsageError, match=r"--accounts-file: .*accounts\.yaml"):
        read_accounts(file, is_role)


def test_thresholds_of_an_accounts_file(tmp_path: Path, checks: dict[str, Check]) -> None:
    file = tmp_path / "accounts.yaml"
    shared = tmp_path / "config.yaml"
    shared.write_text(
        'check14: {max_access_key_age_days: 60}\naccounts: {"000000000001": {check14: {max_access_key_age_days: 50}}}'
    )
    file.write_text("- id: 000000000001\n  config:\n    check14: {max_access_key_age_days: 30}\n- id: 222222222222\n")
    listed = read_accounts(file, is_role)
    assert [one.id for one in listed] == ["000000000001", "222222222222"]
    found = thresholds.load(shared, checks, listed)
    assert found.of("check14", "000000000001") == {"max_access_key_age_days": 30}
    assert found.of("check14", "222222222222") == {"max_access_key_age_days": 60}
    file.write_text("- id: 000000000001\n  config:\n    check14: {max_age: 30}\n")
    with pytest.raises(pytest.UsageError, match=r"accounts.yaml, line 3: check14 has no setting 'max_age'"):
        thresholds.load(None, checks, read_accounts(file, is_role))


# -- ways in -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def crew() -> Iterator[Crew]:
    found = Crew(4)
    yield found
    found.close()


def ways_in(crew: Crew, **given: Any) -> tuple[list[Target], Doorway]:
    said = options(**given)
    door = Doorway(crew, utcnow(), said.region, said.filter_regions, sources=sources(said))
    return targets(said, door), door


@pytest.mark.usefixtures("moto")
def test_entries_of_lists_of_accounts(crew: Crew) -> None:
    found, door = ways_in(
        crew, accounts=[*OTHERS, *OTHERS], role="r", external_id="x1", excluded_accounts=[OTHERS[0], ACCOUNT]
    )
    assert [(one.account, one.role, one.external_id) for one in found] == [(OTHERS[1], "r", "x1")]
    assert door.notes == [f"--exclude-account: not among the accounts anyway: {ACCOUNT}"]
    assert "x1" not in repr(found)
    listed = [
        ListedAccount(OTHERS[0], "", name="shop", regions=["eu-west-1", "us-east-1"], tags={"team": "web"}),
        ListedAccount(OTHERS[1], "", role="own"),
    ]
    found, _ = ways_in(crew, listed_accounts=listed, role="r", filter_regions=["eu-west-1"])
    assert [(one.role, one.name, one.regions) for one in found] == [("r", "shop", ["eu-west-1"]), ("own", "", [])]
    assert found[0].tags == {"team": "web"}
    with pytest.raises(SessionError, match="--exclude-account leaves no account"):
        ways_in(crew, accounts=OTHERS, role="r", excluded_accounts=OTHERS)


def test_without_credentials_several_accounts_are_no_run(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(SessionError, match="no AWS credentials"):
        ways_in(crew, accounts=OTHERS, role="r")


class Door(Doorway):
    """A doorway that gives or raises what the test says."""

    def __init__(self, crew: Crew, **answers: Account | ApiError) -> None:
        super().__init__(crew, utcnow(), sources=Sources())
        self.answers = answers

    def enter(self, entry: Target) -> Account:
        answer = self.answers[entry.profile]
        if isinstance(answer, ApiError):
            raise answer
        return answer


def error(code: str, reason: str = "because") -> ApiError:
    return ApiError("sts", "AssumeRole", code, reason)


def test_when_the_run_ends_and_when_an_account_is_an_error(crew: Crew) -> None:
    two = [Target("a", OTHERS[0], "r"), Target("a", OTHERS[1], "r")]
    closed = enter_all(two, Door(crew, a=error("AccessDenied")))
    assert [account.id for _, account in closed] == OTHERS
    with pytest.raises(SessionError, match=r"the role r cannot be assumed: because \(ExpiredToken\); log in again"):
        enter_all(two, Door(crew, a=error("ExpiredToken")))
    with pytest.raises(SessionError, match=r"the role r cannot be assumed: because \(AccessDenied\); whom does"):
        enter_all(two[:1], Door(crew, a=error("AccessDenied")))
    profiles = [Target("a"), Target("b")]
    apart = enter_all(profiles, Door(crew, a=error("ExpiredToken"), b=error("ExpiredToken")))
    assert [account.id for _, account in apart] == ["a", "b"]
    limit = error(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    )
    with pytest.raises(
        SessionError, match=r"limits a role that a role assumes to one hour: give -T 3600 or less"
    ) as refused:
        enter_all(two, Door(crew, a=limit))
    assert "\n" not in str(refused.value)


# -- whole runs --------------------------------------------------------------------------------------------------------

CHECK = ["--check=check43", f"--filter-region={','.join(REGIONS)}"]


@pytest.fixture(scope="module")
def organization(emulator: Emulator) -> dict[str, str]:
    """An organization in the emulator: ids of its accounts and units by name."""
    client = emulator.client("organizations", "us-east-1")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    found = {"root": root}
    for name in ("Workloads", "Sandbox"):
        found[name] = client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
    for name, unit in (("shop", "Workloads"), ("mail", "Workloads"), ("play", "Sandbox"), ("gone", "Workloads")):
        id = client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=id, SourceParentId=root, DestinationParentId=found[unit])
        found[name] = id
    client.close_account(AccountId=found["gone"])
    return found


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_organization(emulator: Emulator, suite: Suite, organization: dict[str, str], workers: str) -> None:
    done = suite(
        *CHECK, "--organization", "-R", "Audit", f"--exclude-account={ACCOUNT},{organization['mail']}", "-n", workers,
        env=emulator.environment, formats="jsonl,json-asff",
    )  # fmt: skip
    assert done.code == 1, done.out + done.err
    assert {one["Account Number"] for one in done.findings()} == {organization["shop"], organization["play"]}
    assert f"{organization['shop']} (shop)" in done.out
    assert f"left out: not active in the organization: {organization['gone']} gone (SUSPENDED)" in done.out
    asff = next(done.folder.glob(f"*{organization['shop']}*.asff.json")).read_text()
    assert '"AccountName":"shop","AccountUnit":"Root/Workloads"' in asff


def test_the_plan_of_a_unit(emulator: Emulator, suite: Suite, organization: dict[str, str]) -> None:
    unit = f"--organization-unit={organization['Workloads']}"
    done = suite(*CHECK, unit, "-R", "Audit", "--collect-only", env=emulator.environment)
    assert done.code == 0, done.out + done.err
    lines = [line for line in done.out.splitlines() if line.startswith("account ")]
    named = sorted((organization[name], name) for name in ("shop", "mail"))
    assert lines == [
        f"account {id} ({name} in Root/Workloads, role Audit): {', '.join(sorted(REGIONS))}" for id, name in named
    ]
    wrong = suite(*CHECK, "--organization-unit=ou-aaaa-12345678", "-R", "Audit", env=emulator.environment)
    assert wrong.code == 4
    assert "the organization cannot be read: " in wrong.err
    assert wrong.err.strip().count("\n") == 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_accounts_file(emulator: Emulator, suite: Suite, workers: str) -> None:
    file = suite.folder / "accounts.yaml"
    file.write_text(
        f"- id: '{OTHERS[0]}'\n  name: shop\n  role: Own\n  regions: [eu-west-1]\n  tags: {{team: web}}\n"
        f"- {{id: {OTHERS[1]}, regions: [us-east-1]}}\n"
    )
    done = suite("--check=check43", f"--accounts-file={file}", "-R", "Audit", "-n", workers, env=emulator.environment)
    assert done.code == 1, done.out + done.err
    assert {(one["Account Number"], one["Region"]) for one in done.findings()} == {
        (OTHERS[0], "eu-west-1"), (OTHERS[1], "us-east-1"),
    }  # fmt: skip


@pytest.mark.parametrize("workers", ["0", "2"])
def test_all_profiles(emulator: Emulator, suite: Suite, workers: str) -> None:
    config = suite.folder / "config"
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    config.write_text(
        f"[profile good]\nregion = eu-west-1\n{keys}"
        f"[profile role]\nregion = eu-west-1\nrole_arn = arn:aws:iam::{OTHERS[0]}:role/x\nsource_profile = good\n"
        f"[profile empty]\nregion = eu-west-1\n"
        f"[profile lost]\nregion = eu-west-1\nrole_arn = arn:aws:iam::{OTHERS[1]}:role/x\nsource_profile = nobody\n"
    )
    environment = {**emulator.environment, "AWS_CONFIG_FILE": str(config)}
    done = suite("--check=check43", f"--filter-region={REGIONS[0]}", "--all-profiles", "-n", workers, env=environment)
    assert done.code == 1, done.out + done.err
    assert {(one["Profile"], one["Account Number"], one["Status"]) for one in done.findings()} == {
        ("good", ACCOUNT, "FAIL"), ("role", OTHERS[0], "FAIL"), ("empty", "empty", "ERROR"), ("lost", "lost", "ERROR"),
    }  # fmt: skip
