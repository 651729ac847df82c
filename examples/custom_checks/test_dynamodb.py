"""An example of checks of one's own about a kind of resource that the suite does not know: DynamoDB tables.

Try it: pytest examples/custom_checks
"""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.model import Discovered, RegionApi, Resource, cached_property
from plugins.catalog import check


class Table(Resource, name="dynamodb_table", service="dynamodb", resource_type="AwsDynamoDbTable"):
    """A DynamoDB table. Source: DynamoDB API reference, ListTables, DescribeTable and DescribeContinuousBackups."""

    @classmethod
    def discover(cls, api: RegionApi) -> Discovered:
        for name in api.call("dynamodb", "ListTables")["TableNames"]:
            yield cls(api, id=name)

    @cached_property
    def arn(self) -> str:
        return self.api.arn("dynamodb", f"table/{self.id}")

    @cached_property
    def data(self) -> dict[str, Any]:
        """What DescribeTable says. Raises ApiError, which makes the check that asks ERROR."""
        return dict(self.api.call("dynamodb", "DescribeTable", TableName=self.id)["Table"])

    @cached_property
    def has_point_in_time_recovery(self) -> bool:
        """Whether the table can be restored to any second of the last days. Raises ApiError."""
        answer = self.api.call("dynamodb", "DescribeContinuousBackups", TableName=self.id)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")


@check(
    "own-dynamodb-1",
    severity="medium",
    remediation="Turn on point-in-time recovery.",
    url="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
)
def test_table_can_be_restored(dynamodb_table: Table) -> None:
    """DynamoDB tables can be restored to a point in time."""
    assert dynamodb_table.has_point_in_time_recovery, "point-in-time recovery is off"


@check("own-dynamodb-2", severity="low", remediation="Turn on deletion protection.")
def test_table_cannot_be_deleted_by_accident(dynamodb_table: Table, *, small_table_items: int = 0) -> str:
    """DynamoDB tables with data are protected from deletion."""
    items = dynamodb_table.data["ItemCount"]
    if items <= small_table_items:
        pytest.skip(f"the table has {items} items")
    assert dynamodb_table.data.get("DeletionProtectionEnabled"), f"{items} items are not protected from deletion"
    return f"{items} items are protected"
