"""fixtures/redaction.py: what goes into a recording holds no secret, and the scanner finds in it what it found before."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import secrets
from fixtures.errors import ApiError
from fixtures.redaction import Redactor
from fixtures.secret_marks import KINDS, Mark, rounded_up, taken_out
from fixtures.secret_rules import entropy_detector, format_detectors
from fixtures.secrets import Limits, find, in_pairs, user_data_text
from selftests.test_secrets import ASSIGNED, AWS_ID, AWS_SECRET, FORMATS, HARMLESS, HEX, JWT, some

KEY = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "", some(64), some(64, seed=8), some(11) + "=",
       "-----END RSA PRIVATE KEY-----"]  # fmt: skip
CERTIFICATE = ["-----BEGIN CERTIFICATE-----", some(64), some(20), "-----END CERTIFICATE-----"]
PATTERNS = (r"hunter2", r"^AKIA", r"^A=", r"EXAMPLE", r"^.{50,}$")
LIMITS = [
    Limits(), Limits(8, 8), Limits(4.9, 3.4), Limits(3.0, 2.0), Limits(0, 0), Limits(4.5, 3.0, PATTERNS),
    Limits(3.5, 2.5, PATTERNS[:1]),
]  # fmt: skip
LINES = [token for token, _ in FORMATS] + ASSIGNED + HARMLESS + KEY + CERTIFICATE + [
    f'x="{some(length, seed=length)}"' for length in range(8, 60, 4)
] + [HEX, f"a='{HEX}' b='{AWS_ID}' password=hunter2", JWT, "x" * 5000 + f" '{some(40)}' " + "y" * 5000]  # fmt: skip
VALUES = (
    [token for token, _ in FORMATS] + [one.partition("=")[2] for one in ASSIGNED] + [HEX, "prod", "", "\n".join(KEY)]
)


def redactor(limits: Limits = Limits(0, 0, PATTERNS)) -> Redactor:  # noqa: B008
    return Redactor(limits)


def all_kinds() -> set[str]:
    return {detector.kind for detector in [*format_detectors(), entropy_detector(4.5, 3.0)]}


def test_a_mark_can_stand_for_every_kind_of_secret() -> None:
    assert all_kinds() | {"secret assigned to a name"} == KINDS
    for kind in KINDS:
        for mark in (Mark(kind), Mark(kind, "base64", 4.501, ("0123abcd", "01234567"))):
            assert taken_out(f"a{mark}b") == ("a b", [mark])


def test_rounding_never_turns_a_secret_into_none() -> None:
    assert not Mark("high-entropy string", "base64", rounded_up(4.5)).counts(4.5, 3.0, ())
    assert Mark("high-entropy string", "base64", rounded_up(4.5000001)).counts(4.5, 3.0, ())
    assert Mark("high-entropy string", "hexadecimal", rounded_up(3.0000001)).counts(4.5, 3.0, ())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=14), st.sampled_from(["\n", "\r\n"]))
def test_the_scanner_finds_in_redacted_text_what_it_found_before(lines: list[str], end: str) -> None:
    text = end.join(lines)
    redacted = redactor().text(text)
    for limits in LIMITS:
        assert find(redacted, limits) == find(text, limits), limits
    # what stands in a certificate is no secret to the scanner, though the same line alone would be
    reported = {hit.line for hit in find(text, LIMITS[4])}
    kept = redacted.split("\n")
    for token in (AWS_SECRET, JWT, "hunter2", some(64), some(11) + "=", some(40)):
        hit = [number for number in reported if token in lines[number - 1]]
        assert not [number for number in hit if token in kept[number - 1]]


def test_what_follows_a_secret_and_belongs_to_it_is_taken_out() -> None:
    redacted = (
        redactor().text("\n".join(["a", *KEY, "", "b c", f"K={AWS_SECRET}", "tail+of/it==", "", "fi"])).split("\n")
    )
    assert [line for line in redacted if "auditest-redacted" not in line] == ["a", "", "b c", "", "fi"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["A", "NAME", "DB_PASSWORD", "token", "SECRET_ARN", "TOKEN_TTL"]), st.sampled_from(VALUES))
def test_the_scanner_finds_in_redacted_pairs_what_it_found_before(name: str, value: str) -> None:
    line = redactor().line("lambda", "ListFunctions", {"Functions": [{"Environment": {"Variables": {name: value}}}]})
    redacted = json.loads(line)["Functions"][0]["Environment"]["Variables"][name]
    for limits in LIMITS:
        assert in_pairs([(name, redacted)], limits) == in_pairs([(name, value)], limits), limits
    assert redacted == value or value not in line or len(value) < 4


def test_what_a_pattern_accepts_is_known_only_for_the_patterns_of_the_recorded_run() -> None:
    text = f"x={AWS_ID}"
    assert find(redactor(Limits()).text(text), Limits(ignore_patterns=("AKIA",))) == find(text, Limits())
    assert find(redactor(Limits(ignore_patterns=("AKIA", "("))).text(text), Limits(ignore_patterns=("AKIA",))) == ()


def test_nothing_can_hide_in_something_that_looks_like_a_mark() -> None:
    for hidden in (f"[[auditest-redacted: {AWS_SECRET}]]", f"[[auditest-redacted: AWS access key, ignored by {AWS_SECRET}]]",
                   f"[[auditest-redacted: {AWS_ID}, ignored by 0123abcd]]"):  # fmt: skip
        assert find(hidden, Limits()), hidden
    assert [hit.kind for hit in find("[[auditest-redacted: private key]]", Limits())] == ["private key"]
    both = find(f"[[auditest-redacted: private key]] {AWS_ID}", Limits())
    assert [hit.kind for hit in both] == ["private key", "AWS access key"]


@pytest.mark.parametrize("text", ["x\ny", f"#!/bin/sh\nexport K={AWS_SECRET}\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_user_data(text: str, pack: Any) -> None:
    encoded = base64.b64encode(pack(text.encode())).decode()
    found = redactor().user_data(encoded)
    assert AWS_SECRET not in user_data_text(found)
    assert find(user_data_text(found), Limits()) == find(text, Limits())
    assert (found == encoded) is not bool(find(text, Limits()))


@pytest.mark.parametrize(
    "encoded",
    [f"no base64: {AWS_SECRET}", base64.b64encode(b"\x1f\x8b" + AWS_SECRET.encode()).decode(),
     base64.b64encode(gzip.compress(AWS_SECRET.encode() + bytes(17 << 20), mtime=0)).decode()],
)  # fmt: skip
def test_user_data_that_cannot_be_decoded_still_cannot(encoded: str) -> None:
    found = redactor().user_data(encoded)
    reasons = []
    for data in (encoded, found):
        with pytest.raises(ApiError) as error:
            user_data_text(data)
        reasons.append(error.value.reason)
    assert reasons[0] == reasons[1]
    assert encoded not in found
    assert AWS_SECRET.encode() not in base64.b64decode(found + "==")


USER_DATA = base64.b64encode(f"K={AWS_SECRET}".encode()).decode()
PLACES: list[tuple[str, str, Any]] = [
    ("ec2", "DescribeInstanceAttribute", {"UserData": {"Value": USER_DATA}}),
    ("autoscaling", "DescribeLaunchConfigurations", {"LaunchConfigurations": [{"UserData": USER_DATA}]}),
    ("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateVersions": [{"LaunchTemplateData": {"UserData": USER_DATA}}]}),
    ("cloudformation", "DescribeStacks", {"Stacks": [{"Outputs": [{"OutputKey": "K", "OutputValue": AWS_SECRET}]}]}),
    ("cloudformation", "DescribeStacks", {"Stacks": [{"Parameters": [{"ParameterKey": "K", "ParameterValue": AWS_SECRET}]}]}),
    ("ecs", "DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": [{"environment": [{"name": "K", "value": AWS_SECRET}]}]}}),
    ("ecs", "DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": [{"command": ["run", f"--key={AWS_SECRET}"]}]}}),
    ("lambda", "ListFunctions", {"Functions": [{"Environment": {"Variables": {"K": AWS_SECRET}}}]}),
    ("lambda", "GetFunction", {"Configuration": {"Environment": {"Variables": {"K": AWS_SECRET}}}}),
    ("lambda", "GetFunction", {"Code": {"Location": f"https://h/p?versionId=1&X-Amz-Credential=a&X-Amz-Signature={AWS_SECRET}"}}),
    ("codebuild", "BatchGetProjects", {"projects": [{"environment": {"environmentVariables": [{"name": "K", "value": AWS_SECRET, "type": "PLAINTEXT"}]}}]}),
    ("apigateway", "GetStages", {"item": [{"variables": {"K": AWS_SECRET}}]}),
    ("own", "GetThing", {"Policy": '{"u": "https://h/p?a=1\\u0026Signature=' + AWS_SECRET + '"}'}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "answer"), PLACES)
def test_every_place_is_redacted_and_the_answer_itself_is_not(service: str, operation: str, answer: Any) -> None:
    before = json.dumps(answer)
    line = redactor(Limits()).line(service, operation, answer)
    assert json.dumps(answer) == before
    assert "auditest-redacted" in line or "UserData" in line
    json.loads(line)
    assert AWS_SECRET not in line
    for encoded in re.findall(r'"([A-Za-z0-9+/]{20,}={0,2})"', line):
        assert AWS_SECRET.encode() not in base64.b64decode(encoded + "==")


def test_other_answers_stay_as_they_are() -> None:
    answer = {
        "Parameters": [{"ParameterName": "password_encryption", "ParameterValue": "scram-sha-256"}],
        "Keys": [AWS_ID],
    }
    assert json.loads(redactor().line("rds", "DescribeDBParameters", answer)) == answer
    when = datetime(2026, 3, 1, tzinfo=UTC)
    assert (
        redactor().line("iam", "X", {"At": when, "B": b"x"})
        == '{"At":{"$time":"2026-03-01T00:00:00+00:00"},"B":{"$bytes":"eA=="}}'
    )


def test_what_cannot_be_scanned_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError(AWS_SECRET)

    monkeypatch.setattr(secrets.Scanner, "found_in", fail)
    with pytest.raises(ApiError) as error:
        redactor().line(*PLACES[7])
    assert AWS_SECRET not in str(error.value)
