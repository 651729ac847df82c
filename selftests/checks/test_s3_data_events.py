"""The check of tests_extras/test_s3.py that asks whether trails record what happens to objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.api.errors import ApiError
from fixtures.model import Account
from fixtures.services.s3.buckets import Bucket
from selftests.checks.test_cis_2_logging import OTHER, REGIONS, trail, trails
from selftests.conftest import ACCOUNT, Audit, Stub, StubBackend, access_denied

REGION = "eu-west-1"
MAIN = trail(HasCustomEventSelectors=True)
ARN = MAIN["TrailARN"]
LABEL = "main in us-east-1 (multi-region)"
FOREIGN = trail("org", owner=OTHER, HasCustomEventSelectors=True)
NOT_FOUND = ApiError("cloudtrail", "o", "TrailNotFoundException", "x")


def buckets(*names: str, region: str = REGION) -> dict[str, Stub]:
    """The account's buckets, all in one region."""
    return {"s3:ListBuckets": {"Buckets": [{"Name": name, "BucketRegion": region} for name in names]}}


def objects(*values: str, kind: str = "All", type: str = "AWS::S3::Object") -> dict[str, Any]:
    """A basic selector of data events."""
    return {
        "ReadWriteType": kind, "IncludeManagementEvents": True, "DataResources": [{"Type": type, "Values": list(values)}],
    }  # fmt: skip


def basic(*selectors: dict[str, Any]) -> Stub:
    return {"EventSelectors": list(selectors)}


def data_events(*fields: dict[str, Any], type: str = "AWS::S3::Object") -> list[dict[str, Any]]:
    """The fields of an advanced selector of data events, narrowed by further ones."""
    return [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [type]}, *fields]


def advanced(*selectors: list[dict[str, Any]]) -> Stub:
    return {"EventSelectors": [], "AdvancedEventSelectors": [{"FieldSelectors": fields} for fields in selectors]}


def objects_of(**operators: str) -> list[dict[str, Any]]:
    """An advanced selector of data events, narrowed by the ARN."""
    return data_events({"Field": "resources.ARN", **{operator: [value] for operator, value in operators.items()}})


READS = {"Field": "readOnly", "Equals": ["true"]}
WRITES = {"Field": "readOnly", "Equals": ["false"]}
ALL_BUCKETS = basic(objects("arn:aws:s3"))


def passed(bucket: str = "logs", kind: str = "Write", by: str = ARN) -> str:
    return f"PASS: bucket {bucket} in {REGION}: {kind} events of its objects are recorded by {by}"


def failed(reason: str, bucket: str = "logs", kind: str = "Write") -> str:
    return f"FAIL: bucket {bucket} in {REGION}: {kind} events of its objects are not recorded: {reason}"


NONE = failed(f"{LABEL} records no write events of its objects")
PART = failed(f"{LABEL} records only a part of the write events of its objects")


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (ALL_BUCKETS, passed()),
        (basic(objects("arn:aws:s3:::")), passed()),
        (basic(objects("arn:aws:s3", kind="WriteOnly")), passed()),
        (basic(objects("arn:aws:s3:::other/"), objects("arn:aws:s3:::logs/")), passed()),
        (basic(objects("arn:aws:s3:::*/*")), NONE),
        (basic(objects("arn:aws:s3:::logs")), NONE),
        (basic(objects("arn:aws:s3", kind="ReadOnly")), NONE),
        (basic(objects("arn:aws:s3", type="AWS::Lambda::Function")), NONE),
        (basic(objects("arn:aws:s3:::logs/2024/")), PART),
        (basic(objects("arn:aws-cn:s3:::")), NONE),
        (basic({"ReadWriteType": "All", "IncludeManagementEvents": True}), NONE),
        (advanced(data_events()), passed()),
        (advanced(data_events(WRITES)), passed()),
        (advanced(data_events(READS)), NONE),
        (advanced(data_events(READS), data_events(WRITES)), passed()),
        (advanced(data_events(type="AWS::Lambda::Function")), NONE),
        (advanced([{"Field": "eventCategory", "Equals": ["Management"]}]), NONE),
        (advanced(data_events()[:1]), NONE),
        (advanced(data_events({"Field": "eventName", "Equals": ["PutObject"]})), PART),
        (advanced(data_events({"Field": "eventName", "NotEquals": ["HeadObject"]})), passed()),
        (advanced(data_events({"Field": "eventName", "NotEquals": ["DeleteObject"]})), PART),
        (advanced(data_events({"Field": "eventName", "Equals": ["GetObject"]})), NONE),
        (advanced(objects_of(NotEquals="arn:aws:s3:::logs/")), passed()),
        (advanced(objects_of(Equals="arn:aws:s3:::logs/")), NONE),
        (advanced(data_events({"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts::1:assumed-role/x"]})), PART),
        (advanced(objects_of(StartsWith="arn:aws:s3:::lo")), passed()),
        (advanced(objects_of(StartsWith="arn:aws:s3:::logs/")), passed()),
        (advanced(objects_of(StartsWith="arn:aws:s3:::logs/2024/")), PART),
        (advanced(objects_of(StartsWith="arn:aws:s3:::logs-old")), NONE),
        (advanced(objects_of(EndsWith=".csv")), PART),
        (advanced(objects_of(NotStartsWith="arn:aws:s3:::logs/")), NONE),
        (advanced(objects_of(NotStartsWith="arn:aws:s3:::logs/tmp/")), PART),
        (advanced(objects_of(NotEquals="arn:aws:s3:::logs/key")), PART),
        (advanced(objects_of(NotEquals="arn:aws:s3:::other/key")), passed()),
        (advanced(objects_of(NotEndsWith=".tmp")), PART),
    ],
)  # fmt: skip
def test_extra725(audit: Audit, selectors: Stub, expected: str) -> None:
    answers = {**buckets("logs"), **trails(MAIN, selectors=selectors)}
    assert audit("extra725", answers=answers, live=False) == {"logs": expected}


@pytest.mark.parametrize(
    ("selectors", "covered", "uncovered"),
    [
        (ALL_BUCKETS, ["logs", "logs-old", "my.bucket"], []),
        (basic(objects("arn:aws:s3:::logs/")), ["logs"], ["logs-old"]),
        (basic(objects("arn:aws:s3:::my.bucket/")), ["my.bucket"], ["my-bucket"]),
        (advanced(objects_of(NotStartsWith="arn:aws:s3:::logs/")), ["logs-old", "data"], ["logs"]),
        (advanced(objects_of(StartsWith="arn:aws:s3:::prod-")), ["prod-a"], ["dev-a"]),
    ],
)
def test_extra725_of_several_buckets(
    audit: Audit, selectors: Stub, covered: Sequence[str], uncovered: Sequence[str]
) -> None:
    answers = {**buckets(*covered, *uncovered), **trails(MAIN, selectors=selectors)}
    found = audit("extra725", answers=answers, live=False)
    assert found == {
        **{bucket: passed(bucket) for bucket in covered},
        **{bucket: NONE.replace("bucket logs ", f"bucket {bucket} ") for bucket in uncovered},
    }
    calls = [(region, operation) for region, service, operation, _ in audit.backend.calls if service == "cloudtrail"]
    assert sorted(calls) == [
        (REGION, "DescribeTrails"), ("us-east-1", "GetEventSelectors"), ("us-east-1", "GetTrailStatus"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("required", "selectors", "expected"),
    [
        (["Read", "Write"], advanced(data_events(READS), data_events(WRITES)), f"{passed(kind='Read')}; Write events of its objects are recorded by {ARN}"),
        (["Read", "Write"], ALL_BUCKETS, f"{passed(kind='Read')}; Write events of its objects are recorded by {ARN}"),
        (["Read", "Write"], advanced(data_events(READS)), NONE),
        (["Read", "Write"], basic(objects("arn:aws:s3", kind="WriteOnly")), failed(f"{LABEL} records no read events of its objects", kind="Read")),
        (["Read"], basic(objects("arn:aws:s3", kind="ReadOnly")), passed(kind="Read")),
        (["Read"], advanced(data_events(WRITES)), failed(f"{LABEL} records no read events of its objects", kind="Read")),
    ],
)  # fmt: skip
def test_extra725_required_events(audit: Audit, required: list[str], selectors: Stub, expected: str) -> None:
    answers = {**buckets("logs"), **trails(MAIN, selectors=selectors)}
    assert audit("extra725", answers=answers, live=False, required_events=required)["logs"] == expected


def test_extra725_kinds_by_two_trails(audit: Audit) -> None:
    second = trail("second", home=REGION, IsMultiRegionTrail=False, HasCustomEventSelectors=True)

    def selectors(params: dict[str, Any]) -> dict[str, Any]:
        kind = "ReadOnly" if params["TrailName"] == ARN else "WriteOnly"
        return {"EventSelectors": [objects("arn:aws:s3", kind=kind)]}

    answers = {**buckets("logs"), **trails(MAIN, second, selectors=selectors)}
    found = audit("extra725", answers=answers, live=False, required_events=["Read", "Write"])["logs"]
    assert found == f"{passed(kind='Read')}; Write events of its objects are recorded by {second['TrailARN']}"


def test_extra725_of_trails_that_do_not_count(audit: Audit) -> None:
    for status in ({"IsLogging": False}, {"TimeLoggingStopped": ""}):
        stopped = {**buckets("logs"), **trails(MAIN, selectors=ALL_BUCKETS, status=status)}
        assert audit("extra725", answers=stopped, live=False) == {"logs": failed(f"{LABEL} is not logging")}
    assert audit("extra725", answers={**buckets("a", "logs"), **trails()}, live=False) == {
        "a": failed(f"no trail covers {REGION}", bucket="a"),
        "logs": failed(f"no trail covers {REGION}"),
    }
    default = {**buckets("logs"), **trails(trail())}
    assert audit("extra725", answers=default, live=False) == {"logs": NONE}
    # HasCustomEventSelectors says false where nobody has computed it
    recorded = {**buckets("logs"), **trails(trail(), selectors=ALL_BUCKETS)}
    assert audit("extra725", answers=recorded, live=False) == {"logs": passed()}
    assert [call[2] for call in audit.backend.calls].count("GetEventSelectors") == 1


def test_extra725_of_single_region_trails(audit: Audit) -> None:
    local = trail("local", home=REGION, IsMultiRegionTrail=False, HasCustomEventSelectors=True)
    answers = trails(local, selectors=ALL_BUCKETS)
    here = audit("extra725", answers={**buckets("logs"), **answers}, live=False)
    assert here == {"logs": passed(by=local["TrailARN"])}
    elsewhere = audit("extra725", answers={**buckets("logs", region="us-east-1"), **answers}, live=False)
    assert elsewhere["logs"].startswith(
        "FAIL: bucket logs in us-east-1: Write events of its objects are not recorded: no"
    )
    both = audit("extra725", answers={**buckets("logs"), **trails(MAIN, local, selectors=ALL_BUCKETS)}, live=False)
    assert both["logs"].startswith("PASS")
    shadow = {
        **buckets("logs", region="us-east-1"),
        **answers,
        "cloudtrail:DescribeTrails@us-east-1": {"trailList": [local]},
    }
    assert audit("extra725", answers=shadow, live=False)["logs"].startswith("FAIL")


def test_extra725_outside_the_audited_regions(audit: Audit) -> None:
    """A bucket is judged wherever it is, by the trails that its own region shows."""
    answers = {**buckets("logs"), **trails(MAIN, selectors=ALL_BUCKETS)}
    assert audit("extra725", answers=answers, live=False, regions=["us-east-1"]) == {"logs": passed()}


@pytest.mark.parametrize("operation", ["GetEventSelectors", "GetTrailStatus"])
@pytest.mark.parametrize("refusal", [NOT_FOUND, access_denied("cloudtrail", "o")])
def test_extra725_of_a_trail_that_cannot_be_inspected(audit: Audit, operation: str, refusal: ApiError) -> None:
    """It might cover what no other trail covers, and takes nothing away from what one does."""
    good: dict[str, Any] = {"GetEventSelectors": ALL_BUCKETS, "GetTrailStatus": {"IsLogging": True}}

    def answer(params: dict[str, Any]) -> Any:
        return refusal if FOREIGN["TrailARN"] in params.values() else good[operation]

    for others, expected in (([], "ERROR: "), ([MAIN], passed())):
        world = {**buckets("logs"), **trails(FOREIGN, *others, selectors=ALL_BUCKETS)}
        world[f"cloudtrail:{operation}"] = answer
        found = audit("extra725", answers=world, live=False)["logs"]
        assert found.startswith(expected)
        assert others or "cloudtrail:" in found
    uncovered = {
        **buckets("data"),
        **trails(FOREIGN, MAIN),
        "cloudtrail:GetEventSelectors": refusal_of_foreign(refusal),
    }
    assert audit("extra725", answers=uncovered, live=False)["data"].startswith("ERROR: ")


def refusal_of_foreign(refusal: ApiError) -> Stub:
    """Selectors: those of the organization trail are closed, the account's own trail has them for another bucket."""

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        if params["TrailName"] == FOREIGN["TrailARN"]:
            raise refusal
        return {"EventSelectors": [objects("arn:aws:s3:::logs/")]}

    return answer


@pytest.mark.parametrize("operation", ["DescribeTrails", "GetEventSelectors", "GetTrailStatus"])
def test_extra725_errors(audit: Audit, operation: str) -> None:
    answers = {**buckets("logs"), **trails(MAIN, selectors=ALL_BUCKETS)}
    denied = {key: answer for key, answer in answers.items() if operation not in key}
    denied[f"cloudtrail:{operation}"] = access_denied("cloudtrail", operation)
    region = REGION if operation == "DescribeTrails" else "us-east-1"
    found = audit("extra725", answers=denied, live=False)["logs"]
    assert found.startswith(f"ERROR: access denied in {region}: cloudtrail:{operation} is needed")
    if operation != "DescribeTrails":
        denied[f"cloudtrail:{operation}"] = NOT_FOUND
        assert audit("extra725", answers=denied, live=False)["logs"].startswith(f"ERROR: cloudtrail:{operation} failed")


def test_extra725_without_buckets(audit: Audit) -> None:
    assert audit("extra725", answers=buckets(), live=False) == {ACCOUNT: "INFO: no bucket to check in the account"}
    assert [call[2] for call in audit.backend.calls] == ["ListBuckets"]
    denied = audit("extra725", answers={"s3:ListBuckets": access_denied("s3", "ListBuckets")}, live=False)
    assert "s3:ListAllMyBuckets is needed" in denied[f"{ACCOUNT} us-east-1"]
    located: dict[str, Stub] = {
        "s3:ListBuckets": {"Buckets": [{"Name": "logs"}]},
        **trails(MAIN, selectors=ALL_BUCKETS),
    }
    located["s3:GetBucketLocation"] = {"LocationConstraint": "EU"}
    assert audit("extra725", answers=located, live=False) == {"logs": passed()}
    located["s3:GetBucketLocation"] = ApiError("s3", "GetBucketLocation", "NoSuchBucket", "x")
    assert audit("extra725", answers=located, live=False) == {"logs": "INFO: logs was deleted during the audit"}


def test_extra725_unknown_kind() -> None:
    """A misspelt threshold must not stand for something else."""
    account = Account(ACCOUNT, backend=StubBackend(buckets("logs"), None), crew=Crew(1), now=utcnow())
    with pytest.raises(ValueError, match="events are of kind Write or Read, not write"):
        Bucket(account.api, id="logs").recording("write")  # type: ignore[arg-type]


@pytest.mark.usefixtures("moto")
def test_extra725_against_moto(audit: Audit) -> None:
    boto3.client("s3", "us-east-1").create_bucket(Bucket="trail-bucket")
    cloudtrail = boto3.client("cloudtrail", "us-east-1")
    assert audit("extra725")["trail-bucket"].endswith("not recorded: no trail covers us-east-1")
    cloudtrail.create_trail(Name="main", S3BucketName="trail-bucket", IsMultiRegionTrail=True)
    cloudtrail.put_event_selectors(
        TrailName="main", AdvancedEventSelectors=[{"Name": "objects", "FieldSelectors": data_events()}]
    )

    def described(params: dict[str, Any]) -> dict[str, Any]:
        """The emulator never says that a trail has selectors of its own."""
        found = cloudtrail.describe_trails(**params)["trailList"]
        return {"trailList": [{**one, "HasCustomEventSelectors": True} for one in found]}

    answers: dict[str, Stub] = {"cloudtrail:DescribeTrails": described}
    never_started = audit("extra725", answers=answers, regions=REGIONS)["trail-bucket"]
    assert never_started.startswith("FAIL")
    assert never_started.endswith("main in us-east-1 (multi-region) is not logging")
    cloudtrail.start_logging(Name="main")
    assert audit("extra725", answers=answers)["trail-bucket"].startswith(
        "PASS: bucket trail-bucket in us-east-1: Write"
    )
    cloudtrail.stop_logging(Name="main")
    assert audit("extra725", answers=answers)["trail-bucket"].startswith("FAIL")
