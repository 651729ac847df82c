"""The checks of tests_extras/test_apigateway.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
API, NAME = "a1b2c3", "shop / v1 'beta'"
LABEL = f"{NAME} ({API}) in {REGION}"
STAGE, STAGE_LABEL = f"{API}/live", f"stage live of {LABEL}"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DELETED = ApiError("apigateway", "x", "NotFoundException", "Invalid API identifier specified")


def rest_api(**changes: Any) -> dict[str, Any]:
    """A REST API as GetRestApis gives it."""
    return {"id": API, "name": NAME, "endpointConfiguration": {"types": ["REGIONAL"]}, **changes}


def stage(**changes: Any) -> dict[str, Any]:
    """A stage as GetStages gives it."""
    return {"stageName": "live", "deploymentId": "d", "methodSettings": {}, **changes}


def resource(path: str, **methods: dict[str, Any]) -> dict[str, Any]:
    """A resource as GetResources gives it with its methods."""
    return {"id": path, "path": path, **({"resourceMethods": methods} if methods else {})}


def gateway(*stages: dict[str, Any], resources: list[dict[str, Any]] | None = None, **api: Any) -> dict[str, Stub]:
    """The answers of a region with one REST API."""
    return {
        "apigateway:GetRestApis": {"items": [rest_api(**api)]},
        "apigateway:GetStages": {"item": list(stages)},
        "apigateway:GetResources": {"items": resources or []},
        "apigateway:GetAuthorizers": {"items": []},
    }


def run(audit: Audit, check: str, answers: dict[str, Stub], **more: Any) -> dict[str, str]:
    """The findings of one region without anything but these answers."""
    return audit(check, answers=answers, live=False, regions=[REGION], now=NOW, **more)


def called(audit: Audit) -> list[str]:
    """The operations of the last audit."""
    return [operation for _, _, operation, _ in audit.backend.calls]


STAGE_CHECKS = ["extra722", "extra743", "extra744"]


@pytest.mark.parametrize("check", [*STAGE_CHECKS, "extra745", "extra746"])
def test_without_rest_apis(audit: Audit, check: str) -> None:
    kind = "rest api stage" if check in STAGE_CHECKS else "rest api"
    nothing: list[Stub] = [{"items": []}, {}]
    for answer in nothing:
        found = run(audit, check, {"apigateway:GetRestApis": answer})
        assert found == {ACCOUNT: f"INFO: no {kind} to check in {REGION}"}
    denied = run(audit, check, {"apigateway:GetRestApis": access_denied("apigateway", "x")})
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert f"ERROR: access denied in {REGION}: apigateway:GET is needed (apigateway:GetRestApis" in str(denied)


@pytest.mark.parametrize("check", STAGE_CHECKS)
def test_stages_that_are_not_there(audit: Audit, check: str) -> None:
    assert run(audit, check, gateway()) == {API: f"INFO: {LABEL} has no stages"}
    deleted = {**gateway(stage()), "apigateway:GetStages": DELETED}
    assert run(audit, check, deleted) == {ACCOUNT: f"INFO: no rest api stage to check in {REGION}"}
    denied = {**gateway(stage()), "apigateway:GetStages": access_denied("apigateway", "GetStages")}
    found = run(audit, check, denied)
    assert list(found) == [API]
    assert found[API].startswith(f"ERROR: access denied in {REGION}: apigateway:GET is needed (apigateway:GetStages")


def test_stage_arns_and_one_call_per_api() -> None:
    from fixtures.api.crew import Crew
    from fixtures.model import Account
    from fixtures.services.apigateway import RestApiStage
    from selftests.conftest import StubBackend

    backend = StubBackend(gateway(stage(tags={"team": "web"}), stage(stageName="test")), None)
    api = Account(ACCOUNT, backend=backend, crew=Crew(2), now=NOW, partition="aws-cn").in_region("cn-north-1")
    first, second = RestApiStage.discover(api)
    assert first.arn == f"arn:aws-cn:apigateway:cn-north-1::/restapis/{API}/stages/live"  # type: ignore[union-attr]
    assert second.arn == f"arn:aws-cn:apigateway:cn-north-1::/restapis/{API}/stages/test"  # type: ignore[union-attr]
    assert first.tags == {"team": "web"}  # type: ignore[union-attr]
    assert [operation for _, _, operation, _ in backend.calls] == ["GetRestApis", "GetStages"]


# -- extra722 ---------------------------------------------------------------------------------------------------------

GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:api"
ACCESS_LOG = {"accessLogSettings": {"destinationArn": GROUP, "format": "$context.requestId"}}


def level(value: str) -> dict[str, Any]:
    return {"loggingLevel": value, "metricsEnabled": False}


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ({"*/*": level("INFO")}, "PASS: STAGE: execution logging INFO; no access log"),
        ({"*/*": level("ERROR")}, "PASS: STAGE: execution logging ERROR; no access log"),
        ({"*/*": level("OFF")}, "FAIL: STAGE: execution logging OFF; no access log"),
        ({}, "FAIL: STAGE: execution logging not set; no access log"),
        (None, "FAIL: STAGE: execution logging not set; no access log"),
        ({"*/*": level("INFO"), "pets/GET": level("OFF")}, "FAIL: STAGE: execution logging INFO, off for pets/GET; no access log"),
        ({"*/*": level("INFO"), "pets/GET": level("ERROR")}, "PASS: STAGE: execution logging INFO; no access log"),
        # settings of a method are stored complete: without a level it has none
        ({"*/*": level("INFO"), "~1pets/GET": {"metricsEnabled": False, "throttlingBurstLimit": 5000}}, "FAIL: STAGE: execution logging INFO, not set for ~1pets/GET; no access log"),
        ({"*/*": level("INFO"), "a/GET": level("OFF"), "b/GET": {}, "c/GET": level("INFO")}, "FAIL: STAGE: execution logging INFO, off for a/GET, not set for b/GET; no access log"),
        ({"pets/GET": level("INFO")}, "FAIL: STAGE: execution logging not set; no access log"),
        ({"*/*": {"metricsEnabled": True}}, "FAIL: STAGE: execution logging not set; no access log"),
    ],
)  # fmt: skip
def test_extra722(audit: Audit, methods: dict[str, Any] | None, expected: str) -> None:
    data = stage(methodSettings=methods) if methods is not None else {"stageName": "live"}
    assert run(audit, "extra722", gateway(data)) == {STAGE: expected.replace("STAGE", STAGE_LABEL)}


def test_extra722_access_logging(audit: Audit) -> None:
    answers = gateway(stage(**ACCESS_LOG))
    text = f"{STAGE_LABEL}: execution logging not set; access log to {GROUP}"
    assert run(audit, "extra722", answers) == {STAGE: f"FAIL: {text}"}
    assert run(audit, "extra722", answers, accept_access_logging=True) == {STAGE: f"PASS: {text}"}
    found = run(audit, "extra722", gateway(stage()), accept_access_logging=True)
    assert found[STAGE].startswith("FAIL")


# -- extra743 ---------------------------------------------------------------------------------------------------------


def integrated(*types: str) -> list[dict[str, Any]]:
    """One resource per integration type; "" is a method without an integration."""
    methods = [{"httpMethod": "GET", **({"methodIntegration": {"type": t}} if t else {})} for t in types]
    return [resource("/"), *(resource(f"/{number}", GET=method) for number, method in enumerate(methods))]


def certificates(expiry: datetime | None = NOW + timedelta(days=100), id: str = "cert") -> dict[str, Stub]:
    data = {"clientCertificateId": id, **({"expirationDate": expiry} if expiry else {})}
    other = {"clientCertificateId": "other", "expirationDate": NOW + timedelta(days=300)}
    return {"apigateway:GetClientCertificates": {"items": [other, data]}}


CERTIFIED = stage(clientCertificateId="cert")
PRESENTS = f"{STAGE_LABEL} presents client certificate cert"
NO_BACKEND = f"INFO: {STAGE_LABEL}: no method calls an HTTP backend"


@pytest.mark.parametrize(
    ("data", "types", "more", "settings", "expected"),
    [
        (CERTIFIED, ["HTTP_PROXY"], certificates(), {}, f"PASS: {PRESENTS}, which expires on 2026-08-09"),
        (CERTIFIED, ["AWS_PROXY", "HTTP"], certificates(), {}, f"PASS: {PRESENTS}, which expires on 2026-08-09"),
        (stage(), ["HTTP_PROXY"], certificates(), {}, f"FAIL: {STAGE_LABEL} has no client certificate"),
        (stage(clientCertificateId=""), ["HTTP_PROXY"], certificates(), {}, f"FAIL: {STAGE_LABEL} has no client certificate"),
        (CERTIFIED, ["HTTP_PROXY"], certificates(NOW - timedelta(days=1)), {}, f"FAIL: {PRESENTS}, which expired on 2026-04-30"),
        (CERTIFIED, ["HTTP_PROXY"], certificates(NOW), {}, f"FAIL: {PRESENTS}, which expired on 2026-05-01"),
        (CERTIFIED, ["HTTP_PROXY"], certificates(NOW - timedelta(days=1)), {"check_expiration": False}, f"PASS: {PRESENTS}"),
        (CERTIFIED, ["HTTP_PROXY"], certificates(id="gone"), {}, f"FAIL: {PRESENTS}, which does not exist any more"),
        (CERTIFIED, ["HTTP_PROXY"], certificates(None), {}, f"ERROR: apigateway:GetClientCertificates failed in {REGION}: UnexpectedAnswer: {LABEL} has a client certificate without expirationDate: cert"),
        (stage(), ["AWS_PROXY", "AWS", "MOCK", ""], {}, {}, NO_BACKEND),
        (stage(), ["AWS_PROXY"], {}, {"only_http_integrations": False}, f"FAIL: {STAGE_LABEL} has no client certificate"),
        (CERTIFIED, ["AWS_PROXY"], certificates(), {"only_http_integrations": False}, f"PASS: {PRESENTS}, which expires on 2026-08-09"),
    ],
)  # fmt: skip
def test_extra743(
    audit: Audit,
    data: dict[str, Any],
    types: list[str],
    more: dict[str, Stub],
    settings: dict[str, bool],
    expected: str,
) -> None:
    found = run(audit, "extra743", {**gateway(data, resources=integrated(*types)), **more}, **settings)
    assert list(found) == [STAGE]
    assert found[STAGE].startswith(expected)
    if not settings.get("only_http_integrations", True):
        assert "GetResources" not in called(audit)
    if not settings.get("check_expiration", True):
        assert "GetClientCertificates" not in called(audit)


def test_extra743_errors(audit: Audit) -> None:
    http = integrated("HTTP_PROXY")
    refused: dict[str, Stub] = {"apigateway:GetClientCertificates": access_denied("apigateway", "x")}
    two = {**gateway(stage(), stage(stageName="test"), resources=http), **refused}
    assert run(audit, "extra743", two) == {
        STAGE: f"FAIL: {STAGE_LABEL} has no client certificate",
        f"{API}/test": f"FAIL: stage test of {LABEL} has no client certificate",
    }
    assert "GetClientCertificates" not in called(audit)
    found = run(audit, "extra743", {**gateway(CERTIFIED, resources=http), **refused})
    assert found[STAGE].startswith(f"ERROR: access denied in {REGION}: apigateway:GET is needed")
    assert "apigateway:GetClientCertificates" in found[STAGE]
    for error, expected in [
        (DELETED, f"INFO: {LABEL} was deleted during the audit"),
        (access_denied("apigateway", "x"), f"ERROR: access denied in {REGION}: apigateway:GET is needed (apigateway:GetResources"),
    ]:  # fmt: skip
        found = run(audit, "extra743", {**gateway(CERTIFIED), "apigateway:GetResources": error})
        assert found[STAGE].startswith(expected)


# -- extra744 ---------------------------------------------------------------------------------------------------------

WAFV2 = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/front/11111111-2222-3333-4444-555555555555"
CLASSIC = f"arn:aws:waf-regional:{REGION}:{ACCOUNT}:webacl/11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("changes", "settings", "expected"),
    [
        ({"webAclArn": WAFV2}, {}, f"PASS: {STAGE_LABEL}: WAFv2 web ACL {WAFV2}"),
        ({}, {}, f"FAIL: {STAGE_LABEL}: web ACL none"),
        ({"webAclArn": ""}, {}, f"FAIL: {STAGE_LABEL}: web ACL none"),
        ({"webAclArn": CLASSIC}, {}, f"FAIL: {STAGE_LABEL}: WAF Classic web ACL {CLASSIC}, whose support ended on 2025-09-30"),
        ({"webAclArn": "arn:aws:s3:::x"}, {}, f"ERROR: apigateway:GetStages failed in {REGION}: UnexpectedAnswer: {LABEL} has a webAclArn of no known kind: arn:aws:s3:::x"),
    ],
)  # fmt: skip
def test_extra744(audit: Audit, changes: dict[str, str], settings: dict[str, bool], expected: str) -> None:
    assert run(audit, "extra744", gateway(stage(**changes)), **settings) == {STAGE: expected}


# -- extra745 ---------------------------------------------------------------------------------------------------------

POLICY = '{"Version":"2012-10-17","Statement":[]}'


@pytest.mark.parametrize(
    ("types", "changes", "expected"),
    [
        (["PRIVATE"], {}, f"PASS: {LABEL} has endpoint types PRIVATE"),
        (["REGIONAL"], {}, f"FAIL: {LABEL} has endpoint types REGIONAL"),
        (["EDGE"], {}, f"FAIL: {LABEL} has endpoint types EDGE"),
        (["REGIONAL", "PRIVATE"], {}, f"FAIL: {LABEL} has endpoint types REGIONAL, PRIVATE"),
        (["REGIONAL"], {"disableExecuteApiEndpoint": True}, f"FAIL: {LABEL} has endpoint types REGIONAL; its default endpoint is disabled"),
        (["REGIONAL"], {"policy": POLICY}, f"FAIL: {LABEL} has endpoint types REGIONAL; it has a resource policy"),
        ([], {}, f"ERROR: apigateway:GetRestApis failed in {REGION}: UnexpectedAnswer: {LABEL} has no endpoint types"),
    ],
)  # fmt: skip
def test_extra745(audit: Audit, types: list[str], changes: dict[str, Any], expected: str) -> None:
    assert run(audit, "extra745", gateway(endpointConfiguration={"types": types}, **changes)) == {API: expected}
    assert called(audit) == ["GetRestApis"]


def test_extra745_without_endpoint_configuration(audit: Audit) -> None:
    found = run(audit, "extra745", {"apigateway:GetRestApis": {"items": [{"id": API, "name": NAME}]}})
    assert found[API].startswith("ERROR") and "has no endpoint types" in found[API]


# -- extra746 ---------------------------------------------------------------------------------------------------------


def auth(kind: str, **more: Any) -> dict[str, Any]:
    return {"authorizationType": kind, "apiKeyRequired": False, **more}


IAM, NONE = auth("AWS_IAM"), auth("NONE")
COUNT = "without authorization:"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([resource("/", GET=IAM), resource("/x", POST=auth("CUSTOM"), GET=auth("COGNITO_USER_POOLS"))], f"PASS: {LABEL}: all 3 methods require authorization (authorizers: 0)"),
        ([resource("/", GET=auth("JWT"))], f"PASS: {LABEL}: all 1 methods require authorization (authorizers: 0)"),
        ([resource("/", GET=IAM, OPTIONS=NONE)], f"PASS: {LABEL}: all 1 methods require authorization (authorizers: 0)"),
        ([resource("/", OPTIONS=NONE)], f"INFO: {LABEL} has no methods besides OPTIONS"),
        ([], f"INFO: {LABEL} has no methods besides OPTIONS"),
        ([resource("/"), resource("/x")], f"INFO: {LABEL} has no methods besides OPTIONS"),
        ([resource("/x", POST=IAM, GET=NONE)], f"FAIL: {LABEL}: 1 of 2 methods {COUNT} GET /x (authorizers: 0)"),
        ([resource("/x", GET=auth("NONE", apiKeyRequired=True))], f"FAIL: {LABEL}: 1 of 1 methods {COUNT} GET /x (authorizers: 0)"),
        ([resource("/{proxy+}", ANY=NONE)], f"FAIL: {LABEL}: 1 of 1 methods {COUNT} ANY /{{proxy+}} (authorizers: 0)"),
        ([resource("/x", GET=auth("MAGIC"))], f"ERROR: apigateway:GetResources failed in {REGION}: UnexpectedAnswer: {LABEL} has an unknown authorization type for GET /x: MAGIC"),
        ([resource("/x", GET={})], f"ERROR: apigateway:GetResources failed in {REGION}: UnexpectedAnswer: {LABEL} has an unknown authorization type for GET /x: None"),
    ],
)  # fmt: skip
def test_extra746(audit: Audit, resources: list[dict[str, Any]], expected: str) -> None:
    assert run(audit, "extra746", gateway(resources=resources)) == {API: expected}
    asked = [params for _, _, operation, params in audit.backend.calls if operation == "GetResources"]
    assert asked == [{"restApiId": API, "limit": 500, "embed": ["methods"]}]


def test_extra746_authorizers_and_remarks(audit: Audit) -> None:
    one: dict[str, Stub] = {"apigateway:GetAuthorizers": {"items": [{"id": "a", "type": "COGNITO_USER_POOLS"}]}}
    open_method = [resource("/x", GET=NONE)]
    found = run(audit, "extra746", {**gateway(resources=open_method), **one})
    assert found == {API: f"FAIL: {LABEL}: 1 of 1 methods {COUNT} GET /x (authorizers: 1)"}
    assert run(audit, "extra746", {**gateway(resources=[resource("/")]), **one})[API].startswith("INFO")
    private = gateway(resources=open_method, policy=POLICY, endpointConfiguration={"types": ["PRIVATE"]})
    found = run(audit, "extra746", private)
    assert found[API].endswith("(authorizers: 0; it has a resource policy; its endpoint is private)")
    many = [resource(f"/{number:02}", GET=NONE) for number in reversed(range(12))]
    found = run(audit, "extra746", gateway(resources=many))
    assert f"12 of 12 methods {COUNT} GET /00, GET /01" in found[API] and "GET /09, ... (" in found[API]
    assert "GET /10" not in found[API]
    found = run(audit, "extra746", gateway(resources=many[2:]))
    assert f"10 of 10 methods {COUNT} GET /00, GET /01" in found[API] and "GET /09 (" in found[API]
    strict = run(audit, "extra746", gateway(resources=[resource("/", OPTIONS=NONE)]), ignore_methods=[])
    assert strict[API].startswith(f"FAIL: {LABEL}: 1 of 1 methods {COUNT} OPTIONS /")


@pytest.mark.parametrize("operation", ["GetResources", "GetAuthorizers"])
def test_extra746_errors(audit: Audit, operation: str) -> None:
    answers = gateway(resources=[resource("/", GET=IAM)])
    found = run(audit, "extra746", {**answers, f"apigateway:{operation}": DELETED})
    assert found == {API: f"INFO: {LABEL} was deleted during the audit"}
    found = run(audit, "extra746", {**answers, f"apigateway:{operation}": access_denied("apigateway", operation)})
    assert found[API].startswith(f"ERROR: access denied in {REGION}: apigateway:GET is needed (apigateway:{operation}")


# -- against moto -----------------------------------------------------------------------------------------------------


def deploy(client: Any, name: str, *, auth: str, resources: int = 0, kind: str = "REGIONAL") -> str:
    """An API with a stage in moto, GET on the root and on the last of many resources; its id."""
    api = str(client.create_rest_api(name=name, endpointConfiguration={"types": [kind]})["id"])
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    places = [root] + [
        client.create_resource(restApiId=api, parentId=root, pathPart=f"r{number:02}")["id"]
        for number in range(resources)
    ]
    for place, method in dict.fromkeys([(root, "AWS_IAM"), (places[-1], auth)]):
        where = {"restApiId": api, "resourceId": place, "httpMethod": "GET" if method == "AWS_IAM" else "POST"}
        client.put_method(**where, authorizationType=method)
        client.put_integration(**where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="https://www.example.com")
    client.create_deployment(restApiId=api, stageName="live")
    return api


@pytest.mark.usefixtures("moto")
def test_against_moto_extra722_extra743_extra744_extra745_extra746(audit: Audit) -> None:
    client = boto3.client("apigateway", REGION)
    bad = deploy(client, "bad", auth="NONE", resources=30)
    good = deploy(client, "good", auth="AWS_IAM", kind="PRIVATE")
    client.update_stage(
        restApiId=good, stageName="live",
        patchOperations=[{"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}],
    )  # fmt: skip
    acl = boto3.client("wafv2", REGION).create_web_acl(
        Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}},
        VisibilityConfig={"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"},
    )["Summary"]["ARN"]  # fmt: skip
    boto3.client("wafv2", REGION).associate_web_acl(
        WebACLArn=acl, ResourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{good}/stages/live"
    )
    empty = str(client.create_rest_api(name="empty")["id"])

    for check, telling in {"extra722": "execution logging ERROR", "extra744": f"WAFv2 web ACL {acl}"}.items():
        found = audit(check)
        assert sorted(found) == sorted([f"{bad}/live", f"{good}/live", empty])
        assert found[f"{good}/live"] == f"PASS: stage live of good ({good}) in {REGION}: {telling}" + (
            "; no access log" if check == "extra722" else ""
        )
        assert found[f"{bad}/live"].startswith("FAIL")
        assert found[empty] == f"INFO: empty ({empty}) in {REGION} has no stages"
    assert audit("extra743")[f"{bad}/live"].startswith("FAIL: stage live of bad")
    assert audit("extra745")[good].startswith("PASS") and audit("extra745")[bad].startswith("FAIL")
    found = audit("extra746")
    assert found[bad] == f"FAIL: bad ({bad}) in {REGION}: 1 of 2 methods {COUNT} POST /r29 (authorizers: 0)"
    assert found[good].startswith("PASS") and found[empty].startswith("INFO")
