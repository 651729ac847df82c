"""The examples of checks of one's own and of CI, as a user would take them."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml

from plugins.suite import ROOT
from selftests.whole_runs import Emulator, Suite

CUSTOM = ROOT / "examples" / "custom_checks"
CI = ROOT / "examples" / "ci"


@pytest.fixture(scope="module")
def tables(emulator: Emulator) -> Emulator:
    """Three tables: restorable and protected, neither, and empty."""
    dynamodb = emulator.client("dynamodb", "eu-west-1")
    for name, protected, items in (("good", True, 2), ("bad", False, 2), ("empty", False, 0)):
        dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=protected,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )  # fmt: skip
        for number in range(items):
            dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}})
    on = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName="good", PointInTimeRecoverySpecification=on)
    return emulator


EXPECTED = {
    ("own-dynamodb-1", "good"): "Pass: DynamoDB tables can be restored to a point in time",
    ("own-dynamodb-1", "bad"): "FAIL: point-in-time recovery is off",
    ("own-dynamodb-1", "empty"): "FAIL: point-in-time recovery is off",
    ("own-dynamodb-2", "good"): "Pass: 2 items are protected",
    ("own-dynamodb-2", "bad"): "FAIL: 2 items are not protected from deletion",
    ("own-dynamodb-2", "empty"): "Info: the table has 0 items",
}


def test_a_folder_of_the_project_is_named_like_any_tests(tables: Emulator, suite: Suite) -> None:
    done = suite("examples/custom_checks", "--filter-region=eu-west-1,us-east-1", env=tables.environment)
    assert {(id, one): said for (id, _, _, one), said in done.statuses().items()} == EXPECTED, done.out + done.err
    assert done.code == 1


def test_a_folder_elsewhere_joins_the_suite(tables: Emulator, suite: Suite) -> None:
    """With workers, and with the group that it brings, which has a check of the suite too."""
    folder = suite.folder / "elsewhere"
    shutil.copytree(CUSTOM, folder)
    done = suite(
        f"--checks-dir={folder}", "-m", "data-team", "-n", "2", "--filter-region=eu-west-1,us-east-1",
        env=tables.environment,
    )  # fmt: skip
    found = {(id, one): said for (id, _, _, one), said in done.statuses().items()}
    assert EXPECTED.items() <= found.items(), done.out + done.err
    assert {id for id, _ in found} == {"own-dynamodb-1", "own-dynamodb-2", "extra73"}


def test_its_whitelist_accepts_a_failure(tables: Emulator, suite: Suite) -> None:
    done = suite(
        "examples/custom_checks", "--whitelist=examples/custom_checks/whitelist.yaml", "--filter-region=eu-west-1",
        env=tables.environment,
    )  # fmt: skip
    found = {(id, one): said for (id, _, _, one), said in done.statuses().items()}
    assert found["own-dynamodb-1", "bad"].startswith("WARNING: "), done.out + done.err
    assert "scratch data" in found["own-dynamodb-1", "bad"]
    assert found["own-dynamodb-1", "empty"] == EXPECTED["own-dynamodb-1", "empty"]


def test_own_checks_can_be_listed_from_both_places(suite: Suite) -> None:
    """The commands of docs/own-checks.md."""
    inside = suite("examples/custom_checks", "--list-checks").out
    outside = suite(f"--checks-dir={CUSTOM}", "--list-checks", "--check", "own-dynamodb-1,own-dynamodb-2").out
    for out in (inside, outside):
        ids = {line.split()[0] for line in out.splitlines() if line and not line.startswith((" ", "-"))}
        assert ids == {"own-dynamodb-1", "own-dynamodb-2"}, out


# -- CI ------------------------------------------------------------------------------------------------------------


def load(name: str) -> Any:
    """An example of a CI configuration, and that no key is there twice (YAML would take the last)."""

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key) for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{name}: a key of {keys} is there twice"
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, found) for tag, found in resolvers if tag != "tag:yaml.org,2002:bool" or first not in "oO"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }  # GitHub reads YAML 1.2, in which `on` is no truth value
    return yaml.load((CI / name).read_text(), Loader=Loader)


def test_the_github_example_is_pinned_and_may_do_little() -> None:
    workflow = load("github-actions.yml")
    assert set(workflow) == {"name", "on", "permissions", "concurrency", "jobs"}
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    assert job["timeout-minutes"]
    assert not job["runs-on"].endswith("latest")
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step
    text = (CI / "github-actions.yml").read_text()
    assert "secrets." not in text
    assert text.count("uses:") == len(re.findall(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text))


def test_the_gitlab_example_is_pinned_and_publishes_junit() -> None:
    (job,) = load("gitlab-ci.yml").values()
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-[\w-]+", job["image"])
    assert "--require-hashes -r requirements.lock" in job["before_script"][-1]
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {"junit": "reports/junit-reports/*.xml"}
    assert set(job["id_tokens"]) == {"AUDIT_TOKEN"}


def commands() -> list[str]:
    """The audits that the examples run."""
    (github,) = load("github-actions.yml")["jobs"].values()
    (gitlab,) = load("gitlab-ci.yml").values()
    scripts = [*(step.get("run", "") for step in github["steps"]), *gitlab["script"]]
    return [script for script in scripts if "pytest" in script]


def test_the_examples_audit_and_leave_junit_where_they_say(emulator: Emulator, suite: Suite) -> None:
    """Both commands are the same but for the interpreter; it runs with one check for the benchmark's."""
    assert len(commands()) == 2
    (arguments,) = {command.partition("python -m pytest ")[2] for command in commands()}
    assert "--fail-on high" in arguments
    done = suite(*arguments.split(), "--check=check41,check43", "--filter-region=eu-west-1", env=emulator.environment)
    assert done.code == 1, done.out + done.err  # port 22 is open to the world
    assert list((done.folder / "junit-reports").glob("*.xml"))
