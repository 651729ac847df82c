"""Frameworks, rolled up: one test per account and requirement, over the findings of the same run.

The frameworks stand in ``frameworks/*.yaml``. A run that selects a framework's group (``-m gdpr``) rolls it up;
``-m "gdpr and not compliance"`` does not.
"""

import pytest

from plugins.catalog import NotEvaluated
from plugins.compliance.roll_up import Evidence


@pytest.mark.compliance
def test_requirement(requirement: Evidence) -> str:
    """Every check that supports the requirement passes."""
    failing = [f"{id} on {outcome.failing_text}" for id, outcome in requirement.failing.items()]
    assert not failing, f"{len(failing)} of {len(requirement.requirement.checks)} checks fail: {'; '.join(failing)}"
    unknown = [f"{id} ({reason})" for id, reason in requirement.not_evaluated.items()]
    if unknown:
        raise NotEvaluated(f"{len(unknown)} checks could not be evaluated: {'; '.join(unknown)}")
    if not requirement.count("PASS") + requirement.count("WARNING"):
        pytest.skip("nothing was looked at: " + _why_nothing(requirement))
    if requirement.not_selected:
        pytest.skip(f"what was looked at passes, but not all was: not selected {', '.join(requirement.not_selected)}")
    if requirement.partial:
        pytest.skip(f"what was looked at passes, but not all was: {requirement.partial}")
    if requirement.count("WARNING"):
        pytest.xfail(
            f"{requirement.count('WARNING')} failures are accepted, {requirement.count('PASS')} resources pass"
        )
    return f"{requirement.count('PASS')} resources pass {', '.join(requirement.outcomes)}"


def _why_nothing(requirement: Evidence) -> str:
    if len(requirement.not_selected) == len(requirement.requirement.checks):
        return f"none of {', '.join(requirement.not_selected)} was selected"
    return f"there is nothing for {', '.join(requirement.outcomes)} to check"
