"""The checks of tests_extras/test_s3.py that are about who gets in, and how."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from fixtures.api.errors import ApiError
from selftests.checks.test_s3 import HERE, NO_BLOCK, NO_POLICY, policy, run
from selftests.conftest import Audit, Stub, access_denied

GROUPS = "http://acs.amazonaws.com/groups/"


def acl(*grants: tuple[str, str]) -> dict[str, Any]:
    """The answer of GetBucketAcl: the owner's grant, and permissions of groups."""
    owner = {"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "FULL_CONTROL"}
    groups = [
        {"Grantee": {"Type": "Group", "URI": GROUPS + uri}, "Permission": permission} for permission, uri in grants
    ]
    return {"Grants": [owner, *groups]}


def block(*flags: str) -> Stub:
    """The answer of GetPublicAccessBlock, of S3 or S3 Control."""
    every = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": {flag: flag in flags for flag in every}}


def allow(principal: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement that lets in; further elements as keywords."""
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::data/*",
        **more,
    }


# -- Open to everyone ------------------------------------------------------------------------------------------------

ACCOUNT_BLOCK, OWN_BLOCK, ACL, STATUS = (
    "s3control:GetPublicAccessBlock", "GetPublicAccessBlock", "GetBucketAcl", "GetBucketPolicyStatus",
)  # fmt: skip
PRIVATE: dict[str, Stub] = {ACCOUNT_BLOCK: NO_BLOCK, OWN_BLOCK: NO_BLOCK, ACL: acl(), STATUS: NO_POLICY}
READ_ALL: dict[str, Stub] = {ACL: acl(("READ", "global/AllUsers"))}
PUBLIC: dict[str, Stub] = {STATUS: {"PolicyStatus": {"IsPublic": True}}}
NOT_PUBLIC: dict[str, Stub] = {STATUS: {"PolicyStatus": {"IsPublic": False}}}
OPEN_ACL = f"ACL grant of READ to {GROUPS}global/AllUsers"
OPEN = f"FAIL: {HERE} is open to the public through:"
CLOSED = f"PASS: {HERE} is not public:"
REFUSED = access_denied("s3", "o")
NO_FLAGS = "ERROR: access denied in us-east-1: s3:GetAccountPublicAccessBlock is needed"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, f"{CLOSED} no ACL grant to the public, no public policy"),
        (READ_ALL, f"{OPEN} {OPEN_ACL}"),
        ({ACL: acl(("WRITE", "global/AuthenticatedUsers"))}, f"{OPEN} ACL grant of WRITE to {GROUPS}global/AuthenticatedUsers"),
        ({ACL: acl(("READ", "global/AllUsers"), ("READ_ACP", "global/AllUsers"))}, f"{OPEN} {OPEN_ACL}, ACL grant of READ_ACP to {GROUPS}global/AllUsers"),
        ({ACL: acl(("WRITE", "s3/LogDelivery"))}, CLOSED),
        ({**READ_ALL, OWN_BLOCK: block("IgnorePublicAcls")}, f"{CLOSED} ACLs for the public are ignored (IgnorePublicAcls on the bucket), no public policy"),
        ({**READ_ALL, ACCOUNT_BLOCK: block("IgnorePublicAcls")}, f"{CLOSED} ACLs for the public are ignored (IgnorePublicAcls on the account), no public policy"),
        (PUBLIC, f"{OPEN} bucket policy"),
        (NOT_PUBLIC, CLOSED),
        ({**PUBLIC, ACCOUNT_BLOCK: block("RestrictPublicBuckets")}, f"{CLOSED} no ACL grant to the public, a public policy is restricted (RestrictPublicBuckets on the account)"),
        ({**READ_ALL, ACCOUNT_BLOCK: block("RestrictPublicBuckets")}, f"{OPEN} {OPEN_ACL}"),
        ({**PUBLIC, OWN_BLOCK: block("IgnorePublicAcls")}, f"{OPEN} bucket policy"),
        ({**READ_ALL, **PUBLIC, ACCOUNT_BLOCK: block("IgnorePublicAcls"), OWN_BLOCK: block("RestrictPublicBuckets")}, f"{CLOSED} ACLs for the public are ignored (IgnorePublicAcls on the account), a public policy is restricted (RestrictPublicBuckets on the bucket)"),
        ({**READ_ALL, OWN_BLOCK: block("BlockPublicAcls", "BlockPublicPolicy"), ACCOUNT_BLOCK: block("BlockPublicAcls", "BlockPublicPolicy")}, f"{OPEN} {OPEN_ACL}"),
        ({**READ_ALL, **PUBLIC}, f"{OPEN} {OPEN_ACL}, bucket policy"),
        ({ACL: REFUSED}, "ERROR: access denied in eu-west-1: s3:GetBucketAcl is needed"),
        ({STATUS: REFUSED}, "ERROR: access denied in eu-west-1: s3:GetBucketPolicyStatus is needed"),
        ({STATUS: ApiError("s3", "o", "SlowDown", "x")}, "ERROR: s3:GetBucketPolicyStatus was throttled in eu-west-1"),
        # The account's flags are not shown: only a bucket that they might save is undecided.
        ({ACCOUNT_BLOCK: REFUSED}, CLOSED),
        ({ACCOUNT_BLOCK: REFUSED, **READ_ALL}, NO_FLAGS),
        ({ACCOUNT_BLOCK: REFUSED, **PUBLIC}, NO_FLAGS),
        ({ACCOUNT_BLOCK: REFUSED, **READ_ALL, **PUBLIC, OWN_BLOCK: block("IgnorePublicAcls")}, NO_FLAGS),
        ({ACCOUNT_BLOCK: REFUSED, **READ_ALL, **PUBLIC, OWN_BLOCK: block("IgnorePublicAcls", "RestrictPublicBuckets")}, CLOSED),
        ({ACCOUNT_BLOCK: ApiError("s3control", "o", "SlowDown", "x")}, "ERROR: s3control:GetPublicAccessBlock was throttled"),
    ],
)  # fmt: skip
def test_extra73(audit: Audit, more: dict[str, Stub], expected: str) -> None:
    found = run(audit, "extra73", {**PRIVATE, **more})
    whole = expected.startswith(("PASS", "FAIL")) and expected != CLOSED
    assert found == expected if whole else found.startswith(expected), found


@pytest.mark.parametrize(
    ("account", "own", "asked"),
    [
        ([], [], [OWN_BLOCK, ACL, STATUS]),
        (["IgnorePublicAcls", "RestrictPublicBuckets"], [], []),
        (["IgnorePublicAcls"], [], [OWN_BLOCK, STATUS]),
        (["IgnorePublicAcls"], ["RestrictPublicBuckets"], [OWN_BLOCK]),
        ([], ["IgnorePublicAcls", "RestrictPublicBuckets"], [OWN_BLOCK]),
        ([], ["RestrictPublicBuckets"], [OWN_BLOCK, ACL]),
    ],
)
def test_extra73_asks_no_more_than_it_needs(audit: Audit, account: list[str], own: list[str], asked: list[str]) -> None:
    run(audit, "extra73", {**PRIVATE, ACCOUNT_BLOCK: block(*account), OWN_BLOCK: block(*own)})
    calls = [(service, operation) for _, service, operation, _ in audit.backend.calls]
    listing = [("s3", "ListBuckets"), ("s3", "GetBucketLocation"), ("s3control", "GetPublicAccessBlock")]
    assert calls == listing + [("s3", operation) for operation in asked]


def test_extra73_reads_the_account_once(audit: Audit) -> None:
    two = {f"s3:{key}" if ":" not in key else key: answer for key, answer in PRIVATE.items()}
    two["s3:ListBuckets"] = {"Buckets": [{"Name": name, "BucketRegion": "eu-west-1"} for name in ("a", "b")]}
    two["s3:GetBucketAcl"] = lambda p: acl(("READ", "global/AllUsers")) if p["Bucket"] == "a" else acl()
    found = audit("extra73", answers=two, live=False)
    assert {name: text[:4] for name, text in found.items()} == {"a": "FAIL", "b": "PASS"}
    account = [call for call in audit.backend.calls if call[1] == "s3control"]
    assert account == [("us-east-1", "s3control", "GetPublicAccessBlock", {"AccountId": "123456789012"})]


@pytest.mark.usefixtures("moto")
def test_extra73_against_moto(audit: Audit) -> None:
    flags = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    control = boto3.client("s3control", "us-east-1")
    control.put_public_access_block(AccountId="123456789012", PublicAccessBlockConfiguration=flags)
    assert audit("extra73") == {"123456789012": "INFO: no bucket to check in the account"}
    control.delete_public_access_block(AccountId="123456789012")
    s3 = boto3.client("s3", "us-east-1")
    for name in ("private", "acl", "policy", "listed"):
        s3.create_bucket(Bucket=name)
    s3.put_bucket_acl(Bucket="acl", ACL="public-read")
    several = {"AWS": ["arn:aws:iam::123456789012:root", "*"]}
    for name, principal in (("policy", "*"), ("listed", several)):
        statement = {**allow(principal), "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    found = audit("extra73", answers={"s3:GetBucketPolicyStatus": lambda p: status_of(p["Bucket"])})
    assert {name: text[:4] for name, text in found.items()} == {
        "private": "PASS", "acl": "FAIL", "policy": "FAIL", "listed": "FAIL",
    }  # fmt: skip
    assert audit("extra73")["policy"] == "FAIL: bucket policy in us-east-1 is open to the public through: bucket policy"
    control.put_public_access_block(AccountId="123456789012", PublicAccessBlockConfiguration=flags)
    assert {text[:4] for text in audit("extra73").values()} == {"PASS"}


def status_of(bucket: str) -> dict[str, Any]:
    """S3's own judgement of the policies above; the emulator does not look into lists of principals."""
    if bucket not in ("policy", "listed"):
        raise NO_POLICY
    return {"PolicyStatus": {"IsPublic": True}}


@pytest.mark.parametrize(
    "condition", [{"IpAddress": {"aws:SourceIp": "198.51.100.4"}}, {"StringEquals": {"aws:SourceVpc": "vpc-123456"}}]
)
def test_extra73_follows_the_judgement_of_s3(audit: Audit, condition: dict[str, Any]) -> None:
    """S3 calls neither policy public, and the policy's text is not even read."""
    world = {**PRIVATE, **NOT_PUBLIC, "GetBucketPolicy": policy(allow(Condition=condition))}
    assert run(audit, "extra73", world).startswith(CLOSED)
    assert "GetBucketPolicy" not in [call[2] for call in audit.backend.calls]


# -- TLS -------------------------------------------------------------------------------------------------------------

BUCKET, OBJECTS = "arn:aws:s3:::data", "arn:aws:s3:::data/*"
INSECURE = {"Bool": {"aws:SecureTransport": "false"}}


def deny(**more: Any) -> dict[str, Any]:
    """The statement of the S3 User Guide; elements that differ as keywords, None for one that is absent."""
    usual = {
        "Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET, OBJECTS],
        "Condition": INSECURE,
    }  # fmt: skip
    return {key: value for key, value in {**usual, **more}.items() if value is not None}


def tls(operator: str, **keys: Any) -> dict[str, Any]:
    """A condition; underscores stand for colons."""
    return {operator: {key.replace("_", ":"): value for key, value in keys.items()}}


REFUSES = f"PASS: {HERE} refuses requests without TLS: statement Tls"
NEITHER = f"the bucket ARN {BUCKET} is not covered; its objects {OBJECTS} are not covered"
RCP = " (a resource control policy of the organization may refuse them all the same; it is not looked at)"


@pytest.mark.parametrize(
    "statements",
    [
        [deny()],
        [deny(Action=["s3:*"], Condition=tls("Bool", aws_SecureTransport=["false"]))],
        [deny(Condition=tls("Bool", aws_SecureTransport=False))],
        [deny(Condition=tls("bool", AWS_securetransport="False"))],
        [deny(Condition=tls("BoolIfExists", aws_SecureTransport="false"))],
        [deny(Action="*"), allow()],
        [deny(Action=["s3:GetObject", "S3:*"])],
        [deny(Principal={"AWS": "*"})],
        [deny(Principal={"AWS": ["111122223333", "*"]})],
        [deny(Resource="*")],
        [deny(Resource="arn:aws:s3:::data*")],
        [deny(Resource="arn:aws:s3:::*")],
        [deny(Resource=None, NotResource="arn:aws:s3:::other")],
        [deny(Action=None, NotAction="ec2:*")],
        # s3:TlsVersion is absent without TLS, for which an operator that asks for no match holds
        [deny(Condition=tls("NumericNotEquals", s3_TlsVersion=["1.2", "1.3"]))],
        [deny(Condition=tls("NumericLessThanIfExists", s3_TlsVersion="1.2"))],
        [deny(Condition=tls("Null", s3_TlsVersion="true"))],
        [deny(Condition=tls("StringNotEquals", aws_SecureTransport="true"))],
        [deny(Condition=tls("StringLike", aws_SecureTransport="f*"))],
        [deny(Condition={**INSECURE, **tls("NumericNotEquals", s3_TlsVersion="1.3")})],
        [deny(Condition=tls("Null", aws_SecureTransport="false"))],
        # what refuses everything refuses plain HTTP
        [deny(Condition=tls("Bool", aws_SecureTransport=["false", "true"]))],
        [deny(Condition=None)],
    ],
)
def test_extra764_enforced(audit: Audit, statements: list[Any]) -> None:
    assert run(audit, "extra764", {"GetBucketPolicy": policy(*statements)}) == REFUSES
    assert [call[2] for call in audit.backend.calls] == ["ListBuckets", "GetBucketLocation", "GetBucketPolicy"]


def test_extra764_enforced_by_two_statements(audit: Audit) -> None:
    two = policy(deny(Sid="A", Resource=BUCKET), allow(), deny(Sid=None, Resource=OBJECTS))
    found = run(audit, "extra764", {"GetBucketPolicy": two})
    assert found == f"PASS: {HERE} refuses requests without TLS: statement A, statement number 3"


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([deny(Effect="Allow")], f"{NEITHER}; statement Tls is no Deny"),
        ([deny(Effect="Allow", Condition=tls("Bool", aws_SecureTransport="true"))], f"{NEITHER}; statement Tls is no Deny and does not hold for requests with aws:SecureTransport false"),
        ([deny(Condition=tls("Bool", aws_SecureTransport="true"))], f"{NEITHER}; statement Tls does not hold for requests with aws:SecureTransport false"),
        ([deny(Condition=tls("Bool", aws_SecureTransport=[]))], f"{NEITHER}; statement Tls has a condition on aws:SecureTransport that cannot be evaluated"),
        ([deny(Condition=tls("NumericLessThan", s3_TlsVersion="1.2"))], f"{NEITHER}; statement Tls does not hold for requests with aws:SecureTransport false"),
        ([deny(Condition={**INSECURE, **tls("NumericEquals", s3_TlsVersion="1.3")})], f"{NEITHER}; statement Tls does not hold for requests with aws:SecureTransport false"),
        ([deny(Condition={**INSECURE, **tls("Truth", aws_SecureTransport="false")})], f"{NEITHER}; statement Tls has a condition on aws:SecureTransport that cannot be evaluated"),
        ([deny(Resource=None, NotResource=[BUCKET, "arn:aws:s3:::other"])], f"the bucket ARN {BUCKET} is not covered"),
        ([deny(Resource=None, NotResource="arn:aws:s3:::data*")], NEITHER),
        ([deny(Action=None, NotAction="s3:Get*")], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Condition={**INSECURE, **tls("Null", aws_SecureTransport="true")})], f"{NEITHER}; statement Tls does not hold for requests"),
        ([deny(Resource=OBJECTS)], f"the bucket ARN {BUCKET} is not covered"),
        ([deny(Resource=BUCKET)], f"its objects {OBJECTS} are not covered"),
        ([deny(Resource=[BUCKET, OBJECTS + "/x"])], f"its objects {OBJECTS} are not covered"),
        ([deny(Resource=[BUCKET, "arn:aws:s3:::data/?"])], f"its objects {OBJECTS} are not covered"),
        ([deny(Resource=[BUCKET, "arn:aws:s3:::data/public/*"])], f"its objects {OBJECTS} are not covered"),
        ([deny(Resource=["arn:aws:s3:::data-2", "arn:aws:s3:::data-2/*"])], NEITHER),
        ([deny(Resource="arn:aws:s3:::[d]ata*")], NEITHER),
        ([deny(Action="s3:PutObject")], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Action="s3:GetObject")], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Action=["s3:Get*", "s3:Put*"])], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Action=None)], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Action=None, NotAction="s3:GetObject")], f"{NEITHER}; statement Tls is for some actions only"),
        ([deny(Condition={**INSECURE, **tls("StringNotEquals", aws_SourceVpce="vpce-1")})], f"{NEITHER}; statement Tls has the extra condition aws:SourceVpce"),
        ([deny(Condition=tls("Bool", aws_SecureTransport="false", aws_ViaAWSService="false"))], f"{NEITHER}; statement Tls has the extra condition aws:ViaAWSService"),
        ([deny(Principal={"AWS": "arn:aws:iam::111122223333:root"})], f"{NEITHER}; statement Tls is not for every principal"),
        ([deny(Principal=None, NotPrincipal={"AWS": "111122223333"})], f"{NEITHER}; statement Tls is not for every principal"),
        ([deny(Principal={"AWS": "arn:aws:iam::*:root"})], f"{NEITHER}; statement Tls is not for every principal"),
        ([deny(Action="s3:GetObject", Sid="A"), deny(Sid="B", Resource=OBJECTS)], f"the bucket ARN {BUCKET} is not covered; statement A is for some actions only"),
        ([allow()], NEITHER),
    ],
)  # fmt: skip
def test_extra764_not_enforced(audit: Audit, statements: list[Any], missing: str) -> None:
    found = run(audit, "extra764", {"GetBucketPolicy": policy(*statements)})
    assert found.startswith(f"FAIL: {HERE} does not refuse all requests without TLS: {missing}")
    assert found.endswith(missing + RCP if missing.endswith("covered") else RCP)


def test_extra764_without_policy(audit: Audit) -> None:
    found = run(audit, "extra764", {"GetBucketPolicy": NO_POLICY})
    assert found == f"FAIL: {HERE} does not refuse all requests without TLS: no policy{RCP}"
    for document in ("{", "[]", "{}"):
        broken = run(audit, "extra764", {"GetBucketPolicy": {"Policy": document}})
        assert broken.startswith("ERROR: s3:GetBucketPolicy failed in eu-west-1: UnexpectedAnswer: the policy document")


@pytest.mark.usefixtures("moto")
def test_extra764_and_extra771_against_moto(audit: Audit) -> None:
    s3 = boto3.client("s3", "us-east-1")
    s3.create_bucket(Bucket="data")
    assert audit("extra764")["data"].startswith("FAIL: bucket data in us-east-1 does not refuse all requests")
    assert audit("extra771")["data"] == "PASS: bucket data in us-east-1 has no policy"
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny(), allow()]}))
    assert audit("extra764")["data"] == "PASS: bucket data in us-east-1 refuses requests without TLS: statement Tls"
    assert audit("extra771")["data"].startswith(
        "FAIL: bucket data in us-east-1 lets the public write: statement number 2"
    )
    flags = {"RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket="data", PublicAccessBlockConfiguration=flags)
    assert audit("extra771")["data"].startswith("PASS: bucket data in us-east-1: RestrictPublicBuckets on the bucket")


# -- Writing ---------------------------------------------------------------------------------------------------------

UNBLOCKED: dict[str, Stub] = {OWN_BLOCK: NO_BLOCK}


def when(operator: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    """A statement for everyone with one condition."""
    return allow(Condition={operator: {key: value}}, **more)


@pytest.mark.parametrize(
    ("statement", "described"),
    [
        (allow(), "statement number 2 allows s3:PutObject to Principal *"),
        (allow({"AWS": "*"}, Sid="W", Action=["s3:GetObject", "s3:PutObject"]), "statement W allows s3:GetObject, s3:PutObject to Principal AWS *"),
        (allow({"AWS": ["111122223333", "*"]}), "statement number 2 allows s3:PutObject to Principal AWS 111122223333, AWS *"),
        (allow(Action="*"), "statement number 2 allows * to"),
        (allow(Action="s3:P*"), "statement number 2 allows s3:P* to"),
        (allow(Action="S3:putobject"), "statement number 2 allows S3:putobject to"),
        (allow(Action="s3:DeleteObject"), "statement number 2 allows s3:DeleteObject to"),
        (allow(Action="s3:Delete*"), "statement number 2 allows s3:Delete* to"),
        (allow(Action="s3:PutObjectAc?"), "statement number 2 allows s3:PutObjectAc? to"),
        (allow(Action="s3:ObjectOwnerOverrideToBucketOwner"), "statement number 2 allows s3:ObjectOwner"),
        (allow(Action="s3:PutBucketCORS", Resource=BUCKET), "statement number 2 allows s3:PutBucketCORS to"),
        (allow(Action=None, NotAction="s3:GetObject"), "statement number 2 allows all but s3:GetObject to Principal *"),
        (allow(Action=None, NotAction=["s3:Put*", "s3:Get*"]), "statement number 2 allows all but s3:Put*, s3:Get* to"),
        (when("StringLike", "aws:PrincipalOrgID", "*"), "statement number 2 allows s3:PutObject to Principal * (conditions: aws:PrincipalOrgID)"),
        (when("StringLike", "aws:Referer", "https://example.com/*"), "statement number 2 allows s3:PutObject to Principal * (conditions: aws:Referer)"),
        (when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), "statement number 2 allows s3:PutObject to Principal * (conditions: aws:SourceIp)"),
        (when("StringEquals", "aws:SourceAccount", ""), "statement number 2 allows s3:PutObject to Principal *"),
        (when("StringEquals", "sns:Endpoint", "example.com"), "statement number 2 allows s3:PutObject to Principal *"),
        (when("ArnLike", "aws:SourceArn", "arn:aws:s3"), "statement number 2 allows s3:PutObject to Principal *"),
        (when("ArnLike", "aws:SourceArn", "urn:aws:sns:us-east-1:111122223333:t"), "statement number 2 allows s3:PutObject to Principal *"),
        (when("ArnLike", "aws:SourceArn", "arn:aws:sqs:us-east-1::queue"), "statement number 2 allows s3:PutObject to Principal *"),
        (when("ArnLike", "aws:SourceArn", "arn:aws:s3:*:12*:bucket"), "statement number 2 allows s3:PutObject to Principal *"),
    ],
)  # fmt: skip
def test_extra771_public_writes(audit: Audit, statement: dict[str, Any], described: str) -> None:
    statement = {key: value for key, value in statement.items() if value is not None}
    answers = {**UNBLOCKED, "GetBucketPolicy": policy(allow(Sid="read", Action="s3:GetObject"), statement)}
    found = run(audit, "extra771", answers)
    assert found.startswith(f"FAIL: {HERE} lets the public write: {described}")
    assert "statement read" not in found
    for place, own in ((ACCOUNT_BLOCK, "the account"), (OWN_BLOCK, "the bucket")):
        blocked = run(audit, "extra771", {**answers, place: block("RestrictPublicBuckets")})
        assert blocked.startswith(f"PASS: {HERE}: RestrictPublicBuckets on {own} neutralises {described}")
    other = run(audit, "extra771", {**answers, OWN_BLOCK: block("BlockPublicPolicy", "IgnorePublicAcls")})
    assert other.startswith("FAIL")


@pytest.mark.parametrize(
    "statement",
    [
        allow(Action="s3:GetObject"),
        allow(Action=["s3:Get*", "s3:List*"]),
        allow(NotAction=["s3:*"]),
        allow(NotAction=["s3:P*", "s3:Delete*", "s3:Abort*", "s3:Re*", "s3:Bypass*", "s3:Object*"]),
        allow(Effect="Deny"),
        when("StringEquals", "aws:PrincipalOrgID", "o-abc"),
        when("StringEquals", "s3:DataAccessPointAccount", "111122223333", Action="*"),
        when("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
        allow({"AWS": "arn:aws:iam::111122223333:root"}),
        when("IpAddress", "aws:SourceIp", "fd00::/8"),
        when("StringLike", "aws:userid", "AROAEXAM*"),
        allow({"Service": "logging.s3.amazonaws.com"}),
    ],
)
def test_extra771_no_public_writes(audit: Audit, statement: dict[str, Any]) -> None:
    if "NotAction" in statement:
        statement = {key: value for key, value in statement.items() if key != "Action"}
    found = run(audit, "extra771", {"GetBucketPolicy": policy(statement)})
    assert found == f"PASS: {HERE}: no statement of its policy lets the public write"
    assert [call[2] for call in audit.backend.calls] == ["ListBuckets", "GetBucketLocation", "GetBucketPolicy"]


def test_extra771_limits_of_address_ranges(audit: Audit) -> None:
    for version, range_ in (("ipv4", "203.0.0.0/16"), ("ipv6", "2600:1f00::/32")):
        answers = {**UNBLOCKED, "GetBucketPolicy": policy(when("IpAddress", "aws:SourceIp", range_))}
        assert run(audit, "extra771", answers).startswith("PASS")
        limit = {f"min_prefix_length_{version}": 48 if version == "ipv6" else 24}
        assert run(audit, "extra771", answers, **limit).startswith(f"FAIL: {HERE} lets the public write")


def test_extra771_errors(audit: Audit) -> None:
    assert run(audit, "extra771", {"GetBucketPolicy": NO_POLICY}) == f"PASS: {HERE} has no policy"
    broken = run(audit, "extra771", {"GetBucketPolicy": {"Policy": "no JSON"}})
    assert broken.startswith("ERROR: s3:GetBucketPolicy failed in eu-west-1: UnexpectedAnswer")
    writes: dict[str, Stub] = {"GetBucketPolicy": policy(allow()), **UNBLOCKED}
    assert run(audit, "extra771", {**writes, OWN_BLOCK: REFUSED}).startswith(
        "ERROR: access denied in eu-west-1: s3:GetBucketPublicAccessBlock is needed"
    )
    assert run(audit, "extra771", {**writes, ACCOUNT_BLOCK: REFUSED}).startswith(NO_FLAGS)
    own = run(audit, "extra771", {**writes, ACCOUNT_BLOCK: REFUSED, OWN_BLOCK: block("RestrictPublicBuckets")})
    assert own.startswith(f"PASS: {HERE}: RestrictPublicBuckets on the bucket neutralises")
