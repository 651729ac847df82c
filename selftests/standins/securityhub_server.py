"""A stand-in for Security Hub that keeps to AWS's limits, which the emulator does not.

Source: Security Hub user guide, "BatchImportFindings for finding providers": up to 100 findings of 240 KB in a batch of
6 MB, 10 calls a second per account and region (its burst of 30 is not granted here), findings only of the account that
calls, updates only when newer, and Note, UserDefinedFields and Workflow never changed by an update.
"""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator

from selftests.standins.listening import QuietHandler, listening

Json = dict[str, Any]
Place = tuple[str, str]
"""Account id, region."""

KEPT = ("Note", "UserDefinedFields", "Workflow", "VerificationState")
CALLS_A_SECOND = 10
READS_A_SECOND = 3
READ_BURST = 6
ACCOUNT = "123456789012"


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class SecurityHubServer:
    """What is in Security Hub, by account and region, and how it behaves. ``account_of``: whose an access key is."""

    account_of: Callable[[str], str] = lambda key: ACCOUNT
    enabled: set[str] | None = None
    """Regions where it is enabled; None for all."""
    denied: set[str] = field(default_factory=set)
    """Operations that IAM refuses."""
    refused_ids: dict[str, str] = field(default_factory=dict)
    """Part of a finding's id -> message with which it goes to FailedFindings."""
    malformed: str = ""
    """Part of the id of a finding that makes the whole batch invalid."""
    throttle_every: int = 0
    """Each how many calls one is throttled, however slow they come."""
    findings: dict[Place, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Operation, region -> calls that were answered."""
    throttled: Counter[str] = field(default_factory=Counter)
    """``rate`` and ``injected``."""
    batches: list[int] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[tuple[str, str, str], deque[float]] = defaultdict(deque)
        self._arrived = 0
        model = get_session().get_service_model("securityhub")
        self._shape = model.operation_model("BatchImportFindings").input_shape

    def of(self, region: str, account: str = ACCOUNT, state: str = "ACTIVE") -> dict[str, Json]:
        """The findings of an account and region in a state."""
        return {id: one for id, one in self.findings[account, region].items() if one["RecordState"] == state}

    def everything(self) -> dict[Place, dict[str, Json]]:
        """A copy of all findings."""
        return copy.deepcopy({place: found for place, found in self.findings.items() if found})

    # -- calls ---------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, key: str, region: str, body: bytes) -> Json:
        """The answer to a request. Raises Refused."""
        account = self.account_of(key)
        operation = {
            ("GET", "/accounts"): "DescribeHub", ("POST", "/findings"): "GetFindings",
            ("POST", "/findings/import"): "BatchImportFindings",
        }.get((method, path))  # fmt: skip
        if operation is None:
            raise Refused(404, "ResourceNotFoundException", path)
        with self._lock:
            self._throttle(operation, account, region)
            self.calls[operation, region] += 1
            if operation in self.denied:
                raise Refused(403, "AccessDeniedException", f"not authorized to perform: securityhub:{operation}")
            if self.enabled is not None and region not in self.enabled:
                raise Refused(401, "InvalidAccessException", f"Account {account} is not subscribed to AWS Security Hub")
            if operation == "DescribeHub":
                return {"HubArn": f"arn:aws:securityhub:{region}:{account}:hub/default"}
            request = json.loads(body)
            if operation == "GetFindings":
                return self._get(request, account, region)
            return self._import(request, account, region, len(body))

    def _throttle(self, operation: str, account: str, region: str) -> None:
        now = time.monotonic()
        self._arrived += 1
        if self.throttle_every and self._arrived % self.throttle_every == 0:
            self.throttled["injected"] += 1
            raise Refused(429, "TooManyRequestsException", "injected")
        times = self._times[operation, account, region]
        limit = {"BatchImportFindings": CALLS_A_SECOND, "GetFindings": READ_BURST}.get(operation, 30)
        while times and now - times[0] > (1.0 if operation != "GetFindings" else READ_BURST / READS_A_SECOND):
            times.popleft()
        if len(times) >= limit:
            self.throttled["rate"] += 1
            raise Refused(429, "TooManyRequestsException", "Rate exceeded")
        times.append(now)

    def _get(self, request: Json, account: str, region: str) -> Json:
        filters = request["Filters"]
        assert set(filters) == {"ProductArn", "GeneratorId", "AwsAccountId", "RecordState"}
        number = request["MaxResults"]
        if not 1 <= number <= 100:
            raise Refused(400, "InvalidInputException", "MaxResults")

        def matches(one: Json) -> bool:
            return all(
                one[name].startswith(f["Value"]) if f["Comparison"] == "PREFIX" else one[name] == f["Value"]
                for name, (f,) in filters.items()
            )

        found = [one for _, one in sorted(self.findings[account, region].items()) if matches(one)]
        start = int(request.get("NextToken") or 0)
        page: Json = {"Findings": found[start : start + number]}
        return page | ({"NextToken": str(start + number)} if start + number < len(found) else {})

    def _import(self, request: Json, account: str, region: str, size: int) -> Json:
        findings = request["Findings"]
        report = ParamValidator().validate(request, self._shape)
        if not 1 <= len(findings) <= 100 or size > 6_000_000 or report.has_errors():
            raise Refused(
                400, "InvalidInputException", report.generate_report() or f"{len(findings)} findings, {size} bytes"
            )
        if self.malformed and any(self.malformed in one["Id"] for one in findings):
            raise Refused(400, "InvalidInputException", "a finding is malformed")
        self.batches.append(len(findings))
        failed = []
        for one in findings:
            problem = self._problem(one, account, region)
            if problem:
                failed.append({"Id": one["Id"], "ErrorCode": problem[0], "ErrorMessage": problem[1]})
            else:
                self._store(one, account, region)
        return {"FailedCount": len(failed), "SuccessCount": len(findings) - len(failed), "FailedFindings": failed}

    def _problem(self, one: Json, account: str, region: str) -> tuple[str, str] | None:
        for part, message in self.refused_ids.items():
            if part in one["Id"]:
                return "InvalidInput", message
        if one["AwsAccountId"] != account:
            return "InvalidAccess", "the account does not own the finding"
        if one["ProductArn"] != f"arn:aws:securityhub:{region}:{account}:product/{account}/default":
            return "InvalidAccess", "the product is not enabled"
        if len(json.dumps(one, ensure_ascii=False).encode()) > 240 * 1024:
            return "InvalidInput", "the finding is too large"
        if any(key.startswith("aws/") for key in one["ProductFields"]):
            return "InvalidInput", "aws/ is reserved"
        return None

    def _store(self, one: Json, account: str, region: str) -> None:
        stored = self.findings[account, region]
        known = stored.get(one["Id"])
        if known is None:
            stored[one["Id"]] = one | {"Workflow": one.get("Workflow", {"Status": "NEW"})} | self._added(one, region)
            return
        if datetime.fromisoformat(one["UpdatedAt"]) <= datetime.fromisoformat(known["UpdatedAt"]):
            return
        workflow = known["Workflow"]
        back = known["RecordState"] == "ARCHIVED" and one["RecordState"] == "ACTIVE"
        worse = known["Compliance"]["Status"] == "PASSED" and one["Compliance"]["Status"] != "PASSED"
        if workflow["Status"] in ("NOTIFIED", "RESOLVED") and (back or worse):
            workflow = {"Status": "NEW"}
        kept = {key: known[key] for key in KEPT if key in known}
        for key in KEPT:
            one.pop(key, None)
        stored[one["Id"]] = known | one | kept | {"Workflow": workflow} | self._added(one, region)

    def _added(self, one: Json, region: str) -> Json:
        fields = one["ProductFields"] | {"aws/securityhub/FindingId": f"{one['ProductArn']}/{one['Id']}"}
        return {"Region": region, "CompanyName": "Personal", "WorkflowState": "NEW", "ProductFields": fields}


@contextmanager
def serving(server: SecurityHubServer) -> Iterator[SecurityHubServer]:
    """The server, reachable at its ``url`` within this block."""

    class Handler(QuietHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/securityhub/", self.headers.get("Authorization", ""))
            assert scope is not None
            status, headers = 200, {}
            try:
                answer = server.answer(self.command, self.path.partition("?")[0], scope[1], scope[2], body)
            except Refused as refused:
                status, headers = refused.status, {"x-amzn-ErrorType": refused.code}
                answer = {"Message": refused.message, "Code": refused.code}
            data = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer

    with listening(Handler) as server.url:
        yield server
