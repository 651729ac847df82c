"""The checks of tests_cis/test_2_logging.py that are about the buckets of trails."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.s3.buckets import Bucket
from selftests.checks.test_cis_2_logging import trail, trails
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend, access_denied

GROUP = "http://acs.amazonaws.com/groups/global/"
PUBLIC_READ = {"Grants": [{"Grantee": {"Type": "Group", "URI": GROUP + "AllUsers"}, "Permission": "READ"}]}
FOR_ACCOUNTS = {
    "Grants": [{"Grantee": {"Type": "Group", "URI": GROUP + "AuthenticatedUsers"}, "Permission": "WRITE_ACP"}]
}
LOG_DELIVERY = {
    "Grants": [
        {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "WRITE"}
    ]
}
NO_BLOCK = ApiError("s3", "o", "NoSuchPublicAccessBlockConfiguration", "none")
NO_POLICY = ApiError("s3", "o", "NoSuchBucketPolicy", "none")
PRIVATE: dict[str, Stub] = {
    "s3:ListBuckets": {"Buckets": [{"Name": "logs"}, {"Name": "logs-eu"}]},
    "s3:GetBucketLocation": {"LocationConstraint": None},
    "s3:GetBucketAcl": {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "FULL_CONTROL"}]},
    "s3:GetBucketPolicyStatus": NO_POLICY,
    "s3:GetPublicAccessBlock": NO_BLOCK,
    "s3control:GetPublicAccessBlock": NO_BLOCK,
    "s3:GetBucketLogging": {},
    "logs:DescribeDeliverySources": {"deliverySources": []},
}
VENDED: dict[str, Stub] = {
    "logs:DescribeDeliverySources": {
        "deliverySources": [
            {"name": "requests", "resourceArns": ["arn:aws:s3:::logs"], "logType": "S3_SERVER_ACCESS_LOGS"}
        ]
    },
    "logs:DescribeDeliveries": {"deliveries": [{"deliverySourceName": "requests"}]},
}
PUBLIC_POLICY: dict[str, Stub] = {"s3:GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": True}}}


def blocked(flag: str) -> Stub:
    return {"PublicAccessBlockConfiguration": {flag: True}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "PASS: logs (trails: main) is not public"),
        ({"s3:GetBucketAcl": PUBLIC_READ}, "FAIL: logs (trails: main): its ACL grants READ to everyone"),
        ({"s3:GetBucketAcl": FOR_ACCOUNTS}, "FAIL: logs (trails: main): its ACL grants WRITE_ACP to every AWS account"),
        ({"s3:GetBucketAcl": PUBLIC_READ, "s3control:GetPublicAccessBlock": blocked("IgnorePublicAcls")}, "PASS: logs (trails: main) is not public; blocked: ACL grant of READ to everyone"),
        ({"s3:GetBucketAcl": PUBLIC_READ, "s3:GetPublicAccessBlock": blocked("BlockPublicAcls")}, "FAIL: logs (trails: main): its ACL grants READ to everyone"),
        ({"s3:GetBucketAcl": PUBLIC_READ, **PUBLIC_POLICY}, "FAIL: logs (trails: main): its ACL grants READ to everyone; its policy allows public access"),
        ({"s3:GetBucketAcl": LOG_DELIVERY}, "PASS: logs (trails: main) is not public"),
        (PUBLIC_POLICY, "FAIL: logs (trails: main): its policy allows public access"),
        ({**PUBLIC_POLICY, "s3:GetPublicAccessBlock": blocked("RestrictPublicBuckets")}, "PASS: logs (trails: main) is not public; blocked: public policy"),
        ({"s3:GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": False}}}, "PASS: logs (trails: main) is not public"),
        ({"s3:GetBucketAcl": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketAcl is needed"),
        ({"s3:GetBucketLocation": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketLocation is needed"),
        ({"s3control:GetPublicAccessBlock": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetAccountPublicAccessBlock is needed"),
        ({"s3:ListBuckets": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:ListAllMyBuckets is needed"),
    ],
)  # fmt: skip
def test_check23(audit: Audit, more: dict[str, Stub], expected: str) -> None:
    found = audit("check23", answers={**trails(trail()), **PRIVATE, **more}, live=False)
    assert list(found) == ["logs"]
    assert found["logs"] == expected or (expected.startswith("ERROR") and found["logs"].startswith(expected)), found


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "t", "TargetPrefix": "p/"}}}, "PASS: logs (trails: main) logs to t/p/"),
        ({"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "logs"}}}, "PASS: logs (trails: main) logs to logs/, which is the bucket itself"),
        ({}, "FAIL: logs (trails: main): access logging is not enabled"),
        ({"s3:GetBucketLogging": {"LoggingEnabled": {}}}, "FAIL: logs (trails: main): access logging is not enabled"),
        ({"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": ""}}}, "FAIL: logs (trails: main): access logging is not enabled"),
        ({"s3:GetBucketLogging": access_denied("s3", "o")}, "ERROR: access denied in us-east-1: s3:GetBucketLogging is needed"),
        (VENDED, "PASS: logs (trails: main) logs through the delivery source requests"),
        ({**VENDED, "logs:DescribeDeliveries": {}}, "FAIL: logs (trails: main): access logging is not enabled"),
        ({**VENDED, "logs:DescribeDeliveries": access_denied("logs", "DescribeDeliveries")}, "ERROR: access denied in us-east-1: logs:DescribeDeliveries is needed"),
        ({"logs:DescribeDeliverySources": access_denied("logs", "DescribeDeliverySources")}, "ERROR: access denied in us-east-1: logs:DescribeDeliverySources is needed"),
    ],
)  # fmt: skip
def test_check26(audit: Audit, more: dict[str, Stub], expected: str) -> None:
    assert audit("check26", answers={**trails(trail()), **PRIVATE, **more}, live=False)["logs"].startswith(expected)


@pytest.mark.parametrize("check", ["check23", "check26"])
def test_check23_and_check26_of_other_buckets(audit: Audit, check: str) -> None:
    assert audit(check, answers=trails(), live=False) == {ACCOUNT: "INFO: no trail bucket to check in the account"}
    two = {**trails(trail("prod"), trail("prod-eu", S3BucketName="logs-eu"), trail("third")), **PRIVATE}
    two["s3:GetBucketLogging"] = lambda p: {"LoggingEnabled": {"TargetBucket": "t"}} if p["Bucket"] == "logs" else {}
    two["s3:GetBucketAcl"] = lambda p: PUBLIC_READ if p["Bucket"] == "logs-eu" else {"Grants": []}
    found = audit(check, answers=two, live=False)
    assert {name: text.split(":")[0] for name, text in found.items()} == {"logs": "PASS", "logs-eu": "FAIL"}
    assert "(trails: prod, third)" in found["logs"]
    everywhere = audit(check, answers={"cloudtrail:DescribeTrails": access_denied("c", "o")}, live=False)
    assert list(everywhere) == [f"{ACCOUNT} us-east-1", f"{ACCOUNT} eu-west-1"]
    assert all("cloudtrail:DescribeTrails is needed" in text for text in everywhere.values())


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        (f"logs-{ACCOUNT}-us-east-1-an", "fails (nobody else may claim a name that ends in the account's id)"),
        (f"logs-{ACCOUNT}-us-gov-west-1-an", "fails (nobody else may claim a name that ends in the account's id)"),
        ("logs-999999999999-us-east-1-an", "fails and anybody may claim the name"),
        (f"logs-{ACCOUNT}-us-east-1", "fails and anybody may claim the name"),
        (f"logs-{ACCOUNT}-an", "fails and anybody may claim the name"),
    ],
)
def test_check23_of_a_missing_bucket_says_who_may_claim_its_name(audit: Audit, name: str, claim: str) -> None:
    answers = {**trails(trail(S3BucketName=name)), **PRIVATE, "s3:HeadBucket": ApiError("s3", "o", "404", "x")}
    found = audit("check23", answers=answers, live=False)
    assert found == {name: f"FAIL: {name} (trails: main) does not exist: log delivery {claim}"}


@pytest.mark.parametrize("check", ["check23", "check26"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("403", "INFO: archive (trails: main) belongs to another account, check it there"),
        ("301", "INFO: archive (trails: main) belongs to another account, check it there"),
        ("400", "ERROR: s3:HeadBucket failed in us-east-1: 400: x"),
        ("404", "FAIL: archive (trails: main) does not exist: log delivery fails and anybody may claim the name"),
        ("SlowDown", "ERROR: s3:HeadBucket was throttled in us-east-1 until the retries ran out (SlowDown)"),
        ("EndpointConnectionError", "ERROR: s3:HeadBucket failed in us-east-1: EndpointConnectionError: x"),
        ("503", "ERROR: s3:HeadBucket failed in us-east-1: 503: x"),
    ],
)
def test_check23_and_check26_ask_whose_bucket_it_is(audit: Audit, check: str, code: str, expected: str) -> None:
    answers = {**trails(trail(S3BucketName="archive")), **PRIVATE, "s3:HeadBucket": ApiError("s3", "o", code, "x")}
    assert audit(check, answers=answers, live=False) == {"archive": expected}
    answers["s3:HeadBucket"] = {}
    assert audit(check, answers=answers, live=False)["archive"].startswith("INFO: archive (trails: main) belongs to")


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ({"s3:GetBucketLocation": {"LocationConstraint": None}}, "us-east-1"),
        ({"s3:GetBucketLocation": {"LocationConstraint": "EU"}}, "eu-west-1"),
        ({"s3:GetBucketLocation": {"LocationConstraint": "ap-south-1"}}, "ap-south-1"),
        ({"s3:ListBuckets": {"Buckets": [{"Name": "logs", "BucketRegion": "ap-south-1"}]}}, "ap-south-1"),
    ],
)
@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ("check23", {}, {"s3:GetBucketAcl": PUBLIC_READ}),
        ("check26", {"s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "t"}}}, {}),
    ],
)
def test_check23_and_check26_outside_the_region_filter(
    audit: Audit, check: str, good: dict[str, Stub], bad: dict[str, Stub], place: dict[str, Stub], region: str
) -> None:
    """An own bucket is judged wherever it is, through its own region."""
    world = {**trails(trail()), **PRIVATE, **place}
    for more, status in ((good, "PASS"), (bad, "FAIL")):
        found = audit(check, answers={**world, **more}, live=False, regions=["us-east-1"])
        assert found["logs"].startswith(f"{status}: logs (trails: main)")
        listing = {"ListBuckets", "GetBucketLocation"}
        calls = [call for call in audit.backend.calls if call[1] == "s3"]
        assert {where for where, _, operation, _ in calls if operation not in listing} == {region}
        located = any(operation == "GetBucketLocation" for _, _, operation, _ in calls)
        assert located == ("s3:GetBucketLocation" in place)
        assert calls[0][2:] == ("ListBuckets", {"MaxBuckets": 1000})


@pytest.mark.parametrize(
    ("check", "operation"),
    [("check23", "GetBucketAcl"), ("check23", "GetBucketLocation"), ("check26", "GetBucketLogging"), ("check26", "GetBucketLocation")],
)  # fmt: skip
def test_check23_and_check26_of_a_bucket_deleted_meanwhile(audit: Audit, check: str, operation: str) -> None:
    gone = {**trails(trail()), **PRIVATE, f"s3:{operation}": ApiError("s3", "o", "NoSuchBucket", "x")}
    assert audit(check, answers=gone, live=False) == {
        "logs": "FAIL: logs (trails: main) does not exist: log delivery fails and anybody may claim the name"
    }


def buckets(answers: dict[str, Stub]) -> dict[str, Bucket]:
    """The account's buckets by name."""
    account = Account(ACCOUNT, backend=StubBackend({**PRIVATE, **answers}, None), crew=Crew(2), now=utcnow())
    return {one.id: one for one in Bucket.discover(account.api) if isinstance(one, Bucket)}


def test_buckets() -> None:
    """What every check of buckets relies on."""

    def location(params: dict[str, Any]) -> dict[str, Any]:
        if params["Bucket"] == "logs-eu":
            raise access_denied("s3", "GetBucketLocation")
        return {"LocationConstraint": "eu-west-1"}

    own = buckets({"s3:GetBucketLocation": location, "s3:GetPublicAccessBlock": blocked("BlockPublicAcls"), "s3control:GetPublicAccessBlock": blocked("IgnorePublicAcls")})  # fmt: skip
    assert [(one.id, one.arn, one.region) for one in own.values()] == [
        ("logs", "arn:aws:s3:::logs", "eu-west-1"),
        ("logs-eu", "arn:aws:s3:::logs-eu", "us-east-1"),
    ]
    flags = own["logs"].public_access_block
    assert [flag for flag, on in flags.items() if on] == ["BlockPublicAcls", "IgnorePublicAcls"]
    with pytest.raises(ApiError, match="GetBucketLocation"):
        _ = own["logs-eu"].logging
    assert own["logs"].logging is None
    with pytest.raises(ApiError, match="no LocationConstraint"):
        _ = buckets({"s3:GetBucketLocation": {}})["logs"].logging
    gone = buckets({"s3:GetBucketLogging": ApiError("s3", "o", "NoSuchBucket", "x")})["logs"]
    with pytest.raises(pytest.skip.Exception, match="logs was deleted during the audit"):
        _ = gone.logging


@pytest.mark.usefixtures("moto")
def test_check23_against_moto(audit: Audit) -> None:
    s3 = boto3.client("s3", "us-east-1")
    s3.create_bucket(Bucket="trail-logs")
    boto3.client("cloudtrail", "us-east-1").create_trail(Name="main", S3BucketName="trail-logs")
    assert audit("check23")["trail-logs"].startswith("PASS")
    s3.put_bucket_acl(Bucket="trail-logs", ACL="public-read")
    assert audit("check23")["trail-logs"] == "FAIL: trail-logs (trails: main): its ACL grants READ to everyone"
