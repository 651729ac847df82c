"""What is told of a file of checks without importing it, and when it is imported to be sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.catalog.checks import Check
from plugins.selection.check_files import ids_in, ids_in_text
from plugins.suite import ROOT

HEAD = "import re\nfrom datetime import date\n\nimport pytest\n\nfrom fixtures.services.sqs import Queue\nfrom plugins.catalog import check\n\n"
ONE = '@check("one", severity="low", remediation="r")\ndef test_one(queue: Queue) -> None:\n    """One."""\n\n'
TWO = (
    "@pytest.mark.gdpr\n@check(\n    'two',\n    severity='low', remediation='r',\n)\ndef test_two(queue):\n    pass\n"
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (HEAD + ONE + TWO, {"one", "two"}),
        (HEAD + ONE.replace("@check(", "@catalog.check(id="), {"one"}),
        (HEAD + "def helper(): pass\n" + ONE, {"one"}),
        # imported, since the text leaves a doubt:
        (HEAD, None),
        (HEAD + "def test_plain(): pass\n", None),
        (HEAD + ONE + "def test_plain(queue): pass\n", None),
        (HEAD + ONE + "    async def test_inner(): pass\n", None),
        (HEAD + ONE.replace('"one"', "NAME") + TWO, None),
        (HEAD + ONE.replace('"one"', 'f"{x}"') + TWO, None),
        (HEAD + ONE.replace('"one"', '"one" + x') + TWO, None),
        (HEAD + ONE.replace('"one"', '"o\\x6ee"') + TWO, None),
        (
            HEAD + ONE + "if x:\n    @check('three', severity='low', remediation='r')\n    def test_three(): pass\n",
            None,
        ),
        (HEAD + ONE + "test_made = check('made', severity='low', remediation='r')(f)\n", None),
        (HEAD + ONE + "test_two = make()\n", None),
        (HEAD + ONE + "made = partial(check, severity='low')\n", None),
        (HEAD + ONE + "mine = check\n@mine('x')\ndef helper(): pass\n", None),
        (HEAD + ONE + "class TestMore: pass\n", None),
        (HEAD + ONE + "class Door(Resource, name='door'): pass\n", None),
        (HEAD + ONE + "from plugins.catalog import check as rule\n", None),
        (HEAD + ONE + "from fixtures.model import *\n", None),
        (HEAD + ONE + "from ours import test_theirs\n", None),
        (HEAD + ONE + "from . import ours\n", None),
        (HEAD + ONE + "import os, ours.kinds as kinds\n", None),
        (HEAD + ONE + "def load():\n    import ours\n", None),
        (HEAD + ONE + "module = import_module('ours')\n", None),
    ],
)
def test_what_a_text_tells(text: str, ids: set[str] | None) -> None:
    assert ids_in_text(text) == ids


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "test_latin.py").write_bytes(HEAD.encode() + b"# \xff\n" + ONE.encode())
    assert ids_in(tmp_path / "test_latin.py") is None
    assert ids_in(tmp_path / "none.py") is None


def test_all_files_of_the_suite_can_be_told(checks: dict[str, Check]) -> None:
    files = [*ROOT.glob("tests_cis/**/test_*.py"), *ROOT.glob("tests_extras/**/test_*.py")]
    told = {file: ids_in(file) for file in files}
    assert [file.name for file, ids in told.items() if ids is None] == []
    assert {id for ids in told.values() for id in ids or ()} == checks.keys()
