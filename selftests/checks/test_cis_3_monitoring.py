"""The checks of tests_cis/test_3_monitoring.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

HERE = "eu-west-1"
OTHER_ACCOUNT = "999999999999"
GROUP = "trail-logs"
TOPIC = f"arn:aws:sns:{HERE}:{ACCOUNT}:alerts"
GREATER = "GreaterThanOrEqualToThreshold"

# The benchmark's events, by check, and the source that its pattern asks for where it asks for one.
EVENTS = {
    "check34": "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
    "check35": "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging",
    "check37": "DisableKey ScheduleKeyDeletion",
    "check38": "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
    "check39": "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
    "check310": "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup",
    "check311": "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry ReplaceNetworkAclAssociation",
    "check312": "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway DeleteInternetGateway DetachInternetGateway",
    "check313": "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute DisassociateRouteTable",
    "check314": "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection DeleteVpcPeeringConnection RejectVpcPeeringConnection",
}  # fmt: skip
SOURCES = {
    "check34": "iam", "check35": "cloudtrail", "check37": "kms", "check38": "s3", "check39": "config",
    "check310": "ec2", "check311": "ec2", "check312": "ec2", "check313": "ec2", "check314": "ec2",
}  # fmt: skip
CLASSIC_LINK = "AttachClassicLinkVpc DetachClassicLinkVpc DisableVpcClassicLink EnableVpcClassicLink"


def any_of(names: str, leave_out: str = "") -> str:
    """The benchmark's way to list events."""
    return " || ".join(f"($.eventName = {name})" for name in names.split() if name not in leave_out.split())


def from_source(source: str, condition: str) -> str:
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({condition}) }}"


BENCHMARK = {
    "check31": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "check32": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
    "check33": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    "check36": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    **{check: f"{{ {any_of(names)} }}" for check, names in EVENTS.items()},
    **{check: from_source(SOURCES[check], any_of(EVENTS[check])) for check in ("check37", "check38", "check39")},
}
CHECKS = sorted(BENCHMARK, key=lambda check: int(check[6:]))


def group_arn(name: str = GROUP, account: str = ACCOUNT, region: str = HERE) -> str:
    return f"arn:aws:logs:{region}:{account}:log-group:{name}:*"


def trail(name: str = "main", *, owner: str = ACCOUNT, group: str | None = group_arn(), **more: Any) -> dict[str, Any]:
    """A trail as DescribeTrails gives it: multi-region, with default selectors."""
    found = {
        "Name": name, "TrailARN": f"arn:aws:cloudtrail:{HERE}:{owner}:trail/{name}", "HomeRegion": HERE, "S3BucketName": "logs",
        "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "HasCustomEventSelectors": False, "HasInsightSelectors": False,
        "IsOrganizationTrail": owner != ACCOUNT, "LogFileValidationEnabled": True, **more,
    }  # fmt: skip
    if group:
        found["CloudWatchLogsLogGroupArn"] = group
    return found


def metric_filter(
    pattern: str, name: str = "watch", metrics: tuple[str, ...] = ("Watched",), **more: Any
) -> dict[str, Any]:
    return {
        "filterName": name, "filterPattern": pattern, "logGroupName": GROUP,
        "metricTransformations": [{"metricName": m, "metricNamespace": "CISBenchmark", "metricValue": "1"} for m in metrics], **more,
    }  # fmt: skip


def alarm(metric: str = "Watched", **more: Any) -> dict[str, Any]:
    """A metric alarm as DescribeAlarms gives it; an argument of None leaves a member out."""
    found = {
        "AlarmName": f"{metric}-alarm", "Namespace": "CISBenchmark", "MetricName": metric, "Dimensions": [],
        "ComparisonOperator": GREATER, "Threshold": 1.0, "ActionsEnabled": True, "AlarmActions": [TOPIC],
        "StateValue": "INSUFFICIENT_DATA", **more,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def expression_alarm(*queries: dict[str, Any]) -> dict[str, Any]:
    """An alarm on a metric math expression."""
    total = {"Id": "sum", "Expression": "SUM(METRICS())", "ReturnData": True}
    return alarm(Namespace=None, MetricName=None, Dimensions=None, Metrics=[total, *queries])


def query(
    metric: str = "Watched", namespace: str = "CISBenchmark", dimensions: Any = (), **more: Any
) -> dict[str, Any]:
    described = {"Namespace": namespace, "MetricName": metric, "Dimensions": list(dimensions)}
    return {"Id": "m1", "MetricStat": {"Metric": described, "Period": 300, "Stat": "Sum"}, "ReturnData": False, **more}


CONFIRMED = {"SubscriptionArn": f"{TOPIC}:6b0e71bd", "Protocol": "email", "Endpoint": "someone@example.com"}
PENDING = {**CONFIRMED, "SubscriptionArn": "PendingConfirmation"}
DELETED = {**CONFIRMED, "SubscriptionArn": "Deleted"}
DIMENSION = [{"Name": "Region", "Value": HERE}]


def world(
    *filters: dict[str, Any],
    trails: list[dict[str, Any]] | None = None,
    alarms: list[dict[str, Any]] | None = None,
    subscriptions: list[dict[str, Any]] | None = None,
    **more: Stub,
) -> dict[str, Stub]:
    """An account whose chain is complete but for what the arguments say. ``more``: answers, as Service_Operation."""
    answers: dict[str, Stub] = {
        "cloudtrail:DescribeTrails": {"trailList": [trail()] if trails is None else trails},
        "cloudtrail:GetTrailStatus": lambda asked: {"IsLogging": "stopped" not in asked["Name"]},
        "cloudtrail:GetEventSelectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
        "logs:DescribeMetricFilters": lambda asked: {"metricFilters": list(filters) if asked["logGroupName"] == GROUP else []},
        "cloudwatch:DescribeAlarms": {"MetricAlarms": [alarm()] if alarms is None else alarms},
        "sns:ListSubscriptionsByTopic": {"Subscriptions": [CONFIRMED] if subscriptions is None else subscriptions},
    }  # fmt: skip
    return answers | {key.replace("_", ":"): answer for key, answer in more.items()}


def run(audit: Audit, check: str, answers: dict[str, Stub], **settings: Any) -> str:
    found = audit(check, answers=answers, live=False, **settings)
    assert list(found) == [ACCOUNT]
    assert "someone@example.com" not in found[ACCOUNT]
    return found[ACCOUNT]


NOBODY = f"FAIL: log group {GROUP} in {HERE}: nobody is told about"
NOTHING = f"FAIL: log group {GROUP} in {HERE}: none of its 1 metric filters covers any of"
MISSING = f"FAIL: log group {GROUP} in {HERE}: no metric filter covers"


def reordered(check: str) -> str:
    """Reverse order, quoted names, no blanks."""
    terms = "||".join(f'($.eventName="{name}")' for name in reversed(EVENTS[check].split()))
    asks = check in ("check37", "check38", "check39")
    return f"{{({terms})&&($.eventSource={SOURCES[check]}.amazonaws.com)}}" if asks else f"{{{terms}}}"


LEFT_OUT = {
    "check34": "DetachGroupPolicy", "check35": "StopLogging", "check37": "ScheduleKeyDeletion", "check38": "DeleteBucketReplication",
    "check39": "PutConfigurationRecorder", "check310": "DeleteSecurityGroup", "check311": "ReplaceNetworkAclAssociation",
    "check312": "DetachInternetGateway", "check313": "DisassociateRouteTable", "check314": "RejectVpcPeeringConnection",
}  # fmt: skip
TOLERATED = "($.sourceIPAddress != delivery.logs.amazonaws.com) && ($.eventName != HeadBucket)"
NO_MFA = '($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")'
CIS_1_4 = '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }'  # fmt: skip

PATTERNS = [
    ("check31", "{ $.errorCode = AccessDenied* || $.errorCode = *UnauthorizedOperation }", "PASS"),
    ("check31", "{ $.errorCode = AccessDenied || $.errorCode = *UnauthorizedOperation }", f"{MISSING} errorCode AccessDeniedException"),
    ("check31", f'{{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && {TOLERATED} }}', "PASS"),
    ("check31", "{ ($.errorCode = *UnauthorizedOperation || $.errorCode = AccessDenied*) && $.userIdentity.userName != scanner }", f"{NOTHING} errorCode Client.UnauthorizedOperation, errorCode AccessDenied, errorCode AccessDeniedException; narrowed: watch ($.userIdentity.userName != scanner)"),
    ("check31", CIS_1_4, "PASS"),
    ("check32", "{ ($.additionalEventData.MFAUsed != Yes) && ($.eventName = ConsoleLogin) }", "PASS"),
    ("check32", '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }', "PASS"),
    ("check32", "{ $.eventName = ConsoleLogin }", "PASS"),
    ("check32", f'{{ {NO_MFA} && ($.userIdentity.arn != "*assumed-role*") }}', "PASS"),
    ("check32", f'{{ {NO_MFA} && ($.responseElements.ConsoleLogin != "Failure") && ($.additionalEventData.SamlProviderArn NOT EXISTS) }}', "PASS"),
    ("check32", f"{{ {NO_MFA} && $.userIdentity.type != AssumedRole && $.errorMessage NOT EXISTS && $.eventType = AwsConsoleSignIn }}", "PASS"),
    ("check32", f"{{ {NO_MFA} && $.userIdentity.arn = %:user/% && $.userIdentity.sessionContext.sessionIssuer.type NOT EXISTS }}", "PASS"),
    ("check32", f"{{ {NO_MFA} && $.userIdentity.userName != break-glass }}", f"{NOTHING} console sign-in without MFA; narrowed: watch ($.userIdentity.userName != break-glass)"),
    ("check32", f"{{ {NO_MFA} && $.userIdentity.arn != *:user/scanner }}", f"{NOTHING} console sign-in without MFA; narrowed: watch ($.userIdentity.arn != *:user/scanner)"),
    ("check32", f"{{ {NO_MFA} && $.sourceIPAddress != 192.0.2.* }}", f"{NOTHING} console sign-in without MFA; narrowed: watch ($.sourceIPAddress != 192.0.2.*)"),
    ("check32", f"{{ {NO_MFA} && $.userIdentity.type = AssumedRole }}", f"{NOTHING} console sign-in without MFA"),
    ("check35", "{ ($.eventSource = cloudtrail.amazonaws.com) && ($.readOnly IS FALSE) }", "PASS"),
    ("check35", "{ ($.eventSource = cloudtrail.amazonaws.com) && ($.readOnly IS TRUE) }", f"{NOTHING} CreateTrail"),
    ("check35", "{ $.eventSource = cloudtrail.amazonaws.com && $.managementEvent IS TRUE && $.eventCategory = Management && $.eventType != AwsServiceEvent }", "PASS"),
    ("check36", '{ ($.eventName = "ConsoleLogin") && ($.responseElements.ConsoleLogin = "Failure") }', "PASS"),
    ("check36", '{ ($.eventName = "ConsoleLogin") && ($.responseElements.ConsoleLogin != "Success") }', "PASS"),
    ("check36", '{ $.eventName = ConsoleLogin && $.errorMessage EXISTS && $.userIdentity.type = IAMUser }', f"{NOTHING} failed console authentication; narrowed: watch ($.userIdentity.type = IAMUser)"),
    ("check31", "{ ($.errorCode = *UnauthorizedOperation || $.errorCode = AccessDenied*) && $.sourceIPAddress != *.amazonaws.com }", f"{NOTHING} errorCode Client.UnauthorizedOperation, errorCode AccessDenied, errorCode AccessDeniedException; narrowed: watch ($.sourceIPAddress != *.amazonaws.com)"),
    ("check32", "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = Yes }", f"{NOTHING} console sign-in without MFA"),
    ("check33", "{ ($.eventType != AwsServiceEvent) && ($.userIdentity.invokedBy NOT EXISTS) && ($.userIdentity.type = Root) }", "PASS"),
    ("check33", "{ $.userIdentity.type = Root }", "PASS"),
    ("check33", '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType = AwsApiCall }', f"{MISSING} console sign-in of root"),
    ("check33", '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventName = ConsoleLogin }', f"{MISSING} API calls of root; narrowed: watch ($.eventName = ConsoleLogin)"),
    ("check33", '{ $.userIdentity.type = "Root" && $.userIdentity.arn = "arn:aws:iam::123456789012:root" && $.recipientAccountId = 123456789012 }', "PASS"),
    ("check33", '{ $.userIdentity.arn = "*:root" && $.userIdentity.invokedBy NOT EXISTS }', "PASS"),
    ("check33", "{ $.userIdentity.type = Root && $.sourceIPAddress EXISTS }", "PASS"),
    ("check33", "{ $.userIdentity.type = Root && $.sourceIPAddress != 192.0.2.1 }", f"{NOTHING} API calls of root, console sign-in of root; narrowed: watch ($.sourceIPAddress != 192.0.2.1)"),
    ("check33", "{ $.userIdentity.type = Root && $.userIdentity.accountId = 999999999999 }", f"{NOTHING} API calls of root, console sign-in of root"),
    ("check34", f"{{ {any_of(EVENTS['check34'], leave_out='CreatePolicy')} }}", f"{MISSING} CreatePolicy"),
    ("check35", f"{{ ({any_of(EVENTS['check35'])}) && ($.errorCode NOT EXISTS) }}", f"{NOTHING} CreateTrail, UpdateTrail, DeleteTrail, StartLogging, StopLogging; narrowed: watch ($.errorCode NOT EXISTS)"),
    ("check36", '{ ($.errorMessage = "Failed authentication") && ($.eventName = "ConsoleLogin") }', "PASS"),
    ("check36", "{ ($.eventName = ConsoleLogin) && ($.errorMessage = Failed authentication) }", "PASS"),
    ("check36", '{ $.errorMessage = "Failed authentication" }', "PASS"),
    ("check36", '{ $.errorMessage = "No username found in supplied account" }', f"{NOTHING} failed console authentication"),
    ("check37", f"{{ {any_of(EVENTS['check37'])} }}", "PASS"),
    ("check38", from_source("s3", "($.eventName = PutBucket*) || ($.eventName = DeleteBucket*)"), "PASS"),
    ("check38", from_source("ec2", any_of(EVENTS["check38"])), f"{NOTHING} {', '.join(EVENTS['check38'].split())}"),
    ("check39", BENCHMARK["check39"].replace(" ", ""), "PASS"),
    ("check310", "{ $.eventName = *SecurityGroup* }", "PASS"),
    ("check311", f"{{ {any_of(EVENTS['check311'], leave_out='CreateNetworkAcl')} }}", f"{MISSING} CreateNetworkAcl"),
    ("check313", f"{{ {any_of(EVENTS['check313'], leave_out='CreateRoute DeleteRoute')} }}", f"{MISSING} CreateRoute, DeleteRoute"),
    ("check314", f"{{ {any_of(EVENTS['check314'], leave_out='CreateVpc')} }}", f"{MISSING} CreateVpc"),
    ("check314", f"{{ {any_of(EVENTS['check314'])} || {any_of(CLASSIC_LINK)} }}", "PASS"),
    *((check, BENCHMARK[check], "PASS") for check in CHECKS),
    *((check, reordered(check), "PASS") for check in EVENTS),
    *((check, f"{{ {any_of(EVENTS[check], leave_out=left_out)} }}", f"{MISSING} {left_out}") for check, left_out in LEFT_OUT.items()),
    # the source of the benchmark's service may be asked for, no other one
    *((check, from_source(SOURCES[check], any_of(EVENTS[check])), "PASS") for check in EVENTS),
    *((check, from_source("sts", any_of(EVENTS[check])), f"{NOTHING} {EVENTS[check].split()[0]}") for check in EVENTS),
    *((check, "?AccessDenied ?ConsoleLogin", NOTHING) for check in CHECKS),
]  # fmt: skip


@pytest.mark.parametrize(("check", "pattern", "expected"), PATTERNS)
def test_patterns(audit: Audit, check: str, pattern: str, expected: str) -> None:
    found = run(audit, check, world(metric_filter(pattern)))
    if expected == "PASS":
        noisy = (
            " (noisy: $.sourceIPAddress != delivery.logs.amazonaws.com, $.eventName != HeadBucket stands alone in the pattern,"
            " so that nearly every event raises the alarm)"
        )
        assert found == (
            f"PASS: log group {GROUP} in {HERE}: filter watch, metric CISBenchmark/Watched,"
            f" alarm Watched-alarm ({GREATER} 1), {TOPIC}{noisy if pattern == CIS_1_4 else ''}"
        )
    elif pattern.startswith("?"):
        assert found.startswith(expected)
        assert found.endswith("not a valid JSON pattern: watch (?AccessDenied ?ConsoleLogin)")
    else:
        assert found == expected or found.startswith((f"{expected}; ", f"{expected}, "))


@pytest.mark.parametrize("check", CHECKS)
def test_filter_without_alarm(audit: Audit, check: str) -> None:
    found = run(audit, check, world(metric_filter(BENCHMARK[check]), alarms=[]))
    assert found.startswith(NOBODY)
    assert found.endswith(": filter watch: no alarm on its metric CISBenchmark/Watched")


CHAINS: list[tuple[str, dict[str, Any], str]] = [
    ("alarm in another namespace", {"alarms": [alarm(Namespace="Other")]}, "filter watch: no alarm on its metric CISBenchmark/Watched"),
    ("alarm with dimensions", {"alarms": [alarm(Dimensions=DIMENSION)]}, f"alarm Watched-alarm ({GREATER} 1) is on a metric with dimensions"),
    ("actions disabled", {"alarms": [alarm(ActionsEnabled=False)]}, f"alarm Watched-alarm ({GREATER} 1) has its actions disabled"),
    ("no action", {"alarms": [alarm(AlarmActions=[])]}, f"alarm Watched-alarm ({GREATER} 1) has no alarm action"),
    ("below the threshold", {"alarms": [alarm(ComparisonOperator="LessThanThreshold")]}, "alarm Watched-alarm (LessThanThreshold 1) does not watch for values above its threshold"),
    ("pending", {"subscriptions": [PENDING, DELETED]}, f"alarm Watched-alarm ({GREATER} 1): topic {TOPIC} has no confirmed subscriber"),
    ("no subscription", {"subscriptions": []}, f"topic {TOPIC} has no confirmed subscriber"),
    ("topic gone", {"sns_ListSubscriptionsByTopic": ApiError("sns", "x", "NotFound", "gone")}, f"topic {TOPIC} does not exist"),
    ("EC2 action", {"alarms": [alarm(AlarmActions=[f"arn:aws:automate:{HERE}:ec2:stop"])]}, f"arn:aws:automate:{HERE}:ec2:stop notifies nobody"),
    ("Auto Scaling action", {"alarms": [alarm(AlarmActions=[f"arn:aws:autoscaling:{HERE}:{ACCOUNT}:scalingPolicy:1"])]}, "scalingPolicy:1 notifies nobody"),
    ("Systems Manager, but no OpsItem", {"alarms": [alarm(AlarmActions=[f"arn:aws:ssm:{HERE}:{ACCOUNT}:document/x"])]}, "notifies nobody"),
    ("expression without the metric", {"alarms": [expression_alarm(query("Other"))]}, "no alarm on its metric CISBenchmark/Watched"),
    ("expression, other namespace", {"alarms": [expression_alarm(query(namespace="Other"))]}, "no alarm on its metric CISBenchmark/Watched"),
    ("expression, dimensions", {"alarms": [expression_alarm(query(dimensions=DIMENSION))]}, "is on a metric with dimensions"),
    ("expression, metric of another account", {"alarms": [expression_alarm(query(AccountId=OTHER_ACCOUNT))]}, "no alarm on its metric CISBenchmark/Watched"),
    ("every link of two alarms", {"alarms": [alarm(AlarmName="one", ActionsEnabled=False), alarm(AlarmName="two", AlarmActions=[])]}, f"filter watch: alarm one ({GREATER} 1) has its actions disabled; alarm two ({GREATER} 1) has no alarm action"),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("case", "changes", "ending"), CHAINS, ids=[case for case, _, _ in CHAINS])
def test_broken_chains(audit: Audit, check: str, case: str, changes: dict[str, Any], ending: str) -> None:
    found = run(audit, check, world(metric_filter(BENCHMARK[check]), **changes))
    assert found.startswith(NOBODY), case
    assert found.endswith(ending), case


COMPLETE: list[tuple[str, dict[str, Any], str]] = [
    ("one of two subscribers confirmed", {"subscriptions": [PENDING, CONFIRMED]}, TOPIC),
    ("topic of another account", {"alarms": [alarm(AlarmActions=[TOPIC.replace(ACCOUNT, OTHER_ACCOUNT)])]}, f"arn:aws:sns:{HERE}:{OTHER_ACCOUNT}:alerts of another account, subscribers not verified"),
    ("expression", {"alarms": [expression_alarm(query("Other"), query())]}, f"alarm Watched-alarm ({GREATER} 1), {TOPIC}"),
    ("expression that names the own account", {"alarms": [expression_alarm(query(AccountId=ACCOUNT))]}, TOPIC),
    ("second alarm works", {"alarms": [alarm(AlarmName="off", ActionsEnabled=False), alarm()]}, f"alarm Watched-alarm ({GREATER} 1), {TOPIC}"),
    ("second action works", {"alarms": [alarm(AlarmActions=[f"arn:aws:automate:{HERE}:ec2:stop", TOPIC])]}, TOPIC),
    ("Lambda", {"alarms": [alarm(AlarmActions=[f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:tell"])]}, "function:tell"),
    ("OpsCenter", {"alarms": [alarm(AlarmActions=[f"arn:aws:ssm:{HERE}:{ACCOUNT}:opsitem:1#CATEGORY=Security"])]}, "opsitem:1#CATEGORY=Security"),
    ("Incident Manager", {"alarms": [alarm(AlarmActions=[f"arn:aws:ssm-incidents::{ACCOUNT}:response-plan/plan"])]}, "response-plan/plan"),
    ("threshold 3", {"alarms": [alarm(Threshold=3.0)]}, f"alarm Watched-alarm ({GREATER} 3), {TOPIC}"),
    ("anomaly detection", {"alarms": [alarm(Threshold=None, ThresholdMetricId="ad1", ComparisonOperator="GreaterThanUpperThreshold")]}, f"(GreaterThanUpperThreshold a threshold metric), {TOPIC}"),
    ("state OK", {"alarms": [alarm(StateValue="OK")]}, TOPIC),
    ("topic denied, another action works", {"alarms": [alarm(AlarmActions=[TOPIC, f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:tell"])], "sns_ListSubscriptionsByTopic": access_denied("sns", "x")}, "function:tell"),
    ("one trail is not fit", {"trails": [trail("stopped", group=group_arn("a")), trail("single", IsMultiRegionTrail=False), trail()]}, TOPIC),
    ("first log group empty", {"trails": [trail("first", group=group_arn("empty")), trail("none", group=None), trail()]}, TOPIC),
    ("log group elsewhere as well", {"trails": [trail("org", owner=OTHER_ACCOUNT, group=group_arn(account=OTHER_ACCOUNT)), trail()]}, TOPIC),
    ("organization trail, own log group", {"trails": [trail("org", owner=OTHER_ACCOUNT)]}, TOPIC),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("case", "changes", "ending"), COMPLETE, ids=[case for case, _, _ in COMPLETE])
def test_complete_chains(audit: Audit, check: str, case: str, changes: dict[str, Any], ending: str) -> None:
    found = run(audit, check, world(metric_filter(BENCHMARK[check]), **changes))
    assert found.startswith(f"PASS: log group {GROUP} in {HERE}: filter watch, metric CISBenchmark/Watched, alarm "), (
        case
    )
    assert found.endswith(ending), case


@pytest.mark.parametrize("check", CHECKS)
def test_require_confirmed_subscriber(audit: Audit, check: str) -> None:
    pending = world(metric_filter(BENCHMARK[check]), subscriptions=[PENDING])
    assert run(audit, check, pending).startswith("FAIL")
    found = run(audit, check, pending, require_confirmed_subscriber=False)
    assert found.startswith("PASS")
    assert found.endswith(f"{TOPIC}, subscribers not looked at")
    assert not any(service == "sns" for _, service, _, _ in audit.backend.calls)


@pytest.mark.parametrize("check", CHECKS)
def test_trails(audit: Audit, check: str) -> None:
    """What is said of trails that do not qualify, and of several failures the one that got farthest."""
    complete = metric_filter(BENCHMARK[check])

    def said(*trails: dict[str, Any], **more: Any) -> str:
        return run(audit, check, world(complete, trails=list(trails), **more))

    single, stopped = trail("single", IsMultiRegionTrail=False), trail("stopped")
    without, gone = trail("without", group=None), trail("gone", group=group_arn("gone"))
    empty = trail("empty", group=group_arn("empty"))
    assert said() == "FAIL: there is no trail"
    assert (
        "single" in said(single)
        and "single-region" in said(single)
        and said(single).startswith("FAIL: no qualifying trail: ")
    )
    assert "not logging" in said(stopped) and said(stopped).startswith("FAIL: no qualifying trail: ")
    both = said(single, stopped)
    assert "single-region" in both and "not logging" in both
    reads: Stub = {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}
    partial = said(trail(HasCustomEventSelectors=True), cloudtrail_GetEventSelectors=reads)
    assert partial.startswith("FAIL: no qualifying trail: ") and "main" in partial
    assert said(single, without).startswith("FAIL: ") and said(single, without).endswith("delivers to no log group")
    lost: Stub = ApiError("logs", "x", "ResourceNotFoundException", "gone")

    def filters(asked: dict[str, Any]) -> Any:
        return lost if asked["logGroupName"] == "gone" else {"metricFilters": []}

    more = {"logs_DescribeMetricFilters": filters}
    assert said(single, without, gone, **more) == f"FAIL: log group gone in {HERE} does not exist"
    nothing = f"FAIL: log group empty in {HERE}: none of its 0 metric filters covers any of "
    assert said(single, without, gone, empty, **more).startswith(nothing)
    # filters complete, the alarm is not: said before anything else
    broken = said(single, without, empty, trail(), alarms=[])
    assert broken.startswith(NOBODY) and "empty" not in broken and "no qualifying" not in broken


@pytest.mark.parametrize("check", CHECKS)
def test_central_log_group(audit: Audit, check: str) -> None:
    organization = trail("org", owner=OTHER_ACCOUNT, group=group_arn(account=OTHER_ACCOUNT))
    info = (
        f"INFO: the events go to log group {GROUP} in {HERE} of account {OTHER_ACCOUNT}:"
        " alarms live there, run the check in that account"
    )
    assert run(audit, check, world(trails=[organization])) == info
    assert run(audit, check, world(trails=[organization, trail()])) == info
    assert run(audit, check, world(trails=[organization, trail("stopped")])) == info
    stopped = {**organization, "TrailARN": organization["TrailARN"].replace("/org", "/stopped")}
    assert run(audit, check, world(trails=[stopped])).startswith("FAIL: no qualifying trail")
    # what might be a complete chain of the account's own cannot be read
    denied = world(trails=[organization, trail()], logs_DescribeMetricFilters=access_denied("logs", "x"))
    assert run(audit, check, denied).startswith("ERROR")


@pytest.mark.parametrize("check", CHECKS)
def test_organization_trail_seen_from_a_member(audit: Audit, check: str) -> None:
    """Status and selectors of the trail belong to another account, which may keep them to itself."""
    complete = metric_filter(BENCHMARK[check])
    foreign = trail("org", owner=OTHER_ACCOUNT, HasCustomEventSelectors=True)
    closed: Stub = ApiError("cloudtrail", "x", "TrailNotFoundException", "unknown trail")

    selectors = run(audit, check, world(complete, trails=[foreign], cloudtrail_GetEventSelectors=closed))
    assert selectors.startswith("PASS")
    assert selectors.endswith("cannot be seen from this account, the default ones are assumed)")

    def hidden(asked: dict[str, Any]) -> Any:
        return closed if ":trail/org" in asked["Name"] else {"IsLogging": True}

    def said(*trails: dict[str, Any], **more: Any) -> str:
        answers = world(complete, trails=list(trails), cloudtrail_GetTrailStatus=hidden, **more)
        return run(audit, check, answers)

    foreign["HasCustomEventSelectors"] = False
    unknown = f"ERROR: cloudtrail:GetTrailStatus failed in {HERE}: TrailNotFoundException: whether org in {HERE}"
    assert said(foreign).startswith(unknown)
    assert said(foreign, trail(IsMultiRegionTrail=False)).startswith(unknown)
    assert said(foreign, trail()).startswith("PASS")
    # nothing depends on the status: the chain is broken anyhow
    assert said(foreign, alarms=[]).startswith(NOBODY)
    assert said({**foreign, "IsMultiRegionTrail": False}).startswith("FAIL: no qualifying trail: org in ")
    # what another account's log group would make of it depends on the status again
    central = {**foreign, "CloudWatchLogsLogGroupArn": group_arn(account=OTHER_ACCOUNT)}
    assert said(central).startswith(unknown)
    assert said(central, trail(group=group_arn(account=OTHER_ACCOUNT))).startswith("INFO: the events go to ")
    # one's own trail is another matter
    own = run(audit, check, world(complete, cloudtrail_GetTrailStatus=closed))
    assert own.startswith(f"ERROR: cloudtrail:GetTrailStatus failed in {HERE}: TrailNotFoundException")


@pytest.mark.parametrize("check", CHECKS)
def test_errors(audit: Audit, check: str) -> None:
    complete = metric_filter(BENCHMARK[check])
    for service, operation in (
        ("cloudtrail", "DescribeTrails"), ("cloudtrail", "GetTrailStatus"), ("logs", "DescribeMetricFilters"), ("cloudwatch", "DescribeAlarms"),
        ("sns", "ListSubscriptionsByTopic"),
    ):  # fmt: skip
        answers = {**world(complete), f"{service}:{operation}": access_denied(service, operation)}
        found = run(audit, check, answers)
        assert found.startswith("ERROR: access denied in ")
        assert f"{service}:{operation} is needed" in found
    # the other regions prove that somebody is told
    one_region = {
        **world(complete),
        "cloudtrail:DescribeTrails@us-east-1": access_denied("cloudtrail", "DescribeTrails"),
    }
    assert run(audit, check, one_region).startswith("PASS")
    incomplete: dict[str, Stub] = {**one_region, **{"cloudwatch:DescribeAlarms": {"MetricAlarms": []}}}
    assert run(audit, check, incomplete).startswith(
        "ERROR: access denied in us-east-1: cloudtrail:DescribeTrails is needed"
    )
    # another log group proves it
    two = [trail("first", group=group_arn("denied", region="us-east-1")), trail()]
    denied_there: Stub = access_denied("logs", "DescribeMetricFilters")
    answers = {**world(complete, trails=two), "logs:DescribeMetricFilters@us-east-1": denied_there}
    assert run(audit, check, answers).startswith("PASS")
    assert run(audit, check, {**answers, "cloudwatch:DescribeAlarms": {"MetricAlarms": []}}).startswith("ERROR")
    # a log alarm needs no filter
    useless = metric_filter("{ $.eventName = Other }")
    denied = world(useless, cloudwatch_DescribeAlarms=access_denied("cloudwatch", "DescribeAlarms"))
    assert run(audit, check, denied).startswith("ERROR: access denied in ")
    throttled = world(complete, cloudwatch_DescribeAlarms=ApiError("cloudwatch", "x", "Throttling", "Rate exceeded"))
    assert run(audit, check, throttled).startswith("ERROR: cloudwatch:DescribeAlarms was throttled")
    unreadable = world(complete, trails=[trail(group="arn:aws:logs:nowhere")])
    assert "ERROR" in run(audit, check, unreadable) and "is no log group ARN" in run(audit, check, unreadable)


@pytest.mark.parametrize("check", CHECKS)
def test_filters_that_do_not_count(audit: Audit, check: str) -> None:
    """Which of a log group's filters and metrics are looked at."""
    pattern = BENCHMARK[check]

    def said(*filters: dict[str, Any], **more: Any) -> str:
        return run(audit, check, world(*filters, **more))

    assert said(metric_filter("")).startswith(f"FAIL: log group {GROUP} in {HERE}: none of its 0 metric filters")
    some_accounts = metric_filter(pattern, fieldSelectionCriteria='@aws.account = "1"')
    assert said(some_accounts).startswith(f"FAIL: log group {GROUP} in {HERE}: none of its 0 metric filters")
    dimensioned = metric_filter(pattern)
    dimensioned["metricTransformations"][0]["dimensions"] = {"User": "$.userIdentity.userName"}
    assert said(dimensioned).endswith("filter watch: its metrics all have dimensions")
    by_account = metric_filter(pattern, emitSystemFieldDimensions=["@aws.account"])
    assert said(by_account).endswith("filter watch: its metrics all have dimensions")
    two = metric_filter(pattern, metrics=("First", "Second"))
    assert said(two, alarms=[alarm("Second")]).startswith(
        f"PASS: log group {GROUP} in {HERE}: filter watch, metric CISBenchmark/Second, alarm Second-alarm"
    )
    assert said(two, alarms=[]).endswith(
        "filter watch: no alarm on its metric CISBenchmark/First; no alarm on its metric CISBenchmark/Second"
    )
    off = metric_filter(pattern, "off", ("Off",))
    working = said(off, metric_filter(pattern))
    assert working.startswith(f"PASS: log group {GROUP} in {HERE}: filter watch, ")


@pytest.mark.parametrize("check", CHECKS)
def test_filters_on_transformed_events(audit: Audit, check: str) -> None:
    """What a transformer makes of the events need not have CloudTrail's fields: OCSF has none of them."""
    transformed = metric_filter(BENCHMARK[check], "ocsf", applyOnTransformedLogs=True)
    found = run(audit, check, world(transformed))
    assert found.startswith(NOTHING)
    assert found.endswith("; applied on transformed events, not on CloudTrail's: ocsf")
    original = metric_filter(BENCHMARK[check], applyOnTransformedLogs=False)
    assert run(audit, check, world(transformed, original)).startswith("PASS")


def log_alarm(*groups: str, **more: Any) -> dict[str, Any]:
    """A log alarm as DescribeAlarms gives it."""
    query = {
        "QueryString": "filter userIdentity.type = 'Root'",
        "AggregationExpression": "count(*)",
        "LogGroupIdentifiers": list(groups),
    }
    return {
        "AlarmName": "query", "ActionsEnabled": True, "AlarmActions": [TOPIC], "ComparisonOperator": GREATER, "Threshold": 1.0,
        "ScheduledQueryConfiguration": query, **more,
    }  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_log_alarms(audit: Audit, check: str) -> None:
    """An alarm on a query of the log group needs no metric filter; whether the query finds the events is for people."""

    def said(*alarms: dict[str, Any], **more: Any) -> str:
        return run(audit, check, world(cloudwatch_DescribeAlarms={"LogAlarms": list(alarms)}, **more))

    nothing = f"log group {GROUP} in {HERE}: none of its 0 metric filters covers any of "
    ending = f"; log alarm query queries log group {GROUP} in {HERE} and tells {TOPIC}: judge the query by hand"
    for group in (GROUP, group_arn(), group_arn().removesuffix(":*")):
        found = said(log_alarm("other", group))
        assert found.startswith(f"INFO: {nothing}") and found.endswith(ending)
    # the query itself may say which log groups
    assert f"log alarm query may query log group {GROUP}" in said(log_alarm())
    for useless in (
        log_alarm("other"),
        log_alarm(group_arn(account=OTHER_ACCOUNT)),
        log_alarm(GROUP, ActionsEnabled=False),
        log_alarm(GROUP, AlarmActions=[]),
        log_alarm(GROUP, AlarmActions=[f"arn:aws:automate:{HERE}:ec2:stop"]),
    ):
        assert said(useless).startswith(f"FAIL: {nothing}")
    assert said(log_alarm(GROUP), subscriptions=[PENDING]).startswith(f"FAIL: {nothing}")
    assert said(log_alarm(GROUP), sns_ListSubscriptionsByTopic=access_denied("sns", "x")).startswith("ERROR")
    both = {"MetricAlarms": [alarm()], "LogAlarms": [log_alarm(GROUP)]}
    assert run(audit, check, world(metric_filter(BENCHMARK[check]), cloudwatch_DescribeAlarms=both)).startswith("PASS")


@pytest.mark.parametrize("check", CHECKS)
def test_event_selectors_decide(audit: Audit, check: str) -> None:
    """HasCustomEventSelectors says false where nobody has computed it."""
    reads: Stub = {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}
    complete = metric_filter(BENCHMARK[check])
    found = run(audit, check, world(complete, cloudtrail_GetEventSelectors=reads))
    assert found == f"FAIL: no qualifying trail: main in {HERE} (multi-region): reads only"
    assert run(audit, check, world(complete, cloudtrail_GetEventSelectors={})).startswith("PASS")


def test_check34_two_filters(audit: Audit) -> None:
    names = EVENTS["check34"].split()
    first = metric_filter(f"{{ {any_of(' '.join(names[:8]))} }}", "first", ("First",))
    second = metric_filter(f"{{ {any_of(' '.join(names[8:]))} }}", "second", ("Second",))
    both = run(audit, "check34", world(first, second, alarms=[alarm("First"), alarm("Second")]))
    assert both.startswith("PASS")
    assert "filter first, metric CISBenchmark/First, alarm First-alarm" in both
    assert "; filter second, metric CISBenchmark/Second, alarm Second-alarm" in both
    one = run(audit, "check34", world(first, second, alarms=[alarm("First")]))
    assert one == f"{NOBODY} {', '.join(names[8:])}: filter second: no alarm on its metric CISBenchmark/Second"
    missing = run(audit, "check34", world(second, alarms=[alarm("Second")]))
    assert missing == f"{MISSING} {', '.join(names[:8])}"


@pytest.mark.parametrize("check", CHECKS)
def test_trails_that_leave_out_kms(audit: Audit, check: str) -> None:
    basic: Stub = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}  # fmt: skip
    fields = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]  # fmt: skip
    advanced: Stub = {"AdvancedEventSelectors": [{"Name": "all but KMS", "FieldSelectors": fields}]}
    for selectors in (basic, advanced):
        answers = world(
            metric_filter(BENCHMARK[check]),
            trails=[trail(HasCustomEventSelectors=True)],
            cloudtrail_GetEventSelectors=selectors,
        )
        found = run(audit, check, answers)
        if check == "check37":
            assert found.startswith("FAIL: no qualifying trail: ")
            assert found.endswith("leaves out the events of kms.amazonaws.com")
        else:
            assert found.startswith("PASS")


def test_check314_classic_link(audit: Audit) -> None:
    seven = world(metric_filter(BENCHMARK["check314"]))
    assert run(audit, "check314", seven).startswith("PASS")
    found = run(audit, "check314", seven, require_classiclink_events=True)
    assert found == f"{MISSING} {', '.join(CLASSIC_LINK.split())}"
    eleven = world(metric_filter(f"{{ {any_of(EVENTS['check314'] + ' ' + CLASSIC_LINK)} }}"))
    assert run(audit, "check314", eleven, require_classiclink_events=True).startswith("PASS")


def test_messages_stay_short(audit: Audit) -> None:
    filters = [metric_filter(f"some words {'x ' * 400}", f"filter-{n}") for n in range(50)]
    found = run(audit, "check35", world(*filters))
    assert "filter-2 (some words x x" in found
    assert found.endswith("…) and 47 more")
    assert len(found) < 800


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions(audit: Audit, partition: str) -> None:
    region = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}[partition]

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(one) for key, one in value.items()}
        if isinstance(value, list):
            return [moved(one) for one in value]
        return value.replace("arn:aws:", f"arn:{partition}:").replace(HERE, region) if isinstance(value, str) else value

    answers = {
        key: answer if callable(answer) else moved(answer)
        for key, answer in world(metric_filter(BENCHMARK["check35"])).items()
    }
    found = audit("check35", answers=answers, live=False, regions=[region], partition=partition)
    assert found[ACCOUNT].startswith(f"PASS: log group {GROUP} in {region}: filter watch, ")


def test_calls(audit: Audit) -> None:
    """Filters are looked up by log group, in its region; alarms once; what is filtered out of the audit is still read."""
    answers = world(metric_filter(BENCHMARK["check35"]))
    assert audit("check35", answers=answers, live=False, regions=["us-east-1"])[ACCOUNT].startswith("PASS")
    calls = [call for call in audit.backend.calls if call[1] != "cloudtrail"]
    assert calls == [
        (HERE, "logs", "DescribeMetricFilters", {"logGroupName": GROUP}),
        (HERE, "cloudwatch", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm", "LogAlarm"]}),
        (HERE, "sns", "ListSubscriptionsByTopic", {"TopicArn": TOPIC}),
    ]


@pytest.mark.usefixtures("moto")
@pytest.mark.parametrize("check", CHECKS)
def test_against_moto(audit: Audit, checks: dict[str, Any], check: str) -> None:
    """The remediation's own commands complete the chain, step by step."""
    assert audit(check, regions=[HERE]) == {ACCOUNT: "FAIL: there is no trail"}
    s3, cloudtrail, logs = (boto3.client(service, HERE) for service in ("s3", "cloudtrail", "logs"))
    sns, cloudwatch = boto3.client("sns", HERE), boto3.client("cloudwatch", HERE)
    s3.create_bucket(Bucket="trail-bucket", CreateBucketConfiguration={"LocationConstraint": HERE})
    logs.create_log_group(logGroupName=GROUP)
    group = logs.describe_log_groups()["logGroups"][0]["arn"]
    cloudtrail.create_trail(
        Name="main", S3BucketName="trail-bucket", IsMultiRegionTrail=True, CloudWatchLogsLogGroupArn=group,
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/trail",
    )  # fmt: skip
    assert "not logging" in audit(check, regions=[HERE])[ACCOUNT]
    cloudtrail.start_logging(Name="main")
    assert "none of its 0 metric filters" in audit(check, regions=[HERE])[ACCOUNT]
    pattern = checks[check].command.split("--filter-pattern '")[1].split("'")[0]
    transformation = {"metricName": "Watched", "metricNamespace": "CISBenchmark", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=GROUP, filterName="watch", filterPattern=pattern, metricTransformations=[transformation]
    )
    assert audit(check, regions=[HERE])[ACCOUNT].endswith("no alarm on its metric CISBenchmark/Watched")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    cloudwatch.put_metric_alarm(
        AlarmName="Watched-alarm", Namespace="CISBenchmark", MetricName="Watched", Statistic="Sum", Period=300,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator=GREATER, AlarmActions=[topic],
    )  # fmt: skip
    assert audit(check, regions=[HERE])[ACCOUNT].endswith(f"topic {topic} has no confirmed subscriber")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")
    assert audit(check, regions=[HERE])[ACCOUNT] == (
        f"PASS: log group {GROUP} in {HERE}: filter watch, metric CISBenchmark/Watched,"
        f" alarm Watched-alarm ({GREATER} 1), {topic}"
    )
