"""The table of checks: columns, narrow terminals, other names, JSON."""

from __future__ import annotations

import json

from plugins.catalog.checks import Check
from plugins.selection.listing import check_lines, checks_json, group_lines


def test_columns(checks: dict[str, Check]) -> None:
    lines = [*check_lines([checks["extra7100"], checks["check11"], checks["extra795"]])]
    title = checks["extra7100"].title
    room = len(title)
    assert lines == [
        f"check11   high     iam {'Root user has not been used recently':<{room}} [group1, cislevel1, cislevel2, gdpr, pci, iso27001]",
        f"extra795  high     eks {'EKS API endpoints are private only':<{room}} [extras, eks-cis]",
        f"extra7100 critical iam {title} [extras]",
    ]
    assert len({line.index("[") for line in lines}) == 1


def test_a_narrow_terminal_cuts_titles(checks: dict[str, Check]) -> None:
    for width in (60, 80, 120):
        lines = [*check_lines(checks.values(), width)]
        assert max(map(len, lines)) <= width
        assert all("…" in line for line in lines if checks[line.split()[0]].title not in line)
    [line] = check_lines([checks["extra795"]], 60)
    assert line == "extra795 high eks EKS API endpoints are p… [extras, eks-cis]"
    [whole] = check_lines([checks["extra795"]], 400)
    assert whole == "extra795 high eks EKS API endpoints are private only [extras, eks-cis]"


def test_other_names(checks: dict[str, Check]) -> None:
    lines = [*check_lines([checks["extra796"]], with_names=True)]
    assert lines[1:] == ["    also check796, eks_cluster_not_publicly_accessible"]
    assert [*check_lines([], 80)] == []


def test_json_for_programs(checks: dict[str, Check]) -> None:
    listed = {one["id"]: one for one in json.loads(checks_json(checks.values()))}
    assert listed.keys() == checks.keys()
    assert listed["check14"] == {
        "id": "check14",
        "number": "1.4",
        "severity": "medium",
        "service": "iam",
        "title": "Active access keys are rotated at least every 90 days",
        "groups": checks["check14"].memberships,
        "aliases": ["check104", "iam_rotate_access_key_90_days"],
        "resource_type": "AwsIamUser",
        "level": "Level 1",
        "settings": {"max_access_key_age_days": 90},
    }


def test_groups() -> None:
    lines = [*group_lines()]
    assert lines[0].split() == [
        "group1",
        "23",
        "checks",
        "default",
        *["CIS", "section", "1:", "identity", "and", "access", "management"],
    ]
    assert any(line.startswith("cis-1-2 ") for line in lines)
    assert len({line.index(" checks ") for line in lines}) == 1
