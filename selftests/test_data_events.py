"""Which selectors, and which trails, record the data events of functions and buckets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.account import Account
from fixtures.api import Crew, utcnow
from fixtures.data_events import FUNCTIONS, OBJECTS, Coverage, Extent, Kind, Recorded, coverage, records
from fixtures.errors import ApiError
from selftests.conftest import ACCOUNT, Stub, StubBackend, access_denied

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
BUCKET = "arn:aws:s3:::logs"
ALL, PART, NONE = Extent.ALL, Extent.PART, Extent.NONE


def basic(kind: str, *values: str, mode: str | None = "All") -> Any:
    """Selectors of a trail with one basic selector."""
    selector: dict[str, Any] = {"IncludeManagementEvents": True, "DataResources": [{"Type": kind, "Values": [*values]}]}
    return [selector | ({"ReadWriteType": mode} if mode else {})], []


def advanced(kind: str, *fields: dict[str, Any]) -> Any:
    """Selectors of a trail with one advanced selector for a resource type, and further fields."""
    category = {"Field": "eventCategory", "Equals": ["Data"]}
    return [], [{"FieldSelectors": [category, {"Field": "resources.type", "Equals": [kind]}, *fields]}]


def field(name: str, **operators: list[str]) -> dict[str, Any]:
    """A field selector."""
    return {"Field": name, **operators}


def arn(**operators: list[str]) -> dict[str, Any]:
    """A field selector on the resource's ARN."""
    return field("resources.ARN", **operators)


def both(one: Any, other: Any) -> Any:
    """The selectors of both."""
    return [*one[0], *other[0]], [*one[1], *other[1]]


@pytest.mark.parametrize(
    ("selectors", "extent"),
    [
        (None, NONE),
        (([], []), NONE),
        (([{"IncludeManagementEvents": True, "ReadWriteType": "All", "DataResources": []}], []), NONE),
        (basic(FUNCTIONS, "arn:aws:lambda"), ALL),
        (basic(FUNCTIONS, "arn:aws:lambda", mode=None), ALL),
        (basic(FUNCTIONS, "arn:aws:lambda", mode="WriteOnly"), ALL),
        (basic(FUNCTIONS, "arn:aws:lambda", mode="ReadOnly"), NONE),
        (basic(FUNCTIONS, FUNCTION), ALL),
        (basic(FUNCTIONS, "arn:aws:lambda:eu-west-1:123456789012:function:other", FUNCTION), ALL),
        (basic(FUNCTIONS, FUNCTION.replace("eu-west-1", "us-east-1")), NONE),
        (basic(FUNCTIONS, FUNCTION.replace("123456789012", "999999999999")), NONE),
        (basic(FUNCTIONS, FUNCTION[:-1]), NONE),
        (basic(FUNCTIONS, FUNCTION + "2"), NONE),
        (basic(FUNCTIONS, "arn:aws-cn:lambda"), NONE),
        (basic(OBJECTS, "arn:aws:lambda", "arn:aws:s3"), NONE),
        (both(basic(FUNCTIONS, "x"), basic(FUNCTIONS, "arn:aws:lambda")), ALL),
        (advanced(FUNCTIONS), ALL),
        (advanced(OBJECTS), NONE),
        (([], [{"FieldSelectors": [field("eventCategory", Equals=["Data"])]}]), NONE),
        (([], [{"FieldSelectors": [field("resources.type", Equals=[FUNCTIONS])]}]), NONE),
        (([], [{"FieldSelectors": [field("eventCategory", Equals=["Management"])]}]), NONE),
        (
            ([], [{"FieldSelectors": [field("eventCategory", Equals=["Management"]), field("resources.type", Equals=[FUNCTIONS])]}]),
            NONE,
        ),
        (([], [{"FieldSelectors": []}]), NONE),
        (advanced(FUNCTIONS, field("readOnly", Equals=["false"])), ALL),
        (advanced(FUNCTIONS, field("readOnly", Equals=["true"])), NONE),
        (advanced(FUNCTIONS, field("readOnly", Equals=["true", "false"])), ALL),
        (advanced(FUNCTIONS, arn(Equals=["arn:x", FUNCTION])), ALL),
        (advanced(FUNCTIONS, arn(Equals=[FUNCTION + "2"])), NONE),
        (advanced(FUNCTIONS, arn(NotEquals=[FUNCTION])), NONE),
        (advanced(FUNCTIONS, arn(NotEquals=["arn:x", FUNCTION])), NONE),
        (advanced(FUNCTIONS, arn(NotEquals=["arn:x", "arn:y"])), ALL),
        (advanced(FUNCTIONS, arn(StartsWith=["arn:x", "arn:aws:lambda:eu-west-1:"])), ALL),
        (advanced(FUNCTIONS, arn(StartsWith=["arn:aws:lambda:us-east-1:"])), NONE),
        (advanced(FUNCTIONS, arn(NotStartsWith=["arn:aws:lambda:eu-west-1:"])), NONE),
        (advanced(FUNCTIONS, arn(NotStartsWith=["arn:aws:lambda:us-east-1:"])), ALL),
        (advanced(FUNCTIONS, arn(EndsWith=[":function:f"])), ALL),
        (advanced(FUNCTIONS, arn(EndsWith=[":function:g"])), NONE),
        (advanced(FUNCTIONS, arn(NotEndsWith=[":f"])), NONE),
        (advanced(FUNCTIONS, arn(NotEndsWith=[":g"])), ALL),
        # operators of one field: any positive one lets through, any negative one keeps out
        (advanced(FUNCTIONS, arn(Equals=["arn:x"], EndsWith=[":f"])), ALL),
        (advanced(FUNCTIONS, arn(EndsWith=[":f"], NotStartsWith=["arn:aws:lambda:eu-"])), NONE),
        (advanced(FUNCTIONS, arn(NotEquals=["arn:x"], NotEndsWith=[":f"])), NONE),
        # fields: all have to
        (advanced(FUNCTIONS, arn(Equals=[FUNCTION]), field("readOnly", Equals=["true"])), NONE),
        (advanced(FUNCTIONS, field("eventName", Equals=["Invoke"])), ALL),
        (advanced(FUNCTIONS, field("eventName", StartsWith=["Inv"])), ALL),
        (advanced(FUNCTIONS, field("eventName", Equals=["GetObject"])), NONE),
        (advanced(FUNCTIONS, field("eventName", NotEquals=["Invoke"])), NONE),
        (advanced(FUNCTIONS, field("eventName", NotEquals=["GetObject"])), ALL),
        (advanced(FUNCTIONS, field("eventSource", Equals=["lambda.amazonaws.com"])), ALL),
        (advanced(FUNCTIONS, field("eventSource", NotEquals=["lambda.amazonaws.com"])), NONE),
        (advanced(FUNCTIONS, field("userIdentity.arn", NotStartsWith=["arn:aws:sts::1:assumed-role/scanner"])), PART),
        (advanced(FUNCTIONS, field("sessionCredentialFromConsole", Equals=["true"])), PART),
        (advanced(FUNCTIONS, arn(Contains=["f"])), NONE),
        (advanced(FUNCTIONS, arn()), NONE),
        (advanced(FUNCTIONS, arn(Equals=[FUNCTION], NotEquals=[])), ALL),
        (both(advanced(FUNCTIONS, field("readOnly", Equals=["true"])), advanced(FUNCTIONS, arn(EndsWith=[":f"]))), ALL),
    ],
)  # fmt: skip
def test_functions(selectors: Any, extent: Extent) -> None:
    assert records(selectors, resource_type=FUNCTIONS, arn=FUNCTION).extent is extent


@pytest.mark.parametrize(
    ("selectors", "write", "read"),
    [
        (None, NONE, NONE),
        (basic(OBJECTS, "arn:aws:s3"), ALL, ALL),
        (basic(OBJECTS, "arn:aws:s3:::"), ALL, ALL),
        (basic(OBJECTS, "arn:aws-cn:s3"), NONE, NONE),
        (basic(OBJECTS, "arn:aws:s3:::*/*"), NONE, NONE),
        (basic(OBJECTS, "arn:aws:s3:::logs/"), ALL, ALL),
        (basic(OBJECTS, "arn:aws:s3:::logs"), NONE, NONE),
        (basic(OBJECTS, "arn:aws:s3:::logs/2024/"), PART, PART),
        (basic(OBJECTS, "arn:aws:s3:::logs-old/"), NONE, NONE),
        (basic(OBJECTS, "arn:aws:s3", mode="ReadOnly"), NONE, ALL),
        (basic(OBJECTS, "arn:aws:s3", mode="WriteOnly"), ALL, NONE),
        (both(basic(OBJECTS, "arn:aws:s3:::logs/a"), basic(OBJECTS, "arn:aws:s3", mode="ReadOnly")), PART, ALL),
        (basic(FUNCTIONS, "arn:aws:s3"), NONE, NONE),
        (advanced(OBJECTS), ALL, ALL),
        (advanced("AWS::S3Express::Object"), NONE, NONE),
        (advanced(OBJECTS, field("readOnly", Equals=["true"])), NONE, ALL),
        (advanced(OBJECTS, field("readOnly", Equals=["false"])), ALL, NONE),
        (
            both(
                advanced(OBJECTS, field("readOnly", Equals=["true"])), advanced(OBJECTS, field("readOnly", Equals=["false"]))
            ),
            ALL, ALL,
        ),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::logs/"])), ALL, ALL),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::lo"])), ALL, ALL),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::logs/2024/"])), PART, PART),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::prod-"])), NONE, NONE),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::prod-", "arn:aws:s3:::logs"])), ALL, ALL),
        (advanced(OBJECTS, arn(Equals=["arn:aws:s3:::logs/one"])), PART, PART),
        (advanced(OBJECTS, arn(Equals=["arn:aws:s3:::other/one"])), NONE, NONE),
        (advanced(OBJECTS, arn(EndsWith=[".csv"])), PART, PART),
        (advanced(OBJECTS, arn(NotStartsWith=["arn:aws:s3:::logs/"])), NONE, NONE),
        (advanced(OBJECTS, arn(NotStartsWith=["arn:aws:s3:::lo"])), NONE, NONE),
        (advanced(OBJECTS, arn(NotStartsWith=["arn:aws:s3:::logs/tmp/"])), PART, PART),
        (advanced(OBJECTS, arn(NotStartsWith=["arn:aws:s3:::logs-old/", "arn:aws:s3:::other/"])), ALL, ALL),
        (advanced(OBJECTS, arn(NotEquals=["arn:aws:s3:::other/one"])), ALL, ALL),
        (advanced(OBJECTS, arn(NotEquals=["arn:aws:s3:::logs/one"])), PART, PART),
        (advanced(OBJECTS, arn(NotEquals=["arn:aws:s3:::logs"])), PART, PART),
        (advanced(OBJECTS, arn(NotEndsWith=[".tmp"])), PART, PART),
        (advanced(OBJECTS, arn(StartsWith=["arn:aws:s3:::"], NotStartsWith=["arn:aws:s3:::logs/"])), NONE, NONE),
        (advanced(OBJECTS, arn(Equals=["arn:aws:s3:::logs/one"], StartsWith=["arn:aws:s3:::logs/"])), ALL, ALL),
        (advanced(OBJECTS, field("eventName", Equals=["PutObject"])), PART, PART),
        (advanced(OBJECTS, field("eventName", NotEquals=["DeleteObject"])), PART, PART),
        (advanced(OBJECTS, field("userIdentity.arn", NotStartsWith=["arn:aws:sts::1:assumed-role/r"])), PART, PART),
        (advanced(OBJECTS, field("eventSource", Equals=["s3.amazonaws.com"])), ALL, ALL),
    ],
)  # fmt: skip
def test_objects(selectors: Any, write: Extent, read: Extent) -> None:
    assert records(selectors, resource_type=OBJECTS, arn=BUCKET, kind="Write").extent is write
    assert records(selectors, resource_type=OBJECTS, arn=BUCKET, kind="Read").extent is read


def test_kind_of_selector() -> None:
    for selectors, found in (
        (basic(FUNCTIONS, FUNCTION), Recorded(ALL, "basic")),
        (advanced(FUNCTIONS), Recorded(ALL, "advanced")),
        (None, Recorded(NONE, "")),
    ):
        assert records(selectors, resource_type=FUNCTIONS, arn=FUNCTION) == found


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions(partition: str) -> None:
    function, bucket = FUNCTION.replace(":aws:", f":{partition}:"), BUCKET.replace(":aws:", f":{partition}:")
    assert records(basic(FUNCTIONS, f"arn:{partition}:lambda"), resource_type=FUNCTIONS, arn=function).extent is ALL
    assert records(basic(OBJECTS, f"arn:{partition}:s3"), resource_type=OBJECTS, arn=bucket).extent is ALL
    assert records(basic(OBJECTS, "arn:aws:s3"), resource_type=OBJECTS, arn=bucket).extent is NONE


# -- trails


def trail(name: str, *, home: str = "eu-west-1", owner: str = ACCOUNT, multi: bool = True, **more: Any) -> Any:
    """A trail as DescribeTrails gives it."""
    return {
        "Name": name, "TrailARN": f"arn:aws:cloudtrail:{home}:{owner}:trail/{name}", "HomeRegion": home,
        "IsMultiRegionTrail": multi, "HasCustomEventSelectors": True, **more,
    }  # fmt: skip


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Threads for the account."""
    crew = Crew(2)
    yield crew
    crew.close()


class World:
    """An account that sees trails; ``status`` and ``selectors`` of a trail by name, answers or errors."""

    def __init__(self, crew: Crew, *trails: Any, status: dict[str, Any], selectors: dict[str, Any]) -> None:
        def of(table: dict[str, Any], default: Any) -> Stub:
            return lambda params: table.get((params.get("Name") or params["TrailName"]).rpartition("/")[2], default)

        self.backend = StubBackend(
            {
                "cloudtrail:DescribeTrails": {"trailList": list(trails)},
                "cloudtrail:GetTrailStatus": of(status, {"IsLogging": True}),
                "cloudtrail:GetEventSelectors": of(
                    {
                        name: found if isinstance(found, Exception) else dict(zip(NAMES, found, strict=True))
                        for name, found in selectors.items()
                    },
                    {},
                ),
            },
            None,
        )
        self.account = Account(ACCOUNT, backend=self.backend, crew=crew, now=utcnow(), regions=["eu-west-1"])

    def ask(self, kind: Kind = "Write", region: str = "eu-west-1") -> Coverage:
        return coverage(self.account, region=region, resource_type=OBJECTS, arn=BUCKET, kind=kind)


NAMES = ("EventSelectors", "AdvancedEventSelectors")
EVERYTHING = advanced(OBJECTS)


def covered(found: Coverage) -> tuple[str, str]:
    assert found.trail is not None
    return found.trail.id, found.by


def test_coverage(crew: Crew) -> None:
    world = World(crew, trail("stopped"), trail("good"), status={"stopped": {"IsLogging": False}}, selectors={"stopped": EVERYTHING, "good": EVERYTHING})  # fmt: skip
    assert covered(world.ask()) == ("good", "advanced")
    assert ("eu-west-1", "cloudtrail", "DescribeTrails", {"includeShadowTrails": True}) in world.backend.calls

    assert World(crew, status={}, selectors={}).ask() == Coverage()

    partial = basic(OBJECTS, "arn:aws:s3:::logs/2024/", mode="WriteOnly")
    lacking = World(
        crew, trail("part"), trail("plain", HasCustomEventSelectors=False), trail("stopped", multi=False),
        status={"stopped": {"IsLogging": False}}, selectors={"part": partial},
    )  # fmt: skip
    assert lacking.ask().lacking == (
        "part in eu-west-1 (multi-region) records only a part of the write events of its objects",
        "plain in eu-west-1 (multi-region) records no write events of its objects",
        "stopped in eu-west-1 (single-region) is not logging",
    )
    assert lacking.ask("Read").lacking[0].endswith("records no read events of its objects")


def test_coverage_asks_the_home_region_of_a_shadow_trail(crew: Crew) -> None:
    world = World(crew, trail("shadow", home="us-east-1"), status={}, selectors={"shadow": EVERYTHING})
    assert covered(world.ask()) == ("shadow", "advanced")
    asked = {operation: region for region, _, operation, _ in world.backend.calls}
    assert asked == {"DescribeTrails": "eu-west-1", "GetTrailStatus": "us-east-1", "GetEventSelectors": "us-east-1"}


def test_coverage_by_a_single_region_trail(crew: Crew) -> None:
    here = World(crew, trail("single", multi=False), status={}, selectors={"single": EVERYTHING})
    assert covered(here.ask()) == ("single", "advanced")
    # the emulated listing shows it everywhere; the trail is of eu-west-1 nonetheless
    assert here.ask(region="us-east-1") == Coverage()


FOREIGN = trail("org", owner="999999999999", IsOrganizationTrail=True)


@pytest.mark.parametrize("code", ["TrailNotFoundException", "AccessDeniedException"])
@pytest.mark.parametrize("operation", ["GetTrailStatus", "GetEventSelectors"])
def test_coverage_with_an_organization_trail_that_cannot_be_read(crew: Crew, operation: str, code: str) -> None:
    error = ApiError("cloudtrail", operation, code, "closed")
    closed: dict[str, Any] = {"status": {}, "selectors": {"org": EVERYTHING, "own": EVERYTHING}}
    closed["status" if operation == "GetTrailStatus" else "selectors"]["org"] = error
    assert covered(World(crew, FOREIGN, trail("own"), **closed).ask()) == ("own", "advanced")
    with pytest.raises(ApiError) as raised:
        World(crew, FOREIGN, trail("own", HasCustomEventSelectors=False), **closed).ask()
    assert (raised.value.operation, raised.value.code) == (operation, code)
    if code == "TrailNotFoundException":
        assert "org in eu-west-1 (multi-region, organization trail of account 999999999999)" in str(raised.value)


def test_coverage_with_an_organization_trail_that_records_nothing_here(crew: Crew) -> None:
    hidden = ApiError("cloudtrail", "GetTrailStatus", "TrailNotFoundException", "closed")
    unused = World(crew, FOREIGN, status={"org": hidden}, selectors={"org": advanced(FUNCTIONS)})
    assert unused.ask().lacking[0].endswith("records no write events of its objects")


def test_coverage_with_errors(crew: Crew) -> None:
    own = ApiError("cloudtrail", "GetEventSelectors", "TrailNotFoundException", "gone")
    with pytest.raises(ApiError, match="TrailNotFoundException"):
        World(crew, trail("own"), status={}, selectors={"own": own}).ask()
    backend = StubBackend({"cloudtrail:DescribeTrails": access_denied("cloudtrail", "DescribeTrails")}, None)
    account = Account(ACCOUNT, backend=backend, crew=crew, now=utcnow(), regions=["eu-west-1"])
    with pytest.raises(ApiError, match="DescribeTrails"):
        coverage(account, region="eu-west-1", resource_type=FUNCTIONS, arn=FUNCTION)
