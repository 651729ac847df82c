"""--active-probes reaches the checks, in every process; without it they are told not to connect."""

from __future__ import annotations

import pytest

from selftests.whole_runs import Emulator, Suite

CHECK = '''
from plugins.catalog import check

@check("own1", severity="low", remediation="r")
def test_own_probe(account):
    """Probes."""
    assert not account.active_probes, "may connect"
'''


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_option_reaches_the_checks(emulator: Emulator, suite: Suite, workers: str) -> None:
    folder = suite.folder / "own"
    folder.mkdir()
    (folder / "test_own_probe.py").write_text(CHECK)
    arguments = (f"--checks-dir={folder}", "--check=own1", "--filter-region=eu-west-1", "-n", workers)
    without = suite(*arguments, env=emulator.environment)
    assert list(without.statuses().values()) == ["Pass: Probes"]
    allowed = suite(*arguments, "--active-probes", env=emulator.environment)
    assert list(allowed.statuses().values()) == ["FAIL: may connect"]
