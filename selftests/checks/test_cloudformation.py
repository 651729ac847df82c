"""The checks of tests_extras/test_cloudformation.py."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from selftests.conftest import ACCOUNT, Audit, access_denied
from selftests.fixtures.secrets.corpus import CERTIFICATE, PRIVATE, b64, hexa

HERE = "eu-west-1"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
ASSIGNED = "secret assigned to a name"


def stack(name: str, **outputs: str) -> dict[str, Any]:
    found = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {
        "StackName": name,
        "StackId": f"arn:aws:cloudformation:{HERE}:{ACCOUNT}:stack/{name}/1-2-3",
        "StackStatus": "CREATE_COMPLETE",
        **({"Outputs": found} if found else {}),
    }


def run(audit: Audit, *stacks: dict[str, Any], **settings: Any) -> dict[str, str]:
    answers = {"cloudformation:DescribeStacks": {"Stacks": list(stacks)}}
    return audit("extra742", answers=answers, live=False, regions=[HERE], **settings)


def scanned(count: int) -> str:
    return f"PASS: no secrets in the outputs of web in {HERE}, scanned {count}"


def holds(*found: str) -> str:
    return f"FAIL: outputs of web in {HERE} hold secrets: {', '.join(found)}"


CASES: dict[str, tuple[dict[str, str], str]] = {
    "bucket name": ({"BucketName": "my-bucket"}, scanned(1)),
    "password": ({"BucketName": "my-bucket", "DbPassword": "Tr0ub4dor&3x"}, holds(f"DbPassword ({ASSIGNED})")),
    "connection string": ({"Database": "postgres://app:Tr0ub4dor3x@db/main"}, holds("Database (password in a URL)")),
    "connection string of ADO.NET": ({"Database": "Server=db;User Id=sa;Password=Tr0ub4dor3x;"}, holds(f"Database ({ASSIGNED})")),
    "role ARN": ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/mystack-ApiRole-1QXC2Z3Y4K5AB"}, scanned(1)),
    "secret ARN": ({"DbSecret": f"arn:aws:secretsmanager:{HERE}:{ACCOUNT}:secret:prod/db-AbCdEf"}, scanned(1)),
    "no outputs": ({}, f"PASS: web in {HERE} has no outputs"),
    "JSON web token": ({"DBKEY": JWT}, holds("DBKEY (JSON web token)")),
    "quotes and newline": ({"Note": "say \"hi\"\n  it's *\n\\password: Tr0ub4dor3x"}, holds(f"Note ({ASSIGNED})")),
    "several": ({"Token": "Tr0ub4dor3x", "Url": "https://x.example.org", "ApiKey": "Tr0ub4dor3x"}, holds(f"Token ({ASSIGNED})", f"ApiKey ({ASSIGNED})")),
    "certificate of a cluster": ({"CertificateAuthorityData": b64(CERTIFICATE)}, scanned(1)),
    "key of a cluster": ({"ClientKeyData": b64(PRIVATE)}, holds("ClientKeyData (private key)")),
    "tag of an image": ({"ImageUri": f"{ACCOUNT}.dkr.ecr.{HERE}.amazonaws.com/cdk-hnb659fds-container-assets-{ACCOUNT}-{HERE}:{hexa(64)}"}, scanned(1)),
    "random text": ({"Data": hexa(64)}, holds("Data (high-entropy string)")),
    "commit": ({"SourceRevision": hexa(40)}, scanned(1)),
    "generated names": ({"Table": "mystack-Orders-1QXC2Z3Y4K5AB", "Pool": "eu-west-1_AbCdEf123", "Vpc": "vpc-0a1b2c3d4e5f60718"}, scanned(3)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_extra742(audit: Audit, case: str) -> None:
    outputs, expected = CASES[case]
    found = run(audit, stack("web", **outputs))
    assert found == {"web": expected}
    assert "Tr0ub4dor" not in str(found)
    assert JWT not in str(found)


def test_extra742_settings(audit: Audit) -> None:
    web = stack("web", DbPassword="Tr0ub4dor&3x")
    assert run(audit, web, secrets_ignore_patterns=["^Tr0ub4dor"]) == {"web": scanned(1)}
    assert run(audit, web, secrets_ignore_patterns=["^DbPassword="]) == {"web": scanned(1)}
    assert run(audit, web, secrets_ignore_patterns=["other"])["web"].startswith("FAIL")
    web = stack("web", Id="0123456789abcdef0a1b2c3d")
    assert run(audit, web) == {"web": holds("Id (high-entropy string)")}
    assert run(audit, web, secrets_hex_entropy_limit=3.99) == {"web": scanned(1)}
    web = stack("web", Id="Zx3Kq8Wv1Tn6Bf4Yh9Lp2Dm7Rc5G")
    assert run(audit, web) == {"web": holds("Id (high-entropy string)")}
    assert run(audit, web, secrets_base64_entropy_limit=5.5) == {"web": scanned(1)}


def test_extra742_without_stacks(audit: Audit) -> None:
    found = run(audit)
    assert list(found) == [ACCOUNT]
    assert found[ACCOUNT].startswith("INFO")
    assert HERE in found[ACCOUNT]


def test_extra742_denied(audit: Audit) -> None:
    answers = {"cloudformation:DescribeStacks": access_denied("cloudformation", "DescribeStacks")}
    found = audit("extra742", answers=answers, live=False, regions=[HERE])
    assert found[f"{ACCOUNT} {HERE}"].startswith(
        "ERROR: access denied in eu-west-1: cloudformation:DescribeStacks is needed"
    )


def test_extra742_missing_scanner(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures.secrets import formats, scanner

    def missing(path: str) -> type[object]:
        raise ModuleNotFoundError("No module named 'detect_secrets'")

    monkeypatch.setattr(formats, "plugin_named", missing)
    scanner._scanner.cache_clear()
    found = run(audit, stack("web", Any="x"))
    assert found["web"].startswith("ERROR")
    assert "the secret scanner is missing" in found["web"]


@pytest.mark.usefixtures("moto")
def test_extra742_over_two_pages(audit: Audit) -> None:
    cloudformation = boto3.client("cloudformation", HERE)
    for number in range(51):  # the emulator's pages have 50
        outputs = {"DbPassword": {"Value": "Tr0ub4dor&3x"}} if number in (0, 50) else {"Name": {"Value": "bucket"}}
        template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
        cloudformation.create_stack(StackName=f"stack-{number}", TemplateBody=json.dumps(template))
    found = audit("extra742", regions=[HERE])
    assert len(found) == 51
    assert sorted(name for name, verdict in found.items() if verdict.startswith("FAIL")) == ["stack-0", "stack-50"]
