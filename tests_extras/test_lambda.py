"""AWS Lambda: functions."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest

from fixtures.rules.dated_facts import LAMBDA_PREVIEWS, LAMBDA_RUNTIMES, LAMBDA_RUNTIMES_AS_OF, Runtime
from fixtures.secrets.scanner import Limits, in_pairs
from fixtures.services.lambda_.functions import LambdaFunction, Lifecycle, Support
from fixtures.services.lambda_.invokers import named_accounts, openings
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY, PASSWORDS, PATCH_MANAGEMENT

RETRIEVING_SECRETS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html"


@check(
    "extra720",
    severity="low",
    remediation="Add a data event selector for Lambda to a multi-region trail.",
    command="aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors"
    ' \'[{"Name":"lambda","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},'
    '{"Field":"resources.type","Equals":["AWS::Lambda::Function"]}]}]\'',
    url="https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
)
def test_function_invocations_are_recorded(lambda_function: LambdaFunction) -> str:
    """CloudTrail records invocations of Lambda functions as data events."""
    found = lambda_function.invocation_logging
    why = "; ".join(found.lacking) or "there is no trail for the region"
    assert found.trail, f"no trail records the invocations of {lambda_function.label}: {why}"
    return f"{lambda_function.label}: {found.trail.arn} records its invocations ({found.by} selector)"


@check(
    "extra759",
    severity="critical",
    finding_type=PASSWORDS,
    remediation="Keep the secret in Secrets Manager or Parameter Store and read it at run time with the function's role.",
    command="aws lambda update-function-configuration --function-name NAME --environment 'Variables={STAGE=prod}'",
    url=RETRIEVING_SECRETS,
)
def test_function_has_no_secrets_in_variables(
    lambda_function: LambdaFunction,
    *,
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    secrets_ignore_patterns: Sequence[str] = (),
) -> str:
    """Environment variables of Lambda functions hold no secrets."""
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    variables = lambda_function.variables
    found = ", ".join(f"{name} ({kind})" for name, kind in in_pairs(variables.items(), limits))
    assert not found, f"{lambda_function.label} holds secrets in variables: {found}"
    scanned = f"no secrets in variables, scanned {len(variables)}" if variables else "no variables"
    return f"{lambda_function.label}: {scanned}"


@check(
    "extra760",
    severity="critical",
    finding_type=PASSWORDS,
    remediation="Remove the secret from the code, rotate it, and fetch it at run time from Secrets Manager.",
    command="aws lambda update-function-code --function-name NAME --zip-file fileb://package.zip",
    url=RETRIEVING_SECRETS,
)
def test_function_has_no_secrets_in_its_package(
    lambda_function: LambdaFunction,
    *,
    secrets_base64_entropy_limit: float = 4.5,
    secrets_hex_entropy_limit: float = 3.0,
    secrets_ignore_patterns: Sequence[str] = (),
    secrets_ignore_files: Sequence[str] = (),
    max_package_bytes: int = 262144000,
    download_timeout_seconds: float = 30,
) -> str:
    """Deployment packages of Lambda functions hold no secrets.

    ``secrets_ignore_files`` are shell patterns such as ``*.map`` or ``node_modules/*``. Archives within the package are
    not unpacked, layers are not part of it.
    """
    function = lambda_function
    if function.is_image:
        pytest.skip(f"{function.label} is a container image, its code is in a registry")
    limits = Limits(secrets_base64_entropy_limit, secrets_hex_entropy_limit, tuple(secrets_ignore_patterns))
    package = function.scan_package(
        limits, ignore_files=secrets_ignore_files, max_bytes=max_package_bytes, timeout=download_timeout_seconds
    )
    if package.too_large:
        pytest.skip(
            f"{function.label} not scanned: package of {package.too_large} bytes, more than {max_package_bytes}"
        )
    assert not package.total, f"{function.label} holds secrets in its package, {package}"
    layers = f", its {function.layers} layers are not covered" if function.layers else ""
    return f"{function.label}: no secrets in the {package.files} files of its package{layers}"


@check(
    "extra762",
    severity="medium",
    finding_type=PATCH_MANAGEMENT,
    remediation="Move the function to the newest runtime of its language and test it before AWS blocks updates.",
    command="aws lambda update-function-configuration --function-name NAME --runtime python3.14",
    url="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
)
def test_function_runtime_is_supported(
    lambda_function: LambdaFunction,
    *,
    warn_days: int = 90,
    include_published_versions: bool = False,
    runtimes_as_of: date = LAMBDA_RUNTIMES_AS_OF,
    runtimes: Mapping[str, Runtime] = LAMBDA_RUNTIMES,
) -> str:
    """Lambda functions use a runtime that AWS still supports."""
    in_use = lambda_function.runtimes(published=include_published_versions)
    known: dict[str, Lifecycle] = {**dict.fromkeys(LAMBDA_PREVIEWS, "preview"), **runtimes}
    support = Support(in_use, known, lambda_function.api.now.date(), timedelta(days=warn_days))
    assert not support.ended, f"{lambda_function.label}: {'; '.join(support.ended)}"
    if not any(in_use.values()):
        pytest.skip(f"{lambda_function.label} has no runtime of Lambda, as container images")
    if support.previews:
        pytest.skip(
            f"{lambda_function.label}: there is no support yet for the preview of {', '.join(support.previews)}"
        )
    if support.unknown:
        unknown = ", ".join(support.unknown)
        pytest.skip(f"{lambda_function.label}: no lifecycle data for {unknown}, update the table of {runtimes_as_of}")
    return f"{lambda_function.label}: {'; '.join(support.supported)}"


@check(
    "extra798",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Remove the open statement and grant the one account, organisation or source ARN that needs to invoke the"
    " function.",
    command="aws lambda remove-permission --function-name NAME --statement-id SID",
    url="https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
)
def test_function_policy_is_not_public(
    lambda_function: LambdaFunction,
    *,
    check_aliases: bool = True,
    check_versions: bool = True,
    check_confused_deputy: bool = True,
    unscoped_services: Sequence[str] = ("*",),
) -> str:
    """Resource policies of Lambda functions do not admit everyone.

    ``unscoped_services`` are patterns such as ``s3.amazonaws.com`` or ``*``: services that must be limited to an account,
    an organization or an ARN that names its account, since other accounts can have them invoke the function. The ARN of
    a bucket names none.
    """
    policies = lambda_function.policies(aliases=check_aliases, versions=check_versions)
    opened = openings(policies, unscoped_services if check_confused_deputy else ())
    assert not opened.found, "; ".join(opened.found)
    if opened.halves:
        pytest.skip(
            f"a function URL needs both lambda:InvokeFunctionUrl and lambda:InvokeFunction, so that this lets nobody in;"
            f" remove it: {'; '.join(opened.halves)}"
        )
    if not policies:
        return f"{lambda_function.label} has no policy"
    named = ", ".join(named_accounts(policies.values(), lambda_function.api.account.id))
    return f"{lambda_function.label} is not public" + (f"; its policy admits the accounts {named}" if named else "")
