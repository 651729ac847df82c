"""The checks of tests_extras/test_rds.py."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.answers import Undocumented
from selftests.checks.test_ec2 import vpc_block
from selftests.conftest import ACCOUNT, Audit, access_denied

REGION = "eu-west-1"
GROUP = "sg-0123456789abcdef0"
SUBNET, VPC = "subnet-0a", "vpc-0a"


def instance(id: str = "db", **changes: Any) -> dict[str, Any]:
    """A DB instance as DescribeDBInstances gives it; None removes a field."""
    data = {
        "DBInstanceIdentifier": id,
        "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{id}",
        "DBInstanceStatus": "available",
        "Engine": "postgres",
        "Endpoint": {"Address": f"{id}.example.{REGION}.rds.amazonaws.com", "Port": 5432},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": GROUP, "Status": "active"}],
        "DBSubnetGroup": {"VpcId": VPC, "Subnets": [{"SubnetIdentifier": SUBNET}]},
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def run(audit: Audit, check: str, *instances: dict[str, Any], **more: Any) -> dict[str, str]:
    """The check's findings on these instances."""
    answers = {"rds:DescribeDBInstances": {"DBInstances": list(instances)}, **more.pop("answers", {})}
    return audit(check, regions=[REGION], live=False, answers=answers, **more)


def called(audit: Audit) -> list[str]:
    """The calls of the last audit, as service:Operation."""
    return [f"{service}:{operation}" for _, service, operation, _ in audit.backend.calls]


@pytest.mark.parametrize("check", ["extra735", "extra739", "extra747", "extra78"])
def test_without_instances(audit: Audit, check: str) -> None:
    assert run(audit, check) == {ACCOUNT: f"INFO: no db instance to check in {REGION}"}
    refused = {"rds:DescribeDBInstances": access_denied("rds", "DescribeDBInstances")}
    denied = run(audit, check, answers=refused)
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(
        f"ERROR: access denied in {REGION}: rds:DescribeDBInstances is needed"
    )


# -- extra723: public snapshots -------------------------------------------------------------------------------------


def snapshot(id: str, **changes: Any) -> dict[str, Any]:
    """A DB snapshot as DescribeDBSnapshots gives it."""
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{id}"
    return {"DBSnapshotIdentifier": id, "DBSnapshotArn": arn, "Engine": "mysql", "SnapshotType": "manual", **changes}


def cluster_snapshot(id: str, **changes: Any) -> dict[str, Any]:
    """A cluster snapshot as DescribeDBClusterSnapshots gives it."""
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster-snapshot:{id}"
    more = {"Engine": "docdb", "SnapshotType": "manual", **changes}
    return {"DBClusterSnapshotIdentifier": id, "DBClusterSnapshotArn": arn, **more}


def restorable_by(*accounts: str) -> dict[str, Any]:
    """DescribeDBSnapshotAttributes: one attribute that is not about sharing, and restore."""
    attributes = [
        {"AttributeName": "other", "AttributeValues": ["all"]},
        {"AttributeName": "restore", "AttributeValues": list(accounts)},
    ]
    return {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": attributes}}


def cluster_restorable_by(*accounts: str) -> dict[str, Any]:
    """DescribeDBClusterSnapshotAttributes with a restore attribute."""
    attributes = [{"AttributeName": "restore", "AttributeValues": list(accounts)}]
    return {"DBClusterSnapshotAttributesResult": {"DBClusterSnapshotAttributes": attributes}}


def snapshots(audit: Audit, **more: Any) -> dict[str, str]:
    """extra723 on the snapshots given as ``db``, ``backup`` and ``cluster`` and the further answers in ``more``."""
    listed = {None: {"DBSnapshots": more.pop("db", [])}, "awsbackup": {"DBSnapshots": more.pop("backup", [])}}
    answers = {
        "rds:DescribeDBSnapshots": lambda params: listed[params.get("SnapshotType")],
        "rds:DescribeDBClusterSnapshots": {"DBClusterSnapshots": more.pop("cluster", [])},
        **{f"rds:{operation}": answer for operation, answer in more.items()},
    }
    return audit("extra723", regions=[REGION], live=False, answers=answers)


@pytest.mark.parametrize(
    ("accounts", "verdict"),
    [
        ([], f"PASS: DB snapshot s (mysql) in {REGION} is not shared"),
        (["all"], f"FAIL: DB snapshot s (mysql) in {REGION} is public: every AWS account can restore it"),
        (["111122223333", "all"], f"FAIL: DB snapshot s (mysql) in {REGION} is public: every AWS account can restore it"),
        (["111122223333"], f"PASS: DB snapshot s (mysql) in {REGION} is shared with 1 account, not public"),
        (["111122223333", "999999999999"], f"PASS: DB snapshot s (mysql) in {REGION} is shared with 2 accounts, not public"),
    ],
)  # fmt: skip
def test_extra723(audit: Audit, accounts: list[str], verdict: str) -> None:
    assert snapshots(audit, db=[snapshot("s")], DescribeDBSnapshotAttributes=restorable_by(*accounts)) == {"s": verdict}


@pytest.mark.usefixtures("moto")
def test_extra723_in_the_emulator(audit: Audit) -> None:
    rds = boto3.client("rds", REGION)
    rds.create_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
                           MasterUsername="root", MasterUserPassword="not-a-secret")  # fmt: skip
    rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="private")
    rds.create_db_cluster(DBClusterIdentifier="cl", Engine="aurora-mysql", MasterUsername="root",
                          MasterUserPassword="not-a-secret")  # fmt: skip
    rds.create_db_cluster_snapshot(DBClusterIdentifier="cl", DBClusterSnapshotIdentifier="public")
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="public", AttributeName="restore", ValuesToAdd=["all"]
    )
    found = audit("extra723", regions=[REGION])
    assert found["private"].startswith("PASS: DB snapshot private (mysql)")
    assert found["public"].startswith("FAIL: DB cluster snapshot public (aurora-mysql)")
    automated = [text for id, text in found.items() if id.startswith("rds:db")]
    assert automated
    assert all("is automated, cannot be shared" in text for text in automated)


def test_extra723_automated_snapshots_are_not_asked_about(audit: Audit) -> None:
    found = snapshots(audit, db=[snapshot("rds:db-1", SnapshotType="automated")])
    assert found == {"rds:db-1": f"PASS: DB snapshot rds:db-1 (mysql) in {REGION} is automated, cannot be shared"}
    assert "rds:DescribeDBSnapshotAttributes" not in called(audit)


def test_extra723_aws_backup_snapshots_are_listed_by_type_and_counted_once(audit: Audit) -> None:
    both = snapshot("awsbackup:job-1", SnapshotType="awsbackup")
    found = snapshots(audit, db=[both], backup=[both], DescribeDBSnapshotAttributes=restorable_by("all"))
    assert list(found) == ["awsbackup:job-1"]
    assert found["awsbackup:job-1"].startswith("FAIL")
    alone = snapshots(audit, backup=[both], DescribeDBSnapshotAttributes=restorable_by())
    assert alone["awsbackup:job-1"].startswith("PASS")


def test_extra723_clusters_have_their_own_type(audit: Audit) -> None:
    from fixtures.services.rds import DbClusterSnapshot, DbSnapshot

    assert (DbSnapshot.resource_type, DbClusterSnapshot.resource_type) == (
        "AwsRdsDbSnapshot",
        "AwsRdsDbClusterSnapshot",
    )
    found = snapshots(
        audit, cluster=[cluster_snapshot("c")], DescribeDBClusterSnapshotAttributes=cluster_restorable_by("all")
    )
    assert found["c"].startswith(f"FAIL: DB cluster snapshot c (docdb) in {REGION} is public")


def test_extra723_errors(audit: Audit) -> None:
    denied = snapshots(
        audit,
        db=[snapshot("s")],
        DescribeDBSnapshotAttributes=access_denied("rds", "DescribeDBSnapshotAttributes"),
    )
    assert denied["s"].startswith(f"ERROR: access denied in {REGION}: rds:DescribeDBSnapshotAttributes is needed")
    for code in ("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"):
        gone = ApiError("rds", "", code, "not found")
        found = snapshots(
            audit, db=[snapshot("s")], cluster=[cluster_snapshot("c")],
            DescribeDBSnapshotAttributes=gone, DescribeDBClusterSnapshotAttributes=gone,
        )  # fmt: skip
        assert found["s"] == f"INFO: DB snapshot s (mysql) in {REGION} was deleted during the audit"
        assert found["c"] == f"INFO: DB cluster snapshot c (docdb) in {REGION} was deleted during the audit"


def test_extra723_the_two_lists_fail_independently(audit: Audit) -> None:
    refused = access_denied("rds", "DescribeDBSnapshots")
    answers: dict[str, Any] = {
        "cluster": [cluster_snapshot("c")],
        "DescribeDBClusterSnapshotAttributes": cluster_restorable_by(),
    }
    found = snapshots(audit, DescribeDBSnapshots=refused, **answers)
    assert list(found) == ["c", f"{ACCOUNT} {REGION}"]
    assert found["c"].startswith("PASS")
    assert "rds:DescribeDBSnapshots is needed" in found[f"{ACCOUNT} {REGION}"]
    found = snapshots(
        audit, db=[snapshot("s")], DescribeDBSnapshotAttributes=restorable_by(),
        DescribeDBClusterSnapshots=access_denied("rds", "DescribeDBClusterSnapshots"),
    )  # fmt: skip
    assert found["s"].startswith("PASS")
    assert "rds:DescribeDBClusterSnapshots is needed" in found[f"{ACCOUNT} {REGION}"]


def test_extra723_without_snapshots(audit: Audit) -> None:
    assert snapshots(audit) == {ACCOUNT: f"INFO: no db snapshot to check in {REGION}"}


@pytest.mark.usefixtures("moto")
def test_extra723_reads_all_pages(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.core.responses import ActionResult
    from moto.rds.responses import RDSResponse

    listed = [snapshot(f"s{number}", SnapshotType="automated") for number in range(250)]

    def page(self: Any) -> ActionResult:
        start = int(self.params.get("Marker") or 0)
        more = {"Marker": str(start + 100)} if start + 100 < len(listed) else {}
        kept = [] if self.params.get("SnapshotType") else listed
        return ActionResult({"DBSnapshots": kept[start : start + 100], **(more if kept else {})})

    monkeypatch.setattr(RDSResponse, "describe_db_snapshots", page)
    found = audit("extra723", regions=[REGION])
    assert len(found) == 250
    assert found["s249"].startswith("PASS")


# -- extra735: encrypted storage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"StorageEncrypted": True, "KmsKeyId": "arn:aws:kms:k"}, f"PASS: db (postgres) in {REGION} encrypts its storage with arn:aws:kms:k"),
        ({"StorageEncrypted": False}, f"FAIL: db (postgres) in {REGION} has unencrypted storage"),
        ({}, f"FAIL: db (postgres) in {REGION} has unencrypted storage"),
        ({"StorageEncryptionType": "sse-rds", "StorageEncrypted": False}, f"PASS: db (postgres) in {REGION} encrypts its storage with a key that AWS owns (sse-rds)"),
        ({"StorageEncryptionType": "sse-rds"}, f"PASS: db (postgres) in {REGION} encrypts its storage with a key that AWS owns (sse-rds)"),
        ({"StorageEncryptionType": "sse-kms", "StorageEncrypted": True, "KmsKeyId": "arn:aws:kms:k"}, f"PASS: db (postgres) in {REGION} encrypts its storage with arn:aws:kms:k"),
        ({"StorageEncryptionType": "none", "StorageEncrypted": False}, f"FAIL: db (postgres) in {REGION} has unencrypted storage"),
        ({"StorageEncryptionType": Undocumented("sse-x"), "StorageEncrypted": True}, f"ERROR: rds:DescribeDBInstances failed in {REGION}: UnexpectedAnswer: the storage encryption type 'sse-x' is not known"),
        ({"StorageEncrypted": False, "DBClusterIdentifier": "cl", "Engine": "aurora-mysql"}, f"FAIL: db (aurora-mysql) in {REGION} has unencrypted storage"),
    ],
)  # fmt: skip
def test_extra735(audit: Audit, changes: dict[str, Any], verdict: str) -> None:
    assert run(audit, "extra735", instance(**changes)) == {"db": verdict}


# -- extra739: automated backups ------------------------------------------------------------------------------------

REPLICA = {"ReadReplicaSourceDBInstanceIdentifier": "main", "BackupRetentionPeriod": 0}
FROM_FAR = {**REPLICA, "ReadReplicaSourceDBInstanceIdentifier": f"arn:aws:rds:us-east-1:{ACCOUNT}:db:main"}
FROM_CLUSTER = {"ReadReplicaSourceDBClusterIdentifier": "cl", "BackupRetentionPeriod": 0}


@pytest.mark.parametrize(
    ("changes", "settings", "verdict"),
    [
        ({"BackupRetentionPeriod": 0}, {}, "FAIL: {} keeps automated backups for 0 days, required: 1 (backups of AWS Backup plans"),
        ({}, {}, "FAIL: {} keeps automated backups for 0 days"),
        ({"BackupRetentionPeriod": 0}, {"min_backup_retention_days": 0}, "FAIL: {} keeps automated backups for 0 days"),
        ({"BackupRetentionPeriod": 1}, {}, "PASS: {} keeps automated backups for 1 days, required: 1"),
        ({"BackupRetentionPeriod": 7}, {}, "PASS: {} keeps automated backups for 7 days"),
        ({"BackupRetentionPeriod": 3}, {"min_backup_retention_days": 7}, "FAIL: {} keeps automated backups for 3 days, required: 7"),
        (REPLICA, {}, "INFO: {} is a read replica of main"),
        (REPLICA, {"check_replicas": True}, "FAIL: {} keeps automated backups for 0 days"),
        (FROM_FAR, {}, f"INFO: {{}} is a read replica of arn:aws:rds:us-east-1:{ACCOUNT}:db:main"),
        (FROM_CLUSTER, {}, "INFO: {} is a read replica of cl"),
        ({"DBClusterIdentifier": "cl", "BackupRetentionPeriod": 5}, {}, "PASS: {} keeps automated backups for 5 days"),
        ({"DBClusterIdentifier": "cl", "BackupRetentionPeriod": 0}, {}, "FAIL: {} keeps automated backups for 0 days"),
    ],
)  # fmt: skip
def test_extra739(audit: Audit, changes: dict[str, Any], settings: dict[str, Any], verdict: str) -> None:
    found = run(audit, "extra739", instance(**changes), **settings)
    assert found["db"].startswith(verdict.format(f"db (postgres) in {REGION}"))


# -- extra747: log exports ------------------------------------------------------------------------------------------

MEMBER = {"DBClusterIdentifier": "cl", "Engine": "aurora-mysql"}
CLUSTER = {
    "rds:DescribeDBClusters": {"DBClusters": [{"DBClusterIdentifier": "cl", "EnabledCloudwatchLogsExports": ["audit"]}]}
}
BARE_CLUSTER = {"rds:DescribeDBClusters": {"DBClusters": [{"DBClusterIdentifier": "cl"}]}}
GONE_CLUSTER: dict[str, Any] = {"rds:DescribeDBClusters": {"DBClusters": []}}
MYSQL = {"required_log_types": {"mysql": ["audit", "error"]}}
AURORA = {"required_log_types": {"aurora-mysql": ["audit", "error"]}}


@pytest.mark.parametrize(
    ("changes", "answers", "settings", "verdict"),
    [
        ({"EnabledCloudwatchLogsExports": ["postgresql"]}, {}, {}, f"PASS: db (postgres) in {REGION} exports postgresql"),
        ({"EnabledCloudwatchLogsExports": []}, {}, {}, f"FAIL: db (postgres) in {REGION} exports no logs"),
        ({}, {}, {}, f"FAIL: db (postgres) in {REGION} exports no logs"),
        (MEMBER, CLUSTER, {}, f"PASS: db (aurora-mysql) in {REGION} exports audit via cluster"),
        (MEMBER, BARE_CLUSTER, {}, f"FAIL: db (aurora-mysql) in {REGION} exports no logs"),
        (MEMBER, GONE_CLUSTER, {}, f"FAIL: db (aurora-mysql) in {REGION} exports no logs"),
        ({"Engine": "mysql", "EnabledCloudwatchLogsExports": ["error"]}, {}, MYSQL, f"FAIL: db (mysql) in {REGION} exports error; missing: audit"),
        ({"Engine": "mysql", "EnabledCloudwatchLogsExports": ["error", "audit"]}, {}, MYSQL, f"PASS: db (mysql) in {REGION} exports audit, error"),
        ({**MEMBER, "EnabledCloudwatchLogsExports": ["error"]}, CLUSTER, AURORA, f"PASS: db (aurora-mysql) in {REGION} exports error, audit via cluster"),
        ({"Engine": "custom-oracle-ee"}, {}, {}, f"INFO: db (custom-oracle-ee) in {REGION}: RDS Custom engines cannot export"),
    ],
)  # fmt: skip
def test_extra747(
    audit: Audit, changes: dict[str, Any], answers: dict[str, Any], settings: dict[str, Any], verdict: str
) -> None:
    assert run(audit, "extra747", instance(**changes), answers=answers, **settings)["db"].startswith(verdict)


def test_extra747_asks_for_clusters_once_and_only_where_it_matters(audit: Audit) -> None:
    own = instance("own", **MEMBER, EnabledCloudwatchLogsExports=["error"])
    run(audit, "extra747", own)
    assert "rds:DescribeDBClusters" not in called(audit)
    run(audit, "extra747", instance("a", **MEMBER), instance("b", **MEMBER), answers=CLUSTER)
    assert called(audit).count("rds:DescribeDBClusters") == 1

    refused = {"rds:DescribeDBClusters": access_denied("rds", "DescribeDBClusters")}
    alone = instance("alone", EnabledCloudwatchLogsExports=[])
    found = run(audit, "extra747", own, alone, instance("member", **MEMBER), answers=refused)
    assert found["own"].startswith("PASS")
    assert found["alone"].startswith("FAIL")
    assert found["member"].startswith(f"ERROR: access denied in {REGION}: rds:DescribeDBClusters is needed")


# -- extra78: public instances --------------------------------------------------------------------------------------


def rule(cidr: str = "0.0.0.0/0", port: int = 5432) -> dict[str, Any]:
    """An inbound TCP rule."""
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}


def network(*rules: dict[str, Any], route: dict[str, Any] | None = None, main: bool = False) -> dict[str, Any]:
    """Answers: the instance's security group with these rules, and a route table, the subnet's own or the main one."""
    internet = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
    association = {"Main": True} if main else {"Main": False, "SubnetId": SUBNET}
    table = {"VpcId": VPC, "Routes": [route or internet], "Associations": [association]}
    return {
        "ec2:DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": GROUP, "IpPermissions": list(rules)}]},
        "ec2:DescribeRouteTables": {"RouteTables": [table]},
        **vpc_block("off"),
    }


def block(mode: str, *excluded: str) -> dict[str, Any]:
    """VPC Block Public Access in this mode, but for the excluded subnet or VPC."""
    kinds = {VPC: "vpc", SUBNET: "subnet"}
    arns = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kinds[id]}/{id}" for id in excluded]
    exclusions = [(arn, "allow-bidirectional", "create-complete") for arn in arns]
    return vpc_block(mode, *exclusions, SubnetId=SUBNET, VpcId=VPC)


PUBLIC: dict[str, Any] = {"PubliclyAccessible": True}
STRICT = {"fail_only_when_exposed": True}
INACTIVE = {**PUBLIC, "VpcSecurityGroups": [{"VpcSecurityGroupId": GROUP, "Status": "removing"}]}


@pytest.mark.parametrize(
    ("changes", "answers", "settings", "verdict"),
    [
        (PUBLIC, network(rule()), {}, f"FAIL: open to the internet through {GROUP}"),
        ({**PUBLIC, "DBInstanceStatus": "stopped", "Endpoint": None}, network(rule()), {}, "FAIL: stopped, no endpoint, is publicly"),
        ({**PUBLIC, "DBInstanceStatus": "deleting"}, network(rule()), {}, "INFO: is being deleted"),
        ({"PubliclyAccessible": False}, {}, {}, "PASS: available, is not publicly accessible"),
        ({}, {}, {}, "PASS: is not publicly accessible"),
        (PUBLIC, network(rule("10.0.0.0/8")), {}, "FAIL: not open to the internet"),
        (PUBLIC, network(rule("10.0.0.0/8")), STRICT, "PASS: not open to the internet"),
        (PUBLIC, network(rule("::/0")), STRICT, f"FAIL: open to the internet through {GROUP}"),
        (PUBLIC, network(rule(), main=True), STRICT, f"FAIL: open to the internet through {GROUP}"),
        ({**PUBLIC, "DBSubnetGroup": {"VpcId": VPC, "Subnets": [{"SubnetIdentifier": "subnet-inside"}, {"SubnetIdentifier": SUBNET}]}}, network(rule()), STRICT, f"FAIL: open to the internet through {GROUP}"),
        (PUBLIC, network(rule("0.0.0.0/1"), rule("128.0.0.0/1")), STRICT, "FAIL: open to the internet"),
        (PUBLIC, network(rule(), route={"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1"}), STRICT, "FAIL: open"),
        (PUBLIC, network(rule(), route={"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}), STRICT, "PASS: cannot reach"),
        (PUBLIC, network(rule(), route={"DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "igw-1"}), STRICT, "PASS: cannot reach"),
        (PUBLIC, network(rule(port=3306)), STRICT, "PASS: not open to the internet"),
        (INACTIVE, network(rule()), STRICT, "PASS: not open to the internet"),
        ({**PUBLIC, "Endpoint": None}, network(rule()), STRICT, "FAIL: its port is not known yet"),
        (PUBLIC, network(rule(), route={"DestinationCidrBlock": "0.0.0.0/1", "GatewayId": "igw-1"}), STRICT, "PASS: cannot reach"),
        (PUBLIC, network(rule(), route={"DestinationIpv6CidrBlock": "2000::/3", "GatewayId": "igw-1"}), STRICT, "FAIL: open"),
        (PUBLIC, network(rule(), route={"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "blackhole"}), STRICT, "PASS: cannot reach"),
        (PUBLIC, {**network(rule()), **block("block-ingress")}, {}, f"FAIL: open to the internet through {GROUP}; VPC Block Public Access (block-ingress) refuses what the internet sends)"),
        (PUBLIC, {**network(rule()), **block("block-ingress")}, STRICT, "PASS: but the internet cannot reach it"),
        (PUBLIC, {**network(rule()), **block("block-ingress", SUBNET)}, STRICT, f"FAIL: (open to the internet through {GROUP})"),
        (PUBLIC, {**network(rule()), **block("block-ingress", VPC)}, STRICT, f"FAIL: (open to the internet through {GROUP})"),
    ],
)  # fmt: skip
def test_extra78(
    audit: Audit, changes: dict[str, Any], answers: dict[str, Any], settings: dict[str, Any], verdict: str
) -> None:
    status, _, telling = verdict.partition(": ")
    found = run(audit, "extra78", instance(**changes), answers=answers, **settings)["db"]
    assert found.startswith(f"{status}: db (postgres) in {REGION}")
    assert telling in found


def test_extra78_a_subnet_with_its_own_routes_does_not_use_the_main_table(audit: Audit) -> None:
    answers = network(rule(), main=True)
    private = {"VpcId": VPC, "Routes": [], "Associations": [{"Main": False, "SubnetId": SUBNET}]}
    answers["ec2:DescribeRouteTables"]["RouteTables"].append(private)
    assert run(audit, "extra78", instance(**PUBLIC), answers=answers, **STRICT)["db"].startswith("PASS")


def test_extra78_names_the_endpoint(audit: Audit) -> None:
    found = run(audit, "extra78", instance(**PUBLIC), answers=network(rule()))["db"]
    assert f"db.example.{REGION}.rds.amazonaws.com:5432" in found


@pytest.mark.parametrize("settings", [{}, STRICT])
@pytest.mark.parametrize(
    ("cluster", "verdict"),
    [
        ({"InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": False}, "FAIL: db (postgres) in {}, available, db.example.{}.rds.amazonaws.com:5432, answers on the internet by the internet access gateway of its cluster cl: only IAM"),
        ({"InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": True}, "FAIL: db (postgres) in {}, available, db.example.{}.rds.amazonaws.com:5432, answers on"),
        ({"InternetAccessGatewayEnabled": False, "VPCNetworkingEnabled": True}, "PASS: db (postgres) in {}, available, is not publicly accessible"),
        ({}, "PASS: db (postgres) in {}, available, is not publicly accessible"),
    ],
)  # fmt: skip
def test_extra78_internet_access_gateway(
    audit: Audit, cluster: dict[str, Any], settings: dict[str, Any], verdict: str
) -> None:
    """Source: Amazon RDS API reference, DBCluster."""
    clusters = {"rds:DescribeDBClusters": {"DBClusters": [{"DBClusterIdentifier": "cl", **cluster}]}}
    member = instance(PubliclyAccessible=False, DBClusterIdentifier="cl")
    assert run(audit, "extra78", member, answers=clusters, **settings)["db"].startswith(verdict.format(REGION, REGION))
    refused = {"rds:DescribeDBClusters": access_denied("rds", "DescribeDBClusters")}
    denied = run(audit, "extra78", member, instance("own", PubliclyAccessible=False), answers=refused, **settings)
    assert denied["db"].startswith(f"ERROR: access denied in {REGION}: rds:DescribeDBClusters is needed")
    assert denied["own"].startswith("PASS")


@pytest.mark.parametrize("settings", [{}, STRICT])
def test_extra78_when_the_block_cannot_be_read(audit: Audit, settings: dict[str, Any]) -> None:
    call = "DescribeVpcBlockPublicAccessOptions"
    found = run(
        audit,
        "extra78",
        instance(**PUBLIC),
        answers=network(rule()) | {f"ec2:{call}": access_denied("ec2", call)},
        **settings,
    )["db"]
    assert found.startswith(f"ERROR: access denied in {REGION}: ec2:{call}" if settings else "FAIL: db (postgres)")


@pytest.mark.parametrize("operation", ["DescribeSecurityGroups", "DescribeRouteTables"])
def test_extra78_when_the_network_cannot_be_read(audit: Audit, operation: str) -> None:
    answers = network(rule()) | {f"ec2:{operation}": access_denied("ec2", operation)}
    found = run(audit, "extra78", instance(**PUBLIC), answers=answers)["db"]
    assert found.startswith("FAIL")
    assert ("(open to the internet" in found) == (operation == "DescribeRouteTables")
    strict = run(audit, "extra78", instance(**PUBLIC), answers=answers, **STRICT)["db"]
    assert strict.startswith(f"ERROR: access denied in {REGION}: ec2:{operation} is needed")


def test_extra78_asks_for_the_network_only_when_it_matters(audit: Audit) -> None:
    run(audit, "extra78", instance(), instance("other", PubliclyAccessible=False))
    assert called(audit) == ["rds:DescribeDBInstances"]


@pytest.mark.usefixtures("moto")
def test_extra78_in_the_emulator(audit: Audit) -> None:
    rds = boto3.client("rds", REGION)
    for id, more in (
        ("open", {"PubliclyAccessible": True}),
        ("closed", {"PubliclyAccessible": False}),
        ("never-set", {}),
    ):
        rds.create_db_instance(DBInstanceIdentifier=id, DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
                               MasterUsername="root", MasterUserPassword="not-a-secret", **more)  # fmt: skip
    found = audit("extra78", regions=[REGION], answers=vpc_block("off"))
    statuses = {id: text.partition(":")[0] for id, text in found.items()}
    assert statuses == {"open": "FAIL", "closed": "PASS", "never-set": "PASS"}
