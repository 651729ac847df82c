"""``--list-checks`` and ``--list-groups``: what there is to run, without credentials and without a call."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from plugins.catalog.checks import Check
from plugins.catalog.groups import every_group
from plugins.catalog.names import other_names
from plugins.options.options import options_of
from plugins.options.values import Options
from plugins.selection.plan import make_plan
from plugins.text import visible

SHORTEST_TITLE = 24
"""Characters of a title that a narrow terminal leaves at least."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print and exit when a listing was asked for."""
    options = options_of(config)
    if not options.list_checks and not options.list_groups:
        return None
    _hasten()
    config._do_configure()
    session = pytest.Session.from_config(config)
    try:
        config.pluginmanager.check_pending()
        print(_check_text(session, options) if options.list_checks else "\n".join(group_lines()))
    finally:
        gc.freeze()  # pytest collects garbage at the end, and the process ends anyway
        config._ensure_unconfigure()
    return 0


def _hasten() -> None:
    """Read the checks as quickly as can be: nothing is evaluated, so assertions need not be rewritten."""
    gc.disable()
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, AssertionRewritingHook)]


def _check_text(session: pytest.Session, options: Options) -> str:
    """The checks, as a table or, with ``-M json``, for programs."""
    plan = make_plan(session, options)
    checks = [*_listed(session.config, options, plan.checks, plan.known)]
    if "json" in (session.config.option.output_formats or "").lower().split(","):
        return checks_json(checks)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return "\n".join(check_lines(checks, width, with_names=session.config.option.verbose > 0))


def _listed(
    config: pytest.Config, options: Options, selected: dict[str, Check], known: dict[str, Check]
) -> Iterable[Check]:
    """The selected checks; all of them when nothing was selected."""
    chosen = (
        options.checks, options.exclude_checks, options.groups, options.services, options.severities,
        options.exclude_extras, config.option.markexpr, config.option.keyword,
    )  # fmt: skip
    return (selected if any(chosen) else known).values()


def sort_key(check: Check) -> tuple[int, int, str]:
    """Orders checks by number: 1.2 before 1.10."""
    whole, _, part = check.number.partition(".")
    return (int(whole) if whole.isdigit() else 99, int(part) if part.isdigit() else 0, check.id)


def check_lines(checks: Iterable[Check], width: int | None = None, *, with_names: bool = False) -> Iterator[str]:
    """One line per check: id, severity, service, title, groups, in columns.

    ``width``: of the terminal, to which titles and then lines are cut; None for whole ones. ``with_names``: a further line
    with the other names of a check that has any.
    """
    ordered = sorted(checks, key=sort_key)
    cells = [
        (check.id, check.severity, check.service, visible(check.title), f"[{', '.join(check.groups)}]")
        for check in ordered
    ]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(4)]
    if width is not None:
        groups = max((len(row[4]) for row in cells), default=0)
        widths[3] = min(widths[3], max(SHORTEST_TITLE, width - sum(widths[:3]) - groups - 4))
    for check, row in zip(ordered, cells, strict=True):
        fitting = (_cut(text, room).ljust(room) for text, room in zip(row[:4], widths, strict=True))
        yield _cut(" ".join([*fitting, row[4]]), width)
        if with_names and other_names(check.id):
            yield f"    also {', '.join(other_names(check.id))}"


def _cut(text: str, room: int | None) -> str:
    return text if room is None or len(text) <= room else f"{text[: max(room - 1, 0)]}…"


def checks_json(checks: Iterable[Check]) -> str:
    """What is known of the checks before they run, for programs: a JSON list."""
    listed: list[dict[str, Any]] = [
        {
            "id": check.id,
            "number": check.number,
            "severity": check.severity,
            "service": check.service,
            "title": check.title,
            "groups": check.memberships,
            "aliases": other_names(check.id),
            "resource_type": check.resource_type,
            "level": check.level,
            "settings": dict(check.settings),
        }
        for check in sorted(checks, key=sort_key)
    ]
    return msgspec.json.format(msgspec.json.encode(listed, enc_hook=str)).decode()


def group_lines() -> Iterator[str]:
    """One line per group: id, number of checks, whether it runs by default, title."""
    groups = every_group()
    width = max(map(len, groups))
    for group in groups.values():
        default = "default" if group.run_by_default else ""
        yield f"{group.id:<{width}} {len(group.checks):>3} checks {default:<8} {group.title}"
