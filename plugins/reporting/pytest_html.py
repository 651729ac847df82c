"""The columns Account, Region, Check, Severity and Resource in pytest-html's report (--html)."""

from __future__ import annotations

import html

import pytest

from plugins.findings.pytest_report import finding_in
from plugins.text import visible

COLUMNS = ("Account", "Region", "Check", "Severity", "Resource")
AFTER = 2
"""They stand after Result and Test."""
TEST_CELL = ('<td class="col-testId">', "</td>")


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_header(cells: list[str]) -> None:
    """The heads of the columns."""
    cells[AFTER:AFTER] = [
        f'<th class="sortable" data-column-type="{name.lower()}">{name}</th>' for name in COLUMNS
    ]  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    """The cells of a report; empty for one without a finding."""
    finding = finding_in(report)
    values = [""] * len(COLUMNS)
    if finding is not None:
        check = finding.check
        values = [finding.account, finding.region, check.id, check.severity, finding.resource_id]
    start, end = TEST_CELL
    if len(cells) > 1 and cells[1].startswith(start) and cells[1].endswith(end):
        # pytest-html takes a node id for markup, and ours have the names of other people's resources in them.
        cells[1] = start + _text(cells[1][len(start) : -len(end)]) + end
    cells[AFTER:AFTER] = [
        f'<td class="col-{name.lower()}">{_text(value)}</td>' for name, value in zip(COLUMNS, values, strict=True)
    ]  # fmt: skip


def _text(value: str) -> str:
    return html.escape(visible(value))
