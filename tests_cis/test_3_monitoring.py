"""CIS AWS Foundations 1.2.0, section 3: monitoring.

Every check asks the same question of its own cases: does somebody get told when this happens? What lies between the event
and the person is judged in ``fixtures.services.cloudwatch.monitoring``.
"""

from collections.abc import Mapping

from fixtures.model import Account
from fixtures.rules.filter_facts import ACCOUNT, ANYTHING, EVERY_EVENT, PARTITION, Case, Fact, Form, events
from fixtures.services.cloudwatch.monitoring import monitoring_chain
from plugins.catalog import check

CLOUDTRAIL_ALARMS = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html"
REMEDIATION = "Create the metric filter on the trail's log group, an alarm on its metric and an SNS topic with a confirmed subscriber."


def alarm_command(name: str, pattern: str) -> str:
    """The commands that create a metric filter with this pattern and an alarm on its metric, all called ``name``."""
    return (
        f"aws logs put-metric-filter --log-group-name LOG_GROUP --filter-name {name} --filter-pattern '{{ {pattern} }}'"
        f" --metric-transformations metricName={name},metricNamespace=CISBenchmark,metricValue=1"
        f" && aws cloudwatch put-metric-alarm --alarm-name {name} --namespace CISBenchmark --metric-name {name}"
        " --statistic Sum --period 300 --evaluation-periods 1 --threshold 1"
        " --comparison-operator GreaterThanOrEqualToThreshold --alarm-actions TOPIC_ARN"
    )


def any_of(cases: tuple[Case, ...]) -> str:
    """The benchmark's pattern for a list of events."""
    return " || ".join(f"($.eventName = {case.facts['eventName']})" for case in cases)


# Denied calls of all kinds but two, which later versions of the benchmark leave out as everyday noise: those of log
# delivery, and HeadBucket.
UNAUTHORIZED_CALLS = tuple(
    Case(
        f"errorCode {code}",
        {
            **EVERY_EVENT,
            "errorCode": code,
            "eventName": Form(("", ""), never=("HeadBucket",)),
            "sourceIPAddress": Form(("", ""), never=("delivery.logs.amazonaws.com",)),
        },
    )
    for code in ("Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
)


@check(
    "check31",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "UnauthorizedApiCalls", '($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")'
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_unauthorized_api_calls_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for unauthorized API calls."""
    chain = monitoring_chain(account, UNAUTHORIZED_CALLS, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# What CloudTrail documents of every sign-in to the console.
CONSOLE_SIGN_IN: Mapping[str, Fact] = {
    **EVERY_EVENT,
    "eventName": "ConsoleLogin",
    "eventSource": "signin.amazonaws.com",
    "eventType": "AwsConsoleSignIn",
    "userIdentity.accountId": ACCOUNT,
}
# A user may be called as another kind of principal is: that is not what a filter means that leaves these kinds out.
OTHER_PRINCIPALS = ("assumed-role", "federated-user", ":root")
# The successful sign-in of an IAM user: people of an identity provider use the MFA devices that it asks for.
SIGN_IN_WITHOUT_MFA = (
    Case(
        "console sign-in without MFA",
        {
            **CONSOLE_SIGN_IN,
            "additionalEventData.MFAUsed": "No",
            "responseElements.ConsoleLogin": "Success",
            "userIdentity.type": "IAMUser",
            "userIdentity.arn": Form((f"arn:{PARTITION}:iam::{ACCOUNT}:user/", ""), never=OTHER_PRINCIPALS),
            "userIdentity.userName": ANYTHING,
            "userIdentity.principalId": ANYTHING,
        },
        absent=(
            "additionalEventData.SamlProviderArn",
            "errorCode",
            "errorMessage",
            "userIdentity.invokedBy",
            "userIdentity.sessionContext",
        ),
    ),
)


@check(
    "check32",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "ConsoleSigninWithoutMfa", '($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")'
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_sign_in_without_mfa_raises_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for console sign-in without MFA."""
    chain = monitoring_chain(account, SIGN_IN_WITHOUT_MFA, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


ROOT: Mapping[str, Fact] = {
    "userIdentity.type": "Root",
    "userIdentity.arn": f"arn:{PARTITION}:iam::{ACCOUNT}:root",
    "userIdentity.accountId": ACCOUNT,
    "userIdentity.principalId": ACCOUNT,
}
ROOT_ACTIVITY = tuple(
    Case(name, {**facts, **ROOT}, absent=("userIdentity.invokedBy",))
    for name, facts in (
        ("API calls of root", {**EVERY_EVENT, "eventType": "AwsApiCall"}),
        ("console sign-in of root", CONSOLE_SIGN_IN),
    )
)


@check(
    "check33",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "RootAccountUsage",
        '$.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent"',
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_root_activity_raises_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for root user activity."""
    chain = monitoring_chain(account, ROOT_ACTIVITY, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# Worth an alarm as well, though not in the benchmark's list: SetDefaultPolicyVersion, UpdateAssumeRolePolicy and the
# calls that set or remove permissions boundaries.
IAM_POLICY_CHANGES = events(
    "iam.amazonaws.com",
    "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy DeletePolicy"
    " CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy DetachUserPolicy"
    " AttachGroupPolicy DetachGroupPolicy",
)


@check(
    "check34",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("IamPolicyChanges", any_of(IAM_POLICY_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_iam_policy_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for IAM policy changes."""
    chain = monitoring_chain(account, IAM_POLICY_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# PutEventSelectors can blind a trail as well; the benchmark does not list it.
CLOUDTRAIL_CHANGES = events("cloudtrail.amazonaws.com", "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging")


@check(
    "check35",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("CloudTrailChanges", any_of(CLOUDTRAIL_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_cloudtrail_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for CloudTrail configuration changes."""
    chain = monitoring_chain(account, CLOUDTRAIL_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


FAILED_SIGN_IN = (
    Case(
        "failed console authentication",
        {
            **CONSOLE_SIGN_IN,
            "errorMessage": "Failed authentication",
            "responseElements.ConsoleLogin": "Failure",
        },
    ),
)


@check(
    "check36",
    severity="medium",
    level=2,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "ConsoleSigninFailures", '($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication")'
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_failed_sign_in_raises_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for failed console authentication."""
    chain = monitoring_chain(account, FAILED_SIGN_IN, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# A trail that leaves out the events of KMS cannot raise this alarm: see monitoring_chain.
KMS_KEY_REMOVAL = events("kms.amazonaws.com", "DisableKey ScheduleKeyDeletion")


@check(
    "check37",
    severity="medium",
    level=2,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("KmsKeyChanges", f"($.eventSource = kms.amazonaws.com) && ({any_of(KMS_KEY_REMOVAL)})"),
    url="https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-creating-cloudwatch-alarm.html",
)
def test_removal_of_kms_keys_raises_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for disabling or scheduled deletion of KMS keys."""
    chain = monitoring_chain(account, KMS_KEY_REMOVAL, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# Changes of the block-public-access settings are not in the benchmark's list.
S3_BUCKET_CHANGES = events(
    "s3.amazonaws.com",
    "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication"
    " DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
)


@check(
    "check38",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "S3BucketPolicyChanges", f"($.eventSource = s3.amazonaws.com) && ({any_of(S3_BUCKET_CHANGES)})"
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_s3_bucket_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for S3 bucket policy and configuration changes."""
    chain = monitoring_chain(account, S3_BUCKET_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# DeleteConfigurationRecorder is not in the benchmark's list.
AWS_CONFIG_CHANGES = events(
    "config.amazonaws.com",
    "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
)


@check(
    "check39",
    severity="medium",
    level=2,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command(
        "AwsConfigChanges", f"($.eventSource = config.amazonaws.com) && ({any_of(AWS_CONFIG_CHANGES)})"
    ),
    url=CLOUDTRAIL_ALARMS,
)
def test_aws_config_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for AWS Config configuration changes."""
    chain = monitoring_chain(account, AWS_CONFIG_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


# ModifySecurityGroupRules changes rules as well and deserves an alarm; it is younger than the benchmark.
SECURITY_GROUP_CHANGES = events(
    "ec2.amazonaws.com",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress"
    " CreateSecurityGroup DeleteSecurityGroup",
)


@check(
    "check310",
    severity="medium",
    level=2,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("SecurityGroupChanges", any_of(SECURITY_GROUP_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_security_group_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for security group changes."""
    chain = monitoring_chain(account, SECURITY_GROUP_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


NETWORK_ACL_CHANGES = events(
    "ec2.amazonaws.com",
    "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry"
    " ReplaceNetworkAclAssociation",
)


@check(
    "check311",
    severity="medium",
    level=2,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("NetworkAclChanges", any_of(NETWORK_ACL_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_network_acl_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for network ACL changes."""
    chain = monitoring_chain(account, NETWORK_ACL_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


NETWORK_GATEWAY_CHANGES = events(
    "ec2.amazonaws.com",
    "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway DeleteInternetGateway"
    " DetachInternetGateway",
)


@check(
    "check312",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("NetworkGatewayChanges", any_of(NETWORK_GATEWAY_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_network_gateway_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for network gateway changes."""
    chain = monitoring_chain(
        account, NETWORK_GATEWAY_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber
    )
    assert chain.complete, chain.reason
    return chain.evidence


ROUTE_TABLE_CHANGES = events(
    "ec2.amazonaws.com",
    "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute"
    " DisassociateRouteTable",
)


@check(
    "check313",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("RouteTableChanges", any_of(ROUTE_TABLE_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_route_table_changes_raise_an_alarm(account: Account, *, require_confirmed_subscriber: bool = True) -> str:
    """Alarm exists for route table changes."""
    chain = monitoring_chain(account, ROUTE_TABLE_CHANGES, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence


VPC_CHANGES = events(
    "ec2.amazonaws.com",
    "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection"
    " DeleteVpcPeeringConnection RejectVpcPeeringConnection",
)
# In the benchmark's list, but EC2-Classic is retired: no account can make these calls any more.
CLASSIC_LINK_CHANGES = events(
    "ec2.amazonaws.com", "AttachClassicLinkVpc DetachClassicLinkVpc DisableVpcClassicLink EnableVpcClassicLink"
)


@check(
    "check314",
    severity="medium",
    level=1,
    service="cloudwatch",
    remediation=REMEDIATION,
    command=alarm_command("VpcChanges", any_of(VPC_CHANGES + CLASSIC_LINK_CHANGES)),
    url=CLOUDTRAIL_ALARMS,
)
def test_vpc_changes_raise_an_alarm(
    account: Account, *, require_confirmed_subscriber: bool = True, require_classiclink_events: bool = False
) -> str:
    """Alarm exists for VPC changes."""
    cases = VPC_CHANGES + (CLASSIC_LINK_CHANGES if require_classiclink_events else ())
    chain = monitoring_chain(account, cases, require_confirmed_subscriber=require_confirmed_subscriber)
    assert chain.complete, chain.reason
    return chain.evidence
