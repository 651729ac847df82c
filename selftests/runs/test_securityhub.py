"""--security-hub: whole runs against a stand-in that keeps to AWS's limits, and against the emulator as far as it goes."""

from __future__ import annotations

import functools
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.outputs.asff_report import Asff
from plugins.suite import ROOT
from selftests.conftest import ACCOUNT
from selftests.standins.securityhub_server import SecurityHubServer, serving
from selftests.whole_runs import REGIONS, Emulator, Outcome, Suite, clean_environment, start_emulator

EU, US, AP = REGIONS
WIDGETS = '''
import os
from fixtures.api.errors import ApiError
from fixtures.model import Resource
from plugins.catalog import check

WORLD = os.environ["WORLD"]

class Widget(Resource, name="widget", service="ec2", resource_type="AwsEc2Instance"):
    @classmethod
    def discover(cls, api):
        if f"denied={api.region}" in WORLD:
            raise ApiError("ec2", "DescribeWidgets", "AccessDenied", "no", region=api.region)
        first, last = WORLD.partition(" ")[0].split("-")
        for number in range(int(first), int(last)):
            yield cls(api, id=f"w{number}", arn=api.arn("ec2", f"instance/w{number}"))

class Gadget(Widget, name="gadget", service="ec2", resource_type="AwsEc2Volume"):
    pass

@check("widget1", severity="high", remediation="Turn it off.", url="https://docs.aws.amazon.com/w")
def test_widgets_are_fine(widget):
    """Widgets are fine."""
    number = int(widget.id[1:])
    assert "broken" not in WORLD or number % 3, f"widget {number} is broken"

@check("gadget1", severity="low", remediation="Turn it off.")
def test_gadgets_are_fine(gadget):
    """Gadgets are fine."""
'''
WORKERS = pytest.mark.parametrize("workers", ["0", "2"])


@pytest.fixture(scope="module")
def moto() -> Iterator[Emulator]:
    found = start_emulator()
    try:
        yield found
    finally:
        found.server.kill()


@pytest.fixture
def hub(moto: Emulator) -> Iterator[SecurityHubServer]:
    @functools.cache
    def account_of(key: str) -> str:
        import boto3

        if key == "testing":
            return ACCOUNT
        sts = boto3.client("sts", EU, endpoint_url=moto.url, aws_access_key_id=key, aws_secret_access_key="x")
        return str(sts.get_caller_identity()["Account"])

    with serving(SecurityHubServer(account_of)) as server:
        yield server


Audit = Callable[..., Outcome]


@pytest.fixture
def audit(moto: Emulator, hub: SecurityHubServer, suite: Suite, tmp_path: Path) -> Audit:
    """Audit a world of widgets: ``audit("0-10 broken")``. Ends a second later: the next run's findings are newer."""
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "test_widgets.py").write_text(WIDGETS)

    def run(world: str, *arguments: str, check: str = "widget1", code: int | None = None, **env: str) -> Outcome:
        time.sleep(1.05)
        done = suite(
            f"--checks-dir={checks}", f"--check={check}", f"--filter-region={','.join(REGIONS)}", "-S", *arguments,
            env={**moto.environment, "AWS_ENDPOINT_URL_SECURITYHUB": hub.url, "WORLD": world, **env},
        )  # fmt: skip
        if code is not None:
            assert done.code == code, done.out + done.err
        return done

    return run


def without(findings: dict[Any, dict[str, Asff]], *keys: str) -> Any:
    """Everything in Security Hub but some fields."""
    return {
        place: {id: {key: value for key, value in one.items() if key not in keys} for id, one in found.items()}
        for place, found in findings.items()
    }


# -- whole runs --------------------------------------------------------------------------------------------------------


@WORKERS
def test_five_thousand_findings_in_three_regions(audit: Audit, hub: SecurityHubServer, workers: str) -> None:
    hub.throttle_every = 7
    first = audit("0-1700 broken", "-n", workers, code=1)
    assert "Security Hub: 5100 findings imported, 0 archived" in first.out
    assert "ERROR" not in first.out
    assert hub.throttled["injected"] > 5
    assert all(len(hub.of(region)) == 1700 for region in REGIONS)
    assert max(hub.batches) == 100
    for region in REGIONS:
        assert 17 <= hub.calls["BatchImportFindings", region] <= 20
        failed = [one for one in hub.of(region).values() if one["Compliance"]["Status"] == "FAILED"]
        assert len(failed) == 567
        assert {one["Severity"]["Label"] for one in failed} == {"HIGH"}
    before = hub.everything()
    hub.throttle_every = 5
    audit("0-1700 broken", "-n", workers, code=1)
    assert without(hub.everything(), "UpdatedAt") == without(before, "UpdatedAt")
    updates = [
        one["UpdatedAt"] > before[place][id]["UpdatedAt"]
        for place, found in hub.findings.items()
        for id, one in found.items()
    ]
    assert len(updates) == 5100
    assert all(updates)


def test_the_rate_is_kept_without_being_told(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-1500", code=0)
    assert hub.throttled == {}
    audit("0-1500", code=0)
    assert hub.throttled == {}, "reading 15 pages, too"


def test_what_people_did_to_a_finding_stays(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-6 broken", code=1)
    one = next(one for one in hub.of(EU).values() if one["Compliance"]["Status"] == "FAILED")
    one["Workflow"] = {"Status": "NOTIFIED"}
    one["Note"] = {"Text": "ticket 7", "UpdatedBy": "ann", "UpdatedAt": "2026-01-01T00:00:00Z"}
    one["UserDefinedFields"] = {"ticket": "7"}
    created = one["CreatedAt"]
    audit("0-6", code=0)
    now = hub.of(EU)[one["Id"]]
    assert (now["Compliance"]["Status"], now["Severity"]["Label"]) == ("PASSED", "INFORMATIONAL")
    assert (now["CreatedAt"], now["FirstObservedAt"]) == (created, created)
    assert now["UpdatedAt"] > created
    assert (now["Workflow"], now["UserDefinedFields"]) == ({"Status": "NOTIFIED"}, {"ticket": "7"})
    assert now["Note"]["Text"] == "ticket 7"
    audit("0-6 broken", code=1)
    assert hub.of(EU)[one["Id"]]["Workflow"] == {"Status": "NEW"}, "Security Hub itself opens it again"


@WORKERS
def test_findings_whose_resource_is_gone_are_archived(audit: Audit, hub: SecurityHubServer, workers: str) -> None:
    audit("0-250", "-n", workers, code=0)
    done = audit("200-260", "-n", workers, code=0)
    assert "Security Hub: 180 findings imported, 600 archived" in done.out
    for region in REGIONS:
        assert len(hub.of(region)) == 60
        gone = hub.of(region, state="ARCHIVED")
        assert len(gone) == 200
        assert all(one["Workflow"] == {"Status": "RESOLVED"} for one in gone.values())
    again = audit("200-260", "-n", workers, code=0)
    assert "0 archived" in again.out
    audit("199-260", "-n", workers, code=0)
    assert all(len(hub.of(region)) == 61 for region in REGIONS), "a resource that is back is active again"


@WORKERS
def test_a_partial_run_archives_nothing(audit: Audit, hub: SecurityHubServer, workers: str) -> None:
    audit("0-20", check="widget1,gadget1", code=0)
    assert all(len(hub.of(region)) == 40 for region in REGIONS)
    partial = [
        ("5-20", ["--max-items=3"]),
        ("5-20", ["-k", "w7 or w8"]),
        ("5-20 broken", ["-x"]),
        ("5-20", ["--deselect=test_widgets.py::test_widgets_are_fine"]),
        (f"5-20 denied={EU} denied={US} denied={AP}", []),
    ]
    for world, arguments in partial:
        audit(world, "-n", workers, *arguments, check="widget1,gadget1")
        assert not any(hub.of(region, state="ARCHIVED") for region in REGIONS), arguments
    audit("5-20", "-n", workers, check="gadget1", code=0)
    assert all(len(hub.of(region)) == 35 for region in REGIONS), "only those of the check that ran"
    assert all("gadget1" in id for region in REGIONS for id in hub.of(region, state="ARCHIVED"))


def test_a_resource_by_its_node_id_archives_nothing(audit: Audit, hub: SecurityHubServer, suite: Suite) -> None:
    audit("0-20", code=0)
    file = suite.folder / "checks" / "test_widgets.py"
    nodeid = f"{file}::test_widgets_are_fine[{ACCOUNT}-{EU}-w7]"
    before = len(hub.batches)
    audit("5-20", nodeid, "tests_cis/test_1_identity.py", "-c", "pyproject.toml", code=0)
    assert len(hub.batches) > before
    assert not any(hub.of(region, state="ARCHIVED") for region in REGIONS)


@WORKERS
def test_an_error_keeps_the_findings_of_its_region(audit: Audit, hub: SecurityHubServer, workers: str) -> None:
    audit("0-20", code=0)
    audit(f"5-20 denied={EU}", "-n", workers, code=1)
    assert {region: len(hub.of(region)) for region in REGIONS} == dict.fromkeys(REGIONS, 20), "home: others may ask it"
    done = audit(f"5-20 denied={AP}", "-n", workers, code=1)
    assert "ec2:DescribeWidgets is needed" in done.out
    assert {region: len(hub.of(region)) for region in REGIONS} == {EU: 15, US: 15, AP: 20}


def test_a_region_that_is_not_audited_keeps_its_findings(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-20", code=0)
    audit("5-20", f"--filter-region={AP}", code=0)
    assert {region: len(hub.of(region)) for region in REGIONS} == {EU: 20, US: 20, AP: 15}


def test_others_findings_are_left_alone(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-3", code=0)
    mine = next(iter(hub.of(EU).values()))
    others = {
        "another-tool": mine | {"Id": "another-tool", "GeneratorId": "tool-1"},
        "another-product": mine
        | {"Id": "another-product", "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/x"},
        "a-removed-check": mine | {"Id": "a-removed-check", "GeneratorId": "auditest-removed"},
    }
    hub.findings[ACCOUNT, EU] |= others
    audit("3-4", code=0)
    assert set(hub.of(EU)) > set(others)
    assert len(hub.of(EU)) == 4


def test_each_account_imports_its_own(audit: Audit, hub: SecurityHubServer) -> None:
    accounts = ["111111111111", "222222222222", "333333333333"]
    done = audit("0-30", f"--account={','.join(accounts)}", "--role=Audit", "-n", "2", code=0)
    assert "Security Hub: 270 findings imported, 0 archived" in done.out
    assert {place[0] for place in hub.everything()} == set(accounts)
    for account in accounts:
        assert all({one["AwsAccountId"] for one in hub.of(region, account).values()} == {account} for region in REGIONS)
        assert all(len(hub.of(region, account)) == 30 for region in REGIONS)


def test_refused_findings_are_told_one_by_one_and_fail_the_run(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-5", code=0)
    bad = sorted(hub.of(US))[:2]
    hub.refused_ids = {bad[0]: "Title is too long", bad[1]: "no\nTypes"}
    done = audit("0-5", "-n", "2", code=1)
    for id, message in ((bad[0], "Title is too long"), (bad[1], "no")):
        assert (
            f"ERROR! Security Hub: not imported to {US} of account {ACCOUNT}: {id}: InvalidInput: {message}" in done.out
        )
    assert "Security Hub: 13 findings imported" in done.out
    assert "15 passed" in done.out


def test_regions_without_security_hub_are_named_and_skipped(audit: Audit, hub: SecurityHubServer) -> None:
    hub.enabled = {EU}
    done = audit("0-5", code=0)
    line = f"ERROR! Security Hub: findings of {AP}, {US} of account {ACCOUNT} are not imported: Security Hub is not enabled"
    assert done.out.index(line) < done.out.index("auditing ")
    assert done.out.count(line) == 2
    assert set(hub.everything()) == {(ACCOUNT, EU)}
    assert len(done.findings()) == 15, "the reports have all regions"


@WORKERS
def test_nowhere_to_import_ends_the_run_at_once(audit: Audit, hub: SecurityHubServer, workers: str) -> None:
    hub.enabled = set()
    done = audit("0-5", "-n", workers, code=4)
    assert "auditing " not in done.out + done.err
    (line,) = [line for line in (done.out + done.err).splitlines() if line.startswith("ERROR: ")]
    assert "Security Hub is not enabled in" in line
    assert "aws securityhub enable-security-hub --region" in line
    assert "Traceback" not in done.out + done.err
    assert not done.folder.exists() or not list(done.folder.iterdir())


@pytest.mark.parametrize("operation", ["DescribeHub", "GetFindings"])
def test_a_missing_permission_is_named(audit: Audit, hub: SecurityHubServer, operation: str) -> None:
    hub.denied = {operation}
    done = audit("0-5", code=4)
    assert f"securityhub:{operation} is needed" in done.err


def test_an_import_that_is_denied_fails_the_run(audit: Audit, hub: SecurityHubServer) -> None:
    hub.denied = {"BatchImportFindings"}
    done = audit("0-150", code=1)
    assert done.out.count("150 of 150 findings: access denied") == 3
    assert "securityhub:BatchImportFindings is needed" in done.out
    assert "Security Hub: 0 findings imported, 0 archived" in done.out


def test_only_fails(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-9 broken", "--security-hub-only-fails", code=1)
    assert all(len(hub.of(region)) == 3 for region in REGIONS)
    assert {one["Compliance"]["Status"] for one in hub.of(EU).values()} == {"FAILED"}
    audit("0-9", "--security-hub-only-fails", code=0)
    assert not any(hub.of(region) for region in REGIONS)
    assert {one["Compliance"]["Status"] for one in hub.of(EU, state="ARCHIVED").values()} == {"PASSED"}
    assert len(hub.findings[ACCOUNT, EU]) == 3, "what passes is not imported"
    audit("0-9 broken", "--security-hub-only-fails", code=1)
    assert all(len(hub.of(region)) == 3 for region in REGIONS)


def test_ctrl_c_imports_what_there_is_and_archives_nothing(
    moto: Emulator, hub: SecurityHubServer, audit: Audit, suite: Suite
) -> None:
    audit("0-40", code=0)
    slow = WIDGETS.replace(
        "    number = int", "    import time; time.sleep(0.02 * (int(widget.id[1:]) > 45))\n    number = int"
    )
    (suite.folder / "checks" / "test_widgets.py").write_text(slow)
    command, output = suite.command(
        f"--checks-dir={suite.folder}/checks", "--check=widget1", "-S", f"--filter-region={','.join(REGIONS)}"
    )
    environment = {**moto.environment, "AWS_ENDPOINT_URL_SECURITYHUB": hub.url, "WORLD": "30-2000"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(output.glob("*.jsonl.part")):
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    assert not any(hub.of(region, state="ARCHIVED") for region in REGIONS)
    assert sum(len(hub.of(region)) for region in REGIONS) > 120
    assert "0 archived" in out


def test_options_that_do_not_go_together(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("")
    replayed = suite("-S", f"--replay={tmp_path}/r.jsonl")
    assert replayed.code == 4
    assert "--security-hub imports into a live account" in replayed.err
    alone = suite("--security-hub-only-fails")
    assert alone.code == 4
    assert "--security-hub-only-fails needs --security-hub" in alone.err


def test_without_the_option_security_hub_is_not_asked(audit: Audit, hub: SecurityHubServer) -> None:
    audit("0-5", "-o", "security_hub=false", "--collect-only", code=0)
    assert not hub.calls


def test_against_the_emulator(moto: Emulator, suite: Suite) -> None:
    region = "eu-central-1"
    client = moto.client("securityhub", region)
    options = ["--check=check43", f"--filter-region={region}", "-S", "-n", "2"]
    assert suite(*options, env=moto.environment).code == 4
    client.enable_security_hub()
    done = suite(*options, env=moto.environment)
    assert "Security Hub: 1 findings imported, 0 archived" in done.out, done.out + done.err
    (found,) = client.get_findings()["Findings"]
    assert found["Id"] == done.findings()[0]["Finding ID"]
    assert found["GeneratorId"] == "auditest-check43"
