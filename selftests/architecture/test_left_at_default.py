"""Inputs that widen what an operation lists are given, or left at their default for a reason."""

from __future__ import annotations

import ast
import re

import pytest

from permissions.policy import calls
from selftests.architecture.plausible import session
from selftests.architecture.sources import python_files, tree_of

WIDENING = re.compile(r"[Ii]nclude|.*(Types|Origins)$")
"""Names of input members that may keep resources out of an answer."""
LEFT = {
    ("ec2:DescribeImages", "IncludeDeprecated"): "owners see their deprecated images without it",
    ("ec2:DescribeImages", "IncludeDisabled"): "a disabled image is private",
    ("ecs:DescribeTaskDefinition", "include"): "only adds the tags",
    ("rds:DescribeDBClusterSnapshots", "IncludePublic"): "snapshots of others are their owners' to judge",
    ("rds:DescribeDBClusterSnapshots", "IncludeShared"): "snapshots of others are their owners' to judge",
    ("rds:DescribeDBClusters", "IncludeShared"): "clusters of others are their owners' to judge",
    ("rds:DescribeDBSnapshots", "IncludePublic"): "snapshots of others are their owners' to judge",
    ("rds:DescribeDBSnapshots", "IncludeShared"): "snapshots of others are their owners' to judge",
}
"""Call and member -> why no call gives it."""


def given() -> set[tuple[str, str]]:
    """Operation and keyword of every call in the code that names its operation by a text or by a constant of its file."""
    found: set[tuple[str, str]] = set()
    for file in python_files("fixtures"):
        tree = tree_of(file)
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                names = {one.value for one in node.args if isinstance(one, ast.Constant)}
                names |= {constants.get(one.id) for one in node.args if isinstance(one, ast.Name)}
                found |= {(str(name), keyword.arg or "") for name in names for keyword in node.keywords}
    return found


def widening() -> list[tuple[str, str]]:
    """Call and member, for every input of the operations in permissions/calls.yaml that may keep something out."""
    found = []
    for call in sorted({call for made in calls().values() for call in made}):
        service, _, operation = call.partition(":")
        shape = session().get_service_model(service).operation_model(operation).input_shape
        found += [(call, member) for member in (shape.members if shape else ()) if WIDENING.match(member)]
    return found


@pytest.mark.parametrize(("call", "member"), widening())
def test_what_may_be_kept_out_is_asked_for_or_excused(call: str, member: str) -> None:
    is_given = (call.partition(":")[2], member) in given()
    assert is_given is not ((call, member) in LEFT), "give it in the call, or say in LEFT why not"


def test_every_excuse_is_needed() -> None:
    assert LEFT.keys() <= set(widening())
