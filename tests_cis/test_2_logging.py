"""CIS AWS Foundations 1.2.0, section 2: logging."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from fixtures.model import Account
from fixtures.services.cloudtrail.trails import Trail, trail_inventory
from fixtures.services.config import ConfigurationRecorder, recorders_of_global_types
from fixtures.services.ec2.vpcs import Vpc
from fixtures.services.kms import KmsKey
from fixtures.services.s3.buckets import TrailBucket
from plugins.catalog import check

TRAILS = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide"


@check(
    "check21",
    severity="high",
    level=1,
    service="cloudtrail",
    remediation="Turn one trail into a multi-region trail with management events for reads and writes and start logging.",
    command="aws cloudtrail update-trail --name TRAIL --is-multi-region-trail --include-global-service-events"
    " && aws cloudtrail start-logging --name TRAIL",
    url=f"{TRAILS}/cloudtrail-concepts.html",
)
def test_a_multi_region_trail_records_all_management_events(account: Account) -> str:
    """A multi-region CloudTrail trail records all management events."""
    trail, lacking = trail_inventory(account).qualifying()
    assert trail or lacking, "no trail"
    assert trail, f"no trail qualifies: {'; '.join(lacking)}"
    return f"{trail.label} records all management events ({trail.arn}){trail.assumption}"


@check(
    "check22",
    severity="medium",
    level=2,
    remediation="Enable log file validation so that digest files prove integrity.",
    command="aws cloudtrail update-trail --name TRAIL --enable-log-file-validation",
    url=f"{TRAILS}/cloudtrail-log-file-validation-intro.html",
)
def test_trail_validates_its_log_files(trail: Trail) -> str:
    """CloudTrail log file validation is switched on."""
    assert trail.data.get("LogFileValidationEnabled"), f"{trail.label}: log file validation is off"
    return f"{trail.label}: log file validation is on"


@check(
    "check23",
    severity="critical",
    level=1,
    service="cloudtrail",
    remediation="Turn on all four block-public-access settings for the bucket and remove public grants.",
    command="aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration"
    " BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)
def test_trail_bucket_is_not_public(trail_bucket: TrailBucket) -> str:
    """S3 buckets that receive CloudTrail logs are not public."""
    _require_own(trail_bucket)
    assert not trail_bucket.public_access, f"{trail_bucket.label}: {'; '.join(trail_bucket.public_access)}"
    blocked = trail_bucket.blocked_public_access
    return f"{trail_bucket.label} is not public" + (f"; blocked: {', '.join(blocked)}" if blocked else "")


def _require_own(bucket: TrailBucket) -> None:
    assert bucket.exists, bucket.missing
    if not bucket.is_own:
        pytest.skip(f"{bucket.label} belongs to another account, check it there")


@check(
    "check24",
    severity="low",
    level=1,
    remediation="Attach a log group and a delivery role to the trail.",
    command="aws cloudtrail update-trail --name TRAIL --cloud-watch-logs-log-group-arn LOG_GROUP_ARN"
    " --cloud-watch-logs-role-arn ROLE_ARN",
    url=f"{TRAILS}/send-cloudtrail-events-to-cloudwatch-logs.html",
)
def test_trail_delivers_to_cloudwatch_logs(trail: Trail, *, max_cloudwatch_delivery_age_hours: int = 24) -> str:
    """CloudTrail trails deliver to CloudWatch Logs."""
    assert trail.log_group_arn, f"{trail.label}: no log group is configured"
    where = f"{trail.label} to {trail.log_group_arn}"
    if trail.was_deleted:
        pytest.skip(f"{where}: it was deleted during the audit")
    if trail.status is None:
        pytest.skip(f"{where}: its status cannot be seen from this account")
    problem = trail.status.get("LatestCloudWatchLogsDeliveryError")
    note = ("" if trail.status.get("IsLogging") else ", not logging") + (f", last error {problem}" if problem else "")
    delivered = trail.status.get("LatestCloudWatchLogsDeliveryTime")
    assert delivered, f"{where}: nothing was ever delivered{note}"
    age = trail.api.now - delivered
    hours = age.total_seconds() / 3600
    assert age <= timedelta(hours=max_cloudwatch_delivery_age_hours), (
        f"{where}: the last delivery at {delivered:%Y-%m-%d %H:%M} UTC is {hours:.0f} h old{note}"
    )
    return f"{where}: last delivery at {delivered:%Y-%m-%d %H:%M} UTC, {hours:.1f} h ago"


@check(
    "check25",
    severity="medium",
    level=1,
    remediation="Set up a recorder for all resource types with a delivery channel and start it in every region.",
    command="aws configservice start-configuration-recorder --configuration-recorder-name default",
    url="https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html",
)
def test_config_records_all_resources(
    config_recorder: ConfigurationRecorder, *, require_all_supported: bool = True
) -> str:
    """AWS Config records all resources in the region."""
    recorder = config_recorder
    assert recorder.data, f"no configuration recorder in {recorder.region}"
    assert recorder.status.get("recording"), f"{recorder.label}: it is stopped"
    assert str(recorder.status.get("lastStatus", "")).upper() != "FAILURE", f"{recorder.label}: deliveries fail"
    assert recorder.records_everything or not require_all_supported, f"{recorder.label}: not everything is recorded"
    if require_all_supported and recorder.region == recorder.api.account.global_region:
        assert recorder.records_global_types or recorders_of_global_types(recorder.api.account), (
            f"{recorder.label}: no running recorder of the audited regions records the global resource types, so that IAM"
            " users, groups, roles and policies are recorded nowhere (said in this region alone)"
        )
    return recorder.label


@check(
    "check26",
    severity="medium",
    level=1,
    remediation="Send server access logs of the trail bucket to a separate log bucket.",
    command="aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status"
    """ '{"LoggingEnabled":{"TargetBucket":"LOG_BUCKET","TargetPrefix":"cloudtrail-bucket/"}}'""",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
)
def test_trail_bucket_has_access_logging(trail_bucket: TrailBucket) -> str:
    """S3 buckets that receive CloudTrail logs have access logging."""
    _require_own(trail_bucket)
    assert trail_bucket.access_log, f"{trail_bucket.label}: access logging is not enabled"
    to_itself = (trail_bucket.logging or {}).get("TargetBucket") == trail_bucket.id
    return f"{trail_bucket.label} {trail_bucket.access_log}{', which is the bucket itself' if to_itself else ''}"


@check(
    "check27",
    severity="medium",
    level=2,
    remediation="Give the trail a customer managed key whose policy lets CloudTrail encrypt.",
    command="aws cloudtrail update-trail --name TRAIL --kms-key-id KEY_ARN",
    url=f"{TRAILS}/encrypting-cloudtrail-log-files-with-aws-kms.html",
)
def test_trail_is_encrypted_with_kms(trail: Trail) -> str:
    """CloudTrail logs are encrypted with a KMS key."""
    assert trail.data.get("KmsKeyId"), f"{trail.label}: no KMS key (SSE-S3 only)"
    return f"{trail.label}: {trail.data['KmsKeyId']}"


@check(
    "check28",
    severity="medium",
    level=2,
    remediation="Enable yearly automatic rotation on the key (on the primary for multi-region keys).",
    command="aws kms enable-key-rotation --key-id KEY_ID --rotation-period-in-days 365",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)
def test_kms_key_rotates(kms_key: KmsKey, *, max_rotation_period_days: int | None = None) -> str:
    """Customer managed symmetric KMS keys rotate automatically."""
    if not kms_key.can_rotate or kms_key.rotation is None:
        pytest.skip(f"{kms_key.label} cannot rotate automatically")
    problem = kms_key.rotation_problem(max_rotation_period_days)
    assert not problem, problem
    return f"{kms_key.label}: rotation is on, every {kms_key.rotation_days} days"


@check(
    "check29",
    severity="medium",
    level=2,
    remediation="Create a VPC-level flow log for ALL (or at least REJECT) traffic to S3 or CloudWatch Logs.",
    command="aws ec2 create-flow-logs --resource-type VPC --resource-ids VPC_ID --traffic-type ALL"
    " --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
)
def test_vpc_has_flow_logs(vpc: Vpc, *, accepted_traffic_types: Sequence[str] = ("ALL", "REJECT")) -> str:
    """VPC flow logs capture at least rejected traffic in every VPC."""
    where = f"{vpc.label} in {vpc.region}"
    if vpc.owner != vpc.api.account.id:
        pytest.skip(f"{where} is shared by account {vpc.owner}, which alone can create flow logs")
    shown = [
        f"{log['FlowLogId']} ({log.get('TrafficType')} to {log.get('LogDestination') or log.get('LogGroupName')},"
        f" {log.get('FlowLogStatus')}, delivery {log.get('DeliverLogsStatus', 'unknown')})"
        for log in vpc.flow_logs
    ]
    good = [
        text
        for text, log in zip(shown, vpc.flow_logs, strict=True)
        if log.get("FlowLogStatus") == "ACTIVE"
        and log.get("DeliverLogsStatus") != "FAILED"
        and log.get("TrafficType") in accepted_traffic_types
    ]
    assert good, f"{where}: " + (
        f"no flow log that works and captures rejects: {'; '.join(shown)}" if shown else "no flow log"
    )
    return f"{where}: {'; '.join(good)}"
