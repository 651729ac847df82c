"""Security Hub of one account and region: whether it can be imported to, what it has of earlier runs, and the import.

Limits: at most 100 findings and 6 MB per batch, 240 KB per finding, 10 calls a second per account and region. Source:
Security Hub user guide, "BatchImportFindings for finding providers"; API reference, "Welcome", for the rate of
GetFindings.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from fixtures.api.backend import Answer
from fixtures.api.endpoints import NOT_OFFERED
from fixtures.api.errors import NOT_SUBSCRIBED, ApiError
from fixtures.api.live import AwsBackend
from fixtures.api.readonly import importing_findings
from plugins.outputs.asff_report import GENERATOR_PREFIX, MOST_BYTES, Asff, product_arn, size_of

BATCH_FINDINGS = 100
BATCH_BYTES = 5_000_000
"""Below the 6 MB of AWS, which also counts what stands around the findings."""
IMPORT_SECONDS = 0.11
"""Between two calls of BatchImportFindings: with 0.1, eleven calls would fall into one second."""
READ_SECONDS = 0.35
"""Between two calls of GetFindings, of which 3 a second are allowed."""
ATTEMPTS = 8
"""For a call that is throttled, besides the retries of botocore."""
LONGEST_WAIT = 20.0

# What an earlier finding is sent back with to archive it: what AWS added to it, and what people did, is left out.
SENT_FIELDS = (
    "SchemaVersion", "Id", "ProductArn", "ProductName", "GeneratorId", "AwsAccountId", "Types", "FirstObservedAt",
    "CreatedAt", "UpdatedAt", "Severity", "Title", "Description", "ProductFields", "Resources", "Compliance",
    "FindingProviderFields", "RecordState", "Remediation",
)  # fmt: skip


class Stopped(Exception):
    """The user asked for the end of the import."""


class ImportRate:
    """Keeps calls at least ``seconds`` apart."""

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self.seconds = seconds
        self._stop = stop
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next call may be made."""
        now = time.monotonic()
        if self._stop.wait(max(0.0, self._next - now)):
            raise Stopped
        self._next = max(now, self._next) + self.seconds


@dataclass
class Result:
    """What an import did. ``problems``: a line for each finding or batch that Security Hub did not take."""

    imported: int = 0
    archived: int = 0
    problems: list[str] = field(default_factory=list)


class Hub:
    """Security Hub of an account in a region. ``stop`` ends what is going on, with Stopped."""

    def __init__(
        self, backend: AwsBackend, *, partition: str, region: str, stop: threading.Event | None = None
    ) -> None:
        self.backend = backend
        self.account = backend.account
        self.region = region
        self.product = product_arn(partition, region, self.account)
        self._stop = stop or threading.Event()
        self._imports = ImportRate(IMPORT_SECONDS, self._stop)
        self._reads = ImportRate(READ_SECONDS, self._stop)

    @property
    def place(self) -> str:
        """The account and region, for messages."""
        return f"{self.region} of account {self.account}"

    def obstacle(self) -> str:
        """Why nothing can be imported; "" when it can. Makes the reads that an import makes, and no write.

        The account's default product is there as soon as Security Hub is enabled. Source: Security Hub user guide,
        "Integrating Security Hub CSPM with custom products".
        """
        try:
            self.backend.call(self.region, "securityhub", "DescribeHub", {})
            self._read(MaxResults=1)
        except ApiError as error:
            if error.code in NOT_SUBSCRIBED:
                return "Security Hub is not enabled"
            return error.reason if error.code == NOT_OFFERED else str(error)
        return ""

    # -- reading -------------------------------------------------------------------------------------------------

    def earlier(self) -> Iterator[Asff]:
        """The active findings of earlier runs, page by page. Raises ApiError, Stopped."""
        token = ""
        while True:
            page = self._read(MaxResults=BATCH_FINDINGS, **({"NextToken": token} if token else {}))
            yield from filter(self._is_own, page["Findings"])
            token = page.get("NextToken") or ""
            if not token:
                return

    def _read(self, **params: Any) -> Answer:
        def equals(value: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
            return [{"Value": value, "Comparison": comparison}]

        filters = {
            "ProductArn": equals(self.product),
            "GeneratorId": equals(GENERATOR_PREFIX, "PREFIX"),
            "AwsAccountId": equals(self.account),
            "RecordState": equals("ACTIVE"),
        }
        return self._patiently(self._reads, "GetFindings", Filters=filters, **params)

    def _is_own(self, finding: Asff) -> bool:
        # An administrator's hub has the findings of members, an aggregating one those of other regions.
        return bool(
            finding["ProductArn"] == self.product
            and finding["GeneratorId"].startswith(GENERATOR_PREFIX)
            and finding["AwsAccountId"] == self.account
            and finding.get("RecordState", "ACTIVE") == "ACTIVE"
        )

    # -- writing -------------------------------------------------------------------------------------------------

    def send(self, findings: Iterable[Asff], result: Result) -> None:
        """Import findings in batches and count them. Raises ApiError when Security Hub takes none at all, Stopped."""
        for batch in batches(self._small_enough(findings, result)):
            before = len(result.problems)
            refused = self._send(batch, result)
            if refused is not None and len(batch) > 1 and len(result.problems) - before == len(batch):
                raise refused

    def _small_enough(self, findings: Iterable[Asff], result: Result) -> Iterator[Asff]:
        for finding in findings:
            size = size_of(finding)
            if size <= MOST_BYTES:
                yield finding
            else:
                result.problems.append(f"not imported to {self.place}: {finding['Id']}: too large ({size} bytes)")

    def _send(self, batch: list[Asff], result: Result) -> ApiError | None:
        """Import a batch; the error when it was refused as a whole, and had to be sent in parts."""
        try:
            answer = self._patiently(self._imports, "BatchImportFindings", Findings=batch)
        except ApiError as error:
            if error.code not in ("InvalidInputException", "ValidationException", "413"):
                raise
            if len(batch) > 1:  # one finding that is not understood must not keep back the others
                middle = len(batch) // 2
                self._send(batch[:middle], result)
                self._send(batch[middle:], result)
            else:
                result.problems.append(f"not imported to {self.place}: {batch[0]['Id']}: {error.code}: {error.reason}")
            return error
        failed = answer.get("FailedFindings") or []
        ids = {one["Id"] for one in failed}
        for one in failed:
            problem = f"{one['Id']}: {one['ErrorCode']}: {one['ErrorMessage']}"
            result.problems.append(f"not imported to {self.place}: {problem}")
        taken = [finding for finding in batch if finding["Id"] not in ids]
        archived = sum(finding["RecordState"] == "ARCHIVED" for finding in taken)
        result.archived += archived
        result.imported += len(taken) - archived
        return None

    # -- calls ---------------------------------------------------------------------------------------------------

    def _patiently(self, pace: ImportRate, operation: str, **params: Any) -> Answer:
        """The answer of a call, which is made again while AWS throttles it, after longer and longer waits."""
        for attempt in range(ATTEMPTS):
            pace.wait()
            try:
                return self._call(operation, params)
            except ApiError as error:
                if not error.is_throttled or attempt == ATTEMPTS - 1:
                    raise
            if self._stop.wait(min(LONGEST_WAIT, 2**attempt) * random.uniform(0.5, 1.0)):
                raise Stopped
        raise AssertionError("unreachable")

    def _call(self, operation: str, params: dict[str, Any]) -> Answer:
        """One call, one page: AwsBackend.call would hold all pages in memory."""
        try:
            method = getattr(self.backend.client("securityhub", self.region), xform_name(operation))
            with importing_findings():
                answer: Answer = method(**params)
            return answer
        except ClientError as error:
            details = error.response.get("Error", {})
            code, reason = str(details.get("Code") or "Unknown"), str(details.get("Message") or error)
        except BotoCoreError as error:
            code, reason = type(error).__name__, str(error)
        raise ApiError("securityhub", operation, code, reason, account=self.account, region=self.region)


def batches(findings: Iterable[Asff]) -> Iterator[list[Asff]]:
    """Findings in batches as large as Security Hub takes them."""
    batch: list[Asff] = []
    size = 0
    for finding in findings:
        more = size_of(finding)
        if batch and (len(batch) == BATCH_FINDINGS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(finding)
        size += more
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Times:
    """When an earlier finding was first seen, made and updated."""

    first_observed: str
    created: str
    updated: str


def times_of(earlier: Asff) -> Times:
    """The times of a finding that Security Hub has."""
    created = earlier["CreatedAt"]
    return Times(earlier.get("FirstObservedAt") or created, created, earlier["UpdatedAt"])


def updated(finding: Asff, times: Times) -> Asff:
    """The finding as an update of an earlier one, whose first times it keeps."""
    return finding | {
        "FirstObservedAt": times.first_observed,
        "CreatedAt": times.created,
        "UpdatedAt": _later(finding["UpdatedAt"], times.updated),
    }


def archived(earlier: Asff, now: str) -> Asff:
    """What to send to archive an earlier finding."""
    kept = {key: earlier[key] for key in SENT_FIELDS if key in earlier}
    if "ProductFields" in kept:  # those of aws/ are AWS's own
        kept["ProductFields"] = {
            key: value for key, value in kept["ProductFields"].items() if not key.startswith("aws/")
        }
    return kept | {"RecordState": "ARCHIVED", "UpdatedAt": _later(now, earlier["UpdatedAt"])}


def _later(now: str, before: str) -> str:
    """``now``, or a time just after ``before`` where that is later (another machine's clock): Security Hub ignores an
    update that is not newer than what it has. Source: Security Hub user guide, "BatchImportFindings for finding providers".
    """
    try:
        known = datetime.fromisoformat(before)
        if datetime.fromisoformat(now) > known:
            return now
    except (ValueError, TypeError):
        return now
    return (known + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
