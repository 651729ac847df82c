"""Names of checks: other names, several checks under one, patterns, and checks that the suite has not got yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.catalog.checks import Check
from plugins.catalog.files import CatalogError, read_yaml
from plugins.catalog.groups import every_group
from plugins.catalog.names import ids_of, is_planned, matching, names_of, other_names, patterns_like
from plugins.suite import ROOT

KNOWN = ["check14", "extra73", "extra795", "extra796", "ec2_instance_port_22", "ec2_instance_port_23"]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("check14", ["check14"]),
        ("check104", ["check14"]),
        ("iam_rotate_access_key_90_days", ["check14"]),
        ("eks_cluster_not_publicly_accessible", ["extra795", "extra796"]),
        ("eks_cluster_*", ["extra795", "extra796"]),
        ("ec2_instance_port_*", ["ec2_instance_port_22", "ec2_instance_port_23"]),
        ("ec2_instance_port_2[!3]", ["ec2_instance_port_22"]),
        ("extra79?", ["extra795", "extra796"]),
        ("*", KNOWN),
        ("EXTRA73", []),
        ("extra7", []),
        ("s4_*", []),
        ("ec2_elastic_ip_shodan", []),  # planned, not among the known
        ("extra7102", []),  # its other name
        ("kms_cmk_rotation_enabled", []),  # of check28 and extra737, neither known
    ],
)
def test_what_a_name_means(name: str, ids: list[str]) -> None:
    assert matching(name, dict.fromkeys(KNOWN)) == ids


def test_a_name_of_several_checks_means_those_that_there_are() -> None:
    assert ids_of("kms_cmk_rotation_enabled") == ["check28", "extra737"]
    assert matching("kms_cmk_rotation_enabled", ["check28", "extra73"]) == ["check28"]
    assert "kms_cmk_rotation_enabled" in names_of(["check28"])
    assert "kms_cmk_rotation_enabled" not in names_of(["extra73"])


def test_an_id_goes_before_another_name() -> None:
    assert matching("check104", ["check14", "check104"]) == ["check104"]


def test_what_is_planned() -> None:
    assert is_planned("ec2_elastic_ip_shodan")
    assert not is_planned("ec2_elastic_ip_shdan")
    assert ids_of("extra73x") == ["extra73x"]


def test_patterns_that_are_suggested() -> None:
    assert patterns_like("s4_*", ["s3_a", "s3_b", "iam_c"]) == ["iam*", "s3_*"]
    assert patterns_like("[x", ["s3_a"]) == ["*"]


def test_the_suites_names(checks: dict[str, Check]) -> None:
    names = {
        name
        for id in read_yaml(ROOT / "tests_compliance" / "aliases.yaml", dict[str, list[str]])
        for name in other_names(id)
    }
    assert not names & checks.keys(), "an id goes before another name, which would then mean nothing"
    assert not names & every_group().keys()
    for name in ("check101", "iam_avoid_root_usage"):
        assert matching(name, checks) == ["check11"]
    assert len(matching("s3_*", checks)) == 6


def test_a_file_is_kept_as_it_was_read_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.catalog.files.DATA", tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", None)
    file = tmp_path / "a.yaml"
    file.write_text("a: [b]")
    assert read_yaml(file, dict[str, list[str]]) == {"a": ["b"]}
    [kept] = (tmp_path / "__pycache__").iterdir()
    monkeypatch.setattr("plugins.yaml_file.parsed", lambda content, trusted: {"parsed": ["anew"]})
    assert read_yaml(file, dict[str, list[str]]) == {"a": ["b"]}
    assert read_yaml(file, dict[str, list[str] | int]) == {"a": ["b"]}
    file.write_text("a: [c]")
    assert read_yaml(file, dict[str, list[str]]) == {"parsed": ["anew"]}
    kept.write_bytes(kept.read_bytes()[:-1])
    assert read_yaml(file, dict[str, list[str]]) == {"parsed": ["anew"]}
    with pytest.raises(CatalogError, match="Expected `int`"):
        read_yaml(file, dict[str, int])


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.catalog.files.DATA", tmp_path / "suite")
    monkeypatch.setattr("sys.pycache_prefix", None)
    for folder, dont in ((tmp_path / "suite", True), (tmp_path / "own", False)):
        monkeypatch.setattr("sys.dont_write_bytecode", dont)
        folder.mkdir()
        (folder / "a.yaml").write_text("a: [b]")
        assert read_yaml(folder / "a.yaml", dict[str, list[str]]) == {"a": ["b"]}
        assert [one.name for one in folder.iterdir()] == ["a.yaml"]
