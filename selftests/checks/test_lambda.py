"""The checks of tests_extras/test_lambda.py. Packages and their download: test_lambda_package.py."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from docs.generate import config_text
from fixtures.api.calls import WouldBlock, only_known_answers
from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.recording.reader import ReplayBackend
from fixtures.rules.dated_facts import LAMBDA_RUNTIMES, Runtime
from fixtures.rules.public_policy import unscoped_statements
from fixtures.secrets.scanner import Hit
from fixtures.services.lambda_ import functions
from fixtures.services.lambda_.package import FileHit, PackageScan
from plugins.catalog.checks import Check
from plugins.findings.verdict import evaluate
from plugins.options.thresholds import load
from selftests.answers import Undocumented
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
F = f"function f in {REGION}"
CHECKS = ["extra720", "extra759", "extra760", "extra762", "extra798"]
TODAY = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    """A function as ListFunctions gives it; None leaves a member out."""
    data = {
        "FunctionName": name, "FunctionArn": ARN[:-1] + name, "Runtime": "python3.14", "CodeSize": 300,
        "PackageType": "Zip", "Version": "$LATEST", **more,
    }  # fmt: skip
    return {member: value for member, value in data.items() if value is not None}


def listed(*functions: dict[str, Any]) -> dict[str, Stub]:
    return {"lambda:ListFunctions": {"Functions": list(functions)}}


def one(audit: Audit, check: str, answers: dict[str, Stub], **more: Any) -> str:
    """The finding on the only function."""
    found = audit(check, regions=[REGION], live=False, answers=answers, **more)
    assert list(found) == ["f"]
    return found["f"]


@pytest.mark.parametrize("check", CHECKS)
def test_without_functions(audit: Audit, check: str) -> None:
    assert audit(check, regions=[REGION], live=False, answers=listed()) == {
        ACCOUNT: f"INFO: no lambda function to check in {REGION}"
    }
    refused: dict[str, Stub] = {"lambda:ListFunctions": access_denied("lambda", "ListFunctions")}
    denied = audit(check, regions=[REGION], live=False, answers=refused)
    assert denied[f"{ACCOUNT} {REGION}"].startswith("ERROR: access denied in eu-west-1: lambda:ListFunctions is needed")


# -- extra720


def trail(name: str = "main", **more: Any) -> dict[str, Any]:
    """A multi-region trail of this region as DescribeTrails gives it."""
    return {
        "Name": name, "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}", "HomeRegion": REGION,
        "IsMultiRegionTrail": True, "HasCustomEventSelectors": True, **more,
    }  # fmt: skip


def basic(*values: str, mode: str = "All") -> dict[str, Any]:
    """GetEventSelectors' answer with one basic selector for functions."""
    data = [{"Type": "AWS::Lambda::Function", "Values": [*values]}]
    return {"EventSelectors": [{"ReadWriteType": mode, "IncludeManagementEvents": True, "DataResources": data}]}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    """GetEventSelectors' answer with one advanced selector for functions."""
    category = {"Field": "eventCategory", "Equals": ["Data"]}
    kind = {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]}
    return {"AdvancedEventSelectors": [{"FieldSelectors": [category, kind, *fields]}]}


def trails(*found: dict[str, Any], selectors: Any = None, logging: bool = True) -> dict[str, Stub]:
    """The function, and trails with these selectors (an answer, an error, or answers by trail)."""

    def of(params: dict[str, Any]) -> Any:
        name = params["TrailName"].rpartition("/")[2]
        return selectors.get(name, selectors) if isinstance(selectors, dict) else selectors

    return {
        **listed(function()),
        "cloudtrail:DescribeTrails": {"trailList": list(found)},
        "cloudtrail:GetTrailStatus": {"IsLogging": logging},
        "cloudtrail:GetEventSelectors": of,
    }


OTHER = ARN.replace(REGION, "us-east-1")
ELSEWHERE: dict[str, Any] = {"HomeRegion": "us-east-1", "IsMultiRegionTrail": False}
NONE = "main in eu-west-1 (multi-region) records no invocations"


@pytest.mark.parametrize(
    ("answers", "finding"),
    [
        (
            trails(trail(), selectors=basic("arn:aws:lambda")),
            f"PASS: {F}: arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main records its invocations (basic selector)",
        ),
        (trails(trail(IsMultiRegionTrail=False), selectors=basic("arn:aws:lambda")), f"PASS: {F}: "),
        (trails(trail(), selectors=basic(ARN)), f"PASS: {F}: "),
        (trails(trail(), selectors=basic(OTHER)), f"FAIL: no trail records the invocations of {F}: {NONE}"),
        (trails(), f"FAIL: no trail records the invocations of {F}: there is no trail for the region"),
        (trails(trail(), selectors=basic("arn:aws:lambda"), logging=False), "FAIL: no trail records the invocations of"),
        (trails(trail(), selectors={"EventSelectors": [{"DataResources": []}]}), "FAIL: "),
        (trails(trail(HasCustomEventSelectors=False), selectors={}), "FAIL: "),
        (trails(trail(HasCustomEventSelectors=False), selectors=basic("arn:aws:lambda")), "PASS: "),
        (trails(trail(), selectors=basic("arn:aws:lambda", mode="WriteOnly")), "PASS: "),
        (trails(trail(), selectors=basic("arn:aws:lambda", mode="ReadOnly")), "FAIL: "),
        (
            trails(trail(), selectors=advanced()),
            f"PASS: {F}: arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main records its invocations (advanced selector)",
        ),
        (trails(trail(), selectors=advanced({"Field": "resources.ARN", "Equals": [OTHER]})), "FAIL: "),
        (trails(trail(), selectors=advanced({"Field": "readOnly", "Equals": ["true"]})), "FAIL: "),
        (trails(trail(**ELSEWHERE), selectors=basic("arn:aws:lambda")), "FAIL: "),
        (
            trails(trail("bare"), trail(), selectors={"bare": {"EventSelectors": []}, "main": advanced()}),
            f"PASS: {F}: arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main records",
        ),
    ],
)  # fmt: skip
def test_extra720(audit: Audit, answers: dict[str, Stub], finding: str) -> None:
    assert one(audit, "extra720", answers).startswith(finding)


def test_extra720_stopped_trail_is_named(audit: Audit) -> None:
    stopped = one(audit, "extra720", trails(trail(), selectors=basic("arn:aws:lambda"), logging=False))
    assert stopped.endswith(": main in eu-west-1 (multi-region) is not logging")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("TrailNotFoundException", "what org in eu-west-1 (multi-region, organization trail of account 999999999999)"),
        ("AccessDeniedException", "access denied in eu-west-1: cloudtrail:GetEventSelectors is needed"),
    ],
)
def test_extra720_unreadable_organization_trail(audit: Audit, code: str, text: str) -> None:
    arn = f"arn:aws:cloudtrail:{REGION}:999999999999:trail/org"
    org = trail("org", TrailARN=arn, IsOrganizationTrail=True)
    closed = ApiError("cloudtrail", "GetEventSelectors", code, "closed")
    only = one(audit, "extra720", trails(org, selectors=closed))
    assert only.startswith("ERROR: ")
    assert text in only
    beside_own = trails(org, trail(), selectors={"org": closed, "main": advanced()})
    assert one(audit, "extra720", beside_own).startswith("PASS: ")


def test_extra720_denied(audit: Audit) -> None:
    answers = trails(trail(), selectors=advanced())
    for operation in ("DescribeTrails", "GetTrailStatus", "GetEventSelectors"):
        refused = {**answers, f"cloudtrail:{operation}": access_denied("cloudtrail", operation)}
        denied = one(audit, "extra720", refused)
        assert denied.startswith(f"ERROR: access denied in eu-west-1: cloudtrail:{operation} is needed")


def test_extra720_asks_each_trail_once(audit: Audit) -> None:
    answers = {**trails(trail(), selectors=advanced()), **listed(function("f"), function("g"), function("h"))}
    found = audit("extra720", regions=[REGION], live=False, answers=answers)
    assert [text[:4] for text in found.values()] == ["PASS"] * 3
    assert sorted(operation for _, service, operation, _ in audit.backend.calls if service == "cloudtrail") == [
        "DescribeTrails", "GetEventSelectors", "GetTrailStatus"
    ]  # fmt: skip


# -- extra759

PASSWORD = "Tr0ub4dor&3x"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzEXAMPLE"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"


@pytest.mark.parametrize(
    ("variables", "finding"),
    [
        ({"STAGE": "prod"}, f"PASS: {F}: no secrets in variables, scanned 1"),
        ({"STAGE": "prod", "DB_PASSWORD": PASSWORD}, f"FAIL: {F} holds secrets in variables: DB_PASSWORD ("),
        ({"AWS_SECRET_ACCESS_KEY": KEY}, f"FAIL: {F} holds secrets in variables: AWS_SECRET_ACCESS_KEY ("),
        ({"HARMLESS": f"aws_secret_access_key={KEY}"}, f"FAIL: {F} holds secrets in variables: HARMLESS ("),
        ({"DATABASE_URL": "postgres://u:p4ss@h/db"}, f"FAIL: {F} holds secrets in variables: DATABASE_URL ("),
        ({"SECRET_ARN": SECRET_ARN}, "PASS: "),
        ({"SESSION": TOKEN}, f"FAIL: {F} holds secrets in variables: SESSION ("),
        ({"AWS_KEY": KEY_ID}, f"FAIL: {F} holds secrets in variables: AWS_KEY ("),
        ({}, f"PASS: {F}: no variables"),
        ({"GIT_COMMIT": "3f2a9b7c1d4e5f60718293a4b5c6d7e8f9012ab3"}, f"PASS: {F}: no secrets in variables, scanned 1"),
        ({"SIGNING": "3f2a9b7c1d4e5f60718293a4b5c6d7e8f9012ab3"}, f"FAIL: {F} holds secrets in variables: SIGNING (high-entropy string)"),
        ({"PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL": "DEBUG"}, f"PASS: {F}: no secrets in variables, scanned 1"),
        ({"TOKEN_TABLE": "user-tokens", "ACCESS_TOKEN_TYPE": "Bearer"}, f"PASS: {F}: no secrets in variables, scanned 2"),
        ({"TOKEN_PROD": "user-tokens"}, f"FAIL: {F} holds secrets in variables: TOKEN_PROD (secret assigned to a name)"),
    ],
)  # fmt: skip
def test_extra759(audit: Audit, variables: dict[str, str], finding: str) -> None:
    found = one(audit, "extra759", listed(function(Environment={"Variables": variables})))
    assert found.startswith(finding)
    assert not any(value in found for value in variables.values())


def test_extra759_names_all_offending_variables(audit: Audit) -> None:
    variables = {"A": KEY_ID, "STAGE": "prod", "DB_PASSWORD": PASSWORD}
    found = one(audit, "extra759", listed(function(Environment={"Variables": variables})))
    assert "A (" in found
    assert ", DB_PASSWORD (" in found
    assert "STAGE" not in found


@pytest.mark.parametrize("environment", [None, {}, {"Variables": {}}])
def test_extra759_without_variables(audit: Audit, environment: Any) -> None:
    assert one(audit, "extra759", listed(function(Environment=environment))) == f"PASS: {F}: no variables"


def test_extra759_undecryptable_variables(audit: Audit) -> None:
    def found(code: str) -> str:
        error = {"ErrorCode": code, "Message": "Lambda was unable to decrypt: sensitive"}
        return one(audit, "extra759", listed(function(Environment={"Error": error})))

    denied = found("AccessDeniedException")
    assert denied == "ERROR: access denied in eu-west-1: kms:Decrypt is needed (kms:Decrypt, AccessDeniedException)"
    other = found("KMSDisabledException")
    assert other.startswith(
        "ERROR: kms:Decrypt failed in eu-west-1: KMSDisabledException: the environment variables of"
    )
    assert F in other
    assert "sensitive" not in other


def test_extra759_settings(audit: Audit) -> None:
    answers = listed(function(Environment={"Variables": {"DB_PASSWORD": PASSWORD}}))
    assert one(audit, "extra759", answers, secrets_ignore_patterns=["^DB_PASSWORD="]).startswith("PASS: ")
    assert one(audit, "extra759", answers, secrets_ignore_patterns=[r"^Tr0ub4dor&\dx$"]).startswith("PASS: ")
    assert one(audit, "extra759", answers, secrets_ignore_patterns=["^OTHER="]).startswith("FAIL: ")
    random = listed(function(Environment={"Variables": {"DATA": "9f86d081884c7d659a2feaa0c55ad015"}}))
    assert one(audit, "extra759", random, secrets_hex_entropy_limit=2.0).startswith("FAIL: ")
    assert one(audit, "extra759", random, secrets_hex_entropy_limit=4.5).startswith("PASS: ")


def test_extra759_scanner_failure(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ApiError("secrets", "scan", "ImportError", "the secret scanner is missing")

    monkeypatch.setattr("fixtures.secrets.scanner.scanner_for", fail)
    found = one(audit, "extra759", listed(function(Environment={"Variables": {"STAGE": "prod"}})))
    assert found.startswith("ERROR: ")
    assert "the secret scanner is missing" in found


# -- extra760

LOCATION = "https://example.com/package?X-Amz-Signature=5ecre7"


def located(**more: Any) -> dict[str, Stub]:
    """The function and the answer about its package."""
    return {**listed(function(**more)), "lambda:GetFunction": {"Code": {"Location": LOCATION}}}


class Scans:
    """Stands for the scan of packages; keeps what was asked of it."""

    def __init__(self) -> None:
        self.result = PackageScan(files=2)
        self.asked: list[tuple[str, Any, dict[str, Any]]] = []

    def __call__(self, location: str, limits: Any, **more: Any) -> PackageScan:
        self.asked.append((location, limits, more))
        return self.result


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Scans:
    """The scan of packages, replaced: nothing is downloaded."""
    scans = Scans()
    monkeypatch.setattr(functions, "scan", scans)
    return scans


def test_extra760_passes_and_fails(audit: Audit, scans: Scans) -> None:
    assert one(audit, "extra760", located()) == f"PASS: {F}: no secrets in the 2 files of its package"
    assert scans.asked == [
        (
            LOCATION,
            (4.5, 3.0, ()),
            {"ignore_files": (), "max_bytes": 262144000, "timeout": 30, "region": REGION},
        )
    ]
    layered = one(audit, "extra760", located(Layers=[{"Arn": "arn:x"}]))
    assert layered.endswith("package, its 1 layers are not covered")
    scans.result = PackageScan((FileHit("index.py", Hit(3, "AWS secret key")),), total=11, files=4)
    assert one(audit, "extra760", located()) == (
        f"FAIL: {F} holds secrets in its package, 11 hits in 4 files: index.py:3 AWS secret key and 10 more"
    )
    one(
        audit, "extra760", located(), secrets_ignore_files=["*.map"], secrets_ignore_patterns=["X"],
        secrets_base64_entropy_limit=5.0, secrets_hex_entropy_limit=2.0, max_package_bytes=1000, download_timeout_seconds=3,
    )  # fmt: skip
    assert scans.asked[-1] == (
        LOCATION,
        (5.0, 2.0, ("X",)),
        {"ignore_files": ["*.map"], "max_bytes": 1000, "timeout": 3, "region": REGION},
    )


def test_extra760_not_scanned(audit: Audit, scans: Scans) -> None:
    image = one(audit, "extra760", listed(function(PackageType="Image", Runtime=None)))
    assert image == f"INFO: {F} is a container image, its code is in a registry"
    large = one(audit, "extra760", listed(function(CodeSize=1001)), max_package_bytes=1000)
    assert large == f"INFO: {F} not scanned: package of 1001 bytes, more than 1000"
    assert {operation for _, _, operation, _ in audit.backend.calls} == {"ListFunctions"}
    scans.result = PackageScan(too_large=2002)
    larger_than_stated = one(audit, "extra760", located(CodeSize=1000), max_package_bytes=1000)
    assert larger_than_stated == f"INFO: {F} not scanned: package of 2002 bytes, more than 1000"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (access_denied("lambda", "GetFunction"), "access denied in eu-west-1: lambda:GetFunction is needed"),
        (ApiError("lambda", "GetFunction", "ResourceNotFoundException", "gone"), "ResourceNotFoundException"),
        (
            {"Code": {"Error": {"ErrorCode": "KMSAccessDenied", "Message": "sensitive"}}},
            "lambda:GetFunction failed in eu-west-1: PackageNotRead: Lambda could not retrieve the package (KMSAccessDenied)",
        ),
        (
            {"Code": {"ResolvedS3Object": {"S3Bucket": "b", "S3Key": "k/app.zip", "S3ObjectVersion": "v1"}}},
            "PackageNotRead: the package is the object s3://b/k/app.zip (version v1): objects are not read, scan it there",
        ),
        (
            {"Code": {"ResolvedS3Object": {"S3Bucket": "b", "S3Key": "k/app.zip"}}},
            "PackageNotRead: the package is the object s3://b/k/app.zip: objects",
        ),
        ({"Code": {"RepositoryType": "S3"}}, "PackageNotRead: the answer names no location of the package"),
    ],
)
def test_extra760_without_package(audit: Audit, scans: Scans, answer: Any, text: str) -> None:
    found = one(audit, "extra760", {**listed(function()), "lambda:GetFunction": answer})
    assert found.startswith("ERROR: ")
    assert text in found
    assert "sensitive" not in found
    assert not scans.asked


@pytest.mark.parametrize(
    ("files", "settings", "finding"),
    [
        ({"index.py": "print(1)\n"}, {}, f"PASS: {F}: no secrets in the 1 files of its package"),
        (
            {"index.py": f'import os\n\nAWS_SECRET_ACCESS_KEY = "{KEY}"\n'},
            {},
            f"FAIL: {F} holds secrets in its package, 1 hits in 1 files: index.py:3 ",
        ),
        ({"../../etc/x": f'AWS_SECRET_ACCESS_KEY = "{KEY}"\n'}, {}, "FAIL: "),
        ({"test/x.py": f'K = "{KEY_ID}"\n', "i.py": ""}, {"secrets_ignore_files": ["test/*"]}, "PASS: "),
        (b"no zip", {}, "ERROR: lambda:GetFunction failed in eu-west-1: PackageNotRead: the package is not a zip"),
        (403, {}, "ERROR: lambda:GetFunction failed in eu-west-1: PackageNotRead: the package could not be downloaded"),
    ],
)
def test_extra760_from_a_server(
    audit: Audit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: Any, settings: dict[str, Any], finding: str
) -> None:
    from selftests.fixtures.services.lambda_.test_package import Server

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory = io.BytesIO()
    if isinstance(files, dict):
        with zipfile.ZipFile(memory, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    server = Server()
    body = files if isinstance(files, bytes) else memory.getvalue()
    url = server.gives(body, status=files if isinstance(files, int) else 200)
    try:
        found = one(
            audit, "extra760", {**listed(function()), "lambda:GetFunction": {"Code": {"Location": url}}}, **settings
        )
    finally:
        server.http.shutdown()
        server.http.server_close()
    assert found.startswith(finding)
    assert KEY not in found
    assert KEY_ID not in found
    assert "127.0.0.1" not in found
    assert not list(tmp_path.iterdir())


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Threads for an account."""
    crew = Crew(2)
    yield crew
    crew.close()


def test_extra760_on_replay(checks: dict[str, Check], crew: Crew, scans: Scans) -> None:
    account = Account(ACCOUNT, backend=ReplayBackend(ACCOUNT, dict), crew=crew, now=utcnow(), regions=[REGION])
    found = functions.LambdaFunction(account.in_region(REGION), id="f", data=function())
    verdict = evaluate(checks["extra760"], found)
    assert verdict.status == "ERROR"
    assert "the deployment package is not part of the recording" in verdict.message
    assert not scans.asked
    large = functions.LambdaFunction(account.in_region(REGION), id="g", data=function("g", CodeSize=10**9))
    assert evaluate(checks["extra760"], large).status == "INFO"


def test_extra760_downloads_once_and_never_ahead_of_the_answers(
    checks: dict[str, Check], crew: Crew, scans: Scans
) -> None:
    from selftests.conftest import StubBackend

    backend = StubBackend({"lambda:GetFunction": {"Code": {"Location": LOCATION}}}, None)
    account = Account(ACCOUNT, backend=backend, crew=crew, now=utcnow(), regions=[REGION])
    found = functions.LambdaFunction(account.in_region(REGION), id="f", data=function())
    with pytest.raises(WouldBlock), only_known_answers():
        evaluate(checks["extra760"], found)
    assert not scans.asked
    assert evaluate(checks["extra760"], found).status == "PASS"
    with only_known_answers():
        assert evaluate(checks["extra760"], found).status == "PASS"
    assert len(scans.asked) == 1


# -- extra762


def runtime(audit: Audit, name: str | None, day: str = "2026-11-22", **more: Any) -> str:
    """The finding on a function of a runtime."""
    now = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    return one(audit, "extra762", listed(function(Runtime=name)), now=now, **more)


@pytest.mark.parametrize(
    ("name", "day", "finding"),
    [
        (
            "python3.9", "2026-11-22",
            f"FAIL: {F}: python3.9 is without support since 2025-12-15"
            " (creating blocked from 2027-02-01, updating blocked from 2027-03-03)",
        ),
        (
            "nodejs24.x", "2026-11-22",
            f"PASS: {F}: nodejs24.x is supported, until 2028-04-30"
            " (creating blocked from 2028-06-01, updating blocked from 2028-07-01)",
        ),
        ("python3.12", "2026-11-22", f"PASS: {F}: python3.12 is supported, until 2028-10-31"),
        ("nodejs20.x", "2026-11-22", f"FAIL: {F}: nodejs20.x is without support since 2026-04-30"),
        ("dotnet8", "2026-11-09", f"PASS: {F}: dotnet8 is supported, only until 2026-11-10"),
        ("dotnet8", "2026-11-10", f"FAIL: {F}: dotnet8 is without support since 2026-11-10"),
        ("dotnet8", "2026-11-22", "FAIL: "),
        (Undocumented("dotnet9"), "2026-11-22", f"FAIL: {F}: dotnet9 is without support since 2026-11-10"),
        ("python3.11", "2027-05-01", f"PASS: {F}: python3.11 is supported, only until 2027-06-30"),
        ("python3.11", "2027-04-01", f"PASS: {F}: python3.11 is supported, only until 2027-06-30"),
        ("python3.11", "2027-03-31", f"PASS: {F}: python3.11 is supported, until 2027-06-30"),
        ("provided", "2026-11-22", "FAIL: "),
        ("provided.al2023", "2026-11-22", "PASS: "),
        ("provided.al2", "2026-11-22", f"FAIL: {F}: provided.al2 is without support since 2026-07-31"),
        ("nodejs", "2026-11-22", f"FAIL: {F}: nodejs is without support since 2016-08-30"),
        ("java17.al2023", "2026-11-22", f"PASS: {F}: java17.al2023 is supported, until 2029-06-30 (updating blocked from"),
        (Undocumented("NodeJS24.x"), "2026-11-22", "INFO: "),
        (
            Undocumented("python9.9"), "2026-11-22",
            f"INFO: {F}: no lifecycle data for python9.9, update the table of 2026-08-22",
        ),
        (None, "2026-11-22", f"INFO: {F} has no runtime of Lambda, as container images"),
    ],
)  # fmt: skip
def test_extra762(audit: Audit, name: str | None, day: str, finding: str) -> None:
    assert runtime(audit, name, day).startswith(finding)


@pytest.mark.parametrize("name", ["nodejs26.x", "python3.15"])
def test_extra762_of_a_preview(audit: Audit, name: str) -> None:
    assert runtime(audit, name) == f"INFO: {F}: there is no support yet for the preview of {name}"
    known = {name: Runtime(deprecated=date(2029, 4, 30))}
    assert runtime(audit, name, runtimes=known) == f"PASS: {F}: {name} is supported, until 2029-04-30"


def test_extra762_of_a_customer_managed_runtime(audit: Audit) -> None:
    """Its owner says how long it is supported, which the suite does not ask."""
    config = {"RuntimeArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:runtime:own", "RuntimeAlias": "prod"}
    found = one(audit, "extra762", listed(function(Runtime="custom", RuntimeConfig=config)), now=TODAY)
    assert found.startswith(f"INFO: {F}: no lifecycle data for custom runtime own (alias prod)")


def test_extra762_does_not_say_what_is_not_known(audit: Audit) -> None:
    assert runtime(audit, Undocumented("dotnet7")) == f"FAIL: {F}: dotnet7 is without support since 2024-05-14"


def test_extra762_settings(audit: Audit, checks: dict[str, Check], tmp_path: Path) -> None:
    assert "only until" in runtime(audit, "python3.12", warn_days=1000)
    own = {"python9.9": Runtime(deprecated=date(2030, 1, 1))}
    assert (
        runtime(audit, Undocumented("python9.9"), runtimes=own)
        == f"PASS: {F}: python9.9 is supported, until 2030-01-01"
    )
    unknown = runtime(audit, "python3.9", runtimes=own, runtimes_as_of=date(2027, 1, 1))
    assert unknown == f"INFO: {F}: no lifecycle data for python3.9, update the table of 2027-01-01"

    config = tmp_path / "c.yaml"
    config.write_text(
        "extra762: {runtimes_as_of: '2027-01-01', runtimes: {x: {deprecated: '2030-01-01', block_create: null}}}"
    )
    expected: dict[str, Any] = {
        "runtimes_as_of": date(2027, 1, 1),
        "runtimes": {"x": Runtime(deprecated=date(2030, 1, 1))},
    }
    found = load(config, checks).of("extra762", ACCOUNT)
    assert found == {**expected, "runtimes": {"x": {**expected["runtimes"]["x"], "block_create": None}}}
    assert runtime(audit, Undocumented("x"), **found).startswith("PASS: ")
    config = tmp_path / "c.toml"
    config.write_text("[extra762]\nruntimes_as_of = 2027-01-01\nruntimes.x.deprecated = 2030-01-01\n")
    assert load(config, checks).of("extra762", ACCOUNT) == expected


def test_extra762_published_versions(audit: Audit) -> None:
    published = [
        function(), function(Version="1", Runtime="python3.9", FunctionArn=ARN + ":1"),
        function("other", Version="1", Runtime="nodejs"), function(Version="2", Runtime=Undocumented("python9.9")),
    ]  # fmt: skip

    def answer(params: dict[str, Any]) -> Any:
        return {"Functions": published if params.get("FunctionVersion") == "ALL" else [function()]}

    answers: dict[str, Stub] = {"lambda:ListFunctions": answer}
    assert one(audit, "extra762", answers, now=TODAY).startswith("PASS: ")
    assert [params for _, _, _, params in audit.backend.calls] == [{}]
    found = one(audit, "extra762", answers, now=TODAY, include_published_versions=True)
    assert found.startswith(f"FAIL: {F}: python3.9 (version 1) is without support since 2025-12-15")
    assert "other" not in found
    assert "nodejs" not in found
    published[1]["Runtime"] = "python3.14"
    published.append(function(Version="3", Runtime=None))
    found = one(audit, "extra762", answers, now=TODAY, include_published_versions=True)
    assert found.startswith(f"INFO: {F}: no lifecycle data for python9.9 (version 2), no runtime (version 3), update")
    published.pop()
    found = one(audit, "extra762", answers, now=TODAY, include_published_versions=True)
    assert found == f"INFO: {F}: no lifecycle data for python9.9 (version 2), update the table of 2026-08-22"
    published.pop()
    found = one(audit, "extra762", answers, now=TODAY, include_published_versions=True)
    assert found.startswith(f"PASS: {F}: python3.14 is supported, until 2029-06-30")
    assert "; python3.14 (version 1) is supported" in found


def test_runtime_dates_are_in_order() -> None:
    for name, dates in LAMBDA_RUNTIMES.items():
        create, update = dates.get("block_create"), dates.get("block_update")
        assert not create or not update or create <= update, name


def test_defaults_can_be_written_to_a_configuration_file(checks: dict[str, Check], tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(config_text({id: checks[id] for id in CHECKS}))
    for id in CHECKS:
        defaults = {name: list(v) if isinstance(v, tuple) else v for name, v in checks[id].settings.items()}
        assert load(config, checks).of(id, ACCOUNT) == defaults


# -- extra798


def allow(principal: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement; None leaves an element out."""
    found = {
        "Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": ARN, **more,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def when(operator: str, key: str, value: Any, principal: Any = "*") -> dict[str, Any]:
    """A statement with one condition."""
    return allow(principal, Condition={operator: {key: value}})


NO_POLICY = ApiError("lambda", "GetPolicy", "ResourceNotFoundException", "The resource you requested does not exist.")


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """GetPolicy's answer; a single statement stands alone, not in a list."""
    return {"Policy": json.dumps({"Statement": statements[0] if len(statements) == 1 else statements})}


def policies(own: Any, **by_alias: Any) -> dict[str, Stub]:
    """The function with its policy and those of its aliases and versions (``v3``)."""
    versions = {name.removeprefix("v"): answer for name, answer in by_alias.items() if name[1:].isdigit()}
    by_alias = {name: answer for name, answer in by_alias.items() if not name[1:].isdigit()} | versions
    both = {"Functions": [function(), *(function(Version=version) for version in versions)]}
    return {
        "lambda:ListFunctions": lambda params: both if "FunctionVersion" in params else {"Functions": [function()]},
        "lambda:ListAliases": {"Aliases": [{"Name": name} for name in by_alias if name not in versions]},
        "lambda:GetPolicy": lambda params: by_alias[params["Qualifier"]] if "Qualifier" in params else own,
    }


S3 = {"Service": "s3.amazonaws.com"}


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        (allow(), True),
        (allow({"AWS": ["111122223333", "*"]}), True),
        (allow({"CanonicalUser": "*"}), True),
        (allow({"AWS": "arn:aws:iam::*:root"}), True),
        (allow(None, NotPrincipal={"AWS": "111122223333"}), True),
        (allow(None), False),
        (when("ArnLike", "aws:SourceArn", "*"), True),
        (when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"), True),
        (when("ArnLike", "aws:SourceArn", "arn:aws:*:*:*:*"), True),
        (when("ArnLike", "aws:SourceArn", "no-arn"), True),
        (when("ArnLike", "aws:SourceArn", "arn:aws:s3:::my-bucket"), False),
        (
            allow(
                Condition={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:{ACCOUNT}:*"}
                }
            ),
            False,
        ),
        (when("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"), True),
        (when("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z"), True),
        (when("StringEquals", "aws:PrincipalOrgID", "o-abc"), False),
        (when("StringLike", "aws:PrincipalOrgID", "*"), True),
        (when("StringEqualsIfExists", "aws:SourceAccount", "111122223333"), True),
        (when("StringEquals", "lambda:FunctionUrlAuthType", "NONE"), True),
        (when("Bool", "aws:SecureTransport", "true"), True),
        (when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), True),
        (when("IpAddress", "aws:SourceIp", "203.0.113.0/24"), False),
        (when("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "::/0"]), True),
        (when("ArnLike", "AWS:SourceArn", f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:x/*", {"Service": "apigateway.amazonaws.com"}), False),
        (allow({"Service": "events.amazonaws.com"}), True),
        (allow({"Service": "cognito-idp.amazonaws.com"}), True),
        (when("StringEquals", "aws:PrincipalServiceName", "sns.amazonaws.com"), True),
        (when("StringEquals", "lambda:EventSourceToken", "amzn1.ask.skill.x", {"Service": "alexa-connectedhome.amazon.com"}), False),
        (allow(S3), True),
        # the ARN of a bucket names no account
        (when("ArnLike", "AWS:SourceArn", "arn:aws:s3:::mybucket", S3), True),
        (allow(S3, Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::mybucket"}, "StringEquals": {"AWS:SourceAccount": ACCOUNT}}), False),
        (when("StringEquals", "aws:SourceAccount", ACCOUNT, S3), False),
        (allow({"AWS": "arn:aws:iam::999999999999:root"}), False),
        (allow(Effect="Deny"), False),
    ],
)  # fmt: skip
def test_extra798(audit: Audit, statement: dict[str, Any], public: bool) -> None:
    found = one(audit, "extra798", policies(policy(statement)))
    assert found.startswith(f"FAIL: {F} admits " if public else f"PASS: {F} is not public")


def test_extra798_without_policy(audit: Audit) -> None:
    assert one(audit, "extra798", policies(NO_POLICY)) == f"PASS: {F} has no policy"
    assert one(audit, "extra798", policies(NO_POLICY, live=NO_POLICY)) == f"PASS: {F} has no policy"


def test_extra798_names_the_statement(audit: Audit) -> None:
    api = when("ArnLike", "aws:SourceArn", f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:x/*", {"Service": "apigateway.amazonaws.com"})  # fmt: skip
    second = {**when("StringEquals", "lambda:FunctionUrlAuthType", "NONE"), "Sid": "url"}
    assert one(audit, "extra798", policies(policy(api, second))) == (
        f"FAIL: {F} admits everyone: statement url allows lambda:InvokeFunction to Principal *"
        " (conditions: lambda:FunctionUrlAuthType)"
    )
    assert one(audit, "extra798", policies(policy(allow(S3)))) == (
        f"FAIL: {F} admits a service for any account: statement s allows lambda:InvokeFunction to"
        " Principal Service s3.amazonaws.com"
    )


def test_extra798_names_other_accounts(audit: Audit) -> None:
    named = allow({"AWS": ["arn:aws:iam::999999999999:root", f"arn:aws:iam::{ACCOUNT}:role/r", "111122223333"]})
    assert one(audit, "extra798", policies(policy(named), live=policy(allow({"AWS": "444455556666"})))) == (
        f"PASS: {F} is not public; its policy admits the accounts 111122223333, 444455556666, 999999999999"
    )
    assert one(audit, "extra798", policies(policy({**named, "Effect": "Deny"}))) == f"PASS: {F} is not public"


def test_extra798_aliases(audit: Audit) -> None:
    answers = policies(NO_POLICY, blue=NO_POLICY, live=policy(allow()))
    assert one(audit, "extra798", answers).startswith(f"FAIL: alias live of {F} admits everyone: statement s allows")
    assert one(audit, "extra798", answers, check_aliases=False) == f"PASS: {F} has no policy"
    assert {operation for _, _, operation, _ in audit.backend.calls} == {"ListFunctions", "GetPolicy"}


def test_extra798_versions(audit: Audit) -> None:
    answers = policies(NO_POLICY, v2=NO_POLICY, v3=policy(allow()))
    assert one(audit, "extra798", answers).startswith(f"FAIL: version 3 of {F} admits everyone: statement s allows")
    assert one(audit, "extra798", answers, check_versions=False) == f"PASS: {F} has no policy"
    closed = policies(NO_POLICY, v2=policy(allow({"AWS": ACCOUNT})))
    assert one(audit, "extra798", closed) == f"PASS: {F} is not public"
    refused = policies(NO_POLICY, v3=access_denied("lambda", "GetPolicy"))
    assert one(audit, "extra798", refused).startswith("ERROR: access denied in eu-west-1: lambda:GetPolicy is needed")


URL = allow(Action="lambda:InvokeFunctionUrl", Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})
VIA_URL = allow(Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}})


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([URL], "INFO"),
        ([VIA_URL], "INFO"),
        ([URL, {**URL, "Sid": "t"}], "INFO"),
        ([URL, allow({"AWS": ACCOUNT})], "INFO"),
        ([URL, VIA_URL], "FAIL"),
        ([URL, allow()], "FAIL"),
        ([VIA_URL, allow(Action="lambda:GetFunction")], "FAIL"),
        ([allow(Action="lambda:*")], "FAIL"),
        ([allow(Action="lambda:InvokeFunction*")], "FAIL"),
        ([URL, allow(Condition={"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "true"}})], "FAIL"),
        ([allow(Condition={"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "true"}})], "FAIL"),
        ([allow(Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "false"}})], "FAIL"),
    ],
)
def test_extra798_function_urls_need_two_grants(audit: Audit, found: list[dict[str, Any]], status: str) -> None:
    said = one(audit, "extra798", policies(policy(*found)))
    lead = f"INFO: a function URL needs both {URL['Action']} and lambda:InvokeFunction, so that this lets nobody in"
    assert said.startswith(lead if status == "INFO" else f"FAIL: {F} admits everyone: statement s allows")


@pytest.mark.parametrize("principal", [{"Service": "*"}, {"Service": ["sns.amazonaws.com", "*.amazonaws.com"]}])
def test_extra798_services_by_wildcard_are_not_judged(audit: Audit, principal: Any) -> None:
    said = one(audit, "extra798", policies(policy(allow(principal))))
    assert said.startswith("ERROR: lambda:GetPolicy failed")
    assert "names a service by a wildcard" in said


def test_extra798_confused_deputy(audit: Audit) -> None:
    events = allow({"Service": ["events.amazonaws.com"]})
    assert one(audit, "extra798", policies(policy(allow(S3))), check_confused_deputy=False).startswith("PASS: ")
    s3 = one(audit, "extra798", policies(policy(events)), unscoped_services=["s3.amazonaws.com"])
    assert s3 == f"PASS: {F} is not public"
    more = one(audit, "extra798", policies(policy(events)))
    assert more.startswith(f"FAIL: {F} admits a service for any account")
    assert one(audit, "extra798", policies(policy(allow(S3))), unscoped_services=[]).startswith("PASS: ")


@pytest.mark.parametrize(
    ("statement", "unscoped"),
    [
        (allow(S3), True),
        (allow({"Service": ["sns.amazonaws.com", "S3.amazonaws.com"]}), True),
        (allow({"Service": "s3.amazonaws.com.cn"}), False),
        (allow(S3, Effect="Deny"), False),
        (when("StringEquals", "aws:SourceAccount", ACCOUNT, S3), False),
        (when("ArnLike", "AWS:SourceArn", "arn:aws:s3:::bucket", S3), True),
        (when("ArnLike", "AWS:SourceArn", f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/a", S3), False),
        (when("StringEquals", "AWS:PrincipalServiceName", "s3.amazonaws.com"), True),
        (when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*", S3), True),
        (when("StringEquals", "aws:SourceOrgID", "o-abc", S3), False),
        (when("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-abc/*", S3), False),
        (when("StringEqualsIfExists", "aws:SourceAccount", ACCOUNT, S3), True),
        (when("StringEquals", "aws:PrincipalOrgID", "o-abc", S3), False),
        # conditions that restrict others, but not whom a service acts for
        (when("StringEquals", "aws:SourceVpce", "vpce-1", S3), True),
        (when("IpAddress", "aws:SourceIp", "203.0.113.0/24", S3), True),
        (allow("*"), False),
    ],
)
def test_unscoped_statements(statement: dict[str, Any], unscoped: bool) -> None:
    assert bool(unscoped_statements({"Statement": [statement]}, ["s3.amazonaws.com"])) is unscoped


def test_extra798_errors(audit: Audit) -> None:
    denied = one(audit, "extra798", policies(access_denied("lambda", "GetPolicy")))
    assert denied.startswith("ERROR: access denied in eu-west-1: lambda:GetPolicy is needed")
    alias = one(audit, "extra798", policies(NO_POLICY, live=access_denied("lambda", "GetPolicy")))
    assert alias.startswith("ERROR: access denied in eu-west-1: lambda:GetPolicy is needed")
    refused = {**policies(NO_POLICY), "lambda:ListAliases": access_denied("lambda", "ListAliases")}
    assert one(audit, "extra798", refused).startswith("ERROR: access denied in eu-west-1: lambda:ListAliases is needed")
    for malformed in ("{", "{}", "[]"):
        assert one(audit, "extra798", policies({"Policy": malformed})).startswith("ERROR: lambda:GetPolicy failed")


# -- against the emulator


@pytest.mark.usefixtures("moto")
def test_on_emulated_functions(audit: Audit) -> None:
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = boto3.client("lambda", REGION)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): pass\n")
    for name, variables, version in (
        ("good", {"STAGE": "prod"}, "python3.14"),
        ("bad", {"DB_PASSWORD": PASSWORD}, "python3.9"),
    ):
        client.create_function(
            FunctionName=name, Role=role, Runtime=version, Handler="index.handler",
            Code={"ZipFile": memory.getvalue()}, Environment={"Variables": variables},
        )  # fmt: skip
    client.add_permission(FunctionName="bad", StatementId="all", Action="lambda:InvokeFunction", Principal="*")

    def statuses(check: str, **more: Any) -> dict[str, str]:
        return {name: text[:5] for name, text in audit(check, regions=[REGION], **more).items()}

    for check in ("extra759", "extra762", "extra798"):
        assert statuses(check, now=TODAY) == {"good": "PASS:", "bad": "FAIL:"}
    assert statuses("extra720") == {"good": "FAIL:", "bad": "FAIL:"}
