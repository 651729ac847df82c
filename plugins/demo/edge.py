"""The sample organization's functions, APIs, distributions, zones, certificates, stacks and security services."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from plugins.demo.account import (
    FAKE_ACCESS_KEY,
    FAKE_PASSWORD,
    FAKE_SECRET_KEY,
    HOME_REGION,
    MANAGEMENT,
    PRODUCTION,
    SANDBOX,
    DemoAccount,
    tags,
)

SECRET_VARIABLES = {
    "AWS_SECRET_ACCESS_KEY": FAKE_SECRET_KEY,
    "AWS_ACCESS_KEY": FAKE_ACCESS_KEY,
    "DB_PASSWORD": FAKE_PASSWORD,
}
FUNCTIONS: dict[str, list[dict[str, Any]]] = {
    MANAGEMENT: [{"FunctionName": "report", "Runtime": "python3.13", "Environment": {"Variables": {"LOG_LEVEL": "info"}}}],
    PRODUCTION: [{"FunctionName": "orders", "Runtime": "python3.12"}, {"FunctionName": "legacy", "Runtime": "nodejs12.x"}],
    SANDBOX: [{"FunctionName": "scratch", "Runtime": "python2.7", "Environment": {"Variables": SECRET_VARIABLES},
               "Description": "=cmd|'/C calc'!A0 <script>alert(1)</script>"}],
}  # fmt: skip


def package(source: str) -> bytes:
    """A deployment package with one module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", source)
    return buffer.getvalue()


CLEAN_PACKAGE = package("def handler(event, context):\n    return 'ok'\n")
SECRET_PACKAGE = package(f"PASSWORD = '{FAKE_PASSWORD}'\nKEY = '{FAKE_ACCESS_KEY}'\nSECRET = '{FAKE_SECRET_KEY}'\n")


def build_region(account: DemoAccount, region: str) -> None:
    """Functions and security services in one region, the rest in the home region."""
    _functions(account, region)
    if account.name == MANAGEMENT or (account.name == PRODUCTION and region == HOME_REGION):
        account.client("guardduty", region).create_detector(Enable=True)
        account.client("securityhub", region).enable_security_hub(EnableDefaultStandards=True)
    if region == HOME_REGION:
        _api(account)
        _stack(account)
        account.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName="workers", ImageId="ami-12345678", InstanceType="t3.micro",
            UserData=f"export DB_PASSWORD='{FAKE_PASSWORD}'" if account.name == SANDBOX else "yum -y update",
        )  # fmt: skip


def build(account: DemoAccount) -> None:
    """What is global: certificates, distributions, zones."""
    acm = account.client("acm", "us-east-1")
    logged = "DISABLED" if account.name == SANDBOX else "ENABLED"
    acm.request_certificate(
        DomainName=f"www.{account.name}.example.com", ValidationMethod="DNS", Tags=tags(note='"><b>'),
        Options={"CertificateTransparencyLoggingPreference": logged},
    )  # fmt: skip
    account.client("cloudfront", "us-east-1").create_distribution(DistributionConfig=_distribution(account))
    route53 = account.client("route53", "us-east-1")
    zone = route53.create_hosted_zone(Name=f"{account.name}.example.com", CallerReference=account.name)["HostedZone"][
        "Id"
    ]
    if account.name == MANAGEMENT:
        account.client("logs", "us-east-1").create_log_group(logGroupName="/aws/route53/zone")
        group = f"arn:aws:logs:us-east-1:{account.id}:log-group:/aws/route53/zone:*"
        route53.create_query_logging_config(HostedZoneId=zone.rpartition("/")[2], CloudWatchLogsLogGroupArn=group)


def _functions(account: DemoAccount, region: str) -> None:
    functions = account.client("lambda", region)
    bad = account.name == SANDBOX
    for details in FUNCTIONS[account.name]:
        functions.create_function(
            **details, Role=account.role_arn("function"), Handler="main.handler", Publish=True,
            Code={"ZipFile": SECRET_PACKAGE if bad else CLEAN_PACKAGE},
        )  # fmt: skip
        if bad:
            functions.add_permission(
                FunctionName=details["FunctionName"],
                StatementId="anyone",
                Action="lambda:InvokeFunction",
                Principal="*",
            )


def _api(account: DemoAccount) -> None:
    gateway, good = account.client("apigateway"), account.name == MANAGEMENT
    kind = {"types": ["PRIVATE" if good else "REGIONAL"]}
    api = gateway.create_rest_api(name=f"=api <{account.name}>", endpointConfiguration=kind)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="AWS_IAM" if good else "NONE")
    gateway.put_integration(**where, type="MOCK", integrationHttpMethod="GET")
    gateway.create_deployment(restApiId=api, stageName="live")
    if good:
        logged = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}
        gateway.update_stage(restApiId=api, stageName="live", patchOperations=[logged])


def _stack(account: DemoAccount) -> None:
    value = FAKE_SECRET_KEY if account.name == SANDBOX else "https://www.example.com"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-stack"}}},
        "Outputs": {"Address": {"Value": value, "Description": f"aws_secret = {value}"}},
    }
    account.client("cloudformation").create_stack(StackName="app", TemplateBody=json.dumps(template))


def _distribution(account: DemoAccount) -> dict[str, Any]:
    good = account.name == MANAGEMENT
    origin = {
        "Id": "web", "DomainName": f"www.{account.name}.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only" if good else "match-viewer",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2" if good else "SSLv3"]},
        },
    }  # fmt: skip
    behavior = {
        "TargetOriginId": "web", "ViewerProtocolPolicy": "redirect-to-https" if good else "allow-all", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
    }  # fmt: skip
    config: dict[str, Any] = {
        "CallerReference": account.name, "Comment": "=1+1 <b>comment</b>", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behavior,
    }  # fmt: skip
    if good:
        bucket = f"{account.bucket('access-logs')}.s3.amazonaws.com"
        config["Logging"] = {"Enabled": True, "IncludeCookies": False, "Bucket": bucket, "Prefix": "cdn/"}
        config["Restrictions"] = {"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["CH"]}}
        config["WebACLId"] = (
            f"arn:aws:wafv2:us-east-1:{account.id}:global/webacl/demo/11111111-2222-3333-4444-555555555555"
        )
    return config
