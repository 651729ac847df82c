"""Cutting a run into tasks for workers."""

from __future__ import annotations

from typing import Any

from fixtures.access.target import Target
from fixtures.recording.reader import AccountFacts
from fixtures.recording.writer import part_of
from plugins.audit.run import Run, task_input
from plugins.audit.task import Task


def tasks_of(run: Run, workers: int) -> list[Task]:
    """One task per account, or per part of its regions when workers would be idle."""
    run.entering.enter()
    accounts = run.unfinished
    parts_each = max(1, -(-workers // len(accounts))) if accounts else 1
    tasks: list[Task] = []
    for account in accounts:
        error = account.entry_error
        common: dict[str, Any] = {
            "account": account.id,
            "target": run.entering.targets.get(account.id, Target()),
            "facts": AccountFacts.of(account),
            "error": error.packed() if error is not None else None,
        }
        regions = run.cut.regions if run.cut is not None else account.regions
        with_global = run.cut is None or run.cut.with_global
        parts = min(parts_each, max(1, len(regions)))
        if parts == 1 and run.cut is None:
            tasks.append(Task(**common))
            continue
        tasks += [
            Task(**common, regions=regions[part::parts], with_global=with_global and part == 0) for part in range(parts)
        ]
    return tasks


def input_of(run: Run, task: Task, worker: str) -> dict[str, Any]:
    """What the worker of a task needs to know, in plain types."""
    sources, record = run.entering.sources, run.options.record
    return task_input(
        task, run.now, run.audited, sources.mfa.tokens if sources is not None else {},
        str(part_of(record, worker)) if record else "",
    )  # fmt: skip
