"""The check of tests_extras/test_accessanalyzer.py."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.accessanalyzer import Analyzers
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend

REGION = "eu-west-1"


def arn(name: str) -> str:
    return f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/{name}"


def analyzer(name: str = "default", kind: str = "ACCOUNT", status: str = "ACTIVE") -> dict[str, Any]:
    """An analyzer as ListAnalyzers gives it."""
    return {"arn": arn(name), "name": name, "type": kind, "status": status}


def finding(number: int, status: str = "ACTIVE", name: str = "default") -> dict[str, Any]:
    """A finding, and the analyzer that it is of (ListFindingsV2 does not say)."""
    return {"analyzer": arn(name), "finding": {
        "id": f"f{number}", "resource": f"arn:aws:s3:::b{number}", "resourceType": "AWS::S3::Bucket", "status": status,
    }}  # fmt: skip


def answers(*analyzers: dict[str, Any], findings: tuple[dict[str, Any], ...] = ()) -> dict[str, Stub]:
    """Analyzers, and findings that are filtered as Access Analyzer does."""

    def listed(params: dict[str, Any]) -> dict[str, Any]:
        wanted = params["filter"]["status"]["eq"]
        own = [one["finding"] for one in findings if one["analyzer"] == params["analyzerArn"]]
        return {"findings": [one for one in own if one["status"] in wanted]}

    return {
        "accessanalyzer:ListAnalyzers": {"analyzers": list(analyzers)},
        "accessanalyzer:ListFindingsV2": listed,
    }


def denied(action: str) -> ApiError:
    """As Access Analyzer refuses; its IAM prefix is not botocore's service name."""
    reason = (
        f"User: arn:aws:iam::{ACCOUNT}:user/u is not authorized to perform: access-analyzer:{action} on resource: *"
    )
    return ApiError("accessanalyzer", "x", "AccessDeniedException", reason)


def run(audit: Audit, given: dict[str, Stub], **settings: Any) -> dict[str, str]:
    return audit("extra769", answers=given, live=False, regions=[REGION], **settings)


NOTHING_ACTIVE = f"no active analyzer of type ACCOUNT or ORGANIZATION in {REGION}; analyzers there:"


@pytest.mark.parametrize(
    ("given", "settings", "expected"),
    [
        (answers(analyzer()), {}, {"default": f"PASS: default (ACCOUNT) in {REGION}: 0 active findings"}),
        (answers(analyzer(kind="ORGANIZATION")), {}, {"default": f"PASS: default (ORGANIZATION) in {REGION}: 0 active findings"}),
        (answers(analyzer(), findings=(finding(1), finding(2))), {}, {"default": f"FAIL: default (ACCOUNT) in {REGION}: 2 active findings about arn:aws:s3:::b1, arn:aws:s3:::b2"}),
        (answers(analyzer(), findings=(finding(1), finding(2))), {"max_active_findings": 2}, {"default": f"PASS: default (ACCOUNT) in {REGION}: 2 active findings about arn:aws:s3:::b1, arn:aws:s3:::b2"}),
        (answers(analyzer(), findings=(finding(1), finding(2))), {"max_active_findings": 1}, {"default": f"FAIL: default (ACCOUNT) in {REGION}: 2 active findings about arn:aws:s3:::b1, arn:aws:s3:::b2"}),
        (answers(analyzer(), findings=(finding(1, "ARCHIVED"), finding(2, "RESOLVED"))), {}, {"default": f"PASS: default (ACCOUNT) in {REGION}: 0 active findings"}),
        (answers(), {}, {ACCOUNT: f"FAIL: {NOTHING_ACTIVE} none"}),
        (answers(analyzer(status="FAILED")), {}, {"default": f"FAIL: {NOTHING_ACTIVE} default (ACCOUNT, FAILED)"}),
        (answers(analyzer(status="CREATING")), {}, {"default": f"FAIL: {NOTHING_ACTIVE} default (ACCOUNT, CREATING)"}),
        (answers(analyzer(status="DISABLED")), {}, {"default": f"FAIL: {NOTHING_ACTIVE} default (ACCOUNT, DISABLED)"}),
        (answers(analyzer("unused", "ACCOUNT_UNUSED_ACCESS"), findings=(finding(1, name="unused"),)), {}, {"unused": f"FAIL: {NOTHING_ACTIVE} unused (ACCOUNT_UNUSED_ACCESS, ACTIVE)"}),
        (answers(analyzer(), analyzer("unused", "ACCOUNT_UNUSED_ACCESS"), findings=(finding(1, name="unused"),)), {}, {"default, unused": f"PASS: default (ACCOUNT) in {REGION}: 0 active findings"}),
        (answers(analyzer(kind="ORGANIZATION")), {"analyzer_types": ["ACCOUNT"]}, {"default": f"FAIL: no active analyzer of type ACCOUNT in {REGION}; analyzers there: default (ORGANIZATION, ACTIVE)"}),
        (answers(analyzer("org", "ORGANIZATION"), analyzer("acc"), findings=(finding(1, name="org"), finding(1, name="acc"))), {}, {"acc, org": f"FAIL: acc (ACCOUNT), org (ORGANIZATION) in {REGION}: 2 active findings about arn:aws:s3:::b1"}),
    ],
)  # fmt: skip
def test_extra769(audit: Audit, given: dict[str, Stub], settings: dict[str, Any], expected: dict[str, str]) -> None:
    assert run(audit, given, **settings) == expected


def test_extra769_shows_five_resources(audit: Audit) -> None:
    found = run(audit, answers(analyzer(), findings=tuple(finding(number) for number in range(6))))
    assert "6 active findings" in found["default"]
    assert found["default"].endswith("b3, arn:aws:s3:::b4, ...")
    five = run(audit, answers(analyzer(), findings=tuple(finding(number) for number in range(5))))
    assert five["default"].endswith("b3, arn:aws:s3:::b4")
    nameless = finding(7)
    del nameless["finding"]["resource"]
    assert run(audit, answers(analyzer(), findings=(nameless,)))["default"].endswith(" about f7")


def test_extra769_findings_on_the_second_page_only(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real paging code over botocore's stubbed answers; the emulator has no such service."""
    import boto3
    from botocore.stub import Stubber

    from fixtures.access.session import base_session
    from fixtures.api.live import AwsBackend

    client = boto3.client("accessanalyzer", REGION)
    time = utcnow()
    page = finding(1)["finding"] | {
        "analyzedAt": time,
        "createdAt": time,
        "updatedAt": time,
        "resourceOwnerAccount": ACCOUNT,
    }
    with Stubber(client) as stubber:
        stubber.add_response("list_analyzers", {"analyzers": [analyzer() | {"createdAt": time}]})
        wanted = {"analyzerArn": arn("default"), "filter": {"status": {"eq": ["ACTIVE"]}}}
        stubber.add_response("list_findings_v2", {"findings": [], "nextToken": "more"}, wanted)
        stubber.add_response("list_findings_v2", {"findings": [page]}, wanted | {"nextToken": "more"})
        backend = AwsBackend(base_session(""), ACCOUNT)
        monkeypatch.setattr(backend, "client", lambda service, region: client)
        given: dict[str, Stub] = {
            f"accessanalyzer:{operation}": lambda params, operation=operation: backend.call(  # type: ignore[misc]
                REGION, "accessanalyzer", operation, params
            )
            for operation in ("ListAnalyzers", "ListFindingsV2")
        }
        found = run(audit, given)
        stubber.assert_no_pending_responses()
    assert found["default"].startswith(f"FAIL: default (ACCOUNT) in {REGION}: 1 active findings")


def test_extra769_analyzer_deleted_during_the_audit(audit: Audit) -> None:
    gone = ApiError("accessanalyzer", "x", "ResourceNotFoundException", "gone")
    lists: list[Any] = []

    def findings(params: dict[str, Any]) -> Any:
        return gone if params["analyzerArn"] == arn("old") else {"findings": []}

    given: dict[str, Stub] = {
        "accessanalyzer:ListAnalyzers": lambda params: {"analyzers": lists.pop(0)},
        "accessanalyzer:ListFindingsV2": findings,
    }
    lists[:] = [[analyzer("new"), analyzer("old")], [analyzer("new")]]
    found = run(audit, given)
    assert found == {"new, old": f"PASS: new (ACCOUNT) in {REGION}: 0 active findings"}
    lists[:] = [[analyzer("old")], []]
    assert run(audit, given)["old"].startswith("FAIL: no active analyzer")
    lists[:] = [[analyzer("old")], [analyzer("old")]]
    found = run(audit, given)
    assert found["old"] == f"ERROR: accessanalyzer:ListFindingsV2 failed in {REGION}: ResourceNotFoundException: gone"


def test_extra769_errors(audit: Audit) -> None:
    found = run(audit, {"accessanalyzer:ListAnalyzers": denied("ListAnalyzers")})
    assert list(found) == [f"{ACCOUNT} {REGION}"]
    assert f"ERROR: access denied in {REGION}: access-analyzer:ListAnalyzers is needed" in str(found)
    found = run(audit, {**answers(analyzer()), "accessanalyzer:ListFindingsV2": denied("ListFindings")})
    assert found["default"].startswith(f"ERROR: access denied in {REGION}: access-analyzer:ListFindings is needed")


@pytest.mark.parametrize(
    ("analyzers", "expected"),
    [
        ([analyzer("a", status="FAILED"), analyzer("b")], arn("b")),
        ([analyzer("a", status="FAILED")], arn("a")),
        ([analyzer("a", "ACCOUNT_UNUSED_ACCESS")], f"arn:aws:iam::{ACCOUNT}:root"),
        ([], f"arn:aws:iam::{ACCOUNT}:root"),
    ],
)
def test_extra769_arn(analyzers: list[dict[str, Any]], expected: str) -> None:
    backend = StubBackend(answers(*analyzers), None)
    account = Account(ACCOUNT, backend=backend, crew=Crew(2), now=utcnow(), regions=[REGION])
    (found,) = Analyzers.discover(account.in_region(REGION))
    assert isinstance(found, Analyzers)
    assert found.arn == expected
