"""csv: RFC 4180, header first; the first nine columns are those of the 2020 tool, in its order."""

from __future__ import annotations

import csv
import functools
import io

from plugins.catalog import Check, groups_by_check
from plugins.findings import Finding
from plugins.outputs.base import Writer

COLUMNS = (
    "PROFILE", "ACCOUNT_NUM", "REGION", "TITLE_ID", "RESULT", "SCORED", "LEVEL", "TITLE_TEXT", "NOTES",
    "CHECK_ID", "SEVERITY", "SERVICE", "RESOURCE_ID", "RESOURCE_ARN", "RESOURCE_TYPE", "GROUPS", "REMEDIATION", "DOC",
    "FINDING_ID", "TIMESTAMP",
)  # fmt: skip
GROUP_SEPARATOR = "|"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvWriter(Writer):
    """One row per finding."""

    ending = ".csv"

    def begin(self) -> None:
        self.put(",".join(COLUMNS) + "\r\n")

    def render(self, finding: Finding) -> str:
        check = finding.check
        scored, level, title, id, severity, service, groups, remediation, doc = _constant(check)
        values = (
            finding.profile, finding.account, finding.region, check.number, finding.status, scored, level, title,
            finding.message, id, severity, service, finding.resource_id, finding.resource_arn, finding.resource_type,
            groups, remediation, doc, finding.id, finding.timestamp.isoformat(),
        )  # fmt: skip
        row = io.StringIO(newline="")
        csv.writer(row, lineterminator="\r\n").writerow([harmless(value) for value in values])
        return row.getvalue()


@functools.lru_cache(maxsize=1024)
def _constant(check: Check) -> tuple[str, ...]:
    return (
        "Scored" if check.scored else "Not Scored", check.level, check.title, check.id, check.severity, check.service,
        GROUP_SEPARATOR.join(groups_by_check().get(check.id, [])), check.remediation, check.url,
    )  # fmt: skip


def harmless(value: str) -> str:
    """A value that a spreadsheet would run as a formula, with an apostrophe in front."""
    return "'" + value if value.startswith(FORMULA_STARTS) else value
