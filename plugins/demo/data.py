"""The sample organization's data: buckets, databases, queues, file systems, registries, clusters, secrets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from plugins.demo.account import (
    EVERYWHERE,
    FAKE_ACCESS_KEY,
    FAKE_PASSWORD,
    FAKE_SECRET_KEY,
    HOME_REGION,
    MANAGEMENT,
    PRODUCTION,
    SANDBOX,
    DemoAccount,
    policy,
    tags,
)

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
OBJECT_KEYS = [
    "=cmd|' /C calc'!A0.csv",
    'a "quoted" <script>alert(1)</script>.txt',
    "folder::name[1]/üñí\u202ecode.txt",
]
"""What AWS allows in a key and reports have to survive."""


@dataclass(frozen=True)
class Bucket:
    """A bucket to make. ``open_to_all``: which part of the bucket gives everyone access."""

    name: str
    accounts: Collection[str] = EVERYWHERE
    region: str = HOME_REGION
    blocked: bool = True
    encrypted: bool = True
    versioned: bool = False
    logged: bool = False
    tls_only: bool = False
    open_to_all: str = ""


BUCKETS = [
    Bucket("access-logs"),
    Bucket("trail-logs", accounts={MANAGEMENT}, versioned=True, logged=True, tls_only=True),
    Bucket("trail-logs", accounts={PRODUCTION}),
    Bucket("trail-logs", accounts={SANDBOX}, blocked=False, open_to_all="acl"),
    Bucket(
        "archive", accounts={MANAGEMENT, PRODUCTION}, region="us-east-1", versioned=True, logged=True, tls_only=True
    ),
    Bucket("website", accounts={PRODUCTION, SANDBOX}, region="us-east-1", blocked=False, open_to_all="policy"),
    Bucket("dropbox", accounts={SANDBOX}, region="ap-southeast-2", blocked=False, encrypted=False, open_to_all="write"),
]


def build(account: DemoAccount) -> None:
    """The account's buckets."""
    for bucket in BUCKETS:
        if account.name in bucket.accounts:
            _bucket(account, bucket)
    if account.name == MANAGEMENT:
        _block_public_access(account)


def _bucket(account: DemoAccount, bucket: Bucket) -> None:
    s3, name = account.client("s3", bucket.region), account.bucket(bucket.name)
    where = {} if bucket.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}}
    s3.create_bucket(Bucket=name, **where, **({"ObjectOwnership": "ObjectWriter"} if not bucket.blocked else {}))
    if bucket.blocked:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=BLOCKED)
    if bucket.encrypted:
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=ENCRYPTION)
    if bucket.versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.logged and bucket.region == HOME_REGION:
        target = {"TargetBucket": account.bucket("access-logs"), "TargetPrefix": f"{name}/"}
        s3.put_bucket_acl(Bucket=target["TargetBucket"], ACL="log-delivery-write")
        s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})
    everything = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    if bucket.tls_only:
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything, "Condition": plain}
        s3.put_bucket_policy(Bucket=name, Policy=policy(denied))
    if bucket.open_to_all == "acl":
        s3.put_bucket_acl(Bucket=name, ACL="public-read")
    elif bucket.open_to_all:
        action = "s3:GetObject" if bucket.open_to_all == "policy" else "s3:*"
        s3.put_bucket_policy(Bucket=name, Policy=policy({"Principal": "*", "Action": action, "Resource": everything}))
        for key in OBJECT_KEYS:
            s3.put_object(Bucket=name, Key=key, Body=b"demo")


def _block_public_access(account: DemoAccount) -> None:
    control = account.client("s3control")
    # S3 Control puts the account in front of the host, which an IP address does not have.
    control.meta.events.register(
        "request-created.s3-control",
        lambda request, **_: setattr(request, "url", request.url.replace(f"{account.id}.", "")),
    )
    control.put_public_access_block(AccountId=account.id, PublicAccessBlockConfiguration=BLOCKED)


def build_region(account: DemoAccount, region: str) -> None:
    """Everything but buckets, in one region."""
    bad = account.name == SANDBOX
    _databases(account, region)
    _queues_and_secrets(account, region)
    if region == HOME_REGION or bad:
        _containers(account, region)
    if region == HOME_REGION:
        _warehouse_and_search(account)
        account.client("efs").create_file_system(CreationToken="shared", Encrypted=not bad, Tags=tags(Name="=shared"))


def _warehouse_and_search(account: DemoAccount) -> None:
    good, bad = account.name == MANAGEMENT, account.name == SANDBOX
    redshift = account.client("redshift")
    redshift.create_cluster(
        ClusterIdentifier="warehouse", NodeType="ra3.large", MasterUsername="admin", ClusterType="single-node",
        MasterUserPassword="Passw0rd-of-the-demo", PubliclyAccessible=bad, Encrypted=not bad,
    )  # fmt: skip
    if good:
        redshift.enable_logging(ClusterIdentifier="warehouse", BucketName=account.bucket("access-logs"))
    search: dict[str, Any] = {"DomainName": "search", "EngineVersion": "OpenSearch_2.11"}
    if good:
        group = f"arn:aws:logs:{HOME_REGION}:{account.id}:log-group:search"
        logs = {
            kind: {"Enabled": True, "CloudWatchLogsLogGroupArn": group}
            for kind in ("SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS")
        }
        search |= {
            "EncryptionAtRestOptions": {"Enabled": True}, "NodeToNodeEncryptionOptions": {"Enabled": True},
            "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"},
            "CognitoOptions": {"Enabled": True, "UserPoolId": "eu-west-1_demo", "RoleArn": account.role_arn("search")},
            "LogPublishingOptions": logs,
        }  # fmt: skip
    if bad:
        search["AccessPolicies"] = policy({"Principal": {"AWS": "*"}, "Action": "es:*", "Resource": "*"})
    account.client("opensearch").create_domain(**search)


def _databases(account: DemoAccount, region: str) -> None:
    rds, bad = account.client("rds", region), account.name == SANDBOX
    exports = {} if bad else {"EnableCloudwatchLogsExports": ["postgresql"]}
    rds.create_db_instance(
        DBInstanceIdentifier="orders", Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
        MasterUsername="owner", MasterUserPassword="Passw0rd-of-the-demo", PubliclyAccessible=account.name != MANAGEMENT,
        StorageEncrypted=not bad, BackupRetentionPeriod=0 if bad else 7, MultiAZ=not bad, **exports,
    )  # fmt: skip
    rds.create_db_snapshot(DBSnapshotIdentifier="orders-before-migration", DBInstanceIdentifier="orders")
    if bad:
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="orders-before-migration", AttributeName="restore", ValuesToAdd=["all"]
        )
    account.client("dynamodb", region).create_table(
        TableName="sessions", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], SSESpecification={"Enabled": not bad and region == HOME_REGION},
    )  # fmt: skip


def _queues_and_secrets(account: DemoAccount, region: str) -> None:
    sqs, bad = account.client("sqs", region), account.name == SANDBOX
    sqs.create_queue(QueueName="jobs", Attributes={"SqsManagedSseEnabled": "false" if bad else "true"})
    if account.name != MANAGEMENT:
        arn = f"arn:aws:sqs:{region}:{account.id}:inbox"
        everyone = policy({"Principal": "*", "Action": "sqs:SendMessage", "Resource": arn})
        sqs.create_queue(QueueName="inbox", Attributes={"Policy": everyone, "KmsMasterKeyId": "alias/aws/sqs"})
    account.client("secretsmanager", region).create_secret(
        Name="database/orders", SecretString='{"user": "owner"}', Description="<script>'x'</script>"
    )
    account.client("ssm", region).put_parameter(
        Name="/app/db-password", Value=FAKE_PASSWORD, Type="String" if bad else "SecureString"
    )


def _containers(account: DemoAccount, region: str) -> None:
    good, bad = account.name == MANAGEMENT, account.name == SANDBOX
    ecr = account.client("ecr", region)
    ecr.create_repository(repositoryName="team/app", imageScanningConfiguration={"scanOnPush": not bad})
    if account.name != MANAGEMENT:
        everyone = policy({"Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]})
        ecr.set_repository_policy(repositoryName="team/app", policyText=everyone)
    variables = {"LOG_LEVEL": "info"}
    if bad:
        variables |= {"AWS_ACCESS_KEY_ID": FAKE_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": FAKE_SECRET_KEY}
    container = {
        "name": "app", "image": "team/app:latest", "memory": 128,
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
    }  # fmt: skip
    account.client("ecs", region).register_task_definition(family="app", containerDefinitions=[container])
    eks: dict[str, Any] = {"resourcesVpcConfig": {"endpointPublicAccess": not good, "endpointPrivateAccess": good}}
    if good:
        kinds = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
        key = account.client("kms", region).describe_key(KeyId="alias/main")["KeyMetadata"]["Arn"]
        eks["logging"] = {"clusterLogging": [{"types": kinds, "enabled": True}]}
        eks["encryptionConfig"] = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    elif account.name == PRODUCTION:
        eks["resourcesVpcConfig"]["publicAccessCidrs"] = ["203.0.113.0/24"]
    account.client("eks", region).create_cluster(name="main", roleArn=account.role_arn("cluster"), **eks)
