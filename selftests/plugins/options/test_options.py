"""Options: what follows from a declaration, and what is refused in one line."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from plugins.at_scale.asked_for import comparable
from plugins.options import options as options_plugin
from plugins.options.declaration import Decides, Option, Trait, text
from plugins.options.values import OPTIONS, Options


@dataclass
class Given:
    """What pytest.Config says of options: those of the command line, and the settings."""

    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    rootpath: Path = Path("/project")
    args: tuple[str, ...] = ()

    def getoption(self, name: str) -> Any:
        return self.options.get(name)

    def getini(self, name: str) -> Any:
        (option,) = [one for one in OPTIONS.values() if one.setting == name]
        assert Trait.NO_SETTING not in option.traits
        return self.settings.get(name, "")


def read(options: dict[str, Any] | None = None, settings: dict[str, Any] | None = None) -> Options:
    return options_plugin.read(cast(pytest.Config, Given(options or {}, settings or {})))


def test_every_field_is_declared_and_every_name_is_there_once() -> None:
    assert {one.name for one in dataclasses.fields(Options)} - OPTIONS.keys() == {"listed_accounts"}
    names = [name for option in OPTIONS.values() for name in (*option.names, option.setting)]
    assert len(set(names)) == len(names)
    assert all(option.flag.startswith("--") and option.help for option in OPTIONS.values())


def test_without_a_word_the_defaults_hold() -> None:
    assert read() == dataclasses.replace(Options(), output_directory=Path("/project/reports"))
    assert all(getattr(Options(), name) == option.default for name, option in OPTIONS.items())


@pytest.mark.parametrize(
    ("options", "settings", "name", "value"),
    [
        ({"region": "eu-west-1"}, {"region": "us-east-1"}, "region", "eu-west-1"),
        ({"region": ""}, {"region": "us-east-1"}, "region", ""),
        ({}, {"region": "us-east-1"}, "region", "us-east-1"),
        ({"check": " check11, extra72 ,,"}, {}, "checks", ["check11", "extra72"]),
        ({"check": ""}, {"check": "check11"}, "checks", []),
        ({"profile": ["a,b", "c"]}, {"profile": "d"}, "profiles", ["a", "b", "c"]),
        ({}, {"profile": "d, e"}, "profiles", ["d", "e"]),
        ({}, {"severity": "High,LOW"}, "severities", ["high", "low"]),
        ({"fail_on": "High"}, {}, "fail_on", "high"),
        ({"numbered": True}, {}, "numbered", True),
        ({}, {"numbered": True}, "numbered", True),
        ({"max_items": "5"}, {"max_items": "7"}, "max_items", 5),
        ({}, {"max_items": "7"}, "max_items", 7),
        ({}, {"session_duration": "900"}, "session_duration", 900),
        ({"record": "x"}, {}, "record", Path("x")),
        ({"record": ""}, {}, "record", None),
        ({"baseline": ["a", "b,c"]}, {}, "baselines", [Path("a"), Path("b"), Path("c")]),
        ({"output_directory": "x"}, {}, "output_directory", Path("x")),
        ({"organization_unit": ["ou-abcd-12345678"], "role": "r"}, {}, "organization", True),
        ({"shard": "2/3"}, {}, "shard", "2/3"),
        ({"resume": True}, {}, "resume", True),
    ],
)
def test_the_command_line_goes_before_the_setting(
    options: dict[str, Any], settings: dict[str, Any], name: str, value: object
) -> None:
    assert getattr(read(options, settings), name) == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_items": "0"}, "--max-items: 0 is out of range, it must be at least 1"),
        ({"max_items": "x"}, "--max-items: 'x' is not a whole number"),
        ({"session_duration": "43201"}, "--session-duration: 43201 is out of range, it must be between 900 and 43200"),
        ({"region": "moon-1"}, "--region: unknown region 'moon-1'"),
        ({"filter_region": "eu-west-1,eu-west-11"}, "--filter-region: unknown region 'eu-west-11'; did you mean eu-west-1"),
        ({"severity": "worst"}, "--severity: unknown severity 'worst' (known: critical, high, medium, low"),
        ({"fail_on": "hihg"}, "--fail-on: unknown severity 'hihg'; did you mean high?"),
        ({"output_formats": "csv,jsn"}, "--output-formats: unknown format 'jsn'; did you mean json, jsonl, json-asff? (known: text, "),
        ({"group": "cislevel3"}, "--group: unknown group 'cislevel3'; did you mean"),
        ({"security_hub_only_fails": True}, "--security-hub-only-fails needs --security-hub"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(pytest.UsageError) as refused:
        read(options)
    assert str(refused.value).startswith(message)
    with pytest.raises(pytest.UsageError) as refused:
        read(settings=options)
    assert str(refused.value).startswith(message)


def test_given_options_are_those_that_differ_from_their_default() -> None:
    assert [Options().given(trait) for trait in Trait] == [[]] * len(Trait)
    options = Options(record=Path("x"), baselines=[Path("y")], mfa_serial="z", whitelist=Path("w"), max_items=3)
    assert options.given(Trait.ONE_HOST) == ["--mfa-serial", "--record"]
    assert options.given(Trait.SENT) == ["--whitelist"]


def flags(trait: Trait) -> set[str]:
    return {option.flag for option in OPTIONS.values() if trait in option.traits}


def test_what_must_not_be_forgotten() -> None:
    """Each of these lists was a rule of its own once; a new option adds to them by its declaration."""
    assert flags(Trait.SENT) >= {"--whitelist", "--config", "--accounts-file"}
    assert flags(Trait.ONE_HOST) >= {"--record", "--demo", "--mfa", "--mfa-serial", "--keep-credential-report"}
    assert flags(Trait.WHOLE_RUN) >= {"--demo"}
    assert flags(Trait.NO_SETTING) >= {"--shard", "--resume"}
    assert {option.flag for option in OPTIONS.values() if option.decides is Decides.FINDINGS} >= {
        "--checks-dir", "--whitelist", "--config", "--accounts-file", "--output-formats", "--output-filename",
        "--only-fails", "--numbered", "--max-items", "--filter-region", "--trusted-account", "--active-probes",
    }  # fmt: skip


def test_what_is_sent_or_asked_for_must_be_said() -> None:
    sent = [option for option in OPTIONS.values() if Trait.SENT in option.traits]
    assert all(option.each is Path and option.decides is Decides.FINDINGS for option in sent)
    with pytest.raises(TypeError, match="decides"):
        Option(names=("--x",), kind=OPTIONS["region"].kind, help="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="decides"):
        text("--x", help="x")  # type: ignore[typeddict-item, call-arg, unused-ignore]


def test_values_are_compared_by_what_they_mean(tmp_path: Path) -> None:
    folder, file = tmp_path / "checks", tmp_path / "config.toml"
    folder.mkdir()
    (folder / "test_own.py").write_text("one")
    file.write_text("one")
    earlier = [comparable(folder), comparable(file), comparable([folder, file])]
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    assert [comparable(moved), comparable(file), comparable([file, moved])] == earlier
    (moved / "test_own.py").write_text("other")
    file.write_text("other")
    assert not set(earlier[:2]) & {comparable(moved), comparable(file)}
    assert comparable([moved, file]) != earlier[2]
    assert [comparable(one) for one in (["b", "a"], None, 3, "x", False)] == [["a", "b"], None, 3, "x", False]
