"""Amazon RDS: databases and their snapshots."""

from collections.abc import Mapping, Sequence

import pytest

from fixtures.services.rds import DbInstance, DbSnapshot
from plugins.catalog import check
from plugins.catalog.checks import DATA_EXPOSURE, NETWORK_REACHABILITY


@check(
    "extra723",
    severity="critical",
    finding_type=DATA_EXPOSURE,
    remediation="Withdraw the restore permission for all accounts and share with named accounts instead; encrypt"
    " snapshots with a customer managed key, which rules out public sharing.",
    command="aws rds modify-db-snapshot-attribute --db-snapshot-identifier ID --attribute-name restore"
    " --values-to-remove all",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html",
)
def test_db_snapshot_is_not_public(db_snapshot: DbSnapshot) -> str:
    """RDS instance and cluster snapshots are not restorable by every AWS account."""
    if db_snapshot.is_automated:
        return f"{db_snapshot.label} is automated, cannot be shared"
    accounts = db_snapshot.restorable_by
    if accounts is None:
        pytest.skip(f"{db_snapshot.label} was deleted during the audit")
    assert "all" not in accounts, f"{db_snapshot.label} is public: every AWS account can restore it"
    if not accounts:
        return f"{db_snapshot.label} is not shared"
    return f"{db_snapshot.label} is shared with {len(accounts)} account{'s' * (len(accounts) > 1)}, not public"


@check(
    "extra735",
    severity="medium",
    remediation="Encryption cannot be switched on in place: copy a snapshot with a KMS key, restore it and swap the"
    " instances.",
    command="aws rds copy-db-snapshot --source-db-snapshot-identifier SNAPSHOT"
    " --target-db-snapshot-identifier SNAPSHOT-enc --kms-key-id KEY_ARN",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",
)
def test_db_instance_storage_is_encrypted(db_instance: DbInstance) -> str:
    """RDS instances have encrypted storage."""
    assert db_instance.storage_encryption, f"{db_instance.label} has unencrypted storage"
    return f"{db_instance.label} encrypts its storage with {db_instance.storage_encryption}"


@check(
    "extra739",
    severity="medium",
    remediation="Set a backup retention period and a backup window, and test restores.",
    command="aws rds modify-db-instance --db-instance-identifier ID --backup-retention-period 7 --apply-immediately",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html",
)
def test_db_instance_has_automated_backups(
    db_instance: DbInstance, *, min_backup_retention_days: int = 1, check_replicas: bool = False
) -> str:
    """RDS instances have automated backups."""
    if db_instance.replica_source and not check_replicas:
        pytest.skip(
            f"{db_instance.label} is a read replica of {db_instance.replica_source}, which is what gets backed up"
        )
    days = db_instance.data.get("BackupRetentionPeriod") or 0
    found = f"{db_instance.label} keeps automated backups for {days} days, required: {min_backup_retention_days}"
    assert days > 0 and days >= min_backup_retention_days, f"{found} (backups of AWS Backup plans are not visible here)"
    return found


@check(
    "extra747",
    severity="medium",
    remediation="Turn on log exports for the instance, or for its cluster when it is an Aurora member, and enable the"
    " engine parameters that produce the logs.",
    command="aws rds modify-db-instance --db-instance-identifier ID"
    """ --cloudwatch-logs-export-configuration '{"EnableLogTypes":["postgresql"]}'""",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
)
def test_db_instance_exports_logs(
    db_instance: DbInstance, *, required_log_types: Mapping[str, Sequence[str]] = {}
) -> str:
    """RDS instances export database logs to CloudWatch Logs."""
    engine = db_instance.data["Engine"]
    if engine.startswith("custom-"):
        pytest.skip(f"{db_instance.label}: RDS Custom engines cannot export logs")
    own, required = db_instance.log_exports, set(required_log_types.get(engine, ()))
    # The cluster is asked only when the instance's own list does not settle it.
    via_cluster = db_instance.cluster_log_exports - own if not own or required - own else set()
    missing = required - own - via_cluster
    exported = [*sorted(own), *(f"{log_type} via cluster" for log_type in sorted(via_cluster))]
    found = f"{db_instance.label} exports {', '.join(exported) or 'no logs'}"
    assert exported and not missing, f"{found}{'; missing: ' + ', '.join(sorted(missing)) if missing else ''}"
    return found


@check(
    "extra78",
    severity="critical",
    finding_type=NETWORK_REACHABILITY,
    remediation="Switch off public accessibility and reach the database from inside the VPC.",
    command="aws rds modify-db-instance --db-instance-identifier ID --no-publicly-accessible --apply-immediately",
    url="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
)
def test_db_instance_is_not_public(db_instance: DbInstance, *, fail_only_when_exposed: bool = False) -> str:
    """RDS instances are not publicly accessible."""
    status = db_instance.data["DBInstanceStatus"]
    if status == "deleting":
        pytest.skip(f"{db_instance.label} is being deleted")
    assert not db_instance.has_internet_access_gateway, (
        f"{db_instance.label}, {status}, {db_instance.address}, answers on the internet by the internet access gateway of"
        f" its cluster {db_instance.data['DBClusterIdentifier']}: only IAM authentication stands before it"
    )
    if not db_instance.data.get("PubliclyAccessible"):
        return f"{db_instance.label}, {status}, is not publicly accessible"
    exposed = db_instance.is_exposed if fail_only_when_exposed else True
    note = f" ({db_instance.exposure})" if db_instance.exposure else ""
    found = f"{db_instance.label}, {status}, {db_instance.address}, is publicly accessible{note}"
    assert not exposed, found
    return f"{found}, but the internet cannot reach it"
