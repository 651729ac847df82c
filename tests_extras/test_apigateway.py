"""Amazon API Gateway: REST APIs and their stages."""

from collections.abc import Sequence

import pytest

from fixtures.services.apigateway import EXECUTION_LOGGED, OPEN, RestApi, RestApiStage
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY

SHOWN = 10


@check(
    "extra722",
    severity="medium",
    remediation="Set the account-level CloudWatch role and switch on ERROR or INFO logging for all methods of the stage.",
    command="aws apigateway update-stage --rest-api-id ID --stage-name STAGE"
    " --patch-operations 'op=replace,path=/*/*/logging/loglevel,value=ERROR'",
    url="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
)
def test_rest_api_stage_logs_execution(rest_api_stage: RestApiStage, *, accept_access_logging: bool = False) -> str:
    """API Gateway REST stages have execution logging enabled."""
    stage = rest_api_stage
    off = "".join(f", {level.lower() or 'not set'} for {path}" for path, level in stage.methods_not_logged.items())
    access = f"access log to {stage.access_log}" if stage.access_log else "no access log"
    found = f"{stage.label}: execution logging {stage.logging_level or 'not set'}{off}; {access}"
    everything = stage.logging_level in EXECUTION_LOGGED and not off
    assert everything or (accept_access_logging and stage.access_log), found
    return found


@check(
    "extra743",
    severity="medium",
    remediation="Generate a client certificate, have the backend verify it, and attach it to the stage.",
    command="aws apigateway update-stage --rest-api-id ID --stage-name STAGE"
    " --patch-operations op=replace,path=/clientCertificateId,value=CERT_ID",
    url="https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html",
)
def test_rest_api_stage_presents_client_certificate(
    rest_api_stage: RestApiStage, *, check_expiration: bool = True, only_http_integrations: bool = True
) -> str:
    """API Gateway REST stages present a client certificate to their backend."""
    stage = rest_api_stage
    label = stage.label
    if only_http_integrations and not stage.rest_api.has_http_backend:
        pytest.skip(f"{label}: no method calls an HTTP backend, so there is none to present a certificate to")
    assert stage.client_certificate, f"{label} has no client certificate"
    found = f"{label} presents client certificate {stage.client_certificate}"
    if not check_expiration:
        return found
    expiry = stage.client_certificate_expiry
    assert expiry is not None, f"{found}, which does not exist any more"
    assert expiry > stage.api.now, f"{found}, which expired on {expiry:%Y-%m-%d}"
    return f"{found}, which expires on {expiry:%Y-%m-%d}"


@check(
    "extra744",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Create a regional WAFv2 web ACL and associate it with the stage.",
    command="aws wafv2 associate-web-acl --web-acl-arn ACL_ARN --resource-arn STAGE_ARN",
    url="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html",
)
def test_rest_api_stage_has_web_acl(rest_api_stage: RestApiStage) -> str:
    """API Gateway REST stages are protected by a WAF web ACL.

    A web ACL of WAF Classic protects nothing since its support ended on 2025-09-30.
    """
    generation = rest_api_stage.waf
    assert generation != "none", f"{rest_api_stage.label}: web ACL none"
    found = f"{rest_api_stage.label}: {generation} web ACL {rest_api_stage.data['webAclArn']}"
    assert generation != "WAF Classic", f"{found}, whose support ended on 2025-09-30"
    return found


@check(
    "extra745",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Make internal APIs private and reach them through an interface VPC endpoint.",
    command="aws apigateway update-rest-api --rest-api-id ID"
    " --patch-operations op=replace,path=/endpointConfiguration/types/REGIONAL,value=PRIVATE",
    url="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html",
)
def test_rest_api_is_private(rest_api: RestApi) -> str:
    """API Gateway REST APIs have a private endpoint."""
    found = f"{rest_api.label} has endpoint types {', '.join(rest_api.endpoint_types)}"
    assert rest_api.is_private, "; ".join([found, *rest_api.restrictions])
    return found


@check(
    "extra746",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Attach a Cognito, Lambda or IAM authorizer to each method, then redeploy the stage.",
    command="aws apigateway update-method --rest-api-id ID --resource-id RID --http-method GET"
    " --patch-operations op=replace,path=/authorizationType,value=AWS_IAM",
    url="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
)
def test_rest_api_methods_require_authorization(
    rest_api: RestApi, *, ignore_methods: Sequence[str] = ("OPTIONS",)
) -> str:
    """Methods of API Gateway REST APIs require authorization."""
    methods = rest_api.judged_methods(ignore_methods)
    if not methods:
        pytest.skip(f"{rest_api.label} has no methods besides {', '.join(ignore_methods)}")
    unprotected = [str(method) for method in methods if method.data["authorizationType"] == OPEN]
    more = ", ..." if len(unprotected) > SHOWN else ""
    remarks = [f"authorizers: {rest_api.authorizers}", *rest_api.restrictions]
    remarks += ["its endpoint is private"] if rest_api.is_private else []
    assert not unprotected, (
        f"{rest_api.label}: {len(unprotected)} of {len(methods)} methods without authorization:"
        f" {', '.join(unprotected[:SHOWN])}{more} ({'; '.join(remarks)})"
    )
    return f"{rest_api.label}: all {len(methods)} methods require authorization ({'; '.join(remarks)})"
