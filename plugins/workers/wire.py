"""Findings on their way from a worker to the controller: small reports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.audit.run import run_of
from plugins.findings.finding import properties_of, unpacked
from plugins.findings.pytest_report import attach, finding_in

REPORT_TYPE = "AuditestReport"
OWN_PROPERTIES = 6
"""User properties of a report that the finding gives back by itself; more come from the user's own test."""


@pytest.hookimpl(tryfirst=True)
def pytest_report_to_serializable(config: pytest.Config, report: object) -> dict[str, Any] | None:
    """A report with a finding, small: it goes from a worker to the controller thousands of times."""
    finding = finding_in(report)
    if finding is None or not isinstance(report, pytest.TestReport):
        return None
    longrepr = report.longrepr
    if longrepr is not None and not isinstance(longrepr, tuple):
        longrepr = None if longrepr == finding.message else str(longrepr)
    message = {
        "finding": finding.packed(),
        "location": report.location,
        "outcome": report.outcome,
        "longrepr": longrepr,
        "when": report.when,
        "start": report.start,
        "wasxfail": getattr(report, "wasxfail", None),
        "sections": report.sections,
        "properties": report.user_properties if len(report.user_properties) > OWN_PROPERTIES else None,
    }
    # xdist packs nested values in Python; one piece of JSON is ten times quicker
    return {"$report_type": REPORT_TYPE, "message": json.dumps(message)}


@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(config: pytest.Config, data: dict[str, Any]) -> pytest.TestReport | None:
    """The other end of pytest_report_to_serializable."""
    if data.get("$report_type") != REPORT_TYPE:
        return None
    run = run_of(config)
    assert run is not None
    message = json.loads(data["message"])
    packed = message["finding"]
    finding = unpacked(run.plan.check(packed[0]), packed)
    longrepr = message["longrepr"]
    if isinstance(longrepr, list):
        longrepr = tuple(longrepr)
    elif longrepr is None and message["outcome"] == "failed":
        longrepr = finding.message
    report = pytest.TestReport(
        finding.nodeid, tuple(message["location"]), {finding.check.id: 1}, message["outcome"], longrepr, message["when"],
        sections=message["sections"], duration=finding.duration,
        start=message["start"], stop=message["start"] + finding.duration,
        user_properties=[tuple(pair) for pair in message["properties"] or properties_of(finding)],
    )  # fmt: skip
    if message["wasxfail"] is not None:
        report.wasxfail = message["wasxfail"]
    report.worker_id = data.get("worker_id")  # type: ignore[attr-defined]
    return attach(report, finding)
