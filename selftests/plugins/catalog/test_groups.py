"""Groups: what their names have meant since 2020, and those that follow from frameworks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from plugins.catalog.checks import Check
from plugins.catalog.files import CatalogError
from plugins.catalog.framework_files import frameworks
from plugins.catalog.groups import every_group, framework_groups, groups, own_groups, use_folders
from plugins.compliance.frameworks import as_check
from plugins.suite import ROOT

OF_2020 = yaml.safe_load((Path(__file__).parent / "groups_of_2020.yaml").read_text())


@pytest.mark.parametrize("id", OF_2020)
def test_a_group_means_what_it_has_meant(id: str, checks: dict[str, Check]) -> None:
    then = {check for members in OF_2020.values() for check in members}
    assert sorted(then & set(groups()[id].checks)) == OF_2020[id]
    assert sorted(one for one in then if id in checks[one].groups) == OF_2020[id]


def test_the_groups_of_frameworks_are_not_listed_twice() -> None:
    listed = yaml.safe_load((ROOT / "tests_compliance" / "groups.yaml").read_text())
    derived = {one["id"] for one in listed if "checks" not in one}
    assert derived >= {"cislevel1", "cislevel2", "gdpr", "hipaa", "pci", "iso27001"}
    unions: dict[str, set[str]] = {}
    for framework in frameworks().values():
        for one in framework.requirements:
            for id in (framework.id, *one.groups):
                unions.setdefault(id, set()).update(one.checks)
    twice = [one["id"] for one in listed if set(one.get("checks", ())) == unions.get(one["id"])]
    assert not twice, "delete their checks from groups.yaml: they follow from the framework"


FRAMEWORK = """
id: house-rules
name: House 1
title: House rules
source: https://example.com
groups: [house, gdpr]
requirements:
- {id: '1', title: Closed, checks: [check401, eks_cluster_not_publicly_accessible]}
- {id: '2', title: Quiet, checks: [check43, extra7100], groups: [house-rules-level1, gdpr]}
- {id: '3', title: Later, checks: [ec2_elastic_ip_shodan], groups: [house]}
"""
GROUPS = "- {id: house, title: Ours}\n- {id: few, title: Few, checks: [check104]}\n"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "house.yaml").write_text(FRAMEWORK)
    (tmp_path / "groups.yaml").write_text(GROUPS)
    yield tmp_path
    use_folders([])


def test_groups_that_follow_from_a_framework(own: Path, checks: dict[str, Check]) -> None:
    before = groups()["gdpr"].checks
    use_folders([own])
    assert groups()["house"].checks == ["check41", "extra795", "extra796", "ec2_elastic_ip_shodan"]
    assert groups()["gdpr"].checks == before, "a group of the suite's does not grow with somebody's framework"
    assert {id: one.title for id, one in framework_groups().items() if id.startswith("house")} == {
        "house-rules": "House rules", "house-rules-level1": "House 1, level 1",
    }  # fmt: skip
    assert every_group()["house-rules"].checks == [
        "check41", "extra795", "extra796", "check43", "extra7100", "ec2_elastic_ip_shodan",
    ]  # fmt: skip
    assert every_group()["house-rules-level1"].checks == ["check43", "extra7100"]
    assert [one.id for one in own_groups()] == ["house", "few"]
    fresh = {id: replace(checks[id]) for id in ("check14", "check41", "check43")}
    assert fresh["check14"].groups[-1] == "few"
    assert "house" in fresh["check41"].groups
    assert "house-rules" not in fresh["check41"].groups
    assert fresh["check41"].memberships[-1] == "house-rules"
    assert fresh["check43"].memberships[-2:] == ["house-rules", "house-rules-level1"]


def test_a_requirement_is_selected_by_its_groups_and_its_framework(own: Path, checks: dict[str, Check]) -> None:
    use_folders([own])
    house = frameworks()["house-rules"]
    first, second, later = (as_check(house, one, print, checks) for one in house.requirements)
    assert (first.groups, first.memberships) == (["house", "gdpr"], ["house", "gdpr", "house-rules"])
    assert second.memberships == ["house-rules-level1", "gdpr", "house-rules"]
    assert (later.severity, later.groups) == ("informational", ["house"])  # its only check is not in the suite yet


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("groups: [house, gdpr]", "groups: [haus]", "house.yaml: requirement 1: unknown group 'haus'"),
        ("[house-rules-level1, gdpr]", "[house-rule-level1]", "requirement 2: unknown group 'house-rule-level1'"),
        ("id: house-rules", "id: gdpr", "there is a framework gdpr already"),
    ],
)
def test_mistakes_in_a_framework(own: Path, old: str, new: str, message: str) -> None:
    (own / "frameworks" / "house.yaml").write_text(FRAMEWORK.replace(old, new))
    with pytest.raises(CatalogError, match=message):
        use_folders([own])


def test_a_group_of_nothing(own: Path) -> None:
    (own / "groups.yaml").write_text(GROUPS + "- {id: none, title: None}\n")
    with pytest.raises(CatalogError, match="group none lists no checks, and no requirement of a framework names it"):
        use_folders([own])
