"""The check of tests_extras/test_support.py."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.support import TrustedAdvisorCheck
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend, access_denied

LABEL = "MFA on Root Account (security)"
NO_PLAN = ApiError(
    "support", "x", "SubscriptionRequiredException", "Amazon Web Services Premium Support Subscription is required"
)


def advice(id: str = "mfa", category: str = "security", name: str = "MFA on Root Account") -> dict[str, Any]:
    """A check as DescribeTrustedAdvisorChecks gives it."""
    return {"id": id, "name": name, "category": category, "description": "d", "metadata": []}


def summary(status: str = "ok", id: str = "mfa", flagged: int = 0) -> dict[str, Any]:
    """A summary as DescribeTrustedAdvisorCheckSummaries gives it."""
    counted = {"resourcesProcessed": 7, "resourcesFlagged": flagged, "resourcesIgnored": 0, "resourcesSuppressed": 0}
    return {"checkId": id, "timestamp": "2026-05-01T10:00:00Z", "status": status, "resourcesSummary": counted}


def answers(*summaries: dict[str, Any], checks: list[dict[str, Any]] | None = None) -> dict[str, Stub]:
    """Trusted Advisor with these summaries, which it gives for the asked ids only."""
    return {
        "support:DescribeTrustedAdvisorChecks": {"checks": checks or [advice()]},
        "support:DescribeTrustedAdvisorCheckSummaries": lambda params: {
            "summaries": [one for one in summaries if one["checkId"] in params["checkIds"]]
        },
    }


def batches(audit: Audit) -> list[list[str]]:
    """The ids of each call for summaries."""
    return [
        params["checkIds"]
        for _, _, operation, params in audit.backend.calls
        if operation == "DescribeTrustedAdvisorCheckSummaries"
    ]


@pytest.mark.parametrize(
    ("found", "settings", "expected"),
    [
        (summary("ok"), {}, f"PASS: {LABEL}: ok, 0 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("error", flagged=3), {}, f"FAIL: {LABEL}: error, 3 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("error", flagged=3), {"fail_on_warning": False}, f"FAIL: {LABEL}: error, 3 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("warning", flagged=1), {}, f"FAIL: {LABEL}: warning, 1 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("warning", flagged=1), {"fail_on_warning": False}, f"INFO: {LABEL}: warning, 1 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("not_available"), {}, f"INFO: {LABEL}: not_available, 0 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("ok", id="other"), {}, f"INFO: {LABEL}: Trusted Advisor gives no summary"),
        (summary("purple"), {}, f"ERROR: support:DescribeTrustedAdvisorCheckSummaries failed in us-east-1: UnexpectedAnswer: {LABEL} has an unknown status: purple"),
        (summary("ok"), {"categories": ["security"]}, f"PASS: {LABEL}: ok, 0 of 7 resources flagged, 2026-05-01T10:00:00Z"),
        (summary("error"), {"categories": ["cost_optimizing"]}, f"INFO: {LABEL}: the category is not among cost_optimizing"),
    ],
)  # fmt: skip
def test_extra726(audit: Audit, found: dict[str, Any], settings: dict[str, Any], expected: str) -> None:
    assert audit("extra726", answers=answers(found), live=False, **settings) == {"mfa": expected}


def test_extra726_asks_in_batches(audit: Audit) -> None:
    checks = [advice(f"c{number}", "security" if number % 2 else "cost_optimizing") for number in range(6)]
    given = answers(*(summary(id=check["id"]) for check in checks), checks=checks)
    found = audit("extra726", answers=given, live=False)
    assert list(found) == [f"c{number}" for number in range(6)] and all(
        text.startswith("PASS") for text in found.values()
    )
    assert batches(audit) == [["c0", "c1", "c2", "c3", "c4", "c5"]]
    audit("extra726", answers=given, live=False, batch_size=4)
    assert batches(audit) == [["c0", "c1", "c2", "c3"], ["c4", "c5"]]
    found = audit("extra726", answers=given, live=False, batch_size=2, categories=["security"])
    assert batches(audit) == [["c1", "c3"], ["c5"]]
    assert [text[:4] for text in found.values()] == ["INFO", "PASS"] * 3


def test_extra726_refused_id(audit: Audit) -> None:
    refusal = ApiError("support", "x", "InvalidParameterValueException", "unknown check id")

    def picky(params: dict[str, Any]) -> Any:
        return refusal if "bad" in params["checkIds"] else {"summaries": [summary(id=id) for id in params["checkIds"]]}

    given: dict[str, Stub] = {
        "support:DescribeTrustedAdvisorChecks": {"checks": [advice(), advice("bad", name="Bad")]},
        "support:DescribeTrustedAdvisorCheckSummaries": picky,
    }
    found = audit("extra726", answers=given, live=False)
    assert found["mfa"].startswith("PASS")
    assert found["bad"] == "INFO: Bad (security): Trusted Advisor gives no summary"
    assert batches(audit) == [["mfa", "bad"], ["mfa"], ["bad"]]


def test_extra726_without_support_plan_or_api(audit: Audit) -> None:
    found = audit("extra726", answers={"support:DescribeTrustedAdvisorChecks": NO_PLAN}, live=False)
    assert found == {
        ACCOUNT: "INFO: Trusted Advisor cannot be asked: the account has no support plan that includes the Support API"
    }
    found = audit("extra726", live=False, partition="aws-cn", regions=["cn-north-1"])
    assert found == {ACCOUNT: "INFO: Trusted Advisor cannot be asked: the partition aws-cn has no Support API"}
    assert audit.backend.calls == []
    found = audit(
        "extra726", answers={"support:DescribeTrustedAdvisorChecks": NO_PLAN}, live=False, categories=["security"]
    )
    assert found[ACCOUNT].startswith("INFO: Trusted Advisor cannot be asked")


def test_extra726_errors(audit: Audit) -> None:
    refused = ApiError("support", "x", "AccessDeniedException", "not authorized")
    found = audit("extra726", answers={"support:DescribeTrustedAdvisorChecks": refused}, live=False)
    assert list(found) == [f"{ACCOUNT} us-east-1"]
    assert "ERROR: access denied in us-east-1: support:DescribeTrustedAdvisorChecks is needed" in str(found)
    denied = {**answers(), "support:DescribeTrustedAdvisorCheckSummaries": access_denied("support", "x")}
    found = audit("extra726", answers=denied, live=False)
    assert found["mfa"].startswith(
        "ERROR: access denied in us-east-1: support:DescribeTrustedAdvisorCheckSummaries is needed"
    )


@pytest.mark.parametrize(
    ("partition", "home", "support_region"),
    [("aws", "eu-west-1", "us-east-1"), ("aws-us-gov", "us-gov-east-1", "us-gov-west-1")],
)
def test_extra726_asks_where_the_support_api_lives(partition: str, home: str, support_region: str) -> None:
    backend = StubBackend(answers(summary()), None)
    account = Account(
        ACCOUNT, backend=backend, crew=Crew(2), now=utcnow(), partition=partition, regions=[home], home_region=home,
        global_region=support_region,
    )  # fmt: skip
    (found,) = TrustedAdvisorCheck.discover(account.api)
    assert isinstance(found, TrustedAdvisorCheck)
    assert found.summary((), 100) == summary()
    assert {region for region, *_ in backend.calls} == {support_region}
    assert found.arn == f"arn:{partition}:trustedadvisor:{support_region}:{ACCOUNT}:checks/security/mfa"
