"""What a run was asked for, as far as it decides about findings and reports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugins import suite
from plugins.audit.run import Run
from plugins.audit.shares import share_numbers
from plugins.reporting.baseline import baseline_of
from plugins.suite import ROOT, version


def selection_of(run: Run) -> dict[str, Any]:
    """What a run was asked for, as far as it decides about findings and reports, in plain types."""
    baseline = baseline_of(run.config)
    options, option, shard = run.options, run.config.option, share_numbers(run.config)
    return {
        "suite": f"{version()} {suite.digest_of(ROOT, suite.SOURCES)[:16]}",
        "--checks-dir": sorted(suite.digest_of(folder, ["."]) for folder in options.checks_dirs),
        "checks": sorted(run.plan.checks),
        "requirements": sorted(one.check.id for one in run.plan.requirements),
        "items": sorted(argument for argument in run.config.args if "[" in argument),
        "-k": option.keyword,
        "--deselect": sorted(option.deselect or []),
        "--lf": bool(getattr(option, "lf", False)),
        "accounts": sorted(run.audited),
        "shard": shard and shard[0],
        "shards": shard and shard[1],
        **_files(
            {"--whitelist": options.whitelist, "--config": options.config, "--accounts-file": options.accounts_file}
        ),
        "--baseline": sorted([account, audit.time] for account, audit in baseline.audits.items()) if baseline else [],
        "--output-formats": sorted(options.formats),
        "--output-filename": options.output_filename,
        "--only-fails": options.only_fails,
        "--numbered": options.numbered,
        "--max-items": options.max_items,
        "--filter-region": sorted(options.filter_regions),
        "--trusted-account": sorted(options.trusted_accounts),
        "--active-probes": options.active_probes,
        "--replay": run.entering.recording.seal if run.entering.recording is not None else None,
    }


def _files(paths: Mapping[str, Path | None]) -> dict[str, Any]:
    """The digests of small files, which may lie elsewhere on another machine."""
    return {name: path and hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
