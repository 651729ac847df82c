"""Which self-tests belong to a change, by what sources say."""

from __future__ import annotations

import pytest

from selftests.changed import Module, Tree, read_module, read_tree

SOURCES = {
    "fixtures/storage/queue.py": 'class Queue(Resource, name="queue"): pass',
    "fixtures/base.py": "from fixtures.storage import queue",
    "fixtures/deep.py": "",
    "fixtures/middle.py": "def later():\n    import fixtures.deep",
    "plugins/__init__.py": "",
    "plugins/near.py": "from . import far",
    "plugins/far.py": "from .rows.table import Table",
    "plugins/rows/table.py": "",
    "tests_extras/test_queue.py": '@check("extra1", severity="low")\ndef test_it(queue): pass',
    "tests_extras/test_other.py": '@check("extra2", severity="low")\ndef test_it(topic): pass',
    "examples/own/check.py": '@check("own1", severity="low")\ndef test_it(table): pass',
    "selftests/helper.py": "import subprocess\n@pytest.fixture\ndef suite(path): pass",
    "selftests/conftest.py": "from selftests.helper import suite",
    "selftests/checks/test_queue.py": 'def test_it(audit): audit("extra1")',
    "selftests/checks/test_other.py": 'def test_it(audit): audit("extra2"); open("docs/guide.md")',
    "selftests/test_base.py": "from fixtures.base import Thing",
    "selftests/test_middle.py": "import fixtures.middle as it\nOWN = 'examples/own'",
    "selftests/test_near.py": "from plugins import near\nCHAPTERS = ROOT / 'docs' / 'chapters'",
    "selftests/runs/test_run.py": 'from selftests.helper import suite\nRUN = ("-p", "plugins.near")\nID = "extra1"',
    "selftests/broken/test_broken.py": "def",
}


def tree(**more: str) -> Tree:
    return Tree(read_module(path, source) for path, source in {**SOURCES, **more}.items())


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("selftests/test_base.py", {"selftests/test_base.py"}),
        ("selftests/broken/test_broken.py", {"selftests/broken/test_broken.py"}),
        ("fixtures/base.py", {"selftests/test_base.py"}),
        ("fixtures/storage/queue.py", {"selftests/test_base.py", "selftests/checks/test_queue.py"}),
        ("fixtures/deep.py", {"selftests/test_middle.py"}),
        ("plugins/near.py", {"selftests/test_near.py", "selftests/runs/test_run.py"}),
        ("plugins/far.py", {"selftests/test_near.py", "selftests/runs/test_run.py"}),
        ("plugins/rows/table.py", {"selftests/test_near.py", "selftests/runs/test_run.py"}),
        ("tests_extras/test_queue.py", {"selftests/checks/test_queue.py"}),
        ("tests_extras/test_other.py", {"selftests/checks/test_other.py"}),
        ("selftests/helper.py", {"selftests/runs/test_run.py"}),
        ("docs/guide.md", {"selftests/checks/test_other.py"}),
        ("guides/other.md", set()),
        ("docs/chapters/new.md", {"selftests/test_near.py"}),
        ("examples/own/check.py", {"selftests/test_middle.py"}),
        ("plugins/__init__.py", {"selftests/test_near.py"}),
    ],
)
def test_the_tests_of_a_change(changed: str, tests: set[str]) -> None:
    assert tree().tests_of(changed) == tests


def test_who_starts_whole_runs() -> None:
    more = {
        "selftests/runs/test_fixture.py": "def test_it(suite): pass",
        "selftests/runs/test_alone.py": "import subprocess",
        "selftests/checks/test_apart.py": "from selftests.conftest import Audit\ndef test_it(path): pass",
    }
    assert tree(**more).starts_runs == {
        "selftests/runs/test_run.py", "selftests/runs/test_fixture.py", "selftests/runs/test_alone.py",
    }  # fmt: skip


def test_many_whole_runs_are_left_out_but_for_the_one_of_that_name() -> None:
    runs = {
        f"selftests/runs/test_{name}.py": "import subprocess\nimport fixtures.deep" for name in ("a", "b", "c", "deep")
    }
    few = dict(list(runs.items())[1:])
    assert tree(**few).tests_of("fixtures/deep.py") == set(few)
    assert tree(**runs).tests_of("fixtures/deep.py") == {"selftests/runs/test_deep.py"}
    assert tree(**runs).tests_of("selftests/runs/test_a.py") == {"selftests/runs/test_a.py"}


def test_this_very_file_belongs_to_the_module_that_it_tests() -> None:
    found = read_tree()
    assert "selftests/test_changed.py" in found.tests_of("selftests/changed.py")
    checks = [module for module in found.modules.values() if module.check_ids]
    assert [module.path for module in checks if not found.tests_of(module.path)] == []


def test_a_file_with_a_mistake_says_nothing() -> None:
    assert read_module("plugins/broken.py", "def") == Module("plugins/broken.py")
