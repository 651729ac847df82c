"""Files that users write (--config, --accounts-file, groups and frameworks): used, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.catalog.checks import Check
from plugins.catalog.files import CatalogError, read_yaml
from plugins.catalog.framework_files import Framework
from plugins.catalog.groups import Group
from plugins.options.account_options import is_role
from plugins.options.accounts_file import read_accounts
from plugins.options.thresholds import load
from plugins.yaml_file import MOST_LEVELS, YamlError, parsed
from selftests.fuzz.conftest import bounded
from selftests.steps import steps

LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
HOSTILE = {
    "laughs": LAUGHS, "deep lists": "[" * 100_000, "deep closed lists": "[" * 50_000 + "]" * 50_000,
    "deep tables": "{a: " * 5000 + "}" * 5000, "deep items": "- " * 20_000, "endless": "&a [*a]", "endless table": "a: &x {b: *x}",
    "object": "!!python/object/apply:os.system [id]", "date": "a: 2020-13-45", "float": "a: !!float x", "int": '!!int ""',
    "digits": "a: " + "1" * 5000, "bool": "a: !!bool x", "timestamp": "a: !!timestamp x", "binary digits": "a: 0b_",
    "merge": "<<: 1", "list as key": "? [a]\n: 1", "NUL": "\0", "two documents": "--- a\n--- b", "cut": "a: [1",
    "number as key": "1: {a: 1}", "null as key": "~: {}", "lines in a key": '"a\\nb": {}', "anchor again": "&a [&a [1], *a]",
}  # fmt: skip
READERS: dict[str, Callable[[Path, dict[str, Check]], Any]] = {
    "config": lambda file, checks: load(file, checks),
    "accounts": lambda file, _: read_accounts(file, is_role),
    "groups": lambda file, _: read_yaml(file, list[Group]),
    "frameworks": lambda file, _: read_yaml(file, Framework),
}


STEPS_AT_MOST = 1_000_000


def refusal(reader: str, file: Path, checks: dict[str, Check]) -> str:
    """What a reader says against a file, "" when it takes it."""
    said = ""

    def read() -> None:
        nonlocal said
        try:
            READERS[reader](file, checks)
        except (pytest.UsageError, CatalogError) as error:
            said = str(error)

    made = steps(read)
    assert "\n" not in said
    assert made < STEPS_AT_MOST, f"{made} steps"
    return said


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused(reader: str, name: str, tmp_path: Path, checks: dict[str, Check]) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(HOSTILE[name].encode())
    assert refusal(reader, file, checks)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 100_000, "a = " + "{a = " * 5000, "a = 2020-13-45", "a = " + "1" * 5000, "[a]\n[a]", "\0", "a.b.c = 1\na.b = 2",
     "a" * 100_000 + " = 1", "x." * 3000 + "x = 1"],
)  # fmt: skip
def test_hostile_toml_is_refused(text: str, tmp_path: Path, checks: dict[str, Check]) -> None:
    file = tmp_path / "f.toml"
    file.write_bytes(text.encode())
    assert refusal("config", file, checks)


YAML = st.lists(
    st.sampled_from(
        ["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "!!", "!!int ", "!!set ", "|\n", ">\n", "? ", "'", '"', "#",
         "<<: ", "1", "2020-01-01", "~", "check14", "max_access_key_age_days", "accounts", "id", "%", "---\n", "\t", "é", "\\"],
    ),
    max_size=20,
).map("".join)  # fmt: skip


@bounded
@given(YAML | st.text(max_size=30), st.sampled_from(list(READERS)))
def test_any_yaml(tmp_path: Path, checks: dict[str, Check], text: str, reader: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    refusal(reader, file, checks)


@bounded
@given(st.binary(max_size=40), st.sampled_from(["f.yaml", "f.toml"]))
def test_any_bytes(tmp_path: Path, checks: dict[str, Check], data: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    refusal("config", file, checks)


def test_aliases_of_a_persons_hand_are_taken() -> None:
    text = "base: &base {a: 1}\nlist: &l [x, y]\nboth: [*l, *l]\nmore: {<<: *base, b: 2}\n"
    assert parsed(text) == {
        "base": {"a": 1}, "list": ["x", "y"], "both": [["x", "y"], ["x", "y"]], "more": {"a": 1, "b": 2},
    }  # fmt: skip
    assert parsed("[" * MOST_LEVELS + "]" * MOST_LEVELS)
    with pytest.raises(YamlError, match=f"deeper than {MOST_LEVELS} levels") as raised:
        parsed("a:\n " + "[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1))
    assert raised.value.where == ", line 2"
