"""The sample organization's keys, trails, configuration recorders, log metric filters, alarms and topics."""

from __future__ import annotations

from typing import Any

from plugins.demo.account import HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS, SANDBOX, DemoAccount, policy, tags

TRAIL_LOGS = "cloudtrail/all-regions"

KEYS: dict[str, list[dict[str, Any]]] = {
    MANAGEMENT: [{"Description": "rotated"}],
    PRODUCTION: [{"Description": "rotated"}, {"Description": "not rotated"}],
    SANDBOX: [{"Description": "open to everyone"}],
}
HOME_KEYS: dict[str, list[dict[str, Any]]] = {
    SANDBOX: [
        {"Description": "asymmetric", "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        {"Description": "being deleted"},
    ],
}
"""Those of the home region alone: the emulator takes its time for a key."""


def _any_of(*events: str, source: str = "") -> str:
    """A filter pattern for any of the CloudTrail events. Source: CIS AWS Foundations 1.2.0, section 3."""
    pattern = " || ".join(f"($.eventName = {event})" for event in events)
    return f"{{ ($.eventSource = {source}) && ({pattern}) }}" if source else f"{{ {pattern} }}"


# The benchmark's name of what is watched -> filter pattern, 3.1 to 3.14 in order.
PATTERNS = {
    "unauthorized-calls": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "sign-in-without-mfa": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
    "root-use": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    "iam-changes": _any_of(
        "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy",
        "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy", "DetachRolePolicy",
        "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy",
    ),
    "trail-changes": _any_of("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    "failed-sign-in": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    "key-deletion": _any_of("DisableKey", "ScheduleKeyDeletion", source="kms.amazonaws.com"),
    "bucket-policy-changes": _any_of(
        "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication",
        "DeleteBucketPolicy", "DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication",
        source="s3.amazonaws.com",
    ),
    "config-changes": _any_of(
        "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder",
        source="config.amazonaws.com",
    ),
    "security-group-changes": _any_of(
        "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
        "RevokeSecurityGroupEgress", "CreateSecurityGroup", "DeleteSecurityGroup",
    ),
    "network-acl-changes": _any_of(
        "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry",
        "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation",
    ),
    "gateway-changes": _any_of(
        "CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway",
        "DeleteInternetGateway", "DetachInternetGateway",
    ),
    "route-changes": _any_of(
        "CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable",
        "DeleteRoute", "DisassociateRouteTable",
    ),
    "vpc-changes": _any_of(
        "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection",
        "DeleteVpcPeeringConnection", "RejectVpcPeeringConnection", "AttachClassicLinkVpc", "DetachClassicLinkVpc",
        "DisableVpcClassicLink", "EnableVpcClassicLink",
    ),
}  # fmt: skip

# What is wrong with a chain of the production account; the other filters are missing there.
BROKEN_CHAINS = {
    "unauthorized-calls": "no alarm",
    "root-use": "no action",
    "iam-changes": "no subscription",
    "trail-changes": "wrong metric",
    "failed-sign-in": "",
}


def build_region(account: DemoAccount, region: str) -> None:
    """Keys and configuration recorder of one region."""
    kms = account.client("kms", region)
    for details in [*KEYS[account.name], *(HOME_KEYS.get(account.name, []) if region == HOME_REGION else [])]:
        state = details["Description"]
        key = kms.create_key(**details, Tags=[{"TagKey": "owner", "TagValue": "=2+3"}])["KeyMetadata"]["KeyId"]
        if state == "rotated":
            kms.enable_key_rotation(KeyId=key)
            kms.create_alias(AliasName="alias/main", TargetKeyId=key)
        if state == "open to everyone":
            everyone = policy({"Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"})
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=everyone)
        if state == "being deleted":
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    if account.name == MANAGEMENT or (account.name == PRODUCTION and region != "ap-southeast-2"):
        _recorder(account, region, running=account.name == MANAGEMENT or region == HOME_REGION)


def _recorder(account: DemoAccount, region: str, *, running: bool) -> None:
    config = account.client("config", region)
    everything = {"allSupported": True, "includeGlobalResourceTypes": region == HOME_REGION}
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": account.role_arn("config"), "recordingGroup": everything}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": account.bucket("trail-logs")})
    if running:
        config.start_configuration_recorder(ConfigurationRecorderName="default")


def build(account: DemoAccount) -> None:
    """Trails of the account and what watches their logs; buckets, roles and keys are there already."""
    cloudtrail, logs = account.client("cloudtrail"), account.client("logs")
    logs.create_log_group(logGroupName=TRAIL_LOGS)
    group = f"arn:aws:logs:{HOME_REGION}:{account.id}:log-group:{TRAIL_LOGS}:*"
    delivery = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": account.role_arn("log-delivery")}
    trail = {"Name": "all-regions", "S3BucketName": account.bucket("trail-logs"), "IsMultiRegionTrail": True}
    if account.name == MANAGEMENT:
        key = account.client("kms").describe_key(KeyId="alias/main")["KeyMetadata"]["Arn"]
        cloudtrail.create_trail(**trail, **delivery, EnableLogFileValidation=True, KmsKeyId=key)
        cloudtrail.put_event_selectors(TrailName="all-regions", EventSelectors=[_data_events()])
        cloudtrail.start_logging(Name="all-regions")
        _complete_chains(account)
    elif account.name == PRODUCTION:
        cloudtrail.create_trail(**trail, **delivery, EnableLogFileValidation=False)
        cloudtrail.start_logging(Name="all-regions")
        _broken_chains(account)
        sydney = account.client("cloudtrail", "ap-southeast-2")
        sydney.create_trail(Name="one-region", S3BucketName=trail["S3BucketName"], IncludeGlobalServiceEvents=False)
    else:
        cloudtrail.create_trail(**trail)  # never started
    for region in REGIONS:
        rotate_aws_keys(account, region)
        topic = account.client("sns", region).create_topic(Name="news", Tags=tags(text="<b>'quoted'</b>"))["TopicArn"]
        if account.name == SANDBOX:
            everyone = policy({"Principal": "*", "Action": "sns:Publish", "Resource": topic})
            account.client("sns", region).set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=everyone
            )


def rotate_aws_keys(account: DemoAccount, region: str) -> None:
    """Rotate AWS's own keys, as AWS does every year: the emulator makes them on first use and never rotates them.

    Source: KMS developer guide, "AWS managed keys".
    """
    kms = account.client("kms", region)
    there = {key["KeyId"] for key in kms.list_keys()["Keys"]}  # AWS's aliases are listed whether or not they have a key
    for alias in kms.list_aliases()["Aliases"]:
        if alias["AliasName"].startswith("alias/aws/") and alias.get("TargetKeyId") in there:
            kms.enable_key_rotation(KeyId=alias["TargetKeyId"])


def _data_events() -> dict[str, Any]:
    resources = [
        {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]},
        {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]},
    ]
    return {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}


def _complete_chains(account: DemoAccount) -> None:
    topic = _topic(account, "security-alarms", "security@example.com")
    for name, pattern in PATTERNS.items():
        _filter(account, name, pattern)
        _alarm(account, name, [topic])


def _broken_chains(account: DemoAccount) -> None:
    deaf, heard = _topic(account, "nobody-listens"), _topic(account, "security-alarms", "ops+alarms@example.com")
    for name, defect in BROKEN_CHAINS.items():
        _filter(account, name, PATTERNS[name])
        if defect != "no alarm":
            actions = {"no action": [], "no subscription": [deaf]}.get(defect, [heard])
            _alarm(account, name, actions, metric="something-else" if defect == "wrong metric" else name)


def _topic(account: DemoAccount, name: str, subscriber: str = "") -> str:
    sns = account.client("sns")
    topic = str(sns.create_topic(Name=name)["TopicArn"])
    if subscriber:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=subscriber)
    return topic


def _filter(account: DemoAccount, name: str, pattern: str) -> None:
    metric = {"metricName": name, "metricNamespace": "Security", "metricValue": "1"}
    account.client("logs").put_metric_filter(
        logGroupName=TRAIL_LOGS, filterName=name, filterPattern=pattern, metricTransformations=[metric]
    )


def _alarm(account: DemoAccount, name: str, actions: list[str], metric: str = "") -> None:
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name, MetricName=metric or name, Namespace="Security", Statistic="Sum", Period=300, Threshold=1,
        EvaluationPeriods=1, ComparisonOperator="GreaterThanOrEqualToThreshold", AlarmActions=actions,
    )  # fmt: skip
