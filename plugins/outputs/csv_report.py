"""csv: RFC 4180, header first; the first nine columns are those of the 2020 tool, in its order."""

from __future__ import annotations

import functools
import re

from plugins.catalog.checks import Check
from plugins.findings.finding import Finding
from plugins.outputs.writer import Writer
from plugins.text import timestamp

COLUMNS = (
    "PROFILE", "ACCOUNT_NUM", "REGION", "TITLE_ID", "RESULT", "SCORED", "LEVEL", "TITLE_TEXT", "NOTES",
    "CHECK_ID", "SEVERITY", "SERVICE", "RESOURCE_ID", "RESOURCE_ARN", "RESOURCE_TYPE", "GROUPS", "REMEDIATION", "DOC",
    "FINDING_ID", "TIMESTAMP", "BASELINE",
)  # fmt: skip
GROUP_SEPARATOR = "|"
# What makes a spreadsheet take a value for a formula. Source: OWASP, "CSV Injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# RFC 4180, section 2, rule 6: what must stand in quotes.
SPECIAL = re.compile('[",\r\n]')


class CsvWriter(Writer):
    """One row per finding. The groups of a check stand in one column, separated by ``|``."""

    def head(self) -> str:
        return ",".join(COLUMNS) + "\r\n"

    def render(self, finding: Finding) -> str:
        number, rating, check, references = _constant(finding.check)
        return (
            f"{cell(finding.profile)},{cell(finding.account)},{cell(finding.region)},{number},{finding.status},{rating},"
            f"{cell(finding.message)},{check},{cell(finding.resource_id)},{cell(finding.resource_arn)},"
            f"{cell(finding.resource_type)},{references},{cell(finding.id)},{timestamp(finding.timestamp)},"
            f"{finding.baseline}\r\n"
        )


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, str, str, str]:
    """What is the same in all findings of a check, in the four places where it stands."""

    def cells(*values: str) -> str:
        return ",".join(map(cell, values))

    return (
        cells(check.number),
        cells("Scored" if check.scored else "Not Scored", check.level, check.title),
        cells(check.id, check.severity, check.service),
        cells(GROUP_SEPARATOR.join(check.groups), check.remediation, check.url),
    )


def cell(value: str) -> str:
    """A value as it stands in the file: one that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value.startswith(FORMULA_STARTS):
        value = "'" + value
    if SPECIAL.search(value):
        return '"' + value.replace('"', '""') + '"'
    return value
