"""The checks of tests_extras/test_kms.py."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.conftest import ACCOUNT, Audit, Stub, access_denied

REGION = "eu-west-1"
CHECKS = ["extra736", "extra737"]


def key(id: str = "k1", **more: Any) -> dict[str, Any]:
    return {
        "KeyId": id, "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}", "KeyManager": "CUSTOMER", "KeyState": "Enabled",
        "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", **more,
    }  # fmt: skip


def run(
    audit: Audit, check: str, *keys: dict[str, Any], more: dict[str, Stub] | None = None, **settings: Any
) -> dict[str, str]:
    """The check's findings on these keys."""
    by_id = {one["KeyId"]: one for one in keys}
    answers: dict[str, Stub] = {
        "kms:ListKeys": {"Keys": [{"KeyId": one["KeyId"], "KeyArn": one["Arn"]} for one in keys]},
        "kms:DescribeKey": lambda params: {"KeyMetadata": by_id[params["KeyId"]]},
        **(more or {}),
    }
    return audit(check, answers=answers, live=False, regions=[REGION], **settings)


def allow(principal: Any = "*", action: Any = "kms:*", **more: Any) -> dict[str, Any]:
    """A statement of a key policy; None removes an element."""
    elements = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
    return {name: value for name, value in elements.items() if value is not None}


def policy(*statements: dict[str, Any]) -> dict[str, Stub]:
    """The answer of GetKeyPolicy; a single statement stands alone, not in a list."""
    text = json.dumps({"Version": "2012-10-17", "Statement": statements[0] if len(statements) == 1 else statements})
    return {"kms:GetKeyPolicy": {"Policy": text, "PolicyName": "default"}}


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
VIA = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_to_look_at(audit: Audit, check: str) -> None:
    nothing = {ACCOUNT: f"INFO: no customer key to check in {REGION}"}
    assert run(audit, check) == nothing
    assert run(audit, check, key(KeyManager="AWS")) == nothing
    gone = run(audit, check, key(), more={"kms:DescribeKey": ApiError("k", "o", "NotFoundException", "x")})
    assert gone == nothing


@pytest.mark.parametrize("check", CHECKS)
def test_keys_that_cannot_be_read(audit: Audit, check: str) -> None:
    denied = run(audit, check, more={"kms:ListKeys": access_denied("k", "o")})
    assert denied[f"{ACCOUNT} {REGION}"].startswith(f"ERROR: access denied in {REGION}: kms:ListKeys is needed")

    def describe(error: ApiError) -> dict[str, Stub]:
        def answer(params: dict[str, Any]) -> dict[str, Any]:
            if params["KeyId"] == "k1":
                raise ApiError("kms", "DescribeKey", error.code, error.reason, region=REGION)
            return {"KeyMetadata": key("k2", KeyState="PendingDeletion")}

        return {"kms:DescribeKey": answer}

    closed = run(audit, check, key(), key("k2"), more=describe(access_denied("k", "o")))
    assert closed["k1"].startswith(f"ERROR: access denied in {REGION}: kms:DescribeKey is needed")
    assert closed["k2"].startswith("INFO")
    changed = run(audit, check, key(), key("k2"), more=describe(ApiError("k", "o", "KMSInvalidStateException", "x")))
    assert changed["k1"].startswith(f"ERROR: kms:DescribeKey failed in {REGION}: KMSInvalidStateException")


OPEN = "FAIL: key k1 in eu-west-1 (Enabled) admits everyone: statement number 1 allows"
CLOSED = "PASS: key k1 in eu-west-1 (Enabled) has a policy that is not public"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow({"AWS": ROOT}), CLOSED),
        (allow(action="kms:DescribeKey"), f"{OPEN} kms:DescribeKey to Principal *"),
        (allow({"AWS": "*"}, "kms:Decrypt"), f"{OPEN} kms:Decrypt to Principal AWS *"),
        (allow(None), CLOSED),
        (allow({"AWS": "*"}), f"{OPEN} kms:* to Principal AWS *"),
        (allow("*"), f"{OPEN} kms:* to Principal *"),
        (allow({"AWS": ["arn:aws:iam::111122223333:root", "*"]}), OPEN),
        (allow({"AWS": "*"}, Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT, **VIA}}), CLOSED),
        (allow({"AWS": "*"}, Condition={"StringEquals": VIA}), f"{OPEN} kms:* to Principal AWS * (conditions: kms:ViaService)"),
        (allow(Effect="Deny"), CLOSED),
        (allow(Sid="Open"), "FAIL: key k1 in eu-west-1 (Enabled) admits everyone: statement Open allows kms:* to Principal *"),
    ],
)  # fmt: skip
def test_extra736(audit: Audit, statement: dict[str, Any], expected: str) -> None:
    found = run(audit, "extra736", key(), more=policy(statement))
    assert list(found) == ["k1"]
    assert found["k1"].startswith(expected), found
    assert audit.backend.calls[-1][2:] == ("GetKeyPolicy", {"KeyId": "k1", "PolicyName": "default"})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Disabled", "FAIL: key k1 in eu-west-1 (Disabled) admits everyone"),
        ("PendingImport", "FAIL: key k1 in eu-west-1 (PendingImport) admits everyone"),
        ("PendingDeletion", "INFO: key k1 in eu-west-1 (PendingDeletion) is being deleted"),
        ("PendingReplicaDeletion", "INFO: key k1 in eu-west-1 (PendingReplicaDeletion) is being deleted"),
    ],
)
def test_extra736_states(audit: Audit, state: str, expected: str) -> None:
    assert run(audit, "extra736", key(KeyState=state), more=policy(allow()))["k1"].startswith(expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (access_denied("k", "o"), f"ERROR: access denied in {REGION}: kms:GetKeyPolicy is needed"),
        (ApiError("k", "o", "NotFoundException", "x"), "INFO: key k1 was deleted during the audit"),
        (
            ApiError("k", "o", "KMSInvalidStateException", "x"),
            f"ERROR: kms:GetKeyPolicy failed in {REGION}: KMSInvalid",
        ),
        ({"Policy": "{"}, f"ERROR: kms:GetKeyPolicy failed in {REGION}: UnexpectedAnswer: the policy document is not"),
        ({"Policy": "{}"}, f"ERROR: kms:GetKeyPolicy failed in {REGION}: UnexpectedAnswer: the policy document has no"),
    ],
)
def test_extra736_errors(audit: Audit, answer: Stub, expected: str) -> None:
    assert run(audit, "extra736", key(), more={"kms:GetKeyPolicy": answer})["k1"].startswith(expected)


@pytest.mark.usefixtures("moto")
def test_extra736_and_extra737_on_emulated_keys_without_alias(audit: Audit) -> None:
    kms = boto3.client("kms", REGION)
    usual = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=usual)
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow()]})
    exposed = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    disabled = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=disabled)
    found = {check: audit(check, regions=[REGION]) for check in CHECKS}
    assert {id: text[:5] for id, text in found["extra736"].items()} == {
        usual: "PASS:",
        exposed: "FAIL:",
        disabled: "FAIL:",
    }
    assert {id: text[:5] for id, text in found["extra737"].items()} == {
        usual: "PASS:",
        exposed: "FAIL:",
        disabled: "INFO:",
    }


K1 = "k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS)"
ON, OFF = {"KeyRotationEnabled": True}, {"KeyRotationEnabled": False}
SLOW = {"KeyRotationEnabled": True, "RotationPeriodInDays": 2560}


@pytest.mark.parametrize(
    ("given", "rotation", "settings", "expected"),
    [
        (key(), ON, {}, f"PASS: {K1}: rotation is on, every 365 days"),
        (key(), OFF, {}, f"FAIL: {K1}: rotation is off"),
        (key(), SLOW, {}, f"PASS: {K1}: rotation is on, every 2560 days"),
        (key(), SLOW, {"max_rotation_period_days": 365}, f"FAIL: {K1}: it rotates every 2560 days, the limit is 365"),
        (key(), ON, {"max_rotation_period_days": 365}, "PASS"),
        (key(KeySpec="RSA_2048"), OFF, {}, "INFO: k1 in eu-west-1 (RSA_2048, origin AWS_KMS) cannot rotate automatically"),
        (key(KeySpec="HMAC_256"), OFF, {}, "INFO: k1 in eu-west-1 (HMAC_256, origin AWS_KMS) cannot rotate automatically"),
        *((key(Origin=origin), OFF, {}, f"INFO: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin {origin}) cannot") for origin in ("EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")),
        *((key(KeyState=state), OFF, {}, f"INFO: {K1} is {state}: KMS rotates enabled keys only") for state in ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "Unavailable")),
        (key(MultiRegionConfiguration={"MultiRegionKeyType": "REPLICA"}), OFF, {}, "FAIL: k1 in eu-west-1 (SYMMETRIC_DEFAULT, origin AWS_KMS, a replica: rotation is set on the primary key): rotation is off"),
        (key(), ApiError("k", "o", "UnsupportedOperationException", "x"), {}, f"INFO: {K1} cannot rotate automatically"),
        (key(), ApiError("k", "o", "NotFoundException", "x"), {}, "INFO: k1 was deleted or changed its state during the audit"),
        (key(), ApiError("k", "o", "KMSInvalidStateException", "x"), {}, f"ERROR: kms:GetKeyRotationStatus failed in {REGION}: KMSInvalid"),
        (key(), access_denied("k", "o"), {}, f"ERROR: access denied in {REGION}: kms:GetKeyRotationStatus is needed"),
    ],
)  # fmt: skip
def test_extra737(audit: Audit, given: dict[str, Any], rotation: Stub, settings: dict[str, Any], expected: str) -> None:
    found = run(audit, "extra737", given, more={"kms:GetKeyRotationStatus": rotation}, **settings)
    assert list(found) == ["k1"]
    assert found["k1"].startswith(expected), found
