"""--config: thresholds, validated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plugins.catalog import check
from plugins.catalog.checks import Check, check_of
from plugins.options.thresholds import load


@check("check14", severity="medium", level=1, remediation="r")
def example(
    account: object,
    *,
    max_days: int = 90,
    ratio: float = 1.0,
    limit: int | None = None,
    kinds: tuple[str, ...] = ("a",),
) -> None:
    """Example."""


KNOWN: dict[str, Check] = {"check14": check_of(example)}  # type: ignore[dict-item]


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_toml_and_yaml_and_accounts(tmp_path: Path) -> None:
    toml = write(
        tmp_path, "c.toml", "[check104]\nmax_days = 60\n[accounts.123456789012.check14]\nkinds = ['b']\nlimit = 3\n"
    )
    yaml = write(
        tmp_path, "c.yaml", "check14: {max_days: 60}\naccounts: {'123456789012': {check14: {kinds: [b], limit: 3}}}\n"
    )
    for path in (toml, yaml):
        settings = load(path, KNOWN)
        assert settings.of("check14", "1") == {"max_days": 60}
        assert settings.of("check14", "123456789012") == {"max_days": 60, "kinds": ("b",), "limit": 3}
        assert settings.of("check15", "1") == {}
    assert load(write(tmp_path, "empty.yaml", ""), KNOWN).of("check14", "1") == {}


def test_a_name_of_several_checks_sets_all_of_them(tmp_path: Path) -> None:
    one = KNOWN["check14"]
    known = {id: replace(one, id=id) for id in ("extra795", "extra796")}
    path = write(
        tmp_path, "c.toml", "[eks_cluster_not_publicly_accessible]\nmax_days = 1\nlimit = 2\n[extra796]\nlimit = 3\n"
    )
    settings = load(path, known)
    assert settings.of("extra795", "1") == {"max_days": 1, "limit": 2}
    assert settings.of("extra796", "1") == {"max_days": 1, "limit": 3}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "[check15]\nx = 1", "unknown check 'check15'; did you mean check14"),
        ("a.toml", "['check1*']\nmax_days = 1", "unknown check 'check1*'"),
        ("a.toml", "[check14]\nmax_day = 1", "check14 has no setting 'max_day'; did you mean max_days"),
        ("a.toml", "[check14]\nmax_days = 'x'", "check14.max_days: Expected `int`, got `str`"),
        ("a.toml", "[check14]\nmax_days = ", "Invalid value"),
        ("a.toml", "check14 = 3", "check14 must be a table"),
        ("a.toml", "accounts = 3", "accounts must be a table"),
        ("a.yaml", "- x", "a table of check ids is expected"),
        ("a.yaml", "check14: {", "a.yaml"),
        ("missing.toml", None, "cannot be read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    path = write(tmp_path, name, text) if text is not None else tmp_path / name
    with pytest.raises(pytest.UsageError, match="--config") as raised:
        load(path, KNOWN)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@check("extra1", severity="low", remediation="r")
def scans(
    account: object, *, secrets_base64_entropy_limit: float = 4.5, secrets_hex_entropy_limit: float = 3.0
) -> None:
    """Scans."""


def test_limits_of_the_environment_give_way_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**KNOWN, "extra1": check_of(scans)}
    assert load(None, known).of("extra1", "1") == {}  # type: ignore[arg-type]
    monkeypatch.setenv("BASE64_LIMIT", " 3.5")
    monkeypatch.setenv("HEX_LIMIT", "8")
    limits = {"secrets_base64_entropy_limit": 3.5, "secrets_hex_entropy_limit": 8.0}
    assert load(None, known).of("extra1", "1") == limits  # type: ignore[arg-type]
    assert load(None, known).of("check14", "1") == {}  # type: ignore[arg-type]
    file = write(tmp_path, "c.toml", "[extra1]\nsecrets_hex_entropy_limit = 2.0\n")
    assert load(file, known).of("extra1", "1") == {**limits, "secrets_hex_entropy_limit": 2.0}  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["8.1", "-0.1", "high", "nan", "inf", "1e400"])
def test_limits_out_of_range_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEX_LIMIT", text)
    with pytest.raises(pytest.UsageError, match=r"HEX_LIMIT=.*: it must be a number from 0.0 to 8.0"):
        load(None, KNOWN)
