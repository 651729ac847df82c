"""``--list-checks`` and ``--list-groups``: what there is to run, without credentials and without a call."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from plugins.catalog.checks import Check
from plugins.catalog.groups import groups
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.selection.plan import make_plan


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print and exit when a listing was asked for."""
    options = options_of(config)
    if not options.list_checks and not options.list_groups:
        return None
    config._do_configure()
    session = pytest.Session.from_config(config)
    try:
        config.pluginmanager.check_pending()
        plan = make_plan(session, options)
        lines = check_lines(_listed(config, options, plan.checks, plan.known)) if options.list_checks else group_lines()
        print("\n".join(lines))
    finally:
        config._ensure_unconfigure()
    return 0


def _listed(
    config: pytest.Config, options: Options, selected: dict[str, Check], known: dict[str, Check]
) -> Iterable[Check]:
    """The selected checks; all of them when nothing was selected."""
    chosen = (
        options.checks, options.exclude_checks, options.groups, options.severities, options.exclude_extras,
        config.option.markexpr, config.option.keyword,
    )  # fmt: skip
    return (selected if any(chosen) else known).values()


def sort_key(check: Check) -> tuple[int, int, str]:
    """Orders checks by number: 1.2 before 1.10."""
    whole, _, part = check.number.partition(".")
    return (int(whole) if whole.isdigit() else 99, int(part) if part.isdigit() else 0, check.id)


def check_lines(checks: Iterable[Check]) -> list[str]:
    """One line per check: id, severity, service, title, groups."""
    return [
        f"{check.id:<10} {check.severity:<13} {check.service:<15} {check.title} [{', '.join(check.groups)}]"
        for check in sorted(checks, key=sort_key)
    ]


def group_lines() -> list[str]:
    """One line per group: id, number of checks, whether it runs by default, title."""
    return [
        f"{group.id:<17} {len(group.checks):>3} checks {'default' if group.run_by_default else '':<8} {group.title}"
        for group in groups().values()
    ]
