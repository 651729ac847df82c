"""The AWS Security Finding Format: against botocore's own model of it, the documented limits, and hostile names."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plugins.catalog.checks import BEST_PRACTICE_TYPE, CIS_TYPE, Check
from plugins.catalog.framework_files import frameworks
from plugins.findings.finding import Finding
from plugins.findings.verdict import Status
from plugins.outputs import asff_report
from plugins.outputs.asff_report import (
    MOST_BYTES,
    Asff,
    asff,
    line,
    requirements_of,
    resource_types,
    size_of,
    workflow_of,
)
from plugins.outputs.formats import writers_for
from plugins.suite import version
from selftests.plugins.outputs.test_formats import CHECK, HOSTILE, NOW, finding

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
IMPORTED: tuple[Status, ...] = ("PASS", "FAIL", "WARNING")
ANY_TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec=None), max_size=3000))
TAGS = st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=60)


@functools.cache
def model() -> Any:
    """botocore's shape of the request of BatchImportFindings."""
    return get_session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape


def strings_in(shape: Any, value: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """(path, name of the shape, text) of every string of a request."""
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from strings_in(shape.members[name], one, f"{where}.{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from strings_in(shape.member, one, where)
    elif shape.type_name == "map":
        for key, one in value.items():
            yield f"{where} key", shape.key.name, key
            yield from strings_in(shape.value, one, f"{where}[]")
    elif shape.type_name == "string":
        assert isinstance(value, str)
        assert not shape.enum or value in shape.enum, f"{where}: {value}"
        yield where, shape.name, value


# Security Hub API reference: AwsSecurityFinding, Resource, Compliance, Note, Recommendation, Severity
LONGEST = {
    ".Findings.Id": 512, ".Findings.ProductArn": 2048, ".Findings.ProductName": 128, ".Findings.GeneratorId": 512,
    ".Findings.AwsAccountId": 12, ".Findings.Title": 256, ".Findings.Description": 1024, ".Findings.Note.Text": 512,
    ".Findings.Remediation.Recommendation.Text": 512, ".Findings.ProductFields key": 128, ".Findings.ProductFields[]": 2048,
    ".Findings.Resources.Type": 256, ".Findings.Resources.Region": 16, ".Findings.Resources.Tags key": 128,
    ".Findings.Resources.Tags[]": 256, ".Findings.Severity.Original": 64, ".Findings.Compliance.RelatedRequirements": 64,
}  # fmt: skip


def valid(found: Asff) -> Asff:
    """The finding, after a look at everything that AWS documents about it."""
    request = {"Findings": [found]}
    report = ParamValidator().validate(request, model())
    assert not report.has_errors(), report.generate_report()
    for where, name, text in strings_in(model(), request):
        assert text, where
        if name == "NonEmptyString":
            assert re.fullmatch(r".*\S.*", text), f"{where}: {text!r}"
        assert text.isprintable(), f"{where}: {text!r}"
        assert len(text.encode("utf-16-le")) // 2 <= LONGEST.get(where, 2048), where
    (resource,) = found["Resources"]
    assert resource["Type"] in resource_types()
    assert len(resource.get("Tags", {})) <= 50
    assert len(found["ProductFields"]) <= 50
    assert not any(key.startswith("aws/") for key in found["ProductFields"])
    assert len(found["Compliance"].get("RelatedRequirements", ["one"])) in range(1, 33)
    assert all(TIME.fullmatch(found[key]) for key in ("FirstObservedAt", "CreatedAt", "UpdatedAt"))
    for type in found["Types"]:
        namespace, *rest = type.split("/")
        assert namespace in asff_report.NAMESPACES
        assert len(rest) <= 2
    assert size_of(found) <= MOST_BYTES
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_failed_finding() -> None:
    one = replace(
        finding("b1"),
        tags={"team": "web"},
        check=replace(CHECK, finding_type="Effects/Data Exposure"),
        account_name="prod",
    )
    assert valid(asff(one)) == {
        "SchemaVersion": "2018-10-08", "Id": one.id,
        "ProductArn": "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default", "ProductName": "auditest",
        "GeneratorId": "auditest-extra73", "AwsAccountId": "123456789012", "Types": ["Effects/Data Exposure"],
        "FirstObservedAt": "2026-03-01T12:00:05Z", "CreatedAt": "2026-03-01T12:00:05Z", "UpdatedAt": "2026-03-01T12:00:05Z",
        "Severity": {"Label": "CRITICAL", "Original": "critical"},
        "Title": "S3 buckets are not public", "Description": "the ACL grants access",
        "ProductFields": {
            "ProviderName": "auditest", "ProviderVersion": version(), "CheckId": "extra73", "CheckNumber": "7.3",
            "Service": "s3", "Region": "eu-west-1", "ResourceName": "b1", "AccountName": "prod",
            "Groups": "extras,hipaa,internet-exposed",
        },
        "Resources": [
            {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b1", "Partition": "aws", "Region": "eu-west-1", "Tags": {"team": "web"}}
        ],
        "Compliance": {"Status": "FAILED", "RelatedRequirements": requirements_of("extra73")},
        "FindingProviderFields": {
            "Severity": {"Label": "CRITICAL", "Original": "critical"}, "Types": ["Effects/Data Exposure"],
        },
        "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE",
        "Remediation": {"Recommendation": {"Text": "Block public access.", "Url": "https://docs.aws.amazon.com/x"}},
    }  # fmt: skip


def test_what_differs_by_status() -> None:
    passed, failed, accepted = (valid(asff(finding("b", status, "because"))) for status in IMPORTED)
    assert [one["Compliance"]["Status"] for one in (passed, failed, accepted)] == ["PASSED", "FAILED", "WARNING"]
    assert [one["Severity"]["Label"] for one in (passed, failed, accepted)] == ["INFORMATIONAL", "CRITICAL", "CRITICAL"]
    assert all(one["FindingProviderFields"]["Severity"] == one["Severity"] for one in (passed, failed, accepted))
    assert [one["Workflow"]["Status"] for one in (passed, failed, accepted)] == ["RESOLVED", "NEW", "NEW"]
    assert "Note" not in passed
    assert "Note" not in failed
    assert accepted["Note"] == {"Text": "because", "UpdatedBy": "auditest", "UpdatedAt": "2026-03-01T12:00:05Z"}
    assert len({one["Id"] for one in (passed, failed, accepted)}) == 1
    assert workflow_of("PASSED") == "RESOLVED"


@pytest.mark.parametrize("status", ["INFO", "ERROR"])
def test_info_and_error_are_no_findings(status: Status, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        asff(finding("b", status))
    assert written(tmp_path, [finding("b", status)]) == []


def written(folder: Path, findings: list[Finding]) -> Any:
    (writer,) = writers_for(["json-asff"], folder, "out", "1")
    for one in findings:
        writer.write(one)
    writer.close()
    assert writer.path.name == "out.asff.json"
    assert writer.path.read_bytes().isascii()
    return json.loads(writer.path.read_bytes())


def test_the_file_is_one_array(tmp_path: Path) -> None:
    findings = [finding(name, status) for name in HOSTILE for status in ("PASS", "INFO", "FAIL", "ERROR", "WARNING")]
    assert written(tmp_path, findings) == [asff(one) for one in findings if one.status in IMPORTED]
    assert written(tmp_path / "other", []) == []


def test_every_check_of_the_suite(checks: dict[str, Check]) -> None:
    assert len(checks) > 100
    for check in checks.values():
        for status in IMPORTED:
            found = valid(asff(replace(finding("b", status, check=check), resource_type=check.resource_type)))
            assert found["Resources"][0]["Type"] == check.resource_type
            assert found["Types"] == [check.finding_type]
            assert found["Title"] == check.title, "a title is never cut"
            assert found["Remediation"]["Recommendation"] == {"Text": check.remediation, "Url": check.url}
            assert found["GeneratorId"] == f"auditest-{check.id}"


def test_every_kind_of_resource_has_a_real_type(checks: dict[str, Check]) -> None:
    from fixtures.model import Resource

    def kinds(kind: type[Resource]) -> Iterator[type[Resource]]:
        for one in kind.__subclasses__():
            yield one
            yield from kinds(one)

    types = {kind.resource_type for kind in kinds(Resource) if "resource_type" in vars(kind)}
    assert {kind for kind in types if kind not in resource_types()} == set()
    assert "AwsAccount" in resource_types()
    assert "AwsNoSuchThing" not in resource_types()


def test_requirements_are_those_of_the_frameworks(checks: dict[str, Check]) -> None:
    named = {f"{framework.name}/{one.id}" for framework in frameworks().values() for one in framework.requirements}
    assert named
    for id in checks:
        assert set(requirements_of(id)) <= named, "no reference is cut"
        assert len(requirements_of(id)) <= 32
    assert "PCI DSS 3.2.1/1.2.1" in {one for id in checks for one in requirements_of(id)}


@pytest.mark.parametrize(
    ("partition", "named"),
    [("aws", "aws"), ("aws-cn", "aws-cn"), ("aws-us-gov", "aws-us-gov"), ("aws-iso", "aws-us-iso"), ("aws-eusc", None)],
)
def test_partitions_by_their_names_in_the_format(partition: str, named: str | None) -> None:
    found = valid(asff(replace(finding("b"), partition=partition)))
    assert found["Resources"][0].get("Partition") == named
    assert found["ProductArn"].startswith(f"arn:{partition}:securityhub:")


@pytest.mark.parametrize(
    ("given_type", "found"),
    [
        (CIS_TYPE, CIS_TYPE), ("Effects/Data Exposure", "Effects/Data Exposure"), ("TTPs", "TTPs"),
        ("TTPs/a/b/c", "TTPs/a/b c"), ("no namespace", BEST_PRACTICE_TYPE), ("", BEST_PRACTICE_TYPE),
        ("Effects//x", BEST_PRACTICE_TYPE),
    ],
)  # fmt: skip
def test_types_have_a_valid_namespace(given_type: str, found: str) -> None:
    assert valid(asff(replace(finding("b"), check=replace(CHECK, finding_type=given_type))))["Types"] == [found]


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(CHECK, remediation="", url="", id="own-check", title="")
    found = valid(
        asff(replace(finding("", message=""), check=bare, resource_arn="", resource_type="Custom", region="x" * 17))
    )
    assert "Remediation" not in found
    assert found["Compliance"] == {"Status": "FAILED"}
    assert found["Resources"] == [{"Type": "Other", "Id": "AWS::::Account:123456789012", "Partition": "aws"}]
    assert found["Title"] == found["Description"] == "own-check"


def test_long_texts_are_cut_visibly() -> None:
    long = "ü🙂" * 3000
    found = valid(
        asff(
            replace(
                finding(long, "WARNING", long), tags={f"{n}{long}": long for n in range(60)},
                check=replace(CHECK, title=long, remediation=long, url="https://x/" + long),
            )
        )
    )  # fmt: skip
    assert found["Title"].endswith("…")
    assert found["Description"].endswith("…")
    assert found["Note"]["Text"].endswith("…")


@pytest.mark.parametrize(
    ("text", "longest", "found"),
    [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab\r\ncd", 9, "ab cd"), ("a\u2028b", 9, "a b"), ("\x1b[1m", 9, "\\x1b[1m"),
        ("  ", 9, ""), ("üüüü", 3, "üü…"), ("🙂🙂", 4, "🙂🙂"), ("🙂🙂", 3, "🙂…"), ("a🙂🙂", 4, "a🙂…"), ("\ud800", 9, "\\ud800"),
    ],
)  # fmt: skip
def test_a_line(text: str, longest: int, found: str) -> None:
    assert line(text, longest) == found


def test_tags_without_a_value_are_left_out() -> None:
    found = valid(asff(replace(finding("b"), tags={"empty": "", "blank": " ", "": "x", "kept": "1"})))
    assert found["Resources"][0]["Tags"] == {"kept": "1"}
    assert "Tags" not in valid(asff(replace(finding("b"), tags={"empty": ""})))["Resources"][0]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=ANY_TEXT, arn=ANY_TEXT, message=ANY_TEXT, kind=ANY_TEXT, account_name=ANY_TEXT, tags=TAGS,
       status=st.sampled_from(IMPORTED))  # fmt: skip
@example(name="", arn="", message="", kind="", account_name="", tags={"\ud800": "\n"}, status="WARNING")
@example(name="🙂" * 3000, arn="🙂" * 3000, message="\x00" * 3000, kind="x", account_name="🙂" * 3000,
         tags={chr(0x1F600 + n) * 200: "🙂" * 300 for n in range(60)}, status="WARNING")  # fmt: skip
def test_any_name_makes_a_valid_finding(
    name: str, arn: str, message: str, kind: str, account_name: str, tags: dict[str, str], status: Status
) -> None:
    valid(
        asff(
            replace(
                finding(name, status, message),
                resource_arn=arn,
                resource_type=kind,
                account_name=account_name,
                tags=tags,
            )
        )
    )


@settings(max_examples=100, deadline=None)
@given(title=ANY_TEXT, remediation=ANY_TEXT, url=ANY_TEXT, finding_type=ANY_TEXT, service=ANY_TEXT)
def test_any_check_of_ones_own_makes_a_valid_finding(
    title: str, remediation: str, url: str, finding_type: str, service: str
) -> None:
    own = replace(
        CHECK, id="own", title=title, remediation=remediation, url=url, finding_type=finding_type, service=service
    )
    valid(asff(replace(finding("b"), check=own)))


def test_a_finding_that_is_too_large_does_without_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    one = replace(finding("b"), tags={f"key{n}": "x" * 200 for n in range(40)})
    assert len(asff(one)["Resources"][0]["Tags"]) == 40
    monkeypatch.setattr(asff_report, "MOST_BYTES", 8000)
    assert "Tags" not in asff(one)["Resources"][0]


def test_the_same_finding_is_the_same_in_every_run() -> None:
    later = replace(finding("b"), timestamp=datetime(2026, 4, 1, tzinfo=UTC), duration=2.0, nodeid="x")
    times = {"FirstObservedAt", "CreatedAt", "UpdatedAt"}
    assert later.timestamp != NOW
    first, second = asff(finding("b")), asff(later)
    assert {key for key in first if first[key] != second[key]} == times
