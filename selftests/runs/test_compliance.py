"""Requirements of frameworks: rolled up from the findings of the run, alone and with workers."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.model import Account
from plugins.catalog.checks import Check
from plugins.catalog.files import CatalogError, read_yaml
from plugins.catalog.framework_files import Framework, Requirement, check_id, frameworks
from plugins.catalog.groups import groups, use_folders
from plugins.compliance.frameworks import as_check, references_of
from plugins.compliance.roll_up import Evidence, Outcome, Outcomes
from plugins.findings.verdict import evaluate
from plugins.suite import ROOT
from selftests.conftest import ACCOUNT, StubBackend
from selftests.whole_runs import REGIONS, Emulator, Suite
from selftests.whole_runs import Outcome as Ended

WHOLE = {"cis-1-2": "cislevel2", "hipaa": "hipaa", "gdpr": "gdpr", "pci-dss-3-2-1": "pci", "iso-27001-2013": "iso27001"}


@pytest.mark.parametrize("id", WHOLE)
def test_a_framework_has_exactly_the_checks_of_its_group(id: str, checks: dict[str, Check]) -> None:
    named = {check for one in frameworks()[id].requirements for check in one.checks}
    assert named == set(groups()[WHOLE[id]].checks)
    for one in frameworks()[id].requirements:
        if named <= checks.keys():
            assert as_check(frameworks()[id], one, judge(), checks).groups


def test_cis_requirements_are_in_the_groups_of_their_check(checks: dict[str, Check]) -> None:
    for one in frameworks()["cis-1-2"].requirements:
        [check] = one.checks
        cis = {name for name in checks[check].groups if name.startswith("cislevel")}
        assert (one.id, set(one.groups)) == (checks[check].number, cis)


def test_references() -> None:
    assert references_of("check113")[0] == "CIS AWS 1.2.0/1.13"
    assert any(one.startswith("PCI DSS 3.2.1/") for one in references_of("check113"))
    assert references_of("extra7100") == []


# -- judging ----------------------------------------------------------------------------------------------------------


def judge() -> Callable[..., object]:
    spec = importlib.util.spec_from_file_location("roll_up", ROOT / "tests_compliance" / "test_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., object] = module.test_requirement
    return found


class Given:
    """Findings, as far as outcomes look at them."""

    def __init__(self, check: str, status: str, resource: str = "", message: str = "") -> None:
        self.check = type("C", (), {"id": check})
        self.account, self.status, self.resource_id, self.message = ACCOUNT, status, resource, message


@pytest.mark.parametrize(
    ("given", "selected", "partial", "expected"),
    [
        ([("check11", "PASS"), ("check12", "PASS"), ("check12", "PASS")], "both", "",
         "PASS: 3 resources pass check11, check12"),
        ([("check11", "PASS"), ("check12", "INFO")], "both", "", "PASS: 1 resources pass check11, check12"),
        ([("check11", "FAIL", "a"), ("check12", "PASS")], "both", "", "FAIL: 1 of 2 checks fail: check11 on 1 resource (a)"),
        ([*(("check11", "FAIL", f"r{n}") for n in range(7)), ("check12", "FAIL", "z")], "both", "",
         "FAIL: 2 of 2 checks fail: check11 on 7 resources (r0, r1, r2, r3, r4 and 2 more); check12 on 1 resource (z)"),
        ([("check11", "FAIL", "a"), ("check12", "ERROR", "", "denied")], "both", "", "FAIL: 1 of 2 checks fail"),
        ([("check11", "PASS"), ("check12", "PASS"), ("check12", "ERROR", "", "denied")], "both", "",
         "ERROR: 1 checks could not be evaluated: check12 (denied)"),
        ([("check11", "PASS")], "both", "", "ERROR: 1 checks could not be evaluated: check12 (it gave no finding)"),
        ([("check11", "INFO"), ("check12", "INFO")], "both", "",
         "INFO: nothing was looked at: there is nothing for check11, check12 to check"),
        ([("check11", "PASS")], "check11", "", "INFO: what was looked at passes, but not all was: not selected check12"),
        ([("check11", "FAIL", "a")], "check11", "", "FAIL: 1 of 2 checks fail"),
        ([], "none", "", "INFO: nothing was looked at: none of check11, check12 was selected"),
        ([("check11", "PASS"), ("check12", "PASS")], "both", "--max-items left resources out",
         "INFO: what was looked at passes, but not all was: --max-items left resources out"),
        ([("check11", "WARNING"), ("check12", "PASS")], "both", "", "WARNING: 1 failures are accepted, 1 resources pass"),
        ([("check13", "FAIL", "a"), ("check11", "PASS"), ("check12", "PASS")], "both", "", "PASS: 2 resources pass"),
    ],
)  # fmt: skip
def test_a_requirement_is_judged_by_its_checks(
    given: list[tuple[Any, ...]], selected: str, partial: str, expected: str, checks: dict[str, Check]
) -> None:
    requirement = Requirement("9.9", "Both", ["check11", "check12"], ["cislevel1"])
    framework = Framework("f", "F", "Frame", "https://example.com", ["cislevel1"], [requirement])
    check = as_check(framework, requirement, judge(), checks)
    assert (check.id, check.number, check.title, check.severity) == ("f-9-9", "9.9", "F 9.9: Both", "high")
    outcomes = Outcomes(requirement.checks)
    for one in given:
        outcomes.add(Given(*one))  # type: ignore[arg-type]
    chosen = {"both": {"check11", "check12"}, "check11": {"check11"}, "none": set()}[selected]
    backend = StubBackend({}, None)
    account = Account(ACCOUNT, backend=backend, crew=Crew(1), now=utcnow(), regions=["eu-west-1"])
    verdict = evaluate(
        check, Evidence(account, requirement, check, outcomes, chosen.__contains__, lambda: partial), None
    )
    assert f"{verdict.status}: {verdict.message}".startswith(expected)
    assert not verdict.crash
    assert not backend.calls


def test_a_long_list_of_failures_keeps_only_the_first() -> None:
    outcome = Outcome()
    for number in range(1000):
        outcome.add(Given("check11", "FAIL", str(number)))  # type: ignore[arg-type]
    assert len(outcome.failing) == 5
    assert outcome.failing_text == "1000 resources (0, 1, 2, 3, 4 and 995 more)"


# -- files ------------------------------------------------------------------------------------------------------------

GOOD = """
id: house-rules
name: House
title: House rules
source: https://example.com
groups: [trustboundaries]
requirements:
- {id: 1 (a), title: Closed, checks: [check401, check42]}
- {id: 2 (b), title: Quiet, checks: [check43], groups: [group4]}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("checks: [check43]", "checks: []", "requirement 2 \\(b\\) has no checks"),
        ("groups: [group4]", "groups: [group44]", "requirement 2 \\(b\\): unknown group 'group44'"),
        ("id: 2 (b)", "id: 1 -a-", "requirement 1 \\(a\\) is there twice"),
        ("id: house-rules", "id: House Rules", "may have lower-case letters"),
        ("name: House", "nam: House", "missing required field `name`|unknown field"),
        ("title: Closed", "title: [", "line"),
    ],
)
def test_bad_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = tmp_path / "frameworks"
    folder.mkdir()
    (folder / "house.yaml").write_text(GOOD.replace(old, new))
    try:
        with pytest.raises(CatalogError, match=message):
            use_folders([tmp_path])
    finally:
        use_folders([])


def test_a_file_is_read_with_aliases_and_groups(tmp_path: Path) -> None:
    folder = tmp_path / "frameworks"
    folder.mkdir()
    (folder / "house.yaml").write_text(GOOD)
    assert read_yaml(folder / "house.yaml", Framework).requirements[0].checks == ["check401", "check42"]
    use_folders([tmp_path])
    try:
        house = frameworks()["house-rules"]
    finally:
        use_folders([])
    assert [one.checks for one in house.requirements] == [["check41", "check42"], ["check43"]]
    assert [one.groups for one in house.requirements] == [["trustboundaries"], ["group4"]]
    assert [check_id(house, one) for one in house.requirements] == ["house-rules-1-a", "house-rules-2-b"]


# -- whole runs -------------------------------------------------------------------------------------------------------


NETWORK = """
id: net
name: Net
title: Network rules
source: https://example.com
groups: [group4]
requirements:
- {id: '4.1', title: SSH, checks: [check41]}
- {id: '4.2', title: RDP, checks: [check42]}
- {id: '4.3', title: Default groups, checks: [check43]}
- {id: '4.4', title: Peering, checks: [check44]}
"""


def requirements(done: Ended) -> dict[str, str]:
    return {key[0]: text for key, text in done.statuses().items() if key[0].startswith(("cis-1-2", "house", "net"))}


@pytest.fixture
def network(tmp_path: Path) -> str:
    """--checks-dir with a framework over the network checks."""
    (tmp_path / "net" / "frameworks").mkdir(parents=True)
    (tmp_path / "net" / "frameworks" / "net.yaml").write_text(NETWORK)
    return f"--checks-dir={tmp_path / 'net'}"


@pytest.mark.parametrize("workers", ["0", "2", "8"])
def test_roll_up_in_every_role(emulator: Emulator, suite: Suite, network: str, workers: str) -> None:
    where = f"--filter-region={','.join(REGIONS)}"
    done = suite("-m", "group4", where, network, "-n", workers, env=emulator.environment)
    assert done.code == 1, done.out + done.err
    found = requirements(done)
    assert found.keys() == {f"net-4-{number}" for number in (1, 2, 3, 4)}
    assert found["net-4-1"].startswith("FAIL: 1 of 1 checks fail: check41 on 3 resources (sg-")
    assert found["net-4-2"].startswith("Pass: ")
    assert re.search(r"requirements +met +not met +not looked at\nNet +1 +2 +1\n", done.out)
    assert "4 of 4 checks fully evaluated" in done.out
    order = [one["Check ID"] for one in done.findings()]
    assert {one.startswith("net-4") for one in order[-4:]} == {True}
    one = next(one for one in done.findings() if one["Check ID"] == "net-4-1")
    assert one["Control ID"] == "4.1"
    assert one["Resource Type"] == "AwsAccount"
    assert one["Groups"] == ["group4"]


def test_left_out_unless_a_framework_is_asked_for(emulator: Emulator, suite: Suite, network: str) -> None:
    where = "--filter-region=eu-west-1"
    for left_out in (["-m", "group4 and not compliance"], ["--check=check42"], []):
        listed = suite(*left_out, where, network, "--collect-only", "-q", env=emulator.environment)
        assert "4_networking" in listed.out
        assert "test_requirement" not in listed.out
    part = suite("-m", "group4", "--exclude-check=check42", where, network, env=emulator.environment)
    assert requirements(part)["net-4-2"] == "Info: nothing was looked at: none of check42 was selected"
    whole = suite("--group=group4", where, network, "--collect-only", "-q", env=emulator.environment)
    assert "test_requirement[123456789012-us-east-1-net-4-1]" in whole.out
    some = suite("-m", "group4", "-k", "eu-west-1 or compliance", where, network, env=emulator.environment)
    assert "only some of the resources were selected" in requirements(some)["net-4-2"]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_was_deselected_is_not_met(emulator: Emulator, suite: Suite, network: str, workers: str) -> None:
    rdp = "tests_cis/test_4_networking.py::test_rdp_is_not_open_to_the_internet[123456789012-eu-west-1"
    arguments = ("-m", "group4", network, "--filter-region=eu-west-1,us-east-1", "-n", workers)
    done = suite(*arguments, f"--deselect={rdp}", env=emulator.environment)
    assert {key[2] for key in done.statuses() if key[0] == "check42"} == {"us-east-1"}
    assert requirements(done)["net-4-2"] == (
        "Info: what was looked at passes, but not all was: only some of the resources were selected"
    )


@pytest.mark.parametrize(
    ("marker", "prefix"), [("gdpr", "gdpr-"), ("hipaa", "hipaa-"), ("pci", "pci-dss-"), ("iso27001", "iso-27001-"),
                           ("cislevel2", "cis-1-2-")],
)  # fmt: skip
def test_the_groups_of_the_frameworks_roll_them_up(emulator: Emulator, suite: Suite, marker: str, prefix: str) -> None:
    done = suite(
        "-m", marker, "--max-items=1", "--filter-region=eu-west-1", "--collect-only", "-q", env=emulator.environment
    )
    rolled_up = [line for line in done.out.splitlines() if f"test_requirement[123456789012-us-east-1-{prefix}" in line]
    framework = next(one for one in frameworks().values() if check_id(one, one.requirements[0]).startswith(prefix))
    assert len(rolled_up) == len(framework.requirements)


def test_a_framework_of_ones_own(emulator: Emulator, suite: Suite) -> None:
    own = suite.folder / "own"
    (own / "frameworks").mkdir(parents=True)
    (own / "frameworks" / "house.yaml").write_text(GOOD)
    arguments = ("-m", "group4 or trustboundaries", f"--checks-dir={own}", "--filter-region=eu-west-1")
    alone = suite(*arguments, env=emulator.environment)
    parallel = suite(*arguments, "-n", "2", env=emulator.environment)
    assert requirements(alone) == requirements(parallel)
    assert requirements(alone)["house-rules-1-a"].startswith("FAIL: 1 of 2 checks fail: check41 on 1 resource (sg-")
    (own / "frameworks" / "house.yaml").write_text(GOOD.replace("check42", "check99"))
    bad = suite(*arguments, env=emulator.environment)
    assert bad.code == 4
    assert "framework house-rules, requirement 1 (a): unknown check 'check99'" in bad.err
    assert bad.err.strip().count("\n") == 0
