"""Amazon S3: buckets."""

from collections.abc import Sequence

from fixtures.rules.condition_keys import MIN_PREFIX_IPV4, MIN_PREFIX_IPV6
from fixtures.services.cloudtrail.data_events import Kind
from fixtures.services.s3.buckets import Bucket
from plugins.catalog import check
from plugins.catalog.checks import NETWORK_REACHABILITY


@check(
    "extra718",
    severity="medium",
    remediation="Send server access logs to a dedicated log bucket in the same region whose policy admits"
    " logging.s3.amazonaws.com. Data events of a trail may serve as an accepted alternative.",
    command="aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status"
    """ '{"LoggingEnabled":{"TargetBucket":"LOG_BUCKET","TargetPrefix":"BUCKET/"}}'""",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html",
)
def test_bucket_has_access_logging(bucket: Bucket) -> str:
    """S3 buckets write server access logs."""
    assert bucket.access_log, f"{bucket.label}: server access logging is off"
    return f"{bucket.label} {bucket.access_log}"


@check(
    "extra725",
    severity="medium",
    remediation="Add an S3 data event selector for all buckets to a logging multi-region trail.",
    command="aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors"
    """ '[{"Name":"Management","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]},"""
    """{"Name":"S3 objects","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},"""
    """{"Field":"resources.type","Equals":["AWS::S3::Object"]}]}]'""",
    url="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html",
)
def test_bucket_data_events_are_recorded(bucket: Bucket, *, required_events: Sequence[Kind] = ("Write",)) -> str:
    """S3 object-level write events of every bucket are recorded by an active trail."""
    found = {kind: bucket.recording(kind) for kind in required_events}
    missing = [
        f"{kind} events of its objects are not recorded: {'; '.join(one.lacking) or f'no trail covers {bucket.region}'}"
        for kind, one in found.items()
        if one.trail is None
    ]
    assert not missing, f"{bucket.label}: {'; '.join(missing)}"
    by = [f"{kind} events of its objects are recorded by {one.trail.arn}" for kind, one in found.items() if one.trail]
    return f"{bucket.label}: {'; '.join(by)}"


@check(
    "extra73",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Turn on all four Block Public Access settings for the account, with exceptions per bucket only where"
    " publication is intended (then serve through CloudFront).",
    command="aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration"
    " BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)
def test_bucket_is_not_public(bucket: Bucket) -> str:
    """S3 buckets are not open to everyone or to any AWS account.

    Access points, multi-region access points and the ACLs of objects are not looked at.
    """
    assert not bucket.open_paths, f"{bucket.label} is open to the public through: {', '.join(bucket.open_paths)}"
    return f"{bucket.label} is not public: {bucket.closed_paths}"


@check(
    "extra734",
    severity="medium",
    remediation="Set default encryption on the bucket, with a customer managed KMS key where key control matters.",
    command="aws s3api put-bucket-encryption --bucket BUCKET --server-side-encryption-configuration"
    """ '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"KEY_ARN"},"""
    """"BucketKeyEnabled":true}]}'""",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html",
)
def test_bucket_encrypts_objects(
    bucket: Bucket, *, accepted_algorithms: Sequence[str] = ("AES256", "aws:kms", "aws:kms:dsse")
) -> str:
    """S3 buckets encrypt objects by default or refuse unencrypted uploads."""
    accepted = [default for default in bucket.default_encryption if default.algorithm in accepted_algorithms]
    if accepted:
        return f"{bucket.label} encrypts by default with {accepted[0]}"
    found = ", ".join(str(default) for default in bucket.default_encryption) or "none"
    enforcing = bucket.encryption_denies(accepted_algorithms)
    assert enforcing, (
        f"{bucket.label}: default encryption is {found}, and no policy statement refuses uploads without one of"
        f" {', '.join(accepted_algorithms)}"
    )
    verb = "refuse" if len(enforcing) > 1 else "refuses"
    return f"{bucket.label}: default encryption is {found}, but {' and '.join(enforcing)} of its policy {verb} other uploads"


@check(
    "extra763",
    severity="medium",
    remediation="Enable versioning and add a lifecycle rule that expires old versions.",
    command="aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
)
def test_bucket_keeps_versions(bucket: Bucket) -> str:
    """S3 buckets keep object versions."""
    assert bucket.versioning, f"{bucket.label}: versioning was never enabled"
    assert bucket.versioning == "Enabled", f"{bucket.label}: versioning is {bucket.versioning.lower()}"
    return f"{bucket.label}: versioning is enabled"


@check(
    "extra764",
    severity="medium",
    finding_type=NETWORK_REACHABILITY,
    remediation="Add a statement that denies all S3 actions on the bucket and its objects when aws:SecureTransport is"
    " false.",
    command="aws s3api put-bucket-policy --bucket BUCKET --policy file://deny-insecure-transport.json",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
)
def test_bucket_policy_requires_tls(bucket: Bucket) -> str:
    """S3 bucket policies refuse requests that are not sent over TLS."""
    found = bucket.tls_deny
    assert not found.missing, (
        f"{bucket.label} does not refuse all requests without TLS: {'; '.join(found.missing)}"
        " (a resource control policy of the organization may refuse them all the same; it is not looked at)"
    )
    return f"{bucket.label} refuses requests without TLS: {', '.join(found.by)}"


@check(
    "extra771",
    severity="critical",
    remediation="Remove the public write statement or limit it to named principals or your organization, and enable"
    " RestrictPublicBuckets.",
    command="aws s3api put-bucket-policy --bucket BUCKET --policy file://restricted-policy.json",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
)
def test_bucket_policy_does_not_let_the_public_write(
    bucket: Bucket, *, min_prefix_length_ipv4: int = MIN_PREFIX_IPV4, min_prefix_length_ipv6: int = MIN_PREFIX_IPV6
) -> str:
    """S3 bucket policies do not let the public write or change the bucket."""
    if bucket.policy is None:
        return f"{bucket.label} has no policy"
    found = bucket.public_writes(
        min_prefix_length_ipv4=min_prefix_length_ipv4, min_prefix_length_ipv6=min_prefix_length_ipv6
    )
    if not found:
        return f"{bucket.label}: no statement of its policy lets the public write"
    assert bucket.restricted_by, f"{bucket.label} lets the public write: {'; '.join(found)}"
    return f"{bucket.label}: RestrictPublicBuckets on {bucket.restricted_by} neutralises {'; '.join(found)}"
