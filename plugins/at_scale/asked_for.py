"""What a run was asked for, as far as it decides about findings and reports."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from plugins import suite
from plugins.audit.run import Run
from plugins.audit.shares import share_numbers
from plugins.options.declaration import Decides
from plugins.options.values import OPTIONS
from plugins.reporting.baseline import baseline_of
from plugins.suite import ROOT, version


def selection_of(run: Run) -> dict[str, Any]:
    """What a run was asked for, as far as it decides about findings and reports, in plain types."""
    baseline = baseline_of(run.config)
    options, option, shard = run.options, run.config.option, share_numbers(run.config)
    return {
        "suite": f"{version()} {suite.digest_of(ROOT, suite.SOURCES)[:16]}",
        "checks": sorted(run.plan.checks),
        "requirements": sorted(one.check.id for one in run.plan.requirements),
        "items": sorted(argument for argument in run.config.args if "[" in argument),
        "-k": option.keyword,
        "--deselect": sorted(option.deselect or []),
        "--lf": bool(getattr(option, "lf", False)),
        "accounts": sorted(run.audited),
        "shard": shard and shard[0],
        "shards": shard and shard[1],
        "--baseline": sorted([account, audit.time] for account, audit in baseline.audits.items()) if baseline else [],
        "--replay": run.entering.recording.seal if run.entering.recording is not None else None,
        **{
            one.flag: comparable(getattr(options, name))
            for name, one in OPTIONS.items()
            if one.decides is Decides.FINDINGS
        },
    }


def comparable(value: Any) -> Any:
    """A value by which two runs can be compared: files and folders, which may lie elsewhere on another machine, by digest.

    Of a folder count the files that checks are made of (``suite.ENDINGS``).
    """
    if isinstance(value, Path):
        return suite.digest_of(value, ["."]) if value.is_dir() else hashlib.sha256(value.read_bytes()).hexdigest()
    return sorted(map(comparable, value)) if isinstance(value, list) else value
