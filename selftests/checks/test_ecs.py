"""The checks of tests_extras/test_ecs.py."""

from __future__ import annotations

import sys
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fixtures.access.session import base_session
from fixtures.api.errors import ApiError
from fixtures.api.live import AwsBackend
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
PREFIX = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/"
WHERE = f"task definition web:1 in {REGION}"
ALL = {"all_active_revisions": True}

PASSWORD = "Xk3-plain-word-secret"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
VALUES = (PASSWORD, KEY_ID, TOKEN)


def container(name: str = "app", **environment: str) -> dict[str, Any]:
    """A container definition with these environment variables."""
    return {"name": name, "environment": [{"name": key, "value": value} for key, value in environment.items()]}


def definition(*containers: dict[str, Any], family: str = "web", revision: int = 1) -> dict[str, Any]:
    """DescribeTaskDefinition's answer."""
    arn = f"{PREFIX}{family}:{revision}"
    found = {"taskDefinitionArn": arn, "family": family, "revision": revision, "status": "ACTIVE"}
    return {"taskDefinition": {**found, "containerDefinitions": list(containers)}}


def described(*definitions: dict[str, Any], latest: dict[str, Any]) -> dict[str, Stub]:
    """A family of these active revisions; asked for by name, AWS gives the latest."""
    by_arn = {one["taskDefinition"]["taskDefinitionArn"]: one for one in definitions}
    return {
        "ecs:ListTaskDefinitionFamilies": {"families": ["web"]},
        "ecs:ListTaskDefinitions": {"taskDefinitionArns": list(by_arn)},
        "ecs:DescribeTaskDefinition": lambda params: {**by_arn, "web": latest}[params["taskDefinition"]],
    }


def run(audit: Audit, answers: dict[str, Stub], **settings: Any) -> dict[str, str]:
    """The findings, in which no value ever stands."""
    found = audit("extra768", regions=[REGION], live=False, answers=answers, **settings)
    assert not any(value in text for text in found.values() for value in VALUES)
    return found


def one(audit: Audit, *containers: dict[str, Any], **settings: Any) -> str:
    """The finding on a task definition of these containers."""
    only = definition(*containers)
    found = run(audit, described(only, latest=only), **settings)
    assert list(found) == ["web:1"]
    return found["web:1"]


HOLDS = f"FAIL: {WHERE} holds secrets: web:1, container"
FREE = f"PASS: {WHERE} (latest active revision):"


@pytest.mark.parametrize(
    ("containers", "settings", "verdict"),
    [
        ([container(PASSWORD=PASSWORD)], {}, f"{HOLDS} app: PASSWORD (secret assigned to a name)"),
        ([container(AWS_ACCESS_KEY_ID=KEY_ID)], {}, f"{HOLDS} app: AWS_ACCESS_KEY_ID (AWS access key)"),
        ([container(host=TOKEN)], {}, f"{HOLDS} app: host (JSON web token)"),
        ([container(LOG_LEVEL="info")], {}, f"{FREE} no secrets in variables, scanned 1"),
        ([container(host="localhost:1234", LOG_LEVEL="info")], {}, f"{FREE} no secrets in variables, scanned 2"),
        ([container(MYSQL_ALLOW_EMPTY_PASSWORD="1")], {}, f"{FREE} no secrets in variables, scanned 1"),
        ([container(MYSQL_ROOT_PASSWORD="1")], {}, f"{HOLDS} app: MYSQL_ROOT_PASSWORD (secret assigned to a name)"),
        ([{"name": "app"}], {}, f"{FREE} no variables"),
        ([container()], {}, f"{FREE} no variables"),
        ([], {}, f"{FREE} no variables"),
        ([{"name": "app", "secrets": [{"name": "PASSWORD", "valueFrom": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p"}]}], {}, f"{FREE} no variables"),
        ([container(LOG_LEVEL="info"), container("sidecar", PASSWORD=PASSWORD)], {}, f"{HOLDS} sidecar: PASSWORD (secret assigned to a name)"),
        ([container(PASSWORD=PASSWORD), container("sidecar", host=TOKEN)], {}, f"{HOLDS} app: PASSWORD (secret assigned to a name); web:1, container sidecar: host (JSON web token)"),
        ([container(PASSWORD=PASSWORD)], {"secrets_ignore_patterns": ["^Xk3-"]}, f"{FREE} no secrets in variables, scanned 1"),
        ([container(PASSWORD=PASSWORD)], {"secrets_ignore_patterns": ["^Yk3-"]}, HOLDS),
        ([container(BLOB="q7Zr2Lw9Xc4Vb8Nm1Ks6Td3Yf5Hg0JpA")], {}, f"{HOLDS} app: BLOB ("),
        ([container(BLOB="q7Zr2Lw9Xc4Vb8Nm1Ks6Td3Yf5Hg0JpA")], {"secrets_base64_entropy_limit": 6.0}, FREE),
        ([container(BLOB="9f86d081884c7d659a2feaa0c55ad015")], {}, f"{HOLDS} app: BLOB ("),
        ([container(BLOB="9f86d081884c7d659a2feaa0c55ad015")], {"secrets_hex_entropy_limit": 4.0}, FREE),
    ],
)  # fmt: skip
def test_extra768(audit: Audit, containers: list[dict[str, Any]], settings: dict[str, Any], verdict: str) -> None:
    assert one(audit, *containers, **settings).startswith(verdict)


# -- revisions -------------------------------------------------------------------------------------------------------

BAD, GOOD = container(PASSWORD=PASSWORD), container(LOG_LEVEL="info")


def operations(audit: Audit) -> list[tuple[str, dict[str, Any]]]:
    """The operations and parameters of the last audit."""
    return [(operation, params) for _, _, operation, params in audit.backend.calls]


def test_extra768_revisions(audit: Audit) -> None:
    old, new = definition(BAD), definition(GOOD, revision=2)
    found = run(audit, described(old, new, latest=new))
    assert found == {
        "web:2": f"PASS: task definition web:2 in {REGION} (latest active revision): no secrets in variables, scanned 1"
    }
    assert operations(audit) == [
        ("ListTaskDefinitionFamilies", {"status": "ACTIVE"}),
        ("DescribeTaskDefinition", {"taskDefinition": "web"}),
    ]
    everything = run(audit, described(old, new, latest=new), **ALL)
    assert everything == {
        "web:2": f"FAIL: task definition web:2 in {REGION} holds secrets: web:1, container app: PASSWORD"
        " (secret assigned to a name)"
    }
    assert ("ListTaskDefinitions", {"familyPrefix": "web", "status": "ACTIVE"}) in operations(audit)
    assert [params["taskDefinition"] for operation, params in operations(audit) if operation == "DescribeTaskDefinition"] == [
        "web", f"{PREFIX}web:1",
    ]  # fmt: skip
    clean = run(audit, described(definition(GOOD), new, latest=new), **ALL)
    assert clean["web:2"].endswith("(2 active revisions): no secrets in variables, scanned 2")


def test_extra768_revisions_are_ordered_by_number(audit: Audit) -> None:
    eleven = [definition(BAD, revision=number) for number in range(1, 12)]
    found = run(audit, described(*eleven, latest=eleven[-1]), **ALL)
    assert list(found) == ["web:11"]
    order = [part.split(",")[0] for part in found["web:11"].partition("secrets: ")[2].split("; ")]
    assert order == [f"web:{number}" for number in range(11, 0, -1)]


def test_extra768_revisions_that_cannot_be_read(audit: Audit) -> None:
    new = definition(GOOD, revision=3)
    answers = described(definition(BAD), definition(GOOD, revision=2), new, latest=new)

    def second(error: Exception) -> dict[str, Stub]:
        by_name: dict[str, Any] = {"web": new, f"{PREFIX}web:1": definition(BAD), f"{PREFIX}web:2": error}
        return {**answers, "ecs:DescribeTaskDefinition": lambda params: by_name[params["taskDefinition"]]}

    gone = run(audit, second(ApiError("ecs", "DescribeTaskDefinition", "ClientException", "Unable to describe")), **ALL)
    assert gone["web:3"].startswith("FAIL: ") and "web:1, container app: PASSWORD" in gone["web:3"]
    denied = run(audit, second(access_denied("ecs", "DescribeTaskDefinition")), **ALL)
    assert denied["web:3"].startswith(f"ERROR: access denied in {REGION}: ecs:DescribeTaskDefinition is needed")
    unlisted = {**answers, "ecs:ListTaskDefinitions": access_denied("ecs", "ListTaskDefinitions")}
    assert run(audit, unlisted, **ALL)["web:3"].startswith(
        f"ERROR: access denied in {REGION}: ecs:ListTaskDefinitions is needed"
    )
    assert run(audit, unlisted)["web:3"].startswith("PASS: "), "one revision does not need the list"


# -- families --------------------------------------------------------------------------------------------------------


def test_extra768_without_task_definitions(audit: Audit) -> None:
    nothing = {ACCOUNT: f"INFO: no task definition to check in {REGION}"}
    assert run(audit, {"ecs:ListTaskDefinitionFamilies": {"families": []}}) == nothing
    denied = run(audit, {"ecs:ListTaskDefinitionFamilies": access_denied("ecs", "ListTaskDefinitionFamilies")})
    assert list(denied) == [f"{ACCOUNT} {REGION}"]
    assert denied[f"{ACCOUNT} {REGION}"].startswith(
        f"ERROR: access denied in {REGION}: ecs:ListTaskDefinitionFamilies is needed"
    )


@pytest.mark.parametrize("settings", [{}, ALL])
def test_extra768_families_that_cannot_be_described(audit: Audit, settings: dict[str, Any]) -> None:
    errors: dict[str, Any] = {
        "gone": ApiError("ecs", "D", "ClientException", "Unable to describe task definition."),
        "closed": access_denied("ecs", "D"),
        "slow": ApiError("ecs", "D", "ThrottlingException", "Rate exceeded"),
        "fine": definition(GOOD, family="fine"),
    }
    answers: dict[str, Stub] = {
        "ecs:ListTaskDefinitionFamilies": {"families": list(errors)},
        "ecs:ListTaskDefinitions": {"taskDefinitionArns": [f"{PREFIX}fine:1"]},
        "ecs:DescribeTaskDefinition": lambda params: errors[params["taskDefinition"]],
    }
    found = run(audit, answers, **settings)
    assert list(found) == ["gone", "closed", "slow", "fine:1"]
    assert found["gone"].startswith(f"INFO: task definition gone in {REGION} has no active revision any more")
    assert found["closed"].startswith(f"ERROR: access denied in {REGION}: ecs:DescribeTaskDefinition is needed")
    assert found["slow"].startswith("ERROR: ecs:DescribeTaskDefinition was throttled")
    assert found["fine:1"].startswith("PASS: ")


def test_extra768_more_than_a_page_of_families(audit: Audit) -> None:
    backend = AwsBackend(base_session(""), ACCOUNT)
    families = [f"f{number:03}" for number in range(120)]
    answers: dict[str, Stub] = {
        "ecs:ListTaskDefinitionFamilies": lambda params: backend.call(
            REGION, "ecs", "ListTaskDefinitionFamilies", params
        ),
        "ecs:DescribeTaskDefinition": lambda params: definition(GOOD, family=params["taskDefinition"]),
    }
    with Stubber(backend.client("ecs", REGION)) as pages:
        pages.add_response("list_task_definition_families", {"families": families[:100], "nextToken": "more"})
        pages.add_response("list_task_definition_families", {"families": families[100:]})
        found = run(audit, answers)
        pages.assert_no_pending_responses()
    assert list(found) == [f"{family}:1" for family in families]


# -- the scanner -----------------------------------------------------------------------------------------------------


def test_extra768_without_scanner(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "detect_secrets"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "detect_secrets", None)  # importing it fails
    fresh = {"secrets_ignore_patterns": ["of a scanner that nobody has made before"]}
    missing = one(audit, GOOD, **fresh)
    assert missing.startswith("ERROR: ") and "the secret scanner is missing" in missing
    assert one(audit, container(PASSWORD=PASSWORD), **fresh).startswith("ERROR: ")
    assert one(audit, {"name": "app"}, **fresh) == f"{FREE} no variables"


def test_extra768_with_a_failing_scanner(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot read {KEY_ID}")

    monkeypatch.setattr("detect_secrets.plugins.aws.AWSKeyDetector.analyze_string", fail)
    found = one(audit, container(AWS_ACCESS_KEY_ID=KEY_ID))
    assert found.startswith("ERROR: ") and "the secret scanner failed" in found


# -- against the emulator --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("moto")
def test_extra768_in_the_emulator(audit: Audit) -> None:
    ecs = boto3.client("ecs", REGION)
    for family, environments in {"good": [BAD, GOOD], "bad": [GOOD, BAD], "many": [BAD] * 10 + [GOOD]}.items():
        for environment in environments:
            ecs.register_task_definition(
                family=family, containerDefinitions=[{"image": "i", "memory": 1, **environment}]
            )
    found = {id: text[:5] for id, text in audit("extra768", regions=[REGION]).items()}
    assert found == {"good:2": "PASS:", "bad:2": "FAIL:", "many:11": "PASS:"}
    everything = {id: text[:5] for id, text in audit("extra768", regions=[REGION], all_active_revisions=True).items()}
    assert everything == {"good:2": "FAIL:", "bad:2": "FAIL:", "many:11": "FAIL:"}
