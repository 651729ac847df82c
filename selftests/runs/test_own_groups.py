"""Groups of one's own: a groups.yaml beside one's checks, or the markers of the suite's groups."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selftests.whole_runs import Suite

CHECKS = '''
import pytest
from plugins.catalog import check

@check("own1", severity="low", remediation="r")
def test_own_one(account):
    """One."""

@pytest.mark.gdpr
@check("own2", severity="low", remediation="r")
def test_own_two(account):
    """Two."""
'''
GROUPS = """
- id: team-web
  title: What the web team looks at
  checks: [own1, check401]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    (own / "test_own_groups_example.py").write_text(CHECKS)
    (own / "groups.yaml").write_text(GROUPS)
    return own


def listed(out: str) -> set[str]:
    return {line.split()[0] for line in out.splitlines() if line and not line.startswith((" ", "-"))}


def test_a_file_of_groups_and_the_suites_markers(suite: Suite, folder: Path) -> None:
    assert listed(suite(f"--checks-dir={folder}", "--list-checks", "-m", "team-web").out) == {"own1", "check41"}
    by_option = suite(f"--checks-dir={folder}", "--list-checks", "--group=team-web").out
    assert listed(by_option) == {"own1", "check41"}
    assert "[team-web]" in by_option
    assert "group4, cislevel1, cislevel2, gdpr, internet-exposed, iso27001, team-web]" in by_option
    gdpr = suite(f"--checks-dir={folder}", "--list-checks", "--group=gdpr").out
    assert "own2" in listed(gdpr)
    assert "own1" not in listed(gdpr)
    assert re.search(r"^own2 +low +account +Two +\[gdpr\]$", gdpr, re.M)
    assert "team-web           2 checks" in suite(f"--checks-dir={folder}", "--list-groups").out
    assert (
        "@pytest.mark.team-web: What the web team looks at (2 checks)"
        in suite(f"--checks-dir={folder}", "--markers").out
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- id: cislevel1\n  title: t\n  checks: [own1]", "groups.yaml: there is a group cislevel1 already"),
        ("- id: mine\n  title: t\n  checks: [own9]", "groups.yaml: group mine: unknown check 'own9'"),
        ("- id: mine\n  title: t\n  checks: [own1]\n  chekcs: []", "unknown field `chekcs`"),
        ("- id: a b\n  title: t\n  checks: [own1]", "'a b' cannot be the name of a pytest marker"),
        ("- id: mine\n  title: [", "groups.yaml, line"),
        ("mine: 3", "Expected `array`"),
    ],
)
def test_bad_files_are_one_line(suite: Suite, folder: Path, text: str, message: str) -> None:
    (folder / "groups.yaml").write_text(text)
    done = suite(f"--checks-dir={folder}", "--list-checks")
    assert done.code == 4, done.out + done.err
    assert message in done.err
    assert done.err.strip().count("\n") == 0


def test_a_file_may_have_the_name_of_one_of_the_suites(suite: Suite, folder: Path) -> None:
    (folder / "test_own_groups_example.py").rename(folder / "test_ec2.py")
    names = listed(suite(f"--checks-dir={folder}", "--list-checks").out)
    assert {"own1", "own2", "extra729", "extra740"} <= names
