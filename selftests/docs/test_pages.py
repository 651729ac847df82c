"""What the pages name is there: files, modules, the words of the glossary, and README's figures."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from plugins.catalog.checks import Check
from plugins.catalog.groups import groups
from plugins.outputs.formats import FORMATS
from plugins.suite import ROOT

PAGES = sorted(
    [*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "selftests/README.md", "changes/README.md"))]
)  # fmt: skip
FOLDERS = (
    "bench",
    "changes",
    "docs",
    "examples",
    "fixtures",
    "permissions",
    "plugins",
    "selftests",
    "tests_cis",
    "tests_compliance",
    "tests_extras",
)
TO_WRITE = {
    "README.md": {"tests_extras/test_descriptions.py"},
    "CONTRIBUTING.md": {
        "fixtures/services/signer.py", "selftests/checks/test_signer.py", "tests_extras/test_signer.py",
    },
    "extending.md": {"plugins/outputs/tsv_report.py"},
}  # fmt: skip
"""What a page tells the reader to write."""
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./*-]*\w[\w*/]*")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]*)?\)")
CONTRACTS = (ROOT / "docs" / "architecture.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
README = (ROOT / "README.md").read_text()


def named(page: Path) -> Iterator[Path]:
    """The files and folders that a page names."""
    text = page.read_text()
    for link in LINK.findall(text):
        yield page.parent / link
    for path in PATH.findall(text):
        if path not in TO_WRITE.get(page.name, ()):
            yield ROOT / path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_is_there(page: Path) -> None:
    lost = [path for path in named(page) if not (list(ROOT.glob(str(path.relative_to(ROOT)))) if "*" in path.name else path.exists())]  # fmt: skip
    assert not lost, f"{page.name} names what is not there: {[str(path) for path in lost]}"


def test_paths_are_found() -> None:
    """The test above does look."""
    assert ROOT / "plugins/workers/queue.py" in set(named(ROOT / "docs" / "workers.md"))
    assert ROOT / "docs" / "load.md" in set(named(ROOT / "docs" / "workers.md"))
    assert len(set(named(ROOT / "docs" / "architecture.md"))) > 40


def test_the_floors_are_those_of_the_contracts() -> None:
    """docs/architecture.md has each module and package of a floor, in the order of pyproject.toml."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    tables = re.findall(r"(?:^\|.*\n)+", CONTRACTS.partition("## Floors")[2], re.MULTILINE)
    floors = [one for one in contracts if one["type"] == "layers"]
    assert len(tables) == len(floors) == 2
    for table, contract in zip(tables, floors, strict=True):
        rows = [re.findall(r"`(?:fixtures|plugins)/(\w+)", line.split("|")[1]) for line in table.splitlines()[2:]]
        layers = [sorted(layer.split(" | ")) for layer in contract["layers"]]
        rows[-1:] = [
            layers[-1] if set(rows[-1]) <= set(layers[-1]) else rows[-1]
        ]  # "…" stands for the rest of the last floor
        assert [sorted(row) for row in rows] == layers


# -- the glossary ------------------------------------------------------------------------------------------------------

WORDS = re.findall(r"^\| ([\w -]+) \| (.+) \| `([\w.]+)` \|$", GLOSSARY, re.MULTILINE)
OLD = re.findall(r"\w+", GLOSSARY.partition("## Words that name nothing any more\n")[2])


def place(dotted: str) -> object:
    """A module, or what stands in one. Raises ImportError or AttributeError."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(importlib.import_module(module), name)


def test_every_word_is_defined_where_the_glossary_says() -> None:
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("| ") and not line.startswith("| word |")]
    assert len(WORDS) == len(lines) > 30
    for word, meaning, dotted in WORDS:
        found = place(dotted)
        assert meaning.strip(), word
        described = isinstance(found, ModuleType | type | FunctionType)
        assert not described or getattr(found, "__doc__", None), dotted
    assert len({word for word, _, _ in WORDS}) == len(WORDS)


def test_it_has_the_words_that_tell_parts_apart() -> None:
    needed = {
        "target", "task", "share", "record", "finding", "verdict", "row", "kind", "place", "part", "cut", "coverage", "gap",
        "baseline", "whitelist entry", "recording", "seal", "probe",
    }  # fmt: skip
    assert needed <= {word for word, _, _ in WORDS}


def public_names() -> Iterator[tuple[str, str]]:
    """File and name of every module and public class, and the names that plugins are registered under."""
    for root in ("fixtures", "plugins"):
        for file in (ROOT / root).rglob("*.py"):
            where = str(file.relative_to(ROOT))
            yield where, file.stem
            text = file.read_text()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield where, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
            yield from ((where, name.replace("-", "_")) for name in re.findall(r'"(auditest-[a-z-]+)"', text))


def test_old_words_name_nothing() -> None:
    assert len(OLD) > 5
    used = [
        (where, name) for where, name in public_names() if {*name.split("_")} & {*OLD, *(f"{word}s" for word in OLD)}
    ]
    assert not used


# -- README's figures --------------------------------------------------------------------------------------------------


def test_the_number_of_checks(checks: dict[str, Check]) -> None:
    of_cis = groups()["cislevel2"].checks
    said = re.search(r"It has (\d+) checks .*?and (\d+) beyond it", README, re.DOTALL)
    assert said is not None
    assert [int(number) for number in said.groups()] == [len(checks), len(set(checks) - set(of_cis))]


def test_the_figures_of_the_status(checks: dict[str, Check]) -> None:
    said = re.search(r"all (\d+) checks, the (\d+) groups as markers, requirements of (\w+) frameworks", (ROOT / "docs/status.md").read_text())  # fmt: skip
    assert said is not None
    number = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    frameworks = len(list((ROOT / "tests_compliance" / "frameworks").glob("*.yaml")))
    assert said.groups() == (
        str(len(checks)),
        str(len(groups())),
        number[frameworks] if frameworks < len(number) else str(frameworks),
    )


def test_the_checks_of_a_run_without_words(checks: dict[str, Check]) -> None:
    """The demo that README shows runs the default groups and the checks in no group."""
    by_default = {id for group in groups().values() if group.run_by_default for id in group.checks}
    grouped = {id for group in groups().values() for id in group.checks}
    count = len([id for id in checks if id in by_default or id not in grouped])
    shown = README.partition("`make demo` leaves its reports")[2].partition("## Audit an account")[0]
    assert {
        int(number) for number in re.findall(r"with (\d+) checks|of (\d+) checks", shown) for number in number if number
    } == {count}


def test_the_findings_of_the_demo_add_up() -> None:
    """The summary that README shows, and pytest's last line."""
    total, passed, failed, info = map(int, re.findall(r"(\d+) findings: PASS (\d+)  FAIL (\d+)  INFO (\d+)", README)[0])
    assert total == passed + failed + info
    assert f" {failed} failed, {passed} passed, {info} skipped in " in README


def test_every_format_is_named() -> None:
    shown = re.findall(r"`-M ([\w,-]+)`", README)[0].split(",")
    assert set(shown) <= set(FORMATS)
    elsewhere = {"html": "HTML", "json-asff": "Security Hub"}
    assert {*FORMATS} == {*shown, *elsewhere}
    assert all(word in README for word in elsewhere.values())


def test_every_framework_is_named() -> None:
    """By the group that its requirements run with."""
    section = README.partition("### Compliance")[2].partition("### Reports")[0]
    for file in (ROOT / "tests_compliance" / "frameworks").glob("*.yaml"):
        given = re.findall(r"^group: ([\w-]+)$|^groups?: \[(.*)\]$", file.read_text(), re.MULTILINE)
        names = [name.strip() for pair in given for text in pair for name in text.split(",") if name.strip()]
        assert names, file
        assert all(f"`{name}`" in section or f"-m {name}" in section for name in names), (file.name, names)


def test_the_markers_that_commands_select_are_there(pytestconfig: pytest.Config) -> None:
    """Groups, services and frameworks; the suite's own configuration has registered them."""
    words = {
        word for text in re.findall(r"-m (?:\"([^\"]+)\"|([\w-]+))", README) for part in text for word in part.split()
    }
    known = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert words - known <= {"and", "not", "GROUP", "N", "bench", "plugins", "pytest"}
