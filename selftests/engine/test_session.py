"""Entering accounts: role credentials that refresh, partitions, regions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.backend import AwsBackend
from fixtures.session import Entry, SessionError, base_session, global_region_of, partition_of, role_session

ROLE = "arn:aws:iam::111111111111:role/Audit"


@pytest.mark.usefixtures("moto")
def test_role_credentials_refresh_by_themselves() -> None:
    session = role_session(AwsBackend(base_session("")), Entry(role=ROLE, external_id="secret"), ROLE)
    backend = AwsBackend(session)
    assert backend.call("us-east-1", "sts", "GetCallerIdentity", {})["Account"] == "111111111111"
    credentials = session.get_credentials()
    first = credentials.get_frozen_credentials().access_key
    assert credentials.get_frozen_credentials().access_key == first
    credentials._expiry_time = datetime.now(UTC) + timedelta(seconds=5)
    assert credentials.get_frozen_credentials().access_key != first
    assert backend.call("us-east-1", "sts", "GetCallerIdentity", {})["Account"] == "111111111111"


@pytest.mark.parametrize(
    ("region", "partition", "home"),
    [
        ("eu-west-1", "aws", "us-east-1"),
        ("cn-north-1", "aws-cn", "cn-northwest-1"),
        ("us-gov-east-1", "aws-us-gov", "us-gov-west-1"),
    ],
)
def test_partitions_and_their_home(region: str, partition: str, home: str) -> None:
    assert partition_of(region) == partition
    assert global_region_of(partition) == home


def test_a_name_that_is_no_region() -> None:
    with pytest.raises(SessionError, match="'moon-1' is not the name"):
        partition_of("moon-1")
